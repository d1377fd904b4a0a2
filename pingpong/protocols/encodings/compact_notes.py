"""Notes for the bytes of the compact protocol.

header: id, version and type, seqid, name │ fields: delta and type, value … │ STOP
"""

from __future__ import annotations

from typing import Final

from ...model import Entries, Field, Header, Items, TType, Value
from ..purposes import REDACTED, TYPE_WHY, called
from .compact import read_varint
from .notes import StructWriter, elements, join

__all__ = ["CompactWriter"]

_VARINT_WHY: Final = "Seven bits a byte, the lowest first."


class CompactWriter(StructWriter):
    """Writes the compact protocol's notes: one byte may say two things; numbers vary in size."""

    def varint(self) -> tuple[int, int, str]:
        """Return the number at the current place, its size, and how it is written."""
        value, end = read_varint(self.data, self.at, len(self.data), "number", 64)
        size = end - self.at
        return value, size, _VARINT_WHY if size > 1 else ""

    def header(self, header: Header) -> None:
        self.note(1, "header", "protocol id", "0x82", "The mark of the compact protocol.")
        self.note(
            1,
            "header",
            "version and message type",
            f"version 1, type {header.type.value} {header.type.name}",
            f"Five bits and three. {TYPE_WHY[header.type]}",
        )
        _, size, how = self.varint()
        sign = "Not zigzag: a negative number keeps its 32 bits." if header.seqid < 0 else ""
        why = join(self.seqid_why(header), how, sign)
        self.note(size, "header", "seqid", str(header.seqid), why)
        length, size, how = self.varint()
        self.note(size, "header", "method name length", str(length), join("In bytes.", how))
        self.note(length, "header", "method name", f'"{header.method}"')

    def field_head(self, field: Field, before: int, depth: int, path: tuple[int, ...]) -> None:
        delta = self.data[self.at] >> 4
        nibble = self.data[self.at] & 15
        name = field.ttype.name
        means = ""
        if field.value.redacted and not field.value.span:
            means = f" is {REDACTED}"
        elif field.ttype is TType.BOOL:
            name = "TRUE" if field.value.content else "FALSE"
            means = f" is {name.lower()}"
        said = f"delta {delta}, type {nibble} {name}"
        if delta:
            total = f"{before} + {delta} = {field.field_id}"
            meaning = f"{said}: field {called(field)}{means}"
            role = self.why(field, path)
            why = join(f"Added to the id before, 0 at the start: {total}.", role)
            self.note(1, "field", "field header", meaning, why, depth, path)
            return
        self.note(
            1, "field", "field header", f"{said}: the id follows{means and f', and it{means}'}",
            "Delta 0: the id is written out.", depth, path,
        )  # fmt: skip
        raw, size, how = self.varint()
        why = join(how, _zigzag(raw, field.field_id), self.why(field, path))
        self.note(size, "field", "field id", called(field), why, depth, path)

    def length(self, value: Value) -> tuple[int, str]:
        length, _, how = self.varint()
        return length, how

    def how(self, value: Value) -> str:
        if value.ttype in (TType.I16, TType.I32, TType.I64) and isinstance(value.content, int):
            raw, _, how = self.varint()
            return join(how, _zigzag(raw, value.content))
        if value.ttype is TType.DOUBLE:
            return "IEEE 754, 8 bytes, the sign last."
        return "1 is true, 2 is false." if value.ttype is TType.BOOL else ""

    def items_head(self, value: Value, content: Items, depth: int, path: tuple[int, ...]) -> None:
        label = f"{value.ttype.name.lower()} header"
        element = f"element type {_nibble(content.raw_type, content.element_type)}"
        if value.head == 1:
            meaning = f"count {content.count}, {element}"
            self.note(1, "size", label, meaning, "Four bits each.", depth, path)
            return
        why = "15 says that the count follows."
        self.note(1, "size", label, f"count 15, {element}", why, depth, path)
        _, size, how = self.varint()
        why = join(elements(value), how)
        self.note(size, "size", "count", str(content.count), why, depth, path)

    def entries_head(
        self, value: Value, content: Entries, depth: int, path: tuple[int, ...]
    ) -> None:
        _, size, how = self.varint()
        if not content.count:
            how = "An empty map is this byte alone." if size == 1 else how
        why = join("Pairs of the map.", how)
        self.note(size, "size", "count", str(content.count), why, depth, path)
        if content.count:
            key = _nibble(content.raw_type >> 4, content.key_type)
            item = _nibble(content.raw_type & 15, content.value_type)
            meaning = f"key {key}, value {item}"
            self.note(1, "size", "key and value type", meaning, "Four bits each.", depth, path)


def _nibble(nibble: int, ttype: TType) -> str:
    return f"{nibble}" if ttype is TType.STOP else f"{nibble} {ttype.name}"


def _zigzag(raw: int, value: int) -> str:
    return f"Zigzag: {raw} stands for {value}."
