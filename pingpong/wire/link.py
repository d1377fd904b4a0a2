"""A captured packet → the TCP segment or UDP datagram in it.

    link layer  Ethernet, Linux SLL, PPP, IEEE 802.11 …: ``layers`` reads their headers
    network     IPv4 · IPv6 with its extension headers · fragments, put together
    tunnels     GRE, VXLAN, IP in IP …: a packet in a packet, MAX_DEPTH of them at most
    transport   TCP · UDP

Packets that hold neither TCP nor UDP, or that cannot be looked into, are counted by name: each
kind becomes one Finding.  An ICMP error becomes an ``Unreachable``, which says what it is about.

Checksums are not checked: on loopback and with offloading they are wrong in the capture although
the packet was right.  Lengths come from the IP header, because Ethernet pads.  Bytes that the
header claims and the capture does not have are counted in ``Segment.cut``, never made up.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ..model import TCP, UDP, Endpoint, Finding, Packet, Segment, Severity
from .fragments import Datagram, Fragments
from .layers import (
    ETHERNET,
    GRE,
    IP,
    LINK_LAYERS,
    LINK_NAMES,
    LOOPBACK,
    MPLS,
    NOTHING,
    OTHER_LINKS,
    PKTAP,
    QUIET,
    UDP_TUNNELS,
    ip_name,
    next_layer,
    udp_tunnel,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "ACK",
    "FIN",
    "LINK_NAMES",
    "PSH",
    "RST",
    "SYN",
    "TCP",
    "UDP",
    "Peeler",
    "Unreachable",
    "address",
    "endpoint",
    "number",
    "usual",
]

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10

# IPv6 extension headers that are skipped (RFC 8200, RFC 6275, RFC 7401, RFC 5533).
_EXTENSIONS: Final = (0, 43, 60, 135, 139, 140)
_AUTHENTICATION: Final = 51
_FRAGMENT: Final = 44

_TCP: Final = struct.Struct(">HHIIBB")
_UDP: Final = struct.Struct(">HHH")


def endpoint(raw: bytes) -> Endpoint:
    """The readable form of a Segment's ``source`` or ``target``."""
    port = raw[-2] << 8 | raw[-1]
    return Endpoint(address(raw[:-2]), port)


def address(raw: bytes) -> str:
    """The readable form of an address of 4 or 16 bytes."""
    return f"{raw[0]}.{raw[1]}.{raw[2]}.{raw[3]}" if len(raw) == 4 else _ipv6_text(raw)


def _ipv6_text(raw: bytes) -> str:
    """Write an IPv6 address (RFC 5952): the longest run of two or more zero groups is ``::``."""
    groups = [raw[i] << 8 | raw[i + 1] for i in range(0, 16, 2)]
    best = length = 0
    for i in range(8):
        run = 0
        while i + run < 8 and groups[i + run] == 0:
            run += 1
        if run > length:
            best, length = i, run
    if length < 2:
        return ":".join(f"{group:x}" for group in groups)
    left = ":".join(f"{group:x}" for group in groups[:best])
    right = ":".join(f"{group:x}" for group in groups[best + length :])
    return f"{left}::{right}"


# For the short way, by link type: where IP begins in a packet, and where the type field is that
# says so.
_BASES: Final = {
    **{link: 0 for link, layer in LINK_LAYERS.items() if layer == IP},
    **{link: 4 for link, layer in LINK_LAYERS.items() if layer == LOOPBACK},
    1: 14,
    113: 16,
    276: 20,
}
_KINDS: Final = {1: 12, 113: 14, 276: 0}


def _places(link: int) -> tuple[int, int]:
    """Where IP begins in a packet of that link type, and where the type field is that says so.

    For ``usual``: the first is -1 if a Peeler has to look, the second if there is no such field.
    """
    return _BASES.get(link, -1), _KINDS.get(link, -1)


def number(data: bytes, at: i64) -> i64:
    """The big-endian 32 bits at ``at``: a sequence number of TCP, a stream of HTTP/2."""
    a: i64 = data[at]
    b: i64 = data[at + 1]
    c: i64 = data[at + 2]
    return a << 24 | b << 16 | c << 8 | data[at + 3]


