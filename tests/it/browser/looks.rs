//! Can everybody read every page: in light and dark, on a phone, with a screen reader, without script?

use actix_payments::{HandlerError, NewPayment};
use serde_json::json;

use super::{admin, assert_quiet, checkout, eur, open, order, shop, shop_with, without_script};
use crate::app::{App, Kind};
use crate::events::{changed, checkout as stripe_checkout, fixture};
use crate::tools::{Browser, View};

/// A payment with a long story and a checkout that is open; answers the paths of all kinds of pages.
async fn pages() -> (App, Vec<(u64, String)>) {
    let app = shop_with(Kind::Sqlite, |builder| {
        builder
            .on_event("payout.paid", "book", |_| async { Err::<(), _>(HandlerError::Retry("no such account".into())) })
    })
    .await;
    let token = order(&app, "10042").await;
    let event = |name| fixture(name).to_string();
    app.deliver(&[&event("payment_intent.payment_failed")]).await;
    app.deliver(&[&stripe_checkout("checkout.session.completed", &token), &event("payment_intent.succeeded")]).await;
    app.deliver(&[&event("charge.succeeded"), &event("charge.refunded.partial"), &event("payout.paid")]).await;
    app.deliver(&[
        &event("charge.dispute.created"),
        &event("customer.subscription.created"),
        &event("invoice.payment_failed"),
    ])
    .await;
    let half = changed("charge.succeeded", &[("/id", "evt_x".into()), ("/data/object/amount", "?".into())]);
    app.deliver(&[&half]).await;
    let odd = order(&app, "10044").await;
    let of_it = [("id", "cs_y"), ("payment_intent", "pi_y"), ("client_reference_id", odd.as_str())];
    let of_it = of_it.map(|(name, text)| (format!("/data/object/{name}"), serde_json::Value::from(text)));
    let less = ["amount_subtotal", "amount_total"].map(|name| (format!("/data/object/{name}"), 4499.into()));
    let said: Vec<_> = of_it.iter().chain(&less).map(|(at, value)| (at.as_str(), value.clone())).collect();
    app.deliver(&[&changed("checkout.session.completed", &[&said[..], &[("/id", "evt_y".into())]].concat())]).await;
    let large = NewPayment::new("stripe", eur(999_999_999)).reference("10045").customer("mia@shop.example");
    let large = app.payments.create(large).await.unwrap().payment.token;
    app.run(&format!(
        "INSERT INTO pay_differences (variant, subject, name, fields, found_at, seen_at) SELECT 'stripe', 'payment', \
         '{token}', '[{{\"field\":\"status\",\"ours\":\"pending\",\"theirs\":\"paid\"}}]', created_at, created_at \
         FROM pay_payments WHERE token = '{token}'"
    ));
    let (_, address) = checkout(&app, "/orders", "10043").await;
    for (path, form) in
        [(format!("payments/{token}/note"), "note=The+parcel+came+back"), ("events/6/requeue".to_owned(), "")]
    {
        assert_eq!(app.post(&format!("/payments/admin/{path}"), form).await.status, 303, "{path}");
    }
    app.drain().await;
    app.write_owed_words().await;
    let admin = |path: &str| (200, format!("/payments/admin/{path}"));
    let mut all: Vec<_> = ["", "?span=7d", "?span=30d", "payments", "payments?status=review", "payments?q=nothing"]
        .into_iter()
        .chain([
            "events",
            "events/1",
            "events/2",
            "events/6",
            "events?state=retryable",
            "events?seen=late",
            "subscriptions",
            "subscriptions?q=x",
        ])
        .chain(["events/1/dry-run", "events/2/dry-run"])
        .chain(["variants", "variants/stripe", "variants/stripe?answer=404", "audit"])
        .chain(["disputes", "disputes?state=lost", "books", "books?mode=test", "failures", "handlers", "drift"])
        .chain(["search?for=1004", "search?for=nothing"])
        .map(admin)
        .collect();
    all.push(admin(&format!("payments/{token}")));
    let subscription = app.subscription("sub_1EztOAwnd3v8bjnOmeywkN22").await.token;
    all.push(admin(&format!("subscriptions/{subscription}")));
    all.push(admin(&format!("payments/{token}/rebuild")));
    all.push(admin(&format!("payments/{odd}/review")));
    all.push(admin(&format!("payments/{large}/customer")));
    all.push((404, "/payments/admin/payments/nothing".to_owned()));
    all.push((404, "/payments/admin/events/x".to_owned()));
    all.push((200, address));
    (app, all)
}

