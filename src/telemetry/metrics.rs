//! The metrics: their names, their labels, and one function for each place that measures. Labels are names of the
//! host's and words of this crate's, never what a stranger chose.

use std::time::Duration;
#[cfg(feature = "metrics")]
use std::time::Instant;

use crate::domain::Timestamp;

/// What kind of number a metric is.
///
/// See [`METRICS`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only goes up.
    Counter,
    /// It goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// A metric of this crate, for hosts that describe them or set buckets; see [`METRICS`].
///
/// See [`METRICS`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: MetricKind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says, one sentence.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($const:ident = $name:literal $kind:ident [$($label:literal),*] $help:literal;)+) => {
        $(#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "only its name is used"))]
        const $const: &str = $name;)+

        /// Every metric. With the feature `metrics` they go to the recorder of the `metrics` crate that the host installs.
        ///
        /// ```
        /// use actix_payments::{METRICS, MetricKind};
        ///
        /// let histograms = METRICS.iter().filter(|metric| metric.kind == MetricKind::Histogram);
        /// for metric in histograms {
        ///     println!("{} by {}: {}", metric.name, metric.labels.join(", "), metric.help);
        /// }
        /// # assert!(METRICS.iter().all(|metric| metric.name.starts_with("pay_")));
        /// ```
        pub const METRICS: &[Metric] = &[$(Metric {
            name: $name,
            kind: MetricKind::$kind,
            labels: &[$($label),*],
            help: $help,
        }),+];
    };
}

metrics! {
    DELIVERIES = "pay_deliveries_total" Counter ["variant", "answer"]
        "Deliveries, by what they were answered: stored, duplicate, refused, or try_again (503).";
    REJECTIONS = "pay_rejections_total" Counter ["variant", "cause"]
        "Deliveries that were not stored, by the reason code.";
    EVENTS = "pay_events" Gauge ["state"]
        "Events in the states that are not the end, and discarded ones, counted up to 10,000.";
    OLDEST = "pay_oldest_event_seconds" Gauge ["variant"]
        "For how long the event has been due that has waited longest; 0 when none is due.";
    LAG = "pay_event_lag_seconds" Histogram ["variant"]
        "From when an event happened, by the gateway's clock, until it was received.";
    PROCESSING = "pay_processing_seconds" Histogram ["variant"]
        "From when an event was received until its changes were committed, at its first attempt.";
    HANDLER = "pay_handler_seconds" Histogram ["handler", "outcome"]
        "How long a handler ran, in the transaction or after the commit: ok, error, retry_after or discard.";
    CALL = "pay_gateway_call_seconds" Histogram ["variant", "verb", "outcome"]
        "How long a call to a gateway took: ok, declined, unavailable, unknown, unsupported or malformed.";
    RECONCILED = "pay_reconciled_total" Counter ["variant"]
        "Events that were fetched from a gateway's list because they had not been delivered.";
    WAITING = "pay_inbox_waiting" Gauge []
        "Deliveries of this process that wait for the database.";
    COMMIT = "pay_commit_seconds" Histogram []
        "How long the transaction took that stored deliveries and handlers' results.";
    BATCH = "pay_batch_events" Histogram []
        "How many events a transaction processed.";
    TABLE_ROWS = "pay_table_rows" Gauge ["table"]
        "Rows of a table, an estimate, as a worker measured them last.";
    TABLE_BYTES = "pay_table_bytes" Gauge ["table"]
        "Bytes of a table with its indexes, where the database tells, as a worker measured them last.";
    DATABASE_BYTES = "pay_database_bytes" Gauge []
        "Bytes of the whole database, as a worker measured them last.";
}

/// Whether anything is measured.
pub(crate) const IS_MEASURED: bool = cfg!(feature = "metrics");

/// A clock that runs, where anything is measured.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch {
    #[cfg(feature = "metrics")]
    begun: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            begun: Instant::now(),
        }
    }
}

