//! Lists Stripe's events of the last thirty days (<https://docs.stripe.com/api/events/list>), newest first, a hundred a
//! page.

use bytes::Bytes;

use super::Api;
use super::form::Form;
use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Malformed};
use crate::gateways::json::{Object, elements};
use crate::gateways::stripe::envelope;
use crate::gateways::{GatewayError, Listing};

impl Api {
    /// A page of the events since `since` that are older than the event with the id `before`.
    pub(in crate::gateways::stripe) async fn list(
        &self,
        since: Timestamp,
        before: Option<&str>,
    ) -> Result<Listing, GatewayError> {
        let mut query = Form::default();
        query.add("limit", "100");
        query.add("created[gte]", since.unix_timestamp().to_string());
        query.add_optional("starting_after", before);
        let answer = self.get("/v1/events", query).await?;
        let malformed = |error: Malformed| GatewayError::Malformed(error.to_string());
        let page = Object::read(answer.text()?, "a list of events").map_err(malformed)?;
        let events = elements(page.raw("data").unwrap_or_default()).ok_or_else(|| {
            GatewayError::Malformed("expected `data` of a list of events to be a list of objects".to_owned())
        })?;
        let read = |raw: &str| envelope::read(&Bytes::copy_from_slice(raw.as_bytes())).ok();
        let events: Vec<Envelope> = events.into_iter().filter_map(read).collect();
        Ok(Listing { more: page.bool_or_false("has_more").map_err(malformed)? && !events.is_empty(), events })
    }
}
