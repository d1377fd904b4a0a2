"""What gRPC's messages say about a call (grpc/doc/PROTOCOL-HTTP2.md, statuscodes.md).

REPLY        grpc-status 0, or Connect's 200
EXCEPTION    any other status: from the trailers, or from HTTP's status if they have none
"""

from __future__ import annotations

from typing import Final

from ....model import Error, Family, Message, MessageType, Outcome, Span, TType, Value
from ...framings.contents import Kept

__all__ = ["CODES", "GRPC", "STATUSES", "Grpc", "split_path", "status_name"]

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

# connectrpc.com/docs/protocol: codes are written in words.
CODES: Final = {name.lower(): number for number, name in enumerate(STATUSES)}
CODES["canceled"] = 1


def status_name(code: int) -> str:
    """Return the name of a status; "" if it has none."""
    return STATUSES[code] if 0 <= code < len(STATUSES) else ""


def split_path(path: str) -> tuple[str, str]:
    """Split a path into the service and the method.

    >>> split_path("/shop.Orders/Get")
    ('shop.Orders', 'Get')
    """
    service, slash, method = path.rpartition("/")
    if not slash or not path.startswith("/"):
        return "", path
    return service[1:], method


# PROTOCOL-HTTP2.md, Timeout: at most 8 digits and a unit.  Connect has milliseconds, and 10 digits.
_UNITS: Final = {
    "H": 3_600_000_000_000,
    "M": 60_000_000_000,
    "S": 1_000_000_000,
    "m": 1_000_000,
    "u": 1_000,
    "n": 1,
}
_MOST_DIGITS: Final = 10


def timeout(text: str) -> int:
    """Return a grpc-timeout in nanoseconds; -1 if it is malformed.

    >>> timeout("250m"), timeout("1S"), timeout("soon")
    (250000000, 1000000000, -1)
    """
    digits, unit = text[:-1], text[-1:]
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    return int(digits) * _UNITS[unit] if is_number and unit in _UNITS else -1


class Grpc(Family):
    """gRPC, in whatever kind of HTTP carries it."""

    name = "grpc"
    title = "gRPC"
    has_statuses = True
    error_title = "a gRPC status"
    has_results = False
    overdue = "DEADLINE_EXCEEDED"
    timeouts_in = (
        "with each call, as its deadline (timeout= in Python, a context in Go, withDeadlineAfter "
        "in Java, deadline in Node)"
    )
    undeclared = "and gave no status of its own"
    exception_advice = (
        "Let the handler end with a status that says what is wrong (context.abort in Python, "
        "status.Error in Go, StatusRuntimeException in Java), so that the client learns of it."
    )

    def outcome(self, reply: Message) -> Outcome:
        kept = reply.kept
        if isinstance(kept, Kept) and not kept.ending.is_known:
            return Outcome.UNREADABLE
        is_error = reply.type is MessageType.EXCEPTION
        return Outcome.APPLICATION_EXCEPTION if is_error else Outcome.SUCCESS

    def error(self, exception: Message) -> Error:
        kept = exception.kept
        if not isinstance(kept, Kept):
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

    def kind_at(self, exception: Message) -> int:
        """Where the code is in Connect's error, which is the body."""
        kept = exception.kept
        if not isinstance(kept, Kept) or kept.ending.code is None:
            return -1
        for field in exception.fields:
            word = field.value.content
            if field.name == "code" and isinstance(word, str) and word in CODES:
                return field.value.span.start
        return -1

    def parts(self, method: str) -> tuple[str, str]:
        return split_path(method)

    def patience(self, call: Message) -> int:
        for one in call.metadata:
            if one.value is None or one.name is None:
                continue
            name = one.name.lower()  # HTTP/1 has them as their writers like
            if name == "grpc-timeout":
                return timeout(one.value)
            if name == "connect-timeout-ms":
                return timeout(f"{one.value}m")
        return -1


GRPC: Final = Grpc()
