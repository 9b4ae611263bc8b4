-- What an event's failure has in common with others: who failed and why, without numbers and ids. NULL where it did not.
ALTER TABLE pay_events ADD COLUMN failure TEXT;
