-- Whose subscriptions are those of connected accounts, by the gateway's ids of the accounts. Kept by triggers, so that it
-- is right whichever release writes the facts.
CREATE TABLE pay_subscription_accounts (
    account TEXT NOT NULL,
    -- The subscription's.
    id      BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX pay_subscription_accounts_of ON pay_subscription_accounts (id);
CREATE OR REPLACE FUNCTION pay_keep_subscription_accounts() RETURNS trigger LANGUAGE plpgsql
    SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM pay_subscription_accounts WHERE id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO pay_subscription_accounts (account, id)
        SELECT CAST(NEW.facts AS json) ->> 'account', NEW.id WHERE CAST(NEW.facts AS json) ->> 'account' <> '';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pay_subscription_accounts_added AFTER INSERT OR DELETE ON pay_subscriptions
    FOR EACH ROW EXECUTE FUNCTION pay_keep_subscription_accounts();
-- Of most facts the first look says that they name no account.
CREATE TRIGGER pay_subscription_accounts_changed AFTER UPDATE OF facts ON pay_subscriptions
    FOR EACH ROW WHEN (
        (position('"account"' IN NEW.facts) > 0 OR position('"account"' IN OLD.facts) > 0)
        AND CAST(NEW.facts AS json) ->> 'account' IS DISTINCT FROM CAST(OLD.facts AS json) ->> 'account'
    ) EXECUTE FUNCTION pay_keep_subscription_accounts();
INSERT INTO pay_subscription_accounts (account, id)
SELECT CAST(facts AS json) ->> 'account', id FROM pay_subscriptions WHERE CAST(facts AS json) ->> 'account' <> '';
