//! Which access token goes with a call? One that PayPal gave for the app's client ID and secret
//! (<https://developer.paypal.com/api/rest/authentication/>), kept until shortly before it ends.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::{Api, again, refusal};
use crate::gateways::GatewayError;
use crate::gateways::http::Request;
use crate::gateways::signature::Secret;
use crate::gateways::tries;

/// How long before its end a token is replaced: longer than a call takes.
const MARGIN: Duration = Duration::from_secs(300);

/// The token that is at hand, if there is one. Who holds the lock fetches; the others wait for what it gets.
#[derive(Debug, Default)]
pub(super) struct Token(tokio::sync::Mutex<Option<(Secret, Instant)>>);

/// What PayPal answers.
#[derive(Deserialize)]
pub(super) struct Granted {
    access_token: String,
    /// In seconds.
    expires_in: u64,
}

impl Token {
    /// The token at hand, else a new one.
    pub(super) async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Result<String, GatewayError>
    where
        F: Future<Output = Result<Granted, GatewayError>>,
    {
        let mut kept = self.0.lock().await;
        if let Some((token, until)) = kept.as_ref()
            && Instant::now() < *until
        {
            return Ok(String::from_utf8_lossy(token.expose()).into_owned());
        }
        let granted = fetch().await?;
        let life = Duration::from_secs(granted.expires_in.min(24 * 3600)).saturating_sub(MARGIN);
        *kept = Some((Secret::new(granted.access_token.clone()), Instant::now() + life));
        Ok(granted.access_token)
    }

    /// Forgets this token, which is no longer taken, unless there is another already.
    pub(super) async fn forget(&self, token: &str) {
        let mut kept = self.0.lock().await;
        if kept.as_ref().is_some_and(|(kept, _)| kept.expose() == token.as_bytes()) {
            *kept = None;
        }
    }
}

impl Api {
    /// Asks for a token. Whatever goes wrong, nothing has been done with any payment.
    pub(super) async fn fetch_token(&self) -> Result<Granted, GatewayError> {
        let client = format!("{}:{}", self.client_id, String::from_utf8_lossy(self.secret.expose()));
        let headers = vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("authorization", format!("Basic {}", BASE64.encode(client))),
        ];
        let url = format!("{}/v1/oauth2/token", self.base());
        let request = Request { post: true, url, headers, body: "grant_type=client_credentials".to_owned() };
        let failed = |why: String| GatewayError::Unavailable(format!("PayPal gave no access token: {why}"));
        let answer = tries::send(&self.client, self.retries, request, again, refusal).await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        // What can't be read may hold a token, so it is not repeated.
        let granted = serde_json::from_slice::<Granted>(&answer.body).ok();
        let plain = |granted: &Granted| {
            !granted.access_token.is_empty() && granted.access_token.bytes().all(|b| b.is_ascii_graphic())
        };
        granted.filter(plain).ok_or_else(|| failed("its answer is not understood".to_owned()))
    }
}
