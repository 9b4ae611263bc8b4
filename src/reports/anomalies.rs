//! What is odd enough that a person should look. Each rule asks for little and has a threshold with a reason.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::delivery::Rejection;
use crate::domain::event::{EventState, Source};
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::heartbeat::LOOKED_AT;
use crate::engine::served::Served;
use crate::engine::tally::{DUPLICATE, RECEIVED, REJECTED};
use crate::error::Error;
use crate::gateways::TEST_KIND;
use crate::reports::browse::COUNT_CAP;
use crate::store::Tx;
use crate::store::filters::{EventStream, PaymentStream};
use crate::store::rows::{EventRow, Sum};

/// Something odd, the numbers up to [`COUNT_CAP`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Anomaly {
    /// Events are due and nobody takes them.
    Overdue { count: i64, since: Timestamp },
    /// Events wait for variants that no worker has.
    NoVariant { variants: Vec<String> },
    /// No event is processed: each worker lacks one of these handlers in the transaction.
    Deadlock { handlers: Vec<String> },
    /// Handlers are owed runs, and no worker has them.
    NoHandler { handlers: Vec<String> },
    /// Deliveries of a variant were refused, and none was taken since its last event.
    OnlyRejected { variant: String, count: i64, reason: Rejection },
    /// Deliveries with a wrong signature came beside good ones.
    BadSignatures { variant: String, count: i64, reason: Rejection, last: Timestamp },
    /// Deliveries could not be stored or verified just then.
    SentAway { variant: String, count: i64, reason: Rejection, last: Timestamp },
    /// Payments were created, and no event came since.
    Quiet { variant: String, last: Option<Timestamp> },
    /// Events were given up, and still are.
    Discarded { count: i64 },
    /// Events wait for payments that nobody will create any more.
    ParkedLong { count: i64, since: Timestamp },
    /// Events name objects that the gateway has not shown; why it can't be asked, if it can't.
    Unshown { variant: String, count: i64, since: Timestamp, cannot: Option<String> },
    /// Authorizations are about to end, and nobody has captured or canceled them.
    AuthorizedLong { count: i64, since: Timestamp },
    /// Payments need a person's eye.
    NeedReview { count: i64 },
    /// Subscriptions are in a status that this release does not know, so that they let nobody in.
    UnknownStatus { count: i64 },
}

/// How long an event may be due: a worker looks every second, and one that restarts is back by then.
const OVERDUE: time::Duration = time::Duration::minutes(5);
/// How long no event may come after payments were created: a customer at a checkout takes minutes, not an hour.
const QUIET: time::Duration = time::Duration::hours(1);
/// How many such payments it takes: one or two may be carts that were left behind.
const QUIET_PAYMENTS: i64 = 3;
/// How long the tiles look back, and these rules with them.
const LATELY: time::Duration = time::Duration::hours(24);
/// How long a gateway may take to show what events name: the first tries come within minutes.
const UNSHOWN: time::Duration = time::Duration::minutes(15);
/// How long an event may be parked: its payment is created before the customer pays, so after a day none will be.
const PARKED: time::Duration = time::Duration::hours(24);

