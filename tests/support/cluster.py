"""Three real Dovecots before one mail storage, as sites run them on NFS, and clients that ask where
they have landed. What a test does to a server is undone before the next one."""

import imaplib
import re
import ssl

from .case import Dovecot, SystemTest, backend, sample_user

from playground import HOST, wait_until  # pylint: disable=wrong-import-order

# The greeting and ID of a server name it; the rest is what Dovecot asks of shared storage.
SHARED = """\
login_greeting = {name} ready
imap_id_send = name {name}
mmap_disable = yes
mail_fsync = always
mail_nfs_storage = yes
mail_nfs_index = yes
"""
NAMES = ("b1", "b2", "b3")
HASTY = {
    "probe": {"interval": "200ms", "timeout": "1s", "rise": 1, "fall": 2},
    "timeouts": {"backend_connect": "1s", "backend_login": "1s", "backend_lost": "0s"},
}


class Cluster:
    """The servers by name. Each can be killed, frozen, stopped and started on its own; `extra` are
    lines of configuration for some."""

    def __init__(self, ground, users, extra=None):
        self._ground = ground
        mail = ground.directory("shared-mail")
        self.servers = {
            name: Dovecot(ground, name, users, mail=mail,
                          extra=SHARED.format(name=name) + (extra or {}).get(name, ""))
            for name in NAMES}

    def __getitem__(self, name):
        return self.servers[name]

    def others(self, *names):
        return [other for other in NAMES if other not in names]

    def routes(self, **pool):
        """A table with all servers in one pool of all users."""
        return {"backends": {name: backend(self._ground, server)
                             for name, server in self.servers.items()},
                "pools": {"mail": {"members": dict.fromkeys(NAMES, 100), **pool}},
                "routes": [{"to": "mail"}]}

    def restore(self):
        """All servers run and answer, whatever has been done to them."""
        for server in self.servers.values():
            server.thaw()
            if not server.running():
                server.start()

    def judged(self, user):
        """How many wrong passwords of a user the servers have seen together."""
        return sum(line.count(f"({user},") for server in self.servers.values()
                   for line in server.log().splitlines() if "Password mismatch" in line)


class Mail(imaplib.IMAP4_SSL):
    """Python's client, which knows where it is."""

    def __init__(self, waypost, context, timeout=20.0):
        super().__init__(HOST, waypost.implicit_port, ssl_context=context, timeout=timeout)

    def where(self):
        """The name of the server behind."""
        self.xatom("ID", "NIL")
        return self.response("ID")[1][-1].split(b'"')[3].decode()

    def alive(self):
        """True when the session still answers."""
        try:
            return self.noop()[0] == "OK"
        except (imaplib.IMAP4.abort, OSError, ssl.SSLError):
            return False

    def farewell(self):
        """What the server says at its end; empty when it just goes."""
        lines = []
        while line := self.file.readline():
            lines.append(line)
        return b"".join(lines)

    def hang_up(self):
        try:
            self.shutdown()
        except OSError:
            pass  # the other side was faster


class ClusterTest(SystemTest):
    """A Waypost with two workers before the three servers, shared by the tests of a class. It looks
    at them often, and gives up soon."""

    count = 12
    pool = {}
    settings = {}
    extra = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = [sample_user(f"user{number}@example.org") for number in range(cls.count)]
        cls.cluster = Cluster(cls.ground, cls.users, cls.extra)
        cls.waypost = cls.start_waypost(cls.cluster.routes(**cls.pool),
                                        {"workers": 2, **HASTY, **cls.settings})

    def setUp(self):
        self.addCleanup(self.recover)  # the last, when all clients have left

    def recover(self):
        """All servers run, and Waypost knows."""
        self.cluster.restore()
        wait_until(lambda: not self.down(), "all servers are up again")

    def down(self):
        """The servers that Waypost says are down."""
        last = {name: word for word, name in
                re.findall(r"event=(backend_down|backend_up) backend=(\w+)", self.waypost.log())}
        return {name for name, word in last.items() if word == "backend_down"}

    def session(self, user, waypost=None):
        """A session of the user, closed with the test."""
        mail = Mail(waypost or self.waypost, self.context)
        self.addCleanup(mail.hang_up)
        mail.login(user.name, user.password)
        return mail

    def sessions(self):
        """One session of each user: [(user, session, name of the server)]."""
        found = []
        for user in self.users:
            mail = self.session(user)
            found.append((user, mail, mail.where()))
        return found

    def refused(self, user, password=None, waypost=None):
        """The text of the NO that a login ends with."""
        with self.assertRaises(imaplib.IMAP4.error) as refusal:
            mail = Mail(waypost or self.waypost, self.context)
            self.addCleanup(mail.hang_up)
            mail.login(user.name, password or user.password)
        return str(refusal.exception)

    def comes_back(self, user, name):
        """Waits until new sessions of the user are on that server."""
        def there():
            with Mail(self.waypost, self.context) as mail:
                mail.login(user.name, user.password)
                return mail.where() == name

        wait_until(there, f"{user.name} is on {name} again")
