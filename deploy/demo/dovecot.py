"""Private Dovecot 2.3 servers: own configuration, users, ports, certificates and mail.

Works as root (login processes run as Debian's dovenull and dovecot, mail belongs to nobody) and as
an ordinary user (everything runs as that user, nothing is chrooted). Needs the packages
dovecot-imapd and openssl.
"""

import grp
import os
import pwd
import secrets
import shutil
import signal
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from zlib import crc32

from playground import HOST, free_port, listening, wait_until

CONFIGURATION = """\
base_dir = {root}/run
state_dir = {root}/state
instance_name = {name}
log_path = {root}/log
auth_verbose = yes
login_log_format_elements = user=<%u> method=%m rip=%r lip=%l %c session=<%{{session}}>
protocols = imap
listen = {host}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
default_login_user = {login_user}
default_vsz_limit = 512 M
shutdown_clients = yes

ssl = {ssl}
ssl_cert = <{chain}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = {no_plaintext}
login_trusted_networks = {trusted}
haproxy_trusted_networks = {host}
auth_mechanisms = {mechanisms}
auth_failure_delay = {failure_delay}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {root}/users
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={mail}/%u
}}

first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_max_userip_connections = 200
mail_plugins = {mail_plugins}
namespace inbox {{
  inbox = yes
  separator = /
}}
protocol imap {{
  mail_plugins = {imap_plugins}
}}

service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {starttls_port}
    haproxy = {haproxy}
  }}
  inet_listener imaps {{
    port = {implicit_port}
    ssl = yes
    haproxy = {haproxy}
  }}
}}
service anvil {{
  chroot =
  # All clients share one address here: a wrong password must not slow down the others.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
{extra}
"""


@dataclass
class User:
    """A mailbox owner; `mailboxes` maps names (in IMAP's modified UTF-7) to messages, `fields` are
    extra fields of the password database."""

    name: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    mailboxes: dict = field(default_factory=dict)
    fields: str = ""


