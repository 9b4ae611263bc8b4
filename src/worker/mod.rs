//! The worker: it claims due events, processes them, and runs their handlers. Any number of processes may have one.

mod drain;
mod pace;
mod run;

use std::fmt;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::error::{Error, ErrorKind};
use crate::payments::Payments;
use run::Settings;

/// Configures the loop that processes events.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// # use actix_payments::gateways::dummy::Kind;
/// # order(&payments, Kind::Paid).await?;
/// // Beside the server, for as long as the process runs:
/// let worker = payments.worker().concurrency(4).start()?;
/// worker.stop().await;
///
/// // Or by a timer, in a process of its own:
/// let processed = payments.worker().drain().await?;
/// println!("{processed} events were processed");
/// # Ok(()) }) }
/// ```
#[must_use = "a worker does nothing until it is started"]
pub struct Worker {
    settings: Settings,
}

/// A running worker, on a thread of its own. It runs until it is stopped, or until the process ends.
///
/// See [`Worker`] for an example.
#[must_use = "a worker that nobody stops is cut off with its process: keep it, and call `stop`"]
pub struct RunningWorker {
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
}

impl Payments {
    /// A worker for these payments. Start it once in each process, outside the closure that builds the app.
    pub fn worker(&self) -> Worker {
        let settings = Settings {
            payments: self.clone(),
            poll: Duration::from_millis(250),
            concurrency: 8,
            patience: Duration::from_secs(30),
        };
        Worker { settings }
    }
}

impl Worker {
    /// How often to look for events that another process received, or that are due again. Default 250 milliseconds, at
    /// least 10.
    pub fn poll(mut self, every: Duration) -> Self {
        self.settings.poll = every.max(Duration::from_millis(10));
        self
    }

    /// How many events' handlers may run at the same time. Default 8, at least 1.
    pub fn concurrency(mut self, events: usize) -> Self {
        self.settings.concurrency = events.max(1);
        self
    }

    /// How long stopping waits for running handlers. After that, other workers take their events when the leases end.
    /// Default 30 seconds.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// Starts the worker on a thread of its own, with an Actix runtime: handlers may use whatever an Actix handler
    /// may use, and their futures need not be `Send`.
    ///
    /// # Errors
    /// `Unavailable` when the system gives no thread.
    pub fn start(self) -> Result<RunningWorker, Error> {
        let (stop, stopping) = watch::channel(false);
        let (end, ended) = oneshot::channel();
        let run = move || match actix_rt::Runtime::new() {
            Ok(runtime) => {
                runtime.block_on(run::run(self.settings, stopping));
                let _ = end.send(());
            }
            Err(error) => log::error!("payments: the worker has no runtime: {error}"),
        };
        std::thread::Builder::new()
            .name("payments-worker".into())
            .spawn(run)
            .map_err(|e| Error::new(ErrorKind::Unavailable, "can't start the worker's thread").with_source(e))?;
        Ok(RunningWorker { stop, ended })
    }

    /// Processes everything that is due, and returns how many events it claimed. For tests, and for processes that a
    /// timer starts.
    ///
    /// # Errors
    /// What the database says.
    pub async fn drain(self) -> Result<usize, Error> {
        drain::drain(&self.settings.payments).await
    }

    /// Like [`Worker::drain`], but also waits for events that other workers hold, until nothing is due and no handler
    /// runs. So tests on one database may run side by side. Returns how many events it claimed itself.
    ///
    /// # Errors
    /// `Unavailable` when something is still due or running after `patience`, and what the database says.
    pub async fn settle(self, patience: Duration) -> Result<usize, Error> {
        drain::settle(&self.settings.payments, patience).await
    }
}

impl RunningWorker {
    /// Stops claiming, waits for running handlers, and releases claimed events that were not begun.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.ended.await;
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl fmt::Debug for RunningWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningWorker").finish_non_exhaustive()
    }
}
