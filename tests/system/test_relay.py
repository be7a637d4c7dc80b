"""The logged-in session: framing, back-pressure, farewells, and what may not pass."""

import hashlib
import os
import signal
import socket
import threading
import time
import unittest

from tests.support.case import BINARY, FakeTest
from tests.support.client import Closed
from tests.support.duplex import duplex
from tests.support.fake_imap import Script

from playground import wait_until  # pylint: disable=wrong-import-order

MEBI = 1024 * 1024
BLOCK = bytes(range(256)) * 256  # 64 KiB, all byte values


class Talkative(Script):
    """Understands a few commands that send more than a line."""

    def do_fetch(self, peer, tag, rest, _context):
        """FETCH n: one message of n blocks of 64 KiB."""
        blocks = int(rest)
        peer.send(b"* 1 FETCH (BODY[] {%d}\r\n" % (blocks * len(BLOCK)))
        for _ in range(blocks):
            peer.send(BLOCK)
        peer.send(b")\r\n" + tag + b" OK done\r\n")

    def do_append(self, peer, tag, _rest, _context):
        peer.send(tag + b" OK %d bytes\r\n" % len(peer.received[-1]))

    def do_break(self, peer, _tag, rest, _context):
        """BREAK what: leaves in the middle of something."""
        what = {b"line": b"* 7 FET", b"literal": b"* 7 FETCH (BODY[] {1000}\r\nhalf",
                b"reply": b"* 7 FETCH (BODY[] {4}\r\nfull", b"boundary": b"* 7 EXISTS\r\n",
                b"politely": b"* BYE too late\r\n"}
        peer.send(what[rest])
        return True

    def do_idle(self, peer, tag, _rest, _context):
        peer.send(b"+ idling\r\n* 1 EXISTS\r\n")
        if peer.line() != b"DONE\r\n":
            peer.send(b"* BYE confused\r\n")
            return True
        peer.send(b"* 2 EXISTS\r\n" + tag + b" OK done\r\n")
        return False


