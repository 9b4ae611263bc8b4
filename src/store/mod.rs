//! What do payments need from a database? [`Store`] opens transactions, [`Tx`] is what can be said in one: one
//! method a verb. Which database answers is known below this file only; what the answers mean, above it.

mod address;
pub(crate) mod alarms;
pub(crate) mod any;
pub(crate) mod audit;
mod backend;
pub(crate) mod bodies;
pub(crate) mod books;
pub(crate) mod calls;
pub(crate) mod checkup;
pub(crate) mod chores;
mod data_file;
pub(crate) mod database;
pub(crate) mod dialect;
pub(crate) mod disputes;
pub(crate) mod drift;
mod failure;
pub(crate) mod failures;
pub(crate) mod fetches;
pub(crate) mod filters;
pub(crate) mod growth;
pub(crate) mod migrations;
pub(crate) mod persons;
mod pools;
#[cfg(feature = "postgres")]
mod postgres;
pub(crate) mod pulse;
pub(crate) mod registry;
pub(crate) mod replication;
pub(crate) mod rows;
#[cfg(all(feature = "postgres", feature = "testing"))]
pub(crate) mod server;
pub(crate) mod sets;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
pub(crate) mod subscription_calls;
pub(crate) mod subscriptions;
pub(crate) mod threads;
pub(crate) mod told;
pub(crate) mod typed;
pub(crate) mod variants;
pub(crate) mod words;
pub(crate) mod writer;

use std::any::Any;
use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::fact::Fact;
use crate::domain::id::{EventId, PaymentId};
use crate::domain::scope::Scope;
use crate::error::{Error, ErrorKind};
use alarms::Alarms;
use audit::*;
use bodies::Bodies;
use books::Books;
use calls::*;
use checkup::Checkup;
use chores::Chores;
use disputes::Disputes;
use drift::Comparisons;
use failures::Failures;
use fetches::Fetches;
use filters::*;
use growth::Growth;
use migrations::Migration;
use persons::Persons;
use pulse::Silence;
use registry::Registry;
use replication::Replication;
use rows::*;
use sets::Sets;
use subscription_calls::SubscriptionOperations;
use subscriptions::Subscriptions;
use variants::VariantNames;
use words::Words;

/// What runs inside a transaction. It may run again when a concurrent change came first.
pub(crate) type Work<'a> = &'a mut dyn FnMut(&mut dyn Tx) -> Result<(), Error>;

