"""What `waypost route` adds while a proxy is running: health, sessions, where a user would go now."""

import json
import unittest

from tests.support.case import FakeImap, backend
from tests.support.control import Control, ControlTest

from playground import wait_until  # pylint: disable=wrong-import-order

USER = "ann@example.org"


class Standing(ControlTest):
    """Two fake backends in a pool; each test has its own Waypost before them."""

    def setUp(self):
        super().setUp()
        self.other = FakeImap(self.ground)
        self.addCleanup(self.other.stop)

    def pool(self, **options):
        return {"backends": {"fake": backend(self.ground, self.fake),
                             "other": backend(self.ground, self.other)},
                "pools": {"both": {"members": {"fake": 100, "other": 100}, "choose": "first",
                                   **options}},
                "routes": [{"to": "both"}]}

    def started(self, table):
        waypost = self.start_waypost(table, {"probe": {"fall": 3}})
        self.addCleanup(waypost.stop)
        return waypost

    def route(self, waypost, *arguments):
        """The exit status, and the answer in JSON."""
        done = self.command("route", USER, "--json", *arguments, waypost=waypost)
        return done.returncode, json.loads(done.stdout)

    def health(self, waypost):
        """The health of each candidate, by its name."""
        _, answer = self.route(waypost)
        return {each["backend"]: each.get("health") for each in answer["candidates"]}

    def test_healthy_backends_and_their_sessions(self):
        waypost = self.started(self.pool())
        self.crowd([USER, "bob@example.org"], waypost)
        status, answer = self.route(waypost)
        self.assertEqual((status, answer["now"]), (0, "fake"))
        self.assertNotIn("health_unknown", answer)
        health = self.health(waypost)
        self.assertEqual([health[name]["sessions"] for name in ("fake", "other")], [2, 0])
        self.assertTrue(all(each["state"] == "up" and each["admits"] for each in health.values()))
        done = self.command("route", USER, waypost=waypost)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?s)candidate +fake at .*\n +up for \d+[smh]\w*, 2 sessions\n"
                                      r"candidate +other at .*\n +up for \d+[smh]\w*, 0 sessions\n"
                                      r"now +fake\n$")

    def test_a_choice_by_sessions_is_the_one_of_now(self):
        waypost = self.started(self.pool(choose="least-sessions"))
        for _ in range(3):
            self.crowd([USER], waypost)
            health = self.health(waypost)
            fewest = min(health, key=lambda name: health[name]["sessions"])
            _, answer = self.route(waypost)
            self.assertEqual(answer["candidates"][0]["backend"], answer["now"])
            self.assertEqual(health[answer["now"]]["sessions"], health[fewest]["sessions"])
            self.assertEqual(answer["pool"]["order"][0]["backend"], answer["now"])

    def test_a_user_who_is_kept_at_one_backend_goes_there(self):
        waypost = self.started(self.pool(choose="least-sessions", one_backend_per_user=True))
        self.assertNotIn("home", self.route(waypost)[1])
        client, = self.crowd([USER], waypost)
        _, answer = self.route(waypost)
        home = answer["home"]["backend"]
        self.assertEqual((answer["home"]["sessions"], answer["now"]), (1, home))
        self.assertNotEqual(answer["candidates"][0]["backend"], home, "the other has no sessions")
        self.assertRegex(self.command("route", USER, waypost=waypost).stdout,
                         rf"\nhome +{home}, 1 sessions\nnow +{home}\n$")
        client.command("LOGOUT")
        wait_until(lambda: self.route(waypost)[1]["home"]["sessions"] == 0, "the session has ended")
        self.assertEqual(self.route(waypost)[1]["now"], home, "he stays at home for a while")
        with Control(waypost.control) as control:
            _, there = control.ask("user", user=USER.upper(), cluster="both")
            self.assertEqual((there["backend"], there["logins"], there["held_ms"]), (home, 0, 0))
            _, elsewhere = control.ask("user", user=USER, cluster="another")
            self.assertIsNone(elsewhere["backend"])
            self.assertIn("missing", control.ask("user", cluster="both")[1]["error"])

    def order(self, waypost, command, **members):
        """An operator's command that is carried out."""
        with Control(waypost.control) as control:
            _, last = control.ask(command, **members)
        self.assertTrue(last.get("done"), last)

    def test_what_the_operator_has_ordered(self):
        waypost = self.started(self.pool(choose="first", one_backend_per_user=True))
        self.crowd([USER], waypost)
        self.order(waypost, "drain", backend="fake")
        status, answer = self.route(waypost)
        self.assertEqual((status, answer["now"]), (0, "fake"), "draining does not touch who is there")
        self.assertEqual([each["health"]["admits"] for each in answer["candidates"]], [False, True])
        self.order(waypost, "hold", user="bob", duration="60s")
        done = self.command("route", "bob", waypost=waypost)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\nheld +for \d+m?\w*\nnow +waits for the end of the hold\n$")
        self.order(waypost, "hold", user="bob", duration="0s")
        self.assertRegex(self.command("route", "bob", waypost=waypost).stdout, r"\nnow +other\n$")
        self.order(waypost, "undrain", backend="fake")
        self.order(waypost, "move", user="bob", backend="other")
        self.assertRegex(self.command("route", "bob", waypost=waypost).stdout,
                         r"\nhome +other, 0 sessions\nnow +other\n$")
        self.order(waypost, "down", backend="fake")
        self.order(waypost, "down", backend="other")
        done = self.command("route", "bob", waypost=waypost)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"\n +down for \w+, 0 sessions; by operator")

    def fell(self, waypost):
        """Logins fail until the first backend counts as down."""
        self.fake.script.greeting = b"* BYE out of order\r\n"
        self.addCleanup(setattr, self.fake.script, "greeting", type(self.fake.script).greeting)

        def is_down():
            self.connect(waypost).login(USER, "secret")
            return self.health(waypost)["fake"]["state"] == "down"
        wait_until(is_down, "the backend counts as down")

    def test_a_backend_that_is_down_is_passed_over(self):
        waypost = self.started(self.pool())
        self.fell(waypost)
        status, answer = self.route(waypost)
        self.assertEqual((status, answer["now"]), (0, "other"))
        health = self.health(waypost)["fake"]
        self.assertEqual((health["by"], health["admits"]), ("logins", False))
        self.assertRegex(self.command("route", USER, waypost=waypost).stdout,
                         r"(?m)^ +down for \w+, 0 sessions; by logins: .*\n")

    def test_nobody_takes_the_user(self):
        waypost = self.started(self.pool(failover=False))
        self.fell(waypost)
        status, answer = self.route(waypost)
        self.assertEqual((status, answer["verdict"]), (1, "to"))
        self.assertNotIn("now", answer)
        self.assertEqual(answer["now_none"], "none of them takes users")
        self.assertRegex(self.command("route", USER, waypost=waypost).stdout,
                         r"\nnow +none of them takes users\n$")

    def test_a_backend_that_the_proxy_has_not_loaded(self):
        waypost = self.started({"backends": {"fake": backend(self.ground, self.fake)},
                                "routes": [{"to": "fake"}]})
        waypost.write_routes(self.pool())
        self.assertIsNone(self.health(waypost)["other"])
        self.assertIn("\n           not known to the running proxy\n",
                      self.command("route", USER, waypost=waypost).stdout)

    def test_without_a_proxy_the_table_answers_alone(self):
        waypost = self.started(self.pool())
        waypost.stop()
        status, answer = self.route(waypost)
        self.assertEqual((status, answer["candidates"][0]["backend"]), (0, "fake"))
        self.assertRegex(answer["health_unknown"], "^no proxy can be reached: .*sock: ")
        self.assertNotIn("now", answer)
        done = self.command("route", USER, waypost=waypost)
        self.assertRegex(done.stdout, r"\nhealth +unknown: no proxy can be reached: .*sock: .*\n$")

    def test_the_socket_may_be_another(self):
        waypost = self.started(self.pool())
        status, answer = self.route(waypost, "--socket", waypost.control)
        self.assertEqual((status, answer["now"]), (0, "fake"))
        _, answer = self.route(waypost, "--socket", waypost.control + ".no")
        self.assertIn(".sock.no: ", answer["health_unknown"])


if __name__ == "__main__":
    unittest.main()
