"""The process: workers, privileges, reload, memory, log lines, and an installed copy."""

import base64
import json
import os
import pwd
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
import unittest

from tests.support.case import (BINARY, TOP, Dovecot, FakeTest, SystemTest, backend, sample_user)
from tests.support.client import Client, Closed
from tests.support.fake_imap import FakeImap

from playground import HOST, listening, wait_until  # pylint: disable=wrong-import-order
from waypost import Waypost  # pylint: disable=wrong-import-order

USER = "user@example.org"
SECRET = "correct-horse-battery-5taple"


class Workers(SystemTest):
    """Several workers share the ports."""

    def test_many_clients_at_once_over_several_workers(self):
        dovecot = Dovecot(self.ground, "backend", users=[
            sample_user(f"user{number}@example.org") for number in range(4)])
        waypost = self.start_waypost({
            "backends": {"backend": backend(self.ground, dovecot)},
            "routes": [{"to": "backend"}]}, {"workers": 3})
        users = list(dovecot.users.values())
        clients = []
        for number in range(24):
            user = users[number % len(users)]
            client = self.connect(waypost, timeout=20)
            client.send(f'a LOGIN {user.name} "{user.password}"\r\nb SELECT INBOX\r\n'
                        "c FETCH 1 (BODY.PEEK[])\r\n")
            clients.append((client, user))
        for client, user in clients:
            for tag in ("a", "b"):
                self.assertEqual(client.reply(tag).status, "OK")
            self.assertIn(user.mailboxes["INBOX"][0], client.reply("c").all)
        threads = len(os.listdir(f"/proc/{waypost.pid}/task"))
        self.assertGreaterEqual(threads, 3)
        waypost.signal(signal.SIGTERM)
        for client, _ in clients:
            self.assertIn(b"* BYE ", client.rest())
        self.assertEqual(waypost.wait(), 0)


