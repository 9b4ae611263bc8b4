//! Does what Stripe's own libraries sign pay an order, and nothing else?

use actix_payments::gateways::stripe::sign_delivery;

use super::process::{OLD_SECRET, Place, SECRET, now};
use super::story::completed;
use crate::app::on_both_databases;
use crate::tools::Signer;

on_both_databases! {
    async fn a_checkout_signed_by_an_official_library_pays_its_order(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        for (mut signer, secret, label) in [
            (Signer::node(), SECRET, "primary"),
            (Signer::python(), SECRET, "primary"),
            (Signer::node(), OLD_SECRET, "secret-2"),
        ] {
            let bought = client.buy().unwrap();
            let event = completed(&bought.token);
            let signature = signer.sign(secret, now(), &event.body);
            let answer = client.deliver(&signature, &event.body).unwrap();
            assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
            place.settled();
            let order = format!("FROM shop_orders WHERE id = '{}'", bought.order);
            assert_eq!(place.texts(&format!("SELECT status AS t {order}")), ["paid"]);
            assert_eq!(place.number(&format!("SELECT receipts {order}")), 1);
            let event = format!("FROM pay_events WHERE gateway_event_id = '{}'", event.id);
            assert_eq!(place.texts(&format!("SELECT secret AS t {event}")), [label]);
            let page = client.get(&format!("/orders/{}", bought.order), "application/json");
            assert!(page.body.contains(r#""status":"paid""#), "{page:?}");
        }
    }

    async fn a_checkout_signed_by_somebody_else_is_refused(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        let event = completed(&client.buy().unwrap().token);
        let both = format!("{SECRET}, {OLD_SECRET}");
        for secret in ["whsec_guessed", &both] {
            let signature = Signer::node().sign(secret, now(), &event.body);
            assert_eq!(client.deliver(&signature, &event.body).unwrap().status, 400);
        }
        let stale = sign_delivery(SECRET, now() - 900, event.body.as_bytes());
        assert_eq!(client.deliver(&stale, &event.body).unwrap().status, 400);
        assert_eq!(client.deliver("", &event.body).unwrap().status, 400);
        assert_eq!(place.number("SELECT count(*) FROM pay_events"), 0);
    }
}
