"""Outages of real servers in a pool: who is disturbed, who is not, and where logins go."""

import ssl
import unittest

from tests.support.client import Client
from tests.support.cluster import NAMES, ClusterTest

from playground import wait_until  # pylint: disable=wrong-import-order


class BackendsTest(ClusterTest):
    """What the tests of one failing server share."""

    def everybody(self, name):
        """A session of every user: those on that server, and the others."""
        found = self.sessions()
        there = [entry for entry in found if entry[2] == name]
        elsewhere = [entry for entry in found if entry[2] != name]
        self.assertTrue(there, f"none of {len(found)} users is on {name}")
        self.assertEqual({entry[2] for entry in elsewhere}, set(NAMES) - {name})
        return there, elsewhere

    def usable(self, user):
        """True when a login succeeds at the first attempt."""
        client = self.connect()
        return client.login(user.name, user.password).status == "OK"

    def undisturbed(self, sessions):
        for user, mail, name in sessions:
            self.assertTrue(mail.alive(), user.name)
            self.assertEqual(mail.where(), name)

    def land_elsewhere(self, sessions):
        """The users of these sessions log in again, and find their mail at another server."""
        for user, _, name in sessions:
            mail = self.session(user)
            self.assertIn(mail.where(), self.cluster.others(name))
            self.assertEqual(mail.select()[1], [b"3"])

    def come_back(self, sessions):
        for user, _, name in sessions:
            self.comes_back(user, name)

    def attempts(self):
        """How many logins have found a server that did not answer as it should."""
        return self.waypost.log().count("event=backend_failed ")

    def knows(self, *names):
        """Waits until Waypost knows that these servers are down."""
        wait_until(lambda: self.down() == set(names), f"{names} are down")

    def say_bye(self, sessions):
        for user, mail, _ in sessions:
            self.assertTrue(mail.farewell().startswith(b"* BYE "), user.name)


class Outages(BackendsTest):
    """One server of the pool fails in one way or another."""

    def test_killed(self):
        there, elsewhere = self.everybody("b1")
        self.cluster["b1"].kill()
        self.say_bye(there)
        self.land_elsewhere(there)
        self.undisturbed(elsewhere)
        self.cluster["b1"].start()
        self.come_back(there)
        self.undisturbed(elsewhere)

    def test_stopped_in_order(self):
        there, elsewhere = self.everybody("b2")
        self.cluster["b2"].stop()
        self.say_bye(there)
        self.land_elsewhere(there)
        self.undisturbed(elsewhere)
        self.cluster["b2"].start()
        self.come_back(there)

    def test_frozen(self):
        there, elsewhere = self.everybody("b3")
        self.cluster["b3"].freeze()
        self.land_elsewhere(there)
        self.knows("b3")
        before = self.attempts()
        self.land_elsewhere(there)
        self.assertEqual(self.attempts(), before, "nobody waits for it any more")
        self.say_bye(there)
        self.undisturbed(elsewhere)
        self.cluster["b3"].thaw()
        self.come_back(there)

    def test_a_moment_of_silence_is_no_outage(self):
        there, _ = self.everybody("b2")
        self.cluster["b2"].freeze()
        for _, mail, _ in there:
            mail.send(b"wait NOOP\r\n")
        self.cluster["b2"].thaw()
        for _, mail, _ in there:
            self.assertTrue(mail.readline().startswith(b"wait OK "))
        self.undisturbed(there)

    def test_killed_in_the_middle_of_a_download(self):
        there, elsewhere = self.everybody("b1")
        _, mail, _ = there[0]
        mail.select()
        mail.send(b"many FETCH 1:* BODY.PEEK[]\r\n" * 200)
        self.cluster["b1"].kill()
        # Whatever was cut off: the end of the connection comes, and nobody else notices.
        mail.farewell()
        self.land_elsewhere(there)
        self.undisturbed(elsewhere)

    def test_two_of_three(self):
        for name in ("b1", "b3"):
            self.cluster[name].kill()
        self.assertEqual({name for _, _, name in self.sessions()}, {"b2"})

    def test_all_of_them_silent(self):
        sessions = self.sessions()
        for name in NAMES:
            self.cluster[name].freeze()
        self.knows(*NAMES)
        self.say_bye(sessions)
        before = self.attempts()
        for user in self.users:
            self.assertIn("[UNAVAILABLE]", self.refused(user))
        self.assertEqual(self.attempts(), before, "the answer needs no attempt")
        self.recover()
        self.assertEqual({name for _, _, name in self.sessions()}, set(NAMES))

    def test_all_of_them_dead(self):
        for name in NAMES:
            self.cluster[name].kill()
        for user in self.users:
            self.assertIn("[UNAVAILABLE]", self.refused(user))
        self.recover()
        self.assertEqual({name for _, _, name in self.sessions()}, set(NAMES))


