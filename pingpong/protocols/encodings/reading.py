"""What the binary and the compact protocol have in common: only their numbers differ.

Both write a struct as fields up to a STOP, a string as a length and bytes, a container as a
head and its elements, one after the other.  So both are walked in the same two ways:

    Walker    finds where a message ends; keeps a stack and its place, and builds nothing
    Reader    builds values with their spans, as far as the bytes go

What is refused is refused here or by functions that both ways call, so that they agree.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from typing import TYPE_CHECKING, ClassVar, Final

from ...errors import DecodeError, Incomplete, LimitExceeded
from ...model import (
    Content,
    Entries,
    Field,
    Finding,
    Gap,
    Header,
    Items,
    Limits,
    MessageType,
    Severity,
    Skipper,
    Span,
    Struct,
    TType,
    Value,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "MAX_NAMES",
    "WANTED_MTYPES",
    "Heads",
    "Reader",
    "Walker",
    "add_finding",
    "cannot_write",
    "check_depth",
    "check_size",
    "method_name",
    "note_order",
    "too_many",
]

WANTED_MTYPES: Final = "one of " + ", ".join(f"{t.value} {t.name}" for t in MessageType)


def check_size(what: str, size: int, offset: int, limits: Limits, width: int) -> None:
    """A length or a count at ``offset``, in ``width`` bytes, that is below 0 or over the limit.

    An element takes a byte at least, so that the limit of a message also bounds a count.
    """
    if size < 0:
        raise DecodeError(what, offset, found=str(size), wanted="0 or more", size=width)
    if size > limits.message:
        raise LimitExceeded(what, offset, found=str(size), limit=limits.message, size=width)


def check_depth(depth: int, offset: int, limits: Limits) -> None:
    if depth > limits.depth:
        raise LimitExceeded("nesting", offset, found=f"{depth} deep", limit=limits.depth)


# How many findings of one struct are told: hostile bytes can be odd at every place.
MAX_FINDINGS: Final = 1000

# Names that were seen, so that the same bytes are not decoded again.
_NAMES: Final[dict[bytes, str]] = {}
MAX_NAMES: Final = 4096


def method_name(raw: bytes) -> str:
    """A method's name as text; bytes that are not UTF-8 stand as ``\\xff``."""
    name = _NAMES.get(raw)
    if name is None:
        name = raw.decode("utf-8", "backslashreplace")
        if len(raw) <= 64 and len(_NAMES) < MAX_NAMES:
            _NAMES[raw] = name
    return name


class Heads:
    """Headers that were seen, without their seqids: the same bytes are not read again.

    ``into`` is how many bytes stand before them in their message.
    """

    __slots__ = ("_known", "into")

    def __init__(self, into: i64) -> None:
        self.into: i64 = into
        self._known: dict[bytes, Header] = {}

    def get(self, raw: bytes) -> Header | None:
        return self._known.get(raw)

    def add(self, raw: bytes, header: Header) -> None:
        if len(raw) <= 96 and len(self._known) < MAX_NAMES:
            self._known[raw] = header

    def with_seqid(self, header: Header, seqid: i64) -> Header:
        """Their spans are shared: nobody changes them."""
        return Header(
            header.method, header.type, seqid, header.strict, header.span, header.method_span
        )


def cannot_write(value: Value) -> ValueError:
    """The error for a value that was lost: what is missing cannot be written."""
    return ValueError(
        f"{value.ttype.name}: {value.lost} bytes of it were lost, so it cannot be written"
    )


def add_finding(findings: list[Finding], finding: Finding) -> None:
    """Add one, unless a struct has very many: then the last of them says that there are more."""
    if len(findings) < MAX_FINDINGS:
        findings.append(finding)
    elif len(findings) == MAX_FINDINGS:
        text = f"more like these from offset {finding.offset} on, which are not told"
        findings.append(Finding(finding.severity, text, finding.offset))
    elif finding.severity > findings[-1].severity:
        last = findings[-1]
        findings[-1] = Finding(finding.severity, last.text, last.offset)


def too_many(limits: Limits, at: int) -> Finding:
    """What is said where a struct has more values than are read.  Its bytes are good."""
    text = (
        f"values: {limits.values} were read, and no more from offset {at} on: --max-values "
        "(Limits.values) allows more, each for some hundred bytes of memory"
    )
    return Finding(Severity.WARNING, text, at)


def note_order(findings: list[Finding], fields: list[Field], field_id: int, start: int) -> bool:
    """Add a finding if a field's id does not rise behind those of ``fields``; was that so?

    Generators write ids in their order, each once.  Ids below 0 fall: an old IDL that numbers
    no arguments has them.  The caller asks no more in the same struct.
    """
    if field_id < 0 or not fields or field_id > fields[-1].field_id:
        return False
    is_there = any(field.field_id == field_id for field in fields)
    severity = Severity.WARNING if is_there else Severity.NOTE
    what = "which was there before" if is_there else f"behind {fields[-1].field_id}"
    text = f"field id at offset {start}: is {field_id}, {what}"
    add_finding(findings, Finding(severity, text, start))
    return True


