//! What the database says of how much waits, for the gauges.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::heartbeat::LOOKED_AT;
use super::loading::AT_RUN_TIME;
use crate::domain::event::EventState;
use crate::error::Error;
use crate::store::filters::EventStream;
use crate::telemetry;

/// How far events of a state are counted.
const COUNTED: i64 = 10_000;

/// How long ago the tables were measured at the most: a worker does once a day.
const MEASURED: Duration = Duration::from_secs(2 * 86_400);

/// The states of which there are few as long as all is well.
const STATES: [EventState; 5] =
    [EventState::Available, EventState::Running, EventState::Retryable, EventState::Parked, EventState::Discarded];

impl Engine {
    /// Sets the gauges.
    pub(crate) async fn measure(self: &Arc<Self>) -> Result<(), Error> {
        let now = self.now();
        let (counts, oldest, sizes) = self
            .read(move |tx| {
                let counts = tx.count_events(&STATES.map(EventStream::State), COUNTED)?;
                let sizes = match tx.measured(now - MEASURED)? {
                    Some((_, last)) => tx.sizes_at(last)?,
                    None => Vec::new(),
                };
                Ok((counts, tx.oldest_due(now, LOOKED_AT)?, sizes))
            })
            .await?;
        for size in sizes {
            telemetry::size(&size.name, size.rows, size.bytes);
        }
        for (state, count) in STATES.iter().zip(counts) {
            telemetry::events(state.as_str(), count);
        }
        let at_run_time = self.has_source().then(|| AT_RUN_TIME.to_owned());
        for name in &self.fixed_names().into_iter().chain(at_run_time).collect::<Vec<_>>() {
            let due = oldest.iter().filter(|(variant, _)| self.label(variant) == name).min_by_key(|(_, at)| *at);
            let due_for = due.and_then(|(_, at)| Duration::try_from(now - *at).ok());
            telemetry::oldest(name, due_for.unwrap_or_default());
        }
        Ok(())
    }
}
