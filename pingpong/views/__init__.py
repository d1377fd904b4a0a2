"""Objects in, text out: no print, no clock, no id, no address.

    text.py       text, escaped and measured          hexdump.py  every byte, explained
    one_line.py   values and messages in one line     tree.py     fields and values
    table.py      messages, exchanges                 ladder.py   packets and messages in time
    listing.py    one line per message, any number    ledger.py   one line per call; totals
    bars.py       numbers to be compared              side.py     messages, part by part
    stacks.py     numbers that are made of parts
    diagnosis.py  what is wrong, what to change       hint.py     a number, a line of a log
    html.py       the same facts for a notebook       json.py     … for a program

``text`` and ``html`` find the view for an object.  When this room is imported, every object of
``model`` starts to show itself with them.  By default they leave out what differs when the same
calls are made again (times, ports, empty ACKs), so that the outputs of a lesson can be compared;
``exact`` shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ..calls.ledger import Exchanges
from ..calls.totals import Totals
from ..capture import Capture
from ..hints.complaints import TextVerdict
from ..hints.magic_numbers import NumberVerdict
from ..model import (
    Differences,
    Exchange,
    Finding,
    Flow,
    Messages,
    Record,
    use_renderers,
)
from ..verdicts.verdict import Diagnosis
from . import html as _html
from .bars import Bars, bars
from .diagnosis import diagnosis_lines
from .hexdump import hexdump
from .hint import number, pasted
from .ladder import MAX_RUNGS, ladder
from .ledger import totals_table
from .one_line import (
    DIFFER,
    capture_line,
    exchange_line,
    finding_line,
    flow_line,
    has_differences,
)
from .side import Sides, sides
from .stacks import Stacks, stacks
from .table import MAX_ROWS, difference_table, exchange_table, message_table
from .table import lines as _table_lines
from .text import Line, escape, plain, wrapped
from .tree import tree

__all__ = ["hexdump", "html", "ladder", "lines", "text", "tree"]

_FINDINGS = 30


# What draws an object as text, and as HTML.  A Message is a Record.
_Drawn = Callable[[Any, bool, int], list[Line]]
_Html = Callable[[Any, bool], str]


def lines(thing: object, *, exact: bool = False, width: int = 100) -> list[Line]:
    """The object as Lines: text with styles, for a terminal that has colours.

    No line is wider than ``width``.  Each view needs a least width, because some things have to be
    shown whole.  Raises TypeError for an object that has no view.
    """
    return _view_of(thing)[0](thing, exact, width)


def text(thing: object, *, exact: bool = False, width: int = 100) -> str:
    """The object as plain text; otherwise the same as ``lines``."""
    return plain(lines(thing, exact=exact, width=width))


def html(thing: object, *, exact: bool = False) -> str:
    """The object as HTML, with the same facts as the text.

    Raises TypeError for an object that has no view.
    """
    return _view_of(thing)[1](thing, exact)


def _view_of(thing: object) -> tuple[_Drawn, _Html]:
    for cls in type(thing).__mro__:
        if cls in _VIEWS:
            return _VIEWS[cls]
    raise TypeError(f"no view for {type(thing).__name__}")


def _exchange(exchange: Exchange, exact: bool, width: int) -> list[Line]:
    drawn = wrapped(exchange_line(exchange, exact), width, "title")
    for message in (exchange.call, exchange.reply):
        if message is not None:
            drawn += [[], *tree(message, exact=exact, width=width)]
    return drawn


def _flow(flow: Flow, exact: bool, width: int) -> list[Line]:
    drawn = wrapped(flow_line(flow, exact), width, "title")
    if flow.detection is not None:
        drawn += wrapped(escape(flow.detection.evidence), width)
    return drawn + _findings(flow.findings, width)


def _capture(capture: Capture, exact: bool, width: int) -> list[Line]:
    drawn = [*wrapped(capture_line(capture, exact), width, "title"), []]
    drawn += ladder(capture.steps, exact=exact, limit=MAX_RUNGS, width=width)
    drawn.append([])
    drawn += _table_lines(exchange_table(capture.exchanges, exact=exact), width)
    if has_differences(capture):
        drawn += [[], *wrapped(DIFFER, width, "title"), []]
        drawn += _table_lines(difference_table(capture.differences), width)
    return drawn + _findings(capture.findings, width)


def _findings(findings: Sequence[Finding], width: int) -> list[Line]:
    drawn: list[Line] = [[]] if findings else []
    styles = ("dim", "warning", "error")
    for finding in findings[:_FINDINGS]:
        drawn += wrapped(finding_line(finding), width, styles[finding.severity])
    if len(findings) > _FINDINGS:
        drawn += wrapped(f"… {len(findings) - _FINDINGS} more findings, not shown", width, "dim")
    return drawn


def _as_lines(thing: object, exact: bool) -> str:
    return _html.lines_html(lines(thing, exact=exact))


_VIEWS: Final[dict[type, tuple[_Drawn, _Html]]] = {
    Record: (
        lambda thing, exact, width: hexdump(thing, exact=exact, width=width),
        _html.message_html,
    ),
    Messages: (
        lambda thing, exact, width: _table_lines(message_table(thing, exact=exact), width),
        _html.messages_html,
    ),
    Exchange: (_exchange, _html.exchange_html),
    Exchanges: (
        lambda thing, exact, width: _table_lines(exchange_table(thing, exact=exact), width),
        _html.exchanges_html,
    ),
    Totals: (
        lambda thing, exact, width: _table_lines(
            totals_table(thing, exact=exact, limit=MAX_ROWS), width
        ),
        _html.totals_html,
    ),
    Differences: (
        lambda thing, exact, width: _table_lines(difference_table(thing), width),
        lambda thing, exact: _html.differences_html(thing),
    ),
    Flow: (lambda thing, exact, width: _flow(thing, exact, width), _html.flow_html),
    Capture: (_capture, _html.capture_html),
    Diagnosis: (
        lambda thing, exact, width: diagnosis_lines(thing, exact=exact, width=width),
        _html.diagnosis_html,
    ),
    NumberVerdict: (lambda thing, exact, width: number(thing, width=width), _as_lines),
    TextVerdict: (lambda thing, exact, width: pasted(thing, width=width), _as_lines),
    Bars: (
        lambda thing, exact, width: bars(thing, width=width),
        lambda thing, exact: _html.bars_html(thing),
    ),
    Stacks: (
        lambda thing, exact, width: stacks(thing, width=width),
        lambda thing, exact: _html.stacks_html(thing),
    ),
    Sides: (
        lambda thing, exact, width: sides(thing, width=width),
        lambda thing, exact: _html.sides_html(thing),
    ),
}

use_renderers(text, html)
