"""TFramedTransport, as in doc/specs/thrift-rpc.md, "Framed vs. unframed transport".

┌───────────────────┬──────────────────
│  length, i32      │ one message …        the length does not count itself
└───────────────────┴──────────────────
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....errors import DecodeError, Incomplete, LimitExceeded
from ....model import Finding, Header, Limits, Protocol
from ...framing import Transport, Unit
from .answers import UPGRADES
from .prefix import after_prefix, asks_for_prefix, missing_prefix

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["HEAD", "Framed", "describe", "read_frame_length"]

# Size in bytes of the length.
HEAD = 4

# What an empty frame is; more of them in a row than this are just zeros.
EMPTY: Final = "a frame with no message in it"
MAX_EMPTY: Final = 16


def read_frame_length(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> int:
    """Return the length that the frame at ``start`` claims.

    Raises Incomplete if the length is cut off; DecodeError for 0 or less (an empty frame has no
    message); LimitExceeded for more than ``limits.frame``.
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
    """Return the parts of what precedes the message: size, label, meaning and why."""
    length = int.from_bytes(data[:HEAD], "big", signed=True)
    return [(HEAD, "frame length", str(length), "Bytes that follow, without these 4.")]


class Framed(Transport):
    """A length before each message.

    ``prefixed``: in the frame, a struct of tracing headers may come before the message.
    """

    name = "framed"

    def __init__(self, protocol: Protocol, limits: Limits, prefixed: bool = False) -> None:
        self._protocol = protocol
        self._limits = limits
        self.prefixed = prefixed
        self._had_prefix = False
        self._empty = 0  # empty frames in a row

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        if have < HEAD:
            return None
        if not any(buffer[:HEAD]) and self._empty < MAX_EMPTY:
            # A writer that flushes with nothing to send writes an empty frame.
            self._empty += 1
            return Unit(HEAD, bytes(buffer[:HEAD]), HEAD, None, EMPTY)
        self._empty = 0
        stop = HEAD + read_frame_length(buffer, 0, have, self._limits)
        return self._unit(buffer, stop) if have >= stop else None

    def whole(self, data: bytes, at: i64, stop: i64) -> tuple[Header | None, i64]:
        if self.prefixed or stop - at < 5 or data[at]:
            return None, 0
        a: i64 = data[at + 1]
        b: i64 = data[at + 2]
        length: i64 = a << 16 | b << 8 | data[at + 3]
        end = at + 4 + length
        if not length or end > stop or length > self._limits.frame:
            return None, 0
        header = self._protocol.whole_header(data, at + 4, end, 4)
        if header is None:
            try:
                header = self._protocol.read_header(data[at:end], HEAD, end - at, self._limits)
            except DecodeError:
                return None, 0
            if self._protocol.oddity(header) is not None:
                return None, 0
        if header.method in UPGRADES:
            return None, 0
        return header, end

    def hear(self, header: Header, protocol: Protocol) -> None:
        self.prefixed = self.prefixed or asks_for_prefix(header, protocol)

    def _unit(self, buffer: bytearray, stop: int) -> Unit:
        data = bytes(buffer[:stop])
        start = HEAD
        findings: tuple[Finding, ...] = ()
        if self.prefixed:
            start = after_prefix(data, HEAD, stop, self._limits)
            findings = missing_prefix(self._had_prefix, start, HEAD)
            self._had_prefix = self._had_prefix or start > HEAD
        return Unit(stop, data, start, self._protocol, "", findings)

    def known_until(self, buffer: bytearray, have: int) -> int:
        return self.frame_stop(buffer, have)

    def frame_stop(self, buffer: bytearray, have: int) -> int:
        try:
            return HEAD + read_frame_length(buffer, 0, have, self._limits)
        except DecodeError:
            return 0

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        return self._unit(buffer, have) if have >= HEAD else None
