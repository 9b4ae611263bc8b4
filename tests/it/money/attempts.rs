//! Several attempts at one payment: what is open or on its way outranks what ended elsewhere.

use actix_payments::domain::payment::Status;
use serde_json::{Value, json};

use super::{charge, event, intent, session, sums};
use crate::app::{App, on_both_databases};

/// A session that is complete while its bank debit is on its way.
fn debit(n: &str, token: &str, at: i64) -> Vec<String> {
    let (pi, ch) = (format!("pi_b{n}"), format!("ch_b{n}"));
    let unpaid = json!({"payment_status": "unpaid", "payment_intent": pi});
    vec![
        event("checkout.session.completed", at, session(&format!("cs_b{n}"), token, unpaid)),
        event(
            "payment_intent.processing",
            at,
            intent(&pi, json!({"status": "processing", "amount_received": 0, "latest_charge": ch})),
        ),
        event(
            "charge.pending",
            at,
            charge(&ch, &pi, json!({"status": "pending", "captured": false, "amount_captured": 0})),
        ),
    ]
}

fn and(mut events: Vec<String>, more: impl IntoIterator<Item = String>) -> Vec<String> {
    events.extend(more);
    events
}

fn open(token: &str, status: &str) -> Value {
    json!({"status": status, "amount_received": 0, "metadata": {"payment_token": token}})
}

fn failed(n: &str, token: &str, at: i64) -> Vec<String> {
    let (pi, ch) = (format!("pi_{n}"), format!("ch_{n}"));
    vec![
        event("payment_intent.payment_failed", at, intent(&pi, open(token, "requires_payment_method"))),
        event(
            "charge.failed",
            at,
            charge(&ch, &pi, json!({"status": "failed", "captured": false, "amount_captured": 0})),
        ),
    ]
}

on_both_databases! {
    async fn an_abandoned_tab_leaves_a_debit_on_its_way(kind) {
        let app = App::new(kind).await;
        let expired = |token: &str, n: &str| {
            let gone = json!({"payment_status": "unpaid", "status": "expired", "payment_intent": null});
            event("checkout.session.expired", 90, session(&format!("cs_a{n}"), token, gone))
        };
        let payment = app.made_of(|token, n| and(debit(n, token, 0), [expired(token, n)])).await;
        assert_eq!(sums(&payment), (Status::Pending, [0, 0, 0]));
        // Also where the session of the debit is all that is known.
        let sessions = app.made_of(|token, n| {
            let n = &format!("s{n}");
            vec![debit(n, token, 0).remove(0), expired(token, n)]
        }).await;
        assert_eq!(sums(&sessions), (Status::Pending, [0, 0, 0]));
        let paid = app.made_of(|token, n| {
            let n = &format!("p{n}");
            let come = event("payment_intent.succeeded", 200, intent(&format!("pi_b{n}"), json!({})));
            and(debit(n, token, 0), [expired(token, n), come])
        }).await;
        assert_eq!(sums(&paid), (Status::Paid, [4999, 0, 0]));
    }

    async fn a_declined_card_or_a_canceled_intent_beside_a_debit_decides_nothing(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| and(debit(n, token, 0), failed(&format!("a{n}"), token, 90))).await;
        assert_eq!(sums(&payment), (Status::Pending, [0, 0, 0]));
        let session_only = app.made_of(|token, n| {
            let n = &format!("o{n}");
            and(vec![debit(n, token, 0).remove(0)], failed(&format!("a{n}"), token, 90))
        }).await;
        assert_eq!(sums(&session_only), (Status::Pending, [0, 0, 0]));
        let canceled = app.made_of(|token, n| {
            let n = &format!("c{n}");
            and(debit(n, token, 0), [event("payment_intent.canceled", 90, intent(&format!("pi_a{n}"), open(token, "canceled")))])
        }).await;
        assert_eq!(sums(&canceled), (Status::Pending, [0, 0, 0]));
    }

    async fn of_two_debits_the_one_that_fails_leaves_the_other_on_its_way(kind) {
        let app = App::new(kind).await;
        let both = |token: &str, n: &str| and(debit(&format!("1{n}"), token, 0), debit(&format!("2{n}"), token, 10));
        let fails = |token: &str, n: &str, at| and(failed(&format!("b{n}"), token, at), [
            event("checkout.session.async_payment_failed", at, session(&format!("cs_b{n}"), token, json!({"payment_status": "unpaid", "payment_intent": format!("pi_b{n}")}))),
        ]);
        let payment = app.made_of(|token, n| and(both(token, n), fails(token, &format!("1{n}"), 90))).await;
        assert_eq!(sums(&payment), (Status::Pending, [0, 0, 0]));
        let none = app.made_of(|token, n| {
            let n = &format!("n{n}");
            and(and(both(token, n), fails(token, &format!("1{n}"), 90)), fails(token, &format!("2{n}"), 95))
        }).await;
        assert_eq!(sums(&none), (Status::Failed, [0, 0, 0]));
    }

    async fn a_debit_that_fails_alone_fails_the_payment(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| and(debit(n, token, 0), failed(&format!("b{n}"), token, 90))).await;
        assert_eq!(sums(&payment), (Status::Failed, [0, 0, 0]));
        let abandoned = app.made_of(|token, n| {
            let pi = format!("pi_x{n}");
            vec![
                event("payment_intent.created", 0, intent(&pi, open(token, "requires_payment_method"))),
                event("payment_intent.canceled", 90, intent(&pi, open(token, "canceled"))),
            ]
        }).await;
        assert_eq!(sums(&abandoned), (Status::Canceled, [0, 0, 0]));
    }
}
