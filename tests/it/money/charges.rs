//! Charges and intents: running totals, captures in several parts, more than was asked for, debits that come back.

use actix_payments::domain::payment::Status;
use serde_json::{Value, json};

use super::{changed, charge, event, intent, refund, session, sums};
use crate::app::{App, on_both_databases};

/// A payment by session, intent and charge.
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

/// An event of the charge whose refunds add up to this.
fn total(kind: &str, n: &str, at: i64, minor: i64) -> String {
    let back = json!({"amount_refunded": minor, "refunded": minor == 4999});
    event(kind, at, charge(&format!("ch_{n}"), &format!("pi_{n}"), back))
}

/// An event of a refund of the charge.
fn single(kind: &str, n: &str, id: &str, status: &str, at: [i64; 2], minor: i64) -> String {
    let [made, said] = at;
    event(kind, said, refund(&format!("re_{id}{n}"), &format!("ch_{n}"), made, minor, json!({"status": status})))
}

/// The same of a charge of which a part is captured and the rest is not.
fn held(n: &str, changes: Value) -> Value {
    let held = super::with(json!({"captured": false, "amount_captured": 2000}), changes);
    charge(&format!("ch_{n}"), &format!("pi_{n}"), held)
}

on_both_databases! {
    async fn a_running_total_of_nothing_undoes_a_refund(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| {
            and(paid(token, n), [total("charge.refunded", n, 10, 4999), total("charge.updated", n, 20, 0)])
        }).await;
        assert_eq!(sums(&payment), (Status::Paid, [4999, 0, 0]));
    }

    async fn a_later_total_outweighs_a_refund_whose_failure_was_never_told(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| {
            let made = single("refund.created", n, "a", "succeeded", [10, 10], 4999);
            and(paid(token, n), [made, total("charge.refunded", n, 10, 4999), total("charge.updated", n, 20, 0)])
        }).await;
        assert_eq!(sums(&payment), (Status::Paid, [4999, 0, 0]));
    }

    async fn a_refund_made_after_the_total_adds_to_it(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| {
            let later = single("refund.created", n, "b", "succeeded", [20, 20], 700);
            and(paid(token, n), [total("charge.refunded", n, 10, 1000), later])
        }).await;
        assert_eq!(sums(&payment), (Status::PartiallyRefunded, [4999, 1700, 0]));
    }

    async fn a_total_of_the_same_second_as_a_failure_is_taken_as_it_is(kind) {
        let app = App::new(kind).await;
        let two = |token: &str, n: &str| and(paid(token, n), [
            single("refund.created", n, "a", "pending", [10, 10], 1000),
            single("refund.created", n, "b", "pending", [11, 11], 700),
            total("charge.refunded", n, 11, 1700),
            single("refund.failed", n, "a", "failed", [10, 20], 1000),
        ]);
        let told = app.made_of(|token, n| and(two(token, n), [total("charge.updated", n, 20, 700)])).await;
        assert_eq!(sums(&told), (Status::PartiallyRefunded, [4999, 700, 0]));
        // A refund that is made in that very second is in the total.
        let new = |n: &str| single("refund.created", n, "c", "pending", [20, 20], 500);
        let more = app.made_of(|token, n| and(two(token, &format!("m{n}")), [new(&format!("m{n}")), total("charge.refunded", &format!("m{n}"), 20, 1200)])).await;
        assert_eq!(sums(&more), (Status::PartiallyRefunded, [4999, 1200, 0]));
        // The charge alone, and one failure; with and without what it was before.
        for previous in [Value::Null, json!({"amount_refunded": 2920})] {
            let mark = if previous.is_null() { "o" } else { "p" };
            let alone = app.made_of(|token, n| {
                let n = &format!("{mark}{n}");
                let down = charge(&format!("ch_{n}"), &format!("pi_{n}"), json!({"amount_refunded": 2207}));
                and(paid(token, n), [
                    total("charge.refunded", n, 10, 2920),
                    single("refund.failed", n, "a", "failed", [9, 20], 713),
                    changed("charge.updated", 20, down, previous.clone()),
                ])
            }).await;
            assert_eq!(sums(&alone), (Status::PartiallyRefunded, [4999, 2207, 0]), "{previous}");
        }
        // A refund that fails in the second in which it was made is in the total that its making raised.
        let at_once = app.made_of(|token, n| {
            let n = &format!("q{n}");
            and(paid(token, n), [total("charge.refunded", n, 10, 1000), single("refund.failed", n, "a", "failed", [10, 10], 1000)])
        }).await;
        assert_eq!(sums(&at_once), (Status::Paid, [4999, 0, 0]));
    }

    async fn more_than_the_intent_asked_for_asks_for_a_review(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| {
            let more = json!({"amount_received": 5999, "metadata": {"payment_token": token}});
            vec![event("payment_intent.succeeded", 0, intent(&format!("pi_{n}"), more))]
        }).await;
        assert_eq!(sums(&payment), (Status::Paid, [5999, 0, 0]));
        assert_eq!(payment.concerns, ["the gateway reports 59.99 EUR, the payment is of 49.99 EUR"]);
        let charged = app.made_of(|token, n| {
            let more = json!({"amount_captured": 5999, "metadata": {"payment_token": token}});
            vec![event("charge.captured", 0, charge(&format!("ch_m{n}"), &format!("pi_m{n}"), more))]
        }).await;
        assert_eq!((sums(&charged), charged.needs_review()), ((Status::Paid, [5999, 0, 0]), true));
    }

    async fn a_capture_in_several_parts_is_told_by_the_intent_alone(kind) {
        let app = App::new(kind).await;
        let so_far = |token: &str, n: &str| {
            let asked = json!({"status": "requires_capture", "amount_received": 0, "amount_capturable": 4999, "metadata": {"payment_token": token}});
            let part = json!({"status": "requires_capture", "amount_received": 2000, "amount_capturable": 2999});
            let pi = format!("pi_{n}");
            vec![
                event("payment_intent.amount_capturable_updated", 0, intent(&pi, asked)),
                event("payment_intent.amount_capturable_updated", 10, intent(&pi, part)),
            ]
        };
        let payment = app.made_of(so_far).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Authorized, [2000, 0, 0]), vec![]));
        let closed = app.made_of(|token, n| {
            let n = &format!("c{n}");
            and(so_far(token, n), [event("payment_intent.succeeded", 20, intent(&format!("pi_{n}"), json!({"amount_received": 2000})))])
        }).await;
        assert_eq!((sums(&closed), closed.concerns), ((Status::Paid, [2000, 0, 0]), vec![]));
        let released = app.made_of(|token, n| {
            let n = &format!("r{n}");
            let rest = json!({"status": "canceled", "amount_received": 2000, "cancellation_reason": "abandoned"});
            and(so_far(token, n), [event("payment_intent.canceled", 20, intent(&format!("pi_{n}"), rest))])
        }).await;
        assert_eq!((sums(&released), released.concerns), ((Status::Paid, [2000, 0, 0]), vec![]));
    }

    async fn a_capture_in_several_parts_is_told_by_the_charge_alone(kind) {
        let app = App::new(kind).await;
        let so_far = |token: &str, n: &str| vec![
            event("charge.succeeded", 0, held(n, json!({"amount_captured": 0, "metadata": {"payment_token": token}}))),
            event("charge.updated", 10, held(n, json!({}))),
        ];
        let payment = app.made_of(so_far).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Authorized, [2000, 0, 0]), vec![]));
        let refunded = app.made_of(|token, n| {
            let n = &format!("r{n}");
            and(so_far(token, n), [event("charge.refunded", 20, held(n, json!({"amount_refunded": 500})))])
        }).await;
        assert_eq!((sums(&refunded).1, refunded.concerns.clone()), ([2000, 500, 0], vec![]), "{refunded:?}");
        let whole = app.made_of(|token, n| {
            let n = &format!("w{n}");
            let last = charge(&format!("ch_{n}"), &format!("pi_{n}"), json!({"amount_refunded": 500}));
            and(so_far(token, n), [event("charge.captured", 20, last)])
        }).await;
        assert_eq!((sums(&whole), whole.concerns), ((Status::PartiallyRefunded, [4999, 500, 0]), vec![]));
        let expired = app.made_of(|token, n| {
            let n = &format!("e{n}");
            and(so_far(token, n), [event("charge.expired", 20, held(n, json!({})))])
        }).await;
        assert_eq!((sums(&expired), expired.concerns), ((Status::Paid, [2000, 0, 0]), vec![]));
    }

    async fn a_debit_that_comes_back_stays_paid_and_asks_for_a_review(kind) {
        let app = App::new(kind).await;
        let words = ["the gateway said that the money had come, and later that the payment failed"];
        let failed = json!({"status": "failed", "failure_code": "debit_not_authorized"});
        let payment = app.made_of(|token, n| {
            let open = json!({"status": "requires_payment_method", "amount_received": 0});
            and(paid(token, n), [
                event("charge.failed", 90, charge(&format!("ch_{n}"), &format!("pi_{n}"), failed.clone())),
                event("payment_intent.payment_failed", 90, intent(&format!("pi_{n}"), open)),
            ])
        }).await;
        assert_eq!((sums(&payment), payment.concerns.as_slice()), ((Status::Paid, [4999, 0, 0]), words.map(str::to_owned).as_slice()));
        let charge_alone = app.made_of(|token, n| {
            let n = &format!("c{n}");
            and(paid(token, n), [event("charge.failed", 90, charge(&format!("ch_{n}"), &format!("pi_{n}"), failed.clone()))])
        }).await;
        assert_eq!(charge_alone.concerns, words);
        let session_alone = app.made_of(|token, n| {
            let n = &format!("s{n}");
            and(paid(token, n), [event("checkout.session.async_payment_failed", 90, session(&format!("cs_{n}"), token, json!({"payment_status": "unpaid"})))])
        }).await;
        assert_eq!((session_alone.status, session_alone.concerns.as_slice()), (Status::Paid, words.map(str::to_owned).as_slice()));
        // A card that is declined first and then charged is nothing odd.
        let declined = app.made_of(|token, n| {
            let n = &format!("d{n}");
            let open = json!({"status": "requires_payment_method", "amount_received": 0});
            and(vec![event("payment_intent.payment_failed", -30, intent(&format!("pi_{n}"), open))], paid(token, n))
        }).await;
        assert_eq!((sums(&declined), declined.concerns), ((Status::Paid, [4999, 0, 0]), vec![]));
    }

    async fn a_refund_says_why_it_was_made_wherever_it_is_shown(kind) {
        let app = App::new(kind).await;
        let token = app.begun().await;
        app.deliver_all(&[
            event("checkout.session.completed", 0, session("cs_1", &token, json!({"payment_intent": "pi_1"}))),
            event("charge.succeeded", 0, charge("ch_1", "pi_1", json!({}))),
            event("refund.created", 9, refund("re_1", "ch_1", 9, 1000, json!({"reason": "requested_by_customer"}))),
        ]).await;
        let outcome = app.outcomes().pop().unwrap();
        assert!(outcome.ends_with("10.00 EUR of 49.99 EUR refunded (requested by customer)"), "{outcome}");
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert_eq!(page.matches("requested by customer").count(), 2, "in the timeline and in the ledger: {page}");
        app.same(&token).await;
    }
}
