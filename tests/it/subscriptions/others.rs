//! Do PayPal and Braintree do what is asked of a subscription, by their own calls, and is what was done known?

use std::sync::{Arc, Mutex};

use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::{ErrorKind, NewSubscription, Next, Outcome, PlanChange};
use actix_web::http::Method;
use serde_json::{Value, json};

use crate::app::{App, on_both_databases};
use crate::stripe::listener::{Heard, Listener, Say};

/// PayPal's one subscription, as its API shows it.
fn paypals(remote: &mut Value, heard: &Heard) -> Say {
    let say = |status, body: Value| {
        Say::Answer(status, vec![], if body.is_null() { String::new() } else { body.to_string() })
    };
    match (heard.method.as_str(), heard.path.as_str()) {
        (_, "/v1/oauth2/token") => say(200, json!({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})),
        ("POST", "/v1/billing/subscriptions") => {
            let links =
                json!([{"rel": "approve", "href": "https://www.paypal.com/webapps/billing/subscriptions?ba_token=1"}]);
            say(201, json!({"id": "I-BW452GLLEP1G", "status": "APPROVAL_PENDING", "links": links}))
        }
        ("GET", _) => say(200, remote.clone()),
        (_, path) => {
            let (step, from, to) = match path.rsplit('/').next().unwrap() {
                "suspend" => ("suspend", vec!["ACTIVE"], "SUSPENDED"),
                "activate" => ("activate", vec!["SUSPENDED"], "ACTIVE"),
                "cancel" => ("cancel", vec!["ACTIVE", "SUSPENDED"], "CANCELLED"),
                other => panic!("{other}"),
            };
            assert!(heard.body.contains("reason"), "{step} wants a reason");
            if !from.contains(&remote["status"].as_str().unwrap()) {
                return say(
                    422,
                    json!({"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "SUBSCRIPTION_STATUS_INVALID"}]}),
                );
            }
            let count = remote["steps"].as_i64().unwrap_or(0) + 1;
            (remote["status"], remote["steps"]) = (json!(to), json!(count));
            remote["status_update_time"] = json!(format!("2026-10-13T00:00:0{count}Z"));
            if heard.header("x-hang").is_some() { Say::Nothing } else { say(204, Value::Null) }
        }
    }
}

/// The event of this fixture about the subscription with this token.
fn activated(token: &str) -> String {
    let name = "BILLING.SUBSCRIPTION.ACTIVATED";
    let mut event: Value = serde_json::from_str(&crate::paypal::events::events()[name]).unwrap();
    event["resource"]["custom_id"] = json!(token);
    event.to_string()
}

/// Braintree's one subscription, as its API shows it.
fn braintrees(remote: &mut String, heard: &Heard) -> Say {
    let path = "/merchants/merchant_id_x/subscriptions/sub-7";
    assert!(heard.header("authorization").unwrap().starts_with("Basic ") && heard.header("x-apiversion") == Some("6"));
    match (heard.method.as_str(), heard.path.strip_prefix(path)) {
        ("GET", Some("")) => {}
        ("PUT", Some("/cancel")) if remote.contains("<status>Canceled") => {
            return Say::Answer(422, vec![], String::new());
        }
        ("PUT", Some("/cancel")) => {
            *remote = remote.replace("<status>Past Due<", "<status>Canceled<").replace("08:53:25Z", "09:00:00Z");
        }
        other => panic!("{other:?}"),
    }
    Say::Answer(200, vec![("content-type", "application/xml".to_owned())], remote.clone())
}

async fn deliver(app: &App, variant: &str, headers: &[(&str, &str)], body: &str) {
    let answer = app.request(Method::POST, &format!("/payments/{variant}/"), headers, body.as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    app.drain().await;
}

on_both_databases! {
    async fn paypal_starts_suspends_activates_and_cancels(kind) {
        let shown: Value = serde_json::from_str(&activated("")).unwrap();
        let remote = Arc::new(Mutex::new(shown["resource"].clone()));
        let kept = remote.clone();
        let listener = Listener::answering(move |heard| paypals(&mut kept.lock().unwrap(), heard));
        let paypal = crate::paypal::events::paypal().client("client", "very-secret").api_base(&listener.address).api_retries(0);
        let app = App::bare(kind, |builder| builder.variant("paypal", paypal)).await;
        let new = NewSubscription::new("paypal", "P-5ML").owner("user-42").return_url("https://shop.example/tea").quantity(2);
        let started = app.payments.subscribe(new).await.unwrap();
        assert!(matches!(started.next, Next::Redirect(url) if url.starts_with("https://www.paypal.com/")));
        let token = started.subscription.token;
        let heard = listener.heard().pop().unwrap();
        let asked: Value = serde_json::from_str(&heard.body).unwrap();
        assert_eq!((&asked["plan_id"], &asked["custom_id"], &asked["quantity"]), (&json!("P-5ML"), &json!(token), &json!("2")));
        assert_eq!(heard.header("paypal-request-id"), Some(format!("{token}-checkout").as_str()));
        let body = activated(&token);
        remote.lock().unwrap()["custom_id"] = json!(token);
        let headers = crate::paypal::events::signed(&body);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        deliver(&app, "paypal", &headers, &body).await;
        let status = async || app.payments.subscription(&token).await.unwrap().unwrap().status();
        let found = app.payments.subscription(&token).await.unwrap().unwrap();
        assert_eq!((found.status(), found.owner()), (SubscriptionStatus::Active, Some("user-42")));
        assert_eq!(app.payments.pause_subscription(&token).await.unwrap(), Outcome::Done);
        assert_eq!(status().await, SubscriptionStatus::Paused);
        assert_eq!(app.payments.unpause_subscription(&token).await.unwrap(), Outcome::Done);
        assert_eq!(status().await, SubscriptionStatus::Active);
        for refused in [
            app.payments.cancel_subscription_at_end(&token).await.unwrap_err(),
            app.payments.change_subscription(&token, PlanChange::new().quantity(3)).await.unwrap_err(),
            app.payments.portal_link(&token, "https://shop.example/").await.unwrap_err(),
        ] {
            assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
        }
        // Somebody cancelled it in PayPal's dashboard; to cancel it again is done, too.
        remote.lock().unwrap()["status"] = json!("CANCELLED");
        remote.lock().unwrap()["status_update_time"] = json!("2026-10-14T00:00:00Z");
        assert_eq!(app.payments.cancel_subscription(&token).await.unwrap(), Outcome::Done);
        assert_eq!(status().await, SubscriptionStatus::Canceled);
        assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions"), 1);
    }

    async fn braintree_ends_what_was_charged_and_is_past_due(kind) {
        let fixture = |name: &str| crate::braintree::events()[&format!("realistic.subscription_{name}")].clone();
        let past_due = fixture("went_past_due");
        let inner = past_due.split("<subject>").nth(1).unwrap().split("</subject>").next().unwrap();
        let remote = Arc::new(Mutex::new(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{}", inner.trim())));
        let listener = Listener::answering(move |heard| braintrees(&mut remote.lock().unwrap(), heard));
        let braintree = crate::braintree::braintree().api_base(&listener.address).api_retries(0);
        let app = App::bare(kind, |builder| builder.variant("braintree", braintree)).await;
        for name in ["went_past_due", "charged_unsuccessfully", "charged_successfully"] {
            deliver(&app, "braintree", &[], &crate::braintree::signed(&fixture(name))).await;
        }
        let found = app.payments.subscription_at("braintree", "sub-7").await.unwrap().unwrap();
        let token = &found.token;
        let invoices = app.texts("SELECT gateway_ref || ' ' || paid AS t FROM pay_subscription_invoices");
        assert_eq!(invoices.len(), 1, "one transaction: {invoices:?}");
        let page = app.get(&format!("/payments/admin/subscriptions/{token}")).await;
        assert!(page.body.contains("payments/pay_"), "its payment is linked: {}", page.text());
        let paused = app.payments.pause_subscription(token).await.unwrap_err();
        assert_eq!((paused.kind(), paused.to_string().as_str()), (ErrorKind::Refused, "Braintree has no pause for subscriptions."));
        assert_eq!(app.payments.cancel_subscription(token).await.unwrap(), Outcome::Done);
        let ended = app.payments.subscription(token).await.unwrap().unwrap();
        assert_eq!(ended.status(), SubscriptionStatus::Canceled);
        assert_eq!(app.payments.refresh_subscription(token).await.unwrap(), Outcome::Done);
        assert_eq!(listener.heard().len(), 3, "the end, a look, and another");
    }
}
