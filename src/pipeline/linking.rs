//! What becomes of an event that says that its references are of one payment, where none of them leads to one yet.

use std::time::Duration;

use super::step::Step;
use super::stepped::Stepped;
use super::working_set::{WorkingSet, all};
use crate::domain::event::{EventState, Interpretation};
use crate::domain::later;
use crate::engine::Unmatched;
use crate::error::Error;
use crate::store::rows::Verdict;

/// How long a link waits for a payment: as long as gateways deliver again.
const LINKING: Duration = Duration::from_secs(3 * 86_400);

impl Step<'_> {
    /// Without the link, each object would become a payment of its own; and nothing else may say of the money of an
    /// invoice that it is that.
    pub(super) fn link(&self, set: &mut WorkingSet) -> Result<Stepped, Error> {
        let references = &self.read.interpretation.references;
        // The money may come later, or be here already and wait for just this.
        if set.bills_ours(&self.event.row.variant, references) {
            return self.adopt(set);
        }
        let is_ignored = self.unmatched == Unmatched::Ignore;
        // The event of what took the money may never come, and this one says how much it was.
        let states_money = !self.read.interpretation.facts.is_empty();
        if states_money && self.unmatched == Unmatched::Park {
            return Ok(self.waits_to_link(None, ""));
        }
        let is_money = states_money && self.unmatched == Unmatched::Adopt;
        // Where others are ignored, its invoice may still turn out to be of a subscription started here.
        let may_wait = if is_ignored { self.names_invoice && !self.grace.is_zero() } else { true };
        if may_wait && !self.event.was_parked && !(is_money && self.grace.is_zero()) {
            let then = if is_money { "; after the grace time it is adopted" } else { "" };
            let time = if is_ignored || is_money { self.grace } else { LINKING };
            return Ok(self.waits_to_link(Some(time), then));
        }
        if is_money {
            return self.adopt(set);
        }
        Ok(if self.is_wanted { self.nothing_to_do() } else { self.unlinked() })
    }

    /// `None`: for as long as it takes.
    fn waits_to_link(&self, time: Option<Duration>, then: &str) -> Stepped {
        let named = all(&self.read.interpretation.references).join(", ");
        let why = format!("waits until a payment bears one of {named}, to link them{then}");
        let parked = self.ended(EventState::Parked, "parked", why);
        let due_at = time.map(|time| later(self.event.row.received_at.max(self.now), time));
        Stepped { verdict: Verdict { due_at, finished_at: None, ..parked.verdict }, ..parked }
    }

    /// One that waited long enough; it is taken up once a payment bears one of its references, or its invoice turns out
    /// to be of a subscription started here.
    fn unlinked(&self) -> Stepped {
        let Interpretation { references, summary, .. } = &self.read.interpretation;
        let named = all(references).join(", ");
        self.ended(EventState::Ignored, "unmatched", format!("{summary}; no payment here bears {named}"))
    }
}
