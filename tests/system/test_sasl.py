"""Every mechanism of a client, through Waypost, to a real Dovecot that judges it."""

import base64
import json
import time
import unittest

from tests.support.case import Dovecot, SystemTest, User, backend, sample_user
from tests.support.sasl import (Exchange, Scram, authenticate, oauthbearer, plain, scram, token,
                                xoauth2)

from playground import wait_until  # pylint: disable=wrong-import-order

MECHANISMS = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-1", "SCRAM-SHA-256"]
ALICE = "alice@example.org"
BOB = "bob@example.org"
AWKWARD = "comma,equal=@example.org"
KEY = b"0123456789abcdef0123456789abcdef"

DOVECOT = """\
auth_master_user_separator = *
auth_username_chars =
passdb {{
  driver = passwd-file
  master = yes
  args = scheme=PLAIN {masters}
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {oauth}
}}
"""

OAUTH = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={keys}/
username_attribute = email
username_format = %Lu
openid_configuration_url = https://login.example.org/.well-known/openid-configuration
"""


class SaslTest(SystemTest):
    """One Dovecot that knows all mechanisms, users with plain passwords, a master and tokens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ground = cls.ground
        cls.server = Dovecot(
            ground, "first", tls="implicit",
            users=[sample_user(ALICE), User(BOB), User(AWKWARD)],
            auth_mechanisms=" ".join(MECHANISMS).lower(), extra=cls.dovecot_extra(ground))
        cls.users = cls.server.users
        cls.waypost = cls.start_waypost(cls.routes(), cls.settings())

    @classmethod
    def dovecot_extra(cls, ground):
        ground.directory("keys", "default", "HS256")
        ground.write(base64.b64encode(KEY).decode(), "keys", "default", "HS256", "default")
        return DOVECOT.format(
            masters=ground.write("chief:{PLAIN}master secret\n", "masters"),
            oauth=ground.write(OAUTH.format(keys=ground.path("keys")), "oauth.conf.ext"))

    @classmethod
    def routes(cls, **options):
        return {"backends": {"first": backend(cls.ground, cls.server, mechanisms=MECHANISMS,
                                              **options)},
                "routes": [{"to": "first"}]}

    @classmethod
    def settings(cls, **auth):
        return {"auth": {"mechanisms": MECHANISMS, "oauth_claim": "email",
                         "penalty": {"first": "0s", "max": "0s"}, **auth}}

    def assert_in(self, client, reply, user, count=0):
        """Logged in, as this user, at the Dovecot."""
        self.assertEqual(reply.status, "OK", reply.all)
        self.assertEqual(client.command("NOOP").status, "OK")
        selected = client.command("SELECT INBOX")
        self.assertIn(b"* %d EXISTS\r\n" % count, selected.untagged)
        wait_until(lambda: f"Login: user=<{user}>" in self.server.log(), f"{user} logged in")

    def assert_refused(self, client, reply, code="AUTHENTICATIONFAILED"):
        """Refused with that code, and the connection is good for another try."""
        self.assertEqual(reply.status, "NO", reply.all)
        self.assertRegex(reply.text, rf"^\[{code}\] \S")
        self.assertEqual(reply.untagged, [])
        self.assertEqual(client.login(ALICE, self.users[ALICE].password).status, "OK")


