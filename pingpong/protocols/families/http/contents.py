"""Bodies of HTTP that no other family reads: JSON as JSON, others as text or bytes."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import Protocol
from ...framings.carriers import HttpCarrier
from ...framings.contents import NOT_KNOWN, Content, Ending, Head
from ...raw import RAW
from .answers import HTTP, phrase

__all__ = ["HTTP2", "reads"]


@mypyc_attr(native_class=False)
class _Http2(HttpCarrier):
    __slots__ = ()

    family = HTTP


HTTP2: Final = _Http2("http2")


class _Plain(Content):
    """The body is the message."""

    carrier = HTTP2

    def protocol(self, head: Head) -> Protocol:
        return RAW

    def ending(self, head: Head, trailers: Head | None) -> Ending:
        status = head.get(":status")
        if not status.isdigit():
            return NOT_KNOWN
        code = int(status)
        if code < 400 and head.unknown and not head.content_type:
            return NOT_KNOWN  # it may be gRPC's, whose trailers say how it ended
        return Ending(code >= 400, code, phrase(code), "")

    def packing(self, head: Head, flag: int) -> str:
        coding = head.get("content-encoding")
        return "" if coding == "identity" else coding


_PLAIN: Final = _Plain()


def reads(head: Head, asked: Head | None) -> Content:
    """HTTP itself takes what nobody else does."""
    return _PLAIN
