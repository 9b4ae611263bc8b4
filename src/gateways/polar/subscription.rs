//! Reads subscriptions (<https://polar.sh/docs/integrate/webhooks/events>): every event about one shows it whole. One
//! that is canceled runs until its `ends_at`, and can be uncanceled until then; it is over once it is revoked. A
//! subscription that is embedded in another object may be stale, and is not read.

use std::collections::BTreeMap;

use crate::domain::event::{Interpretation, Malformed, Recorded, SubscriptionStatement, distinct};
use crate::domain::explain::spaced;
use crate::domain::money::Money;
use crate::domain::subscription::{
    BillingPeriod, CollectionPause, SubscriptionContent, SubscriptionFact, SubscriptionInvoice, SubscriptionItem,
    SubscriptionSnapshot, SubscriptionStatus,
};
use crate::gateways::json::{Object, short};
use crate::gateways::reading::{ANSWERED, as_of, money, nested, since, time};

/// Where our token of a subscription is in its metadata.
pub(super) const TOKEN: &str = "subscription_token";

/// What an event of the kind `subscription.<verb>` says.
pub(super) fn read(
    event: &Recorded<'_>,
    verb: &str,
    data: &Object<'_>,
    owner_key: &str,
) -> Result<Interpretation, Malformed> {
    let content = content(data, verb == "revoked", owner_key)?;
    let email = nested(data, "customer", "email");
    let ends = content.cancel_at.map(|_| ", to be ended").unwrap_or_default();
    let summary = format!("subscription {}{ends}", spaced(&content.gateway_status));
    let statement = statement(event, verb, data, content, email.clone())?;
    Ok(Interpretation { summary, customer: email, subscription: Some(statement), ..Interpretation::default() })
}

/// What `customer.state_changed` says: how many of a customer's subscriptions are active. It shows them in part only
/// (how many of the intervals make a period is left out), and would outrank the events that show them whole.
pub(super) fn of_customer(customer: &Object<'_>) -> Result<Interpretation, Malformed> {
    let active = customer.objects("active_subscriptions", "a subscription")?.len();
    let subscriptions = if active == 1 { "subscription" } else { "subscriptions" };
    Ok(Interpretation { summary: format!("customer has {active} active {subscriptions}"), ..Interpretation::default() })
}

fn statement(
    event: &Recorded<'_>,
    verb: &str,
    data: &Object<'_>,
    mut content: SubscriptionContent,
    email: Option<String>,
) -> Result<SubscriptionStatement, Malformed> {
    let (occurred_at, event_id) = (as_of(event, time(data, "modified_at")), event.id.to_owned());
    // What was revoked has ended, though it was to end later.
    content.ended_at = content.ended_at.map(|end| end.min(occurred_at));
    let snapshot = SubscriptionSnapshot {
        is_end: content.ended_at.is_some() || content.status == SubscriptionStatus::Expired,
        is_first: verb == "created",
        values: BTreeMap::new(),
        previous: BTreeMap::new(),
        progress: None,
        is_answer: event.kind.ends_with(ANSWERED),
        content,
        occurred_at,
        event_id: event_id.clone(),
    };
    let mut facts = vec![SubscriptionFact::Snapshot(Box::new(snapshot))];
    facts.extend(email.map(|email| SubscriptionFact::Customer { email, occurred_at, event_id }));
    let tokens = distinct([nested(data, "metadata", TOKEN)]);
    Ok(SubscriptionStatement { gateway_ref: data.need_id("id")?.into(), tokens, facts })
}

fn content(data: &Object<'_>, is_revoked: bool, owner_key: &str) -> Result<SubscriptionContent, Malformed> {
    let gateway_status = data.need_id("status")?;
    let ended_at = time(data, "ended_at");
    let is_over = is_revoked || ended_at.is_some();
    let status = match gateway_status.as_str() {
        _ if is_revoked => SubscriptionStatus::Canceled,
        "incomplete" => SubscriptionStatus::Incomplete,
        "incomplete_expired" => SubscriptionStatus::Expired,
        "trialing" => SubscriptionStatus::Trialing,
        "active" => SubscriptionStatus::Active,
        "past_due" => SubscriptionStatus::PastDue,
        "unpaid" => SubscriptionStatus::Unpaid,
        "paused" => SubscriptionStatus::Paused,
        "canceled" if is_over => SubscriptionStatus::Canceled,
        // It was decided that it ends, and it runs until then.
        "canceled" => SubscriptionStatus::Active,
        _ => SubscriptionStatus::Unknown,
    };
    let start = time(data, "current_period_start");
    let canceled_at = time(data, "canceled_at");
    let ends_at = time(data, "ends_at");
    let amount = data.integer("amount")?.and_then(|minor| money(minor, &short(data, "currency")?).ok());
    let item = short(data, "product_id").map(|product| SubscriptionItem {
        price: product.clone(),
        product: Some(product),
        // The amount is that of all seats, less the discount.
        quantity: Some(1),
        amount,
        interval: short(data, "recurring_interval"),
        interval_count: data.integer("recurring_interval_count").ok().flatten(),
    });
    Ok(SubscriptionContent {
        status,
        gateway_status,
        owner: nested(data, "metadata", owner_key).or_else(|| nested(data, "customer", "external_id")),
        customer_ref: short(data, "customer_id").map(Into::into),
        items: item.into_iter().collect(),
        started_at: time(data, "started_at"),
        period: start.zip(time(data, "current_period_end")).map(|(start, end)| BillingPeriod { start, end }),
        renews_at: None,
        trial_end: time(data, "trial_end"),
        cancel_at: ends_at.filter(|_| !is_over),
        cancel_at_period_end: data.bool_or_false("cancel_at_period_end")? && !is_over,
        canceled_at,
        ended_at: if is_over { ended_at.or(ends_at).or(canceled_at) } else { None },
        pause: (status == SubscriptionStatus::Paused)
            .then(|| CollectionPause { behavior: "paused".to_owned(), resumes_at: time(data, "resumes_at") }),
        latest_invoice: None,
        schedule: None,
    })
}

/// What an order says of the subscription that it is of; `None` if it is of none.
pub(super) fn of_order(event: &Recorded<'_>, data: &Object<'_>, due: Money) -> Option<SubscriptionStatement> {
    let gateway_ref = short(data, "subscription_id")?;
    let status = short(data, "status")?;
    let invoice = SubscriptionInvoice {
        gateway_ref: short(data, "id")?.into(),
        paid: matches!(status.as_str(), "paid" | "refunded" | "partially_refunded"),
        paid_at: None,
        closed: status == "void",
        status,
        due: Some(due),
        attempts: 1,
        next_attempt: time(data, "next_payment_attempt_at"),
        due_at: None,
        created_at: time(data, "created_at").unwrap_or(event.occurred_at),
        // An answer about an order that was paid long ago must not look like a payment of today.
        occurred_at: since(event, true, time(data, "modified_at").or_else(|| time(data, "created_at"))),
        event_id: event.id.to_owned(),
    };
    let facts = vec![SubscriptionFact::Invoice(Box::new(invoice))];
    Some(SubscriptionStatement {
        gateway_ref: gateway_ref.into(),
        tokens: distinct([nested(data, "metadata", TOKEN)]),
        facts,
    })
}
