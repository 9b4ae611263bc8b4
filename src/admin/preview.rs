//! How do the pages look, with a rich day's data and with hostile data? Writes each to `target/preview/*.html`,
//! for a browser to open, and holds them to the rules that need no browser.

use std::fs;
use std::path::Path;

use time::Duration;
use time::macros::datetime;

use super::views::event::{AttemptRow, DeliveryInfo, Event, Explain, FactRow, ReferenceRow};
use super::views::events::{EventRow, Events};
use super::views::list::{Choice, Empty, Field, Filter, Paging, Select, Tab, Tabs};
use super::views::notice::Notice;
use super::views::page::{Flash, NavItem, Page};
use super::views::parts::{Act, Amount, Badge, Change, Code, Link, Moment};
use super::views::payment::{Entry, Figure, LedgerRow, Payment};
use super::views::payments::{PaymentRow, Payments};
use super::views::{json, words};
use crate::domain::event::EventState;
use crate::domain::fact::State;
use crate::domain::money::{Currency, Money};
use crate::domain::payment::Status;
use crate::gateways::dummy::page::CheckoutPage;

fn ago(seconds: i64) -> Moment {
    let now = datetime!(2026-11-23 18:55:44 UTC);
    Moment::new(now - Duration::seconds(seconds), now)
}

fn money(minor: i64, code: &str) -> Amount {
    Amount::new(Money::new(minor, Currency::parse(code).expect("a currency")))
}

fn page(title: &str, section: usize) -> Page {
    let nav = ["Payments", "Events"].iter().enumerate();
    Page {
        title: title.to_owned(),
        brand: Link::new("Wren & Sparrow", "payments.html"),
        css: "admin.css".to_owned(),
        script: "admin.js".to_owned(),
        icon: "icon.svg".to_owned(),
        nav: nav
            .map(|(i, text)| NavItem {
                link: Link::new(*text, format!("{}.html", text.to_lowercase())),
                current: i == section,
            })
            .collect(),
        home: Some(Link::new("Back to the shop", "/")),
        actor: "mara@wren.example".to_owned(),
        access: None,
        flash: None,
    }
}

fn tabs(label: &str, all: &[(&str, &str)], urgent: &[&str]) -> Tabs {
    let tab = |(i, (text, count)): (usize, &(&str, &str))| Tab {
        link: Link::new(*text, "?"),
        count: (!count.is_empty()).then(|| (*count).to_owned()),
        urgent: urgent.contains(text),
        current: i == 0,
    };
    Tabs { label: label.to_owned(), tabs: all.iter().enumerate().map(tab).collect() }
}

fn filter(hint: &str, kind: bool) -> Filter {
    let choice = |text: &str| Choice { value: text.to_owned(), text: text.to_owned(), selected: text == "stripe" };
    let offers = ["charge.*", "checkout.session.completed", "payment_intent.succeeded"].map(str::to_owned);
    let kind = kind.then(|| Field {
        name: "kind".to_owned(),
        label: "Kind".to_owned(),
        hint: "charge.*".to_owned(),
        offers: offers.into(),
        ..Field::default()
    });
    Filter {
        action: "payments.html".to_owned(),
        hidden: vec![("status".to_owned(), "paid".to_owned())],
        search: Field { name: "q".to_owned(), label: "Search".to_owned(), hint: hint.to_owned(), ..Field::default() },
        fields: kind.into_iter().collect(),
        selects: vec![Select {
            name: "variant".to_owned(),
            label: "Variant".to_owned(),
            choices: ["Any variant", "stripe", "stripe-eu", "dummy"].map(choice).into(),
        }],
        clear: Some("payments.html".to_owned()),
    }
}

fn empty() -> Empty {
    Empty {
        title: "No event has come yet".to_owned(),
        text: "Paste this address into the gateway's webhook settings. The first event appears here within seconds."
            .to_owned(),
        codes: vec![Code::new("https://shop.example/payments/stripe/", "webhook address")],
        link: None,
    }
}

fn payment_row(status: Status, minor: i64, reference: Option<&str>, customer: Option<&str>, at: i64) -> PaymentRow {
    PaymentRow {
        href: "payment.html".to_owned(),
        amount: money(minor, "EUR"),
        status: status.into(),
        flags: Vec::new(),
        reference: reference.map(str::to_owned),
        customer: customer.map(str::to_owned),
        variant: "stripe".to_owned(),
        token: "pay_9fQ2mX7vK4tB1cZ8wL5n".to_owned(),
        created: ago(at),
    }
}

