//! Does Stripe do what is asked of a subscription exactly once, and is its answer an event like any other?

use std::sync::{Arc, Mutex};

use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::standard_webhooks::StandardWebhooks;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{ErrorKind, NewSubscription, Next, Outcome, Token};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc2822;

use super::story::{START, Story};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::events::fixture;
use crate::stripe::listener::{Heard, Listener, Say};

/// What the fake knows: its subscription, and how often it is to hang up without an answer after it has acted.
struct Remote {
    object: Value,
    hangs: u32,
    /// Whether it keeps an end whatever it is asked.
    insists: bool,
    keys: Vec<String>,
}

fn date() -> (&'static str, String) {
    let now = time::OffsetDateTime::from_unix_timestamp(NOW).unwrap();
    ("date", now.format(&Rfc2822).unwrap())
}

impl Remote {
    fn answer(&mut self, heard: &Heard) -> Say {
        let ok = |object: &Value| Say::Answer(200, vec![date()], object.to_string());
        if heard.path == "/v1/checkout/sessions" {
            return ok(&json!({"id": "cs_1", "object": "checkout.session", "url": "https://checkout.stripe.com/c/1"}));
        }
        if heard.path != "/v1/subscriptions/sub_1" {
            return Say::Answer(404, vec![date()], json!({"error": {"message": "no such subscription"}}).to_string());
        }
        match (heard.method.as_str(), heard.body.as_str()) {
            ("GET", _) => {}
            ("DELETE", _) => {
                self.object["status"] = json!("canceled");
                self.object["ended_at"] = json!(NOW);
            }
            ("POST", "cancel_at_period_end=true") => {
                self.object["cancel_at_period_end"] = json!(true);
                self.object["cancel_at"] = json!(1_794_478_400);
            }
            // It takes back the end that was decided by it, and none that is a date.
            ("POST", "cancel_at_period_end=false") => {
                if self.object["cancel_at_period_end"] == true {
                    self.object["cancel_at"] = Value::Null;
                }
                self.object["cancel_at_period_end"] = json!(false);
            }
            ("POST", "cancel_at=") if !self.insists => self.object["cancel_at"] = Value::Null,
            ("POST", "cancel_at=") => {}
            other => panic!("{other:?}"),
        }
        self.keys.extend(heard.header("idempotency-key").map(str::to_owned));
        if self.hangs > 0 {
            self.hangs -= 1;
            return Say::Nothing;
        }
        ok(&self.object)
    }
}

/// An app whose gateway is a fake that has the subscription `sub_1`, which the app knows.
async fn app(kind: Kind) -> (App, Listener, Arc<Mutex<Remote>>, Token) {
    let mut object = fixture("customer.subscription.updated")["data"]["object"].take();
    object["id"] = json!("sub_1");
    let remote = Arc::new(Mutex::new(Remote { object, hangs: 0, insists: false, keys: Vec::new() }));
    let kept = remote.clone();
    let listener = Listener::answering(move |heard| kept.lock().unwrap().answer(heard));
    let gateway = Stripe::new(SECRET).api_key("sk_test_1").api_base(&listener.address).api_retries(0);
    let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
    app.hear(&Story::new(1, "active")).await;
    let token = app.subscription("sub_1").await.token;
    (app, listener, remote, token)
}

fn operations(app: &App) -> Vec<String> {
    app.texts("SELECT verb || ' ' || state AS t FROM pay_subscription_operations WHERE actor = 'the app' ORDER BY id")
}

