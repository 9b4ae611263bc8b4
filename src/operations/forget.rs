//! What goes of a person's rows and bodies, in one transaction. Amounts, times and ids stay, so that the books still add
//! up.

use std::collections::{BTreeSet, HashMap};

use crate::domain::Timestamp;
use crate::domain::event::{EventState, Source};
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::person::{Words, is_reduced, personal_texts, reduced, scrubbed};
use crate::engine::subscription::{facts, put};
use crate::engine::{Holdings, random_word};
use crate::error::Error;
use crate::store::Tx;
use crate::store::persons::{ANYBODYS, Fate, Rows, TEXTS, Whose};
use crate::store::rows::EventRow;
use crate::store::words::Subject;

/// For a place in the row of a pruned body: how long it was kept says that its person was erased.
const ERASED: i64 = 0;
/// What stands where a text was.
const GONE: &str = "(erased)";

/// Takes out of what is held all that says who somebody is; `words` are theirs, wherever a sentence has one. Nobody else
/// may change the rows until the transaction ends: see [`Holdings::hold`].
pub(super) fn forget(tx: &mut dyn Tx, held: &Holdings, words: &Words, now: Timestamp) -> Result<(), Error> {
    forget_bodies(tx, held, now)?;
    forget_notes(tx, held)?;
    for row in &held.subscriptions {
        let (mut row, mut facts) = (row.clone(), facts(row)?);
        facts.forget_customer();
        put(&mut row, &facts, &facts.state());
        row.updated_at = now;
        let sure = words.sure();
        row.facts = scrubbed(&row.facts, &sure).unwrap_or(row.facts);
        row.items = scrubbed(&row.items, &sure).unwrap_or(row.items);
        tx.save_subscriptions(std::slice::from_ref(&row))?;
    }
    forget_words(tx, &held.searched(), &held.ids(Whose::Subscriptions))?;
    for (table, column, text, whose, fate) in TEXTS {
        let ids = held.ids(whose);
        let rows = Rows { table, column, ids: &ids };
        for old in tx.texts_of(rows, text)? {
            match new_text(&old, fate, words)? {
                Some(new) if new.as_ref() == Some(&old) => {}
                Some(new) => tx.replace_text(rows, text, &old, new.as_deref())?,
                None => {}
            }
        }
    }
    Ok(())
}

/// Takes addresses out of texts that are nobody's row.
pub(super) fn forget_addresses(tx: &mut dyn Tx, emails: &BTreeSet<String>) -> Result<(), Error> {
    let words = Words::new(emails, &BTreeSet::new());
    for (table, text) in ANYBODYS {
        for email in emails {
            for old in tx.texts_with(table, text, email)? {
                if let Some(new) = scrubbed(&old, &words) {
                    tx.replace_anybodys(table, text, &old, &new)?;
                }
            }
        }
    }
    Ok(())
}

/// Deletes what these events told of who paid, of payments that are not known to be the person's by themselves; answers
/// which these are.
pub(super) fn forget_payers(tx: &mut dyn Tx, some: &[EventId]) -> Result<Vec<PaymentId>, Error> {
    let payments: Vec<PaymentId> = events(tx, some)?.values().filter_map(|row| row.payment_id).collect();
    let subjects: Vec<Subject> = payments.iter().copied().map(Subject::Payment).collect();
    tx.hold_subjects(&subjects)?;
    forget_words(tx, &payments.iter().map(|id| id.0).collect::<Vec<_>>(), &[])?;
    Ok(payments)
}

/// Deletes words to search by, and who paid; what is left of the texts has its words again once a worker wrote them.
fn forget_words(tx: &mut dyn Tx, payments: &[i64], subscriptions: &[i64]) -> Result<(), Error> {
    tx.forget_words(payments, subscriptions)?;
    let payments = payments.iter().map(|id| Subject::Payment(PaymentId(*id)));
    let subscriptions = subscriptions.iter().map(|id| Subject::Subscription(SubscriptionId(*id)));
    tx.owe_words(&payments.chain(subscriptions).collect::<Vec<_>>())
}