def usual(data: bytes, start: i64, stop: i64, link: i64) -> tuple[i64, i64, i64, i64]:
    """The short way to the TCP payload of ``data[start:stop]``, for the usual packet.

    The usual packet is IP without options, extensions or fragments, then TCP, all of it captured.

    Returns the offsets of the addresses, of TCP's header and of its payload, and where that ends.
    Both addresses and both ports are what lies between the first and four bytes past the second.
    The first is -1 for any other packet: a Peeler has to look.
    """
    at: i64 = start + 14
    kind: i64 = start + 12
    if link != 1:
        base, place = _places(link)
        if base < 0:
            return -1, 0, 0, 0
        at = start + base
        kind = start + place if place >= 0 else -1
    if at + 40 > stop:
        return -1, 0, 0, 0
    six = data[at] >> 4 == 6
    if kind >= 0:
        high: i64 = data[kind]
        if (high << 8 | data[kind + 1]) != (0x86DD if six else 0x0800):
            return -1, 0, 0, 0
    ends: i64
    end: i64
    length: i64
    if six:
        # TCP follows at once.  A length of 0 is a jumbogram, or left to the network card.
        length = data[at + 4]
        length = length << 8 | data[at + 5]
        if data[at + 6] != TCP or not length or at + 60 > stop:
            return -1, 0, 0, 0
        ends = at + 8
        end = at + 40 + length
        at += 40
    else:
        # A header of five words, no fragment, TCP.
        if data[at] != 0x45 or data[at + 6] & 0x3F or data[at + 7] or data[at + 9] != TCP:
            return -1, 0, 0, 0
        length = data[at + 2]
        ends = at + 12
        end = at + (length << 8 | data[at + 3])
        at += 20
    size: i64 = data[at + 12]
    inside: i64 = at + (size >> 4 << 2)
    if not at + 20 <= inside <= end <= stop:
        return -1, 0, 0, 0
    return ends, at, inside, end


class Unreachable:
    """An ICMP error: ``who`` says that what ``source`` sent to ``target`` did not get there.

    ``source``, ``target`` and ``protocol`` are as a Segment has them; ``who`` is a readable
    address, and ``words`` says what the error's code means.
    """

    __slots__ = ("protocol", "source", "target", "who", "words")

    def __init__(self, protocol: int, source: bytes, target: bytes, who: str, words: str) -> None:
        self.protocol = protocol
        self.source = source
        self.target = target
        self.who = who
        self.words = words


# What the code of an unreachable destination means: ICMP's (RFC 792, RFC 1122, RFC 1812) and
# ICMPv6's (RFC 4443).  ICMP's 4 is left out: there the packet was too large.
_CODES: Final[dict[int, str]] = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    5: "source route failed",
    6: "network unknown",
    7: "host unknown",
    8: "source host isolated",
    9: "network forbidden by a rule",
    10: "host forbidden by a rule",
    11: "network unreachable for this type of service",
    12: "host unreachable for this type of service",
    13: "forbidden by a rule",
    14: "host precedence violation",
    15: "precedence cutoff",
}
_CODES6: Final[dict[int, str]] = {
    0: "no route",
    1: "forbidden by a rule",
    2: "beyond the scope of the source address",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address forbidden by a rule",
    6: "route rejected",
    7: "source route failed",
}

_ICMP: Final = 1
_ICMP6: Final = 58

# How deep tunnels may nest, and how many headers there may be between one IP header and the next.
MAX_DEPTH: Final = 8
MAX_HEADERS: Final = 16
# How many kinds of packets are counted apart.
MAX_KINDS: Final = 40

# The IP protocols that are tunnels: the layer in them, and how many bytes come before it.
_TUNNELS: Final[dict[int, tuple[int, int]]] = {
    4: (IP, 0),
    41: (IP, 0),
    47: (GRE, 0),
    94: (IP, 0),
    97: (ETHERNET, 2),
    137: (MPLS, 0),
    143: (ETHERNET, 0),
}

# Link types whose header says where a packet was seen, and nothing else that may change.
_TELLING: Final = frozenset((0, 1, 9, 12, 14, 50, 51, 101, 104, 108, 113, 228, 229, 276))


