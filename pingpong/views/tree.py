"""A message as the tree that it is.

    CALL login, seqid 0, client → server, 39 bytes, binary unframed
    ├─ 1: STRING "root"
    └─ 2: STRING "pwd"

A list or a map of numbers and short strings stands in one line where it fits; otherwise each
element has a line, the first ones only if there are many.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ..model import Entries, Items, Record, Struct, TType, Value
from .short import field_name, finding_line, header_line, value_text
from .text import Line, Run, counted, display_width

__all__ = ["MAX_CHILDREN", "MAX_LINES", "tree"]

MAX_CHILDREN = 20
MAX_LINES = 400

_NESTED = (TType.STRUCT, TType.LIST, TType.SET, TType.MAP)
_MAX_DEPTH = 12

# A part of the tree: what it is called, and its value; None is a remark.
_Child = tuple[str, "Value | None"]


def tree(
    record: Record,
    *,
    children: int | None = MAX_CHILDREN,
    limit: int | None = MAX_LINES,
    exact: bool = False,
    width: int = 100,
) -> list[Line]:
    """Method, type, seqid and fields.  At most ``children`` parts of each list, map and struct
    are shown, and ``limit`` lines in all; None shows all."""
    lines: list[Line] = [[Run(header_line(record, exact), "title")]]
    parts = list(_children(_of_struct(record.body), len(record.body.fields), children))
    if record.body.stop is None:
        parts.append(("… the rest was not read", None))
    elif not parts:
        parts.append(("no fields", None))
    branches = _branches(parts, "", 1, children, width)
    lines += islice(branches, limit)
    if next(branches, None) is not None:
        lines.append([Run("… the rest of the tree, not shown", "dim")])
    for finding in record.findings:
        lines.append([Run(finding_line(finding), "error" if finding.severity > 1 else "warning")])
    return lines


def _branches(
    parts: list[_Child], indent: str, depth: int, children: int | None, width: int
) -> Iterator[Line]:
    for at, (name, value) in enumerate(parts):
        last = at == len(parts) - 1
        # Very deep trees stop moving to the right, so that a line stays on the screen.
        deeper = indent + ("   " if last else "│  ")
        place = "└─ " if last else "├─ "
        if depth > _MAX_DEPTH:
            deeper, place = indent, f"{place}(depth {depth}) "
        branch = Run(indent + place, "dim")
        if value is None:
            yield [branch, Run(name, "dim")]
            continue
        room = width - display_width(branch.text) - display_width(name)
        text, inner = _described(value, room, children)
        yield [branch, Run(name, "field"), *text]
        yield from _branches(inner, deeper, depth + 1, children, width)


def _described(value: Value, room: int, children: int | None) -> tuple[Line, list[_Child]]:
    """The words for a value and its parts, if it needs lines of their own for them."""
    content = value.content
    name = value.ttype.name
    if isinstance(content, Struct):
        inner = list(_children(_of_struct(content), len(content.fields), children))
        if content.stop is None:
            inner.append(("… the rest was not read", None))
        return [Run(name, "size"), *([] if inner else [Run(", empty", "dim")])], inner
    if isinstance(content, Items):
        head = f"{name} of {content.element_type.name}, {counted(content.count, 'element')}"
        flat = content.element_type not in _NESTED
        items = ((f"[{at}] ", item) for at, item in enumerate(content.items))
        return _one_line_or_many(value, head, flat, items, room, children)
    if isinstance(content, Entries):
        head = f"{name}, {counted(content.count, 'entry', 'entries')}"
        if content.count:
            head = f"{name} of {content.key_type.name} → {content.value_type.name}, " + (
                counted(content.count, "entry", "entries")
            )
        flat = content.key_type not in _NESTED and content.value_type not in _NESTED
        return _one_line_or_many(value, head, flat, _of_map(content), room, children)
    text = value_text(value, max(room - len(name) - 1, 20))
    return [Run(name + " ", "size"), Run(text, "lost" if value.lost else "value")], []


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
        inner.append((f"… {count - there} of {count} were not read", None))
    return [Run(head, "size")], inner


def _children(parts: Iterator[_Child], total: int, most: int | None) -> Iterator[_Child]:
    for at, part in enumerate(parts):
        if most is not None and at >= most:
            yield f"… {total - most} more, not shown", None
            return
        yield part


def _of_struct(struct: Struct) -> Iterator[_Child]:
    return ((f"{field_name(field)}: ", field.value) for field in struct.fields)


def _of_map(content: Entries) -> Iterator[_Child]:
    return ((f"{value_text(key, 40)} → ", value) for key, value in content.items)
