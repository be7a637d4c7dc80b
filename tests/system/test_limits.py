"""Limits of users and addresses, and what failed logins cost."""

import re
import signal
import time
import unittest

from tests.support.case import FakeTest
from tests.support.client import Closed

from playground import HOST, wait_until  # pylint: disable=wrong-import-order

USER = "user@example.org"


class LimitsCase(FakeTest):
    """One fake backend; each test has a Waypost with the limits it is about."""

    def limited(self, limits=None, *, workers=1, penalty=None):
        """A Waypost with these limits, and patience with failed logins."""
        auth = {"attempts_per_connection": 50, "penalty": penalty or {"first": "0s", "max": "0s"}}
        waypost = self.start_waypost(self.routes(), {
            "limits": limits or {}, "workers": workers, "auth": auth})
        self.addCleanup(waypost.stop)
        # Whoever looked whether both ports are open must not count.
        wait_until(lambda: waypost.log().count("event=end ") == 2, "the first visitors have left")
        return waypost

    def session(self, waypost, user=USER):
        client = self.connect(waypost)
        return client, client.login(user, "secret")

    def assert_limited(self, waypost, reply, limit):
        self.assertEqual(reply.status, "NO", reply.all)
        self.assertRegex(reply.text, r"^\[LIMIT\] ")
        waypost.wait_for_log(rf"event=limited .*limit={limit}\b")

    def logs_in_again(self, waypost, user=USER):
        """What was given back is noticed as soon as the session has ended."""
        wait_until(lambda: self.session(waypost, user)[1].status == "OK", "there is room again")

    def wrong(self, client, secret, user=USER):
        """How long a wrong password takes."""
        began = time.monotonic()
        reply = client.login(user, secret)
        self.assertEqual(reply.text, "[AUTHENTICATIONFAILED] Authentication failed.")
        return time.monotonic() - began


class Limits(LimitsCase):
    """How many of what, by user and by address."""

    def test_sessions_of_a_user(self):
        waypost = self.limited({"sessions_per_user": 2})
        first, reply = self.session(waypost)
        self.assertEqual(reply.status, "OK")
        self.assertEqual(self.session(waypost, USER.upper())[1].status, "OK")
        third, reply = self.session(waypost)
        self.assert_limited(waypost, reply, f"sessions_per_user user={USER}")
        self.assertEqual(self.session(waypost, "other@example.org")[1].status, "OK")
        self.assertEqual(first.command("NOOP").status, "OK", "nobody was closed for it")
        first.close()
        wait_until(lambda: third.login(USER, "secret").status == "OK", "the connection can go on")

    def test_t51_a_limit_is_no_guess(self):
        waypost = self.limited({"sessions_per_user": 1}, penalty={"first": "10s", "max": "10s"})
        self.session(waypost)
        client = self.connect(waypost)
        for _ in range(5):
            self.assert_limited(waypost, client.login(USER, "secret"), "sessions_per_user")
        waypost.wait_for_log(r"event=login_refused .*user=user@example.org why=limit guess=no "
                             r"limit=sessions_per_user")
        self.assertEqual(len(re.findall("event=limited", waypost.log())), 1, "once in a while")

    def test_only_who_knows_the_password_hears_of_the_limit(self):
        waypost = self.limited({"sessions_per_user": 1})
        self.session(waypost)
        self.wrong(self.connect(waypost), "guess")

    def test_sessions_of_a_user_from_one_address(self):
        waypost = self.limited({"sessions_per_user_and_address": 1})
        client, reply = self.session(waypost)
        self.assertEqual(reply.status, "OK")
        self.assert_limited(waypost, self.session(waypost)[1], "sessions_per_user_and_address")
        client.close()
        self.logs_in_again(waypost)

    def test_sessions_of_an_address(self):
        waypost = self.limited({"sessions_per_address": 2})
        client, _ = self.session(waypost, "a@example.org")
        self.session(waypost, "b@example.org")
        reply = self.session(waypost, "c@example.org")[1]
        self.assert_limited(waypost, reply, "sessions_per_address")
        self.assertEqual(client.command("LOGOUT").status, "OK")
        self.logs_in_again(waypost, "c@example.org")

    def test_attempts_of_an_address(self):
        waypost = self.limited({"logins_per_minute_per_address": 2})
        self.wrong(self.connect(waypost), "x")
        self.assertEqual(self.session(waypost)[1].status, "OK")
        heard = len(self.fake.received)
        self.assert_limited(waypost, self.session(waypost)[1], "logins_per_minute_per_address")
        self.assertEqual(len(self.fake.received), heard, "the backend was not troubled")

    def test_t83_connections_without_login_of_an_address(self):
        waypost = self.limited({"unauthenticated_per_address": 2})
        first, _second = self.connect(waypost), self.connect(waypost)
        with self.assertRaises((OSError, Closed)):
            self.connect(waypost)
        bye = self.connect_clear(waypost)
        self.assertEqual(bye.greeting, b"* BYE Too many connections, try again later.\r\n")
        self.assertEqual(bye.rest(), b"")
        waypost.wait_for_log(
            rf"event=limited limit=unauthenticated_per_address client={HOST} connections=1\b")
        self.assertEqual(len(re.findall("event=limited", waypost.log())), 1, "once in a while")
        self.assertEqual(first.login(USER, "secret").status, "OK")
        self.assertTrue(self.connect(waypost).greeting.startswith(b"* OK "), "one has logged in")
        waypost.signal(signal.SIGUSR1)
        waypost.wait_for_log(r"name=limited limit=unauthenticated_per_address value=2")

    def test_t83_the_oldest_without_login_makes_room(self):
        waypost = self.limited({"unauthenticated": 3})
        member, reply = self.session(waypost)
        self.assertEqual(reply.status, "OK")
        silent = [self.connect(waypost) for _ in range(3)]
        newcomer = self.connect(waypost)
        self.assertEqual(silent[0].rest(),
                         b"* BYE Too many connections without login, try again later.\r\n")
        self.assertEqual(newcomer.login(USER, "secret").status, "OK")
        for client in (member, *silent[1:]):
            self.assertEqual(client.command("NOOP").status, "OK")
        waypost.wait_for_log(r"event=limited limit=unauthenticated .*connections=1\b")
        waypost.wait_for_log(r"event=end .*reason=evicted ")

    def test_trusted_addresses_are_exempt(self):
        waypost = self.limited({
            "unauthenticated_per_address": 1, "sessions_per_address": 1,
            "sessions_per_user_and_address": 1, "logins_per_minute_per_address": 1,
            "trusted": [f"{HOST}/32"]}, penalty={"first": "10s", "max": "10s"})
        for _ in range(3):
            self.assertEqual(self.session(waypost)[1].status, "OK")
        clients = [self.connect(waypost) for _ in range(3)]
        for client in clients:
            self.assertLess(self.wrong(client, "guess"), 5)

    def test_workers_share_the_counts(self):
        waypost = self.limited({"sessions_per_user": 6}, workers=2)
        replies = [self.session(waypost)[1].status for _ in range(18)]
        self.assertEqual(replies, ["OK"] * 6 + ["NO"] * 12)

    def test_a_reload_keeps_the_counts_and_changes_the_limits(self):
        waypost = self.limited({"sessions_per_user": 1})
        self.session(waypost)
        for limit, status in ((2, "OK"), (2, "NO")):
            waypost.configuration["limits"]["sessions_per_user"] = limit
            waypost.write_configuration()
            mark = len(waypost.log())
            waypost.signal(signal.SIGHUP)
            waypost.wait_for_log("event=reloaded", after=mark)
            wait_until(lambda status=status: self.session(waypost)[1].status == status, status)

    def test_addresses_behind_a_balancer_are_the_clients(self):
        waypost = self.limited()
        waypost.stop()
        waypost.configuration["limits"]["unauthenticated_per_address"] = 1
        waypost.configuration["listeners"][1]["proxy_protocol"] = {
            "from": [HOST], "required": False, "timeout": "200ms"}
        waypost.write_configuration()
        waypost.start()

        def greeted(address):
            client = self.connect_clear(waypost, greeting=False)
            client.send(f"PROXY TCP4 {address} 192.0.2.99 1000 143\r\n" if address else "")
            return client.line()[:5]

        self.assertEqual(greeted("192.0.2.1"), b"* OK ")
        self.assertEqual(greeted("192.0.2.2"), b"* OK ")
        self.assertEqual(greeted("192.0.2.1"), b"* BYE")
        for _ in range(3):
            self.assertEqual(greeted(None), b"* OK ", "the balancer itself")


