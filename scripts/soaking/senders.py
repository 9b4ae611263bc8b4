"""Many slow senders against one process: does a genuine delivery wait for them, and how much memory do they take?"""
import itertools, resource, socket, threading, time

from .shops import fail, signed

# MiB: the default of `queue_bytes`, for the bodies that are arriving, and what a process takes besides.
BOUND, BESIDE = 64, 16
# KiB: what Actix keeps for a connection, and how much of what it was sent may lie in its buffers.
CONNECTION, BUFFERED = 32, 64
# How long a genuine delivery may take while they are there.
PATIENCE = 1.0


def allow_files(count):
    """Raises this process's limit of open files, which its children inherit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        fail(f"{count} open files are needed, and the limit is {hard}: raise it (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


class Slow:
    """Connections that each send the beginning of a large body, and then byte by byte; again when they were hung up on."""

    def __init__(self, port, count, first):
        self.port, self.first, self.ends = port, first, threading.Event()
        self.made, self.dropped = 0, 0
        self.threads = [threading.Thread(target=self.run, args=(count // 8,), daemon=True) for _ in range(8)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def connect(self):
        head = (b"POST /payments/stripe/ HTTP/1.1\r\nhost: shop.example\r\ncontent-type: application/json\r\n"
                b"stripe-signature: t=1,v1=00\r\ncontent-length: 1000000\r\n\r\n")
        sender = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        sender.setblocking(False)
        try:
            sender.send(head + b"x" * self.first)
        except BlockingIOError:
            pass
        return sender

    def run(self, count):
        mine = []
        while not self.ends.is_set():
            while len(mine) < count and not self.ends.is_set():
                try:
                    mine.append(self.connect())
                    self.made += 1
                except OSError:
                    time.sleep(0.05)
            for sender in list(mine):
                if not alive(sender):
                    sender.close()
                    mine.remove(sender)
                    self.dropped += 1
            self.ends.wait(1)
        for sender in mine:
            sender.close()


def alive(sender):
    """Sends one more byte, and looks whether the shop has hung up."""
    try:
        sender.send(b"x")
    except BlockingIOError:
        pass
    except OSError:
        return False
    try:
        return sender.recv(4096) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def besiege(shop, count, first, seconds):
    """Sends genuine deliveries beside so many slow senders; prints a table and fails on what took too long."""
    before, numbers = shop.memory(), itertools.count(1)
    took(shop, next(numbers))
    slow = Slow(shop.port, count, first)
    slow.start()
    print(f"{'second':>6} {'slow senders':>13} {'hung up on':>11} {'genuine':>8} {'slowest':>8} {'memory':>8}", flush=True)
    begun, worst, most = time.monotonic(), 0.0, before
    while (elapsed := time.monotonic() - begun) < seconds:
        until, times = time.monotonic() + 5, []
        while time.monotonic() < until:
            times.append(took(shop, next(numbers)))
            most = max(most, shop.memory())
            time.sleep(0.05)
        print(f"{elapsed + 5:6.0f} {slow.made - slow.dropped:>13} {slow.dropped:>11} {len(times):>8} {max(times):7.2f}s "
              f"{shop.memory():>4} MiB", flush=True)
        worst = max(worst, *times)
    slow.ends.set()
    print(f"\n{slow.made} slow senders were there, up to {count} at once; the slowest genuine delivery took {worst:.2f} s; "
          f"memory {before} MiB before, {most} MiB at the most")
    if worst > PATIENCE:
        fail(f"a genuine delivery took {worst:.2f} s")
    bound = BOUND + BESIDE + count * (CONNECTION + min(first >> 10, BUFFERED)) // 1024
    if most - before > bound:
        fail(f"{most - before} MiB more were taken, and {bound} may be")


def took(shop, number):
    """How long a genuine delivery takes until it is acknowledged."""
    body = f'{{"id":"evt_genuine_{number}","object":"event","type":"ping","created":{int(time.time())}}}'
    begun = time.monotonic()
    while True:
        status, answer = shop.request("/payments/stripe/", body, signed(body))
        if status == 200:
            return time.monotonic() - begun
        if status != 503:
            fail(f"a genuine delivery was answered {status} {answer!r}")
        time.sleep(0.05)
