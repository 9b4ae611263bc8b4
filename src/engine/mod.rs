//! The running configuration that all rooms above share: variants, handlers, the database, its writer and the clock.

mod activity;
mod actor;
mod alarm;
pub(crate) mod allowed;
mod arrivals;
mod budget;
pub(crate) mod chores;
pub(crate) mod configured;
pub(crate) mod drift;
pub(crate) mod due;
mod erased;
mod erasures;
pub(crate) mod event_facts;
pub(crate) mod find;
pub(crate) mod guarded;
pub(crate) mod handler;
mod health;
pub(crate) mod heartbeat;
mod hints;
mod holdings;
pub(crate) mod loading;
mod look;
#[cfg(feature = "metrics")]
mod measure;
mod notice;
pub(crate) mod owed;
pub(crate) mod payment;
pub(crate) mod replica;
pub(crate) mod request;
mod retention;
pub(crate) mod served;
mod strangers;
mod stubborn;
pub(crate) mod subscription;
pub(crate) mod subscription_allowed;
pub(crate) mod tally;
mod variant;
mod variant_names;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell};

pub(crate) use actor::{Actor, act};
pub(crate) use alarm::AlarmHook;
pub use alarm::{Alarm, AlarmThresholds};
pub(crate) use arrivals::{Arrival, Arrivals};
pub use chores::Chores;
pub(crate) use chores::reconcile_chore;
pub(crate) use erasures::Erasures;
pub use handler::HandlerError;
pub use health::{Readiness, ReadyChecks, ReadyPart};
pub(crate) use holdings::Holdings;
pub use notice::DisputeChange;
pub(crate) use notice::{EventNotice, SubscriptionNotice, TransitionNotice};
pub use payment::Payment;
pub use retention::Retention;
pub use subscription::Subscription;
pub use variant::{ModePolicy, Unmatched, Variant};

use crate::domain::retry::Backoff;
use crate::domain::{Timestamp, to_micros};
use crate::error::{Error, ErrorKind};
use crate::store::pulse::Pulse;
use crate::store::writer::Writer;
use crate::store::{Store, threads};
use activity::Activity;
use configured::Configured;
use handler::Handlers;
use hints::HintBudgets;
use stubborn::Stubborn;

pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What `Payments` hands out clones of: one for each built configuration.
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    /// What pages read from, where it is not `store`.
    pub(crate) replica: Option<replica::Replica>,
    pub(crate) writer: Writer,
    /// The bodies that are arriving.
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) configured: Configured,
    pub(crate) handlers: Handlers,
    /// The handlers that the builder retires, by name.
    pub(crate) retired: Vec<String>,
    /// Whether the handlers are registered in the database.
    pub(crate) is_registered: OnceCell<()>,
    /// The handlers that this process lacks, as last reported in the log.
    pub(crate) reported_lacking: Mutex<Vec<String>>,
    pub(crate) backoff: Backoff,
    pub(crate) chores: Chores,
    /// What is told of alarms, and from when on something is one.
    pub(crate) on_alarm: Option<AlarmHook>,
    pub(crate) thresholds: AlarmThresholds,
    /// How long an owner stays active whose subscription is past due.
    pub(crate) grace: Duration,
    /// How long an answer to whether an owner is active may be remembered.
    pub(crate) active_for: Duration,
    pub(crate) activity: Activity,
    /// How many unsigned hints are still taken.
    pub(crate) hints: HintBudgets,
    pub(crate) retention: Retention,
    pub(crate) erasures: Erasures,
    /// How large all tables together may become, in bytes.
    pub(crate) growth_bound: Option<u64>,
    pub(crate) handler_timeout: Duration,
    /// How long a claimed event is held without a word from its worker.
    pub(crate) lease: Duration,
    /// Where browsers reach the mount: as the host said, else where it was mounted first.
    pub(crate) address: OnceLock<String>,
    pub(crate) clock: Clock,
    /// Notified whenever an event may have become available.
    pub(crate) available: Notify,
    /// The batches that failed lately.
    pub(crate) stubborn: Stubborn,
    /// Held by who looks whether the database is ready.
    pub(crate) looking: Arc<tokio::sync::Mutex<()>>,
}

