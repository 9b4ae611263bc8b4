//! How long the bodies of events stay.

use std::time::Duration;

use super::handler::matches;

/// How long the bodies and kept header fields of events stay; for
/// [`Builder::retention`](crate::Builder::retention).
///
/// ```
/// use actix_payments::Retention;
/// use std::time::Duration;
///
/// let days = |count: u64| Duration::from_secs(count * 86_400);
/// let retention = Retention::after(days(90)).keep("charge.dispute.*").kind("customer.*", days(14));
/// # let _ = retention;
/// ```
///
/// A body's age counts from the event's arrival or its end, whichever came later. A body is never pruned while its
/// event is neither completed nor ignored (it waits, is parked or was discarded), or while its payment is disputed or
/// needs review. Everything else about an event stays: its row, its facts, what they changed and who did what. An event
/// without its body can't be requeued, and its payment can't be rebuilt.
///
/// On SQLite the file does not shrink, but its free space is reused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Retention {
    age: Option<Duration>,
    kinds: Vec<(String, Option<Duration>)>,
}

impl Retention {
    /// Nothing is pruned. The default.
    pub fn never() -> Self {
        Self::default()
    }

    /// Bodies older than this are pruned, except for kinds with their own rule.
    pub fn after(age: Duration) -> Self {
        Self { age: Some(age), kinds: Vec::new() }
    }

    /// Sets another age for the kinds that match `pattern`: the gateway's own name, or the beginning of one followed by
    /// `*`. If several patterns match, the first one added decides.
    pub fn kind(mut self, pattern: impl Into<String>, age: Duration) -> Self {
        self.kinds.push((pattern.into(), Some(age)));
        self
    }

    /// Kinds that match `pattern` are never pruned; otherwise as [`Retention::kind`].
    pub fn keep(mut self, pattern: impl Into<String>) -> Self {
        self.kinds.push((pattern.into(), None));
        self
    }

    /// How long bodies of this kind stay, if not for good.
    pub(crate) fn of(&self, kind: &str) -> Option<Duration> {
        let named = self.kinds.iter().find(|(pattern, _)| matches(pattern, kind));
        named.map_or(self.age, |(_, age)| *age)
    }

    /// The shortest that any body may stay; `None` when nothing is ever pruned.
    pub(crate) fn shortest(&self) -> Option<Duration> {
        self.kinds.iter().filter_map(|(_, age)| *age).chain(self.age).min()
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.shortest().is_some_and(|age| age < Duration::from_secs(1)) {
            return Err("expected retention of at least a second, got less".to_owned());
        }
        if self.kinds.iter().any(|(pattern, _)| pattern.is_empty()) {
            return Err("expected retention to name a kind, got an empty one".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_that_matches_decides_and_then_the_age_of_all() {
        let seconds = Duration::from_secs;
        let retention = Retention::after(seconds(90)).kind("a.b", seconds(7)).keep("a.*").kind("*c", seconds(3));
        let of = ["a.b", "a.c", "b"].map(|kind| retention.of(kind));
        assert_eq!(of, [Some(seconds(7)), None, Some(seconds(90))]);
        assert_eq!((retention.shortest(), Retention::never().shortest()), (Some(seconds(3)), None));
        assert_eq!(Retention::never().kind("x", seconds(1)).of("y"), None);
    }

    #[test]
    fn what_can_only_be_a_mistake_is_refused() {
        assert!(Retention::never().check().is_ok() && Retention::after(Duration::from_secs(1)).check().is_ok());
        assert!(Retention::after(Duration::ZERO).check().is_err());
        assert!(Retention::never().keep("").check().is_err());
    }
}
