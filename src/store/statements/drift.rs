//! Comparisons with gateways: a row a variant, a row for each difference, and walks along primary keys.

use diesel::dsl::{exists, max};
use diesel::prelude::*;

use super::drift_schema::pay_differences::dsl as d;
use super::drift_schema::pay_drift::dsl as c;
use super::schema::{pay_payments, pay_references, pay_subscriptions};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::domain::payment::Status;
use crate::domain::subscription::SubscriptionStatus;
use crate::error::Error;
use crate::store::drift::{Comparisons, DifferenceRow, DriftRow, Walk};

impl Comparisons for Connection {
    fn comparisons(&mut self) -> Result<Vec<DriftRow>, Error> {
        c::pay_drift.order(c::variant).load(self).map_err(failed("reading comparisons"))
    }

    fn keep_comparison(&mut self, row: &DriftRow) -> Result<(), Error> {
        let what = (
            c::since.eq(row.since),
            c::until.eq(row.until),
            c::place.eq(&row.place),
            c::compared.eq(row.compared),
            c::unanswered.eq(row.unanswered),
            c::why.eq(&row.why),
            c::begun_at.eq(row.begun_at),
            c::ended_at.eq(row.ended_at),
        );
        diesel::insert_into(c::pay_drift)
            .values((c::variant.eq(&row.variant), what))
            .on_conflict(c::variant)
            .do_update()
            .set(what)
            .execute(self)
            .map(drop)
            .map_err(failed("writing a comparison"))
    }

    fn keep_difference(&mut self, row: &DifferenceRow) -> Result<(), Error> {
        let found = (d::object_type.eq(&row.object_type), d::fields.eq(&row.fields), d::seen_at.eq(row.seen_at));
        let about = (d::variant.eq(&row.variant), d::subject.eq(&row.subject), d::name.eq(&row.name));
        diesel::insert_into(d::pay_differences)
            .values((about, found, d::found_at.eq(row.found_at)))
            .on_conflict((d::variant, d::subject, d::name))
            .do_update()
            .set(found)
            .execute(self)
            .map(drop)
            .map_err(failed("writing a difference"))
    }

    fn forget_differences(&mut self, variant: &str, agreeing: &[(String, String)]) -> Result<(), Error> {
        for (subject, name) in agreeing {
            let about = d::variant.eq(variant).and(d::subject.eq(subject)).and(d::name.eq(name));
            let gone = diesel::delete(d::pay_differences.filter(about)).execute(self);
            gone.map_err(failed("forgetting a difference"))?;
        }
        Ok(())
    }

    fn forget_differences_before(&mut self, variant: &str, seen: Timestamp) -> Result<(), Error> {
        diesel::delete(d::pay_differences.filter(d::variant.eq(variant).and(d::seen_at.lt(seen))))
            .execute(self)
            .map(drop)
            .map_err(failed("forgetting differences"))
    }

    fn differences(&mut self, variant: Option<&str>, after: i64, limit: i64) -> Result<Vec<DifferenceRow>, Error> {
        let mut query = d::pay_differences.filter(d::id.gt(after)).order(d::id).limit(limit).into_boxed();
        if let Some(variant) = variant {
            query = query.filter(d::variant.eq(variant));
        }
        query.load(self).map_err(failed("reading differences"))
    }

    fn differing_variants(&mut self, most: usize) -> Result<Vec<String>, Error> {
        let mut found: Vec<String> = Vec::new();
        while found.len() < most {
            let last = found.last().map_or("", String::as_str);
            let next = d::pay_differences.filter(d::variant.gt(last)).order(d::variant).select(d::variant);
            let next = next.first(self).optional().map_err(failed("reading differences"))?;
            let Some(next) = next else { break };
            found.push(next);
        }
        Ok(found)
    }

    fn differed(&mut self, variant: &str, cap: i64) -> Result<Vec<Timestamp>, Error> {
        let found = d::pay_differences.filter(d::variant.eq(variant)).limit(cap).select(d::found_at);
        found.load(self).map_err(failed("reading differences"))
    }

    fn has_differing_objects(&mut self, variant: &str, names: &[String]) -> Result<bool, Error> {
        let noted = d::variant.eq(variant).and(d::subject.eq("object")).and(d::name.eq_any(names));
        diesel::select(exists(d::pay_differences.filter(noted)))
            .get_result(self)
            .map_err(failed("looking for a difference"))
    }

    fn difference(&mut self, id: i64) -> Result<Option<DifferenceRow>, Error> {
        d::pay_differences.find(id).first(self).optional().map_err(failed("reading a difference"))
    }

    fn payments_to_compare(
        &mut self,
        walk: &Walk<'_>,
        since: Timestamp,
        only_open: bool,
    ) -> Result<Vec<(PaymentId, String)>, Error> {
        use {pay_payments::dsl as p, pay_references::dsl as r};
        let is_known = exists(r::pay_references.filter(r::payment_id.eq(p::id)));
        let mut query = p::pay_payments
            .filter(p::id.gt(PaymentId(walk.after)).and(p::id.le(PaymentId(walk.upto))))
            .filter(p::variant.eq(walk.variant).and(p::absorbed_by.is_null()).and(is_known))
            .order(p::id)
            .limit(walk.limit)
            .select((p::id, p::token))
            .into_boxed();
        let is_open = p::status.eq_any([Status::Pending, Status::Authorized]);
        // The gateway's lists show what is the merchant's own.
        let is_of_account = p::account.is_not_null().and(p::account.assume_not_null().ne(""));
        let is_unlisted = is_of_account.and(p::created_at.ge(since));
        query = if only_open {
            query.filter(is_open.or(is_unlisted))
        } else {
            query.filter(p::created_at.ge(since).or(is_open))
        };
        query.load(self).map_err(failed("walking through payments"))
    }

    fn subscriptions_to_compare(&mut self, walk: &Walk<'_>) -> Result<Vec<(SubscriptionId, String)>, Error> {
        use pay_subscriptions::dsl as s;
        s::pay_subscriptions
            .filter(s::id.gt(SubscriptionId(walk.after)).and(s::id.le(SubscriptionId(walk.upto))))
            .filter(s::variant.eq(walk.variant).and(s::gateway_ref.is_not_null()))
            .filter(s::status.ne_all([SubscriptionStatus::Canceled, SubscriptionStatus::Expired]))
            .order(s::id)
            .limit(walk.limit)
            .select((s::id, s::token))
            .load(self)
            .map_err(failed("walking through subscriptions"))
    }

    fn last_subscription(&mut self) -> Result<Option<SubscriptionId>, Error> {
        use pay_subscriptions::dsl as s;
        s::pay_subscriptions.select(max(s::id)).first(self).map_err(failed("reading the last subscription"))
    }
}
