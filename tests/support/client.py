"""A raw IMAP client: sends exactly the bytes it is told to, reads lines and literals.

Unlike imaplib it is never polite: it pipelines, splits, stalls and breaks off wherever a test wants.
Every read has a deadline; what was read is kept in `transcript`.
"""

import re
import socket
import ssl
from dataclasses import dataclass, field

from playground import HOST

SERVER_NAME = "mail.example.org"
LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n$")


class Closed(Exception):
    """The server ended the connection."""


@dataclass
class Reply:
    """The answer to one command: untagged and continuation lines in order, then the tagged one."""

    tagged: bytes
    untagged: list = field(default_factory=list)

    @property
    def status(self):
        """OK, NO or BAD."""
        return self.tagged.split(b" ", 2)[1].decode()

    @property
    def text(self):
        """What follows the status, without the line end."""
        return self.tagged.split(b" ", 2)[2].rstrip(b"\r\n").decode(errors="replace")

    @property
    def all(self):
        return b"".join([*self.untagged, self.tagged])


def tls_context(authority, **options):
    """A verifying client context; options: minimum, maximum (ssl.TLSVersion), alpn."""
    context = ssl.create_default_context(cafile=authority)
    if "minimum" in options:
        context.minimum_version = options["minimum"]
    if "maximum" in options:
        context.maximum_version = options["maximum"]
    if "alpn" in options:
        context.set_alpn_protocols(options["alpn"])
    return context


class Connection:
    """What can be done with any socket."""

    socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)


class Client(Connection):
    """One connection. `context` makes it TLS from the first byte; see starttls() for the rest.
    `source` is the loopback address it comes from, `header` goes in clear before everything."""

    def __init__(self, port, context=None, *, timeout=5.0, greeting=True, receive_buffer=None,
                 source=HOST, header=b""):
        self.transcript = b""
        self._pending = b""
        self._count = 0
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.bind((source, 0))
        try:
            self.socket.connect((HOST, port))
            self.socket.sendall(header)
            if context is not None:
                self.encrypt(context)
            self.greeting = self.line() if greeting else b""
        except BaseException:
            self.socket.close()
            raise

    def encrypt(self, context):
        """The TLS handshake, now."""
        self.socket = context.wrap_socket(self.socket, server_hostname=SERVER_NAME)

    def starttls(self, context):
        """STARTTLS as a well-behaved client does it."""
        reply = self.command("STARTTLS")
        assert reply.status == "OK", reply.all
        assert self._pending == b"", self._pending
        self.encrypt(context)

    def wrap(self, layer):
        """Puts a layer around the socket, given to it with what has been read too early."""
        self.socket = layer(self.socket, self._pending)
        self._pending = b""

    def line(self):
        """One line with its CRLF, and with the literals in it. Raises Closed at the end."""
        whole = b""
        while True:
            whole += self._until_line_end()
            literal = LITERAL.search(whole)
            if literal is None:
                return whole
            whole += self.read(int(literal.group(1)))

    def read(self, count):
        """Exactly that many bytes."""
        parts, missing = [], count
        while missing > 0:
            if not self._pending:
                self._fill()
            part, self._pending = self._pending[:missing], self._pending[missing:]
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def reply(self, tag):
        """Reads up to the tagged reply."""
        prefix = tag.encode() + b" "
        untagged = []
        while True:
            line = self.line()
            if line.startswith(prefix):
                return Reply(line, untagged)
            untagged.append(line)

    def command(self, text, tag=None):
        """Sends one command with a tag and reads its reply."""
        if tag is None:
            self._count += 1
            tag = f"t{self._count}"
        self.send(f"{tag} {text}\r\n")
        return self.reply(tag)

    def login(self, user, password):
        return self.command(f"LOGIN {quoted(user)} {quoted(password)}")

    def rest(self):
        """Everything up to the end of the connection, whichever way it ends."""
        data = self._pending
        self._pending = b""
        while True:
            try:
                self._fill()
            except Closed:
                return data
            data += self._pending
            self._pending = b""

    def silent(self, seconds):
        """True when nothing arrives for so long."""
        if self._pending:
            return False
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self._fill()
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(before)
        return False

    def _until_line_end(self):
        while b"\n" not in self._pending:
            self._fill()
        line, _, self._pending = self._pending.partition(b"\n")
        return line + b"\n"

    def _fill(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise Closed(f"{error}; so far {self.transcript[-500:]!r}") from error
        if not data:
            raise Closed(f"end of connection; so far {self.transcript[-500:]!r}")
        self.transcript = (self.transcript + data)[-100000:]
        self._pending += data


def quoted(text):
    """An IMAP quoted string (RFC 9051 section 9)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
