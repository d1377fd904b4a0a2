"""What gRPC's messages say of a call (grpc/doc/PROTOCOL-HTTP2.md, statuscodes.md).

REPLY        grpc-status 0, or Connect's 200
EXCEPTION    any other status: from the trailers, or from HTTP's status where there is none
"""

from __future__ import annotations

from typing import Final

from ....model import Error, Family, Message, MessageType, Outcome, Span, TType, Value
from ...framings.http2 import Heads

__all__ = ["GRPC", "STATUSES", "Grpc", "split_path", "status_name"]

# doc/statuscodes.md, by number.
STATUSES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)


def status_name(code: int) -> str:
    """A status by its number, "" if there is none."""
    return STATUSES[code] if 0 <= code < len(STATUSES) else ""


def split_path(path: str) -> tuple[str, str]:
    """The service and the method of a path.

    >>> split_path("/shop.Orders/Get")
    ('shop.Orders', 'Get')
    """
    service, slash, method = path.rpartition("/")
    if not slash or not path.startswith("/"):
        return "", path
    return service[1:], method


class Grpc(Family):
    """gRPC, in whatever HTTP carries it."""

    name = "grpc"
    error_title = "a gRPC status"
    has_results = False

    def outcome(self, reply: Message) -> Outcome:
        kept = reply.kept
        if isinstance(kept, Heads) and not kept.ending.is_known:
            return Outcome.UNREADABLE
        is_error = reply.type is MessageType.EXCEPTION
        return Outcome.APPLICATION_EXCEPTION if is_error else Outcome.SUCCESS

    def error(self, exception: Message) -> Error:
        kept = exception.kept
        if not isinstance(kept, Heads):
            return Error("", None, None, None)
        ending = kept.ending
        text = kind = None
        at = exception.start
        if ending.text:
            text = Value(TType.TEXT, ending.text, Span(at, at))
            text.redacted = kept.is_redacted
        if ending.code is not None:
            kind = Value(TType.INT, ending.code, Span(at, at))
        return Error(ending.name, ending.code, kind, text)

    def parts(self, method: str) -> tuple[str, str]:
        return split_path(method)


GRPC: Final = Grpc()
