-- The events of which a later delivery bore the same id and another body. The first body is the one that is kept.
CREATE TABLE pay_differing (
    event_id  BIGINT PRIMARY KEY,
    -- How many such deliveries came, and the last of them: when, and its body's SHA-256 in hexadecimal.
    count     BIGINT NOT NULL,
    last_at   TIMESTAMPTZ NOT NULL,
    last_hash TEXT NOT NULL
);
