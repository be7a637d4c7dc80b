"""The control socket itself: who may use it, who makes it, and what cannot harm it."""

import contextlib
import grp
import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import threading
import unittest

from tests.support.case import BINARY, Waypost
from tests.support.control import PATIENCE, Control, ControlTest

from playground import wait_until  # pylint: disable=wrong-import-order

STATUS = b'{"command":"status"}\n'


class Requests(ControlTest):
    """What is asked, and what is not understood."""

    def test_errors_say_what_was_expected_and_the_connection_goes_on(self):
        control = self.control()
        for request, error, expected in (
                ('{"command":"status"', "not JSON", "JSON object"),
                ("\x00\xff\n", "not JSON", "JSON object"),
                ("[]", "no \"command\"", "status"),
                ('"status"', "not JSON", "JSON object"),
                ('{"command":7}', "no \"command\"", "status"),
                ('{"command":"stauts"}', 'did you mean "status"', "who"),
                ('{"command":"who","usr":"x"}', 'did you mean "user"', "backend"),
                ('{"command":"status","user":"x"}', "unknown member", "no member"),
                ('{"command":"who","user":7}', "wrong type", "user name"),
                ('{"command":"who","user":"a*b"}', "cannot be a user name", "user name"),
                ('{"command":"who","user":""}', "cannot be a user name", "user name"),
                ('{"command":"who","user":"' + "x" * 300 + '"}', "cannot be", "user name"),
                ('{"command":"who","client":"10.0.0.1/8"}', "no address", "network"),
                ('{"command":"who","backend":"fak"}', "never was", "backend"),
                ('{"command":"kick"}', "whom to kick", "all"),
                ('{"command":"kick","all":false}', "whom to kick", "all"),
                ('{"command":"kick","all":true,"user":"x"}', "nothing to choose", "all"),
                ("[" * 5000, "not JSON", "JSON object"),
                ('{"command":"status"}' + " " * 20000, "too long", "at most"),
                ("x" * 100000, "too long", "at most")):
            control.send(request.encode("latin-1") + b"\n")
            items, last = control.answer()
            self.assertEqual(items, [], request[:60])
            self.assertIn(error, last["error"], request[:60])
            self.assertIn(expected, last["expected"], request[:60])
        self.assertTrue(control.ask("status")[1]["done"])

    def test_requests_in_one_write_are_answered_in_order(self):
        control = self.control()
        control.send(STATUS + b"\r\n\n" + b'{"command":"nonsense"}\n' + STATUS)
        self.assertTrue(control.answer()[1]["done"])
        self.assertIn("nonsense", control.answer()[1]["error"])
        self.assertTrue(control.answer()[1]["done"])

    def test_a_request_byte_by_byte(self):
        control = self.control()
        for byte in STATUS:
            control.send(bytes([byte]))
        self.assertTrue(control.answer()[1]["done"])

    def test_a_client_that_sends_no_more_still_gets_its_answer(self):
        control = self.control()
        control.send(STATUS)
        control.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(control.answer()[1]["done"])
        self.assertIsNone(control.line())

    def test_half_a_request_harms_nothing(self):
        for count in (1, 10, len(STATUS) - 1):
            half = self.control()
            half.send(STATUS[:count])
            self.assertTrue(self.ask("status")[1]["done"])
            half.close()
        self.assertTrue(self.ask("status")[1]["done"])

    def test_what_an_operator_did_is_logged(self):
        self.ask("kick", user="nobody@example.org")
        self.waypost.wait_for_log(rf"event=operator uid={os.geteuid()} request=.*kick.*nobody@example\.org")
        self.ask("who", user="somebody@example.org")
        self.assertNotIn("somebody@example.org", self.waypost.log())


