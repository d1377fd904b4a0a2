"""The words that every room uses.

    Packet ─▶ Segment ─▶ Chunk, Gap ─▶ Message ─▶ Exchange ─▶ Note

Values only: nothing here reads a file, a socket or a clock.  Times are whole
nanoseconds since 1970; offsets and lengths count bytes.  What is missing is a
value (Gap), never zeros and never silence.

How an object looks is the business of ``views``: it hands its two renderers to
``use_renderers`` once, and every ``Shown`` object prints and shows itself with them.
"""

from __future__ import annotations

import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Union

from mypy_extensions import mypyc_attr

if TYPE_CHECKING:
    # A number that fits into 64 bits: compiled, it is one of the machine's own.
    from mypy_extensions import i64

__all__ = [
    "APPLICATION_ERRORS",
    "CUT_CLOSED",
    "CUT_ENDED",
    "CUT_LOST",
    "DEFAULT_LIMITS",
    "DIFFERENCES",
    "DIFFERS",
    "LETTER",
    "MAX_DEPTH",
    "MAX_FINDINGS",
    "MESSAGE_TYPES",
    "NOT_TOLD",
    "NO_FIELD",
    "NO_ID",
    "TCP",
    "TTYPES",
    "UDP",
    "UPGRADES",
    "Build",
    "Carrier",
    "Chunk",
    "Content",
    "Detection",
    "Difference",
    "Differences",
    "Endpoint",
    "Entries",
    "Error",
    "Exchange",
    "Family",
    "Field",
    "Finding",
    "Findings",
    "Flow",
    "Gap",
    "Half",
    "HeadMasks",
    "Header",
    "Items",
    "Limits",
    "Listener",
    "Message",
    "MessageType",
    "Messages",
    "Naming",
    "Note",
    "Outcome",
    "Packet",
    "Plain",
    "Protocol",
    "Record",
    "Repeated",
    "Response",
    "Run",
    "Segment",
    "Severity",
    "Shown",
    "Skipper",
    "Span",
    "Step",
    "Struct",
    "Structs",
    "TType",
    "Value",
    "add_finding",
    "tell",
    "use_renderers",
]

# ── How objects show themselves ──────────────────────────────────────────────────────

_renderers: list[Callable[[object], str]] = []


def use_renderers(text: Callable[[object], str], html: Callable[[object], str]) -> None:
    """Say how every Shown object becomes text, and HTML.  ``views`` calls this once."""
    _renderers[:] = [text, html]


# A word to mypyc: classes of modules that are not compiled may have this base too.
@mypyc_attr(allow_interpreted_subclasses=True)
class Shown:
    """Prints itself as text in a terminal and shows itself as HTML in a notebook."""

    __slots__ = ()

    def __str__(self) -> str:
        return _renderers[0](self) if _renderers else repr(self)

    def _repr_html_(self) -> str:
        return _renderers[1](self) if _renderers else ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        # IPython asks here for both forms.  Inside a list it takes the short repr.
        return {"text/plain": str(self), "text/html": self._repr_html_()}


# ── Places ───────────────────────────────────────────────────────────────────────────


class Facts:
    """A plain value: equal to another of its class with the same parts, which its class names in
    ``__match_args__``.  Do not assign to them.

    What a dataclass would give, written out: there are many of these in a capture, and a
    compiled class makes them ten times as fast as a frozen dataclass does.
    """

    __slots__ = ()

    def facts(self) -> tuple[object, ...]:
        """The parts, in order."""
        return ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, Facts):
            return False
        return _are_same(self.facts(), other.facts())

    def __hash__(self) -> int:
        return hash(self.facts())

    def __repr__(self) -> str:
        if len(_shown) > _DEEPEST:
            return f"{type(self).__name__}(…)"
        names: tuple[str, ...] = getattr(type(self), "__match_args__", ())
        parts = zip(names, self.facts(), strict=True)
        _shown.append(self)
        try:
            said = [f"{name}={part!r}" for name, part in parts]
        finally:
            _shown.pop()
        return f"{type(self).__name__}({', '.join(said)})"


