"""A private Waypost in front of backends: writes its two configuration files and runs it."""

import json
import os
import re
import signal
import subprocess

from playground import HOST, free_port, listening, wait_until


class Waypost:
    """One running proxy with an implicit-TLS and a STARTTLS listener on free loopback ports.

    `routes` is the whole routing table as a dictionary; `settings` is laid over waypost.json,
    section by section; `listeners` come in addition. Paths in all are best absolute.
    """

    def __init__(self, ground, binary, routes, *, name="waypost", certificates=None, settings=None,
                 listeners=(), inherit_output=False, environment=None):
        self.binary = os.path.abspath(binary)
        self.implicit_port = free_port()
        self.starttls_port = free_port()
        self._ground = ground
        self._name = name
        self._inherit_output = inherit_output
        self._environment = environment
        self._child = None
        ground.directory(name)
        self.log_path = ground.path(name, "stderr")
        self.configuration = {
            "hostname": "mail.example.org",
            "workers": 1,
            "listeners": [
                {"name": "imaps", "address": f"{HOST}:{self.implicit_port}", "tls": "implicit"},
                {"name": "imap", "address": f"{HOST}:{self.starttls_port}", "tls": "starttls"},
                *listeners,
            ],
            "tls": {"certificates": [{"chain": pair.chain, "key": pair.key}
                                     for pair in certificates or [default_certificate(ground)]]},
            "limits": {"sessions": 500},  # small enough for any limit of open files
            "log": {"level": "info", "to": "stderr"},
        }
        for section, value in (settings or {}).items():
            if isinstance(value, dict):
                value = {**self.configuration.get(section, {}), **value}
            self.configuration[section] = value
        self.path = self.write_configuration()
        self.routes_path = self.write_routes(routes)

    def write_configuration(self):
        return self._ground.write(json.dumps(self.configuration, indent=2) + "\n",
                                  self._name, "waypost.json")

    def write_routes(self, routes):
        return self._ground.write(json.dumps(routes, indent=2) + "\n", self._name, "routes.json")

    @property
    def pid(self):
        return self._child.pid

    def start(self):
        """Starts it and returns once both ports accept connections."""
        argv = [self.binary, "run", "-c", self.path]
        if self._inherit_output:
            self._child = self._ground.start(argv, None, env=self._environment)
        else:
            with open(self.log_path, "ab") as output:
                self._child = self._ground.start(argv, output, env=self._environment)
        wait_until(self._ready, "Waypost listens")
        return self

    def command(self, *arguments):
        """Runs a subcommand to its end; the completed process with its output as text."""
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True,
                              timeout=30, check=False)

    def reload(self):
        self._child.signal(signal.SIGHUP)

    def signal(self, number):
        self._child.signal(number)

    def running(self):
        return self._child.running()

    def wait(self, timeout=10.0):
        return self._child.wait(timeout)

    def stop(self):
        self._child.stop()

    def log(self):
        """All that was written to stderr so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_log(self, pattern, timeout=5.0, after=0):
        """Waits for a line that matches; `after` skips that many characters of the log."""
        expression = re.compile(pattern)
        match = wait_until(lambda: expression.search(self.log(), after),
                           f"log line /{pattern}/", timeout)
        return match.group(0)

    def _ready(self):
        if not self._child.running():
            output = "" if self._inherit_output else self.log()
            raise RuntimeError(f"Waypost ended at once with {self._child.wait()}:\n{output}")
        return listening(self.implicit_port) and listening(self.starttls_port)


def default_certificate(ground):
    return ground.authority.issue("waypost", ["mail.example.org", "localhost", HOST])


def backend(ground, server, **options):
    """The entry of routes.json for a Dovecot, verified against the playground's CA."""
    return {"address": server.address, "tls": server.tls,
            "verify": {"name": server.server_name, "ca": ground.authority.chain}, **options}
