//! Does the shop sell the monthly tea box, and does only an active subscriber see the page behind it?

use super::process::{Client, Place, Shop};
use crate::app::{Answer, Kind, on_both_databases};
use crate::browser::looks::examine;
use crate::stripe::listener::{Listener, Say};
use crate::tools::{Browser, View};

/// A customer with a cookie and the pages that they see.
struct Customer {
    client: Client,
    cookie: String,
}

impl Customer {
    fn get(&self, path: &str) -> Answer {
        self.client.get_with(path, &[("cookie", &self.cookie)])
    }

    /// Clicks a button of the demo gateway's page, and answers where that leads.
    fn choose(&self, page: &Answer, choice: &str) -> String {
        let action = page.body.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut fields: Vec<(String, String)> =
            page.body.split("<input type=\"hidden\" name=\"").skip(1).map(field).collect();
        fields.push(("choice".to_owned(), choice.to_owned()));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let sent = self.client.form(action, "text/html", &fields).unwrap();
        assert_eq!(sent.status, 303, "{sent:?}");
        sent.header("location").unwrap().to_owned()
    }

    /// The page from which the subscription's clock is moved.
    fn manage(&self) -> Answer {
        let sent = self.client.form_with("/tea/manage", &[], &[("cookie", &self.cookie)]).unwrap();
        assert_eq!(sent.status, 303, "{sent:?}");
        self.client.get(sent.header("location").unwrap(), "text/html")
    }
}

/// A hidden field's name and value.
fn field(text: &str) -> (String, String) {
    let (name, rest) = text.split_once("\" value=\"").unwrap();
    let value = rest.split_once('"').unwrap().0;
    let value = value.replace("&#38;", "&").replace("&#34;", "\"").replace("&#39;", "'");
    (name.to_owned(), value)
}

/// Subscribes, and answers the customer with the gateway's page.
fn subscribe(shop: &Shop) -> (Customer, String) {
    let client = shop.client();
    let sent = client.form("/tea", "text/html", &[("variant", "dummy")]).unwrap();
    assert_eq!(sent.status, 303, "{sent:?}");
    let cookie = sent.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    (Customer { client, cookie }, sent.header("location").unwrap().to_owned())
}

fn statuses(place: &Place) -> Vec<String> {
    place.texts("SELECT status AS t FROM pay_subscriptions ORDER BY id")
}

on_both_databases! {
    async fn a_subscriber_sees_the_box_from_the_first_payment_to_the_end(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let (customer, next) = subscribe(&shop);
        assert_eq!(customer.get("/tea/box").status, 303, "nothing is paid yet");
        let page = customer.client.get(&next, "text/html");
        assert!(page.body.contains("12.50 EUR every month"), "{}", page.body);
        let back = customer.choose(&page, "subscribe");
        assert!(back.ends_with("/tea/box"), "{back}");
        place.settled();
        let shown = customer.get("/tea/box");
        assert!(shown.status == 200 && shown.body.contains("Darjeeling"), "{shown:?}");
        assert_eq!(shop.client().get("/tea/box", "text/html").status, 303, "nobody else");
        // The clock goes to the next renewal, which is paid, and to one that is not, and that is paid late.
        let mut page = customer.manage();
        for (choice, status) in [("renew", "active"), ("fail", "past_due"), ("renew", "active"), ("end", "canceled")] {
            let next = customer.choose(&page, choice);
            page = customer.client.get(&next, "text/html");
            place.settled();
            assert_eq!(statuses(&place), [status]);
        }
        assert!(page.body.contains("It has ended."), "{}", page.body);
        assert_eq!(customer.get("/tea/box").status, 303);
        // Each paid month is a payment, and its invoice knows it.
        let paid = "SELECT count(*) FROM pay_payments WHERE status = 'paid' AND captured_amount = 1250";
        assert_eq!(place.number(paid), 3);
        assert_eq!(place.number("SELECT count(*) FROM pay_subscription_invoices WHERE paid"), 3);
        assert_eq!(shop.log().matches("tea box: packing one for").count(), 3, "{}", shop.log());
        assert_eq!(place.number("SELECT count(*) FROM shop_orders"), 0);
    }

    async fn a_first_payment_that_fails_lets_nobody_in(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let (customer, next) = subscribe(&shop);
        let page = customer.client.get(&next, "text/html");
        let again = customer.choose(&page, "fail");
        place.settled();
        assert_eq!((statuses(&place), customer.get("/tea/box").status), (vec!["incomplete".to_owned()], 303));
        let page = customer.client.get(&again, "text/html");
        customer.choose(&page, "subscribe");
        place.settled();
        assert_eq!((statuses(&place), customer.get("/tea/box").status), (vec!["active".to_owned()], 200));
        // A link that was altered is refused.
        let altered = next.replace("amount=1250", "amount=1");
        assert_eq!(customer.client.get(&altered, "text/html").status, 400);
    }

    async fn its_pages_can_be_read_by_everybody(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let mut browser = Browser::start();
        let mut faults = Vec::new();
        for (dark, width) in [(false, 1280), (true, 360)] {
            let view = View { dark, width, ..View::default() };
            let mut look = |browser: &mut Browser, path: &str| {
                assert_eq!(browser.open(&format!("{}{path}", shop.root), &view), 200, "{path}");
                examine(browser, &format!("{path}, dark: {dark}, {width} px"), &mut faults);
            };
            // Before and after somebody has subscribed; the page of subscribers only then.
            look(&mut browser, "/");
            look(&mut browser, "/tea");
            browser.submit("form[action='/tea']");
            browser.click("button[value=subscribe]");
            place.settled();
            look(&mut browser, "/tea/box");
            look(&mut browser, "/tea");
            assert!(browser.text("main").contains("Your subscription: active"), "{}", browser.text("main"));
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }

    async fn stripe_sells_the_box_where_it_is_configured(kind) {
        stripe(kind);
    }
}

fn stripe(kind: Kind) {
    let session = r#"{"id":"cs_1","object":"checkout.session","url":"https://checkout.stripe.com/c/tea"}"#;
    let stripe = Listener::saying([Say::Answer(200, vec![], session.to_owned())]);
    let place = Place::fresh(kind);
    let shop = place.open_with(&[
        ("STRIPE_API_KEY", "sk_test_1"),
        ("STRIPE_API_BASE", &stripe.address),
        ("STRIPE_TEA_PRICE", "price_tea"),
    ]);
    let client = shop.client();
    assert!(client.get("/tea", "text/html").body.contains("<option value=\"stripe\">"));
    let sent = client.form("/tea", "text/html", &[("variant", "stripe")]).unwrap();
    assert_eq!((sent.status, sent.header("location")), (303, Some("https://checkout.stripe.com/c/tea")));
    let heard = stripe.heard();
    let asked = heard.iter().find(|heard| heard.method == "POST").expect("a session was asked for");
    assert!(asked.body.contains("mode=subscription") && asked.body.contains("[price]=price_tea"), "{}", asked.body);
    let other = place.open();
    let refused = other.client().form("/tea", "text/html", &[("variant", "stripe")]).unwrap();
    assert_eq!(refused.status, 400, "without a price it is sold on the dummy gateway only");
}
