"""Motan's "simple" serialization (serialize/simple.go of motan-go): each value has a type byte.

    00 null                      06 byte                      0B float, 8 bytes
    01 string    u32, bytes      07 i16                       14 map       u32, type and key …
    02 map       u32, strings    08 i32   zigzag varint       15 list      u32, type and value …
    03 bytes     u32, bytes      09 i64   zigzag varint
    04 list      u32, strings    0A float, 4 bytes
    05 bool      01 or 00

    01 00000005 "admin"  01 00000006 "123456"        two arguments, one after the other

Numbers are big-endian.  The size of a map or a list is in bytes, not in elements; the strings in 02
and 04 have lengths, but no types.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ...errors import DecodeError, Incomplete
from ...model import Field, Gap, Limits, Listener, Note, Reading, Record, Run, TType, Value
from .compact import read_zigzag
from .reading import check_depth
from .values_walk import MIXED, ValuesProtocol, ValuesWalk

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["MOTAN_SIMPLE", "NAMES", "MotanSimpleProtocol", "NumberWalk"]

NAMES: Final[dict[int, str]] = {
    0: "null",
    1: "string",
    2: "string map",
    3: "bytes",
    4: "string list",
    5: "bool",
    6: "byte",
    7: "i16",
    8: "i32",
    9: "i64",
    10: "float32",
    11: "float64",
    20: "map",
    21: "list",
}
_WANTED: Final = "one of " + ", ".join(f"{tag} {name}" for tag, name in NAMES.items())

_SINGLE: Final = struct.Struct(">f")
_DOUBLE: Final = struct.Struct(">d")


class NumberWalk(ValuesWalk):
    """What Motan's own two encodings write alike.

    ``at`` is after a value's type, and ``start`` is where that was; without a type, they are equal.
    """

    __slots__ = ()

    def zigzag(self, start: i64, ttype: TType, bits: int) -> i64:
        """Report a zigzag varint of at most ``bits`` bits; return its type."""
        number, self.at = read_zigzag(self.data, self.at, self.solid(), ttype.name, bits)
        self.listener.number(ttype, number, start, self.at)
        return ttype.value

    def fixed(self, start: i64, ttype: TType, size: i64) -> i64:
        """Read a number of ``size`` bytes; an INT is a byte."""
        inside = self.at
        stop = inside + size
        self.at = start
        if stop > self.sure and not self.is_there(ttype, stop - start):
            return 0 if self.broken else ttype.value
        self.at = stop
        listener = self.listener
        if ttype == TType.FLOAT:
            single: float = _SINGLE.unpack_from(self.data, inside)[0]
            listener.single(single, start, stop)
        elif ttype == TType.DOUBLE:
            double: float = _DOUBLE.unpack_from(self.data, inside)[0]
            listener.double(double, start, stop)
        elif ttype == TType.INT:
            byte: i64 = self.data[inside]
            listener.own("byte")
            if byte > 127:
                # Go's is unsigned, Java's is signed.
                signed = Reading("signed byte", byte - 256)
                listener.readings((Reading("byte", byte, True), signed))
            listener.number(ttype, byte, start, stop)
        else:
            number = int.from_bytes(self.data[inside:stop], "big", signed=True)
            listener.number(ttype, number, start, stop)
        return ttype.value

    def size(self, what: str) -> i64:
        """Return the length of 4 bytes at the current place; ``broken`` is set if it is missing."""
        if not self.has(what, 4):
            return 0
        self.at += 4
        return int.from_bytes(self.data[self.at - 4 : self.at], "big")

    def blob_of(self, start: i64, what: str) -> i64:
        """Read bytes that follow a length of 4 bytes."""
        size = self.size(f"length of the {what}")
        if self.broken:
            return 0
        inside = self.at
        end = self.blob(inside, size, what)
        self.listener.binary(self.data[inside:end], start, inside - start, self.at, self.lost)
        return 0 if self.broken else 21


class _Walk(NumberWalk):
    __slots__ = ()

    def value(self, depth: i64) -> i64:
        if not self.has("value", 1) or self.is_full():
            return 0
        start = self.at
        tag: i64 = self.data[start]
        self.at = start + 1
        try:
            if tag == 1:
                return self.string(start)
            if tag == 0:
                self.listener.null(start, start + 1)
                return 17
            if tag == 3:
                return self.blob_of(start, "bytes")
            if tag == 8:
                return self.zigzag(start, TType.I32, 32)
            if tag == 9:
                return self.zigzag(start, TType.I64, 64)
            if tag == 5:
                return self.truth(start)
            if tag == 6:
                return self.fixed(start, TType.INT, 1)
            if tag == 7:
                return self.fixed(start, TType.I16, 2)
            if tag == 10:
                return self.fixed(start, TType.FLOAT, 4)
            if tag == 11:
                return self.fixed(start, TType.DOUBLE, 8)
            if tag in (2, 4, 20, 21):
                check_depth(depth + 1, start, self.limits)
                return self.container(start, tag, depth + 1)
            self.at = start
            raise DecodeError("type", start, found=str(tag), wanted=_WANTED, size=1)
        except DecodeError as error:
            self.failed(error)
        return 0

    def truth(self, start: i64) -> i64:
        inside = self.at
        self.at = start
        if inside >= self.sure and not self.is_there(TType.BOOL, 2):
            return 0 if self.broken else 2
        byte: i64 = self.data[inside]
        if byte > 1:
            self.warn(f"bool at offset {start}: is {byte}, want 0 or 1", start)
        self.at = inside + 1
        self.listener.truth(byte == 1, start, self.at)
        return 2

    def string(self, start: i64) -> i64:
        size = self.size("length of the string")
        return 0 if self.broken else self.utf8("string", start, self.at - start, size)

    def part(self, has_type: bool, depth: i64) -> i64:
        """Read an element, a key or a value of a container."""
        if has_type:
            return self.value(depth)
        return 0 if self.is_full() else self.string(self.at)

    def container(self, start: i64, tag: i64, depth: i64) -> i64:
        is_map = tag in (2, 20)
        what = "map" if is_map else "list"
        size = self.size(f"size of the {what}")
        if self.broken:
            return 0
        inside = self.at
        end = inside + size
        kind: i64 = 20 if tag in (2, 4) else MIXED
        if is_map:
            self.listener.entries(kind, kind, -1, 0, start, inside - start)
        else:
            self.listener.items(15, kind, -1, 0, start, inside - start)
        count: i64 = 0
        has_type = tag >= 20
        while self.at < end and self.at < self.stop and not self.broken:
            if self.part(has_type, depth) and (not is_map or self.part(has_type, depth)):
                count += 1
        if not self.broken and self.at < end:
            self.fail(Incomplete(what, inside, needs=size, left=self.at - inside))
        elif not self.broken and self.at > end:
            found, wanted = f"{self.at - inside} bytes", f"{size}, its size"
            self.fail(DecodeError(what, inside, found=found, wanted=wanted))
        self.listener.settle(kind, count)
        self.listener.end(self.at)
        return 0 if self.broken else 13 if is_map else 15


class MotanSimpleProtocol(ValuesProtocol):
    """Motan's simple serialization: values, one after another."""

    name = "motan-simple"
    title = "Motan's simple serialization"
    classes = "SimpleSerialization"

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        _Walk(data, start, stop, gaps, limits, listener).whole()

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

    def notes(self, record: Record) -> list[Note]:
        from .motan_notes import SimpleWriter

        return SimpleWriter(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .value_masks import in_simple

        return in_simple(data, value)

    def blank(self, data: bytes) -> bytes:
        # Not a type.
        return b"\xff" * len(data)


MOTAN_SIMPLE: Final = MotanSimpleProtocol()
