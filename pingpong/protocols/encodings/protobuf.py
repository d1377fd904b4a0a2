"""Protocol Buffers, as protobuf.dev's "Encoding" lays it out.

    A message: fields, one after the other, to the end of its bytes.  There is no STOP.
    ┌──────────────────────────┬───────────      wire type  0  a varint
    │ number << 3 | wire type, │ value …                    1  8 bytes, little-endian
    │ a varint                 │                            2  length (varint), so many bytes
    └──────────────────────────┴───────────                 3  a group: fields up to …
                                                            4  … its end, with the same number
                                                            5  4 bytes, little-endian

The bytes do not say what they mean: a varint may be signed, zigzag or a bool, and after a length
there may be a text, a message, a list of numbers, or anything else.  So without a schema the
likeliest meaning is the value, and all others that fit are its ``readings``.  ``protobuf_types``
reads the same bytes with the types of a schema.

Whether the bytes after a length are a message is asked once for each length, by a look at the
fields directly in them (``sound``), passing over what those contain until it is their turn.  So
each byte is looked at as structure once at most.  A look at bytes as text or as numbers takes all
of them; it is one pass in C, and all such looks in a message together may take ``_LOOKS`` times its
size plus ``_FREE_LOOKS`` bytes: beyond that, a finding says that not all readings were tried.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from ...errors import DecodeError, Incomplete, LimitExceeded
from ...model import (
    NO_FIELD,
    NOT_TOLD,
    Field,
    Gap,
    Header,
    Limits,
    Listener,
    Note,
    Plain,
    Protocol,
    Reading,
    Record,
    Run,
    Skipper,
    TType,
    Value,
)
from .compact import unzigzag
from .reading import Walk, check_depth, check_size, read_number

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "EGROUP",
    "I32",
    "I64",
    "LEN",
    "MAX_NUMBER",
    "PROTOBUF",
    "SGROUP",
    "VARINT",
    "WIRE_TYPES_OF",
    "Protobuf",
    "ProtobufWalk",
    "Wire",
    "fields_of",
    "read_key",
    "signed",
    "sound",
]

VARINT: Final = 0
I64: Final = 1
LEN: Final = 2
SGROUP: Final = 3
EGROUP: Final = 4
I32: Final = 5

# By number: what the specification calls them.
WIRE_TYPES_OF: Final = ("VARINT", "I64", "LEN", "SGROUP", "EGROUP", "I32")

MAX_NUMBER: Final = (1 << 29) - 1

_WANTED_WIRE_TYPES: Final = "one of " + ", ".join(
    f"{number} {name}" for number, name in enumerate(WIRE_TYPES_OF)
)

_F64: Final = struct.Struct("<d")
_F32: Final = struct.Struct("<f")

# See above.
_LOOKS: Final = 16
_FREE_LOOKS: Final = 1 << 20

# How much of a reading is kept: elements, fields, bytes.
_MOST_ELEMENTS: Final = 16
_MOST_FIELDS: Final = 8
_MOST_BYTES: Final = 64
_MORE: Final = "…"

# Characters that texts hardly ever contain.
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

# No varint has ten bytes that all say that another follows.
_TOO_LONG: Final = re.compile(rb"[\x80-\xff]{10}")


# ── Numbers ──────────────────────────────────────────────────────────────────────────


def read_key(data: bytes | bytearray, at: int, stop: int) -> tuple[int, int, int]:
    """Return a field's number, its wire type, and where its key ends.  Raises DecodeError."""
    key, end = read_number(data, at, stop, "field key", 5)
    number, wire = key >> 3, key & 7
    if wire > I32:
        raise DecodeError(
            f"wire type of field {number}",
            at,
            found=str(wire),
            wanted=_WANTED_WIRE_TYPES,
            size=end - at,
        )
    if not 1 <= number <= MAX_NUMBER:
        raise DecodeError(
            "field number", at, found=str(number), wanted=f"1 to {MAX_NUMBER}", size=end - at
        )
    return number, wire, end


