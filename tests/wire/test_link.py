"""From a packet to its segment: every link type, both IPs, and what is too short for either."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ethernet, ipv4, ipv6, packet, tcp, udp

from pingpong.model import Endpoint, Packet
from pingpong.wire.link import LINK_NAMES, Peeler, endpoint

TCP = tcp(50001, 9090, 7, 9, 0x18, b"hello")
V4 = ipv4(TCP)
V6 = ipv6(TCP)

LINKS = {
    "Ethernet": (1, ethernet(V4)),
    "Ethernet, padded": (1, ethernet(V4) + bytes(30)),
    "Ethernet, IPv6": (1, ethernet(V6, 0x86DD)),
    "VLAN": (1, ethernet(b"\x00\x05\x08\x00" + V4, 0x8100)),
    "VLAN in VLAN": (1, ethernet(b"\x00\x05\x81\x00\x00\x06\x86\xdd" + V6, 0x88A8)),
    "SLL": (113, bytes(14) + b"\x08\x00" + V4),
    "SLL, VLAN": (113, bytes(14) + b"\x81\x00\x00\x05\x08\x00" + V4),
    "SLL2": (276, b"\x86\xdd" + bytes(18) + V6),
    "BSD loopback, little": (0, b"\x02\0\0\0" + V4),
    "BSD loopback, big": (0, b"\0\0\0\x1e" + V6),
    "OpenBSD loopback": (108, b"\0\0\0\x02" + V4),
    "raw": (101, V4),
    "raw IPv6": (101, V6),
    "raw, BSD's number": (12, V4),
    "raw, OpenBSD's number": (14, V4),
    "IPv4": (228, V4),
    "IPv6": (229, V6),
}


@pytest.mark.parametrize("name", LINKS)
def test_link(name: str) -> None:
    link, data = LINKS[name]
    assert link in LINK_NAMES
    peeler = Peeler()
    segment = peeler.segment(packet(1, data, link))
    assert segment is not None
    assert segment.payload == b"hello"
    assert (segment.seq, segment.ack, segment.flags, segment.cut) == (7, 9, 0x18, 0)
    assert endpoint(segment.source).port == 50001
    assert endpoint(segment.target).port == 9090
    assert peeler.findings == []


def test_an_unknown_link_type_is_reported_once() -> None:
    peeler = Peeler()
    for number in (1, 2):
        assert peeler.segment(packet(number, V4, link=252)) is None
    (finding,) = peeler.findings
    assert finding.text.startswith(
        "packet 1: link type is 252 (Wireshark's exported PDUs), want one of 0 BSD loopback"
    )
    assert finding.text.endswith("; 2 packets have it")


def _extension(kind: int, size: int) -> bytes:
    """An IPv6 extension header of ``size`` bytes, before one of ``kind``."""
    return bytes((kind, size // 8 - 1)) + bytes(size - 2)


V6_EXTENSIONS = {
    "hop by hop": ipv6(TCP, extensions=_extension(6, 8), first=0),
    "three": ipv6(
        TCP, extensions=_extension(60, 8) + _extension(43, 16) + _extension(6, 8), first=0
    ),
    "authentication": ipv6(TCP, extensions=bytes((6, 4)) + bytes(22), first=51),
    "a fragment that is whole": ipv6(TCP, extensions=bytes((6, 0, 0, 0, 0, 0, 0, 1)), first=44),
}


@pytest.mark.parametrize("name", V6_EXTENSIONS)
def test_ipv6_extension_headers(name: str) -> None:
    segment = Peeler().segment(packet(1, V6_EXTENSIONS[name], link=101))
    assert segment is not None
    assert segment.payload == b"hello"


def test_tcp_options_and_udp() -> None:
    options = bytes.fromhex("0101080a0000000100000002")
    segment = Peeler().segment(packet(1, ipv4(tcp(1, 2, 3, 4, 0x10, b"x", options)), link=101))
    assert segment is not None
    assert segment.payload == b"x"
    datagram = Peeler().segment(packet(1, ipv4(udp(1, 2, b"data"), protocol=17) + b"pad", link=101))
    assert datagram is not None
    assert (datagram.protocol, datagram.payload) == (17, b"data")


def test_a_total_length_of_0_was_left_to_the_card() -> None:
    data = V4[:2] + b"\0\0" + V4[4:]
    segment = Peeler().segment(packet(1, data, link=101))
    assert segment is not None
    assert segment.payload == b"hello"


NONE = {
    "ARP": (ethernet(bytes(28), 0x0806), "1 packet holds neither TCP nor UDP: 1 ARP"),
    "ICMP": (ethernet(ipv4(bytes(8), protocol=1)), "1 packet holds neither TCP nor UDP: 1 ICMP"),
    "empty": (b"", "1 packet is too short and was not looked into: packet 1"),
    "IP version 5": (
        ethernet(b"\x50" + V4[1:]),
        "1 packet is IP of version 5 and was not looked into: packet 1",
    ),
    "a header length below 5": (
        ethernet(b"\x44" + V4[1:]),
        "1 packet is IPv4 with a broken header and was not looked into: packet 1",
    ),
    "a total length below the header": (
        ethernet(V4[:2] + b"\0\x08" + V4[4:]),
        "1 packet is IPv4 with a broken header and was not looked into: packet 1",
    ),
    "a data offset below 5": (
        ethernet(ipv4(TCP[:12] + b"\x40" + TCP[13:])),
        "1 packet is TCP with a broken header and was not looked into: packet 1",
    ),
    "a data offset behind the end": (
        ethernet(ipv4(TCP[:12] + b"\xf0" + TCP[13:])),
        "1 packet is TCP with a broken header and was not looked into: packet 1",
    ),
}


@pytest.mark.parametrize("name", NONE)
def test_no_segment(name: str) -> None:
    peeler = Peeler()
    data, said = NONE[name]
    assert peeler.segment(packet(1, data)) is None
    assert [finding.text for finding in peeler.findings] == [said]


def test_a_short_snaplen_is_counted_not_filled() -> None:
    whole = ethernet(V4)
    segment = Peeler().segment(Packet(1, 0, 1, whole[:-3], len(whole)))
    assert segment is not None
    assert (segment.payload, segment.cut) == (b"he", 3)
    peeler = Peeler()
    assert peeler.segment(Packet(1, 0, 1, whole[:40], len(whole))) is None
    assert "only 40 of its 59 bytes were captured, too few for its TCP header" in (
        peeler.findings[0].text
    )


ADDRESSES = {
    "7f000001 2382": Endpoint("127.0.0.1", 9090),
    "00000000000000000000000000000001 2382": Endpoint("::1", 9090),
    "00000000000000000000000000000000 0001": Endpoint("::", 1),
    "20010db8000000000001000000000001 0001": Endpoint("2001:db8::1:0:0:1", 1),
    "20010db8000100010001000100010001 0001": Endpoint("2001:db8:1:1:1:1:1:1", 1),
    "20010db8000000010001000100010001 0001": Endpoint("2001:db8:0:1:1:1:1:1", 1),
    "fe800000000000000000000000000000 0001": Endpoint("fe80::", 1),
}


@pytest.mark.parametrize("raw", ADDRESSES)
def test_endpoint(raw: str) -> None:
    assert endpoint(bytes.fromhex(raw.replace(" ", ""))) == ADDRESSES[raw]


def test_endpoints_as_text() -> None:
    assert str(Endpoint("127.0.0.1", 9090)) == "127.0.0.1:9090"
    assert str(Endpoint("::1", 9090)) == "[::1]:9090"


@given(st.sampled_from(sorted(LINK_NAMES)), st.binary(max_size=120))
def test_any_bytes(link: int, data: bytes) -> None:
    segment = Peeler().segment(packet(1, data, link))
    if segment is not None:
        assert segment.payload in data


@given(st.sampled_from(sorted(LINKS)), st.integers(0, 200), st.integers(0, 255))
def test_any_mutation(name: str, at: int, byte: int) -> None:
    link, whole = LINKS[name]
    data = bytearray(whole)
    data[at % len(data)] = byte
    segment = Peeler().segment(packet(1, bytes(data), link))
    if segment is not None:
        assert segment.payload in bytes(data)
