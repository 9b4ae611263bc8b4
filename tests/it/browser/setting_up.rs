//! Can an operator see that the signing secret is wrong, what to do, and that it works in the end?

use actix_payments::gateways::stripe::sign_delivery;
use actix_web::http::Method;

use super::{admin, assert_quiet, open, settled, shop, without_script};
use crate::app::{App, on_both_databases};
use crate::scenes::completed_as;
use crate::tools::{Browser, View};

/// A delivery signed with the secret of another endpoint.
async fn refused_delivery(app: &App) {
    let body = completed_as(1, "nobody");
    let signature = sign_delivery("whsec_of_another_endpoint", app.now(), body.as_bytes());
    let headers = [("stripe-signature", signature.as_str())];
    assert_eq!(app.request(Method::POST, "/payments/stripe/", &headers, body.as_bytes()).await.status, 400);
    app.counted("rejected:signature_mismatch", 1);
}

on_both_databases! {
    async fn an_operator_sees_that_the_secret_is_wrong_and_tests_the_way_in(kind) {
        let app = shop(kind).await;
        refused_delivery(&app).await;
        let site = app.serve();
        let mut browser = Browser::start();
        let phone = View { width: 360, ..without_script() };
        for (number, view) in [admin(), without_script(), View { width: 360, ..admin() }, phone].iter().enumerate() {
            open(&mut browser, &site, "/payments/admin/payments", view);
            browser.click_text("Variants");
            assert!(browser.text("table.variants").contains("rejecting all deliveries"), "{}", browser.text("table.variants"));
            browser.click_text("stripe");
            let refused = browser.text(".refusals");
            for part in ["1 ×", "signature_mismatch", "the signing secret belongs to another endpoint", "compare the secret"] {
                assert!(refused.contains(part), "{part:?} in {refused:?}");
            }
            assert!(browser.text(".paste").contains(&site.at("/payments/stripe/")), "{}", browser.text(".paste"));

            let sent = browser.click_text("Send a signed test event");
            assert!(sent.starts_with(&site.at("/payments/admin/variants/stripe?test=evt_test_")), "{sent}");
            settled(&app);
            assert_eq!(browser.open(&sent, view), 200);
            let test = browser.text(".test");
            assert!(test.contains("The endpoint works") && test.contains("nothing to do"), "{test}");
            assert!(test.contains("this does not tell whether that is the gateway's"), "{test}");
            browser.click_text("See the event");
            assert_eq!(browser.text("h1"), "Event actix_payments.test");
            assert_eq!(app.number("SELECT count(*) FROM pay_events"), number as i64 + 1);
            assert_quiet(&mut browser);
        }
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 0);
        open(&mut browser, &site, "/payments/admin/audit", &without_script());
        let acts = browser.text("table.audit");
        for part in ["test", "variant stripe", "sent evt_test_", "admin", "127.0.0.1"] {
            assert!(acts.contains(part), "{part:?} in {acts:?}");
        }
    }
}
