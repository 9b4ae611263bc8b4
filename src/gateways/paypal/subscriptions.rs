//! What PayPal can be asked to do with subscriptions, with a client ID and secret.

use super::api::subscription::lacks;
use super::{PayPal, no_client};
use crate::domain::event::Envelope;
use crate::gateways::subscriptions::{SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb};
use crate::gateways::{BoxFuture, GatewayError, Started};

impl SubscriptionGateway for PayPal {
    fn supports(&self, verb: SubscriptionVerb) -> Result<(), String> {
        if let Some(why) = lacks(verb) {
            return Err(why.to_owned());
        }
        let why = "This variant has no client ID and secret of PayPal's, so PayPal can't be asked about subscriptions.";
        self.api.as_ref().map(|_| ()).ok_or_else(|| why.to_owned())
    }

    fn can_subscribe(&self) -> Result<(), String> {
        self.supports(SubscriptionVerb::Refresh)
    }

    fn subscribe<'a>(&'a self, request: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.subscribe(request)),
            None => Box::pin(std::future::ready(Err(no_client()))),
        }
    }

    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.call_subscription(call)),
            None => Box::pin(std::future::ready(Err(no_client()))),
        }
    }
}
