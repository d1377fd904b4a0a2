"""What carries Motan's messages, and what others have to know about it."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import HeadMasks, Message, Metadatum, Note, Pulse
from ...framings.headed_carriers import HeadedCarrier
from .answers import MOTAN
from .heads import RESPONSE

__all__ = ["MOTAN1_CARRIER", "MOTAN2_CARRIER"]

# Path, method, types of its parameters, group, version; and how Java writes the last two besides.
_ADDRESSES: Final = frozenset(("m_p", "m_m", "m_md", "m_g", "m_v", "group", "version"))


@mypyc_attr(native_class=False)
class _Motan1(HeadedCarrier):
    __slots__ = ()

    around = "Motan 1"
    family = MOTAN
    addresses = _ADDRESSES

    def notes(self, message: Message) -> list[Note]:
        from .motan_head_notes import notes1

        return notes1(message)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from .motan_head_notes import metadata1

        return metadata1(message)

    def masks(self, message: Message) -> HeadMasks:
        from .motan_head_notes import masks1

        return masks1(message)

    def pulse(self, name: str, data: bytes) -> Pulse:
        # Its events are heartbeats, in calls and replies like others.
        return Pulse.ANSWER if data[3:4] == b"\x01" else Pulse.ASK


@mypyc_attr(native_class=False)
class _Motan2(HeadedCarrier):
    __slots__ = ()

    around = "Motan 2"
    family = MOTAN
    addresses = _ADDRESSES

    def notes(self, message: Message) -> list[Note]:
        from .motan_head_notes import notes2

        return notes2(message)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from .motan_head_notes import metadata2

        return metadata2(message)

    def masks(self, message: Message) -> HeadMasks:
        from .motan_head_notes import masks2

        return masks2(message)

    def pulse(self, name: str, data: bytes) -> Pulse:
        return Pulse.ANSWER if data[2] & RESPONSE else Pulse.ASK


MOTAN1_CARRIER: Final = _Motan1("motan")
MOTAN2_CARRIER: Final = _Motan2("motan2")
