"""Frames whose head says how long they are, who calls whom, and what the body is.

    ┌────────────────────────────────────┬────────────────────────┐
    │ magic · flags · id · length(s) …   │ names · values         │      rpcx, Dubbo, Motan
    └────────────────────────────────────┴────────────────────────┘

A family says how long a frame is and what is in it.  The reply to a call often has no method of its
own: it is found by its id in what the other direction asked.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from ...errors import DecodeError, LimitExceeded
from ...model import NOWHERE, Finding, Header, Limits, MessageType, Span, Stretch
from ..framing import ProtocolAt, Transport, Unit
from ..raw import RAW
from ..unpacking import Allowance, grave, inflate

__all__ = ["MAX_ASKED", "AskedMethod", "HeadedFraming", "check_length", "event"]

# How many calls of one direction are remembered, for the replies to them.
MAX_ASKED: Final = 4096


class AskedMethod:
    """What a call asked for, as far as the reply needs it: its method.

    ``version`` is that of the protocol that it spoke, "" if that does not matter.
    """

    __slots__ = ("method", "version")

    def __init__(self, method: str, version: str = "") -> None:
        self.method = method
        self.version = version


def check_length(length: int, at: int, least: int, limits: Limits) -> None:
    """Raise DecodeError for a length, in 4 bytes at ``at``, that no frame has."""
    if length < least:
        wanted = f"{least} or more"
        raise DecodeError("frame length", at, found=str(length), wanted=wanted, size=4)
    if length > limits.frame:
        raise LimitExceeded("frame length", at, found=str(length), limit=limits.frame, size=4)


def event(name: str, data: bytes, seqid: int = 0) -> Unit:
    """Make a unit that belongs to the connection itself: it has no values."""
    at = len(data)
    unit = Unit(len(data), data, at, RAW)
    unit.header = Header(name, MessageType.EVENT, seqid, True, Span(at, at), Span(0, 0))
    return unit


class HeadedFraming(Transport):
    """One direction: ``asked`` are its calls, by id; ``answers`` those of the other direction."""

    def __init__(self, limits: Limits, inside: ProtocolAt) -> None:
        self.limits = limits
        self.asked: dict[int, AskedMethod] = {}
        self.answers: dict[int, AskedMethod] = {}
        self._own_allowance = Allowance(limits)

    @abstractmethod
    def size(self, buffer: bytearray, have: int) -> int:
        """Return how long the unit at the buffer's start is; 0: too few bytes are there.

        Raises DecodeError if none can begin there.
        """

    @abstractmethod
    def unit(self, data: bytes, size: int) -> Unit:
        """Make a unit of ``size`` bytes, of which ``data`` is there.

        Raises DecodeError, and Incomplete if ``data`` lacks some of what precedes its values.
        """

    def keeps_place(self, buffer: bytearray, have: int) -> bool:
        """Say whether bytes of the unit can be lost without hiding what the others are."""
        return True

    def meet(self, other: Transport) -> None:
        if isinstance(other, HeadedFraming):
            # Not the object itself: a cycle of references would never be freed.
            self.answers = other.asked

    def remember(self, seqid: int, method: str, version: str = "") -> None:
        """Remember a call."""
        self.asked.pop(seqid, None)
        if len(self.asked) >= MAX_ASKED:
            del self.asked[next(iter(self.asked))]
        self.asked[seqid] = AskedMethod(method, version)

    def draws_on(self) -> Allowance:
        """What the size of unpacked bytes is charged to."""
        return self._own_allowance if self.allowance is None else self.allowance

    def unpacked(
        self, data: bytes, start: int, size: int
    ) -> tuple[bytes, tuple[Finding, ...], tuple[Stretch, ...]]:
        """Unpack a unit of ``size`` bytes whose body, from ``start`` on, is gzip.

        Returns its bytes with the unpacked body after them, what is wrong with it, and its layout.
        """
        packed = data[start:]
        body, wrong = inflate(packed, self.draws_on(), len(packed), 31, True)
        findings: tuple[Finding, ...] = ()
        if wrong and len(data) == size:
            text = f"gzip at offset {start}: {wrong}"
            findings = (Finding(grave(wrong), text, start),)
        layout = (
            Stretch(0, start, 0, "frame"),
            Stretch(start, len(packed), start, "packed"),
            Stretch(len(data), len(body), NOWHERE, "body"),
        )
        return data + body, findings, layout

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        size = self.size(buffer, have)
        return self.unit(bytes(buffer[:size]), size) if 0 < size <= have else None

    def known_until(self, buffer: bytearray, have: int) -> int:
        return self.frame_stop(buffer, have) if self.keeps_place(buffer, have) else 0

    def frame_stop(self, buffer: bytearray, have: int) -> int:
        try:
            return self.size(buffer, have)
        except DecodeError:
            return 0

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        try:
            size = self.size(buffer, have)
            return self.unit(bytes(buffer[: min(size, have)]), size) if size else None
        except DecodeError:
            return None
