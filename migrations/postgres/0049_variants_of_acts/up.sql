-- Of which variants the events are that an operator changed by one act on many. Kept by a trigger, so that it is right
-- whichever release writes the events.
CREATE TABLE pay_audit_variants (
    act_id      BIGINT NOT NULL,
    variant     TEXT NOT NULL,
    -- The first place among the act's events where one of them stands, and how many there are.
    first_place BIGINT NOT NULL,
    events      BIGINT NOT NULL,
    PRIMARY KEY (act_id, variant)
);
CREATE OR REPLACE FUNCTION pay_note_variants_of_acts() RETURNS trigger LANGUAGE plpgsql
    SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO pay_audit_variants AS known (act_id, variant, first_place, events)
    SELECT acted.act_id, event.variant, min(acted.place), count(*) FROM added AS acted
    JOIN pay_events AS event ON event.id = acted.event_id
    GROUP BY acted.act_id, event.variant
    ON CONFLICT (act_id, variant) DO UPDATE SET
        first_place = least(known.first_place, excluded.first_place), events = known.events + excluded.events;
    RETURN NULL;
END $$;
CREATE TRIGGER pay_audit_variants_added AFTER INSERT ON pay_audit_events
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION pay_note_variants_of_acts();
INSERT INTO pay_audit_variants (act_id, variant, first_place, events)
    SELECT acted.act_id, event.variant, min(acted.place), count(*) FROM pay_audit_events AS acted
    JOIN pay_events AS event ON event.id = acted.event_id
    GROUP BY acted.act_id, event.variant;
