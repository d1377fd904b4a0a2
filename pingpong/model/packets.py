"""What the wire brings: packets, segments, and the ordered bytes of a stream.

What is missing is a value (Gap), never zeros and never silence.
"""

from __future__ import annotations

from typing import ClassVar, Final

from .places import Facts

__all__ = ["TCP", "UDP", "Chunk", "Gap", "Packet", "Segment"]


class Packet:
    """One captured packet, raw.

    ``number`` counts from 1 as Wireshark does; ``time`` is in nanoseconds since 1970; ``link`` is
    the capture file's link type (1 is Ethernet: tcpdump.org/linktypes.html); ``length`` is its size
    on the wire, ``len(data)`` how much of it was kept.  ``interface`` tells the interfaces of a
    pcapng apart.
    """

    __slots__ = ("data", "interface", "length", "link", "number", "time")

    def __init__(
        self, number: int, time: int, link: int, data: bytes, length: int, interface: int = 0
    ) -> None:
        self.number = number
        self.time = time
        self.link = link
        self.data = data
        self.length = length
        self.interface = interface

    def __repr__(self) -> str:
        return f"<Packet {self.number}: {self.length} bytes>"


# IP's numbers for what it carries: a Segment's and a Flow's ``protocol``.
TCP: Final = 6

UDP: Final = 17


class Segment:
    """What TCP (or UDP) carried in one packet.

    ``source`` and ``target`` are raw: the address's 4 or 16 bytes, then the port's 2.  ``cut``
    counts payload bytes that were on the wire but not kept (a short snaplen).  For UDP, ``seq``,
    ``ack`` and ``flags`` are 0.

    ``head`` and ``inside`` are where its header and its payload begin: in the packet's data or, if
    IP fragments brought it, in their datagram.  ``parts`` then says which bytes of which packets
    that datagram was made of: the packet's number, the place after its IP header, and from where to
    where in the datagram.

    ``depth`` is how many tunnels it came in.  ``ident`` is IPv4's own number of the packet, -1 if
    it has none; ``seen_at`` are the bytes in which copies of a packet, captured twice on its way,
    differ: what preceded IP, and how many hops it had left.
    """

    __slots__ = (
        "ack",
        "cut",
        "depth",
        "flags",
        "head",
        "ident",
        "inside",
        "number",
        "parts",
        "payload",
        "protocol",
        "seen_at",
        "seq",
        "source",
        "target",
        "time",
    )

    def __init__(
        self,
        number: int,
        time: int,
        protocol: int,
        source: bytes,
        target: bytes,
        seq: int,
        ack: int,
        flags: int,
        payload: bytes,
        cut: int,
    ) -> None:
        self.number = number
        self.time = time
        self.protocol = protocol
        self.source = source
        self.target = target
        self.seq = seq
        self.ack = ack
        self.flags = flags
        self.payload = payload
        self.cut = cut
        self.head = 0
        self.inside = 0
        self.depth = 0
        self.ident = -1
        self.seen_at = b""
        self.parts: tuple[tuple[int, int, int, int], ...] = ()


class Chunk(Facts):
    """Bytes of a stream, in order: ``data`` is at ``offset`` of its direction.

    ``time`` and ``number`` are those of the packet that brought them.
    """

    __slots__ = ("data", "number", "offset", "time")
    __match_args__: ClassVar = ("offset", "data", "time", "number")

    def __init__(self, offset: int, data: bytes, time: int = 0, number: int = 0) -> None:
        self.offset: Final = offset
        self.data: Final = data
        self.time: Final = time
        self.number: Final = number

    def facts(self) -> tuple[object, ...]:
        return (self.offset, self.data, self.time, self.number)


class Gap(Facts):
    """Bytes that were sent and that the capture does not have: never zeros, never silence."""

    __slots__ = ("length", "offset")
    __match_args__: ClassVar = ("offset", "length")

    def __init__(self, offset: int, length: int) -> None:
        self.offset: Final = offset
        self.length: Final = length

    def facts(self) -> tuple[object, ...]:
        return (self.offset, self.length)

    @property
    def stop(self) -> int:
        """The offset of the first byte after it."""
        return self.offset + self.length
