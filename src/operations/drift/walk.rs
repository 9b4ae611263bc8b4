//! One piece of a comparison: a page of the gateway's lists, or some of ours that are asked about one by one, at a pace
//! that leaves room in the gateway's rate limits.

use std::sync::Arc;
use std::time::Duration;

use super::ask::{Answer, key};
use super::foresee::{Foreseen, incomparable};
use super::place::Place;
use crate::domain::Timestamp;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::engine::drift::Comparable;
use crate::engine::{Engine, Variant};
use crate::error::{Error, ErrorKind};
use crate::gateways::GatewayError;
use crate::gateways::objects::ObjectQuery;
use crate::operations::observed::observed;
use crate::store::Tx;
use crate::store::drift::Walk;

/// How many of ours one piece asks about.
const AT_ONCE: i64 = 20;
/// How many ids one statement walks over: some milliseconds' worth, however few of them are of the variant.
const IDS: i64 = 5_000;
/// How many questions in a row that get no answer mean that the gateway is away.
const AWAY: usize = 3;

/// What is compared, and how.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    pub variant: String,
    /// What was created within this span.
    pub since: Timestamp,
    pub until: Timestamp,
    /// Whether ours are asked about one by one even where the gateway lists its own.
    pub each: bool,
    /// The wait before each request.
    pub pace: Duration,
}

/// What one piece found.
pub(super) struct Piece {
    pub foreseen: Foreseen,
    /// Why questions had no answer, a sentence each.
    pub unanswered: Vec<String>,
    /// Where the comparison goes on.
    pub next: Option<Place>,
}

/// Where a comparison with this variant's gateway begins.
///
/// # Errors
/// Why the gateway can't be asked, a sentence.
pub(super) fn first_place(variant: &Variant) -> Result<Place, String> {
    let able = Comparable::of(variant)?;
    Ok(if able.lists {
        Place::Objects(None)
    } else if able.payments {
        Place::Payments(0)
    } else {
        Place::Subscriptions(0)
    })
}

/// Where it goes on after this list.
fn after(able: &Comparable, done: &Place) -> Option<Place> {
    match done {
        Place::Objects(_) if able.payments => Some(Place::Payments(0)),
        Place::Objects(_) | Place::Payments(_) if able.subscriptions => Some(Place::Subscriptions(0)),
        _ => None,
    }
}

