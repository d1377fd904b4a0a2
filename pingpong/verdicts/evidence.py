"""What the rules look at: a connection that has ended, and what is known of its server.

    a connection's exchanges, settled ─▶ Case    how each ended; with the Flow, who closed when
    a server's connections            ─▶ Known   in which dialects it answers, and whose calls

Both are small, however long the connection: no message is kept.  Neither pairs anything: what
became of a call is for ``exchanges.Pairing`` to say.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ..hints.magic_numbers import Reading
from ..model import (
    CUT_LOST,
    TCP,
    Endpoint,
    Exchange,
    Flow,
    Half,
    Message,
    MessageType,
    Outcome,
    Response,
    Severity,
)
from ..protocols.encodings.reading import BEGINS_INSIDE
from ..protocols.purposes import counted
from .verdict import Dialect, sized, unbraced

__all__ = [
    "BY_CLIENT",
    "BY_SERVER",
    "CLOSED",
    "MAX_EXAMPLES",
    "NOTHING_KNOWN",
    "NOT_READ",
    "UNREAD",
    "Case",
    "Ended",
    "Failure",
    "Fault",
    "Known",
    "Said",
    "Tally",
    "dialect_of",
    "said_in",
    "shown",
]

# Of exchanges that ended alike on a connection, and of faults, so many are remembered: the first,
# by number.
MAX_EXAMPLES: Final = 64
# Kinds of failures that are remembered of a connection: a method and a type of exception each.
MAX_FAILURES: Final = 64
# With these a server says that it could not read what it was sent.
UNREAD: Final = frozenset(
    {"PROTOCOL_ERROR", "INVALID_PROTOCOL", "INVALID_TRANSFORM", "INVALID_MESSAGE_TYPE"}
)
# Outcomes of calls that had no answer: by who closed or reset; and all that come about where a
# server cannot read the call.
BY_SERVER: Final = (Outcome.CLOSED_BY_SERVER, Outcome.RESET_BY_SERVER)
BY_CLIENT: Final = (Outcome.CLOSED_BY_CLIENT, Outcome.RESET_BY_CLIENT)
CLOSED: Final = (*BY_SERVER, *BY_CLIENT)
NOT_READ: Final = (*CLOSED, Outcome.WAITING, Outcome.UNREADABLE, Outcome.NO_REPLY)
# Methods that are remembered of a server.
MAX_NAMES: Final = 256


class Said(NamedTuple):
    """What is kept of a message.  ``announced`` is the size that it says it has: more than
    ``size`` where it was cut off, as ``cut`` says (see ``Message.cut``)."""

    number: int
    method: str
    seqid: int
    time: int
    end_time: int
    size: int
    announced: int
    dialect: Dialect
    cut: str = ""

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
        message.announced,
        Dialect(message.protocol, message.transport),
        message.cut,
    )


class Ended(NamedTuple):
    """What is kept of an exchange: how it ended, and when (-1: not known)."""

    number: int
    outcome: Outcome
    call: Said | None
    reply: Said | None
    time: int
    why: str
    misled_by: int
    response: Response | None

    @property
    def said(self) -> Said:
        said = self.call if self.call is not None else self.reply
        assert said is not None
        return said


class Fault(NamedTuple):
    """What is wrong with the bytes of a message: all that was found, the first fault first.
    ``cut``: its end is missing; ``lost``: the capture lost bytes of it.  ``outcome`` is that of its
    call."""

    said: Said
    by_client: bool
    texts: tuple[str, ...]
    cut: str
    outcome: Outcome
    lost: bool


class Failure(NamedTuple):
    """A TApplicationException: to which call, its type by name, its text."""

    call: Said
    type: str
    text: str
    replied: str  # the method that the reply names
    is_called: bool  # … else the call was not captured, and ``call`` is the exception


class Tally:
    """Counts of exchanges, which add up over connections."""

    __slots__ = ("answered", "calls", "declared", "failed", "oneway", "outcomes", "replies")

    def __init__(self) -> None:
        self.calls = 0  # that want an answer, as far as their type says
        self.oneway = 0
        self.answered = 0
        self.declared = 0  # … by an exception of the IDL
        self.failed = 0  # … by the server's own
        self.replies = 0  # whose call was not captured
        self.outcomes = [0] * len(Outcome)

    def add(self, other: Tally) -> None:
        self.calls += other.calls
        self.oneway += other.oneway
        self.answered += other.answered
        self.declared += other.declared
        self.failed += other.failed
        self.replies += other.replies
        for outcome, count in enumerate(other.outcomes):
            self.outcomes[outcome] += count

    @property
    def silent(self) -> int:
        """Oneway methods that were sent as CALL."""
        return self.outcomes[Outcome.ONEWAY] - self.oneway


class Case:
    """A connection as the rules see it: its Flow, and what its exchanges came to.

    ``first`` and ``last_call`` are calls; ``last_reply`` is when the last answer ended, -1 without
    one, and ``last_answered`` its call, with that; ``largest`` the size of the largest call that
    was answered; ``last_unread`` the last answer that the server could not read what it was sent.
    ``ended`` has exchanges by their outcome, by number, MAX_EXAMPLES of each at
    most (the tally counts them all).  ``failures`` counts the server's own exceptions, with an
    example of each method and type; ``declared`` those of the IDL, by method and exception.
    ``faults`` are about bytes of messages.
    """

    __slots__ = (
        *("declared", "ended", "failures", "faults", "first", "flow", "largest", "last_answered"),
        *("last_call", "last_reply", "last_unread", "tally"),
    )

    def __init__(self) -> None:
        self.flow = _NO_FLOW
        self.tally = Tally()
        self.first: Said | None = None
        self.last_call: Said | None = None
        self.last_reply = -1
        self.last_answered: tuple[Said, int] | None = None
        self.last_unread: Failure | None = None
        self.largest = 0
        self.ended: dict[Outcome, list[Ended]] = {}
        self.failures: dict[tuple[str, str], tuple[int, Failure]] = {}
        self.declared: dict[tuple[str, str], int] = {}
        self.faults: list[Fault] = []

    def add(self, exchange: Exchange) -> Said | None:
        """Take an exchange that is settled; its call, if that was answered."""
        call = None if exchange.call is None else said_in(exchange.call)
        reply = None if exchange.reply is None else said_in(exchange.reply)
        outcome = exchange.outcome
        tally = self.tally
        tally.outcomes[outcome] += 1
        ended = Ended(
            exchange.number,
            outcome,
            call,
            reply,
            exchange.ended,
            exchange.why,
            exchange.misled_by,
            None if exchange.call is None else exchange.call.response,
        )
        same = self.ended.setdefault(outcome, [])
        same.append(ended)
        if len(same) > 1 and same[-2].number > ended.number:
            same.sort()
        del same[MAX_EXAMPLES:]
        if call is not None:
            if self.first is None or call.number < self.first.number:
                self.first = call
            if self.last_call is None or call.number > self.last_call.number:
                self.last_call = call
        for message in exchange.faulty:
            if len(self.faults) < MAX_EXAMPLES:
                by_client = message is exchange.call
                texts = [one.text for one in message.faults if one.severity is Severity.ERROR]
                inside = _INSIDE.search(message.data, message.start) if message.cut else None
                if by_client and inside is not None:
                    texts.insert(1, f"{BEGINS_INSIDE} {inside.start()}, inside this one")
                said = said_in(message)
                lost = bool(message.gaps) or message.cut == CUT_LOST
                fault = Fault(said, by_client, tuple(texts[:4]), message.cut, outcome, lost)
                self.faults.append(fault)
        if reply is not None:
            self.last_reply = max(self.last_reply, reply.end_time)
        if call is None:
            tally.replies += 1
            if reply is not None and exchange.reply is not None and not exchange.misled_by:
                self._fail(exchange, exchange.reply, reply)
            return None
        if exchange.call is not None and exchange.call.type is MessageType.ONEWAY:
            tally.oneway += 1
            return None
        tally.calls += 1
        if reply is None or exchange.reply is None:
            return None
        if outcome is Outcome.WAITING:
            return None  # it has only begun
        tally.answered += 1
        self.largest = max(self.largest, call.size)
        if self.last_answered is None or reply.end_time >= self.last_answered[1]:
            self.last_answered = (call, reply.end_time)
        answer = exchange.answer
        if answer is Outcome.DECLARED_EXCEPTION:
            tally.declared += 1
            key = (call.method, exchange.exception)
            if key in self.declared or len(self.declared) < MAX_FAILURES:
                self.declared[key] = self.declared.get(key, 0) + 1
        elif answer is Outcome.APPLICATION_EXCEPTION:
            tally.failed += 1
            self._fail(exchange, exchange.reply, call)
        return call

    def _fail(self, exchange: Exchange, reply: Message, said: Said) -> None:
        """Count the server's own exception to ``said``, its call; where that was not captured, the
        exception itself."""
        if exchange.answer is not Outcome.APPLICATION_EXCEPTION:
            return
        name = exchange.exception
        key = (said.method, name)
        sample = Failure(said, name, _text_of(reply), reply.method, exchange.call is not None)
        last = self.last_unread
        if name in UNREAD and (last is None or last.call.number < said.number):
            self.last_unread = sample
        count, sample = self.failures.get(key, (0, sample))
        if count or len(self.failures) < MAX_FAILURES:
            self.failures[key] = (count + 1, sample)

    def of(self, *outcomes: Outcome) -> list[Ended]:
        """The exchanges that ended so, by number."""
        return sorted(one for outcome in outcomes for one in self.ended.get(outcome, ()))

    @property
    def amiss(self) -> set[Outcome]:
        """The outcomes with which the caller did not get what it wanted, as far as one can see."""
        return {one for one in self.ended if one.failed or one.unclear}

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
        if self.flow.structs is not None:
            return True
        return self.first is not None or self.client is not None or self.server is not None

    @property
    def unanswered(self) -> list[Ended]:
        """The calls that the end of the connection, or of the capture, found waiting."""
        return self.of(*CLOSED, Outcome.WAITING)

    @property
    def is_whole(self) -> bool:
        """Is all of it in the capture?  Else an answer may be what is missing."""
        return self.flow.opened and not self.flow.lost


# A strict binary CALL or ONEWAY, with the begin of a name.
_INSIDE: Final = re.compile(rb"\x80\x01\0[\x01\x04]\0\0\0[\x01-\x7f][\x20-\x7e]")


def _text_of(exception: Message) -> str:
    """The text of a TApplicationException."""
    for field in exception.body.fields:
        if field.field_id == 1 or field.name == "message":
            return field.value.text or ""
    return ""


_NO_FLOW: Final = Flow(0, TCP, Endpoint("0.0.0.0", 0), Endpoint("0.0.0.0", 0))


def end_of(half: Half) -> int:
    times = [time for time in (half.fin, half.rst) if time >= 0]
    return min(times, default=-1)


def dialect_of(half: Half) -> Dialect | None:
    seen = half.detection
    if seen is None or seen.transport is None:
        return None
    return Dialect(seen.protocol, seen.transport)


class Known:
    """What the connections of a server told of it.

    ``answered`` counts the calls that it answered, by dialect and whether they named a
    service (multiplexed); ``flows`` has a connection of each.  ``heard`` are the dialects in which
    it was spoken to, with a connection of each.  ``foreign`` is what it begins with on another
    connection that is no Thrift.
    """

    __slots__ = (
        *("answered", "flows", "foreign", "heard", "largest", "methods", "takes_proxy", "told"),
    )

    def __init__(self) -> None:
        self.answered: dict[tuple[Dialect, bool], int] = {}
        self.flows: dict[tuple[Dialect, bool], int] = {}
        self.methods: set[str] = set()
        self.heard: dict[Dialect, int] = {}
        self.largest = 0
        self.takes_proxy = False  # it answered behind a PROXY header
        self.told = False  # the user says that Thrift is spoken there
        self.foreign: tuple[Reading, int] | None = None

    def answer(self, call: Said, flow: int) -> None:
        """It has answered that call."""
        key = (call.dialect, ":" in call.method)
        self.answered[key] = self.answered.get(key, 0) + 1
        self.flows.setdefault(key, flow)
        if len(self.methods) < MAX_NAMES:
            self.methods.add(call.method)

    def hear(self, dialect: Dialect, flow: int) -> None:
        """It was spoken to in that dialect."""
        if len(self.heard) < MAX_NAMES:
            self.heard.setdefault(dialect, flow)

    def answers(self, dialect: Dialect) -> bool:
        return any(one == dialect for one, _ in self.answered)

    @property
    def takes_any(self) -> bool:
        """Does it answer in more than one transport, as THeader servers do?  Then an unusual one
        is no sign of trouble."""
        transports = {dialect.transport for dialect, _ in self.answered}
        return len(transports) > 1 or any(one.reads_others for one in transports)

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