fn payments(rows: Vec<PaymentRow>) -> Payments {
    let all = [
        ("All", "1k+"),
        ("Needs review", "2"),
        ("Pending", "31"),
        ("Authorized", "4"),
        ("Paid", "1k+"),
        ("Partially refunded", "7"),
        ("Refunded", "38"),
        ("Failed", "12"),
        ("Canceled", "3"),
        ("Expired", "54"),
    ];
    Payments {
        page: page("Payments", 0),
        tabs: tabs("Status", &all, &["Needs review"]),
        filter: filter("Reference, token, gateway ref or email", false),
        paging: Paging {
            shown: format!("{} payments", rows.len()),
            newer: Some("?before".to_owned()),
            older: Some("?after".to_owned()),
        },
        rows,
        empty: empty(),
    }
}

fn rich_payments() -> Payments {
    let mut rows = vec![
        payment_row(Status::Paid, 24_90, Some("W-10482"), Some("ines.ferreira@posteo.example"), 4),
        payment_row(Status::Authorized, 1_249_00, Some("W-10481"), Some("tomas@lindqvist.example"), 190),
        payment_row(Status::Pending, 56_00, Some("W-10480"), None, 1_400),
        payment_row(Status::PartiallyRefunded, 310_40, Some("W-10479"), Some("amelie.b@example.org"), 5_000),
        payment_row(Status::Refunded, 18_00, Some("W-10478"), Some("k.osei@example.com"), 9_400),
        payment_row(Status::Failed, 99_95, Some("W-10477"), Some("li.wei@example.com"), 40_000),
        payment_row(Status::Paid, 12_480_00, None, Some("accounts@harbour-and-sons.example"), 92_000),
        payment_row(Status::Canceled, 42_00, Some("W-10475"), Some("b.novak@example.cz"), 200_000),
        payment_row(Status::Expired, 7_50, Some("W-10474"), None, 900_000),
    ];
    rows[3].flags = vec![Badge::disputed()];
    rows[6].flags = vec![Badge::needs_review()];
    rows[8].flags = Badge::mode(Some(false)).into_iter().collect();
    rows[5].amount = money(5_120, "KWD");
    payments(rows)
}

fn code(id: &str) -> Code {
    Code::new(id, "gateway ref").with_dashboard("Stripe", Some(format!("https://dashboard.stripe.com/{id}")))
}

fn timeline() -> Vec<Entry> {
    let done = || Badge::from(EventState::Completed);
    let event =
        |kind: &str, state: Badge, why: &str, at| Entry::event(kind, "event.html", state, why.to_owned(), ago(at));
    vec![
        Entry::attempt("ship-order", Badge::attempt("retry"), "Attempt 2 of 12, next in 4 min.".to_owned(), ago(30))
            .with_error(Some("connection refused: warehouse.internal:5432".to_owned())),
        Entry::attempt("send-receipt", Badge::attempt("ok"), "Ran for 84 ms.".to_owned(), ago(190)),
        Entry::transition(
            Change::of(Status::Paid, Status::PartiallyRefunded),
            "50.00 of 310.40 EUR went back (re_3PqL).".to_owned(),
            ago(200),
        ),
        event("charge.refunded", done(), "Applied: it states a refund of 50.00 EUR.", 200),
        event("charge.dispute.created", done(), "Applied: the bank disputes 310.40 EUR (fraudulent).", 3_800),
        event(
            "checkout.session.expired",
            Badge::from(EventState::Ignored),
            "Ignored: the payment is paid, and nothing un-pays it.",
            4_700,
        ),
        Entry::transition(
            Change::of(Status::Pending, Status::Paid),
            "310.40 EUR moved (ch_3PqL).".to_owned(),
            ago(4_900),
        ),
        event("checkout.session.completed", done(), "Applied: the checkout was paid with 310.40 EUR.", 4_900),
        Entry::absorbed(
            "Absorbed pay_2kLw81",
            "An adopted payment turned out to be this one: both know pi_3PqLx2.".to_owned(),
            ago(4_900),
        ),
        event("payment_intent.payment_failed", done(), "Applied: the card was declined (insufficient_funds).", 4_960),
        Entry::created("Created by the shop", "310.40 EUR for W-10479 through stripe.".to_owned(), ago(5_000)),
    ]
}

fn ledger() -> Vec<LedgerRow> {
    let row = |aspect: &str, object: &str, state: State, minor: Option<i64>, event: &str, at| LedgerRow {
        aspect: aspect.to_owned(),
        object: object.to_owned(),
        state: state.into(),
        amount: minor.map(|minor| money(minor, "EUR")),
        at: ago(at),
        event: Link::new(event, "event.html"),
    };
    vec![
        row(
            "checkout",
            "cs_live_a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuV",
            State::Succeeded,
            Some(310_40),
            "checkout.session.completed",
            4_900,
        ),
        row("authorization", "pi_3PqLx2A8mR5vN1", State::Failed, None, "payment_intent.payment_failed", 4_960),
        row("capture", "ch_3PqLx2A8mR5vN1", State::Succeeded, Some(310_40), "charge.succeeded", 4_901),
        row("refund", "re_3PqLx2A8mR5vN1", State::Succeeded, Some(50_00), "charge.refunded", 200),
        row("dispute", "dp_1PqM4Z", State::Open, Some(310_40), "charge.dispute.created", 3_800),
    ]
}

