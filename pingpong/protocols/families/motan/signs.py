"""How Motan is recognised.

F1 F1 00 00|01  id ×8  length  F0 F0  variant  kind  the same id  length − 16       Motan 1
F1 F1  flags ≤ 1F  version 1  serialization << 3  id ×8  length, text               Motan 2
"""

from __future__ import annotations

from typing import Final

from ...family import Wrapper
from .carriers import MOTAN1_CARRIER, MOTAN2_CARRIER
from .heads import MAGIC, begins1, begins2
from .motan1 import Motan1Framing
from .motan2 import Motan2Framing

__all__ = ["WRAPPERS"]

WRAPPERS: Final = (
    Wrapper(MOTAN2_CARRIER, "a frame of Motan 2", begins2, Motan2Framing, (MAGIC,)),
    Wrapper(MOTAN1_CARRIER, "a frame of Motan 1", begins1, Motan1Framing, (MAGIC,)),
)
