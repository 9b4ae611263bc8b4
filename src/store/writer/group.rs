//! What is written in one transaction, and who waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::message::{Answer, Message, bytes_of};
use crate::domain::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::store::rows::{Appended, Claim, Count, Counter, NewAttempt, NewEvent};
use crate::store::sets::Settled;
use crate::store::{Store, Tx};

#[derive(Default)]
pub(super) struct Group {
    events: Vec<NewEvent>,
    bytes: usize,
    deliveries: Vec<(usize, Answer<Vec<Appended>>)>,
    records: Vec<(Option<NewAttempt>, Option<Settled>, Answer<bool>)>,
    renewals: Vec<(Claim, Timestamp, Answer<bool>)>,
    flushes: Vec<oneshot::Sender<()>>,
    pub(super) counts: Vec<(Counter, Count)>,
}

/// What came of it.
#[derive(Default)]
struct Written {
    appended: Vec<Appended>,
    /// Of each record that settles an event, whether that was still held.
    held: Vec<bool>,
    renewed: Vec<Claim>,
}

impl Group {
    pub(super) fn add(&mut self, message: Message) {
        match message {
            Message::Store(events, answer) => {
                self.bytes += bytes_of(&events);
                self.deliveries.push((events.len(), answer));
                self.events.extend(events);
            }
            Message::Record(attempt, settled, answer) => self.records.push((attempt, settled, answer)),
            Message::Renew(claim, until, answer) => self.renewals.push((claim, until, answer)),
            Message::Count => {}
            Message::Flush(done) => self.flushes.push(done),
        }
    }

    /// How many events and records it has.
    pub(super) fn size(&self) -> usize {
        self.events.len() + self.records.len()
    }

    /// How many bytes its deliveries have.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn deliveries(&self) -> usize {
        self.deliveries.len()
    }

    pub(super) fn is_flush(&self) -> bool {
        !self.flushes.is_empty()
    }

    /// All together, with the counters that are due, so that these cost no commit of their own. When that fails
    /// for a reason of the data, each for itself, so that a poisoned one does not fail its neighbours. Answers the
    /// counters that were not written.
    pub(super) fn write(self, store: &dyn Store) -> Vec<(Counter, Count)> {
        let is_empty = self.size() == 0 && self.renewals.is_empty() && self.counts.is_empty();
        let together = if is_empty { Ok(Written::default()) } else { unwound(|| store.transaction(|tx| self.say(tx))) };
        match together {
            Ok(written) => {
                self.answer(written);
                Vec::new()
            }
            Err(error) => {
                error.report(format_args!("{} events and results were not stored together", self.size()));
                self.alone(store, !error.is_retryable())
            }
        }
    }

    fn say(&self, tx: &mut dyn Tx) -> Result<Written, Error> {
        tx.count(&self.counts)?;
        let appended = if self.events.is_empty() { Vec::new() } else { tx.append(&self.events)? };
        let attempts: Vec<NewAttempt> = self.records.iter().filter_map(|(attempt, ..)| attempt.clone()).collect();
        tx.add_attempts(&attempts)?;
        let settled: Vec<Settled> = self.records.iter().filter_map(|(_, settled, _)| settled.clone()).collect();
        let held = tx.settle_events(&settled)?;
        let mut renewed = Vec::new();
        if let Some(until) = self.renewals.iter().map(|(_, until, _)| *until).max() {
            let claims: Vec<Claim> = self.renewals.iter().map(|(claim, ..)| *claim).collect();
            renewed = tx.renew(&claims, until)?;
        }
        Ok(Written { appended, held, renewed })
    }

    fn answer(self, written: Written) {
        let (mut appended, mut held) = (written.appended.into_iter(), written.held.into_iter());
        for (count, answer) in self.deliveries {
            let _ = answer.send(Ok(appended.by_ref().take(count).collect()));
        }
        for (_, settled, answer) in self.records {
            let is_held = settled.is_none() || held.next().unwrap_or(false);
            let _ = answer.send(Ok(is_held));
        }
        for (claim, _, answer) in self.renewals {
            let _ = answer.send(Ok(written.renewed.contains(&claim)));
        }
        for done in self.flushes {
            let _ = done.send(());
        }
    }

    /// Each for itself if that is worth a try; what is not stored is told so. A database that goes away meanwhile is not
    /// waited for by each of them.
    fn alone(self, store: &dyn Store, mut is_worth_it: bool) -> Vec<(Counter, Count)> {
        let refused = || Error::new(ErrorKind::Unavailable, "the database did not take it");
        let mut rest = self.events.into_iter();
        for (count, answer) in self.deliveries {
            let mine: Vec<NewEvent> = rest.by_ref().take(count).collect();
            let stored =
                if is_worth_it { unwound(|| store.transaction(|tx| tx.append(&mine))) } else { Err(refused()) };
            is_worth_it &= !stored.as_ref().is_err_and(Error::is_retryable);
            let _ = answer.send(stored);
        }
        for (attempt, settled, answer) in self.records {
            let write = |tx: &mut dyn Tx| {
                tx.add_attempts(attempt.as_slice())?;
                Ok(tx.settle_events(settled.as_slice())?.into_iter().all(|held| held))
            };
            let written = if is_worth_it { unwound(|| store.transaction(write)) } else { Err(refused()) };
            is_worth_it &= !written.as_ref().is_err_and(Error::is_retryable);
            let _ = answer.send(written);
        }
        for (.., answer) in self.renewals {
            let _ = answer.send(Err(refused()));
        }
        for done in self.flushes {
            let _ = done.send(());
        }
        self.counts
    }
}

/// A panic below must not end the writer: those who wait are told that it failed.
fn unwound<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Storage, "the database's driver panicked")))
}
