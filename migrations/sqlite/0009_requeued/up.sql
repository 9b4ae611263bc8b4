-- When an operator last made the event available again: handlers that gave up before then run again.
ALTER TABLE pay_events ADD COLUMN requeued_at TEXT;
UPDATE pay_events SET requeued_at = (
    SELECT created_at FROM pay_audit WHERE event_id = pay_events.id AND act = 'requeue' ORDER BY id DESC LIMIT 1
) WHERE id IN (SELECT event_id FROM pay_audit WHERE act = 'requeue');
