"""The same message in several protocols, its parts lined up.

    what                 binary             compact      json
    ──────────────────────────────────────────────────────────────
    version and type     80 01 00 01        82 21        [1,1,
    method name length   00 00 00 04        04           –
    method name          70 69 6e 67        70 69 6e 67  "ping",
    seqid                00 00 00 00        00           0,
    struct begins        –                  –            {
    end                  00                 00           }]
    bytes in all         17                 9            16

    messages ─▶ notes (explain) ─▶ Parts: what a note's bytes are for ─▶ rows ─▶ lines, HTML

A row is a purpose, not a place: if a protocol says a thing earlier or later, or in two pieces, its
bytes are still in that row.  Each byte is in exactly one cell; "–" is an empty cell.  Protocols
that are text show text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from ..model import Entries, Field, Items, Message, Note, Record, Shown, Struct, Value
from ..protocols.explain import explain
from ..protocols.purposes import counted
from .one_line import method
from .text import Line, Run, display_width, elide, escape, pad, trim, wrap, wrapped

__all__ = [
    "MAX_ROWS",
    "MAX_SIDES",
    "MORE",
    "NOTHING",
    "Row",
    "Sides",
    "heading",
    "rows",
    "short_name",
    "sides",
]

MAX_SIDES: Final = 8
MAX_ROWS: Final = 100
NOTHING: Final = "–"
MORE: Final = "… more rows, not shown"

_BYTES: Final = 8  # per line of a cell
_LINES: Final = 4  # per cell
_GAP: Final = 2
_MAX_NAME: Final = 24
_MIN_CELL: Final = 8  # three bytes
_MIN_LABEL: Final = 12
_MAX_LABEL: Final = 34
_NO_ROOM: Final = 1000  # that is the limit

# What the notes of a header are for.  A byte of compact has version and type, so both are one part.
_HEADER: Final = {
    "method name length": "method name length",
    "method name": "method name",
    "seqid": "seqid",
    "payload": "struct begins",
}
# Neighbouring notes of these kinds may be one part.
_TOGETHER: Final = ("frame", "header", "field", "size", "lost", "unread")
# The element of a list or a map that a note is about.
_ELEMENT: Final = re.compile(r"(\[\d+\]|(?:key|value) \d+)")


class Part(NamedTuple):
    """What bytes are for: ``path`` is the field, ``what`` the part of it.

    ``time`` counts equal ones, as in a list of structs.
    """

    path: tuple[int, ...]
    what: str
    time: int = 0

    @property
    def title(self) -> str:
        """Its row's title: the field by its path, then what the bytes are."""
        field = f"field {'.'.join(str(part) for part in self.path)} " if self.path else ""
        return field + self.what


class Row(NamedTuple):
    """A part, and its bytes in each message: the lines of a cell; ``kind`` is a Note's."""

    title: str
    kind: str
    cells: tuple[tuple[str, ...], ...]


class Sides(Shown):
    """Messages side by side, each with a name.

    ``names`` are made from protocol and transport if they are not given.  Raises ValueError for no
    message or more than MAX_SIDES, and if there is not one name per message.
    """

    __slots__ = ("names", "records")

    def __init__(self, records: Sequence[Record], names: Sequence[str] = ()) -> None:
        if not 1 <= len(records) <= MAX_SIDES:
            raise ValueError(f"messages: are {len(records)}, want 1 to {MAX_SIDES}")
        if names and len(names) != len(records):
            raise ValueError(f"names: are {len(names)}, want one a message, {len(records)}")
        self.records = tuple(records)
        self.names = tuple(names) or _names(records)

    def __repr__(self) -> str:
        return (
            f"<Sides of {len(self.records)}: {', '.join(short_name(name) for name in self.names)}>"
        )


def _names(records: Sequence[Record]) -> tuple[str, ...]:
    """Return the protocols, with the transport if two have the same."""
    names = [record.protocol.name for record in records]
    return tuple(
        f"{name} {record.transport}"
        if names.count(name) > 1 and isinstance(record, Message)
        else name
        for name, record in zip(names, records, strict=True)
    )


