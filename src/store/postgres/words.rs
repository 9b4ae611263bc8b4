//! How Postgres keeps words and payers: one statement each, as in `write`.

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};

use super::write::column;
use crate::domain::Timestamp;
use crate::store::statement::{answers, statement};
use crate::store::words::{KnownPayer, WordRow};

statement! { Pg,
    KeepWords {
        payments: Vec<i64> => Array<BigInt>,
        subscriptions: Vec<i64> => Array<BigInt>,
        words: Vec<&'a str> => Array<Text>,
        before: Vec<&'a str> => Array<Text>,
    }
    "INSERT INTO pay_words (payment_id, subscription_id, word, before) SELECT * FROM unnest({}, {}, {}, {}) \
     ON CONFLICT DO NOTHING"
}
answers!(KeepWords, PgConnection);

pub(super) fn keep(conn: &mut PgConnection, words: &[WordRow<'_>]) -> QueryResult<()> {
    if words.is_empty() {
        return Ok(());
    }
    KeepWords {
        payments: column(words, |(payment, ..)| *payment),
        subscriptions: column(words, |(_, subscription, ..)| *subscription),
        words: column(words, |(_, _, word, _)| *word),
        before: column(words, |(.., before)| *before),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}

statement! { Pg,
    OweWords {
        payments: Vec<i64> => Array<BigInt>,
        subscriptions: Vec<i64> => Array<BigInt>,
    }
    "INSERT INTO pay_words_owed (payment_id, subscription_id) SELECT * FROM unnest({}, {})"
}
answers!(OweWords, PgConnection);

pub(super) fn owe(conn: &mut PgConnection, notes: &[(i64, i64)]) -> QueryResult<()> {
    if notes.is_empty() {
        return Ok(());
    }
    OweWords {
        payments: column(notes, |(payment, _)| *payment),
        subscriptions: column(notes, |(_, subscription)| *subscription),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}

statement! { Pg,
    KeepPayers {
        payments: Vec<i64> => Array<BigInt>,
        names: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        customers: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        brands: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        last_fours: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        declines: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        told: Vec<Timestamp> => Array<Timestamptz>,
    }
    "INSERT INTO pay_payers (payment_id, name, customer_ref, card_brand, card_last_four, decline, told_at) \
     SELECT * FROM unnest({}, {}, {}, {}, {}, {}, {}) ON CONFLICT (payment_id) DO UPDATE SET name = excluded.name, \
     customer_ref = excluded.customer_ref, card_brand = excluded.card_brand, card_last_four = excluded.card_last_four, \
     decline = excluded.decline, told_at = excluded.told_at"
}
answers!(KeepPayers, PgConnection);

pub(super) fn keep_payers(conn: &mut PgConnection, payers: &[KnownPayer]) -> QueryResult<()> {
    if payers.is_empty() {
        return Ok(());
    }
    KeepPayers {
        payments: column(payers, |known| known.payment.0),
        names: column(payers, |known| known.payer.name.as_deref()),
        customers: column(payers, |known| known.payer.gateway_ref.as_deref()),
        brands: column(payers, |known| known.payer.card_brand.as_deref()),
        last_fours: column(payers, |known| known.payer.card_last_four.as_deref()),
        declines: column(payers, |known| known.payer.decline.as_deref()),
        told: column(payers, |known| known.told_at),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}