/// The amounts that stand on two lines, words of badges that do, or run over the edge of their cell.
const BROKEN: &str = "[...document.querySelectorAll('.amount, .badge')].filter((whole) => {
  const cell = whole.closest('td, dd, div');
  const edge = cell && !cell.closest('.unseen') ? cell.getBoundingClientRect().right + 1 : Infinity;
  const texts = [...whole.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  const words = texts.flatMap((text) => [...text.data.matchAll(/\\S+/g)].map(({ 0: word, index }) => {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    return range.getClientRects().length;
  }));
  const isCut = whole.getClientRects().length > 1 || words.some((lines) => lines > 1);
  return isCut || whole.getBoundingClientRect().right > edge;
}).map((whole) => whole.textContent.trim())";

/// The columns whose heading stands elsewhere than what is below it.
const CROOKED: &str = "[...document.querySelectorAll('table.rows')].flatMap((table) => {
  const heads = [...table.querySelectorAll('thead th')].filter((head) => head.checkVisibility());
  const cells = [...(table.querySelector('tbody tr:not(:has([colspan]))')?.children ?? [])];
  const side = (cell) => getComputedStyle(cell).textAlign;
  return heads.filter((head, at) => cells[at] && side(head) !== side(cells[at]));
}).map((head) => head.textContent)";

/// Says everything that is wrong with a page.
pub(crate) fn examine(browser: &mut Browser, page: &str, faults: &mut Vec<String>) {
    faults.extend(browser.overflow().map(|wide| format!("{page}: {wide}")));
    faults.extend(browser.accessibility().into_iter().map(|fault| format!("{page}: {fault}")));
    let broken = browser.run(BROKEN);
    faults.extend(broken.as_array().unwrap().iter().map(|whole| format!("{page}: {whole} is broken")));
    let crooked = browser.run(CROOKED);
    faults.extend(
        crooked.as_array().unwrap().iter().map(|head| format!("{page}: the heading {head} is not above its column")),
    );
    if browser.count("h1") != 1 {
        faults.push(format!("{page}: no single first heading"));
    }
}

/// Whether it is dark, how wide it is, and whether the slow checks are made.
const LOOKS: [(bool, u32, bool); 5] =
    [(false, 1280, true), (true, 360, true), (false, 900, true), (false, 360, false), (true, 1280, false)];