def _are_same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Are the parts equal, and their parts, however deep they are?  It does not call itself."""
    left: list[object] = list(one)
    right: list[object] = list(other)
    if len(left) != len(right):
        return False
    while left:
        a, b = left.pop(), right.pop()
        if a is b:
            continue
        if isinstance(a, Facts):
            if type(a) is not type(b) or not isinstance(b, Facts):
                return False
            a, b = a.facts(), b.facts()
        elif not isinstance(a, tuple):
            if a != b:
                return False
            continue
        if not isinstance(b, tuple) or len(a) != len(b):
            return False
        left.extend(a)
        right.extend(b)
    return True


# What a repr is inside of: deeper ones are left out, since each calls Python several times.
_shown: list[Facts] = []
_DEEPEST: Final = 60


class Span(Facts):
    """A half-open range of offsets, like ``range`` and like slices.

    >>> Span(4, 8).of(b"....seqid")
    b'seqi'
    """

    __slots__ = ("start", "stop")
    __match_args__: ClassVar = ("start", "stop")

    def __init__(self, start: int, stop: int) -> None:
        self.start = start
        self.stop = stop

    def facts(self) -> tuple[object, ...]:
        return (self.start, self.stop)

    def __lt__(self, other: Span) -> bool:
        return (self.start, self.stop) < (other.start, other.stop)

    def __len__(self) -> int:
        return self.stop - self.start

    def of(self, data: bytes) -> bytes:
        return data[self.start : self.stop]


class Endpoint(NamedTuple):
    """One end of a connection: a numeric address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Severity(IntEnum):
    """How much a Finding matters."""

    NOTE = 0  # worth knowing; nothing is wrong
    WARNING = 1  # odd, yet everything there was read
    ERROR = 2  # something could not be read


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd in the input: how bad, where, and one sentence that says all of it.

    ``offset`` is None where no single place can be named.
    """

    severity: Severity
    text: str
    offset: int | None = None


# How many findings of one thing are told: hostile bytes can be odd at every place.
MAX_FINDINGS: Final = 1000


def add_finding(findings: list[Finding], finding: Finding) -> None:
    """Add one, unless there are very many: then the last of them says that there are more."""
    if len(findings) < MAX_FINDINGS:
        findings.append(finding)
    elif len(findings) == MAX_FINDINGS:
        text = f"more like these from offset {finding.offset} on, which are not told"
        findings.append(Finding(finding.severity, text, finding.offset))
    elif finding.severity > findings[-1].severity:
        last = findings[-1]
        findings[-1] = Finding(finding.severity, last.text, last.offset)


# What differs between findings of one kind: names, numbers, bytes.
_DIFFERING: Final = re.compile(r"\"[^\"]*\"|'[^']*'|\b[0-9a-f]*[0-9][0-9a-fx.:]*\b")


class Findings:
    """Findings of many places: FEW of a kind are kept, and it is counted how many more there were.
    Two are of one kind if they differ in nothing but names, numbers and bytes.

    No more than MOST kinds are told apart, so that no input makes it large.
    """

    FEW: ClassVar = 20
    MOST: ClassVar = 1000

    __slots__ = ("_counts", "_worst", "kept")

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self._counts: dict[str, int] = {}
        self._worst: dict[str, Severity] = {}

    def add(self, finding: Finding) -> bool:
        """Take note of one; is it one of the few?"""
        kind = _DIFFERING.sub("#", finding.text[:400])
        if kind not in self._counts and len(self._counts) >= self.MOST:
            kind = ""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count > self.FEW:
            self._worst[kind] = max(finding.severity, self._worst.get(kind, finding.severity))
            return False
        self.kept.append(finding)
        return True

    @property
    def rest(self) -> list[Finding]:
        """One for each kind of which there were more than a few: how many."""
        return [
            Finding(severity, f"{self._counts[kind] - self.FEW} more like this: {kind or 'others'}")
            for kind, severity in self._worst.items()
        ]


# ── wire: packets, segments, ordered bytes ───────────────────────────────────────────


class Packet:
    """One captured packet, raw.

    ``number`` counts from 1 as WireShark does; ``time`` is in nanoseconds since 1970;
    ``link`` is the capture file's link type (1 is Ethernet: tcpdump.org/linktypes.html);
    ``length`` is what it had on the wire, ``len(data)`` what was kept of it.  ``interface`` tells
    one of a pcapng's interfaces from another.
    """

    __slots__ = ("data", "interface", "length", "link", "number", "time")

    def __init__(
        self, number: int, time: int, link: int, data: bytes, length: int, interface: int = 0
    ) -> None:
        self.number = number
        self.time = time
        self.link = link
        self.data = data
        self.length = length
        self.interface = interface

    def __repr__(self) -> str:
        return f"<Packet {self.number}: {self.length} bytes>"


# IP's numbers of what it carries: a Segment's and a Flow's ``protocol``.
TCP: Final = 6
UDP: Final = 17


class Segment:
    """What TCP (or UDP) carried in one packet.

    ``source`` and ``target`` are raw: the address's 4 or 16 bytes, then the port's 2.
    ``cut`` counts payload bytes that were on the wire but not kept (a short snaplen).
    For UDP, ``seq``, ``ack`` and ``flags`` are 0.

    ``head`` and ``inside`` are where its header and its payload begin: in the packet's data, or,
    where IP fragments brought it, in their datagram.  ``parts`` then says which bytes of which
    packets that datagram was made of: the packet's number, the place behind its IP header, and
    from where to where in the datagram.

    ``depth`` is how many tunnels it came in.  ``ident`` is IPv4's own number of the packet, -1 if
    it has none; ``seen_at`` are the bytes by which a packet that was captured twice, on the way,
    differs: what stood before IP, and how many hops it had left.
    """

    __slots__ = (
        "ack",
        "cut",
        "depth",
        "flags",
        "head",
        "ident",
        "inside",
        "number",
        "parts",
        "payload",
        "protocol",
        "seen_at",
        "seq",
        "source",
        "target",
        "time",
    )

    def __init__(
        self,
        number: int,
        time: int,
        protocol: int,
        source: bytes,
        target: bytes,
        seq: int,
        ack: int,
        flags: int,
        payload: bytes,
        cut: int,
    ) -> None:
        self.number = number
        self.time = time
        self.protocol = protocol
        self.source = source
        self.target = target
        self.seq = seq
        self.ack = ack
        self.flags = flags
        self.payload = payload
        self.cut = cut
        self.head = 0
        self.inside = 0
        self.depth = 0
        self.ident = -1
        self.seen_at = b""
        self.parts: tuple[tuple[int, int, int, int], ...] = ()


class Chunk(Facts):
    """Bytes of a stream, in order: ``data`` stands at ``offset`` of its direction.

    ``time`` and ``number`` are those of the packet that brought them.
    """

    __slots__ = ("data", "number", "offset", "time")
    __match_args__: ClassVar = ("offset", "data", "time", "number")

    def __init__(self, offset: int, data: bytes, time: int = 0, number: int = 0) -> None:
        self.offset = offset
        self.data = data
        self.time = time
        self.number = number

    def facts(self) -> tuple[object, ...]:
        return (self.offset, self.data, self.time, self.number)


class Gap(Facts):
    """Bytes that were sent and that the capture does not have: never zeros, never silence."""

    __slots__ = ("length", "offset")
    __match_args__: ClassVar = ("offset", "length")

    def __init__(self, offset: int, length: int) -> None:
        self.offset = offset
        self.length = length

    def facts(self) -> tuple[object, ...]:
        return (self.offset, self.length)

    @property
    def stop(self) -> int:
        return self.offset + self.length


# ── thrift: messages, fields, values ─────────────────────────────────────────────────


class MessageType(IntEnum):
    """doc/specs/thrift-binary-protocol.md, "Message"."""

    CALL = 1
    REPLY = 2
    EXCEPTION = 3
    ONEWAY = 4


# By number: a list is looked into faster than an Enum is called.
MESSAGE_TYPES: Final = [MessageType.CALL, *MessageType]

# Methods by which tracing systems ask whether the other end takes headers before messages:
# Finagle's, and those of thriftpy2.contrib.tracking.  Their replies are no results.
UPGRADES: Final = frozenset(
    {
        "__can__finagle__trace__v3__",
        "__thriftpy_tracing_method_name__v2",
        "__thriftpy_tracing_method_name__",
    }
)

# What field 2 of a TApplicationException says (lib/py/src/Thrift.py).
APPLICATION_ERRORS: Final = (
    "UNKNOWN",
    "UNKNOWN_METHOD",
    "INVALID_MESSAGE_TYPE",
    "WRONG_METHOD_NAME",
    "BAD_SEQUENCE_ID",
    "MISSING_RESULT",
    "INTERNAL_ERROR",
    "PROTOCOL_ERROR",
    "INVALID_TRANSFORM",
    "INVALID_PROTOCOL",
    "UNSUPPORTED_CLIENT_TYPE",
)


class TType(IntEnum):
    """Type numbers of the binary protocol; other protocols are translated to these."""

    STOP = 0
    BOOL = 2
    I8 = 3
    DOUBLE = 4
    I16 = 6
    I32 = 8
    I64 = 10
    STRING = 11  # and binary: the wire does not tell them apart
    STRUCT = 12
    MAP = 13
    SET = 14
    LIST = 15
    UUID = 16


# By number, where there is one; STOP stands in the gaps.
TTYPES: Final = [TType.STOP] * 17
for _one in TType:
    TTYPES[_one.value] = _one


# As deep as anything may nest: whoever walks over values calls itself for each level, and Python
# (and, compiled, the machine) has room for so many calls and no more.
MAX_DEPTH: Final = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """What is allowed to be claimed: doc/specs/thrift-tconfiguration.md gives the first three.

    ``depth`` counts structs and containers in each other, MAX_DEPTH at most: more raises
    ValueError.  ``frame`` and ``message`` are in bytes.  ``unpacked`` is how many bytes one message
    may have once it is unpacked (zlib, gzip, deflate): a few hundred packed bytes can hold a
    thousand times as many; see ``protocols.unpacking``.  ``values`` is how many values of one
    message are read: each takes hundreds of bytes of memory, where on the wire it may have one.
    ``connections`` is how many may be open at once: each takes some thousand bytes, where on the
    wire it may be one packet.  With one more, the one that was idle longest is taken to have ended.
    """

    depth: int = 64
    frame: int = 16_384_000
    message: int = 100 * 1024 * 1024
    unpacked: int = 16_384_000
    values: int = 100_000
    connections: int = 30_000

    def __post_init__(self) -> None:
        if self.depth > MAX_DEPTH:
            raise ValueError(f"depth is {self.depth}, want at most {MAX_DEPTH}")


DEFAULT_LIMITS: Final = Limits()


class Header(Facts):
    """The part of a message before its struct: method, type, seqid.

    ``span`` covers it whole; ``method_span`` the method's name alone.  Bytes of a
    method that are not UTF-8 stand as ``\\xff``.
    """

    __slots__ = ("method", "method_span", "seqid", "span", "strict", "type")
    __match_args__: ClassVar = ("method", "type", "seqid", "strict", "span", "method_span")

    def __init__(
        self,
        method: str,
        type: MessageType,  # noqa: A002  # the specification's word
        seqid: int,
        strict: bool,
        span: Span,
        method_span: Span,
    ) -> None:
        self.method = method
        self.type = type
        self.seqid = seqid
        self.strict = strict
        self.span = span
        self.method_span = method_span

    def facts(self) -> tuple[object, ...]:
        return (self.method, self.type, self.seqid, self.strict, self.span, self.method_span)


class Value(Facts):
    """One value and the bytes that it came from.

    ``span`` covers the value with its own length or size; the first ``head`` bytes of
    it are that length or size.  ``content`` is bytes for STRING; None if the value was
    lost.  ``lost`` counts bytes of it that the capture does not have: then a STRING's
    content stops where the loss begins.  ``redacted``: it was masked (``redaction.messages``), so
    its content says nothing.

    ``label`` is "" or what the IDL calls it: an enum's number by its name, a struct by its
    type.  It is not on the wire, so it does not count where values are compared.
    """

    __slots__ = ("content", "head", "label", "lost", "redacted", "span", "ttype")
    __match_args__: ClassVar = ("ttype", "content", "span", "head", "lost")

    def __init__(
        self, ttype: TType, content: Content, span: Span, head: int = 0, lost: int = 0
    ) -> None:
        self.ttype = ttype
        self.content = content
        self.span = span
        self.head = head
        self.lost = lost
        self.redacted = False
        self.label = ""

    def facts(self) -> tuple[object, ...]:
        return (self.ttype, self.content, self.span, self.head, self.lost)

    @property
    def text(self) -> str | None:
        """The STRING as text; None where it is not UTF-8, or not a STRING."""
        if not isinstance(self.content, bytes):
            return None
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            return None

    @property
    def plain(self) -> Plain:
        """The value as Python would hold it: a struct is a dict by field id (by name, where the
        wire has names or the IDL gave them), a map a list of
        pairs (keys may be unhashable), a STRING is str where it is UTF-8 and else bytes."""
        content = self.content
        if isinstance(content, bytes):
            text = self.text
            return content if text is None else text
        if isinstance(content, Struct):
            return content.plain
        if isinstance(content, Items):
            return [item.plain for item in content.items]
        if isinstance(content, Entries):
            return [(key.plain, value.plain) for key, value in content.items]
        return content


# The id of a field whose protocol writes none.
NO_ID: Final = -1


class Field(Facts):
    """A field of a struct.  ``span`` covers its type, its id and its value.

    ``name`` is what the IDL calls it, None without an IDL or where that has no such field.
    thriftpy2's JSON writes names and no ids: then ``name`` is what the wire says, and
    ``field_id`` is -1 and means nothing.  ``in_idl``: an IDL has it so; ``declared`` is what that
    says of it beside its name, where that is more than its plain type: ``optional UserId (i64)``;
    else "".
    """

    __slots__ = ("declared", "field_id", "in_idl", "name", "span", "value")
    __match_args__: ClassVar = ("field_id", "value", "span", "name")

    def __init__(self, field_id: int, value: Value, span: Span, name: str | None = None) -> None:
        self.field_id = field_id
        self.value = value
        self.span = span
        self.name = name
        self.declared = ""
        self.in_idl = False

    def facts(self) -> tuple[object, ...]:
        return (self.field_id, self.value, self.span, self.name)

    @property
    def ttype(self) -> TType:
        return self.value.ttype

    @property
    def is_result(self) -> bool:
        """Is it, in a reply, what the call returns?  A reply's other fields are exceptions."""
        return self.field_id == 0 or (self.field_id == NO_ID and self.name == "success")


