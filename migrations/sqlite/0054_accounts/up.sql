-- The gateway's account whose money it is: empty for the merchant's own, NULL while nothing has said it.
ALTER TABLE pay_payments ADD COLUMN account TEXT;
-- All payments of one connected account are listed in their order.
CREATE INDEX pay_payments_account ON pay_payments (account, id) WHERE account <> '';
