"""What Thrift's messages say about a call, in whatever encoding.

    REPLY      field 0: the result; field n: the n-th declared exception; none: void
    EXCEPTION  the server's own: 1 is its text, 2 its kind (lib/py/src/Thrift.py)

Where an encoding writes names instead of ids, they are "success", "message" and "type".
"""

from __future__ import annotations

from typing import Final

from ....model import (
    APPLICATION_ERRORS,
    NO_FIELD,
    NOT_TOLD,
    UPGRADES,
    Error,
    Family,
    Message,
    MessageType,
    Outcome,
)

__all__ = ["THRIFT", "Thrift"]


class Thrift(Family):
    """Thrift, in every encoding and transport."""

    name = "thrift"
    title = "Thrift"
    timeouts_in = "in TSocket (set_timeout in thriftpy2 and setTimeout in Apache's, in ms)"
    undeclared = "in a way that the IDL does not declare"
    exception_advice = "Declare the exception in the IDL (throws), so that the client learns of it."
    error_title = "a TApplicationException"

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
            if body.fields[0].is_result:
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
        is_known = 0 <= number < len(APPLICATION_ERRORS)
        return Error(APPLICATION_ERRORS[number] if is_known else "", number, kind, text)

    def is_upgrade(self, method: str) -> bool:
        return method in UPGRADES


THRIFT: Final = Thrift()
