"""Values with the bytes that they came from, and the listeners that are told about them.

bytes ─▶ an encoding's walk ─▶ Listener ─▶ Build: a Struct; others: JSON, a judgement
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Union

from .places import Facts, Finding, Span, add_finding

if TYPE_CHECKING:
    # A number that fits into 64 bits: in compiled code, one of the machine's own.
    from mypy_extensions import i64

__all__ = [
    "DEFAULT_LIMITS",
    "LETTER",
    "MAX_DEPTH",
    "NO_ID",
    "TTYPES",
    "Build",
    "Content",
    "Entries",
    "Field",
    "Items",
    "Limits",
    "Listener",
    "Plain",
    "Reading",
    "Run",
    "Struct",
    "TType",
    "Value",
    "tell",
    "written_time",
]


class TType(IntEnum):
    """What kind of value it is.

    Up to UUID, these are the type numbers of Thrift's binary protocol.  The rest is for what other
    encodings have and Thrift lacks.  An encoding that has its own word for a type gives that too
    (``Value.own``).
    """

    STOP = 0
    BOOL = 2
    I8 = 3
    DOUBLE = 4
    I16 = 6
    I32 = 8
    I64 = 10
    STRING = 11  # and binary: the wire makes no difference
    STRUCT = 12
    MAP = 13
    SET = 14
    LIST = 15
    UUID = 16
    NULL = 17
    INT = 18  # of any size
    FLOAT = 19  # of 32 bits
    TEXT = 20  # known to be text
    BYTES = 21  # known not to be text
    TIME = 22  # nanoseconds since 1970, UTC
    REFERENCE = 23  # a value that is elsewhere in the message: see its label

    @property
    def kind(self) -> str:
        """The word that all families share for it: "int", "text", "struct" and so on."""
        return _KINDS[self]


_KINDS: Final = {
    TType.STOP: "none",
    TType.BOOL: "bool",
    TType.I8: "int",
    TType.DOUBLE: "float",
    TType.I16: "int",
    TType.I32: "int",
    TType.I64: "int",
    TType.STRING: "text or bytes",
    TType.STRUCT: "struct",
    TType.MAP: "map",
    TType.SET: "set",
    TType.LIST: "list",
    TType.UUID: "uuid",
    TType.NULL: "null",
    TType.INT: "int",
    TType.FLOAT: "float",
    TType.TEXT: "text",
    TType.BYTES: "bytes",
    TType.TIME: "time",
    TType.REFERENCE: "reference",
}

# By number; STOP for numbers that have no type.
TTYPES: Final = [TType.STOP] * 24

for _one in TType:
    TTYPES[_one.value] = _one

# How deep anything may nest: whatever walks over values calls itself for each level, and Python
# (or, compiled, the machine) only has room for so many calls.
MAX_DEPTH: Final = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """How much input may claim; doc/specs/thrift-tconfiguration.md gives the first three.

    ``depth`` counts nested structs and containers, MAX_DEPTH at most: more raises ValueError.
    ``frame`` and ``message`` are in bytes.  ``unpacked`` is how many bytes one message may have
    once it is unpacked (zlib, gzip, deflate): a few hundred packed bytes can hold a thousand times
    as many; see ``protocols.unpacking``.  ``values`` is how many values of one message are read:
    each takes hundreds of bytes of memory, and perhaps one on the wire.

    ``connections`` is how many may be open at once: each takes some thousand bytes, and perhaps one
    packet on the wire.  With one more, the one that was idle longest is considered ended.
    ``waiting`` is how many bytes may wait in all of them together, for the rest of a message or for
    bytes before them.  With more, the one in which most bytes wait is considered ended.
    """

    depth: int = 64
    frame: int = 16_384_000
    message: int = 100 * 1024 * 1024
    unpacked: int = 16_384_000
    values: int = 100_000
    connections: int = 30_000
    waiting: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        if self.depth > MAX_DEPTH:
            raise ValueError(f"depth is {self.depth}, want at most {MAX_DEPTH}")


DEFAULT_LIMITS: Final = Limits()


# A value as Python would hold it.
Plain = Union[bool, int, float, bytes, str, uuid.UUID, dict[Any, Any], list[Any], None]


class Reading(NamedTuple):
    """One of several ways to read bytes: as what, and the value that this gives."""

    own: str
    plain: Plain
    is_likely: bool = False


class Value(Facts):
    """One value and the bytes that it came from.

    ``span`` covers the value with its own length or size; the first ``head`` bytes of it are that
    length or size.  ``content`` is bytes for STRING and BYTES, str for TEXT, an int for TIME and
    REFERENCE; None for NULL, and if the value was lost.  ``lost`` counts bytes of it that the
    capture does not have: then a STRING's content stops where the loss begins.  ``redacted``: it
    was masked (``redaction.messages``), so its content says nothing.

    ``label`` is "" or what the IDL calls it: the name of an enum's number, a struct's type; a
    class, if the wire names it.  ``own`` is the encoding's own word for the type, "" if that is
    ``ttype``'s.  ``readings``: the bytes alone do not say what they are, and these are all ways to
    read them that fit, the likeliest first.  None of these three counts when values are compared.
    """

    __slots__ = (
        "content",
        "head",
        "label",
        "lost",
        "own",
        "readings",
        "redacted",
        "span",
        "ttype",
    )
    __match_args__: ClassVar = ("ttype", "content", "span", "head", "lost")

    def __init__(
        self, ttype: TType, content: Content, span: Span, head: int = 0, lost: int = 0
    ) -> None:
        self.ttype: Final = ttype
        self.content: Final = content
        self.span: Final = span
        self.head: Final = head
        self.lost: Final = lost
        self.redacted = False
        self.label = ""
        self.own = ""
        self.readings: tuple[Reading, ...] = ()

    def facts(self) -> tuple[object, ...]:
        return (self.ttype, self.content, self.span, self.head, self.lost)

    @property
    def type_name(self) -> str:
        """The encoding's name for its type."""
        return self.own or self.ttype.name

    @property
    def text(self) -> str | None:
        """Its text; None if it has none: BYTES, a STRING that is not UTF-8, a number."""
        if isinstance(self.content, str):
            return self.content
        if not isinstance(self.content, bytes) or self.ttype is TType.BYTES:
            return None
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            return None

    @property
    def plain(self) -> Plain:
        """Return the value as Python would have it.

        A struct is a dict by field id (by name, if the wire or the IDL has names), a map a list of
        pairs (keys may be unhashable), a STRING a str if it is UTF-8, else bytes.
        """
        content = self.content
        if isinstance(content, bytes):
            text = self.text
            return content if text is None else text
        if self.ttype is TType.TIME and isinstance(content, int):
            return written_time(content)
        if isinstance(content, Struct):
            return content.plain
        if isinstance(content, Items):
            return [item.plain for item in content.items]
        if isinstance(content, Entries):
            return [(key.plain, value.plain) for key, value in content.items]
        return content


