"""What clients may say before login: literals, pipelining, SASL, limits, farewells."""

import base64
import time
import unittest

from tests.support.case import FakeTest
from tests.support.client import Closed
from tests.support.fake_imap import split

USER = "user@example.org"


def plain(user, password, authzid=""):
    return base64.b64encode(f"{authzid}\0{user}\0{password}".encode()).decode()


class Commands(FakeTest):
    """The not-authenticated state, over TLS."""

    settings = {"limits": {"bad_commands": 5}, "auth": {"attempts_per_connection": 3}}

    def test_greeting_and_small_commands(self):
        client = self.connect()
        self.assertTrue(client.greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 "))
        self.assertEqual(client.command("NOOP").status, "OK")
        self.assertEqual(client.command("noop").status, "OK")
        self.assertIn(b"* ID ", client.command('ID ("name" "test")').all)
        self.assertEqual(client.command("ID NIL").status, "OK")
        self.assertEqual(client.command("SELECT INBOX").status, "BAD")

    def test_t21_login_with_synchronising_literals(self):
        client = self.connect()
        client.send(f"a LOGIN {{{len(USER)}}}\r\n")
        self.assertTrue(client.line().startswith(b"+ "))
        client.send(f"{USER} {{6}}\r\n")
        self.assertTrue(client.line().startswith(b"+ "))
        client.send("secret\r\n")
        self.assertEqual(client.reply("a").status, "OK")

    def test_t21_login_with_pushed_literals(self):
        client = self.connect()
        client.send(f"a LOGIN {{{len(USER)}+}}\r\n{USER} {{6+}}\r\nsecret\r\n")
        reply = client.reply("a")
        self.assertEqual(reply.status, "OK")
        self.assertEqual([line for line in reply.untagged if line.startswith(b"+")], [])

    def test_t21_login_with_mixed_forms(self):
        client = self.connect()
        client.send(f'a LOGIN "{USER}" {{6+}}\r\nsecret\r\n')
        self.assertEqual(client.reply("a").status, "OK")
        other = self.connect()
        other.send(f"a LOGIN {USER} {{6}}\r\n")
        self.assertTrue(other.line().startswith(b"+ "))
        other.send("secret\r\n")
        self.assertEqual(other.reply("a").status, "OK")

    def test_t21_byte_by_byte(self):
        client = self.connect()
        for byte in f"a LOGIN {{{len(USER)}+}}\r\n{USER} secret\r\n".encode():
            client.send(bytes([byte]))
        self.assertEqual(client.reply("a").status, "OK")

    def test_t22_oversized_pushed_literal_is_swallowed(self):
        client = self.connect()
        inside = b"b LOGOUT\r\n" * 2000
        client.send(b"a LOGIN {%d+}\r\n" % len(inside) + inside + b" secret\r\nc NOOP\r\n")
        reply = client.reply("c")
        self.assertEqual(reply.status, "OK")
        self.assertIn(b"a BAD", reply.all)
        self.assertNotIn(b"b ", reply.all)

    def test_t22_oversized_synchronising_literal_is_not_invited(self):
        client = self.connect()
        reply = client.command("LOGIN {1000000}")
        self.assertEqual(reply.status, "BAD")
        self.assertEqual(reply.untagged, [])
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_t22_literal_of_endless_size(self):
        for size in (b"99999999999", b"18446744073709551617", b"4294967297"):
            client = self.connect()
            client.send(b"a LOGIN {" + size + b"}\r\n")
            try:
                self.assertEqual(client.reply("a").status, "BAD")
            except Closed:
                pass
            self.assertNotIn(b"\n+ ", client.transcript)

    def test_t23_line_ends_in_credentials_do_not_become_commands(self):
        client = self.connect()
        evil = b"x\r\nz LOGOUT\r\n"
        client.send(b"a LOGIN {%d+}\r\n%s {%d+}\r\n%s\r\n" % (len(evil), evil, len(evil), evil))
        self.assertIn(client.reply("a").status, ("BAD", "NO"))
        client.send(b"b LOGIN user@example.org {%d+}\r\n%s\r\n" % (len(evil), evil))
        self.assertIn(client.reply("b").status, ("BAD", "NO"))
        for command in self.fake.received:
            self.assertNotIn(split(command)[1], ("LOGOUT",))

    def test_t24_nul_is_refused(self):
        client = self.connect()
        client.send(b"a LOGIN us\0er secret\r\n")
        self.assertIn(b"BAD", client.line())
        client.send(b"b LOGIN {5+}\r\nus\0er secret\r\n")
        self.assertIn(b"BAD", client.line())
        self.assertEqual(client.command("NOOP").status, "OK")
        self.assertEqual(self.fake.received, [])

    def test_t25_endless_line(self):
        client = self.connect()
        seen = b""
        try:
            for _ in range(300):
                client.send(b"x" * 16384)
            seen = client.rest()
        except OSError:
            seen = client.transcript
        self.assertLess(len(seen), 4096)

    def test_t25_overlong_line_is_refused_and_swallowed(self):
        client = self.connect()
        client.send(b"a NOOP " + b"x" * 20000 + b"\r\nb NOOP\r\n")
        reply = client.reply("b")
        self.assertEqual(reply.status, "OK")
        self.assertIn(b"a BAD", reply.all)

    def test_t27_tags(self):
        client = self.connect()
        for tag in ("A0001", "a.b-c_d", "#$&'=]~", "x" * 64, "*notlonely"[1:]):
            self.assertEqual(client.command("NOOP", tag=tag).status, "OK", tag)
        for line in (b"a+b NOOP\r\n", b"* NOOP\r\n", b"NOOP\r\n"):
            client.send(line)
            self.assertRegex(client.line(), rb"^(\*|NOOP) BAD ")

    def test_t29_authenticate_cancelled(self):
        client = self.connect()
        for number in range(4):  # more often than attempts are allowed
            client.send(f"a{number} AUTHENTICATE PLAIN\r\n")
            self.assertEqual(client.line(), b"+ \r\n")
            client.send(b"*\r\n")
            self.assertEqual(client.reply(f"a{number}").status, "BAD")
        self.assertEqual(self.fake.received, [])
        self.assertEqual(client.login(USER, "secret").status, "OK")

    def test_t30_invalid_base64(self):
        for response in ("====", "AHVzZXI", "AHVz ZXIA", "%%%%", "AGEAYg==x"):
            client = self.connect()
            client.send(f"a AUTHENTICATE PLAIN\r\n{response}\r\n")
            self.assertEqual(client.reply("a").status, "BAD", response)
            self.assertEqual(client.command("NOOP").status, "OK")

    def test_t31_empty_challenge_has_its_space(self):
        client = self.connect()
        client.send("a AUTHENTICATE PLAIN\r\n")
        self.assertEqual(client.line(), b"+ \r\n")
        client.send(plain(USER, "secret") + "\r\n")
        self.assertEqual(client.reply("a").status, "OK")

    def test_t32_empty_initial_response_is_a_response(self):
        client = self.connect()
        reply = client.command("AUTHENTICATE PLAIN =")
        self.assertEqual(reply.untagged, [])
        self.assertIn(reply.status, ("BAD", "NO"))
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_t32_initial_response(self):
        reply = self.connect().command(f"AUTHENTICATE PLAIN {plain(USER, 'secret')}")
        self.assertEqual(reply.status, "OK")

    def test_authenticate_login(self):
        client = self.connect()
        if b"AUTH=LOGIN" not in client.greeting:
            self.assertEqual(client.command("AUTHENTICATE LOGIN").status, "NO")
            return
        client.send("a AUTHENTICATE LOGIN\r\n")
        for answer in (USER, "secret"):
            self.assertTrue(client.line().startswith(b"+ "))
            client.send(base64.b64encode(answer.encode()) + b"\r\n")
        self.assertEqual(client.reply("a").status, "OK")

    def test_t35_unsupported_mechanism(self):
        client = self.connect()
        for _ in range(6):
            self.assertEqual(client.command("AUTHENTICATE GSSAPI").status, "NO")
        self.assertEqual(client.login(USER, "secret").status, "OK")

    def test_t36_other_identity_is_refused(self):
        reply = self.connect().command(
            f"AUTHENTICATE PLAIN {plain(USER, 'secret', authzid='boss@example.org')}")
        self.assertTrue(reply.text.startswith("[AUTHORIZATIONFAILED]"), reply.all)
        self.assertEqual(self.fake.received, [])

    def test_t36_plain_needs_exactly_two_nuls_and_a_user(self):
        for message in (b"user", b"\0user", b"\0user\0pw\0more", b"\0\0pw", b""):
            client = self.connect()
            client.send(b"a AUTHENTICATE PLAIN\r\n" + base64.b64encode(message) + b"\r\n")
            self.assertIn(client.reply("a").status, ("BAD", "NO"), message)
            self.assertEqual(client.command("NOOP").status, "OK")
        self.assertEqual(self.fake.received, [])

    def test_t41_enable_before_login(self):
        client = self.connect()
        self.assertEqual(client.command("ENABLE CONDSTORE").status, "OK")
        self.assertEqual(client.login(USER, "secret").status, "OK")

    def test_t42_pipelined_after_a_failed_login(self):
        client = self.connect()
        client.send(f"a LOGIN {USER} wrong\r\nb SELECT INBOX\r\nc NOOP\r\n")
        self.assertEqual(client.reply("a").status, "NO")
        self.assertEqual(client.reply("b").status, "BAD")
        self.assertEqual(client.reply("c").status, "OK")
        self.assertFalse(self.fake.saw(b"SELECT"))

    def test_t42_pipelined_after_a_good_login_is_handed_over_unchanged(self):
        client = self.connect()
        odd = b'c X-ODD {2+}\r\n\r\n "\\"" \xff\r\n'
        client.send(f"a LOGIN {USER} secret\r\nb NOOP\r\n".encode() + odd + b"d LOGOUT\r\n")
        self.assertEqual(client.reply("a").status, "OK")
        self.assertEqual(client.reply("b").status, "OK")
        self.assertEqual(client.reply("c").status, "BAD")
        self.assertEqual(client.reply("d").status, "OK")
        self.assertIn(b"b NOOP\r\n", self.fake.received)
        self.assertIn(odd, self.fake.received)

    def test_t43_pipelined_response_is_no_command(self):
        client = self.connect()
        client.send(f"a AUTHENTICATE PLAIN\r\n{plain(USER, 'secret')}\r\nb NOOP\r\n")
        self.assertEqual(client.line(), b"+ \r\n")
        self.assertEqual(client.reply("a").status, "OK")
        self.assertEqual(client.reply("b").status, "OK")

    def test_t43_a_command_in_place_of_the_response_is_not_executed(self):
        client = self.connect()
        client.send("a AUTHENTICATE PLAIN\r\nb LOGOUT\r\nc NOOP\r\n")
        self.assertEqual(client.line(), b"+ \r\n")
        self.assertEqual(client.reply("a").status, "BAD")
        self.assertEqual(client.reply("c").untagged, [])

    def test_t44_logout_before_login(self):
        client = self.connect()
        client.send("a LOGOUT\r\n")
        seen = client.rest()
        self.assertRegex(seen, rb"^\* BYE [^\r\n]+\r\na OK [^\r\n]+\r\n$")

    def test_too_many_bad_commands(self):
        client = self.connect()
        client.send("a NONSENSE\r\n" * 10)
        seen = client.rest()
        self.assertEqual(seen.count(b"a BAD"), 5)
        self.assertTrue(seen.splitlines()[-1].startswith(b"* BYE "), seen)

    def test_too_many_wrong_passwords(self):
        client = self.connect()
        for _ in range(3):
            reply = client.login(USER, "wrong")
            self.assertEqual(reply.text, "[AUTHENTICATIONFAILED] Authentication failed.")
        self.assertRegex(client.rest(), rb"^\* BYE [^\r\n]+\r\n$")
        self.waypost.wait_for_log(r"reason=too_many_failures")

    def test_user_names_are_normalised_for_the_backend(self):
        client = self.connect()
        self.assertEqual(client.login("User@Example.ORG", "secret").status, "OK")
        self.assertTrue(self.fake.saw(b"user@example.org"))


class Deadlines(FakeTest):
    """Short deadlines and delays before login."""

    settings = {"timeouts": {"login": "1s"}}

    def test_t45_silence_ends_with_a_reason(self):
        began = time.monotonic()
        client = self.connect()
        self.assertRegex(client.rest(), rb"^\* BYE [^\r\n]+\r\n$")
        self.assertGreater(time.monotonic() - began, 0.8)
        self.waypost.wait_for_log(r"reason=login_timeout")

    def test_t45_trickling_bytes_do_not_extend_it(self):
        began = time.monotonic()
        client = self.connect()
        client.socket.settimeout(0.2)
        seen = b""
        while time.monotonic() - began < 5:
            try:
                client.send(b"x")
                client.line()
            except TimeoutError:
                continue
            except (Closed, OSError):
                break
        seen = client.transcript
        self.assertLess(time.monotonic() - began, 4)
        self.assertIn(b"* BYE ", seen)

    def test_t45_in_the_middle_of_authenticate(self):
        client = self.connect()
        client.send("a AUTHENTICATE PLAIN\r\n")
        self.assertEqual(client.line(), b"+ \r\n")
        self.assertIn(b"* BYE ", client.rest())

    def test_the_login_deadline_ends_with_login(self):
        client = self.logged_in()
        self.assertTrue(client.silent(1.5))
        self.assertEqual(client.command("NOOP").status, "OK")


class Penalty(FakeTest):
    """Wrong passwords are answered late, and later each time."""

    settings = {"auth": {"penalty": {"first": "400ms", "max": "800ms"}}}

    def test_delays_grow(self):
        self.logged_in()  # forgives what came before
        client = self.connect()
        for secret, least in (("wrong", 0.4), ("worse", 0.8)):
            began = time.monotonic()
            self.assertEqual(client.login(USER, secret).status, "NO")
            self.assertGreaterEqual(time.monotonic() - began, least - 0.02)

    def test_delays_spare_others(self):
        client = self.connect()
        client.send(f"a LOGIN {USER} wrong\r\n")
        self.assertEqual(self.connect().login(USER, "secret").status, "OK")
        self.assertTrue(client.silent(0.1), "the guess still waits")
        self.assertEqual(client.reply("a").status, "NO")

    def test_a_failed_login_is_logged_at_once(self):
        client = self.connect()
        before = len(self.waypost.log())
        client.send(f"a LOGIN {USER} wrong\r\n")
        line = self.waypost.wait_for_log(r".*login_refused.*", timeout=0.35, after=before)
        self.assertIn(USER, line)
        self.assertNotIn("wrong", line)



if __name__ == "__main__":
    unittest.main()
