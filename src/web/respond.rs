//! The responses. Rejections and errors are turned into HTTP statuses only here, and every page gets the same strict
//! headers.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};

use crate::domain::delivery::Rejection;
use crate::error::{Error, ErrorKind};
use crate::gateways::Reply;

/// No inline styles or scripts, nothing from other origins, no frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                                       connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// When to come again, in seconds: databases are back soon, or somebody is at work on them.
pub(crate) const COME_AGAIN: (header::HeaderName, &str) = (header::RETRY_AFTER, "5");

/// Lets a host use `?` in its Actix handlers. The client learns only the kind of error; the details are logged.
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
        let text = match self.kind() {
            ErrorKind::NotFound => "not found",
            ErrorKind::Refused => "not possible now",
            ErrorKind::Gateway => "the payment company did not do it",
            _ => "something went wrong, please try again",
        };
        let level = match self.kind() {
            // A stranger's address, or a customer who was late, is no fault.
            ErrorKind::NotFound | ErrorKind::Refused => log::Level::Debug,
            _ => log::Level::Error,
        };
        self.log(level, "a call failed");
        let status = self.status_code();
        let mut response = plain(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header(COME_AGAIN);
        }
        response.body(text)
    }
}

/// The response to a delivery: the gateway's own reply if it has one that fits the outcome, otherwise the usual one.
pub(crate) fn delivered(outcome: Result<(), Rejection>, reply: Option<Reply>) -> HttpResponse {
    let fits = |status: StatusCode| match outcome {
        Ok(()) => status.is_success(),
        // A temporary rejection needs the usual status, so that the gateway sends the delivery again.
        Err(rejection) => status.is_client_error() && !is_temporary(rejection),
    };
    let reply = reply.and_then(|reply| Some((StatusCode::from_u16(reply.status).ok()?, reply.body)));
    match (reply, outcome) {
        (Some((status, body)), _) if fits(status) => plain(status).body(body),
        (_, Ok(())) => plain(StatusCode::OK).body("ok"),
        (_, Err(rejection)) => rejected(rejection),
    }
}

/// Whether the same delivery may be accepted later.
fn is_temporary(rejection: Rejection) -> bool {
    matches!(
        rejection,
        Rejection::Unverifiable | Rejection::Unavailable | Rejection::TooManyHints | Rejection::TooManyNames
    )
}

/// The response to a rejected delivery: a status and the reason code.
pub(crate) fn rejected(rejection: Rejection) -> HttpResponse {
    let status = match rejection {
        Rejection::UnknownVariant => StatusCode::NOT_FOUND,
        Rejection::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Rejection::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Rejection::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Rejection::TooManyHints | Rejection::TooManyNames => StatusCode::TOO_MANY_REQUESTS,
        _ if is_temporary(rejection) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = plain(status);
    if is_temporary(rejection) {
        response.insert_header(COME_AGAIN);
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.insert_header((header::ALLOW, "POST"));
    }
    response.body(rejection.code())
}

/// A plain text response that is not cached and whose type is not guessed.
pub(crate) fn plain(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    response
}

/// An HTML page.
pub(crate) fn html(status: StatusCode, page: String) -> HttpResponse {
    plain(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .body(page)
}

/// A redirect that is followed with a GET (303).
pub(crate) fn see(address: &str) -> HttpResponse {
    plain(StatusCode::SEE_OTHER).insert_header((header::LOCATION, address)).finish()
}
