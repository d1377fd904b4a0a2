"""Which protocol in which transport, from the bytes alone; never from a port.

    80 01 ?? tt  nn nn nn nn          strict binary, if tt is a message type and n can be a name
    82 t1                             compact, if t is a message type
    nn nn nn nn  name  tt             old binary
    ll ll ll ll  and any of them      framed, if the message ends where l says

For strict binary that is enough at the first byte of a connection: five of the bytes are
fixed or nearly so, and nothing else begins like it.  Protocols whose headers are weaker
have to prove more: a name that can be one, and a struct that can be read to its end.  In
mid-stream, where any byte may be the first of a message, all have to: see ``find_message``.

"I don't know" is an answer: then ``evidence`` says what was there instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from ..errors import DecodeError, Incomplete
from ..model import Detection, Limits, Protocol
from .binary import BINARY, OLD_BINARY, VERSION_1
from .compact import COMPACT
from .framed import HEAD, Framed, read_frame_length
from .transport import Transport
from .unframed import Unframed

__all__ = [
    "FRAMED",
    "PROOF",
    "UNFRAMED",
    "Place",
    "Spoken",
    "detect",
    "find_message",
    "make_transport",
]

UNFRAMED: Final = "unframed"
FRAMED: Final = "framed"

# Longer names than this are not taken for a method's.  Apache's generators make identifiers;
# a multiplexed one has a service and a colon before it.
MAX_NAME: Final = 1024

# How much of a message has to make sense before it counts as found in mid-stream.
PROOF: Final = 1024

# How far to look for the end that tells a frame's length from four bytes that look like one.
AGREE: Final = 16_384

_NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_.:$/-]*\Z")


class Spoken(NamedTuple):
    """What is being read: a transport, and the protocol in it (None: each message tells)."""

    protocol: Protocol | None
    transport: str

    @property
    def is_searchable(self) -> bool:
        """Can a message of it be found in mid-stream?"""
        return self.transport in (UNFRAMED, FRAMED)


def make_transport(spoken: Spoken, limits: Limits, prefixed: bool) -> Transport:
    """The object that reads it; ``prefixed``: tracing headers may stand before messages."""
    assert spoken.protocol is not None
    if spoken.transport == FRAMED:
        return Framed(spoken.protocol, limits, prefixed)
    return Unframed(spoken.protocol, limits, prefixed)


# ── What a protocol's messages begin with ────────────────────────────────────────────


class Sign(NamedTuple):
    """How the messages of a protocol are recognised.

    ``begins(data, at)``: can one begin there?  None: too few bytes to say no.  ``magic`` is
    what to search for in mid-stream; empty: it cannot be found there.  ``strength``: see below.
    """

    protocol: Protocol
    words: str
    begins: Callable[[bytes | bytearray, int], bool | None]
    magic: bytes
    strength: int


# At the first byte of a connection, ``begins`` alone is enough; or the struct has to make
# sense too, as far as it goes; or it has to be there to its end (or for PROOF bytes), and in
# mid-stream such a message is found only where its protocol was settled before.
STRONG: Final = 2
FAIR: Final = 1
WEAK: Final = 0

_VERSION: Final = VERSION_1.to_bytes(2, "big")


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


SIGNS: Final = (
    Sign(BINARY, "a strict binary header", _strict, _VERSION, STRONG),
    Sign(COMPACT, "a compact header", _compact, b"\x82", FAIR),
    Sign(OLD_BINARY, "an old binary header", _old, b"\0\0", WEAK),
)

# ── At the first byte of a direction ─────────────────────────────────────────────────


def detect(data: bytes | bytearray, ended: bool, limits: Limits) -> Detection | None:
    """What a direction speaks, from its first bytes; None while there are too few of them.

    ``ended``: no more will come, so that even a few bytes get an answer.  The answer does
    not depend on how the bytes were cut: a sign that cannot be refused yet is waited for.
    """
    if not data:
        return Detection(None, None, "no bytes") if ended else None
    for sign in SIGNS:
        for transport, start in ((UNFRAMED, 0), (FRAMED, HEAD)):
            spoken = _speaks(data, sign, transport, start, ended, limits)
            if spoken:
                shown = _hex(data, start + 8)
                length = "the length of a frame, then " if start else ""
                text = f"begins with {shown}: {length}{sign.words}"
                return Detection(sign.protocol, transport, text)
            if spoken is None and not ended:
                return None
    text = f"begins with {_hex(data, 12)}: no Thrift header that is known here, framed or unframed"
    return Detection(None, None, text, _wrong_version(data))


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
        if ended and sign.strength == FAIR:
            return _has_name(data, start, sign, limits)
        return True if len(data) - start >= PROOF else None
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


def find_message(
    data: bytes | bytearray, settled: Spoken | None, ended: bool, limits: Limits
) -> Place:
    """The first place in ``data`` where a message proves itself.

    ``settled`` is what it has to be, None for anything known.  ``ended``: no more will
    come.  A framed message begins with its length.
    """
    signs = [sign for sign in SIGNS if sign.magic and _may_be(sign, settled)]
    at = 0
    stop = len(data)
    while True:
        hits = [(hit, sign) for sign in signs if (hit := data.find(sign.magic, at)) >= 0]
        if not hits:
            # Keep what may be a frame's length and the begin of a header.
            return Place(stop if ended else max(0, stop - HEAD - 4), None)
        at, sign = min(hits, key=lambda hit: hit[0])
        end = _prove(data, at, sign, limits, PROOF)
        if end == _UNKNOWN and not ended and stop - at < PROOF:
            return Place(max(0, at - HEAD), None)
        if end != _REFUSED and (end != _UNKNOWN or _has_name(data, at, sign, limits)):
            transport = settled.transport if settled is not None else None
            framed: bool | None = False
            if transport != UNFRAMED:
                framed = _is_framed(data, at, end, sign, ended, limits)
            if framed is None:
                return Place(max(0, at - HEAD), None)
            if framed:
                return Place(at - HEAD, Spoken(sign.protocol, FRAMED))
            if transport != FRAMED:
                return Place(at, Spoken(sign.protocol, UNFRAMED))
        at += 1


def _may_be(sign: Sign, settled: Spoken | None) -> bool:
    if settled is None:
        return sign.strength != WEAK
    return settled.protocol is None or settled.protocol is sign.protocol


_REFUSED: Final = 0
_UNKNOWN: Final = -1


def _prove(data: bytes | bytearray, at: int, sign: Sign, limits: Limits, reach: int) -> int:
    """Where the message at ``at`` ends; _REFUSED if none can stand there, _UNKNOWN if it
    makes sense as far as it goes, or for ``reach`` bytes."""
    if sign.begins(data, at) is False or _has_name(data, at, sign, limits) is False:
        return _REFUSED
    try:
        return sign.protocol.skipper(at, limits).advance(data, min(len(data), at + reach))
    except DecodeError:
        return _REFUSED


def _has_name(data: bytes | bytearray, at: int, sign: Sign, limits: Limits) -> bool | None:
    """Has the header there a name that a method can have?  None: it is not all there."""
    try:
        header = sign.protocol.read_header(data, at, len(data), limits)
    except Incomplete:
        return None
    except DecodeError:
        return False
    span = header.method_span
    return _NAME.match(data[span.start : span.stop]) is not None


def _is_framed(
    data: bytes | bytearray, at: int, end: int, sign: Sign, ended: bool, limits: Limits
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
        end = _prove(data, at, sign, limits, AGREE)
        if end == _UNKNOWN:
            # Longer than AGREE both, or cut off: they agree as far as one can see.
            there = len(data) - at
            return True if ended or there >= AGREE or there >= length else None
    return at + length == end
