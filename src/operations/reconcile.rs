//! What did the gateway tell while nobody listened? Its own list of events is compared with the inbox, and what is
//! missing goes in, oldest first, the way of all events.

use std::sync::Arc;

use std::collections::HashSet;

use time::Duration;

use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Source};
use crate::engine::tally::MISSED;
use crate::engine::{Actor, act, reconcile_chore};
use crate::engine::{Engine, Variant};
use crate::error::{Error, ErrorKind};
use crate::gateways::GatewayError;
use crate::operations::observed::observed;
use crate::pipeline::row;
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::telemetry;

/// What came of comparing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciled {
    /// How many events the gateway listed.
    pub listed: usize,
    /// How many of them were missing here, and are in the inbox now.
    pub found: usize,
}

/// How far before the last time the list is read again: events may appear in it late.
const OVERLAP: Duration = Duration::hours(1);
/// How far back the list is read the first time.
const FIRST: Duration = Duration::hours(24);
/// How far back any gateway's list goes.
const LONGEST: Duration = Duration::days(30);
/// How long after it happened a delivery may still be under way.
const UNDER_WAY: Duration = Duration::minutes(5);
/// How many pages of the list are read at the most: what a gateway tells in a month at a busy account.
const PAGES: usize = 2_000;
/// How many events one transaction stores.
const BATCH: usize = 100;

impl Engine {
    /// Fetches the events of the variant that this database has not heard of, since the last time that this was done;
    /// the first time, of the last day. Only kinds that say something of payments or that a handler is for are taken.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant; `Gateway` when the gateway has no list or did not say; and what the database
    /// says.
    pub(crate) async fn reconcile(self: &Arc<Self>, variant: &str) -> Result<Reconciled, Error> {
        let unknown = || Error::new(ErrorKind::NotFound, format!("there is no variant {variant:?}"));
        let configured = self.variant(variant).ok_or_else(unknown)?;
        let (now, name) = (self.now(), reconcile_chore(variant));
        let (since, last) = self.reconciled_to(variant).await?;
        let compared = self.compare(variant, configured, since, true).await;
        if let (Ok((_, late)), Some(_)) = (&compared, last) {
            self.count(variant, MISSED, *late);
        }
        let compared = compared.map(|(done, _)| done);
        let (done_to, note) = match &compared {
            Ok(done) if done.found == 0 => (Some(now), format!("nothing was missing of {} events", done.listed)),
            Ok(done) => (Some(now), format!("{} of {} events were missing and were fetched", done.found, done.listed)),
            Err(error) => (None, error.to_string()),
        };
        let end = move |tx: &mut dyn Tx| {
            tx.claim_chore(&name, now, now)?;
            tx.note_failure(&name, now, done_to.is_none().then_some(&*note))?;
            tx.end_chore(&name, now, done_to, &note)
        };
        self.write(end).await?;
        compared
    }

    /// What [`Engine::reconcile`] would find. Changes nothing.
    #[cfg(feature = "cli")]
    pub(crate) async fn reconcilable(self: &Arc<Self>, variant: &str) -> Result<Reconciled, Error> {
        let unknown = || Error::new(ErrorKind::NotFound, format!("there is no variant {variant:?}"));
        let configured = self.variant(variant).ok_or_else(unknown)?;
        let (since, _) = self.reconciled_to(variant).await?;
        Ok(self.compare(variant, configured, since, false).await?.0)
    }

    /// From when on the list is to be read, and up to when it was.
    async fn reconciled_to(self: &Arc<Self>, variant: &str) -> Result<(Timestamp, Option<Timestamp>), Error> {
        let (now, name) = (self.now(), reconcile_chore(variant));
        let last = self.read(move |tx| Ok(tx.chore(&name)?.and_then(|chore| chore.done_to))).await?;
        Ok((last.map_or(now - FIRST, |done_to| (done_to - OVERLAP).max(now - LONGEST)), last))
    }

    /// The same for an operator, written down before.
    ///
    /// # Errors
    /// As those of [`Payments::reconcile`].
    pub(crate) async fn reconcile_by(self: &Arc<Self>, variant: &str, actor: Actor) -> Result<Reconciled, Error> {
        let act = NewAct { variant: Some(variant.to_owned()), ..act("reconcile", &actor, None, None, self.now()) };
        self.write(move |tx| tx.add_act(&act)).await?;
        self.reconcile(variant).await
    }

    /// Answers also how many of what was missing should have been delivered by now.
    async fn compare(
        self: &Arc<Self>,
        name: &str,
        variant: &Variant,
        since: Timestamp,
        takes: bool,
    ) -> Result<(Reconciled, usize), Error> {
        let told =
            |error| Error::new(ErrorKind::Gateway, format!("the events of {name} were not listed")).with_source(error);
        let kinds = variant.gateway.setup().kinds;
        let (mut done, mut missing, mut before) = (Reconciled::default(), Vec::new(), None::<Envelope>);
        let (mut ended, mut last) = (false, HashSet::new());
        for _ in 0..PAGES {
            let page = observed(name, "list", variant.gateway.list(since, before.as_ref())).await.map_err(told)?;
            done.listed += page.events.len();
            let ids: HashSet<String> = page.events.iter().map(|event| event.id.clone()).collect();
            if page.more && ids.is_subset(&last) {
                let found = if takes { missing.into_iter().rev().collect() } else { Vec::new() };
                self.take(name, found).await?;
                return Err(told(GatewayError::Malformed("its list doesn't go on from page to page".to_owned())));
            }
            last = ids;
            before = page.events.last().cloned();
            let wanted = |event: &Envelope| kinds.contains(&event.kind.as_str()) || self.handlers.wants(&event.kind);
            let wanted: Vec<Envelope> = page.events.into_iter().filter(wanted).collect();
            missing.extend(self.missing(name, wanted).await?);
            ended = !page.more;
            if ended {
                break;
            }
        }
        if !ended {
            let message = format!("the list of events of {name} is longer than can be read in one go");
            return Err(Error::new(ErrorKind::Gateway, message));
        }
        done.found = missing.len();
        missing.reverse();
        let under_way = self.now() - UNDER_WAY;
        let late = missing.iter().filter(|event| event.occurred_at.is_some_and(|at| at < under_way)).count();
        if takes {
            self.take(name, missing).await?;
            telemetry::reconciled(name, done.found);
        }
        Ok((done, late))
    }

    /// Those of the events that are not in the inbox.
    async fn missing(self: &Arc<Self>, variant: &str, events: Vec<Envelope>) -> Result<Vec<Envelope>, Error> {
        let (variant, ids) = (variant.to_owned(), events.iter().map(|event| event.id.clone()).collect::<Vec<_>>());
        let missing = self.read(move |tx| tx.missing_events(&variant, &ids)).await?;
        Ok(events.into_iter().filter(|event| missing.contains(&event.id)).collect())
    }

    async fn take(self: &Arc<Self>, variant: &str, events: Vec<Envelope>) -> Result<(), Error> {
        let now = self.now();
        // What can't be stored could not have been received either.
        let rows = events.into_iter().filter_map(|event| row(variant, event, Source::Listing, now).ok());
        let rows: Vec<_> = rows.collect();
        for batch in rows.chunks(BATCH).map(<[_]>::to_vec) {
            // One by one: a batch goes in sorted by id.
            let append = move |tx: &mut dyn Tx| {
                batch.iter().try_for_each(|event| tx.append(std::slice::from_ref(event)).map(drop))
            };
            self.write(append).await?;
        }
        self.notify();
        Ok(())
    }
}
