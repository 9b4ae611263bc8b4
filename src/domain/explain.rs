//! The outcome of an event, from the payment's states before and after it: a code to filter by, and a sentence for
//! people.
//!
//! ```
//! use actix_payments::domain::Timestamp;
//! use actix_payments::domain::explain::{disputes, rebuilt, why};
//! use actix_payments::domain::fact::{Aspect, Fact, State};
//! use actix_payments::domain::ledger::Ledger;
//! use actix_payments::domain::money::{Currency, Money};
//! use actix_payments::domain::payment::{Terms, derive};
//!
//! let (terms, at) = (Terms::Agreed(Money::new(49_99, Currency::EUR)), Timestamp::UNIX_EPOCH);
//! let fact = |aspect, id: &str, state| Fact::new(aspect, id, state, at, "evt_1").with_amount(49_99, Currency::EUR);
//! let facts = [fact(Aspect::Capture, "ch_1", State::Succeeded), fact(Aspect::Dispute, "dp_1", State::Open)];
//! let mut ledger = Ledger::new();
//! let before = derive(terms, &ledger);
//! let effects = facts.map(|fact| (fact.clone(), ledger.insert(fact)));
//! let after = derive(terms, &ledger);
//! let (code, sentence) = why(&before, &after, true, &effects);
//! assert_eq!((code, disputes(&effects).count()), ("applied", 1));
//! println!("{sentence}. Rebuilt: {}.", rebuilt(&before, &after, true));
//! ```

use super::fact::{Aspect, Fact, State};
use super::ledger::Effect;
use super::money::Money;
use super::payment::concerns::mismatch;
use super::payment::rules::unpaid_word;
use super::payment::{PaymentState, Status};

/// The outcome of an event that took a payment from `before` to `after`. `effects` are its facts and what the ledger
/// made of each, `is_changed` whether the ledger changed. Returns a sentence, and one of these codes:
///
/// - `applied`: the status, an amount, a flag, a concern or a dispute changed;
/// - `mismatch`: the event's amount or currency is not the payment's, so it confirmed nothing;
/// - `outranked`: the event came too late to change anything, because the ledger's facts outrank its own;
/// - `no_change`: the event agrees with the ledger and adds nothing.
///
/// See the [module](self) for an example.
pub fn why(
    before: &PaymentState,
    after: &PaymentState,
    is_changed: bool,
    effects: &[(Fact, Effect)],
) -> (&'static str, String) {
    if let Some(sentence) = refused_amount(before, after, effects) {
        return ("mismatch", sentence);
    }
    let disputes: Vec<String> = disputes(effects).map(|(fact, _)| dispute_words(fact)).collect();
    if before != after || !disputes.is_empty() {
        return ("applied", applied(before, after, refund_reason(effects), disputes));
    }
    if let Some(sentence) = outranked(after, effects) {
        return ("outranked", sentence);
    }
    ("no_change", unchanged(after, is_changed, effects))
}

/// The facts by which a dispute began or came to another state. That one is over which nobody heard of, of no amount, is
/// no news: a gateway may say so of each payment without one.
///
/// See the [module](self) for an example.
pub fn disputes(effects: &[(Fact, Effect)]) -> impl Iterator<Item = (&Fact, Effect)> {
    let is_step = |(fact, effect): &&(Fact, Effect)| match effect {
        Effect::New => fact.state != State::Closed || fact.amount.is_some(),
        Effect::Replaced(held) => *held != fact.state,
        _ => false,
    };
    let disputes = effects.iter().filter(|(fact, _)| fact.aspect == Aspect::Dispute);
    disputes.filter(is_step).map(|(fact, effect)| (fact, *effect))
}

/// `dispute dp_1 of 49.99 EUR is open, to be answered by 2026-12-03 23:59 UTC`.
fn dispute_words(dispute: &Fact) -> String {
    let id = &dispute.gateway_ref;
    let amount = dispute.amount.zip(dispute.currency).map(|(minor, currency)| Money::new(minor, currency));
    let of = amount.map(|amount| format!(" of {amount}")).unwrap_or_default();
    let until =
        dispute.until.map(|at| format!(", to be answered by {} {:02}:{:02} UTC", at.date(), at.hour(), at.minute()));
    let until = until.unwrap_or_default();
    match dispute.state {
        State::Inquiry => format!("inquiry {id}{of} by the customer's bank, no money is withdrawn{until}"),
        State::Won => format!("dispute {id}{of} was won"),
        State::Lost => format!("dispute {id}{of} was lost"),
        State::Closed => format!("dispute {id}{of} ended without a decision against anyone"),
        _ => format!("dispute {id}{of} is open{until}"),
    }
}