class Relay(FakeTest):
    """A session with the talkative fake."""

    def setUp(self):
        self.use(Talkative())

    def test_t65_commands_that_would_change_the_user_do_not_pass(self):
        client = self.logged_in()
        before = len(self.fake.received)
        for command in ("UNAUTHENTICATE", "unauthenticate", "AUTHENTICATE PLAIN",
                        "AUTHENTICATE PLAIN AGEAYg==", "STARTTLS"):
            self.assertEqual(client.command(command).status, "BAD", command)
        self.assertEqual(client.command("NOOP").status, "OK")
        self.assertEqual(len(self.fake.received), before + 1)  # the NOOP alone

    def test_t65_pipelined_and_split(self):
        client = self.logged_in()
        for byte in b"a NOOP\r\nb UNAUTHENTICATE\r\nc NOOP\r\n":
            client.send(bytes([byte]))
        seen = client.reply("a").all + client.reply("c").all + client.command("NOOP").all
        for reply in (b"a OK", b"b BAD", b"c OK"):
            self.assertIn(reply, seen)
        self.assertNotIn(b"UNAUTHENTICATE", b"".join(self.fake.received))

    def test_t26_framing_that_backends_could_read_differently_ends_the_session(self):
        for doubtful in (b'a X "{16+}\r\n', b"a X {16+}\n"):
            client = self.logged_in()
            client.send(doubtful + b"b UNAUTHENTICATE\r\n")
            client.rest()
            self.assertNotIn(b"UNAUTHENTICATE", b"".join(self.fake.received))

    def test_t26_a_literal_in_an_odd_place_carries_nothing_past(self):
        client = self.logged_in()
        client.send(b"a X-{18+}\r\nb UNAUTHENTICATE\r\n\r\nc NOOP\r\n")
        try:
            client.reply("c")
        except Closed:
            pass
        self.assertNotIn(b"UNAUTHENTICATE", b"".join(self.fake.received))

    def test_words_inside_literals_are_data(self):
        client = self.logged_in()
        inside = b"x UNAUTHENTICATE\r\n* BYE\r\ny STARTTLS\r\n"
        client.send(b"a APPEND INBOX {%d}\r\n" % len(inside))
        self.assertTrue(client.line().startswith(b"+ "))
        client.send(inside + b"\r\n")
        self.assertEqual(client.reply("a").status, "OK")
        self.assertIn(inside, self.fake.received[-1])

    def test_t66_no_bye_inside_a_literal_or_line(self):
        for what, last in (("literal", b"half"), ("line", b"* 7 FET"), ("reply", b"full")):
            client = self.logged_in()
            client.send(f"a BREAK {what}\r\n")
            seen = client.rest()
            self.assertTrue(seen.endswith(last), seen)
            self.assertNotIn(b"BYE", seen)

    def test_t67_idle_and_done(self):
        client = self.logged_in()
        for tag in ("i1", "i2"):
            client.send(f"{tag} IDLE\r\n")
            self.assertTrue(client.line().startswith(b"+ "))
            self.assertEqual(client.line(), b"* 1 EXISTS\r\n")
            client.send("DONE\r\n")
            reply = client.reply(tag)
            self.assertEqual((reply.status, reply.untagged), ("OK", [b"* 2 EXISTS\r\n"]))
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_t67_idle_pipelined_with_done_and_more(self):
        client = self.logged_in()
        client.send("i IDLE\r\nDONE\r\nj NOOP\r\n")
        self.assertEqual(client.reply("i").status, "OK")
        self.assertEqual(client.reply("j").status, "OK")

    def assert_small(self, grown, limit):
        """Memory is judged in release only: sanitizers keep what is freed."""
        if os.path.basename(os.path.dirname(BINARY)) == "release":
            self.assertLess(grown, limit)

    def test_t69_a_client_that_stops_reading_costs_no_memory(self):
        client = self.logged_in(receive_buffer=65536, timeout=30)
        peer = self.fake.peers[-1]
        before = resident(self.waypost.pid)
        blocks = 64 * MEBI // len(BLOCK)
        client.send(f"a FETCH {blocks}\r\n")
        stalled = wait_until_still(lambda: peer.sent)
        self.assertLess(stalled, 32 * MEBI)
        self.assert_small(resident(self.waypost.pid) - before, 4 * MEBI)
        other = self.logged_in()
        self.assertEqual(other.command("NOOP").status, "OK")
        digest = hashlib.sha256()
        self.assertEqual(client._until_line_end(),  # pylint: disable=protected-access
                         b"* 1 FETCH (BODY[] {%d}\r\n" % (blocks * len(BLOCK)))
        for _ in range(blocks):
            digest.update(client.read(len(BLOCK)))
        self.assertEqual(digest.digest(), hashlib.sha256(BLOCK * blocks).digest())
        self.assertEqual(client.line(), b")\r\n")
        self.assertEqual(client.reply("a").status, "OK")
        self.assert_small(resident(self.waypost.pid) - before, 8 * MEBI)

    def test_t69_a_backend_that_stops_reading_costs_no_memory(self):
        go_on = threading.Event()
        script = Talkative()

        def do_sleep(peer, tag, _rest, _context):
            go_on.wait(20)
            peer.send(tag + b" OK awake\r\n")

        script.do_sleep = do_sleep
        client = self.logged_in(script, timeout=30)
        before = resident(self.waypost.pid)
        client.send("a SLEEP\r\n")
        sent = [0]

        def push():
            client.send(b"b APPEND INBOX {%d+}\r\n" % (32 * MEBI))
            for _ in range(32 * MEBI // len(BLOCK)):
                client.send(BLOCK)
                sent[0] += len(BLOCK)
            client.send(b"\r\n")

        pusher = threading.Thread(target=push)
        pusher.start()
        self.addCleanup(pusher.join, 20)
        self.addCleanup(go_on.set)
        self.assertLess(wait_until_still(lambda: sent[0]), 24 * MEBI)
        self.assert_small(resident(self.waypost.pid) - before, 4 * MEBI)
        go_on.set()
        pusher.join(20)
        self.assertEqual(client.reply("a").status, "OK")
        reply = client.reply("b")
        self.assertEqual(reply.status, "OK")
        self.assertGreater(int(reply.text.split()[0]), 32 * MEBI)

    def test_t70_both_directions_at_once(self):
        """Each side sends far more than all buffers hold, and reads only as it goes along."""
        line = b"n " + b"x" * 1020 + b"\r\n"
        lines = line * (8 * MEBI // len(line))
        message = b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(lines), lines)
        script = Talkative()

        def do_both(peer, tag, _rest, _context):
            duplex(peer.socket, message, lambda got: len(got) >= len(lines))
            peer.send(tag + b" OK both\r\n")

        script.do_both = do_both
        client = self.logged_in(script, timeout=30)
        client.send("a BOTH\r\n")
        wait_until(lambda: any(b"BOTH" in line for line in self.fake.received), "command arrived")
        seen = duplex(client.socket, lines, lambda got: got.endswith(b"a OK both\r\n"))
        self.assertEqual(seen, message + b"a OK both\r\n")

    def test_t71_half_close_still_gets_the_answer(self):
        client = self.logged_in()
        client.send("a FETCH 16\r\n")
        with socket.socket(fileno=os.dup(client.socket.fileno())) as bare:
            bare.shutdown(socket.SHUT_WR)
        reply = client.reply("a")
        self.assertEqual(reply.status, "OK")
        client.rest()

    def test_t72_backend_that_goes_is_announced(self):
        client = self.logged_in()
        client.send("a BREAK boundary\r\n")
        seen = client.rest()
        self.assertRegex(seen, rb"^\* 7 EXISTS\r\n\* BYE [^\r\n]+\r\n$")
        self.waypost.wait_for_log(r"reason=backend_closed")

    def test_t72_the_backends_own_bye_is_the_only_one(self):
        client = self.logged_in()
        client.send("a BREAK politely\r\n")
        self.assertEqual(client.rest(), b"* BYE too late\r\n")

    def test_t72_backend_that_dies_is_announced(self):
        client = self.logged_in()
        self.fake.kill()
        self.assertRegex(client.rest(), rb"^\* BYE [^\r\n]+\r\n$")

    def test_t72_during_idle(self):
        client = self.logged_in()
        client.send("i IDLE\r\n")
        self.assertTrue(client.line().startswith(b"+ "))
        self.assertEqual(client.line(), b"* 1 EXISTS\r\n")
        self.fake.kill()
        self.assertRegex(client.rest(), rb"^\* BYE [^\r\n]+\r\n$")

    def test_t73_logout_is_relayed_with_one_bye(self):
        client = self.logged_in()
        before = len(self.waypost.log())
        client.send("a LOGOUT\r\n")
        self.assertEqual(client.rest(), b"* BYE leaving\r\na OK done\r\n")
        self.waypost.wait_for_log(r"reason=logout", after=before)

    def test_t44_logout_after_login_pipelined(self):
        client = self.connect()
        client.send("a LOGIN user@example.org secret\r\nb LOGOUT\r\n")
        seen = client.rest()
        self.assertIn(b"b OK", seen)
        self.assertEqual(seen.count(b"* BYE"), 1)

    def test_a_reply_byte_by_byte(self):
        script = Talkative()

        def do_dribble(peer, tag, _rest, _context):
            peer.dribble()
            peer.send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN IDLE] x\r\n"
                      b'* LIST () "/" {3}\r\na b\r\n' + tag + b" OK done\r\n")

        script.do_dribble = do_dribble
        reply = self.logged_in(script).command("DRIBBLE")
        self.assertEqual(reply.untagged[0], b"* OK [CAPABILITY IMAP4rev1 IDLE] x\r\n")
        self.assertEqual(reply.untagged[1], b'* LIST () "/" {3}\r\na b\r\n')

    def test_the_backend_hears_when_the_client_goes(self):
        client = self.logged_in()
        peer = self.fake.peers[-1]
        client.close()
        wait_until(lambda: peer.socket.fileno() == -1, "the backend's end was closed")

    def test_stopped_backend_reads_nothing_twice(self):
        """A command sent after the backend went is answered by BYE, never silently lost."""
        client = self.logged_in()
        self.fake.kill()
        try:
            client.send("a NOOP\r\n")
        except OSError:
            pass
        self.assertIn(b"* BYE ", client.rest())


