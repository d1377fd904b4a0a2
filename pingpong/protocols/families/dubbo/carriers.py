"""What carries Dubbo's messages, and what others have to know about it."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import HeadMasks, Message, Metadatum, Note
from ...framings.headed_carriers import HeadedCarrier
from .answers import DUBBO

__all__ = ["DUBBO_CARRIER"]


@mypyc_attr(native_class=False)
class _Dubbo(HeadedCarrier):
    __slots__ = ()

    around = "Dubbo"
    family = DUBBO

    def notes(self, message: Message) -> list[Note]:
        from .dubbo_notes import notes

        return notes(message)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from .dubbo_notes import metadata

        return metadata(message)

    def masks(self, message: Message) -> HeadMasks:
        from .dubbo_notes import masks

        return masks(message)


DUBBO_CARRIER: Final = _Dubbo("dubbo")
