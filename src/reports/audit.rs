//! Who did what? The acts of operators, with what each was done to.

use std::sync::Arc;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::{EventId, PaymentId};
use crate::engine::Engine;
use crate::error::Error;
use crate::reports::browse::{Page, Place, ROWS, page_of};
use crate::store::Tx;
use crate::store::audit::{ActFilter, ActPlace, ActRow};

/// How many events of an act on many are named.
pub(crate) const NAMED: usize = 50;
/// How many acts are asked which kinds there are to filter by.
const OFFERS_OF: i64 = 500;

/// A page of the audit.
pub(crate) struct Acts {
    pub page: Page<ActRow>,
    /// The tokens of the payments, and the kinds of the events, that acts were done to.
    pub tokens: BTreeMap<PaymentId, String>,
    pub kinds: BTreeMap<EventId, String>,
    /// The first events of acts on many: one more than [`NAMED`] where there are more.
    pub on_many: BTreeMap<i64, Vec<EventId>>,
}

impl Engine {
    /// A page of the audit, and the kinds of recent acts in alphabetical order.
    pub(crate) async fn audit(
        self: &Arc<Self>,
        filter: ActFilter,
        place: Option<Place>,
    ) -> Result<(Acts, BTreeSet<String>), Error> {
        self.look(move |tx| Ok((acts(tx, &filter, place, ROWS)?, tx.recent_acts(OFFERS_OF)?.into_iter().collect())))
            .await
    }

    /// A part of the audit, of `size` acts at the most.
    pub(crate) async fn acts(
        self: &Arc<Self>,
        filter: ActFilter,
        place: Option<Place>,
        size: usize,
    ) -> Result<Acts, Error> {
        self.look(move |tx| acts(tx, &filter, place, size)).await
    }

    /// The events of an act on many from this place on, each with its kind where it is still there.
    pub(crate) async fn events_of_act(
        self: &Arc<Self>,
        act: i64,
        from: usize,
        size: usize,
    ) -> Result<Vec<(EventId, Option<String>)>, Error> {
        self.look(move |tx| {
            let ids = tx.events_of_act(act, from as i64, size as i64)?;
            let mut kinds: BTreeMap<EventId, String> =
                tx.events_with(&ids)?.into_iter().map(|event| (event.id, event.kind)).collect();
            Ok(ids.into_iter().map(|id| (id, kinds.remove(&id))).collect())
        })
        .await
    }
}

/// Whether the act was on many events.
pub(crate) fn is_on_many(act: &ActRow) -> bool {
    act.act.ends_with("_many")
}

fn acts(tx: &mut dyn Tx, filter: &ActFilter, place: Option<Place>, size: usize) -> Result<Acts, Error> {
    let from = place.map(|Place { id, back, with }| ActPlace { id, back, with });
    let rows = tx.browse_acts(filter, from, size as i64 + 1)?;
    let of: Vec<PaymentId> = rows.iter().filter_map(|row| row.payment_id).collect();
    let mut on: Vec<EventId> = rows.iter().filter_map(|row| row.event_id).collect();
    let mut on_many: BTreeMap<i64, Vec<EventId>> = BTreeMap::new();
    let many: Vec<i64> = rows.iter().filter(|row| is_on_many(row)).map(|row| row.id).collect();
    for (act, event) in tx.events_acted_on(&many, NAMED as i64 + 1)? {
        on_many.entry(act).or_default().push(event);
        on.push(event);
    }
    Ok(Acts {
        page: page_of(rows, place, size, |row| row.id),
        tokens: tx.tokens_of(&of)?.into_iter().collect(),
        kinds: tx.events_with(&on)?.into_iter().map(|event| (event.id, event.kind)).collect(),
        on_many,
    })
}
