r"""The values of a Dubbo body in JSON: fastjson, gson, jackson and protobuf-json write it alike.

    "2.0.2"⏎ "com.shop.Orders"⏎ "1.0.0"⏎ "get"⏎ "I"⏎      the names: see ``heads``
    7⏎                                                    an argument, as many as the types say
    {"path":"com.shop.Orders"}⏎                           attachments

One value after another, each in a line of its own, with the same meaning as those in hessian2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....model import NO_ID, Build, Gap, Limits, Listener, Note, Record, Value
from ...encodings.plain_json import PlainJsonProtocol, PlainJsonWalk
from ...encodings.thrift_json import Scanner
from .body import shape_of

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["DUBBO_JSON", "DubboJson", "attachments"]


class _Lines(PlainJsonWalk):
    """Walks over values, each in a line."""

    __slots__ = ()

    def values(self, first: i64, count: i64) -> bool:
        """Report ``count`` values (-1: all), with ids from ``first`` on; False: one is bad."""
        told: i64 = 0
        while told != count and not (count < 0 and self.is_over()):
            self.listener.field(first + told, None, self.scanner.at)
            if not self.another():
                return False
            told += 1
        return True

    def is_over(self) -> bool:
        """Say whether only white space is left."""
        return self.skip_space() >= self.stop and not self.why


class DubboJson(PlainJsonProtocol):
    """JSON, as in Dubbo's bodies."""

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
        walk = _Lines(data, start, stop, gaps, limits, Scanner(start, limits), listener)
        listener.struct(start)
        is_good = walk.values(shape.first, shape.count)
        end = walk.scanner.at
        if is_good and shape.goes_on and not walk.is_over():
            silent = Listener()
            walk.listener = silent
            is_good = walk.another()
            walk.listener = listener
            listener.findings += silent.findings
        listener.struct_end(end if is_good else -1, walk.scanner.at)
        if is_good:
            walk.finish()

    def notes(self, record: Record) -> list[Note]:
        from .dubbo_notes import LinesWriter

        return LinesWriter(record).written()


def attachments(record: Record) -> Value | None:
    """Return the attachments of a message; None if there are none that can be read."""
    data, stop = record.data, record.stop
    shape = shape_of(data, stop)
    if not shape.goes_on:
        return None
    limits = record.limits
    scanner = Scanner(record.start, limits)
    walk = _Lines(data, record.start, stop, record.gaps, limits, scanner, Listener())
    if not walk.values(shape.first, shape.count) or walk.is_over():
        return None
    build = Build()
    walk.listener = build
    build.struct(walk.scanner.at)
    build.field(NO_ID, "attachments", walk.scanner.at)
    is_good = walk.another()
    build.struct_end(-1, walk.scanner.at)
    fields = build.body.fields
    return fields[0].value if fields and is_good else None


DUBBO_JSON: Final = DubboJson()