/// What is to stand in the place of a text: nothing to change, or the text, or none at all.
fn new_text(old: &str, fate: Fate, words: &Words) -> Result<Option<Option<String>>, Error> {
    Ok(match fate {
        Fate::Gone => Some(None),
        Fate::Replaced => Some(Some(GONE.to_owned())),
        Fate::Scrubbed => scrubbed(old, words).map(Some),
        Fate::ScrubbedSurely => scrubbed(old, &words.sure()).map(Some),
        Fate::ScrubbedKey => match scrubbed(old, &words.sure()) {
            Some(new) => Some(Some(format!("{new} {}", random_word(8)?))),
            None => None,
        },
    })
}

/// Deletes the bodies of events that are done and reduces the others.
fn forget_bodies(tx: &mut dyn Tx, held: &Holdings, now: Timestamp) -> Result<(), Error> {
    let (bodies, events) = (tx.bodies_of(&held.events)?, events(tx, &held.events)?);
    let mut done = Vec::new();
    for (event, headers, body) in &bodies {
        let row = events.get(event);
        if row.is_some_and(|row| is_done(row, held)) {
            done.push(*event);
        } else if !row.is_some_and(is_ours) && (headers != "{}" || !is_reduced(body)) {
            tx.replace_body(*event, &reduced(body))?;
        }
    }
    for some in done.chunks(500) {
        tx.prune_bodies(some, ERASED, now)?;
    }
    Ok(())
}

/// The words of these events' bodies that are a person's.
pub(super) fn texts_of(tx: &mut dyn Tx, some: &[EventId]) -> Result<BTreeSet<String>, Error> {
    let (bodies, events) = (tx.bodies_of(some)?, events(tx, some)?);
    let theirs = bodies.iter().filter(|(event, ..)| !events.get(event).is_some_and(is_ours));
    Ok(theirs.flat_map(|(_, _, body)| personal_texts(body)).collect())
}

fn events(tx: &mut dyn Tx, ids: &[EventId]) -> Result<HashMap<EventId, EventRow>, Error> {
    let mut found = HashMap::new();
    for some in ids.chunks(500) {
        found.extend(tx.events_with(some)?.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

/// An operator's order is read by this app alone, which wants every word of it, until it is done.
fn is_ours(row: &EventRow) -> bool {
    row.source == Source::Operator
}

/// Takes out what operators noted when they decided something about the person's payments.
fn forget_notes(tx: &mut dyn Tx, held: &Holdings) -> Result<(), Error> {
    let ours = events(tx, &held.events)?.values().filter(|row| is_ours(row)).map(|row| row.id.0).collect();
    let payments = held.ids(Whose::Payments);
    for (table, column, ids, text) in [
        ("pay_event_facts", "event_id", &ours, "summary"),
        ("pay_events", "id", &ours, "outcome"),
        ("pay_transitions", "payment_id", &payments, "cause"),
    ] {
        let rows = Rows { table, column, ids };
        for old in tx.texts_of(rows, text)? {
            // Nothing but notes is quoted like this.
            if let (Some((before, _)), Some((_, after))) = (old.split_once('“'), old.rsplit_once('”')) {
                tx.replace_text(rows, text, &old, Some(&format!("{before}“{GONE}”{after}")))?;
            }
        }
    }
    Ok(())
}

/// Whether nobody needs the event's body any more: it is done, and an operator's order or of a payment or subscription of
/// the person. Another event that names the person may be somebody else's.
fn is_done(row: &EventRow, held: &Holdings) -> bool {
    let is_theirs = is_ours(row)
        || held.payments.iter().any(|payment| Some(payment.id) == row.payment_id)
        || held.subscriptions.iter().any(|subscription| Some(subscription.id) == row.subscription_id);
    is_theirs && matches!(row.state, EventState::Completed | EventState::Ignored)
}