# The field id in protocols that do not write any.
NO_ID: Final = -1


class Field(Facts):
    """A field of a struct.  ``span`` covers its type, its id and its value.

    ``name`` is what the IDL calls it, None without an IDL or if that has no such field.  In
    thriftpy2's JSON, which writes names and no ids, ``name`` is what the wire says, and
    ``field_id`` is -1 and means nothing.  ``in_idl``: an IDL has it like this; ``declared`` is what
    that says about it besides its name, if that is more than its plain type: ``optional UserId
    (i64)``; else "".  What an IDL says does not count where fields are compared; ``read_name``, the
    name with which it was read, does.
    """

    __slots__ = ("declared", "field_id", "in_idl", "name", "read_name", "span", "value")
    __match_args__: ClassVar = ("field_id", "value", "span", "name")

    def __init__(self, field_id: int, value: Value, span: Span, name: str | None = None) -> None:
        self.field_id: Final = field_id
        self.value: Final = value
        self.span: Final = span
        self.read_name: Final = name
        self.name = name
        self.declared = ""
        self.in_idl = False

    def facts(self) -> tuple[object, ...]:
        return (self.field_id, self.value, self.span, self.read_name)

    def shown(self) -> tuple[object, ...]:
        return (self.field_id, self.value, self.span, self.name)

    @property
    def ttype(self) -> TType:
        """The type of its value."""
        return self.value.ttype


