"""Find which protocol is spoken, in which transport, from the bytes alone: never from a port.

Each family brings ``Sign``s of its encodings, the ``Plain`` ways in which their messages stand, and
``Wrapper``s of its other framings (family.py); this file weighs them.  A strong sign is enough at
the first byte of a connection.  Protocols with weaker headers have to prove more: a plausible name,
and a struct that can be read to its end.  In mid-stream, where a message may begin at any byte, all
of them have to: see ``find_message``.

"I don't know" is an answer: ``evidence`` then says what was there instead.  What the user says
(``Told``) narrows down what is tried; it takes the place of no proof except its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ..errors import DecodeError, Incomplete
from ..model import Carrier, Detection, Limits, Protocol
from .families import FAMILIES
from .family import FAIR, MAX_NAME, NAME, STRONG, WEAK, Entry, Plain, Sign, Wrapper
from .framing import ProtocolAt, Transport
from .framings.contents import Content, Head

__all__ = [
    "PROOF",
    "UNTOLD",
    "Effort",
    "FoundPlace",
    "Spoken",
    "Told",
    "answer_to",
    "check_header",
    "detect",
    "find_message",
    "make_transport",
    "protocol_at",
    "protocols",
    "tell",
    "transports",
    "woven",
]

# How much of a message has to make sense before it counts as found in mid-stream.
PROOF: Final = 1024

# How far to look for the end that tells a frame's length from four bytes that only look like one.
AGREE: Final = 16_384

# No header with a plausible name is longer, whatever white space it contains.
_MOST_NAMED: Final = MAX_NAME + 1024


class Spoken(NamedTuple):
    """What is being read: a transport and the protocol in it (None: each message tells)."""

    protocol: Protocol | None
    transport: Carrier


class Told(NamedTuple):
    """What the user says that connections speak: both, either or neither.

    ``http``: whatever HTTP carries is wanted, pages and pictures too.
    """

    protocol: Protocol | None
    transport: Carrier | None
    http: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the bytes have to tell what is spoken."""
        return self.protocol is None and self.transport is None


UNTOLD: Final = Told(None, None)


# ── What the families bring ──────────────────────────────────────────────────────────


def _signs() -> Iterator[Sign]:
    for entry in FAMILIES:
        yield from entry.signs


def _wrappers() -> Iterator[Wrapper]:
    for entry in FAMILIES:
        yield from entry.wrappers


def _plains() -> Iterator[Plain]:
    for entry in FAMILIES:
        yield from entry.plains


def _ways() -> Iterator[tuple[Sign, Plain]]:
    """Yield each sign with each plain way of its family, in the order in which they are tried."""
    for entry in FAMILIES:
        for sign in entry.signs:
            for plain in entry.plains:
                yield sign, plain


def protocols() -> dict[str, Protocol]:
    """Return the protocols that the user can name."""
    return {sign.protocol.name: sign.protocol for sign in _signs()}


def transports() -> tuple[Carrier, ...]:
    """Return the transports that the user can name."""
    plain = [plain.transport for plain in _plains()]
    return (*plain, *(wrapper.transport for wrapper in _wrappers()))


def woven(settled: Told) -> tuple[Wrapper, ...]:
    """Return the wrappers to look for in mid-stream without a magic, given what is settled."""
    if settled.protocol is not None:
        return ()
    return tuple(
        wrapper
        for wrapper in _wrappers()
        if wrapper.find is not None and settled.transport in (None, wrapper.transport)
    )


# This part of a wrapper's head is enough to refuse nearly everything else.
_GLANCE: Final = 64
# No wrapper looks at more of its head than this.
_MOST_HEAD: Final = 70_000


def tell(protocol: str | None, transport: str | None, http: bool = False) -> Told:
    """Look up the names that the user gave.  Raises ValueError for an unknown name."""
    known = protocols()
    if protocol is not None and protocol not in known:
        raise ValueError(f'protocol is "{protocol}", want one of {", ".join(known)}')
    carriers = [one for one in transports() if one == transport]
    if transport is not None and not carriers:
        raise ValueError(f'transport is "{transport}", want one of {", ".join(transports())}')
    return Told(
        None if protocol is None else known[protocol],
        carriers[0] if carriers else None,
        http,
    )


