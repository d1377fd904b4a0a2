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

When somebody looks at a message, _Walk tells a Listener about all its values (``reading.py`` has
what it shares with the compact protocol).  Two more functions go over the same bytes, for speed.
The Skipper finds where a message ends while its bytes arrive: it keeps its place in a small stack.
``struct_end`` finds the end of a struct that is completely there, without telling anybody: using
the walk, listing rich messages takes half as long again.  All three refuse the same bytes.

No claimed length is believed: it is checked against the limits and against the bytes that are
there, and nothing is allocated for it.
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
    Entries,
    Field,
    Finding,
    Gap,
    Header,
    Items,
    Limits,
    Listener,
    Note,
    Protocol,
    Record,
    Run,
    Severity,
    Span,
    Struct,
    TType,
    Value,
)
from .reading import (
    NO_FIELDS,
    SeenHeads,
    Walk,
    Walker,
    cannot_write,
    method_name,
    unordered,
)
from .reading import WANTED_MTYPES as _WANTED_MTYPES
from .reading import check_depth as _check_depth
from .reading import check_size as _check_size

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "BINARY",
    "OLD_BINARY",
    "WIRE_TYPES",
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

# Size in bytes of a value of each type; 0: not fixed; -1: no such type.
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

# Those that the protocol has a number for.
WIRE_TYPES: Final = tuple(one for one in TType if one <= TType.UUID)

_WANTED_TYPES: Final = "one of " + ", ".join(f"{t.value} {t.name}" for t in WIRE_TYPES if t)

_STRUCT: Final = int(TType.STRUCT)
_STRING: Final = int(TType.STRING)
_MAP: Final = int(TType.MAP)
_SET: Final = int(TType.SET)
_LIST: Final = int(TType.LIST)


# ── What all of them refuse ──────────────────────────────────────────────────────────


def _check_type(what: str, ttype: int, offset: int) -> int:
    """Return the fixed size of that type, 0 if it has none.  Raises DecodeError for other types."""
    size = _SIZES[ttype]
    if size < 0:
        raise _no_type(what, ttype, offset)
    return size


def _no_type(what: str, ttype: int, offset: int) -> DecodeError:
    return DecodeError(what, offset, found=str(ttype), wanted=_WANTED_TYPES, size=1)


# ── Header ───────────────────────────────────────────────────────────────────────────


