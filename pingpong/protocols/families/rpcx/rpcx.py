"""rpcx's frames, as protocol/message.go of smallnest/rpcx writes them.

    ┌────┬─────────┬───────┬────────────────────┬─────────────────────┬────────────────────┐
    │ 08 │ version │ flags │ serialization << 4 │ sequence number, u64│ length of the rest │
    ├────┴─────────┴───────┴────────────────────┴─────────────────────┴────────────────────┤
    │ u32 length, service path · u32 length, method · u32 length, metadata                  │
    │ u32 length, payload                                 the rest = 16 + the four of them  │
    └───────────────────────────────────────────────────────────────────────────────────────┘

    flags   80 response   40 heartbeat   20 oneway   1C compression   03 status

A reply has the path, the method and the sequence number of its call.  On the "http" network,
``CONNECT /_rpcx_ HTTP/1.0`` and its answer, both with bare line feeds, come first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ....errors import DecodeError, Incomplete
from ....model import Finding, Header, MessageType, Protocol, Span, Stretch
from ...encodings.binary import BINARY
from ...encodings.msgpack import MSGPACK
from ...encodings.plain_json import PLAIN_JSON
from ...encodings.protobuf import PROTOBUF
from ...encodings.reading import method_name
from ...framing import Unit
from ...framings.headed import HeadedFraming, check_length, event
from ...raw import RAW

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "COMPRESSIONS",
    "CONNECT",
    "CONNECTED",
    "ENCODINGS",
    "ERROR",
    "FIXED",
    "GZIP",
    "HEARTBEAT",
    "ONEWAY",
    "RESPONSE",
    "SERIALIZATIONS",
    "RpcxFraming",
    "RpcxHead",
    "begins",
    "joined",
    "split",
]

# Bytes before the parts.
FIXED: Final = 16

MAGIC: Final = 0x08

RESPONSE: Final = 0x80
HEARTBEAT: Final = 0x40
ONEWAY: Final = 0x20
STATUS: Final = 0x03

GZIP: Final = 1
COMPRESSIONS: Final = ("none", "gzip")

SERIALIZATIONS: Final = ("raw", "JSON", "protobuf", "msgpack", "thrift")

# The encoding of a payload, by its serialization; all others are bytes.
ENCODINGS: Final[dict[int, Protocol]] = {
    1: PLAIN_JSON,
    2: PROTOBUF,
    3: MSGPACK,
    4: BINARY,
}

# The metadata key of an error's text.
ERROR: Final = "__rpcx_error__"

CONNECT: Final = b"CONNECT /_rpcx_ HTTP/1."
CONNECTED: Final = b"HTTP/1.0 200 Connected to rpcx"
_MOST_PRELUDE: Final = 4096
_PRELUDE_ENDS: Final = re.compile(rb"\n\r?\n")

# Characters that a path, a method or a key never contains.
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
# No path and no method is longer.
_MOST_NAME: Final = 4096
# How much metadata has to be there to be believed without what follows it.
_ENOUGH: Final = 32_768
_MOST_LENGTH: Final = 64 << 20


def joined(path: str, method: str) -> str:
    """Join the service path and the method.

    >>> joined("Shop", "Ping")
    'Shop.Ping'
    """
    return f"{path}.{method}" if path else method


def split(method: str) -> tuple[str, str]:
    """Split into the service path and the method.

    >>> split("shop.Orders.Get")
    ('shop.Orders', 'Get')
    """
    path, dot, name = method.rpartition(".")
    return (path, name) if dot else ("", method)


class RpcxHead:
    """What precedes a payload, as places in ``data``, which begins with the frame.

    ``parts`` are those of the path, the method and the metadata; ``start`` is where the payload
    begins, ``stop`` where the frame ends.  Raises Incomplete, and DecodeError if the lengths do not
    agree.
    """

    __slots__ = ("flags", "parts", "seqid", "serialization", "start", "stop")

    def __init__(self, data: bytes) -> None:
        have: i64 = len(data)
        if have < FIXED:
            raise Incomplete("rpcx head", 0, needs=FIXED, left=len(data))
        if data[0] != MAGIC:
            raise DecodeError("magic", 0, found=f"0x{data[0]:02x}", wanted="0x08", size=1)
        self.flags: int = data[2]
        self.serialization: int = data[3] >> 4
        self.seqid = int.from_bytes(data[4:12], "big")
        self.stop = FIXED + int.from_bytes(data[12:16], "big")
        self.parts: list[Span] = []
        at = FIXED
        for what in ("service path", "method", "metadata", "payload"):
            if at + 4 > self.stop:
                wanted = f"the frame's end, {self.stop}, behind it"
                raise DecodeError(f"{what} length", at, found="there", wanted=wanted, size=4)
            if at + 4 > have:
                raise Incomplete(f"{what} length", at, needs=4, left=len(data) - at)
            length = int.from_bytes(data[at : at + 4], "big")
            end = at + 4 + length
            is_last = what == "payload"
            if end > self.stop or (is_last and end != self.stop):
                most = self.stop - at - 4
                wanted = str(most) if is_last else f"at most {most}"
                raise DecodeError(f"{what} length", at, found=str(length), wanted=wanted, size=4)
            if is_last:
                self.start = at + 4
                break
            if end > have:
                raise Incomplete(what, at + 4, needs=length, left=len(data) - at - 4)
            self.parts.append(Span(at + 4, end))
            at = end

    @property
    def compression(self) -> int:
        """How the payload is packed: 0 not at all, 1 gzip; others are the user's own."""
        return self.flags >> 2 & 7

    @property
    def is_error(self) -> bool:
        """Whether it is a response with the status "error"."""
        return self.flags & RESPONSE != 0 and self.flags & STATUS == 1

    def pairs(self, data: bytes) -> list[tuple[Span, Span]]:
        """Return where the keys and the values of the metadata are, as far as they can be read."""
        found: list[tuple[Span, Span]] = []
        at, stop = self.parts[2].start, self.parts[2].stop
        while at < stop:
            places: list[Span] = []
            for _ in range(2):
                end = at + 4 + int.from_bytes(data[at : at + 4], "big")
                if at + 4 > stop or end > stop:
                    return found
                places.append(Span(at + 4, end))
                at = end
            found.append((places[0], places[1]))
        return found

    def text(self, data: bytes, place: int) -> str:
        """Return the path (0) or the method (1) as text."""
        return method_name(self.parts[place].of(data))

    def type(self) -> MessageType:
        """What it is to its call; a heartbeat is an EVENT."""
        if self.flags & HEARTBEAT:
            return MessageType.EVENT
        if self.flags & RESPONSE:
            return MessageType.EXCEPTION if self.is_error else MessageType.REPLY
        return MessageType.ONEWAY if self.flags & ONEWAY else MessageType.CALL


