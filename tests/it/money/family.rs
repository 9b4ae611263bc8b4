//! Several whole captures in one family of objects: a charge that a bank returned and the next one of its intent, and one
//! invoice that two intents paid.

use actix_payments::domain::payment::Status;
use actix_payments::{HandlerError, NewPayment, Outcome, Refund, Transition};
use serde_json::json;

use super::{charge, event, intent, part, session, sums};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::stripe::fake::Fake;

const TWICE: &str = "99.98 EUR were captured, the payment is of 49.99 EUR";

/// A debit that a bank returned, and a second charge of the same intent that went through.
fn returned(token: &str, n: &str) -> Vec<String> {
    let (pi, first, second) = (format!("pi_{n}"), format!("ch_1{n}"), format!("ch_2{n}"));
    let failed = json!({"status": "requires_payment_method", "amount_received": 0, "latest_charge": first});
    vec![
        event("checkout.session.completed", 0, session(&format!("cs_{n}"), token, json!({"payment_intent": pi}))),
        event("payment_intent.succeeded", 1, intent(&pi, json!({"latest_charge": first}))),
        event("charge.succeeded", 1, charge(&first, &pi, json!({}))),
        event("charge.failed", 60, charge(&first, &pi, json!({"status": "failed", "captured": false}))),
        event("payment_intent.payment_failed", 60, intent(&pi, failed)),
        event("charge.succeeded", 90, charge(&second, &pi, json!({}))),
        event("payment_intent.succeeded", 90, intent(&pi, json!({"latest_charge": second}))),
    ]
}

/// One invoice that two intents paid, each with a charge of its own.
fn one_invoice(token: &str, n: &str) -> Vec<String> {
    let invoice = format!("in_one{n}");
    let of_invoice = json!({"mode": "subscription", "invoice": invoice, "payment_intent": null});
    let mut events = vec![event("checkout.session.completed", 0, session(&format!("cs_{n}"), token, of_invoice))];
    for of in ["1", "2"] {
        let (pi, ch) = (format!("pi_{of}{n}"), format!("ch_{of}{n}"));
        let named = json!({"latest_charge": ch, "payment_details": {"order_reference": invoice}});
        events.push(event("payment_intent.succeeded", 1, intent(&pi, named)));
        events.push(event("charge.succeeded", 1, charge(&ch, &pi, json!({}))));
    }
    events
}

async fn asked(kind: Kind) -> (App, Fake) {
    let fake = Fake::new(NOW);
    let gateway = fake.gateway(SECRET);
    (App::bare(kind, |builder| builder.variant("stripe", gateway)).await, fake)
}

/// The id that the last operation is about.
fn named(app: &App) -> String {
    let refs = app.texts("SELECT gateway_refs AS t FROM pay_operations ORDER BY id DESC LIMIT 1").remove(0);
    serde_json::from_str::<Vec<String>>(&refs).unwrap().remove(0)
}

on_both_databases! {
    async fn a_second_charge_of_an_intent_is_a_second_payment(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(returned).await;
        assert_eq!(sums(&payment), (Status::Paid, [9998, 0, 0]));
        let contradicts = "the gateway said that the money had come, and later that the payment failed".to_owned();
        assert_eq!(payment.concerns, [TWICE.to_owned(), contradicts]);
    }

    async fn a_refund_goes_to_the_charge_that_no_bank_returned(kind) {
        let (app, _fake) = asked(kind).await;
        let token = app.begun().await;
        app.deliver_all(&returned(&token, "x")).await;
        // The fake knows none of these objects; what it was asked about is what counts. The intent would leave the
        // choice to Stripe.
        let _ = app.payments.refund(&token, Refund::all()).await;
        assert_eq!(named(&app), "ch_2x");
    }

    async fn one_invoice_paid_by_two_intents_is_paid_twice(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(one_invoice).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Paid, [9998, 0, 0]), vec![TWICE.to_owned()]));
    }

    async fn of_two_intents_of_one_invoice_the_one_that_is_not_refunded_is_refunded_next(kind) {
        let (app, _fake) = asked(kind).await;
        let token = app.begun().await;
        app.deliver_all(&one_invoice(&token, "x")).await;
        let back = json!({"amount_refunded": 4999, "refunded": true});
        app.deliver_all(&[event("charge.refunded", 90, charge("ch_1x", "pi_1x", back))]).await;
        let once = app.payment(&token).await;
        assert_eq!((sums(&once), once.concerns), ((Status::Paid, [9998, 4999, 0]), vec![]));
        let _ = app.payments.refund(&token, Refund::all()).await;
        assert_eq!(named(&app), "pi_2x");
    }

    async fn a_handler_that_gave_up_on_a_refund_does_not_hold_up_the_next(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let receipt = |step: Transition| {
            let refunded = step.to == Status::PartiallyRefunded;
            std::future::ready(if refunded { Err(HandlerError::Discard("no mail".into())) } else { Ok(()) })
        };
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway).handler("receipt", receipt)).await;
        let new = NewPayment::new("stripe", crate::scenes::money(4999, "EUR")).return_url("https://shop.example/");
        let token = app.payments.create(new).await.unwrap().payment.token;
        fake.pay(&token);
        let events: Vec<String> = fake.state().events.iter().map(ToString::to_string).collect();
        app.deliver_all(&events).await;
        assert_eq!(app.payments.refund(&token, part(1000)).await.unwrap(), Outcome::Done);
        app.drain().await;
        assert_eq!((sums(&app.payment(&token).await), app.events("discarded")), ((Status::PartiallyRefunded, [4999, 1000, 0]), 1));
        let outcome = app.payments.refund(&token, part(3999)).await;
        assert_eq!(outcome.unwrap(), Outcome::Done);
    }
}
