"""Which bytes of a capture may be shown to others, and packets with only these in them.

    first     packet ──▶ Pipeline ──▶ Plan      which bytes each packet brought to which stream
                                                which bytes of a stream are open, which masked
    then      packet ──▶ Rewriter ──▶ packet    the same length, the same headers

Nothing is open unless it was read: messages (``messages.py`` says what is masked in them) and a
transport's own bytes around them.  Everything else becomes zeros: what was skipped or lost its
place, what is not Thrift, what is in neither TCP nor UDP.  So a fault in the reading hides too
much, never too little.

Bytes that were sent again are open if they equal those that were read, which are kept for a while
to compare (MAX_KEPT); otherwise nobody has read them.

Memory grows with what is masked and with the number of packets (12 bytes each), not with their
size.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from typing import Final

from ..model import Packet, Run, Segment
from ..protocols.framing import Found, Passed
from ..wire.link import TCP, Peeler
from ..wire.rewrite import (
    checksum_at,
    ip_options,
    is_left_alone,
    put,
    put_none,
    tcp_options,
    total,
    total_of_ends,
)
from .messages import Mask

__all__ = ["Plan", "Rewriter", "Way"]

# How many bytes of streams are kept, to compare them with what is sent again.
MAX_KEPT: Final = 8 << 20
MAX_PIECES: Final = 16_384

TCP_HEAD: Final = 20

_ICMP: Final = (1, 58)
_ICMP_HEAD: Final = 8
_ARP: Final = b"\x08\x06"
_ARP_SIZE: Final = 28
# By link type: the size of its header, and where in it the type of what follows is.
_LINK_HEADS: Final = {1: (14, 12), 113: (16, 14), 276: (20, 0)}
_VERSIONS: Final = {b"\x08\0": 4, b"\x86\xdd": 6}


class Way:
    """One direction of a connection: which parts of it are open, and the masks.

    ``is_shut``: none are.  That is so if bytes depend on earlier ones (zlib) and one of them has to
    be hidden.
    """

    def __init__(self) -> None:
        self.is_shut = False
        self._starts = array("q")  # where open parts begin, and where they stop
        self._stops = array("q")
        self._masks = array("q")  # where masks begin, and where their bytes are in _text
        self._texts = array("q")
        self._text = bytearray()
        self._masked = 0  # no mask goes beyond this
        self._is_sorted = True

    def open(self, start: int, stop: int) -> None:
        """Let those bytes be shown, except what is masked."""
        if stop <= start:
            return
        if self._stops and start <= self._stops[-1]:
            if start < self._starts[-1]:
                self._insert(start, stop)
            else:
                self._stops[-1] = max(self._stops[-1], stop)
            return
        self._starts.append(start)
        self._stops.append(stop)

    def _insert(self, start: int, stop: int) -> None:
        at = bisect_right(self._starts, start)
        self._starts.insert(at, start)
        self._stops.insert(at, stop)

    def mask(self, start: int, text: bytes) -> None:
        """Show ``text`` in place of those bytes."""
        if not text:
            return
        if start < self._masked:
            self._is_sorted = False
        self._masked = max(self._masked, start + len(text))
        self._masks.append(start)
        self._texts.append(len(self._text))
        self._text += text

    def _sort(self) -> None:
        """Put the masks in order, so that none overlap."""
        order = sorted(range(len(self._masks)), key=self._masks.__getitem__)
        stops = [*self._texts[1:], len(self._text)] if self._masks else []
        text, masks, texts = bytearray(), array("q"), array("q")
        end = self._masks[order[0]] if order else 0  # below 0 after a SYN that came late
        for at in order:
            start = max(self._masks[at], end)
            skipped = start - self._masks[at]
            piece = self._text[self._texts[at] + skipped : stops[at]]
            if piece:
                masks.append(start)
                texts.append(len(text))
                text += piece
                end = start + len(piece)
        self._masks, self._texts, self._text = masks, texts, text
        self._is_sorted = True

    def shown(self, offset: int, data: bytes, keep: bool) -> tuple[bytes, int]:
        """Return ``data`` at ``offset`` as it may be shown, and how many bytes of it were not read.

        ``keep`` the unread ones.
        """
        size = len(data)
        if self.is_shut:
            return bytes(size), 0
        if not self._is_sorted:
            self._sort()
        end = offset + size
        out = bytearray(data) if keep else bytearray(size)
        unread = size
        at = max(bisect_right(self._starts, offset) - 1, 0)
        while at < len(self._starts) and self._starts[at] < end:
            start, stop = max(self._starts[at], offset), min(self._stops[at], end)
            if start < stop:
                out[start - offset : stop - offset] = data[start - offset : stop - offset]
                unread -= stop - start
            at += 1
        at = max(bisect_right(self._masks, offset) - 1, 0)
        while at < len(self._masks) and self._masks[at] < end:
            behind = self._texts[at + 1] if at + 1 < len(self._texts) else len(self._text)
            first = self._masks[at]
            start, stop = max(first, offset), min(first + behind - self._texts[at], end)
            if start < stop:
                text = self._texts[at] + start - first
                out[start - offset : stop - offset] = self._text[text : text + stop - start]
            at += 1
        return bytes(out), max(unread, 0)


class Plan:
    """What the first reading of a capture finds out.

    ``links`` are its link types.  ``packed`` counts messages in packed bytes that could not be
    masked in place: all of these bytes are hidden.  ``fragments`` has, by packet, which of its
    bytes went into which datagram, like ``Segment.parts``, the datagram being named by the packet
    that completed it; ``datagrams`` has what was in those.
    """

    def __init__(self) -> None:
        self.links: set[int] = set()
        self.packed = 0
        self.fragments: dict[int, list[tuple[int, int, int, int]]] = {}
        self.datagrams: dict[int, Segment] = {}  # without their payload, by packet
        self._ways: list[Way] = []
        self._numbers: dict[tuple[int, bytes], int] = {}  # of ways, by connection and sender
        self._waiting: dict[int, list[tuple[int, list[tuple[int, int]], list[Run]]]] = {}
        self._way_of = array("I", [0])  # by packet: one plus the index of its way, and where in it
        self._place_of = array("q", [0])
        self._given: dict[int, tuple[int, int]] = {}  # by packet, if not all of it was new

    # ── Where packets belong ─────────────────────────────────────────────────────────

    def _number(self, flow: int, source: bytes) -> int:
        key = (flow, source)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._ways)
            self._ways.append(Way())
        return number

    def carries(self, segment: Segment, flow: int, place: int, is_new: bool) -> None:
        """Record that a packet's payload is at ``place`` of its sender's direction.

        ``is_new``: all of it is read; otherwise ``gave`` says what is.
        """
        packet = segment.number
        while len(self._way_of) <= packet:
            self._way_of.append(0)
            self._place_of.append(0)
        self._way_of[packet] = self._number(flow, segment.source) + 1
        self._place_of[packet] = place
        if not is_new:
            self._given[packet] = (place, place)
        if segment.parts:
            for number, skipped, start, stop in segment.parts:
                self.fragments.setdefault(number, []).append((packet, skipped, start, stop))
            kept = Segment(
                packet,
                segment.time,
                segment.protocol,
                segment.source,
                segment.target,
                segment.seq,
                segment.ack,
                segment.flags,
                b"",
                segment.cut + len(segment.payload),
            )
            kept.head, kept.inside = segment.head, segment.inside
            self.datagrams[packet] = kept

    def gave(self, packet: int, offset: int, size: int) -> None:
        """Record how much of a packet was new, and is read."""
        if packet in self._given:
            self._given[packet] = (offset, offset + size)

    def place(self, packet: int) -> tuple[Way, int] | None:
        """Return the direction that a packet's payload belongs to, and its place there."""
        number = self._way_of[packet] if packet < len(self._way_of) else 0
        return (self._ways[number - 1], self._place_of[packet]) if number else None

    def given(self, packet: int, place: int, size: int) -> tuple[int, int]:
        """Return from where to where a packet's payload was new."""
        start, stop = self._given.get(packet, (place, place + size))
        return max(start, place), min(max(stop, place), place + size)

    # ── What is open ─────────────────────────────────────────────────────────────────

    def message(self, flow: int, source: bytes, found: Found, mask: Mask) -> None:
        """Record a message that was read; ``mask`` is what to mask in its data."""
        way = self._ways[self._number(flow, source)]
        if found.layout:
            self._laid_out(way, found, mask)
            return
        start, stop = found.offset, found.offset + found.size
        runs = mask.runs
        lines = found.transport.line_masks(found.lines) if found.lines else []
        if mask.packed >= 0 and found.transport.is_shut:
            # Bytes that were packed or masked, and all that may depend on them.
            self.packed += 1
            opened = [(at, at + len(text)) for at, text in found.lines]
            runs = [run for run in runs if run[0] < mask.packed]
            _lay(way, start, [(0, mask.packed), *opened], runs + lines)
            return
        if found.lines:
            # There are no lines within the data; what is left after the last one was not read.
            head = found.header.span.start
            end = _around([(len(found.data), b".")], head, found.lines)[0][0]
            last, text = found.lines[-1]
            stop = start + max(end, last + len(text))
            runs = _around(runs, head, found.lines) + lines
            runs.sort()
        elif mask.packed < 0:
            stop = min(stop, start + len(found.data))
        way.open(start, stop)
        if mask.packed >= 0:
            inside = [at for at, _ in runs if at >= mask.packed]
            runs = [run for run in runs if run[0] < mask.packed]
            if found.transport.leans:
                way.is_shut = way.is_shut or bool(inside) or not mask.is_sure
            elif inside or not mask.is_sure:
                runs.append((mask.packed, bytes(found.size - mask.packed)))
            self.packed += bool(inside)
        _lay(way, start, (), runs)

    def _laid_out(self, way: Way, found: Found, mask: Mask) -> None:
        """Record a message whose data is not in one piece on the wire.

        Each of its stretches goes by itself, and packed ones as a whole.
        """
        unpacked = [(one.start, one.start + one.size) for one in found.layout if one.is_packed]
        inside = any(
            at < stop and at + len(text) > start
            for start, stop in unpacked
            for at, text in mask.runs
        )
        is_shut = inside or not mask.is_sure
        self.packed += inside
        runs = sorted(mask.runs, key=_place)
        first = 0
        for one in found.layout:
            stop = one.start + one.size
            while first < len(runs) and runs[first][0] + len(runs[first][1]) <= one.start:
                first += 1
            if one.is_packed:
                continue
            way.open(one.offset, one.offset + one.size)
            if one.what == "packed":
                if is_shut:
                    way.mask(one.offset, bytes(one.size))
                continue
            at = first
            while at < len(runs) and runs[at][0] < stop:
                place, text = runs[at]
                start = max(place, one.start)
                text = text[start - place : stop - place]
                way.mask(one.offset + start - one.start, text)
                at += 1

    def passed(self, flow: int, source: bytes, passed: Passed) -> None:
        """Record a unit without a message.  It counts if its connection speaks Thrift."""
        number = self._number(flow, source)
        way = self._ways[number]
        unit = passed.unit
        if passed.transport.leans:
            # Inflated bytes that are not a message: nobody knows what they are.
            way.is_shut = way.is_shut or bool(unit.data)
            way.open(passed.offset, passed.offset + unit.stop)
            return
        opened, runs = passed.transport.own_bytes(unit.data, unit.start, unit.lines)
        self._waiting.setdefault(number, []).append((passed.offset, opened, runs))

    def settle(self, flow: int, source: bytes, is_thrift: bool) -> None:
        """Record that a connection has ended, and whether it speaks Thrift."""
        number = self._number(flow, source)
        waiting = self._waiting.pop(number, ())
        if is_thrift:
            for offset, opened, runs in waiting:
                _lay(self._ways[number], offset, opened, runs)


