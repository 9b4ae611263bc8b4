//! Facts: what an event states of one gateway object. A fact is the content of a register, which is one aspect of one
//! object, such as the capture of `ch_1`. The ledger merges facts; a payment's status is derived from its ledger.
//!
//! See the [ledger](crate::domain::ledger) for an example.

use super::Timestamp;
use super::identifier::GatewayRef;
use super::money::Currency;

/// The aspect of a gateway object that a register is about.
///
/// See the [ledger](crate::domain::ledger) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Aspect {
    /// A hosted checkout: open, abandoned, or paid with its total.
    Checkout,
    /// An authorization or an attempt at one. The money is guaranteed but has not moved.
    Authorization,
    /// One movement of money to the merchant.
    Capture,
    /// The gateway's running total of what one object has collected (Stripe's `amount_received`).
    CaptureTotal,
    /// One return of money to the customer.
    Refund,
    /// The gateway's running total of what was refunded of one capture (Stripe's `amount_refunded`).
    RefundTotal,
    /// A dispute that the customer's bank opened.
    Dispute,
    /// The gateway's fee for one capture, or the part of the fee that it returns with one refund; then the amount is
    /// negative. Its gateway ref is that of the capture or of the refund.
    Fee,
    /// Something that a person should review. Its gateway ref is the reason code.
    Concern,
    /// A person's decision about a payment that needed review. Its gateway ref is the accepted amount, or the source of
    /// the concern that was dismissed.
    Review,
}

/// The state that a register is in.
///
/// See the [ledger](crate::domain::ledger) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Started, and nothing is decided.
    Pending,
    /// Waits for the customer (3-D Secure, a bank's page).
    ActionRequired,
    /// An attempt failed; another may follow.
    Failed,
    /// The time ran out.
    Expired,
    /// Given up before money moved. Of a refund: withdrawn. Of a concern: its cause is cleared up.
    Canceled,
    /// The money is guaranteed and can be captured.
    Authorized,
    /// There was nothing to pay.
    Free,
    /// Money moved.
    Succeeded,
    /// A bank's inquiry; no money was withdrawn.
    Inquiry,
    /// An undecided dispute. Of a running total of refunds: its time can't be compared with those of the single refunds,
    /// so that of those that it is of, only what exceeds them counts.
    Open,
    /// A dispute that ended without a decision against anyone. Of a running total: nothing more will be collected.
    Closed,
    /// A dispute that was decided for the merchant.
    Won,
    /// A dispute that was decided for the customer.
    Lost,
    /// A raised concern.
    Raised,
    /// Of a review: the received amount was accepted as the payment's.
    Accepted,
    /// Of a review: this concern was dismissed.
    Dismissed,
}

/// The content of one register, as one event states it. Amounts are in minor units of `currency`.
///
/// See the [ledger](crate::domain::ledger) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fact {
    /// The aspect of the object.
    pub aspect: Aspect,
    /// The gateway's id of the object; of an [`Aspect::Concern`], the reason code.
    pub gateway_ref: GatewayRef,
    /// The state of this aspect.
    pub state: State,
    /// The amount that moved, is authorized or is requested, in minor units; `None` if the event does not say. Of a fee,
    /// negative where it is given back. Of a concern, the amount that it is about: whoever dismisses it has dismissed it
    /// for every event that raises it about this amount, and otherwise for one event.
    pub amount: Option<i64>,
    /// The amount for which the object was created, in minor units: before a discount, tax or shipping that the object
    /// itself states, and before an intentional partial capture. Of a running total of refunds: the total before this
    /// event, if the event says so, and otherwise `None`, since an event of any cause may repeat the total. Of a
    /// refund: zero if nobody requested it and the gateway itself took the money back. Of a dispute: zero if it is the
    /// reversal of another dispute that it does not name.
    pub face: Option<i64>,
    /// The currency of both amounts.
    pub currency: Option<Currency>,
    /// The gateway's id of the object that this one belongs to: of a refund its charge, of a charge its intent.
    pub parent: Option<GatewayRef>,
    /// When the gateway created the object; used only for refunds and disputes. Of a fee: when the gateway took it.
    pub since: Option<Timestamp>,
    /// By when somebody has to act on it: the deadline for answering a dispute.
    pub until: Option<Timestamp>,
    /// Of a dispute or a refund, the gateway's own word for why there is one: `fraudulent`. Of a running total of refunds:
    /// the ids of those that it is of, if the gateway names them, with commas between them.
    pub reason: Option<String>,
    /// Real money (`true`) or a test, if the event says so. Interpretations leave it out, since it is taken from the
    /// event.
    pub livemode: Option<bool>,
    /// When it happened, by the gateway's clock.
    pub occurred_at: Timestamp,
    /// The gateway's id of the event that states it.
    pub event_id: String,
}

