"""Processes of the shop, and the senders that buy, pay and send each event until it is acknowledged."""
import collections, hashlib, hmac, http.client, itertools, json, os, random, signal, socket, subprocess, threading, time
import urllib.parse

SECRET = "whsec_soak"
# A request that takes so many seconds is given up by the sender and comes again.
PATIENCE = 20
# One who watches whether a process works again asks more often.
WATCHER_PATIENCE = 3


# What has to be ended, whatever happens.
running = []


def fail(why):
    print(f"\nFAILED: {why}", flush=True)
    for end in running:
        end()
    os._exit(1)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Shop:
    """One process of the shop, which is started again when it was killed."""

    def __init__(self, program, name, url, folder):
        self.program, self.name, self.port = program, name, free_port()
        self.log = open(folder / f"shop-{name}.log", "ab")
        self.environment = {
            "PATH": os.environ["PATH"], "DATABASE_URL": url, "BIND": f"127.0.0.1:{self.port}", "RUST_LOG": "info",
            "STRIPE_WEBHOOK_SECRET": SECRET, "ADMIN_PASSWORD": "secret",
        }
        # When it acknowledged an event for the last time.
        self.last = 0.0
        self.start()
        running.append(self.kill)

    def start(self):
        self.process = subprocess.Popen([self.program], env=self.environment, stdout=self.log, stderr=self.log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, patience=40):
        """Ends it as systemd and Kubernetes do; answers after how many seconds it ended, and fails if it does not."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            fail(f"shop {self.name} has not ended {patience} seconds after it was told to")
        if code not in (0, -signal.SIGTERM):
            fail(f"shop {self.name} ended with {code}")
        return time.monotonic() - begun

    def request(self, path, body, headers, patience=PATIENCE):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def memory(self):
        """Resident memory in MiB."""
        try:
            with open(f"/proc/{self.process.pid}/status") as status:
                return next((int(line.split()[1]) >> 10 for line in status if line.startswith("VmRSS")), 0)
        except OSError:
            return 0


def signed(body):
    """The headers of an event that Stripe sends."""
    now = int(time.time())
    signature = hmac.new(SECRET.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={now},v1={signature}", "content-type": "application/json"}


def paid_session(number, token):
    session = {
        "id": f"cs_soak_{number}", "object": "checkout.session", "mode": "payment", "status": "complete",
        "payment_status": "paid", "amount_total": 4999, "currency": "eur", "client_reference_id": token,
        "payment_intent": f"pi_soak_{number}",
    }
    return json.dumps({
        "id": f"evt_soak_{number}", "object": "event", "type": "checkout.session.completed",
        "created": int(time.time()), "livemode": False, "data": {"object": session},
    })


class Load:
    """Buys and pays at a steady rate, at whichever shop; beside it one watcher for each shop buys and pays there alone."""

    def __init__(self, shops, rate):
        self.shops, self.rate, self.lock, self.ends = shops, rate, threading.Lock(), threading.Event()
        # When those who watch were answered what: the latest.
        self.heard = collections.deque(maxlen=200)
        self.acknowledged, self.refused = {}, 0
        self.numbers, self.next = itertools.count(1), time.monotonic()
        whoever = [Sender(self, shops, PATIENCE, self.wait_for_turn) for _ in range(16)]
        watchers = [Watcher(self, [shop], WATCHER_PATIENCE, lambda: self.ends.wait(0.5)) for shop in shops]
        self.threads = [threading.Thread(target=sender.run, daemon=True) for sender in whoever + watchers]

    def wait_for_turn(self):
        """What a fault held up is not made up for at once."""
        with self.lock:
            self.next = max(self.next, time.monotonic() - 1) + 1 / self.rate
            wait = self.next - time.monotonic()
        if wait > 0:
            self.ends.wait(wait)


class Sender:
    """Buys, pays, and sends the event until it is acknowledged, one payment after the other."""

    def __init__(self, load, shops, patience, wait_for_turn):
        self.load, self.shops, self.patience, self.wait_for_turn = load, shops, patience, wait_for_turn

    def run(self):
        while not self.load.ends.is_set():
            self.wait_for_turn()
            number, token = next(self.load.numbers), self.buy()
            if token:
                self.pay(number, token)

    def ask(self, shop, path, body, headers):
        return shop.request(path, body, headers, self.patience)

    def buy(self):
        form = urllib.parse.urlencode({"item": "kettle", "variant": "stripe"})
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        while not self.load.ends.is_set():
            try:
                status, body = self.ask(random.choice(self.shops), "/orders", form, headers)
                if status == 200:
                    return json.loads(body)["token"]
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.2)

    def pay(self, number, token):
        event = paid_session(number, token)
        while not self.load.ends.is_set():
            if self.sent(event):
                with self.load.lock:
                    self.load.acknowledged[number] = token
                # A gateway sends some twice.
                if number % 7 == 0:
                    self.sent(event)
                return
            time.sleep(0.2)

    def sent(self, body):
        shop = random.choice(self.shops)
        try:
            status, answer = self.ask(shop, "/payments/stripe/", body, signed(body))
        except (OSError, http.client.HTTPException):
            return False
        if status not in (200, 503):
            fail(f"an event was answered {status} {answer!r}")
        with self.load.lock:
            self.load.refused += status == 503
        if status == 200:
            shop.last = time.monotonic()
        return status == 200


class Watcher(Sender):
    """Notes what it was answered."""

    def ask(self, shop, path, body, headers):
        begun, what = time.monotonic(), "was interrupted"
        try:
            status, answer = super().ask(shop, path, body, headers)
            what = status
            return status, answer
        except (OSError, http.client.HTTPException) as problem:
            what = repr(problem)
            raise
        finally:
            now = time.monotonic()
            self.load.heard.append((now, shop.name, f"POST {path} {what} after {now - begun:.1f} s"))
