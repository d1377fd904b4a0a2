"""Packets in packets: every tunnel and link layer, written by scapy; tshark as another witness."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, ethernet, ipv4, ipv6, packet, tcp, udp
from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III, ERSPAN_PlatformSpecific
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.contrib.mpls import MPLS
from scapy.contrib.nsh import NSH
from scapy.layers.dot11 import Dot11, Dot11QoS, RadioTap
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, LLC, SNAP, Dot1AD, Dot1Q, Ether
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet as ScapyPacket
from scapy.packet import Raw

from pingpong.capture import Pipeline
from pingpong.model import Packet, Severity
from pingpong.redaction.packets import Plan, Rewriter
from pingpong.wire.capturefile import write_capture
from pingpong.wire.layers import LINK_LAYERS, UDP_TUNNELS
from pingpong.wire.link import MAX_DEPTH, MAX_KINDS, Peeler, endpoint


def inner() -> ScapyPacket:
    return (
        IP(src="10.9.0.1", dst="10.9.0.2", id=77)
        / TCP(sport=50001, dport=9090, seq=7, ack=9, flags="PA")
        / Raw(b"hello")
    )


def inner6() -> ScapyPacket:
    return (
        IPv6(src="fd00::1", dst="fd00::2")
        / TCP(sport=50001, dport=9090, flags="PA")
        / Raw(b"hello")
    )


def outer() -> ScapyPacket:
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(
        src="192.0.2.1", dst="192.0.2.2"
    )


def outer6() -> ScapyPacket:
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IPv6(
        src="2001:db8::1", dst="2001:db8::2"
    )


def frame() -> ScapyPacket:
    return Ether(src="02:00:00:00:00:03", dst="02:00:00:00:00:04") / inner()


def data_frame() -> ScapyPacket:
    return Dot11(type=2, subtype=0, FCfield=1, addr1="02:00:00:00:00:05")


def snap() -> ScapyPacket:
    return LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=0x0800) / inner()


# By name: the link type and the packet.
TUNNELS: dict[str, tuple[int, ScapyPacket]] = {
    "GRE": (1, outer() / GRE() / inner()),
    "GRE, IPv6 in it": (1, outer() / GRE(proto=0x86DD) / inner6()),
    "GRE over IPv6": (1, outer6() / GRE() / inner()),
    "GRE, key": (1, outer() / GRE(key_present=1, key=5) / inner()),
    "GRE, checksum, key and number": (
        1,
        outer() / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=5) / inner(),
    ),
    "GRETAP": (1, outer() / GRE(proto=0x6558) / frame()),
    "GRETAP, VLAN": (1, outer() / GRE(proto=0x6558) / Ether() / Dot1Q(vlan=7) / inner()),
    "GRE, MPLS": (1, outer() / GRE(proto=0x8847) / MPLS(label=20, s=1) / inner()),
    "ERSPAN I": (1, outer() / GRE(proto=0x88BE) / frame()),
    "ERSPAN II": (1, outer() / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II() / frame()),
    "ERSPAN III": (1, outer() / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III() / frame()),
    "ERSPAN III, with more": (
        1,
        outer() / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III(o=1) / ERSPAN_PlatformSpecific()
        / frame(),
    ),
    "IP in IP": (1, outer() / inner()),
    "IPv6 in IPv4": (1, outer() / inner6()),
    "IPv4 in IPv6": (1, outer6() / inner()),
    "VXLAN": (1, outer() / UDP(sport=40000, dport=4789) / VXLAN(vni=5) / frame()),
    "VXLAN, Linux's old port": (1, outer() / UDP(sport=40000, dport=8472) / VXLAN(vni=5) / frame()),
    "VXLAN over IPv6": (1, outer6() / UDP(sport=40000, dport=4789) / VXLAN(vni=5) / frame()),
    "VXLAN, group policy": (
        1, outer() / UDP(sport=40000, dport=4789) / VXLAN(vni=5, flags=0x88, gpid=3) / frame()
    ),
    "VXLAN, QinQ": (
        1,
        outer() / UDP(sport=40000, dport=4789) / VXLAN(vni=5) / Ether() / Dot1AD(vlan=3)
        / Dot1Q(vlan=4) / inner(),
    ),
    "GENEVE": (1, outer() / UDP(sport=40000, dport=6081) / GENEVE(vni=5, proto=0x6558) / frame()),
    "GENEVE, IP": (1, outer() / UDP(sport=40000, dport=6081) / GENEVE(proto=0x0800) / inner()),
    "GENEVE, options": (
        1,
        outer() / UDP(sport=40000, dport=6081)
        / GENEVE(proto=0x6558, options=[GeneveOptions(classid=1, type=2, data=b"opti" * 2)])
        / frame(),
    ),
    "GTP-U": (1, outer() / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=9) / inner()),
    "GTP-U, number": (
        1, outer() / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=9, S=1, seq=4) / inner()
    ),
    "GTP-U, extension": (
        1,
        outer() / UDP(sport=2152, dport=2152)
        / GTP_U_Header(teid=9, E=1, next_ex=0x85) / GTPPDUSessionContainer(type=0, QFI=1)
        / inner(),
    ),
    "MPLS": (1, Ether() / MPLS(label=20, s=1) / inner()),
    "MPLS, two labels": (1, Ether() / MPLS(label=20, s=0) / MPLS(label=21, s=1) / inner6()),
    "MPLS, pseudowire": (1, Ether() / MPLS(label=20, s=1) / frame()),
    "MPLS, pseudowire with a control word": (
        1, Ether(type=0x8847) / MPLS(label=20, s=1) / Raw(bytes(4) + bytes(frame()))
    ),
    "MPLS over UDP": (
        1, outer() / UDP(sport=40000, dport=6635) / MPLS(label=20, s=1) / inner()
    ),
    "PPPoE": (1, Ether() / PPPoE(sessionid=3) / PPP(proto=0x21) / inner()),
    "PPPoE, VLAN": (1, Ether() / Dot1Q(vlan=2) / PPPoE(sessionid=3) / PPP(proto=0x57) / inner6()),
    "PPPoE, link type": (51, PPPoE(sessionid=3) / PPP(proto=0x21) / inner()),
    "SNAP": (1, Ether(type=100) / snap()),
    "NSH": (1, Ether(type=0x894F) / NSH(nextproto=1) / inner()),
    "PPP": (9, PPP(proto=0x21) / inner()),
    "PPP in HDLC": (9, HDLC() / PPP(proto=0x21) / inner()),
    "PPP, short protocol": (9, Raw(b"\x21" + bytes(inner()))),
    "PPP serial": (50, HDLC() / PPP(proto=0x57) / inner6()),
    "PPP with direction": (204, Raw(b"\x01\xff\x03\x00\x21" + bytes(inner()))),
    "Cisco HDLC": (104, Raw(b"\x0f\x00\x08\x00" + bytes(inner()))),
    "IEEE 802.11": (105, data_frame() / snap()),
    "IEEE 802.11, QoS": (105, Dot11(type=2, subtype=8, FCfield=1) / Dot11QoS() / snap()),
    "IEEE 802.11, four addresses": (
        105, Dot11(type=2, subtype=0, FCfield=3) / snap()
    ),
    "radiotap": (127, RadioTap() / data_frame() / snap()),
    "NFLOG": (
        239,
        Raw(
            b"\x02\x00\x00\x05"
            + b"\x08\x00\x01\x00" + b"\x08\x00\x01\x00"
            + b"\x07\x00\x0a\x00" + b"ab\x00" + b"\x00"
            + struct.pack("<HH", 4 + len(bytes(inner())), 9)
            + bytes(inner())
        ),
    ),
    "PKTAP": (
        258,
        Raw(struct.pack("<III24sIII", 108, 1, 1, b"en0", 0, 2, 14) + bytes(60) + bytes(frame())),
    ),
    "PKTAP, as macOS writes it": (
        149,
        Raw(struct.pack("<III24sIII", 108, 1, 12, b"utun0", 0, 2, 0) + bytes(60) + bytes(inner())),
    ),
    "VXLAN in GRE in IP": (
        1,
        outer() / GRE() / IP() / UDP(dport=4789) / VXLAN(vni=1) / frame(),
    ),
    "ISL": (
        1,
        Raw(
            b"\x01\x00\x0c\x00\x00\x00" + bytes(6) + b"\x00\x60" + b"\xaa\xaa\x03" + bytes(9)
            + bytes(frame())
        ),
    ),
    "FabricPath": (1, Raw(bytes(12) + b"\x89\x03" + b"\x00\x41" + bytes(frame()))),
    "Cisco metadata": (
        1, Raw(bytes(12) + b"\x89\x09" + b"\x01\x01\x00\x01\x00\x05" + b"\x08\x00" + bytes(inner()))
    ),
    "EtherIP": (1, outer() / Raw(b"\x30\x00" + bytes(frame()))),
    "AH": (1, outer() / Raw(bytes((6, 4)) + bytes(22) + bytes(inner()[TCP]))),
    "PBB": (1, Raw(bytes(12) + b"\x88\xe7" + bytes(4) + bytes(frame()))),
    "TRILL": (1, Raw(bytes(12) + b"\x22\xf3" + bytes(6) + bytes(frame()))),
    "MACsec, signed alone": (
        1, Raw(bytes(12) + b"\x88\xe5" + b"\x00\x00" + bytes(4) + b"\x08\x00" + bytes(inner()))
    ),
}  # fmt: skip
TUNNELS["EtherIP"][1][IP].proto = 97
TUNNELS["AH"][1][IP].proto = 51


def made(name: str, number: int = 1) -> Packet:
    link, layers = TUNNELS[name]
    return packet(number, bytes(layers), link)


@pytest.mark.parametrize("name", TUNNELS)
def test_a_tunnel_is_looked_into(name: str) -> None:
    peeler = Peeler()
    segment = peeler.segment(made(name))
    assert segment is not None, peeler.findings
    assert segment.payload == b"hello"
    assert endpoint(segment.source).port == 50001
    assert peeler.findings == []


# What tshark 4.0 does not read as we do, and why.
NOT_TSHARK = {
    "VXLAN, Linux's old port": "tshark knows the newer port alone",
    "MPLS, pseudowire": "tshark takes an address that begins with 0 for a control word",
    "MPLS, pseudowire with a control word": "and a control word for an address",
    "FabricPath": "tshark takes the last four bytes for a check sequence",
}


def test_tshark_says_the_same(tshark: str, tmp_path: Path) -> None:
    for link in sorted({link for link, _ in TUNNELS.values()}):
        names = [name for name, (of, _) in TUNNELS.items() if of == link and name not in NOT_TSHARK]
        if not names:
            continue
        path = tmp_path / f"{link}.pcap"
        write_capture(path, [made(name, number) for number, name in enumerate(names, 1)])
        done = subprocess.run(
            [tshark, "-r", str(path), "-T", "fields", "-e", "tcp.payload", "-e", "tcp.srcport"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        lines = zip(names, done.stdout.splitlines(), strict=True)
        other = [name for name, line in lines if line != f"{b'hello'.hex()}\t50001"]
        assert other == []


# ── What only looks like one ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("port", sorted(UDP_TUNNELS))
def test_thrift_on_the_port_of_a_tunnel_is_read(port: int) -> None:
    for payload in (
        ADD,
        b"\x82\x21\x01\x03add\x15\x04\x15\x50\x00",
        b'[1,"add",1,1,{}]',
        bytes(60),
    ):
        segment = Peeler().segment(packet(1, ethernet(ipv4(udp(50001, port, payload), 17))))
        assert segment is not None
        assert segment.payload == payload


# ── What is not looked into ──────────────────────────────────────────────────────────

PASSED = {
    "ESP": (ethernet(ipv4(bytes(40), 50)), "1 packet is ESP (encrypted) and was not looked into"),
    "SCTP": (ethernet(ipv4(bytes(40), 132)), "1 packet is SCTP and was not looked into"),
    "a protocol": (ethernet(ipv4(bytes(40), 200)), "1 packet is IP protocol 200 and was"),
    "a type": (ethernet(bytes(40), 0x1234 + 0x4000), "1 packet is Ethernet type 0x5234 and was"),
    "MACsec": (ethernet(b"\x2c" + bytes(40), 0x88E5), "1 packet is MACsec (encrypted) and was"),
    "version 5": (ethernet(b"\x50" + bytes(40)), "1 packet is IP of version 5 and was"),
    "a broken header": (ethernet(b"\x44" + bytes(40)), "1 packet is IPv4 with a broken header"),
    "ESP in GRE": (
        ethernet(ipv4(bytes.fromhex("00000800") + ipv4(bytes(9), 50), 47)),
        "1 packet is ESP (encrypted) and was",
    ),
    "ESP over IPv6": (ethernet(ipv6(bytes(40), 50), 0x86DD), "1 packet is ESP (encrypted) and"),
}


@pytest.mark.parametrize("name", PASSED)
def test_what_is_not_looked_into_is_named(name: str) -> None:
    data, text = PASSED[name]
    peeler = Peeler()
    assert peeler.segment(packet(3, data)) is None
    (finding,) = peeler.findings
    assert finding.severity is Severity.WARNING
    assert finding.text.startswith(text)
    assert finding.text.endswith(": packet 3")


def test_encrypted_wireless_is_counted() -> None:
    peeler = Peeler()
    frame = bytes(Dot11(type=2, subtype=8, FCfield=0x41) / Raw(bytes(60)))
    for number in range(1, 19):
        assert peeler.segment(packet(number, frame, 105)) is None
    (finding,) = peeler.findings
    assert finding.text == (
        "18 packets are IEEE 802.11, encrypted and were not looked into (the first is packet 1)"
    )


def test_bystanders_are_one_note() -> None:
    peeler = Peeler()
    for number, data in enumerate(
        (
            ethernet(bytes(28), 0x0806),
            ethernet(bytes(28), 0x0806),
            ethernet(ipv4(bytes(8), 1)),
            ethernet(b"\x42\x42\x03" + bytes(40), 38),
            ethernet(bytes(40), 0x88CC),
        ),
        1,
    ):
        assert peeler.segment(packet(number, data)) is None
    (finding,) = peeler.findings
    assert finding.severity is Severity.NOTE
    assert finding.text == "5 packets hold neither TCP nor UDP: 2 ARP, 1 ICMP, 1 LLDP, 1 STP"


def test_kinds_are_bounded() -> None:
    peeler = Peeler()
    for number in range(1, 500):
        peeler.segment(packet(number, ethernet(bytes(40), 0x4000 + number)))
    assert len(peeler.findings) == MAX_KINDS + 1
    counted = [int(finding.text.split()[0]) for finding in peeler.findings]
    assert sum(counted) == 499


def test_nesting_is_bounded() -> None:
    data = ipv4(tcp(1, 2, 3, 4, 0x18, b"x"))
    for _ in range(MAX_DEPTH):
        data = ipv4(data, 4)
    assert Peeler().segment(packet(1, data, 101)) is not None
    peeler = Peeler()
    for _ in range(2000):
        data = ipv4(data, 4)[:60_000]
    assert peeler.segment(packet(1, data, 101)) is None
    assert "in more than 8 tunnels" in peeler.findings[0].text


# ── Fragments, and ICMP ──────────────────────────────────────────────────────────────


def _fragments(whole: bytes, size: int) -> list[bytes]:
    """An IPv4 packet in pieces of ``size`` bytes."""
    head, body = whole[:20], whole[20:]
    out = []
    for start in range(0, len(body), size):
        part = body[start : start + size]
        more = 0x2000 if start + size < len(body) else 0
        place = struct.pack(">H", more | start // 8)
        out.append(
            head[:2] + struct.pack(">H", 20 + len(part)) + b"\0\x09" + place + head[8:20] + part
        )
    return out


def test_fragments_outside_and_inside() -> None:
    whole = bytes(outer() / UDP(sport=40000, dport=4789) / VXLAN(vni=5) / frame())
    peeler = Peeler()
    found = [
        peeler.segment(packet(number, ethernet(part)))
        for number, part in enumerate(_fragments(whole[14:], 40), 1)
    ]
    assert [one.payload for one in found if one is not None] == [b"hello"]
    peeler = Peeler()
    parts = [ethernet(part) for part in _fragments(bytes(inner()), 8)]
    found = [
        peeler.segment(
            packet(number, ethernet(ipv4(udp(40000, 4789, b"\x08" + bytes(7) + part), 17)))
        )
        for number, part in enumerate(parts, 1)
    ]
    assert [one.payload for one in found if one is not None] == [b"hello"]
    assert peeler.findings == []


@pytest.mark.parametrize("protocol", [6, 17])
def test_icmp_is_evidence_for_the_connection_that_it_quotes(protocol: int) -> None:
    payload = tcp(50001, 9090, 1, 0, 2) if protocol == 6 else udp(50001, 9090, ADD)
    sent = ipv4(payload, protocol)
    error = ipv4(b"\x03\x03" + bytes(6) + sent[:28], 1, source="10.0.0.2", target="10.0.0.1")
    pipeline = Pipeline()
    for number, data in enumerate((sent, error, error), 1):
        pipeline.feed(packet(number, ethernet(data)))
    (flow,) = pipeline.flows
    assert flow.unreachable == (packet(2, b"").time, "10.0.0.2", "port unreachable")
    what = "segment" if protocol == 6 else "datagram"
    assert [one.text for one in flow.findings] == [
        f"flow 1: 10.0.0.2 answered a {what} of the client with ICMP port unreachable (packet 2)"
    ]


def test_icmp6_too() -> None:
    sent = ipv6(udp(50001, 9090, ADD), 17)
    error = ipv6(b"\x01\x04" + bytes(6) + sent[:48], 58)
    pipeline = Pipeline()
    pipeline.feed(packet(1, ethernet(sent, 0x86DD)))
    pipeline.feed(packet(2, ethernet(error, 0x86DD)))
    assert pipeline.flows[0].unreachable is not None
    assert pipeline.flows[0].unreachable[1:] == ("::1", "port unreachable")


def test_icmp_that_quotes_nothing_known_is_a_bystander() -> None:
    pipeline = Pipeline()
    for code, inside in ((3, ipv4(udp(1, 2, b""), 17)), (4, ipv4(udp(1, 2, b""), 17)), (3, b"")):
        pipeline.feed(packet(1, ethernet(ipv4(bytes((3, code)) + bytes(6) + inside, 1))))
    assert [one.text for one in pipeline.findings] == ["3 packets hold neither TCP nor UDP: 3 ICMP"]


# ── Any bytes; and what of them may be shown ─────────────────────────────────────────


@given(st.sampled_from(sorted({*LINK_LAYERS, 239})), st.binary(max_size=200))
def test_any_bytes(link: int, data: bytes) -> None:
    peeler = Peeler()
    segment = peeler.segment(packet(1, data, link))
    assert 0 <= peeler.heads <= len(data)
    assert segment is None or segment.payload in data


@pytest.mark.parametrize("name", TUNNELS)
def test_any_mutation(name: str) -> None:
    link, layers = TUNNELS[name]
    whole = bytes(layers)
    rng = random.Random(name)
    for _ in range(300):
        data = bytearray(whole[: rng.choice((len(whole), rng.randrange(len(whole) + 1)))])
        for _ in range(rng.randrange(4)):
            if data:
                data[rng.randrange(len(data))] = rng.choice(
                    (0, 1, 8, 0x45, 255, rng.randrange(256))
                )
        one = Packet(1, 0, link, bytes(data), rng.choice((len(data), len(whole))))
        peeler = Peeler()
        segment = peeler.segment(one)
        assert 0 <= peeler.heads <= len(data)
        assert segment is None or segment.parts or segment.payload in one.data
        for finding in peeler.findings:
            assert "\n" not in finding.text
        pipeline = Pipeline(plan=(plan := Plan()))
        pipeline.feed(one)
        pipeline.close()
        shown = Rewriter(plan).packet(one)
        assert len(shown.data) == len(one.data)
        assert b"hello" not in shown.data or b"hello" not in one.data


def test_options_and_checksums_of_tunnels_tell_nothing() -> None:
    for name in ("GENEVE, options", "GRE, checksum, key and number", "NFLOG"):
        one = made(name)
        pipeline = Pipeline(plan=(plan := Plan()))
        pipeline.feed(one)
        pipeline.close()
        shown = Rewriter(plan).packet(one).data
        for secret in (b"hello", b"opti", b"ab\0"):
            assert secret not in shown
        again = Peeler().segment(packet(1, shown, one.link))
        assert again is not None
        assert again.payload == bytes(5)


def test_the_checksum_of_a_tunnel_is_taken_away() -> None:
    for name, at in (("GENEVE", 40), ("GRE, checksum, key and number", 38)):
        one = made(name)
        assert any(one.data[at : at + 2])
        pipeline = Pipeline(plan=(plan := Plan()))
        pipeline.feed(one)
        pipeline.close()
        assert not any(Rewriter(plan).packet(one).data[at : at + 2])
        shown = Rewriter(plan, keep_unknown=True).packet(one)
        assert shown.data == one.data