fn payment() -> Payment {
    let figures = [("Total", 310_40), ("Captured", 310_40), ("Refunded", 50_00), ("Remaining", 260_40)];
    Payment {
        page: page("W-10479", 0),
        back: Link::new("Payments", "payments.html"),
        amount: money(310_40, "EUR"),
        status: Status::PartiallyRefunded.into(),
        flags: vec![Badge::disputed(), Badge::needs_review()],
        concerns: vec![
            "The customer's bank disputes 310.40 EUR; answer it in Stripe's dashboard before 30 Nov 2026.".to_owned(),
            "The event evt_1PqL says 310.40 USD, but the payment is in EUR.".to_owned(),
        ],
        figures: figures.map(|(label, minor)| Figure { label, amount: money(minor, "EUR") }).into(),
        token: Code::new("pay_9fQ2mX7vK4tB1cZ8wL5n", "token"),
        reference: Some(Code::new("W-10479", "reference")),
        gateway_refs: ["cs_live_a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuV", "pi_3PqLx2A8mR5vN1", "ch_3PqLx2A8mR5vN1"]
            .map(code)
            .into(),
        customer: Some("amelie.b@example.org".to_owned()),
        variant: "stripe".to_owned(),
        mode: Badge::mode(Some(true)),
        created: ago(5_000),
        timeline: timeline(),
        timeline_note: None,
        ledger: ledger(),
    }
}

fn event_row(state: EventState, kind: &str, payment: Option<&str>, outcome: &str, at: i64) -> EventRow {
    EventRow {
        href: "event.html".to_owned(),
        state: state.into(),
        kind: kind.to_owned(),
        payment: payment.map(|text| Link::new(text, "payment.html")),
        outcome: outcome.to_owned(),
        failed: matches!(state, EventState::Retryable | EventState::Discarded),
        variant: "stripe".to_owned(),
        deliveries: words::times(at.unsigned_abs() % 4),
        received: ago(at),
    }
}

fn events(rows: Vec<EventRow>) -> Events {
    let all = [
        ("All", "1k+"),
        ("Available", "3"),
        ("Running", "1"),
        ("Retryable", "2"),
        ("Parked", "5"),
        ("Completed", "1k+"),
        ("Ignored", "214"),
        ("Discarded", "1"),
    ];
    Events {
        page: Page { access: Some("read-only".to_owned()), ..page("Events", 1) },
        tabs: tabs("State", &all, &["Retryable", "Discarded"]),
        filter: filter("Event id or reference", true),
        paging: Paging { shown: format!("{} events", rows.len()), newer: None, older: Some("?after".to_owned()) },
        rows,
        empty: empty(),
    }
}

fn rich_events() -> Events {
    events(vec![
        event_row(EventState::Running, "charge.refunded", Some("W-10479"), "A worker has it since 2 s.", 3),
        event_row(
            EventState::Retryable,
            "checkout.session.completed",
            Some("W-10482"),
            "ship-order failed: connection refused: warehouse.internal:5432. Next attempt in 4 min.",
            190,
        ),
        event_row(
            EventState::Completed,
            "payment_intent.succeeded",
            Some("W-10482"),
            "Applied: 24.90 EUR moved; pending → paid.",
            201,
        ),
        event_row(
            EventState::Parked,
            "charge.succeeded",
            None,
            "Parked until a payment knows pi_3PqN77 or ch_3PqN77.",
            1_300,
        ),
        event_row(
            EventState::Ignored,
            "checkout.session.expired",
            Some("W-10479"),
            "Ignored: the payment is paid, and nothing un-pays it.",
            4_700,
        ),
        event_row(
            EventState::Ignored,
            "product.updated",
            None,
            "Ignored: product.updated says nothing of a payment.",
            7_002,
        ),
        event_row(
            EventState::Discarded,
            "invoice.payment_failed",
            Some("W-10391"),
            "Discarded after 12 attempts: expected `amount_due` as an integer, got null.",
            90_000,
        ),
        event_row(EventState::Available, "charge.dispute.created", None, "Waits for a worker.", 2),
    ])
}

fn requeue(why_not: Option<&str>) -> Act {
    Act {
        label: "Requeue".to_owned(),
        icon: "retry",
        action: "event/requeue".to_owned(),
        fields: vec![("state".to_owned(), "retryable".to_owned())],
        why_not: why_not.map(str::to_owned),
    }
}

