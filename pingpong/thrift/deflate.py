"""zlib (Apache's TZlibTransport): one deflate stream a direction, flushed behind each message.

    78 9c  deflate … 00 00 ff ff  deflate … 00 00 ff ff  …     one stream for all, or
    78 9c  deflate … adler32      78 9c  deflate … adler32     one stream for each message
                     └─ a boundary: Z_SYNC_FLUSH ends with these four bytes, a stream with its end

Inside, the messages stand as on any stream: back to back, or each with a frame's length.

What is inflated goes into ``_inner``; messages are taken from it at a boundary only, so
that neither the cut of the segments nor how fast zlib answers decides where a message ends
on the wire.  A boundary may give several: each but the last takes all bytes except one, so
that there is always something left to come back for.

Inflating is bounded: no more than a message may have waits to be read.  A stream cannot be
read on behind a fault or a loss: every byte may refer to those before it.
"""

from __future__ import annotations

import zlib
from typing import Final

from ..errors import DecodeError, LimitExceeded
from ..model import Finding, Limits, Protocol, Severity, Skipper
from .framed import HEAD, read_frame_length
from .header import MAX_FRAME, Part, ProtocolAt, like_message, zlib_words
from .transport import Transport, Unit

__all__ = ["LOST", "DeflateTransport", "begins", "describe"]

LOST: Final = "the zlib stream cannot be inflated behind bytes that are lost or wrong"

_FLUSH: Final = b"\0\0\xff\xff"

# Without a flush for so many bytes, this is a boundary too: nothing waits for ever.
_WINDOW: Final = 65_536

# How much goes into zlib in one go, and how much may come out.
_PIECE: Final = 4096
_STEP: Final = 1 << 20

# Bytes that tell framed from unframed: a frame's length and the begin of a header.
_TELLING: Final = HEAD + 8

# Room for the longest name too.
_NAMED: Final = 2048


