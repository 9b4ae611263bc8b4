//! A small Lemon Squeezy: checkouts, orders, and refunds that show as a running total only.

use actix_payments::gateways::lemon_squeezy::LemonSqueezy;
use serde_json::{Value, json};

use super::{Books, Fake, Holds, Stage, What, fixture, parts, storms};
use crate::app::on_both_databases;
use crate::companies::{Company, lemon_squeezy};
use crate::stripe::listener::Heard;

struct Small;

fn order(books: &Books, at: usize) -> Value {
    let entry = &books.entries[at];
    let mut it = fixture::<lemon_squeezy::Of>("order_created")["data"].take();
    let status = match entry.refunded() {
        0 => "paid",
        all if all == entry.amount => "refunded",
        _ => "partial_refund",
    };
    it["id"] = json!((at + 1).to_string());
    it["attributes"]["identifier"] = json!(format!("identifier-{}", at + 1));
    let of = &mut it["attributes"];
    (of["store_id"], of["status"]) = (json!(11), json!(status));
    (of["subtotal"], of["tax"], of["total"]) = (json!(entry.amount), json!(0), json!(entry.amount));
    of["refunded_amount"] = json!(entry.refunded());
    of["first_order_item"]["price"] = json!(entry.amount);
    of["updated_at"] = json!(entry.changed);
    it
}

impl Fake for Small {
    type Of = lemon_squeezy::Of;
    const CURRENCY: &'static str = "EUR";
    const HOLDS: Holds = Holds::Nowhere;

    fn gateway(address: &str) -> LemonSqueezy {
        let gateway = lemon_squeezy::Of::gateway().api_key("k", "11").product_variant("22", "EUR");
        gateway.api_base(address).api_retries(0)
    }

    fn key(_: &Heard, _: &Value) -> Option<String> {
        None
    }

    fn answer(books: &mut Books, heard: &Heard, sent: &Value) -> Result<Value, u16> {
        match (heard.method.as_str(), parts(heard).as_slice()) {
            ("POST", ["v1", "checkouts"]) => {
                let of = &sent["data"]["attributes"];
                let token = of["checkout_data"]["custom"]["payment_token"].as_str().unwrap();
                books.open(token, of["custom_price"].as_i64().unwrap(), false);
                Ok(json!({"data": {"id": "c1", "attributes": {"url": "https://shop.lemonsqueezy.com/checkout/1"}}}))
            }
            ("GET", ["v1", "orders", id]) => {
                let is_paid = |at: &usize| books.entries[*at].stage == Stage::Captured;
                let at = Some(books.number(id)?).filter(is_paid).ok_or(404_u16)?;
                Ok(json!({"data": order(books, at)}))
            }
            ("POST", ["v1", "orders", id, "refund"]) => {
                let at = books.number(id)?;
                let amount = sent["data"]["attributes"]["amount"].as_i64();
                books.refund(at, amount, Some("asked for".to_owned()))?;
                Ok(json!({"data": order(books, at)}))
            }
            _ => Err(404),
        }
    }

    fn events(books: &Books, at: usize, what: What) -> Vec<Value> {
        let kind = if matches!(what, What::Refunded(_)) { "order_refunded" } else { "order_created" };
        let own = json!({"payment_token": books.entries[at].token});
        vec![json!({"meta": {"test_mode": true, "event_name": kind, "custom_data": own}, "data": order(books, at)})]
    }
}

on_both_databases! {
    async fn a_storm_at_lemon_squeezy_ends_as_its_books_say(kind) {
        storms::<Small>(kind).await;
    }
}
