//! A host's function that configures variants by name: asked once for whoever waits for a name, within a time-out.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use log::Level;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::super::budget::ClientBudgets;
use super::super::guarded::guarded;
use super::super::variant::Variant;
use super::kept::{Kept, Known};
use super::shelf::Moment;
use crate::domain::Timestamp;
use crate::domain::identifier::VariantName;
use crate::error::{Error, ErrorKind, loggable, repeated};

/// What the function answers.
type Answer = Result<Option<Variant>, Box<dyn std::error::Error + Send + Sync>>;
/// The function.
pub(crate) type AskHost = Arc<dyn Fn(VariantName) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// How many names it is asked for at the same time: whoever makes names up fills this and no more.
const AT_ONCE: usize = 32;
/// How many clients' worth of names that were never seen it is asked for in a minute: so many strangers use up what is for
/// all.
const STRANGERS: u32 = 10;
/// For how many names that were never seen the database is asked at the same time whether there are rows of them, and how
/// many wait for that: a merchant's deliveries after a restart find room here, and a storm of made-up names fills no pool.
const LOOKED_FOR: usize = 4;
const WAITING: usize = 64;

/// How the function is asked.
#[derive(Clone, Copy)]
pub(crate) struct SourceLimits {
    /// How long what it gave is kept, and of how many variants.
    pub(crate) kept: Duration,
    pub(crate) most: usize,
    /// How long it may take.
    pub(crate) timeout: Duration,
    /// For how many names that were never seen a client may have it asked in a minute.
    pub(crate) never_seen: u32,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self { kept: Duration::from_secs(60), most: 1_000, timeout: Duration::from_secs(5), never_seen: 600 }
    }
}

/// The function, and what it gave lately.
pub(crate) struct Source {
    host: AskHost,
    timeout: Duration,
    kept: Arc<Kept>,
    room: Semaphore,
    /// The names that are being asked for.
    asking: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
    /// What is left of the bound for names that were never seen.
    strangers: Mutex<ClientBudgets>,
    /// Who looks for rows of such names, and who looks or waits for that.
    looking: Semaphore,
    waiting: Semaphore,
}

/// A place among those who look for rows of a name, or wait for that.
pub(in crate::engine) struct Place<'a> {
    looking: &'a Semaphore,
    _waiting: SemaphorePermit<'a>,
}

impl Place<'_> {
    /// Waits until it is this one's turn, which lasts as long as what this answers.
    pub(in crate::engine) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.looking.acquire().await.ok()
    }
}

impl Source {
    /// # Errors
    /// `Unavailable`, when the system gives no thread.
    pub(crate) fn new(host: AskHost, limits: SourceLimits) -> Result<Self, Error> {
        let no_thread = |error| Error::new(ErrorKind::Unavailable, "the system gives no thread").with_source(error);
        let kept = Kept::new(limits.kept, limits.most).map_err(no_thread)?;
        let (room, asking) = (Semaphore::new(AT_ONCE), Mutex::default());
        let (each, begin) = (limits.never_seen, Timestamp::UNIX_EPOCH);
        let strangers = Mutex::new(ClientBudgets::full(each.saturating_mul(STRANGERS), each, begin));
        let (looking, waiting) = (Semaphore::new(LOOKED_FOR), Semaphore::new(WAITING));
        Ok(Self { host, timeout: limits.timeout, kept, room, asking, strangers, looking, waiting })
    }

    /// Whether it would be asked for a name that was never seen.
    pub(in crate::engine) fn is_news(&self, name: &str, now: Moment) -> bool {
        VariantName::from(name).check().is_ok() && !self.has_seen(name, now) && self.kept.get(name, now).is_none()
    }

    /// Whether this name was a variant's here, or there were rows of it.
    pub(in crate::engine) fn has_seen(&self, name: &str, now: Moment) -> bool {
        self.kept.has_seen(name, now)
    }

    /// Notes that there are rows of this name.
    pub(in crate::engine) fn see(&self, name: &str, now: Moment) {
        self.kept.see(name, now);
    }

    /// Whether there were no rows of this name a moment ago.
    pub(in crate::engine) fn was_without_rows(&self, name: &str, now: Moment) -> bool {
        self.kept.was_without_rows(name, now)
    }

    /// Notes that there are no rows of this name.
    pub(in crate::engine) fn note_without_rows(&self, name: &str, now: Moment) {
        self.kept.note_without_rows(name, now);
    }

