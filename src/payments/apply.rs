//! What does one event do? Match it, merge its facts, derive the state, record the transition, run the handlers in
//! the transaction, and say what became of it. This is the only place where a payment's status is written.

use super::builder::Unmatched;
use super::handler::{HandlerError, Transition};
use super::matching::{self, Match};
use super::payment::{self, Payment};
use super::reading::{ModeMatch, ambiguity};
use super::settle::{self, Ended, Trouble};
use super::tally::Moved;
use super::{Payments, adopt};
use crate::domain::event::{EventState, Interpretation};
use crate::domain::payment::{Status, derive};
use crate::domain::{Timestamp, explain, later};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::{Claimed, NewTransition, PaymentRow, TransitionRow, Verdict};

/// The work on one event.
pub(super) struct Step<'a> {
    pub(super) payments: &'a Payments,
    pub(super) tx: &'a mut dyn Tx,
    pub(super) event: &'a Claimed,
    pub(super) interpretation: &'a Interpretation,
    pub(super) now: Timestamp,
    /// What a handler in the transaction refused with.
    pub(super) trouble: Option<Trouble>,
    /// The money that it moved.
    pub(super) moved: Moved,
}

impl Step<'_> {
    pub(super) fn run(&mut self, mode: ModeMatch) -> Result<Ended, Error> {
        let row = &self.event.row;
        if mode == ModeMatch::Ignore {
            let why = "of the other mode than this variant is for, so it changes nothing";
            return self.settle(EventState::Ignored, "other_mode", why.to_owned());
        }
        let found = matching::find(self.tx, &row.variant, &self.interpretation.references)?;
        match found {
            Some(found) => self.apply(found),
            None if self.interpretation.facts.is_empty() => self.says_nothing(),
            None => self.unmatched(),
        }
    }

    /// No payment, and nothing that would change one.
    fn says_nothing(&mut self) -> Result<Ended, Error> {
        let summary = self.interpretation.summary.clone();
        match self.payments.inner().handlers.wants(&self.event.row.kind) {
            true => self.hand_over(EventState::Completed, "handled", summary, Vec::new()),
            false => self.settle(EventState::Ignored, "nothing_to_do", summary),
        }
    }

    /// Facts, but no payment to put them to.
    fn unmatched(&mut self) -> Result<Ended, Error> {
        let row = &self.event.row;
        let unknown = || Error::new(ErrorKind::NotFound, format!("no variant {:?} is configured here", row.variant));
        let variant = self.payments.variant(&row.variant).ok_or_else(unknown)?;
        let named = matching::all(&self.interpretation.references).join(", ");
        let summary = &self.interpretation.summary;
        match variant.unmatched {
            Unmatched::Ignore => {
                let why = format!("{summary}; no payment here bears {named}, and such events are to be ignored");
                self.settle(EventState::Ignored, "unmatched", why)
            }
            Unmatched::Adopt if self.event.was_parked || variant.grace.is_zero() => self.adopt(),
            policy => {
                let until = (policy == Unmatched::Adopt).then(|| later(row.received_at.max(self.now), variant.grace));
                let then = if until.is_some() { "; after the grace time it is adopted" } else { "" };
                let outcome = format!("{summary}; waits until a payment bears one of {named}{then}");
                let parked = EventState::Parked;
                let verdict = Verdict { state: parked, code: "parked", outcome, due_at: until, finished_at: None };
                self.tx.settle(self.event.claim(), &verdict)?;
                Ok(Ended::Settled(parked))
            }
        }
    }

    fn adopt(&mut self) -> Result<Ended, Error> {
        let row = &self.event.row;
        let payment = adopt::adopt(self.tx, &row.variant, self.interpretation, row.livemode, self.now)?;
        let matched_by = matching::linkable(&self.interpretation.references).into_iter().next().unwrap_or_default();
        self.apply(Match { payment, matched_by, same: Vec::new(), ambiguous: false })
    }

    /// Merges the facts into the payment's ledger and stores what follows from it.
    fn apply(&mut self, found: Match) -> Result<Ended, Error> {
        let Match { payment: mut row, matched_by, same, ambiguous } = found;
        for adopted in &same {
            adopt::absorb(self.tx, adopted, &row, self.now)?;
            self.moved.take(adopted, self.now);
        }
        self.link(&row, &matched_by)?;
        let before = payment::state(&row)?;
        let mut ledger = self.tx.ledger(row.id)?;
        let mut facts = self.interpretation.facts.clone();
        if ambiguous {
            facts.push(ambiguity(self.event));
        }
        let mut changed = !same.is_empty();
        for fact in &facts {
            if ledger.merge(fact.clone()) {
                self.tx.keep_fact(row.id, fact)?;
                changed = true;
            }
        }
        let after = derive(payment::terms(&row)?, &ledger);
        let (code, why) = match facts.is_empty() {
            true => ("noted", self.interpretation.summary.clone()),
            false => {
                let (code, why) = explain::why(&before, &after, changed, &facts);
                (code, format!("{}; {why}", self.interpretation.summary))
            }
        };
        self.moved.take(&row, self.now);
        let learned = self.learn(&mut row);
        if before != after || changed || learned {
            payment::put(&mut row, &after);
            self.tx.save_payment(&row, self.now)?;
            row.version += 1;
        }
        self.moved.put(&row, self.now);
        let stepped =
            (before.status, before.disputed, &before.concerns) != (after.status, after.disputed, &after.concerns);
        if stepped {
            self.transition(&row, before.status, &why)?;
        }
        let transitions = self.transitions(&row)?;
        if stepped && !self.in_transaction(transitions.last())? {
            return Err(Error::new(ErrorKind::Refused, "a handler in the transaction refused"));
        }
        // What an earlier attempt of this event applied is still what came of it.
        match (code, transitions.last()) {
            ("no_change", Some(earlier)) => {
                let cause = earlier.cause.clone();
                self.hand_over(EventState::Completed, "applied", cause, transitions)
            }
            _ => self.hand_over(EventState::Completed, code, why, transitions),
        }
    }

    /// Links the event and all that it names to the payment, and wakes the events that waited for one of them.
    fn link(&mut self, payment: &PaymentRow, matched_by: &str) -> Result<(), Error> {
        let (id, variant) = (self.event.row.id, &self.event.row.variant);
        self.tx.assign(id, payment.id, Some(matched_by))?;
        let refs = matching::linkable(&self.interpretation.references);
        self.tx.link(variant, &refs, payment.id)?;
        if self.tx.wake(variant, &refs, self.now)? > 0 {
            self.payments.inner().ring();
        }
        Ok(())
    }

    /// Takes over what the payment did not know yet.
    fn learn(&self, row: &mut PaymentRow) -> bool {
        let before = (row.customer.clone(), row.livemode);
        let known = |text: &Option<String>| text.clone().filter(|text| super::naming::storable(text));
        row.customer = row.customer.take().or_else(|| known(&self.interpretation.customer));
        row.livemode = row.livemode.or(self.event.row.livemode);
        before != (row.customer.clone(), row.livemode)
    }

    fn transition(&mut self, row: &PaymentRow, from: Status, why: &str) -> Result<(), Error> {
        log::info!("payments: payment={} {from} → {} event={}", row.token, row.status, self.event.row.gateway_event_id);
        self.tx.add_transition(&NewTransition {
            payment_id: row.id,
            event_id: Some(self.event.row.id),
            from_status: from.as_str().to_owned(),
            to_status: row.status.clone(),
            needs_review: row.needs_review,
            disputed: row.disputed,
            cause: why.to_owned(),
            created_at: self.now,
        })
    }

    /// The transitions that this event caused, now or in an earlier attempt, in the form that handlers get.
    fn transitions(&mut self, row: &PaymentRow) -> Result<Vec<Transition>, Error> {
        let event = &self.event.row;
        let payment = Payment::of(row)?;
        let known = |word: &str| {
            Status::parse(word).ok_or_else(|| Error::new(ErrorKind::Storage, format!("unknown status {word:?}")))
        };
        let transition = |stored: TransitionRow| {
            Ok(Transition {
                payment: payment.clone(),
                from: known(&stored.from_status)?,
                to: known(&stored.to_status)?,
                needs_review: stored.needs_review,
                disputed: stored.disputed,
                cause: stored.cause,
                event_id: event.gateway_event_id.clone(),
                kind: event.kind.clone(),
                id: stored.id,
                payments: self.payments.clone(),
            })
        };
        let stored = self.tx.transitions_by(event.id)?;
        stored.into_iter().filter(|stored| stored.payment_id == row.id).map(transition).collect()
    }

    /// Runs the handlers in the transaction; `false` when one refused, which undoes this event's changes.
    fn in_transaction(&mut self, transition: Option<&Transition>) -> Result<bool, Error> {
        let Some(transition) = transition else { return Ok(true) };
        for (name, run) in &self.payments.inner().handlers.in_transaction {
            let mut ran = Ok(());
            let lent = self.tx.lend(&mut |conn| ran = run(conn, transition));
            let lent = lent.map_err(|why| HandlerError::retry(format!("the handler panicked: {why}")));
            if let Err(error) = lent.and(ran) {
                self.trouble = Some(Trouble::of(name, &error));
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn settle(&mut self, state: EventState, code: &'static str, outcome: String) -> Result<Ended, Error> {
        let verdict = Verdict { state, code, outcome, due_at: None, finished_at: Some(self.now) };
        self.tx.settle(self.event.claim(), &verdict)?;
        Ok(Ended::Settled(state))
    }

    /// Settles the event, or keeps it claimed when async handlers are to run after the commit.
    fn hand_over(
        &mut self,
        state: EventState,
        code: &'static str,
        outcome: String,
        transitions: Vec<Transition>,
    ) -> Result<Ended, Error> {
        let handlers = &self.payments.inner().handlers;
        let wanted = !transitions.is_empty() && handlers.wants_transitions() || handlers.wants(&self.event.row.kind);
        if !wanted {
            return self.settle(state, code, outcome);
        }
        let lease = later(self.now, self.payments.inner().lease);
        let verdict = Verdict { state: EventState::Running, code, outcome, due_at: Some(lease), finished_at: None };
        self.tx.settle(self.event.claim(), &verdict)?;
        let done = Verdict { state, due_at: None, ..verdict };
        let pending = settle::pending(self.payments, self.tx, self.event, transitions, done)?;
        Ok(Ended::Pending(Box::new(pending)))
    }
}