class Passwords(SaslTest):
    """LOGIN and the mechanisms that tell the password."""

    def test_login_and_plain_and_login(self):
        password = self.users[ALICE].password
        client = self.connect()
        self.assert_in(client, client.login(ALICE, password), ALICE, 3)
        for initial in (True, False):
            client = self.connect()
            reply = authenticate(client, "PLAIN", plain(ALICE, password), initial)
            self.assert_in(client, reply, ALICE, 3)
            client = self.connect()
            exchange = Exchange(client, "LOGIN")
            self.assertEqual(exchange.hear(), b"Username:")
            exchange.say(ALICE.encode())
            self.assertEqual(exchange.hear(), b"Password:")
            exchange.say(password.encode())
            self.assert_in(client, exchange.hear(), ALICE, 3)

    def test_wrong_passwords(self):
        client = self.connect()
        self.assert_refused(client, client.login(ALICE, "wrong"))
        client = self.connect()
        self.assert_refused(client, authenticate(client, "PLAIN", plain(ALICE, "wrong")))

    def test_t36_authzid_is_refused_unless_allowed(self):
        client = self.connect()
        self.assert_refused(client, authenticate(
            client, "PLAIN", plain("chief", "master secret", authzid=ALICE)),
            "AUTHORIZATIONFAILED")
        client = self.connect()
        own = plain(BOB, self.users[BOB].password, authzid=BOB)
        self.assert_in(client, authenticate(client, "PLAIN", own), BOB)

    def test_t36_authzid_of_a_master_user_where_allowed(self):
        waypost = self.start_waypost(self.routes(), self.settings(allow_authzid=True))
        client = self.connect(waypost)
        reply = authenticate(client, "PLAIN", plain("chief", "master secret", authzid=ALICE))
        self.assert_in(client, reply, ALICE, 3)
        self.assertRegex(waypost.log(), rf"event=login .*user={ALICE} ")
        for message in (plain("chief", "wrong", authzid=ALICE),
                        plain(BOB, self.users[BOB].password, authzid=ALICE)):
            client = self.connect(waypost)
            self.assert_refused(client, authenticate(client, "PLAIN", message),
                                "AUTH(ENTICATION|ORIZATION)FAILED")

    def test_t29_cancelled(self):
        for mechanism in ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"):
            client = self.connect()
            for _ in range(4):  # more often than wrong passwords may be
                exchange = Exchange(client, mechanism)
                exchange.hear()
                exchange.say_raw(b"*")
                self.assertEqual(exchange.hear().status, "BAD")
            self.assertEqual(client.login(ALICE, self.users[ALICE].password).status, "OK")

    def test_t34_login_takes_the_user_name_as_initial_response(self):
        client = self.connect()
        exchange = Exchange(client, "LOGIN", ALICE.encode())
        self.assertEqual(exchange.hear(), b"Password:")
        exchange.say(self.users[ALICE].password.encode())
        self.assert_in(client, exchange.hear(), ALICE, 3)


class Scrams(SaslTest):
    """SCRAM, in which neither Waypost nor the wire sees a password."""

    def test_both_hashes_and_the_servers_proof(self):
        for mechanism in Scram.HASHES:
            for initial in (True, False):
                login = Scram(mechanism, ALICE, self.users[ALICE].password)
                client = self.connect()
                self.assert_in(client, scram(client, login, initial), ALICE, 3)
                self.assertTrue(login.verified, mechanism)

    def test_a_name_with_commas(self):
        login = Scram("SCRAM-SHA-256", AWKWARD, self.users[AWKWARD].password)
        client = self.connect()
        self.assertEqual(scram(client, login).status, "OK")
        self.assertTrue(login.verified)

    def test_wrong_password_and_unknown_user(self):
        for user in (ALICE, "nobody@example.org"):
            login = Scram("SCRAM-SHA-256", user, "wrong")
            client = self.connect()
            self.assert_refused(client, scram(client, login))
            self.assertFalse(login.verified)

    def test_wrong_passwords_are_guesses(self):
        client = self.connect()
        for _ in range(3):
            reply = scram(client, Scram("SCRAM-SHA-1", ALICE, "wrong"))
            self.assertEqual(reply.status, "NO", reply.all)
        self.assertIn(b"* BYE", client.rest())

    def test_t29_cancelled_in_the_middle(self):
        client = self.connect()
        for _ in range(2):
            login = Scram("SCRAM-SHA-256", ALICE, self.users[ALICE].password)
            exchange = Exchange(client, login.mechanism, login.first())
            self.assertIn(b",i=", exchange.hear())
            exchange.say_raw(b"*")
            self.assertEqual(exchange.hear().status, "BAD")
        self.assertEqual(scram(client, login := Scram(
            "SCRAM-SHA-256", ALICE, self.users[ALICE].password)).status, "OK")
        self.assertTrue(login.verified)

    def test_t30_no_base64_in_the_middle(self):
        client = self.connect()
        login = Scram("SCRAM-SHA-256", ALICE, self.users[ALICE].password)
        exchange = Exchange(client, login.mechanism, login.first())
        exchange.hear()
        exchange.say_raw(b"a2 NOOP")
        self.assertEqual(exchange.hear().status, "BAD")
        self.assertEqual(client.login(ALICE, self.users[ALICE].password).status, "OK")

    def test_t62_neither_a_security_layer_nor_channel_binding(self):
        client = self.connect()
        self.assertNotIn(b"-PLUS", client.greeting)
        login = Scram("SCRAM-SHA-256", ALICE, self.users[ALICE].password)
        bound = login.first().replace(b"n,", b"p=tls-unique,", 1)
        reply = Exchange(client, login.mechanism, bound).hear()
        self.assertIn(reply.status, ("BAD", "NO"), reply.all)
        self.assertEqual(client.login(ALICE, self.users[ALICE].password).status, "OK")

    def test_a_route_that_renames_cannot_carry_it(self):
        routes = self.routes()
        routes["routes"] = [{"to": "first", "login_as": "{local}@example.org"}]
        waypost = self.start_waypost(routes, self.settings())
        client = self.connect(waypost)
        login = Scram("SCRAM-SHA-1", "alice@elsewhere.example", self.users[ALICE].password)
        reply = scram(client, login)
        self.assertRegex(reply.text, r"^\[SERVERBUG\]")
        waypost.wait_for_log(r"event=backend_failed .*changes the user name")

    def test_t36_a_master_user_where_allowed(self):
        waypost = self.start_waypost(self.routes(), self.settings(allow_authzid=True))
        client = self.connect(waypost)
        login = Scram("SCRAM-SHA-256", "chief", "master secret", authzid=ALICE)
        self.assert_in(client, scram(client, login), ALICE, 3)
        self.assertTrue(login.verified)

    def test_t36_another_identity_is_refused(self):
        client = self.connect()
        login = Scram("SCRAM-SHA-256", ALICE, self.users[ALICE].password, authzid=BOB)
        self.assert_refused(client, scram(client, login), "AUTHORIZATIONFAILED")


