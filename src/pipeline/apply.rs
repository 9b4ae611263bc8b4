//! What does one event do? Merge its facts into its payment's ledger, derive the state, record the transition, and
//! say what became of it. This is the only place where a payment's status is written; what follows from it
//! (handlers, and that the event is settled) is `conclude`'s.

use std::sync::Arc;

use super::{adopt, rebuild};
use crate::domain::event::{EventState, Interpretation, storable};
use crate::domain::fact::Fact;
use crate::domain::ledger::{Effect, Ledger};
use crate::domain::payment::{PaymentState, Status, derive};
use crate::domain::{Timestamp, explain, later};
use crate::engine::Engine;
use crate::engine::Unmatched;
use crate::engine::payment;
use crate::engine::tally::Moved;
use crate::error::Error;
use crate::pipeline::matching::{self, Match};
use crate::pipeline::reading::{ModeMatch, Said, ambiguity};
use crate::store::Tx;
use crate::store::rows::{Claimed, NewTransition, PaymentRow, TransitionRow, Verdict};

/// The work on one event.
pub(crate) struct Step<'a> {
    pub(crate) engine: &'a Arc<Engine>,
    pub(crate) tx: &'a mut dyn Tx,
    pub(crate) event: &'a Claimed,
    pub(crate) said: &'a Said,
    pub(crate) now: Timestamp,
}

/// What an event did, before anybody is told.
pub(crate) struct Applied {
    /// How the event ends, unless a handler fails.
    pub(crate) verdict: Verdict,
    /// The payment that it is about, and what it did to it.
    pub(crate) change: Option<Change>,
    /// Whether handlers may want it: not when it waits or is to be ignored.
    pub(crate) told: bool,
}

/// What an event did to its payment.
pub(crate) struct Change {
    pub payment: PaymentRow,
    pub before: PaymentState,
    pub after: PaymentState,
    /// The transitions that this event caused, now or in an earlier attempt.
    pub transitions: Vec<TransitionRow>,
    /// Whether the last of them is of this attempt.
    pub stepped: bool,
    /// Its facts, and what the ledger made of each.
    pub effects: Vec<(Fact, Effect)>,
    /// The tokens of adopted engine that turned out to be this one.
    pub absorbed: Vec<String>,
    /// How many parked events were waked.
    pub waked: usize,
    /// The money that moved.
    pub moved: Moved,
}

