//! Where the customer goes after a payment or a subscription was started.

use crate::error::{Error, ErrorKind};

/// The next step for the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Send the customer to this address.
    Redirect(String),
    /// Nothing to do here: the gateway reports the result by itself, or the host starts the gateway's checkout with the
    /// token.
    Done,
}

impl Next {
    /// The address to send the customer to, if there is one.
    ///
    /// ```
    /// # use actix_payments::Next;
    /// let next = Next::Redirect("https://checkout.example/1".to_owned());
    /// assert_eq!(next.url(), Some("https://checkout.example/1"));
    /// assert_eq!(Next::Done.url(), None);
    /// ```
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Redirect(url) => Some(url),
            Self::Done => None,
        }
    }
}

/// A browser is sent there, so it must be a page of the gateway's: an absolute address over TLS, or over HTTP to this
/// machine, as of a fake; or a path of this very server, as of the dummy gateway's page.
pub(super) fn checked_address(url: &str) -> Result<(), Error> {
    let is_printable = url.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != '\\');
    let host = |rest: &str| rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
    let is_here = |host: &str| {
        ["127.0.0.1", "localhost", "[::1]"].contains(&host.rsplit_once(':').map_or(host, |(name, _)| name))
    };
    let is_good = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => !host(rest).is_empty() && !host(rest).contains('@'),
        (_, Some(rest)) => is_here(&host(rest)),
        _ => url.starts_with('/') && !url.starts_with("//"),
    };
    if is_good && is_printable {
        return Ok(());
    }
    let shown: String = url.chars().take(40).collect();
    let message = format!("expected an https:// address of the gateway's page, got {shown:?}");
    Err(Error::new(ErrorKind::Gateway, message))
}
