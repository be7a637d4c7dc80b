"""The STARTTLS port: nothing said before TLS counts after it, and no password passes in clear."""

import base64
import unittest

from tests.support.case import Dovecot, SystemTest, backend, sample_user
from tests.support.client import Closed

NAME = "alice@example.org"


class StartTls(SystemTest):
    """One Dovecot behind; its log shows whether anything was executed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dovecot = Dovecot(cls.ground, "backend", users=[sample_user(NAME)])
        cls.password = cls.dovecot.users[NAME].password
        cls.waypost = cls.start_waypost({
            "backends": {"backend": backend(cls.ground, cls.dovecot)},
            "routes": [{"to": "backend"}]}, {"log": {"level": "debug"}})

    def logins(self):
        return self.dovecot.log().count("Login: user=")

    def assert_nothing_executed(self, client, logins):
        """No reply to the injected command `b`, in clear or under TLS, and no login."""
        try:
            client.encrypt(self.context)
        except (OSError, Closed):
            pass
        else:
            try:
                self.assertEqual(client.command("NOOP", tag="after").all.count(b"b "), 0)
            except Closed:
                pass
        self.assertNotIn(b"b OK", client.transcript)
        self.assertNotIn(b"b NO", client.transcript)
        self.assertNotIn(b"b BAD", client.transcript)
        self.assertEqual(self.logins(), logins)

    def test_t01_starttls_injection_in_one_segment(self):
        logins = self.logins()
        client = self.connect_clear()
        client.send(f"a STARTTLS\r\nb LOGIN {NAME} {self.password}\r\n")
        seen = client.rest()
        self.assertNotIn(b"b ", seen)
        self.assertEqual(self.logins(), logins)
        self.waypost.wait_for_log(r"reason=starttls_injection")

    def test_t01_starttls_injection_of_half_a_command(self):
        client = self.connect_clear()
        client.send(b"a STARTTLS\r\nb NO")
        self.assertNotIn(b"b ", client.rest())

    def test_t01_starttls_injection_of_a_literal(self):
        client = self.connect_clear()
        client.send(b"a STARTTLS\r\nb LOGIN {5+}\r\n")
        self.assertNotIn(b"b ", client.rest())

    def test_t01_starttls_injection_after_the_ok(self):
        logins = self.logins()
        client = self.connect_clear()
        client.send("a STARTTLS\r\n")
        self.assertEqual(client.reply("a").status, "OK")
        client.send(f"b LOGIN {NAME} {self.password}\r\n")
        self.assert_nothing_executed(client, logins)

    def test_t04_facts_from_before_tls_are_forgotten(self):
        """A client that asked for capabilities in clear has, under TLS, not asked yet."""
        client = self.connect_clear()
        client.command("CAPABILITY")
        client.starttls(self.context)
        reply = client.login(NAME, self.password)
        self.assertTrue(reply.text.startswith("[CAPABILITY "), reply.all)

    def test_t06_starttls_only_once_and_only_where_offered(self):
        client = self.connect_clear()
        client.starttls(self.context)
        self.assertNotIn(b"STARTTLS", client.command("CAPABILITY").all)
        self.assertEqual(client.command("STARTTLS").status, "BAD")
        self.assertEqual(client.command("NOOP").status, "OK")
        implicit = self.connect()
        self.assertNotIn(b"STARTTLS", implicit.greeting)
        self.assertEqual(implicit.command("STARTTLS").status, "BAD")

    def test_t06_starttls_takes_no_argument(self):
        client = self.connect_clear()
        self.assertEqual(client.command("STARTTLS now").status, "BAD")
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_t07_starttls_inside_a_literal_is_data(self):
        client = self.connect_clear()
        client.send(b'a ID ("name" {12+}\r\nb STARTTLS\r\n)\r\nc NOOP\r\n')
        try:
            seen = client.reply("c").all
        except Closed:
            seen = client.transcript
        self.assertNotIn(b"b ", seen)

    def test_t19_login_in_clear_is_refused_and_reported(self):
        logins = self.logins()
        before = len(self.waypost.log())
        client = self.connect_clear()
        reply = client.login(NAME, self.password)
        self.assertTrue(reply.untagged[0].startswith(b"* BAD [ALERT] "), reply.all)
        self.assertEqual(reply.status, "NO")
        self.assertTrue(reply.text.startswith("[PRIVACYREQUIRED] "), reply.text)
        line = self.waypost.wait_for_log(r".*credentials_in_clear.*", after=before)
        self.assertIn(NAME, line)
        self.assertNotIn(self.password, self.waypost.log())
        self.assertEqual(self.logins(), logins)
        client.starttls(self.context)
        self.assertEqual(client.login(NAME, self.password).status, "OK")

    def test_t19_authenticate_in_clear(self):
        message = base64.b64encode(f"\0{NAME}\0{self.password}".encode()).decode()
        client = self.connect_clear()
        before = len(self.waypost.log())
        reply = client.command(f"AUTHENTICATE PLAIN {message}")
        self.assertTrue(reply.untagged[0].startswith(b"* BAD [ALERT] "), reply.all)
        self.assertTrue(reply.text.startswith("[PRIVACYREQUIRED] "), reply.text)
        self.waypost.wait_for_log(r"credentials_in_clear.*alice@example\.org", after=before)
        self.assertNotIn(message, self.waypost.log())

    def test_t19_authenticate_without_initial_response_alarms_nobody(self):
        client = self.connect_clear()
        reply = client.command("AUTHENTICATE PLAIN")
        self.assertEqual(reply.untagged, [])
        self.assertTrue(reply.text.startswith("[PRIVACYREQUIRED] "), reply.text)

    def test_t19_a_literal_is_not_invited_in_clear(self):
        client = self.connect_clear()
        reply = client.command(f"LOGIN {{{len(NAME)}}}")
        self.assertTrue(reply.text.startswith("[PRIVACYREQUIRED] "), reply.text)
        self.assertEqual([line for line in reply.untagged if line.startswith(b"+")], [])
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_t19_a_pushed_literal_is_not_executed(self):
        client = self.connect_clear()
        client.send(f"a LOGIN {{{len(NAME)}+}}\r\n{NAME} {{{len(self.password)}+}}\r\n"
                    f"{self.password}\r\nb NOOP\r\n")
        reply = client.reply("b")
        self.assertIn(b"a NO [PRIVACYREQUIRED]", reply.all)
        self.assertIn(b"* BAD [ALERT]", reply.all)
        self.assertNotIn(self.password, self.waypost.log())

    def test_t19_too_many_end_the_connection(self):
        client = self.connect_clear()
        for _ in range(20):
            client.send(f"a LOGIN {NAME} {self.password}\r\n")
        seen = client.rest()
        self.assertIn(b"* BYE ", seen)
        self.assertLess(seen.count(b"[PRIVACYREQUIRED]"), 10)

    def test_t20_what_is_shown_before_and_after_tls(self):
        client = self.connect_clear()
        for shown in (client.greeting, client.command("CAPABILITY").all):
            self.assertIn(b"STARTTLS", shown)
            self.assertIn(b"LOGINDISABLED", shown)
            self.assertNotIn(b"AUTH=", shown)
        client.starttls(self.context)
        shown = client.command("CAPABILITY").all
        self.assertIn(b"AUTH=PLAIN", shown)
        self.assertNotIn(b"STARTTLS", shown)
        self.assertNotIn(b"LOGINDISABLED", shown)
        greeting = self.connect().greeting
        self.assertIn(b"AUTH=PLAIN", greeting)
        self.assertNotIn(b"LOGINDISABLED", greeting)


if __name__ == "__main__":
    unittest.main()
