"""Notes for the bytes of a Java object stream.

magic │ block data │ arrays, strings │ what is not read
"""

from __future__ import annotations

from ...model import Entries, Items, Struct, TType, Value
from ..purposes import counted
from .java_stream import BYTE_ARRAY, MAGIC, blocks
from .values_notes import ValuesWriter, said

__all__ = ["JavaStreamWriter"]


class JavaStreamWriter(ValuesWriter):
    """Writes the notes of a Java object stream."""

    def outermost(self, body: Struct) -> None:
        start = self.record.start
        self.rest(start)
        if self.data[start : start + 4] == MAGIC and not self.losses.within(start, start + 4):
            self.note(4, "header", "magic", "an object stream, version 5", "", 1)
        self.fields(body, 1, ())

    def leaf(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        tag, stop = self.data[self.at], value.span.stop
        if tag in (0x77, 0x7A) and value.head:
            self.blocks(value, label, depth, path)
            return
        if value.head and tag == 0x75:
            self.note(1, "size", f"{label} type", "array", "", depth, path)
            size = value.head - 5
            if size == len(BYTE_ARRAY):
                why = "The class of the array, by its name: byte[]."
                self.note(size, "size", "class", "[B", why, depth, path)
            else:
                why = "The class of the array, by its number: byte[]."
                self.note(size, "size", "class", "as before", why, depth, path)
            length = str(int.from_bytes(self.data[self.at : self.at + 4], "big"))
            self.note(4, "size", f"{label} length", length, "In bytes.", depth, path)
        elif value.head:
            self.note(1, "size", f"{label} type", "string", "", depth, path)
            size = value.head - 1
            length = str(int.from_bytes(self.data[self.at : self.at + size], "big"))
            self.note(size, "size", f"{label} length", length, "In bytes.", depth, path)
        elif value.ttype is TType.REFERENCE:
            self.note(1, "size", f"{label} type", "reference", "", depth, path)
        why = ""
        if value.ttype is TType.BYTES and not value.head:
            why = "An object's fields are as its class says: not read."
        self.content(value, stop, value.label or label, depth, path, why)

    def blocks(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        """Note block data that was written in several blocks."""
        for index, (begin, inside, end) in enumerate(
            blocks(self.data, value.span.start, value.span.stop)
        ):
            self.rest(begin)
            size = int.from_bytes(self.data[begin + 1 : inside], "big")
            meaning = f"block data, {counted(size, 'byte')}"
            self.note(inside - self.at, "size", f"{label} length", meaning, "", depth, path)
            if not index:
                self.content(value, end, label, depth, path)
                continue
            text = f"{counted(end - inside, 'byte')} more of it"
            for lost in self.losses.within(self.at, end):
                self.note(lost.start - self.at, "value", label, text, "", depth, path)
                self.rest(end)
                break
            self.note(end - self.at, "value", label, text, "", depth, path)

    # It has no containers.

    def items_head(
        self, value: Value, content: Items, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        raise AssertionError(said(value))

    def entries_head(
        self, value: Value, content: Entries, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        raise AssertionError(said(value))
