//! Do links and forms lead right, wherever the host mounts payments and whatever stands in front of it?

use actix_web::middleware::TrailingSlash;

use super::site::Host;
use super::{admin, assert_quiet, checkout, open, rows, settled, shop_with, without_script};
use crate::app::Kind;
use crate::tools::Browser;

/// Walks through the pages by clicking, pays on the way, and never leaves the mount.
async fn walk(host: Host) {
    let mount = format!("{}{}/payments", host.prefix, host.scope);
    let app = shop_with(Kind::Sqlite, |builder| builder.address(mount.as_str())).await;
    let site = app.serve_as(host);
    let mut browser = Browser::start();
    let (token, address) = checkout(&app, &format!("{}/orders", host.prefix), "10042").await;
    open(&mut browser, &site, &address, &admin());
    assert!(browser.text("h1").contains("49.99 EUR"));
    browser.click_text("Pay 49.99 EUR");
    assert_eq!(browser.text("h1"), "Thank you for order 10042");
    settled(&app);

    let view = admin();
    for door in ["/admin", "/admin/"] {
        open(&mut browser, &site, &format!("{mount}{door}"), &view);
        assert!(browser.url().trim_end_matches('/').ends_with(&format!("{mount}/admin")), "{}", browser.url());
    }
    browser.click(".sections a[href$='/admin/payments']");
    assert_eq!(rows(&mut browser), [format!("{mount}/admin/payments/{token}")]);
    browser.click(".row-link");
    assert_eq!(browser.text(".title .badges"), "paid test");
    browser.click_text("payment.paid");
    assert_eq!(browser.text("h1"), "Event payment.paid");
    assert_eq!(browser.click_text("Requeue"), site.at(&format!("{mount}/admin/events/1?done=requeue")));
    settled(&app);
    for _ in 0..2 {
        browser.click(".crumb a");
        assert_eq!(browser.text("h1"), "Events");
        assert!(browser.click(".tabs a[href*=completed]").starts_with(&site.at(&mount)));
        browser.click(".row-link");
        browser.click(".explain a[href*='/payments/']");
        assert_eq!(browser.click(".brand"), site.at(&format!("{mount}/admin/")));
        browser.click_text("Events");
        browser.click(".row-link");
        // The second time by the addresses with a slash at their end.
        let slashed = format!("{mount}/admin/events/1/");
        open(&mut browser, &site, &slashed, &view);
    }
    assert_quiet(&mut browser);
    open(&mut browser, &site, &format!("{mount}/admin/payments/"), &without_script());
    assert_eq!(rows(&mut browser).len(), 1);
}

#[actix_web::test]
async fn in_a_scope_of_the_hosts() {
    walk(Host { scope: "/shop/v1", ..Host::default() }).await;
}

#[actix_web::test]
async fn behind_a_proxy_that_cuts_a_prefix_off() {
    walk(Host { prefix: "/tea", scope: "/shop", ..Host::default() }).await;
}

#[actix_web::test]
async fn where_every_path_ends_in_a_slash() {
    walk(Host { normalize: Some(TrailingSlash::Always), ..Host::default() }).await;
}

#[actix_web::test]
async fn where_no_path_ends_in_a_slash() {
    walk(Host { normalize: Some(TrailingSlash::Trim), ..Host::default() }).await;
}

#[actix_web::test]
async fn where_slashes_are_merged() {
    walk(Host { normalize: Some(TrailingSlash::MergeOnly), ..Host::default() }).await;
}
