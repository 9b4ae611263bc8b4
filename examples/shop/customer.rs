//! Who is it? A cookie with an id that nobody guesses. A real shop has accounts.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};

const CUSTOMER: &str = "customer";

/// The customer's id, which is the owner of their orders and subscriptions.
pub(crate) fn customer(req: &HttpRequest) -> Option<String> {
    req.cookie(CUSTOMER).map(|cookie| cookie.value().to_owned()).filter(|id| !id.is_empty())
}

pub(crate) fn cookie(customer: String) -> Cookie<'static> {
    Cookie::build(CUSTOMER, customer).path("/").http_only(true).same_site(SameSite::Lax).finish()
}
