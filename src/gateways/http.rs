//! How does a gateway's request go out, and what came of it? One request, one answer, over TLS, within its time and
//! its size. Whether to try again is the gateway's decision, which needs to know whether anything may have happened.

use std::time::Duration;

use bytes::Bytes;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use ureq::{Agent, Error, Timeout};

use super::GatewayError;
use crate::domain::{Timestamp, moment};

/// How long a connection may take to stand: address, connection and TLS.
const CONNECT: Duration = Duration::from_secs(10);
/// The most that an answer's body may have, in bytes; a hundred Stripe events are about a third of it.
const LIMIT: u64 = 8 * 1024 * 1024;

/// What is sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub post: bool,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// What was answered, whatever the status.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    headers: ureq::http::HeaderMap,
    pub body: Bytes,
}

impl Response {
    /// A header field's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When it was answered by the gateway's own clock, which is the clock of its events too.
    pub(crate) fn answered_at(&self) -> Timestamp {
        let said = self.header("date").and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
        let at = said.and_then(moment).unwrap_or_else(OffsetDateTime::now_utc);
        at.replace_nanosecond(0).unwrap_or(at)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> Result<&str, GatewayError> {
        std::str::from_utf8(&self.body).map_err(|bad| GatewayError::Malformed(bad.to_string()))
    }
}

/// Why there is no answer. The words name no header and no body.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// No connection stood, so nothing can have happened.
    NotSent(String),
    /// It went out, and what became of it is not known.
    Lost(String),
}

/// Sends requests from threads that may block.
#[derive(Debug, Clone)]
pub(crate) struct Client(Agent);

impl Client {
    /// A client that waits `patience` for each answer, all in all.
    pub(crate) fn new(patience: Duration) -> Self {
        Self(agent(patience))
    }

    /// Sends the request and waits for the answer, without blocking the thread that asks.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, NoAnswer> {
        let agent = self.0.clone();
        let ended = |_| Err(NoAnswer::Lost("the thread that sent it ended".to_owned()));
        tokio::task::spawn_blocking(move || exchange(&agent, &request)).await.unwrap_or_else(ended)
    }
}

/// Whether requests with credentials may go to this address: over TLS, or to a fake for tests on this very machine.
pub(crate) fn is_base(address: &str) -> bool {
    match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => !rest.is_empty() && is_plain(rest),
        (_, Some(rest)) => {
            is_plain(rest) && ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| starts_with_host(rest, host))
        }
        _ => false,
    }
}

/// Whether nothing in it makes another host of what looks like one, or takes the path away.
fn is_plain(rest: &str) -> bool {
    !rest.contains(['@', '?', '#', '\\'])
}

fn starts_with_host(rest: &str, host: &str) -> bool {
    rest.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
}

/// What sends every request of this crate and waits `patience` for the answer, all in all; any status is an answer. No
/// proxy of the environment and no redirect has a say in where a request with credentials, or a signed event, goes.
pub(super) fn agent(patience: Duration) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(patience))
        .timeout_connect(Some(CONNECT))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build();
    Agent::new_with_config(config)
}

fn exchange(agent: &Agent, request: &Request) -> Result<Response, NoAnswer> {
    let sent = match request.post {
        true => with(agent.post(&request.url), request).send(request.body.as_bytes()),
        false => with(agent.get(&request.url), request).call(),
    };
    let (parts, mut body) = sent.map_err(no_answer)?.into_parts();
    let body = body.with_config().limit(LIMIT).read_to_vec().map_err(|error| NoAnswer::Lost(error.to_string()))?;
    Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body: body.into() })
}

fn with<B>(builder: ureq::RequestBuilder<B>, request: &Request) -> ureq::RequestBuilder<B> {
    request.headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, value))
}

fn no_answer(error: Error) -> NoAnswer {
    let words = error.to_string();
    match error {
        Error::BadUri(_) | Error::HostNotFound | Error::ConnectionFailed | Error::Tls(_) => NoAnswer::NotSent(words),
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => NoAnswer::NotSent(words),
        Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => NoAnswer::NotSent(words),
        _ => NoAnswer::Lost(words),
    }
}
