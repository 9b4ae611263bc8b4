//! Is money given back without a mouse, in few presses?

use actix_payments::domain::payment::Status;

use super::{Site, admin, assert_quiet, checkout, eur, open, settled, shop};
use crate::app::on_both_databases;
use crate::tools::{Browser, View};

/// Waits until the browser is where this is part of the address, and what is to have the focus there has it.
#[track_caller]
fn arrived(browser: &mut Browser, part: &str) {
    for _ in 0..250 {
        if browser.url().contains(part) {
            browser.run(
                "new Promise((done) => document.readyState === 'complete' ? done(1) : addEventListener('load', () => done(1)))",
            );
            browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{part} was not reached within 5 s, but {}", browser.url());
}

fn focused(browser: &mut Browser) -> String {
    browser.run("document.activeElement.innerText").as_str().unwrap_or_default().trim().to_owned()
}

/// From the payment's page to the refund of all of it; answers the presses.
fn refund(browser: &mut Browser) -> usize {
    let mut presses = 0;
    let mut press = |browser: &mut Browser, key: &str| {
        browser.press(key);
        presses += 1;
    };
    press(browser, "Tab");
    assert_eq!(focused(browser), "Skip to content");
    press(browser, "Enter");
    arrived(browser, "#main");
    for _ in 0..20 {
        press(browser, "Tab");
        if focused(browser) == "Refund" {
            break;
        }
    }
    press(browser, "Enter");
    arrived(browser, "/refund");
    press(browser, "Enter");
    arrived(browser, "amount=49.99");
    assert_eq!(focused(browser), "Refund 49.99 EUR");
    press(browser, "Enter");
    arrived(browser, "done=refund");
    presses
}

async fn paid(app: &crate::app::App, site: &Site, browser: &mut Browser, order: &str) -> String {
    let (token, address) = checkout(app, &site.at("/orders"), order).await;
    open(browser, site, &address, &View::default());
    browser.click("button[value=pay]");
    settled(app);
    token
}

on_both_databases! {
    async fn a_refund_takes_at_most_twelve_presses_from_the_list(kind) {
        let app = shop(kind).await;
        let site = app.serve();
        let mut browser = Browser::start();
        let token = paid(&app, &site, &mut browser, "kettle-1").await;
        open(&mut browser, &site, "/payments/admin/payments", &admin());
        for key in ["ArrowDown", "Enter"] {
            browser.press(key);
        }
        arrived(&mut browser, &token);
        let presses = 2 + refund(&mut browser);
        assert!(presses <= 12, "{presses} presses");
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.refunded), (Status::Refunded, eur(4999)));
        assert_quiet(&mut browser);
    }

    async fn a_refund_takes_few_presses_from_the_payments_own_page(kind) {
        let app = shop(kind).await;
        let site = app.serve();
        let mut browser = Browser::start();
        let token = paid(&app, &site, &mut browser, "kettle-2").await;
        let view = View { width: 360, ..admin() };
        open(&mut browser, &site, &format!("/payments/admin/payments/{token}"), &view);
        let presses = refund(&mut browser);
        assert!(presses <= 10, "{presses} presses");
        assert_eq!(app.payment(&token).await.refunded, eur(4999));
        assert_quiet(&mut browser);
    }
}
