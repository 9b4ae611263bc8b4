//! Reads subscriptions (<https://developer.paddle.com/api-reference/subscriptions/overview>): every event about one
//! shows it whole, with the change that is scheduled. A transaction of a subscription is its invoice.

use std::collections::BTreeMap;

use crate::domain::event::{Interpretation, Malformed, Recorded, SubscriptionStatement, distinct};
use crate::domain::explain::spaced;
use crate::domain::money::Money;
use crate::domain::subscription::{
    BillingPeriod, CollectionPause, SubscriptionContent, SubscriptionFact, SubscriptionInvoice, SubscriptionItem,
    SubscriptionSnapshot, SubscriptionStatus,
};
use crate::gateways::json::{Object, short};
use crate::gateways::reading::{ANSWERED, as_of, money, nested, number_text, since, time};

/// Where our token of a subscription is in `custom_data`.
pub(super) const TOKEN: &str = "subscription_token";

/// What an event of the kind `subscription.<verb>` says.
pub(super) fn read(
    event: &Recorded<'_>,
    verb: &str,
    data: &Object<'_>,
    owner_key: &str,
) -> Result<Interpretation, Malformed> {
    let gateway_ref = data.need_id("id")?;
    let content = content(data, owner_key)?;
    let ends = content.cancel_at.map(|_| ", to be canceled").unwrap_or_default();
    let summary = format!("subscription {}{ends}", spaced(&content.gateway_status));
    let snapshot = SubscriptionSnapshot {
        is_end: content.status == SubscriptionStatus::Canceled,
        is_first: verb == "created",
        values: BTreeMap::new(),
        previous: BTreeMap::new(),
        progress: None,
        is_answer: event.kind.ends_with(ANSWERED),
        content,
        occurred_at: as_of(event, time(data, "updated_at")),
        event_id: event.id.to_owned(),
    };
    let facts = vec![SubscriptionFact::Snapshot(Box::new(snapshot))];
    let tokens = distinct([nested(data, "custom_data", TOKEN)]);
    let subscription = Some(SubscriptionStatement { gateway_ref: gateway_ref.into(), tokens, facts });
    Ok(Interpretation { summary, subscription, ..Interpretation::default() })
}

fn content(data: &Object<'_>, owner_key: &str) -> Result<SubscriptionContent, Malformed> {
    let gateway_status = data.need_id("status")?;
    let status = match gateway_status.as_str() {
        "trialing" => SubscriptionStatus::Trialing,
        "active" => SubscriptionStatus::Active,
        "past_due" => SubscriptionStatus::PastDue,
        "paused" => SubscriptionStatus::Paused,
        "canceled" => SubscriptionStatus::Canceled,
        _ => SubscriptionStatus::Unknown,
    };
    let items = data.objects("items", "an item")?;
    let period = data
        .object("current_billing_period", "a period")?
        .and_then(|period| Some(BillingPeriod { start: time(&period, "starts_at")?, end: time(&period, "ends_at")? }));
    let change = data.object("scheduled_change", "a scheduled change")?;
    let action = change.as_ref().and_then(|change| short(change, "action"));
    let at = |name: &str, of: &str| {
        change.as_ref().filter(|_| action.as_deref() == Some(of)).and_then(|change| time(change, name))
    };
    let cancel_at = at("effective_at", "cancel");
    let canceled_at = time(data, "canceled_at");
    let trial_ends = items.iter().filter_map(|item| time(&item.object("trial_dates", "a trial").ok()??, "ends_at"));
    Ok(SubscriptionContent {
        status,
        gateway_status,
        owner: nested(data, "custom_data", owner_key),
        customer_ref: short(data, "customer_id").map(Into::into),
        items: items.iter().filter_map(item).collect(),
        started_at: time(data, "started_at"),
        period,
        renews_at: None,
        trial_end: trial_ends.max(),
        cancel_at,
        cancel_at_period_end: cancel_at.is_some() && cancel_at == period.map(|period| period.end),
        canceled_at,
        ended_at: canceled_at.filter(|_| status == SubscriptionStatus::Canceled),
        pause: (status == SubscriptionStatus::Paused)
            .then(|| CollectionPause { behavior: "paused".to_owned(), resumes_at: at("effective_at", "resume") }),
        latest_invoice: None,
        schedule: None,
    })
}

fn item(item: &Object<'_>) -> Option<SubscriptionItem> {
    let price = item.object("price", "a price").ok()??;
    let unit = price.object("unit_price", "a price").ok().flatten();
    let amount = unit.and_then(|unit| money(number_text(&unit, "amount").ok()??, &short(&unit, "currency_code")?).ok());
    let cycle = price.object("billing_cycle", "a billing cycle").ok().flatten();
    Some(SubscriptionItem {
        price: short(&price, "id")?,
        product: short(&price, "product_id"),
        quantity: item.integer("quantity").ok().flatten(),
        amount,
        interval: cycle.as_ref().and_then(|cycle| short(cycle, "interval")),
        interval_count: cycle.and_then(|cycle| cycle.integer("frequency").ok().flatten()),
    })
}

/// What a transaction says of the subscription that it is of; `None` if it is of none, or not billed yet.
pub(super) fn of_transaction(
    event: &Recorded<'_>,
    data: &Object<'_>,
    due: Option<Money>,
    payments: &[Object<'_>],
) -> Option<SubscriptionStatement> {
    let gateway_ref = short(data, "subscription_id")?;
    let status = short(data, "status")?;
    let paid = matches!(status.as_str(), "paid" | "completed");
    let closed = status == "canceled";
    if !(paid || closed || matches!(status.as_str(), "billed" | "past_due")) {
        return None;
    }
    let invoice = SubscriptionInvoice {
        gateway_ref: short(data, "id")?.into(),
        paid,
        paid_at: payments.iter().filter_map(|payment| time(payment, "captured_at")).max().filter(|_| paid),
        closed,
        status,
        due,
        attempts: i64::try_from(payments.len()).unwrap_or(i64::MAX),
        next_attempt: None,
        due_at: None,
        created_at: time(data, "created_at").unwrap_or(event.occurred_at),
        // An answer about an invoice that was paid long ago must not look like a payment of today.
        occurred_at: since(event, true, time(data, "updated_at")),
        event_id: event.id.to_owned(),
    };
    let facts = vec![SubscriptionFact::Invoice(Box::new(invoice))];
    Some(SubscriptionStatement {
        gateway_ref: gateway_ref.into(),
        tokens: distinct([nested(data, "custom_data", TOKEN)]),
        facts,
    })
}
