"""A captured packet → the TCP segment or UDP datagram in it.

    link layer  Ethernet (VLAN tags) · Linux SLL, SLL2 · BSD loopback · raw IP
    network     IPv4 · IPv6 with its extension headers · fragments, put together
    transport   TCP · UDP

Checksums are not looked at: on loopback and with offloading they are wrong in the capture
though the packet was right.  Lengths come from the IP header, since Ethernet pads; what the
header claims beyond the captured bytes is counted in ``Segment.cut``, never made up.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ..model import Endpoint, Finding, Packet, Segment, Severity
from .fragments import Datagram, Fragments

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
    "endpoint",
    "number",
    "usual",
]

TCP: Final = 6
UDP: Final = 17

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10

# tcpdump.org/linktypes.html; 12 and 14 are what OpenBSD and others write for raw IP.
LINK_NAMES: Final[dict[int, str]] = {
    0: "BSD loopback",
    1: "Ethernet",
    12: "raw IP",
    14: "raw IP",
    101: "raw IP",
    108: "OpenBSD loopback",
    113: "Linux cooked (SLL)",
    228: "raw IPv4",
    229: "raw IPv6",
    276: "Linux cooked (SLL2)",
}

_IPV4: Final = 0x0800
_IPV6: Final = 0x86DD
_VLANS: Final = (0x8100, 0x88A8, 0x9100)

# IPv6 extension headers that are passed over (RFC 8200, RFC 4302, RFC 6275).
_EXTENSIONS: Final = (0, 43, 60, 135)
_AUTHENTICATION: Final = 51
_FRAGMENT: Final = 44

_TCP: Final = struct.Struct(">HHIIBB")
_UDP: Final = struct.Struct(">HHH")


def endpoint(raw: bytes) -> Endpoint:
    """The readable form of a Segment's ``source`` or ``target``."""
    port = raw[-2] << 8 | raw[-1]
    if len(raw) == 6:
        return Endpoint(f"{raw[0]}.{raw[1]}.{raw[2]}.{raw[3]}", port)
    return Endpoint(_ipv6_text(raw[:16]), port)


def _ipv6_text(raw: bytes) -> str:
    """RFC 5952: the longest run of zero groups, of two at least, is written ``::``."""
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


# For the short way, by link type: where IP begins in a packet, and where the type that says so
# stands (-1: nothing says so).
_BASES: Final = {
    **dict.fromkeys((12, 14, 101, 228, 229), 0),
    0: 4,
    1: 14,
    108: 4,
    113: 16,
    276: 20,
}
_KINDS: Final = {1: 12, 113: 14, 276: 0}


def _places(link: int) -> tuple[int, int]:
    """For ``usual``: where IP begins in a packet of that link type (-1: ask a Peeler), and where
    the type that says so stands (-1: nothing says so)."""
    return _BASES.get(link, -1), _KINDS.get(link, -1)


def number(data: bytes, at: i64) -> i64:
    """The 32 bits at ``at``: TCP's own numbers."""
    a: i64 = data[at]
    b: i64 = data[at + 1]
    c: i64 = data[at + 2]
    return a << 24 | b << 16 | c << 8 | data[at + 3]


