//! What the readers of several gateways' events share: the object in an event's bytes, amounts, times and summaries.

use super::json::{self, Object, short};
use crate::domain::Timestamp;
use crate::domain::event::{Malformed, Recorded};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::{Currency, Money};

/// The ending of the kinds of events that are made of answers to our own calls. No company's kind ends in it.
pub(super) const ANSWERED: &str = ".answered";

/// The object in an event's bytes.
pub(super) fn whole<'a>(event: &Recorded<'a>) -> Result<Object<'a>, Malformed> {
    let text = std::str::from_utf8(event.body);
    let text = text.map_err(|at| Malformed(format!("expected UTF-8, got other bytes after {}", at.valid_up_to())))?;
    Object::read(text, "an event")
}

/// A fact of an event.
pub(super) fn fact(event: &Recorded<'_>, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
    Fact::new(aspect, gateway_ref, state, event.occurred_at, event.id)
}

/// When what an event shows was so. An answer to our own call shows the current state, and an object that is undecided
/// has been so since it last changed: the time of the answer would let it outrank what was decided in between.
pub(super) fn since(event: &Recorded<'_>, is_undecided: bool, changed: Option<Timestamp>) -> Timestamp {
    match changed {
        Some(changed) if is_undecided && event.kind.ends_with(ANSWERED) => changed.min(event.occurred_at),
        _ => event.occurred_at,
    }
}

/// As of when an event shows the whole of an object that last changed at `changed`. Answers have whole seconds, and none
/// is older than what it shows.
pub(super) fn as_of(event: &Recorded<'_>, changed: Option<Timestamp>) -> Timestamp {
    let shown = changed.filter(|_| event.kind.ends_with(ANSWERED));
    shown.map_or(event.occurred_at, |changed| changed.max(event.occurred_at))
}

/// An amount in minor units of the currency with this code.
pub(super) fn money(minor: i64, code: &str) -> Result<Money, Malformed> {
    let currency = Currency::parse(code).map_err(|error| Malformed(error.to_string()))?;
    Ok(Money::new(minor, currency))
}

/// A number of minor units that is written as text.
pub(super) fn number_text(object: &Object<'_>, name: &str) -> Result<Option<i64>, Malformed> {
    let Some(text) = object.text(name)? else { return Ok(None) };
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number);
    number
        .map(Some)
        .ok_or_else(|| Malformed(format!("expected `{name}` to be a whole number as text, got another text")))
}

/// Adds the amount to the fact, if there is one.
pub(super) fn with_money(fact: Fact, amount: Option<Money>) -> Fact {
    match amount {
        Some(amount) => fact.with_amount(amount.minor, amount.currency),
        None => fact,
    }
}

/// A summary: the words, and the amount if there is one.
pub(super) fn sentence(words: impl std::fmt::Display, amount: Option<Money>) -> String {
    match amount {
        Some(amount) => format!("{words}: {amount}"),
        None => words.to_string(),
    }
}

/// The company's code for a reason, in brackets; empty if there is none.
pub(super) fn because(code: Option<String>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

/// The time in the field `name`, as RFC 3339 or Unix seconds.
pub(super) fn time(object: &Object<'_>, name: &str) -> Option<Timestamp> {
    json::time(object.raw(name)?)
}

/// Whether a text has the form of a payment's token of ours (`engine::payment_token`), which no shop's own words have.
pub(super) fn is_token(text: &str) -> bool {
    let is_of_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.strip_prefix("pay_").is_some_and(|word| word.len() == 26 && word.bytes().all(is_of_word))
}

/// The text `inner` of the object's member `outer`, if there is one.
pub(super) fn nested(object: &Object<'_>, outer: &str, inner: &str) -> Option<String> {
    short(&object.object(outer, "a part of it").ok()??, inner)
}

/// A short text or whole number in the field `name`, as text.
pub(super) fn id_text(object: &Object<'_>, name: &str) -> Option<String> {
    short(object, name).or_else(|| object.integer(name).ok().flatten().map(|number| number.to_string()))
}
