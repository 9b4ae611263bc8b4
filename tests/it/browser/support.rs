//! Can support staff answer what they are asked? Why is this customer's payment not paid; what came in this month?

use actix_payments::NewPayment;

use super::{admin, assert_quiet, eur, open, order, shop};
use crate::app::on_both_databases;
use crate::events::changed;
use crate::tools::{Browser, View};

/// With a script and without, wide and on a phone, in light and in dark.
fn views() -> [View<'static>; 2] {
    [View { width: 1280, ..admin() }, View { javascript: false, width: 360, dark: true, ..admin() }]
}

on_both_databases! {
    async fn a_customers_payment_is_found_and_says_why_it_is_not_paid(kind) {
        let app = shop(kind).await;
        order(&app, "10041").await;
        let new = NewPayment::new("stripe", eur(4999)).reference("10042").customer("Mia.Meier@shop.example");
        let token = app.payments.create(new).await.unwrap().payment.token;
        let failed = [("/data/object/metadata", serde_json::json!({"payment_token": token}))];
        app.deliver(&[&changed("payment_intent.payment_failed", &failed)]).await;
        let site = app.serve();
        let mut browser = Browser::start();
        for view in views() {
            open(&mut browser, &site, "/payments/admin/payments", &view);
            browser.fill("input[name=q]", "mia.meier@");
            browser.submit("form.filter");
            assert_eq!(browser.count("table.rows tbody tr"), 1);
            assert!(browser.text("table.rows tbody").contains("failed"));
            browser.click(".row-link");
            let story = browser.text(".timeline");
            for part in ["payment_intent.payment_failed", "pending to failed", "had an attempt fail (insufficient_funds)"] {
                assert!(story.replace("\u{2192}", "to").contains(part), "{part:?} in {story}");
            }
            assert_eq!(browser.overflow(), None);
            assert_quiet(&mut browser);
        }
    }

    async fn a_month_is_exported(kind) {
        let app = shop(kind).await;
        for reference in ["=10040", "10041", "10042", "10043"] {
            order(&app, reference).await;
            app.pass(15 * 86_400);
        }
        let site = app.serve();
        let mut browser = Browser::start();
        for view in views() {
            open(&mut browser, &site, "/payments/admin/payments", &view);
            browser.click("details.more summary");
            browser.fill("input[name=from]", "2026-10-01");
            browser.fill("input[name=until]", "2026-10-31");
            browser.submit("form.filter");
            assert_eq!(browser.count("table.rows tbody tr"), 2, "{}", browser.url());
            let (name, text) = browser.download("Download CSV");
            assert!(name.starts_with("payments-") && name.ends_with(".csv"), "{name}");
            let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
            assert!(lines[0].starts_with("created,token,reference,"), "{lines:?}");
            assert_eq!(lines.len(), 3, "{lines:?}");
            assert!(lines[1].contains(",10041,") && lines[2].contains(",'=10040,"), "{lines:?}");
            assert_quiet(&mut browser);
        }
    }
}
