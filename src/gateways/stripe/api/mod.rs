//! How is Stripe asked to do something? The headers, the retry rule and the errors that all calls share
//! (<https://docs.stripe.com/api/errors>, <https://docs.stripe.com/api/idempotent_requests>); what a call says is its
//! own file.

mod answer;
pub(super) mod checkout;
mod form;
pub(super) mod listing;
pub(super) mod payment;

use std::time::Duration;

use serde::Deserialize;

use crate::gateways::GatewayError;
use crate::gateways::http::{Client, Request, Response, is_base};
use crate::gateways::signature::Secret;
use crate::gateways::tries;
use form::Form;

/// Where Stripe's API is.
const BASE: &str = "https://api.stripe.com";
/// The version whose answers are understood here. Without it, the account's own version would answer.
const VERSION: &str = "2026-10-28.endive";
/// How long one try may take, as in Stripe's own libraries.
const PATIENCE: Duration = Duration::from_secs(80);
/// How often a call is tried again, as in Stripe's own libraries.
const RETRIES: u32 = 2;

/// Stripe's API as one account sees it.
#[derive(Debug, Clone)]
pub(super) struct Api {
    key: Secret,
    pub(super) base: String,
    pub(super) retries: u32,
    client: Client,
}

impl Api {
    pub(super) fn new(key: impl Into<String>) -> Self {
        Self { key: Secret::new(key), base: BASE.to_owned(), retries: RETRIES, client: Client::new(PATIENCE) }
    }

    /// Whether key and address can work.
    pub(super) fn check(&self) -> Result<(), String> {
        if ![b"sk_", b"rk_"].iter().any(|kind| self.key.expose().starts_with(*kind)) {
            return Err("expected a secret or restricted API key of Stripe (sk_…, rk_…), got another text".to_owned());
        }
        if !self.key.expose().iter().all(u8::is_ascii_graphic) {
            return Err("expected an API key of visible ASCII characters, got others".to_owned());
        }
        match is_base(&self.base) {
            true => Ok(()),
            false => Err(format!("expected an https:// address for Stripe's API, got {:?}", self.base)),
        }
    }

    /// A POST that acts once, however often it is tried.
    async fn act(&self, path: &str, form: Form, idempotency_key: &str) -> Result<Response, GatewayError> {
        let mut headers = self.headers();
        headers.push(("idempotency-key", idempotency_key.to_owned()));
        let url = format!("{}{path}", self.base.trim_end_matches('/'));
        self.send(Request { post: true, url, headers, body: form.text() }).await
    }

    /// A GET, which changes nothing. `query` is written like a form.
    async fn ask(&self, path: &str, query: Form) -> Result<Response, GatewayError> {
        let query = query.text();
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{mark}{query}", self.base.trim_end_matches('/'));
        self.send(Request { post: false, url, headers: self.headers(), body: String::new() }).await
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("stripe-version", VERSION.to_owned()),
            ("authorization", format!("Bearer {}", String::from_utf8_lossy(self.key.expose()))),
        ]
    }

    async fn send(&self, request: Request) -> Result<Response, GatewayError> {
        tries::send(&self.client, self.retries, request, again, refusal).await
    }
}

/// The rule of Stripe's own libraries: Stripe's word if it gives one, else a conflict, or trouble of its own. Too many
/// requests are not tried again unasked.
fn again(answer: &Response) -> bool {
    match answer.header("stripe-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => answer.status == 409 || answer.status >= 500,
    }
}

fn refusal(answer: &Response) -> GatewayError {
    tries::refusal(answer.status, words(answer))
}

#[derive(Default, Deserialize)]
struct Answered {
    #[serde(default)]
    error: Trouble,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Trouble {
    r#type: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    message: Option<String>,
}

/// Stripe's own words for what is wrong, with its codes and the id by which its support finds the call.
fn words(answer: &Response) -> String {
    let trouble = serde_json::from_slice::<Answered>(&answer.body).unwrap_or_default().error;
    let codes: Vec<String> = [trouble.r#type, trouble.code, trouble.decline_code].into_iter().flatten().collect();
    let codes = if codes.is_empty() { String::new() } else { format!(" {}", codes.join(" ")) };
    let message: String = trouble.message.unwrap_or_default().chars().take(500).collect();
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    let id = answer.header("request-id").map(|id| format!(" (request {id})")).unwrap_or_default();
    format!("{}{codes}{message}{id}", answer.status)
}