def _place(run: Run) -> int:
    return run[0]


def _lay(way: Way, offset: int, opened: Iterable[tuple[int, int]], runs: Iterable[Run]) -> None:
    for start, stop in opened:
        way.open(offset + start, offset + stop)
    for at, text in runs:
        way.mask(offset + at, text)


def _around(runs: Iterable[Run], head: int, lines: Iterable[tuple[int, bytes]]) -> list[Run]:
    """Turn masks of a message's data into masks of the wire.

    ``lines`` are in between there, from ``head`` on.
    """
    # Where the data between two lines begins: in the data, and on the wire.
    places, wires = [0], [0]
    at = wire = head
    for place, text in lines:
        if place > wire:
            places.append(at)
            wires.append(wire)
            at += place - wire
        wire = place + len(text)
    places.append(at)
    wires.append(wire)
    out: list[Run] = []
    for start, text in runs:
        done = 0
        while done < len(text):
            piece = bisect_right(places, start + done) - 1
            stop = places[piece + 1] if piece + 1 < len(places) else start + len(text)
            size = min(len(text) - done, stop - start - done)
            on_wire = wires[piece] + start + done - places[piece]
            out.append((on_wire, text[done : done + size]))
            done += size
    return out


# ── Packets ──────────────────────────────────────────────────────────────────────────


