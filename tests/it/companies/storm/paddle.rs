//! A small Paddle: transactions with their adjustments, and the list of its events.

use actix_payments::gateways::paddle::Paddle;
use serde_json::{Value, json};

use super::{Back, Books, Fake, Holds, Stage, What, fixture, parts, storms, text};
use crate::app::on_both_databases;
use crate::companies::{Company, paddle};
use crate::stripe::listener::Heard;

struct Small;

fn transaction(books: &Books, at: usize) -> Value {
    let entry = &books.entries[at];
    let mut it = fixture::<paddle::Of>("transaction.completed")["data"].take();
    let status = match entry.stage {
        Stage::Captured => "completed",
        Stage::Canceled => "canceled",
        _ => "ready",
    };
    let amount = entry.amount;
    it["id"] = json!(format!("txn_{}", at + 1));
    it["status"] = json!(status);
    it["custom_data"] = json!({"payment_token": entry.token});
    it["origin"] = json!("api");
    it["items"][0]["price"]["unit_price"]["amount"] = text(amount);
    for (name, minor) in [("subtotal", amount), ("tax", 0), ("total", amount), ("grand_total", amount), ("fee", 30)] {
        it["details"]["totals"][name] = text(minor);
    }
    it["details"]["line_items"] = json!([{"id": format!("txnitm_{}", at + 1), "totals": {"total": text(amount)}}]);
    it["checkout"]["url"] = json!("https://shop.example/pay");
    it["updated_at"] = json!(entry.changed);
    if entry.stage != Stage::Captured {
        it["payments"] = json!([]);
    }
    it
}

fn adjustment(books: &Books, at: usize, number: usize) -> Value {
    let Back { minor, mark, made, .. } = &books.entries[at].refunds[number];
    let mut it = fixture::<paddle::Of>("adjustment.updated")["data"].take();
    it["id"] = json!(format!("adj_{}_{number}", at + 1));
    it["transaction_id"] = json!(format!("txn_{}", at + 1));
    it["reason"] = json!(mark.clone().unwrap_or_else(|| "by hand".to_owned()));
    it["items"] = json!([{"item_id": format!("txnitm_{}", at + 1), "amount": text(*minor)}]);
    it["totals"] = json!({"total": text(*minor), "currency_code": "EUR"});
    (it["created_at"], it["updated_at"]) = (json!(made), json!(made));
    it
}

impl Fake for Small {
    type Of = paddle::Of;
    const CURRENCY: &'static str = "EUR";
    const HOLDS: Holds = Holds::Nowhere;

    fn gateway(address: &str) -> Paddle {
        let gateway = paddle::Of::gateway().tolerance(std::time::Duration::from_secs(86_400 * 2));
        gateway.api_key("pdl_sdbx_apikey_1").api_base(address).api_retries(0)
    }

    fn key(_: &Heard, _: &Value) -> Option<String> {
        None
    }

    fn answer(books: &mut Books, heard: &Heard, sent: &Value) -> Result<Value, u16> {
        let shown = |books: &Books, at: usize| {
            let mut it = transaction(books, at);
            let adjustments = 0..books.entries[at].refunds.len();
            it["adjustments"] = adjustments.map(|number| adjustment(books, at, number)).collect();
            Ok(json!({"data": it}))
        };
        match (heard.method.as_str(), parts(heard).as_slice()) {
            ("POST", ["transactions"]) => {
                let token = sent["custom_data"]["payment_token"].as_str().unwrap();
                let price = sent["items"][0]["price"]["unit_price"]["amount"].as_str().unwrap().parse().unwrap();
                let at = books.open(token, price, false);
                shown(books, at)
            }
            ("PATCH", ["transactions", id]) => {
                let at = books.number(id)?;
                books.cancel(at, &[Stage::Open])?;
                shown(books, at)
            }
            ("GET", ["transactions", id]) => shown(books, books.number(id)?),
            ("POST", ["adjustments"]) => {
                let at = books.number(sent["transaction_id"].as_str().unwrap())?;
                let of_item = |item: &Value| item["amount"].as_str().unwrap().parse::<i64>().unwrap();
                let part = sent["items"].as_array().map(|items| items.iter().map(of_item).sum());
                assert_eq!(part.is_none(), sent["type"] == "full");
                let number = books.refund(at, part, sent["reason"].as_str().map(str::to_owned))?;
                Ok(json!({"data": adjustment(books, at, number)}))
            }
            ("GET", ["events"]) => {
                let all: Vec<&Value> = books.reported().rev().collect();
                let after = heard.path.split("after=").nth(1);
                let from = after.map_or(0, |id| all.iter().position(|event| event["event_id"] == id).unwrap() + 1);
                Ok(json!({"data": all.into_iter().skip(from).take(100).collect::<Vec<_>>()}))
            }
            _ => Err(404),
        }
    }

    fn events(books: &Books, at: usize, what: What) -> Vec<Value> {
        let (kind, data) = match what {
            What::Refunded(number) => ("adjustment.created", adjustment(books, at, number)),
            What::Canceled => ("transaction.canceled", transaction(books, at)),
            _ => ("transaction.completed", transaction(books, at)),
        };
        let id = format!("evt_{}_{}", at + 1, books.entries[at].version);
        vec![json!({"event_id": id, "event_type": kind, "occurred_at": books.time(), "data": data})]
    }
}

on_both_databases! {
    async fn a_storm_at_paddle_ends_as_its_books_say(kind) {
        storms::<Small>(kind).await;
    }
}
