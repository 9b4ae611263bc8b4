//! What do operators see and do over HTTP? Server-rendered pages behind the host's access policy. A page is one
//! file of `pages` with its routes, one template, and one word in the list of `pages/mod.rs`.

mod access;
mod asked;
mod basic_auth;
mod device;
mod frame;
mod guard;
mod guesses;
mod pages;
mod query;
mod routes;
mod settings;
mod sheet;
mod site;
mod views;
mod zone;

use std::rc::Rc;

use actix_web::{Scope, web};

pub use access::{Access, LimitedAccess, Policy};
pub use basic_auth::{BasicAuth, basic_auth, hash_password};
pub use settings::{Admin, Detail, Stored};

use crate::payments::Payments;
use site::Site;

/// The admin pages.
pub(crate) fn scope(payments: Payments, admin: Rc<Admin>, webhooks: bool) -> Scope {
    let section = |is_shown: fn(&routes::Route) -> bool| {
        let shown = pages::routes().filter(|route| is_shown(route));
        shown.filter_map(|route| Some((route.section?, route.path()))).collect()
    };
    let (sections, limited_sections) = (section(|_| true), section(routes::Route::is_scoped));
    let site = Site { payments, admin, sections, limited_sections, webhooks };
    let scope = web::scope("/admin").app_data(site);
    let scope = routes::resources(pages::routes()).into_iter().fold(scope, Scope::service);
    scope.default_service(web::to(routes::unknown))
}
