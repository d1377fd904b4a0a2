"""Motan's "pb" serialization (serialize/pb.go of motan-go): values of protobuf, without their keys.

    01                  null
    00 05 "admin"       a value: here a string, of 5 bytes

A byte says whether there is a value.  Which type it has is not on the wire: both sides know the
method.  A string has its length before it, a number is a varint or 4 or 8 bytes, and a message goes
on to the end.  So only what cannot be anything but strings is told as such; the rest is bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import DecodeError
from ...model import (
    Field,
    Finding,
    Gap,
    Limits,
    Listener,
    Note,
    Record,
    Run,
    Severity,
    TType,
    Value,
)
from .compact import read_varint
from .values_walk import ValuesProtocol, ValuesWalk

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["MOTAN_PB", "MotanPbProtocol"]

_VALUE: Final = 0
_NULL: Final = 1


def _text_at(data: bytes, at: i64, stop: i64) -> i64:
    """Return where the string whose length is at ``at`` ends; 0 if there is no text."""
    try:
        size, inside = read_varint(data, at, stop, "length")
    except DecodeError:
        return 0
    end = inside + size
    # Nothing, with a length of 0, may as well be a number or false.
    if not size or end > stop:
        return 0
    try:
        is_text = data[inside:end].decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return 0
    return end if is_text else 0


def _are_texts(data: bytes, at: i64, stop: i64) -> bool:
    """Say whether the values from ``at`` on are strings and nulls, to the last byte."""
    while at < stop:
        flag: i64 = data[at]
        at += 1
        if flag == _VALUE:
            at = _text_at(data, at, stop)
            if not at:
                return False
        elif flag != _NULL:
            return False
    return True


class _Walk(ValuesWalk):
    __slots__ = ()

    def value(self, depth: i64) -> i64:
        if not self.has("value", 1) or self.is_full():
            return 0
        start = self.at
        flag: i64 = self.data[start]
        if flag == _NULL:
            self.at = start + 1
            self.listener.null(start, self.at)
            return 17
        if flag != _VALUE:
            error = DecodeError("flag", start, found=str(flag), wanted="0 or 1", size=1)
            self.fail(error)
            return 0
        if not self.gaps and _are_texts(self.data, start, self.stop):
            size, inside = read_varint(self.data, start + 1, self.stop, "length")
            return self.utf8("string", start, inside - start, size)
        return self.rest(start)

    def rest(self, start: i64) -> i64:
        """Report a value of which nobody here knows the type, and all that follows it."""
        text = f"value at offset {start}: no type is on the wire; it and what follows are bytes"
        self.listener.warn(Finding(Severity.NOTE, text, start))
        inside = start + 1
        end = self.blob(inside, self.stop - inside, "value")
        self.listener.binary(self.data[inside:end], start, 1, self.at, self.lost)
        return 0 if self.broken else 21


class MotanPbProtocol(ValuesProtocol):
    """Values of protobuf, each behind a byte that says whether it is there."""

    name = "motan-pb"
    title = "Motan's pb serialization"
    classes = "PbSerialization"

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        _Walk(data, start, stop, gaps, limits, listener).whole()

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

    def notes(self, record: Record) -> list[Note]:
        from .motan_notes import PbWriter

        return PbWriter(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .value_masks import in_simple

        if value.ttype is TType.BYTES:
            # No length, so that it is read as bytes again.
            return value.span.start + 1, b"\xff" * (len(value.span) - 1)
        return in_simple(data, value)

    def blank(self, data: bytes) -> bytes:
        # No flag.
        return b"\xff" * len(data)


MOTAN_PB: Final = MotanPbProtocol()
