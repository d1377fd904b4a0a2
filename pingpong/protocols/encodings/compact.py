"""TCompactProtocol, as doc/specs/thrift-compact-protocol.md lays it out.

    Header                              Field of a struct
    ┌────┬────────┬────────────────     ┌────────┬────────        ┌────────┬────────────┬────────
    │ 82 │mmmvvvvv│ seqid, varint …     │ddddtttt│ value …   or   │0000tttt│ id, zigzag │ value …
    ├────┴────────┴──┬─────────────     └────────┴────────        └────────┴────────────┴────────
    │ length, varint │ name …           d is what to add to the id before; 00 is STOP
    └────────────────┴─────────────

    bool     in a field: the type itself, 1 true, 2 false, and no other byte; in a container
             one byte, 1 or 2
    i8       one byte                   string   length (varint), bytes
    i16 …    zigzag varints             list     sssstttt or 1111tttt and a varint; elements
    double   8 bytes, little-endian     map      00, or count (varint), kkkkvvvv; pairs

A varint has seven bits a byte, the lowest first, and the top bit says that another follows.
Zigzag folds the sign into the lowest bit: 0, -1, 1, -2 … are written 0, 1, 2, 3 …

As in ``binary.py``, a walk reports values, a skipper finds the end, and ``struct_end`` is the short
way; all refuse the same bytes.  The protocol's type numbers are translated to those of the model,
where BOOL is one type; ``raw_type`` keeps how a container wrote it (as 1 or as 2: both are in use).
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
    Entries,
    Field,
    Gap,
    Header,
    Items,
    Limits,
    Listener,
    Note,
    Protocol,
    Record,
    Run,
    Span,
    Struct,
    TType,
    Value,
)
from .reading import (
    NO_FIELDS,
    WANTED_MTYPES,
    SeenHeads,
    Walk,
    Walker,
    cannot_write,
    check_depth,
    check_size,
    method_name,
    read_number,
    unordered,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "COMPACT",
    "PROTOCOL_ID",
    "VERSION",
    "CompactProtocol",
    "CompactSkipper",
    "read_header",
    "read_varint",
    "unzigzag",
    "write_header",
    "write_struct",
    "write_varint",
]

PROTOCOL_ID: Final = 0x82
VERSION: Final = 1

_DOUBLE: Final = struct.Struct("<d")

_TRUE: Final = 1
_FALSE: Final = 2
_I8: Final = 3
_STRING: Final = 8
_LIST: Final = 9
_SET: Final = 10
_MAP: Final = 11
_STRUCT: Final = 12

# "Struct": the type nibble, and what it is in the model.  STOP: there is no such type.
_TTYPES: Final[list[TType]] = [TType.STOP] * 16
# Size in bytes of a value of each type; 0: not fixed.
_SIZES: Final[list[int]] = [0] * 16
# Bits of a number that is written as a zigzag varint; 0: not such a number.
_BITS: Final[list[int]] = [0] * 16
# From the model's types back to the nibbles.
_NIBBLES: Final[list[int]] = [0] * 17
for _nibble, _ttype, _size, _width in (
    (2, TType.BOOL, 1, 0),
    (1, TType.BOOL, 1, 0),  # last, so that this is what gets written for a container of BOOLs
    (3, TType.I8, 1, 0),
    (4, TType.I16, 0, 16),
    (5, TType.I32, 0, 32),
    (6, TType.I64, 0, 64),
    (7, TType.DOUBLE, 8, 0),
    (8, TType.STRING, 0, 0),
    (9, TType.LIST, 0, 0),
    (10, TType.SET, 0, 0),
    (11, TType.MAP, 0, 0),
    (12, TType.STRUCT, 0, 0),
    (13, TType.UUID, 16, 0),
):
    _TTYPES[_nibble] = _ttype
    _SIZES[_nibble] = _size
    _BITS[_nibble] = _width
    _NIBBLES[_ttype] = _nibble

_WANTED_TYPES: Final = "one of 1 TRUE, 2 FALSE, " + ", ".join(
    f"{nibble} {_TTYPES[nibble].name}" for nibble in range(3, 14)
)


# ── Varints ──────────────────────────────────────────────────────────────────────────


def read_varint(
    data: bytes | bytearray, at: int, stop: int, what: str, bits: int = 32
) -> tuple[int, int]:
    """Return the unsigned number of ``bits`` bits at ``at``, and where it ends.

    Raises Incomplete if it is cut off; DecodeError if it is larger than such a number, or longer
    than one can be (5 bytes for up to 32 bits, 10 for 64).
    """
    value, end = read_number(data, at, stop, what, 10 if bits > 32 else 5)
    if value >> bits:
        most = (1 << bits) - 1
        raise DecodeError(what, at, found=str(value), wanted=f"at most {most}", size=end - at)
    return value, end


def read_zigzag(
    data: bytes | bytearray, at: int, stop: int, what: str, bits: int
) -> tuple[int, int]:
    """Return the signed number of ``bits`` bits at ``at``, and where it ends.

    Raises what ``read_varint`` raises.
    """
    value, end = read_number(data, at, stop, what, 10 if bits > 32 else 5)
    if value >> bits:
        half = 1 << (bits - 1)
        raise DecodeError(
            what, at, found=str(unzigzag(value)), wanted=f"{-half} to {half - 1}", size=end - at
        )
    return unzigzag(value), end


def unzigzag(value: int) -> int:
    """Undo zigzag: the lowest bit is the sign.

    >>> [unzigzag(value) for value in range(5)]
    [0, -1, 1, -2, 2]
    """
    return (value >> 1) ^ -(value & 1)


def write_varint(value: int) -> bytes:
    """Write ``value``, which is not negative, in as few bytes as possible.

    >>> write_varint(300).hex(" ")
    'ac 02'
    """
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _write_zigzag(value: int) -> bytes:
    return write_varint(value << 1 if value >= 0 else ~value << 1 | 1)


# ── What all of them refuse ──────────────────────────────────────────────────────────


def _check_type(what: str, nibble: int, offset: int) -> None:
    if _TTYPES[nibble] is TType.STOP:
        raise DecodeError(what, offset, found=str(nibble), wanted=_WANTED_TYPES, size=1)


def _field_id(data: bytes | bytearray, at: int, stop: int, before: int) -> tuple[int, int]:
    """Return the id of the field whose header is at ``at``, and where that header ends."""
    delta = data[at] >> 4
    if not delta:
        return read_zigzag(data, at + 1, stop, "field id", 16)
    if before + delta > 32767:
        raise DecodeError(
            "field id", at, found=f"{before} + {delta}", wanted="-32768 to 32767", size=1
        )
    return before + delta, at + 1


# ── Header ───────────────────────────────────────────────────────────────────────────


def read_header(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
    """Read the header at ``data[start:stop]``.

    Raises Incomplete if it is cut off, DecodeError for another protocol or version or an unknown
    message type, LimitExceeded for a name longer than a message may be.
    """
    if stop - start < 1:
        raise Incomplete("protocol id", start, needs=1, left=0)
    if data[start] != PROTOCOL_ID:
        raise DecodeError(
            "protocol id",
            start,
            found=f"0x{data[start]:02x}",
            wanted=f"0x{PROTOCOL_ID:02x}",
            size=1,
        )
    if stop - start < 2:
        raise Incomplete("version", start + 1, needs=1, left=0)
    # "Message": the version in the low five bits, the type in the high three.
    version = data[start + 1] & 31
    if version != VERSION:
        raise DecodeError("version", start + 1, found=str(version), wanted=str(VERSION), size=1)
    mtype = data[start + 1] >> 5
    if not 1 <= mtype <= 4:
        raise DecodeError("message type", start + 1, found=str(mtype), wanted=WANTED_MTYPES, size=1)
    # The seqid is signed, but not zigzag: a negative one is written as its 32 bits.
    seqid, at = read_varint(data, start + 2, stop, "seqid")
    length, name = read_varint(data, at, stop, "method name length")
    check_size("method name length", length, at, limits, name - at)
    if stop - name < length:
        raise Incomplete("method name", name, needs=length, left=stop - name)
    return Header(
        method_name(bytes(data[name : name + length])),
        MESSAGE_TYPES[mtype],
        (seqid ^ 1 << 31) - (1 << 31),
        True,
        Span(start, name + length),
        Span(name, name + length),
    )


# One for each message type and each length of a seqid up to four bytes, since both come before the
# name: first at the start of a message, then after a frame's length.
_HEADS: Final = [SeenHeads(into) for into in (0, 4) for _ in range(16)]


def whole_header(data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
    """See ``Protocol.whole_header``."""
    if at + 4 > stop or data[at] != 0x82:
        return None
    kind: i64 = data[at + 1] - 0x21
    if kind & 31 or kind > 0x60:
        return None
    seqid: i64 = 0
    shift: i64 = 0
    name: i64 = at + 2
    byte: i64 = data[name]
    while byte > 127:
        seqid |= (byte & 127) << shift
        shift += 7
        name += 1
        if shift > 21 or name >= stop:
            return None  # five bytes can hold more than 32 bits
        byte = data[name]
    seqid |= byte << shift
    name += 1
    if name >= stop or data[name] > 127:
        return None
    end: i64 = name + 1 + data[name]
    if end > stop:
        return None
    which: i64 = (16 if into else 0) + (kind >> 3) + shift // 7
    heads = _HEADS[which]
    if heads.into != into:
        return None
    raw = data[name:end]
    known = heads.get(raw)
    if known is None:
        mtype: i64 = (kind >> 5) + 1
        first: int = name + 1 - at + into
        last: int = end - at + into
        known = Header(
            method_name(raw[1:]),
            MESSAGE_TYPES[mtype],
            0,
            True,
            Span(heads.into, last),
            Span(first, last),
        )
        heads.add(raw, known)
    return heads.with_seqid(known, seqid)


# ── Skipping ─────────────────────────────────────────────────────────────────────────


class CompactSkipper(Walker):
    """Finds where a compact message ends.  ``_ids`` holds each level's last field id."""

    __slots__ = ("_ids",)

    def __init__(self, start: int, limits: Limits) -> None:
        super().__init__(start, limits)
        self._ids: list[int] = []

    def advance(self, data: bytes | bytearray, stop: int) -> int:
        try:
            return self._advance(data, stop)
        except Incomplete:
            # Each step leaves _at, and the stack, where it has to resume.
            return -1

    def _advance(self, data: bytes | bytearray, stop: int) -> int:
        if self._at == self._start:
            header = read_header(data, self._start, stop, self._limits)
            self._enter(-1, 0, header.span.stop)
        most = self._start + self._limits.message
        while self._left:
            if self._at > most:
                raise self._too_long()
            if self._at > stop:
                return -1
            if self._pending >= 0:
                self._value(data, stop, self._pending)
                continue
            left = self._left[-1]
            if left == 0:
                self._leave()
            elif left < 0:
                self._field(data, stop)
            else:
                self._left[-1] = left - 1
                both = self._types[-1]
                self._pending = both & 15 if left & 1 else both >> 4
        return self._at

    def _enter(self, left: int, types: int, inside: int) -> None:
        self._push(left, types, inside)
        self._ids.append(0)

    def _leave(self) -> None:
        self._left.pop()
        self._types.pop()
        self._ids.pop()

    def _field(self, data: bytes | bytearray, stop: int) -> None:
        at = self._at
        if at == stop:
            raise Incomplete("field type", at, needs=1, left=0)
        head = data[at]
        if head == 0:
            self._at = at + 1
            self._leave()
            return
        nibble = head & 15
        _check_type("field type", nibble, at)
        self._ids[-1], self._at = _field_id(data, at, stop, self._ids[-1])
        if nibble > _FALSE:
            self._pending = nibble

    def _value(self, data: bytes | bytearray, stop: int, nibble: int) -> None:
        """Pass over a value, or enter it."""
        at = self._at
        if _SIZES[nibble]:
            self._at = at + _SIZES[nibble]
        elif _BITS[nibble]:
            _, self._at = read_zigzag(data, at, stop, _TTYPES[nibble].name, _BITS[nibble])
        elif nibble == _STRING:
            length, inside = read_varint(data, at, stop, "string length")
            check_size("string length", length, at, self._limits, inside - at)
            self._at = inside + length
        else:
            check_depth(len(self._left) + 1, at, self._limits)
            if nibble == _STRUCT:
                self._enter(-1, 0, at)
            elif nibble == _MAP:
                self._map(data, at, stop)
            else:
                self._list(data, at, stop, "set" if nibble == _SET else "list")
        self._pending = -1

    def _map(self, data: bytes | bytearray, at: int, stop: int) -> None:
        count, types, inside = _map_head(data, at, stop, self._limits)
        key, item = _SIZES[types >> 4], _SIZES[types & 15]
        if key and item:
            self._at = inside + count * (key + item)
        else:
            # Counts down from 2n: while it is even, a key comes next.
            self._enter(2 * count, types, inside)

    def _list(self, data: bytes | bytearray, at: int, stop: int, what: str) -> None:
        count, nibble, inside = _list_head(data, at, stop, what, self._limits)
        if _SIZES[nibble]:
            self._at = inside + count * _SIZES[nibble]
        else:
            self._enter(count, nibble << 4 | nibble, inside)


