ALTER TABLE pay_events DROP COLUMN requeued_at;
