"""Reload of a running proxy: listeners that come and go, and files that change by themselves."""

import json
import os
import re
import socket
import ssl
import time
import unittest

from tests.support.case import BINARY, SETTINGS, Client, FakeImap, SystemTest, Waypost, backend

from playground import HOST, free_port, listening, wait_until  # pylint: disable=wrong-import-order

USER = "user@example.org"


class ReloadTest(SystemTest):
    """Two fake backends per class; proxies are started by the tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.one, cls.two = FakeImap(cls.ground), FakeImap(cls.ground)
        cls.addClassCleanup(cls.one.stop)
        cls.addClassCleanup(cls.two.stop)

    def routes(self, target="one", **more):
        return {"backends": {"one": backend(self.ground, self.one),
                             "two": backend(self.ground, self.two)},
                "routes": [{"to": target}], **more}

    def prepare(self, settings=None, **options):
        """A proxy that is not running yet."""
        type(self)._started += 1
        return Waypost(self.ground, BINARY, self.routes(), name=f"waypost{self._started}",
                       settings={**SETTINGS, **(settings or {})}, **options)

    def begin(self, settings=None, **options):
        waypost = self.prepare(settings, **options).start()
        self.addCleanup(waypost.stop)
        return waypost

    def logged_in(self, port, context=None):
        client = Client(port, context or self.context)
        self.addCleanup(client.close)
        self.assertEqual(client.login(USER, "secret").status, "OK")
        return client

    def goes_on(self, client):
        self.assertEqual(client.command("NOOP").status, "OK")

    def reload(self, waypost, pattern=r"event=reloaded"):
        before = len(waypost.log())
        waypost.reload()
        return waypost.wait_for_log(pattern, after=before)

    def lands_on(self, waypost, fake):
        before = len(fake.peers)
        client = self.logged_in(waypost.implicit_port)
        self.assertEqual(len(fake.peers), before + 1)
        return client


class Listeners(ReloadTest):
    """What a reload makes of them, for several workers."""

    @staticmethod
    def listeners(waypost, *more):
        waypost.configuration["listeners"] = [
            {"name": "imaps", "address": f"{HOST}:{waypost.implicit_port}", "tls": "implicit"},
            *more]
        waypost.write_configuration()

    def test_one_comes_and_one_goes_and_their_sessions_stay(self):
        waypost = self.begin({"workers": 2})
        port = free_port()
        early = Client(waypost.starttls_port, None)
        self.addCleanup(early.close)
        kept = self.logged_in(waypost.implicit_port)
        self.listeners(waypost, {"name": "more", "address": f"{HOST}:{port}", "tls": "implicit"})
        self.reload(waypost)
        self.assertFalse(listening(waypost.starttls_port))
        waypost.wait_for_log(rf"event=listener_closed listener=imap address=\S+:"
                             rf"{waypost.starttls_port}")
        early.starttls(self.context)
        self.assertEqual(early.login(USER, "secret").status, "OK")
        late = self.logged_in(port)
        waypost.wait_for_log(r"event=login .*listener=more")
        self.listeners(waypost)
        self.reload(waypost)
        self.assertFalse(listening(port))
        for client in (early, kept, late):
            self.goes_on(client)

    def test_ways_change_at_the_same_port(self):
        waypost = self.begin({"workers": 2})
        kept = self.logged_in(waypost.implicit_port)
        waypost.configuration["listeners"][0]["tls"] = "starttls"
        waypost.configuration["listeners"][1]["tls"] = "implicit"
        waypost.write_configuration()
        before = len(waypost.log())
        self.reload(waypost)
        self.logged_in(waypost.starttls_port)
        client = Client(waypost.implicit_port, None)
        self.addCleanup(client.close)
        client.starttls(self.context)
        self.goes_on(kept)
        self.assertNotIn("event=listener_closed", waypost.log()[before:])

    def test_a_taken_port_changes_nothing(self):
        waypost = self.begin({"workers": 2})
        port, holder = free_port(), socket.create_server((HOST, 0))
        self.addCleanup(holder.close)
        taken = f"{HOST}:{holder.getsockname()[1]}"
        self.listeners(waypost, {"name": "more", "address": f"{HOST}:{port}", "tls": "implicit"},
                       {"name": "taken", "address": taken, "tls": "implicit"})
        waypost.write_routes(self.routes("two"))
        line = self.reload(waypost, r".*event=reload_finding.*")
        self.assertIn("pointer=/listeners/2/address", line)
        self.assertIn(r'listener \"taken\" cannot listen', line)
        self.assertRegex(line, r" line=\d+ ")
        waypost.wait_for_log(r"event=reload_failed")
        self.assertFalse(listening(port))
        self.assertTrue(listening(waypost.starttls_port))
        self.lands_on(waypost, self.one)


    @unittest.skipUnless(os.geteuid() == 0, "only root has privileges to drop")
    def test_a_low_port_is_refused_once_privileges_are_dropped(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            if int(file.read()) <= 1:
                self.skipTest("any port is anybody's here")
        waypost = self.prepare({"user": "nobody"})
        for pair in waypost.configuration["tls"]["certificates"]:
            os.chmod(pair["key"], 0o644)  # a reload reads it as that user
        waypost.start()
        self.addCleanup(waypost.stop)
        self.listeners(waypost, {"name": "low", "address": f"{HOST}:1", "tls": "implicit"})
        line = self.reload(waypost, r".*event=reload_finding.*")
        self.assertIn("pointer=/listeners/1/address", line)
        self.assertIn("permission denied", line)
        self.assertIn("CAP_NET_BIND_SERVICE", line)
        self.logged_in(waypost.implicit_port)
        waypost.configuration["listeners"].pop()
        waypost.write_configuration()
        self.reload(waypost)


class Watch(ReloadTest):
    """`watch`: nobody tells the proxy that a file has changed."""

    def begin(self, settings=None, **options):
        return super().begin({"watch": True, **(settings or {})}, **options)

    def served(self, waypost):
        """The serial number of the certificate that a new client gets."""
        context = ssl.create_default_context(cafile=self.authority)
        client = Client(waypost.implicit_port, context)
        self.addCleanup(client.close)
        return client.socket.getpeercert()["serialNumber"]

    def link(self, target, path):
        """As `ln -sfn` and certbot do."""
        os.symlink(target, path + ".new")
        os.replace(path + ".new", path)

    def test_routes_are_renamed_over_broken_and_mended(self):
        waypost = self.begin()
        client = self.lands_on(waypost, self.one)
        self.replace(waypost.routes_path, json.dumps(self.routes("two")))
        waypost.wait_for_log(r"event=file_changed file=\S*routes.json")
        waypost.wait_for_log(r"event=reload_requested cause=watch")
        waypost.wait_for_log(r"event=reloaded")
        self.lands_on(waypost, self.two)
        before = len(waypost.log())
        self.replace(waypost.routes_path, json.dumps(self.routes("two"))[:-20])
        waypost.wait_for_log(r"event=reload_failed", after=before)
        self.lands_on(waypost, self.two)
        before = len(waypost.log())
        self.replace(waypost.routes_path, json.dumps(self.routes("one")))
        waypost.wait_for_log(r"event=reloaded", after=before)
        self.lands_on(waypost, self.one)
        self.goes_on(client)

    def replace(self, path, text):
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)

    def test_a_file_that_is_missing_is_waited_for(self):
        waypost = self.begin()
        table = self.routes()
        table["routes"].insert(0, {"users_file": "users.tsv"})
        before = len(waypost.log())
        waypost.write_routes(table)
        waypost.wait_for_log(r"event=reload_failed", after=before)
        before = len(waypost.log())
        self.replace(os.path.join(os.path.dirname(waypost.path), "users.tsv"), f"{USER}\ttwo\n")
        waypost.wait_for_log(r"event=reloaded", after=before)
        self.lands_on(waypost, self.two)

    def test_certbot_renews(self):
        for directory in ("live", "archive"):
            os.mkdir(self.ground.path(directory))
        pairs = [self.ground.authority.issue(f"renewed{number}", ["mail.example.org", HOST])
                 for number in (1, 2)]
        for number, pair in enumerate(pairs, 1):
            os.replace(pair.chain, self.ground.path("archive", f"fullchain{number}.pem"))
            os.replace(pair.key, self.ground.path("archive", f"privkey{number}.pem"))
        names = {name: self.ground.path("live", name + ".pem") for name in ("fullchain", "privkey")}
        for name, path in names.items():
            self.link(f"../archive/{name}1.pem", path)
        waypost = self.begin({"tls": {"certificates": [
            {"chain": names["fullchain"], "key": names["privkey"]}]}})
        client = self.lands_on(waypost, self.one)
        first = self.served(waypost)
        self.link("../archive/fullchain2.pem", names["fullchain"])
        # Half of it, for longer than it takes on any real day.
        waypost.wait_for_log(r"event=reload_finding .*pointer=/tls/certificates/0")
        waypost.wait_for_log(r"event=reload_failed")
        self.assertEqual(self.served(waypost), first)
        self.link("../archive/privkey2.pem", names["privkey"])
        waypost.wait_for_log(r"event=reloaded")
        self.assertNotEqual(self.served(waypost), first)
        self.goes_on(client)

    def test_a_config_map_is_swapped(self):
        waypost = self.prepare({"watch": True})
        directory = os.path.dirname(waypost.path)
        for version in ("..1", "..2"):
            os.mkdir(os.path.join(directory, version))
        for name in ("waypost.json", "routes.json"):
            os.replace(os.path.join(directory, name), os.path.join(directory, "..1", name))
            os.symlink(os.path.join("..data", name), os.path.join(directory, name))
        os.symlink("..1", os.path.join(directory, "..data"))
        with open(os.path.join(directory, "..2", "waypost.json"), "w", encoding="utf-8") as file:
            json.dump(waypost.configuration, file)
        with open(os.path.join(directory, "..2", "routes.json"), "w", encoding="utf-8") as file:
            json.dump(self.routes("two"), file)
        waypost.start()
        self.addCleanup(waypost.stop)
        self.lands_on(waypost, self.one)
        self.link("..2", os.path.join(directory, "..data"))
        waypost.wait_for_log(r"event=reloaded")
        self.lands_on(waypost, self.two)
        self.assertEqual(waypost.log().count("event=reload_requested"), 1)

    def test_turned_on_and_off_by_a_reload(self):
        waypost = super().begin()
        waypost.write_routes(self.routes("two"))
        waypost.configuration["watch"] = True
        waypost.write_configuration()
        self.reload(waypost)
        self.lands_on(waypost, self.two)
        before = len(waypost.log())
        waypost.configuration["watch"] = False
        waypost.write_configuration()
        waypost.wait_for_log(r"event=reloaded", after=before)
        waypost.write_routes(self.routes("one"))
        self.lands_on(waypost, self.two)


class Large(ReloadTest):
    """A million lines take a while, and room; nobody should notice."""

    def write_users(self, lines):
        path = self.ground.path(f"users{lines}.tsv")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(f"user{number}@example.org\ttwo\n" for number in range(lines))
        return path

    @staticmethod
    def resident(waypost):
        """MiB."""
        with open(f"/proc/{waypost.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def test_the_last_table_leaves_no_room_behind(self):
        if os.path.basename(os.path.dirname(BINARY)) != "release":
            self.skipTest("sanitizers keep what is freed")
        waypost = self.begin()
        table = self.routes()
        table["routes"].insert(0, {"users_file": self.write_users(400_000)})
        waypost.write_routes(table)
        resident = []
        for _ in range(6):
            self.reload(waypost)
            resident.append(self.resident(waypost))
        self.assertLess(resident[-1], resident[1] + 10, resident)

    def test_a_relay_goes_on_during_a_load(self):
        path = self.write_users(1_000_000)
        waypost = self.begin({"workers": 1})
        client = self.lands_on(waypost, self.one)
        table = self.routes()
        table["routes"].insert(0, {"users_file": path})
        waypost.write_routes(table)
        before = len(waypost.log())
        waypost.reload()
        waypost.wait_for_log(r"event=reload_requested", after=before)
        answered, end = 0, time.monotonic() + 60
        while time.monotonic() < end and "event=reloaded" not in waypost.log()[before:]:
            self.goes_on(client)
            answered += 1
            if answered == 3:  # SIGHUP during a load: one more, whatever their number
                waypost.reload()
                waypost.reload()
        self.assertGreater(answered, 3)
        again = Client(waypost.implicit_port, self.context)
        self.addCleanup(again.close)
        self.assertEqual(again.login("user7@example.org", "secret").status, "OK")
        wait_until(lambda: self.two.peers, "the backend of the new table")
        wait_until(lambda: waypost.log().count("event=reloaded") == 2, "a second load", 30)
        self.goes_on(client)