def make_transport(spoken: Spoken, limits: Limits, prefixed: bool, http: bool = False) -> Transport:
    """Make the reader.

    ``prefixed``: tracing headers may precede messages.  ``http``: see ``Told``.
    """
    for entry in FAMILIES:
        for plain in entry.plains:
            if plain.transport is spoken.transport:
                assert spoken.protocol is not None
                return plain.make(spoken.protocol, limits, prefixed)
    for wrapper in _wrappers():
        if wrapper.transport is spoken.transport:
            inside = _protocols(limits, spoken.protocol)
            if wrapper.woven is not None:
                return wrapper.woven(limits, _any_content if http else _content, inside)
            return wrapper.make(limits, inside)
    raise ValueError(f'transport is "{spoken.transport}", and no family brings it')


def _content(head: Head, asked: Head | None) -> Content | None:
    """Return what reads an HTTP body with that head; None if nothing does (a page, a picture)."""
    for entry in FAMILIES:
        if entry.reads is not None:
            content = entry.reads(head, asked)
            if content is not None:
                return content
    return None


def _any_content(head: Head, asked: Head | None) -> Content | None:
    """Return what reads an HTTP body with that head, whatever it is."""
    content = _content(head, asked)
    for entry in FAMILIES:
        if content is None and entry.reads_rest is not None:
            content = entry.reads_rest(head)
    return content


def _protocols(limits: Limits, only: Protocol | None) -> ProtocolAt:
    """Make the function that a wrapper calls to learn the protocol of its payload."""

    def inside(data: bytes, start: int, stop: int) -> Protocol | None:
        return protocol_at(data, start, stop, limits, only)

    return inside


def protocol_at(
    data: bytes, start: int, stop: int, limits: Limits, only: Protocol | None = None
) -> Protocol | None:
    """Return the protocol of the message that begins at ``data[start:stop]``, or None.

    ``only``: consider no other than this.  The end of a long message need not be there.  A message
    that exactly fills the range may have any name: the transport around it is a proof too.
    """
    if stop < len(data):
        data = data[:stop]
    for sign in _signs():
        if (only is None or sign.protocol is only) and sign.begins(data, start):
            if sign.strength == STRONG:
                return sign.protocol
            end = _walk(data, start, sign, limits, PROOF)
            is_named = _has_name(data, start, sign, limits)
            fills = end == stop and sign.strength == FAIR
            if fills or (end > 0 and is_named):
                return sign.protocol
            enough = sign.strength == FAIR or stop - start >= PROOF
            if end == _UNKNOWN and enough and is_named:
                return sign.protocol
    return None


# ── At the first byte of a direction ─────────────────────────────────────────────────


def detect(
    data: bytes | bytearray, ended: bool, limits: Limits, told: Told = UNTOLD
) -> Detection | None:
    """Return what a direction speaks, from its first bytes; None while there are too few of them.

    ``ended``: no more will come, so that even a few bytes get an answer.  The answer does not
    depend on how the bytes were cut: as long as a sign cannot be ruled out, it waits for more.  A
    wrapper's protocol is None: its messages will tell.
    """
    if not data:
        return Detection(None, None, "no bytes") if ended else None
    known = _SEEN.get(bytes(data[:8])) if told.is_open else None
    if known is not None:
        return known
    for wrapper in _wrappers():
        if told.transport in (None, wrapper.transport):
            answer = wrapper.begins(data)
            if answer:
                text = f"begins with {_hex(data, 8)}: {wrapper.words}"
                return Detection(None, wrapper.transport, text)
            if answer is None and not ended:
                return None
    for sign, plain in _ways():
        if told.protocol not in (None, sign.protocol):
            continue
        if told.transport not in (None, plain.transport):
            continue
        spoken = _speaks(data, sign, plain, ended, limits)
        if spoken:
            shown = _hex(data, plain.head + 8)
            length = "the length of a frame, then " if plain.head else ""
            text = f"begins with {shown}: {length}{sign.words}"
            found = Detection(sign.protocol, plain.transport, text)
            if told.is_open and sign.strength == STRONG and not plain.head:
                if len(_SEEN) >= _MOST_SEEN:
                    _SEEN.clear()
                _SEEN[bytes(data[:8])] = found
            return found
        if spoken is None and not ended:
            return None
    text = f"begins with {_hex(data, 12)}: nothing that is known here begins so"
    wrong = next(filter(None, (entry.nearly(data) for entry in FAMILIES)), "")
    return Detection(None, None, text, wrong)


