//! How is a gateway made to send an event again?

use super::Payments;
use crate::error::{Error, ErrorKind};

impl Payments {
    /// Has the gateway of this variant send an event again, by the gateway's own id of it. It comes as a signed delivery
    /// like the first time; one that is in the inbox already is a duplicate and is not processed anew. For what was
    /// missed, [`Payments::reconcile`] needs no ids.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant; `Gateway` when the gateway can't, or said no.
    pub async fn resend(&self, variant: &str, event_id: &str) -> Result<(), Error> {
        let unknown = || Error::new(ErrorKind::NotFound, format!("there is no variant {variant:?}"));
        let asked = self.variant(variant).ok_or_else(unknown)?.gateway.resend(event_id).await;
        let message = "the gateway did not send the event again";
        asked.map_err(|error| Error::new(ErrorKind::Gateway, message).with_source(error))
    }
}
