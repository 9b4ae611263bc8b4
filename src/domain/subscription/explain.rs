//! What became of an event that is about a subscription: a code to filter by, and a sentence for people.

use super::content::SubscriptionItem;
use super::facts::SubscriptionEffect;
use super::state::SubscriptionState;
use super::status::SubscriptionStatus;
use crate::domain::Timestamp;
use crate::domain::explain::spaced;

/// The outcome of an event that took a subscription from `before` to `after`; `effect` is the greatest one of its
/// facts. Returns a sentence, and one of these codes:
///
/// - `applied`: the state changed;
/// - `outranked`: the event came too late to change anything;
/// - `no_change`: the event agrees with what is known and adds nothing.
///
/// See [`SubscriptionFacts`](super::SubscriptionFacts) for an example.
pub fn why(
    before: &SubscriptionState,
    after: &SubscriptionState,
    effect: SubscriptionEffect,
) -> (&'static str, String) {
    let status = words(after.status);
    if before != after {
        return ("applied", applied(before, after));
    }
    match effect {
        SubscriptionEffect::Ended => {
            ("outranked", format!("still {status}: it ended, and what ended does not come back"))
        }
        SubscriptionEffect::Older => ("outranked", format!("still {status}: later events say how it stands")),
        SubscriptionEffect::Known => ("no_change", format!("already known; still {status}")),
        SubscriptionEffect::Changed => ("no_change", format!("already {status}; this event adds nothing")),
    }
}

fn words(status: SubscriptionStatus) -> String {
    spaced(status.as_str())
}

/// A change in words: `active → past due: 1 × price_1 until 2026-12-01`.
fn applied(before: &SubscriptionState, after: &SubscriptionState) -> String {
    let head = if before.status == after.status {
        format!("still {}", words(after.status))
    } else {
        format!("{} → {}", words(before.status), words(after.status))
    };
    let mut parts = Vec::new();
    if after.status == SubscriptionStatus::Unknown {
        let word = after.gateway_status.as_deref().unwrap_or_default();
        parts.push(format!("the gateway calls it {word:?}, which this release does not know"));
    }
    if before.owner != after.owner {
        parts.push(after.owner.as_ref().map_or("belongs to nobody".to_owned(), |owner| format!("belongs to {owner}")));
    }
    parts.extend(of_items(before, after));
    if before.period != after.period {
        parts.extend(after.period.map(|period| format!("billed until {}", day(period.end))));
    }
    if before.trial_end != after.trial_end {
        parts.extend(after.trial_end.map(|end| format!("trial until {}", day(end))));
    }
    parts.extend(of_end(before, after));
    if before.pause != after.pause {
        parts.push(if after.pause.is_some() { "charging is paused" } else { "charging goes on" }.to_owned());
    }
    parts.extend(of_invoice(before, after));
    if before.doubt != after.doubt && before.as_of.is_some() {
        parts.push(after.doubt.as_ref().map_or("certain again".to_owned(), |doubt| format!("not certain: {doubt}")));
    }
    if parts.is_empty() { head } else { format!("{head}: {}", parts.join("; ")) }
}

fn of_items(before: &SubscriptionState, after: &SubscriptionState) -> Option<String> {
    let list = |items: &[SubscriptionItem]| items.iter().map(item).collect::<Vec<_>>().join(", ");
    match (&before.items[..], &after.items[..]) {
        (old, new) if old == new => None,
        (_, []) => Some("nothing is subscribed to".to_owned()),
        ([], new) => Some(list(new)),
        (old, new) => Some(format!("{} instead of {}", list(new), list(old))),
    }
}

fn item(item: &SubscriptionItem) -> String {
    let quantity = item.quantity.map(|quantity| format!("{quantity} × ")).unwrap_or_default();
    format!("{quantity}{}", item.price)
}

fn of_end(before: &SubscriptionState, after: &SubscriptionState) -> Option<String> {
    match (before.ends_at(), after.ends_at()) {
        (old, new) if old == new && before.ended_at == after.ended_at => None,
        (_, Some(end)) if after.ended_at.is_some() && after.ended_at <= after.as_of => {
            Some(format!("ended on {}", day(end)))
        }
        (_, Some(end)) => Some(format!("ends on {}", day(end))),
        (_, None) => Some("goes on without an end".to_owned()),
    }
}

fn of_invoice(before: &SubscriptionState, after: &SubscriptionState) -> Option<String> {
    let (old, invoice) = (before.last_invoice.as_ref(), after.last_invoice.as_ref()?);
    let is_same = old.is_some_and(|old| {
        (&old.gateway_ref, old.paid, old.attempts) == (&invoice.gateway_ref, invoice.paid, invoice.attempts)
    });
    let due = invoice.due.map(|due| format!(" of {due}")).unwrap_or_default();
    let what = match (invoice.paid, invoice.attempts) {
        (true, _) => "is paid".to_owned(),
        (false, 0) => format!("is {}", spaced(&invoice.status)),
        (false, 1) => "was not paid at the first attempt".to_owned(),
        (false, attempts) => format!("was not paid in {attempts} attempts"),
    };
    (!is_same).then(|| format!("the invoice{due} {what}"))
}

/// A day in UTC: `2026-12-01`.
fn day(at: Timestamp) -> String {
    at.date().to_string()
}
