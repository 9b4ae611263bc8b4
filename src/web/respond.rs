//! What do answers look like? Rejections become status lines in this one place, and every page gets the same
//! strict headers.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};

use crate::domain::delivery::Rejection;
use crate::error::{Error, ErrorKind};
use crate::gateways::Reply;

/// Nothing inline, nothing from elsewhere, not in a frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                                       connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// So that `?` works in a host's handlers. The customer learns the kind of trouble and nothing else; the host logs or
/// maps the error where it wants more.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Refused => StatusCode::CONFLICT,
            ErrorKind::Gateway => StatusCode::BAD_GATEWAY,
            ErrorKind::Unavailable | ErrorKind::Conflict => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Configuration | ErrorKind::Storage => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let words = match self.kind() {
            ErrorKind::NotFound => "not found",
            ErrorKind::Refused => "not possible now",
            ErrorKind::Gateway => "the payment company did not do it",
            _ => "something went wrong, please try again",
        };
        log::error!("payments: {self}");
        plain(self.status_code()).body(words)
    }
}

/// The answer to a delivery: the gateway's own words where it has some and may say them, else the usual ones.
pub(crate) fn ended(end: Result<(), Rejection>, own: Option<Reply>) -> HttpResponse {
    let may = |status: StatusCode| match end {
        Ok(()) => status.is_success(),
        // What is to come again has to be told so.
        Err(rejection) => status.is_client_error() && !is_for_now(rejection),
    };
    let own =
        own.and_then(|own| Some((StatusCode::from_u16(own.status).ok().filter(|status| may(*status))?, own.body)));
    match (own, end) {
        (Some((status, body)), _) => plain(status).body(body),
        (None, Ok(())) => plain(StatusCode::OK).body("ok"),
        (None, Err(rejection)) => rejected(rejection),
    }
}

/// Whether the same delivery may be taken later.
fn is_for_now(rejection: Rejection) -> bool {
    matches!(rejection, Rejection::Unverifiable | Rejection::Unavailable)
}

/// The answer to a delivery that was refused: a status and a reason code.
pub(crate) fn rejected(rejection: Rejection) -> HttpResponse {
    let status = match rejection {
        Rejection::UnknownVariant => StatusCode::NOT_FOUND,
        Rejection::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Rejection::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        _ if is_for_now(rejection) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = plain(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, "5"));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.insert_header((header::ALLOW, "POST"));
    }
    response.body(rejection.code())
}

/// A plain text answer that nobody keeps or guesses about.
pub(crate) fn plain(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    response
}

/// A page.
pub(crate) fn html(status: StatusCode, page: String) -> HttpResponse {
    plain(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .body(page)
}

/// Go there with a GET.
pub(crate) fn see(address: &str) -> HttpResponse {
    plain(StatusCode::SEE_OTHER).insert_header((header::LOCATION, address)).finish()
}