def _list_head(
    data: bytes | bytearray, at: int, stop: int, what: str, limits: Limits
) -> tuple[int, int, int]:
    """Return a list's or a set's count, its element type, and where its elements begin."""
    if at == stop:
        raise Incomplete(f"{what} header", at, needs=1, left=0)
    nibble = data[at] & 15
    count = data[at] >> 4
    inside = at + 1
    # "List and Set": 15 says that the count follows.
    if count == 15:
        count, inside = read_varint(data, at + 1, stop, f"{what} count")
        check_size(f"{what} count", count, at + 1, limits, inside - at - 1)
    if count:
        _check_type(f"{what} element type", nibble, at)
    return count, nibble, inside


def _map_head(data: bytes | bytearray, at: int, stop: int, limits: Limits) -> tuple[int, int, int]:
    """Return a map's count, its two types in one byte (0 if empty), and where its pairs begin."""
    count, inside = read_varint(data, at, stop, "map count")
    check_size("map count", count, at, limits, inside - at)
    if count == 0:
        return 0, 0, inside
    if inside == stop:
        raise Incomplete("map types", inside, needs=1, left=0)
    types = data[inside]
    _check_type("map key type", types >> 4, inside)
    _check_type("map value type", types & 15, inside)
    return count, types, inside + 1