/// A database that payments live in.
pub(crate) trait Store: Send + Sync {
    /// Brings the `pay_` tables up to this release.
    fn migrate(&self) -> Result<(), Error>;
    /// The steps that make the tables, and whether each was taken.
    fn migrations(&self) -> Result<Vec<Migration>, Error>;
    /// Connects anew: connections have turned out to be silent.
    fn reconnect(&self);
    /// When that was done.
    fn silence(&self) -> Arc<Silence>;
    /// How many transactions with much to do are worth being under way at a time.
    fn lanes(&self) -> usize;
    /// Runs `work` on a connection; what it reads is not one snapshot.
    fn read(&self, work: Work<'_>) -> Result<(), Error>;
    /// Runs `work` in one transaction, durable once this returns `Ok`.
    fn write(&self, work: Work<'_>) -> Result<(), Error>;
    /// Overwrites what is left of deleted rows where the database keeps such; answers what is left to do, a sentence.
    fn scour(&self) -> Result<Option<&'static str>, Error>;
    /// Looks whether the file that was opened is still in its place, where the database is in one.
    fn in_place(&self) -> Result<(), Error>;
}

impl dyn Store + '_ {
    /// [`Store::read`] with a result.
    pub(crate) fn ask<T>(&self, mut work: impl FnMut(&mut dyn Tx) -> Result<T, Error>) -> Result<T, Error> {
        let mut answer = None;
        self.read(&mut |tx| work(tx).map(|value| answer = Some(value)))?;
        answer.ok_or_else(no_answer)
    }

    /// [`Store::write`] with a result.
    pub(crate) fn transaction<T>(&self, mut work: impl FnMut(&mut dyn Tx) -> Result<T, Error>) -> Result<T, Error> {
        let mut answer = None;
        self.write(&mut |tx| work(tx).map(|value| answer = Some(value)))?;
        answer.ok_or_else(no_answer)
    }
}

fn no_answer() -> Error {
    Error::new(ErrorKind::Storage, "the transaction ended without an answer")
}

/// What can be said in a transaction.
pub(crate) trait Tx:
    Intake
    + Sets
    + Events
    + Bodies
    + Books
    + Payments
    + Persons
    + Subscriptions
    + SubscriptionOperations
    + Attempts
    + Operations
    + Fetches
    + Growth
    + Chores
    + Registry
    + Lists
    + Browse
    + Hours
    + Acts
    + Alarms
    + Comparisons
    + Disputes
    + Replication
    + Checkup
    + Words
    + Failures
    + VariantNames
{
    /// Lends the host's own connection type to a handler in the transaction. When it panics, this is its last word.
    fn lend(&mut self, run: &mut dyn FnMut(&mut dyn Any)) -> Result<(), String>;
}

/// Taking events in.
pub(crate) trait Intake {
    /// Stores what is new and counts the deliveries of what is known; answers in the order given.
    fn append(&mut self, events: &[NewEvent]) -> Result<Vec<Appended>, Error>;
    /// Adds to the counters.
    fn count(&mut self, counts: &[(Counter, Count)]) -> Result<(), Error>;
}

/// Moving events through their states.
pub(crate) trait Events {
    /// Links an event to the payment that it is about, before it is processed.
    fn assign(&mut self, event: EventId, payment: PaymentId, matched_by: &str) -> Result<(), Error>;
    /// Makes an event available again, from its first attempt; `false` when it is running or unknown.
    fn requeue(&mut self, event: EventId, now: Timestamp) -> Result<bool, Error>;
    /// Gives up an event that waits; `false` when it doesn't.
    fn discard(&mut self, event: EventId, outcome: &str, now: Timestamp) -> Result<bool, Error>;
    /// The events of a payment with their bodies, oldest first; those whose bodies were pruned are left out.
    fn recorded_of(&mut self, payment: PaymentId) -> Result<Vec<Claimed>, Error>;
    /// One event with its body.
    fn recorded(&mut self, event: EventId) -> Result<Option<Claimed>, Error>;
    /// How many events of a payment have lost their bodies; operators' orders say nothing of it and don't count.
    fn pruned_of(&mut self, payment: PaymentId) -> Result<i64, Error>;
}

/// Payments and what they are made of.
pub(crate) trait Payments {
    /// Adds a payment.
    fn insert_payment(&mut self, payment: &PaymentDraft) -> Result<PaymentRow, Error>;
    /// The payment that was created under this key of the host's, and where its customer was sent.
    fn created_under(&mut self, key: &str) -> Result<Option<(PaymentRow, Option<String>)>, Error>;
    /// Keeps that a payment was created under this key.
    ///
    /// # Errors
    /// `Conflict` when another was, meanwhile.
    fn keep_creation(&mut self, key: &str, payment: PaymentId) -> Result<(), Error>;
    /// Keeps where the customer of the payment that was created under this key was sent.
    fn creation_started(&mut self, key: &str, address: &str) -> Result<(), Error>;
    /// The payment with this token.
    fn payment_by_token(&mut self, token: &str) -> Result<Option<PaymentRow>, Error>;
    /// The payment with this id.
    fn payment(&mut self, id: PaymentId) -> Result<Option<PaymentRow>, Error>;
    /// The references of a payment.
    fn references_of(&mut self, payment: PaymentId) -> Result<Vec<String>, Error>;
    /// Empties a payment's ledger, to be written anew.
    fn clear_ledger(&mut self, payment: PaymentId) -> Result<(), Error>;
    /// Moves everything of one payment to another and leaves a sign at the first.
    fn absorb(&mut self, from: PaymentId, into: PaymentId, now: Timestamp) -> Result<(), Error>;
}

/// What gateways are asked to do.
pub(crate) trait Operations {
    /// Adds an operation that is underway.
    fn add_operation(&mut self, operation: &NewOperation) -> Result<OperationRow, Error>;
    /// Takes the operation of one of these variants that is due first, its end not known, for another try until
    /// `until`; one of this payment if one is given.
    fn claim_operation(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        variants: &[String],
        payment: Option<PaymentId>,
    ) -> Result<Option<OperationRow>, Error>;
    /// Writes what came of this try, unless another has begun meanwhile; that it is done counts whoever says so. Answers
    /// whether it was written.
    fn settle_operation(&mut self, tried: &OperationRow, end: &OperationEnd) -> Result<bool, Error>;
    /// The operation with this idempotency key.
    fn operation_under(&mut self, key: &str) -> Result<Option<OperationRow>, Error>;
    /// The operations of a payment, and of those that it absorbed, that act or whose end is not known, and the newest
    /// that was done to refresh it.
    fn open_operations(&mut self, payment: PaymentId) -> Result<Vec<OperationRow>, Error>;
    /// The operations of a payment, newest first.
    fn operations_of(&mut self, payment: PaymentId) -> Result<Vec<OperationRow>, Error>;
}

/// What happened lately, without counting over history.
pub(crate) trait Hours {
    /// What the counters add up to from the hour of `since` to before that of `until`.
    fn sums(&mut self, since: Timestamp, until: Timestamp) -> Result<Vec<Sum>, Error>;
    /// How often each of three sets of outcomes was counted from each bound to before the next.
    fn series(&mut self, bounds: &[Timestamp], outcomes: [&[&str]; 3], scope: &Scope) -> Result<Vec<[i64; 3]>, Error>;
    /// The event of this variant that came last.
    fn last_event_of(&mut self, variant: &str) -> Result<Option<EventRow>, Error>;
    /// The event that came first of those that are parked and that nothing but a payment wakes.
    fn first_parked(&mut self) -> Result<Option<EventRow>, Error>;
    /// What the events have in common that failed at this many attempts and wait for another, and when each was received,
    /// in the order of their ids, up to `cap`.
    fn failing(&mut self, attempts: u32, cap: i64) -> Result<Vec<(Option<String>, Timestamp)>, Error>;
    /// When the events were due that were due before `at`, the earliest first, up to `cap`.
    fn overdue(&mut self, at: Timestamp, cap: i64) -> Result<Vec<Timestamp>, Error>;
    /// The variants of the `cap` events that were due first before `at`, and when the first of each was due.
    #[cfg(feature = "metrics")]
    fn oldest_due(&mut self, at: Timestamp, cap: i64) -> Result<Vec<(String, Timestamp)>, Error>;
    /// When the newest payments of this variant were created that the host asked for before `at`, up to `cap`.
    fn creations(&mut self, variant: &str, at: Timestamp, cap: i64) -> Result<Vec<Timestamp>, Error>;
}

/// What lists are made of; which stream serves a list best is decided above.
pub(crate) trait Lists {
    /// The ids of the payments that match, of those in the window of a stream, in the order of the list: by amount
    /// or by id. A stream of another order than the list's is looked at from its beginning, and then sorted.
    fn payment_ids(
        &mut self,
        stream: &PaymentStream,
        rest: &PaymentFilter,
        window: &Window,
        by_amount: bool,
        limit: i64,
    ) -> Result<Vec<PaymentId>, Error>;
    /// The last payment that a window of this stream takes in, if it does not take in all.
    fn payment_reach(&mut self, stream: &PaymentStream, window: &Window) -> Result<Option<PaymentId>, Error>;
    /// These payments, in any order.
    fn payments_of(&mut self, ids: &[PaymentId]) -> Result<Vec<PaymentRow>, Error>;
    /// The tokens of these payments.
    fn tokens_of(&mut self, ids: &[PaymentId]) -> Result<Vec<(PaymentId, String)>, Error>;
    /// The accounts of those that have one other than the merchant's own.
    fn accounts_of(&mut self, ids: &[PaymentId]) -> Result<Vec<(PaymentId, String)>, Error>;
    /// Where a payment stands in the order of amounts.
    fn amount_key(&mut self, id: PaymentId) -> Result<Option<AmountKey>, Error>;
    /// The payments that `text` names: by token, gateway ref or account, or by the beginning of its reference or customer;
    /// `whole`: by no beginnings. Up to `cap` by each.
    fn find_payments(
        &mut self,
        text: &str,
        whole: bool,
        variants: &[String],
        cap: i64,
    ) -> Result<Vec<PaymentId>, Error>;
    /// The payments with this reference of the host's, the newest up to `cap`.
    fn payments_with_reference(&mut self, reference: &str, cap: i64) -> Result<Vec<PaymentId>, Error>;
    /// The currencies in which there are payments.
    fn currencies(&mut self, cap: i64) -> Result<Vec<String>, Error>;
    /// When the first payments from each of these ids on were created.
    fn payment_times(&mut self, ids: &[i64]) -> Result<Vec<Option<Timestamp>>, Error>;
    /// The highest id of a payment.
    fn last_payment(&mut self) -> Result<Option<PaymentId>, Error>;

