//! The one writer of a process for all that is small and must be durable: deliveries, what handlers did, leases and
//! counters. One thread takes all that waits, writes it in one transaction, and only then answers each (group commit).
//! There is no timer: what comes alone waits for nobody.

mod counts;
mod group;
mod load;
mod message;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Store;
use super::rows::{Appended, Claim, Count, Counter, NewAttempt, NewEvent};
use super::sets::Settled;
use crate::domain::Timestamp;
use crate::error::{Error, ErrorKind};
use counts::Counts;
use group::Group;
use load::Load;
use message::{Answer, Message};

/// How long counters may stay in memory. Deliveries never do.
const COUNT_EVERY: Duration = Duration::from_millis(200);

/// The way into the database for everything that is small and must be durable.
pub(crate) struct Writer {
    queue: Sender<Message>,
    /// How many deliveries wait, and how many may.
    waiting: Arc<AtomicUsize>,
    limit: usize,
    counts: Arc<Counts>,
    load: Arc<Load>,
}

/// How much the writer takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How many deliveries may wait.
    pub waiting: usize,
    /// How many events one transaction stores at the most.
    pub batch: usize,
}

impl Writer {
    /// Starts the writer's thread; it ends when this is dropped.
    pub(crate) fn open(store: Arc<dyn Store>, limits: Limits) -> Result<Self, Error> {
        let (queue, messages) = channel();
        let (counts, load, waiting) = (Arc::<Counts>::default(), Arc::<Load>::default(), Arc::<AtomicUsize>::default());
        let thread =
            Thread { store, limits, messages, counts: counts.clone(), load: load.clone(), waiting: waiting.clone() };
        thread::Builder::new()
            .name("payments-writer".into())
            .spawn(move || thread.run())
            .map_err(|e| Error::new(ErrorKind::Unavailable, "can't start the writer's thread").with_source(e))?;
        Ok(Self { queue, waiting, limit: limits.waiting, counts, load })
    }

    /// Stores the events of a delivery; durable once this returns `Ok`.
    ///
    /// # Errors
    /// `Unavailable` when too many deliveries wait or the database doesn't take them.
    pub(crate) async fn append(&self, events: Vec<NewEvent>) -> Result<Vec<Appended>, Error> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.limit {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::new(ErrorKind::Unavailable, "too many deliveries are waiting"));
        }
        self.send(|answer| Message::Store(events, answer)).await
    }

    /// Keeps what a handler did and where its event stands after it; answers whether the event was still held.
    pub(crate) async fn record(&self, attempt: Option<NewAttempt>, settled: Option<Settled>) -> Result<bool, Error> {
        self.send(|answer| Message::Record(attempt, settled, answer)).await
    }

    /// Lengthens a lease; answers whether the event was still held.
    pub(crate) async fn renew(&self, claim: Claim, until: Timestamp) -> Result<bool, Error> {
        self.send(|answer| Message::Renew(claim, until, answer)).await
    }

    async fn send<T>(&self, message: impl FnOnce(Answer<T>) -> Message) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(message(answer)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Adds to a counter, within [`COUNT_EVERY`].
    pub(crate) fn count(&self, counter: Counter, add: Count) {
        if self.counts.add(counter, add) {
            let _ = self.queue.send(Message::Count);
        }
    }

    /// Writes the counters now.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }

    pub(crate) fn load(&self) -> &Load {
        &self.load
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Unavailable, "the writer's thread has ended")
}

struct Thread {
    store: Arc<dyn Store>,
    limits: Limits,
    messages: Receiver<Message>,
    counts: Arc<Counts>,
    load: Arc<Load>,
    waiting: Arc<AtomicUsize>,
}

impl Thread {
    fn run(self) {
        let mut count_at: Option<Instant> = None;
        loop {
            let message = match count_at {
                None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.messages.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            let mut group = Group::default();
            match message {
                Err(RecvTimeoutError::Disconnected) => {
                    group.counts = self.counts.take();
                    group.write(&*self.store);
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(first) => self.gather(first, &mut group),
            }
            let now = Instant::now();
            let counting = group.is_flush() || count_at.is_some_and(|at| at <= now);
            group.counts = if counting { self.counts.take() } else { Vec::new() };
            count_at = if counting { None } else { count_at.or(Some(now + COUNT_EVERY)) };
            let begun = (group.deliveries() > 0).then(|| self.load.begin());
            self.waiting.fetch_sub(group.deliveries(), Ordering::Relaxed);
            self.counts.put_back(group.write(&*self.store));
            if let Some(begun) = begun {
                self.load.end(begun);
            }
        }
    }

    /// Takes all that waits, up to a transaction's worth.
    fn gather(&self, first: Message, group: &mut Group) {
        let more = std::iter::from_fn(|| self.messages.try_recv().ok());
        for message in std::iter::once(first).chain(more) {
            group.add(message);
            if group.size() >= self.limits.batch {
                return;
            }
        }
    }
}
