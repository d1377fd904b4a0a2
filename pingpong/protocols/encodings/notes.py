"""A note for every byte of a message: what the encodings' note writers share.

    Writer          notes from left to right, including lost bytes and unread ones
    StructWriter    … for the fields of a struct, in one way for all encodings that have types and
                    lengths; each encoding adds how it writes these

What notes say is read from the bytes and from the values that were decoded from them; nothing is
decoded here.  Bytes that the capture lost, and bytes that could not be read, get notes that say so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from ...model import (
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
from ..losses import Losses
from ..purposes import (
    REDACTED,
    REDACTED_WHY,
    counted,
    declared,
    labelled,
    numbered,
    role,
    whole,
)

__all__ = ["StructWriter", "Writer", "elements", "join"]


def join(*sentences: str) -> str:
    """Join the sentences that are not empty."""
    return " ".join(sentence for sentence in sentences if sentence)


class Writer:
    """Writes notes from left to right; ``at`` is the first byte without one.

    ``prefix`` is "", or names the struct being explained if it is not the message's own.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.kind = record.type if isinstance(record, Message) else None
        self.data = record.data
        self.notes: list[Note] = []
        self.at = 0
        self.losses = Losses(record.gaps)
        self.prefix = ""

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
            label = join(self.prefix, label)
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
        """Note the bytes up to ``stop`` from which no value was read, and say why."""
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


class StructWriter(Writer, ABC):
    """Writes the notes of a struct, and of a message's header before it."""

    def written(self) -> list[Note]:
        """Return the notes of the whole record, from its header on."""
        record = self.record
        if isinstance(record, Message) and len(record.header.span):
            self.at = record.header.span.start
            self.header(record.header)
        self.at = record.start
        self.struct(record.body, 1, ())
        self.rest(record.stop)
        return self.notes

    # ── What a protocol adds ─────────────────────────────────────────────────────────

    @abstractmethod
    def header(self, header: Header) -> None:
        """Note the header of a message, from its first byte to its last."""

    @abstractmethod
    def field_head(self, field: Field, before: int, depth: int, path: tuple[int, ...]) -> None:
        """Note the field's type and id; ``before`` is the id of the field before it, or 0."""

    @abstractmethod
    def length(self, value: Value) -> tuple[int, str]:
        """Return the length that a STRING claims, and how it is written."""

    @abstractmethod
    def how(self, value: Value) -> str:
        """Say how a number is written; "" where that is obvious."""

    @abstractmethod
    def items_head(self, value: Value, content: Items, depth: int, path: tuple[int, ...]) -> None:
        """Note what precedes the elements of a list or a set: their type, the count."""

    @abstractmethod
    def entries_head(
        self, value: Value, content: Entries, depth: int, path: tuple[int, ...]
    ) -> None:
        """Note what precedes the pairs of a map: both types, the count."""

    # ── Structs and values ───────────────────────────────────────────────────────────

    def struct(self, struct: Struct, depth: int, path: tuple[int, ...], label: str = "") -> None:
        """Note a struct's fields and its STOP, as far as it was read."""
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
            return f"end of the struct {join(label, 'in field')} {place}"
        if self.prefix:
            return f"end of the {self.prefix}"
        return f"end of {whole(self.kind)}"

    def _role(self, path: tuple[int, ...]) -> str:
        """Say what a field of the outermost struct is for."""
        if len(path) > 1 or self.prefix:
            return ""
        return role(self.kind, path[0], self.record.names is not None)

    def why(self, field: Field, path: tuple[int, ...]) -> str:
        """Explain a field's head: what it is for, and how the IDL declares it."""
        return join(self._role(path), declared(field))

    def seqid_why(self, header: Header) -> str:
        """Explain a seqid: the client chooses it, the server repeats it."""
        if header.type in (MessageType.CALL, MessageType.ONEWAY):
            return "The client's number for this call."
        return "The call's number, sent back."

    def value(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        """Note a value of any type; ``label`` says what it is to its container."""
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
            why = join(self.how(value), why)
            self.note(len(value.span), "value", label, meaning, why, depth, path)

    def _scalar(self, value: Value, path: tuple[int, ...]) -> tuple[str, str]:
        content = value.content
        if isinstance(content, bool):
            return ("true" if content else "false"), ""
        if isinstance(content, float):
            return repr(content), ""
        if value.ttype is TType.UUID:
            return str(content), "16 bytes, without a length."
        if not self.prefix:
            return numbered(self.record, path, value)
        return labelled(value), ""

    def string(
        self, value: Value, content: bytes, label: str, depth: int, path: tuple[int, ...]
    ) -> None:
        """Note a STRING: its length, then its content as text, or in hex if it is not UTF-8."""
        length, how = self.length(value)
        why = join("In bytes.", how)
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
            why = join(f"{len(content)} of its {length} bytes are there.", why)
        self.note(len(content), "value", label, meaning, why, depth, path)
        if value.lost:
            self.rest(value.span.stop)

    def items(self, value: Value, content: Items, depth: int, path: tuple[int, ...]) -> None:
        """Note a list or a set: its head, then each element."""
        self.items_head(value, content, depth, path)
        for index, item in enumerate(content.items):
            self.value(item, f"[{index}]", depth + 1, path)

    def entries(self, value: Value, content: Entries, depth: int, path: tuple[int, ...]) -> None:
        """Note a map: its head, then each key and its value."""
        self.entries_head(value, content, depth, path)
        for index, (key, item) in enumerate(content.items):
            self.value(key, f"key {index}", depth + 1, path)
            self.value(item, f"value {index}", depth + 1, path)


def elements(value: Value) -> str:
    """Explain a count: what it counts."""
    return f"Elements of the {value.ttype.name.lower()}."


def raw_notes(record: Record) -> list[Note]:
    """Return the notes of bytes that mean nothing to us: one, and others for lost bytes."""
    writer = Writer(record)
    writer.at = record.start
    for field in record.body.fields:
        value = field.value
        size = len(value.span) - value.lost
        text = value.text
        meaning = REDACTED if value.redacted else counted(size, "byte") if text is None else text
        writer.note(size, "value", "body", meaning, REDACTED_WHY if value.redacted else "", 1)
    writer.rest(record.stop)
    return writer.notes
