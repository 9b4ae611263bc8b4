//! Whole stories, from HTTP to the page: does the page say what is true in the end, and is whoever paid let in, in
//! whatever order the events come, each once or twice, one by one or in a batch, with and without an API key?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_payments::Variant;
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::stripe::Stripe;
use actix_web::http::Method;
use serde_json::{Value, json};

use super::story::{DAY, START, Story, items, orders};
use crate::app::{App, Kind, SECRET, on_both_databases};
use crate::stripe::listener::{Listener, Say};

/// A story of one or two subscriptions of one owner; what the page of the last says, and whether the owner is let in.
struct Ending {
    tell: fn(&str, &str) -> Vec<Story>,
    says: &'static [&'static str],
    lets_in: bool,
}

fn ended(at: i64) -> Value {
    json!({"status": "canceled", "ended_at": at, "canceled_at": at})
}

/// Trial, paid, past due, recovered.
fn recovered(number: &str, owner: &str) -> Vec<Story> {
    let mut story = Story::new(number, "trialing");
    story.checkout(START, owner);
    story.update(START + 14 * DAY, json!({"status": "active", "items": items("price_tea", 1, START + 14 * DAY)}));
    story.update(START + 45 * DAY, json!({"items": items("price_tea", 1, START + 45 * DAY)}));
    story.update(START + 45 * DAY, json!({"status": "past_due"}));
    story.update(START + 46 * DAY, json!({"status": "active"}));
    vec![story]
}

fn given_up(number: &str, owner: &str) -> Vec<Story> {
    let mut story = Story::new(number, "active");
    story.checkout(START, owner).update(START + 31 * DAY, json!({"status": "past_due"}));
    story.update(START + 40 * DAY, json!({"status": "unpaid"}));
    story.send("deleted", START + 50 * DAY, ended(START + 50 * DAY));
    vec![story]
}

fn resumed(number: &str, owner: &str) -> Vec<Story> {
    let mut story = Story::new(number, "active");
    let end = json!({"cancel_at_period_end": true, "cancel_at": START + 31 * DAY, "canceled_at": START + DAY});
    story.checkout(START, owner).update(START + DAY, end);
    story.update(START + 2 * DAY, json!({"cancel_at_period_end": false, "cancel_at": null, "canceled_at": null}));
    vec![story]
}

fn upgraded(number: &str, owner: &str) -> Vec<Story> {
    let mut story = Story::new(number, "active");
    story.checkout(START, owner).update(START + 5 * DAY, json!({"items": items("price_pro", 3, START)}));
    story.update(START + 5 * DAY, json!({"latest_invoice": format!("in_upgrade_{number}")}));
    vec![story]
}

fn two_of_one_owner(number: &str, owner: &str) -> Vec<Story> {
    let mut old = Story::new(format!("{number}_old"), "active");
    old.checkout(START, owner).send("deleted", START + 3 * DAY, ended(START + 3 * DAY));
    let mut new = Story::new(format!("{number}_new"), "active");
    new.checkout(START + DAY, owner);
    vec![new, old]
}

fn updated_after_its_end(number: &str, owner: &str) -> Vec<Story> {
    let mut story = Story::new(number, "active");
    story.checkout(START, owner).send("deleted", START + 3 * DAY, ended(START + 3 * DAY));
    story.update(START + 3 * DAY, json!({"status": "active"})).update(START + 4 * DAY, json!({"status": "active"}));
    vec![story]
}

const ENDINGS: [Ending; 6] = [
    Ending { tell: recovered, says: &["Paid for until", "then it renews", "price_tea"], lets_in: true },
    Ending { tell: given_up, says: &["It ended on"], lets_in: false },
    Ending { tell: resumed, says: &["Paid for until", "then it renews"], lets_in: true },
    Ending { tell: upgraded, says: &["then it renews", "price_pro", "20.00 USD"], lets_in: true },
    Ending { tell: two_of_one_owner, says: &["It ended on"], lets_in: true },
    Ending { tell: updated_after_its_end, says: &["It ended on"], lets_in: false },
];

