//! Reads the facts of a notification, from its signed fields alone
//! (kinds: <https://docs.adyen.com/development-resources/webhooks/webhook-types/>).
//!
//! A payment is authorized under a reference, the `pspReference`. Each modification of it (a capture, a refund, a
//! cancellation) has a reference of its own and names the payment's as `originalReference`.

use super::item::Item;
use super::money;
use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::{Currency, Money};
use crate::gateways::json::{Object, short};
use crate::gateways::reading::{sentence, whole, with_money};

/// The ending of the reference of a payment that was started here to be captured later.
pub(crate) const MANUAL: &str = "-manual-capture";

/// The kinds of the events that are made of answers to our own calls. Adyen's are in capital letters.
pub(super) const CAPTURE_ASKED: &str = "capture.answered";
pub(super) const REFUND_ASKED: &str = "refund.answered";
pub(super) const CANCEL_ASKED: &str = "cancel.answered";
pub(super) const LINK_EXPIRED: &str = "payment_link.answered";

/// A notification with what its facts share.
struct Notification<'a> {
    event: &'a Recorded<'a>,
    item: Item,
    amount: Money,
}

/// Reads the event's facts. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>, manual_capture: bool) -> Result<Interpretation, Malformed> {
    if let Some(words) = nothing(event.kind) {
        return Ok(Interpretation { summary: words.to_owned(), ..Interpretation::default() });
    }
    let item = Item::read(&whole(event)?)?;
    let currency = Currency::parse(&item.currency).map_err(|bad| Malformed(bad.to_string()))?;
    let minor = money::to_minor(item.value, currency).map_err(|bad| Malformed(bad.to_string()))?;
    let is_manual = manual_capture || item.merchant_reference.ends_with(MANUAL);
    let references = named(&item.psp_reference, &item.original_reference, &item.merchant_reference);
    let notification = Notification { event, amount: Money::new(minor, currency), item };
    let (facts, words) = notification.read(is_manual);
    let amount = Some(notification.amount);
    Ok(Interpretation { references, facts, summary: sentence(words, amount), ..Interpretation::default() })
}

/// Why there is nothing to read in an event of this kind.
fn nothing(kind: &str) -> Option<&'static str> {
    match kind {
        "AUTHORISATION"
        | "PENDING"
        | "OFFER_CLOSED"
        | "CAPTURE"
        | "CAPTURE_FAILED"
        | "CANCELLATION"
        | "TECHNICAL_CANCEL"
        | "CANCEL_OR_REFUND"
        | "EXPIRE"
        | "REFUND"
        | "REFUND_WITH_DATA"
        | "REFUND_FAILED"
        | "REFUNDED_REVERSED"
        | "REQUEST_FOR_INFORMATION"
        | "NOTIFICATION_OF_CHARGEBACK"
        | "CHARGEBACK"
        | "CHARGEBACK_REVERSED"
        | "SECOND_CHARGEBACK"
        | "PREARBITRATION_WON"
        | "PREARBITRATION_LOST"
        | CAPTURE_ASKED
        | REFUND_ASKED
        | CANCEL_ASKED
        | LINK_EXPIRED => None,
        "REPORT_AVAILABLE" => Some("a report is available: nothing about a payment"),
        "NOTIFICATION_OF_FRAUD" => Some("a bank reported the payment as fraud: kept for handlers, no money moved"),
        "AUTHORISATION_ADJUSTMENT" => Some("the authorized amount was changed: kept for handlers"),
        "INFORMATION_SUPPLIED"
        | "ISSUER_COMMENTS"
        | "DISPUTE_DEFENSE_PERIOD_ENDED"
        | "ISSUER_RESPONSE_TIMEFRAME_EXPIRED" => Some("a step of a dispute that decides nothing: kept for handlers"),
        "RECURRING_CONTRACT" => Some("stored payment details: kept for handlers"),
        _ => Some("nothing about a payment: kept for handlers"),
    }
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let text = |of: &Object<'_>, name: &str| short(of, name).unwrap_or_default();
    let read = |of: Object<'_>| {
        named(&text(&of, "pspReference"), &text(&of, "originalReference"), &text(&of, "merchantReference"))
    };
    whole(event).map(read).unwrap_or_default()
}

fn named(psp: &str, original: &str, reference: &str) -> References {
    let token = reference.strip_suffix(MANUAL).unwrap_or(reference);
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    References { tokens: distinct([text(token)]), gateway_refs: distinct([text(original), text(psp)]) }
}

