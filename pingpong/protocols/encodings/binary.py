"""TBinaryProtocol, as doc/specs/thrift-binary-protocol.md lays it out.

    Strict header                          Old header                 Field of a struct
    ┌────┬────┬────┬────┐                  ┌───────────────────┐      ┌────┬─────────┬────────
    │ 80 │ 01 │ ?? │type│                  │   name length     │      │type│ id  i16 │ value …
    ├────┴────┴────┴────┤                  ├───────────────────┤      └────┴─────────┴────────
    │   name length     │                  │ name …            │      ends with type 0, STOP
    ├───────────────────┤                  ├────┬──────────────┘
    │ name …            │                  │type│                     string  length i32, bytes
    ├───────────────────┤                  ├────┴──────────────┐      list    type, count i32, …
    │   seqid           │                  │   seqid           │      map     two types, count …
    └───────────────────┘                  └───────────────────┘      numbers big-endian, fixed

The sign of the first i32 tells the headers apart: a name length cannot be negative.

Two readers walk the same bytes (``reading.py`` has what they share with the compact
protocol).  The Skipper finds where a message ends: it builds nothing, keeps its place in a
small stack and goes on from there when more bytes come.  The _Reader builds values with
their spans once somebody looks at a message.  Both ask the same ``_check_…`` functions, so
that they refuse the same bytes with the same words.

No claimed length is believed: it is held against the limits here and against the bytes
that are there, and nothing is allocated for it.
"""

from __future__ import annotations

import struct
import uuid
from typing import TYPE_CHECKING, Final

from ...errors import DecodeError, Incomplete
from ...model import (
    MESSAGE_TYPES,
    NO_FIELD,
    NOT_TOLD,
    TTYPES,
    Content,
    Entries,
    Field,
    Gap,
    Header,
    Items,
    Limits,
    Note,
    Protocol,
    Record,
    Run,
    Span,
    Struct,
    TType,
    Value,
    Visitor,
)
from .reading import WANTED_MTYPES as _WANTED_MTYPES
from .reading import Heads, Reader, Walker, cannot_write, method_name, note_order
from .reading import check_depth as _check_depth
from .reading import check_size as _check_size

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "BINARY",
    "OLD_BINARY",
    "BinaryProtocol",
    "BinarySkipper",
    "OldBinaryProtocol",
    "read_header",
    "read_old_header",
    "write_header",
    "write_old_header",
    "write_struct",
]

# "Message": the top bit is set, the next 15 bits are the version.
VERSION_1: Final = 0x8001

_I16: Final = struct.Struct(">h")
_I32: Final = struct.Struct(">i")
_I64: Final = struct.Struct(">q")
_DOUBLE: Final = struct.Struct(">d")
_LIST_HEAD: Final = struct.Struct(">Bi")
_MAP_HEAD: Final = struct.Struct(">BBi")

# Bytes of a value of each type; 0: not fixed; -1: no such type.
_SIZES: Final[list[int]] = [-1] * 256
for _ttype, _size in (
    (TType.BOOL, 1),
    (TType.I8, 1),
    (TType.I16, 2),
    (TType.I32, 4),
    (TType.I64, 8),
    (TType.DOUBLE, 8),
    (TType.UUID, 16),
    (TType.STRING, 0),
    (TType.STRUCT, 0),
    (TType.MAP, 0),
    (TType.SET, 0),
    (TType.LIST, 0),
):
    _SIZES[_ttype] = _size

_WANTED_TYPES: Final = "one of " + ", ".join(f"{t.value} {t.name}" for t in TType if t)

_STRUCT: Final = int(TType.STRUCT)
_STRING: Final = int(TType.STRING)
_MAP: Final = int(TType.MAP)
_SET: Final = int(TType.SET)
_LIST: Final = int(TType.LIST)


# ── What both readers refuse ─────────────────────────────────────────────────────────