def signed(value: int, bits: int) -> int:
    """Return the lowest ``bits`` bits of a number, as two's complement.

    >>> signed(0xFFFF_FFFF_FFFF_FFFF, 32)
    -1
    """
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def sound(data: bytes, at: i64, stop: i64, depth: i64, is_cut: bool = False) -> i64:
    """Return how many fields fill ``data[at:stop]`` exactly; -1: it is not a message.

    What follows a length is not looked at.  ``depth`` is how deep groups may nest.  ``is_cut``: the
    bytes may end before the message does.
    """
    unfinished: i64 = -1  # the answer if they do
    count: i64 = 0
    groups: list[int] | None = None
    while at < stop:
        key: i64 = data[at]
        at += 1
        if key > 127:
            key &= 127
            shift: i64 = 7
            while True:
                if at >= stop or shift > 28:
                    return unfinished if shift <= 28 else -1
                part: i64 = data[at]
                at += 1
                key |= (part & 127) << shift
                if part < 128:
                    break
                shift += 7
        wire: i64 = key & 7
        number: i64 = key >> 3
        if wire > 5 or not 1 <= number <= 536870911:
            return -1
        count += 1
        if wire == 1:
            at += 8
        elif wire == 5:
            at += 4
        elif wire == 3:
            if groups is None:
                groups = []
            groups.append(number)
            if len(groups) > depth:
                return -1
        elif wire == 4:
            if not groups or groups.pop() != number:
                return -1
        else:
            size: i64 = 0
            shift = 0
            while True:
                if at >= stop or shift > 63:
                    return unfinished if shift <= 63 else -1
                part = data[at]
                at += 1
                if shift < 42:
                    size |= (part & 127) << shift
                elif wire == 2 and part & 127:
                    return -1
                if part < 128:
                    break
                shift += 7
            if wire == 2:
                if size > stop - at:
                    return unfinished
                at += size
        if at > stop:
            return unfinished
        if is_cut:
            unfinished = count
    return unfinished if groups else count


class Wire:
    """A field as it is written in a message.

    Its number and its wire type, where its key begins, where its value begins (with its length, if
    it has one), where its content begins, and where it ends.
    """

    __slots__ = ("inside", "number", "start", "stop", "value", "wire")

    def __init__(
        self, number: int, wire: int, start: int, value: int, inside: int, stop: int
    ) -> None:
        self.number = number
        self.wire = wire
        self.start = start
        self.value = value
        self.inside = inside
        self.stop = stop


def fields_of(data: bytes, at: int, stop: int, most: int) -> list[Wire] | None:
    """Return up to ``most`` fields of a message; None if it is not one, or has a group."""
    found: list[Wire] = []
    try:
        while at < stop and len(found) < most:
            number, wire, value = read_key(data, at, stop)
            inside = value
            if wire == VARINT:
                _, end = read_number(data, value, stop, "")
            elif wire == LEN:
                size, inside = read_number(data, value, stop, "")
                end = inside + size
            elif wire in (I64, I32):
                end = value + (8 if wire == I64 else 4)
            else:
                return None
            if end > stop:
                return None
            found.append(Wire(number, wire, at, value, inside, end))
            at = end
    except DecodeError:
        return None
    return found


# ── All ways to read it ──────────────────────────────────────────────────────────────

_EMPTY: Final = (Reading("string", ""), Reading("message", {}), Reading("bytes", b""))


def _of_varint(value: int) -> tuple[Reading, ...]:
    """Return the different ways to read a varint of 64 bits."""
    if value >> 63:
        return (
            Reading("int64", value - (1 << 64), True),
            Reading("uint64", value),
            Reading("sint64", unzigzag(value)),
        )
    readings = [Reading("int64", value, True)]
    if value:
        readings.append(Reading("sint64", unzigzag(value)))
    if value < 2:
        readings.append(Reading("bool", value == 1))
    return tuple(readings)


def _is_sane(value: float) -> bool:
    """Say whether somebody may have meant this number.

    Whole numbers that are taken for floats are tiny or not numbers at all.
    """
    return 1e-30 < abs(value) < 1e30


# The infinities, and the NaN that every writer uses, in 8 and in 4 bytes, without their sign.
_SPECIAL: Final = (0x7FF0 << 48, 0x7FF8 << 48, 0x7F80 << 16, 0x7FC0 << 16)


