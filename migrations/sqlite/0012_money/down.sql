ALTER TABLE pay_transitions DROP COLUMN dispute;
ALTER TABLE pay_payments DROP COLUMN lost_amount;
ALTER TABLE pay_ledger DROP COLUMN livemode;
ALTER TABLE pay_ledger DROP COLUMN until;
