"""Hessian 2: the values of Dubbo and of Motan.

As hessian.caucho.com/doc/hessian-serialization.html and dubbo-hessian-lite write them.

A value's first byte gives its type, and often its length or the whole value:

    00–1F string, short        41 42 binary, in chunks     5D 5E 5F double, shortened
    20–2F binary, short        43 class definition         60–6F object of class 0–15
    30–33 string, 10 bits      44 double                   70–77 list with a type, short
    34–37 binary, 10 bits      46 54 false, true           78–7F list, short
    38–3F long, 3 bytes        48 4D map … 5A              80–BF int −16…47
    49 int, 4 bytes            4A 4B date                  C0–CF int, 2 bytes
    4C 59 long, 8 or 4 bytes   4E null                     D0–D7 int, 3 bytes
    4F object                  51 reference                D8–EF long −8…15
    52 53 string, in chunks    55–58 list                  F0–FF long, 2 bytes

    C "com.shop.Node" 92 "name" "next"  ` "a" Q 90      a definition, then an object of it whose
                                                        second field is that object itself

Three things are numbered as they come, and later bytes refer to the numbers: class definitions,
names of types, and everything that can be referred to (lists, maps, objects).  The numbering runs
on from one value to the next, so one walk reads values that follow each other: see ``Said``.

Strings are UTF-8, but their lengths count UTF-16 units.  Java writes a character beyond U+FFFF as
two surrogates of three bytes each; other writers use its four bytes, and some of them count it as
one.  No string says which of the two: the bytes after it tell, see ``settle``.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from ...errors import DecodeError, Incomplete, LimitExceeded
from ...model import (
    DEFAULT_LIMITS,
    NO_ID,
    Field,
    Finding,
    Gap,
    Limits,
    Listener,
    Note,
    Record,
    Run,
    Severity,
    TType,
    Value,
)
from .reading import check_depth
from .values_walk import FIRST_VALUE, MIXED, Elements, ValuesProtocol, ValuesWalk, with_pairs

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "BINARY",
    "BOOL",
    "DATE",
    "DEFINITION",
    "DOUBLE",
    "END",
    "HESSIAN2",
    "INT",
    "KINDS",
    "LIST",
    "LONG",
    "MAP",
    "NULL",
    "OBJECT",
    "REFERENCE",
    "SIZES",
    "STRING",
    "ClassDefinition",
    "Hessian2Protocol",
    "Hessian2Walk",
    "Said",
    "decoded",
    "pieces",
    "read_int",
    "read_string",
    "settle",
    "walk_values",
    "whole_number",
]

# What a first byte begins; 0: reserved.
STRING: Final = 1
BINARY: Final = 2
INT: Final = 3
LONG: Final = 4
DOUBLE: Final = 5
DATE: Final = 6
NULL: Final = 7
BOOL: Final = 8
LIST: Final = 9
MAP: Final = 10
OBJECT: Final = 11
REFERENCE: Final = 12
DEFINITION: Final = 13
END: Final = 14

KINDS: Final[list[int]] = [0] * 256
# How many bytes follow the first one, for values of a fixed size.
SIZES: Final[list[int]] = [0] * 256

for _first, _last, _kind, _size in (
    (0x00, 0x1F, STRING, 0),
    (0x20, 0x2F, BINARY, 0),
    (0x30, 0x33, STRING, 0),
    (0x34, 0x37, BINARY, 0),
    (0x38, 0x3F, LONG, 2),
    (0x41, 0x42, BINARY, 0),
    (0x43, 0x43, DEFINITION, 0),
    (0x44, 0x44, DOUBLE, 8),
    (0x46, 0x46, BOOL, 0),
    (0x48, 0x48, MAP, 0),
    (0x49, 0x49, INT, 4),
    (0x4A, 0x4A, DATE, 8),
    (0x4B, 0x4B, DATE, 4),
    (0x4C, 0x4C, LONG, 8),
    (0x4D, 0x4D, MAP, 0),
    (0x4E, 0x4E, NULL, 0),
    (0x4F, 0x4F, OBJECT, 0),
    (0x51, 0x51, REFERENCE, 0),
    (0x52, 0x53, STRING, 0),
    (0x54, 0x54, BOOL, 0),
    (0x55, 0x58, LIST, 0),
    (0x59, 0x59, LONG, 4),
    (0x5A, 0x5A, END, 0),
    (0x5B, 0x5C, DOUBLE, 0),
    (0x5D, 0x5D, DOUBLE, 1),
    (0x5E, 0x5E, DOUBLE, 2),
    (0x5F, 0x5F, DOUBLE, 4),
    (0x60, 0x6F, OBJECT, 0),
    (0x70, 0x7F, LIST, 0),
    (0x80, 0xBF, INT, 0),
    (0xC0, 0xCF, INT, 1),
    (0xD0, 0xD7, INT, 2),
    (0xD8, 0xEF, LONG, 0),
    (0xF0, 0xFF, LONG, 1),
):
    for _tag in range(_first, _last + 1):
        KINDS[_tag] = _kind
        SIZES[_tag] = _size

# What values of a fixed size are in the model.
_TTYPES: Final[list[TType]] = [TType.STOP] * 15
_TTYPES[INT] = TType.I32
_TTYPES[LONG] = TType.I64
_TTYPES[DOUBLE] = TType.DOUBLE
_TTYPES[DATE] = TType.TIME

# The longest name of a class, a field or a type.  Listeners get it with each value.
MAX_NAME: Final = 1000

_IEEE: Final = struct.Struct(">d")
# A character beyond U+FFFF in four bytes.
_WIDE: Final = re.compile(rb"[\xf0-\xf4][\x80-\xbf]{3}")


class ClassDefinition:
    """A class as the wire defines it: its name, and its fields' names in order."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, fields: list[str]) -> None:
        self.name = name
        self.fields = fields


