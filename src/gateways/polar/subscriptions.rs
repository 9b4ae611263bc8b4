//! Starts, ends, resumes and refreshes subscriptions (<https://polar.sh/docs/api-reference/subscriptions/update>).

use serde_json::json;

use super::api::{checkout, event};
use super::subscription::TOKEN;
use super::{Polar, no_token};
use crate::domain::event::Envelope;
use crate::gateways::http::Response;
use crate::gateways::json::Object;
use crate::gateways::json_api::{ApiCall, is_plain};
use crate::gateways::reading::time;
use crate::gateways::subscriptions::{
    SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb, never_paused_nor_changed,
};
use crate::gateways::{BoxFuture, GatewayError, Started};

impl SubscriptionGateway for Polar {
    fn supports(&self, verb: SubscriptionVerb) -> Result<(), String> {
        never_paused_nor_changed("Polar", verb)?;
        self.can_subscribe()
    }

    fn can_subscribe(&self) -> Result<(), String> {
        self.api.as_ref().map(|_| ()).ok_or_else(|| no_token().to_string())
    }

    fn subscribe<'a>(&'a self, request: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        Box::pin(async move {
            let api = self.api.as_ref().ok_or_else(no_token)?;
            let mut metadata = serde_json::Map::new();
            metadata.insert(TOKEN.to_owned(), json!(request.token));
            if let Some(owner) = &request.owner {
                metadata.insert(self.owner_key.clone(), json!(owner));
            }
            let mut body = checkout(&request.price, metadata, request.return_url.as_deref());
            if let Some(owner) = &request.owner {
                body["external_customer_id"] = json!(owner);
            }
            if let Some(email) = &request.customer {
                body["customer_email"] = json!(email);
            }
            let (url, _) = api.opened(body).await?;
            Ok(Started::Redirect { url, gateway_refs: Vec::new() })
        })
    }

    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(async move {
            let api = self.api.as_ref().ok_or_else(no_token)?;
            let id = &call.gateway_ref;
            if !is_plain(id) {
                return Err(GatewayError::Declined("Polar has no subscription of this id".to_owned()));
            }
            let path = format!("/v1/subscriptions/{id}");
            let at_end = |ends: bool| ApiCall::patch(path.clone(), json!({"cancel_at_period_end": ends}));
            let request = match call.verb {
                SubscriptionVerb::Cancel => ApiCall::delete(&path),
                SubscriptionVerb::CancelAtEnd => at_end(true),
                SubscriptionVerb::Resume => at_end(false),
                SubscriptionVerb::Pause | SubscriptionVerb::Unpause | SubscriptionVerb::Change => {
                    let why = SubscriptionGateway::supports(self, call.verb).err().unwrap_or_default();
                    return Err(GatewayError::Unsupported(why));
                }
                SubscriptionVerb::Refresh => ApiCall::get(&path),
            };
            // A repeated end is refused.
            let answer = match call.verb {
                SubscriptionVerb::Refresh => api.json.send(request).await?,
                verb => api.json.settle(request, path, |shown| is_so(verb, shown)).await?,
            };
            Ok(vec![event(call.idempotency_key.clone(), "subscription", answer.text()?, answer.answered_at())?])
        })
    }
}

/// Whether the answer shows the subscription as the call would leave it; `None` if it does not say.
fn is_so(verb: SubscriptionVerb, shown: &Response) -> Option<bool> {
    let subscription = Object::read(shown.text().ok()?, "a subscription").ok()?;
    let has_ended = time(&subscription, "ended_at").is_some();
    let ends = subscription.bool("cancel_at_period_end").ok()??;
    Some(match verb {
        SubscriptionVerb::Cancel => has_ended,
        SubscriptionVerb::CancelAtEnd => has_ended || ends,
        _ => !has_ended && !ends,
    })
}
