//! Erasing a person: in one transaction what indexes find of them, and then, body by body, what names them elsewhere.
//! Amounts, times and ids stay, so that the books still add up.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::event::{EventState, Source};
use crate::domain::id::EventId;
use crate::domain::person::{Person, Words, is_reduced, personal_texts, reduced, scrubbed};
use crate::domain::{Timestamp, later};
use crate::engine::request::Requester;
use crate::engine::subscription::{facts, put};
use crate::engine::{Actor, Engine, Holdings, act, random_word};
use crate::error::Error;
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::store::persons::{ANYBODYS, Fate, Rows, TEXTS, Whose};
use crate::store::rows::EventRow;
use crate::store::words::Subject;

/// What was erased of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// How many payments were theirs.
    pub payments: usize,
    /// How many subscriptions were theirs.
    pub subscriptions: usize,
    /// How many events were of these, or named the person.
    pub events: usize,
    /// What is left for an operator to do, a sentence, if anything is.
    pub left: Option<&'static str>,
}

/// The chore that looks through all bodies.
const NAME: &str = "erasure";
/// When a worker begins after somebody was erased: by then every process knows.
const SOON: Duration = Duration::from_secs(5);
/// How often a worker looks at what came since.
const EVERY: Duration = Duration::from_secs(86_400);
/// How long one process looks before another may, and after which time another does if it ended meanwhile.
const TURN: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(60);
/// How many bodies are read at a time.
const BATCH: i64 = 200;
/// For a place in the row of a pruned body: how long it was kept says that its person was erased.
const ERASED: i64 = 0;
/// What stands where a text was.
const GONE: &str = "(erased)";

impl Engine {
    /// Erases a person, and looks through all bodies at once.
    ///
    /// # Errors
    /// `Refused` without a key or a name, `NotFound` for an unknown payment, and what the database says.
    pub(crate) async fn erase(self: &Arc<Self>, person: Person, requester: Requester) -> Result<Erased, Error> {
        let mut erased = self.erase_known(person, requester).await?;
        let mut place = EventId(0);
        let all = move |engine: &Arc<Engine>| {
            let mut count = 0;
            while let Some((some, next)) = engine.sweep_some(place)? {
                (count, place) = (count + some, next);
            }
            Ok((count, engine.store.scour()?))
        };
        let (others, left) = self.patiently(all).await?;
        erased.events += others;
        erased.left = left;
        Ok(erased)
    }

    /// Erases what indexes find of a person, and leaves it to a worker to look through all bodies.
    pub(crate) async fn erase_known(self: &Arc<Self>, person: Person, requester: Requester) -> Result<Erased, Error> {
        self.erasures.marker()?;
        let now = self.now();
        let work = move |engine: &Arc<Engine>| {
            engine.store.transaction(|tx| {
                tx.hold_everything()?;
                let held = Holdings::find(tx, &person)?;
                engine.note_erased(tx, &held, &requester, now)?;
                forget(tx, &held, now)?;
                Ok(Erased {
                    payments: held.payments.len(),
                    subscriptions: held.subscriptions.len(),
                    events: held.events.len(),
                    left: None,
                })
            })
        };
        let erased = self.blocking(work).await?;
        self.erasures.forget();
        Ok(erased)
    }

    /// By what the person is recognised later, the act in the audit, and that all bodies are to be looked through.
    fn note_erased(
        &self,
        tx: &mut dyn Tx,
        held: &Holdings,
        requester: &Requester,
        now: Timestamp,
    ) -> Result<(), Error> {
        let marker = self.erasures.marker()?;
        let marks: Vec<String> = held.names.traits().iter().map(|one| marker.mark(one)).collect();
        tx.add_marks(&marks, now)?;
        let actor = match requester {
            Requester::Operator(actor) => actor.clone(),
            other => Actor { name: other.name().to_owned(), address: None },
        };
        let detail = Some(format!("{} of one person", held.sentence()));
        tx.add_act(&NewAct { detail, ..act("erase", &actor, None, None, now) })?;
        tx.claim_chore(NAME, now, now)?;
        tx.pause_chore(NAME, later(now, SOON), None, "somebody was erased; all bodies are looked through soon")
    }

    /// Looks through bodies for some seconds, if that is due and no other process does.
    pub(crate) async fn sweep_a_while(self: &Arc<Self>) -> Result<(), Error> {
        let is_wanted = self.erasures.has_key() && self.read(|tx| tx.chore(NAME)).await?.is_some();
        let chore = if is_wanted { self.claim_chore(NAME.to_owned(), LEASE).await? } else { None };
        let Some(chore) = chore else { return Ok(()) };
        let (until, mut place) = (Instant::now() + TURN, EventId(chore.place.unwrap_or(0)));
        let swept = move |engine: &Arc<Engine>| {
            let mut count = 0;
            while let Some((some, next)) = engine.sweep_some(place)? {
                (count, place) = (count + some, next);
                if Instant::now() >= until {
                    return Ok((count, place, true));
                }
            }
            Ok((count, place, false))
        };
        let swept = self.blocking(swept).await;
        let (now, why) = (self.now(), swept.as_ref().err().map(Error::to_string));
        let (count, place, goes_on) = match swept {
            Ok(swept) => swept,
            Err(error) => {
                // Where the database is away, that can't be noted either.
                let _ = self.write(move |tx| tx.note_failure(NAME, now, why.as_deref())).await;
                return Err(error);
            }
        };
        let end =
            if goes_on { format!("it goes on after event {place}") } else { "all were looked through".to_owned() };
        let note = format!("{count} bodies of erased persons were reduced just then; {end}");
        let again = if goes_on { now } else { later(now, EVERY) };
        let pause = move |tx: &mut dyn Tx| {
            tx.note_failure(NAME, now, None)?;
            // Who was erased meanwhile has it begin anew, and soon.
            tx.pause_claimed(&chore, again, Some(place.0), &note)
        };
        self.write(pause).await
    }