def _check_type(what: str, ttype: int, offset: int) -> int:
    """The fixed size of that type, 0 if it has none; DecodeError if there is no such type."""
    size = _SIZES[ttype]
    if size < 0:
        raise DecodeError(what, offset, found=str(ttype), wanted=_WANTED_TYPES, size=1)
    return size


# ── Header ───────────────────────────────────────────────────────────────────────────


def read_header(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
    """The strict header at ``data[start:stop]``.

    Raises Incomplete if it is cut, DecodeError if it is another version or of no known
    type, LimitExceeded for a name longer than a message may be.
    """
    if stop - start < 4:
        raise Incomplete("version", start, needs=4, left=stop - start)
    version = data[start] << 8 | data[start + 1]
    if version != VERSION_1:
        raise DecodeError(
            "version", start, found=f"0x{version:04x}", wanted=f"0x{VERSION_1:04x}", size=4
        )
    # "unused, type": the low three bits of the fourth byte; the rest of it is not defined,
    # and nobody sets it.
    mtype = data[start + 3]
    if not 1 <= mtype <= 4:
        raise DecodeError(
            "message type", start + 3, found=str(mtype), wanted=_WANTED_MTYPES, size=1
        )
    if stop - start < 8:
        raise Incomplete("method name length", start + 4, needs=4, left=stop - start - 4)
    length = _I32.unpack_from(data, start + 4)[0]
    _check_size("method name length", length, start + 4, limits, 4)
    name = start + 8
    if stop - name < length:
        raise Incomplete("method name", name, needs=length, left=stop - name)
    seqid = name + length
    if stop - seqid < 4:
        raise Incomplete("seqid", seqid, needs=4, left=stop - seqid)
    return Header(
        method_name(bytes(data[name:seqid])),
        MESSAGE_TYPES[mtype],
        _I32.unpack_from(data, seqid)[0],
        True,
        Span(start, seqid + 4),
        Span(name, seqid),
    )


# At the start of a message, and behind a frame's length.
_BARE: Final = Heads(0)
_FRAMED: Final = Heads(4)


def whole_header(data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
    """See ``Protocol.whole_header``."""
    # A name of 2**16 bytes and more is left to who knows the limits.
    if at + 12 > stop or data[at] != 0x80 or data[at + 4] or data[at + 5]:
        return None
    length: i64 = data[at + 6]
    seqid: i64 = at + 8 + (length << 8 | data[at + 7])
    if seqid + 4 > stop:
        return None
    heads = _FRAMED if into else _BARE
    if heads.into != into:
        return None
    raw = data[at:seqid]
    known = heads.get(raw)
    if known is None:
        if data[at + 1] != 1 or not 1 <= data[at + 3] <= 4:
            return None
        end: int = seqid - at + into
        known = Header(
            method_name(raw[8:]),
            MESSAGE_TYPES[raw[3]],
            0,
            True,
            Span(heads.into, end + 4),
            Span(heads.into + 8, end),
        )
        heads.add(raw, known)
    return heads.with_seqid(known, _i32(data, seqid))


def _i32(data: bytes, at: i64) -> i64:
    a: i64 = data[at]
    b: i64 = data[at + 1]
    c: i64 = data[at + 2]
    bits: i64 = a << 24 | b << 16 | c << 8 | data[at + 3]
    return (bits ^ 0x80000000) - 0x80000000


def read_old_header(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
    """The header without a version at ``data[start:stop]``.

    Raises Incomplete if it is cut, DecodeError for a negative name length (a strict header
    reads as one) or no known type, LimitExceeded for a name longer than a message may be.
    """
    if stop - start < 4:
        raise Incomplete("method name length", start, needs=4, left=stop - start)
    length = _I32.unpack_from(data, start)[0]
    _check_size("method name length", length, start, limits, 4)
    name = start + 4
    if stop - name < length:
        raise Incomplete("method name", name, needs=length, left=stop - name)
    kind = name + length
    if stop - kind < 1:
        raise Incomplete("message type", kind, needs=1, left=0)
    mtype = data[kind]
    if not 1 <= mtype <= 4:
        raise DecodeError("message type", kind, found=str(mtype), wanted=_WANTED_MTYPES, size=1)
    if stop - kind < 5:
        raise Incomplete("seqid", kind + 1, needs=4, left=stop - kind - 1)
    return Header(
        method_name(bytes(data[name:kind])),
        MESSAGE_TYPES[mtype],
        _I32.unpack_from(data, kind + 1)[0],
        False,
        Span(start, kind + 5),
        Span(name, kind),
    )


# ── Skipping ─────────────────────────────────────────────────────────────────────────


class BinarySkipper(Walker):
    """Finds where a binary message ends."""

    __slots__ = ()

    def _header(self, data: bytes | bytearray, stop: int) -> Header:
        return read_header(data, self._start, stop, self._limits)

    def advance(self, data: bytes | bytearray, stop: int) -> int:
        if self._at == self._start:
            try:
                header = self._header(data, stop)
            except Incomplete:
                return -1
            self._at = header.span.stop
            self._left.append(-1)
            self._types.append(0)
        most = self._start + self._limits.message
        while self._left:
            at = self._at
            if at > most:
                raise self._too_long()
            if at > stop:
                return -1
            ttype = self._pending
            if ttype < 0:
                left = self._left[-1]
                if left == 0:
                    self._left.pop()
                    self._types.pop()
                    continue
                if left < 0:
                    if at == stop:
                        return -1
                    ttype = data[at]
                    if ttype == 0:
                        self._at = at + 1
                        self._left.pop()
                        self._types.pop()
                        continue
                    _check_type("field type", ttype, at)
                    if at + 3 > stop:
                        return -1
                    at += 3
                else:
                    self._left[-1] = left - 1
                    both = self._types[-1]
                    ttype = both & 255 if left & 1 else both >> 8
            size = _SIZES[ttype]
            if size:
                self._at = at + size
                self._pending = -1
            elif not self._enter(data, at, stop, ttype):
                self._at = at
                self._pending = ttype
                return -1
        return self._at

    def _enter(self, data: bytes | bytearray, at: int, stop: int, ttype: int) -> bool:
        """Read the head of a value without a fixed size; False if its head is not all there."""
        if ttype != _STRING:
            _check_depth(len(self._left) + 1, at, self._limits)
        if ttype == _STRUCT:
            self._push(-1, 0, at)
        elif ttype == _STRING:
            if at + 4 > stop:
                return False
            length = _I32.unpack_from(data, at)[0]
            _check_size("string length", length, at, self._limits, 4)
            self._at = at + 4 + length
        elif ttype == _MAP:
            if at + 6 > stop:
                return False
            ktype, vtype, count = _MAP_HEAD.unpack_from(data, at)
            _check_size("map count", count, at + 2, self._limits, 4)
            self._at = at + 6
            if count:
                size = _check_type("map key type", ktype, at)
                other = _check_type("map value type", vtype, at + 1)
                if size and other:
                    self._at += count * (size + other)
                else:
                    # Counted down from 2n: an even number left is a key's turn.
                    self._push(2 * count, ktype << 8 | vtype, at + 6)
        else:
            if at + 5 > stop:
                return False
            etype, count = _LIST_HEAD.unpack_from(data, at)
            what = "set" if ttype == _SET else "list"
            _check_size(f"{what} count", count, at + 1, self._limits, 4)
            self._at = at + 5
            if count:
                size = _check_type(f"{what} element type", etype, at)
                if size:
                    self._at += count * size
                else:
                    self._push(count, etype << 8 | etype, at + 5)
        self._pending = -1
        return True


class OldBinarySkipper(BinarySkipper):
    """Finds where a binary message with the old header ends."""

    __slots__ = ()

    def _header(self, data: bytes | bytearray, stop: int) -> Header:
        return read_old_header(data, self._start, stop, self._limits)


# As _SIZES, for the short way: 255 is no such type.
_FIXED: Final = bytes([255 if size < 0 else size for size in _SIZES])


def struct_end(data: bytes, at: i64, stop: i64, depth: i64) -> i64:
    """Where the struct at ``at`` ends; -1 if it is not all there, or not what it should be,
    or if it nests deeper than ``depth``.

    The short way for what is whole: the Skipper keeps its place, and says what is wrong.
    """
    if depth < 1:
        return -1
    while 0 <= at < stop:
        ttype: i64 = data[at]
        if not ttype:
            return at + 1
        at += 3
        size: i64 = _FIXED[ttype]
        if 0 < size < 255:
            at += size
        else:
            at = _value_end(data, at, stop, ttype, depth)
    return -1


def _value_end(data: bytes, at: i64, stop: i64, ttype: i64, depth: i64) -> i64:
    size: i64 = _FIXED[ttype]
    if 0 < size < 255:
        return at + size if at + size <= stop else -1
    if ttype == 11:  # STRING
        # A length below 0 is one of 2**31 and more here.
        at += 4
        if at > stop:
            return -1
        at += _i32(data, at - 4) & 0xFFFFFFFF
        return at if at <= stop else -1
    if ttype == 12:  # STRUCT
        return struct_end(data, at, stop, depth - 1)
    if size == 255 or depth < 2:
        return -1
    is_map = ttype == 13
    head: i64 = at + 6 if is_map else at + 5
    if head > stop:
        return -1
    key: i64 = data[at]
    item: i64 = data[at + 1] if is_map else key
    count = _i32(data, head - 4)
    if not count:
        return head
    if count < 0 or _FIXED[key] == 255 or _FIXED[item] == 255:
        return -1
    at = head
    size = _FIXED[key]
    if size and not is_map:
        return at + count * size if at + count * size <= stop else -1
    # An element takes a byte at least.
    if count > stop - at:
        return -1
    while count and at >= 0:
        at = _value_end(data, at, stop, key, depth - 1)
        if is_map and at >= 0:
            at = _value_end(data, at, stop, item, depth - 1)
        count -= 1
    return at


# ── Telling ──


def _tell_struct(data: bytes, at: i64, stop: i64, depth: i64, visitor: Visitor) -> i64:
    """Tell of the struct at ``at``; where it ends, or -1 where _Reader has a finding."""
    if depth < 1:
        return -1
    before: i64 = -1
    first = True
    while at < stop:
        ttype: i64 = data[at]
        if not ttype:
            return at + 1
        if at + 3 > stop:
            return -1
        high: i64 = data[at + 1]
        field_id: i64 = ((high << 8 | data[at + 2]) ^ 0x8000) - 0x8000
        # Ids rise; those below 0 may stand anywhere.
        if field_id >= 0 and field_id <= before:
            return -1
        before = field_id
        visitor.field(field_id, first)
        first = False
        at = _tell_value(data, at + 3, stop, ttype, depth, at, visitor)
        if at < 0:
            return -1
    return -1


def _tell_value(
    data: bytes, at: i64, stop: i64, ttype: i64, depth: i64, start: i64, visitor: Visitor
) -> i64:
    """Tell of the value at ``at``, which begins at ``start`` if it is a field's."""
    size: i64 = _FIXED[ttype]
    end: i64 = at + size
    if 0 < size < 255:
        if end > stop:
            return -1
        return end if _tell_fixed(data, at, ttype, start, end, visitor) else -1
    if ttype == 11:  # STRING
        at += 4
        if at > stop:
            return -1
        end = at + (_i32(data, at - 4) & 0xFFFFFFFF)
        if end > stop:
            return -1
        visitor.string(data, at, start, end)
        return end
    if size == 255 or depth < 2:
        return -1
    if ttype == 12:  # STRUCT
        visitor.struct()
        end = _tell_struct(data, at, stop, depth - 1, visitor)
        if end >= 0:
            visitor.end(start, end)
        return end
    is_map = ttype == 13
    head: i64 = at + 6 if is_map else at + 5
    if head > stop:
        return -1
    key: i64 = data[at]
    item: i64 = data[at + 1] if is_map else key
    count = _i32(data, head - 4)
    # An element takes a byte at least.
    if not 0 <= count <= stop - head:
        return -1
    # An empty container may name any type.
    if _FIXED[key] == 255 or _FIXED[item] == 255:
        if count:
            return -1
        key = 0 if _FIXED[key] == 255 else key
        item = 0 if _FIXED[item] == 255 else item
    if is_map:
        visitor.entries(key, item, count)
    else:
        visitor.items(ttype, item, count)
    at = head
    index: i64 = 0
    while index < count:
        if is_map:
            visitor.key(index == 0)
            at = _tell_value(data, at, stop, key, depth - 1, at, visitor)
            if at < 0:
                return -1
            visitor.entry()
        else:
            visitor.item(index == 0)
        at = _tell_value(data, at, stop, item, depth - 1, at, visitor)
        if at < 0:
            return -1
        if is_map:
            visitor.entry_end()
        index += 1
    visitor.end(start, at)
    return at


def _tell_fixed(data: bytes, at: i64, ttype: i64, start: i64, end: i64, visitor: Visitor) -> bool:
    """Tell of a value of fixed size, which is there; False if it is odd."""
    if ttype == 8:  # I32
        visitor.number(ttype, _i32(data, at), start, end)
    elif ttype == 10:  # I64
        visitor.number(ttype, _i32(data, at) << 32 | _i32(data, at + 4) & 0xFFFFFFFF, start, end)
    elif ttype == 2:  # BOOL
        if data[at] > 1:
            return False
        visitor.truth(data[at] == 1, start, end)
    elif ttype == 4:  # DOUBLE
        double: float = _DOUBLE.unpack_from(data, at)[0]
        if double != double:
            return False
        visitor.double(double, start, end)
    elif ttype == 6:  # I16
        high: i64 = data[at]
        visitor.number(ttype, ((high << 8 | data[at + 1]) ^ 0x8000) - 0x8000, start, end)
    elif ttype == 3:  # I8
        low: i64 = data[at]
        visitor.number(ttype, (low ^ 0x80) - 0x80, start, end)
    else:
        visitor.uuid(uuid.UUID(bytes=data[at:end]), start, end)
    return True


# ── Reading ──────────────────────────────────────────────────────────────────────────


class _Reader(Reader):
    """Reads one binary struct."""

    __slots__ = ()

    magic = VERSION_1.to_bytes(2, "big")

    def header(self, at: int) -> Header:
        return read_header(self.data, at, self.stop, self.limits)

    def struct(self, depth: int) -> Struct:
        fields: list[Field] = []
        is_odd = False
        while self.has("field type", 1):
            start = self.at
            ttype = self.data[start]
            if ttype == 0:
                self.at = start + 1
                return Struct(tuple(fields), Span(start, start + 1))
            try:
                _check_type("field type", ttype, start)
            except DecodeError as error:
                self.fail(error)
                break
            self.at = start + 1
            if not self.has("field id", 2):
                break
            field_id = _I16.unpack_from(self.data, start + 1)[0]
            self.at = start + 3
            is_odd = is_odd or note_order(self.findings, fields, field_id, start)
            value = self.value(ttype, depth)
            if value is not None:
                fields.append(Field(field_id, value, Span(start, self.at)))
            if self.broken:
                break
        return Struct(tuple(fields), None)

    def value(self, ttype: int, depth: int) -> Value | None:
        if self.is_full():
            return None
        size = _SIZES[ttype]
        try:
            if size:
                return self.scalar(TTYPES[ttype], size)
            if ttype == _STRING:
                return self.string()
            _check_depth(depth + 1, self.at, self.limits)
            if ttype == _STRUCT:
                return self.inner(depth + 1)
            if ttype == _MAP:
                return self.map(depth + 1)
            return self.items(TTYPES[ttype], depth + 1)
        except DecodeError as error:
            self.fail(error)
            return None

    def number(self, ttype: TType, start: int) -> Content:
        data = self.data
        if ttype is TType.I32:
            return int(_I32.unpack_from(data, start)[0])
        if ttype is TType.I64:
            return int(_I64.unpack_from(data, start)[0])
        if ttype is TType.BOOL:
            if data[start] > 1:
                self.warn(f"BOOL at offset {start}: is {data[start]}, want 0 or 1", start)
            return data[start] != 0
        if ttype is TType.DOUBLE:
            return float(_DOUBLE.unpack_from(data, start)[0])
        if ttype is TType.I16:
            return int(_I16.unpack_from(data, start)[0])
        if ttype is TType.I8:
            return (data[start] ^ 128) - 128
        return uuid.UUID(bytes=bytes(data[start : self.at]))

    def string(self) -> Value | None:
        start = self.at
        if not self.has("string length", 4):
            return None
        length = _I32.unpack_from(self.data, start)[0]
        _check_size("string length", length, start, self.limits, 4)
        return self.content(start, start + 4, length)

    def items(self, ttype: TType, depth: int) -> Value | None:
        start = self.at
        what = "set" if ttype is TType.SET else "list"
        if not self.has(f"{what} header", 5):
            return None
        etype, count = _LIST_HEAD.unpack_from(self.data, start)
        _check_size(f"{what} count", count, start + 1, self.limits, 4)
        if count:
            _check_type(f"{what} element type", etype, start)
        self.at = start + 5
        content = Items(_named(etype), count, self.elements(etype, count, depth))
        return Value(ttype, content, Span(start, self.at), 5)

    def map(self, depth: int) -> Value | None:
        start = self.at
        if not self.has("map header", 6):
            return None
        ktype, vtype, count = _MAP_HEAD.unpack_from(self.data, start)
        _check_size("map count", count, start + 2, self.limits, 4)
        if count:
            _check_type("map key type", ktype, start)
            _check_type("map value type", vtype, start + 1)
        self.at = start + 6
        pairs = self.pairs(ktype, vtype, count, depth)
        content = Entries(_named(ktype), _named(vtype), count, pairs)
        return Value(TType.MAP, content, Span(start, self.at), 6)


def _named(ttype: int) -> TType:
    """The type; STOP for a number that is none (an empty container may hold any)."""
    return TTYPES[ttype] if _SIZES[ttype] >= 0 else TType.STOP


class BinaryProtocol(Protocol):
    """The binary protocol with the strict header."""

    name = "binary"
    title = "binary"
    classes = "TBinaryProtocolFactory"
    is_marked = True

    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        if isinstance(data, bytes):
            header = whole_header(data, start, stop, start)
            if header is not None:
                return header
        return read_header(data, start, stop, limits)

    def read_struct(
        self, data: bytes, start: int, stop: int, gaps: tuple[Gap, ...], limits: Limits
    ) -> Struct:
        return _Reader(data, start, stop, gaps, limits).whole()

    def skipper(self, start: int, limits: Limits) -> BinarySkipper:
        return BinarySkipper(start, limits)

    def whole_header(self, data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
        return whole_header(data, at, stop, into)

    def struct_end(self, data: bytes, at: i64, stop: i64, limits: Limits) -> i64:
        return struct_end(data, at, stop, limits.depth)

    def visit(self, data: bytes, at: i64, stop: i64, limits: Limits, visitor: Visitor) -> bool:
        # Nothing in it can be over the limit of a message then.
        if stop - at > limits.message:
            return False
        return _tell_struct(data, at, stop, limits.depth, visitor) == stop

    def first_field(self, data: bytes, start: int) -> int:
        if start < len(data) and not data[start]:
            return NO_FIELD
        if len(data) < start + 3:
            return NOT_TOLD
        return ((data[start + 1] << 8 | data[start + 2]) ^ 0x8000) - 0x8000

    # Notes and masks are for one message at a time: what writes them is loaded when it is asked.

    def notes(self, record: Record) -> list[Note]:
        from .binary_notes import BinaryWriter

        return BinaryWriter(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .masks import in_binary

        return in_binary(value)

    def blank(self, data: bytes) -> bytes:
        from .masks import BLANK

        return BLANK * len(data)

    def mask_header(self, header: Header) -> tuple[list[Run], Header]:
        from .masks import with_seqid

        return with_seqid(header, super().mask_header(header))


class OldBinaryProtocol(BinaryProtocol):
    """The binary protocol with the old header, which has no version: the same structs."""

    name = "binary-old"
    title = "old binary"
    classes = "TBinaryProtocolFactory with strict_write off (strictWrite in Apache's)"
    is_marked = False
    is_variant = True

    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        return read_old_header(data, start, stop, limits)

    def whole_header(self, data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
        return None  # rare, and read as rarely

    def skipper(self, start: int, limits: Limits) -> BinarySkipper:
        return OldBinarySkipper(start, limits)

    def notes(self, record: Record) -> list[Note]:
        from .binary_notes import OldBinaryWriter

        return OldBinaryWriter(record).written()


BINARY: Final = BinaryProtocol()
OLD_BINARY: Final = OldBinaryProtocol()


# ── Writing ──────────────────────────────────────────────────────────────────────────


def write_header(method: bytes, mtype: int, seqid: int) -> bytes:
    """A strict header.  What ``read_header`` reads, this writes back byte for byte."""
    return b"".join(
        (
            struct.pack(">HBB", VERSION_1, 0, mtype),
            _I32.pack(len(method)),
            method,
            _I32.pack(seqid),
        )
    )


def write_old_header(method: bytes, mtype: int, seqid: int) -> bytes:
    """A header without a version, as ``read_old_header`` reads it."""
    return b"".join((_I32.pack(len(method)), method, bytes((mtype,)), _I32.pack(seqid)))


def write_struct(value: Struct) -> bytes:
    """A struct with its STOP.  Raises ValueError for a value that was lost."""
    out = bytearray()
    _write_struct(out, value)
    return bytes(out)


def _write_struct(out: bytearray, value: Struct) -> None:
    for field in value.fields:
        out.append(field.value.ttype)
        out += _I16.pack(field.field_id)
        _write_value(out, field.value)
    out.append(0)


def _write_value(out: bytearray, value: Value) -> None:
    content = value.content
    ttype = value.ttype
    if content is None or value.lost:
        raise cannot_write(value)
    if isinstance(content, Struct):
        _write_struct(out, content)
    elif isinstance(content, Items):
        out += _LIST_HEAD.pack(content.element_type, content.count)
        for item in content.items:
            _write_value(out, item)
    elif isinstance(content, Entries):
        out += _MAP_HEAD.pack(content.key_type, content.value_type, content.count)
        for key, item in content.items:
            _write_value(out, key)
            _write_value(out, item)
    elif isinstance(content, bytes):
        out += _I32.pack(len(content))
        out += content
    elif isinstance(content, uuid.UUID):
        out += content.bytes
    elif isinstance(content, float):
        out += _DOUBLE.pack(content)
    elif ttype is TType.BOOL or ttype is TType.I8:
        out += (int(content) & 255).to_bytes(1, "big")
    elif ttype is TType.I16:
        out += _I16.pack(content)
    elif ttype is TType.I32:
        out += _I32.pack(content)
    else:
        out += _I64.pack(content)
