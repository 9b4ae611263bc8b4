//! Can an operator find, read and erase what is held of a person, with a script and without, on a phone and on a desk?

use std::time::Duration;

use super::{admin, assert_quiet, open, shop_with};
use crate::app::on_both_databases;
use crate::person::{EMAIL, with_key};
use crate::tools::{Browser, View};

on_both_databases! {
    async fn a_person_is_looked_for_and_erased(kind) {
        for (javascript, width, dark) in [(true, 1280, false), (true, 360, true), (false, 360, false)] {
            let app = shop_with(kind, with_key).await;
            let token = app.paid_by_mia(1).await;
            let site = app.serve();
            for _ in 0..500 {
                if app.number("SELECT count(*) FROM pay_growth") > 0 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let mut browser = Browser::start();
            let examine = |browser: &mut Browser| {
                let faults = if javascript { browser.accessibility() } else { Vec::new() };
                assert!(faults.is_empty() && browser.overflow().is_none(), "{faults:?} {:?}", browser.overflow());
            };
            open(&mut browser, &site, "/payments/admin/data", &View { javascript, width, dark, ..admin() });
            assert!(browser.text("table.growth").contains("pay_events"), "{}", browser.text("main"));
            examine(&mut browser);
            browser.fill("input[name=who]", EMAIL);
            browser.submit("form.filter");
            assert!(browser.text("main").contains("Found: 1 payment") && browser.html("main").contains(token.as_str()));
            examine(&mut browser);
            browser.click("form[action$=erase] button");
            assert_eq!(browser.text("h1"), "The person was erased");
            examine(&mut browser);
            assert_eq!(app.found(), Vec::<String>::new());
            assert_quiet(&mut browser);
        }
    }
}
