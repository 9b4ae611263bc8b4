//! How do deliveries get into the database fast and for certain? They wait in a bounded queue; one writer thread
//! takes all that wait, stores them in one transaction, and only then tells each that it is safe. There is no
//! timer: a lone delivery waits for nobody.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Store;
use super::rows::{Appended, Count, Counter, NewEvent};
use crate::error::{Error, ErrorKind};

/// How long counters may stay in memory. Deliveries never do.
const COUNT_EVERY: Duration = Duration::from_millis(200);
/// How many different counters are kept in memory; what is beyond is not counted.
const COUNTERS: usize = 1_000;

/// The way into the database for everything that a gateway sends.
pub(crate) struct Inbox {
    queue: SyncSender<Message>,
    counts: Arc<Counts>,
}

/// How much the inbox takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How many deliveries may wait.
    pub waiting: usize,
    /// How many events one transaction stores at the most.
    pub batch: usize,
}

/// Where a delivery waits for word of its events.
type Answer = oneshot::Sender<Result<Vec<Appended>, Error>>;

enum Message {
    Store(Vec<NewEvent>, Answer),
    /// There is something to count.
    Count,
    /// Count now, and say when it is done.
    Flush(oneshot::Sender<()>),
}

#[derive(Default)]
struct Counts(Mutex<HashMap<Counter, Count>>);

impl Inbox {
    /// Starts the writer thread; it ends when the inbox is dropped.
    pub(crate) fn open(store: Arc<dyn Store>, limits: Limits) -> Result<Self, Error> {
        let (queue, waiting) = sync_channel(limits.waiting);
        let counts = Arc::new(Counts::default());
        let writer = Writer { store, limits, waiting, counts: counts.clone() };
        thread::Builder::new()
            .name("payments-inbox".into())
            .spawn(move || writer.run())
            .map_err(|e| Error::new(ErrorKind::Unavailable, "can't start the inbox's thread").with_source(e))?;
        Ok(Self { queue, counts })
    }

    /// Stores the events; durable once this returns `Ok`.
    ///
    /// # Errors
    /// `Unavailable` when the queue is full or the database doesn't take them.
    pub(crate) async fn append(&self, events: Vec<NewEvent>) -> Result<Vec<Appended>, Error> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Message::Store(events, answer)).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::new(ErrorKind::Unavailable, "too many deliveries are waiting"),
            TrySendError::Disconnected(_) => gone(),
        })?;
        answered.await.map_err(|_| gone())?
    }

    /// Adds to a counter, within [`COUNT_EVERY`].
    pub(crate) fn count(&self, counter: Counter, add: Count) {
        if self.counts.add(counter, add) {
            // When the queue is full the writer is awake and looks at the counters anyway.
            let _ = self.queue.try_send(Message::Count);
        }
    }

    /// Writes the counters now.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Unavailable, "the inbox's thread has ended")
}

impl Counts {
    /// Answers whether this is the first since they were taken.
    fn add(&self, counter: Counter, add: Count) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = counts.is_empty();
        if counts.len() < COUNTERS || counts.contains_key(&counter) {
            counts.entry(counter).and_modify(|known| known.join(add)).or_insert(add);
        }
        first
    }

    /// Adds what could not be written, for the next time.
    fn put_back(&self, unwritten: Vec<(Counter, Count)>) {
        for (counter, add) in unwritten {
            self.add(counter, add);
        }
    }

    fn take(&self) -> Vec<(Counter, Count)> {
        let taken = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut counts: Vec<_> = taken.into_iter().collect();
        // One order for all writers, so that two processes never wait for each other in a circle.
        counts.sort_by(|(a, _), (b, _)| a.cmp(b));
        counts
    }
}

struct Writer {
    store: Arc<dyn Store>,
    limits: Limits,
    waiting: Receiver<Message>,
    counts: Arc<Counts>,
}

impl Writer {
    fn run(self) {
        let mut count_at: Option<Instant> = None;
        loop {
            let message = match count_at {
                None => self.waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.waiting.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            let (mut batch, mut flushes) = (Batch::default(), Vec::new());
            match message {
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = batch.store(&*self.store, self.counts.take());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(first) => {
                    let more = std::iter::from_fn(|| self.waiting.try_recv().ok());
                    for message in std::iter::once(first).chain(more) {
                        match message {
                            Message::Store(events, answer) => batch.add(events, answer),
                            Message::Count => {}
                            Message::Flush(done) => flushes.push(done),
                        }
                        if batch.events.len() >= self.limits.batch {
                            break;
                        }
                    }
                }
            }
            let now = Instant::now();
            let counting = !flushes.is_empty() || count_at.is_some_and(|at| at <= now);
            let counts = if counting { self.counts.take() } else { Vec::new() };
            count_at = if counting { None } else { count_at.or(Some(now + COUNT_EVERY)) };
            // A panic below must not end the inbox: those who wait are told that it failed.
            let stored = catch_unwind(AssertUnwindSafe(|| batch.store(&*self.store, counts)));
            if let Ok(Err(counts)) = stored {
                self.counts.put_back(counts);
            }
            for done in flushes {
                let _ = done.send(());
            }
        }
    }
}

#[derive(Default)]
struct Batch {
    events: Vec<NewEvent>,
    answers: Vec<(usize, Answer)>,
}

impl Batch {
    fn add(&mut self, events: Vec<NewEvent>, answer: Answer) {
        self.answers.push((events.len(), answer));
        self.events.extend(events);
    }

    /// All together, with the counters that are due, so that these cost no commit of their own. When that fails
    /// for a reason of the data, each delivery for itself, so that a poisoned one does not fail its neighbours.
    /// Answers the counters that were not written.
    fn store(self, store: &dyn Store, counts: Vec<(Counter, Count)>) -> Result<(), Vec<(Counter, Count)>> {
        if self.events.is_empty() && counts.is_empty() {
            return Ok(());
        }
        let together = store.transaction(|tx| {
            tx.count(&counts)?;
            if self.events.is_empty() { Ok(Vec::new()) } else { tx.append(&self.events) }
        });
        match together {
            Ok(all) => {
                let mut all = all.into_iter();
                for (count, answer) in self.answers {
                    let _ = answer.send(Ok(all.by_ref().take(count).collect()));
                }
                Ok(())
            }
            Err(error) => {
                log::error!("payments: {} events were not stored together: {error}", self.events.len());
                self.store_alone(store, !error.is_retryable());
                Err(counts)
            }
        }
    }

    /// Each delivery for itself if that is worth a try; what is not stored is told so.
    fn store_alone(self, store: &dyn Store, worth_it: bool) {
        let mut rest = &self.events[..];
        for (count, answer) in self.answers {
            let (mine, others) = rest.split_at(count);
            rest = others;
            let stored = match worth_it {
                true => store.transaction(|tx| tx.append(mine)),
                false => Err(Error::new(ErrorKind::Unavailable, "the database did not take the event")),
            };
            let _ = answer.send(stored);
        }
    }
}
