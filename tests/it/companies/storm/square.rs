//! A small Square: payment links with their orders, payments of the host's own that are approved first, refunds.

use actix_payments::gateways::square::Square;
use serde_json::{Value, json};

use super::{Books, Fake, Holds, Stage, What, fixture, parts, storms};
use crate::app::on_both_databases;
use crate::companies::{Company, square};
use crate::stripe::listener::Heard;

struct Small;

fn euros(minor: i64) -> Value {
    json!({"amount": minor, "currency": "EUR"})
}

fn payment(books: &Books, at: usize) -> Value {
    let entry = &books.entries[at];
    let mut it = fixture::<square::Of>("payment.updated")["data"]["object"]["payment"].take();
    let status = match entry.stage {
        Stage::Captured => "COMPLETED",
        Stage::Canceled => "CANCELED",
        _ => "APPROVED",
    };
    it["id"] = json!(format!("PAY{}", at + 1));
    it["order_id"] = json!(format!("ORD{}", at + 1));
    it["status"] = json!(status);
    for name in ["amount_money", "total_money", "approved_money"] {
        it[name] = euros(entry.amount);
    }
    it["refunded_money"] = euros(entry.refunded());
    it["refund_ids"] = (0..entry.refunds.len()).map(|number| format!("REF{}x{number}", at + 1)).collect();
    (it["reference_id"], it["note"]) = (Value::Null, json!(entry.token));
    (it["updated_at"], it["version"]) = (json!(entry.changed), json!(entry.version));
    it
}

fn refund(books: &Books, at: usize, number: usize) -> Value {
    let back = &books.entries[at].refunds[number];
    let mut it = fixture::<square::Of>("refund.updated")["data"]["object"]["refund"].take();
    it["id"] = json!(format!("REF{}x{number}", at + 1));
    it["payment_id"] = json!(format!("PAY{}", at + 1));
    it["amount_money"] = euros(back.minor);
    (it["created_at"], it["updated_at"]) = (json!(back.made), json!(back.made));
    it
}

impl Fake for Small {
    type Of = square::Of;
    const CURRENCY: &'static str = "EUR";
    const HOLDS: Holds = Holds::Outside;

    fn gateway(address: &str) -> Square {
        square::Of::gateway().access_token("sq_1", "L1").api_base(address).api_retries(0)
    }

    fn key(_: &Heard, sent: &Value) -> Option<String> {
        sent["idempotency_key"].as_str().map(str::to_owned)
    }

    fn answer(books: &mut Books, heard: &Heard, sent: &Value) -> Result<Value, u16> {
        let exists = |books: &Books, at: usize| books.entries[at].stage != Stage::Open;
        match (heard.method.as_str(), parts(heard).as_slice()) {
            ("POST", ["v2", "online-checkout", "payment-links"]) => {
                let price = sent["order"]["line_items"][0]["base_price_money"]["amount"].as_i64().unwrap();
                let at = books.open(sent["payment_note"].as_str().unwrap(), price, false) + 1;
                let url = "https://square.link/u/1";
                Ok(json!({"payment_link": {"id": format!("LINK{at}"), "order_id": format!("ORD{at}"), "url": url}}))
            }
            ("GET", ["v2", "orders", id]) if id.starts_with("ORD") => {
                let at = books.number(id)?;
                let id = format!("PAY{}", at + 1);
                let tenders = if exists(books, at) { json!([{"id": id, "payment_id": id}]) } else { json!([]) };
                Ok(json!({"order": {"id": format!("ORD{}", at + 1), "tenders": tenders}}))
            }
            ("GET", ["v2", "payments", id]) if id.starts_with("PAY") => {
                let at = Some(books.number(id)?).filter(|at| exists(books, *at)).ok_or(404_u16)?;
                Ok(json!({"payment": payment(books, at)}))
            }
            ("POST", ["v2", "payments", id, verb]) => {
                let at = books.number(id)?;
                match *verb {
                    "complete" => books.capture(at)?,
                    _ => books.cancel(at, &[Stage::Held])?,
                }
                Ok(json!({"payment": payment(books, at)}))
            }
            ("POST", ["v2", "refunds"]) => {
                let at = books.number(sent["payment_id"].as_str().unwrap())?;
                let mark = sent["idempotency_key"].as_str().map(str::to_owned);
                let number = books.refund(at, sent["amount_money"]["amount"].as_i64(), mark)?;
                Ok(json!({"refund": refund(books, at, number)}))
            }
            ("GET", ["v2", "refunds", id]) => {
                let number = id.split('x').nth(1).unwrap().parse().unwrap();
                Ok(json!({"refund": refund(books, books.number(id)?, number)}))
            }
            _ => Err(404),
        }
    }

    fn events(books: &Books, at: usize, what: What) -> Vec<Value> {
        let version = books.entries[at].version;
        let event = |kind: &str, name: &str, object: Value| {
            let id = format!("{kind}-{}-{version}", at + 1);
            json!({"merchant_id": "M1", "type": kind, "event_id": id, "created_at": books.time(),
                "data": {"type": name, "object": {name: object}}})
        };
        let kind = if matches!(what, What::Paid | What::Held) { "payment.created" } else { "payment.updated" };
        let mut all = vec![event(kind, "payment", payment(books, at))];
        if let What::Refunded(number) = what {
            all.push(event("refund.updated", "refund", refund(books, at, number)));
        }
        all
    }
}

on_both_databases! {
    async fn a_storm_at_square_ends_as_its_books_say(kind) {
        storms::<Small>(kind).await;
    }
}
