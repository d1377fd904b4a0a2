"""How much may come out of what is packed: zlib, gzip, deflate.

    packed bytes ─▶ Allowance.most ─▶ unpacked bytes ─▶ Allowance.take

Deflate makes a byte of a thousand, and what is packed again and again a byte of a billion.  So one
message may have so many bytes unpacked and no more (``Limits.unpacked``), and so may all that comes
in one go, however many messages that are: an Allowance is that many bytes, and packed ones win back
RATIO times as many.  Whoever packs what somebody means to read stays far below that.

All connections of a capture draw on one Allowance: then memory and time are bounded by the
capture's size, and what one connection uses up is missing to none that packs less than RATIO to 1.
"""

from __future__ import annotations

import zlib
from typing import Final

from ..model import Limits

__all__ = ["LEFT_OVER", "MESSAGE", "RATIO", "Allowance", "inflate", "over", "zlib_words"]

# Unpacked bytes for a packed one that are always allowed.  Text of a service packs 3 to 20 to 1.
RATIO: Final = 128

# What a message costs besides its bytes: an object is more than the smallest of them is.
MESSAGE: Final = 256

LEFT_OVER: Final = "bytes are left over behind its end"

_PIECE: Final = 4096


class Allowance:
    """How many unpacked bytes are allowed now."""

    __slots__ = ("_full", "_left", "limit")

    def __init__(self, limits: Limits) -> None:
        self.limit = min(limits.unpacked, limits.message)
        self._full = self.limit
        self._left = self._full

    def most(self, packed: int) -> int:
        """How much ``packed`` more bytes may hold."""
        return self._left + RATIO * packed

    def take(self, packed: int, unpacked: int) -> None:
        """So many packed bytes held so many."""
        self._left = min(self._full, max(0, self._left + RATIO * packed - unpacked))


def over(most: int, limit: int) -> str:
    """What is said of packed bytes that hold more than ``most``, where one message may have
    ``limit``: it alone is too long, or all that came at once is."""
    if most >= limit:
        return f"over {limit} bytes (--max-unpacked)"
    return f"over {limit} bytes, with what came before it (--max-unpacked)"


def zlib_words(error: zlib.error) -> str:
    """zlib's own words, without Python's."""
    return str(error).rpartition(": ")[2]


def inflate(
    data: bytes, allowance: Allowance, earned: int, bits: int = 15, members: bool = False
) -> tuple[bytes, str]:
    """What packed bytes hold, and what is wrong with them, else "".

    ``earned`` is how many bytes of the wire they were: none, if they came out of others.  ``bits``
    is what zlib calls their format; ``members``: several may follow each other, as in gzip.  Not
    more than the allowance: of what holds more, nothing.
    """
    limit = allowance.limit
    most = min(limit, allowance.most(earned))
    stream = zlib.decompressobj(bits)
    out = bytearray()
    wrong = ""
    # Step by step, because what a call had inflated is gone when it fails.
    for at in range(0, len(data), _PIECE):
        piece = data[at : at + _PIECE]
        while piece and not wrong:
            if stream.eof:
                if not members:
                    wrong = LEFT_OVER
                    break
                stream = zlib.decompressobj(bits)
            try:
                out += stream.decompress(piece, most + 1 - len(out))
            except zlib.error as error:
                wrong = zlib_words(error)
                break
            if len(out) > most:
                allowance.take(earned, most)
                return b"", f"it holds {over(most, limit)}"
            piece = stream.unused_data if stream.eof else b""
        if wrong:
            break
    allowance.take(earned, len(out))
    return bytes(out), wrong or ("" if stream.eof else "its end is missing")
