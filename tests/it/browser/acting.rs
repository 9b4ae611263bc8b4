//! Can an operator bring back all events that were given up, with a script and without, on a phone and on a desk?

use actix_payments::HandlerError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{admin, assert_quiet, open, settled, shop_with};
use crate::app::on_both_databases;
use crate::events::changed;
use crate::tools::{Browser, View};

on_both_databases! {
    async fn an_operator_requeues_all_discarded_events_of_a_kind(kind) {
        for (javascript, width) in [(true, 1280), (false, 360)] {
            let mended = Arc::new(AtomicBool::new(false));
            let works = mended.clone();
            let app = shop_with(kind, |builder| {
                builder.on_event("*", "book", move |_| {
                    let works = works.load(Ordering::SeqCst);
                    async move { if works { Ok(()) } else { Err(HandlerError::Discard("the books are closed".into())) } }
                })
            })
            .await;
            for number in 0..7 {
                let name = if number < 4 { "payout.paid" } else { "customer.subscription.created" };
                app.deliver(&[&changed(name, &[("/id", format!("evt_{number}").into())])]).await;
            }
            assert_eq!(app.events("discarded"), 7);
            let site = app.serve();
            let mut browser = Browser::start();
            let view = View { javascript, width, ..admin() };
            open(&mut browser, &site, "/payments/admin/events?state=discarded", &view);
            if width < 500 {
                // A phone has room for the search alone.
                browser.click(".filter summary");
            }
            browser.fill("input[name=kind]", "payout.*");
            browser.submit("form.filter");
            assert_eq!(browser.count("tbody tr"), 4);
            assert_eq!(browser.overflow(), None);
            browser.click("button[value=requeue-all]");
            assert_eq!(browser.text("h1"), "Requeue 4 events?");
            assert_eq!((browser.count("tbody tr"), browser.overflow()), (4, None));
            let faults = if javascript { browser.accessibility() } else { Vec::new() };
            assert!(faults.is_empty(), "{faults:?}");
            mended.store(true, Ordering::SeqCst);
            browser.click("form.confirm button");
            assert_eq!(browser.text("h1"), "4 events were requeued");
            settled(&app);
            assert_eq!((app.events("completed"), app.events("discarded")), (4, 3));
            assert!(browser.click(".notice a.button").contains("kind=payout"), "{}", browser.url());
            // The others by their ticks.
            open(&mut browser, &site, "/payments/admin/events?state=discarded", &view);
            for nth in [1, 3] {
                browser.click(&format!("tbody tr:nth-child({nth}) input"));
            }
            browser.click("button[value=requeue]");
            assert_eq!(browser.text("h1"), "Requeue 2 events?");
            browser.click("form.confirm button");
            settled(&app);
            assert_eq!(app.events("discarded"), 1);
            assert_quiet(&mut browser);
        }
    }
}
