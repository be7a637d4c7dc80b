"""What a backend may do up to its verdict, and what the client sees of it."""

import re
import time
import unittest

from tests.support.case import FakeImap, FakeTest, backend
from tests.support.fake_imap import CAPABILITIES, Script, split

USER = "user@example.org"


class BackendTest(FakeTest):
    """Assertions that many tests share."""

    settings = {"auth": {"attempts_per_connection": 3},
                "timeouts": {"backend_connect": "1s", "backend_login": "1s"}}

    def attempt(self, script, client=None, password="secret"):
        """One login before this script: the client and the reply."""
        self.use(script)
        client = client or self.connect()
        return client, client.login(USER, password)

    def refused(self, script, code):
        """The login is refused with that code, and the connection is still good for the next."""
        client, reply = self.attempt(script)
        self.assertEqual(reply.status, "NO", reply.all)
        self.assertRegex(reply.text, rf"^\[{code}\] \S")
        self.assertEqual(reply.untagged, [])
        self.use(self.good())
        self.assertEqual(client.login(USER, "secret").status, "OK")
        return reply

    def not_a_guess(self, script, code):
        """Repeated more often than wrong passwords may be, the connection stays."""
        self.use(script)
        client = self.connect()
        for _ in range(5):
            reply = client.login(USER, "secret")
            self.assertRegex(reply.text, rf"^\[{code}\]", reply.all)
        return reply


