//! The memory of request bodies that are still arriving, bounded in all. When it is full, bodies that have been
//! arriving for long give way to new ones, so that slow senders never shut out a delivery that comes at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long a body may arrive before it has to give way to others. A genuine delivery is here within milliseconds.
const PROMPT: Duration = Duration::from_secs(1);

/// All bodies that are arriving at this process.
pub(crate) struct Arrivals {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: usize,
    next: u64,
    /// By their numbers, so the oldest first.
    arriving: BTreeMap<u64, Place>,
}

struct Place {
    held: usize,
    since: Instant,
    ousted: Arc<Notify>,
}

/// One body that is arriving. Its bytes are given back when this is dropped.
pub(crate) struct Arrival {
    all: Arc<Arrivals>,
    number: u64,
    ousted: Arc<Notify>,
}

impl Arrivals {
    /// Bodies of so many bytes in all.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, state: Mutex::default() })
    }

    /// Begins a body, which holds nothing yet.
    pub(crate) fn begin(self: &Arc<Self>) -> Arrival {
        let ousted = Arc::<Notify>::default();
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.arriving.insert(number, Place { held: 0, since: Instant::now(), ousted: ousted.clone() });
        Arrival { all: self.clone(), number, ousted }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Makes room for `bytes` at the expense of bodies that are slow, the oldest first.
    fn oust(&mut self, bytes: usize, limit: usize, but: u64) -> bool {
        while self.held + bytes > limit {
            let slow = self.arriving.iter().find(|(number, place)| **number != but && place.held > 0);
            let Some((&number, _)) = slow.filter(|(_, place)| place.since.elapsed() > PROMPT) else { return false };
            if let Some(place) = self.arriving.remove(&number) {
                self.held -= place.held;
                place.ousted.notify_one();
            }
        }
        true
    }
}

impl Arrival {
    /// Takes room for more bytes; `false` when there is none, or when this body had to give way.
    pub(crate) fn grow(&self, bytes: usize) -> bool {
        let mut state = self.all.state();
        if !state.arriving.contains_key(&self.number) || !state.oust(bytes, self.all.limit, self.number) {
            return false;
        }
        state.held += bytes;
        if let Some(place) = state.arriving.get_mut(&self.number) {
            place.held += bytes;
        }
        true
    }

    /// Waits until this body has to give way.
    pub(crate) async fn ousted(&self) {
        self.ousted.notified().await;
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut state = self.all.state();
        if let Some(place) = state.arriving.remove(&self.number) {
            state.held -= place.held;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_never_exceeds_the_limit_and_is_given_back() {
        let all = Arrivals::new(100);
        let (one, two) = (all.begin(), all.begin());
        assert!(one.grow(60) && two.grow(40));
        assert!(!two.grow(1), "both came just now, so neither gives way");
        drop(one);
        assert!(two.grow(60));
        assert_eq!(all.state().held, 100);
    }

    #[test]
    fn a_slow_body_gives_way_to_a_prompt_one() {
        let all = Arrivals::new(100);
        let (slow, prompt) = (all.begin(), all.begin());
        assert!(slow.grow(90));
        all.state().arriving.get_mut(&0).expect("it arrives").since -= PROMPT * 2;
        assert!(prompt.grow(50));
        assert!(!slow.grow(1), "it had to give way");
        drop(slow);
        assert_eq!(all.state().held, 50);
    }
}
