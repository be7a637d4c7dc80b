"""A client of the control socket that says exactly what a test wants."""

import json
import socket

from .case import FakeTest
from .client import Connection

PATIENCE = 20.0


class Control(Connection):
    """One connection; every read has a deadline."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self._pending = b""
        try:
            self.socket.connect(path)  # waits while too many others are waiting
        except BaseException:
            self.socket.close()
            raise
        self.socket.settimeout(PATIENCE)

    def line(self):
        """The next object; None at the end of the connection."""
        while b"\n" not in self._pending:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return None
            self._pending += piece
        text, self._pending = self._pending.split(b"\n", 1)
        return json.loads(text)

    def answer(self):
        """All lines of the answer to one request: the items, and the last object."""
        items = []
        while True:
            item = self.line()
            assert item is not None, f"the connection ended behind {items}"
            if "done" in item or "error" in item:
                return items, item
            items.append(item)

    def ask(self, command, **members):
        self.send(json.dumps({"command": command, **members}) + "\n")
        return self.answer()


class ControlTest(FakeTest):
    """One Waypost with two workers and a control socket, before a fake backend."""

    settings = {"workers": 2}

    @classmethod
    def start_waypost(cls, routes, settings=None, **options):
        name = f"control{cls._started}.sock"
        waypost = super().start_waypost(
            routes, {"control": {"socket": cls.socket_path(name)}, **(settings or {})}, **options)
        waypost.control = cls.socket_path(name)
        return waypost

    @classmethod
    def start_plain(cls, settings=None):
        """One with no control socket but that of the settings."""
        return super().start_waypost(cls.routes(), settings)

    @classmethod
    def socket_path(cls, name):
        """Short enough for a socket, whatever the directory is."""
        path = cls.ground.path(name)
        assert len(path) <= 107, path
        return path

    def control(self, waypost=None):
        """A client of the control socket, closed with the test."""
        control = Control((waypost or self.waypost).control)
        self.addCleanup(control.close)
        return control

    def ask(self, command, **members):
        """One request on a connection of its own: the items, and the last object."""
        with Control(self.waypost.control) as control:
            return control.ask(command, **members)

    def command(self, name, *arguments, waypost=None):
        """A command of the program to the running proxy: the completed process."""
        waypost = waypost or self.waypost
        return waypost.command(name, "-c", waypost.path, *arguments)

    def crowd(self, names, waypost=None):
        """Clients that have logged in by these names."""
        clients = []
        for name in names:
            client = self.connect(waypost)
            reply = client.login(name, "secret")
            self.assertEqual(reply.status, "OK", reply.all)
            clients.append(client)
        return clients
