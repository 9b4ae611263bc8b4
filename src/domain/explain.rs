//! What became of an event, and why? A code to filter by and a sentence for the person who asks; the states on
//! both sides of the event are the payment's answer.

use super::fact::{Aspect, Fact, State};
use super::money::Money;
use super::payment::rules::{mismatch, unpaid_word};
use super::payment::{PaymentState, Status};

/// The outcome of an event that stated `facts` and took a payment from `before` to `after`; `fact_changed` says
/// whether any of them changed the ledger. The code is one of:
///
/// - `applied`: the status, an amount, a flag or a concern changed;
/// - `mismatch`: the amount or currency that it states is not the payment's, and so confirmed nothing;
/// - `outranked`: it came too late to change anything, because what the ledger holds outranks it;
/// - `no_change`: it fits what is known and adds nothing.
pub fn why(before: &PaymentState, after: &PaymentState, fact_changed: bool, facts: &[Fact]) -> (&'static str, String) {
    if let Some(sentence) = refused_amount(before, after, facts) {
        return ("mismatch", sentence);
    }
    if before != after {
        return ("applied", applied(before, after));
    }
    if let Some(sentence) = outranked(after, facts) {
        return ("outranked", sentence);
    }
    ("no_change", unchanged(after, fact_changed, facts))
}

/// What a rebuild did to a payment, in words; `changed` says whether the ledger did.
pub fn rebuilt(before: &PaymentState, after: &PaymentState, changed: bool) -> String {
    match (before != after, changed) {
        (true, _) => applied(before, after),
        (false, true) => format!("stays {}; only its ledger changed", said(after)),
        (false, false) => format!("stays {}; nothing differed", said(after)),
    }
}

/// A word of the tables as sentences say it: `partially refunded`.
pub(crate) fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

fn said(state: &PaymentState) -> String {
    spaced(state.status.as_str())
}

fn refused_amount(before: &PaymentState, after: &PaymentState, facts: &[Fact]) -> Option<String> {
    let of = |s: &PaymentState| (s.status, s.refunded, s.disputed);
    if of(before) != of(after) {
        return None;
    }
    let claims = facts
        .iter()
        .filter(|f| is_way(f.aspect) && matches!(f.state, State::Succeeded | State::Authorized | State::Free));
    let concern = claims.map(|f| mismatch(f, after.amount)).find(|s| after.concerns.contains(s))?;
    Some(match after.status {
        status if status.was_paid() => format!("stays {}, but {concern}", said(after)),
        _ => format!("not confirmed: {concern}"),
    })
}

