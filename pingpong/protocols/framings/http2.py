"""HTTP/2: interleaved frames of many streams → the messages of each stream.

    DATA, HEADERS of stream 1 ──▶ _Half: head, messages, trailers ──▶ CALL … PART … REPLY
    DATA, HEADERS of stream 3 ──▶ _Half
    SETTINGS, PING, GOAWAY …  ──▶ EVENT

A message's ``data`` has its frames in the order of the wire, with one exception: a frame head in
the middle of content comes first, so that the content is in one piece; what was packed is unpacked
after all the rest.  Its ``layout`` says which byte is where.

One end of a stream is a call or an answer with at most one message, or a stream of them.  The wire
does not say which until a second message comes, or the end:

    head, message, end               one message: a CALL or a REPLY with it
    head, message, message …, end    CALL (the head alone), PART …; or PART …, REPLY (the end)

So the first message waits for what follows it.  If the other end answers before that, it is a
stream too.

HPACK's table belongs to the direction and cannot be read again: what its lines said is kept with
the message (``Heads``), and explained from there.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final

from ...errors import DecodeError, LimitExceeded
from ...model import (
    NOWHERE,
    Carrier,
    Finding,
    Header,
    Limits,
    MessageType,
    Protocol,
    Severity,
    Span,
    Stall,
    Stretch,
)
from ...wire.link import number as u32
from ..framing import Brought, Found, Transport, Unit
from ..raw import RAW
from ..unpacking import grave
from .contents import NO_END, NOT_KNOWN, Content, Contents, Ending, Head, Kept
from .h2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PREFACE,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Frame,
    error_name,
    find_frames,
    frame_name,
    may_be_frame,
    parts,
    read_frame,
    settings,
)
from .h2 import HEAD as FRAME_HEAD
from .h2_windows import MAX_STREAMS, Windows
from .hpack import DynamicTable, HeaderBlock, read_block
from .http1 import Http1
from .http1_bodies import in_head, opened
from .pieces import (
    ENVELOPE,
    Piece,
    envelopes,
    from_base64,
    gaps_of,
    lay_out,
    ordered,
    place_of_body,
    time_of,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["HeadBlock", "Heads", "Http2", "begins", "find", "proves_itself"]

# How many streams of one direction are followed at once, and how many ended ones are remembered,
# since frames of them may still be under way.
MAX_ENDED: Final = 256

# How many units of a direction wait until it is known who sends them.
MAX_EARLY: Final = 64

# How many GOAWAYs of a direction are examined: servers send one or two, and each is compared with
# all streams.
MAX_FAREWELLS: Final = 16

# How large a header block may be, with its CONTINUATIONs (bytes).
MAX_BLOCK: Final = 1 << 20

_TABLE_SIZE: Final = 1  # SETTINGS_HEADER_TABLE_SIZE
_INITIAL_WINDOW: Final = 4  # SETTINGS_INITIAL_WINDOW_SIZE


class HeadBlock:
    """A header block of a message, and where its fragments are in the message's ``data``."""

    __slots__ = ("block", "fragments")

    def __init__(self, block: HeaderBlock, fragments: tuple[Span, ...]) -> None:
        self.block = block
        self.fragments = fragments


class Heads(Kept):
    """What is kept with an HTTP/2 message: its header blocks, in order, and how it ended."""

    __slots__ = ("blocks",)

    def __init__(self, blocks: tuple[HeadBlock, ...], ending: Ending) -> None:
        super().__init__(ending)
        self.blocks = blocks


class _Part:
    """A message, or its head, or its trailers, while it is put together."""

    __slots__ = ("flag", "is_lossy", "pieces", "size")

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.is_lossy = False  # bytes of a frame of it were lost
        self.flag = 0
        self.size = 0  # of its content, according to its envelope

    def add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        if piece.brought.gaps:
            self.is_lossy = True


