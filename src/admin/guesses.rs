//! How long must an address wait that got a password wrong? Nothing at first, then twice as long each time; what was
//! long ago is forgotten, and so is the oldest where there are too many.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::domain::Timestamp;

/// How many wrong tries cost nothing: everybody mistypes.
const FREE: u32 = 5;
/// The first wait; each further wrong try doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait, so that who mistyped for long is not locked out for ever.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// How long an address is remembered after its last wrong try.
const MEMORY: Duration = Duration::from_secs(60 * 60);
/// How many addresses are remembered.
const ADDRESSES: usize = 4096;

/// The wrong tries of late, by address.
#[derive(Default)]
pub(super) struct Guesses(HashMap<String, Wrong>);

struct Wrong {
    tries: u32,
    last: Timestamp,
}

impl Guesses {
    /// How long this address must still wait before it may try again.
    pub(super) fn wait(&self, address: &str, now: Timestamp) -> Option<Duration> {
        let wrong = self.0.get(address)?;
        let wait = wait_after(wrong.tries)?;
        // A clock that was set back must not make the wait longer than it is.
        let passed = (now - wrong.last).max(time::Duration::ZERO).unsigned_abs();
        wait.checked_sub(passed).filter(|left| !left.is_zero())
    }

    /// Takes note of a wrong try.
    pub(super) fn wrong(&mut self, address: &str, now: Timestamp) {
        if self.0.len() >= ADDRESSES && !self.0.contains_key(address) {
            self.forget(now);
        }
        let wrong = self.0.entry(address.to_owned()).or_insert(Wrong { tries: 0, last: now });
        if (now - wrong.last) > MEMORY {
            wrong.tries = 0;
        }
        wrong.tries = wrong.tries.saturating_add(1);
        wrong.last = now;
    }

    /// Takes note of a right one.
    pub(super) fn right(&mut self, address: &str) {
        self.0.remove(address);
    }

    /// Makes room: what is old goes, or else the oldest.
    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, wrong| (now - wrong.last) <= MEMORY);
        if self.0.len() >= ADDRESSES {
            let oldest = self.0.iter().min_by_key(|(_, wrong)| wrong.last).map(|(address, _)| address.clone());
            oldest.map(|address| self.0.remove(&address));
        }
    }
}

fn wait_after(tries: u32) -> Option<Duration> {
    let doublings = tries.checked_sub(FREE)?;
    Some(FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST))
}

/// What counts as one address: in IPv6 everybody has as many as they like, but in one network of 64 bits.
pub(super) fn neighbourhood(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64)).to_string()
        }
        _ => address.chars().take(64).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_after_the_fifth_wrong_try_and_has_a_limit() {
        let waits: Vec<_> = [4, 5, 6, 7, 13, 14, 1000].map(|n| wait_after(n).map(|wait| wait.as_secs())).into();
        assert_eq!(waits, [None, Some(1), Some(2), Some(4), Some(256), Some(300), Some(300)]);
    }

    #[test]
    fn no_more_than_so_many_addresses_are_remembered() {
        let mut guesses = Guesses::default();
        let at = |second: i64| Timestamp::UNIX_EPOCH + time::Duration::seconds(second);
        for n in 0..(ADDRESSES as i64 + 100) {
            guesses.wrong(&n.to_string(), at(n));
        }
        assert!(guesses.0.len() <= ADDRESSES);
        assert!(guesses.0.contains_key(&(ADDRESSES + 99).to_string()), "the newest stays");
        assert!(!guesses.0.contains_key("0"), "the oldest leaves");
    }

    #[test]
    fn a_network_is_one_address() {
        assert_eq!(neighbourhood("2001:db8::1"), neighbourhood("2001:db8::ffff:2"));
        assert_ne!(neighbourhood("2001:db8::1"), neighbourhood("2001:db8:0:1::1"));
        assert_ne!(neighbourhood("::ffff:192.0.2.1"), neighbourhood("::ffff:192.0.2.2"));
        assert_eq!(neighbourhood("192.0.2.1"), "192.0.2.1");
    }
}
