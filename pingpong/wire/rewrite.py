"""A packet with other bytes in it, of the same length, and its checksum mended.

    RFC 1624:  the new sum = the old sum + what each changed word has grown by

The sum is mended, not made anew, so that one that was right stays right, and one that was wrong
is as wrong as before; and so a packet need not be there whole, nor a fragment have the others.
Left alone are UDP's 0, which says that there is none, and what a network card was to finish: the
sum of the addresses alone.
"""

from __future__ import annotations

from typing import Final

from ..model import Segment
from .link import TCP

__all__ = ["checksum_at", "growth", "is_left_to_card", "mend"]

_MOST: Final = 0xFFFF

# Where the checksum stands in the header.
_IN_TCP: Final = 16
_IN_UDP: Final = 6


def checksum_at(segment: Segment) -> int:
    """Where the segment's checksum stands, counted as its ``head`` is."""
    return segment.head + (_IN_TCP if segment.protocol == TCP else _IN_UDP)


def growth(old: bytes, new: bytes, place: int) -> int:
    """By how much a sum grows where ``old`` becomes ``new``, of the same length, ``place`` bytes
    behind the begin of what is summed up."""
    if old == new:
        return 0
    if place % 2:
        old, new = b"\0" + old, b"\0" + new
    if len(old) % 2:
        old, new = old + b"\0", new + b"\0"
    # 2**16 is 1 more than what the sum is counted in, so that a long number is its words' sum.
    return (int.from_bytes(new, "big") - int.from_bytes(old, "big")) % _MOST


def mend(data: bytearray, at: int, grown: int, protocol: int) -> None:
    """Mend the checksum at ``at`` of a header of ``protocol``, if it was kept."""
    if not grown or at + 2 > len(data):
        return
    old = data[at] << 8 | data[at + 1]
    if not old and protocol != TCP:
        return
    new = _MOST - ((_MOST - old + grown) % _MOST or _MOST)
    if not new and protocol != TCP:
        new = _MOST  # the same sum; 0 would say that there is none
    data[at], data[at + 1] = new >> 8, new & 255


def is_left_to_card(segment: Segment, checksum: int) -> bool:
    """Is that the sum of the addresses, the protocol and the length alone?"""
    source, target = segment.source[:-2], segment.target[:-2]
    length = segment.inside - segment.head + len(segment.payload) + segment.cut
    words = source + target + segment.protocol.to_bytes(2, "big") + length.to_bytes(4, "big")
    return checksum == (int.from_bytes(words, "big") % _MOST or _MOST)
