//! How Postgres writes movements and their totals: one statement each, as in `write`.

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz};

use super::write::column;
use crate::domain::Timestamp;
use crate::store::books::{MonthKey, NewMovement, Total};
use crate::store::statement::{answers, statement};

statement! { Pg,
    AddMovements {
        payments: Vec<i64> => Array<BigInt>,
        variants: Vec<&'a str> => Array<Text>,
        kinds: Vec<&'a str> => Array<Text>,
        amounts: Vec<i64> => Array<BigInt>,
        currencies: Vec<&'a str> => Array<Text>,
        modes: Vec<&'a str> => Array<Text>,
        moved: Vec<Timestamp> => Array<Timestamptz>,
        refs: Vec<&'a str> => Array<Text>,
    }
    "INSERT INTO pay_movements (payment_id, variant, kind, amount, currency, mode, moved_at, gateway_ref) \
     SELECT p, v, k, a, c, m, at, r FROM unnest({}, {}, {}, {}, {}, {}, {}, {}) WITH ORDINALITY \
     AS u (p, v, k, a, c, m, at, r, place) ORDER BY place"
}
answers!(AddMovements, PgConnection);

pub(super) fn add(conn: &mut PgConnection, new: &[NewMovement]) -> QueryResult<()> {
    AddMovements {
        payments: column(new, |one| one.payment_id.0),
        variants: column(new, |one| one.variant.as_str()),
        kinds: column(new, |one| one.kind.as_str()),
        amounts: column(new, |one| one.amount),
        currencies: column(new, |one| one.currency.as_str()),
        modes: column(new, |one| one.mode),
        moved: column(new, |one| one.moved_at),
        refs: column(new, |one| one.gateway_ref.as_str()),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}

statement! { Pg,
    AddToMonths {
        modes: Vec<&'a str> => Array<Text>,
        months: Vec<&'a str> => Array<Text>,
        variants: Vec<&'a str> => Array<Text>,
        currencies: Vec<&'a str> => Array<Text>,
        kinds: Vec<&'a str> => Array<Text>,
        counts: Vec<i64> => Array<BigInt>,
        amounts: Vec<i64> => Array<BigInt>,
    }
    "INSERT INTO pay_movement_months AS t (mode, month, variant, currency, kind, count, amount) \
     SELECT m, mo, v, c, k, n, a FROM unnest({}, {}, {}, {}, {}, {}, {}) WITH ORDINALITY \
     AS u (m, mo, v, c, k, n, a, place) ORDER BY place ON CONFLICT (mode, month, variant, currency, kind) \
     DO UPDATE SET count = t.count + excluded.count, amount = t.amount + excluded.amount"
}
answers!(AddToMonths, PgConnection);

pub(super) fn add_to_months(conn: &mut PgConnection, totals: &[(MonthKey, Total)]) -> QueryResult<()> {
    AddToMonths {
        modes: column(totals, |(key, _)| key.mode.as_str()),
        months: column(totals, |(key, _)| key.month.as_str()),
        variants: column(totals, |(key, _)| key.variant.as_str()),
        currencies: column(totals, |(key, _)| key.currency.as_str()),
        kinds: column(totals, |(key, _)| key.kind),
        counts: column(totals, |(_, total)| total.count),
        amounts: column(totals, |(_, total)| total.amount),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}
