"""MessagePack, as github.com/msgpack/msgpack/blob/master/spec.md lays it out.

    00–7F fixint      C0 nil            CA CB float 32, 64      D9 DA DB str 8, 16, 32
    80–8F fixmap      C2 C3 bool        CC–CF uint 8 … 64       DC DD array 16, 32
    90–9F fixarray    C4 C5 C6 bin      D0–D3 int 8 … 64        DE DF map 16, 32
    A0–BF fixstr      C7 C8 C9 ext      D4–D8 fixext 1 … 16     E0–FF negative fixint

    82  A8 "Username"  A5 "admin"  A8 "Password"  A6 "123456"       {"Username": "admin", …}

Lengths and numbers are big-endian, lengths in bytes, counts in elements.  An extension has a type
of its own, a signed byte: -1 is a time, of 4, 8 or 12 bytes; others belong to the application.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ...errors import DecodeError
from ...model import NO_ID, Field, Gap, Limits, Listener, Note, Record, Run, TType, Value
from .reading import check_depth
from .values_walk import MIXED, ValuesProtocol, ValuesWalk

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["HEADS", "KINDS", "MSGPACK", "OWN", "MsgpackProtocol", "MsgpackWalk", "length_at"]

# What a first byte begins; 0: never used.
NIL: Final = 1
BOOL: Final = 2
INT: Final = 3
FLOAT: Final = 4
STR: Final = 5
BIN: Final = 6
EXT: Final = 7
ARRAY: Final = 8
MAP: Final = 9

KINDS: Final[list[int]] = [0] * 256
# Bytes before the content: the type, a length or a count; for a number, all of it.
HEADS: Final[list[int]] = [1] * 256
# What the specification calls it.
OWN: Final[list[str]] = [""] * 256

for _first, _last, _kind, _head, _own in (
    (0x00, 0x7F, INT, 1, "fixint"),
    (0x80, 0x8F, MAP, 1, "fixmap"),
    (0x90, 0x9F, ARRAY, 1, "fixarray"),
    (0xA0, 0xBF, STR, 1, "fixstr"),
    (0xC0, 0xC0, NIL, 1, "nil"),
    (0xC2, 0xC3, BOOL, 1, "bool"),
    (0xC4, 0xC4, BIN, 2, "bin 8"),
    (0xC5, 0xC5, BIN, 3, "bin 16"),
    (0xC6, 0xC6, BIN, 5, "bin 32"),
    (0xC7, 0xC7, EXT, 3, "ext 8"),
    (0xC8, 0xC8, EXT, 4, "ext 16"),
    (0xC9, 0xC9, EXT, 6, "ext 32"),
    (0xCA, 0xCA, FLOAT, 5, "float 32"),
    (0xCB, 0xCB, FLOAT, 9, "float 64"),
    (0xCC, 0xCC, INT, 2, "uint 8"),
    (0xCD, 0xCD, INT, 3, "uint 16"),
    (0xCE, 0xCE, INT, 5, "uint 32"),
    (0xCF, 0xCF, INT, 9, "uint 64"),
    (0xD0, 0xD0, INT, 2, "int 8"),
    (0xD1, 0xD1, INT, 3, "int 16"),
    (0xD2, 0xD2, INT, 5, "int 32"),
    (0xD3, 0xD3, INT, 9, "int 64"),
    (0xD4, 0xD4, EXT, 2, "fixext 1"),
    (0xD5, 0xD5, EXT, 2, "fixext 2"),
    (0xD6, 0xD6, EXT, 2, "fixext 4"),
    (0xD7, 0xD7, EXT, 2, "fixext 8"),
    (0xD8, 0xD8, EXT, 2, "fixext 16"),
    (0xD9, 0xD9, STR, 2, "str 8"),
    (0xDA, 0xDA, STR, 3, "str 16"),
    (0xDB, 0xDB, STR, 5, "str 32"),
    (0xDC, 0xDC, ARRAY, 3, "array 16"),
    (0xDD, 0xDD, ARRAY, 5, "array 32"),
    (0xDE, 0xDE, MAP, 3, "map 16"),
    (0xDF, 0xDF, MAP, 5, "map 32"),
    (0xE0, 0xFF, INT, 1, "fixint"),
):
    for _tag in range(_first, _last + 1):
        KINDS[_tag] = _kind
        HEADS[_tag] = _head
        OWN[_tag] = _own

TIMESTAMP: Final = -1

_SINGLE: Final = struct.Struct(">f")
_DOUBLE: Final = struct.Struct(">d")


def length_at(data: bytes, at: int) -> int:
    """Return what the head at ``at`` counts: bytes of content, elements, or pairs."""
    tag = data[at]
    if tag < 0x90:
        return tag & 15
    if tag < 0xC0:
        return tag & 15 if tag < 0xA0 else tag & 31
    if 0xD4 <= tag <= 0xD8:
        return 1 << (tag - 0xD4)
    stop = at + HEADS[tag]
    return int.from_bytes(data[at + 1 : stop - 1 if KINDS[tag] == EXT else stop], "big")


def whole_number(data: bytes, at: int) -> int:
    """Return the integer at ``at``, which is completely there."""
    tag = data[at]
    if tag < 0x80:
        return tag
    if tag >= 0xE0:
        return tag - 256
    return int.from_bytes(data[at + 1 : at + HEADS[tag]], "big", signed=tag >= 0xD0)


def time_of(raw: bytes) -> int:
    """Return nanoseconds since 1970, from a timestamp of 4, 8 or 12 bytes."""
    number = int.from_bytes(raw, "big")
    if len(raw) == 4:
        return number * 1_000_000_000
    if len(raw) == 8:
        return (number & (1 << 34) - 1) * 1_000_000_000 + (number >> 34)
    seconds = int.from_bytes(raw[4:], "big", signed=True)
    return seconds * 1_000_000_000 + int.from_bytes(raw[:4], "big")


class MsgpackWalk(ValuesWalk):
    """Walks over one value."""

    __slots__ = ()

    def payload(self) -> None:
        """Report the payload: a map whose keys are text is the struct itself."""
        start = self.at
        if not self.has_names():
            self.at = start
            self.alone()
            return
        self.listener.struct(start)
        head: i64 = HEADS[self.data[start]]
        left: i64 = length_at(self.data, start)
        self.at = start + head
        while left and not self.broken:
            self.field()
            left -= 1
        self.ended()

    def has_names(self) -> bool:
        """Say whether the payload is a map whose keys, as far as they are there, are text."""
        start = self.at
        if start >= self.sure or KINDS[self.data[start]] != MAP:
            return False
        walk = MsgpackWalk(self.data, start, self.stop, self.gaps, self.limits, Listener())
        head: i64 = HEADS[self.data[start]]
        if not walk.has("map", head):
            return False
        left: i64 = length_at(self.data, start)
        walk.at = start + head
        while left and not walk.broken and walk.at < walk.stop:
            if walk.has("key", 1) and KINDS[walk.data[walk.at]] != STR:
                return False
            if walk.value(1):
                walk.value(1)
            left -= 1
        return True

    def field(self) -> None:
        """Report a pair of the outermost map: its name and its value."""
        start = self.at
        if not self.has("key", 1):
            return
        head: i64 = HEADS[self.data[start]]
        if not self.has("key", head):
            return
        inside = start + head
        size = length_at(self.data, start)
        end = self.blob(inside, size, "key")
        if self.broken:
            return
        name = self.data[inside:end].decode("utf-8", "backslashreplace")
        self.listener.field(NO_ID, name, start)
        self.value(1)

    def value(self, depth: i64) -> i64:
        if not self.has("value", 1) or self.is_full():
            return 0
        start = self.at
        tag: i64 = self.data[start]
        kind: i64 = KINDS[tag]
        try:
            if kind in (INT, FLOAT):
                return self.number(tag, kind)
            if kind == NIL:
                self.at = start + 1
                self.listener.null(start, start + 1)
                return 17
            if kind == BOOL:
                self.at = start + 1
                self.listener.truth(tag == 0xC3, start, start + 1)
                return 2
            if not kind:
                found = f"0x{tag:02x}"
                wanted = "a type of msgpack"
                raise DecodeError("value", start, found=found, wanted=wanted, size=1)
            head: i64 = HEADS[tag]
            if not self.has(OWN[tag], head):
                return 0
            size: i64 = length_at(self.data, start)
            if kind == STR:
                return self.utf8("str", start, head, size)
            if kind == BIN:
                end = self.blob(start + head, size, "bin")
                self.listener.binary(self.data[start + head : end], start, head, self.at, self.lost)
                return 0 if self.broken else 21
            if kind == EXT:
                return self.extension(start, head, size)
            check_depth(depth + 1, start, self.limits)
            self.at = start + head
            if kind == ARRAY:
                self.listener.items(15, MIXED, size, 0, start, head)
                self.elements(size, depth + 1)
                return 0 if self.broken else 15
            self.listener.entries(MIXED, MIXED, size, 0, start, head)
            while size and not self.broken:
                if self.value(depth + 1):
                    self.value(depth + 1)
                size -= 1
            self.listener.end(self.at)
            return 0 if self.broken else 13
        except DecodeError as error:
            self.failed(error)
        return 0

    def number(self, tag: i64, kind: i64) -> i64:
        """Report an integer or a float; return its type, 0 if it cannot be read."""
        start = self.at
        size: i64 = HEADS[tag]
        ttype = TType.INT
        if kind == FLOAT:
            ttype = TType.FLOAT if tag == 0xCA else TType.DOUBLE
        if start + size > self.sure and not self.is_there(ttype, size):
            return 0 if self.broken else ttype.value
        self.at = start + size
        if kind == INT:
            self.listener.own(OWN[tag])
            self.listener.number(ttype, whole_number(self.data, start), start, self.at)
        elif tag == 0xCA:
            single: float = _SINGLE.unpack_from(self.data, start + 1)[0]
            self.listener.single(single, start, self.at)
        else:
            double: float = _DOUBLE.unpack_from(self.data, start + 1)[0]
            self.listener.double(double, start, self.at)
        return ttype.value

    def extension(self, start: i64, head: i64, size: i64) -> i64:
        """Report an extension: a time if its type says so, else bytes.  Return the type."""
        inside = start + head
        end = self.blob(inside, size, "ext")
        raw = self.data[inside:end]
        kind: i64 = self.data[inside - 1]
        kind = (kind ^ 0x80) - 0x80
        if kind == TIMESTAMP and size in (4, 8, 12) and not self.lost:
            nanos = time_of(raw)
            self.listener.own("timestamp")
            self.listener.number(TType.TIME, nanos, start, self.at)
            return 22
        self.listener.own(f"ext {kind}")
        self.listener.binary(raw, start, head, self.at, self.lost)
        return 0 if self.broken else 21


class MsgpackProtocol(ValuesProtocol):
    """MessagePack."""

    name = "msgpack"
    title = "MessagePack"
    classes = "msgpack"
    has_names = True

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        MsgpackWalk(data, start, stop, gaps, limits, listener).payload()

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

    def notes(self, record: Record) -> list[Note]:
        from .msgpack_notes import MsgpackWriter

        return MsgpackWriter(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .value_masks import in_msgpack

        return in_msgpack(data, value)

    def blank(self, data: bytes) -> bytes:
        # The only byte that begins nothing.
        return b"\xc1" * len(data)


MSGPACK: Final = MsgpackProtocol()
