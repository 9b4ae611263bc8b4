//! A small Polar: checkouts, orders that are found by them, and refunds that bear what asked for them.

use actix_payments::gateways::polar::Polar;
use serde_json::{Value, json};

use super::{Books, Fake, Holds, Stage, What, fixture, parts, storms};
use crate::app::on_both_databases;
use crate::companies::{Company, polar};
use crate::stripe::listener::Heard;

struct Small;

fn order(books: &Books, at: usize) -> Value {
    let entry = &books.entries[at];
    let mut it = fixture::<polar::Of>("order.paid")["data"].take();
    let left = entry.amount - entry.refunded();
    let status = match left {
        0 => "refunded",
        left if left == entry.amount => "paid",
        _ => "partially_refunded",
    };
    it["id"] = json!(format!("order-{}", at + 1));
    it["checkout_id"] = json!(format!("checkout-{}", at + 1));
    it["status"] = json!(status);
    for name in ["subtotal_amount", "net_amount", "total_amount"] {
        it[name] = json!(entry.amount);
    }
    for (name, minor) in [("tax_amount", 0), ("refundable_tax_amount", 0), ("refunded_amount", entry.refunded())] {
        it[name] = json!(minor);
    }
    it["refundable_amount"] = json!(left);
    it["metadata"] = json!({"payment_token": entry.token});
    it["modified_at"] = json!(entry.changed);
    it
}

fn refund(books: &Books, at: usize, number: usize) -> Value {
    let back = &books.entries[at].refunds[number];
    let mut it = fixture::<polar::Of>("refund.updated")["data"].take();
    it["id"] = json!(format!("refund-{}-{number}", at + 1));
    it["order_id"] = json!(format!("order-{}", at + 1));
    (it["amount"], it["tax_amount"]) = (json!(back.minor), json!(0));
    it["metadata"] = json!({"operation": back.mark});
    (it["created_at"], it["modified_at"]) = (json!(back.made), Value::Null);
    it
}

impl Fake for Small {
    type Of = polar::Of;
    const CURRENCY: &'static str = "EUR";
    const HOLDS: Holds = Holds::Nowhere;

    fn gateway(address: &str) -> Polar {
        polar::Of::gateway().access_token("polar_oat_1").product("product-1").api_base(address).api_retries(0)
    }

    fn key(_: &Heard, _: &Value) -> Option<String> {
        None
    }

    fn answer(books: &mut Books, heard: &Heard, sent: &Value) -> Result<Value, u16> {
        let is_paid = |books: &Books, at: usize| books.entries[at].stage == Stage::Captured;
        let asked = |name: &str| heard.path.split(name).nth(1).and_then(|rest| rest.split('&').next());
        match (heard.method.as_str(), parts(heard).as_slice()) {
            ("POST", ["v1", "checkouts"]) => {
                let price = sent["prices"]["product-1"][0]["price_amount"].as_i64().unwrap();
                let at = books.open(sent["metadata"]["payment_token"].as_str().unwrap(), price, false);
                Ok(json!({"id": format!("checkout-{}", at + 1), "url": "https://polar.sh/checkout/1"}))
            }
            ("GET", ["v1", "orders"]) => {
                let at = books.number(asked("checkout_id=").unwrap())?;
                let orders = if is_paid(books, at) { vec![order(books, at)] } else { Vec::new() };
                Ok(json!({"items": orders, "pagination": {"max_page": 1}}))
            }
            ("GET", ["v1", "orders", id]) if id.starts_with("order-") => {
                Some(books.number(id)?).filter(|at| is_paid(books, *at)).map(|at| order(books, at)).ok_or(404)
            }
            ("GET", ["v1", "refunds"]) => {
                let at = books.number(asked("order_id=").unwrap())?;
                let made = (0..books.entries[at].refunds.len()).map(|number| refund(books, at, number));
                Ok(json!({"items": made.collect::<Vec<_>>(), "pagination": {"max_page": 1}}))
            }
            ("POST", ["v1", "refunds"]) => {
                let at = books.number(sent["order_id"].as_str().unwrap())?;
                let mark = sent["metadata"]["operation"].as_str().map(str::to_owned);
                let number = books.refund(at, sent["amount"].as_i64(), mark)?;
                Ok(refund(books, at, number))
            }
            _ => Err(404),
        }
    }

    fn events(books: &Books, at: usize, what: What) -> Vec<Value> {
        let event = |kind: &str, data: Value| json!({"type": kind, "timestamp": books.time(), "data": data});
        match what {
            What::Refunded(number) => {
                vec![event("refund.created", refund(books, at, number)), event("order.refunded", order(books, at))]
            }
            _ => vec![event("order.paid", order(books, at))],
        }
    }
}

on_both_databases! {
    async fn a_storm_at_polar_ends_as_its_books_say(kind) {
        storms::<Small>(kind).await;
    }
}
