//! What do operators see and do over HTTP? Server-rendered pages behind the host's access policy. A page is one
//! file of `pages`, one template, and one line in the list below, from which its routes are made.

mod access;
mod frame;
mod guard;
mod pages;
#[cfg(test)]
mod preview;
mod query;
mod views;

use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse, Resource, Scope, web};

pub use access::{Access, BasicAuth, Policy, basic_auth};

use crate::payments::Payments;
use crate::web::links;
use frame::Failure;
use guard::Visit;

/// What all pages of one mount share.
#[derive(Clone)]
struct Site {
    payments: Payments,
    policy: Rc<dyn Policy>,
}

/// The admin pages.
pub(crate) fn scope(payments: Payments, policy: Rc<dyn Policy>) -> Scope {
    web::scope("/admin")
        .app_data(Site { payments, policy })
        .service(page("", web::get(), pages::home))
        .service(page("/payments", web::get(), pages::payments::show))
        .service(page("/payments/{token}", web::get(), pages::payment::show))
        .service(page("/events", web::get(), pages::events::show))
        .service(page("/events/{id}", web::get(), pages::event::show))
        .service(page("/events/{id}/requeue", web::post(), pages::event::requeue))
}

/// A page below `/admin`, with and without the slash at its end. Access is decided before `show` is asked.
fn page<F, R>(path: &'static str, route: actix_web::Route, show: F) -> Resource
where
    F: Fn(Visit) -> R + Copy + 'static,
    R: Future<Output = Result<HttpResponse, Failure>> + 'static,
{
    let below = 1 + path.split('/').filter(|segment| !segment.is_empty()).count();
    let answer = move |req: HttpRequest| async move {
        let mount = links::mount(&req, below);
        let visit = match guard::visit(req, mount).await {
            Ok(visit) => visit,
            Err(refused) => return refused,
        };
        let frame = visit.frame();
        match show(visit).await {
            Ok(response) => response,
            Err(failure) => frame.failure(failure),
        }
    };
    web::resource([path.to_owned(), format!("{path}/")]).route(route.to(answer))
}
