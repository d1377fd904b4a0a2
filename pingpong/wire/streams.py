"""Segments → the bytes of each direction, in order.

    segments      [0,4) [8,12) [4,8) [4,8) …… [20,24)
    given out     [0,4) [4,8) [8,12)          Gap(12, 8) [20,24)

A segment in order goes straight through.  One that comes early waits; one that brings
nothing new is a retransmission and goes no further; one that overlaps is trimmed to what
is new.  Bytes that never come become a Gap, never zeros: when the connection ends, when
the capture ends, when too much waits behind the hole, or when the receiver has
acknowledged them and PATIENCE more segments have passed (the capture lost them, not the
network).

Offsets are unwrapped: sequence numbers begin anew at 2³², offsets do not.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Union

from ..model import Chunk, Flow, Gap, Segment
from .link import ACK, FIN, RST, SYN, TCP, endpoint

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["Connection", "Connections", "Direction", "Piece"]

Piece = Union[Chunk, Gap]

# How much may wait behind a hole, in bytes and in segments.
MAX_WAITING: Final = 1 << 20
MAX_WAITING_SEGMENTS: Final = 4096

# Segments to wait for bytes that their receiver has acknowledged: a capture of several
# queues can hold an ACK before the bytes that it is for.
PATIENCE: Final = 64

# How many connections that have ended are remembered, so that what is sent again behind the end
# begins no new one.
MAX_ENDED: Final = 4096

# How many pairs of ends that talk by UDP are remembered: UDP has no end.
MAX_PAIRS: Final = 4096

_HALF: Final = 1 << 31
_WRAP: Final = (1 << 32) - 1


class _Waiting:
    """A segment that came before the bytes in front of it."""

    __slots__ = ("cut", "data", "number", "offset", "time")

    def __init__(self, offset: int, data: bytes, cut: int, time: int, number: int) -> None:
        self.offset = offset
        self.data = data
        self.cut = cut
        self.time = time
        self.number = number


class Direction:
    """One way of a connection.

    ``offset`` counts the bytes given out or given up so far.  ``from_start``: its SYN was
    captured, so that offset 0 is its first byte.
    """

    __slots__ = (
        "_acked",
        "_fin",
        "_next",
        "_patience",
        "_size",
        "_waiting",
        "from_start",
        "lost",
        "offset",
    )

    def __init__(self) -> None:
        self.offset: i64 = 0
        self.from_start = False
        self.lost = 0
        self._next: i64 = -1  # the sequence number of the byte at ``offset``; -1: none seen yet
        self._waiting: list[_Waiting] = []
        self._size = 0  # of what waits
        self._acked: i64 = 0  # the offset up to which the other side has acknowledged
        self._patience = PATIENCE
        self._fin: i64 = -1  # the offset of the end, once a FIN was seen

    @property
    def is_known(self) -> bool:
        return self._next >= 0

    @property
    def is_finished(self) -> bool:
        """The FIN was seen and everything before it given out."""
        return 0 <= self._fin <= self.offset

    def goes_on_at(self, seq: i64) -> bool:
        """Is that the next byte's number, and does nothing wait for bytes before it?"""
        return seq == self._next and self._fin < 0 and not self._waiting

    def go_on(self, size: i64) -> None:
        """So many bytes came in order: the short way of ``add``."""
        self.offset += size
        self._next = (self._next + size) & 0xFFFFFFFF

    @property
    def is_patient(self) -> bool:
        """Will it wait on, whatever the next acknowledgement says?"""
        return not self._waiting or self._patience > 1

    def note(self, ack: i64) -> None:
        """Take note of the other side's acknowledgement."""
        if self._next < 0:
            return
        place = self._place(ack)
        if place > self._acked:
            self._acked = place
        if not self._waiting or self._acked <= self.offset:
            self._patience = PATIENCE
        else:
            self._patience -= 1

    def begin(self, seq: int) -> None:
        """A SYN: the first byte has the number after it."""
        self._next = (seq + 1) & _WRAP
        self.from_start = True

    def has_begun_at(self, seq: int) -> bool:
        """Is this SYN the one that began this direction, sent again?"""
        return self.from_start and self._place(seq + 1) == 0

    def _place(self, seq: i64) -> i64:
        """The offset of a sequence number: the one nearest to the current offset."""
        return self.offset + ((seq - self._next + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def place(self, segment: Segment) -> int:
        """The offset at which a segment's payload stands, in a direction that ``is_known``."""
        return self._place(segment.seq + 1 if segment.flags & SYN else segment.seq)

    def add(self, segment: Segment) -> tuple[list[Piece], str]:
        """Take a segment's payload; the pieces that are in order with it, and a remark."""
        if self._next < 0:
            self._next = segment.seq
        seq = segment.seq + 1 if segment.flags & SYN else segment.seq
        place = self._place(seq)
        data = segment.payload
        cut = segment.cut
        stop = place + len(data) + cut
        if segment.flags & FIN and self._fin < 0:
            self._fin = stop
        if not data and not cut:
            # RFC 9293, 3.8.4: a keep-alive repeats the number of the byte before.
            return [], "keep-alive" if place == self.offset - 1 else ""
        if stop <= self.offset:
            return [], "retransmission"
        if place > self.offset:
            return self._wait(_Waiting(place, data, cut, segment.time, segment.number))
        pieces: list[Piece] = []
        remark = "overlap" if place < self.offset else ""
        self._give(pieces, _Waiting(place, data, cut, segment.time, segment.number))
        if self._waiting:
            self._drain(pieces)
        return pieces, remark

    def acknowledge(self, ack: int) -> list[Piece]:
        """Take note of the other side's acknowledgement; gives up a hole if it is time to."""
        self.note(ack)
        if self._patience:
            return []
        self._patience = PATIENCE
        return self._give_up()

    def close(self) -> list[Piece]:
        """No more will come: everything that waits, with the Gaps between."""
        pieces: list[Piece] = []
        while self._waiting:
            pieces += self._give_up()
        # Acknowledged and never seen.  One more than the bytes may be the FIN's own number.
        lost = self._acked - self.offset
        if self._next >= 0 and lost > 1 and lost < _HALF:
            pieces.append(self._lose(lost if self._fin < 0 else max(self._fin - self.offset, 0)))
        return [piece for piece in pieces if not isinstance(piece, Gap) or piece.length]

    def _wait(self, early: _Waiting) -> tuple[list[Piece], str]:
        at = len(self._waiting)
        while at and self._waiting[at - 1].offset > early.offset:
            at -= 1
        if at:
            before = self._waiting[at - 1]
            if before.offset + len(before.data) >= early.offset + len(early.data):
                return [], "retransmission"
        self._waiting.insert(at, early)
        self._size += len(early.data)
        pieces: list[Piece] = []
        while self._size > MAX_WAITING or len(self._waiting) > MAX_WAITING_SEGMENTS:
            pieces += self._give_up()
        return pieces, "out of order"

    def _give_up(self) -> list[Piece]:
        """Call the bytes before the first that waits lost, and go on behind them."""
        pieces: list[Piece] = [self._lose(self._waiting[0].offset - self.offset)]
        self._drain(pieces)
        return pieces

    def _lose(self, length: int) -> Gap:
        gap = Gap(self.offset, length)
        self.lost += length
        self.go_on(length)
        return gap

    def _drain(self, pieces: list[Piece]) -> None:
        ready = 0
        while ready < len(self._waiting) and self._waiting[ready].offset <= self.offset:
            early = self._waiting[ready]
            self._size -= len(early.data)
            self._give(pieces, early)
            ready += 1
        del self._waiting[:ready]

    def _give(self, pieces: list[Piece], part: _Waiting) -> None:
        """Give out what is new in ``part``, which begins at the current offset or before."""
        known = self.offset - part.offset
        data = part.data[known:] if known else part.data
        if data:
            pieces.append(Chunk(self.offset, data, part.time, part.number))
            self.go_on(len(data))
        cut = part.offset + len(part.data) + part.cut - self.offset
        if cut > 0 and part.cut:
            pieces.append(self._lose(cut))


class Connection:
    """A Flow as it is put together: its two directions."""

    __slots__ = ("client_key", "flow", "from_client", "from_server", "server_key")

    def __init__(self, number: int, segment: Segment, client: bytes, server: bytes) -> None:
        self.client_key = client
        self.server_key = server
        self.flow = Flow(number, segment.protocol, endpoint(client), endpoint(server))
        self.flow.began = segment.time
        self.from_client = Direction()
        self.from_server = Direction()

    @property
    def key(self) -> bytes:
        return _key(self.flow.protocol, self.client_key, self.server_key)

    def is_from_client(self, segment: Segment) -> bool:
        return segment.source == self.client_key

    def add(self, segment: Segment) -> tuple[list[Piece], list[Piece], str]:
        """Take a segment of this connection.

        Returns the pieces now in order from the client, those from the server, and a remark.
        """
        by_client = self.is_from_client(segment)
        one = self.from_client if by_client else self.from_server
        other = self.from_server if by_client else self.from_client
        half = self.flow.from_client if by_client else self.flow.from_server
        self.flow.last = segment.time
        flags = segment.flags
        remark = ""
        if flags & SYN:
            if one.is_known:
                remark = "retransmission"
            else:
                one.begin(segment.seq)
                self.flow.opened = True
                half.syn = segment.time
                half.from_start = True
        pieces: list[Piece] = []
        said = ""
        if not flags & RST:
            pieces, said = one.add(segment)
            remark = remark or said
        if pieces or said == "out of order":
            half.last = segment.time
        if flags & FIN and half.fin < 0:
            half.fin = segment.time
        if flags & RST and half.rst < 0:
            half.rst = segment.time
        others: list[Piece] = []
        if flags & ACK:
            others = other.acknowledge(segment.ack)
        if flags & RST:
            self.flow.ended = "RST"
        elif one.is_finished and other.is_finished and not self.flow.ended:
            self.flow.ended = "FIN"
        self._count()
        return (pieces, others, remark) if by_client else (others, pieces, remark)

    def swap(self) -> None:
        """The ends were guessed, and wrongly: the client is the server."""
        self.client_key, self.server_key = self.server_key, self.client_key
        self.from_client, self.from_server = self.from_server, self.from_client
        flow = self.flow
        flow.client, flow.server = flow.server, flow.client
        flow.from_client, flow.from_server = flow.from_server, flow.from_client
        self._count()

    def close(self) -> tuple[list[Piece], list[Piece]]:
        """No more will come: what waits in either direction, with its Gaps."""
        pieces = self.from_client.close(), self.from_server.close()
        for half, last in zip((self.flow.from_client, self.flow.from_server), pieces, strict=True):
            if last and isinstance(last[-1], Gap):
                half.unseen = last[-1].length
        self._count()
        return pieces

    def _count(self) -> None:
        flow = self.flow
        flow.lost = self.from_client.lost + self.from_server.lost
        flow.from_client.lost = self.from_client.lost
        flow.from_server.lost = self.from_server.lost
        flow.sent = self.from_client.offset
        flow.received = self.from_server.offset


class Connections:
    """Finds the connection that a segment belongs to."""

    def __init__(self) -> None:
        self._open: dict[bytes, Connection] = {}
        self._ended: deque[Connection] = deque()
        self._pairs: dict[bytes, Connection] = {}  # by UDP, the one idle longest first
        self._count = 0

    def of(self, segment: Segment) -> tuple[Connection, Connection | None]:
        """The segment's connection, and the one whose place it takes, if any: a SYN on
        ports that were used before begins a new connection."""
        key = _key(segment.protocol, segment.source, segment.target)
        if segment.protocol != TCP:
            return self._pair(key, segment), None
        known = self._open.get(key)
        if known is not None and not self._begins_anew(known, segment):
            return known, None
        new = self._new(segment)
        self._open[key] = new
        return new, known

    def _new(self, segment: Segment) -> Connection:
        client, server = _ends(segment)
        self._count += 1
        return Connection(self._count, segment, client, server)

    def _pair(self, key: bytes, segment: Segment) -> Connection:
        pair = self._pairs.pop(key, None)
        if pair is None:
            pair = self._new(segment)
        self._pairs[key] = pair
        return pair

    def forget_pair(self) -> Connection | None:
        """The pair of UDP ends that was idle longest, forgotten if there are too many; else None.
        When they talk again, they are a new pair."""
        if len(self._pairs) <= MAX_PAIRS:
            return None
        return self._pairs.pop(next(iter(self._pairs)))

    def end(self, connection: Connection) -> Connection | None:
        """Take note that a connection has ended.  The one that is forgotten for it, if any: so
        memory is bounded by what is open, not by what was."""
        self._ended.append(connection)
        if len(self._ended) <= MAX_ENDED:
            return None
        oldest = self._ended.popleft()
        key = oldest.key
        if self._open.get(key) is oldest:
            del self._open[key]
        return oldest

    def all(self) -> list[Connection]:
        """The TCP connections that are remembered."""
        return list(self._open.values())

    def _begins_anew(self, known: Connection, segment: Segment) -> bool:
        if segment.protocol != TCP or segment.flags & (SYN | ACK) != SYN:
            return False
        by_client = known.is_from_client(segment)
        direction = known.from_client if by_client else known.from_server
        if direction.from_start:
            return not direction.has_begun_at(segment.seq)
        return direction.is_known or bool(known.flow.ended)


def _key(protocol: int, source: bytes, target: bytes) -> bytes:
    """The same for both directions."""
    first, second = (source, target) if source < target else (target, source)
    return bytes((protocol,)) + first + second


def _ends(segment: Segment) -> tuple[bytes, bytes]:
    """Client and server: who sends the SYN, else who has the higher port, is the client."""
    source, target = segment.source, segment.target
    higher = source[-2:] >= target[-2:]
    is_client = not segment.flags & ACK if segment.flags & SYN else higher
    return (source, target) if is_client else (target, source)
