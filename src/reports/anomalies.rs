//! Everything that a person should look at. Each rule reads little, and its threshold has its reason at
//! [`AlarmThresholds`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::anomaly::Anomaly;
use super::refusals::{heard, missed, refused, sent_away};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::domain::money::{Currency, Money};
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::heartbeat::LOOKED_AT;
use crate::engine::served::Served;
use crate::engine::tally::hour;
use crate::engine::{AlarmThresholds, Engine};
use crate::error::Error;
use crate::reports::browse::COUNT_CAP;
use crate::store::Tx;
use crate::store::alarms::{GivenUp, OpenDispute};
use crate::store::filters::{EventStream, PaymentStream};
use crate::store::rows::{EventRow, Sum};

/// How long the overview's tiles look back, and these rules with them.
const LATELY: time::Duration = time::Duration::hours(24);
/// How long a gateway may take to show what events name: the first tries come within minutes.
const UNSHOWN: time::Duration = time::Duration::minutes(15);
/// How many discarded events are looked at, and how many kinds of them are told one by one.
const GIVEN_UP: i64 = 200;
const KINDS: usize = 20;
/// How many disputes are told one by one.
const DISPUTES: usize = 99;

/// What is the matter now, for who needs no more of the overview than that.
pub(crate) fn anomalies_now(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let end = hour(engine.now()) + time::Duration::hours(1);
    let sums = tx.sums(end - LATELY, end)?;
    let last = engine.variants.keys().map(|name| Ok((name.clone(), tx.last_event_of(name)?)));
    let last = last.collect::<Result<Vec<_>, Error>>()?;
    find(engine, tx, &sums, &last)
}

/// Everything, the most urgent first: `sums` are those of the last day, `last` the last event of each variant.
pub(crate) fn find(
    engine: &Engine,
    tx: &mut dyn Tx,
    sums: &[Sum],
    last: &[(String, Option<EventRow>)],
) -> Result<Vec<Anomaly>, Error> {
    let (now, after) = (engine.now(), &engine.thresholds);
    let mut found = Vec::new();
    let overdue = tx.overdue(now - after.overdue, COUNT_CAP)?;
    let minutes = i64::try_from(after.overdue.as_secs() / 60).unwrap_or(i64::MAX);
    let count = overdue.len() as i64;
    found.extend(overdue.first().map(|since| Anomaly::Overdue { count, since: *since, minutes }));
    found.extend(unserved(tx, now)?);
    for (variant, event) in last {
        let last = heard(variant, event.as_ref(), sums);
        found.extend(refused(variant, last, sums, now - after.refused));
        found.extend(sent_away(variant, sums, now - after.refused));
        if quiet(tx, now, variant, last, after)? {
            found.push(Anomaly::Quiet { variant: variant.clone(), last });
        }
        found.extend(missed(variant, sums));
    }
    found.extend(unshown(engine, tx, now)?);
    let one = |(variant, (count, event))| Anomaly::NotShown { variant, count, event };
    found.extend(not_shown(tx)?.into_iter().map(one));
    found.extend(discarded(tx)?);
    found.extend(differing(tx, now)?);
    found.extend(gateways(engine, tx, now)?);
    found.extend(drift(engine, tx)?);
    found.extend(disputes(tx)?);
    found.extend(waiting(tx, now, after, engine.chores.notice_authorized_after)?);
    Ok(found)
}

