//! A small Mercado Pago that remembers: payments with their refunds, orders and chargebacks, and the searches for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::stripe::listener::{Heard, Listener, Say};

/// What it knows, by the path at which it is shown.
type Objects = Arc<Mutex<BTreeMap<String, Value>>>;

pub struct Fake {
    objects: Objects,
    /// How many of the next requests get no answer.
    lost: Arc<Mutex<usize>>,
    pub listener: Listener,
}

impl Fake {
    pub fn new() -> Self {
        let (objects, lost) = (Objects::default(), Arc::new(Mutex::new(0)));
        let (known, losing, answered) = (objects.clone(), lost.clone(), Mutex::new(0));
        let listener = Listener::answering(move |heard| {
            let (mut left, mut answered) = (losing.lock().unwrap(), answered.lock().unwrap());
            if *left > 0 {
                *left -= 1;
                return Say::Nothing;
            }
            *answered += 1;
            match said(&known.lock().unwrap(), heard) {
                Some(body) => Say::Answer(200, vec![("date", date(*answered))], body),
                None => Say::Answer(404, vec![], r#"{"message":"not found","error":"not_found"}"#.to_owned()),
            }
        });
        Self { objects, lost, listener }
    }

    /// Leaves the next requests without an answer.
    pub fn lose(&self, count: usize) {
        *self.lost.lock().unwrap() = count;
    }

    /// Shows an object from now on.
    pub fn show(&self, path: &str, object: Value) {
        self.objects.lock().unwrap().insert(path.to_owned(), object);
    }

    /// A payment of 49.99 with this token.
    pub fn pay(&self, id: u64, token: &str, status: &str, changes: Value) {
        let mut payment = payment(id, token, status);
        for (name, value) in changes.as_object().unwrap() {
            payment[name] = value.clone();
        }
        self.show(&format!("/v1/payments/{id}"), payment);
    }
}

/// A second later for each answer.
fn date(answered: u32) -> String {
    format!("Mon, 12 Oct 2026 12:{:02}:{:02} GMT", answered / 60, answered % 60)
}

fn said(objects: &BTreeMap<String, Value>, heard: &Heard) -> Option<String> {
    let path = heard.path.split('?').next().unwrap();
    if path == "/v1/payments/search" {
        let token = heard.path.split("external_reference=").nth(1).unwrap().split('&').next().unwrap();
        let found: Vec<&Value> = objects.values().filter(|object| object["external_reference"] == token).collect();
        return Some(json!({"paging": {"total": found.len()}, "results": found}).to_string());
    }
    objects.get(path).map(Value::to_string)
}

/// A payment of 49.99 as Mercado Pago shows it.
pub fn payment(id: u64, token: &str, status: &str) -> Value {
    json!({
        "id": id,
        "date_created": "2026-10-12T04:53:18.000-04:00",
        "date_approved": "2026-10-12T04:53:20.000-04:00",
        "date_last_updated": "2026-10-12T04:53:20.000-04:00",
        "payment_method_id": "visa",
        "payment_type_id": "credit_card",
        "status": status,
        "status_detail": "accredited",
        "currency_id": "BRL",
        "live_mode": false,
        "collector_id": 724_484_980,
        "external_reference": token,
        "transaction_amount": 49.99,
        "transaction_amount_refunded": 0,
        "captured": status != "authorized",
        "order": {"id": "9001", "type": "mercadopago"},
        "payer": {"email": "mia@shop.example"},
        "metadata": {},
        "refunds": [],
    })
}

/// A refund within a payment.
pub fn refund(id: u64, amount: Value, status: &str) -> Value {
    json!({"id": id, "payment_id": 1, "amount": amount, "status": status, "date_created": "2026-10-12T05:10:18.000-04:00"})
}
