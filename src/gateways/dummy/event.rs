//! The events that the dummy gateway sends: their kinds and their JSON. Verifying a delivery is the job of `verify`,
//! reading an event that of `interpret`.

use serde_json::json;

use crate::domain::Timestamp;
use crate::domain::identifier::Token;
use crate::domain::money::Money;

/// The kinds of the dummy gateway's events.
///
/// See [`Dummy`](super::Dummy) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The customer paid, and the money moved at once.
    Paid,
    /// The customer tried to pay and failed.
    Failed,
    /// The customer authorized the payment, to be captured later.
    Authorized,
    /// Authorized money was captured.
    Captured,
    /// The payment was given up before money moved.
    Canceled,
    /// The payment expired before money moved.
    Expired,
    /// Money was returned to the customer.
    Refunded,
}

impl Kind {
    /// Every kind that the gateway sends.
    pub const ALL: [Kind; 7] =
        [Self::Paid, Self::Failed, Self::Authorized, Self::Captured, Self::Canceled, Self::Expired, Self::Refunded];

    /// The kind's name in events, such as `payment.paid`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "payment.paid",
            Self::Failed => "payment.failed",
            Self::Authorized => "payment.authorized",
            Self::Captured => "payment.captured",
            Self::Canceled => "payment.canceled",
            Self::Expired => "payment.expired",
            Self::Refunded => "payment.refunded",
        }
    }

    /// The kind with this name; the reverse of [`Kind::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// An event of the dummy gateway, for tests and demonstrations. [`Dummy::delivery`](super::Dummy::delivery) signs it.
///
/// See [`Dummy`](super::Dummy) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DummyEvent {
    id: String,
    kind: Kind,
    object: String,
    token: Token,
    amount: Money,
    refund: Option<(String, i64)>,
    captured: Option<i64>,
}

impl DummyEvent {
    /// An event that says that `kind` happened to the payment with this token and amount. Events with the same `id` are
    /// the same event to their receiver.
    pub fn new(id: impl Into<String>, kind: Kind, token: impl Into<Token>, amount: Money) -> Self {
        let token = token.into();
        Self { id: id.into(), kind, object: object_id(&token), token, amount, refund: None, captured: None }
    }

    /// An event that says that `minor` units of the payment with this token and amount were refunded. Refunds with
    /// different `refund_id`s add up.
    pub fn refund(
        id: impl Into<String>,
        token: impl Into<Token>,
        amount: Money,
        refund_id: impl Into<String>,
        minor: i64,
    ) -> Self {
        Self { refund: Some((refund_id.into(), minor)), ..Self::new(id, Kind::Refunded, token, amount) }
    }

    /// An event that says that only `minor` units of the authorized payment with this token and amount were captured.
    pub fn part_capture(id: impl Into<String>, token: impl Into<Token>, amount: Money, minor: i64) -> Self {
        Self { captured: Some(minor), ..Self::new(id, Kind::Captured, token, amount) }
    }

    /// Sets the gateway's id of the payment attempt. Default: `dp_` and the token, as for every payment that starts on
    /// the checkout page. Another id makes it another attempt.
    pub fn object(mut self, id: impl Into<String>) -> Self {
        self.object = id.into();
        self
    }

    /// The event as JSON, with the time `created` in whole seconds:
    ///
    /// ```json
    /// {"id": "de_1", "kind": "payment.refunded", "created": 1791800000,
    ///  "object": {"id": "dp_tok_1", "payment": "tok_1", "amount": 4999, "currency": "EUR",
    ///             "refund": {"id": "dr_1", "amount": 1000}, "captured": null}}
    /// ```
    ///
    /// Amounts are in minor units by the exponent of ISO 4217. `refund` is null except for refunds, `captured` is null
    /// except for partial captures.
    pub fn body(&self, created: Timestamp) -> Vec<u8> {
        let refund = self.refund.as_ref().map(|(id, amount)| json!({"id": id, "amount": amount}));
        let event = json!({
            "id": self.id,
            "kind": self.kind.as_str(),
            "created": created.unix_timestamp(),
            "object": {
                "id": self.object,
                "payment": self.token,
                "amount": self.amount.minor,
                "currency": self.amount.currency.as_str(),
                "refund": refund,
                "captured": self.captured,
            },
        });
        event.to_string().into_bytes()
    }
}

/// The gateway's id of the attempt at the payment with this token. It contains the whole token, so that no two payments
/// share one.
pub(super) fn object_id(token: &str) -> String {
    format!("dp_{token}")
}
