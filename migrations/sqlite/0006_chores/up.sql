-- What is to be done from time to time, once for all processes.
CREATE TABLE pay_chores (
    name    TEXT PRIMARY KEY,
    due_at  TEXT NOT NULL,
    -- Up to where it is done.
    done_to TEXT,
    ran_at  TEXT,
    -- What came of it, one sentence.
    note    TEXT
);
