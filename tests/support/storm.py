"""A crowd of users before a farm of servers that fail: what must hold all the time, and at the end.

Several times in a second a server is killed, stopped, hung, filled up, lamed or brought back, the
routing table gets other weights and members, or the operator kicks, moves, holds and drains. What is
done when comes from a seed; what the threads of the proxy make of it does not, so the same seed gives
the same weather, not the same run.
"""

import asyncio
import collections
import json
import random
import re
import signal
import subprocess
import time

from playground import HOST, free_port
from waypost import Waypost

from .crowd import PATIENCE, Crowd
from .farm import Farm

SERVERS = ("f1", "f2", "f3", "f4")
ILLS = ("kill", "stop", "hang", "hang", "fill", "limp", "limp", "drain", "down")
CURES = {"kill": "start", "stop": "start", "fill": "start", "limp": "start", "hang": "wake",
         "drain": "undrain", "down": "up"}
COMMANDED = ("drain", "undrain", "down", "up")  # the proxy is told, not the server
WEATHER = (*CURES, *CURES.values(), "reload", "kick", "move", "hold")
SICK = 2  # servers that may be out of order at once
BREATH = 0.15  # seconds between two events, on average

SETTINGS = {
    "workers": 2,
    "limits": {"sessions": 5000, "unauthenticated_per_address": 0},
    "probe": {"interval": "200ms", "timeout": "300ms", "rise": 1, "fall": 2},
    "timeouts": {"backend_connect": "500ms", "backend_login": "500ms", "backend_lost": "200ms",
                 "drain": "5s"},
    "placement": {"linger": "200ms", "settle": "100ms", "hold": "10s"},
}