impl Engine {
    pub(crate) fn now(&self) -> Timestamp {
        to_micros((self.clock)())
    }

    /// The outcome of an operation that the variant's gateway carried out.
    pub(crate) fn done_by(&self, variant: &str) -> String {
        format!("done by {}", self.variant(variant).map_or("the gateway", |variant| variant.gateway.name()))
    }

    /// The outcome of a refresh: what it did not ask for must not pass for unchanged.
    pub(crate) fn refreshed_by(&self, variant: &str) -> String {
        let left_out = self.variant(variant).and_then(|variant| variant.gateway.refresh_leaves_out());
        let left_out = left_out.map(|what| format!(", but not asked for {what}")).unwrap_or_default();
        format!("{}{left_out}", self.done_by(variant))
    }

    /// Where a variant's events are to be sent, as far as this process knows.
    pub(crate) fn address_of(&self, variant: &str) -> String {
        format!("{}/{variant}/", self.address.get().map_or("/payments", String::as_str))
    }

    /// Where the admin pages are, as far as this process knows.
    pub(crate) fn admin_path(&self) -> String {
        format!("{}/admin/", self.address.get().map_or("/payments", String::as_str))
    }

    /// Runs blocking database work off the async threads.
    ///
    /// # Errors
    /// `Unavailable` also when a statement of it has had no answer for long.
    pub(crate) async fn blocking<T, F>(self: &Arc<Self>, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<Self>) -> Result<T, Error> + Send + 'static,
    {
        refuse_inside()?;
        let pulse = Pulse::beside(self.store.silence());
        let beating = pulse.clone();
        let call = self.patiently(move |engine| beating.during(|| work(engine)));
        pulse.unless_silent(call).await.unwrap_or_else(|| {
            self.store.reconnect();
            Err(Error::new(ErrorKind::Unavailable, "the database does not answer"))
        })
    }

    /// Runs blocking database work off the async threads, however long it gets no answer.
    pub(crate) async fn patiently<T, F>(self: &Arc<Self>, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<Self>) -> Result<T, Error> + Send + 'static,
    {
        refuse_inside()?;
        let this = self.clone();
        let unfinished = || Error::new(ErrorKind::Unavailable, "database work did not come to its end");
        threads::run(move || work(&this)).await.ok_or_else(unfinished)?
    }

    /// Tells the workers of this process that an event may be available; those of others poll.
    pub(crate) fn notify(&self) {
        self.available.notify_one();
    }

    /// Waits for the next [`Engine::notify`].
    pub(crate) async fn notified(&self) {
        self.available.notified().await;
    }

    /// Writes the counters that are still in memory.
    pub(crate) async fn flush(&self) {
        self.writer.flush().await;
    }
}

fn refuse_inside() -> Result<(), Error> {
    if handler::Inside::is_entered() {
        let why = "a handler in the transaction can't wait for another; do it in a handler after the commit";
        return Err(Error::new(ErrorKind::Refused, why));
    }
    Ok(())
}

/// `len` letters and digits that nobody can guess: 5 bits each.
pub(crate) fn random_word(len: usize) -> Result<String, Error> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = vec![0_u8; len];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(ErrorKind::Unavailable, "the system gives no random bytes").with_source(e))?;
    Ok(bytes.into_iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// A token of a subscription of ours.
pub(crate) fn subscription_token() -> Result<String, Error> {
    Ok(format!("psub_{}", random_word(26)?))
}

/// A token of ours: 26 letters and digits, 130 bits that nobody can guess.
pub(crate) fn payment_token() -> Result<String, Error> {
    Ok(format!("pay_{}", random_word(26)?))
}
