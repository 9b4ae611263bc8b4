//! Which pages are there? A file each.

pub(super) mod event;
pub(super) mod events;
pub(super) mod payment;
pub(super) mod payments;

use actix_web::HttpResponse;

use super::frame::Failure;
use super::guard::Visit;
use crate::web::respond;

/// The front door leads to the payments.
pub(super) async fn home(visit: Visit) -> Result<HttpResponse, Failure> {
    Ok(respond::see(&visit.frame().href("payments")))
}
