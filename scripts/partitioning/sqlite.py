"""One file of SQLite with the same rows, and what it takes."""
import shutil, sqlite3, tempfile, time
from pathlib import Path
from random import randrange
from statistics import median
from threading import Thread

from . import statements as s
from .bulk import BODY, HEADERS, Rows
from .server import say

MIGRATIONS = Path(__file__).resolve().parent.parent.parent / "migrations/sqlite"
# As the crate sets a connection.
SETTINGS = ("journal_mode = WAL", "busy_timeout = 10000", "synchronous = FULL", "cache_size = -32000",
            "wal_autocheckpoint = 8000", "secure_delete = ON")
COLUMN = 2
APPEND = ("INSERT INTO pay_events (variant, gateway_event_id, source, kind, livemode, api_version, account, secret, "
          "skew_seconds, occurred_at, received_at, last_delivered_at, due_at, state, deliveries, attempts) "
          "SELECT v, i, s, k, l, av, ac, se, sk, oc, re, re, re, 'available', 1, 0 FROM (SELECT ? AS v, ? AS i, "
          "? AS s, ? AS k, ? AS l, ? AS av, ? AS ac, ? AS se, ? AS sk, ? AS oc, ? AS re) WHERE true "
          "ON CONFLICT (variant, gateway_event_id) DO UPDATE SET deliveries = deliveries + 1, "
          "last_delivered_at = excluded.last_delivered_at RETURNING id, deliveries")
APPEND_BODY = "INSERT INTO pay_event_bodies (event_id, headers, body) VALUES (?, ?, ?)"
LOOK = "SELECT event_id FROM pay_event_bodies WHERE event_id > ? ORDER BY event_id LIMIT 200"
KEPT = ("SELECT e.id FROM pay_events e LEFT JOIN pay_payments p ON e.payment_id = p.id "
        f"WHERE e.id IN ({{}}) AND {s.RIPE} ORDER BY e.id LIMIT 50")
DUE = (f"SELECT {s.COLUMNS} FROM pay_events WHERE id IN (SELECT id FROM pay_events INDEXED BY pay_events_due "
       "WHERE due_at <= '9' AND +variant IN ('stripe', 'stripe-eu') ORDER BY due_at, id LIMIT 200)")


