"""The command line: check, route, version, help; exit statuses; every finding in one run."""

import os
import subprocess
import unittest

from tests.support.case import BINARY, FakeImap, SystemTest, Waypost, backend


class CommandLine(SystemTest):
    """Nothing here listens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fake = FakeImap(cls.ground)
        cls.addClassCleanup(cls.fake.stop)

    def setUp(self):
        self.number = getattr(type(self), "number", 0) + 1
        type(self).number = self.number

    def configured(self, settings=None, routes=None):
        """A Waypost with files written, not started."""
        table = {"backends": {"one": backend(self.ground, self.fake),
                              "two": backend(self.ground, self.fake)},
                 "routes": [{"users": {"alice@example.org": "one"}},
                            {"domains": {"example.org": "two", "*.example.net": "one"}}]}
        table.update(routes or {})
        return Waypost(self.ground, BINARY, table, name=f"cli{self.number}", settings=settings)

    def check(self, waypost):
        return waypost.command("check", "-c", waypost.path)

    def run_binary(self, *arguments):
        return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=10,
                              check=False)

    def test_version(self):
        done = self.run_binary("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?i)^waypost \d+\.\d+")

    def test_help(self):
        done = self.run_binary("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("run", "check", "route"):
            self.assertIn(word, done.stdout)
        for command in ("run", "check", "route"):
            done = self.run_binary(command, "--help")
            self.assertEqual((command, done.returncode), (command, 0))
            self.assertIn("-c", done.stdout)

    def test_wrong_usage(self):
        for arguments in ([], ["dance"], ["check"], ["check", "--nonsense"], ["route", "-c"]):
            done = self.run_binary(*arguments)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertNotEqual(done.stderr, "", arguments)
            self.assertEqual(done.stdout, "", arguments)

    def test_check_is_content(self):
        done = self.check(self.configured())
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_check_names_every_finding_at_once(self):
        waypost = self.configured(
            {"wokers": 3, "hostname": 7, "timeouts": {"login": "soon"}},
            {"routes": [{"to": "three"}, {"denny": True}]})
        done = self.check(waypost)
        self.assertEqual(done.returncode, 1)
        for expected in (r"waypost\.json:\d+.*/wokers.*workers",
                         r"waypost\.json:\d+.*/hostname",
                         r"waypost\.json:\d+.*/timeouts/login",
                         r"routes\.json:\d+.*/routes/0/to.*three",
                         r"routes\.json:\d+.*/routes/1"):
            self.assertRegex(done.stderr + done.stdout, expected)

    def test_check_looks_into_certificates(self):
        stranger = self.ground.authority.issue(f"stranger{self.number}", ["mail.example.org"])
        waypost = self.configured()
        pair = waypost.configuration["tls"]["certificates"][0]
        pair["key"] = stranger.key
        waypost.write_configuration()
        done = self.check(waypost)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr + done.stdout, r"(?i)key")
        pair["key"] = os.path.join(self.ground.root, "missing.key")
        waypost.write_configuration()
        done = self.check(waypost)
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing.key", done.stderr + done.stdout)

    def test_t68_idle_below_thirty_minutes_is_refused(self):
        done = self.check(self.configured({"timeouts": {"idle": "29m"}}))
        self.assertEqual(done.returncode, 1)
        self.assertIn("/timeouts/idle", done.stderr + done.stdout)
        self.assertEqual(self.check(self.configured({"timeouts": {"idle": "30m"}})).returncode, 0)

    def test_t90_duplicate_key_big_port_bom(self):
        waypost = self.configured()
        with open(waypost.path, encoding="utf-8") as file:
            good = file.read()
        for broken in ("\ufeff" + good, good.replace("{", '{"workers": 1,', 1),
                       good.replace(f":{waypost.implicit_port}\"", ":100000\""),
                       good.replace(f":{waypost.implicit_port}\"", "\""), good + "{}", "", "[]"):
            with open(waypost.path, "w", encoding="utf-8") as file:
                file.write(broken)
            done = self.check(waypost)
            self.assertEqual(done.returncode, 1, broken[:40])
            self.assertIn("waypost.json", done.stderr + done.stdout)

    def test_plaintext_backend_off_loopback_needs_a_word(self):
        table = {"backends": {"one": {"address": "192.0.2.1:143", "tls": "none"}},
                 "routes": [{"to": "one"}]}
        self.assertEqual(self.check(self.configured(routes=table)).returncode, 1)
        table["backends"]["one"]["allow_plaintext"] = True
        self.assertEqual(self.check(self.configured(routes=table)).returncode, 0)

    def test_t09_an_address_needs_a_name_to_verify(self):
        table = {"backends": {"one": {"address": self.fake.address, "tls": "implicit"}},
                 "routes": [{"to": "one"}]}
        done = self.check(self.configured(routes=table))
        self.assertEqual(done.returncode, 1)
        self.assertIn("/backends/one", done.stderr + done.stdout)

    def test_route_explains(self):
        waypost = self.configured()
        for user, target in (("alice@example.org", "one"), ("Alice@Example.ORG", "one"),
                             ("bob@example.org", "two"), ("eve@a.example.net", "one")):
            done = waypost.command("route", "-c", waypost.path, user)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, rf"\b{target}\b")
            self.assertIn(self.fake.address, done.stdout)

    def test_route_without_a_rule_is_a_denial(self):
        waypost = self.configured()
        for user in ("eve@example.net", "nobody"):
            done = waypost.command("route", "-c", waypost.path, user)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stdout, r"(?i)denied|no rule|no match")

    def test_route_on_a_broken_configuration(self):
        waypost = self.configured(routes={"routes": [{"to": "nowhere"}]})
        done = waypost.command("route", "-c", waypost.path, "alice@example.org")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nowhere", done.stderr + done.stdout)

    def test_users_file(self):
        self.ground.write("# users\nfile@example.com\ttwo\n"
                          "as@example.com\tone\tother@example.com\n", "users.tsv")
        waypost = self.configured(routes={"routes": [
            {"users_file": self.ground.path("users.tsv")}]})
        done = waypost.command("route", "-c", waypost.path, "as@example.com")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("other@example.com", done.stdout)
        self.ground.write("bad line\nx@example.com\tnowhere\n", "users.tsv")
        done = self.check(waypost)
        self.assertEqual(done.returncode, 1)
        for expected in (r"users\.tsv:1", r"users\.tsv:2.*nowhere"):
            self.assertRegex(done.stderr + done.stdout, expected)


if __name__ == "__main__":
    unittest.main()
