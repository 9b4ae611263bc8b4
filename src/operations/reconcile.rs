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

/// The result of comparing the gateway's list with the inbox.
///
/// [`Payments::reconcile`](crate::Payments::reconcile) returns it and has an example.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciled {
    /// How many events the gateway listed.
    pub listed: usize,
    /// How many of them were missing here, and are in the inbox now.
    pub found: usize,
}

/// What was missing and was stored.
#[derive(Debug, Default)]
struct Taken {
    is_wanted: bool,
    events: usize,
    /// Those that should have been delivered by then.
    late: usize,
}

/// How far before the last time the list is read again: events may appear in it late.
const OVERLAP: Duration = Duration::hours(1);
/// How far back the list is read the first time.
const FIRST: Duration = Duration::hours(24);
/// How far back any gateway's list goes.
const LONGEST: Duration = Duration::days(30);
/// How long after it happened a delivery may still be under way.
const UNDER_WAY: Duration = Duration::minutes(5);
/// How many pages of the list are read at the most: no list is as long.
const PAGES: usize = 20_000;
/// How many missing events are held before they are stored, those read first: a list may have millions.
const HELD: usize = 5_000;
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
        let configured = self.known_variant(variant).await?;
        let (now, name) = (self.now(), reconcile_chore(variant));
        let (since, last) = self.reconciled_to(variant).await?;
        let mut taken = Taken { is_wanted: true, ..Taken::default() };
        let compared = self.compare(variant, &configured, since, &mut taken).await;
        // What was stored counts also where the list broke off after it: the next turn knows these.
        telemetry::reconciled(self.label(variant), taken.events);
        if last.is_some() {
            self.count(variant, MISSED, taken.late);
        }
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
        let configured = self.known_variant(variant).await?;
        let (since, _) = self.reconciled_to(variant).await?;
        self.compare(variant, &configured, since, &mut Taken::default()).await
    }

    /// From when on the list is to be read, and up to when it was.
    async fn reconciled_to(self: &Arc<Self>, variant: &str) -> Result<(Timestamp, Option<Timestamp>), Error> {
        let (now, name) = (self.now(), reconcile_chore(variant));
        let last = self.read(move |tx| Ok(tx.chore(&name)?.and_then(|chore| chore.done_to))).await?;
        let since = match last {
            None => now - FIRST,
            // By a clock that was wrong: nobody knows since when.
            Some(done_to) if done_to > now => now - LONGEST,
            Some(done_to) => (done_to - OVERLAP).max(now - LONGEST),
        };
        Ok((since, last))
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

    /// Compares the list with the inbox, page by page, and stores what is missing, where that is wanted.
    async fn compare(
        self: &Arc<Self>,
        name: &str,
        variant: &Variant,
        since: Timestamp,
        taken: &mut Taken,
    ) -> Result<Reconciled, Error> {
        let told =
            |error| Error::new(ErrorKind::Gateway, format!("the events of {name} were not listed")).with_source(error);
        let kinds = variant.gateway.setup().kinds;
        let (mut done, mut missing) = (Reconciled::default(), Vec::new());
        let (mut before, mut last) = (None::<Envelope>, HashSet::new());
        for _ in 0..PAGES {
            let page = match observed(self, name, "list", variant.gateway.list(since, before.as_ref())).await {
                Ok(page) => page,
                Err(error) => {
                    self.take(name, missing, taken).await?;
                    return Err(told(error));
                }
            };
            done.listed += page.events.len();
            let ids: HashSet<String> = page.events.iter().map(|event| event.id.clone()).collect();
            if page.more && ids.is_subset(&last) {
                self.take(name, missing, taken).await?;
                return Err(told(GatewayError::Malformed("its list doesn't go on from page to page".to_owned())));
            }
            last = ids;
            before = page.events.last().cloned();
            let wanted = |event: &Envelope| kinds.contains(&event.kind.as_str()) || self.handlers.wants(&event.kind);
            let wanted: Vec<Envelope> = page.events.into_iter().filter(wanted).collect();
            let found = self.missing(name, wanted).await?;
            done.found += found.len();
            missing.extend(found);
            if !page.more || missing.len() >= HELD {
                self.take(name, std::mem::take(&mut missing), taken).await?;
            }
            if !page.more {
                return Ok(done);
            }
        }
        Err(told(GatewayError::Malformed("its list has no end".to_owned())))
    }

    /// Those of the events that are not in the inbox.
    async fn missing(self: &Arc<Self>, variant: &str, events: Vec<Envelope>) -> Result<Vec<Envelope>, Error> {
        let (variant, ids) = (variant.to_owned(), events.iter().map(|event| event.id.clone()).collect::<Vec<_>>());
        let missing = self.read(move |tx| tx.missing_events(&variant, &ids)).await?;
        Ok(events.into_iter().filter(|event| missing.contains(&event.id)).collect())
    }

    /// Stores these events, of which the newest is the first, where that is wanted.
    async fn take(self: &Arc<Self>, variant: &str, events: Vec<Envelope>, taken: &mut Taken) -> Result<(), Error> {
        if !taken.is_wanted {
            return Ok(());
        }
        let now = self.now();
        let is_late = |event: &&Envelope| event.occurred_at.is_some_and(|at| at < now - UNDER_WAY);
        let (count, late) = (events.len(), events.iter().filter(is_late).count());
        // What can't be stored could not have been received either.
        let rows = events.into_iter().rev().filter_map(|event| row(variant, event, Source::Listing, now).ok());
        let rows: Vec<_> = rows.collect();
        for batch in rows.chunks(BATCH).map(<[_]>::to_vec) {
            // One by one: a batch goes in sorted by id.
            let engine = self.clone();
            let append = move |tx: &mut dyn Tx| {
                batch.iter().try_for_each(|event| engine.append_reduced(tx, std::slice::from_ref(event)))
            };
            self.write(append).await?;
        }
        (taken.events, taken.late) = (taken.events + count, taken.late + late);
        self.notify();
        Ok(())
    }
}
