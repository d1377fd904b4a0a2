"""The ledger of calls: each once, when it is settled, with what it came to.

    Pairing ──settled──▶ Ledger: in order ──▶ Wanted ──┬─▶ rows
                                                       └─▶ Totals, per method

``Ledger`` takes exchanges as Pairing settles them, and gives them out in the order of their calls,
but for those that take so long that too many others wait behind them.  ``Exchanges`` are those of
a capture that was read whole.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Union, overload

from ..model import Exchange, Outcome, Shown
from .filters import Wanted, condition, outcomes
from .totals import Totals

__all__ = ["Exchanges", "Ledger"]

# How many settled exchanges may wait for an earlier call that is not, and how many bytes of them.
MAX_BEHIND: Final = 4096
MAX_BEHIND_BYTES: Final = 16 * 1024 * 1024


class Ledger:
    """Puts settled exchanges in the order of their calls."""

    def __init__(self) -> None:
        self._next = 1  # the number of the exchange whose turn it is
        self._behind: list[tuple[int, Exchange]] = []  # a heap of those that wait for it
        self._bytes = 0

    def take(self, settled: Sequence[Exchange]) -> list[Exchange]:
        """Those whose turn it is, with what was settled last."""
        given: list[Exchange] = []
        for exchange in settled:
            number = exchange.number
            if number <= self._next:
                given.append(exchange)
                if number == self._next:
                    self._next += 1
                    if self._behind:
                        self._go_on(given)
                continue
            heapq.heappush(self._behind, (number, exchange))
            self._bytes += exchange.sent + exchange.received
            if len(self._behind) > MAX_BEHIND or self._bytes > MAX_BEHIND_BYTES:
                self._release(given)
        return given

    def close(self) -> list[Exchange]:
        """Nothing more is settled: all the rest."""
        given: list[Exchange] = []
        while self._behind:
            self._release(given)
        return given

    def _go_on(self, given: list[Exchange]) -> None:
        while self._behind and self._behind[0][0] == self._next:
            exchange = heapq.heappop(self._behind)[1]
            self._bytes -= exchange.sent + exchange.received
            given.append(exchange)
            self._next += 1

    def _release(self, given: list[Exchange]) -> None:
        """Wait no more for calls that are not settled before the next one that is."""
        self._next = self._behind[0][0]
        self._go_on(given)


class Exchanges(Shown):
    """Exchanges in the order of their calls; shows itself as a table."""

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
        """Those of which all that is given is true.

        ``method``: one of these patterns (``"get*"``).  ``outcome``: one of these, or of those
        that a text names (``"late,closed-by-server"``, ``"failed"``, ``"unclear"``).  ``slower``:
        waited longer than so many nanoseconds, for a reply or in vain.  ``value``: has all of
        these in its fields (``"1=root"``, ``"login.username=root"``, ``"reply.0=p*"``).

        Raises ValueError for a text that names no outcome or is no condition.
        """
        if isinstance(outcome, Outcome):
            chosen = [outcome]
        else:
            chosen = outcomes(outcome) if isinstance(outcome, str) else list(outcome)
        wanted = Wanted(
            [method] if isinstance(method, str) else method,
            chosen,
            slower,
            [condition(one) for one in ([value] if isinstance(value, str) else value)],
        )
        return Exchanges(wanted.of(self._items))

    def totals(self) -> Totals:
        """What the calls of each method came to."""
        totals = Totals()
        totals.add(self._items)
        return totals

    def __repr__(self) -> str:
        return f"<{len(self)} exchanges>"
