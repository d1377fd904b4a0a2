"""The same facts as in the text, as HTML for a notebook.

    ┌ bytes ──────────────┐  ┌ notes ─────────────────────────────────────────┐
    │  0  80 01 00 01 …   │  │ offset │ bytes        │ what        │ meaning  │
    │  8  70 69 6e 67 …   │  │      8 │ 70 69 6e 67  │ method name │ "ping"   │
    └─────────────────────┘  └────────────────────────────────────────────────┘
       pp-4 lights  ◀── hover, both ways ──▶  pp-4 lights

What notebooks take away decides how the HTML is made.  GitHub drops every style, so there are real
tables, which read well without any.  JupyterLab drops <style>, ids and CSS variables until a
notebook is trusted, but keeps classes and inline styles.  So styles are inline, text keeps the
colour of the page, and tints are half transparent, to be readable on light and on dark.  Only the
hover needs <style>; it uses :has() and no script.  Colour repeats what the words say.

Each view has a budget of characters.  What does not fit is left out, and the view says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from ..calls.ledger import Exchanges
from ..calls.totals import Totals
from ..capture import Capture
from ..model import (
    Differences,
    Exchange,
    Finding,
    Flow,
    Messages,
    Record,
    Severity,
    Step,
)
from ..verdicts.verdict import Diagnosis, Group
from . import side
from .bars import Bars, bars_table, heading
from .diagnosis import MAX_GROUPS, head, more, rows, sentence, summary
from .hexdump import MAX_NOTES, NoteRow, left_out, note_rows
from .ladder import MAX_RUNGS, NO_ACKS, Rung, arrow, rungs
from .ladder import more as more_rungs
from .ledger import totals_table
from .one_line import (
    DIFFER,
    capture_line,
    exchange_line,
    finding_line,
    flow_line,
    has_differences,
    header_line,
)
from .stacks import STYLES_OF_PARTS, Stacks, remark, stack_rows, titles
from .table import MAX_ROWS, Table, difference_table, exchange_table, message_table
from .text import Line, elide
from .tree import tree

__all__ = [
    "MAX_HTML",
    "bars_html",
    "capture_html",
    "diagnosis_html",
    "differences_html",
    "exchange_html",
    "exchanges_html",
    "flow_html",
    "ladder_html",
    "lines_html",
    "message_html",
    "messages_html",
    "sides_html",
    "stacks_html",
]

MAX_HTML = 200_000

# How many characters a part of a view may take; a Capture has a ladder, a table and findings.
_BUDGET = 100_000
_BYTES_BUDGET = 60_000
_FINDINGS = 30
_FINDING = 400

_ROW = 8
_MONO = "font-family:Menlo,Consolas,'DejaVu Sans Mono',monospace"
_FAINT = "rgba(128,128,128,0.28)"
# Text on these keeps a contrast of at least 7 to 1, both black on white and white on black.
_TINTS = {
    "frame": "140,140,150",
    "header": "60,130,240",
    "field": "150,90,230",
    "size": "235,150,20",
    "value": "30,165,100",
    "stop": "128,128,128",
    "lost": "225,50,50",
    "unread": "225,50,50",
    "call": "60,130,240",
    "reply": "30,165,100",
    "good": "30,165,100",
    "warning": "235,150,20",
    "error": "225,50,50",
}
_CELL = "text-align:left;vertical-align:top;padding:3px 14px 3px 0;border:0"
_NUMBER = "text-align:right;vertical-align:top;padding:3px 14px 3px 0;border:0"
_CODE = f"{_MONO};font-size:12px;background:none;padding:0"
_SMALL = "font-size:12px;opacity:0.75"
_PLAIN_ROW = f"background:none;border-bottom:1px solid {_FAINT}"


def message_html(message: Record, exact: bool = False) -> str:
    """The inspector: every byte on the left, and what it means on the right."""
    rows, hidden = note_rows(message, notes=MAX_NOTES)
    drawn, cut = _within([_note(at, row) for at, row in enumerate(rows)], _BUDGET)
    hidden += cut
    rows = rows[: len(drawn)]
    if hidden:
        drawn.append(_remark(left_out(hidden), 4))
    notes = _table(
        [("offset", ">"), ("bytes", "<"), ("what", "<"), ("meaning", "<")],
        "".join(drawn),
    )
    body = (
        '<div style="display:flex;flex-wrap:wrap;gap:12px 24px;align-items:flex-start">'
        f'<div style="flex:0 0 auto">{_bytes(rows, hidden)}</div>'
        f'<div style="flex:1 1 420px">{notes}</div></div>'
    )
    parts = [_style(len(rows)), _title(header_line(message, exact)), body]
    return _root("".join(parts) + _findings(message.findings), "pp-message")


def messages_html(messages: Messages, exact: bool = False) -> str:
    """A table with one row per message; ``table.message_table`` says what is in it."""
    return _root(_words_table(message_table(messages, exact=exact)))


def exchanges_html(exchanges: Exchanges, exact: bool = False) -> str:
    """A table with one row per exchange; ``table.exchange_table`` says what is in it."""
    return _root(_words_table(exchange_table(exchanges, exact=exact)))


def totals_html(totals: Totals, exact: bool = False) -> str:
    """A table with one row per method; ``ledger.totals_table`` says what is in it."""
    return _root(_words_table(totals_table(totals, exact=exact, limit=MAX_ROWS)))


def differences_html(differences: Differences) -> str:
    """A table of where the wire differs from the IDL, with one row per kind of difference."""
    return _root(_words_table(difference_table(differences)))


def exchange_html(exchange: Exchange, exact: bool = False) -> str:
    """A line about the exchange, then its messages as trees."""
    parts = [_title(exchange_line(exchange, exact))]
    for message in (exchange.call, exchange.reply):
        if message is not None:
            parts.append(_pre(tree(message, exact=exact)))
    return _root("".join(parts))


def flow_html(flow: Flow, exact: bool = False) -> str:
    """A line about the connection, how its protocol was recognised, and its findings."""
    evidence = ""
    if flow.detection is not None:
        evidence = f'<p style="margin:0">{escape(flow.detection.evidence)}</p>'
    return _root(_title(flow_line(flow, exact)) + evidence + _findings(flow.findings))


def ladder_html(steps: Iterable[Step], exact: bool = False, acks: bool = False) -> str:
    """Packets and messages in time; the arguments are as for ``ladder.ladder``."""
    return _root(_ladder(steps, exact, acks))


def capture_html(capture: Capture, exact: bool = False) -> str:
    """The ladder of a capture, its exchanges, its findings and where it differs from the IDL."""
    return _root(
        _title(capture_line(capture, exact))
        + _ladder(capture.steps, exact, False)
        + '<div style="height:14px"></div>'
        + _words_table(exchange_table(capture.exchanges, exact=exact))
        + _differ(capture)
        + _findings(capture.findings)
    )


def lines_html(lines: Iterable[Line]) -> str:
    """Lines of text as they are, for a view that is not a table."""
    return _root(_pre(lines))


def _differ(capture: Capture) -> str:
    if not has_differences(capture):
        return ""
    table = _words_table(difference_table(capture.differences))
    return f'<div style="height:14px"></div>{_title(DIFFER)}{table}'


def bars_html(chart: Bars) -> str:
    """A real table; the bars are characters, so that they remain if styles are dropped."""
    table = bars_table(chart)
    drawn = []
    for name, number, bar in table.rows:
        drawn.append(
            f'<tr style="background:none"><td style="{_CELL}">{escape(name.text)}</td>'
            f'<td style="{_NUMBER}">{number.text}</td><td style="{_CELL};white-space:nowrap">'
            f'<code style="{_CODE};color:rgb({_TINTS[bar.style]})">{bar.text}</code></td></tr>'
        )
    drawn.append(_remark(table.remark, len(table.titles)))
    heads = zip((escape(title) for title in table.titles), table.aligns, strict=True)
    title = _title(heading(chart)) if chart.title else ""
    return _root(title + _table(list(heads), "".join(drawn)))


def stacks_html(chart: Stacks) -> str:
    """A real table; as with ``bars_html``, the bars are characters, each part with its own."""
    rows, left = stack_rows(chart)
    drawn = []
    for row in rows:
        numbers = "".join(
            f'<td style="{_NUMBER}">{text}</td>' for text in (*row.figures, row.total)
        )
        bar = "".join(
            f'<span style="color:rgb({_TINTS[style]})">{text}</span>'
            for text, style in zip(row.bar, STYLES_OF_PARTS, strict=False)
            if text
        )
        drawn.append(
            f'<tr style="background:none"><td style="{_CELL};white-space:nowrap">'
            f'{escape(row.name)}</td>{numbers}<td style="{_CELL};white-space:nowrap">'
            f'<code style="{_CODE}">{bar}</code></td></tr>'
        )
    heads = titles(chart)
    drawn.append(_remark(remark(chart, left), len(heads)))
    aligns = ["<", *[">"] * (len(heads) - 2), "<"]
    title = _title(heading(chart.totals)) if chart.totals.title else ""
    return _root(title + _table(list(zip(heads, aligns, strict=True)), "".join(drawn)))


def sides_html(thing: side.Sides) -> str:
    """A table with one row per part and one column per message."""
    found, is_cut = side.rows(thing)
    drawn, cut = _within([_side(row) for row in found], _BUDGET)
    columns = len(thing.records) + 1
    if is_cut or cut:
        drawn.append(_remark(side.MORE, columns))
    sizes = "".join(
        f'<td style="{_CELL}"><strong>{len(record.data)}</strong></td>' for record in thing.records
    )
    drawn.append(
        f'<tr style="background:none"><td style="{_CELL}"><strong>bytes in all</strong></td>'
        f"{sizes}</tr>"
    )
    heads = [("what", "<"), *((escape(side.short_name(name)), "<") for name in thing.names)]
    return _root(_title(side.heading(thing)) + _table(heads, "".join(drawn)))


def _side(row: side.Row) -> str:
    look = f"{_CODE};white-space:pre;display:inline-block;border-radius:3px;padding:0 4px"
    look += f";background:rgba({_TINTS[row.kind]},0.2)"
    cells = []
    for lines in row.cells:
        shown = "<br>".join(escape(line, quote=False) for line in lines)
        if lines != (side.NOTHING,):
            shown = f'<code style="{look}">{shown}</code>'
        cells.append(f'<td style="{_CELL};white-space:nowrap">{shown}</td>')
    return (
        f'<tr style="{_PLAIN_ROW}"><td style="{_CELL};white-space:nowrap">{escape(row.title)}</td>'
        f"{''.join(cells)}</tr>"
    )


def diagnosis_html(diagnosis: Diagnosis, exact: bool = False) -> str:
    """The verdicts, one below the other, within the budget; then what was looked at."""
    groups = [_verdict(group, exact) for group in diagnosis.groups[:MAX_GROUPS]]
    drawn, _ = _within(groups, _BUDGET)
    left_out = more(diagnosis, len(drawn))
    ends = [f'<p style="{_SMALL}">{escape(text)}</p>' for text in (left_out, summary(diagnosis))]
    return _root("".join(drawn) + "".join(ends[0 if left_out else 1 :]))


def _verdict(group: Group, exact: bool) -> str:
    """A head, the sentence, and a table of what was seen and what to change."""
    ((word, style),) = head(group)
    cells = []
    for label, text, tint in rows(group, exact):
        said = _marked(elide(text, _FINDING * 2), tint if tint == "good" else "")
        cells.append(
            f'<tr style="background:none"><td style="{_CELL};{_SMALL};white-space:nowrap">'
            f'{escape(label)}</td><td style="{_CELL}">{said}</td></tr>'
        )
    table = (
        '<table style="border-collapse:collapse;border:0;margin:0;width:auto">'
        f"<tbody>{''.join(cells)}</tbody></table>"
    )
    said = escape(elide(sentence(group, exact), _FINDING * 2))
    return (
        f'<div style="margin:0 0 16px 0"><p style="margin:0 0 4px 0">{_marked(word, style)}</p>'
        f'<p style="margin:0 0 4px 0"><strong>{said}</strong></p>{table}</div>'
    )


# ── A message ────────────────────────────────────────────────────────────────────────


def _note(at: int, row: NoteRow) -> str:
    """One note as a row of the table."""
    kind = row.note.kind
    shown = "<br>".join(text for _, text in row.rows)
    look = f"{_MONO};font-size:12px;white-space:pre;display:inline-block;border-radius:3px"
    look += f";padding:0 4px;background:rgba({_TINTS[kind]},0.2)"
    # Spaces make the indent, because styles may be dropped.
    label = "&nbsp;" * (4 * row.indent) + escape(row.label)
    why = f'<br><span style="{_SMALL}">{escape(row.why)}</span>' if row.why else ""
    return (
        f'<tr class="pp-{at}" style="{_PLAIN_ROW}">'
        f'<td style="{_NUMBER};border-left:4px solid rgba({_TINTS[kind]},0.8)">'
        f"{_offset(row.note.span.start)}</td>"
        f'<td style="{_CELL};white-space:nowrap">'
        f'<code style="{look}">{shown}</code></td>'
        f'<td style="{_CELL};white-space:nowrap">{label}</td>'
        f'<td style="{_CELL}">{escape(row.meaning)}{why}</td></tr>'
    )


def _bytes(rows: Sequence[NoteRow], hidden: int) -> str:
    """The bytes in the order of the message, eight in a row, each with the class of its note."""
    drawn, cut = _within(list(_byte_rows(rows)), _BYTES_BUDGET)
    if hidden or cut:
        drawn.append(_remark("… more bytes, not shown", 2))
    return _table([("offset", ">"), ("bytes", "<")], "".join(drawn))


def _byte_rows(rows: Sequence[NoteRow]) -> Iterator[str]:
    # For every byte that is shown: its offset, its hex, and the index of its note.
    line: list[tuple[int, str, int]] = []
    for at, row in enumerate(rows):
        for offset, shown in row.rows:
            if offset is None:
                yield from _byte_row(line, rows)
                line = []
                yield _remark(shown, 2)
                continue
            for place, pair in enumerate(shown.split(" ")):
                line.append((offset + place, pair, at))
                if len(line) == _ROW:
                    yield from _byte_row(line, rows)
                    line = []
    yield from _byte_row(line, rows)


def _byte_row(line: list[tuple[int, str, int]], rows: Sequence[NoteRow]) -> Iterator[str]:
    if not line:
        return
    runs = []
    for at, group in groupby(line, lambda item: item[2]):
        tint = f"background:rgba({_TINTS[rows[at].note.kind]},0.2)"
        pairs = " ".join(pair for _, pair, _ in group)
        runs.append(
            f'<span class="pp-{at}" style="{tint};border-radius:3px;padding:2px 1px">{pairs}</span>'
        )
    yield (
        f'<tr style="background:none"><td style="{_NUMBER}">{_offset(line[0][0])}</td>'
        f'<td style="{_CELL};white-space:nowrap">'
        f'<code style="{_CODE};white-space:pre">{" ".join(runs)}</code></td></tr>'
    )


def _offset(offset: int) -> str:
    return f'<span style="{_MONO};font-size:12px;opacity:0.75">{offset}</span>'


def _style(notes: int) -> str:
    """Hovering over any part of a note lights up all of it, in its own message only."""
    chosen = ",".join(f".pp-message:has(.pp-{at}:hover) .pp-{at}" for at in range(notes))
    if not chosen:
        return ""
    return (
        f"<style>{chosen}"
        "{background:rgba(255,185,0,0.45)!important;outline:1px solid rgba(200,130,0,0.9)}"
        "</style>"
    )


# ── A ladder ─────────────────────────────────────────────────────────────────────────


def _ladder(steps: Iterable[Step], exact: bool, acks: bool) -> str:
    titles = [("packet", ">"), ("time", ">")] if exact else []
    columns = len(titles) + 3
    drawn: list[str] = []
    hidden = 0
    for rung in rungs(steps, exact=exact, acks=acks, limit=MAX_RUNGS):
        if isinstance(rung, int):
            hidden += rung
        else:
            drawn.append(_rung(rung, exact, columns))
    drawn, cut = _within(drawn, _BUDGET * 3 // 4)
    if hidden + cut:
        drawn.append(_remark(more_rungs(hidden + cut), columns))
    if not drawn:
        drawn.append(_remark("no packet", columns))
    if not acks:
        drawn.append(_remark(NO_ACKS, columns))
    lane = (
        '<div style="display:flex;justify-content:space-between;gap:8px">'
        '<span>client</span> <span style="opacity:0.6">⇄</span> <span>server</span></div>'
    )
    said = '<span style="padding-left:20px">messages</span>'
    heads = [*titles, ("flow", ">"), (lane, "<"), (said, "<")]
    return _table(heads, "".join(drawn))


def _rung(rung: Rung, exact: bool, columns: int) -> str:
    before = [rung.packet, rung.time] if exact else []
    cells = "".join(
        f'<td style="{_NUMBER};white-space:nowrap">{text}</td>' for text in [*before, rung.flow]
    )
    lines = [("warning", rung.remark)] if rung.remark else []
    lines += rung.messages
    said = "".join(f"<div>{_marked(text, style)}</div>" for style, text in lines)
    news = _remark(rung.news, columns) if rung.news else ""
    post = f"2px solid {_FAINT}"
    return (
        f'{news}<tr style="background:none">{cells}'
        f'<td style="text-align:left;vertical-align:top;padding:3px 0;white-space:nowrap;'
        f'border-left:{post};border-right:{post}">'
        f'<code style="{_CODE};white-space:pre">{escape(arrow(rung))}</code></td>'
        f'<td style="{_CELL};padding:3px 0 3px 14px;overflow-wrap:anywhere">{said}</td></tr>'
    )


# ── Tables, and what all views share ─────────────────────────────────────────────────


def _words_table(table: Table) -> str:
    drawn = []
    for row in table.rows:
        cells = []
        for cell, align, can_wrap in zip(row, table.aligns, table.elastic, strict=True):
            look = _NUMBER if align == ">" else _CELL
            look += "" if can_wrap else ";white-space:nowrap"
            cells.append(f'<td style="{look}">{_marked(cell.text, cell.style)}</td>')
        drawn.append(f'<tr style="{_PLAIN_ROW}">{"".join(cells)}</tr>')
    drawn, cut = _within(drawn, _BUDGET * 3 // 4)
    if cut:
        drawn.append(_remark(f"… {cut} more rows, not shown", len(table.titles)))
    if table.remark:
        drawn.append(_remark(table.remark, len(table.titles)))
    heads = zip((escape(title) for title in table.titles), table.aligns, strict=True)
    return _table(list(heads), "".join(drawn))


def _table(heads: Sequence[tuple[str, str]], rows: str) -> str:
    """A real table; heads and rows are HTML already."""
    cells = "".join(
        f'<th scope="col" style="{_NUMBER if align == ">" else _CELL};{_SMALL};'
        f'font-weight:600;white-space:nowrap">{title}</th>'
        for title, align in heads
    )
    return (
        '<table style="border-collapse:collapse;border:0;margin:0;width:auto">'
        f'<thead><tr style="border-bottom:1px solid {_FAINT};background:none">{cells}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _remark(text: str, columns: int) -> str:
    return (
        f'<tr style="background:none"><td colspan="{columns}" style="{_CELL}">'
        f'<span style="{_SMALL}">{escape(text)}</span></td></tr>'
    )


def _marked(text: str, style: str) -> str:
    """Words with a tint that repeats what they say."""
    if not text or style not in _TINTS:
        return escape(text)
    tint = f"background:rgba({_TINTS[style]},0.18);border-radius:3px;padding:1px 6px"
    return f'<span style="{tint}">{escape(text)}</span>'


def _title(text: str) -> str:
    return f'<p style="margin:0 0 10px 0"><strong>{escape(text)}</strong></p>'


def _pre(lines: Iterable[Line]) -> str:
    drawn = []
    for line in lines:
        runs = (
            f"<strong>{escape(run.text)}</strong>" if run.style == "title" else escape(run.text)
            for run in line
        )
        drawn.append("".join(runs))
    drawn, cut = _within(drawn, _BUDGET * 3 // 4)
    if cut:
        drawn.append(f"… {cut} more lines, not shown")
    text = "\n".join(drawn)
    return f'<pre style="{_MONO};font-size:13px;margin:0 0 10px 0;background:none">{text}</pre>'


def _findings(findings: Sequence[Finding]) -> str:
    styles = {Severity.NOTE: "", Severity.WARNING: "warning", Severity.ERROR: "error"}
    drawn = []
    for item in findings[:_FINDINGS]:
        words = _marked(elide(finding_line(item), _FINDING), styles[item.severity])
        drawn.append(f'<p style="margin:6px 0 0 0">{words}</p>')
    if len(findings) > _FINDINGS:
        drawn.append(f"<p>… {len(findings) - _FINDINGS} more findings, not shown</p>")
    return "".join(drawn)


def _root(body: str, name: str = "pp-view") -> str:
    return (
        f'<div class="{name}" style="font-size:14px;line-height:1.5;overflow-x:auto">{body}</div>'
    )


def _within(parts: list[str], budget: int) -> tuple[list[str], int]:
    """The first parts, as many as fit into the budget, and how many are left out."""
    for at, part in enumerate(parts):
        budget -= len(part)
        if budget < 0:
            return parts[:at], len(parts) - at
    return parts, 0