class _Target:
    """Something that a reference can refer to: a list, a map or an object."""

    __slots__ = ("at", "depth", "field_id", "name")

    def __init__(self, name: str, field_id: i64, depth: i64, at: i64) -> None:
        self.name = name
        self.field_id: i64 = field_id
        self.depth: i64 = depth
        self.at: i64 = at

    def words(self) -> str:
        if self.depth <= 2:
            return f"{self.name}, field {self.field_id}"
        return f"{self.name} at offset {self.at}"


class Said:
    """What one encoder has written that later values refer to.

    ``wide`` is how many units its strings count for a character of four bytes, 2 or 1; 0 until
    somebody has looked.
    """

    __slots__ = ("classes", "targets", "types", "wide")

    def __init__(self) -> None:
        self.classes: list[ClassDefinition] = []
        self.types: list[str] = []
        self.targets: list[_Target] = []
        self.wide: i64 = 0

    def copy(self) -> Said:
        """Return a copy, to try a reading that may turn out wrong."""
        other = Said()
        other.classes = list(self.classes)
        other.types = list(self.types)
        other.targets = list(self.targets)
        other.wide = self.wide
        return other


# ── Text ─────────────────────────────────────────────────────────────────────────────


def decoded(raw: bytes) -> str:
    r"""Decode a string's bytes; half of a surrogate pair becomes its escape.

    >>> decoded(bytes.fromhex("61 ED A0 BD ED B8 80")), decoded(bytes.fromhex("ED A0 BD"))
    ('a😀', '\\ud83d')
    """
    if raw.isascii():
        return raw.decode("ascii")
    try:
        text = raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = _by_hand(raw)
    return with_pairs(text)


def _by_hand(raw: bytes) -> str:
    """Decode text with characters in more bytes than they need: Java writes U+0000 as C0 80."""
    out: list[str] = []
    at = 0
    while at < len(raw):
        lead = raw[at]
        size = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        point = lead if size == 1 else lead & (0x7F >> size)
        for byte in raw[at + 1 : at + size]:
            point = point << 6 | byte & 0x3F
        out.append(chr(point))
        at += size
    return "".join(out)


# ── Walking ──────────────────────────────────────────────────────────────────────────


