"""What carries gRPC's messages, and what others have to know about it."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import Definitions, Message
from ...framings.carriers import HttpCarrier
from .answers import GRPC

__all__ = ["CONNECT", "GRPC_CARRIER", "GRPC_OLD", "GRPC_WEB", "TRIPLE", "TRIPLE_UNARY"]


@mypyc_attr(native_class=False)
class _OverHttp(HttpCarrier):
    __slots__ = ()

    family = GRPC
    teaches = True

    def learn(self, message: Message, known: object) -> object:
        from .reflection import learn

        return learn(message, known if isinstance(known, Definitions) else None)


@mypyc_attr(native_class=False)
class _OverHttp2(_OverHttp):
    __slots__ = ()

    around = "HTTP/2"
    is_woven = True


GRPC_CARRIER: Final = _OverHttp2("grpc")
# gRPC's type in HTTP/1, over which it does not run: what its servers say no with, and proxies.
GRPC_OLD: Final = _OverHttp("grpc")
GRPC_WEB: Final = _OverHttp("grpc-web")
CONNECT: Final = _OverHttp("connect")
TRIPLE: Final = _OverHttp2("triple")
# As JavaScript's servers speak it: the body is the message, as in Connect.
TRIPLE_UNARY: Final = _OverHttp("triple")
