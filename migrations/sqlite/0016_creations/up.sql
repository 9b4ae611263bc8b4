-- Payments that were created under a key of the host's, so that each is created once.
CREATE TABLE pay_creations (
    host_key   TEXT PRIMARY KEY,
    payment_id BIGINT NOT NULL,
    -- Where the customer was sent. NULL until the gateway has started the payment.
    address    TEXT
);
