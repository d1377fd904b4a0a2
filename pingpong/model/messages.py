"""Messages, the encodings of their values, what carries them, and what they mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from mypy_extensions import mypyc_attr

from .note import Note
from .outcomes import Outcome
from .packets import Gap
from .places import Endpoint, Facts, Finding, Severity, Span
from .shown import Shown
from .values import (
    DEFAULT_LIMITS,
    LETTER,
    Build,
    Entries,
    Field,
    Items,
    Limits,
    Listener,
    Run,
    Struct,
    Value,
    tell,
)

if TYPE_CHECKING:
    # A number that fits into 64 bits: in compiled code, one of the machine's own.
    from mypy_extensions import i64

__all__ = [
    "CUT_CLOSED",
    "CUT_ENDED",
    "CUT_LOST",
    "DIFFERENCES",
    "DIFFERS",
    "MESSAGE_TYPES",
    "NOT_TOLD",
    "NO_FIELD",
    "Carrier",
    "Difference",
    "Differences",
    "Error",
    "Family",
    "HeadMasks",
    "Header",
    "Message",
    "MessageType",
    "Messages",
    "Metadatum",
    "Naming",
    "Protocol",
    "Pulse",
    "Record",
    "Repeated",
    "Response",
    "Skipper",
    "Stretch",
]


class MessageType(IntEnum):
    """What a message is to its call.

    The first four are doc/specs/thrift-binary-protocol.md's, with their numbers.  A PART is one of
    the messages of a stream, besides the CALL that opened it and the REPLY that ends it.  An EVENT
    belongs to the connection and to no call: a heartbeat, a setting, a GOAWAY.
    """

    CALL = 1
    REPLY = 2
    EXCEPTION = 3
    ONEWAY = 4
    EVENT = 5
    PART = 6


class Pulse(IntEnum):
    """What an EVENT is to the connection, where a verdict may rest on it.

    ASK and ANSWER are a heartbeat that wants an answer, and that.  With LEAVE an end says that it
    takes no more calls (Dubbo's readonly), and with STAY that it does again.
    """

    NONE = 0
    ASK = 1
    ANSWER = 2
    LEAVE = 3
    STAY = 4


# By number: looking into a list is faster than calling an Enum.
MESSAGE_TYPES: Final = [MessageType.CALL, *MessageType]


class Header(Facts):
    r"""The part of a message before its struct: method, type, seqid.

    ``span`` covers all of it; ``method_span`` only the method's name.  Bytes of a method that are
    not UTF-8 become ``\xff``.
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
        self.method: Final = method
        self.type: Final = type
        self.seqid: Final = seqid
        self.strict: Final = strict
        self.span: Final = span
        self.method_span: Final = method_span

    def facts(self) -> tuple[object, ...]:
        return (self.method, self.type, self.seqid, self.strict, self.span, self.method_span)


class Metadatum(Facts):
    r"""What a message says besides its values: a header, an attachment, a key with its value.

    ``span`` is where it is in the message's ``data``.  ``name`` or ``value`` is None if it is not
    known, because the bytes refer to something from before the capture; ``why`` then says so.
    Bytes that are not UTF-8 become ``\xff``.
    """

    __slots__ = ("name", "span", "value", "why")
    __match_args__: ClassVar = ("name", "value", "span", "why")

    def __init__(self, name: str | None, value: str | None, span: Span, why: str = "") -> None:
        self.name: Final = name
        self.value: Final = value
        self.span: Final = span
        self.why: Final = why

    def facts(self) -> tuple[object, ...]:
        return (self.name, self.value, self.span, self.why)


# In the place of an offset, for bytes that do not stand on the wire: below any that do.
NOWHERE: Final = -(1 << 62)


class Stretch(Facts):
    """A part of a message's ``data`` and where it is on the wire.

    It begins at ``start`` of the data and is ``size`` bytes long; ``offset`` is its place in the
    direction of the connection, NOWHERE if it does not stand there like this, because it was
    packed.  What was sent before a SYN that was captured late has places below 0.  ``what`` says in
    a word what it is ("frame", "body").
    """

    __slots__ = ("offset", "size", "start", "what")
    __match_args__: ClassVar = ("start", "size", "offset", "what")

    def __init__(self, start: int, size: int, offset: int, what: str) -> None:
        self.start: Final = start
        self.size: Final = size
        self.offset: Final = offset
        self.what: Final = what

    @property
    def is_packed(self) -> bool:
        """Whether its bytes stand nowhere on the wire: they were unpacked from others."""
        return self.offset == NOWHERE

    def facts(self) -> tuple[object, ...]:
        return (self.start, self.size, self.offset, self.what)


class Skipper(ABC):
    """Finds where a message ends without building it, however its bytes are cut."""

    __slots__ = ()

    @abstractmethod
    def advance(self, data: bytes | bytearray, stop: int) -> int:
        """Read on, up to the end of ``data[:stop]``.

        Returns the offset after the message once it is there, else -1: call again with more.
        Offsets do not change between calls.  Raises DecodeError for bytes that no message could
        have.
        """

    @abstractmethod
    def known_until(self) -> int:
        """Up to which offset the bytes are a value of known size: a string's rest, a number's.

        A Gap that ends there does not hide where the message goes on.
        """


class Protocol(ABC):
    """value ↔ bytes: binary, compact, JSON.  One object each, without state.

    What others have to know about it is stated here, so that nobody needs its name.  ``title`` is
    its name in a sentence, ``classes`` what programs call it.  ``is_text``: its bytes are text.
    ``has_names``: its fields have names and no ids.  ``is_marked``: a message begins with a mark
    that hardly anything else begins with.  ``is_raw``: nobody says what its bytes mean.
    """

    name: str
    title: str
    classes: str
    is_text: bool = False
    has_names: bool = False
    is_marked: bool = False
    is_raw: bool = False

    @property
    def variant_of(self) -> Protocol | None:
        """The protocol with the same structs and a marked header; None if this is no variant."""
        return None

    @abstractmethod
    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        """Return the header at ``data[start:stop]``.  Raises DecodeError (Incomplete if cut)."""

    def oddity(self, header: Header) -> Finding | None:
        """Return what is odd about a header that could be read; None: nothing."""
        return None

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
        """Tell ``listener`` about the struct at ``data[start:stop]``, as far as it can be read.

        It is also told what is wrong with the struct, or after it.  Raises nothing.  Bytes inside
        ``gaps`` are not looked at.
        """

    def read_struct(
        self, data: bytes, start: int, stop: int, gaps: tuple[Gap, ...], limits: Limits
    ) -> Struct:
        """Build the struct at ``data[start:stop]``: see ``walk``."""
        build = Build()
        self.walk(data, start, stop, gaps, limits, build)
        return build.body

    @abstractmethod
    def skipper(self, start: int, limits: Limits) -> Skipper:
        """Return a Skipper for the message (header and struct) that begins at ``start``."""

    def whole_header(self, data: bytes, at: i64, stop: i64, into: i64) -> Header | None:
        """Return the header at ``data[at:stop]``, if all of it is there and nothing is odd.

        The short way for complete messages.  None: ask ``read_header``.  The message begins
        ``into`` bytes before ``at``: the header's offsets count from there.
        """
        return None

    def struct_end(self, data: bytes, at: i64, stop: i64, limits: Limits) -> i64:
        """Return where the struct at ``data[at:stop]`` ends; -1: ask a Skipper.

        The short way for a struct that is completely there and that a Skipper would pass.
        """
        return -1

    def first_field(self, data: bytes, start: int) -> int:
        """Return the id of the first field of the complete struct at ``start``.

        The short way to what a reply brings.  NO_FIELD if it has none; NOT_TOLD: read the struct.
        """
        return NOT_TOLD

    @abstractmethod
    def notes(self, record: Record) -> list[Note]:
        """Return a note for every byte of ``record``, in order; a message's from its header on."""

    @abstractmethod
    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        """Return what may take the place of a value in ``data`` that is not a container.

        It tells nothing but how many bytes the value took, and whoever reads it finds the same
        places.  ``field`` has the value; None for an element.  ``is_key``: it is a map's key.
        """

    @abstractmethod
    def blank(self, data: bytes) -> bytes:
        """Return what may take the place of bytes that belong to no value.

        It is as long, and neither a type nor a text, so that what was not a message does not become
        one.
        """

    def mask_header(self, header: Header) -> tuple[list[Run], Header]:
        """Return the masks for a header whose method may be any bytes, and the masked header."""
        name = header.method_span
        text = LETTER * len(name)
        masked = text.decode()
        after = Header(masked, header.type, header.seqid, header.strict, header.span, name)
        return [(name.start, text)], after


# What ``Protocol.first_field`` returns if there is no such id: more than an i16 can hold.
NO_FIELD: Final = 1 << 16

NOT_TOLD: Final = 1 << 17


class HeadMasks(NamedTuple):
    """What is to be masked in the bytes before a message.

    ``packed`` is the offset in the message's data from which the bytes differ from those on the
    wire, because they were packed; -1: none do.  ``values`` is a struct whose values are all to be
    masked.  ``keeps`` are places among the message's own values that stay, whatever is selected:
    its names, and how its result begins.
    """

    runs: list[Run]
    packed: int = -1
    values: Record | None = None
    keeps: tuple[Span, ...] = ()


class Error(Facts):
    """What the framework itself says about a call that failed.

    ``name`` and ``number`` are its kind ("UNKNOWN_METHOD", 1), "" and None if it has no known kind;
    ``kind`` and ``text`` are the values that say so, None if they are absent.  ``is_own``: it says
    that the service's own code failed so, not the framework; None if it does not say which.
    """

    __slots__ = ("is_own", "kind", "name", "number", "text")
    __match_args__: ClassVar = ("name", "number", "kind", "text", "is_own")

    def __init__(
        self,
        name: str,
        number: int | None,
        kind: Value | None,
        text: Value | None,
        is_own: bool | None = None,
    ) -> None:
        self.name: Final = name
        self.number: Final = number
        self.kind: Final = kind
        self.text: Final = text
        self.is_own: Final = is_own

    @property
    def said(self) -> str:
        """What it says in words; "" if it says nothing, or if that is masked."""
        return "" if self.text is None or self.text.redacted else self.text.text or ""

    def facts(self) -> tuple[object, ...]:
        return (self.name, self.number, self.kind, self.text, self.is_own)


class Family(ABC):
    """What the messages of a family of RPC mean, in any encoding.  Its objects have no state."""

    name: str
    title: str = "RPC"  # in a sentence: "Thrift", "gRPC"
    error_title: str  # an EXCEPTION, in a sentence: "a TApplicationException"
    # What a method may throw, in a sentence: an IDL names each of them, or nothing does.
    thrown_title: str = "an exception that the IDL declares"
    has_idl: bool = True
    # An EXCEPTION is a status, gRPC's or HTTP's; only HTTP's.
    has_statuses: bool = False
    is_http: bool = False
    # Where its clients set how long they wait, after the words "its timeout is set".
    timeouts_in: str = "in the client"
    # What a program gets whose client has waited long enough.
    overdue: str = "a timeout"
    # How long they wait where nothing is set (ns; -1: nobody can say), and who does, in words.
    usual_wait: int = -1
    usual_waiter: str = ""
    # Why they may wait otherwise than ``patience`` says, a sentence, or "".
    patience_doubt: str = ""
    # How a handler fails without telling the caller why; and what to do about that, or "".
    undeclared: str = "in a way that is not told"
    exception_advice: str = ""
    # HTTP may carry its calls as well, so that HTTP may be meant for such a server.
    goes_by_http: bool = False
    # Servers answer a call whose handler failed, and do not close upon it.
    answers_failures: bool = False
    # A reply's struct has the method's result in one field, and exceptions in others.
    has_results: ClassVar[bool] = True
    # What surrounds a reply's values says whether the method threw; else it is among them.
    tells_outcome: ClassVar[bool] = True

    @abstractmethod
    def outcome(self, reply: Message) -> Outcome:
        """Say how a readable reply ended: SUCCESS, DECLARED_EXCEPTION or APPLICATION_EXCEPTION.

        UNREADABLE if so much of it is lost that it says nothing.
        """

    @abstractmethod
    def error(self, exception: Message) -> Error:
        """Return what an EXCEPTION, the framework's own, says."""

    @property
    def usual(self) -> Protocol | None:
        """The protocol that nearly all of its servers speak; None if nothing can be assumed."""
        return None

    def parts(self, method: str) -> tuple[str, str]:
        """Return the service that a method belongs to, and its name in that service.

        "" for a service that the wire does not name.
        """
        return "", method

    def patience(self, call: Message) -> int:
        """Return how long the caller says it will wait for the answer (ns); -1: it does not say."""
        return -1

    def unread(self, message: Message) -> str:
        """Return how the values of a message are written, if that is named and not read here.

        "" if it is read.  See ``tells_outcome``, too.
        """
        return ""

    def is_upgrade(self, method: str) -> bool:
        """Say whether a call of that method asks about the connection, not the service."""
        return False

    def is_result(self, field: Field) -> bool:
        """Say whether, in a reply's outermost struct, it is what the method returned.

        If a message is one value, that is field 0.
        """
        return field.field_id == 0

    def kind_at(self, exception: Message) -> int:
        """Return where, among its values, an EXCEPTION says of which kind it is; -1: nowhere.

        Only if that is a number or a word of the framework's own: it stays where values are masked.
        """
        return -1

    def numbered(self, path: tuple[int, ...], number: int) -> tuple[str, str]:
        """Return the name of a number at that place in an EXCEPTION, and a sentence about it.

        "" and "" for a number to which the framework gives no name.
        """
        return "", ""


# Not compiled into a class of C: those cannot be text.  Compiled code knows its subclasses only if
# they are compiled with it; and it evaluates the annotations here when it is loaded, so Family has
# to be defined before.
@mypyc_attr(native_class=False)
class Carrier(str):
    """What carries messages: the name of a transport, and what others have to know about it.

    They are facts, so that nobody compares the name.

    ``family`` knows what its messages mean.  ``around`` is what surrounds the messages, in a
    sentence ("HTTP", "datagrams"); "" if the name says how they are written ("framed").
    ``classes`` is what programs call it, "" if they call it by its name.

    ``answers_always``: something answers each message, even a oneway one, and in their order.
    ``negotiates``: the ends settle who they are before the first message.  ``is_datagram``: each
    message comes alone, or not at all.  ``is_plain``: at most a length precedes a message;
    ``has_length``: one does.  ``other`` is then the plain one with the opposite ``has_length``, and
    ``plain`` are both, for those who have to choose one.  ``is_headed``: messages are preceded by
    heads that only servers made for them can read; ``reads_others``: those servers also answer
    clients that speak otherwise.

    ``has_ids``: each call has an id of its own, by which its reply is known, in whatever order they
    come.  ``is_two_way``: either end may begin a call, so that its type does not tell who sent it.
    ``is_woven``: pieces of several messages are interleaved.  ``teaches``: some messages say what
    services and messages there are: see ``learn``.

    ``id_name`` is what a message's ``seqid`` is called.

    ``addresses`` are the names of metadata, in lower case, that say what is called: service,
    method, host.  ``measures`` are those that say where a message ends.

    ``leans``: its bytes say nothing without earlier ones.  ``resumes``: it can be picked up in
    mid-stream; ``may_be_inside``: what was found there may be the inside of something larger.
    ``inner``: what its messages are in once the ends have negotiated, so that a search looks for
    that.  ``is_shut``: if messages are packed, no byte of them may be shown, since any of them may
    depend on a secret.
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
    is_two_way: ClassVar[bool] = False
    is_woven: ClassVar[bool] = False
    teaches: ClassVar[bool] = False
    has_ids: ClassVar[bool] = False
    id_name: ClassVar[str] = "seqid"
    addresses: ClassVar[frozenset[str]] = frozenset()
    measures: ClassVar[frozenset[str]] = frozenset()
    leans: ClassVar[bool] = False
    resumes: ClassVar[bool] = True
    may_be_inside: ClassVar[bool] = False
    is_shut: ClassVar[bool] = False

    @property
    def other(self) -> Carrier | None:
        """The plain transport that differs only in ``has_length``; None if it is not plain."""
        return None

    @property
    def plain(self) -> tuple[Carrier, ...]:
        """Both plain transports of its family, () if it has none."""
        return ()

    @property
    def inner(self) -> Carrier | None:
        """What its messages are in after the negotiation; None if it does not negotiate."""
        return None

    def learn(self, message: Message, known: object) -> object:
        """Return ``known`` (Definitions or None) plus what a message says about services.

        None if it says nothing new.
        """
        return None

    @property
    def in_datagram(self) -> Carrier:
        """Return the carrier of a message that came in this one, alone in a datagram."""
        return self

    def notes(self, message: Message) -> list[Note]:
        """Return the notes for what precedes a message's header or follows its values, in order."""
        start = message.header.span.start
        if not start:
            return []
        size = "1 byte" if start == 1 else f"{start} bytes"
        return [Note(Span(0, start), "frame", "before the message", size)]

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        """Return what a message says besides its values."""
        return ()

    def pulse(self, name: str, data: bytes) -> Pulse:
        """What an EVENT of that name, whose bytes are ``data``, is to the connection."""
        return Pulse.NONE

    def is_open(self, method: str) -> bool:
        """Say whether a method's name may be shown that is not in the message's header."""
        return True

    def masked(self, message: Message) -> object:
        """Return ``message.kept`` as it may be shown, once the message was masked."""
        return None

    def masks(self, message: Message) -> HeadMasks:
        """Return what to mask before the message's header; everything, if it is not understood."""
        return HeadMasks([(0, b"\x80" * message.header.span.start)])

    def line_masks(self, lines: tuple[tuple[int, bytes], ...]) -> list[Run]:
        """Return what to mask in its own bytes between those of a message: see ``Unit.lines``."""
        return [(at, bytes(len(text))) for at, text in lines]

    def own_bytes(
        self, data: bytes, start: int, lines: tuple[tuple[int, bytes], ...]
    ) -> tuple[list[tuple[int, int]], list[Run]]:
        """Return the transport's own bytes in a unit without a message, and the masks in them.

        The bytes are given as places; ``data``, ``start`` and ``lines`` are the unit's.  What they
        surround is not for others to see.
        """
        return [], []


class Difference(Facts):
    """A place where the wire is not what the IDL says.

    ``kind`` is one of DIFFERENCES; ``place`` is where it is in the IDL ("User, field 7"); ``words``
    continue that ("is not in the IDL").  ``brief`` is shown beside the value: what the IDL says
    there ("no such field").  ``offset`` is the field's, the value's, the header's; for what a
    struct lacks or has too much of, it is that of the STOP, where this is settled.  ``times`` is
    more than 1 only if a message has very many of them: it then stands for those of its kind that
    are not listed.
    """

    __slots__ = ("brief", "kind", "offset", "place", "times", "words")
    __match_args__: ClassVar = ("kind", "place", "words", "brief", "offset", "times")

    def __init__(
        self, kind: str, place: str, words: str, brief: str, offset: int, times: int = 1
    ) -> None:
        self.kind: Final = kind
        self.place: Final = place
        self.words: Final = words
        self.brief: Final = brief
        self.offset: Final = offset
        self.times: Final = times

    def facts(self) -> tuple[object, ...]:
        return (self.kind, self.place, self.words, self.brief, self.offset, self.times)

    def once_more(self) -> Difference:
        """Return the same, for one place more."""
        times = self.times + 1
        return Difference(self.kind, self.place, self.words, self.brief, self.offset, times)

    @property
    def text(self) -> str:
        """Return one sentence, with the offset."""
        return f"{self.place} at offset {self.offset}: {self.words}"


# What precedes the IDL's word, beside a value that differs.
DIFFERS: Final = "≠ IDL:"

# The kinds, in the order in which a report lists them.
DIFFERENCES: Final = ("method", "oneway", "unknown field", "type", "missing", "union", "enum")


class Naming(ABC):
    """Knows the names of what is in a Record: see ``protocols.families.thrift.names``.

    ``label`` is the IDL's name for a struct that is not in a message, else "".
    """

    label: str = ""

    @abstractmethod
    def give_names(self, record: Record, body: Struct) -> tuple[Struct, tuple[Difference, ...]]:
        """Return ``body`` with names for its fields and values, and where it differs from the IDL.

        It may be another struct than the given one, if the bytes say more with the IDL.
        """


def _mark(struct: Struct, starts: frozenset[int]) -> None:
    """Mark the values that begin at ``starts`` as masked."""
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
    """A struct that is not in a message: in a file, a Kafka value, a Parquet footer.

    ``data`` has all of its bytes; every offset in its fields, notes and findings counts from the
    first byte of ``data``.  The struct is from ``start`` to ``stop``.  Bytes in ``gaps`` were lost,
    and ``data`` has filler there that nothing reads or shows.  ``redacted`` is where the masked
    values begin.

    The struct is read when somebody looks at ``fields``, ``body`` or ``findings``.  If there are
    ``names`` (an IDL's), it gets them then.
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
        "stop",
    )

    def __init__(
        self,
        *,
        data: bytes,
        protocol: Protocol,
        start: int = 0,
        stop: int = -1,
        gaps: tuple[Gap, ...] = (),
        listed: tuple[Finding, ...] = (),
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.data = data
        self.protocol = protocol
        self.start = start
        self.stop = len(data) if stop < 0 else stop
        self.gaps = gaps
        self.listed = listed
        self.limits = limits
        self.redacted: frozenset[int] = frozenset()
        self._told: tuple[Finding, ...] | None = None  # findings from before it was masked
        self._body: Struct | None = None
        self._names: Naming | None = None
        self._differences: tuple[Difference, ...] = ()
        self._is_sound = False

    @property
    def body(self) -> Struct:
        """The struct: after a message's header, a CALL's arguments or a REPLY's result."""
        if self._body is None:
            body = self.protocol.read_struct(
                self.data, self.start, self.stop, self.gaps, self.limits
            )
            if self._names is not None:
                body, self._differences = self._names.give_names(self, body)
            if self.redacted:
                _mark(body, self.redacted)
                # A mask is not a value that is missing from an enum.
                self._differences = tuple(
                    one for one in self._differences if one.offset not in self.redacted
                )
            if self._told is not None:
                # Instead of those about masks.
                body = Struct(body.fields, body.stop, self._told)
            self._body = body
        return self._body

    def begin(self, values: int) -> Struct:
        """Return the first ``values`` values of the struct, or all of it, for short views.

        The rest of a long struct is not read, and nothing is kept.
        """
        if self._body is not None or self.stop - self.start <= 16 * values:
            return self.body
        few = Limits(
            self.limits.depth,
            self.limits.frame,
            self.limits.message,
            self.limits.unpacked,
            min(values, self.limits.values),
        )
        body = self.protocol.read_struct(self.data, self.start, self.stop, self.gaps, few)
        if self._names is not None:
            body, _ = self._names.give_names(self, body)
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
        """Replace the bytes by masked ones of the same length.

        ``listed`` is what may still be said about them, and ``told`` about the struct, if they were
        not sound.
        """
        self.data = data
        self._is_sound = False
        self.redacted = redacted
        self.listed = listed
        self._told = told
        self.forget()

    @property
    def is_read(self) -> bool:
        """Whether somebody has looked, so that its fields are in memory."""
        return self._body is not None

    @property
    def names(self) -> Naming | None:
        """The naming for its fields; None without one."""
        return self._names

    def use_names(self, names: Naming | None) -> None:
        """Let its fields have these names."""
        self._names = names
        self.forget()

    def tell(self, listener: Listener) -> None:
        """Tell ``listener`` about the struct, with its names, and about what is wrong with it.

        If the bytes say everything, they are walked over, and no value is built.
        """
        is_plain = self._names is None and not self.redacted and self._told is None
        if self._body is None and is_plain:
            self.protocol.walk(self.data, self.start, self.stop, self.gaps, self.limits, listener)
            self._is_sound = not listener.findings
        else:
            tell(self.body, self.start, listener)

    @property
    def is_sound(self) -> bool:
        """Say whether there is nothing odd about its struct: faster than ``body.findings``."""
        if self._is_sound:
            return True
        if self._body is None and self._told is None:
            judge = Listener()
            self.protocol.walk(self.data, self.start, self.stop, self.gaps, self.limits, judge)
            self._is_sound = not judge.findings
            return self._is_sound
        return not self.body.findings

    def forget(self) -> None:
        """Drop the fields that were read; they are read again when somebody looks."""
        self._body = None
        self._differences = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """The outermost struct's fields, in order: an argument, a result or an exception each."""
        return self.body.fields

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What is odd about its bytes, each once.

        That is what listing it found (``listed``) and what reading its fields did.
        """
        if self.is_sound:
            return self.listed
        return self.listed + tuple(f for f in self.body.findings if f not in self.listed)

    @property
    def fault(self) -> Finding | None:
        """The first ERROR among its faults, None if there is none.

        It cannot be read to its end, or bytes are left over.  A sound record needs one walk over
        its bytes that builds nothing.
        """
        if self._body is None and not self.gaps and not self.listed and self._told is None:
            end = self.protocol.struct_end(self.data, self.start, self.stop, self.limits)
            if end == self.stop:
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
        """What to show beside a value: the IDL's word, by the offset of the difference."""
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
        """Everything odd about it: its faults, and where it is not what the IDL says.

        What differs in the same way again and again is one finding.
        """
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
    """HTTP's answer to a request with a call in it, if it has no message, or the call is oneway.

    For example an empty 200, a 401, a page.  ``status`` and ``reason`` are from its status line;
    ``content_type`` and ``size`` are its body's.  ``text`` is how that begins, "" if it is not
    text.  ``offset`` is its place in the server's direction, ``time`` that of the packet with its
    first byte.
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
        self.status: Final = status
        self.reason: Final = reason
        self.content_type: Final = content_type
        self.size: Final = size
        self.text: Final = text
        self.offset: Final = offset
        self.time: Final = time

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

    def placed(self, offset: int, time: int) -> Response:
        """Return the same, with its place and its time."""
        said = (self.status, self.reason, self.content_type, self.size, self.text)
        return Response(*said, offset, time)

    def bare(self) -> Response:
        """Return the same without what its server chose to say."""
        return Response(self.status, "", "", self.size, "", self.offset, self.time)

    @property
    def is_good(self) -> bool:
        """Whether it is a 2xx: without content, that is what a oneway call gets."""
        return 200 <= self.status < 300

    def __str__(self) -> str:
        return f"HTTP {self.status} {self.reason}".rstrip()


class Message(Record):
    """One message: what one end said in one call.

    ``number`` counts messages in the capture from 1; ``flow`` is its connection's number.  ``data``
    has all of its bytes, including a frame's length; every offset in its header, fields, notes and
    findings counts from the first byte of ``data``.  The capture lost the bytes in ``gaps``, and
    ``data`` has filler there that nothing reads or shows.  ``size`` counts its bytes on the wire,
    including a frame's length and lost ones; ``data`` is longer or shorter than that if the
    transport packs.  ``time`` and ``end_time`` are those of the packets with its first and its last
    byte; ``packets`` are the numbers of all that carried it.  ``offset`` is its place in its
    direction of the connection.

    ``cut`` is "" if its last byte is there; CUT_LOST, CUT_CLOSED or CUT_ENDED if the capture lost
    the rest, the connection was closed or reset before it, or the capture ended.  ``announced`` is
    then how many bytes it would have had, if its frame says that.  ``proxied`` is the client for
    whom a proxy connected, if a PROXY header names one.  ``response`` is HTTP's answer to a call,
    if there was no message in it; and to any oneway call: None there means that HTTP never
    answered.  ``layout`` says which bytes of ``data`` are where on the wire, if they are not there
    in one piece; () if they are.  ``end`` is what the transport itself said about how it ended
    ("reset: CANCEL"), else "".  ``kept`` is its transport's: what cannot be read from the bytes
    alone.
    ``tls`` says in what it was encrypted, if a key log opened that, else "": its ``offset`` then
    counts what was inside, and its packets are those in which one of its records ends.

    The struct is read when somebody looks at ``fields``, ``body`` or ``findings``.
    """

    __slots__ = (
        "_announced",
        "_packet",
        "_packets",
        "client",
        "cut",
        "end",
        "end_time",
        "flow",
        "from_client",
        "header",
        "kept",
        "layout",
        "number",
        "offset",
        "proxied",
        "response",
        "server",
        "size",
        "time",
        "tls",
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
        stop: int = -1,
    ) -> None:
        super().__init__(
            data=data,
            protocol=protocol,
            start=header.span.stop,
            stop=stop,
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
        self.tls = ""
        self.response: Response | None = None
        self.layout: tuple[Stretch, ...] = ()
        self.end = ""
        self.kept: object = None
        self._announced = 0
        # Most came in one packet: a number takes less memory than a tuple of it.
        self._packet = packets[0] if len(packets) == 1 else -1
        self._packets = () if len(packets) == 1 else packets

    @property
    def packets(self) -> tuple[int, ...]:
        """The numbers of the packets that carried it, in order."""
        return self._packets if self._packet < 0 else (self._packet,)

    @property
    def announced(self) -> int:
        """How many bytes it says it has on the wire: a frame's length, HTTP's Content-Length.

        More than ``size`` if it was cut off.
        """
        return max(self._announced, self.size)

    def cut_off(self, cut: str, announced: int) -> None:
        """Record that its end is missing: see ``cut``; ``announced``: 0 if unknown."""
        self.cut = cut
        self._announced = announced

    @property
    def method(self) -> str:
        """The method's name as on the wire, with its service if the wire has one."""
        return self.header.method

    @property
    def type(self) -> MessageType:
        """What it is to its call: CALL, REPLY, EXCEPTION, ONEWAY, PART or EVENT."""
        return self.header.type

    @property
    def seqid(self) -> int:
        """The number that call and reply share; its transport calls it ``transport.id_name``."""
        return self.header.seqid

    @property
    def service(self) -> str:
        """The service that its method belongs to, "" if the wire does not say."""
        return self.family.parts(self.header.method)[0]

    @property
    def bare_method(self) -> str:
        """The method's name without its service."""
        return self.family.parts(self.header.method)[1]

    @property
    def metadata(self) -> tuple[Metadatum, ...]:
        """What it says besides its values: headers, attachments, key/values, in order."""
        return self.transport.metadata(self)

    @property
    def family(self) -> Family:
        """The family that knows what it means: its transport carries one family's messages."""
        return self.transport.family

    @property
    def source(self) -> Endpoint:
        """The end that sent it."""
        return self.client if self.from_client else self.server

    @property
    def target(self) -> Endpoint:
        """The end that it was sent to."""
        return self.server if self.from_client else self.client

    @property
    def first_field(self) -> int:
        """Return the id of its first field, NO_FIELD if it has none.

        NOT_TOLD: only ``body`` can tell, because ids have names, or bytes are missing or odd.
        """
        if self.gaps or self.listed or self._body is not None:
            fields = self.body.fields
            if not fields:
                return NOT_TOLD if self.body.stop is None else NO_FIELD
            first = fields[0].field_id
            return first if first >= 0 else NOT_TOLD
        return self.protocol.first_field(self.data, self.start)

    @property
    def answer(self) -> Outcome:
        """What a reply alone says, in every protocol: SUCCESS, an exception, or UNREADABLE.

        It is UNREADABLE if its struct cannot be read to its end, or its sender ended the connection
        in the middle of it.  If only the capture lost some of it, its beginning still counts.
        """
        if self.cut == CUT_CLOSED or (not self.cut and not self.gaps and self.fault is not None):
            return Outcome.UNREADABLE
        return self.family.outcome(self)

    def let_go(self) -> None:
        """Drop the bytes of its struct, which nobody can read after that.

        Its header, sizes and times stay: a list of calls shows nothing else.
        """
        self.data = self.data[: self.start]
        self.stop = len(self.data)
        self.forget()

    def __repr__(self) -> str:
        return (
            f"<Message {self.number}: {self.type.name} {self.method!r} seqid {self.seqid}, "
            f"{self.size} bytes, {self.protocol.name} {self.transport}>"
        )


class Repeated(Facts):
    """A way in which the wire differs from the IDL: how often, and where first.

    ``times`` counts places, ``messages`` the messages that have them; ``first`` is the number of
    the first such message, ``difference`` the first such place in it.
    """

    __slots__ = ("difference", "first", "messages", "times")
    __match_args__: ClassVar = ("difference", "first", "messages", "times")

    def __init__(self, difference: Difference, first: int, messages: int, times: int) -> None:
        self.difference: Final = difference
        self.first: Final = first
        self.messages: Final = messages
        self.times: Final = times

    def facts(self) -> tuple[object, ...]:
        return (self.difference, self.first, self.messages, self.times)

    @property
    def offset(self) -> int:
        """Where the first of these places is in its message."""
        return self.difference.offset

    @property
    def text(self) -> str:
        """Return one sentence about one message."""
        more = f" ({self.times} times)" if self.times > 1 else ""
        return self.difference.text + more

    @property
    def summary(self) -> str:
        """Return one sentence about all messages."""
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

    No more than ``MOST`` ways are told apart, so that no input makes it large; ``more`` counts the
    places of all others.
    """

    MOST: ClassVar = 1000

    def __init__(self) -> None:
        self._ways: dict[tuple[str, str, str], Repeated] = {}
        self.more = 0

    def add(self, message: Message) -> None:
        """Record a message's differences, which reads it."""
        self.take(message.number, message.differences)

    def take(self, number: int, differences: tuple[Difference, ...]) -> None:
        """Record the differences of message ``number``."""
        seen: set[tuple[str, str, str]] = set()
        for one in differences:
            key = (one.kind, one.place, one.words)
            known = self._ways.get(key)
            if known is None and len(self._ways) >= self.MOST:
                self.more += one.times
                continue
            if known is None:
                known = Repeated(one, number, 0, 0)
            messages = known.messages + (key not in seen)
            times = known.times + one.times
            self._ways[key] = Repeated(known.difference, known.first, messages, times)
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
