//! Where does the customer go when the choice is made? To the host's address where it gave a sound one, else to
//! a page that says how it ended.

use askama::Template;

/// The page for an ending without an address to go to.
#[derive(Debug, Template)]
#[template(path = "dummy_end.html")]
pub(super) struct EndPage {
    /// The style sheet's address.
    pub(super) css: String,
    /// The tab icon's address.
    pub(super) icon: String,
    /// How it ended, in a few words.
    pub(super) heading: String,
    /// What that means, in a sentence.
    pub(super) message: String,
}

/// The address, if a browser may be sent there: an absolute one of http or https, or a path from the root.
///
/// Hosts build these addresses from what customers send them. Browsers take `//evil.example`, `/\evil.example` and
/// a path with a tab after its first slash for another host's address, and `javascript:` for a script, so what is
/// neither of the two plain forms is no address at all. Other letters than ASCII have to be percent-encoded.
pub(super) fn destination(url: &str) -> Option<&str> {
    let plain = url.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let rooted = url.starts_with('/') && !url.starts_with("//");
    let absolute = ["http://", "https://"].iter().any(|scheme| {
        let rest = url.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme));
        rest.is_some() && !url[scheme.len()..].starts_with(['/', '?', '#']) && url.len() > scheme.len()
    });
    (plain && (rooted || absolute)).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::destination;

    #[test]
    fn plain_addresses_are_gone_to() {
        for url in ["/", "/orders/7?paid=1#top", "http://localhost:8080/x", "https://shop.example", "HTTPS://a.example"]
        {
            assert_eq!(destination(url), Some(url));
        }
    }

    #[test]
    fn what_a_browser_could_take_for_another_address_is_none() {
        let odd =
            ["", "orders", "//evil.example", "/\\evil.example", "/\t/evil.example", " /x", "/x\r\nSet-Cookie: a=b"];
        let schemes =
            ["javascript:alert(1)", "data:text/html,x", "http:/x", "https://", "https:///x", "ftp://x.example"];
        for url in odd.into_iter().chain(schemes).chain(["https://evil.example\\@shop.example", "/straße"]) {
            assert_eq!(destination(url), None, "{url:?}");
        }
    }
}
