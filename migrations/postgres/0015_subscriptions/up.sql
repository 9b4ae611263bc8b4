-- A subscription as its events make it: everything but the ids, the mode and the times of the row follows from the
-- facts.
CREATE TABLE pay_subscriptions (
    id                   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token                TEXT COLLATE "C" NOT NULL UNIQUE,
    variant              TEXT NOT NULL,
    -- The gateway's id; NULL until the gateway has made it.
    gateway_ref          TEXT COLLATE "C",
    status               TEXT NOT NULL,
    -- The gateway's own word for the status; NULL until an event has shown the subscription itself.
    gateway_status       TEXT,
    -- The host's own id of whom it belongs to.
    owner                TEXT COLLATE "C",
    -- The customer's email address, and the gateway's id of the customer.
    customer             TEXT COLLATE "C",
    customer_ref         TEXT COLLATE "C",
    -- What is subscribed to, a JSON list.
    items                TEXT NOT NULL,
    period_start         TIMESTAMPTZ,
    period_end           TIMESTAMPTZ,
    trial_end            TIMESTAMPTZ,
    -- When it will end, if that is decided.
    cancel_at            TIMESTAMPTZ,
    cancel_at_period_end BOOLEAN NOT NULL,
    -- When somebody decided that it ends, and when it ended.
    canceled_at          TIMESTAMPTZ,
    ended_at             TIMESTAMPTZ,
    -- How charging is paused, a JSON object.
    pause                TEXT,
    -- The gateway's id of the newest invoice; and the newest one that an event has told of, a JSON object.
    latest_invoice       TEXT COLLATE "C",
    invoice              TEXT,
    -- Since when money is due, while it is past due.
    due_since            TIMESTAMPTZ,
    -- FALSE: events of one moment differ and none says which is the last, or none has shown the subscription yet.
    certain              BOOLEAN NOT NULL,
    -- By the gateway's clock and in the gateway's words: of when, and of which event, this is.
    as_of                TIMESTAMPTZ,
    as_of_event          TEXT,
    livemode             BOOLEAN,
    -- Made from an event that nobody here had asked for.
    adopted              BOOLEAN NOT NULL,
    -- All that still counts of what its events stated, a JSON object.
    facts                TEXT NOT NULL,
    version              BIGINT NOT NULL,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX pay_subscriptions_ref ON pay_subscriptions (variant, gateway_ref);
CREATE INDEX pay_subscriptions_owner ON pay_subscriptions (owner, id) WHERE owner IS NOT NULL;
CREATE INDEX pay_subscriptions_customer ON pay_subscriptions (customer, id) WHERE customer IS NOT NULL;
CREATE INDEX pay_subscriptions_customer_ref ON pay_subscriptions (customer_ref, id) WHERE customer_ref IS NOT NULL;
CREATE INDEX pay_subscriptions_gateway_ref ON pay_subscriptions (gateway_ref) WHERE gateway_ref IS NOT NULL;
CREATE INDEX pay_subscriptions_invoice ON pay_subscriptions (latest_invoice) WHERE latest_invoice IS NOT NULL;
CREATE INDEX pay_subscriptions_status ON pay_subscriptions (status, id);
CREATE INDEX pay_subscriptions_variant ON pay_subscriptions (variant, id);
CREATE INDEX pay_subscriptions_variant_status ON pay_subscriptions (variant, status, id);

CREATE TABLE pay_subscription_transitions (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id BIGINT NOT NULL,
    event_id        BIGINT,
    from_status     TEXT NOT NULL,
    to_status       TEXT NOT NULL,
    -- Why, one sentence.
    cause           TEXT NOT NULL,
    -- The whole state before and after, JSON objects.
    state_before    TEXT NOT NULL,
    state_after     TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX pay_subscription_transitions_of ON pay_subscription_transitions (subscription_id, id);
CREATE INDEX pay_subscription_transitions_event ON pay_subscription_transitions (event_id) WHERE event_id IS NOT NULL;

-- What a gateway is asked to do with a subscription: a row from before it is asked until it is known what came of it.
CREATE TABLE pay_subscription_operations (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id BIGINT NOT NULL,
    variant         TEXT NOT NULL,
    verb            TEXT NOT NULL,
    gateway_ref     TEXT NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE,
    actor           TEXT NOT NULL,
    state           TEXT NOT NULL,
    outcome         TEXT,
    attempts        BIGINT NOT NULL,
    -- When it may be tried again; NULL when its end is known.
    due_at          TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    finished_at     TIMESTAMPTZ
);
CREATE INDEX pay_subscription_operations_of ON pay_subscription_operations (subscription_id, id);
CREATE INDEX pay_subscription_operations_due ON pay_subscription_operations (due_at) WHERE due_at IS NOT NULL;

-- The subscription that an event is about.
ALTER TABLE pay_events ADD COLUMN subscription_id BIGINT;
CREATE INDEX pay_events_subscription ON pay_events (subscription_id, id) WHERE subscription_id IS NOT NULL;
-- The subscription's transition that a handler ran for.
ALTER TABLE pay_attempts ADD COLUMN subscription_transition_id BIGINT;
-- The subscription that an act is about.
ALTER TABLE pay_audit ADD COLUMN subscription_id BIGINT;
CREATE INDEX pay_audit_subscription ON pay_audit (subscription_id) WHERE subscription_id IS NOT NULL;
