"""Notes for the bytes of values that say their own types: what those encodings share.

    root struct ─▶ values ─▶ head (type, length, name), content, parts, end

An encoding's own writer says how it writes the head of a value and what comes between values; the
order is the same for all.
"""

from __future__ import annotations

from abc import abstractmethod

from ...model import (
    Entries,
    Field,
    Items,
    Message,
    MessageType,
    Note,
    Record,
    Struct,
    TType,
    Value,
    written_time,
)
from ..purposes import REDACTED, REDACTED_WHY, counted
from .notes import Writer, join

__all__ = ["ValuesWriter", "said"]


def said(value: Value) -> tuple[str, str]:
    """Return what a value that is not a container says, and a sentence about it."""
    content = value.content
    if value.redacted:
        return REDACTED, REDACTED_WHY
    if isinstance(content, bytes):
        text = value.text
        if text is not None:
            return f'"{text}"', ""
        return f"{counted(len(content), 'byte')}: {content.hex(' ')}".rstrip(": "), ""
    if isinstance(content, str):
        return f'"{content}"', ""
    if content is None:
        return "null", ""
    if isinstance(content, bool):
        return ("true" if content else "false"), ""
    if isinstance(content, float):
        return repr(content), ""
    if value.ttype is TType.TIME and isinstance(content, int):
        return written_time(content), ""
    if value.ttype is TType.REFERENCE:
        return f"to {value.label}" if value.label else "to nothing that came before", ""
    return str(content), ""


class ValuesWriter(Writer):
    """Writes the notes of a payload."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self.stop = record.stop

    def written(self) -> list[Note]:
        """Return the notes of the whole record, from its header on."""
        record = self.record
        if isinstance(record, Message):
            header = record.header.span
            self.at = header.start
            self.note(len(header), "header", "header", f'"{record.header.method}"')
        self.outermost(record.body)
        self.rest(self.stop)
        return self.notes

    # ── What an encoding adds ────────────────────────────────────────────────────────

    def outermost(self, body: Struct) -> None:
        """Note the struct that is the payload."""
        self.fields(body, 1, ())

    @abstractmethod
    def leaf(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        """Note a value that is not a container."""

    def struct_head(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        """Note what comes before the first field of a struct."""

    @abstractmethod
    def items_head(
        self, value: Value, content: Items, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        """Note what precedes the elements of a list."""

    @abstractmethod
    def entries_head(
        self, value: Value, content: Entries, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        """Note what precedes the pairs of a map."""

    def close(self, value: Value, depth: int, path: tuple[int, ...]) -> None:
        """Note the end of a container."""

    def between(self, stop: int, depth: int, path: tuple[int, ...]) -> None:
        """Note what comes before the value at ``stop`` and is not a value."""

    def field_head(self, field: Field, depth: int, path: tuple[int, ...]) -> None:
        """Note what comes before a field's value and names it."""

    # ── In order ─────────────────────────────────────────────────────────────────────

    def fields(self, struct: Struct, depth: int, path: tuple[int, ...]) -> None:
        """Note the fields of a struct: what names each, then its value."""
        for place, field in enumerate(struct.fields, 1):
            inner = (*path, field.field_id if field.field_id >= 0 else place)
            self.rest(field.span.start)
            self.field_head(field, depth, inner)
            label = field.name if field.name is not None else "value"
            self.value(field.value, label or "value", depth, inner)

    def role(self, path: tuple[int, ...]) -> str:
        """Say what a field of the outermost struct is for."""
        if len(path) == 1 and self.kind in (MessageType.CALL, MessageType.ONEWAY):
            return f"Argument {path[0]}."
        return ""

    def value(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        """Note a value of any type; ``label`` says what it is to its container."""
        content = value.content
        self.between(value.span.start, depth, path)
        self.rest(value.span.start)
        if isinstance(content, Struct):
            self.struct_head(value, label, depth, path)
            self.fields(content, depth + 1, path)
        elif isinstance(content, Items):
            self.items_head(value, content, label, depth, path)
            for index, item in enumerate(content.items):
                self.value(item, f"[{index}]", depth + 1, path)
        elif isinstance(content, Entries):
            self.entries_head(value, content, label, depth, path)
            for index, (key, item) in enumerate(content.items):
                self.value(key, f"key {index}", depth + 1, path)
                self.value(item, f"value {index}", depth + 1, path)
        elif value.lost and content is None:
            self.rest(value.span.stop)
            return
        else:
            self.leaf(value, label, depth, path)
            self.rest(value.span.stop)
            return
        self.close(value, depth, path)
        self.rest(value.span.stop)

    def content(
        self, value: Value, stop: int, label: str, depth: int, path: tuple[int, ...], why: str = ""
    ) -> None:
        """Note the rest of a value up to ``stop``: its content, as far as it is there."""
        meaning, how = said(value)
        why = join(self.role(path), how, why)
        if value.lost:
            why = join("Not all of it is there.", why)
        for lost in self.losses.within(self.at, stop):
            self.note(lost.start - self.at, "value", label, meaning, why, depth, path)
            self.rest(stop)
            return
        self.note(stop - self.at, "value", label, meaning, why, depth, path)
