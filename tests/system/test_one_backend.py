"""One backend per user, with real servers: phone and laptop are always at the same one."""

import threading
import unittest

from tests.support.cluster import HASTY, ClusterTest


class OneBackend(ClusterTest):
    """In turn every login would go to another server, but for the promise."""

    count = 140
    pool = {"one_backend_per_user": True, "choose": "round-robin"}
    settings = {"placement": {"linger": "1m", "settle": "200ms", "hold": "15s"},
                "control": {"socket": "control.sock"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.strangers = iter(cls.users)

    def stranger(self):
        """A user who has never been anywhere."""
        return next(self.strangers)

    def order(self, *words):
        """A command of the operator to the running proxy."""
        done = self.waypost.command(words[0], "-c", self.waypost.path, *words[1:])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def sessions_of(self, user, count):
        """That many sessions of one user, begun at the same time."""
        found = []

        def begin():
            mail = self.session(user)
            found.append((mail, mail.where()))

        threads = [threading.Thread(target=begin) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(found), count)
        return found

    def together(self, user, count=2):
        """Sessions of one user, and the one server where they are."""
        found = self.sessions_of(user, count)
        names = {name for _, name in found}
        self.assertEqual(len(names), 1, names)
        return [mail for mail, _ in found], names.pop()

    def test_all_devices_are_at_one_server(self):
        # So many that both workers have some.
        user = self.stranger()
        _, name = self.together(user, 16)
        self.assertEqual(self.session(user).where(), name)

    def test_users_are_spread(self):
        names = {self.together(self.stranger(), 1)[1] for _ in range(6)}
        self.assertGreater(len(names), 1)

    def test_a_name_is_the_same_in_any_letters(self):
        user = self.stranger()
        _, name = self.together(user)
        client = self.connect()
        client.login(user.name.upper(), user.password)
        self.assertIn(name.encode(), client.command("ID NIL").all)

    def test_the_home_stays_when_nobody_is_in(self):
        user = self.stranger()
        mails, name = self.together(user)
        for mail in mails:
            mail.logout()
        for _ in range(4):
            mail = self.session(user)
            self.assertEqual(mail.where(), name)
            mail.logout()

    def both_move(self, user, break_server):
        """The user's sessions end with his server, and are together again at another."""
        others = [self.together(self.stranger(), 1) for _ in range(6)]
        mails, name = self.together(user, 4)
        break_server(self.cluster[name])
        for mail in mails:
            self.assertTrue(mail.farewell().startswith(b"* BYE "))
        _, other = self.together(user, 4)
        self.assertNotEqual(other, name)
        for [mail], where in others:
            self.assertTrue(where == name or mail.alive())
        self.recover()
        # In turn somebody gets to that server again, but this user has sessions elsewhere.
        self.assertTrue(any(self.together(self.stranger(), 1)[1] == name for _ in range(12)))
        self.assertEqual(self.session(user).where(), other)

    def test_all_move_when_the_server_is_killed(self):
        self.both_move(self.stranger(), lambda server: server.kill())

    def test_all_move_when_the_server_is_silent(self):
        self.both_move(self.stranger(), lambda server: server.freeze())

    def test_nobody_waits_for_what_a_silent_server_would_answer(self):
        # A command that runs may run on for a minute, but not where nobody is any more.
        waypost = self.start_waypost(self.cluster.routes(**self.pool), {
            **HASTY, **self.settings, "workers": 2,
            "timeouts": {**HASTY["timeouts"], "drain": "2m"},
            "control": {"socket": "another.sock"}})
        user = self.stranger()
        phone = self.session(user, waypost)
        name = phone.where()
        self.cluster[name].freeze()
        phone.send(b"wait NOOP\r\n")
        laptop = self.session(user, waypost)
        self.assertNotEqual(laptop.where(), name)
        self.assertTrue(phone.farewell().startswith(b"* BYE "))

    def test_all_move_when_the_server_stops(self):
        self.both_move(self.stranger(), lambda server: server.stop())

    def test_all_move_when_the_operator_says_so(self):
        user, neighbour = self.stranger(), self.stranger()
        mails, name = self.together(user, 4)
        [other], _ = self.together(neighbour, 1)
        to = self.cluster.others(name)[0]
        self.order("move", user.name, to)
        for mail in mails:
            self.assertTrue(mail.farewell().startswith(b"* BYE "))
        self.assertEqual(self.together(user, 4)[1], to)
        self.assertTrue(other.alive())

    def test_a_server_is_emptied_for_an_upgrade(self):
        groups = [self.together(user, 2) for user in (self.stranger() for _ in range(9))]
        self.order("drain", "b2")
        self.assertNotIn("b2", {self.together(self.stranger(), 1)[1] for _ in range(6)})
        self.order("drain", "b2", "--rate", "100")
        for mails, name in groups:
            for mail in mails:
                self.assertTrue(name == "b2" or mail.alive())
        self.cluster["b2"].stop()
        self.cluster["b2"].start()
        self.order("undrain", "b2")
        self.recover()
        self.assertTrue(any(self.together(self.stranger(), 1)[1] == "b2" for _ in range(12)))

    def test_a_kicked_user_may_come_back(self):
        user = self.stranger()
        mails, name = self.together(user, 4)
        self.order("kick", "--user", user.name)
        for mail in mails:
            self.assertTrue(mail.farewell().startswith(b"* BYE "))
        self.assertEqual(self.together(user, 2)[1], name)


if __name__ == "__main__":
    unittest.main()
