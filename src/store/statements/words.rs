//! Words go through an index of their own, a bounded part of it for each search.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super as dialect;
use super::said::Said;
use super::schema::{pay_audit, pay_payments, pay_subscriptions};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::domain::note;
use crate::domain::payer::Payer;
use crate::domain::search::{Piece, Sought};
use crate::error::Error;
use crate::store::filters::Span;
use crate::store::words::{End, KnownPayer, Owed, Subject, Texts, WordRow, Words};

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_payers (payment_id) {
        payment_id -> BigInt,
        name -> Nullable<Text>,
        customer_ref -> Nullable<Text>,
        card_brand -> Nullable<Text>,
        card_last_four -> Nullable<Text>,
        decline -> Nullable<Text>,
        told_at -> Instant,
    }
}

diesel::table! {
    pay_words_owed (id) {
        id -> BigInt,
        payment_id -> BigInt,
        subscription_id -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(pay_payers, pay_payments);

use pay_audit::dsl as a;
use pay_payers::dsl as y;
use pay_payments::dsl as p;
use pay_subscriptions::dsl as s;
use pay_words_owed::dsl as o;

#[derive(Queryable)]
struct PayerRow {
    payment_id: PaymentId,
    name: Option<String>,
    customer_ref: Option<String>,
    card_brand: Option<String>,
    card_last_four: Option<String>,
    decline: Option<String>,
    told_at: Timestamp,
}

/// In the order of the rows, so that two who write the same wait for each other in one order.
fn in_order(words: &[(Subject, Piece)]) -> Vec<WordRow<'_>> {
    let mut rows: Vec<WordRow<'_>> = Vec::with_capacity(words.len());
    for (subject, piece) in words {
        let (payment, subscription) = subject.columns();
        rows.push((payment, subscription, &piece.word, &piece.before));
    }
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// How many words are looked at for those that have the right character before them.
const DEPTH: i64 = 6_000;

/// A look at so many words of a range, in their order.
fn looked<'a, T>(sought: &'a Sought, columns: &str, depth: i64) -> Said<'a, T> {
    Said::new()
        .sql(format!("SELECT {columns} FROM (SELECT payment_id, subscription_id, before FROM pay_words WHERE word >= "))
        .word(&sought.from)
        .sql(" AND word <= ")
        .word(&sought.to)
        .sql(format!(" ORDER BY word, before, payment_id, subscription_id LIMIT {depth}) AS looked"))
}

impl Words for Connection {
    fn owe_words(&mut self, subjects: &[Subject]) -> Result<(), Error> {
        let mut notes: Vec<(i64, i64)> = subjects.iter().map(|subject| subject.columns()).collect();
        notes.sort_unstable();
        notes.dedup();
        dialect::words::owe(self, &notes).map_err(failed("noting whose words are to be written"))
    }

    fn words_owed(&mut self, end: End, limit: i64) -> Result<Vec<Owed>, Error> {
        let notes = o::pay_words_owed.limit(limit);
        let rows: Vec<(i64, i64, i64)> = match end {
            End::Oldest => notes.order(o::id).load(self),
            End::Newest => notes.order(o::id.desc()).load(self),
        }
        .map_err(failed("reading whose words are to be written"))?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let payments: Vec<PaymentId> = rows.iter().map(|(_, payment, _)| PaymentId(*payment)).collect();
        // A note on a payment may be written while another payment absorbs it.
        let absorbed = p::pay_payments.filter(p::id.eq_any(&payments).and(p::absorbed_by.is_not_null()));
        let absorbed = absorbed.select((p::id, p::absorbed_by.assume_not_null())).load(self);
        let into: HashMap<PaymentId, PaymentId> =
            absorbed.map_err(failed("reading absorbed payments"))?.into_iter().collect();
        let owed = |(id, payment, subscription)| match into.get(&PaymentId(payment)) {
            Some(into) => (id, Subject::Payment(*into)),
            None => (id, subject((payment, subscription))),
        };
        Ok(rows.into_iter().map(owed).collect())
    }

    fn words_paid(&mut self, notes: &[i64]) -> Result<(), Error> {
        let paid = diesel::delete(o::pay_words_owed.filter(o::id.eq_any(notes)));
        paid.execute(self).map(drop).map_err(failed("noting whose words are written"))
    }

    fn hold_subjects(&mut self, subjects: &[Subject]) -> Result<(), Error> {
        let (payments, subscriptions) = apart(subjects);
        dialect::hold_rows(self, &payments, &subscriptions).map_err(failed("locking what is to be found"))
    }

