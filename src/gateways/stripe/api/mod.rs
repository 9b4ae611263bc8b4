//! The client of Stripe's API: the headers, the retries and the errors that all calls share
//! (<https://docs.stripe.com/api/errors>, <https://docs.stripe.com/api/idempotent_requests>). Each group of calls has a
//! file of its own.

mod answer;
pub(super) mod checkout;
pub(super) mod fetch;
mod form;
mod invoices;
pub(super) mod listing;
mod objects;
pub(super) mod payment;
mod subscription;

use std::time::Duration;

use serde::Deserialize;

use crate::gateways::GatewayError;
use crate::gateways::http::{Client, Method, Request, Response, check_base};
use crate::gateways::retry;
use crate::gateways::signature::Secret;
use form::Form;

/// The address of Stripe's API.
const BASE: &str = "https://api.stripe.com";
/// The API version whose answers are read here. Without it, the account's default version would be used.
const VERSION: &str = "2026-10-28.endive";
/// How long one try may take, as in Stripe's own libraries.
const TIMEOUT: Duration = Duration::from_secs(80);
/// How often a call is retried by default, as in Stripe's own libraries.
const RETRIES: u32 = 2;

/// The header by which Stripe's own libraries call on behalf of a connected account.
const ACCOUNT: &str = "stripe-account";
/// The header by which they ask for what a thin event names. It alone can name an account by the way to it. Stripe takes
/// one of both, in either version of its API.
const CONTEXT: &str = "stripe-context";

/// How a refusal begins where a restricted key lacks the right to something: with its HTTP status.
const FORBIDDEN: &str = "403";

fn is_forbidden(error: &GatewayError) -> bool {
    matches!(error, GatewayError::Unavailable(why) if why.starts_with(FORBIDDEN))
}

/// The API, with the key of one account.
#[derive(Debug, Clone)]
pub(super) struct Api {
    key: Secret,
    pub(super) base: String,
    pub(super) retries: u32,
    client: Client,
    /// The header that names the account whose objects are meant, and that; `None`: the key's own.
    on_behalf: Option<(&'static str, String)>,
}

impl Api {
    pub(super) fn new(key: impl Into<String>) -> Self {
        Self {
            key: Secret::new(key),
            base: BASE.to_owned(),
            retries: RETRIES,
            client: Client::new(TIMEOUT),
            on_behalf: None,
        }
    }

    /// The same about objects of a connected account, where one is named
    /// (<https://docs.stripe.com/connect/authentication>).
    fn of_account(&self, account: Option<&str>) -> Self {
        let header = if account.is_some_and(|account| account.contains('/')) { CONTEXT } else { ACCOUNT };
        self.on_behalf(header, account)
    }

    /// The same in the context that a thin event names, if it names one (<https://docs.stripe.com/context>).
    fn in_context(&self, context: Option<&str>) -> Self {
        self.on_behalf(CONTEXT, context)
    }

    fn on_behalf(&self, header: &'static str, account: Option<&str>) -> Self {
        Self { on_behalf: account.map(|account| (header, account.to_owned())), ..self.clone() }
    }

    /// Checks that key and address are usable.
    pub(super) fn check(&self) -> Result<(), String> {
        if ![b"sk_", b"rk_"].iter().any(|kind| self.key.expose().starts_with(*kind)) {
            return Err("expected a secret or restricted API key of Stripe (sk_…, rk_…), got another text".to_owned());
        }
        if let Some(where_blank) = self.key.surrounding_blank() {
            return Err(format!("expected an API key of Stripe (sk_…, rk_…), got one that {where_blank}"));
        }
        if !self.key.expose().iter().all(u8::is_ascii_graphic) {
            return Err("expected an API key of visible ASCII characters, got others".to_owned());
        }
        check_base("Stripe's API", &self.base)
    }

    /// Sends a POST with an idempotency key: Stripe acts once for it, however often it is retried.
    async fn post(&self, path: &str, form: Form, idempotency_key: &str) -> Result<Response, GatewayError> {
        let mut headers = self.headers();
        headers.push(("idempotency-key", idempotency_key.to_owned()));
        let url = format!("{}{path}", self.base.trim_end_matches('/'));
        self.send(Request { method: Method::Post, url, headers, body: form.text() }).await
    }

    /// Sends a DELETE with an idempotency key.
    async fn delete(&self, path: &str, idempotency_key: &str) -> Result<Response, GatewayError> {
        let mut headers = self.headers();
        headers.push(("idempotency-key", idempotency_key.to_owned()));
        let url = format!("{}{path}", self.base.trim_end_matches('/'));
        self.send(Request { method: Method::Delete, url, headers, body: String::new() }).await
    }

    /// Sends a GET, which changes nothing. `query` is encoded like a form.
    async fn get(&self, path: &str, query: Form) -> Result<Response, GatewayError> {
        let query = query.text();
        let separator = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{separator}{query}", self.base.trim_end_matches('/'));
        let mut headers = self.headers();
        if path.starts_with("/v2/") {
            headers.retain(|(name, _)| *name != "content-type");
            headers.push(("content-type", "application/json".to_owned()));
        }
        self.send(Request { method: Method::Get, url, headers, body: String::new() }).await
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("stripe-version", VERSION.to_owned()),
            ("authorization", format!("Bearer {}", String::from_utf8_lossy(self.key.expose()))),
        ];
        headers.extend(self.on_behalf.clone());
        headers
    }

    async fn send(&self, request: Request) -> Result<Response, GatewayError> {
        retry::send(&self.client, self.retries, request, is_retryable, refusal).await
    }
}

/// Whether to retry, by the rule of Stripe's own libraries: as Stripe's header says; without it, after a conflict or an
/// error on Stripe's side. A rate limit (429) is retried only if the header says so.
fn is_retryable(answer: &Response) -> bool {
    match answer.header("stripe-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => answer.status == 409 || answer.status >= 500,
    }
}

/// The error that an answer without success means.
fn refusal(answer: &Response) -> GatewayError {
    retry::refusal(answer.status, message(answer))
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    error: ErrorDetail,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorDetail {
    r#type: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    message: Option<String>,
}

/// The status with Stripe's own codes and message, and the request id by which its support finds the call.
fn message(answer: &Response) -> String {
    let error = serde_json::from_slice::<ErrorBody>(&answer.body).unwrap_or_default().error;
    let codes: Vec<String> = [error.r#type, error.code, error.decline_code].into_iter().flatten().collect();
    let codes = if codes.is_empty() { String::new() } else { format!(" {}", codes.join(" ")) };
    let text: String = error.message.unwrap_or_default().chars().take(500).collect();
    let text = if text.is_empty() { String::new() } else { format!(": {text}") };
    let id = answer.header("request-id").map(|id| format!(" (request {id})")).unwrap_or_default();
    format!("{}{codes}{text}{id}", answer.status)
}
