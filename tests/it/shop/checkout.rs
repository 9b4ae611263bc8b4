//! Does the shop send its customers to Stripe when it has an API key?

use super::process::{Place, SECRET, now};
use super::story::completed;
use crate::app::on_both_databases;
use crate::stripe::fake::Fake;
use crate::stripe::listener::{Listener, Say};

const SESSION: &str =
    r#"{"id":"cs_1","object":"checkout.session","url":"https://checkout.stripe.com/c/pay/cs_1","payment_intent":null}"#;

on_both_databases! {
    async fn a_purchase_goes_by_way_of_stripes_own_page(kind) {
        let stripe = Listener::saying([Say::Answer(200, vec![], SESSION.to_owned())]);
        let place = Place::fresh(kind);
        let key = [("STRIPE_API_KEY", "sk_test_1"), ("STRIPE_API_BASE", stripe.address.as_str())];
        let shop = place.open_with(&[&key[..], &[("STRIPE_WEBHOOK_SECRET", SECRET)]].concat());
        let client = shop.client();
        let bought = client.form("/orders", "text/html", &[("item", "kettle"), ("variant", "stripe")]).unwrap();
        assert_eq!((bought.status, bought.header("location")), (303, Some("https://checkout.stripe.com/c/pay/cs_1")));

        // The worker asks for what was missed, besides.
        let heard = stripe.heard();
        let asked = heard.iter().find(|heard| heard.method == "POST").expect("a session was asked for");
        let order = place.texts("SELECT id AS t FROM shop_orders").remove(0);
        let back = format!("{}/orders/{order}", shop.root).replace(':', "%3A").replace('/', "%2F");
        assert!(asked.body.contains(&format!("success_url={back}&")), "{}", asked.body);
        assert!(asked.body.contains("[name]=Copper%20kettle") && asked.body.contains("[unit_amount]=4999"), "{}", asked.body);

        let token = place.texts("SELECT token AS t FROM shop_orders").remove(0);
        let paid = completed(&token);
        let signature = actix_payments::gateways::stripe::sign_delivery(SECRET, now(), paid.body.as_bytes());
        assert_eq!(client.deliver(&signature, &paid.body).unwrap().status, 200);
        place.settled();
        assert_eq!(place.texts("SELECT status AS t FROM shop_orders"), ["paid"]);
        assert!(!shop.log().contains("sk_test_1"), "the key is in no log");
    }

    async fn a_customer_who_is_back_before_the_event_sees_a_paid_order(kind) {
        let fake = Fake::new(now());
        let place = Place::fresh(kind);
        let shop = place.open_with(&[("STRIPE_API_KEY", "sk_test_1"), ("STRIPE_API_BASE", &fake.listener.address)]);
        let client = shop.client();
        client.form("/orders", "text/html", &[("item", "kettle"), ("variant", "stripe")]).unwrap();
        let order = place.texts("SELECT id AS t FROM shop_orders").remove(0);
        fake.pay(&place.texts("SELECT token AS t FROM shop_orders").remove(0));
        let page = client.get(&format!("/orders/{order}"), "text/html");
        assert!(page.body.contains("<strong class=\"status paid\">paid</strong>"), "{}", page.body);
        place.settled();
        assert_eq!(place.texts("SELECT status AS t FROM shop_orders"), ["paid"]);
    }
}
