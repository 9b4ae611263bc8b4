//! Who was erased, as far as this process must know it: keyed hashes, by which what comes later is recognised.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::domain::event::Source;
use crate::domain::hex::hex;
use crate::domain::person::{Trait, customers, recognised, reduced};
use crate::error::{Error, ErrorKind};
use crate::gateways::signature::{Secret, hmac_sha256};
use crate::store::Tx;
use crate::store::rows::NewEvent;

/// How long another process may have erased somebody before this one knows.
const FRESH: Duration = Duration::from_secs(1);
/// How many bytes of a hash are kept: enough that no two are alike by chance.
const KEPT: usize = 16;
/// The shortest key, in bytes: a shorter one can be tried out.
const SHORTEST: usize = 16;

/// What recognises the erased: the app's key and the marks that are stored.
#[derive(Default)]
pub(crate) struct Erasures {
    key: Option<Secret>,
    known: Mutex<Known>,
}

#[derive(Default, Clone)]
struct Known {
    marks: Arc<HashSet<String>>,
    read_at: Option<Instant>,
}

/// Makes marks of what names a person.
pub(crate) struct Marker<'a>(&'a Secret);

impl Marker<'_> {
    /// The mark of one thing: nobody without the key can tell whose it is.
    pub(crate) fn mark(&self, one: &Trait) -> String {
        let (kind, text) = one.parts();
        let hash = hmac_sha256(self.0.expose(), [kind.as_bytes(), b"\0", text.as_bytes()]);
        hex(hash.get(..KEPT).unwrap_or_default())
    }
}

impl Erasures {
    pub(crate) fn new(key: Option<Secret>) -> Self {
        Self { key, known: Mutex::default() }
    }

    /// What is wrong with the key, if anything is.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Some(key) = &self.key else { return Ok(()) };
        match key.surrounding_blank() {
            _ if key.is_blank() || key.expose().len() < SHORTEST => {
                Err(format!("expected an erasure key of at least {SHORTEST} bytes, got a shorter one"))
            }
            Some(blank) => Err(format!("expected an erasure key without white space around it, got one that {blank}")),
            None => Ok(()),
        }
    }

    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// What makes marks.
    ///
    /// # Errors
    /// `Refused` without a key.
    pub(crate) fn marker(&self) -> Result<Marker<'_>, Error> {
        let why = "nobody can be erased without a key that recognises them later: set Builder::erasure_key";
        self.key.as_ref().map(Marker).ok_or_else(|| Error::new(ErrorKind::Refused, why))
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The marks, if they were read just now.
    pub(super) fn fresh(&self) -> Option<Arc<HashSet<String>>> {
        let known = self.known();
        known.read_at.is_some_and(|at| at.elapsed() < FRESH).then_some(known.marks)
    }

    /// The marks as they are stored.
    pub(super) fn read(&self, tx: &mut dyn Tx) -> Result<Arc<HashSet<String>>, Error> {
        let known = self.known();
        let is_same = i64::try_from(known.marks.len()) == Ok(tx.count_marks()?);
        let marks = if is_same { known.marks } else { Arc::new(tx.marks()?.into_iter().collect()) };
        let read = Known { marks: marks.clone(), read_at: Some(Instant::now()) };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(marks)
    }

    /// Somebody was erased by this process.
    pub(crate) fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).read_at = None;
    }

    /// The event without what is personal, if it is about somebody who was erased.
    pub(super) fn reduced(&self, event: &NewEvent, marks: &HashSet<String>) -> Option<NewEvent> {
        // What this app says itself is of ids alone.
        if event.source == Source::Operator || !self.recognises(&event.body, marks) {
            return None;
        }
        Some(NewEvent { headers: "{}".to_owned(), body: Bytes::from(reduced(&event.body)), ..event.clone() })
    }

    /// Whether a body bears the gateway's id of a customer who was erased, so that what it is about is theirs.
    pub(crate) fn is_of_customer(&self, body: &[u8], marks: &HashSet<String>) -> bool {
        let Some(marker) = self.key.as_ref().map(Marker) else { return false };
        customers(body).into_iter().any(|id| marks.contains(&marker.mark(&Trait::Customer(id))))
    }

    /// Whether a body names somebody who was erased.
    pub(crate) fn recognises(&self, body: &[u8], marks: &HashSet<String>) -> bool {
        let Some(marker) = self.key.as_ref().map(Marker).filter(|_| !marks.is_empty()) else { return false };
        recognised(body, |one| marks.contains(&marker.mark(one)))
    }
}