def message(sender, to, subject, text):
    """One message as it goes over the wire, with CRLF line ends."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = "Mon, 01 Jun 2026 09:00:00 +0000"
    mail["Message-ID"] = f"<{crc32((sender + to + subject).encode()):08x}@example.org>"
    mail.set_content(text)
    return mail.as_bytes()


def sample_user(name, **options):
    """A user with a few messages in three mailboxes, one of them with a name beyond ASCII."""
    return User(name, mailboxes={
        "INBOX": [message("postmaster@example.org", name, f"Welcome, {number}",
                          f"This is message {number} for {name}.\n" + "A line of text.\n" * number)
                  for number in (1, 2, 3)],
        "Archive": [message("friend@example.net", name, "Grüße aus Köln", "Schöne Grüße!\n")],
        "Re&AOc-us": [message("banque@example.net", name, "Reçu", "Merci.\n")],
    }, **options)


def deliver(maildir, messages):
    """Writes messages into a maildir (maildir(5)); stored with LF, as Dovecot prefers."""
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(maildir, part), exist_ok=True)
    for number, content in enumerate(messages, 1):
        path = os.path.join(maildir, "cur", f"{1780300000 + number}.{number}.playground:2,")
        with open(path, "wb") as file:
            file.write(content.replace(b"\r\n", b"\n"))


class Dovecot:
    """One running server. `tls` says where Waypost connects: "implicit" or "starttls"; `mail` is a
    directory that it shares with other servers of the same users."""

    def __init__(self, ground, name, users, *, tls="implicit", certificate=None, server_name=None,
                 ssl="required", auth_mechanisms="plain login", auth_failure_delay="0",
                 login_trusted_networks="", haproxy=False, compress=False, mail=None, extra=""):
        self.name = name
        self.tls = tls
        self.users = {user.name: user for user in users}
        self.server_name = server_name or f"{name}.backend.example"
        self.implicit_port = free_port()
        self.starttls_port = free_port()
        self._ground = ground
        self._root = ground.directory(name)
        self._mail = mail or ground.directory(name, "mail")
        self._compress = compress
        self._child = None
        self._certificate = certificate or ground.authority.issue(name, [self.server_name])
        self._options = {
            "ssl": ssl, "no_plaintext": "no" if ssl == "no" else "yes",
            "mechanisms": auth_mechanisms, "failure_delay": f"{auth_failure_delay} secs",
            "trusted": login_trusted_networks, "haproxy": "yes" if haproxy else "no",
            "mail_plugins": "zlib" if compress else "",
            "imap_plugins": "$mail_plugins imap_zlib" if compress else "$mail_plugins",
            "extra": extra,
        }
        self._write()
        self.start()

    @property
    def port(self):
        return self.implicit_port if self.tls == "implicit" else self.starttls_port

    @property
    def address(self):
        return f"{HOST}:{self.port}"

    @property
    def pid(self):
        return self._child.pid

    def log(self):
        """All that the server has logged so far."""
        with open(os.path.join(self._root, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def maildir(self, user, mailbox="INBOX"):
        """The directory behind a mailbox."""
        path = os.path.join(self._mail, user, "Maildir")
        return path if mailbox == "INBOX" else os.path.join(path, f".{mailbox.replace('/', '.')}")

    def start(self):
        with open(os.path.join(self._root, "stderr"), "ab") as output:
            # The master waits seconds for idle helpers; nothing here needs a gentle end.
            self._child = self._ground.start(
                [program(), "-F", "-c", os.path.join(self._root, "dovecot.conf")], output,
                patience=0.3)
        try:
            wait_until(self._ready, f"Dovecot {self.name} listens")
        except TimeoutError as error:
            raise RuntimeError(f"{error}\n{self._complaint()}") from None

    def stop(self):
        """Ends the server and its sessions; start() brings it back on the same ports."""
        self._child.stop()

    def kill(self):
        """Ends all its processes at once, without a word."""
        self._child.kill()

    def freeze(self):
        """From now on connections are accepted, by the kernel, and nothing is ever answered."""
        self._child.signal_all(signal.SIGSTOP)

    def thaw(self):
        self._child.signal_all(signal.SIGCONT)

    def running(self):
        return self._child.running()

    def _ready(self):
        if not self._child.running():
            raise RuntimeError(f"Dovecot {self.name} ended at once:\n{self._complaint()}")
        return listening(self.implicit_port) and listening(self.starttls_port)

    def _complaint(self):
        with open(os.path.join(self._root, "stderr"), encoding="utf-8") as file:
            return file.read() + (self.log() if os.path.exists(f"{self._root}/log") else "")

    def _write(self):
        owner = owners()
        for user in self.users.values():
            if os.path.exists(self.maildir(user.name)):
                continue
            for mailbox, messages in user.mailboxes.items():
                deliver(self.maildir(user.name, mailbox), messages)
            top = self.maildir(user.name)
            deliver(top, [])
            with open(os.path.join(top, "subscriptions"), "w", encoding="ascii") as file:
                file.writelines(f"{box}\n" for box in user.mailboxes if box != "INBOX")
        give(self._mail, owner["mail_uid"], owner["mail_gid"])
        self._ground.directory(self.name, "state")
        lines = (f"{user.name}:{{PLAIN}}{user.password}::::::{user.fields}\n"
                 for user in self.users.values())
        users = self._ground.write("".join(lines), self.name, "users", mode=0o600)
        if os.geteuid() == 0:
            shutil.chown(users, owner["internal_user"])
        self._ground.write(CONFIGURATION.format(
            root=self._root, mail=self._mail, name=self.name, host=HOST, implicit_port=self.implicit_port,
            starttls_port=self.starttls_port, chain=self._certificate.chain,
            key=self._certificate.key, **owner, **self._options), self.name, "dovecot.conf")


def program():
    """The dovecot binary; Debian keeps it outside an ordinary user's PATH."""
    found = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("dovecot is not installed (Debian: dovecot-imapd)")
    return found


def owners():
    """Who runs what: the package's users when root, otherwise everything is us."""
    if os.geteuid() == 0:
        mail = pwd.getpwnam("nobody")
        return {"internal_user": "dovecot", "internal_group": "dovecot", "login_user": "dovenull",
                "mail_uid": mail.pw_uid, "mail_gid": mail.pw_gid}
    me = pwd.getpwuid(os.geteuid()).pw_name
    return {"internal_user": me, "internal_group": grp.getgrgid(os.getegid()).gr_name,
            "login_user": me, "mail_uid": os.geteuid(), "mail_gid": os.getegid()}


def give(top, uid, gid):
    """Hands a tree to the mail user."""
    if os.geteuid() != 0:
        return
    for directory, _, files in os.walk(top):
        os.chown(directory, uid, gid)
        for file in files:
            os.chown(os.path.join(directory, file), uid, gid)