    /// A place among those who look for rows of a name; none where all are taken.
    pub(in crate::engine) fn place(&self) -> Option<Place<'_>> {
        let _waiting = self.waiting.try_acquire().ok()?;
        Some(Place { looking: &self.looking, _waiting })
    }

    /// Whether this client may have it asked for one more name that was never seen; takes that from the bound.
    pub(in crate::engine) fn allow_stranger(&self, client: &str, now: Timestamp) -> bool {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner).take(client, now)
    }

    /// The variant as it was given lately, unless that is over.
    pub(in crate::engine) fn at_hand(&self, name: &str, now: Moment) -> Option<Arc<Variant>> {
        match self.kept.get(name, now) {
            Some(Known::Variant(variant)) => Some(variant),
            _ => None,
        }
    }

    pub(in crate::engine) fn held(&self, name: &str, now: Moment) -> Option<Arc<Variant>> {
        self.kept.held(name, now)
    }

    /// Whether it failed for this name lately.
    pub(in crate::engine) fn failed(&self, name: &str, now: Moment) -> bool {
        matches!(self.kept.get(name, now), Some(Known::Failed))
    }

    /// Whether it said of this name lately that there is no such variant.
    #[cfg(feature = "cli")]
    pub(in crate::engine) fn has_none(&self, name: &str, now: Moment) -> bool {
        matches!(self.kept.get(name, now), Some(Known::None))
    }

    /// Notes that something waits for this variant, if it is known not to be had.
    pub(in crate::engine) fn lack(&self, name: &str, now: Moment) {
        self.kept.lack(name, now);
    }

    /// The names that something waits for and that can't be had now.
    pub(in crate::engine) fn lacking(&self, now: Moment) -> Vec<String> {
        self.kept.lacking(now)
    }

    /// The names that something waited for lately, and that could not be had since.
    pub(in crate::engine) fn unserved(&self, now: Moment) -> Vec<String> {
        self.kept.unserved(now)
    }

    /// The variant of this name, as it was given lately or is now.
    pub(in crate::engine) async fn load(
        &self,
        name: &str,
        clock: impl Fn() -> Timestamp,
    ) -> Result<Option<Arc<Variant>>, Error> {
        if name.parse::<VariantName>().is_err() {
            return Ok(None);
        }
        let now = || Moment::now(clock());
        if let Some(known) = self.kept.get(name, now()) {
            return told(name, known);
        }
        let turn = self.turn(name);
        // Whoever came first asks. Where that one gave up waiting, the next does.
        let asked = async {
            let _turn = turn.lock().await;
            if let Some(known) = self.kept.get(name, now()) {
                return known;
            }
            // Who waited in vain for a turn says nothing of the function.
            let Ok(Ok(_room)) = tokio::time::timeout(self.timeout, self.room.acquire()).await else {
                return Known::Failed;
            };
            let known = self.ask(name).await;
            let again = match &known {
                Known::Variant(variant) => Known::Variant(variant.clone()),
                Known::None => Known::None,
                Known::Failed => Known::Failed,
            };
            self.kept.put(name, again, now());
            known
        };
        let known = asked.await;
        drop(turn);
        self.asking().retain(|_, turn| turn.strong_count() > 0);
        told(name, known)
    }

    async fn ask(&self, name: &str) -> Known {
        let asked = guarded(async { (self.host)(name.into()).await });
        let why = match tokio::time::timeout(self.timeout, asked).await {
            Ok(Ok(Ok(None))) => return Known::None,
            Ok(Ok(Ok(Some(variant)))) => match variant.gateway.check() {
                Ok(()) => return Known::Variant(Arc::new(variant)),
                Err(why) => format!("{} can't work: {why}", variant.gateway.name()),
            },
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(panic)) => format!("the function panicked: {panic}"),
            Err(_) => format!("the function took longer than {} ms", self.timeout.as_millis()),
        };
        let line = format_args!("a variant could not be loaded: variant={name} {}", loggable(&why));
        repeated::log(Level::Error, &format!("variant {name}"), line);
        Known::Failed
    }

    /// What those who ask for this name hold in turn.
    fn turn(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking();
        if let Some(turn) = asking.get(name).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        asking.insert(name.to_owned(), Arc::downgrade(&turn));
        turn
    }

    fn asking(&self) -> std::sync::MutexGuard<'_, HashMap<String, Weak<tokio::sync::Mutex<()>>>> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(name: &str, known: Known) -> Result<Option<Arc<Variant>>, Error> {
    match known {
        Known::Variant(variant) => Ok(Some(variant)),
        Known::None => Ok(None),
        Known::Failed => {
            let message = format!("the configuration of variant {name:?} could not be loaded");
            Err(Error::new(ErrorKind::Unavailable, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_makes_names_up_has_no_more_of_them_looked_for_than_there_are_places() {
        let host: AskHost = Arc::new(|_| Box::pin(async { Ok(None) }));
        let source = Source::new(host, SourceLimits::default()).expect("a thread");
        let mut places: Vec<Place<'_>> = std::iter::from_fn(|| source.place()).take(2 * WAITING).collect();
        assert_eq!(places.len(), WAITING);
        places.pop();
        assert!(source.place().is_some(), "one has gone");
    }
}
