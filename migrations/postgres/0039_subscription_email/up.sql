-- A subscription is found by the customer's email address whatever the case of its letters A to Z.
CREATE INDEX pay_subscriptions_email ON pay_subscriptions (lower(customer COLLATE "C"), id) WHERE customer IS NOT NULL;
