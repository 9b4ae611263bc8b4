-- Since when the gateway waited, by its own clock, for what a worker then asked it to complete: the first of gateway_refs.
ALTER TABLE pay_operations ADD COLUMN awaited_since TIMESTAMPTZ;
