"""The families of RPC: what surrounds the values, and where a message ends.

``FAMILIES`` is the only place that names them.  They are tried in this order: rpcx before all that
speak HTTP, since its first words may look like HTTP.
"""

from typing import Final

from ..family import Entry
from .dubbo.answers import DUBBO
from .dubbo.signs import WRAPPERS as DUBBO_WRAPPERS
from .dubbo.signs import nearly as dubbo_nearly
from .grpc.answers import GRPC
from .grpc.contents import reads as grpc_reads
from .http.answers import HTTP
from .http.contents import reads as http_reads
from .http.contents import reads_rest as http_reads_rest
from .http.signs import WRAPPERS as HTTP_WRAPPERS
from .motan.answers import MOTAN
from .motan.signs import WRAPPERS as MOTAN_WRAPPERS
from .rpcx.answers import RPCX
from .rpcx.signs import WRAPPERS as RPCX_WRAPPERS
from .thrift.answers import THRIFT
from .thrift.signs import PLAINS, SIGNS, WRAPPERS, nearly

__all__ = ["FAMILIES"]

FAMILIES: Final[list[Entry]] = [
    Entry(RPCX, wrappers=RPCX_WRAPPERS),
    Entry(THRIFT, SIGNS, WRAPPERS, nearly, plains=PLAINS),
    Entry(DUBBO, wrappers=DUBBO_WRAPPERS, nearly=dubbo_nearly),
    Entry(MOTAN, wrappers=MOTAN_WRAPPERS),
    Entry(GRPC, reads=grpc_reads),
    Entry(HTTP, wrappers=HTTP_WRAPPERS, reads=http_reads, reads_rest=http_reads_rest),
]