class Penalties(LimitsCase):
    """The delay of the answer to a wrong password, by address."""

    first, patience = 0.4, 0.35

    def setUp(self):
        super().setUp()
        self.waypost_with_delay = self.limited(penalty={"first": "400ms", "max": "1600ms"})

    def fresh(self):
        return self.connect(self.waypost_with_delay)

    def test_t51_the_delay_grows_across_connections(self):
        for number, least in enumerate((0.4, 0.8, 1.6, 1.6)):
            took = self.wrong(self.fresh(), f"guess {number}")
            self.assertGreaterEqual(took, least)
            self.assertLess(took, least + self.patience)

    def test_t51_the_same_secret_counts_once(self):
        for _ in range(4):
            took = self.wrong(self.fresh(), "old password")
            self.assertGreaterEqual(took, self.first)
            self.assertLess(took, self.first + self.patience)
        self.assertGreaterEqual(self.wrong(self.fresh(), "old password", "other@example.org"),
                                2 * self.first)

    def test_t51_a_success_clears_it(self):
        self.wrong(self.fresh(), "a")
        self.wrong(self.fresh(), "b")
        self.assertEqual(self.fresh().login(USER, "secret").status, "OK")
        self.assertLess(self.wrong(self.fresh(), "c"), self.first + self.patience)

    def test_t51_nobody_waits_for_the_failures_of_others(self):
        slow = self.fresh()
        slow.send(f"a LOGIN {USER} wrong\r\n")
        began = time.monotonic()
        self.assertEqual(self.fresh().login(USER, "secret").status, "OK")
        self.assertLess(time.monotonic() - began, self.first)
        self.assertEqual(slow.reply("a").status, "NO")

    def test_t51_outages_do_not_count(self):
        script = self.good()
        script.refuse = lambda peer, tag: peer.send(tag + b" NO [UNAVAILABLE] later\r\n")
        self.use(script)
        for number in range(4):
            self.assertIn("[UNAVAILABLE]", self.fresh().login(USER, f"x{number}").text)
        self.use(self.good())
        self.assertLess(self.wrong(self.fresh(), "wrong"), self.first + self.patience)


if __name__ == "__main__":
    unittest.main()
