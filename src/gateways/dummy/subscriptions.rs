//! The dummy gateway's subscriptions: they begin on a page of its own, and calls about them are carried out at once. It
//! keeps no state, so the event that answers is made of what is known here.

use std::time::Duration;

use super::plan::Plan;
use super::verify::envelope;
use super::{Dummy, manage};
use crate::domain::event::Envelope;
use crate::domain::money::Money;
use crate::domain::subscription::SubscriptionStatus;
use crate::domain::{Timestamp, later};
use crate::gateways::subscriptions::{
    PlanChange, PortalRequest, Proration, SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb,
};
use crate::gateways::{BoxFuture, GatewayError, Started};

impl SubscriptionGateway for Dummy {
    fn supports(&self, _: SubscriptionVerb) -> Result<(), String> {
        Ok(())
    }

    fn subscribe<'a>(&'a self, request: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        Box::pin(std::future::ready(self.redirect_to_subscription(request)))
    }

    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(std::future::ready(self.carry_out(call)))
    }

    fn portal<'a>(&'a self, request: &'a PortalRequest) -> BoxFuture<'a, Result<String, GatewayError>> {
        Box::pin(std::future::ready(self.page_of(request)))
    }
}

fn declined<T>(why: impl Into<String>) -> Result<T, GatewayError> {
    Err(GatewayError::Declined(why.into()))
}

impl Dummy {
    fn redirect_to_subscription(&self, request: &SubscriptionRequest) -> Result<Started, GatewayError> {
        let Some(address) = &request.address else { return Err(not_mounted()) };
        let (amount, interval) = self.price_of(&request.price)?;
        let plan = Plan {
            id: format!("ds_{}", request.token),
            token: Some(request.token.to_string()),
            owner: request.owner.clone(),
            customer: request.customer.clone(),
            price: request.price.clone(),
            quantity: request.quantity,
            amount,
            interval,
            trial_days: request.trial_days.unwrap_or(0),
            status: SubscriptionStatus::Incomplete,
            clock: Timestamp::UNIX_EPOCH,
            period: None,
            trial_end: None,
            cancel_at: None,
            attempts: 0,
            return_url: request.return_url.clone(),
            cancel_url: request.cancel_url.clone(),
        };
        Ok(Started::Redirect { url: manage::link(&self.secret, address, &plan), gateway_refs: Vec::new() })
    }

    /// The page from which the subscription's clock is moved on.
    fn page_of(&self, request: &PortalRequest) -> Result<String, GatewayError> {
        let Some(address) = &request.address else { return Err(not_mounted()) };
        let Some(plan) = Plan::of(&request.gateway_ref, &request.state, Timestamp::UNIX_EPOCH) else {
            return declined("no event has said yet what it costs");
        };
        let plan = Plan { return_url: Some(request.return_url.clone()), ..plan };
        Ok(manage::link(&self.secret, address, &plan))
    }

    fn price_of(&self, price: &str) -> Result<(Money, String), GatewayError> {
        let known = || {
            if self.prices.is_empty() {
                return GatewayError::Declined("the dummy has no prices; add one with Dummy::price".to_owned());
            }
            let known: Vec<&str> = self.prices.keys().map(String::as_str).collect();
            GatewayError::Declined(format!("expected one of the prices {}, got {price:?}", known.join(", ")))
        };
        self.prices.get(price).cloned().ok_or_else(known)
    }

    fn carry_out(&self, call: &SubscriptionCall) -> Result<Vec<Envelope>, GatewayError> {
        // Without state there is nothing to add to the events that were sent.
        if call.verb == SubscriptionVerb::Refresh {
            return Ok(Vec::new());
        }
        let Some(mut plan) = Plan::of(&call.gateway_ref, &call.state, call.requested_at) else {
            return declined("no event has said yet what it costs");
        };
        match call.verb {
            SubscriptionVerb::Cancel => plan.status = SubscriptionStatus::Canceled,
            SubscriptionVerb::CancelAtEnd => match plan.period {
                Some((_, end)) => plan.cancel_at = Some(end),
                None => return declined("it has no period that could end"),
            },
            SubscriptionVerb::Resume => plan.cancel_at = None,
            SubscriptionVerb::Pause => plan.status = SubscriptionStatus::Paused,
            SubscriptionVerb::Unpause => plan.status = SubscriptionStatus::Active,
            SubscriptionVerb::Change => self.change(&mut plan, call.change.as_ref())?,
            SubscriptionVerb::Refresh => {}
        }
        // The clock of the subscription may have been moved ahead of the host's.
        let at = later(plan.clock, Duration::from_secs(1));
        let event = envelope(&plan.event(call.idempotency_key.clone()).body(at).into());
        event.map(|event| vec![event]).ok_or_else(|| GatewayError::Malformed("an event of its own".to_owned()))
    }

    fn change(&self, plan: &mut Plan, change: Option<&PlanChange>) -> Result<(), GatewayError> {
        let Some(change) = change else { return declined("nothing was said of what to change") };
        if !matches!(change.proration, None | Some(Proration::None)) {
            return declined("the dummy gateway bills no part of a period");
        }
        if change.of.as_ref().is_some_and(|price| *price != plan.price) {
            return declined(format!("expected the price to be changed to be {:?}", plan.price));
        }
        if let Some(price) = &change.price {
            (plan.amount, plan.interval) = self.price_of(price)?;
            plan.price.clone_from(price);
        }
        plan.quantity = change.quantity.unwrap_or(plan.quantity);
        Ok(())
    }
}

fn not_mounted() -> GatewayError {
    let why = "the dummy gateway has a page only where its variant is mounted, and it is not";
    GatewayError::Unsupported(why.to_owned())
}