class Struct(Facts):
    """Fields in the order in which they came.

    ``stop`` is the place of the STOP byte; None if reading ended before it, and then
    ``findings`` says why.  What was read before stays.
    """

    __slots__ = ("fields", "findings", "stop")
    __match_args__: ClassVar = ("fields", "stop", "findings")

    def __init__(
        self, fields: tuple[Field, ...], stop: Span | None, findings: tuple[Finding, ...] = ()
    ) -> None:
        self.fields = fields
        self.stop = stop
        self.findings = findings

    def facts(self) -> tuple[object, ...]:
        return (self.fields, self.stop, self.findings)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __getitem__(self, field_id: int) -> Field:
        """The first field with that id; KeyError if there is none."""
        for field in self.fields:
            if field.field_id == field_id:
                return field
        raise KeyError(field_id)

    @property
    def plain(self) -> dict[int | str, Plain]:
        return {
            field.field_id if field.name is None else field.name: field.value.plain
            for field in self.fields
        }


class Items(Facts):
    """What a LIST or a SET holds.  ``count`` is what it claims; ``items`` what was there.

    ``raw_type`` is the compact protocol's own number of the element type (BOOL has two); 0
    from other protocols.
    """

    __slots__ = ("count", "element_type", "items", "raw_type")
    __match_args__: ClassVar = ("element_type", "count", "items", "raw_type")

    def __init__(
        self, element_type: TType, count: int, items: tuple[Value, ...], raw_type: int = 0
    ) -> None:
        self.element_type = element_type
        self.count = count
        self.items = items
        self.raw_type = raw_type

    def facts(self) -> tuple[object, ...]:
        return (self.element_type, self.count, self.items, self.raw_type)


