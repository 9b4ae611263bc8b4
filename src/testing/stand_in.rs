//! A gateway that answers calls as a test says, and accepts genuine deliveries as always.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References};
use crate::domain::identifier::{GatewayRef, Token};
use crate::domain::money::Money;
use crate::gateways::subscriptions::{SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb};
use crate::gateways::{
    BoxFuture, Call, Gateway, GatewayError, Mode, PaymentRequest, Reply, Setup, Started, Verb, Verification,
};
use crate::testing::happening::{Deal, Format, Step};
use crate::testing::story::Story;
use crate::testing::subscribed::Subscribed;

/// How a stand-in answers a call.
///
/// See [`StandIn::stripe`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The company does it.
    Done,
    /// The company refuses, and would again, for this reason.
    Declined(String),
    /// The company can't be reached, so nothing was done.
    Unreachable,
    /// The company does it, but the answer is lost on the way, so the caller can't know.
    Lost,
    /// There is no answer in time, and nothing was done, but the caller can't know that.
    TimedOut,
}

/// A gateway whose calls are answered as a test says, without a network. Deliveries are verified and read by the real
/// gateway, whose secret signs the events of a [`Company`](super::Company).
///
/// A call whose idempotency key was used already gets the same answer, and nothing is done twice, as at the companies.
/// Clones are the same stand-in. It supports captures, cancels and refunds, but no refresh. It starts, cancels, resumes
/// and changes subscriptions that have a [price](StandIn::price), for the companies whose subscription events the kit
/// writes; that a customer bought one is an event of a [`Company`](super::Company).
#[derive(Clone)]
pub struct StandIn {
    gateway: Arc<dyn Gateway>,
    format: Arc<dyn Format>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What the next calls are answered.
    answers: VecDeque<Answer>,
    starts: VecDeque<Answer>,
    calls: Vec<Call>,
    started: Vec<PaymentRequest>,
    /// The keys of what was done.
    done: BTreeSet<String>,
    /// What was captured of the payments that were captured here.
    captured: BTreeMap<Token, Money>,
    /// The refunds of each payment, with their keys.
    refunds: BTreeMap<Token, Vec<(String, Money)>>,
    subscribed: Subscribed,
}

impl StandIn {
    pub(super) fn new(gateway: Arc<dyn Gateway>, format: Arc<dyn Format>) -> Self {
        Self { gateway, format, state: Arc::default() }
    }

    /// Sets what a price costs a month, so that subscriptions can be started with it and changed to it. Default: there
    /// is no price, and each subscription is declined.
    pub fn price(self, id: impl Into<String>, cost: Money) -> Self {
        self.state().subscribed.prices.insert(id.into(), cost);
        self
    }

    /// Answers the next call about a payment or a subscription like this. A second call of this method sets the answer
    /// to the call after that. All other calls are answered [`Answer::Done`].
    pub fn answer(&self, answer: Answer) {
        self.state().answers.push_back(answer);
    }

    /// Answers the next start of a payment like this, as [`StandIn::answer`] does for calls.
    pub fn answer_start(&self, answer: Answer) {
        self.state().starts.push_back(answer);
    }

    /// Every call about a payment so far, tries included, in their order.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The payments that were started so far.
    pub fn started(&self) -> Vec<PaymentRequest> {
        self.state().started.clone()
    }

    /// Every call about a subscription so far, tries and questions included, in their order.
    pub fn subscription_calls(&self) -> Vec<SubscriptionCall> {
        self.state().subscribed.calls.clone()
    }

    /// The subscriptions that were started so far.
    pub fn subscribed(&self) -> Vec<SubscriptionRequest> {
        self.state().subscribed.requests.clone()
    }

