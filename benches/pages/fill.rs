//! How does a busy shop's database look? So many events of Stripe's kinds, a payment for every five of them, a
//! subscription for every ten, and the ids by which they are named, up to this hour; written in sets by the database itself.

use std::time::Instant;

use diesel::connection::SimpleConnection;

use crate::desk;

/// How many days of the past a shop of ten thousand events has; a larger one has an event each twelve seconds.
const DAYS: i64 = 35;

/// Fills empty tables; those that are filled stay as they are. `now` is in seconds since 1970.
pub(crate) fn fill(conn: &mut impl SimpleConnection, sqlite: bool, events: i64, now: i64) {
    if conn.batch_execute("SELECT 1 FROM bench_is_filled").is_ok() {
        return;
    }
    let begin = Instant::now();
    let since = |now: i64, rows: i64, step: i64| match sqlite {
        true => format!("strftime('%Y-%m-%d %H:%M:%S+00:00', {now} - ({rows} - i) * {step}, 'unixepoch')"),
        false => format!("to_timestamp({now} - ({rows} - i) * {step})"),
    };
    let at = |rows: i64, step: i64| since(now, rows, step);
    let some_text = if sqlite { "lower(hex(randomblob(12)))" } else { "md5(i::text || random()::text)" };
    let numbers = |count: i64| match sqlite {
        true => format!(
            "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)"
        ),
        false => format!("(SELECT generate_series(1, {count}::bigint) AS i)"),
    };
    let payments = (events / 5).max(1);
    let (created, received) = (at(payments, 60), at(payments * 5, 12));
    // When that happened of which a delivery came an hour late.
    let before = since(now - 3_600, payments * 5, 12);
    // A variant that was given up long ago, and two of today.
    let variant = "CASE WHEN i <= 40 THEN 'stripe-old' WHEN i % 10 < 8 THEN 'stripe' ELSE 'stripe-eu' END";
    let hours = (events / 300).max(DAYS * 24);
    // Numbers that look shuffled and are the same each time.
    let dice = |prime: i64, of: i64| format!("((i * {prime}) % 1000003 % {of})");
    let (status, currency, kind, state) =
        (dice(7919, 1000), dice(104_729, 100), dice(15_485, 1000), dice(32_452, 10_000));
    let statements = [
        format!(
            "INSERT INTO pay_payments (token, reference, variant, status, amount, captured_amount, currency, \
             needs_review, concerns, customer, livemode, created_at, updated_at) \
             SELECT 'pay_' || {some_text}, 'W-' || (10000 + i), \
             {variant}, \
             CASE WHEN {status} < 780 THEN 'paid' WHEN {status} < 850 THEN 'failed' WHEN {status} < 900 THEN 'expired' \
             WHEN {status} < 950 THEN 'refunded' WHEN {status} < 970 THEN 'partially_refunded' \
             WHEN {status} < 995 THEN 'canceled' WHEN {status} < 999 THEN 'pending' ELSE 'authorized' END, \
             100 + {amount}, 0, \
             CASE WHEN {currency} < 60 THEN 'EUR' WHEN {currency} < 85 THEN 'USD' WHEN {currency} < 95 THEN 'GBP' \
             ELSE 'JPY' END, i % 2000 = 7, '', 'Customer' || (i % {customers}) || '@Example.org', i % 50 <> 0, \
             {created}, {created} FROM {from} AS numbers",
            amount = dice(611_953, 90_000),
            customers = (payments / 3).max(1),
            from = numbers(payments),
        ),
        "INSERT INTO pay_references (variant, gateway_ref, payment_id) \
             SELECT variant, 'pi_' || id, id FROM pay_payments"
            .to_owned(),
        format!(
            "INSERT INTO pay_events (variant, gateway_event_id, source, kind, state, outcome_code, outcome, payment_id, \
             livemode, occurred_at, received_at, last_delivered_at, finished_at, deliveries, attempts) \
             SELECT {variant}, 'evt_' || i || '_' || {some_text}, \
             'delivery', CASE WHEN {kind} < 230 THEN 'charge.succeeded' WHEN {kind} < 460 THEN 'payment_intent.succeeded' \
             WHEN {kind} < 660 THEN 'payment_intent.created' WHEN {kind} < 860 THEN 'checkout.session.completed' \
             WHEN {kind} < 900 THEN 'charge.updated' WHEN {kind} < 940 THEN 'invoice.paid' \
             WHEN {kind} < 960 THEN 'charge.refunded' WHEN {kind} < 980 THEN 'payment_intent.payment_failed' \
             WHEN {kind} < 990 THEN 'customer.updated' WHEN {kind} < 996 THEN 'checkout.session.expired' \
             WHEN {kind} < 998 THEN 'charge.failed' WHEN {kind} < 999 THEN 'payout.paid' \
             ELSE 'charge.dispute.created' END, \
             CASE WHEN {state} < 9400 THEN 'completed' WHEN {state} < 9980 THEN 'ignored' \
             WHEN {state} < 9990 THEN 'discarded' WHEN {state} < 9998 THEN 'parked' ELSE 'retryable' END, 'applied', \
             'The checkout was completed and paid with 24.90 EUR; pending became paid.', (i - 1) / 5 + 1, i % 50 <> 0, \
             CASE WHEN i % 300 = 0 THEN {before} ELSE {received} END, {received}, {received}, {received}, \
             CASE WHEN i % 200 = 0 THEN 2 ELSE 1 END, 1 \
             FROM {from} AS numbers",
            from = numbers(payments * 5),
        ),
        "INSERT INTO pay_event_references (event_id, variant, gateway_ref) \
             SELECT id, variant, 'pi_' || payment_id FROM pay_events"
            .to_owned(),
        format!(
            "INSERT INTO pay_hours (hour, variant, outcome, currency, count, amount, last_at) \
             SELECT {hour}, variant, outcome, CASE WHEN outcome = 'paid' THEN 'EUR' ELSE '' END, i % 90, \
             CASE WHEN outcome = 'paid' THEN i % 90 * 2490 ELSE 0 END, {hour} FROM {from} AS numbers, \
             (SELECT 'stripe' AS variant UNION ALL SELECT 'stripe-eu') AS variants, \
             (SELECT 'received' AS outcome UNION ALL SELECT 'duplicate' UNION ALL SELECT 'completed' \
             UNION ALL SELECT 'ignored' UNION ALL SELECT 'parked' UNION ALL SELECT 'retryable' \
             UNION ALL SELECT 'rejected:signature_mismatch' UNION ALL SELECT 'paid') AS outcomes",
            hour = at(hours, 3_600),
            from = numbers(hours),
        ),
        format!(
            "INSERT INTO pay_audit (actor, act, event_id, payment_id, address, created_at) \
             SELECT 'person' || (i % 7), CASE WHEN i % 9 = 0 THEN 'refund' WHEN i % 400 = 1 THEN 'rebuild' \
             ELSE 'requeue' END, i, (i - 1) / 5 + 1, '127.0.0.1', {acted} FROM {from} AS numbers",
            acted = at(events / 100, 1_200),
            from = numbers(events / 100),
        ),
        subscriptions(events / 10, &numbers(events / 10), &at(events / 10, 120), some_text, sqlite),
    ];
    for sql in statements.into_iter().chain(desk::statements(sqlite)) {
        conn.batch_execute(&sql).expect("rows");
    }
    conn.batch_execute("ANALYZE").expect("statistics");
    if !sqlite {
        conn.batch_execute("VACUUM ANALYZE").expect("what autovacuum does within the day");
    }
    conn.batch_execute("CREATE TABLE bench_is_filled (id BIGINT)").expect("a sign for the next time");
    eprintln!("filled {events} events in {:.1} s", begin.elapsed().as_secs_f64());
}

