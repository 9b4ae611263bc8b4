//! What is measured and traced, by names that are said here alone. Without the features `metrics` and `tracing` nothing
//! here does anything, and not even a clock is asked.

mod metrics;
mod spans;

pub(crate) use metrics::*;
pub use metrics::{METRICS, Metric, MetricKind};
pub(crate) use spans::*;