/// `pending → paid: 49.99 EUR captured`.
fn applied(before: &PaymentState, after: &PaymentState) -> String {
    let head = match before.status == after.status {
        true => format!("stays {}", said(after)),
        false => format!("{} → {}", said(before), said(after)),
    };
    let mut parts = Vec::new();
    if before.amount != after.amount {
        parts.push(format!("the payment is of {}", after.amount));
    }
    parts.extend(captured_part(before, after));
    parts.extend(refunded_part(before, after));
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
            "{} of refunds came to nothing, {} of {} stay refunded",
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

/// What a status means, for a change that no amount explains.
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

/// Why a fact that says something else than the status could not change it.
fn outranked(after: &PaymentState, facts: &[Fact]) -> Option<String> {
    let status = after.status;
    let differs = |f: &&Fact| match f.state {
        State::Authorized => status != Status::Authorized,
        state => unpaid_word(state).is_some_and(|said| said != status),
    };
    let word = spaced(facts.iter().filter(|f| is_way(f.aspect)).find(differs)?.state.as_str());
    let said = said(after);
    Some(match status {
        Status::Paid if after.captured == 0 => {
            format!("stays paid: nothing was to be paid, and `{word}` can't undo that")
        }
        _ if status.was_paid() => format!("stays {said}: money moved before, and `{word}` can't undo that"),
        Status::Authorized => format!("stays authorized: the authorization still stands, and `{word}` doesn't end it"),
        _ => format!("stays {said}: what the gateway says of a later time outranks `{word}`"),
    })
}

fn unchanged(after: &PaymentState, fact_changed: bool, facts: &[Fact]) -> String {
    let (status, said) = (after.status, said(after));
    let says = |aspect, states: &[State]| facts.iter().any(|f| f.aspect == aspect && states.contains(&f.state));
    if facts.is_empty() {
        "this event says nothing that changes a payment".to_owned()
    } else if !fact_changed {
        format!("already known; stays {said}")
    } else if says(Aspect::Refund, &[State::Pending, State::ActionRequired]) {
        format!("stays {said}: a refund is on its way, nothing of it went back yet")
    } else if says(Aspect::Refund, &[State::Failed, State::Canceled]) {
        format!("stays {said}: a refund came to nothing, and none of it was counted")
    } else if says(Aspect::Dispute, &[State::Inquiry]) {
        format!("stays {said}: the customer's bank asks, no money is withdrawn")
    } else if status == Status::Pending {
        "still pending; this event decides nothing".to_owned()
    } else {
        format!("already {said}; this event adds nothing")
    }
}

/// Whether the aspect tells of money that is to come, unlike refunds, disputes and concerns.
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

    /// The outcomes of these events, one fact each, in a payment of 10.00 EUR.
    fn told(facts: &[Fact]) -> Vec<(&'static str, String)> {
        let terms = Terms::Agreed(euros(1000));
        let mut ledger = Ledger::new();
        let step = |fact: &Fact| {
            let before = derive(terms, &ledger);
            let changed = ledger.merge(fact.clone());
            why(&before, &derive(terms, &ledger), changed, std::slice::from_ref(fact))
        };
        facts.iter().map(step).collect()
    }

    #[test]
    fn a_paid_refunded_and_disputed_payment_is_told_step_by_step() {
        let told = told(&[
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
            ("no_change", "already known; stays paid"),
            ("outranked", "stays paid: money moved before, and `expired` can't undo that"),
            ("no_change", "stays paid: a refund is on its way, nothing of it went back yet"),
            ("applied", "paid → partially refunded: 4.00 EUR of 10.00 EUR refunded"),
            (
                "applied",
                "partially refunded → paid: 4.00 EUR of refunds came to nothing, 0.00 EUR of 10.00 EUR stay refunded",
            ),
            ("applied", "stays paid: disputed"),
            ("applied", "paid → refunded: 10.00 EUR of 10.00 EUR refunded"),
        ];
        assert_eq!(told, expected.map(|(code, sentence)| (code, sentence.to_owned())));
    }

    #[test]
    fn a_wrong_amount_says_expected_and_got_each_time_it_comes() {
        let short = fact(Aspect::CaptureTotal, State::Succeeded, 1, 1);
        let sentence = "not confirmed: the gateway reports 0.01 EUR, the payment is of 10.00 EUR".to_owned();
        assert_eq!(told(&[short.clone(), short]), [("mismatch", sentence.clone()), ("mismatch", sentence)]);
    }

    #[test]
    fn an_attempt_that_came_too_late_is_told_from_one_that_decides() {
        let told = told(&[
            fact(Aspect::Authorization, State::Authorized, 1, 1000),
            fact(Aspect::Checkout, State::Expired, 2, 1000),
            fact(Aspect::Authorization, State::Canceled, 3, 1000),
            fact(Aspect::Authorization, State::Pending, 4, 1000),
        ]);
        let expected = [
            ("applied", "pending → authorized: 10.00 EUR can be captured"),
            ("outranked", "stays authorized: the authorization still stands, and `expired` doesn't end it"),
            ("applied", "authorized → canceled: given up before money moved"),
            ("outranked", "stays canceled: what the gateway says of a later time outranks `pending`"),
        ];
        assert_eq!(told, expected.map(|(code, sentence)| (code, sentence.to_owned())));
    }
}
