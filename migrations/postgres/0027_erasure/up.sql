-- By what a person who was erased is recognised when something of them comes again: keyed hashes, of which nobody without
-- the app's key can tell whether they are somebody's. Rows are only added.
CREATE TABLE pay_erased (
    -- HMAC-SHA256 under the app's key, of an email address, of a gateway's id of a customer or of an object.
    mark      TEXT PRIMARY KEY,
    erased_at TIMESTAMPTZ NOT NULL
);
