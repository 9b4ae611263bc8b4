//! The host's options for the admin pages: who may open them, their title, and the host's own parts of them.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::HttpRequest;

use super::access::Policy;
use super::zone::Zone;
use crate::engine::Payment;
use crate::error::Error;
use crate::web::client::{ClientAddress, client_address};

/// The admin pages of a mount, for [`Mount::admin`](crate::Mount::admin). A [`Policy`] alone is one with all
/// defaults.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// use actix_payments::{Admin, Detail, Payment, Stored, basic_auth, hash_password};
///
/// let staff = basic_auth("admin", hash_password("correct horse battery staple")?)?;
/// let admin = Admin::new(staff)
///     .title("Tea shop")
///     .home("Back to the shop", "/")
///     .time_zone("Europe/Berlin")?
///     .details(|payment: Payment| async move {
///         let order = payment.reference.map(|id| Detail::new("Order", id.as_str()).link(format!("/orders/{id}")));
///         Ok::<_, std::io::Error>(order.into_iter().collect())
///     })
///     .redact(|stored: &Stored<'_>| (stored.what == "body").then(|| "hidden".to_owned()));
/// let mount = payments.mount("/payments").admin(admin);
/// # drop(mount);
/// # Ok(()) }) }
/// ```
#[must_use = "an admin is shown by `Mount::admin`"]
pub struct Admin {
    pub(super) policy: Rc<dyn Policy>,
    pub(super) title: String,
    pub(super) home: Option<(String, String)>,
    pub(super) stylesheet: Option<String>,
    pub(super) zone: Zone,
    pub(super) details: Option<Details>,
    pub(super) redact: Option<Redact>,
    pub(crate) client_address: Option<ClientAddress>,
}

type Found = Pin<Box<dyn Future<Output = Result<Vec<Detail>, Box<dyn std::error::Error>>>>>;
pub(super) type Details = Rc<dyn Fn(Payment) -> Found>;
pub(super) type Redact = Rc<dyn Fn(&Stored<'_>) -> Option<String>>;

/// A row of the host's on a payment's page: a label and a text, which may lead somewhere.
///
/// See [`Admin`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Detail {
    pub(super) label: String,
    pub(super) text: String,
    pub(super) href: Option<String>,
}

impl Detail {
    /// `text` under `label`.
    pub fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { label: label.into(), text: text.into(), href: None }
    }

    /// Where the text leads: a path of the host's, with the prefix that a proxy strips, or an `https://` address.
    /// Default nowhere.
    pub fn link(mut self, href: impl Into<String>) -> Self {
        self.href = Some(href.into());
        self
    }
}

/// A stored text that is about to be shown; see [`Admin::redact`].
///
/// See [`Admin`] for an example.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Stored<'a> {
    /// What it is: `body`, `header:<name>`, `error` (what a handler or a gateway said), or `csv:<column>`.
    pub what: &'a str,
    /// The variant that it came through.
    pub variant: &'a str,
    /// The text itself.
    pub text: &'a str,
}

impl Admin {
    /// Pages for everybody whom `policy` lets in; it is asked on every request.
    pub fn new(policy: impl Policy) -> Self {
        Self {
            policy: Rc::new(policy),
            title: "actix-payments".to_owned(),
            home: None,
            stylesheet: None,
            zone: Zone::Utc,
            details: None,
            redact: None,
            client_address: None,
        }
    }

    /// The title of the pages. Default `actix-payments`.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// A link back to the host's own pages: `href` as the browser needs it, with the prefix that a proxy strips.
    /// Default none.
    pub fn home(mut self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.home = Some((text.into(), href.into()));
        self
    }

    /// A style sheet of the host's, loaded after ours: a path on this same origin, since the pages load nothing from
    /// elsewhere, with the prefix that a proxy strips. Default none.
    pub fn stylesheet(mut self, href: impl Into<String>) -> Self {
        self.stylesheet = Some(href.into());
        self
    }

    /// The time zone of absolute times, by its name in the IANA database: `Europe/Berlin`. It is read from the
    /// system's zone files. Default UTC; the browser's own zone is a click away in either case.
    ///
    /// # Errors
    /// `Configuration` when the system knows no such zone.
    pub fn time_zone(mut self, name: &str) -> Result<Self, Error> {
        self.zone = Zone::named(name)?;
        Ok(self)
    }

    /// Further rows on a payment's page, from the host's own tables: its order, its customer. If the function fails or
    /// takes longer than a second, the page says that they are not available. Default: none.
    pub fn details<F, R, E>(mut self, find: F) -> Self
    where
        F: Fn(Payment) -> R + 'static,
        R: Future<Output = Result<Vec<Detail>, E>> + 'static,
        E: Into<Box<dyn std::error::Error>>,
    {
        self.details = Some(Rc::new(move |payment| {
            let found = find(payment);
            Box::pin(async { found.await.map_err(Into::into) })
        }));
        self
    }

    /// What to show instead of a stored text (a body, a header field, an error, a cell of a CSV); `None` shows it as it
    /// is. Default: everything is shown as it is. The command line, which needs no pages, shows what is stored.
    pub fn redact(mut self, instead: impl Fn(&Stored<'_>) -> Option<String> + 'static) -> Self {
        self.redact = Some(Rc::new(instead));
        self
    }

    /// Sets the function that returns the client's address. It is recorded in the audit, and slows down clients that
    /// guess passwords. It also limits unsigned hints, unless [`Mount::client_address`](crate::Mount::client_address)
    /// is set. Default: the address at the other end of the connection, which behind a proxy is the proxy's. Only the
    /// host knows which header of which proxy can be trusted.
    pub fn client_address(mut self, of: impl Fn(&HttpRequest) -> Option<String> + 'static) -> Self {
        self.client_address = Some(Rc::new(of));
        self
    }

    /// Where a request came from, as far as can be known.
    pub(super) fn address_of(&self, req: &HttpRequest) -> Option<String> {
        client_address(self.client_address.as_ref(), req)
    }

    pub(super) fn redacted<'a>(&self, stored: &Stored<'a>) -> Cow<'a, str> {
        let instead = self.redact.as_ref().and_then(|redact| redact(stored));
        instead.map_or(Cow::Borrowed(stored.text), Cow::Owned)
    }
}

impl<P: Policy> From<P> for Admin {
    fn from(policy: P) -> Self {
        Self::new(policy)
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("title", &self.title).finish_non_exhaustive()
    }
}
