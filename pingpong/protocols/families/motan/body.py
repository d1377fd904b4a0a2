"""The values of Motan 1: byte arrays in a Java stream, each with one value in hessian2.

    75 72 "[B" … 78 70 length   75 71 00 7E 00 00 length     an array, the first and others
    70                                                       null
    77 n                                                     in a call, then: the attachments

Each array has an encoder of its own.  The struct is the arguments, or the result as field 0, an
exception as field 1; the attachments are its end, after its last field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....errors import DecodeError, Incomplete
from ....model import Gap, Limits, Listener, Note, Record, Span
from ...encodings.hessian2 import Hessian2Protocol, Hessian2Walk, Said
from ...encodings.java_stream import BYTE_ARRAY
from ...framings.java_blocks import Blocks
from .heads import ATTACHED, EXCEPTION_FLAG, INNER, NULL, SIGNED, read_names

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["MOTAN_OBJECTS", "MotanObjects", "attached", "base_of", "next_array"]

_ARRAY: Final = 0x75
_NULL: Final = 0x70
_FIRST: Final = b"\x75" + BYTE_ARRAY
_LATER: Final = bytes.fromhex("75 71 007e0000")


def base_of(data: bytes) -> int:
    """Return where the Java stream is: after the head; if unpacked, after the whole frame."""
    if data[INNER : INNER + 2] != b"\x1f\x8b":
        return INNER
    return 16 + int.from_bytes(data[12:16], "big")


def next_array(data: bytes, at: int, stop: int) -> int:
    """Return where the content of the array at ``at`` begins; 0: none.  Raises Incomplete."""
    for head in (_FIRST, _LATER):
        start = data[at : min(stop, at + len(head))]
        if start == head:
            inside = at + len(head) + 4
            if inside > stop:
                raise Incomplete("array", at, needs=inside - at, left=stop - at)
            return inside
        if start and head.startswith(start) and len(start) > 1:
            raise Incomplete("array", at, needs=len(head) + 4, left=stop - at)
    return 0


class MotanObjects(Hessian2Protocol):
    """The values of a message of Motan 1."""

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        walk = _Walk(data, start, stop, gaps, limits, listener)
        walk.message()

    def notes(self, record: Record) -> list[Note]:
        from .motan_head_notes import ObjectsWriter

        return ObjectsWriter(record).written()


class _Walk(Hessian2Walk):
    """Walks over the values; ``end`` is where those of the outermost struct end."""

    __slots__ = ("end",)

    def __init__(
        self,
        data: bytes,
        start: i64,
        stop: i64,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        super().__init__(data, start, stop, gaps, limits, listener, Said())
        self.end: i64 = start

    def message(self) -> None:
        data = self.data
        kind: int = data[19]
        self.listener.struct(self.at)
        whole = self.stop
        if kind == EXCEPTION_FLAG:
            self.arrays(1, 1)
        elif kind == 0:
            self.arrays(1, -1)
        elif kind != NULL:
            self.arrays(0, 1)
        self.end = self.at
        if not self.broken:
            try:
                self.at = self.attachments(kind, whole)
            except DecodeError as error:
                self.fail(error)
        self.listener.struct_end(-1 if self.broken else self.end, self.at)
        if self.at < whole and not self.broken:
            self.left_over(whole - self.at)

    def attachments(self, kind: int, stop: i64) -> i64:
        """Return where what follows the values ends.  Raises DecodeError."""
        if self.at >= stop or not (kind == 0 or kind == ATTACHED):
            return self.at
        for gap in self.gaps:
            if gap.offset < stop and gap.stop > self.at:
                what = "attachments (lost by the capture)"
                raise Incomplete(what, self.at, needs=gap.length, left=0)
        blocks = _behind(self.data, self.at, stop)
        _pairs(blocks, self.data[18])
        return blocks.at

    def arrays(self, first: i64, count: i64) -> None:
        """Report ``count`` arrays (-1: all that are there), with one value each."""
        stop = self.stop
        told: i64 = 0
        while not self.broken and told != count and self.at < stop:
            start = self.at
            if not self.has("array", 1):
                return
            tag: i64 = self.data[start]
            if tag != _ARRAY and tag != _NULL:
                if count < 0:
                    return
                found = f"0x{tag:02x}"
                wanted = "0x75 or 0x70, an array or null"
                self.fail(DecodeError("value", start, found=found, wanted=wanted, size=1))
                return
            self.field_id = first + told
            self.listener.field(self.field_id, None, start)
            told += 1
            if tag == _NULL:
                self.at = start + 1
                self.listener.null(start, self.at)
                continue
            if not self.has("array", 10):
                return
            size: i64 = len(_FIRST) + 4 if self.data[start + 1] == 0x72 else 10
            if not self.has("array", size):
                return
            inside: i64 = next_array(self.data, start, stop)
            if not inside:
                found = self.data[start : start + 6].hex(" ")
                wanted = "an array of bytes"
                self.fail(DecodeError("array", start, found=found, wanted=wanted, size=6))
                return
            size = int.from_bytes(self.data[inside - 4 : inside], "big")
            self.boxed(inside, inside + size, "array")


def _behind(data: bytes, at: int, stop: int) -> Blocks:
    """Return the blocks after the values, which end at ``at``.

    If there are no values, the block with the names goes on.
    """
    base = base_of(data)
    names = read_names(data, base, stop)
    if names.blocks.at == at:
        return names.blocks
    return Blocks(data, at, stop)


def _pairs(blocks: Blocks, variant: int) -> list[tuple[str, str, Span]]:
    """Return the attachments, and where each is.  Raises DecodeError."""
    found: list[tuple[str, str, Span]] = []
    for _ in range(blocks.number(2 if variant == SIGNED else 4, "number of attachments")):
        start = blocks.at
        key = blocks.text("key")
        value = blocks.text("value")
        found.append((key, value, Span(start, blocks.at)))
    return found


def attached(record: Record) -> list[tuple[str, str, Span]]:
    """Return the attachments of a message of Motan 1, with their places."""
    stop = record.body.stop
    if stop is None or not len(stop):
        return []
    try:
        return _pairs(_behind(record.data, stop.start, stop.stop), record.data[18])
    except DecodeError:
        return []


MOTAN_OBJECTS: Final = MotanObjects()
