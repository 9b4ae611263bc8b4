//! What was found among all rows, less what is of variants that somebody may not see.

use std::collections::BTreeSet;

use super::view::{AMONG_OTHERS, SEARCH_CAP};
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::scope::Scope;
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::{EventFilter, EventStream, PaymentFilter, PaymentStream, Window};
use crate::store::subscriptions::SubscriptionFilter;

/// How many are looked at together.
const AT_ONCE: usize = 1_000;

/// How many rows a look of a search finds: where some are others', so many that theirs hide none.
pub(crate) fn found_of(scope: &Scope) -> i64 {
    if scope.is_all() { SEARCH_CAP as i64 + 1 } else { AMONG_OTHERS }
}

/// Those of these payments that are in the scope.
pub(crate) fn own_payments(tx: &mut dyn Tx, ids: Vec<PaymentId>, scope: &Scope) -> Result<BTreeSet<PaymentId>, Error> {
    let filter = PaymentFilter { scope: scope.clone(), ..PaymentFilter::default() };
    own(ids, scope, |ids, limit| {
        tx.payment_ids(&PaymentStream::Found(ids), &filter, &Window::whole(limit), false, limit)
    })
}

/// Those of these subscriptions that are in the scope.
pub(crate) fn own_subscriptions(
    tx: &mut dyn Tx,
    ids: Vec<SubscriptionId>,
    scope: &Scope,
) -> Result<BTreeSet<SubscriptionId>, Error> {
    own(ids, scope, |ids, limit| {
        let filter = SubscriptionFilter { scope: scope.clone(), among: Some(ids), ..SubscriptionFilter::default() };
        Ok(tx.list_subscriptions(&filter, None, limit)?.into_iter().map(|row| row.id).collect())
    })
}

/// Those of these events that are in the scope.
pub(crate) fn own_events(tx: &mut dyn Tx, ids: Vec<EventId>, scope: &Scope) -> Result<BTreeSet<EventId>, Error> {
    let filter = EventFilter { scope: scope.clone(), ..EventFilter::default() };
    own(ids, scope, |ids, limit| {
        Ok(tx.event_ids(&[EventStream::Found(ids)], &filter, &Window::whole(limit), limit)?.concat())
    })
}

fn own<Id: Ord + Copy>(
    ids: Vec<Id>,
    scope: &Scope,
    mut keep: impl FnMut(Vec<Id>, i64) -> Result<Vec<Id>, Error>,
) -> Result<BTreeSet<Id>, Error> {
    let ids: BTreeSet<Id> = ids.into_iter().collect();
    if scope.is_all() {
        return Ok(ids);
    }
    let (ids, mut kept) = (Vec::from_iter(ids), BTreeSet::new());
    for some in ids.chunks(AT_ONCE) {
        kept.extend(keep(some.to_vec(), some.len() as i64)?);
    }
    Ok(kept)
}