class Crowds(ControlTest):
    """Many clients, and bad ones."""

    def test_a_hundred_clients_at_once(self):
        waypost, answers = self.waypost, []

        def ask():
            with Control(waypost.control) as control:
                for command in ("status", "who", "status"):
                    answers.append(control.ask(command)[1].get("done"))

        threads = [threading.Thread(target=ask) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(answers, [True] * 300)

    def test_a_hundred_and_twenty_eight_and_no_more(self):
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(Control(self.waypost.control)) for _ in range(128)]
            for control in held:
                self.assertTrue(control.ask("status")[1]["done"])
            with Control(self.waypost.control) as surplus:
                self.assertIn("too many clients", surplus.answer()[1]["error"])
                self.assertIsNone(surplus.line())
            self.assertTrue(held[0].ask("status")[1]["done"])
        wait_until(lambda: "done" in self.ask("status")[1], "room for clients again")

    def test_a_client_that_never_reads_costs_one_answer(self):
        stuck = self.control()
        stuck.socket.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 64 << 20:
                sent += stuck.socket.send(STATUS * 1000)
        self.assertLess(sent, 16 << 20, "requests are read although nobody takes the answers")
        self.assertTrue(self.ask("status")[1]["done"])
        self.assertEqual(self.connect().command("NOOP").status, "OK")

    def test_clients_that_break_off(self):
        for _ in range(200):
            control = Control(self.waypost.control)
            control.send(STATUS * 50)
            control.close()
        self.assertTrue(self.ask("status")[1]["done"])


class Names(ControlTest):
    """The socket in the file system."""

    def test_only_its_owner_may_connect(self):
        status = os.lstat(self.waypost.control)
        self.assertTrue(stat.S_ISSOCK(status.st_mode))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        self.assertEqual(status.st_uid, os.geteuid())

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_it_belongs_to_the_user_that_the_proxy_became(self):
        nobody, group = pwd.getpwnam("nobody"), grp.getgrgid(pwd.getpwnam("nobody").pw_gid)
        directory = self.ground.directory("run")
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        path = os.path.join(directory, "control.sock")
        dropped = self.start_plain({
            "user": "nobody", "control": {"socket": path, "group": group.gr_name}})
        status = os.lstat(path)
        self.assertEqual((status.st_uid, status.st_gid), (nobody.pw_uid, nobody.pw_gid))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o660)
        dropped.stop()
        self.assertFalse(os.path.lexists(path))

    def test_it_goes_with_the_process(self):
        waypost = self.start_waypost(self.routes())
        control = self.control(waypost)
        self.assertTrue(control.ask("status")[1]["done"])
        waypost.signal(signal.SIGTERM)
        self.assertEqual(waypost.wait(), 0)
        self.assertIsNone(control.line())
        self.assertFalse(os.path.lexists(waypost.control))

    def test_what_a_killed_process_left_is_replaced(self):
        waypost = self.start_waypost(self.routes())
        waypost.signal(signal.SIGKILL)
        waypost.wait()
        self.assertTrue(os.path.lexists(waypost.control))
        waypost.start()
        self.assertTrue(self.control(waypost).ask("status")[1]["done"])
        waypost.stop()

    def refused(self, path, group=None):
        """What a Waypost says that cannot have this socket."""
        wanted = {"socket": path, **({"group": group} if group else {})}
        waypost = Waypost(self.ground, BINARY, self.routes(), name="refused",
                          settings={"control": wanted})
        done = waypost.command("run", "-c", waypost.path)
        self.assertEqual(done.returncode, 1)
        return done.stderr

    def test_a_second_proxy_does_not_take_it_away(self):
        self.assertIn("another process listens there", self.refused(self.waypost.control))
        self.assertTrue(self.ask("status")[1]["done"])

    def test_of_many_that_start_at_once_one_has_it(self):
        path = self.socket_path("race.sock")
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(path)  # closed, it leaves its name behind
        racers = [Waypost(self.ground, BINARY, self.routes(), name=f"race{number}",
                          settings={"control": {"socket": path}}) for number in range(5)]
        children = [subprocess.Popen([BINARY, "run", "-c", racer.path], stderr=subprocess.DEVNULL)
                    for racer in racers]
        try:
            wait_until(lambda: sum(child.poll() == 1 for child in children) == 4, "four have lost")
            with Control(path) as control:
                self.assertIn(control.ask("status")[1]["pid"],
                              [child.pid for child in children if child.poll() is None])
        finally:
            for child in children:
                child.terminate()
                child.wait()

    def test_what_cannot_be_a_socket(self):
        self.assertIn("is no socket", self.refused(self.ground.write("", "file")))
        self.assertIn("is no socket", self.refused(self.ground.directory("directory")))
        self.assertIn("No such file", self.refused(self.ground.path("missing", "socket")))
        self.assertIn("at most 107 bytes", self.refused("/" + "x" * 200))
        self.assertIn("does not exist", self.refused(self.socket_path("s"), "no-such-group"))
        self.assertFalse(os.path.lexists(self.socket_path("s")))

    def test_without_a_configured_socket_there_is_none(self):
        before = set(os.listdir(self.ground.path()))
        plain = self.start_plain()
        sockets = [name for name in set(os.listdir(self.ground.path())) - before
                   if stat.S_ISSOCK(os.lstat(self.ground.path(name)).st_mode)]
        self.assertEqual(sockets, [])
        plain.stop()

    def test_reload_moves_it(self):
        waypost = self.start_waypost(self.routes())
        control, old, new = self.control(waypost), waypost.control, self.socket_path("moved.sock")
        waypost.configuration["control"]["socket"] = new
        waypost.write_configuration()
        self.assertEqual(control.ask("reload"), ([], {"done": True}))
        self.assertFalse(os.path.lexists(old))
        with Control(new) as moved:
            self.assertTrue(moved.ask("status")[1]["done"])
        # Where it cannot be made, the old one stays.
        waypost.configuration["control"]["socket"] = self.ground.path("missing", "socket")
        waypost.write_configuration()
        control.ask("reload")
        waypost.wait_for_log(r"control_not_opened.*No such file")
        with Control(new) as moved:
            self.assertTrue(moved.ask("status")[1]["done"])
        del waypost.configuration["control"]
        waypost.write_configuration()
        control.ask("reload")
        self.assertFalse(os.path.lexists(new))
        self.assertTrue(control.ask("status")[1]["done"], "who is connected stays")
        waypost.stop()


