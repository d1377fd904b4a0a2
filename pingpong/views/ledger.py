"""One line per call, as calls are settled, for a capture of any length.

    #  time  client  server  call  reply  method  outcome  latency  sent  received  what else

``call`` and ``reply`` are the numbers of the messages.

As in ``listing.py``, values are whole, the first rows decide how wide the columns are, nothing is
decoded that is not shown, and what is the same in row after row is made once.  ``csv_rows`` uses
the keys of the JSON rows (``json.py``) as columns.

A spreadsheet may read the CSV, and text from the wire may look like a formula.  So a cell that
begins like one gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from ..calls.totals import Total, Totals
from ..model import Exchange, Message, Outcome
from ..protocols.purposes import counted
from .listing import SAMPLE, Columns, Side, fit
from .one_line import OUTCOMES, method, outcome_detail
from .table import Table
from .text import Run, clock, display_width, duration, elide, escape, pad, seconds

__all__ = [
    "CSV_COLUMNS",
    "CSV_TOTALS",
    "LIVE",
    "CallLister",
    "csv_rows",
    "csv_totals",
    "sum_line",
    "totals_table",
]

_TITLES: Final = (
    "#", "time", "client", "server", "call", "reply", "method", "outcome", "latency", "sent",
    "received",
)  # fmt: skip
_ALIGNS: Final = (">", "<", "<", "<", ">", ">", "<", "<", ">", ">", ">")

# The least widths of the columns if rows are shown as they come: the first row says little about
# those after it.
LIVE: Final = (4, 26, 15, 14, 5, 5, 10, 18, 9, 5, 8)

# How many ready-made texts are remembered.
_MAX_KNOWN: Final = 4096

_PERCENTS: Final = (50, 90, 99)
_TIMES: Final = ("p50", "p90", "p99", "slowest")


class CallLister:
    """Makes the rows of a list of calls.

    ``first`` are the exchanges that decide how wide the columns are; ``least`` is how wide they
    are in any case, in columns of text.  ``room`` is how many columns a line may have (None: as
    many as it needs): methods are cut for that, columns are left out, and what else there is to
    say of a call goes to a line of its own.
    """

    def __init__(
        self, first: Sequence[Exchange], least: Sequence[int] = (), room: int | None = None
    ) -> None:
        self._widths = [len(title) for title in _TITLES]
        for at, width in enumerate(least):
            self._widths[at] = max(self._widths[at], width)
        self._flows: dict[int, Side] = {}
        for exchange in first[:SAMPLE]:
            for at, cell in enumerate(_cells(exchange)):
                self._widths[at] = max(self._widths[at], display_width(cell))
        self._room = room
        self._gone = fit(self._widths, room, 1, 6, ((4, 5), (9, 10), (2, 3)))
        self._columns = Columns(self._widths[1], self._widths[6], room is not None)
        self._outcomes = [pad(OUTCOMES[one], self._widths[7]) + "  " for one in Outcome]

    def heading(self) -> str:
        """The titles of the columns in one line, without a line end."""
        padded = (
            pad(title, width, align)
            for at, (title, width, align) in enumerate(
                zip(_TITLES, self._widths, _ALIGNS, strict=True)
            )
            if at not in self._gone
        )
        return "  ".join(padded)

    def row(self, exchange: Exchange) -> str:
        """The line for a settled exchange, without a line end.

        With ``room`` there may be a second one.
        """
        widths = self._widths
        first, call, reply = exchange.first, exchange.call, exchange.reply
        outcome = exchange.outcome
        taken = exchange.latency
        latency = "" if taken is None else duration(taken)
        asked = "" if call is None else str(call.number)
        answered = "" if reply is None else str(reply.number)
        sent = "" if call is None else str(exchange.sent)
        received = str(exchange.received) if exchange.has_received else ""
        numbers = f"{asked.rjust(widths[4])}  {answered.rjust(widths[5])}  "
        sizes = f"  {sent.rjust(widths[9])}  {received.rjust(widths[10])}"
        if self._gone:
            numbers = "" if 4 in self._gone else numbers
            sizes = "" if 9 in self._gone else sizes
        row = (
            f"{str(exchange.number).rjust(widths[0])}  {self._columns.time(first.time)}"
            f"{self._between(first)}{numbers}"
            f"{self._columns.method(first)}{self._outcomes[outcome]}"
            f"{latency.rjust(widths[8])}{sizes}"
        )
        if outcome == 0 and not exchange.why:  # a success has nothing more to say
            return row
        more = outcome_detail(exchange, True)
        if self._room is None or display_width(row) + 2 + display_width(more) <= self._room:
            return f"{row}  {more}".rstrip()
        indent = " " * (widths[0] + 2)
        return f"{row.rstrip()}\n{indent}{elide(more, self._room - len(indent))}"

    def rows(self, exchanges: Sequence[Exchange]) -> str:
        """The lines for many exchanges, each with a line end."""
        lines = [self.row(exchange) for exchange in exchanges]
        lines.append("")
        return "\n".join(lines)

    def _between(self, message: Message) -> str:
        known = self._flows.get(message.flow)
        if known is None or not known.is_of(message):
            client, server = str(message.client), str(message.server)
            text = f"{pad(client, self._widths[2])}  {pad(server, self._widths[3])}  "
            if 2 in self._gone:
                text = ""
            known = Side(message, text)
            if len(self._flows) >= _MAX_KNOWN:
                self._flows.clear()
            self._flows[message.flow] = known
        return known.text


def _cells(exchange: Exchange) -> tuple[str, ...]:
    first, latency = exchange.first, exchange.latency
    return (
        str(exchange.number),
        clock(first.time).replace(" ", "T"),
        str(first.client),
        str(first.server),
        "" if exchange.call is None else str(exchange.call.number),
        "" if exchange.reply is None else str(exchange.reply.number),
        method(first),
        OUTCOMES[exchange.outcome],
        "" if latency is None else duration(latency),
        "" if exchange.call is None else str(exchange.sent),
        "" if exchange.reply is None else str(exchange.received),
    )


# ── CSV ──────────────────────────────────────────────────────────────────────────────

CSV_COLUMNS: Final = (
    "number", "time", "client", "server", "flow", "method", "outcome", "exception", "latency",
    "waited", "call", "reply", "sent", "received", "why",
)  # fmt: skip

CSV_TOTALS: Final = (
    "method", "calls", "failed", "unclear", *_TIMES, "sent", "received",
)  # fmt: skip

_NAMES: Final = [outcome.name for outcome in Outcome]
# What a formula begins with in a spreadsheet, also in full-width characters.
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_rows(exchanges: Sequence[Exchange]) -> str:
    """The rows for many exchanges, each with a line end; CSV_COLUMNS says what they hold.

    Times are in seconds.
    """
    return _csv([_csv_row(exchange) for exchange in exchanges])


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _csv_row(exchange: Exchange) -> list[str]:
    first, call, reply = exchange.first, exchange.call, exchange.reply
    return [
        str(exchange.number),
        _cell(first.time),
        str(first.client),
        str(first.server),
        str(first.flow),
        _safe(first.method),
        _NAMES[exchange.outcome],
        _safe(exchange.exception),
        _cell(exchange.latency),
        _cell(exchange.waited),
        "" if call is None else str(call.number),
        "" if reply is None else str(reply.number),
        "" if call is None else str(exchange.sent),
        str(exchange.received) if exchange.has_received else "",
        exchange.why,
    ]


def _safe(text: str) -> str:
    """Text from the wire, made so that a spreadsheet does not take it for a formula."""
    text = escape(text)
    return "'" + text if text.startswith(_FORMULA) else text


def _cell(time: int | None) -> str:
    return "" if time is None else seconds(time)


# ── Totals ───────────────────────────────────────────────────────────────────────────


def totals_table(totals: Totals, *, exact: bool = False, limit: int | None = None) -> Table:
    """One row per method, those with the most calls first, and a last row for all together.

    ``exact`` shows latencies, which are not the same on every run.  At most ``limit`` methods are
    shown (None: all).
    """
    ranked = _ranked(totals)
    shown = ranked[:limit]
    rows = [_total_cells(total, name, exact) for total, name in shown]
    if len(ranked) != 1:
        rows.append(_total_cells(totals.all, "all", exact))
    left = len(ranked) - len(shown)
    titles = (
        "method",
        "calls",
        "failed",
        "unclear",
        *(_TIMES if exact else ()),
        "sent",
        "received",
    )
    return Table(
        titles,
        ("<", *(">" * (len(titles) - 1))),
        (True, *[False] * (len(titles) - 1)),
        tuple(rows),
        f"… {counted(left, 'more method')}, not shown" if left else "",
    )


def _ranked(totals: Totals) -> list[tuple[Total, str]]:
    """The totals, those with the most calls first, with their methods' names escaped and cut."""
    ranked = sorted(totals.methods.values(), key=lambda total: -total.calls)
    named = [(total, elide(escape(total.method[:61]), 60) or "(no name)") for total in ranked]
    if totals.others is not None:
        named.append((totals.others, "(other methods)"))
    return named


