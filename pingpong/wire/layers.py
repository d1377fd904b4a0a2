"""Link layers and tunnels: what a header says about what comes after it.

    PPP ─▶ type ─▶ IP          Ethernet ─▶ VLAN ─▶ MPLS ─▶ MPLS ─▶ Ethernet ─▶ LLC ─▶ IP
    ``next_layer(layer, data, at)``  ─▶  the next layer and where it begins;
                                         or NOTHING, and the name of what is not looked into

Nothing here keeps state or raises: where bytes are missing, the name is "".  ``Peeler`` goes from
header to header, and counts the packets that lead nowhere.

A tunnel over UDP is recognised by its port *and* its shape (``udp_tunnel``).  A port alone proves
nothing: a datagram to such a port that holds no packet is a datagram like any other.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ETHERNET",
    "GRE",
    "IP",
    "LINK_LAYERS",
    "LINK_NAMES",
    "MPLS",
    "NOTHING",
    "OTHER_LINKS",
    "QUIET",
    "UDP_TUNNELS",
    "Next",
    "ip_name",
    "next_layer",
    "udp_tunnel",
]

# Which layer comes next, where it begins, and the name of what is there if that is NOTHING.
Next = tuple[int, int, str]

NOTHING: Final = 0
IP: Final = 1
ETHERNET: Final = 2
MPLS: Final = 3
GRE: Final = 4
LLC: Final = 5
PPP: Final = 6
PPPOE: Final = 7
HDLC: Final = 8  # Cisco's
WIFI: Final = 9
RADIOTAP: Final = 10
PPI: Final = 11
AVS: Final = 12
PKTAP: Final = 13
LOOPBACK: Final = 14
COOKED: Final = 15  # Linux SLL
COOKED2: Final = 16
PPP_SERIAL: Final = 17
PPP_DIRECTED: Final = 18
ENC: Final = 19  # OpenBSD's IPsec interface
PFLOG: Final = 20
NSH: Final = 21
IPNET: Final = 22

# tcpdump.org/linktypes.html; OpenBSD and others write raw IP as 12 or 14.
LINK_NAMES: Final[dict[int, str]] = {
    0: "BSD loopback",
    1: "Ethernet",
    9: "PPP",
    12: "raw IP",
    14: "raw IP",
    50: "PPP in HDLC",
    51: "PPPoE",
    101: "raw IP",
    104: "Cisco HDLC",
    105: "IEEE 802.11",
    108: "OpenBSD loopback",
    109: "OpenBSD IPsec",
    113: "Linux cooked (SLL)",
    117: "OpenBSD pf log",
    127: "IEEE 802.11 with radiotap",
    149: "macOS PKTAP",
    163: "IEEE 802.11 with AVS",
    166: "PPP of pppd",
    192: "PPI",
    204: "PPP with direction",
    226: "Solaris ipnet",
    228: "raw IPv4",
    229: "raw IPv6",
    239: "NFLOG",
    258: "macOS PKTAP",
    276: "Linux cooked (SLL2)",
}
LINK_LAYERS: Final[dict[int, int]] = {
    **dict.fromkeys((12, 14, 101, 228, 229), IP),
    **dict.fromkeys((0, 108), LOOPBACK),
    1: ETHERNET,
    9: PPP,
    50: PPP_SERIAL,
    51: PPPOE,
    104: HDLC,
    105: WIFI,
    109: ENC,
    113: COOKED,
    117: PFLOG,
    127: RADIOTAP,
    149: PKTAP,
    163: AVS,
    166: PPP_DIRECTED,
    192: PPI,
    204: PPP_DIRECTED,
    226: IPNET,
    258: PKTAP,
    276: COOKED2,
}
# Link types that people try, though no IP in them can be read here.
OTHER_LINKS: Final[dict[int, str]] = {
    6: "Token Ring",
    8: "SLIP",
    10: "FDDI",
    99: "symantec",
    119: "IEEE 802.11 with a Prism header",
    122: "IP over Fibre Channel",
    123: "SunATM",
    138: "IP over FireWire",
    157: "DOCSIS",
    177: "LAPD",
    187: "Bluetooth",
    189: "USB",
    195: "IEEE 802.15.4",
    197: "ERF",
    201: "Bluetooth",
    220: "USB",
    227: "CAN bus",
    230: "IEEE 802.15.4",
    247: "InfiniBand",
    249: "USB",
    251: "Bluetooth Low Energy",
    252: "Wireshark's exported PDUs",
    253: "Netlink",
    271: "VSOCK",
    272: "Nordic Bluetooth Low Energy",
}

# ── Names ────────────────────────────────────────────────────────────────────────────

_IPV4: Final = 0x0800
_IPV6: Final = 0x86DD
_MACSEC: Final = 0x88E5

# Ethernet types that are followed by this many bytes, and then by another type.
_TAGS: Final[dict[int, int]] = {
    0x8100: 2,  # VLAN, IEEE 802.1Q
    0x88A8: 2,  # IEEE 802.1ad
    0x9100: 2,
    0x9200: 2,
    0x9300: 2,
    0x8909: 6,  # Cisco's metadata: security group tags
    0x8926: 4,  # VN-Tag
    0x892F: 4,  # HSR
    0x893F: 6,  # E-Tag, IEEE 802.1BR
}
# Ethernet types that are followed by this many bytes, and then by an Ethernet header.
_CARRIERS: Final[dict[int, int]] = {
    0x6558: 0,  # transparent Ethernet bridging
    0x88E7: 4,  # provider backbone bridges, IEEE 802.1ah
    0x8903: 2,  # Cisco's FabricPath
}
_TYPES: Final[dict[int, int]] = {
    _IPV4: IP,
    _IPV6: IP,
    0x8847: MPLS,
    0x8848: MPLS,
    0x8864: PPPOE,
    0x880B: PPP,
    0x894F: NSH,
}
_TYPE_NAMES: Final[dict[int, str]] = {
    0x0600: "XNS",
    0x0806: "ARP",
    0x0842: "Wake-on-LAN",
    0x2000: "CDP",
    0x22EA: "SRP",
    0x22F0: "AVTP",
    0x6003: "DECnet",
    0x8035: "RARP",
    0x809B: "AppleTalk",
    0x80F3: "AARP",
    0x8137: "IPX",
    0x8809: "LACP",
    0x8863: "PPPoE discovery",
    0x887B: "HomePlug",
    0x888E: "EAPOL",
    0x8892: "PROFINET",
    0x8899: "Realtek's loop detection",
    0x88A4: "EtherCAT",
    0x88CC: "LLDP",
    0x88D9: "LLTD",
    0x88E1: "HomePlug",
    0x88F5: "MVRP",
    0x88F6: "MMRP",
    0x88F7: "PTP",
    0x88FB: "PRP",
    0x8902: "CFM",
    0x8906: "FCoE",
    0x8912: "HomePlug",
    0x8914: "FCoE",
    0x8915: "RoCE",
    0x893A: "IEEE 1905.1",
    0x9000: "Ethernet loopback",
}
_IP_NAMES: Final[dict[int, str]] = {
    1: "ICMP",
    2: "IGMP",
    3: "GGP",
    8: "EGP",
    9: "IGRP",
    33: "DCCP",
    46: "RSVP",
    50: "ESP (encrypted)",
    55: "minimal IP encapsulation",
    58: "ICMPv6",
    59: "IPv6 without a next header",
    88: "EIGRP",
    89: "OSPF",
    103: "PIM",
    108: "IPComp (compressed)",
    112: "VRRP",
    115: "L2TP",
    124: "IS-IS",
    132: "SCTP",
    136: "UDP-Lite",
    139: "HIP",
    240: "pfsync",
}
_PPP_NAMES: Final[dict[int, str]] = {
    0x002D: "PPP with compressed TCP headers",
    0x002F: "PPP with compressed TCP headers",
    0x003D: "PPP multilink",
    0x0053: "PPP, encrypted",
    0x0055: "PPP, encrypted",
    0x00FB: "PPP, compressed",
    0x00FD: "PPP, compressed",
}
_SAP_NAMES: Final[dict[int, str]] = {
    0x42: "STP",
    0xE0: "IPX",
    0xF0: "NetBIOS",
    0xFE: "IS-IS",
    0xFF: "IPX",
}

# What every network has and what carries no RPC: worth a note, not a warning.
QUIET: Final = frozenset(
    {
        "AARP", "ARP", "AVTP", "AppleTalk", "CDP", "CFM", "DECnet", "EAPOL", "EGP", "EIGRP",
        "EtherCAT", "Ethernet loopback", "GGP", "HomePlug", "ICMP", "ICMPv6", "IEEE 1905.1", "IGMP",
        "IGRP", "IPX", "IPv6 without a next header", "IS-IS", "LACP", "LLC", "LLDP", "LLTD", "MMRP",
        "MPLS OAM", "MVRP", "NetBIOS", "OSPF", "PIM", "PPP control", "PPPoE discovery", "PROFINET",
        "PRP", "PTP", "RARP", "RSVP", "Realtek's loop detection", "SLARP", "SRP", "STP", "VRRP",
        "Wake-on-LAN", "IEEE 802.11 control", "IEEE 802.11 management", "IEEE 802.11 without data",
        "pfsync",
    }
)  # fmt: skip


def ip_name(protocol: int) -> str:
    """The name of an IP protocol number, for messages; "IP protocol N" if it has none here."""
    return _IP_NAMES.get(protocol, f"IP protocol {protocol}")


def _nothing(name: str) -> Next:
    return NOTHING, 0, name


def _two(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


# ── Layers ───────────────────────────────────────────────────────────────────────────


def next_layer(layer: int, data: bytes, at: int) -> Next:
    """Return what comes after the header of ``layer`` that begins at ``at``."""
    if layer == ETHERNET:
        return _ethernet(data, at)
    if layer == MPLS:
        return _mpls(data, at)
    if layer == GRE:
        return _gre(data, at)
    if layer == LLC:
        return _llc(data, at)
    if layer == PPPOE:
        return _pppoe(data, at)
    if layer in (PPP, PPP_SERIAL, PPP_DIRECTED):
        return _ppp(data, at + (layer == PPP_DIRECTED))
    if layer == HDLC:
        return of_type(_two(data, at + 2), data, at + 4) if len(data) >= at + 4 else _nothing("")
    if layer == NSH:
        return _nsh(data, at)
    return _of_link(layer, data, at)


def _of_link(layer: int, data: bytes, at: int) -> Next:
    """Read headers that are found only at the beginning of a captured packet."""
    if layer == LOOPBACK:
        # The address family is in the byte order of the capturing machine.  The IP version says
        # the same, and raises no such question.
        return IP, at + 4, ""
    if layer == COOKED:
        return _cooked(data, at)
    if layer == COOKED2:
        return of_type(_two(data, at), data, at + 20) if len(data) >= at + 20 else _nothing("")
    if layer == WIFI:
        return _wifi(data, at, 0)
    if layer == RADIOTAP:
        return _radiotap(data, at)
    if layer == PPI:
        return _ppi(data, at)
    if layer == AVS:
        if len(data) < at + 8:
            return _nothing("")
        return _wifi(data, at + (_two(data, at + 4) << 16 | _two(data, at + 6)), 0)
    if layer == PKTAP:
        return _pktap(data, at)
    if layer == ENC:
        return IP, at + 12, ""
    if layer == PFLOG:
        return (IP, at + (data[at] + 3 & ~3), "") if len(data) > at else _nothing("")
    return IP, at + 24, ""  # IPNET


def of_type(kind: int, data: bytes, at: int) -> Next:
    """Return what begins at ``at``, according to an Ethernet type, or to a length in its place."""
    while kind in _TAGS or kind == _MACSEC:
        size = _TAGS.get(kind, 6)
        if kind == _MACSEC and len(data) >= at + 6:
            # IEEE 802.1AE: it may be signed only, and not encrypted.
            if data[at] & 0x0C:
                return _nothing("MACsec (encrypted)")
            size = 14 if data[at] & 0x20 else 6
        if len(data) < at + size + 2:
            return _nothing("")
        kind = _two(data, at + size)
        at += size + 2
    layer = _TYPES.get(kind, NOTHING)
    if layer != NOTHING:
        return layer, at, ""
    if kind in _CARRIERS:
        return ETHERNET, at + _CARRIERS[kind], ""
    if kind <= 1500:
        return LLC, at, ""
    if kind in (0x88BE, 0x22EB):
        return _erspan(kind, data, at)
    if kind == 0x22F3:  # TRILL: RFC 6325, 3.1
        if len(data) < at + 6:
            return _nothing("")
        return ETHERNET, at + 6 + 4 * (_two(data, at) >> 6 & 31), ""
    return _nothing(_TYPE_NAMES.get(kind, f"Ethernet type 0x{kind:04x}"))


def _ethernet(data: bytes, at: int) -> Next:
    if len(data) < at + 14:
        return _nothing("")
    if data[at : at + 5] in (b"\x01\x00\x0c\x00\x00", b"\x0c\x00\x0c\x00\x00") and (
        data[at + 14 : at + 17] == b"\xaa\xaa\x03"
    ):
        return ETHERNET, at + 26, ""  # Cisco's ISL
    return of_type(_two(data, at + 12), data, at + 14)


def _llc(data: bytes, at: int) -> Next:
    """Read IEEE 802.2, perhaps with SNAP in it."""
    if len(data) < at + 3:
        return _nothing("")
    sap = data[at]
    if sap == 0x06:
        return IP, at + 3, ""
    if sap != 0xAA or data[at + 1] != 0xAA:
        if data[at] == data[at + 1] and sap in _SAP_NAMES:
            return _nothing(_SAP_NAMES[sap])
        return _nothing("LLC")
    if len(data) < at + 8:
        return _nothing("")
    kind = _two(data, at + 6)
    if data[at + 3 : at + 6] in (b"\0\0\0", b"\0\0\xf8"):
        return of_type(kind, data, at + 8) if kind > 1500 else _nothing("LLC")
    if data[at + 3 : at + 6] == b"\0\0\x0c":
        return _nothing("STP" if kind == 0x010B else "CDP")
    return _nothing("LLC")


def _cooked(data: bytes, at: int) -> Next:
    if len(data) < at + 16:
        return _nothing("")
    kind = _two(data, at + 14)
    if _two(data, at + 2) == 824:
        return _nothing("Netlink")
    if kind in (1, 4):
        return LLC, at + 16, ""
    if kind < 0x0600:
        return _nothing(f"Linux cooked type 0x{kind:04x}")
    return of_type(kind, data, at + 16)


def _nsh(data: bytes, at: int) -> Next:
    """Read the network service header (RFC 8300)."""
    if len(data) < at + 8:
        return _nothing("")
    return _next_protocol(data[at + 3], at + 4 * (data[at + 1] & 63), "NSH")


def _next_protocol(kind: int, at: int, carrier: str) -> Next:
    """Return what the protocol numbers of NSH and VXLAN-GPE stand for."""
    layer = {1: IP, 2: IP, 3: ETHERNET, 4: NSH, 5: MPLS}.get(kind, NOTHING)
    return (layer, at, "") if layer else _nothing(f"{carrier} with protocol {kind}")


# ── PPP ──────────────────────────────────────────────────────────────────────────────


def _pppoe(data: bytes, at: int) -> Next:
    """Read PPPoE (RFC 2516): version and type, code, session, length."""
    if len(data) < at + 8:
        return _nothing("")
    if data[at] != 0x11:
        return _nothing(f"PPPoE of version {data[at] >> 4}")
    if data[at + 1]:
        return _nothing("PPPoE discovery")
    return PPP, at + 6, ""


def _ppp(data: bytes, at: int) -> Next:
    """Read PPP (RFC 1661), with or without RFC 1662's address and control; or Cisco's HDLC."""
    if len(data) < at + 2:
        return _nothing("")
    if data[at] == 0xFF and data[at + 1] == 0x03:
        at += 2
    elif data[at] in (0x0F, 0x8F) and data[at + 1] == 0:
        return HDLC, at, ""
    elif data[at] == 0x03:
        at += 1  # pppd puts a direction in place of the address
    if len(data) < at + 2:
        return _nothing("")
    kind = data[at]
    at += 1
    if not kind & 1:  # RFC 1661, 6.5: the first of two bytes is even
        kind = kind << 8 | data[at]
        at += 1
    if kind in (0x21, 0x57):
        return IP, at, ""
    if kind in (0x0281, 0x0283):
        return MPLS, at, ""
    if kind == 0x31:  # bridging, RFC 3518: flags, then which MAC
        is_ethernet = len(data) > at + 1 and data[at + 1] == 1
        return (ETHERNET, at + 2, "") if is_ethernet else _nothing("PPP bridging")
    if kind >= 0x8000 or 0x0200 <= kind < 0x0280:
        return _nothing("PPP control")
    return _nothing(_PPP_NAMES.get(kind, f"PPP protocol 0x{kind:04x}"))


# ── MPLS, GRE, ERSPAN ────────────────────────────────────────────────────────────────


def _mpls(data: bytes, at: int) -> Next:
    """Read MPLS (RFC 3032): labels of four bytes each, up to the one marked as the last.

    Nothing says what they carry (RFC 4928): its first bytes have to tell.
    """
    while True:
        if len(data) < at + 4:
            return _nothing("")
        is_last = data[at + 2] & 1
        at += 4
        if is_last:
            break
    if len(data) < at + 4:
        return _nothing("")
    if is_ip(data, at, len(data)):
        return IP, at, ""
    version = data[at] >> 4
    if version == 1:
        return _nothing("MPLS OAM")
    # RFC 4385: a pseudowire's control word begins with 0.
    if version == 0 and is_ethernet(data, at + 4):
        return ETHERNET, at + 4, ""
    if is_ethernet(data, at):
        return ETHERNET, at, ""
    return (IP, at, "") if version in (4, 6) else _nothing("MPLS with something unknown")


def _gre(data: bytes, at: int) -> Next:
    """Read GRE (RFC 2784 and RFC 2890); version 1 is PPTP's (RFC 2637)."""
    if len(data) < at + 4:
        return _nothing("")
    flags, kind = _two(data, at), _two(data, at + 2)
    inside = at + 4
    if flags & 7 == 1:
        if not flags & 0x1000:
            return _nothing("PPP control")  # an acknowledgement alone
        inside += 4 + 4 + (4 if flags & 0x0080 else 0)
        return PPP, inside, ""
    if flags & 7 or flags & 0x4000:
        return _nothing("GRE of another version" if flags & 7 else "GRE with routes")
    inside += 4 * ((flags >> 15 & 1) + (flags >> 13 & 1) + (flags >> 12 & 1))
    if kind == 0x88BE and not flags & 0x1000:
        return ETHERNET, inside, ""  # ERSPAN I has no header of its own
    if kind == 0x883E:  # WCCP: there may be four bytes of its own before IP
        at = inside if is_ip(data, inside, len(data)) else inside + 4
        return IP, at, ""
    if kind == 0:
        return _nothing("GRE keepalive")
    if kind < 0x0600:
        return _nothing(f"GRE with type 0x{kind:04x}")
    return of_type(kind, data, inside)


