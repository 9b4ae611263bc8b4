DROP INDEX pay_payments_email;
DROP INDEX pay_payments_amount;
DROP INDEX pay_payments_listed;
DROP INDEX pay_events_repeated;
DROP INDEX pay_events_variant;
