"""Breeze (github.com/weibreeze): Motan's compact serialization, whose type bytes can hold values.

    00–3E string, short         9C byte                 D9 map          DE message   name, fields
    3F string    varint         9D bytes  u32           DA list         DF message again  varint
    40–7E i32    byte − 50      9E i16                  DB packed map   E0–FF message again,
    7F i32       zigzag         9F float, 4 bytes       DC packed list        number byte − DF
    80–97 i64    byte − 88      A0 float, 8 bytes       DD schema
    98 i64       zigzag         99 null, 9A true, 9B false

    DC 02 3F  01 "a"  02 "é"            a packed list of 2 strings: their type comes once

Counts are varints.  In packed lists and maps, the types of elements, keys and values come once,
before all of them; an empty one has no types at all.  A message is its size (u32) and fields: a
number (varint) and a value.  Its name is written the first time and gets a number, counting from
1; later messages of that type have this number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import DecodeError, Incomplete
from ...model import Field, Gap, Limits, Listener, Note, Record, Run, TType, Value
from .compact import read_varint
from .motan_simple import NumberWalk
from .reading import check_depth
from .values_walk import Elements, ValuesProtocol

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["BREEZE", "BreezeProtocol"]

MAX_NAME: Final = 1000

# The byte that says that packed elements are strings.
_STRING: Final = 0x3F
_I32: Final = 0x7F
_I64: Final = 0x98
_NULL: Final = 0x99
_TRUE: Final = 0x9A
_FALSE: Final = 0x9B
_BYTE: Final = 0x9C
_BYTES: Final = 0x9D
_I16: Final = 0x9E
_F32: Final = 0x9F
_F64: Final = 0xA0
_MAP: Final = 0xD9
_LIST: Final = 0xDA
_PACKED_MAP: Final = 0xDB
_PACKED_LIST: Final = 0xDC
_SCHEMA: Final = 0xDD
_MESSAGE: Final = 0xDE
_AGAIN: Final = 0xDF


class _Type:
    """The type of packed elements: its byte, and a message's name."""

    __slots__ = ("name", "tag")

    def __init__(self, tag: i64, name: str) -> None:
        self.tag: i64 = tag
        self.name = name


