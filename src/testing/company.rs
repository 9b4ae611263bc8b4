//! A payment company in a test: a method for each thing that it reports.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::identifier::{Token, VariantName};
use crate::domain::money::Money;
use crate::engine::{Payment, Subscription};
use crate::payments::Payments;
use crate::testing::happening::{Deal, Format, PERIOD, Plan, Step, Turn, Written};
use crate::testing::story::Story;

/// A payment company in a test. Each method, such as [`paid`](Self::paid), returns the events that the company sends
/// when that happens, in its own format and signed with the variant's secret, so that they take the whole way through
/// the app.
///
/// The events happen at the builder's current time, and at least a second after those of the previous call.
pub struct Company {
    payments: Payments,
    variant: VariantName,
    format: Arc<dyn Format>,
    account: Option<String>,
    past: Mutex<Past>,
}

/// What happened so far.
#[derive(Default)]
struct Past {
    last: Option<Timestamp>,
    /// What was captured of the payments that were captured in part.
    captured: BTreeMap<Token, Money>,
    refunds: BTreeMap<Token, Vec<Refunded>>,
    subscriptions: BTreeMap<String, Standing>,
}

/// A refund of a payment.
#[derive(Clone, Copy)]
struct Refunded {
    money: Money,
    at: Timestamp,
    has_failed: bool,
}

/// How a subscription stands at the company.
struct Standing {
    started: Timestamp,
    /// The number of its period, from 1.
    number: u32,
    /// How often the payment of this period failed since.
    failed: u32,
}

/// A subscription at the company, of one owner at one price for each month (of 30 days).
///
/// See [`Company::subscriber`] for an example.
#[derive(Debug, Clone)]
pub struct Subscriber {
    id: String,
    token: Option<String>,
    owner: Option<String>,
    price_id: String,
    price: Money,
    quantity: u32,
}

impl Subscriber {
    /// Sets the company's id of the price. Default: `monthly`.
    pub fn price_id(mut self, id: impl Into<String>) -> Self {
        self.price_id = id.into();
        self
    }

    /// Sets how many of the price it is for. Default: 1.
    pub fn quantity(mut self, quantity: u32) -> Self {
        self.quantity = quantity;
        self
    }
}

impl Company {
    pub(super) fn new(payments: &Payments, variant: VariantName, format: Arc<dyn Format>) -> Self {
        Self { payments: payments.clone(), variant, format, account: None, past: Mutex::default() }
    }

    /// Sets the company's account whose events it sends: a merchant account of Adyen's, a store of Lemon Squeezy's, a
    /// seller of Mercado Pago's. Default: one of the test kit's, which a variant without named accounts trusts. The events
    /// of a payment that was created for an account are always that account's.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// The customer paid all of it.
    pub fn paid(&self, payment: &Payment) -> Story {
        self.tell(Step::Paid, payment, payment.amount)
    }

    /// The customer approved, and the money is to be captured later.
    pub fn authorized(&self, payment: &Payment) -> Story {
        self.tell(Step::Authorized, payment, payment.amount)
    }

    /// This much of the authorized money was captured, in minor units of the payment's currency; the rest was released.
    pub fn captured(&self, payment: &Payment, minor: i64) -> Story {
        let part = Money::new(minor, payment.amount.currency);
        self.past().captured.insert(payment.token.clone(), part);
        self.tell(Step::Captured, payment, part)
    }

    /// The customer tried to pay, and the card was declined.
    pub fn failed(&self, payment: &Payment) -> Story {
        self.tell(Step::Failed, payment, payment.amount)
    }

    /// The customer's time ran out.
    pub fn expired(&self, payment: &Payment) -> Story {
        self.tell(Step::Expired, payment, payment.amount)
    }

    /// It was canceled before money moved.
    pub fn canceled(&self, payment: &Payment) -> Story {
        self.tell(Step::Canceled, payment, payment.amount)
    }