def _of_fixed(raw: bytes) -> tuple[Reading, ...]:
    """Return the ways to read 8 or 4 bytes, the likeliest first."""
    is_long = len(raw) == 8
    bits = 8 * len(raw)
    whole = int.from_bytes(raw, "little")
    double: float = (_F64 if is_long else _F32).unpack(raw)[0]
    as_float = "double" if is_long else "float"
    is_float = _is_sane(double) or (whole & ~(1 << (bits - 1))) in _SPECIAL
    readings = [Reading(f"fixed{bits}", whole, not is_float and whole > 0)]
    if whole >> (bits - 1):
        minus = signed(whole, bits)
        is_small = minus > -(1 << (bits - 8))
        readings[0] = Reading(f"fixed{bits}", whole, not is_float and not is_small)
        other = Reading(f"sfixed{bits}", minus, not is_float and is_small)
        readings.insert(0 if is_small else 1, other)
    readings.insert(0 if is_float else len(readings), Reading(as_float, double, is_float))
    return tuple(readings)


def _short(raw: bytes) -> Plain:
    """Return what is shown of bytes in a reading."""
    return raw[:_MOST_BYTES] + (b"..." if len(raw) > _MOST_BYTES else b"")


def _short_text(text: str) -> str:
    return text[:_MOST_BYTES] + (_MORE if len(text) > _MOST_BYTES else "")


def _brief(data: bytes, start: int, stop: int) -> Plain:
    """Return a message as a dict: its first fields, without what is in them."""
    found: dict[int | str, Plain] = {}
    fields = fields_of(data, start, stop, _MOST_FIELDS + 1)
    if fields is None:
        return {_MORE: _MORE}  # with groups
    for field in fields[:_MOST_FIELDS]:
        one: Plain
        if field.wire == VARINT:
            one = _of_varint(read_number(data, field.value, stop, "")[0] & ((1 << 64) - 1))[0].plain
        elif field.wire == LEN:
            raw = data[field.inside : min(field.stop, field.inside + _MOST_BYTES + 4)]
            more = field.stop - field.inside > len(raw)
            one = _short(raw)
            try:
                text = raw.decode("utf-8", "ignore" if more else "strict")
                if not _CONTROL.search(text):
                    one = _short_text(text)
            except UnicodeDecodeError:
                pass
        else:
            one = _of_fixed(data[field.value : field.stop])[0].plain
        found.setdefault(field.number, one)
    if len(fields) > _MOST_FIELDS:
        found[_MORE] = _MORE
    return found


def _packed(raw: bytes, is_text: bool) -> list[Reading]:
    """Return the lists of numbers that the bytes may be.

    Four printable letters are not taken for a number of four bytes: it would be over 500 million.
    """
    found: list[Reading] = []
    if raw[-1] < 128 and _TOO_LONG.search(raw) is None:
        numbers: list[Plain] = []
        at = 0
        while at < len(raw) and len(numbers) < _MOST_ELEMENTS:
            number, at = read_number(raw, at, len(raw), "")
            numbers.append(number & ((1 << 64) - 1))
        if at < len(raw):
            numbers.append(_MORE)
        found.append(Reading("packed varint", numbers))
    for size in () if is_text else (8, 4):
        if len(raw) % size:
            continue
        for word, how in (
            (("double", _F64), ("fixed64", None))
            if size == 8
            else (
                ("float", _F32),
                ("fixed32", None),
            )
        ):
            elements: list[Plain] = []
            for at in range(0, min(len(raw), size * _MOST_ELEMENTS), size):
                part = raw[at : at + size]
                if how is not None:
                    elements.append(how.unpack(part)[0])
                else:
                    elements.append(int.from_bytes(part, "little"))
            if len(raw) > size * _MOST_ELEMENTS:
                elements.append(_MORE)
            found.append(Reading(f"packed {word}", elements))
    return found


def _begins_as_message(raw: bytes) -> bool:
    """Say whether bytes that could be a message as well as printable text are rather a message.

    Texts hardly ever begin with a line break, and a long one is hardly ever a message by chance.
    """
    if raw[0] in _BREAKS or raw[1:2] in (b"\t", b"\n", b"\r"):
        return True
    return raw[0] & 7 == LEN and len(raw) >= 34


_BREAKS: Final = b"\t\n\r"


# ── Walking ──────────────────────────────────────────────────────────────────────────


