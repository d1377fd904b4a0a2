"""Dubbo 2's frames: calls, replies, events, and the text that the same port understands.

    DA BB C2 00  id  length   "2.0.2" "com.shop.Orders" "1.0.0" "get" "I" 91 H … Z     a call
    DA BB 02 14  id  length   94 "pong" H … Z                                          its reply
    DA BB E2 00  id  length   4E                                                       a heartbeat
    ls -l⏎                                                                             a command

A reply has its call's id and nothing else of it.  Either end may call the other.
"""

from __future__ import annotations

import re
from typing import Final

from ....errors import DecodeError, Incomplete
from ....model import Finding, Header, MessageType, Protocol, Severity, Span
from ...encodings.java_stream import JAVA_STREAM
from ...framing import Unit
from ...framings.headed import HeadedFraming, check_length, event
from ...raw import RAW
from .body import DUBBO_HESSIAN2
from .heads import (
    FIXED,
    HESSIAN,
    JAVA,
    JSON,
    MAGIC,
    NAMES,
    TWO_WAY,
    DubboHead,
    read_names,
    read_result,
)
from .json_body import DUBBO_JSON

__all__ = ["ENCODINGS", "DubboFraming"]

# The encoding of a body, by its serialization; all others are bytes.
ENCODINGS: Final[dict[int, Protocol]] = {
    HESSIAN: DUBBO_HESSIAN2,
    **dict.fromkeys(JAVA, JAVA_STREAM),
    **dict.fromkeys(JSON, DUBBO_JSON),
}

# The body of an event: null, "R" or "W", in hessian2, JSON, and Java's streams, of which one writes
# a byte before an object.
_HEARTBEAT: Final = (b"", b"N", b"null", b"\xac\xed\0\x05\x77\x01\0", b"\xac\xed\0\x05\x70")
_LETTERS: Final = (
    *(b"\x01%s", b'"%s"', b"\xac\xed\0\x05\x77\x01\x01\x74\0\x01%s"),
    b"\xac\xed\0\x05\x74\0\x01%s",
)
_EVENTS: Final[dict[bytes, str]] = {
    **dict.fromkeys(_HEARTBEAT, "heartbeat"),
    **dict.fromkeys((one % b"R" for one in _LETTERS), "readonly"),
    **dict.fromkeys((one % b"W" for one in _LETTERS), "writeable"),
}

# What a command and its answer end with.
_LINE: Final = re.compile(rb"\n|dubbo>")
_MOST_LINE: Final = 8192
_BINARY: Final = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f]")


class DubboFraming(HeadedFraming):
    """Dubbo's frames in one direction."""

    name = "dubbo"

    def size(self, buffer: bytearray, have: int) -> int:
        if not MAGIC.startswith(buffer[: min(2, have)]):
            return _text(buffer, have)
        if have < FIXED:
            return 0
        length = int.from_bytes(buffer[12:16], "big")
        check_length(length, 12, 0, self.limits)
        return FIXED + length

    def unit(self, data: bytes, size: int) -> Unit:
        if data[:2] != MAGIC:
            return event("telnet answer" if data.endswith(b"dubbo>") else "telnet line", data)
        head = DubboHead(data)
        if head.is_event:
            name = "event"
            if head.serialization in ENCODINGS and len(data) == size:
                name = _EVENTS.get(data[FIXED:].rstrip(b"\r\n"), name)
            return event(name, data, head.seqid)
        if head.is_request:
            return self._call(data, size, head)
        return self._reply(data, size, head)

    def _call(self, data: bytes, size: int, head: DubboHead) -> Unit:
        mtype = MessageType.CALL if head.flags & TWO_WAY else MessageType.ONEWAY
        stop = min(size, len(data))
        try:
            names = read_names(data, head.serialization, stop)
        except DecodeError as error:
            return _unread(data, size, head, mtype, error, "")
        if names is None:
            return _made(data, size, FIXED, RAW, "", mtype, head)
        method = names.method
        if mtype is MessageType.CALL:
            self.remember(head.seqid, method)
        protocol = ENCODINGS.get(head.serialization, RAW)
        # A Java stream is read from its beginning, including the names.
        start = FIXED if protocol is JAVA_STREAM else names.start
        named = names.insides[NAMES.index("method")]
        return _made(data, size, start, protocol, method, mtype, head, named)

    def _reply(self, data: bytes, size: int, head: DubboHead) -> Unit:
        asked = self.answers.get(head.seqid)
        method = "" if asked is None else asked.method
        protocol = ENCODINGS.get(head.serialization, RAW)
        if head.is_error:
            return _made(data, size, FIXED, protocol, method, MessageType.EXCEPTION, head)
        stop = min(size, len(data))
        try:
            _, start = read_result(data, head.serialization, stop)
        except DecodeError as error:
            return _unread(data, size, head, MessageType.REPLY, error, method)
        if protocol is JAVA_STREAM:
            start = FIXED
        return _made(data, size, start, protocol, method, MessageType.REPLY, head)


def _made(
    data: bytes,
    size: int,
    start: int,
    protocol: Protocol,
    method: str,
    mtype: MessageType,
    head: DubboHead,
    named: Span | None = None,
) -> Unit:
    unit = Unit(size, data, start, protocol)
    here = Span(start, start)
    unit.header = Header(method, mtype, head.seqid, True, here, here if named is None else named)
    return unit


def _unread(
    data: bytes, size: int, head: DubboHead, mtype: MessageType, error: DecodeError, method: str
) -> Unit:
    """Make the unit of a frame whose body begins wrong.  Raises the error again if it was cut."""
    if isinstance(error, Incomplete) and len(data) < size:
        raise error
    unit = _made(data, size, FIXED, RAW, method, mtype, head)
    unit.findings = (Finding(Severity.ERROR, str(error), error.offset),)
    return unit


def _text(buffer: bytearray, have: int) -> int:
    """Return how long the line at the buffer's start is: a command, or a part of an answer.

    Raises DecodeError for bytes that are not text.
    """
    most = min(have, _MOST_LINE)
    end = _LINE.search(buffer, 0, most)
    stop = most if end is None else end.end()
    wrong = _BINARY.search(buffer, 0, stop)
    if wrong is not None or (end is None and most == _MOST_LINE):
        found = bytes(buffer[:2]).hex(" ")
        raise DecodeError("magic", 0, found=found, wanted="da bb", size=2)
    return 0 if end is None else stop
