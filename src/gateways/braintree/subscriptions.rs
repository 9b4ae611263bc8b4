//! What Braintree can be asked to do with subscriptions.

use super::Braintree;
use super::api::{Merchant, lacks};
use crate::domain::event::Envelope;
use crate::gateways::subscriptions::{SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb};
use crate::gateways::{BoxFuture, GatewayError, Started};

/// Why a subscription is not started here.
const NO_PAGE: &str = "Braintree has no page on which a customer subscribes: create the subscription with your own code, \
                       from the payment method that your page got of the customer. Its events find their way by themselves";

impl SubscriptionGateway for Braintree {
    fn supports(&self, verb: SubscriptionVerb) -> Result<(), String> {
        self.api.can_call()?;
        lacks(verb).map_or(Ok(()), |why| Err(why.to_owned()))
    }

    fn can_subscribe(&self) -> Result<(), String> {
        Err(NO_PAGE.to_owned())
    }

    fn subscribe<'a>(&'a self, _: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        Box::pin(std::future::ready(Err(GatewayError::Unsupported(NO_PAGE.to_owned()))))
    }

    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(async move {
            let merchant = Merchant { id: &self.merchant_id, keys: &self.keys, live: self.live };
            self.api.call(&merchant, call).await
        })
    }
}
