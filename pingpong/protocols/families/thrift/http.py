"""Thrift over HTTP/1: a request or a response whose body is one message.

    POST /calc HTTP/1.1 ⏎                  HTTP/1.1 200 OK ⏎
    Content-Type: application/x-thrift ⏎   Transfer-Encoding: chunked ⏎
    Content-Length: 30 ⏎                   ⏎
    ⏎                                      17 ⏎ 23 bytes ⏎  0 ⏎ ⏎
    30 bytes

The body's own bytes tell its protocol: all of them call themselves application/x-thrift.  A
message's ``data`` is its head and then the body, without the chunks' sizes and, if it was packed
(Content-Encoding: gzip, deflate), unpacked.  A body that does not begin like a message belongs to
somebody else, or to nobody: see ``framings/http1.py``; ``seen_thrift`` says whether anything has
been Thrift so far.  A body that claims to be Thrift may be a struct without a message, which is
what OpenTelemetry's exporter for Jaeger posts.
"""

from __future__ import annotations

from typing import Final

from ....model import Finding, Limits, Protocol, Severity
from ...encodings.binary import BINARY
from ...encodings.compact import COMPACT
from ...encodings.thrift_json import JSON
from ...framing import ProtocolAt, Unit
from ...framings.contents import Contents
from ...framings.http1 import Http1
from ...framings.http1_bodies import (
    STARTS,
    Body,
    Start,
    begins,
    describe,
    is_packed,
    shown,
    unpacked,
)

__all__ = ["STARTS", "HttpTransport", "begins", "describe", "is_packed"]

# How much is kept, to be read as a struct, of a body that says it is Thrift but begins no message.
_MOST_STRUCT: Final = 1 << 20

_TYPES: Final = (b"application/x-thrift", b"application/vnd.apache.thrift")


def _struct_of(content: bytes, limits: Limits) -> Protocol | None:
    """Return the protocol that reads all of that as one struct; None if there is none."""
    for protocol in (BINARY, COMPACT):
        if protocol.struct_end(content, 0, len(content), limits) == len(content):
            return protocol
    if content[:1] == b"{":
        struct = JSON.read_struct(content, 0, len(content), (), limits)
        if struct.stop is not None and struct.fields and not struct.findings:
            return JSON
    return None


class HttpTransport(Http1):
    """One direction of HTTP/1.  ``protocol_at`` says which protocol a body is in.

    ``seen_thrift``: a body was a message, or a head said that it is one.
    """

    def __init__(
        self, limits: Limits, protocol_at: ProtocolAt, contents: Contents | None = None
    ) -> None:
        super().__init__(limits, contents)
        self._protocol_at = protocol_at
        self._protocol: Protocol | None = None
        self._is_struct = False

    def is_owned(self, head: Start) -> bool:
        return head.content_type.startswith(_TYPES)

    def note_head(self, head: Start) -> None:
        self._protocol = None
        self._is_struct = False
        self.seen_thrift = self.seen_thrift or self.is_owned(head)

    def claim(self, head: Start, body: Body, begin: bytes) -> bool:
        self._protocol = self._protocol_at(begin, 0, len(begin))
        if self._protocol is None:
            if not self.is_owned(head) or head.is_answer:
                return False
            self._is_struct = True
            body.most = _MOST_STRUCT
            return True
        self.seen_thrift = body.is_message = True
        body.check()
        return True

    def amiss(self, head: Start, body: Body) -> str:
        if not self.is_owned(head) or not body.total:
            return ""
        why = "begins no message"
        if head.coding:
            why = f"is packed with {shown(head.coding)}"
            why += ", and begins no message" if head.can_unpack else ", which is not unpacked"
        return f"the body {why}"

    def _opened(self) -> tuple[bytes, tuple[Finding, ...]]:
        """Return the body so far, unpacked, and what is wrong with its packing."""
        assert self._head is not None
        assert self._body is not None
        head, content = self._head, bytes(self._body.content)
        if not head.coding:
            return content, ()
        content, wrong = unpacked(head.coding, content, self.allowance)
        if not wrong:
            return content, ()
        text = f"body at offset {head.stop}, packed with {shown(head.coding)}: {wrong}"
        return content, (Finding(Severity.ERROR, text, head.stop),)

    def claimed(self, buffer: bytearray) -> Unit:
        assert self._head is not None
        assert self._body is not None
        if self._is_struct:
            return self._struct(buffer)
        start = self._head.stop
        content, findings = self._opened()
        if findings and not content:
            unit = self.passed(buffer, self._head.what(self._body.total), findings)
        else:
            data = bytes(buffer[:start]) + content
            unit = Unit(self._body.at, data, start, self._protocol, "", findings)
            unit.lines = tuple(self._body.lines) if self.keeps_lines else ()
        unit.turn = self._turn()
        self._reset()
        return unit

    def _struct(self, buffer: bytearray) -> Unit:
        """Make the unit of a body that says it is Thrift, but begins no message."""
        assert self._head is not None
        assert self._body is not None
        head, body = self._head, self._body
        content, _ = self._opened()
        protocol = _struct_of(content, self._limits)
        what = head.what(body.total)
        findings: tuple[Finding, ...] = ()
        if protocol is None:
            findings = (Finding(Severity.ERROR, f"{what}: the body begins no message", 0),)
        else:
            what = f"{what}: a struct in {protocol.name}, without a message"
        unit = self.passed(buffer, what, findings)
        unit.turn = head.turn(None, protocol)
        self._reset()
        return unit

    def claimed_rest(self, buffer: bytearray, have: int) -> Unit | None:
        assert self._head is not None
        assert self._body is not None
        head, body = self._head, self._body
        packed = bytes(body.content)
        content = packed if not head.coding else b""
        if head.can_unpack:
            content, _ = unpacked(head.coding, packed, self.allowance)
        protocol = self._protocol or self._protocol_at(content, 0, len(content))
        if protocol is None or not content:
            return None
        self.seen_thrift = True
        unit = Unit(have, bytes(buffer[: head.stop]) + content, head.stop, protocol)
        unit.lines = tuple(body.lines) if self.keeps_lines else ()
        self._protocol = protocol
        self._mark_claimed()
        unit.turn = self._turn()
        return unit

    def known_until(self, buffer: bytearray, have: int) -> int:
        return 0 if self._is_struct else super().known_until(buffer, have)
