-- The events that an operator changed by one act on many, in the order in which it did.
CREATE TABLE pay_audit_events (
    act_id   BIGINT NOT NULL,
    place    BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    PRIMARY KEY (act_id, place)
) WITHOUT ROWID;
CREATE INDEX pay_audit_events_event ON pay_audit_events (event_id, act_id);