    /// What the company refunded of the payment with this token, in minor units of its currency.
    pub fn refunded(&self, token: &Token) -> i64 {
        self.state().refunds.get(token).map_or(0, |all| all.iter().map(|(_, money)| money.minor).sum())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_now(&self, payment: &PaymentRequest) -> Result<Started, GatewayError> {
        let mut state = self.state();
        let answer = state.starts.pop_front().unwrap_or(Answer::Done);
        failed(&answer)?;
        state.started.push(payment.clone());
        if answer == Answer::Lost {
            return Err(lost());
        }
        Ok(checkout(&payment.token))
    }

    fn subscribe_now(&self, request: &SubscriptionRequest) -> Result<Started, GatewayError> {
        let mut state = self.state();
        let answer = state.starts.pop_front().unwrap_or(Answer::Done);
        failed(&answer)?;
        state.subscribed.check(request)?;
        state.subscribed.begin(request);
        if answer == Answer::Lost {
            return Err(lost());
        }
        Ok(checkout(&request.token))
    }

    fn answer_of_subscription(&self, call: &SubscriptionCall) -> Result<Vec<Envelope>, GatewayError> {
        let mut state = self.state();
        state.subscribed.calls.push(call.clone());
        let answer = state.answers.pop_front().unwrap_or(Answer::Done);
        failed(&answer)?;
        let events = state.subscribed.done(self.format.as_ref(), call)?;
        if answer == Answer::Lost { Err(lost()) } else { Ok(events) }
    }

    fn answer_now(&self, call: &Call) -> Result<Vec<Envelope>, GatewayError> {
        let mut state = self.state();
        state.calls.push(call.clone());
        let answer = state.answers.pop_front().unwrap_or(Answer::Done);
        failed(&answer)?;
        let deal = state.done(call);
        if answer == Answer::Lost {
            return Err(lost());
        }
        let step = match call.verb {
            Verb::Capture => Step::Captured,
            Verb::Cancel => Step::Canceled,
            Verb::Refund => Step::Refunded,
            Verb::Refresh | Verb::Complete => {
                return Err(GatewayError::Unsupported("a stand-in can't be asked for this".to_owned()));
            }
        };
        let events = self.format.payment(step, &deal).unwrap_or_default();
        Ok(Story::envelopes(events, &call.idempotency_key))
    }
}

impl State {
    /// Does what the call asks for, unless it was done under this key; answers the payment as it stands then.
    fn done(&mut self, call: &Call) -> Deal {
        let part = call.amount.unwrap_or(call.total);
        if call.verb == Verb::Capture {
            self.captured.insert(call.token.clone(), part);
        }
        let refunds = self.refunds.entry(call.token.clone()).or_default();
        if self.done.insert(call.idempotency_key.clone()) && call.verb == Verb::Refund {
            refunds.push((call.idempotency_key.clone(), part));
        }
        let number = refunds.iter().position(|(key, _)| *key == call.idempotency_key);
        let refunded = refunds.iter().map(|(_, money)| money.minor).sum();
        let at = call.requested_at.replace_nanosecond(0).unwrap_or(call.requested_at);
        Deal {
            token: call.token.to_string(),
            account: call.account.clone(),
            amount: call.total,
            captured: self.captured.get(&call.token).copied().unwrap_or(call.total),
            customer: None,
            at,
            part,
            refunded: Money::new(refunded, call.total.currency),
            refund: number.map_or(0, |number| number + 1),
            refunded_at: at,
        }
    }
}

/// What an answer is where nothing was done.
fn failed(answer: &Answer) -> Result<(), GatewayError> {
    match answer {
        Answer::Done | Answer::Lost => Ok(()),
        Answer::Declined(why) => Err(GatewayError::Declined(why.clone())),
        Answer::Unreachable => Err(GatewayError::Unavailable("the stand-in can't be reached".to_owned())),
        Answer::TimedOut => Err(GatewayError::OutcomeUnknown("the stand-in did not answer in time".to_owned())),
    }
}

fn checkout(token: &str) -> Started {
    Started::Redirect { url: format!("https://checkout.example/{token}"), gateway_refs: Vec::new() }
}

fn lost() -> GatewayError {
    GatewayError::OutcomeUnknown("the stand-in's answer was lost".to_owned())
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn").field("name", &self.format.name()).field("calls", &self.state().calls.len()).finish()
    }
}

impl Gateway for StandIn {
    fn name(&self) -> &'static str {
        self.gateway.name()
    }

    fn is_merchant_of_record(&self) -> bool {
        self.gateway.is_merchant_of_record()
    }

    fn check(&self) -> Result<(), String> {
        self.gateway.check()
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        self.gateway.verify(delivery, now)
    }

    fn reply(&self, outcome: Result<(), Rejection>) -> Option<Reply> {
        self.gateway.reply(outcome)
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        self.gateway.interpret(event)
    }

    fn unchanging<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        self.gateway.unchanging(body)
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        self.gateway.references(event)
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        Box::pin(std::future::ready(self.start_now(payment)))
    }

    fn supports_account(&self, account: &str) -> Result<(), String> {
        self.gateway.supports_account(account)
    }

    fn own_account(&self) -> Option<String> {
        self.gateway.own_account()
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Capture | Verb::Cancel | Verb::Refund => Ok(()),
            Verb::Refresh | Verb::Complete => Err("A stand-in can't be asked for this.".to_owned()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(std::future::ready(self.answer_now(call)))
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        self.format.subscription_ref("").map(|_| self as &dyn SubscriptionGateway)
    }

    fn is_invoice(&self, gateway_ref: &GatewayRef) -> bool {
        self.gateway.is_invoice(gateway_ref)
    }

    fn setup(&self) -> Setup {
        self.gateway.setup()
    }

    fn sign(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        self.gateway.sign(body, now)
    }

    fn signed_delivery(&self, id: &str, event: &[u8], now: Timestamp) -> Option<Delivery> {
        self.gateway.signed_delivery(id, event, now)
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        self.gateway.test_delivery(id, now)
    }

    fn dashboard_url(&self, gateway_ref: &GatewayRef, mode: Mode) -> Option<String> {
        self.gateway.dashboard_url(gateway_ref, mode)
    }
}

impl SubscriptionGateway for StandIn {
    fn supports(&self, verb: SubscriptionVerb) -> Result<(), String> {
        match verb {
            SubscriptionVerb::Pause | SubscriptionVerb::Unpause => {
                Err("A stand-in can't be asked for this.".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn subscribe<'a>(&'a self, request: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        Box::pin(std::future::ready(self.subscribe_now(request)))
    }

    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(std::future::ready(self.answer_of_subscription(call)))
    }
}
