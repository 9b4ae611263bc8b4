//! Which events came, and what became of them?

use std::collections::BTreeSet;

use actix_web::HttpResponse;

use crate::admin::asked::{Asked, FRESH_CAP, fresh};
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::badge::{state_of_event, straight};
use crate::admin::views::events::{BulkForm, EventRow, Events};
use crate::admin::views::list::{self, Empty, Field, Filter, Notes, Tabs};
use crate::admin::views::parts::Link;
use crate::admin::views::words;
use crate::domain::event::EventState;
use crate::domain::scope::Scope;
use crate::reports::{EventList, EventView, Order, SEARCH_CAP};
use crate::store::filters::EventFilter;
use crate::store::rows;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::section("Events", "events", |visit| Box::pin(show(visit))).scoped()];

/// The fields of the form that are typed into: what is wrong with them is said beside them.
const TYPED: &[&str] = &["q", "account", "kind", "from", "until"];
/// The fields that are folded away.
const MORE: &[&str] = &["account", "from", "until", "mode", "seen", "handler", "code"];
/// The outcome codes of failures.
const CODES: [(&str, &str); 4] = [
    ("handler_failed", "A handler failed"),
    ("handler_discarded", "A handler gave up"),
    ("failed", "Processing failed"),
    ("malformed", "Unreadable"),
];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let mut asked = Asked::of(&visit.req);
    let frame = visit.frame();
    let view = view(&mut asked, &frame, &visit.scope());
    match asked.newer_than() {
        Some(Ok(id)) => return Ok(fresh(visit.engine().newer_events(view, id, FRESH_CAP + 1).await?)),
        Some(Err(refused)) => return Ok(refused),
        None => {}
    }
    let place = asked.place();
    let list = frame.href("events");
    let is_filtered = view.is_filtered();
    let found = visit.engine().event_list(view, place).await?;
    let tabs = tabs(&asked, &list, &found);
    let paging = asked.fields.paging(&list, "event", &found.page, Order::default());
    let page = Events {
        page: frame.page("Events", "events"),
        filter: form(&visit, &asked, &list, &found),
        notes: Notes {
            notes: notes(&frame, &asked, &found),
            fresh: place.is_none().then(|| asked.fields.with(&list, "", None)),
            what: "event",
        },
        bulk: BulkForm {
            may_act: visit.may_act(),
            is_filtered,
            action: frame.href("events/bulk"),
            view: asked.fields.with("", "", None).trim_start_matches('?').to_owned(),
        },
        failures: Link::new("Failures by cause", frame.href("failures")),
        newest: found.page.rows.first().map(|row| row.id.0).filter(|_| place.is_none()),
        empty: empty(&visit, &asked, &list, &found),
        paging: paging.of(asked.fields.in_all(&tabs, "state")),
        tabs,
        rows: list::readable(found.page.each(|row| self::row(&visit, &frame, (&asked, &found), row)), "Event"),
    };
    Ok(frame.render(&page))
}

/// How events came, as an address says it.
#[derive(PartialEq, Eq)]
enum Seen {
    Again,
    Late,
}

/// What an address asks for.
pub(in crate::admin) fn view(asked: &mut Asked, frame: &Frame, scope: &Scope) -> EventView {
    let seen = asked.word("seen", |word| match word {
        "again" => Some(Seen::Again),
        "late" => Some(Seen::Late),
        _ => None,
    });
    EventView {
        filter: EventFilter {
            scope: scope.clone(),
            state: asked.word("state", EventState::parse),
            variant: asked.text("variant"),
            account: asked.text("account"),
            kind: asked.text("kind"),
            livemode: asked.livemode(),
            failure: asked.text("failure"),
            handler: asked.text("handler"),
            code: asked.text("code"),
            repeated: seen == Some(Seen::Again),
            late: seen == Some(Seen::Late),
            from: asked.day("from", frame),
            until: asked.end_of_day("until", frame),
        },
        search: asked.text("q"),
    }
}

fn tabs(asked: &Asked, list: &str, found: &EventList) -> Tabs {
    // Every event is in one of the tabs, so that all of them are as exact as their sum.
    let all = found.counts.iter().map(|(_, count)| *count).sum();
    let mut tabs = vec![asked.fields.tab(list, "state", None, "All", all)];
    for (state, count) in &found.counts {
        let mut text = state_of_event(*state);
        text[..1].make_ascii_uppercase();
        let mut tab = asked.fields.tab(list, "state", Some(state.as_str()), &text, *count);
        tab.urgent = count.count > 0 && matches!(state, EventState::Discarded | EventState::Retryable);
        tabs.push(tab);
    }
    Tabs { label: "State".to_owned(), tabs }
}

