"""What the binary and the compact protocol have in common: only their numbers differ.

Both write a struct as fields up to a STOP, a string as a length and bytes, a container as a
head and its elements, one after the other.

    Cursor    a place in the bytes, and what to say if they end, were lost, or are too many
    Walk      tells a Listener about all that is there, and what is wrong with it: the one walk
    Walker    finds where a message ends; keeps a stack and its place, and builds nothing, because
              an unframed stream has no other end, and its bytes come in pieces

What is refused is refused here or by functions that both call, so that they agree.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from typing import TYPE_CHECKING, ClassVar, Final

from ...errors import DecodeError, Incomplete, LimitExceeded
from ...model import (
    MESSAGE_TYPES,
    Finding,
    Gap,
    Header,
    Limits,
    Listener,
    Severity,
    Skipper,
    TType,
    Value,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "MAX_NAMES",
    "WANTED_MTYPES",
    "Cursor",
    "SeenHeads",
    "Walk",
    "Walker",
    "cannot_write",
    "check_depth",
    "check_size",
    "method_name",
    "read_number",
    "too_many",
    "unordered",
]

WANTED_MTYPES: Final = "one of " + ", ".join(f"{t.value} {t.name}" for t in MESSAGE_TYPES[1:5])


def check_size(what: str, size: int, offset: int, limits: Limits, width: int) -> None:
    """Refuse a length or a count at ``offset`` that is below 0 or over the limit.

    It is written in ``width`` bytes.  An element takes at least one byte, so that the limit of a
    message also bounds a count.
    """
    if size < 0:
        raise DecodeError(what, offset, found=str(size), wanted="0 or more", size=width)
    if size > limits.message:
        raise LimitExceeded(what, offset, found=str(size), limit=limits.message, size=width)


def check_depth(depth: int, offset: int, limits: Limits) -> None:
    """Raise LimitExceeded if structs and containers nest deeper than the limits allow."""
    if depth > limits.depth:
        raise LimitExceeded("nesting", offset, found=f"{depth} deep", limit=limits.depth)


# Names seen before, so that the same bytes are not decoded again.
_NAMES: Final[dict[bytes, str]] = {}
MAX_NAMES: Final = 4096


def method_name(raw: bytes) -> str:
    r"""Return a method's name as text; bytes that are not UTF-8 become ``\xff``."""
    name = _NAMES.get(raw)
    if name is None:
        name = raw.decode("utf-8", "backslashreplace")
        if len(raw) <= 64 and len(_NAMES) < MAX_NAMES:
            _NAMES[raw] = name
    return name


def read_number(
    data: bytes | bytearray, at: int, stop: int, what: str, longest: int = 10
) -> tuple[int, int]:
    """The varint at ``at``, not signed, and where it ends; it may have more than 64 bits.

    Raises Incomplete if it is cut, DecodeError if it is longer than ``longest`` bytes.
    """
    if at < stop and data[at] < 128:
        return data[at], at + 1
    value = 0
    for index in range(min(longest, stop - at)):
        byte = data[at + index]
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, at + index + 1
    if stop - at < longest:
        raise Incomplete(what, at, needs=stop - at + 1, left=stop - at)
    raise DecodeError(
        what, at, found=f"over {longest} bytes long", wanted=f"at most {longest}", size=longest
    )


class SeenHeads:
    """Headers seen before, without their seqids, so that the same bytes are not read again.

    ``into`` is how many bytes precede them in their message.
    """

    __slots__ = ("_known", "into")

    def __init__(self, into: i64) -> None:
        self.into: i64 = into
        self._known: dict[bytes, Header] = {}

    def get(self, raw: bytes) -> Header | None:
        """Return the header of which ``raw`` is everything but the seqid; None if it is new."""
        return self._known.get(raw)

    def add(self, raw: bytes, header: Header) -> None:
        """Remember a header by its bytes without the seqid, unless there are too many."""
        if len(raw) <= 96 and len(self._known) < MAX_NAMES:
            self._known[raw] = header

    def with_seqid(self, header: Header, seqid: i64) -> Header:
        """Return the header with that seqid.  Both share spans: nobody changes them."""
        return Header(
            header.method, header.type, seqid, header.strict, header.span, header.method_span
        )


def cannot_write(value: Value) -> ValueError:
    """Make the error for a value that was lost: what is missing cannot be written."""
    return ValueError(
        f"{value.ttype.name}: {value.lost} bytes of it were lost, so it cannot be written"
    )


