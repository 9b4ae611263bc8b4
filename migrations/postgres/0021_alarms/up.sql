-- What a host was told of, or is to be told: a row from the beginning of an alarm until its end has been told.
CREATE TABLE pay_alarms (
    -- Which alarm, and what it is about where there may be several: overdue, silence:stripe.
    name     TEXT PRIMARY KEY,
    -- One sentence, and a path in the admin pages.
    sentence TEXT NOT NULL,
    path     TEXT NOT NULL,
    begun_at TIMESTAMPTZ NOT NULL,
    -- When its cause was last found.
    seen_at  TIMESTAMPTZ NOT NULL,
    -- Since when it is over.
    over_at  TIMESTAMPTZ,
    -- Whether the host was told of its beginning.
    told     BOOLEAN NOT NULL DEFAULT FALSE,
    -- How often the host was called for what it was not told yet, and when it is called next; NULL when it was told all.
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at   TIMESTAMPTZ,
    -- Whether it was urgent when it was last told: it is told again when it becomes so.
    urgent   BOOLEAN NOT NULL DEFAULT FALSE
);
-- Since when a chore has failed at every turn, and why it last did; NULL when its last turn succeeded.
ALTER TABLE pay_chores ADD COLUMN failing_since TIMESTAMPTZ;
ALTER TABLE pay_chores ADD COLUMN failure TEXT;
-- Disputes that are open, the first deadline first.
CREATE INDEX pay_ledger_disputes ON pay_ledger (until) WHERE register = 'dispute' AND state = 'open';
-- Operations that were given up without an end.
CREATE INDEX pay_operations_unknown ON pay_operations (created_at) WHERE state = 'unknown';
