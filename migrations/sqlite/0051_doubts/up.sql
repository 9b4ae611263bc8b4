-- The subscriptions that are not certain, those first that have not changed for the longest.
CREATE INDEX pay_subscriptions_doubts ON pay_subscriptions (variant, updated_at)
    WHERE NOT certain AND gateway_ref IS NOT NULL;
