-- Payments and subscriptions whose words are not written yet: a worker writes them, many at once, and a search looks
-- through those that are left. A row for each change, so that nothing is missed that changes while words are written.
CREATE TABLE pay_words_owed (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id      BIGINT NOT NULL DEFAULT 0,
    subscription_id BIGINT NOT NULL DEFAULT 0
);
