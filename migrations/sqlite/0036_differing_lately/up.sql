-- The events whose bodies differed lately, for the alarm.
CREATE INDEX pay_differing_last ON pay_differing (last_at);
