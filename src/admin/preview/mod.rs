//! How do the pages look, with a rich day's data and with hostile data? Writes each to `target/preview/*.html`,
//! for a browser to open, and holds them to the rules that need no browser.

use std::fs;
use std::path::Path;

use crate::admin::views::event::Event;
use crate::admin::views::events::Events;
use crate::admin::views::page::Flash;
use crate::admin::views::parts::Code;
use crate::admin::views::payment::Payment;
use crate::admin::views::payments::Payments;

use self::inbox::{event, events, requeue, rich_events};
use self::samples::{checkout, money, notice, payment, payments, rich_payments};

mod inbox;
mod samples;

/// What a hostile customer or gateway may call itself.
fn hostile() -> (Payments, Payment, Events, Event) {
    let long = "W".repeat(10_000);
    let evil = format!("<script>alert(1)</script>\u{202e}{long}");
    let (mut list, mut one, mut inbox, mut event) = (rich_payments(), payment(), rich_events(), event());
    list.rows[0].reference = Some(evil.clone());
    list.rows[1].customer = Some(evil.clone());
    list.rows[2].variant = "v".repeat(40);
    list.filter.search.value = evil.clone();
    one.page.actor = evil.clone();
    one.amount = money(i64::MAX, "USD");
    one.figures[0].amount = money(i64::MAX, "USD");
    one.customer = Some(evil.clone());
    one.reference = Some(Code::new(evil.clone(), "reference"));
    one.timeline[0].title = evil.clone();
    one.timeline[1].why = evil.clone();
    one.timeline[2].error = Some(evil.clone());
    one.ledger[0].object = evil.clone();
    inbox.rows[0].kind = evil.clone();
    inbox.rows[1].outcome = evil.clone();
    event.kind = evil.clone();
    event.explain.matched = evil.clone();
    event.explain.outcome = evil.clone();
    event.explain.references[0].code = Code::new(evil.clone(), "token");
    event.attempts[0].error = Some(evil.clone());
    event.headers[0].1 = evil;
    event.acts = vec![requeue(Some("A worker has it; it can be requeued when the attempt is over."))];
    (list, one, inbox, event)
}

fn pages() -> Vec<(&'static str, String)> {
    let html = |page: &dyn askama::DynTemplate| page.dyn_render().expect("a page");
    let (bad_list, bad_one, bad_inbox, bad_event) = hostile();
    let done = Flash::done("Requeued: the event is available to the next worker.");
    let mut requeued = event();
    requeued.page.flash = Some(done);
    requeued.acts = vec![requeue(Some("A worker has it; it can be requeued when the attempt is over."))];
    let mut read_only = event();
    read_only.acts.clear();
    vec![
        ("payments", html(&rich_payments())),
        ("payments_empty", html(&payments(Vec::new()))),
        ("payment", html(&payment())),
        ("events", html(&rich_events())),
        ("events_empty", html(&events(Vec::new()))),
        ("event", html(&event())),
        ("event_running", html(&requeued)),
        ("event_read_only", html(&read_only)),
        ("notice", html(&notice())),
        ("hostile_payments", html(&bad_list)),
        ("hostile_payment", html(&bad_one)),
        ("hostile_events", html(&bad_inbox)),
        ("hostile_event", html(&bad_event)),
        ("dummy", html(&checkout(None))),
        ("dummy_trouble", html(&checkout(Some("That did not work: the event was refused (signature_mismatch).")))),
    ]
}

#[test]
fn every_page_renders_escaped_and_without_inline_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = root.join("target/preview");
    fs::create_dir_all(&out).expect("a directory");
    for file in ["admin.css", "admin.js", "icon.svg", "dummy.css"] {
        fs::copy(root.join("static").join(file), out.join(file)).expect("a copy");
    }
    for (name, html) in pages() {
        assert_eq!(html.matches("<h1").count(), 1, "{name}: one first heading");
        assert!(!html.contains("alert(1)</script>") && !html.contains("\"><b>"), "{name}: escaped");
        let inline = [" style=", "<style", " onclick", " onload", "javascript:"];
        assert!(!inline.iter().any(|code| html.contains(code)), "{name}: nothing inline");
        for used in html.split("href=\"#i-").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(html.contains(&format!("id=\"i-{used}\"")), "{name}: the icon {used} is drawn");
        }
        fs::write(out.join(format!("{name}.html")), html).expect("a file");
    }
}
