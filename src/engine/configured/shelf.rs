//! Values by name, each for a bounded time and in a bounded number.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::domain::{Timestamp, later};

/// A moment by two clocks. Whichever says first that a span is over, it is: the builder's may be set back.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Moment {
    clock: Timestamp,
    real: Instant,
}

impl Moment {
    pub(in crate::engine) fn now(clock: Timestamp) -> Self {
        Self { clock, real: Instant::now() }
    }

    pub(super) fn later(self, span: Duration) -> Self {
        Self { clock: later(self.clock, span), real: self.real + span }
    }

    pub(super) fn is_past(self, now: Self) -> bool {
        now.clock >= self.clock || now.real >= self.real
    }
}

/// Values by name, each for the same span, the oldest first to go.
pub(super) struct Shelf<T> {
    span: Duration,
    most: usize,
    pub(super) values: HashMap<String, (T, Moment, u64)>,
    pub(super) order: VecDeque<(String, u64)>,
    next: u64,
}

impl<T> Shelf<T> {
    pub(super) fn new(span: Duration, most: usize) -> Self {
        Self { span, most, values: HashMap::new(), order: VecDeque::new(), next: 0 }
    }

    pub(super) fn get(&self, name: &str, now: Moment) -> Option<&T> {
        self.values.get(name).filter(|(_, until, _)| !until.is_past(now)).map(|(value, ..)| value)
    }

    /// The names in alphabetical order, so that who takes some of them takes the same ones each time.
    pub(super) fn names(&self, now: Moment) -> Vec<String> {
        let names = self.values.iter().filter(|(_, (_, until, _))| !until.is_past(now));
        let mut names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// Answers what had to go for it.
    pub(super) fn put(&mut self, name: &str, value: T, now: Moment) -> Vec<(String, T)> {
        let mut gone: Vec<(String, T)> = self.remove(name).map(|value| (name.to_owned(), value)).into_iter().collect();
        while self.order.len() >= self.most {
            gone.extend(self.remove_first());
        }
        self.next += 1;
        self.order.push_back((name.to_owned(), self.next));
        self.values.insert(name.to_owned(), (value, now.later(self.span), self.next));
        gone
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<T> {
        self.values.remove(name).map(|(value, ..)| value)
    }

    fn remove_first(&mut self) -> Option<(String, T)> {
        let (name, number) = self.order.pop_front()?;
        let is_same = self.values.get(&name).is_some_and(|(_, _, known)| *known == number);
        is_same.then(|| self.remove(&name).map(|value| (name, value)))?
    }

    /// Removes what is over; answers when the next is.
    pub(super) fn remove_over(&mut self, now: Instant) -> (Vec<(String, T)>, Option<Instant>) {
        let mut gone = Vec::new();
        while let Some((name, number)) = self.order.front() {
            match self.values.get(name) {
                Some((_, until, known)) if known == number && until.real > now => return (gone, Some(until.real)),
                _ => gone.extend(self.remove_first()),
            }
        }
        (gone, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Moment {
        Moment::now(Timestamp::UNIX_EPOCH + time::Duration::seconds(second))
    }

    #[test]
    fn names_are_in_alphabetical_order() {
        let mut shelf = Shelf::new(Duration::from_secs(60), 100);
        let names: Vec<String> = (10..60).map(|number| format!("name-{number}")).collect();
        names.iter().rev().for_each(|name| drop(shelf.put(name, (), at(0))));
        assert_eq!(shelf.names(at(0)), names);
    }

    #[test]
    fn the_oldest_gives_way_and_a_name_that_comes_again_is_new() {
        let mut shelf = Shelf::new(Duration::from_secs(60), 2);
        for (name, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            shelf.put(name, value, at(0));
        }
        assert_eq!(["a", "b", "c"].map(|name| shelf.get(name, at(59)).copied()), [Some(3), None, Some(4)]);
        assert_eq!(shelf.get("a", at(60)), None, "its time is over by the builder's clock");
        assert_eq!(shelf.remove_over(Instant::now() + Duration::from_secs(61)).0.len(), 2);
    }
}