# First bytes that are a strong sign by themselves: most connections begin with the same ones.
_SEEN: Final[dict[bytes, Detection]] = {}
_MOST_SEEN: Final = 1024


def answer_to(transport: Carrier, data: bytes | bytearray) -> Detection | None:
    """Return what first bytes are as an answer to that transport; None if they are none.

    Asked if nothing recognises them, and the other direction speaks the transport.
    """
    for wrapper in _wrappers():
        if wrapper.transport is transport and wrapper.answers is not None:
            words = wrapper.answers(data)
            if words:
                return Detection(None, transport, f"begins with {_hex(data, 8)}: {words}")
    return None


def check_header(data: bytes, limits: Limits) -> None:
    """Raise DecodeError for bytes that begin like a strong sign, and whose header is none."""
    for sign, plain in _ways():
        at = plain.head
        if sign.strength == STRONG and data[at : at + 1] == sign.magic[:1]:
            sign.protocol.read_header(data, at, len(data), limits)


def _speaks(
    data: bytes | bytearray, sign: Sign, plain: Plain, ended: bool, limits: Limits
) -> bool | None:
    """Say whether the first bytes begin a message of that sign; None: wait for more."""
    start, stop = plain.head, len(data)
    if start:
        if stop < start:
            return None
        try:
            stop = start + plain.length(data, 0, start, limits)
        except DecodeError:
            return False
    begins = sign.begins(data, start)
    if not begins:
        return begins
    if sign.strength == STRONG:
        return not start or sign.least is None or sign.least(data, start) <= stop - start
    end = _prove(data, start, sign, limits, PROOF)
    if end == _REFUSED:
        return False
    if end == _UNKNOWN:
        enough = len(data) - start >= PROOF
        if enough or (ended and sign.strength == FAIR):
            return _has_name(data, start, sign, limits)
        return None
    return not start or end == stop


def _hex(data: bytes | bytearray, size: int) -> str:
    return bytes(data[:size]).hex(" ")


# ── In mid-stream ────────────────────────────────────────────────────────────────────


class FoundPlace(NamedTuple):
    """Where a message was found; if ``spoken`` is None, a place before which none begins."""

    at: int
    spoken: Spoken | None


class Effort:
    """How many bytes a search may still look at to prove its candidates.

    Each byte passed over wins back SHARE of them, up to MOST.  What is not a message is refused
    within a few bytes, so there is always enough, unless somebody built a stream of beginnings,
    each of which has to be read far: then each gets LEAST bytes, and counts only if it proves
    itself in them.
    """

    MOST: Final = 1 << 18
    SHARE: Final = 4
    LEAST: Final = 32

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = self.MOST

    def pass_over(self, size: int) -> None:
        """Win back effort for ``size`` bytes that the search has left behind."""
        self.left = min(self.MOST, self.left + self.SHARE * size)

    def reach(self, wanted: int) -> int:
        """Return how many of the ``wanted`` bytes may be looked at."""
        return max(min(wanted, self.left), self.LEAST)

    def spend(self, size: int) -> None:
        """Charge ``size`` bytes that were read in vain."""
        self.left = max(0, self.left - size)


