//! How the domain's ids and words go into columns and come out of them, for every database. A word that no release of
//! this crate wrote is an error that names its column.

use std::error::Error as StdError;
use std::fmt;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Nullable, SingleValue, Text};

use crate::domain::event::{AttemptOutcome, EventState, Source};
use crate::domain::fact::{Aspect, State};
use crate::domain::id::{
    EventId, FetchId, OperationId, PaymentId, SubscriptionId, SubscriptionOperationId, SubscriptionTransitionId,
    TransitionId,
};
use crate::domain::identifier::{GatewayRef, Reference, Token, VariantName};
use crate::domain::money::Currency;
use crate::domain::operation::{OperationState, SubscriptionVerb, Verb};
use crate::domain::payment::{MovementKind, Status};
use crate::domain::subscription::SubscriptionStatus;

/// A word in a column that is none of this crate's.
#[derive(Debug)]
pub(super) struct UnknownWord {
    /// What the column holds: `a state`.
    pub(super) expected: &'static str,
    /// The table and the column.
    pub(super) column: &'static str,
    pub(super) got: String,
}

/// How much of a stranger's word is shown, in characters.
const SHOWN: usize = 64;

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, column, got } = self;
        let shown: String = got.chars().take(SHOWN).collect();
        write!(f, "expected {expected} that this release knows in {column}, got {shown:?}")
    }
}

impl StdError for UnknownWord {}

/// A value of ours in a statement is one of `$plain`, whether or not the column may be empty.
macro_rules! said_as {
    ($own:ty, $sql:ty, $plain:ty, $value:ident => $as_plain:expr) => {
        said_as!(@ $own, $sql, $plain, $value => $as_plain);
        said_as!(@ $own, Nullable<$sql>, $plain, $value => $as_plain);
        said_as!(@ &$own, $sql, $plain, $value => $as_plain);
        said_as!(@ &$own, Nullable<$sql>, $plain, $value => $as_plain);

        impl<DB: Backend> ToSql<Nullable<$sql>, DB> for $own
        where
            Self: ToSql<$sql, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <Self as ToSql<$sql, DB>>::to_sql(self, out)
            }
        }
    };
    (@ $own:ty, $sql:ty, $plain:ty, $value:ident => $as_plain:expr) => {
        impl AsExpression<$sql> for $own {
            type Expression = <$plain as AsExpression<$sql>>::Expression;

            fn as_expression(self) -> Self::Expression {
                let $value = self;
                <$plain as AsExpression<$sql>>::as_expression($as_plain)
            }
        }
    };
}

/// A column's value as a field of a row.
macro_rules! read_as_itself {
    ($own:ty) => {
        impl<ST: SingleValue, DB: Backend> Queryable<ST, DB> for $own
        where
            Self: FromSql<ST, DB>,
        {
            type Row = Self;

            fn build(own: Self) -> deserialize::Result<Self> {
                Ok(own)
            }
        }
    };
}

macro_rules! ids {
    ($($id:ident),+) => {$(
        said_as!($id, BigInt, i64, id => id.0);
        read_as_itself!($id);

        impl<DB: Backend> ToSql<BigInt, DB> for $id
        where
            i64: ToSql<BigInt, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }

        impl<DB: Backend> FromSql<BigInt, DB> for $id
        where
            i64: FromSql<BigInt, DB>,
        {
            fn from_sql(cell: DB::RawValue<'_>) -> deserialize::Result<Self> {
                <i64 as FromSql<BigInt, DB>>::from_sql(cell).map($id)
            }
        }
    )+};
}

/// Reads words, each type out of its column.
macro_rules! words_read {
    ($($word:ident, $expected:literal in $column:literal: $parse:expr;)+) => {$(
        read_as_itself!($word);

        impl<DB: Backend> FromSql<Text, DB> for $word
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(cell: DB::RawValue<'_>) -> deserialize::Result<Self> {
                let got = <String as FromSql<Text, DB>>::from_sql(cell)?;
                let unknown = |got| UnknownWord { expected: $expected, column: $column, got }.into();
                ($parse)(&got).ok_or_else(|| unknown(got))
            }
        }
    )+};
}

