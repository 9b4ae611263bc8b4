//! Does an operator find the payment that a customer asks about, and the events of one kind?

use actix_payments::NewPayment;

use super::{admin, assert_quiet, eur, open, order, rows, settled, shop, without_script};
use crate::app::{App, Kind, on_both_databases};
use crate::events::{changed, checkout, fixture};
use crate::tools::Browser;

/// One payment that went well, one that failed, and one that nobody has paid yet.
async fn three_payments(kind: Kind) -> (App, [String; 3]) {
    let app = shop(kind).await;
    let paid = order(&app, "10042").await;
    app.deliver(&[
        &checkout("checkout.session.completed", &paid),
        &fixture("payment_intent.succeeded").to_string(),
        &fixture("charge.succeeded").to_string(),
    ])
    .await;
    let failed = order(&app, "10043").await;
    app.deliver(&[&changed(
        "checkout.session.async_payment_failed",
        &[
            ("/data/object/client_reference_id", failed.as_str().into()),
            ("/data/object/id", "cs_other".into()),
            ("/data/object/payment_intent", "pi_other".into()),
        ],
    )])
    .await;
    let waiting = NewPayment::new("stripe", eur(1250)).reference("10044").customer("zoe+tea@example.org");
    let waiting = app.payments.create(waiting).await.unwrap().payment.token;
    (app, [paid.to_string(), failed.to_string(), waiting.to_string()])
}

on_both_databases! {
    async fn a_payment_is_found_by_whatever_people_have_of_it(kind) {
        let (app, [paid, _, waiting]) = three_payments(kind).await;
        let site = app.serve();
        let mut browser = Browser::start();
        let cases = [
            ("10042", &paid),
            (" jenny.rosen@example.com ", &paid),
            ("pi_3kNxQ46LH", &paid),
            ("zoe+tea@example.org", &waiting),
            (waiting.as_str(), &waiting),
        ];
        let intent = fixture("payment_intent.succeeded")["data"]["object"]["id"].as_str().unwrap().to_owned();
        for (asked, token) in cases {
            let asked = if asked.starts_with("pi_") { &intent } else { asked };
            open(&mut browser, &site, "/payments/admin/payments", &admin());
            browser.fill("input[name=q]", asked);
            browser.submit("form.filter");
            let found = rows(&mut browser);
            assert!(found.contains(&format!("/payments/admin/payments/{token}")), "{asked:?}: {found:?}");
            assert!(found.len() < 3, "{asked:?}: {found:?}");
        }
        browser.fill("input[name=q]", "nobody@example.org");
        browser.submit("form.filter");
        assert!(browser.text("main").contains("No payments match"));
        browser.click_text("Clear");
        assert_eq!(rows(&mut browser).len(), 3);
        assert_quiet(&mut browser);
    }

    async fn tabs_and_filters_are_links_that_say_how_many(kind) {
        let (app, [paid, failed, _]) = three_payments(kind).await;
        let site = app.serve();
        settled(&app);
        let mut browser = Browser::start();
        open(&mut browser, &site, "/payments/admin/payments", &without_script());
        assert_eq!(browser.text(".tabs a[aria-current]"), "All 3");
        for (tab, token) in [("status=paid", &paid), ("status=failed", &failed)] {
            let address = browser.click(&format!(".tabs a[href$='{tab}']"));
            assert_eq!(rows(&mut browser), [format!("/payments/admin/payments/{token}")], "{tab}");
            assert!(browser.text(".tabs a[aria-current]").ends_with('1'));
            assert!(address.ends_with(&format!("?{tab}")));
        }
        // The search stays in the tab, and a tab keeps the search.
        browser.fill("input[name=q]", "10042");
        assert!(browser.submit("form.filter").contains("status=failed"));
        assert!(rows_or_none(&mut browser).is_empty());
        browser.click(".tabs a[href*='status=paid']");
        assert_eq!(rows(&mut browser).len(), 1);

        browser.click_text("Events");
        let all = rows(&mut browser).len();
        assert_eq!(all, 4);
        browser.fill("input[name=kind]", "charge.*");
        browser.submit("form.filter");
        assert_eq!(browser.count("table.rows tbody tr"), 1);
        assert_eq!(browser.text(".row-link"), "charge.succeeded");
        browser.fill("input[name=kind]", "checkout.session.*");
        browser.submit("form.filter");
        assert_eq!(browser.count("table.rows tbody tr"), 2);
        browser.fill("select[name=variant]", "dummy");
        browser.submit("form.filter");
        assert!(browser.text("main").contains("No events match"));
    }

    async fn paging_goes_there_and_back_whatever_arrives_meanwhile(kind) {
        let app = shop(kind).await;
        let send = async |number: usize| {
            let id = format!("evt_{number}");
            assert_eq!(app.stripe(&changed("payout.paid", &[("/id", id.into())])).await.status, 200);
        };
        for number in 0..120 {
            send(number).await;
        }
        app.drain().await;
        let site = app.serve();
        let mut browser = Browser::start();
        open(&mut browser, &site, "/payments/admin/events?kind=payout.*", &without_script());
        let mut pages = vec![rows(&mut browser)];
        for _ in 0..2 {
            browser.click_text("Older");
            pages.push(rows(&mut browser));
        }
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
        let mut seen: Vec<_> = pages.concat();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 120, "each once");
        assert_eq!(browser.count(".paging a[rel=next]"), 0);
        send(120).await;
        settled(&app);
        for expected in pages[..2].iter().rev() {
            assert!(browser.click_text("Newer").contains("kind=payout"));
            assert_eq!(&rows(&mut browser), expected);
        }
        browser.click_text("Newer");
        assert_eq!(rows(&mut browser), ["/payments/admin/events/121"]);
        assert_eq!(browser.count(".paging a[rel=prev]"), 0);
    }
}

fn rows_or_none(browser: &mut Browser) -> Vec<String> {
    if browser.count("table.rows") == 0 { Vec::new() } else { rows(browser) }
}
