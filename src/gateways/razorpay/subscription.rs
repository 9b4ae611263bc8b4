//! Reads subscriptions (<https://razorpay.com/docs/webhooks/subscriptions/>): every event about one shows it whole, and
//! the payment of a cycle where there is one.

use std::collections::BTreeMap;

use super::payload::Payload;
use crate::domain::event::{Interpretation, Malformed, SubscriptionStatement, distinct};
use crate::domain::explain::spaced;
use crate::domain::subscription::{
    BillingPeriod, SubscriptionContent, SubscriptionFact, SubscriptionInvoice, SubscriptionItem, SubscriptionSnapshot,
    SubscriptionStatus,
};
use crate::gateways::json::{Object, short};
use crate::gateways::reading::{ANSWERED, money, nested, time};

/// Where our token of a subscription is in its notes.
pub(super) const TOKEN: &str = "subscription_token";

/// What an event of the kind `subscription.<verb>` says of the subscription.
pub(super) fn read(payload: &Payload<'_>, owner_key: &str) -> Result<Interpretation, Malformed> {
    let (event, entity) = (payload.event, payload.need("subscription")?);
    let gateway_ref = entity.need_id("id")?;
    let content = content(&entity, owner_key)?;
    let summary = format!("subscription {}", spaced(&content.gateway_status));
    let is_end = matches!(content.status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired);
    let snapshot = SubscriptionSnapshot {
        is_end,
        is_first: content.status == SubscriptionStatus::Incomplete,
        values: BTreeMap::new(),
        previous: BTreeMap::new(),
        progress: None,
        is_answer: event.kind.ends_with(ANSWERED),
        content,
        occurred_at: event.occurred_at,
        event_id: event.id.to_owned(),
    };
    let mut facts = vec![SubscriptionFact::Snapshot(Box::new(snapshot))];
    let payment = payload.entity("payment")?;
    facts.extend(payment.as_ref().and_then(|payment| invoice(payload, payment)));
    let customer = payment.and_then(|payment| short(&payment, "email"));
    let (occurred_at, event_id) = (event.occurred_at, event.id.to_owned());
    facts.extend(customer.clone().map(|email| SubscriptionFact::Customer { email, occurred_at, event_id }));
    let tokens = distinct([nested(&entity, "notes", TOKEN)]);
    let subscription = Some(SubscriptionStatement { gateway_ref: gateway_ref.into(), tokens, facts });
    Ok(Interpretation { summary, customer, subscription, ..Interpretation::default() })
}

fn content(entity: &Object<'_>, owner_key: &str) -> Result<SubscriptionContent, Malformed> {
    let gateway_status = entity.need_id("status")?;
    let status = match gateway_status.as_str() {
        "created" => SubscriptionStatus::Incomplete,
        // Its first cycle begins later.
        "authenticated" => SubscriptionStatus::Trialing,
        "active" => SubscriptionStatus::Active,
        "pending" => SubscriptionStatus::PastDue,
        "halted" => SubscriptionStatus::Unpaid,
        "paused" => SubscriptionStatus::Paused,
        "cancelled" => SubscriptionStatus::Canceled,
        "completed" | "expired" => SubscriptionStatus::Expired,
        _ => SubscriptionStatus::Unknown,
    };
    // One of a fixed number of cycles is completed once the last is charged for, and runs until that is over.
    let paid_until = time(entity, "current_end").filter(|_| gateway_status == "completed");
    let ended_at = time(entity, "ended_at").max(paid_until);
    let start = time(entity, "current_start");
    let period = start.zip(time(entity, "current_end")).map(|(start, end)| BillingPeriod { start, end });
    let plan = short(entity, "plan_id");
    let quantity = entity.integer("quantity").ok().flatten();
    let item =
        |price| SubscriptionItem { price, product: None, quantity, amount: None, interval: None, interval_count: None };
    Ok(SubscriptionContent {
        status,
        gateway_status,
        owner: nested(entity, "notes", owner_key),
        customer_ref: short(entity, "customer_id").map(Into::into),
        items: plan.map(item).into_iter().collect(),
        started_at: time(entity, "start_at"),
        period,
        renews_at: None,
        trial_end: time(entity, "start_at").filter(|_| status == SubscriptionStatus::Trialing),
        cancel_at: None,
        cancel_at_period_end: false,
        canceled_at: ended_at.filter(|_| status == SubscriptionStatus::Canceled),
        ended_at,
        pause: None,
        latest_invoice: None,
        schedule: None,
    })
}

/// The payment of a cycle, as the invoice that it pays or fails to pay.
fn invoice(payload: &Payload<'_>, payment: &Object<'_>) -> Option<SubscriptionFact> {
    let status = short(payment, "status")?;
    let amount = payment.integer("amount").ok().flatten();
    let invoice = SubscriptionInvoice {
        gateway_ref: short(payment, "invoice_id").or_else(|| short(payment, "id"))?.into(),
        paid: matches!(status.as_str(), "captured" | "refunded"),
        paid_at: None,
        closed: false,
        status,
        due: amount.and_then(|minor| money(minor, &short(payment, "currency")?).ok()),
        attempts: 1,
        next_attempt: None,
        due_at: None,
        created_at: time(payment, "created_at").unwrap_or(payload.event.occurred_at),
        occurred_at: payload.event.occurred_at,
        event_id: payload.event.id.to_owned(),
    };
    Some(SubscriptionFact::Invoice(Box::new(invoice)))
}
