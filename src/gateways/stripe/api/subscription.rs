//! Starts, ends, resumes and refreshes subscriptions
//! (<https://docs.stripe.com/api/checkout/sessions/create>, <https://docs.stripe.com/api/subscriptions>).

use serde::Deserialize;

use super::Api;
use super::answer::event;
use super::form::Form;
use crate::domain::event::Envelope;
use crate::gateways::stripe::interpret::subscription::TOKEN;
use crate::gateways::subscriptions::{SubscriptionCall, SubscriptionRequest, SubscriptionVerb};
use crate::gateways::{GatewayError, Started};

/// The fields of a session that are used here.
#[derive(Deserialize)]
struct Session {
    url: Option<String>,
}

/// The field of a subscription that is used here.
#[derive(Deserialize)]
struct Shown {
    status: String,
}

impl Api {
    /// Creates a checkout session of mode subscription. The idempotency key is made of the subscription's token.
    pub(in crate::gateways::stripe) async fn subscribe(
        &self,
        request: &SubscriptionRequest,
        owner_key: &str,
    ) -> Result<Started, GatewayError> {
        let key = format!("{}-checkout", request.token);
        let answer = self.post("/v1/checkout/sessions", form(request, owner_key)?, &key).await?;
        let session: Session =
            serde_json::from_slice(&answer.body).map_err(|error| GatewayError::Malformed(error.to_string()))?;
        let url = session.url.ok_or_else(|| GatewayError::Malformed("the session has no address".to_owned()))?;
        // The session is one of the payment that it takes, which its events make.
        Ok(Started::Redirect { url, gateway_refs: Vec::new() })
    }

    /// Carries out the call, and returns the resulting state as an event.
    pub(in crate::gateways::stripe) async fn call_subscription(
        &self,
        call: &SubscriptionCall,
    ) -> Result<Vec<Envelope>, GatewayError> {
        let id = &call.gateway_ref;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(GatewayError::Declined("Stripe has no subscription of this id".to_owned()));
        }
        let path = format!("/v1/subscriptions/{id}");
        let key = &call.idempotency_key;
        let acted = match call.verb {
            SubscriptionVerb::Cancel => self.delete(&path, key).await.map(drop),
            SubscriptionVerb::CancelAtEnd => self.post(&path, at_period_end(true), key).await.map(drop),
            SubscriptionVerb::Resume => self.post(&path, at_period_end(false), key).await.map(drop),
            SubscriptionVerb::Refresh => Ok(()),
        };
        // Stripe answers a repeated call with its first answer, which may be old, and a repeated end with a refusal.
        if !matches!((&acted, call.verb), (Ok(()), _) | (Err(GatewayError::Declined(_)), SubscriptionVerb::Cancel)) {
            return acted.map(|()| Vec::new());
        }
        let read = self.get(&path, Form::default()).await;
        let answer = match (acted, read) {
            (Ok(()), Ok(answer)) => answer,
            (Ok(()), Err(error)) if call.verb == SubscriptionVerb::Refresh => return Err(error),
            (Ok(()), Err(error)) => return Err(GatewayError::Malformed(error.to_string())),
            (Err(_), Ok(answer)) if has_ended(&answer.body) => answer,
            (Err(declined), _) => return Err(declined),
        };
        Ok(vec![event(key.clone(), answer.text()?, answer.answered_at())?])
    }
}

/// Whether the answer shows a subscription that has ended.
fn has_ended(body: &[u8]) -> bool {
    let read: Result<Shown, _> = serde_json::from_slice(body);
    read.is_ok_and(|shown| shown.status == "canceled")
}

fn at_period_end(ends: bool) -> Form {
    let mut form = Form::default();
    form.add("cancel_at_period_end", if ends { "true" } else { "false" });
    form
}

fn form(request: &SubscriptionRequest, owner_key: &str) -> Result<Form, GatewayError> {
    let mut form = Form::default();
    form.add("mode", "subscription");
    let Some(return_url) = &request.return_url else {
        return Err(GatewayError::Declined("Stripe needs a return_url, where the customer goes afterwards".to_owned()));
    };
    form.add("success_url", return_url);
    form.add_optional("cancel_url", request.cancel_url.as_ref());
    form.add("line_items[0][price]", &request.price);
    form.add("line_items[0][quantity]", request.quantity.to_string());
    form.add_optional("client_reference_id", request.owner.as_ref());
    // Stripe does not copy the session's metadata to the subscription, whose events contain nothing else of ours.
    for name in ["metadata", "subscription_data[metadata]"] {
        form.add(&format!("{name}[{TOKEN}]"), &request.token);
        form.add_optional(&format!("{name}[{owner_key}]"), request.owner.as_ref());
    }
    form.add_optional("subscription_data[trial_period_days]", request.trial_days.map(|days| days.to_string()));
    form.add_optional("customer_email", request.customer.as_ref());
    form.add_optional("locale", request.locale.as_ref());
    Ok(form)
}