/// What no worker can do. Where none is known, the other rules tell that.
fn unserved(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<Anomaly>, Error> {
    let Some(served) = Served::read(tx, now)? else { return Ok(Vec::new()) };
    let mut no_variant = tx.waiting_variants(now, LOOKED_AT)?;
    no_variant.retain(|name| !served.has_variant(name));
    let (deadlocked, no_handler) = (served.deadlocked(), served.without_worker());
    let deadlock = (!deadlocked.is_empty()).then_some(Anomaly::Deadlock { handlers: deadlocked });
    let handlers = (!no_handler.is_empty()).then_some(Anomaly::NoHandler { handlers: no_handler });
    let variants = (!no_variant.is_empty()).then_some(Anomaly::NoVariant { variants: no_variant });
    Ok(deadlock.into_iter().chain(variants).chain(handlers).collect())
}

fn quiet(
    tx: &mut dyn Tx,
    now: Timestamp,
    variant: &str,
    last: Option<Timestamp>,
    after: &AlarmThresholds,
) -> Result<bool, Error> {
    if last.is_some_and(|last| last > now - after.silence) {
        return Ok(false);
    }
    let payments = i64::from(after.silent_payments);
    let created = tx.creations(variant, now - after.silence, payments)?;
    let earliest = now - LATELY - after.silence;
    let since = last.map_or(earliest, |last| last.max(earliest));
    Ok(created.len() as i64 == payments && created.iter().all(|at| *at > since))
}

/// What events only name and the gateway has not shown.
fn unshown(engine: &Engine, tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<Anomaly>, Error> {
    let mut found = Vec::new();
    for (variant, configured) in &engine.variants {
        let cannot = configured.gateway.supports_fetch().err();
        let open = tx.open_fetches(variant, COUNT_CAP)?;
        let open = open.filter(|open| cannot.is_some() || open.since < now - UNSHOWN);
        found.extend(open.map(|open| Anomaly::Unshown {
            variant: variant.clone(),
            count: open.count,
            since: open.since,
            cannot,
        }));
    }
    Ok(found)
}

/// How many events name what their gateway does not show, and the last of them, by variant.
fn not_shown(tx: &mut dyn Tx) -> Result<BTreeMap<String, (i64, EventId)>, Error> {
    let mut found = BTreeMap::new();
    for (event, variant) in tx.not_shown(COUNT_CAP)? {
        found.entry(variant).or_insert((0, event)).0 += 1;
    }
    Ok(found)
}

/// What came again with another body under the same id.
fn differing(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<Anomaly>, Error> {
    let mut found: Vec<Anomaly> = Vec::new();
    for (event, of, last) in tx.differing_since(now - LATELY, COUNT_CAP)? {
        let known = found.iter_mut().find_map(|it| match it {
            Anomaly::Differing { variant, count, .. } if *variant == of => Some(count),
            _ => None,
        });
        match known {
            Some(count) => *count += 1,
            None => found.push(Anomaly::Differing { variant: of, count: 1, last, event }),
        }
    }
    Ok(found)
}

/// What was given up and still lies there, kind by kind, the newest first.
fn discarded(tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let mut kinds: Vec<(GivenUp, i64)> = Vec::new();
    for event in tx.given_up(GIVEN_UP)? {
        match kinds.iter_mut().find(|(first, _)| (&first.variant, &first.kind) == (&event.variant, &event.kind)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((event, 1)),
        }
    }
    let each = kinds.into_iter().take(KINDS);
    let of = |(GivenUp { variant, kind, at }, count)| Anomaly::Discarded { variant, kind, count, last: at };
    Ok(each.map(of).collect())
}

/// What is the matter with asking gateways.
fn gateways(engine: &Engine, tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<Anomaly>, Error> {
    let after = &engine.thresholds;
    let failing = tx.failing_chores(now - after.chore, now - LATELY)?.into_iter();
    // A variant that is gone here may be another process's.
    let is_ours = |name: &str| name.split_once(':').is_none_or(|(_, variant)| engine.variant(variant).is_some());
    let failing = failing.filter(|chore| is_ours(&chore.name));
    let mut found: Vec<Anomaly> =
        failing.map(|it| Anomaly::ChoreFails { name: it.name, since: it.since, why: it.why }).collect();
    let calls = tx.open_calls(now - after.operation, COUNT_CAP)?;
    let (count, first) = (calls.len() as i64, calls.into_iter().min_by_key(|call| call.created_at));
    found.extend(first.map(|call| Anomaly::OpenCalls {
        count,
        since: call.created_at,
        verb: call.verb,
        variant: call.variant,
        token: call.token,
        on_subscription: call.on_subscription,
    }));
    Ok(found)
}

/// What comparisons found and nobody has repaired.
fn drift(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let rows = tx.differences(None, 0, COUNT_CAP)?;
    let of = |variant: &String| {
        let mut of = rows.iter().filter(|row| row.variant == *variant).peekable();
        let since = of.peek()?.found_at;
        Some(Anomaly::Drift { variant: variant.clone(), count: of.count() as i64, since })
    };
    Ok(engine.variants.keys().filter_map(of).collect())
}

fn disputes(tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let mut open = tx.open_disputes(COUNT_CAP)?;
    // The databases don't agree on where those without a deadline come.
    open.sort_by_key(|it| (it.until.is_none(), it.until, it.gateway_ref.clone()));
    let more = open.len().saturating_sub(DISPUTES);
    let one = |it: OpenDispute| {
        let currency = it.currency.and_then(|code| Currency::parse(&code).ok());
        let money = it.amount.zip(currency).map(|(amount, currency)| Money::new(amount, currency).to_string());
        Anomaly::Dispute { id: it.gateway_ref, token: it.token, money, until: it.until }
    };
    let each = open.into_iter().take(DISPUTES).map(one);
    Ok(each.chain((more > 0).then_some(Anomaly::MoreDisputes { count: more as i64 })).collect())
}

/// What waits for somebody.
fn waiting(
    tx: &mut dyn Tx,
    now: Timestamp,
    after: &AlarmThresholds,
    authorized_after: Option<Duration>,
) -> Result<Vec<Anomaly>, Error> {
    let mut found = Vec::new();
    let parked = tx.first_parked()?.filter(|event| event.received_at < now - after.parked);
    if let Some(event) = parked {
        let parked = EventStream::State(EventState::Parked);
        let count = tx.count_events(&[parked], COUNT_CAP)?;
        found.push(Anomaly::ParkedLong { count: count.iter().sum(), since: event.received_at });
    }
    let authorized = match authorized_after {
        Some(after) => tx.authorized_before(now - after, COUNT_CAP)?,
        None => Vec::new(),
    };
    let count = authorized.len() as i64;
    found.extend(authorized.first().map(|(_, since)| Anomaly::AuthorizedLong { count, since: *since }));
    let review = tx.count_payments(&[PaymentStream::NeedsReview], COUNT_CAP)?.iter().sum();
    found.extend((review > 0).then_some(Anomaly::NeedReview { count: review }));
    let unknown = tx.count_subscriptions(&[SubscriptionStatus::Unknown], COUNT_CAP)?.iter().sum();
    found.extend((unknown > 0).then_some(Anomaly::UnknownStatus { count: unknown }));
    Ok(found)
}
