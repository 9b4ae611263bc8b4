//! What does a worker do from time to time, besides processing? It fetches what was missed, and asks about payments
//! that nobody has told of for long; once per database, however many processes there are.

use std::time::Duration;

use super::operate::{Asker, Wanted};
use super::{Payments, reconcile};
use crate::domain::later;
use crate::domain::payment::Status;
use crate::error::Error;
use crate::gateways::Verb;
use crate::store::Tx;
use crate::store::calls::Stale;

/// How often what was missed is fetched, and when payments are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chores {
    /// How often the gateway's list of events is compared with the inbox, besides at every start; `None` is never.
    /// Default 15 minutes.
    pub reconcile_every: Option<Duration>,
    /// From which age on a pending or authorized payment is asked about; `None` is never. Default 1 hour.
    pub refresh_after: Option<Duration>,
    /// From which age on, counted from its creation, an authorized payment is told of, in the overview and hourly in the log, because its
    /// authorization is about to end: at most gateways a card's stands for 7 days. `None` is never. Default 5 days.
    pub notice_authorized_after: Option<Duration>,
}

impl Default for Chores {
    fn default() -> Self {
        let minutes = |count: u64| Some(Duration::from_secs(count * 60));
        Self { reconcile_every: minutes(15), refresh_after: minutes(60), notice_authorized_after: minutes(5 * 24 * 60) }
    }
}

/// Several processes that start together compare once.
const START: Duration = Duration::from_secs(60);
/// How often stale payments are looked for, how many at a time, and how long one is left alone after it was asked about.
const LOOK: Duration = Duration::from_secs(300);
const AT_ONCE: i64 = 20;
const ALONE: Duration = Duration::from_secs(6 * 3600);
/// How often authorizations that are about to end are looked for, and how many of them the log names.
const NOTICE: Duration = Duration::from_secs(3600);
const NAMED: i64 = 5;
/// Up to which age: a checkout is open for a day, a card's authorization stands for a week or a month.
const PENDING: Duration = Duration::from_secs(8 * 86_400);
const AUTHORIZED: Duration = Duration::from_secs(32 * 86_400);

impl Payments {
    /// A worker has started: what was missed meanwhile is fetched at its next look.
    pub(crate) async fn chores_at_start(&self) -> Result<(), Error> {
        let now = self.now();
        let names: Vec<String> = self.variants().map(reconcile::chore).collect();
        let hurry = move |tx: &mut dyn Tx| names.iter().try_for_each(|name| tx.hurry_chore(name, now, now - START));
        self.blocking(move |inner| inner.store.transaction(hurry)).await
    }

    /// Does what is due.
    pub(crate) async fn chores(&self) -> Result<(), Error> {
        let chores = self.inner().chores;
        let callable = |name: &&String| self.variant(name).is_some_and(|it| it.gateway.supports(Verb::Refresh).is_ok());
        let names: Vec<String> = self.variants().map(str::to_owned).collect();
        for variant in names.iter().filter(callable) {
            if let Some(every) = chores.reconcile_every
                && self.is_mine(reconcile::chore(variant), every).await?
                && let Err(error) = self.reconcile(variant).await
            {
                log::warn!("payments: {variant} was not reconciled: {error}");
            }
            if let Some(after) = chores.refresh_after
                && self.is_mine(format!("refresh:{variant}"), LOOK).await?
            {
                self.ask_about_stale(variant, after).await?;
            }
        }
        match chores.notice_authorized_after {
            Some(after) if self.is_mine("authorized".to_owned(), NOTICE).await? => self.notice_authorized(after).await,
            _ => Ok(()),
        }
    }

    async fn notice_authorized(&self, after: Duration) -> Result<(), Error> {
        let before = self.now() - after;
        for (token, at) in self.read(move |tx| tx.authorized_before(before, NAMED)).await? {
            log::warn!("payments: payment={token} was authorized on {}: capture or cancel it", at.date());
        }
        Ok(())
    }

    /// Whether the chore is due and this process is the one to do it.
    async fn is_mine(&self, name: String, every: Duration) -> Result<bool, Error> {
        let now = self.now();
        let due = self.read({
            let name = name.clone();
            move |tx| tx.chore(&name)
        });
        // Most looks end here, without a write.
        if due.await?.is_some_and(|chore| chore.due_at > now) {
            return Ok(false);
        }
        let claim = move |tx: &mut dyn Tx| Ok(tx.claim_chore(&name, now, later(now, every))?.is_some());
        self.blocking(move |inner| inner.store.transaction(claim)).await
    }

    async fn ask_about_stale(&self, variant: &str, after: Duration) -> Result<(), Error> {
        let now = self.now();
        let name = variant.to_owned();
        let stale = self.read(move |tx| {
            let mut tokens = Vec::new();
            for (status, oldest) in [(Status::Pending, PENDING), (Status::Authorized, AUTHORIZED)] {
                tokens.extend(tx.stale_payments(&Stale {
                    variant: &name,
                    status: status.as_str(),
                    created_after: now - oldest,
                    created_before: now - after,
                    asked: now - ALONE,
                    limit: AT_ONCE,
                })?);
            }
            Ok(tokens)
        });
        for token in stale.await? {
            let wanted = Wanted { asker: Asker::Worker, ..Wanted::by_host(Verb::Refresh) };
            if let Err(error) = self.operate(&token, wanted).await {
                log::info!("payments: payment={token} was asked about: {error}");
            }
        }
        Ok(())
    }
}
