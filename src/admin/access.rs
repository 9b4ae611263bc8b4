//! Who may open the admin pages? The host's policy is asked on every request, and every doubt is a no.

use std::future::Future;
use std::pin::Pin;

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a policy says of one request. The names end up in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// This person may see everything and act.
    Full(String),
    /// This person may see everything and change nothing.
    ReadOnly(String),
    /// Nobody may come in like this.
    Denied,
    /// Ask for a name and a password, by HTTP basic authentication.
    Challenge,
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

/// One name and one password, for small hosts; see [`basic_auth`].
#[derive(Clone)]
pub struct BasicAuth {
    user: String,
    /// Hashes are compared, so that the time taken tells neither the length nor the beginning of the password.
    password: Option<[u8; 32]>,
}

/// A policy with one name and one password. Only over TLS: the browser sends both with every request. An empty
/// password lets nobody in.
pub fn basic_auth(user: impl Into<String>, password: impl AsRef<str>) -> BasicAuth {
    let password = Some(password.as_ref()).filter(|password| !password.is_empty());
    if password.is_none() {
        log::error!("payments: basic_auth expected a password, got an empty one; nobody is let in");
    }
    BasicAuth { user: user.into(), password: password.map(hash) }
}

impl BasicAuth {
    fn decide(&self, req: &HttpRequest) -> Access {
        let Some((user, password)) = credentials(req) else { return Access::Challenge };
        let right_user = hash(&user).ct_eq(&hash(&self.user));
        let right_password = self.password.map_or(0.into(), |expected| hash(&password).ct_eq(&expected));
        match bool::from(right_user & right_password) {
            true => Access::Full(user),
            false => Access::Challenge,
        }
    }
}

impl Policy for BasicAuth {
    fn access(&self, req: HttpRequest) -> Pin<Box<dyn Future<Output = Result<Access, actix_web::Error>>>> {
        Box::pin(std::future::ready(Ok(self.decide(&req))))
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Name and password of `Authorization: Basic …` (RFC 7617).
fn credentials(req: &HttpRequest) -> Option<(String, String)> {
    let header = req.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
