//! The calls of Braintree's API that are made here: a subscription's end and its state, by the XML interface that
//! Braintree's own server libraries use
//! (<https://developer.paypal.com/braintree/docs/reference/request/subscription/cancel>).

use std::time::Duration;

use bytes::Bytes;
use time::format_description::well_known::Rfc3339;

use super::notification::ANSWERED;
use super::verify::Keys;
use crate::domain::Timestamp;
use crate::domain::event::Envelope;
use crate::gateways::http::{Client, Method, Request, Response, check_base};
use crate::gateways::subscriptions::{SubscriptionCall, SubscriptionVerb};
use crate::gateways::{GatewayError, retry};

/// The addresses of Braintree's API.
const SANDBOX: &str = "https://api.sandbox.braintreegateway.com";
const LIVE: &str = "https://api.braintreegateway.com";
/// The version of the interface, as Braintree's libraries send it.
const VERSION: &str = "6";
/// How long one try may take, as in Braintree's libraries.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a call is retried.
const RETRIES: u32 = 2;

/// The API of one merchant.
#[derive(Debug, Clone)]
pub(super) struct Api {
    /// An address in place of Braintree's own.
    pub(super) base: Option<String>,
    pub(super) retries: u32,
    client: Client,
}

impl Api {
    pub(super) fn new() -> Self {
        Self { base: None, retries: RETRIES, client: Client::new(TIMEOUT) }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.base.as_ref().map_or(Ok(()), |base| check_base("Braintree's API", base))
    }

    /// Whether this build can call Braintree, where receiving needs the same keys.
    pub(super) fn can_call(&self) -> Result<(), String> {
        check_base("Braintree's API", self.base.as_deref().unwrap_or(LIVE))
    }

    /// Carries out the call, and returns the resulting state as an event. Braintree knows no idempotency keys; to end
    /// what has ended is a refusal, after which it is asked how the subscription stands.
    pub(super) async fn call(
        &self,
        merchant: &Merchant<'_>,
        call: &SubscriptionCall,
    ) -> Result<Vec<Envelope>, GatewayError> {
        let id = &call.gateway_ref;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(GatewayError::Declined("Braintree has no subscription of this id".to_owned()));
        }
        let path = format!("/subscriptions/{id}");
        let acted = match call.verb {
            SubscriptionVerb::Refresh => Ok(()),
            SubscriptionVerb::Cancel => self.send(merchant, Method::Put, &format!("{path}/cancel")).await.map(drop),
            verb => Err(GatewayError::Unsupported(lacks(verb).unwrap_or_default().to_owned())),
        };
        if !matches!(acted, Ok(()) | Err(GatewayError::Declined(_))) {
            return acted.map(|()| Vec::new());
        }
        let shown = match (acted, self.send(merchant, Method::Get, &path).await) {
            (Ok(()), Ok(shown)) => shown,
            (Ok(()), Err(error)) if call.verb == SubscriptionVerb::Refresh => return Err(error),
            (Ok(()), Err(error)) => return Err(GatewayError::Malformed(error.to_string())),
            (Err(declined), Ok(shown)) => match has_ended(&shown) {
                Ok(true) => shown,
                Ok(false) => return Err(declined),
                Err(unread) => return Err(retry::unseen(declined, unread)),
            },
            (Err(declined), Err(unread)) => return Err(retry::unseen(declined, unread)),
        };
        event(call.idempotency_key.clone(), &shown, merchant.live).map(|event| vec![event])
    }

    async fn send(&self, merchant: &Merchant<'_>, method: Method, path: &str) -> Result<Response, GatewayError> {
        let own = if merchant.live { LIVE } else { SANDBOX };
        let base = self.base.as_deref().unwrap_or(own).trim_end_matches('/');
        let headers = vec![
            ("accept", "application/xml".to_owned()),
            ("content-type", "application/xml".to_owned()),
            ("x-apiversion", VERSION.to_owned()),
            ("authorization", merchant.keys.basic()),
        ];
        let url = format!("{base}/merchants/{}{path}", merchant.id);
        let request = Request { method, url, headers, body: String::new() };
        retry::send(&self.client, self.retries, request, |answer| answer.status >= 500, refusal).await
    }
}

/// Whose API it is.
pub(super) struct Merchant<'a> {
    pub(super) id: &'a str,
    pub(super) keys: &'a Keys,
    pub(super) live: bool,
}

/// What Braintree can't be asked for, and why not.
pub(super) fn lacks(verb: SubscriptionVerb) -> Option<&'static str> {
    match verb {
        SubscriptionVerb::Cancel | SubscriptionVerb::Refresh => None,
        SubscriptionVerb::CancelAtEnd => {
            Some("Braintree ends a subscription at once, or after so many cycles: set these in its Control Panel.")
        }
        SubscriptionVerb::Resume => Some("Braintree has no end of a subscription that could be taken back."),
        SubscriptionVerb::Change => Some("A plan is changed in Braintree's Control Panel, or by your own code."),
        _ => Some("Braintree has no pause for subscriptions."),
    }
}

fn refusal(answer: &Response) -> GatewayError {
    // Its texts are for developers; the status says enough.
    let what = match answer.status {
        401 | 403 => "Braintree does not accept the keys",
        404 => "Braintree does not know the subscription",
        422 => "Braintree refuses it for a subscription in this status",
        426 => "Braintree wants a newer version of its interface",
        _ => "Braintree did not do it",
    };
    retry::refusal(answer.status, format!("{} {what}", answer.status))
}

fn has_ended(answer: &Response) -> Result<bool, GatewayError> {
    let text = answer.text()?;
    if !text.contains("<status>") {
        return Err(unread());
    }
    Ok(["<status>Canceled</status>", "<status>Expired</status>"].iter().any(|ended| text.contains(ended)))
}

fn unread() -> GatewayError {
    GatewayError::Malformed("expected a subscription as XML".to_owned())
}

/// The notification that would show the answer's subscription. Its kind is none of Braintree's.
fn event(id: String, answer: &Response, live: bool) -> Result<Envelope, GatewayError> {
    let at: Timestamp = answer.answered_at();
    let text = answer.text()?;
    let start = text.find("<subscription>").or_else(|| text.find("<subscription "));
    let object = &text[start.ok_or_else(unread)?..];
    let time = at.format(&Rfc3339).map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
    let body = format!(
        "<notification><kind>{ANSWERED}</kind><timestamp type=\"datetime\">{time}</timestamp>\
         <subject>{object}</subject></notification>"
    );
    super::notification::parse(&body).map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
    Ok(Envelope {
        id,
        kind: ANSWERED.to_owned(),
        occurred_at: Some(at),
        livemode: Some(live),
        account: None,
        api_version: Some(VERSION.to_owned()),
        body: Bytes::from(body),
    })
}
