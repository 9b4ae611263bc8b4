-- What the lists of the admin pages go through. Absorbed payments are not listed, so they are not in here either.
CREATE INDEX pay_events_variant ON pay_events (variant, id);
CREATE INDEX pay_events_repeated ON pay_events (id) WHERE deliveries > 1;
CREATE INDEX pay_payments_listed ON pay_payments (status, id) WHERE absorbed_by IS NULL;
CREATE INDEX pay_payments_amount ON pay_payments (currency, amount, id) WHERE absorbed_by IS NULL;
-- Searched by their beginnings, byte by byte; of an address the case of A to Z does not matter.
CREATE INDEX pay_payments_named ON pay_payments (reference COLLATE "C") WHERE reference IS NOT NULL;
CREATE INDEX pay_payments_email ON pay_payments (lower(customer COLLATE "C")) WHERE customer IS NOT NULL;
