"""The families of RPC: what stands around the values, and where a message ends.

``FAMILIES`` is the only place that names them.  They are tried in this order.
"""

from typing import Final

from ..family import Entry
from .thrift.answers import THRIFT
from .thrift.signs import SIGNS, WRAPPERS, nearly

__all__ = ["FAMILIES"]

FAMILIES: Final[list[Entry]] = [Entry(THRIFT, SIGNS, WRAPPERS, nearly)]