on_both_databases! {
    async fn a_subscription_is_started_and_its_events_find_it(kind) {
        let (app, listener, ..) = app(kind).await;
        let new = NewSubscription::new("stripe", "price_tea").owner("user-42").quantity(2).trial_days(14);
        let new = new.return_url("https://shop.example/tea?s={token}").customer("jenny@example.com");
        let started = app.payments.subscribe(new).await.unwrap();
        let token = started.subscription.token;
        assert_eq!(started.next, Next::Redirect("https://checkout.stripe.com/c/1".to_owned()));
        let heard = listener.heard().pop().unwrap();
        assert_eq!(heard.header("idempotency-key"), Some(format!("{token}-checkout").as_str()));
        let fields = [
            "mode=subscription", "line_items[0][price]=price_tea", "line_items[0][quantity]=2",
            "client_reference_id=user-42", "subscription_data[trial_period_days]=14",
            &format!("subscription_data[metadata][subscription_token]={token}"),
            "subscription_data[metadata][owner]=user-42", &format!("tea%3Fs%3D{token}"),
        ];
        for field in fields {
            assert!(heard.body.contains(field), "no {field} in {}", heard.body);
        }
        // The gateway's own events name it by the token, in whatever order they come.
        let mut story = Story::new(2, "incomplete");
        story.update(START + 1, json!({"metadata": {"owner": "user-42", "subscription_token": token}}));
        story.update(START + 2, json!({"status": "trialing"}));
        app.deliver(&[&story.events[2], &story.events[1]]).await;
        let found = app.payments.subscription(&token).await.unwrap().unwrap();
        assert_eq!((found.gateway_ref.as_deref(), found.status()), (Some("sub_2"), SubscriptionStatus::Trialing));
        assert_eq!((found.adopted, found.owner()), (false, Some("user-42")));
        assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions"), 2);
    }

    async fn an_end_is_decided_taken_back_and_made_at_once(kind) {
        let (app, listener, _, token) = app(kind).await;
        assert_eq!(app.payments.cancel_subscription_at_end(&token).await.unwrap(), Outcome::Done);
        let ending = app.subscription("sub_1").await;
        assert_eq!(ending.state.ends_at().unwrap().unix_timestamp(), 1_794_478_400);
        let again = app.payments.cancel_subscription_at_end(&token).await.unwrap_err();
        assert_eq!((again.kind(), again.to_string().as_str()), (ErrorKind::Refused, "Its end is decided already."));
        app.pass(1);
        assert_eq!(app.payments.resume_subscription(&token).await.unwrap(), Outcome::Done);
        assert_eq!(app.payments.cancel_subscription(&token).await.unwrap(), Outcome::Done);
        assert_eq!(app.subscription("sub_1").await.status(), SubscriptionStatus::Canceled);
        let over = app.payments.resume_subscription(&token).await.unwrap_err();
        assert_eq!((over.kind(), over.to_string().as_str()), (ErrorKind::Refused, "It has ended."));
        assert_eq!(operations(&app), ["cancel_at_end done", "resume done", "cancel done"]);
        // Each call, the look at what it made of the subscription, and one at which end is to be taken back.
        assert_eq!(listener.heard().len(), 7);
    }

    async fn an_end_that_was_decided_as_a_date_is_taken_back(kind) {
        let (app, listener, remote, token) = app(kind).await;
        // As the billing portal does it.
        remote.lock().unwrap().object["cancel_at"] = json!(1_794_478_400);
        assert_eq!(app.payments.refresh_subscription(&token).await.unwrap(), Outcome::Done);
        app.pass(1);
        remote.lock().unwrap().insists = true;
        let kept = app.payments.resume_subscription(&token).await.unwrap_err();
        assert!(kept.to_string().contains("is to end all the same"), "{kept}");
        app.pass(1);
        remote.lock().unwrap().insists = false;
        assert_eq!(app.payments.resume_subscription(&token).await.unwrap(), Outcome::Done);
        assert_eq!(app.subscription("sub_1").await.state.ends_at(), None);
        let posted = listener.heard().into_iter().filter(|heard| heard.method == "POST");
        assert!(posted.map(|heard| heard.body).all(|body| body == "cancel_at="));
    }

    async fn where_no_end_is_to_be_taken_back_one_look_is_enough(kind) {
        let (app, listener, remote, token) = app(kind).await;
        assert_eq!(app.payments.cancel_subscription_at_end(&token).await.unwrap(), Outcome::Done);
        app.pass(1);
        // Somebody took it back in the dashboard, and its event is still to come.
        let kept = json!({"cancel_at": null, "cancel_at_period_end": false});
        remote.lock().unwrap().object.as_object_mut().unwrap().extend(kept.as_object().unwrap().clone());
        let before = listener.heard().len();
        assert_eq!(app.payments.resume_subscription(&token).await.unwrap(), Outcome::Done);
        let heard: Vec<String> = listener.heard().split_off(before).into_iter().map(|heard| heard.method).collect();
        assert_eq!(heard, ["GET"]);
        assert_eq!(operations(&app), ["cancel_at_end done", "resume done"]);
    }

    async fn what_has_ended_at_stripe_is_not_resumed(kind) {
        let (app, listener, remote, token) = app(kind).await;
        assert_eq!(app.payments.cancel_subscription_at_end(&token).await.unwrap(), Outcome::Done);
        app.pass(1);
        // Its event is still to come.
        let ended = json!({"status": "canceled", "ended_at": NOW, "cancel_at": null, "cancel_at_period_end": false});
        let fields = ended.as_object().unwrap().clone();
        remote.lock().unwrap().object.as_object_mut().unwrap().extend(fields);
        let ended = app.payments.resume_subscription(&token).await.unwrap_err();
        assert!(ended.to_string().contains("what ended does not come back"), "{ended}");
        assert_eq!(listener.heard().iter().filter(|heard| heard.method == "POST").count(), 1, "nothing was changed");
    }

    async fn an_answer_that_is_lost_is_asked_for_again_under_the_same_key(kind) {
        let (app, _, remote, token) = app(kind).await;
        remote.lock().unwrap().hangs = 1;
        assert_eq!(app.payments.cancel_subscription(&token).await.unwrap(), Outcome::Underway);
        assert_eq!(app.subscription("sub_1").await.status(), SubscriptionStatus::Active, "nobody knows yet");
        let other = app.payments.cancel_subscription_at_end(&token).await.unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Refused, "{other}");
        app.pass(60);
        app.drain().await;
        assert_eq!(app.subscription("sub_1").await.status(), SubscriptionStatus::Canceled);
        let keys = remote.lock().unwrap().keys.clone();
        assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
        assert_eq!(operations(&app), ["cancel done"]);
    }

    async fn what_never_reached_the_gateway_is_left_where_the_subscription_has_gone_on(kind) {
        let (app, _, remote, token) = app(kind).await;
        remote.lock().unwrap().hangs = 1;
        assert_eq!(app.payments.cancel_subscription_at_end(&token).await.unwrap(), Outcome::Underway);
        // As if the process had ended before its call; then a person decides the same at the gateway.
        app.run("UPDATE pay_subscription_operations SET outcome = 'not done yet: the gateway was not asked so far'");
        assert_eq!(app.payments.refresh_subscription(&token).await.unwrap(), Outcome::Done);
        app.pass(901);
        app.drain().await;
        assert_eq!(operations(&app), ["cancel_at_end overtaken", "refresh done"]);
        assert_eq!(remote.lock().unwrap().keys.len(), 1);
    }

    async fn a_refresh_makes_true_what_was_lost(kind) {
        let (app, _, remote, token) = app(kind).await;
        remote.lock().unwrap().object["status"] = json!("past_due");
        assert_eq!(app.payments.refresh_subscription(&token).await.unwrap(), Outcome::Done);
        let found = app.subscription("sub_1").await;
        assert_eq!((found.status(), found.state.doubt), (SubscriptionStatus::PastDue, None));
    }

    async fn what_a_gateway_lacks_is_refused_with_words(kind) {
        let other = StandardWebhooks::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let app = App::with(kind, |builder| builder.variant("acme", other)).await;
        app.hear(&Story::new(1, "active")).await;
        let token = app.subscription("sub_1").await.token;
        let no_key = app.payments.cancel_subscription(&token).await.unwrap_err().to_string();
        assert_eq!(no_key, "This variant has no API key, so Stripe can't be asked about subscriptions.");
        for variant in ["stripe", "acme"] {
            let none = app.payments.subscribe(NewSubscription::new(variant, "price_1")).await.unwrap_err();
            assert_eq!(none.kind(), ErrorKind::Refused, "{none}");
        }
        assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions"), 1);
    }
}
