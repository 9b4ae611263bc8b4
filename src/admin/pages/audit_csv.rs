//! The acts of operators as a file.

use actix_web::HttpResponse;

use super::audit;
use super::csv::{CHUNK, end, file};
use crate::admin::asked::Asked;
use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::sheet::Cell::{Ours, Theirs};
use crate::admin::sheet::{Sheet, Way, download};
use crate::admin::views::words::machine;
use crate::error::Error;
use crate::reports::Acts;
use crate::store::audit::{ActFilter, ActRow};

pub(in crate::admin) const ROUTES: &[Route] = &[Route::page("audit.csv", |visit| Box::pin(audit_csv(visit)))];

const ACTS: &[&str] = &["at", "act", "actor", "address", "variant", "event", "kind", "payment", "detail"];

async fn audit_csv(visit: Visit) -> Result<HttpResponse, Failure> {
    let filter = audit::filter(&mut Asked::of(&visit.req));
    let (way, response) = download(&file("audit", &visit));
    actix_rt::spawn(async move { end(send(visit, filter, &way).await, &way).await });
    Ok(response)
}

async fn send(visit: Visit, filter: ActFilter, way: &Way) -> Result<(), Error> {
    let (mut sheet, mut place) = (Sheet::new(visit, ACTS), None);
    while sheet.send(way).await {
        let found = sheet.visit().engine().acts(filter.clone(), place, CHUNK).await?;
        for row in &found.page.rows {
            add(&mut sheet, row, &found);
        }
        place = found.page.further;
        if place.is_none() {
            sheet.send(way).await;
            break;
        }
    }
    Ok(())
}

fn add(sheet: &mut Sheet, row: &ActRow, found: &Acts) {
    let variant = row.variant.clone().unwrap_or_default();
    let cells = [
        Ours(machine(row.created_at)),
        Ours(row.act.clone()),
        Theirs(Some(row.actor.clone())),
        Theirs(row.address.clone()),
        Ours(variant.clone()),
        Ours(row.event_id.map(|id| id.to_string()).unwrap_or_default()),
        Theirs(row.event_id.and_then(|id| found.kinds.get(&id).cloned())),
        Ours(row.payment_id.and_then(|id| found.tokens.get(&id).cloned()).unwrap_or_default()),
        Theirs(row.detail.clone()),
    ];
    sheet.row(&variant, cells);
}
