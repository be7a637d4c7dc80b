"""How often Waypost waits for a backend: turns of the dialogue, counted and not timed."""

import base64
import time
import unittest

from tests.support.case import FakeImap, FakeTest, backend
from tests.support.fake_imap import Script, split
from tests.support.sasl import authenticate, xoauth2

USER = "user@example.org"
DELAY = 0.08  # within it all arrives that was sent without waiting
AFTER = b"IMAP4rev1 ENABLE IDLE UIDPLUS"


class Turns(Script):
    """Hears all that was sent in one go, then answers all of it in one go; counts the turns."""

    starttls = False
    reversed_answers = False

    def __init__(self, greeting_with_capabilities=True, after=AFTER):
        if not greeting_with_capabilities:
            self.greeting = b"* OK ready\r\n"
        self.after = after
        self.turns = []  # the verbs of each

    def serve(self, peer, context):
        offered = self.capabilities + (b" STARTTLS" if self.starttls else b"")
        peer.send(self.greeting.replace(b"%s", offered))
        self.turns.clear()
        while True:
            verbs, answers, handshake = [], [], False
            first = peer.command()
            time.sleep(DELAY)
            for command in self.all_waiting(peer, first):
                tag, verb, rest = split(command)
                verbs.append(verb)
                answers.append(self.answer(tag, verb, rest))
                handshake = handshake or verb == "STARTTLS"
            self.turns.append(verbs)
            if self.reversed_answers:
                answers.reverse()
            for answer in answers:
                peer.send(answer)
                time.sleep(DELAY / 8)
            if handshake:
                peer.encrypt(context)
                self.starttls = False

    @staticmethod
    def all_waiting(peer, first):
        """That command and those that have arrived behind it."""
        yield first
        while peer.waiting():
            yield peer.command()

    def answer(self, tag, verb, rest):
        if verb == "CAPABILITY":
            return b"* CAPABILITY " + self.capabilities + b"\r\n" + tag + b" OK done\r\n"
        if verb == "ID":
            return b'* ID ("name" "turns")\r\n' + tag + b" OK ID done\r\n"
        if verb == "AUTHENTICATE":
            return self.verdict(tag, base64.b64decode(rest.split()[1]).split(b"\0")[2])
        return tag + b" OK done\r\n"

    def verdict(self, tag, password):
        if password != self.password:
            return tag + b" NO [AUTHENTICATIONFAILED] no\r\n"
        code = b"[CAPABILITY " + self.after + b"] " if self.after else b""
        return tag + b" OK " + code + b"in\r\n"


class TurnsTest(FakeTest):
    """One Waypost per test, so that it knows nothing yet; identity by ID unless told otherwise."""

    def fresh(self, script, **options):
        """A Waypost that has seen no backend, before this script."""
        self.use(script)
        return self.start_waypost({
            "backends": {"fake": backend(self.ground, self.fake, identity=["id"], **options)},
            "routes": [{"to": "fake"}]})

    def login(self, waypost, password="secret"):
        client = self.connect(waypost)
        return client, client.login(USER, password)

    def turns(self, script, logins=1, **options):
        """What the backend heard in each turn of the last of so many logins."""
        waypost = self.fresh(script, **options)
        for _ in range(logins):
            client, reply = self.login(waypost)
            self.assertEqual(reply.status, "OK", reply.all)
            heard = [list(verbs) for verbs in script.turns]
            client.close()
        return heard


