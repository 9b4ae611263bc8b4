//! How does an operator retire a handler? From then on nothing is owed to it. Of a handler that was renamed the old
//! name is retired, so that builds which know the new one alone need not wait for it.

use std::sync::Arc;

use crate::engine::{Actor, Engine, act};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::audit::NewAct;

impl Engine {
    /// Retires a registered handler, and writes down who asked.
    ///
    /// # Errors
    /// `NotFound` when no such handler is registered, or it is retired already.
    pub(crate) async fn retire_handler(self: &Arc<Self>, name: &str, actor: Actor) -> Result<(), Error> {
        let (now, name) = (self.now(), name.to_owned());
        let work = move |tx: &mut dyn Tx| {
            if !tx.registered()?.iter().any(|handler| handler.name == name) {
                return Err(Error::new(ErrorKind::NotFound, "no such handler is registered"));
            }
            tx.retire(std::slice::from_ref(&name), now)?;
            let detail = Some(name.clone());
            tx.add_act(&NewAct { detail, ..act("retire_handler", &actor, None, None, now) })
        };
        self.write(work).await?;
        self.notify();
        Ok(())
    }
}