    /// As [`Lists::payment_ids`], of several streams at once: the ids of each, in no order.
    fn event_ids(
        &mut self,
        streams: &[EventStream],
        rest: &EventFilter,
        window: &Window,
        limit: i64,
    ) -> Result<Vec<Vec<EventId>>, Error>;
    /// As [`Lists::payment_reach`], of each stream whose events a window does not all take in.
    fn event_reach(&mut self, streams: &[EventStream], window: &Window) -> Result<Vec<EventId>, Error>;
    /// These events, in any order.
    fn events_with(&mut self, ids: &[EventId]) -> Result<Vec<EventRow>, Error>;
    /// The events that `text` names: by their id, any reference, or a payment's token or reference. Up to `cap` by
    /// each.
    fn find_events(&mut self, text: &str, variants: &[String], cap: i64) -> Result<Vec<EventId>, Error>;
    /// The kinds that begin so.
    fn kinds(&mut self, beginning: &str, cap: i64) -> Result<Vec<String>, Error>;
    /// When the first events from each of these ids on were received.
    fn event_times(&mut self, ids: &[i64]) -> Result<Vec<Option<Timestamp>>, Error>;
    /// The highest id of an event.
    fn last_event(&mut self) -> Result<Option<EventId>, Error>;

    /// How many payments are in each stream, counted up to `cap`.
    fn count_payments(&mut self, streams: &[PaymentStream], cap: i64) -> Result<Vec<i64>, Error>;
    /// How many events are in each stream, counted up to `cap`.
    fn count_events(&mut self, streams: &[EventStream], cap: i64) -> Result<Vec<i64>, Error>;
}

/// What the pages of one payment and one event read.
pub(crate) trait Browse {
    /// One event.
    fn event(&mut self, id: EventId) -> Result<Option<EventRow>, Error>;
    /// An event's headers (JSON) and body.
    fn body(&mut self, event: EventId) -> Result<Option<(String, Vec<u8>)>, Error>;
    /// What an event said when it was processed, in words, and its facts with what each did (JSON).
    fn event_facts(&mut self, event: EventId) -> Result<Option<(String, String)>, Error>;
    /// The ids by which an event names its payment.
    fn event_references(&mut self, event: EventId) -> Result<Vec<String>, Error>;
    /// The attempts of these events, newest first.
    fn attempts_of(&mut self, events: &[EventId]) -> Result<Vec<AttemptRow>, Error>;
    /// The events of a payment, newest first.
    fn events_of(&mut self, payment: PaymentId, cap: i64) -> Result<Vec<EventRow>, Error>;
    /// The transitions of a payment, newest first.
    fn transitions_of(&mut self, payment: PaymentId) -> Result<Vec<TransitionRow>, Error>;
    /// The acts on a payment and on its events, newest first.
    fn acts_of(&mut self, payment: PaymentId) -> Result<Vec<ActRow>, Error>;
    /// The acts on an event, newest first.
    fn acts_on(&mut self, event: EventId) -> Result<Vec<ActRow>, Error>;
    /// The token of the payment that is next to this one, of the same customer or of all.
    fn beside(&mut self, payment: PaymentId, customer: Option<&str>, newer: bool) -> Result<Option<String>, Error>;
    /// The adopted payments that turned out to be this one.
    fn absorbed_by(&mut self, payment: PaymentId) -> Result<Vec<PaymentRow>, Error>;
    /// The ledger of a payment as it is stored.
    fn facts_of(&mut self, payment: PaymentId) -> Result<Vec<Fact>, Error>;
}
