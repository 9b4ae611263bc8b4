//! Which handlers are owed their runs, and how is one retired that is gone for good? What that means is said before.

use actix_web::HttpResponse;

use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::handlers::{HandlerRow, Handlers, Retire};
use crate::admin::views::parts::Link;
use crate::store::registry::{Registered, Stage};
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("handlers", |visit| Box::pin(show(visit))),
    Route::page("handlers/retire", |visit| Box::pin(ask(visit))),
    Route::act("handlers/retire", |visit| Box::pin(retire(visit))),
];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let found = visit.engine().handler_list().await?;
    let row = |(handler, workers): &(Registered, Option<usize>)| HandlerRow {
        name: handler.name.clone(),
        runs: runs(&handler.stage),
        workers: workers.map_or_else(|| "no worker is known".to_owned(), count),
        is_served: workers.is_none_or(|count| count > 0),
        retire: visit.may_act().then(|| Link::new("Retire", at(&frame, &handler.name))),
    };
    let page = Handlers {
        page: frame.page("Handlers", ""),
        back: Link::new("Overview", frame.href("")),
        deadlocked: (!found.deadlocked.is_empty()).then(|| found.deadlocked.join(", ")),
        rows: found.rows.iter().map(row).collect(),
    };
    Ok(frame.render(&page))
}

async fn ask(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let name = Fields::of(&visit.req).get("name").unwrap_or_default();
    let found = visit.engine().handler_list().await?;
    let (handler, workers) = found
        .rows
        .into_iter()
        .find(|(handler, _)| handler.name == name)
        .ok_or(Failure::NotFound("There is no such handler."))?;
    let page = Retire {
        page: frame.page(&format!("Retire {name}"), ""),
        back: Link::new("Handlers", frame.href("handlers")),
        runs: runs(&handler.stage),
        served: workers.filter(|count| *count > 0).map(count),
        action: visit.may_act().then(|| frame.href("handlers/retire")),
        name,
    };
    Ok(frame.render(&page))
}

async fn retire(visit: Visit) -> Result<HttpResponse, Failure> {
    let name = visit.form.get("name").unwrap_or_default();
    visit.engine().retire_handler(&name, visit.actor()).await?;
    Ok(respond::see(&visit.frame().href("handlers")))
}

/// The page that asks whether to retire a handler.
fn at(frame: &Frame, name: &str) -> String {
    let fields = Fields::parse("");
    fields.with(&frame.href("handlers/retire"), "name", Some(name))
}

fn count(workers: usize) -> String {
    match workers {
        0 => "no worker has it".to_owned(),
        1 => "1 worker has it".to_owned(),
        count => format!("{count} workers have it"),
    }
}

fn runs(stage: &Stage) -> String {
    match stage {
        Stage::Transaction => "for each transition, in its transaction".to_owned(),
        Stage::Transition => "for each transition".to_owned(),
        Stage::SubscriptionTransaction => "for each transition of a subscription, in its transaction".to_owned(),
        Stage::SubscriptionTransition => "for each transition of a subscription".to_owned(),
        Stage::Event(kind) => format!("for events {kind}"),
    }
}
