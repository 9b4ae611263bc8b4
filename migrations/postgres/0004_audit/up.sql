-- What an act was on, where it was no payment and no event, and what else there is to say of it.
ALTER TABLE pay_audit ADD COLUMN variant TEXT;
ALTER TABLE pay_audit ADD COLUMN detail TEXT;
CREATE INDEX pay_audit_actor ON pay_audit (actor, id);
CREATE INDEX pay_audit_act ON pay_audit (act, id);
