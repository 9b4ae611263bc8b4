//! An event that the gateway is asked to send again.

use std::sync::Arc;

use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::operations::observed::observed;

/// Has the gateway of this variant send an event again, by the gateway's own id of it.
pub(crate) async fn resend(engine: &Arc<Engine>, variant: &str, event_id: &str) -> Result<(), Error> {
    let gateway = &engine.known_variant(variant).await?.gateway;
    let resent = observed(engine, variant, "resend", gateway.resend(event_id)).await;
    let message = "the gateway did not send the event again";
    resent.map_err(|error| Error::new(ErrorKind::Gateway, message).with_source(error))
}
