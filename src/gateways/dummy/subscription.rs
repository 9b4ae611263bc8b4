//! Subscriptions of the dummy gateway: an event that shows one whole, for tests and demonstrations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::event::{Interpretation, Malformed, Recorded, SubscriptionStatement, storable};
use crate::domain::subscription::{
    BillingPeriod, SubscriptionContent, SubscriptionFact, SubscriptionItem, SubscriptionSnapshot, SubscriptionStatus,
};
use crate::domain::{Timestamp, from_unix_seconds};

/// The kind of the events about subscriptions.
pub(super) const KIND: &str = "subscription.changed";

/// An event of the dummy gateway that shows a subscription.
/// [`Dummy::subscription_delivery`](super::Dummy::subscription_delivery) signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DummySubscription {
    id: String,
    subscription: String,
    status: SubscriptionStatus,
    owner: Option<String>,
    price: Option<String>,
    period: Option<(Timestamp, Timestamp)>,
    cancel_at: Option<Timestamp>,
}

impl DummySubscription {
    /// An event that shows the subscription that this gateway calls `subscription` in this status. Events with the same
    /// `id` are the same event to their receiver.
    pub fn new(id: impl Into<String>, subscription: impl Into<String>, status: SubscriptionStatus) -> Self {
        let (id, subscription) = (id.into(), subscription.into());
        Self { id, subscription, status, owner: None, price: None, period: None, cancel_at: None }
    }

    /// Sets the host's own id of whom it belongs to. Default: none.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Sets the id of the price that is subscribed to. Default: none.
    pub fn price(mut self, price: impl Into<String>) -> Self {
        self.price = Some(price.into());
        self
    }

    /// Sets the billing period, in whole seconds. Default: none.
    pub fn period(mut self, start: Timestamp, end: Timestamp) -> Self {
        self.period = Some((start, end));
        self
    }

    /// Sets when it will end, in whole seconds. Default: never.
    pub fn cancel_at(mut self, end: Timestamp) -> Self {
        self.cancel_at = Some(end);
        self
    }

    /// The event as JSON, with the time `created` in whole seconds; times are Unix seconds:
    ///
    /// ```json
    /// {"id": "de_1", "kind": "subscription.changed", "created": 1791800000,
    ///  "object": {"id": "ds_1", "status": "active", "owner": "user-42", "price": "tea",
    ///             "period_start": 1791800000, "period_end": 1794478400, "cancel_at": null}}
    /// ```
    pub fn body(&self, created: Timestamp) -> Vec<u8> {
        let event = json!({
            "id": self.id,
            "kind": KIND,
            "created": created.unix_timestamp(),
            "object": {
                "id": self.subscription,
                "status": self.status.as_str(),
                "owner": self.owner,
                "price": self.price,
                "period_start": self.period.map(|(start, _)| start.unix_timestamp()),
                "period_end": self.period.map(|(_, end)| end.unix_timestamp()),
                "cancel_at": self.cancel_at.map(Timestamp::unix_timestamp),
            },
        });
        event.to_string().into_bytes()
    }
}

/// Reads the event. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    let body: Value =
        serde_json::from_slice(event.body).map_err(|error| Malformed(format!("expected an event as JSON: {error}")))?;
    let text = |name: &str| {
        let text = body["object"][name].as_str().filter(|text| storable(text));
        text.map(str::to_owned)
    };
    let need = |name: &str| text(name).ok_or_else(|| Malformed(format!("expected `{name}` of `object`, got none")));
    let time = |name: &str| body["object"][name].as_i64().and_then(from_unix_seconds);
    let (gateway_ref, gateway_status) = (need("id")?, need("status")?);
    let status = SubscriptionStatus::parse(&gateway_status).unwrap_or(SubscriptionStatus::Unknown);
    let is_end = matches!(status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired);
    let summary = format!("subscription {}", gateway_status.replace('_', " "));
    let item = |price| SubscriptionItem {
        price,
        product: None,
        quantity: Some(1),
        amount: None,
        interval: None,
        interval_count: None,
    };
    let content = SubscriptionContent {
        status,
        gateway_status,
        owner: text("owner"),
        customer_ref: None,
        items: text("price").map(item).into_iter().collect(),
        period: time("period_start").zip(time("period_end")).map(|(start, end)| BillingPeriod { start, end }),
        trial_end: None,
        cancel_at: time("cancel_at"),
        cancel_at_period_end: false,
        canceled_at: None,
        ended_at: is_end.then_some(event.occurred_at),
        pause: None,
        latest_invoice: None,
    };
    let snapshot = SubscriptionSnapshot {
        content,
        is_end,
        is_first: false,
        values: BTreeMap::new(),
        previous: BTreeMap::new(),
        occurred_at: event.occurred_at,
        event_id: event.id.to_owned(),
    };
    let facts = vec![SubscriptionFact::Snapshot(Box::new(snapshot))];
    let subscription = Some(SubscriptionStatement { gateway_ref, tokens: Vec::new(), facts });
    Ok(Interpretation { summary, subscription, ..Interpretation::default() })
}
