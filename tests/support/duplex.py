"""Sends and receives on one socket at once, from one thread: TLS objects bear no second one."""

import select
import ssl
import time

BUSY = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)


def duplex(sock, data, enough, timeout=30):
    """Sends all of `data` while it receives: what came, once `enough(received)` holds as well."""
    rest, received = memoryview(data), bytearray()
    deadline, before = time.monotonic() + timeout, sock.gettimeout()
    sock.settimeout(0)
    try:
        while rest or not enough(received):
            moved = _send(sock, rest)
            rest = rest[moved:]
            moved += _receive(sock, received)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(rest)} bytes to send, {len(received)} received")
            if moved == 0:
                select.select([sock], [sock] if rest else [], [], 0.1)
    finally:
        sock.settimeout(before)
    return bytes(received)


def _send(sock, rest):
    try:
        return sock.send(rest[:65536]) if rest else 0
    except BUSY:
        return 0


def _receive(sock, received):
    try:
        part = sock.recv(65536)
    except BUSY:
        return 0
    if not part:
        raise EOFError(f"end after {len(received)} bytes")
    received += part
    return len(part)
