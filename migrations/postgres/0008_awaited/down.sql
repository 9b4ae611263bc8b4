ALTER TABLE pay_operations DROP COLUMN awaited_since;
