"""What carries messages over HTTP/2: their notes, metadata and masks, for every family alike."""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from ...model import Carrier, HeadMasks, Message, Metadatum, Note

__all__ = ["HttpCarrier"]


@mypyc_attr(native_class=False)
class HttpCarrier(Carrier):
    """Messages whose frames are woven, each call in a stream of its own."""

    __slots__ = ()

    around = "HTTP/2"
    has_ids = True
    id_name = "stream"
    is_two_way = True

    def notes(self, message: Message) -> list[Note]:
        from .http2_notes import notes

        return notes(message)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from .http2_notes import metadata

        return metadata(message)

    def masks(self, message: Message) -> HeadMasks:
        from .http2_notes import masks

        return masks(message)

    def is_open(self, method: str) -> bool:
        from .http2_notes import is_open

        return is_open(method)

    def masked(self, message: Message) -> object:
        from .http2_notes import masked

        return masked(message)