class Pipelining(TurnsTest):
    """`pipelining` saves turns, and changes nothing else."""

    def compare(self, make, waiting, pipelined, **options):
        """The turns with and without, exactly."""
        self.assertEqual(self.turns(make(), pipelining=False, **options), waiting)
        self.assertEqual(self.turns(make(), pipelining=True, **options), pipelined)
        self.assertLess(len(pipelined), len(waiting))

    def test_id_and_login_share_a_turn(self):
        self.compare(Turns, [["ID"], ["AUTHENTICATE"]], [["ID", "AUTHENTICATE"]])

    def test_capabilities_are_heard_before_a_first_login(self):
        """The first login must know what the backend takes; it may not guess."""
        self.compare(lambda: Turns(False), [["CAPABILITY"], ["ID"], ["AUTHENTICATE"]],
                     [["CAPABILITY"], ["ID", "AUTHENTICATE"]])

    def test_a_known_backend_takes_one_turn(self):
        self.compare(lambda: Turns(False), [["CAPABILITY"], ["ID"], ["AUTHENTICATE"]],
                     [["CAPABILITY", "ID", "AUTHENTICATE"]], logins=2)

    def test_capabilities_after_the_login_when_it_shows_none(self):
        self.compare(lambda: Turns(after=b""), [["ID"], ["AUTHENTICATE"], ["CAPABILITY"]],
                     [["ID", "AUTHENTICATE"], ["CAPABILITY"]])

    def test_pipelining_is_the_default(self):
        self.assertEqual(self.turns(Turns()), [["ID", "AUTHENTICATE"]])

    def test_a_wrong_password_is_one_turn_too(self):
        script = Turns()
        client, reply = self.login(self.fresh(script), "wrong")
        self.assertRegex(reply.text, r"^\[AUTHENTICATIONFAILED\]")
        self.assertEqual(script.turns, [["ID", "AUTHENTICATE"]])
        self.assertEqual(client.login(USER, "secret").status, "OK")

    def test_t28_own_tags_stay_inside_in_any_order(self):
        for known in (True, False):
            for after in (AFTER, b""):
                script = Turns(known, after)
                script.reversed_answers = True
                waypost = self.fresh(script)
                for _ in range(2):
                    client, reply = self.login(waypost)
                    self.assertEqual(reply.status, "OK", reply.all)
                    self.assertEqual(reply.untagged, [])
                    reply = client.command("NOOP")
                    self.assertEqual(reply.untagged, [])
                    self.assertNotIn(b"* ID", client.transcript)
                    client.close()

    def test_t74_pipelined_by_the_client_too(self):
        """What the client sends early waits until the last of our own answers is in."""
        script = Turns(False, b"")
        script.reversed_answers = True
        waypost = self.fresh(script)
        self.login(waypost)[0].close()
        client = self.connect(waypost)
        client.send(f"a LOGIN {USER} secret\r\nb NOOP\r\nc NOOP\r\n")
        self.assertEqual(client.reply("a").untagged, [])
        self.assertEqual([client.line(), client.line()], [b"c OK done\r\n", b"b OK done\r\n"])
        self.assertEqual(script.turns[-1], ["NOOP", "NOOP"])

    def test_t55_a_backend_that_changed_its_mind(self):
        """What was known may be wrong by now; the login fails, and the next one knows better."""
        script = Turns(False)
        waypost = self.fresh(script)
        self.login(waypost)[0].close()
        changed = Turns(False)
        changed.capabilities = b"IMAP4rev1 LITERAL+ ID"
        changed.answer = lambda tag, verb, rest: \
            tag + b" NO [CANNOT] no such mechanism\r\n" if verb == "AUTHENTICATE" \
            else changed.verdict(tag, rest.split()[1].strip(b'"')) if verb == "LOGIN" \
            else Turns.answer(changed, tag, verb, rest)
        self.use(changed)
        client, reply = self.login(waypost)
        if reply.status != "OK":
            reply = client.login(USER, "secret")
        self.assertEqual(reply.status, "OK", (reply.all, changed.turns))


class StartTls(TurnsTest):
    """Backends behind STARTTLS."""

    tls = "starttls"

    def script(self):
        script = Turns()
        script.starttls = True
        return script

    def test_t08_t04_nothing_shares_the_turn_of_starttls(self):
        waypost = self.fresh(self.script())
        expected = ([["STARTTLS"], ["CAPABILITY"], ["ID", "AUTHENTICATE"]],
                    [["STARTTLS"], ["CAPABILITY", "ID", "AUTHENTICATE"]])
        for turns in expected:
            script = self.script()
            self.use(script)
            client, reply = self.login(waypost)
            self.assertEqual(reply.status, "OK", reply.all)
            self.assertEqual(script.turns, turns)
            client.close()


