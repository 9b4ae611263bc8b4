//! Reading for pages: from a replica, so that looking costs the primary nothing. All that decides or acts reads from the
//! primary.

use std::sync::Arc;

use super::Engine;
use super::replica::ReadFrom;
use crate::error::{Error, ErrorKind, loggable};
use crate::store::Tx;

impl Engine {
    /// Reads for a page: from the replica where there is one and it answers, else from the primary.
    pub(crate) async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnMut(&mut dyn Tx) -> Result<T, Error> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let Some(replica) = self.replica.as_ref().filter(|replica| !replica.is_away()) else {
            return self.read(work).await;
        };
        match replica.ask(work.clone()).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => replica.note_away(&error),
            // It lacks a migration, or gave the statement up to go on replaying.
            Err(error) if matches!(error.kind(), ErrorKind::Storage | ErrorKind::Conflict) => {
                log::info!("payments: a page read from the primary: {}", loggable(&error.to_string()));
            }
            done => return done,
        }
        self.read(work).await
    }

    /// What pages read from, where a replica was configured.
    pub(crate) async fn read_from(self: &Arc<Self>) -> Option<ReadFrom> {
        let replica = self.replica.as_ref()?;
        if replica.is_away() {
            return Some(ReadFrom::Primary);
        }
        // Where the primary is away, the replica still says when it heard of it last.
        let position = self.read(|tx| tx.position()).await.unwrap_or_default();
        match replica.ask(move |tx| tx.behind(position.as_deref())).await {
            Ok(behind) => Some(ReadFrom::Replica(behind)),
            Err(error) => {
                replica.note_away(&error);
                Some(ReadFrom::Primary)
            }
        }
    }
}
