//! Which disputes are there, where do they stand, and by when are they to be answered?

use std::collections::BTreeSet;

use actix_web::HttpResponse;

use crate::admin::asked::Asked;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::badge::spaced;
use crate::admin::views::disputes::{DisputeRow, Disputes};
use crate::admin::views::list::{Empty, Filter, Notes, Tabs};
use crate::admin::views::parts::{Amount, Badge, Link};
use crate::admin::views::words;
use crate::domain::mode::Mode;
use crate::domain::fact::State;
use crate::domain::scope::Scope;
use crate::domain::money::{Currency, Money};
use crate::engine::due::AT_LEISURE;
use crate::reports::{Counted, DEPTH, DISPUTE_STATES, DisputeList, DisputeView, Order};
use crate::store::disputes as store;

pub(in crate::admin) const ROUTES: &[Route] =
    &[Route::section("Disputes", "disputes", |visit| Box::pin(show(visit))).scoped()];

/// The fields of the form.
const FILTERS: &[&str] = &["variant", "mode"];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (mut asked, frame) = (Asked::of(&visit.req), visit.frame());
    let view = view(&mut asked, &visit.scope());
    let (state, list) = (view.state, frame.href("disputes"));
    let found = visit.engine().disputes(view, asked.place(), visit.scope()).await?;
    let of_rows: BTreeSet<String> = found.page.rows.iter().map(|row| row.variant.clone()).collect();
    let _held = visit.engine().load_all(&of_rows.into_iter().collect::<Vec<_>>(), AT_LEISURE).await;
    let page = Disputes {
        page: frame.page("Disputes", "disputes"),
        tabs: tabs(&asked, &list, state, &found),
        filter: form(&visit, &asked, &list),
        notes: Notes { notes: notes(&asked, &found), ..Notes::default() },
        order: match state {
            State::Open => "those first that are to be answered first",
            _ => "those of the newest payments first",
        },
        empty: empty(&asked, state, &list, &found),
        paging: asked.fields.paging(&list, "dispute", &found.page, Order::default()),
        rows: found.page.rows.iter().map(|row| self::row(&visit, &frame, &asked, state, row)).collect(),
    };
    Ok(frame.render(&page))
}

/// Which disputes an address asks for.
pub(super) fn view(asked: &mut Asked, scope: &Scope) -> DisputeView {
    let known = |word: &str| DISPUTE_STATES.into_iter().find(|state| state.as_str() == word);
    let state = asked.word("state", known).unwrap_or(State::Open);
    DisputeView { state, scope: scope.narrowed(asked.text("variant").as_deref()), livemode: asked.livemode() }
}

fn form(visit: &Visit, asked: &Asked, list: &str) -> Filter {
    let form = Filter {
        action: list.to_owned(),
        hidden: asked.fields.get("state").map(|state| ("state".to_owned(), state)).into_iter().collect(),
        selects: vec![
            asked.fields.select("mode", "Mode", "Live and test", [("live", "Live"), ("test", "Test")]),
        ],
        clear: asked.any(FILTERS).then(|| list.to_owned()),
        ..Filter::default()
    };
    visit.by_variant(&asked.fields, form)

}

fn notes(asked: &Asked, found: &DisputeList) -> Vec<String> {
    let mut notes = asked.notes(&[]);
    if found.is_part {
        notes.push(format!("Only the {DEPTH} that are to be answered first are listed; the CSV has all."));
    }
    if found.page.lost {
        notes.push("That place in the list is gone, so this is its beginning.".to_owned());
    }
    notes.extend(found.page.stopped.map(|_| words::looked_through("disputes", "made", None)));
    notes
}

fn tabs(asked: &Asked, list: &str, state: State, found: &DisputeList) -> Tabs {
    let tab = |(known, count): (&State, &Counted)| {
        let value = Some(known.as_str()).filter(|_| *known != State::Open);
        let mut text = known.as_str().to_owned();
        text[..1].make_ascii_uppercase();
        let mut tab = asked.fields.tab(list, "state", value, &text, *count);
        (tab.current, tab.urgent) = (*known == state, *known == State::Open && count.count > 0);
        tab
    };
    Tabs { label: "State".to_owned(), tabs: DISPUTE_STATES.iter().zip(&found.counts).map(tab).collect() }
}

fn row(visit: &Visit, frame: &Frame, asked: &Asked, state: State, row: &store::DisputeRow) -> DisputeRow {
    let currency = row.currency.as_deref().and_then(|code| Currency::parse(code).ok());
    let money = row.amount.zip(currency).map(|(minor, currency)| Money::new(minor, currency));
    let engine = visit.engine();
    let variant = engine.variant(&row.variant);
    let gateway = variant.as_ref().map(|variant| &variant.gateway);
    let mode = Mode::of(row.livemode);
    let page = |id: &str| gateway.and_then(|gateway| gateway.dashboard_url(&id.into(), mode));
    let url = page(&row.gateway_ref).or_else(|| row.parent.as_deref().and_then(page));
    let (at, at_words) = match row.until.filter(|_| matches!(state, State::Open | State::Inquiry)) {
        Some(until) => (until, "answer by"),
        None => (row.occurred_at, "since"),
    };
    DisputeRow {
        amount: money.map(Amount::new),
        badges: [Some(state.into()), Badge::mode(row.livemode.filter(|live| !live))].into_iter().flatten().collect(),
        reason: row.reason.as_deref().map(|code| spaced(&visit.shown(&row.variant, code))),
        payment: Link::new(
            row.reference.as_ref().unwrap_or(&row.token),
            asked.fields.leading_from("disputes", &frame.href(&format!("payments/{}", row.token))),
        ),
        customer: row.customer.as_ref().map(|text| Link::new(text, frame.customer("payments", &row.token))),
        variant: row.variant.clone(),
        id: row.gateway_ref.clone(),
        dashboard: gateway.zip(url).map(|(gateway, url)| Link::new(gateway.name(), url)),
        at: frame.moment(at),
        at_words,
    }
}

fn empty(asked: &Asked, state: State, list: &str, found: &DisputeList) -> Empty {
    let text = "Disputes and inquiries that the gateways report are listed here, with a tab for each state.";
    let title = match state {
        _ if found.page.stopped.is_some() => "None so far",
        _ if asked.any(FILTERS) => "No disputes match",
        State::Open => "No dispute is open",
        _ => "None",
    };
    let link = asked.any(FILTERS).then(|| Link::new("All disputes", list));
    Empty { title: title.to_owned(), text: text.to_owned(), codes: Vec::new(), link }
}
