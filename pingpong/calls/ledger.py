"""The ledger of calls: each once, when it is settled, with what it came to.

    messages ─┐                          ┌─▶ Wanted ─▶ rows
              ├─▶ Pairing ─▶ in order ───┤
    flows ────┘   settles                └─▶ Totals, per method

``Ledger`` takes messages in batches, as a capture of any length or a live recording brings them,
and gives out exchanges whose outcome is final: in the order of their calls, but for those that
take so long that too many others wait behind them; or at once.

``Totals`` keeps a few numbers per method, and latencies as a histogram whose buckets are under
0.4 % wide, so that memory does not grow with the capture.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import translate
from typing import Final

from ..model import Entries, Exchange, Field, Flow, Items, Message, Outcome, Struct, Value
from .exchanges import Pairing, bare_method

__all__ = ["Condition", "Ledger", "Total", "Totals", "Wanted", "condition"]

# How many settled exchanges may wait for an earlier call that is not, and how many bytes of them.
MAX_BEHIND: Final = 4096
MAX_BEHIND_BYTES: Final = 16 * 1024 * 1024

# How many methods have totals of their own: a hostile capture may have a million.
MAX_METHODS: Final = 512


class Ledger:
    """Gives out exchanges when they are settled; ``in_order`` of their calls, or at once.

    ``flow_of`` is ``Pipeline.flow``.
    """

    def __init__(
        self, flow_of: Callable[[int], Flow | None] | None = None, *, in_order: bool = True
    ) -> None:
        self._pairing = Pairing(flow_of)
        self._in_order = in_order
        self._next = 1  # the number of the exchange whose turn it is
        self._behind: list[tuple[int, Exchange]] = []  # a heap of those that wait for it
        self._bytes = 0

    def take(self, messages: Sequence[Message], ended: list[Flow]) -> list[Exchange]:
        """What is settled by these messages and by the connections that ended among them
        (``Pipeline.ended``, which is emptied)."""
        pairing = self._pairing
        if ended:
            at = 0
            for message in messages:
                while at < len(ended) and ended[at].over < message.number:
                    pairing.end(ended[at])
                    at += 1
                pairing.add(message)
            for flow in ended[at:]:
                pairing.end(flow)
            ended.clear()
        else:
            for message in messages:
                pairing.add(message)
        return self._given()

    def close(self, time: int = -1) -> list[Exchange]:
        """The capture is over: all the rest.  ``time`` is that of its last packet."""
        self._pairing.close(time)
        settled = self._given()
        while self._behind:
            self._release(settled)
        return settled

    def _given(self) -> list[Exchange]:
        settled = self._pairing.settled
        self._pairing.settled = []
        if not self._in_order:
            return settled
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


# ── Which are wanted ─────────────────────────────────────────────────────────────────


class Condition:
    """A value that an exchange has to have: ``path`` leads to it through fields, by their ids or
    names, in the call or (``of_reply``) in the reply; lists and maps on the way are all looked
    into."""

    __slots__ = ("of_reply", "path", "wanted")

    def __init__(self, path: tuple[str, ...], wanted: str, of_reply: bool) -> None:
        self.path = path
        self.wanted = re.compile(translate(wanted))
        self.of_reply = of_reply

    def holds(self, exchange: Exchange) -> bool:
        message = exchange.reply if self.of_reply else exchange.call
        if message is None:
            return False
        path = self.path
        if len(path) > 1 and path[0] == bare_method(exchange.method):
            path = path[1:]
        was_read = message.is_read
        held = self._in_fields(message.body.fields, path)
        if not was_read:
            message.forget()
        return held

    def _in_fields(self, fields: tuple[Field, ...], path: tuple[str, ...]) -> bool:
        for field in fields:
            if path[0] in (str(field.field_id), field.name) and self._in_value(
                field.value, path[1:]
            ):
                return True
        return False

    def _in_value(self, value: Value, path: tuple[str, ...]) -> bool:
        content = value.content
        if isinstance(content, Struct):
            return bool(path) and self._in_fields(content.fields, path)
        if isinstance(content, Items):
            return any(self._in_value(item, path) for item in content.items)
        if isinstance(content, Entries):
            return any(
                self._in_value(key, path) or self._in_value(one, path) for key, one in content.items
            )
        if path:
            return False
        # An enum's number, or what the IDL calls it.
        return bool(
            self.wanted.match(_words(value)) or (value.label and self.wanted.match(value.label))
        )


def _words(value: Value) -> str:
    """A value as it is written in a condition."""
    content = value.content
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, bytes):
        text = value.text
        return content.hex() if text is None else text
    return "" if content is None else str(content)


def condition(text: str) -> Condition:
    """``1=root``, ``login.username=root``, ``user.1.name=r*``, ``reply.0=pong``: a path through
    fields (with the method before it, or not), "=", and what is to stand there, where "*" and "?"
    stand for anything.  Raises ValueError for text that is none."""
    path, equals, wanted = text.partition("=")
    steps = tuple(path.split("."))
    of_reply = len(steps) > 1 and steps[0] == "reply"
    steps = steps[1:] if of_reply else steps
    if not equals or not all(steps):
        raise ValueError(f'"{text}" is no condition, want FIELD=VALUE')
    return Condition(steps, wanted, of_reply)


class Wanted:
    """Which exchanges are asked for; all of what is given has to be true.

    ``methods`` are patterns with "*" and "?", against the name with its service or without;
    ``slower``: waited longer than so many nanoseconds, for a reply or in vain.
    """

    def __init__(
        self,
        methods: Sequence[str] = (),
        outcomes: Iterable[Outcome] = (),
        slower: int | None = None,
        where: Sequence[Condition] = (),
    ) -> None:
        self._patterns = [re.compile(translate(pattern)) for pattern in methods]
        self._known: dict[str, bool] = {}
        self._outcomes = frozenset(outcomes)
        self._slower = slower
        self._where = list(where)
        self.is_all = not (self._patterns or self._outcomes or self._where or slower is not None)

    def has(self, exchange: Exchange) -> bool:
        if self._patterns and not self._named(exchange.method):
            return False
        if self._outcomes and exchange.outcome not in self._outcomes:
            return False
        if self._slower is not None:
            waited = exchange.waited
            if waited is None or waited <= self._slower:
                return False
        return all(one.holds(exchange) for one in self._where)

    def of(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        return [one for one in exchanges if self.is_all or self.has(one)]

    def _named(self, method: str) -> bool:
        known = self._known.get(method)
        if known is None:
            names = (method, bare_method(method))
            known = any(one.match(name) for one in self._patterns for name in names)
            if len(self._known) < MAX_METHODS:
                self._known[method] = known
        return known


# ── Totals ───────────────────────────────────────────────────────────────────────────

# A latency is kept with its first so many bits.
_BITS: Final = 9


class Total:
    """What the calls of a method came to.

    ``failed`` and ``untold`` count as ``Outcome`` has them, ``outcomes`` each outcome by its
    number; ``sent`` and ``received`` are bytes.  Latencies are in nanoseconds, of exchanges that
    have both messages.
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
        self.calls += 1
        self.outcomes[exchange.outcome] += 1
        call, reply = exchange.call, exchange.reply
        if call is not None:
            self.sent += call.size
        if reply is None:
            return
        self.received += reply.size
        if call is None:
            return
        latency = reply.end_time - call.time
        self.answered += 1
        if latency > self.slowest or self.answered == 1:
            self.slowest = latency
        if latency < self.fastest or self.answered == 1:
            self.fastest = latency
        bucket = _bucket(latency)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    def plus(self, other: Total) -> None:
        """Add another method's total."""
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
        return sum([self.outcomes[one] for one in Outcome if one.failed])

    @property
    def untold(self) -> int:
        return sum([self.outcomes[one] for one in Outcome if one.untold])

    def percentile(self, percent: float) -> int | None:
        """The latency that so many percent of the answered calls did not exceed, to 0.4 %;
        None if none was answered."""
        rank = max(1, -int(-percent * self.answered // 100))
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
    if latency < 0:  # a clock was set back
        return -_bucket(-latency)
    spare = latency.bit_length() - _BITS
    if spare <= 0:
        return latency
    return (latency >> spare << spare) + (1 << spare >> 1)


class Totals:
    """Totals per method, in the order in which methods were seen first.

    MAX_METHODS have their own; the rest is ``others`` together.
    """

    def __init__(self) -> None:
        self.methods: dict[str, Total] = {}
        self.others: Total | None = None

    def add(self, exchanges: Iterable[Exchange]) -> None:
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
        """All methods together; its ``method`` is ""."""
        total = Total("")
        for one in self.methods.values():
            total.plus(one)
        if self.others is not None:
            total.plus(self.others)
        return total
