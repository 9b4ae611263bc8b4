//! The HTTP client for outgoing calls: one request and one answer, over TLS, within a time and a size limit. Retries
//! are left to the gateways; the errors tell them whether the request may have had an effect.

use std::time::{Duration, Instant};

use bytes::Bytes;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use ureq::{Agent, Error, Timeout};

use super::GatewayError;
use crate::domain::{Timestamp, storable_time};

/// How long connecting may take: name resolution, TCP and TLS.
const CONNECT: Duration = Duration::from_secs(10);
/// The largest body of an answer, in bytes; a hundred Stripe events are about a third of it.
const BODY_LIMIT: u64 = 8 * 1024 * 1024;

/// The methods that gateways are called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

/// An outgoing request.
#[derive(Clone)]
pub(crate) struct Request {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    headers: ureq::http::HeaderMap,
    pub body: Bytes,
    /// For how long the answer to a question may have been under way; zero where something was to be done.
    age: Duration,
}

impl Response {
    /// The text of a header field; `None` when it is absent or not visible ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// As of when the answer is, by the gateway's clock (the `Date` header, in whole seconds), which is also the clock
    /// of its events. An answer to a question that was under way for a second or longer is no younger than the
    /// question: what happened meanwhile is not in it, and must not look older than it.
    pub(crate) fn answered_at(&self) -> Timestamp {
        let date = self.header("date").and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
        let at = date.and_then(storable_time).unwrap_or_else(OffsetDateTime::now_utc);
        let age = if self.age < Duration::from_secs(1) { Duration::ZERO } else { self.age };
        let at = at.checked_sub(time::Duration::try_from(age).unwrap_or_default()).unwrap_or(at);
        at.replace_nanosecond(0).unwrap_or(at)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> Result<&str, GatewayError> {
        std::str::from_utf8(&self.body).map_err(|bad| GatewayError::Malformed(bad.to_string()))
    }
}

/// Why there is no answer. The texts contain no header and no body.
#[derive(Debug)]
pub(crate) enum SendError {
    /// There was no connection, so nothing can have happened.
    NotSent(String),
    /// The request was sent, and its effect is unknown.
    AnswerLost(String),
}

/// Sends requests on Tokio's blocking threads.
#[derive(Debug, Clone)]
pub(crate) struct Client(Agent);

impl Client {
    /// A client that allows each exchange `timeout` in all.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self(agent(timeout))
    }

    /// Sends the request and waits for the answer, without blocking the caller's thread.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, SendError> {
        let agent = self.0.clone();
        let ended = |_| Err(SendError::AnswerLost("the thread that sent it ended".to_owned()));
        tokio::task::spawn_blocking(move || exchange(&agent, &request)).await.unwrap_or_else(ended)
    }
}

/// Whether requests with credentials may go to this address: over TLS, or to this machine (a fake in tests).
pub(crate) fn is_base(address: &str) -> bool {
    match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => !rest.is_empty() && is_plain(rest),
        (_, Some(rest)) => {
            is_plain(rest) && ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| starts_with_host(rest, host))
        }
        _ => false,
    }
}

/// Whether a company's API may be called at this address. The error says what to do.
pub(crate) fn check_base(api: &str, base: &str) -> Result<(), String> {
    if !is_base(base) {
        return Err(format!("expected an https:// address for {api}, got {base:?}"));
    }
    if base.starts_with("https://") && !cfg!(feature = "https") {
        return Err(format!("{api} is called over TLS, which this crate does with its feature `https`"));
    }
    Ok(())
}

/// Whether the address contains nothing that would change the host or cut off a path appended to it.
fn is_plain(rest: &str) -> bool {
    !rest.contains(['@', '?', '#', '\\'])
}

fn starts_with_host(rest: &str, host: &str) -> bool {
    rest.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
}

/// The agent for all requests of this crate, with a `timeout` for each exchange. Every status is an answer. Proxies
/// from the environment and redirects are ignored: they must not decide where credentials or signed events go.
pub(super) fn agent(timeout: Duration) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .timeout_connect(Some(CONNECT))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build();
    Agent::new_with_config(config)
}

fn exchange(agent: &Agent, request: &Request) -> Result<Response, SendError> {
    let begun = Instant::now();
    let sent = match request.method {
        Method::Post => with_headers(agent.post(&request.url), request).send(request.body.as_bytes()),
        Method::Patch => with_headers(agent.patch(&request.url), request).send(request.body.as_bytes()),
        Method::Put => with_headers(agent.put(&request.url), request).send(request.body.as_bytes()),
        Method::Get => with_headers(agent.get(&request.url), request).call(),
        Method::Delete => with_headers(agent.delete(&request.url), request).call(),
    };
    let (parts, mut body) = sent.map_err(send_error)?.into_parts();
    let body = body.with_config().limit(BODY_LIMIT).read_to_vec();
    let body = body.map_err(|error| SendError::AnswerLost(error.to_string()))?;
    let age = if request.method == Method::Get { begun.elapsed() } else { Duration::ZERO };
    Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body: body.into(), age })
}

fn with_headers<B>(builder: ureq::RequestBuilder<B>, request: &Request) -> ureq::RequestBuilder<B> {
    request.headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, value))
}

fn send_error(error: Error) -> SendError {
    let text = error.to_string();
    match error {
        Error::BadUri(_) | Error::HostNotFound | Error::ConnectionFailed | Error::Tls(_) => SendError::NotSent(text),
        Error::TlsRequired => SendError::NotSent("TLS needs the feature `https` of actix-payments".to_owned()),
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => SendError::NotSent(text),
        Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => SendError::NotSent(text),
        // How the standard library begins what the system's resolver says; it has no kind of its own.
        Error::Io(io) if io.to_string().starts_with("failed to lookup address") => SendError::NotSent(text),
        _ => SendError::AnswerLost(text),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// Longer than what the whole seconds of a date hide.
    const TAKEN: Duration = Duration::from_millis(1200);

    /// Answers each request after that time, dated when it is written.
    fn slow() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        std::thread::spawn(move || {
            for mut socket in listener.incoming().map_while(Result::ok) {
                // All of the head: what is left unread when the socket is closed would break the connection.
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut part = [0; 4096];
                    let count = socket.read(&mut part).expect("a request");
                    assert!(count > 0, "the head has an end");
                    head.extend_from_slice(&part[..count]);
                }
                std::thread::sleep(TAKEN);
                let date = OffsetDateTime::now_utc().format(&Rfc2822).expect("a date");
                write!(socket, "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n").expect("it waits");
            }
        });
        address
    }

    #[test]
    fn what_was_asked_for_is_no_younger_than_the_question() {
        let (url, agent) = (slow(), agent(Duration::from_secs(10)));
        let ask = |method| {
            let asked = OffsetDateTime::now_utc();
            let request = Request { method, url: url.clone(), headers: Vec::new(), body: String::new() };
            (asked, exchange(&agent, &request).expect("an answer").answered_at(), OffsetDateTime::now_utc())
        };
        let (_, seen, read) = ask(Method::Get);
        assert!(seen + TAKEN <= read, "all the time that the answer took counts: {seen} {read}");
        let (asked, done, _) = ask(Method::Post);
        assert!(done > asked, "what was done is as young as the answer: {asked} {done}");
    }
}
