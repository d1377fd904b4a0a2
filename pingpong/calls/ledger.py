"""The ledger of calls: each of them once, when it is settled, with its outcome.

    Pairing ──settled──▶ Ledger: in order ──▶ Filter ──┬─▶ rows
                                                       └─▶ Totals, per method

``Ledger`` takes exchanges as Pairing settles them, and gives them out in the order of their calls.
The exception is a call that takes so long that too many others wait for it.  ``Exchanges`` holds
the exchanges of a capture that was read as a whole.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Union, overload

from ..model import Exchange, Outcome, Shown
from .filters import Filter, condition, outcomes
from .totals import Totals

__all__ = ["Exchanges", "Ledger"]

# How many settled exchanges may wait for an earlier one that is not settled, and how many bytes
# their messages may have.
MAX_BEHIND: Final = 4096
MAX_BEHIND_BYTES: Final = 16 * 1024 * 1024


class Ledger:
    """Puts settled exchanges in the order of their calls, within a bound on what may wait."""

    def __init__(self) -> None:
        self._next = 1  # the number of the exchange whose turn it is
        self._waiting: list[tuple[int, Exchange]] = []  # a heap: those that wait for it
        self._bytes = 0

    def take(self, settled: Sequence[Exchange]) -> list[Exchange]:
        """Take what was settled; returns the exchanges whose turn it is, in order."""
        given: list[Exchange] = []
        for exchange in settled:
            number = exchange.number
            if number <= self._next:
                given.append(exchange)
                if number == self._next:
                    self._next += 1
                    if self._waiting:
                        self._go_on(given)
                continue
            heapq.heappush(self._waiting, (number, exchange))
            self._bytes += exchange.sent + exchange.received
            if len(self._waiting) > MAX_BEHIND or self._bytes > MAX_BEHIND_BYTES:
                self._release(given)
        return given

    def close(self) -> list[Exchange]:
        """Nothing more will be settled: returns all the rest, in order."""
        given: list[Exchange] = []
        while self._waiting:
            self._release(given)
        return given

    def _go_on(self, given: list[Exchange]) -> None:
        while self._waiting and self._waiting[0][0] == self._next:
            exchange = heapq.heappop(self._waiting)[1]
            self._bytes -= exchange.sent + exchange.received
            given.append(exchange)
            self._next += 1

    def _release(self, given: list[Exchange]) -> None:
        """Stop waiting for calls that come before the next settled one."""
        self._next = self._waiting[0][0]
        self._go_on(given)


class Exchanges(Shown):
    """Exchanges in the order of their calls: a sequence that shows itself as a table."""

    __slots__ = ("_items",)

    def __init__(self, items: list[Exchange]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._items)

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> Exchanges: ...
    def __getitem__(self, index: int | slice) -> Exchange | Exchanges:
        if isinstance(index, slice):
            return Exchanges(self._items[index])
        return self._items[index]

    def where(
        self,
        *,
        method: Union[str, Sequence[str]] = (),
        outcome: Union[str, Outcome, Iterable[Outcome]] = (),
        slower: int | None = None,
        value: Union[str, Sequence[str]] = (),
    ) -> Exchanges:
        """Return the exchanges for which everything that is given is true.

        ``method``: a pattern, or several of which one has to match (``"get*"``).  ``outcome``: an
        outcome, or several, or a text that names some (``"late,closed-by-server"``, ``"failed"``,
        ``"unclear"``).  ``slower``: the client waited longer than that many nanoseconds, for a
        reply or in vain.  ``value``: a condition, or several that all have to hold (``"1=root"``,
        ``"login.username=root"``, ``"reply.0=p*"``).

        Raises ValueError for a text that names no outcome or is not a condition.
        """
        if isinstance(outcome, Outcome):
            chosen = [outcome]
        else:
            chosen = outcomes(outcome) if isinstance(outcome, str) else list(outcome)
        wanted = Filter(
            [method] if isinstance(method, str) else method,
            chosen,
            slower,
            [condition(one) for one in ([value] if isinstance(value, str) else value)],
        )
        return Exchanges(wanted.of(self._items))

    def totals(self) -> Totals:
        """What the calls of each method came to: counts, bytes and latencies."""
        totals = Totals()
        totals.add(self._items)
        return totals

    def __repr__(self) -> str:
        return f"<{len(self)} exchanges>"
