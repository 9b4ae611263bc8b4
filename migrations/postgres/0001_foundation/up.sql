CREATE TABLE pay_payments (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token           TEXT COLLATE "C" NOT NULL UNIQUE,
    reference       TEXT,
    variant         TEXT NOT NULL,
    status          TEXT NOT NULL,
    amount          BIGINT NOT NULL,
    captured_amount BIGINT NOT NULL DEFAULT 0,
    refunded_amount BIGINT NOT NULL DEFAULT 0,
    currency        TEXT NOT NULL,
    needs_review    BOOLEAN NOT NULL DEFAULT FALSE,
    disputed        BOOLEAN NOT NULL DEFAULT FALSE,
    -- Why a person should look at it, one sentence a line.
    concerns        TEXT NOT NULL DEFAULT '',
    customer        TEXT,
    livemode        BOOLEAN,
    metadata        TEXT,
    -- Made from an event that nobody here had asked for; its amount is the gateway's word.
    adopted         BOOLEAN NOT NULL DEFAULT FALSE,
    -- Turned out to be the same as this other payment.
    absorbed_by     BIGINT REFERENCES pay_payments (id),
    version         BIGINT NOT NULL DEFAULT 0,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX pay_payments_status ON pay_payments (status, id);
CREATE INDEX pay_payments_variant ON pay_payments (variant, id);
CREATE INDEX pay_payments_review ON pay_payments (id) WHERE needs_review;
CREATE INDEX pay_payments_reference ON pay_payments (reference) WHERE reference IS NOT NULL;
CREATE INDEX pay_payments_absorbed ON pay_payments (absorbed_by) WHERE absorbed_by IS NOT NULL;
CREATE INDEX pay_payments_customer ON pay_payments (customer) WHERE customer IS NOT NULL;

-- A payment's facts, one row a register; the payment's status and amounts follow from these rows alone.
CREATE TABLE pay_ledger (
    payment_id  BIGINT NOT NULL REFERENCES pay_payments (id),
    register    TEXT NOT NULL,
    gateway_ref TEXT COLLATE "C" NOT NULL,
    state       TEXT NOT NULL,
    amount      BIGINT,
    face_amount BIGINT,
    currency    TEXT,
    parent_ref  TEXT,
    since       TIMESTAMPTZ,
    occurred_at TIMESTAMPTZ NOT NULL,
    -- The gateway's id of the event that stated it.
    event_id    TEXT NOT NULL,
    PRIMARY KEY (payment_id, register, gateway_ref)
);

CREATE TABLE pay_references (
    variant     TEXT NOT NULL,
    gateway_ref TEXT COLLATE "C" NOT NULL,
    payment_id  BIGINT NOT NULL REFERENCES pay_payments (id),
    PRIMARY KEY (variant, gateway_ref)
);
CREATE INDEX pay_references_payment ON pay_references (payment_id);

CREATE TABLE pay_events (
    id                BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    variant           TEXT NOT NULL,
    gateway_event_id  TEXT COLLATE "C" NOT NULL,
    source            TEXT NOT NULL,
    kind              TEXT COLLATE "C" NOT NULL,
    state             TEXT NOT NULL,
    outcome_code      TEXT,
    -- What became of it and why, one sentence.
    outcome           TEXT,
    payment_id        BIGINT REFERENCES pay_payments (id),
    -- The reference that found the payment.
    matched_by        TEXT,
    livemode          BOOLEAN,
    api_version       TEXT,
    account           TEXT,
    -- The label of the signing secret that matched, and how long ago the delivery was signed.
    secret            TEXT,
    skew_seconds      BIGINT,
    occurred_at       TIMESTAMPTZ,
    received_at       TIMESTAMPTZ NOT NULL,
    last_delivered_at TIMESTAMPTZ NOT NULL,
    finished_at       TIMESTAMPTZ,
    deliveries        BIGINT NOT NULL DEFAULT 1,
    attempts          BIGINT NOT NULL DEFAULT 0,
    -- How often it was claimed; names a claim, so it never goes back.
    claims            BIGINT NOT NULL DEFAULT 0,
    -- When a worker may claim it: the next attempt, the end of a parked event's grace, the end of a running
    -- event's lease. NULL when nothing more is to come.
    due_at            TIMESTAMPTZ,
    UNIQUE (variant, gateway_event_id)
);
CREATE INDEX pay_events_due ON pay_events (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX pay_events_state ON pay_events (state, id);
CREATE INDEX pay_events_kind ON pay_events (kind, id);
CREATE INDEX pay_events_payment ON pay_events (payment_id, id) WHERE payment_id IS NOT NULL;

-- Wide, and pruned apart from the events.
CREATE TABLE pay_event_bodies (
    event_id BIGINT PRIMARY KEY REFERENCES pay_events (id),
    -- The header fields that were kept, a JSON object.
    headers  TEXT NOT NULL,
    body     BYTEA NOT NULL
);

-- Every id by which an event names its payment, whether or not one was found.
CREATE TABLE pay_event_references (
    event_id    BIGINT NOT NULL REFERENCES pay_events (id),
    variant     TEXT NOT NULL,
    gateway_ref TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (event_id, gateway_ref)
);
CREATE INDEX pay_event_references_ref ON pay_event_references (variant, gateway_ref);

CREATE TABLE pay_transitions (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id   BIGINT NOT NULL REFERENCES pay_payments (id),
    event_id     BIGINT REFERENCES pay_events (id),
    from_status  TEXT NOT NULL,
    to_status    TEXT NOT NULL,
    needs_review BOOLEAN NOT NULL,
    disputed     BOOLEAN NOT NULL,
    -- Why, one sentence.
    cause        TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX pay_transitions_payment ON pay_transitions (payment_id, id);
CREATE INDEX pay_transitions_event ON pay_transitions (event_id) WHERE event_id IS NOT NULL;

CREATE TABLE pay_attempts (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    BIGINT NOT NULL REFERENCES pay_events (id),
    -- The transition that the handler ran for; NULL when it ran for the event itself.
    transition_id BIGINT REFERENCES pay_transitions (id),
    -- The handler's name, or 'process' for the reading of the event itself.
    handler     TEXT NOT NULL,
    attempt     BIGINT NOT NULL,
    outcome     TEXT NOT NULL,
    error       TEXT,
    started_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX pay_attempts_event ON pay_attempts (event_id, id);

CREATE TABLE pay_audit (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor      TEXT NOT NULL,
    act        TEXT NOT NULL,
    event_id   BIGINT REFERENCES pay_events (id),
    payment_id BIGINT REFERENCES pay_payments (id),
    address    TEXT,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX pay_audit_event ON pay_audit (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX pay_audit_payment ON pay_audit (payment_id) WHERE payment_id IS NOT NULL;

CREATE TABLE pay_counters (
    variant TEXT NOT NULL,
    -- UTC, YYYY-MM-DD.
    day     TEXT NOT NULL,
    outcome TEXT NOT NULL,
    count   BIGINT NOT NULL,
    PRIMARY KEY (variant, day, outcome)
);