def _erspan(kind: int, data: bytes, at: int) -> Next:
    """Read ERSPAN (draft-foschiano-erspan): type II has 8 bytes, type III has 12, or 20."""
    if len(data) < at + 12:
        return _nothing("")
    version = data[at] >> 4
    if kind == 0x88BE:
        return ETHERNET, at + (8 if version == 1 else 0), ""
    if version != 2:
        return _nothing("ERSPAN of another version")
    last = _two(data, at + 10)
    inside = at + (20 if last & 1 else 12)
    return (IP if last >> 10 & 31 == 2 else ETHERNET), inside, ""


# ── Wireless ─────────────────────────────────────────────────────────────────────────


def _wifi(data: bytes, at: int, padded: int) -> Next:
    """Read a data frame of IEEE 802.11, 9.3.2.  ``padded``: its header is padded to four bytes."""
    if len(data) < at + 2:
        return _nothing("")
    kind, flags = data[at], data[at + 1]
    if kind >> 2 & 3 == 0:
        return _nothing("IEEE 802.11 management")
    if kind >> 2 & 3 != 2:
        return _nothing("IEEE 802.11 control")
    if kind & 0x40:
        return _nothing("IEEE 802.11 without data")
    if flags & 0x40:
        return _nothing("IEEE 802.11, encrypted")
    inside = at + (30 if flags & 3 == 3 else 24)
    if len(data) < inside + 2:
        return _nothing("")
    is_pack = 0
    if flags & 4 or data[at + 22] & 15:
        return _nothing("IEEE 802.11 fragments")
    if kind & 0x80:
        is_pack = data[inside] & 0x80
        inside += 2 + (4 if flags & 0x80 else 0)
    if padded:
        inside = at + (inside - at + 3 & ~3)
    if is_pack:
        return _aggregate(data, inside)
    return LLC, inside, ""


