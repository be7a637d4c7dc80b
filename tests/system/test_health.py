"""What probes of a running proxy find out about backends, as its log tells it."""

import re
import unittest

from tests.support.case import Dovecot, FakeImap, SystemTest, User, backend
from tests.support.fake_imap import Script

from playground import wait_until  # pylint: disable=wrong-import-order

QUICK = {"interval": "100ms", "timeout": "2s"}


class Busy(Script):
    """Fails the first so many probes after the first good one."""

    def __init__(self, failures):
        self.left = failures
        self.seen = 0

    def serve(self, peer, context):
        self.seen += 1
        if self.seen > 1 and self.left > 0:
            self.left -= 1
            peer.send(b"* BYE too busy\r\n")
            return
        super().serve(peer, context)


class Health(SystemTest):
    """One scripted backend that is looked at ten times a second."""

    def setUp(self):
        self.fake = FakeImap(self.ground)
        self.addCleanup(self.fake.stop)

    def watched(self, numbers, **options):
        return self.start_waypost(
            {"backends": {"fake": backend(self.ground, self.fake, **options)},
             "routes": [{"to": "fake"}]},
            {"probe": {**QUICK, **numbers}, "log": {"level": "debug"}})

    def events(self, waypost):
        return re.findall(r"event=(probe_failed|backend_down|backend_up) ", waypost.log())

    def test_down_after_fall_and_up_after_rise(self):
        self.fake.script = Busy(5)
        waypost = self.watched({"fall": 3, "rise": 2})
        waypost.wait_for_log(r"event=backend_up backend=fake by=probe down_ms=\d+")
        self.assertEqual(self.events(waypost), ["probe_failed"] * 3 + ["backend_down"]
                         + ["probe_failed"] * 2 + ["backend_up"])
        self.assertRegex(waypost.log(), r'warn event=backend_down backend=fake by=probe '
                                        r'why="the greeting is BYE: too busy"')

    def test_fewer_failures_than_fall_are_nothing_to_tell(self):
        self.fake.script = Busy(2)
        waypost = self.watched({"fall": 3})
        waypost.wait_for_log(r"(?s)probe_failed.*probe_failed")
        seen = self.fake.script.seen
        wait_until(lambda: self.fake.script.seen > seen + 3, "more probes")
        self.assertEqual(self.events(waypost), ["probe_failed"] * 2)

    def test_a_backend_has_its_own_numbers(self):
        self.fake.script = Busy(1)
        waypost = self.watched({"interval": "0s", "fall": 100},
                               probe={"interval": "50ms", "fall": 1, "rise": 1})
        waypost.wait_for_log(r"event=backend_up")
        self.assertEqual(self.events(waypost), ["probe_failed", "backend_down", "backend_up"])

    def test_a_backend_that_hangs_is_down(self):
        self.fake.script.serve = lambda peer, _context: peer.wait_for_end()
        waypost = self.watched({"timeout": "200ms", "fall": 2})
        waypost.wait_for_log(r'event=backend_down backend=fake by=probe why="no greeting in time"')


