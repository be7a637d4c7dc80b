"""Real clients (curl, mbsync, imaplib, openssl) through Waypost to two real Dovecot servers."""

import contextlib
import hashlib
import imaplib
import os
import subprocess
import time
import unittest
from pathlib import Path

from tests.support.case import (Dovecot, SystemTest, User, backend, message, sample_user)

import visit  # pylint: disable=wrong-import-order
from playground import HOST, wait_until  # pylint: disable=wrong-import-order

AWKWARD = r'p"a\ss w{4}%'
BIG = 20 * 1024 * 1024


class RealClients(SystemTest):
    """Two backends, one behind implicit TLS and one behind STARTTLS."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = Dovecot(cls.ground, "first", tls="implicit", users=[
            sample_user("alice@example.org"), sample_user("bob@example.org", password=AWKWARD)])
        cls.second = Dovecot(cls.ground, "second", tls="starttls", compress=True, users=[
            sample_user("carol@example.net"), User("sync@example.net"), User("big@example.net")])
        cls.users = {**cls.first.users, **cls.second.users}
        cls.waypost = cls.start_waypost({
            "backends": {server.name: backend(cls.ground, server)
                         for server in (cls.first, cls.second)},
            "routes": [{"domains": {"example.org": "first", "example.net": "second"}}],
        })
        cls.doors = [visit.Door("imaps", f"imaps://{HOST}:{cls.waypost.implicit_port}"),
                     visit.Door("imap", f"imap://{HOST}:{cls.waypost.starttls_port}")]

    def imaplib(self, port=None):
        """A connected imaplib client that has not logged in."""
        mail = imaplib.IMAP4_SSL(HOST, port or self.waypost.implicit_port,
                                 ssl_context=self.context, timeout=20)
        self.addCleanup(hang_up, mail)
        return mail

    def login(self, name):
        mail = self.imaplib()
        mail.login(name, self.users[name].password)
        return mail

    def test_curl_sees_each_users_own_mail_over_both_ports(self):
        visitor = visit.Visitor(self.authority, quiet=True)
        for door in self.doors:
            for name in ("alice@example.org", "bob@example.org", "carol@example.net"):
                visitor.visit(door, self.users[name])
        self.assertEqual(visitor.differences, [])
        self.assertEqual(visitor.checks, 2 * 3 * 7)

    def test_the_backends_saw_tls_and_the_right_users(self):
        for name in ("alice@example.org", "carol@example.net"):
            self.login(name).logout()
        wait_until(lambda: "Login: user=<alice@example.org>" in self.first.log(), "alice's login")
        wait_until(lambda: "Login: user=<carol@example.net>" in self.second.log(), "carol's login")
        self.assertNotIn("carol@example.net", self.first.log())
        self.assertNotIn("alice@example.org", self.second.log())
        for log in (self.first.log(), self.second.log()):
            logins = [line for line in log.splitlines() if "Login: user=" in line]
            self.assertTrue(logins)
            self.assertEqual([line for line in logins if ", TLS," not in line], [])

    def test_imaplib_login_with_quotes_and_backslashes(self):
        mail = self.login("bob@example.org")
        self.assertEqual(mail.select("INBOX", readonly=True), ("OK", [b"3"]))
        self.assertEqual(mail.logout()[0], "BYE")

    def test_imaplib_authenticate_plain(self):
        user = self.users["carol@example.net"]
        mail = self.imaplib()
        self.assertIn("AUTH=PLAIN", mail.capabilities)
        status, _ = mail.authenticate(
            "PLAIN", lambda _: f"\0{user.name}\0{user.password}".encode())
        self.assertEqual(status, "OK")
        self.assertEqual(mail.select("Archive", readonly=True), ("OK", [b"1"]))
        mail.logout()

    def test_imaplib_after_starttls(self):
        mail = imaplib.IMAP4(HOST, self.waypost.starttls_port, timeout=20)
        self.addCleanup(hang_up, mail)
        self.assertIn("STARTTLS", mail.capabilities)
        self.assertIn("LOGINDISABLED", mail.capabilities)
        mail.starttls(self.context)
        self.assertNotIn("STARTTLS", mail.capabilities)
        user = self.users["alice@example.org"]
        mail.login(user.name, user.password)
        self.assertEqual(mail.select("INBOX", readonly=True), ("OK", [b"3"]))
        mail.logout()

    def test_a_wrong_password_leaves_the_connection_usable(self):
        mail = self.imaplib()
        user = self.users["alice@example.org"]
        with self.assertRaisesRegex(imaplib.IMAP4.error, "AUTHENTICATIONFAILED"):
            mail.login(user.name, "wrong")
        mail.login(user.name, user.password)
        mail.logout()

    def test_append_and_fetch_20_mb_compare_by_hash(self):
        mail = self.login("big@example.net")
        line = b"".join(b"%08x" % number for number in range(9)) + b"\r\n"
        content = message("a@example.org", "big@example.net", "big", "x\n")
        content += line * ((BIG - len(content)) // len(line))
        self.assertEqual(mail.append("INBOX", None, None, content)[0], "OK")
        mail.select("INBOX")
        status, data = mail.fetch("1", "(BODY.PEEK[])")
        self.assertEqual(status, "OK")
        self.assertEqual(hashlib.sha256(data[0][1]).hexdigest(),
                         hashlib.sha256(content).hexdigest())
        mail.logout()

    def test_compress_after_login_if_offered(self):
        """COMPRESS is either hidden or works: what is advertised can be used."""
        user = self.users["carol@example.net"]
        with self.connect() as client:
            client.login(user.name, user.password)
            offered = b"COMPRESS=DEFLATE" in client.command("CAPABILITY").all
            reply = client.command("COMPRESS DEFLATE")
            self.assertEqual(reply.status == "OK", offered, reply.all)

    def test_idle_push_arrives_within_a_second(self):
        user = self.users["alice@example.org"]
        watcher = self.connect(timeout=10)
        watcher.login(user.name, user.password)
        watcher.command("SELECT INBOX")
        watcher.send("i IDLE\r\n")
        self.assertTrue(watcher.line().startswith(b"+ "))
        poster = self.login(user.name)
        content = message("x@example.org", user.name, "pushed", "now\n")
        self.assertEqual(poster.append("INBOX", None, None, content)[0], "OK")
        appended = time.monotonic()
        while b" EXISTS" not in watcher.line():
            pass
        self.assertLess(time.monotonic() - appended, 1.0)
        watcher.send("DONE\r\n")
        self.assertEqual(watcher.reply("i").status, "OK")
        poster.select("INBOX")
        poster.store("*", "+FLAGS", r"(\Deleted)")
        poster.expunge()
        poster.logout()


class Mbsync(SystemTest):
    """isync copies a mailbox both ways through the proxy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dovecot = Dovecot(cls.ground, "backend", tls="starttls",
                              users=[User("sync@example.net")])
        # mbsync wants an address to be the certificate's common name.
        certificate = cls.ground.authority.issue(HOST, ["mail.example.org", HOST])
        cls.waypost = cls.start_waypost({
            "backends": {"backend": backend(cls.ground, cls.dovecot)},
            "routes": [{"to": "backend"}],
        }, certificates=[certificate])

    def configure(self, name, port, kind):
        user = self.dovecot.users["sync@example.net"]
        local = self.ground.directory(f"mbsync-{name}")
        return self.ground.write(f"""\
IMAPAccount proxy
Host {HOST}
Port {port}
User {user.name}
Pass {user.password}
SSLType {kind}
CertificateFile {self.authority}
SystemCertificates no
AuthMechs LOGIN

IMAPStore far
Account proxy

MaildirStore near
Path {local}/
Inbox {local}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Both
Expunge Both
SyncState *
""", f"mbsync-{name}.rc", mode=0o600), os.path.join(local, "INBOX")

    def sync(self, configuration):
        done = subprocess.run(["mbsync", "-c", configuration, "all"], capture_output=True,
                              text=True, timeout=60, check=False,
                              env={**os.environ, "HOME": self.ground.root})
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def both_ways(self, name, port, kind):
        configuration, near = self.configure(name, port, kind)
        far = self.dovecot.maildir("sync@example.net")
        outgoing = message("near@example.org", "sync@example.net", f"from near, {name}", "up\n")
        self.sync(configuration)
        with open(os.path.join(near, "new", f"1.1.{name}"), "wb") as file:
            file.write(outgoing.replace(b"\r\n", b"\n"))
        self.sync(configuration)
        self.assertTrue(holds(far, f"from near, {name}"))
        with self.connect() as client:
            user = self.dovecot.users["sync@example.net"]
            client.login(user.name, user.password)
            incoming = message("far@example.org", user.name, f"from far, {name}", "down\n")
            client.send(b"a APPEND INBOX {%d+}\r\n" % len(incoming) + incoming + b"\r\n")
            self.assertEqual(client.reply("a").status, "OK")
        self.sync(configuration)
        self.assertTrue(holds(near, f"from far, {name}"))

    def test_both_ways_over_implicit_tls(self):
        self.both_ways("imaps", self.waypost.implicit_port, "IMAPS")

    def test_both_ways_over_starttls(self):
        self.both_ways("starttls", self.waypost.starttls_port, "STARTTLS")


def hang_up(mail):
    """Closes the connection of an imaplib client that may be closed already."""
    with contextlib.suppress(OSError):
        mail.shutdown()


def holds(maildir, subject):
    """True when a message with that subject lies in the maildir."""
    needle = f"Subject: {subject}".encode()
    paths = [path for part in ("cur", "new") for path in Path(maildir, part).iterdir()]
    return any(needle in path.read_bytes() for path in paths)


if __name__ == "__main__":
    unittest.main()
