DROP TABLE pay_event_facts;
