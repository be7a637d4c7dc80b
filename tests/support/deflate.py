"""COMPRESS=DEFLATE (RFC 4978) for a Client: raw deflate between it and its socket."""

import zlib


class Deflated:
    """Looks like a socket; what passes is compressed, flushed after each send."""

    def __init__(self, socket, pending=b""):
        self._socket = socket
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._early = pending

    def sendall(self, data):
        self._socket.sendall(self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH))

    def recv(self, size):
        """Some of what was sent, or nothing at the end. Raises zlib.error when it is no deflate."""
        while True:
            data, self._early = self._early or self._socket.recv(size), b""
            plain = self._inflate.decompress(data)
            if plain or not data:
                return plain

    def settimeout(self, seconds):
        self._socket.settimeout(seconds)

    def gettimeout(self):
        return self._socket.gettimeout()

    def close(self):
        self._socket.close()


def compress(client):
    """COMPRESS DEFLATE as a well-behaved client does it; the Reply."""
    reply = client.command("COMPRESS DEFLATE")
    if reply.status == "OK":
        client.wrap(Deflated)
    return reply
