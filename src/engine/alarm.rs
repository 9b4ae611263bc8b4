//! Alarms: what is reported to a host when something begins that needs attention and when it is over, and the
//! thresholds.

use std::time::Duration;

use super::handler::Run;
use crate::domain::Timestamp;

/// Something that a person should look at: it begins, or it is over. Handed to
/// [`Builder::on_alarm`](crate::Builder::on_alarm).
///
/// See [`Builder::on_alarm`](crate::Builder::on_alarm) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alarm {
    /// Identifies the alarm; the same at its beginning and its end: `overdue`, `no-variant`, `no-handler`, `deadlock`,
    /// `parked`, `authorized`, `review`, `unknown-status`, `operations`, `disputes`, `test-disputes`; with the variant
    /// after a colon `refused`, `sent-away`, `silence`, `missed`, `drift`, `unshown`, `not-shown`, `differing`, as in
    /// `silence:stripe`; with variant and kind `discarded:stripe:charge.refunded`; with the gateway's id of the dispute
    /// `dispute:dp_1`; with the task's name `chore`, as in `chore:reconcile:stripe`; and for checks that can't be done
    /// `look`, as in `look:drift`. `docs/operations.md` explains each.
    pub key: String,
    /// The problem and its likely cause: one sentence, as it was at the beginning.
    pub sentence: String,
    /// The admin page that shows the cause: a path that begins with [`Builder::address`](crate::Builder::address).
    pub link: String,
    /// When it began.
    pub begun_at: Timestamp,
    /// Since when it is over; `None` when it begins.
    pub over_at: Option<Timestamp>,
}

impl Alarm {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.over_at.is_some()
    }
}

/// The host's code that is told of alarms.
pub(crate) type AlarmHook = Box<dyn Fn(Alarm) -> Run + Send + Sync>;

/// When something becomes an alarm, for the overview and for [`Builder::on_alarm`](crate::Builder::on_alarm); for
/// [`Builder::alarm_after`](crate::Builder::alarm_after).
///
/// ```
/// use actix_payments::AlarmThresholds;
/// use std::time::Duration;
///
/// let thresholds = AlarmThresholds::new().silence(Duration::from_secs(6 * 3_600), 10);
/// # let _ = thresholds;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct AlarmThresholds {
    pub(crate) overdue: Duration,
    pub(crate) failing: u32,
    pub(crate) silence: Duration,
    pub(crate) silent_payments: u32,
    pub(crate) refused: Duration,
    pub(crate) parked: Duration,
    pub(crate) operation: Duration,
    pub(crate) chore: Duration,
    pub(crate) calm: Duration,
}

impl Default for AlarmThresholds {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        Self {
            overdue: minutes(5),
            failing: 5,
            silence: minutes(60),
            silent_payments: 3,
            refused: minutes(60),
            parked: minutes(24 * 60),
            operation: minutes(30),
            chore: minutes(30),
            calm: minutes(5),
        }
    }
}

impl AlarmThresholds {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long an event may be due. Default 5 minutes: a worker looks every second, and one that restarts is back by
    /// then.
    pub fn overdue(mut self, after: Duration) -> Self {
        self.overdue = after;
        self
    }

    /// At how many attempts an event may fail. Default 5, which is about a minute: what the first ones meet may be a
    /// deadlock or a service that restarts.
    pub fn failing(mut self, attempts: u32) -> Self {
        self.failing = attempts;
        self
    }

    /// How long a variant may have no delivery after this many payments were created. Default 1 hour after 3 payments:
    /// a customer at a checkout takes minutes, and one or two payments may be abandoned carts.
    pub fn silence(mut self, after: Duration, payments: u32) -> Self {
        self.silence = after;
        self.silent_payments = payments;
        self
    }

    /// For how long a refused delivery is an alarm if good ones came since. Default 1 hour: most gateways resend a
    /// refused delivery within the hour, and if none is refused again, the cause is gone. If no good delivery came
    /// since, it is an alarm for a day.
    pub fn refused(mut self, within: Duration) -> Self {
        self.refused = within;
        self
    }

    /// How long an event may be parked. Default 24 hours: a payment is created before the customer pays, so after a day
    /// none will come.
    pub fn parked(mut self, after: Duration) -> Self {
        self.parked = after;
        self
    }

    /// How long the outcome of a call to a gateway may be unknown. Default 30 minutes: a call that a crash cut off is
    /// retried after 15.
    pub fn operation(mut self, after: Duration) -> Self {
        self.operation = after;
        self
    }

    /// How long a worker's periodic task may keep failing. Default 30 minutes, which is two more tries by
    /// [`Chores::reconcile_every`](crate::Chores::reconcile_every).
    pub fn chore(mut self, after: Duration) -> Self {
        self.chore = after;
        self
    }

    /// How long something must be gone before its end is reported, so that something that comes and goes is one alarm.
    /// Default 5 minutes.
    pub fn calm(mut self, after: Duration) -> Self {
        self.calm = after;
        self
    }

    /// What is wrong with them, if anything is.
    pub(crate) fn check(&self) -> Result<(), String> {
        let spans = [self.overdue, self.silence, self.refused, self.parked, self.operation, self.chore];
        if spans.iter().any(Duration::is_zero) || self.silent_payments == 0 || self.failing == 0 {
            return Err("expected thresholds of alarms above zero, got zero".to_owned());
        }
        let longest = Duration::from_secs(366 * 86_400);
        if spans.iter().chain([&self.calm]).any(|span| *span > longest) || self.silent_payments > 1_000 {
            return Err("expected thresholds of alarms of a year and 1000 payments at the most, got more".to_owned());
        }
        Ok(())
    }
}
