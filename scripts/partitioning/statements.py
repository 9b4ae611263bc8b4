"""The statements that are measured, as the crate sends them; `:name` is bound.

Those of lists are of `src/store/statements/lists` and `stream.rs`, the story's of `browse.rs`, those of intake of
`append.rs` and those of pruning of `bodies.rs`. What is read is a list of steps: a statement, and the name by which a
later one knows what it answers.
"""
LAST = 9_223_372_036_854_775_807

COLUMNS = ", ".join(f"pay_events.{name}" for name in (
    "id variant gateway_event_id source kind state outcome_code outcome payment_id matched_by livemode api_version "
    "account secret skew_seconds occurred_at received_at last_delivered_at finished_at deliveries attempts claims "
    "due_at requeued_at subscription_id failure").split())

# The crate waits for 5 and 8 seconds; here what takes longer is to be seen in the figures instead.
BY_INDEX = """SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL synchronous_commit = on;"""

STATES = "available running retryable parked completed ignored discarded".split()
# What `Builder::retention` lets go, of the events `e` and their payments `p`.
RIPE = ("e.state IN ('completed', 'ignored') AND e.source <> 'operator' "
        "AND NOT COALESCE(p.disputed, FALSE) AND NOT COALESCE(p.needs_review, FALSE)")


def stream(pairs, column, columns="*", depth=500, only=""):
    """One index in its order: Postgres by pairs, SQLite by a value and the id."""
    if column is None:
        where, order = f"(id) > (:after) AND (id) < (:before)", "id DESC"
    elif pairs:
        where = f"({column}, id) > (:{column}, :after) AND ({column}, id) < (:{column}, :before)"
        order = f"{column} DESC, id DESC"
    else:
        where, order = f"{column} = :{column} AND id > :after AND id < :before", f"{column} DESC, id DESC"
    return f"SELECT {columns} FROM pay_events WHERE {only}{where} ORDER BY {order} LIMIT {depth}"


def page(pairs, column, only=""):
    """The ids of a page of a list."""
    return f"SELECT id FROM (SELECT id FROM ({stream(pairs, column, only=only)}) AS pay_events LIMIT 51) AS part0"


def counts(pairs):
    """How many events there are of each state, up to a hundred."""
    parts = [f"SELECT CAST({at} AS BIGINT), count(*) FROM ({stream(pairs, 'state', 'id', 100)}) AS counted{at}"
             .replace(":state", f":{state}") for at, state in enumerate(STATES)]
    return " UNION ALL ".join(parts)


KINDS = ("WITH RECURSIVE steps(word) AS (SELECT min(kind) FROM pay_events WHERE kind >= :least AND kind < :past "
         "UNION ALL SELECT (SELECT min(kind) FROM pay_events WHERE kind > steps.word AND kind < :past) FROM steps "
         "WHERE steps.word IS NOT NULL) SELECT word FROM steps WHERE word IS NOT NULL LIMIT 100")
TIMELINE = f"SELECT {COLUMNS} FROM pay_events WHERE payment_id = :payment ORDER BY id DESC LIMIT 200"
BODY = "SELECT headers, body FROM pay_event_bodies WHERE event_id = :place"
ONE = f"SELECT {COLUMNS} FROM pay_events WHERE id = :place"
LATE = {False: "source = 'delivery' AND received_at - occurred_at >= interval '600 seconds' AND ",
        True: "source = 'delivery' AND strftime('%s', received_at) - strftime('%s', occurred_at) >= 600 AND "}
BY_NAME = "an event by its gateway's id"
NAMED = {sqlite: f"SELECT id FROM pay_events WHERE variant {variants} AND gateway_event_id = :named LIMIT 501"
         for sqlite, variants in ((False, "= ANY('{stripe,stripe-eu}')"), (True, "IN ('stripe', 'stripe-eu')"))}
# The narrow table that says which events there are, where the events' own index can't.
NAMED_BY_KEYS = NAMED[False].replace("SELECT id FROM pay_events", "SELECT event_id FROM pay_event_keys")
DUE = (f"SELECT {COLUMNS} FROM pay_events WHERE due_at <= now() AND variant || '' = ANY('{{stripe,stripe-eu}}') "
       "ORDER BY due_at LIMIT 200 FOR UPDATE SKIP LOCKED")


def rows(ids):
    return f"SELECT {COLUMNS} FROM pay_events WHERE id = ANY({ids})"


