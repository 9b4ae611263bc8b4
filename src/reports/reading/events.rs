//! Which events are there? Lists for hosts.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::part::Part;
use super::walk::Walk;
use crate::domain::Timestamp;
use crate::domain::event::{EventState, Source};
use crate::domain::id::PaymentId;
use crate::domain::identifier::{Token, VariantName, asked, searchable};
use crate::engine::Engine;
use crate::error::Error;
use crate::reports::browse::{EventView, events_in};
use crate::store::Tx;
use crate::store::rows::EventRow;

/// Which events to list: those that match every condition set.
///
/// See [`Payments::events`](crate::Payments::events) for an example.
#[derive(Debug, Clone, Default)]
#[must_use = "a query is answered by `Payments::events` or `Payments::walk_events`"]
pub struct EventQuery {
    view: EventView,
    part: Part,
}

/// A part of a list of events, newest first.
///
/// See [`Payments::events`](crate::Payments::events) for an example.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct EventList {
    /// The events. There may be fewer than requested before the end of the list, since a call looks at a limited number
    /// of rows.
    pub events: Vec<StoredEvent>,
    /// Where the list continues: pass it to [`EventQuery::after`]. `None` at the end.
    pub next: Option<i64>,
}

/// An event of the inbox, and what became of it.
///
/// See [`Payments::events`](crate::Payments::events) for an example.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct StoredEvent {
    /// The variant that it came through.
    pub variant: VariantName,
    /// The account at the gateway that it names, if any.
    pub account: Option<String>,
    /// The gateway's id of it.
    pub id: String,
    /// The gateway's own name for what happened.
    pub kind: String,
    /// Where it came from.
    pub source: Source,
    /// Its state in the inbox.
    pub state: EventState,
    /// What became of it, a sentence; `None` until it was processed.
    pub outcome: Option<String>,
    /// The token of the payment that it is about, if one is known.
    pub payment: Option<Token>,
    /// When it happened, by the gateway's word.
    #[serde(serialize_with = "crate::domain::serialize_maybe_time")]
    pub occurred_at: Option<Timestamp>,
    /// When it was first received.
    #[serde(serialize_with = "crate::domain::serialize_time")]
    pub received_at: Timestamp,
    /// How often it was delivered.
    pub deliveries: i64,
}

impl EventQuery {
    /// All events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those through this variant. Default: through every one.
    pub fn variant(mut self, variant: impl Into<VariantName>) -> Self {
        self.view.filter.variant = Some(asked(variant.into()));
        self
    }

    /// Those that name this account of the gateway's. Default: of every one.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.view.filter.account = Some(asked(account));
        self
    }

    /// Those of this kind, or whose kind begins so where it ends with `*`: `checkout.*`. Default: of every one.
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.view.filter.kind = Some(asked(kind));
        self
    }

    /// Those in this state. Default: in every one.
    pub fn state(mut self, state: EventState) -> Self {
        self.view.filter.state = Some(state);
        self
    }

    /// Those that were received at this moment or later.
    pub fn received_from(mut self, moment: Timestamp) -> Self {
        self.view.filter.from = Some(moment);
        self
    }

    /// Those that were received before this moment.
    pub fn received_before(mut self, moment: Timestamp) -> Self {
        self.view.filter.until = Some(moment);
        self
    }

    /// Continues a list: the `next` of an earlier part. Default: from the beginning.
    pub fn after(mut self, next: i64) -> Self {
        self.part.after = Some(next);
        self
    }

    /// How many at the most, 1 to 1,000. Default 100.
    pub fn limit(mut self, limit: u32) -> Self {
        self.part.limit(limit);
        self
    }
}

/// The rows as a host sees them.
pub(super) fn stored(tx: &mut dyn Tx, rows: Vec<EventRow>) -> Result<Vec<StoredEvent>, Error> {
    let mut ids: Vec<PaymentId> = rows.iter().filter_map(|row| row.payment_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let tokens: HashMap<PaymentId, String> = tx.tokens_of(&ids)?.into_iter().collect();
    let seen = |row: EventRow| StoredEvent {
        payment: row.payment_id.and_then(|id| tokens.get(&id).map(Token::from)),
        variant: row.variant.into(),
        account: row.account,
        id: row.gateway_event_id,
        kind: row.kind,
        source: row.source,
        state: row.state,
        outcome: row.outcome,
        occurred_at: row.occurred_at,
        received_at: row.received_at,
        deliveries: row.deliveries,
    };
    Ok(rows.into_iter().map(seen).collect())
}

impl Engine {
    /// A part of the events that match.
    pub(crate) async fn list_events(self: &Arc<Self>, query: EventQuery) -> Result<EventList, Error> {
        let EventQuery { view, part } = query;
        let engine = self.clone();
        self.read(move |tx| {
            let variants = view.names(&engine, tx)?;
            let page = events_in(tx, &view, &variants, part.place(), part.size())?.whole()?;
            let next = page.further.map(|place| place.id);
            Ok(EventList { events: stored(tx, page.rows)?, next })
        })
        .await
    }

    /// All events that match, part by part.
    pub(crate) fn walk_events(self: &Arc<Self>, query: EventQuery) -> Walk<StoredEvent> {
        let engine = self.clone();
        Walk::new(query.part.after, move |after| {
            let (engine, query) = (engine.clone(), EventQuery { part: query.part.from(after), ..query.clone() });
            Box::pin(async move { engine.list_events(query).await.map(|list| (list.events, list.next)) })
        })
    }

    /// The event that the gateway of this variant knows by this id, and its body unless that was pruned.
    pub(crate) async fn stored_event(
        self: &Arc<Self>,
        variant: &str,
        id: &str,
    ) -> Result<Option<(StoredEvent, Option<Bytes>)>, Error> {
        if ![variant, id].into_iter().all(searchable) {
            return Ok(None);
        }
        let (variant, id) = (variant.to_owned(), id.to_owned());
        self.read(move |tx| {
            let Some(known) = tx.event_named(&variant, &id)? else { return Ok(None) };
            let body = tx.body(known.id)?.map(|(_, body)| Bytes::from(body));
            Ok(stored(tx, vec![known])?.pop().map(|event| (event, body)))
        })
        .await
    }
}
