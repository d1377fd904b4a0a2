"""rpcx: what its servers say of a call that they do not make.

There is a status, 1, and a text.  What the library writes begins in ways of its own
(server/server_dispatch.go, server/service.go, server/server.go); every other text is one that a
handler returned as its error.  A handler may return what a server that it called has said, in the
same words: so the names in them have to be the call's.
"""

from __future__ import annotations

import re
from typing import Final

from ...model import Outcome, Severity
from ...protocols.families.rpcx.answers import RPCX
from ..evidence import ApplicationException, Case, shown
from ..verdict import Kind, Verdict, unbraced
from .refusals import (
    behind,
    by_the_service,
    handler_failed,
    no_such_method,
    no_such_service,
    other_serialization,
)

__all__ = ["RPCX_WORDS", "of_rpcx"]

_NO_SERVICE: Final = re.compile(r"rpcx: can't find service ?(.{0,1000})\Z", re.S)
_NO_METHOD: Final = re.compile(r"rpcx: can't find method ?(.{0,1000})\Z", re.S)
_CODEC: Final = re.compile(r"can not find codec for (\d{1,3})\Z")
_PANIC: Final = re.compile(r"\[service internal error\]: ")
_RATE: Final = "request reached rate limit"
_DEADLINE: Final = "context deadline exceeded"

_SERVICE_ADVICE: Final = (
    "Compare the service path of the client with the name that the server registers (Register "
    "takes "
    "the type's name, RegisterName another); case counts. If the name is right, another server "
    "listens there."
)
_CODEC_ADVICE: Final = (
    "Use a serialization on the client that the server has (SerializeType: JSON, protobuf, "
    "msgpack, "
    "thrift), or register a codec of your own on both sides (share.RegisterCodec)."
)


def of_rpcx(case: Case, one: ApplicationException, evidence: list[str]) -> Verdict:
    """What an rpcx server says in __rpcx_error__."""
    text = one.text
    called = one.call.method
    service, own = RPCX.parts(called)
    found = _NO_SERVICE.match(text)
    if found is not None:
        named = found[1].strip() or service
        if called and named != called and not called.startswith(f"{named}."):
            return behind(case, one, evidence, named)
        return no_such_service(case, one, evidence, named, None, _SERVICE_ADVICE)
    found = _NO_METHOD.match(text)
    if found is not None:
        named = found[1].strip() or own
        if called and named != called and not called.endswith(f".{named}"):
            return behind(case, one, evidence, named)
        return no_such_method(case, one, evidence, named, service)
    found = _CODEC.match(text)
    if found is not None:
        spoken = one.call.dialect.protocol
        if spoken is not None and RPCX.encoding(int(found[1])) is not spoken:
            return behind(case, one, evidence, f"the serialization number {found[1]}")
        title = spoken.title if spoken is not None and spoken.classes else "a serialization"
        sent = f"{unbraced(title)} (number {found[1]})"
        return other_serialization(case, one, evidence, sent, _CODEC_ADVICE)
    if _PANIC.match(text):
        return handler_failed(case, one, evidence)
    if text == _RATE:
        return Verdict(
            case.flow,
            Kind.OVERLOADED,
            Severity.ERROR,
            f"The server lets only so many calls through in a time, and did not begin "
            f"{shown(one.call.method)}: “{_RATE}”. It may be sent again later.",
            evidence=evidence,
            advice="Send fewer, or raise the limit of the server's plugin "
            "(serverplugin.RateLimitingPlugin, ReqRateLimitingPlugin).",
            alike=(case.flow.server, one.call.method, "rate"),
            covers=(Outcome.APPLICATION_EXCEPTION,),
        )
    if text == _DEADLINE:
        return Verdict(
            case.flow,
            Kind.APPLICATION_EXCEPTION,
            Severity.ERROR,
            f"The handler of {shown(one.call.method)}, or what it called, ran out of the time that "
            f"the caller gave: it answers “{_DEADLINE}”.",
            evidence=evidence,
            advice="Look at what the handler waits for; the time counts for all that is done under "
            "the same context.",
            alike=(case.flow.server, one.call.method, "deadline"),
            covers=(Outcome.APPLICATION_EXCEPTION,),
        )
    return by_the_service(case, one, evidence)


# Who speaks so, and what is told of it.
RPCX_WORDS: Final = (RPCX, of_rpcx)