class Entries(Facts):
    """What a MAP holds.  The types are STOP where an empty map does not name them.

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
        self.key_type = key_type
        self.value_type = value_type
        self.count = count
        self.items = items
        self.raw_type = raw_type

    def facts(self) -> tuple[object, ...]:
        return (self.key_type, self.value_type, self.count, self.items, self.raw_type)


Content = Union[bool, int, float, bytes, uuid.UUID, Struct, Items, Entries, None]
Plain = Union[bool, int, float, bytes, str, uuid.UUID, dict[Any, Any], list[Any], None]


class Listener:
    """Is told of a struct in the order of its bytes, by an encoding's ``walk``.  It makes of that
    what it is for: values, JSON, a judgement.

    ``field`` says whose the next value is; in a container values come one by one, in a MAP a key
    and its value in turn.  A struct or a container is begun, told, and ended; where the bytes end
    too soon, it is ended there, and a key without a value was none.  ``start`` and ``stop`` are
    where a value begins and ends, the first ``head`` bytes of it its length or its count.
    ``findings`` is what was wrong.
    """

    __slots__ = ("findings",)

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def field(self, field_id: i64, name: str | None, start: i64) -> None:
        """The next value is that of a field.  If another field or the end comes before it, it
        cannot be read, and there is no such field."""

    def field_end(self, stop: i64) -> None:
        """The last field goes on behind its value."""

    def number(self, ttype: i64, value: int, start: i64, stop: i64) -> None:
        """An I8, I16, I32 or I64."""

    def truth(self, value: bool, start: i64, stop: i64) -> None:
        """A BOOL."""

    def double(self, value: float, start: i64, stop: i64) -> None:
        """A DOUBLE."""

    def string(
        self, data: bytes, inside: i64, end: i64, start: i64, head: i64, stop: i64, lost: i64
    ) -> None:
        """A STRING: it holds ``data[inside:end]``, and ``lost`` bytes more that are not there."""

    def uuid(self, value: uuid.UUID, start: i64, stop: i64) -> None:
        """A UUID."""

    def missing(self, ttype: i64, start: i64, stop: i64, lost: i64) -> None:
        """A value of fixed size, of which the capture lost so many bytes."""

    def struct(self, start: i64) -> None:
        """A STRUCT begins."""

    def struct_end(self, place: i64, stop: i64) -> None:
        """It ends, with a STOP at ``place``; -1: without one."""

    def take_back(self) -> None:
        """The STRUCT that was begun last holds nothing, not even its end: it is none."""

    def items(
        self, ttype: i64, element_type: i64, count: i64, raw_type: i64, start: i64, head: i64
    ) -> None:
        """A LIST or a SET begins; ``count`` is -1 where its end will tell: see ``settle``."""

    def entries(
        self, key_type: i64, value_type: i64, count: i64, raw_type: i64, start: i64, head: i64
    ) -> None:
        """A MAP begins."""

    def settle(self, element_type: i64, count: i64) -> None:
        """Of the list that is about to end: what it held, where its head does not say."""

    def end(self, stop: i64) -> None:
        """The innermost LIST, SET or MAP ends."""

    def label(self, text: str) -> None:
        """What the IDL calls the next value."""

    def masked(self, ttype: i64, start: i64, stop: i64) -> None:
        """A value that was masked."""

    def warn(self, finding: Finding) -> None:
        """Something is odd.  Of very many, the last says that there are more."""
        add_finding(self.findings, finding)

    def fail(self, finding: Finding) -> None:
        """Something is wrong, so that nothing is read from there on."""
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
        "name",
        "pairs",
        "raw_type",
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
        if kind == _IN_STRUCT:
            self.fields = []
        elif kind == _IN_ITEMS:
            self.items = []
        else:
            self.pairs = []


class Build(Listener):
    """Makes values of what it is told: ``body`` is the struct."""

    __slots__ = ("_levels", "_read", "_top")

    def __init__(self) -> None:
        super().__init__()
        self._levels: list[_Level] = []
        self._top = _Level(_IN_STRUCT, 0)
        self._read = Struct((), None)

    @property
    def body(self) -> Struct:
        return Struct(self._read.fields, self._read.stop, tuple(self.findings))

    def _open(self, kind: i64, start: i64) -> _Level:
        self._levels.append(self._top)
        self._top = level = _Level(kind, start)
        return level

    def _add(self, value: Value, stop: i64) -> None:
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
        end = None if place < 0 else Span(place, place + 1)
        made = Struct(tuple(level.fields), end)
        self._top = self._levels.pop()
        if self._levels:
            self._add(Value(TType.STRUCT, made, Span(level.start, stop)), stop)
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
        self._add(Value(TTYPES[level.ttype], content, Span(level.start, stop), level.head), stop)


def tell(struct: Struct, start: int, listener: Listener) -> None:
    """Tell of a struct that was built, with the names that its fields were given since."""
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
    if isinstance(content, bytes):
        listener.string(content, 0, len(content), start, value.head, stop, value.lost)
    elif isinstance(content, bool):
        listener.truth(content, start, stop)
    elif isinstance(content, int):
        listener.number(ttype, content, start, stop)
    elif isinstance(content, float):
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
    elif content is None:
        listener.missing(ttype, start, stop, value.lost)
    else:
        listener.uuid(content, start, stop)


class Skipper(ABC):
    """Finds where a message ends without building it, however its bytes are cut."""

    __slots__ = ()

    @abstractmethod
    def advance(self, data: bytes | bytearray, stop: int) -> int:
        """Read on as far as ``data[:stop]`` goes.

        Returns the offset behind the message once it is there, else -1: call again with
        more.  Offsets do not change between calls.  Raises DecodeError on bytes that no
        message could have.
        """

    @abstractmethod
    def known_until(self) -> int:
        """Up to which offset the bytes are a value of known size (the rest of a string, of a
        number).  A Gap that ends there does not hide where the message goes on."""


# Where a mask begins, and its bytes: as long as what they cover.
Run = tuple[int, bytes]

# What masks of text are made of.
LETTER: Final = b"x"


class Protocol(ABC):
    """value ↔ bytes: binary, compact, JSON.  One object each; they hold no state.

    What others have to know of it is said here, so that nobody asks for its name.  ``title`` is
    its name in a sentence, ``classes`` what programs call it.  ``is_text``: its bytes are text.
    ``has_names``: its fields have names and no ids.  ``is_marked``: a message begins with a mark
    that hardly anything else begins with.  ``is_variant``: its structs are those of another one,
    and only a message's header differs.
    """

    name: str
    title: str
    classes: str
    is_text: bool = False
    has_names: bool = False
    is_marked: bool = False
    is_variant: bool = False

    @abstractmethod
    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        """The header at ``data[start:stop]``.  Raises DecodeError (Incomplete if cut)."""

    @abstractmethod
    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        """Tell ``listener`` of the struct at ``data[start:stop]``, as far as it can be read, and
        of what is wrong with it or behind it.  Raises nothing.  Bytes inside ``gaps`` are not
        looked at."""

    def read_struct(
        self, data: bytes, start: int, stop: int, gaps: tuple[Gap, ...], limits: Limits
    ) -> Struct:
        """The struct at ``data[start:stop]``, built: see ``walk``."""
        build = Build()
        self.walk(data, start, stop, gaps, limits, build)
        return build.body

    @abstractmethod
    def skipper(self, start: int, limits: Limits) -> Skipper:
        """A Skipper for the message (header and struct) that begins at ``start``."""

    def whole_header(self, data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
        """The header at ``data[at:stop]``, if all of it is there and there is nothing to say of
        it: the short way for what is whole.  None: ask ``read_header``.

        The message begins ``into`` bytes before ``at``: the header's offsets count from there.
        """
        return None

    def struct_end(self, data: bytes, at: i64, stop: i64, limits: Limits) -> i64:
        """Where the struct at ``data[at:stop]`` ends, if all of it is there and a Skipper would
        pass over it: the short way for what is whole.  -1: ask a Skipper."""
        return -1

    def first_field(self, data: bytes, start: int) -> int:
        """The id of the first field of the whole struct at ``start``, NO_FIELD if it has none:
        the short way to what a reply brings.  NOT_TOLD: read the struct."""
        return NOT_TOLD

    @abstractmethod
    def notes(self, record: Record) -> list[Note]:
        """A note for every byte of ``record``, in order: those of a message from its header on."""

    @abstractmethod
    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        """What may stand in ``data`` in place of a value that holds no others: it tells nothing but
        how many bytes that took, and whoever reads it finds the same places.

        ``field`` is whose value it is; None for an element.  ``is_key``: of a map.
        """

    @abstractmethod
    def blank(self, data: bytes) -> bytes:
        """What may stand in place of bytes that no value accounts for: as long, and neither a
        type nor a text, so that what was no message does not become one."""

    def mask_header(self, header: Header) -> tuple[list[Run], Header]:
        """The masks for a header whose method's name may be anything, and the header behind
        them."""
        name = header.method_span
        text = LETTER * len(name)
        masked = text.decode()
        after = Header(masked, header.type, header.seqid, header.strict, header.span, name)
        return [(name.start, text)], after


# What ``Protocol.first_field`` says where there is no such id: beyond what an i16 can hold.
NO_FIELD: Final = 1 << 16
NOT_TOLD: Final = 1 << 17


class HeadMasks(NamedTuple):
    """What is to be masked of the bytes before a message.

    ``packed`` is where the bytes begin, of the message's data, that do not stand on the wire as
    they are read; -1: all do.  ``values`` is a struct all of whose values are to be masked.
    """

    runs: list[Run]
    packed: int = -1
    values: Record | None = None


# It is not compiled into a class of C: those cannot be text.  Compiled code knows its subclasses
# only where they are compiled with it.
@mypyc_attr(native_class=False)
class Carrier(str):
    """What carries messages: the name of a transport, and what others have to know of it, so that
    nobody compares the name.

    ``family`` knows what its messages mean.  ``around`` is what stands around the messages, in a
    sentence ("HTTP", "datagrams"); "" where the name says how they are written ("framed").
    ``classes`` is what programs call it, "" if they call it by its name.

    ``answers_always``: something answers each message, be it oneway, and in their order.
    ``negotiates``: the ends settle who they are before the first message.  ``is_datagram``: each
    message comes alone, or not at all.  ``is_plain``: at most a length stands before a message;
    ``has_length``: that does.  ``other`` is then the plain one without it, or with it, and
    ``plain`` are both, for those who have to choose one.  ``is_headed``: heads that only servers
    made for them can read stand before messages; ``reads_others``: those servers answer clients
    that speak otherwise too.

    ``leans``: its bytes say nothing without those before them.  ``resumes``: it can be picked up
    in mid-stream.  ``is_shut``: where messages are
    packed, no byte of them may be shown, since something may stand behind them.
    """

    __slots__ = ()

    family: ClassVar[Family]
    around: ClassVar[str] = ""
    classes: ClassVar[str] = ""
    answers_always: ClassVar[bool] = False
    negotiates: ClassVar[bool] = False
    is_datagram: ClassVar[bool] = False
    is_plain: ClassVar[bool] = False
    has_length: ClassVar[bool] = False
    is_headed: ClassVar[bool] = False
    reads_others: ClassVar[bool] = False
    leans: ClassVar[bool] = False
    resumes: ClassVar[bool] = True
    is_shut: ClassVar[bool] = False

    @property
    def other(self) -> Carrier | None:
        return None

    @property
    def plain(self) -> tuple[Carrier, ...]:
        return ()

    @property
    def in_datagram(self) -> Carrier:
        """What carries a message that came in it, and alone in a datagram."""
        return self

    def notes(self, message: Message) -> list[Note]:
        """The notes for what stands before the message's header, in order."""
        start = message.header.span.start
        if not start:
            return []
        size = "1 byte" if start == 1 else f"{start} bytes"
        return [Note(Span(0, start), "frame", "before the message", size)]

    def masks(self, message: Message) -> HeadMasks:
        """What is to be masked of what stands before the message's header: of what nobody knows,
        all."""
        return HeadMasks([(0, b"\x80" * message.header.span.start)])

    def line_masks(self, lines: tuple[tuple[int, bytes], ...]) -> list[Run]:
        """What is to be masked of its own bytes that stand between those of a message: see
        ``Unit.lines``."""
        return [(at, bytes(len(text))) for at, text in lines]

    def own_bytes(
        self, data: bytes, start: int, lines: tuple[tuple[int, bytes], ...]
    ) -> tuple[list[tuple[int, int]], list[Run]]:
        """Of a unit without a message, the bytes that are the transport's own, as places, and the
        masks in them; ``data``, ``start`` and ``lines`` are the unit's.  What they are around is
        not for others to see."""
        return [], []


