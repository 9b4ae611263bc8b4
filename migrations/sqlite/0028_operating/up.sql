-- How large the tables were, once a day: from that follows how fast they grow.
CREATE TABLE pay_growth (
    measured_at TEXT NOT NULL,
    -- The table's name; '' is the whole database.
    name        TEXT NOT NULL,
    -- An estimate; NULL where nothing tells.
    row_count   BIGINT,
    -- With indexes and what is free in them; NULL where the database does not say it of a table.
    bytes       BIGINT,
    PRIMARY KEY (measured_at, name)
) WITHOUT ROWID;
-- Operations on subscriptions that were given up without an end.
CREATE INDEX pay_subscription_operations_unknown ON pay_subscription_operations (created_at) WHERE state = 'unknown';
