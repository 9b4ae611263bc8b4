//! How are subscriptions read and listed? What is written for many of them is in the dialect's own file.

use diesel::prelude::*;

use super::schema::{pay_audit, pay_events, pay_subscription_transitions, pay_subscriptions};
use super::{Connection, failed};
use crate::domain::id::{EventId, SubscriptionId, SubscriptionTransitionId};
use crate::domain::subscription::SubscriptionStatus;
use crate::error::{Error, ErrorKind};
use crate::store::audit::ActRow;
use crate::store::rows::EventRow;
use crate::store::sets::Key;
use crate::store::subscriptions::*;
use pay_subscription_transitions::dsl as t;
use pay_subscriptions::dsl as s;

use super::super::{self as dialect, subscriptions as written};

impl Subscriptions for Connection {
    fn hold_subscriptions(&mut self, keys: &[Key], tokens: &[String]) -> Result<Vec<SubscriptionRow>, Error> {
        let ids = ids(self, keys, tokens)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        dialect::hold_subscriptions(self, &ids).map_err(failed("locking subscriptions"))
    }

    fn subscriptions_of(&mut self, keys: &[Key], tokens: &[String]) -> Result<Vec<SubscriptionRow>, Error> {
        let ids = ids(self, keys, tokens)?;
        s::pay_subscriptions.filter(s::id.eq_any(ids)).load(self).map_err(failed("reading subscriptions"))
    }

    fn save_subscriptions(&mut self, rows: &[SubscriptionRow]) -> Result<Vec<(String, SubscriptionId)>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let saved = written::save(self, rows).map_err(failed("writing subscriptions"))?;
        if saved.len() == rows.len() {
            return Ok(saved);
        }
        Err(Error::new(ErrorKind::Conflict, "a subscription was changed by another writer meanwhile"))
    }

    fn add_subscription_transitions(
        &mut self,
        steps: &[NewSubscriptionTransition],
    ) -> Result<Vec<SubscriptionTransitionId>, Error> {
        written::add_transitions(self, steps).map_err(failed("adding transitions of subscriptions"))
    }

    fn subscription_transitions_by(&mut self, events: &[EventId]) -> Result<Vec<SubscriptionTransitionRow>, Error> {
        let ids = events.iter().copied().map(Some);
        t::pay_subscription_transitions
            .filter(t::event_id.eq_any(ids))
            .order(t::id)
            .load(self)
            .map_err(failed("reading transitions of subscriptions"))
    }

    fn subscription(&mut self, id: SubscriptionId) -> Result<Option<SubscriptionRow>, Error> {
        s::pay_subscriptions.find(id).first(self).optional().map_err(failed("reading a subscription"))
    }

    fn list_subscriptions(
        &mut self,
        filter: &SubscriptionFilter,
        from: Option<SubscriptionPlace>,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>, Error> {
        let mut query = s::pay_subscriptions.limit(limit).into_boxed();
        if let Some(variant) = &filter.variant {
            query = query.filter(s::variant.eq(variant));
        }
        if let Some(owner) = &filter.owner {
            query = query.filter(s::owner.eq(owner));
        }
        if let Some(customer) = &filter.customer {
            query = query.filter(s::customer.eq(customer));
        }
        if !filter.statuses.is_empty() {
            query = query.filter(s::status.eq_any(&filter.statuses));
        }
        if let Some(ids) = &filter.among {
            query = query.filter(s::id.eq_any(ids));
        }
        query = match from {
            None => query.order(s::id.desc()),
            Some(SubscriptionPlace::Before(id)) => query.filter(s::id.lt(id)).order(s::id.desc()),
            Some(SubscriptionPlace::After(id)) => query.filter(s::id.gt(id)).order(s::id.asc()),
        };
        query.load(self).map_err(failed("listing subscriptions"))
    }

    fn count_subscriptions(&mut self, statuses: &[SubscriptionStatus], cap: i64) -> Result<Vec<i64>, Error> {
        let count = |status: &SubscriptionStatus| {
            let those = s::pay_subscriptions.filter(s::status.eq(*status)).select(s::id).limit(cap);
            let ids: Vec<SubscriptionId> = those.load(self).map_err(failed("counting subscriptions"))?;
            Ok(ids.len() as i64)
        };
        statuses.iter().map(count).collect()
    }

    fn find_subscriptions(&mut self, text: &str, cap: i64) -> Result<Vec<SubscriptionId>, Error> {
        let all = || s::pay_subscriptions.select(s::id).order(s::id.desc()).limit(cap);
        let ways = [
            all().filter(s::token.eq(text)).load::<SubscriptionId>(self),
            all().filter(s::gateway_ref.eq(text)).load(self),
            all().filter(s::latest_invoice.eq(text)).load(self),
            all().filter(s::customer_ref.eq(text)).load(self),
            all().filter(s::owner.eq(text)).load(self),
            all().filter(s::customer.eq(text)).load(self),
        ];
        let mut found = Vec::new();
        for ids in ways {
            found.extend(ids.map_err(failed("looking for subscriptions"))?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn transitions_of_subscription(
        &mut self,
        subscription: SubscriptionId,
    ) -> Result<Vec<SubscriptionTransitionRow>, Error> {
        t::pay_subscription_transitions
            .filter(t::subscription_id.eq(subscription))
            .order(t::id.desc())
            .limit(500)
            .load(self)
            .map_err(failed("reading transitions of a subscription"))
    }

    fn acts_of_subscription(&mut self, subscription: SubscriptionId) -> Result<Vec<ActRow>, Error> {
        use pay_audit::dsl as a;
        use pay_events::dsl as e;
        let its_events = e::pay_events.filter(e::subscription_id.eq(subscription)).select(e::id.nullable());
        a::pay_audit
            .filter(a::subscription_id.eq(subscription).or(a::event_id.eq_any(its_events)))
            .order(a::id.desc())
            .limit(200)
            .load(self)
            .map_err(failed("reading acts"))
    }

    fn events_of_subscription(&mut self, subscription: SubscriptionId, cap: i64) -> Result<Vec<EventRow>, Error> {
        use pay_events::dsl as e;
        e::pay_events
            .filter(e::subscription_id.eq(subscription))
            .order(e::id.desc())
            .limit(cap)
            .load(self)
            .map_err(failed("reading a subscription's events"))
    }
}

/// The subscriptions with these gateway refs or tokens, each once and in order.
fn ids(conn: &mut Connection, keys: &[Key], tokens: &[String]) -> Result<Vec<SubscriptionId>, Error> {
    let mut ids = Vec::new();
    if !keys.is_empty() {
        ids.extend(dialect::find_subscriptions(conn, keys).map_err(failed("looking for subscriptions"))?);
    }
    if !tokens.is_empty() {
        let bearing = s::pay_subscriptions.filter(s::token.eq_any(tokens)).select(s::id);
        ids.extend(bearing.load::<SubscriptionId>(conn).map_err(failed("looking for subscriptions' tokens"))?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