type Statement = (Vec<Fact>, &'static str);

impl Notification<'_> {
    fn read(&self, is_manual: bool) -> Statement {
        let success = self.item.success == "true";
        let payment = self.payment();
        match (self.event.kind, success) {
            ("AUTHORISATION", _) if self.item.value == 0 => (Vec::new(), "payment details verified, no money moved"),
            ("AUTHORISATION", true) => self.authorized(is_manual),
            ("AUTHORISATION", false) => (vec![self.own(Aspect::Authorization, State::Failed)], "payment refused"),
            ("PENDING", _) => (vec![self.own(Aspect::Authorization, State::Pending)], "payment pending"),
            ("OFFER_CLOSED", _) => (vec![self.own(Aspect::Authorization, State::Expired)], "offer of a payment closed"),
            ("CAPTURE", true) => self.captured(),
            ("CAPTURE", false) => (vec![self.part(Aspect::Capture, State::Failed)], "capture refused"),
            ("CAPTURE_FAILED", _) => {
                // A register of its own: a capture that succeeded before stays so, and it must not pass unseen.
                let facts = [Aspect::Capture, Aspect::Authorization].map(|aspect| self.part(aspect, State::Failed));
                // Where the account captures at once, nothing else tells that the money is gone again.
                let (at, id) = (self.event.occurred_at, self.event.id);
                let concern = Fact::new(Aspect::Concern, "failed_after_success", State::Raised, at, id);
                (facts.into_iter().chain([concern]).collect(), "capture failed afterwards")
            }
            ("CANCELLATION" | "TECHNICAL_CANCEL", true) => (self.canceled(is_manual), "payment canceled"),
            ("CANCEL_OR_REFUND", true) => {
                (self.canceled_or_refunded(), "payment canceled, or refunded where it was captured")
            }
            ("CANCELLATION" | "TECHNICAL_CANCEL" | "CANCEL_OR_REFUND", false) => (Vec::new(), "cancellation refused"),
            ("EXPIRE", _) => {
                let fact = self.fact(Aspect::Authorization, payment, State::Expired);
                (vec![fact], "authorization expired")
            }
            ("REFUND" | "REFUND_WITH_DATA", true) => (vec![self.part(Aspect::Refund, State::Succeeded)], "refunded"),
            ("REFUND" | "REFUND_WITH_DATA", false) => {
                (vec![self.part(Aspect::Refund, State::Failed)], "refund refused, the money stays")
            }
            ("REFUND_FAILED", _) => {
                (vec![self.part(Aspect::Refund, State::Failed)], "refund failed, the money came back")
            }
            ("REFUNDED_REVERSED", _) => {
                (vec![self.part(Aspect::Refund, State::Failed)], "refund returned, the money came back")
            }
            ("REQUEST_FOR_INFORMATION", _) => self.dispute(State::Inquiry, "the bank asks for information"),
            ("NOTIFICATION_OF_CHARGEBACK", _) => self.dispute(State::Open, "chargeback announced, to be defended"),
            ("CHARGEBACK", _) => self.dispute(State::Lost, "chargeback: the bank took the money back"),
            ("SECOND_CHARGEBACK", _) => self.dispute(State::Lost, "second chargeback: the money is lost"),
            ("PREARBITRATION_LOST", _) => self.dispute(State::Lost, "dispute lost before arbitration"),
            ("CHARGEBACK_REVERSED", _) => self.dispute(State::Won, "chargeback reversed, the money came back"),
            ("PREARBITRATION_WON", _) => self.dispute(State::Won, "dispute won before arbitration"),
            (CAPTURE_ASKED, _) => (vec![self.part(Aspect::Capture, State::Pending)], "capture received by Adyen"),
            (REFUND_ASKED, _) => (vec![self.part(Aspect::Refund, State::Pending)], "refund received by Adyen"),
            (LINK_EXPIRED, _) => (vec![self.own(Aspect::Checkout, State::Canceled)], "payment link ended"),
            _ => (Vec::new(), "received by Adyen; the result comes as an event"),
        }
    }

    /// The reference of the payment that this is about.
    fn payment(&self) -> &str {
        match self.item.original_reference.as_str() {
            "" => &self.item.psp_reference,
            original => original,
        }
    }

    fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
        let fact = Fact::new(aspect, gateway_ref, state, self.event.occurred_at, self.event.id);
        with_money(fact, Some(self.amount))
    }

    /// A fact of the payment itself.
    fn own(&self, aspect: Aspect, state: State) -> Fact {
        self.fact(aspect, &self.item.psp_reference, state)
    }

    /// A fact of a modification, which belongs to the payment.
    fn part(&self, aspect: Aspect, state: State) -> Fact {
        let payment = Some(self.payment()).filter(|payment| *payment != self.item.psp_reference);
        let made = (aspect == Aspect::Refund && state == State::Pending).then_some(self.event.occurred_at);
        self.own(aspect, state).with_parent(payment).with_since(made)
    }

    /// An account that captures at once says no more of the money; a capture that is told of all the same is the same.
    fn authorized(&self, is_manual: bool) -> Statement {
        let held = self.own(Aspect::Authorization, State::Authorized);
        if is_manual {
            (vec![held], "payment authorized, to be captured")
        } else {
            (vec![held, self.own(Aspect::CaptureTotal, State::Succeeded)], "payment authorized and captured")
        }
    }

    /// A capture. Unless the account captures in several parts, the rest was released with it.
    fn captured(&self) -> Statement {
        let total =
            Fact::new(Aspect::CaptureTotal, self.payment(), State::Closed, self.event.occurred_at, self.event.id);
        (vec![self.part(Aspect::Capture, State::Succeeded), total], "payment captured")
    }

    /// A cancellation releases what was not captured. Unless the payment is known to be captured later, it may count as
    /// captured here; how much of it was does not stand in the event, so somebody has to look.
    fn canceled(&self, is_manual: bool) -> Vec<Fact> {
        let released = self.fact(Aspect::Authorization, self.payment(), State::Canceled);
        let reason = "Adyen canceled a payment that is not known to be captured later: see there what was captured";
        let concern = Fact::new(Aspect::Concern, reason, State::Raised, self.event.occurred_at, self.event.id);
        [released].into_iter().chain((!is_manual).then_some(concern)).collect()
    }

    /// What was captured is given back, and the rest released.
    fn canceled_or_refunded(&self) -> Vec<Fact> {
        let released = self.fact(Aspect::Authorization, self.payment(), State::Canceled);
        vec![released, self.part(Aspect::Refund, State::Succeeded)]
    }

    /// All steps of a dispute have its reference, and name the payment as the original
    /// (<https://docs.adyen.com/risk-management/disputes-api/dispute-notifications/>).
    fn dispute(&self, state: State, words: &'static str) -> Statement {
        (vec![self.own(Aspect::Dispute, state).with_parent(Some(self.payment()))], words)
    }
}
