//! Table definitions of subscriptions; those of all else are in `schema`.

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_subscriptions (id) {
        id -> BigInt,
        token -> Text,
        variant -> Text,
        gateway_ref -> Nullable<Text>,
        status -> Text,
        gateway_status -> Nullable<Text>,
        owner -> Nullable<Text>,
        customer -> Nullable<Text>,
        customer_ref -> Nullable<Text>,
        items -> Text,
        period_start -> Nullable<Instant>,
        period_end -> Nullable<Instant>,
        trial_end -> Nullable<Instant>,
        cancel_at -> Nullable<Instant>,
        cancel_at_period_end -> Bool,
        canceled_at -> Nullable<Instant>,
        ended_at -> Nullable<Instant>,
        pause -> Nullable<Text>,
        latest_invoice -> Nullable<Text>,
        invoice -> Nullable<Text>,
        due_since -> Nullable<Instant>,
        certain -> Bool,
        as_of -> Nullable<Instant>,
        as_of_event -> Nullable<Text>,
        livemode -> Nullable<Bool>,
        adopted -> Bool,
        facts -> Text,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        monthly_amount -> Nullable<BigInt>,
        monthly_currency -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_subscription_transitions (id) {
        id -> BigInt,
        subscription_id -> BigInt,
        event_id -> Nullable<BigInt>,
        from_status -> Text,
        to_status -> Text,
        cause -> Text,
        state_before -> Text,
        state_after -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_subscription_operations (id) {
        id -> BigInt,
        subscription_id -> BigInt,
        variant -> Text,
        verb -> Text,
        gateway_ref -> Text,
        idempotency_key -> Text,
        actor -> Text,
        state -> Text,
        outcome -> Nullable<Text>,
        attempts -> BigInt,
        due_at -> Nullable<Instant>,
        created_at -> Instant,
        finished_at -> Nullable<Instant>,
        params -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_subscription_invoices (id) {
        id -> BigInt,
        subscription_id -> BigInt,
        variant -> Text,
        gateway_ref -> Text,
        status -> Text,
        paid -> Bool,
        invoiced_at -> Instant,
        fact -> Text,
    }
}
