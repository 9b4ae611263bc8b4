//! Does every event fixture state the facts that it should? The snapshot beside the fixtures has a paragraph for
//! each file; it was checked by hand against Stripe's documentation, and whoever changes it should do so again.

use std::collections::BTreeMap;
use std::fmt::Write;

use actix_payments::domain::event::{Interpretation, Recorded, SubscriptionStatement};
use actix_payments::domain::fact::Fact;
use actix_payments::domain::subscription::SubscriptionFact;
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
    let recorded = Recorded::new(&event.id, &event.kind, event.occurred_at.unwrap(), &event.body);
    let interpretation = Stripe::new(SECRET).interpret(&recorded).unwrap();
    for fact in &interpretation.facts {
        // What links an invoice to its money may come long after that.
        let is_of_event = !interpretation.is_link || Some(fact.occurred_at) > event.occurred_at;
        let at = if is_of_event { event.occurred_at } else { Some(fact.occurred_at) };
        assert_eq!((fact.event_id.as_str(), Some(fact.occurred_at)), (event.id.as_str(), at));
    }
    in_words(&interpretation)
}

/// `says …`, one `fact …` each, then the ids by which the event finds its payment.
fn in_words(interpretation: &Interpretation) -> String {
    let mut lines = vec![format!("  says {}", interpretation.summary)];
    lines.extend(interpretation.facts.iter().map(|fact| format!("  fact {}", fact_in_words(fact))));
    let mut ids = |name: &str, ids: Vec<&str>| {
        if !ids.is_empty() {
            let ids: Vec<_> = ids.into_iter().map(short).collect();
            lines.push(format!("  {name} {}", ids.join(" ")));
        }
    };
    ids("refs", interpretation.references.gateway_refs.iter().map(|id| &**id).collect());
    ids("tokens", interpretation.references.tokens.iter().map(|token| token.as_str()).collect());
    ids("customer", interpretation.customer.as_deref().into_iter().collect());
    lines.extend(interpretation.subscription.iter().map(|statement| format!("  subscription {}", stated(statement))));
    lines.join("\n")
}

/// The subscription, and what is said of it.
fn stated(statement: &SubscriptionStatement) -> String {
    let mut words = short(&statement.gateway_ref);
    for fact in &statement.facts {
        match fact {
            SubscriptionFact::Snapshot(snapshot) => {
                let content = &snapshot.content;
                let until = content.period.map(|period| period.end.unix_timestamp());
                write!(words, " {} until {until:?}", content.status).unwrap();
                for (name, at) in
                    [("trial", content.trial_end), ("ends", content.cancel_at), ("ended", content.ended_at)]
                {
                    write!(words, "{}", at.map(|at| format!(" {name} {}", at.unix_timestamp())).unwrap_or_default())
                        .unwrap();
                }
                for item in &content.items {
                    write!(
                        words,
                        ", {:?} of {} at {:?}",
                        item.quantity,
                        short(&item.price),
                        item.amount.map(|of| of.to_string())
                    )
                    .unwrap();
                }
                let changed: Vec<_> = snapshot.previous.iter().map(|(name, value)| format!("{name} {value}")).collect();
                write!(
                    words,
                    "{}",
                    if changed.is_empty() { String::new() } else { format!(", before: {}", changed.join(", ")) }
                )
                .unwrap();
            }
            SubscriptionFact::Invoice(invoice) => {
                let due = invoice.due.map(|due| due.to_string()).unwrap_or_default();
                write!(
                    words,
                    ", invoice {} {} of {due}, {} attempts",
                    short(&invoice.gateway_ref),
                    invoice.status,
                    invoice.attempts
                )
                .unwrap();
            }
            SubscriptionFact::Owner(_, claim) => write!(words, ", of {}", claim.owner).unwrap(),
            SubscriptionFact::Customer { email, .. } => write!(words, ", {email}").unwrap(),
            other => panic!("a fact that this test does not know: {other:?}"),
        }
    }
    words
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
