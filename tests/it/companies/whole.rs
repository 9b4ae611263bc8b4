//! Is a whole refund asked for as a whole and a part as a part, and does a refresh say what it leaves out?

use std::sync::Mutex;

use actix_payments::domain::money::Money;
use actix_payments::domain::payment::Status;
use actix_payments::{NewPayment, Refund, Token};
use serde_json::{Value, json};

use super::mercado_pago::fake::{Fake, payment};
use super::{Company, mercado_pago, ok, paddle, razorpay, square, story, tell, variant};
use crate::app::{App, Kind, on_both_databases};
use crate::scenes::money;
use crate::stripe::listener::{Heard, Listener, Say};

/// An app with this gateway, and a payment that was made at the company itself and of which these events came.
pub async fn app_with<C: Company>(
    kind: Kind,
    gateway: C::Gateway,
    due: Money,
    story: &[(String, String)],
) -> (App, Token) {
    let app = App::bare(kind, |builder| builder.variant(variant::<C>(0), gateway)).await;
    let order = NewPayment::new(variant::<C>(0), due).without_checkout();
    let token = app.payments.create(order).await.unwrap().payment.token;
    for (name, body) in story {
        tell::<C>(&app, name, &C::of(body, &token)).await;
    }
    (app, token)
}

/// The body of the last request that acts.
fn last_act(listener: &Listener) -> Value {
    let heard = listener.heard();
    let act = heard.iter().rfind(|heard| heard.method == "POST").expect("a request that acts");
    serde_json::from_str(&act.body).unwrap()
}

/// A transaction of which nothing was refunded, and which does not show its items.
fn paddles() -> Listener {
    Listener::answering(|heard| match heard.method.as_str() {
        "GET" => ok(r#"{"data":{"id":"txn_1","status":"completed","currency_code":"EUR","adjustments":[]}}"#),
        _ => ok(r#"{"data":{"id":"adj_1","action":"refund","transaction_id":"txn_01hv8wptq8987qeep44cyrewp9",
            "status":"approved","currency_code":"EUR","totals":{"total":"4999"}}}"#),
    })
}

fn razorpays() -> Listener {
    Listener::answering(razorpays_say())
}

fn razorpays_say() -> impl Fn(&Heard) -> Say + Send + 'static {
    |heard| {
        let sent: Value = serde_json::from_str(&heard.body).unwrap_or_default();
        let amount = sent["amount"].as_i64().unwrap_or(4999);
        let refund = json!({"id": format!("rfnd_{amount}"), "payment_id": "pay_DESlfW9H8K9uqM", "amount": amount,
            "currency": "INR", "status": "processed", "created_at": 1_791_800_050});
        ok(refund.to_string())
    }
}

/// The answers of a company, but for the first requests that act, which get none.
fn losing(count: usize, says: impl Fn(&Heard) -> Say + Send + 'static) -> Listener {
    let left = Mutex::new(count);
    Listener::answering(move |heard| {
        let mut left = left.lock().unwrap();
        if heard.method == "POST" && *left > 0 {
            *left -= 1;
            return Say::Nothing;
        }
        says(heard)
    })
}

/// Refunds all of a payment, of which the first answer is lost, and answers the one body of both tries. Where it is older,
/// it is as if an earlier state of this crate had stored the refund, which did not note that it is of the whole: then the
/// next answer is lost, too, which is that of its first try.
async fn tried_twice(app: &App, token: &str, is_older: bool, listener: &Listener) -> Value {
    let next_try = async || {
        app.pass(3600);
        app.drain().await;
    };
    app.payments.refund(&token.into(), Refund::all()).await.unwrap();
    if is_older {
        app.run("UPDATE pay_operations SET gateway_refs = replace(gateway_refs, ',\"#whole\"', ''), attempts = 0");
        next_try().await;
    }
    assert_eq!(app.texts("SELECT state AS t FROM pay_operations"), ["underway"]);
    let first = last_act(listener);
    next_try().await;
    let payment = app.payments.payment(&token.into()).await.unwrap().unwrap();
    assert_eq!((payment.status, payment.refunded), (Status::Refunded, payment.captured));
    let acts = listener.heard().iter().filter(|heard| heard.method == "POST").count();
    assert_eq!((acts, last_act(listener)), (2 + usize::from(is_older), first.clone()));
    first
}