class Struct(Facts):
    """Fields in the order in which they came.

    ``stop`` is the place of the STOP byte; None if reading ended before it, and then ``findings``
    says why.  What was read before that stays.
    """

    __slots__ = ("fields", "findings", "stop")
    __match_args__: ClassVar = ("fields", "stop", "findings")

    def __init__(
        self, fields: tuple[Field, ...], stop: Span | None, findings: tuple[Finding, ...] = ()
    ) -> None:
        self.fields: Final = fields
        self.stop: Final = stop
        self.findings: Final = findings

    def facts(self) -> tuple[object, ...]:
        return (self.fields, self.stop, self.findings)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __getitem__(self, field_id: int) -> Field:
        """Return the first field with that id; raise KeyError if there is none."""
        for field in self.fields:
            if field.field_id == field_id:
                return field
        raise KeyError(field_id)

    @property
    def plain(self) -> dict[int | str, Plain]:
        """The struct as a dict: by name if a field has one, else by id; of equal keys, the last."""
        return {
            field.field_id if field.name is None else field.name: field.value.plain
            for field in self.fields
        }


class Items(Facts):
    """The content of a LIST or a SET.  ``count`` is what it claims; ``items`` what was there.

    ``raw_type`` is the compact protocol's own number of the element type (BOOL has two); 0
    from other protocols.
    """

    __slots__ = ("count", "element_type", "items", "raw_type")
    __match_args__: ClassVar = ("element_type", "count", "items", "raw_type")

    def __init__(
        self, element_type: TType, count: int, items: tuple[Value, ...], raw_type: int = 0
    ) -> None:
        self.element_type: Final = element_type
        self.count: Final = count
        self.items: Final = items
        self.raw_type: Final = raw_type

    def facts(self) -> tuple[object, ...]:
        return (self.element_type, self.count, self.items, self.raw_type)


class Entries(Facts):
    """The content of a MAP.  The types are STOP if an empty map does not name them.

    ``raw_type`` is the compact protocol's own byte with both types; 0 from other protocols.
    """

    __slots__ = ("count", "items", "key_type", "raw_type", "value_type")
    __match_args__: ClassVar = ("key_type", "value_type", "count", "items", "raw_type")

    def __init__(
        self,
        key_type: TType,
        value_type: TType,
        count: int,
        items: tuple[tuple[Value, Value], ...],
        raw_type: int = 0,
    ) -> None:
        self.key_type: Final = key_type
        self.value_type: Final = value_type
        self.count: Final = count
        self.items: Final = items
        self.raw_type: Final = raw_type

    def facts(self) -> tuple[object, ...]:
        return (self.key_type, self.value_type, self.count, self.items, self.raw_type)


Content = Union[bool, int, float, bytes, str, uuid.UUID, Struct, Items, Entries, None]


def written_time(nanos: int) -> str:
    """Write a time as ISO 8601 does, with as many decimals as it needs.

    >>> written_time(1_700_000_000_500_000_000)
    '2023-11-14T22:13:20.5Z'
    """
    seconds, rest = divmod(nanos, 1_000_000_000)
    try:
        day = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds} s since 1970"
    decimals = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{day:%Y-%m-%dT%H:%M:%S}{decimals}Z"


_EPOCH: Final = datetime(1970, 1, 1)


