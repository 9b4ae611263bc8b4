-- An invoice of a subscription, as far as events have told of it: its newest state, whatever the order of its events.
CREATE TABLE pay_subscription_invoices (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id BIGINT NOT NULL,
    variant         TEXT NOT NULL,
    -- The gateway's id; a payment with this reference pays it.
    gateway_ref     TEXT COLLATE "C" NOT NULL,
    -- The gateway's own word.
    status          TEXT NOT NULL,
    paid            BOOLEAN NOT NULL,
    -- When the gateway made it.
    invoiced_at     TIMESTAMPTZ NOT NULL,
    -- All that is known of it, a JSON object.
    fact            TEXT NOT NULL
);
CREATE UNIQUE INDEX pay_subscription_invoices_ref ON pay_subscription_invoices (variant, gateway_ref);
CREATE INDEX pay_subscription_invoices_of ON pay_subscription_invoices (subscription_id, invoiced_at, id);
CREATE INDEX pay_subscription_invoices_found ON pay_subscription_invoices (gateway_ref);

-- What a verb needs besides the subscription, a JSON object.
ALTER TABLE pay_subscription_operations ADD COLUMN params TEXT;

-- What the items come to in a month, in minor units; NULL where the gateway does not say it in one currency.
ALTER TABLE pay_subscriptions ADD COLUMN monthly_amount BIGINT;
ALTER TABLE pay_subscriptions ADD COLUMN monthly_currency TEXT;
CREATE INDEX pay_subscriptions_monthly ON pay_subscriptions (status, livemode, monthly_currency, monthly_amount)
    WHERE monthly_currency IS NOT NULL;
-- Those that should have been heard of: the period is over, or which event is the last is not certain.
CREATE INDEX pay_subscriptions_period_end ON pay_subscriptions (variant, period_end) WHERE ended_at IS NULL;
CREATE INDEX pay_subscriptions_uncertain ON pay_subscriptions (variant, as_of) WHERE NOT certain;
