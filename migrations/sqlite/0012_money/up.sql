-- By when a dispute is to be answered, and whether a fact is of real money or of a test; NULL where the event does not say.
ALTER TABLE pay_ledger ADD COLUMN until TEXT;
ALTER TABLE pay_ledger ADD COLUMN livemode BOOLEAN;
-- What was lost to disputes, in minor units of the payment's currency.
ALTER TABLE pay_payments ADD COLUMN lost_amount BIGINT NOT NULL DEFAULT 0;
UPDATE pay_payments SET lost_amount = (
    SELECT CASE WHEN sum(l.amount) < captured_amount - refunded_amount THEN CAST(sum(l.amount) AS BIGINT)
                ELSE captured_amount - refunded_amount END
    FROM pay_ledger AS l
    WHERE l.payment_id = pay_payments.id AND l.register = 'dispute' AND l.state = 'lost' AND l.currency = pay_payments.currency
) WHERE id IN (
    SELECT payment_id FROM pay_ledger AS l JOIN pay_payments AS p ON p.id = l.payment_id
    WHERE l.register = 'dispute' AND l.state = 'lost' AND l.amount > 0 AND l.currency = p.currency
);
-- The state that a dispute came to with this step, if one did: open, won, lost and so on.
ALTER TABLE pay_transitions ADD COLUMN dispute TEXT;