def lists(pairs, events, named):
    """What pages read: a name, the steps, the values, and between which bounds some of them are drawn."""
    middle, payments = events // 2, events // 2
    newest, deep = {"after": 0, "before": LAST}, {"after": 0, "before": middle}
    anywhere = {"before": (events // 10, events * 9 // 10)}

    def listed(column, only=""):
        return [(page(pairs, column, only), "ids"), (rows(":ids"), None)]

    return [
        ("events, the first page", listed(None), newest, {}),
        ("events, a page far down", listed(None), deep, anywhere),
        ("completed events, far down", listed("state"), {**deep, "state": "completed"}, anywhere),
        ("discarded events, the first page", listed("state"), {**newest, "state": "discarded"}, {}),
        ("`charge.refunded`, far down", listed("kind"), {**deep, "kind": "charge.refunded"}, anywhere),
        ("one variant of two, far down", listed("variant"), {**deep, "variant": "stripe-eu"}, anywhere),
        ("deliveries that came late, the first page", listed(None, LATE[not pairs]), newest, {}),
        ("counts of each state, up to 100", [(counts(pairs), None)], {**newest, **{it: it for it in STATES}}, {}),
        ("which kinds there are", [(KINDS, None)], {"least": "!", "past": "zzz"}, {}),
        ("a payment's events", [(TIMELINE, None)], {"payment": middle // 2}, {"payment": (1, payments)}),
        ("an event and its body", [(ONE, None), (BODY, None)], {"place": middle}, {"place": (1, events)}),
        (BY_NAME, [(NAMED[not pairs], None)], {"named": named}, {}),
    ]


# The arrays of a batch of 64 new events, as a client would send them.
BATCH = 64
NEW = f"""SELECT variants, sources, kinds, livemodes, versions, nothing, numbers, ones, headers, bodies,
array_fill(now(), ARRAY[{BATCH}]) AS moments,
ARRAY(SELECT 'evt_' || left(md5(random()::text || n), 24) FROM generate_series(1, {BATCH}) AS n ORDER BY 1) AS ids
FROM trial_batch \\gset"""
MAKE_BATCH = f"""CREATE TABLE trial_batch AS SELECT array_fill('stripe'::text, ARRAY[{BATCH}]) AS variants,
array_fill('delivery'::text, ARRAY[{BATCH}]) AS sources, array_fill('charge.succeeded'::text, ARRAY[{BATCH}]) AS kinds,
array_fill(TRUE, ARRAY[{BATCH}]) AS livemodes, array_fill('2026-01-28.clover'::text, ARRAY[{BATCH}]) AS versions,
array_fill(NULL::text, ARRAY[{BATCH}]) AS nothing, array_fill(NULL::bigint, ARRAY[{BATCH}]) AS numbers,
array_fill(1::bigint, ARRAY[{BATCH}]) AS ones,
(SELECT array_agg(headers) FROM (SELECT headers FROM pay_event_bodies LIMIT {BATCH}) AS these) AS headers,
(SELECT array_agg(body) FROM (SELECT body FROM pay_event_bodies LIMIT {BATCH}) AS these) AS bodies"""

_COLUMNS = ("variant, gateway_event_id, source, kind, livemode, api_version, account, secret, skew_seconds, "
            "occurred_at, received_at, deliveries, state, last_delivered_at, due_at, attempts")
_GIVEN = ("unnest(CAST(:variants AS text[]), CAST(:ids AS text[]), CAST(:sources AS text[]), CAST(:kinds AS text[]), "
          "CAST(:livemodes AS boolean[]), CAST(:versions AS text[]), CAST(:nothing AS text[]), "
          "CAST(:nothing AS text[]), CAST(:numbers AS bigint[]), "
          "CAST(:moments AS timestamptz[]), CAST(:moments AS timestamptz[]), "
          "CAST(:ones AS bigint[])")
_NAMES = "v, i, s, k, l, av, ac, se, sk, oc, re, d"
APPEND = f"""WITH stored AS (INSERT INTO pay_events ({_COLUMNS})
SELECT {_NAMES}, 'available', re, re, 0 FROM {_GIVEN}) AS given ({_NAMES})
WHERE (SELECT e.id FROM pay_events e WHERE e.variant = v AND e.gateway_event_id = i) IS NULL
ON CONFLICT (variant, gateway_event_id) DO UPDATE
SET deliveries = pay_events.deliveries + excluded.deliveries, last_delivered_at = excluded.last_delivered_at
RETURNING variant, gateway_event_id, id, deliveries) SELECT array_agg(id) AS numbered FROM stored \\gset"""
# The names go into the narrow table first, with the events' numbers; what is new there is a new event.
APPEND_BY_KEYS = f"""WITH stored AS (INSERT INTO pay_event_keys (variant, gateway_event_id, event_id)
SELECT v, i, nextval('pay_events_id_seq') FROM unnest(CAST(:variants AS text[]), CAST(:ids AS text[])) AS given (v, i)
WHERE (SELECT k.event_id FROM pay_event_keys k WHERE k.variant = v AND k.gateway_event_id = i) IS NULL
ON CONFLICT DO NOTHING RETURNING variant, gateway_event_id, event_id)
SELECT array_agg(event_id) AS numbered FROM stored \\gset
INSERT INTO pay_events (id, {_COLUMNS}) OVERRIDING SYSTEM VALUE
SELECT n, {_NAMES}, 'available', re, re, 0 FROM {_GIVEN}, CAST(:numbered AS bigint[])) AS given ({_NAMES}, n);"""
APPEND_BODIES = """INSERT INTO pay_event_bodies (event_id, headers, body)
SELECT * FROM unnest(CAST(:numbered AS bigint[]), CAST(:headers AS text[]), CAST(:bodies AS bytea[]));"""


def intake(append, bodies=APPEND_BODIES):
    return "\n".join([NEW, "BEGIN;", BY_INDEX, append, bodies, "COMMIT;"])


_KEPT = ("SELECT e.id, e.kind, e.state, e.source, e.received_at, e.finished_at, p.disputed, p.needs_review "
         "FROM pay_events e LEFT JOIN pay_payments p ON e.payment_id = p.id WHERE e.id = ANY(CAST(:{} AS bigint[])) ")
# A transaction of `prune_bodies`: 200 bodies are looked at, 50 go.
PRUNE = f"""BEGIN;
{BY_INDEX}
SELECT array_agg(event_id) AS seen FROM (SELECT event_id FROM pay_event_bodies WHERE event_id > CAST(:place AS bigint)
ORDER BY event_id LIMIT 200) AS kept \\gset
SELECT array_agg(id) AS ripe FROM ({_KEPT.format('seen')} AND {RIPE} ORDER BY e.id LIMIT 50) AS kept \\gset
SELECT array_agg(id) AS held FROM (SELECT id FROM pay_events WHERE id = ANY(CAST(:ripe AS bigint[]))
FOR NO KEY UPDATE SKIP LOCKED) AS held \\gset
{_KEPT.format('held')} ORDER BY e.id;
DELETE FROM pay_event_bodies WHERE event_id = ANY(CAST(:held AS bigint[]));
INSERT INTO pay_pruned (event_id, pruned_at, kept_seconds) SELECT id, now(), 7776000 FROM pay_events
WHERE id = ANY(CAST(:held AS bigint[])) ON CONFLICT DO NOTHING;
SELECT max(id) AS place FROM unnest(CAST(:held AS bigint[])) AS id \\gset
COMMIT;"""

END = """UPDATE pay_events AS e SET state = d.s, attempts = d.a, claims = d.c, outcome_code = d.oc, outcome = d.o,
due_at = d.du, finished_at = d.f, payment_id = d.p, matched_by = d.m, subscription_id = d.su, failure = d.fa
FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:ones AS bigint[]), CAST(:ones AS bigint[]),
CAST(:codes AS text[]), CAST(:codes AS text[]), CAST(:never AS timestamptz[]), CAST(:moments AS timestamptz[]),
CAST(:payments AS bigint[]), CAST(:codes AS text[]), CAST(:numbers AS bigint[]), CAST(:nothing AS text[]))
AS d (id, s, a, c, oc, o, du, f, p, m, su, fa) WHERE e.id = d.id;"""
# What a batch does to its events; taken back, so that it can be measured again.
PROCESS = f"""BEGIN;
{BY_INDEX}
SELECT array_agg(id) AS ids, array_agg('completed'::text) AS states, array_agg(1::bigint) AS ones,
array_agg('applied'::text) AS codes, array_agg(NULL::timestamptz) AS never, array_agg(now()) AS moments,
array_agg(payment_id) AS payments, array_agg(NULL::bigint) AS numbers, array_agg(NULL::text) AS nothing
FROM ({DUE}) AS due \\gset
{END}
ROLLBACK;"""
CLAIM = f"BEGIN;\n{BY_INDEX}\n{DUE};\nROLLBACK;"
