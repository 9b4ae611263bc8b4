//! What can an event say of one gateway object? A fact fills a register: one aspect of one object, such as
//! the capture of `ch_1`. How facts merge is the ledger's answer; which status they make is the payment's.

use super::Timestamp;
use super::money::Currency;

/// The aspect of a gateway object that a register keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Aspect {
    /// A hosted checkout: open, given up, or paid with its total.
    Checkout,
    /// An authorization or an attempt at one: money promised, not moved.
    Authorization,
    /// One movement of money to the merchant.
    Capture,
    /// The gateway's running total of what one object has collected (Stripe's `amount_received`).
    CaptureTotal,
    /// One return of money.
    Refund,
    /// The gateway's running total of what was returned of one capture (Stripe's `amount_refunded`).
    RefundTotal,
    /// A dispute that the customer's bank opened.
    Dispute,
    /// Something a person should look at; its reference is the reason code.
    Concern,
}

/// The state that a register is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Begun, nothing decided.
    Pending,
    /// Waits for the customer (3-D Secure, a bank's page).
    ActionRequired,
    /// An attempt failed; another may follow.
    Failed,
    /// Time ran out.
    Expired,
    /// Given up before money moved, or a refund taken back.
    Canceled,
    /// Money is promised.
    Authorized,
    /// Nothing was to be paid.
    Free,
    /// Money moved.
    Succeeded,
    /// A bank asks, no money is withdrawn.
    Inquiry,
    /// A dispute that is not decided.
    Open,
    /// A dispute that ended without a decision against anyone.
    Closed,
    /// A dispute decided for the merchant.
    Won,
    /// A dispute decided for the customer.
    Lost,
    /// A concern was raised.
    Raised,
}

/// One register's content, as one event states it. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Which aspect of the object.
    pub aspect: Aspect,
    /// The gateway's id of the object (for a [`Aspect::Concern`]: the reason code).
    pub gateway_ref: String,
    /// The state that the event states.
    pub state: State,
    /// What moved, is promised or is asked for, in minor units; `None` where the event doesn't say.
    pub amount: Option<i64>,
    /// What the object would have moved had nothing that it explains itself (a discount, tax, shipping, a part
    /// captured on purpose) made a difference, in minor units.
    pub face: Option<i64>,
    /// The currency of both amounts.
    pub currency: Option<Currency>,
    /// The object that this one belongs to: a refund's charge, a charge's intent.
    pub parent: Option<String>,
    /// When the gateway made the object, where that matters (refunds).
    pub since: Option<Timestamp>,
    /// When the gateway says that it happened.
    pub occurred_at: Timestamp,
    /// The gateway's id of the event that states it.
    pub event_id: String,
}

impl Aspect {
    /// Every aspect, in the order of a payment's life.
    pub const ALL: [Aspect; 8] = [
        Self::Checkout,
        Self::Authorization,
        Self::Capture,
        Self::CaptureTotal,
        Self::Refund,
        Self::RefundTotal,
        Self::Dispute,
        Self::Concern,
    ];

    /// The word in tables and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Authorization => "authorization",
            Self::Capture => "capture",
            Self::CaptureTotal => "capture_total",
            Self::Refund => "refund",
            Self::RefundTotal => "refund_total",
            Self::Dispute => "dispute",
            Self::Concern => "concern",
        }
    }

    /// The aspect of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == word)
    }
}

impl State {
    /// Every state.
    pub const ALL: [State; 14] = [
        Self::Pending,
        Self::ActionRequired,
        Self::Failed,
        Self::Expired,
        Self::Canceled,
        Self::Authorized,
        Self::Free,
        Self::Succeeded,
        Self::Inquiry,
        Self::Open,
        Self::Closed,
        Self::Won,
        Self::Lost,
        Self::Raised,
    ];

    /// The word in tables and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::ActionRequired => "action_required",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Canceled => "canceled",
            Self::Authorized => "authorized",
            Self::Free => "free",
            Self::Succeeded => "succeeded",
            Self::Inquiry => "inquiry",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Raised => "raised",
        }
    }

    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

impl Fact {
    /// A fact without amounts; the `with_…` methods add what the event says.
    pub fn new(aspect: Aspect, gateway_ref: impl Into<String>, state: State, at: Timestamp, event_id: &str) -> Self {
        Self {
            aspect,
            gateway_ref: gateway_ref.into(),
            state,
            amount: None,
            face: None,
            currency: None,
            parent: None,
            since: None,
            occurred_at: at,
            event_id: event_id.to_owned(),
        }
    }

    /// Adds the amount in minor units, and its currency. Without [`Fact::with_face`] the face is the same.
    pub fn with_amount(mut self, minor: i64, currency: Currency) -> Self {
        self.amount = Some(minor);
        self.face = self.face.or(Some(minor));
        self.currency = Some(currency);
        self
    }

    /// Adds the face amount in minor units: what would have moved without what the object explains.
    pub fn with_face(mut self, minor: i64) -> Self {
        self.face = Some(minor);
        self
    }

    /// Adds the object that this one belongs to.
    pub fn with_parent(mut self, gateway_ref: Option<impl Into<String>>) -> Self {
        self.parent = gateway_ref.map(Into::into);
        self
    }

    /// Adds when the gateway made the object.
    pub fn with_since(mut self, since: Option<Timestamp>) -> Self {
        self.since = since;
        self
    }
}