macro_rules! words_written {
    ($($word:ident as $plain:ty, $value:ident => $as_plain:expr;)+) => {$(
        said_as!($word, Text, $plain, $value => $as_plain);

        impl<DB: Backend> ToSql<Text, DB> for $word
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <str as ToSql<Text, DB>>::to_sql(self.as_str(), out)
            }
        }
    )+};
}

/// Texts of a kind, for the host's own tables. Any text is read.
macro_rules! identifiers {
    ($($name:ident),+) => {$(
        words_written! { $name as String, name => name.to_string(); }
        read_as_itself!($name);

        impl<DB: Backend> FromSql<Text, DB> for $name
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(cell: DB::RawValue<'_>) -> deserialize::Result<Self> {
                <String as FromSql<Text, DB>>::from_sql(cell).map(Self::from)
            }
        }
    )+};
}

identifiers!(GatewayRef, Token, Reference, VariantName);
ids!(EventId, PaymentId, TransitionId, OperationId, FetchId);
ids!(SubscriptionId, SubscriptionTransitionId, SubscriptionOperationId);

words_read! {
    Source, "a source" in "pay_events.source": Source::parse;
    EventState, "a state" in "pay_events.state": EventState::parse;
    AttemptOutcome, "an outcome" in "pay_attempts.outcome": AttemptOutcome::parse;
    Verb, "a verb" in "pay_operations.verb": Verb::parse;
    SubscriptionVerb, "a verb" in "pay_subscription_operations.verb": SubscriptionVerb::parse;
    OperationState, "a state" in "pay_operations.state": OperationState::parse;
    Aspect, "a register" in "pay_ledger.register": Aspect::parse;
    State, "a state" in "pay_ledger.state": State::parse;
    Status, "a status" in "pay_payments.status": Status::parse;
    MovementKind, "a kind" in "pay_movements.kind": MovementKind::parse;
    FromStatus, "a status" in "pay_transitions.from_status": |word: &str| Status::parse(word).map(FromStatus);
    ToStatus, "a status" in "pay_transitions.to_status": |word: &str| Status::parse(word).map(ToStatus);
    SubscriptionStatus, "a status" in "pay_subscriptions.status": SubscriptionStatus::parse;
    Currency, "a currency" in "pay_payments.currency": |code: &str| Currency::parse(code).ok();
    LedgerCurrency, "a currency" in "pay_ledger.currency": |code: &str| Currency::parse(code).ok().map(LedgerCurrency);
}

words_written! {
    Source as &'static str, word => word.as_str();
    EventState as &'static str, word => word.as_str();
    AttemptOutcome as &'static str, word => word.as_str();
    Verb as &'static str, word => word.as_str();
    SubscriptionVerb as &'static str, word => word.as_str();
    OperationState as &'static str, word => word.as_str();
    Aspect as &'static str, word => word.as_str();
    State as &'static str, word => word.as_str();
    Status as &'static str, word => word.as_str();
    MovementKind as &'static str, word => word.as_str();
    SubscriptionStatus as &'static str, word => word.as_str();
    Currency as String, code => code.to_string();
}

/// The status before a transition, as its row is read.
pub(crate) struct FromStatus(Status);

/// The status after a transition, as its row is read.
pub(crate) struct ToStatus(Status);

/// The currency of a fact, as its row is read.
pub(crate) struct LedgerCurrency(pub(super) Currency);

impl From<FromStatus> for Status {
    fn from(FromStatus(status): FromStatus) -> Self {
        status
    }
}

impl From<ToStatus> for Status {
    fn from(ToStatus(status): ToStatus) -> Self {
        status
    }
}
