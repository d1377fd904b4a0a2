"""From a secret to keys, and from a record to what is in it.

    TLS 1.3   traffic secret ─HKDF─▶ key, iv                         nonce = iv xor number
    TLS 1.2   master secret  ─PRF──▶ keys and ivs of both ends       nonce = iv, 8 bytes of the
              with both randoms                                      record; ChaCha20: as in 1.3

RFC 8446, 5.2, 5.3 and 7; RFC 5246, 5 and 6.3; RFC 5288; RFC 6655; RFC 7905.  ``cryptography`` has
the ciphers, and is imported when a record is to be opened.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from .suites import CCM, CHACHA, GCM, Suite

__all__ = ["Key", "key_12", "key_13", "next_key", "why_not"]

_IV: Final = 12
_SALT: Final = 4
_EXPLICIT: Final = 8


def why_not() -> str:
    """Why nothing can be opened here; "" if it can."""
    try:
        from cryptography.hazmat.primitives.ciphers import aead  # noqa: F401
    except ImportError as error:
        return str(error)
    return ""


class Key:
    """What opens the records of one direction; ``number`` is that of the next record.

    ``secret`` is the traffic secret of TLS 1.3, from which the next one is made.
    """

    __slots__ = ("_cipher", "_iv", "number", "secret", "suite")

    def __init__(self, suite: Suite, key: bytes, iv: bytes, secret: bytes = b"") -> None:
        self.suite = suite
        self.secret = secret
        self.number = 0
        self._iv = iv
        self._cipher = _cipher(suite, key)

    @property
    def is_usable(self) -> bool:
        """Can this machine's libraries do the cipher?"""
        return self._cipher is not None

    def open_13(self, number: int, head: bytes, body: bytes) -> bytes | None:
        """What is in a record of TLS 1.3, with type and padding; None if its tag does not agree."""
        return self._open(self._xored(number), body, head)

    def open_12(self, number: int, head: bytes, body: bytes) -> bytes | None:
        """What is in a record of TLS 1.2; None if its tag does not agree."""
        nonce = self._xored(number)
        if self.suite.cipher != CHACHA:
            nonce = self._iv + body[:_EXPLICIT]
            body = body[_EXPLICIT:]
        size = len(body) - self.suite.tag
        if size < 0 or len(nonce) != _IV:
            return None
        # RFC 5246, 6.2.3.3: number, type, version, length of what is inside.
        return self._open(
            nonce, body, number.to_bytes(8, "big") + head[:3] + size.to_bytes(2, "big")
        )

    def _xored(self, number: int) -> bytes:
        return (int.from_bytes(self._iv, "big") ^ number).to_bytes(len(self._iv), "big")

    def _open(self, nonce: bytes, body: bytes, around: bytes) -> bytes | None:
        if self._cipher is None or len(body) < self.suite.tag:
            return None
        from cryptography.exceptions import InvalidTag

        try:
            opened: bytes = self._cipher.decrypt(nonce, body, around)
        except InvalidTag:
            return None
        return opened


def _cipher(suite: Suite, key: bytes) -> Any:
    """The cipher with its key; None if the libraries here cannot do it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.ciphers import aead

    try:
        if suite.cipher == GCM:
            return aead.AESGCM(key)
        if suite.cipher == CCM:
            return aead.AESCCM(key, suite.tag)
        return aead.ChaCha20Poly1305(key)
    except UnsupportedAlgorithm:
        return None


def key_13(suite: Suite, secret: bytes) -> Key:
    """The key of a traffic secret (RFC 8446, 7.3)."""
    key = _expanded(suite.hash, secret, b"key", suite.key)
    return Key(suite, key, _expanded(suite.hash, secret, b"iv", _IV), secret)


def next_key(key: Key) -> Key:
    """The key after a KeyUpdate (RFC 8446, 7.2)."""
    name = key.suite.hash
    size = hashlib.new(name).digest_size
    return key_13(key.suite, _expanded(name, key.secret, b"traffic upd", size))


def key_12(suite: Suite, master: bytes, client: bytes, server: bytes, by_client: bool) -> Key:
    """The key of one end, from the master secret and the randoms of both (RFC 5246, 6.3)."""
    fixed = _IV if suite.cipher == CHACHA else _SALT
    block = _prf(suite.hash, master, b"key expansion" + server + client, 2 * (suite.key + fixed))
    at = 0 if by_client else suite.key
    salt = 2 * suite.key + (0 if by_client else fixed)
    return Key(suite, block[at : at + suite.key], block[salt : salt + fixed])


def _expanded(name: str, secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label without a context (RFC 8446, 7.1)."""
    label = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes((len(label),)) + label + b"\0"
    out = last = b""
    count = 1
    while len(out) < size:
        last = hmac.digest(secret, last + info + bytes((count,)), name)
        out += last
        count += 1
    return out[:size]


def _prf(name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """P_hash (RFC 5246, 5)."""
    out = b""
    last = seed
    while len(out) < size:
        last = hmac.digest(secret, last, name)
        out += hmac.digest(secret, last + seed, name)
    return out[:size]