class Shutdown(FakeTest):
    """SIGTERM while sessions are in every state."""

    def setUp(self):
        self.use(Talkative())
        self.own = self.start_waypost(self.routes(), {"timeouts": {"drain": "4s"}})
        self.addCleanup(self.own.stop)

    def session(self):
        client = self.connect(self.own)
        self.assertEqual(client.login("user@example.org", "secret").status, "OK")
        return client

    def test_bye_to_everybody_and_a_clean_end(self):
        relaying, idling, waiting = self.session(), self.session(), self.connect(self.own)
        idling.send("i IDLE\r\n")
        idling.line()
        idling.line()
        began = time.monotonic()
        self.own.signal(signal.SIGTERM)
        for client in (relaying, idling, waiting):
            self.assertRegex(client.rest(), rb"^\* BYE [^\r\n]+\r\n$")
        self.assertLess(time.monotonic() - began, 1)  # nobody had to be waited for
        self.assertEqual(self.own.wait(), 0)

    def test_a_command_in_progress_is_answered_first(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        script = Talkative()

        def do_slow(peer, tag, _rest, _context):
            peer.send(b"* 1 EXISTS\r\n")
            go_on.wait(10)
            peer.send(tag + b" OK at last\r\n")

        script.do_slow = do_slow
        self.use(script)
        client = self.session()
        client.send("a SLOW\r\n")
        self.assertEqual(client.line(), b"* 1 EXISTS\r\n")
        self.own.signal(signal.SIGTERM)
        self.assertTrue(client.silent(0.5))
        go_on.set()
        self.assertEqual(client.line(), b"a OK at last\r\n")
        self.assertRegex(client.rest(), rb"^\* BYE [^\r\n]+\r\n$")
        self.assertEqual(self.own.wait(), 0)

    def test_a_transfer_in_progress_is_not_torn(self):
        client = self.session()
        client.socket.settimeout(20)
        client.send("a FETCH 64\r\n")
        client._until_line_end()  # pylint: disable=protected-access
        self.own.signal(signal.SIGTERM)
        time.sleep(0.2)
        for _ in range(64):
            self.assertEqual(client.read(len(BLOCK)), BLOCK)
        self.assertEqual(client.line(), b")\r\n")
        self.assertEqual(client.reply("a").status, "OK")
        self.assertRegex(client.rest(), rb"^\* BYE [^\r\n]+\r\n$")
        self.assertEqual(self.own.wait(), 0)

    def test_who_does_not_read_does_not_hold_up_the_end(self):
        client = self.session()
        client.send("a FETCH 512\r\n")
        began = time.monotonic()
        self.own.signal(signal.SIGTERM)
        self.assertEqual(self.own.wait(15), 0)
        self.assertLess(time.monotonic() - began, 10)

    def test_new_connections_are_refused_while_draining(self):
        client = self.session()
        client.send("a FETCH 512\r\n")
        self.own.signal(signal.SIGTERM)
        self.own.wait_for_log(r"(?i)shut|drain|stop")
        with self.assertRaises((OSError, Closed)):
            self.connect(self.own)


def resident(pid):
    """Bytes of memory that are the process's own."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("no RssAnon")


def wait_until_still(value, seconds=0.7, timeout=20):
    """Waits until value() has not changed for that long, and returns it."""
    deadline = time.monotonic() + timeout
    last, since = value(), time.monotonic()
    while time.monotonic() - since < seconds or last == 0:
        time.sleep(0.05)
        now = value()
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() > deadline:
            raise TimeoutError("still moving")
    return last


if __name__ == "__main__":
    unittest.main()
