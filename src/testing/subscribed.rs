//! The subscriptions that a stand-in started, and what is done with them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::event::Envelope;
use crate::domain::later;
use crate::domain::money::Money;
use crate::gateways::GatewayError;
use crate::gateways::subscriptions::{SubscriptionCall, SubscriptionRequest, SubscriptionVerb};
use crate::testing::happening::{Format, PERIOD, Plan, Turn};
use crate::testing::story::Story;

/// What a stand-in knows of subscriptions.
#[derive(Default)]
pub(super) struct Subscribed {
    /// What each price costs for a month.
    pub(super) prices: BTreeMap<String, Money>,
    pub(super) requests: Vec<SubscriptionRequest>,
    pub(super) calls: Vec<SubscriptionCall>,
    started: Vec<Begun>,
    /// What was answered to the calls that were done, by their keys.
    done: BTreeMap<String, Vec<Envelope>>,
}

/// A subscription as it was bought, and changed since.
#[derive(Clone)]
struct Begun {
    token: String,
    owner: Option<String>,
    price: String,
    quantity: u32,
}

impl Subscribed {
    /// Whether it can be begun.
    pub(super) fn check(&self, request: &SubscriptionRequest) -> Result<(), GatewayError> {
        self.cost(&request.price).map(drop)
    }

    /// The customer is on the way to the checkout.
    pub(super) fn begin(&mut self, request: &SubscriptionRequest) {
        self.requests.push(request.clone());
        self.started.push(Begun {
            token: request.token.to_string(),
            owner: request.owner.clone(),
            price: request.price.clone(),
            quantity: request.quantity,
        });
    }

    /// Does what a call asks for, unless it was done under this key.
    pub(super) fn done(&mut self, format: &dyn Format, call: &SubscriptionCall) -> Result<Vec<Envelope>, GatewayError> {
        if let Some(answered) = self.done.get(&call.idempotency_key) {
            return Ok(answered.clone());
        }
        let is_it = |begun: &Begun| format.subscription_ref(&begun.token).is_some_and(|id| id == call.gateway_ref);
        let place = self.started.iter().position(is_it);
        let place = place.ok_or_else(|| declined("this stand-in did not start the subscription"))?;
        let mut begun = self.started[place].clone();
        let turn = match call.verb {
            // Nothing is known that the company's own events have not told.
            SubscriptionVerb::Refresh => return Ok(Vec::new()),
            SubscriptionVerb::Cancel => Turn::Ended,
            SubscriptionVerb::CancelAtEnd => Turn::CancelScheduled,
            SubscriptionVerb::Resume => Turn::Resumed,
            SubscriptionVerb::Change => {
                let change = call.change.as_ref().ok_or_else(|| declined("nothing was said of what to change"))?;
                begun.price = change.price.clone().unwrap_or(begun.price);
                begun.quantity = change.quantity.unwrap_or(begun.quantity);
                // What is to end still does.
                if call.state.cancel_at.is_some() { Turn::CancelScheduled } else { Turn::Changed }
            }
            SubscriptionVerb::Pause | SubscriptionVerb::Unpause => return Err(declined("a stand-in pauses nothing")),
        };
        let plan = plan(&begun, self.cost(&begun.price)?, call);
        let events = format.subscription(turn, &plan).ok_or_else(|| {
            GatewayError::Unsupported(format!(
                "{} can't be asked to {} a subscription",
                format.name(),
                call.verb.words()
            ))
        })?;
        self.started[place] = begun;
        let events = Story::envelopes(events, &call.idempotency_key);
        self.done.insert(call.idempotency_key.clone(), events.clone());
        Ok(events)
    }

    fn cost(&self, price: &str) -> Result<Money, GatewayError> {
        let known = || {
            let known: Vec<&str> = self.prices.keys().map(String::as_str).collect();
            declined(format!("expected one of the prices {:?} of the stand-in, got {price:?}", known.join(", ")))
        };
        self.prices.get(price).copied().ok_or_else(known)
    }
}

fn declined(why: impl Into<String>) -> GatewayError {
    GatewayError::Declined(why.into())
}

/// The subscription as the company knows it once a call is done.
fn plan(begun: &Begun, price: Money, call: &SubscriptionCall) -> Plan {
    let asked = call.requested_at.replace_nanosecond(0).unwrap_or(call.requested_at);
    // It is later than what events have shown.
    let at = call.state.as_of.map_or(asked, |shown| asked.max(later(shown, Duration::from_secs(1))));
    let started = call.state.started_at.unwrap_or(at);
    let period = call.state.period.map_or((started, later(started, PERIOD)), |period| (period.start, period.end));
    let elapsed = (period.0 - started).whole_seconds() / i64::try_from(PERIOD.as_secs()).unwrap_or(i64::MAX);
    Plan {
        id: begun.token.clone(),
        token: Some(begun.token.clone()),
        owner: begun.owner.clone(),
        account: call.account.clone(),
        price_id: begun.price.clone(),
        price,
        quantity: begun.quantity,
        at,
        started,
        period,
        number: u32::try_from(elapsed).unwrap_or(0) + 1,
        has_failed: false,
        attempts: 1,
    }
}
