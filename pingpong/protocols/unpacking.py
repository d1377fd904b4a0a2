"""How much packed bytes (zlib, gzip, deflate) may unpack to.

    packed bytes ─▶ Allowance.most ─▶ unpacked bytes ─▶ Allowance.take

Deflate makes a thousand bytes out of one, and what is packed again and again, a billion.  So the
bytes unpacked for one message are limited (``Limits.unpacked``), and so is everything that comes at
once, however many messages that is: an Allowance is that many bytes, and packed ones win back RATIO
times as many.  Nobody who packs something to be read comes near that.

All connections of a capture draw on one Allowance: so memory and time are bounded by the capture's
size, and what one connection uses up is missed by none that packs less than RATIO to 1.
"""

from __future__ import annotations

import zlib
from typing import Final

from ..model import Limits, Severity

__all__ = [
    *("LEFT_OVER", "MASKED", "MESSAGE", "NOT_UNPACKED", "RATIO", "Allowance"),
    *("grave", "inflate", "over", "zlib_words"),
]

# Unpacked bytes that are always allowed for each packed one.  Text of a service packs 3 to 20 to 1.
RATIO: Final = 128

# What a message costs besides its bytes: an object is larger than the smallest message.
MESSAGE: Final = 256

LEFT_OVER: Final = "bytes are left over behind its end"

# Nothing that was packed is so: ``pingpong redact`` hides packed bytes as a whole.
MASKED: Final = "its bytes are all 0, as where a capture was redacted"

# What is said of a packing that only whoever sent and reads it knows.
NOT_UNPACKED: Final = "which is not unpacked here"

_PIECE: Final = 4096


class Allowance:
    """How many unpacked bytes are allowed now."""

    __slots__ = ("_full", "_left", "limit")

    def __init__(self, limits: Limits) -> None:
        self.limit = min(limits.unpacked, limits.message)
        self._full = self.limit
        self._left = self._full

    def most(self, packed: int) -> int:
        """Return how much ``packed`` more bytes may unpack to."""
        return self._left + RATIO * packed

    def take(self, packed: int, unpacked: int) -> None:
        """Record that so many packed bytes unpacked to so many."""
        self._left = min(self._full, max(0, self._left + RATIO * packed - unpacked))


def over(most: int, limit: int) -> str:
    """Say that packed bytes unpack to more than ``most``, if one message may have ``limit``.

    Either it alone is too long, or all that came at once is.
    """
    if most >= limit:
        return f"over {limit} bytes (--max-unpacked)"
    return f"over {limit} bytes, with what came before it (--max-unpacked)"


def zlib_words(error: zlib.error) -> str:
    """Return zlib's own words, without Python's."""
    return str(error).rpartition(": ")[2]


def grave(wrong: str) -> Severity:
    """Return how bad it is that packed bytes cannot be unpacked.

    It is an error if who reads them fails, too.  It may be on purpose, or only not known here.
    """
    if wrong.endswith(MASKED):
        return Severity.NOTE
    return Severity.WARNING if wrong.endswith(NOT_UNPACKED) else Severity.ERROR


def inflate(
    data: bytes, allowance: Allowance, earned: int, bits: int = 15, members: bool = False
) -> tuple[bytes, str]:
    """Return what packed bytes unpack to, and what is wrong with them, else "".

    ``earned`` is how many bytes of the wire they were: none, if they came out of others.  ``bits``
    is zlib's number for their format; ``members``: several may follow each other, as in gzip.  If
    they hold more than the allowance, nothing is returned of them.
    """
    if data and not data.strip(b"\0"):
        return b"", MASKED
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
