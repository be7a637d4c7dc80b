"""What was counted, as SIGUSR1 has it logged."""

import re
import signal
import unittest

from tests.support.case import Dovecot, SystemTest, backend, sample_user

MISSED = {"ok": 0, "no": 0, "bad": 0}


class Counters(SystemTest):
    """One Waypost before a real server, after real sessions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = sample_user("user@example.org")
        cls.dovecot = Dovecot(cls.ground, "backend", users=[cls.user])
        cls.routes = {"backends": {"backend": backend(cls.ground, cls.dovecot)},
                      "routes": [{"to": "backend"}]}
        # Whoever asks is answered, however little is logged otherwise.
        cls.waypost = cls.start_waypost(cls.routes, {"workers": 2, "log": {"level": "error"}})

    def report(self):
        """What SIGUSR1 says: commands by name, other counters by name and label."""
        before = len(self.waypost.log())
        self.waypost.signal(signal.SIGUSR1)
        # Among the last lines, as soon as the backend has been logged in to.
        self.waypost.wait_for_log(r"command=\"UID FETCH\".*\n", after=before)
        commands, counters = {}, {}
        for line in self.waypost.log()[before:].splitlines():
            fields = {key: value.strip('"')
                      for key, value in re.findall(r'(\w+)=("[^"]*"|\S+)', line)}
            if fields["event"] == "command":
                self.assertEqual(fields["backend"], "backend")
                commands[fields["command"]] = {
                    key: int(value) for key, value in fields.items()
                    if key not in ("event", "backend", "command")}
            elif fields["event"] == "metrics":
                labels = fields.keys() & {"why", "reason", "backend"}
                counters[" ".join([fields["name"], *(fields[key] for key in labels)])] = \
                    int(fields["value"])
        return commands, counters

    def session(self):
        client = self.connect()
        self.assertEqual(client.login(self.user.name, "wrong").status, "NO")
        self.assertEqual(client.login(self.user.name, self.user.password).status, "OK")
        for command in ("SELECT INBOX", "FETCH 1 BODY.PEEK[]", "uid fetch 1:* (FLAGS)",
                        "FETCH 1 BODY.PEEK[]"):
            self.assertEqual(client.command(command).status, "OK", command)
        self.assertEqual(client.command("SELECT missing").status, "NO")
        self.assertEqual(client.command("FETCH").status, "BAD")
        client.send("i IDLE\r\n")
        self.assertTrue(client.line().startswith(b"+ "))
        client.send("DONE\r\n")
        self.assertEqual(client.reply("i").status, "OK")
        client.command("LOGOUT")
        client.rest()

    def test_commands_are_counted_through_a_reload(self):
        self.session()
        commands, counters = self.report()
        fetch = commands["FETCH"]
        self.assertEqual((fetch["ok"], fetch["no"], fetch["bad"]), (2, 0, 1))
        self.assertGreater(fetch["p50_ms"], 0)
        self.assertGreaterEqual(fetch["p99_ms"], fetch["p50_ms"])
        self.assertEqual(commands["UID FETCH"]["ok"], 1)
        self.assertEqual((commands["SELECT"]["ok"], commands["SELECT"]["no"]), (1, 1))
        self.assertEqual(commands["IDLE"], {**MISSED, "ok": 1})
        self.assertNotIn("STORE", commands)
        for name, value in (("logins_succeeded", 1), ("logins_succeeded backend", 1),
                            ("logins_refused backend", 1), ("logins_refused authentication", 1),
                            ("sessions_ended logout", 1)):
            self.assertEqual(counters[name], value, name)
        size = len(self.user.mailboxes["INBOX"][0])
        self.assertGreater(counters["bytes_to_client backend"], 2 * size)
        self.waypost.write_routes({**self.routes, "normalize": {"lowercase": True}})
        before = counters["sessions_accepted"]
        self.waypost.reload()
        self.session()
        commands, counters = self.report()
        self.assertEqual(counters["sessions_accepted"], before + 1)
        self.assertEqual((commands["FETCH"]["ok"], commands["FETCH"]["bad"]), (4, 2))
        self.assertEqual(counters["logins_succeeded backend"], 2)


if __name__ == "__main__":
    unittest.main()
