//! Where the customer goes after choosing: to the host's address if it is a safe one, otherwise to a page that says how
//! the payment ended.

use askama::Template;

/// The last page, for a payment without an address to return to.
#[derive(Debug, Template)]
#[template(path = "dummy_end.html")]
pub(super) struct EndPage {
    /// The style sheet's address.
    pub(super) css: String,
    /// The tab icon's address.
    pub(super) icon: String,
    /// How the payment ended, in a few words.
    pub(super) heading: String,
    /// What that means, in a sentence.
    pub(super) message: String,
}

/// The address, if it is safe to redirect to: an absolute http or https address, or a path from the root.
///
/// Hosts may build these addresses from their customers' input. Browsers read `//evil.example`, `/\evil.example` and a
/// path with a tab after its first slash as the address of another host, and run `javascript:`, so only the two plain
/// forms are accepted. Non-ASCII characters have to be percent-encoded.
pub(super) fn destination(url: &str) -> Option<&str> {
    let is_plain = url.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let is_path = url.starts_with('/') && !url.starts_with("//");
    let is_absolute = ["http://", "https://"].iter().any(|scheme| {
        let rest = url.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme));
        rest.is_some() && !url[scheme.len()..].starts_with(['/', '?', '#']) && url.len() > scheme.len()
    });
    (is_plain && (is_path || is_absolute)).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::destination;

    #[test]
    fn plain_addresses_are_accepted() {
        for url in ["/", "/orders/7?paid=1#top", "http://localhost:8080/x", "https://shop.example", "HTTPS://a.example"]
        {
            assert_eq!(destination(url), Some(url));
        }
    }

    #[test]
    fn an_address_that_a_browser_could_misread_is_refused() {
        let odd =
            ["", "orders", "//evil.example", "/\\evil.example", "/\t/evil.example", " /x", "/x\r\nSet-Cookie: a=b"];
        let schemes =
            ["javascript:alert(1)", "data:text/html,x", "http:/x", "https://", "https:///x", "ftp://x.example"];
        for url in odd.into_iter().chain(schemes).chain(["https://evil.example\\@shop.example", "/straße"]) {
            assert_eq!(destination(url), None, "{url:?}");
        }
    }
}
