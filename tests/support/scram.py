"""The client's side of SCRAM (RFC 5802, RFC 7677) without channel binding, in base64 lines."""

import base64
import hashlib
import hmac
import secrets


class Scram:
    """One exchange: first(), then final(challenge), then verify(challenge)."""

    def __init__(self, user, password, digest="sha256"):
        self._digest = digest
        self._password = password.encode()
        self._nonce = secrets.token_urlsafe(18)
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self._nonce}"
        self._signature = b""

    def first(self):
        return encode("n,," + self._bare)

    def final(self, challenge):
        """The proof, for the server's first message."""
        server = base64.b64decode(challenge).decode()
        fields = dict(part.split("=", 1) for part in server.split(","))
        assert fields["r"].startswith(self._nonce), "the server must extend our nonce"
        salted = hashlib.pbkdf2_hmac(self._digest, self._password, base64.b64decode(fields["s"]),
                                     int(fields["i"]))
        key = self._mac(salted, b"Client Key")
        without = f"c={encode('n,,')},r={fields['r']}"
        message = f"{self._bare},{server},{without}".encode()
        stored = hashlib.new(self._digest, key).digest()
        proof = bytes(a ^ b for a, b in zip(key, self._mac(stored, message)))
        self._signature = self._mac(self._mac(salted, b"Server Key"), message)
        return encode(f"{without},p={base64.b64encode(proof).decode()}")

    def verify(self, challenge):
        """True when the server knows the password too."""
        final = base64.b64decode(challenge).decode()
        return final == "v=" + base64.b64encode(self._signature).decode()

    def _mac(self, key, message):
        return hmac.new(key, message, self._digest).digest()


def encode(text):
    return base64.b64encode(text.encode()).decode()
