"""A visit to an IMAP server with curl: what a user would see, compared with what should be there."""

import subprocess
from dataclasses import dataclass
from urllib.parse import quote


@dataclass
class Door:
    """One way in: a name for people and the start of the URL."""

    name: str
    url: str


class Curl:
    """The curl command with one certificate authority. Passwords go through stdin, not argv."""

    def __init__(self, authority):
        self._authority = authority

    def get(self, url, user, password, *options):
        """The completed process; stdout is bytes."""
        secret = f"{user}:{password}".replace("\\", "\\\\").replace('"', '\\"')
        return subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "30", "--ssl-reqd",
             "--cacert", self._authority, "--config", "-", *options, url],
            input=f'user = "{secret}"\n'.encode(), capture_output=True, check=False)


class Visitor:
    """Counts checks and collects differences; prints them as they happen unless `quiet`."""

    LOGIN_DENIED = 67  # curl's exit status

    def __init__(self, authority, quiet=False):
        self._curl = Curl(authority)
        self._quiet = quiet
        self.checks = 0
        self.differences = []

    def visit(self, door, user):
        """Mailboxes, every message, and a wrong password."""
        self._say(f"\n{user.name} over {door.name}")
        self._mailboxes(door, user)
        for mailbox, messages in user.mailboxes.items():
            for number, content in enumerate(messages, 1):
                self._message(door, user, mailbox, number, content)
        denied = self._curl.get(door.url + "/", user.name, user.password + "x")
        self._check("wrong password", denied.returncode, self.LOGIN_DENIED,
                    shown=denied.stderr.decode(errors="replace").strip())

    def _mailboxes(self, door, user):
        got = self._curl.get(door.url + "/", user.name, user.password)
        names = sorted(line.rsplit('"/" ', 1)[-1].strip('"')
                       for line in got.stdout.decode(errors="replace").splitlines() if line)
        self._check("mailboxes", (got.returncode, names), (0, sorted(user.mailboxes)),
                    shown=", ".join(names) or got.stderr.decode(errors="replace").strip())

    def _message(self, door, user, mailbox, number, content):
        url = f"{door.url}/{quote(mailbox)};MAILINDEX={number}"
        got = self._curl.get(url, user.name, user.password)
        subject = next((line for line in got.stdout.decode(errors="replace").splitlines()
                        if line.startswith("Subject:")), "")
        self._check(f"{mailbox} {number}", got.stdout, content,
                    shown=f"{len(got.stdout)} bytes, {subject}" if subject
                    else got.stderr.decode(errors="replace").strip())

    def _check(self, what, seen, expected, shown):
        self.checks += 1
        same = seen == expected
        self._say(f"  {'same' if same else 'DIFFERS':<8}{what:<16}{shown}")
        if not same:
            self.differences.append(
                f"{what}: expected {expected!r:.200}, saw {seen!r:.200}: {shown}")

    def _say(self, line):
        if not self._quiet:
            print(line, flush=True)
