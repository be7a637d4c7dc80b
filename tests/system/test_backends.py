"""What a real Dovecot makes of Waypost: mechanisms relayed, and whose address it is told."""

import base64
import json
import unittest

from tests.support.case import Dovecot, FakeTest, SystemTest, User, backend
from tests.support.client import Client, tls_context
from tests.support.fake_imap import Script
from tests.support.scram import Scram

from playground import HOST, free_port, wait_until  # pylint: disable=wrong-import-order

NAME = "alice@example.org"
FAR = "192.0.2.77"


class Mechanisms(SystemTest):
    """SCRAM passes through; EXTERNAL becomes a master login."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        masters = cls.ground.write("proxy:{PLAIN}master-secret\n", "masters")
        secret = cls.ground.write("master-secret\n", "master-password", mode=0o600)
        cls.dovecot = Dovecot(
            cls.ground, "backend", users=[User(NAME, mailboxes={"INBOX": []})],
            auth_mechanisms="plain login scram-sha-1 scram-sha-256",
            extra=f"auth_master_user_separator = *\npassdb {{\n  driver = passwd-file\n"
                  f"  args = {masters}\n  master = yes\n  result_success = continue\n}}\n")
        cls.password = cls.dovecot.users[NAME].password
        entry = backend(cls.ground, cls.dovecot,
                        mechanisms=["PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"])
        cls.waypost = cls.start_waypost(
            {"backends": {"backend": entry,
                          "mastered": {**entry, "login": {"master": {
                              "user": "proxy", "password_file": secret, "separator": "*"}}}},
             "routes": [{"domains": {"example.org": "mastered"}}]},
            {"auth": {"mechanisms": ["PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "EXTERNAL"],
                      "certificate_name": ["email"]},
             "tls": {"client_ca": cls.authority, "client_auth": "request"}})

    def exchange(self, mechanism, digest, password):
        """One SCRAM exchange: the client and the reply."""
        client = self.connect(timeout=10)
        scram = Scram(NAME, password, digest)
        client.send(f"a AUTHENTICATE {mechanism} {scram.first()}\r\n")
        line = client.line()
        self.assertTrue(line.startswith(b"+ "), line)
        client.send(scram.final(line[2:].strip()) + "\r\n")
        line = client.line()
        if not line.startswith(b"+ "):
            return client, line
        self.assertTrue(scram.verify(line[2:].strip()), "the server's signature")
        client.send("\r\n")
        return client, client.reply("a").tagged

    def test_scram_is_relayed(self):
        for mechanism, digest in (("SCRAM-SHA-1", "sha1"), ("SCRAM-SHA-256", "sha256")):
            client, line = self.exchange(mechanism, digest, self.password)
            self.assertTrue(line.startswith(b"a OK "), line)
            self.assertEqual(client.command("SELECT INBOX").status, "OK")
            wait_until(lambda m=mechanism: f"method={m}" in self.dovecot.log(), mechanism)

    def test_scram_with_a_wrong_password(self):
        client, line = self.exchange("SCRAM-SHA-256", "sha256", "wrong")
        self.assertEqual(line, b"a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n")
        self.assertEqual(client.login(NAME, self.password).status, "OK")

    def test_scram_cancelled(self):
        client = self.connect(timeout=10)
        client.send(f"a AUTHENTICATE SCRAM-SHA-256 {Scram(NAME, 'x').first()}\r\n")
        self.assertTrue(client.line().startswith(b"+ "))
        client.send("*\r\n")
        self.assertEqual(client.reply("a").status, "BAD")
        self.assertEqual(client.login(NAME, self.password).status, "OK")

    def with_certificate(self, file, names):
        pair = self.ground.authority.issue(file, names)
        context = tls_context(self.authority)
        context.load_cert_chain(pair.chain, pair.key)
        return self.connect(context=context)

    def test_external_logs_in_as_whom_the_certificate_names(self):
        client = self.with_certificate("alice", [NAME])
        self.assertIn(b"AUTH=EXTERNAL", client.greeting)
        reply = client.command("AUTHENTICATE EXTERNAL =")
        self.assertEqual(reply.status, "OK", reply.all)
        self.assertEqual(client.command("SELECT INBOX").status, "OK")

    def test_external_does_not_make_anybody_else(self):
        client = self.with_certificate("mallory", ["mallory@example.org"])
        other = base64.b64encode(NAME.encode()).decode()
        self.assertEqual(client.command(f"AUTHENTICATE EXTERNAL {other}").status, "NO")
        self.assertEqual(client.command("AUTHENTICATE EXTERNAL =").status, "NO")

    def test_external_without_a_certificate(self):
        client = self.connect()
        self.assertNotIn(b"AUTH=EXTERNAL", client.greeting)
        self.assertEqual(client.command("AUTHENTICATE EXTERNAL =").status, "NO")

    def test_a_master_does_not_replace_the_users_own_password(self):
        client = self.connect()
        self.assertEqual(client.login(NAME, "wrong").status, "NO")
        self.assertEqual(client.login(NAME, self.password).status, "OK")


class Identity(SystemTest):
    """The client's address reaches Dovecot by ID and by PROXY header; the client's own does not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        users = [User(NAME, password="secret", mailboxes={"INBOX": []})]
        cls.by_id = Dovecot(cls.ground, "byid", users, login_trusted_networks=HOST)
        cls.by_header = Dovecot(cls.ground, "byheader", users, haproxy=True)
        cls.by_id_clear = Dovecot(cls.ground, "byidclear", users, tls="starttls",
                                  login_trusted_networks=HOST)
        cls.servers = {"id": cls.by_id, "v1": cls.by_header, "v2": cls.by_header,
                       "clear": cls.by_id_clear}
        words = {"id": ["id"], "v1": ["proxy-v1"], "v2": ["proxy-v2"], "clear": ["id"]}
        port = free_port()
        cls.waypost = cls.start_waypost(
            {"backends": {name: backend(cls.ground, server, identity=words[name])
                          for name, server in cls.servers.items()},
             "routes": [{"domains": {f"{name}.example": {"to": name, "login_as": NAME}
                                     for name in cls.servers}}]})
        cls.waypost.stop()
        cls.waypost.configuration["listeners"].append({
            "name": "balanced", "address": f"{HOST}:{port}", "tls": "starttls",
            "proxy_protocol": {"from": [HOST]}})
        cls.waypost.write_configuration()
        cls.waypost.start()
        cls.port = port

    def test_dovecot_logs_the_clients_address(self):
        for name, server in self.servers.items():
            before = server.log().count(f"rip={FAR}")
            client = Client(self.port, None, greeting=False)
            self.addCleanup(client.close)
            client.send(f"PROXY TCP4 {FAR} 198.51.100.1 5555 143\r\n")
            client.line()
            client.starttls(self.context)
            client.send('i ID ("x-originating-ip" "203.0.113.9" "name" "test")\r\n')
            client.reply("i")
            reply = client.login(f"alice@{name}.example", "secret")
            self.assertEqual(reply.status, "OK", (name, reply.all))

            def logged(server=server, before=before):
                logins = [line for line in server.log().splitlines() if "Login: user=" in line]
                return sum(f"rip={FAR}" in line for line in logins) > before

            wait_until(logged, f"{name}: the address in Dovecot's log")
            self.assertNotIn("203.0.113.9", server.log())  # t60

    def test_curl_like_clients_without_a_balancer(self):
        for name in self.servers:
            client = self.connect()
            self.assertEqual(client.login(f"alice@{name}.example", "secret").status, "OK", name)


