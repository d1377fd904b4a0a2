"""TFramedTransport, as doc/specs/thrift-rpc.md, "Framed vs. unframed transport", has it.

┌───────────────────┬──────────────────
│  length, i32      │ one message …        the length does not count itself
└───────────────────┴──────────────────
"""

from __future__ import annotations

from ..errors import DecodeError, Incomplete, LimitExceeded
from ..model import Limits, Protocol
from .prefix import after_prefix
from .transport import Transport, Unit, Whole

__all__ = ["HEAD", "Framed", "describe", "read_frame_length"]

# Bytes of the length.
HEAD = 4


def read_frame_length(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> int:
    """The length that the frame at ``start`` claims.

    Raises Incomplete if the length is cut; DecodeError for 0 or less (an empty frame holds
    no message); LimitExceeded for more than ``limits.frame``.
    """
    if stop - start < HEAD:
        raise Incomplete("frame length", start, needs=HEAD, left=stop - start)
    length = int.from_bytes(data[start : start + HEAD], "big", signed=True)
    if length <= 0:
        raise DecodeError("frame length", start, found=str(length), wanted="1 or more", size=HEAD)
    if length > limits.frame:
        raise LimitExceeded("frame length", start, found=str(length), limit=limits.frame, size=HEAD)
    return length


def describe(data: bytes, stop: int) -> list[tuple[int, str, str, str]]:
    """What stands before the message: size, label, meaning and why of each part."""
    length = int.from_bytes(data[:HEAD], "big", signed=True)
    return [(HEAD, "frame length", str(length), "Bytes that follow, without these 4.")]


class Framed(Transport):
    """A length before each message.

    ``prefixed``: a struct of tracing headers may stand in the frame before the message.
    """

    name = "framed"

    def __init__(self, protocol: Protocol, limits: Limits, prefixed: bool = False) -> None:
        self._protocol = protocol
        self._limits = limits
        self._prefixed = prefixed

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        if have < HEAD:
            return None
        stop = HEAD + read_frame_length(buffer, 0, have, self._limits)
        return self._unit(buffer, stop) if have >= stop else None

    def whole(self, data: bytes) -> Whole | None:
        if self._prefixed or len(data) < HEAD or data[0]:
            return None
        stop = HEAD + (data[1] << 16 | data[2] << 8 | data[3])
        if not HEAD < stop <= len(data) or stop - HEAD > self._limits.frame:
            return None
        try:
            header = self._protocol.read_header(data, HEAD, stop, self._limits)
        except DecodeError:
            return None
        return Whole(header, self._protocol, stop)

    def _unit(self, buffer: bytearray, stop: int) -> Unit:
        data = bytes(buffer[:stop])
        start = HEAD
        if self._prefixed:
            start = after_prefix(data, HEAD, stop, self._limits)
        return Unit(stop, data, start, self._protocol)

    def known_until(self, buffer: bytearray, have: int) -> int:
        return self.frame_stop(buffer, have)

    def frame_stop(self, buffer: bytearray, have: int) -> int:
        try:
            return HEAD + read_frame_length(buffer, 0, have, self._limits)
        except DecodeError:
            return 0

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        return self._unit(buffer, have) if have >= HEAD else None
