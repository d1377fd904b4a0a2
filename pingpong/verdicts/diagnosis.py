"""What is wrong between clients and servers, and what to change: a verdict for each connection.

    exchanges, settled ───────▶ Case ──┐                      ┌─▶ a Verdict a connection,
    a Flow that has ended ─────────────┼─▶ rules, in order ───┤
    what its server said to            │                      └─▶ … of many that are alike, once:
    others: Known ─────────────────────┘                          Diagnosis

``Diagnoser`` takes exchanges as Pairing settles them, and connections as they end.  So it can
handle a capture of any length: it keeps only the Case of a connection, and only the first of
those that are alike.  Later connections may tell more about a server, so the rules are asked again
at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..hints.magic_numbers import Reading
from ..model import Endpoint, Exchange, Flow, Outcome, Severity
from .evidence import NOTHING_KNOWN, Case, Known, Tally
from .rules import all_well, foreign_in, verdicts
from .verdict import Diagnosis, Group, Kind, Verdict

__all__ = ["Diagnoser", "Diagnosis", "Group", "Kind", "Verdict"]

# How many connections that differ are kept; beyond that they are only counted, because a capture
# can be made to have a new kind with every packet.  And how many servers are remembered.
MAX_ALIKE: Final = 4096
MAX_SERVERS: Final = 4096
# How many numbers of connections a Group lists.
MAX_FLOWS: Final = 20


class _Alike:
    """Connections that got the same verdicts: the Case of the first, sums, and some numbers."""

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
    """Takes exchanges and connections, and makes a Diagnosis of them.

    ``add`` takes exchanges, ``end`` a connection that has ended, after its exchanges, and ``take``
    both; ``diagnosis`` comes at the end.  ``ports``: the user says that Thrift is spoken there,
    whatever the bytes look like.
    """

    def __init__(self, ports: Iterable[int] = ()) -> None:
        self._ports = frozenset(ports)
        self._open: dict[int, Case] = {}
        self._known: dict[Endpoint, Known] = {}
        self._foreign: dict[Endpoint, tuple[Reading, int]] = {}
        self._alike: dict[tuple[object, ...], _Alike] = {}
        self._connections = 0
        self._calls = 0
        self._any_thrift = False
        self._unread = False

    def take(self, exchanges: Iterable[Exchange], ended: Iterable[Flow]) -> None:
        """Take exchanges that were settled, and then connections that have ended."""
        for exchange in exchanges:
            self.add(exchange)
        for flow in ended:
            self.end(flow)

    def add(self, exchange: Exchange) -> None:
        """Take the next settled exchange; what was read of its messages is forgotten then."""
        case = self._open.get(exchange.flow)
        if case is None:
            case = self._open[exchange.flow] = Case()
        self._any_thrift = True
        self._calls += 1
        self._unread = self._unread or bool(exchange.faulty)
        server = exchange.first.server
        answered = case.add(exchange)
        if exchange.call is not None and case.first is not None:
            self._known_of(server).hear(case.first.dialect, exchange.flow)
        if answered is not None and exchange.reply is not None:
            known = self._known_of(server)
            known.takes_proxy = known.takes_proxy or exchange.reply.proxied is not None
            known.largest = max(known.largest, answered.size)
            # A plain server does not know a name with a service in it, and says so.
            is_plain_no = exchange.outcome is Outcome.APPLICATION_EXCEPTION
            if not is_plain_no or ":" not in exchange.reply.method:
                known.answer(answered, exchange.flow)
        for message in (exchange.call, exchange.reply):
            if message is not None:
                message.forget()

    def end(self, flow: Flow) -> None:
        """Take a connection that has ended, or that was open when the capture ended."""
        case = self._open.pop(flow.number, None) or Case()
        case.flow = flow
        self._connections += 1
        self._any_thrift = self._any_thrift or case.is_thrift
        if any(one.severity is Severity.ERROR for one in flow.findings):
            self._unread = True
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
        if group.case is not case:
            group.case.blend(case)

    def _known_of(self, server: Endpoint) -> Known:
        known = self._known.get(server)
        if known is None:
            known = Known()
            known.told = server.port in self._ports
            if len(self._known) < MAX_SERVERS:
                self._known[server] = known
        return known

    def _known_at(self, server: Endpoint) -> Known:
        """What is known about a server so far; NOTHING_KNOWN if nothing is."""
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
        """The verdicts on all connections taken so far; more may be taken afterwards."""
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
        diagnosis = Diagnosis(tuple(groups), self._connections, self._calls, self._any_thrift)
        diagnosis.is_unread = self._unread
        return diagnosis
