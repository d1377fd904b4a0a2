"""The plain data of a Java object stream: numbers and texts between its objects.

    AC ED 00 05                     the stream's head
    77 n  · 7A n4                   block data of that length; neighbours belong together
    70 72 73 74 75 …                objects

What is written by writeInt, writeUTF and so on is in blocks, which are cut at 1024 bytes, even in
the middle of a number (Java Object Serialization Specification, 6).
"""

from __future__ import annotations

from typing import Final

from ...errors import DecodeError, Incomplete

__all__ = ["STREAM", "Blocks", "modified"]

STREAM: Final = b"\xac\xed\x00\x05"

_SHORT: Final = 0x77
_LONG: Final = 0x7A


class Blocks:
    """Reads block data from ``at`` on; ``left`` is how much of the block is still to come."""

    __slots__ = ("at", "data", "left", "stop")

    def __init__(self, data: bytes, at: int, stop: int) -> None:
        self.data = data
        self.at = at
        self.stop = stop
        self.left = 0

    def head(self) -> None:
        """Pass the stream's head.  Raises DecodeError if there is none."""
        start = self.data[self.at : min(self.stop, self.at + 4)]
        if start != STREAM:
            if STREAM.startswith(start):
                raise Incomplete("Java stream", self.at, needs=4, left=len(start))
            found, wanted = start.hex(" "), STREAM.hex(" ")
            raise DecodeError("Java stream", self.at, found=found, wanted=wanted, size=4)
        self.at += 4

    def take(self, size: int, what: str) -> bytes:
        """Return the next ``size`` bytes of data.  Raises DecodeError, Incomplete if cut off."""
        out: list[bytes] = []
        need = size
        while need:
            if not self.left:
                self._block(what)
            some = min(need, self.left, self.stop - self.at)
            if not some:
                raise Incomplete(what, self.at, needs=need, left=0)
            out.append(self.data[self.at : self.at + some])
            self.at += some
            self.left -= some
            need -= some
        return b"".join(out)

    def _block(self, what: str) -> None:
        if self.at >= self.stop:
            raise Incomplete(what, self.at, needs=1, left=0)
        tag = self.data[self.at]
        if tag not in (_SHORT, _LONG):
            found, wanted = f"0x{tag:02x}", "0x77 or 0x7a, block data"
            raise DecodeError(what, self.at, found=found, wanted=wanted, size=1)
        size = 2 if tag == _SHORT else 5
        if self.at + size > self.stop:
            raise Incomplete(what, self.at, needs=size, left=self.stop - self.at)
        self.left = int.from_bytes(self.data[self.at + 1 : self.at + size], "big")
        self.at += size
        if not self.left:
            wanted = "1 or more"
            raise DecodeError("block length", self.at - 1, found="0", wanted=wanted, size=1)

    def number(self, size: int, what: str) -> int:
        """Return the next ``size`` bytes as an unsigned number.  Raises what ``take`` raises."""
        return int.from_bytes(self.take(size, what), "big")

    def text(self, what: str) -> str:
        """Return what writeUTF wrote."""
        return modified(self.take(self.number(2, what), what))


def modified(raw: bytes) -> str:
    r"""Decode modified UTF-8; other bytes become escapes.

    >>> modified(b"a" + bytes.fromhex("c0 80 ed a0 bd ed b8 80"))
    'a\x00😀'
    """
    if raw.isascii():
        return raw.decode("ascii")
    try:
        text = raw.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace")
