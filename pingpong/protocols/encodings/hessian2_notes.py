"""Notes for the bytes of hessian2.

class definition │ type, length │ content │ elements, fields … │ end
"""

from __future__ import annotations

from typing import Final

from ...model import Entries, Items, Record, Value
from ..purposes import REDACTED, counted
from .hessian2 import (
    BINARY,
    INT,
    KINDS,
    LONG,
    REFERENCE,
    SIZES,
    STRING,
    Said,
    binary_size,
    pieces,
    read_string,
    settle,
    whole_number,
)
from .notes import join
from .values_notes import ValuesWriter, said

__all__ = ["Hessian2Writer"]

_CHUNK: Final = "Another chunk follows."
_UNITS: Final = "In UTF-16's units: a character beyond U+FFFF is two."
_FIXED: Final = {
    0x44: "double, 8 bytes",
    0x49: "int, 4 bytes",
    0x4A: "date, milliseconds in 8 bytes",
    0x4B: "date, minutes in 4 bytes",
    0x4C: "long, 8 bytes",
    0x59: "long, 4 bytes",
    0x5D: "double, 1 byte",
    0x5E: "double, 2 bytes",
    0x5F: "double, thousandths in 4 bytes",
}
_HOW: Final = {
    0x44: "IEEE 754, 8 bytes, the sign first.",
    0x4A: "Since 1970, UTC.",
    0x4B: "Since 1970, UTC: a date without seconds is written in minutes.",
    0x5D: "A whole number, so that one byte is enough.",
    0x5E: "A whole number, so that two bytes are enough.",
    0x5F: "A whole number of thousandths.",
}
_WORDS: Final = {
    0x46: "false",
    0x4E: "null",
    0x54: "true",
    0x5B: "double 0.0",
    0x5C: "double 1.0",
}


