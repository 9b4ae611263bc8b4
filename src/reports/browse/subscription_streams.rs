//! Which stream serves a list of subscriptions.

use super::view::{AMONG_OTHERS, furthest, own_or_whole};
use crate::domain::subscription::SubscriptionStatus;
use crate::error::Error;
use crate::store::Tx;
use crate::store::subscriptions::{SubscriptionFilter, SubscriptionSort, SubscriptionStream, SubscriptionWindow};

/// The stream to be read of this variant's subscriptions by age, for somebody who may see some variants' only.
pub(super) fn own_stream(
    tx: &mut dyn Tx,
    filter: &SubscriptionFilter,
    own: &str,
    window: &mut SubscriptionWindow,
) -> Result<SubscriptionStream, Error> {
    let looked = SubscriptionWindow { depth: AMONG_OTHERS, ..window.clone() };
    let ends = |tx: &mut dyn Tx, stream: &SubscriptionStream| Ok(tx.subscription_reach(stream, &looked)?.is_none());
    let (stream, depth) = own_or_whole(tx, beside(filter), of_variant(filter, own), ends)?;
    window.depth = depth.unwrap_or(window.depth);
    Ok(stream)
}

fn of_variant(filter: &SubscriptionFilter, variant: &str) -> SubscriptionStream {
    match one_status(filter) {
        Some(status) => SubscriptionStream::VariantStatus(variant.to_owned(), status),
        None => SubscriptionStream::Variant(variant.to_owned()),
    }
}

fn one_status(filter: &SubscriptionFilter) -> Option<SubscriptionStatus> {
    <[SubscriptionStatus; 1]>::try_from(filter.statuses.as_slice()).ok().map(|[status]| status)
}

/// The streams by age of what is asked besides the variant and the status.
fn beside(filter: &SubscriptionFilter) -> Vec<SubscriptionStream> {
    let mut by_id = Vec::from_iter(filter.owner.clone().map(SubscriptionStream::Owner));
    by_id.extend(filter.price.clone().map(SubscriptionStream::Price));
    by_id.extend(filter.account.clone().map(SubscriptionStream::Account));
    by_id.extend(filter.ending.map(SubscriptionStream::Ending));
    by_id.extend(filter.livemode.map(SubscriptionStream::Mode));
    by_id
}

/// The stream to be read: of a list by age, the one that comes furthest; of another, a short one whole, or else the one
/// in its order.
pub(super) fn stream(
    tx: &mut dyn Tx,
    filter: &SubscriptionFilter,
    variants: &[String],
    window: &SubscriptionWindow,
) -> Result<SubscriptionStream, Error> {
    let mut by_id = beside(filter);
    // Where there is but one variant, nearly all is of it.
    let variant = filter.variant.as_deref().filter(|name| variants != [(*name).to_owned()]);
    let status = || one_status(filter).map(SubscriptionStream::Status);
    by_id.extend(variant.map(|variant| of_variant(filter, variant)).or_else(status));
    let in_order = match window.sort {
        SubscriptionSort::Id if by_id.is_empty() => return Ok(SubscriptionStream::All),
        SubscriptionSort::Id => {
            return furthest(tx, by_id, window.rising, |tx, stream| tx.subscription_reach(stream, window));
        }
        SubscriptionSort::Renewal => SubscriptionStream::Renewing,
        SubscriptionSort::Due => SubscriptionStream::Due,
    };
    for stream in by_id {
        if tx.subscription_reach(&stream, window)?.is_none() {
            return Ok(stream);
        }
    }
    Ok(in_order)
}
