//! How a host is told of what a person should look at.

use super::Builder;
use crate::engine::{Alarm, AlarmThresholds, HandlerError};
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// Adds async host code that a worker tells of alarms: once when something begins that the overview shows as to be
    /// looked at, and once when it has been over for 5 minutes. It is looked for every 30 seconds, once per database
    /// however many processes there are, and remembered there, so that a restart tells nothing anew. What fails is tried
    /// again with [`Builder::backoff`], and then at its longest wait for as long as it takes; [`HandlerError::Discard`]
    /// gives this one up. A crash right after it has run may make it run twice. Give it to every process with a worker;
    /// one without it tells nothing. Default: nobody is told.
    pub fn on_alarm<F, R>(mut self, tell: F) -> Self
    where
        F: Fn(Alarm) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        self.on_alarm = Some(Box::new(move |alarm| Box::pin(tell(alarm))));
        self
    }

    /// From when on something is an alarm, on the overview too. Default [`AlarmThresholds::default`].
    pub fn alarm_after(mut self, thresholds: AlarmThresholds) -> Self {
        self.thresholds = thresholds;
        self
    }
}
