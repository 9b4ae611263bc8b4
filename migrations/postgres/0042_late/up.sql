-- Deliveries that came ten minutes or more after what they tell of: few, so that the index stays small.
CREATE INDEX pay_events_late ON pay_events (id)
    WHERE source = 'delivery' AND received_at - occurred_at >= interval '600 seconds';
