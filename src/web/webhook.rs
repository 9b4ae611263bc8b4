//! The webhook endpoint: turns a gateway's request into a delivery. A refused request is read up to the limits as well,
//! so that its connection can be reused.

use actix_web::http::Method;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::body::{Body, Limits};
use super::respond;
use crate::domain::delivery::{Delivery, Rejection};
use crate::payments::Payments;

/// Answers a request to a variant's webhook endpoint that came from `client`.
pub(crate) async fn webhook(
    payments: &Payments,
    limits: Limits,
    client: Option<String>,
    req: &HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let mut body = Body::new(payload);
    let read = body.read(req, limits, payments.engine()).await;
    body.answer(answer(payments, client.as_deref(), req, read).await)
}

async fn answer(
    payments: &Payments,
    client: Option<&str>,
    req: &HttpRequest,
    body: Result<Bytes, Rejection>,
) -> HttpResponse {
    let variant = req.match_info().get("variant").unwrap_or_default();
    let rejection = match (payments.engine().addressed(variant, client).await, req.method(), body) {
        (Err(rejection), ..) => rejection,
        (Ok(known), &Method::POST, Ok(body)) => {
            let outcome = payments.engine().receive(variant, delivery(req, body), client).await.map(drop);
            return respond::delivered(outcome, known.gateway.reply(outcome));
        }
        (_, &Method::POST, Err(rejection)) => rejection,
        _ => Rejection::MethodNotAllowed,
    };
    payments.engine().reject(variant, rejection).await;
    respond::rejected(rejection)
}

fn delivery(req: &HttpRequest, body: Bytes) -> Delivery {
    let headers = req.headers().iter();
    Delivery {
        headers: headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect(),
        query: req.query_string().to_owned(),
        body,
    }
}
