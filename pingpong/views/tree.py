"""A message as a tree.

    CALL login, seqid 0, client → server, 39 bytes, binary unframed
    ├─ 1: STRING "root"              ├─ 1 username: STRING "root"
    └─ 2: STRING "pwd"               └─ 3: I32 7  ≠ IDL: no such field

On the right it is shown with an IDL, which names the fields and differs in the second.

A list or a map of numbers and short strings is put in one line if it fits; otherwise each element
has its own line, or only the first ones if there are many.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice

from ..model import NO_ID, Entries, Field, Items, Message, Reading, Record, Struct, TType, Value
from ..protocols.purposes import counted
from .one_line import field_name, finding_line, header_line, label, value_text
from .text import WORDS, Line, Run, clip, display_width, elide, escape, wrapped

__all__ = ["MAX_CHILDREN", "MAX_LINES", "tree"]

MAX_CHILDREN = 20
MAX_LINES = 400

_NESTED = (TType.STRUCT, TType.LIST, TType.SET, TType.MAP)
_MAX_DEPTH = 12

# A part of the tree: what it is called, its value, and the offset at which it begins.  If the value
# is None, it is a remark.
_Child = tuple[str, "Value | None", int]


def tree(
    record: Record,
    *,
    children: int | None = MAX_CHILDREN,
    limit: int | None = MAX_LINES,
    exact: bool = False,
    width: int = 100,
) -> list[Line]:
    """Method, type, seqid and fields, in ``width`` columns.

    At most ``children`` parts of each list, map and struct are shown, and ``limit`` lines in all;
    None shows all.
    """
    remarks = _Remarks(record)
    lines = wrapped(header_line(record, exact), width, "title")
    lines[-1] += remarks.of_record()
    parts = list(_children(_of_struct(record.body), len(record.body.fields), children))
    if record.body.stop is None:
        parts.append(("… the rest was not read", None, 0))
    elif not parts:
        parts.append(("no fields", None, 0))
    branches = _branches(parts, "", 1, children, width, remarks)
    lines += islice(branches, limit)
    if next(branches, None) is not None:
        lines.append([Run("… the rest of the tree, not shown", "dim")])
    # If a remark beside a branch does not fit, it is still whole among the findings.
    lines = [clip(line, width) for line in lines]
    for finding in record.findings:
        style = "error" if finding.severity > 1 else "warning"
        lines += wrapped(finding_line(finding), width, style)
    return lines


class _Remarks:
    """What the IDL says where the record differs from it, by the offset of the place."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._said = record.remarks
        self._offsets = sorted(self._said)

    def of_record(self) -> Line:
        """The remark beside the first line: on the header, and on the outer struct as a whole."""
        record = self._record
        offsets = [record.body.stop.start] if record.body.stop is not None else []
        if isinstance(record, Message):
            offsets = [record.header.span.start, record.header.method_span.start, *offsets]
        return self._of(offsets)

    def of_part(self, value: Value, start: int) -> Line:
        """The remark beside a field or an element that begins at ``start``."""
        if not self._said:
            return []
        offsets = [start, value.span.start]
        if isinstance(value.content, Struct) and value.content.stop is not None:
            offsets.append(value.content.stop.start)
        return self._of(offsets)

    def is_inside(self, value: Value) -> bool:
        """Whether there is a remark on something inside the value."""
        at = bisect_right(self._offsets, value.span.start)
        return at < len(self._offsets) and self._offsets[at] < value.span.stop

    def _of(self, offsets: list[int]) -> Line:
        said = (self._said[one] for one in dict.fromkeys(offsets) if one in self._said)
        return [Run(f"  {escape(remark)}", "warning") for remark in said]


def _branches(
    parts: list[_Child],
    indent: str,
    depth: int,
    children: int | None,
    width: int,
    remarks: _Remarks,
) -> Iterator[Line]:
    for at, (name, value, start) in enumerate(parts):
        last = at == len(parts) - 1
        # Beyond some depth the tree stops moving to the right, so that lines stay on the screen.
        deeper = indent + ("   " if last else "│  ")
        place = "└─ " if last else "├─ "
        if depth > _MAX_DEPTH:
            deeper, place = indent, f"{place}(depth {depth}) "
        branch = Run(indent + place, "dim")
        if value is None:
            yield [branch, Run(name, "dim")]
            continue
        beside = remarks.of_part(value, start)
        room = width - display_width(branch.text) - display_width(name)
        room -= sum(display_width(run.text) for run in beside)
        text, inner = _described(value, room, children, remarks)
        yield [branch, Run(name, "field"), *text, *beside]
        yield from _branches(inner, deeper, depth + 1, children, width, remarks)


