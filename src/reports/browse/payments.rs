//! Which stream serves a list of payments, by age or by amount?

use super::moments;
use super::readable::readable;
use super::scoped::{found_of, own_payments};
use super::view::{
    AMONG_OTHERS, CHOICES, DEPTH, Order, Page, PaymentView, Place, Read, SEARCH_CAP, cut, found, furthest,
    own_or_whole, page_of,
};
use super::words::by_words;
use crate::domain::id::PaymentId;
use crate::domain::money::Currency;
use crate::domain::payment::Status;
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::{AmountKey, AmountRange, PaymentFilter, PaymentStream, Span, Window};
use crate::store::rows::PaymentRow;
use crate::store::words::End;

pub(crate) fn page(
    tx: &mut dyn Tx,
    view: &PaymentView,
    variants: &[String],
    place: Option<Place>,
    size: usize,
) -> Result<Page<PaymentRow>, Error> {
    if view.order.by_amount && !view.filter.scope.is_all() {
        return in_order(tx, view, variants, place, size);
    }
    let view = &measured(tx, view)?;
    let mut window = window(tx, &view.filter)?;
    let known = match place {
        Some(place) => narrowed(tx, &mut window, view, place)?,
        None => true,
    };
    let (lost, place) = (!known, place.filter(|_| known));
    window.rising = view.order.rising != place.is_some_and(|place| place.back);
    let (read, capped) = read(tx, view, variants, window, size + 1)?;
    let page = Page { capped, lost, ..cut(read, place, size) };
    let rows = readable(tx, &page.rows, |row: &PaymentRow| row.id, |tx, ids| tx.payments_of(ids))?;
    Ok(page.with(rows))
}

/// A page by amount of some variants' payments. The index of amounts has everybody's, and where a page of it ends says
/// something of others' amounts: so the newest payments are read by age and put in order here.
fn in_order(
    tx: &mut dyn Tx,
    view: &PaymentView,
    variants: &[String],
    place: Option<Place>,
    size: usize,
) -> Result<Page<PaymentRow>, Error> {
    let by_age = PaymentView { order: Order::default(), ..view.clone() };
    let newest = page(tx, &by_age, variants, None, SEARCH_CAP)?;
    let mut rows = newest.rows;
    rows.sort_by_cached_key(AmountKey::of);
    if view.order.rising == place.is_some_and(|place| place.back) {
        rows.reverse();
    }
    let at = place.and_then(|place| rows.iter().position(|row| row.id.0 == place.id));
    let lost = place.is_some() && at.is_none();
    let skipped = at.zip(place).map_or(0, |(at, place)| at + usize::from(!place.with));
    let rows = rows.into_iter().skip(skipped).take(size + 1).collect();
    let page = page_of(rows, place.filter(|_| !lost), size, |row: &PaymentRow| row.id.0);
    Ok(Page { capped: newest.capped || newest.further.is_some(), lost, ..page })
}

pub(crate) fn newer(
    tx: &mut dyn Tx,
    view: &PaymentView,
    variants: &[String],
    than: i64,
    cap: usize,
) -> Result<usize, Error> {
    let view = PaymentView { order: Order::default(), ..measured(tx, view)? };
    let mut window = window(tx, &view.filter)?;
    window.ids.above = window.ids.above.max(than);
    window.rising = true;
    Ok(read(tx, &view, variants, window, cap)?.0.ids.len())
}

/// A part of the payments of the customer whom the gateway of this variant knows by this id.
pub(crate) fn of_payer(
    tx: &mut dyn Tx,
    payer: (&str, &str),
    place: Option<Place>,
    size: usize,
) -> Result<Page<PaymentRow>, Error> {
    let mut ids = Span { above: 0, below: i64::MAX };
    let end = match place {
        Some(Place { id, back: true, with }) => {
            ids.above = id.saturating_sub(i64::from(with));
            End::Oldest
        }
        Some(Place { id, with, .. }) => {
            ids.below = id.saturating_add(i64::from(with));
            End::Newest
        }
        None => End::Newest,
    };
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let read = Read { ids: tx.payments_of_payer(payer, ids, end, limit)?, stopped: None };
    let page = cut(read, place, size);
    let rows = readable(tx, &page.rows, |row: &PaymentRow| row.id, |tx, ids| tx.payments_of(ids))?;
    Ok(page.with(rows))
}

