"""Segments → the bytes of each direction, in order.

    segments      [0,4) [8,12) [4,8) [4,8) …… [20,24)
    given out     [0,4) [4,8) [8,12)          Gap(12, 8) [20,24)

A segment in order goes straight through.  One that comes early waits.  One that brings
nothing new is a retransmission and goes no further.  One that overlaps is trimmed to what
is new.  Bytes that never come become a Gap, never zeros: when the connection ends, when
the capture ends, when too much waits after the hole, or when the receiver has
acknowledged them and PATIENCE more segments have passed (then the capture lost them, not
the network).

Offsets are unwrapped: sequence numbers start over at 2³², offsets do not.  If a capture begins in
mid-stream, or seems to, offset 0 is the first byte that it has.  If a SYN then comes late whose
number fits right before that, the bytes between them have offsets below 0: a Direction of their own
puts them in order.

A RST ends a connection if it belongs to it: its numbers are near to where the connection is (RFC
5961, 3.2), and its sender says no more.  One that does not belong to it, from an older connection
or from someone in between, is ignored.
"""

from __future__ import annotations

from collections import deque
from heapq import nsmallest
from typing import TYPE_CHECKING, Final, Union

from ..model import DEFAULT_LIMITS, Chunk, Flow, Gap, Half, Segment
from .link import ACK, FIN, RST, SYN, TCP, endpoint

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["Connection", "Connections", "Direction", "Piece"]

Piece = Union[Chunk, Gap]

# How much may wait after a hole, in bytes and in segments.
MAX_WAITING: Final = 1 << 20
MAX_WAITING_SEGMENTS: Final = 4096

# How many segments to wait for bytes that their receiver has acknowledged: a capture of
# several queues can hold an ACK before the bytes that it acknowledges.
PATIENCE: Final = 64

# How many ended connections are remembered, so that a segment that is sent again after the end
# does not begin a new one.
MAX_ENDED: Final = 4096

# How many pairs of UDP ends are remembered: UDP has no end.
MAX_PAIRS: Final = 4096

# This part of the open connections is looked for at once when the one idle longest is wanted.
IDLE_PART: Final = 16

# How far from where a direction is a RST, SYN or FIN may be and still belong to it, in bytes.
NEAR: Final = 1 << 20

# A connection and its copy beyond a NAT begin within this time, in nanoseconds; and this many first
# packets are remembered to recognise the copy.
SOON: Final = 1_000_000_000

# A SYN whose number is before what was captured already is that connection's own, captured late, if
# it comes within this time of its first packet, in nanoseconds.  What reorders a capture moves
# packets by less; a new connection whose number happens to fit there comes later.
LATE: Final = 1_000_000_000
MAX_FIRSTS: Final = 1024

_HALF: Final = 1 << 31
_WRAP: Final = (1 << 32) - 1


class _Waiting:
    """A segment that came earlier than the bytes before it."""

    __slots__ = ("cut", "data", "number", "offset", "time")

    def __init__(self, offset: int, data: bytes, cut: int, time: int, number: int) -> None:
        self.offset = offset
        self.data = data
        self.cut = cut
        self.time = time
        self.number = number


