"""A busy shop's past, written in sets by the database itself: row i is the same in every database."""

# Two years, of thirty days a month.
MONTHS = 24
SECONDS = MONTHS * 30 * 86_400
# So many of the newest events were not processed yet.
DUE = 500
BODY = 192
HEADERS = '{}'

EVENT_COLUMNS = (
    "variant, gateway_event_id, source, kind, state, outcome_code, outcome, payment_id, matched_by, livemode, "
    "api_version, occurred_at, received_at, last_delivered_at, finished_at, deliveries, attempts, claims, due_at")


def dice(prime, of):
    """Numbers that look shuffled and are the same each time."""
    return f"(i * {prime} % 1000003 % {of})"


class Rows:
    def __init__(self, sqlite, events):
        self.sqlite, self.events, self.payments = sqlite, events, events // 2

    def numbers(self, count):
        if self.sqlite:
            return (f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
                    "SELECT i FROM n)")
        return f"(SELECT generate_series(1, CAST({count} AS BIGINT)) AS i)"

    def at(self, place, of, earlier=0):
        """When that row came, if the last of so many came just now."""
        ago = f"({of} - {place}) * {SECONDS} / {of} + {earlier}"
        if self.sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%S+00:00', 'now', '-' || ({ago}) || ' seconds')"
        return f"now() - interval '1 second' * ({ago})"

    def text(self, salt):
        """24 random letters. SQLite has no hash, so there they differ from run to run."""
        return "lower(hex(randomblob(12)))" if self.sqlite else f"left(md5('{salt}' || i), 24)"

    def fill_payments(self):
        created, status = self.at("i", self.payments), dice(7919, 1000)
        return f"""
            INSERT INTO pay_payments (token, reference, variant, status, amount, captured_amount, currency,
                needs_review, disputed, concerns, customer, livemode, created_at, updated_at)
            SELECT 'pay_' || {self.text('token')}, 'W-' || (10000 + i),
                CASE WHEN i % 10 < 8 THEN 'stripe' ELSE 'stripe-eu' END,
                CASE WHEN {status} < 780 THEN 'paid' WHEN {status} < 850 THEN 'failed'
                WHEN {status} < 900 THEN 'expired' WHEN {status} < 970 THEN 'refunded'
                WHEN {status} < 995 THEN 'canceled' ELSE 'pending' END,
                100 + {dice(611_953, 90_000)}, 0,
                CASE WHEN {dice(104_729, 100)} < 60 THEN 'EUR' WHEN {dice(104_729, 100)} < 85 THEN 'USD' ELSE 'GBP' END,
                i % 2000 = 7, i % 1000 = 3, '', 'customer' || (i % {max(self.payments // 3, 1)}) || '@example.org',
                i % 50 <> 0, {created}, {created} FROM {self.numbers(self.payments)} AS numbers"""

    def fill_events(self):
        kind, state = dice(15_485, 1000), dice(32_452, 10_000)
        received = self.at("i", self.events)
        due = f"i > {self.events - DUE}"
        return f"""
            INSERT INTO pay_events ({EVENT_COLUMNS})
            SELECT CASE WHEN (i + 1) / 2 % 10 < 8 THEN 'stripe' ELSE 'stripe-eu' END, 'evt_' || {self.text('event')},
                'delivery', CASE WHEN {kind} < 230 THEN 'charge.succeeded'
                WHEN {kind} < 460 THEN 'payment_intent.succeeded' WHEN {kind} < 660 THEN 'payment_intent.created'
                WHEN {kind} < 860 THEN 'checkout.session.completed'
                WHEN {kind} < 900 THEN 'charge.updated' WHEN {kind} < 940 THEN 'invoice.paid'
                WHEN {kind} < 960 THEN 'charge.refunded' WHEN {kind} < 980 THEN 'payment_intent.payment_failed'
                WHEN {kind} < 999 THEN 'customer.updated' ELSE 'charge.dispute.created' END,
                CASE WHEN {due} THEN 'available' WHEN {state} < 9400 THEN 'completed' WHEN {state} < 9980 THEN 'ignored'
                WHEN {state} < 9990 THEN 'discarded' ELSE 'parked' END, 'applied',
                'The checkout was completed and paid with 24.90 EUR; pending became paid.', (i + 1) / 2, 'token',
                i % 50 <> 0, '2026-01-28.clover',
                CASE WHEN i % 300 = 0 THEN {self.at('i', self.events, 3_600)} ELSE {received} END,
                {received}, {received}, CASE WHEN {due} THEN NULL ELSE {received} END,
                CASE WHEN i % 200 = 0 THEN 2 ELSE 1 END, 1, 1, CASE WHEN {due} THEN {received} END
            FROM {self.numbers(self.events)} AS numbers"""

    def fill_bodies(self):
        body = f"randomblob({BODY})" if self.sqlite else f"convert_to(repeat(md5(i::text), {BODY // 32}), 'UTF8')"
        return (f"INSERT INTO pay_event_bodies (event_id, headers, body) "
                f"SELECT i, '{HEADERS}', {body} FROM {self.numbers(self.events)} AS numbers")