def find_message(
    data: bytes | bytearray, settled: Told, ended: bool, limits: Limits, effort: Effort
) -> FoundPlace:
    """Find the first place in ``data`` where a message, or a wrapper's head, proves itself.

    ``settled`` is what is already known about it.  ``ended``: no more will come.  A framed message
    begins with its length.  ``effort`` is what may be spent on the search.
    """
    search = _search_for(settled)
    stop = len(data)
    if search is None:
        return FoundPlace(stop if ended else max(0, stop - _OVERLAP), None)
    hit = search.search(data)
    while hit is not None:
        magic = hit.group()
        for entry in FAMILIES:
            for sign in entry.signs:
                if sign.magic == magic and hit.start() >= sign.shift and _may_be(sign, settled):
                    at = hit.start() - sign.shift
                    place = _message_at(data, at, sign, entry, settled, ended, limits, effort)
                    if place is not None:
                        return place
        for wrapper in _wrappers():
            if magic in wrapper.magics and settled.transport in (None, wrapper.transport):
                at = hit.start() - wrapper.shift
                begins = _begins_at(data, at, wrapper, effort) if at >= 0 else False
                if begins:
                    return FoundPlace(at, Spoken(settled.protocol, wrapper.transport))
                if begins is None and not ended:
                    return FoundPlace(at, None)
        hit = search.search(data, hit.start() + 1)
    # Keep what may be the beginning of a frame, or of a magic.
    return FoundPlace(stop if ended else max(0, stop - _OVERLAP), None)


# An HTTP chunk size looks like this.  It could be read as part of a protocol that is text, although
# a JSON writer escapes line breaks in strings.
_CHUNK_LINE: Final = re.compile(rb"\r\n[0-9A-Fa-f]{1,16}[ \t]*(?:;[^\r\n]*)?\r\n")

# At least as long as any magic and what precedes it, including a frame's length.
_OVERLAP: Final = 24

_SEARCHES: Final[dict[tuple[str, str], re.Pattern[bytes] | None]] = {}


def _search_for(settled: Told) -> re.Pattern[bytes] | None:
    """Return what finds the next place to look at; None if nothing can be found."""
    key = (settled.protocol.name if settled.protocol else "", settled.transport or "")
    if key not in _SEARCHES:
        magics = [sign.magic for sign in _signs() if sign.magic and _may_be(sign, settled)]
        for wrapper in _wrappers():
            if settled.transport in (None, wrapper.transport):
                magics += wrapper.magics
        _SEARCHES[key] = re.compile(b"|".join(map(re.escape, magics))) if magics else None
    return _SEARCHES[key]


def _begins_at(data: bytes | bytearray, at: int, wrapper: Wrapper, effort: Effort) -> bool | None:
    begins = wrapper.begins(bytes(data[at : at + _GLANCE]))
    if begins is None and len(data) > at + _GLANCE:
        size = cost = _MOST_HEAD
        if wrapper.behind is not None:
            size = cost = wrapper.behind(data, at + wrapper.shift) + wrapper.shift + _GLANCE
        else:
            cost = _GLANCE  # finding the end of a line is cheap
        if effort.reach(cost) < cost:
            return False
        begins = wrapper.begins(bytes(data[at : at + size]))
        if begins is False:
            effort.spend(cost)
    return begins


