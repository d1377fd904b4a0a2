"""Notes for the bytes of protobuf.

key: number and wire type │ length │ value │ key … to the end: nothing says that a message ends

The fields of the struct that was read lead through the bytes.  Where a schema reads a message as
one value (an entry of a map, a Timestamp, a wrapper), its bytes still have keys and lengths: those
are read again here, and the values in them are found by their places (``_Inside``).
"""

from __future__ import annotations

from typing import Final

from ...model import (
    Entries,
    Field,
    Items,
    Message,
    Note,
    Plain,
    Reading,
    Struct,
    TType,
    Value,
    written_time,
)
from ..purposes import REDACTED, REDACTED_WHY, called, counted, declared, labelled, role
from .notes import Writer, join
from .protobuf import I32, I64, LEN, SGROUP, VARINT, WIRE_TYPES_OF, Wire, fields_of, read_key
from .reading import read_number as read_varint

__all__ = ["ProtobufWriter"]

_VARINT_WHY: Final = "Seven bits a byte, the lowest first."
_MOST_SHOWN: Final = 60

# The names of the fields in a message that is read as one value, by the word for that value.
_NAMES: Final = {
    "map": {1: "key", 2: "value"},
    "Timestamp": {1: "seconds", 2: "nanos"},
    "Duration": {1: "seconds", 2: "nanos"},
    "Struct": {1: "fields"},
    "ListValue": {1: "values"},
}


class _Inside:
    """The values in a value that is a message on the wire, by where they begin."""

    def __init__(self, value: Value) -> None:
        self.names = _NAMES.get(value.own, {})
        self.values: dict[int, Value] = {}
        content = value.content
        parts: list[Value] = []
        if isinstance(content, Items):
            parts = list(content.items)
        elif isinstance(content, Entries):
            parts = [one for pair in content.items for one in pair]
        elif not isinstance(content, Struct) and value.ttype not in (TType.TIME, TType.TEXT):
            parts = [value]  # a wrapper's
        for one in parts:
            if one.span or isinstance(one.content, Struct):
                self.values[one.span.start] = one

    def at(self, field: Wire) -> Value | None:
        found = self.values.get(field.value)
        if found is None and field.wire == LEN:
            found = self.values.get(field.inside)
            if found is not None and not isinstance(found.content, Struct):
                found = None
        return found


