"""Many users with several devices each, who log in, work, idle and leave, all on one asyncio loop.

Counts what became of every login. A server repeats the name of its user in the answer to NOOP, so
that a session of somebody else would be noticed.
"""

import asyncio
import collections
import random
import ssl
import time

from playground import HOST

PASSWORD = "secret"
PATIENCE = 20.0  # seconds that a login may take before it counts as stuck
IMPATIENT = 0.1  # of the logins are not waited for


class Crowd:
    """Users of these names with so many devices each, which connect to any of the ports and write
    their names as they like. Some stay and wait for news, `idle` seconds on average. run() keeps them
    busy until stop()."""

    def __init__(self, ports, *, names, devices, seed, idle, pause=0.1):
        self.outcomes = collections.Counter()
        self.strangers = 0
        self.slowest = 0.0
        self._ports = ports
        self._idle_for = idle
        self._pause = pause
        self._names = names
        self._devices = devices
        self._random = random.Random(seed)
        self._stopping = asyncio.Event()
        # Whom the proxy's certificate names is the business of other tests.
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    async def run(self):
        await asyncio.gather(*(self._device(name) for name in self._names
                               for _ in range(self._devices)))

    def stop(self):
        self._stopping.set()

    async def everybody_once(self):
        """One login of each user; the names of those who did not get in."""
        results = await asyncio.gather(*(self._visit(name, brief=True) for name in self._names))
        return [name for name, result in zip(self._names, results) if result != "ok"]

    async def _device(self, name):
        await self._rest(self._random.random())
        while not self._stopping.is_set():
            self.outcomes[await self._visit(name)] += 1
            await self._rest(self._random.expovariate(1 / self._pause))

    async def _rest(self, seconds):
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except asyncio.TimeoutError:
            pass

    async def _visit(self, name, brief=False):
        """One connection; what became of its login."""
        began, writer = time.monotonic(), None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection(
                    HOST, self._random.choice(self._ports), ssl=self._context)
                written = self._random.choice([name, name, name.capitalize()])
                if not brief and self._random.random() < IMPATIENT:
                    return await self._give_up(reader, writer, written)
                result = await login(reader, writer, written)
            self.slowest = max(self.slowest, time.monotonic() - began)
            if result == "ok":
                await self._work(reader, writer, name, brief)
            return result
        except TimeoutError:
            return "stuck"
        except (OSError, ssl.SSLError, EOFError):
            return "cut"
        finally:
            if writer is not None:
                writer.transport.abort()

    async def _give_up(self, reader, writer, name):
        """Leaves somewhere between the password and the answer, or just behind it."""
        try:
            async with asyncio.timeout(self._random.random() * 0.2):
                await login(reader, writer, name)
        except TimeoutError:
            pass
        return "gave up"

    async def _work(self, reader, writer, name, brief):
        """A session until it is over, by us or by the other side."""
        try:
            if not brief:
                await self._habit()(reader, writer, name)
            await self._noop(reader, writer, name)
            if brief or self._random.random() < 0.5:
                writer.write(b"z LOGOUT\r\n")
                await answer(reader, b"z")
        except (OSError, ssl.SSLError, EOFError):
            self.outcomes["session cut"] += 1

    def _habit(self):
        return self._random.choices([self._noops, self._idle, self._noop], [4, 4, 2])[0]

    async def _noop(self, reader, writer, name):
        writer.write(b"n NOOP\r\n")
        if name.encode() not in await answer(reader, b"n"):
            self.strangers += 1

    async def _noops(self, reader, writer, name):
        for _ in range(self._random.randrange(6)):
            await self._noop(reader, writer, name)
            await self._rest(self._random.random() * 0.05)

    async def _idle(self, reader, writer, _):
        writer.write(b"i IDLE\r\n")
        await line(reader)
        await self._rest(self._random.expovariate(1 / self._idle_for))
        writer.write(b"DONE\r\n")
        await answer(reader, b"i")


async def login(reader, writer, name):
    """Logs in; "ok", or the response code of the refusal."""
    await line(reader)
    writer.write(f"a LOGIN {name} {PASSWORD}\r\n".encode())
    reply = await answer(reader, b"a")
    if reply.startswith(b"a OK"):
        return "ok"
    return reply.partition(b"[")[2].partition(b"]")[0].decode() or "refused"


async def line(reader):
    """One line; the end of the connection is an exception, and so is a farewell."""
    text = await reader.readuntil(b"\r\n")
    if text.startswith(b"* BYE"):
        raise EOFError(text)
    return text


async def answer(reader, tag):
    """The tagged reply; what comes before it is skipped."""
    while True:
        text = await reader.readuntil(b"\r\n")
        if text.startswith(tag + b" "):
            return text