#[actix_web::test]
async fn every_page_is_accessible_and_fits_a_phone_in_light_and_dark() {
    let (app, pages) = pages().await;
    let site = app.serve();
    let mut browser = Browser::start();
    let mut faults = Vec::new();
    // Each colour and each layout goes through the slow checks once.
    for (dark, width, thorough) in LOOKS {
        let view = View { dark, width, ..admin() };
        for (status, path) in &pages {
            assert_eq!(browser.open(&site.at(path), &view), *status, "{path}");
            let page = format!("{path}, dark: {dark}, {width} px");
            match thorough {
                true => examine(&mut browser, &page, &mut faults),
                false => faults.extend(browser.overflow().map(|wide| format!("{page}: {wide}"))),
            }
        }
        // The browser itself says of each page that it was not found; nothing else may be said.
        let not_found = |said: &String| said.contains("status of 404");
        let missing = pages.iter().filter(|(status, _)| *status == 404).count();
        let said = browser.complaints();
        assert_eq!(said.iter().filter(|said| not_found(said)).count(), missing, "{said:?}");
        faults.extend(said.into_iter().filter(|said| !not_found(said)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[actix_web::test]
async fn pages_without_payments_say_what_to_do_next() {
    let app = shop(Kind::Sqlite).await;
    let site = app.serve();
    let mut browser = Browser::start();
    let mut faults = Vec::new();
    for dark in [false, true] {
        for path in ["payments", "events"] {
            let view = View { dark, width: 360, ..admin() };
            open(&mut browser, &site, &format!("/payments/admin/{path}"), &view);
            assert!(browser.text(".empty").contains("/payments/stripe"), "{}", browser.text(".empty"));
            examine(&mut browser, path, &mut faults);
        }
        assert_quiet(&mut browser);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether a page of the same path with such a field was opened: the days of a list, its totals, and the list of a row
/// go with all else that its address may say.
fn is_one_more(seen: &[String], link: &str) -> bool {
    let path = |link: &str| link.split('?').next().unwrap_or_default().to_owned();
    let has = |link: &str, field: &str| ["?", "&"].iter().any(|before| link.contains(&format!("{before}{field}=")));
    let is_same = |field: &&str| seen.iter().any(|known| has(known, field) && path(known) == path(link));
    ["from", "totals", "in", "of"].iter().filter(|field| has(link, field)).any(is_same)
}

#[actix_web::test]
async fn every_link_leads_somewhere_without_script() {
    let (app, pages) = pages().await;
    let site = app.serve();
    let mut browser = Browser::start();
    let mut seen: Vec<String> = pages.into_iter().filter(|(status, _)| *status == 200).map(|(_, path)| path).collect();
    let mut next = 0;
    while next < seen.len() {
        open(&mut browser, &site, &seen[next].clone(), &without_script());
        let html = browser.html("body");
        let links = html.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next());
        for link in links.map(|link| format!("/{}", link.replace("&amp;", "&"))) {
            // A file is saved, not shown.
            if !seen.contains(&link) && !link.contains(".csv") && !is_one_more(&seen, &link) {
                seen.push(link);
            }
        }
        assert_eq!(browser.count("button[data-theme-toggle]:not([hidden]), .keys:not([hidden])"), 0);
        next += 1;
    }
    assert!((40..300).contains(&seen.len()), "{seen:?}");
}

#[actix_web::test]
async fn the_theme_stays_chosen_from_page_to_page() {
    let app = shop(Kind::Sqlite).await;
    let site = app.serve();
    let mut browser = Browser::start();
    open(&mut browser, &site, "/payments/admin/payments", &admin());
    assert_eq!(browser.count("html[data-theme]"), 0, "the system's until chosen");
    browser.click("[data-theme-toggle]");
    assert_eq!(browser.count("html[data-theme=dark]"), 1);
    browser.click_text("Events");
    assert_eq!(browser.count("html[data-theme=dark]"), 1);
    // A script that came after the page would show the other theme for a moment.
    assert_eq!(browser.count("head > script:not([defer], [async])"), 1);
    assert_quiet(&mut browser);
}

#[actix_web::test]
async fn exact_times_are_in_the_browsers_zone_for_those_who_want_it() {
    let app = shop(Kind::Sqlite).await;
    let token = order(&app, "10042").await;
    let site = app.serve();
    let mut browser = Browser::start();
    let page = format!("/payments/admin/payments/{token}");
    open(&mut browser, &site, &page, &View { zone: "Asia/Kolkata", ..admin() });
    let shown = |browser: &mut Browser| (browser.html(".timeline time"), browser.text(".timeline .exact"));
    let (time, exact) = shown(&mut browser);
    assert!(time.contains("title=\"12 Oct 2026, 10:15:00 UTC\"") && exact == "10:15:00 UTC", "{time}");
    browser.click("[data-zone-toggle]");
    let (time, exact) = shown(&mut browser);
    assert!(time.contains("12 Oct 2026, 15:45:00") && exact.contains("15:45:00") && !exact.contains("UTC"), "{time}");
    open(&mut browser, &site, &page, &View { zone: "Asia/Kolkata", ..admin() });
    assert!(browser.text(".timeline .exact").contains("15:45:00"), "it is remembered");
    browser.press("z");
    assert_eq!(browser.text(".timeline .exact"), "10:15:00 UTC");
    // A list has no room beside its times, so there they change themselves.
    open(&mut browser, &site, "/payments/admin/payments", &View { zone: "Asia/Kolkata", ..admin() });
    assert_eq!(browser.text(".at-when"), "12 Oct 2026");
    browser.press("z");
    assert_eq!(browser.text(".at-when"), "12 Oct 2026, 15:45");
    browser.press("z");
    assert_eq!(browser.text(".at-when"), "12 Oct 2026");
    assert_quiet(&mut browser);
}

#[actix_web::test]
async fn paper_has_exact_times_and_nothing_to_click() {
    let app = shop(Kind::Sqlite).await;
    let token = order(&app, "10042").await;
    let site = app.serve();
    let mut browser = Browser::start();
    let style = "(() => {
      const time = document.querySelector('.timeline time');
      const seen = (selector) => [...document.querySelectorAll(selector)].some((one) => one.checkVisibility());
      const after = getComputedStyle(time, '::after').content;
      return [getComputedStyle(time).fontSize, after, seen('.top, .acts, .exact'), seen('h1')];
    })()";
    open(&mut browser, &site, &format!("/payments/admin/payments/{token}"), &admin());
    assert_eq!(browser.run(style).as_array().unwrap()[1..], [json!("none"), json!(true), json!(true)]);
    browser.media("print");
    assert_eq!(browser.run(style), json!(["0px", "\"12 Oct 2026, 10:15:00 UTC\"", false, true]));
    browser.media("screen");
    assert_quiet(&mut browser);
}

#[actix_web::test]
async fn the_keyboard_goes_through_the_rows() {
    let app = shop(Kind::Sqlite).await;
    for number in ["10042", "10043", "10044"] {
        order(&app, number).await;
    }
    let site = app.serve();
    let mut browser = Browser::start();
    open(&mut browser, &site, "/payments/admin/payments", &admin());
    let focused = "document.activeElement.textContent.trim()";
    let path = [
        ("ArrowDown", "10044"),
        ("ArrowDown", "10043"),
        ("ArrowDown", "10042"),
        ("ArrowDown", "10042"),
        ("ArrowUp", "10043"),
    ];
    for (key, row) in path {
        browser.press(key);
        assert_eq!(browser.run(focused), row, "after {key}");
    }
    browser.press("/");
    assert_eq!(browser.run("document.activeElement.name"), "for", "the one box that each page has");
    browser.press("ArrowDown");
    assert_eq!(browser.run("document.activeElement.name"), "for", "keys belong to the field that is typed into");
    browser.run("document.activeElement.blur()");
    browser.press("?");
    assert_eq!(browser.count("dialog[open]"), 1);
    assert_quiet(&mut browser);
}

#[actix_web::test]
async fn new_rows_are_offered_and_nobody_is_asked_while_rows_are_ticked() {
    let app = shop(Kind::Sqlite).await;
    let deliver = async |id: &str| app.deliver(&[&changed("payout.paid", &[("/id", id.into())])]).await;
    deliver("evt_1").await;
    let site = app.serve();
    let mut browser = Browser::start();
    open(&mut browser, &site, "/payments/admin/events", &admin());
    // What the script does by itself every fifteen seconds.
    let look = |browser: &mut Browser| {
        browser
            .run("document.dispatchEvent(new Event('visibilitychange')); new Promise((done) => setTimeout(done, 700))");
        browser.count(".fresh:not([hidden])")
    };
    assert_eq!(look(&mut browser), 0, "nothing is new");
    deliver("evt_2").await;
    deliver("evt_3").await;
    browser.click("[data-tick-all]");
    assert_eq!((browser.count("[data-tick]:checked"), look(&mut browser)), (1, 0), "rows are ticked");
    browser.click("[data-tick-all]");
    assert_eq!((look(&mut browser), browser.text(".fresh")), (1, "Show 2 new events".to_owned()));
    assert_eq!(browser.count("tbody tr"), 1, "nothing moves under the eye");
    browser.click(".fresh a");
    assert_eq!(browser.count("tbody tr"), 3);
    assert_quiet(&mut browser);
}

#[actix_web::test]
async fn pages_weigh_little() {
    let (app, pages) = pages().await;
    for (_, path) in pages {
        let answer = app.get(&path).await;
        assert!(answer.body.len() < 48 * 1024, "{path}: {} bytes", answer.body.len());
    }
    let size = |name: &str| std::fs::metadata(format!("{}/static/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap().len();
    assert!(size("admin.css") < 52 * 1024 && size("admin.js") < 8 * 1024 && size("dummy.css") < 4 * 1024);
}
