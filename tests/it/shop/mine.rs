//! Does a customer of the shop see their own orders, and what went back?

use super::process::Place;
use super::story::{completed, told};
use crate::app::on_both_databases;

on_both_databases! {
    async fn a_customer_sees_their_orders_and_refunds_and_nobody_elses(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        let sent = client.form("/orders", "text/html", &[("item", "kettle"), ("variant", "stripe")]).unwrap();
        let cookie = sent.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let mine = |cookie: &str| client.get_with("/mine", &[("cookie", cookie)]).text();
        assert!(mine(&cookie).contains("Copper kettle 0.00 EUR Status: pending"), "{}", mine(&cookie));
        let token = place.texts("SELECT token AS t FROM pay_payments").remove(0);
        for event in [completed(&token), told("charge.succeeded", &token), told("refund.created", &token)] {
            assert_eq!(client.stripe(&event.body).unwrap().status, 200);
        }
        place.settled();
        let shown = mine(&cookie);
        assert!(shown.contains("Copper kettle 49.99 EUR Status: partially_refunded"), "{shown}");
        assert!(shown.contains("19.99 EUR went back"), "{shown}");
        for stranger in ["", "customer=", "customer=0123456789ab"] {
            assert!(mine(stranger).contains("Nothing yet."), "{stranger}");
        }
    }
}
