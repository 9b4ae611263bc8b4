//! Can one order, in a browser and by program?

use serde_json::{Value, json};

use super::process::{Client, Place};
use crate::app::on_both_databases;

const JSON: &str = "application/json";

fn order(client: &Client, accept: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let answer = client.form("/orders", accept, fields).unwrap();
    (answer.status, answer.body)
}

on_both_databases! {
    async fn a_program_gets_the_order_as_json(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        let (status, body) = order(&client, JSON, &[("item", "kettle"), ("variant", "stripe")]);
        let bought: Value = serde_json::from_str(&body).unwrap();
        let (id, token) = (bought["order"].as_str().unwrap(), bought["token"].as_str().unwrap());
        assert_eq!(status, 200);
        assert_eq!(bought, json!({"order": id, "token": token, "status": "pending", "next": null}));
        assert_eq!(place.texts("SELECT token AS t FROM pay_payments"), [token]);
        let shown = client.get(&format!("/orders/{id}"), JSON);
        assert_eq!((shown.status, serde_json::from_str::<Value>(&shown.body).unwrap()), (200, bought));
    }

    async fn a_program_learns_where_the_customer_pays(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        let (_, body) = order(&client, JSON, &[("item", "cup"), ("variant", "dummy")]);
        let bought: Value = serde_json::from_str(&body).unwrap();
        let page = client.get(bought["next"].as_str().unwrap(), "text/html");
        assert!(page.status == 200 && page.body.contains("18.00 EUR"), "{page:?}");
    }

    async fn the_price_is_the_shops(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let kettle = |amount, currency| {
            let fields = [("item", "kettle"), ("variant", "stripe"), ("amount", amount), ("currency", currency)];
            order(&shop.client(), JSON, &fields).0
        };
        assert_eq!([kettle("1", ""), kettle("", "jpy"), kettle("4999", "EUR"), kettle("", "")], [400, 400, 400, 200]);
        let made = "SELECT count(*) FROM pay_payments WHERE amount = 4999 AND currency = 'EUR'";
        assert_eq!(place.number(made), 1);
    }

    async fn a_browser_is_sent_on(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        for (variant, next) in [("stripe", "/orders/"), ("dummy", "/payments/dummy/")] {
            let sent = client.form("/orders", "text/html", &[("item", "cup"), ("variant", variant)]).unwrap();
            let next_page = sent.header("location").unwrap();
            assert!(sent.status == 303 && next_page.starts_with(next), "{sent:?}");
            assert_eq!(client.get(next_page, "text/html").status, 200);
        }
        assert_eq!(client.get("/", "text/html").status, 200);
    }

    async fn what_cannot_be_sold_is_refused_with_words_and_leaves_nothing(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        let kettle = |name, value| vec![("item", "kettle"), ("variant", "stripe"), (name, value)];
        for (fields, words) in [
            (vec![("item", "car"), ("variant", "stripe")], "item"),
            (vec![("item", "kettle"), ("variant", "cash")], "variant"),
            (vec![("item", "kettle")], "variant"),
            (kettle("amount", "-1"), "amount"),
            (kettle("currency", "€"), "currency"),
        ] {
            let (status, body) = order(&client, JSON, &fields);
            assert!(status == 400 && body.to_lowercase().contains(words), "{fields:?}: {status} {body}");
        }
        assert_eq!(place.number("SELECT count(*) FROM pay_payments"), 0);
        assert_eq!(place.number("SELECT count(*) FROM shop_orders"), 0);
        assert_eq!(client.get("/orders/nobody", JSON).status, 404);
    }
}
