"""Where connections to a backend come from: `source_addresses`."""

import json
import unittest

from tests.support.case import BINARY, FakeTest, Waypost, backend

USER = "user@example.org"
NOT_OURS = "192.0.2.1"  # RFC 5737


class Sources(FakeTest):
    """One fake backend, which sees addresses of its clients; each test has its own list of them."""

    def table(self, *sources):
        target = backend(self.ground, self.fake, source_addresses=list(sources))
        return {"backends": {"fake": target}, "routes": [{"to": "fake"}]}

    def log_in(self, waypost):
        """The reply to a login, and the address that the backend saw."""
        self.use(self.good())
        reply = self.connect(waypost).login(USER, "secret")
        return reply, [peer.client for peer in self.fake.peers]

    def test_t87_the_backend_sees_the_address(self):
        waypost = self.start_waypost(self.table("::1", "127.0.0.2"))
        reply, seen = self.log_in(waypost)
        self.assertEqual((reply.status, seen), ("OK", ["127.0.0.2"]), reply.all)

    def test_t87_an_address_that_is_not_ours_is_passed_over(self):
        waypost = self.start_waypost(self.table(NOT_OURS, "127.0.0.3"))
        for _ in range(8):
            reply, seen = self.log_in(waypost)
            self.assertEqual((reply.status, seen), ("OK", ["127.0.0.3"]), reply.all)

    def test_t87_no_address_will_do(self):
        waypost = self.start_waypost(self.table(NOT_OURS))
        reply, seen = self.log_in(waypost)
        self.assertEqual(seen, [])
        self.assertRegex(reply.text, r"^\[UNAVAILABLE\] ")
        waypost.wait_for_log(rf"backend=fake .*{self.fake.address}: every source address lacks a "
                             r"free port, or is not of this machine")

    def test_probes_come_from_there_too(self):
        waypost = Waypost(self.ground, BINARY, self.table("127.0.0.4"), name="sources-check")
        done = waypost.command("check", "-c", waypost.path, "--connect", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(json.loads(done.stdout)["backends"][0]["up"])
        self.assertEqual([peer.client for peer in self.fake.peers], ["127.0.0.4"])

    def test_a_check_names_addresses_that_are_not_ours(self):
        waypost = Waypost(self.ground, BINARY, self.table(NOT_OURS, "127.0.0.4"), name="sources-bad")
        done = waypost.command("check", "-c", waypost.path, "--connect", "--json")
        self.assertEqual(json.loads(done.stdout)["backends"][0]["warnings"],
                         [f"source address {NOT_OURS}: Cannot assign requested address"])
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