def _aggregate(data: bytes, at: int) -> Next:
    """Read an A-MSDU, several frames in one, but only if there is just one in it."""
    if len(data) < at + 14:
        return _nothing("")
    size = _two(data, at + 12)
    if len(data) >= at + 14 + (size + 3 & ~3) + 14:
        return _nothing("IEEE 802.11 A-MSDU, several frames in one,")
    return LLC, at + 14, ""


def _radiotap(data: bytes, at: int) -> Next:
    """Read radiotap (radiotap.org): a length, a bit for each field that is present, the fields."""
    if len(data) < at + 8:
        return _nothing("")
    size = data[at + 2] | data[at + 3] << 8
    first = data[at + 4]
    place = 8
    while data[at + place - 1] & 0x80:  # one more word of such bits
        place += 4
        if len(data) < at + place:
            return _nothing("")
    if first & 1:
        place = (place + 7 & ~7) + 8
    flags = data[at + place] if first & 2 and place < size and len(data) > at + place else 0
    if size < 8:
        return _nothing("broken radiotap")
    return _wifi(data, at + size, flags & 0x20)


def _ppi(data: bytes, at: int) -> Next:
    """Read CACE's per-packet information: version, flags, length, link type."""
    if len(data) < at + 8:
        return _nothing("")
    size = data[at + 2] | data[at + 3] << 8
    link = int.from_bytes(data[at + 4 : at + 8], "little")
    layer = LINK_LAYERS.get(link, NOTHING)
    if layer in (NOTHING, PPI, PKTAP) or size < 8:
        return _nothing(f"PPI with link type {link}")
    return layer, at + size, ""


