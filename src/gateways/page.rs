//! A gateway's own pages: what a browser asks for, and what it is answered.

use crate::domain::Timestamp;

/// A request to one of a gateway's own pages.
///
/// See [`PageResponse`] for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PageRequest {
    /// Whether the method is POST; otherwise it is GET.
    pub post: bool,
    /// The path below the variant's address; empty for the address itself.
    pub path: String,
    /// The path of the variant as the browser sees it, without a trailing slash.
    pub address: String,
    /// The address at which this process itself reaches the variant's webhook endpoint:
    /// `http://127.0.0.1:8080/payments/dummy/`.
    pub endpoint: String,
    /// The fields of the query string, decoded.
    pub query: Vec<(String, String)>,
    /// The fields of the form, decoded.
    pub form: Vec<(String, String)>,
    /// When the request was received.
    pub now: Timestamp,
}

impl PageRequest {
    /// A GET of the path below the variant's address, which is `address`.
    pub fn get(address: impl Into<String>, path: impl Into<String>, now: Timestamp) -> Self {
        let (address, path) = (address.into(), path.into());
        Self { post: false, path, address, endpoint: String::new(), query: Vec::new(), form: Vec::new(), now }
    }

    /// A POST of this form.
    pub fn post(
        address: impl Into<String>,
        path: impl Into<String>,
        form: Vec<(String, String)>,
        now: Timestamp,
    ) -> Self {
        Self { post: true, form, ..Self::get(address, path, now) }
    }
}

/// The response of a gateway's own page.
///
/// ```
/// use actix_payments::domain::Timestamp;
/// use actix_payments::gateways::{Gateway, PageRequest, PageResponse, dummy::Dummy};
/// # actix_web::rt::System::new().block_on(async {
///
/// let dummy = Dummy::new("a secret of your own");
/// let request = PageRequest::get("/payments/dummy", "no-such-page", Timestamp::UNIX_EPOCH);
/// match dummy.page(&request).await {
///     Some(PageResponse::Html(page)) => println!("{} bytes of HTML", page.len()),
///     Some(other) => println!("{other:?}"),
///     None => println!("there is no such page"),
/// }
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageResponse {
    /// An HTML page. It is served under the same strict content security policy as the admin pages.
    Html(String),
    /// Plain text, for challenges.
    Text(String),
    /// A redirect (303) to this address.
    Redirect(String),
    /// An error: the HTTP status and a plain text.
    Error(u16, String),
}