/// Everything that is odd, the most urgent first.
pub(crate) fn find(
    tx: &mut dyn Tx,
    now: Timestamp,
    sums: &[Sum],
    last: &[(String, Option<EventRow>)],
    authorized_after: Option<Duration>,
    cannot_fetch: &[(String, Option<String>)],
) -> Result<Vec<Anomaly>, Error> {
    let mut found = Vec::new();
    let overdue = tx.overdue(now - OVERDUE, COUNT_CAP)?;
    found.extend(overdue.first().map(|since| Anomaly::Overdue { count: overdue.len() as i64, since: *since }));
    found.extend(unserved(tx, now)?);
    for (variant, event) in last {
        let last = heard(variant, event.as_ref(), sums);
        found.extend(refused(variant, last, sums));
        found.extend(sent_away(variant, sums));
        if quiet(tx, now, variant, last)? {
            found.push(Anomaly::Quiet { variant: variant.clone(), last });
        }
    }
    for (variant, cannot) in cannot_fetch {
        let open = tx.open_fetches(variant, COUNT_CAP)?;
        let open = open.filter(|open| cannot.is_some() || open.since < now - UNSHOWN);
        found.extend(open.map(|open| Anomaly::Unshown {
            variant: variant.clone(),
            count: open.count,
            since: open.since,
            cannot: cannot.clone(),
        }));
    }
    let discarded = tx.discarded(now - LATELY, COUNT_CAP)?;
    found.extend((discarded > 0).then_some(Anomaly::Discarded { count: discarded }));
    let parked = tx.first_parked()?.filter(|event| event.received_at < now - PARKED);
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

/// When the gateway itself last delivered something: what it answers to our calls, and an operator's test, say nothing of
/// that.
fn heard(variant: &str, event: Option<&EventRow>, sums: &[Sum]) -> Option<Timestamp> {
    let counted =
        sums.iter().filter(|sum| sum.variant == variant && [RECEIVED, DUPLICATE].contains(&sum.outcome.as_str()));
    let delivered = event.filter(|event| event.source == Source::Delivery && event.kind != TEST_KIND);
    counted.map(|sum| sum.last_at).chain(delivered.map(|event| event.last_delivered_at)).max()
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

/// The rejections of a variant for reasons like these: how many, and the last reason and its time.
fn rejections(variant: &str, sums: &[Sum], like: impl Fn(Rejection) -> bool) -> Option<(i64, Rejection, Timestamp)> {
    let reason = |sum: &Sum| {
        let code = sum.outcome.strip_prefix(REJECTED)?;
        Rejection::ALL.into_iter().find(|rejection| rejection.code() == code).filter(|rejection| like(*rejection))
    };
    let its = sums.iter().filter(|sum| sum.variant == variant);
    let mut found: Vec<_> = its.filter_map(|sum| Some((sum.last_at, reason(sum)?, sum.count))).collect();
    found.sort_by_key(|(at, ..)| *at);
    let count = found.iter().map(|(.., count)| count).sum();
    found.last().map(|(at, reason, _)| (count, *reason, *at))
}

/// What is posted without a signature at all is a scanner's more often than a gateway's.
fn refused(variant: &str, last: Option<Timestamp>, sums: &[Sum]) -> Option<Anomaly> {
    use Rejection::{BodyMalformed, SignatureMalformed, SignatureMismatch, SignatureStale, TooLarge};
    let like = [SignatureMalformed, SignatureMismatch, SignatureStale, BodyMalformed, TooLarge];
    let (count, reason, at) = rejections(variant, sums, |reason| like.contains(&reason))?;
    let variant = variant.to_owned();
    Some(if last.is_none_or(|last| last < at) {
        Anomaly::OnlyRejected { variant, count, reason }
    } else {
        Anomaly::BadSignatures { variant, count, reason, last: at }
    })
}

fn sent_away(variant: &str, sums: &[Sum]) -> Option<Anomaly> {
    let like = [Rejection::Unavailable, Rejection::Unverifiable];
    let (count, reason, last) = rejections(variant, sums, |reason| like.contains(&reason))?;
    Some(Anomaly::SentAway { variant: variant.to_owned(), count, reason, last })
}

fn quiet(tx: &mut dyn Tx, now: Timestamp, variant: &str, last: Option<Timestamp>) -> Result<bool, Error> {
    if last.is_some_and(|last| last > now - QUIET) {
        return Ok(false);
    }
    let created = tx.creations(variant, now - QUIET, QUIET_PAYMENTS)?;
    let since = last.map_or(now - LATELY, |last| last.max(now - LATELY));
    Ok(created.len() as i64 == QUIET_PAYMENTS && created.iter().all(|at| *at > since))
}
