//! Can support staff give money back, with a script and without, on a phone and on a desk?

use actix_payments::domain::payment::Status;

use super::{admin, assert_quiet, checkout, eur, open, settled, shop};
use crate::app::on_both_databases;
use crate::tools::{Browser, View};

on_both_databases! {
    async fn support_gives_a_part_of_the_money_back(kind) {
        for (javascript, width, dark) in [(true, 1280, false), (false, 360, true)] {
            let app = shop(kind).await;
            let site = app.serve();
            let mut browser = Browser::start();
            let (token, address) = checkout(&app, &site.at("/orders"), "kettle-1").await;
            open(&mut browser, &site, &address, &View { width, ..View::default() });
            browser.click("button[value=pay]");
            settled(&app);
            assert_eq!(app.status(&token).await, Status::Paid);

            let view = View { javascript, width, dark, ..admin() };
            open(&mut browser, &site, &format!("/payments/admin/payments/{token}"), &view);
            assert_eq!((browser.count(".acts a"), browser.count(".acts button[disabled]")), (2, 2));
            assert_eq!(browser.overflow(), None);
            browser.click(".acts a[href$=refund]");
            assert_eq!(browser.text("h1"), "Refund how much?");
            assert_eq!(browser.overflow(), None);
            browser.fill("input[name=amount]", "60");
            browser.submit("form.choose");
            assert_eq!(browser.text(".error"), "expected at most 49.99 EUR, got 60.00 EUR");
            browser.fill("input[name=amount]", "12.50");
            browser.submit("form.choose");
            assert_eq!(browser.text("h1"), "Refund 12.50 EUR?");
            assert_eq!((browser.text("form.confirm button").as_str(), browser.overflow()), ("Refund 12.50 EUR", None));
            let faults = if javascript { browser.accessibility() } else { Vec::new() };
            assert!(faults.is_empty(), "{faults:?}");
            browser.click("form.confirm button");
            assert!(browser.url().ends_with("?done=refund"), "{}", browser.url());
            assert!(browser.text("h1 + .badges").contains("partially refunded"), "{}", browser.text(".badges"));
            assert_eq!(app.payment(&token).await.refunded, eur(1250));
            let faults = if javascript { browser.accessibility() } else { Vec::new() };
            assert!(faults.is_empty(), "{faults:?}");
            assert_quiet(&mut browser);
        }
    }
}
