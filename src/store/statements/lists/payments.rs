//! How are payments listed? By id or by amount; absorbed ones never.

use diesel::prelude::*;

use super::schema::pay_payments;
use super::stream::{Key, Stream};
use super::{ADDRESS, Condition, Connection, Counted, Reach, Sorted, Wanted, everything, failed};
use crate::domain::id::PaymentId;
use crate::error::Error;
use crate::store::filters::{AmountKey, AmountRange, PaymentFilter, PaymentStream, Span, Window};
use crate::store::rows::PaymentRow;
use pay_payments::dsl as p;

const READING: &str = "listing payments";

pub(super) fn ids(
    conn: &mut Connection,
    of: &PaymentStream,
    rest: &PaymentFilter,
    window: &Window,
    by_amount: bool,
    limit: i64,
) -> Result<Vec<PaymentId>, Error> {
    let same_order = by_amount == (*of == PaymentStream::Amount);
    let wanted = if same_order {
        let stream = stream(of, &window.ids, &window.amounts, window.rising, window.depth);
        Wanted { stream, rest: conditions(of, rest), sorted: None, limit }
    } else {
        // Where the stream begins and ends is then no matter of where the page does.
        let by = if by_amount { Key::Amount(&window.amounts) } else { Key::Id(&window.ids) };
        let stream = stream(of, &window.ids, &window.amounts, false, window.depth);
        Wanted { stream, rest: conditions(of, rest), sorted: Some(Sorted { by, rising: window.rising }), limit }
    };
    wanted.load(conn).map_err(failed(READING))
}

pub(super) fn reach(conn: &mut Connection, of: &PaymentStream, window: &Window) -> Result<Option<PaymentId>, Error> {
    let stream = stream(of, &window.ids, &window.amounts, window.rising, window.depth);
    Reach(vec![stream]).get_result(conn).optional().map_err(failed(READING))
}

pub(super) fn count(conn: &mut Connection, of: &[PaymentStream], cap: i64) -> Result<Vec<i64>, Error> {
    let amounts = Span { above: AmountKey::first(), below: AmountKey::last() };
    let all = everything();
    let streams = of.iter().map(|of| stream(of, &all, &amounts, false, cap)).collect();
    Counted(streams).numbers(conn).map_err(failed("counting payments"))
}

fn stream<'a>(
    of: &'a PaymentStream,
    ids: &'a Span<i64>,
    amounts: &'a Span<AmountKey>,
    rising: bool,
    depth: i64,
) -> Stream<'a> {
    let key = match of {
        PaymentStream::All | PaymentStream::NeedsReview => Key::Id(ids),
        PaymentStream::Status(status) => Key::Word("status", status.as_str(), ids),
        PaymentStream::Variant(variant) => Key::Word("variant", variant, ids),
        PaymentStream::Account(account) => Key::Word("account", account, ids),
        PaymentStream::Customer(address) => Key::Computed(ADDRESS, address, ids),
        PaymentStream::Amount => Key::Amount(amounts),
        PaymentStream::Found(found) => Key::Among(found.iter().map(|id| id.0).collect()),
    };
    let only: &[&str] = match of {
        PaymentStream::Account(_) => &["absorbed_by IS NULL", "account <> ''"],
        PaymentStream::NeedsReview => &["absorbed_by IS NULL", "needs_review"],
        PaymentStream::Customer(_) => &["absorbed_by IS NULL", "customer IS NOT NULL"],
        _ => &["absorbed_by IS NULL"],
    };
    Stream { table: "pay_payments", naming: None, index: None, only, key, rising, depth }
}

/// What the stream does not see to by itself.
fn conditions(of: &PaymentStream, rest: &PaymentFilter) -> Vec<Condition<p::pay_payments>> {
    let mut all: Vec<Condition<p::pay_payments>> = Vec::new();
    // Whatever the stream, so that no way to read a list goes around it.
    all.extend(rest.scope.names().map(|names| Box::new(p::variant.eq_any(names.clone())) as Condition<_>));
    if !rest.statuses.is_empty() && !matches!(of, PaymentStream::Status(_)) {
        all.push(Box::new(p::status.eq_any(rest.statuses.clone())));
    }
    if let Some(variant) = rest.variant.clone().filter(|_| !matches!(of, PaymentStream::Variant(_))) {
        all.push(Box::new(p::variant.eq(variant)));
    }
    if let Some(account) = rest.account.clone().filter(|_| !matches!(of, PaymentStream::Account(_))) {
        all.push(Box::new(p::account.assume_not_null().eq(account)));
    }
    if rest.needs_review && *of != PaymentStream::NeedsReview {
        all.push(Box::new(p::needs_review.eq(true)));
    }
    if let Some(livemode) = rest.livemode {
        all.push(Box::new(p::livemode.assume_not_null().eq(livemode)));
    }
    all.extend(rest.currency.clone().map(|code| Box::new(p::currency.eq(code)) as Condition<_>));
    all.extend(rest.amounts.as_deref().map(in_ranges));
    all.extend(rest.from.map(|at| Box::new(p::created_at.ge(at)) as Condition<_>));
    all.extend(rest.until.map(|at| Box::new(p::created_at.lt(at)) as Condition<_>));
    all
}

fn in_ranges(ranges: &[AmountRange]) -> Condition<p::pay_payments> {
    let none: Condition<p::pay_payments> = Box::new(p::currency.eq(""));
    ranges.iter().fold(none, |others, range| {
        let within = p::amount.ge(range.least).and(p::amount.le(range.most));
        Box::new(others.or(p::currency.eq(range.currency.clone()).and(within)))
    })
}

pub(super) fn rows(conn: &mut Connection, ids: &[PaymentId]) -> Result<Vec<PaymentRow>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    p::pay_payments.filter(p::id.eq_any(ids)).load(conn).map_err(failed(READING))
}

pub(super) fn accounts(conn: &mut Connection, ids: &[PaymentId]) -> Result<Vec<(PaymentId, String)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let named = p::pay_payments.filter(p::id.eq_any(ids).and(p::account.ne("")));
    named.select((p::id, p::account.assume_not_null())).load(conn).map_err(failed(READING))
}

pub(super) fn key(conn: &mut Connection, id: PaymentId) -> Result<Option<AmountKey>, Error> {
    let key = p::pay_payments.find(id).select((p::currency, p::amount)).first(conn).optional();
    let key: Option<(String, i64)> = key.map_err(failed(READING))?;
    Ok(key.map(|(currency, amount)| AmountKey { currency, amount, id: id.0 }))
}

pub(super) fn last(conn: &mut Connection) -> Result<Option<PaymentId>, Error> {
    p::pay_payments.select(diesel::dsl::max(p::id)).get_result(conn).map_err(failed(READING))
}
