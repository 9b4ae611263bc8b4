//! The rules by which a payment's terms and ledger become its status and amounts.

use std::collections::BTreeMap;

use super::case::{Case, Fit};
use super::concern::Concern;
use super::state::{PaymentState, Status, Terms};
use super::{concerns, disputes, refunds};
use crate::domain::Timestamp;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::{Ledger, rank};
use crate::domain::money::Currency;

/// The state of a payment with these `terms` and this `ledger`. Total: any facts give a state.
///
/// A payment is paid once money in its own currency moved, and either an object states that it was meant for this
/// amount or enough moved to cover it. Neither can become untrue again, so no fact turns a paid payment back into an
/// unpaid one.
///
/// See the [module](crate::domain::payment) for an example.
pub fn derive(terms: Terms, ledger: &Ledger) -> PaymentState {
    let case = Case::read(terms, ledger);
    let (refunded, lost) = gone(ledger, case.due.currency, case.captured);
    let paid = is_paid(&case);
    // Of a payment that was paid twice, or too high, the surplus goes back without touching what was due: by a refund
    // or by a dispute.
    let surplus = case.captured.saturating_sub(lost).saturating_sub(case.price().0).max(0);
    let status = if !paid {
        unpaid_status(&case)
    } else if case.captured > 0 && refunded >= case.captured {
        Status::Refunded
    } else if refunded > surplus {
        Status::PartiallyRefunded
    } else {
        Status::Paid
    };
    let disputed = disputes::is_disputed(ledger);
    let concerns = concerns::sentences(concerns::open(&case, paid, refunded.saturating_add(lost)));
    PaymentState { status, amount: case.due, captured: case.captured, refunded, lost, disputed, concerns }
}

/// Why a person should review it now, each with what gives the reason.
pub(crate) fn open_concerns(terms: Terms, ledger: &Ledger) -> Vec<Concern> {
    let case = Case::read(terms, ledger);
    let (refunded, lost) = gone(ledger, case.due.currency, case.captured);
    concerns::open(&case, is_paid(&case), refunded.saturating_add(lost))
}

/// What was refunded, and what was lost to disputes, of what was captured, in minor units of `currency`.
pub(super) fn gone(ledger: &Ledger, currency: Currency, captured: i64) -> (i64, i64) {
    let refunded = refunds::refunded(ledger, currency).clamp(0, captured);
    let lost = disputes::lost(ledger, currency).clamp(0, captured.saturating_sub(refunded));
    (refunded, lost)
}

fn is_paid(case: &Case<'_>) -> bool {
    let free = case.free().any(|f| case.frees(f)) || case.is_nothing_paid();
    free || (case.captured > 0 && case.captured >= case.covers()) || case.moved().any(|f| case.fit(f) == Fit::Fits)
}

/// A family's latest word, and when it was said.
type Word<'a> = ((Timestamp, u8, &'a str), Status);

/// What became of a family of objects so far, while no money counts.
#[derive(Default)]
struct Attempt<'a> {
    latest: Option<Word<'a>>,
    has_checkout: bool,
    /// Whether more is known than a checkout that does not name what it opened.
    has_more: bool,
}

/// The status while no money counts: authorized while an authorization stands; otherwise pending while anything is open
/// or on its way, whatever ended elsewhere; otherwise by the latest end.
fn unpaid_status(case: &Case<'_>) -> Status {
    if case.standing_authorizations().iter().flatten().any(|f| promises(case, f)) {
        return Status::Authorized;
    }
    let mut attempts = BTreeMap::<&str, Attempt<'_>>::new();
    for aspect in [Aspect::Checkout, Aspect::Authorization, Aspect::Capture, Aspect::CaptureTotal] {
        for fact in case.ledger.facts_of(aspect) {
            let Some(status) = unpaid_word(fact.state) else { continue };
            let attempt = attempts.entry(case.families.of_fact(fact)).or_default();
            let word = ((fact.occurred_at, rank(fact.state), fact.event_id.as_str()), status);
            attempt.latest = Some(later(attempt.latest, word));
            attempt.has_checkout |= aspect == Aspect::Checkout;
            attempt.has_more |= aspect != Aspect::Checkout || fact.parent.is_some();
        }
    }
    join_the_only_two(&mut attempts);
    let words = || attempts.values().filter_map(|attempt| attempt.latest);
    if words().any(|(_, status)| status == Status::Pending) {
        return Status::Pending;
    }
    words().max_by_key(|(when, _)| *when).map_or(Status::Pending, |(_, status)| status)
}

/// Some checkouts don't name what they opened. Where one is pending and there is one attempt without a checkout, they
/// are the same: the end of the attempt is the end of the checkout.
fn join_the_only_two<'a>(attempts: &mut BTreeMap<&'a str, Attempt<'a>>) {
    let the_only = |is_one: fn(&Attempt<'_>) -> bool| {
        let mut all = attempts.iter().filter(|(_, attempt)| is_one(attempt)).map(|(id, attempt)| (*id, attempt.latest));
        all.next().filter(|_| all.next().is_none())
    };
    let (checkout, other) = (the_only(|attempt| !attempt.has_more), the_only(|attempt| !attempt.has_checkout));
    let end = other.and_then(|(_, latest)| latest);
    if let Some(((checkout, _), end)) = checkout.zip(end)
        && let Some(attempt) = attempts.get_mut(checkout)
    {
        attempt.latest = Some(later(attempt.latest, end));
    }
}

/// The later of two words.
fn later<'a>(word: Option<Word<'a>>, other: Word<'a>) -> Word<'a> {
    word.filter(|word| word.0 >= other.0).unwrap_or(other)
}

/// Whether this authorization covers the amount due.
fn promises(case: &Case<'_>, fact: &Fact) -> bool {
    match case.fit(fact) {
        Fit::Fits => true,
        Fit::Differs => fact.amount.is_some_and(|minor| minor > case.due.minor),
        Fit::Foreign => false,
    }
}

/// The status of a payment whose latest state is this one, while no money counts.
pub(in crate::domain) fn unpaid_word(state: State) -> Option<Status> {
    match state {
        // An authorization that covers the payment was found before; one of another amount decides nothing.
        State::Pending | State::ActionRequired | State::Authorized => Some(Status::Pending),
        State::Failed => Some(Status::Failed),
        State::Expired => Some(Status::Expired),
        State::Canceled => Some(Status::Canceled),
        _ => None,
    }
}
