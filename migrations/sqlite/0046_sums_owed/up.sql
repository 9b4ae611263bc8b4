-- Of which version of the row its monthly sum is. A release that runs beside this one and keeps none changes the items and
-- leaves the sum; then it is owed.
ALTER TABLE pay_subscriptions ADD COLUMN summed_version BIGINT;
CREATE INDEX pay_subscriptions_sum_owed ON pay_subscriptions (id) WHERE summed_version IS NULL OR summed_version <> version;
