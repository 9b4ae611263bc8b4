//! What does a merchant's own staff see in a browser? Each page, its menus and what it suggests, and nothing of others.

use std::collections::BTreeSet;

use super::{Site, open};
use crate::app::on_both_databases;
use crate::limited::routes::routes;
use crate::limited::scene::{FOREIGN, OWN, marketplace};
use crate::tools::{Browser, View};

/// Words by which a page would show something of the other merchant: in its text, its links, its menus or suggestions.
#[track_caller]
fn shows_nothing_of(browser: &mut Browser, marks: &[String]) {
    let (url, page) = (browser.url(), browser.html("html"));
    let shown: Vec<&String> = marks.iter().filter(|mark| page.contains(mark.as_str())).collect();
    assert!(shown.is_empty(), "{url} shows {shown:?}");
}

/// What the fields of a page offer to choose from.
fn offers(browser: &mut Browser) -> BTreeSet<String> {
    let offered =
        browser.run("[...document.querySelectorAll('main select option, datalist option')].map(o => o.value)");
    offered.as_array().unwrap().iter().map(|offer| offer.as_str().unwrap().to_owned()).collect()
}

on_both_databases! {
    async fn a_merchants_staff_goes_through_all_pages_and_sees_nothing_of_another(kind) {
        let app = marketplace(kind).await;
        let (own, marks) = (OWN.rows(&app), FOREIGN.marks(&app));
        let site = app.serve();
        let mut browser = Browser::start();
        let view = View { width: 1280, ..View::default() };
        begin(&mut browser, &site, &view);
        // Each page that the menu leads to, and each that it does not.
        let menu = browser.run("[...document.querySelectorAll('nav a')].map(a => new URL(a.href).pathname)");
        let menu: BTreeSet<String> = menu.as_array().unwrap().iter().map(|to| to.as_str().unwrap().to_owned()).collect();
        assert!(menu.len() > 5 && menu.contains("/acme/admin/payments"), "{menu:?}");
        let mut offered = BTreeSet::new();
        let pages = routes().into_iter().filter(|route| !route.is_act && !route.path.ends_with(".csv"));
        for route in pages.filter(|route| !route.path.contains("{verb}")) {
            let token = if route.path.starts_with("subscriptions") { &own.subscription } else { &own.payment };
            let path = route.path.replace("{token}", token).replace("{id}", &own.event.to_string());
            let path = format!("/acme/admin/{}", path.replace("{variant}", OWN.name));
            let status = browser.open(&site.at(&path), &view);
            // What is of all variants is not for those who may see some.
            assert!([200, 403, 409].contains(&status), "{path}: {status}");
            assert!(status == 200 || !menu.contains(&path), "the menu leads to {path}: {status}");
            shows_nothing_of(&mut browser, &marks);
            offered.extend(offers(&mut browser));
        }
        for own in [OWN.name.to_owned(), OWN.cash()] {
            assert!(offered.contains(&own), "{offered:?}");
        }
        // The other merchant's pages are not there, and no search leads to them.
        let foreign = FOREIGN.rows(&app);
        for path in [format!("payments/{}", foreign.payment), format!("events/{}", foreign.event), "variants/zeta".to_owned()] {
            assert_eq!(browser.open(&site.at(&format!("/acme/admin/{path}")), &view), 404, "{path}");
        }
        begin(&mut browser, &site, &view);
        for text in [FOREIGN.email, "zeta-order", "evt_failed_zeta", FOREIGN.amounts[1]] {
            browser.fill(".find input", text);
            browser.enter(".find input");
            let found = browser.count("main a[href*='/payments/pay_'], main a[href*='/events/']");
            assert_eq!(found, 0, "{text}: {}", browser.text("main"));
        }
        browser.fill(".find input", "acme-order");
        browser.enter(".find input");
        assert!(browser.url().contains(&own.payment), "{}", browser.url());
        // What is refused on purpose is all that the browser complains of.
        let complaints = browser.complaints();
        assert!(complaints.iter().all(|said| said.starts_with("Failed to load resource")), "{complaints:?}");
    }
}

fn begin(browser: &mut Browser, site: &Site, view: &View) {
    open(browser, site, "/acme/admin/", view);
    assert!(browser.text("body").contains("ann"), "{}", browser.text("body"));
}
