"""A database in a file, on a small disk of its own where one may be mounted."""
import os, sqlite3, subprocess, time

from .shops import running


class Sqlite:
    def __init__(self, folder):
        self.disk = folder / "disk"
        self.disk.mkdir()
        self.mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512m", "tmpfs", self.disk], stderr=subprocess.DEVNULL).returncode == 0
        running.append(self.close)
        self.file = self.disk / "shop.db"
        self.urls = [f"sqlite://{self.file}"] * 3

    def rows(self, sql):
        connection = sqlite3.connect(self.file, timeout=60)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def faults(self):
        return {"locked": self.locked, "moved away": self.moved, **({"disk full": self.full} if self.mounted else {})}

    def locked(self):
        connection = sqlite3.connect(self.file, timeout=60, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(15)
        connection.execute("ROLLBACK")
        connection.close()

    def moved(self):
        away = self.file.with_suffix(".away")
        self.file.rename(away)
        time.sleep(5)
        away.rename(self.file)

    def full(self):
        filler = self.disk / "filler"
        out = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(out, bytes(1 << 20))
        except OSError:
            pass
        finally:
            os.close(out)
        time.sleep(8)
        filler.unlink()

    def afterwards(self, fault):
        pass

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.disk])