class Difference(Facts):
    """A place where the wire is not what the IDL says.

    ``kind`` is one of DIFFERENCES; ``place`` is where it is in the IDL ("User, field 7");
    ``words`` go on from there ("is not in the IDL").  ``brief`` is for beside the value: what the
    IDL says there ("no such field").  ``offset`` is the field's, the value's, the header's; of
    what a struct lacks or has too much of it is that of the STOP, where this is settled.
    ``times`` is more than 1 only where a message has very many of them: then it stands for those
    of its way that are not there one by one.
    """

    __slots__ = ("brief", "kind", "offset", "place", "times", "words")
    __match_args__: ClassVar = ("kind", "place", "words", "brief", "offset", "times")

    def __init__(
        self, kind: str, place: str, words: str, brief: str, offset: int, times: int = 1
    ) -> None:
        self.kind = kind
        self.place = place
        self.words = words
        self.brief = brief
        self.offset = offset
        self.times = times

    def facts(self) -> tuple[object, ...]:
        return (self.kind, self.place, self.words, self.brief, self.offset, self.times)

    @property
    def text(self) -> str:
        """One sentence, with the offset."""
        return f"{self.place} at offset {self.offset}: {self.words}"


# What stands before the IDL's word, beside a value that is another.
DIFFERS: Final = "≠ IDL:"

# The kinds, in the order in which a report has them.
DIFFERENCES: Final = ("method", "oneway", "unknown field", "type", "missing", "union", "enum")


class Naming(ABC):
    """Knows the names of what a Record holds: see ``protocols.families.thrift.names``.

    ``label`` is what the IDL calls a struct that has no message around it, else "".
    """

    label: str = ""

    @abstractmethod
    def give_names(self, record: Record, body: Struct) -> tuple[Difference, ...]:
        """Name the fields and values of ``body``, and say where they differ from the IDL."""


def _mark(struct: Struct, starts: frozenset[int]) -> None:
    """Say of the values that begin at ``starts`` that they were masked."""
    for field in struct.fields:
        _mark_value(field.value, starts)


def _mark_value(value: Value, starts: frozenset[int]) -> None:
    content = value.content
    if isinstance(content, Struct):
        _mark(content, starts)
    elif isinstance(content, Items):
        for item in content.items:
            _mark_value(item, starts)
    elif isinstance(content, Entries):
        for key, item in content.items:
            _mark_value(key, starts)
            _mark_value(item, starts)
    elif value.span.start in starts:
        value.redacted = True
        value.label = ""