class Sqlite:
    def __init__(self, events, seconds, report):
        self.events, self.seconds, self.report = events, seconds, report
        self.rows = Rows(True, events)
        self.folder = Path(tempfile.mkdtemp(prefix="actix-payments-partitions."))
        self.file = self.folder / "shop.db"
        self.number = 0

    def run(self):
        try:
            self.fill()
            self.conn = self.connect()
            self.size("at first")
            self.pages()
            self.intake()
            self.prune()
            self.size("after pruning")
            free, size = (self.conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
            self.report.cell("of which free for new rows, MB", COLUMN, free * size / 1e6)
        finally:
            shutil.rmtree(self.folder)

    def size(self, when):
        self.report.cell(f"events, {when}", COLUMN, self.conn.execute("SELECT max(id) FROM pay_events").fetchone()[0])
        self.report.cell(f"the whole database, payments included, {when}, MB", COLUMN, self.file.stat().st_size / 1e6)

    def connect(self):
        conn = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, timeout=10)
        for setting in SETTINGS:
            conn.execute(f"PRAGMA {setting}").fetchall()
        return conn

    def fill(self):
        begun = time.monotonic()
        conn = sqlite3.connect(self.file, isolation_level=None)
        for step in sorted(MIGRATIONS.iterdir()):
            conn.executescript((step / "up.sql").read_text())
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -2000000", "foreign_keys = OFF"):
            conn.execute(f"PRAGMA {setting}").fetchall()
        tables = "'pay_payments', 'pay_events', 'pay_event_bodies'"
        indexes = conn.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ({tables}) "
                               "AND sql IS NOT NULL").fetchall()
        conn.execute("BEGIN")
        for name, _ in indexes:
            conn.execute(f"DROP INDEX {name}")
        for text in (self.rows.fill_payments(), self.rows.fill_events(), self.rows.fill_bodies()):
            conn.execute(text)
        for _, again in indexes:
            conn.execute(again)
        conn.execute("COMMIT")
        conn.close()
        say(f"SQLite: {self.events} events after {time.monotonic() - begun:.0f} s")

    def pages(self):
        middle = (self.events // 2,)
        named = self.conn.execute("SELECT gateway_event_id FROM pay_events WHERE id = ?", middle).fetchone()[0]
        for name, steps, fixed, drawn in s.lists(False, self.events, named):
            taken = []
            for _ in range(500):
                values = {**fixed, **{value: randrange(least, most) for value, (least, most) in drawn.items()}}
                begun = time.perf_counter()
                for text, answer in steps:
                    found = self.read(text, values)
                    if answer:
                        values[answer] = [row[0] for row in found]
                taken.append(time.perf_counter() - begun)
            self.report.cell(f"{name}, median, ms", COLUMN, median(taken) * 1e3)
        taken = []
        for _ in range(250):
            begun = time.perf_counter()
            self.conn.execute(DUE).fetchall()
            taken.append(time.perf_counter() - begun)
        self.report.cell("claim of 200 due events, median, ms", COLUMN, median(taken) * 1e3)

    def read(self, text, values):
        if ":ids" in text:
            text = text.replace("= ANY(:ids)", f"IN (NULL{', ?' * len(values['ids'])})")
            return self.conn.execute(text, values["ids"]).fetchall()
        # A sign before a value keeps SQLite from planning by it.
        return self.conn.execute(text.replace(" :", " +:").replace("(:", "(+:"), values).fetchall()

    def append(self, conn):
        """A batch of new events with their bodies."""
        now = time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime())
        conn.execute("BEGIN IMMEDIATE")
        for _ in range(s.BATCH):
            self.number += 1
            given = ("stripe", f"evt_new_{randrange(1 << 60)}_{self.number}", "delivery", "charge.succeeded", True,
                     "2026-01-28.clover", None, None, None, now, now)
            event = conn.execute(APPEND, given).fetchone()[0]
            conn.execute(APPEND_BODY, (event, HEADERS, b"x" * BODY))
        conn.execute("COMMIT")

    def intake(self):
        taken = self.appended(times=1500)
        self.report.cell("intake, events a second", COLUMN, len(taken) * s.BATCH / sum(taken))

    def appended(self, times=None, seconds=None):
        conn, taken, until = self.connect(), [], time.monotonic() + (seconds or 1e9)
        while time.monotonic() < until and len(taken) < (times or 1e9):
            begun = time.perf_counter()
            self.append(conn)
            taken.append(time.perf_counter() - begun)
        conn.close()
        return taken

    def prune(self):
        """Batches as the crate makes them; with pauses of three times as long while events are taken in beside."""
        half = self.events // 2
        conn, self.place = self.connect(), 0
        taken, gone = self.pruned(conn, 0)
        each = sum(taken) / gone
        whole = half * 0.997 * each
        self.report.cell(f"pruning {half:,} bodies in batches of 50, without the pauses, s", COLUMN, whole)
        self.report.cell("the same with them: three times as long as the work, s", COLUMN, 4 * whole)
        for name, beside in (("intake alone", False), ("intake while bodies are pruned", True)):
            pruning = Thread(target=self.pruned, args=(conn, 3))
            if beside:
                pruning.start()
            taken = sorted(self.appended(seconds=self.seconds))
            if beside:
                pruning.join()
            at = lambda part: taken[min(len(taken) - 1, int(len(taken) * part))] * 1e3
            self.report.cell(f"{name}, events a second", COLUMN, len(taken) * s.BATCH / self.seconds)
            self.report.cell(f"{name}, 99 % of the batches within, ms", COLUMN, at(0.99))
            self.report.cell(f"{name}, the longest batch, ms", COLUMN, at(1))
        conn.execute("BEGIN IMMEDIATE")
        conn.execute(f"CREATE TEMP TABLE rest AS SELECT e.id FROM pay_events e LEFT JOIN pay_payments p "
                     f"ON e.payment_id = p.id WHERE e.id <= {half} AND {s.RIPE}")
        conn.execute("DELETE FROM pay_event_bodies WHERE event_id IN (SELECT id FROM rest)")
        conn.execute("INSERT INTO pay_pruned SELECT id, '2026-01-01 00:00:00+00:00', 7776000 FROM rest WHERE true "
                     "ON CONFLICT DO NOTHING")
        conn.execute("COMMIT")
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def pruned(self, conn, share):
        taken, gone, until = [], 0, time.monotonic() + self.seconds
        while time.monotonic() < until:
            begun = time.perf_counter()
            conn.execute("BEGIN IMMEDIATE")
            seen = [row[0] for row in conn.execute(LOOK, (self.place,))]
            ripe = [row[0] for row in conn.execute(KEPT.format(", ".join("?" * len(seen))), seen)]
            marks = ", ".join("?" * len(ripe))
            conn.execute(KEPT.format(marks), ripe).fetchall()
            conn.execute(f"DELETE FROM pay_event_bodies WHERE event_id IN ({marks})", ripe)
            conn.execute("INSERT INTO pay_pruned (event_id, pruned_at, kept_seconds) SELECT id, "
                         f"'2026-01-01 00:00:00+00:00', 7776000 FROM pay_events WHERE id IN ({marks}) "
                         "ON CONFLICT DO NOTHING", ripe)
            conn.execute("COMMIT")
            if not ripe:
                break
            self.place, gone = ripe[-1], gone + len(ripe)
            taken.append(time.perf_counter() - begun)
            time.sleep(taken[-1] * share)
        return taken, gone
