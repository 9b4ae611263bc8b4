//! Does Stripe hear from us about subscriptions what it hears from its own library?

use actix_payments::domain::Timestamp;
use actix_payments::domain::subscription::{PlanChange, Proration, SubscriptionStatus};
use actix_payments::gateways::Gateway;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::gateways::subscriptions::{SubscriptionCall, SubscriptionRequest, SubscriptionVerb};
use serde_json::{Value, json};

use super::calls::{fields, recorded};
use super::listener::{Heard, Listener, Say};
use crate::scenes::with;

/// Asserts that a request is the one that Stripe's library was recorded to send for `call`: method, path, header fields,
/// and fields in any order, but for `ours`, whose values are the host's.
#[track_caller]
pub(crate) fn assert_as_recorded(call: &str, heard: &Heard, ours: &[&str]) {
    let recorded = recorded();
    let theirs = recorded["calls"].as_array().unwrap().iter().find(|one| one["call"] == call).expect("a recorded call");
    let text = |name: &str| theirs[name].as_str().unwrap().to_owned();
    let parts =
        |path: &str| path.split_once('?').map_or((path.to_owned(), String::new()), |(a, b)| (a.into(), b.into()));
    let ((path, query), (their_path, their_query)) = (parts(&heard.path), parts(&text("path")));
    assert_eq!((&heard.method, &path), (&text("method"), &their_path));
    for (name, value) in theirs["headers"].as_object().unwrap() {
        let is_fresh = name == "content-length" || value.as_str().unwrap().starts_with("stripe-node-retry-");
        assert!(is_fresh || heard.header(name) == value.as_str(), "{call}: {name} is {:?}", heard.header(name));
    }
    let sorted = |query: &str, body: &str| {
        let mut all = [fields(query), fields(body)].concat();
        all.retain(|(name, _)| !ours.contains(&name.as_str()));
        all.sort();
        all
    };
    assert_eq!(sorted(&query, &heard.body), sorted(&their_query, &text("body")), "{call}");
}

/// A Stripe that shows a subscription so; its other answers are empty lists.
fn showing(changes: Value) -> Listener {
    let mut subscription = json!({"id": "sub_x", "object": "subscription", "status": "active", "created": 1,
        "items": {"data": [{"id": "si_1", "price": {"id": "price_1"}, "quantity": 3}]}, "customer": "cus_1"});
    for (name, value) in changes.as_object().unwrap() {
        subscription[name] = value.clone();
    }
    Listener::answering(move |heard| {
        let shown =
            if heard.path.starts_with("/v1/subscriptions") { subscription.clone() } else { json!({"data": []}) };
        Say::Answer(200, vec![("content-type", "application/json".to_owned())], shown.to_string())
    })
}

fn stripe(listener: &Listener) -> Stripe {
    Stripe::new("whsec_test").api_key("sk_test_123").api_base(&listener.address)
}

/// What is heard of a call about a subscription that stands so.
async fn heard(call: SubscriptionCall, changes: Value) -> Vec<Heard> {
    let listener = showing(changes);
    // What comes of an answer is another test's.
    let _ = stripe(&listener).subscriptions().unwrap().call(&call).await;
    listener.heard()
}

#[actix_web::test]
async fn a_subscription_is_asked_about_as_stripes_library_asks() {
    let call = |verb| SubscriptionCall::new(verb, "sub_x", "op_1");
    let of_trial = with(call(SubscriptionVerb::Unpause), |it| it.state.status = SubscriptionStatus::Paused);
    let change = PlanChange::new().price("price_2").quantity(2).proration(Proration::InvoiceNow);
    let changing = with(call(SubscriptionVerb::Change), |it| it.change = Some(change));
    let cases = [
        (call(SubscriptionVerb::Refresh), json!({}), ["subscriptions.retrieve", "invoices.list of a subscription"]),
        (call(SubscriptionVerb::Cancel), json!({}), ["subscriptions.cancel at once", "subscriptions.retrieve"]),
        (call(SubscriptionVerb::CancelAtEnd), json!({}), ["subscriptions.update end", "subscriptions.retrieve"]),
        (call(SubscriptionVerb::Pause), json!({}), ["subscriptions.update pause", "subscriptions.retrieve"]),
        (call(SubscriptionVerb::Unpause), json!({}), ["subscriptions.update no pause", "subscriptions.retrieve"]),
        (of_trial, json!({}), ["subscriptions.resume", "subscriptions.retrieve"]),
        (
            call(SubscriptionVerb::Resume),
            json!({"cancel_at_period_end": true, "cancel_at": 9}),
            ["subscriptions.retrieve", "subscriptions.update no end"],
        ),
        (changing, json!({}), ["subscriptions.retrieve", "subscriptions.update item"]),
    ];
    for (call, changes, names) in cases {
        let heard = heard(call, changes).await;
        assert!(heard.len() >= 2, "{heard:?}");
        for (name, heard) in names.iter().zip(&heard) {
            assert_as_recorded(name, heard, &[]);
        }
    }
    // An end that was decided as a date is taken back by the date, under a key of its own.
    let mut by_date = heard(call(SubscriptionVerb::Resume), json!({"cancel_at": 9})).await.swap_remove(1);
    let key = by_date.headers.iter_mut().find(|(name, _)| name == "idempotency-key").unwrap();
    assert_eq!(std::mem::replace(&mut key.1, "op_1".to_owned()), "op_1_date");
    assert_as_recorded("subscriptions.update no date", &by_date, &[]);
}

#[actix_web::test]
async fn a_subscription_is_started_and_missed_thin_events_are_listed_as_stripes_library_does_it() {
    let listener = showing(json!({}));
    let request = with(SubscriptionRequest::new("tok_1", "price_1"), |it| {
        it.quantity = 3;
        it.owner = Some("user-42".to_owned());
        it.return_url = Some("https://shop.example/thanks".to_owned());
    });
    let _ = stripe(&listener).subscriptions().unwrap().subscribe(&request).await;
    assert_as_recorded("checkout.sessions.create (subscription)", &listener.heard()[0], &[]);
    let thin = Stripe::thin("whsec_thin").api_key("sk_test_123").api_base(&listener.address);
    let since = Timestamp::from_unix_timestamp(1_791_712_000).unwrap();
    thin.list(since, None).await.unwrap();
    let heard = listener.heard().pop().unwrap();
    let its = with(heard, |it| it.path = it.path.replace("%3A", ":"));
    assert_as_recorded("v2.core.events.list", &its, &["created[gte]"]);
}
