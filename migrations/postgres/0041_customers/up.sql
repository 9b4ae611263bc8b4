-- All payments of one customer are listed in their order; without regard to the case of the letters A to Z, as before.
DROP INDEX pay_payments_email;
CREATE INDEX pay_payments_email ON pay_payments (lower(customer COLLATE "C"), id) WHERE customer IS NOT NULL;