class Reload(ControlTest):
    """`reload`, which waits for the outcome."""

    def test_every_finding_comes_with_its_place(self):
        waypost = self.start_waypost(self.routes())
        control = self.control(waypost)
        with open(waypost.routes_path, encoding="utf-8") as file:
            good = file.read()
        table = json.loads(good)
        table["routes"] = [{"to": "nowhere"}, {"too": "fake"}]
        waypost.write_routes(table)
        findings, last = control.ask("reload")
        self.assertIn("stays in force", last["error"])
        self.assertEqual({finding["file"] for finding in findings}, {waypost.routes_path})
        self.assertIn("/routes/0/to", [finding["pointer"] for finding in findings])
        for finding in findings:
            self.assertGreater(finding["line"], 1)
            self.assertTrue(finding["text"])
        status = control.ask("status")[1]
        self.assertFalse(status["last_reload_successful"])
        self.assertEqual(status["reloads"], 1)
        waypost.write_routes(json.loads(good))
        self.assertEqual(control.ask("reload"), ([], {"done": True}))
        self.assertTrue(control.ask("status")[1]["last_reload_successful"])
        waypost.stop()

    def test_many_who_ask_at_once_each_get_an_answer(self):
        controls = [self.control() for _ in range(20)]
        for control in controls:
            control.send('{"command":"reload"}\n')
        controls[7].close()
        for control in controls[:7] + controls[8:]:
            self.assertEqual(control.answer(), ([], {"done": True}))
