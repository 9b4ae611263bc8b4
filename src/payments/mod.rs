//! What can one do with payments? [`Payments`] is the handle that a host clones into its app; every verb is a
//! file of this room by the same name.

mod adopt;
mod allowed;
mod anomalies;
mod apply;
mod audit;
mod browse;
mod builder;
mod bulk;
mod cancel;
mod capture;
mod catch_up;
mod checkup;
mod chores;
mod complete;
mod conclude;
mod create;
mod discard;
mod dry_run;
mod explain;
mod find;
pub(crate) mod handler;
mod matching;
mod naming;
mod operate;
mod overview;
mod payment;
pub(crate) mod process;
mod reading;
mod rebuild;
mod receive;
mod reconcile;
mod refresh;
mod refund;
mod requeue;
mod resend;
pub(crate) mod settle;
pub(crate) mod tally;
mod tries;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;

pub(crate) use allowed::{Ask, Asks};
pub(crate) use anomalies::Anomaly;
pub(crate) use audit::Acts;
pub(crate) use browse::{COUNT_CAP, EventList, EventView, Order, Page, PaymentList, PaymentView, Place, SEARCH_CAP};
pub use builder::{Builder, ModePolicy, Unmatched, Variant};
pub(crate) use bulk::{Bulk, Chosen, LIMIT as BULK_LIMIT, Sample, Tally};
pub(crate) use checkup::{Checkup, REFUSED_DAYS, SECRETS_OF, Standing};
pub use chores::Chores;
pub use create::{Created, NewPayment, Next};
pub(crate) use discard::why_no_discard;
pub(crate) use dry_run::Forecast;
pub(crate) use explain::{EventStory, PaymentStory};
pub use handler::{Event, HandlerError, Transition};
pub use operate::Outcome;
pub(crate) use operate::{OperatorsOrder, idempotency_key};
pub(crate) use overview::{Bucket, Overview, Span};
pub use payment::Payment;
pub use rebuild::{Differing, Rebuilt};
pub use receive::Received;
pub use reconcile::Reconciled;
pub use refund::Refund;
pub(crate) use requeue::{Actor, why_no_requeue};

use crate::domain::retry::Backoff;
use crate::domain::{Timestamp, to_micros};
use crate::error::{Error, ErrorKind};
use crate::store::database::Database;
use crate::store::dialect::HostConnection;
use crate::store::inbox::Inbox;
use crate::store::{Store, Tx};
use handler::Handlers;

/// The handle to everything: clone it freely, it is one reference-counted pointer.
#[derive(Clone)]
pub struct Payments(Arc<Inner>);

pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(crate) struct Inner {
    store: Arc<dyn Store>,
    inbox: Inbox,
    variants: BTreeMap<String, Variant>,
    handlers: Handlers,
    backoff: Backoff,
    chores: Chores,
    handler_timeout: Duration,
    lease: Duration,
    /// Where browsers reach the mount: as the host said, else where it was mounted first.
    address: OnceLock<String>,
    clock: Clock,
    /// Rung whenever an event may have become available.
    bell: Notify,
}

impl Payments {
    /// Begins to configure payments that live in `database`.
    pub fn builder<C: HostConnection>(database: Database<C>) -> Builder<C> {
        Builder::new(database)
    }

    /// Creates or upgrades the `pay_` tables. Safe to call at every start and by several processes at once; the
    /// host's own diesel migrations are not touched.
    ///
    /// # Errors
    /// `Storage` or `Unavailable` when the database refuses or doesn't answer.
    pub async fn migrate(&self) -> Result<(), Error> {
        self.blocking(|inner| inner.store.migrate()).await
    }

    /// The names of the configured variants, in alphabetical order.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.0.variants.keys().map(String::as_str)
    }

    /// Where a variant's events are to be sent, as far as this process knows; see [`Builder::address`].
    pub fn address_of(&self, variant: &str) -> String {
        format!("{}/{variant}/", self.0.address.get().map_or("/payments", String::as_str))
    }

    /// Takes note of where it is mounted.
    pub(crate) fn mounted_at(&self, path: &str) {
        self.0.address.get_or_init(|| path.to_owned());
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.now()
    }

    pub(crate) fn variant(&self, name: &str) -> Option<&Variant> {
        self.0.variants.get(name)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Runs blocking database work off the async threads.
    pub(crate) async fn blocking<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    {
        if handler::Inside::is_entered() {
            let why = "a handler in the transaction can't wait for another; do it in a handler after the commit";
            return Err(Error::new(ErrorKind::Refused, why));
        }
        let this = self.clone();
        let ended = |e: tokio::task::JoinError| {
            Error::new(ErrorKind::Unavailable, "database work did not come to its end").with_source(e)
        };
        tokio::task::spawn_blocking(move || work(&this.0)).await.map_err(ended)?
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.blocking(move |inner| inner.store.ask(work)).await
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        to_micros((self.clock)())
    }

    /// Rings for the workers of this process; those of others look by themselves.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Writes the counters that are still in memory.
    pub(crate) async fn flush(&self) {
        self.inbox.flush().await;
    }

    /// Waits until [`Inner::ring`] was called.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }
}

/// `len` letters and digits that nobody can guess: 5 bits each.
pub(crate) fn random_word(len: usize) -> Result<String, Error> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = vec![0_u8; len];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(ErrorKind::Unavailable, "the system gives no random bytes").with_source(e))?;
    Ok(bytes.into_iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}