def _pktap(data: bytes, at: int) -> Next:
    """Read macOS's header (bsd/net/pktap.h): its length, the kind of record, the link type."""
    if len(data) < at + 12:
        return _nothing("")
    size = int.from_bytes(data[at : at + 4], "little")
    link = int.from_bytes(data[at + 8 : at + 12], "little")
    layer = LINK_LAYERS.get(link, NOTHING)
    if not 12 <= size <= 4096:
        return _nothing("link type 149 or 258 that is no PKTAP")
    if layer in (NOTHING, PPI, PKTAP):
        return _nothing(f"PKTAP with link type {link}")
    return layer, at + size, ""


# ── Shapes ───────────────────────────────────────────────────────────────────────────


def is_ip(data: bytes, at: int, stop: int) -> bool:
    """Whether there can be an IP packet at ``at`` that ends at ``stop`` or before."""
    if len(data) < at + 20:
        return False
    if data[at] >> 4 == 4:
        size = _two(data, at + 2)
        if size == 0:  # it is larger than the length field can say
            return data[at] & 15 >= 5 and stop - at > 0xFFFF
        return data[at] & 15 >= 5 and size >= 20 and at + size <= max(stop, len(data))
    if data[at] >> 4 == 6:
        return at + 40 + _two(data, at + 4) <= max(stop, len(data))
    return False