def usual(data: bytes, start: i64, stop: i64, link: i64) -> tuple[i64, i64, i64, i64]:
    """The short way to the payload of ``data[start:stop]``, a packet of IP without options,
    extensions or fragments, then TCP, all of it captured.

    Where the addresses begin, TCP's header and its payload, and where that ends: both addresses
    and both ports are what stands from the first of these to four bytes behind the second.
    The first is -1 for anything else: ask a Peeler.
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
        # TCP follows at once.  A length of 0 is a jumbogram's, or left to the network card.
        length = data[at + 4]
        length = length << 8 | data[at + 5]
        if data[at + 6] != TCP or not length or at + 60 > stop:
            return -1, 0, 0, 0
        ends = at + 8
        end = at + 40 + length
        at += 40
    else:
        # Five words of header; no fragment; TCP.
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


class Peeler:
    """Peels packets.  ``findings`` says, once for each reason, what could not be.

    ``heads`` is how many bytes of the last packet are headers that were understood; ``kind`` is
    the IP protocol of what follows them, -1 if that is not known.  What was only passed over in
    them: ``options``, from where to where IPv4 has some, and ``extensions``, what IPv6's headers
    have behind their first 8 bytes.
    """

    def __init__(self) -> None:
        self.heads = 0
        self.kind = -1
        self.options = (0, 0)
        self.extensions: list[tuple[int, int]] = []
        self.findings: list[Finding] = []
        self._said: set[str] = set()
        self._fragments = Fragments(self._say)

    def segment(self, packet: Packet) -> Segment | None:
        """The segment in ``packet``; None where it holds neither TCP nor UDP, or too little.

        Of fragments, the packet that completes their datagram has the segment.
        """
        data = packet.data
        link = packet.link
        at = -1
        self.heads = 0
        self.kind = -1
        self.options = (0, 0)
        self.extensions = []
        if link == 1:
            at = self._ethernet(data, 12)
        elif link in (0, 108):
            # The address family is in the byte order of whoever captured; the IP version
            # says the same without that question.
            at = 4
        elif link in (12, 14, 101, 228, 229):
            at = 0
        elif link == 113:
            at = self._ethernet(data, 14)
        elif link == 276:
            at = self._typed(data, 0, 20)
        else:
            wanted = ", ".join(f"{n} {name}" for n, name in LINK_NAMES.items())
            self._say(
                Severity.ERROR,
                f"link type {link}",
                f"packet {packet.number}: link type is {link}, want one of {wanted}",
            )
        if at < 0 or at >= len(data):
            return None
        self.heads = at
        version = data[at] >> 4
        if version == 4:
            return self._ipv4(packet, at)
        if version == 6:
            return self._ipv6(packet, at)
        return None

    def close(self) -> None:
        """No more packets: fragments whose others never came become a finding."""
        self._fragments.close()

    def _say(self, severity: Severity, reason: str, text: str) -> None:
        if reason not in self._said:
            self._said.add(reason)
            self.findings.append(Finding(severity, text))

    def _short(self, packet: Packet, what: str) -> None:
        """A header runs out of bytes: worth a word only if the capture cut the packet."""
        if len(packet.data) < packet.length:
            self._say(
                Severity.WARNING,
                "cut headers",
                f"packet {packet.number}: only {len(packet.data)} of its {packet.length} bytes "
                f"were captured, too few for its {what} header. Capture with a larger snaplen "
                f"(tcpdump -s 0)",
            )

    # ── Link layers ──────────────────────────────────────────────────────────────────

    def _ethernet(self, data: bytes, at: int) -> int:
        """Where IP begins behind the type at ``at`` and any VLAN tags; -1 for no IP."""
        return self._typed(data, at, at + 2)

    def _typed(self, data: bytes, at: int, inside: int) -> int:
        if len(data) < inside:
            return -1
        kind = data[at] << 8 | data[at + 1]
        while kind in _VLANS:
            if len(data) < inside + 4:
                return -1
            kind = data[inside + 2] << 8 | data[inside + 3]
            inside += 4
        return inside if kind in (_IPV4, _IPV6) else -1

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
            return None
        self.heads = at + head
        self.options = (at + 20, at + head)
        kind = data[at + 9]
        source = data[at + 12 : at + 16]
        target = data[at + 16 : at + 20]
        place = data[at + 6] << 8 | data[at + 7]
        if not place & 0x3FFF:
            self.kind = kind
            return self._transport(packet, kind, at + head, at + total, source, target)
        if kind not in (TCP, UDP):
            return None
        # RFC 791, 3.2: these four tell one datagram's fragments from another's.
        key = source + target + data[at + 4 : at + 6] + bytes((kind,))
        start = (place & 0x1FFF) * 8
        more = place & 0x2000 != 0
        inside, stop = at + head, at + total
        whole = self._fragments.add(
            packet, key, kind, start, data[inside:stop], stop - inside, more
        )
        if whole is None:
            return None
        put = Packet(packet.number, packet.time, packet.link, whole.data, whole.length)
        segment = self._transport(put, whole.kind, 0, whole.length, source, target)
        return self._of_fragments(segment, whole, inside)

    def _of_fragments(
        self, segment: Segment | None, whole: Datagram, inside: int
    ) -> Segment | None:
        self.heads = inside
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
        return self._extensions(packet, data[at + 6], at + 40, stop, source, target, True)

    def _extensions(
        self,
        packet: Packet,
        kind: int,
        at: int,
        stop: int,
        source: bytes,
        target: bytes,
        may_be_fragment: bool,
    ) -> Segment | None:
        """Pass over extension headers; ``kind`` is the type of the header at ``at``."""
        data = packet.data
        while kind in _EXTENSIONS or kind in (_AUTHENTICATION, _FRAGMENT):
            if len(data) < at + 8 or at + 8 > stop:
                self._short(packet, "IPv6 extension")
                return None
            if kind == _FRAGMENT:
                if (data[at + 2] << 8 | data[at + 3]) & 0xFFF9:
                    # No fragments of fragments: nobody sends them, and each costs a level.
                    if may_be_fragment:
                        return self._ipv6_fragment(packet, at, stop, source, target)
                    return None
                size = 8
            elif kind == _AUTHENTICATION:
                size = (data[at + 1] + 2) * 4
            else:
                size = (data[at + 1] + 1) * 8
            kind = data[at]
            if size > 8 and may_be_fragment:
                self.extensions.append((at + 8, at + size))
            at += size
            self.heads = min(at, len(data))
        self.kind = kind
        return self._transport(packet, kind, at, stop, source, target)

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
        put = Packet(packet.number, packet.time, packet.link, whole.data, whole.length)
        segment = self._extensions(put, whole.kind, 0, whole.length, source, target, False)
        return self._of_fragments(segment, whole, inside)

    # ── TCP, UDP ─────────────────────────────────────────────────────────────────────

    def _transport(
        self, packet: Packet, kind: int, at: int, stop: int, source: bytes, target: bytes
    ) -> Segment | None:
        """``data[at:stop]`` is what IP carries; ``stop`` may lie behind what was captured."""
        data = packet.data
        if kind == TCP:
            if len(data) < at + 20 or stop < at + 20:
                self._short(packet, "TCP")
                return None
            sport, dport, seq, ack, size, flags = _TCP.unpack_from(data, at)
            inside = at + (size >> 4) * 4
            if inside < at + 20 or inside > stop:
                return None
        elif kind == UDP:
            if len(data) < at + 8 or stop < at + 8:
                self._short(packet, "UDP")
                return None
            sport, dport, length = _UDP.unpack_from(data, at)
            seq = ack = flags = 0
            inside = at + 8
            if length >= 8:
                stop = min(stop, at + length)
        else:
            return None
        payload = data[inside:stop]
        self.heads = inside
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
        return segment
