//! The one writer of a process for all that is small and must be durable: deliveries, what handlers did, leases and
//! counters. One thread takes all that waits, writes it in one transaction, and only then answers each (group commit).
//! There is no timer: what comes alone waits for nobody.

mod counts;
mod group;
mod load;
mod message;
mod watch;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::Store;
use super::pulse::Pulse;
use super::rows::{Appended, Claim, Count, Counter, NewAttempt, NewEvent};
use super::sets::Settled;
use crate::domain::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::telemetry::{self, Stopwatch};
use counts::Counts;
use group::Group;
use load::Load;
use message::{Answer, Message, bytes_of};
use watch::Relay;

/// How long counters may stay in memory. Deliveries never do.
const COUNT_EVERY: Duration = Duration::from_millis(200);
/// The longest pause before counters are written again that could not be written.
const COUNT_AGAIN: Duration = Duration::from_secs(5);

/// How many bytes of events one transaction stores before no more are taken along: the database's driver copies them.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// The way into the database for everything that is small and must be durable.
pub(crate) struct Writer {
    queue: Sender<Message>,
    /// How many deliveries wait, and how many may.
    waiting: Arc<AtomicUsize>,
    /// How many bytes the deliveries have that wait or are being written.
    held: Arc<AtomicUsize>,
    limits: Limits,
    /// Tells all who wait that the database does not answer.
    given_up: Arc<Notify>,
    counts: Arc<Counts>,
    load: Arc<Load>,
    /// Held by the thread that writes.
    thread: Weak<Thread>,
}

/// How much the writer takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How many deliveries may wait.
    pub waiting: usize,
    /// How many bytes they may have in all.
    pub bytes: usize,
    /// How many events one transaction stores at the most.
    pub batch: usize,
}

impl Writer {
    /// Starts the writer's thread; it ends when this is dropped.
    pub(crate) fn open(store: Arc<dyn Store>, limits: Limits) -> Result<Self, Error> {
        let (queue, messages) = channel();
        let (counts, load) = (Arc::<Counts>::default(), Arc::<Load>::default());
        let (waiting, held) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let given_up = Arc::<Notify>::default();
        let thread = Thread {
            store,
            limits,
            messages: Mutex::new(messages),
            turn: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
            counts: counts.clone(),
            load: load.clone(),
            waiting: waiting.clone(),
            held: held.clone(),
            given_up: given_up.clone(),
        };
        let thread = Arc::new(thread);
        let alive = Arc::downgrade(&thread);
        watch::start(thread)
            .map_err(|e| Error::new(ErrorKind::Unavailable, "can't start the writer's thread").with_source(e))?;
        Ok(Self { queue, waiting, held, limits, given_up, counts, load, thread: alive })
    }

    /// Whether a thread writes. It survives an outage of the database.
    pub(crate) fn is_alive(&self) -> bool {
        self.thread.strong_count() > 0
    }

    /// Stores the events of a delivery; durable once this returns `Ok`. `first` is done before, by a delivery that has
    /// its place already: what waits for it waits for the database as well. Each of both may take so long.
    ///
    /// # Errors
    /// `Unavailable` when too many deliveries wait or the database doesn't take them, and what `first` says.
    pub(crate) async fn append(
        &self,
        events: Vec<NewEvent>,
        first: impl Future<Output = Result<(), Error>>,
        patience: Duration,
    ) -> Result<Vec<Appended>, Error> {
        let place = Place { waiting: &self.waiting, held: &self.held, bytes: bytes_of(&events) };
        let is_full = place.held.fetch_add(place.bytes, Ordering::Relaxed) + place.bytes > self.limits.bytes;
        if place.waiting.fetch_add(1, Ordering::Relaxed) >= self.limits.waiting || is_full {
            return Err(Error::new(ErrorKind::Unavailable, "too many deliveries are waiting"));
        }
        let late = || Error::new(ErrorKind::Unavailable, "the database did not take the event in time");
        timeout(patience, first).await.map_err(|_| late())??;
        // From here on the thread gives it up.
        std::mem::forget(place);
        let stored = self.send(|answer| Message::Store(events, answer));
        timeout(patience, stored).await.map_err(|_| late())?
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
        let stuck = || Error::new(ErrorKind::Unavailable, "the database does not answer");
        tokio::select! {
            biased;
            answer = answered => answer.map_err(|_| gone())?,
            () = self.given_up.notified() => Err(stuck()),
        }
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

    /// For how long the thread has been at one write; `None` while it waits for something to do.
    pub(crate) fn at_work_for(&self) -> Option<Duration> {
        self.load.at_work_for()
    }

    pub(crate) fn load(&self) -> &Load {
        &self.load
    }
}

/// The place of a delivery among those that wait, given up when this is dropped.
struct Place<'a> {
    waiting: &'a AtomicUsize,
    held: &'a AtomicUsize,
    bytes: usize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Unavailable, "the writer's thread has ended")
}

