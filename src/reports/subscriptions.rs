//! Which subscriptions are there, and is an owner active?

use std::sync::Arc;

use crate::domain::id::SubscriptionId;
use crate::domain::identifier::{VariantName, asked};
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::{Engine, ModePolicy, Subscription};
use crate::error::Error;
use crate::store::Tx;
use crate::store::subscriptions::{SubscriptionFilter, SubscriptionRow};

/// How many subscriptions of one owner are looked at to see whether one is active.
const OF_ONE: i64 = 1_000;
/// How many subscriptions one answer has at the most.
const MOST: i64 = 1_000;

/// Which subscriptions to list: those that match every condition set.
///
/// See [`Payments::subscriptions`](crate::Payments::subscriptions) for an example.
#[derive(Debug, Clone, Default)]
#[must_use = "a query is answered by `Payments::subscriptions`"]
pub struct SubscriptionQuery {
    filter: SubscriptionFilter,
    after: Option<i64>,
    limit: Option<i64>,
}

/// A part of a list of subscriptions, newest first.
///
/// See [`Payments::subscriptions`](crate::Payments::subscriptions) for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubscriptionList {
    /// The subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Where the list continues: pass it to [`SubscriptionQuery::after`]. `None` at the end.
    pub next: Option<i64>,
}

impl SubscriptionQuery {
    /// All subscriptions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of this owner, by the host's own id. Default: of all.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.filter.owner = Some(asked(owner));
        self
    }

    /// Those of the customer with this email address; the case of A to Z makes no difference. Default: of all.
    pub fn customer(mut self, email: impl Into<String>) -> Self {
        self.filter.customer = Some(asked(email));
        self
    }

    /// Those in this status; if called more than once, in any of them. Default: in every one.
    pub fn status(mut self, status: SubscriptionStatus) -> Self {
        self.filter.statuses.push(status);
        self
    }

    /// Those through this variant. Default: through every one.
    pub fn variant(mut self, variant: impl Into<VariantName>) -> Self {
        self.filter.variant = Some(asked(variant.into()));
        self
    }

    /// Continues a list: the `next` of an earlier part. Default: from the beginning.
    pub fn after(mut self, next: i64) -> Self {
        self.after = Some(next);
        self
    }

    /// How many at the most, 1 to 1,000. Default 100.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(i64::from(limit));
        self
    }
}

impl Engine {
    /// The subscriptions that match.
    pub(crate) async fn subscriptions(self: &Arc<Self>, query: SubscriptionQuery) -> Result<SubscriptionList, Error> {
        let limit = query.limit.unwrap_or(100).clamp(1, MOST);
        let before = query.after.map(SubscriptionId);
        self.read(move |tx| {
            let mut rows = tx.list_subscriptions(&query.filter, before, limit + 1)?;
            let is_more = rows.len() as i64 > limit;
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let next = rows.last().filter(|_| is_more).map(|row| row.id.0);
            let subscriptions = rows.iter().map(Subscription::of).collect::<Result<_, _>>()?;
            Ok(SubscriptionList { subscriptions, next })
        })
        .await
    }

    /// Whether any subscription of this owner is active now. The answer may be some seconds old; what this process
    /// knows to have changed is asked for anew.
    pub(crate) async fn is_active(self: &Arc<Self>, owner: &str) -> Result<bool, Error> {
        let before = match self.activity.recall(owner, self.now()) {
            Ok(active) => return Ok(active),
            Err(before) => before,
        };
        let active = self.is_active_now(owner).await?;
        self.activity.remember(&before, owner, active, self.now(), self.active_for);
        Ok(active)
    }

    /// Whether any subscription of this owner is active now.
    pub(crate) async fn is_active_now(self: &Arc<Self>, owner: &str) -> Result<bool, Error> {
        use SubscriptionStatus::{Active, Canceled, Expired, PastDue, Trialing};
        let statuses = vec![Trialing, Active, PastDue, Canceled, Expired];
        let filter = SubscriptionFilter { owner: Some(asked(owner)), statuses, ..SubscriptionFilter::default() };
        let (engine, now, grace) = (self.clone(), self.now(), self.grace);
        self.read(move |tx| {
            for row in tx.list_subscriptions(&filter, None, OF_ONE)? {
                if row.ended_at.is_some_and(|end| end <= now) {
                    continue;
                }
                if Subscription::of(&row)?.state.is_active(now, grace) && engine.is_of_this_mode(tx, &row)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }

    /// Whether a subscription is of the mode in which things are sold here: a test gives nobody what is sold for real
    /// money. Where the host said no mode, tests count as long as there is no subscription of real money.
    pub(crate) fn is_of_this_mode(&self, tx: &mut dyn Tx, row: &SubscriptionRow) -> Result<bool, Error> {
        let variant = self.variant(&row.variant);
        match (variant.as_ref().and_then(|variant| variant.live), row.livemode) {
            (Some(ours), Some(its)) => Ok(ours == its || variant.is_some_and(|own| own.mode == ModePolicy::Accept)),
            (None, Some(false)) => Ok(!tx.has_real_subscription()?),
            _ => Ok(true),
        }
    }
}
