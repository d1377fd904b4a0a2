"""Flow control of HTTP/2: how much one end may still send, and when it could send nothing.

    this end's HEADERS ─▶ begin, DATA ─▶ spend, END_STREAM ─▶ end
    the other's WINDOW_UPDATE ─▶ grant, SETTINGS ─▶ propose, which this end's ACK makes ─▶ accept

RFC 9113, 5.2: there is a window for each stream, and one for all of them.  An end whose window is
at 0, or below, waits until the other grants more, which that does when its program has read what
came.  A window at 0 says nothing if there was nothing to send.  So a Stall is told only of an end
that was in the midst of a message, or that sent on as soon as it could.

Nothing is counted any more once something was missed, or if an end sends more than it may, as far
as that is known.
"""

from __future__ import annotations

from typing import Final

from ...model import Stall

__all__ = ["INITIAL", "MAX_STREAMS", "Windows"]

INITIAL: Final = 65_535  # RFC 9113, 6.9.2: where nothing else is said
MAX_STREAMS: Final = 4096

_MAX_SETTINGS: Final = 64  # that wait for their ACK

# An end that sends on within a SOON-th of the time that it could not, waited for that.
_SOON: Final = 10

# All streams at once: no stream has this number.
_ALL: Final = 0


class Windows:
    """What one end may send.  Times are in ns.

    ``held`` says by stream, 0 for all, since when it may send nothing.  ``stall`` is the longest
    time for which it had to wait, and could not go on at once; None: it never had to, or nobody
    knows.
    """

    __slots__ = ("_counts", "_initial", "_left", "_opened", "_proposed", "_used", "held", "stall")

    def __init__(self) -> None:
        self._counts = True
        self._left = INITIAL  # what it may send in all
        self._initial = INITIAL  # what it may send on a stream that begins
        self._used: dict[int, int] = {}  # what it has used of that, by stream
        self._proposed: list[int] = []  # the other's SETTINGS without an ACK; -1: nothing of this
        self.held: dict[int, int] = {}
        # Windows that were raised, and nothing was sent since: since when it was held, and until.
        self._opened: dict[int, tuple[int, int, int]] = {}
        self.stall: Stall | None = None

    def stop(self) -> None:
        """Something was missed: what can be sent is not known any more."""
        self._counts = False
        self._used.clear()
        self._opened.clear()
        self.held.clear()

    @property
    def is_under_way(self) -> bool:
        """Whether it sends on a stream that has not ended."""
        return bool(self._used)

    # ── What this end does ───────────────────────────────────────────────────────────

    def begin(self, number: int, time: int) -> None:
        """It begins a stream, on which it may be allowed to send nothing."""
        if self._counts and self._initial <= self._used.get(number, 0):
            self._used.setdefault(number, 0)
            self.held.setdefault(number, time)

    def spend(self, number: int, size: int, ends: bool, time: int, method: str) -> None:
        """It sends data of ``size`` bytes on a stream."""
        if not self._counts:
            return
        if size:
            if self.held and (_ALL in self.held or number in self.held):
                self.stop()  # more was granted, and that was missed
                return
            if self._opened:
                for one in (number, _ALL):
                    if one in self._opened:
                        since, until, left = self._opened.pop(one)
                        if (time - until) * _SOON <= until - since:
                            self._tell(one, since, until, left, "", method)
            self._left -= size
            if self._left <= 0:
                self.held.setdefault(_ALL, time)
        if ends:
            self.end(number)
            return
        if number not in self._used and len(self._used) >= MAX_STREAMS:
            self.end(next(iter(self._used)))
        used = self._used[number] = self._used.get(number, 0) + size
        if used >= self._initial:
            self.held.setdefault(number, time)

    def end(self, number: int) -> None:
        """It has sent all of a stream."""
        if number in self._used:
            del self._used[number]
        if self.held or self._opened:
            self.held.pop(number, None)
            self._opened.pop(number, None)

    # ── What the other end does ──────────────────────────────────────────────────────

    def grant(self, number: int, more: int, time: int, wants: bool, method: str) -> None:
        """It takes more; ``wants``: something was left to send, of the call ``method``."""
        if not self._counts:
            return
        if number == _ALL:
            left, self._left = self._left, self._left + more
            if self._left > 0 and _ALL in self.held:
                self._open(_ALL, left, time, wants, method)
            return
        if number not in self._used and len(self._used) >= MAX_STREAMS:
            self.end(next(iter(self._used)))
        used = self._used.get(number, 0)
        self._used[number] = used - more
        if number in self.held and used - more < self._initial:
            self._open(number, self._initial - used, time, wants, method)

    def propose(self, initial: int, time: int) -> None:
        """It sends SETTINGS, which may change what every stream may send (-1: they do not).

        Until this end has got them, it may send what it might before.
        """
        self._proposed.append(initial)
        if len(self._proposed) > _MAX_SETTINGS:
            self.stop()
            self._proposed.clear()
        elif initial > self._initial:
            self.resize(initial, time)

    def accept(self, time: int) -> None:
        """Note that this end has got the next of these SETTINGS."""
        if self._proposed:
            initial = self._proposed.pop(0)
            if initial >= 0:
                self.resize(initial, time)

    def resize(self, initial: int, time: int) -> None:
        """What every stream may send is another number of bytes from now on."""
        before, self._initial = self._initial, initial
        if not self._counts or before == initial:
            return
        for number, used in self._used.items():
            if used >= initial:
                self.held.setdefault(number, time)
            elif number in self.held:
                self._open(number, before - used, time, False, "")

    def over(self, number: int, time: int, wants: bool, method: str, why: str) -> None:
        """A stream ends before this end has sent all of it, because of ``why``."""
        if wants and self._counts:
            for one in (number, _ALL):
                if one in self.held:
                    left = self._left if one == _ALL else self._initial - self._used.get(one, 0)
                    self._tell(one, self.held[one], time, left, why, method)
                    break
        self.end(number)

    # ── What that means ──────────────────────────────────────────────────────────────

    def _open(self, number: int, left: int, time: int, wants: bool, method: str) -> None:
        since = self.held.pop(number)
        if wants:
            self._tell(number, since, time, left, "", method)
        else:
            self._opened[number] = (since, time, left)

    def _tell(self, number: int, since: int, until: int, left: int, why: str, method: str) -> None:
        longest = self.stall
        if longest is None or until - since > longest.until - longest.since:
            self.stall = Stall(since, until, number, left, method, why)
