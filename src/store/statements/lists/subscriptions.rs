//! How are subscriptions listed? By id, or by the moment at which they renew or since when they are past due.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::schema::pay_subscriptions;
use super::stream::{Key, Stream};
use super::{Condition, Connection, Reach, Sorted, Wanted, failed};
use crate::domain::Timestamp;
use crate::domain::id::SubscriptionId;
use crate::error::Error;
use crate::store::filters::MomentKey;
use crate::store::subscriptions::{SubscriptionFilter, SubscriptionSort, SubscriptionStream, SubscriptionWindow};
use pay_subscriptions::dsl as s;

const READING: &str = "listing subscriptions";

/// Whose end is decided and to come, and who goes on, in the words of the indexes that have them.
const ENDING: &[&str] = &["ended_at IS NULL", "(cancel_at IS NOT NULL OR cancel_at_period_end)"];
const LASTING: &[&str] = &["ended_at IS NULL", "cancel_at IS NULL", "NOT cancel_at_period_end"];

pub(in super::super) fn ids(
    conn: &mut Connection,
    of: &SubscriptionStream,
    rest: &SubscriptionFilter,
    window: &SubscriptionWindow,
    limit: i64,
) -> Result<Vec<SubscriptionId>, Error> {
    let is_sorted = sort(of) == Some(window.sort);
    let by = match column(window.sort) {
        Some(column) => Key::Moment(column, &window.moments),
        None => Key::Id(&window.ids),
    };
    // Where the stream is of another order, where it begins and ends is no matter of where the page does.
    let sorted = (!is_sorted).then_some(Sorted { by, rising: window.rising });
    let wanted = Wanted { stream: stream(of, window), rest: conditions(of, rest), sorted, limit };
    wanted.load(conn).map_err(failed(READING))
}

pub(in super::super) fn reach(
    conn: &mut Connection,
    of: &SubscriptionStream,
    window: &SubscriptionWindow,
) -> Result<Option<SubscriptionId>, Error> {
    Reach(vec![stream(of, window)]).get_result(conn).optional().map_err(failed(READING))
}

pub(in super::super) fn moment(
    conn: &mut Connection,
    sort: SubscriptionSort,
    id: SubscriptionId,
) -> Result<Option<MomentKey>, Error> {
    let row = s::pay_subscriptions.find(id);
    let at: Option<Option<Timestamp>> = match sort {
        SubscriptionSort::Id => return Ok(None),
        SubscriptionSort::Renewal => row.select(s::period_end).first(conn).optional(),
        SubscriptionSort::Due => row.select(s::due_since).first(conn).optional(),
    }
    .map_err(failed(READING))?;
    Ok(at.flatten().map(|at| MomentKey { at, id: id.0 }))
}

/// The column that a list goes by, if it goes by a moment.
fn column(sort: SubscriptionSort) -> Option<&'static str> {
    match sort {
        SubscriptionSort::Id => None,
        SubscriptionSort::Renewal => Some("period_end"),
        SubscriptionSort::Due => Some("due_since"),
    }
}

/// The order of a stream, if the rows of a list are in it as they are read.
fn sort(of: &SubscriptionStream) -> Option<SubscriptionSort> {
    match of {
        SubscriptionStream::Renewing => Some(SubscriptionSort::Renewal),
        SubscriptionStream::Due => Some(SubscriptionSort::Due),
        SubscriptionStream::Price(_) | SubscriptionStream::Account(_) => None,
        _ => Some(SubscriptionSort::Id),
    }
}

