"""Which bytes of a record the capture does not have: what the writers of notes have to know.

A record can have as many gaps as the capture has holes, and each value asks about them, so they are
searched by bisection.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from ..model import Gap, Span

__all__ = ["Losses"]


class Losses:
    """The gaps of a record, in order.

    >>> losses = Losses([Gap(2, 3), Gap(8, 4)])
    >>> losses.within(4, 10)
    [Span(start=4, stop=5), Span(start=8, stop=10)]
    >>> 8 in losses, 5 in losses
    (True, False)
    """

    def __init__(self, gaps: Sequence[Gap]) -> None:
        self._gaps = gaps
        self._stops = [gap.stop for gap in gaps]

    def within(self, start: int, stop: int) -> list[Span]:
        """Return the lost parts of a range."""
        found = []
        for at in range(bisect_right(self._stops, start), len(self._gaps)):
            gap = self._gaps[at]
            if gap.offset >= stop:
                break
            found.append(Span(max(start, gap.offset), min(gap.stop, stop)))
        return found

    def __contains__(self, offset: int) -> bool:
        at = bisect_right(self._stops, offset)
        return at < len(self._gaps) and self._gaps[at].offset <= offset
