-- What a gateway is asked to show, because events name it without showing it: a row from before the gateway is asked
-- until it is known what came of it.
CREATE TABLE pay_fetches (
    id              INTEGER PRIMARY KEY,
    variant         TEXT NOT NULL,
    -- The gateway's word for what kind of object it is, and its id of the object.
    object_type     TEXT NOT NULL,
    gateway_ref     TEXT NOT NULL,
    -- The gateway's account that the object belongs to; empty for the merchant's own.
    account         TEXT NOT NULL,
    -- The ids of the answer's events are made of it.
    idempotency_key TEXT NOT NULL UNIQUE,
    -- underway, done, declined or unknown.
    state           TEXT NOT NULL,
    -- What came of it, one sentence.
    outcome         TEXT,
    attempts        BIGINT NOT NULL,
    -- When it may be tried; NULL when its end is known.
    due_at          TEXT,
    created_at      TEXT NOT NULL,
    finished_at     TEXT,
    -- The gateway event ids of the answer, a JSON list.
    answers         TEXT NOT NULL DEFAULT '[]'
);
-- One open question for one object, whichever process asks.
CREATE UNIQUE INDEX pay_fetches_open ON pay_fetches (variant, gateway_ref, account) WHERE finished_at IS NULL;
CREATE INDEX pay_fetches_object ON pay_fetches (variant, gateway_ref, id);
-- By variant: those that can't be asked are not to be walked past.
CREATE INDEX pay_fetches_due ON pay_fetches (variant, due_at) WHERE due_at IS NOT NULL;

-- The events that name what is to be shown.
CREATE TABLE pay_fetch_events (
    event_id  INTEGER PRIMARY KEY,
    fetch_id  BIGINT NOT NULL,
    -- How many tries had begun when the event was taken up: only a later one is sure to show what it tells of.
    after_try BIGINT NOT NULL
);
CREATE INDEX pay_fetch_events_fetch ON pay_fetch_events (fetch_id, event_id);
