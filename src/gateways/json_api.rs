//! The client for JSON APIs that several gateways share: credentials, retries, and what an error answer means.

use std::fmt::Write;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::http::{Client, Method, Request, Response, check_base};
use super::signature::Secret;
use super::{BoxFuture, Call, GatewayError, retry};
use crate::domain::fact::Aspect;

/// How long one try may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a call is retried by default.
const RETRIES: u32 = 2;
/// The longest part of the company's message that is repeated, in characters.
const MESSAGE: usize = 500;
/// Where companies have a code in their error answers.
const CODES: [&str; 6] =
    ["/error/code", "/errors/0/code", "/errorCode", "/error/reason", "/errors/0/title", "/error/type"];
/// Where companies have a message in their error answers.
const MESSAGES: [&str; 7] =
    ["/error/detail", "/error/description", "/errors/0/detail", "/message", "/detail/0/msg", "/detail", "/error"];

/// How a company's API knows the merchant.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    /// `Authorization`, with this word before the key: `Bearer`.
    Key(&'static str, Secret),
    /// `Authorization: Basic`, with a public name and a secret.
    Basic(String, Secret),
    /// A header field of the company's own.
    Header(&'static str, Secret),
}

/// The API of a company, with the credentials of one merchant.
#[derive(Debug, Clone)]
pub(super) struct JsonApi {
    company: &'static str,
    credentials: Credentials,
    pub(super) base: String,
    pub(super) retries: u32,
    /// The header fields that every request has.
    headers: Vec<(&'static str, &'static str)>,
    client: Client,
}

/// One request.
pub(super) struct ApiCall {
    method: Method,
    path: String,
    body: Option<Value>,
    header: Option<(&'static str, String)>,
    repeatable: bool,
    /// Whether the company gives every try the answer of the first one.
    acts_once: bool,
}

impl ApiCall {
    /// A GET, which changes nothing.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::Get, path: path.into(), body: None, header: None, repeatable: true, acts_once: false }
    }

    /// A POST that is sent once, because the company would act on it twice.
    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::Post,
            path: path.into(),
            body: Some(body),
            header: None,
            repeatable: false,
            acts_once: false,
        }
    }

    /// A POST without a body, which has the same effect however often it is sent.
    pub(super) fn post_empty(path: impl Into<String>) -> Self {
        Self { method: Method::Post, path: path.into(), body: None, header: None, repeatable: true, acts_once: false }
    }

    /// A DELETE, which has the same effect however often it is sent.
    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::Delete, path: path.into(), body: None, header: None, repeatable: true, acts_once: false }
    }

    /// A PATCH, which has the same effect however often it is sent.
    pub(super) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::Patch,
            path: path.into(),
            body: Some(body),
            header: None,
            repeatable: true,
            acts_once: false,
        }
    }

    /// A PUT, which has the same effect however often it is sent.
    pub(super) fn put(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::Put, ..Self::patch(path, body) }
    }

    /// Declares that the company acts once, however often the call is sent.
    pub(super) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self.acts_once = true;
        self
    }

    /// Adds the header field with the idempotency key: the company acts once for it.
    pub(super) fn idempotent(mut self, header: &'static str, key: impl Into<String>) -> Self {
        self.header = Some((header, key.into()));
        self.repeatable()
    }
}

impl JsonApi {
    pub(super) fn new(
        company: &'static str,
        credentials: Credentials,
        base: impl Into<String>,
        headers: impl Into<Vec<(&'static str, &'static str)>>,
    ) -> Self {
        let (base, headers, client) = (base.into(), headers.into(), Client::new(TIMEOUT));
        Self { company, credentials, base, retries: RETRIES, headers, client }
    }

    /// Checks that key and address are usable.
    pub(super) fn check(&self) -> Result<(), String> {
        let (Credentials::Key(_, secret) | Credentials::Basic(_, secret) | Credentials::Header(_, secret)) =
            &self.credentials;
        let company = self.company;
        if let Some(where_blank) = secret.surrounding_blank() {
            return Err(format!("expected an API key of {company}, got one that {where_blank}"));
        }
        if secret.is_blank() || !secret.expose().iter().all(u8::is_ascii_graphic) {
            return Err(format!("expected an API key of {company}, got another text"));
        }
        if let Credentials::Basic(name, _) = &self.credentials
            && (name.is_empty() || name.contains(':') || !name.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(format!("expected the id of an API key of {company}, got another text"));
        }
        check_base(&format!("the API of {company}"), &self.base)
    }

