"""Who the client is: as a load balancer tells Waypost, and as Waypost tells a real Dovecot."""

import re
import socket
import struct
import unittest

from tests.support.case import (BINARY, Dovecot, FakeImap, SystemTest, User, Waypost, backend)
from tests.support.client import Client
from tests.support.fake_imap import strings
from tests.system.test_proxy_protocol import SIGNATURE, v2

from playground import HOST, free_port, wait_until  # pylint: disable=wrong-import-order

USER = "alice@example.org"
FAR = "127.0.0.2"  # a client elsewhere, as far as addresses go
V4 = "192.0.2.7"
V6 = "2001:db8::7"
BODY_V6 = (socket.inet_pton(socket.AF_INET6, V6) + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
           + struct.pack("!HH", 5555, 993))


class IdentityTest(SystemTest):
    """A Dovecot that trusts Waypost's ID, one that wants PROXY headers, and a fake that keeps what
    it was sent; Waypost with a listener for a load balancer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trusting = Dovecot(cls.ground, "trusting", [User(USER, "secret")],
                               login_trusted_networks=HOST)
        cls.headed = Dovecot(cls.ground, "headed", [User(USER, "secret")], haproxy=True)
        cls.distant = Dovecot(cls.ground, "distant", [User(USER, "secret")])
        cls.fake = FakeImap(cls.ground)
        cls.addClassCleanup(cls.fake.stop)
        cls.balanced = free_port()
        cls.waypost = cls.start_waypost(cls.routes(), listeners=[
            {"name": "balanced", "address": f"{HOST}:{cls.balanced}", "tls": "implicit",
             "proxy_protocol": {"from": [f"{HOST}/32"], "timeout": "500ms"}}])

    @classmethod
    def routes(cls):
        def to(server, tls, *identity):
            return {**backend(cls.ground, server, identity=list(identity)), "tls": tls, "address":
                    f"{HOST}:{server.implicit_port if tls == 'implicit' else server.starttls_port}"}

        backends = {
            "id": to(cls.trusting, "implicit", "id"),
            "id-starttls": to(cls.trusting, "starttls", "id"),
            "id-untrusted": to(cls.distant, "implicit", "id"),
            "nothing": to(cls.trusting, "implicit"),
            "v1": to(cls.headed, "implicit", "proxy-v1"),
            "v1-starttls": to(cls.headed, "starttls", "proxy-v1"),
            "v2": to(cls.headed, "implicit", "proxy-v2"),
            "v2-starttls": to(cls.headed, "starttls", "proxy-v2"),
            "both": to(cls.headed, "implicit", "id", "proxy-v2"),
            "fake": backend(cls.ground, cls.fake, identity=["id"]),
        }
        return {"backends": backends, "routes": [{"domains": {
            f"{name}.example": {"to": name, "login_as": USER} for name in backends}}]}

    def client(self, port=None, **options):
        client = Client(port or self.waypost.implicit_port, self.context, **options)
        self.addCleanup(client.close)
        return client

    def login(self, client, name):
        """Logs in to the backend of that name; Waypost's line about it."""
        before = len(self.waypost.log())
        reply = client.login(f"alice@{name}.example", "secret")
        self.assertEqual(reply.status, "OK", reply.all)
        return self.waypost.wait_for_log(rf"event=login .*backend={name} .*", after=before)

    def seen_by(self, server, pattern):
        """Waits for Dovecot's line about the login; the line."""
        def line():
            lines = [line for line in server.log().splitlines()
                     if "Login: user=" in line and re.search(pattern, line)]
            return lines[-1] if lines else None
        return wait_until(line, f"/{pattern}/ in the log of {server.name}")


class Outbound(IdentityTest):
    """What the backend learns."""

    def test_id_with_address_and_session(self):
        for name in ("id", "id-starttls"):
            line = self.login(self.client(source=FAR), name)
            session = re.search(r"sid=(\w+)", line).group(1)
            seen = self.seen_by(self.trusting, f"session=<{session}")
            self.assertIn(f"rip={FAR}", seen)

    def test_without_identity_the_proxy_is_the_client(self):
        line = self.login(self.client(source=FAR), "nothing")
        self.assertIn(f"client={FAR}:", line)
        self.assertNotIn(re.search(r"sid=(\w+)", line).group(1), self.trusting.log())

    def test_a_server_that_does_not_trust_us_takes_the_login_all_the_same(self):
        self.login(self.client(source=FAR), "id-untrusted")
        self.assertIn(f"rip={HOST}", self.seen_by(self.distant, "rip="))

    def test_t59_headers_of_both_versions(self):
        for number, name in enumerate(("v1", "v1-starttls", "v2", "v2-starttls", "both")):
            source = f"127.0.0.{number + 10}"
            self.login(self.client(source=source), name)
            self.assertIn(f"lip={HOST}", self.seen_by(self.headed, f"rip={source}, "))

    def test_t60_what_a_client_claims_is_not_passed_on(self):
        for name in ("id", "fake"):
            self.fake.peers.clear()
            client = self.client(source=FAR)
            client.command('ID ("name" "Mutt" "X-Originating-IP" "203.0.113.9" "x-session-id" '
                           '"forged" "x-forward-secret" "203.0.113.9" "x-originating-port" "1")')
            self.login(client, name)
        fields = strings(self.fake.received[0].rstrip(b"\r\n").partition(b"(")[2].rstrip(b")"))
        told = dict(zip(fields[::2], fields[1::2]))
        self.assertEqual(len(fields), 2 * len(told))
        self.assertEqual(told[b"name"], b"Mutt")
        self.assertEqual(told[b"x-originating-ip"], FAR.encode())
        self.assertEqual(told[b"x-connected-ip"], HOST.encode())
        self.assertEqual(told[b"x-proxy-ttl"], b"4")
        self.assertNotIn(b"x-forward-secret", told)
        self.assertFalse(self.fake.saw(b"forged"))
        self.assertNotIn("203.0.113.9", self.trusting.log())
        self.assertNotIn("forged", self.trusting.log())


