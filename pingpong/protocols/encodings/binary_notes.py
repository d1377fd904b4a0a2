"""Notes for the bytes of the binary protocol, with its strict or its old header.

header: version, type, name, seqid │ fields: type, id, value … │ STOP
"""

from __future__ import annotations

from ...model import Entries, Field, Header, Items, TType, Value
from ..purposes import TYPE_WHY, called
from .notes import StructWriter, elements, join

__all__ = ["BinaryWriter", "OldBinaryWriter"]


class BinaryWriter(StructWriter):
    """Writes the notes of the binary protocol with the strict header."""

    def header(self, header: Header) -> None:
        unused = self.data[header.span.start + 2]
        self.note(2, "header", "version", "1, strict", "The first bit marks the strict header.")
        self.note(1, "header", "unused", str(unused), "The specification leaves it out.")
        self.mtype(header)
        self.name(header)
        self.note(4, "header", "seqid", str(header.seqid), self.seqid_why(header))

    def mtype(self, header: Header) -> None:
        """Note the message type: one byte."""
        meaning = f"{header.type.value} {header.type.name}"
        self.note(1, "header", "message type", meaning, TYPE_WHY[header.type])

    def name(self, header: Header, why: str = "") -> None:
        """Note the method's name after its length; ``why`` is added to the length's explanation."""
        name = header.method_span
        self.note(4, "header", "method name length", str(len(name)), join("In bytes.", why))
        self.note(len(name), "header", "method name", f'"{header.method}"')

    def field_head(self, field: Field, before: int, depth: int, path: tuple[int, ...]) -> None:
        ttype = field.ttype
        self.note(1, "field", "field type", f"{ttype.value} {ttype.name}", "", depth, path)
        self.note(2, "field", "field id", called(field), self.why(field, path), depth, path)

    def length(self, value: Value) -> tuple[int, str]:
        return int.from_bytes(self.data[self.at : self.at + value.head], "big", signed=True), ""

    def how(self, value: Value) -> str:
        return "IEEE 754, 8 bytes, the sign first." if value.ttype is TType.DOUBLE else ""

    def items_head(self, value: Value, content: Items, depth: int, path: tuple[int, ...]) -> None:
        element = self._typed(content.element_type)
        self.note(1, "size", "element type", element, "", depth, path)
        self.note(4, "size", "count", str(content.count), elements(value), depth, path)

    def entries_head(
        self, value: Value, content: Entries, depth: int, path: tuple[int, ...]
    ) -> None:
        self.note(1, "size", "key type", self._typed(content.key_type), "", depth, path)
        self.note(1, "size", "value type", self._typed(content.value_type), "", depth, path)
        self.note(4, "size", "count", str(content.count), "Pairs of the map.", depth, path)

    def _typed(self, ttype: TType) -> str:
        number = self.data[self.at]
        return f"{number} {ttype.name}" if number == ttype.value else f"{number}"


class OldBinaryWriter(BinaryWriter):
    """Writes the notes of the binary protocol with the header that has no version."""

    def header(self, header: Header) -> None:
        self.name(header, "It comes first: an old header, without a version.")
        self.mtype(header)
        self.note(4, "header", "seqid", str(header.seqid), self.seqid_why(header))
