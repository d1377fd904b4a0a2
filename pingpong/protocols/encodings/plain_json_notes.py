"""Notes for the bytes of plain JSON, laid out like those of Thrift's JSON.

{           struct begins
"name":     field name
2.50,       value, as it is written
}           struct ends
"""

from __future__ import annotations

from ...model import Message, Note, Record, Span, Value
from ..purposes import REDACTED, REDACTED_WHY
from .json_notes import JsonWriter

__all__ = ["PlainJsonWriter"]


class PlainJsonWriter(JsonWriter):
    """Writes the notes of plain JSON."""

    name_why = ""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self.start = self.at = record.header.span.start if isinstance(record, Message) else 0

    def written(self) -> list[Note]:
        """Return the notes of the whole record: what carries it, then the value."""
        record = self.record
        if isinstance(record, Message) and len(record.header.span):
            method = f'"{record.header.method}"'
            self.note(record.header.span, "header", "header", method)
        elif record.start > self.start:
            self.rest(record.start)
        body = record.body
        if body.fields and body.fields[0].name is None:
            self.value(body.fields[0].value, "value", 1, (body.fields[0].field_id,))
        else:
            self.struct(body, 1, ())
        self.rest(record.stop)
        if not self.notes and record.stop > self.start:
            # Only white space.
            self.note(Span(self.start, record.stop), "unread", "not read", "white space")
        return self.finish()

    def _scalar(self, value: Value, path: tuple[int, ...]) -> tuple[str, str]:
        if value.redacted:
            return REDACTED, REDACTED_WHY
        if isinstance(value.content, bytes):
            return self._string(value, value.content)
        if isinstance(value.content, str):
            why = "Its end is not there." if value.lost else ""
            inside = value.span.of(self.data)[1:]
            if b"\\" in inside:
                why = f"Written with escapes: a backslash and what it stands for. {why}".strip()
            return f'"{value.content}"', why
        return self.text(value.span), ""
