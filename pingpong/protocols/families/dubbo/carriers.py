"""What carries Dubbo's messages, and what others have to know about it."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import HeadMasks, Message, Metadatum, Note, Pulse
from ...framings.headed_carriers import HeadedCarrier
from .answers import DUBBO
from .heads import EVENT, MAGIC, REQUEST, TWO_WAY

__all__ = ["DUBBO_CARRIER"]


@mypyc_attr(native_class=False)
class _Dubbo(HeadedCarrier):
    __slots__ = ()

    around = "Dubbo"
    family = DUBBO
    addresses = frozenset(("path", "interface", "version", "group"))

    def notes(self, message: Message) -> list[Note]:
        from .dubbo_notes import notes

        return notes(message)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from .dubbo_notes import metadata

        return metadata(message)

    def masks(self, message: Message) -> HeadMasks:
        from .dubbo_notes import masks

        return masks(message)

    def pulse(self, name: str, data: bytes) -> Pulse:
        if data[:2] != MAGIC or len(data) < 3 or not data[2] & EVENT:
            return Pulse.NONE
        if not data[2] & REQUEST:
            return Pulse.ANSWER
        if data[2] & TWO_WAY:
            return Pulse.ASK
        return _SAID.get(name, Pulse.NONE)


_SAID: Final = {"readonly": Pulse.LEAVE, "writeable": Pulse.STAY}

DUBBO_CARRIER: Final = _Dubbo("dubbo")