fn stream<'a>(of: &'a SubscriptionStream, window: &'a SubscriptionWindow) -> Stream<'a> {
    let ids = &window.ids;
    let key = match of {
        SubscriptionStream::All | SubscriptionStream::Ending(_) | SubscriptionStream::Mode(_) => Key::Id(ids),
        SubscriptionStream::Status(status) => Key::Word("status", status.as_str(), ids),
        SubscriptionStream::Variant(variant) => Key::Word("variant", variant, ids),
        SubscriptionStream::VariantStatus(variant, status) => {
            Key::Words([("variant", variant.as_str()), ("status", status.as_str())], ids)
        }
        SubscriptionStream::Owner(owner) => Key::Word("owner", owner, ids),
        SubscriptionStream::Price(price) => Key::Word("price", price, ids),
        SubscriptionStream::Account(account) => Key::Word("account", account, ids),
        SubscriptionStream::Found(found) => Key::Among(found.iter().map(|id| id.0).collect()),
        SubscriptionStream::Renewing => Key::Moment("period_end", &window.moments),
        SubscriptionStream::Due => Key::Moment("due_since", &window.moments),
    };
    let only: &[&str] = match of {
        SubscriptionStream::Owner(_) => &["owner IS NOT NULL"],
        SubscriptionStream::Ending(true) => ENDING,
        SubscriptionStream::Ending(false) | SubscriptionStream::Renewing => LASTING,
        SubscriptionStream::Mode(true) => &["livemode"],
        SubscriptionStream::Mode(false) => &["NOT livemode"],
        SubscriptionStream::Due => &["due_since IS NOT NULL"],
        _ => &[],
    };
    let index = match of {
        SubscriptionStream::Ending(true) => Some("pay_subscriptions_ending"),
        SubscriptionStream::Ending(false) => Some("pay_subscriptions_lasting"),
        SubscriptionStream::Mode(true) => Some("pay_subscriptions_real"),
        SubscriptionStream::Mode(false) => Some("pay_subscriptions_test"),
        _ => None,
    };
    let naming = match of {
        SubscriptionStream::Price(_) => Some("pay_subscription_prices"),
        SubscriptionStream::Account(_) => Some("pay_subscription_accounts"),
        _ => None,
    };
    Stream { table: "pay_subscriptions", naming, index, only, key, rising: window.rising, depth: window.depth }
}

/// What the stream does not see to by itself.
pub(in super::super) fn conditions(
    of: &SubscriptionStream,
    rest: &SubscriptionFilter,
) -> Vec<Condition<s::pay_subscriptions>> {
    use SubscriptionStream::{Account, Ending, Owner, Price, Status, Variant, VariantStatus};
    let mut all: Vec<Condition<s::pay_subscriptions>> = Vec::new();
    // Whatever the stream, so that no way to read a list goes around it.
    all.extend(rest.scope.names().map(|names| Box::new(s::variant.eq_any(names.clone())) as Condition<_>));
    if !rest.statuses.is_empty() && !matches!(of, Status(_) | VariantStatus(..)) {
        all.push(Box::new(s::status.eq_any(rest.statuses.clone())));
    }
    if let Some(variant) = rest.variant.clone().filter(|_| !matches!(of, Variant(_) | VariantStatus(..))) {
        all.push(Box::new(s::variant.eq(variant)));
    }
    if let Some(owner) = rest.owner.clone().filter(|_| !matches!(of, Owner(_))) {
        all.push(Box::new(s::owner.assume_not_null().eq(owner)));
    }
    if let Some(price) = rest.price.clone().filter(|_| !matches!(of, Price(_))) {
        // With an offset Postgres looks for each row's, and does not collect all that are sold at the price.
        let sold = "EXISTS (SELECT 1 FROM pay_subscription_prices AS sold WHERE sold.id = pay_subscriptions.id \
                    AND sold.price = ";
        all.push(Box::new(sql::<Bool>(sold).bind::<Text, _>(price).sql(" LIMIT 1 OFFSET 0)")));
    }
    if let Some(account) = rest.account.clone().filter(|_| !matches!(of, Account(_))) {
        let its = "EXISTS (SELECT 1 FROM pay_subscription_accounts AS its WHERE its.id = pay_subscriptions.id \
                   AND its.account = ";
        all.push(Box::new(sql::<Bool>(its).bind::<Text, _>(account).sql(" LIMIT 1 OFFSET 0)")));
    }
    if let Some(ending) = rest.ending.filter(|_| !matches!(of, Ending(_))) {
        all.push(Box::new(sql::<Bool>(&if ending { ENDING } else { LASTING }.join(" AND "))));
    }
    if let Some((from, until)) = rest.renews {
        if *of != SubscriptionStream::Renewing {
            all.push(Box::new(sql::<Bool>(&LASTING.join(" AND "))));
        }
        all.push(Box::new(s::period_end.assume_not_null().ge(from).and(s::period_end.assume_not_null().lt(until))));
    }
    all.extend(rest.due_before.map(|at| Box::new(s::due_since.assume_not_null().lt(at)) as Condition<_>));
    if let Some(livemode) = rest.livemode.filter(|_| !matches!(of, SubscriptionStream::Mode(_))) {
        all.push(Box::new(s::livemode.assume_not_null().eq(livemode)));
    }
    all
}
