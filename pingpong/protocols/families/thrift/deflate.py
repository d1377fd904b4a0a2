"""zlib (Apache's TZlibTransport): one deflate stream per direction, flushed after each message.

    78 9c  deflate … 00 00 ff ff  deflate … 00 00 ff ff  …     one stream for all, or
    78 9c  deflate … adler32      78 9c  deflate … adler32     one stream for each message
    ll ll ll ll  78 9c …          ll ll ll ll  …               any of that in frames
                     └─ a boundary: Z_SYNC_FLUSH ends with these four bytes, a stream with its end

Inside, the messages are as on any stream: back to back, or each with a frame's length.

What is inflated goes into ``_inner`` (``inside.py``); messages are taken from it only at a
boundary, so that neither the cut of the segments nor zlib's buffering decides where a message ends
on the wire.  A boundary may give several: each but the last takes all bytes except one, so that
there is always something left to come back for.

Inflating is bounded: no more than ``unpacking.py`` allows waits to be read.  A stream cannot be
read beyond a fault or a loss: every byte may refer to earlier ones.
"""

from __future__ import annotations

import zlib
from typing import Final

from ....errors import DecodeError, LimitExceeded
from ....model import Limits
from ...framing import ProtocolAt, Transport, Unit
from ...unpacking import MESSAGE, Allowance, over, zlib_words
from . import inside
from .framed import HEAD, read_frame_length
from .inside import NAMED, Inside
from .theader import MAX_FRAME, Part, like_message

__all__ = [
    "LOST",
    "DeflateTransport",
    "FramedDeflateTransport",
    "begins",
    "begins_framed",
    "describe",
]

LOST: Final = "the zlib stream cannot be inflated behind bytes that are lost or wrong"

_FLUSH: Final = b"\0\0\xff\xff"

# After so many bytes without a flush, this is a boundary too: nothing waits for ever.
_WINDOW: Final = 65_536

# How much goes into zlib at once, and how much may come out.
_PIECE: Final = 4096
_STEP: Final = 1 << 20