class Storm:
    """One proxy, one farm, one crowd. There are two pools of the same servers and a rule that names
    one of them, each with a port of its own, and no device cares which it uses; `pool` are keys of
    both pools."""

    def __init__(self, ground, binary, *, seed, users=60, devices=3, idle=0.5, pool=None,
                 settings=None):
        self.seed = seed
        self.farm = Farm(ground, SERVERS)
        self._pool = pool or {}
        self._doors = {name: free_port() for name in ("near", "direct")}
        self._spare = {"name": "spare", "address": f"{HOST}:{free_port()}", "tls": "implicit"}
        self._random = random.Random(seed)
        self._sick = {}  # server -> the word that cures it
        self._names = [f"user{number}@example.org" for number in range(users)]
        self._share = users * devices // len(SERVERS)  # of sessions, for each server
        self._shape = {"names": self._names, "devices": devices, "idle": idle}
        self._seen = collections.Counter()
        self._clients = collections.Counter()
        self._orders = collections.Counter()
        self._lost = []  # orders without an answer
        self._running = []
        name = f"storm-{self._doors['near']}"
        self._socket = ground.path(f"{name}.sock")
        self.waypost = Waypost(
            ground, binary, self._routes(dict.fromkeys(SERVERS, 100)), name=name,
            settings={**SETTINGS, **(settings or {}),
                      "control": {"socket": self._socket}},
            listeners=[{"name": door, "address": f"{HOST}:{port}", "tls": "implicit"}
                       for door, port in self._doors.items()]).start()

    def run(self, seconds):
        """Bad weather for so long, then calm until everybody is served, and all have left. May be
        called again. Returns what has been seen since the start."""
        began = time.monotonic()
        crowd = self._crowd()
        names = asyncio.run(self._run(crowd, seconds))
        self._clients += crowd.outcomes
        self._seen["seconds"] += time.monotonic() - began
        self._seen["strangers"] += crowd.strangers
        self._seen["slowest login"] = max(self._seen["slowest login"], crowd.slowest)
        return self._outcome(names)

    def break_off(self, seconds):
        """Bad weather for so long, and in the middle of it the proxy is told to end. Returns its
        exit status, and what the farm says when all is over."""
        status = asyncio.run(self._break_off(self._crowd(), seconds))
        for name, word in self._sick.items():
            if word not in COMMANDED:
                self.farm.tell(word, name)
        return status, self.farm.tell("report")

    def _crowd(self):
        doors = [self.waypost.implicit_port, self._doors["near"]] * 3 + [self._doors["direct"]]
        return Crowd(doors, seed=self._random.random(), **self._shape)

    async def _weather(self, seconds):
        until = time.monotonic() + seconds
        await asyncio.sleep(1)  # until everybody has begun, so that the first to fail is missed
        while time.monotonic() < until:
            await self._event()
            await asyncio.sleep(self._random.expovariate(1 / BREATH))

    async def _run(self, crowd, seconds):
        busy = asyncio.create_task(crowd.run())
        try:
            await self._weather(seconds)
        finally:
            await self._calm()
            crowd.stop()
            await busy
        return await locked_out(crowd)

    async def _break_off(self, crowd, seconds):
        busy = asyncio.create_task(crowd.run())
        await self._weather(seconds)
        self.waypost.signal(signal.SIGTERM)
        status = await asyncio.to_thread(self.waypost.wait, 30)
        crowd.stop()
        await asyncio.gather(busy, *self._running)
        return status

    def _outcome(self, names):
        report = self.farm.tell("report")
        seconds = self._seen["seconds"]
        return {
            "seed": self.seed,
            "seconds": round(seconds, 1),
            "weather": {key: value for key, value in self._seen.items() if key in WEATHER},
            "orders": dict(self._orders),
            "lost": self._lost,
            "logins": report["logins"],
            "logins per second": round(report["logins"] / seconds),
            "moves": report["moves"],
            "shortest gap": report["shortest_gap"],  # seconds between two servers
            "failovers": len(re.findall("event=backend_failed ", self.waypost.log())),
            "violations": report["violations"],
            "examples": report["examples"],
            "strangers": self._seen["strangers"],
            "locked out": names,
            "clients": dict(self._clients),
            "slowest login": round(self._seen["slowest login"], 2),
        }

    async def _event(self):
        """One thing happens: a server falls ill or recovers, the table changes, or an order."""
        chance = self._random.random()
        if not self._seen["kill"]:
            self._fall_ill("kill")
        elif chance < 0.2:
            self._reload()
        elif chance < 0.5:
            self._command()
        elif chance < 0.75 and len(self._sick) < SICK:
            self._fall_ill(self._random.choice(ILLS))
        elif self._sick:
            self._recover(self._random.choice(sorted(self._sick)))

    def _fall_ill(self, word):
        name = self._random.choice([name for name in SERVERS if name not in self._sick])
        self._treat(word, name)
        self._sick[name] = CURES[word]

    def _recover(self, name):
        word = self._sick.pop(name)
        self._treat(word, name)

    def _treat(self, word, name):
        self._seen[word] += 1
        if word == "drain":
            self._order(word, name, "--rate", str(self._random.choice([10, 1000])))
        elif word in COMMANDED:
            self._order(word, name)
        else:
            self.farm.tell(word, name)

    def _command(self):
        """The operator means somebody."""
        word = self._random.choice(["kick", "move", "move", "hold"])
        user = self._random.choice(self._names)
        self._seen[word] += 1
        if word == "kick":
            self._order(word, "--user", user)
        elif word == "move":
            self._order(word, user, self._random.choice(SERVERS))
        else:
            self._order(word, user, "300ms")

    def _order(self, word, *arguments):
        self._running.append(asyncio.create_task(self._carry_out(word, arguments)))

    async def _carry_out(self, word, arguments):
        """One command of the real program; it may be refused, but not get lost."""
        child = await asyncio.create_subprocess_exec(
            self.waypost.binary, word, "--socket", self._socket, *arguments,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            _, said = await asyncio.wait_for(child.communicate(), PATIENCE)
        except asyncio.TimeoutError:
            child.kill()
            said = b"no answer in time"
        # A move may find another one under way, and an undrained server is not emptied.
        if child.returncode != 0 and (child.returncode != 1 or word not in ("move", "drain")):
            self._lost.append(f"{word}: {said.decode(errors='replace').strip()}")
        self._orders[word if child.returncode == 0 else f"{word} refused"] += 1

    def _reload(self):
        """Other weights and bounds; sometimes a server leaves the pool, and the last one all of the
        table. A port that nobody uses comes and goes."""
        members = {name: self._random.choice([20, 100, 300]) for name in SERVERS}
        if self._random.random() < 0.4:
            members.pop(self._random.choice(SERVERS))
        self._seen["reload"] += 1
        listeners = self.waypost.configuration["listeners"]
        if listeners[-1] == self._spare:
            listeners.pop()
        else:
            listeners.append(self._spare)
        self.waypost.write_configuration()
        self.waypost.write_routes(self._routes(members))
        self.waypost.reload()

    async def _calm(self):
        """All are well, and all orders have been carried out."""
        for name in sorted(self._sick):
            self._recover(name)
        await asyncio.gather(*self._running)
        self._running.clear()

    def _routes(self, members):
        near = dict.fromkeys(SERVERS[:-1], 100)
        backends = {name: {**entry, "max_sessions": self._random.choice([0, 0, self._share]),
                           "logins_at_once": self._random.choice([0, 3, 50])}
                    for name, entry in self.farm.backends().items()}
        if SERVERS[-1] not in members:
            del backends[SERVERS[-1]]
        return {"normalize": {"lowercase": False},  # the servers take a name in any letters
                "backends": backends,
                "pools": {"mail": {"members": members, "choose": "round-robin", **self._pool},
                          "near": {"members": near, "choose": "least-sessions", **self._pool}},
                "routes": [{"listener": ["near"], "to": "near"},
                           {"listener": ["direct"], "to": SERVERS[0]}, {"to": "mail"}]}


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
    found = [key for key in ("locked out", "strangers", "lost") if outcome[key]]
    found += [key for key in ("stuck",) if outcome["clients"].get(key)]
    found += [f"no {key}" for key in ("moves", "failovers") if not outcome[key]]
    if outcome["logins per second"] < 20:
        found.append("hardly any logins")
    return found


def summary(outcome):
    """An outcome as text, one line each."""
    return "\n".join(f"    {key}: {json.dumps(value)}" for key, value in outcome.items())
