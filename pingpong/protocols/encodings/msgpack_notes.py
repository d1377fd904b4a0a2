"""Notes for the bytes of MessagePack.

type and length │ content │ elements, keys and values …
"""

from __future__ import annotations

from ...model import Entries, Field, Items, Struct, Value
from ..purposes import counted
from .msgpack import EXT, FLOAT, HEADS, INT, KINDS, MAP, OWN, STR, length_at
from .notes import join
from .values_notes import ValuesWriter

__all__ = ["MsgpackWriter"]


class MsgpackWriter(ValuesWriter):
    """Writes the notes of MessagePack."""

    def outermost(self, body: Struct) -> None:
        start = self.record.start
        self.rest(start)
        is_map = start < self.stop and start not in self.losses and KINDS[self.data[start]] == MAP
        if is_map and (body.fields[0].name is not None if body.fields else body.stop is not None):
            self.head("payload", "pair", "Names and values in turn.", 1, ())
        self.fields(body, 1, ())

    def head(self, label: str, thing: str, why: str, depth: int, path: tuple[int, ...]) -> None:
        """Note a type together with its length or its count."""
        tag = self.data[self.at]
        meaning = f"{OWN[tag]}, {counted(length_at(self.data, self.at), thing)}"
        size = HEADS[tag] - (1 if KINDS[tag] == EXT else 0)
        if size == 1:
            why = join("The length is in the type.", why)
        self.note(size, "size", f"{label} length", meaning, why, depth, path)

    def field_head(self, field: Field, depth: int, path: tuple[int, ...]) -> None:
        if field.name is None:
            return
        self.head("name", "byte", "", depth, path)
        stop = self.at + length_at(self.data, field.span.start)
        for lost in self.losses.within(self.at, stop):
            self.note(lost.start - self.at, "field", "name", f'"{field.name}"', "", depth, path)
            self.rest(stop)
            return
        self.note(stop - self.at, "field", "name", f'"{field.name}"', "", depth, path)

    def leaf(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        tag = self.data[self.at]
        kind = KINDS[tag]
        if kind == EXT:
            self.head(label, "byte", "", depth, path)
            number = int.from_bytes(self.data[self.at : self.at + 1], "big", signed=True)
            why = "A time." if number == -1 else "The program's own type."
            self.note(1, "size", f"{label} type", f"extension {number}", why, depth, path)
        elif kind in (INT, FLOAT):
            if HEADS[tag] > 1:
                self.note(1, "size", f"{label} type", OWN[tag], "", depth, path)
        elif value.head:
            self.head(label, "byte", "", depth, path)
        why = "Not UTF-8." if kind == STR and value.text is None else ""
        if kind == INT and HEADS[tag] == 1:
            why = "A fixint: its type is its value."
        self.content(value, value.span.stop, label, depth, path, why)

    def items_head(
        self, value: Value, content: Items, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        self.head(label, "element", self.role(path), depth, path)

    def entries_head(
        self, value: Value, content: Entries, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        self.head(label, "pair", join(self.role(path), "Keys and values in turn."), depth, path)