# ── Skipping ─────────────────────────────────────────────────────────────────────────


class Walker(Skipper):
    """Finds where a message ends.

    The stack holds a level each: ``_left`` is -1 for a struct, else how many elements are to
    come; ``_types`` holds a container's two element types (a list's is there twice, so that
    lists and maps are one case).  ``_at`` is the next byte to look at.  It may lie behind the
    bytes that are there: what is between is a value of known size.
    """

    __slots__ = ("_at", "_left", "_limits", "_pending", "_start", "_types")

    def __init__(self, start: int, limits: Limits) -> None:
        self._start = start
        self._at = start
        self._limits = limits
        self._left: list[int] = []
        self._types: list[int] = []
        self._pending = -1  # the type of a value whose first byte is at _at

    def known_until(self) -> int:
        return self._at

    def _push(self, left: int, types: int, inside: int) -> None:
        self._left.append(left)
        self._types.append(types)
        self._at = inside

    def _too_long(self) -> LimitExceeded:
        most = self._limits.message
        return LimitExceeded("message", self._start, found=f"over {most} bytes", limit=most)


# ── Reading ──────────────────────────────────────────────────────────────────────────

# What a finding says of a message that begins in the midst of another.
BEGINS_INSIDE: Final = "another message begins at offset"

# How often to look whether another message begins in one that cannot be read.
_MOST_BEGINNINGS: Final = 64
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:$/-]{0,255}\Z")


def _add_strings(found: list[tuple[int, int]], fields: tuple[Field, ...]) -> None:
    """Add where strings have their content, in order."""
    for field in fields:
        _add_string(found, field.value)


def _add_string(found: list[tuple[int, int]], value: Value) -> None:
    content = value.content
    if isinstance(content, bytes):
        found.append((value.span.start + value.head, value.span.stop))
    elif isinstance(content, Struct):
        _add_strings(found, content.fields)
    elif isinstance(content, Items):
        for item in content.items:
            _add_string(found, item)
    elif isinstance(content, Entries):
        for key, item in content.items:
            _add_string(found, key)
            _add_string(found, item)


def _holds(places: list[tuple[int, int]], at: int) -> bool:
    """Is ``at`` inside one of these places?"""
    before = bisect_right(places, (at, 1 << 62)) - 1
    return before >= 0 and places[before][0] <= at < places[before][1]


