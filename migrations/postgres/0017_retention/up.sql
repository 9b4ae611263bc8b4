-- The events whose bodies and kept headers were pruned.
CREATE TABLE pay_pruned (
    event_id     BIGINT PRIMARY KEY,
    pruned_at    TIMESTAMPTZ NOT NULL,
    -- How long bodies of its kind were kept then.
    kept_seconds BIGINT NOT NULL
);
-- The id up to which a chore that walks through a table has come; NULL at its beginning.
ALTER TABLE pay_chores ADD COLUMN place BIGINT;