impl Aspect {
    /// Every aspect, in the order of a payment's life.
    pub const ALL: [Aspect; 10] = [
        Self::Checkout,
        Self::Authorization,
        Self::Capture,
        Self::CaptureTotal,
        Self::Refund,
        Self::RefundTotal,
        Self::Dispute,
        Self::Fee,
        Self::Concern,
        Self::Review,
    ];

    /// The aspect's name in tables and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Authorization => "authorization",
            Self::Capture => "capture",
            Self::CaptureTotal => "capture_total",
            Self::Refund => "refund",
            Self::RefundTotal => "refund_total",
            Self::Dispute => "dispute",
            Self::Fee => "fee",
            Self::Concern => "concern",
            Self::Review => "review",
        }
    }

    /// The aspect with this name; the reverse of [`Aspect::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == word)
    }
}

impl State {
    /// Every state.
    pub const ALL: [State; 16] = [
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
        Self::Accepted,
        Self::Dismissed,
    ];

    /// The state's name in tables and pages.
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
            Self::Accepted => "accepted",
            Self::Dismissed => "dismissed",
        }
    }

    /// The state with this name; the reverse of [`State::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

impl Fact {
    /// A fact without amounts. The `with_…` methods add what else the event says.
    pub fn new(
        aspect: Aspect,
        gateway_ref: impl Into<GatewayRef>,
        state: State,
        at: Timestamp,
        event_id: &str,
    ) -> Self {
        Self {
            aspect,
            gateway_ref: gateway_ref.into(),
            state,
            amount: None,
            face: None,
            currency: None,
            parent: None,
            since: None,
            until: None,
            reason: None,
            livemode: None,
            occurred_at: at,
            event_id: event_id.to_owned(),
        }
    }

    /// Adds the amount, in minor units of `currency`. It is also the face amount, unless [`Fact::with_face`] sets
    /// another.
    pub fn with_amount(mut self, minor: i64, currency: Currency) -> Self {
        self.amount = Some(minor);
        self.face = self.face.or(Some(minor));
        self.currency = Some(currency);
        self
    }

    /// The gateway's fee for the money that moved with this fact, in minor units of `currency`; negative if the gateway
    /// returns a fee with it. [`Fact::with_since`] adds when the fee was taken, if that is not this fact's time.
    pub fn fee(&self, minor: i64, currency: Currency) -> Self {
        let fee = Self::new(Aspect::Fee, &self.gateway_ref, State::Succeeded, self.occurred_at, &self.event_id);
        fee.with_amount(minor, currency)
    }

    /// Adds the [face amount](Fact::face), in minor units.
    pub fn with_face(mut self, minor: i64) -> Self {
        self.face = Some(minor);
        self
    }

    /// Adds the gateway's id of the object that this one belongs to.
    pub fn with_parent(mut self, gateway_ref: Option<impl Into<GatewayRef>>) -> Self {
        self.parent = gateway_ref.map(Into::into);
        self
    }

    /// Adds the time at which the gateway created the object.
    pub fn with_since(mut self, since: Option<Timestamp>) -> Self {
        self.since = since;
        self
    }

    /// Adds the time by which somebody has to act.
    pub fn with_until(mut self, until: Option<Timestamp>) -> Self {
        self.until = until;
        self
    }

    /// Adds the refunds that a running total is of, if they are known.
    pub(crate) fn including(self, refunds: Option<Vec<String>>) -> Self {
        self.with_reason(refunds.map(|ids| ids.join(",")))
    }

    /// Whether this running total is of the refund with this id; `None` if the gateway does not name its refunds.
    pub(crate) fn includes(&self, refund: &str) -> Option<bool> {
        self.reason.as_deref().map(|ids| ids.split(',').any(|id| id == refund))
    }

    /// Adds the gateway's own word for the reason.
    pub fn with_reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }
}
