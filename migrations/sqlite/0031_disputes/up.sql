-- Disputes by where they stand, in the order of their payments. The state is an expression, so that this index does not
-- draw the question for open ones, which goes by their deadline, away from its own.
CREATE INDEX pay_ledger_dispute_list ON pay_ledger (lower(state), payment_id, gateway_ref) WHERE register = 'dispute';