# Like _SIZES, _BITS and _TTYPES, for the short way: bytes of a fixed size; the greatest length of a
# varint that cannot exceed the type's bits; the model's number; 1 for a type that exists.
_FIXED: Final = bytes(_SIZES)
_SURE: Final = bytes([width // 7 for width in _BITS])
_BITS_OF: Final = bytes(_BITS)
_MODEL: Final = bytes(_TTYPES)
_IS_TYPE: Final = bytes([ttype is not TType.STOP for ttype in _TTYPES])


def struct_end(data: bytes, at: i64, stop: i64, depth: i64) -> i64:
    """Return where the struct at ``at`` ends; -1 if that takes the long way.

    -1 means that the struct is not completely there, is not sound, nests deeper than ``depth``, or
    holds a number of the greatest length.  The Skipper can stop and go on later, and says what is
    wrong; this cannot.
    """
    if depth < 1:
        return -1
    field_id: i64 = 0
    while 0 <= at < stop:
        head: i64 = data[at]
        if not head:
            return at + 1
        at += 1
        nibble: i64 = head & 15
        if head < 16:
            # The id is written in full: a small one is passed over, and later ones may add to it.
            if at >= stop or data[at] > 127:
                return -1
            field_id = data[at]
            field_id = (field_id >> 1) ^ -(field_id & 1)
            at += 1
        else:
            field_id += head >> 4
        if field_id > 32767 or not _IS_TYPE[nibble]:
            return -1
        if nibble > 2:
            at = _value_end(data, at, stop, nibble, depth)
    return -1


def _value_end(data: bytes, at: i64, stop: i64, nibble: i64, depth: i64) -> i64:
    size: i64 = _FIXED[nibble]
    if size:
        return at + size if at + size <= stop else -1
    size = _SURE[nibble]
    if size:
        if at + size < stop:
            stop = at + size
        while at < stop:
            if data[at] < 128:
                return at + 1
            at += 1
        return -1
    if nibble == 12:  # STRUCT
        return struct_end(data, at, stop, depth - 1)
    if at >= stop or (nibble != 8 and depth < 2):
        return -1
    count: i64 = data[at]
    key: i64 = 0
    item: i64 = 0
    at += 1
    if nibble in (9, 10):  # LIST, SET
        key = item = count & 15
        count >>= 4
        if count == 15:
            count = 128
            if at < stop:
                count = data[at]
            at += 1
    elif count > 127 and at < stop:
        size = data[at]
        count = count & 127 | size << 7
        at += 1
        if size > 127:
            return -1
    if nibble == 8:  # STRING
        return at + count if at + count <= stop else -1
    if count > stop - at or (nibble != 11 and count > 127):
        return -1
    if not count:
        return at
    if nibble == 11:  # MAP
        key = data[at] >> 4
        item = data[at] & 15
        at += 1
    if not _IS_TYPE[key] or not _IS_TYPE[item]:
        return -1
    while count and at >= 0:
        at = _value_end(data, at, stop, key, depth - 1)
        if nibble == 11 and at >= 0:
            at = _value_end(data, at, stop, item, depth - 1)
        count -= 1
    return at


# ── Walking ──────────────────────────────────────────────────────────────────────────


# Shared by most structs: nobody adds to it.
_NO_IDS: Final[set[int]] = set()


class _Walk(Walk):
    """Walks over one compact struct.  Types are the protocol's own numbers."""

    __slots__ = ()

    magic = b"\x82"

    def header(self, at: int) -> Header:
        return read_header(self.data, at, self.stop, self.limits)

    def again(self, at: i64, listener: Listener) -> _Walk:
        return _Walk(self.data, at, self.stop, self.gaps, self.limits, listener)

    def failed(self, error: DecodeError) -> None:
        """End the walk; say so if the capture lacks the bytes.

        A varint's length is in its bytes, so a loss among them ends the walk.
        """
        if isinstance(error, Incomplete) and self.lost_in(error.offset, error.offset + error.needs):
            what = f"{error.what} (lost by the capture)"
            error = Incomplete(what, error.offset, needs=error.needs, left=error.left)
        self.fail(error)

    def varint(self, longest: i64) -> i64:
        """Return the unsigned number at ``at``, if it is there and certainly not too large.

        Then ``at`` moves past it; otherwise ``at`` stays, and the slow way says what is wrong.
        """
        data = self.data
        at = self.at
        stop = self.sure
        value: i64 = 0
        shift: i64 = 0
        if at + longest < stop:
            stop = at + longest
        while at < stop:
            byte: i64 = data[at]
            at += 1
            if byte < 128:
                self.at = at
                return value | byte << shift
            value |= (byte & 127) << shift
            shift += 7
        return 0

    def length(self, what: str) -> i64:
        """Read a length or a count, checked against the limits."""
        start = self.at
        size = self.varint(4)
        end = self.at
        self.at = start  # where it stays if there is no length
        if end == start:
            size, end = read_varint(self.data, start, self.solid(), what)
        check_size(what, size, start, self.limits, end - start)
        self.at = end
        return size

    def struct(self, depth: i64) -> None:
        data, listener = self.data, self.listener
        opened = self.at
        listener.struct(opened)
        # The ids seen so far: one bit each for those below 63.
        before: i64 = NO_FIELDS
        low: i64 = 0
        above: set[int] = _NO_IDS
        is_odd = False
        field_id: i64 = 0
        while self.at < self.sure or self.has("field type", 1):
            start = self.at
            head: i64 = data[start]
            if not head:
                self.at = start + 1
                listener.struct_end(start, start + 1)
                return
            nibble: i64 = head & 15
            field_id += head >> 4
            self.at = start + 1
            if head < 16 or field_id > 32767 or not _IS_TYPE[nibble]:
                self.at = start
                last = field_id - (head >> 4)
                try:
                    _check_type("field type", nibble, start)
                    field_id, self.at = _field_id(data, start, self.solid(), last)
                except DecodeError as error:
                    self.failed(error)
                    break
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
            if nibble < 3:
                # "Struct": a bool field's value is its type, with no bytes of its own.
                if self.is_full():
                    break
                listener.truth(nibble == 1, self.at, self.at)
            else:
                self.value(nibble, depth)
            if self.broken:
                break
        if depth > 1 and self.at == opened:
            listener.take_back()
        else:
            listener.struct_end(-1, self.at)

    def value(self, ttype: i64, depth: i64) -> None:
        if self.is_full():
            return
        start = self.at
        try:
            if _BITS_OF[ttype]:
                self.zigzag(ttype)
            elif _FIXED[ttype]:
                size: i64 = _FIXED[ttype]
                if start + size <= self.sure or self.is_there(_TTYPES[ttype], size):
                    self.at = start + size
                    self.fixed(ttype, start, start + size)
            elif ttype == 8:  # STRING
                size = self.length("string length")
                self.content(start, self.at, size)
            else:
                check_depth(depth + 1, start, self.limits)
                if ttype == 12:  # STRUCT
                    self.struct(depth + 1)
                elif ttype == 11:  # MAP
                    self.map(depth + 1)
                else:
                    self.items(ttype, depth + 1)
        except DecodeError as error:
            self.failed(error)

    def zigzag(self, ttype: i64) -> None:
        """Read an I16, I32 or I64.

        Up to this length, a varint cannot exceed the type's bits; longer ones go the slow way.
        """
        start = self.at
        raw = self.varint(2 if ttype == 4 else 4 if ttype == 5 else 9)
        if self.at > start:
            self.listener.number(_MODEL[ttype], (raw >> 1) ^ -(raw & 1), start, self.at)
            return
        what, bits = _TTYPES[ttype].name, _BITS[ttype]
        number, self.at = read_zigzag(self.data, start, self.solid(), what, bits)
        self.listener.number(_MODEL[ttype], number, start, self.at)

    def fixed(self, ttype: i64, at: i64, end: i64) -> None:
        """Report a value of fixed size that is completely there."""
        data, listener = self.data, self.listener
        byte: i64 = data[at]
        if ttype < 3:
            # Earlier specifications wrote 0 for false, and readers take all but 1 for false.
            if not 1 <= byte <= 2:
                self.warn(f"BOOL at offset {at}: is {byte}, want 1 or 2", at)
            listener.truth(byte == 1, at, end)
        elif ttype == 3:  # I8
            listener.number(3, (byte ^ 0x80) - 0x80, at, end)
        elif ttype == 7:  # DOUBLE
            double: float = _DOUBLE.unpack_from(data, at)[0]
            listener.double(double, at, end)
        else:
            listener.uuid(uuid.UUID(bytes=data[at:end]), at, end)

    def items(self, ttype: i64, depth: i64) -> None:
        start = self.at
        what = "set" if ttype == 10 else "list"
        count, nibble, self.at = _list_head(self.data, start, self.solid(), what, self.limits)
        kind: i64 = 14 if ttype == 10 else 15
        self.listener.items(kind, _MODEL[nibble], count, nibble, start, self.at - start)
        self.elements(nibble, count, depth)
        self.listener.end(self.at)

    def map(self, depth: i64) -> None:
        start = self.at
        count, types, self.at = _map_head(self.data, start, self.solid(), self.limits)
        key, item = types >> 4, types & 15
        self.listener.entries(_MODEL[key], _MODEL[item], count, types, start, self.at - start)
        self.pairs(key, item, count, depth)
        self.listener.end(self.at)


class CompactProtocol(Protocol):
    """The compact protocol."""

    name = "compact"
    title = "compact"
    classes = "TCompactProtocolFactory"
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

    def skipper(self, start: int, limits: Limits) -> CompactSkipper:
        return CompactSkipper(start, limits)

    def whole_header(self, data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
        return whole_header(data, at, stop, into)

    def struct_end(self, data: bytes, at: i64, stop: i64, limits: Limits) -> i64:
        return struct_end(data, at, stop, limits.depth)

    def first_field(self, data: bytes, start: int) -> int:
        if start + 1 >= len(data):
            return NO_FIELD if data[start:] == b"\0" else NOT_TOLD
        head = data[start]
        if not head:
            return NO_FIELD
        if head >> 4:
            return head >> 4
        # An id in one whole byte; longer ones are rare.
        return unzigzag(data[start + 1]) if data[start + 1] < 128 else NOT_TOLD

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

    def notes(self, record: Record) -> list[Note]:
        from .compact_notes import CompactWriter

        return CompactWriter(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .masks import in_compact

        return in_compact(data, value, field)

    def blank(self, data: bytes) -> bytes:
        from .masks import BLANK

        return BLANK * len(data)


COMPACT: Final = CompactProtocol()


# ── Writing ──────────────────────────────────────────────────────────────────────────


def write_header(method: bytes, mtype: int, seqid: int) -> bytes:
    """Write a header, as ``read_header`` reads it."""
    return b"".join(
        (
            bytes((PROTOCOL_ID, mtype << 5 | VERSION)),
            write_varint(seqid & 0xFFFFFFFF),
            write_varint(len(method)),
            method,
        )
    )


def write_struct(value: Struct) -> bytes:
    """Write a struct and its STOP, each number and header as short as possible.

    All known writers do the same.  Raises ValueError for a value that was lost.
    """
    out = bytearray()
    _write_struct(out, value)
    return bytes(out)


def _write_struct(out: bytearray, value: Struct) -> None:
    before = 0
    for field in value.fields:
        content = field.value.content
        nibble = _NIBBLES[field.ttype]
        if field.ttype is TType.BOOL:
            nibble = _TRUE if content else _FALSE
        delta = field.field_id - before
        before = field.field_id
        if 1 <= delta <= 15:
            out.append(delta << 4 | nibble)
        else:
            out.append(nibble)
            out += _write_zigzag(field.field_id)
        if field.ttype is not TType.BOOL or content is None:
            _write_value(out, field.value)
    out.append(0)


def _write_value(out: bytearray, value: Value) -> None:
    content = value.content
    if content is None or value.lost:
        raise cannot_write(value)
    if isinstance(content, Struct):
        _write_struct(out, content)
    elif isinstance(content, Items):
        _write_items(out, content)
    elif isinstance(content, Entries):
        _write_entries(out, content)
    elif isinstance(content, bytes):
        out += write_varint(len(content))
        out += content
    elif isinstance(content, uuid.UUID):
        out += content.bytes
    elif isinstance(content, float):
        out += _DOUBLE.pack(content)
    elif isinstance(content, str):
        out += write_varint(len(content.encode()))
        out += content.encode()
    elif value.ttype is TType.BOOL:
        out.append(_TRUE if content else _FALSE)
    elif value.ttype is TType.I8:
        out.append(content & 255)
    else:
        out += _write_zigzag(content)


def _write_items(out: bytearray, content: Items) -> None:
    nibble = content.raw_type or _NIBBLES[content.element_type]
    if content.count < 15:
        out.append(content.count << 4 | nibble)
    else:
        out.append(15 << 4 | nibble)
        out += write_varint(content.count)
    for item in content.items:
        _write_value(out, item)


def _write_entries(out: bytearray, content: Entries) -> None:
    out += write_varint(content.count)
    if content.count:
        types = _NIBBLES[content.key_type] << 4 | _NIBBLES[content.value_type]
        out.append(content.raw_type or types)
    for key, item in content.items:
        _write_value(out, key)
        _write_value(out, item)
