//! The webhook endpoint: turns a gateway's request into a delivery. The body is read as it was sent, never
//! decompressed, up to a limit. A refused request is read to that limit as well, so that its connection can be reused.

use actix_web::http::Method;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_core::Stream;

use super::respond;
use crate::domain::delivery::{Delivery, Rejection};
use crate::payments::Payments;

/// Answers a request to a variant's webhook endpoint.
pub(crate) async fn webhook(payments: &Payments, limit: usize, req: &HttpRequest, payload: Payload) -> HttpResponse {
    let variant = req.match_info().get("variant").unwrap_or_default();
    let body = read(payload, limit).await;
    let rejection = match (payments.engine().variant(variant), req.method(), body) {
        (None, ..) => Rejection::UnknownVariant,
        (Some(known), &Method::POST, Ok(body)) => {
            let outcome = payments.receive(variant, delivery(req, body)).await.map(drop);
            return respond::delivered(outcome, known.gateway.reply(outcome));
        }
        (_, &Method::POST, Err(rejection)) => rejection,
        _ => Rejection::MethodNotAllowed,
    };
    payments.engine().reject(variant, rejection);
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

/// The payload as it was sent, if it has at most `limit` bytes.
pub(crate) async fn read(payload: Payload, limit: usize) -> Result<Bytes, Rejection> {
    let mut payload = std::pin::pin!(payload);
    let mut body = BytesMut::new();
    while let Some(chunk) = std::future::poll_fn(|cx| payload.as_mut().poll_next(cx)).await {
        let chunk = chunk.map_err(|_| Rejection::BodyIncomplete)?;
        if body.len() + chunk.len() > limit {
            return Err(Rejection::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
