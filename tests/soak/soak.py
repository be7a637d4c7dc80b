#!/usr/bin/env python3
"""A storm for minutes: what is counted must come back to nothing, and what is held must not grow.

    tests/soak/soak.py [SECONDS]          300 by default; WAYPOST=binary, SOAK_SEED=number

Rounds of bad weather (tests/support/storm.py) follow one another. After each round everybody leaves,
and memory, descriptors and open sessions are written down. The first quarter of the rounds warms up:
what the later ones hold is compared with it. Ends with a summary, and status 1 if there is anything
to complain about.
"""

import collections
import os
import re
import resource
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

# pylint: disable=wrong-import-position
from tests.support.case import BINARY
from tests.support.storm import Storm, complaints, summary

from playground import Playground, end_on_signals, wait_until

ROUND = 15.0  # seconds of bad weather, about
SLACK_KIB = 4096  # memory may differ by so much, and a tenth
SLACK_FILES = 4
SANITIZED = re.search(r"/(asan|tsan)/", BINARY)  # keep what is freed, so memory says nothing


class Held:
    """What the process holds while nobody is there."""

    def __init__(self, storm):
        self.storm = storm
        wait_until(lambda: storm.farm.tell("report")["open"] == 0, "the servers are left", 30)
        wait_until(lambda: self.counter("sessions_open") == 0, "the sessions have ended", 30)
        pid = storm.waypost.pid
        self.files = len(os.listdir(f"/proc/{pid}/fd"))
        self.threads = len(os.listdir(f"/proc/{pid}/task"))
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            self.memory = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def counter(self, name):
        """A counter as SIGUSR1 has it logged; what is not mentioned is zero."""
        waypost = self.storm.waypost
        before = len(waypost.log())
        waypost.signal(signal.SIGUSR1)
        # Written in one go, this one near its end.
        waypost.wait_for_log(r"name=bytes_to_backend value=\d+\n", after=before, timeout=30)
        found = re.search(rf"name={name} value=(\d+)", waypost.log()[before:])
        return int(found[1]) if found else 0

    def __str__(self):
        return f"{self.memory} KiB, {self.files} descriptors, {self.threads} threads"


def grown(held):
    """What the later rounds hold more than the first quarter did."""
    warm = held[:max(1, len(held) // 4)]
    later = held[len(warm):]
    memory = max(entry.memory for entry in warm)
    files = max(entry.files for entry in warm)
    if later[-1].memory > memory + memory // 10 + SLACK_KIB and not SANITIZED:
        yield f"memory: {memory} KiB when warm, {later[-1].memory} at the end"
    if later[-1].files > files + SLACK_FILES:
        yield f"descriptors: {files} when warm, {later[-1].files} at the end"
    if later[-1].threads > max(entry.threads for entry in warm):
        yield "threads"


def errors(storm):
    """Lines of level error: none is to be expected of what happens to others."""
    found = collections.Counter(re.findall(r"Z error event=(\w+)", storm.waypost.log()))
    return [f"error lines: {event} x {count}" for event, count in found.items()]


def main(seconds):
    end_on_signals()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    seed = int(os.environ.get("SOAK_SEED") or os.getpid())
    rounds = max(4, round(seconds / ROUND))
    held = []
    with Playground("waypost-soak") as ground:
        storm = Storm(ground, BINARY, seed=seed, users=200, devices=4, idle=4.0,
                      pool={"one_backend_per_user": True, "cluster": "all"},
                      settings={"log": {"level": "warn"}})
        for number in range(rounds):
            outcome = storm.run(seconds / rounds)
            held.append(Held(storm))
            print(f"round {number + 1} of {rounds}: {outcome['logins']} logins, "
                  f"{outcome['violations']} violations; holds {held[-1]}", flush=True)
            if not storm.waypost.running():
                break
        found = complaints(outcome) + list(grown(held)) + errors(storm)
        if outcome["violations"]:
            found.append("violations")
        storm.waypost.signal(signal.SIGTERM)
        status = storm.waypost.wait(30)
        if status != 0:
            found.append(f"exit status {status}")
        print(summary(outcome))
    print("soak:", "; ".join(found) if found else "nothing to complain about")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0))
