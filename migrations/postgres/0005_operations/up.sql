-- What gateways are asked to do, written down before they are asked.
CREATE TABLE pay_operations (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id      BIGINT NOT NULL REFERENCES pay_payments (id),
    variant         TEXT NOT NULL,
    verb            TEXT NOT NULL,
    -- NULL is all there is.
    amount          BIGINT,
    reason          TEXT,
    -- The gateway's ids of the payment's objects when it was asked for, a JSON list: every try is the same call.
    gateway_refs    TEXT NOT NULL,
    -- The same for every try, so that the gateway acts once.
    idempotency_key TEXT COLLATE "C" NOT NULL UNIQUE,
    actor           TEXT NOT NULL,
    -- underway, done or declined.
    state           TEXT NOT NULL,
    -- What came of it, one sentence.
    outcome         TEXT,
    attempts        BIGINT NOT NULL DEFAULT 0,
    -- When it is tried again while nobody knows what came of it. NULL when that is known.
    due_at          TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    finished_at     TIMESTAMPTZ
);
CREATE INDEX pay_operations_payment ON pay_operations (payment_id, id);
CREATE INDEX pay_operations_due ON pay_operations (due_at) WHERE due_at IS NOT NULL;
