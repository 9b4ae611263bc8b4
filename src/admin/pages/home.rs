//! Where does the front door lead?

use actix_web::HttpResponse;

use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::page("", |visit| Box::pin(home(visit)))];

async fn home(visit: Visit) -> Result<HttpResponse, Failure> {
    Ok(respond::see(&visit.frame().href("payments")))
}
