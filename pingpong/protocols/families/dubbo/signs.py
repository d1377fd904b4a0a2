"""How Dubbo is recognised.

DA BB  flags with a known serialization  status  id ×8  length     and a body that fits them
"""

from __future__ import annotations

from typing import Final

from ...family import Wrapper
from .carriers import DUBBO_CARRIER
from .dubbo import DubboFraming
from .heads import MAGIC, begins

__all__ = ["WRAPPERS", "nearly"]

WRAPPERS: Final = (Wrapper(DUBBO_CARRIER, "a Dubbo frame", begins, DubboFraming, (MAGIC,)),)

_PROMPT: Final = b"dubbo>"


def nearly(data: bytes | bytearray) -> str:
    """Say something about the text that Dubbo's port answers with; "" for other bytes."""
    at = data.find(_PROMPT, 0, 4096)
    if at < 0:
        return ""
    return f"text at offset 0: is the answer of Dubbo's console (dubbo> at {at}), want a message"
