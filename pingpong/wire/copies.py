"""One datagram that was captured several times is one datagram.

    -i any        veth0 ─▶ docker0 ─▶ (NAT) ─▶ eth0       three packets, one datagram
    told by       same IP identification, same ports, same bytes, at another place, shortly after

A place is everything before IP (an interface, its addresses, the ends of a tunnel) and the hops
that are left.  A datagram that is seen again at the same place was sent twice, or captured twice
there.  Nobody can tell which, so it counts as a datagram of its own, and ``findings`` say so.
Beyond a NAT one end has another address: then there has to be an identification, and the other
end and both ports have to be the same.

What is remembered is bounded, in number and in the packets' own time.
"""

from __future__ import annotations

from typing import Final

from ..model import Finding, Segment, Severity

__all__ = ["Copies", "Original"]

# How long a packet may take from one place to the next (ns).  SOON, if it has an identification:
# Linux reuses one after 65536 packets at the earliest.  AT_ONCE, if it has none: the same bytes
# sent again by the program must not count as a copy.
SOON: Final = 1_000_000_000
AT_ONCE: Final = 20_000_000

MAX_KEPT: Final = 1024
MAX_PLACES: Final = 32


class Original:
    """A datagram as it was first seen.

    ``flow`` is the number of its connection and ``offset`` its place in its direction; ``places``
    are all the places where it was seen.
    """

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
    """Knows the datagrams that were seen lately, and recognises copies of them.

    ``of`` gives the Original of a copy.  A datagram that is not a copy has to be handed to
    ``remember``.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int, int, bytes], Original] = {}  # oldest first
        self._taken = 0  # copies
        self._first = (0, 0)  # the first copy, and its original: numbers of packets
        self._doubtful = 0  # datagrams that may be copies
        self._example = (0, 0)  # the first of those, and what it may be a copy of

    def of(self, segment: Segment) -> Original | None:
        """The datagram that ``segment`` is a copy of; None if it is a datagram of its own."""
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
        """Remember ``segment``, which is not a copy: what comes later may be a copy of it.

        ``flow`` and ``offset`` are as Original has them.
        """
        key = _key(segment)
        self._known.pop(key, None)
        self._known[key] = Original(segment, flow, offset)
        if len(self._known) > MAX_KEPT:
            del self._known[next(iter(self._known))]

    @property
    def findings(self) -> list[Finding]:
        """What was taken for a copy (a note), and what might be one (a warning)."""
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
    """What a copy has in common with its original; the ends too, if there is no identification."""
    ends = b"" if segment.ident > 0 else segment.source + segment.target
    payload = segment.payload
    return segment.protocol, segment.ident, len(payload) + segment.cut, hash(payload), ends


def _is_translated(known: Original, segment: Segment) -> bool:
    """Whether a NAT can have made ``segment`` of ``known``: one end and both ports are the same."""
    if segment.seen_at in known.places or segment.ident <= 0:
        return False
    return (known.source == segment.source or known.target == segment.target) and (
        known.source[-2:],
        known.target[-2:],
    ) == (segment.source[-2:], segment.target[-2:])
