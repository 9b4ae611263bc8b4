-- Of which variants the events are that an operator changed by one act on many.
CREATE TABLE pay_audit_variants (
    act_id  BIGINT NOT NULL,
    variant TEXT NOT NULL,
    PRIMARY KEY (act_id, variant)
);
INSERT INTO pay_audit_variants (act_id, variant)
    SELECT DISTINCT acted.act_id, event.variant FROM pay_audit_events AS acted
    JOIN pay_events AS event ON event.id = acted.event_id;
