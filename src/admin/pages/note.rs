//! Notes on payments and events: each is kept, and then shown where it was written.

use actix_web::HttpResponse;

use super::event;
use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::act("payments/{token}/note", |visit| Box::pin(on_payment(visit))),
    Route::act("events/{id}/note", |visit| Box::pin(on_event(visit))),
];

async fn on_payment(visit: Visit) -> Result<HttpResponse, Failure> {
    let token = visit.engine().note_on_payment(visit.part("token"), &text(&visit), visit.actor()).await?;
    Ok(respond::see(&format!("{}#timeline", visit.staying(&format!("payments/{token}")))))
}

async fn on_event(visit: Visit) -> Result<HttpResponse, Failure> {
    let id = event::id(&visit)?;
    visit.engine().note_on_event(id, &text(&visit), visit.actor()).await?;
    Ok(respond::see(&format!("{}#acts", visit.staying(&format!("events/{id}")))))
}

fn text(visit: &Visit) -> String {
    visit.form.get("note").unwrap_or_default()
}
