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


# How wide the date of a time is, with the "T" after it.
DATE: Final = 11


def fit(
    widths: list[int], room: int | None, time: int, method: int, spare: Sequence[Sequence[int]]
) -> set[int]:
    """Make columns fit into ``room``; those that are left out.

    At first methods are cut.  If that is not enough, times lose their date, and then the columns
    of ``spare`` go, a group at a time.
    """
    gone: set[int] = set()
    if room is None:
        return gone
    over = sum(widths) + 2 * (len(widths) - 1) - room
    least = min(widths[method], _LEAST)
    if over > widths[method] - least and widths[time] > DATE + 4:
        widths[time] -= DATE
        over -= DATE
    for group in spare:
        if over <= widths[method] - least:
            break
        over -= sum([widths[at] + 2 for at in group])
        gone.update(group)
    widths[method] = max(least, widths[method] - max(0, over))
    return gone


class Columns:
    """The cells that rows of messages and of calls have in common.

    Each is as wide as its column and ends with the gap after it.  What is the same in row after
    row is made once.
    """

    def __init__(self, time_width: int, method_width: int, is_cut: bool = False) -> None:
        self._time_width = time_width
        self._method_width = method_width
        self._is_cut = is_cut  # a method is no longer than its column
        # The longest time is 26; what is shorter has no date.
        self._skip = DATE if is_cut and time_width < 26 else 0
        self._methods: dict[str, str] = {}
        self._second: i64 = -1
        self._clock = ""
        self._gap = ""

    def time(self, time: int) -> str:
        """The cell for a time in ns since 1970: UTC, to the microsecond."""
        if not 0 <= time < FAR:
            return pad(clock(time).replace(" ", "T")[self._skip :], self._time_width) + "  "
        now: i64 = time
        second = now // 1000000000
        if second != self._second:
            self._second = second
            self._clock = clock(time).replace(" ", "T")[self._skip : -6]
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
    that, and columns are left out.
    """

    def __init__(self, first: Sequence[Message], room: int | None = None) -> None:
        self._widths = [len(title) for title in _TITLES]
        self._sides: dict[int, Side] = {}
        for message in first[:SAMPLE]:
            for at, cell in enumerate(_cells(message)):
                self._widths[at] = max(self._widths[at], display_width(cell))
        self._gone = fit(self._widths, room, 0, 4, ((7,), (3,), (6,), (1, 2)))
        self._columns = Columns(self._widths[0], self._widths[4], room is not None)
        self._sizes = [str(size).rjust(self._widths[7]) for size in range(SMALL)]
        self._types = [pad(mtype.name, self._widths[5]) + "  " for mtype in MESSAGE_TYPES]

    def heading(self) -> str:
        """The titles of the columns in one line, without a line end."""
        padded = (
            pad(title, width, align)
            for at, (title, width, align) in enumerate(
                zip(_TITLES, self._widths, _ALIGNS, strict=True)
            )
            if at not in self._gone
        )
        return "  ".join(padded).rstrip()

    def row(self, message: Message) -> str:
        """The line for a message, without a line end."""
        if self._gone:
            return self._narrow(message)
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

    def _narrow(self, message: Message) -> str:
        """The same without the columns that are left out."""
        header = message.header
        last = {6: str(header.seqid).rjust(self._widths[6]), 7: str(message.size)}
        row = (
            f"{self._columns.time(message.time)}{self._between(message)}"
            f"{self._columns.method(message)}{self._types[header.type]}"
        )
        return (row + "  ".join([last[at] for at in last if at not in self._gone])).rstrip()

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
                pad(cells[at - 1], self._widths[at]) + "  "
                for at in (1, 2, 3)
                if at not in self._gone
            ]
            known = Side(message, "".join(padded))
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
