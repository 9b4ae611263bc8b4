//! The addresses of a mount, as the browser and as this process see it. They are read from the request, because only
//! the request shows how deep the host nested the mount and what a proxy cut off.

use actix_web::HttpRequest;

/// The mount's path as this server sees it, without a trailing slash: `/shop/payments`. `below` is the number of
/// segments in the request's path that are below the mount.
pub(crate) fn own(req: &HttpRequest, below: usize) -> &str {
    let mut path = req.path().trim_end_matches('/');
    for _ in 0..below {
        path = path.rsplit_once('/').map_or("", |(rest, _)| rest);
    }
    path
}

/// The mount's path as the browser sees it. A proxy that cuts off a prefix reports it in `X-Forwarded-Prefix`, which is
/// used only for links in pages.
pub(crate) fn mount(req: &HttpRequest, below: usize) -> String {
    format!("{}{}", forwarded_prefix(req), own(req, below))
}

/// The address at which this process itself answers for the variant. It is the address that it listens on, since the
/// one that the browser uses may be a proxy's.
pub(crate) fn endpoint(req: &HttpRequest, below: usize, variant: &str) -> String {
    let config = req.app_config();
    let scheme = if config.secure() { "https" } else { "http" };
    let mut address = config.local_addr();
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("{scheme}://{address}{}/{variant}/", own(req, below))
}

/// The forwarded prefix, if it is a plain path: a header must not decide where the links of a page go.
fn forwarded_prefix(req: &HttpRequest) -> &str {
    let given = req.headers().get("x-forwarded-prefix").and_then(|value| value.to_str().ok());
    let given = given.unwrap_or_default().trim_end_matches('/');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    let is_path = given.starts_with('/') && !given.contains("//") && given.chars().all(is_plain);
    if is_path { given } else { "" }
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