class Privileges(FakeTest):
    """Who the process is, and what it leaves behind."""

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_root_becomes_the_configured_user(self):
        nobody = pwd.getpwnam("nobody")
        dropped = self.start_waypost(self.routes(), {"user": "nobody"})
        # The ports open before root is given up; who answers a login has given it up.
        self.assertEqual(self.connect(dropped).login(USER, "secret").status, "OK")
        status = process_status(dropped.pid)
        self.assertEqual(status["Uid"].split(), [str(nobody.pw_uid)] * 4)
        self.assertEqual(status["Gid"].split(), [str(nobody.pw_gid)] * 4)
        self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(int(status["CapPrm"], 16), 0)
        dropped.stop()

    def test_t79_no_core_dumps(self):
        with open(f"/proc/{self.waypost.pid}/limits", encoding="ascii") as limits:
            line = next(line for line in limits if line.startswith("Max core file size"))
        self.assertEqual(line.split()[4:6], ["0", "0"])

    def test_t79_the_password_is_gone_from_memory_after_login(self):
        if os.geteuid() != 0:
            self.skipTest("only root can read the memory of a process that is not dumpable")
        if os.path.basename(os.path.dirname(BINARY)) != "release":
            self.skipTest("sanitizers keep what is freed")
        self.fake.script.password = SECRET.encode()
        # Without the allocator's help: it may be told to overwrite what is freed.
        bare = self.start_waypost(self.routes(), environment={
            key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")})
        # Far behind other bytes, so that no later line happens to be written over the secret.
        user = "u" * 200 + "@example.org"
        padding = 'p ID ("x" "{0}" "y" "{0}" "z" "{0}")\r\n'.format("x" * 1000)
        plain = base64.b64encode(f"\0{user}\0{SECRET}".encode()).decode()
        client, other = self.connect(bare), self.connect(bare)
        client.send(f"{padding}a AUTHENTICATE PLAIN {plain}\r\n")
        other.send(f'{padding}a LOGIN "{user}" "{SECRET}"\r\n')
        self.assertEqual(client.reply("a").status, "OK")
        self.assertEqual(other.reply("a").status, "OK")
        for needle in (SECRET.encode(), plain.encode()[-24:-4]):
            self.assertEqual(found_in_memory(bare.pid, needle), [])
        self.assertEqual(client.command("NOOP").status, "OK")
        # The search itself works: it finds what must be there.
        self.assertNotEqual(found_in_memory(bare.pid, user.encode()), [])
        bare.stop()


class Limits(FakeTest):
    """limits.sessions."""

    def test_no_more_sessions_than_allowed(self):
        small = self.start_waypost(self.routes(), {"limits": {"sessions": 3}})
        clients = [self.connect(small) for _ in range(3)]
        try:
            surplus = self.connect(small, greeting=False)
            self.assertNotIn(b"* OK", surplus.rest())
        except (Closed, OSError):
            pass
        small.wait_for_log(r"too_many_sessions")
        for client in clients:
            self.assertEqual(client.command("NOOP").status, "OK")
        clients.pop().close()

        def served():
            try:
                return self.connect(small).greeting.startswith(b"* OK")
            except (Closed, OSError):
                return False

        wait_until(served, "a place is free again")
        small.stop()


class Logs(FakeTest):
    """What is written down, and what never is."""

    settings = {"log": {"level": "debug"}, "limits": {"bad_commands": 10}}

    def test_t79_no_password_in_any_line(self):
        self.fake.script.password = SECRET.encode()
        plain = base64.b64encode(f"\0{USER}\0{SECRET}".encode()).decode()
        wrong = base64.b64encode(f"\0{USER}\0{SECRET}x".encode()).decode()
        clear = self.connect_clear()
        clear.login(USER, SECRET)
        clear.command(f"AUTHENTICATE PLAIN {plain}")
        for command in (f"LOGIN {USER} {SECRET}", f"AUTHENTICATE PLAIN {plain}",
                        f"LOGIN {USER} {SECRET}x", f"AUTHENTICATE PLAIN {wrong}",
                        f"LOGIN {USER} {SECRET} surplus", f"LOGNI {USER} {SECRET}",
                        f"AUTHENTICATE PLAIN {plain}%"):
            self.connect().command(command)
        client = self.connect()
        client.send(f"a AUTHENTICATE PLAIN\r\n{plain}\r\n")
        client.reply("a")
        client = self.connect()
        client.send(f"a LOGIN {USER} {{{len(SECRET)}+}}\r\n{SECRET}\r\n")
        client.reply("a")
        client = self.connect()
        client.send(f"{SECRET} LOGIN\r\n* {SECRET}\r\n")
        client.line()
        self.waypost.wait_for_log(r"event=login ")
        log = self.waypost.log()
        self.assertNotIn(SECRET, log)
        self.assertNotIn(plain[:30], log)

    def test_t80_log_injection(self):
        before = len(self.waypost.log())
        client = self.connect()
        for number, evil in enumerate((b"x\x1b[31m", b"x\r\nevent=login user=root",
                                       b'x"=\\ event=login user=root', b"x\xffy", b"x\xc2\x9by",
                                       b"\xe2\x80\xa8event=login")):
            login = b"e%d LOGIN {%d+}\r\n%s wrong\r\n" % (number, len(evil), evil)
            for victim in (client, self.connect_clear()):  # in clear the name is logged unjudged
                victim.send(login)
                self.assertNotEqual(victim.reply(f"e{number}").status, "OK")
        self.assertEqual(client.login(USER, "secret").status, "OK")
        self.waypost.wait_for_log(rf"event=login .*user={USER}", after=before)
        log = self.waypost.log()
        self.assertNotIn("\x1b", log)
        for line in log[:log.rindex("\n")].split("\n"):  # the last may be half written
            self.assertRegex(line, r"^\S+Z (error|warn|info|debug) event=\w+( |$)")
            outside = re.sub(r'"(\\.|[^"\\])*"', '""', line)
            self.assertNotIn("user=root", outside)

    def test_every_line_of_a_session_carries_its_id(self):
        before = len(self.waypost.log())
        client = self.logged_in()
        client.command("LOGOUT")
        login = self.waypost.wait_for_log(r"event=login sid=\w+", after=before)
        self.waypost.wait_for_log(login.replace("event=login", "event=end"), after=before)

    def test_json_lines_parse(self):
        chatty = self.start_waypost(self.routes(), {"log": {"level": "debug", "format": "json"}})
        client = self.connect(chatty)
        client.login('we"ird\\@example.org', "wrong")
        client.login(USER, "secret")
        client.command("LOGOUT")
        chatty.wait_for_log(r'"event":"end"')
        chatty.stop()
        events = [json.loads(line)["event"] for line in chatty.log().splitlines()]
        for event in ("login_refused", "login", "end"):
            self.assertIn(event, events)

    def test_log_to_a_file(self):
        path = self.ground.path("waypost.log")
        filed = self.start_waypost(self.routes(), {"log": {"to": path}})
        self.assertEqual(self.connect(filed).login(USER, "secret").status, "OK")

        def written():
            with open(path, encoding="utf-8") as file:
                return "event=login " in file.read()

        wait_until(written, "the login in the log file")
        filed.stop()


class Reload(SystemTest):
    """SIGHUP takes a new routing table; a broken one changes nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.one, cls.two = FakeImap(cls.ground), FakeImap(cls.ground)
        cls.addClassCleanup(cls.one.stop)
        cls.addClassCleanup(cls.two.stop)

    def routes(self, target):
        return {"backends": {"one": backend(self.ground, self.one),
                             "two": backend(self.ground, self.two)},
                "routes": [{"to": target}]}

    def reload(self, waypost, pattern):
        before = len(waypost.log())
        waypost.reload()
        return waypost.wait_for_log(pattern, after=before)

    def lands_on(self, waypost, fake):
        before = len(fake.peers)
        client = self.connect(waypost)
        self.assertEqual(client.login(USER, "secret").status, "OK")
        self.assertEqual(len(fake.peers), before + 1)
        return client

    def test_routes_change_and_sessions_stay(self):
        waypost = self.start_waypost(self.routes("one"), {"workers": 2})
        client = self.lands_on(waypost, self.one)
        waypost.write_routes(self.routes("two"))
        self.reload(waypost, r"event=reloaded")
        self.lands_on(waypost, self.two)
        self.assertEqual(client.command("NOOP").status, "OK")
        waypost.stop()

    def test_broken_files_keep_the_old_in_force(self):
        waypost = self.start_waypost(self.routes("one"))
        for broken in ({"routes": [{"to": "nowhere"}]}, {"routes": "none"}, {"surprise": 1}):
            waypost.write_routes({**self.routes("two"), **broken})
            line = self.reload(waypost, r".*routes\.json.*")
            self.assertIn("error", line)
            self.lands_on(waypost, self.one)
        with open(waypost.routes_path, "w", encoding="ascii") as file:
            file.write("{ not json")
        self.reload(waypost, r".*routes\.json.*")
        self.lands_on(waypost, self.one)
        waypost.write_routes(self.routes("two"))
        self.reload(waypost, r"event=reloaded")
        self.lands_on(waypost, self.two)
        waypost.stop()


class Timing(SystemTest):
    """t89: whether a user exists must not show."""

    def test_t89_no_route_looks_like_a_wrong_password(self):
        dovecot = Dovecot(self.ground, "backend", users=[sample_user("alice@example.org")])
        waypost = self.start_waypost({
            "backends": {"backend": backend(self.ground, dovecot)},
            "routes": [{"domains": {"example.org": "backend"}}]},
            {"auth": {"attempts_per_connection": 100}})
        client = self.connect(waypost, timeout=20)
        times, texts = {}, set()
        for name in ["alice@example.org"] + ["alice@example.org", "nobody@example.org",
                                             "ghost@elsewhere.example"] * 3:
            began = time.monotonic()
            reply = client.login(name, "wrong")
            times.setdefault(name, []).append(time.monotonic() - began)
            texts.add(reply.text)
        self.assertEqual(texts, {"[AUTHENTICATIONFAILED] Authentication failed."})
        medians = {name: statistics.median(values) for name, values in times.items()}
        self.assertLess(max(medians.values()), 2.5 * min(medians.values()) + 0.1, medians)
        waypost.stop()


class Installed(SystemTest):
    """`make install` into a directory gives something that starts."""

    def test_make_install(self):
        if os.path.basename(os.path.dirname(BINARY)) != "release":
            self.skipTest("installs the release variant")
        top = self.ground.directory("installed")
        done = subprocess.run(["make", "-C", TOP, "install", f"DESTDIR={top}"],
                              capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        binary = os.path.join(top, "usr/local/sbin/waypost")
        self.assertTrue(os.access(binary, os.X_OK))
        fake = FakeImap(self.ground)
        self.addCleanup(fake.stop)
        waypost = Waypost(self.ground, binary, {
            "backends": {"fake": backend(self.ground, fake)}, "routes": [{"to": "fake"}]},
            name="copy").start()
        self.assertEqual(self.connect(waypost).login(USER, "secret").status, "OK")
        waypost.stop()


class Starting(FakeTest):
    """Failures at the start are said and leave nothing behind."""

    def test_a_port_in_use_is_an_error(self):
        taken = socket.create_server((HOST, 0))
        self.addCleanup(taken.close)
        second = Waypost(self.ground, BINARY, self.routes(), name="second")
        second.configuration["listeners"][0]["address"] = f"{HOST}:{taken.getsockname()[1]}"
        second.write_configuration()
        done = second.command("run", "-c", second.path)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(taken.getsockname()[1]), done.stderr)
        self.assertFalse(listening(second.starttls_port))

    def test_a_broken_configuration_does_not_start(self):
        broken = Waypost(self.ground, BINARY, {"routes": 7}, name="broken")
        done = broken.command("run", "-c", broken.path)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("routes.json", done.stderr)

    def test_a_relative_routing_table_is_found_beside_the_file(self):
        for file in ("waypost.json", "routes.json"):
            self.assertTrue(os.path.exists(self.ground.path("waypost1", file)))
        moved = shutil.copytree(self.ground.path("waypost1"), self.ground.path("moved"))
        done = self.waypost.command("check", "-c", os.path.join(moved, "waypost.json"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_client_during_start_and_stop(self):
        waypost = self.start_waypost(self.routes())
        waypost.signal(signal.SIGINT)
        self.assertEqual(waypost.wait(), 0)
        self.assertFalse(listening(waypost.implicit_port))
        waypost.start()
        client = Client(waypost.implicit_port, self.context)
        self.addCleanup(client.close)
        self.assertEqual(client.login(USER, "secret").status, "OK")
        waypost.stop()


def process_status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def found_in_memory(pid, needle):
    """Where a byte string stands in the private writable memory of a process."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if not rights.startswith("rw") or "[v" in line:
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            memory.seek(start)
            try:
                data = memory.read(end - start)
            except OSError:
                continue
            found += [hex(start + match.start()) for match in re.finditer(re.escape(needle), data)]
    return found


if __name__ == "__main__":
    unittest.main()
