-- Whose subscriptions are those of connected accounts, by the gateway's ids of the accounts. Kept by triggers, so that it
-- is right whichever release writes the facts.
CREATE TABLE pay_subscription_accounts (
    account TEXT NOT NULL,
    -- The subscription's.
    id      BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX pay_subscription_accounts_of ON pay_subscription_accounts (id);
-- The account that facts name. Of most the first look says that they name none, and the rest is not parsed. A NUL in
-- any of their texts is replaced, since a value can't be taken out of JSON that has one.
CREATE OR REPLACE FUNCTION pay_account_of_facts(facts TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN position('"account"' IN facts) > 0
        THEN nullif(CAST(replace(facts, '\u0000', '\u003f') AS json) ->> 'account', '') END
$$;
CREATE OR REPLACE FUNCTION pay_keep_subscription_accounts() RETURNS trigger LANGUAGE plpgsql
    SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM pay_subscription_accounts WHERE id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND pay_account_of_facts(NEW.facts) IS NOT NULL THEN
        INSERT INTO pay_subscription_accounts (account, id) VALUES (pay_account_of_facts(NEW.facts), NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pay_subscription_accounts_added AFTER INSERT OR DELETE ON pay_subscriptions
    FOR EACH ROW EXECUTE FUNCTION pay_keep_subscription_accounts();
CREATE TRIGGER pay_subscription_accounts_changed AFTER UPDATE OF facts ON pay_subscriptions
    FOR EACH ROW WHEN (pay_account_of_facts(NEW.facts) IS DISTINCT FROM pay_account_of_facts(OLD.facts))
    EXECUTE FUNCTION pay_keep_subscription_accounts();
INSERT INTO pay_subscription_accounts (account, id)
SELECT account, id FROM (SELECT pay_account_of_facts(facts) AS account, id FROM pay_subscriptions) AS named
WHERE account IS NOT NULL;
