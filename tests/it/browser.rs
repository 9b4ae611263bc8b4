//! Do the pages work in a real browser, for customers and for operators? A host on a port of its own with a running
//! worker, and the installed Chromium in front of it; a file a story.

use actix_payments::domain::money::{Currency, Money};
use actix_payments::gateways::dummy::Dummy;
use actix_payments::{AnyConnection, Builder, NewPayment, Next, Token};

use crate::app::{App, Kind};
use crate::tools::{Browser, View};

mod acting;
mod asking;
mod buying;
mod desk;
mod events;
mod finding;
mod hostile;
mod keyboard;
mod limited;
pub(crate) mod looks;
mod mounting;
mod persons;
mod setting_up;
pub(crate) mod site;
mod subscribing;
mod support;

use site::Site;

/// The view of an operator who may do everything.
fn admin() -> View<'static> {
    View { auth: Some(("admin", "secret")), ..View::default() }
}

fn without_script() -> View<'static> {
    View { javascript: false, ..admin() }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

/// An app with the variants `stripe` and `dummy`.
async fn shop(kind: Kind) -> App {
    shop_with(kind, |builder| builder).await
}

async fn shop_with(kind: Kind, configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>) -> App {
    App::with(kind, |builder| configure(builder.variant("dummy", Dummy::new("the secret of the demo")))).await
}

/// Starts a purchase with the dummy gateway that leads back to the order below `orders`; answers the payment's token
/// and the checkout's address.
async fn checkout(app: &App, orders: &str, order: &str) -> (String, String) {
    let new = NewPayment::new("dummy", eur(4999)).reference(order).return_url(format!("{orders}/{order}"));
    let created = app.payments.create(new).await.unwrap();
    let Next::Redirect(address) = created.next else { panic!("no redirect") };
    (created.payment.token.to_string(), address)
}

/// A payment through Stripe that waits for its events.
async fn order(app: &App, order: &str) -> Token {
    app.payments.create(NewPayment::new("stripe", eur(4999)).reference(order)).await.unwrap().payment.token
}

/// Waits until the worker has nothing to do at the moment.
#[track_caller]
fn settled(app: &App) {
    let busy = "SELECT count(*) FROM pay_events WHERE state IN ('available', 'running')";
    for _ in 0..250 {
        if app.number(busy) == 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("the worker did not settle {} events within 5 s", app.number(busy));
}

/// Opens a page that is there.
#[track_caller]
fn open(browser: &mut Browser, site: &Site, path: &str, view: &View) {
    assert_eq!(browser.open(&site.at(path), view), 200, "{path}");
}

/// Neither an error nor a violation of the content security policy since the view was chosen.
#[track_caller]
fn assert_quiet(browser: &mut Browser) {
    assert_eq!(browser.complaints(), Vec::<String>::new(), "at {}", browser.url());
}

/// The addresses of a list's rows, from the top, without the way back that they carry.
fn rows(browser: &mut Browser) -> Vec<String> {
    let html = browser.html("table.rows tbody");
    let links = html.split("row-link").skip(1).filter_map(|rest| rest.split("href=\"").nth(1)?.split('"').next());
    links.map(|link| link.split("?in=").next().unwrap_or(link).to_owned()).collect()
}
