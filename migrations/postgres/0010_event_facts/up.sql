-- What an event said of its payment and what the ledger made of it when it was processed, so that no page has to
-- interpret it again. Events of before have no row here.
CREATE TABLE pay_event_facts (
    event_id BIGINT PRIMARY KEY,
    -- What it said, in words.
    summary  TEXT NOT NULL,
    -- A JSON list of its facts, each with its effect: new, replaced, known, older or outranked.
    facts    TEXT NOT NULL
);
