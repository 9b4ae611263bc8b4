//! What a host's function said of variants, kept for a bounded time and in a bounded number.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::super::variant::Variant;
use super::shelf::{Moment, Shelf};

/// For how long a name is not asked for again after the function failed: it may be away, and is not to be stormed.
const FAILED_FOR: Duration = Duration::from_secs(5);
/// How many names are remembered that are no variant's, and how many that could not be loaded: anybody can make names up.
const MOST_REFUSED: usize = 1_000;
/// How many of those are passed over that something waits for.
const MOST_LACKING: usize = 10_000;
/// How many names are remembered that were a variant's once, and for how long.
const MOST_SEEN: usize = 20_000;
const SEEN_FOR: Duration = Duration::from_secs(30 * 86_400);
/// For how long a name counts as one that can't be had after something waited for it in vain: it is asked for again all
/// the time meanwhile, and what other processes read of this one is not to change with each question.
const UNSERVED_FOR: Duration = Duration::from_secs(60);

/// For how long a name of which there were no rows is not looked for again. Until then it counts as never seen, so that it
/// needs what is left for such names; one that is loaded meanwhile is seen.
const ROWLESS_FOR: Duration = Duration::from_secs(60);

/// What is remembered of a name.
pub(super) enum Known {
    Variant(Arc<Variant>),
    /// There is no such variant.
    None,
    /// The function failed, or what it gave can't work.
    Failed,
}

/// The memory of a host's function.
pub(super) struct Kept {
    shelves: Mutex<Shelves>,
    /// Wakes the thread that drops what is over.
    changed: SyncSender<()>,
}

struct Shelves {
    variants: Shelf<Arc<Variant>>,
    none: Shelf<()>,
    failed: Shelf<()>,
    /// Those of either kind that something waits for in the database: nobody can make these up.
    lacking: Shelf<()>,
    /// The same ones until they are loaded, or nothing waits for them any more.
    unserved: Shelf<()>,
    /// Those that were a variant's, whatever became of it.
    seen: Shelf<()>,
    /// Those that there were no rows of when that was looked for.
    rowless: Shelf<()>,
    /// What is over or had to go while a call or a transaction still had it.
    leaving: HashMap<String, Weak<Variant>>,
}

impl Kept {
    /// Keeps at most so many variants for this span, and drops each at its end by a thread that ends with this memory.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn new(span: Duration, most: usize) -> std::io::Result<Arc<Self>> {
        let (changed, changes) = sync_channel(1);
        let shelves = Shelves {
            variants: Shelf::new(span, most),
            none: Shelf::new(span, MOST_REFUSED),
            failed: Shelf::new(FAILED_FOR.min(span), MOST_REFUSED),
            lacking: Shelf::new(FAILED_FOR.min(span), MOST_LACKING),
            unserved: Shelf::new(UNSERVED_FOR, MOST_LACKING),
            seen: Shelf::new(SEEN_FOR, MOST_SEEN),
            rowless: Shelf::new(ROWLESS_FOR, MOST_REFUSED),
            leaving: HashMap::new(),
        };
        let kept = Arc::new(Self { shelves: Mutex::new(shelves), changed });
        let weak = Arc::downgrade(&kept);
        let thread = std::thread::Builder::new().name("payments-variants".into());
        thread.spawn(move || drop_in_time(&weak, &changes))?;
        Ok(kept)
    }

    /// What is known of this name.
    pub(super) fn get(&self, name: &str, now: Moment) -> Option<Known> {
        let shelves = self.lock();
        if let Some(variant) = shelves.variants.get(name, now) {
            return Some(Known::Variant(variant.clone()));
        }
        let is_none = shelves.none.get(name, now).map(|()| Known::None);
        is_none.or_else(|| shelves.failed.get(name, now).map(|()| Known::Failed))
    }

    /// The variant that was loaded under this name, also one that is over and that somebody still has: what was begun
    /// with it is finished with it.
    pub(super) fn held(&self, name: &str, now: Moment) -> Option<Arc<Variant>> {
        let shelves = self.lock();
        if let Some(variant) = shelves.variants.get(name, now) {
            return Some(variant.clone());
        }
        // A thread may not have come to drop it yet.
        let over = shelves.variants.values.get(name).map(|(variant, ..)| variant);
        over.filter(|variant| Arc::strong_count(variant) > 1).cloned().or_else(|| shelves.leaving.get(name)?.upgrade())
    }

    pub(super) fn put(&self, name: &str, known: Known, now: Moment) {
        let mut shelves = self.lock();
        shelves.none.remove(name);
        shelves.failed.remove(name);
        shelves.lacking.remove(name);
        let gone = match known {
            Known::Variant(variant) => {
                shelves.see(name, now);
                shelves.unserved.remove(name);
                shelves.variants.put(name, variant, now)
            }
            Known::None => {
                shelves.none.put(name, (), now);
                shelves.variants.remove(name).map(|variant| (name.to_owned(), variant)).into_iter().collect()
            }
            Known::Failed => {
                shelves.failed.put(name, (), now);
                Vec::new()
            }
        };
        shelves.see_off(&gone);
        drop(shelves);
        // A full channel has woken the thread already.
        let _ = self.changed.try_send(());
    }

    /// Notes that this is a variant's name, whether or not it can be had now.
    pub(super) fn see(&self, name: &str, now: Moment) {
        self.lock().see(name, now);
    }

    /// Notes that there are no rows of this name.
    pub(super) fn note_without_rows(&self, name: &str, now: Moment) {
        self.lock().rowless.put(name, (), now);
        let _ = self.changed.try_send(());
    }

    /// Whether there were no rows of this name a moment ago.
    pub(super) fn was_without_rows(&self, name: &str, now: Moment) -> bool {
        self.lock().rowless.get(name, now).is_some()
    }

    /// Whether this was a variant's name.
    pub(super) fn has_seen(&self, name: &str, now: Moment) -> bool {
        self.lock().seen.get(name, now).is_some()
    }

    /// Notes that something waits for this variant, if it is known not to be had.
    pub(super) fn lack(&self, name: &str, now: Moment) {
        let mut shelves = self.lock();
        let is_refused = shelves.none.get(name, now).or(shelves.failed.get(name, now)).is_some();
        if is_refused && shelves.lacking.get(name, now).is_none() {
            shelves.lacking.put(name, (), now);
            shelves.unserved.put(name, (), now);
        }
    }

    /// The names that something waited for lately, and that could not be had since.
    pub(super) fn unserved(&self, now: Moment) -> Vec<String> {
        self.lock().unserved.names(now)
    }

    /// The names that something waits for and that can't be had now.
    pub(super) fn lacking(&self, now: Moment) -> Vec<String> {
        self.lock().lacking.names(now)
    }

    /// Drops what is over; answers when the next is.
    fn drop_over(&self, now: Instant) -> Option<Instant> {
        let mut shelves = self.lock();
        let (gone, next) = shelves.variants.remove_over(now);
        let next_none = shelves.none.remove_over(now).1;
        let next_failed = shelves.failed.remove_over(now).1;
        let next_lacking = shelves.lacking.remove_over(now).1;
        let next_unserved = shelves.unserved.remove_over(now).1;
        let next_rowless = shelves.rowless.remove_over(now).1;
        shelves.see_off(&gone);
        drop(shelves);
        drop(gone);
        [next, next_none, next_failed, next_lacking, next_unserved, next_rowless].into_iter().flatten().min()
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn see(&mut self, name: &str, now: Moment) {
        if self.seen.get(name, now).is_none() {
            self.seen.put(name, (), now);
        }
    }

    /// Remembers those that somebody still has, for as long as that is.
    fn see_off(&mut self, gone: &[(String, Arc<Variant>)]) {
        self.leaving.retain(|_, variant| variant.strong_count() > 0);
        let held = gone.iter().filter(|(_, variant)| Arc::strong_count(variant) > 1);
        self.leaving.extend(held.map(|(name, variant)| (name.clone(), Arc::downgrade(variant))));
    }
}

