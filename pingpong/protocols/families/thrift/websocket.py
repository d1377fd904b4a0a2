"""Thrift over WebSocket (RFC 6455): HTTP's upgrade, then messages in frames.

    GET /calc HTTP/1.1 ⏎ Upgrade: websocket ⏎ …      HTTP/1.1 101 … ⏎ Upgrade: websocket ⏎ …

    ┌──────────┬──────────┬──────────────────┬───────────────┬────────────
    │ FIN, RSV │ MASK     │ length of 16 or  │ masking key,  │ payload …
    │ opcode   │ length 7 │ 64 bits, or none │ 4, or none    │
    └──────────┴──────────┴──────────────────┴───────────────┴────────────

The payloads of binary and of text frames are one stream to Thrift's libraries, however they are
cut: messages back to back, or each with a frame's length (``inside.py``).  What a client sends is
masked; permessage-deflate (RFC 7692) packs a whole message, which may refer to earlier ones.
A message's ``data`` is what was in the frames.

No more than the size of one message waits to be read.  The place where a frame begins looks like
any other: after a loss, nothing is read.
"""

from __future__ import annotations

import zlib
from typing import Final

from ....errors import DecodeError, LimitExceeded
from ....model import Limits
from ...framing import ProtocolAt, Transport, Unit
from ...unpacking import Allowance, over, zlib_words
from . import inside
from .inside import Inside
from .theader import Part

__all__ = ["WebSocketTransport", "begins", "describe"]

MAX_HEAD: Final = 65_536

_END: Final = b"\r\n\r\n"
_ASKS: Final = b"GET "
_ANSWERS: Final = b"HTTP/1.1 101"

# RFC 6455, 5.2 and 5.5.
_CONTINUATION: Final = 0
_TEXT: Final = 1
_BINARY: Final = 2
_NAMES: Final = {
    _CONTINUATION: "continuation",
    _TEXT: "text",
    _BINARY: "binary",
    8: "close",
    9: "ping",
    10: "pong",
}
_MOST_CONTROL: Final = 125

# RFC 7692, 7.2.2: what a sender leaves out at the end of a message.
_TAIL: Final = b"\0\0\xff\xff"


class _Piece:
    """Opened bytes up to ``stop``, of those that wait.

    On the wire they begin at ``start`` and their frame ends at ``end``; if ``is_packed``, they
    come from all of that.
    """

    __slots__ = ("end", "is_packed", "start", "stop")

    def __init__(self, stop: int, start: int, end: int, is_packed: bool) -> None:
        self.stop = stop
        self.start = start
        self.end = end
        self.is_packed = is_packed