impl Engine {
    /// Compares what is at this place.
    ///
    /// # Errors
    /// `NotFound` for a variant that is not configured here, `Gateway` when the gateway does not answer, and what the
    /// database says.
    pub(super) async fn compare_piece(self: &Arc<Self>, scope: &Compared, place: Place) -> Result<Piece, Error> {
        let name = scope.variant.as_str();
        let variant = &*self.known_variant(name).await?;
        let able = Comparable::of(variant).map_err(|why| Error::new(ErrorKind::Refused, why))?;
        let onwards = |next: Option<Place>| next.or_else(|| after(&able, &place));
        match &place {
            Place::Objects(cursor) => {
                let (foreseen, next) = self.compare_listed(scope, variant, cursor.clone()).await?;
                let next = onwards(next.map(|cursor| Place::Objects(Some(cursor))));
                Ok(Piece { foreseen, unanswered: Vec::new(), next })
            }
            Place::Payments(after) => {
                let only_open = able.lists && !scope.each;
                let (since, last) = (scope.since, |tx: &mut dyn Tx| Ok(tx.last_payment()?.map_or(0, |id| id.0)));
                let some = move |tx: &mut dyn Tx, walk: &Walk<'_>| {
                    let some = tx.payments_to_compare(walk, since, only_open)?;
                    Ok(some.into_iter().map(|(id, token)| (id.0, token)).collect())
                };
                let (some, next) = self.walk(name, *after, last, some).await?;
                let ask = async |id: i64| self.ask_of_payment(name, variant, PaymentId(id)).await;
                let (foreseen, unanswered) = self.compare_each(scope, some, ask).await?;
                Ok(Piece { foreseen, unanswered, next: onwards(next.map(Place::Payments)) })
            }
            Place::Subscriptions(after) => {
                let last = |tx: &mut dyn Tx| Ok(tx.last_subscription()?.map_or(0, |id| id.0));
                let some = |tx: &mut dyn Tx, walk: &Walk<'_>| {
                    let some = tx.subscriptions_to_compare(walk)?;
                    Ok(some.into_iter().map(|(id, token)| (id.0, token)).collect())
                };
                let (some, next) = self.walk(name, *after, last, some).await?;
                let ask = async |id: i64| self.ask_of_subscription(name, variant, SubscriptionId(id)).await;
                let (foreseen, unanswered) = self.compare_each(scope, some, ask).await?;
                Ok(Piece { foreseen, unanswered, next: onwards(next.map(Place::Subscriptions)) })
            }
        }
    }

    async fn compare_listed(
        self: &Arc<Self>,
        scope: &Compared,
        variant: &Variant,
        cursor: Option<String>,
    ) -> Result<(Foreseen, Option<String>), Error> {
        let Some(source) = variant.gateway.objects() else { return Ok((Foreseen::default(), None)) };
        let query = ObjectQuery { since: scope.since, until: scope.until, cursor: cursor.clone(), key: key()? };
        tokio::time::sleep(scope.pace).await;
        let page = observed(self, &scope.variant, "list", source.page(&query)).await;
        let page = page.map_err(|error| no_answer(&scope.variant, error))?;
        if page.next.is_some() && page.next == cursor {
            let odd = GatewayError::Malformed("its list doesn't go on from page to page".to_owned());
            return Err(no_answer(&scope.variant, odd));
        }
        Ok((self.foresee(&scope.variant, page.objects).await?, page.next))
    }

    /// Some of ours behind this id, and behind which id the others are, if there are any.
    async fn walk(
        self: &Arc<Self>,
        variant: &str,
        after: i64,
        last: impl Fn(&mut dyn Tx) -> Result<i64, Error> + Send + 'static,
        some: impl Fn(&mut dyn Tx, &Walk<'_>) -> Result<Vec<(i64, String)>, Error> + Send + 'static,
    ) -> Result<(Vec<(i64, String)>, Option<i64>), Error> {
        let variant = variant.to_owned();
        let walk = move |tx: &mut dyn Tx| {
            let last = last(tx)?;
            let mut after = after;
            loop {
                let upto = after.saturating_add(IDS);
                let found = some(tx, &Walk { variant: &variant, after, upto, limit: AT_ONCE })?;
                if let Some((id, _)) = found.last() {
                    let goes_on = if found.len() as i64 == AT_ONCE { *id } else { upto };
                    return Ok((found, Some(goes_on).filter(|id| *id < last)));
                }
                if upto >= last {
                    return Ok((found, None));
                }
                after = upto;
            }
        };
        self.read(walk).await
    }

    /// Asks about these one by one; what has no answer is told with its reason.
    async fn compare_each(
        self: &Arc<Self>,
        scope: &Compared,
        some: Vec<(i64, String)>,
        ask: impl AsyncFn(i64) -> Result<Answer, Error>,
    ) -> Result<(Foreseen, Vec<String>), Error> {
        let (mut foreseen, mut unanswered, mut in_a_row) = (Foreseen::default(), Vec::new(), 0);
        for (id, token) in some {
            tokio::time::sleep(scope.pace).await;
            let object = match ask(id).await {
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    unanswered.push(incomparable(&token, &error));
                    continue;
                }
                Ok(Ok(object)) => object,
                Ok(Err(error)) => {
                    let is_away = matches!(error, GatewayError::Unavailable(_) | GatewayError::OutcomeUnknown(_));
                    in_a_row = if is_away { in_a_row + 1 } else { 0 };
                    if in_a_row == AWAY {
                        return Err(no_answer(&scope.variant, error));
                    }
                    unanswered.push(format!("{token}: {error}"));
                    continue;
                }
            };
            in_a_row = 0;
            foreseen.add(self.foresee(&scope.variant, vec![object]).await?);
        }
        Ok((foreseen, unanswered))
    }
}

fn no_answer(variant: &str, error: GatewayError) -> Error {
    Error::new(ErrorKind::Gateway, format!("{variant} could not be compared with its gateway")).with_source(error)
}
