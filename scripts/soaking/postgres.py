"""A primary with a synchronous standby behind a proxy, and PgBouncer before it."""
import os, shutil, signal, subprocess, sys, time
from pathlib import Path

from .network import Proxy
from .shops import fail, free_port, running


class Postgres:
    def __init__(self, folder):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or die())]
        self.programs, self.folder = found[-1].parent, folder
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
            folder.chmod(0o755)
        self.primary, self.standby, self.bouncer = free_port(), None, None
        running.append(self.close)
        self.run("initdb", "-D", self.data(self.primary), "-U", "postgres", "-A", "trust", "--no-sync")
        self.begin(self.primary)
        self.proxy = Proxy(self.primary)
        self.follow()
        self.bouncer = Bouncer(folder, self.proxy.port)
        direct = f"postgres://postgres@127.0.0.1:{self.proxy.port}/postgres"
        # One is connected to the server itself, the others by PgBouncer.
        self.urls = [direct, self.bouncer.url, self.bouncer.url]

    def data(self, port):
        return self.folder / f"data-{port}"

    def run(self, program, *arguments):
        done = subprocess.run(as_owner(self.programs / program, *arguments), cwd="/", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return done.stdout if done.returncode == 0 else fail(f"{program}: {done.stdout}")

    def begin(self, port):
        options = f"-p {port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        self.run("pg_ctl", "-D", self.data(port), "-l", self.folder / f"log-{port}", "-w", "-o", options, "start")

    def follow(self):
        """Makes a standby, and has the primary wait for it."""
        self.standby = free_port()
        self.run("pg_basebackup", "-h", "127.0.0.1", "-p", str(self.primary), "-U", "postgres", "-R", "-c", "fast",
                 "-D", self.data(self.standby))
        self.begin(self.standby)
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.sql("SELECT pg_reload_conf()")

    def sql(self, text, port=None, database="postgres"):
        return self.run("psql", "-h", "127.0.0.1", "-p", str(port or self.primary), "-U", "postgres", "-d", database,
                        "-XAtc", text)

    def rows(self, sql):
        return [tuple(line.split("|")) for line in self.sql(sql).splitlines()]

    def faults(self):
        return {"terminated": self.terminate, "cut": self.proxy.cut, "silent": self.proxy.silence,
                "pgbouncer": self.bouncer.restart, "read-only": self.read_only, "frozen": self.frozen,
                "failover": self.failover}

    def terminate(self):
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                 "AND pid <> pg_backend_pid()")

    def read_only(self):
        self.sql("ALTER DATABASE postgres SET default_transaction_read_only = on")
        self.terminate()
        time.sleep(8)
        self.sql("BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT")
        # A shop drops its own connections that are read-only; those of PgBouncer are its administrator's.
        self.sql("RECONNECT", self.bouncer.port, "pgbouncer")

    def frozen(self):
        head = int((self.data(self.primary) / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(["pgrep", "-P", str(head)], stdout=subprocess.PIPE).stdout.split()
        for process in (head, *map(int, children)):
            send(process, signal.SIGSTOP)
        time.sleep(12)
        for process in (head, *map(int, children)):
            send(process, signal.SIGCONT)

    def failover(self):
        self.run("pg_ctl", "-D", self.data(self.primary), "-m", "immediate", "stop")
        time.sleep(2)
        self.sql("ALTER SYSTEM SET synchronous_standby_names = ''", self.standby)
        self.sql("SELECT pg_reload_conf()", self.standby)
        self.sql("SELECT pg_promote()", self.standby)
        shutil.rmtree(self.data(self.primary), ignore_errors=True)
        self.primary = self.proxy.target = self.standby
        self.proxy.cut()

    def afterwards(self, fault):
        if fault == "failover":
            self.follow()

    def close(self):
        if self.bouncer:
            self.bouncer.end()
        for port in filter(None, (self.primary, self.standby)):
            subprocess.run(as_owner(self.programs / "pg_ctl", "-D", self.data(port), "-m", "immediate", "stop"),
                           cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Bouncer:
    """PgBouncer, whose clients share connections transaction by transaction."""

    def __init__(self, folder, target):
        self.port, self.config, self.log = free_port(), folder / "pgbouncer.ini", open(folder / "pgbouncer.log", "ab")
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres?pgbouncer=true"
        self.config.write_text(
            f"[databases]\npostgres = host=127.0.0.1 port={target} user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nauth_type = any\nunix_socket_dir =\n"
            "pool_mode = transaction\nadmin_users = postgres\nmax_client_conn = 200\ndefault_pool_size = 20\n"
            # A server that was not reached is tried again after a second, not after fifteen. A connection that went
            # silent costs whoever gets it the time until PgBouncer gives it up, so few are kept idle, and not for long.
            "server_login_retry = 1\nserver_connect_timeout = 3\nserver_idle_timeout = 3\nquery_timeout = 5\n")
        self.start()

    def start(self):
        program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin") or die("pgbouncer")
        self.process = subprocess.Popen(as_owner(program, self.config), stdout=self.log, stderr=self.log, cwd="/")

    def restart(self):
        self.end()
        time.sleep(2)
        self.start()

    def end(self):
        # At once, whatever its clients are doing; under `runuser` it is that one's child.
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], stdout=subprocess.PIPE).stdout.split()
        for process in (*map(int, children), self.process.pid):
            send(process, signal.SIGKILL)
        self.process.wait()


def as_owner(*command):
    """Postgres and PgBouncer refuse to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.getuid() == 0 else list(command)


def send(process, which):
    try:
        os.kill(process, which)
    except ProcessLookupError:
        pass


def die(what="a Postgres server (looked for initdb in /usr/lib/postgresql/*/bin and on the PATH)"):
    sys.exit(f"scripts/soak: not found: {what}")
