"""A packet with other bytes in it, of the same length, and its checksum mended.

    RFC 1624:  the new sum = the old sum + what each changed word has grown by

The sum is mended, not made anew, so that one that was right stays right, and one that was wrong
is as wrong as before; and so a packet need not be there whole, nor a fragment have the others.
Left alone are UDP's 0, which says that there is none, and what a network card was to finish: the
sum of the addresses alone.

A header's options stay as far as they are what the standards name: a length that lies would
else make an option of anything.
"""

from __future__ import annotations

from typing import Final

from ..model import Segment
from .link import TCP

__all__ = ["checksum_at", "growth", "ip_options", "is_left_to_card", "mend", "tcp_options"]

_MOST: Final = 0xFFFF

# Where the checksum stands in the header.
_IN_TCP: Final = 16
_IN_UDP: Final = 6


# By kind: the sizes that an option may have (IANA's registries); 0 and 1 are one byte alone.
_TCP_OPTIONS: Final[dict[int, tuple[int, ...]]] = {
    2: (4,),  # maximum segment size
    3: (3,),  # window scale
    4: (2,),  # selective acknowledgements permitted
    5: (10, 18, 26, 34),  # selective acknowledgements
    8: (10,),  # timestamps
    28: (4,),  # user timeout
    30: (3, 4, 8, 12, 20, 24, 26, 28),  # multipath TCP
    34: (2, 6, 8, 10, 12, 14, 16, 18),  # fast open
}
_IP_OPTIONS: Final[dict[int, tuple[int, ...]]] = {
    7: tuple(range(3, 40, 4)),  # record route
    68: tuple(range(4, 41, 4)),  # timestamps
    131: tuple(range(3, 40, 4)),  # source routes
    137: tuple(range(3, 40, 4)),
    148: (4,),  # router alert
}


def tcp_options(data: bytes) -> bytes:
    """Options of TCP; zeros from the first on that is none."""
    return _known(data, _TCP_OPTIONS)


def ip_options(data: bytes) -> bytes:
    """Options of IPv4, as ``tcp_options``."""
    return _known(data, _IP_OPTIONS)


def _known(data: bytes, kinds: dict[int, tuple[int, ...]]) -> bytes:
    at = 0
    while at < len(data) and data[at]:
        size = 1
        if data[at] != 1:
            size = data[at + 1] if at + 1 < len(data) else 0
            if size not in kinds.get(data[at], ()) or at + size > len(data):
                break
        at += size
    return data[:at] + bytes(len(data) - at)


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