def is_ethernet(data: bytes, at: int) -> bool:
    """Whether there can be an Ethernet frame at ``at``, with something in it that is known here."""
    if len(data) < at + 14:
        return False
    layer, inside, name = of_type(_two(data, at + 12), data, at + 14)
    if layer == IP:
        return is_ip(data, inside, len(data)) or len(data) < inside + 20
    if layer == LLC:
        kind, _, what = _llc(data, inside)
        return kind != NOTHING or what in ("STP", "CDP", "IS-IS")
    return layer != NOTHING or name in QUIET


# ── Tunnels over UDP ─────────────────────────────────────────────────────────────────

_VXLAN: Final = (4789, 8472)
_VXLAN_GPE: Final = 4790
_GENEVE: Final = 6081
_GTP: Final = 2152
_MPLS_UDP: Final = 6635
_TEREDO: Final = 3544
_GRE_UDP: Final = 4754
_TZSP: Final = 37008

# The target ports of such tunnels.
UDP_TUNNELS: Final = frozenset(
    (*_VXLAN, _VXLAN_GPE, _GENEVE, _GTP, _MPLS_UDP, _TEREDO, _GRE_UDP, _TZSP)
)


def udp_tunnel(port: int, data: bytes, at: int, stop: int) -> tuple[int, int, int]:
    """Which layer ``data[at:stop]``, the payload of a datagram to ``port``, carries.

    Returns the layer, where it begins, and where the options before it begin (-1: there are
    none).  NOTHING means that it is a datagram like any other.
    """
    if len(data) < at + 8:
        return NOTHING, 0, -1
    if port in _VXLAN:
        # RFC 7348, 5: the flag I is set; draft-smith-vxlan-group-policy may add a group.
        is_plain = data[at] == 0x08 and not any(data[at + 1 : at + 4])
        is_group = data[at] == 0x88 and not data[at + 1] & 0xB7
        if (is_plain or is_group) and not data[at + 7] and is_ethernet(data, at + 8):
            return ETHERNET, at + 8, -1
    if port in _VXLAN or port == _VXLAN_GPE:
        # draft-ietf-nvo3-vxlan-gpe: with the flag P, a byte says what is carried.
        if data[at] & 0xCC == 0x0C and not data[at + 1] and not data[at + 2]:
            layer, inside, _ = _next_protocol(data[at + 3], at + 8, "")
            return _if_so(layer, data, inside, stop, -1)
    elif port == _GENEVE:
        # RFC 8926, 3.4.
        inside = at + 8 + 4 * (data[at] & 63)
        if not data[at] >> 6 and not data[at + 1] & 0x3F and not data[at + 7] and inside <= stop:
            kind = _two(data, at + 2)
            layer = ETHERNET if kind == 0x6558 else _TYPES.get(kind, NOTHING)
            return _if_so(layer, data, inside, stop, at + 8 if inside > at + 8 else -1)
    elif port == _GTP:
        return _gtp(data, at, stop)
    elif port == _MPLS_UDP:
        layer, inside, _ = _mpls(data, at)
        return _if_so(layer, data, inside, stop, -1)
    elif port == _TEREDO:
        return (IP, at, -1) if data[at] >> 4 == 6 and is_ip(data, at, stop) else (NOTHING, 0, -1)
    elif port == _GRE_UDP:
        layer, inside, _ = _gre(data, at) if not data[at] & 0x4F and not data[at + 1] else _NONE
        return _if_so(layer, data, inside, stop, -1)
    elif port == _TZSP:
        return _tzsp(data, at, stop)
    return NOTHING, 0, -1


