//! Which events came, and what became of them?

use actix_web::HttpResponse;

use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::badge::spaced;
use crate::admin::views::events::{BulkForm, EventRow, Events};
use crate::admin::views::list::{Empty, Field, Filter, Tabs};
use crate::admin::views::parts::{Badge, Code, Link};
use crate::admin::views::words;
use crate::domain::event::EventState;
use crate::payments::EventPage;
use crate::store::rows::{self, EventFilter};

pub(in crate::admin) const ROUTES: &[Route] = &[Route::section("Events", "events", |visit| Box::pin(show(visit)))];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (fields, frame) = (Fields::of(&visit.req), visit.frame());
    let list = frame.href("events");
    let found = visit.payments.browse_events(filter(&fields), fields.place()).await?;
    let ids: Vec<i64> = found.rows.iter().map(|(row, _)| row.id).collect();
    let page = Events {
        page: frame.page("Events", "events"),
        tabs: tabs(&fields, &list, &found),
        filter: filter_form(&visit, &fields, &list),
        bulk: BulkForm {
            may_act: visit.may_act(),
            action: frame.href("events/bulk"),
            view: fields.with("", "", None).trim_start_matches('?').to_owned(),
        },
        empty: empty(&visit, &fields),
        paging: fields.paging(&list, "event", &ids, found.newer, found.older),
        rows: found.rows.iter().map(|(row, token)| self::row(&frame, row, token.as_deref())).collect(),
    };
    Ok(frame.render(&page))
}

/// Which events a query asks for.
pub(super) fn filter(fields: &Fields) -> EventFilter {
    EventFilter {
        state: fields.get("state").filter(|word| EventState::parse(word).is_some()),
        variant: fields.get("variant"),
        kind: fields.get("kind"),
        search: fields.get("q"),
        ..EventFilter::default()
    }
}

fn tabs(fields: &Fields, list: &str, found: &EventPage) -> Tabs {
    let mut tabs = vec![fields.tab(list, "state", None, "All", found.all)];
    for (state, count) in &found.counts {
        let mut text = spaced(state.as_str());
        text[..1].make_ascii_uppercase();
        let mut tab = fields.tab(list, "state", Some(state.as_str()), &text, *count);
        tab.urgent = *count > 0 && matches!(state, EventState::Discarded | EventState::Retryable);
        tabs.push(tab);
    }
    Tabs { label: "State".to_owned(), tabs }
}

fn filter_form(visit: &Visit, fields: &Fields, list: &str) -> Filter {
    let field = |name: &str, label: &str, hint: &str| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        value: fields.get(name).unwrap_or_default(),
        hint: hint.to_owned(),
        offers: Vec::new(),
    };
    Filter {
        action: list.to_owned(),
        hidden: fields.get("state").map(|state| ("state".to_owned(), state)).into_iter().collect(),
        search: field("q", "Search", "Event id or any id that the event names"),
        fields: vec![field("kind", "Kind", "charge.*")],
        selects: vec![fields.variants(visit.payments.variants())],
        clear: ["q", "variant", "kind"].iter().any(|name| fields.get(name).is_some()).then(|| list.to_owned()),
    }
}

fn row(frame: &Frame, row: &rows::EventRow, token: Option<&str>) -> EventRow {
    let state = EventState::parse(&row.state);
    EventRow {
        id: row.id,
        href: frame.href(&format!("events/{}", row.id)),
        state: state.map_or_else(|| Badge::new(&row.state, "neutral", "dot"), Badge::from),
        kind: row.kind.clone(),
        payment: token.map(|token| Link::new(token, frame.href(&format!("payments/{token}")))),
        outcome: row.outcome.clone().unwrap_or_else(|| "waits for a worker".to_owned()),
        failed: matches!(state, Some(EventState::Retryable | EventState::Discarded)),
        variant: row.variant.clone(),
        deliveries: words::times(u64::try_from(row.deliveries).unwrap_or_default()),
        received: frame.moment(row.received_at),
    }
}

fn empty(visit: &Visit, fields: &Fields) -> Empty {
    let filtered = ["q", "variant", "kind", "state"].iter().any(|name| fields.get(name).is_some());
    if filtered {
        return Empty {
            title: "No event is like that".to_owned(),
            text: "A kind may end in *, as charge.* does; search finds whole ids.".to_owned(),
            codes: Vec::new(),
            link: None,
        };
    }
    let address = |name: &str| Code::new(visit.payments.address_of(name), format!("address of {name}"));
    Empty {
        title: "No events yet".to_owned(),
        text: "Paste these addresses into the gateways' webhook settings and send a test event.".to_owned(),
        codes: visit.payments.variants().map(address).collect(),
        link: None,
    }
}
