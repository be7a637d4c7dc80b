"""Listeners behind a load balancer: the PROXY header, versions 1 and 2, before anything else."""

import socket
import struct
import unittest

from tests.support.case import FakeTest

from playground import HOST, free_port  # pylint: disable=wrong-import-order

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 5555 993\r\n"
USER = "user@example.org"


def v2(command, body=b"", family=0x11):
    return SIGNATURE + bytes([0x20 | command, family]) + struct.pack("!H", len(body)) + body


ADDRESSES = (socket.inet_aton("192.0.2.8") + socket.inet_aton("198.51.100.1")
             + struct.pack("!HH", 5555, 993))
TLV = b"\x02\x00\x10mail.example.org"


class ProxyProtocol(FakeTest):
    """One listener of each kind that requires a header, one that does not, one that trusts none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ports = {}
        listeners = []
        for name, tls, proxy in (
                ("strict", "implicit", {"from": [f"{HOST}/32"]}),
                ("clear", "starttls", {"from": [f"{HOST}/32"]}),
                ("lenient", "implicit", {"from": [f"{HOST}/32"], "required": False}),
                ("distrust", "implicit", {"from": ["192.0.2.0/24"]})):
            cls.ports[name] = free_port()
            listeners.append({"name": name, "address": f"{HOST}:{cls.ports[name]}", "tls": tls,
                              "proxy_protocol": {**proxy, "timeout": "1s"}})
        plain = cls.waypost.configuration["listeners"]
        cls.waypost.stop()
        cls.waypost.configuration["listeners"] = plain + listeners
        cls.waypost.write_configuration()
        cls.waypost.start()

    def open(self, name, header):
        """A connection that has sent the header and nothing else."""
        waypost = self.waypost
        port, waypost.starttls_port = waypost.starttls_port, self.ports[name]
        try:
            client = self.connect_clear(waypost, greeting=False)
        finally:
            waypost.starttls_port = port
        client.send(header)
        return client

    def logs_in(self, name, header, address):
        before = len(self.waypost.log())
        client = self.open(name, header)
        client.encrypt(self.context)
        self.assertTrue(client.line().startswith(b"* OK "))
        self.assertEqual(client.login(USER, "secret").status, "OK")
        line = self.waypost.wait_for_log(r"event=login .*", after=before)
        self.assertIn(address, line)

    def test_t59_versions_1_and_2_give_the_address(self):
        self.logs_in("strict", V1, "192.0.2.7")
        self.logs_in("strict", v2(1, ADDRESSES), "192.0.2.8")
        self.logs_in("strict", v2(1, ADDRESSES + TLV), "192.0.2.8")

    def test_t59_local_and_unknown_keep_the_real_address(self):
        self.logs_in("strict", v2(0, family=0), HOST)
        self.logs_in("strict", b"PROXY UNKNOWN\r\n", HOST)

    def test_t59_byte_by_byte_before_starttls(self):
        client = self.open("clear", b"")
        for byte in V1:
            client.send(bytes([byte]))
        self.assertTrue(client.line().startswith(b"* OK "))
        client.starttls(self.context)
        self.assertEqual(client.login(USER, "secret").status, "OK")

    def test_header_and_first_command_in_one_segment(self):
        client = self.open("clear", V1 + b"a NOOP\r\n")
        self.assertEqual(client.reply("a").status, "OK")

    def test_nothing_is_said_before_the_header(self):
        client = self.open("clear", b"")
        self.assertTrue(client.silent(0.2))

    def test_required_means_required(self):
        for bytes_ in (b"a NOOP\r\n", b"\x16\x03\x01\x02\x00", b"PROXY TCP9 x y 1 2\r\n",
                       b"PROXY TCP4 192.0.2.7 2001:db8::1 5555 993\r\n", v2(1, ADDRESSES[:4]),
                       b""):  # b"": silence, until the timeout
            self.assertEqual(self.open("strict", bytes_).rest(), b"", bytes_)
        self.waypost.wait_for_log(r"reason=proxy_header")

    def test_not_required_takes_both(self):
        self.logs_in("lenient", V1, "192.0.2.7")
        client = self.open("lenient", b"")
        client.encrypt(self.context)
        self.assertTrue(client.line().startswith(b"* OK "))

    def test_senders_that_are_not_trusted(self):
        self.assertEqual(self.open("distrust", V1).rest(), b"")

    def test_a_header_where_none_is_expected_is_no_header(self):
        client = self.connect(context=None, greeting=False)
        client.send(V1)
        self.assertNotIn(b"* OK", client.rest())


if __name__ == "__main__":
    unittest.main()