    fn texts_to_find(&mut self, subjects: &[Subject]) -> Result<Vec<Texts>, Error> {
        let (payments, subscriptions) = apart(subjects);
        let mut texts = Vec::new();
        if !payments.is_empty() {
            let rows = p::pay_payments.filter(p::id.eq_any(&payments).and(p::absorbed_by.is_null()));
            let rows = rows.select((p::id, p::reference, p::customer)).load(self);
            texts.extend(texts_of_payments(self, rows)?);
        }
        if !subscriptions.is_empty() {
            let rows = s::pay_subscriptions.filter(s::id.eq_any(&subscriptions));
            texts.extend(texts_of_subscriptions(rows.select((s::id, s::owner, s::customer)).load(self))?);
        }
        Ok(texts)
    }

    fn keep_words(&mut self, words: &[(Subject, Piece)]) -> Result<(), Error> {
        dialect::words::keep(self, &in_order(words)).map_err(failed("keeping words"))
    }

    fn with_words(&mut self, sought: &Sought, cap: i64) -> Result<(Vec<Subject>, bool), Error> {
        let what = "searching words";
        let depth = if sought.before.is_some() { DEPTH } else { cap };
        let rows = looked::<(BigInt, BigInt)>(sought, "payment_id, subscription_id", depth);
        let rows = match &sought.before {
            Some(before) => rows.sql(" WHERE before = ").word(before),
            None => rows,
        };
        let rows: Vec<(i64, i64)> = rows.sql(format!(" LIMIT {cap}")).load(self).map_err(failed(what))?;
        let is_more = rows.len() as i64 == cap
            || sought.before.is_some() && {
                let seen: i64 = looked::<BigInt>(sought, "count(*)", depth).get_result(self).map_err(failed(what))?;
                seen == depth
            };
        Ok((rows.into_iter().map(subject).collect(), is_more))
    }

    fn subjects_after(&mut self, last: Subject, limit: i64) -> Result<Vec<Subject>, Error> {
        let what = "reading what to index";
        match last {
            Subject::Payment(id) => {
                let ids = p::pay_payments.filter(p::id.gt(id)).order(p::id).limit(limit).select(p::id);
                let ids: Vec<PaymentId> = ids.load(self).map_err(failed(what))?;
                Ok(ids.into_iter().map(Subject::Payment).collect())
            }
            Subject::Subscription(id) => {
                let ids = s::pay_subscriptions.filter(s::id.gt(id)).order(s::id).limit(limit).select(s::id);
                let ids: Vec<SubscriptionId> = ids.load(self).map_err(failed(what))?;
                Ok(ids.into_iter().map(Subject::Subscription).collect())
            }
        }
    }

    fn forget_words(&mut self, payments: &[i64], subscriptions: &[i64]) -> Result<(), Error> {
        let whose = [
            ("pay_words", "payment_id", payments),
            ("pay_words", "payment_id = 0 AND subscription_id", subscriptions),
            ("pay_payers", "payment_id", payments),
        ];
        for (table, column, ids) in whose {
            for some in ids.chunks(500) {
                let ids: Vec<String> = some.iter().map(i64::to_string).collect();
                diesel::sql_query(format!("DELETE FROM {table} WHERE {column} IN ({})", ids.join(", ")))
                    .execute(self)
                    .map_err(failed("forgetting words"))?;
            }
        }
        Ok(())
    }

    fn payers_of(&mut self, payments: &[PaymentId]) -> Result<Vec<KnownPayer>, Error> {
        if payments.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<PayerRow> =
            y::pay_payers.filter(y::payment_id.eq_any(payments)).load(self).map_err(failed("reading who paid"))?;
        let known = |row: PayerRow| KnownPayer {
            payment: row.payment_id,
            told_at: row.told_at,
            payer: Payer {
                name: row.name,
                gateway_ref: row.customer_ref.map(Into::into),
                card_brand: row.card_brand,
                card_last_four: row.card_last_four,
                decline: row.decline,
            },
        };
        Ok(rows.into_iter().map(known).collect())
    }

    fn payments_of_payer(
        &mut self,
        (variant, customer_ref): (&str, &str),
        ids: Span<i64>,
        end: End,
        limit: i64,
    ) -> Result<Vec<PaymentId>, Error> {
        let of_variant = p::pay_payments.filter(p::id.eq(y::payment_id).and(p::variant.eq(variant)));
        let payments = y::pay_payers
            .filter(y::customer_ref.is_not_null().and(y::customer_ref.eq(customer_ref)))
            .filter(y::payment_id.gt(PaymentId(ids.above)).and(y::payment_id.lt(PaymentId(ids.below))))
            .filter(exists(of_variant.filter(p::absorbed_by.is_null())))
            .limit(limit)
            .select(y::payment_id);
        match end {
            End::Oldest => payments.order(y::payment_id).load(self),
            End::Newest => payments.order(y::payment_id.desc()).load(self),
        }
        .map_err(failed("reading a payer's payments"))
    }