class Guesses(BackendsTest):
    """A password is judged once, and an outage judges nobody."""

    # Whoever is taken for a guesser waits longer than any test.
    settings = {"auth": {"penalty": {"first": "5m", "max": "5m"}}}

    def test_t58_a_wrong_password_is_tried_at_one_server_only(self):
        lenient = self.start_waypost(self.cluster.routes())
        for user in self.users[:5]:
            self.assertIn("[AUTHENTICATIONFAILED]", self.refused(user, "wrong", lenient))
            self.assertEqual(self.cluster.judged(user.name), 1)

    def test_t58_nor_after_a_failover(self):
        lenient = self.start_waypost(self.cluster.routes())
        self.cluster["b1"].kill()
        before = [self.cluster.judged(user.name) for user in self.users[:5]]
        for user, judged in zip(self.users, before):
            self.assertIn("[AUTHENTICATIONFAILED]", self.refused(user, "wrong", lenient))
            self.assertEqual(self.cluster.judged(user.name), judged + 1)

    def test_t51_an_outage_is_no_guess(self):
        for name in NAMES:
            self.cluster[name].kill()
        before = len(self.waypost.log())
        for user in self.users * 2:
            self.assertIn("[UNAVAILABLE]", self.refused(user))
            self.assertIn("[UNAVAILABLE]", self.refused(user, "wrong"))
        self.assertNotIn("guess=yes", self.waypost.log()[before:])
        self.cluster.restore()
        wait_until(lambda: self.usable(self.users[0]), "a login succeeds at once")


class Full(BackendsTest):
    """A server that has no room."""

    extra = {
        "b1": "service imap-login {\n process_limit = 1\n client_limit = 14\n}\n",
        "b2": "service imap {\n process_limit = 10\n}\n",
        "b3": "mail_max_userip_connections = 2\n",
    }

    def fill(self, name, count):
        """That many sessions past the proxy; their users are there as well."""
        context = ssl.create_default_context(cafile=self.authority)
        context.check_hostname = False
        for _ in range(count):
            client = Client(self.cluster[name].implicit_port, context)
            self.addCleanup(client.close)
            reply = client.login(self.users[0].name, self.users[0].password)
            self.assertEqual(reply.status, "OK", reply.all)
            yield client

    def full(self, name, room):
        there, elsewhere = self.everybody(name)
        for _, mail, _ in there:
            mail.logout()
        fillers = list(self.fill(name, room))
        self.land_elsewhere(there[:3])
        self.undisturbed(elsewhere)
        for client in fillers:
            client.close()
        self.come_back(there[:3])

    def test_no_room_for_a_connection(self):
        self.full("b1", 14)

    def test_no_room_for_a_session(self):
        # Found out by the server behind the password, but nothing has been said about that.
        self.full("b2", 10)

    def test_no_room_for_another_session_of_the_user(self):
        there, _ = self.everybody("b3")
        user = there[0][0]
        self.session(user)
        self.assertIn("[LIMIT]", self.refused(user))
        self.undisturbed(there)


if __name__ == "__main__":
    unittest.main()
