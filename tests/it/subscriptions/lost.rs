//! Is an end taken for refused that was made, its answer lost, its repeat refused and the look at it lost, too?

use std::sync::Mutex;

use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::{Outcome, Payments};
use actix_web::http::Method;
use serde_json::json;

use super::billing::Fault;
use crate::app::{App, on_both_databases};
use crate::stripe::listener::{Heard, Listener, Say};

/// What a gateway says to calls about its one subscription: the first end is done and its answer lost, a repeated one
/// refused, and the first `looks` at it are lost.
fn losing(active: String, ended: String, refusal: u16, looks: u32) -> Listener {
    let seen = Mutex::new((false, looks));
    Listener::answering(move |heard: &Heard| {
        let (is_over, looks) = &mut *seen.lock().unwrap();
        if heard.path == "/v1/oauth2/token" {
            let token = json!({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"});
            return Say::Answer(200, vec![], token.to_string());
        }
        if heard.method != "GET" && !std::mem::replace(is_over, true) {
            return Say::Nothing;
        }
        if heard.method != "GET" {
            return Say::Answer(refusal, vec![], "{}".to_owned());
        }
        if *looks > 0 {
            *looks -= 1;
            return Say::Nothing;
        }
        Say::Answer(200, vec![], if *is_over { ended.clone() } else { active.clone() })
    })
}

fn operations(app: &App) -> Vec<String> {
    app.texts("SELECT verb || ' ' || state || ' ' || attempts AS t FROM pay_subscription_operations ORDER BY id")
}

/// Asks for the end, and lets it be tried until it is known.
async fn end(app: &App, token: &str) {
    assert_eq!(app.payments.cancel_subscription(&token.into()).await.unwrap(), Outcome::Underway, "the answer is lost");
    app.pass(60);
    app.drain().await;
    assert_eq!(operations(app), ["cancel underway 2"], "a refusal, and nobody knows how it stands");
    app.pass(600);
    app.drain().await;
    assert_eq!(operations(app), ["cancel done 3"]);
    assert_eq!(status(&app.payments, token).await, SubscriptionStatus::Canceled);
}

async fn status(payments: &Payments, token: &str) -> SubscriptionStatus {
    payments.subscription(&token.into()).await.unwrap().unwrap().status()
}

on_both_databases! {
    async fn paypals_lost_end_is_no_refusal(kind) {
        let body = crate::paypal::events::events()["BILLING.SUBSCRIPTION.ACTIVATED"].clone();
        let event: serde_json::Value = serde_json::from_str(&body).unwrap();
        let active = event["resource"].clone();
        let mut ended = active.clone();
        ended["status"] = json!("CANCELLED");
        let listener = losing(active.to_string(), ended.to_string(), 422, 1);
        let paypal = crate::paypal::events::paypal();
        let paypal = paypal.client("client", "very-secret").api_base(&listener.address).api_retries(0);
        let app = App::bare(kind, |builder| builder.variant("paypal", paypal)).await;
        let headers = crate::paypal::events::signed(&body);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        app.request(Method::POST, "/payments/paypal/", &headers, body.as_bytes()).await;
        app.drain().await;
        let found = app.payments.subscription_at("paypal", "I-BW452GLLEP1G").await.unwrap().unwrap();
        end(&app, &found.token).await;
    }

    async fn braintrees_lost_end_is_no_refusal(kind) {
        let past_due = crate::braintree::events()["realistic.subscription_went_past_due"].clone();
        let inner = past_due.split("<subject>").nth(1).unwrap().split("</subject>").next().unwrap().trim();
        let ended = inner.replace("<status>Past Due<", "<status>Canceled<");
        let listener = losing(inner.to_owned(), ended, 422, 1);
        let braintree = crate::braintree::braintree().api_base(&listener.address).api_retries(0);
        let app = App::bare(kind, |builder| builder.variant("braintree", braintree)).await;
        let body = crate::braintree::signed(&past_due);
        app.request(Method::POST, "/payments/braintree/", &[], body.as_bytes()).await;
        app.drain().await;
        let found = app.payments.subscription_at("braintree", "sub-7").await.unwrap().unwrap();
        end(&app, &found.token).await;
    }

    async fn stripes_lost_end_is_no_refusal(kind) {
        let (app, billing, id) = crate::subscriptions::repairing::app(kind).await;
        // The end, its repeat, and the look.
        billing.state().faults = [Some(Fault::CutAfter), None, Some(Fault::CutBefore)].into();
        end(&app, &app.subscription(&id).await.token).await;
        let effects = billing.state().effects.clone();
        assert_eq!(effects.len(), 1, "{effects:?}");
    }
}
