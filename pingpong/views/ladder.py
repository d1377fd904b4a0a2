"""A conversation in time, one row per packet.

    flow  client                                        server
       1     │─── SYN ─────────────────────────────────▶│
       1     │◀───────────────────────────── SYN ACK ───│
       1     │─── 17 bytes ────────────────────────────▶│  CALL ping

It takes Steps one at a time and keeps none, so a ladder of any length costs the memory of one
row.  ``exact`` adds what changes when the same lesson runs again: packet numbers, times,
addresses and ports.  ``acks`` adds the empty ACKs, which change as well: how many there are is up
to the system.  ``numbers`` adds the numbers of messages, by which a user of the shell asks for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..model import UDP, Message, MessageType, Segment, Step
from ..protocols.purposes import counted
from .one_line import call_line
from .text import WORDS, Line, Run, clock, display_width, duration, elide, elide_middle, pad, wrap

__all__ = ["MAX_RUNGS", "NO_ACKS", "Rung", "arrow", "ladder", "more", "rungs"]

NO_ACKS = "Empty ACKs are not drawn."

MAX_RUNGS = 200

_LANE = 40
_INDENT = 6  # before the line that introduces a flow
_WORDS = 120
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16


@dataclass(frozen=True, slots=True)
class Rung:
    """One row in words, as both the text and the HTML draw it.

    ``way`` is "→" from the client, "←" from the server, "" for neither.  ``news`` introduces a
    flow that is new; otherwise it is "".
    """

    flow: str
    packet: str
    time: str
    way: str
    label: str
    remark: str
    messages: tuple[tuple[str, str], ...]  # style, words
    news: str = ""


def rungs(
    steps: Iterable[Step],
    *,
    exact: bool = False,
    numbers: bool = False,
    acks: bool = False,
    limit: int | None = None,
) -> Iterator[Rung | int]:
    """The rows of a ladder, one for each Step that is drawn.

    After ``limit`` rows (None: all) comes the number of those that are left out, if there are any.
    """
    first: int | None = None
    newest = drawn = 0
    for step in steps:
        if step.packet is not None and first is None:
            first = step.packet.time
        if not _is_drawn(step, acks):
            continue
        drawn += 1
        if limit is not None and drawn > limit:
            continue
        is_new = step.flow is not None and step.flow.number > newest
        if step.flow is not None:
            newest = max(newest, step.flow.number)
        yield _rung(step, first or 0, exact, numbers, exact and is_new)
    if limit is not None and drawn > limit:
        yield drawn - limit


def ladder(
    steps: Iterable[Step],
    *,
    exact: bool = False,
    numbers: bool = False,
    acks: bool = False,
    limit: int | None = None,
    width: int = 100,
) -> Iterator[Line]:
    """Client │ server, in time, in ``width`` columns; 65 are needed, and 87 if ``exact``.

    ``exact`` adds packet numbers, times (since the first packet), addresses and ports.
    ``numbers`` adds the numbers of messages (#3).  ``acks`` draws the segments that only
    acknowledge.  ``limit`` is the most rows that are drawn; None draws all.
    """
    margin = "packet        time  flow  " if exact else "flow  "
    yield [Run(margin + "client" + " " * (_LANE - 8) + "server", "head")]
    blank = " " * len(margin)
    drawn = False
    for rung in rungs(steps, exact=exact, numbers=numbers, acks=acks, limit=limit):
        drawn = True
        if isinstance(rung, int):
            yield [Run(blank + more(rung), "dim")]
        else:
            yield from _lines(rung, exact, width)
    if not drawn:
        yield [Run(blank + "no packet", "dim")]
    if not acks:
        yield [Run(blank + NO_ACKS, "dim")]


def more(rungs: int) -> str:
    """A remark that so many rows are not shown."""
    return f"… {counted(rungs, 'more packet')}, not shown"


# ── A Step in words ──────────────────────────────────────────────────────────────────


def _is_drawn(step: Step, acks: bool) -> bool:
    if step.messages:
        return True
    if step.packet is None:
        return False
    return acks or bool(step.remark) or not _is_empty_ack(step.segment)


def _is_empty_ack(segment: Segment | None) -> bool:
    if segment is None or segment.protocol == UDP:
        return False
    plain = not segment.flags & (_FIN | _SYN | _RST)
    return plain and not segment.payload and not segment.cut


def _introduced(step: Step) -> str:
    assert step.flow is not None
    assert step.packet is not None
    flow = step.flow
    return (
        f"flow {flow.number}: client {flow.client}, server {flow.server}, "
        f"{clock(step.packet.time)} UTC"
    )


def _rung(step: Step, first: int, exact: bool, numbers: bool, introduce: bool) -> Rung:
    messages = tuple(
        (
            _style(message),
            _whose(step, message)
            + (f"#{message.number} " if numbers else "")
            + call_line(message, _WORDS)
            + _lost(message),
        )
        for message in step.messages
    )
    way = ""
    if step.packet is None:
        label = "the capture ends"
    elif step.segment is None or step.flow is None:
        label = _other(step)
    else:
        way = "→" if step.from_client else "←"
        label = _label(step.segment)
    return Rung(
        flow=str(step.flow.number) if step.flow else "",
        packet=str(step.packet.number) if exact and step.packet else "",
        time="+" + duration(step.packet.time - first) if exact and step.packet else "",
        way=way,
        label=label,
        remark=step.remark,
        messages=messages,
        news=_introduced(step) if introduce else "",
    )


def _other(step: Step) -> str:
    assert step.packet is not None
    if step.segment is None:
        return f"other, {counted(step.packet.length, 'byte')}"
    return counted(len(step.segment.payload) + step.segment.cut, "byte")


def _label(segment: Segment) -> str:
    """What a segment carries: the flags that matter, and the size of its payload."""
    names = [
        name for flag, name in ((_SYN, "SYN"), (_FIN, "FIN"), (_RST, "RST")) if segment.flags & flag
    ]
    if segment.flags & _ACK and (segment.flags & _SYN or not names):
        names.append("ACK")
    parts = [" ".join(names)] if names else []
    size = len(segment.payload) + segment.cut
    if segment.protocol == UDP:
        parts = ["UDP"]
    if size:
        parts = [part for part in parts if part != "ACK"]
        parts.append(counted(size, "byte"))
    if segment.cut:
        parts.append(f"{segment.cut} not kept")
    return ", ".join(parts) or "no flags"


def _style(message: Message) -> str:
    if message.type is MessageType.EXCEPTION:
        return "error"
    return "call" if message.type is not MessageType.REPLY else "reply"


def _whose(step: Step, message: Message) -> str:
    # What comes at the end of the capture may belong to many connections.
    return "" if step.flow else f"flow {message.flow}: "


def _lost(message: Message) -> str:
    lost = sum(gap.length for gap in message.gaps)
    return f" ({counted(lost, 'byte')} lost)" if lost else ""


# ── Words as lines ───────────────────────────────────────────────────────────────────


def _lines(rung: Rung, exact: bool, width: int) -> Iterator[Line]:
    margin = pad(rung.flow, 4, ">") + "  "
    if exact:
        margin = pad(rung.packet, 6, ">") + pad(rung.time, 12, ">") + "  " + margin
    blank = " " * len(margin)
    if rung.news:
        for piece in wrap(rung.news, max(width - _INDENT, WORDS)):
            yield [Run(" " * _INDENT + piece, "dim")]
    lane = Run(f"   │{arrow(rung)}│", "" if rung.way else "dim")
    words = list(rung.messages)
    room = max(width - len(margin) - _LANE + 1, WORDS)
    # Remarks are beside the packet; what it says is below.
    notes = [("warning", rung.remark)] if rung.remark else []
    for at, (style, text) in enumerate([*notes, *words] or [("", "")]):
        if at:
            lane = Run("   │" + " " * (_LANE - 8) + "│")
        run = [Run("  " + _fitted(text, room), style)] if text else []
        yield [Run(blank if at else margin, "dim"), lane, *run]


# What a message's words have before its method: a flow, a number, its type.
_BEFORE = re.compile(r"(?:flow \d+: )?(?:#\d+ )?[A-Z]+ ")
# A method's name in fewer columns says nothing.
_SHORTEST = 12


def _fitted(text: str, room: int) -> str:
    """The words in ``room`` columns; of a method that is too long, the middle is left out."""
    before = _BEFORE.match(text)
    if before is not None:
        name = text[before.end() :].partition(" ")[0]
        left = room - before.end()
        if left >= _SHORTEST and display_width(name) > left:
            return before[0] + elide_middle(name, left)
    return elide(text, room)


def arrow(rung: Rung) -> str:
    """What is drawn between client and server; it always has the same width."""
    inner = _LANE - 8
    label = elide(rung.label, inner - 8)
    room = inner - len(label) - 2
    if rung.way == "→":
        return "───" + f" {label} " + "─" * (room - 4) + "▶"
    if rung.way == "←":
        return "◀" + "─" * (room - 4) + f" {label} " + "───"
    dots = "· " * (inner // 2)
    side = (inner - len(label) - 2) // 2
    return pad(dots[:side] + f" {label} " + dots[:side], inner)