class ProtobufWriter(Writer):
    """Writes the notes of a message."""

    def written(self) -> list[Note]:
        """Return the notes of the whole record, from its header on."""
        record = self.record
        if isinstance(record, Message):
            header = record.header.span
            self.at = header.start
            self.note(len(header), "header", "header", f'method "{record.method}"')
        self.at = record.start
        self.message(record.body, 1, ())
        self.rest(record.stop)
        return self.notes

    def message(self, struct: Struct, depth: int, path: tuple[int, ...]) -> None:
        """Note a message's fields, each with its key."""
        for field in struct.fields:
            self.rest(field.span.start)
            inner = (*path, field.field_id)
            _, wire, _ = read_key(self.data, self.at, len(self.data))
            self.key(called(field), wire, self.why(field, inner), depth, inner)
            self.value(field.value, wire, field.span.stop, depth, inner)
            self.rest(field.span.stop)

    def why(self, field: Field, path: tuple[int, ...]) -> str:
        """Explain a field's key: how the IDL declares it, or without one, what it is for."""
        if self.record.names is not None:
            return declared(field)
        if len(path) > 1 or self.prefix:
            return ""
        return role(None, path[0])

    def key(self, name: str, wire: int, why: str, depth: int, path: tuple[int, ...]) -> None:
        """Note a field's key: its number and its wire type in one varint."""
        number, _, end = read_key(self.data, self.at, len(self.data))
        word = WIRE_TYPES_OF[wire]
        raw = number << 3 | wire
        how = join(f"{number} << 3 | {wire} = {raw}.", _VARINT_WHY if end - self.at > 1 else "")
        meaning = f"field {name}, wire type {wire} {word}"
        self.note(end - self.at, "field", "field key", meaning, join(how, why), depth, path)

    # ── Values ───────────────────────────────────────────────────────────────────────

    def value(self, value: Value, wire: int, stop: int, depth: int, path: tuple[int, ...]) -> None:
        """Note a value up to ``stop``; the current place is after its key."""
        content = value.content
        if wire == SGROUP:
            if isinstance(content, Struct):
                self.group(content, depth, path)
        elif wire != LEN:
            self.scalar(value, "value", wire, depth, path)
        elif isinstance(content, bytes) and value.span.start == self.at:
            self.string(value, content, depth, path)
        elif isinstance(content, Struct):
            self.length(value, depth, path)
            self.message(content, depth + 1, path)
        elif isinstance(content, Items) and value.own.startswith("packed "):
            self.packed(value, content, depth, path)
        else:
            self.inside(_Inside(value), value, stop, depth, path)
        self.rest(stop)

    def length(self, value: Value | None, depth: int, path: tuple[int, ...]) -> None:
        """Note the length of ``value``; None if what it means is noted elsewhere."""
        size, end = read_varint(self.data, self.at, len(self.data), "length")
        how = _VARINT_WHY if end - self.at > 1 else ""
        label = ""
        if value is not None and isinstance(value.content, Struct):
            label = f"Of the message {value.label}".rstrip() + "."
        others = "" if value is None else _others(value)
        why = join(label or "In bytes.", how, others)
        self.note(end - self.at, "size", "length", str(size), why, depth, path)

    def group(self, content: Struct, depth: int, path: tuple[int, ...]) -> None:
        """Note a group's fields and the key that ends it."""
        self.message(content, depth + 1, path)
        if content.stop is not None:
            self.rest(content.stop.start)
            why = f"{path[-1]} << 3 | 4 = {path[-1] << 3 | 4}."
            meaning = f"end of group {path[-1]}, wire type 4 EGROUP"
            self.note(len(content.stop), "stop", "field key", meaning, why, depth, path)

    def string(self, value: Value, content: bytes, depth: int, path: tuple[int, ...]) -> None:
        """Note a string or bytes: the length, then the content with its other readings."""
        self.length(None, depth, path)
        text = value.text
        why = ""
        if value.redacted:
            meaning, why = REDACTED, REDACTED_WHY
        elif text is None:
            meaning = f"{len(content)} bytes: {content.hex(' ')}"
            why = "Not UTF-8." if value.ttype is TType.STRING else ""
        else:
            meaning = f'"{text}"'
            if len(text) != len(content):
                why = f"{counted(len(text), 'character')} in {len(content)} bytes of UTF-8."
        if value.lost:
            why = join(f"{len(content)} of its {len(content) + value.lost} bytes are there.", why)
        elif not content:
            # No byte is left to say it about.
            self.last_why(_others(value))
        why = join(why, _others(value))
        self.note(len(content), "value", "value", meaning, why, depth, path)

    def last_why(self, text: str) -> None:
        """Add a sentence to the explanation of the last note."""
        if text:
            last = self.notes[-1]
            self.notes[-1] = Note(
                last.span,
                last.kind,
                last.label,
                last.meaning,
                join(last.why, text),
                last.depth,
                last.path,
            )

    def scalar(
        self, value: Value, label: str, wire: int, depth: int, path: tuple[int, ...]
    ) -> None:
        """Note a number as it is written, with its other readings."""
        if value.content is None and value.ttype is not TType.NULL:
            self.rest(value.span.stop)
            return
        size = value.span.stop - self.at
        if value.redacted:
            self.note(size, "value", label, REDACTED, REDACTED_WHY, depth, path)
            return
        why = join(self.how(value, wire), _others(value))
        self.note(size, "value", label, _meaning(value), why, depth, path)

    def how(self, value: Value, wire: int) -> str:
        """Say how a number is written."""
        if wire in (I64, I32):
            size = 8 if wire == I64 else 4
            kind = "IEEE 754, " if isinstance(value.content, float) else ""
            return f"{kind}{size} bytes, the lowest first."
        raw, end = read_varint(self.data, self.at, len(self.data), "varint")
        how = _VARINT_WHY if end - self.at > 1 else ""
        content = value.content
        if isinstance(content, int) and not isinstance(content, bool):
            if value.own in ("sint32", "sint64"):
                return join(how, f"Zigzag: {raw} stands for {content}.")
            if content < 0:
                return join(how, "Negative: the sign takes all of 64 bits.")
        return how

    def packed(self, value: Value, content: Items, depth: int, path: tuple[int, ...]) -> None:
        """Note a packed list: the length in bytes, then each element without a key."""
        size, end = read_varint(self.data, self.at, len(self.data), "length")
        count = counted(content.count, "element")
        how = _VARINT_WHY if end - self.at > 1 else ""
        why = join(f"In bytes: {count}, one after the other, without keys.", how)
        self.note(end - self.at, "size", "length", str(size), why, depth, path)
        for index, item in enumerate(content.items):
            self.rest(item.span.start)
            wire = VARINT
            if item.ttype in (TType.DOUBLE, TType.FLOAT) or "fixed" in item.own:
                wire = I64 if len(item.span) == 8 else I32
            self.scalar(item, f"[{index}]", wire, depth + 1, path)

    # ── Messages that are one value ──────────────────────────────────────────────────

    def inside(
        self, inside: _Inside, value: Value, stop: int, depth: int, path: tuple[int, ...]
    ) -> None:
        """Note a message that was read as one value: its length, and its fields."""
        self.length(None, depth, path)
        meaning = "" if value.redacted else _meaning(value)
        if value.own:
            meaning = f"{value.own} {meaning}".rstrip()
        self.last_why(f"Together: {meaning}." if meaning else "")
        self.fields(inside, value, stop, depth + 1, path)

    def fields(
        self, inside: _Inside, value: Value, stop: int, depth: int, path: tuple[int, ...]
    ) -> None:
        """Note the fields up to ``stop`` of a message that was read as one value."""
        while self.at < stop:
            found = fields_of(self.data, self.at, stop, 1)
            if not found:
                return
            one = found[0]
            inner = (*path, one.number)
            name = inside.names.get(one.number, "")
            self.key(f"{one.number} {name}".rstrip(), one.wire, "", depth, inner)
            leaf = inside.at(one)
            if leaf is not None and leaf is not value:
                self.value(leaf, one.wire, one.stop, depth, inner)
            elif leaf is not None and isinstance(leaf.content, bytes):
                self.string(leaf, leaf.content, depth, inner)
            elif leaf is not None and one.wire != LEN:
                self.scalar(leaf, "value", one.wire, depth, inner)
            elif one.wire == LEN:
                self.length(None, depth, inner)
                self.fields(inside, value, one.stop, depth + 1, inner)
                self.rest(one.stop)
            else:
                self.raw(one, value.redacted, depth, inner)

    def raw(self, field: Wire, is_redacted: bool, depth: int, path: tuple[int, ...]) -> None:
        """Note a number that is fully described by the value it is part of."""
        size = field.stop - field.value
        why = _VARINT_WHY if field.wire == VARINT and size > 1 else ""
        if is_redacted:
            meaning, why = REDACTED, REDACTED_WHY
        elif field.wire == VARINT:
            raw, _ = read_varint(self.data, field.value, field.stop, "varint")
            number = raw - (1 << 64) if raw >> 63 else raw
            meaning = str(number)
            if number < 0:
                why = join(why, "Negative: the sign takes all of 64 bits.")
        else:
            meaning = self.data[field.value : field.stop].hex(" ")
        self.note(size, "value", "value", meaning, why, depth, path)


