-- What was given up and still lies there, kind by kind; and what gateways did not show.
CREATE INDEX pay_events_given_up ON pay_events (variant, kind, finished_at)
    WHERE state = 'discarded' AND (outcome_code IS NULL OR outcome_code NOT IN ('discarded', 'not_shown'));
CREATE INDEX pay_events_not_shown ON pay_events (variant, finished_at)
    WHERE state = 'discarded' AND outcome_code = 'not_shown';
