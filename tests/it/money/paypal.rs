//! PayPal's older objects, captures that name their payment by a link, and authorizations that are used up.

use actix_payments::domain::payment::Status;
use actix_payments::{NewPayment, Payment, Token};
use actix_web::http::Method;
use serde_json::{Value, json};

use super::sums;
use crate::app::{App, Kind, on_both_databases};
use crate::paypal::events::{paypal, signed};
use crate::scenes::money;

pub(super) type Told = (&'static str, u32, Value);

/// An app with a payment of 49.99 EUR, told of these events one by one; and its token.
pub(super) async fn told_of(kind: Kind, events: impl IntoIterator<Item = &Told>) -> (App, Token) {
    let app = App::bare(kind, |builder| builder.variant("paypal", paypal())).await;
    let token = app.payments.create(NewPayment::new("paypal", money(4999, "EUR"))).await.unwrap().payment.token;
    for told in events {
        let body = body(told, &token);
        let headers = signed(&body);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = app.request(Method::POST, "/payments/paypal/", &headers, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{body}");
        app.drain().await;
    }
    app.pass(3600);
    app.drain().await;
    app.same(&token).await;
    (app, token)
}

/// The payment that these events make, told in their order and in its reverse: the kind, the second and the resource.
async fn made_of(kind: Kind, events: &[Told]) -> Payment {
    let mut made = Vec::new();
    for is_reverse in [false, true] {
        let (app, token) =
            if is_reverse { told_of(kind, events.iter().rev()).await } else { told_of(kind, events).await };
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 1, "none is adopted");
        made.push(app.payment(&token).await);
    }
    let said = |payment: &Payment| (sums(payment), payment.concerns.clone(), payment.disputed);
    assert_eq!(said(&made[0]), said(&made[1]), "the order matters");
    made.remove(0)
}

/// An event whose text `TOKEN` is the payment's token.
fn body((kind, second, resource): &Told, token: &str) -> String {
    let event = json!({
        "id": format!("WH-{second}-{kind}"), "event_type": kind, "resource": resource,
        "create_time": format!("2026-10-12T10:00:{second:02}Z"),
    });
    event.to_string().replace("TOKEN", token)
}

pub(super) fn v2(value: &str) -> Value {
    json!({"currency_code": "EUR", "value": value})
}

fn v1(value: &str) -> Value {
    json!({"currency": "EUR", "total": value})
}

/// A link to the parent.
pub(super) fn up(path: &str) -> Value {
    json!([{"href": format!("https://api.paypal.com/v2/{path}"), "rel": "up", "method": "GET"}])
}

pub(super) fn approved() -> Told {
    let unit = json!({"custom_id": "TOKEN", "amount": v2("49.99")});
    ("CHECKOUT.ORDER.APPROVED", 1, json!({"id": "O1", "status": "APPROVED", "purchase_units": [unit]}))
}

fn authorized() -> Told {
    let links = up("checkout/orders/O1");
    (
        "PAYMENT.AUTHORIZATION.CREATED",
        2,
        json!({"id": "A1", "status": "CREATED", "amount": v2("49.99"), "links": links}),
    )
}

fn captured(id: &str, second: u32, value: &str, is_final: bool) -> Told {
    let links = up("payments/authorizations/A1");
    let capture =
        json!({"id": id, "status": "COMPLETED", "amount": v2(value), "final_capture": is_final, "links": links});
    ("PAYMENT.CAPTURE.COMPLETED", second, capture)
}

on_both_databases! {
    async fn a_refund_of_paypals_first_api_belongs_to_its_capture(kind) {
        let capture = json!({"id": "C1", "amount": v1("49.99"), "custom": "TOKEN", "parent_payment": "PAY-1", "state": "completed"});
        let back = json!({"id": "R1", "amount": v1("-10.00"), "capture_id": "C1", "parent_payment": "PAY-1", "state": "completed"});
        let payment = made_of(kind, &[
            ("PAYMENT.CAPTURE.COMPLETED", 1, capture.clone()),
            ("PAYMENT.CAPTURE.REFUNDED", 9, back.clone()),
        ]).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::PartiallyRefunded, [4999, 1000, 0]), vec![]));
        // A sale's refund may name nothing but the payment, and be pending in the first API's own word.
        let mut pending = back;
        pending["state"] = json!("pending");
        pending.as_object_mut().unwrap().remove("capture_id");
        let payment = made_of(kind, &[
            ("PAYMENT.SALE.COMPLETED", 1, capture),
            ("PAYMENT.SALE.REFUNDED", 9, pending),
        ]).await;
        assert_eq!(sums(&payment), (Status::Paid, [4999, 0, 0]));
    }

    async fn a_capture_finds_its_payment_by_its_link_alone(kind) {
        let links = up("checkout/orders/O1");
        let capture = json!({"id": "C1", "status": "COMPLETED", "amount": v2("49.99"), "final_capture": true, "links": links});
        let payment = made_of(kind, &[approved(), ("PAYMENT.CAPTURE.COMPLETED", 3, capture)]).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Paid, [4999, 0, 0]), vec![]));
    }

    async fn a_last_capture_of_a_part_closes_the_authorization(kind) {
        let closed = made_of(kind, &[approved(), authorized(), captured("C1", 5, "20.00", true)]).await;
        assert_eq!((sums(&closed), closed.concerns), ((Status::Paid, [2000, 0, 0]), vec![]));
        let open = made_of(kind, &[approved(), authorized(), captured("C1", 5, "20.00", false)]).await;
        // Whether the rest is left on purpose is for a person to say.
        assert_eq!((sums(&open), open.needs_review()), ((Status::Authorized, [2000, 0, 0]), true));
        let both = [approved(), authorized(), captured("C1", 5, "20.00", false), captured("C2", 9, "10.00", true)];
        let both = made_of(kind, &both).await;
        assert_eq!((sums(&both), both.concerns), ((Status::Paid, [3000, 0, 0]), vec![]));
    }

    async fn the_last_capture_of_another_authorization_pays_nothing(kind) {
        let unit = json!({"custom_id": "TOKEN", "amount": v2("20.00")});
        let order = ("CHECKOUT.ORDER.APPROVED", 1, json!({"id": "O1", "status": "APPROVED", "purchase_units": [unit]}));
        let links = up("checkout/orders/O1");
        let held = json!({"id": "A1", "status": "CREATED", "amount": v2("20.00"), "links": links});
        let held = ("PAYMENT.AUTHORIZATION.CREATED", 2, held);
        let payment = made_of(kind, &[order, held, captured("C1", 5, "20.00", true)]).await;
        assert_eq!((sums(&payment).1, payment.status, payment.needs_review()), ([2000, 0, 0], Status::Pending, true));
    }

    async fn a_capture_that_is_denied_after_it_was_completed_asks_for_a_review(kind) {
        let links = up("checkout/orders/O1");
        let capture = |status: &str| json!({"id": "C1", "status": status, "amount": v2("49.99"), "links": links});
        let payment = made_of(kind, &[
            approved(),
            ("PAYMENT.CAPTURE.COMPLETED", 3, capture("COMPLETED")),
            ("PAYMENT.CAPTURE.DENIED", 9, capture("DECLINED")),
        ]).await;
        assert_eq!((sums(&payment), payment.needs_review()), ((Status::Paid, [4999, 0, 0]), true));
    }

    async fn a_voided_authorization_of_an_approved_order_is_canceled(kind) {
        let links = up("checkout/orders/O1");
        let voided = json!({"id": "A1", "status": "VOIDED", "amount": v2("49.99"), "links": links});
        let payment = made_of(kind, &[approved(), authorized(), ("PAYMENT.AUTHORIZATION.VOIDED", 9, voided)]).await;
        assert_eq!(sums(&payment), (Status::Canceled, [0, 0, 0]));
    }

    async fn a_lost_dispute_and_its_reversal_are_the_same_money(kind) {
        let links = up("checkout/orders/O1");
        let capture = json!({"id": "C1", "status": "COMPLETED", "amount": v2("49.99"), "links": links});
        let dispute = json!({
            "dispute_id": "PP-1", "status": "RESOLVED", "dispute_amount": v2("20.00"),
            "create_time": "2026-10-12T10:00:05Z", "update_time": "2026-10-12T10:00:30Z",
            "seller_response_due_date": "2026-10-20T10:00:00Z",
            "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"},
            "disputed_transactions": [{"seller_transaction_id": "C1"}],
        });
        let back = json!({
            "id": "R1", "status": "COMPLETED", "amount": v2("20.00"), "create_time": "2026-10-12T10:00:29Z",
            "links": up("payments/captures/C1"),
        });
        let completed = ("PAYMENT.CAPTURE.COMPLETED", 3, capture);
        let resolved = ("CUSTOMER.DISPUTE.RESOLVED", 30, dispute);
        let alone = made_of(kind, &[approved(), completed.clone(), resolved.clone()]).await;
        assert_eq!((sums(&alone), alone.disputed), ((Status::Paid, [4999, 0, 2000]), true));
        let both = made_of(kind, &[approved(), completed, resolved, ("PAYMENT.CAPTURE.REVERSED", 29, back)]).await;
        assert_eq!((sums(&both), both.remaining().minor), ((Status::PartiallyRefunded, [4999, 2000, 0]), 2999));
    }

    async fn a_refund_after_a_lost_dispute_is_other_money(kind) {
        let capture = json!({"id": "C1", "status": "COMPLETED", "amount": v2("49.99"), "links": up("checkout/orders/O1")});
        let dispute = json!({
            "dispute_id": "PP-1", "status": "RESOLVED", "dispute_amount": v2("20.00"),
            "create_time": "2026-10-12T10:00:05Z", "update_time": "2026-10-12T10:00:30Z",
            "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"},
            "disputed_transactions": [{"seller_transaction_id": "C1"}],
        });
        let back = json!({
            "id": "R1", "status": "COMPLETED", "amount": v2("10.00"), "create_time": "2026-10-14T09:00:00Z",
            "links": up("payments/captures/C1"),
        });
        let told = |kind| [
            approved(), ("PAYMENT.CAPTURE.COMPLETED", 3, capture.clone()), ("CUSTOMER.DISPUTE.RESOLVED", 30, dispute.clone()),
            (kind, 40, back.clone()),
        ];
        let refunded = made_of(kind, &told("PAYMENT.CAPTURE.REFUNDED")).await;
        assert_eq!((sums(&refunded), refunded.remaining().minor), ((Status::PartiallyRefunded, [4999, 1000, 2000]), 1999));
        // What PayPal itself takes back is the dispute's, whenever it does.
        let reversed = made_of(kind, &told("PAYMENT.CAPTURE.REVERSED")).await;
        assert_eq!((sums(&reversed), reversed.remaining().minor), ((Status::PartiallyRefunded, [4999, 1000, 1000]), 2999));
    }
}
