"""Bytes whose meaning nobody states: text, a picture, or nothing at all.

They are reported as one value without an id and without a name: text if they are UTF-8, else bytes.
An event's frame, all of which belongs to its framing, has no values at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import DecodeError
from ..model import (
    LETTER,
    NO_ID,
    Field,
    Gap,
    Header,
    Limits,
    Listener,
    Note,
    Protocol,
    Record,
    Run,
    Skipper,
    Value,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["RAW", "Raw"]


class Raw(Protocol):
    """Bytes as they are."""

    name = "raw"
    title = "bytes as they are"
    classes = ""
    has_names = True
    is_raw = True

    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        raise DecodeError("message", start, found="bytes", wanted="a framing that says what it is")

    def skipper(self, start: int, limits: Limits) -> Skipper:
        raise DecodeError("message", start, found="bytes", wanted="a framing that says its length")

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        end: i64 = stop
        lost: i64 = 0
        for gap in gaps:
            if gap.offset < stop and gap.offset + gap.length > start:
                end = min(end, max(start, gap.offset))
                lost = stop - end
        listener.struct(start)
        if start < stop:
            listener.field(NO_ID, "", start)
            listener.string(data, start, end, start, 0, stop, lost)
        listener.struct_end(stop, stop)

    def struct_end(self, data: bytes, at: i64, stop: i64, limits: Limits) -> i64:
        return stop

    def notes(self, record: Record) -> list[Note]:
        from .encodings.notes import raw_notes

        return raw_notes(record)

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        return value.span.start, LETTER * len(value.span)

    def blank(self, data: bytes) -> bytes:
        return LETTER * len(data)


RAW: Final = Raw()
