//! How often a worker looks after what no event told.

use std::time::Duration;

/// The chore that prunes old bodies.
pub(crate) const RETENTION: &str = "retention";

/// How often what was missed is fetched, and when payments are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Chores {
    /// How often the gateway's list of events is compared with the inbox, besides at every start; `None` is never.
    /// Default 15 minutes.
    pub reconcile_every: Option<Duration>,
    /// From which age on a pending or authorized payment is asked about, and how long after the end of its period a
    /// subscription of which nothing was heard; none is asked about twice within six hours. A subscription that is not
    /// certain is asked about within two minutes, and twice at the most unless something new is heard. `None` is never.
    /// Default 1 hour.
    ///
    /// What the host or an operator asks a gateway is no chore: where its answer and an event are of nearly the same
    /// time, it is asked once more whatever is set here.
    pub refresh_after: Option<Duration>,
    /// From which age on, counted from its creation, an authorized payment is told of, in the overview and hourly in
    /// the log, because its authorization is about to end: at most gateways a card's stands for 7 days. `None` is
    /// never. Default 5 days.
    pub notice_authorized_after: Option<Duration>,
    /// How often payments and subscriptions are compared with their gateways, those of the last 90 days and what is
    /// open; `None` is never. What differs is shown in the admin and is an alarm; nothing is repaired. It takes a request
    /// for every hundred objects where the gateway lists them, else one for each, ten a second at the most. Default:
    /// never, since the events that are fetched and the questions about stale payments find nearly all of it.
    pub compare_every: Option<Duration>,
}

impl Default for Chores {
    fn default() -> Self {
        Self::new()
    }
}

const fn minutes(count: u64) -> Option<Duration> {
    Some(Duration::from_secs(count * 60))
}

impl Chores {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            reconcile_every: minutes(15),
            refresh_after: minutes(60),
            notice_authorized_after: minutes(5 * 24 * 60),
            compare_every: None,
        }
    }

    /// Sets [`Chores::reconcile_every`].
    pub const fn reconcile_every(mut self, span: Option<Duration>) -> Self {
        self.reconcile_every = span;
        self
    }

    /// Sets [`Chores::refresh_after`].
    pub const fn refresh_after(mut self, age: Option<Duration>) -> Self {
        self.refresh_after = age;
        self
    }

    /// Sets [`Chores::notice_authorized_after`].
    pub const fn notice_authorized_after(mut self, age: Option<Duration>) -> Self {
        self.notice_authorized_after = age;
        self
    }

    /// Sets [`Chores::compare_every`].
    pub const fn compare_every(mut self, span: Option<Duration>) -> Self {
        self.compare_every = span;
        self
    }
}

/// The name of the chore that compares a variant's list of events with the inbox.
pub(crate) fn reconcile_chore(variant: &str) -> String {
    format!("reconcile:{variant}")
}

/// The variant that a chore is of, by its name; `None` for one of them all.
pub(crate) fn variant_of_chore(name: &str) -> Option<&str> {
    name.split_once(':')
        .filter(|(kind, _)| !matches!(*kind, "words" | "groups" | "sums" | "erasure"))
        .map(|(_, variant)| variant)
}
