-- What the chart of the overview adds up, and the pages of the variants look for: some outcomes of many hours.
CREATE INDEX pay_hours_outcome ON pay_hours (outcome, hour, count);
-- What was given up lately, for the overview. Written only when an event is given up.
CREATE INDEX pay_events_discarded ON pay_events (state, finished_at) WHERE state = 'discarded';
