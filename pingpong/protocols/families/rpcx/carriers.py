"""What carries rpcx's messages, and what others have to know about it."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import HeadMasks, Message, Metadatum, Note
from ...framings.headed_carriers import HeadedCarrier
from .answers import RPCX

__all__ = ["RPCX_CARRIER"]


@mypyc_attr(native_class=False)
class _Rpcx(HeadedCarrier):
    __slots__ = ()

    around = "rpcx"
    family = RPCX

    def notes(self, message: Message) -> list[Note]:
        from .rpcx_notes import notes

        return notes(message)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from .rpcx_notes import metadata

        return metadata(message)

    def masks(self, message: Message) -> HeadMasks:
        from .rpcx_notes import masks

        return masks(message)


RPCX_CARRIER: Final = _Rpcx("rpcx")
