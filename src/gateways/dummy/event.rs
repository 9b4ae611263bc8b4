//! What does the dummy gateway send? Its kinds of events and their JSON, as it writes them; whether a delivery is
//! to be believed is asked in `verify`, what an event says in `interpret`.

use serde_json::json;

use crate::domain::Timestamp;
use crate::domain::money::Money;

/// What happened, as the event's `kind` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The customer paid, money moved at once.
    Paid,
    /// The customer tried to pay, in vain.
    Failed,
    /// Money is promised, to be captured later.
    Authorized,
    /// Promised money was captured.
    Captured,
    /// Given up before money moved.
    Canceled,
    /// Time ran out before money moved.
    Expired,
    /// Money went back to the customer.
    Refunded,
}

impl Kind {
    /// Every kind that the gateway sends.
    pub const ALL: [Kind; 7] =
        [Self::Paid, Self::Failed, Self::Authorized, Self::Captured, Self::Canceled, Self::Expired, Self::Refunded];

    /// The word in the event.
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

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One event of the dummy gateway, ready to be written down. [`Dummy::delivery`](super::Dummy::delivery) signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    id: String,
    kind: Kind,
    object: String,
    token: String,
    amount: Money,
    refund: Option<(String, i64)>,
    captured: Option<i64>,
}

impl Event {
    /// The event `id`: `kind` happened to the payment with this token, which is of this amount. Events with the
    /// same id are the same event to whoever receives them.
    pub fn new(id: impl Into<String>, kind: Kind, token: impl Into<String>, amount: Money) -> Self {
        let token = token.into();
        Self { id: id.into(), kind, object: object_id(&token), token, amount, refund: None, captured: None }
    }

    /// The event `id`: of the payment with this token and amount, `minor` units went back as the refund
    /// `refund_id`. Refunds with different ids add up.
    pub fn refund(
        id: impl Into<String>,
        token: impl Into<String>,
        amount: Money,
        refund_id: impl Into<String>,
        minor: i64,
    ) -> Self {
        Self { refund: Some((refund_id.into(), minor)), ..Self::new(id, Kind::Refunded, token, amount) }
    }

    /// The event `id`: of the authorized payment with this token and amount, only `minor` units were captured.
    pub fn part_capture(id: impl Into<String>, token: impl Into<String>, amount: Money, minor: i64) -> Self {
        Self { captured: Some(minor), ..Self::new(id, Kind::Captured, token, amount) }
    }

    /// Sets the gateway's id of the payment attempt. Default `dp_` and the token, as for every payment that
    /// starts at the checkout page; another id is another attempt.
    pub fn object(mut self, id: impl Into<String>) -> Self {
        self.object = id.into();
        self
    }

    /// The event's JSON, created at `created` (to the second):
    ///
    /// ```json
    /// {"id": "de_1", "kind": "payment.refunded", "created": 1791800000,
    ///  "object": {"id": "dp_tok_1", "payment": "tok_1", "amount": 4999, "currency": "EUR",
    ///             "refund": {"id": "dr_1", "amount": 1000}, "captured": null}}
    /// ```
    ///
    /// Amounts are minor units by the exponent of ISO 4217; `refund` is null but for refunds, `captured` but for
    /// captures of a part.
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

/// The gateway's id of the attempt at the payment with this token. The whole token is in it, so that two payments
/// never share one.
pub(super) fn object_id(token: &str) -> String {
    format!("dp_{token}")
}
