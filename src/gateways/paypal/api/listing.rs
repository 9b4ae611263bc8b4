//! Lists PayPal's events (<https://developer.paypal.com/docs/api/webhooks/v1/#webhooks-events_list>), page by page by
//! their time, and has PayPal send an event again.

use std::fmt::Write;

use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::{Api, ApiRequest, answer};
use crate::domain::Timestamp;
use crate::domain::event::Envelope;
use crate::gateways::json::elements;
use crate::gateways::paypal::envelope;
use crate::gateways::{GatewayError, Listing};

/// How many events a page has at most.
const PAGE: usize = 100;

impl Api {
    /// A page of the events since `since` that are no newer than the event `before`. PayPal links to the next page by
    /// an opaque address; the time of the last event leads there as well and is known here.
    pub(in crate::gateways::paypal) async fn list(
        &self,
        since: Timestamp,
        before: Option<&Envelope>,
    ) -> Result<Listing, GatewayError> {
        let mut path = format!("/v1/notifications/webhooks-events?page_size={PAGE}&start_time={}", rfc3339(since)?);
        if let Some(until) = before.and_then(|event| event.occurred_at) {
            let _ = write!(path, "&end_time={}", rfc3339(until)?);
        }
        let answer = self.send(ApiRequest::get(path)).await?;
        let page = answer::read(&answer)?;
        let events = elements(page.raw("events").unwrap_or("[]"));
        let events = events.ok_or_else(|| GatewayError::Malformed("expected `events` to be a list".to_owned()))?;
        let read = |raw: &str| envelope::read(&bytes::Bytes::copy_from_slice(raw.as_bytes()), self.live).ok();
        let mut events: Vec<Envelope> = events.into_iter().filter_map(read).collect();
        // The next page starts at the time of the last event, so an event without a time must not be the last.
        events.sort_by_key(|event| (event.occurred_at.is_some(), std::cmp::Reverse(event.occurred_at)));
        let count = events.len();
        events.retain(|event| before.is_none_or(|before| before.id != event.id));
        let links = page.objects("links", "a link").unwrap_or_default();
        let next = links.iter().any(|link| link.text("rel").ok().flatten().as_deref() == Some("next"));
        Ok(Listing { more: (next || count >= PAGE) && !events.is_empty(), events })
    }

    /// Has PayPal send an event to the webhook again.
    pub(in crate::gateways::paypal) async fn resend(&self, event: &str, webhook: &str) -> Result<(), GatewayError> {
        if !answer::is_plain(event) {
            return Err(GatewayError::Declined(format!("expected the id of a PayPal event, got {event:?}")));
        }
        let path = format!("/v1/notifications/webhooks-events/{event}/resend");
        let body = json!({"webhook_ids": [webhook]}).to_string();
        self.send(ApiRequest { post: true, path, body, request_id: None }).await.map(drop)
    }
}

/// The time with whole milliseconds, as PayPal accepts it.
fn rfc3339(time: Timestamp) -> Result<String, GatewayError> {
    let whole = time.replace_nanosecond(time.millisecond() as u32 * 1_000_000).unwrap_or(time);
    whole.format(&Rfc3339).map_err(|bad| GatewayError::Malformed(bad.to_string()))
}
