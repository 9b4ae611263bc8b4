//! What Stripe can be asked to do with subscriptions, with an API key.

use super::{Stripe, no_key};
use crate::domain::event::Envelope;
use crate::gateways::subscriptions::{
    PortalRequest, SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb,
};
use crate::gateways::{BoxFuture, GatewayError, Started};

impl SubscriptionGateway for Stripe {
    fn supports(&self, _: SubscriptionVerb) -> Result<(), String> {
        let why = || "This variant has no API key, so Stripe can't be asked about subscriptions.".to_owned();
        self.api.as_ref().map(|_| ()).ok_or_else(why)
    }

    fn can_subscribe(&self) -> Result<(), String> {
        self.supports(SubscriptionVerb::Refresh)
    }

    fn subscribe<'a>(&'a self, request: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.subscribe(request, &self.owner_key)),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }

    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.call_subscription(call)),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }

    fn portal<'a>(&'a self, request: &'a PortalRequest) -> BoxFuture<'a, Result<String, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.portal(request)),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }
}
