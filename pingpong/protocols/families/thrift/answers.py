"""What Thrift's messages say about a call, in whatever encoding.

    REPLY      field 0: the result; field n: the n-th declared exception; none: void
    EXCEPTION  the server's own: 1 is its text, 2 its kind (lib/py/src/Thrift.py)

Where an encoding writes names instead of ids, they are "success", "message" and "type".
"""

from __future__ import annotations

from typing import Final

from ....model import (
    NO_FIELD,
    NO_ID,
    NOT_TOLD,
    Error,
    Family,
    Field,
    Message,
    MessageType,
    Outcome,
    Protocol,
)
from ...encodings.binary import BINARY

__all__ = ["APPLICATION_ERRORS", "THRIFT", "UPGRADES", "Thrift"]

# Methods by which tracing systems ask whether the other end takes headers before messages:
# Finagle's, and those of thriftpy2.contrib.tracking.  Their replies are no results.
UPGRADES: Final = frozenset(
    {
        "__can__finagle__trace__v3__",
        "__thriftpy_tracing_method_name__v2",
        "__thriftpy_tracing_method_name__",
    }
)

# What field 2 of a TApplicationException says (lib/py/src/Thrift.py).
APPLICATION_ERRORS: Final = (
    "UNKNOWN",
    "UNKNOWN_METHOD",
    "INVALID_MESSAGE_TYPE",
    "WRONG_METHOD_NAME",
    "BAD_SEQUENCE_ID",
    "MISSING_RESULT",
    "INTERNAL_ERROR",
    "PROTOCOL_ERROR",
    "INVALID_TRANSFORM",
    "INVALID_PROTOCOL",
    "UNSUPPORTED_CLIENT_TYPE",
)


class Thrift(Family):
    """Thrift, in every encoding and transport."""

    name = "thrift"
    title = "Thrift"
    goes_by_http = True
    timeouts_in = "in TSocket (set_timeout in thriftpy2 and setTimeout in Apache's, in ms)"
    undeclared = "in a way that the IDL does not declare"
    exception_advice = "Declare the exception in the IDL (throws), so that the client learns of it."
    error_title = "a TApplicationException"

    @property
    def usual(self) -> Protocol:
        return BINARY

    def outcome(self, reply: Message) -> Outcome:
        # An upgrade is not a call of the service.  A server that does not know it says so, and
        # everything goes on without it.
        is_upgrade = reply.method in UPGRADES
        if reply.type is MessageType.EXCEPTION:
            return Outcome.SUCCESS if is_upgrade else Outcome.APPLICATION_EXCEPTION
        first = reply.first_field
        if first == 0 or first == NO_FIELD:
            return Outcome.SUCCESS
        if first == NOT_TOLD:
            body = reply.body
            if not body.fields:
                return Outcome.UNREADABLE if body.stop is None else Outcome.SUCCESS
            if self.is_result(body.fields[0]):
                return Outcome.SUCCESS
        return Outcome.SUCCESS if is_upgrade else Outcome.DECLARED_EXCEPTION

    def error(self, exception: Message) -> Error:
        text = kind = None
        for field in exception.body.fields:
            if text is None and (field.field_id == 1 or field.name == "message"):
                text = field.value
            elif kind is None and (field.field_id == 2 or field.name == "type"):
                kind = field.value
        number = None if kind is None else kind.content
        if isinstance(number, bool) or not isinstance(number, int):
            return Error("", None, kind, text)
        return Error(_error_name(number), number, kind, text)

    def kind_at(self, exception: Message) -> int:
        error = self.error(exception)
        return error.kind.span.start if error.name and error.kind is not None else -1

    def is_upgrade(self, method: str) -> bool:
        return method in UPGRADES

    def is_result(self, field: Field) -> bool:
        return field.field_id == 0 or (field.field_id == NO_ID and field.name == "success")

    def numbered(self, path: tuple[int, ...], number: int) -> tuple[str, str]:
        name = _error_name(number) if path == (2,) else ""
        return (name, "TApplicationException's own type.") if name else ("", "")


def _error_name(number: int) -> str:
    """What a TApplicationException's type is called, "" if it has no name."""
    return APPLICATION_ERRORS[number] if 0 <= number < len(APPLICATION_ERRORS) else ""


THRIFT: Final = Thrift()
