"""A crowd of users before a farm of servers that fail: what must hold all the time, and at the end.

Every half second or so a server is killed, stopped, hung, filled up or brought back, or the routing
table gets other weights and members. What is done when comes from a seed; what the threads of the
proxy make of it does not, so the same seed gives the same weather, not the same run.
"""

import asyncio
import collections
import json
import random
import re
import time

from playground import HOST, free_port
from waypost import Waypost

from .crowd import Crowd
from .farm import Farm

SERVERS = ("f1", "f2", "f3", "f4")
ILLS = ("kill", "stop", "hang", "hang", "fill")
WEATHER = (*ILLS, "start", "wake", "reload")
SICK = 2  # servers that may be out of order at once
BREATH = 0.3  # seconds between two events, on average

SETTINGS = {
    "workers": 2,
    "limits": {"sessions": 5000},
    "probe": {"interval": "200ms", "timeout": "300ms", "rise": 1, "fall": 2},
    "timeouts": {"backend_connect": "300ms", "backend_login": "300ms", "backend_lost": "200ms",
                 "drain": "5s"},
    "placement": {"linger": "200ms", "settle": "100ms", "hold": "10s"},
}


class Storm:
    """One proxy, one farm, one crowd. There are two pools of the same servers, each with a port of
    its own, and no device cares which it uses; `pool` are keys of both."""

    def __init__(self, ground, binary, *, seed, users=60, devices=3, idle=0.5, pool=None,
                 settings=None):
        self.seed = seed
        self.farm = Farm(ground, SERVERS)
        self._pool = pool or {}
        self._near = free_port()
        self._random = random.Random(seed)
        self._sick = {}  # server -> the word that cures it
        self._shape = {"users": users, "devices": devices, "idle": idle}
        self._seen = collections.Counter()
        self._clients = collections.Counter()
        self.waypost = Waypost(ground, binary, self._routes(dict.fromkeys(SERVERS, 100)),
                               name=f"storm-{self._near}", settings={**SETTINGS, **(settings or {})},
                               listeners=[{"name": "near", "address": f"{HOST}:{self._near}",
                                           "tls": "implicit"}]).start()

    def run(self, seconds):
        """Bad weather for so long, then calm until everybody is served, and all have left. May be
        called again. Returns what has been seen since the start."""
        began = time.monotonic()
        crowd = Crowd([self.waypost.implicit_port, self._near], seed=self._random.random(),
                      **self._shape)
        locked_out = asyncio.run(self._run(crowd, began + seconds))
        self._clients += crowd.outcomes
        self._seen["seconds"] += time.monotonic() - began
        self._seen["strangers"] += crowd.strangers
        self._seen["slowest login"] = max(self._seen["slowest login"], crowd.slowest)
        return self._outcome(locked_out)

    async def _run(self, crowd, until):
        busy = asyncio.create_task(crowd.run())
        try:
            while time.monotonic() < until:
                await self._event()
                await asyncio.sleep(self._random.expovariate(1 / BREATH))
        finally:
            self._calm()
            crowd.stop()
            await busy
        return await locked_out(crowd)

    def _outcome(self, names):
        report = self.farm.tell("report")
        seconds = self._seen["seconds"]
        return {
            "seed": self.seed,
            "seconds": round(seconds, 1),
            "weather": {key: value for key, value in self._seen.items() if key in WEATHER},
            "logins": report["logins"],
            "logins per second": round(report["logins"] / seconds),
            "moves": report["moves"],
            "failovers": len(re.findall("event=backend_failed ", self.waypost.log())),
            "violations": report["violations"],
            "examples": report["examples"],
            "strangers": self._seen["strangers"],
            "locked out": names,
            "clients": dict(self._clients),
            "slowest login": round(self._seen["slowest login"], 2),
        }

    async def _event(self):
        """One thing happens: a server falls ill or recovers, or the table changes."""
        well = [name for name in SERVERS if name not in self._sick]
        if self._seen["kill"] and self._random.random() < 0.2:
            self._reload()
        elif not self._seen["kill"] or len(self._sick) < SICK and self._random.random() < 0.55:
            word = self._random.choice(ILLS) if self._seen["kill"] else "kill"
            name = self._random.choice(well)
            self._tell(word, name)
            self._sick[name] = "wake" if word == "hang" else "start"
        elif self._sick:
            name = self._random.choice(sorted(self._sick))
            self._tell(self._sick.pop(name), name)

    def _reload(self):
        """Other weights; sometimes a server leaves the pool."""
        members = {name: self._random.choice([20, 100, 300]) for name in SERVERS}
        if self._random.random() < 0.4:
            members.pop(self._random.choice(SERVERS))
        self._seen["reload"] += 1
        self.waypost.write_routes(self._routes(members))
        self.waypost.reload()

    def _calm(self):
        for name, word in self._sick.items():
            self._tell(word, name)
        self._sick.clear()

    def _tell(self, word, name):
        self._seen[word] += 1
        self.farm.tell(word, name)

    def _routes(self, members):
        near = dict.fromkeys(SERVERS[:3], 100)
        return {"backends": self.farm.backends(),
                "pools": {"mail": {"members": members, "choose": "round-robin", **self._pool},
                          "near": {"members": near, "choose": "least-sessions", **self._pool}},
                "routes": [{"listener": ["near"], "to": "near"}, {"to": "mail"}]}


async def locked_out(crowd):
    """The users who cannot log in although every server is well again, given some time."""
    until = time.monotonic() + 20
    while names := await crowd.everybody_once():
        if time.monotonic() > until:
            break
        await asyncio.sleep(0.2)
    return names


def complaints(outcome):
    """What must not be in any outcome, in words; that nothing was tried would be nothing to hold."""
    found = [key for key in ("locked out", "strangers") if outcome[key]]
    found += [key for key in ("stuck",) if outcome["clients"].get(key)]
    found += [f"no {key}" for key in ("moves", "failovers") if not outcome[key]]
    if outcome["logins per second"] < 20:
        found.append("hardly any logins")
    return found


def summary(outcome):
    """An outcome as text, one line each."""
    return "\n".join(f"    {key}: {json.dumps(value)}" for key, value in outcome.items())