def sides(thing: Sides, *, width: int = 100) -> list[Line]:
    """Draw the messages side by side as text, in at most ``width`` columns.

    One message needs 22 columns, and each further one 10.
    """
    titles = [row.title for row in rows(thing)[0]]
    label = min(max(display_width(title) for title in ["what", *titles]), _MAX_LABEL)
    least = (_MIN_CELL + _GAP) * len(thing.records)
    label = min(label, max(width - least, _MIN_LABEL))
    room = max((width - label) // len(thing.records) - _GAP, _MIN_CELL)
    drawn, is_cut = rows(thing, min((room + 1) // 3, _BYTES), room)
    names = [wrap(short_name(name), room) for name in thing.names]
    sizes = [[str(len(record.data))] for record in thing.records]
    columns = [
        max(display_width(line) for cell in column for line in cell)
        for column in zip(names, sizes, *(row.cells for row in drawn), strict=True)
    ]
    lines = wrapped(heading(thing), width, "title")
    lines += [[], *_cells("what", "head", names, "head", label, columns)]
    lines.append([Run("─" * (label + sum(columns) + _GAP * len(columns)), "dim")])
    for row in drawn:
        lines += _cells(row.title, "", row.cells, row.kind, label, columns)
    if is_cut:
        lines.append([Run(MORE, "dim")])
    return lines + _cells("bytes in all", "head", sizes, "head", label, columns)


def _cells(
    title: str,
    style: str,
    cells: Sequence[Sequence[str]],
    kind: str,
    label: int,
    columns: Sequence[int],
) -> list[Line]:
    drawn = []
    for at in range(max(len(cell) for cell in cells)):
        line = [Run(pad("" if at else elide(title, label), label), style)]
        for cell, column in zip(cells, columns, strict=True):
            text = cell[at] if at < len(cell) else ""
            line += [Run(" " * _GAP), Run(pad(text, column), "dim" if text == NOTHING else kind)]
        drawn.append(line)
    return drawn


def heading(thing: Sides) -> str:
    """Return a heading: ``CALL login: binary 39 bytes, compact 25 bytes``."""
    first = thing.records[0]
    said = f"{first.type.name} {method(first)}" if isinstance(first, Message) else "struct"
    sizes = zip(map(short_name, thing.names), thing.records, strict=True)
    return f"{said}: " + ", ".join(f"{n} {counted(len(r.data), 'byte')}" for n, r in sizes)


def short_name(name: str) -> str:
    """Return a column's title, fit to be shown."""
    return elide(escape(trim(name, _MAX_NAME)), _MAX_NAME)


# ── Rows ─────────────────────────────────────────────────────────────────────────────


def rows(thing: Sides, size: int = _BYTES, room: int = _NO_ROOM) -> tuple[list[Row], bool]:
    """Return one row per part, and whether there are more than MAX_ROWS.

    Cells have ``size`` bytes per line, of at most ``room`` columns.  The first message that has a
    part decides where it comes.
    """
    numbered = next((one for one in thing.records if not _is_named(one)), None)
    found = [_parts(record, numbered) for record in thing.records]
    order: list[Part] = []
    for parts in found:
        at = 0
        for part in parts:
            if part in order:
                at = order.index(part) + 1
            else:
                order.insert(at, part)
                at += 1
    drawn = [_row(part, found, thing.records, size, room) for part in order[:MAX_ROWS]]
    return drawn, len(order) > len(drawn)


def _row(
    part: Part,
    found: Sequence[dict[Part, list[Note]]],
    records: Sequence[Record],
    size: int,
    room: int,
) -> Row:
    kind = next(parts[part][0].kind for parts in found if part in parts)
    cells = (
        tuple(_cell(record, parts.get(part, []), size, room))
        for parts, record in zip(found, records, strict=True)
    )
    return Row(part.title, kind, tuple(cells))


def _parts(record: Record, numbered: Record | None) -> dict[Part, list[Note]]:
    """Return the notes of a message by what they are for, in order.

    A type and an id are one part; a part that comes again later belongs to another element.
    """
    parts: dict[Part, list[Note]] = {}
    before: Part | None = None
    for note in explain(record):
        if len(parts) > MAX_ROWS:  # more of them are never shown
            break
        path = note.path
        if _is_named(record) and numbered is not None:
            path = _ids(numbered.body, path)
        part = Part(path, _what(note))
        if before is not None and part[:2] == before[:2] and note.kind in _TOGETHER:
            part = before
        elif path:
            while part in parts:
                part = part._replace(time=part.time + 1)
        parts.setdefault(part, []).append(note)
        before = part
    return parts


def _what(note: Note) -> str:
    if note.kind == "frame":
        return "before the message"
    if note.kind == "header":
        return _HEADER.get(note.label, "version and type")
    if note.kind == "field":
        return "type and id"
    if note.kind in ("lost", "unread"):
        return note.label
    if note.kind == "stop":
        # JSON has ends of its own for the message, lists and maps.
        return "end" if note.label in ("STOP", "struct ends", "message ends") else "elements end"
    if note.label == "struct begins":
        return note.label
    element = _ELEMENT.match(note.label)
    which = f"{element[1]} " if element else ""
    if note.kind == "value":
        return element[1] if element else "value"
    return f"{which}length" if note.label.endswith("length") else "types and count"


def _is_named(record: Record) -> bool:
    """Say whether it has names of fields and no ids.  Then a note's path counts places."""
    return record.protocol.has_names


def _ids(struct: Struct, places: tuple[int, ...]) -> tuple[int, ...]:
    """Return the ids of the fields at those places, as far as ``struct`` has them."""
    if not places or not 0 < places[0] <= len(struct.fields):
        return places
    field: Field = struct.fields[places[0] - 1]
    inner = _struct_in(field.value)
    rest = places[1:]
    return (field.field_id, *(_ids(inner, rest) if inner is not None else rest))


def _struct_in(value: Value) -> Struct | None:
    """Return the struct that a value is, or the first one in it."""
    content = value.content
    if isinstance(content, Struct):
        return content
    inner: tuple[Value, ...] = ()
    if isinstance(content, Items):
        inner = content.items[:1]
    elif isinstance(content, Entries):
        inner = content.items[0] if content.items else ()
    return next((found for one in inner if (found := _struct_in(one)) is not None), None)


# ── Cells ────────────────────────────────────────────────────────────────────────────


def _cell(record: Record, notes: Sequence[Note], size: int, room: int) -> list[str]:
    """Return a part's bytes in lines; a long part shows its beginning and says what it hides."""
    if not notes:
        return [NOTHING]
    if any(note.kind == "lost" for note in notes):
        return wrap(f"{counted(sum(len(note.span) for note in notes), 'byte')} lost", room)
    is_text = record.protocol.is_text and notes[0].kind != "frame"
    width = size * 3 - 1 if is_text else size
    most = width * _LINES
    data = b"".join(
        record.data[n.span.start : min(n.span.stop, n.span.start + most)] for n in notes
    )
    hidden = sum(len(note.span) for note in notes) - min(len(data), most)
    if is_text:
        lines = wrap(escape(data[:most].decode("utf-8", "backslashreplace").strip()), width)
    else:
        lines = [data[at : at + size].hex(" ") for at in range(0, min(len(data), most), size)]
    return [*lines, *wrap(f"… {hidden} more", room)] if hidden else lines
