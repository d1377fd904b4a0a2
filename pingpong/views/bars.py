"""Numbers as bars, so that they can be compared at a glance.

    {"binary": 39, "compact": 25} ─▶ Bars ─▶ Table ─▶ lines (here) or HTML

    bytes of one call

             bytes
    ─────────────────────────────────────────────────────────
    binary      39  ████████████████████████████████████████
    compact     25  █████████████████████████▋
    From 25 bytes (compact) to 39 bytes (binary).

The number is beside its bar, and the last line says in words what the picture shows: people who
cannot see the bars miss nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from ..model import Shown
from .table import Table
from .table import lines as table_lines
from .text import Line, Run, display_width, elide, escape, trim, wrapped

__all__ = ["BAR", "MAX_BARS", "Bars", "bars", "bars_table", "figure", "heading", "row_name"]

# How many columns the longest bar has, if there is room.
BAR: Final = 40
MAX_BARS: Final = 50

_MIN_BAR: Final = 8
_MAX_NAME: Final = 40
_MAX_TITLE: Final = 400
_EIGHTHS: Final = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


class Bars(Shown):
    """Named numbers of one unit, in the order in which they were given; shown as bars.

    ``title`` says what they count or measure; "" if that is said elsewhere.  Raises ValueError
    for a number that no bar can show: it is negative, or not finite.
    """

    __slots__ = ("numbers", "title", "unit")

    def __init__(self, numbers: Mapping[str, float], unit: str, title: str = "") -> None:
        for name, number in numbers.items():
            if not math.isfinite(number) or number < 0:
                raise ValueError(f"{name}: is {number}, want a number that is 0 or more")
        self.numbers = dict(numbers)
        self.unit = unit
        self.title = title

    def __repr__(self) -> str:
        return f"<Bars of {len(self.numbers)}, in {self.unit}>"

    @property
    def summary(self) -> str:
        """What the picture shows, in words: the least and the largest number, and their names."""
        if not self.numbers:
            return "nothing to compare"
        least, most = min(self.numbers.values()), max(self.numbers.values())
        if least == most:
            who = "all of them" if len(self.numbers) > 1 else self._names(most)
            return f"{self._with_unit(most)}: {who}."
        return (
            f"From {self._with_unit(least)} ({self._names(least)}) "
            f"to {self._with_unit(most)} ({self._names(most)})."
        )

    def _names(self, number: float) -> str:
        names = [row_name(name) for name, value in self.numbers.items() if value == number]
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

    def _with_unit(self, number: float) -> str:
        # The unit "bytes" is a plural; for a single one it has to be "byte".
        unit = self.unit[:-1] if number == 1 and self.unit == "bytes" else self.unit
        return f"{figure(number)} {escape(unit)}".rstrip()


def bars_table(chart: Bars, room: int = BAR) -> Table:
    """One row per number: its name, the number, a bar.  The longest bar has ``room`` columns."""
    shown = list(chart.numbers.items())[:MAX_BARS]
    most = max(chart.numbers.values(), default=0)
    left = len(chart.numbers) - len(shown)
    return Table(
        ("", elide(escape(chart.unit), _MAX_NAME), ""),
        ("<", ">", "<"),
        (False, False, False),
        tuple(
            (Run(row_name(name)), Run(figure(number)), Run(_bar(number, most, room), "value"))
            for name, number in shown
        ),
        (f"… {left} more, not shown. " if left else "") + chart.summary,
    )


def bars(chart: Bars, *, width: int = 100) -> list[Line]:
    """The bars as text, in at most ``width`` columns.

    It needs 12 columns besides names and numbers, which are shown whole.
    """
    names, figures = ([row[at].text for row in bars_table(chart).rows] for at in (0, 1))
    beside = max(map(display_width, names), default=0) + max(
        map(display_width, [elide(escape(chart.unit), _MAX_NAME), *figures])
    )
    room = min(max(width - beside - 4, _MIN_BAR), BAR)
    *drawn, remark = table_lines(bars_table(chart, room), None)
    lines: list[Line] = []
    if chart.title:
        lines = [*wrapped(heading(chart), width, "title"), []]
    return [*lines, *drawn, *wrapped(remark[0].text, width, "dim")]


def heading(chart: Bars) -> str:
    """The title, escaped and not too long."""
    return escape(trim(chart.title, _MAX_TITLE))


def row_name(name: str) -> str:
    """A row's name, escaped and not too long."""
    return elide(escape(trim(name, _MAX_NAME)), _MAX_NAME)


def figure(number: float) -> str:
    """A number as text: whole ones in full, others with three digits: a bar does not show more."""
    return str(int(number)) if number == int(number) and number < 1e15 else f"{number:.3g}"


def _bar(number: float, most: float, room: int) -> str:
    """Whole blocks and a part of one; for a number that is not 0, an eighth at least."""
    if not number:
        return ""
    eighths = max(round(number / most * room * 8), 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8]
