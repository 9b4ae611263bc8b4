-- Of which variants the events are that an operator changed by one act on many. Kept by a trigger, so that it is right
-- whichever release writes the events.
CREATE TABLE pay_audit_variants (
    act_id      BIGINT NOT NULL,
    variant     TEXT NOT NULL,
    -- The first place among the act's events where one of them stands, and how many there are.
    first_place BIGINT NOT NULL,
    events      BIGINT NOT NULL,
    PRIMARY KEY (act_id, variant)
) WITHOUT ROWID;
CREATE TRIGGER pay_audit_variants_added AFTER INSERT ON pay_audit_events BEGIN
    INSERT INTO pay_audit_variants (act_id, variant, first_place, events)
    SELECT NEW.act_id, variant, NEW.place, 1 FROM pay_events WHERE id = NEW.event_id
    ON CONFLICT (act_id, variant) DO UPDATE SET
        first_place = min(first_place, excluded.first_place), events = events + excluded.events;
END;
INSERT INTO pay_audit_variants (act_id, variant, first_place, events)
    SELECT acted.act_id, event.variant, min(acted.place), count(*) FROM pay_audit_events AS acted
    JOIN pay_events AS event ON event.id = acted.event_id
    GROUP BY acted.act_id, event.variant;
