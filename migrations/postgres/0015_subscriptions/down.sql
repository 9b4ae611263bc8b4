DROP INDEX pay_audit_subscription;
ALTER TABLE pay_audit DROP COLUMN subscription_id;
ALTER TABLE pay_attempts DROP COLUMN subscription_transition_id;
DROP INDEX pay_events_subscription;
ALTER TABLE pay_events DROP COLUMN subscription_id;
DROP TABLE pay_subscription_operations;
DROP TABLE pay_subscription_transitions;
DROP TABLE pay_subscriptions;
