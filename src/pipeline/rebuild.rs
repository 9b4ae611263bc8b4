//! A payment's ledger made anew from its stored events.

use super::dues::Dues;
use super::interpret::{Understood, concern, under};
use super::working_set::WorkingSet;
use crate::domain::event::References;
use crate::domain::fact::Fact;
use crate::domain::id::EventId;
use crate::domain::ledger::{Effect, Ledger};
use crate::engine::{Engine, event_facts};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{Claimed, PaymentRow};
use crate::store::sets::EventFacts;

/// The ledger that all stored events of a payment make, and why it may lack something.
pub(crate) struct Remade {
    pub(crate) ledger: Ledger,
    /// What each of the events says by today's reading, where it says something or did so before.
    pub(crate) told: Vec<EventFacts>,
    pub(crate) refusal: Option<String>,
}

/// Reads all events of a payment again.
pub(crate) fn from_events(engine: &Engine, tx: &mut dyn Tx, row: &PaymentRow) -> Result<Remade, Error> {
    let mut recorded = tx.recorded_of(row.id)?;
    engine.reduce_claimed(tx, &mut recorded)?;
    // Asked afterwards: what was pruned meanwhile is not among those either.
    let pruned = tx.pruned_of(row.id)?;
    let mut refusal = (pruned > 0).then(|| {
        format!("the bodies of {pruned} of its events were pruned or erased, so what they said would be lost")
    });
    let mut read: Vec<(Claimed, Understood)> = Vec::new();
    for event in recorded {
        let Some(variant) = engine.variant(&event.row.variant) else {
            let why = format!("{}, and its events are of that", engine.why_lacking(&event.row.variant));
            refusal = refusal.or(Some(why));
            continue;
        };
        match under(&variant, &event) {
            Ok(understood) => read.push((event, understood)),
            Err(_) if has_stated(tx, event.row.id)? => {
                let why = format!(
                    "event {} was read once and can't be read now, so what it said would be lost",
                    event.row.id
                );
                refusal = refusal.or(Some(why));
            }
            Err(_) => {}
        }
    }
    let named: Vec<(&str, &References)> =
        read.iter().map(|(event, read)| (event.row.variant.as_str(), &read.interpretation.references)).collect();
    // References are linked once and stay, so what was ambiguous then is so now, and nothing else is.
    let mut set = WorkingSet::read(tx, &named)?;
    set.dues = Dues::read(engine, tx, &named)?;
    let (ledger, mut told) = merged(&set, read);
    for one in std::mem::take(&mut told) {
        if one.facts != event_facts::to_json(&[]) || tx.event_facts(one.event)?.is_some() {
            told.push(one);
        }
    }
    Ok(Remade { ledger, told, refusal })
}

/// Whether facts of this event are in the ledger.
fn has_stated(tx: &mut dyn Tx, event: EventId) -> Result<bool, Error> {
    Ok(tx.event_facts(event)?.is_some_and(|(_, facts)| !event_facts::from_json(&facts).is_empty()))
}

fn merged(set: &WorkingSet, read: Vec<(Claimed, Understood)>) -> (Ledger, Vec<EventFacts>) {
    let (mut ledger, mut told) = (Ledger::new(), Vec::new());
    for (event, Understood { interpretation, is_ignored, .. }) in read {
        let (of, summary) = (event.row.id, interpretation.summary);
        if is_ignored {
            told.push(EventFacts { event: of, summary, facts: event_facts::to_json(&[]) });
            continue;
        }
        let variant = &event.row.variant;
        let found = set.find(variant, &interpretation.references, interpretation.account.as_deref());
        let is_ambiguous = found.as_ref().is_some_and(|found| found.is_ambiguous);
        let ambiguity = is_ambiguous.then(|| concern("ambiguous_reference", &event));
        let is_ours = |fact: &Fact| {
            found.as_ref().is_none_or(|found| !set.belongs_elsewhere(variant, &fact.gateway_ref, found.payment))
        };
        let facts = interpretation.facts.into_iter().filter(is_ours);
        let effects: Vec<(Fact, Effect)> =
            facts.chain(ambiguity).map(|fact| (fact.clone(), ledger.insert(fact))).collect();
        told.push(EventFacts { event: of, summary, facts: event_facts::to_json(&effects) });
        for due in set.dues.facts(variant, &interpretation.references) {
            ledger.replace(due);
        }
    }
    (ledger, told)
}
