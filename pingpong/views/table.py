"""Tables of messages, of exchanges, and of differences between wire and IDL.

    messages ────┐
    exchanges ───┼─▶ Table: columns, rows of words, what was left out ─▶ lines (here) or HTML
    differences ─┘

``exact`` shows what differs when the same lesson runs again: times, addresses, ports.
A long table shows its first rows and says how many it leaves out.  Nothing is decoded that
is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from ..calls.ledger import Exchanges
from ..model import Differences, Exchange, Message, Messages, Outcome, Repeated
from ..protocols.purposes import counted
from .one_line import arguments, method, outcome_detail, outcome_text, result
from .text import WORDS, Line, Run, clock, display_width, duration, elide, escape, pad, wrapped

__all__ = [
    "MAX_ROWS",
    "Column",
    "Table",
    "difference_table",
    "exchange_table",
    "lines",
    "message_table",
    "outcome_style",
]

MAX_ROWS = 50

_GAP = 2
_CELL = 60
_MIN_CELL = 8
_NUMBER = 5

T = TypeVar("T")


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column: its title, what it says about an object, "<" or ">", and its style.

    Only an ``elastic`` column is cut if there is little room: half a number would mislead.
    """

    title: str
    cell: Callable[[T], str]
    align: str = "<"
    style: Callable[[T], str] = lambda _: ""
    elastic: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table in words, ready to be drawn.

    ``titles``, ``aligns`` and ``elastic`` are per column, as Column has them.  ``remark`` says
    what is left out; "" if nothing is.
    """

    titles: tuple[str, ...]
    aligns: tuple[str, ...]
    elastic: tuple[bool, ...]
    rows: tuple[tuple[Run, ...], ...]
    remark: str


def message_table(
    messages: Messages, *, exact: bool = False, limit: int | None = MAX_ROWS
) -> Table:
    """One row per message, at most ``limit`` (None: all); their fields are not read."""
    columns = _message_columns(messages[0] if len(messages) else None, exact)
    return _table(columns, messages, len(messages), "message", limit)


def exchange_table(
    exchanges: Exchanges,
    *,
    exact: bool = False,
    numbers: bool = False,
    limit: int | None = MAX_ROWS,
) -> Table:
    """One row per exchange: the call, how it ended, what came back.

    At most ``limit`` rows are shown (None: all); ``numbers`` adds the numbers of the messages.
    """
    columns = _exchange_columns(exact, numbers)
    return _table(columns, exchanges, len(exchanges), "exchange", limit)


def difference_table(differences: Differences, *, limit: int | None = MAX_ROWS) -> Table:
    """One row for each way in which wire and IDL differ, at most ``limit`` (None: all)."""
    columns: list[Column[Repeated]] = [
        Column("in the IDL", lambda r: escape(r.difference.place), elastic=True),
        Column("on the wire", lambda r: escape(r.difference.words), elastic=True),
        Column("times", lambda r: str(r.times), ">"),
        Column("first at", lambda r: f"message {r.first}, offset {r.offset}"),
    ]
    table = _table(columns, differences, len(differences), "difference", limit)
    if not differences.more:
        return table
    more = f"… and in other ways {counted(differences.more, 'time')}"
    remark = f"{table.remark}; {more}" if table.remark else more
    return Table(table.titles, table.aligns, table.elastic, table.rows, remark)


def lines(table: Table, width: int | None = 100) -> list[Line]:
    """The table as text, in ``width`` columns if possible (None: as wide as it is).

    To fit, elastic cells are cut to no less than 8 columns; the others are shown whole.
    """
    return _drawn(table, _widths(table, width), width)


# ── The columns ──────────────────────────────────────────────────────────────────────


def _message_columns(first: Message | None, exact: bool) -> list[Column[Message]]:
    columns: list[Column[Message]] = [Column("#", lambda m: str(m.number), ">")]
    if exact:
        # The date is shown once, at the top; only a row of another day has one of its own.
        day = clock(first.time).partition(" ")[0] if first else ""
        columns += [
            Column(f"{day} UTC".strip(), lambda m: clock(m.time).removeprefix(f"{day} ")),
            Column("client", lambda m: str(m.client)),
            Column("server", lambda m: str(m.server)),
        ]
    else:
        columns.append(Column("flow", lambda m: str(m.flow), ">"))
    return [
        *columns,
        Column("type", lambda m: m.type.name, style=lambda m: "call" if m.from_client else "reply"),
        Column("method", method, elastic=True),
        Column("seqid", lambda m: str(m.seqid), ">"),
        Column("bytes", lambda m: str(m.size), ">"),
        Column("protocol", lambda m: f"{m.protocol.name} {m.transport}", elastic=True),
    ]


def _exchange_columns(exact: bool, numbers: bool) -> list[Column[Exchange]]:
    columns: list[Column[Exchange]] = [
        Column("#", lambda e: str(e.number), ">"),
        Column("flow", lambda e: str(e.first.flow), ">"),
        *(_numbers() if numbers else ()),
        Column("method", lambda e: method(e.first), elastic=True),
        Column("arguments", lambda e: arguments(e.call, _CELL) if e.call else "", elastic=True),
        Column("outcome", outcome_text, style=outcome_style),
        Column("result", lambda e: _result(e, exact), elastic=True),
    ]
    if exact:
        columns.append(Column("latency", _latency, ">"))
    return [
        *columns,
        Column("sent", lambda e: str(e.sent) if e.call else "", ">"),
        Column("received", lambda e: str(e.received) if e.has_received else "", ">"),
    ]


def _numbers() -> list[Column[Exchange]]:
    return [
        Column("call", lambda e: str(e.call.number) if e.call else "", ">"),
        Column("reply", lambda e: str(e.reply.number) if e.reply else "", ">"),
    ]


def _latency(exchange: Exchange) -> str:
    return "" if exchange.latency is None else duration(exchange.latency)


def _result(exchange: Exchange, exact: bool) -> str:
    """What came back, and what there is to say about it."""
    if exchange.reply is None:
        return outcome_detail(exchange, exact)
    said = result(exchange.reply, _CELL)
    return f"{exchange.why}; {said}" if exchange.why else said


def outcome_style(exchange: Exchange) -> str:
    """The style of an outcome: "good", "warning" or "error" (see ``text.STYLES``)."""
    outcome = exchange.outcome
    if outcome is Outcome.DECLARED_EXCEPTION or outcome is Outcome.NO_CALL:
        return "warning"
    return "error" if outcome.failed or outcome.unclear else "good"


# ── Drawing ──────────────────────────────────────────────────────────────────────────


def _table(
    columns: Sequence[Column[T]],
    things: Iterable[T],
    total: int,
    what: str,
    limit: int | None,
) -> Table:
    rows = tuple(_cells(columns, thing) for thing in islice(things, limit))
    remark = "" if rows else f"no {what}"
    if total > len(rows):
        remark = f"… {counted(total - len(rows), f'more {what}')}, not shown"
    return Table(
        tuple(column.title for column in columns),
        tuple(column.align for column in columns),
        tuple(column.elastic for column in columns),
        rows,
        remark,
    )


def _cells(columns: Sequence[Column[T]], thing: T) -> tuple[Run, ...]:
    return tuple(Run(column.cell(thing), column.style(thing)) for column in columns)


def _widths(table: Table, width: int | None) -> list[int]:
    """How wide each column is."""
    widths = [
        max([display_width(title), *(display_width(row[at].text) for row in table.rows)])
        for at, title in enumerate(table.titles)
    ]
    # Take from the widest elastic column until all fit, or none can give any more.
    over = sum(widths) + _GAP * (len(widths) - 1) - (width or 0)
    elastic = [at for at, can in enumerate(table.elastic) if can]
    while width is not None and over > 0 and elastic:
        widest = max(elastic, key=lambda at: widths[at])
        if widths[widest] <= _MIN_CELL:
            break
        widths[widest] -= 1
        over -= 1
    return widths


def _drawn(table: Table, widths: Sequence[int], width: int | None) -> list[Line]:
    heads = [Run(title, "head") for title in table.titles]
    drawn = [_row(heads, table, widths)]
    drawn.append([Run("─" * (sum(widths) + _GAP * (len(widths) - 1)), "dim")])
    drawn += [_row(row, table, widths) for row in table.rows]
    if table.remark and width is None:
        drawn.append([Run(table.remark, "dim")])
    elif table.remark and width is not None:
        drawn += wrapped(table.remark, max(width, WORDS), "dim")
    return drawn


def _row(cells: Sequence[Run], table: Table, widths: Sequence[int]) -> Line:
    line: Line = []
    for at, cell in enumerate(cells):
        text = elide(cell.text, widths[at]) if table.elastic[at] else cell.text
        gap = " " * _GAP if at < len(widths) - 1 else ""
        line.append(Run(pad(text, widths[at], table.aligns[at]) + gap, cell.style))
    return line
