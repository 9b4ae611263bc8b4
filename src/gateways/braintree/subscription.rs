//! Reads subscriptions (<https://developer.paypal.com/braintree/docs/reference/response/subscription>): every
//! notification about one shows it whole. Braintree has no pause, and its prices are without a currency. It ends one at
//! once, and what is paid for counts until it is over.

use std::collections::BTreeMap;

use roxmltree::Node;
use time::macros::format_description;

use super::notification::{ANSWERED, child, first_transaction, money, text};
use crate::domain::event::{Malformed, Recorded, SubscriptionStatement};
use crate::domain::subscription::{
    BillingPeriod, SubscriptionContent, SubscriptionFact, SubscriptionInvoice, SubscriptionItem, SubscriptionSnapshot,
    SubscriptionStatus,
};
use crate::domain::{Timestamp, parse_rfc3339, storable_time};

/// What a notification of the kind `subscription_…` states; `None` if it does not say how the subscription stands, as
/// some samples of Braintree's libraries.
pub(super) fn read(event: &Recorded<'_>, object: Node<'_, '_>) -> Result<Option<SubscriptionStatement>, Malformed> {
    let missing = || Malformed("expected `id` of a subscription to be an id, got none".to_owned());
    let gateway_ref = text(object, "id").ok_or_else(missing)?.to_owned();
    let by_kind = match event.kind {
        "subscription_went_active" | "subscription_trial_ended" => Some("Active"),
        "subscription_went_past_due" => Some("Past Due"),
        "subscription_canceled" => Some("Canceled"),
        "subscription_expired" => Some("Expired"),
        _ => None,
    };
    let Some(gateway_status) = text(object, "status").or(by_kind).map(str::to_owned) else { return Ok(None) };
    let changed = text(object, "updated-at").and_then(parse_rfc3339).unwrap_or(event.occurred_at);
    // An answer to a question shows it as of then, however long ago it changed.
    let occurred_at = if event.kind == ANSWERED { changed.max(event.occurred_at) } else { changed };
    // Braintree says for good that it began with a trial, and on which day it bills first.
    let bills_at = day(object, "first-billing-date");
    let is_billed = matches!(event.kind, "subscription_went_active" | "subscription_trial_ended")
        || bills_at.is_some_and(|day| day <= occurred_at);
    let is_trial = text(object, "trial-period") == Some("true") && !is_billed;
    let status = status(&gateway_status, is_trial);
    let is_over = matches!(status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired);
    let customer = first_transaction(object).and_then(|transaction| child(transaction, "customer"));
    let of_customer = |name: &str| customer.and_then(|customer| text(customer, name)).map(str::to_owned);
    let start = day(object, "billing-period-start-date");
    // The last day is part of the period.
    let end = day(object, "billing-period-end-date").and_then(|end| end.checked_add(time::Duration::DAY));
    let paid_through = day(object, "paid-through-date").and_then(end_of);
    let content = SubscriptionContent {
        status,
        gateway_status,
        owner: None,
        customer_ref: of_customer("id").map(Into::into),
        items: item(object).into_iter().collect(),
        started_at: text(object, "created-at").and_then(parse_rfc3339),
        period: start.zip(end).map(|(start, end)| BillingPeriod { start, end }),
        renews_at: None,
        trial_end: bills_at.filter(|_| is_trial),
        cancel_at: None,
        cancel_at_period_end: false,
        canceled_at: (status == SubscriptionStatus::Canceled).then_some(changed),
        ended_at: is_over.then_some(changed).max(paid_through.filter(|_| status == SubscriptionStatus::Canceled)),
        pause: None,
        latest_invoice: first_transaction(object).and_then(|of| text(of, "id")).map(Into::into),
        schedule: None,
    };
    let invoice = invoice(event, object, occurred_at);
    let event_id = event.id.to_owned();
    let snapshot = SubscriptionSnapshot {
        content,
        is_end: is_over,
        is_first: false,
        values: BTreeMap::new(),
        previous: BTreeMap::new(),
        progress: Some(progress(object)),
        is_answer: event.kind == ANSWERED,
        occurred_at,
        event_id: event_id.clone(),
    };
    let mut facts = vec![SubscriptionFact::Snapshot(Box::new(snapshot))];
    facts.extend(of_customer("email").map(|email| SubscriptionFact::Customer { email, occurred_at, event_id }));
    facts.extend(invoice.map(Box::new).map(SubscriptionFact::Invoice));
    Ok(Some(SubscriptionStatement { gateway_ref: gateway_ref.into(), tokens: Vec::new(), facts }))
}

