//! Reads subscriptions (<https://docs.stripe.com/api/subscriptions/object>): every event about one shows it whole.
//! Since API version 2025-03-31 (basil) the billing periods are on its items, before that on the subscription.

use std::collections::BTreeMap;

use super::snapshot::{ANSWERED, nested};
use crate::domain::Timestamp;
use crate::domain::event::{Interpretation, Malformed, Recorded, SubscriptionStatement, distinct};
use crate::domain::explain::spaced;
use crate::domain::money::{Currency, Money};
use crate::domain::subscription::{
    BillingPeriod, CollectionPause, SubscriptionContent, SubscriptionFact, SubscriptionItem, SubscriptionSnapshot,
    SubscriptionStatus,
};
use crate::gateways::json::{self, Object, short};
use crate::gateways::stripe::money;

/// Where our token of a subscription is in the metadata of Stripe's objects.
pub(in crate::gateways::stripe) const TOKEN: &str = "subscription_token";

/// What an event of the kind `customer.subscription.<verb>` says.
pub(super) fn read(
    event: &Recorded<'_>,
    verb: &str,
    data: &Object<'_>,
    owner_key: &str,
) -> Result<Interpretation, Malformed> {
    let object = data.need_object("object", "a subscription")?;
    if object.text("object")?.is_some_and(|given| given != "subscription") {
        return Err(Malformed(format!("expected an object of type subscription with {}, got another", event.kind)));
    }
    let gateway_ref = object.need_id("id")?;
    let content = content(&object, owner_key)?;
    let summary = format!("subscription {}", spaced(&content.gateway_status));
    let ends = [SubscriptionStatus::Canceled, SubscriptionStatus::Expired];
    let previous = data.object("previous_attributes", "the values before").ok().flatten();
    let mut whole = values(&object, owner_key);
    whole.entry("owner".to_owned()).or_default();
    let snapshot = SubscriptionSnapshot {
        is_end: ends.contains(&content.status),
        is_first: verb == "created",
        values: whole,
        previous: previous.as_ref().map(|previous| values(previous, owner_key)).unwrap_or_default(),
        progress: None,
        is_answer: verb == ANSWERED,
        content,
        occurred_at: event.occurred_at,
        event_id: event.id.to_owned(),
    };
    let facts = vec![SubscriptionFact::Snapshot(Box::new(snapshot))];
    let tokens = distinct([nested(&object, "metadata", TOKEN)]);
    let subscription = Some(SubscriptionStatement { gateway_ref: gateway_ref.into(), tokens, facts });
    Ok(Interpretation { summary, subscription, ..Interpretation::default() })
}

fn content(object: &Object<'_>, owner_key: &str) -> Result<SubscriptionContent, Malformed> {
    let gateway_status = object.need_id("status")?;
    let items = items(object);
    let list = object.object("items", "a list of items").ok().flatten();
    let has_more = list.is_some_and(|list| list.bool_or_false("has_more").unwrap_or(false));
    let period = period(object).or_else(|| items.iter().filter_map(period).min_by_key(|period| period.end));
    let pause = object.object("pause_collection", "a pause").ok().flatten();
    Ok(SubscriptionContent {
        status: status(&gateway_status),
        gateway_status,
        owner: nested(object, "metadata", owner_key),
        customer_ref: object.link("customer").map(Into::into),
        items: items.iter().filter_map(item).map(|item| if has_more { without_amount(item) } else { item }).collect(),
        started_at: time(object, "start_date"),
        period,
        renews_at: None,
        trial_end: time(object, "trial_end"),
        cancel_at: time(object, "cancel_at"),
        cancel_at_period_end: object.bool_or_false("cancel_at_period_end").unwrap_or(false),
        canceled_at: time(object, "canceled_at"),
        ended_at: time(object, "ended_at"),
        pause: pause.map(|pause| CollectionPause {
            behavior: short(&pause, "behavior").unwrap_or_default(),
            resumes_at: time(&pause, "resumes_at"),
        }),
        latest_invoice: object.link("latest_invoice").map(Into::into),
        schedule: object.link("schedule").map(Into::into),
    })
}

/// Our word for Stripe's (<https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses>).
fn status(word: &str) -> SubscriptionStatus {
    match word {
        "incomplete" => SubscriptionStatus::Incomplete,
        "incomplete_expired" => SubscriptionStatus::Expired,
        "trialing" => SubscriptionStatus::Trialing,
        "active" => SubscriptionStatus::Active,
        "past_due" => SubscriptionStatus::PastDue,
        "unpaid" => SubscriptionStatus::Unpaid,
        "canceled" => SubscriptionStatus::Canceled,
        "paused" => SubscriptionStatus::Paused,
        _ => SubscriptionStatus::Unknown,
    }
}

