"""What Dubbo's messages say about a call.

REPLY        status 20, OK: then the body says whether the method returned or threw
EXCEPTION    any other status: Dubbo itself says what went wrong
"""

from __future__ import annotations

from typing import Final

from ....errors import DecodeError
from ....model import Error, Family, Message, MessageType, Outcome, Span, TType, Value
from .heads import ERRORS, STATUSES, DubboHead, read_result, split

__all__ = ["DUBBO", "Dubbo"]


class Dubbo(Family):
    """Dubbo 2."""

    name = "dubbo"
    title = "Dubbo"
    error_title = "a Dubbo error"

    def outcome(self, reply: Message) -> Outcome:
        if reply.type is MessageType.EXCEPTION:
            return Outcome.APPLICATION_EXCEPTION
        try:
            head = DubboHead(reply.data)
            result, _ = read_result(reply.data, head.serialization, reply.stop)
        except DecodeError:
            return Outcome.UNREADABLE
        if result < 0:
            return Outcome.UNREADABLE  # the body would say it, but it cannot be read here
        return Outcome.DECLARED_EXCEPTION if result in ERRORS else Outcome.SUCCESS

    def error(self, exception: Message) -> Error:
        try:
            status = DubboHead(exception.data).status
        except DecodeError:
            return Error("", None, None, None)
        fields = exception.fields
        kind = Value(TType.INT, status, Span(3, 4))
        return Error(STATUSES.get(status, ""), status, kind, fields[0].value if fields else None)

    def parts(self, method: str) -> tuple[str, str]:
        return split(method)


DUBBO: Final = Dubbo()