class Rewriter:
    """Writes packets again, in order, with only the bytes that a Plan leaves open.

    ``keep_unknown``: what nobody has read stays.  ``unread`` counts the bytes of streams that
    nobody has read, ``again`` those that were sent again and differ, or came too late to tell;
    ``other`` the packets with anything but TCP or UDP.
    """

    def __init__(self, plan: Plan, *, keep_unknown: bool = False) -> None:
        self.unread = 0
        self.again = 0
        self.other = 0
        self._plan = plan
        self._keep = keep_unknown
        self._peeler = Peeler()
        # What was read, by direction: non-overlapping places, in order, and their bytes.
        self._kept: dict[int, tuple[list[int], list[bytes]]] = {}
        self._order: deque[tuple[int, int]] = deque()
        self._size = 0
        self._sums: dict[int, _Sum] = {}  # of datagrams, by packet

    @property
    def has_fragments(self) -> bool:
        """Whether ``look`` has to see the fragments first."""
        return bool(self._plan.fragments)

    def look(self, packet: Packet) -> None:
        """Look at a fragment: the checksum is in the first one and counts all of them."""
        if packet.number not in self._plan.fragments:
            return
        self._peeler.segment(packet)
        for datagram, start, old, new in self._fragment(packet, self._peeler.heads):
            self._sums.setdefault(datagram, _Sum()).add(
                self._plan.datagrams[datagram], start, old, new
            )

    def start(self) -> None:
        """Begin again with the first packet: all fragments were seen."""
        self._peeler = Peeler()
        self.unread = self.again = self.other = 0

    def packet(self, packet: Packet) -> Packet:
        """Return the packet as it may be shown."""
        data = packet.data
        segment = self._peeler.segment(packet)
        heads = min(self._peeler.heads, len(data))
        if not self._keep and _contradicts_itself(packet):
            # Then its headers are not headers, and an IPv6 address may be anything.
            self.other += 1
            heads = _LINK_HEADS[packet.link][0]
            return _with_data(packet, data[:heads] + bytes(len(data) - heads))
        if packet.number in self._plan.fragments:
            out = self._of_fragment(packet, heads)
        elif segment is not None and not segment.parts:
            out = self._of_segment(packet, segment)
        else:
            out = self._of_other(packet, heads)
        if not self._keep:
            self._clean_heads(packet, out)
        for at, start, stop in self._peeler.sums:
            # A tunnel's checksum counts what is in it, and would give away what is hidden.  0 says
            # that there is none.
            if data[start:stop] != out[start:stop] or len(data) < packet.length:
                put_none(out, at)
        if out == data:
            return packet
        return _with_data(packet, bytes(out))

    def _clean_heads(self, packet: Packet, out: bytearray) -> None:
        """Hide what IP's headers contain besides their known fields."""
        for start, stop in self._peeler.options:
            old = packet.data[start:stop]
            if old == ip_options(old):
                continue
            # The header's length lies: then what follows is not a header either.
            out[start:] = bytes(len(out) - start)
            at = start - 10
            if len(old) == stop - start:
                head = out[start - 20 : stop]
                put(out, at, total(head) - total(head[10:12]), TCP)
            else:
                put_none(out, at)
        for start, stop in self._peeler.extensions:
            size = len(out[start:stop])
            out[start : start + size] = bytes(size)

    def payload(self, packet: int, payload: bytes) -> bytes:
        """Return what a packet brought to its stream, as it may be shown."""
        there = self._plan.place(packet)
        if there is None:
            self.unread += len(payload)
            return payload if self._keep else bytes(len(payload))
        way, place = there
        stop = place + len(payload)
        start, end = self._plan.given(packet, place, len(payload))
        shown, unread = way.shown(start, payload[start - place : end - place], self._keep)
        self.unread += unread
        if end > start:
            self._remember(way, start, payload[start - place : end - place])
        if (start, end) == (place, stop):
            return shown
        before = self._sent_again(way, place, payload[: start - place])
        return before + shown + self._sent_again(way, end, payload[end - place :])

    # ── What was sent again ──────────────────────────────────────────────────────────

    def _remember(self, way: Way, offset: int, data: bytes) -> None:
        key = id(way)
        places, pieces = self._kept.setdefault(key, ([], []))
        at = bisect_right(places, offset)
        places.insert(at, offset)
        pieces.insert(at, data)
        self._order.append((key, offset))
        self._size += len(data)
        while self._size > MAX_KEPT or len(self._order) > MAX_PIECES:
            key, offset = self._order.popleft()
            places, pieces = self._kept[key]
            at = bisect_right(places, offset) - 1
            self._size -= len(pieces[at])
            del places[at], pieces[at]
            if not places:
                del self._kept[key]

    def _sent_again(self, way: Way, offset: int, data: bytes) -> bytes:
        """Return bytes that were sent where others were read, as they may be shown."""
        if not data:
            return b""
        shown, unread = way.shown(offset, data, self._keep)
        self.unread += unread
        known = bytearray(len(data))
        places, pieces = self._kept.get(id(way), ([], []))
        for at in range(max(bisect_right(places, offset) - 1, 0), len(places)):
            start, piece = places[at], pieces[at]
            first, last = max(start, offset), min(start + len(piece), offset + len(data))
            if start >= offset + len(data):
                break
            if first < last:
                ours = data[first - offset : last - offset]
                if ours == piece[first - start : last - start]:
                    known[first - offset : last - offset] = b"\1" * (last - first)
        missing = known.count(0)
        if not missing:
            return shown
        self.again += missing
        if self._keep:
            return shown
        return bytes(byte if is_known else 0 for byte, is_known in zip(shown, known, strict=True))

    # ── The kinds of packets ─────────────────────────────────────────────────────────

    def _of_segment(self, packet: Packet, segment: Segment) -> bytearray:
        out = bytearray(packet.data)
        start, payload = min(segment.inside, len(out)), segment.payload
        stop = start + len(payload)
        out[start:stop] = self.payload(packet.number, payload) if payload else b""
        first = segment.head + TCP_HEAD
        if segment.protocol == TCP and first < start and not self._keep:
            out[first:start] = tcp_options(packet.data[first:start])
        if not self._keep:
            out[stop:] = bytes(len(out) - stop)  # the link layer's padding
        at = checksum_at(segment)
        was = packet.data[at] << 8 | packet.data[at + 1]
        before, after = packet.data[segment.head : stop], out[segment.head : stop]
        counted = None if segment.cut else total(before) - was
        if is_left_alone(segment, was, counted):
            return out
        if counted is None:
            put_none(out, at)
        elif after != before:
            put(out, at, total(after) - was + total_of_ends(segment), segment.protocol)
        return out

    def _of_fragment(self, packet: Packet, heads: int) -> bytearray:
        data = packet.data
        out = bytearray(data) if self._keep else bytearray(data[:heads]) + bytes(len(data) - heads)
        for datagram, start, old, new in self._fragment(packet, heads):
            segment = self._plan.datagrams[datagram]
            skipped = self._skipped(packet.number, datagram, start)
            out[heads + skipped : heads + skipped + len(new)] = new
            at = checksum_at(segment)
            if start <= at and at + 2 <= start + len(old):
                place = heads + skipped + at - start
                self._sums[datagram].put(segment, out, place)
        return out

    def _skipped(self, packet: int, datagram: int, start: int) -> int:
        for number, skipped, first, _ in self._plan.fragments[packet]:
            if (number, first) == (datagram, start):
                return skipped
        return 0

    def _fragment(self, packet: Packet, heads: int) -> Iterable[tuple[int, int, bytes, bytes]]:
        """Yield, for each run of used bytes in a fragment, what it is and how it may be shown.

        That is the packet that completed its datagram, the place in the datagram, the bytes, and
        the bytes as they may be shown.
        """
        for datagram, skipped, start, stop in self._plan.fragments[packet.number]:
            segment = self._plan.datagrams[datagram]
            old = packet.data[heads + skipped : heads + skipped + stop - start]
            there = self._plan.place(datagram)
            inside = segment.inside
            end = inside + segment.cut
            head = old[: max(0, min(inside, stop) - start)]
            body = old[len(head) : max(len(head), end - start)]
            behind = old[len(head) + len(body) :]
            new = head
            options = segment.head + TCP_HEAD
            if segment.protocol == TCP and options < start + len(head) and not self._keep:
                # Options shared between two fragments are not read.
                first = max(options - start, 0)
                is_whole = start <= options and start + len(head) == inside
                rest = tcp_options(head[first:]) if is_whole else bytes(len(head) - first)
                new = head[:first] + rest
            if body:
                first = start + len(head) - inside
                new += self._body(datagram, there, first, body)
            new += behind if self._keep else bytes(len(behind))
            yield datagram, start, old, new

    def _body(self, datagram: int, there: tuple[Way, int] | None, first: int, body: bytes) -> bytes:
        """Return a datagram's payload from ``first`` on.  What was not new is not compared."""
        if there is None:
            self.unread += len(body)
            return body if self._keep else bytes(len(body))
        way, place = there
        offset = place + first
        start, end = self._plan.given(datagram, offset, len(body))
        start, end = min(start, offset + len(body)), max(end, start)
        shown, unread = way.shown(start, body[start - offset : end - offset], self._keep)
        self.unread += unread
        before, behind = body[: start - offset], body[end - offset :]
        self.again += len(before) + len(behind)
        if not self._keep:
            before, behind = bytes(len(before)), bytes(len(behind))
        return before + shown + behind

    def _of_other(self, packet: Packet, heads: int) -> bytearray:
        """Return a packet without (enough of) TCP or UDP: only the known headers are shown."""
        data = packet.data
        out = bytearray(data)
        if self._keep:
            return out
        is_icmp = self._peeler.kind in _ICMP
        if is_icmp:
            heads = min(heads + _ICMP_HEAD, len(data))
        elif not heads:
            heads = _link_heads(packet)
        zeros = bytes(len(data) - heads)
        if data[heads:] != zeros:
            self.other += 1
            out[heads:] = zeros
        if is_icmp and (data[heads:] != zeros or len(data) < packet.length):
            at = heads - _ICMP_HEAD
            put_none(out, at + 2)
            if self._peeler.kind == _ICMP[0]:
                # Zeros add nothing to the sum, whether or not they were captured.
                put(out, at + 2, total(out[at:heads]), TCP)
        return out