_NONE: Final[Next] = (NOTHING, 0, "")


def _if_so(layer: int, data: bytes, at: int, stop: int, options: int) -> tuple[int, int, int]:
    """``layer`` at ``at`` as the result of ``udp_tunnel``, if the bytes there look like it."""
    if layer in (MPLS, NSH):
        inner, place, _ = _mpls(data, at) if layer == MPLS else _nsh(data, at)
        is_so = (inner == IP and is_ip(data, place, stop)) or inner == ETHERNET
    elif layer == IP:
        is_so = is_ip(data, at, stop)
    else:
        is_so = layer == ETHERNET and is_ethernet(data, at)
    return (layer, at, options) if is_so else (NOTHING, 0, -1)


def _gtp(data: bytes, at: int, stop: int) -> tuple[int, int, int]:
    """Read GTP (3GPP TS 29.281, 5.1): version 1, a G-PDU, then a number and extension headers."""
    flags = data[at]
    if flags & 0xF8 != 0x30 or data[at + 1] != 255 or at + 8 + _two(data, at + 2) > stop:
        return NOTHING, 0, -1
    inside = at + 8
    if flags & 7:
        if len(data) < at + 12:
            return NOTHING, 0, -1
        inside = at + 12
        kind = data[at + 11] if flags & 4 else 0
        while kind:
            if len(data) <= inside or not data[inside]:
                return NOTHING, 0, -1
            inside += data[inside] * 4
            if len(data) < inside:
                return NOTHING, 0, -1
            kind = data[inside - 1]
    if is_ip(data, inside, stop):
        return IP, inside, -1
    return _if_so(ETHERNET, data, inside, stop, -1)


def _tzsp(data: bytes, at: int, stop: int) -> tuple[int, int, int]:
    """Read TZSP, used by mirroring routers: version 1, received packet, Ethernet."""
    if data[at] != 1 or data[at + 1] != 0 or _two(data, at + 2) != 1:
        return NOTHING, 0, -1
    inside = at + 4
    while len(data) > inside and data[inside] != 1:  # 1 ends the tagged fields, 0 is padding
        if data[inside] == 0:
            inside += 1
        elif len(data) > inside + 1:
            inside += 2 + data[inside + 1]
        else:
            return NOTHING, 0, -1
    return _if_so(ETHERNET, data, inside + 1, stop, -1)
