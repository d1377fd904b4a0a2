"""What the rules look at: a connection that has ended, and what is known of its server.

    a connection's messages ─▶ Case    calls, answers, what waits; with the Flow, who closed when
    a server's connections  ─▶ Known   in which dialects it answers, whose calls, how large

Both are small, however long the connection: no message is kept.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..model import Endpoint, Flow, Half, Message
from .numbers import Reading
from .roles import counted
from .verdict import Dialect, sized, unbraced

__all__ = [
    "MAX_PENDING",
    "NOTHING_KNOWN",
    "PIPELINED",
    "Case",
    "Failure",
    "Known",
    "Said",
    "Tally",
    "dialect_of",
    "said_in",
    "shown",
]

# Calls without an answer that are remembered of a connection: the last so many.
MAX_PENDING: Final = 64
# Methods that are remembered of a server.
MAX_NAMES: Final = 256

# Calls that follow each other faster were sent without waiting for answers, by a client that
# means to; no timeout is that short.
PIPELINED: Final = 10_000_000


class Said(NamedTuple):
    """What is kept of a message."""

    number: int
    method: str
    seqid: int
    time: int
    end_time: int
    size: int
    dialect: Dialect

    def __str__(self) -> str:
        return f"{shown(self.method)}, {sized(self.size)} (message {self.number})"


def said_in(message: Message) -> Said:
    return Said(
        message.number,
        message.method,
        message.seqid,
        message.time,
        message.end_time,
        message.size,
        Dialect(message.protocol.name, message.transport),
    )


class Failure(NamedTuple):
    """A TApplicationException: to which call, its type by name, its text."""

    call: Said
    type: str
    text: str
    replied: str  # the method that the reply names


class Tally:
    """Counts of calls, which add up over connections."""

    __slots__ = ("answered", "calls", "declared", "failed", "oneway", "replies")

    def __init__(self) -> None:
        self.calls = 0  # that want an answer
        self.oneway = 0
        self.answered = 0
        self.declared = 0  # … by an exception of the IDL
        self.failed = 0  # … by the server's own
        self.replies = 0  # whose call was not captured

    def add(self, other: Tally) -> None:
        self.calls += other.calls
        self.oneway += other.oneway
        self.answered += other.answered
        self.declared += other.declared
        self.failed += other.failed
        self.replies += other.replies


class Case:
    """A connection as the rules see it: its Flow, and what its messages came to.

    ``first`` and ``last_call`` are calls; ``open`` those that nothing answered, the oldest
    first; ``last_reply`` is when the last answer ended, -1 without one, and ``last_answered``
    its call, with that; ``largest`` the size of the largest call that was answered.
    ``failures`` counts the server's own exceptions, with an example of each type.  ``late``
    is a call, another that was sent while it waited, and when its answer came;
    ``after_late``: calls were sent after that.
    """

    __slots__ = (
        *("after_late", "failures", "first", "flow", "largest", "last_answered"),
        *("last_call", "last_reply", "late", "open", "tally"),
    )

    def __init__(self) -> None:
        self.flow = _NO_FLOW
        self.tally = Tally()
        self.first: Said | None = None
        self.last_call: Said | None = None
        self.open: dict[int, Said] = {}
        self.last_reply = -1
        self.last_answered: tuple[Said, int] | None = None
        self.largest = 0
        self.failures: dict[str, tuple[int, Failure]] = {}
        self.late: tuple[Said, Said, int] | None = None
        self.after_late = False

    # ── Who did what ─────────────────────────────────────────────────────────────────

    @property
    def client_end(self) -> int:
        """When the client closed or reset; -1 if it did not."""
        return end_of(self.flow.from_client)

    @property
    def server_end(self) -> int:
        return end_of(self.flow.from_server)

    @property
    def closed_by_server(self) -> bool:
        """Did the server close, or reset, before the client did?"""
        mine, other = self.server_end, self.client_end
        return mine >= 0 and (other < 0 or mine <= other)

    @property
    def closed_by_client(self) -> bool:
        return self.client_end >= 0 and not self.closed_by_server

    @property
    def left_bytes_unread(self) -> bool:
        """Did the server reset without a FIN, while the client waited?  A kernel does so when a
        program closes before it has read all that came."""
        server = self.flow.from_server
        return self.closed_by_server and server.rst >= 0 and server.fin < 0

    @property
    def client(self) -> Dialect | None:
        """What the client speaks; None if it is no Thrift."""
        return dialect_of(self.flow.from_client)

    @property
    def server(self) -> Dialect | None:
        return dialect_of(self.flow.from_server)

    @property
    def is_thrift(self) -> bool:
        return self.first is not None or self.client is not None or self.server is not None

    @property
    def waiting(self) -> list[Said]:
        """The calls that still waited at the end.  Those before an answered one do not: they
        are oneway methods that an old library sent as CALL, or their answer was lost."""
        return [call for call in self.open.values() if call.time >= self.last_reply]

    @property
    def is_whole(self) -> bool:
        """Is all of it in the capture?  Else an answer may be what is missing."""
        return self.flow.opened and not self.flow.lost


_NO_FLOW: Final = Flow(0, 6, Endpoint("0.0.0.0", 0), Endpoint("0.0.0.0", 0))


def end_of(half: Half) -> int:
    times = [time for time in (half.fin, half.rst) if time >= 0]
    return min(times, default=-1)


def dialect_of(half: Half) -> Dialect | None:
    seen = half.detection
    if seen is None or seen.transport is None:
        return None
    return Dialect("" if seen.protocol is None else seen.protocol.name, seen.transport)


class Known:
    """What the connections of a server told of it.

    ``answered`` counts the calls that it answered, by dialect and whether they named a
    service (multiplexed); ``flows`` has a connection of each.  ``skipped`` are methods of
    which it left a CALL unanswered and answered later ones: oneway, most likely.  ``foreign``
    is what it begins with on another connection that is no Thrift.
    """

    __slots__ = ("answered", "flows", "foreign", "largest", "methods", "skipped", "told")

    def __init__(self) -> None:
        self.answered: dict[tuple[Dialect, bool], int] = {}
        self.flows: dict[tuple[Dialect, bool], int] = {}
        self.methods: set[str] = set()
        self.skipped: set[str] = set()
        self.largest = 0
        self.told = False  # the user says that Thrift is spoken there
        self.foreign: tuple[Reading, int] | None = None

    def answer(self, call: Said, flow: int) -> None:
        """It has answered that call."""
        key = (call.dialect, ":" in call.method)
        self.answered[key] = self.answered.get(key, 0) + 1
        self.flows.setdefault(key, flow)
        if len(self.methods) < MAX_NAMES:
            self.methods.add(call.method)

    def skip(self, method: str) -> None:
        """It has answered a later call than one of that method."""
        if len(self.skipped) < MAX_NAMES:
            self.skipped.add(method)

    def answers(self, dialect: Dialect) -> bool:
        return any(one == dialect for one, _ in self.answered)

    @property
    def takes_any(self) -> bool:
        """Does it answer in more than one transport, as THeader servers do?  Then an unusual one
        is no sign of trouble."""
        transports = {dialect.transport for dialect, _ in self.answered}
        return len(transports) > 1 or "theader" in transports

    @property
    def usual(self) -> Dialect | None:
        """The dialect of most calls that it answered; None if it answered none."""
        if not self.answered:
            return None
        return max(self.answered, key=lambda one: self.answered[one])[0]

    def words(self, dialect: Dialect) -> str:
        """``this server answered 12 calls in framed binary (connection 3 for one)``."""
        found = [one for one in self.answered if one[0] == dialect]
        count = sum(self.answered[one] for one in found)
        if not count:
            return ""
        return (
            f"this server answered {counted(count, 'call')} in {dialect} "
            f"(connection {self.flows[found[0]]} for one)"
        )


NOTHING_KNOWN: Final = Known()


def shown(method: str) -> str:
    """A method's name, short enough to be read."""
    return unbraced(method if len(method) <= 60 else method[:59] + "…") or "(no name)"
