"""HTTP/1: requests and responses, one after the other in each direction (RFC 9112).

    POST /calc HTTP/1.1 ⏎                  HTTP/1.1 200 OK ⏎
    Content-Type: application/json ⏎       Transfer-Encoding: chunked ⏎
    Content-Length: 30 ⏎                   ⏎
    ⏎                                      17 ⏎ 23 bytes ⏎  0 ⏎ ⏎
    30 bytes

A body ends where its length says, or with its last chunk, or with the stream; some heads have none.

    the body's first bytes ──▶ claimed   by the subclass: Thrift knows its messages
    the head               ──▶ taken     by a family that reads such bodies: see ``contents``
                           ──▶ passed    not all HTTP is RPC: pages, pictures, downloads

What is passed over does not wait in memory: it is taken a window at a time.  What is taken becomes
messages: a request is a CALL, its response the REPLY or EXCEPTION.  HTTP/1 has no ids: a request's
place in its connection is its number, and a response has the number of the request it answers.

After lost bytes the place is not known.  It is between two requests: behind those whose responses
must have been lost, and not behind what was sent later than the response.  A client that has got
something new before each request sends one at a time, and waits for the answer to its last one.
If that leaves more than one request, the response is nobody's: it is not guessed.

A request without a body does not say enough about its purpose: it is a call if its response shows
that.  Every request gets a response, and each of them is a ``Turn``, for code that settles calls.

101 with "Upgrade: h2c" is an EVENT, and behind it the server speaks HTTP/2, whose stream 1 answers
the request; the client speaks it from the preface on (RFC 7540, 3.2).
"""

from __future__ import annotations

from typing import Final

from ...errors import DecodeError, LimitExceeded
from ...model import (
    CUT_LOST,
    NOWHERE,
    Finding,
    Header,
    Limits,
    MessageType,
    Protocol,
    Severity,
    Span,
    Stretch,
)
from ...wire.link import number as u32
from ..framing import Brought, Found, Transport, Turn, Unit
from ..raw import RAW
from ..unpacking import Allowance, grave
from .contents import NO_END, Content, Contents, Ending, Head, Kept
from .h2 import PREFACE
from .http1_bodies import (
    ANSWER,
    CLOSE,
    DONE,
    HEAD_END,
    LENGTH,
    MAX_HEAD,
    MAX_START,
    NO_BODY,
    TELLING,
    Body,
    Start,
    add_lines,
    begin_of,
    begins,
    in_head,
    no_start,
    opened,
    shown,
)
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

__all__ = ["Http1", "Kept1"]

# How much of a body without a message is taken at once.
_WINDOW: Final = 65_536

# How much is kept of a body that is worth reading only as an answer to a call: a page, a picture.
_MOST_OTHER: Final = 1 << 16

# How many requests of a connection may wait for their responses.
MAX_ASKED: Final = 1024


# ── Requests and responses ───────────────────────────────────────────────────────────


class Kept1(Kept):
    """What is kept with an HTTP/1 message: how it ended.  Everything else is in its bytes."""

    __slots__ = ()


class Asked:
    """A request, for the response to it.

    ``content`` reads its body; None: nothing does, or the body's own bytes were claimed
    (``is_claimed``).  ``held`` is all of a request without a body, until its response shows what it
    is.  ``waited``: its client had got something new since its last request; ``is_after_loss``: one
    before it may be missing.
    """

    __slots__ = (
        *("content", "head", "held", "is_after_loss", "is_claimed", "number", "time", "waited"),
    )

    def __init__(self, number: int, head: Head, time: int) -> None:
        self.number = number
        self.time = time
        self.head = head
        self.content: Content | None = None
        self.is_claimed = False
        self.held: Piece | None = None
        self.waited = False
        self.is_after_loss = False


class TakenUnit:
    """What a unit has of a message that is taken: places in its data, and what is there.

    ``flag`` and ``size`` are those of a message in a stream of them, -1 if none is complete.
    ``ends``: the body ends.  ``why`` says what is not read after it.  ``doubted`` is a request
    without a body.  ``upgrade`` is the head behind which HTTP/2 follows, and who reads that.
    """

    __slots__ = ("doubted", "ends", "flag", "places", "size", "upgrade", "why")

    def __init__(self, places: list[tuple[int, int, str]], ends: bool) -> None:
        self.places = places
        self.ends = ends
        self.flag = 0
        self.size = -1
        self.why = ""
        self.doubted: Asked | None = None
        self.upgrade: tuple[Head, Content] | None = None


