//! The client of PayPal's REST API: the headers, the access token and the retries that all calls share
//! (<https://developer.paypal.com/api/rest/requests/>). Each group of calls has a file of its own.

mod answer;
mod error;
mod limits;
mod listing;
mod money;
mod order;
mod payment;
mod postback;
pub(super) mod subscription;
mod token;

use std::sync::Arc;
use std::time::Duration;

use crate::gateways::GatewayError;
use crate::gateways::http::{Client, Method, Request, Response, check_base};
use crate::gateways::retry;
use crate::gateways::signature::Secret;
use error::{is_retryable, refusal};
use limits::PostbackLimits;
use token::TokenCache;

/// The addresses of PayPal's API.
const SANDBOX: &str = "https://api-m.sandbox.paypal.com";
const LIVE: &str = "https://api-m.paypal.com";
/// How long one try may take. PayPal's own libraries set no limit; its answers take a few seconds at most.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a call is retried by default.
const RETRIES: u32 = 2;

/// The API, with the credentials of one REST app.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client_id: String,
    secret: Secret,
    pub(super) live: bool,
    /// An address in place of PayPal's own.
    pub(super) base: Option<String>,
    pub(super) retries: u32,
    client: Client,
    token: Arc<TokenCache>,
    postback_limits: Arc<PostbackLimits>,
}

/// One request, without the headers that all requests have.
struct ApiRequest {
    post: bool,
    path: String,
    body: String,
    /// The idempotency key: PayPal acts once for it, however often the request is sent.
    request_id: Option<String>,
}

impl ApiRequest {
    /// A GET, which changes nothing.
    fn get(path: impl Into<String>) -> Self {
        Self { post: false, path: path.into(), body: String::new(), request_id: None }
    }

    /// A POST of JSON with an idempotency key.
    fn post(path: impl Into<String>, body: &serde_json::Value, request_id: impl Into<String>) -> Self {
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
            client: Client::new(TIMEOUT),
            token: Arc::default(),
            postback_limits: Arc::default(),
        }
    }

    /// Checks that credentials and address are usable.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_plain = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_graphic);
        if !is_plain(self.client_id.as_bytes()) || self.client_id.contains(':') {
            return Err("expected the client ID of PayPal's REST app, got another text".to_owned());
        }
        if let Some(where_blank) = self.secret.surrounding_blank() {
            return Err(format!("expected the client secret of PayPal's REST app, got one that {where_blank}"));
        }
        if !is_plain(self.secret.expose()) {
            return Err("expected the client secret of PayPal's REST app, got another text".to_owned());
        }
        check_base("PayPal's API", self.base())
    }

    fn base(&self) -> &str {
        let own = if self.live { LIVE } else { SANDBOX };
        self.base.as_deref().unwrap_or(own).trim_end_matches('/')
    }

    /// Sends a request with an access token. If PayPal no longer accepts the token, a new one is fetched once.
    async fn send(&self, request: ApiRequest) -> Result<Response, GatewayError> {
        let token = self.token().await?;
        match self.send_with(&request, &token).await {
            Err(GatewayError::Unavailable(why)) if why.starts_with("401") => {
                self.token.forget(&token).await;
                let token = self.token().await?;
                self.send_with(&request, &token).await
            }
            answer => answer,
        }
    }

    async fn send_with(&self, request: &ApiRequest, token: &str) -> Result<Response, GatewayError> {
        let mut headers = vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/json".to_owned()),
            // Without it, an answer is only an id and a status.
            ("prefer", "return=representation".to_owned()),
            ("authorization", format!("Bearer {token}")),
        ];
        headers.extend(request.request_id.clone().map(|id| ("paypal-request-id", id)));
        let url = format!("{}{}", self.base(), request.path);
        let request = Request {
            method: if request.post { Method::Post } else { Method::Get },
            url,
            headers,
            body: request.body.clone(),
        };
        retry::send(&self.client, self.retries, request, is_retryable, refusal).await
    }

    async fn token(&self) -> Result<String, GatewayError> {
        let fetch = || token::fetch(&self.client, self.retries, self.base(), &self.client_id, &self.secret);
        self.token.get(fetch).await
    }
}