class _Kind:
    """Packets of one kind: how many, the number of the first, and what to say about them."""

    __slots__ = ("count", "first", "text")

    def __init__(self, first: int, text: str) -> None:
        self.count = 0
        self.first = first
        self.text = text


class Peeler:
    """Peels the headers off packets; ``findings`` says, once for each reason, what it could not.

    The other attributes are about the last packet.  ``heads`` is how many bytes of it are headers
    that were understood; ``kind`` is the IP protocol of what follows them, -1 if that is unknown.
    Two lists of start and stop say what was skipped in the headers: ``options`` those of IPv4,
    ``extensions`` what other headers have after the fields that are known here.  ``sums`` has the
    place of each tunnel's checksum, and the start and stop of what it covers.  ``depth`` is how
    many tunnels the packet came in.  ``unreachable`` is what it says if it is such an ICMP error.
    """

    def __init__(self) -> None:
        self.heads = 0
        self.kind = -1
        self.options: list[tuple[int, int]] = []
        self.extensions: list[tuple[int, int]] = []
        self.sums: list[tuple[int, int, int]] = []
        self.depth = 0
        self.unreachable: Unreachable | None = None
        self._said: dict[str, Finding] = {}
        self._passed: dict[str, _Kind] = {}
        self._cut: dict[str, _Kind] = {}
        self._links: dict[int, _Kind] = {}
        self._fragments = Fragments(self._say)
        # For the Segment of the last packet: where it was seen, and its IP identification.
        self._seen_at = b""
        self._ident = -1

    def segment(self, packet: Packet) -> Segment | None:
        """The segment in ``packet``; None if it holds neither TCP nor UDP, or too little of it.

        A datagram in fragments is the segment of the packet that completes it.
        """
        self.heads = 0
        self.kind = -1
        self.depth = 0
        self.unreachable = None
        self._seen_at = b""
        self._ident = -1
        if self.options:
            self.options = []
        if self.extensions:
            self.extensions = []
        if self.sums:
            self.sums = []
        link = packet.link
        if link == 1 and packet.data[12:14] == b"\x08\x00":
            return self._ip(packet, 14)  # most packets: a shortcut
        if link == _NFLOG:
            return self._nflog(packet)
        layer = LINK_LAYERS.get(link, NOTHING)
        if layer == NOTHING:
            kind = self._links.get(link)
            if kind is None and len(self._links) < MAX_KINDS:
                kind = self._links[link] = _Kind(packet.number, "")
            if kind is not None:
                kind.count += 1
            return None
        if layer == PKTAP:
            # After the first 12 bytes: names of interfaces and programs.
            self.extensions.append((12, int.from_bytes(packet.data[:2], "little")))
        return self._peel(packet, layer, 0)

    @property
    def findings(self) -> list[Finding]:
        """What was odd about the packets so far: one Finding for each reason."""
        out = [_of_link(link, kind) for link, kind in self._links.items()]
        out += self._said.values()
        for kind in self._cut.values():
            others = f" So are {kind.count - 1} more." if kind.count > 1 else ""
            out.append(Finding(Severity.WARNING, kind.text + others))
        for name, kind in self._passed.items():
            if name not in QUIET:
                out.append(
                    Finding(
                        Severity.WARNING,
                        f"1 packet is {name} and was not looked into: packet {kind.first}"
                        if kind.count == 1
                        else f"{kind.count} packets are {name} and were not looked into (the first "
                        f"is packet {kind.first})",
                    )
                )
        return out + self.bystanders

    @property
    def bystanders(self) -> list[Finding]:
        """At most one note: it counts packets without RPC that every network has, such as ARP."""
        kinds = [(kind.count, name) for name, kind in self._passed.items() if name in QUIET]
        if not kinds:
            return []
        count = sum(number for number, _ in kinds)
        which = ", ".join(f"{number} {name}" for number, name in sorted(kinds, key=_most_first))
        hold = "packet holds" if count == 1 else "packets hold"
        text = f"{count} {hold} neither TCP nor UDP: {which}"
        return [Finding(Severity.NOTE, text)]

    def close(self) -> None:
        """There are no more packets: incomplete datagrams become a finding."""
        self._fragments.close()

    def _say(self, severity: Severity, reason: str, text: str) -> None:
        if reason not in self._said:
            self._said[reason] = Finding(severity, text)

    def _pass(self, packet: Packet, name: str) -> None:
        """Count a packet that is not looked into, under the name of what it is."""
        kind = self._passed.get(name)
        if kind is None:
            if len(self._passed) >= MAX_KINDS:
                name = "of more kinds than are told apart"
                kind = self._passed.get(name)
            if kind is None:
                kind = self._passed[name] = _Kind(packet.number, "")
        kind.count += 1

    def _short(self, packet: Packet, what: str) -> None:
        """Report a header with too few bytes: the capture cut the packet, or it is broken."""
        if len(packet.data) >= packet.length:
            self._pass(packet, f"too short to be {what}" if what else "too short")
            return
        kind = self._cut.get(what)
        if kind is None:
            kind = self._cut[what] = _Kind(
                packet.number,
                f"packet {packet.number}: only {len(packet.data)} of its {packet.length} bytes "
                f"were captured, too few for its {what or 'link'} header. Capture with a larger "
                f"snaplen (tcpdump -s 0)",
            )
        kind.count += 1

    # ── Link layers and tunnels ──────────────────────────────────────────────────────

    def _peel(self, packet: Packet, layer: int, at: int) -> Segment | None:
        """Go from header to header until there is IP, or nothing that is known here."""
        data = packet.data
        for _ in range(MAX_HEADERS):
            if layer == IP:
                return self._ip(packet, at)
            if at >= len(data):
                self._short(packet, "")
                return None
            self.heads = at
            layer, at, name = next_layer(layer, data, at)
            if layer == NOTHING:
                if name:
                    self._pass(packet, name)
                else:
                    self._short(packet, "")
                if self.depth == 0:
                    self.heads = 0
                return None
        self._pass(packet, f"in more than {MAX_HEADERS} headers")
        return None

    def _tunnel(self, packet: Packet, layer: int, at: int) -> Segment | None:
        """Go on with the packet in a packet, unless it is nested too deep."""
        if self.depth >= MAX_DEPTH:
            self._pass(packet, f"in more than {MAX_DEPTH} tunnels")
            return None
        self.depth += 1
        return self._peel(packet, layer, at)

    def _nflog(self, packet: Packet) -> Segment | None:
        """Linux's netfilter log: a head of 4 bytes, then length, type, value, in host byte order.

        Type 9 is the packet; anything else (the name of a rule, a user) is skipped.
        """
        data = packet.data
        at = 4
        while at + 4 <= len(data):
            # Types are small numbers of 16 bits: that tells the byte order.
            little = data[at + 3] == 0 or data[at + 3] == 0x80
            size = data[at] | data[at + 1] << 8 if little else data[at] << 8 | data[at + 1]
            kind = data[at + 2] if little else data[at + 3]
            if size < 4:
                break
            if kind == 9:
                return self._ip(packet, at + 4)
            self.extensions.append((at + 4, min(at + size, len(data))))
            at += size + 3 & ~3
        self._pass(packet, "NFLOG without a packet")
        return None

    def _ip(self, packet: Packet, at: int) -> Segment | None:
        data = packet.data
        if at >= len(data):
            self._short(packet, "IP")
            return None
        self.heads = at
        if not self.depth:
            told = data[:at] if packet.link in _TELLING else b""
            self._seen_at = told + packet.interface.to_bytes(4, "big")
        version = data[at] >> 4
        if version == 4:
            return self._ipv4(packet, at)
        if version == 6:
            return self._ipv6(packet, at)
        self._pass(packet, f"IP of version {version}")
        return None

    # ── IP ───────────────────────────────────────────────────────────────────────────

    def _ipv4(self, packet: Packet, at: int) -> Segment | None:
        data = packet.data
        if len(data) < at + 20:
            self._short(packet, "IPv4")
            return None
        head = (data[at] & 15) * 4
        total = data[at + 2] << 8 | data[at + 3]
        if total == 0:
            total = packet.length - at  # left to the network card (segmentation offload)
        if head < 20 or total < head:
            self._pass(packet, "IPv4 with a broken header")
            return None
        self.heads = min(at + head, len(data))
        if head > 20:
            self.options.append((at + 20, at + head))
        kind = data[at + 9]
        source = data[at + 12 : at + 16]
        target = data[at + 16 : at + 20]
        self._ident = data[at + 4] << 8 | data[at + 5]
        self._seen_at += data[at + 8 : at + 9]
        place = data[at + 6] << 8 | data[at + 7]
        if not place & 0x3FFF:
            return self._inside(packet, kind, at + head, at + total, source, target)
        # RFC 791, 3.2: these four tell the fragments of one datagram from those of another.
        key = source + target + data[at + 4 : at + 6] + bytes((kind,))
        start = (place & 0x1FFF) * 8
        more = place & 0x2000 != 0
        inside, stop = at + head, at + total
        if kind not in (TCP, UDP, _AUTHENTICATION) and kind not in _TUNNELS:
            self._pass(packet, ip_name(kind))
            return None
        whole = self._fragments.add(
            packet, key, kind, start, data[inside:stop], stop - inside, more
        )
        if whole is None:
            return None
        return self._put_together(packet, whole, inside, source, target)

    def _put_together(
        self, packet: Packet, whole: Datagram, inside: int, source: bytes, target: bytes
    ) -> Segment | None:
        """The segment in a datagram that ``packet`` has completed."""
        options, extensions = self.options, self.extensions
        self.options, self.extensions = [], []
        put = Packet(packet.number, packet.time, packet.link, whole.data, whole.length)
        segment = self._inside(put, whole.kind, 0, whole.length, source, target, False)
        # What the Peeler says about headers is about the packet, not about the datagram.
        self.heads = inside
        self.kind = -1
        self.options, self.extensions, self.sums = options, extensions, []
        if segment is not None:
            segment.parts = whole.made_of
        return segment

    def _ipv6(self, packet: Packet, at: int) -> Segment | None:
        data = packet.data
        if len(data) < at + 40:
            self._short(packet, "IPv6")
            return None
        self.heads = at + 40
        length = data[at + 4] << 8 | data[at + 5]
        stop = at + 40 + length if length else packet.length
        source = data[at + 8 : at + 24]
        target = data[at + 24 : at + 40]
        self._ident = -1
        self._seen_at += data[at + 7 : at + 8]
        return self._inside(packet, data[at + 6], at + 40, stop, source, target)

    def _inside(
        self,
        packet: Packet,
        kind: int,
        at: int,
        stop: int,
        source: bytes,
        target: bytes,
        may_be_fragment: bool = True,
    ) -> Segment | None:
        """Return the segment in what IP carries; ``kind`` is the type of the header at ``at``.

        Extension headers are skipped.
        """
        data = packet.data
        is_six = len(source) == 16
        while kind == _AUTHENTICATION or (is_six and (kind in _EXTENSIONS or kind == _FRAGMENT)):
            if len(data) < at + 8 or at + 8 > stop:
                self._short(packet, "IPv6 extension" if is_six else "AH")
                return None
            if kind == _FRAGMENT:
                if (data[at + 2] << 8 | data[at + 3]) & 0xFFF9:
                    # No fragments of fragments: nobody sends them, and each would cost a recursion.
                    if may_be_fragment:
                        return self._ipv6_fragment(packet, at, stop, source, target)
                    self._pass(packet, "a fragment of fragments")
                    return None
                size = 8
            elif kind == _AUTHENTICATION:
                size = (data[at + 1] + 2) * 4
            else:
                size = (data[at + 1] + 1) * 8
            kind = data[at]
            if size > 8:
                self.extensions.append((at + 8, at + size))
            at += size
            self.heads = min(at, len(data))
        self.kind = kind
        if kind in (TCP, UDP):
            return self._transport(packet, kind, at, stop, source, target)
        if kind in _TUNNELS:
            layer, size = _TUNNELS[kind]
            self._outer(source, target)
            if kind == 47 and len(data) >= at + 6 and data[at] & 0x80:
                self.sums.append((at + 4, at, stop))
            return self._tunnel(packet, layer, at + size)
        if kind in (_ICMP, _ICMP6):
            self.unreachable = _unreachable(kind, data, at, source)
        self._pass(packet, ip_name(kind))
        return None

    def _outer(self, source: bytes, target: bytes) -> None:
        """Record the ends of a tunnel, which are a part of where a packet was seen."""
        self._seen_at += source + target

    def _ipv6_fragment(
        self, packet: Packet, at: int, stop: int, source: bytes, target: bytes
    ) -> Segment | None:
        data = packet.data
        place = data[at + 2] << 8 | data[at + 3]
        # RFC 8200, 4.5: the addresses and the identification; the next header may differ.
        key = source + target + data[at + 4 : at + 8]
        inside = at + 8
        self.heads = inside
        whole = self._fragments.add(
            packet, key, data[at], place & 0xFFF8, data[inside:stop], stop - inside, place & 1 != 0
        )
        if whole is None:
            return None
        return self._put_together(packet, whole, inside, source, target)

    # ── TCP, UDP ─────────────────────────────────────────────────────────────────────

    def _transport(
        self, packet: Packet, kind: int, at: int, stop: int, source: bytes, target: bytes
    ) -> Segment | None:
        """The segment in ``data[at:stop]``; ``stop`` may lie beyond what was captured."""
        data = packet.data
        if kind == TCP:
            if len(data) < at + 20 or stop < at + 20:
                self._short(packet, "TCP")
                return None
            sport, dport, seq, ack, size, flags = _TCP.unpack_from(data, at)
            inside = at + (size >> 4) * 4
            if inside < at + 20 or inside > stop:
                self._pass(packet, "TCP with a broken header")
                return None
        else:
            if len(data) < at + 8 or stop < at + 8:
                self._short(packet, "UDP")
                return None
            sport, dport, length = _UDP.unpack_from(data, at)
            seq = ack = flags = 0
            inside = at + 8
            if length >= 8:
                stop = min(stop, at + length)
            if dport in UDP_TUNNELS and self.depth < MAX_DEPTH:
                layer, place, options = udp_tunnel(dport, data, inside, stop)
                if layer != NOTHING:
                    self._outer(source, target)
                    self.sums.append((at + 6, at, stop))
                    if options >= 0:
                        self.extensions.append((options, place))
                    return self._tunnel(packet, layer, place)
        payload = data[inside:stop]
        self.heads = min(inside, len(data))
        segment = Segment(
            packet.number,
            packet.time,
            kind,
            source + sport.to_bytes(2, "big"),
            target + dport.to_bytes(2, "big"),
            seq,
            ack,
            flags,
            payload,
            max(0, stop - inside - len(payload)),
        )
        segment.head = at
        segment.inside = inside
        segment.depth = self.depth
        segment.ident = self._ident
        segment.seen_at = self._seen_at
        return segment


