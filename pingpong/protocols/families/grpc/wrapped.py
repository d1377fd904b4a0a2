"""What Triple puts around objects of Java: a message of protobuf with values in another encoding.

    0A 08 "hessian4"   12 06  05 "admin"   12 …    1A 10 "java.lang.String"   1A …
    serializeType      args: each by an encoder    argTypes
                       of its own; in a reply the
                       one result

triple_wrapper.proto of Apache Dubbo: TripleRequestWrapper, TripleResponseWrapper.  The struct is
the arguments, or the result as field 0; what stands behind the last of them is its end.  Of the
encodings that ``serializeType`` names, hessian2 is read ("hessian4" is what Triple calls it); with
any other, the wrapper is a message of protobuf like all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....errors import DecodeError, Incomplete
from ....model import Gap, Limits, Listener, Note, Protocol, Record
from ...encodings.hessian2 import Hessian2Protocol, Hessian2Walk, Said
from ...encodings.protobuf import LEN, fields_of, read_key
from ...encodings.reading import read_number

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["PARTS", "VALUES", "TripleObjects", "is_wrapper", "wrapped"]

_TYPE: Final = 1
VALUES: Final = 2  # args, or data
_CLASSES: Final = 3

# What the fields of the wrapper are called, in a request and in a reply.
PARTS: Final = {_TYPE: "serializeType", VALUES: "value", _CLASSES: "class"}

_BEGINS: Final = (b"\x0a\x08hessian4", b"\x0a\x08hessian2")

# How many parts a wrapper is looked through for: methods have no more arguments.
_MOST: Final = 1024


def is_wrapper(body: bytes) -> bool:
    """Is it a wrapper, to its end, with values that are read here?"""
    if not body.startswith(_BEGINS):
        return False
    parts = fields_of(body, 0, len(body), _MOST)
    return (
        parts is not None
        and parts[-1].stop == len(body)
        and all(one.wire == LEN and one.number in PARTS for one in parts)
        and sum(1 for one in parts if one.number == _TYPE) == 1
    )


class TripleObjects(Hessian2Protocol):
    """The values in a wrapper of Triple; ``first`` is the id of the first of them."""

    def __init__(self, first: int) -> None:
        self._first = first

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        walk = _Walk(data, start, stop, gaps, limits, listener, Said())
        walk.message(self._first)

    def notes(self, record: Record) -> list[Note]:
        from .wrapped_notes import WrappedWriter

        return WrappedWriter(record).written()


class _Walk(Hessian2Walk):
    __slots__ = ()

    def message(self, first: i64) -> None:
        self.listener.struct(self.at)
        whole = self.stop
        end = self.at
        try:
            while self.at < whole and not self.broken:
                if self.part(first, whole):
                    first += 1
                    end = self.at
        except DecodeError as error:
            self.fail(error)
        self.listener.struct_end(-1 if self.broken else end, self.at)

    def part(self, first: i64, whole: i64) -> bool:
        """Pass the next part of the wrapper; is it a value?  Raises DecodeError."""
        start = self.at
        number, wire, at = read_key(self.data, start, whole)
        if wire != LEN:
            wanted = "2 LEN, as all of a wrapper"
            raise DecodeError("wire type", start, found=str(wire), wanted=wanted, size=1)
        size, inside = read_number(self.data, at, whole, "length")
        stop: i64 = inside + size
        for gap in self.gaps:
            # Lost bytes of a value are the value's own business.
            until: i64 = inside if number == VALUES else stop
            if gap.offset < until and gap.stop > start:
                what = "part of the wrapper (lost by the capture)"
                raise Incomplete(what, start, needs=gap.length, left=0)
        if number == VALUES:
            self.field_id = first
            self.listener.field(first, None, start)
            self.boxed(inside, stop, "value")
            return not self.broken
        if stop > whole:
            raise Incomplete("part of the wrapper", inside, needs=size, left=int(whole) - inside)
        self.at = stop
        return False


_ASKED: Final = TripleObjects(1)
_ANSWERED: Final = TripleObjects(0)


def wrapped(from_client: bool) -> Protocol:
    """What reads a wrapper that the client sent, or the server."""
    return _ASKED if from_client else _ANSWERED
