//! What handlers are handed: a transition or an event, with the handle beside it.

use bytes::Bytes;

use super::Payments;
use crate::domain::Timestamp;
use crate::domain::payment::Status;
use crate::engine::{EventNotice, Payment, TransitionNotice};

/// A recorded step of a payment, handed to handlers.
#[derive(Clone)]
#[non_exhaustive]
pub struct Transition {
    /// The payment, as it stands now.
    pub payment: Payment,
    /// The status before.
    pub from: Status,
    /// The status after; the same as before when a flag or a concern changed.
    pub to: Status,
    /// Whether a person should look at it, after.
    pub needs_review: bool,
    /// Whether a dispute is open or was lost, after.
    pub disputed: bool,
    /// Why, one sentence.
    pub cause: String,
    /// The gateway's id of the event that caused it.
    pub event_id: String,
    /// That event's kind.
    pub kind: String,
    payments: Payments,
}

impl Transition {
    /// Whether this is the step that brought the payment to `status`.
    pub fn became(&self, status: Status) -> bool {
        self.from != self.to && self.to == status
    }

    /// The handle, for handlers that want to ask or do something.
    pub fn payments(&self) -> &Payments {
        &self.payments
    }

    pub(super) fn new(notice: TransitionNotice, payments: Payments) -> Self {
        let TransitionNotice { payment, from, to, needs_review, disputed, cause, event_id, kind, .. } = notice;
        Self { payment, from, to, needs_review, disputed, cause, event_id, kind, payments }
    }
}

/// An event, handed to handlers of its kind.
#[derive(Clone)]
#[non_exhaustive]
pub struct Event {
    /// The variant that it came through.
    pub variant: String,
    /// The gateway's id of it.
    pub id: String,
    /// The gateway's own name for what happened.
    pub kind: String,
    /// When it happened, by the gateway's word.
    pub occurred_at: Option<Timestamp>,
    /// Its own bytes, unchanged.
    pub body: Bytes,
    /// The payment that it is about, if one is known.
    pub payment: Option<Payment>,
    payments: Payments,
}

impl Event {
    /// The handle, for handlers that want to ask or do something.
    pub fn payments(&self) -> &Payments {
        &self.payments
    }

    pub(super) fn new(notice: EventNotice, payments: Payments) -> Self {
        let EventNotice { variant, id, kind, occurred_at, body, payment } = notice;
        Self { variant, id, kind, occurred_at, body, payment, payments }
    }
}
