//! A payment that a gateway is asked to start.

use std::collections::BTreeMap;

use crate::domain::Timestamp;
use crate::domain::identifier::{Reference, Token};
use crate::domain::money::Money;

/// A payment to be started at a gateway.
///
/// ```
/// use actix_payments::domain::money::{Currency, Money};
/// use actix_payments::gateways::{CaptureMethod, LineItem, PaymentRequest};
///
/// let mut request = PaymentRequest::new("tok_1", Money::new(49_99, Currency::EUR));
/// request.items = vec![LineItem::new("Teapot", 1, 49_99)];
/// request.capture = CaptureMethod::Manual;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PaymentRequest {
    /// Our public id of the payment. The gateway's events must contain it.
    pub token: Token,
    /// The account at the gateway for which it is started: one that [`Gateway::supports_account`](super::Gateway)
    /// allows. `None` for the merchant's own.
    pub account: Option<String>,
    /// The host's own id, such as its order number.
    pub reference: Option<Reference>,
    /// The amount to pay.
    pub amount: Money,
    /// What is paid for. The items add up to the amount.
    pub items: Vec<LineItem>,
    /// When the money is captured.
    pub capture: CaptureMethod,
    /// The customer's email address.
    pub customer: Option<String>,
    /// The language of the checkout page, an IETF language tag: `de`, `pt-BR`.
    pub locale: Option<String>,
    /// When the checkout closes.
    pub expires_at: Option<Timestamp>,
    /// Metadata from the host.
    pub metadata: BTreeMap<String, String>,
    /// The path at which the variant is mounted, from the host's root and without a trailing slash: `/payments/dummy`.
    /// `None` if it is not mounted.
    pub address: Option<String>,
    /// Where the customer returns to after paying.
    pub return_url: Option<String>,
    /// Where the customer returns to after giving up.
    pub cancel_url: Option<String>,
}

/// One item that is paid for.
///
/// See [`PaymentRequest`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineItem {
    /// The name that the customer reads.
    pub name: String,
    /// How many of it.
    pub quantity: u32,
    /// The price of one, in minor units of the payment's currency.
    pub unit_amount: i64,
}

impl LineItem {
    /// An item; `unit_amount` is the price of one, in minor units.
    pub fn new(name: impl Into<String>, quantity: u32, unit_amount: i64) -> Self {
        Self { name: name.into(), quantity, unit_amount }
    }
}

/// When the money of a payment is captured.
///
/// ```
/// use actix_payments::domain::money::{Currency, Money};
/// use actix_payments::gateways::CaptureMethod;
/// use actix_payments::NewPayment;
///
/// // The money is taken when the order is shipped, by `Payments::capture`.
/// let order = NewPayment::new("stripe", Money::new(49_99, Currency::EUR)).capture(CaptureMethod::Manual);
/// # drop(order);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaptureMethod {
    /// As soon as the customer has paid.
    #[default]
    Immediate,
    /// By a separate [capture](super::Verb::Capture) later. Until then the payment is only authorized.
    Manual,
}

impl PaymentRequest {
    /// A request with a token and an amount; all other fields are empty, and the capture is immediate.
    pub fn new(token: impl Into<Token>, amount: Money) -> Self {
        Self {
            token: token.into(),
            account: None,
            reference: None,
            amount,
            items: Vec::new(),
            capture: CaptureMethod::Immediate,
            customer: None,
            locale: None,
            expires_at: None,
            metadata: BTreeMap::new(),
            address: None,
            return_url: None,
            cancel_url: None,
        }
    }
}
