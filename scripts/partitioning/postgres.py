"""Two databases with the same rows, one as today, one by ranges of ids, and what each takes."""
import shutil, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from . import statements as s
from .bulk import MONTHS, Rows
from .server import Database, say

MIGRATIONS = Path(__file__).resolve().parent.parent.parent / "migrations/postgres"
TABLES = ("pay_events", "pay_event_bodies")
ROUNDS = 5
# Intake alone and beside pruning, so often.
PAIRS = 3


class Postgres:
    def __init__(self, url, events, seconds, report):
        self.url, self.events, self.seconds, self.report = url, events, seconds, report
        self.rows = Rows(False, events)
        # The last range is that of the present month, which is half full; an empty one waits for the next.
        self.size = events // MONTHS
        self.bounds = [(1 + month * self.size, 1 + (month + 1) * self.size) for month in range(MONTHS - 1)]
        last = 1 + (MONTHS - 1) * self.size
        self.bounds += [(last, last + 10 * events), (last + 10 * events, last + 20 * events)]

    def run(self, parts):
        server = Database(self.url, "postgres")
        for setting in ("autovacuum = off", "max_wal_size = '2GB'", "checkpoint_timeout = '1h'",
                        "maintenance_work_mem = '512MB'"):
            server.sql(f"ALTER SYSTEM SET {setting}")
        server.sql("SELECT pg_reload_conf()")
        self.today, self.ranges = (Database(self.url, name) for name in ("trial_today", "trial_ranges"))
        drop = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
        try:
            if "lists" in parts:
                server.sql(f"CREATE DATABASE {self.today.name}")
                self.make_payments(self.today)
                server.sql(f"CREATE DATABASE {self.ranges.name} TEMPLATE {self.today.name}")
                self.divide()
                with ThreadPoolExecutor() as pool:
                    list(pool.map(self.fill, self.both()))
                self.sizes("at first", self.both())
                self.pages()
                self.intake()
            for database, prune in ((self.today, self.prune_today), (self.ranges, self.prune_ranges)):
                if parts == ["pruning"]:
                    # One after the other, which takes half the disk.
                    server.sql(f"CREATE DATABASE {database.name}")
                    self.make_payments(database)
                    if database is self.ranges:
                        self.divide()
                    self.fill(database)
                    self.sizes("at first", [database])
                if "pruning" in parts:
                    prune()
                    self.sizes("after pruning", [database])
                    server.sql(drop.format(database.name))
        finally:
            for database in self.both():
                server.sql(drop.format(database.name))
            for database in (server, *self.both()):
                shutil.rmtree(database.folder)

    # --- The rows

    def make_payments(self, database):
        for step in sorted(MIGRATIONS.iterdir()):
            database.sql((step / "up.sql").read_text(), "-1")
        with WithoutIndexes(database, "pay_payments"):
            database.sql(self.rows.fill_payments())
        database.sql("VACUUM (ANALYZE) pay_payments")

    def divide(self):
        """Has a table for each range of ids, and a narrow one for what makes an event's name unique."""
        database = self.ranges
        indexes = database.sql("SELECT indexdef FROM pg_indexes WHERE tablename = 'pay_events' AND indexname NOT IN "
                               "(SELECT conname FROM pg_constraint)").splitlines()
        database.sql("ALTER TABLE pay_events DROP CONSTRAINT pay_events_variant_gateway_event_id_key")
        for table in TABLES:
            key = "event_id" if table.endswith("bodies") else "id"
            database.sql(f"ALTER TABLE {table} RENAME TO whole; "
                         f"CREATE TABLE {table} (LIKE whole INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY) "
                         f"PARTITION BY RANGE ({key}); DROP TABLE whole CASCADE; "
                         f"ALTER TABLE {table} ADD PRIMARY KEY ({key})")
            for month, (begin, end) in enumerate(self.bounds):
                database.sql(f"CREATE TABLE {table}_{month} PARTITION OF {table} FOR VALUES FROM ({begin}) TO ({end})")
        database.sql("ALTER TABLE pay_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY; "
                     "CREATE TABLE pay_event_keys (variant TEXT NOT NULL, "
                     "gateway_event_id TEXT COLLATE \"C\" NOT NULL, event_id BIGINT NOT NULL, "
                     "PRIMARY KEY (variant, gateway_event_id)); "
                     "CREATE TABLE pay_pruned_ranges (begins BIGINT PRIMARY KEY, ends BIGINT, pruned_at TIMESTAMPTZ)")
        database.sql(";\n".join(indexes))

    def fill(self, database):
        begun = time.monotonic()
        keys = database is self.ranges
        with WithoutIndexes(database, "pay_events"), WithoutIndexes(database, "pay_event_bodies"):
            database.sql(self.rows.fill_events())
            database.sql(self.rows.fill_bodies())
        if keys:
            with WithoutIndexes(database, "pay_event_keys"):
                database.sql("INSERT INTO pay_event_keys SELECT variant, gateway_event_id, id FROM pay_events")
        database.sql(s.MAKE_BATCH)
        database.sql("VACUUM (ANALYZE)")
        database.sql("CHECKPOINT")
        say(f"{database.name}: {self.events} events after {time.monotonic() - begun:.0f} s")

    # --- What is measured

    def both(self):
        return (self.today, self.ranges)

    def sizes(self, when, databases):
        for database in databases:
            column = self.both().index(database)
            for table in (*TABLES, "pay_event_keys", "pay_pruned"):
                if table != "pay_event_keys" or database is self.ranges:
                    for part, size in zip(("rows", "indexes"), database.bytes(table)):
                        self.report.compare_at(f"`{table}`, {part}, {when}, MB", column, size / 1e6)
            events = database.number("SELECT max(id) FROM pay_events")
            self.report.compare_at(f"events, {when}", column, events)
            whole = database.number("SELECT pg_database_size(current_database())")
            self.report.compare_at(f"the whole database, payments included, {when}, MB", column, whole / 1e6)

    def pages(self):
        named = self.today.sql(f"SELECT gateway_event_id FROM pay_events WHERE id = {self.events // 2}")
        lists = [s.lists(pairs, self.events, named) for pairs in (True, False)]
        for (name, steps, fixed, drawn), by_value in zip(*lists):
            others = [(s.NAMED_BY_KEYS, None)] if name == s.BY_NAME else steps
            self.compare(name, [steps, others], fixed, drawn)
            if not {"state", "kind", "available"}.isdisjoint(fixed):
                self.compare(f"{name}, as `… = … AND id < …`", [by_value[1]] * 2, fixed, drawn)
        batches = ("claim of 200 due events", s.CLAIM, 50), ("claim and end of 200 events", s.PROCESS, 10)
        for name, script, times in batches:
            self.in_turn(name, [script, script], {}, times, 3)

    def compare(self, name, steps, fixed, drawn):
        steps = [[(f"SELECT array_agg(id) AS {answer} FROM ({text}) AS listed" if answer else text, answer)
                  for text, answer in its] for its in steps]
        blocks = [database.blocks(its, fixed) for database, its in zip(self.both(), steps)]
        settings = "".join(f"\\set {value} random({least}, {most})\n" for value, (least, most) in drawn.items())
        scripts = [settings + "\n".join(text + (" \\gset" if answer else ";") for text, answer in its) for its in steps]
        self.in_turn(name, scripts, {value: fixed[value] for value in fixed.keys() - drawn.keys()}, 110, 10)
        self.report.compare(f"{name}, pages read", blocks, "")

    def in_turn(self, name, scripts, values, times, first):
        """A connection plans a statement anew for its first five runs and settles on a plan then, so the first runs
        are apart: how slow the slowest was, the median of the rounds."""
        taken, slowest = ([], []), ([], [])
        for turn in range(ROUNDS):
            for at in ((0, 1), (1, 0))[turn % 2]:
                runs = self.both()[at].bench(scripts[at], values=values, times=times).times()
                taken[at].extend(runs[first:])
                slowest[at].append(max(runs[:first]))
        self.report.compare(f"{name}, median", [median(times) / 1e3 for times in taken], "ms")
        self.report.compare(f"{name}, slowest of the first", [median(times) / 1e3 for times in slowest], "ms")

    def intake(self):
        scripts = {
            "as today": (self.today, s.intake(s.APPEND)),
            "by ranges of ids": (self.ranges, s.intake(s.APPEND_BY_KEYS)),
            "bodies alone by ranges of ids": (self.today, s.intake(s.APPEND, s.APPEND_BODIES.replace(
                "pay_event_bodies", "trial_bodies"))),
        }
        # Its old ranges take part in nothing, so they may be empty.
        self.today.sql("CREATE TABLE trial_bodies (LIKE pay_event_bodies INCLUDING ALL) PARTITION BY RANGE (event_id)")
        for month, (begin, end) in enumerate(self.bounds):
            self.today.sql(f"CREATE TABLE trial_bodies_{month} PARTITION OF trial_bodies "
                           f"FOR VALUES FROM ({begin}) TO ({end})")
        seen = {name: ([], [], []) for name in scripts}
        for turn in range(ROUNDS):
            order = list(scripts.items())
            for name, (database, script) in order if turn % 2 else reversed(order):
                database.sql("CHECKPOINT; SELECT pg_stat_reset_shared('wal')")
                before, batches = database.wal(), 300
                taken = database.bench(script, times=batches).times()
                events = batches * s.BATCH
                seen[name][0].append(events / (sum(taken) / 1e6))
                seen[name][1].append((database.wal() - before) / events)
                seen[name][2].append(database.number("SELECT wal_fpi FROM pg_stat_wal") / events)
        self.today.sql("DROP TABLE trial_bodies")
        for at, (name, unit) in enumerate((("intake, events a second", ""), ("intake, WAL for an event", "bytes"),
                                           ("intake, whole pages in the WAL for an event", ""))):
            values = [median(parts[at]) for parts in seen.values()]
            self.report.compare(name, values[:2], unit)
            self.report.compare(f"{name}, bodies alone by ranges", values[::2], unit)

    def beside(self, database, append, other):
        """Intake alone for some seconds, then with something beside it, in turn: its pace, and its batches' times."""
        script, seen = s.intake(append), ([], [])
        for turn in range(2 * PAIRS):
            database.sql("CHECKPOINT")
            bench = database.bench(script, seconds=self.seconds)
            if turn % 2:
                other(turn // 2)
            taken = sorted(bench.times())
            pace, slow = len(taken) * s.BATCH / self.seconds, taken[len(taken) * 99 // 100]
            seen[turn % 2].append((pace, slow / 1e3, taken[-1] / 1e3))
        return [[median(part) for part in zip(*rounds)] for rounds in seen]

    def prune_today(self):
        database, half = self.today, self.events // 2
        place = {"place": 0}
        database.sql("CHECKPOINT")
        before = database.wal()
        taken = database.bench(s.PRUNE, values=place, seconds=self.seconds).times()
        gone = database.number("SELECT count(*) FROM pay_pruned")
        each, wal = sum(taken) / 1e6 / gone, (database.wal() - before) / gone
        whole = half * 0.997
        self.report.only(f"pruning {half:,} bodies in batches of 50, without the pauses", each * whole, None, "s")
        self.report.only("the same with them: three times as long as the work", 4 * each * whole, None, "s")
        self.report.only("WAL of that, for each body", wal, None, "bytes")
        rate = 1 / (4 * sum(taken) / len(taken) / 1e6)

        def at_its_pace(_):
            place = int(database.number("SELECT max(event_id) FROM pay_pruned"))
            database.bench(s.PRUNE, values={"place": place}, seconds=self.seconds, rate=rate).times()

        self.lost(0, self.beside(database, s.APPEND, at_its_pace))
        # The rest at once, for what is left of the files.
        rest = (f"SELECT e.id FROM pay_events e LEFT JOIN pay_payments p ON e.payment_id = p.id "
                f"WHERE e.id <= {half} AND {s.RIPE}")
        database.sql(f"CREATE TABLE trial_rest AS {rest}; "
                     "DELETE FROM pay_event_bodies USING trial_rest WHERE event_id = trial_rest.id; "
                     "INSERT INTO pay_pruned SELECT id, now(), 7776000 FROM trial_rest ON CONFLICT DO NOTHING; "
                     "DROP TABLE trial_rest")
        before = database.wal()
        self.vacuum = database.timed("VACUUM pay_event_bodies"), database.wal() - before

    def prune_ranges(self):
        database = self.ranges
        months = list(range(MONTHS // 2))
        database.sql("CHECKPOINT")
        before, alone = database.wal(), months[::2]
        taken = [self.swap(month) for month in alone]
        wal = database.wal() - before
        whole = sum(part[0] for part in taken) * len(months) / len(alone)
        self.report.only("the same by ranges: what must stay is kept, the rest dropped", None, whole, "s")
        held = max(part[1] for part in taken) * 1e3
        self.report.only("of that the exchange of one range, the longest", None, held, "ms")
        self.report.only("WAL of that, for each body", None, wal / (len(alone) * self.size), "bytes")
        beside = months[1::2]

        def swaps(turn):
            for month in beside[turn::PAIRS]:
                time.sleep(self.seconds / 5)
                self.swap(month)

        self.lost(1, self.beside(database, s.APPEND_BY_KEYS, swaps))
        seconds, wal = self.vacuum
        self.report.only("VACUUM of the bodies afterwards", seconds, 0, "s")
        self.report.only("WAL of that", wal / 1e6, 0, "MB")

    def swap(self, month):
        """A range's bodies that must stay go to a table that takes its place. How long that took, and the exchange."""
        database, (begin, end) = self.ranges, self.bounds[month]
        old, new = f"pay_event_bodies_{month}", f"pay_event_bodies_{month}_kept"
        copied = database.timed(
            f"CREATE TABLE {new} (LIKE {old} INCLUDING ALL, CHECK (event_id >= {begin} AND event_id < {end})); "
            f"SET work_mem = '64MB'; INSERT INTO {new} SELECT b.* FROM {old} b "
            f"JOIN pay_events e ON e.id = b.event_id AND e.id >= {begin} AND e.id < {end} "
            f"LEFT JOIN pay_payments p ON e.payment_id = p.id WHERE NOT ({s.RIPE}); ANALYZE {new}")
        exchanged = database.timed(
            f"BEGIN; ALTER TABLE pay_event_bodies DETACH PARTITION {old}; "
            f"ALTER TABLE pay_event_bodies ATTACH PARTITION {new} FOR VALUES FROM ({begin}) TO ({end}); "
            f"INSERT INTO pay_pruned_ranges VALUES ({begin}, {end}, now()); COMMIT")
        dropped = database.timed(f"DROP TABLE {old}")
        return copied + exchanged + dropped, exchanged

    def lost(self, at, seen):
        alone, beside = seen
        words = ("events a second", "99 % of the batches within, ms", "the longest batch, ms")
        for word, before, meanwhile in zip(words, alone, beside):
            self.report.cell(f"intake alone, {word}", at, before)
            self.report.cell(f"intake while bodies are pruned, {word}", at, meanwhile)


class WithoutIndexes:
    """Drops a table's indexes, and makes them anew afterwards."""

    def __init__(self, database, table):
        self.database, self.table = database, table

    def __enter__(self):
        of = f"FROM pg_constraint WHERE conrelid = '{self.table}'::regclass AND contype IN ('p', 'u')"
        keys = self.database.sql(f"SELECT conname || ' ' || pg_get_constraintdef(oid) {of}").splitlines()
        indexes = self.database.sql("SELECT indexname || '|' || indexdef FROM pg_indexes "
                                    f"WHERE tablename = '{self.table}' "
                                    f"AND indexname NOT IN (SELECT conname {of})").splitlines()
        self.again = [f"ALTER TABLE {self.table} ADD CONSTRAINT {key}" for key in keys]
        self.again += [index.split("|", 1)[1].replace(" ON ONLY ", " ON ") for index in indexes]
        gone = [f"ALTER TABLE {self.table} DROP CONSTRAINT {key.split()[0]} CASCADE" for key in keys]
        gone += [f"DROP INDEX {index.split('|')[0]}" for index in indexes]
        self.database.sql(";\n".join(gone))

    def __exit__(self, kind, *_):
        if kind is None:
            for text in self.again:
                self.database.sql(text)
