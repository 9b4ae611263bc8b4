//! Starts, ends, resumes and refreshes subscriptions (<https://docs.lemonsqueezy.com/api/subscriptions>). One that is
//! cancelled runs until the end of its period; Lemon Squeezy can't be asked to end one at once.

use serde_json::json;

use super::api::{data, event};
use super::subscription::TOKEN;
use super::{LemonSqueezy, no_key};
use crate::domain::event::Envelope;
use crate::gateways::http::Response;
use crate::gateways::json::{Object, short};
use crate::gateways::json_api::{ApiCall, is_plain};
use crate::gateways::subscriptions::{
    SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb, never_paused_nor_changed,
};
use crate::gateways::{BoxFuture, GatewayError, Started};

impl SubscriptionGateway for LemonSqueezy {
    fn supports(&self, verb: SubscriptionVerb) -> Result<(), String> {
        if verb == SubscriptionVerb::Cancel {
            return Err("Lemon Squeezy ends a subscription with its period, never at once.".to_owned());
        }
        never_paused_nor_changed("Lemon Squeezy", verb)?;
        self.can_subscribe()
    }

    fn can_subscribe(&self) -> Result<(), String> {
        self.api.as_ref().map(|_| ()).ok_or_else(|| no_key().to_string())
    }

    fn subscribe<'a>(&'a self, request: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        Box::pin(async move {
            let api = self.api.as_ref().ok_or_else(no_key)?;
            let mut own = serde_json::Map::new();
            own.insert(TOKEN.to_owned(), json!(request.token));
            if let Some(owner) = &request.owner {
                own.insert(self.owner_key.clone(), json!(owner));
            }
            let mut attributes = json!({"checkout_data": {"custom": own}});
            if let Some(email) = &request.customer {
                attributes["checkout_data"]["email"] = json!(email);
            }
            if let Some(url) = &request.return_url {
                attributes["product_options"] = json!({"redirect_url": url});
            }
            api.opened(&request.price, attributes).await
        })
    }

    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(async move {
            let api = self.api.as_ref().ok_or_else(no_key)?;
            let id = &call.gateway_ref;
            if !is_plain(id) {
                return Err(GatewayError::Declined("Lemon Squeezy has no subscription of this id".to_owned()));
            }
            let path = format!("/v1/subscriptions/{id}");
            let request = match call.verb {
                SubscriptionVerb::Cancel
                | SubscriptionVerb::Pause
                | SubscriptionVerb::Unpause
                | SubscriptionVerb::Change => {
                    let why = SubscriptionGateway::supports(self, call.verb).err().unwrap_or_default();
                    return Err(GatewayError::Unsupported(why));
                }
                SubscriptionVerb::CancelAtEnd => ApiCall::delete(&path),
                SubscriptionVerb::Resume => {
                    let data = json!({"type": "subscriptions", "id": id, "attributes": {"cancelled": false}});
                    ApiCall::patch(&path, json!({"data": data}))
                }
                SubscriptionVerb::Refresh => ApiCall::get(&path),
            };
            // What is cancelled can't be cancelled again.
            let answer = match call.verb {
                SubscriptionVerb::Refresh => api.json.send(request).await?,
                verb => api.json.settle(request, path, |shown| is_so(verb, shown)).await?,
            };
            Ok(vec![event(call.idempotency_key.clone(), "subscription", data(&answer)?, answer.answered_at())?])
        })
    }
}

/// Whether the answer shows the subscription as the call would leave it; `None` if it does not say.
fn is_so(verb: SubscriptionVerb, shown: &Response) -> Option<bool> {
    let subscription = Object::read(data(shown).ok()?, "a subscription").ok()?;
    let of = subscription.object("attributes", "a subscription").ok()??;
    let is_cancelled = of.bool("cancelled").ok()??;
    let has_ended = short(&of, "status")? == "expired";
    Some(if verb == SubscriptionVerb::CancelAtEnd { is_cancelled || has_ended } else { !is_cancelled && !has_ended })
}