def read_header(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
    """Read the strict header at ``data[start:stop]``.

    Raises Incomplete if it is cut off, DecodeError for another version or an unknown message type,
    LimitExceeded for a name longer than a message may be.
    """
    if stop - start < 4:
        raise Incomplete("version", start, needs=4, left=stop - start)
    version = data[start] << 8 | data[start + 1]
    if version != VERSION_1:
        raise DecodeError(
            "version", start, found=f"0x{version:04x}", wanted=f"0x{VERSION_1:04x}", size=4
        )
    # "unused, type": the low three bits of the fourth byte; the others are undefined, and nobody
    # sets them.
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


# At the start of a message, and after a frame's length.
_BARE: Final = SeenHeads(0)
_FRAMED: Final = SeenHeads(4)


# A strict header's first four bytes, taken for a seqid: 80 01 00 01 to 80 01 00 04.
_FIRST_ODD: Final = -0x7FFEFFFF
_LAST_ODD: Final = _FIRST_ODD + 3


def whole_header(data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
    """See ``Protocol.whole_header``."""
    # Names of 2**16 bytes and more take the slow way, which knows the limits.
    if at + 12 > stop or data[at] != 0x80 or data[at + 4] or data[at + 5]:
        return None
    length: i64 = data[at + 6]
    seqid: i64 = at + 8 + (length << 8 | data[at + 7])
    if seqid + 4 > stop:
        return None
    number = _i32(data, seqid)
    if _FIRST_ODD <= number <= _LAST_ODD:
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
    return heads.with_seqid(known, number)


def _i32(data: bytes, at: i64) -> i64:
    a: i64 = data[at]
    b: i64 = data[at + 1]
    c: i64 = data[at + 2]
    bits: i64 = a << 24 | b << 16 | c << 8 | data[at + 3]
    return (bits ^ 0x80000000) - 0x80000000


def read_old_header(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
    """Read the header without a version at ``data[start:stop]``.

    Raises Incomplete if it is cut off, DecodeError for a negative name length (which is what a
    strict header looks like) or an unknown message type, LimitExceeded for a name longer than a
    message may be.
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
        """Read the head of a value without a fixed size; False if some of the head is missing."""
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
                    # Counts down from 2n: while it is even, a key comes next.
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


# Like _SIZES, for the short way: 255 means no such type.
_FIXED: Final = bytes([255 if size < 0 else size for size in _SIZES])


def struct_end(data: bytes, at: i64, stop: i64, depth: i64) -> i64:
    """Return where the struct at ``at`` ends; -1 if that takes the long way.

    -1 means that the struct is not completely there, is not sound, or nests deeper than ``depth``.
    The Skipper can stop and go on later, and says what is wrong; this cannot.
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
        # A negative length is 2**31 or more here.
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
    # An element takes at least one byte.
    if count > stop - at:
        return -1
    while count and at >= 0:
        at = _value_end(data, at, stop, key, depth - 1)
        if is_map and at >= 0:
            at = _value_end(data, at, stop, item, depth - 1)
        count -= 1
    return at


# ── Walking ──────────────────────────────────────────────────────────────────────────


# Shared by most structs: nobody adds to it.
_NO_IDS: Final[set[int]] = set()


class _Walk(Walk):
    """Walks over one binary struct."""

    __slots__ = ()

    magic = VERSION_1.to_bytes(2, "big")

    def header(self, at: int) -> Header:
        return read_header(self.data, at, self.stop, self.limits)

    def again(self, at: i64, listener: Listener) -> _Walk:
        return _Walk(self.data, at, self.stop, self.gaps, self.limits, listener)

    def struct(self, depth: i64) -> None:
        data, listener = self.data, self.listener
        opened = self.at
        listener.struct(opened)
        # The ids seen so far: one bit each for those below 63.
        before: i64 = NO_FIELDS
        low: i64 = 0
        above: set[int] = _NO_IDS
        is_odd = False
        while self.at < self.sure or self.has("field type", 1):
            start = self.at
            ttype: i64 = data[start]
            if not ttype:
                self.at = start + 1
                listener.struct_end(start, start + 1)
                return
            if _FIXED[ttype] == 255:
                self.fail(_no_type("field type", ttype, start))
                break
            self.at = start + 1
            if start + 3 > self.sure and not self.has("field id", 2):
                break
            high: i64 = data[start + 1]
            field_id: i64 = ((high << 8 | data[start + 2]) ^ 0x8000) - 0x8000
            self.at = start + 3
            listener.field(field_id, None, start)
            if field_id <= before and field_id >= 0 and not is_odd:
                is_odd = True
                is_there = low >> field_id & 1 == 1 if field_id < 63 else field_id in above
                listener.warn(unordered(field_id, before, is_there, start))
            before = field_id
            if 0 <= field_id < 63:
                low |= 1 << field_id
            elif field_id >= 0:
                above = above or set()
                above.add(field_id)
            self.value(ttype, depth)
            if self.broken:
                break
        if depth > 1 and self.at == opened:
            listener.take_back()
        else:
            listener.struct_end(-1, self.at)

    def value(self, ttype: i64, depth: i64) -> None:
        self.left -= 1
        if self.left < 0:
            self.left += 1
            self.is_full()
            return
        start = self.at
        size: i64 = _FIXED[ttype]
        if 0 < size < 255:
            if start + size <= self.sure or self.is_there(TTYPES[ttype], size):
                self.at = start + size
                self.fixed(ttype, start, start + size)
            return
        try:
            if ttype == 11:  # STRING
                self.string()
                return
            _check_depth(depth + 1, start, self.limits)
            if ttype == 12:  # STRUCT
                self.struct(depth + 1)
            elif ttype == 13:  # MAP
                self.map(depth + 1)
            else:
                self.items(ttype, depth + 1)
        except DecodeError as error:
            self.fail(error)

    def fixed(self, ttype: i64, at: i64, end: i64) -> None:
        """Report a value of fixed size that is completely there."""
        data, listener = self.data, self.listener
        if ttype == 8:  # I32
            listener.number(ttype, _i32(data, at), at, end)
        elif ttype == 10:  # I64
            whole = _i32(data, at) << 32 | _i32(data, at + 4) & 0xFFFFFFFF
            listener.number(ttype, whole, at, end)
        elif ttype == 2:  # BOOL
            if data[at] > 1:
                self.warn(f"BOOL at offset {at}: is {data[at]}, want 0 or 1", at)
            listener.truth(data[at] != 0, at, end)
        elif ttype == 4:  # DOUBLE
            double: float = _DOUBLE.unpack_from(data, at)[0]
            listener.double(double, at, end)
        elif ttype == 6:  # I16
            high: i64 = data[at]
            listener.number(ttype, ((high << 8 | data[at + 1]) ^ 0x8000) - 0x8000, at, end)
        elif ttype == 3:  # I8
            low: i64 = data[at]
            listener.number(ttype, (low ^ 0x80) - 0x80, at, end)
        else:
            listener.uuid(uuid.UUID(bytes=data[at:end]), at, end)

    def string(self) -> None:
        start = self.at
        if start + 4 > self.sure and not self.has("string length", 4):
            return
        length = _i32(self.data, start)
        _check_size("string length", length, start, self.limits, 4)
        self.content(start, start + 4, length)

    def items(self, ttype: i64, depth: i64) -> None:
        start = self.at
        what = "set" if ttype == 14 else "list"
        if not self.has(f"{what} header", 5):
            return
        element: i64 = self.data[start]
        count = _i32(self.data, start + 1)
        _check_size(f"{what} count", count, start + 1, self.limits, 4)
        if _FIXED[element] == 255:
            if count:
                raise _no_type(f"{what} element type", element, start)
            element = 0  # an empty one may name any type
        self.at = start + 5
        self.listener.items(ttype, element, count, 0, start, 5)
        self.elements(element, count, depth)
        self.listener.end(self.at)

    def map(self, depth: i64) -> None:
        start = self.at
        if not self.has("map header", 6):
            return
        key: i64 = self.data[start]
        item: i64 = self.data[start + 1]
        count = _i32(self.data, start + 2)
        _check_size("map count", count, start + 2, self.limits, 4)
        if _FIXED[key] == 255:
            if count:
                raise _no_type("map key type", key, start)
            key = 0
        if _FIXED[item] == 255:
            if count:
                raise _no_type("map value type", item, start + 1)
            item = 0
        self.at = start + 6
        self.listener.entries(key, item, count, 0, start, 6)
        self.pairs(key, item, count, depth)
        self.listener.end(self.at)


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

    def oddity(self, header: Header) -> Finding | None:
        if not header.strict or not _FIRST_ODD <= header.seqid <= _LAST_ODD:
            return None
        at = header.span.stop - 4
        text = (
            f"seqid at offset {at}: is {header.seqid}, which is how another message begins: "
            "two writers share this stream"
        )
        return Finding(Severity.ERROR, text, at)

    def skipper(self, start: int, limits: Limits) -> BinarySkipper:
        return BinarySkipper(start, limits)

    def whole_header(self, data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
        return whole_header(data, at, stop, into)

    def struct_end(self, data: bytes, at: i64, stop: i64, limits: Limits) -> i64:
        return struct_end(data, at, stop, limits.depth)

    def first_field(self, data: bytes, start: int) -> int:
        if start < len(data) and not data[start]:
            return NO_FIELD
        if len(data) < start + 3:
            return NOT_TOLD
        return ((data[start + 1] << 8 | data[start + 2]) ^ 0x8000) - 0x8000

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

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
    """The binary protocol with the old header, which has no version; its structs are the same."""

    name = "binary-old"
    title = "old binary"
    classes = "TBinaryProtocolFactory with strict_write off (strictWrite in Apache's)"
    is_marked = False

    @property
    def variant_of(self) -> Protocol:
        return BINARY

    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        return read_old_header(data, start, stop, limits)

    def whole_header(self, data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
        return None  # rare, so it needs no short way

    def skipper(self, start: int, limits: Limits) -> BinarySkipper:
        return OldBinarySkipper(start, limits)

    def notes(self, record: Record) -> list[Note]:
        from .binary_notes import OldBinaryWriter

        return OldBinaryWriter(record).written()


BINARY: Final = BinaryProtocol()
OLD_BINARY: Final = OldBinaryProtocol()


# ── Writing ──────────────────────────────────────────────────────────────────────────


def write_header(method: bytes, mtype: int, seqid: int) -> bytes:
    """Write a strict header.  ``read_header`` reads it back, byte for byte."""
    return b"".join(
        (
            struct.pack(">HBB", VERSION_1, 0, mtype),
            _I32.pack(len(method)),
            method,
            _I32.pack(seqid),
        )
    )


def write_old_header(method: bytes, mtype: int, seqid: int) -> bytes:
    """Write a header without a version, as ``read_old_header`` reads it."""
    return b"".join((_I32.pack(len(method)), method, bytes((mtype,)), _I32.pack(seqid)))


def write_struct(value: Struct) -> bytes:
    """Write a struct and its STOP.  Raises ValueError for a value that was lost."""
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
