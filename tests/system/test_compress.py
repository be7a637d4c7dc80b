"""COMPRESS=DEFLATE between a client and a real Dovecot, which Waypost carries without looking."""

import os
import unittest
import zlib

from tests.support.case import Dovecot, SystemTest, User, backend, sample_user
from tests.support.deflate import compress

from playground import wait_until  # pylint: disable=wrong-import-order

ALICE = "alice@example.org"
BOB = "bob@example.org"


class CompressTest(SystemTest):
    """One Dovecot that compresses, behind a Waypost that shows it and one that hides it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = Dovecot(cls.ground, "first", [sample_user(ALICE), User(BOB)],
                             compress=True)
        cls.waypost = cls.start_waypost(cls.routes())

    @classmethod
    def routes(cls, **options):
        return {"backends": {"first": backend(cls.ground, cls.server, **options)},
                "routes": [{"to": "first"}]}

    def compressed(self, user, waypost=None):
        """A client that has logged in and speaks compressed."""
        client = self.connect(waypost)
        reply = client.login(user, self.server.users[user].password)
        self.assertIn("COMPRESS=DEFLATE", reply.text)
        self.assertEqual(compress(client).status, "OK")
        return client

    def test_t64_not_offered_before_login(self):
        self.assertNotIn(b"COMPRESS", self.connect().greeting)

    def test_t64_messages_arrive_unchanged(self):
        client = self.compressed(ALICE)
        self.assertEqual(client.command("SELECT INBOX").status, "OK")
        reply = client.command("FETCH 1:* (BODY.PEEK[])")
        self.assertEqual(reply.status, "OK")
        for message in self.server.users[ALICE].mailboxes["INBOX"]:
            self.assertTrue(message in reply.all)

    def test_t64_much_both_ways(self):
        """More than any buffer holds, and of a kind that does not compress."""
        body = os.urandom(150000).hex().encode()
        noise = b"Subject: noise\r\n\r\n" + b"".join(
            body[at:at + 900] + b"\r\n" for at in range(0, len(body), 900))
        client = self.compressed(BOB)
        client.send(b"a APPEND INBOX {%d+}\r\n" % len(noise) + noise + b"\r\n")
        self.assertEqual(client.reply("a").status, "OK")
        client.command("SELECT INBOX")
        client.send("b FETCH * (BODY.PEEK[])\r\n" * 3)
        # Dovecot may answer what is pipelined together.
        seen = b"".join(client.reply("b").all for _ in range(3))
        self.assertEqual(seen.count(noise), 3)

    def test_t64_logout_ends_it_cleanly(self):
        before = len(self.waypost.log())
        client = self.compressed(ALICE)
        reply = client.command("LOGOUT")
        self.assertEqual(reply.status, "OK")
        self.assertIn(b"* BYE", reply.all)
        self.assertEqual(client.rest(), b"")
        line = self.waypost.wait_for_log(r"event=end .*", after=before)
        self.assertIn("bye=no", line)

    def test_t64_nothing_is_said_in_clear_when_the_backend_dies(self):
        client = self.compressed(ALICE)
        self.server.stop()
        try:
            client.rest()  # what Dovecot has to say, or nothing; in deflate
        except zlib.error:
            self.fail("bytes that are no deflate")
        finally:
            self.server.start()

    def test_t64_nothing_is_said_in_clear_at_shutdown(self):
        waypost = self.start_waypost(self.routes())
        client = self.compressed(ALICE, waypost)
        self.assertEqual(client.command("NOOP").status, "OK")
        waypost.signal(15)
        self.assertEqual(client.rest(), b"")
        client.close()
        self.assertEqual(waypost.wait(), 0)

    def test_t64_pipelined_behind_another_command(self):
        client = self.connect()
        client.login(ALICE, self.server.users[ALICE].password)
        client.send("a NOOP\r\nb NOOP\r\n")
        self.assertEqual(client.reply("b").status, "OK")
        self.assertEqual(compress(client).status, "OK")
        self.assertEqual(client.command("COMPRESS DEFLATE").status, "NO")  # it is on already
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_refused_it_changes_nothing(self):
        client = self.connect()
        client.login(ALICE, self.server.users[ALICE].password)
        self.assertIn(client.command("COMPRESS LZMA").status, ("NO", "BAD"))
        self.assertEqual(client.command("NOOP").status, "OK")
        self.assertEqual(client.command("LOGOUT").status, "OK")

    def test_idle_in_a_compressed_session(self):
        client = self.compressed(BOB)
        client.command("SELECT INBOX")
        client.send("i IDLE\r\n")
        self.assertTrue(client.line().startswith(b"+ "))
        other = self.connect()
        other.login(BOB, self.server.users[BOB].password)
        other.send(b"a APPEND INBOX {6+}\r\nA: b\r\n\r\n")
        self.assertEqual(other.reply("a").status, "OK")
        wait_until(lambda: b" EXISTS" in client.line(), "the news")
        client.send("DONE\r\n")
        self.assertEqual(client.reply("i").status, "OK")

    def test_t63_hidden_where_the_table_says_so(self):
        waypost = self.start_waypost(self.routes(hide_capabilities=["COMPRESS=DEFLATE"]))
        client = self.connect(waypost)
        reply = client.login(ALICE, self.server.users[ALICE].password)
        self.assertIn("IDLE", reply.text)
        self.assertNotIn("COMPRESS", reply.text)
        self.assertNotIn(b"COMPRESS", client.command("CAPABILITY").all)


if __name__ == "__main__":
    unittest.main()
