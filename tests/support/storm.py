"""A crowd of users before a farm of servers that fail: what must hold all the time, and at the end.

Every half second or so a server is killed, stopped, hung, filled up or brought back, or the routing
table gets other weights and members. What is done when comes from a seed; what the threads of the
proxy make of it does not, so the same seed gives the same weather, not the same run.
"""

import asyncio
import json
import random
import re
import time

from playground import HOST, free_port
from waypost import Waypost

from .crowd import Crowd
from .farm import Farm

SERVERS = ("f1", "f2", "f3", "f4")
SICK = 2  # servers that may be out of order at once
BREATH = 0.3  # seconds between two events, on average

SETTINGS = {
    "workers": 2,
    "limits": {"sessions": 5000},
    "timeouts": {"backend_connect": "300ms", "backend_login": "300ms", "backend_lost": "0s",
                 "drain": "5s"},
    "placement": {"linger": "200ms", "settle": "100ms", "hold": "10s"},
}


class Storm:
    """One proxy, one farm, one crowd. There are two pools of the same servers, each with a port of
    its own, and no device cares which it uses; `pool` are keys of both."""

    def __init__(self, ground, binary, *, seed, users=60, devices=3, pool=None, settings=None):
        self.seed = seed
        self.events = []
        self.farm = Farm(ground, SERVERS)
        self._pool = pool or {}
        self._near = free_port()
        self._random = random.Random(seed)
        self._sick = {}  # server -> the word that cures it
        self.waypost = Waypost(ground, binary, self._routes(dict.fromkeys(SERVERS, 100)),
                               name=f"storm{seed}", settings={**SETTINGS, **(settings or {})},
                               listeners=[{"name": "near", "address": f"{HOST}:{self._near}",
                                           "tls": "implicit"}]).start()
        self._shape = {"users": users, "devices": devices}
        self.crowd = None

    def run(self, seconds):
        """Bad weather for so long, then calm until everybody is served."""
        return asyncio.run(self._run(seconds))

    async def _run(self, seconds):
        self.crowd = Crowd([self.waypost.implicit_port, self._near], seed=self.seed, **self._shape)
        busy = asyncio.create_task(self.crowd.run())
        began = time.monotonic()
        try:
            while time.monotonic() < began + seconds:
                await asyncio.sleep(self._random.expovariate(1 / BREATH))
                await self._event()
        finally:
            self._calm()
            self.crowd.stop()
            await busy
        return await self._outcome(time.monotonic() - began)

    async def _outcome(self, seconds):
        locked_out = await self._locked_out()
        report = self.farm.tell("report")
        return {
            "seed": self.seed, "seconds": round(seconds, 1), "logins": report["logins"],
            "logins_per_second": round(report["logins"] / seconds), "moves": report["moves"],
            "failovers": len(re.findall("event=backend_failed ", self.waypost.log())),
            "violations": report["violations"], "examples": report["examples"],
            "strangers": self.crowd.strangers, "locked_out": locked_out,
            "clients": dict(self.crowd.outcomes), "slowest_login": round(self.crowd.slowest, 2),
            "events": len(self.events),
        }

    async def _locked_out(self):
        """The users who cannot log in although every server is well again, given some time."""
        until = time.monotonic() + 20
        while names := await self.crowd.everybody_once():
            if time.monotonic() > until:
                break
            await asyncio.sleep(0.2)
        return names

    async def _event(self):
        """One thing happens: a server falls ill or recovers, or the table changes."""
        well = [name for name in SERVERS if name not in self._sick]
        if self.events and self._random.random() < 0.2:
            self._reload()
        elif not self.events or len(self._sick) < SICK and self._random.random() < 0.55:
            word = self._random.choice(["kill", "stop", "hang", "hang", "fill"])
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
        self.events.append(("reload", members))
        self.waypost.write_routes(self._routes(members))
        self.waypost.reload()

    def _calm(self):
        for name, word in self._sick.items():
            self._tell(word, name)
        self._sick.clear()

    def _tell(self, word, name):
        self.events.append((word, name))
        self.farm.tell(word, name)

    def _routes(self, members):
        near = dict.fromkeys(SERVERS[:3], 100)
        return {"backends": self.farm.backends(),
                "pools": {"mail": {"members": members, "choose": "round-robin", **self._pool},
                          "near": {"members": near, "choose": "least-sessions", **self._pool}},
                "routes": [{"listener": ["near"], "to": "near"}, {"to": "mail"}]}


def summary(outcome):
    """An outcome as text, one line each."""
    return "\n".join(f"    {key}: {json.dumps(value)}" for key, value in outcome.items())
