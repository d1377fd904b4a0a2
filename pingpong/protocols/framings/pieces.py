"""The pieces of a message that its framing puts together, and the data made of them.

    wire     head │ chunk line │ body │ chunk line │ body │ end
    data     head │ chunk line │ chunk line │ body  body │ end │ unpacked

A message's ``data`` has its pieces in the order of the wire, with one exception: what lies between
those of its body comes first, so that the body is in one piece.  What was packed is unpacked after
all the rest.  Its ``layout`` says which byte is where.
"""

from __future__ import annotations

import binascii
from typing import Final

from ...model import Gap, Span, Stretch
from ...wire.link import number as u32
from ..framing import Brought, Found
from .hpack import HeaderBlock

__all__ = [
    *("ENVELOPE", "Piece", "envelopes", "from_base64", "gaps_of", "lay_out", "ordered"),
    *("place_of_body", "time_of"),
]

# Before each message in a stream of them: a flag, and the length.
ENVELOPE: Final = 5

_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"


class Piece:
    """Consecutive bytes of one message on the wire, and which packets ``brought`` their frame.

    ``block`` is what a HEADERS frame began, ``fragment`` its part of that in the piece.
    """

    __slots__ = ("block", "brought", "data", "fragment", "offset", "what")

    def __init__(self, offset: int, data: bytes, what: str, brought: Brought) -> None:
        self.brought = brought
        self.offset = offset
        self.data = data
        self.what = what
        self.block: HeaderBlock | None = None
        self.fragment: Span | None = None


def ordered(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces in the order of the message's data.

    What lies between pieces of the body comes before it.
    """
    first = last = -1
    for index, piece in enumerate(pieces):
        if piece.what == "body":
            first = index if first < 0 else first
            last = index
    if last - first < 2 and first == last:
        return pieces
    inner = pieces[first : last + 1]
    between = [piece for piece in inner if piece.what != "body"]
    if not between:
        return pieces
    body = [piece for piece in inner if piece.what == "body"]
    return pieces[:first] + between + body + pieces[last + 1 :]


def lay_out(found: Found, pieces: list[Piece], is_packed: bool) -> None:
    """Set the layout: where each piece is in the data, and where on the wire."""
    layout: list[Stretch] = []
    at = 0
    for piece in ordered(pieces):
        what = "packed" if is_packed and piece.what == "body" else piece.what
        layout.append(Stretch(at, len(piece.data), piece.offset, what))
        at += len(piece.data)
    found.layout = tuple(layout)


def place_of_body(found: Found, pieces: list[Piece]) -> tuple[int, int]:
    """Return where the content begins and ends in the data; if there is none, where it would be."""
    start = stop = -1
    for stretch in found.layout:
        if stretch.what == "body":
            start = stretch.start if start < 0 else start
            stop = stretch.start + stretch.size
    if start >= 0:
        return start, stop
    # After the last envelope, or after the head.
    at = 0
    for stretch in found.layout:
        if stretch.what == "envelope" or not at:
            at = stretch.start + stretch.size
    return at, at


def time_of(found: Found, pieces: list[Piece]) -> None:
    """Set when it came, and in which packets."""
    if not pieces:
        return
    found.time = found.end_time = pieces[0].brought.time
    packets: dict[int, None] = {}
    before: Brought | None = None
    for piece in pieces:
        brought = piece.brought
        if brought is not before:
            before = brought
            found.time = min(found.time, brought.time)
            found.end_time = max(found.end_time, brought.end_time)
            for number in brought.packets:
                packets[number] = None
    found.packets = tuple(packets)


def gaps_of(found: Found, pieces: list[Piece]) -> tuple[Gap, ...]:
    """Return the gaps of the direction as places in the message's data."""
    out: list[Gap] = []
    for stretch, piece in zip(found.layout, ordered(pieces), strict=False):
        brought = piece.brought
        for gap in brought.gaps:
            at = gap.offset + brought.offset
            start = max(at, stretch.offset)
            stop = min(at + gap.length, stretch.offset + stretch.size)
            if start < stop and not stretch.is_packed:
                out.append(Gap(stretch.start + start - stretch.offset, stop - start))
    return tuple(out)


def from_base64(text: bytes) -> tuple[bytes | None, list[tuple[int, int]]]:
    """Decode base64 with padding anywhere.

    Also returns where each run of it, up to a padding, begins: in the result, and in the text.
    None: it is not base64.
    """
    if text.translate(None, _BASE64):
        return None, []
    out = bytearray()
    runs: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        padding = text.find(b"=", at)
        stop = len(text) if padding < 0 else at + ((padding - at) // 4 + 1) * 4
        runs.append((len(out), at))
        try:
            out += binascii.a2b_base64(text[at:stop])
        except binascii.Error:
            return None, []
        at = stop
    return bytes(out), runs


def envelopes(data: bytes) -> list[tuple[int, int]]:
    """Return where each message in a stream of them begins, with its envelope, and where it ends.

    One that is not complete ends after the data.
    """
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(data):
        size = u32(data, at + 1) if at + ENVELOPE <= len(data) else len(data)
        found.append((at, at + ENVELOPE + size))
        at += ENVELOPE + size
    return found
