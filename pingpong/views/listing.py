"""A line a message, as they come: for a capture of any length.

    time  client  server  protocol  method  type  seqid  size

Whole values, so that a script can take the line apart.  The first messages say how wide
the columns are; a longer value later pushes the rest of its own line.  Nothing is decoded
that is not shown, and no message is kept.

What is the same in row after row is made once: the time's seconds, a direction's ends and
protocol, a method's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from ..model import MESSAGE_TYPES, Message
from .one_line import method
from .text import Line, Run, clock, display_width, pad

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["DIGITS", "FAR", "Columns", "Lister", "Side", "listing"]

_TITLES: Final = ("time", "client", "server", "protocol", "method", "type", "seqid", "size")
_ALIGNS: Final = ("<", "<", "<", "<", "<", "<", ">", ">")

# How many messages set the widths.
SAMPLE: Final = 100

# Times from there on, in the year 2096, are left to numbers of any size.
FAR: Final = 4_000_000_000_000_000_000

# Three digits at a time, and blanks: with these at hand nothing is cut or joined for them.
DIGITS: Final = [f"{number:03d}" for number in range(1000)]
_BLANKS: Final = [" " * number for number in range(64)]

# Sizes below this have their text at hand.
SMALL: Final = 1024

# How many texts are remembered.
_MAX_KNOWN: Final = 4096


class Side:
    """A text for one direction of a connection, and what it was made from."""

    __slots__ = ("client", "protocol", "server", "text", "transport")

    def __init__(self, message: Message, text: str) -> None:
        self.client = message.client
        self.server = message.server
        self.protocol = message.protocol
        self.transport = message.transport
        self.text = text

    def is_of(self, message: Message) -> bool:
        """Is the text right for that message, of the same connection and direction?"""
        return (
            message.client is self.client
            and message.server is self.server
            and message.protocol is self.protocol
            and message.transport is self.transport
        )


class Columns:
    """The cells that rows of messages and of calls have in common, each as wide as its column, with
    the gap behind it.  What is the same in row after row is made once."""

    def __init__(self, time_width: int, method_width: int) -> None:
        self._time_width = time_width
        self._method_width = method_width
        self._methods: dict[str, str] = {}
        self._second: i64 = -1
        self._clock = ""
        self._gap = ""

    def time(self, time: int) -> str:
        if not 0 <= time < FAR:
            return pad(clock(time).replace(" ", "T"), self._time_width) + "  "
        now: i64 = time
        second = now // 1000000000
        if second != self._second:
            self._second = second
            self._clock = clock(time).replace(" ", "T")[:-6]
            self._gap = " " * max(self._time_width - len(self._clock) - 6, 0) + "  "
        micros = (now - second * 1000000000) // 1000
        return f"{self._clock}{DIGITS[micros // 1000]}{DIGITS[micros % 1000]}{self._gap}"

    def method(self, message: Message) -> str:
        name = message.header.method
        text = self._methods.get(name)
        if text is None:
            text = pad(method(message), self._method_width) + "  "
            if len(self._methods) < _MAX_KNOWN:
                self._methods[name] = text
        return text


class Lister:
    """Makes the rows; ``first`` are the messages that say how wide the columns are."""

    def __init__(self, first: Sequence[Message]) -> None:
        self._widths = [len(title) for title in _TITLES]
        self._sides: dict[int, Side] = {}
        for message in first[:SAMPLE]:
            for at, cell in enumerate(_cells(message)):
                self._widths[at] = max(self._widths[at], display_width(cell))
        self._columns = Columns(self._widths[0], self._widths[4])
        self._sizes = [str(size).rjust(self._widths[7]) for size in range(SMALL)]
        self._types = [pad(mtype.name, self._widths[5]) + "  " for mtype in MESSAGE_TYPES]

    def heading(self) -> str:
        padded = (
            pad(title, width, align)
            for title, width, align in zip(_TITLES, self._widths, _ALIGNS, strict=True)
        )
        return "  ".join(padded).rstrip()

    def row(self, message: Message) -> str:
        header = message.header
        size = message.size
        seqid = str(header.seqid)
        room = self._widths[6] - len(seqid)
        return (
            f"{self._columns.time(message.time)}{self._between(message)}"
            f"{self._columns.method(message)}"
            f"{self._types[header.type]}{_BLANKS[room] if room > 0 else ''}{seqid}  "
            f"{self._sizes[size] if size < SMALL else str(size).rjust(self._widths[7])}"
        )

    def rows(self, messages: Sequence[Message]) -> str:
        """The lines of many, each with its end."""
        lines = [self.row(message) for message in messages]
        lines.append("")
        return "\n".join(lines)

    def _between(self, message: Message) -> str:
        key = message.flow * 2 + message.from_client
        known = self._sides.get(key)
        if known is None or not known.is_of(message):
            cells = _ends(message)
            padded = [
                pad(cell, width) for cell, width in zip(cells, self._widths[1:4], strict=True)
            ]
            known = Side(message, "  ".join(padded) + "  ")
            if len(self._sides) >= _MAX_KNOWN:
                self._sides.clear()
            self._sides[key] = known
        return known.text


def listing(messages: Iterable[Message]) -> Iterator[Line]:
    """A heading, then a line for each message."""
    rest = iter(messages)
    first = list(islice(rest, SAMPLE))
    lister = Lister(first)
    yield [Run(lister.heading(), "head")]
    for message in chain(first, rest):
        yield [Run(lister.row(message), "call" if message.from_client else "reply")]


def _ends(message: Message) -> tuple[str, str, str]:
    protocol = f"{message.protocol.name}/{message.transport}"
    return str(message.client), str(message.server), protocol


def _cells(message: Message) -> tuple[str, ...]:
    return (
        clock(message.time).replace(" ", "T"),
        *_ends(message),
        method(message),
        message.type.name,
        str(message.seqid),
        str(message.size),
    )
