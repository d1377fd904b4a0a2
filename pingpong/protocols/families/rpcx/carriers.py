"""What carries rpcx's messages, and what others have to know about it."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import HeadMasks, Message, Metadatum, Note, Pulse
from ...framings.headed_carriers import HeadedCarrier
from .answers import RPCX
from .rpcx import HEARTBEAT, MAGIC, RESPONSE

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

    def pulse(self, name: str, data: bytes) -> Pulse:
        if len(data) < 3 or data[0] != MAGIC or not data[2] & HEARTBEAT:
            return Pulse.NONE
        return Pulse.ANSWER if data[2] & RESPONSE else Pulse.ASK


RPCX_CARRIER: Final = _Rpcx("rpcx")
