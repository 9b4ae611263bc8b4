//! How long must wait who got a password wrong? Nothing at first, then twice as long each time; what was long ago is
//! forgotten, and so is the oldest where there are too many. A right try forgives nothing: it may be another one's.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use crate::domain::Timestamp;

/// How many wrong tries cost nothing: everybody mistypes.
const FREE: u32 = 5;
/// The same for all tries of an account, from wherever they come.
const FREE_FOR_ALL: u32 = 50;
/// The first wait; each further wrong try doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait, so that who mistyped for long is not locked out for ever.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// The same for an account: its owner may come from a new address while others guess.
const LONGEST_FOR_ALL: Duration = Duration::from_secs(60);
/// How long one is remembered after its last wrong try.
const MEMORY: Duration = Duration::from_secs(60 * 60);
/// How many are remembered.
const REMEMBERED: usize = 4096;

/// Whose tries are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Guesser {
    /// All from one address.
    Address(String),
    /// All for one account.
    Account(String),
    /// Those of a browser that has logged in before.
    Device(String),
}

impl fmt::Display for Guesser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "from {address}"),
            Self::Account(_) => f.write_str("for an account"),
            Self::Device(_) => f.write_str("from a browser that has logged in before"),
        }
    }
}

impl Guesser {
    fn wait_after(&self, tries: u32) -> Option<Duration> {
        let (free, longest) = match self {
            Self::Account(_) => (FREE_FOR_ALL, LONGEST_FOR_ALL),
            Self::Address(_) | Self::Device(_) => (FREE, LONGEST),
        };
        let doublings = tries.checked_sub(free)?;
        Some(FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(longest))
    }
}

/// The recent wrong tries.
#[derive(Default)]
pub(super) struct Guesses(HashMap<Guesser, Wrong>);

struct Wrong {
    tries: u32,
    last: Timestamp,
}

impl Guesses {
    /// How long these must still wait before they may try again.
    pub(super) fn wait(&self, guessers: &[Guesser], now: Timestamp) -> Option<Duration> {
        guessers.iter().filter_map(|guesser| self.wait_of(guesser, now)).max()
    }

    fn wait_of(&self, guesser: &Guesser, now: Timestamp) -> Option<Duration> {
        let wrong = self.0.get(guesser)?;
        let wait = guesser.wait_after(wrong.tries)?;
        // A clock that was set back must not make the wait longer than it is.
        let passed = (now - wrong.last).max(time::Duration::ZERO).unsigned_abs();
        wait.checked_sub(passed).filter(|left| !left.is_zero())
    }

    /// Takes note of a wrong try.
    pub(super) fn wrong(&mut self, guesser: &Guesser, now: Timestamp) {
        if self.0.len() >= REMEMBERED && !self.0.contains_key(guesser) {
            self.forget(now);
        }
        let wrong = self.0.entry(guesser.clone()).or_insert(Wrong { tries: 0, last: now });
        if (now - wrong.last) > MEMORY {
            wrong.tries = 0;
        }
        wrong.tries = wrong.tries.saturating_add(1);
        wrong.last = now;
    }

    /// Makes room: what is old goes, or else the oldest.
    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, wrong| (now - wrong.last) <= MEMORY);
        if self.0.len() >= REMEMBERED {
            let oldest = self.0.iter().min_by_key(|(_, wrong)| wrong.last).map(|(guesser, _)| guesser.clone());
            oldest.map(|guesser| self.0.remove(&guesser));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_after_the_fifth_wrong_try_and_has_a_limit() {
        let waits = |who: Guesser| [4, 5, 6, 13, 14, 1000].map(|n| who.wait_after(n).map(|wait| wait.as_secs()));
        let address = waits(Guesser::Address("192.0.2.1".into()));
        assert_eq!(address, [None, Some(1), Some(2), Some(256), Some(300), Some(300)]);
        assert_eq!(waits(Guesser::Account("admin".into())), [None, None, None, None, None, Some(60)]);
    }

    #[test]
    fn no_more_than_so_many_addresses_are_remembered() {
        let mut guesses = Guesses::default();
        let at = |second: i64| Timestamp::UNIX_EPOCH + time::Duration::seconds(second);
        let address = |n: i64| Guesser::Address(n.to_string());
        for n in 0..(REMEMBERED as i64 + 100) {
            guesses.wrong(&address(n), at(n));
        }
        assert!(guesses.0.len() <= REMEMBERED);
        assert!(guesses.0.contains_key(&address(REMEMBERED as i64 + 99)), "the newest stays");
        assert!(!guesses.0.contains_key(&address(0)), "the oldest leaves");
    }
}
