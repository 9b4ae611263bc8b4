-- Whether there is a subscription of real money is asked wherever an owner with a test subscription wants in.
CREATE INDEX pay_subscriptions_real ON pay_subscriptions (id) WHERE livemode;
