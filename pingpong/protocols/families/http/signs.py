"""How HTTP/2 is recognised, and what makes its readers."""

from __future__ import annotations

from typing import Final

from ....model import Limits
from ...family import Wrapper
from ...framing import ProtocolAt, Transport
from ...framings import http2
from ...framings.contents import Contents
from .contents import HTTP2

__all__ = ["WRAPPERS"]


def _woven(limits: Limits, contents: Contents, inside: ProtocolAt) -> Transport:
    return http2.Http2(limits, contents, HTTP2)


def _alone(limits: Limits, inside: ProtocolAt) -> Transport:
    """Make the reader of a connection in which no other family reads bodies."""
    from .contents import reads

    return http2.Http2(limits, reads, HTTP2)


WRAPPERS: Final = (
    Wrapper(
        HTTP2,
        "HTTP/2",
        http2.begins,
        _alone,
        woven=_woven,
        find=http2.find,
        alone=http2.proves_itself,
    ),
)
