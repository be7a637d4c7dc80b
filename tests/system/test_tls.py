"""TLS towards clients, seen by openssl s_client and by clients that misbehave in the handshake."""

import os
import subprocess
import time
import unittest

from tests.support.case import FakeTest
from tests.support.client import Client, Closed, tls_context

from playground import HOST, openssl  # pylint: disable=wrong-import-order


class TlsTest(FakeTest):
    """One Waypost with an ECDSA and an RSA certificate for one name, and one for another name."""

    settings = {"timeouts": {"handshake": "1s"}, "workers": 2}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.start_waypost(cls.routes(), {
            "workers": 2, "tls": {"certificates": cls.certificates(), "unknown_sni": "refuse"}})

    @classmethod
    def certificates(cls):
        issue = cls.ground.authority.issue
        pairs = [issue("ecdsa", ["mail.example.org"]),
                 issue("rsa", ["mail.example.org"], kind="rsa"),
                 issue("other", ["*.example.net"])]
        return [{"chain": pair.chain, "key": pair.key} for pair in pairs]

    def s_client(self, *options, waypost=None, port=None, name="mail.example.org",
                 typed=b"a LOGOUT\r\n", wait=("-ign_eof",)):
        """All that openssl s_client prints about one visit, as text."""
        port = port or (waypost or self.waypost).implicit_port
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{HOST}:{port}", "-CAfile", self.authority,
             "-verify_return_error", *(["-servername", name] if name else ["-noservername"]),
             *wait, *options],
            input=typed, capture_output=True, timeout=20, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    def test_tls_1_2_and_1_3_are_spoken(self):
        for option, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            seen = self.s_client(option)
            self.assertIn(f"New, {name}", seen)
            self.assertIn("Verify return code: 0 (ok)", seen)
            self.assertIn("a OK", seen)

    def test_t16_tls_1_1_is_refused(self):
        seen = self.s_client("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
        self.assertIn("alert protocol version", seen)
        self.assertNotIn("a OK", seen)

    def test_t16_min_version_1_3(self):
        strict = self.start_waypost(self.routes(), {"tls": {"min_version": "1.3"}})
        self.assertIn("alert protocol version", self.s_client("-tls1_2", waypost=strict))
        self.assertIn("New, TLSv1.3", self.s_client(waypost=strict))
        strict.stop()

    def test_starttls(self):
        seen = self.s_client("-starttls", "imap", port=self.waypost.starttls_port)
        self.assertIn("Verify return code: 0 (ok)", seen)
        self.assertIn("a OK", seen)

    def test_t10_no_early_data(self):
        seen = self.s_client("-tls1_3")
        self.assertIn("Max Early Data: 0", seen)
        self.assertNotIn("Early data was accepted", seen)

    def test_t11_sessions_resume_whichever_worker_answers(self):
        for option in ("-tls1_2", "-tls1_3"):
            file = self.ground.path(f"session{option}")
            self.assertIn("New, TLSv1", self.s_client(option, "-sess_out", file))
            self.assertTrue(os.path.getsize(file) > 0)
            for _ in range(6):
                self.assertIn("Reused, TLSv1", self.s_client(option, "-sess_in", file))

    def test_t11_tickets_survive_a_reload(self):
        file = self.ground.path("session-reload")
        self.s_client("-tls1_3", "-sess_out", file)
        before = len(self.waypost.log())
        self.waypost.reload()
        self.waypost.wait_for_log(r"event=reloaded", after=before)
        self.assertIn("Reused, TLSv1.3", self.s_client("-tls1_3", "-sess_in", file))

    def test_t12_no_renegotiation(self):
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"{HOST}:{self.waypost.implicit_port}", "-tls1_2"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # Only once the greeting is there: s_client takes data in the middle for a fault.
        for line in client.stdout:
            if b" ready." in line:
                break
        seen, _ = client.communicate(b"R\n", timeout=20)
        self.assertIn(b"no renegotiation", seen)

    def test_t14_alpn_imap_is_chosen_and_anything_else_refused(self):
        self.assertIn("ALPN protocol: imap", self.s_client("-alpn", "imap"))
        self.assertIn("ALPN protocol: imap", self.s_client("-alpn", "http/1.1,imap"))
        self.assertIn("No ALPN negotiated", self.s_client())
        refused = self.s_client("-alpn", "http/1.1")
        self.assertIn("no application protocol", refused)
        self.assertNotIn("a OK", refused)

    def test_t14_http_is_neither_answered_nor_echoed(self):
        for request in (b"GET /evil HTTP/1.1\r\nHost: mail.example.org\r\n\r\n",
                        b"POST /evil HTTP/1.1\r\nHost: mail.example.org\r\n"
                        b"Content-Length: 12\r\n\r\na1 CAPABILITY\r\n"):
            client = self.connect()
            client.send(request)
            seen = client.rest()
            for echoed in (b"evil", b"GET", b"POST", b"HTTP", b"Host", b"a1 "):
                self.assertNotIn(echoed, seen)

    def test_t15_certificate_by_server_name(self):
        for name, subject in (("mail.example.org", "CN = ecdsa"),
                              ("imap.example.net", "CN = other"),
                              (None, "CN = ecdsa")):
            self.assertIn(subject, self.s_client(waypost=self.other, name=name), name)

    def test_t15_unknown_server_name(self):
        self.assertIn("Verify return code: 0", self.s_client(name="unknown.example.com"))
        refused = self.s_client(waypost=self.other, name="unknown.example.com")
        self.assertIn("unrecognized name", refused)

    def test_ecdsa_first_rsa_for_those_who_need_it(self):
        self.assertIn("Peer signature type: ECDSA", self.s_client(waypost=self.other))
        self.assertIn("Peer signature type: RSA", self.s_client(
            "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", waypost=self.other))
        self.assertIn("Peer signature type: RSA", self.s_client(
            "-sigalgs", "rsa_pss_rsae_sha256", waypost=self.other))

    def test_t17_a_silent_handshake_ends(self):
        began = time.monotonic()
        client = self.connect(context=None, greeting=False)
        self.assertEqual(client.rest(), b"")
        self.assertLess(time.monotonic() - began, 4)
        self.waypost.wait_for_log(r"reason=handshake_timeout")

    def test_t17_a_silent_handshake_after_starttls_ends(self):
        client = self.connect_clear()
        self.assertEqual(client.command("STARTTLS").status, "OK")
        self.assertEqual(client.rest(), b"")

    def test_a_failed_handshake_does_not_disturb_others(self):
        steady = self.connect()
        for _ in range(5):
            broken = self.connect(context=None, greeting=False)
            broken.send(b"\x16\x03\x01\x00\x05hello" * 3)
            broken.rest()
            self.assertEqual(steady.command("NOOP").status, "OK")

    def test_garbage_and_plain_imap_on_the_tls_port_end(self):
        for data in (b"a LOGIN alice secret\r\n", b"\0" * 100, b"GET / HTTP/1.0\r\n\r\n"):
            client = self.connect(context=None, greeting=False)
            client.send(data)
            self.assertNotIn(b"a ", client.rest())

    def test_t13_a_bare_fin_is_told_apart_from_a_clean_end(self):
        client = self.connect()
        client.socket.unwrap().close()
        self.waypost.wait_for_log(r"reason=client_closed")
        rude = self.connect()
        rude.socket.shutdown(2)
        self.waypost.wait_for_log(r"reason=client_truncated")

    def test_hostname_verification_of_the_client_works_against_us(self):
        """The certificate names are right: a verifying client with a wrong name fails."""
        with self.assertRaises(Exception) as caught:
            context = tls_context(self.authority)
            client = Client(self.waypost.implicit_port, None, greeting=False)
            self.addCleanup(client.close)
            context.wrap_socket(client.socket, server_hostname="wrong.example.org")
        self.assertIn("Hostname mismatch", str(caught.exception))


class ClientCertificates(FakeTest):
    """client_auth: a certificate as a gate before any password."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pair = cls.ground.authority.issue("client", ["client.example.org"])
        cls.strict = cls.start_waypost(cls.routes(), {"tls": {
            "client_ca": cls.authority, "client_auth": "require"}})

    def test_require(self):
        with self.assertRaises((Closed, OSError)):
            self.connect(self.strict)
        context = tls_context(self.authority)
        context.load_cert_chain(self.pair.chain, self.pair.key)
        client = self.connect(self.strict, context=context)
        self.assertEqual(client.login("user@example.org", "secret").status, "OK")


class Reloading(FakeTest):
    """Certificates change with SIGHUP; broken ones leave the old in force."""

    def serial(self):
        client = self.connect()
        return client.socket.getpeercert()["serialNumber"]

    def reload(self, pattern):
        before = len(self.waypost.log())
        self.waypost.reload()
        return self.waypost.wait_for_log(pattern, after=before)

    def test_t18_renewed_certificate_and_broken_pair(self):
        pair = self.waypost.configuration["tls"]["certificates"][0]
        first = self.serial()
        renewed = self.ground.authority.issue("renewed", ["mail.example.org"])
        os.replace(renewed.chain, pair["chain"])
        self.reload(r"(?i)key")  # the old key does not match the new chain
        self.assertEqual(self.serial(), first)
        os.replace(renewed.key, pair["key"])
        self.reload(r"event=reloaded")
        self.assertNotEqual(self.serial(), first)
        self.assertIn(self.serial(), openssl("x509", "-in", pair["chain"], "-noout", "-serial"))


if __name__ == "__main__":
    unittest.main()
