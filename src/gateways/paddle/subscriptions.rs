//! Starts, ends, resumes and refreshes subscriptions
//! (<https://developer.paddle.com/api-reference/subscriptions/overview>).

use serde_json::json;

use super::answer::{data, event};
use super::subscription::TOKEN;
use super::{Paddle, no_key};
use crate::domain::event::Envelope;
use crate::gateways::http::Response;
use crate::gateways::json::{Object, short};
use crate::gateways::json_api::{ApiCall, is_plain};
use crate::gateways::reading::nested;
use crate::gateways::subscriptions::{
    SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb, never_paused_nor_changed,
};
use crate::gateways::{BoxFuture, GatewayError, Started};

impl SubscriptionGateway for Paddle {
    fn supports(&self, verb: SubscriptionVerb) -> Result<(), String> {
        never_paused_nor_changed("Paddle", verb)?;
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
            let items = json!([{"price_id": request.price, "quantity": request.quantity}]);
            let opened = api.opened(json!({"items": items, "collection_mode": "automatic", "custom_data": own}));
            // The transaction is one of the payment that it takes, which its events make.
            opened.await.map(|started| match started {
                Started::Redirect { url, .. } => Started::Redirect { url, gateway_refs: Vec::new() },
                done @ Started::Done => done,
            })
        })
    }

    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(async move {
            let api = self.api.as_ref().ok_or_else(no_key)?;
            let id = &call.gateway_ref;
            if !is_plain(id) {
                return Err(GatewayError::Declined("Paddle has no subscription of this id".to_owned()));
            }
            let path = format!("/subscriptions/{id}");
            let cancel = |from: &str| ApiCall::post(format!("{path}/cancel"), json!({"effective_from": from}));
            let request = match call.verb {
                SubscriptionVerb::Cancel => cancel("immediately").repeatable(),
                SubscriptionVerb::CancelAtEnd => cancel("next_billing_period").repeatable(),
                SubscriptionVerb::Resume => ApiCall::patch(path.clone(), json!({"scheduled_change": null})),
                SubscriptionVerb::Pause | SubscriptionVerb::Unpause | SubscriptionVerb::Change => {
                    let why = SubscriptionGateway::supports(self, call.verb).err().unwrap_or_default();
                    return Err(GatewayError::Unsupported(why));
                }
                SubscriptionVerb::Refresh => ApiCall::get(path.clone()),
            };
            // A repeated end is refused, and so is one that was decided in Paddle's dashboard.
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
    let has_ended = short(&subscription, "status")? == "canceled";
    let change = nested(&subscription, "scheduled_change", "action");
    Some(match verb {
        SubscriptionVerb::Cancel => has_ended,
        SubscriptionVerb::CancelAtEnd => has_ended || change.as_deref() == Some("cancel"),
        _ => !has_ended && change.is_none(),
    })
}
