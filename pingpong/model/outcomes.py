"""How a call ended."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["Outcome"]


class Outcome(IntEnum):
    """How an Exchange ended.

    ``failed`` are those where the caller did not get what the method returns; ``unclear`` those of
    which the capture does not tell: its end, a loss, or bytes that could not be read are in the
    way.  The rest went well.
    """

    SUCCESS = 0
    DECLARED_EXCEPTION = 1  # one that the IDL names: field n of the result
    APPLICATION_EXCEPTION = 2  # the server's own: TApplicationException
    ONEWAY = 3  # no reply was asked for; or none is ever given, and it was sent as CALL
    NO_REPLY = 4  # none came, and nothing tells why
    NO_CALL = 5  # the capture has the reply alone
    UNREADABLE = 6  # what the server sent cannot be read
    WAITING = 7  # the capture ended before anything else did
    CLOSED_BY_SERVER = 8  # it closed and did not answer: so does a handler that crashed
    CLOSED_BY_CLIENT = 9  # it gave up and closed
    RESET_BY_SERVER = 10
    RESET_BY_CLIENT = 11
    LOST = 12  # bytes that the capture lost are where the reply would be
    LATE = 13  # it came when the client had given up: had closed, or sent its next call
    OUT_OF_SEQUENCE = 14  # the client took the late reply to an earlier call for this one's

    @property
    def failed(self) -> bool:
        return self in _FAILED

    @property
    def unclear(self) -> bool:
        return self in _UNCLEAR


_UNCLEAR: Final = frozenset(
    {Outcome.NO_CALL, Outcome.UNREADABLE, Outcome.WAITING, Outcome.LOST, Outcome.NO_REPLY}
)

_FAILED: Final = frozenset(Outcome) - _UNCLEAR - {Outcome.SUCCESS, Outcome.ONEWAY}