_NFLOG: Final = 239


def _most_first(one: tuple[int, str]) -> tuple[int, str]:
    return -one[0], one[1]


def _of_link(link: int, kind: _Kind) -> Finding:
    wanted = ", ".join(f"{n} {name}" for n, name in LINK_NAMES.items())
    name = f" ({OTHER_LINKS[link]})" if link in OTHER_LINKS else ""
    many = f"{kind.count} packets have it" if kind.count > 1 else "no other packet has it"
    return Finding(
        Severity.ERROR,
        f"packet {kind.first}: link type is {link}{name}, want one of {wanted}; {many}",
    )


def _unreachable(kind: int, data: bytes, at: int, source: bytes) -> Unreachable | None:
    """What the ICMP message at ``at`` says, if it is such an error and quotes TCP or UDP.

    It quotes the packet that it is about: the IP header and at least the 8 bytes after it.
    """
    if len(data) < at + 8 + 20 + 4:
        return None
    codes = _CODES if kind == _ICMP else _CODES6
    words = codes.get(data[at + 1], "")
    if data[at] != (3 if kind == _ICMP else 1) or not words:
        return None
    at += 8
    if kind == _ICMP:
        protocol, ends, size, inside = data[at + 9], at + 12, 4, at + (data[at] & 15) * 4
        is_ip = data[at] >> 4 == 4
    else:
        protocol, ends, size, inside = data[at + 6], at + 8, 16, at + 40
        is_ip = data[at] >> 4 == 6
    if not is_ip or protocol not in (TCP, UDP) or len(data) < inside + 4:
        return None
    return Unreachable(
        protocol,
        data[ends : ends + size] + data[inside : inside + 2],
        data[ends + size : ends + 2 * size] + data[inside + 2 : inside + 4],
        address(source),
        words,
    )
