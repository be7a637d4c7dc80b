"""A farm of fake IMAP servers in one process, which watches that no user is at two of them at once.

    python3 -m tests.support.farm CONTROL_SOCKET NAME=PORT...

A user is at a server from the moment it sends the tagged OK of his login until the connection is
closed by either side. All servers live on one thread, so there is an order of events: before a login
is said to be a violation, the user's other connections are looked at once more, whether they ended
meanwhile. Logins take a random moment, so that those of one user overlap.

Over the control socket come lines `WORD NAME`, each answered by a line of JSON: kill (the port is
closed, connections are reset), stop (BYE to everybody), start, hang (accepts, by the kernel, and is
silent), wake, fill (greets with BYE), limp (logins get a late verdict or none), report. `class Farm`
is its handle in a test.
"""

import base64
import heapq
import itertools
import json
import random
import select
import selectors
import socket
import struct
import sys
import time

from playground import HOST, free_port, wait_until

from . import TOP

CAPABILITIES = b"IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN"
LOGIN_TAKES = 0.004  # seconds at most
LIMPING_TAKES = 0.4
EXAMPLES = 5  # violations that are told in full
RESET = struct.pack("ii", 1, 0)


class Peer:
    """One connection to one server. `user` is set while he is logged in on it."""

    def __init__(self, server, connection):
        self.server = server
        self.socket = connection
        self.user = None
        self.open = True
        self.idle_tag = None
        self._pending = b""
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self):
        return self.socket.fileno()

    def send(self, data):
        try:
            self.socket.send(data)  # far less than any socket's buffer
        except OSError:
            self.server.drop(self)

    def ready(self):
        """Reads all there is, and answers it if the connection is still there behind it."""
        while self.open and not self.server.silent:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.server.drop(self)
                return
            self._pending += data
        while self.open and b"\r\n" in self._pending:
            line, _, self._pending = self._pending.partition(b"\r\n")
            self.line(line)

    def line(self, line):
        if self.idle_tag is not None and line.upper() == b"DONE":
            self.send(self.idle_tag + b" OK idled\r\n")
            self.idle_tag = None
            return
        words = line.split(b" ")
        verb = words[1].upper() if len(words) > 1 else b""
        handler = getattr(self, "do_" + verb.decode(errors="replace").lower(), None)
        if handler is None:
            self.send(words[0] + b" BAD unknown\r\n")
        else:
            handler(words[0], words[2:])

    def do_capability(self, tag, _):
        self.send(b"* CAPABILITY " + CAPABILITIES + b"\r\n" + tag + b" OK done\r\n")

    def do_id(self, tag, _):
        self.send(b"* ID NIL\r\n" + tag + b" OK done\r\n")

    def do_noop(self, tag, _):
        self.send(tag + b" OK " + (self.user or "nobody").encode() + b"\r\n")

    def do_idle(self, tag, _):
        self.idle_tag = tag
        self.send(b"+ idling\r\n")

    def do_logout(self, tag, _):
        self.send(b"* BYE leaving\r\n" + tag + b" OK done\r\n")
        self.server.drop(self)

    def do_login(self, tag, words):
        self.server.farm.later(self, tag, words[0].strip(b'"').decode())

    def do_authenticate(self, tag, words):
        self.server.farm.later(self, tag, base64.b64decode(words[1]).split(b"\0")[1].decode())


class Server:
    """One of the farm's servers."""

    def __init__(self, farm, name, port):
        self.farm = farm
        self.name = name
        self.port = port
        self.listener = None
        self.peers = set()
        self.silent = self.full = self.limping = False
        self.logins = 0

    def fileno(self):
        return self.listener.fileno()

    def start(self):
        self.full = self.limping = False
        if self.listener is None:
            self.listener = socket.create_server((HOST, self.port), backlog=512)
            self.listener.setblocking(False)
            self.farm.watch(self)
        self.wake()

    def kill(self):
        """As if the machine were switched off and on: connections are reset."""
        self.close()
        for peer in list(self.peers):
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.drop(peer)

    def stop(self):
        self.close()
        for peer in list(self.peers):
            peer.send(b"* BYE shutting down\r\n")
            self.drop(peer)

    def hang(self):
        if not self.silent and self.listener is not None:
            self.silent = True
            for thing in (self, *self.peers):
                self.farm.ignore(thing)

    def wake(self):
        if self.silent:
            self.silent = False
            for thing in (self, *self.peers):
                self.farm.watch(thing)

    def fill(self):
        self.full = True

    def limp(self):
        self.limping = True

    def close(self):
        self.wake()
        if self.listener is not None:
            self.farm.ignore(self)
            self.listener.close()
            self.listener = None

    def ready(self):
        if self.silent or self.listener is None:
            return
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        if self.full:
            connection.send(b"* BYE too many connections\r\n")
            connection.close()
            return
        peer = Peer(self, connection)
        self.peers.add(peer)
        self.farm.watch(peer)
        peer.send(b"* OK [CAPABILITY " + CAPABILITIES + b"] ready\r\n")

    def drop(self, peer):
        """The connection is over, whoever ended it."""
        if not peer.open:
            return
        peer.open = False
        self.farm.gone(peer)
        self.peers.discard(peer)
        if not self.silent:
            self.farm.ignore(peer)
        peer.socket.close()


