-- Of a step with which a dispute came to another state: the state before, if it had one, and the dispute as a JSON
-- object: its id, amount, deadline and reason.
ALTER TABLE pay_transitions ADD COLUMN dispute_from TEXT;
ALTER TABLE pay_transitions ADD COLUMN dispute_fact TEXT;
