"""What Dubbo's messages say about a call.

REPLY        status 20, OK: then the body says whether the method returned or threw; if its
             serialization is not read here, OK is all that is known, and taken for it
EXCEPTION    any other status: Dubbo itself says what went wrong
"""

from __future__ import annotations

from typing import Final

from ....errors import DecodeError
from ....model import Error, Family, Message, MessageType, Outcome, Span, TType, Value
from ...framings.headed_carriers import milliseconds
from .heads import ERRORS, READ, STATUSES, DubboHead, read_result, split, written

__all__ = ["DUBBO", "Dubbo"]


class Dubbo(Family):
    """Dubbo 2."""

    name = "dubbo"
    title = "Dubbo"
    error_title = "a Dubbo error"
    thrown_title = "an exception that the handler threw"
    has_idl = False
    answers_failures = True
    timeouts_in = (
        "as timeout of the reference or of one of its methods (@DubboReference, dubbo:reference, "
        "dubbo:method; client.WithClientRequestTimeout in Go)"
    )
    usual_wait = 1_000_000_000
    usual_waiter = "Dubbo's consumers in Java"
    patience_doubt = (
        "It is the reference's timeout that a call says: a method with one of its own may have "
        "waited longer, or less."
    )

    def outcome(self, reply: Message) -> Outcome:
        if reply.type is MessageType.EXCEPTION:
            return Outcome.APPLICATION_EXCEPTION
        try:
            head = DubboHead(reply.data)
            result, _ = read_result(reply.data, head.serialization, reply.stop)
        except DecodeError:
            return Outcome.UNREADABLE
        return Outcome.DECLARED_EXCEPTION if result in ERRORS else Outcome.SUCCESS

    def error(self, exception: Message) -> Error:
        try:
            status = DubboHead(exception.data).status
        except DecodeError:
            return Error("", None, None, None)
        fields = exception.fields
        kind = Value(TType.INT, status, Span(3, 4))
        return Error(STATUSES.get(status, ""), status, kind, fields[0].value if fields else None)

    def unread(self, message: Message) -> str:
        try:
            kind = DubboHead(message.data).serialization
        except DecodeError:
            return ""
        return "" if kind in READ else written(kind)

    def parts(self, method: str) -> tuple[str, str]:
        return split(method)

    def patience(self, call: Message) -> int:
        """What the attachments say, which is the reference's timeout: a method may have another."""
        for one in call.metadata:
            if one.name == "timeout":
                return milliseconds(one.value)
        return -1


DUBBO: Final = Dubbo()
