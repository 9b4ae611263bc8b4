//! Erasing a person: what indexes find of them, a few payments in one transaction, so that nobody else waits for long; and
//! then, body by body, what names them elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::forget::{forget, forget_addresses, texts_of};
use super::sweep::{sweep_bodies, sweep_soon};
use crate::domain::Timestamp;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::domain::person::{Person, Words};
use crate::engine::request::Requester;
use crate::engine::{Actor, Engine, Holdings, act};
use crate::error::Error;
use crate::store::Tx;
use crate::store::audit::NewAct;

/// What was erased of a person.
///
/// [`Payments::erase`](crate::Payments::erase) returns it and has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// How many payments were theirs.
    pub payments: usize,
    /// How many subscriptions were theirs.
    pub subscriptions: usize,
    /// How many events belonged to these, or named the person.
    pub events: usize,
    /// A sentence with what an operator still has to do, if anything.
    pub left: Option<&'static str>,
}

/// How many payments or subscriptions are forgotten in one transaction.
const AT_ONCE: usize = 10;
/// How many bodies are read at a time.
const BODIES: usize = 200;
/// How often it is tried to forget some, and how long after the first try the second comes.
const TRIES: u32 = 6;
const AGAIN: Duration = Duration::from_millis(200);

impl Engine {
    /// Erases a person, and looks through all bodies at once.
    ///
    /// # Errors
    /// `Refused` without a key or a name, `NotFound` for an unknown payment, and what the database says.
    pub(crate) async fn erase(self: &Arc<Self>, person: Person, requester: Requester) -> Result<Erased, Error> {
        self.erasures.marker()?;
        let held = self.holdings(person.clone()).await?;
        let known = held.payments.iter().map(|row| row.id).collect();
        let mut erased = self.erase_known(person, known, requester).await?;
        let all = |engine: &Arc<Engine>| Ok((sweep_bodies(engine)?, engine.store.scour()?));
        let (others, left) = self.patiently(all).await?;
        erased.events += others;
        erased.left = left;
        Ok(erased)
    }

    /// Erases what indexes find of a person, and by what these payments say, which are `known` to be theirs; leaves it
    /// to a worker to look through all bodies. What an end of the process leaves whole, a worker forgets as well.
    pub(crate) async fn erase_known(
        self: &Arc<Self>,
        person: Person,
        known: Vec<PaymentId>,
        requester: Requester,
    ) -> Result<Erased, Error> {
        let named = person.text.clone();
        let mut held = self.mark(person, known).await?;
        self.note_erased(&held, requester).await?;
        let emails = held.names.emails.clone();
        self.write(move |tx| forget_addresses(tx, &emails)).await?;
        let words = Arc::new(self.words_of(&held).await?);
        // Who is erased again by a payment finds all others by it, as long as it is whole.
        held.payments.sort_by_key(|row| row.token == named);
        let payments: Vec<PaymentId> = held.payments.iter().map(|row| row.id).collect();
        for some in payments.chunks(AT_ONCE) {
            self.forget_part(Part { payments: some.to_vec(), subscriptions: Vec::new(), words: words.clone() }).await?;
        }
        let subscriptions: Vec<SubscriptionId> = held.subscriptions.iter().map(|row| row.id).collect();
        for some in subscriptions.chunks(AT_ONCE) {
            self.forget_part(Part { payments: Vec::new(), subscriptions: some.to_vec(), words: words.clone() }).await?;
        }
        Ok(Erased {
            payments: payments.len(),
            subscriptions: subscriptions.len(),
            events: held.events.len(),
            left: None,
        })
    }

    /// Notes by what the person is recognised, so that what comes from then on is reduced, and finds what is theirs.
    /// What came between the two may name them in another way, so it looks until there is nothing new.
    async fn mark(self: &Arc<Self>, person: Person, known: Vec<PaymentId>) -> Result<Holdings, Error> {
        self.erasures.marker()?;
        let mut marked = None;
        loop {
            let (person, known) = (person.clone(), known.clone());
            let held = self.read(move |tx| Holdings::find(tx, &person, &known)).await?;
            let traits = held.names.traits();
            if marked.as_ref() == Some(&traits) {
                return Ok(held);
            }
            let marker = self.erasures.marker()?;
            let marks: Vec<String> = traits.iter().map(|one| marker.mark(one)).collect();
            let now = self.now();
            let note = move |tx: &mut dyn Tx| {
                // Who has read a body of theirs has written what comes of it, and reads no other without the marks.
                tx.hold_everything()?;
                tx.add_marks(&marks, now)?;
                sweep_soon(tx, now)
            };
            self.write(note).await?;
            self.erasures.forget();
            marked = Some(traits);
        }
    }

    /// Notes the act in the audit.
    async fn note_erased(self: &Arc<Self>, held: &Holdings, requester: Requester) -> Result<(), Error> {
        let (now, detail) = (self.now(), format!("{} of one person", held.sentence()));
        let actor = match requester {
            Requester::Operator(actor) => actor,
            other => Actor { name: other.name().to_owned(), address: None },
        };
        let row = NewAct { detail: Some(detail), ..act("erase", &actor, None, None, now) };
        self.write(move |tx| tx.add_act(&row)).await
    }

    /// The words that bodies tell of the person.
    async fn words_of(self: &Arc<Self>, held: &Holdings) -> Result<Words, Error> {
        let mut texts = BTreeSet::new();
        for some in held.events.chunks(BODIES) {
            let some = some.to_vec();
            texts.extend(self.read(move |tx| texts_of(tx, &some)).await?);
        }
        Ok(Words::new(&held.names.emails, &texts))
    }

    /// Forgets this in one transaction, and lets others have theirs for as long as it took.
    async fn forget_part(self: &Arc<Self>, part: Part) -> Result<(), Error> {
        let part = Arc::new(part);
        for tries in 1.. {
            let (begun, now, part) = (Instant::now(), self.now(), part.clone());
            match self.write(move |tx| part.forget(tx, now)).await {
                // A batch and it waited for each other.
                Err(error) if error.is_retryable() && tries < TRIES => tokio::time::sleep(AGAIN * tries).await,
                Err(error) => return Err(error),
                Ok(()) => {
                    tokio::time::sleep(begun.elapsed()).await;
                    break;
                }
            }
        }
        Ok(())
    }
}

/// What one transaction forgets of a person.
struct Part {
    payments: Vec<PaymentId>,
    subscriptions: Vec<SubscriptionId>,
    /// The words by which the person is found in sentences.
    words: Arc<Words>,
}

impl Part {
    fn forget(&self, tx: &mut dyn Tx, now: Timestamp) -> Result<(), Error> {
        let held = Holdings::hold(tx, &self.payments, &self.subscriptions)?;
        forget(tx, &held, &self.words, now)
    }
}
