//! PayPal's billing subscriptions (<https://developer.paypal.com/docs/api/subscriptions/v1/>). One starts with our
//! token as its `custom_id`, and the customer approves it on a page of PayPal's.

use serde_json::{Value, json};

use super::{Api, ApiRequest, answer};
use crate::domain::event::Envelope;
use crate::gateways::http::Response;
use crate::gateways::paypal::answered::ObjectType;
use crate::gateways::subscriptions::{SubscriptionCall, SubscriptionRequest, SubscriptionVerb};
use crate::gateways::{GatewayError, Started, retry};

impl Api {
    /// Creates a subscription to a plan. The idempotency key is made of the subscription's token.
    pub(in crate::gateways::paypal) async fn subscribe(
        &self,
        request: &SubscriptionRequest,
    ) -> Result<Started, GatewayError> {
        let key = format!("{}-checkout", request.token);
        let answer = self.send(ApiRequest::post("/v1/billing/subscriptions", &body(request)?, key)).await?;
        let subscription = answer::read(&answer)?;
        let links = subscription.objects("links", "a link").unwrap_or_default();
        let approve = links.iter().find(|link| link.text("rel").ok().flatten().as_deref() == Some("approve"));
        let url = approve.and_then(|link| link.text("href").ok().flatten()).map(|href| href.into_owned());
        let missing = "expected the customer's address of PayPal's subscription, got none";
        let url = url.ok_or_else(|| GatewayError::Malformed(missing.to_owned()))?;
        Ok(Started::Redirect { url, gateway_refs: Vec::new() })
    }

    /// Carries out the call, and returns the resulting state as an event.
    pub(in crate::gateways::paypal) async fn call_subscription(
        &self,
        call: &SubscriptionCall,
    ) -> Result<Vec<Envelope>, GatewayError> {
        let id = Some(&call.gateway_ref).filter(|id| answer::is_plain(id));
        let id = id.ok_or_else(|| GatewayError::Declined("PayPal has no subscription of this id".to_owned()))?;
        let path = format!("/v1/billing/subscriptions/{id}");
        let (step, becomes) = match call.verb {
            SubscriptionVerb::Cancel => ("cancel", "CANCELLED"),
            SubscriptionVerb::Pause => ("suspend", "SUSPENDED"),
            SubscriptionVerb::Unpause => ("activate", "ACTIVE"),
            SubscriptionVerb::Refresh => ("", ""),
            other => return Err(GatewayError::Unsupported(lacks(other).unwrap_or_default().to_owned())),
        };
        let acted = if step.is_empty() {
            Ok(())
        } else {
            let reason = json!({"reason": "asked for by the merchant"});
            let request = ApiRequest::post(format!("{path}/{step}"), &reason, &call.idempotency_key);
            self.send(request).await.map(drop)
        };
        // PayPal refuses to repeat what is done already, so it is asked how it stands also then.
        if !matches!(acted, Ok(()) | Err(GatewayError::Declined(_))) {
            return acted.map(|()| Vec::new());
        }
        let found = self.find(&path).await;
        let shown = match (acted, found) {
            (Ok(()), Ok(Some(shown))) => shown,
            (Ok(()), Ok(None)) => {
                let unknown = "PayPal does not know the subscription".to_owned();
                let is_asked = call.verb == SubscriptionVerb::Refresh;
                return Err(if is_asked { GatewayError::Declined } else { GatewayError::Malformed }(unknown));
            }
            (Ok(()), Err(error)) if call.verb == SubscriptionVerb::Refresh => return Err(error),
            (Ok(()), Err(error)) => return Err(GatewayError::Malformed(error.to_string())),
            (Err(declined), Ok(Some(shown))) => match has_status(&shown, becomes) {
                Ok(true) => shown,
                Ok(false) => return Err(declined),
                Err(unread) => return Err(retry::unseen(declined, unread)),
            },
            (Err(declined), Ok(None)) => return Err(declined),
            (Err(declined), Err(unread)) => return Err(retry::unseen(declined, unread)),
        };
        let event = answer::event(call.idempotency_key.clone(), ObjectType::Subscription, &shown)?;
        Ok(vec![Envelope { livemode: Some(self.live), ..event }])
    }
}

/// What PayPal can't be asked for, and why not.
pub(in crate::gateways::paypal) fn lacks(verb: SubscriptionVerb) -> Option<&'static str> {
    match verb {
        SubscriptionVerb::CancelAtEnd => {
            Some("PayPal ends a subscription at once or not at all: cancel it when its period is over.")
        }
        SubscriptionVerb::Resume => Some("PayPal has no end of a subscription that could be taken back."),
        SubscriptionVerb::Change => {
            Some("PayPal changes a subscription only after the customer has agreed on its page: start another one.")
        }
        _ => None,
    }
}

fn has_status(shown: &Response, status: &str) -> Result<bool, GatewayError> {
    let known = answer::read(shown)?.text("status").map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
    Ok(known.as_deref() == Some(status))
}

/// The body of the request that creates a subscription.
fn body(request: &SubscriptionRequest) -> Result<Value, GatewayError> {
    let Some(return_url) = &request.return_url else {
        return Err(GatewayError::Declined("PayPal needs a return_url, where the customer goes afterwards".to_owned()));
    };
    if request.trial_days.is_some() {
        let why = "PayPal's plan says whether there is a trial: choose a plan that has it";
        return Err(GatewayError::Declined(why.to_owned()));
    }
    let cancel_url = request.cancel_url.as_ref().unwrap_or(return_url);
    let mut context = json!({
        "return_url": return_url, "cancel_url": cancel_url, "user_action": "SUBSCRIBE_NOW",
        "shipping_preference": "NO_SHIPPING",
    });
    if let Some(locale) = &request.locale {
        context["locale"] = locale.as_str().into();
    }
    let mut body = json!({
        "plan_id": request.price, "quantity": request.quantity.to_string(), "custom_id": request.token,
        "application_context": context,
    });
    if let Some(email) = request.customer.as_ref().filter(|text| text.contains('@')) {
        body["subscriber"] = json!({"email_address": email});
    }
    Ok(body)
}