    /// Reduces the next stored bodies after this event that name somebody who was erased; answers how many and the last
    /// event that was looked at, or nothing when there was none.
    fn sweep_some(&self, after: EventId) -> Result<Option<(usize, EventId)>, Error> {
        let (marks, bodies) = self.store.ask(|tx| Ok((self.marks(tx)?, tx.bodies_after(after, BATCH)?)))?;
        let Some(last) = bodies.last().map(|(event, _)| *event) else { return Ok(None) };
        let names = |body: &Vec<u8>| self.erasures.recognises(body, &marks) && !is_reduced(body);
        let naming: Vec<EventId> = bodies.iter().filter(|(_, body)| names(body)).map(|(event, _)| *event).collect();
        for event in &naming {
            self.store.transaction(|tx| {
                // Whoever processes it has read it, or waits for this.
                tx.hold_body(*event)?;
                let mut held = Holdings::default();
                held.add_events(tx, &[*event])?;
                forget(tx, &held, self.now())
            })?;
        }
        Ok(Some((naming.len(), last)))
    }
}

/// Takes out of what is held all that says who somebody is.
fn forget(tx: &mut dyn Tx, held: &Holdings, now: Timestamp) -> Result<(), Error> {
    // Whoever writes their words holds them meanwhile, and has then written all.
    let payments = held.payments.iter().map(|row| Subject::Payment(row.id));
    let subscriptions = held.subscriptions.iter().map(|row| Subject::Subscription(row.id));
    tx.hold_subjects(&payments.chain(subscriptions).collect::<Vec<_>>())?;
    let words = forget_bodies(tx, held, now)?;
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
    tx.forget_words(&held.ids(Whose::Payments), &held.ids(Whose::Subscriptions))?;
    for (table, column, text, whose, fate) in TEXTS {
        let ids = held.ids(whose);
        let rows = Rows { table, column, ids: &ids };
        for old in tx.texts_of(rows, text)? {
            match new_text(&old, fate, &words)? {
                Some(new) if new.as_ref() == Some(&old) => {}
                Some(new) => tx.replace_text(rows, text, &old, new.as_deref())?,
                None => {}
            }
        }
    }
    let emails = Words::new(&held.names.emails, &BTreeSet::new());
    for (table, text) in ANYBODYS {
        for email in &held.names.emails {
            for old in tx.texts_with(table, text, email)? {
                if let Some(new) = scrubbed(&old, &emails) {
                    tx.replace_anybodys(table, text, &old, &new)?;
                }
            }
        }
    }
    Ok(())
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

/// Deletes the bodies of events that are done and reduces the others; answers the words that they told of the person.
fn forget_bodies(tx: &mut dyn Tx, held: &Holdings, now: Timestamp) -> Result<Words, Error> {
    let bodies = tx.bodies_of(&held.events)?;
    let mut events = HashMap::new();
    for some in held.events.chunks(500) {
        events.extend(tx.events_with(some)?.into_iter().map(|row| (row.id, row)));
    }
    let (mut words, mut done) = (BTreeSet::new(), Vec::new());
    for (event, headers, body) in &bodies {
        // An operator's order is read by this app alone, which wants every word of it, until it is done.
        let is_ours = events.get(event).is_some_and(|row| row.source == Source::Operator);
        if !is_ours {
            words.extend(personal_texts(body));
        }
        if events.get(event).is_some_and(|row| is_done(row, held)) {
            done.push(*event);
        } else if !is_ours && (headers != "{}" || !is_reduced(body)) {
            tx.replace_body(*event, &reduced(body))?;
        }
    }
    for some in done.chunks(500) {
        tx.prune_bodies(some, ERASED, now)?;
    }
    Ok(Words::new(&held.names.emails, &words))
}

/// Takes out what operators noted when they decided something about the person's payments.
fn forget_notes(tx: &mut dyn Tx, held: &Holdings) -> Result<(), Error> {
    let mut ours = Vec::new();
    for some in held.events.chunks(500) {
        let orders = tx.events_with(some)?.into_iter().filter(|row| row.source == Source::Operator);
        ours.extend(orders.map(|row| row.id.0));
    }
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
    let is_theirs = row.source == Source::Operator
        || held.payments.iter().any(|payment| Some(payment.id) == row.payment_id)
        || held.subscriptions.iter().any(|subscription| Some(subscription.id) == row.subscription_id);
    is_theirs && matches!(row.state, EventState::Completed | EventState::Ignored)
}
