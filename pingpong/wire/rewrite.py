"""New checksums for a packet whose bytes were replaced by others, as many.

    RFC 1071:  the sum of all words, carries added, inverted

A checksum computed from scratch is a function of the new bytes, and tells nothing else.  One that
is only updated by the difference (RFC 1624) would still depend on the old bytes: it would rule out
most values of a PIN, say.  For the same reason the checksum becomes 0 where bytes that it counts
are missing.  Two kinds are left alone: UDP's 0, which says that there is no checksum, and the sum
of the addresses alone, which a network card was to complete.

The options of a header are kept as far as the standards name them.  Otherwise a length that lies
could pass off anything as an option.
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

# Where the checksum is in the header.
_IN_TCP: Final = 16
_IN_UDP: Final = 6


# The sizes that an option of each kind may have (IANA's registries); kinds 0 and 1 are one byte.
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
    """The options of a TCP header; zeros from the first that no standard names."""
    return _known(data, _TCP_OPTIONS)


def ip_options(data: bytes) -> bytes:
    """The options of an IPv4 header, treated as ``tcp_options`` treats TCP's."""
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
    """The offset of the segment's checksum, counted from where ``Segment.head`` counts."""
    return segment.head + (_IN_TCP if segment.protocol == TCP else _IN_UDP)


def total(data: bytes | bytearray, place: int = 0) -> int:
    """The sum of ``data``, which begins ``place`` bytes into what is summed up, modulo 2¹⁶ - 1."""
    if place % 2:
        data = b"\0" + data
    if len(data) % 2:
        data = data + b"\0"
    # 2**16 is 1 modulo 2**16 - 1, so the number as a whole has the same remainder as the sum of
    # its words.
    return int.from_bytes(data, "big") % _MOST


def put(data: bytearray, at: int, sum_: int, protocol: int) -> None:
    """Write a checksum at ``at``, as far as the capture kept that place.

    ``sum_`` is the sum of everything that it covers except itself, ``protocol`` the IP protocol of
    its header.
    """
    value = _MOST - (sum_ % _MOST or _MOST)
    if not value and protocol == UDP:
        value = _MOST  # means the same; 0 would say that there is no checksum
    _write(data, at, value)


def put_none(data: bytearray, at: int) -> None:
    """Write 0 in place of a checksum that cannot be computed."""
    _write(data, at, 0)


def _write(data: bytearray, at: int, value: int) -> None:
    size = min(2, len(data) - at)
    if size > 0:
        data[at : at + size] = value.to_bytes(2, "big")[:size]


def total_of_ends(segment: Segment) -> int:
    """The sum of the addresses, the protocol and the length: a network card adds the rest."""
    source, target = segment.source[:-2], segment.target[:-2]
    length = segment.inside - segment.head + len(segment.payload) + segment.cut
    return total(source + target + segment.protocol.to_bytes(2, "big") + length.to_bytes(4, "big"))


def is_left_alone(segment: Segment, checksum: int, counted: int | None) -> bool:
    """Whether ``checksum`` is UDP's 0 or the sum of the ends alone, and so says nothing.

    ``counted`` is the sum of what it would cover, from the header on and without itself; None if
    some of that is missing.  It is needed because one packet in 65 536 has a true checksum that
    equals the sum of the ends.
    """
    if not checksum and segment.protocol == UDP:
        return True
    ends = total_of_ends(segment)
    if checksum != (ends or _MOST):
        return False
    return counted is None or (checksum + counted + ends) % _MOST != 0