class RpcxFraming(HeadedFraming):
    """rpcx's frames in one direction."""

    name = "rpcx"

    def size(self, buffer: bytearray, have: int) -> int:
        if have and buffer[0] != MAGIC:
            return _prelude(buffer, have)
        if have < FIXED:
            return 0
        length = int.from_bytes(buffer[12:16], "big")
        check_length(length, 12, 16, self.limits)
        return FIXED + length

    def keeps_place(self, buffer: bytearray, have: int) -> bool:
        # In packed bytes, those before a loss say nothing about those after it.
        return have < FIXED or not buffer[2] >> 2 & 7

    def unit(self, data: bytes, size: int) -> Unit:
        if data[:1] != b"\x08":
            return event("connected" if data[:1] == b"H" else "connect", data)
        head = RpcxHead(data)
        mtype = head.type()
        if mtype is MessageType.EVENT:
            return event("heartbeat", data, head.seqid)
        protocol = ENCODINGS.get(head.serialization, RAW)
        start = head.start
        findings: tuple[Finding, ...] = ()
        layout: tuple[Stretch, ...] = ()
        if head.compression == GZIP:
            packed_stop = len(data)
            data, findings, layout = self.unpacked(data, start, size)
            start = packed_stop
            if start == len(data) and findings:
                protocol = RAW
        elif head.compression or (start == head.stop and protocol is not PROTOBUF):
            protocol = RAW  # packed by the user's own means; or empty, which is no value
        unit = Unit(size, data, start, protocol, "", findings)
        unit.layout = layout
        method = joined(head.text(data, 0), head.text(data, 1))
        here = Span(start, start)
        unit.header = Header(method, mtype, head.seqid, True, here, head.parts[1])
        return unit


def _prelude(buffer: bytearray, have: int) -> int:
    """Return how long the request for a connection, or its answer, is.

    Raises DecodeError for bytes that begin neither that nor a frame.
    """
    head = bytes(buffer[: len(CONNECTED)])
    for wanted in (CONNECT, CONNECTED):
        if head.startswith(wanted) or wanted.startswith(head):
            end = _PRELUDE_ENDS.search(buffer, 0, min(have, _MOST_PRELUDE))
            if end is not None:
                return end.end()
            if have < _MOST_PRELUDE:
                return 0
    raise DecodeError("magic", 0, found=f"0x{buffer[0]:02x}", wanted="0x08", size=1)


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin an rpcx frame; None: too few bytes yet.

    Little of a head is fixed.  But its length is the sum of four others, and what lies between
    these is text.
    """
    head = bytes(data[:FIXED])
    for prelude in (CONNECT, CONNECTED):
        start = bytes(data[: len(prelude)])
        if prelude.startswith(start):
            return True if len(start) == len(prelude) else None
    if not b"\x08\x00".startswith(head[:2]):
        return False
    if len(head) > 2 and head[2] & STATUS > 1:
        return False
    if len(head) > 3 and (head[3] & 0x0F or head[3] >> 4 >= len(SERIALIZATIONS)):
        return False
    if len(head) < FIXED:
        return None
    length = int.from_bytes(head[12:16], "big")
    if not 16 <= length <= _MOST_LENGTH:
        return False
    is_heartbeat = head[2] & HEARTBEAT != 0
    at, stop, have = FIXED, FIXED + length, len(data)
    for place in range(4):
        if at + 4 > stop:
            return False
        if at + 4 > have:
            return None
        size = int.from_bytes(data[at : at + 4], "big")
        end = at + 4 + size
        if end > stop - 4 * (3 - place):
            return False
        if place == 3:
            return end == stop
        if place < 2:
            # What is called has a name; a heartbeat calls nothing.
            if size > _MOST_NAME or not (size or is_heartbeat):
                return False
            if _CONTROL.search(data, at + 4, min(end, have)):
                return False
        elif at + 4 + _ENOUGH < have and at + 4 + _ENOUGH < end:
            return _is_keyed(data, at + 4, at + 4 + _ENOUGH)
        if end > have:
            return None
        at = end
    return False


def _is_keyed(data: bytes | bytearray, at: int, stop: int) -> bool:
    """Say whether a metadata key begins there."""
    size = int.from_bytes(data[at : at + 4], "big")
    end = at + 4 + size
    return size <= _MOST_NAME and end <= stop and not _CONTROL.search(data, at + 4, end)
