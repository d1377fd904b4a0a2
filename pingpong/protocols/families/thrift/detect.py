"""Which protocol in which transport, from the bytes alone; never from a port.

    80 01 ?? tt  nn nn nn nn          strict binary, if tt is a message type and n can be a name
    82 t1                             compact, if t is a message type
    nn nn nn nn  name  tt             old binary
    [1,"                              Apache's JSON
    ll ll ll ll  {"metadata"          thriftpy2's JSON
    ll ll ll ll  and any of them      framed, if the message ends where l says

    ll ll ll ll  0f ff                THeader (10 00: TTHeader), if its head makes sense
    POST …  HTTP/1.1 …                HTTP, if a message is in a body
    GET …  Upgrade: websocket         WebSocket
    78 ..                             zlib, if it inflates to the begin of a message
    ll ll ll ll  and THeader, zlib    these in frames
    01 00 00 00 nn  mechanism         SASL

Protocols have a ``Sign``, transports with a head of their own a ``Wrapper``.  For strict
binary the header is enough at the first byte of a connection: five of the bytes are fixed or
nearly so, and nothing else begins like it.  Protocols whose headers are weaker have to prove
more: a name that can be one, and a struct that can be read to its end.  In mid-stream, where
any byte may be the first of a message, all have to: see ``find_message``.  A wrapper alone
proves nothing yet: a connection speaks Thrift once a message was in it.

"I don't know" is an answer: then ``evidence`` says what was there instead.  What the user
says (``Told``) narrows what is tried; it replaces no proof but the one for what was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from ....errors import DecodeError, Incomplete
from ....model import Carrier, Detection, Limits, Protocol
from ...encodings.binary import BINARY, OLD_BINARY, VERSION_1
from ...encodings.compact import COMPACT
from ...encodings.thrift_json import JSON
from ...encodings.thriftpy2_json import THRIFTPY2_JSON
from ...framing import Transport
from . import deflate, http, sasl, ttheader, websocket
from . import theader as header
from .framed import HEAD, Framed, read_frame_length
from .theader import MAX_NAME
from .transports import (
    FRAMED,
    FRAMED_THEADER,
    FRAMED_ZLIB,
    HTTP,
    SASL,
    THEADER,
    TTHEADER,
    UNFRAMED,
    WEBSOCKET,
    ZLIB,
)
from .unframed import Unframed

__all__ = [
    "FRAMED",
    "LEANING",
    "PROOF",
    "PROTOCOLS",
    "TRANSPORTS",
    "UNFRAMED",
    "UNTOLD",
    "Effort",
    "Place",
    "Spoken",
    "Told",
    "detect",
    "find_message",
    "make_transport",
    "protocol_at",
    "tell",
]

# What cannot be picked up in mid-stream: each byte leans on those before it.
LEANING: Final = (ZLIB, FRAMED_ZLIB, WEBSOCKET)

# How much of a message has to make sense before it counts as found in mid-stream.
PROOF: Final = 1024

# How far to look for the end that tells a frame's length from four bytes that look like one.
AGREE: Final = 16_384

# No header with such a name is longer, whatever white space stands in it.
_MOST_NAMED: Final = MAX_NAME + 1024

_NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_.:$/-]*\Z")


class Spoken(NamedTuple):
    """What is being read: a transport, and the protocol in it (None: each message tells)."""

    protocol: Protocol | None
    transport: Carrier


class Told(NamedTuple):
    """What the user says that connections speak: both, one of them or neither."""

    protocol: Protocol | None
    transport: Carrier | None


UNTOLD: Final = Told(None, None)


# ── What a protocol's messages begin with ────────────────────────────────────────────


class Sign(NamedTuple):
    """How the messages of a protocol are recognised.

    ``begins(data, at)``: can one begin there?  None: too few bytes to say no.  ``magic`` is
    what to search for in mid-stream, ``shift`` bytes behind the message's first; empty: it
    cannot be found there.  ``strength``: see below.
    """

    protocol: Protocol
    words: str
    begins: Callable[[bytes | bytearray, int], bool | None]
    magic: bytes
    strength: int
    shift: int = 0


# At the first byte of a connection, ``begins`` alone is enough; or the struct has to make
# sense too, as far as it goes; or it has to be there to its end (or for PROOF bytes), and in
# mid-stream such a message is found only where its protocol was settled before.
STRONG: Final = 2
FAIR: Final = 1
WEAK: Final = 0

_VERSION: Final = VERSION_1.to_bytes(2, "big")
_JSON_BEGIN: Final = b'[1,"'
_METADATA: Final = b'{"metadata"'


def _strict(data: bytes | bytearray, at: int) -> bool | None:
    head = data[at : at + 8]
    if len(head) < 8:
        return None if _VERSION.startswith(head[:2]) else False
    name = int.from_bytes(head[4:8], "big")
    return head[:2] == _VERSION and 1 <= head[3] <= 4 and name <= MAX_NAME


def _compact(data: bytes | bytearray, at: int) -> bool | None:
    head = data[at : at + 2]
    if len(head) < 2:
        return None if b"\x82".startswith(head) else False
    return head[0] == 0x82 and head[1] & 0x1F == 1 and 1 <= head[1] >> 5 <= 4


def _old(data: bytes | bytearray, at: int) -> bool | None:
    head = data[at : at + 4]
    if len(head) < 4:
        return None if not any(head[:2]) else False
    length = int.from_bytes(head, "big")
    name = data[at + 4 : at + 4 + length] if length <= MAX_NAME else b""
    if not length or (name and not _NAME.match(name)) or length > MAX_NAME:
        return False
    behind = data[at + 4 + length : at + 5 + length]
    return 1 <= behind[0] <= 4 if behind else None


def _json(data: bytes | bytearray, at: int) -> bool | None:
    return _starts(data, at, _JSON_BEGIN)


def _thriftpy2_json(data: bytes | bytearray, at: int) -> bool | None:
    # A length of 2**24 and more would be a message that nobody sends as text.
    if data[at : at + 1] not in (b"", b"\0"):
        return False
    return _starts(data, at + HEAD, _METADATA)


def _starts(data: bytes | bytearray, at: int, wanted: bytes) -> bool | None:
    head = bytes(data[at : at + len(wanted)])
    if len(head) < len(wanted):
        return None if wanted.startswith(head) else False
    return head == wanted


SIGNS: Final = (
    Sign(BINARY, "a strict binary header", _strict, _VERSION, STRONG),
    Sign(COMPACT, "a compact header", _compact, b"\x82", FAIR),
    Sign(JSON, "a message in Apache's JSON", _json, _JSON_BEGIN, FAIR),
    Sign(THRIFTPY2_JSON, "a message in thriftpy2's JSON", _thriftpy2_json, _METADATA, FAIR, HEAD),
    Sign(OLD_BINARY, "an old binary header", _old, b"\0\0", WEAK),
)

PROTOCOLS: Final = {sign.protocol.name: sign.protocol for sign in SIGNS}


# ── What a transport's own head begins with ──────────────────────────────────────────


class Wrapper(NamedTuple):
    """How a transport with a head of its own is recognised.

    ``begins(data)``: do these first bytes begin one?  None: too few to tell.  ``magics`` are
    what to search for in mid-stream, ``shift`` bytes behind the head's first; none: it cannot
    be picked up there.
    """

    transport: Carrier
    words: str
    begins: Callable[[bytes | bytearray], bool | None]
    make: Callable[[Limits, header.ProtocolAt], Transport]
    magics: tuple[bytes, ...]
    shift: int = 0


WRAPPERS: Final = (
    Wrapper(
        FRAMED_THEADER, "the length of a frame, then a THeader frame", header.begins_framed,
        header.FramedHeaderTransport, (b"\x0f\xff",), 8,
    ),
    Wrapper(THEADER, "a THeader frame", header.begins, header.HeaderTransport, (b"\x0f\xff",), 4),
    Wrapper(
        TTHEADER, "a TTHeader frame", ttheader.begins, ttheader.TTHeaderTransport,
        (b"\x10\0",), 4,
    ),
    Wrapper(
        WEBSOCKET, "HTTP's upgrade to WebSocket", websocket.begins,
        websocket.WebSocketTransport, (),
    ),
    Wrapper(HTTP, "HTTP", http.begins, http.HttpTransport, http.STARTS),
    Wrapper(ZLIB, "a zlib stream", deflate.begins, deflate.DeflateTransport, ()),
    Wrapper(
        FRAMED_ZLIB, "the length of a frame, then a zlib stream", deflate.begins_framed,
        deflate.FramedDeflateTransport, (),
    ),
    Wrapper(SASL, "a SASL negotiation", sasl.begins, sasl.SaslTransport, ()),
)  # fmt: skip

TRANSPORTS: Final[tuple[Carrier, ...]] = (
    *(UNFRAMED, FRAMED),
    *(wrapper.transport for wrapper in WRAPPERS),
)

# The part of a wrapper's head that refuses nearly all that is none.
_GLANCE: Final = 64
# As much of a head as any of them looks at.
_MOST_HEAD: Final = 70_000


def tell(protocol: str | None, transport: str | None) -> Told:
    """What the user says, by names.  Raises ValueError for a name that is none."""
    if protocol is not None and protocol not in PROTOCOLS:
        raise ValueError(f'protocol is "{protocol}", want one of {", ".join(PROTOCOLS)}')
    carriers = [one for one in TRANSPORTS if one == transport]
    if transport is not None and not carriers:
        raise ValueError(f'transport is "{transport}", want one of {", ".join(TRANSPORTS)}')
    return Told(
        None if protocol is None else PROTOCOLS[protocol],
        carriers[0] if carriers else None,
    )


def make_transport(spoken: Spoken, limits: Limits, prefixed: bool) -> Transport:
    """The object that reads it; ``prefixed``: tracing headers may stand before messages."""
    for wrapper in WRAPPERS:
        if wrapper.transport is spoken.transport:
            return wrapper.make(limits, _protocols(limits, spoken.protocol))
    assert spoken.protocol is not None
    if spoken.transport is FRAMED:
        return Framed(spoken.protocol, limits, prefixed)
    return Unframed(spoken.protocol, limits, prefixed)


def _protocols(limits: Limits, only: Protocol | None) -> header.ProtocolAt:
    """What a wrapper asks for the protocol of its payload."""

    def inside(data: bytes, start: int, stop: int) -> Protocol | None:
        return protocol_at(data, start, stop, limits, only)

    return inside


def protocol_at(
    data: bytes, start: int, stop: int, limits: Limits, only: Protocol | None = None
) -> Protocol | None:
    """The protocol of the message that begins at ``data[start:stop]``; None if none does.

    ``only``: no other than this.  A long message need not be there to its end.  One that
    fills its place may have any name: the transport around it is a proof too.
    """
    if stop < len(data):
        data = data[:stop]
    for sign in SIGNS:
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
    """What a direction speaks, from its first bytes; None while there are too few of them.

    ``ended``: no more will come, so that even a few bytes get an answer.  The answer does
    not depend on how the bytes were cut: a sign that cannot be refused yet is waited for.
    A wrapper's protocol is None: its messages will tell.
    """
    if not data:
        return Detection(None, None, "no bytes") if ended else None
    is_open = told.protocol is None and told.transport is None
    known = _SEEN.get(bytes(data[:8])) if is_open else None
    if known is not None:
        return known
    for wrapper in WRAPPERS:
        if told.transport in (None, wrapper.transport):
            answer = wrapper.begins(data)
            if answer:
                text = f"begins with {_hex(data, 8)}: {wrapper.words}"
                return Detection(None, wrapper.transport, text)
            if answer is None and not ended:
                return None
    for sign in SIGNS:
        if told.protocol not in (None, sign.protocol):
            continue
        for transport, start in ((UNFRAMED, 0), (FRAMED, HEAD)):
            if told.transport not in (None, transport):
                continue
            spoken = _speaks(data, sign, transport, start, ended, limits)
            if spoken:
                shown = _hex(data, start + 8)
                length = "the length of a frame, then " if start else ""
                text = f"begins with {shown}: {length}{sign.words}"
                found = Detection(sign.protocol, transport, text)
                if is_open and sign.strength == STRONG and not start:
                    if len(_SEEN) >= _MOST_SEEN:
                        _SEEN.clear()
                    _SEEN[bytes(data[:8])] = found
                return found
            if spoken is None and not ended:
                return None
    text = f"begins with {_hex(data, 12)}: no Thrift header that is known here, framed or unframed"
    return Detection(None, None, text, _wrong_version(data))


# First bytes that are a strong sign, whatever follows them: most connections begin with the same.
_SEEN: Final[dict[bytes, Detection]] = {}
_MOST_SEEN: Final = 1024


def _speaks(
    data: bytes | bytearray, sign: Sign, transport: str, start: int, ended: bool, limits: Limits
) -> bool | None:
    """Do the first bytes begin a message of that sign?  None: wait for more."""
    stop = len(data)
    if start:
        if stop < start:
            return None
        try:
            stop = start + read_frame_length(data, 0, start, limits)
        except DecodeError:
            return False
    begins = sign.begins(data, start)
    if not begins:
        return begins
    if sign.strength == STRONG:
        # The smallest message: header, name and STOP.
        name = int.from_bytes(data[start + 4 : start + 8], "big")
        return not start or 12 + name + 1 <= stop - start + 4
    end = _prove(data, start, sign, limits, PROOF)
    if end == _REFUSED:
        return False
    if end == _UNKNOWN:
        enough = len(data) - start >= PROOF
        if enough or (ended and sign.strength == FAIR):
            return _has_name(data, start, sign, limits)
        return None
    return not start or end == stop


def _wrong_version(data: bytes | bytearray) -> str:
    """What is wrong with a strict header that is one but for its version; else ""."""
    for at in (0, HEAD):
        head = bytes(data[at : at + 8])
        name = int.from_bytes(head[4:8], "big")
        if len(head) == 8 and head[0] == 0x80 and 1 <= head[3] <= 4 and 0 < name <= MAX_NAME:
            found = int.from_bytes(head[:2], "big")
            if found != VERSION_1 and _NAME.match(data[at + 8 : at + 8 + name]):
                return f"version at offset {at}: is 0x{found:04x}, want 0x{VERSION_1:04x}"
    return ""


def _hex(data: bytes | bytearray, size: int) -> str:
    return bytes(data[:size]).hex(" ")


# ── In mid-stream ────────────────────────────────────────────────────────────────────


class Place(NamedTuple):
    """Where a message was found; or, without ``spoken``, before where none begins."""

    at: int
    spoken: Spoken | None


class Effort:
    """How many bytes a search may still look at to prove its candidates.

    Each byte passed over wins back SHARE of them, up to MOST.  What is no message is refused
    within a few bytes, so there is always enough, unless somebody made a stream of beginnings, each
    of which has to be read far: then each is looked at for LEAST bytes, and counts only if it
    proves itself in them.
    """

    MOST: Final = 1 << 18
    SHARE: Final = 4
    LEAST: Final = 32

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = self.MOST

    def pass_over(self, size: int) -> None:
        self.left = min(self.MOST, self.left + self.SHARE * size)

    def reach(self, wanted: int) -> int:
        """How many of the ``wanted`` bytes may be looked at."""
        return max(min(wanted, self.left), self.LEAST)

    def spend(self, size: int) -> None:
        self.left = max(0, self.left - size)


def find_message(
    data: bytes | bytearray, settled: Told, ended: bool, limits: Limits, effort: Effort
) -> Place:
    """The first place in ``data`` where a message, or a wrapper's head, proves itself.

    ``settled`` is what it has to be, as far as that is known.  ``ended``: no more will come.
    A framed message begins with its length.  ``effort`` is what may be spent on it.
    """
    search = _search_for(settled)
    stop = len(data)
    if search is None:
        return Place(stop if ended else max(0, stop - _OVERLAP), None)
    hit = search.search(data)
    while hit is not None:
        magic = hit.group()
        for sign in SIGNS:
            if sign.magic == magic and hit.start() >= sign.shift and _may_be(sign, settled):
                at = hit.start() - sign.shift
                place = _message_at(data, at, sign, settled, ended, limits, effort)
                if place is not None:
                    return place
        for wrapper in WRAPPERS:
            if magic in wrapper.magics and settled.transport in (None, wrapper.transport):
                at = hit.start() - wrapper.shift
                begins = _begins_at(data, at, wrapper, effort) if at >= 0 else False
                if begins:
                    return Place(at, Spoken(settled.protocol, wrapper.transport))
                if begins is None and not ended:
                    return Place(at, None)
        hit = search.search(data, hit.start() + 1)
    # Keep what may be the begin of a frame and of a magic.
    return Place(stop if ended else max(0, stop - _OVERLAP), None)


# Protocols that are text, so that the size of a chunk of HTTP could be read as a part of it; and
# what such a size looks like.  Who writes JSON writes a line break in a string as an escape.
_TEXTS: Final = (JSON, THRIFTPY2_JSON)
_CHUNK_LINE: Final = re.compile(rb"\r\n[0-9A-Fa-f]{1,16}[ \t]*(?:;[^\r\n]*)?\r\n")

# As long as any magic with what stands before it, a frame's length too.
_OVERLAP: Final = 24

_SEARCHES: Final[dict[tuple[str, str], re.Pattern[bytes] | None]] = {}


def _search_for(settled: Told) -> re.Pattern[bytes] | None:
    """What finds the next place to look at; None if nothing can be found."""
    key = (settled.protocol.name if settled.protocol else "", settled.transport or "")
    if key not in _SEARCHES:
        magics = [sign.magic for sign in SIGNS if sign.magic and _may_be(sign, settled)]
        for wrapper in WRAPPERS:
            if settled.transport in (None, wrapper.transport):
                magics += wrapper.magics
        _SEARCHES[key] = re.compile(b"|".join(map(re.escape, magics))) if magics else None
    return _SEARCHES[key]


def _begins_at(data: bytes | bytearray, at: int, wrapper: Wrapper, effort: Effort) -> bool | None:
    begins = wrapper.begins(bytes(data[at : at + _GLANCE]))
    if begins is None and len(data) > at + _GLANCE:
        size = cost = _MOST_HEAD
        if wrapper.shift:
            # The head says how long it is.
            size = cost = header.size_of(data, at + wrapper.shift) + wrapper.shift + _GLANCE
        else:
            cost = _GLANCE  # the end of a line is found at once
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
    settled: Told,
    ended: bool,
    limits: Limits,
    effort: Effort,
) -> Place | None:
    """The place of the message at ``at``, or of the bytes to wait with; None if there is none.

    A magic of one byte is everywhere: then a frame has to end with the message, or the next
    message to begin behind it, or the stream to end there.
    """
    wait = Place(max(0, at - HEAD), None)
    needs_next = len(sign.magic) == 1 and settled.protocol is None
    reach = AGREE if needs_next else PROOF
    # What has to be waited for is looked at again with more bytes, and costs when that is settled.
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
    # The inside of a body in chunks, whose head was lost: their sizes are in it.
    in_chunks = _CHUNK_LINE.search(data, at, seen) is not None
    if in_chunks and sign.protocol in _TEXTS:
        return None
    framed: bool | None = False
    if settled.transport is not UNFRAMED:
        framed = _is_framed(data, at, end, sign, ended, limits, effort)
    if framed is None:
        return wait
    if not framed:
        effort.spend(looked if end == _UNKNOWN else end - at)
    if framed:
        return Place(at - HEAD, Spoken(sign.protocol, FRAMED))
    if settled.transport not in (None, UNFRAMED):
        return None
    if in_chunks and settled.transport is None:
        return None  # a field's id, a length may be read from such a line too
    if needs_next:
        if end == _UNKNOWN:
            return None
        begins = sign.begins(data, end)
        if begins is None and not ended:
            return wait
        if not begins and not (ended and end == len(data)):
            return None
    return Place(at, Spoken(sign.protocol, UNFRAMED))


def _may_be(sign: Sign, settled: Told) -> bool:
    """May a message of that sign be found where that much is settled?"""
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
    """Where the message at ``at`` ends; _REFUSED if none can stand there, _UNKNOWN if it
    makes sense as far as it goes, or for ``reach`` bytes."""
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
    """The same by the struct alone.  What was read in vain is taken from ``effort``."""
    skipper = sign.protocol.skipper(at, limits)
    try:
        return skipper.advance(data, min(len(data), at + reach))
    except DecodeError:
        if effort is not None:
            effort.spend(min(reach, max(0, skipper.known_until() - at)))
        return _REFUSED


def _has_name(data: bytes | bytearray, at: int, sign: Sign, limits: Limits) -> bool | None:
    """Has the header there a name that a method can have?  None: it is not all there."""
    stop = min(len(data), at + _MOST_NAMED)
    try:
        header = sign.protocol.read_header(data, at, stop, limits)
    except Incomplete:
        return None if stop == len(data) else False
    except DecodeError:
        return False
    span = header.method_span
    return _NAME.match(data[span.start : span.stop]) is not None


def _is_framed(
    data: bytes | bytearray,
    at: int,
    end: int,
    sign: Sign,
    ended: bool,
    limits: Limits,
    effort: Effort,
) -> bool | None:
    """Do the four bytes before the message at ``at`` say its length?  None: wait for more."""
    if at < HEAD:
        return False
    try:
        length = read_frame_length(data, at - HEAD, at, limits)
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
                return False  # all of the frame is there, and the message does not end in it
            # Longer than AGREE both, or cut off: they agree as far as one can see.
            return True if ended or there >= AGREE else None
    return at + length == end
