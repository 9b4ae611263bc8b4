//! Reads subscriptions (<https://docs.lemonsqueezy.com/api/subscriptions/the-subscription-object>): every event about
//! one shows it whole. One that is cancelled runs until its `ends_at`, and can be resumed until then; it is over once
//! it is expired.

use std::collections::BTreeMap;

use super::resource::{Resource, first_invoice_ref, invoice_ref, order_ref};
use crate::domain::event::{Interpretation, Malformed, References, SubscriptionStatement, distinct};
use crate::domain::explain::spaced;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::domain::subscription::{
    CollectionPause, OwnerClaim, OwnerSource, SubscriptionContent, SubscriptionFact, SubscriptionInvoice,
    SubscriptionItem, SubscriptionSnapshot, SubscriptionStatus,
};
use crate::gateways::json::short;
use crate::gateways::reading::{ANSWERED, id_text, time};

/// Where our token of a subscription is in the custom data.
pub(super) const TOKEN: &str = "subscription_token";

/// What an event about a subscription says.
pub(super) fn read(resource: &Resource<'_>, owner_key: &str) -> Result<Interpretation, Malformed> {
    let content = content(resource)?;
    let (changed, told_at) = (time(&resource.of, "updated_at"), resource.event.occurred_at);
    // An answer to a question shows it as of then, however long ago it changed.
    let is_answer = resource.event.kind.ends_with(ANSWERED);
    let occurred_at = changed.map_or(told_at, |changed| if is_answer { changed.max(told_at) } else { changed });
    let event_id = resource.event.id.to_owned();
    let summary = format!("subscription {}", spaced(&content.gateway_status));
    let snapshot = SubscriptionSnapshot {
        is_end: content.ended_at.is_some(),
        is_first: resource.event.kind == "subscription_created",
        values: BTreeMap::new(),
        previous: BTreeMap::new(),
        progress: None,
        is_answer,
        content,
        occurred_at,
        event_id: event_id.clone(),
    };
    let email = short(&resource.of, "user_email");
    let mut facts = vec![SubscriptionFact::Snapshot(Box::new(snapshot))];
    facts.extend(resource.custom(owner_key).map(|owner| {
        let claim = OwnerClaim { occurred_at, event_id: event_id.clone(), owner };
        SubscriptionFact::Owner(OwnerSource::Checkout, claim)
    }));
    facts.extend(email.clone().map(|email| SubscriptionFact::Customer { email, occurred_at, event_id }));
    let tokens = distinct([resource.custom(TOKEN)]);
    let subscription = Some(SubscriptionStatement { gateway_ref: (&resource.id).into(), tokens, facts });
    let references = named(resource);
    // The order is on its way, or was here before: where nothing is known of it, the first invoice finds this.
    let order = if resource.event.kind == "subscription_created" { references.gateway_refs.first() } else { None };
    let order = order.map(|id| Fact::new(Aspect::Checkout, id, State::Pending, occurred_at, resource.event.id));
    let facts = order.into_iter().collect();
    Ok(Interpretation { summary, customer: email, subscription, references, facts, ..Interpretation::default() })
}

/// The first payment of the subscription, by its order and by what its first invoice bears.
pub(super) fn named(resource: &Resource<'_>) -> References {
    let Some(order) = id_text(&resource.of, "order_id") else { return References::default() };
    let refs = distinct([Some(order_ref(&order)), Some(first_invoice_ref(&resource.id))]);
    References { tokens: distinct([resource.custom("payment_token"), resource.custom(TOKEN)]), gateway_refs: refs }
}

fn content(resource: &Resource<'_>) -> Result<SubscriptionContent, Malformed> {
    let of = &resource.of;
    let gateway_status = of.need_id("status")?;
    let was_cancelled = of.bool_or_false("cancelled")?;
    let status = match gateway_status.as_str() {
        "on_trial" => SubscriptionStatus::Trialing,
        // It was decided that it ends, and it runs until then.
        "active" | "cancelled" => SubscriptionStatus::Active,
        "paused" => SubscriptionStatus::Paused,
        "past_due" => SubscriptionStatus::PastDue,
        "unpaid" => SubscriptionStatus::Unpaid,
        "expired" if was_cancelled => SubscriptionStatus::Canceled,
        "expired" => SubscriptionStatus::Expired,
        _ => SubscriptionStatus::Unknown,
    };
    let changed = time(of, "updated_at").unwrap_or(resource.event.occurred_at);
    let is_over = gateway_status == "expired";
    let ends = time(of, "ends_at");
    let pause = of.object("pause", "a pause")?;
    let item = of.object("first_subscription_item", "an item")?;
    let price = id_text(of, "variant_id").map(|price| SubscriptionItem {
        price,
        product: id_text(of, "product_id"),
        quantity: item.and_then(|item| item.integer("quantity").ok().flatten()),
        amount: None,
        interval: None,
        interval_count: None,
    });
    Ok(SubscriptionContent {
        status,
        gateway_status,
        // It is in the checkout's custom data, which an answer to a question lacks.
        owner: None,
        customer_ref: id_text(of, "customer_id").map(Into::into),
        items: price.into_iter().collect(),
        started_at: time(of, "created_at"),
        period: None,
        renews_at: time(of, "renews_at"),
        trial_end: time(of, "trial_ends_at"),
        cancel_at: ends.filter(|_| !is_over),
        cancel_at_period_end: was_cancelled && !is_over,
        canceled_at: was_cancelled.then_some(changed),
        ended_at: is_over.then(|| ends.unwrap_or(changed)),
        pause: pause.map(|pause| CollectionPause {
            behavior: short(&pause, "mode").unwrap_or_default(),
            resumes_at: time(&pause, "resumes_at"),
        }),
        latest_invoice: None,
        schedule: None,
    })
}

/// What an invoice says of the subscription that it is of.
pub(super) fn of_invoice(resource: &Resource<'_>, due: Money) -> Option<SubscriptionStatement> {
    let of = &resource.of;
    let status = short(of, "status")?;
    let occurred_at = time(of, "updated_at").unwrap_or(resource.event.occurred_at);
    let invoice = SubscriptionInvoice {
        gateway_ref: invoice_ref(&resource.id).into(),
        paid: matches!(status.as_str(), "paid" | "refunded" | "partial_refund"),
        paid_at: None,
        closed: status == "void",
        status,
        due: Some(due),
        attempts: 1,
        next_attempt: None,
        due_at: None,
        created_at: time(of, "created_at").unwrap_or(occurred_at),
        occurred_at,
        event_id: resource.event.id.to_owned(),
    };
    let facts = vec![SubscriptionFact::Invoice(Box::new(invoice))];
    let tokens = distinct([resource.custom(TOKEN)]);
    Some(SubscriptionStatement { gateway_ref: id_text(of, "subscription_id")?.into(), tokens, facts })
}
