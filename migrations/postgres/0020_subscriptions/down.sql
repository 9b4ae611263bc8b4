DROP INDEX pay_subscriptions_uncertain;
DROP INDEX pay_subscriptions_period_end;
DROP INDEX pay_subscriptions_monthly;
ALTER TABLE pay_subscriptions DROP COLUMN monthly_currency;
ALTER TABLE pay_subscriptions DROP COLUMN monthly_amount;
ALTER TABLE pay_subscription_operations DROP COLUMN params;
DROP TABLE pay_subscription_invoices;
