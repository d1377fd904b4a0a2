"""What the calls of each method came to, in memory that does not grow with their number.

Latencies are kept as a histogram.  A bucket holds those that have their first 9 bits in common, so
a percentile is right to 0.4 %; three digits of it are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ..model import Exchange, Outcome, Shown

__all__ = ["MAX_METHODS", "Total", "Totals"]

# How many methods have totals of their own: a hostile capture may have a million.
MAX_METHODS: Final = 512

# How many bits of a latency are kept, counted from the first that is set.
_BITS: Final = 9


class Total:
    """What the calls of one method came to.

    ``calls`` counts exchanges, ``outcomes`` each outcome by its number, ``answered`` the exchanges
    that have both messages, and a latency that is known.  ``sent`` and ``received`` are bytes of
    calls and of replies.
    ``fastest`` and ``slowest`` are latencies of answered calls in nanoseconds, -1 without any.
    """

    __slots__ = (
        "_buckets",
        "answered",
        "calls",
        "fastest",
        "method",
        "outcomes",
        "received",
        "sent",
        "slowest",
    )

    def __init__(self, method: str) -> None:
        self.method = method
        self.calls = 0
        self.outcomes = [0] * len(Outcome)
        self.sent = 0
        self.received = 0
        self.answered = 0
        self.fastest = -1
        self.slowest = -1
        self._buckets: dict[int, int] = {}

    def add(self, exchange: Exchange) -> None:
        """Count an exchange, which has to be settled."""
        self.calls += 1
        self.outcomes[exchange.outcome] += 1
        call, reply = exchange.call, exchange.reply
        if call is not None:
            self.sent += exchange.sent
        self.received += exchange.received
        if reply is None:
            return
        if call is None:
            return
        latency = reply.end_time - call.time
        if latency < 0 or reply.time < call.time:
            return  # it is not known: see Exchange.latency
        self.answered += 1
        if latency > self.slowest or self.answered == 1:
            self.slowest = latency
        if latency < self.fastest or self.answered == 1:
            self.fastest = latency
        bucket = _bucket(latency)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    def plus(self, other: Total) -> None:
        """Add the total of another method to this one."""
        if other.answered:
            first = not self.answered
            self.fastest = other.fastest if first else min(self.fastest, other.fastest)
            self.slowest = other.slowest if first else max(self.slowest, other.slowest)
        self.calls += other.calls
        self.answered += other.answered
        self.sent += other.sent
        self.received += other.received
        for at, count in enumerate(other.outcomes):
            self.outcomes[at] += count
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count

    @property
    def failed(self) -> int:
        """How many calls ended with an outcome that ``Outcome.failed`` holds for."""
        return sum([self.outcomes[one] for one in Outcome if one.failed])

    @property
    def unclear(self) -> int:
        """How many calls ended with an outcome that ``Outcome.unclear`` holds for."""
        return sum([self.outcomes[one] for one in Outcome if one.unclear])

    def percentile(self, percent: float) -> int | None:
        """The latency in ns that ``percent`` of the answered calls did not exceed, right to 0.4 %.

        ``percent`` is from 0 to 100.  None if no call was answered.
        """
        rank = max(1, -int(-percent * self.answered // 100))
        if self.answered and rank >= self.answered:
            return self.slowest
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                return max(self.fastest, min(bucket, self.slowest))
        return None


def _bucket(latency: int) -> int:
    """The middle of the latencies that share its first bits.

    >>> _bucket(1_000_000), _bucket(7)
    (1000448, 7)
    """
    spare = latency.bit_length() - _BITS
    if spare <= 0:
        return latency
    return (latency >> spare << spare) + (1 << spare >> 1)


class Totals(Shown):
    """Totals per method, in the order in which the methods were first seen; shown as a table.

    MAX_METHODS methods have a Total of their own, in ``methods``; ``others`` is that of all the
    rest together, None if there is no rest.
    """

    __slots__ = ("methods", "others")

    def __init__(self) -> None:
        self.methods: dict[str, Total] = {}
        self.others: Total | None = None

    def add(self, exchanges: Iterable[Exchange]) -> None:
        """Count settled exchanges, each with its method."""
        for exchange in exchanges:
            method = exchange.method
            total = self.methods.get(method)
            if total is None:
                total = self._new(method)
            total.add(exchange)

    def _new(self, method: str) -> Total:
        if len(self.methods) < MAX_METHODS:
            total = self.methods[method] = Total(method)
            return total
        if self.others is None:
            self.others = Total("")
        return self.others

    @property
    def all(self) -> Total:
        """A new Total of all methods together; its ``method`` is ""."""
        total = Total("")
        for one in self.methods.values():
            total.plus(one)
        if self.others is not None:
            total.plus(self.others)
        return total

    def __len__(self) -> int:
        return len(self.methods)

    def __iter__(self) -> Iterator[Total]:
        return iter(self.methods.values())

    def __getitem__(self, method: str) -> Total:
        """The Total of a method; raises KeyError if it has none of its own."""
        return self.methods[method]

    def __repr__(self) -> str:
        return f"<Totals of {len(self)} methods>"
