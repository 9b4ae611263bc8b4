//! Medians, percentiles and how they are shown.

use std::time::{Duration, Instant};

pub(crate) use crate::load::{millis, percentile};

/// The figures of several rounds.
#[derive(Default)]
pub(crate) struct Rounds(Vec<f64>);

impl Rounds {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
        self.0.sort_by(f64::total_cmp);
    }

    pub(crate) fn median(&self) -> f64 {
        percentile(&self.0, 0.5)
    }

    /// The median with the least and the greatest.
    pub(crate) fn shown(&self) -> String {
        let (least, most) = (percentile(&self.0, 0.0), percentile(&self.0, 1.0));
        format!("{:.0} ({least:.0} to {most:.0})", self.median())
    }
}

/// Times in milliseconds.
#[derive(Default)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(millis(time));
    }

    /// Adds the time that each run of `every` took, of moments in any order from `start` on.
    pub(crate) fn push_runs(&mut self, start: Instant, mut moments: Vec<Instant>, every: usize) {
        moments.sort();
        let mut before = start;
        for run in moments.chunks_exact(every) {
            let end = run[every - 1];
            self.push(end.saturating_duration_since(before));
            before = end;
        }
    }

    /// The 50th and the 99th percentile, as two cells of a table.
    pub(crate) fn cells(&mut self) -> String {
        self.0.sort_by(f64::total_cmp);
        format!("{:.1} | {:.1}", percentile(&self.0, 0.5), percentile(&self.0, 0.99))
    }
}
