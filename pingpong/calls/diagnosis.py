"""What is wrong between clients and servers, and what to change: a verdict a connection.

    messages ──▶ Case ──────────┐                      ┌─▶ a Verdict a connection,
    a Flow that has ended ──────┼─▶ rules, in order ───┤
    what its server said to     │                      └─▶ … of many that are alike, once:
    others: Known ──────────────┘                          Diagnosis

``Diagnoser`` takes messages, and connections as they end, so that a capture of any length
fits: of a connection only its Case is kept, and of those that are alike only the first.
What other connections tell of a server may come later, so the rules are asked again at the
end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..model import APPLICATION_ERRORS, UPGRADES, Endpoint, Flow, Message, MessageType, Outcome
from .case import (
    MAX_PENDING,
    NOTHING_KNOWN,
    PIPELINED,
    Case,
    Failure,
    Known,
    Said,
    Tally,
    said_in,
)
from .exchanges import Pairing
from .numbers import Reading
from .rules import all_well, foreign_in, verdicts
from .verdict import Diagnosis, Group, Kind, Verdict

__all__ = ["Diagnoser", "Diagnosis", "Group", "Kind", "Verdict"]

# Connections that are alike are kept once.  So many that differ are kept, and beyond them
# only counts: a capture can be made to have a new kind with every packet.
MAX_ALIKE: Final = 4096
MAX_SERVERS: Final = 4096
# Numbers of connections that a Group lists.
MAX_FLOWS: Final = 20


class _Alike:
    """Connections of which the same was said: the first, the sums, and some numbers."""

    __slots__ = ("case", "count", "flows", "tally")

    def __init__(self, case: Case) -> None:
        self.case = case
        self.count = 0
        self.flows: list[int] = []
        self.tally = Tally()

    def add(self, case: Case) -> None:
        self.count += 1
        if len(self.flows) < MAX_FLOWS:
            self.flows.append(case.flow.number)
        self.tally.add(case.tally)


class Diagnoser:
    """Takes messages (``add``) and connections as they end (``end``); ``diagnosis`` at the end.

    ``ports``: the user says that Thrift is spoken there, whatever the bytes look like.
    """

    def __init__(self, ports: Iterable[int] = ()) -> None:
        self._ports = frozenset(ports)
        self._pairing = Pairing()
        self._open: dict[int, Case] = {}
        self._known: dict[Endpoint, Known] = {}
        self._foreign: dict[Endpoint, tuple[Reading, int]] = {}
        self._alike: dict[tuple[object, ...], _Alike] = {}
        self._connections = 0
        self._calls = 0
        self._any_thrift = False

    def add(self, message: Message) -> None:
        """Take the next message."""
        case = self._open.get(message.flow)
        if case is None:
            case = self._open[message.flow] = Case()
        self._any_thrift = True
        exchange = self._pairing.add(message)
        self._pairing.settled.clear()  # what became of a call is for the rules to say
        said = said_in(message)
        if message.type in (MessageType.CALL, MessageType.ONEWAY):
            self._calls += 1
            case.last_call = said
            if case.first is None:
                case.first = said
            if case.late is not None and said.time > case.late[2]:
                case.after_late = True
        else:
            case.last_reply = max(case.last_reply, said.end_time)
        if exchange.call is None:
            case.tally.replies += 1
        elif message.type is MessageType.ONEWAY:
            case.tally.oneway += 1
        elif exchange.reply is None:
            case.tally.calls += 1
            case.open[exchange.number] = said
            if len(case.open) > MAX_PENDING:
                del case.open[next(iter(case.open))]
        else:
            if exchange.reply is not message:  # the call was given out after its reply
                case.tally.calls += 1
                case.tally.replies -= 1
            call = said_in(exchange.call)
            self._answered(case, exchange.number, call, exchange.reply, exchange.answer)
        message.forget()

    def _answered(
        self, case: Case, number: int, call: Said, reply: Message, outcome: Outcome
    ) -> None:
        case.open.pop(number, None)
        tally = case.tally
        tally.answered += 1
        case.largest = max(case.largest, call.size)
        case.last_answered = (call, reply.end_time)
        known = self._known_of(reply.server)
        known.largest = max(known.largest, call.size)
        if outcome is Outcome.DECLARED_EXCEPTION:
            tally.declared += 1
        elif outcome is Outcome.APPLICATION_EXCEPTION and call.method not in UPGRADES:
            tally.failed += 1
            name, text = _application_exception(reply)
            count, sample = case.failures.get(name, (0, Failure(call, name, text, reply.method)))
            case.failures[name] = (count + 1, sample)
        if outcome is not Outcome.APPLICATION_EXCEPTION or ":" not in reply.method:
            known.answer(call, reply.flow)
        for other in case.open.values():
            if other.time < call.time:
                known.skip(other.method)
            elif (
                case.late is None
                and call.end_time + PIPELINED <= other.time
                and call.time < other.time < reply.time
            ):
                case.late = (call, other, reply.time)

    def end(self, flow: Flow) -> None:
        """A connection has ended, or the capture has: nothing more comes of it."""
        case = self._open.pop(flow.number, None) or Case()
        self._pairing.end(flow)
        self._pairing.settled.clear()
        case.flow = flow
        self._connections += 1
        self._any_thrift = self._any_thrift or case.is_thrift
        spoken = foreign_in(flow.from_server)
        if spoken is not None and len(self._foreign) < MAX_SERVERS:
            self._foreign.setdefault(flow.server, (spoken, flow.number))
        found = verdicts(case, self._known_at(flow.server))
        key = (flow.server, *(one.alike for one in found))
        if key not in self._alike and len(self._alike) >= MAX_ALIKE:
            key = tuple((one.kind,) for one in found)
        group = self._alike.get(key)
        if group is None:
            group = self._alike[key] = _Alike(case)
        group.add(case)

    def _known_of(self, server: Endpoint) -> Known:
        known = self._known.get(server)
        if known is None:
            known = Known()
            known.told = server.port in self._ports
            if len(self._known) < MAX_SERVERS:
                self._known[server] = known
        return known

    def _known_at(self, server: Endpoint) -> Known:
        """What there is to know of a server so far."""
        foreign = self._foreign.get(server)
        if server.port in self._ports:
            known = self._known_of(server)
        else:
            known = self._known.get(server, NOTHING_KNOWN)
        if foreign is not None:
            known = Known() if known is NOTHING_KNOWN else known
            known.foreign = foreign
        return known

    def diagnosis(self) -> Diagnosis:
        """The verdicts on all connections that have ended so far."""
        said: dict[tuple[object, ...], tuple[Verdict, _Alike]] = {}
        for group in self._alike.values():
            for one in verdicts(group.case, self._known_at(group.case.flow.server)):
                if one.alike not in said:
                    said[one.alike] = (one, _Alike(group.case))
                whole = said[one.alike][1]
                whole.count += group.count
                whole.flows += group.flows
                whole.tally.add(group.tally)
        groups = []
        for one, whole in said.values():
            if one.kind is Kind.ALL_WELL and whole.tally.calls + whole.tally.oneway:
                one = all_well(whole.case, whole.tally)
            flows = tuple(sorted(whole.flows)[:MAX_FLOWS])
            groups.append(Group(one, whole.count, flows))
        order = list(Kind)
        groups.sort(
            key=lambda group: (
                -group.verdict.severity,
                order.index(group.verdict.kind),
                -group.connections,
                group.verdict.flow,
            )
        )
        return Diagnosis(tuple(groups), self._connections, self._calls, self._any_thrift)


def _application_exception(reply: Message) -> tuple[str, str]:
    """The type of a TApplicationException by name, and its text."""
    kind, text = "UNKNOWN", ""
    for field in reply.body.fields:
        value = field.value
        if field.field_id == 1 or field.name == "message":
            text = value.text or ""
        elif field.field_id == 2 or field.name == "type":
            number = value.content
            if isinstance(number, int) and 0 <= number < len(APPLICATION_ERRORS):
                kind = APPLICATION_ERRORS[number]
            else:
                kind = f"type {number!r}"
    return kind, text