class DeflateTransport(Transport):
    """One direction of a zlib transport.  ``is_whole``: a message only lacks its flush."""

    name = "zlib"

    def __init__(self, limits: Limits, protocol_at: ProtocolAt) -> None:
        self._limits = limits
        self._protocol_at = protocol_at
        self._stream = zlib.decompressobj()
        self._fed = 0  # bytes of the buffer that went into the stream
        self._inner = bytearray()  # inflated, not read yet
        self._at_boundary = False  # the bytes fed end at one
        self._error: DecodeError | None = None
        self._reset_inner()

    def _reset_inner(self) -> None:
        """The next message begins at the start of ``_inner``."""
        self._protocol: Protocol | None = None
        self._start = 0  # of its Thrift header: behind a frame's length, if it has one
        self._skipper: Skipper | None = None

    # ── From the wire to inflated bytes ──────────────────────────────────────────────

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        if self._error is not None:
            raise DecodeError(
                "zlib stream", 0, found="broken before", wanted="bytes behind no fault", size=have
            )
        while True:
            if self._at_boundary:
                unit = self._message()
                if unit is not None:
                    return unit
                self._at_boundary = False
            if self._fed >= have:
                return None
            self._feed(buffer, self._boundary(buffer, have))

    def _boundary(self, buffer: bytearray, have: int) -> int:
        """How far to feed: up to the next boundary, or as far as there are bytes."""
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
            self._inflate(data)
        except zlib.error as error:
            self._error = DecodeError(
                "zlib stream", 0, found=zlib_words(error), wanted="one that inflates", size=stop
            )
            raise self._error from None
        most = self._limits.message
        if len(self._inner) > most:
            self._error = LimitExceeded(
                "inflated message", 0, found=f"over {most} bytes", limit=most, size=stop
            )
            self._inner.clear()
            raise self._error
        self._fed = stop
        if self._stream.eof:
            self._fed -= len(self._stream.unused_data)
            self._at_boundary = True

    def _inflate(self, data: bytes) -> None:
        """Add what ``data`` holds to the inflated bytes, or one byte too many of it."""
        while True:
            most = min(_STEP, self._limits.message + 1 - len(self._inner))
            if most <= 0:
                return
            out = self._stream.decompress(data, most)
            self._inner += out
            data = self._stream.unconsumed_tail
            # Filled to the brim, zlib may keep more for the next call.
            if not data and len(out) < most:
                return

    # ── From inflated bytes to messages ──────────────────────────────────────────────

    def _message(self) -> Unit | None:
        """The message at the start of the inflated bytes; None if it is not all there."""
        if not self._inner:
            # An empty flush, or the end of a stream: bytes that hold nothing.
            return self._take(0, None, ()) if self._fed else None
        try:
            if not self._decide():
                return None
            stop = self._stop()
        except DecodeError as error:
            # Most writers begin a message behind a flush: go on there.
            finding = Finding(Severity.ERROR, f"inflated {error}", error.offset)
            return self._take(len(self._inner), self._protocol, (finding,))
        return self._take(stop, self._protocol, ()) if stop > 0 else None

    def _decide(self) -> bool:
        """Find the protocol and whether it is framed; False if more bytes are needed."""
        if self._protocol is not None:
            return True
        inner = self._inner
        head = bytes(inner[:_NAMED])
        for start in (0, HEAD):
            self._protocol = self._protocol_at(head, start, len(head))
            if self._protocol is not None:
                self._start = start
                return True
        telling = like_message(inner, 0), like_message(inner, HEAD)
        if len(inner) < _TELLING or (None in telling and len(inner) < _NAMED):
            return False
        found = head[:_TELLING].hex(" ")
        raise DecodeError("bytes", 0, found=found, wanted="a Thrift message", size=_TELLING)

    def _stop(self) -> int:
        """Where the message ends in the inflated bytes; 0 or less: not there yet."""
        have = len(self._inner)
        if self._start:
            stop = HEAD + read_frame_length(self._inner, 0, have, self._limits)
            return stop if stop <= have else -1
        if self._skipper is None:
            assert self._protocol is not None
            self._skipper = self._protocol.skipper(0, self._limits)
        return self._skipper.advance(self._inner, have)

    def _take(self, stop: int, protocol: Protocol | None, findings: tuple[Finding, ...]) -> Unit:
        """Take ``stop`` inflated bytes, and the bytes on the wire that they came from."""
        data = bytes(self._inner[:stop])
        del self._inner[:stop]
        taken = self._fed - 1 if self._inner else self._fed
        self._fed -= taken
        start = self._start
        self._reset_inner()
        what = ""
        if protocol is None:
            what = "inflated bytes that begin no Thrift message" if stop else ""
            start = stop
        return Unit(taken, data, start, protocol, what, findings)

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        self.is_whole = False
        if self._error is not None or not self._inner:
            return None
        try:
            if not self._decide():
                return None
            self.is_whole = self._stop() == len(self._inner)
        except DecodeError:
            pass  # what can be read of it shows where it goes wrong
        if self._protocol is None:
            return None
        return Unit(have, bytes(self._inner), self._start, self._protocol)


# ── What tells it from others, and what its bytes say ────────────────────────────────


def begins(data: bytes | bytearray) -> bool | None:
    """Do these first bytes of a direction begin a zlib stream that holds Thrift?  None: too
    few yet."""
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
    # Byte by byte, so that a fault behind the answer does not change it.
    for at in range(min(len(data), _PIECE)):
        try:
            inner += stream.decompress(bytes(data[at : at + 1]), _NAMED)
        except zlib.error:
            return False
        answer = _holds_message(inner)
        if answer is not None:
            return answer
        if stream.eof or len(inner) >= _NAMED:
            return False
    return None if len(data) < _PIECE else False


def _holds_message(inner: bytearray) -> bool | None:
    """Do inflated bytes begin like a message, or like a frame with one?  None: too few."""
    plain = like_message(inner, 0)
    framed: bool | None = False
    if len(inner) < HEAD:
        framed = None
    elif 0 < int.from_bytes(inner[:HEAD], "big") <= MAX_FRAME:
        framed = like_message(inner, HEAD)
    if plain or framed:
        return True
    return None if None in (plain, framed) else False


def describe(data: bytes, stop: int) -> list[Part]:
    """What stands before the message, inflated: size, label, meaning and why of each part."""
    if not stop:
        return []
    length = int.from_bytes(data[:stop], "big", signed=True)
    return [(stop, "frame length", str(length), "Inflated, like all that follows.")]