    /// This much was refunded, in minor units of the payment's currency. A second call is another refund.
    pub fn refunded(&self, payment: &Payment, minor: i64) -> Story {
        let (at, part) = (self.moment(), Money::new(minor, payment.amount.currency));
        let made = Refunded { money: part, at, has_failed: false };
        let number = {
            let mut past = self.past();
            let all = past.refunds.entry(payment.token.clone()).or_default();
            all.push(made);
            all.len()
        };
        self.tell_at(at, Step::Refunded, payment, (part, number, at))
    }

    /// The payment's latest refund failed, and its money came back to the merchant.
    ///
    /// # Panics
    /// When there was no refund.
    pub fn refund_failed(&self, payment: &Payment) -> Story {
        let failed = {
            let mut past = self.past();
            let all = past.refunds.get_mut(&payment.token).map_or(&mut [][..], Vec::as_mut_slice);
            let last = all.iter_mut().enumerate().rev().find(|(_, refund)| !refund.has_failed);
            last.map(|(place, refund)| {
                refund.has_failed = true;
                (refund.money, place + 1, refund.at)
            })
        };
        let failed = failed.unwrap_or_else(|| panic!("the payment {} has no refund that could fail", payment.token));
        self.tell_at(self.moment(), Step::RefundFailed, payment, failed)
    }

    /// The customer disputes it at the bank.
    pub fn disputed(&self, payment: &Payment) -> Story {
        self.tell(Step::Disputed, payment, payment.amount)
    }

    /// The dispute was decided for the merchant.
    pub fn dispute_won(&self, payment: &Payment) -> Story {
        self.tell(Step::DisputeWon, payment, payment.amount)
    }

    /// The dispute was decided for the customer, and the money is gone.
    pub fn dispute_lost(&self, payment: &Payment) -> Story {
        self.tell(Step::DisputeLost, payment, payment.amount)
    }

