-- The groups of failures. A step of its own, so that the table is held for the column no longer than that takes.
CREATE INDEX pay_events_failure ON pay_events (failure, id) WHERE failure IS NOT NULL;
