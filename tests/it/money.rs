//! Is the money right where real reports found it wrong? Signed events of Stripe's and PayPal's go in, and what the
//! payment then says is compared with what the gateway's documentation says.

use std::sync::atomic::{AtomicU32, Ordering};

use actix_payments::domain::payment::Status;
use actix_payments::{NewPayment, Payment, Refund, Token};
use serde_json::{Value, json};

use crate::app::{App, NOW};

mod attempts;
mod believed;
mod charges;
mod checkouts;
mod disputes;
mod family;
mod fees;
mod paypal;
mod review;
mod twice;

/// An event of Stripe's, with an id of its own, `at` seconds into the story.
pub(super) fn event(kind: &str, at: i64, object: Value) -> String {
    changed(kind, at, object, Value::Null)
}

/// The same with what it changed.
pub(super) fn changed(kind: &str, at: i64, object: Value, previous: Value) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let id = format!("evt_money_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut data = json!({"object": object});
    if !previous.is_null() {
        data["previous_attributes"] = previous;
    }
    let event =
        json!({"id": id, "object": "event", "type": kind, "created": NOW + at, "livemode": false, "data": data});
    event.to_string()
}

fn with(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

/// A paid session of 49.99 EUR.
pub(super) fn session(id: &str, token: &str, changes: Value) -> Value {
    let session = json!({
        "id": id, "object": "checkout.session", "mode": "payment", "client_reference_id": token, "currency": "eur",
        "amount_subtotal": 4999, "amount_total": 4999, "payment_status": "paid", "status": "complete",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    });
    with(session, changes)
}

/// A succeeded intent of 49.99 EUR.
pub(super) fn intent(id: &str, changes: Value) -> Value {
    let intent = json!({
        "id": id, "object": "payment_intent", "currency": "eur", "amount": 4999, "amount_received": 4999,
        "amount_capturable": 0, "status": "succeeded",
    });
    with(intent, changes)
}

/// A captured charge of 49.99 EUR.
pub(super) fn charge(id: &str, intent: &str, changes: Value) -> Value {
    let charge = json!({
        "id": id, "object": "charge", "currency": "eur", "amount": 4999, "amount_captured": 4999, "amount_refunded": 0,
        "captured": true, "refunded": false, "status": "succeeded", "payment_intent": intent,
    });
    with(charge, changes)
}

/// A succeeded refund.
pub(super) fn refund(id: &str, charge: &str, made: i64, minor: i64, changes: Value) -> Value {
    let refund = json!({
        "id": id, "object": "refund", "currency": "eur", "amount": minor, "charge": charge, "created": NOW + made,
        "status": "succeeded",
    });
    with(refund, changes)
}

/// The status, and what was captured, refunded and lost, in cents.
pub(super) fn sums(payment: &Payment) -> (Status, [i64; 3]) {
    (payment.status, [payment.captured.minor, payment.refunded.minor, payment.lost.minor])
}

impl App {
    /// The token of a payment that the host itself starts at the gateway.
    async fn begun(&self) -> Token {
        let new = NewPayment::new("stripe", crate::scenes::money(4999, "EUR")).without_checkout();
        self.payments.create(new).await.unwrap().payment.token
    }

    async fn deliver_all(&self, events: &[String]) {
        self.deliver(&events.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }

    /// The payment that the events make, which are given a token and a suffix for their ids: the same in their order,
    /// in its reverse one by one, and begun in the middle.
    async fn made_of(&self, events: impl Fn(&str, &str) -> Vec<String>) -> Payment {
        let mut payments = Vec::new();
        for turn in 0..3 {
            let token = self.order().await.token;
            let mut events = events(&token, &format!("{turn}x"));
            match turn {
                1 => events.reverse(),
                2 => {
                    let half = events.len() / 2;
                    events.rotate_left(half);
                }
                _ => {}
            }
            match turn {
                1 => {
                    for event in &events {
                        self.deliver(&[event]).await;
                    }
                }
                _ => self.deliver_all(&events).await,
            }
            self.pass(3600);
            self.drain().await;
            self.same(&token).await;
            payments.push(self.payment(&token).await);
        }
        let said = |payment: &Payment| (sums(payment), payment.disputed, payment.concerns.clone());
        assert_eq!(payments.iter().map(said).collect::<Vec<_>>(), vec![said(&payments[0]); 3], "the order matters");
        assert_eq!(self.number("SELECT count(*) FROM pay_payments WHERE adopted AND absorbed_by IS NULL"), 0);
        payments.remove(0)
    }
}

/// A refund of so many euro cents.
pub(super) fn part(minor: i64) -> Refund {
    Refund::part(crate::scenes::money(minor, "EUR"))
}