/// Defines functions that measure, and that do nothing without the feature.
macro_rules! measuring {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $of:ty),*) $body:block)+) => {$(
        $(#[$doc])*
        #[cfg(feature = "metrics")]
        pub(crate) fn $name($($arg: $of),*) $body

        $(#[$doc])*
        #[cfg(not(feature = "metrics"))]
        #[allow(dead_code, reason = "the gauges are read from the database for a recorder alone")]
        #[inline(always)]
        pub(crate) fn $name($(_: $of),*) {}
    )+};
}

measuring! {
    /// A delivery was answered.
    fn delivered(variant: &str, answer: &'static str) {
        ::metrics::counter!(DELIVERIES, "variant" => variant.to_owned(), "answer" => answer).increment(1);
    }

    /// A delivery was not stored.
    fn rejected(variant: &str, cause: &'static str, may_come_again: bool) {
        let answer = if may_come_again { "try_again" } else { "refused" };
        delivered(variant, answer);
        ::metrics::counter!(REJECTIONS, "variant" => variant.to_owned(), "cause" => cause).increment(1);
    }

    /// An event that happened then was received for the first time.
    fn received(variant: &str, occurred_at: Option<Timestamp>, now: Timestamp) {
        if let Some(at) = occurred_at {
            let lag = seconds(Duration::try_from(now - at).unwrap_or_default());
            ::metrics::histogram!(LAG, "variant" => variant.to_owned()).record(lag);
        }
    }

    /// An event's changes were committed at its first attempt.
    fn processed(variant: &str, received_at: Timestamp, now: Timestamp) {
        let took = seconds(Duration::try_from(now - received_at).unwrap_or_default());
        ::metrics::histogram!(PROCESSING, "variant" => variant.to_owned()).record(took);
    }

    /// A handler has run.
    fn handled(handler: &str, outcome: &'static str, watch: Stopwatch) {
        let labels = [("handler", handler.to_owned()), ("outcome", outcome.to_owned())];
        ::metrics::histogram!(HANDLER, &labels).record(seconds(watch.begun.elapsed()));
    }

    /// A gateway was called.
    fn called(variant: &str, verb: &'static str, outcome: &'static str, watch: Stopwatch) {
        let labels = [("variant", variant.to_owned()), ("verb", verb.to_owned()), ("outcome", outcome.to_owned())];
        ::metrics::histogram!(CALL, &labels).record(seconds(watch.begun.elapsed()));
    }

    /// Events had to be fetched.
    fn reconciled(variant: &str, found: usize) {
        ::metrics::counter!(RECONCILED, "variant" => variant.to_owned()).increment(found as u64);
    }

    /// So many deliveries wait.
    fn waiting(deliveries: usize) {
        ::metrics::gauge!(WAITING).set(deliveries as u32);
    }

    /// The writer has written.
    fn committed(watch: Stopwatch) {
        ::metrics::histogram!(COMMIT).record(seconds(watch.begun.elapsed()));
    }

    /// A transaction processed so many events.
    fn batch(events: usize) {
        if events > 0 {
            ::metrics::histogram!(BATCH).record(events as u32);
        }
    }

    /// So many events are in this state.
    fn events(state: &'static str, count: i64) {
        ::metrics::gauge!(EVENTS, "state" => state).set(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// A table, or with an empty name the whole database, has so many rows and bytes.
    fn size(table: &str, rows: Option<i64>, bytes: Option<i64>) {
        if let (Some(rows), false) = (rows, table.is_empty()) {
            ::metrics::gauge!(TABLE_ROWS, "table" => table.to_owned()).set(rows as f64);
        }
        match (bytes, table.is_empty()) {
            (Some(bytes), true) => ::metrics::gauge!(DATABASE_BYTES).set(bytes as f64),
            (Some(bytes), false) => ::metrics::gauge!(TABLE_BYTES, "table" => table.to_owned()).set(bytes as f64),
            (None, _) => {}
        }
    }

    /// The event of this variant that has waited longest has been due for so long.
    fn oldest(variant: &str, due_for: Duration) {
        ::metrics::gauge!(OLDEST, "variant" => variant.to_owned()).set(seconds(due_for));
    }
}

#[cfg(feature = "metrics")]
fn seconds(of: Duration) -> f64 {
    of.as_secs_f64()
}