class Watch:
    """All servers, their loop, and who is where."""

    def __init__(self, path, ports):
        self._selector = selectors.EpollSelector()
        self._control = socket.socket(socket.AF_UNIX)
        self._control.bind(path)
        self._control.listen()
        self._logins = []  # heap of (time, number, peer, tag, user)
        self._numbers = itertools.count()
        self._random = random.Random(1)
        self.servers = {name: Server(self, name, port) for name, port in ports.items()}
        self.where = {}  # user -> the peers he is logged in on
        self.last = {}  # user -> the server of his last login
        self.ends = {}  # user -> when he last left one
        self.counts = {"logins": 0, "moves": 0, "violations": 0, "examples": [],
                       "shortest_gap": None}
        for server in self.servers.values():
            server.start()

    def watch(self, thing):
        self._selector.register(thing, selectors.EVENT_READ)

    def ignore(self, thing):
        self._selector.unregister(thing)

    def later(self, peer, tag, user):
        limping = peer.server.limping
        if limping and self._random.random() < 0.5:
            if self._random.random() < 0.5:
                peer.server.drop(peer)
            return
        due = time.monotonic() + self._random.random() * (LIMPING_TAKES if limping else LOGIN_TAKES)
        heapq.heappush(self._logins, (due, next(self._numbers), peer, tag, user.lower()))

    def run(self):
        commands, _ = self._control.accept()
        self._selector.register(commands, selectors.EVENT_READ)
        while True:
            wait = max(self._logins[0][0] - time.monotonic(), 0) if self._logins else None
            for key, _ in self._selector.select(wait):
                if key.fileobj is commands:
                    if not self.obey(commands):
                        return
                else:
                    key.fileobj.ready()  # or closed by one before it: then it does nothing
            self.answer_logins()

    def answer_logins(self):
        now, kept = time.monotonic(), []
        while self._logins and self._logins[0][0] <= now:
            entry = heapq.heappop(self._logins)
            peer = entry[2]
            if peer.server.silent:
                kept.append((now + LOGIN_TAKES, *entry[1:]))
                continue
            # Nobody is let in who has gone while he waited.
            peer.ready()
            if peer.open:
                self.arrived(peer, entry[3], entry[4])
        for entry in kept:
            heapq.heappush(self._logins, entry)

    def arrived(self, peer, tag, user):
        here = self.where.setdefault(user, set())
        if any(other.server is not peer.server and not ended(other) for other in here):
            self.violation(user, peer, here)
        if not here and self.last.get(user, peer.server) is not peer.server:
            gap = round(time.monotonic() - self.ends[user], 3)
            self.counts["shortest_gap"] = min(gap, self.counts["shortest_gap"] or gap)
        peer.user = user
        here.add(peer)
        peer.server.logins += 1
        self.counts["logins"] += 1
        self.counts["moves"] += self.last.get(user, peer.server) is not peer.server
        self.last[user] = peer.server
        peer.send(tag + b" OK [CAPABILITY IMAP4rev1 IDLE ID] logged in\r\n")

    def violation(self, user, peer, here):
        self.counts["violations"] += 1
        if len(self.counts["examples"]) < EXAMPLES:
            others = sorted({other.server.name for other in here
                             if other.server is not peer.server and not ended(other)})
            self.counts["examples"].append(
                f"{time.time():.3f} {user} at {peer.server.name} while at {', '.join(others)}")

    def gone(self, peer):
        if peer.user is not None:
            self.where[peer.user].discard(peer)
            self.ends[peer.user] = time.monotonic()

    def obey(self, commands):
        """One line; false when the test has gone."""
        line = commands.recv(256).decode().split()
        if not line:
            return False
        if line[0] != "report":
            getattr(self.servers[line[1]], line[0])()
        answer = {**self.counts, "open": sum(len(s.peers) for s in self.servers.values()),
                  "inside": sum(map(len, self.where.values())),
                  "logins_of": {name: s.logins for name, s in self.servers.items()}}
        commands.sendall(json.dumps(answer).encode() + b"\n")
        return True


def ended(peer):
    """True when the other side has closed the connection, even if that was not looked at yet."""
    poll = select.poll()
    poll.register(peer, select.POLLRDHUP)  # errors are always reported
    return bool(poll.poll(0))


class Farm:
    """A running farm, as a test sees it."""

    def __init__(self, ground, names):
        self.ports = {name: free_port() for name in names}
        own = ground.directory(f"farm-{self.ports[names[0]]}")
        self._path = f"{own}/control.sock"
        self._log = f"{own}/log"
        with open(self._log, "ab") as output:
            self._child = ground.start(
                [sys.executable, "-m", "tests.support.farm", self._path,
                 *(f"{name}={port}" for name, port in self.ports.items())], output, cwd=TOP)
        self._control = socket.socket(socket.AF_UNIX)
        self._control.settimeout(30)
        wait_until(self._connected, "the farm answers")

    def backends(self):
        """Its servers as routes.json has them."""
        return {name: {"address": f"{HOST}:{port}", "tls": "none"}
                for name, port in self.ports.items()}

    def tell(self, word, name=""):
        """Sends one command; the report behind it."""
        answer = b""
        try:
            self._control.sendall(f"{word} {name}\n".encode())
            while not answer.endswith(b"\n"):
                data = self._control.recv(65536)
                if not data:
                    raise OSError("end of connection")
                answer += data
        except OSError as error:
            raise RuntimeError(f"the farm is gone ({error}): {self.log()}") from error
        return json.loads(answer)

    def log(self):
        with open(self._log, encoding="utf-8") as file:
            return file.read()

    def stop(self):
        self._control.close()
        self._child.stop()

    def _connected(self):
        if not self._child.running():
            raise RuntimeError(f"the farm ended at once: {self.log()}")
        try:
            self._control.connect(self._path)
        except OSError:
            return False
        return True


if __name__ == "__main__":
    Watch(sys.argv[1], {name: int(port) for name, port in
                        (word.split("=") for word in sys.argv[2:])}).run()
