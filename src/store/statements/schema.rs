//! Which columns have the tables? In the order of the row structs, so that a query's columns are a row.

pub(crate) use super::subscription_schema::{
    pay_subscription_invoices, pay_subscription_operations, pay_subscription_transitions, pay_subscriptions,
};

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_payments (id) {
        id -> BigInt,
        token -> Text,
        reference -> Nullable<Text>,
        variant -> Text,
        status -> Text,
        amount -> BigInt,
        captured_amount -> BigInt,
        refunded_amount -> BigInt,
        currency -> Text,
        needs_review -> Bool,
        disputed -> Bool,
        concerns -> Text,
        customer -> Nullable<Text>,
        livemode -> Nullable<Bool>,
        metadata -> Nullable<Text>,
        adopted -> Bool,
        absorbed_by -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        lost_amount -> BigInt,
        account -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_ledger (payment_id, register, gateway_ref) {
        payment_id -> BigInt,
        register -> Text,
        gateway_ref -> Text,
        state -> Text,
        amount -> Nullable<BigInt>,
        face_amount -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        parent_ref -> Nullable<Text>,
        since -> Nullable<Instant>,
        occurred_at -> Instant,
        event_id -> Text,
        until -> Nullable<Instant>,
        livemode -> Nullable<Bool>,
        earlier -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    pay_references (variant, gateway_ref) {
        variant -> Text,
        gateway_ref -> Text,
        payment_id -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_events (id) {
        id -> BigInt,
        variant -> Text,
        gateway_event_id -> Text,
        source -> Text,
        kind -> Text,
        state -> Text,
        outcome_code -> Nullable<Text>,
        outcome -> Nullable<Text>,
        payment_id -> Nullable<BigInt>,
        matched_by -> Nullable<Text>,
        livemode -> Nullable<Bool>,
        api_version -> Nullable<Text>,
        account -> Nullable<Text>,
        secret -> Nullable<Text>,
        skew_seconds -> Nullable<BigInt>,
        occurred_at -> Nullable<Instant>,
        received_at -> Instant,
        last_delivered_at -> Instant,
        finished_at -> Nullable<Instant>,
        deliveries -> BigInt,
        attempts -> BigInt,
        claims -> BigInt,
        due_at -> Nullable<Instant>,
        requeued_at -> Nullable<Instant>,
        subscription_id -> Nullable<BigInt>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    pay_event_bodies (event_id) {
        event_id -> BigInt,
        headers -> Text,
        body -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    pay_event_facts (event_id) {
        event_id -> BigInt,
        summary -> Text,
        facts -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    pay_event_references (event_id, gateway_ref) {
        event_id -> BigInt,
        variant -> Text,
        gateway_ref -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_transitions (id) {
        id -> BigInt,
        payment_id -> BigInt,
        event_id -> Nullable<BigInt>,
        from_status -> Text,
        to_status -> Text,
        needs_review -> Bool,
        disputed -> Bool,
        cause -> Text,
        created_at -> Instant,
        dispute -> Nullable<Text>,
        dispute_from -> Nullable<Text>,
        dispute_fact -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_attempts (id) {
        id -> BigInt,
        event_id -> BigInt,
        transition_id -> Nullable<BigInt>,
        handler -> Text,
        attempt -> BigInt,
        outcome -> Text,
        error -> Nullable<Text>,
        started_at -> Instant,
        finished_at -> Instant,
        subscription_transition_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_audit (id) {
        id -> BigInt,
        actor -> Text,
        act -> Text,
        event_id -> Nullable<BigInt>,
        payment_id -> Nullable<BigInt>,
        address -> Nullable<Text>,
        created_at -> Instant,
        variant -> Nullable<Text>,
        detail -> Nullable<Text>,
        subscription_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_hours (hour, variant, outcome, currency) {
        hour -> Instant,
        variant -> Text,
        outcome -> Text,
        currency -> Text,
        count -> BigInt,
        amount -> BigInt,
        last_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_operations (id) {
        id -> BigInt,
        payment_id -> BigInt,
        variant -> Text,
        verb -> Text,
        amount -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        gateway_refs -> Text,
        idempotency_key -> Text,
        actor -> Text,
        state -> Text,
        outcome -> Nullable<Text>,
        attempts -> BigInt,
        due_at -> Nullable<Instant>,
        created_at -> Instant,
        finished_at -> Nullable<Instant>,
        awaited_since -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_chores (name) {
        name -> Text,
        due_at -> Instant,
        done_to -> Nullable<Instant>,
        ran_at -> Nullable<Instant>,
        note -> Nullable<Text>,
        place -> Nullable<BigInt>,
        failing_since -> Nullable<Instant>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_pruned (event_id) {
        event_id -> BigInt,
        pruned_at -> Instant,
        kept_seconds -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_alarms (name) {
        name -> Text,
        sentence -> Text,
        path -> Text,
        begun_at -> Instant,
        seen_at -> Instant,
        over_at -> Nullable<Instant>,
        told -> Bool,
        attempts -> BigInt,
        due_at -> Nullable<Instant>,
        urgent -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    pay_creations (host_key) {
        host_key -> Text,
        payment_id -> BigInt,
        address -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    pay_payments,
    pay_ledger,
    pay_references,
    pay_events,
    pay_event_bodies,
    pay_event_facts,
    pay_pruned,
    pay_event_references,
    pay_transitions,
    pay_attempts,
    pay_audit,
    pay_hours,
    pay_operations,
    pay_chores,
    pay_subscriptions,
    pay_subscription_transitions,
    pay_subscription_operations,
    pay_subscription_invoices,
);
