"""Objects in, text out: no print, no clock, no id, no address.

    text.py   what is shown, escaped and measured     hexdump.py  every byte, explained
    short.py  values and messages in one line         tree.py     fields and values
    table.py  messages, exchanges                     ladder.py   packets and messages in time
    html.py   the same facts for a notebook           json.py     … for a program
    listing.py  a line a message, for any length      number.py   a number, a line of a log
    ledger.py   a line a call, for any length         totals, too
    bars.py   numbers, to be compared                 side.py     messages, part by part
    diagnosis.py  what is wrong, and what to change

``text`` and ``html`` find the view for an object; importing this room makes them the way
in which every object of ``model`` shows itself.  By default they leave out what differs from
run to run of the same calls (times, ports, empty ACKs), so that a lesson's outputs can be
compared; ``exact`` shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..calls.complaints import TextVerdict
from ..calls.diagnosis import Diagnosis
from ..calls.ledger import Exchanges
from ..calls.numbers import NumberVerdict
from ..calls.totals import Totals
from ..capture import Capture
from ..model import (
    Differences,
    Exchange,
    Finding,
    Flow,
    Messages,
    Record,
    use_renderers,
)
from . import html as _html
from .bars import Bars, bars
from .diagnosis import diagnosis_lines
from .hexdump import hexdump
from .ladder import MAX_RUNGS, ladder
from .ledger import totals_table
from .number import number, pasted
from .short import (
    DIFFER,
    capture_line,
    exchange_line,
    finding_line,
    flow_line,
    has_differences,
)
from .side import Sides, sides
from .table import MAX_ROWS, difference_table, exchange_table, message_table
from .table import lines as _table_lines
from .text import Line, Run, escape, plain
from .tree import tree

__all__ = ["hexdump", "html", "ladder", "lines", "text", "tree"]

_FINDINGS = 30


def lines(thing: object, *, exact: bool = False, width: int = 100) -> list[Line]:
    """The object as Lines: text with styles, for a terminal that has colours.

    Raises TypeError for an object that has no view.
    """
    if isinstance(thing, Record):
        return hexdump(thing, exact=exact, width=width)
    if isinstance(thing, Messages):
        return _table_lines(message_table(thing, exact=exact), width)
    if isinstance(thing, Exchanges):
        return _table_lines(exchange_table(thing, exact=exact), width)
    if isinstance(thing, Differences):
        return _table_lines(difference_table(thing), width)
    if isinstance(thing, Exchange):
        return _exchange(thing, exact, width)
    if isinstance(thing, Totals):
        return _table_lines(totals_table(thing, exact=exact, limit=MAX_ROWS), width)
    if isinstance(thing, Flow):
        return _flow(thing, exact)
    if isinstance(thing, Diagnosis):
        return diagnosis_lines(thing, exact=exact, width=width)
    if isinstance(thing, Capture):
        return _capture(thing, exact, width)
    if isinstance(thing, NumberVerdict):
        return number(thing, width=width)
    if isinstance(thing, TextVerdict):
        return pasted(thing, width=width)
    if isinstance(thing, Bars):
        return bars(thing, width=width)
    if isinstance(thing, Sides):
        return sides(thing, width=width)
    raise TypeError(f"no view for {type(thing).__name__}")


def text(thing: object, *, exact: bool = False, width: int = 100) -> str:
    """The object as plain text."""
    return plain(lines(thing, exact=exact, width=width))


def html(thing: object, *, exact: bool = False) -> str:
    """The object as HTML: the same facts as the text.  Raises TypeError without a view."""
    if isinstance(thing, Record):
        return _html.message_html(thing, exact)
    if isinstance(thing, Messages):
        return _html.messages_html(thing, exact)
    if isinstance(thing, Exchanges):
        return _html.exchanges_html(thing, exact)
    if isinstance(thing, Differences):
        return _html.differences_html(thing)
    if isinstance(thing, Exchange):
        return _html.exchange_html(thing, exact)
    if isinstance(thing, Totals):
        return _html.totals_html(thing, exact)
    if isinstance(thing, Flow):
        return _html.flow_html(thing, exact)
    if isinstance(thing, Diagnosis):
        return _html.diagnosis_html(thing, exact)
    if isinstance(thing, Capture):
        return _html.capture_html(thing, exact)
    if isinstance(thing, (NumberVerdict, TextVerdict)):
        return _html.lines_html(lines(thing))
    if isinstance(thing, Bars):
        return _html.bars_html(thing)
    if isinstance(thing, Sides):
        return _html.sides_html(thing)
    raise TypeError(f"no view for {type(thing).__name__}")


def _exchange(exchange: Exchange, exact: bool, width: int) -> list[Line]:
    drawn: list[Line] = [[Run(exchange_line(exchange, exact), "title")]]
    for message in (exchange.call, exchange.reply):
        if message is not None:
            drawn += [[], *tree(message, exact=exact, width=width)]
    return drawn


def _flow(flow: Flow, exact: bool) -> list[Line]:
    drawn: list[Line] = [[Run(flow_line(flow, exact), "title")]]
    if flow.detection is not None:
        drawn.append([Run(escape(flow.detection.evidence))])
    return drawn + _findings(flow.findings)


def _capture(capture: Capture, exact: bool, width: int) -> list[Line]:
    drawn: list[Line] = [[Run(capture_line(capture, exact), "title")], []]
    drawn += ladder(capture.steps, exact=exact, limit=MAX_RUNGS, width=width)
    drawn.append([])
    drawn += _table_lines(exchange_table(capture.exchanges, exact=exact), width)
    if has_differences(capture):
        drawn += [[], [Run(DIFFER, "title")], []]
        drawn += _table_lines(difference_table(capture.differences), width)
    return drawn + _findings(capture.findings)


def _findings(findings: Sequence[Finding]) -> list[Line]:
    drawn: list[Line] = [[]] if findings else []
    styles = ("dim", "warning", "error")
    for finding in findings[:_FINDINGS]:
        drawn.append([Run(finding_line(finding), styles[finding.severity])])
    if len(findings) > _FINDINGS:
        drawn.append([Run(f"… {len(findings) - _FINDINGS} more findings, not shown", "dim")])
    return drawn


use_renderers(text, html)
