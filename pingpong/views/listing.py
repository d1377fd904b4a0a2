"""One line per message, as they come, for a capture of any length.

    time  client  server  protocol  method  type  seqid  size

Values are whole, so that a script can take the line apart.  The first messages decide how wide
the columns are; a longer value later pushes the rest of its own line to the right.  Nothing is
decoded that is not shown, and no message is kept.

What is the same in row after row is made once: the seconds of the time, the ends and the protocol
of a direction, the name of a method.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from ..model import MESSAGE_TYPES, Message
from .one_line import method
from .text import Line, Run, clock, display_width, elide_middle, pad

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["DIGITS", "FAR", "Columns", "Lister", "Side", "fit", "listing"]

_TITLES: Final = ("time", "client", "server", "protocol", "method", "type", "seqid", "size")
_ALIGNS: Final = ("<", "<", "<", "<", "<", "<", ">", ">")

# How many messages decide the widths.
SAMPLE: Final = 100

# Times from here on, in the year 2096, are left to integers of any size (ns since 1970).
FAR: Final = 4_000_000_000_000_000_000

# Three digits at a time, and runs of spaces: ready-made, so that no row has to make them.
DIGITS: Final = [f"{number:03d}" for number in range(1000)]
_BLANKS: Final = [" " * number for number in range(64)]

# The texts of sizes below this are ready-made.
SMALL: Final = 1024

# How many ready-made texts are remembered.
_MAX_KNOWN: Final = 4096


class Side:
    """The text for one direction of a connection, and what it was made from."""

    __slots__ = ("client", "protocol", "server", "text", "transport")

    def __init__(self, message: Message, text: str) -> None:
        self.client = message.client
        self.server = message.server
        self.protocol = message.protocol
        self.transport = message.transport
        self.text = text

    def is_of(self, message: Message) -> bool:
        """Whether the text is right for a message of the same connection and direction."""
        return (
            message.client is self.client
            and message.server is self.server
            and message.protocol is self.protocol
            and message.transport is self.transport
        )


# A method is cut to no less (columns of text): its own name has to be seen.
_LEAST: Final = 20


def fit(widths: list[int], method: int, room: int | None) -> None:
    """Take from the column of the methods what ``room`` does not have."""
    if room is not None:
        over = sum(widths) + 2 * (len(widths) - 1) - room
        if over > 0:
            widths[method] = max(min(widths[method], _LEAST), widths[method] - over)


class Columns:
    """The cells that rows of messages and of calls have in common.

    Each is as wide as its column and ends with the gap after it.  What is the same in row after
    row is made once.
    """

    def __init__(self, time_width: int, method_width: int, is_cut: bool = False) -> None:
        self._time_width = time_width
        self._method_width = method_width
        self._is_cut = is_cut  # a method is no longer than its column
        self._methods: dict[str, str] = {}
        self._second: i64 = -1
        self._clock = ""
        self._gap = ""

    def time(self, time: int) -> str:
        """The cell for a time in ns since 1970: UTC, to the microsecond."""
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
        """The cell for the method of a message."""
        name = message.header.method
        text = self._methods.get(name)
        if text is None:
            text = method(message)
            if self._is_cut:
                text = elide_middle(text, self._method_width)
            text = pad(text, self._method_width) + "  "
            if len(self._methods) < _MAX_KNOWN:
                self._methods[name] = text
        return text


class Lister:
    """Makes the rows of a list of messages; ``first`` decide how wide the columns are.

    ``room`` is how many columns a line may have (None: as many as it needs): methods are cut for
    that.
    """

    def __init__(self, first: Sequence[Message], room: int | None = None) -> None:
        self._widths = [len(title) for title in _TITLES]
        self._sides: dict[int, Side] = {}
        for message in first[:SAMPLE]:
            for at, cell in enumerate(_cells(message)):
                self._widths[at] = max(self._widths[at], display_width(cell))
        fit(self._widths, 4, room)
        self._columns = Columns(self._widths[0], self._widths[4], room is not None)
        self._sizes = [str(size).rjust(self._widths[7]) for size in range(SMALL)]
        self._types = [pad(mtype.name, self._widths[5]) + "  " for mtype in MESSAGE_TYPES]

    def heading(self) -> str:
        """The titles of the columns in one line, without a line end."""
        padded = (
            pad(title, width, align)
            for title, width, align in zip(_TITLES, self._widths, _ALIGNS, strict=True)
        )
        return "  ".join(padded).rstrip()

    def row(self, message: Message) -> str:
        """The line for a message, without a line end."""
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
        """The lines for many messages, each with a line end."""
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


def listing(messages: Iterable[Message], room: int | None = None) -> Iterator[Line]:
    """A heading, then a line for each message, one at a time; ``room`` is as a Lister has it."""
    rest = iter(messages)
    first = list(islice(rest, SAMPLE))
    lister = Lister(first, room)
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
