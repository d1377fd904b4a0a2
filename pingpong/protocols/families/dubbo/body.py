"""The values of a Dubbo body in hessian2: arguments or a result, then attachments.

    call     arguments, as many as the parameter types say · attachments, a map
    reply    0, 3 an exception   1, 4 a value   2, 5 null      3–5: attachments follow
    error    one text

All of it went through one encoder: what the arguments define, the attachments refer to.  The struct
is the arguments, or the result as field 0, an exception as field 1; the attachments are its end,
after its last field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....errors import DecodeError
from ....model import NO_ID, Build, Gap, Limits, Listener, Note, Record, Value
from ...encodings.hessian2 import Hessian2Protocol, Hessian2Walk, Said, settle
from .heads import ERRORS, DubboHead, read_names, read_result

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["DUBBO_HESSIAN2", "DubboHessian2", "Shape", "attachments", "shape_of"]


class Shape:
    """How many values there are, the id of the first, and whether attachments may follow."""

    __slots__ = ("count", "first", "goes_on")

    def __init__(self, first: i64, count: i64, goes_on: bool) -> None:
        self.first: i64 = first
        self.count: i64 = count
        self.goes_on = goes_on


def shape_of(data: bytes, stop: int) -> Shape:
    """Return what the head and the names of a frame say of the values behind them."""
    try:
        head = DubboHead(data)
        if head.is_request:
            names = read_names(data, head.serialization, stop)
            count = -1 if names is None else names.count
            return Shape(1, count, count >= 0)
        if head.is_error:
            return Shape(1, 1, False)
        result, _ = read_result(data, head.serialization, stop)
    except DecodeError:
        return Shape(1, -1, False)
    is_null = result in (2, 5)
    return Shape(1 if result in ERRORS else 0, 0 if is_null else 1, result > 2)


class DubboHessian2(Hessian2Protocol):
    """Hessian 2, as used in Dubbo's bodies."""

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        shape = shape_of(data, stop)
        said = Said()
        settle(data, start, stop, said, gaps, limits)
        walk = Hessian2Walk(data, start, stop, gaps, limits, listener, said)
        listener.struct(walk.at)
        walk.fields(shape.first, shape.count)
        end = walk.at
        if shape.goes_on and not walk.broken and walk.at < stop:
            silent = Listener()
            walk.listener = silent
            walk.value(1)
            walk.listener = listener
            listener.findings += silent.findings
        listener.struct_end(-1 if walk.broken else end, walk.at)
        if walk.at < stop and not walk.broken:
            walk.left_over(stop - walk.at)

    def notes(self, record: Record) -> list[Note]:
        from .dubbo_notes import DubboWriter

        return DubboWriter(record).written()


def attachments(record: Record) -> Value | None:
    """Return the attachments of a message; None if there are none that can be read."""
    data, stop = record.data, record.stop
    shape = shape_of(data, stop)
    if not shape.goes_on:
        return None
    said = Said()
    settle(data, record.start, stop, said, record.gaps, record.limits)
    walk = Hessian2Walk(data, record.start, stop, record.gaps, record.limits, Listener(), said)
    walk.fields(shape.first, shape.count)
    if walk.broken or walk.at >= stop:
        return None
    build = Build()
    walk.listener = build
    build.struct(walk.at)
    build.field(NO_ID, "attachments", walk.at)
    walk.value(1)
    build.struct_end(-1, walk.at)
    fields = build.body.fields
    return fields[0].value if fields else None


DUBBO_HESSIAN2: Final = DubboHessian2()