class Record(Shown):
    """A struct with no message around it: in a file, a Kafka value, a Parquet footer.

    ``data`` holds all of its bytes; every offset in its fields, notes and findings counts from
    the first byte of ``data``.  The struct begins at ``start``.  Where ``gaps`` says so, the
    bytes were lost, and ``data`` holds filler that nothing reads or shows.  ``redacted`` is
    where the values begin that were masked.

    The struct is read when somebody looks: at ``fields``, ``body`` or ``findings``.  If there
    are ``names`` (an IDL's), it gets them then.
    """

    __slots__ = (
        "_body",
        "_differences",
        "_is_sound",
        "_names",
        "_told",
        "data",
        "gaps",
        "limits",
        "listed",
        "protocol",
        "redacted",
        "start",
    )

    def __init__(
        self,
        *,
        data: bytes,
        protocol: Protocol,
        start: int = 0,
        gaps: tuple[Gap, ...] = (),
        listed: tuple[Finding, ...] = (),
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.data = data
        self.protocol = protocol
        self.start = start
        self.gaps = gaps
        self.listed = listed
        self.limits = limits
        self.redacted: frozenset[int] = frozenset()
        self._told: tuple[Finding, ...] | None = None  # what was wrong before it was masked
        self._body: Struct | None = None
        self._names: Naming | None = None
        self._differences: tuple[Difference, ...] = ()
        self._is_sound = False

    @property
    def body(self) -> Struct:
        """The struct: behind a message's header, a CALL's arguments or a REPLY's result."""
        if self._body is None:
            body = self.protocol.read_struct(
                self.data, self.start, len(self.data), self.gaps, self.limits
            )
            if self._names is not None:
                self._differences = self._names.give_names(self, body)
            if self.redacted:
                _mark(body, self.redacted)
                # A mask is not a value that an enum lacks.
                self._differences = tuple(
                    one for one in self._differences if one.offset not in self.redacted
                )
            if self._told is not None:
                body.findings = self._told  # and not what is wrong with masks
            self._body = body
        return self._body

    def begin(self, values: int) -> Struct:
        """The struct, as ``body`` has it, or the first ``values`` values of it, for who shows no
        more: of a long one, the rest is not read then, and nothing is kept."""
        if self._body is not None or len(self.data) - self.start <= 16 * values:
            return self.body
        few = Limits(
            self.limits.depth,
            self.limits.frame,
            self.limits.message,
            self.limits.unpacked,
            min(values, self.limits.values),
        )
        body = self.protocol.read_struct(self.data, self.start, len(self.data), self.gaps, few)
        if self._names is not None:
            self._names.give_names(self, body)
        if self.redacted:
            _mark(body, self.redacted)
        return body

    def redact(
        self,
        data: bytes,
        redacted: frozenset[int],
        listed: tuple[Finding, ...],
        told: tuple[Finding, ...] | None = None,
    ) -> None:
        """Take masked bytes, of the same length, in place of the true ones; ``listed`` is what
        may still be said of them, and ``told``, where they were not sound, of the struct."""
        self.data = data
        self._is_sound = False
        self.redacted = redacted
        self.listed = listed
        self._told = told
        self.forget()

    @property
    def is_read(self) -> bool:
        """Has somebody looked, so that its fields lie in memory?"""
        return self._body is not None

    @property
    def names(self) -> Naming | None:
        """Who knows the names of its fields; None: nobody does."""
        return self._names

    def use_names(self, names: Naming | None) -> None:
        """Let its fields have these names."""
        self._names = names
        self.forget()

    def tell(self, listener: Listener) -> None:
        """Tell of the struct, with the names that it has, and what is wrong with it.  Where bytes
        say all of it, they are walked, and no value is built."""
        is_plain = self._names is None and not self.redacted and self._told is None
        if self._body is None and is_plain:
            self.protocol.walk(
                self.data, self.start, len(self.data), self.gaps, self.limits, listener
            )
            self._is_sound = not listener.findings
        else:
            tell(self.body, self.start, listener)

    @property
    def is_sound(self) -> bool:
        """Is there nothing odd about its struct?  The same as no ``body.findings``, sooner."""
        if self._is_sound:
            return True
        if self._body is None and self._told is None:
            judge = Listener()
            self.protocol.walk(self.data, self.start, len(self.data), self.gaps, self.limits, judge)
            self._is_sound = not judge.findings
            return self._is_sound
        return not self.body.findings

    def forget(self) -> None:
        """Drop the fields that were read; who looks again reads them again."""
        self._body = None
        self._differences = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.body.fields

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What is odd about its bytes: what listing it found (``listed``) and what reading
        its fields did, each once."""
        if self.is_sound:
            return self.listed
        return self.listed + tuple(f for f in self.body.findings if f not in self.listed)

    @property
    def fault(self) -> Finding | None:
        """The first ERROR among its faults: it cannot be read to its end, or bytes are left over;
        None: there is none.  Where all is well, a walk over its bytes that builds nothing."""
        if self._body is None and not self.gaps and not self.listed and self._told is None:
            end = self.protocol.struct_end(self.data, self.start, len(self.data), self.limits)
            if end == len(self.data):
                return None
        for one in self.faults:
            if one.severity is Severity.ERROR:
                return one
        return None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Where it is not what the IDL says, in order; none without an IDL."""
        if self._names is None:
            return ()
        return self._differences if self.body is not None else ()

    @property
    def remarks(self) -> dict[int, str]:
        """What to show beside a value: by the offset of a difference, what the IDL says there."""
        said: dict[int, str] = {}
        alone: dict[str, str] = {}
        for one in self.differences:
            before = said.get(one.offset)
            if before is None:
                said[one.offset] = alone.setdefault(one.brief, f"{DIFFERS} {one.brief}")
                continue
            said[one.offset] = f"{before}, {one.brief}"
        return said

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that is odd about it: its faults, and where it is not what the IDL says.  What
        differs in one way again and again is one finding."""
        faults = self.faults
        if not self.differences:
            return faults
        report = Differences()
        report.take(1, self._differences)
        return faults + tuple(Finding(Severity.WARNING, r.text, r.offset) for r in report)

    def __repr__(self) -> str:
        return f"<Record: {len(self.data)} bytes, {self.protocol.name}>"


# Why the end of a message is missing.
CUT_LOST: Final = "lost"  # the capture lost it
CUT_CLOSED: Final = "closed"  # the connection was closed or reset before it
CUT_ENDED: Final = "ended"  # the capture ended before it


class Response(Facts):
    """What HTTP answered to a request with a call in it, where no message is in the answer, or
    the call is oneway: an empty 200, a 401, a page.

    ``status`` and ``reason`` are of its status line; ``content_type`` and ``size`` are its
    body's.  ``text`` is how that begins, "" if it is no text.  ``offset`` is its place in the
    server's direction, ``time`` that of the packet with its first byte.
    """

    __slots__ = ("content_type", "offset", "reason", "size", "status", "text", "time")
    __match_args__: ClassVar = (
        "status",
        "reason",
        "content_type",
        "size",
        "text",
        "offset",
        "time",
    )

    def __init__(
        self,
        status: int,
        reason: str,
        content_type: str,
        size: int,
        text: str,
        offset: int = 0,
        time: int = 0,
    ) -> None:
        self.status = status
        self.reason = reason
        self.content_type = content_type
        self.size = size
        self.text = text
        self.offset = offset
        self.time = time

    def facts(self) -> tuple[object, ...]:
        return (
            self.status,
            self.reason,
            self.content_type,
            self.size,
            self.text,
            self.offset,
            self.time,
        )

    @property
    def is_good(self) -> bool:
        """Is it a 2xx?  With nothing in it, that is what a oneway call gets."""
        return 200 <= self.status < 300

    def __str__(self) -> str:
        return f"HTTP {self.status} {self.reason}".rstrip()


class Message(Record):
    """One Thrift message: a CALL, a REPLY, an EXCEPTION or a ONEWAY.

    ``number`` counts messages in the capture from 1; ``flow`` is its connection's number.
    ``data`` holds all of its bytes, a frame's length included; every offset in its header,
    fields, notes and findings counts from the first byte of ``data``.  Where ``gaps`` says
    so, the capture lost the bytes, and ``data`` holds filler that nothing reads or shows.
    ``size`` counts its bytes on the wire, a frame's length and lost ones included; ``data`` is
    longer or shorter than that where the transport packs.
    ``time`` and ``end_time`` are those of the packets with its first and its last byte;
    ``packets`` are the numbers of all that carried it.  ``offset`` is its place in its
    direction of the connection.

    ``cut`` is "" where its last byte is there; CUT_LOST, CUT_CLOSED or CUT_ENDED where the capture
    lost the rest, the connection was closed or reset before it, or the capture ended.
    ``announced`` is then how many bytes it would have had, where its frame says that.
    ``proxied`` is the client for whom a proxy connected, where a PROXY header names one.
    ``response`` is what HTTP answered to a call, if there was no message in it; and to any oneway
    call: None there means that HTTP never answered.

    The struct is read when somebody looks: at ``fields``, ``body`` or ``findings``.
    """

    __slots__ = (
        "_announced",
        "_packet",
        "_packets",
        "client",
        "cut",
        "end_time",
        "flow",
        "from_client",
        "header",
        "number",
        "offset",
        "proxied",
        "response",
        "server",
        "size",
        "time",
        "transport",
    )

    def __init__(
        self,
        *,
        header: Header,
        data: bytes,
        protocol: Protocol,
        transport: Carrier,
        client: Endpoint,
        server: Endpoint,
        from_client: bool,
        number: int = 1,
        flow: int = 1,
        offset: int = 0,
        size: int | None = None,
        time: int = 0,
        end_time: int = 0,
        packets: tuple[int, ...] = (),
        gaps: tuple[Gap, ...] = (),
        listed: tuple[Finding, ...] = (),
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(
            data=data,
            protocol=protocol,
            start=header.span.stop,
            gaps=gaps,
            listed=listed,
            limits=limits,
        )
        self.header = header
        self.transport = transport
        self.client = client
        self.server = server
        self.from_client = from_client
        self.number = number
        self.flow = flow
        self.offset = offset
        self.size = len(data) if size is None else size
        self.time = time
        self.end_time = end_time
        self.cut = ""
        self.proxied: Endpoint | None = None
        self.response: Response | None = None
        self._announced = 0
        # Most came in one packet: a number takes less memory than a tuple of it.
        self._packet = packets[0] if len(packets) == 1 else -1
        self._packets = () if len(packets) == 1 else packets

    @property
    def packets(self) -> tuple[int, ...]:
        return self._packets if self._packet < 0 else (self._packet,)

    @property
    def announced(self) -> int:
        """How many bytes it has on the wire by its own account: a frame's length, HTTP's
        Content-Length.  More than ``size`` where it was cut off."""
        return max(self._announced, self.size)

    def cut_off(self, cut: str, announced: int) -> None:
        """Its end is missing: see ``cut``; ``announced`` is 0 where nothing says its size."""
        self.cut = cut
        self._announced = announced

    @property
    def method(self) -> str:
        return self.header.method

    @property
    def type(self) -> MessageType:
        return self.header.type

    @property
    def seqid(self) -> int:
        return self.header.seqid

    @property
    def family(self) -> Family:
        """Who knows what it means: its transport carries one family's messages."""
        return self.transport.family

    @property
    def source(self) -> Endpoint:
        return self.client if self.from_client else self.server

    @property
    def target(self) -> Endpoint:
        return self.server if self.from_client else self.client

    @property
    def first_field(self) -> int:
        """The id of its first field, NO_FIELD if it has none.  NOT_TOLD: ``body`` tells, if
        anything does (there are names for ids, or bytes are missing or odd)."""
        if self.gaps or self.listed or self._body is not None:
            fields = self.body.fields
            if fields and fields[0].field_id >= 0:
                return fields[0].field_id
            return NO_FIELD if not fields and self.body.stop is not None else NOT_TOLD
        return self.protocol.first_field(self.data, self.start)

    @property
    def answer(self) -> Outcome:
        """What a reply alone says, in every protocol: SUCCESS, an exception, or UNREADABLE, where
        its struct cannot be read to its end, or its sender ended the connection in the midst of
        it.  What the capture alone has lost of it leaves what its beginning says."""
        if self.cut == CUT_CLOSED or (not self.cut and not self.gaps and self.fault is not None):
            return Outcome.UNREADABLE
        return self.family.outcome(self)

    def __repr__(self) -> str:
        return (
            f"<Message {self.number}: {self.type.name} {self.method!r} seqid {self.seqid}, "
            f"{self.size} bytes, {self.protocol.name} {self.transport}>"
        )


class Error(Facts):
    """What the framework itself says of a call that failed: ``name`` and ``number`` are its kind
    ("UNKNOWN_METHOD", 1), "" and None where it has none that is known; ``kind`` and ``text`` are
    the values that say so, None where they are not there."""

    __slots__ = ("kind", "name", "number", "text")
    __match_args__: ClassVar = ("name", "number", "kind", "text")

    def __init__(
        self, name: str, number: int | None, kind: Value | None, text: Value | None
    ) -> None:
        self.name = name
        self.number = number
        self.kind = kind
        self.text = text

    def facts(self) -> tuple[object, ...]:
        return (self.name, self.number, self.kind, self.text)


class Family(ABC):
    """What the messages of a family of RPC mean, whatever they are encoded in.  One object each;
    it holds no state."""

    name: str

    @abstractmethod
    def outcome(self, reply: Message) -> Outcome:
        """What a reply that can be read says: SUCCESS, DECLARED_EXCEPTION or
        APPLICATION_EXCEPTION; UNREADABLE where so much of it is lost that it says nothing."""

    @abstractmethod
    def error(self, body: Struct) -> Error:
        """What an EXCEPTION, the framework's own, holds."""

    def is_upgrade(self, method: str) -> bool:
        """Does a call of that method ask about the connection, so that it is none of the
        service's?"""
        return False


class Repeated(Facts):
    """A way in which the wire differs from the IDL: how often, and where first.

    ``times`` counts places, ``messages`` the messages that have them; ``first`` is the first
    such message's number, ``difference`` its first place in it.
    """

    __slots__ = ("difference", "first", "messages", "times")
    __match_args__: ClassVar = ("difference", "first", "messages", "times")

    def __init__(self, difference: Difference, first: int, messages: int, times: int) -> None:
        self.difference = difference
        self.first = first
        self.messages = messages
        self.times = times

    def facts(self) -> tuple[object, ...]:
        return (self.difference, self.first, self.messages, self.times)

    @property
    def offset(self) -> int:
        return self.difference.offset

    @property
    def text(self) -> str:
        """One sentence on one message."""
        more = f" ({self.times} times)" if self.times > 1 else ""
        return self.difference.text + more

    @property
    def summary(self) -> str:
        """One sentence on all messages."""
        at = f"message {self.first}, offset {self.difference.offset}"
        place, words = self.difference.place, self.difference.words
        if self.times == 1:
            return f"{place}: {words} ({at})"
        return f"{place}: {words} ({self.times} times in {self._messages}; first: {at})"

    @property
    def _messages(self) -> str:
        return "1 message" if self.messages == 1 else f"{self.messages} messages"


class Differences(Shown):
    """Where wire and IDL differ, each way once, in the order in which they were first seen.

    Not more than ``MOST`` ways are told apart, so that no input makes it large; ``more`` counts
    the places of all others.
    """

    MOST: ClassVar = 1000

    def __init__(self) -> None:
        self._ways: dict[tuple[str, str, str], Repeated] = {}
        self.more = 0

    def add(self, message: Message) -> None:
        """Take note of a message's differences.  It has to be read for that."""
        self.take(message.number, message.differences)

    def take(self, number: int, differences: tuple[Difference, ...]) -> None:
        """Take note of the differences of message ``number``."""
        seen: set[tuple[str, str, str]] = set()
        for one in differences:
            key = (one.kind, one.place, one.words)
            known = self._ways.get(key)
            if known is None and len(self._ways) >= self.MOST:
                self.more += one.times
                continue
            if known is None:
                known = self._ways[key] = Repeated(one, number, 0, 0)
            known.times += one.times
            known.messages += key not in seen
            seen.add(key)

    def __len__(self) -> int:
        return len(self._ways)

    def __iter__(self) -> Iterator[Repeated]:
        return iter(self._ways.values())

    def __getitem__(self, index: int) -> Repeated:
        return list(self._ways.values())[index]

    def __repr__(self) -> str:
        return f"<{len(self)} differences>"


class Messages(Shown):
    """Messages in the order in which they ended; shows itself as a table."""

    __slots__ = ("_items",)

    def __init__(self, items: list[Message]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._items)

    def __getitem__(self, index: int) -> Message:
        return self._items[index]

    def __repr__(self) -> str:
        return f"<{len(self)} messages>"


@dataclass(frozen=True, slots=True)
class Detection:
    """What a connection speaks and how that is known.

    ``transport`` is None where nothing was recognised: ``evidence`` says what was seen
    instead.  ``protocol`` is None then too, and where no message could be read (SASL that
    wraps its content); ``wrong`` is what keeps bytes that are nearly Thrift from being it
    ("version at offset 0: is 0x8002, want 0x8001"), else "".
    """

    protocol: Protocol | None
    transport: Carrier | None
    evidence: str
    wrong: str = ""


class Half:
    """One direction of a connection: what its end did, and when.

    ``first`` are its first bytes, FIRST of them at most and up to the first that the capture
    lost; they begin the stream if ``from_start``.  ``detection`` is what this direction speaks.
    Times are -1 for what was not seen: ``syn``, ``fin`` and ``rst`` when this end opened, closed
    and reset; ``seen`` when its first packet was captured, with or without bytes, and ``last`` when
    it last sent bytes that were new.  ``lost`` counts the bytes of it that the capture does not
    have, ``unseen`` those of them that were behind all others: the other end acknowledged them.
    ``acked`` is how many bytes of it the other end acknowledged, also where no packet of it was
    seen: then from the first acknowledgement on, and perhaps one more than there were, for its
    FIN.

    ``broke`` is where in it bytes of Thrift could first not be read, -1 if all could; ``why`` says
    what is wrong there.  What the capture lost is no such place.  ``begun`` counts its last bytes
    where they began something that never came whole, too little of it to tell what.
    """

    FIRST: ClassVar = 256

    __slots__ = (
        "acked",
        "begun",
        "broke",
        "detection",
        "fin",
        "first",
        "from_start",
        "last",
        "lost",
        "rst",
        "seen",
        "syn",
        "unseen",
        "why",
    )

    def __init__(self) -> None:
        self.begun = 0
        self.broke = -1
        self.why = ""
        self.first = b""
        self.from_start = False
        self.detection: Detection | None = None
        self.syn = -1
        self.fin = -1
        self.rst = -1
        self.seen = -1
        self.last = -1
        self.lost = 0
        self.unseen = 0
        self.acked = 0

    @property
    def is_seen(self) -> bool:
        """Has the capture any packet of this end?"""
        return self.seen >= 0


class Structs(Facts):
    """Structs without a message that a client posts over HTTP, as OpenTelemetry's exporter for
    Jaeger does: ``count`` of them, each of which ``protocol`` reads whole; ``statuses`` says how
    many answers had which status."""

    __slots__ = ("count", "protocol", "statuses")
    __match_args__: ClassVar = ("count", "protocol", "statuses")

    def __init__(self, protocol: Protocol) -> None:
        self.count = 0
        self.protocol = protocol
        self.statuses: dict[int, int] = {}

    def facts(self) -> tuple[object, ...]:
        return (self.count, self.protocol, tuple(sorted(self.statuses.items())))


class Flow(Shown):
    """One connection (for UDP: two ends that talk), both directions of it.

    ``client`` is who sent the SYN; without one, who sent the first CALL; else the end with
    the higher port.  ``opened``: its first packet was captured.  ``ended`` is "", "FIN" (both
    directions closed) or "RST".  ``sent`` and ``received`` count the client's and the server's
    stream bytes, ``lost`` those of both that the capture does not have.  ``began`` and ``last``
    are the times of its first and its last packet; ``from_client`` and ``from_server`` say what
    each end did.  ``proxied`` is the client for whom a proxy connected, where a PROXY header says
    so.  ``structs``: a client posts structs without a message over HTTP.

    ``unreachable`` is None, or what an ICMP error said of its packets: when, who said it, and what
    ("port unreachable").  ``copy_of`` is 0, or the number of the connection that this one is: the
    capture saw it before and behind a NAT.
    """

    __slots__ = (
        "began",
        "client",
        "copy_of",
        "detection",
        "ended",
        "findings",
        "from_client",
        "from_server",
        "last",
        "lost",
        "number",
        "opened",
        "protocol",
        "proxied",
        "received",
        "sent",
        "server",
        "structs",
        "unreachable",
    )

    def __init__(self, number: int, protocol: int, client: Endpoint, server: Endpoint) -> None:
        self.number = number
        self.protocol = protocol
        self.client = client
        self.server = server
        self.opened = False
        self.ended = ""
        self.began = -1
        self.last = -1
        self.from_client = Half()
        self.from_server = Half()
        self.sent = 0
        self.received = 0
        self.lost = 0
        self.unreachable: tuple[int, str, str] | None = None
        self.copy_of = 0
        self.detection: Detection | None = None
        self.findings: list[Finding] = []
        self.proxied: Endpoint | None = None
        self.structs: Structs | None = None

    def __repr__(self) -> str:
        return f"<Flow {self.number}: {self.client} → {self.server}>"


class Step:
    """What one packet did: the row of a ladder.

    ``segment`` and ``flow`` are None for a packet that holds neither TCP nor UDP.
    ``remark`` is "" or says what is odd about the segment ("retransmission", "out of order",
    "overlap", "keep-alive"; "stray": of another connection; "copy": captured before, elsewhere).
    ``messages`` are those that became complete with this packet.
    The last Step of a capture may have no packet: it brings what ended with the capture.
    """

    __slots__ = ("flow", "from_client", "messages", "packet", "remark", "segment")

    def __init__(
        self,
        packet: Packet | None,
        segment: Segment | None,
        flow: Flow | None,
        from_client: bool,
        remark: str,
        messages: tuple[Message, ...],
    ) -> None:
        self.packet = packet
        self.segment = segment
        self.flow = flow
        self.from_client = from_client
        self.remark = remark
        self.messages = messages


# ── calls: exchanges, notes ──────────────────────────────────────────────────────────


class Outcome(IntEnum):
    """How an Exchange ended.

    ``failed`` are those where the caller did not get what the method returns; ``unclear`` those of
    which the capture does not tell: its end, a loss, or bytes that could not be read are in the
    way.  The rest went well.
    """

    SUCCESS = 0
    DECLARED_EXCEPTION = 1  # one that the IDL names: field n of the result
    APPLICATION_EXCEPTION = 2  # the server's own: TApplicationException
    ONEWAY = 3  # no reply was asked for; or none is ever given, and it was sent as CALL
    NO_REPLY = 4  # none came, and nothing tells why
    NO_CALL = 5  # the capture has the reply alone
    UNREADABLE = 6  # what the server sent cannot be read
    WAITING = 7  # the capture ended before anything else did
    CLOSED_BY_SERVER = 8  # it closed and did not answer: so does a handler that crashed
    CLOSED_BY_CLIENT = 9  # it gave up and closed
    RESET_BY_SERVER = 10
    RESET_BY_CLIENT = 11
    LOST = 12  # bytes that the capture lost are where the reply would be
    LATE = 13  # it came when the client had given up: had closed, or sent its next call
    OUT_OF_SEQUENCE = 14  # the client took the late reply to an earlier call for this one's

    @property
    def failed(self) -> bool:
        return self in _FAILED

    @property
    def unclear(self) -> bool:
        return self in _UNCLEAR


_UNCLEAR: Final = frozenset(
    {Outcome.NO_CALL, Outcome.UNREADABLE, Outcome.WAITING, Outcome.LOST, Outcome.NO_REPLY}
)
_FAILED: Final = frozenset(Outcome) - _UNCLEAR - {Outcome.SUCCESS, Outcome.ONEWAY}


class Exchange(Shown):
    """A call with its reply.  One of them may be missing, never both.

    ``fate`` is how it ended, once that is settled; None before.  ``ended`` is when the waiting
    for a reply that never came was over (-1: not known): when the connection was closed or reset,
    or the capture's last packet of it.  ``misled_by`` is the number of the exchange whose reply
    the client read, or may have read, as this one's; of a reply to a oneway call, that call's; 0
    for none.  ``why`` adds a few words to the outcome where they help, else "".
    """

    __slots__ = ("call", "ended", "fate", "misled_by", "number", "reply", "why")

    def __init__(self, number: int, call: Message | None, reply: Message | None = None) -> None:
        self.number = number
        self.call = call
        self.reply = reply
        self.fate: Outcome | None = None
        self.ended = -1
        self.misled_by = 0
        self.why = ""

    @property
    def first(self) -> Message:
        """The call; the reply where the call was not captured."""
        message = self.call if self.call is not None else self.reply
        assert message is not None
        return message

    @property
    def method(self) -> str:
        return self.first.method

    @property
    def flow(self) -> int:
        """The number of its connection."""
        return self.first.flow

    @property
    def time(self) -> int:
        """When it began: the time of its first packet that was captured."""
        return self.first.time

    @property
    def sent(self) -> int:
        """The call's bytes on the wire; 0 where it was not captured."""
        return 0 if self.call is None else self.call.size

    @property
    def received(self) -> int:
        """The reply's bytes on the wire; 0 where there is none."""
        return 0 if self.reply is None else self.reply.size

    @property
    def latency(self) -> int | None:
        """Nanoseconds from the call's first packet to the reply's last: what the caller
        waited, as seen where the packets were captured.  None without both."""
        if self.call is None or self.reply is None:
            return None
        return self.reply.end_time - self.call.time

    @property
    def waited(self) -> int | None:
        """Nanoseconds until the reply came, or until it was clear that none would; None if
        that is not known."""
        if self.reply is not None or self.ended < 0 or self.call is None:
            return self.latency
        return self.ended - self.call.time

    @property
    def outcome(self) -> Outcome:
        if self.fate is not None:
            return self.fate
        if self.reply is None:
            assert self.call is not None
            return Outcome.ONEWAY if self.call.type is MessageType.ONEWAY else Outcome.NO_REPLY
        if self.call is None:
            return Outcome.NO_CALL
        return self.answer

    @property
    def answer(self) -> Outcome:
        """What the reply alone says: see ``Message.answer``."""
        assert self.reply is not None
        return self.reply.answer

    @property
    def faulty(self) -> tuple[Message, ...]:
        """Those of its messages that cannot be read to their end, or behind which bytes are left
        over: their ``faults`` say more."""
        both = (self.call, self.reply)
        return tuple(one for one in both if one is not None and one.fault is not None)

    @property
    def exception(self) -> str:
        """Which exception came back, "" if none did.  A TApplicationException has the name of
        its type ("UNKNOWN_METHOD"), or "type 77"; HTTP's refusal is "HTTP 401 Unauthorized"; a
        declared one has what the IDL calls its type,
        or without an IDL the field's number ("1")."""
        if self.reply is None:
            response = None if self.call is None else self.call.response
            return "" if response is None or response.is_good else str(response)
        answer = self.answer
        if answer is Outcome.DECLARED_EXCEPTION:
            for field in self.reply.body.fields:
                named = str(field.field_id) if field.name is None else field.name
                return field.value.label or named
        if answer is not Outcome.APPLICATION_EXCEPTION:
            return ""
        error = self.reply.family.error(self.reply.body)
        if error.name or error.number is not None:
            return error.name or f"type {error.number}"
        is_lost = self.reply.gaps or self.reply.cut
        return "its type is lost" if is_lost else "UNKNOWN"

    def __repr__(self) -> str:
        return f"<Exchange {self.number}: {self.method!r}, {self.outcome.name}>"


class Note(Facts):
    """An explained run of bytes.

    ``kind`` is one of frame, header, field, size, value, stop, lost, unread: what sort of
    bytes they are, for colour and for filters.  ``label`` names them ("method name
    length"), ``meaning`` says what they say ("4"), ``why`` adds a sentence where one helps,
    else "".  ``depth`` is 0 for a frame's length and a header, 1 for fields of the outer
    struct, and so on.  ``path`` names the value that they belong to: (1,) is field 1,
    (1, 3) is field 3 of the struct in field 1.
    """

    __slots__ = ("depth", "kind", "label", "meaning", "path", "span", "why")
    __match_args__: ClassVar = ("span", "kind", "label", "meaning", "why", "depth", "path")

    def __init__(
        self,
        span: Span,
        kind: str,
        label: str,
        meaning: str,
        why: str = "",
        depth: int = 0,
        path: tuple[int, ...] = (),
    ) -> None:
        self.span = span
        self.kind = kind
        self.label = label
        self.meaning = meaning
        self.why = why
        self.depth = depth
        self.path = path

    def facts(self) -> tuple[object, ...]:
        return (self.span, self.kind, self.label, self.meaning, self.why, self.depth, self.path)
