"""A packet with other bytes in it, of the same length: its checksum is made anew.

    RFC 1071:  the sum of all words, carries added, inverted

Made anew, it is a function of what now stands there, and tells nothing else.  One that is mended
by what has changed (RFC 1624) tells what stood there before to whoever knows what it was: a 0 in
the capture would leave few of all PINs.  For the same reason it is 0 where bytes are missing that
it counts.  Left alone are UDP's 0, which says that there is none, and what a network card was to
finish: the sum of the addresses alone.

A header's options stay as far as they are what the standards name: a length that lies would
else make an option of anything.
"""

from __future__ import annotations

from typing import Final

from ..model import Segment
from .link import TCP, UDP

__all__ = [
    "checksum_at",
    "ip_options",
    "is_left_alone",
    "put",
    "put_none",
    "tcp_options",
    "total",
    "total_of_ends",
]

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


def total(data: bytes | bytearray, place: int = 0) -> int:
    """The sum of ``data``, which stands ``place`` bytes behind the begin of what is summed up."""
    if place % 2:
        data = b"\0" + data
    if len(data) % 2:
        data = data + b"\0"
    # 2**16 is 1 more than what the sum is counted in, so that a long number is its words' sum.
    return int.from_bytes(data, "big") % _MOST


def put(data: bytearray, at: int, sum_: int, protocol: int) -> None:
    """Write the checksum of what sums up to ``sum_``, without the checksum itself, at ``at`` of a
    header of ``protocol``, as far as that was kept."""
    value = _MOST - (sum_ % _MOST or _MOST)
    if not value and protocol == UDP:
        value = _MOST  # the same sum; 0 would say that there is none
    _write(data, at, value)


def put_none(data: bytearray, at: int) -> None:
    """Write 0 where the checksum cannot be known."""
    _write(data, at, 0)


def _write(data: bytearray, at: int, value: int) -> None:
    size = min(2, len(data) - at)
    if size > 0:
        data[at : at + size] = value.to_bytes(2, "big")[:size]


def total_of_ends(segment: Segment) -> int:
    """The sum of the addresses, the protocol and the length: what a card adds the rest to."""
    source, target = segment.source[:-2], segment.target[:-2]
    length = segment.inside - segment.head + len(segment.payload) + segment.cut
    return total(source + target + segment.protocol.to_bytes(2, "big") + length.to_bytes(4, "big"))


def is_left_alone(segment: Segment, checksum: int, counted: int | None) -> bool:
    """Is that no checksum of what the segment carries: the sum of the ends alone, or UDP's 0?

    ``counted``: the sum of what it would count, from the header on and without itself; None if
    some of that is missing.  One packet of 65 536 has a true checksum that is also the sum of the
    ends.
    """
    if not checksum and segment.protocol == UDP:
        return True
    ends = total_of_ends(segment)
    if checksum != (ends or _MOST):
        return False
    return counted is None or (checksum + counted + ends) % _MOST != 0
