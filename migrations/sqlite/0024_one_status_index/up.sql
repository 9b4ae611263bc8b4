-- Every list and count by status leaves out payments that became part of another, so it uses pay_payments_listed; this
-- one has nearly the same entries and cost each change of a status twice.
DROP INDEX pay_payments_status;
