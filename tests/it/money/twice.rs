//! Payments with several captures or attempts: which of them a refund takes from, and when a receipt is due.

use actix_payments::domain::payment::Status;
use actix_payments::{Outcome, Refund, Transition};
use serde_json::json;

use super::{charge, event, intent, part, session, sums};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::Notes;
use crate::stripe::fake::Fake;

fn paid(token: &str, n: &str) -> Vec<String> {
    let (pi, ch) = (format!("pi_{n}"), format!("ch_{n}"));
    vec![
        event("checkout.session.completed", 0, session(&format!("cs_{n}"), token, json!({"payment_intent": pi}))),
        event("payment_intent.succeeded", 0, intent(&pi, json!({"latest_charge": ch}))),
        event("charge.succeeded", 0, charge(&ch, &pi, json!({}))),
    ]
}

fn and(mut events: Vec<String>, more: impl IntoIterator<Item = String>) -> Vec<String> {
    events.extend(more);
    events
}

async fn asked(kind: Kind) -> (App, Fake) {
    let fake = Fake::new(NOW);
    let gateway = fake.gateway(SECRET);
    (App::bare(kind, |builder| builder.variant("stripe", gateway)).await, fake)
}

/// The ids that the last operation was asked with, in order.
fn named(app: &App) -> Vec<String> {
    let refs = app.texts("SELECT gateway_refs AS t FROM pay_operations ORDER BY id DESC LIMIT 1").remove(0);
    serde_json::from_str(&refs).unwrap()
}

on_both_databases! {
    async fn a_failed_attempt_beside_the_paid_one_is_not_refunded(kind) {
        let (app, _fake) = asked(kind).await;
        let token = app.begun().await;
        let declined = json!({"status": "requires_payment_method", "amount_received": 0, "metadata": {"payment_token": token}});
        app.deliver_all(&[
            event("checkout.session.completed", 0, session("cs_1", &token, json!({"payment_intent": "pi_1"}))),
            event("payment_intent.payment_failed", 60, intent("pi_2", declined)),
        ]).await;
        // The fake knows none of these objects; what it was asked about is what counts.
        let _ = app.payments.refund(&token, Refund::all()).await;
        assert_eq!(named(&app)[0], "pi_1");
    }

    async fn a_payment_that_was_paid_twice_gives_back_one_of_them(kind) {
        let (app, _fake) = asked(kind).await;
        let token = app.begun().await;
        app.deliver_all(&and(paid(&token, "1"), paid(&token, "2"))).await;
        let twice = app.payment(&token).await;
        assert_eq!(twice.concerns, ["99.98 EUR were captured, the payment is of 49.99 EUR"]);
        let refused = app.payments.refund(&token, part(5000)).await.unwrap_err();
        assert!(refused.to_string().contains("at most 49.99 EUR, since each refund is of one capture, got 50.00 EUR"), "{refused}");
        let page = app.get(&format!("/payments/admin/payments/{token}/refund")).await.text();
        assert!(page.contains("49.99") && !page.contains("up to 99.98"), "{page}");
        let back = json!({"amount_refunded": 4999, "refunded": true});
        app.deliver_all(&[event("charge.refunded", 90, charge("ch_1", "pi_1", back))]).await;
        let once = app.payment(&token).await;
        assert_eq!((sums(&once), once.concerns), ((Status::Paid, [9998, 4999, 0]), vec![]));
        let _ = app.payments.refund(&token, Refund::all()).await;
        assert_eq!(named(&app)[..2], ["pi_2", "ch_2"], "what is left is of the second");
        app.same(&token).await;
    }

    async fn each_of_two_captures_is_refunded_by_a_call_of_its_own(kind) {
        let (app, fake) = asked(kind).await;
        let token = app.begun().await;
        app.deliver_all(&and(paid(&token, "1"), paid(&token, "2"))).await;
        fake.state().faults.extend([Some(crate::stripe::fake::Fault::CutAfter), Some(crate::stripe::fake::Fault::CutAfter)]);
        for intent in ["pi_1", "pi_2"] {
            let outcome = app.payments.refund(&token, Refund::all()).await;
            assert!(matches!(outcome, Ok(Outcome::Underway)), "{outcome:?}");
            assert_eq!(named(&app)[0], intent);
        }
        let third = app.payments.refund(&token, part(1)).await.unwrap_err();
        assert!(third.to_string().contains("all of it is refunded, or about to be"), "{third}");
    }

    async fn two_discounted_sessions_are_two_payments_though_they_cost_less_than_one(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| {
            let half = json!({"amount_total": 1999, "total_details": {"amount_discount": 3000}});
            ["1", "2"].map(|of| event("checkout.session.completed", 0, session(&format!("cs_{of}{n}"), token, half.clone()))).to_vec()
        }).await;
        assert_eq!(sums(&payment), (Status::Paid, [3998, 0, 0]));
        assert_eq!(payment.concerns, ["39.98 EUR were captured in more than one payment, the payment is of 49.99 EUR"]);
    }

    async fn a_payment_is_paid_for_the_first_time_once(kind) {
        let notes = Notes::default();
        let told = notes.clone();
        let handler = move |step: Transition| {
            told.add(format!("{} {} {}", step.to, step.became(Status::Paid), step.first_paid()));
            std::future::ready(Ok(()))
        };
        let app = App::with(kind, |builder| builder.handler("receipt", handler)).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        let total = |at, minor| event("charge.updated", at, charge("ch_1", "pi_1", json!({"amount_refunded": minor})));
        app.deliver_all(&[total(10, 4999), total(20, 0)]).await;
        assert_eq!(notes.all(), ["paid true true", "refunded false false", "paid true false"]);
    }
}
