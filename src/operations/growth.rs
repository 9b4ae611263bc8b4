//! Measuring the tables once a day, so that pages can say how fast they grow without counting anything.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::error::Error;

/// The chore.
const NAME: &str = "growth";
const EVERY: Duration = Duration::from_secs(86_400);
/// For how long what was measured is kept.
const KEPT: Duration = Duration::from_secs(400 * 86_400);

impl Engine {
    /// Measures the tables, if that is due and no other process does.
    pub(crate) async fn measure_tables(self: &Arc<Self>) -> Result<(), Error> {
        if self.claim_chore(NAME.to_owned(), EVERY).await?.is_none() {
            return Ok(());
        }
        let now = self.now();
        let sizes = self.patiently(|engine| engine.store.ask(|tx| tx.sizes())).await;
        let sizes = self.noting_failure(NAME, sizes).await?;
        self.write(move |tx| {
            tx.note_failure(NAME, now, None)?;
            tx.keep_sizes(&sizes, now, now - KEPT)?;
            tx.end_chore(NAME, now, None, "the tables were measured")
        })
        .await
    }
}
