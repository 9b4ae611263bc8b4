"""A Postgres that is asked by psql and pgbench: its databases, how long statements take, and what they read."""
import json, re, subprocess, sys, tempfile, time
from pathlib import Path


def say(what):
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


class Database:
    def __init__(self, url, name):
        self.url, self.name = url.rsplit("/", 1)[0] + "/" + name, name
        self.folder = Path(tempfile.mkdtemp(prefix="actix-payments-partitions."))

    def sql(self, text, *options):
        done = subprocess.run(["psql", self.url, "-XqAt", "-v", "ON_ERROR_STOP=1", *options], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError(f"{self.name}: {done.stderr}\n{text[:2000]}")
        return done.stdout.strip()

    def number(self, text):
        return float(self.sql(text) or 0)

    def timed(self, text):
        begun = time.monotonic()
        self.sql(text)
        return time.monotonic() - begun

    def wal(self):
        return self.number("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")

    def bench(self, script, **options):
        """Starts a script that repeats; `times` of what that answers waits for its end."""
        return Bench(self, script, **options)

    def blocks(self, steps, values):
        """How many pages of 8 KiB the steps look at, with the plans that a connection keeps in the end."""
        lines, plans = [f"\\set {name} '{value}'" for name, value in values.items()], []
        for at, (text, answers) in enumerate(steps):
            names = list(dict.fromkeys(re.findall(r"(?<!:):([a-z_]+)", text)))
            for number, name in enumerate(names, 1):
                text = re.sub(rf"(?<!:):{name}\b", f"${number}", text)
            given = ", ".join(f":'{name}'" for name in names)
            run = f"EXECUTE s{at}{f'({given})' if given else ''}"
            plans.append(self.folder / f"plan{at}")
            lines += [f"PREPARE s{at} AS {text};", "\\o /dev/null", *[f"{run};"] * 6, f"\\o {plans[-1]}",
                      f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {run};", "\\o"]
            lines += [f"{run} \\gset"] if answers else []
        self.sql("\n".join(lines))
        read = [json.loads(plan.read_text())[0]["Plan"] for plan in plans]
        return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in read)

    def bytes(self, table):
        """Of a table and its partitions: rows and their free space, indexes, what is stored beside."""
        parts = f"(SELECT relid FROM pg_partition_tree('{table}') UNION SELECT '{table}'::regclass)"
        row = self.sql(f"SELECT sum(pg_relation_size(relid)), sum(pg_indexes_size(relid)), "
                       f"sum(pg_total_relation_size(relid) - pg_relation_size(relid) - pg_indexes_size(relid)) "
                       f"FROM {parts} AS parts")
        return [int(part or 0) for part in row.split("|")]


class Bench:
    def __init__(self, database, script, values=None, times=None, seconds=None, rate=None):
        self.folder = Path(tempfile.mkdtemp(dir=database.folder))
        (self.folder / "script.sql").write_text(script)
        command = ["pgbench", "-n", "-M", "prepared", "-f", self.folder / "script.sql", "-l",
                   "--log-prefix", self.folder / "log"]
        for name, value in (values or {}).items():
            command += ["-D", f"{name}={value}"]
        command += ["-t", str(times)] if times else ["-T", str(seconds)]
        command += ["-R", f"{rate:.3f}"] if rate else []
        self.process = subprocess.Popen([*command, database.url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)

    def times(self):
        """The microseconds of each transaction, in their order."""
        said = self.process.communicate()[0]
        if self.process.returncode:
            raise RuntimeError(f"pgbench: {said[-3000:]}")
        logs = [log.read_text().splitlines() for log in self.folder.glob("log.*")]
        return [int(line.split()[2]) for log in logs for line in log]