def _meaning(value: Value) -> str:
    content = value.content
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, float):
        return repr(content)
    if value.ttype is TType.TIME and isinstance(content, int):
        return written_time(content)
    if value.ttype is TType.NULL:
        return "null"
    if isinstance(content, str):
        return content
    if isinstance(content, int):
        return labelled(value)
    if isinstance(content, Items):
        return counted(content.count, "element")
    if isinstance(content, Entries):
        return counted(content.count, "entry", "entries")
    return ""


def _others(value: Value) -> str:
    """Say what else the bytes may mean."""
    if len(value.readings) < 2 or value.redacted:
        return ""
    first, *others = value.readings
    said = "; ".join([_reading(one) for one in others])
    if first.is_likely:
        return f"Likely {first.own}; or {said}."
    return f"It may be {first.own}; or {said}."


def _reading(one: Reading) -> str:
    text = _plain(one.plain)
    if len(text) > _MOST_SHOWN:
        text = text[:_MOST_SHOWN] + "…"
    return f"{one.own} {text}"


def _plain(plain: Plain) -> str:
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, str):
        return '"' + "".join([one if one.isprintable() else _escaped(one) for one in plain]) + '"'
    if isinstance(plain, bytes):
        return plain.hex(" ") or "(none)"
    return str(plain)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