/// The outcome of a rebuild, as a sentence. `changed` is whether the ledger changed.
///
/// See the [module](self) for an example.
pub fn rebuilt(before: &PaymentState, after: &PaymentState, changed: bool) -> String {
    match (before != after, changed) {
        (true, _) => applied(before, after, String::new(), Vec::new()),
        (false, true) => format!("still {}; only its ledger changed", status_words(after)),
        (false, false) => format!("still {}; nothing differed", status_words(after)),
    }
}

/// A name from the tables as it is written in sentences: `partially refunded`.
pub(crate) fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

fn status_words(state: &PaymentState) -> String {
    spaced(state.status.as_str())
}

fn refused_amount(before: &PaymentState, after: &PaymentState, effects: &[(Fact, Effect)]) -> Option<String> {
    let key = |s: &PaymentState| (s.status, s.refunded, s.lost, s.disputed);
    if key(before) != key(after) {
        return None;
    }
    let claims = facts(effects)
        .filter(|f| is_way(f.aspect) && matches!(f.state, State::Succeeded | State::Authorized | State::Free));
    let concern = claims.map(|f| mismatch(f, after.amount)).find(|s| after.concerns.contains(s))?;
    Some(match after.status {
        status if status.was_paid() => format!("still {}, but {concern}", status_words(after)),
        _ => format!("not confirmed: {concern}"),
    })
}

/// A change in words: `pending → paid: 49.99 EUR captured`.
fn applied(before: &PaymentState, after: &PaymentState, why_refunded: String, disputes: Vec<String>) -> String {
    let head = if before.status == after.status {
        format!("still {}", status_words(after))
    } else {
        format!("{} → {}", status_words(before), status_words(after))
    };
    let mut parts = Vec::new();
    if before.amount != after.amount {
        parts.push(format!("the payment is of {}", after.amount));
    }
    parts.extend(captured_part(before, after));
    parts.extend(refunded_part(before, after).map(|part| part + &why_refunded));
    parts.extend(disputes);
    if before.lost != after.lost {
        let money = |minor| Money::new(minor, after.amount.currency);
        parts.push(format!("{} lost to disputes, {} remain", money(after.lost), money(after.remaining())));
    }
    if before.disputed != after.disputed {
        parts.push(if after.disputed { "disputed" } else { "no longer disputed" }.to_owned());
    }
    if parts.is_empty() && before.status != after.status {
        parts.push(meaning(after));
    }
    let new = after.concerns.iter().filter(|c| !before.concerns.contains(c));
    parts.extend(new.map(|concern| format!("needs review: {concern}")));
    if before.needs_review() && !after.needs_review() {
        parts.push("no longer needs review".to_owned());
    }
    if parts.is_empty() { head } else { format!("{head}: {}", parts.join("; ")) }
}

fn captured_part(before: &PaymentState, after: &PaymentState) -> Option<String> {
    let money = |minor| Money::new(minor, after.amount.currency);
    match after.captured.saturating_sub(before.captured) {
        0 => None,
        more if more > 0 && before.captured > 0 => {
            Some(format!("{} more captured, {} in all", money(more), money(after.captured)))
        }
        _ => Some(format!("{} captured", money(after.captured))),
    }
}

fn refunded_part(before: &PaymentState, after: &PaymentState) -> Option<String> {
    let money = |minor| Money::new(minor, after.amount.currency);
    match after.refunded.saturating_sub(before.refunded) {
        0 => None,
        less if less < 0 => Some(format!(
            "{} of refunds were undone, {} of {} stay refunded",
            money(less.saturating_neg()),
            money(after.refunded),
            money(after.captured)
        )),
        more if before.refunded > 0 => Some(format!(
            "{} more refunded, {} of {} in all",
            money(more),
            money(after.refunded),
            money(after.captured)
        )),
        more => Some(format!("{} of {} refunded", money(more), money(after.captured))),
    }
}