class _Half:
    """What one end says in a stream.

    ``head`` is None before its first header block, ``trailers`` come after its body.  ``left`` is
    how many bytes of a message are still to come, -1 before its envelope is complete.  ``held`` is
    the first message as long as it may be the only one; ``is_stream``: there are several, and the
    head was given out.  ``is_shut``: its messages are packed, or in base64, as a whole.
    ``is_cut_short``: the other end has answered it, and does not want the rest.
    """

    __slots__ = (
        "content",
        "current",
        "envelope",
        "has_ended",
        "head",
        "head_part",
        "held",
        "is_broken",
        "is_cut_short",
        "is_guessed",
        "is_shut",
        "is_stream",
        "left",
        "method",
        "note",
        "number",
        "protocol",
        "trailers",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.head: Head | None = None
        self.trailers: Head | None = None
        self.head_part = _Part()
        self.content: Content | None = None
        self.protocol: Protocol = RAW
        self.method = ""
        self.note = ""  # why its messages are not read
        self.envelope = bytearray()
        self.left: i64 = -1
        self.current: _Part | None = None
        self.held: _Part | None = None
        self.is_stream = False
        self.is_shut = False
        self.is_broken = False
        self.is_cut_short = False
        self.is_guessed = False
        self.has_ended = False

    def wants(self) -> bool:
        """Whether it is in the midst of a message, and so has more to send."""
        if self.has_ended or self.is_broken or self.is_cut_short or self.head is None:
            return False
        if self.left > 0 or self.envelope:
            return True
        length = self.head.get("content-length")
        if self.content is None or self.content.is_enveloped or not length.isdecimal():
            return False
        return len(length) < 16 and int(length) > (self.current.size if self.current else 0)


class Http2(Transport):
    """One direction of a connection that speaks HTTP/2.

    ``contents`` says what reads the body of a request or a reply.  ``carrier`` carries what no
    family takes, and the connection's own frames.
    """

    is_woven = True

    def __init__(self, limits: Limits, contents: Contents, carrier: Carrier) -> None:
        self.name = carrier
        self._limits = limits
        self._contents = contents
        self._carrier = carrier
        self._table = DynamicTable(False)
        self._is_begun = False  # a unit was read
        self._is_client: bool | None = None
        self._other: Http2 | None = None
        self._halves: dict[int, _Half] = {}
        self._ended: dict[int, _Half] = {}
        # A block that continues in CONTINUATIONs: its stream, its owner, its pieces and bytes.
        self._open: _Half | None = None
        self._open_kind = 0
        self._open_ends = False
        self._open_pieces: list[Piece] = []
        self._open_bytes = bytearray()
        # Units that wait until it is known whose direction this is.
        self._early: list[tuple[Unit, Brought]] = []
        self.waiting: i64 = 0
        self._farewells = 0
        # The request of HTTP/1 that stream 1 answers, behind an upgrade, and its number there.
        self._upgraded: _Half | None = None
        self._first_id = 1
        self._windows = Windows()  # what this direction may send
        # What it said that rules the other direction, before that was seen.
        self._rules: list[tuple[Frame, bytes, int]] = []
        self._misses_rules = False

    def follow(self, before: Transport) -> None:
        """RFC 7540, 3.2: the request that asked for HTTP/2 is stream 1, and has been sent."""
        asked = before.upgraded if isinstance(before, Http1) else None
        if asked is None:
            return
        half = self._upgraded = _Half(1)
        half.head = asked.head
        half.has_ended = True
        half.content = self._content(_as_http2(asked.head), None)
        half.method = half.content.method(asked.head)
        self._first_id = asked.number
        if self._other is not None:
            self._other._first_id = asked.number
        for number, value in _upgrade_settings(asked.head):
            if number == _TABLE_SIZE:
                self._table.allow(value)
            elif number == _INITIAL_WINDOW:
                self._windows.resize(value, self.time)

    def meet(self, other: Transport) -> None:
        if isinstance(other, Http2):
            self._other = other
            rules, self._rules = self._rules, []
            for frame, data, time in rules:
                self._rule(frame, data, time)
            if self._misses_rules:
                other._windows.stop()
            if other._upgraded is not None:
                self._first_id = other._first_id
            if self._is_client is None and other._is_client is not None:
                self._is_client = not other._is_client

    # ── Flow control ─────────────────────────────────────────────────────────────────

    def give_up(self) -> None:
        self._windows.stop()
        if self._other is not None:
            self._other._windows.stop()

    def held(self) -> tuple[int, int]:
        since, stream = -1, 0
        if not self._hears_all():
            return since, stream
        for number, time in self._windows.held.items():
            if not number and not self._windows.is_under_way:
                continue  # all has been sent
            if since < 0 or time < since:
                since, stream = time, number
        return since, stream

    def stalled(self) -> Stall | None:
        return self._windows.stall if self._hears_all() else None

    def _hears_all(self) -> bool:
        """Whether all is known that either end has said."""
        return self.from_start and self._other is not None and self._other.from_start

    def _wanting(self, number: int) -> _Half | None:
        """Return a half with something left to send: that of a stream, or of any (0)."""
        if number:
            half = self._halves.get(number)
            return half if half is not None and half.wants() else None
        return next((one for one in self._halves.values() if one.wants()), None)

    def _grant(self, number: int, more: int, time: int) -> None:
        """The other end takes more."""
        if number in self._ended:
            return
        half = self._wanting(number) if number in self._windows.held else None
        method = "" if half is None else half.method
        self._windows.grant(number, more, time, half is not None, method)

    def _stop_sending(self, number: int, time: int, why: str) -> None:
        """The other end, or this one, breaks off what this one sends on a stream."""
        half = self._wanting(number) if self._windows.held else None
        method = "" if half is None else half.method
        self._windows.over(number, time, half is not None, method, why)

    # ── Frames ───────────────────────────────────────────────────────────────────────

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        if not self._is_begun and buffer[:3] == PREFACE[:3]:
            if have < len(PREFACE):
                return None
            return _unit(buffer, len(PREFACE), "preface")
        if have < FRAME_HEAD:
            return None
        head = bytes(buffer[:FRAME_HEAD])
        length = u32(head, 0) >> 8
        most = max(self._limits.frame, 16384)
        if length > most:
            raise LimitExceeded("frame", 0, found=str(length), limit=most, size=3)
        kind = head[3]
        if kind <= CONTINUATION and not may_be_frame(_without_flags(head), 0, most):
            found = f"{frame_name(kind)} of {length} bytes on stream {u32(head, 5)}"
            raise DecodeError("frame", 0, found=found, wanted="one that HTTP/2 has", size=9)
        stop = FRAME_HEAD + length
        if have < stop:
            return None
        return _unit(buffer, stop, "frame")

    def frame_stop(self, buffer: bytearray, have: int) -> int:
        if not self._is_begun and buffer[:3] == PREFACE[:3]:
            return len(PREFACE)
        return FRAME_HEAD + (u32(bytes(buffer[:4]), 0) >> 8) if have >= FRAME_HEAD else 0

    def known_until(self, buffer: bytearray, have: int) -> int:
        """For a frame with data, return the end of the message to which its last bytes belong."""
        if have < FRAME_HEAD or buffer[3] != DATA:
            return 0
        head = bytes(buffer[: FRAME_HEAD + 1])
        frame = read_frame(head, 0, len(head))
        if frame is None or len(head) == FRAME_HEAD:
            return 0
        half = self._halves.get(frame.stream)
        content = parts(head, frame, have).content
        if half is None or half.content is None or half.is_broken:
            return 0
        end = frame.stop  # padding would be taken for content: then only its length is lost
        if not half.content.is_enveloped or half.is_shut:
            return end
        at, left = content.start, half.left
        ahead = len(half.envelope)
        while at < content.stop:
            if left < 0:
                if content.stop - at < ENVELOPE - ahead:
                    return 0
                envelope = bytes(half.envelope[:ahead]) + bytes(buffer[at : at + ENVELOPE - ahead])
                at += ENVELOPE - ahead
                left = u32(envelope, 1)
                ahead = 0
            passed = min(left, content.stop - at)
            at += passed
            left -= passed
            if not left and at < content.stop:
                left = -1
        return min(end, have + int(left)) if left > 0 else 0

    def take(self, unit: Unit, brought: Brought) -> list[Found]:
        is_told = self._is_client is not None or unit.what != "frame" or self._learn(unit.data)
        if not is_told and len(self._early) < MAX_EARLY:
            self._early.append((unit, brought))
            return []
        return self._take_early() + self._take(unit, brought)

    def _learn(self, data: bytes) -> bool:
        """Say whether it is known who sends this direction.

        A header block says it, if its pseudo-headers are known: most are in the static table, so
        they are known even if the capture began in mid-stream.
        """
        frame = read_frame(data, 0, len(data))
        assert frame is not None
        is_first = self.from_start and not (self._is_begun or self._early)
        if is_first and frame.kind == SETTINGS and not frame.flags & ACK:
            self._is_client = False  # a client would have begun with the preface
            if self._upgraded is None:
                self._table = DynamicTable()
        elif frame.kind == HEADERS and frame.flags & END_HEADERS:
            content = parts(data, frame, len(data)).content
            head = _head_of(read_block(data, content.start, content.stop, DynamicTable(False), 0))
            if head.is_request:
                self._is_client = True
            elif ":status" in head.lines or frame.flags & END_STREAM:
                # Requests have a method that the static table has; only replies have trailers, or
                # almost only they.
                self._is_client = False
        if self._other is not None and self._is_client is not None:
            self._other._is_client = not self._is_client
        return self._is_client is not None

    def _take_early(self) -> list[Found]:
        """Read what waited until it was known whose direction this is."""
        out: list[Found] = []
        early, self._early = self._early, []
        for unit, brought in early:
            out += self._take(unit, brought)
        return out

    def _take(self, unit: Unit, brought: Brought) -> list[Found]:
        data = unit.data
        out: list[Found] = []
        if unit.what == "preface":
            self._is_begun = True
            self._is_client = True
            self._table = DynamicTable()
            out.append(self._event("preface", 0, data, brought))
            return out
        frame = read_frame(data, 0, len(data))
        assert frame is not None
        self._is_begun = True
        kind = frame.kind
        if self._open is not None:
            if kind == CONTINUATION and frame.stream == self._open.number:
                self._go_on(frame, data, brought, out)
                return out
            # It had to follow at once: what the rest would have added is not known.
            self._table.lose()
            self._drop_open(out)
        if kind == DATA:
            self._spend(frame, brought.end_time)
            self._data(frame, data, brought, out)
        elif kind in (HEADERS, PUSH_PROMISE):
            self._headers(frame, data, brought, out)
        elif kind == RST_STREAM:
            self._reset(frame, data, brought, out)
        else:
            if kind == SETTINGS and frame.flags & ACK:
                self._windows.accept(brought.end_time)
            elif kind in (SETTINGS, WINDOW_UPDATE):
                self._rule(frame, data, brought.end_time)
            out.append(self._event(frame_name(kind), frame.stream, data, brought))
            if kind == GOAWAY:
                self._goaway(data, brought, out)
        return out

    def _rule(self, frame: Frame, data: bytes, time: int) -> None:
        """Handle SETTINGS and WINDOW_UPDATE: they say what the other end may do."""
        other = self._other
        if other is None:
            self._rules.append((frame, data, time))
            if len(self._rules) > MAX_EARLY:
                del self._rules[0]
                self._misses_rules = True
            return
        if frame.kind == WINDOW_UPDATE:
            if len(data) >= FRAME_HEAD + 4:
                other._grant(frame.stream, u32(data, FRAME_HEAD) & 0x7FFFFFFF, time)
            return
        initial = -1
        for number, value in settings(data, FRAME_HEAD, len(data)):
            if number == _TABLE_SIZE:
                other._table.allow(value)
            elif number == _INITIAL_WINDOW:
                initial = value
        other._windows.propose(initial, time)

    def _spend(self, frame: Frame, time: int) -> None:
        """Count data that this direction sends: all of the frame's payload."""
        number = frame.stream
        half = self._halves.get(number)
        ends = bool(frame.flags & END_STREAM) or half is None or half.is_cut_short
        method = "" if half is None else half.method
        self._windows.spend(number, frame.length, ends, time, method)

    def _event(self, name: str, stream: int, data: bytes, brought: Brought) -> Found:
        """Give out a frame of the connection's own."""
        end = len(data)
        number = self._id_of(stream)
        header = Header(name, MessageType.EVENT, number, True, Span(end, end), Span(0, 0))
        found = Found(
            *(header, RAW, self._carrier, brought.offset, end, data, brought.gaps, ()),
            *(brought.time, brought.end_time, brought.packets),
        )
        found.from_client = self._is_client
        found.layout = (Stretch(0, end, brought.offset, name if name == "preface" else "frame"),)
        return found

    # ── Header blocks ────────────────────────────────────────────────────────────────

    def _half(self, number: int, out: list[Found]) -> _Half:
        half = self._halves.get(number)
        if half is None:
            half = self._ended.get(number)
        if half is None:
            if len(self._halves) >= MAX_STREAMS:
                oldest = self._halves.pop(next(iter(self._halves)))
                self._cut_off(oldest, "too many streams are open", "", out)
            half = self._halves[number] = _Half(number)
        return half

    def _headers(self, frame: Frame, data: bytes, brought: Brought, out: list[Found]) -> None:
        found = parts(data, frame, len(data))
        piece = Piece(brought.offset, data, "frame", brought)
        piece.fragment = found.content
        self._open = self._half(frame.stream, out)
        self._open_kind = frame.kind
        self._open_ends = bool(frame.flags & END_STREAM) and frame.kind == HEADERS
        self._open_pieces = [piece]
        self._open_bytes = bytearray(found.content.of(data))
        if brought.gaps:
            self._table.lose()
        if frame.flags & END_HEADERS:
            self._block(out)

    def _go_on(self, frame: Frame, data: bytes, brought: Brought, out: list[Found]) -> None:
        piece = Piece(brought.offset, data, "frame", brought)
        piece.fragment = Span(FRAME_HEAD, len(data))
        self._open_pieces.append(piece)
        self._open_bytes += data[FRAME_HEAD:]
        if brought.gaps:
            self._table.lose()
        if len(self._open_bytes) > MAX_BLOCK:
            self._table.lose()
            self._drop_open(out)
        elif frame.flags & END_HEADERS:
            self._block(out)

    def _drop_open(self, out: list[Found]) -> None:
        """Give up the open block, which will not be complete: its frames are events."""
        half = self._open
        self._open = None
        for piece in self._open_pieces:
            number = half.number if half is not None else 0
            event = self._event(frame_name(piece.data[3]), number, piece.data, piece.brought)
            text = "its header block was not read to its end"
            event.findings = (Finding(Severity.ERROR, text, 0),)
            out.append(event)
        self._open_pieces = []
        self._open_bytes = bytearray()

    def _block(self, out: list[Found]) -> None:
        """Handle a complete header block."""
        half = self._open
        assert half is not None
        self._open = None
        pieces, self._open_pieces = self._open_pieces, []
        joined = bytes(self._open_bytes)
        packets = pieces[0].brought.packets
        number = packets[0] if packets else 0
        block = read_block(joined, 0, len(joined), self._table, number)
        for piece in pieces:
            piece.block = block
        head = block.head = block.head or _head_of(block)
        for piece in pieces:
            if piece.brought.gaps:
                head = _head_of(block)
                head.unknown = True
        if self._open_kind == PUSH_PROMISE:
            out.append(self._compose_event("PUSH_PROMISE", half.number, pieces))
            promised = u32(pieces[0].data, FRAME_HEAD + (pieces[0].data[4] >> 3 & 1)) & 0x7FFFFFFF
            if self._other is not None:
                other = self._other._half(promised, out)
                other.head, other.method = head, self._content(head, None).method(head)
                # Nobody sends that request.
                other.has_ended = True
                self._other._forget(other)
            return
        if head.is_request and self._is_client is None:
            self._is_client = True
        elif ":status" in head.lines and self._is_client is None:
            self._is_client = False
        status = head.get(":status")
        is_first = half.head is None or (half.head.get(":status").startswith("1"))
        part = half.head_part
        if is_first:
            half.head = head
            if not self._open_ends:
                self._windows.begin(half.number, pieces[-1].brought.end_time)
            if not status.startswith("1") or status == "101":
                self._begin(half, head)
        else:
            half.trailers = head
            part = _Part()
        for piece in pieces:
            part.add(piece)
        if self._open_ends:
            self._end(half, part if not is_first else None, out)
        elif not is_first:
            half.head_part = _joined([half.head_part, part])
        elif not self._is_asking(half):
            self._answered(half, out)

    def _begin(self, half: _Half, head: Head) -> None:
        """Handle the head of a request or a reply: find what reads its body."""
        asked: Head | None = None
        asking: _Half | None = None
        if not self._is_asking(half):
            asking = self._asking(half.number)
            if asking is not None:
                asked = asking.head
                half.method = asking.method
        half.content = self._content(head, asked)
        if self._is_asking(half):
            half.method = half.content.method(head)
        if asked is not None and not head.content_type and asking is not None:
            # It has no body, or refers to something that was not captured.
            its = asking.content
            if its is not None and its.is_enveloped and (head.unknown or asking.is_guessed):
                half.content = its
        half.protocol = half.content.protocol(head)
        its = half.content
        half.is_shut = its.is_enveloped and (its.is_base64 or bool(_coding(head)))

    def _content(self, head: Head, asked: Head | None) -> Content:
        content = self._contents(head, asked)
        assert content is not None, "somebody reads whatever HTTP/2 carries"
        return content

    def _id_of(self, number: int) -> int:
        """What calls of a stream are told apart by: its number, but for what an upgrade began."""
        return self._first_id if number == 1 else number

    def _is_asking(self, half: _Half) -> bool:
        """Say whether it is the end that called."""
        if half.head is not None and half.head.is_request:
            return True
        if half.head is not None and ":status" in half.head.lines:
            return False
        if self._is_client is None:
            asking = self._asking(half.number)
            return asking is None or asking.head is None or not asking.head.is_request
        return self._is_client

    def _asking(self, number: int) -> _Half | None:
        """Return the other end's half of a stream."""
        if number == 1 and self._upgraded is not None:
            return self._upgraded
        other = self._other
        if other is None:
            return None
        return other._halves.get(number) or other._ended.get(number)

    # ── Data ─────────────────────────────────────────────────────────────────────────

    def _data(self, frame: Frame, data: bytes, brought: Brought, out: list[Found]) -> None:
        half = self._half(frame.stream, out)
        found = parts(data, frame, len(data))
        is_known = (
            half.content is not None
            and half.head is not None
            and ("content-type" in half.head.lines or not half.head.unknown)
        )
        if not is_known and half.current is None and not half.is_guessed:
            self._guess(half, data, found.content)
        content = half.content
        assert content is not None
        base = brought.offset
        start, stop = found.content.start, found.content.stop
        ends = bool(frame.flags & END_STREAM)
        head = Piece(base, data[:start], "data head", brought)
        if half.is_broken:
            self._pass(half, frame, data, brought, out)
            if ends:
                self._end(half, None, out)
            return
        part = half.current
        if start == stop and part is None:
            # No content: only the end, or padding.
            piece = Piece(base, data, "frame", brought)
            if ends:
                tail = _Part()
                tail.add(piece)
                self._end(half, tail, out)
            else:
                out.append(self._event("DATA", frame.stream, data, brought))
            return
        if part is None:
            part = half.current = _Part()
        part.add(head)
        if found.padding.stop > found.padding.start:
            at = found.padding.start
            part.add(Piece(base + at, found.padding.of(data), "padding", brought))
        if content.is_enveloped and not half.is_shut:
            self._enveloped(half, data, start, stop, brought, out)
        else:
            part.add(Piece(base + start, data[start:stop], "body", brought))
            part.size += stop - start
            self.waiting += stop - start
            if part.size > self._limits.message:
                self._too_long(half, part.size, base, out)
        if ends:
            self._end(half, None, out)

    def _enveloped(
        self, half: _Half, data: bytes, start: int, stop: int, brought: Brought, out: list[Found]
    ) -> None:
        """Cut content into messages by their envelopes."""
        at = start
        base = brought.offset
        while at < stop or half.left == 0:
            if half.current is None:
                half.current = _Part()
            part = half.current
            if half.left < 0:
                size = min(ENVELOPE - len(half.envelope), stop - at)
                half.envelope += data[at : at + size]
                part.add(Piece(base + at, data[at : at + size], "envelope", brought))
                at += size
                if len(half.envelope) < ENVELOPE:
                    return
                part.flag = half.envelope[0]
                half.left = part.size = u32(bytes(half.envelope), 1)
                half.envelope.clear()
                if part.size > self._limits.message:
                    self._too_long(half, part.size, base + at, out)
                    return
            take: i64 = min(half.left, stop - at)
            if take:
                part.add(Piece(base + at, data[at : at + take], "body", brought))
                at += int(take)
                half.left -= take
                self.waiting += take
            if not half.left:
                half.left = -1
                half.current = None
                self._complete(half, part, out)

    def _guess(self, half: _Half, data: bytes, content: Span) -> None:
        """Guess what the data of a stream are whose head does not say it.

        The head was not captured, or refers to something that was not: data that are cut like
        gRPC's are taken for gRPC.
        """
        half.is_guessed = True
        head = half.head or Head(self._is_client is True)
        flag = data[content.start] if len(content) >= ENVELOPE else 255
        asking = self._asking(half.number)
        asked = None if asking is None else asking.head
        if asking is not None and asking.content is not None and asking.content.is_enveloped:
            half.method = asking.method
            half.content = asking.content
        elif flag <= 1 and content.start + ENVELOPE + u32(data, content.start + 1) <= content.stop:
            guessed = Head(head.is_request)
            guessed.lines = {**head.lines, "content-type": "application/grpc"}
            half.content = self._content(guessed, asked)
        elif half.content is None:
            half.content = self._content(head, asked)
        if self._is_asking(half):
            half.method = half.content.method(head)
        half.protocol = half.content.protocol(head)

    def _too_long(self, half: _Half, size: int, offset: int, out: list[Found]) -> None:
        """Report a message that claims too much: the rest of this stream is not kept."""
        half.is_broken = True
        part = half.current
        half.current = None
        limit = self._limits.message
        text = f"message of {size} bytes at stream offset {offset}: at most {limit} are read"
        if part is not None:
            held = half.held
            half.held = None
            given = [one for one in (held, part) if one is not None]
            self._stream_on(half, out)
            for one in given:
                found = self._found(half, MessageType.PART, [one])
                found.findings += (Finding(Severity.ERROR, text, found.header.span.stop),)
                out.append(found)

    def _pass(
        self, half: _Half, frame: Frame, data: bytes, brought: Brought, out: list[Found]
    ) -> None:
        """Give out data that are not read as an event, without their content."""
        event = self._event("DATA", frame.stream, data[:FRAME_HEAD], brought)
        event.size = len(data)
        text = f"{len(data) - FRAME_HEAD} bytes of stream {half.number} were not read"
        event.findings = (Finding(Severity.WARNING, text, 0),)
        out.append(event)

    # ── Messages ─────────────────────────────────────────────────────────────────────

    def _complete(self, half: _Half, part: _Part, out: list[Found]) -> None:
        """Handle a message of a stream, which is complete."""
        content = half.content
        assert content is not None
        if content.ends_at and part.flag & content.ends_at:
            # Trailers, in place of HTTP's.
            half.trailers = content.read_trailers(_content_of(part))
            for piece in part.pieces:
                if piece.what == "body":
                    piece.what = "trailers"
            self._finish(half, part, out)
            return
        if half.is_stream or half.has_ended:
            out.append(self._found(half, MessageType.PART, [part]))
            return
        if half.held is None:
            half.held = part
            if self._is_asking(half):
                asking = None if self._other is None else self._other._halves.get(half.number)
                if asking is not None and asking.head is not None:
                    self._stream_on(half, out)  # it was answered already
            return
        if content.has_stray and not part.size and self._is_asking(half):
            half.held = _joined([half.held, part])
            return
        self._stream_on(half, out)
        out.append(self._found(half, MessageType.PART, [part]))

    def _stream_on(self, half: _Half, out: list[Found]) -> None:
        """Give out the head of what is now known to be a stream, and the message that waited."""
        if half.is_stream:
            return
        half.is_stream = True
        if self._is_asking(half):
            out.append(self._found(half, MessageType.CALL, [half.head_part]))
            half.head_part = _Part()
        held = half.held
        if held is not None:
            half.held = None
            out.append(self._found(half, MessageType.PART, [held]))

    def _answered(self, half: _Half, out: list[Found]) -> None:
        """Note that the other end begins to answer: unless the caller has ended, it is a stream."""
        other = self._other
        asking = None if other is None else other._halves.get(half.number)
        if asking is None or other is None or asking.has_ended or asking.head is None:
            return
        other._given_early(asking, out)

    def _given_early(self, half: _Half, out: list[Found]) -> None:
        """Note that the other direction shows that this half is a stream."""
        before = len(out)
        self._stream_on(half, out)
        for found in out[before:]:
            found.is_others = True

    def _end(self, half: _Half, tail: _Part | None, out: list[Found]) -> None:
        """End this half of a stream; ``tail`` has the frames that say so."""
        content = half.content
        if half.current is not None and half.is_shut:
            part, half.current = half.current, None
            self._open_up(half, part, out)
        elif half.current is not None and (content is None or content.is_enveloped):
            # A message that was not sent to its end.
            part = half.current
            half.current = None
            half.left = -1
            half.envelope.clear()
            self._stream_on(half, out)
            out.append(self._found(half, MessageType.PART, [part], "the stream ended"))
        elif half.current is not None:
            half.held, half.current = half.current, None
        self._finish(half, tail, out)

    def _open_up(self, half: _Half, part: _Part, out: list[Found]) -> None:
        """The messages of a body that was packed, or written in base64, as a whole."""
        content, head = half.content, half.head
        assert content is not None
        assert head is not None
        data: bytes | None = _content_of(part)
        coding, wrong = _coding(head), ""
        if part.is_lossy:
            data, wrong = None, "bytes of a packed body were lost"
        elif coding and data:
            data, wrong = self._unpack(coding, data)
        if data is not None and not wrong and content.is_base64:
            data, _ = from_base64(data)
            wrong = "the body is no base64" if data is None else ""
        spans = [] if data is None or wrong else envelopes(data)
        if data is None or wrong or (spans and spans[-1][1] > len(data)):
            half.held = part
            half.protocol = RAW
            half.note = wrong or "the last message in it is not whole"
            return
        for piece in part.pieces:
            if piece.what == "body":
                piece.what = "packed" if coding else "base64"
        if not spans:
            half.held = part
        brought = part.pieces[0].brought
        for start, stop in spans:
            one = part  # all that is on the wire stands with the first
            part = _Part()
            inside = start + ENVELOPE
            one.flag, one.size = data[start], stop - inside
            one.add(Piece(NOWHERE, data[start:inside], "envelope", brought))
            one.add(Piece(NOWHERE, data[inside:stop], "body", brought))
            self._complete(half, one, out)

    def _finish(self, half: _Half, tail: _Part | None, out: list[Found]) -> None:
        if half.has_ended:
            if tail is not None:
                self._as_events(half, tail, out)
            return
        half.has_ended = True
        is_asking = self._is_asking(half)
        self._windows.end(half.number)
        other = self._other
        asking = None if is_asking or other is None else other._halves.get(half.number)
        if other is not None and asking is not None:
            other._stop_sending(half.number, self.time, "the server's answer")
            asking.is_cut_short = True
        if is_asking and half.is_stream:
            if tail is not None:
                self._as_events(half, tail, out)
        elif is_asking:
            parts_ = [half.head_part, half.held, tail]
            out.append(self._found(half, MessageType.CALL, parts_))
        else:
            self._reply(half, tail, out)
        half.held = None
        half.head_part = _Part()
        self._forget(half)

    def _reply(self, half: _Half, tail: _Part | None, out: list[Found]) -> None:
        ending = NO_END
        if half.content is not None and half.head is not None:
            body = b"" if half.held is None else _content_of(half.held)
            ending = half.content.ending(half.head, half.trailers, body)
        mtype = MessageType.EXCEPTION if ending.is_error else MessageType.REPLY
        if half.number and not half.number & 1:
            mtype = MessageType.ONEWAY  # the server pushes
        held = half.held
        content = half.content
        if ending.is_error and held is not None and content is not None and content.is_enveloped:
            # An error has no message: this one was part of a stream.
            self._stream_on(half, out)
            held = None
        found = self._found(half, mtype, [half.head_part, held, tail], "", ending)
        if not ending.is_known:
            found.end = "its status refers to what was not captured"
        out.append(found)

    def _as_events(self, half: _Half, part: _Part, out: list[Found]) -> None:
        for piece in part.pieces:
            name = frame_name(piece.data[3]) if piece.what == "frame" else "DATA"
            out.append(self._compose_event(name, half.number, [piece]))

    def _forget(self, half: _Half) -> None:
        self._halves.pop(half.number, None)
        self._ended[half.number] = half
        if len(self._ended) > MAX_ENDED:
            del self._ended[next(iter(self._ended))]

    def _reset(self, frame: Frame, data: bytes, brought: Brought, out: list[Found]) -> None:
        """Handle RST_STREAM: both directions of a stream are over.

        What is there of the call comes before it, with the messages that answered it; the rest of
        an answer comes after it: half of one does not answer the call.
        """
        code = u32(data, FRAME_HEAD)
        words = error_name(code)
        by = (
            ""
            if self._is_client is None
            else f" by the {'client' if self._is_client else 'server'}"
        )
        for one in (self, self._other):
            if one is not None:
                one._stop_sending(frame.stream, brought.time, f"RST_STREAM {words}{by}")
        why = f"the stream was reset: {words}"
        other = self._other
        replying = other if self._is_client else self
        is_replied = replying is not None and frame.stream in replying._ended
        mine: list[Found] = []
        theirs: list[Found] = []
        half = self._halves.get(frame.stream)
        if half is not None and not (is_replied and not code):
            self._cut_off(half, why, "", mine)
        its = None if other is None else other._halves.get(frame.stream)
        if other is not None and its is not None:
            other._cut_off(its, why, "", theirs)
            for found in theirs:
                found.is_others = True
        event = self._event("RST_STREAM", frame.stream, data, brought)
        if not is_replied:
            event.end = f"RST_STREAM {words}"
        asking, answering = (mine, theirs) if self._is_client else (theirs, mine)
        out += asking
        out += [found for found in answering if found.header.type is MessageType.PART]
        out.append(event)
        out += [found for found in answering if found.header.type is not MessageType.PART]

    def _goaway(self, data: bytes, brought: Brought, out: list[Found]) -> None:
        """Handle the GOAWAY of a server: the client's streams beyond the last were refused.

        A client's is about streams that a server would begin.
        """
        if len(data) < FRAME_HEAD + 8 or self._other is None or self._is_client is not False:
            return
        self._farewells += 1
        if self._farewells > MAX_FAREWELLS:
            return
        last = u32(data, FRAME_HEAD) & 0x7FFFFFFF
        code = error_name(u32(data, FRAME_HEAD + 4))
        for number in list(self._other._halves) + list(self._other._ended):
            if number > last and number & 1 and number not in self._ended:
                refused = self._event("GOAWAY refuses", number, b"", brought)
                refused.end = f"GOAWAY {code}, last stream {last}: it was not worked on"
                out.append(refused)

    def _cut_off(self, half: _Half, why: str, cut: str, out: list[Found]) -> None:
        """Give out what is there of a half that will not be completed."""
        self._halves.pop(half.number, None)
        self._ended[half.number] = half
        if len(self._ended) > MAX_ENDED:
            del self._ended[next(iter(self._ended))]
        half.has_ended = True
        current = half.current
        half.current = None
        half.left = -1
        half.envelope.clear()
        is_asking = self._is_asking(half)
        given: list[Found] = []
        if is_asking and half.head_part.pieces and current is None:
            given.append(self._found(half, MessageType.CALL, [half.head_part, half.held]))
        elif is_asking and half.head_part.pieces:
            # Its message is cut off, and so is the call.
            whole = half.content is None or not half.content.is_enveloped or half.held is None
            if whole:
                given.append(self._found(half, MessageType.CALL, [half.head_part, current], why))
            else:
                self._stream_on(half, given)
                given.append(self._found(half, MessageType.PART, [current], why))
        else:
            if half.held is not None or (current is not None and is_asking):
                before = half.head_part
                for part in (half.held, current):
                    if part is not None:
                        is_cut = why if part is current else ""
                        given.append(self._found(half, MessageType.PART, [before, part], is_cut))
                        before = _Part()
            elif not cut and current is not None:
                # What ended the stream says how; part of an answer is not an answer.
                given.append(self._found(half, MessageType.PART, [half.head_part, current], why))
            elif not cut:
                self._as_events(half, half.head_part, given)
            elif half.head_part.pieces or current is not None:
                parts_ = [half.head_part, current]
                found = self._found(half, MessageType.REPLY, parts_, why, NOT_KNOWN)
                found.cut = cut
                given.append(found)
        if cut:
            for one in given:
                if one.findings and one.cut == "" and one.findings[-1].text.endswith(why):
                    one.cut = cut
        half.held = None
        half.head_part = _Part()
        out += given

    def end(
        self, data: bytes, brought: Brought | None, reason: str, cut: str, is_all: bool
    ) -> list[Found]:
        out = self._take_early()
        frame = read_frame(data, 0, len(data)) if len(data) >= FRAME_HEAD else None
        if brought is not None:
            if frame is not None and frame.kind == DATA and frame.stream in self._halves:
                half = self._halves[frame.stream]
                found = parts(data, frame, len(data))
                if half.content is not None and found.content:
                    part = half.current = half.current or _Part()
                    head = data[: found.content.start]
                    part.add(Piece(brought.offset, head, "data head", brought))
                    if half.content.is_enveloped and not half.is_shut:
                        start, stop = found.content.start, found.content.stop
                        self._enveloped(half, data, start, stop, brought, out)
                    else:
                        at = brought.offset + found.content.start
                        part.add(Piece(at, found.content.of(data), "body", brought))
            elif data:
                name = "frame" if frame is None else frame_name(frame.kind)
                event = self._event(name, frame.stream if frame else 0, data, brought)
                event.findings = (Finding(Severity.ERROR, f"frame cut off: {reason}", 0),)
                out.append(event)
        if not is_all:
            if frame is not None and frame.kind == DATA:
                broken = self._halves.get(frame.stream)
                if broken is not None:
                    self._cut_off(broken, reason, cut, out)
            elif frame is not None and frame.kind in (HEADERS, CONTINUATION, PUSH_PROMISE):
                self._table.lose()
                self._drop_open(out)
            return out
        self._table.lose()
        self._drop_open(out)
        for half in self._ended.values():
            if half.current is not None:
                part, half.current = half.current, None
                out.append(self._found(half, MessageType.PART, [part], reason))
        for half in list(self._halves.values()):
            self._cut_off(half, reason, cut, out)
        self.waiting = 0
        return out

    # ── Putting together ─────────────────────────────────────────────────────────────

    def _compose_event(self, name: str, stream: int, pieces: list[Piece]) -> Found:
        data = b"".join([piece.data for piece in pieces])
        event = self._event(name, stream, data, pieces[0].brought)
        lay_out(event, pieces, False)
        event.kept = _heads_of(pieces, event, NO_END)
        time_of(event, pieces)
        return event

    def _found(
        self,
        half: _Half,
        mtype: MessageType,
        given: list[_Part | None],
        cut_why: str = "",
        ending: Ending = NO_END,
    ) -> Found:
        """Make a message of these parts: a head, a message, trailers."""
        part = _joined([one for one in given if one is not None])
        pieces = part.pieces
        content = half.content
        carrier = self._carrier if content is None else content.carrier
        body = b"".join([piece.data for piece in pieces if piece.what == "body"])
        self.waiting = max(0, self.waiting - len(body))
        protocol = RAW if half.is_shut and cut_why else half.protocol
        number = self._id_of(half.number)
        findings: list[Finding] = []
        unpacked: bytes | None = None
        if content is not None and body and not part.is_lossy:
            packing = content.packing(half.head or Head(False), part.flag)
            if packing:
                unpacked, wrong = self._unpack(packing, body)
                if wrong:
                    findings.append(Finding(grave(wrong), wrong, 0))
                    if unpacked is None:
                        protocol = RAW
        if content is not None and half.head is not None and mtype is MessageType.CALL and not body:
            head, allowance = half.head, self.allowance
            protocol, unpacked = in_head(content, head, protocol, allowance, findings)
        if protocol.is_text and not (body or unpacked):
            protocol = RAW  # no text is a value
        if content is not None:
            seen = body if unpacked is None else unpacked
            protocol = content.reads_as(protocol, seen, self._is_asking(half))
        data = b"".join([piece.data for piece in ordered(pieces)])
        header = Header(half.method, mtype, number, True, Span(0, 0), Span(0, 0))
        offset = pieces[0].brought.offset if pieces else 0
        if pieces and pieces[0].offset != NOWHERE:
            offset = pieces[0].offset
        size = sum([len(piece.data) for piece in pieces if piece.offset != NOWHERE])
        found = Found(header, protocol, carrier, offset, size, data, (), (), 0, 0, ())
        lay_out(found, pieces, unpacked is not None)
        if unpacked is not None:
            start = len(found.data)
            found.data += unpacked
            found.layout += (Stretch(start, len(unpacked), NOWHERE, "body"),)
        start, stop = place_of_body(found, pieces)
        found.body_stop = stop
        kept = found.kept = _heads_of(pieces, found, ending)
        found.header = Header(
            half.method, mtype, number, True, Span(start, start), _method_span(kept)
        )
        time_of(found, pieces)
        found.from_client = self._is_client
        if part.is_lossy:
            found.gaps = gaps_of(found, pieces)
        findings += _findings_of(kept, half)
        if half.note and body:
            findings.append(Finding(Severity.WARNING, half.note, 0))
        if cut_why:
            text = f"message cut off at offset {stop}: {cut_why}"
            if part.size > stop - start:
                text = (
                    f"message cut off at offset {stop}: needs {part.size} bytes, "
                    f"{stop - start} are there: {cut_why}"
                )
            findings.append(Finding(Severity.ERROR, text, stop))
        found.findings = tuple(findings)
        return found

    def _unpack(self, packing: str, body: bytes) -> tuple[bytes | None, str]:
        """Return the content of packed bytes, and what is wrong with that, else ""."""
        return opened(packing, body, self.allowance)


# ── Pieces ───────────────────────────────────────────────────────────────────────────


def _unit(buffer: bytearray, stop: int, what: str) -> Unit:
    unit = Unit(stop, bytes(buffer[:stop]), 0, None, what)
    unit.is_piece = True
    return unit


def _joined(given: list[_Part]) -> _Part:
    if len(given) == 1:
        return given[0]
    whole = _Part()
    for part in given:
        whole.pieces += part.pieces
        whole.is_lossy = whole.is_lossy or part.is_lossy
        whole.flag |= part.flag
        whole.size += part.size
    return whole


def _heads_of(pieces: list[Piece], found: Found, ending: Ending) -> Heads:
    """Return the header blocks of a message, with their places in its data."""
    blocks: list[HeadBlock] = []
    fragments: list[Span] = []
    current: HeaderBlock | None = None
    for stretch, piece in zip(found.layout, ordered(pieces), strict=False):
        if piece.block is None or piece.fragment is None:
            continue
        if piece.block is not current:
            if current is not None:
                blocks.append(HeadBlock(current, tuple(fragments)))
            current = piece.block
            fragments = []
        at = stretch.start
        fragments.append(Span(at + piece.fragment.start, at + piece.fragment.stop))
    if current is not None:
        blocks.append(HeadBlock(current, tuple(fragments)))
    return Heads(tuple(blocks), ending)


def _content_of(part: _Part) -> bytes:
    return b"".join([piece.data for piece in part.pieces if piece.what == "body"])


# ── Heads ────────────────────────────────────────────────────────────────────────────


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _head_of(block: HeaderBlock) -> Head:
    """Return what a header block says, as far as it is known."""
    head = Head(False)
    for name, value in block.headers:
        if name is None or value is None:
            head.unknown = True
            continue
        key = _text(name)
        head.lines[key] = _text(value)
        if key == ":method" or key == ":path":
            head.is_request = True
    if block.error is not None or block.warnings:
        head.unknown = True
    return head


def _coding(head: Head) -> str:
    """How a body is packed as a whole, "" if it is not."""
    coding = head.get("content-encoding").lower()
    return "" if coding == "identity" else coding


def _as_http2(head: Head) -> Head:
    """A head of HTTP/1 that is one of HTTP/2 from here on."""
    same = Head(head.is_request)
    same.lines = head.lines
    return same


def _upgrade_settings(head: Head) -> list[tuple[int, int]]:
    """Return the SETTINGS that a client sent with its request (RFC 7540, 3.2.1).

    None of them if it is not base64.
    """
    text = head.get("http2-settings")
    try:
        raw = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return []
    return settings(raw, 0, len(raw))


def _method_span(kept: Heads) -> Span:
    """Return where a message names its method: the header block's line of the path."""
    for one in kept.blocks:
        if len(one.fragments) != 1:
            continue
        base = one.fragments[0].start
        for line in one.block.lines:
            if line.name == b":path":
                at = line.value_at
                if at is None:
                    return Span(base + line.start, base + line.stop)
                return Span(base + at.inside, base + at.stop)
    return Span(0, 0)


def _findings_of(kept: Heads, half: _Half) -> list[Finding]:
    """Return what is wrong with, or not known about, the headers of a message."""
    findings: list[Finding] = []
    for one in kept.blocks:
        base = one.fragments[0].start if one.fragments else 0
        if one.block.error is not None:
            error = one.block.error
            findings.append(Finding(Severity.ERROR, f"header block: {error}", base + error.offset))
        for warning in one.block.warnings:
            at = base + warning.offset
            findings.append(Finding(Severity.WARNING, f"header block: {warning}", at))
        unknown = [line for line in one.block.lines if line.unknown]
        if unknown:
            lines = "header is" if len(unknown) == 1 else "headers are"
            text = f"{len(unknown)} {lines} not known: {unknown[0].unknown}"
            findings.append(Finding(Severity.NOTE, text, base + unknown[0].start))
    return findings


# ── What tells it from others ────────────────────────────────────────────────────────


def _without_flags(head: bytes) -> bytes:
    """Return the head of a frame without flags that a later version may have given it."""
    return head[:4] + b"\0" + head[5:] if head[3] in (DATA, HEADERS, PUSH_PROMISE) else head


_KNOWN_SETTINGS: Final = frozenset({1, 2, 3, 4, 5, 6, 8, 9, 0xFE03})


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin HTTP/2; None: too few of them yet.

    A client begins with the preface, a server with SETTINGS.
    """
    head = bytes(data[: len(PREFACE)])
    if PREFACE.startswith(head):
        return True if len(head) == len(PREFACE) else None
    if head[:1] != b"\0" or (len(head) > 3 and head[3] != SETTINGS):
        return False
    if len(head) < FRAME_HEAD:
        return None if head[1:2] in (b"", b"\0") else False
    frame = read_frame(head, 0, len(head))
    assert frame is not None
    if frame.flags or frame.stream or frame.length % 6 or frame.length > 120 or frame.reserved:
        return False
    if len(data) < frame.stop:
        return None
    whole = bytes(data[: frame.stop])
    return all(number in _KNOWN_SETTINGS for number, _ in settings(whole, FRAME_HEAD, frame.stop))


def find(data: bytes | bytearray, ended: bool) -> tuple[int, bool]:
    """Return where frames begin in the middle of a direction: see ``find_frames``."""
    raw = bytes(data)
    place, is_sure = find_frames(raw, 0, len(raw), ended)
    # A capture may begin at the preface, after the handshake.
    begin = raw.find(PREFACE, 0, place + 1)
    if begin < 0 and not is_sure and not ended:
        size = len(PREFACE) - 1
        while size and not raw.endswith(PREFACE[:size]):
            size -= 1
        begin = len(raw) - size if size else -1
    return (begin, is_sure) if 0 <= begin < place else (place, is_sure)


# How many frames are looked at where nothing came from the other end, and how many are enough.
_LOOKED_AT: Final = 256
_ENOUGH: Final = 8


def proves_itself(data: bytes | bytearray, at: int) -> bool:
    """Say whether frames that begin at ``at`` are HTTP/2 for sure, whatever the other end sent.

    They follow each other to the end of the data, where one may be cut, or many of them do.  A
    block of headers among them can be read, and has the method of a request or the status of a
    reply.  The preface is proof enough.
    """
    raw = bytes(data)
    if raw.startswith(PREFACE, at):
        return True
    frames = 0
    is_named = False
    while at + FRAME_HEAD <= len(raw) and frames < _LOOKED_AT:
        if not may_be_frame(raw, at):
            return False
        frame = read_frame(raw, at, len(raw))
        assert frame is not None
        if frame.stop > len(raw):
            break
        frames += 1
        at = frame.stop
        if frame.kind == HEADERS and frame.flags & END_HEADERS and not is_named:
            content = parts(raw, frame, len(raw)).content
            block = read_block(raw, content.start, content.stop, DynamicTable(False), 0)
            lines = _head_of(block).lines
            status = lines.get(":status", "")
            is_named = block.error is None and (
                lines.get(":method", "").isalpha() or (len(status) == 3 and status.isdigit())
            )
    return is_named and frames >= _ENOUGH
