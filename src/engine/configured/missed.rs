//! Which variants a piece of database work looked for and did not find loaded. Such work waits for nothing, so whoever
//! runs it loads them afterwards and runs it again.

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static MISSED: RefCell<Option<Missed>> = const { RefCell::new(None) };
}

struct Missed {
    /// Those that are known not to be had.
    except: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// Forgets what was missed, however the work ended.
struct Forget;

impl Drop for Forget {
    fn drop(&mut self) {
        MISSED.with_borrow_mut(Option::take);
    }
}

/// Runs this, and answers which variants it missed besides these.
pub(in crate::engine) fn noting<T>(except: BTreeSet<String>, work: impl FnOnce() -> T) -> (T, BTreeSet<String>) {
    MISSED.set(Some(Missed { except, names: BTreeSet::new() }));
    let _forget = Forget;
    let done = work();
    (done, MISSED.with_borrow_mut(|missed| missed.take().map(|missed| missed.names).unwrap_or_default()))
}

/// Notes that this one is not loaded.
pub(in crate::engine) fn miss(name: &str) {
    MISSED.with_borrow_mut(|missed| {
        if let Some(missed) = missed.as_mut().filter(|missed| !missed.except.contains(name)) {
            missed.names.insert(name.to_owned());
        }
    });
}

/// Whether one was missed.
pub(in crate::engine) fn is_one_missed() -> bool {
    MISSED.with_borrow(|missed| missed.as_ref().is_some_and(|missed| !missed.names.is_empty()))
}