class Listener:
    """Is told about a struct in the order of its bytes, by an encoding's ``walk``.

    It makes of that what it is for: values, JSON, a judgement.

    ``field`` says which field the next value belongs to; in a container values come one by one, in
    a MAP a key and its value in turn.  A struct or a container is begun, filled, and ended; if the
    bytes end too soon, it is ended there, and a key without a value does not count.  ``start`` and
    ``stop`` are where a value begins and ends, the first ``head`` bytes of it its length or its
    count.  ``findings`` is what was wrong.
    """

    __slots__ = ("findings",)

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def field(self, field_id: i64, name: str | None, start: i64) -> None:
        """Announce that the next value is a field's.

        If another field or the end comes before it, the value cannot be read, and there is no such
        field.
        """

    def field_end(self, stop: i64) -> None:
        """Extend the last field beyond its value, to ``stop``."""

    def number(self, ttype: i64, value: int, start: i64, stop: i64) -> None:
        """Take an I8, I16, I32, I64, an INT, a TIME or a REFERENCE."""

    def truth(self, value: bool, start: i64, stop: i64) -> None:
        """Take a BOOL."""

    def double(self, value: float, start: i64, stop: i64) -> None:
        """Take a DOUBLE."""

    def single(self, value: float, start: i64, stop: i64) -> None:
        """Take a FLOAT."""

    def string(
        self, data: bytes, inside: i64, end: i64, start: i64, head: i64, stop: i64, lost: i64
    ) -> None:
        """Take a STRING: it has ``data[inside:end]``, and ``lost`` bytes more that are missing."""

    def text(self, value: str, start: i64, head: i64, stop: i64, lost: i64) -> None:
        """Take a TEXT that is not in the bytes as UTF-8 in one piece."""

    def binary(self, value: bytes, start: i64, head: i64, stop: i64, lost: i64) -> None:
        """Take BYTES as they are meant, their pieces joined."""

    def null(self, start: i64, stop: i64) -> None:
        """Take a NULL."""

    def uuid(self, value: uuid.UUID, start: i64, stop: i64) -> None:
        """Take a UUID."""

    def missing(self, ttype: i64, start: i64, stop: i64, lost: i64) -> None:
        """Take a value of fixed size, of which the capture lost that many bytes."""

    def struct(self, start: i64) -> None:
        """Begin a STRUCT."""

    def struct_end(self, place: i64, stop: i64) -> None:
        """End the STRUCT, with a STOP from ``place`` to ``stop``.

        The STOP takes no byte if the encoding has none; ``place`` is -1 if the struct breaks off.
        """

    def take_back(self) -> None:
        """Undo the STRUCT that was begun last: it is empty, even without an end, and so is none."""

    def items(
        self, ttype: i64, element_type: i64, count: i64, raw_type: i64, start: i64, head: i64
    ) -> None:
        """Begin a LIST or a SET; ``count`` is -1 if its end will tell: see ``settle``."""

    def entries(
        self, key_type: i64, value_type: i64, count: i64, raw_type: i64, start: i64, head: i64
    ) -> None:
        """Begin a MAP; ``count`` may be -1, as in ``items``."""

    def settle(self, element_type: i64, count: i64) -> None:
        """Give the type and count of the list or map that is about to end.

        Only if its head does not say them.  A map's types stay as in its head.
        """

    def end(self, stop: i64) -> None:
        """End the innermost LIST, SET or MAP."""

    def label(self, text: str) -> None:
        """Take the next value's name in the IDL, or on the wire."""

    def own(self, text: str) -> None:
        """Take the encoding's own word for the type of the next value."""

    def readings(self, readings: tuple[Reading, ...]) -> None:
        """Take all ways to read the next value, whose bytes do not say which is meant."""

    def masked(self, ttype: i64, start: i64, stop: i64) -> None:
        """Take a value that was masked."""

    def warn(self, finding: Finding) -> None:
        """Report something odd.  If there is very much of it, the last finding says so."""
        add_finding(self.findings, finding)

    def fail(self, finding: Finding) -> None:
        """Report a fault because of which nothing more is read."""
        self.findings.append(finding)


_IN_STRUCT: Final = 0

_IN_ITEMS: Final = 1

_IN_ENTRIES: Final = 2


class _Level:
    """A struct or a container that is being built; ``kind`` says which of its lists it has."""

    __slots__ = (
        "count",
        "element_type",
        "field_id",
        "field_start",
        "fields",
        "head",
        "items",
        "key",
        "key_type",
        "kind",
        "label",
        "name",
        "own",
        "pairs",
        "raw_type",
        "readings",
        "start",
        "ttype",
    )

    fields: list[Field]
    items: list[Value]
    pairs: list[tuple[Value, Value]]

    def __init__(self, kind: i64, start: i64) -> None:
        self.kind: i64 = kind
        self.start: i64 = start
        self.ttype: i64 = 0
        self.element_type: i64 = 0
        self.key_type: i64 = 0
        self.count: i64 = 0
        self.raw_type: i64 = 0
        self.head: i64 = 0
        self.field_id: i64 = 0
        self.field_start: i64 = 0
        self.name: str | None = None
        self.key: Value | None = None
        self.label = ""
        self.own = ""
        self.readings: tuple[Reading, ...] = ()
        if kind == _IN_STRUCT:
            self.fields = []
        elif kind == _IN_ITEMS:
            self.items = []
        else:
            self.pairs = []


