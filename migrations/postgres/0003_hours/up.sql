-- What came, what became of it and which money moved: sums by the hour, so that no page counts over history.
-- `pay_counters` keeps what older releases count; this release writes here only.
CREATE TABLE pay_hours (
    -- The hour's beginning, UTC.
    hour     TIMESTAMPTZ NOT NULL,
    -- '' for deliveries to variants that don't exist.
    variant  TEXT NOT NULL,
    -- received, duplicate, rejected:<code>; completed, ignored, parked, retryable (an attempt failed), discarded;
    -- paid and refunded for real money, paid:test and refunded:test for money of a test mode.
    outcome  TEXT NOT NULL,
    -- '' where no money is meant.
    currency TEXT NOT NULL,
    count    BIGINT NOT NULL,
    -- Minor units. May fall below zero: a refund of an earlier hour that failed is taken back.
    amount   BIGINT NOT NULL,
    -- When the last of them happened.
    last_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hour, variant, outcome, currency)
);
INSERT INTO pay_hours (hour, variant, outcome, currency, count, amount, last_at)
SELECT (day || ' 00:00:00+00')::timestamptz, variant, outcome, '', count, 0, (day || ' 00:00:00+00')::timestamptz
FROM pay_counters;