class ProtobufWalk(Walk):
    """Walks over one message without a schema.

    ``end`` is where the current message ends; ``group`` is its number if it is a group, else 0.
    """

    __slots__ = ("_ends", "_groups", "end", "group", "is_loss", "looks", "said_depth", "said_looks")

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
        self.end: i64 = stop
        self.group: i64 = 0
        self._ends: list[int] = []
        self._groups: list[int] = []
        self.is_loss = False
        self.looks: i64 = _LOOKS * (stop - start) + _FREE_LOOKS
        self.said_depth = False
        self.said_looks = False

    def header(self, at: int) -> Header:
        return PROTOBUF.read_header(self.data, at, self.stop, self.limits)

    def again(self, at: i64, listener: Listener) -> Walk:
        return ProtobufWalk(self.data, at, self.stop, self.gaps, self.limits, listener)

    def whole(self) -> None:
        """Report the message, to the end of its bytes."""
        self.struct(1)

    def failed(self, error: DecodeError) -> None:
        """End the walk; say so if the capture lacks the bytes."""
        if isinstance(error, Incomplete) and self.lost_in(error.offset, error.offset + error.needs):
            what = f"{error.what} (lost by the capture)"
            error = Incomplete(what, error.offset, needs=error.needs, left=error.left)
            self.is_loss = bool(self._ends)
        self.fail(error)

    def there(self) -> i64:
        """Return up to where the bytes of the innermost message are there, from here on."""
        solid = self.solid() if self.gaps else self.stop
        return min(solid, self.end)

    # ── Messages ─────────────────────────────────────────────────────────────────────

    def struct(self, depth: i64) -> None:
        """Report the message from here to ``end``, or the group up to its end."""
        listener = self.listener
        listener.struct(self.at)
        while self.at < self.end:
            start = self.at
            try:
                number, wire, self.at = read_key(self.data, start, self.there())
                if wire == EGROUP:
                    if number == self.group:
                        listener.struct_end(start, self.at)
                        return
                    self.at = start
                    raise self.no_group(number, start)
                if self.is_full():
                    self.at = start
                    break
                listener.field(number, None, start)
                self.wire(wire, number, depth)
            except DecodeError as error:
                self.failed(error)
            if self.broken:
                break
        self.ended()

    def ended(self) -> None:
        """Handle the end of a message's or a group's bytes, or of what can be read of them."""
        if self.group and not self.broken:
            self.fail(Incomplete(f"end of group {self.group}", self.at, needs=1, left=0))
        if self.broken:
            # A length may say more than there is, and some of what there is may be lost.
            self.listener.struct_end(-1, min(self.end, self.stop) if self.is_loss else self.at)
        else:
            self.listener.struct_end(self.end, self.end)

    def no_group(self, number: int, at: int) -> DecodeError:
        """Make the error for the end of a group that is not open."""
        wanted = f"the end of group {self.group}" if self.group else "no group is open"
        return DecodeError("end of a group", at, found=f"that of group {number}", wanted=wanted)

    def value(self, ttype: i64, depth: i64) -> None:
        self.wire(ttype, 0, depth)

    def wire(self, wire: i64, number: i64, depth: i64) -> None:
        """Report the value of that wire type at the current place.  Raises DecodeError."""
        if wire == 0:
            self.plain_varint()
        elif wire == 1:
            self.plain_fixed(8)
        elif wire == 5:
            self.plain_fixed(4)
        elif wire == 2:
            start = self.at
            self.plain_length(start, self.length(), depth)
        else:
            self.plain_group(number, depth)

    def length(self) -> i64:
        """Return the length at the current place, checked against the limits, and move past it."""
        start = self.at
        size, inside = read_number(self.data, start, self.there(), "length")
        check_size("length", size, start, self.limits, inside - start)
        self.at = inside
        return size

    def cut(self, start: i64, inside: i64, size: i64, depth: i64) -> None:
        """Handle a length that goes past the end of its message: report what is there, and stop.

        What begins like a message is entered, and the rest is reported missing in it.
        """
        end = min(self.end, self.stop)
        solid = self.there()
        is_known = self.end <= self.stop or size <= self.end - inside
        if is_known and depth < self.limits.depth and self.begins(inside, solid):
            self.plain_message(inside, inside + size, depth)
            return
        self.fail(Incomplete("length-delimited value", inside, needs=size, left=end - inside))
        self.at = end
        self.bytes_or_text(start, inside, solid, end, size - (solid - inside))

    def begins(self, inside: i64, solid: i64) -> bool:
        """Say whether the bytes up to there look like the beginning of a message."""
        self.looks -= solid - inside
        if self.looks < 0:
            return False
        if sound(self.data, inside, solid, self.limits.depth, True) < 1:
            return False
        text = self.data[inside:solid].decode("utf-8", "replace")
        return _CONTROL.search(text) is not None or _begins_as_message(self.data[inside:solid])

    # ── Values, without a schema ─────────────────────────────────────────────────────

    def number(self) -> int:
        """Return the 64-bit varint at the current place."""
        start = self.at
        value, self.at = read_number(self.data, start, self.there(), "varint")
        if value >> 64:
            text = f"varint at offset {start}: has more than 64 bits, which readers drop or refuse"
            self.warn(text, start)
            value &= (1 << 64) - 1
        return value

    def plain_varint(self) -> None:
        """Report a varint with all the ways to read it."""
        start = self.at
        value = self.number()
        listener = self.listener
        listener.own("varint")
        listener.readings(_of_varint(value))
        listener.number(18, signed(value, 64) if value >> 63 else value, start, self.at)

    def plain_fixed(self, size: i64) -> None:
        """Report a value of 8 or 4 bytes with all the ways to read it."""
        start = self.at
        if not self.fixed_is_there(size):
            return
        readings = _of_fixed(self.data[start : start + size])
        listener = self.listener
        first = readings[0]
        listener.own(first.own)
        listener.readings(readings)
        plain = first.plain
        if isinstance(plain, float):
            if size == 8:
                listener.double(plain, start, self.at)
            else:
                listener.single(plain, start, self.at)
        elif isinstance(plain, int):
            listener.number(18, plain, start, self.at)

    def fixed_is_there(self, size: i64) -> bool:
        """Say whether ``size`` bytes are there, and move past them; report lost ones.

        Raises Incomplete if the message ends before them.
        """
        start = self.at
        end = min(self.end, self.stop)
        if start + size > end:
            what = "I64" if size == 8 else "I32"
            raise Incomplete(what, start, needs=size, left=end - start)
        if self.gaps and not self.is_there(TType.DOUBLE if size == 8 else TType.FLOAT, size):
            return False
        self.at = start + size
        return True

    def plain_group(self, number: i64, depth: i64) -> None:
        """Report a group: a message that ends with a mark.  Raises LimitExceeded."""
        check_depth(depth + 1, self.at, self.limits)
        before = self.group
        self.group = number
        self.listener.own("group")
        self.struct(depth + 1)
        self.group = before

    def plain_length(self, start: i64, size: i64, depth: i64) -> None:
        """Report what follows a length, which has been read: the likeliest, and its readings."""
        inside = self.at
        end = inside + size
        if end > self.end or end > self.stop:
            self.cut(start, inside, size, depth)
            return
        if self.gaps and self.lost_in(inside, end):
            self.lost_length(start, inside, end, depth)
            return
        listener = self.listener
        data = self.data
        self.at = end
        if not size:
            listener.own("string")
            listener.readings(_EMPTY)
            listener.string(data, inside, end, start, inside - start, end, 0)
            return
        is_message = sound(data, inside, end, self.limits.depth - depth - 1) > 0
        self.looks -= size
        if self.looks < 0:
            self.few_looks(start)
            if is_message and depth < self.limits.depth:
                self.plain_message(inside, end, depth)
            else:
                listener.own("bytes")
                listener.binary(data[inside:end], start, inside - start, end, 0)
            return
        raw = data[inside:end]
        text: str | None
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = None
        is_text = text is not None and _CONTROL.search(text) is None
        readings = _packed(raw, is_text)
        if is_message:
            is_first = not is_text or _begins_as_message(raw)
            one = Reading("message", _brief(data, inside, end), is_first)
            readings.insert(0, one)
        else:
            is_first = False
        if text is not None and not (is_text and not is_first):
            readings.append(Reading("string", _short_text(text)))
        if is_text and text is not None and not is_first:
            readings.insert(0, Reading("string", _short_text(text), True))
        likely = is_first or is_text
        readings.insert(len(readings) if likely else 0, Reading("bytes", _short(raw)))
        if len(readings) > 1:
            listener.readings(tuple(readings))
        if is_first and depth >= self.limits.depth:
            self.too_deep(start, depth)
            is_first = False
        if is_first:
            self.plain_message(inside, end, depth)
        elif is_text:
            listener.own("string")
            listener.string(data, inside, end, start, inside - start, end, 0)
        else:
            listener.own("bytes")
            listener.binary(raw, start, inside - start, end, 0)

    def plain_message(self, inside: i64, end: i64, depth: i64) -> None:
        """Report the bytes after a length as a message."""
        self.listener.own("message")
        self.within(inside, end)
        self.struct(depth + 1)
        self.without(end)

    def lost_length(self, start: i64, inside: i64, end: i64, depth: i64) -> None:
        """Report a value after a length, some of which the capture lost."""
        solid = self.there()
        if depth < self.limits.depth and self.begins(inside, min(solid, end)):
            self.plain_message(inside, end, depth)
            return
        lost = self.lost_in(inside, end)
        size = end - inside
        self.warn(f"value at offset {inside}: {lost} of its {size} bytes were lost", inside)
        self.at = end
        self.bytes_or_text(start, inside, min(solid, end), end, size - (min(solid, end) - inside))

    def bytes_or_text(self, start: i64, inside: i64, solid: i64, end: i64, lost: i64) -> None:
        """Report the beginning of a value: the rest is missing."""
        raw = self.data[inside:solid]
        listener = self.listener
        text = raw.decode("utf-8", "ignore")
        if text and len(text.encode()) + 3 >= len(raw) and _CONTROL.search(text) is None:
            listener.own("string")
            listener.string(self.data, inside, solid, start, inside - start, end, lost)
        else:
            listener.own("bytes")
            listener.binary(raw, start, inside - start, end, lost)

    # ── Messages in messages ─────────────────────────────────────────────────────────

    def within(self, inside: i64, end: i64) -> None:
        """Enter a message."""
        self._ends.append(self.end)
        self._groups.append(self.group)
        self.at = inside
        self.end = end
        self.group = 0

    def without(self, end: i64) -> None:
        """Leave a message.

        Even if the capture lost some of it, its end is known, so what follows can be read.
        """
        self.end = self._ends.pop()
        self.group = self._groups.pop()
        if self.is_loss and end <= self.stop:
            self.is_loss = self.broken = False
        if not self.broken:
            self.at = end

    # ── What is said once ────────────────────────────────────────────────────────────

    def too_deep(self, at: i64, depth: i64) -> None:
        """Report, once per message, that what nests too deep is left as bytes."""
        if not self.said_depth:
            self.said_depth = True
            error = LimitExceeded("nesting", at, found=f"{depth + 1} deep", limit=self.limits.depth)
            self.warn(f"{error}: what looks like a message is left as bytes", at)

    def few_looks(self, at: i64) -> None:
        """Report, once per message, that not all ways to read its values were tried."""
        if not self.said_looks:
            self.said_looks = True
            text = (
                f"value at offset {at}: not all ways to read it and those behind it were tried, "
                "since so much of the message stands in so many lengths in each other"
            )
            self.warn(text, at)