def too_many(limits: Limits, at: int) -> Finding:
    """Make the finding for a struct with more values than are read.  Its bytes are good."""
    text = (
        f"values: {limits.values} were read, and no more from offset {at} on: --max-values "
        "(Limits.values) allows more, each for some hundred bytes of memory"
    )
    return Finding(Severity.WARNING, text, at)


def unordered(field_id: int, before: int, is_there: bool, start: int) -> Finding:
    """Make the finding for the first field of a struct whose id is not higher than the one before.

    Generators write each id once, in order.  Ids below 0 fall: an old IDL that does not number its
    arguments has them.
    """
    severity = Severity.WARNING if is_there else Severity.NOTE
    what = "which was there before" if is_there else f"behind {before}"
    return Finding(severity, f"field id at offset {start}: is {field_id}, {what}", start)


# ── Skipping ─────────────────────────────────────────────────────────────────────────


class Walker(Skipper):
    """Finds where a message ends.

    The stack has one entry per level: ``_left`` is -1 for a struct, else how many elements are to
    come; ``_types`` holds a container's two element types (a list's twice, so that lists and maps
    are one case).  ``_at`` is the next byte to look at.  It may lie beyond the bytes that are
    there: what lies between is a value of known size.
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


# ── Walking ──────────────────────────────────────────────────────────────────────────

# What a finding says about a message that begins in the middle of another.
BEGINS_INSIDE: Final = "another message begins at offset"

# How often to look for another message in one that cannot be read.
_MOST_BEGINNINGS: Final = 64
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:$/-]{0,255}\Z")

# Less than any field's id.
NO_FIELDS: Final = -1 << 20

# Shared: nobody adds to it.
_NONE: Final[list[int]] = []


class _Strings(Listener):
    """Where strings have their content, in order."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        super().__init__()
        self.places: list[tuple[int, int]] = []

    def string(
        self, data: bytes, inside: i64, end: i64, start: i64, head: i64, stop: i64, lost: i64
    ) -> None:
        self.places.append((start + head, stop))

    def hold(self, at: int) -> bool:
        """Say whether ``at`` is inside one of these places."""
        before = bisect_right(self.places, (at, 1 << 62)) - 1
        return before >= 0 and self.places[before][0] <= at < self.places[before][1]