/// Sleeps until something is over, and drops it. It holds nothing meanwhile, and ends with the memory.
fn drop_in_time(kept: &Weak<Kept>, changes: &Receiver<()>) {
    loop {
        let Some(next) = kept.upgrade().map(|kept| kept.drop_over(Instant::now())) else { return };
        let woken = match next {
            Some(at) => changes.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => changes.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        if woken == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::gateways::dummy::Dummy;

    fn at(second: i64) -> Moment {
        Moment::now(Timestamp::UNIX_EPOCH + time::Duration::seconds(second))
    }

    #[test]
    fn names_that_nobody_has_take_no_more_room_than_is_there_for_them() {
        let kept = Kept::new(Duration::from_secs(60), 10).expect("a thread");
        for number in 0..20_000 {
            let known = if number % 2 == 0 { Known::None } else { Known::Failed };
            kept.put(&format!("name-{number}"), known, at(0));
            kept.note_without_rows(&format!("name-{number}"), at(0));
        }
        let shelves = kept.lock();
        for shelf in [&shelves.none, &shelves.failed, &shelves.rowless] {
            assert_eq!((shelf.values.len(), shelf.order.len()), (MOST_REFUSED, MOST_REFUSED));
        }
    }

    #[test]
    fn a_name_that_cannot_be_had_is_said_to_be_so_between_two_questions_and_until_it_is_loaded() {
        let kept = Kept::new(Duration::from_secs(60), 10).expect("a thread");
        kept.put("anna", Known::Failed, at(0));
        kept.lack("anna", at(0));
        for second in [0, 6, 14] {
            assert_eq!(kept.unserved(at(second)), ["anna"], "{second}");
        }
        assert!(kept.lacking(at(6)).is_empty(), "it may be asked for again");
        kept.put("anna", Known::Failed, at(50));
        kept.lack("anna", at(50));
        assert_eq!(kept.unserved(at(100)), ["anna"]);
        assert!(kept.unserved(at(110)).is_empty(), "nothing waits for it any more");
        kept.put("bert", Known::None, at(120));
        kept.lack("bert", at(120));
        kept.put("bert", Known::Variant(Arc::new(Dummy::new("secret").into())), at(121));
        assert!(kept.unserved(at(121)).is_empty());
    }
}