fn of_razorpay(listener: &Listener) -> actix_payments::gateways::razorpay::Razorpay {
    razorpay::Of::gateway().api_key("rzp_test_1", "s").api_base(&listener.address).api_retries(0)
}

on_both_databases! {
    async fn all_of_a_paddle_transaction_is_refunded_in_full_though_its_items_are_not_shown(kind) {
        let listener = paddles();
        let gateway = paddle::Of::gateway().api_key("pdl_sdbx_apikey_1").api_base(&listener.address).api_retries(0);
        let (app, token) = app_with::<paddle::Of>(kind, gateway, money(4999, "EUR"), &story::<paddle::Of>(&["transaction.completed"])).await;
        app.payments.refund(&token, Refund::all()).await.unwrap();
        let sent = last_act(&listener);
        assert_eq!((&sent["type"], &sent["items"]), (&json!("full"), &Value::Null), "{sent}");
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, Status::Refunded);
    }

    async fn all_of_a_razorpay_payment_is_refunded_without_an_amount_and_a_part_with_it(kind) {
        let inr = |minor| money(minor, "INR");
        for (due, refund, expected) in [
            (4999, Refund::all(), Value::Null),
            (4999, Refund::part(inr(4999)), Value::Null),
            (4999, Refund::part(inr(1999)), json!(1999)),
            // The customer paid more than was asked for: the price alone is a part.
            (4000, Refund::part(inr(4000)), json!(4000)),
            (4000, Refund::all(), Value::Null),
        ] {
            let listener = razorpays();
            let gateway = of_razorpay(&listener);
            let (app, token) = app_with::<razorpay::Of>(kind, gateway, inr(due), &story::<razorpay::Of>(&["payment.captured"])).await;
            app.payments.refund(&token, refund.clone()).await.unwrap();
            assert_eq!(last_act(&listener)["amount"], expected, "{refund:?} of {due}");
        }
        // What is left after a part is no whole.
        let listener = razorpays();
        let names = story::<razorpay::Of>(&["payment.captured", "refund.processed"]);
        let (app, token) = app_with::<razorpay::Of>(kind, of_razorpay(&listener), inr(4999), &names).await;
        app.payments.refund(&token, Refund::all()).await.unwrap();
        assert_eq!(last_act(&listener)["amount"], json!(3000));
    }

    async fn all_of_a_mercado_pago_payment_is_refunded_without_an_amount_and_a_part_with_it(kind) {
        for (refund, expected) in [(Refund::all(), json!({})), (Refund::part(money(1999, "BRL")), json!({"amount": 19.99}))] {
            let fake = Fake::new();
            let (app, token) = mercado_pago::app(kind, &fake).await;
            fake.show("/v1/payments/1", payment(1, &token, "approved"));
            fake.show("/v1/payments/1/refunds", json!({"id": 7, "payment_id": 1, "amount": 19.99, "status": "approved"}));
            mercado_pago::notify(&app, "payment", "1", "r1").await;
            app.payments.refund(&token, refund).await.unwrap();
            assert_eq!(last_act(&fake.listener), expected);
        }
    }

    async fn all_tries_of_a_refund_are_one_request_also_where_an_earlier_state_stored_it(kind) {
        for (is_older, amount) in [(false, Value::Null), (true, json!(4999))] {
            let listener = losing(1 + usize::from(is_older), razorpays_say());
            let names = story::<razorpay::Of>(&["payment.captured"]);
            let (app, token) = app_with::<razorpay::Of>(kind, of_razorpay(&listener), money(4999, "INR"), &names).await;
            assert_eq!(tried_twice(&app, &token, is_older, &listener).await["amount"], amount);
        }
        for (is_older, body) in [(false, json!({})), (true, json!({"amount": 49.99}))] {
            let fake = Fake::new();
            let (app, token) = mercado_pago::app(kind, &fake).await;
            fake.show("/v1/payments/1", payment(1, &token, "approved"));
            fake.show("/v1/payments/1/refunds", json!({"id": 7, "payment_id": 1, "amount": 49.99, "status": "approved"}));
            mercado_pago::notify(&app, "payment", "1", "r1").await;
            fake.lose(1 + usize::from(is_older));
            assert_eq!(tried_twice(&app, &token, is_older, &fake.listener).await, body);
        }
    }

    async fn a_refresh_asks_for_the_known_disputes_and_names_what_it_leaves_out(kind) {
        let listener = Listener::answering(|heard| match heard.path.as_str() {
            "/v1/payments/pay_DESlfW9H8K9uqM" => ok(r#"{"id":"pay_DESlfW9H8K9uqM","status":"captured","captured":true,
                "amount":4999,"currency":"INR","created_at":1791799995}"#),
            "/v1/disputes/disp_EsIAlDcoUr8CaQ" => ok(r#"{"id":"disp_EsIAlDcoUr8CaQ","payment_id":"pay_DESlfW9H8K9uqM",
                "amount":4999,"currency":"INR","status":"won","phase":"chargeback","created_at":1792000000}"#),
            path if path.contains("/refunds?") || path.starts_with("/v1/orders/") => ok(r#"{"items":[]}"#),
            _ => Say::Answer(404, vec![], String::new()),
        });
        let names = story::<razorpay::Of>(&["payment.captured", "payment.dispute.created"]);
        let (app, token) = app_with::<razorpay::Of>(kind, of_razorpay(&listener), money(4999, "INR"), &names).await;
        is_won_by_a_refresh(&app, &token, "Razorpay").await;

        let listener = Listener::answering(|heard| match heard.path.as_str() {
            "/v2/payments/KkAkhdMsgzn59SM8A89WgKwekxLZY" => ok(r#"{"payment":{"id":"KkAkhdMsgzn59SM8A89WgKwekxLZY",
                "status":"COMPLETED","total_money":{"amount":4999,"currency":"EUR"},"updated_at":"2026-10-12T09:00:00Z"}}"#),
            "/v2/disputes/ORSEVtZAJxb37RA1EiGw" => ok(r#"{"dispute":{"id":"ORSEVtZAJxb37RA1EiGw","state":"WON",
                "amount_money":{"amount":4999,"currency":"EUR"},"updated_at":"2026-11-12T09:00:00Z",
                "disputed_payment":{"payment_id":"KkAkhdMsgzn59SM8A89WgKwekxLZY"}}}"#),
            _ => Say::Answer(404, vec![], String::new()),
        });
        let gateway = square::Of::gateway().access_token("sq_1", "L1").api_base(&listener.address).api_retries(0);
        let names = story::<square::Of>(&["payment.updated", "dispute.created"]);
        let (app, token) = app_with::<square::Of>(kind, gateway, money(4999, "EUR"), &names).await;
        is_won_by_a_refresh(&app, &token, "Square").await;
    }
}

/// A refresh settles the dispute of this payment, and what it leaves out is said before and after.
async fn is_won_by_a_refresh(app: &App, token: &str, gateway: &str) {
    let at = format!("/payments/admin/payments/{token}");
    assert!(app.payments.payment(&token.into()).await.unwrap().unwrap().disputed);
    let page = app.get(&format!("{at}/refresh")).await.text();
    assert!(page.contains(&format!("{gateway} is not asked for disputes of which no event has come.")), "{page}");
    app.payments.refresh(&token.into()).await.unwrap();
    app.drain().await;
    assert!(!app.payments.payment(&token.into()).await.unwrap().unwrap().disputed);
    let page = app.get(&at).await.text();
    let outcome = format!("done by {gateway}, but not asked for disputes of which no event has come");
    assert!(page.contains(&outcome), "{page}");
}
