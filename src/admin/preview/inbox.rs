//! What does a rich day's inbox look like? Events in every state, and one explained in full.

use crate::admin::views::event::{AttemptRow, DeliveryInfo, Event, Explain, FactRow, ReferenceRow};
use crate::admin::views::events::{EventRow, Events};
use crate::admin::views::list::Paging;
use crate::admin::views::page::Page;
use crate::admin::views::parts::{Act, Badge, Change, Code, Link};
use crate::admin::views::{json, words};
use crate::domain::event::EventState;
use crate::domain::fact::State;
use crate::domain::payment::Status;

use super::samples::{ago, code, empty, filter, money, page, tabs};

pub(super) fn event_row(state: EventState, kind: &str, payment: Option<&str>, outcome: &str, at: i64) -> EventRow {
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

pub(super) fn events(rows: Vec<EventRow>) -> Events {
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

pub(super) fn rich_events() -> Events {
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

pub(super) fn requeue(why_not: Option<&str>) -> Act {
    Act {
        label: "Requeue".to_owned(),
        icon: "retry",
        action: "event/requeue".to_owned(),
        fields: vec![("state".to_owned(), "retryable".to_owned())],
        why_not: why_not.map(str::to_owned),
    }
}

pub(super) fn explain() -> Explain {
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
            fact("checkout", "cs_live_a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuV", State::Succeeded, 2490, "new"),
            fact("capture", "ch_3PqLx2A8mR5vN1", State::Succeeded, 2490, "already known"),
        ],
        change: Some(Change::of(Status::Pending, Status::Paid)),
        change_why: "24.90 EUR moved, which is all that was asked for.".to_owned(),
    }
}

pub(super) fn event() -> Event {
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
