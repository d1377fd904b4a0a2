"""Notes for the bytes of a message in JSON: Apache's, and thriftpy2's.

    [        message begins            {        struct begins
    1,       version                   "1":{    field id
    "add",   method name               "i32":   field type
    1,       message type              2}       value
    1,       seqid                     }        struct ends
                                       ]        message ends

Each note runs to where the next one begins.  So commas, colons, white space and the braces around
one field or one map's pairs belong to what precedes them.  Brackets have notes of their own where
they begin or end the message, a struct, a list, a set or a map.
"""

from __future__ import annotations

from bisect import bisect_left

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
    TYPE_WHY,
    called,
    counted,
    declared,
    numbered,
    role,
    whole,
)
from .thrift_json import TAGS, next_token

__all__ = ["JsonWriter", "explain_json"]

# The entries of the metadata, and what other protocols call them.
_ENTRIES = {
    b'"version"': "version",
    b'"name"': "method name",
    b'"ttype"': "message type",
    b'"seqid"': "seqid",
}


def explain_json(record: Record) -> list[Note]:
    """Return the notes of a message in JSON, from its header's first byte to the end of ``data``.

    Of a record without a message: those of its struct.
    """
    writer = JsonWriter(record)
    if isinstance(record, Message):
        if record.protocol.has_names:
            writer.named_header(record.header)
        else:
            writer.header(record.header)
    writer.struct(record.body, 1, ())
    writer.end()
    return writer.finish()