class Accounts(SystemTest):
    """Probes that log in, at a real server and at a fake."""

    def account(self, password, user="watch@example.org"):
        self.count = getattr(self, "count", 0) + 1
        path = self.ground.write(password + "\n", f"probe{self.count}.password", mode=0o600)
        return {**QUICK, "fall": 1, "rise": 1, "login": {"user": user, "password_file": path}}

    def watched(self, server, probe):
        return self.start_waypost(
            {"backends": {"one": backend(self.ground, server, probe=probe)},
             "routes": [{"to": "one"}]},
            {"probe": {"interval": "60s"}, "log": {"level": "debug"}})

    def test_a_real_server(self):
        server = Dovecot(self.ground, "east", [User("watch@example.org", "open sesame")])
        waypost = self.watched(server, self.account("open sesame"))
        wait_until(lambda: server.log().count("Login: user=<watch@example.org>") > 2,
                   "the probes log in")
        done = waypost.command("check", "-c", waypost.path, "--connect")
        self.assertIn("logged in as watch@example.org\n", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("probe_failed", waypost.log())
        self.assertNotIn("sesame", waypost.log())

    def test_a_wrong_password_says_so(self):
        server = Dovecot(self.ground, "west", [User("watch@example.org", "open sesame")])
        waypost = self.watched(server, self.account("hocus pocus"))
        waypost.wait_for_log(r'event=backend_down backend=one by=probe '
                             r'why="refuses the probe\'s user or password: .*"')
        self.assertNotIn("pocus", waypost.log())
        done = waypost.command("check", "-c", waypost.path, "--connect")
        self.assertIn("down, refuses the probe's user or password", done.stdout)
        self.assertEqual(done.returncode, 1)

    def test_storage_behind_the_server_is_gone_and_comes_back(self):
        fake = FakeImap(self.ground)
        self.addCleanup(fake.stop)
        fake.script.refuse = lambda peer, tag: peer.send(tag + b" NO [UNAVAILABLE] no storage\r\n")
        fake.script.password = b"another"
        waypost = self.watched(fake, self.account("secret"))
        waypost.wait_for_log(r'backend_down .*login failed with UNAVAILABLE: no storage"')
        fake.script = Script()
        waypost.wait_for_log(r"event=backend_up backend=one by=probe")

    def test_every_way_in(self):
        for words in (b"IMAP4rev1", b"IMAP4rev1 AUTH=PLAIN LOGINDISABLED",
                      b"IMAP4rev1 AUTH=PLAIN SASL-IR"):
            fake = FakeImap(self.ground, tls="starttls")
            self.addCleanup(fake.stop)
            fake.script.capabilities = words
            fake.script.starttls = True
            waypost = self.watched(fake, self.account("secret"))
            wait_until(lambda: b"w4 LOGOUT\r\n" in fake.received, "a whole probe")
            self.assertNotIn("probe_failed", waypost.log())
            waypost.stop()
            fake.stop()


class Logins(SystemTest):
    """Logins of clients take a backend down too, and who comes then is not kept waiting."""

    timeouts = {"backend_connect": "300ms", "backend_login": "300ms"}

    def setUp(self):
        self.fake = FakeImap(self.ground)
        self.addCleanup(self.fake.stop)

    def before_it(self, probe, **options):
        return self.start_waypost(
            {"backends": {"fake": backend(self.ground, self.fake, **options)},
             "routes": [{"to": "fake"}]},
            {"probe": {"fall": 3, **probe}, "timeouts": self.timeouts})

    def log_in(self, waypost, user="user@example.org"):
        client = self.connect(waypost)
        return client, client.login(user, "secret")

    def hang(self):
        self.fake.script = Script()
        self.fake.script.serve = lambda peer, _context: peer.wait_for_end()

    def trip(self, waypost):
        """Three logins that wait in vain, and a fourth that does not even try."""
        for _ in range(3):
            self.assertIn("[UNAVAILABLE]", self.log_in(waypost)[1].text)
        waypost.wait_for_log(r'event=backend_down backend=fake by=logins why=')

    def test_a_dead_backend_is_not_waited_for(self):
        self.hang()
        waypost = self.before_it({"interval": "0s"})
        self.trip(waypost)
        connected = len(self.fake.peers)
        for _ in range(5):
            self.assertIn("[UNAVAILABLE]", self.log_in(waypost)[1].text)
        self.assertEqual(len(self.fake.peers), connected)

    def test_a_trial_brings_it_back_where_nobody_probes(self):
        self.hang()
        waypost = self.before_it({"interval": "0s"})
        self.trip(waypost)
        self.fake.script = Script()
        wait_until(lambda: self.log_in(waypost)[1].status == "OK", "a trial succeeds", timeout=30)
        waypost.wait_for_log(r"event=backend_up backend=fake by=logins")
        self.assertEqual(self.log_in(waypost)[1].status, "OK")

    def test_a_probe_follows_at_once_and_brings_it_back(self):
        waypost = self.before_it({"interval": "1h", "timeout": "1s"})
        waypost.wait_for_log(r"event=capabilities backend=fake")
        self.hang()
        self.trip(waypost)
        self.fake.script = Script()
        waypost.wait_for_log(r"event=backend_up backend=fake by=probe", timeout=20)
        self.assertEqual(self.log_in(waypost)[1].status, "OK")

    def test_what_this_machine_lacks_is_not_held_against_the_backend(self):
        waypost = self.before_it({"interval": "50ms", "fall": 1},
                                 source_addresses=["192.0.2.1"])  # is nobody's
        for _ in range(5):
            self.assertIn("[UNAVAILABLE]", self.log_in(waypost)[1].text)
        waypost.wait_for_log(r"(?s)(event=backend_failed .*){5}")
        self.assertNotIn("backend_down", waypost.log())

    def test_max_sessions(self):
        waypost = self.before_it({"interval": "0s"}, max_sessions=2)
        first, reply = self.log_in(waypost, "a@example.org")
        self.assertEqual(reply.status, "OK")
        self.assertEqual(self.log_in(waypost, "b@example.org")[1].status, "OK")
        self.assertIn("[UNAVAILABLE]", self.log_in(waypost, "c@example.org")[1].text)
        self.assertNotIn("backend_down", waypost.log())
        first.close()
        wait_until(lambda: self.log_in(waypost, "c@example.org")[1].status == "OK", "there is room")


if __name__ == "__main__":
    unittest.main()