class TakenTurn:
    """A request or a response that is taken: what is there of its messages.

    ``is_cut``: its body is messages in envelopes; ``is_base64``, ``is_packed``: such messages, all
    of them in base64, or packed.  ``held`` is the first of them while it may be
    the only one; ``is_stream``: there are several.  ``tail`` is what stands behind the last.
    ``note`` says what was not read of it.
    """

    __slots__ = (
        "asked",
        "content",
        "flag",
        "has_ended",
        "head",
        "head_pieces",
        "held",
        "is_base64",
        "is_cut",
        "is_packed",
        "is_stream",
        "method",
        "method_span",
        "note",
        "number",
        "packing",
        "protocol",
        "tail",
        "trailers",
    )

    def __init__(self, head: Head, content: Content, asked: Asked | None) -> None:
        self.head = head
        self.content = content
        self.asked = asked
        self.number = 0 if asked is None else asked.number
        self.method = "" if asked is None else content.method(asked.head)
        self.method_span = _method_span(head, self.method) if head.is_request else Span(0, 0)
        self.protocol: Protocol = RAW
        self.is_base64 = False
        self.is_cut = False
        self.is_packed = False
        self.packing = ""
        self.is_stream = False
        self.note = ""
        self.has_ended = False
        self.flag = 0
        self.head_pieces: list[Piece] = []
        self.held: list[Piece] | None = None
        self.tail: list[Piece] = []
        self.trailers: Head | None = None


# What becomes of a body.
_OPEN: Final = 0
_CLAIMED: Final = 1
_TAKEN: Final = 2
_PASSED: Final = 3