/// ` (requested by customer)`: why money went back, where an event says so.
fn refund_reason(effects: &[(Fact, Effect)]) -> String {
    let refunds = effects.iter().filter(|(fact, effect)| fact.aspect == Aspect::Refund && effect.changed());
    let mut reasons: Vec<String> = refunds.filter_map(|(fact, _)| fact.reason.as_deref().map(spaced)).collect();
    reasons.dedup();
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) }
}

/// What a status means, for a change without a change of amounts.
fn meaning(after: &PaymentState) -> String {
    match after.status {
        Status::Pending => "nothing is decided".to_owned(),
        Status::Authorized => format!("{} can be captured", after.amount),
        Status::Paid if after.captured == 0 => "nothing was to be paid".to_owned(),
        Status::Paid => format!("{} captured", Money::new(after.captured, after.amount.currency)),
        Status::PartiallyRefunded => "a part went back".to_owned(),
        Status::Refunded => "all of it went back".to_owned(),
        Status::Failed => "the attempt failed, another may follow".to_owned(),
        Status::Canceled => "given up before money moved".to_owned(),
        Status::Expired => "time ran out before money moved".to_owned(),
    }
}

/// Why facts that contradict the status could not change it; `None` if none do.
fn outranked(after: &PaymentState, effects: &[(Fact, Effect)]) -> Option<String> {
    let status = after.status;
    let differs = |f: &&Fact| match f.state {
        State::Authorized => status != Status::Authorized,
        state => unpaid_word(state).is_some_and(|word| word != status),
    };
    let word = spaced(facts(effects).filter(|f| is_way(f.aspect)).find(differs)?.state.as_str());
    let current = status_words(after);
    Some(match status {
        Status::Paid if after.captured == 0 => {
            format!("still paid: nothing was to be paid, and `{word}` can't undo that")
        }
        _ if status.was_paid() => format!("still {current}: money moved before, and `{word}` can't undo that"),
        Status::Authorized => format!("still authorized: the authorization still stands, and `{word}` doesn't end it"),
        _ => format!("still {current}: a later state at the gateway outranks `{word}`"),
    })
}

fn unchanged(after: &PaymentState, is_changed: bool, effects: &[(Fact, Effect)]) -> String {
    let (status, current) = (after.status, status_words(after));
    let states = |aspect, states: &[State]| facts(effects).any(|f| f.aspect == aspect && states.contains(&f.state));
    if effects.is_empty() {
        "this event says nothing that changes a payment".to_owned()
    } else if !is_changed {
        format!("already known; still {current}")
    } else if states(Aspect::Refund, &[State::Pending, State::ActionRequired]) {
        format!("still {current}: a refund is pending, none of it has gone back yet")
    } else if states(Aspect::Refund, &[State::Failed, State::Canceled]) {
        format!("still {current}: a refund failed or was canceled, and none of it was counted")
    } else if let Some(fee) = effects.iter().find(|(fact, effect)| fact.aspect == Aspect::Fee && effect.changed()) {
        format!("still {current}{}", fee_words(&fee.0))
    } else if status == Status::Pending {
        "still pending; this event decides nothing".to_owned()
    } else {
        format!("already {current}; this event adds nothing")
    }
}

/// `: a fee of 1.64 EUR is known`.
fn fee_words(fee: &Fact) -> String {
    let money = fee.amount.zip(fee.currency).filter(|(minor, _)| *minor != 0);
    money.map_or_else(String::new, |(minor, currency)| {
        let what = if minor < 0 { "is given back" } else { "is known" };
        format!(": a fee of {} {what}", Money::new(minor.saturating_abs(), currency))
    })
}

fn facts(effects: &[(Fact, Effect)]) -> impl Iterator<Item = &Fact> {
    effects.iter().map(|(fact, _)| fact)
}

