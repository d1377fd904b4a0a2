"""How a call ended."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["Outcome"]


class Outcome(IntEnum):
    """How an Exchange ended.

    ``failed`` are those in which the caller did not get what the method returns; ``unclear`` those
    that the capture cannot tell: its end, a loss, or unreadable bytes are in the way.  The rest
    went well.
    """

    SUCCESS = 0
    DECLARED_EXCEPTION = 1  # one that the IDL names: field n of the result
    APPLICATION_EXCEPTION = 2  # the server's own: TApplicationException
    ONEWAY = 3  # no reply was asked for; or it was sent as CALL, but none is ever given
    NO_REPLY = 4  # none came, and nothing says why
    NO_CALL = 5  # the capture has only the reply
    UNREADABLE = 6  # what the server sent cannot be read
    WAITING = 7  # the capture ended before anything else did
    CLOSED_BY_SERVER = 8  # it closed without an answer, as if a handler crashed
    CLOSED_BY_CLIENT = 9  # it gave up and closed
    RESET_BY_SERVER = 10
    RESET_BY_CLIENT = 11
    LOST = 12  # the capture lost bytes where the reply would be
    LATE = 13  # the client had given up: it had closed, or sent its next call
    OUT_OF_SEQUENCE = 14  # the client took the late reply to an earlier call for this one's

    @property
    def failed(self) -> bool:
        """Whether the caller did not get what the method returns."""
        return self in _FAILED

    @property
    def unclear(self) -> bool:
        """Whether the capture cannot tell how the call ended."""
        return self in _UNCLEAR


_UNCLEAR: Final = frozenset(
    {Outcome.NO_CALL, Outcome.UNREADABLE, Outcome.WAITING, Outcome.LOST, Outcome.NO_REPLY}
)

_FAILED: Final = frozenset(Outcome) - _UNCLEAR - {Outcome.SUCCESS, Outcome.ONEWAY}