class Tokens(SaslTest):
    """Bearer tokens, which the Dovecot verifies with a key of its own."""

    def good(self, **claims):
        return token(KEY, **{"email": ALICE, "sub": ALICE, "iat": int(time.time()) - 10,
                             "exp": int(time.time()) + 600, **claims})

    def bad(self):
        return token(b"another key entirely", email=ALICE, sub=ALICE,
                     exp=int(time.time()) + 600, iat=int(time.time()) - 10)

    def test_good_tokens(self):
        for mechanism, message in (("XOAUTH2", xoauth2), ("OAUTHBEARER", oauthbearer)):
            for initial in (True, False):
                client = self.connect()
                reply = authenticate(client, mechanism, message(ALICE, self.good()), initial)
                self.assert_in(client, reply, ALICE, 3)

    def test_t37_the_error_reaches_the_client(self):
        for mechanism, message, dummy in (("XOAUTH2", xoauth2, b""),
                                          ("OAUTHBEARER", oauthbearer, b"\1")):
            client = self.connect()
            exchange = Exchange(client, mechanism, message(ALICE, self.bad()))
            error = exchange.hear()
            self.assertIsInstance(error, bytes, getattr(error, "all", b""))
            self.assertIn("status", json.loads(error))
            exchange.say(dummy)
            self.assert_refused(client, exchange.hear())

    def test_t37_a_token_is_good_for_its_own_user_only(self):
        client = self.connect()
        exchange = Exchange(client, "OAUTHBEARER", oauthbearer(BOB, self.good()))
        self.assertIn("status", json.loads(exchange.hear()))
        exchange.say(b"\1")
        self.assert_refused(client, exchange.hear())

    def test_t79_tokens_stay_out_of_the_log(self):
        good = self.good()
        client = self.connect()
        authenticate(client, "XOAUTH2", xoauth2(ALICE, good))
        self.waypost.wait_for_log(r"event=login ")
        self.assertNotIn(good, self.waypost.log())

    def test_t43_all_in_one_segment(self):
        """The line behind AUTHENTICATE answers the error; what follows are commands."""
        client = self.connect()
        bad = base64.b64encode(xoauth2(ALICE, self.bad())).decode()
        client.send(f"a AUTHENTICATE XOAUTH2 {bad}\r\n\r\nb NOOP\r\n")
        self.assertTrue(client.line().startswith(b"+ "))
        self.assertEqual(client.reply("a").status, "NO")
        self.assertEqual(client.reply("b").status, "OK")

    def test_t38_the_token_alone_names_the_user(self):
        """Dovecot wants to be told; as XOAUTH2 it is."""
        waypost = self.start_waypost(self.routes(auth_forward="xoauth2"), self.settings())
        client = self.connect(waypost)
        reply = authenticate(client, "OAUTHBEARER", oauthbearer("", self.good()))
        self.assert_in(client, reply, ALICE, 3)

    def test_t38_without_a_claim_it_is_refused(self):
        waypost = self.start_waypost(self.routes(), {"auth": {
            "mechanisms": MECHANISMS, "penalty": {"first": "0s", "max": "0s"}}})
        client = self.connect(waypost)
        self.assert_refused(client, authenticate(
            client, "OAUTHBEARER", oauthbearer("", self.good())))

    def test_auth_forward_translates(self):
        for forward, mechanism, message in (("oauthbearer", "XOAUTH2", xoauth2),
                                            ("xoauth2", "OAUTHBEARER", oauthbearer)):
            waypost = self.start_waypost(self.routes(auth_forward=forward), self.settings())
            client = self.connect(waypost)
            reply = authenticate(client, mechanism, message(ALICE, self.good()))
            self.assert_in(client, reply, ALICE, 3)
            wait_until(lambda forward=forward: f"method={forward.upper()}" in self.server.log(),
                       f"a login by {forward}")


if __name__ == "__main__":
    unittest.main()
