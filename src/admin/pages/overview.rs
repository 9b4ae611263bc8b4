//! The overview: the last day in numbers, its course, and what somebody should look at.

use std::collections::BTreeMap;

use actix_web::HttpResponse;

use super::charts::{events_chart, name};
use super::subscription_sums::subscriptions;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::overview::{LatencyTable, Line, MoneyRow, Overview, Pruning, Tile, VariantRow};
use crate::admin::views::parts::{Amount, Link};
use crate::admin::views::words::{self, count, grouped};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::money::{Currency, Money};
use crate::engine::tally::{AGAIN, DUPLICATE, LOST, PAID, RECEIVED, REFUNDED, REJECTED, TEST};
use crate::reports::{self, Anomaly, COUNT_CAP, Latency, Percentiles, Span, Worded, Wording};
use crate::store::rows::{EventRow, Sum};

pub(in crate::admin) const ROUTES: &[Route] = &[Route::section("Overview", "", |visit| Box::pin(show(visit))).scoped()];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (fields, frame) = (Fields::of(&visit.req), visit.frame());
    let asked = fields.get("span");
    let span = Span::ALL.into_iter().find(|span| asked.as_deref() == Some(span.as_str())).unwrap_or(Span::Day);
    let found = visit.engine().overview(span, visit.scope()).await?;
    let spans = |of: Span| {
        let word = (of != Span::Day).then_some(of.as_str());
        (Link::new(name(of), fields.with(&frame.href(""), "span", word)), of == span)
    };
    let money = money(&found.sums);
    let page = Overview {
        page: frame.page("Overview", ""),
        anomalies: found.anomalies.iter().map(|anomaly| line(&frame, anomaly)).collect(),
        now: now(&frame, &found),
        tiles: tiles(&frame, &found),
        any_lost: money.iter().any(|row| row.lost.is_some()),
        money,
        spans: Span::ALL.into_iter().map(spans).collect(),
        chart: events_chart(&frame, span, &found.buckets),
        subscriptions: found.subscriptions.as_ref().map(|sums| subscriptions(&frame, span, sums, &found.sums)),
        variants: found.last.iter().map(|(name, event)| variant(&frame, name, event.as_ref())).collect(),
        latency: latency(&frame, &found.latency),
        pruning: found.pruning.as_ref().map(|(note, ran_at)| Pruning {
            last: ran_at.map(|at| (note.clone(), frame.moment(at))),
            more: Link::new("Data", frame.href("data")),
        }),
        oldest: found.oldest.as_ref().map(|event| (event_link(&frame, event), frame.moment(event.received_at))),
    };
    Ok(frame.render(&page))
}

/// How often something happened whose outcome begins so. What was given up is counted each time, also after a requeue.
fn sum(sums: &[Sum], outcome: &str) -> i64 {
    let discarded = EventState::Discarded.as_str();
    let is_it = |known: &str| match known.strip_prefix(outcome) {
        Some(rest) => rest.is_empty() || outcome == REJECTED || (outcome == discarded && rest == AGAIN),
        None => false,
    };
    let its = sums.iter().filter(|sum| is_it(&sum.outcome));
    its.fold(0, |all, sum| all.saturating_add(sum.count))
}

fn tile(frame: &Frame, text: &str, path: &str, (number, note): (String, String), tone: &'static str) -> Tile {
    Tile { link: Link::new(text, frame.href(path)), number, note, tone }
}

/// What is open at this moment.
fn now(frame: &Frame, found: &reports::Overview) -> Vec<Tile> {
    let open = |states: &[EventState]| -> i64 {
        found.open.iter().filter(|(state, _)| states.contains(state)).map(|(_, count)| count).sum()
    };
    let capped = |number: i64| count(number.unsigned_abs(), COUNT_CAP.unsigned_abs());
    let retryable = open(&[EventState::Retryable]);
    let waiting = open(&[EventState::Available, EventState::Running, EventState::Retryable]);
    let (path, tone) =
        if retryable > 0 { ("events?state=retryable", "warn") } else { ("events?state=available", "calm") };
    let parked = capped(open(&[EventState::Parked]));
    vec![
        tile(frame, "Waiting", path, (capped(waiting), format!("{} for another try", capped(retryable))), tone),
        tile(frame, "Parked", "events?state=parked", (parked, "for a payment".into()), "calm"),
    ]
}

