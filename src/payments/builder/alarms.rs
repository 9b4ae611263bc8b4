//! How alarms are reported to the host.

use super::Builder;
use crate::engine::{Alarm, AlarmThresholds, HandlerError};
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// Adds an async function to which a worker reports alarms: once when something begins that needs attention by the
    /// overview, and once when it has been over for 5 minutes. A worker looks for alarms every 30 seconds, once per
    /// database, however many processes there are. Reports are recorded there, so a restart repeats none. If the
    /// function fails, it is retried with [`Builder::backoff`], and then at its longest wait until it succeeds;
    /// [`HandlerError::Discard`] gives this report up. A crash right after a run may repeat it. Give the function to
    /// every process with a worker; a worker without it reports nothing. Default: none.
    ///
    /// ```no_run
    /// use actix_payments::Alarm;
    ///
    /// # fn example<C: actix_payments::HostConnection>(builder: actix_payments::Builder<C>) {
    /// # let builder =
    /// builder.on_alarm(|alarm: Alarm| async move {
    ///     let beginning = if alarm.is_over() { "over" } else { "new" };
    ///     println!("{beginning}: {} https://shop.example{}", alarm.sentence, alarm.link);
    ///     Ok(())
    /// })
    /// # ; drop(builder); }
    /// ```
    pub fn on_alarm<F, R>(mut self, tell: F) -> Self
    where
        F: Fn(Alarm) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        self.on_alarm = Some(Box::new(move |alarm| Box::pin(tell(alarm))));
        self
    }

    /// When something becomes an alarm, on the overview too. Default [`AlarmThresholds::default`].
    pub fn alarm_after(mut self, thresholds: AlarmThresholds) -> Self {
        self.thresholds = thresholds;
        self
    }
}
