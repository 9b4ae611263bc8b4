"""A proxy between shops and server, which passes on, cuts, or stays silent."""
import socket, threading

# After so many seconds the crate's connections are given up by the kernel, when the other end answers nothing at all.
KEEPALIVE = 11


class Proxy:
    def __init__(self, target):
        self.target, self.listener = target, socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port, self.open, self.lock = self.listener.getsockname()[1], [], threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            pair = {"sockets": (client, server), "silent": False}
            with self.lock:
                self.open.append(pair)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.pass_on, args=(pair, one, other), daemon=True).start()

    def pass_on(self, pair, one, other):
        try:
            while data := one.recv(65536):
                if not pair["silent"]:
                    other.sendall(data)
        except OSError:
            pass
        hang_up(one, other)
        with self.lock:
            if pair in self.open:
                self.open.remove(pair)

    def silence(self):
        """Ends them after some seconds, as both ends' keepalives would where nothing passes: here they are answered."""
        with self.lock:
            silenced = list(self.open)
        for pair in silenced:
            pair["silent"] = True
        threading.Timer(KEEPALIVE, lambda: [hang_up(*pair["sockets"]) for pair in silenced]).start()

    def cut(self):
        with self.lock:
            gone, self.open = self.open, []
        for pair in gone:
            hang_up(*pair["sockets"])


def hang_up(*ends):
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
