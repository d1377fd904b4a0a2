"""HTTP bodies that no other family reads: JSON as JSON, others as text or bytes."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import Carrier, Protocol
from ...bodies import is_known, of_type
from ...framings.carriers import HttpCarrier
from ...framings.contents import NOT_KNOWN, Content, Ending, Head
from ...raw import RAW
from .answers import HTTP, phrase

__all__ = ["HTTP1", "HTTP2", "reads", "reads_rest"]


@mypyc_attr(native_class=False)
class _Http1(HttpCarrier):
    __slots__ = ()

    family = HTTP

    def is_open(self, method: str) -> bool:
        return False  # a path that names no method may contain anything


@mypyc_attr(native_class=False)
class _Http2(_Http1):
    __slots__ = ()

    around = "HTTP/2"
    is_woven = True


HTTP2: Final = _Http2("http2")
HTTP1: Final = _Http1("http")


class _Plain(Content):
    """The body is the message; the called method is an HTTP method and a path."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier

    def protocol(self, head: Head) -> Protocol:
        if "content-range" in head.lines:
            return RAW  # a part of something (RFC 9110, 14.4)
        return of_type(head.content_type)

    def ending(self, head: Head, trailers: Head | None, body: bytes) -> Ending:
        status = head.get(":status")
        if not status.isdigit():
            return NOT_KNOWN
        code = int(status)
        if code < 400 and head.unknown and not head.content_type:
            return NOT_KNOWN  # it may be gRPC's, whose trailers say how it ended
        return Ending(code >= 400, code, phrase(code), "")

    def method(self, head: Head) -> str:
        verb, path = head.get(":method"), head.get(":path")
        if head.unknown and not head.content_type:
            return path  # it may be gRPC's
        return f"{verb} {path}".strip()

    def packing(self, head: Head, flag: int) -> str:
        coding = head.get("content-encoding")
        return "" if coding == "identity" else coding


_PLAIN: Final = _Plain(HTTP2)
_PLAIN1: Final = _Plain(HTTP1)


def reads(head: Head, asked: Head | None) -> Content | None:
    """Return what reads what no other family does.

    HTTP/1 carries pages and downloads too: of that, only what says that it is values, or asks for
    them.
    """
    if head.version != 1:
        return _PLAIN
    return _PLAIN1 if is_known(head.content_type) or _asks_values(head) else None


def reads_rest(head: Head) -> Content:
    """Return what reads pages, pictures and downloads too."""
    return _PLAIN1 if head.version == 1 else _PLAIN


def _asks_values(head: Head) -> bool:
    """Say whether a request wants values back.  rpcx's gateway is recognised by its headers."""
    if not head.is_request:
        return False
    accepted = head.get("accept").lower().partition(",")[0].partition(";")[0].strip()
    return is_known(accepted) or any(name.startswith("x-rpcx-") for name in head.lines)
