"""Looks at backends: `check --connect`, and what a running proxy learns before anybody logs in."""

import json
import unittest

from tests.support.case import BINARY, Dovecot, FakeImap, SystemTest, User, Waypost, backend

from tests.support.fake_imap import Script

from playground import free_port  # pylint: disable=wrong-import-order


class Connect(SystemTest):
    """Two real servers, one for each way into TLS, and a fake for what real ones do not do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.east = Dovecot(cls.ground, "east", [User("alice@example.org")])
        cls.west = Dovecot(cls.ground, "west", [User("bob@example.org")], tls="starttls")
        cls.fake = FakeImap(cls.ground)
        cls.addClassCleanup(cls.fake.stop)
        cls.count = 0

    def setUp(self):
        self.fake.script = Script()
        self.fake.peers.clear()

    def configured(self, backends, mechanisms=("PLAIN", "LOGIN"), routes=None):
        """A Waypost with files written, not started."""
        type(self).count += 1
        table = {"backends": backends,
                 "routes": routes or [{"domains": {f"{name}.org": name for name in backends}}]}
        return Waypost(self.ground, BINARY, table, name=f"connect{self.count}",
                       settings={"auth": {"mechanisms": list(mechanisms)},
                                 "probe": {"timeout": "2s"}})

    def check(self, waypost, *options):
        return waypost.command("check", "-c", waypost.path, "--connect", *options)

    def look(self, waypost):
        """The answer in JSON for the first backend, and the exit status."""
        done = self.check(waypost, "--json")
        return json.loads(done.stdout)["backends"][0], done.returncode

    def faked(self, mechanisms=("PLAIN", "LOGIN"), **options):
        return self.look(self.configured({"fake": backend(self.ground, self.fake, **options)},
                                         mechanisms))

    def test_two_good_servers(self):
        waypost = self.configured({"east": backend(self.ground, self.east),
                                   "west": backend(self.ground, self.west)})
        done = self.check(waypost)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for server in (self.east, self.west):
            self.assertRegex(done.stdout, rf"backend +{server.name} at {server.address}: up, answers "
                                          rf"in \d+ ms\n +TLSv1\.3, TLS_\w+; certificate verified "
                                          rf"as {server.server_name}\n +IMAP4rev1 ")
        self.assertNotIn("warning", done.stdout)
        answer = json.loads(self.check(waypost, "--json").stdout)
        self.assertTrue(answer["ok"])
        self.assertEqual([look["backend"] for look in answer["backends"]], ["east", "west"])
        for look in answer["backends"]:
            self.assertEqual((look["up"], look["usable"], look["warnings"]), (True, True, []))
            self.assertIn("AUTH=PLAIN", look["capabilities"])
            self.assertNotIn("STARTTLS", look["capabilities"])

    def test_without_the_option_nothing_is_connected_to(self):
        waypost = self.configured({"fake": backend(self.ground, self.fake)})
        done = waypost.command("check", "-c", waypost.path, "--json")
        self.assertNotIn("backends", json.loads(done.stdout))
        self.assertEqual(self.fake.peers, [])

    def test_findings_come_before_connections(self):
        waypost = self.configured({"fake": backend(self.ground, self.fake)},
                                  routes=[{"to": "nowhere"}])
        done = self.check(waypost)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("/routes/0/to", done.stderr)
        self.assertEqual(self.fake.peers, [])

    def test_nobody_listens(self):
        down = {**backend(self.ground, self.east), "address": f"127.0.0.1:{free_port()}"}
        done = self.check(self.configured({"down": down}))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"backend +down at .*: down, .*connection refused\n")

    def test_another_name_in_the_certificate(self):
        options = backend(self.ground, self.east)
        options["verify"]["name"] = "other.backend.example"
        look, status = self.look(self.configured({"east": options}))
        self.assertEqual((look["up"], look["usable"], status), (False, False, 1))
        self.assertIn("hostname mismatch", look["why"])

    def test_a_server_that_is_silent_does_not_take_for_ever(self):
        self.fake.script.serve = lambda peer, _context: peer.wait_for_end()
        look, status = self.faked()
        self.assertEqual((look["why"], status), ("no greeting in time", 1))

    def test_nobody_can_log_in(self):
        self.fake.script.capabilities = b"IMAP4rev1 LOGINDISABLED"
        look, status = self.faked()
        self.assertEqual((look["up"], look["usable"], status), (True, False, 1))
        self.assertRegex(look["warnings"][0], "^nobody can log in: LOGINDISABLED")

    def test_a_mechanism_that_is_not_there(self):
        look, status = self.faked(["PLAIN", "XOAUTH2"])
        self.assertEqual((look["usable"], status), (True, 0))
        self.assertEqual(look["warnings"], ["no login here for clients that use XOAUTH2, so it is "
                                            "offered to nobody"])
        look, _ = self.faked(["PLAIN", "XOAUTH2"], auth_forward="plain")
        self.assertEqual(look["warnings"], [], "tokens may stand for passwords")

    def test_channel_binding(self):
        self.fake.script.capabilities = \
            b"IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS"
        look, status = self.faked(["PLAIN", "SCRAM-SHA-256"])
        self.assertEqual(status, 0)
        self.assertRegex(look["warnings"][0], "channel binding")

    def test_a_backend_without_a_rule(self):
        waypost = self.configured({"fake": backend(self.ground, self.fake)}, routes=[{"deny": True}])
        self.assertEqual(self.look(waypost)[0]["warnings"], ["no rule leads here"])

    def test_what_a_server_says_cannot_write_to_the_terminal(self):
        self.fake.script.greeting = b"* BYE \x1b[2Jnot now\r\n"
        done = self.check(self.configured({"fake": backend(self.ground, self.fake)}))
        self.assertIn("down, the greeting is BYE: ?[2Jnot now\n", done.stdout)

    def test_a_proxy_header_that_names_nobody(self):
        server = Dovecot(self.ground, "behind", [User("carol@example.org")], haproxy=True)
        for version in ("proxy-v1", "proxy-v2"):
            options = backend(self.ground, server, identity=[version])
            look, status = self.look(self.configured({"behind": options}))
            self.assertEqual((look["up"], status), (True, 0), look)


class Probes(SystemTest):
    """The running proxy."""

    def test_clients_are_told_what_all_backends_have(self):
        east = Dovecot(self.ground, "first", [User("alice@example.org")])
        fake = FakeImap(self.ground)
        self.addCleanup(fake.stop)
        fake.script.capabilities = b"IMAP4rev1 IDLE NAMESPACE AUTH=PLAIN AUTH=XOAUTH2"
        waypost = self.start_waypost(
            {"backends": {"east": backend(self.ground, east), "fake": backend(self.ground, fake)},
             "routes": [{"users": {"alice@example.org": "east"}}, {"to": "fake"}]},
            {"probe": {"interval": "60s"}, "auth": {"mechanisms": ["PLAIN", "XOAUTH2"]}})
        for name in ("east", "fake"):
            waypost.wait_for_log(rf"event=capabilities backend={name} when=before-login")
        words = set(self.connect(waypost).command("CAPABILITY").all.split())
        self.assertLessEqual({b"IDLE", b"LITERAL+", b"AUTH=PLAIN"}, words)
        self.assertFalse({b"NAMESPACE", b"AUTH=XOAUTH2", b"LOGIN-REFERRALS"} & words)

    def test_down_is_told_and_a_reload_looks_again(self):
        fake = FakeImap(self.ground)
        self.addCleanup(fake.stop)
        fake.script.greeting = b"* BYE too busy\r\n"
        waypost = self.start_waypost(
            {"backends": {"fake": backend(self.ground, fake)}, "routes": [{"to": "fake"}]},
            {"probe": {"interval": "60s", "fall": 1, "rise": 1}})
        waypost.wait_for_log(r"event=backend_down backend=fake .*too busy")
        self.assertIn("[UNAVAILABLE]",
                      self.connect(waypost).login("user@example.org", "secret").text)
        fake.script = Script()
        waypost.reload()
        waypost.wait_for_log(r"event=backend_up backend=fake")
        self.assertEqual(self.connect(waypost).login("user@example.org", "secret").status, "OK")


if __name__ == "__main__":
    unittest.main()
