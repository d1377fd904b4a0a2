"""What Motan's messages say about a call.

Motan 2   EXCEPTION   status 1, or M_e in the metadata:
                      {"errcode": 404, "errmsg": "…", "errtype": 1}
                      errtype 0 the framework, 1 what is around the service, 2 the service's own
Motan 1   REPLY       a value, null, or what the method threw: a MotanBizException around it
          EXCEPTION   another of Motan's own exceptions
"""

from __future__ import annotations

import json
from typing import Final

from ....errors import DecodeError
from ....model import Error, Family, Message, MessageType, Outcome, Span, Struct, TType, Value
from ...framings.headed_carriers import milliseconds
from .heads import ERROR, EXCEPTION_FLAG, Motan2Head, split

__all__ = ["MOTAN", "Motan"]

# The texts in an exception of Motan's own (com.weibo.api.motan.exception).
_TEXTS: Final = ("errorMsg", "detailMessage")
_DETAILS: Final = "motanErrorMsg"
# The errtype of what the service itself threw (ExceptionUtil in Java, BizException in Go).
_OWN: Final = 2


class Motan(Family):
    """Motan, version 1 or 2."""

    name = "motan"
    title = "Motan"
    error_title = "a Motan error"
    thrown_title = "an exception that the handler threw"
    has_idl = False
    answers_failures = True
    timeouts_in = "as requestTimeout of the referer, or of one of its methods"
    usual_wait = 1_000_000_000
    usual_waiter = "Motan's clients in Go (those in Java a fifth of that)"

    def outcome(self, reply: Message) -> Outcome:
        if reply.type is MessageType.EXCEPTION:
            return Outcome.APPLICATION_EXCEPTION
        if reply.transport == "motan" and reply.data[19:20] == bytes((EXCEPTION_FLAG,)):
            return Outcome.DECLARED_EXCEPTION
        return Outcome.SUCCESS

    def error(self, exception: Message) -> Error:
        if exception.transport == "motan":
            return _thrown(exception)
        try:
            head = Motan2Head(exception.data)
        except DecodeError:
            return Error("", None, None, None)
        for key, value in head.pairs(exception.data):
            if key.of(exception.data) == ERROR.encode():
                return _said(value.of(exception.data), value, exception.kept is not None)
        return Error("", None, None, None)

    def kind_at(self, exception: Message) -> int:
        kind = _thrown(exception).kind if exception.transport == "motan" else None
        return -1 if kind is None else kind.span.start

    def parts(self, method: str) -> tuple[str, str]:
        return split(method)

    def patience(self, call: Message) -> int:
        for one in call.metadata:
            if one.name == "M_tmo":
                return milliseconds(one.value)
        return -1


def _said(raw: bytes, place: Span, is_shut: bool) -> Error:
    """Return what M_e says: JSON, or else plain text."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    words = raw.decode("utf-8", "backslashreplace")
    number = kind = is_own = None
    if isinstance(said, dict):
        words = str(said.get("errmsg", ""))
        code = said.get("errcode")
        if isinstance(code, int) and not isinstance(code, bool):
            number = code
            kind = Value(TType.INT, code, place)
        if said.get("errtype") in (0, 1, 2):
            is_own = said["errtype"] == _OWN
    text = Value(TType.TEXT, words, place)
    text.redacted = is_shut
    return Error("", number, kind, text, is_own)


def _thrown(exception: Message) -> Error:
    """Return what an exception object of Motan 1 says."""
    fields = exception.fields
    if not fields or not isinstance(fields[0].value.content, Struct):
        return Error("", None, None, None)
    name = fields[0].value.label.rpartition(".")[2]
    text = kind = number = None
    for field in fields[0].value.content.fields:
        value = field.value
        if text is None and field.name in _TEXTS and isinstance(value.content, str):
            text = value
        if field.name == _DETAILS and isinstance(value.content, Struct):
            for inner in value.content.fields:
                if inner.name == "errorcode" and isinstance(inner.value.content, int):
                    kind, number = inner.value, inner.value.content
    return Error(name, number, kind, text)


MOTAN: Final = Motan()