class WebSocketTransport(Transport):
    """One direction of a WebSocket."""

    name = "websocket"

    def __init__(self, limits: Limits, protocol_at: ProtocolAt) -> None:
        self._limits = limits
        self.allowance = Allowance(limits)
        self._inside = Inside(limits, protocol_at, "WebSocket")
        self._is_open = False  # the upgrade was passed
        self._scanned = 0
        self._fed = 0  # bytes of the buffer whose frames were opened
        self._pieces: list[_Piece] = []
        self._begun = False  # a message continues in the next frame
        self._packed: bytearray | None = None  # such a message, if it is packed
        self._inflater = zlib.decompressobj(-15)
        self._error: DecodeError | None = None

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        if not self._is_open:
            return self._head(buffer, have)
        if self._error is not None:
            raise self._error
        while True:
            if self._inside.data:
                unit = self._inside.next()
                if unit is not None:
                    return self._give(unit)
            what = self._open(buffer, have)
            if not what:
                return None
            if not self._inside.data:
                # A ping, or an empty message.  A packed message that continues has no bytes yet.
                stop = self._fed
                self._pass(stop)
                return Unit(stop, b"", 0, None, what)

    def _head(self, buffer: bytearray, have: int) -> Unit | None:
        end = buffer.find(_END, self._scanned, min(have, MAX_HEAD))
        if end < 0:
            self._scanned = max(0, have - len(_END) + 1)
            if have >= MAX_HEAD:
                found = f"over {MAX_HEAD} bytes"
                raise LimitExceeded("HTTP head", 0, found=found, limit=MAX_HEAD)
            return None
        self._is_open = True
        data = bytes(buffer[: end + len(_END)])
        return Unit(len(data), data, len(data), None, "WebSocket's upgrade")

    # ── Frames ───────────────────────────────────────────────────────────────────────

    def _open(self, buffer: bytearray, have: int) -> str:
        """Open the next frame; return what it is in a few words, "" if some of it is missing."""
        at = self._fed
        if have < at + 2:
            return ""
        first, second = buffer[at], buffer[at + 1]
        opcode = first & 15
        is_packed = bool(first & 0x40)
        name = _NAMES.get(opcode, "")
        if first & 0x30 or not name or (is_packed and opcode not in (_TEXT, _BINARY)):
            raise self._fail("WebSocket frame", at, f"0x{first:02x}", "an opcode that is known")
        is_control = opcode >= 8
        if not is_control and self._begun != (opcode == _CONTINUATION):
            wanted = "a continuation" if self._begun else "the first frame of a message"
            raise self._fail("WebSocket frame", at, name, wanted)
        size = second & 127
        head = at + 2
        if size > _MOST_CONTROL:
            if is_control:
                raise self._fail("WebSocket frame", at, f"a long {name}", "at most 125 bytes")
            wide = 2 if size == 126 else 8
            if have < head + wide:
                return ""
            size = int.from_bytes(buffer[head : head + wide], "big")
            head += wide
        most = self._limits.message
        if size + len(self._inside.data) + len(self._packed or b"") > most:
            raise LimitExceeded("WebSocket frame length", at, found=str(size), limit=most, size=2)
        is_masked = second & 0x80
        start = head + 4 if is_masked else head
        end = start + size
        if have < end:
            return ""
        self._fed = end
        words = f"WebSocket {name}" if size else f"WebSocket {name}, empty"
        if is_control:
            return words
        payload = bytes(buffer[start:end])
        if is_masked and size:
            payload = _unmasked(payload, bytes(buffer[head:start]))
        self._begun = not first & 0x80
        if is_packed:
            self._packed = bytearray()
        if self._packed is None:
            self._add(payload, start, end, False)
            return words
        self._packed += payload
        if not self._begun:
            packed, self._packed = bytes(self._packed), None
            self._add(self._inflated(packed, at), start, end, True)
        return f"{words}, packed"

    def _add(self, payload: bytes, start: int, end: int, is_packed: bool) -> None:
        if payload:
            self._inside.data += payload
            self._pieces.append(_Piece(len(self._inside.data), start, end, is_packed))

    def _inflated(self, packed: bytes, at: int) -> bytes:
        allowance = self.allowance
        assert allowance is not None
        limit = allowance.limit
        room = max(0, limit - len(self._inside.data))
        most = min(room, allowance.most(len(packed)))
        try:
            out = self._inflater.decompress(packed + _TAIL, most + 1)
        except zlib.error as error:
            wanted = "one that inflates"
            raise self._fail("permessage-deflate", at, zlib_words(error), wanted) from None
        allowance.take(len(packed), len(out))
        if len(out) > most:
            found = over(limit if most == room else most, limit)
            raise self._fail("WebSocket message", at, found, f"at most {limit}")
        return out

    def _fail(self, what: str, at: int, found: str, wanted: str) -> DecodeError:
        """Make the error; after it, nothing is read."""
        self._error = DecodeError(what, at, found=found, wanted=wanted, size=2)
        return self._error

    # ── Messages ─────────────────────────────────────────────────────────────────────

    def _give(self, unit: Unit) -> Unit:
        """Return the unit with the bytes that it takes on the wire."""
        opened, begin = unit.stop, 0
        stop = self._fed
        for piece in self._pieces:
            if opened <= piece.stop:
                if opened == piece.stop:
                    stop = piece.end
                else:
                    # Of packed bytes, each unit but the last takes all except one.
                    stop = piece.end - 1 if piece.is_packed else piece.start + opened - begin
                break
            begin = piece.stop
        self._pass(max(stop, 0))
        kept = [piece for piece in self._pieces if piece.stop > opened]
        if kept and not kept[0].is_packed:
            kept[0].start += max(0, opened - begin)
        for piece in kept:
            piece.stop -= opened
        self._pieces = kept
        unit.stop = max(stop, 0)
        if unit.protocol is not None:
            self.seen_thrift = True
        elif not self.seen_thrift:
            unit.findings = ()  # that is true of any WebSocket
        return unit

    def _pass(self, stop: int) -> None:
        """Forget the buffer's first bytes, which were taken."""
        self._fed -= stop
        for piece in self._pieces:
            piece.start -= stop
            piece.end -= stop

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        inner = self._inside
        if not self._is_open or self._error is not None or not inner.data:
            return None
        try:
            if not inner.decide():
                return None
        except DecodeError:
            pass
        if inner.protocol is None:
            return None
        return Unit(have, bytes(inner.data), inner.start, inner.protocol)


def _unmasked(payload: bytes, key: bytes) -> bytes:
    """Unmask a payload (RFC 6455, 5.3)."""
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


# ── What tells it from others, and what its bytes say ────────────────────────────────


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin a WebSocket; None: too few yet."""
    head = bytes(data[: len(_ANSWERS)])
    if not (_ASKS.startswith(head[:4]) or _ANSWERS.startswith(head) or head.startswith(_ASKS)):
        return False
    if head[:4] != _ASKS and head != _ANSWERS:
        return None
    end = data.find(_END, 0, MAX_HEAD)
    if end < 0:
        return None if len(data) < MAX_HEAD else False
    for line in bytes(data[:end]).split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"upgrade":
            return b"websocket" in value.lower()
    return False


def describe(data: bytes, stop: int) -> list[Part]:
    """Return the parts of what precedes the message, taken out of its frames."""
    return inside.describe(data, stop, "Out of WebSocket's frames, like all that follows.")
