//! What the desk reads beside payments and events: movements and their months, disputes, who paid, the words of a
//! search, and groups of failures; made of the rows that are there, by the database itself.

/// The statements that fill their tables.
pub(crate) fn statements(sqlite: bool) -> Vec<String> {
    let month = if sqlite { "substr(moved_at, 1, 7)" } else { "to_char(moved_at AT TIME ZONE 'UTC', 'YYYY-MM')" };
    // Every second place of an address and of an order number, as the pieces of a text are.
    let places = "(SELECT 1 AS n UNION ALL SELECT 3 UNION ALL SELECT 5 UNION ALL SELECT 7 UNION ALL SELECT 9 \
                  UNION ALL SELECT 11) AS places";
    let words = |text: &str, of: &str| {
        format!(
            "INSERT INTO pay_words (payment_id, word, before) SELECT id, substr({text}, n, 24), \
             CASE WHEN n = 1 THEN '' ELSE substr({text}, n - 1, 1) END FROM {of}, {places} \
             WHERE n < length({text}) - 2 ON CONFLICT DO NOTHING"
        )
    };
    vec![
        "INSERT INTO pay_movements (payment_id, variant, kind, amount, currency, mode, moved_at, gateway_ref) \
         SELECT id, variant, 'capture', amount, currency, CASE WHEN livemode THEN 'live' ELSE 'test' END, created_at, \
         'pi_' || id FROM pay_payments WHERE status IN ('paid', 'refunded', 'partially_refunded')"
            .to_owned(),
        "INSERT INTO pay_movements (payment_id, variant, kind, amount, currency, mode, moved_at, gateway_ref) \
         SELECT id, variant, 'refund', -amount, currency, CASE WHEN livemode THEN 'live' ELSE 'test' END, created_at, \
         're_' || id FROM pay_payments WHERE status = 'refunded'"
            .to_owned(),
        format!(
            "INSERT INTO pay_movement_months (mode, month, variant, currency, kind, count, amount) \
             SELECT mode, {month} AS month, variant, currency, kind, count(*), sum(amount) FROM pay_movements \
             GROUP BY mode, 2, variant, currency, kind"
        ),
        "INSERT INTO pay_ledger (payment_id, register, gateway_ref, state, amount, currency, occurred_at, event_id) \
         SELECT id, 'dispute', 'dp_' || id, CASE WHEN id % 3 = 0 THEN 'open' WHEN id % 3 = 1 THEN 'won' ELSE 'lost' END, \
         amount, currency, created_at, 'evt_' || id FROM pay_payments WHERE id % 500 = 3"
            .to_owned(),
        "INSERT INTO pay_payers (payment_id, name, card_brand, card_last_four, told_at) SELECT id, \
         'Customer Number' || (id % 9973), 'visa', CAST(1000 + id % 8999 AS TEXT), created_at FROM pay_payments"
            .to_owned(),
        words("lower(customer)", "pay_payments"),
        words("lower(reference)", "pay_payments"),
        words("card_last_four", "(SELECT payment_id AS id, card_last_four FROM pay_payers) AS payers")
            .replace(places, "(SELECT 1 AS n) AS places"),
        "UPDATE pay_events SET failure = 'the handler \"book-' || (id % 12) || '\" failed: no answer' \
         WHERE state IN ('discarded', 'retryable')"
            .to_owned(),
    ]
}
