//! A subscription's newest invoice that an event has reported.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::kept::{maybe_money, maybe_time, time};
use crate::domain::Timestamp;
use crate::domain::identifier::GatewayRef;
use crate::domain::money::Money;

/// An invoice of a subscription, as one event shows it.
///
/// See [`SubscriptionFacts`](super::SubscriptionFacts) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubscriptionInvoice {
    /// The gateway's id of it.
    pub gateway_ref: GatewayRef,
    /// The gateway's own word for its status, verbatim (Stripe: `draft`, `open`, `paid`, `uncollectible`, `void`).
    pub status: String,
    /// Whether it is paid.
    pub paid: bool,
    /// When it was paid, if the gateway says. In a [`SubscriptionState`](super::SubscriptionState) it is the earliest
    /// moment at which anything showed it paid; `None` if it is not.
    #[serde(default, with = "maybe_time", skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Whether nothing more is due, since it was given up or withdrawn.
    pub closed: bool,
    /// What was to be paid.
    #[serde(default, with = "maybe_money")]
    pub due: Option<Money>,
    /// How often the gateway tried to take the money.
    #[serde(default)]
    pub attempts: i64,
    /// When the gateway tries next; `None` if it does not.
    #[serde(default, with = "maybe_time")]
    pub next_attempt: Option<Timestamp>,
    /// Until when it can be paid by transfer; `None` if it is charged at once.
    #[serde(default, with = "maybe_time")]
    pub due_at: Option<Timestamp>,
    /// When the gateway made it.
    #[serde(with = "time")]
    pub created_at: Timestamp,
    /// When this was so, by the gateway's clock.
    #[serde(with = "time")]
    pub occurred_at: Timestamp,
    /// The gateway's id of the event that states it.
    pub event_id: String,
}

impl SubscriptionInvoice {
    /// An invoice in this state at this moment, which also counts as the time of its creation; neither paid nor closed.
    pub fn new(
        gateway_ref: impl Into<GatewayRef>,
        status: impl Into<String>,
        occurred_at: Timestamp,
        event_id: impl Into<String>,
    ) -> Self {
        Self {
            gateway_ref: gateway_ref.into(),
            status: status.into(),
            paid: false,
            paid_at: None,
            closed: false,
            due: None,
            attempts: 0,
            next_attempt: None,
            due_at: None,
            created_at: occurred_at,
            occurred_at,
            event_id: event_id.into(),
        }
    }

    /// Whether money is due on it.
    pub fn is_open(&self) -> bool {
        !self.paid && !self.closed
    }

    /// Whether this outranks `other`, about the same invoice: paid outranks everything else, whatever the times are.
    pub fn outranks(&self, other: &Self) -> bool {
        (self.paid, self.precedence()) > (other.paid, other.precedence())
    }

    /// Since when this says that it is paid: since the gateway says so, or since then by its clock.
    pub(super) fn paid_since(&self) -> Option<Timestamp> {
        self.paid_at.or(Some(self.occurred_at)).filter(|_| self.paid)
    }

    /// By what one outranks another, the most significant first. It covers every field but `paid_at`, of which the
    /// earliest counts, so that different ones never tie. Of one invoice, paid outranks all else, whatever the times.
    pub(super) fn precedence(&self) -> impl Ord + use<> {
        let Self { gateway_ref, status, due, next_attempt, due_at, event_id, .. } = self.clone();
        let money = due.map(|due| (due.minor, due.currency.to_string()));
        // Attempts only become more, and tell better than times of whole seconds which is later.
        let moment = (self.created_at, gateway_ref, self.paid, self.closed, self.attempts, self.occurred_at);
        (moment, (status, next_attempt, due_at, money, event_id))
    }

    /// Adds what another says of it, of which the earlier payment counts, whichever of the two outranks the other: an
    /// answer or a later event shows it paid still. Answers whether the other one outranks this.
    pub(super) fn join(&mut self, other: Self) -> Ordering {
        let is_same = (self.created_at, &self.gateway_ref) == (other.created_at, &other.gateway_ref);
        let order = other.precedence().cmp(&self.precedence());
        let earliest = self.paid_since().into_iter().filter(|_| is_same).chain(other.paid_since()).min();
        match order {
            Ordering::Greater => *self = Self { paid_at: earliest, ..other },
            _ if is_same => self.paid_at = earliest,
            _ => {}
        }
        order
    }
}