def _times(total: Total) -> list[int | None]:
    """The values for _TIMES in ns; None without answered calls."""
    times = [total.percentile(percent) for percent in _PERCENTS]
    return [*times, total.slowest if total.answered else None]


def _total_cells(total: Total, name: str, exact: bool) -> tuple[Run, ...]:
    times = ["" if time is None else duration(time) for time in _times(total)] if exact else []
    return (
        Run(name, "head" if name == "all" else ""),
        Run(str(total.calls)),
        Run(str(total.failed), "error" if total.failed else ""),
        Run(str(total.unclear), "warning" if total.unclear else ""),
        *[Run(time) for time in times],
        Run(str(total.sent)),
        Run(str(total.received)),
    )


def csv_totals(totals: Totals) -> str:
    """One row per method, each with a line end; CSV_TOTALS says what they hold.

    Times are in seconds.
    """
    rows = []
    for total, name in _ranked(totals):
        rows.append(
            [_safe(name), str(total.calls), str(total.failed), str(total.unclear)]
            + [_cell(time) for time in _times(total)]
            + [str(total.sent), str(total.received)]
        )
    return _csv(rows)


def sum_line(totals: Totals) -> str:
    """The outcomes in one line: ``31 calls: 25 success, 4 closed by server, 2 still waiting``."""
    total = totals.all
    parts = [f"{total.outcomes[one]} {OUTCOMES[one]}" for one in Outcome if total.outcomes[one]]
    return f"{counted(total.calls, 'call')}: {', '.join(parts)}" if parts else "no call"