class InClear(TurnsTest):
    """Backends without TLS, whose capabilities could be anybody's."""

    def test_t55_what_is_remembered_is_not_trusted(self):
        fake = FakeImap(self.ground, Turns(False), tls="none")
        self.addCleanup(fake.stop)
        waypost = self.start_waypost({
            "backends": {"fake": {"address": fake.address, "tls": "none", "identity": ["id"]}},
            "routes": [{"to": "fake"}]})
        for _ in range(2):
            client, reply = self.login(waypost)
            self.assertEqual(reply.status, "OK", reply.all)
            self.assertEqual(fake.script.turns, [["CAPABILITY"], ["ID", "AUTHENTICATE"]])
            client.close()


class LongTokens(FakeTest):
    """Tokens longer than any command line."""

    settings = {"auth": {"mechanisms": ["PLAIN", "XOAUTH2"]}}

    @classmethod
    def routes(cls):
        entry = backend(cls.ground, cls.fake, mechanisms=["PLAIN", "XOAUTH2"])
        return {"backends": {"fake": entry}, "routes": [{"to": "fake"}]}

    def test_t25_arrive_whole(self):
        for initial in (True, False):
            for direct in (True, False):
                script = Script()
                script.capabilities = b"IMAP4rev1 AUTH=XOAUTH2" + (b" SASL-IR" if direct else b"")
                heard = []

                def do_authenticate(peer, tag, rest, _context, script=script, heard=heard):
                    message = rest.partition(b" ")[2]
                    if not message:
                        peer.send(b"+ \r\n")
                        message = peer.line()[:-2]
                    heard.append(base64.b64decode(message))
                    return script.accept(peer, tag)

                script.do_authenticate = do_authenticate
                self.use(script)
                message = xoauth2(USER, "t" * 40000)
                reply = authenticate(self.connect(), "XOAUTH2", message, initial)
                self.assertEqual(reply.status, "OK", reply.all)
                self.assertTrue(heard == [message], len(heard[0]))


class AfterLogin(FakeTest):
    """What a backend that grants more than a proxy can carry may not do."""

    def test_t63_capabilities_after_enable_are_filtered(self):
        script = Script()
        script.do_enable = lambda peer, tag, rest, _context: peer.send(
            b"* ENABLED " + rest + b"\r\n* CAPABILITY IMAP4rev1 IMAP4rev2 AUTH=PLAIN UNAUTHENTICATE"
            b" STARTTLS IDLE\r\n" + tag + b" OK [CAPABILITY IMAP4rev2 LOGINDISABLED UNAUTHENTICATE"
            b" IDLE] enabled\r\n")
        client = self.logged_in(script)
        reply = client.command("ENABLE IMAP4rev2")
        self.assertEqual(reply.untagged, [b"* ENABLED IMAP4rev2\r\n",
                                          b"* CAPABILITY IMAP4rev1 IMAP4rev2 IDLE\r\n"])
        self.assertEqual(reply.text, "[CAPABILITY IMAP4rev2 IDLE] enabled")

    def test_t65_unauthenticate_is_refused_even_where_it_is_offered(self):
        script = Script()
        script.capabilities_after = b"IMAP4rev1 UNAUTHENTICATE"
        script.do_unauthenticate = lambda peer, tag, _rest, _context: peer.send(
            tag + b" OK you are nobody\r\n")
        client = self.logged_in(script)
        self.assertNotIn(b"UNAUTHENTICATE", client.transcript)
        client.send("a NOOP\r\nb UNAUTHENTICATE\r\nc AUTHENTICATE PLAIN AGEAYg==\r\nd NOOP\r\n")
        self.assertEqual({tuple(client.line().split()[:2]) for _ in range(4)},
                         {(b"a", b"OK"), (b"b", b"BAD"), (b"c", b"BAD"), (b"d", b"OK")})
        self.assertFalse(self.fake.saw(b"UNAUTHENTICATE"))
        self.assertFalse(self.fake.saw(b"AGEAYg=="))
        self.waypost.wait_for_log(r"event=command_refused .*user=user@example.org")


if __name__ == "__main__":
    unittest.main()
