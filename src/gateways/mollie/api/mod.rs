//! The client of Mollie's API: the headers, the retries and the errors that all calls share
//! (<https://docs.mollie.com/reference/handling-errors>, <https://docs.mollie.com/reference/api-idempotency>).

mod answer;
mod checkout;
mod payment;

use std::time::Duration;

use serde::Deserialize;

use crate::gateways::GatewayError;
use crate::gateways::http::{Client, Method, Request, Response, check_base};
use crate::gateways::retry;
use crate::gateways::signature::Secret;

/// The address of Mollie's API.
const BASE: &str = "https://api.mollie.com";
/// How long one try may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a call is retried by default.
const RETRIES: u32 = 2;

/// The API, with the key of one profile.
#[derive(Debug, Clone)]
pub(super) struct Api {
    key: Secret,
    pub(super) base: String,
    pub(super) retries: u32,
    client: Client,
}

impl Api {
    pub(super) fn new(key: impl Into<String>) -> Self {
        Self { key: Secret::new(key), base: BASE.to_owned(), retries: RETRIES, client: Client::new(TIMEOUT) }
    }

    /// Checks that key and address are usable.
    pub(super) fn check(&self) -> Result<(), String> {
        let key = self.key.expose();
        if ![&b"test_"[..], b"live_"].iter().any(|kind| key.starts_with(kind) && key.len() > kind.len()) {
            return Err("expected an API key of Mollie (test_…, live_…), got another text".to_owned());
        }
        if !key.iter().all(u8::is_ascii_graphic) {
            return Err("expected an API key of Mollie without blanks, got another text".to_owned());
        }
        check_base("Mollie's API", &self.base)
    }

    async fn get(&self, path: &str) -> Result<Response, GatewayError> {
        self.send(Method::Get, path, String::new(), None).await
    }

    /// Sends a POST of JSON with an idempotency key, which Mollie remembers for an hour.
    async fn post(&self, path: &str, body: &serde_json::Value, key: &str) -> Result<Response, GatewayError> {
        self.send(Method::Post, path, body.to_string(), Some(key)).await
    }

    async fn delete(&self, path: &str, key: &str) -> Result<Response, GatewayError> {
        self.send(Method::Delete, path, String::new(), Some(key)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: String,
        key: Option<&str>,
    ) -> Result<Response, GatewayError> {
        let mut headers = vec![
            ("accept", "application/hal+json".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("authorization", format!("Bearer {}", String::from_utf8_lossy(self.key.expose()))),
        ];
        headers.extend(key.map(|key| ("idempotency-key", key.to_owned())));
        let url = format!("{}{path}", self.base.trim_end_matches('/'));
        let request = Request { method, url, headers, body };
        retry::send(&self.client, self.retries, request, is_retryable, refusal).await
    }
}

/// Whether to retry: after an error on Mollie's side. A rate limit (429) is not retried at once, nor a conflict (409):
/// an earlier try under the same key is still running.
fn is_retryable(answer: &Response) -> bool {
    answer.status >= 500
}

/// The error that an answer without success means.
fn refusal(answer: &Response) -> GatewayError {
    retry::refusal(answer.status, message(answer))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    title: Option<String>,
    detail: Option<String>,
    field: Option<String>,
}

/// The status with Mollie's own words.
fn message(answer: &Response) -> String {
    let ErrorBody { title, detail, field } = serde_json::from_slice(&answer.body).unwrap_or_default();
    let title = title.map(|title| format!(" {title}")).unwrap_or_default();
    let detail: String = detail.unwrap_or_default().chars().take(500).collect();
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let field = field.map(|field| format!(" ({field})")).unwrap_or_default();
    format!("{}{title}{detail}{field}", answer.status)
}