class Greetings(BackendTest):
    """From connect to the login command."""

    def greet(self, line):
        script = Script()
        script.greeting = line
        return script

    def test_t05_preauth_greeting_is_a_failure(self):
        reply = self.refused(self.greet(b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n"),
                             "UNAVAILABLE")
        self.assertNotIn(b"PREAUTH", reply.all)

    def test_t46_bye_greeting(self):
        reply = self.refused(self.greet(b"* BYE overloaded\r\n"), "UNAVAILABLE")
        self.assertNotIn("overloaded", reply.text)
        self.not_a_guess(self.greet(b"* BYE overloaded\r\n"), "UNAVAILABLE")

    def test_garbage_greetings(self):
        for garbage in (b"220 smtp.example.org ESMTP\r\n", b"\r\n", b"\0\1\2\3\r\n", b"* \r\n",
                        b"* NO go away\r\n", b"a1 OK hello\r\n", b"+ hello\r\n"):
            self.refused(self.greet(garbage), "UNAVAILABLE")

    def test_endless_greeting(self):
        script = Script()

        def serve(peer, _context):
            while True:
                peer.send(b"x" * 16384)

        script.serve = serve
        self.refused(script, "UNAVAILABLE")

    def test_silent_backend(self):
        script = Script()
        script.serve = lambda peer, _context: peer.wait_for_end()
        began = time.monotonic()
        self.refused(script, "UNAVAILABLE")
        self.assertLess(time.monotonic() - began, 4)

    def test_backend_that_closes_at_once(self):
        script = Script()
        script.serve = lambda _peer, _context: None
        self.refused(script, "UNAVAILABLE")

    def test_refused_connection(self):
        gone = FakeImap(self.ground)
        gone.stop()
        waypost = self.start_waypost({"backends": {"gone": backend(self.ground, gone)},
                                      "routes": [{"to": "gone"}]})
        client = self.connect(waypost)
        for _ in range(5):
            self.assertRegex(client.login(USER, "secret").text, r"^\[UNAVAILABLE\]")
        self.assertEqual(client.command("NOOP").status, "OK")
        waypost.wait_for_log(r"backend_failed.*refused")
        waypost.stop()

    def test_t09_wrong_certificate(self):
        """Signed by the right authority for another name, and for the name by another one."""
        stranger = type(self.ground)("waypost-stranger")
        self.addCleanup(stranger.close)
        other_name = self.ground.authority.issue("othername", ["other.backend.example"])
        other_ca = stranger.authority.issue("fake", ["fake.backend.example"])
        for pair in (other_name, other_ca):
            fake = FakeImap(self.ground, certificate=pair)
            self.addCleanup(fake.stop)
            waypost = self.start_waypost({"backends": {"fake": backend(self.ground, fake)},
                                          "routes": [{"to": "fake"}]})
            client = self.connect(waypost)
            reply = client.login(USER, "secret")
            self.assertRegex(reply.text, r"^\[SERVERBUG\]")
            self.assertEqual(client.command("NOOP").status, "OK")
            self.assertEqual(fake.received, [])
            waypost.stop()

    def test_plaintext_server_behind_implicit_tls(self):
        fake = FakeImap(self.ground, tls="none")
        self.addCleanup(fake.stop)
        waypost = self.start_waypost({
            "backends": {"fake": {**backend(self.ground, fake), "tls": "implicit"}},
            "routes": [{"to": "fake"}]})
        reply = self.connect(waypost).login(USER, "secret")
        self.assertRegex(reply.text, r"^\[(UNAVAILABLE|SERVERBUG)\]")
        self.assertFalse(fake.saw(b"secret"))
        waypost.stop()

    def test_t55_logindisabled_stops_before_the_password(self):
        script = Script()
        script.capabilities = b"IMAP4rev1 LOGINDISABLED"
        self.use(script)
        client = self.connect()
        reply = client.login(USER, "secret")
        self.assertRegex(reply.text, r"^\[SERVERBUG\]")
        self.assertFalse(self.fake.saw(b"secret"))
        self.not_a_guess(script, "SERVERBUG")

    def test_t78_imap4rev2_only(self):
        script = Script()
        script.capabilities = b"IMAP4rev2 AUTH=PLAIN SASL-IR"
        script.capabilities_after = b"IMAP4rev2"
        _, reply = self.attempt(script)
        self.assertEqual(reply.status, "OK", reply.all)

    def test_capabilities_are_asked_for_when_the_greeting_has_none(self):
        script = self.greet(b"* OK hello\r\n")
        client, reply = self.attempt(script)
        self.assertEqual(reply.status, "OK", reply.all)
        self.assertEqual(split(self.fake.received[0])[1], "CAPABILITY")
        self.assertEqual(client.command("NOOP").untagged, [])

    def test_t57_every_reply_byte_by_byte(self):
        script = Script()
        script.greeting = b"* OK hello\r\n"
        script.capabilities = b"IMAP4rev1 AUTH=PLAIN"
        serve = script.serve

        def slowly(peer, context):
            peer.dribble()
            serve(peer, context)

        script.serve = slowly
        fresh = self.start_waypost(self.routes())  # one that remembers nothing of this backend
        client, reply = self.attempt(script, client=self.connect(fresh))
        self.assertEqual(reply.status, "OK", reply.all)
        self.assertEqual(client.command("NOOP").status, "OK")
        fresh.stop()

    def test_remembered_capabilities_that_no_longer_hold(self):
        """What was begun on remembered capabilities is finished, whatever the answer says now."""
        for remembered in (b"IMAP4rev1 AUTH=PLAIN LOGINDISABLED", b"IMAP4rev1 AUTH=PLAIN SASL-IR"):
            for true in (b"IMAP4rev1", b"IMAP4rev1 LITERAL+", b"IMAP4rev1 AUTH=PLAIN"):
                for capabilities, greeting in ((remembered, Script.greeting),
                                               (true, b"* OK hello\r\n")):
                    script = Script()
                    script.capabilities, script.greeting = capabilities, greeting
                    _, reply = self.attempt(script)
                    self.assertEqual(reply.status, "OK", (remembered, true, reply.all))

    def test_t57_bare_plus(self):
        script = Script()
        script.capabilities = b"IMAP4rev1 AUTH=PLAIN LOGINDISABLED"

        def do_authenticate(peer, tag, rest, _context):
            self.assertEqual(rest, b"PLAIN")  # t33: no initial response without SASL-IR
            peer.send(b"+\r\n")
            return Script.do_authenticate(script, peer, tag, b"PLAIN " + peer.line()[:-2], None)

        script.do_authenticate = do_authenticate
        _, reply = self.attempt(script)
        self.assertEqual(reply.status, "OK", reply.all)

    def test_t33_initial_response_only_where_advertised(self):
        for advertised in (False, True):
            script = Script()
            script.capabilities = b"IMAP4rev1 AUTH=PLAIN LOGINDISABLED"
            script.capabilities += b" SASL-IR" if advertised else b""
            _, reply = self.attempt(script)
            self.assertEqual(reply.status, "OK", reply.all)
            words = self.fake.received[0].split()
            self.assertEqual(words[1], b"AUTHENTICATE")
            self.assertEqual(len(words) == 4, advertised, words)

    def test_t39_user_name_beyond_ascii(self):
        name = "dörte@example.org"
        for capabilities in (CAPABILITIES, b"IMAP4rev1 AUTH=PLAIN", b"IMAP4rev1 LITERAL+",
                             b"IMAP4rev1"):
            script = Script()
            script.capabilities = capabilities
            self.use(script)
            client = self.connect()
            client.send("a LOGIN {%d+}\r\n%s secret\r\n" % (len(name.encode()), name))
            self.assertEqual(client.reply("a").status, "OK", capabilities)
            self.assertNotIn(b'"' + name.encode(), b"".join(self.fake.received))

    def test_awkward_passwords_arrive_unchanged(self):
        for password in ('p"a\\ss', "with space", "{5}", "NIL", "%*(", "*", "ü"):
            for capabilities in (b"IMAP4rev1", b"IMAP4rev1 LITERAL+", b"IMAP4rev1 LITERAL-",
                                 b"IMAP4rev1 AUTH=PLAIN LOGINDISABLED"):
                script = Script()
                script.capabilities = capabilities
                script.password = password.encode()
                self.use(script)
                client = self.connect()
                raw = password.encode()
                client.send(b"a LOGIN user@example.org {%d+}\r\n%s\r\n" % (len(raw), raw))
                reply = client.reply("a")
                self.assertEqual(reply.status, "OK", (password, capabilities, reply.all))

    def test_t28_own_tags_differ_between_connections(self):
        tags = set()
        for _ in range(4):
            self.attempt(Script())
            tags.add(split(self.fake.received[0])[0])
        self.assertEqual(len(tags), 4)

    def test_t28_a_client_tag_like_the_proxys_own(self):
        self.attempt(Script())
        tag = split(self.fake.received[0])[0].decode()
        self.use(Script())
        client = self.connect()
        self.assertEqual(client.command(f"LOGIN {USER} secret", tag=tag).status, "OK")
        self.assertEqual(client.command("NOOP", tag=tag).status, "OK")


class StartTlsBackend(BackendTest):
    """Backends that Waypost reaches through STARTTLS."""

    tls = "starttls"

    def test_login_after_starttls(self):
        _, reply = self.attempt(self.good())
        self.assertEqual(reply.status, "OK", reply.all)
        verbs = [split(command)[1] for command in self.fake.received]
        self.assertEqual(verbs[0], "STARTTLS")  # t08: nothing is said before it
        self.assertIn("CAPABILITY", verbs)  # t04: asked anew under TLS

    def test_t02_bytes_behind_the_starttls_ok(self):
        """Injected in clear before a handshake that itself is in order."""
        for injected in (b"* CAPABILITY IMAP4rev1\r\n", b"* OK [ALERT] injected\r\n",
                         b"* BYE injected\r\n", b"W1 OK injected\r\n", b"x"):
            script = self.good()

            def do_starttls(peer, tag, _rest, context, injected=injected):
                peer.send(tag + b" OK begin\r\n" + injected)
                peer.encrypt(context)

            script.do_starttls = do_starttls
            client, reply = self.attempt(script)
            self.assertRegex(reply.text, r"^\[SERVERBUG\]")
            self.assertNotIn(b"injected", reply.all)
            self.assertFalse(self.fake.saw(b"secret"))
            self.assertEqual(client.command("NOOP").status, "OK")

    def test_t03_starttls_stripped(self):
        script = Script()
        script.capabilities = b"IMAP4rev1 AUTH=PLAIN"  # and no STARTTLS
        client, reply = self.attempt(script)
        self.assertRegex(reply.text, r"^\[SERVERBUG\]")
        self.assertFalse(self.fake.saw(b"secret"))
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_t03_starttls_stripped_and_refused(self):
        for answer in (b" NO not today\r\n", b" BAD what\r\n"):
            script = self.good()
            script.greeting = b"* OK hello\r\n"
            script.do_starttls = lambda peer, tag, _rest, _context, answer=answer: \
                peer.send(tag + answer)
            _, reply = self.attempt(script)
            self.assertRegex(reply.text, r"^\[SERVERBUG\]")
            self.assertFalse(self.fake.saw(b"secret"))

    def test_t03_an_ok_with_another_tag_is_not_the_ok(self):
        script = self.good()
        script.do_starttls = lambda peer, _tag, _rest, _context: peer.send(b"x1 OK begin\r\n")
        _, reply = self.attempt(script)
        self.assertRegex(reply.text, r"^\[(UNAVAILABLE|SERVERBUG)\]")
        self.assertFalse(self.fake.saw(b"secret"))

    def test_t05_preauth_before_starttls(self):
        script = self.good()
        script.greeting = b"* PREAUTH [CAPABILITY %s] hello\r\n"
        _, reply = self.attempt(script)
        self.assertRegex(reply.text, r"^\[(UNAVAILABLE|SERVERBUG)\]")
        self.assertFalse(self.fake.saw(b"secret"))

    def test_t08_nothing_but_starttls_in_clear(self):
        script = self.good()
        self.attempt(script)
        self.assertEqual(re.findall(rb"(?m)^\S+ (\S+)", self.fake.received[0]), [b"STARTTLS"])


if __name__ == "__main__":
    unittest.main()
