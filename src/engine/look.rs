//! Reading for pages: from a replica, so that looking costs the primary nothing. All that decides or acts reads from the
//! primary.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use super::replica::{ReadFrom, Replica};
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
        match self.ask_replica(replica, work.clone()).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => replica.note_away(&error),
            // It lacks a migration, or gave the statement up to go on replaying.
            Err(error) if matches!(error.kind(), ErrorKind::Storage | ErrorKind::Conflict) => {
                log::info!("payments: a page read from the primary: {}", loggable(&error.to_string()));
            }
            done => return done,
        }
        self.read(work).await
    }

    /// Reads from the replica, again where the work missed variants.
    async fn ask_replica<T: Send + 'static>(
        self: &Arc<Self>,
        replica: &Replica,
        work: impl FnMut(&mut dyn Tx) -> Result<T, Error> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let (mut tried, mut held) = (BTreeSet::new(), Vec::new());
        loop {
            let (mut work, except) = (work.clone(), tried.clone());
            let (done, missed) = replica.ask(move |tx| Ok(Self::noting(&except, || work(tx)))).await?;
            if missed.is_empty() {
                return done;
            }
            held.extend(self.load_missed(&missed).await);
            tried.extend(missed);
        }
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
