"""Handshake messages, as far as somebody who has the secrets needs them.

┌ type ┬ length ┬ … ┐     RFC 8446, 4: one may span records, a record may hold several
  1       3

client hello   version 2 │ random 32 │ session id │ suites │ compression │ extensions
server hello   version 2 │ random 32 │ session id │ suite 2 │ compression 1 │ extensions
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = [
    "CLIENT_HELLO",
    "ENCRYPTED_EXTENSIONS",
    "END_OF_EARLY_DATA",
    "FINISHED",
    "KEY_UPDATE",
    "SERVER_HELLO",
    "ClientHello",
    "Handshakes",
    "ServerHello",
    "accepts_early",
]

CLIENT_HELLO: Final = 1
SERVER_HELLO: Final = 2
END_OF_EARLY_DATA: Final = 5
ENCRYPTED_EXTENSIONS: Final = 8
FINISHED: Final = 20
KEY_UPDATE: Final = 24

_HEAD: Final = 4
_RANDOM: Final = 32

# Of which messages the content is read, and how long it may be.
_READ: Final = (CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS)
MAX_HELLO: Final = 1 << 16

_EARLY_DATA: Final = 42
_SUPPORTED_VERSIONS: Final = 43

# RFC 8446, 4.1.3: a server hello with this random asks for another client hello.
_RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class Handshakes:
    """The handshake messages of one direction, whatever records they come in."""

    __slots__ = ("_data", "_kind", "_left")

    def __init__(self) -> None:
        self._data = bytearray()  # of the message that is being read; its head, before that
        self._kind = -1  # of that message; -1: its head is not there
        self._left = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Add what a record holds; yield type and content of each message that is complete.

        The content is b"" where nobody reads it.
        """
        at = 0
        while at < len(data):
            if self._kind < 0:
                more = data[at : at + _HEAD - len(self._data)]
                self._data += more
                at += len(more)
                if len(self._data) < _HEAD:
                    return
                self._kind = self._data[0]
                self._left = int.from_bytes(self._data[1:], "big")
                self._data.clear()
            taken = min(self._left, len(data) - at)
            if self._kind in _READ and len(self._data) + taken <= MAX_HELLO:
                self._data += data[at : at + taken]
            self._left -= taken
            at += taken
            if not self._left:
                done = self._kind, bytes(self._data)
                self._kind = -1
                self._data.clear()
                yield done


class ClientHello:
    """What a client says first.  ``offers_early``: it sends data before the server has answered."""

    __slots__ = ("offers_early", "random")

    def __init__(self, data: bytes) -> None:
        """Raises ValueError if it is none."""
        self.random = _part(data, 2, _RANDOM)
        at = _past(data, 2 + _RANDOM, 1)
        at = _past(data, at, 2)
        at = _past(data, at, 1)
        self.offers_early = _EARLY_DATA in _extensions(data, at)


class ServerHello:
    """What a server answers: the version and the suite that hold from now on.

    ``is_retry``: it asks for another hello.  ``packs``: it compresses records.
    """

    __slots__ = ("is_retry", "packs", "random", "suite", "version")

    def __init__(self, data: bytes) -> None:
        """Raises ValueError if it is none."""
        self.random = _part(data, 2, _RANDOM)
        at = _past(data, 2 + _RANDOM, 1)
        self.suite = int.from_bytes(_part(data, at, 2), "big")
        self.packs = _part(data, at + 2, 1) != b"\0"
        self.is_retry = self.random == _RETRY
        chosen = _extensions(data, at + 3).get(_SUPPORTED_VERSIONS, b"")
        self.version = int.from_bytes(chosen if len(chosen) == 2 else data[:2], "big")


def accepts_early(data: bytes) -> bool:
    """Do these encrypted extensions accept the client's early data?"""
    try:
        return _EARLY_DATA in _extensions(data, 0)
    except ValueError:
        return False


def _part(data: bytes, at: int, size: int) -> bytes:
    part = data[at : at + size]
    if len(part) < size:
        raise ValueError(f"ends at byte {len(data)}")
    return part


def _past(data: bytes, at: int, width: int) -> int:
    """Where the list ends whose length has ``width`` bytes."""
    stop = at + width + int.from_bytes(_part(data, at, width), "big")
    if stop > len(data):
        raise ValueError(f"ends at byte {len(data)}")
    return stop


def _extensions(data: bytes, at: int) -> dict[int, bytes]:
    """The extensions by their numbers; without any, the hello ends here."""
    found: dict[int, bytes] = {}
    if at == len(data):
        return found
    stop = _past(data, at, 2)
    at += 2
    while at < stop:
        end = _past(data, at + 2, 2)
        found[int.from_bytes(data[at : at + 2], "big")] = data[at + 4 : end]
        at = end
    return found
