//! Everything that a person should look at. Each rule reads little, and its threshold has its reason at
//! [`AlarmThresholds`].

use super::anomaly::Anomaly;
use super::refusals::{heard, missed, refused, sent_away};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::money::{Currency, Money};
use crate::domain::scope::Scope;
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::chores::variant_of_chore;
use crate::engine::heartbeat::LOOKED_AT;
use crate::engine::served::Served;
use crate::engine::tally::hour;
use crate::engine::{AlarmThresholds, Engine};
use crate::error::Error;
use crate::reports::browse::{COUNT_CAP, PaymentView, payments_in};
use crate::store::Tx;
use crate::store::alarms::{GivenUp, OpenDispute};
use crate::store::disputes::DisputeRow;
use crate::store::filters::{EventStream, PaymentFilter, PaymentStream};
use crate::store::rows::{EventRow, Sum};

/// How long the overview's tiles look back, and these rules with them.
const LATELY: time::Duration = time::Duration::hours(24);
/// How long a gateway may take to show what events name: the first tries come within minutes.
const UNSHOWN: time::Duration = time::Duration::minutes(15);
/// How many kinds of events that were given up are said one by one.
const KINDS: usize = 200;
/// Of how many variants the same cause is said one by one.
const VARIANTS: usize = 200;
/// How long a card's bank holds an authorization: seven days at most companies.
const CARDS_HOLD: time::Duration = time::Duration::days(7);
/// How many disputes are said one by one, and up to how many the others are counted with them.
const DISPUTES: usize = 99;
const DISPUTES_CAP: i64 = 1_000;