fn form(visit: &Visit, asked: &Asked, list: &str, found: &EventList) -> Filter {
    let own = visit.engine().handlers.names();
    let handlers: BTreeSet<&str> = own.chain(&found.handlers).map(String::as_str).collect();
    let kind = Field { offers: found.kinds.clone(), ..asked.field("kind", "text", "Kind", "charge.*") };
    let frame = visit.frame();
    let zone = frame.zone();
    let form = Filter {
        action: list.to_owned(),
        hidden: ["state", "failure"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), asked.fields.get(name)?)))
            .collect(),
        search: asked.field("q", "search", "Search", "Event id, any reference, or a payment's token"),
        fields: vec![kind],
        selects: Vec::new(),
        more: vec![
            asked.account(),
            asked.field("from", "date", &format!("Received from ({zone})"), "2026-11-01"),
            asked.field("until", "date", &format!("Received until ({zone})"), "2026-11-30"),
        ],
        more_selects: vec![
            asked.fields.select("mode", "Mode", "Live and test", [("live", "Live"), ("test", "Test")]),
            asked.fields.select("handler", "Failure of", "Anything", handlers.iter().map(|name| (*name, *name))),
            asked.fields.select("code", "Ended as", "Anything", CODES),
            asked.fields.select("seen", "Came", "In any way", [("again", "More than once"), ("late", "Late")]),
        ],
        open: asked.any(MORE),
        clear: (asked.any(MORE) || asked.any(&["q", "variant", "kind", "failure"])).then(|| list.to_owned()),
    };
    visit.by_variant(&asked.fields, form)

}

fn notes(frame: &Frame, asked: &Asked, found: &EventList) -> Vec<String> {
    let mut notes = asked.notes(TYPED);
    notes.extend(asked.fields.get("failure").map(|cause| format!("Only events with this failure: {cause}.")));
    if asked.fields.get("seen").as_deref() == Some("late") {
        notes.push("Only deliveries that came ten minutes or more after what they report happened.".to_owned());
    }
    if found.page.capped {
        notes.push(format!("The search found more than {SEARCH_CAP} events; only as many are listed."));
    }
    notes.extend(found.page.stopped.map(|_| words::looked_through("events", "received", found.stopped_at.map(|at| frame.local(at).0))));
    notes
}

fn row(visit: &Visit, frame: &Frame, (asked, found): (&Asked, &EventList), row: &rows::EventRow) -> EventRow {
    let token = row.payment_id.and_then(|id| found.tokens.get(&id));
    EventRow {
        id: row.id.0,
        href: asked.fields.leading(&frame.href(&format!("events/{}", row.id))),
        state: row.state.into(),
        kind: row.kind.clone(),
        payment: token.map(|token| Link::new(token, frame.href(&format!("payments/{token}")))),
        outcome: match row.outcome.as_deref() {
            Some(outcome) => {
                frame.with_next_attempt(&straight(&visit.shown(&row.variant, outcome)), row)
            }
            None => "waits for a worker".to_owned(),
        },
        failed: matches!(row.state, EventState::Retryable | EventState::Discarded),
        variant: row.variant.clone(),
        deliveries: words::times(u64::try_from(row.deliveries).unwrap_or_default()),
        late: words::late(row),
        received: frame.moment(row.received_at),
    }
}

fn empty(visit: &Visit, asked: &Asked, list: &str, found: &EventList) -> Empty {
    if found.page.stopped.is_some() {
        return Empty {
            title: "None so far".to_owned(),
            text: "Only a part of the list was looked through. Narrow it by state, kind, variant or dates to get further \
                   at once."
                .to_owned(),
            codes: Vec::new(),
            link: None,
        };
    }
    if asked.any(&["q", "variant", "kind", "state", "failure"]) || asked.any(MORE) {
        return Empty {
            title: "No events match".to_owned(),
            text: "A kind may end in *, as charge.* does; search finds whole ids.".to_owned(),
            codes: Vec::new(),
            link: Some(Link::new("All events", list)),
        };
    }
    Empty {
        title: "No events yet".to_owned(),
        text: "Paste these addresses into the gateways' webhook settings and send a test event.".to_owned(),
        codes: visit.webhook_addresses(),
        link: None,
    }
}
