//! How often a worker looks for what no event reported.

use std::time::Duration;

/// The chore that prunes old bodies.
pub(crate) const RETENTION: &str = "retention";

/// A worker's periodic tasks: how often missed events are fetched, and when the gateway is asked about payments.
///
/// ```
/// use std::time::Duration;
///
/// use actix_payments::Chores;
///
/// let hour = Duration::from_secs(3600);
/// let chores = Chores::new().compare_every(Some(24 * hour)).refresh_after(None);
/// assert_eq!(chores.reconcile_every, Some(hour / 4));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Chores {
    /// How often the gateway's list of events is compared with the inbox, in addition to every start; `None` means
    /// never. Default 15 minutes.
    pub reconcile_every: Option<Duration>,
    /// At which age a worker asks the gateway about a pending or authorized payment, and how long after the end of its
    /// period it asks about a subscription that has had no event since. It asks about none twice within six hours.
    /// About a subscription that is not certain it asks within two minutes, and at most twice unless a new event comes.
    /// `None` means never. Default 1 hour.
    ///
    /// One case does not depend on this setting: if the answer to a call of the host's or an operator's has nearly the
    /// same time as an event, the gateway is asked once more.
    pub refresh_after: Option<Duration>,
    /// At which age, counted from its creation, an authorized payment is reported on the overview and hourly in the
    /// log, because its authorization will soon expire: at most gateways a card's authorization lasts 7 days. `None`
    /// means never. Default 5 days.
    pub notice_authorized_after: Option<Duration>,
    /// How often payments and subscriptions of the last 90 days, and all open ones, are compared with their gateways;
    /// `None` means never. Differences are shown in the admin and raise an alarm; nothing is repaired. It takes a
    /// request for every hundred objects if the gateway lists them, otherwise one for each, ten a second at most.
    /// Default: never, since the two settings above find nearly every difference.
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
