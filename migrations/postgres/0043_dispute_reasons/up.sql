-- The gateway's word for why a customer disputes a payment: `fraudulent`.
ALTER TABLE pay_ledger ADD COLUMN reason TEXT;
