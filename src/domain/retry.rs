//! Exponential backoff with jitter. The caller supplies the randomness.
//!
//! See [`Backoff`] for an example.

use std::time::Duration;

/// How often failed work is retried, and after which waits.
///
/// ```
/// use std::time::Duration;
///
/// use actix_payments::domain::retry::Backoff;
///
/// let seconds = Duration::from_secs;
/// let backoff = Backoff::new().attempts(4).first(seconds(10)).longest(seconds(30));
/// let waits = [1, 2, 3, 4].map(|attempt| backoff.after(attempt, 0));
/// assert_eq!(waits, [Some(seconds(10)), Some(seconds(20)), Some(seconds(30)), None]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Backoff {
    /// The number of attempts in all. Default: 12, which together with the other defaults covers an outage of hours.
    pub attempts: u32,
    /// The wait after the first failure. Default: 5 seconds.
    pub first: Duration,
    /// The longest wait. Default: 1 hour.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff {
    /// The defaults.
    pub const fn new() -> Self {
        Self { attempts: 12, first: Duration::from_secs(5), longest: Duration::from_secs(3600) }
    }

    /// How many attempts there are in all.
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The wait after the first failure.
    pub const fn first(mut self, wait: Duration) -> Self {
        self.first = wait;
        self
    }

    /// The longest wait.
    pub const fn longest(mut self, wait: Duration) -> Self {
        self.longest = wait;
        self
    }

    /// The wait after the attempt with this number (from 1); `None` if it was the last. The wait doubles from attempt
    /// to attempt. `jitter` (0 to 255) takes off up to a half, so that work that failed together is not retried
    /// together.
    pub fn after(&self, attempt: u32, jitter: u8) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doublings = attempt.saturating_sub(1).min(31);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        Some(whole - whole / 2 * u32::from(jitter) / 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_end_with_the_last_attempt() {
        let backoff = Backoff { attempts: 4, first: Duration::from_secs(2), longest: Duration::from_secs(5) };
        let waits: Vec<_> = (1..=4).map(|n| backoff.after(n, 0)).collect();
        assert_eq!(waits, [Some(2), Some(4), Some(5), None].map(|s| s.map(Duration::from_secs)));
    }

    #[test]
    fn jitter_takes_at_most_half() {
        let backoff = Backoff::default();
        assert_eq!(backoff.after(1, 255), Some(Duration::from_millis(2500)));
        assert!(backoff.after(60, 0).is_none());
    }
}
