//! How SQLite keeps words and payers: row by row, as in `write`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, TimestamptzSqlite};
use diesel::sqlite::Sqlite;

use crate::domain::Timestamp;
use crate::store::statement::{answers, statement};
use crate::store::words::{KnownPayer, WordRow};

statement! { Sqlite,
    KeepWord {
        payment: i64 => BigInt,
        subscription: i64 => BigInt,
        word: &'a str => Text,
        before: &'a str => Text,
    }
    "INSERT INTO pay_words (payment_id, subscription_id, word, before) VALUES ({}, {}, {}, {}) ON CONFLICT DO NOTHING"
}
answers!(KeepWord, SqliteConnection);

pub(super) fn keep(conn: &mut SqliteConnection, words: &[WordRow<'_>]) -> QueryResult<()> {
    for (payment, subscription, word, before) in words.iter().copied() {
        KeepWord { payment, subscription, word, before, _borrows: Default::default() }.execute(conn)?;
    }
    Ok(())
}

statement! { Sqlite,
    OweWords {
        payment: i64 => BigInt,
        subscription: i64 => BigInt,
    }
    "INSERT INTO pay_words_owed (payment_id, subscription_id) VALUES ({}, {})"
}
answers!(OweWords, SqliteConnection);

pub(super) fn owe(conn: &mut SqliteConnection, notes: &[(i64, i64)]) -> QueryResult<()> {
    for (payment, subscription) in notes.iter().copied() {
        OweWords { payment, subscription, _borrows: Default::default() }.execute(conn)?;
    }
    Ok(())
}

statement! { Sqlite,
    KeepPayer {
        payment: i64 => BigInt,
        name: Option<&'a str> => Nullable<Text>,
        customer: Option<&'a str> => Nullable<Text>,
        brand: Option<&'a str> => Nullable<Text>,
        last_four: Option<&'a str> => Nullable<Text>,
        decline: Option<&'a str> => Nullable<Text>,
        told: Timestamp => TimestamptzSqlite,
    }
    "INSERT INTO pay_payers (payment_id, name, customer_ref, card_brand, card_last_four, decline, told_at) \
     VALUES ({}, {}, {}, {}, {}, {}, {}) ON CONFLICT (payment_id) DO UPDATE SET name = excluded.name, \
     customer_ref = excluded.customer_ref, card_brand = excluded.card_brand, card_last_four = excluded.card_last_four, \
     decline = excluded.decline, told_at = excluded.told_at"
}
answers!(KeepPayer, SqliteConnection);

pub(super) fn keep_payers(conn: &mut SqliteConnection, payers: &[KnownPayer]) -> QueryResult<()> {
    for KnownPayer { payment, payer, told_at } in payers {
        KeepPayer {
            payment: payment.0,
            name: payer.name.as_deref(),
            customer: payer.gateway_ref.as_deref(),
            brand: payer.card_brand.as_deref(),
            last_four: payer.card_last_four.as_deref(),
            decline: payer.decline.as_deref(),
            told: *told_at,
            _borrows: Default::default(),
        }
        .execute(conn)?;
    }
    Ok(())
}