class Http1(Transport):
    """One direction of HTTP/1.  ``contents`` says what reads the body after a head, if anything.

    A subclass may claim bodies by their first bytes: see ``claim``.  ``is_whole``: such a body ends
    with the stream.
    """

    name = "http"
    is_woven = True
    holds = False

    def __init__(self, limits: Limits, contents: Contents | None = None) -> None:
        self._limits = limits
        self._contents = contents
        self.allowance = Allowance(limits)
        self._other: Http1 | None = None
        self._asking: list[Asked] = []  # its requests that are waiting for their responses
        self._count = 0
        # Responses that came before their requests in the capture: their numbers and times.
        self._early: list[tuple[int, int]] = []
        self._is_even = False  # a response was found to answer a request
        self._is_lossy = False  # a request, or a response, may be missing
        self._may_be_tail = False  # what is missing may be the rest of one that was seen
        self._heard_then = -1  # ``heard`` at the last request
        self.upgraded: Asked | None = None  # the request that stream 1 of HTTP/2 answers
        self._reset()

    def _reset(self) -> None:
        """Expect the next head at the buffer's start."""
        self._scanned = 0  # no head ends before this
        self._head: Start | None = None
        self._body: Body | None = None
        self._mode = _OPEN
        self._asked: Asked | None = None
        self._said: TakenTurn | None = None
        self._is_own = False  # the head confirms what the body was taken for
        self._has_turned = False

    def give_up(self) -> None:
        self._may_be_tail = self._may_be_tail or self._head is not None or self.is_inside
        self._reset()
        self._is_lossy = True

    def meet(self, other: Transport) -> None:
        if isinstance(other, Http1):
            self._other = other

    # ── For subclasses ───────────────────────────────────────────────────────────────

    def claim(self, head: Start, body: Body, begin: bytes) -> bool:
        """Say whether a body that begins like this, unpacked, belongs to this class."""
        return False

    def claimed(self, buffer: bytearray) -> Unit:
        """Make the unit of a body that was claimed, and is there to its end.

        This class claims nothing, so only subclasses are asked.
        """
        raise NotImplementedError

    def claimed_rest(self, buffer: bytearray, have: int) -> Unit | None:
        """Make a unit of what is there of a body that will not be complete.

        None if it was not claimed, and can no longer be.
        """
        return None

    def note_head(self, head: Start) -> None:
        """Learn of a head that was read."""
        return

    def is_owned(self, head: Start) -> bool:
        """Say whether a head by itself says that its body belongs to this class."""
        return False

    def amiss(self, head: Start, body: Body) -> str:
        """Say what is wrong with a body that was passed over, "" if nothing is."""
        return ""

    def _mark_claimed(self) -> None:
        self._mode = _CLAIMED

    # ── Reading ──────────────────────────────────────────────────────────────────────

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        if not have:
            return None
        if self._body is None:
            if self._head is None and buffer[0] == PREFACE[0] and self._contents is not None:
                begin = bytes(buffer[: min(have, len(PREFACE))])
                if begin == PREFACE:
                    return self._switch(Unit(0, b"", 0, None))
                if PREFACE.startswith(begin) and begin[:4] == PREFACE[: min(have, 4)]:
                    return None
            if self._head is None and buffer[0] == 0x0D:
                # RFC 9112, 2.2: an empty line before a request is to be ignored.
                if have < 2:
                    return None
                if buffer[1] == 0x0A:
                    unit = Unit(2, b"", 0, None)
                    unit.lines = ((0, b"\r\n"),)
                    return unit
            if not self._begin(buffer, have):
                return None
        assert self._body is not None
        if self._mode == _OPEN and self._head is not None and self._head.opens_http2:
            return self._opening(buffer)
        if self._mode == _OPEN and not self._settle(buffer, have):
            return None
        if self._mode == _TAKEN:
            return self._taken(buffer, have)
        body = self._body
        if self._mode == _CLAIMED and body.keeps:
            body.advance(buffer, have, self._limits.message + 1)
            if body.keeps:
                return self.claimed(buffer) if body.state == DONE else None
        return self._pass(buffer, have)

    def _begin(self, buffer: bytearray, have: int) -> bool:
        """Read the head; False if it, or what tells whether it has a body, is not there."""
        if self._head is None:
            if begins(bytes(buffer[: min(have, MAX_START)])) is False:
                raise no_start()
            end = HEAD_END.search(buffer, self._scanned, min(have, MAX_HEAD))
            if end is None:
                self._scanned = max(0, have - 3)
                if have >= MAX_HEAD:
                    found = f"over {MAX_HEAD} bytes"
                    raise LimitExceeded("HTTP head", 0, found=found, limit=MAX_HEAD)
                return False
            self._head = Start(bytes(buffer[: end.end()]))
            self._answer(self._head)
        head = self._head
        if head.is_answer and head.ends != NO_BODY and self._asked is None:
            # The answer to a HEAD has the head of a body but no body: then the next answer begins
            # here.  No message begins like one.
            room = min(len(ANSWER), head.length) if head.ends == LENGTH else len(ANSWER)
            seen = bytes(buffer[head.stop : min(have, head.stop + room)])
            if room > 4 and ANSWER.startswith(seen):
                if len(seen) < room:
                    return False
                head.ends = NO_BODY
        self._body = Body(head, self._limits, self.keeps_lines or self._contents is not None)
        self.note_head(head)
        return True

    def _switch(self, unit: Unit) -> Unit:
        """Behind this unit it is HTTP/2, if anybody reads that."""
        if self._contents is not None:
            content = self._contents(Head(False), None)
            unit.switches = None if content is None else content.carrier
        unit.is_piece = unit.switches is not None
        return unit

    def _opening(self, buffer: bytearray) -> Unit:
        """The head behind which the server speaks HTTP/2."""
        assert self._head is not None
        said = self._head.head()
        unit = Unit(self._head.stop, self._head.data, 0, None, "HTTP's upgrade to HTTP/2")
        content = None if self._contents is None else self._contents(Head(False), None)
        if content is not None:
            step = TakenUnit([(0, unit.stop, "head")], True)
            step.upgrade = said, content
            unit.kept = step
        return self._switch(unit)

    def _answer(self, head: Start) -> None:
        """Number a request; find the one that a response answers."""
        if self._contents is None:
            return
        if not head.is_answer:
            self._ask(head)
            return
        if head.status < 200 and head.status != 101:
            return
        other = self._other
        waiting = [] if other is None else other._asking
        is_lossy = self._is_lossy or (other is not None and other._is_lossy)
        if is_lossy:
            self._early.clear()
        if is_lossy or (waiting and waiting[0].is_after_loss):
            first, last = self._places_of_answer(waiting)
            del waiting[:first]
            if first < last:
                # It is not known which of them this answers; the next answers a later one.
                del waiting[0]
                self._is_lossy = self._may_be_tail = True
                return
            if last < 0:
                return
        if waiting:
            self._asked = waiting.pop(0)
            self._is_lossy = self._may_be_tail = False
            if other is not None:
                other._is_lossy = False
            if self._asked.head.get(":method") == "HEAD":
                head.ends = NO_BODY
            self._is_even = True
        elif not is_lossy and self._knows_first and head.status != 408:
            # RFC 9110, 15.5.9: a server may send 408 unasked, when a connection was idle.
            self._count = (self._count if other is None else max(self._count, other._count)) + 1
            self._early.append((self._count, self.time))
            del self._early[:-MAX_ASKED]

    @property
    def _knows_first(self) -> bool:
        """Whether a response without a request before it answers one that is captured later."""
        return self._is_even or (
            self.from_start and (self._other is None or self._other.from_start)
        )

    def _places_of_answer(self, waiting: list[Asked]) -> tuple[int, int]:
        """Return between which of the waiting requests the one is that a response answers.

        Bytes before the response are lost, or a request is.  (0, -1): it answers none of them.
        """
        count = 0
        while count < len(waiting) and waiting[count].time <= self.time:
            count += 1
        if not count:
            return 0, -1
        last = count - 1
        if not self._is_lossy and not waiting[0].is_after_loss:
            return 0, 0  # what was lost is a request behind it
        first = 0
        expects = waiting[0].head.get("expect")  # the server may have answered that: 100 Continue
        if last and self._is_lossy and not (self._may_be_tail or expects):
            first = 1  # the answer to the first of them began where bytes are lost
        while first < last and waiting[first + 1].waited:
            first += 1
        return first, last

    def _ask(self, head: Start) -> None:
        """Begin a request."""
        other = self._other
        number = self._count + 1
        early = [] if other is None else other._early
        if self._is_lossy:
            # These answered requests that are missing.
            while early and early[0][1] < self.time:
                number = max(number, early.pop(0)[0] + 1)
        is_answered = bool(early)
        if is_answered:
            number = early.pop(0)[0]
        self._count = max(self._count, number)
        asked = self._asked = Asked(number, head.head(), self.time)
        asked.is_claimed = self.is_owned(head)
        asked.waited = self.heard > self._heard_then
        asked.is_after_loss = self._is_lossy
        self._heard_then = self.heard
        if not is_answered:
            self._asking.append(asked)
            if len(self._asking) > MAX_ASKED:
                del self._asking[0]

    def _content(self, head: Start, said: Head) -> Content | None:
        """Return what reads the body after a head; None: nothing does."""
        if self._contents is None or self.is_owned(head):
            return None
        if not head.is_answer:
            self._is_own = True
            return self._contents(said, None)
        asked = self._asked
        if asked is None and head.status == 408:
            return None  # it answers nobody
        if head.status < 200 or (asked is not None and asked.is_claimed):
            return None
        own = self._contents(said, None if asked is None else asked.head)
        self._is_own = own is not None
        if own is not None or asked is None:
            return own
        # A request may be answered before its body has come: it is read by what its head says.
        return asked.content or self._contents(asked.head, None)

    def _settle(self, buffer: bytearray, have: int) -> bool:
        """Decide what becomes of the body; False if too little of it is there to tell."""
        assert self._head is not None
        assert self._body is not None
        head, body = self._head, self._body
        said = head.head()
        content = self._content(head, said)
        if content is None or not self._is_cut(content, head):
            body.advance(buffer, have, TELLING)
            if body.state != DONE and body.total < TELLING:
                return False
            begin = bytes(body.content)
            if begin and head.can_unpack:
                begin = begin_of(head.coding, begin)
            elif head.coding:
                begin = b""
            if begin and self.claim(head, body, begin):
                self._mode = _CLAIMED
                if not head.is_answer and self._asked is not None:
                    self._asked.is_claimed = True
                return True
        if content is None:
            self._mode = _PASSED
            body.pass_over()
            body.keeps_lines = self.keeps_lines
            if not body.keeps_lines:
                body.lines.clear()
            return True
        self._begin_taken(content, said)
        return True

    def _is_cut(self, content: Content, head: Start) -> bool:
        """Say whether the body has messages in envelopes; an error page may answer such a call."""
        return content.is_enveloped and self._is_own and not head.coding and not content.is_base64

    def _begin_taken(self, content: Content, said_head: Head) -> None:
        assert self._head is not None
        assert self._body is not None
        head, body = self._head, self._body
        self._mode = _TAKEN
        said = self._said = TakenTurn(said_head, content, self._asked)
        if not head.is_answer:
            assert self._asked is not None
            self._asked.content = content
        elif self._asked is None and self._early:
            said.number = self._early[-1][0]
        is_own = self._is_own
        said.is_base64 = content.is_base64 and is_own and not head.coding
        said.is_cut = self._is_cut(content, head)
        said.is_packed = content.is_enveloped and is_own and bool(head.coding)
        is_hidden = content.is_enveloped and not (said.is_cut or said.is_base64 or said.is_packed)
        said.protocol = content.protocol(said_head) if is_own and not is_hidden else RAW
        said.packing = head.coding.decode("ascii", "replace")
        if not said.is_cut:
            body.most = self._limits.message if is_own else min(_MOST_OTHER, self._limits.message)
            if len(body.content) > body.most:
                body.pass_over()

    # ── What is taken ────────────────────────────────────────────────────────────────

    def _taken(self, buffer: bytearray, have: int) -> Unit | None:
        """Make the next unit of a body that is taken: all of it, or one of its messages."""
        assert self._body is not None
        assert self._said is not None
        body, said = self._body, self._said
        if not said.is_cut:
            body.advance(buffer, have, self._limits.message + 1)
            if body.keeps and body.state != DONE:
                return None
            unit = self._piece(buffer, body.at, body.state == DONE)
            if not body.keeps:
                assert isinstance(unit.kept, TakenUnit)
                unit.kept.why = f"the body is longer: {body.total} bytes of it are read"
                unit.kept.ends = True
                self._mode = _PASSED
            return unit
        wrong: DecodeError | None = None
        try:
            body.advance(buffer, have, body.total + have)
        except DecodeError as error:
            wrong = error  # the messages before it are whole
        content = body.content
        if len(content) >= ENVELOPE:
            flag, size = content[0], u32(bytes(content[:ENVELOPE]), 1)
            whole = ENVELOPE + size
            if size > self._limits.message:
                # Its head alone: how much of the rest is here depends on the packets.
                unit = self._piece(buffer, body.place(ENVELOPE), True, ENVELOPE)
                assert isinstance(unit.kept, TakenUnit)
                limit = self._limits.message
                unit.kept.why = f"a message of {size} bytes: at most {limit} are read"
                self._mode = _PASSED
                body.pass_over()
                return unit
            if len(content) >= whole:
                ends = body.state == DONE and len(content) == whole
                stop = body.at if ends else body.place(whole)
                unit = self._piece(buffer, stop, ends, whole)
                assert isinstance(unit.kept, TakenUnit)
                unit.kept.flag, unit.kept.size = flag, size
                return unit
        if body.state == DONE:
            return self._piece(buffer, body.at, True)
        if body.begin and not content:
            # The head alone: what comes after it may take its time.
            return self._piece(buffer, body.begin, False, 0)
        if wrong is not None:
            raise wrong
        return None

    def _piece(self, buffer: bytearray, stop: int, ends: bool, size: int = -1) -> Unit:
        """Make the unit up to ``stop``, with ``size`` bytes of content (-1: all there is)."""
        assert self._body is not None
        assert self._said is not None
        body = self._body
        size = len(body.content) if size < 0 else size
        step = TakenUnit(self._places(stop), ends)
        unit = Unit(stop, bytes(buffer[:stop]), stop, None)
        unit.kept = step
        unit.is_piece = True
        if ends:
            unit.turn = self._turn()
        body.cut(stop, size)
        return unit

    def _places(self, stop: int) -> list[tuple[int, int, str]]:
        """Return what is where in the buffer, up to ``stop``: the head, chunk lines, content."""
        assert self._body is not None
        body = self._body
        places: list[tuple[int, int, str]] = []
        if body.begin:
            places.append((0, body.begin, "head"))
        spans = [(at, at + len(line), "chunk") for at, line in body.lines if at < stop]
        spans += [(start, min(end, stop), "body") for start, end in body.runs if start < stop]
        spans.sort()
        places += spans
        return places

    def take(self, unit: Unit, brought: Brought) -> list[Found]:
        step = unit.kept
        if not isinstance(step, TakenUnit):
            return []
        out: list[Found] = []
        if step.doubted is not None:
            step.doubted.held = Piece(brought.offset, unit.data, "head", brought)
            return out
        if step.upgrade is not None:
            said_of = TakenTurn(step.upgrade[0], step.upgrade[1], self._asked)
            self.upgraded = self._asked
            self._show_asked(said_of, out)
            piece = Piece(brought.offset, unit.data, "head", brought)
            out.append(self._found(said_of, MessageType.EVENT, [piece]))
            self._reset()
            return out
        said = self._said
        if said is None:
            return out
        self._absorb(said, step, unit.data, brought, out)
        kept = said.head_pieces + (said.held or []) + said.tail
        self.waiting = sum([len(piece.data) for piece in kept]) if not step.ends else 0
        if step.ends:
            if self._mode == _PASSED:
                self._said = None
            else:
                self._reset()
        return out

    def _absorb(
        self, said: TakenTurn, step: TakenUnit, data: bytes, brought: Brought, out: list[Found]
    ) -> None:
        """Add a unit to a request or a response, and give out what is complete with it."""
        pieces: list[Piece] = []
        for start, stop, what in step.places:
            piece = Piece(brought.offset + start, data[start:stop], what, brought)
            if what == "head":
                said.head_pieces.append(piece)
                self._show_asked(said, out)
            else:
                pieces.append(piece)
        if not said.is_cut:
            self._whole(said, pieces, step, out)
            return
        if step.size >= 0:
            self._message(said, _enveloped(pieces), step.flag, step.size, out)
        elif any(piece.what == "body" for piece in pieces):
            why = step.why or "the body ended"
            self._stream_on(said, out)
            out.append(self._found(said, MessageType.PART, _enveloped(pieces), why))
        else:
            said.tail += pieces
        if step.ends and not step.why:
            self._finish(said, out)

    def _show_asked(self, said: TakenTurn, out: list[Found]) -> None:
        """Begin a response: its request is a call, or a stream that goes on."""
        asked, other = said.asked, self._other
        if asked is None or other is None or said.head.is_request:
            return
        before = len(out)
        if asked.held is not None:
            call = TakenTurn(asked.head, said.content, asked)
            out.append(self._found(call, MessageType.CALL, [asked.held]))
            asked.held = None
        elif other._said is not None and other._said.asked is asked and other._said.is_cut:
            other._stream_on(other._said, out)
        for found in out[before:]:
            found.is_others = True

    def _whole(
        self, said: TakenTurn, pieces: list[Piece], step: TakenUnit, out: list[Found]
    ) -> None:
        """Give out a body that is one message."""
        if (said.is_base64 or said.is_packed) and not step.why:
            wrong = self._unwrap(said, pieces, out)
            if wrong:
                step.why = step.why or wrong
            else:
                self._finish(said, out)
                return
        if step.why:
            said.protocol = RAW
            said.note = step.why
        said.held = pieces
        said.trailers = _trailers_of(pieces)
        self._finish(said, out)

    def _unwrap(self, said: TakenTurn, pieces: list[Piece], out: list[Found]) -> str:
        """Give out messages in envelopes, all packed or in base64; return what is wrong, or ""."""
        wire = b"".join([piece.data for piece in pieces if piece.what == "body"])
        data: bytes | None = wire
        if said.is_packed:
            data, wrong = self._unpack(said.packing, wire) if wire else (b"", "")
            if data is None or wrong:
                return wrong
        runs = [(0, 0)]
        if said.content.is_base64 and data is not None:
            data, runs = from_base64(data)
        if data is None:
            return "the body is no base64"
        run = 0
        spans: list[tuple[int, int, int]] = []  # of each message: its stop, and that of its text
        for start, at in envelopes(data):
            size = at - start - ENVELOPE
            if at > len(data):
                return "the last message in it is not whole"
            while run + 1 < len(runs) and runs[run + 1][0] < at:
                run += 1
            begin, text_begin = runs[run]
            spans.append((at, text_begin + (at - begin + 2) // 3 * 4, size))
        start = text = 0
        left = list(pieces)
        for number, (stop, text_stop, size) in enumerate(spans):
            is_last = number == len(spans) - 1
            mine = left
            if said.is_packed:
                left = []  # all of it stands with the first
            elif not is_last:
                mine = _split(left, text_stop - text)
            for piece in mine:
                if piece.what == "body":
                    piece.what = "packed" if said.is_packed else "base64"
            body_at = start + ENVELOPE
            parts = [
                Piece(NOWHERE, data[start:body_at], "envelope", pieces[0].brought),
                Piece(NOWHERE, data[body_at:stop], "body", pieces[0].brought),
            ]
            self._message(said, mine + parts, data[start], size, out)
            start, text = stop, max(text, text_stop)
        if not spans:
            said.tail += pieces
        return ""

    def _message(
        self, said: TakenTurn, pieces: list[Piece], flag: int, size: int, out: list[Found]
    ) -> None:
        """Give out a message of a stream, which is complete."""
        content = said.content
        if content.ends_at and flag & content.ends_at:
            # Trailers, in place of HTTP's.
            body = b"".join([piece.data for piece in pieces if piece.what == "body"])
            said.trailers = content.read_trailers(body)
            for piece in pieces:
                if piece.what == "body":
                    piece.what = "trailers"
            said.tail += pieces
            return
        if said.is_stream:
            out.append(self._found(said, MessageType.PART, pieces, "", NO_END, flag))
            return
        if said.held is None:
            said.held = pieces
            said.flag = flag
            return
        self._stream_on(said, out)
        out.append(self._found(said, MessageType.PART, pieces, "", NO_END, flag))

    def _stream_on(self, said: TakenTurn, out: list[Found]) -> None:
        """Give out the head of what is now known to be a stream, and the message that waited."""
        if said.is_stream:
            return
        said.is_stream = True
        if said.head.is_request:
            out.append(self._found(said, MessageType.CALL, said.head_pieces))
            said.head_pieces = []
        if said.held is not None:
            held, said.held = said.held, None
            out.append(self._found(said, MessageType.PART, held, "", NO_END, said.flag))

    def _finish(self, said: TakenTurn, out: list[Found]) -> None:
        """Finish a body."""
        if said.has_ended:
            return
        said.has_ended = True
        if said.head.is_request:
            if not said.is_stream:
                pieces = said.head_pieces + (said.held or []) + said.tail
                out.append(self._found(said, MessageType.CALL, pieces, "", NO_END, said.flag))
            elif said.tail:
                out.append(self._found(said, MessageType.EVENT, said.tail))
            return
        held = said.held or []
        body = b"".join([piece.data for piece in held if piece.what == "body"])
        if said.packing and body and not said.is_packed:
            inner, _ = self._unpack(said.packing, body)
            body = inner or b""
        ending = said.content.ending(said.head, said.trailers, body)
        if ending.is_error and held and said.is_cut:
            # An error has no message: this one was part of a stream.
            self._stream_on(said, out)
            held = []
        mtype = MessageType.EXCEPTION if ending.is_error else MessageType.REPLY
        pieces = said.head_pieces + held + said.tail
        out.append(self._found(said, mtype, pieces, "", ending, said.flag))

    def _found(
        self,
        said: TakenTurn,
        mtype: MessageType,
        pieces: list[Piece],
        why: str = "",
        ending: Ending = NO_END,
        flag: int = 0,
    ) -> Found:
        """Make a message of these pieces."""
        protocol = said.protocol
        findings: list[Finding] = []
        inner: bytes | None = None
        body = b"".join([piece.data for piece in pieces if piece.what == "body"])
        is_lossy = any(piece.brought.gaps for piece in pieces)
        packing = said.packing
        if said.is_cut or said.is_base64 or (said.is_packed and not said.note):
            packing = said.content.packing(said.head, flag)
        if packing and body and not why and not said.note and not is_lossy:
            inner, wrong = self._unpack(packing, body)
            if wrong:
                findings.append(Finding(grave(wrong), wrong, 0))
        if mtype is MessageType.CALL and not body and not is_lossy:
            protocol, inner = in_head(said.content, said.head, protocol, self.allowance, findings)
        elif packing and body and inner is None:
            protocol = RAW
        if protocol.is_text and not (body or inner):
            protocol = RAW  # no text is a value
        if said.note:
            findings.append(Finding(Severity.WARNING, said.note, 0))
        size = sum([len(piece.data) for piece in pieces if piece.offset != NOWHERE])
        first = pieces[0].brought.offset if pieces else 0
        offset = min([piece.offset for piece in pieces if piece.offset != NOWHERE], default=first)
        data = b"".join([piece.data for piece in ordered(pieces)])
        has_head = bool(pieces) and pieces[0].what == "head"
        span = said.method_span if has_head else Span(0, 0)
        method = said.method
        if mtype is MessageType.EVENT:
            method = "upgrade" if has_head else "last chunk"
            span = Span(0, 0)
        header = Header(method, mtype, said.number, True, Span(0, 0), span)
        carrier = said.content.carrier
        found = Found(header, protocol, carrier, offset, size, data, (), (), 0, 0, ())
        lay_out(found, pieces, inner is not None)
        if inner is not None:
            start = len(found.data)
            found.data += inner
            found.layout += (Stretch(start, len(inner), NOWHERE, "body"),)
        start, stop = place_of_body(found, pieces)
        found.header = Header(method, mtype, said.number, True, Span(start, start), span)
        found.body_stop = stop
        found.kept = Kept1(ending)
        found.from_client = said.head.is_request
        time_of(found, pieces)
        if is_lossy:
            found.gaps = gaps_of(found, pieces)
        if why:
            text = f"message cut off at offset {stop}: {why}"
            findings.append(Finding(Severity.ERROR, text, stop))
        found.findings = tuple(findings)
        return found

    def _unpack(self, packing: str, body: bytes) -> tuple[bytes | None, str]:
        """Return the content of packed bytes, and what is wrong with that, else ""."""
        content, wrong = opened(packing, body, self.allowance)
        return (content or None) if wrong else content, wrong

    def end(
        self, data: bytes, brought: Brought | None, reason: str, cut: str, is_all: bool
    ) -> list[Found]:
        self.holds = False
        out: list[Found] = []
        head, body = self._head, self._body
        if head is None or body is None or (brought is None and self._said is None):
            return out
        buffer = bytearray(data)
        if self._mode == _OPEN:
            said_head = head.head()
            content = self._content(head, said_head)
            if content is None or (body.total and self._may_be_claimed(buffer, len(data))):
                return out
            self._begin_taken(content, said_head)
        said = self._said
        if self._mode != _TAKEN or said is None:
            return out
        self.holds = True
        is_whole = body.ends == CLOSE and cut != CUT_LOST
        if brought is None:
            if is_whole or (said.trailers is not None and said.is_cut):
                self._finish(said, out)
            else:
                self._cut_off(said, [], reason, cut, out)
        elif is_whole:
            body.state = DONE
            step = self._piece(buffer, len(data), True).kept
            assert isinstance(step, TakenUnit)
            self._absorb(said, step, data, brought, out)
        else:
            places = self._places(len(data))
            last = places[-1][1] if places else 0
            if last < len(data):
                places.append((last, len(data), "chunk"))
            pieces = []
            for start, stop, what in places:
                piece = Piece(brought.offset + start, data[start:stop], what, brought)
                if what == "head":
                    said.head_pieces.append(piece)
                    self._show_asked(said, out)
                else:
                    pieces.append(piece)
            if said.is_cut:
                _enveloped(pieces)
            self._cut_off(said, pieces, reason, cut, out)
        self._reset()
        return out

    def _may_be_claimed(self, buffer: bytearray, have: int) -> bool:
        """Say whether a body too short to be settled may be the beginning of a claimed one."""
        is_claimed = self.claimed_rest(buffer, have) is not None
        self._mode = _OPEN
        self._has_turned = False
        return is_claimed

    def broken(self, data: bytes, brought: Brought, why: str) -> list[Found]:
        return self.end(data, brought, why, CUT_LOST, True) if self._said is not None else []

    def _cut_off(
        self, said: TakenTurn, pieces: list[Piece], why: str, cut: str, out: list[Found]
    ) -> None:
        """Give out what is there of a request or a response that will not be complete."""
        has_more = any(piece.what in ("body", "envelope") for piece in pieces)
        first = len(out)
        if said.head.is_request:
            if not said.is_stream and (said.held is None or not has_more):
                given = said.head_pieces + (said.held or []) + pieces
                out.append(self._found(said, MessageType.CALL, given, why))
            else:
                self._stream_on(said, out)
                first = len(out)
                if has_more:
                    out.append(self._found(said, MessageType.PART, pieces, why))
        elif said.is_stream or said.held is not None:
            self._stream_on(said, out)
            first = len(out)
            if has_more:
                out.append(self._found(said, MessageType.PART, pieces, why))
        else:
            is_error = said.content.ending(said.head, None, b"").is_error and not said.is_cut
            mtype = MessageType.EXCEPTION if is_error else MessageType.REPLY
            out.append(self._found(said, mtype, said.head_pieces + pieces, why))
        for found in out[first:]:
            found.cut = cut

    # ── What is passed over ──────────────────────────────────────────────────────────

    def _pass(self, buffer: bytearray, have: int) -> Unit | None:
        """Pass over a body without a message: silent windows, and at its end what it was."""
        assert self._head is not None
        assert self._body is not None
        head, body = self._head, self._body
        body.advance(buffer, min(have, _WINDOW), body.total + _WINDOW)
        if body.state != DONE:
            if have < _WINDOW or not body.at:
                return None
            unit = self.passed(buffer, "", ())
            body.at = body.begin = 0
            body.lines.clear()
            return unit
        findings: tuple[Finding, ...] = ()
        wrong = self.amiss(head, body)
        if wrong:
            findings = (Finding(Severity.ERROR, f"{head.what(body.total)}: {wrong}", 0),)
        unit = self.passed(buffer, head.what(body.total), findings)
        unit.turn = self._turn()
        if self._contents is not None and not head.is_answer and not body.total and body.begin:
            step = TakenUnit([], True)
            step.doubted = self._asked
            unit.kept = step
        self._reset()
        return unit

    def _turn(self) -> Turn | None:
        """Make its Turn; with the beginning of its body, if that is not a message."""
        assert self._head is not None
        if self._has_turned:
            return None
        self._has_turned = True
        head, body = self._head, self._body
        begin, total = b"", 0
        if body is not None:
            begin, total = body.first or bytes(body.content[:TELLING]), body.total
        if self._mode == _CLAIMED:
            begin = b""
        elif head.coding:
            begin = begin_of(head.coding, begin) if head.can_unpack else b""
        return head.turn(head.response(total, begin))

    def passed(self, buffer: bytearray, what: str, findings: tuple[Finding, ...]) -> Unit:
        """Make a unit of what is there of a passed body; the first one's data is its head."""
        assert self._body is not None
        body = self._body
        unit = Unit(body.at, bytes(buffer[: body.begin]), body.begin, None, what, findings)
        unit.lines = tuple(body.lines) if self.keeps_lines else ()
        return unit

    def passed_rest(self, buffer: bytearray, have: int, what: str) -> Unit:
        """Make a unit of all that is left, if it is not a message."""
        assert self._head is not None
        begin = self._head.stop if self._body is None else self._body.begin
        unit = Unit(have, bytes(buffer[:begin]), begin, None, what)
        if self._body is not None and self.keeps_lines:
            unit.lines = tuple(self._body.lines)
        unit.turn = self._turn()
        return unit

    def known_until(self, buffer: bytearray, have: int) -> int:
        # After a chunk the offsets of the body are no longer those of the stream.
        body = self._body
        if body is None or body.ends != LENGTH or not body.keeps:
            return 0
        if self._head is not None and self._head.coding:
            return 0  # packed bytes cannot be unpacked if some of them are lost
        end = body.at + body.left
        if self._said is not None and self._said.is_cut:
            content = body.content
            if len(content) < ENVELOPE:
                return 0
            left = ENVELOPE + u32(bytes(content[:ENVELOPE]), 1) - len(content)
            return min(end, body.at + max(left, 0))
        if self._said is not None and self._said.is_base64:
            return 0
        return end

    def frame_stop(self, buffer: bytearray, have: int) -> int:
        body = self._body
        return body.at + body.left if body is not None and body.ends == LENGTH else 0

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        head, body = self._head, self._body
        self.is_whole = body is not None and body.ends == CLOSE
        if head is None or self._mode == _TAKEN:
            return None
        if body is None or not body.total:
            # A body that ends with the stream may be no body at all.
            if have == head.stop and head.ends == CLOSE:
                return self.passed_rest(buffer, have, head.what(0))
            if have == head.stop and self.is_owned(head):
                unit = self.passed_rest(buffer, have, head.what(0))
                size = "" if head.length < 0 else f" of {head.length} bytes"
                text = f"{shown(head.start)}: nothing of its body{size} was sent"
                unit.findings = (Finding(Severity.ERROR, text, 0),)
                return unit
            return None
        if body.keeps:
            unit_of = self.claimed_rest(buffer, have)
            if unit_of is not None:
                return unit_of
        return self.passed_rest(buffer, have, head.what(body.total))


def _method_span(head: Head, method: str) -> Span:
    """Return where a request's line names its method: the path, if that is a part of it."""
    verb = head.get(":method") + " "
    path = method.removeprefix(verb)
    return Span(len(verb), len(verb) + len(path.encode()))


# ── Pieces of bodies ─────────────────────────────────────────────────────────────────


def _enveloped(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces of a message, its envelope set apart, which chunks may cut in two."""
    out: list[Piece] = []
    left = ENVELOPE
    for piece in pieces:
        size = min(left, len(piece.data)) if piece.what == "body" else 0
        if not size:
            out.append(piece)
            continue
        left -= size
        out.append(Piece(piece.offset, piece.data[:size], "envelope", piece.brought))
        if size < len(piece.data):
            rest = piece.data[size:]
            out.append(Piece(piece.offset + size, rest, "body", piece.brought))
    pieces[:] = out
    return pieces


def _split(pieces: list[Piece], size: int) -> list[Piece]:
    """Take pieces with ``size`` bytes of the body off the list's front."""
    out: list[Piece] = []
    while pieces and size > 0:
        piece = pieces[0]
        if piece.what == "body" and len(piece.data) > size:
            out.append(Piece(piece.offset, piece.data[:size], piece.what, piece.brought))
            rest = piece.data[size:]
            pieces[0] = Piece(piece.offset + size, rest, piece.what, piece.brought)
            break
        size -= len(piece.data) if piece.what == "body" else 0
        out.append(pieces.pop(0))
    return out


def _trailers_of(pieces: list[Piece]) -> Head | None:
    """Return what the lines after the last chunk say; None: there are none."""
    lines: list[bytes] = []
    is_behind = False
    for piece in pieces:
        if piece.what == "chunk":
            line = piece.data.rstrip(b"\r\n")
            if is_behind and line:
                lines.append(line)
                piece.what = "trailer"
            size = line.partition(b";")[0].strip()
            is_behind = is_behind or (size != b"" and not size.strip(b"0"))
    if not lines:
        return None
    trailers = Head(False, 1)
    add_lines(trailers, lines)
    return trailers