class Inbound(IdentityTest):
    """What a load balancer tells, and what becomes of it."""

    def test_t59_the_address_is_passed_on(self):
        headers = ((V4, b"PROXY TCP4 192.0.2.7 198.51.100.1 5555 993\r\n"),
                   (V6, b"PROXY TCP6 2001:db8::7 2001:db8::1 5555 993\r\n"),
                   (V6, v2(1, BODY_V6, family=0x21)))
        for address, header in headers:
            for name, server in (("id", self.trusting), ("v1", self.headed), ("v2", self.headed)):
                before = len(server.log())
                line = self.login(self.client(self.balanced, header=header), name)
                self.assertRegex(line, re.escape(f"client={address}:5555")
                                 if address == V4 else re.escape(f"client=[{address}]:5555"))
                wait_until(lambda server=server, before=before, address=address:
                           f"rip={address}," in server.log()[before:], f"{address} at {name}")

    def refused(self, header, why, port=None, source=HOST):
        """Such a connection gets no byte, and the log says why."""
        before = len(self.waypost.log())
        client = Client(port or self.balanced, None, greeting=False, header=header, source=source)
        self.addCleanup(client.close)
        self.assertEqual(client.rest(), b"")
        line = self.waypost.wait_for_log(r"event=proxy_header .*", after=before)
        self.assertIn("listener=balanced", line)
        self.assertRegex(line, why)

    def test_t59_the_log_names_the_cause(self):
        good = b"PROXY TCP4 192.0.2.7 198.51.100.1 5555 993\r\n"
        crc = bytes([3, 0, 4, 1, 2, 3, 4])
        self.refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "no PROXY header")
        self.refused(b"a1 NOOP\r\n", "no PROXY header")
        self.refused(b"PROXY TCP4 192.0.2.7\r\n", "malformed")
        self.refused(b"PROXY TCP4 2001:db8::7 2001:db8::1 5555 993\r\n", "malformed")
        self.refused(v2(1, BODY_V6 + crc, family=0x21), "checksum")
        self.refused(SIGNATURE + b"\x21\x11\xff\xff", "too long")
        self.refused(good, "not in proxy_protocol.from", source=FAR)
        self.refused(b"", "no header in time")
        self.refused(good[:20], "no header in time")

    def test_t59_local_keeps_the_balancers_address(self):
        line = self.login(self.client(self.balanced, header=v2(0, family=0)), "id")
        self.assertIn(f"client={HOST}:", line)


class Loops(SystemTest):
    """t54: proxies that send each other their clients."""

    def test_t54_two_proxies_in_a_circle(self):
        first, second = (Waypost(self.ground, BINARY, {}, name=name) for name in ("one", "two"))
        for here, there in ((first, second), (second, first)):
            here.write_routes({
                "backends": {"other": {
                    "address": f"{HOST}:{there.implicit_port}", "tls": "implicit",
                    "identity": ["id"], "verify": {"name": "mail.example.org",
                                                   "ca": self.authority}}},
                "routes": [{"to": "other"}]})
            here.start()
        client = self.connect(first)
        reply = client.login(USER, "secret")
        self.assertRegex(reply.text, r"^\[(SERVERBUG|UNAVAILABLE)\]")
        logs = first.log() + second.log()
        self.assertEqual(logs.count("event=proxy_loop"), 1)
        self.assertEqual(client.command("NOOP").status, "OK")

    def test_t54_a_client_at_its_end(self):
        fake = FakeImap(self.ground)
        self.addCleanup(fake.stop)
        waypost = self.start_waypost({
            "backends": {"fake": backend(self.ground, fake, identity=["id"])},
            "routes": [{"to": "fake"}]})
        client = self.connect(waypost)
        client.command('ID ("x-proxy-ttl" "1")')
        self.assertRegex(client.login(USER, "secret").text, r"^\[SERVERBUG\]")
        self.assertEqual(fake.received, [])
        client.command('ID ("x-proxy-ttl" "3")')
        self.assertEqual(client.login(USER, "secret").status, "OK")
        self.assertIn(b'"x-proxy-ttl" "2"', fake.received[0])


if __name__ == "__main__":
    unittest.main()
