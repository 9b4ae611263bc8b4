//! The acts of operators as a file.

use actix_web::HttpResponse;

use super::audit;
use super::csv::CHUNK;
use crate::admin::asked::Asked;
use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::sheet::Cell::{Ours, Theirs};
use crate::admin::sheet::{Sheet, download};
use crate::admin::views::words::machine;
use crate::domain::id::EventId;
use crate::error::Error;
use crate::reports::{Acts, Place, is_on_many};
use crate::store::audit::ActRow;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::page("audit.csv", |visit| Box::pin(audit_csv(visit))).scoped()];

const ACTS: &[&str] = &["at", "act", "actor", "address", "variant", "event", "kind", "payment", "detail"];

async fn audit_csv(visit: Visit) -> Result<HttpResponse, Failure> {
    let filter = audit::filter(&mut Asked::of(&visit.req), visit.scope());
    let part = async move |sheet: &mut Sheet, place: Option<Place>| -> Result<Option<Place>, Error> {
        let found = sheet.visit().engine().acts(filter.clone(), place, CHUNK).await?;
        for row in &found.page.rows {
            let of = row.event_id.map(|id| (id, found.kinds.get(&id).cloned()));
            add(sheet, row, of, &found);
            if is_on_many(row) && !add_each(sheet, row, &found).await? {
                return Ok(None);
            }
        }
        Ok(found.page.further)
    };
    Ok(download(visit, "audit", ACTS, part))
}

/// A row for each event of an act on many, behind the act's own; `false` when nobody wants them any more.
async fn add_each(sheet: &mut Sheet, row: &ActRow, found: &Acts) -> Result<bool, Error> {
    let mut from = 0;
    loop {
        let scope = sheet.visit().scope();
        let (events, read) = sheet.visit().engine().events_of_act(row.id, from, CHUNK, scope).await?;
        from += read;
        let is_last = read < CHUNK;
        for of in events {
            add(sheet, &ActRow { detail: None, ..row.clone() }, Some(of), found);
        }
        if is_last {
            return Ok(true);
        }
        if !sheet.send().await {
            return Ok(false);
        }
    }
}

fn add(sheet: &mut Sheet, row: &ActRow, event: Option<(EventId, Option<String>)>, found: &Acts) {
    let variant = row.variant.clone().unwrap_or_default();
    let cells = [
        Ours(machine(row.created_at)),
        Ours(row.act.clone()),
        Theirs(Some(row.actor.clone())),
        Theirs(row.address.clone()),
        Ours(variant.clone()),
        Ours(event.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default()),
        Theirs(event.and_then(|(_, kind)| kind)),
        Ours(row.payment_id.and_then(|id| found.tokens.get(&id).cloned()).unwrap_or_default()),
        Theirs(row.detail.clone()),
    ];
    sheet.row(&variant, cells);
}
