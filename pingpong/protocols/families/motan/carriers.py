"""What carries Motan's messages, and what others have to know about it."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import HeadMasks, Message, Metadatum, Note
from ...framings.headed_carriers import HeadedCarrier
from .answers import MOTAN

__all__ = ["MOTAN1_CARRIER", "MOTAN2_CARRIER"]


@mypyc_attr(native_class=False)
class _Motan1(HeadedCarrier):
    __slots__ = ()

    around = "Motan 1"
    family = MOTAN

    def notes(self, message: Message) -> list[Note]:
        from .motan_head_notes import notes1

        return notes1(message)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from .motan_head_notes import metadata1

        return metadata1(message)

    def masks(self, message: Message) -> HeadMasks:
        from .motan_head_notes import masks1

        return masks1(message)


@mypyc_attr(native_class=False)
class _Motan2(HeadedCarrier):
    __slots__ = ()

    around = "Motan 2"
    family = MOTAN

    def notes(self, message: Message) -> list[Note]:
        from .motan_head_notes import notes2

        return notes2(message)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from .motan_head_notes import metadata2

        return metadata2(message)

    def masks(self, message: Message) -> HeadMasks:
        from .motan_head_notes import masks2

        return masks2(message)


MOTAN1_CARRIER: Final = _Motan1("motan")
MOTAN2_CARRIER: Final = _Motan2("motan2")
