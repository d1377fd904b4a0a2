"""Encodings of values that say their own types and have no message header before them.

    hessian2, Motan's simple and breeze, Java's object streams      values, one after another
    msgpack, plain JSON                                             one value

A payload is reported as a struct, since that is what a message contains:

    values one after another      a struct whose fields are numbered from 1, without names
    one value with names          a struct with those names (an object, a map whose keys are text)
    any other value               a struct of one field, 0, without a name

Inside, an object is a STRUCT with names, and its class, if the wire has it, is its label.  A map is
a MAP, a list a LIST; their types are STOP if they are mixed.  A struct ends with a STOP that takes
no bytes, or with its own closing mark.  What carries the payload has the header: it knows the
method, and where the payload ends.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from ...errors import DecodeError, Incomplete
from ...model import (
    Finding,
    Gap,
    Header,
    Limits,
    Listener,
    Protocol,
    Severity,
    Skipper,
)
from .reading import Cursor

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "FIRST_VALUE",
    "MIXED",
    "ONLY_VALUE",
    "Elements",
    "ValuesProtocol",
    "ValuesWalk",
    "cut_text",
]

# Field ids: of the first of several values, and of a value that is alone.
FIRST_VALUE: Final = 1
ONLY_VALUE: Final = 0

# Half of a surrogate pair, which alone is no character.  mypyc allows none in a literal.
_SURROGATE: Final = re.compile(f"[{chr(0xD800)}-{chr(0xDFFF)}]")

MIXED: Final = 0  # TType.STOP: there are no elements, or they have several types


class ValuesProtocol(Protocol):
    """An encoding of values: it begins no message, and does not say where one ends."""

    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        wanted = f"a framing that has it: {self.title} is of values alone"
        raise DecodeError("message header", start, found="none", wanted=wanted)

    def skipper(self, start: int, limits: Limits) -> Skipper:
        wanted = f"a framing that says its length: {self.title} is of values alone"
        raise DecodeError("message", start, found="values", wanted=wanted)


class Elements:
    """What a list's elements have been so far: how many, and the type they share."""

    __slots__ = ("count", "ttype")

    def __init__(self) -> None:
        self.count: i64 = 0
        self.ttype: i64 = MIXED

    def add(self, ttype: i64) -> None:
        """Count an element of that type."""
        if not self.count:
            self.ttype = ttype
        elif self.ttype != ttype:
            self.ttype = MIXED
        self.count += 1


class ValuesWalk(Cursor):
    """Walks over values that say their own types."""

    __slots__ = ("error", "field_id", "lost")

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
        self.error: DecodeError | None = None  # what ended the walk, except too many values
        self.lost: i64 = 0  # how much of the content passed over last is missing: see blob
        self.field_id: i64 = 0  # of the outermost field that is being read

    def fail(self, error: DecodeError) -> None:
        self.error = error
        Cursor.fail(self, error)

    def value(self, depth: i64) -> i64:
        """Report the value at the current place, at that depth; return its type.

        0: it cannot be read, and the walk is broken.
        """
        return 0

    def fields(self, first: i64, count: i64) -> i64:
        """Report ``count`` values (-1: all that are there), as fields with ids from ``first`` on.

        Returns how many were reported.
        """
        told: i64 = 0
        while not self.broken and told != count:
            if count < 0 and self.at >= self.stop:
                break
            self.field_id = first + told
            self.listener.field(self.field_id, None, self.at)
            if not self.value(1):
                break
            told += 1
        return told

    def elements(self, count: i64, depth: i64) -> None:
        """Report the elements of a list that was begun, and its end."""
        seen = Elements()
        while not self.broken and seen.count != count:
            ttype = self.value(depth)
            if ttype:
                seen.add(ttype)
        self.listener.settle(seen.ttype, count)
        self.listener.end(self.at)

    def whole(self) -> None:
        """Report a payload that is a sequence of values."""
        self.listener.struct(self.at)
        self.fields(FIRST_VALUE, -1)
        self.listener.struct_end(-1 if self.broken else self.at, self.at)

    def alone(self) -> None:
        """Report a payload that is one value without names."""
        self.listener.struct(self.at)
        self.fields(ONLY_VALUE, 1)
        self.ended()

    def ended(self) -> None:
        """End the outermost struct.  What follows it is an error: nobody has read it."""
        self.listener.struct_end(-1 if self.broken else self.at, self.at)
        left = self.stop - self.at
        if left and not self.broken:
            self.left_over(left)

    def left_over(self, left: i64) -> None:
        """Report ``left`` bytes after the value that no one reads."""
        what = "byte" if left == 1 else "bytes"
        text = f"{left} {what} left over behind the value at offset {self.at}"
        self.listener.fail(Finding(Severity.ERROR, text, self.at))

    def blob(self, inside: i64, size: i64, what: str) -> i64:
        """Pass over ``size`` bytes of content at ``inside``; return where the unbroken part ends.

        ``lost`` is how many are missing after that.  Bytes that the capture lost are passed over;
        if the bytes end too soon, so does the walk.
        """
        end = inside + size
        self.lost = 0
        if end <= self.sure:
            self.at = end
            return end
        if end > self.stop:
            end = self.stop
            self.fail(Incomplete(what, inside, needs=size, left=end - inside))
        there = end
        lost = size - (end - inside)
        for place in range(bisect_right(self._gap_stops, inside), len(self.gaps)):
            gap = self.gaps[place]
            if gap.offset < end:
                there = max(inside, gap.offset)
                lost += self.lost_in(inside, end)
            break
        if lost and not self.broken:
            self.warn(f"{what} at offset {inside}: {lost} of its {size} bytes were lost", inside)
        self.lost = lost
        self.at = end
        return there

    def utf8(self, what: str, start: i64, head: i64, size: i64) -> i64:
        """Report text of ``size`` bytes, whose head begins at ``start``.

        Returns its type, 0 if it breaks off.
        """
        inside = start + head
        end = self.blob(inside, size, what)
        raw = self.data[inside:end]
        try:
            # If it breaks off, it may do so in the middle of a character.
            text = raw.decode("utf-8") if not self.lost else cut_text(raw)
        except UnicodeDecodeError:
            # Some writers put bytes here.
            if not self.broken:
                self.warn(f"{what} at offset {start}: is no UTF-8", start)
            self.listener.string(self.data, inside, end, start, head, self.at, self.lost)
            return 0 if self.broken else 11
        self.listener.text(text, start, head, self.at, self.lost)
        return 0 if self.broken else 20


def cut_text(raw: bytes) -> str:
    """Decode text that breaks off, without half a character at its end.

    Raises UnicodeDecodeError if it is not text before that.

    >>> cut_text("aé".encode()[:2])
    'a'
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            raise
        return raw[: error.start].decode("utf-8")


def with_pairs(text: str) -> str:
    """Return ``text`` with its pairs of surrogates joined, and an escape for each half of one."""
    if _SURROGATE.search(text) is None:
        return text
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _SURROGATE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
