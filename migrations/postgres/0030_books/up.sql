-- What else was told of the money of a register, besides the fact that outranks it: a JSON list of facts, the first of
-- each content. It says when money moved; NULL where nothing else was told.
ALTER TABLE pay_ledger ADD COLUMN earlier TEXT;
-- The money of payments as it moved, each by the first fact that told of it. What follows from a payment's ledger is
-- written with the payment; `fee` and `net` are NULL where no gateway told them.
CREATE TABLE pay_movements (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id  BIGINT NOT NULL,
    variant     TEXT NOT NULL,
    -- capture, refund, refund_failed, dispute_withdrawn, dispute_reinstated
    kind        TEXT NOT NULL,
    -- Minor units: positive to the merchant, negative from the merchant.
    amount      BIGINT NOT NULL,
    currency    TEXT NOT NULL,
    -- live or test; what does not say counts as live.
    mode        TEXT NOT NULL,
    -- When it moved, by the gateway's clock.
    moved_at    TIMESTAMPTZ NOT NULL,
    -- The gateway's id of the object that told of it first.
    gateway_ref TEXT NOT NULL,
    fee         BIGINT,
    net         BIGINT
);
CREATE INDEX pay_movements_payment ON pay_movements (payment_id);
-- The book of a mode in its order; the columns behind the id are what is added up.
CREATE INDEX pay_movements_book ON pay_movements (mode, moved_at, id, variant, currency, kind, amount);
CREATE INDEX pay_movements_part ON pay_movements (mode, variant, currency, moved_at, id);
-- The movements added up by the month, UTC (`2026-11`), so that no page adds up history.
CREATE TABLE pay_movement_months (
    mode     TEXT NOT NULL,
    month    TEXT NOT NULL,
    variant  TEXT NOT NULL,
    currency TEXT NOT NULL,
    kind     TEXT NOT NULL,
    count    BIGINT NOT NULL,
    amount   BIGINT NOT NULL,
    PRIMARY KEY (mode, month, variant, currency, kind)
);
