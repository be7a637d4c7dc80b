"""A scripted IMAP server for what a real one never does.

A FakeImap accepts connections on a loopback port; each runs a Script on its own thread. Override a
class attribute or a method of Script for one quirk; everything else stays well-behaved. The
commands received are kept per connection, so that tests can say what must not have been sent.
"""

import base64
import re
import select
import socket
import ssl
import threading

from playground import HOST

LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n$")
CAPABILITIES = b"IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE NAMESPACE AUTH=PLAIN"


class Gone(Exception):
    """The proxy ended the connection, or the fake is being stopped."""


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection):
        self.socket = connection
        self.client = connection.getpeername()[0]  # the address it came from
        self.received = []  # commands with their literals, whole
        self.sent = 0
        self._pending = bytearray()
        self._dribbling = False

    def send(self, data):
        pieces = [data]
        if self._dribbling:
            pieces = [data[position:position + 1] for position in range(len(data))]
        for piece in pieces:
            try:
                self.socket.sendall(piece)
            except (OSError, ssl.SSLError) as error:
                raise Gone(str(error)) from error
            self.sent += len(piece)

    def dribble(self):
        """From now on one byte per write, and with TLS one per record."""
        self._dribbling = True

    def line(self):
        """One line with its CRLF."""
        while b"\r\n" not in self._pending:
            self._fill()
        return self._take(self._pending.index(b"\r\n") + 2)

    def command(self):
        """One command with its literals, whose sync form is invited."""
        whole = self.line()
        while literal := LITERAL.search(whole):
            if not literal.group(2):
                self.send(b"+ go on\r\n")
            missing = int(literal.group(1))
            while len(self._pending) < missing:
                self._fill()
            whole += self._take(missing) + self.line()
        self.received.append(whole)
        return whole

    def waiting(self):
        """True when the start of another command has arrived already."""
        buffered = self.socket.pending() if isinstance(self.socket, ssl.SSLSocket) else 0
        return bool(self._pending or buffered or select.select([self.socket], [], [], 0)[0])

    def encrypt(self, context):
        try:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        except (OSError, ssl.SSLError) as error:
            raise Gone(str(error)) from error

    def wait_for_end(self):
        """Reads until the other side goes."""
        while True:
            self._pending.clear()
            self._fill()

    def close(self):
        """Ends the connection as a server should: close_notify and a FIN, never a reset."""
        try:
            self.socket.settimeout(1)
            if isinstance(self.socket, ssl.SSLSocket):
                self.socket = self.socket.unwrap()
            self.socket.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            pass
        self.socket.close()

    def abort(self):
        """Ends it from another thread: a bare FIN."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _take(self, count):
        data = bytes(self._pending[:count])
        del self._pending[:count]
        return data

    def _fill(self):
        try:
            data = self.socket.recv(65536)
        except (OSError, ssl.SSLError) as error:
            raise Gone(str(error)) from error
        if not data:
            raise Gone("end of connection")
        self._pending += data


class Script:
    """A well-behaved server with one password for everybody."""

    greeting = b"* OK [CAPABILITY %s] fake ready\r\n"
    capabilities = CAPABILITIES  # before login; %s in `greeting`
    capabilities_after = b"IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS"
    starttls = False  # offered in addition, until TLS is on
    password = b"secret"
    before_tagged = b""  # sent ahead of the tagged reply to a login

    def serve(self, peer, context):
        """One connection; returning ends it."""
        offered = self.capabilities + (b" STARTTLS" if self.starttls else b"")
        peer.send(self.greeting.replace(b"%s", offered))
        while True:
            tag, verb, rest = split(peer.command())
            method = getattr(self, "do_" + verb.lower(), None)
            if method is None:
                peer.send(tag + b" BAD Unknown command.\r\n")
            elif method(peer, tag, rest, context):
                return

    def do_capability(self, peer, tag, _rest, _context):
        offered = self.capabilities
        if self.starttls and not isinstance(peer.socket, ssl.SSLSocket):
            offered += b" STARTTLS"
        peer.send(b"* CAPABILITY " + offered + b"\r\n" + tag + b" OK done\r\n")

    def do_starttls(self, peer, tag, _rest, context):
        peer.send(tag + b" OK begin\r\n")
        peer.encrypt(context)

    def do_id(self, peer, tag, _rest, _context):
        peer.send(b'* ID ("name" "fake")\r\n' + tag + b" OK done\r\n")

    def do_noop(self, peer, tag, _rest, _context):
        peer.send(tag + b" OK done\r\n")

    def do_logout(self, peer, tag, _rest, _context):
        peer.send(b"* BYE leaving\r\n" + tag + b" OK done\r\n")
        return True

    def do_login(self, peer, tag, rest, _context):
        words = strings(rest)
        return self.judge(peer, tag, words[1])

    def do_authenticate(self, peer, tag, rest, _context):
        _, _, initial = rest.partition(b" ")
        if not initial:
            peer.send(b"+ \r\n")
            initial = peer.line().rstrip(b"\r\n")
        if initial == b"*":
            peer.send(tag + b" BAD cancelled\r\n")
            return False
        return self.judge(peer, tag, base64.b64decode(initial).split(b"\0")[2])

    def judge(self, peer, tag, password):
        """Answers a login."""
        if password == self.password:
            return self.accept(peer, tag)
        return self.refuse(peer, tag)

    def accept(self, peer, tag):
        peer.send(self.before_tagged + tag + b" OK [CAPABILITY " + self.capabilities_after
                  + b"] Logged in\r\n")

    def refuse(self, peer, tag):
        peer.send(self.before_tagged + tag + b" NO [AUTHENTICATIONFAILED] no such user\r\n")


class FakeImap:
    """Listens until stop(). `tls` is "implicit", "starttls" or "none"; `script` may be exchanged
    at any time and holds for the connections that follow."""

    def __init__(self, ground, script=None, *, tls="implicit", certificate=None, port=0):
        self.script = script or Script()
        self.tls = tls
        self.server_name = "fake.backend.example"
        self.peers = []
        self._threads = []
        self._stopping = False
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pair = certificate or ground.authority.issue("fake", [self.server_name])
        self._context.load_cert_chain(pair.chain, pair.key)
        self._listener = socket.create_server((HOST, port), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def address(self):
        return f"{HOST}:{self.port}"

    @property
    def received(self):
        """Every command of every connection, in order of the connections."""
        return [command for peer in self.peers for command in peer.received]

    def saw(self, needle):
        """True when any command held these bytes, plainly or as base64 of a PLAIN message."""
        return any(needle in command or needle in decoded(command) for command in self.received)

    def kill(self):
        """Ends all connections at once, without a word."""
        for peer in list(self.peers):
            peer.abort()

    def stop(self):
        self._stopping = True
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._acceptor.join(5)
        self.kill()
        for thread in self._threads:
            thread.join(5)

    def _accept(self):
        while not self._stopping:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(connection)
            self.peers.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer, self.script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer, script):
        try:
            if self.tls == "implicit":
                peer.encrypt(self._context)
            script.serve(peer, self._context)
        except Gone:
            pass
        finally:
            peer.close()


def split(command):
    """Tag, verb in capitals, and the rest without the line end."""
    parts = command.rstrip(b"\r\n").split(b" ", 2)
    return parts[0], parts[1].upper().decode(), parts[2] if len(parts) > 2 else b""


def strings(text):
    """The astrings of a command: atoms, quoted strings and literals."""
    words = []
    while text:
        text = text.lstrip(b" ")
        literal = re.match(rb"\{(\d+)\+?\}\r\n", text)
        quoted = re.match(rb'"((?:[^"\\]|\\.)*)"', text)
        if literal:
            end = literal.end() + int(literal.group(1))
            words.append(text[literal.end():end])
            text = text[end:]
        elif quoted:
            words.append(re.sub(rb"\\(.)", rb"\1", quoted.group(1)))
            text = text[quoted.end():]
        else:
            word, _, text = text.partition(b" ")
            words.append(word)
    return words


def decoded(command):
    """The last word of a command as base64, or nothing."""
    try:
        return base64.b64decode(command.split()[-1], validate=True)
    except (ValueError, IndexError):
        return b""