class Hessian2Walk(ValuesWalk):
    """Walks over values of hessian2.

    After ``text``, ``head`` is how many bytes the string's first length took, and ``lost`` how many
    of its units are missing.
    """

    __slots__ = ("head", "said")

    def __init__(
        self,
        data: bytes,
        start: i64,
        stop: i64,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
        said: Said,
    ) -> None:
        super().__init__(data, start, stop, gaps, limits, listener)
        self.said = said
        self.head: i64 = 0

    def boxed(self, inside: i64, end: i64, what: str) -> None:
        """Report the value that has ``data[inside:end]`` to itself: it refers to no other.

        It is cut off if ``end`` is behind what this walks over; ``what`` is then said to be.
        """
        whole = self.stop
        stop: i64 = min(end, whole)
        self.at = inside
        self.stop = stop
        self.sure = self.solid()
        self.said = Said()
        settle(self.data, inside, stop, self.said, self.gaps, self.limits)
        if self.value(1) and not self.broken:
            left = stop - self.at
            if left:
                self.left_over(left)
                self.broken = True
            elif end > stop:
                self.fail(Incomplete(what, self.at, needs=1, left=0))
        self.stop = whole
        self.sure = self.solid()

    def value(self, depth: i64) -> i64:
        try:
            while self.has("value", 1):
                tag: i64 = self.data[self.at]
                if tag != 0x43:  # 'C'
                    return 0 if self.is_full() else self.tagged(tag, depth)
                self.definition()
        except DecodeError as error:
            self.failed(error)
        return 0

    def tagged(self, tag: i64, depth: i64) -> i64:
        """Read the value whose first byte is ``tag``."""
        kind: i64 = KINDS[tag]
        start = self.at
        listener = self.listener
        if kind == STRING:
            text = self.text("string")
            if self.head:
                listener.text(text, start, self.head, self.at, self.lost)
                return 0 if self.broken else 20
            return 0
        if INT <= kind <= DATE:
            return self.fixed(tag, kind)
        if kind == NULL:
            self.at = start + 1
            listener.null(start, start + 1)
            return 17
        if kind == BOOL:
            self.at = start + 1
            listener.truth(tag == 0x54, start, start + 1)
            return 2
        if kind == BINARY:
            return self.binary()
        if kind == REFERENCE:
            return self.reference()
        if kind in (LIST, MAP, OBJECT):
            check_depth(depth + 1, start, self.limits)
            if kind == OBJECT:
                return self.object(tag, depth + 1)
            return self.items(tag, depth + 1) if kind == LIST else self.map(tag, depth + 1)
        found = "0x5a, the end of a map or of an open list" if kind == END else f"0x{tag:02x}"
        raise DecodeError("value", start, found=found, wanted="a type of hessian2", size=1)

    def fixed(self, tag: i64, kind: i64) -> i64:
        """Report a value of fixed size, whose kind of content is ``kind``; return its type."""
        start = self.at
        ttype = _TTYPES[kind]
        size: i64 = SIZES[tag] + 1
        if start + size > self.sure and not self.is_there(ttype, size):
            return 0 if self.broken else ttype.value
        self.at = start + size
        listener = self.listener
        if kind in (INT, LONG):
            listener.own("int" if kind == INT else "long")
            listener.number(ttype, whole_number(self.data, start), start, self.at)
        elif kind == DOUBLE:
            listener.double(_double(self.data, start), start, self.at)
        else:
            raw = int.from_bytes(self.data[start + 1 : self.at], "big", signed=True)
            # 'J' milliseconds, 'K' minutes.
            scale = 1_000_000 if tag == 0x4A else 60_000_000_000
            listener.number(ttype, raw * scale, start, self.at)
        return ttype.value

    def integer(self, what: str) -> i64:
        """Return the int at the current place, which is a length or the number of something.

        Raises DecodeError if there is another value.
        """
        if not self.has(what, 1):
            return 0
        start = self.at
        tag: i64 = self.data[start]
        if KINDS[tag] != INT:
            raise DecodeError(what, start, found=f"0x{tag:02x}", wanted="an int", size=1)
        size: i64 = SIZES[tag] + 1
        if not self.has(what, size):
            return 0
        self.at = start + size
        return whole_number(self.data, start)

    # ── Strings and bytes ────────────────────────────────────────────────────────────

    def string_head(self, what: str) -> i64:
        """Return how many units the chunk at the current place holds, and move past its head.

        Raises DecodeError if there is no string.
        """
        if not self.has(what, 1):
            return 0
        start = self.at
        tag: i64 = self.data[start]
        if KINDS[tag] != STRING:
            raise DecodeError(what, start, found=f"0x{tag:02x}", wanted="a string", size=1)
        size: i64 = 1 if tag < 0x20 else 2 if tag < 0x34 else 3
        if not self.has(what, size):
            return 0
        self.at = start + size
        if size == 1:
            return tag
        low: i64 = self.data[start + 1]
        if size == 2:
            return (tag - 0x30) << 8 | low
        lowest: i64 = self.data[start + 2]
        return low << 8 | lowest

    def text(self, what: str) -> str:
        """Return the string at the current place, its chunks joined.

        If it breaks off, return what is there.
        """
        self.head = 0
        pieces: list[bytes] = []
        tag: i64 = 0x52
        while tag == 0x52:  # 'R': another chunk follows
            start = self.at
            if not self.has(what, 1):
                self.lost = 1
                break
            tag = self.data[start]
            try:
                units = self.string_head(what)
            except DecodeError as error:
                if not self.head:
                    raise
                self.failed(error)
                self.lost = 1
            if self.broken:
                self.lost = 1
                break
            inside = self.at
            if not self.head:
                self.head = inside - start
            stop = self.solid()
            self.at = self.run(inside, stop, units)
            if self.at > inside:
                pieces.append(self.data[inside : self.at])
            if self.lost:
                self.cut(what, inside, stop)
                break
        return decoded(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def run(self, at: i64, stop: i64, units: i64) -> i64:
        """Return where the text of ``units`` units ends that begins at ``at``.

        If it cannot be read that far: where it stops, and ``lost`` is how many units are missing.
        """
        data = self.data
        wide = self.said.wide or 2
        self.lost = 0
        if at + units <= stop and data[at : at + units].isascii():
            return at + units
        while units > 0 and at < stop:
            lead: i64 = data[at]
            size: i64 = 1
            if lead >= 0x80:
                size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
                if lead < 0xC0 or lead > 0xF4 or at + size > stop:
                    break
                second: i64 = data[at + 1]
                if second & 0xC0 != 0x80 or (size > 2 and data[at + 2] & 0xC0 != 0x80):
                    break
                if size == 4:
                    is_low = lead == 0xF0 and second < 0x90
                    is_high = lead == 0xF4 and second > 0x8F
                    if data[at + 3] & 0xC0 != 0x80 or is_low or is_high or units < wide:
                        break
                    units -= wide - 1
            units -= 1
            at += size
        self.lost = units
        return at

    def cut(self, what: str, inside: i64, stop: i64) -> None:
        """Say why the text that begins at ``inside`` ends too soon, at the current place."""
        at, lost = self.at, self.lost
        data = self.data
        is_cut = at >= stop
        if not is_cut and stop - at < 4:
            lead: i64 = data[at]
            need: i64 = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            is_cut = 0xC0 <= lead <= 0xF4 and at + need > stop and _are_inner(data[at + 1 : stop])
        if is_cut:
            more = "" if stop == self.stop else " (lost by the capture)"
            # Each unit takes at least one byte.
            self.fail(Incomplete(f"{what}{more}", at, needs=lost, left=0))
            self.at = stop
        else:
            found = data[at : at + 4].hex(" ")
            self.fail(DecodeError(f"text of the {what}", at, found=found, wanted="UTF-8", size=1))
        self.lost = lost

    def name(self, what: str) -> str:
        """Return a name: a string that is passed on again and again, so its length is limited."""
        start = self.at
        text = self.text(what)
        if len(text) > MAX_NAME and not self.broken:
            found = f"{len(text)} characters long"
            raise LimitExceeded(what, start, found=found, limit=MAX_NAME, size=1)
        return text

    def binary(self) -> i64:
        """Report a binary, its chunks joined; return its type, 0 if it cannot be read."""
        start = self.at
        pieces: list[bytes] = []
        head: i64 = 0
        lost: i64 = 0
        tag: i64 = 0x41
        while tag == 0x41:  # 'A': another chunk follows
            begin = self.at
            if not self.has("binary", 1):
                break
            tag = self.data[begin]
            size: i64 = 1 if tag < 0x30 else 2 if tag < 0x38 else 3
            if KINDS[tag] != BINARY:
                found = f"0x{tag:02x}"
                self.fail(DecodeError("binary", begin, found=found, wanted="a binary", size=1))
                break
            if not self.has("binary", size):
                break
            inside = begin + size
            head = head or size
            end = self.blob(inside, binary_size(self.data, begin), "binary")
            if not lost:
                pieces.append(self.data[inside:end])
            lost += self.lost
            if self.broken:
                break
        if head:
            if self.broken and not lost:
                lost = 1
            self.listener.binary(b"".join(pieces), start, head, self.at, lost)
        return 0 if self.broken else 21

    # ── Containers and references ────────────────────────────────────────────────────

    def definition(self) -> None:
        """Read the class definition at the current place: it is not a value, one follows."""
        start = self.at
        if self.is_full():
            return
        self.at = start + 1
        name = self.name("class name")
        if self.broken:
            return
        at = self.at
        count = self.integer("number of the class's fields")
        if count < 0:
            what = "number of the class's fields"
            raise DecodeError(what, at, found=str(count), wanted="0 or more", size=self.at - at)
        fields: list[str] = []
        while count and not self.broken:
            # Each takes memory, like a value.
            if not self.is_full():
                fields.append(self.name("field name"))
            count -= 1
        if not self.broken:
            self.said.classes.append(ClassDefinition(name, fields))

    def type(self) -> str:
        """Return the type of a list or a map: a name the first time, later that name's number."""
        if not self.has("type", 1):
            return ""
        start = self.at
        types = self.said.types
        if KINDS[self.data[start]] != INT:
            name = self.name("type")
            if not self.broken:
                types.append(name)
            return name
        number = self.integer("type")
        if self.broken:
            return ""
        if 0 <= number < len(types):
            return types[number]
        self.unknown("type", start, number, len(types))
        return ""

    def unknown(self, what: str, at: i64, number: i64, known: i64) -> None:
        """Report a number that refers to nothing: the values around it can still be read."""
        there = f"one of the {known} before it" if known else "none: there is none before it"
        text = f"{what} at offset {at}: is number {number}, want {there}"
        self.listener.warn(Finding(Severity.ERROR, text, at))

    def begin(self, name: str, depth: i64, at: i64) -> None:
        """Give a container at ``at`` the next number that references can name."""
        self.said.targets.append(_Target(name, self.field_id, depth, at))

    def reference(self) -> i64:
        """Report a reference to an earlier container; return its type, 0 if it cannot be read."""
        start = self.at
        self.at = start + 1
        number = self.integer("reference")
        if self.broken:
            return 0
        targets = self.said.targets
        if 0 <= number < len(targets):
            self.listener.label(targets[number].words())
        else:
            self.unknown("reference", start, number, len(targets))
        self.listener.number(TType.REFERENCE, number, start, self.at)
        return 23

    def items(self, tag: i64, depth: i64) -> i64:
        """Report a list, with its type if it has one; return LIST, 0 if it cannot be read."""
        start = self.at
        self.at = start + 1
        name = ""
        if tag < 0x57 or 0x70 <= tag < 0x78:  # U, V, a short one with a type
            name = self.type()
        count: i64 = tag & 7 if tag >= 0x70 else -1
        if tag == 0x56 or tag == 0x58:  # V, X
            at = self.at
            count = self.integer("list length")
            if count < 0:
                found = str(count)
                raise DecodeError("list length", at, found=found, wanted="0 or more", size=1)
        if self.broken:
            return 0
        self.begin(name or "list", depth, start)
        if name:
            self.listener.label(name)
        self.listener.items(15, MIXED, count, 0, start, self.at - start)
        if count >= 0:
            self.elements(count, depth)
        else:
            self.open_elements(depth)
        return 0 if self.broken else 15

    def open_elements(self, depth: i64) -> None:
        """Read elements up to the mark at their end."""
        seen = Elements()
        while not self.is_end("list"):
            ttype = self.value(depth)
            if ttype:
                seen.add(ttype)
        self.listener.settle(seen.ttype, seen.count)
        self.listener.end(self.at)

    def is_end(self, what: str) -> bool:
        """Say whether the open container, or all that can be read, ends here; pass its mark."""
        if self.broken or not self.has(f"end of the {what}", 1):
            return True
        if self.data[self.at] != 0x5A:
            return False
        self.at += 1
        return True

    def map(self, tag: i64, depth: i64) -> i64:
        """Report a map, with its type if it has one; return MAP, 0 if it cannot be read."""
        start = self.at
        self.at = start + 1
        name = self.type() if tag == 0x4D else ""
        if self.broken:
            return 0
        self.begin(name or "map", depth, start)
        if name:
            self.listener.label(name)
        self.listener.entries(MIXED, MIXED, -1, 0, start, self.at - start)
        count: i64 = 0
        while not self.is_end("map"):
            if self.value(depth) and self.value(depth):
                count += 1
        self.listener.settle(MIXED, count)
        self.listener.end(self.at)
        return 0 if self.broken else 13

    def object(self, tag: i64, depth: i64) -> i64:
        """Report an object of a class defined before; return STRUCT, 0 if it cannot be read."""
        start = self.at
        self.at = start + 1
        number: i64 = tag - 0x60
        if tag == 0x4F:
            number = self.integer("object's class")
            if self.broken:
                return 0
        classes = self.said.classes
        if not 0 <= number < len(classes):
            found = f"number {number}"
            wanted = f"one of the {len(classes)} that were defined" if classes else "a definition"
            raise DecodeError("object's class", start, found=found, wanted=wanted, size=1)
        one = classes[number]
        self.begin(one.name or "object", depth, start)
        listener = self.listener
        if one.name:
            listener.label(one.name)
        listener.struct(start)
        for name in one.fields:
            listener.field(NO_ID, name, self.at)
            if not self.value(depth):
                break
        listener.struct_end(-1 if self.broken else self.at, self.at)
        return 0 if self.broken else 12


def _are_inner(raw: bytes) -> bool:
    """Say whether these bytes can only continue a character."""
    return all(byte & 0xC0 == 0x80 for byte in raw)


def whole_number(data: bytes, at: i64) -> int:
    """Return the int or long at ``at``, which is completely there."""
    tag: i64 = data[at]
    size: i64 = SIZES[tag]
    if size == 4 or size == 8:
        return int.from_bytes(data[at + 1 : at + 1 + size], "big", signed=True)
    high: i64 = tag - 0x90
    if tag >= 0xF0:
        high = tag - 0xF8
    elif tag >= 0xD8:
        high = tag - 0xE0
    elif tag >= 0xD0:
        high = tag - 0xD4
    elif tag >= 0xC0:
        high = tag - 0xC8
    elif tag < 0x40:
        high = tag - 0x3C
    while size:
        at += 1
        low: i64 = data[at]
        high = high * 256 + low
        size -= 1
    return high


def _double(data: bytes, at: i64) -> float:
    tag: i64 = data[at]
    if tag == 0x44:  # 'D'
        double: float = _IEEE.unpack_from(data, at + 1)[0]
        return double
    if tag <= 0x5C:
        return 0.0 if tag == 0x5B else 1.0
    number = int.from_bytes(data[at + 1 : at + 1 + SIZES[tag]], "big", signed=True)
    # Thousandths, multiplied as the writer did when it checked that this gives the double again.
    return 0.001 * number if tag == 0x5F else float(number)


def binary_size(data: bytes, at: i64) -> i64:
    """Return how many bytes the binary's chunk at ``at`` holds."""
    tag: i64 = data[at]
    if tag < 0x30:
        return tag - 0x20
    low: i64 = data[at + 1]
    if tag < 0x38:
        return (tag - 0x34) << 8 | low
    lowest: i64 = data[at + 2]
    return low << 8 | lowest


def pieces(data: bytes, at: int, stop: int, wide: int) -> list[tuple[int, int, int]]:
    """Return the chunks of a string or a binary that was read from ``at`` to ``stop``.

    For each: where it begins, where its content begins, and where that ends.
    """
    said = Said()
    said.wide = wide
    walk = Hessian2Walk(data, at, stop, (), DEFAULT_LIMITS, Listener(), said)
    found: list[tuple[int, int, int]] = []
    while walk.at < stop:
        begin = walk.at
        tag = data[begin]
        if KINDS[tag] == STRING:
            units = walk.string_head("string")
            inside = walk.at
            end = walk.run(inside, stop, units)
        elif KINDS[tag] == BINARY:
            inside = begin + (1 if tag < 0x30 else 2 if tag < 0x38 else 3)
            end = min(stop, inside + binary_size(data, begin))
        else:
            break
        found.append((begin, inside, end))
        walk.at = end
    return found


# ── Several values ───────────────────────────────────────────────────────────────────


def settle(
    data: bytes, at: int, stop: int, said: Said, gaps: tuple[Gap, ...] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> None:  # fmt: skip
    """Find out how many units this encoder counts for a character of four bytes: ``said.wide``.

    From ``at`` to ``stop`` there are values, one after another: the right count is the one with
    which they can be read.  If both work, it is 2, as in UTF-16.
    """
    said.wide = 2
    if _WIDE.search(data, at, stop) is None:
        return
    best = -1
    for wide in (2, 1):
        trial = said.copy()
        trial.wide = wide
        walk = Hessian2Walk(data, at, stop, gaps, limits, Listener(), trial)
        walk.fields(FIRST_VALUE, -1)
        rank = 2 if not walk.broken else 1 if _is_limit(walk.error) else 0
        if walk.listener.findings and rank == 2:
            rank = 1
        if rank > best:
            best = rank
            said.wide = wide


def _is_limit(error: DecodeError | None) -> bool:
    """Say whether the walk ended for a reason that is not the fault of its input."""
    return error is None or isinstance(error, (Incomplete, LimitExceeded))


def walk_values(
    data: bytes,
    at: i64,
    stop: i64,
    count: i64,
    said: Said,
    gaps: tuple[Gap, ...],
    limits: Limits,
    listener: Listener,
    first: i64 = FIRST_VALUE,
) -> i64:
    """Report ``count`` values at ``data[at:stop]`` (-1: all), as fields with ids from ``first`` on.

    The caller begins and ends the struct around them.  Returns where the last one ends; -1 if not
    all can be read, and findings say why.  ``said`` gets what later values may refer to.
    """
    if not said.wide:
        settle(data, at, stop, said, gaps, limits)
    walk = Hessian2Walk(data, at, stop, gaps, limits, listener, said)
    walk.fields(first, count)
    return -1 if walk.broken else walk.at


def read_string(
    data: bytes, at: int, stop: int, what: str, wide: int = 2
) -> tuple[str | None, int]:
    """Return the string at ``at`` (None for a null), and where it ends.

    Raises Incomplete if it is cut off, DecodeError if there is no string.
    """
    if at < stop and data[at] == 0x4E:
        return None, at + 1
    said = Said()
    said.wide = wide
    walk = Hessian2Walk(data, at, stop, (), DEFAULT_LIMITS, Listener(), said)
    text = walk.text(what)
    if walk.error is not None:
        raise walk.error
    return text, walk.at


def read_int(data: bytes, at: int, stop: int, what: str) -> tuple[int, int]:
    """Return the int at ``at``, and where it ends.  Raises what ``read_string`` raises."""
    walk = Hessian2Walk(data, at, stop, (), DEFAULT_LIMITS, Listener(), Said())
    number = walk.integer(what)
    if walk.error is not None:
        raise walk.error
    return number, walk.at


class Hessian2Protocol(ValuesProtocol):
    """Hessian 2: values, one after another, from one encoder."""

    name = "hessian2"
    title = "hessian2"
    classes = "Hessian2Output"

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        said = Said()
        settle(data, start, stop, said, gaps, limits)
        Hessian2Walk(data, start, stop, gaps, limits, listener, said).whole()

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

    def notes(self, record: Record) -> list[Note]:
        from .hessian2_notes import Hessian2Writer

        return Hessian2Writer(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .value_masks import in_hessian2

        return in_hessian2(data, value)

    def blank(self, data: bytes) -> bytes:
        from .value_masks import hessian2_blank

        return hessian2_blank(data)


HESSIAN2: Final = Hessian2Protocol()
