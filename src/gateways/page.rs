//! A gateway's own pages: what a browser asks for, and what it is answered.

use crate::domain::Timestamp;

/// A request to one of a gateway's own pages.
#[derive(Debug, Clone)]
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

/// The response of a gateway's own page.
#[derive(Debug, Clone, PartialEq, Eq)]
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