/// In their order, the other way round, from the middle on, the even ones first, and each twice.
fn shuffles(events: &[String]) -> Vec<Vec<&String>> {
    let forwards: Vec<&String> = events.iter().collect();
    let mut backwards = forwards.clone();
    backwards.reverse();
    let mut turned = forwards.clone();
    turned.rotate_left(events.len() / 2);
    let (even, odd): (Vec<_>, Vec<_>) = forwards.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let apart = odd.into_iter().chain(even).map(|(_, event)| *event).collect();
    let twice = backwards.iter().flat_map(|event| [*event, *event]).collect();
    vec![forwards, backwards, turned, apart, twice]
}

async fn every_ending_is_shown(app: &App, shelf: &Mutex<BTreeMap<String, Value>>) {
    app.pass(50 * DAY);
    for (which, ending) in ENDINGS.iter().enumerate() {
        for order in 0..5 {
            let owner = format!("user-{which}-{order}");
            let stories = (ending.tell)(&format!("{which}x{order}"), &owner);
            for story in &stories {
                shelf.lock().unwrap().insert(story.id().to_owned(), story.object().clone());
            }
            let events: Vec<String> = stories.iter().flat_map(|story| story.events.clone()).collect();
            for event in &shuffles(&events)[order] {
                assert_eq!(app.stripe(event).await.status, 200);
                if order % 2 == 1 {
                    app.drain().await;
                }
            }
            app.drain().await;
            let found = app.subscription(stories.last().unwrap().id()).await;
            assert_eq!(found.state.doubt, None, "{owner}: {found:?}");
            let page = app.get(&format!("/payments/admin/subscriptions/{}", found.token)).await.text();
            for words in ending.says.iter().chain([&owner.as_str()]) {
                assert!(page.contains(words), "{owner}: no {words:?} in {page}");
            }
            assert_eq!(app.payments.active(&owner).await.unwrap(), ending.lets_in, "{owner}: {found:?}");
        }
    }
    app.pass(120);
    app.drain().await;
    assert_eq!(app.events("discarded") + app.events("parked"), 0);
}

