//! What an event's facts said and did, as it is stored with the event: a JSON list, so that no page interprets the
//! event again.

use serde::{Deserialize, Serialize};

use crate::domain::fact::{Fact, State};
use crate::domain::ledger::Effect;
use crate::store::told::ToldFact;

/// One fact. The names of its fields are in the database.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    fact: ToldFact,
    effect: String,
    /// The state that the register held before, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<String>,
}

/// The facts and what the ledger made of each.
pub(crate) fn to_json(effects: &[(Fact, Effect)]) -> String {
    let stored: Vec<Stored> = effects.iter().map(stored).collect();
    serde_json::to_string(&stored).unwrap_or_else(|_| "[]".to_owned())
}

/// The same out of the database. What a newer release wrote and this one does not know is left out.
pub(crate) fn from_json(text: &str) -> Vec<(Fact, Effect)> {
    let stored: Vec<Stored> = serde_json::from_str(text).unwrap_or_default();
    stored.into_iter().filter_map(fact).collect()
}

fn stored((fact, effect): &(Fact, Effect)) -> Stored {
    let (word, held) = match effect {
        Effect::New => ("new", None),
        Effect::Known => ("known", None),
        Effect::Replaced(held) => ("replaced", Some(held)),
        Effect::Older(held) => ("older", Some(held)),
        Effect::Outranked(held) => ("outranked", Some(held)),
    };
    Stored { fact: ToldFact::of(fact), effect: word.to_owned(), held: held.map(|state| state.as_str().to_owned()) }
}

fn fact(stored: Stored) -> Option<(Fact, Effect)> {
    let held = stored.held.as_deref().and_then(State::parse);
    let effect = match (stored.effect.as_str(), held) {
        ("new", _) => Effect::New,
        ("known", _) => Effect::Known,
        ("replaced", Some(held)) => Effect::Replaced(held),
        ("older", Some(held)) => Effect::Older(held),
        ("outranked", Some(held)) => Effect::Outranked(held),
        _ => return None,
    };
    Some((stored.fact.fact()?, effect))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::fact::Aspect;
    use crate::domain::money::Currency;

    #[test]
    fn facts_come_back_as_they_were_kept() {
        let at = Timestamp::from_unix_timestamp(1_791_800_100).expect("a time");
        let mut fact = Fact::new(Aspect::Refund, "re_1", State::Failed, at, "evt_1");
        (fact.amount, fact.currency) = (Some(400), Currency::parse("EUR").ok());
        (fact.parent, fact.since) = (Some("ch_1".into()), Some(at));
        (fact.until, fact.livemode) = (Some(at), Some(true));
        let effects = [Effect::New, Effect::Known, Effect::Replaced(State::Pending), Effect::Older(State::Succeeded)];
        let kept: Vec<_> = effects.into_iter().map(|effect| (fact.clone(), effect)).collect();
        assert_eq!(from_json(&to_json(&kept)), kept);
    }

    #[test]
    fn what_a_newer_release_wrote_is_left_out() {
        let kept = r#"[{"register":"tip","gateway_ref":"x","state":"new","at":0,"event":"e","effect":"new"}]"#;
        assert!(from_json(kept).is_empty() && from_json("no JSON").is_empty());
    }
}
