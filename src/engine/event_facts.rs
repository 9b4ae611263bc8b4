//! What an event's facts said and did, as it is stored with the event: a JSON list, so that no page interprets the
//! event again.

use serde::{Deserialize, Serialize};

use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::Effect;
use crate::domain::money::Currency;
use crate::domain::{Timestamp, storable_time};

/// One fact. The names of its fields are in the database.
#[derive(Serialize, Deserialize)]
struct Stored {
    register: String,
    gateway_ref: String,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    face: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// Unix time in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
    /// Unix time in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    livemode: Option<bool>,
    /// Unix time in microseconds.
    at: i64,
    /// The gateway's id of the event.
    event: String,
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
    let micros = |at: Timestamp| i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(0);
    let (word, held) = match effect {
        Effect::New => ("new", None),
        Effect::Known => ("known", None),
        Effect::Replaced(held) => ("replaced", Some(held)),
        Effect::Older(held) => ("older", Some(held)),
        Effect::Outranked(held) => ("outranked", Some(held)),
    };
    Stored {
        register: fact.aspect.as_str().to_owned(),
        gateway_ref: fact.gateway_ref.clone(),
        state: fact.state.as_str().to_owned(),
        amount: fact.amount,
        face: fact.face,
        currency: fact.currency.map(|currency| currency.as_str().to_owned()),
        parent: fact.parent.clone(),
        since: fact.since.map(micros),
        until: fact.until.map(micros),
        livemode: fact.livemode,
        at: micros(fact.occurred_at),
        event: fact.event_id.clone(),
        effect: word.to_owned(),
        held: held.map(|state| state.as_str().to_owned()),
    }
}

fn fact(stored: Stored) -> Option<(Fact, Effect)> {
    let at =
        |micros: i64| Timestamp::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok().and_then(storable_time);
    let held = stored.held.as_deref().and_then(State::parse);
    let effect = match (stored.effect.as_str(), held) {
        ("new", _) => Effect::New,
        ("known", _) => Effect::Known,
        ("replaced", Some(held)) => Effect::Replaced(held),
        ("older", Some(held)) => Effect::Older(held),
        ("outranked", Some(held)) => Effect::Outranked(held),
        _ => return None,
    };
    let fact = Fact {
        aspect: Aspect::parse(&stored.register)?,
        gateway_ref: stored.gateway_ref,
        state: State::parse(&stored.state)?,
        amount: stored.amount,
        face: stored.face,
        currency: stored.currency.and_then(|code| Currency::parse(&code).ok()),
        parent: stored.parent,
        since: stored.since.and_then(at),
        until: stored.until.and_then(at),
        livemode: stored.livemode,
        occurred_at: at(stored.at)?,
        event_id: stored.event,
    };
    Some((fact, effect))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_as_they_were_kept() {
        let at = Timestamp::from_unix_timestamp(1_791_800_100).expect("a time");
        let mut fact = Fact::new(Aspect::Refund, "re_1", State::Failed, at, "evt_1");
        (fact.amount, fact.currency) = (Some(400), Currency::parse("EUR").ok());
        (fact.parent, fact.since) = (Some("ch_1".to_owned()), Some(at));
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