class Hessian2Writer(ValuesWriter):
    """Writes the notes of hessian2."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        counts = Said()
        settle(self.data, record.start, self.stop, counts, record.gaps, record.limits)
        self.wide = counts.wide
        self.classes: list[str] = []

    # ── Values ───────────────────────────────────────────────────────────────────────

    def leaf(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        tag = self.data[self.at]
        kind = KINDS[tag]
        if kind in (STRING, BINARY):
            self.chunks(value, label, depth, path)
            return
        if kind == REFERENCE:
            why = "It stands elsewhere in the message; its number follows."
            self.note(1, "size", f"{label} type", "reference", why, depth, path)
            why = "Lists, maps and objects are counted as they begin, from 0."
            meaning = REDACTED
            if isinstance(value.content, int) and not value.redacted:
                meaning = f"{value.content}, {said(value)[0]}"
            self.note(value.span.stop - self.at, "value", label, meaning, why, depth, path)
            return
        if tag in _FIXED:
            self.note(1, "size", f"{label} type", _FIXED[tag], "", depth, path)
            self.content(value, value.span.stop, label, depth, path, _HOW.get(tag, ""))
            return
        why = f"In its type: {_WORDS[tag]}." if tag in _WORDS else ""
        if kind in (INT, LONG):
            word = "int" if kind == INT else "long"
            size = SIZES[tag] + 1
            why = f"{word} in {size} bytes: the first has the type and a part of it."
            if size == 1:
                why = f"{word} in one byte, which is its type too."
        self.content(value, value.span.stop, label, depth, path, why)

    def chunks(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        """Note a string or a binary."""
        parts = pieces(self.data, value.span.start, value.span.stop, self.wide)
        for index, (begin, inside, end) in enumerate(parts):
            is_string = KINDS[self.data[begin]] == STRING
            word = "string" if is_string else "binary"
            size = self.units(begin) if is_string else binary_size(self.data, begin)
            why = _UNITS if is_string and size != end - inside else ""
            if self.data[begin] in (0x52, 0x41):
                why = join(why, _CHUNK)
            unit = "unit" if is_string else "byte"
            meaning = f"{word}, {counted(size, unit)}"
            self.note(inside - self.at, "size", f"{label} length", meaning, why, depth, path)
            if not index:
                self.content(value, end, label, depth, path)
            else:
                text = f"{counted(end - inside, 'byte')} more of it"
                for lost in self.losses.within(self.at, end):
                    self.note(lost.start - self.at, "value", label, text, "", depth, path)
                    self.rest(end)
                    break
                self.note(end - self.at, "value", label, text, "", depth, path)

    def units(self, at: int) -> int:
        """Return the length that the string or binary chunk at ``at`` claims."""
        tag = self.data[at]
        if tag < 0x20:
            return tag
        if tag < 0x34:
            return (tag - 0x30) << 8 | self.data[at + 1]
        return self.data[at + 1] << 8 | self.data[at + 2]

    # ── Heads ────────────────────────────────────────────────────────────────────────

    def int_size(self) -> int:
        """Return the size in bytes of the int at the current place."""
        return SIZES[self.data[self.at]] + 1

    def number(self, label: str, why: str, depth: int, path: tuple[int, ...]) -> int:
        """Note the int at the current place."""
        number = whole_number(self.data, self.at)
        self.note(self.int_size(), "size", label, str(number), why, depth, path)
        return number

    def name(self, label: str, why: str, depth: int, path: tuple[int, ...]) -> str:
        """Note a string that is a name."""
        text, stop = read_string(self.data, self.at, self.stop, label, self.wide)
        for begin, inside, end in pieces(self.data, self.at, stop, self.wide):
            meaning = counted(self.units(begin), "unit")
            self.note(inside - begin, "size", f"{label} length", meaning, "", depth, path)
            self.note(end - inside, "field", label, f'"{text}"', why, depth, path)
        return text or ""

    def type(self, value: Value, depth: int, path: tuple[int, ...]) -> None:
        """Note the type of a list or a map."""
        if KINDS[self.data[self.at]] == STRING:
            self.name("type", "Types are counted as they are named, from 0.", depth, path)
            return
        number = whole_number(self.data, self.at)
        meaning = f"{number}, {value.label or 'which none has'}"
        why = "The number of a type that was named before."
        self.note(self.int_size(), "size", "type", meaning, why, depth, path)

    def between(self, stop: int, depth: int, path: tuple[int, ...]) -> None:
        while self.at < stop and self.data[self.at] == 0x43 and self.at not in self.losses:
            self.definition(depth, path)

    def definition(self, depth: int, path: tuple[int, ...]) -> None:
        """Note a class definition, and remember its name for the objects that refer to it."""
        number = len(self.classes)
        why = "No value: objects of this class refer to it, by its number."
        self.note(1, "field", "class definition", f"number {number}", why, depth, path)
        self.classes.append(self.name("class", "", depth, path))
        why = "So many names follow; an object has its values in this order."
        for index in range(self.number("fields", why, depth, path)):
            self.name(f"field {index}", "", depth, path)

    def struct_head(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        tag = self.data[self.at]
        role = self.role(path)
        if tag == 0x4F:
            why = join(role, "The number of its class follows.")
            self.note(1, "size", f"{label} type", "object", why, depth, path)
            number = whole_number(self.data, self.at)
            size = self.int_size()
        else:
            number, size = tag - 0x60, 1
        why = f"Defined before. {role}" if tag == 0x4F else join(role, "The class is in the type.")
        meaning = f"object of class {number}, {value.label}"
        self.note(size, "size", f"{label} class", meaning, why.strip(), depth, path)

    def items_head(
        self, value: Value, content: Items, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        tag = self.data[self.at]
        has_type = tag < 0x57 or 0x70 <= tag < 0x78
        words = "list with a type" if has_type else "list"
        why = "Up to a mark of its end." if tag in (0x55, 0x57) else ""
        if tag >= 0x70:
            words += f", {counted(tag & 7, 'element')}"
            why = "The length is in the type."
        why = join(self.role(path), why)
        self.note(1, "size", f"{label} type", words, why, depth, path)
        if has_type:
            self.type(value, depth, path)
        if tag in (0x56, 0x58):
            self.number("count", "Elements of the list.", depth, path)

    def entries_head(
        self, value: Value, content: Entries, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        has_type = self.data[self.at] == 0x4D
        words = "map with a type" if has_type else "map"
        why = join(self.role(path), "Keys and values in turn, up to a mark of its end.")
        self.note(1, "size", f"{label} type", words, why, depth, path)
        if has_type:
            self.type(value, depth, path)

    def close(self, value: Value, depth: int, path: tuple[int, ...]) -> None:
        is_open = isinstance(value.content, Entries) or (
            isinstance(value.content, Items) and self.data[value.span.start] in (0x55, 0x57)
        )
        at = self.at
        is_mark = at + 1 == value.span.stop and self.data[at] == 0x5A and at not in self.losses
        if is_open and is_mark:
            word = "map" if isinstance(value.content, Entries) else "list"
            self.note(1, "stop", "end", f"end of the {word}", "", depth, path)
