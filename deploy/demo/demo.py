#!/usr/bin/env python3
"""Waypost in front of two real Dovecot servers, on loopback and in a temporary directory.

    demo.py run  --waypost BIN    start everything, print how to visit, stay until Ctrl-C
    demo.py demo --waypost BIN    start everything, visit as every user over both ports with curl,
                                  compare what came back; exit status 1 if anything differs

Needs the Debian packages dovecot-imapd, openssl and curl. Needs no root; as root, mail belongs to
nobody and Dovecot's processes to the users of its package.
"""

import argparse
import os
import sys

import visit
from dovecot import Dovecot, sample_user
from playground import HOST, Playground, end_on_signals
from waypost import Waypost, backend

GUIDE = """\

Waypost listens on
  {host}:{imaps}   implicit TLS
  {host}:{imap}   STARTTLS
Certificate authority
  {ca}
Users and passwords
{users}

With curl (asks for the password; -v shows the dialogue)
  curl --cacert {ca} -u {user} imaps://{host}:{imaps}/
  curl --cacert {ca} -u {user} 'imaps://{host}:{imaps}/INBOX;UID=1'
  curl --cacert {ca} --ssl-reqd -u {user} imap://{host}:{imap}/
By hand (then type: a LOGIN {user} {password})
  openssl s_client -quiet -crlf -CAfile {ca} -connect {host}:{imaps}
  openssl s_client -quiet -crlf -CAfile {ca} -connect {host}:{imap} -starttls imap
In a mail client (after it trusts the authority above)
  server {host}, port {imaps}, SSL/TLS   or   port {imap}, STARTTLS
  user name {user}, normal password

How a user is routed, and what the proxy is doing
  {binary} route -c {configuration} {user}
  {binary} status -c {configuration}
  {binary} who -c {configuration}
Everything lies in {root} and goes away with this program. Ctrl-C ends it.

Waypost's log:"""


class Scene:
    """Two backends with two users each, and Waypost before them."""

    def __init__(self, ground, binary, show_log):
        self.ground = ground
        self.first = Dovecot(ground, "first", tls="implicit", users=[
            sample_user("alice@example.org"), sample_user("bob@example.org")])
        self.second = Dovecot(ground, "second", tls="starttls", users=[
            sample_user("carol@example.net"), sample_user("dave@example.net")])
        routes = {
            "backends": {server.name: backend(ground, server)
                         for server in (self.first, self.second)},
            "routes": [
                {"users": {"dave@example.net": "second"}},
                {"domains": {"example.org": "first", "example.net": "second"}},
            ],
        }
        # A scripted visit types wrong passwords on purpose and need not wait after each.
        patience = {} if show_log else {"auth": {"penalty": {"first": "0s", "max": "0s"}}}
        settings = {"control": {"socket": "control.sock"}, **patience}
        self.waypost = Waypost(ground, binary, routes, settings=settings,
                               inherit_output=show_log)

    @property
    def users(self):
        return [*self.first.users.values(), *self.second.users.values()]

    def guide(self):
        user = self.users[0]
        rows = (f"  {user.name:<20}{user.password}   (backend {server.name}, {server.tls} TLS)"
                for server in (self.first, self.second) for user in server.users.values())
        return GUIDE.format(
            host=HOST, imaps=self.waypost.implicit_port, imap=self.waypost.starttls_port,
            ca=self.ground.authority.chain, users="\n".join(rows), user=user.name,
            password=user.password, binary=self.waypost.binary, root=self.ground.root,
            configuration=self.waypost.path)


def run(scene):
    """Stays until Ctrl-C, or fails when Waypost ends by itself."""
    print(scene.guide(), flush=True)
    scene.waypost.start()
    status = scene.waypost.wait(timeout=None)
    print(f"Waypost ended with status {status}.", file=sys.stderr)
    return 1


def demo(scene):
    """Visits as every user over both ports; 1 when anything differs."""
    scene.waypost.start()
    doors = [visit.Door("implicit TLS", f"imaps://{HOST}:{scene.waypost.implicit_port}"),
             visit.Door("STARTTLS", f"imap://{HOST}:{scene.waypost.starttls_port}")]
    visitor = visit.Visitor(scene.ground.authority.chain)
    for door in doors:
        for user in scene.users:
            visitor.visit(door, user)
    print(f"\n{visitor.checks} checks, {len(visitor.differences)} differences")
    if not visitor.differences:
        return 0
    print("\n".join(visitor.differences), "\nWaypost's log:\n" + scene.waypost.log(),
          file=sys.stderr, sep="\n")
    return 1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "demo"])
    parser.add_argument("--waypost", metavar="BIN", default="build/release/waypost",
                        help="the binary (default: %(default)s)")
    arguments = parser.parse_args()
    if not os.access(arguments.waypost, os.X_OK):
        parser.error(f"{arguments.waypost} is no program: build it with `make`, or give --waypost")
    end_on_signals()
    try:
        with Playground("waypost-demo") as ground:
            scene = Scene(ground, arguments.waypost, show_log=arguments.what == "run")
            return run(scene) if arguments.what == "run" else demo(scene)
    except KeyboardInterrupt:
        print("\nAll ended and removed.", file=sys.stderr)
        return 0 if arguments.what == "run" else 130
    except RuntimeError as error:
        print(f"demo.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
