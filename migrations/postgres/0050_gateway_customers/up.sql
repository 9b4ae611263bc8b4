-- All payments of one customer are listed by the gateway's id of that customer too, where no address is known.
CREATE INDEX pay_payers_customer ON pay_payers (customer_ref, payment_id) WHERE customer_ref IS NOT NULL;
