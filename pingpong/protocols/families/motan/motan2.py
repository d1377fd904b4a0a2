r"""Motan 2's frames, as MotanV2Header and motan-go's motanProtocol write them.

    F1 F1  00  08  30  id ×8  0000004B "M_p\ncom.shop.Orders\nM_m\nget…"  00000009 01 00000004 …
           │   │   └ serialization << 3 (6: simple)       metadata, in lines       body
           │   └ version 1, status 0
           └ flags

A reply has its call's id; its metadata seldom names the method.
"""

from __future__ import annotations

from typing import Final

from ....model import (
    Build,
    Field,
    Finding,
    Gap,
    Header,
    Limits,
    Listener,
    MessageType,
    Note,
    Protocol,
    Record,
    Run,
    Span,
    Stretch,
    Struct,
    Value,
    tell,
)
from ...encodings.breeze import BREEZE
from ...encodings.hessian2 import HESSIAN2
from ...encodings.motan_simple import MOTAN_SIMPLE
from ...encodings.msgpack import MSGPACK
from ...encodings.plain_json import PLAIN_JSON
from ...encodings.protobuf import PROTOBUF
from ...encodings.values_walk import ValuesProtocol
from ...framing import Unit
from ...framings.headed import HeadedFraming, check_length, event
from ...raw import RAW
from .heads import ERROR, FIXED2, GZIP, HEARTBEAT, METHOD, ONEWAY, PATH, RESPONSE, Motan2Head

__all__ = ["Motan2Framing"]


def _as_result(body: Struct, start: int, listener: Listener) -> None:
    """Report values that are a result: a single one has the id 0."""
    if len(body.fields) == 1:
        only = body.fields[0]
        fields = (Field(0, only.value, only.span, only.name),)
        body = Struct(fields, body.stop, body.findings)
    tell(body, start, listener)


class _Result(ValuesProtocol):
    """Reads what ``inner`` does, as a result."""

    def __init__(self, inner: Protocol) -> None:
        self.inner = inner
        self.name = inner.name
        self.title = inner.title
        self.classes = inner.classes

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        build = Build()
        self.inner.walk(data, start, stop, gaps, limits, build)
        _as_result(build.body, start, listener)

    def notes(self, record: Record) -> list[Note]:
        return self.inner.notes(record)

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        return self.inner.mask(data, value, field, is_key)

    def blank(self, data: bytes) -> bytes:
        return self.inner.blank(data)


# The encoding of a body, by its serialization: of arguments, and of a result.  Others are bytes.
_ONE: Final[dict[int, Protocol]] = {2: PLAIN_JSON, 3: MSGPACK, 5: PROTOBUF}
ARGUMENTS: Final[dict[int, Protocol]] = {0: HESSIAN2, 6: MOTAN_SIMPLE, 8: BREEZE, **_ONE}
RESULTS: Final[dict[int, Protocol]] = {
    0: _Result(HESSIAN2),
    6: _Result(MOTAN_SIMPLE),
    8: _Result(BREEZE),
    **_ONE,
}


class Motan2Framing(HeadedFraming):
    """Motan 2's frames in one direction."""

    name = "motan2"

    def size(self, buffer: bytearray, have: int) -> int:
        if have < FIXED2:
            if have > 1:
                Motan2Head(bytes(buffer[:2]) + b"\0\x08" + bytes(17))
            return 0
        length = int.from_bytes(buffer[13:17], "big")
        check_length(length, 13, 0, self.limits)
        end = FIXED2 + length
        # Only the first two bytes and the version of a head are checked.
        Motan2Head(bytes(buffer[:13]) + bytes(8))
        if have < end + 4:
            return 0
        body = int.from_bytes(buffer[end : end + 4], "big")
        check_length(body, end, 0, self.limits)
        return end + 4 + body

    def keeps_place(self, buffer: bytearray, have: int) -> bool:
        return have < FIXED2 or not buffer[2] & GZIP

    def unit(self, data: bytes, size: int) -> Unit:
        head = Motan2Head(data)
        if head.flags & HEARTBEAT:
            return event("heartbeat", data, head.seqid)
        error = head.value(data, ERROR)
        method = self._method(data, head)
        is_reply = head.flags & RESPONSE != 0
        if is_reply:
            failed = head.status != 0 or error is not None
            mtype = MessageType.EXCEPTION if failed else MessageType.REPLY
        else:
            mtype = MessageType.ONEWAY if head.flags & ONEWAY else MessageType.CALL
            self.remember(head.seqid, method)
        known = RESULTS if is_reply else ARGUMENTS
        protocol = known.get(head.serialization, RAW)
        start = head.start
        findings: tuple[Finding, ...] = ()
        layout: tuple[Stretch, ...] = ()
        if start == head.stop:
            if head.serialization in _ONE:
                protocol = RAW  # in these encodings, no bytes are no value
        elif head.flags & GZIP:
            packed_stop = len(data)
            data, findings, layout = self.unpacked(data, start, size)
            start = packed_stop
            if start == len(data) and findings:
                protocol = RAW
        unit = Unit(size, data, start, protocol, "", findings)
        unit.layout = layout
        named = head.value(data, METHOD)
        here = Span(start, start)
        place = here if named is None else named[1]
        unit.header = Header(method, mtype, head.seqid, True, here, place)
        return unit

    def _method(self, data: bytes, head: Motan2Head) -> str:
        named, path = head.value(data, METHOD), head.value(data, PATH)
        if named is not None:
            return named[0] if path is None else f"{path[0]}.{named[0]}"
        asked = self.answers.get(head.seqid) if head.flags & RESPONSE else None
        return "" if asked is None else asked.method
