"""The client's side of SASL: one exchange over a Client, and what the mechanisms say in it.

PLAIN (RFC 4616), SCRAM (RFC 5802, RFC 7677) with its check of the server's proof, OAUTHBEARER (RFC
7628), XOAUTH2, and signed tokens (RFC 7519).
"""

import base64
import hashlib
import hmac
import json
import secrets

from .client import Reply


def plain(user, password, authzid=""):
    """The one message of PLAIN."""
    return f"{authzid}\0{user}\0{password}".encode()


def xoauth2(user, token):
    return f"user={user}\1auth=Bearer {token}\1\1".encode()


def oauthbearer(user, token):
    """Without a user the token alone says who it is."""
    authzid = f"a={user}" if user else ""
    return f"n,{authzid},\1host=mail.example.org\1port=993\1auth=Bearer {token}\1\1".encode()


def token(key, **claims):
    """A JSON web token under HMAC-SHA-256."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = b".".join(url_base64(part) for part in parts)
    return (signed + b"." + url_base64(hmac.digest(key, signed, "sha256"))).decode()


def url_base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Exchange:
    """One AUTHENTICATE command. Messages are bytes; the wire's base64 stays in here."""

    def __init__(self, client, mechanism, initial=None, tag="x1"):
        self._client = client
        self._tag = tag
        client.send(f"{tag} AUTHENTICATE {mechanism}"
                    + ("" if initial is None else " " + encode(initial)) + "\r\n")

    def hear(self):
        """The next challenge as bytes, or the Reply that ends the exchange."""
        untagged = []
        while True:
            line = self._client.line()
            if line.startswith(b"+ "):
                return base64.b64decode(line[2:-2], validate=True)
            if line.startswith(self._tag.encode() + b" "):
                return Reply(line, untagged)
            untagged.append(line)

    def say(self, message):
        self._client.send(base64.b64encode(message) + b"\r\n")

    def say_raw(self, line):
        """A line that is no base64, such as the "*" that cancels."""
        self._client.send(line + b"\r\n")


def encode(message):
    return base64.b64encode(message).decode() or "="


def authenticate(client, mechanism, message, initial=True):
    """A mechanism whose client says one thing; the Reply."""
    if initial:
        return Exchange(client, mechanism, message).hear()
    exchange = Exchange(client, mechanism)
    assert exchange.hear() == b""
    exchange.say(message)
    return exchange.hear()


class Scram:
    """One client of SCRAM. `verified` is true once the server proved that it knows the password."""

    HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}

    def __init__(self, mechanism, user, password, authzid=""):
        self.mechanism = mechanism
        self.verified = False
        self._hash = self.HASHES[mechanism]
        self._password = password.encode()
        self._nonce = secrets.token_urlsafe(18)
        self._header = f"n,{'a=' + escaped(authzid) if authzid else ''},"
        self._bare = f"n={escaped(user)},r={self._nonce}"
        self._server_signature = b""

    def first(self):
        return (self._header + self._bare).encode()

    def final(self, challenge):
        """The proof, for the server's first message."""
        fields = dict(field.split("=", 1) for field in challenge.decode().split(","))
        if not fields["r"].startswith(self._nonce) or fields["r"] == self._nonce:
            raise ValueError(f"not an answer to this client: {challenge!r}")
        channel = base64.b64encode(self._header.encode()).decode()
        without_proof = f"c={channel},r={fields['r']}"
        signed = f"{self._bare},{challenge.decode()},{without_proof}".encode()
        salted = hashlib.pbkdf2_hmac(self._hash, self._password, base64.b64decode(fields["s"]),
                                     int(fields["i"]))
        client_key = self._hmac(salted, b"Client Key")
        signature = self._hmac(hashlib.new(self._hash, client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self._server_signature = self._hmac(self._hmac(salted, b"Server Key"), signed)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, challenge):
        """The server's final message, as challenge or as what came with OK."""
        expected = b"v=" + base64.b64encode(self._server_signature)
        self.verified = hmac.compare_digest(challenge.split(b",")[0], expected)

    def _hmac(self, key, data):
        return hmac.digest(key, data, self._hash)


def escaped(name):
    """A saslname (RFC 5802 section 5.1)."""
    return name.replace("=", "=3D").replace(",", "=2C")


def scram(client, login, initial=True):
    """The whole dialogue; the Reply."""
    exchange = Exchange(client, login.mechanism, login.first() if initial else None)
    heard = exchange.hear()
    if not initial and heard == b"":
        exchange.say(login.first())
        heard = exchange.hear()
    if isinstance(heard, Reply):
        return heard
    exchange.say(login.final(heard))
    heard = exchange.hear()
    if isinstance(heard, Reply):
        return heard
    login.verify(heard)
    exchange.say(b"")
    return exchange.hear()
