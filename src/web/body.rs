//! Reads the body of a request: as it was sent, never decompressed, within limits of size, time and memory.
//!
//! A connection whose request was not read to its end must be closed with the answer. Actix does so if the payload is
//! still there when the answer is sent; of a chunked body whose payload was dropped it reads on without end.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev;
use actix_web::http::header;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_core::Stream;

use crate::domain::delivery::Rejection;
use crate::engine::{Arrival, Engine};

/// How long a body may take to arrive by default.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// How large a body may be, and how long it may take.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// In bytes.
    pub(crate) size: usize,
    /// From the first byte after the header to the last.
    pub(crate) time: Duration,
}

/// The body of a request, or what is left of it.
pub(crate) struct Body {
    payload: dev::Payload,
    is_read: bool,
}

impl Body {
    pub(crate) fn new(payload: Payload) -> Self {
        let payload = payload.into_inner();
        let is_read = matches!(payload, dev::Payload::None);
        Self { payload, is_read }
    }

    /// All of it.
    ///
    /// # Errors
    /// `TooLarge`, `TooSlow`, `BodyIncomplete` when the connection broke, `Unavailable` when too much is arriving.
    pub(crate) async fn read(
        &mut self,
        req: &HttpRequest,
        limits: Limits,
        engine: &Engine,
    ) -> Result<Bytes, Rejection> {
        if self.is_read {
            return Ok(Bytes::new());
        }
        let length = announced(req);
        if length.is_some_and(|length| length > limits.size) {
            return Err(Rejection::TooLarge);
        }
        tokio::select! {
            biased;
            body = self.collect(length, limits.size, engine) => body,
            () = tokio::time::sleep(limits.time) => Err(Rejection::TooSlow),
        }
    }

    async fn collect(&mut self, length: Option<usize>, limit: usize, engine: &Engine) -> Result<Bytes, Rejection> {
        let (mut body, mut arrival) = (Vec::new(), None);
        while let Some(chunk) = self.next(arrival.as_ref()).await? {
            let needed = body.len() + chunk.len();
            if needed > limit {
                return Err(Rejection::TooLarge);
            }
            if needed > body.capacity() {
                // A short body at once, a long one by and by: what is announced need not come.
                let known = length.filter(|length| *length <= AT_ONCE && *length >= needed);
                let capacity = known.unwrap_or_else(|| needed.max(body.capacity() * 2).min(limit));
                let before = if arrival.is_some() { body.capacity() } else { 0 };
                if capacity > UNCOUNTED
                    && !arrival.get_or_insert_with(|| engine.arrivals.begin()).grow(capacity - before)
                {
                    return Err(Rejection::Unavailable);
                }
                body.reserve_exact(capacity - body.len());
            }
            body.extend_from_slice(&chunk);
        }
        self.is_read = true;
        body.shrink_to_fit();
        Ok(body.into())
    }

    /// The next piece of the body, unless it has to give way to others.
    async fn next(&mut self, arrival: Option<&Arrival>) -> Result<Option<Bytes>, Rejection> {
        let ousted = async {
            match arrival {
                Some(arrival) => arrival.ousted().await,
                None => std::future::pending().await,
            }
        };
        let chunk = std::future::poll_fn(|cx| Pin::new(&mut self.payload).poll_next(cx));
        tokio::select! {
            biased;
            chunk = chunk => chunk.transpose().map_err(|_| Rejection::BodyIncomplete),
            () = ousted => Err(Rejection::Unavailable),
        }
    }

    /// The answer to the request. If its body was not read to the end, the connection is closed after it.
    pub(crate) fn answer(self, response: HttpResponse) -> HttpResponse {
        if self.is_read {
            return response;
        }
        response.map_body(|_, body| BoxBody::new(Unread { body, _payload: self.payload }))
    }
}

/// The longest body for which all memory is taken with its first bytes.
const AT_ONCE: usize = 16 * 1024;
/// Up to here a body is not counted: most are shorter, and a connection alone takes several times as much.
const UNCOUNTED: usize = 4 * 1024;

/// The length that the request announces.
fn announced(req: &HttpRequest) -> Option<usize> {
    req.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// The body of an answer, which keeps what was not read of the request until it is sent.
struct Unread {
    body: BoxBody,
    _payload: dev::Payload,
}

impl MessageBody for Unread {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}

/// Answers a request whose body nobody wants.
pub(crate) fn without_body(payload: Payload, response: HttpResponse) -> HttpResponse {
    Body::new(payload).answer(response)
}