/// `count` subscriptions: some end in a month or have ended, some are past due, a few are not certain.
fn subscriptions(count: i64, from: &str, created: &str, some_text: &str, sqlite: bool) -> String {
    let days = |days: &str| match sqlite {
        true => format!("strftime('%Y-%m-%d %H:%M:%S+00:00', 'now', ({days}) || ' days')"),
        false => format!("now() + ({days}) * interval '1 day'"),
    };
    let of_a_thousand = "((i * 7919) % 1000003 % 1000)";
    format!(
        "INSERT INTO pay_subscriptions (token, variant, gateway_ref, status, gateway_status, owner, customer, \
         customer_ref, items, period_start, period_end, cancel_at, cancel_at_period_end, ended_at, latest_invoice, \
         due_since, certain, as_of, livemode, adopted, facts, version, created_at, updated_at, monthly_amount, \
         monthly_currency) \
         SELECT 'sub_' || {some_text}, CASE WHEN i % 10 < 8 THEN 'stripe' ELSE 'stripe-eu' END, 'sub_' || i, \
         CASE WHEN {dice} < 700 THEN 'active' WHEN {dice} < 740 THEN 'trialing' WHEN {dice} < 760 THEN 'past_due' \
         WHEN {dice} < 770 THEN 'paused' WHEN {dice} < 775 THEN 'incomplete' ELSE 'canceled' END, 'active', \
         'user-' || (i % {owners}), 'Customer' || (i % {owners}) || '@Example.org', 'cus_' || (i % {owners}), \
         '[{{\"price\":\"price_' || (i % 50) || '\",\"quantity\":1,\"interval\":\"month\"}}]', \
         {created}, {period_end}, CASE WHEN {dice} % 25 = 3 THEN {period_end} END, {dice} % 25 = 3, \
         CASE WHEN {dice} >= 775 THEN {created} END, 'in_' || i, \
         CASE WHEN {dice} BETWEEN 740 AND 759 THEN {due_since} END, i % 5000 <> 9, {created}, i % 50 <> 0, \
         i % 3 = 0, '{{}}', 1, {created}, {created}, 100 + i % 5000, CASE WHEN i % 4 = 0 THEN 'USD' ELSE 'EUR' END \
         FROM {from} AS numbers",
        dice = of_a_thousand,
        owners = (count * 9 / 10).max(1),
        period_end = days("i % 31"),
        due_since = days("-(i % 40)"),
    )
}
