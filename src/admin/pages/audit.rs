//! What did operators do? Every act, newest first.

use actix_web::HttpResponse;

use crate::admin::asked::Asked;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::audit::{ActRow, Audit};
use crate::admin::views::badge::spaced;
use crate::admin::views::list::{Empty, Filter};
use crate::admin::views::parts::Link;
use crate::domain::id::EventId;
use crate::domain::scope::Scope;
use crate::reports::{self, Order};
use crate::store::audit::{ActFilter};
use crate::store::audit as rows;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::section("Audit", "audit", |visit| Box::pin(show(visit))).scoped()];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (mut asked, frame) = (Asked::of(&visit.req), visit.frame());
    let list = frame.href("audit");
    let (filter, place) = (filter(&mut asked, visit.scope()), asked.place());
    let (found, kinds) = visit.engine().audit(filter, place).await?;
    let acts: Vec<(&String, String)> = kinds.iter().map(|act| (act, spaced(act))).collect();
    let is_filtered = asked.any(&["actor", "act"]);
    let page = Audit {
        page: frame.page("Audit", "audit"),
        filter: Filter {
            action: list.clone(),
            search: asked.field("actor", "search", "Who", "A whole name"),
            selects: vec![asked.fields.select(
                "act",
                "Act",
                "Any act",
                acts.iter().map(|(act, words)| (act.as_str(), words.as_str())),
            )],
            clear: is_filtered.then(|| list.clone()),
            ..Filter::default()
        },
        empty: empty(is_filtered, found.page.stopped.is_some()),
        paging: asked.fields.paging(&list, "act", &found.page, Order::default()),
        rows: found.page.rows.iter().map(|act| row(&frame, act, &found)).collect(),
    };
    Ok(frame.render(&page))
}

/// What an address asks for.
pub(super) fn filter(asked: &mut Asked, scope: Scope) -> ActFilter {
    ActFilter { scope, actor: asked.text("actor"), act: asked.text("act") }
}

fn row(frame: &Frame, act: &rows::ActRow, found: &reports::Acts) -> ActRow {
    let token = act.payment_id.and_then(|id| found.tokens.get(&id));
    let kind = act.event_id.and_then(|id| found.kinds.get(&id));
    let mut on = Vec::new();
    if let (Some(id), Some(kind)) = (act.event_id, kind) {
        on.push(("event", Link::new(kind, frame.href(&format!("events/{id}")))));
    }
    if let Some(token) = token {
        on.push(("payment", Link::new(token, frame.href(&format!("payments/{token}")))));
    }
    if let Some(variant) = &act.variant {
        on.push(("variant", Link::new(variant, frame.href(&format!("variants/{variant}")))));
    }
    ActRow {
        act: spaced(&act.act),
        on,
        detail: act.detail.clone(),
        events: events(frame, act, found),
        actor: act.actor.clone(),
        address: act.address.clone(),
        at: frame.moment(act.created_at),
    }
}

/// The events that an act on many changed, and whether there are more.
fn events(frame: &Frame, act: &rows::ActRow, found: &reports::Acts) -> (Vec<Link>, bool) {
    let (events, is_more) = found.on_many.get(&act.id).cloned().unwrap_or_default();
    let link = |id: &EventId| Some(Link::new(found.kinds.get(id)?, frame.href(&format!("events/{id}"))));
    (events.iter().filter_map(link).collect(), is_more)
}

fn empty(is_filtered: bool, is_part: bool) -> Empty {
    let (title, text) = if is_part {
        ("None so far", "Only a part of the acts was looked through: go on to older ones.")
    } else if is_filtered {
        ("No acts match", "Type a whole name, as it stands in the list of acts.")
    } else {
        ("No acts yet", "What operators change here is written down: who, what, when, and from where.")
    };
    Empty { title: title.to_owned(), text: text.to_owned(), codes: Vec::new(), link: None }
}
