DROP INDEX pay_events_discarded;
DROP INDEX pay_hours_outcome;