class Cursor:
    """A place in bytes that are walked over, and what is wrong with them.

    ``at`` is the next byte.  A value that cannot be read ends the walk: ``broken`` is set, and
    every level ends where it is.  The bytes from ``at`` to ``sure`` are there; ``has`` and
    ``is_there`` know about those beyond.
    """

    __slots__ = (
        "_gap_stops",
        "at",
        "broken",
        "data",
        "gaps",
        "left",
        "limits",
        "listener",
        "stop",
        "sure",
    )

    def __init__(
        self,
        data: bytes,
        start: i64,
        stop: i64,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        self.data = data
        self.at: i64 = start
        self.stop: i64 = stop
        self.gaps = gaps
        self.limits = limits
        self.listener = listener
        self.broken = False
        self.left: i64 = limits.values  # how many may still be read
        self._gap_stops = [gap.stop for gap in gaps] if gaps else _NONE
        self.sure: i64 = self.solid() if gaps else stop

    def fail(self, error: DecodeError) -> None:
        """Report an error, and end the walk."""
        self.listener.fail(Finding(Severity.ERROR, str(error), error.offset))
        self.broken = True

    def failed(self, error: DecodeError) -> None:
        """End the walk: a value cannot be read."""
        self.fail(error)

    def warn(self, text: str, offset: int) -> None:
        """Report something odd at ``offset``; the walk goes on."""
        self.listener.warn(Finding(Severity.WARNING, text, offset))

    def is_full(self) -> bool:
        """Say whether as many values were read as allowed; if so, report that and end the walk."""
        self.left -= 1
        if self.left >= 0:
            return False
        if not self.broken:
            self.listener.fail(too_many(self.limits, self.at))
            self.broken = True
        return True

    def solid(self) -> i64:
        """Return up to where the bytes from here on are there."""
        if not self.gaps:
            return self.stop
        at = bisect_right(self._gap_stops, self.at)
        if at >= len(self.gaps):
            return self.stop
        lost: i64 = self.gaps[at].offset
        return min(self.stop, max(self.at, lost))

    def lost_in(self, start: int, stop: int) -> int:
        """Return how many bytes of that range the capture does not have."""
        lost = 0
        for at in range(bisect_right(self._gap_stops, start), len(self.gaps)):
            gap = self.gaps[at]
            if gap.offset >= stop:
                break
            lost += min(stop, gap.stop) - max(start, gap.offset)
        return lost

    def has(self, what: str, size: i64) -> bool:
        """Say whether ``size`` bytes of structure are there.

        Sizes and types cannot be guessed, so a loss among them ends the walk.
        """
        if self.at + size <= self.sure:
            return not self.broken
        self.sure = self.solid()
        left = self.stop - self.at
        if size > left:
            self.fail(Incomplete(what, self.at, needs=size, left=left))
        elif self.at + size > self.sure:
            there = size - self.lost_in(self.at, self.at + size)
            self.fail(Incomplete(f"{what} (lost by the capture)", self.at, needs=size, left=there))
        return not self.broken

    def is_there(self, ttype: TType, size: i64) -> bool:
        """Say whether the bytes of a value of fixed size are there.

        If not, what is known of it is reported, and it is passed over, or the walk ends.
        """
        start = self.at
        if start + size > self.stop:
            self.failed(Incomplete(ttype.name, start, needs=size, left=self.stop - start))
            return False
        lost = self.lost_in(start, start + size) if self.gaps else 0
        if not lost:
            return True
        self.at = start + size
        self.warn(f"{ttype.name} at offset {start}: {lost} of its {size} bytes were lost", start)
        self.listener.missing(ttype, start, self.at, lost)
        return False


class Walk(Cursor, ABC):
    """Walks over one struct and tells a listener about it, as far as its bytes go."""

    __slots__ = ()

    # ── What an encoding adds ────────────────────────────────────────────────────────

    # What the headers of its messages begin with.
    magic: ClassVar[bytes] = b""

    @abstractmethod
    def header(self, at: int) -> Header:
        """Read the header of a message at ``at``.  Raises DecodeError."""

    @abstractmethod
    def struct(self, depth: i64) -> None:
        """Report the struct at the current place, at that depth."""

    @abstractmethod
    def value(self, ttype: i64, depth: i64) -> None:
        """Report the value at the current place.

        ``ttype`` is the number of its type in this encoding, ``depth`` that of its container.
        """

    @abstractmethod
    def again(self, at: i64, listener: Listener) -> Walk:
        """Make another walk over the same struct."""

    # ── What is walked alike ─────────────────────────────────────────────────────────

    def whole(self) -> None:
        """Report the struct, and everything that is wrong with it or after it.

        Bytes after it are an error: nobody has read them, and a reader that goes on takes them for
        the next message.
        """
        start = self.at
        self.struct(1)
        left = self.stop - self.at
        if not self.broken and not left:
            return
        if not self.broken:
            what = "byte" if left == 1 else "bytes"
            text = f"{left} {what} left over behind the struct at offset {self.at}"
            self.listener.fail(Finding(Severity.ERROR, text, self.at))
        if self.left >= 0:
            self._note_second(start)

    def _note_second(self, start: i64) -> None:
        """Report another message that begins in this one: two writers, or one that began anew."""
        at = self.data.find(self.magic, start, self.stop)
        if at < 0:
            return
        strings = _Strings()
        self.again(start, strings).struct(1)
        for _ in range(_MOST_BEGINNINGS):
            header = self._header_at(at)
            # Content may be anything, even a message.
            if header is not None and not strings.hold(at):
                text = (
                    f"{BEGINS_INSIDE} {at}, inside this one: "
                    f"{header.type.name} {header.method!r}, before this one was whole"
                )
                self.listener.fail(Finding(Severity.ERROR, text, at))
                return
            at = self.data.find(self.magic, at + 1, self.stop)
            if at < 0:
                return

    def _header_at(self, at: int) -> Header | None:
        try:
            header = self.header(at)
        except DecodeError:
            return None
        return header if _NAME.match(header.method) else None

    def content(self, start: i64, inside: i64, length: i64) -> None:
        """Report a STRING that begins at ``start``, its ``length`` bytes at ``inside``."""
        end = inside + length
        if end <= self.sure:
            self.at = end
            self.listener.string(self.data, inside, end, start, inside - start, end, 0)
            return
        if end > self.stop:
            end = self.stop
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
        self.listener.string(self.data, inside, first_lost, start, inside - start, end, lost)

    def elements(self, ttype: i64, count: i64, depth: i64) -> None:
        """Report ``count`` elements of that type, until one cannot be read."""
        while count and not self.broken:
            self.value(ttype, depth)
            count -= 1

    def pairs(self, ktype: i64, vtype: i64, count: i64, depth: i64) -> None:
        """Report ``count`` pairs of a map, until a key or a value cannot be read."""
        while count and not self.broken:
            self.value(ktype, depth)
            if not self.broken:
                self.value(vtype, depth)
            count -= 1