    /// Sends a call, and waits for its answer.
    pub(super) async fn send(&self, call: ApiCall) -> Result<Response, GatewayError> {
        let mut headers = vec![self.authorization(), ("accept", "application/json".to_owned())];
        headers.extend(self.headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        if call.body.is_some() && !self.headers.iter().any(|(name, _)| *name == "content-type") {
            headers.push(("content-type", "application/json".to_owned()));
        }
        headers.extend(call.header);
        // The company's own `accept` replaces the general one.
        if self.headers.iter().any(|(name, _)| *name == "accept") {
            headers.remove(1);
        }
        let url = format!("{}{}", self.base.trim_end_matches('/'), call.path);
        let body = call.body.map(|body| body.to_string()).unwrap_or_default();
        let changes = !matches!(call.method, Method::Get);
        let request = Request { method: call.method, url, headers, body };
        let retries = if call.repeatable { self.retries } else { 0 };
        let (answer, may_have_acted) = retry::tried(&self.client, retries, request, is_retryable, refusal).await;
        answer.map_err(|error| match error {
            // Perhaps because the try before, whose answer was lost, did it.
            GatewayError::Declined(why) if may_have_acted && changes && !call.acts_once => {
                GatewayError::OutcomeUnknown(why)
            }
            error => error,
        })
    }

    /// Sends a call that changes how an object stands. One that is refused may have been carried out all the same: by a
    /// try whose answer was lost, or by somebody else. The object at `path` shows whether it stands as the call asks;
    /// `is_done` is `None` where it does not say.
    pub(super) async fn settle(
        &self,
        call: ApiCall,
        path: impl Into<String>,
        is_done: impl Fn(&Response) -> Option<bool>,
    ) -> Result<Response, GatewayError> {
        match self.send(call).await {
            Err(refused @ (GatewayError::Declined(_) | GatewayError::OutcomeUnknown(_))) => {
                after_refusal(refused, self.send(ApiCall::get(path)).await, is_done)
            }
            answer => answer,
        }
    }

    fn authorization(&self) -> (&'static str, String) {
        let text = |secret: &Secret| String::from_utf8_lossy(secret.expose()).into_owned();
        match &self.credentials {
            Credentials::Key(word, key) => ("authorization", format!("{word} {}", text(key))),
            Credentials::Basic(name, secret) => {
                ("authorization", format!("Basic {}", BASE64.encode(format!("{name}:{}", text(secret)))))
            }
            Credentials::Header(name, key) => (name, text(key)),
        }
    }
}

/// Whether to retry: after an error on the company's side. A rate limit (429) is not retried at once.
fn is_retryable(answer: &Response) -> bool {
    answer.status >= 500
}

fn refusal(answer: &Response) -> GatewayError {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |places: &[&str]| places.iter().find_map(|place| body.pointer(place)?.as_str()).unwrap_or_default();
    let (code, message) = (text(&CODES), text(&MESSAGES));
    let message: String = message.chars().take(MESSAGE).collect();
    let mut said = answer.status.to_string();
    if !code.is_empty() {
        let _ = write!(said, " {code}");
    }
    if !message.is_empty() {
        let _ = write!(said, ": {message}");
    }
    // Adyen's word for a call that may be under way under the same idempotency key.
    match answer.header("transient-error") {
        Some("true") => GatewayError::OutcomeUnknown(said),
        _ => retry::refusal(answer.status, said),
    }
}

/// What a refusal of what may have been done before means, by the object as it is shown: it was done, it was not, or
/// nobody knows.
fn after_refusal(
    refused: GatewayError,
    shown: Result<Response, GatewayError>,
    is_done: impl Fn(&Response) -> Option<bool>,
) -> Result<Response, GatewayError> {
    match shown {
        Ok(shown) => match is_done(&shown) {
            Some(true) => Ok(shown),
            Some(false) => Err(refused),
            None => Err(GatewayError::OutcomeUnknown(format!("{refused}; the answer does not say how it stands"))),
        },
        Err(unread) => Err(retry::unseen(refused, unread)),
    }
}

/// Whether an id is safe to insert into a path or a query.
pub(super) fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The ids of the disputes that are known of a call's payment, as far as they can be inserted into a path.
pub(super) fn disputes(call: &Call) -> impl Iterator<Item = &str> {
    let disputes = call.aspects.iter().filter(|(_, aspect)| **aspect == Aspect::Dispute);
    disputes.map(|(id, _)| id.as_str()).filter(|id| is_plain(id))
}

/// The error for a call about a payment that the company has no suitable object of.
pub(super) fn no_object(company: &str) -> GatewayError {
    GatewayError::Declined(format!("{company} has no object of this payment yet that this could be done with"))
}

/// What `call` makes of the API, where that is set up and supports the verb; otherwise the reason why it does not.
pub(super) fn call_supported<'a, A, T: Send + 'a>(
    api: Option<&'a A>,
    supported: Result<(), String>,
    call: impl FnOnce(&'a A) -> BoxFuture<'a, Result<T, GatewayError>>,
) -> BoxFuture<'a, Result<T, GatewayError>> {
    match (api, supported) {
        (Some(api), Ok(())) => call(api),
        (_, supported) => {
            let why = supported.err().unwrap_or_default();
            Box::pin(std::future::ready(Err(GatewayError::Unsupported(why))))
        }
    }
}
