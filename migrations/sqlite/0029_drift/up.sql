-- Comparing a variant's payments and subscriptions with its gateway: the comparison that is under way, or the last one.
CREATE TABLE pay_drift (
    variant   TEXT PRIMARY KEY,
    -- What was created from then on until then is compared, and whatever is still open.
    since     TEXT NOT NULL,
    until     TEXT NOT NULL,
    -- Where it goes on; NULL when it has ended.
    place     TEXT,
    -- How many objects were compared, how many questions had no answer, and why the last of these had none.
    compared  BIGINT NOT NULL DEFAULT 0,
    unanswered BIGINT NOT NULL DEFAULT 0,
    why       TEXT,
    begun_at  TEXT NOT NULL,
    ended_at  TEXT
);
-- What was found to stand otherwise at the gateway, until it is repaired or found to agree.
CREATE TABLE pay_differences (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    variant     TEXT NOT NULL,
    -- payment, subscription, or object: one at the gateway that nothing here is about.
    subject     TEXT NOT NULL,
    -- Our token; of an object the gateway's id of it.
    name        TEXT NOT NULL,
    -- Of an object: the gateway's word for its type.
    object_type TEXT,
    -- A JSON list of what differs: field, ours, theirs.
    fields      TEXT NOT NULL,
    found_at    TEXT NOT NULL,
    -- When it was last found to differ.
    seen_at     TEXT NOT NULL
);
CREATE UNIQUE INDEX pay_differences_name ON pay_differences (variant, subject, name);
