//! Lists Stripe's events of the last thirty days, newest first, a hundred a page: the snapshot events
//! (<https://docs.stripe.com/api/events/list>), and after them the thin ones
//! (<https://docs.stripe.com/api/v2/core/events/list>).

use bytes::Bytes;
use time::format_description::well_known::Rfc3339;

use super::form::Form;
use super::{Api, Response};
use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Malformed};
use crate::gateways::json::{Object, elements, short};
use crate::gateways::stripe::envelope::{self, THIN};
use crate::gateways::stripe::payload::Payload;
use crate::gateways::{GatewayError, Listing};

impl Api {
    /// A page of the events since `since` that are older than the event `before`, of those that the destinations send.
    /// Thin events follow on snapshot events.
    pub(in crate::gateways::stripe) async fn list(
        &self,
        since: Timestamp,
        before: Option<&Envelope>,
        payload: Payload,
    ) -> Result<Listing, GatewayError> {
        if let Some(before) = before.filter(|event| is_thin(event)) {
            return self.list_thin(since, before.occurred_at).await;
        }
        if payload == Payload::Thin {
            return self.list_thin(since, None).await;
        }
        let mut listing = self.list_snapshots(since, before.map(|event| event.id.as_str())).await?;
        if payload == Payload::Both && !listing.more {
            let Listing { events, more } = self.list_thin(since, None).await?;
            listing.events.extend(events);
            listing.more = more;
        }
        Ok(listing)
    }

    async fn list_snapshots(&self, since: Timestamp, before: Option<&str>) -> Result<Listing, GatewayError> {
        let mut query = Form::default();
        query.add("limit", "100");
        query.add("created[gte]", since.unix_timestamp().to_string());
        query.add_optional("starting_after", before);
        page(&self.get("/v1/events", query).await?, |page| page.bool_or_false("has_more"))
    }

    /// Thin events have times in milliseconds, so a page goes on from the last one's, and shows that once more.
    async fn list_thin(&self, since: Timestamp, until: Option<Timestamp>) -> Result<Listing, GatewayError> {
        let text = |at: Timestamp| at.format(&Rfc3339).map_err(|error| GatewayError::Malformed(error.to_string()));
        let mut query = Form::default();
        query.add("limit", "100");
        query.add("created[gte]", text(since)?);
        query.add_optional("created[lte]", until.map(text).transpose()?);
        page(&self.get("/v2/core/events", query).await?, |page| Ok(page.raw("next_page_url").is_some()))
    }
}

fn is_thin(event: &Envelope) -> bool {
    let text = std::str::from_utf8(&event.body).unwrap_or_default();
    Object::read(text, "an event").is_ok_and(|read| short(&read, "object").is_some_and(|object| object == THIN))
}

fn page(answer: &Response, more: impl Fn(&Object<'_>) -> Result<bool, Malformed>) -> Result<Listing, GatewayError> {
    let malformed = |error: Malformed| GatewayError::Malformed(error.to_string());
    let page = Object::read(answer.text()?, "a list of events").map_err(malformed)?;
    let events = elements(page.raw("data").unwrap_or_default()).ok_or_else(|| {
        GatewayError::Malformed("expected `data` of a list of events to be a list of objects".to_owned())
    })?;
    let read = |raw: &str| envelope::read(&Bytes::copy_from_slice(raw.as_bytes())).ok();
    let events: Vec<Envelope> = events.into_iter().filter_map(read).collect();
    Ok(Listing { more: more(&page).map_err(malformed)? && !events.is_empty(), events })
}