class Reader(ABC):
    """Reads one struct into values, as far as its bytes go.

    A value that cannot be read ends the reading: ``broken`` is set, and every level
    returns what it has.  ``findings`` says why.
    """

    __slots__ = ("_gap_stops", "at", "broken", "data", "findings", "gaps", "left", "limits", "stop")

    def __init__(
        self, data: bytes, start: int, stop: int, gaps: tuple[Gap, ...], limits: Limits
    ) -> None:
        self.data = data
        self.at = start
        self.stop = stop
        self.gaps = gaps
        self.limits = limits
        self.findings: list[Finding] = []
        self.broken = False
        self.left = limits.values  # how many may still be read
        self._gap_stops = [gap.stop for gap in gaps]

    # ── What a protocol adds ─────────────────────────────────────────────────────────

    # What the headers of its messages begin with.
    magic: ClassVar[bytes] = b""

    @abstractmethod
    def header(self, at: int) -> Header:
        """The header of a message at ``at``.  Raises DecodeError."""

    @abstractmethod
    def struct(self, depth: int) -> Struct:
        """The struct at the current place, without findings."""

    @abstractmethod
    def value(self, ttype: int, depth: int) -> Value | None:
        """The value at the current place, whose type has that number in this protocol; None
        if there is nothing of it to show."""

    @abstractmethod
    def number(self, ttype: TType, start: int) -> Content:
        """The value of fixed size at ``start``; its bytes are all there."""

    # ── What is wrong ────────────────────────────────────────────────────────────────

    def fail(self, error: DecodeError) -> None:
        self.findings.append(Finding(Severity.ERROR, str(error), error.offset))
        self.broken = True

    def warn(self, text: str, offset: int) -> None:
        add_finding(self.findings, Finding(Severity.WARNING, text, offset))

    def is_full(self) -> bool:
        """Were as many values read as may be?  Then a finding says so, and the reading ends."""
        self.left -= 1
        if self.left >= 0:
            return False
        if not self.broken:
            self.findings.append(too_many(self.limits, self.at))
            self.broken = True
        return True

    def lost_in(self, start: int, stop: int) -> int:
        """How many bytes of that range the capture does not have."""
        lost = 0
        for at in range(bisect_right(self._gap_stops, start), len(self.gaps)):
            gap = self.gaps[at]
            if gap.offset >= stop:
                break
            lost += min(stop, gap.stop) - max(start, gap.offset)
        return lost

    def has(self, what: str, size: int) -> bool:
        """Are ``size`` bytes of structure there?  Sizes and types cannot be guessed, so a
        loss among them ends the reading."""
        left = self.stop - self.at
        if size > left:
            self.fail(Incomplete(what, self.at, needs=size, left=left))
        elif self.gaps and self.lost_in(self.at, self.at + size):
            lost = self.lost_in(self.at, self.at + size)
            self.fail(
                Incomplete(f"{what} (lost by the capture)", self.at, needs=size, left=size - lost)
            )
        return not self.broken

    # ── What is read alike ───────────────────────────────────────────────────────────

    def whole(self) -> Struct:
        """The struct, and a finding for each thing that is wrong with it or behind it.

        Bytes behind it are an error: nobody has read them, and who reads on takes them for the
        next message.
        """
        start = self.at
        read = self.struct(1)
        is_odd = self.broken
        if read.stop is not None and read.stop.stop < self.stop:
            is_odd = True
            left = self.stop - read.stop.stop
            what = "byte" if left == 1 else "bytes"
            self.findings.append(
                Finding(
                    Severity.ERROR,
                    f"{left} {what} left over behind the struct at offset {read.stop.stop}",
                    read.stop.stop,
                )
            )
        if is_odd and self.left >= 0:
            self._note_second(start, read)
        return Struct(read.fields, read.stop, tuple(self.findings))

    def _note_second(self, start: int, read: Struct) -> None:
        """Say so if another message begins in this one: two wrote into one, or one began anew."""
        strings: list[tuple[int, int]] = []
        _add_strings(strings, read.fields)
        at = self.data.find(self.magic, start, self.stop)
        for _ in range(_MOST_BEGINNINGS):
            if at < 0:
                return
            header = self._header_at(at)
            # Content may hold anything, a message too.
            if header is not None and not _holds(strings, at):
                self.findings.append(
                    Finding(
                        Severity.ERROR,
                        f"{BEGINS_INSIDE} {at}, inside this one: "
                        f"{header.type.name} {header.method!r}, before this one was whole",
                        at,
                    )
                )
                return
            at = self.data.find(self.magic, at + 1, self.stop)

    def _header_at(self, at: int) -> Header | None:
        try:
            header = self.header(at)
        except DecodeError:
            return None
        return header if _NAME.match(header.method) else None

    def inner(self, depth: int) -> Value | None:
        """A STRUCT as a value."""
        start = self.at
        inner = self.struct(depth)
        if self.at == start:
            return None
        return Value(TType.STRUCT, inner, Span(start, self.at))

    def scalar(self, ttype: TType, size: int) -> Value:
        """A value of fixed size."""
        start = self.at
        if start + size > self.stop:
            raise Incomplete(ttype.name, start, needs=size, left=self.stop - start)
        self.at = start + size
        span = Span(start, self.at)
        lost = self.lost_in(start, self.at) if self.gaps else 0
        if lost:
            self.warn(
                f"{ttype.name} at offset {start}: {lost} of its {size} bytes were lost", start
            )
            return Value(ttype, None, span, 0, lost)
        return Value(ttype, self.number(ttype, start), span)

    def content(self, start: int, inside: int, length: int) -> Value:
        """A STRING that begins at ``start``, its ``length`` bytes at ``inside``."""
        end = min(inside + length, self.stop)
        if inside + length > self.stop:
            self.fail(Incomplete("string", inside, needs=length, left=self.stop - inside))
        lost = length - (end - inside)
        first_lost = end
        at = bisect_right(self._gap_stops, inside)
        if at < len(self.gaps) and self.gaps[at].offset < end:
            first_lost = max(inside, self.gaps[at].offset)
            lost += self.lost_in(inside, end)
        if lost and not self.broken:
            self.warn(f"string at offset {inside}: {lost} of its {length} bytes were lost", inside)
        self.at = end
        content = bytes(self.data[inside:first_lost])
        return Value(TType.STRING, content, Span(start, end), inside - start, lost)

    def elements(self, etype: int, count: int, depth: int) -> tuple[Value, ...]:
        items: list[Value] = []
        for _ in range(count):
            value = self.value(etype, depth)
            if value is not None:
                items.append(value)
            if self.broken:
                break
        return tuple(items)

    def pairs(
        self, ktype: int, vtype: int, count: int, depth: int
    ) -> tuple[tuple[Value, Value], ...]:
        items: list[tuple[Value, Value]] = []
        for _ in range(count):
            key = self.value(ktype, depth)
            if key is None or self.broken:
                break
            value = self.value(vtype, depth)
            if value is not None:
                items.append((key, value))
            if self.broken:
                break
        return tuple(items)
