//! A fact as it is kept in JSON: with the event that stated it, and beside the fact of its register that outranks it.

use serde::{Deserialize, Serialize};

use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Currency;
use crate::domain::{Timestamp, storable_time};

/// One fact. The names of its fields are in the database.
#[derive(Serialize, Deserialize)]
pub(crate) struct ToldFact {
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
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    livemode: Option<bool>,
    /// Unix time in microseconds.
    at: i64,
    /// The gateway's id of the event.
    event: String,
}

impl ToldFact {
    /// The fact as it is kept.
    pub(crate) fn of(fact: &Fact) -> Self {
        let micros = |at: Timestamp| i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(0);
        Self {
            register: fact.aspect.as_str().to_owned(),
            gateway_ref: fact.gateway_ref.to_string(),
            state: fact.state.as_str().to_owned(),
            amount: fact.amount,
            face: fact.face,
            currency: fact.currency.map(|currency| currency.as_str().to_owned()),
            parent: fact.parent.as_ref().map(String::from),
            since: fact.since.map(micros),
            until: fact.until.map(micros),
            reason: fact.reason.clone(),
            livemode: fact.livemode,
            at: micros(fact.occurred_at),
            event: fact.event_id.clone(),
        }
    }

    /// The fact that was kept; `None` where a newer release wrote what this one does not know.
    pub(crate) fn fact(self) -> Option<Fact> {
        let at =
            |micros: i64| Timestamp::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok().and_then(storable_time);
        Some(Fact {
            aspect: Aspect::parse(&self.register)?,
            gateway_ref: self.gateway_ref.into(),
            state: State::parse(&self.state)?,
            amount: self.amount,
            face: self.face,
            currency: self.currency.and_then(|code| Currency::parse(&code).ok()),
            parent: self.parent.map(Into::into),
            since: self.since.and_then(at),
            until: self.until.and_then(at),
            reason: self.reason,
            livemode: self.livemode,
            occurred_at: at(self.at)?,
            event_id: self.event,
        })
    }
}

/// One fact.
pub(crate) fn to_json(fact: &Fact) -> String {
    serde_json::to_string(&ToldFact::of(fact)).unwrap_or_default()
}

/// The same out of the database; `None` where a newer release wrote what this one does not know.
pub(crate) fn from_json(text: &str) -> Option<Fact> {
    serde_json::from_str::<ToldFact>(text).ok().and_then(ToldFact::fact)
}

/// What else was told of a register; nothing where that is nothing.
pub(super) fn earlier_to_json(earlier: &[Fact]) -> Option<String> {
    let kept: Vec<ToldFact> = earlier.iter().map(ToldFact::of).collect();
    serde_json::to_string(&kept).ok().filter(|_| !earlier.is_empty())
}

/// The same out of the database.
pub(super) fn earlier_from_json(text: Option<&str>) -> impl Iterator<Item = Fact> {
    let kept: Vec<ToldFact> = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    kept.into_iter().filter_map(ToldFact::fact)
}