/// The same view with its amounts in the minor units of the currency chosen, or of each that there is.
fn measured(tx: &mut dyn Tx, view: &PaymentView) -> Result<PaymentView, Error> {
    let mut view = view.clone();
    if view.least.is_none() && view.most.is_none() {
        return Ok(view);
    }
    let codes = match &view.filter.currency {
        Some(code) => vec![code.clone()],
        None => tx.currencies(CHOICES)?,
    };
    let range = |code: &String| {
        let currency = Currency::parse(code).ok()?;
        let least = view.least.map_or(i64::MIN, |number| number.at_least(currency));
        let most = view.most.map_or(i64::MAX, |number| number.at_most(currency));
        Some(AmountRange { currency: code.clone(), least, most })
    };
    view.filter.amounts = Some(codes.iter().filter_map(range).collect());
    Ok(view)
}

/// All that can match by its age, and all that can by its amount.
fn window(tx: &mut dyn Tx, filter: &PaymentFilter) -> Result<Window, Error> {
    let last = if filter.from.is_some() || filter.until.is_some() { tx.last_payment()? } else { None };
    let ids = moments::bounds(filter.from, filter.until, last.map(i64::from), |ids| tx.payment_times(ids))?;
    let mut amounts = Span { above: AmountKey::first(), below: AmountKey::last() };
    if let Some(currency) = &filter.currency {
        amounts.above = AmountKey { currency: currency.clone(), ..amounts.above };
        amounts.below = AmountKey { currency: currency.clone(), ..amounts.below };
    }
    if let Some([range]) = filter.amounts.as_deref() {
        amounts.above = AmountKey { currency: range.currency.clone(), amount: range.least, id: 0 };
        amounts.below = AmountKey { currency: range.currency.clone(), amount: range.most, id: i64::MAX };
    }
    Ok(Window { ids, amounts, rising: false, depth: DEPTH })
}

/// Begins the window at this place; `false` when there is no such place.
fn narrowed(tx: &mut dyn Tx, window: &mut Window, view: &PaymentView, place: Place) -> Result<bool, Error> {
    let order = view.order;
    let rising = order.rising != place.back;
    let reach = if place.with { 1 } else { 0 };
    let id = if rising { place.id.saturating_sub(reach) } else { place.id.saturating_add(reach) };
    if !order.by_amount {
        if rising {
            window.ids.above = window.ids.above.max(id);
        } else {
            window.ids.below = window.ids.below.min(id);
        }
        return Ok(true);
    }
    let seen = view.last_seen.clone().filter(|key| key.id == place.id);
    let Some(key) = seen.map_or_else(|| tx.amount_key(PaymentId(place.id)), |key| Ok(Some(key)))? else {
        return Ok(false);
    };
    let key = AmountKey { id, ..key };
    if rising {
        window.amounts.above = window.amounts.above.clone().max(key);
    } else {
        window.amounts.below = window.amounts.below.clone().min(key);
    }
    Ok(true)
}

fn read(
    tx: &mut dyn Tx,
    view: &PaymentView,
    variants: &[String],
    window: Window,
    limit: usize,
) -> Result<(Read<PaymentId>, bool), Error> {
    let filter = &view.filter;
    let is_by_id = view.search.is_none() && filter.customer.is_none() && !view.order.by_amount;
    let (among, rising) = (filter.scope.among(filter.variant.as_deref()), window.rising);
    Read::among(among, is_by_id, rising, limit, |variant, parts| {
        let variant = variant.or_else(|| filter.variant.clone());
        let view = PaymentView { filter: PaymentFilter { variant, ..filter.clone() }, ..view.clone() };
        let window = Window { depth: window.depth / parts, ..window.clone() };
        read_of_one(tx, &view, variants, window, limit)
    })
}

