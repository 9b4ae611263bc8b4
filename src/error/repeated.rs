//! Logs what keeps happening: at once when it is new, and then with growing pauses, with how often it came meanwhile.
//! A database that is away fails every delivery and every look for work; the log needs to say so once.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::Level;

/// The first pause; each is twice as long as the one before.
const FIRST: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// How many different messages are remembered.
const MESSAGES: usize = 64;

static SAID: LazyLock<Mutex<Said>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Said(HashMap<String, Last>);

struct Last {
    /// No sooner than this is it logged again.
    next: Instant,
    pause: Duration,
    left_out: u32,
}

/// Logs a line. `key` is what makes two of them the same: of an error that many run into, its own words.
pub(crate) fn log(level: Level, key: &str, line: impl std::fmt::Display) {
    let due = SAID.lock().unwrap_or_else(PoisonError::into_inner).due(key, Instant::now());
    match due {
        None => {}
        Some(0) => log::log!(level, "payments: {line}"),
        Some(more) => log::log!(level, "payments: {line} (and {more} more of this since the last line)"),
    }
}

impl Said {
    /// How many lines were left out before this one, if it is to be logged.
    fn due(&mut self, key: &str, now: Instant) -> Option<u32> {
        if self.0.len() >= MESSAGES && !self.0.contains_key(key) {
            self.0.retain(|_, last| last.next + last.pause > now);
            if self.0.len() >= MESSAGES {
                self.0.clear();
            }
        }
        let Some(last) = self.0.get_mut(key) else {
            self.0.insert(key.to_owned(), Last { next: now + FIRST, pause: FIRST, left_out: 0 });
            return Some(0);
        };
        if now < last.next {
            last.left_out = last.left_out.saturating_add(1);
            return None;
        }
        // What has not come for long is new again.
        let is_over = now > last.next + last.pause;
        last.pause = if is_over { FIRST } else { (last.pause * 2).min(LONGEST) };
        last.next = now + last.pause;
        Some(std::mem::take(&mut last.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_at_once_and_the_others_with_growing_pauses() {
        let (mut said, begin) = (Said::default(), Instant::now());
        let lines: Vec<(u64, u32)> = (0..400)
            .filter_map(|tick| Some((tick / 4, said.due("gone", begin + Duration::from_millis(tick * 250))?)))
            .collect();
        assert_eq!(lines, [(0, 0), (5, 19), (15, 39), (35, 79), (75, 159)]);
        assert_eq!(said.due("another", begin), Some(0));
        assert_eq!(said.due("gone", begin + Duration::from_secs(1_000)), Some(99), "it had ended");
    }

    #[test]
    fn no_more_than_so_many_messages_are_remembered() {
        let (mut said, now) = (Said::default(), Instant::now());
        (0..1_000).for_each(|number| assert_eq!(said.due(&number.to_string(), now), Some(0)));
        assert!(said.0.len() <= MESSAGES);
    }
}
