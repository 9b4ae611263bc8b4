//! Where requests come from.

use std::rc::Rc;

use actix_web::HttpRequest;

/// The host's word for where a request came from; `None` where that is not known.
pub(crate) type ClientAddress = Rc<dyn Fn(&HttpRequest) -> Option<String>>;

/// Where a request came from, as the host says; otherwise the other end of its connection.
pub(crate) fn client_address(of: Option<&ClientAddress>, req: &HttpRequest) -> Option<String> {
    match of {
        Some(of) => of(req),
        None => req.peer_addr().map(|peer| peer.ip().to_string()),
    }
}
