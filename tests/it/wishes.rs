//! Does it do right what others do wrong? Each case was seen to go wrong elsewhere with a correctly signed event.

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::money::from_minor;
use actix_web::http::Method;

use crate::app::{App, on_both_databases};
use crate::events::{changed, checkout, fixture};
use crate::scenes::{completed, money};

#[test]
fn five_shillings_and_five_dinars_are_written_as_stripe_wants_them() {
    assert_eq!(from_minor(money(5, "UGX")), Ok(500));
    assert_eq!(from_minor(money(5120, "KWD")), Ok(5120));
    assert_eq!(money(5120, "KWD").to_string(), "5.120 KWD");
}

on_both_databases! {
    async fn a_free_checkout_of_something_else_pays_nothing(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let none: serde_json::Value = 0.into();
        let free = crate::events::changed("checkout.session.completed.free", &[
            ("/data/object/client_reference_id", token.as_str().into()),
            ("/data/object/total_details/amount_discount", none),
        ]);
        app.deliver(&[&free]).await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.concerns.len()), (Status::Pending, 1), "{payment:?}");
    }

    async fn an_async_payment_that_fails_is_failed(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&checkout("checkout.session.completed.unpaid", &token)]).await;
        assert_eq!(app.status(&token).await, Status::Pending);
        app.deliver(&[&checkout("checkout.session.async_payment_failed", &token)]).await;
        assert_eq!(app.status(&token).await, Status::Failed);
        app.same(&token).await;
    }

    async fn a_checkout_that_needs_no_payment_is_paid(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&checkout("checkout.session.completed.free", &token)]).await;
        let free = app.payment(&token).await;
        assert_eq!((free.status, free.captured.minor), (Status::Paid, 0), "{free:?}");
        app.same(&token).await;
    }

    async fn a_completed_that_comes_again_after_a_refund_leaves_it_refunded(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let again = changed("checkout.session.completed", &[
            ("/id", "evt_again".into()),
            ("/data/object/client_reference_id", token.as_str().into()),
        ]);
        app.deliver(&[&completed(&token), &fixture("charge.refunded.full").to_string()]).await;
        app.deliver(&[&completed(&token), &again]).await;
        let refunded = app.payment(&token).await;
        assert_eq!((refunded.status, refunded.captured, refunded.refunded.minor), (Status::Refunded, refunded.amount, 4999));
        let deliveries = "SELECT deliveries FROM pay_events WHERE gateway_event_id = 'evt_1fCY7RrTI1PCReabohdyxUIy'";
        assert_eq!(app.number(deliveries), 2);
        assert!(app.counters().contains(&"stripe duplicate 1".to_owned()), "{:?}", app.counters());
        assert_eq!(app.transitions(), ["pending → paid", "paid → refunded"]);
        app.same(&token).await;
    }

    async fn a_stale_expired_leaves_it_paid_and_says_why(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token), &checkout("checkout.session.expired", &token)]).await;
        assert_eq!(app.status(&token).await, Status::Paid);
        assert_eq!(app.transitions(), ["pending → paid"]);
        let outcome = app.outcomes().remove(1);
        assert!(outcome.starts_with("completed: ") && outcome.contains("paid"), "{outcome}");
        app.same(&token).await;
    }

    async fn one_yen_does_not_pay_ten_dollars(kind) {
        let app = App::new(kind).await;
        let token = app.order_of(money(1000, "USD")).await.token;
        let yen = changed("checkout.session.completed.jpy", &[
            ("/data/object/client_reference_id", token.as_str().into()),
            ("/data/object/amount_total", 1.into()),
            ("/data/object/amount_subtotal", 1.into()),
        ]);
        app.deliver(&[&yen]).await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.captured.minor, payment.needs_review()), (Status::Pending, 0, true));
        assert_eq!(payment.concerns, ["the gateway reports 1 JPY, the payment is of 10.00 USD"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE needs_review"), 1);
        app.same(&token).await;
    }

    async fn a_wrong_signature_is_the_senders_mistake_and_changes_nothing(kind) {
        let app = App::new(kind).await;
        let body = completed(&app.order().await.token);
        let forged = format!("t={},v1={}", app.now(), "0".repeat(64));
        let answer = app.request(Method::POST, "/payments/stripe/", &[("stripe-signature", &forged)], body.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, "signature_mismatch"));
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 0);
    }

    async fn events_without_our_token_are_stored_and_matched_by_other_references(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&fixture("charge.refunded.full").to_string()]).await;
        assert_eq!(app.events("parked"), 1);
        app.deliver(&[&completed(&token)]).await;
        assert_eq!((app.events("parked"), app.events("completed")), (0, 2));
        assert_eq!(app.status(&token).await, Status::Refunded);
        let matched = app.texts("SELECT matched_by AS t FROM pay_events ORDER BY id");
        assert_eq!(matched, ["pi_3kNxQ46LHsTkP6q921vWNUTz", token.as_str()]);
    }

    async fn an_event_of_an_unknown_payment_is_taken_and_kept(kind) {
        let app = App::new(kind).await;
        app.deliver(&[&completed("pay_of-somebody-else")]).await;
        assert_eq!(app.codes(), ["parked"]);
        app.pass(61);
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE adopted AND status = 'paid'"), 1);
    }

    async fn both_ways_of_writing_the_address_are_answered(kind) {
        let app = App::new(kind).await;
        let body = completed(&app.order().await.token);
        let signature = actix_payments::gateways::stripe::sign_delivery(crate::app::SECRET, app.now(), body.as_bytes());
        for path in ["/payments/stripe", "/payments/stripe/", "/payments/process/stripe", "/payments/process/stripe/"] {
            let answer = app.request(Method::POST, path, &[("stripe-signature", &signature)], body.as_bytes()).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{path}");
        }
        assert_eq!(app.number("SELECT deliveries FROM pay_events"), 4);
    }

    async fn a_variant_that_does_not_exist_is_not_found(kind) {
        let app = App::new(kind).await;
        for path in ["/payments/other", "/payments/other/", "/payments/process/other", "/payments/process/"] {
            let answer = app.request(Method::POST, path, &[], b"{}").await;
            assert_eq!((answer.status, answer.body.as_str()), (404, "unknown_variant"), "{path}");
        }
    }

    async fn three_decimals_are_paid_in_full(kind) {
        let app = App::new(kind).await;
        let token = app.order_of(money(5120, "KWD")).await.token;
        app.deliver(&[&checkout("checkout.session.completed.kwd", &token)]).await;
        let paid = app.payment(&token).await;
        assert_eq!((paid.status, paid.captured.to_string().as_str()), (Status::Paid, "5.120 KWD"));
    }

    async fn shillings_are_paid_in_stripes_own_units(kind) {
        let app = App::new(kind).await;
        let token = app.order_of(money(5, "UGX")).await.token;
        let paid = changed("checkout.session.completed.jpy", &[
            ("/data/object/client_reference_id", token.as_str().into()),
            ("/data/object/currency", "ugx".into()),
        ]);
        app.deliver(&[&paid]).await;
        let paid = app.payment(&token).await;
        assert_eq!((paid.status, paid.captured.to_string().as_str()), (Status::Paid, "5 UGX"), "{paid:?}");
    }
}
