"""What carries messages over HTTP: their notes, metadata and masks, for every family alike.

What is kept with a message shows which HTTP it came in: HTTP/2 keeps its header blocks.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ...model import Carrier, HeadMasks, Message, Metadatum, Note

__all__ = ["ADDRESSES", "MEASURES", "HttpCarrier"]

# What is asked of whom, in both versions of HTTP; and how much follows.
ADDRESSES: Final = frozenset((":method", ":scheme", ":authority", ":path", "host"))
MEASURES: Final = frozenset(("content-length", "transfer-encoding"))


@mypyc_attr(native_class=False)
class HttpCarrier(Carrier):
    """Messages of HTTP: a call is a stream of HTTP/2, or a request and its response."""

    __slots__ = ()

    around = "HTTP"
    has_ids = True
    id_name = "stream"
    is_two_way = True
    addresses = ADDRESSES
    measures = MEASURES

    def notes(self, message: Message) -> list[Note]:
        from . import http1_notes, http2_notes

        is_first = http1_notes.is_its(message)
        return http1_notes.notes(message) if is_first else http2_notes.notes(message)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from . import http1_notes, http2_notes

        is_first = http1_notes.is_its(message)
        return http1_notes.metadata(message) if is_first else http2_notes.metadata(message)

    def masks(self, message: Message) -> HeadMasks:
        from . import http1_notes, http2_notes

        is_first = http1_notes.is_its(message)
        return http1_notes.masks(message) if is_first else http2_notes.masks(message)

    def is_open(self, method: str) -> bool:
        from .http2_notes import is_open

        return is_open(method)

    def masked(self, message: Message) -> object:
        from . import http1_notes, http2_notes

        is_first = http1_notes.is_its(message)
        return http1_notes.masked(message) if is_first else http2_notes.masked(message)