fn explain() -> Explain {
    let fact = |aspect: &str, object: &str, state: State, minor: i64, effect: &str| FactRow {
        aspect: aspect.to_owned(),
        object: object.to_owned(),
        state: state.into(),
        amount: Some(money(minor, "EUR")),
        effect: effect.to_owned(),
    };
    let reference = |id: &str, matched| ReferenceRow { code: code(id), matched };
    Explain {
        outcome: "Applied; the handler ship-order failed and is tried again in 4 min.".to_owned(),
        code: Some("handler_failed".to_owned()),
        summary: "The checkout was completed and paid with 24.90 EUR.".to_owned(),
        secret: Some("current".to_owned()),
        skew: Some(words::skew(2)),
        references: vec![
            ReferenceRow { code: Code::new("pay_9fQ2mX7vK4tB1cZ8wL5n", "token"), matched: true },
            reference("cs_live_a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuV", false),
            reference("pi_3PqLx2A8mR5vN1", false),
        ],
        payment: Some(Link::new("W-10482, 24.90 EUR", "payment.html")),
        matched: "Found by its token.".to_owned(),
        facts: vec![
            fact("checkout", "cs_live_a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuV", State::Succeeded, 24_90, "new"),
            fact("capture", "ch_3PqLx2A8mR5vN1", State::Succeeded, 24_90, "already known"),
        ],
        change: Some(Change::of(Status::Pending, Status::Paid)),
        change_why: "24.90 EUR moved, which is all that was asked for.".to_owned(),
    }
}

fn event() -> Event {
    let attempt = |handler: &str, outcome: &str, number: &str, error: Option<&str>, at| AttemptRow {
        handler: handler.to_owned(),
        outcome: Badge::attempt(outcome),
        number: number.to_owned(),
        error: error.map(str::to_owned),
        took: Some("84 ms".to_owned()),
        started: ago(at),
    };
    let refused = Some("connection refused: warehouse.internal:5432");
    let body = r#"{"id":"evt_1PqL","object":"event","api_version":"2024-06-20","created":1795460140,"data":{"object":{"id":"cs_live_a1","amount_total":2490,"currency":"eur","payment_status":"paid","huge":9007199254740993,"discounts":[],"customer_details":{"email":"ines.ferreira@posteo.example"}}},"livemode":true,"type":"checkout.session.completed"}"#;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Event {
        page: page("checkout.session.completed", 1),
        back: Link::new("Events", "events.html"),
        kind: "checkout.session.completed".to_owned(),
        state: EventState::Retryable.into(),
        mode: Badge::mode(Some(true)),
        acts: vec![requeue(None)],
        explain: explain(),
        delivery: DeliveryInfo {
            id: Code::new("evt_1PqLx2A8mR5vN1QzT7", "event id").with_dashboard("Stripe", Some("#".to_owned())),
            variant: "stripe".to_owned(),
            source: "delivery".to_owned(),
            occurred: Some(ago(194)),
            received: ago(190),
            deliveries: "3".to_owned(),
            last_delivered: Some(ago(20)),
            next_attempt: Some(ago(-240)),
            account: Some("acct_1Nv0FG".to_owned()),
            api_version: Some("2024-06-20".to_owned()),
        },
        attempts: vec![
            attempt("ship-order", "retry", "2 of 12", refused, 30),
            attempt("send-receipt", "ok", "1 of 12", None, 189),
            attempt("ship-order", "retry", "1 of 12", refused, 189),
        ],
        body: Some(json::pretty(body)),
        body_note: "1.2 kB".to_owned(),
        headers: vec![
            header("content-type", "application/json; charset=utf-8"),
            header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
            header(
                "stripe-signature",
                "t=1795460142,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
            ),
        ],
    }
}

fn notice() -> Notice {
    Notice {
        page: page("Not found", 9),
        tone: "neutral",
        icon: "search",
        title: "There is no such payment".to_owned(),
        text: "It may have been absorbed by another one, or the address was cut off when it was copied.".to_owned(),
        link: Some(Link::new("All payments", "payments.html")),
    }
}

fn checkout(trouble: Option<&str>) -> CheckoutPage {
    CheckoutPage {
        css: "dummy.css".to_owned(),
        amount: "24.90 EUR".to_owned(),
        reference: "W-10482".to_owned(),
        action: "/payments/dummy/checkout".to_owned(),
        fields: vec![("token".to_owned(), "pay_9f\"><b>".to_owned())],
        trouble: trouble.map(str::to_owned),
    }
}

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
    let refused = Flash::refused("Not requeued: you may only read.");
    let mut requeued = event();
    requeued.page.flash = Some(done);
    requeued.acts = vec![requeue(Some("A worker has it; it can be requeued when the attempt is over."))];
    let mut read_only = event();
    read_only.page.flash = Some(refused);
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
