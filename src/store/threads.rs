//! Threads for calls to the database. Those of the async runtime would do, but a runtime that ends waits for its
//! threads, and a call over a silent network may never come back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

/// How many calls may be under way; pools have fewer connections, and those who wait for one wait here.
static ROOM: Semaphore = Semaphore::const_new(256);
/// How long a thread waits for another call before it ends.
const IDLE_FOR: Duration = Duration::from_secs(10);

/// The threads that have nothing to do, the one that was busy last at the end.
static IDLE: Mutex<Vec<Idle>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

type Job = Box<dyn FnOnce() + Send>;

struct Idle {
    number: u64,
    give: Sender<Job>,
}

/// Runs this on a thread of its own, inside the runtime of the caller; `None` if it panicked, or if the system gives no
/// thread. Whoever stops waiting leaves the thread to itself.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _room = ROOM.acquire().await.ok()?;
    let (done, end) = oneshot::channel();
    let runtime = Handle::try_current().ok();
    let job = move || {
        let _inside = runtime.as_ref().map(Handle::enter);
        let _ = done.send(work());
    };
    hand_over(Box::new(job)).ok()?;
    end.await.ok()
}

fn hand_over(job: Job) -> std::io::Result<()> {
    let idle = idle().pop();
    match idle {
        // A thread that is not on the list any more waits for what comes.
        Some(thread) => thread.give.send(job).map_err(|_| std::io::ErrorKind::BrokenPipe.into()),
        None => {
            let (give, jobs) = channel();
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let work = move || serve(number, job, &give, &jobs);
            thread::Builder::new().name("payments-database".into()).spawn(work).map(drop)
        }
    }
}

fn serve(number: u64, mut job: Job, give: &Sender<Job>, jobs: &Receiver<Job>) {
    loop {
        job();
        idle().push(Idle { number, give: give.clone() });
        job = match jobs.recv_timeout(IDLE_FOR) {
            Ok(next) => next,
            Err(_) if leave(number) => return,
            // Somebody took this thread from the list just now.
            Err(_) => match jobs.recv() {
                Ok(next) => next,
                Err(_) => return,
            },
        };
    }
}

/// Takes a thread from the list; `false` if it is not there any more.
fn leave(number: u64) -> bool {
    let mut idle = idle();
    let before = idle.len();
    idle.retain(|thread| thread.number != number);
    idle.len() < before
}

fn idle() -> MutexGuard<'static, Vec<Idle>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_used_again_and_a_panic_ends_only_its_call() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let first = run(|| thread::current().id()).await;
            let panicked: Option<()> = run(|| panic!("as the test says")).await;
            assert_eq!(panicked, None);
            assert!(first.is_some() && run(|| Handle::try_current().is_ok()).await == Some(true));
        });
    }

    #[test]
    fn a_runtime_ends_although_a_call_does_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let stuck = || thread::sleep(Duration::from_secs(600));
        let given_up = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(20), run(stuck)).await });
        assert!(given_up.is_err());
        drop(runtime);
    }
}
