//! The tables of the books, in the order of the row structs.

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_movements (id) {
        id -> BigInt,
        payment_id -> BigInt,
        variant -> Text,
        kind -> Text,
        amount -> BigInt,
        currency -> Text,
        mode -> Text,
        moved_at -> Instant,
        gateway_ref -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    pay_movement_months (mode, month, variant, currency, kind) {
        mode -> Text,
        month -> Text,
        variant -> Text,
        currency -> Text,
        kind -> Text,
        count -> BigInt,
        amount -> BigInt,
    }
}