impl Step<'_> {
    /// Does the work, with the payment that the event's references led to.
    pub(crate) fn run(mut self, found: Option<Match>) -> Result<Applied, Error> {
        let Said { interpretation, mode, rebuild } = self.said;
        if *mode == ModeMatch::Ignore {
            let why = "of the other mode than this variant is for, so it changes nothing";
            return Ok(self.ended(EventState::Ignored, "other_mode", why.to_owned()));
        }
        match (found, rebuild) {
            (Some(found), Some(order)) => self.rebuild(found, &order.actor),
            (Some(found), None) => self.apply(found),
            (None, _) if interpretation.facts.is_empty() => Ok(self.says_nothing()),
            (None, _) => self.unmatched(),
        }
    }

    /// No payment, and nothing that would change one.
    fn says_nothing(&self) -> Applied {
        let summary = self.said.interpretation.summary.clone();
        match self.engine.handlers.wants(&self.event.row.kind) {
            true => Applied { told: true, ..self.ended(EventState::Completed, "handled", summary) },
            false => self.ended(EventState::Ignored, "nothing_to_do", summary),
        }
    }

    /// Facts, but no payment to put them to.
    fn unmatched(&mut self) -> Result<Applied, Error> {
        let row = &self.event.row;
        let Interpretation { references, summary, .. } = &self.said.interpretation;
        let named = matching::all(references).join(", ");
        let (policy, grace) = match self.engine.variant(&row.variant) {
            Some(variant) => (variant.unmatched, variant.grace),
            None => (Unmatched::Park, std::time::Duration::ZERO),
        };
        match policy {
            Unmatched::Ignore => {
                let why = format!("{summary}; no payment here bears {named}, and such events are to be ignored");
                Ok(self.ended(EventState::Ignored, "unmatched", why))
            }
            Unmatched::Adopt if self.event.was_parked || grace.is_zero() => self.adopt(),
            policy => {
                let until = (policy == Unmatched::Adopt).then(|| later(row.received_at.max(self.now), grace));
                let then = if until.is_some() { "; after the grace time it is adopted" } else { "" };
                let outcome = format!("{summary}; waits until a payment bears one of {named}{then}");
                let parked = self.ended(EventState::Parked, "parked", outcome);
                let verdict = Verdict { due_at: until, finished_at: None, ..parked.verdict };
                Ok(Applied { verdict, ..parked })
            }
        }
    }

    fn adopt(&mut self) -> Result<Applied, Error> {
        let (row, interpretation) = (&self.event.row, &self.said.interpretation);
        let payment = adopt::adopt(self.tx, &row.variant, interpretation, row.livemode, self.now)?;
        let matched_by = matching::linkable(&interpretation.references).into_iter().next().unwrap_or_default();
        self.tx.assign(row.id, payment.id, Some(&matched_by))?;
        self.apply(Match { payment, matched_by, same: Vec::new(), ambiguous: false })
    }

    /// Merges the facts into the payment's ledger and stores what follows from it.
    fn apply(&mut self, found: Match) -> Result<Applied, Error> {
        let Match { payment: mut row, same, ambiguous, .. } = found;
        let mut moved = Moved::default();
        for adopted in &same {
            adopt::absorb(self.tx, adopted, &row, self.now)?;
            moved.take(adopted, self.now);
        }
        let waked = self.link(&row)?;
        let before = payment::state(&row)?;
        let mut ledger = self.tx.ledger(row.id)?;
        let mut facts = self.said.interpretation.facts.clone();
        if ambiguous {
            facts.push(ambiguity(self.event));
        }
        let effects = self.merge(row.id, &mut ledger, &facts)?;
        let changed = !same.is_empty() || effects.iter().any(|(_, effect)| effect.changed());
        let after = derive(payment::terms(&row)?, &ledger);
        let summary = &self.said.interpretation.summary;
        let (code, why) = match facts.is_empty() {
            true => ("noted", summary.clone()),
            false => {
                let (code, why) = explain::why(&before, &after, changed, &facts);
                (code, format!("{summary}; {why}"))
            }
        };
        moved.take(&row, self.now);
        if self.learn(&mut row) || before != after || changed {
            self.save(&mut row, &after)?;
        }
        moved.put(&row, self.now);
        let stepped = self.step(&row, &before, &after, &why)?;
        let transitions = self.transitions(row.id)?;
        // What an earlier attempt of this event applied is still what came of it.
        let (code, why) = match (code, transitions.last()) {
            ("no_change", Some(earlier)) => ("applied", earlier.cause.clone()),
            _ => (code, why),
        };
        let absorbed = same.into_iter().map(|adopted| adopted.token).collect();
        let change = Change { payment: row, before, after, transitions, stepped, effects, absorbed, waked, moved };
        Ok(Applied { change: Some(change), told: true, ..self.ended(EventState::Completed, code, why) })
    }

    /// Puts what all stored events say in the place of the payment's ledger.
    fn rebuild(&mut self, found: Match, actor: &str) -> Result<Applied, Error> {
        let mut row = found.payment;
        let (ledger, refusal) = rebuild::from_events(self.engine, self.tx, &row)?;
        if let Some(why) = refusal {
            return Ok(self.ended(EventState::Discarded, "refused", format!("not rebuilt: {why}")));
        }
        let before = payment::state(&row)?;
        let after = derive(payment::terms(&row)?, &ledger);
        let changed = ledger != self.tx.ledger(row.id)?;
        self.tx.clear_ledger(row.id)?;
        for fact in ledger.facts() {
            self.tx.keep_fact(row.id, fact)?;
        }
        let why = format!("rebuilt from its events by {actor}; {}", explain::rebuilt(&before, &after, changed));
        let mut moved = Moved::default();
        moved.take(&row, self.now);
        if before != after || changed {
            self.save(&mut row, &after)?;
        }
        moved.put(&row, self.now);
        let stepped = self.step(&row, &before, &after, &why)?;
        let transitions = self.transitions(row.id)?;
        let (effects, absorbed) = (Vec::new(), Vec::new());
        let change = Change { payment: row, before, after, transitions, stepped, effects, absorbed, waked: 0, moved };
        Ok(Applied { change: Some(change), told: true, ..self.ended(EventState::Completed, "rebuilt", why) })
    }

    fn merge(&mut self, payment: i64, ledger: &mut Ledger, facts: &[Fact]) -> Result<Vec<(Fact, Effect)>, Error> {
        let mut effects = Vec::with_capacity(facts.len());
        for fact in facts {
            let effect = ledger.take(fact.clone());
            if effect.changed() {
                self.tx.keep_fact(payment, fact)?;
            }
            effects.push((fact.clone(), effect));
        }
        Ok(effects)
    }

    /// Links all that the event names to the payment, and wakes the events that waited for one of them.
    fn link(&mut self, payment: &PaymentRow) -> Result<usize, Error> {
        let variant = &self.event.row.variant;
        let refs = matching::linkable(&self.said.interpretation.references);
        self.tx.link(variant, &refs, payment.id)?;
        self.tx.wake(variant, &refs, self.now)
    }

    /// Takes over what the payment did not know yet.
    fn learn(&self, row: &mut PaymentRow) -> bool {
        let before = (row.customer.clone(), row.livemode);
        let known = |text: &Option<String>| text.clone().filter(|text| storable(text));
        row.customer = row.customer.take().or_else(|| known(&self.said.interpretation.customer));
        row.livemode = row.livemode.or(self.event.row.livemode);
        before != (row.customer.clone(), row.livemode)
    }

    fn save(&mut self, row: &mut PaymentRow, after: &PaymentState) -> Result<(), Error> {
        payment::put(row, after);
        self.tx.save_payment(row, self.now)?;
        row.version += 1;
        Ok(())
    }

    /// Records the step from one state to the other, if it is one.
    fn step(&mut self, row: &PaymentRow, from: &PaymentState, to: &PaymentState, why: &str) -> Result<bool, Error> {
        let seen = |state: &PaymentState| (state.status, state.disputed, state.concerns.clone());
        if seen(from) == seen(to) {
            return Ok(false);
        }
        let word = |status: Status| status.as_str().to_owned();
        self.tx.add_transition(&NewTransition {
            payment_id: row.id,
            event_id: Some(self.event.row.id),
            from_status: word(from.status),
            to_status: word(to.status),
            needs_review: row.needs_review,
            disputed: row.disputed,
            cause: why.to_owned(),
            created_at: self.now,
        })?;
        Ok(true)
    }

    fn transitions(&mut self, payment: i64) -> Result<Vec<TransitionRow>, Error> {
        let mut all = self.tx.transitions_by(self.event.row.id)?;
        all.retain(|step| step.payment_id == payment);
        Ok(all)
    }

    /// An end at which no handler is told.
    fn ended(&self, state: EventState, code: &'static str, outcome: String) -> Applied {
        let verdict = Verdict { state, code, outcome, due_at: None, finished_at: Some(self.now) };
        Applied { verdict, change: None, told: false }
    }
}
