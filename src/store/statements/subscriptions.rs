//! How are subscriptions read and listed? What is written for many of them is in the dialect's own file.

use std::collections::BTreeSet;

use diesel::dsl::{count_star, exists, not, sql};
use diesel::expression::{SqlLiteral, UncheckedBind};
use diesel::helper_types::AsExprOf;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::lists::subscriptions as lists;
use super::recurring;
use super::said::Said;
use super::schema::{
    pay_audit, pay_events, pay_subscription_invoices, pay_subscription_operations, pay_subscription_transitions,
    pay_subscriptions,
};
use super::{ADDRESS, Connection, failed};
use crate::domain::Timestamp;
use crate::domain::id::{EventId, SubscriptionId, SubscriptionTransitionId};
use crate::domain::operation::OperationState;
use crate::domain::subscription::SubscriptionStatus;
use crate::error::{Error, ErrorKind};
use crate::store::audit::ActRow;
use crate::store::filters::MomentKey;
use crate::store::rows::EventRow;
use crate::store::sets::Key;
use crate::store::subscriptions::*;
use crate::store::words::{Subject, Words};
use pay_subscription_invoices::dsl as i;
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
            self.owe_words(&saved.iter().map(|(_, id)| Subject::Subscription(*id)).collect::<Vec<_>>())?;
            return Ok(saved);
        }
        Err(Error::new(ErrorKind::Conflict, "a subscription was changed by another writer meanwhile"))
    }

    fn put_in_place(&mut self, started: &SubscriptionRow, adopted: SubscriptionId) -> Result<(), Error> {
        let putting = || failed("putting a subscription in the place of another");
        diesel::delete(s::pay_subscriptions.find(started.id)).execute(self).map_err(putting())?;
        self.forget_words(&[], &[started.id.0])?;
        let taken = diesel::update(s::pay_subscriptions.find(adopted)).set(s::token.eq(&started.token));
        taken.execute(self).map(drop).map_err(putting())
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

    fn invoices_of(&mut self, keys: &[Key]) -> Result<Vec<InvoiceRow>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let variants: BTreeSet<&String> = keys.iter().map(|(variant, _)| variant).collect();
        let refs = keys.iter().map(|(_, text)| text);
        let named = i::variant.eq_any(variants).and(i::gateway_ref.eq_any(refs));
        let found = i::pay_subscription_invoices.filter(named).load(self).map_err(failed("reading invoices"))?;
        let is_wanted = |row: &InvoiceRow| keys.iter().any(|(v, text)| (v, text) == (&row.variant, &row.gateway_ref));
        Ok(found.into_iter().filter(is_wanted).collect())
    }

    fn started_here(&mut self, keys: &[Key], tokens: &[String]) -> Result<(Vec<Key>, Vec<String>), Error> {
        let looking = || failed("looking for subscriptions started here");
        let (mut invoices, mut borne): (Vec<Key>, Vec<String>) = Default::default();
        if !keys.is_empty() {
            let variants: BTreeSet<&String> = keys.iter().map(|(variant, _)| variant).collect();
            let refs = keys.iter().map(|(_, text)| text);
            let is_ours = exists(s::pay_subscriptions.filter(s::id.eq(i::subscription_id).and(not(s::adopted))));
            let named = i::variant.eq_any(variants).and(i::gateway_ref.eq_any(refs)).and(is_ours);
            let found = i::pay_subscription_invoices.filter(named).select((i::variant, i::gateway_ref));
            invoices = found.load::<Key>(self).map_err(looking())?;
        }
        if !tokens.is_empty() {
            let bearing = s::pay_subscriptions.filter(s::token.eq_any(tokens).and(not(s::adopted)));
            borne = bearing.select(s::token).load(self).map_err(looking())?;
        }
        Ok((invoices, borne))
    }

    fn save_invoices(&mut self, rows: &[InvoiceRow]) -> Result<(), Error> {
        if rows.is_empty() { Ok(()) } else { written::save_invoices(self, rows).map_err(failed("writing invoices")) }
    }

    fn invoices_of_subscription(&mut self, subscription: SubscriptionId, cap: i64) -> Result<Vec<InvoiceRow>, Error> {
        i::pay_subscription_invoices
            .filter(i::subscription_id.eq(subscription))
            .order((i::invoiced_at.desc(), i::id.desc()))
            .limit(cap)
            .load(self)
            .map_err(failed("reading a subscription's invoices"))
    }

    fn doubtful_subscriptions(&mut self, doubts: &Doubts<'_>) -> Result<Vec<String>, Error> {
        use pay_subscription_operations::dsl as o;
        let of_it = || o::pay_subscription_operations.filter(o::subscription_id.eq(s::id));
        let by_asker = || of_it().filter(o::actor.eq(doubts.asker));
        let counts = o::state.eq(OperationState::Done).or(o::created_at.ge(doubts.unanswered));
        let of_this_doubt =
            by_asker().filter(s::as_of.is_null().or(o::created_at.nullable().ge(s::as_of))).filter(counts);
        let lately = by_asker().filter(o::created_at.ge(doubts.asked));
        let asked = of_it().filter(o::created_at.ge(doubts.asked).and(o::created_at.ge(s::updated_at)));
        s::pay_subscriptions
            .filter(s::variant.eq(doubts.variant).and(not(s::certain)).and(s::gateway_ref.is_not_null()))
            .filter(s::updated_at.le(doubts.since))
            .filter(not(exists(asked)))
            .filter(of_this_doubt.select(count_star()).single_value().lt(doubts.per_doubt))
            .filter(lately.select(count_star()).single_value().lt(doubts.per_subscription))
            .order(s::updated_at)
            .limit(doubts.limit)
            .select(s::token)
            .load(self)
            .map_err(failed("finding subscriptions that are not certain"))
    }

    fn stale_subscriptions(
        &mut self,
        variant: &str,
        before: Timestamp,
        asked: Timestamp,
        cap: i64,
    ) -> Result<Vec<String>, Error> {
        use pay_subscription_operations::dsl as o;
        let asked =
            exists(o::pay_subscription_operations.filter(o::subscription_id.eq(s::id).and(o::created_at.ge(asked))));
        s::pay_subscriptions
            .filter(s::variant.eq(variant).and(s::gateway_ref.is_not_null()))
            .filter(s::period_end.lt(before).and(s::ended_at.is_null()))
            .filter(not(asked))
            .order(s::period_end)
            .limit(cap)
            .select(s::token)
            .load(self)
            .map_err(failed("finding stale subscriptions"))
    }

    fn subscription(&mut self, id: SubscriptionId) -> Result<Option<SubscriptionRow>, Error> {
        s::pay_subscriptions.find(id).first(self).optional().map_err(failed("reading a subscription"))
    }

    fn list_subscriptions(
        &mut self,
        filter: &SubscriptionFilter,
        before: Option<SubscriptionId>,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>, Error> {
        let mut query = s::pay_subscriptions.limit(limit).into_boxed();
        for condition in lists::conditions(&SubscriptionStream::All, filter) {
            query = query.filter(condition);
        }
        if let Some(customer) = &filter.customer {
            query = query.filter(s::customer.is_not_null().and(has_address(customer)));
        }
        if let Some(customer_ref) = &filter.customer_ref {
            query = query.filter(s::customer_ref.eq(customer_ref));
        }
        if let Some(ids) = &filter.among {
            query = query.filter(s::id.eq_any(ids));
        }
        if let Some(id) = before {
            query = query.filter(s::id.lt(id));
        }
        query.order(s::id.desc()).load(self).map_err(failed("listing subscriptions"))
    }

    fn subscription_ids(
        &mut self,
        of: &SubscriptionStream,
        rest: &SubscriptionFilter,
        window: &SubscriptionWindow,
        limit: i64,
    ) -> Result<Vec<SubscriptionId>, Error> {
        lists::ids(self, of, rest, window, limit)
    }

    fn subscription_reach(
        &mut self,
        of: &SubscriptionStream,
        window: &SubscriptionWindow,
    ) -> Result<Option<SubscriptionId>, Error> {
        lists::reach(self, of, window)
    }

    fn subscription_moment(&mut self, sort: SubscriptionSort, id: SubscriptionId) -> Result<Option<MomentKey>, Error> {
        lists::moment(self, sort, id)
    }

    fn count_subscriptions(&mut self, statuses: &[SubscriptionStatus], cap: i64) -> Result<Vec<i64>, Error> {
        let count = |status: &SubscriptionStatus| {
            let those = s::pay_subscriptions.filter(s::status.eq(*status)).select(s::id).limit(cap);
            let ids: Vec<SubscriptionId> = those.load(self).map_err(failed("counting subscriptions"))?;
            Ok(ids.len() as i64)
        };
        statuses.iter().map(count).collect()
    }

    /// Goes through the primary key, newest first: where there is real money, nearly all rows are of it.
    fn has_real_subscription(&mut self) -> Result<bool, Error> {
        // In the words of the index that has them alone.
        let real = s::pay_subscriptions.filter(sql::<Nullable<Bool>>("livemode")).select(s::id).limit(1);
        let one: Option<SubscriptionId> =
            real.first(self).optional().map_err(failed("looking for a subscription of real money"))?;
        Ok(one.is_some())
    }

    fn monthly_sums(&mut self, cap: i64) -> Result<Vec<MonthlySum>, Error> {
        recurring::monthly(self, cap)
    }

    fn sums_owed(&mut self, after: SubscriptionId, limit: i64) -> Result<Vec<SubscriptionId>, Error> {
        recurring::owed(self, after, limit)
    }

    fn put_sums(&mut self, rows: &[SubscriptionRow]) -> Result<(), Error> {
        rows.iter().try_for_each(|row| recurring::put(self, row))
    }

    fn find_subscriptions(&mut self, text: &str, cap: i64) -> Result<Vec<SubscriptionId>, Error> {
        let all = || s::pay_subscriptions.select(s::id).order(s::id.desc()).limit(cap);
        let ways = [
            all().filter(s::token.eq(text)).load::<SubscriptionId>(self),
            all().filter(s::gateway_ref.eq(text)).load(self),
            all().filter(s::latest_invoice.eq(text)).load(self),
            all().filter(s::customer_ref.eq(text)).load(self),
            all().filter(s::owner.eq(text)).load(self),
            all().filter(s::customer.is_not_null().and(has_address(text))).load(self),
        ];
        let invoices = i::pay_subscription_invoices.filter(i::gateway_ref.eq(text)).limit(cap);
        let of_invoices = invoices.select(i::subscription_id).load::<SubscriptionId>(self);
        let of_account = Said::<BigInt>::new()
            .sql("SELECT id FROM pay_subscription_accounts WHERE account = ")
            .word(text)
            .sql(format!(" ORDER BY account DESC, id DESC LIMIT {cap}"));
        let of_account = of_account.load::<SubscriptionId>(self);
        let mut found = Vec::new();
        for ids in ways.into_iter().chain([of_invoices, of_account]) {
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

    fn account_of_subscription(&mut self, token: &str) -> Result<Option<String>, Error> {
        use pay_events::dsl as e;
        let its = s::pay_subscriptions.filter(s::token.eq(token)).select(s::id.nullable());
        let naming = e::pay_events.filter(e::subscription_id.eq_any(its).and(e::account.is_not_null()));
        let newest = naming.order(e::id.desc()).select(e::account).first::<Option<String>>(self).optional();
        newest.map(Option::flatten).map_err(failed("looking for a subscription's account"))
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

/// Whether the customer has this address, without regard to the case of A to Z, as the index has it.
fn has_address(text: &str) -> UncheckedBind<SqlLiteral<Bool>, AsExprOf<String, Text>> {
    sql::<Bool>(&format!("{ADDRESS} = ")).bind::<Text, _>(text.trim().to_ascii_lowercase())
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
