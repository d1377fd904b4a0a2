"""What HTTP says about a request: its status (RFC 9110, 15).

REPLY        below 400
EXCEPTION    400 and more
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from ....model import Error, Family, Message, MessageType, Outcome, Span, TType, Value
from ...framings.contents import Kept

__all__ = ["HTTP", "Http", "phrase"]


def phrase(status: int) -> str:
    """Return the name of a status; "" if it has none.

    >>> phrase(404)
    'Not Found'
    """
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


class Http(Family):
    """HTTP whose content no other family reads."""

    name = "http"
    title = "HTTP"
    has_statuses = True
    is_http = True
    error_title = "an HTTP error"
    has_results = False

    def outcome(self, reply: Message) -> Outcome:
        kept = reply.kept
        if isinstance(kept, Kept) and not kept.ending.is_known:
            return Outcome.UNREADABLE
        is_error = reply.type is MessageType.EXCEPTION
        return Outcome.APPLICATION_EXCEPTION if is_error else Outcome.SUCCESS

    def error(self, exception: Message) -> Error:
        kept = exception.kept
        if not isinstance(kept, Kept) or kept.ending.code is None:
            return Error("", None, None, None)
        code = kept.ending.code
        at = exception.start
        kind = Value(TType.INT, code, Span(at, at))
        return Error(f"HTTP {code} {phrase(code)}".rstrip(), code, kind, None)

    def parts(self, method: str) -> tuple[str, str]:
        return "", method


HTTP: Final = Http()
