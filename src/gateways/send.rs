//! Sends a delivery of our own to a webhook endpoint of this process. It goes over HTTP, so that a test event takes the
//! same way as a real one.

use std::time::Duration;

use super::http::agent;
use crate::domain::delivery::Delivery;

/// How long the endpoint may take to answer. A person waits for it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an answer is read, in bytes. A reason code is short.
const ANSWER_LIMIT: u64 = 200;

/// The endpoint's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointAnswer {
    pub status: u16,
    /// The reason code of a rejection. Any other text is dropped.
    pub reason: Option<String>,
}

/// Posts the delivery. The error says why there was no answer, to be appended after a colon.
pub(crate) async fn send(endpoint: &str, delivery: Delivery) -> Result<EndpointAnswer, String> {
    // The process reaches itself by its local address, for which it has no certificate.
    if !endpoint.starts_with("http://") {
        return Err("it is sent over plain http, and the webhook endpoint has another address".to_owned());
    }
    let endpoint = endpoint.to_owned();
    // The client blocks its thread, which must not be one of those that answer requests.
    let posted = tokio::task::spawn_blocking(move || post(&endpoint, &delivery)).await;
    posted.unwrap_or_else(|_| Err("it could not be sent".to_owned()))
}

fn post(endpoint: &str, delivery: &Delivery) -> Result<EndpointAnswer, String> {
    let mut request = agent(TIMEOUT).post(endpoint);
    for (name, value) in &delivery.headers {
        request = request.header(name.as_str(), value.as_slice());
    }
    let mut answer = request.send(delivery.body.as_ref()).map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(ANSWER_LIMIT).read_to_string().unwrap_or_default();
    let code = body.trim();
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    Ok(EndpointAnswer { status, reason: (is_code && status != 200).then(|| code.to_owned()) })
}