    /// A subscription that begins at the company itself, of `owner` (the host's own id of whom it belongs to) at
    /// `price` for each month. Nothing has happened yet.
    ///
    /// ```
    /// # use actix_payments::domain::money::{Currency, Money};
    /// # use actix_payments::testing::{Company, settle};
    /// # async fn example(payments: &actix_payments::Payments) -> Result<(), Box<dyn std::error::Error>> {
    /// let stripe = Company::stripe(payments, "stripe");
    /// let ann = stripe.subscriber("user-42", Money::new(12_50, Currency::EUR)).quantity(2);
    /// stripe.started(&ann).then(stripe.renewal_failed(&ann)).deliver().await?;
    /// settle(payments).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscriber(&self, owner: impl Into<String>, price: Money) -> Subscriber {
        let id = crate::engine::payment_token().unwrap_or_else(|error| panic!("{error}"));
        let (owner, price_id) = (Some(owner.into()), "monthly".to_owned());
        Subscriber { id, token: None, owner, price_id, price, quantity: 1 }
    }

    /// The subscription that [`Payments::subscribe`](crate::Payments::subscribe) started, at `price` for each month, of
    /// one owner. Nothing has happened yet: [`Company::started`] says that the customer completed the checkout.
    pub fn subscribed(&self, subscription: &Subscription, price: Money) -> Subscriber {
        let (token, owner) = (subscription.token.clone(), subscription.owner().map(str::to_owned));
        let (id, token) = (token.clone(), Some(token));
        Subscriber {
            id: id.to_string(),
            token: token.map(String::from),
            owner,
            price_id: "monthly".to_owned(),
            price,
            quantity: 1,
        }
    }

    /// It began, and its first period is paid.
    pub fn started(&self, subscriber: &Subscriber) -> Story {
        self.turn(Turn::Started, subscriber)
    }

    /// Its next period began and is paid; after failed attempts, the unpaid period is paid.
    pub fn renewed(&self, subscriber: &Subscriber) -> Story {
        self.turn(Turn::Renewed, subscriber)
    }

    /// Its next period began, and its payment failed. A second call is another failed attempt.
    pub fn renewal_failed(&self, subscriber: &Subscriber) -> Story {
        self.turn(Turn::RenewalFailed, subscriber)
    }

    /// It was canceled, and continues until the end of its period.
    pub fn cancel_scheduled(&self, subscriber: &Subscriber) -> Story {
        self.turn(Turn::CancelScheduled, subscriber)
    }

    /// Its end, which was to come, is called off.
    pub fn resumed(&self, subscriber: &Subscriber) -> Story {
        self.turn(Turn::Resumed, subscriber)
    }

    /// It is over.
    pub fn ended(&self, subscriber: &Subscriber) -> Story {
        self.turn(Turn::Ended, subscriber)
    }

    fn past(&self) -> std::sync::MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of what happens now: in whole seconds, after what happened before.
    fn moment(&self) -> Timestamp {
        let now = self.payments.engine().now();
        let now = now.replace_nanosecond(0).unwrap_or(now);
        let mut past = self.past();
        let at = past.last.map_or(now, |last| now.max(last + Duration::from_secs(1)));
        past.last = Some(at);
        at
    }

    fn tell(&self, step: Step, payment: &Payment, part: Money) -> Story {
        let at = self.moment();
        self.tell_at(at, step, payment, (part, 0, at))
    }

    /// What happened, about this part of the money: of the refund with this number and time, where it is about one.
    fn tell_at(
        &self,
        at: Timestamp,
        step: Step,
        payment: &Payment,
        (part, refund, refunded_at): (Money, usize, Timestamp),
    ) -> Story {
        let past = self.past();
        let refunds = past.refunds.get(&payment.token).map_or(&[][..], Vec::as_slice);
        let refunded = refunds.iter().filter(|refund| !refund.has_failed).map(|refund| refund.money.minor).sum();
        let deal = Deal {
            token: payment.token.to_string(),
            account: payment.account.clone().or_else(|| self.account.clone()),
            amount: payment.amount,
            captured: past.captured.get(&payment.token).copied().unwrap_or(payment.amount),
            customer: payment.customer.clone(),
            at,
            part,
            refunded: Money::new(refunded, payment.amount.currency),
            refund,
            refunded_at,
        };
        let events = self.format.payment(step, &deal).unwrap_or_else(|| self.has_none(&format!("{step:?}")));
        self.story(events)
    }

    fn turn(&self, turn: Turn, subscriber: &Subscriber) -> Story {
        let at = self.moment();
        let mut past = self.past();
        let new = || Standing { started: at, number: 1, failed: 0 };
        let standing = past.subscriptions.entry(subscriber.id.clone()).or_insert_with(new);
        let has_failed = standing.failed > 0;
        if matches!(turn, Turn::Renewed | Turn::RenewalFailed) && !has_failed {
            standing.number += 1;
        }
        standing.failed = match turn {
            Turn::RenewalFailed => standing.failed + 1,
            Turn::Started | Turn::Renewed => 0,
            Turn::CancelScheduled | Turn::Resumed | Turn::Changed | Turn::Ended => standing.failed,
        };
        let begun = standing.started + PERIOD * (standing.number - 1);
        let plan = Plan {
            id: subscriber.id.clone(),
            token: subscriber.token.clone(),
            owner: subscriber.owner.clone(),
            account: self.account.clone(),
            price_id: subscriber.price_id.clone(),
            price: subscriber.price,
            quantity: subscriber.quantity,
            at,
            started: standing.started,
            period: (begun, begun + PERIOD),
            number: standing.number,
            has_failed,
            attempts: standing.failed.max(1),
        };
        let events = self.format.subscription(turn, &plan).unwrap_or_else(|| self.has_none(&format!("{turn:?}")));
        self.story(events)
    }

    pub(super) fn format(&self) -> &dyn Format {
        self.format.as_ref()
    }

    fn story(&self, events: Vec<Written>) -> Story {
        Story::new(self.payments.clone(), self.variant.clone(), self.format.clone(), events)
    }

    fn has_none(&self, what: &str) -> ! {
        panic!("{} sends no event of {what}", self.format.name())
    }
}

impl fmt::Debug for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Company").field("name", &self.format.name()).field("variant", &self.variant).finish()
    }
}