class Build(Listener):
    """Makes values of what it is told: ``body`` is the struct."""

    __slots__ = ("_is_marked", "_label", "_levels", "_own", "_read", "_readings", "_top")

    def __init__(self) -> None:
        super().__init__()
        # What was said about the next value; most have nothing of it.
        self._is_marked = False
        self._label = ""
        self._own = ""
        self._readings: tuple[Reading, ...] = ()
        self._levels: list[_Level] = []
        self._top = _Level(_IN_STRUCT, 0)
        self._read = Struct((), None)

    @property
    def body(self) -> Struct:
        """The struct as far as it was told, with all findings."""
        return Struct(self._read.fields, self._read.stop, tuple(self.findings))

    def _open(self, kind: i64, start: i64) -> _Level:
        self._levels.append(self._top)
        self._top = level = _Level(kind, start)
        if self._is_marked:
            level.label, level.own, level.readings = self._label, self._own, self._readings
            self._unmark()
        return level

    def _unmark(self) -> None:
        self._is_marked = False
        self._label = self._own = ""
        self._readings = ()

    def _closed(self, level: _Level, value: Value, stop: i64) -> None:
        """Add what was begun at ``level``, with what was said about it then."""
        value.label, value.own, value.readings = level.label, level.own, level.readings
        self._add(value, stop)

    def label(self, text: str) -> None:
        self._label = text
        self._is_marked = True

    def own(self, text: str) -> None:
        self._own = text
        self._is_marked = True

    def readings(self, readings: tuple[Reading, ...]) -> None:
        self._readings = readings
        self._is_marked = True

    def _add(self, value: Value, stop: i64) -> None:
        if self._is_marked:
            value.label, value.own, value.readings = self._label, self._own, self._readings
            self._unmark()
        top = self._top
        if top.kind == _IN_STRUCT:
            span = Span(top.field_start, stop)
            top.fields.append(Field(top.field_id, value, span, top.name))
        elif top.kind == _IN_ITEMS:
            top.items.append(value)
        elif top.key is None:
            top.key = value
        else:
            top.pairs.append((top.key, value))
            top.key = None

    def field(self, field_id: i64, name: str | None, start: i64) -> None:
        top = self._top
        top.field_id = field_id
        top.field_start = start
        top.name = name

    def field_end(self, stop: i64) -> None:
        fields = self._top.fields
        last = fields[-1]
        fields[-1] = Field(last.field_id, last.value, Span(last.span.start, stop), last.name)

    def number(self, ttype: i64, value: int, start: i64, stop: i64) -> None:
        self._add(Value(TTYPES[ttype], value, Span(start, stop)), stop)

    def truth(self, value: bool, start: i64, stop: i64) -> None:
        self._add(Value(TType.BOOL, value, Span(start, stop)), stop)

    def double(self, value: float, start: i64, stop: i64) -> None:
        self._add(Value(TType.DOUBLE, value, Span(start, stop)), stop)

    def single(self, value: float, start: i64, stop: i64) -> None:
        self._add(Value(TType.FLOAT, value, Span(start, stop)), stop)

    def text(self, value: str, start: i64, head: i64, stop: i64, lost: i64) -> None:
        self._add(Value(TType.TEXT, value, Span(start, stop), head, lost), stop)

    def binary(self, value: bytes, start: i64, head: i64, stop: i64, lost: i64) -> None:
        self._add(Value(TType.BYTES, value, Span(start, stop), head, lost), stop)

    def null(self, start: i64, stop: i64) -> None:
        self._add(Value(TType.NULL, None, Span(start, stop)), stop)

    def string(
        self, data: bytes, inside: i64, end: i64, start: i64, head: i64, stop: i64, lost: i64
    ) -> None:
        content = data[inside:end]
        self._add(Value(TType.STRING, content, Span(start, stop), head, lost), stop)

    def uuid(self, value: uuid.UUID, start: i64, stop: i64) -> None:
        self._add(Value(TType.UUID, value, Span(start, stop)), stop)

    def missing(self, ttype: i64, start: i64, stop: i64, lost: i64) -> None:
        self._add(Value(TTYPES[ttype], None, Span(start, stop), 0, lost), stop)

    def struct(self, start: i64) -> None:
        self._open(_IN_STRUCT, start)

    def struct_end(self, place: i64, stop: i64) -> None:
        level = self._top
        end = None if place < 0 else Span(place, stop)
        made = Struct(tuple(level.fields), end)
        self._top = self._levels.pop()
        if self._levels:
            self._closed(level, Value(TType.STRUCT, made, Span(level.start, stop)), stop)
        else:
            self._read = made

    def take_back(self) -> None:
        self._top = self._levels.pop()

    def items(
        self, ttype: i64, element_type: i64, count: i64, raw_type: i64, start: i64, head: i64
    ) -> None:
        level = self._open(_IN_ITEMS, start)
        level.ttype = ttype
        level.element_type = element_type
        level.count = count
        level.raw_type = raw_type
        level.head = head

    def entries(
        self, key_type: i64, value_type: i64, count: i64, raw_type: i64, start: i64, head: i64
    ) -> None:
        level = self._open(_IN_ENTRIES, start)
        level.ttype = 13
        level.key_type = key_type
        level.element_type = value_type
        level.count = count
        level.raw_type = raw_type
        level.head = head

    def settle(self, element_type: i64, count: i64) -> None:
        if self._top.kind == _IN_ITEMS:
            self._top.element_type = element_type
        self._top.count = count

    def end(self, stop: i64) -> None:
        level = self._top
        content: Content
        if level.kind == _IN_ITEMS:
            element = TTYPES[level.element_type]
            content = Items(element, level.count, tuple(level.items), level.raw_type)
        else:
            key, item = TTYPES[level.key_type], TTYPES[level.element_type]
            content = Entries(key, item, level.count, tuple(level.pairs), level.raw_type)
        self._top = self._levels.pop()
        value = Value(TTYPES[level.ttype], content, Span(level.start, stop), level.head)
        self._closed(level, value, stop)


