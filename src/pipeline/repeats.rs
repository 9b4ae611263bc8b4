//! A delivery whose event is in the inbox already: does it say the same? The first body is kept, whatever comes later
//! under its id; that another one came is noted with the event.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::Level;
use sha2::{Digest, Sha256};

use crate::domain::hex::hex;
use crate::domain::id::EventId;
use crate::engine::Engine;
use crate::error::{Error, repeated};

/// How long a delivery waits for that. It is stored already, so that its answer does not depend on it.
const PATIENCE: Duration = Duration::from_secs(2);

impl Engine {
    /// Compares these bodies with those that came first. A comparison that fails is reported and comes to nothing else.
    pub(super) async fn compare_repeated(self: &Arc<Self>, variant: &str, repeated: Vec<(EventId, Bytes)>) {
        for (event, body) in repeated {
            match tokio::time::timeout(PATIENCE, self.note_difference(variant, event, body)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => error.report("a repeated delivery could not be compared with the first"),
                Err(_) => log::debug!("payments: a repeated delivery was not compared with the first in time"),
            }
        }
    }

    async fn note_difference(self: &Arc<Self>, variant: &str, event: EventId, body: Bytes) -> Result<(), Error> {
        let first = self.read(move |tx| tx.body(event)).await?;
        let Some(((_, first), variant)) = first.zip(self.load(variant).await?) else { return Ok(()) };
        let said = |body| variant.gateway.unchanging(body).into_owned();
        if first == body[..] || said(&first) == said(&body) {
            return Ok(());
        }
        let line = format_args!("a delivery bears the id of event {event} and another body; the first is kept");
        repeated::log(Level::Warn, &format!("differing {event}"), line);
        let (hash, now) = (hash(&body), self.now());
        self.write(move |tx| tx.note_differing(event, &hash, now)).await
    }
}

fn hash(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}
