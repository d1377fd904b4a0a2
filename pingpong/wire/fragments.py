"""IP fragments → the datagrams that they are parts of.

    fragments     [0,1480)+  [2960,3200).  [1480,2960)+         + more follow   . the last
    given out                              [0,3200)

The parts of a datagram wait, in order and without overlap, until they reach from 0 to the
end that its last fragment names.  Where two fragments claim the same place, the first one
wins.  A fragment of a datagram that has just been completed is a duplicate if it brings the
same bytes: a capture of several interfaces holds each packet more than once.

What may wait is bounded: in datagrams, in bytes, and in the packets' own time, because
identifiers are reused.  Bytes that a fragment had on the wire but that the capture did not
keep count as covered, so that the datagram still ends where it says.  Its ``data`` then
stops at the first of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from ..model import Packet, Severity

__all__ = ["Datagram", "Fragments"]

# RFC 791, RFC 8200: the total length, or the payload length, has 16 bits.
LARGEST: Final = 65_535

# The first two are Linux's bounds as well (ipfrag_high_thresh, ipfrag_time).
MAX_BYTES: Final = 4 << 20
TIMEOUT: Final = 30 * 1_000_000_000
MAX_OPEN: Final = 1024

# How many completed datagrams are remembered, to recognise duplicates of their fragments.
MAX_DONE: Final = 64

# What a part costs in memory besides its bytes: a fragment may be as small as 8 bytes.
_PART: Final = 128


class _Part:
    """Bytes ``[start, stop)`` of a datagram; ``data`` is shorter if the capture cut them.

    They are ``skipped`` bytes after the IP header of packet ``number``.
    """

    __slots__ = ("data", "number", "skipped", "start", "stop")

    def __init__(self, start: int, stop: int, data: bytes, number: int, skipped: int) -> None:
        self.start = start
        self.stop = stop
        self.data = data
        self.number = number
        self.skipped = skipped


class Datagram:
    """What IP carried, put together from ``count`` fragments.

    ``kind`` is the number of the protocol in it.  ``data`` is its bytes, up to the first that
    the capture did not keep; ``length`` is how many it had on the wire, -1 while that is not
    known.  ``first`` is the number of the packet with the fragment that came first.
    ``made_of`` is as ``Segment.parts`` has it.
    """

    __slots__ = (
        "_covered",
        "_parts",
        "count",
        "data",
        "first",
        "kind",
        "length",
        "made_of",
        "size",
        "time",
    )

    def __init__(self, packet: Packet, kind: int) -> None:
        self.first = packet.number
        self.time = packet.time
        self.kind = kind
        self.count = 0
        self.length = -1  # only the last fragment tells
        self.size = 0  # the memory that it takes, in bytes
        self.data = b""
        self.made_of: tuple[tuple[int, int, int, int], ...] = ()
        self._covered = 0
        self._parts: list[_Part] = []

    @property
    def is_whole(self) -> bool:
        """Whether all of it has come, even if the capture kept only a part."""
        return self._covered == self.length

    def add(
        self, kind: int, start: int, stop: int, data: bytes, is_last: bool, number: int
    ) -> bool:
        """Take what is new in a fragment; False if it contradicts what came before."""
        if start == 0 and not (self._parts and self._parts[0].start == 0):
            # RFC 8200, 4.5: the first fragment says what follows the fragment header.
            self.kind = kind
        end = self._parts[-1].stop if self._parts else 0
        if is_last and self.length < 0 and end <= stop:
            self.length = stop
        agrees = stop == self.length if is_last else self.length < 0 or stop < self.length
        if self.length >= 0:
            stop = min(stop, self.length)
        self.count += 1
        return self._fill(start, stop, data, number) and agrees

    def _fill(self, start: int, stop: int, data: bytes, number: int) -> bool:
        """Put a fragment where nothing is yet; False if it differs from what is there already."""
        parts = self._parts
        origin = start
        at = bisect_right(parts, start, key=_stop)
        agrees = True
        while start < stop:
            if at == len(parts) or start < parts[at].start:
                until = stop if at == len(parts) else min(stop, parts[at].start)
                skipped = start - origin
                ours = data[skipped : until - origin]
                self._insert(at, _Part(start, until, ours, number, skipped))
            else:
                known = parts[at]
                until = min(stop, known.stop)
                ours = data[start - origin : until - origin]
                theirs = known.data[start - known.start : until - known.start]
                both = min(len(ours), len(theirs))
                agrees = agrees and ours[:both] == theirs[:both]
            start = until
            at += 1
        return agrees

    def _insert(self, at: int, part: _Part) -> None:
        self._parts.insert(at, part)
        self._covered += part.stop - part.start
        self.size += len(part.data) + _PART

    def close(self) -> bool:
        """Join the parts into ``data``; False if captured bytes are left out, after a cut."""
        pieces: list[bytes] = []
        used = 0
        for part in self._parts:
            pieces.append(part.data)
            used += 1
            if len(part.data) < part.stop - part.start:
                break
        self.data = b"".join(pieces)
        self.made_of = tuple(
            (part.number, part.skipped, part.start, part.start + len(part.data))
            for part in self._parts[:used]
        )
        return not any(part.data for part in self._parts[used:])

    def has(self, start: int, stop: int, data: bytes, is_last: bool) -> bool:
        """Whether this completed datagram holds the fragment already, with the same bytes."""
        if stop > self.length or is_last != (stop == self.length):
            return False
        known = self.data[start:stop]
        return known.startswith(data) or data.startswith(known)

    def missing(self) -> str:
        """What never came, in words."""
        at = 0
        for part in self._parts:
            if part.start > at:
                return f"bytes {at} to {part.start} never came"
            at = part.stop
        if self.length < 0:
            return f"nothing behind byte {at} came"
        return f"bytes {at} to {self.length} never came"


def _stop(part: _Part) -> int:
    return part.stop


class Fragments:
    """Puts datagrams together, within bounds.

    ``say`` is called with a severity, a reason and a sentence; it reports each reason once.
    """

    def __init__(self, say: Callable[[Severity, str, str], None]) -> None:
        self._say = say
        self._open: dict[bytes, Datagram] = {}  # oldest first
        self._done: dict[bytes, Datagram] = {}
        self._size = 0  # the memory that the open ones take
        self._lost = 0  # datagrams that were given up
        self._example = ""  # what became of the first of them

    def add(
        self, packet: Packet, key: bytes, kind: int, start: int, data: bytes, size: int, more: bool
    ) -> Datagram | None:
        """Take a fragment; returns the datagram if this completes it, else None.

        ``key`` tells one datagram from another (addresses, identifier, protocol).  The
        fragment had ``size`` bytes from ``start`` on, of which the capture kept ``data``.
        ``more``: it is not the last fragment.
        """
        stop = start + size
        if not self._is_sound(packet, start, stop, more):
            return None
        if self._is_duplicate(packet, key, start, stop, data, not more):
            return None
        datagram = self._of(packet, key, kind)
        before = datagram.size
        if not datagram.add(kind, start, stop, data, not more, packet.number):
            self._say(
                Severity.WARNING,
                "fragments that differ",
                f"packet {packet.number}: its IP fragment (bytes {start} to {stop}) differs from "
                f"those of the same datagram before it, from packet {datagram.first} on. Where "
                f"they overlap, the first was kept",
            )
        self._size += datagram.size - before
        if datagram.is_whole:
            return self._complete(packet, key, datagram)
        self._bound(packet)
        return None

    def close(self) -> None:
        """No more fragments will come: report the datagrams that are not complete."""
        for key in list(self._open):
            self._give_up(key)
        if self._lost:
            how_many = "a datagram" if self._lost == 1 else f"{self._lost} datagrams"
            self._say(
                Severity.WARNING,
                "fragments that never came",
                f"IP fragments: {how_many} could not be put together; {self._example}",
            )

    def _is_sound(self, packet: Packet, start: int, stop: int, more: bool) -> bool:
        size = stop - start
        if stop > LARGEST:
            text = f"ends at byte {stop}, want at most {LARGEST}"
        elif size <= 0 or (more and size % 8):
            text = f"has {max(size, 0)} bytes, want 1 or more, and a multiple of 8 but in the last"
        else:
            return True
        self._say(
            Severity.WARNING,
            "fragments that cannot be",
            f"packet {packet.number}: its IP fragment at byte {start} {text}. It was not used",
        )
        return False

    def _is_duplicate(
        self, packet: Packet, key: bytes, start: int, stop: int, data: bytes, is_last: bool
    ) -> bool:
        done = self._done.get(key)
        if done is None:
            return False
        if packet.time - done.time <= TIMEOUT and done.has(start, stop, data, is_last):
            return True
        del self._done[key]
        return False

    def _of(self, packet: Packet, key: bytes, kind: int) -> Datagram:
        datagram = self._open.get(key)
        if datagram is not None and packet.time - datagram.time > TIMEOUT:
            self._give_up(key)
            datagram = None
        if datagram is None:
            datagram = self._open[key] = Datagram(packet, kind)
        return datagram

    def _complete(self, packet: Packet, key: bytes, datagram: Datagram) -> Datagram:
        del self._open[key]
        self._size -= datagram.size
        if not datagram.close():
            self._say(
                Severity.WARNING,
                "fragments that were cut",
                f"packet {packet.number}: completes an IP datagram of {datagram.length} bytes, of "
                f"which only the first {len(datagram.data)} are used, because a fragment was "
                f"captured in part. Capture with a larger snaplen (tcpdump -s 0)",
            )
        self._done[key] = datagram
        if len(self._done) > MAX_DONE:
            del self._done[next(iter(self._done))]
        return datagram

    def _bound(self, packet: Packet) -> None:
        while len(self._open) > MAX_OPEN or self._size > MAX_BYTES:
            self._say(
                Severity.WARNING,
                "too many fragments",
                f"packet {packet.number}: more than {MAX_OPEN} IP datagrams or {MAX_BYTES} bytes "
                f"wait for their fragments. The oldest are given up",
            )
            self._give_up(next(iter(self._open)))

    def _give_up(self, key: bytes) -> None:
        datagram = self._open.pop(key)
        self._size -= datagram.size
        self._lost += 1
        if not self._example:
            fragments = "fragment" if datagram.count == 1 else "fragments"
            self._example = (
                f"of the first, from packet {datagram.first} on, {datagram.count} {fragments} "
                f"came, and {datagram.missing()}"
            )
