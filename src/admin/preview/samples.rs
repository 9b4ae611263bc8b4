//! What does a rich day look like? Views filled by hand, as a busy shop would fill them; its events are next door.

use crate::admin::views::list::{Choice, Empty, Field, Filter, Paging, Select, Tab, Tabs};
use crate::admin::views::notice::Notice;
use crate::admin::views::page::{NavItem, Page};
use crate::admin::views::parts::{Amount, Badge, Change, Code, Link, Moment};
use crate::admin::views::payment::{Entry, Figure, LedgerRow, Payment};
use crate::admin::views::payments::{PaymentRow, Payments};
use crate::domain::event::EventState;
use crate::domain::fact::State;
use crate::domain::money::{Currency, Money};
use crate::domain::payment::Status;
use crate::gateways::dummy::page::CheckoutPage;
use time::Duration;
use time::macros::datetime;

pub(super) fn ago(seconds: i64) -> Moment {
    let now = datetime!(2026-11-23 18:55:44 UTC);
    Moment::new(now - Duration::seconds(seconds), now)
}

pub(super) fn money(minor: i64, code: &str) -> Amount {
    Amount::new(Money::new(minor, Currency::parse(code).expect("a currency")))
}

pub(super) fn page(title: &str, section: usize) -> Page {
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

pub(super) fn tabs(label: &str, all: &[(&str, &str)], urgent: &[&str]) -> Tabs {
    let tab = |(i, (text, count)): (usize, &(&str, &str))| Tab {
        link: Link::new(*text, "?"),
        count: (!count.is_empty()).then(|| (*count).to_owned()),
        urgent: urgent.contains(text),
        current: i == 0,
    };
    Tabs { label: label.to_owned(), tabs: all.iter().enumerate().map(tab).collect() }
}

pub(super) fn filter(hint: &str, kind: bool) -> Filter {
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

pub(super) fn empty() -> Empty {
    Empty {
        title: "No event has come yet".to_owned(),
        text: "Paste this address into the gateway's webhook settings. The first event appears here within seconds."
            .to_owned(),
        codes: vec![Code::new("https://shop.example/payments/stripe/", "webhook address")],
        link: None,
    }
}

pub(super) fn payment_row(
    status: Status,
    minor: i64,
    reference: Option<&str>,
    customer: Option<&str>,
    at: i64,
) -> PaymentRow {
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

pub(super) fn payments(rows: Vec<PaymentRow>) -> Payments {
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

pub(super) fn rich_payments() -> Payments {
    let mut rows = vec![
        payment_row(Status::Paid, 2490, Some("W-10482"), Some("ines.ferreira@posteo.example"), 4),
        payment_row(Status::Authorized, 124_900, Some("W-10481"), Some("tomas@lindqvist.example"), 190),
        payment_row(Status::Pending, 5600, Some("W-10480"), None, 1_400),
        payment_row(Status::PartiallyRefunded, 31_040, Some("W-10479"), Some("amelie.b@example.org"), 5_000),
        payment_row(Status::Refunded, 1800, Some("W-10478"), Some("k.osei@example.com"), 9_400),
        payment_row(Status::Failed, 9995, Some("W-10477"), Some("li.wei@example.com"), 40_000),
        payment_row(Status::Paid, 1_248_000, None, Some("accounts@harbour-and-sons.example"), 92_000),
        payment_row(Status::Canceled, 4200, Some("W-10475"), Some("b.novak@example.cz"), 200_000),
        payment_row(Status::Expired, 750, Some("W-10474"), None, 900_000),
    ];
    rows[3].flags = vec![Badge::disputed()];
    rows[6].flags = vec![Badge::needs_review()];
    rows[8].flags = Badge::mode(Some(false)).into_iter().collect();
    rows[5].amount = money(5_120, "KWD");
    payments(rows)
}

pub(super) fn code(id: &str) -> Code {
    Code::new(id, "gateway ref").with_dashboard("Stripe", Some(format!("https://dashboard.stripe.com/{id}")))
}

pub(super) fn timeline() -> Vec<Entry> {
    let done = || Badge::from(EventState::Completed);
    let event =
        |kind: &str, state: Badge, why: &str, at| Entry::event(kind, "event.html", state, why.to_owned(), ago(at));
    vec![
        Entry::attempt(
            "ship-order",
            "event.html".to_owned(),
            Badge::attempt("retry"),
            "Attempt 2 of 12, next in 4 min.".to_owned(),
            ago(30),
        )
        .with_error(Some("connection refused: warehouse.internal:5432".to_owned())),
        Entry::attempt(
            "send-receipt",
            "event.html".to_owned(),
            Badge::attempt("ok"),
            "Ran for 84 ms.".to_owned(),
            ago(190),
        ),
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

pub(super) fn ledger() -> Vec<LedgerRow> {
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
            Some(31_040),
            "checkout.session.completed",
            4_900,
        ),
        row("authorization", "pi_3PqLx2A8mR5vN1", State::Failed, None, "payment_intent.payment_failed", 4_960),
        row("capture", "ch_3PqLx2A8mR5vN1", State::Succeeded, Some(31_040), "charge.succeeded", 4_901),
        row("refund", "re_3PqLx2A8mR5vN1", State::Succeeded, Some(5000), "charge.refunded", 200),
        row("dispute", "dp_1PqM4Z", State::Open, Some(31_040), "charge.dispute.created", 3_800),
    ]
}

pub(super) fn payment() -> Payment {
    let figures = [("Total", 31_040), ("Captured", 31_040), ("Refunded", 5000), ("Remaining", 26_040)];
    Payment {
        page: page("W-10479", 0),
        back: Link::new("Payments", "payments.html"),
        amount: money(31_040, "EUR"),
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

pub(super) fn notice() -> Notice {
    Notice {
        page: page("Not found", 9),
        tone: "neutral",
        icon: "search",
        title: "There is no such payment".to_owned(),
        text: "It may have been absorbed by another one, or the address was cut off when it was copied.".to_owned(),
        link: Some(Link::new("All payments", "payments.html")),
    }
}

pub(super) fn checkout(trouble: Option<&str>) -> CheckoutPage {
    CheckoutPage {
        css: "dummy.css".to_owned(),
        icon: "icon.svg".to_owned(),
        amount: "24.90 EUR".to_owned(),
        reference: "W-10482".to_owned(),
        action: "/payments/dummy/checkout".to_owned(),
        fields: vec![("token".to_owned(), "pay_9f\"><b>".to_owned())],
        trouble: trouble.map(str::to_owned),
    }
}
