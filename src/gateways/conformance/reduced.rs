//! Whether an event still says the same of payments and subscriptions once its person was erased.

use crate::domain::event::{Envelope, Interpretation, Malformed};
use crate::domain::payer::Payer;
use crate::domain::person::reduced;
use crate::domain::subscription::SubscriptionFact;

/// What is said otherwise of the event when what is personal in its body is gone, if anything is.
pub(super) fn difference(
    event: &Envelope,
    interpret: impl Fn(&Envelope) -> Result<Interpretation, Malformed>,
) -> Option<String> {
    let left = Envelope { body: reduced(&event.body).into(), ..event.clone() };
    let whole = impersonal(interpret(event).ok()?);
    match interpret(&left).map(impersonal) {
        Err(why) => Some(format!("it can't be interpreted: {why}")),
        Ok(read) => (whole != read).then(|| format!("it says {read:?} and not {whole:?}")),
    }
}

/// What is said but for words and the customer's address.
fn impersonal(read: Interpretation) -> Interpretation {
    let mut read = Interpretation { summary: String::new(), customer: None, payer: Payer::default(), ..read };
    if let Some(statement) = &mut read.subscription {
        statement.facts.retain(|fact| !matches!(fact, SubscriptionFact::Customer { .. }));
    }
    read
}
