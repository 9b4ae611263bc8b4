//! Where is this mount, seen from the browser? Read off the request, since only the request knows how deep the
//! host nested it and what a proxy in front cut off.

use actix_web::HttpRequest;

/// The path of the mount as this server sees it, without the trailing slash: `/shop/payments`. `below` is how many
/// segments of the request's path lie below the mount.
pub(crate) fn own(req: &HttpRequest, below: usize) -> &str {
    let mut path = req.path().trim_end_matches('/');
    for _ in 0..below {
        path = path.rsplit_once('/').map_or("", |(rest, _)| rest);
    }
    path
}

/// The path of the mount as the browser sees it. A proxy that cuts a prefix off its requests tells it in
/// `X-Forwarded-Prefix`; it is used for links in pages and for nothing else.
pub(crate) fn mount(req: &HttpRequest, below: usize) -> String {
    format!("{}{}", forwarded_prefix(req), own(req, below))
}

/// Where this very server answers for the variant: what it listens on, since a proxy may stand at the address that
/// the browser knows.
pub(crate) fn endpoint(req: &HttpRequest, below: usize, variant: &str) -> String {
    let config = req.app_config();
    let scheme = if config.secure() { "https" } else { "http" };
    let mut listens = config.local_addr();
    if listens.ip().is_unspecified() {
        listens.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("{scheme}://{listens}{}/{variant}/", own(req, below))
}

/// Only a plain path is believed: a page must not link to wherever a header says.
fn forwarded_prefix(req: &HttpRequest) -> &str {
    let given = req.headers().get("x-forwarded-prefix").and_then(|value| value.to_str().ok());
    let given = given.unwrap_or_default().trim_end_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    let good = given.starts_with('/') && !given.contains("//") && given.chars().all(plain);
    if good { given } else { "" }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::mount;

    #[test]
    fn the_mount_is_what_is_above_the_route() {
        let req = TestRequest::with_uri("/shop/payments/admin/events/7/").to_http_request();
        assert_eq!(mount(&req, 3), "/shop/payments");
        assert_eq!(mount(&TestRequest::with_uri("/stripe").to_http_request(), 1), "");
    }

    #[test]
    fn a_forwarded_prefix_is_used_when_it_is_a_plain_path() {
        let with = |prefix| {
            let req = TestRequest::with_uri("/p/admin").insert_header(("x-forwarded-prefix", prefix)).to_http_request();
            mount(&req, 1)
        };
        assert_eq!(with("/app/"), "/app/p");
        assert_eq!(with("//evil.example"), "/p");
        assert_eq!(with("/a\"b"), "/p");
    }
}
