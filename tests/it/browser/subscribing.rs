//! Can everybody subscribe, and can an operator do what a subscription needs: in light and dark, on a phone, with a
//! screen reader, without script?

use actix_payments::gateways::dummy::Dummy;
use actix_payments::{NewSubscription, Next, Token};

use super::looks::examine;
use super::{admin, assert_quiet, eur, open, settled, without_script};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::subscriptions::billing::Billing;
use crate::tools::{Browser, View};

/// An app with a subscription at a fake of Stripe: its token.
async fn subscribed(kind: Kind) -> (App, Billing, Token) {
    let billing = Billing::new(NOW);
    let id = billing.state().subscribe("user-42", false);
    let (stripe, dummy) = (billing.gateway(SECRET), Dummy::new("the secret of the demo"));
    let dummy = dummy.price("tea", eur(1250), "month");
    let app = App::bare(kind, |builder| builder.variant("stripe", stripe).variant("dummy", dummy)).await;
    let told: Vec<String> = billing.state().events.iter().map(ToString::to_string).collect();
    app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let token = app.subscription(&id).await.token;
    (app, billing, token)
}

/// Opens pages in light and dark, wide and on a phone, and expects nothing wrong with any.
fn assert_fine(browser: &mut Browser, pages: &[String]) {
    let mut faults = Vec::new();
    for (dark, width) in [(false, 1280), (true, 360)] {
        for page in pages {
            assert_eq!(browser.open(page, &View { dark, width, ..admin() }), 200, "{page}");
            examine(browser, &format!("{page}, dark: {dark}, {width} px"), &mut faults);
        }
        faults.extend(browser.complaints());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

on_both_databases! {
    async fn an_operator_does_what_a_subscription_needs_without_script(kind) {
        let (app, billing, token) = subscribed(kind).await;
        let site = app.serve();
        let mut browser = Browser::start();
        let page = format!("/payments/admin/subscriptions/{token}");
        let asks = ["cancel", "cancel_at_end", "pause", "refresh"].map(|verb| site.at(&format!("{page}/{verb}")));
        assert_fine(&mut browser, &asks);
        let steps = [
            ("Pause", "pause", "charging paused"),
            ("Unpause", "unpause", "then it renews"),
            ("Cancel at the period's end", "cancel_at_end", "and it ends on"),
            ("Resume", "resume", "then it renews"),
            ("Refresh", "refresh", "then it renews"),
            ("Cancel now", "cancel", "It ended on"),
        ];
        open(&mut browser, &site, &page, &View { width: 360, ..without_script() });
        for (button, verb, says) in steps {
            app.pass(1);
            billing.state().now += 1;
            assert_eq!(browser.click(&format!(".asks a[href$='/{verb}']")), site.at(&format!("{page}/{verb}")));
            assert_eq!((browser.text("h1"), browser.overflow()), (format!("{button}?"), None));
            browser.click("form.confirm button");
            assert!(browser.url().ends_with(&format!("?done={verb}")), "{}", browser.url());
            assert!(browser.text("main").contains(says), "{button}: {}", browser.text("main"));
        }
        browser.fill("input[name=owner]", "user-43");
        browser.submit("form:has(input[name=owner])");
        assert!(browser.text(".title").contains("user-43"), "{}", browser.text(".title"));
        assert_fine(&mut browser, &[site.at(&page)]);
        assert_quiet(&mut browser);
    }

    async fn a_customer_subscribes_and_moves_the_clock_of_the_demo_without_script(kind) {
        let (app, ..) = subscribed(kind).await;
        let site = app.serve();
        let mut browser = Browser::start();
        let new = NewSubscription::new("dummy", "tea").owner("user-7").return_url("/orders/tea");
        let started = app.payments.subscribe(new).await.unwrap();
        let Next::Redirect(address) = started.next else { panic!("no redirect") };
        assert_fine(&mut browser, &[site.at(&address)]);
        let view = View { width: 360, ..without_script() };
        open(&mut browser, &site, &address, &view);
        assert_eq!(browser.click("button[value=subscribe]"), site.at("/orders/tea"));
        settled(&app);
        let manage = app.payments.portal_link(&started.subscription.token, "/orders/tea").await.unwrap();
        assert_fine(&mut browser, &[site.at(&manage)]);
        open(&mut browser, &site, &manage, &view);
        for (choice, is_active) in [("renew", true), ("end", false)] {
            browser.click(&format!("button[value={choice}]"));
            settled(&app);
            assert_eq!(app.payments.active("user-7").await.unwrap(), is_active, "{choice}");
        }
        assert!(browser.text("main").contains("It has ended."), "{}", browser.text("main"));
        let over = browser.url();
        assert_fine(&mut browser, &[over]);
    }
}
