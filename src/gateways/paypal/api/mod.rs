//! How is PayPal asked to do something? The headers, the access token, the retry rule and the errors that all calls share
//! (<https://developer.paypal.com/api/rest/requests/>, <https://developer.paypal.com/api/rest/responses/>); what a call
//! says is its own file.

mod answer;
mod listing;
mod money;
mod order;
mod payment;
mod postback;
mod token;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::gateways::GatewayError;
use crate::gateways::http::{Client, Request, Response, is_base};
use crate::gateways::signature::Secret;
use crate::gateways::tries;
use postback::Doubts;
use token::Token;

/// Where PayPal's API is, in the sandbox and live.
const SANDBOX: &str = "https://api-m.sandbox.paypal.com";
const LIVE: &str = "https://api-m.paypal.com";
/// How long one try may take. PayPal's own libraries leave it open; its answers take seconds at the most.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a call is tried again.
const RETRIES: u32 = 2;

/// PayPal's API as one REST app sees it.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client_id: String,
    secret: Secret,
    pub(super) live: bool,
    /// Another address than PayPal's own.
    pub(super) base: Option<String>,
    pub(super) retries: u32,
    client: Client,
    token: Arc<Token>,
    doubts: Arc<Doubts>,
}

/// What is sent, without what all requests have.
struct Ask {
    post: bool,
    path: String,
    body: String,
    /// What makes it act once, however often it is sent.
    request_id: Option<String>,
}

impl Ask {
    /// A GET, which changes nothing.
    fn get(path: impl Into<String>) -> Self {
        Self { post: false, path: path.into(), body: String::new(), request_id: None }
    }

    /// A POST of JSON that acts once.
    fn act(path: impl Into<String>, body: &serde_json::Value, request_id: impl Into<String>) -> Self {
        Self { post: true, path: path.into(), body: body.to_string(), request_id: Some(request_id.into()) }
    }
}

impl Api {
    pub(super) fn new(client_id: impl Into<String>, secret: impl Into<String>, live: bool) -> Self {
        Self {
            client_id: client_id.into(),
            secret: Secret::new(secret),
            live,
            base: None,
            retries: RETRIES,
            client: Client::new(PATIENCE),
            token: Arc::default(),
            doubts: Arc::default(),
        }
    }

    /// Whether client and address can work.
    pub(super) fn check(&self) -> Result<(), String> {
        let plain = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_graphic);
        if !plain(self.client_id.as_bytes()) || self.client_id.contains(':') {
            return Err("expected the client ID of PayPal's REST app, got another text".to_owned());
        }
        if !plain(self.secret.expose()) {
            return Err("expected the client secret of PayPal's REST app, got another text".to_owned());
        }
        match is_base(self.base()) {
            true => Ok(()),
            false => Err(format!("expected an https:// address for PayPal's API, got {:?}", self.base())),
        }
    }

    fn base(&self) -> &str {
        let own = if self.live { LIVE } else { SANDBOX };
        self.base.as_deref().unwrap_or(own).trim_end_matches('/')
    }

    /// Sends it with an access token; one that PayPal no longer takes is replaced once.
    async fn send(&self, ask: Ask) -> Result<Response, GatewayError> {
        let token = self.token().await?;
        let first = self.send_with(&ask, &token).await;
        match first {
            Err(GatewayError::Unavailable(why)) if why.starts_with("401") => {
                self.token.forget(&token).await;
                let token = self.token().await?;
                self.send_with(&ask, &token).await
            }
            answer => answer,
        }
    }

    async fn send_with(&self, ask: &Ask, token: &str) -> Result<Response, GatewayError> {
        let mut headers = vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/json".to_owned()),
            // Else an answer is an id and a status.
            ("prefer", "return=representation".to_owned()),
            ("authorization", format!("Bearer {token}")),
        ];
        headers.extend(ask.request_id.clone().map(|id| ("paypal-request-id", id)));
        let url = format!("{}{}", self.base(), ask.path);
        let request = Request { post: ask.post, url, headers, body: ask.body.clone() };
        tries::send(&self.client, self.retries, request, again, refusal).await
    }

    async fn token(&self) -> Result<String, GatewayError> {
        self.token.get(|| self.fetch_token()).await
    }
}

/// Whether another try is worth it: a conflict, or trouble of PayPal's own. Too many requests are not tried again
/// unasked.
fn again(answer: &Response) -> bool {
    answer.status == 409 || answer.status >= 500 || is_in_progress(&trouble(answer))
}

fn refusal(answer: &Response) -> GatewayError {
    let trouble = trouble(answer);
    let said = words(answer, &trouble);
    match is_in_progress(&trouble) {
        true => GatewayError::OutcomeUnknown(said),
        false => tries::refusal(answer.status, said),
    }
}

/// The one refusal that says nothing of how it ends.
fn is_in_progress(trouble: &Trouble) -> bool {
    trouble.details.iter().any(|detail| detail.issue.as_deref() == Some("ORDER_COMPLETION_IN_PROGRESS"))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Trouble {
    name: Option<String>,
    error: Option<String>,
    message: Option<String>,
    error_description: Option<String>,
    debug_id: Option<String>,
    details: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    issue: Option<String>,
    description: Option<String>,
}

fn trouble(answer: &Response) -> Trouble {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// PayPal's own words for what is wrong, and the id by which its support finds the call.
fn words(answer: &Response, trouble: &Trouble) -> String {
    let detail = trouble.details.first();
    let issue = detail.and_then(|detail| detail.issue.clone());
    let codes: Vec<String> = [trouble.name.clone().or(trouble.error.clone()), issue].into_iter().flatten().collect();
    let codes = if codes.is_empty() { String::new() } else { format!(" {}", codes.join(" ")) };
    let said = detail.and_then(|detail| detail.description.clone());
    let said = said.or(trouble.message.clone()).or(trouble.error_description.clone());
    let said: String = said.unwrap_or_default().chars().take(500).collect();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let id = trouble.debug_id.as_deref().or(answer.header("paypal-debug-id"));
    let id = id.map(|id| format!(" (debug id {id})")).unwrap_or_default();
    format!("{}{codes}{said}{id}", answer.status)
}
