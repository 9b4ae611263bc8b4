//! Does a purchase end where the customer chose, and does the payment's page tell how it came to that?

use super::{admin, assert_quiet, checkout, open, settled, shop_with, without_script};
use crate::app::{App, on_both_databases};
use crate::tools::Browser;

async fn shop(kind: crate::app::Kind) -> App {
    shop_with(kind, |builder| builder.handler("send-receipt", |_| async { Ok(()) })).await
}

on_both_databases! {
    async fn every_ending_of_a_checkout_is_told_on_the_payments_page(kind) {
        let app = shop(kind).await;
        let site = app.serve();
        let mut browser = Browser::start();
        let endings = [
            ("Pay 49.99 EUR", "paid", "payment.paid", "49.99 EUR"),
            ("Let the payment fail", "failed", "payment.failed", "0.00 EUR"),
            ("Authorize only", "authorized", "payment.authorized", "0.00 EUR"),
        ];
        for (choice, status, told, captured) in endings {
            let (token, address) = checkout(&app, "/orders", "10042").await;
            open(&mut browser, &site, &address, &admin());
            assert!(browser.text("main").contains("For 10042"));
            assert_eq!(browser.click_text(choice), site.at("/orders/10042"));
            assert_eq!(browser.text("h1"), "Thank you for order 10042");
            settled(&app);

            open(&mut browser, &site, &format!("/payments/admin/payments/{token}"), &admin());
            assert_eq!(browser.text(".title .badges"), format!("{status} test"));
            assert!(browser.text(".figures").contains(&format!("Captured {captured}")), "{}", browser.text(".figures"));
            let story = browser.text(".timeline");
            for part in ["send-receipt ok", &format!("pending {status}"), told, "Created 49.99 EUR through dummy"] {
                assert!(story.contains(part), "{part:?} in {story:?}");
            }
            let begin = story.find("Created").unwrap();
            assert!(story.find("send-receipt").unwrap() < begin && story.find(told).unwrap() < begin, "newest first");
        }
        assert_quiet(&mut browser);
    }

    async fn who_walks_away_leaves_a_payment_that_waits(kind) {
        let app = shop(kind).await;
        let site = app.serve();
        let mut browser = Browser::start();
        let (token, address) = checkout(&app, "/orders", "10042").await;
        open(&mut browser, &site, &address, &without_script());
        assert_eq!(browser.click_text("Walk away"), site.at("/orders/10042"));
        open(&mut browser, &site, &format!("/payments/admin/payments/{token}"), &without_script());
        assert_eq!(browser.text(".title .badges"), "pending");
        assert_eq!(browser.count(".timeline > li"), 1);
        assert!(browser.text(".ledger").contains("No event has stated a fact yet."));

        // The customer comes back, in vain at first.
        for (choice, status) in [("Let the payment fail", "failed"), ("Pay 49.99 EUR", "paid")] {
            open(&mut browser, &site, &address, &without_script());
            browser.click_text(choice);
            settled(&app);
            open(&mut browser, &site, &format!("/payments/admin/payments/{token}"), &without_script());
            assert_eq!(browser.text(".title .badges"), format!("{status} test"));
        }
        let story = browser.text(".timeline");
        assert!(story.contains("failed") && story.contains("paid"), "{story}");
    }
}

#[actix_web::test]
async fn the_timeline_leads_to_the_event_and_back() {
    let app = shop(crate::app::Kind::Sqlite).await;
    let site = app.serve();
    let mut browser = Browser::start();
    let (token, address) = checkout(&app, "/orders", "10042").await;
    open(&mut browser, &site, &address, &without_script());
    browser.click_text("Pay 49.99 EUR");
    settled(&app);
    let payment = site.at(&format!("/payments/admin/payments/{token}"));
    for link in ["payment.paid", "send-receipt"] {
        assert_eq!(browser.open(&payment, &without_script()), 200);
        assert_eq!(browser.click_text(link), site.at("/payments/admin/events/1"), "{link}");
        assert_eq!(browser.click(".explain a[href*='/payments/']"), payment);
    }
    assert_eq!(browser.click(".crumb a"), site.at("/payments/admin/payments"));
}
