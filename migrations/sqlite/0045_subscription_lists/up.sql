-- What is subscribed to: a row for each price and each product of a subscription's items, by the gateway's ids. Kept by
-- triggers, so that it is right whichever release writes the items.
CREATE TABLE pay_subscription_prices (
    price TEXT NOT NULL,
    -- The subscription's.
    id    BIGINT NOT NULL,
    PRIMARY KEY (price, id)
) WITHOUT ROWID;
CREATE INDEX pay_subscription_prices_of ON pay_subscription_prices (id);
CREATE TRIGGER pay_subscription_prices_added AFTER INSERT ON pay_subscriptions BEGIN
    INSERT INTO pay_subscription_prices (price, id)
    SELECT json_extract(value, '$.price'), NEW.id FROM json_each(NEW.items)
    WHERE json_extract(value, '$.price') IS NOT NULL
    UNION
    SELECT json_extract(value, '$.product'), NEW.id FROM json_each(NEW.items)
    WHERE json_extract(value, '$.product') IS NOT NULL;
END;
CREATE TRIGGER pay_subscription_prices_changed AFTER UPDATE OF items ON pay_subscriptions WHEN NEW.items <> OLD.items BEGIN
    DELETE FROM pay_subscription_prices WHERE id = NEW.id;
    INSERT INTO pay_subscription_prices (price, id)
    SELECT json_extract(value, '$.price'), NEW.id FROM json_each(NEW.items)
    WHERE json_extract(value, '$.price') IS NOT NULL
    UNION
    SELECT json_extract(value, '$.product'), NEW.id FROM json_each(NEW.items)
    WHERE json_extract(value, '$.product') IS NOT NULL;
END;
CREATE TRIGGER pay_subscription_prices_gone AFTER DELETE ON pay_subscriptions BEGIN
    DELETE FROM pay_subscription_prices WHERE id = OLD.id;
END;
INSERT INTO pay_subscription_prices (price, id)
SELECT json_extract(value, '$.price'), s.id FROM pay_subscriptions AS s, json_each(s.items)
WHERE json_extract(value, '$.price') IS NOT NULL
UNION
SELECT json_extract(value, '$.product'), s.id FROM pay_subscriptions AS s, json_each(s.items)
WHERE json_extract(value, '$.product') IS NOT NULL;

-- Those that will renew, in that order; those whose end is decided; and those that go on, newest first.
CREATE INDEX pay_subscriptions_renews ON pay_subscriptions (period_end, id)
    WHERE ended_at IS NULL AND cancel_at IS NULL AND NOT cancel_at_period_end;
CREATE INDEX pay_subscriptions_ending ON pay_subscriptions (id)
    WHERE ended_at IS NULL AND (cancel_at IS NOT NULL OR cancel_at_period_end);
CREATE INDEX pay_subscriptions_lasting ON pay_subscriptions (id)
    WHERE ended_at IS NULL AND cancel_at IS NULL AND NOT cancel_at_period_end;
-- Those that are past due, the longest first.
CREATE INDEX pay_subscriptions_due ON pay_subscriptions (due_since, id) WHERE due_since IS NOT NULL;
-- Those that are tests.
CREATE INDEX pay_subscriptions_test ON pay_subscriptions (id) WHERE NOT livemode;
