//! Subscriptions of the dummy gateway: an event that shows one whole, with the invoice that it came with. For tests and
//! demonstrations.

use serde_json::json;

use crate::domain::Timestamp;
use crate::domain::identifier::Token;
use crate::domain::money::Money;
use crate::domain::subscription::SubscriptionStatus;

/// The kind of the events about subscriptions.
pub(super) const KIND: &str = "subscription.changed";

/// An event of the dummy gateway that shows a subscription.
/// [`Dummy::subscription_delivery`](super::Dummy::subscription_delivery) signs it.
///
/// ```
/// use actix_payments::domain::Timestamp;
/// use actix_payments::domain::money::{Currency, Money};
/// use actix_payments::domain::subscription::SubscriptionStatus;
/// use actix_payments::gateways::dummy::{Dummy, DummyInvoice, DummySubscription};
///
/// let (now, price) = (Timestamp::UNIX_EPOCH, Money::new(12_50, Currency::EUR));
/// let renewed = DummySubscription::new("de_1", "ds_1", SubscriptionStatus::Active)
///     .owner("user-42")
///     .price("tea")
///     .amount(price, "month")
///     .period(now, now + std::time::Duration::from_secs(30 * 86_400))
///     .invoice(DummyInvoice::paid("di_1", price, 1));
/// let delivery = Dummy::new("a secret of your own").subscription_delivery(&renewed, now);
/// # drop(delivery);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DummySubscription {
    id: String,
    subscription: String,
    status: SubscriptionStatus,
    token: Option<Token>,
    owner: Option<String>,
    customer: Option<String>,
    price: Option<String>,
    quantity: u32,
    amount: Option<(Money, String)>,
    period: Option<(Timestamp, Timestamp)>,
    trial_end: Option<Timestamp>,
    cancel_at: Option<Timestamp>,
    invoice: Option<DummyInvoice>,
}

/// An invoice of a subscription of the dummy gateway.
///
/// See [`DummySubscription`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DummyInvoice {
    id: String,
    amount: Money,
    paid: bool,
    attempts: u32,
    next_attempt: Option<Timestamp>,
}

impl DummyInvoice {
    /// An invoice that was paid at the attempt with this number, from 1. Invoices with the same `id` are the same to
    /// their receiver.
    pub fn paid(id: impl Into<String>, amount: Money, attempts: u32) -> Self {
        Self { id: id.into(), amount, paid: true, attempts, next_attempt: None }
    }

    /// An invoice that was not paid in so many attempts.
    pub fn unpaid(id: impl Into<String>, amount: Money, attempts: u32) -> Self {
        Self { paid: false, ..Self::paid(id, amount, attempts) }
    }

    /// Sets when it is tried next, in whole seconds. Default: not again.
    pub fn next_attempt(mut self, at: Timestamp) -> Self {
        self.next_attempt = Some(at);
        self
    }
}

impl DummySubscription {
    /// An event that shows the subscription that this gateway calls `subscription` in this status. Events with the same
    /// `id` are the same event to their receiver.
    pub fn new(id: impl Into<String>, subscription: impl Into<String>, status: SubscriptionStatus) -> Self {
        Self {
            id: id.into(),
            subscription: subscription.into(),
            status,
            token: None,
            owner: None,
            customer: None,
            price: None,
            quantity: 1,
            amount: None,
            period: None,
            trial_end: None,
            cancel_at: None,
            invoice: None,
        }
    }

    /// Sets the token of a subscription that [`Payments::subscribe`](crate::Payments::subscribe) started. Default: none.
    pub fn token(mut self, token: impl Into<Token>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Sets the host's own id of whom it belongs to. Default: none.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Sets the customer's email address. Default: none.
    pub fn customer(mut self, email: impl Into<String>) -> Self {
        self.customer = Some(email.into());
        self
    }

    /// Sets the id of the price that is subscribed to. Default: none.
    pub fn price(mut self, price: impl Into<String>) -> Self {
        self.price = Some(price.into());
        self
    }

    /// Sets how many of the price. Default 1.
    pub fn quantity(mut self, quantity: u32) -> Self {
        self.quantity = quantity;
        self
    }

    /// Sets what one of the price costs for each interval: `day`, `week`, `month` or `year`. Default: not said.
    pub fn amount(mut self, amount: Money, interval: impl Into<String>) -> Self {
        self.amount = Some((amount, interval.into()));
        self
    }

    /// Sets the billing period, in whole seconds. Default: none.
    pub fn period(mut self, start: Timestamp, end: Timestamp) -> Self {
        self.period = Some((start, end));
        self
    }

    /// Sets when the trial ends, in whole seconds. Default: none.
    pub fn trial_end(mut self, end: Timestamp) -> Self {
        self.trial_end = Some(end);
        self
    }

    /// Sets when it will end, in whole seconds. Default: never.
    pub fn cancel_at(mut self, end: Timestamp) -> Self {
        self.cancel_at = Some(end);
        self
    }

    /// Sets the invoice that the event is about. Its money is a payment's. Default: none.
    pub fn invoice(mut self, invoice: DummyInvoice) -> Self {
        self.invoice = Some(invoice);
        self
    }

    /// The event as JSON, with the time `created` in whole seconds; times are Unix seconds, amounts minor units by the
    /// exponent of ISO 4217:
    ///
    /// ```json
    /// {"id": "de_1", "kind": "subscription.changed", "created": 1791800000,
    ///  "object": {"id": "ds_1", "status": "active", "token": null, "owner": "user-42", "customer": null,
    ///             "price": "tea", "quantity": 1, "amount": 1250, "currency": "EUR", "interval": "month",
    ///             "period_start": 1791800000, "period_end": 1794478400, "trial_end": null, "cancel_at": null,
    ///             "invoice": {"id": "di_1", "amount": 1250, "currency": "EUR", "paid": true, "attempts": 1,
    ///                         "next_attempt": null}}}
    /// ```
    pub fn body(&self, created: Timestamp) -> Vec<u8> {
        let seconds = |at: Option<Timestamp>| at.map(Timestamp::unix_timestamp);
        let money = self.amount.as_ref().map(|(money, _)| *money);
        let invoice = self.invoice.as_ref().map(|invoice| {
            json!({
                "id": invoice.id,
                "amount": invoice.amount.minor,
                "currency": invoice.amount.currency.as_str(),
                "paid": invoice.paid,
                "attempts": invoice.attempts,
                "next_attempt": seconds(invoice.next_attempt),
            })
        });
        let event = json!({
            "id": self.id,
            "kind": KIND,
            "created": created.unix_timestamp(),
            "object": {
                "id": self.subscription,
                "status": self.status.as_str(),
                "token": self.token,
                "owner": self.owner,
                "customer": self.customer,
                "price": self.price,
                "quantity": self.quantity,
                "amount": money.map(|money| money.minor),
                "currency": money.map(|money| money.currency.as_str().to_owned()),
                "interval": self.amount.as_ref().map(|(_, interval)| interval),
                "period_start": seconds(self.period.map(|(start, _)| start)),
                "period_end": seconds(self.period.map(|(_, end)| end)),
                "trial_end": seconds(self.trial_end),
                "cancel_at": seconds(self.cancel_at),
                "invoice": invoice,
            },
        });
        event.to_string().into_bytes()
    }
}
