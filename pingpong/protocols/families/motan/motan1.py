"""Motan 1's frames: a head in a head, then a Java object stream (NettyDecoder, DefaultRpcCodec).

    F1 F1 00 00  id ×8  length   F0 F0 01 00  id ×8  length − 16   AC ED 00 05  77 n
        "com.shop.Orders" "get" "int"     then each argument, then attachments

The variant 02 has a signature in place of the names, "get" and a part of a hash: the first four
letters of the method, or all of it if it is shorter.  It may be compressed with gzip.
"""

from __future__ import annotations

from typing import Final

from ....errors import DecodeError, Incomplete
from ....model import NOWHERE, Finding, Header, MessageType, Protocol, Severity, Span, Stretch
from ...framing import Unit
from ...framings.headed import HeadedFraming, check_length, event
from ...raw import RAW
from ...unpacking import inflate
from .body import MOTAN_OBJECTS
from .heads import EXCEPTION_FLAG, FIXED1, INNER, MAGIC, Names, read_names

__all__ = ["Motan1Framing"]

# The interface that heartbeats call.
_HEARTBEAT: Final = "com.weibo.api.motan.rpc.heartbeat"

# What a method threw is wrapped in this; any other exception is Motan's own.
_THROWN: Final = "MotanBizException"


class Motan1Framing(HeadedFraming):
    """Motan 1's frames in one direction."""

    name = "motan"

    def size(self, buffer: bytearray, have: int) -> int:
        start = bytes(buffer[: min(3, have)])
        if not (MAGIC + b"\0").startswith(start):
            raise DecodeError("magic", 0, found=start.hex(" "), wanted="f1 f1 00", size=3)
        if have < FIXED1:
            return 0
        length = int.from_bytes(buffer[12:16], "big")
        check_length(length, 12, INNER - FIXED1, self.limits)
        return FIXED1 + length

    def keeps_place(self, buffer: bytearray, have: int) -> bool:
        return have < INNER + 2 or buffer[INNER : INNER + 2] != b"\x1f\x8b"

    def unit(self, data: bytes, size: int) -> Unit:
        if len(data) < INNER:
            raise Incomplete("Motan head", 0, needs=INNER, left=len(data))
        if data[16:18] != b"\xf0\xf0" or data[4:12] != data[20:28]:
            found = data[16:18].hex(" ")
            wanted = "f0 f0, and the same id behind it"
            raise DecodeError("inner head", 16, found=found, wanted=wanted, size=16)
        seqid = int.from_bytes(data[4:12], "big")
        base, findings = INNER, ()
        layout: tuple[Stretch, ...] = ()
        if data[INNER : INNER + 2] == b"\x1f\x8b":
            packed = data[INNER:]
            body, wrong = inflate(packed, self.draws_on(), len(packed), 31, True)
            base = len(data)
            if wrong and base < size:
                raise Incomplete("packed body", INNER, needs=size - INNER, left=len(packed))
            if wrong:
                text = f"gzip at offset {INNER}: {wrong}"
                return _unread(data, size, seqid, Finding(Severity.ERROR, text, INNER))
            layout = (
                Stretch(0, INNER, 0, "frame"),
                Stretch(INNER, len(packed), INNER, "packed"),
                Stretch(base, len(body), NOWHERE, "body"),
            )
            data += body
        try:
            names = read_names(data, base, len(data))
        except DecodeError as error:
            if isinstance(error, Incomplete) and base == INNER and len(data) < size:
                raise
            finding = Finding(Severity.ERROR, str(error), error.offset)
            unit = _unread(data, size, seqid, finding)
            unit.layout = layout
            return unit
        method, mtype = self._what(data, names, seqid)
        if mtype is MessageType.EVENT:
            unit = event(method, data, seqid)
            unit.stop = size
        else:
            protocol: Protocol = MOTAN_OBJECTS
            unit = Unit(size, data, names.blocks.at, protocol, "", findings)
            here = Span(unit.start, unit.start)
            unit.header = Header(method, mtype, seqid, True, here, _place(names, here))
        unit.layout = layout
        return unit

    def _what(self, data: bytes, names: Names, seqid: int) -> tuple[str, MessageType]:
        """Return the method of a message, and its type."""
        kind = data[19]
        if kind == 0:
            method = names.method(data[18])
            if names.texts[0] == _HEARTBEAT:
                self.remember(seqid, "heartbeat", "event")
                return "heartbeat", MessageType.EVENT
            self.remember(seqid, method)
            return method, MessageType.CALL
        asked = self.answers.get(seqid)
        method = "" if asked is None else asked.method
        if asked is not None and asked.version == "event":
            return method, MessageType.EVENT
        if kind == EXCEPTION_FLAG and not names.texts[-1].endswith(_THROWN):
            return method, MessageType.EXCEPTION
        return method, MessageType.REPLY


def _place(names: Names, otherwise: Span) -> Span:
    """Return where the method, or the signature, is."""
    if names.whats[-1] not in ("types", "signature"):
        return otherwise
    span, text = names.spans[1], names.texts[1]
    return Span(max(span.start, span.stop - len(text.encode())), span.stop)


def _unread(data: bytes, size: int, seqid: int, finding: Finding) -> Unit:
    """Make the unit of a frame whose body cannot be read."""
    unit = Unit(size, data, INNER, RAW, "", (finding,))
    mtype = MessageType.REPLY if data[19] else MessageType.CALL
    unit.header = Header("", mtype, seqid, True, Span(INNER, INNER), Span(INNER, INNER))
    return unit