class _NoEnd(Skipper):
    """A skipper that never finds an end: it is not in the bytes of a message."""

    __slots__ = ("_start",)

    def __init__(self, start: int) -> None:
        self._start = start

    def advance(self, data: bytes | bytearray, stop: int) -> int:
        return -1

    def known_until(self) -> int:
        return self._start


class Protobuf(Protocol):
    """Protocol Buffers.

    A message has no header and no end of its own: what carries it says what it is and where it
    ends.
    """

    name = "protobuf"
    title = "protobuf"
    classes = "Protocol Buffers"

    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        raise DecodeError("header", start, found="a protobuf message", wanted="a message's header")

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        ProtobufWalk(data, start, stop, gaps, limits, listener).whole()

    def skipper(self, start: int, limits: Limits) -> Skipper:
        """Return a skipper that never finds the end: what carries the message knows it."""
        return _NoEnd(start)

    def struct_end(self, data: bytes, at: i64, stop: i64, limits: Limits) -> i64:
        return stop if sound(data, at, stop, limits.depth - 1) >= 0 else -1

    def first_field(self, data: bytes, start: int) -> int:
        return NO_FIELD if start >= len(data) else NOT_TOLD

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

    def notes(self, record: Record) -> list[Note]:
        from .protobuf_notes import ProtobufWriter

        return ProtobufWriter(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .masks import in_protobuf

        return in_protobuf(data, value)

    def blank(self, data: bytes) -> bytes:
        from .masks import BLANK

        return BLANK * len(data)


PROTOBUF: Final = Protobuf()
