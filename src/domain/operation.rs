//! What a gateway can be asked to do, and how far that got.
//!
//! See [`Verb`] for an example.

/// What a gateway can be asked to do with a payment.
///
/// A gateway says which of them it can do:
///
/// ```
/// use actix_payments::gateways::dummy::Dummy;
/// use actix_payments::gateways::{Gateway, Verb};
///
/// let dummy = Dummy::new("a secret of your own");
/// assert_eq!(dummy.supports(Verb::Refund), Ok(()));
/// println!("{}", dummy.supports(Verb::Complete).unwrap_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// Take authorized money.
    Capture,
    /// Give up before money moved.
    Cancel,
    /// Return money.
    Refund,
    /// Say how it stands; changes nothing.
    Refresh,
    /// Take the step for which the gateway waits after the customer has approved, if it does not continue by itself. It
    /// may be requested again, under another key, for as long as the gateway says that it waits.
    Complete,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Verb; 5] = [Self::Complete, Self::Capture, Self::Cancel, Self::Refund, Self::Refresh];

    /// The word in tables and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Cancel => "cancel",
            Self::Refund => "refund",
            Self::Refresh => "refresh",
            Self::Complete => "complete",
        }
    }

    /// The verb of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == word)
    }
}

/// What a gateway can be asked to do with a subscription.
///
/// ```
/// use actix_payments::gateways::Gateway;
/// use actix_payments::gateways::stripe::Stripe;
/// use actix_payments::gateways::subscriptions::SubscriptionVerb;
///
/// let stripe = Stripe::new("whsec_1").api_key("sk_test_1");
/// let subscriptions = stripe.subscriptions().expect("Stripe has subscriptions");
/// assert_eq!(subscriptions.supports(SubscriptionVerb::Pause), Ok(()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubscriptionVerb {
    /// End it now.
    Cancel,
    /// Let it end with the current period.
    CancelAtEnd,
    /// Let it continue: take back a scheduled end that has not come yet.
    Resume,
    /// Charge nothing until it is unpaused.
    Pause,
    /// End a pause.
    Unpause,
    /// Change its price or quantity, as [`PlanChange`](super::subscription::PlanChange) says.
    Change,
    /// Say how it stands; changes nothing.
    Refresh,
}

impl SubscriptionVerb {
    /// Every verb.
    pub const ALL: [SubscriptionVerb; 7] =
        [Self::Resume, Self::Unpause, Self::Pause, Self::Change, Self::CancelAtEnd, Self::Cancel, Self::Refresh];

    /// The word in tables and addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::CancelAtEnd => "cancel_at_end",
            Self::Resume => "resume",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Change => "change",
            Self::Refresh => "refresh",
        }
    }

    /// The word in sentences.
    pub fn words(self) -> &'static str {
        match self {
            Self::CancelAtEnd => "cancel at the period's end",
            other => other.as_str(),
        }
    }

    /// The verb of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == word)
    }
}

/// How far an operation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OperationState {
    /// It is tried until its end is known.
    Underway,
    /// The gateway did it.
    Done,
    /// The gateway said no.
    Declined,
    /// Nobody knows, and it is too late to try it again safely.
    Unknown,
    /// It was never tried, because the payment went on in another way.
    Overtaken,
}

impl OperationState {
    /// Every state.
    pub(crate) const ALL: [OperationState; 5] =
        [Self::Underway, Self::Done, Self::Declined, Self::Unknown, Self::Overtaken];

    /// The word in tables and pages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Underway => "underway",
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Unknown => "unknown",
            Self::Overtaken => "overtaken",
        }
    }

    /// The state of this word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}
