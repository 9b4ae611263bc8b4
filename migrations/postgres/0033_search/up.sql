-- What the search box finds payments and subscriptions by: pieces of addresses, names and order numbers, in lower case,
-- and the last four digits of cards. They are personal data: all of one payment's go by its number.
CREATE TABLE pay_words (
    payment_id      BIGINT NOT NULL DEFAULT 0,
    subscription_id BIGINT NOT NULL DEFAULT 0,
    word            TEXT COLLATE "C" NOT NULL,
    -- The character before it, where it begins within a word.
    before          TEXT COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (payment_id, subscription_id, word, before)
);
CREATE INDEX pay_words_subscription ON pay_words (subscription_id) WHERE subscription_id <> 0;
CREATE INDEX pay_words_word ON pay_words (word, before, payment_id, subscription_id);

-- Who paid, with which card, and why the bank declined it: for people to read. Nothing is decided by it.
CREATE TABLE pay_payers (
    payment_id     BIGINT PRIMARY KEY,
    name           TEXT,
    customer_ref   TEXT,
    card_brand     TEXT,
    card_last_four TEXT,
    decline        TEXT,
    -- When that was last told, by the gateway's clock.
    told_at        TIMESTAMPTZ NOT NULL
);
