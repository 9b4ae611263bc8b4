//! How does a delivery of our own making reach a webhook endpoint of this very process? Over HTTP like anybody's, so
//! that a test takes the very way that real events take; what the answer means is others' work.

use std::time::Duration;

use super::http::agent;
use crate::domain::delivery::Delivery;

/// How long the endpoint may take to answer. A person waits meanwhile, and it is this same process.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an answer is read, in bytes: a reason code is short.
const ANSWER: u64 = 200;

/// What the endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub status: u16,
    /// The reason code of a refusal. What else there may be at that address isn't worth repeating.
    pub reason: Option<String>,
}

/// Posts the delivery; an error is why there was no answer, in words that go on after a colon.
pub(crate) async fn send(endpoint: &str, delivery: Delivery) -> Result<Answered, String> {
    // A process reaches itself by its local address, which no certificate names.
    if !endpoint.starts_with("http://") {
        return Err("it is sent over plain http, and the webhook endpoint has another address".to_owned());
    }
    let endpoint = endpoint.to_owned();
    // The client blocks its thread, and the threads that answer requests must not wait for themselves.
    let posted = tokio::task::spawn_blocking(move || post(&endpoint, &delivery)).await;
    posted.unwrap_or_else(|_| Err("it could not be sent".to_owned()))
}

fn post(endpoint: &str, delivery: &Delivery) -> Result<Answered, String> {
    let mut request = agent(TIMEOUT).post(endpoint);
    for (name, value) in &delivery.headers {
        request = request.header(name.as_str(), value.as_slice());
    }
    let mut answer = request.send(delivery.body.as_ref()).map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(ANSWER).read_to_string().unwrap_or_default();
    let code = body.trim();
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    Ok(Answered { status, reason: (is_code && status != 200).then(|| code.to_owned()) })
}
