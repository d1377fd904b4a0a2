"""Numbers that are made of parts, as bars that show the parts.

    {"Thrift": {"framing": 8, "payload": 47}, …} ─▶ Stacks ─▶ a table ─▶ lines (here) or HTML

    the hundredth login

              ░ framing  ▒ addressing  ▓ metadata  █ payload  bytes
    ────────────────────────────────────────────────────────────────────────────────
    Thrift            8            26           0         47     81  ░░▒▒▒▒▒▒███████
    rpcx             32            64           0         46    142  ░░░░░░░▒▒▒▒▒▒▒▒…
    From 81 bytes (Thrift) to 142 bytes (rpcx).

As with Bars, the numbers are beside the picture, and the last line says in words what it shows.
Each part has a sign of its own, so nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ..model import Shown
from .bars import BAR, MAX_BARS, Bars, figure, heading, row_name
from .text import Line, Run, display_width, elide, escape, pad, wrapped

__all__ = [
    "MAX_PARTS",
    "SIGNS",
    "STYLES_OF_PARTS",
    "StackRow",
    "Stacks",
    "remark",
    "stack_rows",
    "stacks",
    "titles",
]

# One a part, from light to dark, and its style: those of the notes that are mostly for that.
SIGNS: Final = "░▒▓█"
STYLES_OF_PARTS: Final = ("frame", "header", "field", "value")
MAX_PARTS: Final = len(SIGNS)

_GAP: Final = 2
_MIN_BAR: Final = 8


class Stacks(Shown):
    """Named numbers of one unit, each made of the same parts, in the order given.

    ``numbers`` has for each name what each part is.  ``title`` says what they count; "" if that is
    said elsewhere.  Raises ValueError for more than MAX_PARTS parts, for rows with other parts than
    the first, and for a number that no bar can show.
    """

    __slots__ = ("numbers", "parts", "totals", "unit")

    def __init__(
        self, numbers: Mapping[str, Mapping[str, float]], unit: str, title: str = ""
    ) -> None:
        self.parts = tuple(next(iter(numbers.values()), {}))
        if len(self.parts) > MAX_PARTS:
            raise ValueError(f"parts: are {len(self.parts)}, want at most {MAX_PARTS}")
        for name, parts in numbers.items():
            if tuple(parts) != self.parts:
                raise ValueError(f"{name}: has the parts {tuple(parts)}, want {self.parts}")
            Bars({f"{name}, {part}": number for part, number in parts.items()}, unit)
        self.numbers = {name: dict(parts) for name, parts in numbers.items()}
        self.unit = unit
        self.totals = Bars(
            {name: sum(parts.values()) for name, parts in numbers.items()}, unit, title
        )

    def __repr__(self) -> str:
        return f"<Stacks of {len(self.numbers)}, in {self.unit}>"


class StackRow(NamedTuple):
    """A row in words: its name, a number for each part, their sum, and the bar, a text a part."""

    name: str
    figures: tuple[str, ...]
    total: str
    bar: tuple[str, ...]


def stack_rows(chart: Stacks, room: int = BAR) -> tuple[list[StackRow], int]:
    """Return the rows, and how many are not shown.  The longest bar has ``room`` columns."""
    most = max(chart.totals.numbers.values(), default=0)
    shown = list(chart.numbers.items())[:MAX_BARS]
    rows = [
        StackRow(
            row_name(name),
            tuple(map(figure, parts.values())),
            figure(sum(parts.values())),
            _bar(tuple(parts.values()), most, room),
        )
        for name, parts in shown
    ]
    return rows, len(chart.numbers) - len(rows)


def _bar(parts: Sequence[float], most: float, room: int) -> tuple[str, ...]:
    """Whole columns; where a part begins is rounded, so that the bars' ends are in proportion."""
    at = 0.0
    ends = [0]
    for part in parts:
        at += part
        ends.append(round(at / most * room) if most else 0)
    return tuple(
        sign * (stop - start) for sign, start, stop in zip(SIGNS, ends, ends[1:], strict=False)
    )


def titles(chart: Stacks) -> list[str]:
    """Return the columns' titles: those of the parts begin with their signs."""
    named = [
        f"{sign} {elide(escape(part), 20)}" for sign, part in zip(SIGNS, chart.parts, strict=False)
    ]
    return ["", *named, elide(escape(chart.unit), 20), ""]


def remark(chart: Stacks, left: int) -> str:
    """Return what stands below the table: what is left out, and the least and the largest."""
    return (f"… {left} more, not shown. " if left else "") + chart.totals.summary


def stacks(chart: Stacks, *, width: int = 100) -> list[Line]:
    """The bars as text, in ``width`` columns if their numbers leave room for 8 columns of bar."""
    heads = titles(chart)
    rows, left = stack_rows(chart)
    cells = [[row.name, *row.figures, row.total] for row in rows]
    columns = [
        max([display_width(head), *(display_width(row[at]) for row in cells)])
        for at, head in enumerate(heads[:-1])
    ]
    beside = sum(columns) + _GAP * len(columns)
    room = min(max(width - beside, _MIN_BAR), BAR)
    rows, left = stack_rows(chart, room)
    lines: list[Line] = []
    if chart.totals.title:
        lines = [*wrapped(heading(chart.totals), width, "title"), []]
    lines.append(_line(heads[:-1], columns, "head"))
    lines.append([Run("─" * (beside + room), "dim")])
    for row, words in zip(rows, cells, strict=True):
        bar = [Run(text, style) for text, style in zip(row.bar, STYLES_OF_PARTS, strict=False)]
        lines.append(_line(words, columns, "") + [one for one in bar if one.text])
    return [*lines, *wrapped(remark(chart, left), width, "dim")]


def _line(words: Sequence[str], columns: Sequence[int], style: str) -> Line:
    drawn = []
    for at, (word, column) in enumerate(zip(words, columns, strict=True)):
        drawn.append(Run(pad(word, column, ">" if at else "<") + " " * _GAP, style))
    return drawn
