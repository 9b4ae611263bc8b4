//! Table definitions of comparisons with gateways; those of all else are in `schema`.

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_drift (variant) {
        variant -> Text,
        since -> Instant,
        until -> Instant,
        place -> Nullable<Text>,
        compared -> BigInt,
        unanswered -> BigInt,
        why -> Nullable<Text>,
        begun_at -> Instant,
        ended_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_differences (id) {
        id -> BigInt,
        variant -> Text,
        subject -> Text,
        name -> Text,
        object_type -> Nullable<Text>,
        fields -> Text,
        found_at -> Instant,
        seen_at -> Instant,
    }
}
