//! Starts, ends and refreshes subscriptions (<https://razorpay.com/docs/api/payments/subscriptions/>). Razorpay can't
//! take back an end that was decided for the end of a cycle.

use serde_json::json;

use super::api::{event, has_status, started};
use super::subscription::TOKEN;
use super::{Razorpay, no_key};
use crate::domain::event::Envelope;
use crate::gateways::http::Response;
use crate::gateways::json_api::{ApiCall, is_plain};
use crate::gateways::subscriptions::{
    SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb, never_paused_nor_changed,
};
use crate::gateways::{BoxFuture, GatewayError, Started};

impl SubscriptionGateway for Razorpay {
    fn supports(&self, verb: SubscriptionVerb) -> Result<(), String> {
        if verb == SubscriptionVerb::Resume {
            return Err("Razorpay can't take back the end of a subscription.".to_owned());
        }
        never_paused_nor_changed("Razorpay", verb)?;
        self.can_subscribe()
    }

    fn can_subscribe(&self) -> Result<(), String> {
        self.api.as_ref().map(|_| ()).ok_or_else(|| no_key().to_string())
    }

    fn subscribe<'a>(&'a self, request: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        Box::pin(async move {
            let api = self.api.as_ref().ok_or_else(no_key)?;
            if request.trial_days.is_some() {
                return Err(GatewayError::Declined("trial days can't be asked of Razorpay from here".to_owned()));
            }
            let mut notes = serde_json::Map::new();
            notes.insert(TOKEN.to_owned(), json!(request.token));
            if let Some(owner) = &request.owner {
                notes.insert(self.owner_key.clone(), json!(owner));
            }
            let body = json!({
                "plan_id": request.price,
                "quantity": request.quantity,
                "total_count": self.cycles,
                "customer_notify": false,
                "notes": notes,
            });
            let answer = api.json.send(ApiCall::post("/v1/subscriptions", body)).await?;
            started(&answer, false)
        })
    }

    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(async move {
            let api = self.api.as_ref().ok_or_else(no_key)?;
            let id = &call.gateway_ref;
            if !is_plain(id) {
                return Err(GatewayError::Declined("Razorpay has no subscription of this id".to_owned()));
            }
            let (show, cancel) = (format!("/v1/subscriptions/{id}"), format!("/v1/subscriptions/{id}/cancel"));
            let is_over = |shown: &Response| has_status(shown, "cancelled");
            // Nothing shows that an end was decided for the end of a cycle.
            let will_end = |shown: &Response| match is_over(shown) {
                Some(false) if call.tries > 1 => None,
                known => known,
            };
            let request = match call.verb {
                SubscriptionVerb::Cancel => ApiCall::post_empty(cancel),
                SubscriptionVerb::CancelAtEnd => ApiCall::post(cancel, json!({"cancel_at_cycle_end": 1})),
                SubscriptionVerb::Resume
                | SubscriptionVerb::Pause
                | SubscriptionVerb::Unpause
                | SubscriptionVerb::Change => {
                    let why = SubscriptionGateway::supports(self, call.verb).err().unwrap_or_default();
                    return Err(GatewayError::Unsupported(why));
                }
                SubscriptionVerb::Refresh => ApiCall::get(&show),
            };
            // A repeated end is refused.
            let answer = match call.verb {
                SubscriptionVerb::Cancel => api.json.settle(request, show, is_over).await?,
                SubscriptionVerb::CancelAtEnd => api.json.settle(request, show, will_end).await?,
                _ => api.json.send(request).await?,
            };
            Ok(vec![event(call.idempotency_key.clone(), "subscription", answer.text()?, answer.answered_at())?])
        })
    }
}
