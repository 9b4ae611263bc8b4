//! PayPal's error answers: which are worth a retry, and what a refusal means
//! (<https://developer.paypal.com/api/rest/responses/>).

use serde::Deserialize;

use crate::gateways::GatewayError;
use crate::gateways::http::Response;
use crate::gateways::retry;

/// The longest part of PayPal's message that is repeated, in characters.
const MESSAGE: usize = 500;

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    name: Option<String>,
    error: Option<String>,
    message: Option<String>,
    error_description: Option<String>,
    debug_id: Option<String>,
    details: Vec<ErrorDetail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorDetail {
    issue: Option<String>,
    description: Option<String>,
}

/// Whether to retry: after a conflict, or an error on PayPal's side. A rate limit (429) is not retried at once.
pub(super) fn is_retryable(answer: &Response) -> bool {
    answer.status == 409 || answer.status >= 500 || is_in_progress(&read(answer))
}

/// The error that an answer without success means.
pub(super) fn refusal(answer: &Response) -> GatewayError {
    let body = read(answer);
    let message = message(answer, &body);
    if is_in_progress(&body) { GatewayError::OutcomeUnknown(message) } else { retry::refusal(answer.status, message) }
}

/// Whether PayPal is still at work on an earlier try of the same call, so that this refusal does not say how it ends.
fn is_in_progress(body: &ErrorBody) -> bool {
    body.details.iter().any(|detail| detail.issue.as_deref() == Some("ORDER_COMPLETION_IN_PROGRESS"))
}

fn read(answer: &Response) -> ErrorBody {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// The status with PayPal's own codes and message, and the debug id by which its support finds the call.
fn message(answer: &Response, body: &ErrorBody) -> String {
    let detail = body.details.first();
    let issue = detail.and_then(|detail| detail.issue.clone());
    let codes: Vec<String> = [body.name.clone().or(body.error.clone()), issue].into_iter().flatten().collect();
    let codes = if codes.is_empty() { String::new() } else { format!(" {}", codes.join(" ")) };
    let text = detail.and_then(|detail| detail.description.clone());
    let text = text.or(body.message.clone()).or(body.error_description.clone());
    let text: String = text.unwrap_or_default().chars().take(MESSAGE).collect();
    let text = if text.is_empty() { String::new() } else { format!(": {text}") };
    let id = body.debug_id.as_deref().or(answer.header("paypal-debug-id"));
    let id = id.map(|id| format!(" (debug id {id})")).unwrap_or_default();
    format!("{}{codes}{text}{id}", answer.status)
}