/// What happened in a day.
fn tiles(frame: &Frame, found: &reports::Overview) -> Vec<Tile> {
    let number = |outcome: &str| sum(&found.sums, outcome);
    let before = |outcome: &str| format!("{} the day before", grouped(&sum(&found.before, outcome).to_string()));
    let counted = |text: &str, path: &str, outcome: &str, odd: &'static str| {
        let happened = number(outcome);
        let tone = if happened > 0 { odd } else { "calm" };
        tile(frame, text, path, (grouped(&happened.to_string()), before(outcome)), tone)
    };
    let completed = EventState::Completed.as_str();
    let ignored = grouped(&number(EventState::Ignored.as_str()).to_string());
    let ran_again = |state: EventState| number(&format!("{}{AGAIN}", state.as_str()));
    let again = ran_again(EventState::Completed).saturating_add(ran_again(EventState::Ignored));
    let again = if again > 0 { format!(", {} ran again", grouped(&again.to_string())) } else { String::new() };
    vec![
        counted("Received", "events", RECEIVED, "calm"),
        Tile {
            note: format!("and {ignored} ignored{again}"),
            ..counted("Completed", "events?state=completed", completed, "calm")
        },
        counted("Discarded", "events?state=discarded", EventState::Discarded.as_str(), "bad"),
        counted("Rejected", "variants", REJECTED, "warn"),
        counted("Duplicates", "events", DUPLICATE, "calm"),
    ]
}

/// Real money first, and of each the currencies in alphabetical order.
fn money(sums: &[Sum]) -> Vec<MoneyRow> {
    let mut rows: BTreeMap<(bool, &str), [i64; 3]> = BTreeMap::new();
    for sum in sums {
        let (outcome, test) = match sum.outcome.strip_suffix(TEST) {
            Some(outcome) => (outcome, true),
            None => (sum.outcome.as_str(), false),
        };
        if let Some(place) = [PAID, REFUNDED, LOST].iter().position(|known| *known == outcome) {
            let row = rows.entry((test, &sum.currency)).or_default();
            row[place] = row[place].saturating_add(sum.amount);
        }
    }
    let amount = |minor, code: &str| Amount::new(Money::new(minor, Currency::parse(code).unwrap_or(Currency::NONE)));
    let row = |((test, code), [paid, refunded, lost]): ((bool, &str), [i64; 3])| MoneyRow {
        test,
        paid: amount(paid, code),
        refunded: amount(refunded, code),
        lost: (lost != 0).then(|| amount(lost, code)),
    };
    rows.into_iter().map(row).collect()
}

/// How long the newest deliveries took. What gateways say of when it happened is exact to a second.
fn latency(frame: &Frame, found: &Latency) -> Option<LatencyTable> {
    let said = |within: &Percentiles, brief: fn(time::Duration) -> String| {
        [within.half, within.of_95, within.of_99].map(brief)
    };
    let row = |label, within: &Option<Percentiles>, brief| {
        let none = || ["–", "–", "–"].map(str::to_owned);
        (label, within.as_ref().map_or_else(none, |within| said(within, brief)))
    };
    (found.deliveries > 0).then(|| LatencyTable {
        deliveries: found.deliveries,
        rows: vec![
            row("received", &found.received, words::in_seconds),
            row("processed, from there", &found.processed, words::in_milliseconds),
        ],
        late: Link::new("Late ones", frame.href("events?seen=late")),
    })
}

fn event_link(frame: &Frame, event: &EventRow) -> Link {
    Link::new(&event.kind, frame.href(&format!("events/{}", event.id)))
}

fn variant(frame: &Frame, name: &str, event: Option<&EventRow>) -> VariantRow {
    VariantRow {
        link: Link::new(name, frame.href(&format!("events?variant={name}"))),
        last: event.map(|event| (event_link(frame, event), frame.moment(event.last_delivered_at))),
    }
}

fn line(frame: &Frame, anomaly: &Anomaly) -> Line {
    let counted = |number: i64| count(number.unsigned_abs(), COUNT_CAP.unsigned_abs());
    let ago = |at: Timestamp| frame.moment(at).text;
    let Worded { is_urgent, text, link, path } = anomaly.wording(&Wording { count: &counted, at: &ago });
    let (tone, icon) = if is_urgent { ("bad", "stop") } else { ("warn", "alert") };
    Line { tone, icon, text, link: Link::new(link, frame.href(&path)) }
}
