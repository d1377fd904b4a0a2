"""What rpcx's messages say about a call.

REPLY        status 0
EXCEPTION    status 1: the text is in the metadata, under ``__rpcx_error__``
"""

from __future__ import annotations

from typing import Final

from ....errors import DecodeError
from ....model import Error, Family, Message, MessageType, Outcome, Protocol, TType, Value
from ...framings.headed_carriers import milliseconds
from ...raw import RAW
from .rpcx import ENCODINGS, ERROR, RpcxHead, split

__all__ = ["RPCX", "Rpcx"]


class Rpcx(Family):
    """rpcx."""

    name = "rpcx"
    title = "rpcx"
    error_title = "an rpcx error"
    answers_failures = True
    has_results = False
    timeouts_in = "with each call, as the deadline of its context"

    def outcome(self, reply: Message) -> Outcome:
        is_error = reply.type is MessageType.EXCEPTION
        return Outcome.APPLICATION_EXCEPTION if is_error else Outcome.SUCCESS

    def error(self, exception: Message) -> Error:
        try:
            head = RpcxHead(exception.data)
        except DecodeError:
            return Error("", None, None, None)
        for key, value in head.pairs(exception.data):
            if key.of(exception.data) == ERROR.encode():
                raw = value.of(exception.data)
                text = Value(TType.TEXT, raw.decode("utf-8", "backslashreplace"), value)
                text.redacted = exception.kept is not None
                return Error("error", None, None, text)
        return Error("", None, None, None)

    def encoding(self, serialization: int) -> Protocol:
        """Return in what payloads with that number are; RAW if that is not read here."""
        return ENCODINGS.get(serialization, RAW)

    def parts(self, method: str) -> tuple[str, str]:
        return split(method)

    def patience(self, call: Message) -> int:
        for one in call.metadata:
            if one.name == "__ServerTimeout":
                return milliseconds(one.value)
        return -1


RPCX: Final = Rpcx()
