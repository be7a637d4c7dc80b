"""`move`, `hold`, and `drain` of users who are kept at one backend."""

import threading

from tests.support.case import backend
from tests.support.control import ControlTest
from tests.support.fake_imap import FakeImap, Script

from playground import wait_until  # pylint: disable=wrong-import-order

ANN, BOB = "ann@example.org", "bob@example.org"


class Slow(Script):
    """SEARCH is never answered."""

    def do_search(self, _peer, _tag, _rest, _context):
        """Leaves the client waiting."""


class Users(ControlTest):
    """A cluster of two, a backend outside it, and a pool that keeps nobody."""

    settings = {"workers": 2, "placement": {"settle": "100ms", "linger": "1h"},
                "timeouts": {"drain": "2s"}}

    @classmethod
    def routes(cls):
        if not hasattr(cls, "east"):
            cls.east, cls.west = (FakeImap(cls.ground, tls=cls.tls) for _ in range(2))
            cls.addClassCleanup(cls.east.stop)
            cls.addClassCleanup(cls.west.stop)
        rows = {name: backend(cls.ground, server) for name, server in
                (("fake", cls.fake), ("east", cls.east), ("west", cls.west))}
        return {"normalize": {"lowercase": True, "default_domain": "example.org"},
                "backends": rows,
                "pools": {"mail": {"members": {"east": 1, "west": 1},
                                   "one_backend_per_user": True},
                          "free": {"members": {"east": 1, "west": 1}}},
                "routes": [{"users": {"free@example.org": "free", "fixed@example.org": "fake"}},
                           {"domains": {"example.org": "mail"}}]}

    def setUp(self):
        super().setUp()
        self.east.script = self.west.script = Slow()
        for name in ("east", "west"):
            self.ask("undrain", backend=name)
            self.ask("up", backend=name)
        self.ask("kick", all=True)
        wait_until(lambda: self.ask("who")[0] == [], "everybody has gone")

    def places(self, user=ANN):
        """The backends where the user has sessions that are not about to end."""
        return sorted({item["backend"] for item in self.ask("who", user=user)[0]
                       if item["backend"] and not item["leaving"]})

    def home(self, user=ANN):
        """Where the user is, and where not."""
        client, = self.crowd([user])
        here, = self.places(user)
        client.close()
        return here, "west" if here == "east" else "east"

    def test_move_ends_all_sessions_and_the_next_are_there(self):
        here, there = self.home()
        clients, others = self.crowd([ANN] * 6), self.crowd([BOB] * 2)
        self.assertEqual(self.places(), [here])
        last = self.ask("move", user="ANN", backend=there)[1]
        self.assertEqual((last["backend"], last["sessions"], last["done"]), (there, 6, True))
        for client in clients:
            self.assertIn(b"* BYE Mailbox is moving to another server", client.rest())
        for client in others:
            self.assertEqual(client.command("NOOP").status, "OK")
        self.crowd([ANN] * 3)
        self.assertEqual(self.places(), [there])

    def moving(self, there):
        """A client of the control socket whose move waits for a command to end."""
        busy, = self.crowd([ANN])
        busy.send("x SEARCH ALL\r\n")
        wait_until(lambda: self.ask("who", user=ANN)[0][0]["idle"] is False, "it is busy")
        control = self.control()
        control.send(f'{{"command":"move","user":"{ANN}","backend":"{there}"}}\n')
        wait_until(lambda: self.ask("who", user=ANN)[0][0]["leaving"], "it was told")
        return control

    def test_who_logs_in_meanwhile_waits_and_is_never_at_the_old_one(self):
        here, there = self.home()
        control = self.moving(there)
        late = self.connect(timeout=20)
        late.send(f"a LOGIN {ANN} secret\r\n")
        self.assertEqual(self.places(), [])
        self.assertEqual(late.reply("a").status, "OK")
        self.assertEqual(control.answer()[1]["backend"], there)
        self.assertEqual(self.places(), [there])
        self.assertNotEqual(here, there)

    def test_a_user_who_is_nowhere_is_moved_at_once(self):
        here, there = self.home("new@example.org")
        wait_until(lambda: self.ask("who")[0] == [], "gone")
        self.assertEqual(self.ask("move", user="new", backend=there)[1]["sessions"], 0)
        self.assertEqual(self.home("new@example.org")[0], there)
        self.assertEqual(self.ask("move", user="new", backend=there)[1]["ms"], 0)
        self.assertEqual(self.ask("move", user="never-seen", backend=here)[1]["backend"], here)
        self.assertEqual(self.home("never-seen@example.org")[0], here)

    def test_a_move_is_carried_out_without_the_one_who_asked(self):
        _, there = self.home()
        clients = self.crowd([ANN] * 3)
        with self.control() as control:
            control.send(f'{{"command":"move","user":"{ANN}","backend":"{there}"}}\n')
        for client in clients:
            self.assertIn(b"* BYE", client.rest())
        self.crowd([ANN])
        self.assertEqual(self.places(), [there])

    def test_moves_of_many_users_at_once(self):
        users = [f"many{number}@example.org" for number in range(12)]
        homes = {user: self.home(user) for user in users}
        self.crowd(users * 2)
        answers = {}

        def move(user):
            answers[user] = self.ask("move", user=user, backend=homes[user][1])[1]

        threads = [threading.Thread(target=move, args=(user,)) for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        for user in users:
            self.assertEqual(answers[user].get("backend"), homes[user][1], answers[user])
            self.assertEqual(self.home(user)[0], homes[user][1])

    def test_two_moves_of_one_user(self):
        here, there = self.home()
        control = self.moving(there)
        self.assertIn("being moved already",
                      self.ask("move", user=ANN, backend=here)[1]["error"])
        self.assertTrue(control.answer()[1]["done"])

    def test_what_cannot_be_moved(self):
        here, there = self.home()
        for user, to, error in (
                (ANN, "fake", "the backend is in no pool with one_backend_per_user"),
                (ANN, "wst", 'did you mean "west"'),
                ("x@elsewhere.net", "east", "no backend for this user"),
                ("", "east", "no backend for this user")):
            self.assertIn(error, self.ask("move", user=user, backend=to)[1]["error"], (user, to))
        self.ask("down", backend=there)
        self.assertIn("is down", self.ask("move", user=ANN, backend=there)[1]["error"])
        self.ask("up", backend=there)
        self.ask("drain", backend=there)
        self.assertIn("is draining", self.ask("move", user=ANN, backend=there)[1]["error"])
        self.crowd([ANN])
        self.assertEqual(self.places(), [here])

    def test_hold_makes_logins_wait(self):
        self.home()
        here, = self.crowd([ANN])
        self.assertEqual(self.ask("hold", user="ann", duration="1h")[1],
                         {"user": "ann", "held_ms": 3600000, "done": True})
        self.assertEqual(here.command("NOOP").status, "OK")
        late = self.connect(timeout=20)
        late.send(f"a LOGIN {ANN} secret\r\n")
        self.crowd([BOB])  # nobody else waits
        self.assertEqual(len(self.ask("who", user=ANN, backend="east")[0] +
                             self.ask("who", user=ANN, backend="west")[0]), 1)
        self.assertEqual(self.ask("hold", user="ann", duration="0s")[1]["held_ms"], 0)
        self.assertEqual(late.reply("a").status, "OK")

    def test_hold_ends_by_itself_and_holds_users_of_any_pool(self):
        for user in ("free@example.org", "fixed@example.org"):
            self.ask("hold", user=user, duration="600ms")
            late = self.connect(timeout=20)
            self.assertEqual(late.login(user, "secret").status, "OK")
        for duration in ("", "soon", "2h", "-1s", "10"):
            self.assertIn("1h", self.ask("hold", user=ANN, duration=duration)[1]["expected"])
        self.assertIn("no backend for this user",
                      self.ask("hold", user="x@elsewhere.net", duration="1s")[1]["error"])

    def test_drain_takes_all_sessions_of_a_user_and_he_stays_together(self):
        here, there = self.home()
        clients = self.crowd([ANN] * 6)
        last = self.ask("drain", backend=here, rate=100)[1]
        self.assertTrue(last["done"], last)
        for client in clients:
            self.assertIn(b"* BYE", client.rest())
        self.crowd([ANN] * 3)
        self.assertEqual(self.places(), [there])

    def test_the_commands(self):
        _, there = self.home()
        done = self.command("move", ANN, there)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"the user is at {there} now", done.stdout)
        done = self.command("hold", "ann", "30s")
        self.assertEqual((done.returncode, done.stdout), (0, "ann: logins wait for 30 s\n"))
        done = self.command("hold", "ann", "0s")
        self.assertEqual((done.returncode, done.stdout), (0, "ann: logins are let in\n"))
        for arguments in (["move", ANN], ["hold"], ["move", ANN, there, there]):
            self.assertEqual(self.command(*arguments).returncode, 64, arguments)
        self.assertEqual(self.command("hold", ANN, "soon").returncode, 1)
