//! Does every event fixture state the facts that it should? The snapshot beside the fixtures has a paragraph for
//! each file; it was checked by hand against Stripe's documentation, and whoever changes it should do so again.

use std::collections::BTreeMap;
use std::fmt::Write;

use actix_payments::domain::event::{Interpretation, Recorded};
use actix_payments::domain::fact::Fact;
use actix_payments::gateways::Gateway;
use actix_payments::gateways::stripe::Stripe;

use super::{SECRET, deliver, events, fixtures};

#[test]
fn every_fixture_states_its_facts() {
    let expected = std::fs::read_to_string(fixtures().join("events/stripe.expected")).unwrap();
    let mut expected: BTreeMap<_, _> = expected.trim_end().split("\n\n").map(|p| p.split_once('\n').unwrap()).collect();
    let mut wrong = String::new();
    let events = events();
    assert_eq!(events.len(), 81);
    for (name, body) in events {
        let given = understand(body);
        match expected.remove(name.as_str()) {
            Some(row) if row == given => {}
            Some(row) => write!(wrong, "{name}: expected\n{row}\ngot\n{given}\n\n").unwrap(),
            None => write!(wrong, "no paragraph for\n{name}\n{given}\n\n").unwrap(),
        }
    }
    for name in expected.keys() {
        write!(wrong, "no fixture {name}\n\n").unwrap();
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn understand(body: Vec<u8>) -> String {
    let event = deliver(body).unwrap().events.remove(0);
    let recorded =
        Recorded { id: &event.id, kind: &event.kind, occurred_at: event.occurred_at.unwrap(), body: &event.body };
    let interpretation = Stripe::new(SECRET).interpret(&recorded).unwrap();
    for fact in &interpretation.facts {
        assert_eq!((fact.event_id.as_str(), Some(fact.occurred_at)), (event.id.as_str(), event.occurred_at));
    }
    in_words(&interpretation)
}

/// `says …`, one `fact …` each, then the ids by which the event finds its payment.
fn in_words(interpretation: &Interpretation) -> String {
    let mut lines = vec![format!("  says {}", interpretation.summary)];
    lines.extend(interpretation.facts.iter().map(|fact| format!("  fact {}", fact_in_words(fact))));
    let mut ids = |name: &str, ids: &[String]| {
        if !ids.is_empty() {
            let ids: Vec<_> = ids.iter().map(|id| short(id)).collect();
            lines.push(format!("  {name} {}", ids.join(" ")));
        }
    };
    ids("refs", &interpretation.references.gateway_refs);
    ids("tokens", &interpretation.references.tokens);
    ids("customer", interpretation.customer.as_slice());
    lines.join("\n")
}

fn fact_in_words(fact: &Fact) -> String {
    let mut words = format!("{} {} {}", fact.aspect.as_str(), short(&fact.gateway_ref), fact.state.as_str());
    if let (Some(amount), Some(face), Some(currency)) = (fact.amount, fact.face, fact.currency) {
        write!(words, " {amount} of {face} {currency}").unwrap();
    }
    if let Some(parent) = &fact.parent {
        write!(words, " in {}", short(parent)).unwrap();
    }
    if let Some(since) = fact.since {
        write!(words, " since {}", since.unix_timestamp()).unwrap();
    }
    words
}

/// The beginning of an id is enough to tell the fixtures' objects apart.
fn short(id: &str) -> String {
    id.chars().take(12).collect()
}
