"""The backend's verdict on a login: codes, alerts, literals, closing, and whom to believe."""

import unittest

from tests.support.case import FakeImap
from tests.support.fake_imap import Script, split
from tests.system.test_backend_login import USER, BackendTest

from playground import wait_until  # pylint: disable=wrong-import-order


def answering(reply, close=False):
    """A script that answers any login with these bytes (%t is the tag)."""
    script = Script()

    def judge(peer, tag, _password):
        peer.send(reply.replace(b"%t", tag))
        return close

    script.judge = judge
    return script


class Verdicts(BackendTest):
    """One fake backend; the reply to the login varies."""

    def test_t47_bye_and_close_instead_of_a_verdict(self):
        self.refused(answering(b"* BYE shutting down\r\n", close=True), "UNAVAILABLE")
        self.not_a_guess(answering(b"* BYE shutting down\r\n", close=True), "UNAVAILABLE")

    def test_t47_close_instead_of_a_verdict(self):
        self.refused(answering(b"", close=True), "UNAVAILABLE")
        self.refused(answering(b"* OK half a li", close=True), "UNAVAILABLE")

    def test_silence_instead_of_a_verdict(self):
        self.refused(answering(b"* OK working on it\r\n"), "UNAVAILABLE")

    def test_the_backend_hears_when_the_client_goes_before_the_verdict(self):
        self.use(answering(b""))
        client = self.connect()
        client.send(f"a LOGIN {USER} secret\r\n")
        wait_until(lambda: self.fake.saw(b"secret"), "the login arrived")
        peer = self.fake.peers[-1]
        client.close()
        wait_until(lambda: peer.socket.fileno() == -1, "the backend's end was closed", 0.9)

    def test_t48_alerts_before_the_verdict_reach_the_client_in_order(self):
        script = answering(b"* OK [ALERT] disk almost full\r\n* NO [ALERT] quota exceeded\r\n"
                           b"%t OK [CAPABILITY IMAP4rev1] in\r\n")
        _, reply = self.attempt(script)
        self.assertEqual(reply.status, "OK")
        self.assertEqual(reply.untagged, [b"* OK [ALERT] disk almost full\r\n",
                                          b"* NO [ALERT] quota exceeded\r\n"])

    def test_t48_alerts_of_an_unprotected_backend_are_dropped(self):
        fake = FakeImap(self.ground, tls="none", script=answering(
            b"* OK [ALERT] click here\r\n%t OK [CAPABILITY IMAP4rev1] in\r\n"))
        self.addCleanup(fake.stop)
        waypost = self.start_waypost({
            "backends": {"fake": {"address": fake.address, "tls": "none"}},
            "routes": [{"to": "fake"}]})
        reply = self.connect(waypost).login(USER, "secret")
        self.assertEqual(reply.status, "OK", reply.all)
        self.assertNotIn(b"click here", reply.all)
        waypost.stop()

    def test_t49_a_literal_in_an_untagged_reply_is_framed(self):
        inner = b"%t OK injected\r\n"
        script = Script()

        def judge(peer, tag, _password):
            inside = inner.replace(b"%t", tag)
            peer.send(b'* ID ("name" {%d}\r\n%s)\r\n' % (len(inside), inside)
                      + tag + b" NO [AUTHENTICATIONFAILED] no\r\n")

        script.judge = judge
        _, reply = self.attempt(script)
        self.assertEqual(reply.status, "NO", reply.all)
        self.assertNotIn(b"injected", reply.all)

    def test_t50_bad_is_not_a_wrong_password(self):
        self.refused(answering(b"%t BAD syntax\r\n"), "(SERVERBUG|UNAVAILABLE)")
        self.not_a_guess(answering(b"%t BAD syntax\r\n"), "(SERVERBUG|UNAVAILABLE)")

    def test_t51_codes_that_are_no_guesses(self):
        for code, shown in ((b"UNAVAILABLE", "UNAVAILABLE"), (b"INUSE", "INUSE"),
                            (b"LIMIT", "LIMIT"), (b"SERVERBUG", "SERVERBUG"),
                            (b"CONTACTADMIN", "CONTACTADMIN"), (b"EXPIRED", "EXPIRED"),
                            (b"PRIVACYREQUIRED", "(PRIVACYREQUIRED|SERVERBUG)")):
            reply = self.not_a_guess(answering(b"%t NO [" + code + b"] see the help desk\r\n"),
                                     shown)
            self.assertEqual(reply.status, "NO")

    def test_t51_only_authenticationfailed_and_no_code_are_guesses(self):
        for answer in (b"%t NO [AUTHENTICATIONFAILED] no\r\n", b"%t NO no\r\n"):
            self.use(answering(answer))
            client = self.connect()
            for _ in range(3):
                self.assertEqual(client.login(USER, "x").text,
                                 "[AUTHENTICATIONFAILED] Authentication failed.")
            self.assertIn(b"* BYE ", client.rest())

    def test_t52_the_backends_wording_stays_inside(self):
        for answer in (b"%t NO [AUTHENTICATIONFAILED] user unknown\r\n", b"%t NO no such user\r\n"):
            _, reply = self.attempt(answering(answer))
            self.assertEqual(reply.text, "[AUTHENTICATIONFAILED] Authentication failed.")

    def test_t53_referrals_go_nowhere(self):
        for answer in (b"%t NO [REFERRAL imap://evil.example/] go there\r\n",
                       b"%t OK [REFERRAL imap://evil.example/] better there\r\n",
                       b"* OK [REFERRAL imap://evil.example/] x\r\n%t NO [AUTHENTICATIONFAILED]"
                       b" x\r\n"):
            _, reply = self.attempt(answering(answer))
            self.assertNotIn(b"evil", reply.all)
            self.assertNotIn(b"REFERRAL", reply.all)

    def test_t58_a_judged_password_is_tried_once(self):
        for answer in (b"%t NO [AUTHENTICATIONFAILED] no\r\n", b"%t NO no\r\n", b"%t BAD no\r\n",
                       b"%t NO [EXPIRED] no\r\n"):
            _, reply = self.attempt(answering(answer))
            self.assertEqual(reply.status, "NO", reply.all)
            self.assertEqual(len(self.fake.peers), 1, answer)

    def test_t61_the_tagged_ok_is_the_clients(self):
        self.use(Script())
        client = self.connect()
        client.send(f"My.Tag-7 LOGIN {USER} secret\r\n")
        reply = client.reply("My.Tag-7")
        self.assertEqual(reply.status, "OK")
        self.assertEqual(reply.untagged, [])
        self.assertRegex(reply.text, r"^\[CAPABILITY IMAP4rev1 [^]]*UIDPLUS[^]]*\] ")

    def test_t61_untagged_for_clients_that_asked(self):
        self.use(Script())
        client = self.connect()
        client.command("CAPABILITY")
        reply = client.login(USER, "secret")
        self.assertEqual(len(reply.untagged), 1, reply.all)
        self.assertRegex(reply.untagged[0], rb"^\* CAPABILITY IMAP4rev1 .*UIDPLUS")
        self.assertNotIn("[CAPABILITY", reply.text)

    def test_t61_capabilities_are_fetched_when_the_verdict_has_none(self):
        _, reply = self.attempt(answering(b"%t OK in\r\n"))
        self.assertIn("[CAPABILITY ", reply.text)
        client, reply = self.attempt(answering(b"* CAPABILITY IMAP4rev1 X1\r\n%t OK in\r\n"))
        self.assertRegex(reply.text, r"^\[CAPABILITY IMAP4rev1 X1\]")
        self.assertEqual(client.command("NOOP").untagged, [])

    def test_t63_capabilities_a_proxy_cannot_carry_are_hidden(self):
        hidden = (b"STARTTLS AUTH=PLAIN AUTH=GSSAPI SASL-IR LOGINDISABLED LOGIN-REFERRALS"
                  b" UNAUTHENTICATE")
        script = Script()
        script.capabilities_after = b"IMAP4rev1 " + hidden + b" IDLE"
        client, reply = self.attempt(script)
        script.capabilities = script.capabilities_after
        seen = [reply.all, client.command("CAPABILITY").all]
        script.do_noop = lambda peer, tag, _rest, _context: peer.send(
            b"* OK [CAPABILITY IMAP4rev1 " + hidden + b" IDLE] changed\r\n" + tag + b" OK done\r\n")
        seen.append(client.command("NOOP").all)
        for shown in seen:
            self.assertIn(b"IDLE", shown)
            for word in hidden.split():
                self.assertNotIn(word, shown)

    def test_t74_replies_to_the_proxys_own_commands_never_leak(self):
        script = Script()
        script.greeting = b"* OK hello\r\n"
        script.before_tagged = b"* 3 EXISTS\r\nzz OK stray\r\n"
        client, reply = self.attempt(script)
        own = {split(command)[0] for command in self.fake.received}
        lines = reply.untagged + client.command("NOOP").untagged
        self.assertEqual([line for line in lines if line.split()[0] in own | {b"zz"}], [])

    def test_t75_data_right_behind_the_verdict_arrives_in_order(self):
        client, reply = self.attempt(answering(
            b"%t OK [CAPABILITY IMAP4rev1] in\r\n* 5 EXISTS\r\n* OK hello\r\n"))
        self.assertEqual(reply.status, "OK")
        self.assertEqual(client.line(), b"* 5 EXISTS\r\n")
        self.assertEqual(client.line(), b"* OK hello\r\n")

    def test_t75_with_what_the_client_pipelined(self):
        self.use(answering(b"%t OK [CAPABILITY IMAP4rev1] in\r\n* 5 EXISTS\r\n"))
        client = self.connect()
        client.send(f"a LOGIN {USER} secret\r\nb NOOP\r\n")
        self.assertEqual(client.reply("a").status, "OK")
        reply = client.reply("b")
        self.assertEqual(reply.untagged, [b"* 5 EXISTS\r\n"])
        self.assertEqual(reply.status, "OK")

    def test_t56_id_is_never_in_the_way(self):
        fake = FakeImap(self.ground, tls="none")
        self.addCleanup(fake.stop)
        waypost = self.start_waypost({
            "backends": {"fake": {"address": fake.address, "tls": "none", "identity": ["id"]}},
            "routes": [{"to": "fake"}]})
        for answer, wanted in ((b"%t BAD no ID here\r\n", "OK"), (b"%t NO later\r\n", "OK"),
                               (b"* BYE Unknown command.\r\n", "NO")):
            fake.script = script = Script()
            script.do_id = lambda peer, tag, _rest, _context, answer=answer: \
                peer.send(answer.replace(b"%t", tag))
            reply = self.connect(waypost).login(USER, "secret")
            self.assertEqual(reply.status, wanted, reply.all)
        self.assertTrue(fake.saw(b"x-originating-ip"))
        waypost.stop()


if __name__ == "__main__":
    unittest.main()
