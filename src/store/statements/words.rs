//! Words go through an index of their own, a bounded part of it for each search.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super as dialect;
use super::said::Said;
use super::schema::{pay_payments, pay_subscriptions};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::domain::payer::Payer;
use crate::domain::search::{Piece, Sought};
use crate::error::Error;
use crate::store::words::{KnownPayer, Subject, Texts, WordRow, Words};

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

use pay_payers::dsl as y;
use pay_payments::dsl as p;
use pay_subscriptions::dsl as s;

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
        let subject = |(payment, subscription)| match payment {
            0 => Subject::Subscription(SubscriptionId(subscription)),
            _ => Subject::Payment(PaymentId(payment)),
        };
        Ok((rows.into_iter().map(subject).collect(), is_more))
    }

    fn payment_texts(&mut self, after: PaymentId, limit: i64) -> Result<Vec<Texts>, Error> {
        let rows = p::pay_payments
            .filter(p::id.gt(after).and(p::absorbed_by.is_null()))
            .order(p::id)
            .limit(limit)
            .select((p::id, p::reference, p::customer))
            .load(self);
        let rows: Vec<(PaymentId, Option<String>, Option<String>)> = rows.map_err(failed("reading what to index"))?;
        let texts = |(id, reference, customer)| Texts { subject: Subject::Payment(id), reference, customer };
        Ok(rows.into_iter().map(texts).collect())
    }

    fn subscription_texts(&mut self, after: SubscriptionId, limit: i64) -> Result<Vec<Texts>, Error> {
        let rows = s::pay_subscriptions
            .filter(s::id.gt(after))
            .order(s::id)
            .limit(limit)
            .select((s::id, s::owner, s::customer))
            .load(self);
        let rows: Vec<(SubscriptionId, Option<String>, Option<String>)> =
            rows.map_err(failed("reading what to index"))?;
        let texts = |(id, reference, customer)| Texts { subject: Subject::Subscription(id), reference, customer };
        Ok(rows.into_iter().map(texts).collect())
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
                gateway_ref: row.customer_ref,
                card_brand: row.card_brand,
                card_last_four: row.card_last_four,
                decline: row.decline,
            },
        };
        Ok(rows.into_iter().map(known).collect())
    }

    fn keep_payers(&mut self, payers: &[KnownPayer]) -> Result<(), Error> {
        dialect::words::keep_payers(self, payers).map_err(failed("keeping who paid"))
    }
}

/// Moves the words of a payment to the one that absorbed it, and what is known of who paid where nothing else is.
pub(super) fn absorb(conn: &mut Connection, from: PaymentId, into: PaymentId) -> QueryResult<()> {
    diesel::sql_query(format!(
        "INSERT INTO pay_words (payment_id, subscription_id, word, before) \
         SELECT {into}, 0, word, before FROM pay_words WHERE payment_id = {from} ON CONFLICT DO NOTHING"
    ))
    .execute(conn)?;
    diesel::sql_query(format!("DELETE FROM pay_words WHERE payment_id = {from}")).execute(conn)?;
    diesel::sql_query(format!(
        "INSERT INTO pay_payers (payment_id, name, customer_ref, card_brand, card_last_four, decline, told_at) \
         SELECT {into}, name, customer_ref, card_brand, card_last_four, decline, told_at FROM pay_payers \
         WHERE payment_id = {from} ON CONFLICT DO NOTHING"
    ))
    .execute(conn)?;
    diesel::delete(y::pay_payers.filter(y::payment_id.eq(from))).execute(conn).map(drop)
}