/// An item of a list that is cut off: the sum of those that are there would look like that of all.
fn without_amount(item: SubscriptionItem) -> SubscriptionItem {
    SubscriptionItem { amount: None, ..item }
}

/// The items, as far as they are objects. An event has ten of them at the most.
fn items<'a>(object: &Object<'a>) -> Vec<Object<'a>> {
    let list = object.object("items", "a list of items").ok().flatten();
    list.and_then(|list| list.objects("data", "an item").ok()).unwrap_or_default()
}

fn item(item: &Object<'_>) -> Option<SubscriptionItem> {
    let price = item.object("price", "a price").ok().flatten();
    let price = price.or_else(|| item.object("plan", "a plan").ok().flatten())?;
    let recurring = price.object("recurring", "an interval").ok().flatten();
    let interval = |name| recurring.as_ref().and_then(|of| short(of, name)).or_else(|| short(&price, name));
    let count = |of: &Object<'_>| of.integer("interval_count").ok().flatten();
    let amount = ["unit_amount", "amount"].into_iter().find_map(|name| price.integer(name).ok().flatten());
    // Where the quantity is divided first (by packages of ten, say), one has no amount of its own.
    let amount = amount.filter(|_| matches!(price.object("transform_quantity", "a division"), Ok(None)));
    let currency = short(&price, "currency").and_then(|code| Currency::parse(&code).ok());
    let amount = amount
        .zip(currency)
        .and_then(|(amount, currency)| Some(Money::new(money::to_minor(amount, currency).ok()?, currency)));
    Some(SubscriptionItem {
        price: price.link("id")?,
        product: price.link("product"),
        quantity: item.integer("quantity").ok().flatten(),
        amount,
        interval: interval("interval"),
        interval_count: recurring.as_ref().and_then(count).or_else(|| count(&price)),
    })
}

/// The billing period of a subscription or an item, where it is there.
fn period(object: &Object<'_>) -> Option<BillingPeriod> {
    Some(BillingPeriod { start: time(object, "current_period_start")?, end: time(object, "current_period_end")? })
}

fn time(object: &Object<'_>, name: &str) -> Option<Timestamp> {
    json::time(object.raw(name)?)
}

/// The fields that tell which of two snapshots of one second is the later one, as far as they are present: of
/// `previous_attributes` only those are that changed.
fn values(object: &Object<'_>, owner_key: &str) -> BTreeMap<String, String> {
    let plain = [
        "status",
        "cancel_at",
        "cancel_at_period_end",
        "canceled_at",
        "ended_at",
        "trial_end",
        "current_period_start",
        "current_period_end",
    ];
    let mut values = BTreeMap::new();
    for name in plain {
        values.extend(object.given(name).map(|raw| (name.to_owned(), raw.trim_matches('"').to_owned())));
    }
    for name in ["latest_invoice", "schedule"] {
        if object.given(name).is_some() {
            values.insert(name.to_owned(), object.link(name).unwrap_or_default());
        }
    }
    if object.given("pause_collection").is_some() {
        let pause = object.object("pause_collection", "a pause").ok().flatten();
        let words = pause.map(|pause| {
            let resumes = pause.raw("resumes_at").unwrap_or_default();
            format!("{} {resumes}", short(&pause, "behavior").unwrap_or_default())
        });
        values.insert("pause_collection".to_owned(), words.unwrap_or_default());
    }
    // Of metadata, only the keys that changed are among the previous attributes; `null` where it is new.
    if let Some(metadata) = object.object("metadata", "the metadata").ok().flatten()
        && metadata.given(owner_key).is_some()
    {
        values.insert("owner".to_owned(), short(&metadata, owner_key).unwrap_or_default());
    }
    if object.given("items").is_some() {
        let words: Vec<String> = items(object).iter().map(item_words).collect();
        values.insert("items".to_owned(), words.join(", "));
    }
    values
}

fn item_words(item: &Object<'_>) -> String {
    let of_item = self::item(item);
    let price = of_item.as_ref().map_or("", |item| item.price.as_str());
    let field = |name: &str| item.raw(name).unwrap_or_default().trim_matches('"').to_owned();
    let quantity = of_item.as_ref().and_then(|item| item.quantity).unwrap_or_default();
    let (start, end) = (field("current_period_start"), field("current_period_end"));
    format!("{} {price} {quantity} {start} {end}", field("id"))
}
