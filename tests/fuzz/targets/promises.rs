//! What does every reading of an event promise to those who store it and reckon with it?

use actix_payments::domain::event::{Interpretation, Recorded};
use actix_payments::domain::fact::Fact;
use actix_payments::domain::ledger::{Effect, Ledger};
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::payment::{PaymentState, Terms, derive};
use actix_payments::domain::{Timestamp, explain, to_micros};
use actix_payments::gateways::Gateway;

/// Panics if the gateway's reading of the event breaks a promise.
pub fn kept(gateway: &dyn Gateway, event: &Recorded<'_>) {
    let said = gateway.interpret(event);
    assert_eq!(said, gateway.interpret(event), "the same bytes say the same");
    let Ok(Interpretation { references, facts, summary, customer, .. }) = said else { return };
    let tokens = references.tokens.iter().map(|token| &**token);
    let named = tokens.chain(references.gateway_refs.iter().map(|id| &**id)).chain(customer.as_deref());
    named.for_each(|text| assert!(storable(text), "{text:?}"));
    // It ends as one line of an event's outcome, which Postgres takes without NUL only.
    assert!(!summary.trim().is_empty() && !summary.chars().any(char::is_control), "{summary:?}");
    facts.iter().for_each(|fact| stands_for_itself(fact, event));
    in_any_order(&facts);
}

/// A fact goes into the ledger's table as it is.
fn stands_for_itself(fact: &Fact, event: &Recorded<'_>) {
    assert_eq!(fact.event_id, event.id, "{fact:?}");
    assert!(storable(&fact.gateway_ref), "{fact:?}");
    assert!(fact.parent.as_deref().is_none_or(storable), "{fact:?}");
    assert_eq!(fact.amount.is_some(), fact.currency.is_some(), "{fact:?}");
    assert!(fact.face.is_none() || fact.currency.is_some(), "{fact:?}");
    for at in [Some(fact.occurred_at), fact.since].into_iter().flatten() {
        assert!(keeps(at), "{fact:?}");
    }
}

/// Whether both databases give a moment back as it is: whole microseconds, and Postgres begins with the year 4713 BC.
fn keeps(at: Timestamp) -> bool {
    to_micros(at) == at && at.year() >= -4712
}

/// The ledger of the facts and all that is told of it are the same whichever came first.
fn in_any_order(facts: &[Fact]) {
    let mut ledger = Ledger::new();
    let effects: Vec<(Fact, Effect)> = facts.iter().map(|fact| (fact.clone(), ledger.insert(fact.clone()))).collect();
    let turned = Ledger::from_facts(facts.iter().rev().cloned());
    assert_eq!(ledger, turned, "{facts:?}");
    let due = Money::new(4999, Currency::parse("EUR").expect("a code"));
    for terms in [Terms::Adopted, Terms::Agreed(due)] {
        let (before, after) = (derive(terms, &Ledger::new()), derive(terms, &ledger));
        assert_eq!(after, derive(terms, &turned), "{facts:?}");
        sane(&after);
        let (_, why) = explain::why(&before, &after, !facts.is_empty(), &effects);
        assert!(!why.is_empty() && !why.contains('\0'), "{why:?}");
    }
}

fn sane(state: &PaymentState) {
    assert!((0..=state.captured).contains(&state.refunded), "{state:?}");
    // They are stored one a line.
    assert!(!state.concerns.iter().any(|sentence| sentence.is_empty() || sentence.contains('\n')), "{state:?}");
}

/// Whether a text can be stored as an id: 1 to 255 characters, none of control.
pub fn storable(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 255 && !text.chars().any(char::is_control)
}
