"""A message byte by byte, with what each byte means.

    offset  bytes                    what                 meaning
         0  80 01                    version              1, strict
         2  00                       unused               0
         3  01                       message type         1 CALL

The notes of ``protocols.explain`` tile the message; ``note_rows`` cuts them into rows of 8 bytes
and lays out what they say.  A long value shows its beginning and its end, a long message its
first notes; both say how much they leave out.  Lost bytes are shown as ··, never as values.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Note, Record
from ..protocols.explain import explain
from ..protocols.purposes import counted
from .one_line import SEVERITIES, header_line
from .text import WORDS, Line, Run, display_width, elide, escape, pad, trim, wrap, wrapped

__all__ = ["MAX_BYTES", "MAX_NOTES", "NoteRow", "hexdump", "left_out", "note_rows"]

MAX_BYTES = 64
MAX_NOTES = 200

_ROW = 8
_BYTES_WIDTH = _ROW * 3 - 1
_MAX_INDENT = 8
_MAX_LABEL = 28
_MIN_LABEL = 12
_GAP = 2
_MAX_MEANING = 400


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note, cut and escaped, as both the text and the HTML show it.

    ``rows`` are (offset, hex of up to 8 bytes); the row with the offset None says how many bytes
    are not shown.  ``indent`` is how many levels it is indented.
    """

    note: Note
    rows: tuple[tuple[int | None, str], ...]
    indent: int
    label: str
    meaning: str
    why: str


def note_rows(
    record: Record, limit: int | None = MAX_BYTES, notes: int | None = MAX_NOTES
) -> tuple[list[NoteRow], int]:
    """The first ``notes`` notes of a message, and how many are left out.

    Of each, at most ``limit`` bytes are shown.  None means all, for either.
    """
    every = explain(record)
    shown = every if notes is None else every[:notes]
    said: set[str] = set()
    return [_note_row(record, note, limit, said) for note in shown], len(every) - len(shown)


def hexdump(
    record: Record,
    *,
    limit: int | None = MAX_BYTES,
    notes: int | None = MAX_NOTES,
    why: bool = True,
    exact: bool = False,
    width: int = 100,
) -> list[Line]:
    """Every byte of a message, or of a bare struct, with its meaning, in ``width`` columns.

    It needs 61 columns, and as many more as an offset has digits.  ``limit`` and ``notes`` are as
    for ``note_rows``.  ``why`` adds the sentences that explain, each of them once; ``exact`` adds
    addresses and ports.
    """
    rows, hidden = note_rows(record, limit, notes)
    places = max(len(str(len(record.data))), 4)
    beside = width - places - _BYTES_WIDTH - 3 * _GAP  # the room for labels and words
    labels = max((display_width(_label(row)) for row in rows), default=0)
    labels = min(labels, max(beside - WORDS, _MIN_LABEL))
    room = max(beside - labels, WORDS)
    lines: list[Line] = [*wrapped(header_line(record, exact), width, "title"), []]
    for row in rows:
        lines += _lines(row, places, labels, room, why)
    if hidden:
        lines.append([Run(" " * (places + 2) + left_out(hidden), "dim")])
    findings = record.findings
    if findings:
        lines.append([])
    for finding in findings:
        style = "dim" if not finding.severity else SEVERITIES[finding.severity]
        text = f"{SEVERITIES[finding.severity]}: {escape(finding.text)}"
        lines += wrapped(text, width, style)
    return lines


def left_out(notes: int) -> str:
    """A remark that so many notes are not shown."""
    return f"… {counted(notes, 'more note')}, not shown"


def _note_row(record: Record, note: Note, limit: int | None, said: set[str]) -> NoteRow:
    room = _MAX_MEANING if limit is not None else len(note.meaning)
    return NoteRow(
        note,
        tuple(_byte_rows(record.data, note, limit)),
        min(note.depth, _MAX_INDENT),
        elide(escape(note.label), _MAX_LABEL),
        elide(escape(trim(note.meaning, room)), room if limit is not None else 6 * room),
        _unsaid(escape(trim(note.why, 1_000)), said),
    )


def _unsaid(why: str, said: set[str]) -> str:
    """The sentences of ``why`` that no note before had, because saying them once is enough."""
    sentences = [sentence.rstrip(".") for sentence in why.split(". ") if sentence]
    fresh = [sentence for sentence in sentences if sentence not in said]
    said.update(fresh)
    return ". ".join(fresh) + "." if fresh else ""


def _byte_rows(data: bytes, note: Note, limit: int | None) -> list[tuple[int | None, str]]:
    """(offset, hex) of up to 8 bytes each; the middle of a long note is left out."""
    start, stop = note.span.start, note.span.stop
    if limit is None or stop - start <= limit:
        return _cut(data, note, start, stop)
    # Three quarters are from its beginning and one from its end, in whole rows.
    first = start + max(limit * 3 // 4 // _ROW, 1) * _ROW
    last = stop - max(limit // 4 // _ROW, 1) * _ROW
    if last <= first:
        return _cut(data, note, start, stop)
    hidden = f"… {counted(last - first, 'byte')} more"
    return [*_cut(data, note, start, first), (None, hidden), *_cut(data, note, last, stop)]


def _cut(data: bytes, note: Note, start: int, stop: int) -> list[tuple[int | None, str]]:
    rows: list[tuple[int | None, str]] = []
    for at in range(start, stop, _ROW):
        end = min(at + _ROW, stop)
        shown = " ".join(["··"] * (end - at)) if note.kind == "lost" else data[at:end].hex(" ")
        rows.append((at, shown))
    return rows


def _label(row: NoteRow, room: int = _MAX_LABEL + 2 * _MAX_INDENT) -> str:
    """The label with its indent, which is smaller if there is little room."""
    indent = min(row.indent, max(room - _MIN_LABEL, 0) // 2)
    return elide("  " * indent + row.label, room)


def _lines(row: NoteRow, places: int, labels: int, room: int, why: bool) -> list[Line]:
    """The rows of one note: bytes on the left, words beside them and below."""
    words = wrap(row.meaning, room)
    styles = [row.note.kind] * len(words)
    beside = ""
    if why and row.why:
        # It goes beside the meaning if there is room, otherwise below it.
        if len(words) == 1 and display_width(words[0] + row.why) + 3 <= room:
            beside = "   " + row.why
        else:
            reasons = wrap(row.why, room)
            words += reasons
            styles += ["dim"] * len(reasons)
    lines = []
    for at in range(max(len(row.rows), len(words))):
        offset, shown = row.rows[at] if at < len(row.rows) else (None, "")
        line = [
            Run(pad("" if offset is None else str(offset), places, ">") + "  ", "dim"),
            Run(pad(shown, _BYTES_WIDTH) + "  ", row.note.kind),
            Run(pad(_label(row, labels) if at == 0 else "", labels) + "  "),
        ]
        if at < len(words):
            line.append(Run(words[at], styles[at]))
        if at == 0 and beside:
            line.append(Run(beside, "dim"))
        lines.append(line)
    return lines
