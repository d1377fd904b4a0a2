"""How rpcx is recognised.

08 00 ff s0  seq ×8  length = 16 + four lengths       at 16: path, method, metadata, payload
CONNECT /_rpcx_ HTTP/1.0                              its prelude, and the answer to it
"""

from __future__ import annotations

from typing import Final

from ...family import Wrapper
from .carriers import RPCX_CARRIER
from .rpcx import RpcxFraming, begins

__all__ = ["WRAPPERS"]

WRAPPERS: Final = (Wrapper(RPCX_CARRIER, "an rpcx frame", begins, RpcxFraming, (b"\x08\x00",)),)
