//! Serves the gateways' own pages: reads the request for the gateway, and turns the gateway's page into a response.

use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::body::{Body, Limits};
use super::{links, respond};
use crate::domain::delivery::Rejection;
use crate::gateways::{PageRequest, PageResponse};
use crate::payments::Payments;

/// The longest form that a gateway's own page may send, in bytes.
const FORM_LIMIT: usize = 64 * 1024;

/// Answers a request below a variant's address. `below` is the number of segments in its path that are below the mount;
/// `client` is where it came from.
pub(crate) async fn page(
    payments: &Payments,
    below: usize,
    limits: Limits,
    client: Option<String>,
    req: &HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let mut body = Body::new(payload);
    let limits = Limits { size: limits.size.min(FORM_LIMIT), ..limits };
    let form = body.read(req, limits, payments.engine()).await;
    body.answer(answer(payments, below, client.as_deref(), req, form).await)
}

async fn answer(
    payments: &Payments,
    below: usize,
    client: Option<&str>,
    req: &HttpRequest,
    form: Result<Bytes, Rejection>,
) -> HttpResponse {
    let name = req.match_info().get("variant").unwrap_or_default();
    let variant = match payments.engine().addressed(name, client).await {
        Ok(variant) => variant,
        Err(rejection) => return respond::rejected(rejection),
    };
    let post = match *req.method() {
        Method::GET | Method::HEAD => false,
        Method::POST => true,
        _ => return respond::rejected(Rejection::MethodNotAllowed),
    };
    let form = match form {
        Ok(form) => form,
        Err(rejection) => return respond::rejected(rejection),
    };
    let fields = |text: &str| web::Query::<Vec<(String, String)>>::from_query(text).map(web::Query::into_inner);
    let (Ok(query), Ok(form)) = (fields(req.query_string()), fields(&String::from_utf8_lossy(&form))) else {
        return respond::rejected(Rejection::BodyMalformed);
    };
    let request = PageRequest {
        post,
        path: req.match_info().get("page").unwrap_or_default().to_owned(),
        address: format!("{}/{name}", links::mount(req, below)),
        endpoint: links::endpoint(req, below, name),
        query,
        form,
        now: payments.engine().now(),
    };
    match variant.gateway.page(&request).await {
        // The gateway has no page at the variant's address itself: it is the webhook endpoint, which accepts only POST.
        // Not counted: who opens it in a browser delivers nothing.
        None if request.path.is_empty() => respond::rejected(Rejection::MethodNotAllowed),
        None => respond::plain(StatusCode::NOT_FOUND).body("not_found"),
        Some(PageResponse::Html(page)) => respond::html(StatusCode::OK, page),
        Some(PageResponse::Text(text)) => respond::plain(StatusCode::OK).body(text),
        Some(PageResponse::Redirect(address)) => respond::see(&address),
        Some(PageResponse::Error(status, text)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            respond::plain(status).body(text)
        }
    }
}
