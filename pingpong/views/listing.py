"""A line a message, as they come: for a capture of any length.

    time  client  server  protocol  method  type  seqid  size

Whole values, so that a script can take the line apart.  The first messages say how wide
the columns are; a longer value later pushes the rest of its own line.  Nothing is decoded
that is not shown, and no message is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from ..model import Message
from .short import method
from .text import Line, Run, clock, display_width, pad

__all__ = ["listing"]

_TITLES = ("time", "client", "server", "protocol", "method", "type", "seqid", "size")
_ALIGNS = ("<", "<", "<", "<", "<", "<", ">", ">")

# How many messages set the widths.
_SAMPLE = 100


def listing(messages: Iterable[Message]) -> Iterator[Line]:
    """A heading, then a line for each message."""
    rest = iter(messages)
    first = list(islice(rest, _SAMPLE))
    widths = [len(title) for title in _TITLES]
    for message in first:
        cells = _cells(message)
        widths = [max(w, display_width(c)) for w, c in zip(widths, cells, strict=True)]
    yield [Run(_line(_TITLES, widths), "head")]
    for message in chain(first, rest):
        yield [Run(_line(_cells(message), widths), "call" if message.from_client else "reply")]


def _cells(message: Message) -> tuple[str, ...]:
    return (
        clock(message.time).replace(" ", "T"),
        str(message.client),
        str(message.server),
        f"{message.protocol.name}/{message.transport}",
        method(message),
        message.type.name,
        str(message.seqid),
        str(message.size),
    )


def _line(cells: Iterable[str], widths: list[int]) -> str:
    padded = (pad(c, w, a) for c, w, a in zip(cells, widths, _ALIGNS, strict=True))
    return "  ".join(padded).rstrip()