class Tokens(FakeTest):
    """OAUTHBEARER and XOAUTH2 reach the backend, and its explanation reaches the client."""

    settings = {"auth": {"mechanisms": ["PLAIN", "XOAUTH2", "OAUTHBEARER"]}}
    explanation = base64.b64encode(json.dumps({"status": "401"}).encode())

    @classmethod
    def routes(cls):
        routes = super().routes()
        routes["backends"]["fake"]["mechanisms"] = ["PLAIN", "XOAUTH2", "OAUTHBEARER"]
        return routes

    def setUp(self):
        script = Script()
        script.capabilities = b"IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=PLAIN"

        def do_authenticate(peer, tag, rest, _context):
            _, _, initial = rest.partition(b" ")
            if b"good-token" in base64.b64decode(initial):
                return script.accept(peer, tag)
            peer.send(b"+ " + self.explanation + b"\r\n")
            peer.received.append(b"dummy " + peer.line())
            peer.send(tag + b" NO [AUTHENTICATIONFAILED] expired\r\n")
            return False

        script.do_authenticate = do_authenticate
        self.use(script)

    def message(self, mechanism, token):
        text = f"n,a=user@example.org,\1auth=Bearer {token}\1\1" if mechanism == "OAUTHBEARER" \
            else f"user=user@example.org\1auth=Bearer {token}\1\1"
        return base64.b64encode(text.encode()).decode()

    def test_a_good_token(self):
        for mechanism in ("XOAUTH2", "OAUTHBEARER"):
            reply = self.connect().command(
                f"AUTHENTICATE {mechanism} {self.message(mechanism, 'good-token')}")
            self.assertEqual(reply.status, "OK", reply.all)

    def test_t37_the_explanation_is_relayed_before_the_no(self):
        for mechanism, dummy in (("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")):
            client = self.connect()
            client.send(f"a AUTHENTICATE {mechanism} {self.message(mechanism, 'old-token')}\r\n")
            self.assertEqual(client.line(), b"+ " + self.explanation + b"\r\n")
            client.send(dummy + "\r\n")
            reply = client.reply("a")
            self.assertEqual(reply.status, "NO", reply.all)
            self.assertIn("[AUTHENTICATIONFAILED]", reply.text)
            self.assertEqual(client.command("NOOP").status, "OK")

    def test_t79_tokens_stay_out_of_the_log(self):
        for mechanism in ("XOAUTH2", "OAUTHBEARER"):
            self.connect().command(
                f"AUTHENTICATE {mechanism} {self.message(mechanism, 'good-token')}")
        self.waypost.wait_for_log(r"event=login ")
        self.assertNotIn("good-token", self.waypost.log())


class Learning(FakeTest):
    """What is announced follows what the backend was seen to offer."""

    settings = {"auth": {"mechanisms": ["PLAIN", "XOAUTH2", "OAUTHBEARER"]}}

    def test_mechanisms_are_announced_once_the_backend_is_known_to_take_them(self):
        script = Script()
        script.capabilities = b"IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN"
        self.use(script)
        self.assertNotIn(b"XOAUTH2", self.connect().greeting)
        self.assertEqual(self.connect().login("user@example.org", "secret").status, "OK")
        greeting = self.connect().greeting
        self.assertIn(b"AUTH=XOAUTH2", greeting)
        self.assertNotIn(b"OAUTHBEARER", greeting)


if __name__ == "__main__":
    unittest.main()