class Direction:
    """One direction of a connection.

    ``offset`` counts the bytes that were given out or given up so far.  ``from_start``: its SYN was
    captured, so offset 0 is its first byte.  ``before`` has the bytes between a SYN that came late
    and offset 0, if one came.  ``missed`` counts bytes that came after those that follow them, when
    nothing was known before these.  ``skipped`` counts those between what the other side had
    acknowledged when it was first seen, and offset 0: they are lost, or came before the capture.
    """

    __slots__ = (
        "_acked",
        "_fin",
        "_first_ack",
        "_last_ack",
        "_lost",
        "_missed_from",
        "_next",
        "_patience",
        "_size",
        "_start",
        "_waiting",
        "before",
        "from_start",
        "missed",
        "offset",
        "skipped",
    )

    def __init__(self) -> None:
        self.offset: i64 = 0
        self.from_start = False
        self.before: Direction | None = None
        self.missed: i64 = 0
        self.skipped: i64 = 0
        self._missed_from: i64 = 0  # from where on they are counted
        self._start: i64 = 0  # the offset of its first byte
        self._next: i64 = -1  # the sequence number of the byte at ``offset``; -1: none seen yet
        self._waiting: list[_Waiting] = []
        self._size = 0  # how many bytes wait
        self._lost = 0
        self._acked: i64 = 0  # the offset up to which the other side has acknowledged
        self._patience = PATIENCE
        self._fin: i64 = -1  # the offset of the end; -1: no FIN was seen
        # The first and the last number that was acknowledged before any packet of it was seen.
        self._first_ack: i64 = -1
        self._last_ack: i64 = -1

    @property
    def is_known(self) -> bool:
        """Whether a segment of it was seen, so that its sequence numbers have offsets."""
        return self._next >= 0

    @property
    def is_finished(self) -> bool:
        """Whether the FIN was seen, and everything before it given out or given up."""
        return 0 <= self._fin <= self.offset

    def goes_on_at(self, seq: i64) -> bool:
        """Whether ``seq`` is the number of the next byte, with no FIN seen and nothing waiting."""
        return seq == self._next and self._fin < 0 and not self._waiting

    def go_on(self, size: i64) -> None:
        """Take ``size`` bytes that came in order: the short way of ``add``."""
        self.offset += size
        self._next = (self._next + size) & 0xFFFFFFFF

    @property
    def is_patient(self) -> bool:
        """Whether it is sure that the next acknowledgement will not make it give up a hole."""
        return not self._waiting or self._patience > 1

    def note(self, ack: i64) -> None:
        """Record the other side's acknowledgement."""
        if self._next < 0:
            if self._first_ack < 0:
                self._first_ack = self._last_ack = ack
            elif (ack - self._last_ack) & 0xFFFFFFFF < _HALF:
                self._last_ack = ack
            return
        place = self._place(ack)
        if place > self._acked:
            self._acked = place
        if not self._waiting or self._acked <= self.offset:
            self._patience = PATIENCE
        else:
            self._patience -= 1

    @property
    def is_behind(self) -> bool:
        """Whether the other side has acknowledged bytes of it that were not seen yet."""
        return self._next >= 0 and self._acked > self.offset

    @property
    def acked(self) -> int:
        """How many bytes the other side has acknowledged (see ``Half.acked``)."""
        if self._next < 0:
            return (self._last_ack - self._first_ack) & 0xFFFFFFFF
        return min(self._acked, self._fin) if self._fin >= 0 else self._acked

    @property
    def lost(self) -> int:
        """How many bytes were given up."""
        return self._lost if self.before is None else self._lost + self.before._lost

    @property
    def waiting(self) -> int:
        """How many bytes wait for those that come before them."""
        return self._size if self.before is None else self._size + self.before._size

    @property
    def has_fin(self) -> bool:
        """Whether its FIN was seen, even if bytes before it have not come."""
        return self._fin >= 0

    @property
    def has_begun(self) -> bool:
        """Whether its SYN was seen."""
        return self.from_start or self.before is not None

    def begin(self, seq: int) -> None:
        """Record a SYN with the number ``seq``: the first byte has the number after it."""
        first = (seq + 1) & _WRAP
        if self._next < 0:
            self._next = first
        place = self._place(first)
        if place == 0:
            self.from_start = True
            return
        before = Direction()
        before.offset = before._start = place
        before.from_start = True
        before._next = first
        before._fin = 0
        self.before = before

    def begins_at(self, seq: int) -> bool:
        """Whether a SYN with this number is the one that began this direction, repeated or late."""
        place = self._place(seq + 1)
        if self.before is not None:
            return place == self.before._start
        return place == 0

    def may_begin_at(self, seq: int) -> bool:
        """Whether a SYN with this number fits before its first byte, and none was seen."""
        return not self.has_begun and -NEAR <= self._place(seq + 1) < 0

    def is_near(self, seq: int) -> bool:
        """Whether that number is near to where this direction is, as far as that is known."""
        if self._next < 0:
            far = (seq - self._last_ack + NEAR) & 0xFFFFFFFF
            return self._last_ack >= 0 and far <= 2 * NEAR
        place = self._place(seq)
        end = max(self.offset, self._acked)
        if self._waiting:
            end = max(end, self._waiting[-1].offset + len(self._waiting[-1].data))
        return self.offset - NEAR <= place <= end + NEAR

    def _place(self, seq: i64) -> i64:
        """The offset of a sequence number: of all candidates, the nearest to where we are."""
        return self.offset + ((seq - self._next + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def place(self, segment: Segment) -> int:
        """The offset at which a segment's payload begins, in a direction that ``is_known``."""
        return self._place(segment.seq + 1 if segment.flags & SYN else segment.seq)

    def add(self, segment: Segment) -> tuple[list[Piece], str]:
        """Take a segment's payload; returns the pieces that are now in order, and a remark.

        The remark is "" for a segment in order, else "keep-alive", "retransmission", "overlap" or
        "out of order".
        """
        if self._next < 0:
            self._next = segment.seq
            ahead = (segment.seq - self._first_ack) & 0xFFFFFFFF
            if self._first_ack >= 0 and ahead < _HALF:
                self.skipped = ahead
        seq = segment.seq + 1 if segment.flags & SYN else segment.seq
        place = self._place(seq)
        data = segment.payload
        cut = segment.cut
        stop = place + len(data) + cut
        if segment.flags & FIN and self._fin < 0 and stop >= self.offset and self.is_near(seq):
            self._fin = stop
        if place < 0 and self.before is not None and stop > place:
            return self._add_before(self.before, segment, place, stop)
        if not data and not cut:
            # RFC 9293, 3.8.4: a keep-alive repeats the number of the byte before.
            return [], "keep-alive" if place == self.offset - 1 else ""
        if place < self._missed_from and not self.from_start:
            self._miss(place, stop)
        return self._put(_Waiting(place, data, cut, segment.time, segment.number))

    def _put(self, part: _Waiting) -> tuple[list[Piece], str]:
        """Give out a part if it is in order, or let it wait; see ``add``."""
        if part.offset + len(part.data) + part.cut <= self.offset:
            return [], "retransmission"
        if part.offset > self.offset:
            return self._wait(part)
        pieces: list[Piece] = []
        remark = "overlap" if part.offset < self.offset else ""
        self._give(pieces, part)
        if self._waiting:
            self._drain(pieces)
        return pieces, remark

    def _add_before(
        self, before: Direction, segment: Segment, place: i64, stop: i64
    ) -> tuple[list[Piece], str]:
        """Take a payload that begins before offset 0, after a SYN that came late."""
        data, cut = segment.payload, segment.cut
        inside = min(-place, len(data))  # how much of it is before offset 0
        missing = min(-place - inside, cut)
        part = _Waiting(place, data[:inside], missing, segment.time, segment.number)
        pieces, remark = before._put(part)
        if stop > self.offset:
            rest = _Waiting(0, data[inside:], cut - missing, segment.time, segment.number)
            more, said = self._put(rest)
            return pieces + more, remark or said
        return pieces, remark

    def _miss(self, place: i64, stop: i64) -> None:
        """Count bytes before the first of them that came, which has been given out."""
        if place < -NEAR or (place == -1 and stop == 0):
            return  # nowhere near; or a keep-alive that repeats a byte
        self.missed += min(stop, self._missed_from) - place
        self._missed_from = place

    def acknowledge(self, ack: int) -> list[Piece]:
        """Take the other side's acknowledgement, and give up a hole if it is time.

        Returns the pieces that are in order after that, the Gap first.
        """
        pieces: list[Piece] = []
        if self.before is not None and self.before.offset < 0:
            pieces = self.before.acknowledge(ack)
        self.note(ack)
        if self._patience:
            return pieces
        self._patience = PATIENCE
        return pieces + self._give_up()

    def close(self) -> list[Piece]:
        """No more will come: returns everything that waits, with the Gaps in between."""
        pieces: list[Piece] = []
        if self.before is not None:
            pieces += self.before.close()
        while self._waiting:
            pieces += self._give_up()
        # Acknowledged and never seen.  A difference of 1 may be the FIN's own number.
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
        """Call the bytes before the first waiting segment lost, and go on after them."""
        pieces: list[Piece] = [self._lose(self._waiting[0].offset - self.offset)]
        self._drain(pieces)
        return pieces

    def _lose(self, length: int) -> Gap:
        gap = Gap(self.offset, length)
        self._lost += length
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
        """Give out what is new in ``part``, which begins at the current offset or earlier."""
        known = self.offset - part.offset
        data = part.data[known:] if known else part.data
        if data:
            pieces.append(Chunk(self.offset, data, part.time, part.number))
            self.go_on(len(data))
        cut = part.offset + len(part.data) + part.cut - self.offset
        if cut > 0 and part.cut:
            pieces.append(self._lose(cut))


class Connection:
    """A connection while its bytes are put together: a Flow and its two directions.

    ``client_key`` and ``server_key`` are its ends as a Segment has them.  ``strays`` counts the
    RSTs and SYNs that look like its own and are not; ``first_stray`` is the packet of the first.
    ``is_back``: it was reset and goes on nevertheless; the caller clears it.  ``twin`` may
    be the same connection, on the other side of a NAT.
    """

    __slots__ = (
        "_is_lone",
        "_reset_at",
        "client_key",
        "first_ident",
        "first_stray",
        "flow",
        "from_client",
        "from_server",
        "is_back",
        "is_over",
        "server_key",
        "strays",
        "twin",
    )

    def __init__(self, number: int, segment: Segment, client: bytes, server: bytes) -> None:
        self.client_key = client
        self.server_key = server
        self.flow = Flow(number, segment.protocol, endpoint(client), endpoint(server))
        self.flow.began = segment.time
        self.first_ident = segment.ident
        self.from_client = Direction()
        self.from_server = Direction()
        self.strays = 0
        self.first_stray = 0
        self.is_back = False  # it was reset, and goes on: the caller that sees it clears it
        self.is_over = False  # it has ended, and what comes of it begins nothing new
        self.twin: Connection | None = None  # perhaps the same one, on the other side of a NAT
        self._is_lone = False  # nothing was seen of it but a RST
        self._reset_at: i64 = 0  # the offset at which it was reset

    @property
    def key(self) -> bytes:
        """What its segments have in common, in both directions: protocol, addresses, ports."""
        return _key(self.flow.protocol, self.client_key, self.server_key)

    def is_from_client(self, segment: Segment) -> bool:
        """Whether the client sent this segment of the connection, as far as the ends are known."""
        return segment.source == self.client_key

    def add(self, segment: Segment) -> tuple[list[Piece], list[Piece], str]:
        """Take a segment of this connection.

        Returns the pieces now in order from the client, those from the server, and a remark.
        """
        by_client = self.is_from_client(segment)
        one = self.from_client if by_client else self.from_server
        other = self.from_server if by_client else self.from_client
        half = self.flow.from_client if by_client else self.flow.from_server
        flags = segment.flags
        if flags & (RST | SYN) and self._is_stray(segment, one, other):
            self._pass_over(segment.number)
            return [], [], "stray"
        if self.flow.ended == "RST" and not flags & RST:
            self._go_on(segment, one, half)
        self.flow.last = segment.time
        if half.seen < 0:
            half.seen = segment.time
        remark = ""
        if flags & SYN:
            if one.has_begun:
                remark = "retransmission"
            else:
                one.begin(segment.seq)
                self.flow.opened = True
                half.syn = segment.time
                half.from_start = one.from_start
        pieces: list[Piece] = []
        said = ""
        if not flags & RST:
            pieces, said = one.add(segment)
            remark = remark or said
        if pieces or said == "out of order":
            half.last = segment.time
        if half.fin < 0 and flags & FIN and one.has_fin:
            half.fin = segment.time
        others: list[Piece] = []
        if flags & ACK:
            others = other.acknowledge(segment.ack)
        if flags & RST:
            self._reset(segment, one, half)
        elif one.is_finished and other.is_finished and not self.flow.ended:
            self.flow.ended = "FIN"
        self._count()
        return (pieces, others, remark) if by_client else (others, pieces, remark)

    def _is_stray(self, segment: Segment, one: Direction, other: Direction) -> bool:
        """Whether the numbers of a SYN or a RST are far from this connection's.

        A SYN without ACK does not come here: it begins a new connection (``Connections.of``).
        """
        if not segment.flags & RST:
            return one.is_known and not self.is_begun_by(segment, one)
        if one.is_known:
            return not one.is_near(segment.seq)
        if segment.flags & ACK and other.is_known:
            return not other.is_near(segment.ack)  # it answers a SYN: its own number means nothing
        return other.is_known and not one.is_near(segment.seq)

    def is_begun_by(self, segment: Segment, one: Direction) -> bool:
        """Whether a SYN began this direction of it, and comes again, or comes late."""
        if one.begins_at(segment.seq):
            return True
        is_soon = -LATE <= segment.time - self.flow.began <= LATE
        return is_soon and not self.flow.ended and one.may_begin_at(segment.seq)

    def _pass_over(self, number: int) -> None:
        self.strays += 1
        self.first_stray = self.first_stray or number

    def _reset(self, segment: Segment, one: Direction, half: Half) -> None:
        if half.rst < 0:
            half.rst = segment.time
        if self.flow.ended != "RST":
            self._reset_at = one.place(segment) if one.is_known else 0
            self._is_lone = not self.from_client.is_known and not self.from_server.is_known
            if not self.strays:
                self.first_stray = segment.number
        self.flow.ended = "RST"

    def _go_on(self, segment: Segment, one: Direction, half: Half) -> None:
        """See whether a segment shows that a RST was not this connection's own.

        An end that has reset a connection says no more.  If new bytes come from there, the RST was
        somebody else's.  So was a RST that came before everything else.
        """
        stop = 0
        if one.is_known and segment.payload:
            stop = one.place(segment) + len(segment.payload)
        if not self._is_lone and (half.rst < 0 or stop <= max(one.offset, self._reset_at)):
            return
        if self._is_lone:
            self.flow.began = segment.time
        self.is_back = True
        self._is_lone = False
        self.strays += 1
        self.flow.ended = ""
        self.flow.from_client.rst = self.flow.from_server.rst = -1

    @property
    def is_lone(self) -> bool:
        """Whether nothing but a RST was seen of it."""
        return self._is_lone

    def is_wrong_way(self, segment: Segment) -> bool:
        """Whether the ends were guessed, and this SYN says that the guess was wrong."""
        if not segment.flags & SYN or self.flow.opened:
            return False
        return self.is_from_client(segment) != (not segment.flags & ACK)

    def swap(self) -> None:
        """Swap client and server, because the ends were guessed, and wrongly."""
        self.client_key, self.server_key = self.server_key, self.client_key
        self.from_client, self.from_server = self.from_server, self.from_client
        flow = self.flow
        flow.client, flow.server = flow.server, flow.client
        flow.from_client, flow.from_server = flow.from_server, flow.from_client
        self._count()

    def close(self) -> tuple[list[Piece], list[Piece]]:
        """No more will come: returns what waits, with its Gaps, from the client and the server."""
        pieces = self.from_client.close(), self.from_server.close()
        for half, last in zip((self.flow.from_client, self.flow.from_server), pieces, strict=True):
            if last and isinstance(last[-1], Gap) and last[-1].offset >= 0:
                half.unseen = last[-1].length
        self._count()
        return pieces

    def _count(self) -> None:
        flow = self.flow
        flow.lost = self.from_client.lost + self.from_server.lost
        flow.from_client.lost = self.from_client.lost
        flow.from_server.lost = self.from_server.lost
        flow.from_client.acked = self.from_client.acked
        flow.from_server.acked = self.from_server.acked
        flow.from_client.skipped = self.from_client.skipped
        flow.from_server.skipped = self.from_server.skipped
        flow.sent = self.from_client.offset
        flow.received = self.from_server.offset


class Connections:
    """Finds the connection that a segment belongs to, and forgets the oldest that have ended.

    ``most`` connections of TCP may be open at once.
    """

    def __init__(self, most: int = DEFAULT_LIMITS.connections) -> None:
        self._most = most
        self._alive = 0  # how many are open; _open has those that ended too
        self._idle: list[tuple[int, Connection]] = []  # with their last packet's time, latest first
        self._open: dict[bytes, Connection] = {}
        self._ended: deque[Connection] = deque()
        self._pairs: dict[bytes, Connection] = {}  # of UDP; the one idle longest first
        self._firsts: dict[tuple[int, int, int, int], Connection] = {}  # by the first packet
        self._count = 0

    def of(self, segment: Segment) -> tuple[Connection, Connection | None]:
        """The segment's connection, and the one that it replaces, if any.

        A SYN on ports that were used before begins a new connection.
        """
        key = _key(segment.protocol, segment.source, segment.target)
        if segment.protocol != TCP:
            return self._pair(key, segment), None
        known = self._open.get(key)
        if known is not None and not self._begins_anew(known, segment):
            return known, None
        new = self._new(segment)
        self._open[key] = new
        self._alive += 1
        self._look_for_twin(new, segment)
        return new, known

    def find(self, protocol: int, source: bytes, target: bytes) -> Connection | None:
        """The connection of a packet from ``source`` to ``target``; None if there is none."""
        key = _key(protocol, source, target)
        return self._open.get(key) if protocol == TCP else self._pairs.get(key)

    def revive(self, connection: Connection) -> None:
        """Take back ``end``: the connection goes on."""
        if connection in self._ended:
            self._ended.remove(connection)
        connection.is_over = False
        self._alive += 1

    def _look_for_twin(self, new: Connection, segment: Segment) -> None:
        """Look for a connection that may be this new one, seen on the other side of a NAT.

        Its first packet is the same except for an address or a port, and nobody has answered yet.
        """
        key = (segment.seq, segment.ack, segment.flags & SYN, len(segment.payload))
        twin = self._firsts.pop(key, None)
        self._firsts[key] = new
        if len(self._firsts) > MAX_FIRSTS:
            del self._firsts[next(iter(self._firsts))]
        if twin is None or not 0 <= segment.time - twin.flow.began <= SOON:
            return
        if twin.flow.from_client.seen >= 0 and twin.flow.from_server.seen >= 0:
            return
        if _is_translated(twin, new, segment):
            new.twin, twin.twin = twin, new

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
        """Forget the pair of UDP ends that was idle longest, if there are too many.

        Returns it, or None if there are not too many.  If the ends talk again, they are a new pair.
        """
        if len(self._pairs) <= MAX_PAIRS:
            return None
        return self._pairs.pop(next(iter(self._pairs)))

    def end(self, connection: Connection) -> Connection | None:
        """Record that a connection has ended; returns the one forgotten in its place, if any.

        So memory is bounded by what is open, not by everything that ever was.
        """
        connection.is_over = True
        self._alive -= 1
        self._ended.append(connection)
        if len(self._ended) <= MAX_ENDED:
            return None
        oldest = self._ended.popleft()
        key = oldest.key
        if self._open.get(key) is oldest:
            del self._open[key]
        return oldest

    @property
    def are_too_many(self) -> bool:
        """Whether more TCP connections are open than allowed."""
        return self._alive > self._most

    def idlest(self) -> Connection | None:
        """Return the open connection that was idle longest; None if none is open.

        A part of them is sorted at once, and looked at one by one: those that have said something
        since are no longer idle.  So that costs little more than one look, however many there are.
        """
        while self._alive > 0:
            if not self._idle:
                alive = [(one.flow.last, one) for one in self._open.values() if not one.is_over]
                self._idle = nsmallest(max(1, len(alive) // IDLE_PART), alive, key=_first)[::-1]
                if not self._idle:
                    break
            last, one = self._idle.pop()
            if not one.is_over and one.flow.last == last:
                return one
        return None

    def forget(self, connection: Connection) -> None:
        """Forget an open connection: what comes of it later begins a new one."""
        connection.is_over = True
        self._alive -= 1
        key = connection.key
        if self._open.get(key) is connection:
            del self._open[key]

    def all(self) -> list[Connection]:
        """The TCP connections that are remembered, whether open or ended."""
        return list(self._open.values())

    def _begins_anew(self, known: Connection, segment: Segment) -> bool:
        if segment.protocol != TCP or segment.flags & (SYN | ACK) != SYN:
            return False
        by_client = known.is_from_client(segment)
        direction = known.from_client if by_client else known.from_server
        if direction.is_known:
            return not known.is_begun_by(segment, direction)
        return bool(known.flow.ended) and not known.is_lone


def _first(one: tuple[int, Connection]) -> int:
    return one[0]


def _is_translated(one: Connection, other: Connection, segment: Segment) -> bool:
    """Whether these are the ends of one connection on both sides of a NAT.

    One end is the same.  The other has the same port, or else the IP identification says that this
    is the same packet.
    """
    if segment.source in (one.client_key, one.server_key):
        theirs = one.server_key if segment.source == one.client_key else one.client_key
        ours = segment.target
    elif segment.target in (one.client_key, one.server_key):
        theirs = one.server_key if segment.target == one.client_key else one.client_key
        ours = segment.source
    else:
        return False
    # 0 and 1 are written by systems that do not count their packets.
    return ours[-2:] == theirs[-2:] or (segment.ident > 1 and segment.ident == one.first_ident)


def _key(protocol: int, source: bytes, target: bytes) -> bytes:
    """A key that is the same for both directions."""
    first, second = (source, target) if source < target else (target, source)
    return bytes((protocol,)) + first + second


def _ends(segment: Segment) -> tuple[bytes, bytes]:
    """Client and server: the client sends the SYN, or else has the higher port."""
    source, target = segment.source, segment.target
    higher = source[-2:] >= target[-2:]
    is_client = not segment.flags & ACK if segment.flags & SYN else higher
    return (source, target) if is_client else (target, source)