class _Sum:
    """The checksum of a datagram that came in fragments; the first of them has it."""

    __slots__ = ("after", "before", "differs", "size")

    def __init__(self) -> None:
        self.differs = False
        self.before = self.after = 0  # the sums, without the checksum itself
        self.size = 0

    def add(self, segment: Segment, start: int, old: bytes, new: bytes) -> None:
        """Add a run of the datagram's bytes from ``start`` on, and the bytes that replace them."""
        self.differs = self.differs or old != new
        skipped = max(segment.head - start, 0)
        start += skipped
        before, after = bytearray(old[skipped:]), bytearray(new[skipped:])
        for at in range(checksum_at(segment), checksum_at(segment) + 2):
            if start <= at < start + len(after):
                before[at - start] = after[at - start] = 0
        self.size += len(after)
        self.before += total(before, start - segment.head)
        self.after += total(after, start - segment.head)

    def put(self, segment: Segment, out: bytearray, at: int) -> None:
        """Write it at ``at`` of a packet, if it has to change."""
        is_whole = self.size == segment.inside - segment.head + segment.cut
        was = out[at] << 8 | out[at + 1]
        if is_left_alone(segment, was, self.before if is_whole else None):
            return
        if not is_whole:
            put_none(out, at)
        elif self.differs:
            put(out, at, self.after + total_of_ends(segment), segment.protocol)


def _with_data(packet: Packet, data: bytes) -> Packet:
    return Packet(packet.number, packet.time, packet.link, data, packet.length)


def _contradicts_itself(packet: Packet) -> bool:
    """Say whether a link layer announces one version of IP, and the other follows."""
    size, kind = _LINK_HEADS.get(packet.link, (0, 0))
    version = _VERSIONS.get(packet.data[kind : kind + 2], 0)
    return bool(size and version) and len(packet.data) > size and packet.data[size] >> 4 != version


def _link_heads(packet: Packet) -> int:
    """Return how many bytes of a packet without IP are headers; all of ARP is."""
    size, kind = _LINK_HEADS.get(packet.link, (0, 0))
    if packet.data[kind : kind + 2] == _ARP and size:
        size += _ARP_SIZE
    return min(size, len(packet.data))
