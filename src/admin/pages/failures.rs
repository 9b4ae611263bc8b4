//! Failures by handler and message; all of one cause are requeued after a page that says how many they are.

use actix_web::HttpResponse;

use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::failures::{FailureRow, Failures};
use crate::admin::views::parts::Link;
use crate::admin::views::words;
use crate::reports::{COUNT_CAP, FailureGroup};

pub(in crate::admin) const ROUTES: &[Route] = &[Route::page("failures", |visit| Box::pin(show(visit))).scoped()];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let (groups, is_more) = visit.engine().failures(visit.scope()).await?;
    let page = Failures {
        page: frame.page("Failures by cause", "events"),
        back: Link::new("Events", frame.href("events")),
        rows: groups.iter().map(|group| row(&visit, &frame, group)).collect(),
        is_more,
        action: visit.may_act().then(|| frame.href("events/bulk")),
    };
    Ok(frame.render(&page))
}

fn row(visit: &Visit, frame: &Frame, group: &FailureGroup) -> FailureRow {
    let list = Fields::default().with("", "failure", Some(&group.cause));
    let count = u64::try_from(group.count).unwrap_or_default();
    let cause = visit.shown("", &group.cause);
    let is_shown = cause == group.cause;
    FailureRow {
        events: is_shown.then(|| (frame.href(&format!("events{list}")), list.trim_start_matches('?').to_owned())),
        cause,
        handler: group.handler.clone(),
        count: words::count(count, u64::try_from(COUNT_CAP).unwrap_or_default()),
        first: group.first.map(|at| frame.moment(at)),
        last: group.last.map(|at| frame.moment(at)),
    }
}
