"""Notes for the bytes of Motan's simple, pb and breeze.

type, length │ content │ elements, keys and values, fields …
"""

from __future__ import annotations

from typing import Final

from ...model import Entries, Field, Items, Record, Struct, TType, Value
from ..purposes import counted
from .motan_simple import NAMES
from .notes import join
from .values_notes import ValuesWriter

__all__ = ["BreezeWriter", "PbWriter", "SimpleWriter"]

_VARINT: Final = (TType.I32, TType.I64)


class _HeadWriter(ValuesWriter):
    """Writes notes for values that have a head (their type, a length, a count) and content."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self.heads: dict[int, str] = {}

    def has_type(self, value: Value) -> bool:
        """Say whether the value is preceded by its own type."""
        return True

    def named(self, tag: int) -> str:
        """Return what the encoding calls that type."""
        return ""

    def how(self, value: Value) -> str:
        """Say how its content is written."""
        if value.ttype in _VARINT:
            return "A varint, zigzag: seven bits a byte, the lowest first, the sign in the last."
        return ""

    def typed(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        """Note the type before a value."""
        if self.has_type(value):
            tag = self.data[self.at]
            meaning = f"{tag} {self.named(tag)}".rstrip()
            self.note(1, "size", f"{label} type", meaning, "", depth, path)

    def leaf(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        stop = value.span.stop
        if len(value.span) > 1 or not self.has_type(value):
            self.typed(value, label, depth, path)
            size = value.span.start + value.head - self.at
            if value.head and size > 0:
                length = counted(stop - value.span.start - value.head + value.lost, "byte")
                length = length if not value.lost else "the length"
                self.note(size, "size", f"{label} length", length, "In bytes.", depth, path)
            self.content(value, stop, label, depth, path, self.how(value))
        else:
            self.content(value, stop, label, depth, path, "It is in its type.")

    def sized(
        self, value: Value, words: str, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        """Note the head of a container."""
        self.typed(value, label, depth, path)
        size = value.span.start + value.head - self.at
        self.note(size, "size", f"{label} size", words, self.role(path), depth, path)

    def items_head(
        self, value: Value, content: Items, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        self.sized(value, f"list, {counted(content.count, 'element')}", label, depth, path)

    def entries_head(
        self, value: Value, content: Entries, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        self.sized(value, f"map, {counted(content.count, 'pair')}", label, depth, path)


class SimpleWriter(_HeadWriter):
    """Writes the notes of Motan's simple serialization."""

    def has_type(self, value: Value) -> bool:
        # Strings in string maps and string lists have only a length, of 4 bytes.
        return value.head != 4

    def named(self, tag: int) -> str:
        return NAMES.get(tag, "")


class PbWriter(_HeadWriter):
    """Writes the notes of Motan's pb serialization."""

    def named(self, tag: int) -> str:
        return "null" if tag == 1 else "a value"

    def how(self, value: Value) -> str:
        if value.ttype is TType.BYTES:
            return "Of which type it is, both sides know; it is not on the wire."
        return super().how(value)


class BreezeWriter(_HeadWriter):
    """Writes the notes of Breeze."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self.bare = False

    def has_type(self, value: Value) -> bool:
        return not self.bare

    def named(self, tag: int) -> str:
        if tag < 0x3F:
            return f"string, {counted(tag, 'byte')}"
        if 0x40 <= tag < 0x7F or 0x80 <= tag < 0x98:
            return "i32" if tag < 0x80 else "i64"
        return _BREEZE.get(tag, "message" if tag >= 0xDE else "")

    def leaf(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        if value.ttype is TType.TEXT and value.head == 1 and not self.bare:
            # Its type contains its length.
            meaning = self.named(self.data[self.at])
            self.note(1, "size", f"{label} length", meaning, "It is in the type.", depth, path)
            self.content(value, value.span.stop, label, depth, path)
            return
        super().leaf(value, label, depth, path)

    def value(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        """Note a value; elements of a packed list or map have no types of their own."""
        before = self.bare
        super().value(value, label, depth, path)
        self.bare = before

    def fields(self, struct: Struct, depth: int, path: tuple[int, ...]) -> None:
        # The values in a message have types.
        self.bare = False
        super().fields(struct, depth, path)

    def sized(
        self, value: Value, words: str, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        tag = 0
        if not self.bare:
            tag = self.data[self.at]
        self.typed(value, label, depth, path)
        size = value.span.start + value.head - self.at
        # A nested one is packed as the outer one says.
        kinds = self.data[self.at + size - 2 : self.at + size] if size > 1 else b""
        why = join(self.role(path), _packed(tag, kinds, isinstance(value.content, Entries)))
        self.note(size, "size", f"{label} size", words, why, depth, path)
        self.bare = tag in (0xDB, 0xDC) if tag else size > 1

    def struct_head(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        content = value.content
        fields = content.fields if isinstance(content, Struct) else ()
        stop = fields[0].span.start if fields else self.head_end(value)
        why = join(self.role(path), "Its type, its name or that one's number, its size in bytes.")
        name = value.label or "without a name"
        self.note(stop - self.at, "size", f"{label} message", name, why, depth, path)

    def head_end(self, value: Value) -> int:
        """Return where the head of a message without fields ends: with a size of 4 bytes."""
        at = value.span.start
        if not self.bare:
            tag = self.data[at]
            at += 1
            if tag <= 0xDF:
                size = 0
                shift = 0
                while self.data[at] > 127:
                    size |= (self.data[at] & 127) << shift
                    shift += 7
                    at += 1
                size |= self.data[at] << shift
                at += 1 + (size if tag == 0xDE else 0)
        return at + 4

    def field_head(self, field: Field, depth: int, path: tuple[int, ...]) -> None:
        size = field.value.span.start - self.at
        if len(path) > 1:
            self.note(size, "field", "field", str(field.field_id), "", depth, path)


def _packed(tag: int, kinds: bytes, is_map: bool) -> str:
    if tag not in (0xDB, 0xDC) or not kinds:
        return "Each has its own type." if tag in (0xD9, 0xDA) else ""
    return "Packed: the types of keys and values follow the count." if is_map else (
        "Packed: the type of all elements follows the count."
    )  # fmt: skip


_BREEZE: Final = {
    0x3F: "string",
    0x7F: "i32",
    0x98: "i64",
    0x99: "null",
    0x9A: "true",
    0x9B: "false",
    0x9C: "byte",
    0x9D: "bytes",
    0x9E: "i16",
    0x9F: "float32",
    0xA0: "float64",
    0xD9: "map",
    0xDA: "list",
    0xDB: "packed map",
    0xDC: "packed list",
}
