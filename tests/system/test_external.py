"""Users whom a client certificate names, before a Dovecot that trusts a master user."""

import os
import unittest

from tests.support.case import Dovecot, SystemTest, User, backend, sample_user, tls_context
from tests.support.client import Closed
from tests.support.sasl import Exchange, authenticate

from playground import Authority, openssl  # pylint: disable=wrong-import-order
from playground import wait_until  # pylint: disable=wrong-import-order

ALICE = "alice@example.org"
BOB = "bob@example.org"

DOVECOT = """\
auth_master_user_separator = *
passdb {{
  driver = passwd-file
  master = yes
  args = scheme=PLAIN {masters}
}}
"""


class ExternalTest(SystemTest):
    """A Dovecot with a master user, and Waypost that asks clients for a certificate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ground = cls.ground
        masters = ground.write("chief:{PLAIN}master secret\n", "masters")
        cls.password_file = ground.write("master secret\n", "master.password", mode=0o600)
        cls.server = Dovecot(ground, "first", tls="implicit", extra=DOVECOT.format(masters=masters),
                             users=[sample_user(ALICE), User(BOB)])
        cls.clients = Authority(ground.directory("client-ca"), "Client CA")
        cls.waypost = cls.start_waypost(cls.routes(separator="*"), cls.settings())

    @classmethod
    def routes(cls, **master):
        entry = backend(cls.ground, cls.server, mechanisms=["PLAIN", "LOGIN"], login={
            "master": {"user": "chief", "password_file": cls.password_file, **master}})
        return {"backends": {"first": entry}, "routes": [{"to": "first"}]}

    @classmethod
    def settings(cls, client_auth="request", **auth):
        return {"auth": {"mechanisms": ["PLAIN", "EXTERNAL"], **auth},
                "tls": {"client_ca": cls.clients.chain, "client_auth": client_auth}}

    def certified(self, file, email=None, name=None, authority=None):
        """The context of a client with such a certificate."""
        pair = issue(authority or self.clients, file, email, name)
        context = tls_context(self.authority)
        context.load_cert_chain(pair[0], pair[1])
        return context

    def assert_in(self, client, reply, user, count):
        self.assertEqual(reply.status, "OK", reply.all)
        self.assertIn(b"* %d EXISTS\r\n" % count, client.command("SELECT INBOX").untagged)
        wait_until(lambda: f"Login: user=<{user}>" in self.server.log(), f"{user} logged in")


def issue(authority, file, email, name):
    """A certificate for a person: chain and key as paths."""
    chain, key = (os.path.join(authority.directory, f"{file}.{end}") for end in ("pem", "key"))
    san = ["-addext", f"subjectAltName=email:{email}"] if email else []
    openssl("req", "-x509", "-CA", authority.chain, "-CAkey",
            os.path.join(authority.directory, "ca.key"), "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", chain, "-days", "7",
            "-subj", f"/CN={name}" if name else "/O=Nobody in particular", *san,
            "-addext", "basicConstraints=critical,CA:FALSE",
            "-addext", "extendedKeyUsage=clientAuth")
    return chain, key


class External(ExternalTest):
    """The mechanism EXTERNAL."""

    def test_email_and_common_name(self):
        for file, email, name, user, count in (("email", ALICE, "Somebody", ALICE, 3),
                                               ("cn", None, BOB, BOB, 0)):
            context = self.certified(file, email, name)
            for initial in (True, False):
                client = self.connect(context=context)
                self.assertIn(b"AUTH=EXTERNAL", client.greeting)
                reply = authenticate(client, "EXTERNAL", b"", initial)
                self.assert_in(client, reply, user, count)

    def test_the_password_of_the_master_user_stays_where_it_is(self):
        client = self.connect(context=self.certified("quiet", ALICE))
        authenticate(client, "EXTERNAL", b"")
        self.assertNotIn("master secret", self.waypost.log())
        self.assertNotIn(b"chief", client.transcript)

    def test_plain_with_the_user_as_authorization_identity(self):
        waypost = self.start_waypost(self.routes(), self.settings())
        client = self.connect(waypost, context=self.certified("authzid", ALICE))
        self.assert_in(client, authenticate(client, "EXTERNAL", b""), ALICE, 3)

    def test_passwords_still_work_with_and_without_a_certificate(self):
        for context in (self.context, self.certified("both", BOB)):
            client = self.connect(context=context)
            self.assert_in(client, client.login(ALICE, self.server.users[ALICE].password), ALICE, 3)

    def test_without_a_certificate_it_is_neither_offered_nor_taken(self):
        client = self.connect()
        self.assertNotIn(b"EXTERNAL", client.greeting)
        for _ in range(2):
            self.assertEqual(Exchange(client, "EXTERNAL", b"").hear().status, "NO")
        self.assertEqual(client.login(ALICE, self.server.users[ALICE].password).status, "OK")

    def test_a_certificate_without_a_name_is_nobody(self):
        client = self.connect(context=self.certified("nobody"))
        self.assertEqual(Exchange(client, "EXTERNAL", b"").hear().status, "NO")

    def test_a_stranger_is_not_let_in(self):
        stranger = Authority(self.ground.directory("other-ca"), "Client CA")
        context = self.certified("stranger", ALICE, authority=stranger)
        with self.assertRaises((OSError, Closed)):
            client = self.connect(context=context)
            authenticate(client, "EXTERNAL", b"")

    def test_t36_a_certificate_speaks_for_its_own_name_only(self):
        """Behind it stands a master user, so not even allow_authzid makes it more."""
        allowing = self.start_waypost(self.routes(separator="*"),
                                      self.settings(allow_authzid=True))
        context = self.certified("other", ALICE)
        for waypost in (self.waypost, allowing):
            client = self.connect(waypost, context=context)
            reply = authenticate(client, "EXTERNAL", BOB.encode())
            self.assertRegex(reply.text, r"^\[AUTHORIZATIONFAILED\]")
            reply = authenticate(client, "EXTERNAL", ALICE.upper().encode())
            self.assert_in(client, reply, ALICE, 3)

    def test_certificate_name_says_where_to_look(self):
        waypost = self.start_waypost(self.routes(separator="*"),
                                     self.settings(certificate_name=["cn"]))
        client = self.connect(waypost, context=self.certified("where", ALICE, BOB))
        self.assert_in(client, authenticate(client, "EXTERNAL", b""), BOB, 0)

    def test_after_starttls(self):
        context = self.certified("starttls", ALICE)
        client = self.connect_clear()
        client.starttls(context)
        self.assert_in(client, authenticate(client, "EXTERNAL", b""), ALICE, 3)


if __name__ == "__main__":
    unittest.main()
