"""Headers of tracing systems: a struct before each message.

Finagle (TTwitter) and thriftpy2.contrib.tracking ask first, with a call of a reserved
method, whether the other end understands them.  If it does, the client puts a RequestHeader
before every later call, and the server a ResponseHeader (often empty: the one byte 00)
before every reply.  Both are binary structs.

    CALL __thriftpy_tracing_method_name__v2 …     REPLY __thriftpy_tracing_method_name__v2 …
    RequestHeader  CALL ping …                    ResponseHeader  REPLY ping …

Whether the answer was yes is seen from what follows: a message, or a struct and a message.
"""

from __future__ import annotations

from ....errors import DecodeError
from ....model import Finding, Header, Limits, Protocol, Severity
from ...encodings.binary import BINARY, VERSION_1, BinarySkipper
from .answers import UPGRADES

__all__ = ["StructSkipper", "after_prefix", "asks_for_prefix", "begins_message", "missing_prefix"]


class StructSkipper(BinarySkipper):
    """Finds where a bare binary struct ends."""

    __slots__ = ()

    def __init__(self, start: int, limits: Limits) -> None:
        super().__init__(start, limits)
        self._start = start - 1  # there is no header to be read first
        self._left.append(-1)
        self._types.append(0)


def asks_for_prefix(header: Header, protocol: Protocol) -> bool:
    """Say whether a struct may come before the messages after this one.

    The headers are binary structs, before strict binary messages.
    """
    return protocol is BINARY and header.method in UPGRADES


def begins_message(data: bytes | bytearray, at: int) -> bool:
    """Say whether a strict header begins there, not a struct: no field type is 0x80."""
    return data[at] << 8 | data[at + 1] == VERSION_1


def missing_prefix(had_one: bool, start: int, inside: int) -> tuple[Finding, ...]:
    """Return findings for a message at ``start`` that lacks the struct that earlier ones had.

    ``had_one``: earlier messages in its direction had one.  ``inside`` is where it would be.
    """
    if not had_one or start > inside:
        return ()
    text = (
        f"no tracing header at offset {inside}: the messages before had one, and who waits for "
        "it takes the first bytes of this one for it"
    )
    return (Finding(Severity.ERROR, text, inside),)


def after_prefix(data: bytes, start: int, stop: int, limits: Limits) -> int:
    """Return where the message after a struct at ``start`` begins; ``start`` if there is none."""
    if stop - start < 2 or begins_message(data, start):
        return start
    try:
        after = StructSkipper(start, limits).advance(data, stop)
    except DecodeError:
        return start
    return after if after > 0 and after + 2 <= stop and begins_message(data, after) else start
