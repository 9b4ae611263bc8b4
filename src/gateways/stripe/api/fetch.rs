//! Asks for the object that a thin event names (<https://docs.stripe.com/api/v2/core/events>): by a GET of its address,
//! for a connected account's in the context of that.

use super::Api;
use super::answer::event_of;
use super::form::Form;
use crate::domain::event::Envelope;
use crate::gateways::stripe::thin;
use crate::gateways::{Fetch, GatewayError};

impl Api {
    /// The object as it is now, as an event.
    pub(in crate::gateways::stripe) async fn fetch(&self, fetch: &Fetch) -> Result<Vec<Envelope>, GatewayError> {
        let unknown = || GatewayError::Declined("Stripe has no object of this kind that can be asked for".to_owned());
        let path = thin::address(&fetch.object).ok_or_else(unknown)?;
        let account = fetch.object.account.as_deref();
        let answer = self.in_context(account).get(&path, Form::default()).await?;
        let id = format!("{}-1", fetch.idempotency_key);
        Ok(vec![event_of(id, answer.text()?, answer.answered_at(), account)?])
    }
}
