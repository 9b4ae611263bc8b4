//! A small Razorpay: payment links, payments of the host's own that are held first, and refunds under their keys.

use actix_payments::gateways::razorpay::Razorpay;
use serde_json::{Value, json};

use super::{Books, Fake, Holds, Stage, What, fixture, parts, storms};
use crate::app::on_both_databases;
use crate::companies::{Company, razorpay};
use crate::stripe::listener::Heard;

struct Small;

fn payment(books: &Books, at: usize) -> Value {
    let entry = &books.entries[at];
    let mut it = fixture::<razorpay::Of>("payment.captured")["payload"]["payment"]["entity"].take();
    let is_gone = entry.captured() > 0 && entry.refunded() == entry.amount;
    let status = match entry.stage {
        Stage::Captured if is_gone => "refunded",
        Stage::Captured => "captured",
        _ => "authorized",
    };
    it["id"] = json!(format!("pay_{}", at + 1));
    it["order_id"] = json!(format!("order_{}", at + 1));
    it["amount"] = json!(entry.amount);
    it["status"] = json!(status);
    it["captured"] = json!(entry.stage == Stage::Captured);
    it["amount_refunded"] = json!(entry.refunded());
    it["notes"] = json!({"payment_token": entry.token});
    it
}

fn link(books: &Books, at: usize) -> Value {
    let entry = &books.entries[at];
    let (status, paid) = match entry.stage {
        Stage::Captured => ("paid", entry.amount),
        Stage::Canceled => ("cancelled", 0),
        _ => ("created", 0),
    };
    let payments = if paid > 0 { json!([{"payment_id": format!("pay_{}", at + 1)}]) } else { json!([]) };
    json!({"id": format!("plink_{}", at + 1), "amount": entry.amount, "amount_paid": paid, "currency": "INR",
        "status": status, "order_id": format!("order_{}", at + 1), "reference_id": entry.token, "payments": payments,
        "short_url": "https://rzp.example/i/1", "created_at": 1_791_800_000})
}

fn refund(books: &Books, at: usize, number: usize) -> Value {
    let back = &books.entries[at].refunds[number];
    let mut it = fixture::<razorpay::Of>("refund.processed")["payload"]["refund"]["entity"].take();
    it["id"] = json!(format!("rfnd_{}_{number}", at + 1));
    it["payment_id"] = json!(format!("pay_{}", at + 1));
    (it["amount"], it["created_at"]) = (json!(back.minor), json!(back.made_at));
    it
}

impl Fake for Small {
    type Of = razorpay::Of;
    const CURRENCY: &'static str = "INR";
    const HOLDS: Holds = Holds::Outside;

    fn gateway(address: &str) -> Razorpay {
        razorpay::Of::gateway().api_key("rzp_test_1", "s").api_base(address).api_retries(0)
    }

    fn key(heard: &Heard, _: &Value) -> Option<String> {
        heard.header("x-refund-idempotency").map(str::to_owned)
    }

    fn answer(books: &mut Books, heard: &Heard, sent: &Value) -> Result<Value, u16> {
        let exists = |books: &Books, at: usize| matches!(books.entries[at].stage, Stage::Held | Stage::Captured);
        match (heard.method.as_str(), parts(heard).as_slice()) {
            ("POST", ["v1", "payment_links"]) => {
                let token = sent["reference_id"].as_str().unwrap();
                if books.entries.iter().any(|entry| entry.token == token) {
                    return Err(400);
                }
                let at = books.open(token, sent["amount"].as_i64().unwrap(), false);
                Ok(link(books, at))
            }
            ("POST", ["v1", "payment_links", id, "cancel"]) => {
                let at = books.number(id)?;
                books.cancel(at, &[Stage::Open])?;
                Ok(link(books, at))
            }
            ("GET", ["v1", "payment_links", id]) => Ok(link(books, books.number(id)?)),
            ("GET", ["v1", "orders", id, "payments"]) => {
                let at = books.number(id)?;
                let made = if exists(books, at) { vec![payment(books, at)] } else { Vec::new() };
                Ok(json!({"items": made}))
            }
            ("POST", ["v1", "payments", id, "capture"]) => {
                let at = books.number(id)?;
                books.capture(at)?;
                Ok(payment(books, at))
            }
            ("POST", ["v1", "payments", id, "refund"]) => {
                let at = books.number(id)?;
                let number = books.refund(at, sent["amount"].as_i64(), Some("asked for".to_owned()))?;
                Ok(refund(books, at, number))
            }
            ("GET", ["v1", "payments", id, "refunds"]) => {
                let at = books.number(id)?;
                let made = (0..books.entries[at].refunds.len()).map(|number| refund(books, at, number));
                Ok(json!({"items": made.collect::<Vec<_>>()}))
            }
            ("GET", ["v1", "payments", id]) => {
                Some(books.number(id)?).filter(|at| exists(books, *at)).map(|at| payment(books, at)).ok_or(404)
            }
            _ => Err(404),
        }
    }

    fn events(books: &Books, at: usize, what: What) -> Vec<Value> {
        let event = |kind: &str, payload: Value| json!({"entity": "event", "account_id": "acc_1", "event": kind, "payload": payload, "created_at": books.now});
        let paid = || json!({"entity": payment(books, at)});
        let whole = || json!({"entity": link(books, at)});
        match what {
            What::Paid => vec![
                event("payment.captured", json!({"payment": paid()})),
                event("payment_link.paid", json!({"payment": paid(), "payment_link": whole()})),
            ],
            What::Held => vec![event("payment.authorized", json!({"payment": paid()}))],
            What::Captured => vec![event("payment.captured", json!({"payment": paid()}))],
            What::Canceled => vec![event("payment_link.cancelled", json!({"payment_link": whole()}))],
            What::Refunded(number) => {
                let refund = json!({"entity": refund(books, at, number)});
                vec![event("refund.processed", json!({"payment": paid(), "refund": refund}))]
            }
        }
    }
}

on_both_databases! {
    async fn a_storm_at_razorpay_ends_as_its_books_say(kind) {
        storms::<Small>(kind).await;
    }
}