async fn deliver(app: &App, variant: &str, headers: &[(&'static str, String)], body: &str) {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = app.request(Method::POST, &format!("/payments/{variant}/"), &headers, body.as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
}

/// Where the page says this of the subscription, which is in this status.
async fn is_shown(app: &App, (variant, id): (&str, &str), status: SubscriptionStatus, says: &str) {
    let found = app.payments.subscription_at(variant, id).await.unwrap().unwrap();
    assert_eq!((found.status(), &found.state.doubt), (status, &None), "{found:?}");
    let page = app.get(&format!("/payments/admin/subscriptions/{}", found.token)).await.text();
    assert!(page.contains(says), "no {says:?} in {page}");
}

async fn stripe_with_a_key(kind: Kind) -> (App, Listener, Arc<Mutex<BTreeMap<String, Value>>>) {
    let shelf: Arc<Mutex<BTreeMap<String, Value>>> = Arc::default();
    let kept = shelf.clone();
    let listener = Listener::answering(move |heard| {
        let id = heard.path.rsplit('/').next().unwrap_or_default();
        match kept.lock().unwrap().get(id) {
            Some(object) if heard.method == "GET" => Say::Answer(200, vec![], object.to_string()),
            _ => Say::Answer(404, vec![], json!({"error": {"message": "no such object"}}).to_string()),
        }
    });
    let gateway = Stripe::new(SECRET).api_key("sk_test_1").api_base(&listener.address).api_retries(0);
    let gateway = Variant::from(gateway).grace(Duration::ZERO);
    (App::bare(kind, |builder| builder.variant("stripe", gateway)).await, listener, shelf)
}

on_both_databases! {
    async fn every_story_ends_on_its_page_as_it_ended_at_stripe_without_an_api_key(kind) {
        every_ending_is_shown(&App::new(kind).await, &Mutex::default()).await;
    }

    async fn every_story_ends_on_its_page_as_it_ended_at_stripe_with_an_api_key(kind) {
        let (app, _listener, shelf) = stripe_with_a_key(kind).await;
        every_ending_is_shown(&app, &shelf).await;
    }

    async fn paypals_late_sale_after_the_end_is_money_and_lets_nobody_in(kind) {
        let listener = Listener::answering(|heard| {
            let answer = match heard.path.rsplit('/').next().unwrap_or_default() {
                "token" => json!({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}),
                id => json!({"id": id, "status": "CANCELLED", "update_time": "2026-10-12T09:00:01Z"}),
            };
            Say::Answer(200, vec![], answer.to_string())
        });
        let keyless = crate::paypal::events::paypal;
        let keyed = || keyless().client("client", "very-secret").api_base(&listener.address).api_retries(0);
        for paypal in [keyless(), keyed()] {
            late_sale(&App::bare(kind, |builder| builder.variant("paypal", paypal)).await).await;
        }
    }

    async fn braintrees_end_is_the_same_in_every_order(kind) {
        let app = App::bare(kind, |builder| builder.variant("braintree", crate::braintree::braintree())).await;
        let happened = [
            ("charged_unsuccessfully", "08:53:25Z", "failed"),
            ("went_past_due", "08:53:30Z", "failed"),
            ("charged_successfully", "09:30:00Z", "charged"),
        ];
        let (past_due, active) = (SubscriptionStatus::PastDue, SubscriptionStatus::Active);
        for (told, status, says) in [(2, past_due, "Money is due"), (3, active, "Paid for until")] {
            for (number, order) in orders(told).into_iter().enumerate() {
                let id = format!("sub-{told}-{number}");
                for at in order {
                    let (name, time, transaction) = happened[at];
                    let xml = crate::braintree::events()[&format!("realistic.subscription_{name}")].clone();
                    let xml = xml.replace("2026-10-12T08:53:25Z", &format!("2026-10-12T{time}"));
                    let xml = xml.replace("sub-7", &id).replace("8x1k2mqp", &format!("{transaction}{told}{number}"));
                    for _ in 0..=number % 2 {
                        deliver(&app, "braintree", &[], &crate::braintree::signed(&xml)).await;
                    }
                    if number % 3 == 0 {
                        app.drain().await;
                    }
                }
                app.drain().await;
                let owner = format!("user-{told}-{number}");
                let token = app.payments.subscription_at("braintree", &id).await.unwrap().unwrap().token;
                app.payments.give_owner(&token, &owner).await.unwrap();
                is_shown(&app, ("braintree", &id), status, says).await;
                assert!(app.payments.active(&owner).await.unwrap(), "what is past due has its grace");
            }
        }
        app.pass(4 * DAY);
        let let_in = async |owner: &str| app.payments.active(owner).await.unwrap();
        assert_eq!((let_in("user-2-0").await, let_in("user-2-1").await, let_in("user-3-5").await), (false, false, true));
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE status = 'paid'"), 6);
    }
}

/// A sale that PayPal tells of after its subscription was cancelled, in every order.
async fn late_sale(app: &App) {
    let fixtures = crate::paypal::events::events();
    let happened = [
        ("BILLING.SUBSCRIPTION.ACTIVATED", "2026-10-12T08:53:19Z"),
        ("BILLING.SUBSCRIPTION.CANCELLED", "2026-10-12T09:00:00Z"),
        ("BILLING.SUBSCRIPTION.UPDATED", "2026-10-12T09:00:01Z"),
        ("PAYMENT.SALE.COMPLETED", "2026-10-12T09:00:02Z"),
    ];
    for (number, order) in orders(happened.len()).into_iter().enumerate() {
        let id = format!("I-{number}");
        for at in order {
            let (name, time) = happened[at];
            let mut event: Value = serde_json::from_str(&fixtures[name]).unwrap();
            event["id"] = json!(format!("WH-{number}-{at}"));
            event["create_time"] = json!(time);
            let resource = &mut event["resource"];
            if name == "PAYMENT.SALE.COMPLETED" {
                resource["id"] = json!(format!("SALE{number}"));
                resource["billing_agreement_id"] = json!(id);
            } else {
                resource["id"] = json!(id);
                resource["update_time"] = json!(time);
                resource["custom_id"] = json!(format!("user-{number}"));
            }
            let body = event.to_string();
            deliver(app, "paypal", &crate::paypal::events::signed(&body), &body).await;
            if number % 2 == 0 {
                app.drain().await;
            }
        }
        app.drain().await;
        is_shown(app, ("paypal", &id), SubscriptionStatus::Canceled, "It ended on").await;
        assert!(!app.payments.active(&format!("user-{number}")).await.unwrap());
    }
    // The sale is a payment all the same.
    app.pass(120);
    app.drain().await;
    assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE status = 'paid'"), 24);
}
