//! The events of our own: by which an operator orders a payment to be rebuilt, by which a person decides about one that
//! needs review, and by which a subscription is given its owner.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::domain::event::{Interpretation, Recorded, References, Source, SubscriptionStatement};
use crate::domain::money::{Currency, Money};
use crate::domain::payment::{accepted, dismissed};
use crate::domain::subscription::{OwnerClaim, OwnerSource, SubscriptionFact};
use crate::error::{Error, ErrorKind};
use crate::store::rows::NewEvent;

/// The kind of the event by which an operator asks for a rebuild.
pub(crate) const KIND: &str = "payment.rebuild";

/// The kind of the event by which a subscription is given its owner.
pub(crate) const OWNER: &str = "subscription.owner";

/// The kind of the event by which a person decides about a payment that needs review.
pub(crate) const REVIEW: &str = "payment.review";

/// An event of our own with this id, about something of this variant and mode; `order` is its body.
pub(crate) fn event(
    (kind, id): (&str, String),
    (variant, livemode): (&str, Option<bool>),
    order: &impl Serialize,
    now: Timestamp,
) -> Result<NewEvent, Error> {
    let body = serde_json::to_vec(order).map_err(|e| Error::new(ErrorKind::Refused, "no JSON").with_source(e))?;
    Ok(NewEvent {
        variant: variant.to_owned(),
        gateway_event_id: id,
        source: Source::Operator,
        kind: kind.to_owned(),
        livemode,
        api_version: None,
        account: None,
        secret: None,
        skew_seconds: None,
        occurred_at: Some(now),
        received_at: now,
        headers: "{}".to_owned(),
        body: body.into(),
    })
}

/// An operator's order to rebuild a payment: the body of the event.
#[derive(Serialize, Deserialize)]
pub(crate) struct RebuildOrder {
    pub(crate) token: String,
    pub(crate) actor: String,
}

impl RebuildOrder {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body)
            .map_err(|error| format!("expected an operator's order, got something else: {error}"))
    }

    pub(super) fn says(&self) -> Interpretation {
        Interpretation {
            references: References { tokens: vec![self.token.clone().into()], gateway_refs: Vec::new() },
            summary: format!("{} asked to rebuild the payment from its events", self.actor),
            ..Interpretation::default()
        }
    }
}

/// What a person decided about a payment that needs review: the body of the event.
#[derive(Serialize, Deserialize)]
pub(crate) struct ReviewOrder {
    pub(crate) token: String,
    pub(crate) actor: String,
    pub(crate) note: String,
    pub(crate) decision: Decision,
}

/// The decision.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    /// That this amount, in minor units, is the payment's.
    Accept { minor: i64, currency: String },
    /// That it needs no review for what gives these reasons.
    Dismiss { causes: Vec<String> },
}

impl ReviewOrder {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| format!("expected a decision, got something else: {error}"))
    }

    pub(crate) fn says(&self, event: &Recorded<'_>) -> Result<Interpretation, String> {
        let Self { token, actor, note, decision } = self;
        let (facts, what) = match decision {
            Decision::Accept { minor, currency } => {
                let amount = Money::new(*minor, Currency::parse(currency).map_err(|error| error.to_string())?);
                (vec![accepted(amount, event.occurred_at, event.id)], format!("accepted {}", amount))
            }
            Decision::Dismiss { causes } => {
                let fact = |cause: &String| dismissed(cause, event.occurred_at, event.id);
                (causes.iter().map(fact).collect(), "dismissed the review".to_owned())
            }
        };
        let note: String = note.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Ok(Interpretation {
            references: References { tokens: vec![token.clone().into()], gateway_refs: Vec::new() },
            facts,
            summary: format!("{actor} {what}: “{note}”"),
            ..Interpretation::default()
        })
    }
}

/// Whom a subscription belongs to: the body of the event.
#[derive(Serialize, Deserialize)]
pub(crate) struct OwnerOrder {
    /// The gateway's id of the subscription.
    pub(crate) gateway_ref: String,
    pub(crate) owner: String,
    pub(crate) actor: String,
}

impl OwnerOrder {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| format!("expected an owner, got something else: {error}"))
    }

    pub(super) fn says(self, event: &Recorded<'_>) -> Interpretation {
        let event_id = event.id.to_owned();
        let summary = format!("{} said that the subscription belongs to {}", self.actor, self.owner);
        let claim = OwnerClaim { occurred_at: event.occurred_at, event_id, owner: self.owner };
        let facts = vec![SubscriptionFact::Owner(OwnerSource::Host, claim)];
        let subscription =
            Some(SubscriptionStatement { gateway_ref: self.gateway_ref.into(), tokens: Vec::new(), facts });
        Interpretation { summary, subscription, ..Interpretation::default() }
    }
}
