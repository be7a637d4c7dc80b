"""`status`, `who` and `kick` over the control socket, across workers."""

import contextlib

from tests.support.case import backend
from tests.support.control import Control, ControlTest
from tests.support.fake_imap import FakeImap, Script

from playground import wait_until  # pylint: disable=wrong-import-order


class Lively(Script):
    """IDLE, and a SEARCH that takes for ever."""

    def do_idle(self, peer, tag, _rest, _context):
        peer.send(b"+ idling\r\n")
        peer.line()
        peer.send(tag + b" OK done\r\n")

    def do_search(self, _peer, _tag, _rest, _context):
        """Leaves it unanswered."""


class Sessions(ControlTest):
    """Two backends, and users at both."""

    names = ["ann@example.org", "bob@example.org", "bert@example.net"]

    @classmethod
    def routes(cls):
        cls.other = FakeImap(cls.ground, tls=cls.tls)
        cls.addClassCleanup(cls.other.stop)
        return {"normalize": {"lowercase": True, "default_domain": "example.org"},
                "backends": {"fake": backend(cls.ground, cls.fake),
                             "other": backend(cls.ground, cls.other)},
                "routes": [{"users": {"bert@example.net": {"to": "other", "login_as": "b"}}},
                           {"to": "fake"}]}

    def setUp(self):
        super().setUp()
        self.ask("kick", all=True)
        wait_until(lambda: self.ask("who")[0] == [], "everybody has gone")
        self.clients = self.crowd(self.names * 8)

    def good(self):
        return Lively()

    def users(self, **filters):
        items, last = self.ask("who", **filters)
        self.assertEqual(last, {"sessions": len(items), "done": True})
        return sorted(item["user"] for item in items)

    def test_who_lists_the_sessions_of_all_workers(self):
        self.assertEqual(self.users(), sorted(self.names * 8))
        items, _ = self.ask("who", user="bert@example.net")
        for item in items:
            self.assertEqual(item["login"], "b")
            self.assertEqual(item["backend"], "other")
            self.assertEqual(item["listener"], "imaps")
            self.assertEqual(item["phase"], "RELAY")
            self.assertEqual(item["tls"], "TLSv1.3")
            self.assertTrue(item["client"].startswith("127.0.0.1:"))
            self.assertIs(item["idle"], True)
            self.assertGreaterEqual(item["age_ms"], item["silent_ms"])
        self.assertEqual(len({item["sid"] for item in items}), 8)
        ports = {int(item["client"].split(":")[1]) for item in items}
        self.assertEqual(ports, {client.socket.getsockname()[1] for client in self.clients[2::3]})

    def test_bytes_and_running_commands_are_shown(self):
        idling, busy = self.clients[:2]
        idling.send("x IDLE\r\n")
        self.assertTrue(idling.line().startswith(b"+"))
        busy.send("x SEARCH ALL\r\n")
        wait_until(lambda: self.seen(busy)["idle"] is False, "a command is under way")
        self.assertIs(self.seen(idling)["idle"], True, "IDLE is idle")
        self.assertEqual(self.seen(idling)["bytes_to_backend"], len("x IDLE\r\n"))
        self.assertEqual(self.seen(idling)["bytes_to_client"], len("+ idling\r\n"))

    def seen(self, client):
        """How `who` shows it."""
        port = client.socket.getsockname()[1]
        item, = [item for item in self.ask("who")[0] if item["client"].endswith(f":{port}")]
        return item

    def test_filters(self):
        ann, bob, bert = ([name] * 8 for name in self.names)
        for filters, expected in (
                ({"user": "ann@example.org"}, ann),
                ({"user": "ANN"}, ann),  # as a login of that name would be understood
                ({"user": "b*"}, bert + bob),
                ({"user": "*@example.org"}, ann + bob),
                ({"user": "*e*"}, ann + bert + bob),
                ({"user": "*"}, ann + bert + bob),
                ({"user": "zoe"}, []),
                ({"backend": "other"}, bert),
                ({"client": "127.0.0.1"}, ann + bert + bob),
                ({"client": "127.0.0.0/8"}, ann + bert + bob),
                ({"client": "2001:db8::/32"}, []),
                ({"client": "127.0.0.0/8", "backend": "fake", "user": "b*"}, bob)):
            self.assertEqual(self.users(**filters), sorted(expected), filters)

    def test_an_early_connection_is_nobodys(self):
        early = self.connect()
        anonymous = [item for item in self.ask("who")[0] if item["user"] is None]
        self.assertEqual([item["phase"] for item in anonymous], ["COMMAND"])
        self.assertIsNone(anonymous[0]["backend"])
        self.assertEqual(self.users(user="*"), sorted(self.names * 8))
        early.close()

    def test_kick_reaches_every_worker_and_nobody_else(self):
        self.assertEqual(self.ask("kick", user="bob@example.org"), ([], {"kicked": 8, "done": True}))
        for number, client in enumerate(self.clients):
            if self.names[number % 3] == "bob@example.org":
                self.assertIn(b"* BYE Disconnected by the administrator.", client.rest())
            else:
                self.assertEqual(client.command("NOOP").status, "OK")
        self.assertEqual(self.ask("kick", backend="other")[1]["kicked"], 8)
        self.assertEqual(self.ask("kick", client="127.0.0.0/8")[1]["kicked"], 8)
        wait_until(lambda: self.users() == [], "everybody has gone")

    def test_kick_goes_on_without_the_one_who_asked(self):
        with Control(self.waypost.control) as control:
            control.send('{"command":"kick","all":true}\n')
        for client in self.clients:
            self.assertIn(b"* BYE", client.rest())

    def test_status_counts(self):
        backends, process = self.ask("status")
        self.assertEqual([item["backend"] for item in backends], ["fake", "other"])
        self.assertEqual(process["sessions_relaying"], 24)
        self.assertEqual(process["workers"], 2)
        self.assertEqual(process["pid"], self.waypost.pid)
        self.assertIs(process["leaving"], False)
        self.assertEqual(process["configuration"], self.waypost.path)
        for item in backends:
            self.assertEqual(item["state"], "up")
            self.assertGreaterEqual(item["logins_succeeded"], 8)
            self.assertEqual(item["logins_refused"], 0)


class Thousands(ControlTest):
    """More sessions than one round looks at."""

    settings = {"workers": 2, "limits": {
        "sessions": 2000, "unauthenticated_per_address": 0}}
    count = 1500

    def test_a_long_list_comes_whole_and_stops_nobody(self):
        with contextlib.ExitStack() as stack:
            for _ in range(self.count):
                client = self.connect_clear(greeting=False)
                stack.callback(client.close)
            wait_until(lambda: self.ask("status")[1]["sessions_open"] >= self.count, "all are there")
            items, last = self.ask("who")
            self.assertGreaterEqual(len(items), self.count)
            self.assertEqual(last["sessions"], len(items))
            self.assertEqual(len({item["sid"] for item in items}), len(items))
            slow = self.control()
            slow.send('{"command":"who"}\n')
            self.assertEqual(self.connect().command("NOOP").status, "OK")
            self.assertEqual(len(slow.answer()[0]), len(self.ask("who")[0]))
            self.assertGreaterEqual(self.ask("kick", client="127.0.0.1")[1]["kicked"], self.count)
        wait_until(lambda: self.ask("who")[0] == [], "everybody has gone")
