//! The access token that goes with each call: fetched with the app's client ID and secret
//! (<https://developer.paypal.com/api/rest/authentication/>) and kept until shortly before it expires.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::error::{is_retryable, refusal};
use crate::gateways::GatewayError;
use crate::gateways::http::{Client, Method, Request};
use crate::gateways::retry;
use crate::gateways::signature::Secret;

/// How long before it expires a token is replaced: longer than a call takes.
const MARGIN: Duration = Duration::from_secs(300);

/// The current token, if there is one. Whoever holds the lock fetches; the others wait for its result.
#[derive(Debug, Default)]
pub(super) struct TokenCache(tokio::sync::Mutex<Option<(Secret, Instant)>>);

/// PayPal's answer to a request for a token.
#[derive(Deserialize)]
pub(super) struct GrantedToken {
    access_token: String,
    /// In seconds.
    expires_in: u64,
}

impl TokenCache {
    /// The cached token, or a newly fetched one.
    pub(super) async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Result<String, GatewayError>
    where
        F: Future<Output = Result<GrantedToken, GatewayError>>,
    {
        let mut cached = self.0.lock().await;
        if let Some((token, until)) = cached.as_ref()
            && Instant::now() < *until
        {
            return Ok(String::from_utf8_lossy(token.expose()).into_owned());
        }
        let granted = fetch().await?;
        let life = Duration::from_secs(granted.expires_in.min(24 * 3600)).saturating_sub(MARGIN);
        *cached = Some((Secret::new(granted.access_token.clone()), Instant::now() + life));
        Ok(granted.access_token)
    }

    /// Drops `token`, which PayPal no longer accepts, unless it has been replaced already.
    pub(super) async fn forget(&self, token: &str) {
        let mut cached = self.0.lock().await;
        if cached.as_ref().is_some_and(|(cached, _)| cached.expose() == token.as_bytes()) {
            *cached = None;
        }
    }
}

/// Fetches a token from the API at `base`. Every failure is [`GatewayError::Unavailable`]: no payment was touched yet.
pub(super) async fn fetch(
    client: &Client,
    retries: u32,
    base: &str,
    client_id: &str,
    secret: &Secret,
) -> Result<GrantedToken, GatewayError> {
    let credentials = format!("{client_id}:{}", String::from_utf8_lossy(secret.expose()));
    let headers = vec![
        ("accept", "application/json".to_owned()),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ("authorization", format!("Basic {}", BASE64.encode(credentials))),
    ];
    let url = format!("{base}/v1/oauth2/token");
    let request = Request { method: Method::Post, url, headers, body: "grant_type=client_credentials".to_owned() };
    let failed = |why: String| GatewayError::Unavailable(format!("PayPal gave no access token: {why}"));
    let answer = retry::send(client, retries, request, is_retryable, refusal).await;
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    // An unreadable answer may contain a token, so the error does not repeat it.
    let granted = serde_json::from_slice::<GrantedToken>(&answer.body).ok();
    let is_usable = |granted: &GrantedToken| {
        !granted.access_token.is_empty() && granted.access_token.bytes().all(|b| b.is_ascii_graphic())
    };
    granted.filter(is_usable).ok_or_else(|| failed("its answer is not understood".to_owned()))
}
