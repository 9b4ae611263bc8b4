DROP TABLE pay_audit_events;