class DeflateTransport(Transport):
    """One direction of a zlib transport.  ``is_whole``: a message only lacks its flush."""

    name = "zlib"

    def __init__(self, limits: Limits, protocol_at: ProtocolAt) -> None:
        self._limits = limits
        self._protocol_at = protocol_at
        self.allowance = Allowance(limits)
        self._stream = zlib.decompressobj()
        self._fed = 0  # bytes of the buffer that went into the stream
        self._inner = Inside(limits, protocol_at, "inflated")
        self._at_boundary = False  # the bytes fed so far end at one
        self._error: DecodeError | None = None

    # ── From the wire to inflated bytes ──────────────────────────────────────────────

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        self._check()
        while True:
            if self._at_boundary:
                unit = self._message()
                if unit is not None:
                    return unit
                self._at_boundary = False
            if self._fed >= have:
                return None
            self._feed(buffer, self._boundary(buffer, have))

    def _check(self) -> None:
        if self._error is not None:
            raise DecodeError(
                "zlib stream", 0, found="broken before", wanted="bytes behind no fault", size=1
            )

    def _boundary(self, buffer: bytearray, have: int) -> int:
        """Return how far to feed: up to the next boundary, or all the bytes there are."""
        stop = min(have, self._fed + _PIECE)
        flush = buffer.find(_FLUSH, max(0, self._fed - len(_FLUSH) + 1), stop)
        if flush >= 0:
            stop = flush + len(_FLUSH)
        window = (self._fed // _WINDOW + 1) * _WINDOW
        self._at_boundary = flush >= 0 or window <= stop
        return min(stop, window)

    def _feed(self, buffer: bytearray, stop: int) -> None:
        if self._stream.eof:
            self._stream = zlib.decompressobj()
        data = bytes(buffer[self._fed : stop])
        try:
            most = self._inflate(data)
        except zlib.error as error:
            self._error = DecodeError(
                "zlib stream", 0, found=zlib_words(error), wanted="one that inflates", size=stop
            )
            raise self._error from None
        if most >= 0:
            raise self._too_much(most, stop)
        self._fed = stop
        if self._stream.eof:
            self._fed -= len(self._stream.unused_data)
            self._at_boundary = True

    def _too_much(self, most: int, size: int) -> LimitExceeded:
        """Make the error for more than ``most`` inflated bytes; nothing after it is read."""
        assert self.allowance is not None
        limit = self.allowance.limit
        self._error = LimitExceeded(
            "inflated message", 0, found=over(most, limit), limit=limit, size=size
        )
        self._inner.data.clear()
        return self._error

    def _inflate(self, data: bytes) -> int:
        """Inflate ``data``; return -1, or the limit if the result is over it.

        In that case, there is one byte too many of it.
        """
        allowance = self.allowance
        assert allowance is not None
        earned, inner = len(data), self._inner.data
        room = allowance.limit - len(inner)
        most = min(room, allowance.most(earned))
        came = 0
        while came <= most:
            out = self._stream.decompress(data, min(_STEP, most + 1 - came))
            inner += out
            came += len(out)
            data = self._stream.unconsumed_tail
            # When the output is full, zlib may have more for the next call.
            if not data and len(out) < _STEP and came <= most:
                break
        allowance.take(earned, came)
        if came <= most:
            return -1
        return allowance.limit if most == room else most

    # ── From inflated bytes to messages ──────────────────────────────────────────────

    def _message(self) -> Unit | None:
        """Return the message at the start of the inflated bytes; None if some of it is missing."""
        inner = self._inner
        if not inner.data:
            # An empty flush, or the end of a stream: bytes without content.
            if not self._fed:
                return None
            unit = inner.take(0, ())
        else:
            found = inner.next()
            if found is None:
                return None
            unit = found
            assert self.allowance is not None
            if self.allowance.most(0) < MESSAGE and unit.protocol is not None:
                raise self._too_much(self.allowance.most(0), self._fed)
            self.allowance.take(0, MESSAGE)
        # The bytes on the wire that they came from.
        unit.stop = self._fed - 1 if inner.data else self._fed
        self._fed -= unit.stop
        return unit

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        self.is_whole = False
        inner = self._inner
        if self._error is not None or not inner.data:
            return None
        try:
            if not inner.decide():
                return None
            self.is_whole = inner.stop() == len(inner.data)
        except DecodeError:
            pass  # the part that can be read shows where it goes wrong
        if inner.protocol is None:
            return None
        return Unit(have, bytes(inner.data), inner.start, inner.protocol)


class FramedDeflateTransport(DeflateTransport):
    """The same in frames (TZlibTransport over TFramedTransport): their ends are boundaries too."""

    name = "framed-zlib"

    def __init__(self, limits: Limits, protocol_at: ProtocolAt) -> None:
        super().__init__(limits, protocol_at)
        self._left = 0  # bytes of the frame that are still to be fed

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        self._check()
        while True:
            if self._at_boundary:
                unit = self._message()
                if unit is not None:
                    return unit
                self._at_boundary = False
            if not self._left:
                if have - self._fed < HEAD:
                    return None
                length = int.from_bytes(buffer[self._fed : self._fed + HEAD], "big")
                if length:
                    length = read_frame_length(buffer, self._fed, have, self._limits)
                self._fed += HEAD
                self._left = length
                self._at_boundary = not length
                continue
            if self._fed >= have:
                return None
            before = self._fed
            self._feed(buffer, min(have, before + _PIECE, before + self._left))
            self._left -= self._fed - before
            self._at_boundary = self._at_boundary or not self._left


# ── What tells it from others, and what its bytes say ────────────────────────────────


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes begin a zlib stream with Thrift in it; None: too few yet."""
    head = bytes(data[:2])
    # RFC 1950, 2.2: deflate with a window of 32 KiB, no dictionary, a multiple of 31.
    if head[:1] != b"\x78"[: len(head)]:
        return False
    if len(head) == 2 and (head[1] & 0x20 or (head[0] << 8 | head[1]) % 31):
        return False
    if len(head) < 2:
        return None
    stream = zlib.decompressobj()
    inner = bytearray()
    # Byte by byte, so that a fault after the answer does not change it.
    for at in range(min(len(data), _PIECE)):
        try:
            inner += stream.decompress(bytes(data[at : at + 1]), NAMED)
        except zlib.error:
            return False
        answer = _holds_message(inner)
        if answer is not None:
            return answer
        if stream.eof or len(inner) >= NAMED:
            return False
    return None if len(data) < _PIECE else False


def _holds_message(inner: bytearray) -> bool | None:
    """Say whether inflated bytes begin like a message, or like a frame with one; None: too few."""
    plain = like_message(inner, 0)
    framed: bool | None = False
    if len(inner) < HEAD:
        framed = None
    elif 0 < int.from_bytes(inner[:HEAD], "big") <= MAX_FRAME:
        framed = like_message(inner, HEAD)
    if plain or framed:
        return True
    return None if None in (plain, framed) else False


def begins_framed(data: bytes | bytearray) -> bool | None:
    """Say the same of a stream in frames."""
    if any(data[:1]):
        return False
    if len(data) < HEAD + 1:
        return None
    stop = HEAD + int.from_bytes(data[:HEAD], "big")
    answer = begins(data[HEAD:stop])
    return False if answer is None and len(data) >= stop else answer


def describe(data: bytes, stop: int) -> list[Part]:
    """Return the parts of what precedes the message, inflated: size, label, meaning and why."""
    return inside.describe(data, stop, "Inflated, like all that follows.")
