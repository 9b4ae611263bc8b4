//! Who did what? The acts of operators, with what each was done to.

use std::sync::Arc;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::scope::Scope;
use crate::engine::Engine;
use crate::error::Error;
use crate::reports::browse::{DEPTH, Page, Place, ROWS, part_of};
use crate::store::Tx;
use crate::store::audit::{ActFilter, ActPlace, ActRow, OnVariants};
use crate::store::subscriptions::SubscriptionFilter;

/// How many events of an act on many are named.
const NAMED: usize = 50;
/// Among how many events of an act on many those are looked for that somebody may see, from the first of them on.
const PLACES: i64 = 1_000;
/// How many acts are asked which kinds there are to filter by.
const OFFERS_OF: i64 = 500;

/// A page of the audit.
pub(crate) struct Acts {
    pub page: Page<ActRow>,
    /// The tokens of the payments, and the kinds of the events, that acts were done to.
    pub tokens: BTreeMap<PaymentId, String>,
    pub kinds: BTreeMap<EventId, String>,
    /// The first events of acts on many, [`NAMED`] at the most, and whether there are more.
    pub on_many: BTreeMap<i64, (Vec<EventId>, bool)>,
}

impl Engine {
    /// A page of the audit, and the kinds of recent acts in alphabetical order.
    pub(crate) async fn audit(
        self: &Arc<Self>,
        filter: ActFilter,
        place: Option<Place>,
    ) -> Result<(Acts, BTreeSet<String>), Error> {
        self.look(move |tx| {
            let found = acts(tx, &filter, place, ROWS)?;
            let kinds = if filter.scope.is_all() {
                tx.recent_acts(OFFERS_OF)?
            } else {
                found.page.rows.iter().map(|row| row.act.clone()).collect()
            };
            Ok((found, kinds.into_iter().collect()))
        })
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

    /// The events of an act on many from this place on, each with its kind where it is still there, and how many were
    /// looked at for those of a scope.
    pub(crate) async fn events_of_act(
        self: &Arc<Self>,
        act: i64,
        from: usize,
        size: usize,
        scope: Scope,
    ) -> Result<(Vec<(EventId, Option<String>)>, usize), Error> {
        self.look(move |tx| {
            let ids = tx.events_of_act(act, from as i64, size as i64)?;
            let (mut kinds, read) = (kinds_of(tx, &ids, &scope)?, ids.len());
            let shown = ids.into_iter().filter(|id| scope.is_all() || kinds.contains_key(id)).collect::<Vec<_>>();
            Ok((shown.into_iter().map(|id| (id, kinds.remove(&id))).collect(), read))
        })
        .await
    }
}

/// Whether the act was on many events.
pub(crate) fn is_on_many(act: &ActRow) -> bool {
    act.act.ends_with("_many")
}

fn acts(tx: &mut dyn Tx, filter: &ActFilter, place: Option<Place>, size: usize) -> Result<Acts, Error> {
    let (from, scope) = (place.map(|Place { id, back, with }| ActPlace { id, back, with }), &filter.scope);
    // Of some variants' acts no index has the order: so many are looked at, and others' left out.
    let limit = if scope.is_all() { size as i64 + 1 } else { DEPTH.max(size as i64 + 1) };
    let mut rows = tx.browse_acts(filter, from, limit)?;
    let end = rows.last().map(|row| row.id).filter(|_| !scope.is_all() && rows.len() as i64 == limit);
    let own = keep(tx, &mut rows, scope)?;
    let stopped = end.filter(|_| rows.len() <= size);
    rows.truncate(size + 1);
    let of: Vec<PaymentId> = rows.iter().filter_map(|row| row.payment_id).collect();
    let mut on: Vec<EventId> = rows.iter().filter_map(|row| row.event_id).collect();
    let mut on_many: BTreeMap<i64, (Vec<EventId>, bool)> = BTreeMap::new();
    let many: Vec<i64> = rows.iter().filter(|row| is_on_many(row)).map(|row| row.id).collect();
    match scope.names() {
        None => {
            for (act, event) in tx.events_acted_on(&many, NAMED as i64 + 1)? {
                let (events, is_more) = on_many.entry(act).or_default();
                *is_more = events.len() == NAMED;
                events.extend((!*is_more).then_some(event));
            }
        }
        Some(names) => {
            let names: Vec<String> = names.iter().cloned().collect();
            for row in rows.iter_mut() {
                let Some(OnVariants { first, events }) = own.get(&row.id).copied() else { continue };
                let named = tx.own_events_of_act(row.id, &names, first..first + PLACES, NAMED as i64)?;
                let is_more = (named.len() as i64) < events;
                on_many.insert(row.id, (named, is_more));
                row.detail = Some(if events == 1 { "1 event".to_owned() } else { format!("{events} events") });
            }
        }
    }
    on.extend(on_many.values().flat_map(|(events, _)| events));
    let kinds = kinds_of(tx, &on, scope)?;
    Ok(Acts {
        page: part_of(rows, place, size, stopped, |row| row.id),
        tokens: tx.tokens_of(&of)?.into_iter().collect(),
        kinds,
        on_many,
    })
}

/// The kinds of these events, as far as they may be seen.
fn kinds_of(tx: &mut dyn Tx, ids: &[EventId], scope: &Scope) -> Result<BTreeMap<EventId, String>, Error> {
    let events = tx.events_with(ids)?.into_iter().filter(|event| scope.allows(&event.variant));
    Ok(events.map(|event| (event.id, event.kind)).collect())
}

/// Keeps those acts that were done to something that may be seen, and answers what those on many were done to of that. What
/// was done to others is not said.
pub(super) fn keep(tx: &mut dyn Tx, rows: &mut Vec<ActRow>, scope: &Scope) -> Result<BTreeMap<i64, OnVariants>, Error> {
    let Some(names) = scope.names() else { return Ok(BTreeMap::new()) };
    let payments: Vec<PaymentId> = rows.iter().filter_map(|row| row.payment_id).collect();
    let events: Vec<EventId> = rows.iter().filter_map(|row| row.event_id).collect();
    let subscriptions: Vec<SubscriptionId> = rows.iter().filter_map(|row| row.subscription_id).collect();
    let many: Vec<i64> = rows.iter().filter(|row| is_on_many(row)).map(|row| row.id).collect();
    let many = tx.acts_on_variants(&many, &names.iter().cloned().collect::<Vec<_>>())?;
    let mut payments = tx.payments_of(&payments)?;
    payments.retain(|row| scope.allows(&row.variant));
    let events = kinds_of(tx, &events, scope)?;
    let limit = subscriptions.len() as i64;
    let filter =
        SubscriptionFilter { scope: scope.clone(), among: Some(subscriptions), ..SubscriptionFilter::default() };
    let subscriptions = if limit > 0 { tx.list_subscriptions(&filter, None, limit)? } else { Vec::new() };
    rows.retain(|row| {
        row.variant.as_ref().is_some_and(|name| scope.allows(name))
            || row.payment_id.is_some_and(|id| payments.iter().any(|payment| payment.id == id))
            || row.event_id.is_some_and(|id| events.contains_key(&id))
            || row.subscription_id.is_some_and(|id| subscriptions.iter().any(|one| one.id == id))
            || many.contains_key(&row.id)
    });
    rows.iter_mut().filter(|row| is_on_many(row)).for_each(|row| row.detail = None);
    Ok(many)
}
