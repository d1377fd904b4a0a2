"""One datagram that was captured several times is one datagram.

    -i any        veth0 ─▶ docker0 ─▶ (NAT) ─▶ eth0       three packets, one datagram
    told by       IP's identification, ports and bytes the same, at another place, shortly after

A place is what stands before IP (an interface, its addresses, a tunnel's ends) and how many hops
are left.  The same datagram at a place where it was seen before was sent twice; or captured twice
there, which nobody can tell: then it stands as it is, and ``findings`` say so.  Behind a NAT one
end is another: then the identification has to be there, and one end and both ports as they were.

What is remembered is bounded, in number and in the packets' own time.
"""

from __future__ import annotations

from typing import Final

from ..model import Finding, Segment, Severity

__all__ = ["Copies", "Original"]

# How long a packet may take from one place to the next: Linux uses an identification again after
# 65536 packets at the earliest.  Without one, the same bytes sent again must not be near.
SOON: Final = 1_000_000_000
AT_ONCE: Final = 20_000_000

MAX_KEPT: Final = 1024
MAX_PLACES: Final = 32


class Original:
    """A datagram as it was seen first: of which connection, and where in it."""

    __slots__ = ("flow", "number", "offset", "places", "source", "target", "time")

    def __init__(self, segment: Segment, flow: int, offset: int) -> None:
        self.number = segment.number
        self.time = segment.time
        self.source = segment.source
        self.target = segment.target
        self.flow = flow
        self.offset = offset
        self.places = {segment.seen_at}


class Copies:
    """Knows datagrams that were seen before.

    ``of`` gives the Original of one that is a copy; else tell it to ``remember``.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int, int, bytes], Original] = {}  # oldest first
        self._taken = 0  # copies, and the first of them
        self._first = (0, 0)
        self._doubtful = 0  # what may be one
        self._example = (0, 0)

    def of(self, segment: Segment) -> Original | None:
        """The datagram that ``segment`` is a copy of; None if it is one of its own."""
        known = self._known.get(_key(segment))
        if known is None:
            return None
        if not 0 <= segment.time - known.time <= (SOON if segment.ident > 0 else AT_ONCE):
            return None
        is_same = (known.source, known.target) == (segment.source, segment.target)
        if not is_same and not _is_translated(known, segment):
            return None
        if segment.seen_at in known.places or len(known.places) >= MAX_PLACES:
            if segment.ident > 0 and is_same:
                self._doubtful += 1
                if self._doubtful == 1:
                    self._example = (segment.number, known.number)
            return None
        known.places.add(segment.seen_at)
        self._taken += 1
        if self._taken == 1:
            self._first = (segment.number, known.number)
        return known

    def remember(self, segment: Segment, flow: int, offset: int) -> None:
        """It is none: what comes may be a copy of it."""
        key = _key(segment)
        self._known.pop(key, None)
        self._known[key] = Original(segment, flow, offset)
        if len(self._known) > MAX_KEPT:
            del self._known[next(iter(self._known))]

    @property
    def findings(self) -> list[Finding]:
        """What was taken for a copy, and what might be one."""
        out = []
        if self._taken:
            number, first = self._first
            are = "datagram was" if self._taken == 1 else "datagrams were"
            out.append(
                Finding(
                    Severity.NOTE,
                    f"{self._taken} {are} captured once more on the way (packet {number} is packet "
                    f"{first} again): each is counted once",
                )
            )
        if self._doubtful:
            number, first = self._example
            are = "datagram is" if self._doubtful == 1 else "datagrams are"
            out.append(
                Finding(
                    Severity.WARNING,
                    f"{self._doubtful} {are} the same as one before, IP's identification and all "
                    f"(packet {number} is as packet {first}): sent twice or captured twice, which "
                    f"cannot be told; each is counted",
                )
            )
        return out


def _key(segment: Segment) -> tuple[int, int, int, int, bytes]:
    """What a copy has in common with its original; without an identification, the ends too."""
    ends = b"" if segment.ident > 0 else segment.source + segment.target
    payload = segment.payload
    return segment.protocol, segment.ident, len(payload) + segment.cut, hash(payload), ends


def _is_translated(known: Original, segment: Segment) -> bool:
    """Is that a NAT's work: one end the same, of the other the port?"""
    if segment.seen_at in known.places or segment.ident <= 0:
        return False
    return (known.source == segment.source or known.target == segment.target) and (
        known.source[-2:],
        known.target[-2:],
    ) == (segment.source[-2:], segment.target[-2:])
