"""`down`, `up`, `drain` and `undrain` over the control socket, across workers."""

import time

from tests.support.case import backend
from tests.support.control import ControlTest
from tests.support.fake_imap import FakeImap, Script

from playground import wait_until  # pylint: disable=wrong-import-order

USERS = [f"user{number}@example.org" for number in range(24)]


class Slow(Script):
    """SEARCH is answered when the test says so."""

    released = False

    def do_search(self, peer, tag, _rest, _context):
        wait_until(lambda: self.released, "the test releases it")
        peer.send(b"* SEARCH 7\r\n" + tag + b" OK done\r\n")


class Backends(ControlTest):
    """Two backends that take anybody, the first one first."""

    @classmethod
    def routes(cls):
        if not hasattr(cls, "other"):
            cls.other = FakeImap(cls.ground, tls=cls.tls)
            cls.addClassCleanup(cls.other.stop)
        return {"backends": {"fake": backend(cls.ground, cls.fake),
                             "other": backend(cls.ground, cls.other)},
                "pools": {"all": {"members": {"fake": 1, "other": 1}, "choose": "first"}},
                "routes": [{"to": "all"}]}

    def good(self):
        return Slow()

    def setUp(self):
        super().setUp()
        for name in ("fake", "other"):
            self.ask("undrain", backend=name)
            self.ask("up", backend=name)
        self.ask("kick", all=True)
        wait_until(lambda: self.ask("who")[0] == [], "everybody has gone")

    def count(self, name):
        return len(self.ask("who", backend=name)[0])

    def state(self, name):
        item, = [item for item in self.ask("status")[0] if item["backend"] == name]
        return item

    def test_down_and_up(self):
        here, = self.crowd(USERS[:1])
        self.assertEqual(self.ask("down", backend="fake"),
                         ([], {"backend": "fake", "state": "down", "sessions": 1, "done": True}))
        self.assertEqual(self.state("fake")["by"], "operator")
        self.assertIs(self.state("fake")["set_down"], True)
        self.crowd(USERS[1:3])
        self.assertEqual((self.count("fake"), self.count("other")), (1, 2))
        self.assertEqual(here.command("NOOP").status, "OK")
        self.ask("down", backend="other")
        refused = self.connect()
        self.assertIn("UNAVAILABLE", refused.login(USERS[0], "secret").text)
        self.assertEqual(self.ask("up", backend="fake")[1]["state"], "up")
        self.crowd(USERS[3:4])
        self.assertEqual(self.count("fake"), 2)

    def test_the_say_of_an_operator_survives_a_reload(self):
        self.ask("down", backend="fake")
        self.ask("drain", backend="other")
        self.ask("reload")
        self.assertIs(self.state("fake")["set_down"], True)
        self.assertIs(self.state("other")["draining"], True)

    def test_names_are_checked(self):
        for command in ("down", "up", "drain", "undrain"):
            error = self.ask(command, backend="othr")[1]
            self.assertIn('did you mean "other"', error["error"])
            self.assertIn("missing", self.ask(command)[1]["error"])
        for rate in (0, -1, 1.5, "1", 100001):
            self.assertIn("1 to 100000", self.ask("drain", backend="fake", rate=rate)[1]["expected"])
        self.assertIs(self.state("fake")["draining"], False)

    def test_drain_without_a_rate_ends_nobody(self):
        clients = self.crowd(USERS[:4])
        self.assertEqual(self.ask("drain", backend="fake"),
                         ([], {"backend": "fake", "state": "draining", "sessions": 4, "done": True}))
        self.crowd(USERS[4:6])
        self.assertEqual((self.count("fake"), self.count("other")), (4, 2))
        for client in clients:
            self.assertEqual(client.command("NOOP").status, "OK")
        self.assertEqual(self.ask("undrain", backend="fake")[1]["state"], "up")
        self.crowd(USERS[6:7])
        self.assertEqual(self.count("fake"), 5)

    def test_drain_with_a_rate_empties_it_and_shows_how(self):
        clients = self.crowd(USERS)
        begun = time.monotonic()
        progress, last = self.ask("drain", backend="fake", rate=8)
        took = time.monotonic() - begun
        self.assertEqual((last["sessions"], last["told"], last["done"]), (0, 24, True))
        # 24 sessions at 8 a second; a second is saved up at most. Slower is possible on a busy machine.
        self.assertGreater(took, 1.8)
        self.assertGreaterEqual(len(progress), 2)
        self.assertEqual([item["told"] for item in progress],
                         sorted(item["told"] for item in progress))
        for item in progress:
            self.assertEqual((item["backend"], item["rate"]), ("fake", 8))
            self.assertLessEqual(item["told"], 24)
        for client in clients:
            self.assertIn(b"* BYE Mail server is going down for maintenance", client.rest())
        self.waypost.wait_for_log("reason=drained")
        self.assertEqual(self.state("fake")["state"], "draining")

    def test_idle_sessions_go_first_and_commands_are_finished(self):
        clients = self.crowd(USERS[:8])
        busy = clients[::4]
        for client in busy:
            client.send("x SEARCH ALL\r\n")
        wait_until(lambda: sum(not item["idle"] for item in self.ask("who")[0]) == 2, "two are busy")
        control = self.control()
        control.send('{"command":"drain","backend":"fake","rate":4}\n')
        for client in clients:
            if client not in busy:
                self.assertIn(b"* BYE", client.rest())
        self.fake.script.released = True
        for client in busy:
            self.assertEqual(client.reply("x").status, "OK")
            self.assertIn(b"* BYE", client.rest())
        self.assertEqual(control.answer()[1]["told"], 8)

    def test_it_goes_on_without_the_one_who_asked_and_takes_another_rate(self):
        clients = self.crowd(USERS)
        first, second = self.control(), self.control()
        first.send('{"command":"drain","backend":"fake","rate":1}\n')
        second.send('{"command":"drain","backend":"fake","rate":1}\n')
        self.assertEqual(first.line()["rate"], 1)
        first.close()
        self.assertEqual(second.line()["rate"], 1)
        last = self.ask("drain", backend="fake", rate=100)[1]
        self.assertEqual(last["told"], 24)
        self.assertEqual(second.answer()[1], last)
        for client in clients:
            self.assertIn(b"* BYE", client.rest())

    def test_undrain_stops_it(self):
        self.crowd(USERS)
        control = self.control()
        control.send('{"command":"drain","backend":"fake","rate":1}\n')
        control.line()
        self.ask("undrain", backend="fake")
        self.assertIn("takes new users again", control.answer()[1]["error"])
        left = self.count("fake")
        self.assertGreater(left, 12)
        self.crowd(USERS[:1])
        time.sleep(1.2)  # two ticks, in which nothing may happen
        self.assertEqual(self.count("fake"), left + 1)

    def test_an_empty_backend_is_drained_at_once(self):
        self.assertEqual(self.ask("drain", backend="fake", rate=1)[1]["told"], 0)

    def test_the_proxy_may_end_in_the_middle(self):
        waypost = self.start_waypost(self.routes(), {"workers": 2})
        clients = self.crowd(USERS[:6], waypost)
        control = self.control(waypost)
        control.send('{"command":"drain","backend":"fake","rate":1}\n')
        control.line()
        waypost.stop()
        for client in clients:
            self.assertIn(b"* BYE", client.rest())

    def test_the_commands(self):
        self.crowd(USERS[:2])
        done = self.command("down", "other")
        self.assertEqual((done.returncode, done.stdout), (0, "other is down, sessions there: 0\n"))
        done = self.command("up", "other")
        self.assertEqual((done.returncode, done.stdout), (0, "other is up, sessions there: 0\n"))
        done = self.command("drain", "fake")
        self.assertEqual((done.returncode, done.stdout), (0, "fake is draining, sessions there: 2\n"))
        done = self.command("drain", "fake", "--rate", "100")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "fake is empty, told to go: 2")
        done = self.command("undrain", "fake", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for arguments in (["drain"], ["drain", "fake", "--rate", "x"], ["up"], ["down", "a", "b"]):
            self.assertEqual(self.command(*arguments).returncode, 64, arguments)
        self.assertEqual(self.command("down", "nowhere").returncode, 1)