class _Walk(NumberWalk):
    __slots__ = ("names",)

    def __init__(
        self,
        data: bytes,
        start: i64,
        stop: i64,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        super().__init__(data, start, stop, gaps, limits, listener)
        self.names: list[str] = []  # of messages, in the order in which they came

    def varint(self, what: str) -> i64:
        value, self.at = read_varint(self.data, self.at, self.solid(), what, 32)
        return value

    def value(self, depth: i64) -> i64:
        if not self.has("value", 1):
            return 0
        start = self.at
        tag: i64 = self.data[start]
        try:
            self.at = start + 1
            if tag < _STRING or _STRING < tag < _I32 or 0x80 <= tag < _I64:
                return self.direct(start, tag)
            if tag in (_TRUE, _FALSE):
                # If the type of a bool is written elsewhere, this byte still is its value.
                self.at = start
                return self.bare(start, _TRUE, "", depth)
            name = ""
            if tag >= _MESSAGE:
                name = self.message_name(tag)
                tag = _MESSAGE
            return self.bare(start, tag, name, depth)
        except DecodeError as error:
            self.failed(error)
        return 0

    def direct(self, start: i64, tag: i64) -> i64:
        """Read a value that is contained in its type byte, or whose length is."""
        if self.is_full():
            return 0
        if tag < _STRING:
            return self.utf8("string", start, 1, tag)
        is_long = tag >= 0x80
        ttype = TType.I64 if is_long else TType.I32
        self.listener.number(ttype, tag - (0x88 if is_long else 0x50), start, start + 1)
        return ttype.value

    def message_name(self, tag: i64) -> str:
        """Return the name of a message whose type was ``tag``."""
        if self.broken:
            return ""
        start = self.at - 1
        if tag == _MESSAGE:
            at = self.at
            size = self.varint("length of the message's name")
            if size > MAX_NAME:
                found = f"{size} bytes long"
                raise DecodeError("message's name", at, found=found, wanted=f"at most {MAX_NAME}")
            if not self.has("message's name", size):
                return ""
            self.at += size
            name = self.data[self.at - size : self.at].decode("utf-8", "backslashreplace")
            self.names.append(name)
            return name
        number: i64 = tag - _AGAIN
        if tag == _AGAIN:
            number = self.varint("number of the message's name")
        if not 1 <= number <= len(self.names):
            wanted = f"1 to {len(self.names)}: so many were named" if self.names else "a name"
            raise DecodeError("message", start, found=f"number {number}", wanted=wanted, size=1)
        return self.names[number - 1]

    def bare(self, start: i64, tag: i64, name: str, depth: i64) -> i64:
        """Read what follows the type ``tag`` of a value that begins at ``start``."""
        if self.broken or self.is_full():
            return 0
        if tag == _STRING:
            size = self.varint("length of the string")
            return self.utf8("string", start, self.at - start, size)
        if tag == _I32:
            return self.zigzag(start, TType.I32, 32)
        if tag == _I64:
            return self.zigzag(start, TType.I64, 64)
        if tag in (_TRUE, _FALSE):
            return self.truth(start)
        if tag == _NULL:
            self.listener.null(start, self.at)
            return 17
        if tag == _BYTE:
            return self.fixed(start, TType.INT, 1)
        if tag == _BYTES:
            return self.blob_of(start, "bytes")
        if tag == _I16:
            return self.fixed(start, TType.I16, 2)
        if tag == _F32:
            return self.fixed(start, TType.FLOAT, 4)
        if tag == _F64:
            return self.fixed(start, TType.DOUBLE, 8)
        if tag in (_MAP, _LIST, _PACKED_MAP, _PACKED_LIST, _MESSAGE):
            check_depth(depth + 1, start, self.limits)
            if tag == _MESSAGE:
                return self.message(start, name, depth + 1)
            if tag in (_LIST, _PACKED_LIST):
                return self.list(start, tag == _PACKED_LIST, depth + 1)
            return self.map(start, tag == _PACKED_MAP, depth + 1)
        found = "a schema, which is not read" if tag == _SCHEMA else f"0x{tag:02x}"
        self.at = start
        raise DecodeError("value", start, found=found, wanted="a type of breeze", size=1)

    def truth(self, start: i64) -> i64:
        inside = self.at
        if not self.has("bool", 1):
            return 0
        byte: i64 = self.data[inside]
        if byte != _TRUE and byte != _FALSE:
            raise DecodeError("bool", inside, found=f"0x{byte:02x}", wanted="0x9a or 0x9b", size=1)
        self.at = inside + 1
        self.listener.truth(byte == _TRUE, start, self.at)
        return 2

    # ── Containers ───────────────────────────────────────────────────────────────────

    def type(self, what: str) -> _Type:
        """Read the type of packed elements."""
        if not self.has(what, 1):
            return _Type(0, "")
        tag: i64 = self.data[self.at]
        self.at += 1
        if tag < _MESSAGE:
            return _Type(tag, "")
        return _Type(_MESSAGE, self.message_name(tag))

    def part(self, packed: _Type | None, depth: i64) -> i64:
        """Read an element, a key or a value; ``packed`` is its type if that came before."""
        if packed is None:
            return self.value(depth)
        try:
            before = self.at
            made = self.bare(before, packed.tag, packed.name, depth)
            if made and self.at == before:
                # It takes no bytes, so no count could be checked.
                raise DecodeError("element", before, found="empty", wanted="a byte at least")
            return made
        except DecodeError as error:
            self.failed(error)
        return 0

    def list(self, start: i64, is_packed: bool, depth: i64) -> i64:
        count = self.varint("list count")
        packed = self.type("element type") if is_packed and count else None
        if self.broken:
            return 0
        self.listener.items(15, 0, count, 0, start, self.at - start)
        seen = Elements()
        while seen.count < count and not self.broken:
            ttype = self.part(packed, depth)
            if ttype:
                seen.add(ttype)
        self.listener.settle(seen.ttype, count)
        self.listener.end(self.at)
        return 0 if self.broken else 15

    def map(self, start: i64, is_packed: bool, depth: i64) -> i64:
        count = self.varint("map count")
        key = self.type("key type") if is_packed and count else None
        item = self.type("value type") if is_packed and count else None
        if self.broken:
            return 0
        self.listener.entries(0, 0, count, 0, start, self.at - start)
        told: i64 = 0
        while told < count and not self.broken:
            if self.part(key, depth):
                self.part(item, depth)
            told += 1
        self.listener.end(self.at)
        return 0 if self.broken else 13

    def message(self, start: i64, name: str, depth: i64) -> i64:
        size = self.size("size of the message")
        if self.broken:
            return 0
        inside = self.at
        end = inside + size
        listener = self.listener
        if name:
            listener.label(name)
        listener.struct(start)
        try:
            while self.at < end and self.at < self.stop and not self.broken:
                at = self.at
                number = self.varint("field")
                listener.field(number, None, at)
                self.value(depth)
            if not self.broken and self.at != end:
                left = self.at - inside
                if self.at < end:
                    raise Incomplete("message", inside, needs=size, left=left)
                found, wanted = f"{left} bytes", f"{size}, its size"
                raise DecodeError("message", inside, found=found, wanted=wanted)
        except DecodeError as error:
            self.failed(error)
        listener.struct_end(-1 if self.broken else self.at, self.at)
        return 0 if self.broken else 12


class BreezeProtocol(ValuesProtocol):
    """Breeze: values, one after another."""

    name = "breeze"
    title = "breeze"
    classes = "BreezeSerialization"

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
        from .motan_notes import BreezeWriter

        return BreezeWriter(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .value_masks import in_breeze

        return in_breeze(data, value)

    def blank(self, data: bytes) -> bytes:
        # Not a type, and a varint that never ends.
        return b"\xa1" * len(data)


BREEZE: Final = BreezeProtocol()
