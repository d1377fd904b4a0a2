"""Ordered bytes of one direction → its messages, however the bytes were cut.

             first bytes                 a message that proves itself
    UNDECIDED ─────────▶ READING ◀───────────────────────── SEARCHING
        │                   │  bytes lost, or not what they should be   ▲
        │                   └───────────────────────────────────────────┘
        └──────────▶ FOREIGN   not Thrift: nothing is kept

Its Transport says where a message ends.  A message is given out once its last byte is there:
nothing of it is built but its header.  What cannot be a message is skipped up to the next one that
proves itself, and a finding says how many bytes that were.

Bytes lost inside content of known size (the rest of a string, of a frame) do not hide where the
message goes on: it is given out with its Gaps.  Any other loss cuts it off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import DecodeError, Incomplete
from ..model import (
    CUT_CLOSED,
    CUT_LOST,
    Carrier,
    Chunk,
    Detection,
    Endpoint,
    Finding,
    Gap,
    Header,
    Limits,
    MessageType,
    Protocol,
    Severity,
    Stall,
    Stretch,
    add_finding,
)
from . import proxy
from .detect import (
    PROOF,
    UNTOLD,
    Effort,
    FoundPlace,
    Spoken,
    Told,
    answer_to,
    detect,
    find_message,
    make_transport,
    woven,
)
from .family import METHOD
from .framing import NOT_KNOWN, Brought, Found, Passed, Transport, Turn, Unit
from .unpacking import Allowance

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["Found", "MessageReader", "Passed"]

_UNDECIDED: Final = 0
_READING: Final = 1
_SEARCHING: Final = 2
_FOREIGN: Final = 3

# A message that is found needs bytes in place of lost ones, so that offsets stay true.  No more of
# them than there are true ones: a few packets must not cost much memory.
FILLER: Final = 2048

# How much may be in the buffer for the short way, which starts over with every segment.
SHORT: Final = 8192

# How much is kept of a direction that began in mid-stream, until the other one shows whether it is
# what it looks like.
_MOST_DOUBTFUL: Final = 65_536


# In place of a number of lost bytes that nobody knows.
_UNKNOWN: Final = 1 << 62

# How many findings are kept about bytes that may turn out not to be Thrift.
MAX_FINDINGS: Final = 1000

# How long the evidence may grow: a connection may carry anything, for any length of time.
MAX_EVIDENCE: Final = 300


def _placed(layout: tuple[Stretch, ...], base: int) -> tuple[Stretch, ...]:
    """Return the layout of a unit that begins at ``base``."""
    return tuple(
        one if one.is_packed else Stretch(one.start, one.size, base + one.offset, one.what)
        for one in layout
    )


class MessageReader:
    """Reads the messages of one direction.

    ``from_start``: the first chunk begins the connection.  ``told`` is what the user says that it
    speaks.  ``other`` is the transport that the other direction was seen to speak, NOT_KNOWN before
    that; ``peer`` reads it.  ``was_fed``: bytes of this one came.  ``looks_like`` is what this
    direction may speak, if the other one does too.  ``detection`` is None until the bytes have
    told; ``findings`` is about bytes that belong to no message.  ``passed``, if ``watched``, has
    the units without a message, until the caller clears it.  ``begun``, ``broke`` and ``why`` are
    the Half's.  ``turns`` are HTTP's requests or responses, in order, until the caller clears
    them; ``is_lossy``: some may be missing.  ``heard`` is how many bytes of the other direction
    its sender has acknowledged, as far as the caller says.
    """

    def __init__(
        self,
        from_start: bool,
        limits: Limits,
        told: Told = UNTOLD,
        watched: bool = False,
        allowance: Allowance | None = None,
    ) -> None:
        self._allowance = Allowance(limits) if allowance is None else allowance
        self._effort = Effort()
        self.other = NOT_KNOWN
        self.peer: MessageReader | None = None
        self.was_fed = False
        self.looks_like = NOT_KNOWN
        self.passed: list[Passed] = []
        self._watched = watched
        self.detection: Detection | None = None
        self.turns: list[Turn] = []
        self.proxied: Endpoint | None = None
        self.is_lossy = False
        self.heard = 0
        self._is_from_start = from_start
        self._answers_thrift = False
        self.begun = 0
        self.broke = -1
        self.why = ""
        self.findings: list[Finding] = []
        self._limits = limits
        self._state = _UNDECIDED if from_start else _SEARCHING
        self._at_start = from_start  # a PROXY header may come here
        self._behind = ""  # set once one did
        self._told = told
        self._spoken: Spoken | None = None  # what is being read now
        self._transport: Transport | None = None
        self._evidence = ""
        self._prefixed = False  # see Transport.hear
        self._read = 0  # messages, since ``_spoken`` was settled
        self._protocol: Protocol | None = None  # of the last message
        self._said_hidden = False
        # Found in mid-stream, where it may have been the inside of something larger: a frame whose
        # length was not captured, the payload after a head.
        self._guessed = False
        self._was_sought = False  # after a loss, a stumble, or in mid-stream
        self._stumbled: tuple[int, Spoken | None] = (-1, None)  # where, while reading what
        self._patience = 0  # search again only when there are this many bytes
        self._base = 0  # the direction's offset of the first byte in _buffer
        self._buffer = bytearray()
        self._marks: list[Chunk] = []  # where each packet's bytes begin (their data left out)
        self._bridged = (
            -1
        )  # the offset of a message whose header is there, but not the bytes after it
        self._gaps: list[Gap] = []  # inside _buffer; offsets of the direction
        self._skipped = 0  # bytes passed over since the search began
        self._lost_frame = 0  # bytes still to come of a frame that was given out, cut off
        self._reason = ""  # why the search began

    # ── Input ────────────────────────────────────────────────────────────────────────

    def feed(self, chunk: Chunk) -> list[Found]:
        """Take the next bytes; return the messages that are complete with them."""
        self.was_fed = True
        if self._state == _FOREIGN:
            return []
        data = chunk.data
        if self._lost_frame:
            passed = min(self._lost_frame, len(data))
            self._lost_frame -= passed
            self._base = chunk.offset + passed
            data = data[passed:]
            if not data:
                return []
        elif not self._buffer:
            self._base = chunk.offset
        self._marks.append(Chunk(self._base + len(self._buffer), b"", chunk.time, chunk.number))
        self._buffer += data
        return self._parse(False)

    def lose(self, gap: Gap, is_sized: bool = True) -> list[Found]:
        """Learn that the next bytes were lost; ``is_sized``: as many as the gap is long."""
        self.is_lossy = True
        if self._state == _FOREIGN:
            return []
        found: list[Found] = []
        if self._state == _UNDECIDED:
            self._decide(True, from_loss=True)
        if self._state == _SEARCHING:
            found = self._parse(True)
        if self._state == _SEARCHING:
            self._pass_over(len(self._buffer))
            self._base = gap.stop
            return found
        if self._lost_frame:
            passed = min(self._lost_frame, gap.length)
            self._lost_frame = self._lost_frame - passed if is_sized else 0
            if passed < gap.length or not is_sized:
                self._search("the capture lost bytes")
            self._base = gap.stop
            return found
        if is_sized and self._bridge(gap):
            return found + self._parse(False)
        lost = gap.length if is_sized else _UNKNOWN
        text = f"the capture lost {gap.length} bytes here"
        if not is_sized:
            text = f"{gap.length} bytes of TLS are lost here, or could not be opened"
        found += self._cut(text, CUT_LOST, lost)
        if self._transport is not None:
            self._transport.give_up()
        # Where a frame ends is known even if its bytes are not.
        beyond = self._lost_frame - lost
        self._lost_frame = max(0, beyond)
        if beyond < 0:
            self._search("the capture lost bytes")
        self._base = gap.stop
        return found

    def look(self) -> None:
        """Say what this direction looks like if nothing follows.

        Both say so before either is closed: what one of them is may hang on the other.
        """
        if self._state == _SEARCHING:
            for wrapper in woven(self._settled()):
                if wrapper.find is not None and wrapper.find(self._buffer, True)[1]:
                    self.looks_like = wrapper.transport

    def close(self, reason: str, cut: str = CUT_CLOSED) -> list[Found]:
        """End the direction, because of ``reason``; return what is there of a message.

        That message is ``cut`` then: see ``Message.cut``.
        """
        if self._state == _FOREIGN:
            return []
        was_undecided = self._state == _UNDECIDED
        have = len(self._buffer)
        found = self._parse(True)
        if was_undecided and not found:
            self.begun = have  # more of them would have shown it
        if self._state == _READING:
            found += self._cut(reason, cut)
        elif self._state == _SEARCHING:
            self._pass_over(len(self._buffer))
            if self.is_settled:
                self._report_skipped()
        if self.detection is None:
            evidence = self._evidence or "begins in mid-stream, and no message proves itself"
            spoken = self._spoken
            is_thrift = self._transport is not None and (
                self._transport.seen_thrift or self._answers_thrift
            )
            if spoken is not None and is_thrift:
                self.detection = Detection(None, spoken.transport, evidence)
            else:
                self.detection = Detection(None, None, evidence)
                self.findings.clear()  # they are about bytes that are not Thrift
        self._state = _FOREIGN
        return found

    def note_thrift(self) -> None:
        """Learn that this direction answered requests that contained Thrift.

        So it is HTTP for Thrift, though it may not have contained a message.
        """
        self._answers_thrift = True
        seen = self.detection
        if seen is not None and seen.transport is None and self._spoken is not None:
            self.detection = Detection(None, self._spoken.transport, seen.evidence)

    @property
    def speaks(self) -> Carrier:
        """The transport that is being read; NOT_KNOWN before that is known."""
        return self._spoken.transport if self._spoken is not None else NOT_KNOWN

    @property
    def waiting(self) -> int:
        """How many bytes are waiting for those that come after them."""
        inside = 0 if self._transport is None else self._transport.waiting
        return len(self._buffer) + inside

    @property
    def held(self) -> tuple[int, int]:
        """Since when the direction may send nothing: see ``Transport.held``."""
        return (-1, 0) if self._transport is None else self._transport.held()

    @property
    def stalled(self) -> Stall | None:
        """When the direction might send nothing: see ``Transport.stalled``."""
        return None if self._transport is None else self._transport.stalled()

    @property
    def is_settled(self) -> bool:
        """Whether it is known to be Thrift, so that odd bytes in it matter."""
        return self.detection is not None and self.detection.transport is not None

    @property
    def is_ready(self) -> bool:
        """Whether the next byte begins a unit of a known transport."""
        return self._state == _READING and not self._buffer and not self._lost_frame

    def whole(self, data: bytes, at: i64, stop: i64) -> tuple[Header | None, i64]:
        """Return the header of the message that begins ``data[at:stop]``, and where it ends.

        ``data[at]`` is the next byte of this direction.  The header is None unless the message is
        completely there and has nothing odd.  Only while ``is_ready``.  It changes nothing:
        ``pass_whole`` says that the message was taken.
        """
        assert self._transport is not None
        header, end = self._transport.whole(data, at, stop)
        if header is not None and not self._is_named(header):
            return None, 0
        return header, end

    def pass_whole(self) -> None:
        """Record that the message that ``whole`` found was taken."""
        self._read += 1

    def _is_named(self, header: Header) -> bool:
        """Say whether the message's name is plausible, which is part of its proof after a break."""
        return not self._was_sought or METHOD.match(header.method) is not None

    @property
    def protocol(self) -> Protocol:
        """The protocol of the messages that ``whole`` finds."""
        assert self._spoken is not None
        assert self._spoken.protocol is not None
        return self._spoken.protocol

    # ── Deciding ─────────────────────────────────────────────────────────────────────

    def _decide(self, ended: bool, from_loss: bool = False) -> None:
        """Find out what the first bytes are, if that can be told already."""
        if self._at_start:
            if not self._pass_proxy(ended):
                return
            self._at_start = False
            if not self._buffer and not ended:
                return
        protocol, transport, _ = self._told
        if transport is not None and (protocol is not None or not transport.is_plain):
            self._evidence = "told by the user"
            self.detection = Detection(protocol, transport, self._evidence)
            self._read_on(Spoken(protocol, transport))
            return
        told = detect(self._buffer, ended, self._limits, self._told)
        if told is None or told.transport is None:
            told = answer_to(self.other, self._buffer) or told
        if told is None:
            return
        if self._behind:
            evidence = self._behind + told.evidence
            told = Detection(told.protocol, told.transport, evidence, told.wrong)
        self._evidence = told.evidence
        if told.transport is not None:
            if told.protocol is not None:
                self.detection = told  # otherwise, a message in it has to be seen first
            self._read_on(Spoken(told.protocol, told.transport))
        elif from_loss:
            self._search("the capture lost bytes")
        else:
            self.detection = told
            self._state = _FOREIGN
            self._buffer.clear()
            self._marks.clear()

    def _pass_proxy(self, ended: bool) -> bool:
        """Pass a PROXY header, if there is one; False: wait for more."""
        begins = proxy.begins(self._buffer)
        if begins is None:
            return ended
        if not begins:
            return True
        try:
            told = proxy.read(self._buffer)
        except ValueError:
            return True
        if told is None:
            return ended
        self.proxied = told.client
        self._behind = f"behind {told.what}: "
        if self._watched:
            data = bytes(self._buffer[: told.open_to])
            unit = Unit(told.stop, data, len(data), None, told.what)
            self.passed.append(Passed(self._base, proxy.PROXY, unit))
        self._drop(told.stop)
        return True

    def _read_on(self, spoken: Spoken) -> None:
        self._state = _READING
        goes_on = spoken == self._spoken
        if not goes_on:
            self._spoken = spoken
            self._read = 0
        if self._transport is not None and self._transport.is_woven and goes_on:
            self._transport.give_up()
            return  # keeping what it knows of messages that are under way
        self._prefixed = self._prefixed or (
            self._transport is not None and self._transport.prefixed
        )
        self._transport = make_transport(spoken, self._limits, self._prefixed, self._told.http)
        self._transport.keeps_lines = self._watched
        self._transport.from_start = not self._was_sought
        self._transport.allowance = self._allowance
        peer = self.peer
        if peer is not None and peer._transport is not None and peer.speaks is self.speaks:
            self._transport.meet(peer._transport)
            peer._transport.meet(self._transport)
        if self.is_lossy and self._transport.is_woven:
            self._transport.is_inside = not self._is_from_start
            self._transport.give_up()

    def _search(self, reason: str) -> None:
        """Look for the next message, or stop if none can be found after a break."""
        self._state = _SEARCHING
        self._reason = reason
        if self._spoken is not None and not self._spoken.transport.resumes:
            text = (
                f"nothing was read from stream offset {self._base} on: {reason}, and "
                f"{self._spoken.transport} cannot be picked up in mid-stream"
            )
            self._say(Finding(Severity.ERROR, text, self._base))
            self._pass_unread()
            self._state = _FOREIGN
            self._buffer.clear()
            self._marks.clear()

    def _settled(self) -> Told:
        """Return what is already known about the next message."""
        doubtful = self._guessed and self._read < 2
        if self._spoken is None or doubtful:
            return self._told
        inner = self._spoken.transport.inner
        if inner is not None:
            return Told(self._protocol, inner, self._told.http)
        return Told(self._spoken.protocol, self._spoken.transport, self._told.http)

    def _remark(self, what: str) -> None:
        """Add to what is known about the bytes that are not a message, once each."""
        if what and len(self._evidence) < MAX_EVIDENCE and what not in self._evidence:
            self._evidence += f"; {what}"

    # ── Reading ──────────────────────────────────────────────────────────────────────

    def _parse(self, ended: bool) -> list[Found]:
        found: list[Found] = []
        if self._state == _UNDECIDED:
            self._decide(ended)
        while self._buffer:
            if self._state == _READING:
                if not self._next(found):
                    break
            elif self._state == _SEARCHING:
                if len(self._buffer) < self._patience and not ended:
                    break
                settled = self._settled()
                place = self._find(settled, ended)
                self._pass_over(place.at)
                if place.spoken is None:
                    # A long message that has yet to prove itself is not tried at every byte.
                    have = len(self._buffer)
                    self._patience = have + have // 8 if have > PROOF else 0
                    break
                self._patience = 0
                self._was_sought = True
                if self._stumbled == (self._base, place.spoken):
                    # The same bytes in the same way once more: go on after the first.
                    self._pass_over(1)
                    continue
                doubtful = self._spoken is None or (self._guessed and self._read < 2)
                self._guessed = doubtful and place.spoken.transport.may_be_inside
                self._report_skipped()
                # After a negotiation, what its transport has inside was found: it goes on.
                goes_on = self._spoken is not None and self._spoken.transport.inner is not None
                self._read_on(Spoken(None, self.speaks) if goes_on else place.spoken)
                peer = self.peer
                if peer is not None and peer._state == _SEARCHING and peer.looks_like:
                    # The other direction waited for this one.
                    waited = peer._parse(False)
                    for one in waited:
                        one.is_others = not one.is_others
                    found += waited
                self._evidence = self._evidence or "a whole message proves itself in mid-stream"
            else:
                break
        return found

    def _find(self, settled: Told, ended: bool) -> FoundPlace:
        """Find the next place where a message, or a unit, proves itself: see ``find_message``."""
        keep = len(self._buffer)
        for wrapper in woven(settled):
            assert wrapper.find is not None
            at, is_sure = wrapper.find(self._buffer, ended)
            if settled.transport is not None:
                return FoundPlace(at, Spoken(None, wrapper.transport) if is_sure else None)
            is_late = ended or len(self._buffer) >= _MOST_DOUBTFUL
            if not is_late:
                keep = min(keep, at)
            if not is_sure:
                continue
            # Only lengths show it, and three in a row may be chance.  So before it is known what
            # this direction speaks, the other one has to look the same.
            self.looks_like = wrapper.transport
            peer = self.peer
            if peer is not None and wrapper.transport in (peer.looks_like, peer.speaks):
                return FoundPlace(at, Spoken(None, wrapper.transport))
            is_alone = is_late and (peer is None or not peer.was_fed)
            if is_alone and wrapper.alone is not None and wrapper.alone(self._buffer, at):
                return FoundPlace(at, Spoken(None, wrapper.transport))
        place = find_message(self._buffer, settled, ended, self._limits, self._effort)
        return FoundPlace(min(place.at, keep), None) if place.spoken is None else place

    def _next(self, found: list[Found]) -> bool:
        """Take the unit at the buffer's start; False if some of it is missing."""
        assert self._transport is not None
        if self._transport.is_woven:
            self._transport.time = self._marks[0].time
            self._transport.heard = self.heard
        elif self._next_wholes(found):
            return True
        try:
            unit = self._transport.next(self._buffer, len(self._buffer))
        except DecodeError as error:
            self._stumble(error, error.offset + error.size, found)
            return True
        if unit is None:
            return False
        if unit.protocol is None:
            if len(self.findings) < MAX_FINDINGS:
                self.findings += unit.findings
            if self._transport.is_woven:
                made = self._transport.take(unit, self._brought(unit.stop))
                self._settle_woven(made)
                found += made
            self._turn(unit, None)
            if unit.is_piece:
                self._drop(unit.stop)
                if unit.switches is not None:
                    before = self._transport
                    self._read_on(Spoken(None, unit.switches))
                    self._transport.follow(before)
                return True
            self._remark(unit.what)
            if self._watched:
                self.passed.append(Passed(self._base, self.speaks, unit))
            if unit.hides and self.is_settled and not self._said_hidden:
                # It could be read until now: from here on something is hidden.
                self._said_hidden = True
                self._say(Finding(Severity.WARNING, unit.what, self._base))
            self._drop(unit.stop)
            return True
        try:
            header = self._header_of(unit, unit.protocol)
        except DecodeError as error:
            self._stumble(error, unit.stop, found)
            return True
        if unit.header is None and not self._is_named(header):
            # Found after a break, and followed by this: the bytes around it are unknown.
            self._stumbled = (self._base, self._spoken)
            self._search("what follows is no message")
            return True
        findings = unit.findings
        odd = unit.protocol.oddity(header) if unit.header is None else None
        if odd is not None:
            findings = (*findings, odd)
        found.append(self._take(header, unit, findings))
        self._turn(unit, found[-1])
        self._read += 1
        self._protocol = unit.protocol
        self._transport.hear(header, unit.protocol)
        return True

    def _next_wholes(self, found: list[Found]) -> bool:
        """Take all messages at the buffer's start about which there is nothing to say.

        False if there is none.
        """
        assert self._transport is not None
        have: i64 = len(self._buffer)
        if have > SHORT or self._gaps:
            return False
        at: i64 = 0
        data = b""
        while at < have:
            data = data or bytes(self._buffer)
            header, end = self._transport.whole(data, at, have)
            if header is None or not self._is_named(header):
                break
            self._transport.pass_whole()
            found.append(self._found(header, self.protocol, data[at:end], end - at, ()))
            self._read += 1
            self._protocol = self.protocol
            self._go_on(end - at)
            at = end
        if not at:
            return False
        del self._buffer[:at]
        if not self._buffer:
            self._marks.clear()
        return True

    def _stumble(self, error: DecodeError, stop: int, found: list[Found]) -> None:
        """Handle bytes that are not what they should be: give out what is readable, then search."""
        assert self._transport is not None
        finding = Finding(Severity.ERROR, str(error), error.offset)
        stop = min(stop, len(self._buffer))
        made = self._transport.broken(bytes(self._buffer[:stop]), self._brought(stop), str(error))
        if made:
            self._breaks(str(error))
            self._settle_woven(made)
            found += made
            self._drop(stop)
            self._search("what follows is no message")
            return
        unit = self._transport.rest(self._buffer, stop)
        header = self._header(unit)
        if unit is not None and header is not None:
            self._breaks(str(error))
            found.append(self._take(header, unit, (finding,)))
        else:
            # What was found in mid-stream, and is followed by something else, was the inside of
            # something larger: what comes next tells.
            if not (self._guessed and self._read == 1):
                text = f"no message at stream offset {self._base}: {error}"
                self._say(Finding(Severity.ERROR, text, self._base))
                self._breaks(str(error))
                end = self._transport.frame_stop(self._buffer, len(self._buffer))
                if self.speaks.has_length and 0 < end <= len(self._buffer):
                    self._pass_over(end)
        self._stumbled = (self._base, self._spoken)
        self._search("what follows is no message")

    def _settle_woven(self, made: list[Found]) -> None:
        """Learn of messages that a transport has put together itself."""
        self._read += len(made)
        for one in made:
            reader = self if not one.is_others or self.peer is None else self.peer
            reader._protocol = one.protocol
            if reader.detection is None or reader.detection.protocol is None:
                reader.detection = Detection(one.protocol, one.transport, reader._evidence)

    def _turn(self, unit: Unit, found: Found | None) -> None:
        """Learn of a request or a response, with or without a message in it."""
        turn = unit.turn
        if turn is not None:
            turn.found = found
            if turn.response is not None:
                time = self._marks[0].time if self._marks else 0
                turn.response = turn.response.placed(self._base, time)
            self.turns.append(turn)

    def _breaks(self, why: str) -> None:
        """Record that what is at ``_base`` cannot be read."""
        if self.broke < 0:
            self.broke, self.why = self._base, why

    def _header_of(self, unit: Unit, protocol: Protocol) -> Header:
        """Return the header in a unit.  Raises DecodeError."""
        if unit.header is not None:
            return unit.header
        return protocol.read_header(unit.data, unit.start, len(unit.data), self._limits)

    def _header(self, unit: Unit | None) -> Header | None:
        """Return the header in a unit; None if it cannot be read."""
        if unit is None or unit.protocol is None:
            return None
        try:
            return self._header_of(unit, unit.protocol)
        except DecodeError:
            return None

    def _cut(self, reason: str, cut: str, lost: int = 0) -> list[Found]:
        """Give out what is there of a message that will not be completed.

        ``lost`` is how many bytes the capture lost here, 0 if no more come at all.
        """
        have = len(self._buffer)
        made: list[Found] = []
        if self._transport is not None and self._transport.is_woven:
            end = self._transport.frame_stop(self._buffer, have) if have else 0
            self._lost_frame = max(0, end - have)
            brought = self._brought(have) if have else None
            is_all = not lost or self._lost_frame < lost
            made = self._transport.end(bytes(self._buffer), brought, reason, cut, is_all)
            self._settle_woven(made)
            if self._transport.holds:
                self._drop(have)
                return made
        if not have:
            return []
        assert self._transport is not None
        end = self._transport.frame_stop(self._buffer, have)
        self._lost_frame = max(0, end - have)
        unit = self._transport.rest(self._buffer, have)
        if unit is not None and unit.protocol is None:
            self._remark(unit.what)
            self._turn(unit, None)
            for finding in unit.findings:
                self._say(finding)
            if self._watched:
                self.passed.append(Passed(self._base, self.speaks, unit))
            self._pass_over(have)
            self._skipped = 0
            return []
        header = self._header(unit)
        if unit is not None and header is not None and self._is_whole(unit, header, cut):
            taken = self._take(header, unit, unit.findings)
            self._turn(unit, taken)
            return [taken]
        if unit is None or header is None:
            self.begun = have
            self._pass_unread()
            what = "byte" if have == 1 else "bytes"
            verb = "is" if have == 1 else "are"
            why = self._why_no_header(unit)
            of = f", of a frame of {end}," if end > have else ""
            text = (
                f"the {have} {what} at stream offset {self._base}{of} {verb} no whole message "
                f"header{why}: {reason}"
            )
            self._say(Finding(Severity.ERROR, text, self._base))
            self._pass_over(have)
            self._skipped = 0
            return []
        text = f"message cut off at offset {have}: {reason}"
        if self._lost_frame:
            inside = unit.start
            needs, left = end - inside, have - inside
            text = f"{Incomplete('frame', inside, needs=needs, left=left)}: {reason}"
        finding = Finding(Severity.ERROR, text, have)
        taken = self._take(header, unit, (*unit.findings, finding))
        taken.cut = cut
        taken.announced = end
        self._turn(unit, taken)
        return [taken]

    def _is_whole(self, unit: Unit, header: Header, cut: str) -> bool:
        """Say whether the unit that ``rest`` returned is complete.

        If bytes are lost after it, it is only if the message ends with it.
        """
        assert self._transport is not None
        if not self._transport.is_whole or cut != CUT_LOST:
            return self._transport.is_whole
        assert unit.protocol is not None
        stop = len(unit.data)
        return unit.protocol.struct_end(unit.data, header.span.stop, stop, self._limits) == stop

    def _pass_unread(self) -> None:
        """Report that these bytes contain something that was not read.

        A packed stream may have begun it in the bytes before.
        """
        if self._watched and not self.speaks.resumes:
            unit = Unit(len(self._buffer), bytes(self._buffer) or b"?", 0, None)
            self.passed.append(Passed(self._base, self.speaks, unit))

    def _why_no_header(self, unit: Unit | None) -> str:
        if unit is not None and unit.protocol is not None:
            try:
                self._header_of(unit, unit.protocol)
            except DecodeError as error:
                return f" ({error})"
        return ""

    def _bridge(self, gap: Gap) -> bool:
        """Put filler in place of lost bytes if they hide nothing but a value's content."""
        have = len(self._buffer)
        if not have or gap.length > have + FILLER or self._transport is None:
            return False
        if have + gap.length > self._transport.known_until(self._buffer, have):
            return False
        # Once for each message: its header stays the same, and looking copies all there is.
        if self._bridged != self._base and not self._transport.is_woven:
            if self._header(self._transport.rest(self._buffer, have)) is None:
                return False
            self._bridged = self._base
        self._gaps.append(gap)
        self._buffer += bytes(gap.length)
        return True

    def _say(self, finding: Finding) -> None:
        add_finding(self.findings, finding)

    # ── The buffer ───────────────────────────────────────────────────────────────────

    def _take(self, header: Header, unit: Unit, findings: tuple[Finding, ...]) -> Found:
        """Take a message off the buffer's start."""
        assert unit.protocol is not None
        found = self._found(header, unit.protocol, unit.data, unit.stop, findings)
        found.lines = unit.lines
        found.body_stop = unit.body_stop
        found.kept = unit.kept
        if unit.layout:
            found.layout = _placed(unit.layout, self._base)
        self._drop(unit.stop)
        return found

    def _found(
        self,
        header: Header,
        protocol: Protocol,
        data: bytes,
        size: int,
        findings: tuple[Finding, ...],
    ) -> Found:
        """Make a message of ``size`` bytes that begins at ``_base``."""
        assert self._spoken is not None
        base = self._base
        brought = self._brought(size)
        if self.detection is None or self.detection.protocol is None:
            # The connection's own words say nothing about how calls are encoded.
            said = None if header.type is MessageType.EVENT else protocol
            self.detection = Detection(said, self._spoken.transport, self._evidence)
        return Found(
            header,
            protocol,
            self._spoken.transport,
            base,
            size or len(data),
            data,
            brought.gaps,
            findings,
            brought.time,
            brought.end_time,
            brought.packets,
        )

    def _brought(self, size: int) -> Brought:
        """Return which packets brought the next ``size`` bytes."""
        stop = self._base + max(size, 1)
        first = last = self._marks[0]
        packets: tuple[int, ...] = (first.number,)
        if len(self._marks) > 1 and self._marks[1].offset < stop:
            numbers: list[int] = []
            for mark in self._marks:
                if mark.offset >= stop:
                    break
                last = mark
                if not numbers or numbers[-1] != mark.number:
                    numbers.append(mark.number)
            packets = tuple(numbers)
        return Brought(self._base, first.time, last.time, packets, self._lost_within(stop))

    def _lost_within(self, stop: int) -> tuple[Gap, ...]:
        """Return the gaps before ``stop``, counted from the buffer's start."""
        if not self._gaps:
            return ()
        base = self._base
        return tuple(Gap(gap.offset - base, gap.length) for gap in self._gaps if gap.offset < stop)

    def _pass_over(self, size: int) -> None:
        if size:
            self._effort.pass_over(size)
            self._skipped += size
            self._drop(size)

    def _drop(self, size: int) -> None:
        if not size:
            return
        del self._buffer[:size]
        self._go_on(size)
        if self._gaps:
            self._gaps = [gap for gap in self._gaps if gap.offset >= self._base]
        if not self._buffer:
            self._marks.clear()

    def _go_on(self, size: int) -> None:
        self._base += size
        # Keep the mark of the packet that brought the next byte.
        keep = 0
        while keep + 1 < len(self._marks) and self._marks[keep + 1].offset <= self._base:
            keep += 1
        if keep:
            del self._marks[:keep]

    def _report_skipped(self) -> None:
        if self._skipped:
            start = self._base - self._skipped
            why = self._reason or "the capture begins in mid-stream"
            unit = "byte" if self._skipped == 1 else "bytes"
            text = f"skipped {self._skipped} {unit} before stream offset {self._base}: {why}"
            self._say(Finding(Severity.WARNING, text, start))
        self._skipped = 0
