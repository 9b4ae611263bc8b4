-- Whose subscriptions are those of connected accounts, by the gateway's ids of the accounts. Kept by triggers, so that it
-- is right whichever release writes the facts.
CREATE TABLE pay_subscription_accounts (
    account TEXT NOT NULL,
    -- The subscription's.
    id      BIGINT NOT NULL,
    PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE INDEX pay_subscription_accounts_of ON pay_subscription_accounts (id);
-- Of most facts the first look says that they name no account.
CREATE TRIGGER pay_subscription_accounts_added AFTER INSERT ON pay_subscriptions
    WHEN instr(NEW.facts, '"account"') > 0 AND json_extract(NEW.facts, '$.account') <> '' BEGIN
    INSERT INTO pay_subscription_accounts (account, id) VALUES (json_extract(NEW.facts, '$.account'), NEW.id);
END;
CREATE TRIGGER pay_subscription_accounts_changed AFTER UPDATE OF facts ON pay_subscriptions
    WHEN (instr(NEW.facts, '"account"') > 0 OR instr(OLD.facts, '"account"') > 0)
        AND json_extract(NEW.facts, '$.account') IS NOT json_extract(OLD.facts, '$.account') BEGIN
    DELETE FROM pay_subscription_accounts WHERE id = NEW.id;
    INSERT INTO pay_subscription_accounts (account, id)
    SELECT json_extract(NEW.facts, '$.account'), NEW.id WHERE json_extract(NEW.facts, '$.account') <> '';
END;
CREATE TRIGGER pay_subscription_accounts_gone AFTER DELETE ON pay_subscriptions BEGIN
    DELETE FROM pay_subscription_accounts WHERE id = OLD.id;
END;
INSERT INTO pay_subscription_accounts (account, id)
SELECT json_extract(facts, '$.account'), id FROM pay_subscriptions
WHERE instr(facts, '"account"') > 0 AND json_extract(facts, '$.account') <> '';
