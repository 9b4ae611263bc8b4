//! What acts on events and asks gateways: `requeue`, `discard`, `reconcile`, `refresh` and `prune`.

use clap::Args;
use serde_json::json;

use super::events::{ChosenEvents, list};
use super::options::{Acting, Common};
use super::output::{Output, Table};
use crate::acts::{BULK_LIMIT, Bulk, Chosen};
use crate::domain::id::EventId;
use crate::domain::operation::Verb;
use crate::domain::scope::Scope;
use crate::engine::act;
use crate::engine::request::{Requester, Wanted};
use crate::error::{Error, ErrorKind};
use crate::operations::Outcome;
use crate::payments::Payments;

/// Which events to act on.
#[derive(Debug, Clone, Args)]
pub(crate) struct Many {
    /// The numbers of the events.
    ids: Vec<i64>,
    #[command(flatten)]
    chosen: ChosenEvents,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Args)]
pub struct Requeue {
    #[command(flatten)]
    many: Many,
}

#[derive(Debug, Clone, Args)]
pub struct Discard {
    #[command(flatten)]
    many: Many,
}

impl Requeue {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        self.many.run(payments, Bulk::Requeue).await
    }
}

impl Discard {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        self.many.run(payments, Bulk::Discard).await
    }
}

impl Many {
    async fn run(self, payments: &Payments, bulk: Bulk) -> Result<Output, Error> {
        let engine = payments.engine();
        let is_all = self.ids.is_empty();
        if is_all == self.chosen.is_all() {
            let why = "name events by their numbers, or say which by --state, --variant, --kind or --search; not both";
            return Err(Error::new(ErrorKind::Refused, why));
        }
        let ids: Vec<EventId> = self.ids.iter().copied().map(EventId).collect();
        let chosen = |highest| {
            if is_all { Chosen::All(self.chosen.view(), highest) } else { Chosen::Ids(ids.clone(), Scope::All) }
        };
        let sample = engine.sample(bulk, chosen(None)).await?;
        if sample.count > BULK_LIMIT {
            return Err(Error::new(ErrorKind::Refused, format!("more than {BULK_LIMIT} events match; say less")));
        }
        if !is_all && sample.count < ids.len() {
            return Err(Error::new(ErrorKind::NotFound, "there is no event of one of these numbers"));
        }
        if self.acting.dry_run {
            let (changing, act) = (sample.changing(), bulk.as_str());
            let mut below = format!("{changing} of {} events would change: {act}.", sample.count);
            for (why, count) in &sample.stays {
                below += &format!("\n{count} would stay: {why}");
            }
            return Ok(list(self.common.json, &sample.rows, Some(below), None));
        }
        let tally = engine.bulk(bulk, chosen(sample.highest), self.acting.actor()).await?;
        let done = if bulk == Bulk::Requeue { "requeued" } else { "discarded" };
        let mut text = format!("{} {done}", tally.done);
        for (why, count) in &tally.refused {
            text += &format!("\n{count} refused: {why}");
        }
        let value = || json!({ done: tally.done, "refused": tally.refused });
        Ok(Output::text(self.common.json, text, value).found(!tally.refused.is_empty()))
    }
}

#[derive(Debug, Clone, Args)]
pub struct Reconcile {
    /// The variants; without any, all whose gateways have a list.
    variants: Vec<String>,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

impl Reconcile {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let engine = payments.engine();
        let names = if self.variants.is_empty() {
            engine.able_variants(|it| it.gateway.supports_list().is_ok()).await?
        } else {
            self.variants
        };
        let mut table = Table::new(&["variant", "listed", "missing"]);
        let mut all = Vec::new();
        for name in names {
            let done = if self.acting.dry_run {
                engine.reconcilable(&name).await?
            } else {
                engine.reconcile_by(&name, self.acting.actor()).await?
            };
            table.row([name.clone(), done.listed.to_string(), done.found.to_string()]);
            all.push(json!({ "variant": name, "listed": done.listed, "missing": done.found }));
        }
        // The process ends before the counters would be written by themselves.
        engine.flush().await;
        Ok(Output::table(self.common.json, table, || json!({ "reconciled": all })))
    }
}

#[derive(Debug, Clone, Args)]
pub struct Refresh {
    /// The payment's token.
    token: String,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

impl Refresh {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let (engine, json, token) = (payments.engine(), self.common.json, self.token);
        let unknown = || Error::new(ErrorKind::NotFound, format!("there is no payment {token}"));
        let before = payments.payment(&token.as_str().into()).await?.ok_or_else(unknown)?;
        if self.acting.dry_run {
            let refused = |why: String| Error::new(ErrorKind::Refused, why);
            let variant = engine.load(&before.variant).await?;
            let variant = variant.ok_or_else(|| refused("no such variant here".to_owned()))?;
            variant.gateway.supports(Verb::Refresh).map_err(|why| refused(why.to_string()))?;
            let text = format!("would ask the gateway of {} about {token}", before.variant);
            return Ok(Output::text(json, text.clone(), || json!({ "would": text })));
        }
        let requester = Requester::Operator(self.acting.actor());
        let wanted = Wanted { requester, ..Wanted::by_host(Verb::Refresh) };
        let outcome = engine.operate(&token, wanted).await?;
        let after = payments.payment(&token.as_str().into()).await?.ok_or_else(unknown)?;
        let is_known = outcome == Outcome::Done;
        let text = match (is_known, before.status == after.status) {
            (false, _) => "the gateway did not answer; a worker asks again".to_owned(),
            (true, true) => format!("{token} is {}, as before", after.status),
            (true, false) => format!("{token} is {}, before {}", after.status, before.status),
        };
        let value = || json!({ "known": is_known, "before": before.status.as_str(), "status": after.status.as_str() });
        Ok(Output::text(json, text, value).found(!is_known))
    }
}

#[derive(Debug, Clone, Args)]
pub struct Prune {
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

impl Prune {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let (engine, json) = (payments.engine(), self.common.json);
        if self.acting.dry_run {
            let count = engine.prunable().await?;
            return Ok(Output::text(json, format!("{count} would be pruned"), || json!({ "prunable": count })));
        }
        let actor = self.acting.actor();
        // Written down before: what is pruned does not come back.
        let row = act("prune", &actor, None, None, engine.now());
        engine.write(move |tx| tx.add_act(&row)).await?;
        let pruned = payments.prune().await?;
        Ok(Output::text(json, format!("{pruned} pruned"), || json!({ "pruned": pruned })))
    }
}
