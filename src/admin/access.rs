//! Who may open the admin pages? The host's policy is asked on every request, and every doubt is a no.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::HttpRequest;

/// What a policy says of one request. The names end up in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// This person may see everything and act.
    Full(String),
    /// This person may see everything and change nothing.
    ReadOnly(String),
    /// Nobody may come in like this.
    Denied,
    /// Ask for a name and a password, by HTTP basic authentication.
    Challenge,
    /// Not now: too much was tried from there. Answered 429 with `Retry-After`.
    Wait(Duration),
    /// Go and log in there.
    Redirect(String),
}

/// Decides who may open the admin pages. Every `async fn(HttpRequest) -> Result<Access, actix_web::Error>` is one;
/// an error counts as [`Access::Denied`].
pub trait Policy: 'static {
    /// What this request may do.
    fn access(&self, req: HttpRequest) -> Pin<Box<dyn Future<Output = Result<Access, actix_web::Error>>>>;
}

impl<F, R> Policy for F
where
    F: Fn(HttpRequest) -> R + 'static,
    R: Future<Output = Result<Access, actix_web::Error>> + 'static,
{
    fn access(&self, req: HttpRequest) -> Pin<Box<dyn Future<Output = Result<Access, actix_web::Error>>>> {
        Box::pin(self(req))
    }
}