def _described(
    value: Value, room: int, children: int | None, remarks: _Remarks
) -> tuple[Line, list[_Child]]:
    """The words for a value, and its parts if they need lines of their own."""
    content = value.content
    name = value.type_name
    if isinstance(content, Struct):
        inner = list(_children(_of_struct(content), len(content.fields), children))
        if content.stop is None:
            inner.append(("… the rest was not read", None, 0))
        if value.label:
            name = f"{name} {label(value)}"
        empty = [] if inner else [Run(", empty", "dim")]
        return [Run(name, "size"), *empty, *_other_readings(value)], inner
    if isinstance(content, Items):
        of = "" if content.element_type is TType.STOP else f" of {content.element_type.name}"
        head = f"{name}{of}, {counted(content.count, 'element')}"
        flat = content.element_type not in _NESTED
        flat = flat and not remarks.is_inside(value)
        items = ((f"[{at}] ", item, item.span.start) for at, item in enumerate(content.items))
        return _one_line_or_many(value, head, flat, items, room, children)
    if isinstance(content, Entries):
        head = f"{name}, {counted(content.count, 'entry', 'entries')}"
        if content.count and content.key_type is not TType.STOP:
            head = f"{name} of {content.key_type.name} → {content.value_type.name}, " + (
                counted(content.count, "entry", "entries")
            )
        flat = content.key_type not in _NESTED and content.value_type not in _NESTED
        flat = flat and not remarks.is_inside(value)
        return _one_line_or_many(value, head, flat, _of_map(content), room, children)
    text = value_text(value, max(room - len(name) - 1, WORDS))
    line = [Run(name + " ", "size"), Run(text, "lost" if value.lost else "value")]
    return [*line, *_other_readings(value)], []


def _other_readings(value: Value) -> Line:
    """What else the bytes may mean, if they do not say."""
    others = value.readings[1:]
    if not others or value.redacted:
        return []
    said = "; ".join(f"{one.own} {_reading(one)}".rstrip() for one in others)
    likely = "likely" if value.readings[0].is_likely else "as likely as"
    return [Run(f"  ({likely}; or {said})", "dim")]


def _reading(one: Reading) -> str:
    return elide(escape(one.plain if isinstance(one.plain, str) else repr(one.plain)), 40)


def _one_line_or_many(
    value: Value,
    head: str,
    flat: bool,
    parts: Iterator[_Child],
    room: int,
    children: int | None,
) -> tuple[Line, list[_Child]]:
    assert isinstance(value.content, (Items, Entries))
    there = len(value.content.items)
    count = value.content.count
    if flat and there == count:
        text = value_text(value, room)
        if not text.endswith("…") and display_width(text) + len(head) + 2 <= room:
            shown = [Run(": " + text, "value")] if count else []
            return [Run(head, "size"), *shown], []
    inner = list(_children(parts, there, children))
    if there < count:
        inner.append((f"… {count - there} of {count} were not read", None, 0))
    return [Run(head, "size")], inner


def _children(parts: Iterator[_Child], total: int, most: int | None) -> Iterator[_Child]:
    for at, part in enumerate(parts):
        if most is not None and at >= most:
            yield f"… {total - most} more, not shown", None, 0
            return
        yield part


def _of_struct(struct: Struct) -> Iterator[_Child]:
    return ((f"{_called(field)}: ", field.value, field.span.start) for field in struct.fields)


def _called(field: Field) -> str:
    """What a field is called: its number, and its name too if there is one."""
    name = field_name(field)
    return name if field.name is None or field.field_id == NO_ID else f"{field.field_id} {name}"


def _of_map(content: Entries) -> Iterator[_Child]:
    for key, value in content.items:
        # A remark on the key is put beside the value.
        yield f"{value_text(key, 40)} → ", value, key.span.start