/// Whether the aspect is about money to the merchant, unlike refunds, disputes, fees and concerns.
fn is_way(aspect: Aspect) -> bool {
    matches!(aspect, Aspect::Checkout | Aspect::Authorization | Aspect::Capture | Aspect::CaptureTotal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::ledger::Ledger;
    use crate::domain::money::Currency;
    use crate::domain::payment::{Terms, derive};

    fn euros(minor: i64) -> Money {
        Money::new(minor, Currency::parse("EUR").expect("a code"))
    }

    fn fact(aspect: Aspect, state: State, minute: i64, minor: i64) -> Fact {
        let at = Timestamp::UNIX_EPOCH + time::Duration::minutes(minute);
        Fact::new(aspect, "x", state, at, "evt").with_amount(minor, euros(0).currency)
    }

    /// The outcomes of these events, one fact each, for a payment of 10.00 EUR.
    fn outcomes(facts: &[Fact]) -> Vec<(&'static str, String)> {
        let terms = Terms::Agreed(euros(1000));
        let mut ledger = Ledger::new();
        let step = |fact: &Fact| {
            let before = derive(terms, &ledger);
            let effect = ledger.insert(fact.clone());
            why(&before, &derive(terms, &ledger), effect.changed(), &[(fact.clone(), effect)])
        };
        facts.iter().map(step).collect()
    }

    #[test]
    fn a_paid_refunded_and_disputed_payment_is_explained_step_by_step() {
        let outcomes = outcomes(&[
            fact(Aspect::Checkout, State::Pending, 0, 1000),
            fact(Aspect::Checkout, State::Succeeded, 1, 1000),
            fact(Aspect::Checkout, State::Succeeded, 1, 1000),
            fact(Aspect::Checkout, State::Expired, 9, 1000),
            fact(Aspect::Refund, State::Pending, 2, 400),
            fact(Aspect::Refund, State::Succeeded, 3, 400),
            fact(Aspect::Refund, State::Failed, 4, 400),
            fact(Aspect::Dispute, State::Open, 5, 1000),
            fact(Aspect::RefundTotal, State::Succeeded, 6, 1000),
        ]);
        let expected = [
            ("no_change", "still pending; this event decides nothing"),
            ("applied", "pending → paid: 10.00 EUR captured"),
            ("no_change", "already known; still paid"),
            ("outranked", "still paid: money moved before, and `expired` can't undo that"),
            ("no_change", "still paid: a refund is pending, none of it has gone back yet"),
            ("applied", "paid → partially refunded: 4.00 EUR of 10.00 EUR refunded"),
            (
                "applied",
                "partially refunded → paid: 4.00 EUR of refunds were undone, 0.00 EUR of 10.00 EUR stay refunded",
            ),
            ("applied", "still paid: dispute x of 10.00 EUR is open; disputed"),
            ("applied", "paid → refunded: 10.00 EUR of 10.00 EUR refunded"),
        ];
        assert_eq!(outcomes, expected.map(|(code, sentence)| (code, sentence.to_owned())));
    }

    #[test]
    fn a_wrong_amount_is_reported_each_time_it_comes() {
        let short = fact(Aspect::CaptureTotal, State::Succeeded, 1, 1);
        let sentence = "not confirmed: the gateway reports 0.01 EUR, the payment is of 10.00 EUR".to_owned();
        assert_eq!(outcomes(&[short.clone(), short]), [("mismatch", sentence.clone()), ("mismatch", sentence)]);
    }

    #[test]
    fn an_outranked_event_differs_from_one_that_decides() {
        let outcomes = outcomes(&[
            fact(Aspect::Authorization, State::Authorized, 1, 1000),
            fact(Aspect::Checkout, State::Expired, 2, 1000),
            fact(Aspect::Authorization, State::Canceled, 3, 1000),
            fact(Aspect::Authorization, State::Pending, 4, 1000),
        ]);
        let expected = [
            ("applied", "pending → authorized: 10.00 EUR can be captured"),
            ("outranked", "still authorized: the authorization still stands, and `expired` doesn't end it"),
            ("applied", "authorized → canceled: given up before money moved"),
            ("outranked", "still canceled: a later state at the gateway outranks `pending`"),
        ];
        assert_eq!(outcomes, expected.map(|(code, sentence)| (code, sentence.to_owned())));
    }
}
