//! The tables of questions to gateways, as `schema` has the others.

use super::schema::pay_events;

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_fetches (id) {
        id -> BigInt,
        variant -> Text,
        object_type -> Text,
        gateway_ref -> Text,
        account -> Text,
        idempotency_key -> Text,
        state -> Text,
        outcome -> Nullable<Text>,
        attempts -> BigInt,
        due_at -> Nullable<Instant>,
        created_at -> Instant,
        finished_at -> Nullable<Instant>,
        answers -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    pay_fetch_events (event_id) {
        event_id -> BigInt,
        fetch_id -> BigInt,
        after_try -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(pay_fetches, pay_fetch_events);
diesel::allow_tables_to_appear_in_same_query!(pay_fetch_events, pay_events);
