//! A small Mercado Pago: preferences, payments of the host's own that are held first, refunds under their keys. Its
//! notifications name a payment, and what they tell is asked for.

use actix_payments::gateways::mercado_pago::MercadoPago;
use serde_json::{Value, json};

use super::{Books, Fake, Holds, Stage, What, parts, storms};
use crate::app::on_both_databases;
use crate::companies::Company;
use crate::companies::mercado_pago::{self, fake};
use crate::stripe::listener::Heard;

struct Small;

/// An amount as Mercado Pago writes it.
fn number(minor: i64) -> Value {
    serde_json::from_str(&format!("{}.{:02}", minor / 100, minor % 100)).unwrap()
}

/// An amount as it was written.
fn minor(number: &Value) -> Option<i64> {
    let text = number.as_number()?.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{decimals:0<2}").parse().ok()
}

/// Whether there is a payment: of a checkout only once somebody paid in it.
fn exists(books: &Books, at: usize) -> bool {
    let entry = &books.entries[at];
    entry.captured() > 0 || entry.stage == Stage::Held || (entry.is_manual && entry.stage == Stage::Canceled)
}

fn payment(books: &Books, at: usize) -> Value {
    let entry = &books.entries[at];
    let status = match entry.stage {
        Stage::Captured if entry.refunded() == entry.amount => "refunded",
        Stage::Captured => "approved",
        Stage::Canceled => "cancelled",
        _ => "authorized",
    };
    let mut it = fake::payment(at as u64 + 1, &entry.token, status);
    it["captured"] = json!(entry.stage == Stage::Captured);
    it["transaction_amount"] = number(entry.amount);
    it["transaction_amount_refunded"] = number(entry.refunded());
    it["refunds"] = (0..entry.refunds.len()).map(|number| refund(books, at, number)).collect();
    (it["date_last_updated"], it["order"]) = (json!(entry.changed), Value::Null);
    it
}

fn refund(books: &Books, at: usize, which: usize) -> Value {
    let back = &books.entries[at].refunds[which];
    let (payment, id) = (at as u64 + 1, (at as u64 + 1) * 1000 + which as u64);
    json!({"id": id, "payment_id": payment, "amount": number(back.minor), "status": "approved", "date_created": back.made})
}

fn preference(books: &Books, at: usize) -> Value {
    let entry = &books.entries[at];
    let is_over = entry.stage == Stage::Canceled;
    json!({"id": format!("preference-{}", at + 1), "external_reference": entry.token, "expires": is_over,
        "expiration_date_to": if is_over { json!(entry.changed) } else { Value::Null },
        "init_point": "https://www.mercadopago.com.br/checkout/1"})
}

impl Fake for Small {
    type Of = mercado_pago::Of;
    const CURRENCY: &'static str = "BRL";
    const HOLDS: Holds = Holds::Outside;

    fn gateway(address: &str) -> MercadoPago {
        mercado_pago::Of::gateway().access_token("APP_USR-1").api_base(address).api_retries(0)
    }

    fn key(heard: &Heard, _: &Value) -> Option<String> {
        heard.header("x-idempotency-key").map(str::to_owned)
    }

    fn answer(books: &mut Books, heard: &Heard, sent: &Value) -> Result<Value, u16> {
        match (heard.method.as_str(), parts(heard).as_slice()) {
            ("POST", ["checkout", "preferences"]) => {
                let price = minor(&sent["items"][0]["unit_price"]).unwrap();
                let at = books.open(sent["external_reference"].as_str().unwrap(), price, false);
                Ok(preference(books, at))
            }
            ("PUT", ["checkout", "preferences", id]) => {
                let at = books.number(id)?;
                // Nobody can pay in it any more; what was paid stays.
                let _ = books.cancel(at, &[Stage::Open]);
                Ok(preference(books, at))
            }
            ("GET", ["checkout", "preferences", id]) => Ok(preference(books, books.number(id)?)),
            ("GET", ["v1", "payments", "search"]) => {
                let token = heard.path.split("external_reference=").nth(1).unwrap().split('&').next().unwrap();
                let is_found = |at: &usize| books.entries[*at].token == token && exists(books, *at);
                let found: Vec<_> = (0..books.entries.len()).filter(is_found).map(|at| payment(books, at)).collect();
                Ok(json!({"results": found}))
            }
            ("POST", ["v1", "payments", id, "refunds"]) => {
                let at = books.number(id)?;
                let which = books.refund(at, minor(&sent["amount"]), Some("asked for".to_owned()))?;
                Ok(refund(books, at, which))
            }
            (method, ["v1", "payments", id]) => {
                let at = Some(books.number(id)?).filter(|at| exists(books, *at)).ok_or(404_u16)?;
                match (method, sent["status"].as_str()) {
                    ("GET", _) => {}
                    (_, Some("cancelled")) => books.cancel(at, &[Stage::Held])?,
                    _ => books.capture(at)?,
                }
                Ok(payment(books, at))
            }
            _ => Err(404),
        }
    }

    fn events(books: &Books, at: usize, what: What) -> Vec<Value> {
        let action = if matches!(what, What::Paid | What::Held) { "payment.created" } else { "payment.updated" };
        let id = (at + 1).to_string();
        let notification = json!({"action": action, "data": {"id": id}, "id": 12345, "type": "payment"});
        if exists(books, at) { vec![notification] } else { Vec::new() }
    }
}

on_both_databases! {
    async fn a_storm_at_mercado_pago_ends_as_its_books_say(kind) {
        storms::<Small>(kind).await;
    }
}
