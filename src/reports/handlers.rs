//! Which handlers are owed their runs, and which workers have them?

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::served::Served;
use crate::error::Error;
use crate::store::registry::Registered;

/// The registered handlers.
pub(crate) struct HandlerList {
    /// Each with the number of workers that have it; `None` where no worker is known.
    pub rows: Vec<(Registered, Option<usize>)>,
    /// Where each worker lacks a handler in the transaction: those.
    pub deadlocked: Vec<String>,
}

impl Engine {
    /// The handlers that are registered and not retired, by name.
    pub(crate) async fn handler_list(self: &Arc<Self>) -> Result<HandlerList, Error> {
        let now = self.now();
        self.look(move |tx| {
            Ok(match Served::read(tx, now)? {
                Some(served) => HandlerList {
                    deadlocked: served.deadlocked(),
                    rows: served
                        .registered()
                        .iter()
                        .map(|it| (it.clone(), Some(served.workers_with(&it.name))))
                        .collect(),
                },
                None => HandlerList {
                    deadlocked: Vec::new(),
                    rows: tx.registered()?.into_iter().map(|it| (it, None)).collect(),
                },
            })
        })
        .await
    }
}