/// The sums that the rules about deliveries read.
pub(super) fn in_span(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Sum>, Error> {
    let end = hour(engine.now()) + time::Duration::hours(1);
    tx.sums(end - LATELY, end)
}

/// Events that are due and that nobody takes.
pub(super) fn due(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let after = engine.thresholds.overdue;
    let overdue = tx.overdue(engine.now() - after, COUNT_CAP)?;
    let minutes = i64::try_from(after.as_secs() / 60).unwrap_or(i64::MAX);
    let count = overdue.len() as i64;
    let since = overdue.first().map(|since| Anomaly::Overdue { count, since: *since, minutes });
    Ok(since.into_iter().collect())
}

/// Events that keep failing, until they are given up: a paid order may wait for hours meanwhile.
pub(super) fn failing(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let failing = tx.failing(engine.thresholds.failing, COUNT_CAP)?;
    let count = failing.len() as i64;
    let first = failing.into_iter().next().map(|(why, since)| Anomaly::Failing { count, since, why });
    Ok(first.into_iter().collect())
}

/// How the deliveries of a variant fare, of which this is the last event.
pub(super) fn deliveries(
    engine: &Engine,
    tx: &mut dyn Tx,
    variant: &str,
    last: Option<&EventRow>,
    sums: &[Sum],
) -> Result<Vec<Anomaly>, Error> {
    let (now, after) = (engine.now(), &engine.thresholds);
    let last = heard(variant, last, sums);
    let mut found = Vec::from_iter(refused(variant, last, sums, now - after.refused));
    found.extend(sent_away(variant, sums, now - after.refused));
    if quiet(tx, now, variant, last, after)? {
        found.push(Anomaly::Quiet { variant: variant.to_owned(), last });
    }
    found.extend(missed(variant, sums));
    Ok(found)
}

/// What no worker can do. Where none is known, the other rules tell that.
pub(super) fn unserved(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<Anomaly>, Error> {
    let Some(served) = Served::read(tx, now)? else { return Ok(Vec::new()) };
    let mut no_variant = tx.waiting_variants(now, LOOKED_AT, &[])?;
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
pub(super) fn unshown(engine: &Engine, tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<Anomaly>, Error> {
    let (mut found, now) = (Vec::new(), engine.now());
    let mut names = engine.names_seen(scope);
    if engine.has_source() && scope.is_all() {
        // Those with questions that are open, whenever they are put again.
        names.extend(tx.asking_variants(VARIANTS as i64, &names)?);
    }
    for variant in names {
        let cannot = engine.at_hand(&variant).and_then(|configured| configured.gateway.supports_fetch().err());
        let open = tx.open_fetches(&variant, COUNT_CAP)?;
        let open = open.filter(|open| cannot.is_some() || open.since < now - UNSHOWN);
        found.extend(open.map(|open| Anomaly::Unshown { variant, count: open.count, since: open.since, cannot }));
    }
    Ok(found)
}

/// How many events name what their gateway does not show, and the last of them, by variant.
pub(super) fn not_shown(tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<Anomaly>, Error> {
    let found = of_each(scope, |only| tx.not_shown(only, VARIANTS, COUNT_CAP))?.into_iter();
    Ok(found.map(|(variant, count, event)| Anomaly::NotShown { variant, count, event }).collect())
}

/// What came again with another body under the same id.
pub(super) fn differing(tx: &mut dyn Tx, now: Timestamp, scope: &Scope) -> Result<Vec<Anomaly>, Error> {
    let mut found: Vec<Anomaly> = Vec::new();
    let only: Option<Vec<String>> = scope.names().map(|names| names.iter().cloned().collect());
    for (event, of, last) in tx.differing_since(now - LATELY, only.as_deref(), COUNT_CAP)? {
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

/// What is found of all variants, or of each of these alone, so that others' rows take no room of theirs.
fn of_each<T>(scope: &Scope, mut find: impl FnMut(Option<&str>) -> Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    let Some(names) = scope.names() else { return find(None) };
    let mut found = Vec::new();
    for name in names {
        found.extend(find(Some(name))?);
    }
    Ok(found)
}

/// What was given up and still lies there, kind by kind, the newest first.
pub(super) fn discarded(tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<Anomaly>, Error> {
    let mut kinds = of_each(scope, |only| tx.given_up(only, KINDS, COUNT_CAP))?;
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.at));
    let of = |GivenUp { variant, kind, count, at }| Some(Anomaly::Discarded { variant, kind, count, last: at? });
    Ok(kinds.into_iter().filter_map(of).collect())
}

/// What is done from time to time and fails at every turn.
pub(super) fn chores(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let now = engine.now();
    let failing = tx.failing_chores(now - engine.thresholds.chore, now - LATELY)?.into_iter();
    // A variant that is gone here may be another process's.
    let is_ours = |name: &str| variant_of_chore(name).is_none_or(|variant| engine.may_have(variant));
    let failing = failing.filter(|chore| is_ours(&chore.name));
    Ok(failing.map(|it| Anomaly::ChoreFails { name: it.name, since: it.since, why: it.why }).collect())
}

/// What gateways were asked to do, and nobody knows whether they did.
pub(super) fn operations(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let calls = tx.open_calls(engine.now() - engine.thresholds.operation, COUNT_CAP)?;
    let (count, first) = (calls.len() as i64, calls.into_iter().min_by_key(|call| call.created_at));
    let open = first.map(|call| Anomaly::OpenCalls {
        count,
        since: call.created_at,
        verb: call.verb,
        variant: call.variant,
        token: call.token,
        on_subscription: call.on_subscription,
    });
    Ok(open.into_iter().collect())
}

/// What comparisons found and nobody has repaired.
pub(super) fn drift(engine: &Engine, tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<Anomaly>, Error> {
    let mut found = Vec::new();
    let differing = match scope.names() {
        Some(names) => names.iter().cloned().collect(),
        None => tx.differing_variants(VARIANTS)?,
    };
    for variant in differing.into_iter().filter(|name| engine.may_have(name)) {
        let found_at = tx.differed(&variant, COUNT_CAP)?;
        let (count, since) = (found_at.len() as i64, found_at.into_iter().min());
        found.extend(since.map(|since| Anomaly::Drift { variant, count, since }));
    }
    Ok(found)
}

pub(super) fn disputes(tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let tests = tx.open_disputes(true, COUNT_CAP)?.len();
    Ok(each_dispute(tx.open_disputes(false, DISPUTES_CAP)?, tests))
}

/// The same of some variants.
pub(super) fn disputes_in(tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<Anomaly>, Error> {
    let rows = tx.disputes_by_deadline(scope, None, DISPUTES_CAP)?;
    let (tests, real): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.livemode == Some(false));
    let open = |row: DisputeRow| {
        let DisputeRow { gateway_ref, token, amount, currency, until, .. } = row;
        OpenDispute { gateway_ref, token, amount, currency, until }
    };
    Ok(each_dispute(real.into_iter().map(open).collect(), tests.len()))
}

fn each_dispute(mut open: Vec<OpenDispute>, tests: usize) -> Vec<Anomaly> {
    open.sort_by_key(|it| (it.until.is_none(), it.until, it.gateway_ref.clone()));
    let more = open.len().saturating_sub(DISPUTES);
    let test = (tests > 0).then_some(Anomaly::TestDisputes { count: tests as i64 });
    let one = |it: OpenDispute| {
        let currency = it.currency.and_then(|code| Currency::parse(&code).ok());
        let money = it.amount.zip(currency).map(|(amount, currency)| Money::new(amount, currency).to_string());
        Anomaly::Dispute { id: it.gateway_ref, token: it.token, money, until: it.until }
    };
    let each = open.into_iter().take(DISPUTES).map(one);
    let more = (more > 0).then_some(Anomaly::MoreDisputes { count: more as i64 });
    each.chain(more).chain(test).collect()
}

/// Events that wait for their payments for long.
pub(super) fn parked(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let long_ago = engine.now() - engine.thresholds.parked;
    let Some(event) = tx.first_parked()?.filter(|event| event.received_at < long_ago) else { return Ok(Vec::new()) };
    let count = tx.count_events(&[EventStream::State(EventState::Parked)], COUNT_CAP)?;
    Ok(vec![Anomaly::ParkedLong { count: count.iter().sum(), since: event.received_at }])
}

/// Authorizations that are about to end.
pub(super) fn authorized(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let authorized = match engine.chores.notice_authorized_after {
        Some(after) => tx.authorized_before(engine.now() - after, COUNT_CAP)?,
        None => Vec::new(),
    };
    let count = authorized.len() as i64;
    let long = |since| Anomaly::AuthorizedLong { count, since, is_past: since < engine.now() - CARDS_HOLD };
    let first = authorized.first().map(|(_, since)| long(*since));
    Ok(first.into_iter().collect())
}

/// Payments that need a person's eye.
pub(super) fn review(tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let count = tx.count_payments(&[PaymentStream::NeedsReview], COUNT_CAP)?.iter().sum();
    Ok((count > 0).then_some(Anomaly::NeedReview { count }).into_iter().collect())
}

/// The same of some variants.
pub(super) fn review_in(tx: &mut dyn Tx, scope: &Scope, variants: &[String]) -> Result<Option<Anomaly>, Error> {
    let filter = PaymentFilter { scope: scope.clone(), needs_review: true, ..PaymentFilter::default() };
    let view = PaymentView { filter, ..PaymentView::default() };
    let found = payments_in(tx, &view, variants, None, usize::try_from(COUNT_CAP).unwrap_or_default())?;
    let count = found.rows.len() as i64;
    Ok((count > 0).then_some(Anomaly::NeedReview { count }))
}

/// Subscriptions in a status that this release does not know.
pub(super) fn unknown_status(tx: &mut dyn Tx) -> Result<Vec<Anomaly>, Error> {
    let count = tx.count_subscriptions(&[SubscriptionStatus::Unknown], COUNT_CAP)?.iter().sum();
    Ok((count > 0).then_some(Anomaly::UnknownStatus { count }).into_iter().collect())
}
