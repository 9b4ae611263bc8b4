//! Who may open the admin pages. The host's policy is asked on every request; anything unclear means no.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::HttpRequest;

use crate::domain::identifier::VariantName;

/// A policy's answer to one request. The names are recorded in the audit.
///
/// For a merchant's own staff at a marketplace, who see their variant and nothing of the others:
///
/// ```
/// # use actix_payments::Access;
/// let access = Access::full("ann").only(["acme"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// This person may see everything and act.
    Full(String),
    /// This person may see everything and change nothing.
    ReadOnly(String),
    /// This person may see, and perhaps act on, some variants only; everything else does not exist for them. Made by
    /// [`only`](Self::only).
    Limited(LimitedAccess),
    /// No access.
    Denied,
    /// Ask for a name and a password, by HTTP basic authentication.
    Challenge,
    /// Not now: too many tries came from this address. Answered 429 with `Retry-After`.
    Wait(Duration),
    /// Redirects to this address, to log in: as the browser needs it, with the prefix that a proxy strips.
    Redirect(String),
}

/// Access limited to some variants; made by [`Access::only`].
///
/// See [`Access`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitedAccess {
    pub(super) name: String,
    pub(super) may_act: bool,
    pub(super) variants: BTreeSet<String>,
}

impl Access {
    /// This person may see everything and act: [`Access::Full`].
    pub fn full(name: impl Into<String>) -> Self {
        Self::Full(name.into())
    }

    /// This person may see everything and change nothing: [`Access::ReadOnly`].
    pub fn read_only(name: impl Into<String>) -> Self {
        Self::ReadOnly(name.into())
    }

    /// Limits this access to these variants. On every page, in every search, download and action, whatever belongs to
    /// another variant is answered as if it did not exist, and pages about the whole installation are closed. Without
    /// any variant, nothing is shown. An access that is limited already keeps only the variants that both allow; an
    /// access that lets nobody in stays as it is.
    #[must_use = "the access that this is called on is not changed"]
    pub fn only<V: Into<VariantName>>(self, variants: impl IntoIterator<Item = V>) -> Self {
        let variants: BTreeSet<String> = variants.into_iter().map(|name| String::from(name.into())).collect();
        match self {
            Self::Full(name) => Self::Limited(LimitedAccess { name, may_act: true, variants }),
            Self::ReadOnly(name) => Self::Limited(LimitedAccess { name, may_act: false, variants }),
            Self::Limited(mut limited) => {
                limited.variants.retain(|name| variants.contains(name));
                Self::Limited(limited)
            }
            Self::Denied | Self::Challenge | Self::Wait(_) | Self::Redirect(_) => self,
        }
    }
}

/// Decides who may open the admin pages. Every `async fn(HttpRequest) -> Result<Access, actix_web::Error>` is one;
/// an error counts as [`Access::Denied`].
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// use actix_payments::Access;
/// use actix_web::HttpRequest;
///
/// /// Asks the app's own login.
/// async fn staff(request: HttpRequest) -> Result<Access, actix_web::Error> {
///     Ok(match user_of(&request) {
///         Some(name) if name == "ann" => Access::full(name),
///         Some(name) => Access::read_only(name),
///         None => Access::Redirect("/login".to_owned()),
///     })
/// }
/// # fn user_of(_: &HttpRequest) -> Option<String> { None }
/// let mount = payments.mount("/payments").admin(staff);
/// # drop(mount);
/// # Ok(()) }) }
/// ```
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
