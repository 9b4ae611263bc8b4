//! The sentence on top of a payment's page: why it isn't paid, or where its money is.

use crate::admin::frame::Frame;
use crate::admin::guard::Visit;
use crate::domain::event::{EventState, Source};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::payment::Status;
use crate::engine::Payment;
use crate::reports::PaymentStory;

/// The answer, for whoever has a customer on the phone.
pub(super) fn answer(visit: &Visit, story: &PaymentStory, payment: &Payment) -> String {
    let (frame, gateway) = (&visit.frame(), story.gateway.unwrap_or("the gateway"));
    let decline = story.payer.decline.as_deref().map(|why| visit.shown(&payment.variant, why));
    let decline = decline.map(|why| format!(": {}", why.trim_end_matches('.'))).unwrap_or_default();
    let (captured, refunded, left) = (payment.captured, payment.refunded, payment.remaining());
    let mut words = match payment.status {
        Status::Pending => pending(story, gateway, &decline),
        Status::Authorized => {
            format!("Not paid yet: {} are authorized at {gateway} and wait to be captured.", payment.amount)
        }
        Status::Failed => format!("Not paid: the last try failed{decline}. Another try may still succeed."),
        Status::Canceled => "Not paid: it was canceled before any money moved.".to_owned(),
        Status::Expired => "Not paid: the time ran out before the customer paid.".to_owned(),
        Status::Paid => format!("Paid: {captured} came in through {gateway}."),
        Status::PartiallyRefunded => {
            format!("Paid: {refunded} of {captured} went back to the customer, {left} remain.")
        }
        Status::Refunded => format!("Refunded: all of the {captured} that came in went back to the customer."),
    };
    if payment.lost.minor > 0 {
        words.push_str(&format!(" {} were lost to disputes, {left} remain.", payment.lost));
    } else if payment.disputed {
        words.push_str(&disputed(frame, story, gateway));
    }
    if payment.needs_review() {
        words.push_str(" It needs review.");
    }
    words
}

/// That it is disputed, and by when the first of its open disputes is to be answered.
fn disputed(frame: &Frame, story: &PaymentStory, gateway: &str) -> String {
    let is_open = |fact: &&Fact| (fact.aspect, fact.state) == (Aspect::Dispute, State::Open);
    let deadlines: Vec<_> = story.facts.iter().filter(is_open).filter_map(|fact| fact.until).collect();
    match deadlines.iter().filter(|until| **until >= frame.now()).min() {
        Some(until) => {
            let until = frame.moment(*until).absolute;
            format!(" The customer disputes it: answer at {gateway} by {until}, or the money is lost.")
        }
        None if deadlines.is_empty() => " The customer disputes it.".to_owned(),
        None => format!(" The customer disputes it; the time to answer at {gateway} is over, and no end was reported."),
    }
}

/// Why nothing has come yet.
fn pending(story: &PaymentStory, gateway: &str, decline: &str) -> String {
    let told: Vec<_> = story.events.iter().filter(|event| event.source != Source::Operator).collect();
    let waits = |state: EventState| matches!(state, EventState::Available | EventState::Running);
    let failed = |state: EventState| matches!(state, EventState::Retryable | EventState::Discarded);
    match told.as_slice() {
        [] if story.references.is_empty() => {
            format!(
                "Not paid: no event has come from {gateway}, and no id of {gateway} is known: it may not have been started there."
            )
        }
        [] => format!("Not paid: no event has come from {gateway} yet."),
        events if events.iter().any(|event| failed(event.state)) => {
            format!("Not paid as far as is known here: an event from {gateway} could not be applied, as said below.")
        }
        events if events.iter().any(|event| waits(event.state)) => {
            format!("Not paid as far as is known here: an event from {gateway} waits for a worker.")
        }
        _ if !decline.is_empty() => format!("Not paid: the last try was declined{decline}."),
        [newest, ..] => {
            format!("Not paid yet: the last event from {gateway} is {}, and it reports no payment.", newest.kind)
        }
    }
}
