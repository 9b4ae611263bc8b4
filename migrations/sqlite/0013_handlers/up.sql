-- The handlers that any process has registered. Each is owed every transition until it is retired on purpose.
CREATE TABLE pay_handlers (
    name          TEXT PRIMARY KEY,
    -- transaction, transition or event: what it runs for.
    stage         TEXT NOT NULL,
    -- The kinds of events that it is for, where it is for events.
    kind          TEXT,
    registered_at TEXT NOT NULL,
    retired_at    TEXT
);
-- The workers that run, and what each can do.
CREATE TABLE pay_workers (
    name       TEXT PRIMARY KEY,
    -- Names of handlers and of variants, each a JSON list.
    handlers   TEXT NOT NULL,
    variants   TEXT NOT NULL,
    started_at TEXT NOT NULL,
    seen_at    TEXT NOT NULL
);
