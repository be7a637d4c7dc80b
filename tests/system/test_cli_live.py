"""Commands to the running proxy: what people see, what programs see, exit statuses."""

import json
import os
import signal
import subprocess

from tests.support.case import BINARY
from tests.support.control import ControlTest

from playground import wait_until  # pylint: disable=wrong-import-order

NAMES = ["ann@example.org", "bob@example.org"]


class Commands(ControlTest):
    """status, who, kick, reload, top."""

    def setUp(self):
        super().setUp()
        self.ask("kick", all=True)
        wait_until(lambda: self.ask("who")[0] == [], "everybody has gone")

    def objects(self, done):
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_status(self):
        self.crowd(NAMES)
        done = self.command("status")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^BACKEND +STATE ")
        self.assertRegex(done.stdout, r"(?m)^fake +up ")
        self.assertRegex(done.stdout, rf"process {self.waypost.pid}, workers: 2, up for \d+")
        self.assertRegex(done.stdout, r"logged in: 2,")
        self.assertIn(self.waypost.path, done.stdout)
        backends, process = self.ask("status")
        shown = self.objects(self.command("status", "--json"))
        self.assertEqual([set(item) for item in shown],
                         [set(item) for item in [*backends, process]])

    def test_who(self):
        self.crowd(NAMES)
        done = self.command("who", "--user", "bob@*")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[0], "^USER +BACKEND +CLIENT ")
        self.assertRegex(lines[1], r"^bob@example.org +fake +127.0.0.1:\d+ +imaps +RELAY ")
        self.assertEqual(lines[2], "1 sessions")
        users = [item.get("user") for item in self.objects(self.command(
            "who", "--json", "--backend=fake", "--client", "127.0.0.0/8"))]
        self.assertCountEqual(users, [*NAMES, None])

    def test_kick(self):
        ann, bob = self.crowd(NAMES)
        done = self.command("kick", "--user", "ann@example.org")
        self.assertEqual((done.returncode, done.stdout), (0, "1 sessions were told to end\n"))
        self.assertIn(b"* BYE", ann.rest())
        self.assertEqual(bob.command("NOOP").status, "OK")
        self.assertEqual(self.objects(self.command("kick", "--all", "--json")),
                         [{"kicked": 1, "done": True}])
        self.assertIn(b"* BYE", bob.rest())

    def test_refusals(self):
        done = self.command("kick", "--backend", "nowhere")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "waypost: kick: there never was a backend \"nowhere\"; "
                                      "expected the name of a backend\n")
        done = self.command("kick", "--backend", "nowhere", "--json")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertIn("never was", self.objects(done)[0]["error"])

    def test_wrong_usage(self):
        for arguments in (["kick"], ["kick", "--all", "--user", "x"], ["who", "bob"],
                          ["status", "--user", "x"], ["top", "--interval", "0"],
                          ["top", "--interval", "x"], ["who", "--user"]):
            done = self.command(*arguments)
            self.assertEqual((done.returncode, done.stdout), (64, ""), arguments)
            self.assertTrue(done.stderr, arguments)

    def test_reload(self):
        done = self.command("reload")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.waypost.routes_path, encoding="utf-8") as file:
            good = json.load(file)
        self.waypost.write_routes({**good, "routes": [{"to": "fak"}]})
        done = self.command("reload")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, rf"(?m)^{self.waypost.routes_path}:\d+: /routes/0/to: .*fake")
        self.assertIn("stays in force", done.stderr)
        self.assertIn("cannot be used", self.command("status").stdout)
        self.waypost.write_routes(good)
        self.assertEqual(self.command("reload").returncode, 0)

    def test_top(self):
        done = self.command("top", "--once", "--interval", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^fake +up +\S+ +\d+ +0 +0 +0 +0 +0 *$")
        self.assertNotIn("\033", done.stdout)
        self.assertEqual(set(self.objects(self.command("top", "--once", "--json"))[-1]),
                         set(self.ask("status")[1]))
        with subprocess.Popen([BINARY, "top", "-c", self.waypost.path, "--interval", "1"],
                              stdout=subprocess.PIPE, text=True) as live:
            heads = 0
            while heads < 2:
                heads += live.stdout.readline().startswith("BACKEND")
            live.terminate()


class Alone(ControlTest):
    """Nobody is there to answer, or the configuration does not say where."""

    def test_without_a_proxy(self):
        waypost = self.start_waypost(self.routes())
        waypost.stop()
        for command in ("status", "who", "reload", "top"):
            done = self.command(command, waypost=waypost)
            self.assertEqual((done.returncode, done.stdout), (2, ""), command)
            self.assertIn("no proxy can be reached", done.stderr)
        waypost.start().signal(signal.SIGKILL)
        waypost.wait()
        done = self.command("status", waypost=waypost)
        self.assertEqual(done.returncode, 2)
        self.assertIn("nobody listens there any more", done.stderr)

    def test_the_socket_is_found_in_a_configuration_that_is_being_mended(self):
        with open(self.waypost.path, encoding="utf-8") as file:
            good = file.read()
        self.waypost.configuration["workers"] = "many"
        self.waypost.write_configuration()
        self.assertEqual(self.command("status").returncode, 0)
        self.ground.write(good[:-3], os.path.dirname(self.waypost.path), "waypost.json")
        done = self.command("status")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rf"{self.waypost.path}:\d+: not JSON(.|\n)*--socket")
        done = self.command("status", "--socket", self.waypost.control)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.ground.write(good, os.path.dirname(self.waypost.path), "waypost.json")

    def test_no_socket_is_configured(self):
        plain = self.start_plain()
        done = self.command("status", waypost=plain)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("/control/socket: expected the path of the control socket", done.stderr)
        done = plain.command("status", "-c", self.ground.path("missing.json"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing.json", done.stderr)
        plain.stop()

    def test_a_socket_relative_to_its_configuration(self):
        path = self.ground.path("waypost-near", "near.sock")
        self.ground.directory("waypost-near")
        waypost = self.start_plain({"control": {"socket": "../waypost-near/near.sock"}})
        self.assertTrue(os.path.exists(path))
        self.assertEqual(self.command("status", waypost=waypost).returncode, 0)
        waypost.stop()