def tell(struct: Struct, start: int, listener: Listener) -> None:
    """Tell ``listener`` about a struct that was built, with the names it was given since."""
    _tell_struct(struct, start, 0, listener)
    listener.findings += struct.findings


def _tell_struct(struct: Struct, start: int, stop: int, listener: Listener) -> None:
    listener.struct(start)
    for field in struct.fields:
        listener.field(field.field_id, field.name, field.span.start)
        _tell_value(field.value, listener)
        if field.span.stop != field.value.span.stop:
            listener.field_end(field.span.stop)
    if struct.stop is None:
        listener.struct_end(-1, stop)
    else:
        listener.struct_end(struct.stop.start, struct.stop.stop)


def _tell_value(value: Value, listener: Listener) -> None:
    content, ttype = value.content, value.ttype
    start, stop = value.span.start, value.span.stop
    if value.redacted:
        listener.masked(ttype, start, stop)
        return
    if value.label:
        listener.label(value.label)
    if value.own:
        listener.own(value.own)
    if value.readings:
        listener.readings(value.readings)
    if isinstance(content, bytes):
        if ttype is TType.BYTES:
            listener.binary(content, start, value.head, stop, value.lost)
        else:
            listener.string(content, 0, len(content), start, value.head, stop, value.lost)
    elif isinstance(content, str):
        listener.text(content, start, value.head, stop, value.lost)
    elif isinstance(content, bool):
        listener.truth(content, start, stop)
    elif isinstance(content, int):
        listener.number(ttype, content, start, stop)
    elif isinstance(content, float):
        if ttype is TType.FLOAT:
            listener.single(content, start, stop)
        else:
            listener.double(content, start, stop)
    elif isinstance(content, Struct):
        _tell_struct(content, start, stop, listener)
    elif isinstance(content, Items):
        kind, count = content.element_type, content.count
        listener.items(ttype, kind, count, content.raw_type, start, value.head)
        for item in content.items:
            _tell_value(item, listener)
        listener.end(stop)
    elif isinstance(content, Entries):
        key_type, value_type = content.key_type, content.value_type
        raw_type = content.raw_type
        listener.entries(key_type, value_type, content.count, raw_type, start, value.head)
        for key, item in content.items:
            _tell_value(key, listener)
            _tell_value(item, listener)
        listener.end(stop)
    elif ttype is TType.NULL:
        listener.null(start, stop)
    elif content is None:
        listener.missing(ttype, start, stop, value.lost)
    else:
        listener.uuid(content, start, stop)


# Where a mask begins, and its bytes: as long as what they cover.
Run = tuple[int, bytes]

# What masks of text are made of.
LETTER: Final = b"x"