fn read_of_one(
    tx: &mut dyn Tx,
    PaymentView { filter, search, order, .. }: &PaymentView,
    variants: &[String],
    mut window: Window,
    limit: usize,
) -> Result<(Read<PaymentId>, bool), Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    window.depth = window.depth.max(limit);
    let by_amount = order.by_amount;
    let among = match search {
        Some(text) => {
            let words = by_words(tx, text, &filter.scope)?;
            let sought = filter.scope.sought(filter.variant.as_deref(), variants);
            let text = text.trim_start_matches('#');
            let ids = tx.find_payments(text, false, &sought, found_of(&filter.scope))?;
            let mut ids = own_payments(tx, ids, &filter.scope)?;
            ids.extend(words.payments);
            let (ids, capped) = found(ids.into_iter().collect());
            Some((ids, capped || words.is_more))
        }
        None => None,
    };
    if let Some((ids, capped)) = among {
        let ids = ids.into_iter().filter(|id| window.ids.holds(&id.0)).collect();
        let ids = tx.payment_ids(&PaymentStream::Found(ids), filter, &window, by_amount, limit)?;
        return Ok((Read { ids, stopped: None }, capped));
    }
    let is_own = !filter.scope.is_all() && !by_amount;
    let stream = match (&filter.customer, &filter.variant) {
        (Some(address), _) if is_own => {
            window.depth = AMONG_OTHERS;
            PaymentStream::Customer(address.clone())
        }
        (None, Some(own)) if is_own => own_stream(tx, filter, own, &mut window)?,
        _ => stream(tx, filter, variants, &window, by_amount)?,
    };
    let ids = tx.payment_ids(&stream, filter, &window, by_amount, limit)?;
    let sorted = by_amount != (stream == PaymentStream::Amount);
    let is_short = (ids.len() as i64) < limit && !sorted;
    let stopped = if is_short { tx.payment_reach(&stream, &window)? } else { None };
    Ok((Read { ids, stopped }, false))
}

/// The stream to be read of this variant's payments by age, for somebody who may see some variants' only.
fn own_stream(tx: &mut dyn Tx, filter: &PaymentFilter, own: &str, window: &mut Window) -> Result<PaymentStream, Error> {
    let looked = Window { depth: AMONG_OTHERS, ..window.clone() };
    let ends = |tx: &mut dyn Tx, stream: &PaymentStream| Ok(tx.payment_reach(stream, &looked)?.is_none());
    let (stream, depth) = own_or_whole(tx, by_id(filter), PaymentStream::Variant(own.to_owned()), ends)?;
    window.depth = depth.unwrap_or(window.depth);
    Ok(stream)
}

/// The streams by age of what is asked besides the variant.
fn by_id(filter: &PaymentFilter) -> Vec<PaymentStream> {
    let mut by_id = Vec::from_iter(filter.needs_review.then_some(PaymentStream::NeedsReview));
    // Of several statuses together, nearly all is one.
    let one_status = <[Status; 1]>::try_from(filter.statuses.as_slice());
    by_id.extend(one_status.ok().map(|[status]| PaymentStream::Status(status)));
    by_id.extend(filter.account.clone().map(PaymentStream::Account));
    by_id
}

/// The stream to be read: a short one whole, whatever its order, else the one that comes furthest in the list's.
fn stream(
    tx: &mut dyn Tx,
    filter: &PaymentFilter,
    variants: &[String],
    window: &Window,
    by_amount: bool,
) -> Result<PaymentStream, Error> {
    // Nothing but its index knows a customer's payments, so that it serves whatever else is asked.
    if let Some(address) = &filter.customer {
        return Ok(PaymentStream::Customer(address.clone()));
    }
    let mut by_id = by_id(filter);
    // Where there is but one variant, nearly all is of it.
    let variant = filter.variant.clone().filter(|name| variants != [name.clone()]);
    by_id.extend(variant.map(PaymentStream::Variant));
    let one_currency = filter.currency.is_some() || matches!(filter.amounts.as_deref(), Some([_]));
    let others =
        if by_amount { by_id.clone() } else { one_currency.then_some(PaymentStream::Amount).into_iter().collect() };
    for stream in others {
        if tx.payment_reach(&stream, window)?.is_none() {
            return Ok(stream);
        }
    }
    if by_amount {
        return Ok(PaymentStream::Amount);
    }
    if by_id.is_empty() {
        by_id.push(PaymentStream::All);
    }
    furthest(tx, by_id, window.rising, |tx, stream| tx.payment_reach(stream, window))
}
