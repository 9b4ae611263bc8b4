DROP INDEX pay_subscriptions_real;
