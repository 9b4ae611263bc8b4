-- Deliveries that came ten minutes or more after what they tell of: few, so that the index stays small.
CREATE INDEX pay_events_late ON pay_events (id)
    WHERE source = 'delivery' AND strftime('%s', received_at) - strftime('%s', occurred_at) >= 600;