/// What a status of Braintree's means.
fn status(gateway_status: &str, is_trial: bool) -> SubscriptionStatus {
    match gateway_status {
        "Pending" => SubscriptionStatus::Incomplete,
        "Active" if is_trial => SubscriptionStatus::Trialing,
        "Active" => SubscriptionStatus::Active,
        "Past Due" => SubscriptionStatus::PastDue,
        "Canceled" => SubscriptionStatus::Canceled,
        "Expired" => SubscriptionStatus::Expired,
        _ => SubscriptionStatus::Unknown,
    }
}

/// What only grows from one snapshot to the next: the day until which it is paid for, the billing cycle, the charges
/// that failed in it, and when the newest transaction was made. Braintree's times have whole seconds, and it sends
/// several notifications within one.
fn progress(object: Node<'_, '_>) -> String {
    let number = |name: &str| text(object, name).and_then(|number| number.parse::<u32>().ok()).unwrap_or(0);
    let transactions = child(object, "transactions").into_iter().flat_map(|list| list.children());
    let newest = transactions.filter_map(|transaction| text(transaction, "created-at")).max().unwrap_or_default();
    let paid_through = text(object, "paid-through-date").unwrap_or_default();
    let (cycle, failures) = (number("current-billing-cycle"), number("failure-count"));
    format!("{paid_through:10} {cycle:08} {failures:08} {newest}")
}

/// The invoice that a charge is: Braintree has no other. Its transaction is the payment's object, too. It is as of the
/// snapshot beside it, so that a charge that leaves the subscription past due does not count as paid since.
fn invoice(event: &Recorded<'_>, object: Node<'_, '_>, occurred_at: Timestamp) -> Option<SubscriptionInvoice> {
    let paid = match event.kind {
        "subscription_charged_successfully" => true,
        "subscription_charged_unsuccessfully" => false,
        _ => return None,
    };
    let transaction = first_transaction(object)?;
    let time = |name: &str| text(transaction, name).and_then(parse_rfc3339);
    Some(SubscriptionInvoice {
        gateway_ref: text(transaction, "id")?.into(),
        status: text(transaction, "status").unwrap_or_default().to_owned(),
        paid,
        paid_at: None,
        closed: false,
        due: money(transaction, "amount").ok().flatten(),
        attempts: 1,
        next_attempt: None,
        due_at: None,
        created_at: time("created-at").unwrap_or(event.occurred_at),
        occurred_at,
        event_id: event.id.to_owned(),
    })
}

fn item(object: Node<'_, '_>) -> Option<SubscriptionItem> {
    let price = text(object, "plan-id")?.to_owned();
    Some(SubscriptionItem {
        price,
        product: None,
        quantity: Some(1),
        amount: None,
        interval: None,
        interval_count: None,
    })
}

/// When the day is over everywhere: nobody is to be shut out hours before what was paid for ends.
fn end_of(day: Timestamp) -> Option<Timestamp> {
    day.checked_add(time::Duration::hours(24 + 12))
}

/// The beginning of a day, `2026-11-11`. Braintree's days are of the merchant's time zone, which it does not say.
fn day(object: Node<'_, '_>, name: &str) -> Option<Timestamp> {
    let day = time::Date::parse(text(object, name)?, format_description!("[year]-[month]-[day]")).ok()?;
    storable_time(day.midnight().assume_utc())
}