    fn keep_payers(&mut self, payers: &[KnownPayer]) -> Result<(), Error> {
        dialect::words::keep_payers(self, payers).map_err(failed("keeping who paid"))
    }
}

fn apart(subjects: &[Subject]) -> (Vec<PaymentId>, Vec<SubscriptionId>) {
    let (mut payments, mut subscriptions) = (Vec::new(), Vec::new());
    for subject in subjects {
        match subject {
            Subject::Payment(id) => payments.push(*id),
            Subject::Subscription(id) => subscriptions.push(*id),
        }
    }
    (payments, subscriptions)
}

fn subject((payment, subscription): (i64, i64)) -> Subject {
    match payment {
        0 => Subject::Subscription(SubscriptionId(subscription)),
        _ => Subject::Payment(PaymentId(payment)),
    }
}

/// Rows with an order number and an address.
type Named<Id> = QueryResult<Vec<(Id, Option<String>, Option<String>)>>;

fn texts_of_payments(conn: &mut Connection, rows: Named<PaymentId>) -> Result<Vec<Texts>, Error> {
    let rows = rows.map_err(failed("reading what to index"))?;
    let ids: Vec<PaymentId> = rows.iter().map(|(id, ..)| *id).collect();
    let known = conn.payers_of(&ids)?.into_iter();
    let mut payers: HashMap<PaymentId, Payer> = known.map(|known| (known.payment, known.payer)).collect();
    let mut written = notes_of(conn, &ids)?;
    let texts = rows.into_iter().map(|(id, reference, customer)| {
        let (payer, notes) = (payers.remove(&id).unwrap_or_default(), written.remove(&id).unwrap_or_default());
        Texts { subject: Subject::Payment(id), reference, customer, payer, notes }
    });
    Ok(texts.collect())
}

/// What people wrote down about these payments, about those that they absorbed, and about their events. Only the payments
/// are left to an index: those of one have few acts, and notes there are many.
fn notes_of(conn: &mut Connection, payments: &[PaymentId]) -> Result<HashMap<PaymentId, Vec<String>>, Error> {
    let absorbed = p::pay_payments.filter(p::absorbed_by.eq_any(payments));
    let absorbed = absorbed.select((p::id, p::absorbed_by.assume_not_null()));
    let absorbed: Vec<(PaymentId, PaymentId)> = absorbed.load(conn).map_err(failed("reading absorbed payments"))?;
    let into: HashMap<PaymentId, PaymentId> = absorbed.into_iter().collect();
    let of: Vec<Option<PaymentId>> = payments.iter().chain(into.keys()).copied().map(Some).collect();
    let acts = a::pay_audit.filter(a::payment_id.eq_any(of));
    let acts = acts.select((a::payment_id.assume_not_null(), a::act, a::detail));
    let rows: Vec<(PaymentId, String, Option<String>)> = acts.load(conn).map_err(failed("reading notes"))?;
    let mut written = HashMap::<PaymentId, Vec<String>>::new();
    for (payment, _, detail) in rows.into_iter().filter(|(_, act, _)| act == note::ACT) {
        written.entry(into.get(&payment).copied().unwrap_or(payment)).or_default().extend(detail);
    }
    Ok(written)
}

fn texts_of_subscriptions(rows: Named<SubscriptionId>) -> Result<Vec<Texts>, Error> {
    let texts = rows.map_err(failed("reading what to index"))?.into_iter().map(|(id, reference, customer)| Texts {
        subject: Subject::Subscription(id),
        reference,
        customer,
        payer: Payer::default(),
        notes: Vec::new(),
    });
    Ok(texts.collect())
}

/// Of a payment that another one absorbed: its words go, those of the other are owed, and it takes over what is known
/// of who paid where it knows nothing.
pub(super) fn absorb(conn: &mut Connection, from: PaymentId, into: PaymentId) -> QueryResult<()> {
    dialect::words::owe(conn, &[Subject::Payment(into).columns()])?;
    diesel::sql_query(format!("DELETE FROM pay_words WHERE payment_id = {from}")).execute(conn)?;
    diesel::sql_query(format!(
        "INSERT INTO pay_payers (payment_id, name, customer_ref, card_brand, card_last_four, decline, told_at) \
         SELECT {into}, name, customer_ref, card_brand, card_last_four, decline, told_at FROM pay_payers \
         WHERE payment_id = {from} ON CONFLICT DO NOTHING"
    ))
    .execute(conn)?;
    diesel::delete(y::pay_payers.filter(y::payment_id.eq(from))).execute(conn).map(drop)
}