struct Thread {
    store: Arc<dyn Store>,
    limits: Limits,
    messages: Mutex<Receiver<Message>>,
    /// Whose turn it is to write, of the threads that were started.
    turn: AtomicUsize,
    has_ended: AtomicBool,
    counts: Arc<Counts>,
    load: Arc<Load>,
    waiting: Arc<AtomicUsize>,
    held: Arc<AtomicUsize>,
    given_up: Arc<Notify>,
}

impl Relay for Thread {
    fn run(&self, turn: usize) {
        // A thread that was stuck may have left counters behind.
        let mut count_at: Option<Instant> = (turn > 0).then(Instant::now);
        let mut pause = COUNT_EVERY;
        while self.turn.load(Ordering::Relaxed) == turn {
            let message = self.next(count_at);
            let mut group = Group::default();
            match message {
                Err(RecvTimeoutError::Disconnected) => {
                    group.counts = self.counts.take();
                    group.write(&*self.store);
                    self.has_ended.store(true, Ordering::Relaxed);
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
            let bytes = group.bytes();
            self.load.begin_write();
            let (watch, wrote) = (Stopwatch::start(), group.size() > 0);
            let unwritten = group.write(&*self.store);
            if wrote {
                telemetry::committed(watch);
            }
            telemetry::waiting(self.waiting.load(Ordering::Relaxed));
            pause = if unwritten.is_empty() { COUNT_EVERY } else { (pause * 2).min(COUNT_AGAIN) };
            count_at = if unwritten.is_empty() { count_at } else { Some(Instant::now() + pause) };
            self.counts.put_back(unwritten);
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            if let Some(begun) = begun {
                self.load.end(begun);
            }
            self.load.end_write();
        }
    }

    fn pass_on(&self, turn: usize) {
        self.store.reconnect();
        self.turn.store(turn, Ordering::Relaxed);
        self.load.end_write();
        self.given_up.notify_waiters();
    }

    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    fn pulse(&self) -> Arc<Pulse> {
        Pulse::beside(self.store.silence())
    }
}

impl Thread {
    /// The next message, or none when it is time to count.
    fn next(&self, count_at: Option<Instant>) -> Result<Message, RecvTimeoutError> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        match count_at {
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => messages.recv_timeout(at.saturating_duration_since(Instant::now())),
        }
    }

    /// Takes all that waits, up to a transaction's worth.
    fn gather(&self, first: Message, group: &mut Group) {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let more = std::iter::from_fn(|| messages.try_recv().ok());
        for message in std::iter::once(first).chain(more) {
            group.add(message);
            if group.size() >= self.limits.batch || group.bytes() >= GROUP_BYTES {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_has_ended_is_seen() {
        let (queue, _messages) = channel();
        let writer = Writer {
            queue,
            waiting: Arc::default(),
            held: Arc::default(),
            limits: Limits { waiting: 1, bytes: 1, batch: 1 },
            given_up: Arc::default(),
            counts: Arc::default(),
            load: Arc::default(),
            thread: Weak::new(),
        };
        assert!(!writer.is_alive());
    }
}
