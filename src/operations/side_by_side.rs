//! Calls to several gateways at once and few to each, so that one that hangs keeps no other waiting.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};

use crate::error::Error;

/// How many calls to one variant run at the same time.
const OF_ONE: usize = 4;

/// A call that was claimed, to its end.
pub(super) type Claimed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs what `claim` finds due for other variants than those that it is given, which have no room; answers how many there
/// were once nothing is due and all have ended. While they run it looks again after `pause`.
pub(super) async fn side_by_side(
    pause: Duration,
    claim: impl AsyncFn(Vec<String>) -> Result<Option<(String, Claimed)>, Error>,
) -> Result<usize, Error> {
    let (mut count, mut running) = (0, JoinSet::new());
    let mut busy: HashMap<Id, String> = HashMap::new();
    loop {
        let mut counts: HashMap<&String, usize> = HashMap::new();
        busy.values().for_each(|name| *counts.entry(name).or_default() += 1);
        let full = counts.into_iter().filter(|(_, count)| *count >= OF_ONE).map(|(name, _)| name.clone());
        match claim(full.collect()).await {
            Ok(Some((variant, call))) => {
                count += 1;
                busy.insert(running.spawn(call).id(), variant);
            }
            // What ends may leave something to do, and something else may become due before.
            Ok(None) => match tokio::time::timeout(pause, running.join_next_with_id()).await {
                Ok(Some(ended)) => free_again(&mut busy, ended),
                Ok(None) => break,
                Err(_) => {}
            },
            Err(error) => {
                while let Some(ended) = running.join_next_with_id().await {
                    free_again(&mut busy, ended);
                }
                return Err(error);
            }
        }
    }
    Ok(count)
}

/// A call has ended, however it did.
fn free_again(busy: &mut HashMap<Id, String>, ended: Result<(Id, ()), JoinError>) {
    let id = match ended {
        Ok((id, ())) => id,
        Err(error) => {
            log::error!("payments: a try of an operation ended early: {error}");
            error.id()
        }
    };
    busy.remove(&id);
}
