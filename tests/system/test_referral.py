"""t53: a backend that says where the user lives now. Followed within the table, and only there."""

import unittest

from tests.support.case import Dovecot, FakeImap, SystemTest, User, backend
from tests.support.fake_imap import Script
from tests.support.sasl import Scram, scram

from playground import HOST, free_port  # pylint: disable=wrong-import-order

STAYS = "stays@example.org"
MOVED = "moved@example.org"
RENAMED = "renamed@example.org"
AWAY = "away@example.org"
CLOSED = "closed@example.org"
PASSWORD = "secret"


class Dovecots(SystemTest):
    """The old Dovecot refers its users to the new one, to strangers, or just closes the door."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.new = Dovecot(cls.ground, "new", [User(name, PASSWORD) for name in (MOVED, "new.name")])
        here = f"nologin=y host={HOST} port={cls.new.implicit_port}"
        there = f"nologin=y host={HOST} port={free_port()}"
        cls.old = Dovecot(cls.ground, "old", [
            User(STAYS, PASSWORD), User(MOVED, PASSWORD, fields=here),
            User(RENAMED, PASSWORD, fields=f"{here} destuser=new.name"),
            User(AWAY, PASSWORD, fields=there),
            User(CLOSED, PASSWORD, fields="nologin=y reason=Closed"),
        ], auth_mechanisms="plain login scram-sha-256")
        cls.waypost = cls.start_waypost(
            {"backends": {server.name: backend(cls.ground, server, mechanisms=[
                "PLAIN", "LOGIN", "SCRAM-SHA-256"]) for server in (cls.old, cls.new)},
             "routes": [{"to": "old"}]},
            {"auth": {"mechanisms": ["PLAIN", "LOGIN", "SCRAM-SHA-256"]}})

    def test_t53_followed_to_a_server_of_the_table(self):
        before = len(self.waypost.log())
        client = self.connect()
        reply = client.login(MOVED, PASSWORD)
        self.assertEqual(reply.status, "OK", reply.all)
        self.assertNotIn(b"REFERRAL", client.transcript)
        self.assertEqual(client.command("SELECT INBOX").status, "OK")
        self.assertIn(f"Login: user=<{MOVED}>", self.new.log())
        log = self.waypost.log()[before:]
        self.assertRegex(log, r"event=referred .*from=old to=new")
        self.assertRegex(log, rf"event=login .*user={MOVED} .*backend=new")

    def test_t53_under_the_name_that_the_referral_gives(self):
        client = self.connect()
        reply = client.login(RENAMED, PASSWORD)
        self.assertEqual(reply.status, "OK", reply.all)
        self.assertIn("Login: user=<new.name>", self.new.log())
        self.assertRegex(self.waypost.log(), rf"event=login .*user={RENAMED} login=new.name ")

    def test_others_stay(self):
        self.assertEqual(self.connect().login(STAYS, PASSWORD).status, "OK")
        self.assertNotIn(STAYS, self.new.log())

    def test_a_wrong_password_is_judged_where_the_user_was(self):
        self.assertRegex(self.connect().login(MOVED, "wrong").text, r"^\[AUTHENTICATIONFAILED\]")
        self.assertNotIn("auth failed", self.new.log())

    def test_t53_not_followed_elsewhere(self):
        client = self.connect()
        for _ in range(4):  # no guess, however often
            reply = client.login(AWAY, PASSWORD)
            self.assertRegex(reply.text, r"^\[UNAVAILABLE\]")
        self.assertNotIn(b"REFERRAL", client.transcript)
        self.assertNotIn(b"imap://", client.transcript)
        self.waypost.wait_for_log(r"event=backend_failed .*not in the table.*code=REFERRAL")

    def test_the_door_is_closed(self):
        reply = self.connect().login(CLOSED, PASSWORD)
        self.assertEqual(reply.status, "NO", reply.all)

    def test_t53_a_proof_for_one_server_is_not_shown_to_another(self):
        login = Scram("SCRAM-SHA-256", MOVED, PASSWORD)
        client = self.connect()
        reply = scram(client, login)
        self.assertRegex(reply.text, r"^\[UNAVAILABLE\]")
        self.assertNotIn(b"REFERRAL", client.transcript)
        self.assertEqual(client.login(MOVED, PASSWORD).status, "OK")


class Scripted(SystemTest):
    """Two fakes that may refer to anything, each other included."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fakes = {}
        for name in ("one", "two"):
            cls.fakes[name] = FakeImap(cls.ground)
            cls.addClassCleanup(cls.fakes[name].stop)
        cls.waypost = cls.start_waypost({
            "backends": {name: backend(cls.ground, fake) for name, fake in cls.fakes.items()},
            "routes": [{"to": "one"}]})

    def refer(self, name, url, status=b"NO", untagged=b""):
        """From now on the fake of that name answers logins so; forgets what both have seen."""
        script = Script()
        code = b"[REFERRAL " + url.encode() + b"] go there\r\n"
        script.judge = lambda peer, tag, _password: peer.send(
            untagged + tag + b" " + status + b" " + code)
        self.fakes[name].script = script
        for fake in self.fakes.values():
            fake.peers.clear()

    def url(self, name, user="user@example.org"):
        return f"imap://{user.replace('@', '%40')};AUTH=*@{self.fakes[name].address}/"

    def setUp(self):
        for fake in self.fakes.values():
            fake.script = Script()
            fake.peers.clear()

    def test_t53_the_same_credentials_under_the_new_name(self):
        self.refer("one", self.url("two", "else@example.org"))
        client = self.connect()
        self.assertEqual(client.login("user@example.org", "secret").status, "OK")
        self.assertTrue(self.fakes["two"].saw(b"else@example.org"))
        self.assertTrue(self.fakes["two"].saw(b"secret"))
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_t53_a_circle_ends(self):
        self.refer("one", self.url("two"))
        self.refer("two", self.url("one"))
        client = self.connect()
        self.assertRegex(client.login("user@example.org", "secret").text, r"^\[UNAVAILABLE\]")
        self.assertLessEqual(sum(len(fake.peers) for fake in self.fakes.values()), 8)
        self.waypost.wait_for_log("once too often")
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_t53_neither_urls_of_other_kinds_nor_other_ports(self):
        port = self.fakes["two"].port
        for url in (f"imap://u@{HOST}:{free_port()}/", f"imap://u@localhost:{port}/",
                    f"imaps://u@{HOST}:{port}/", f"http://{HOST}:{port}/", f"imap://{HOST}:0/",
                    f"imap://u:secret@{HOST}:{port}/", f"imap://{HOST}:{port}@evil.example/",
                    f"imap://a%00b@{HOST}:{port}/", f"imap://a%0D%0Ab@{HOST}:{port}/",
                    "imap://", "", "imap:///", f"imap://[{HOST}]:{port}/", "x" * 4000):
            self.refer("one", url)
            client = self.connect()
            reply = client.login("user@example.org", "secret")
            self.assertRegex(reply.text, r"^\[UNAVAILABLE\]", url)
            self.assertEqual(self.fakes["two"].peers, [], url)
            self.assertNotIn(b"REFERRAL", client.transcript)

    def test_t53_in_an_ok_it_is_not_for_the_client(self):
        self.refer("one", self.url("two"), status=b"OK")
        client = self.connect()
        self.assertEqual(client.login("user@example.org", "secret").status, "OK")
        self.assertEqual(client.command("NOOP").status, "OK")
        self.assertEqual(self.fakes["two"].peers, [])
        self.assertNotIn(b"REFERRAL", client.transcript)


if __name__ == "__main__":
    unittest.main()
