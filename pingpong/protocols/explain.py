"""A note for every byte of a message, whatever its protocol and its transport.

    frame length │ header: version, type, name, seqid │ fields: type, id, value … │ STOP
    (transport)    (protocol)                           (protocol)

What stands before the message is described by the module of its transport.  A protocol has a
writer of its own; what a message holds is walked in one way for all of them.

The notes tile the message: each byte is in exactly one of them, in order, and
``check_cover`` holds that.  What they say is read from the bytes and from the values that
were decoded from them; nothing is decoded here.  Bytes that the capture lost, and bytes that
could not be read, have notes that say so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from ..model import (
    APPLICATION_ERRORS,
    Entries,
    Field,
    Header,
    Items,
    Message,
    MessageType,
    Note,
    Record,
    Span,
    Struct,
    TType,
    Value,
)
from .encodings.binary import BINARY
from .encodings.compact import read_varint
from .explain_json import explain_json
from .families.thrift import deflate, framed, http, sasl, ttheader, websocket
from .families.thrift import theader as header
from .losses import Losses
from .purposes import (
    REDACTED,
    REDACTED_WHY,
    TYPE_WHY,
    called,
    counted,
    declared,
    labelled,
    role,
    whole,
)

__all__ = ["check_cover", "explain"]

# What describes the bytes before a message, by transport: size, label, meaning and why of each
# part of ``data[:stop]``, in order.
_HEADS: Final[dict[str, Callable[[bytes, int], list[tuple[int, str, str, str]]]]] = {
    "framed": framed.describe,
    "framed-theader": header.describe_framed,
    "framed-zlib": deflate.describe,
    "http": http.describe,
    "sasl": sasl.describe,
    "theader": header.describe,
    "ttheader": ttheader.describe,
    "websocket": websocket.describe,
    "zlib": deflate.describe,
}

# What explain_json explains.
_JSON: Final = ("json", "thriftpy2-json")


def explain(record: Record) -> list[Note]:
    """The notes of a message, or of a struct alone, in order.  Together they cover its
    ``data``."""
    writer = _writer(record)
    if isinstance(record, Message):
        writer.before(record.header.span.start, record.transport)
    if record.protocol.name in _JSON:
        return _with_remarks(record, writer.notes + explain_json(record))
    if isinstance(record, Message):
        writer.header(record.header)
    writer.struct(record.body, 1, ())
    writer.rest(len(record.data))
    return _with_remarks(record, writer.notes)


def _with_remarks(record: Record, notes: list[Note]) -> list[Note]:
    """Each note with what the IDL says where the record differs from it."""
    starts = [note.span.start for note in notes]
    for offset, remark in record.remarks.items():
        at = bisect_right(starts, offset) - 1
        if isinstance(record, Message) and offset == record.header.span.start:
            # The header as a whole is its type: nothing else of it can differ there.
            types = (i for i, one in enumerate(notes) if one.label.endswith("message type"))
            at = next(types, at)
        note = notes[at]
        meaning = f"{note.meaning} {remark}"
        notes[at] = Note(note.span, note.kind, note.label, meaning, note.why, note.depth, note.path)
    return notes


def _writer(record: Record) -> _Writer:
    name = record.protocol.name
    if name == "compact":
        return _CompactWriter(record)
    return _OldBinaryWriter(record) if name == "binary-old" else _BinaryWriter(record)


def check_cover(notes: list[Note], length: int) -> None:
    """Raise ValueError unless every byte from 0 to ``length`` is in exactly one note.

    >>> check_cover([Note(Span(0, 4), "frame", "frame length", "12")], 6)
    Traceback (most recent call last):
    ValueError: bytes 4 to 6 have no note
    """
    at = 0
    for note in notes:
        if note.span.start > at:
            raise ValueError(f"bytes {at} to {note.span.start} have no note")
        if note.span.start < at:
            raise ValueError(f"bytes {note.span.start} to {at} have two notes")
        if note.span.stop <= note.span.start:
            raise ValueError(f"the note {note.label!r} at {note.span.start} covers no byte")
        at = note.span.stop
    if at < length:
        raise ValueError(f"bytes {at} to {length} have no note")
    if at > length:
        raise ValueError(f"bytes {length} to {at} are not there")


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


class _Writer(ABC):
    """Writes notes from left to right; ``at`` is the first byte without one.

    ``prefix`` is "" or names the struct that is being explained, if it is not the message's.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.kind = record.type if isinstance(record, Message) else None
        self.data = record.data
        self.notes: list[Note] = []
        self.at = 0
        self.losses = Losses(record.gaps)
        self.prefix = ""

    # ── What a protocol adds ─────────────────────────────────────────────────────────

    @abstractmethod
    def header(self, header: Header) -> None: ...

    @abstractmethod
    def field_head(self, field: Field, before: int, depth: int, path: tuple[int, ...]) -> None:
        """The field's type and id; ``before`` is the id of the field before it, or 0."""

    @abstractmethod
    def length(self, value: Value) -> tuple[int, str]:
        """The length that a STRING claims, and how it is written."""

    @abstractmethod
    def how(self, value: Value) -> str:
        """How a number is written, "" where that goes without saying."""

    @abstractmethod
    def items_head(
        self, value: Value, content: Items, depth: int, path: tuple[int, ...]
    ) -> None: ...

    @abstractmethod
    def entries_head(
        self, value: Value, content: Entries, depth: int, path: tuple[int, ...]
    ) -> None: ...

    # ── Notes ────────────────────────────────────────────────────────────────────────

    def note(
        self,
        size: int,
        kind: str,
        label: str,
        meaning: str,
        why: str = "",
        depth: int = 0,
        path: tuple[int, ...] = (),
    ) -> None:
        """Note the next ``size`` bytes."""
        if size:
            span = Span(self.at, self.at + size)
            label = _join(self.prefix, label)
            self.notes.append(Note(span, kind, label, meaning, why, depth, path))
            self.at = span.stop

    def rest(self, stop: int) -> None:
        """Note what no value was read from: lost bytes, and bytes that could not be read."""
        for lost in self.losses.within(self.at, stop):
            self.unread(lost.start)
            size = lost.stop - self.at
            count = counted(size, "byte")
            self.note(size, "lost", "lost", f"{count} that the capture does not have")
        self.unread(stop)

    def unread(self, stop: int) -> None:
        size = stop - self.at
        if not size:
            return
        body = self.record.body
        left_over = body.stop is not None and self.at >= body.stop.stop
        if left_over:
            why = "The struct has ended, the frame has not: nothing says what these bytes are."
            self.note(size, "unread", "left over", f"{counted(size, 'byte')} behind the end", why)
        else:
            reasons = [finding.text for finding in self.record.faults[:3]]
            self.note(size, "unread", "not read", counted(size, "byte"), "; ".join(reasons))

    # ── Before the message ───────────────────────────────────────────────────────────

    def before(self, stop: int, transport: str) -> None:
        """The transport's own head, then perhaps a struct of a tracing system."""
        if any(gap.offset < stop for gap in self.record.gaps):
            self.rest(stop)
            return
        describe = _HEADS.get(transport)
        if describe is not None and stop:
            for size, label, meaning, why in describe(self.data, stop):
                self.note(min(size, stop - self.at), "frame", label, meaning, why)
        if self.at < stop:
            self.tracing(stop)

    def tracing(self, stop: int) -> None:
        """Headers that Finagle and thriftpy2.contrib.tracking put before a message."""
        struct = BINARY.read_struct(self.data, self.at, stop, (), self.record.limits)
        if struct.findings:
            size = stop - self.at
            self.note(size, "frame", "before the message", counted(size, "byte"))
            return
        writer = _BinaryWriter(self.record)
        writer.prefix = "tracing header"
        writer.at = self.at
        writer.struct(struct, 1, ())
        self.notes += writer.notes
        self.at = stop

    # ── Structs and values ───────────────────────────────────────────────────────────

    def struct(self, struct: Struct, depth: int, path: tuple[int, ...], label: str = "") -> None:
        before = 0
        for field in struct.fields:
            self.rest(field.span.start)
            inner = (*path, field.field_id)
            self.field_head(field, before, depth, inner)
            self.value(field.value, "value", depth, inner)
            before = field.field_id
        if struct.stop is not None:
            self.rest(struct.stop.start)
            why = "Type 0: no more fields."
            self.note(1, "stop", "STOP", self._of(path, label), why, depth, path)

    def _of(self, path: tuple[int, ...], label: str) -> str:
        if path:
            place = ".".join(str(part) for part in path)
            return f"end of the struct {_join(label, 'in field')} {place}"
        if self.prefix:
            return f"end of the {self.prefix}"
        return f"end of {whole(self.kind)}"

    def _role(self, path: tuple[int, ...]) -> str:
        """What a field of the outermost struct is for."""
        if len(path) > 1 or self.prefix:
            return ""
        return role(self.kind, path[0], self.record.names is not None)

    def _why(self, field: Field, path: tuple[int, ...]) -> str:
        return _join(self._role(path), declared(field))

    def _seqid_why(self, header: Header) -> str:
        if header.type in (MessageType.CALL, MessageType.ONEWAY):
            return "The client's number for this call."
        return "The call's number, sent back."

    def value(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        content = value.content
        self.rest(value.span.start)
        if isinstance(content, Struct):
            self.struct(content, depth + 1, path, value.label)
        elif isinstance(content, Items):
            self.items(value, content, depth, path)
        elif isinstance(content, Entries):
            self.entries(value, content, depth, path)
        elif isinstance(content, bytes):
            self.string(value, content, label, depth, path)
        elif content is None:
            self.rest(value.span.stop)
        elif value.redacted:
            self.note(len(value.span), "value", label, REDACTED, REDACTED_WHY, depth, path)
        else:
            meaning, why = self._scalar(value, path)
            why = _join(self.how(value), why)
            self.note(len(value.span), "value", label, meaning, why, depth, path)

    def _scalar(self, value: Value, path: tuple[int, ...]) -> tuple[str, str]:
        content = value.content
        if isinstance(content, bool):
            return ("true" if content else "false"), ""
        if isinstance(content, float):
            return repr(content), ""
        if value.ttype is TType.UUID:
            return str(content), "16 bytes, without a length."
        if (
            self.kind is MessageType.EXCEPTION
            and path == (2,)
            and not self.prefix
            and isinstance(content, int)
            and 0 <= content < len(APPLICATION_ERRORS)
        ):
            return f"{content} {APPLICATION_ERRORS[content]}", "TApplicationException's own type."
        return labelled(value), ""

    def string(
        self, value: Value, content: bytes, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        length, how = self.length(value)
        why = _join("In bytes.", how)
        self.note(value.head, "size", f"{label} length", str(length), why, depth, path)
        text = value.text
        why = ""
        if value.redacted:
            meaning, why = REDACTED, REDACTED_WHY
        elif text is None:
            meaning = f"{len(content)} bytes: {content.hex(' ')}"
            why = "Not UTF-8: binary data."
        else:
            meaning = f'"{text}"'
            if len(text) != len(content):
                why = f"{counted(len(text), 'character')} in {len(content)} bytes of UTF-8."
        if value.lost:
            why = _join(f"{len(content)} of its {length} bytes are there.", why)
        self.note(len(content), "value", label, meaning, why, depth, path)
        if value.lost:
            self.rest(value.span.stop)

    def items(self, value: Value, content: Items, depth: int, path: tuple[int, ...]) -> None:
        self.items_head(value, content, depth, path)
        for index, item in enumerate(content.items):
            self.value(item, f"[{index}]", depth + 1, path)

    def entries(self, value: Value, content: Entries, depth: int, path: tuple[int, ...]) -> None:
        self.entries_head(value, content, depth, path)
        for index, (key, item) in enumerate(content.items):
            self.value(key, f"key {index}", depth + 1, path)
            self.value(item, f"value {index}", depth + 1, path)


def _elements(value: Value) -> str:
    return f"Elements of the {value.ttype.name.lower()}."


# ── Binary ───────────────────────────────────────────────────────────────────────────


class _BinaryWriter(_Writer):
    """The binary protocol, with the strict header."""

    def header(self, header: Header) -> None:
        unused = self.data[header.span.start + 2]
        self.note(2, "header", "version", "1, strict", "The first bit marks the strict header.")
        self.note(1, "header", "unused", str(unused), "The specification leaves it out.")
        self.mtype(header)
        self.name(header)
        self.note(4, "header", "seqid", str(header.seqid), self._seqid_why(header))

    def mtype(self, header: Header) -> None:
        meaning = f"{header.type.value} {header.type.name}"
        self.note(1, "header", "message type", meaning, TYPE_WHY[header.type])

    def name(self, header: Header, why: str = "") -> None:
        name = header.method_span
        self.note(4, "header", "method name length", str(len(name)), _join("In bytes.", why))
        self.note(len(name), "header", "method name", f'"{header.method}"')

    def field_head(self, field: Field, before: int, depth: int, path: tuple[int, ...]) -> None:
        ttype = field.ttype
        self.note(1, "field", "field type", f"{ttype.value} {ttype.name}", "", depth, path)
        self.note(2, "field", "field id", called(field), self._why(field, path), depth, path)

    def length(self, value: Value) -> tuple[int, str]:
        return int.from_bytes(self.data[self.at : self.at + value.head], "big", signed=True), ""

    def how(self, value: Value) -> str:
        return "IEEE 754, 8 bytes, the sign first." if value.ttype is TType.DOUBLE else ""

    def items_head(self, value: Value, content: Items, depth: int, path: tuple[int, ...]) -> None:
        element = self._typed(content.element_type)
        self.note(1, "size", "element type", element, "", depth, path)
        self.note(4, "size", "count", str(content.count), _elements(value), depth, path)

    def entries_head(
        self, value: Value, content: Entries, depth: int, path: tuple[int, ...]
    ) -> None:
        self.note(1, "size", "key type", self._typed(content.key_type), "", depth, path)
        self.note(1, "size", "value type", self._typed(content.value_type), "", depth, path)
        self.note(4, "size", "count", str(content.count), "Pairs of the map.", depth, path)

    def _typed(self, ttype: TType) -> str:
        number = self.data[self.at]
        return f"{number} {ttype.name}" if number == ttype.value else f"{number}"


class _OldBinaryWriter(_BinaryWriter):
    """The binary protocol, with the header that has no version."""

    def header(self, header: Header) -> None:
        self.name(header, "It comes first: an old header, without a version.")
        self.mtype(header)
        self.note(4, "header", "seqid", str(header.seqid), self._seqid_why(header))


# ── Compact ──────────────────────────────────────────────────────────────────────────

_VARINT_WHY: Final = "Seven bits a byte, the lowest first."


class _CompactWriter(_Writer):
    """The compact protocol: one byte may say two things, and numbers vary in length."""

    def varint(self) -> tuple[int, int, str]:
        """The number at the current place, as it is written; its size; how it is written."""
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
        why = _join(self._seqid_why(header), how, sign)
        self.note(size, "header", "seqid", str(header.seqid), why)
        length, size, how = self.varint()
        self.note(size, "header", "method name length", str(length), _join("In bytes.", how))
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
            role = self._why(field, path)
            why = _join(f"Added to the id before, 0 at the start: {total}.", role)
            self.note(1, "field", "field header", meaning, why, depth, path)
            return
        self.note(
            1, "field", "field header", f"{said}: the id follows{means and f', and it{means}'}",
            "Delta 0: the id is written out.", depth, path,
        )  # fmt: skip
        raw, size, how = self.varint()
        why = _join(how, _zigzag(raw, field.field_id), self._why(field, path))
        self.note(size, "field", "field id", called(field), why, depth, path)

    def length(self, value: Value) -> tuple[int, str]:
        length, _, how = self.varint()
        return length, how

    def how(self, value: Value) -> str:
        if value.ttype in (TType.I16, TType.I32, TType.I64) and isinstance(value.content, int):
            raw, _, how = self.varint()
            return _join(how, _zigzag(raw, value.content))
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
        why = _join(_elements(value), how)
        self.note(size, "size", "count", str(content.count), why, depth, path)

    def entries_head(
        self, value: Value, content: Entries, depth: int, path: tuple[int, ...]
    ) -> None:
        _, size, how = self.varint()
        if not content.count:
            how = "An empty map is this byte alone." if size == 1 else how
        why = _join("Pairs of the map.", how)
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