class JsonWriter:
    """Writes notes from left to right.

    ``at`` is where the last token ended.  The end of a note is settled only when the next one
    begins.
    """

    name_why = "A name of the IDL: this protocol writes no ids."

    def __init__(self, record: Record) -> None:
        self.record = record
        self.kind = record.type if isinstance(record, Message) else None
        self.data = record.data
        self.stop = record.stop
        self.start = record.header.span.start if isinstance(record, Message) else record.start
        self.at = self.start
        self.notes: list[Note] = []
        self.losses = Losses(record.gaps)
        self.reasons = sorted((f.offset or 0, f.text) for f in record.faults)

    def note(
        self,
        span: Span,
        kind: str,
        label: str,
        meaning: str,
        why: str = "",
        depth: int = 0,
        path: tuple[int, ...] = (),
    ) -> None:
        """Note the token at ``span``."""
        self.notes.append(Note(span, kind, label, meaning, why, depth, path))
        self.at = span.stop

    def finish(self) -> list[Note]:
        """Return the notes, each with the separators after it."""
        if not self.notes:
            return []
        starts = [note.span.start for note in self.notes[1:]] + [self.stop]
        finished: list[Note] = []
        start = self.start
        for note, stop in zip(self.notes, starts, strict=True):
            span = Span(start, stop)
            finished.append(
                Note(span, note.kind, note.label, note.meaning, note.why, note.depth, note.path)
            )
            start = stop
        return finished

    def token(self) -> Span:
        """Return the next token."""
        return next_token(self.data, self.at, self.stop)

    def skip(self) -> bytes:
        """Leave the next token to the note before it."""
        span = self.token()
        self.at = span.stop
        return span.of(self.data)

    def text(self, span: Span) -> str:
        """Return the bytes of ``span`` as text; bytes that are not UTF-8 become escapes."""
        return span.of(self.data).decode("utf-8", "backslashreplace")

    def rest(self, stop: int) -> None:
        """Note what no value was read from: lost bytes, and bytes that could not be read."""
        for lost in self.losses.within(self.at, stop):
            self.unread(lost.start)
            count = counted(lost.stop - lost.start, "byte")
            self.note(lost, "lost", "lost", f"{count} that the capture does not have")
        self.unread(stop)

    def unread(self, stop: int) -> None:
        """Note the bytes up to ``stop`` from which no value was read, and say why."""
        start = next_token(self.data, self.at, stop).start
        if self.notes and self.notes[-1].kind == "lost":
            # Bytes that are there do not belong to what is lost.
            start = self.at
        if start >= stop:
            self.at = max(self.at, stop)
            return
        # Only what was said about these bytes: a message may have very many findings.
        first = bisect_left(self.reasons, (start, ""))
        reasons = self.reasons[first : bisect_left(self.reasons, (stop + 1, ""), first)]
        why = "; ".join(text for _, text in reasons[:3])
        self.note(Span(start, stop), "unread", "not read", counted(stop - start, "byte"), why)

    def end(self) -> None:
        """Note the message's last bracket, and what follows it."""
        body = self.record.body
        is_message = self.kind is not None
        if is_message and body.stop is not None and not self.is_lost(body.stop.stop):
            span = self.token()
            if span.of(self.data) in (b"]", b"}"):
                self.note(span, "stop", "message ends", "end of the message")
        self.rest(self.stop)

    def is_lost(self, offset: int) -> bool:
        """Say whether the next token begins with a byte that the capture does not have."""
        return next_token(self.data, offset, self.stop).start in self.losses

    # ── Before the struct ────────────────────────────────────────────────────────────

    def header(self, header: Header) -> None:
        """Note the header of a message in Apache's JSON: four values of the message's list."""
        self.note(self.token(), "header", "message begins", "version, method, type, seqid, struct")
        for label in ("version", "method name", "message type", "seqid"):
            self.part(label, self.token(), header)

    def named_header(self, header: Header) -> None:
        """Note the header of a message in thriftpy2's JSON: its length, then the metadata."""
        size = 4
        length = int.from_bytes(self.data[self.at : self.at + size], "big")
        why = "Bytes that follow, without these 4. It belongs to the protocol."
        self.note(Span(self.at, self.at + size), "frame", "message length", str(length), why)
        self.note(self.token(), "header", "message begins", "metadata and payload")
        why = "What other protocols call the header."
        self.note(self.token(), "header", "metadata", "names and values", why)
        self.skip()
        while True:
            key = self.token()
            if not key or key.start >= header.span.stop or key.of(self.data) == b"}":
                break
            self.at = key.stop
            label = _ENTRIES.get(key.of(self.data), "")
            value = self.token()
            if label:
                self.part(label, Span(key.start, value.stop), header)
            else:
                self.note(Span(key.start, value.stop), "header", "more metadata", self.text(key))
                self.pass_value(value)
        self.at = max(self.at, header.span.stop)
        payload = self.token()
        if payload.of(self.data) == b'"payload"' and not self.is_lost(self.at):
            self.note(payload, "header", "payload", "the struct, its fields by name")

    def pass_value(self, value: Span) -> None:
        """Leave the rest of a list or an object to the note before it."""
        depth = 0
        text = value.of(self.data)
        while text:
            depth += text in (b"{", b"[")
            depth -= text in (b"}", b"]")
            if depth <= 0:
                return
            text = self.skip()

    def part(self, label: str, span: Span, header: Header) -> None:
        """Note one value of the header, by its label."""
        meaning, why = "1", ""
        if label == "method name":
            meaning = f'"{header.method}"'
        elif label == "message type":
            meaning = f"{header.type.value} {header.type.name}"
            why = TYPE_WHY[header.type]
        elif label == "seqid":
            meaning = str(header.seqid)
            is_call = header.type in (MessageType.CALL, MessageType.ONEWAY)
            why = (
                "The client's number for this call." if is_call else "The call's number, sent back."
            )
        self.note(span, "header", label, meaning, why)

    # ── Structs and values ───────────────────────────────────────────────────────────

    def bracket(
        self, kind: str, label: str, meaning: str, depth: int, path: tuple[int, ...]
    ) -> None:
        """Note the next token, which begins or ends something."""
        self.note(self.token(), kind, label, meaning, "", depth, path)

    def struct(self, struct: Struct, depth: int, path: tuple[int, ...]) -> None:
        """Note a struct from brace to brace, as far as it was read."""
        token = self.token()
        if token.of(self.data) != b"{" or self.is_lost(self.at):
            return
        self.bracket("size", "struct begins", self._of(path), depth, path)
        for place, field in enumerate(struct.fields, 1):
            part = field.field_id if self._has_tags() else place
            self.field(field, depth, (*path, part))
        if struct.stop is not None:
            self.rest(struct.stop.start)
            self.bracket("stop", "struct ends", f"end of {self._of(path)}", depth, path)

    def _of(self, path: tuple[int, ...]) -> str:
        if not path:
            return whole(self.kind)
        return f"the struct in field {'.'.join(str(part) for part in path)}"

    def field(self, field: Field, depth: int, path: tuple[int, ...]) -> None:
        """Note a field's key, with its type tag if it has one, then its value."""
        self.rest(field.span.start)
        key = self.token()
        if not self._has_tags():
            why = self.name_why
            if field.declared:
                why = f"{why} {declared(field)}"
            self.note(key, "field", "field name", f'"{field.name}"', why, depth, path)
            self.value(field.value, "value", depth, path)
            return
        why = " ".join(one for one in (self._role(path), declared(field)) if one)
        self.note(key, "field", "field id", called(field), why, depth, path)
        self.skip()
        tag = f"{TAGS[field.ttype]} {field.ttype.name}"
        self.note(self.token(), "field", "field type", tag, "", depth, path)
        self.value(field.value, "value", depth, path)
        if field.span.stop > field.value.span.stop:
            self.at = field.span.stop

    def _role(self, path: tuple[int, ...]) -> str:
        """Say what a field of the outermost struct is for."""
        return role(self.kind, path[0], self.record.names is not None) if len(path) == 1 else ""

    def value(self, value: Value, label: str, depth: int, path: tuple[int, ...]) -> None:
        """Note a value of any type; ``label`` says what it is to its container."""
        content = value.content
        self.rest(value.span.start)
        if isinstance(content, Struct):
            self.struct(content, depth + 1, path)
        elif isinstance(content, Items):
            self.items(value, content, depth, path)
        elif isinstance(content, Entries):
            self.entries(value, content, depth, path)
        else:
            meaning, why = self._scalar(value, path)
            self.note(value.span, "value", label, meaning, why, depth, path)

    def _scalar(self, value: Value, path: tuple[int, ...]) -> tuple[str, str]:
        content = value.content
        if value.redacted:
            return REDACTED, REDACTED_WHY
        if isinstance(content, bytes):
            return self._string(value, content)
        if isinstance(content, bool):
            return ("true" if content else "false"), ""
        if isinstance(content, float):
            return repr(content), ""
        return numbered(self.record, path, value)

    def _string(self, value: Value, content: bytes) -> tuple[str, str]:
        if value.lost:
            why = "Its end is not there."
        elif len(content) != len(value.span) - 2:
            why = "Written with escapes: a backslash and what it stands for."
        else:
            why = ""
        text = value.text
        if text is None:
            count = counted(len(content), "byte")
            return f"{count}: {content.hex(' ')}", f"Not UTF-8. {why}".strip()
        return f'"{text}"', why

    def items(self, value: Value, content: Items, depth: int, path: tuple[int, ...]) -> None:
        """Note a list or a set, with element type and count if the encoding writes them."""
        name = value.ttype.name.lower()
        meaning = f"a {name}" if self._has_tags() else f"{content.count} elements"
        self.bracket("size", f"{name} begins", meaning, depth, path)
        if self._has_tags():
            self._typed("element type", content.element_type, depth, path)
            self._counted("count", content.count, f"Elements of the {name}.", depth, path)
        for index, item in enumerate(content.items):
            self.value(item, f"[{index}]", depth + 1, path)
        self.close(name, value.span.stop, depth, path)

    def entries(self, value: Value, content: Entries, depth: int, path: tuple[int, ...]) -> None:
        """Note a map, with both types, the count, and its pairs."""
        self.bracket("size", "map begins", "a map", depth, path)
        self._typed("key type", content.key_type, depth, path)
        self._typed("value type", content.value_type, depth, path)
        self._counted("count", content.count, "Pairs of the map.", depth, path)
        self.skip()
        for index, (key, item) in enumerate(content.items):
            self.value(key, f"key {index}", depth + 1, path)
            self.value(item, f"value {index}", depth + 1, path)
        if self.token().of(self.data) == b"}" and self.token().stop < value.span.stop:
            self.skip()
        self.close("map", value.span.stop, depth, path)

    def close(self, name: str, stop: int, depth: int, path: tuple[int, ...]) -> None:
        """Note the closing bracket, if reading reached it with nothing in between."""
        span = self.token()
        if span.stop == stop and span.of(self.data) == b"]":
            self.note(span, "stop", f"{name} ends", f"end of the {name}", "", depth, path)
        else:
            self.rest(stop)

    def _has_tags(self) -> bool:
        return not self.record.protocol.has_names

    def _typed(self, label: str, ttype: TType, depth: int, path: tuple[int, ...]) -> None:
        meaning = f"{TAGS[ttype]} {ttype.name}"
        self.note(self.token(), "size", label, meaning, "", depth, path)

    def _counted(self, label: str, count: int, why: str, depth: int, path: tuple[int, ...]) -> None:
        self.note(self.token(), "size", label, str(count), why, depth, path)
