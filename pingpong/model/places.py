"""Plain values, places in bytes, and findings: what is odd, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, NamedTuple

__all__ = [
    "MAX_FINDINGS",
    "Endpoint",
    "Facts",
    "Finding",
    "Findings",
    "Severity",
    "Span",
    "add_finding",
]


class Facts:
    """A plain value, equal to another of its class with the same parts.

    Its class names the parts in ``__match_args__``.  What is hashed is never assigned: these
    attributes are Final.

    This is what a dataclass would give, written out: a capture has many of these, and a compiled
    class makes them ten times as fast as a frozen dataclass.
    """

    __slots__ = ()

    def facts(self) -> tuple[object, ...]:
        """Return the parts by which it is compared and hashed, in order."""
        return ()

    def shown(self) -> tuple[object, ...]:
        """Return the parts as a repr shows them."""
        return self.facts()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, Facts):
            return False
        return _are_same(self.facts(), other.facts())

    def __hash__(self) -> int:
        return hash(self.facts())

    def __repr__(self) -> str:
        if len(_shown) > _DEEPEST:
            return f"{type(self).__name__}(…)"
        names: tuple[str, ...] = getattr(type(self), "__match_args__", ())
        parts = zip(names, self.shown(), strict=True)
        _shown.append(self)
        try:
            said = [f"{name}={part!r}" for name, part in parts]
        finally:
            _shown.pop()
        return f"{type(self).__name__}({', '.join(said)})"


def _are_same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Compare the parts, and their parts, at any depth, without recursion."""
    left: list[object] = list(one)
    right: list[object] = list(other)
    if len(left) != len(right):
        return False
    while left:
        a, b = left.pop(), right.pop()
        if a is b:
            continue
        if isinstance(a, Facts):
            if type(a) is not type(b) or not isinstance(b, Facts):
                return False
            a, b = a.facts(), b.facts()
        elif not isinstance(a, tuple):
            if a != b:
                return False
            continue
        if not isinstance(b, tuple) or len(a) != len(b):
            return False
        left.extend(a)
        right.extend(b)
    return True


# The values whose repr is being made: deeper ones are left out, since each level calls Python.
_shown: list[Facts] = []

_DEEPEST: Final = 60


class Span(Facts):
    """A half-open range of offsets, like ``range`` and like slices.

    >>> Span(4, 8).of(b"....seqid")
    b'seqi'
    """

    __slots__ = ("start", "stop")
    __match_args__: ClassVar = ("start", "stop")

    def __init__(self, start: int, stop: int) -> None:
        self.start: Final = start
        self.stop: Final = stop

    def facts(self) -> tuple[object, ...]:
        return (self.start, self.stop)

    def __lt__(self, other: Span) -> bool:
        return (self.start, self.stop) < (other.start, other.stop)

    def __len__(self) -> int:
        return self.stop - self.start

    def of(self, data: bytes) -> bytes:
        """Return the bytes of ``data`` in this range."""
        return data[self.start : self.stop]


class Endpoint(NamedTuple):
    """One end of a connection: a numeric address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Severity(IntEnum):
    """How much a Finding matters."""

    NOTE = 0  # worth knowing; nothing is wrong
    WARNING = 1  # odd, yet everything there was read
    ERROR = 2  # something could not be read


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd in the input: how bad, where, and one sentence that says all of it.

    ``offset`` is None if no single place can be named.
    """

    severity: Severity
    text: str
    offset: int | None = None


# How many findings of one kind are reported: hostile bytes can be odd at every place.
MAX_FINDINGS: Final = 1000


def add_finding(findings: list[Finding], finding: Finding) -> None:
    """Add a finding, unless there are very many: then the last one says that there are more."""
    if len(findings) < MAX_FINDINGS:
        findings.append(finding)
    elif len(findings) == MAX_FINDINGS:
        text = f"more like these from offset {finding.offset} on, which are not told"
        findings.append(Finding(finding.severity, text, finding.offset))
    elif finding.severity > findings[-1].severity:
        last = findings[-1]
        findings[-1] = Finding(finding.severity, last.text, last.offset)


# What differs between findings of one kind: names, numbers, bytes.
_DIFFERING: Final = re.compile(r"\"[^\"]*\"|'[^']*'|\b[0-9a-f]*[0-9][0-9a-fx.:]*\b")


class Findings:
    """Findings of many places: a FEW of each kind, and how many more there were.

    Two are of one kind if they differ only in names, numbers and bytes.  No more than MOST kinds
    are told apart, so that no input makes it large.
    """

    FEW: ClassVar = 20
    MOST: ClassVar = 1000

    __slots__ = ("_counts", "_worst", "kept")

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self._counts: dict[str, int] = {}
        self._worst: dict[str, Severity] = {}

    def add(self, finding: Finding) -> bool:
        """Record a finding; return whether it is one of the few that are kept."""
        kind = _DIFFERING.sub("#", finding.text[:400])
        if kind not in self._counts and len(self._counts) >= self.MOST:
            kind = ""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count > self.FEW:
            self._worst[kind] = max(finding.severity, self._worst.get(kind, finding.severity))
            return False
        self.kept.append(finding)
        return True

    @property
    def rest(self) -> list[Finding]:
        """Return a finding for each kind of which there were more: how many."""
        return [
            Finding(severity, f"{self._counts[kind] - self.FEW} more like this: {kind or 'others'}")
            for kind, severity in self._worst.items()
        ]