def _message_at(
    data: bytes | bytearray,
    at: int,
    sign: Sign,
    entry: Entry,
    settled: Told,
    ended: bool,
    limits: Limits,
    effort: Effort,
) -> FoundPlace | None:
    """Return the place of the message at ``at``, or of the bytes to wait with; None: no message.

    A magic of one byte is everywhere, also in the values of messages: then the frame has to end
    with the message, or another message has to begin after it, or the stream has to end there.
    Where the protocol is known, a struct that makes sense for long is enough.
    """
    plains = [one for one in entry.plains if settled.transport in (None, one.transport)]
    wait = FoundPlace(max(0, at - max([one.head for one in entry.plains], default=0)), None)
    needs_next = len(sign.magic) == 1
    is_known = settled.protocol is not None
    reach = AGREE if needs_next and not is_known else PROOF
    # Waiting means looking again with more bytes; the cost is charged when it is settled.
    looked = effort.reach(reach)
    end = _prove(data, at, sign, limits, looked, effort)
    if end == _UNKNOWN and not ended and len(data) - at < looked:
        return wait
    if end == _REFUSED:
        return None
    is_short = looked < reach and len(data) - at >= looked
    if end == _UNKNOWN and (is_short or not _has_name(data, at, sign, limits)):
        effort.spend(looked)
        return None
    seen = end if end != _UNKNOWN else min(len(data), at + reach)
    # The inside of a chunked body whose head was lost: it contains chunk sizes.
    in_chunks = _CHUNK_LINE.search(data, at, seen) is not None
    if in_chunks and sign.protocol.is_text:
        return None
    bare: Plain | None = None
    for plain in plains:
        if not plain.head:
            bare = plain
            continue
        framed = _is_framed(data, at, end, sign, plain, ended, limits, effort)
        if framed is None:
            return wait
        if framed:
            return FoundPlace(at - plain.head, Spoken(sign.protocol, plain.transport))
    effort.spend(looked if end == _UNKNOWN else end - at)
    if bare is None:
        return None
    if in_chunks:
        return None  # such a line can also be read as a field's id or a length
    if needs_next and not (is_known and end == _UNKNOWN):
        if end == _UNKNOWN:
            return None
        begins = sign.begins(data, end)
        if begins is None and not ended:
            return wait
        if not begins and not (ended and end == len(data)):
            return None
    return FoundPlace(at, Spoken(sign.protocol, bare.transport))


def _may_be(sign: Sign, settled: Told) -> bool:
    """Say whether a message of that sign can be found, given what is settled."""
    if settled.transport is not None and not settled.transport.is_plain:
        return False
    if settled.protocol is None:
        return sign.strength != WEAK
    return settled.protocol is sign.protocol


_REFUSED: Final = 0
_UNKNOWN: Final = -1


def _prove(
    data: bytes | bytearray,
    at: int,
    sign: Sign,
    limits: Limits,
    reach: int,
    effort: Effort | None = None,
) -> int:
    """Return where the message at ``at`` ends, or _REFUSED or _UNKNOWN.

    _REFUSED: there can be no message here.  _UNKNOWN: it makes sense up to the end of the bytes,
    or for ``reach`` of them.
    """
    if sign.begins(data, at) is False or _has_name(data, at, sign, limits) is False:
        return _REFUSED
    return _walk(data, at, sign, limits, reach, effort)


def _walk(
    data: bytes | bytearray,
    at: int,
    sign: Sign,
    limits: Limits,
    reach: int,
    effort: Effort | None = None,
) -> int:
    """Do the same from the struct alone, charging ``effort`` for what was read in vain."""
    skipper = sign.protocol.skipper(at, limits)
    try:
        return skipper.advance(data, min(len(data), at + reach))
    except DecodeError:
        if effort is not None:
            effort.spend(min(reach, max(0, skipper.known_until() - at)))
        return _REFUSED


def _has_name(data: bytes | bytearray, at: int, sign: Sign, limits: Limits) -> bool | None:
    """Say whether the header there has a plausible method name; None: some of it is missing."""
    stop = min(len(data), at + _MOST_NAMED)
    try:
        header = sign.protocol.read_header(data, at, stop, limits)
    except Incomplete:
        return None if stop == len(data) else False
    except DecodeError:
        return False
    span = header.method_span
    return NAME.match(data[span.start : span.stop]) is not None


def _is_framed(
    data: bytes | bytearray,
    at: int,
    end: int,
    sign: Sign,
    plain: Plain,
    ended: bool,
    limits: Limits,
    effort: Effort,
) -> bool | None:
    """Say whether the bytes before ``at`` are the message's length; None: wait for more."""
    if at < plain.head:
        return False
    try:
        length = plain.length(data, at - plain.head, at, limits)
    except DecodeError:
        return False
    if end == _UNKNOWN:
        if length <= PROOF:
            return False
        looked = min(AGREE, length)
        if effort.reach(looked) < looked:
            return False
        end = _prove(data, at, sign, limits, looked, effort)
        if end == _UNKNOWN:
            there = len(data) - at
            if length <= min(AGREE, there):
                return False  # the whole frame is there, and the message does not end with it
            # Both are longer than AGREE, or cut off: they agree as far as can be seen.
            return True if ended or there >= AGREE else None
    return at + length == end
