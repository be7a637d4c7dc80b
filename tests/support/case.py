"""The base of the system tests: the real binary in a playground of its own per test class."""

import os
import unittest

from . import TOP
from .client import Client, tls_context
from .fake_imap import FakeImap, Script

from dovecot import Dovecot, User, message, sample_user  # pylint: disable=wrong-import-order
from playground import Playground, end_on_signals
from waypost import Waypost, backend

__all__ = ["BINARY", "Client", "Dovecot", "FakeImap", "FakeTest", "SystemTest", "TOP", "User",
           "Waypost", "backend", "message", "sample_user", "tls_context"]

BINARY = os.path.abspath(os.environ.get("WAYPOST", os.path.join(TOP, "build/release/waypost")))

# Short enough for tests, long enough for a busy machine.
SETTINGS = {
    "auth": {"penalty": {"first": "0s", "max": "0s"}},
    # Tests count what backends hear, and let one fail again and again.
    "probe": {"interval": "0s", "fall": 1000},
    "timeouts": {"backend_connect": "2s", "backend_login": "2s", "drain": "5s",
                 "backend_lost": "500ms"},
}


class SystemTest(unittest.TestCase):
    """Gives each class a playground, and each test helpers to start what it needs in it."""

    @classmethod
    def setUpClass(cls):
        if not os.access(BINARY, os.X_OK):
            raise RuntimeError(f"{BINARY} is no program; build it, or set WAYPOST")
        end_on_signals()
        cls.ground = Playground("waypost-test")
        cls.addClassCleanup(cls.ground.close)
        cls.authority = cls.ground.authority.chain
        cls.context = tls_context(cls.authority)
        cls._started = 0

    @classmethod
    def start_waypost(cls, routes, settings=None, **options):
        """A Waypost with a name of its own, running."""
        cls._started += 1
        merged = dict(SETTINGS)
        for section, value in (settings or {}).items():
            merged[section] = {**merged.get(section, {}), **value} \
                if isinstance(value, dict) else value
        return Waypost(cls.ground, BINARY, routes, name=f"waypost{cls._started}",
                       settings=merged, **options).start()

    def connect(self, waypost=None, **options):
        """A client on the implicit-TLS port, closed with the test."""
        waypost = waypost or self.waypost
        client = Client(waypost.implicit_port, options.pop("context", self.context), **options)
        self.addCleanup(client.close)
        return client

    def connect_clear(self, waypost=None, **options):
        """A client on the STARTTLS port, not yet encrypted."""
        waypost = waypost or self.waypost
        client = Client(waypost.starttls_port, None, **options)
        self.addCleanup(client.close)
        return client


class FakeTest(SystemTest):
    """One Waypost per class before one fake backend, whose script each test may exchange."""

    tls = "implicit"
    settings = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fake = FakeImap(cls.ground, tls=cls.tls)
        cls.addClassCleanup(cls.fake.stop)
        cls.waypost = cls.start_waypost(cls.routes(), cls.settings)

    @classmethod
    def routes(cls):
        return {"backends": {"fake": backend(cls.ground, cls.fake)}, "routes": [{"to": "fake"}]}

    def setUp(self):
        self.use(self.good())

    def good(self):
        """A script without a quirk."""
        script = Script()
        script.starttls = self.tls == "starttls"
        return script

    def use(self, script):
        """The script of the connections that follow; forgets what earlier ones received."""
        self.fake.kill()
        self.fake.script = script
        self.fake.peers.clear()

    def logged_in(self, script=None, **options):
        """A client that has logged in to the fake."""
        if script is not None:
            self.use(script)
        client = self.connect(**options)
        reply = client.login("user@example.org", "secret")
        self.assertEqual(reply.status, "OK", reply.all)
        return client
