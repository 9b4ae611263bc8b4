//! How does an event reach the webhook endpoint? Over HTTP like anybody's, so that a demonstration takes the very
//! way that real events take; what is in the event is not decided here.

use std::time::Duration;

use crate::domain::delivery::Delivery;

/// How long the endpoint may take to answer. The customer waits meanwhile, and it is this same process.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Posts the delivery; an answer other than 200 is an error, in words for the page.
pub(super) async fn send(endpoint: &str, delivery: Delivery) -> Result<(), String> {
    // The crate is built without TLS for outgoing calls, and a process reaches itself without.
    if !endpoint.starts_with("http://") {
        let why = "The demo gateway sends its events over plain http, and the webhook endpoint has another address.";
        return Err(why.to_owned());
    }
    let endpoint = endpoint.to_owned();
    // The client blocks its thread, and the threads that answer requests must not wait for themselves.
    let posted = tokio::task::spawn_blocking(move || post(&endpoint, &delivery)).await;
    posted.unwrap_or_else(|_| Err("The demo gateway could not send its event.".to_owned()))
}

fn post(endpoint: &str, delivery: &Delivery) -> Result<(), String> {
    // Neither a proxy of the environment nor a redirect has a say in where a signed event goes.
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build();
    let mut request = ureq::Agent::new_with_config(config).post(endpoint);
    for (name, value) in &delivery.headers {
        request = request.header(name.as_str(), value.as_slice());
    }
    let mut answer = request
        .send(delivery.body.as_ref())
        .map_err(|error| format!("The demo gateway's event did not reach the webhook endpoint: {error}."))?;
    match answer.status().as_u16() {
        200 => Ok(()),
        status => {
            let body = answer.body_mut().with_config().limit(200).read_to_string().unwrap_or_default();
            Err(format!("The webhook endpoint answered {status}{} to the demo gateway's event.", reason(&body)))
        }
    }
}

/// The reason code that our endpoint answers with; what else there may be at that address isn't worth repeating.
fn reason(body: &str) -> String {
    let code = body.trim();
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_code { format!(" ({code})") } else { String::new() }
}
