"""What the command line answers exactly: exit statuses, JSON, suggestions, lines of findings."""

import json
import os
import subprocess
import unittest

from tests.support.case import BINARY, TOP, FakeImap, SystemTest, Waypost, backend


def run_binary(*arguments, **options):
    settings = {"capture_output": True, "text": True, "timeout": 10, "check": False, **options}
    return subprocess.run([BINARY, *arguments], **settings)


class Answers(SystemTest):
    """Nothing here listens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fake = FakeImap(cls.ground)
        cls.addClassCleanup(cls.fake.stop)
        cls.count = 0

    def configured(self, routes, **options):
        type(self).count += 1
        table = {"backends": {"one": backend(self.ground, self.fake, **options)}, "routes": routes}
        return Waypost(self.ground, BINARY, table, name=f"answers{self.count}")

    def route(self, waypost, *arguments):
        return waypost.command("route", "-c", waypost.path, *arguments)

    def test_exit_statuses(self):
        waypost = self.configured([{"domains": {"a.org": "one"}}, {"deny": True}])
        self.assertEqual(self.route(waypost, "x@a.org").returncode, 0)
        self.assertEqual(self.route(waypost, "x@b.org").returncode, 2)
        self.assertEqual(self.route(waypost, "").returncode, 2)
        self.assertEqual(self.route(waypost, "x@a.org", "--listener", "nowhere").returncode, 64)
        self.assertEqual(self.route(waypost, "x@a.org", "--client", "nobody").returncode, 64)
        self.assertEqual(self.route(waypost).returncode, 64)
        self.assertEqual(self.route(waypost, "x", "y").returncode, 64)
        broken = self.configured([{"to": "nowhere"}])
        self.assertEqual(self.route(broken, "x@a.org").returncode, 1)

    def test_options_may_stand_anywhere(self):
        waypost = self.configured([{"to": "one"}])
        for arguments in (["x@a.org", f"--config={waypost.path}"], [f"-c{waypost.path}", "x@a.org"],
                          ["--config", waypost.path, "--", "x@a.org"],
                          ["--sni", "mail.example.org", "x@a.org", "--client=192.0.2.7",
                           "--listener", "imaps", "-c", waypost.path]):
            done = run_binary("route", *arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        done = run_binary("route", "-c", waypost.path, "--", "--json")
        self.assertRegex(done.stdout, r"user +--json\n")

    def test_mistyped_words_are_suggested(self):
        for arguments, nearest in ((["chekc"], "check"), (["run", "--confg", "x"], "config"),
                                   (["route", "--clinet", "x", "y"], "client"),
                                   (["help", "rote"], "route")):
            done = run_binary(*arguments)
            self.assertEqual(done.returncode, 64, arguments)
            self.assertIn(f'did you mean "{nearest}"?', done.stderr)

    def test_schemas_are_the_checked_in_ones(self):
        for word, name in (("config", "waypost"), ("routes", "routes")):
            path = os.path.join(TOP, "config", "schema", f"{name}.schema.json")
            with open(path, encoding="utf-8") as file:
                self.assertEqual(run_binary("schema", word).stdout, file.read())
        self.assertEqual(run_binary("schema", "all").returncode, 64)

    def test_route_in_json(self):
        waypost = self.configured([{"users": {"bob": "one"}},
                                   {"domains": {"a.org": {"to": "one", "login_as": "{local}"}}}])
        answer = json.loads(self.route(waypost, "--json", "Al\"ice@a.org").stdout)
        self.assertEqual([rule["matched"] for rule in answer["rules"]], [False, True])
        self.assertEqual((answer["user"], answer["normalized"], answer["login"]),
                         ('Al"ice@a.org', 'al"ice@a.org', 'al"ice'))
        self.assertEqual((answer["verdict"], answer["target"]), ("to", "one"))
        self.assertEqual(answer["candidates"][0]["address"], self.fake.address)
        answer = json.loads(self.route(waypost, "--json", "eve\x1b@b.org").stdout)
        self.assertEqual((answer["user"], answer["verdict"]), ("eve\x1b@b.org", "bad-user"))
        self.assertEqual(answer["candidates"], [])

    def test_route_tells_how_a_backend_is_dealt_with(self):
        password = self.ground.write("secret\n", "master-password", mode=0o600)
        waypost = self.configured(
            [{"to": "one"}], source_addresses=["127.0.0.2", "::1"], identity=["proxy-v2", "id"],
            auth_forward="plain",
            login={"master": {"user": "proxy", "password_file": password, "separator": "*"}})
        text = self.route(waypost, "x@a.org").stdout
        for line in ("connected to from 127.0.0.2, ::1", "told the client's address by id and proxy-v2",
                     "passwords and tokens are sent by plain",
                     'users with a certificate are logged in by master user proxy, behind "*"'):
            self.assertIn(f"\n           {line}\n", text)
        self.assertNotIn("secret", text)
        candidate = json.loads(self.route(waypost, "--json", "x@a.org").stdout)["candidates"][0]
        self.assertEqual([candidate[key] for key in ("source_addresses", "identity", "auth_forward",
                                                     "master_user")],
                         [["127.0.0.2", "::1"], ["id", "proxy-v2"], "plain", "proxy"])

    def test_check_in_json(self):
        waypost = self.configured([{"to": "one"}])
        answer = json.loads(waypost.command("check", "--json", "-c", waypost.path).stdout)
        self.assertEqual(answer, {"file": waypost.path, "ok": True, "findings": []})
        waypost = self.configured([{"to": "two"}])
        done = waypost.command("check", "--json", "-c", waypost.path)
        finding = json.loads(done.stdout)["findings"][0]
        self.assertEqual(done.returncode, 1)
        self.assertEqual((finding["file"], finding["pointer"]),
                         (waypost.routes_path, "/routes/0/to"))
        self.assertGreater(finding["line"], 1)

    def test_t18_a_key_of_another_certificate_is_found_with_its_line(self):
        stranger = self.ground.authority.issue("cli-stranger", ["mail.example.org"])
        waypost = self.configured([{"to": "one"}])
        waypost.configuration["tls"]["certificates"][0]["key"] = stranger.key
        waypost.write_configuration()
        with open(waypost.path, encoding="utf-8") as file:
            line = 1 + [stranger.key in text for text in file].index(True)
        done = waypost.command("check", "-c", waypost.path)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(f"{waypost.path}:{line}: /tls/certificates/0/key: ", done.stderr)

    def test_an_answer_that_does_not_arrive_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = run_binary("schema", "config", capture_output=False, stdout=full,
                              stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
