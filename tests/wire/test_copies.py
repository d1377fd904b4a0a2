"""What a capture of several interfaces holds more than once is one; what was sent twice is two."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import pytest
from making import ADD, PING, PONG, RST, Talk, ethernet, ipv4, packet, udp
from places import SHARED

from pingpong.capture import Pipeline, read
from pingpong.model import Message, Packet, Severity
from pingpong.wire.copies import MAX_KEPT
from pingpong.wire.link import Peeler

CLIENT, NAT, SERVER = "10.0.0.1", "192.0.2.1", "10.0.0.2"


def sll(data: bytes, place: int, kind: int = 0) -> bytes:
    """Linux cooked: which way, and of which address."""
    return struct.pack(">HHH", kind, 1, 6) + bytes((2, 0, 0, 0, 0, place, 0, 0)) + b"\x08\0" + data


def sll2(data: bytes, interface: int) -> bytes:
    return b"\x08\0\0\0" + struct.pack(">IHBB", interface, 1, 0, 6) + bytes(8) + data


def datagram(
    ident: int, payload: bytes = ADD, source: str = CLIENT, ttl: int = 64, port: int = 40000
) -> bytes:
    data = ipv4(udp(port, 6831, payload), 17, source, SERVER)
    return data[:4] + ident.to_bytes(2, "big") + data[6:8] + bytes((ttl,)) + data[9:]


def counted(packets: list[Packet]) -> tuple[int, list[str]]:
    """How many messages, and what is said of it, by both ways."""
    pipeline, again = Pipeline(), Pipeline()
    steps = [pipeline.feed(one) for one in packets]
    count = sum(len(step.messages) for step in steps)
    assert count == sum(len(again.take(one)) for one in packets)
    assert pipeline.findings == again.findings
    copies = [step for step in steps if step.remark == "copy"]
    assert all(step.flow is steps[0].flow and step.from_client for step in copies)
    return count, [one.text for one in pipeline.findings if one.severity is Severity.WARNING]


def at(times: list[int], datas: list[bytes], link: int) -> list[Packet]:
    """Packets at so many microseconds."""
    return [
        Packet(number, 10**18 + time * 1000, link, data, len(data))
        for number, (time, data) in enumerate(zip(times, datas, strict=True), 1)
    ]


ON_THE_WAY = {
    "two interfaces": (113, [sll(datagram(7), 1), sll(datagram(7), 2)]),
    "two interfaces, SLL2": (276, [sll2(datagram(7), 1), sll2(datagram(7), 2)]),
    "no identification": (276, [sll2(datagram(0), 1), sll2(datagram(0), 2)]),
    "routed": (1, [ethernet(datagram(7)), ethernet(datagram(7, ttl=63))]),
    "with a VLAN tag": (1, [ethernet(datagram(7)), ethernet(b"\0\5\x08\0" + datagram(7), 0x8100)]),
    "NAT": (113, [sll(datagram(7), 1), sll(datagram(7, source=NAT, ttl=63), 2)]),
    "NAT and back": (
        113, [sll(datagram(7), 1), sll(datagram(7, source=NAT), 2), sll(datagram(7), 3)]
    ),
    "a tunnel": (
        1,
        [
            ethernet(datagram(7)),
            ethernet(ipv4(udp(1, 4789, b"\x08" + bytes(7) + ethernet(datagram(7))), 17)),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ON_THE_WAY)
def test_one_datagram_on_its_way_is_one(name: str) -> None:
    link, datas = ON_THE_WAY[name]
    assert counted(at([10 * n for n in range(len(datas))], datas, link)) == (1, [])


def test_interfaces_of_a_pcapng_are_places() -> None:
    packets = at([0, 10], [ethernet(datagram(7))] * 2, 1)
    packets[1].interface = 1
    assert counted(packets) == (1, [])


TWICE = {
    "another identification": (113, 10, [sll(datagram(7), 1), sll(datagram(8), 2)], False),
    "other bytes": (113, 10, [sll(datagram(7), 1), sll(datagram(7, PING), 2)], False),
    "another port": (113, 10, [sll(datagram(7), 1), sll(datagram(7, port=40001), 2)], False),
    "long after": (113, 2_000_000, [sll(datagram(7), 1), sll(datagram(7), 2)], False),
    "no identification, at one place": (276, 10, [sll2(datagram(0), 1)] * 2, False),
    "no identification, later": (276, 50_000, [sll2(datagram(0), 1), sll2(datagram(0), 2)], False),
    "no identification, another end": (
        113, 10, [sll(datagram(0), 1), sll(datagram(0, source=NAT), 2)], False
    ),
    "at one place": (113, 10, [sll(datagram(7), 1)] * 2, True),
    "another end at one place": (1, 10, [ethernet(datagram(7)), ethernet(datagram(7, source=NAT))],
                                 False),
}  # fmt: skip


@pytest.mark.parametrize("name", TWICE)
def test_what_was_sent_twice_is_two(name: str) -> None:
    link, later, datas, is_doubtful = TWICE[name]
    count, said = counted(at([0, later], datas, link))
    assert count == 2
    assert said == (
        [
            "1 datagram is the same as one before, IP's identification and all (packet 2 is as "
            "packet 1): sent twice or captured twice, which cannot be told; each is counted"
        ]
        if is_doubtful
        else []
    )


def test_sent_twice_and_seen_twice_is_two() -> None:
    datas = [sll2(datagram(0), 1), sll2(datagram(0), 2)] * 2
    assert counted(at([0, 10, 5000, 5010], datas, 276)) == (2, [])


def test_what_is_remembered_is_bounded() -> None:
    pipeline = Pipeline()
    for number in range(MAX_KEPT + 10):
        pipeline.feed(packet(1, ethernet(datagram(number + 1))))
    pipeline.feed(packet(1, ethernet(datagram(1, ttl=63))))
    assert pipeline.flows[0].sent == (MAX_KEPT + 11) * len(ADD)


def test_a_note_says_how_many() -> None:
    pipeline = Pipeline()
    for one in at([0, 10], ON_THE_WAY["NAT"][1], 113):
        pipeline.feed(one)
    assert [one.text for one in pipeline.findings] == [
        "1 datagram was captured once more on the way (packet 2 is packet 1 again): each is "
        "counted once"
    ]


def test_the_case_that_was_counted_three_times() -> None:
    path = SHARED / "cases/peers/udp-copies-on-any.pcap"
    if not path.exists():
        pytest.skip("the cases are not on this machine")
    capture = read(path)
    assert (len(capture.messages), len(capture.flows)) == (3, 1)


# ── TCP ──────────────────────────────────────────────────────────────────────────────

Wrap = Callable[[bytes], bytes]
WRAPS: dict[str, tuple[int, Wrap, Wrap]] = {
    "SLL": (113, lambda data: sll(data[14:], 1), lambda data: sll(data[14:], 2, 4)),
    "SLL2": (276, lambda data: sll2(data[14:], 1), lambda data: sll2(data[14:], 2)),
    "VLAN": (1, lambda data: data, lambda data: data[:12] + b"\x81\0\0\5" + data[12:]),
    "a tunnel": (
        1,
        lambda data: data,
        lambda data: ethernet(ipv4(udp(1, 4789, b"\x08" + bytes(7) + data), 17)),
    ),
    "the tunnel first": (
        1,
        lambda data: ethernet(ipv4(bytes.fromhex("00006558") + data, 47)),
        lambda data: data,
    ),
}


@pytest.mark.parametrize("name", WRAPS)
def test_segments_at_two_places_are_one_connection(name: str) -> None:
    link, one, other = WRAPS[name]
    talk = Talk().open()
    for _ in range(3):
        talk.call(PING).reply(PONG)
    pipeline, count = Pipeline(), 0
    for number, each in enumerate(talk.close().packets):
        for wrap in (one, other):
            count += len(pipeline.take(packet(number, wrap(each.data), link)))
    pipeline.close()
    (flow,) = pipeline.flows
    assert (count, flow.ended, flow.lost) == (6, "FIN", 0)
    assert [one for one in pipeline.findings if one.severity is not Severity.NOTE] == []


@pytest.mark.parametrize("by_client", [False, True])
def test_calls_go_on_behind_a_reset_that_was_none(by_client: bool) -> None:
    talk = Talk().open().call(PING).reply(PONG).add(by_client, RST | 16)
    for _ in range(3):
        talk.call(PING).reply(PONG)
    talk.close()
    ways: tuple[Callable[[Pipeline, Packet], Sequence[Message]], ...] = (
        lambda pipeline, one: pipeline.feed(one).messages,
        lambda pipeline, one: pipeline.take(one),
    )
    for way in ways:
        pipeline = Pipeline()
        found: list[Message] = []
        for one in talk.packets:
            found += way(pipeline, one)
        found += pipeline.close().messages
        (flow,) = pipeline.flows
        assert [one.type.name for one in found] == ["CALL", "REPLY"] * 4
        assert (flow.ended, flow.lost) == ("FIN", 0)
        assert [one.text for one in flow.findings] == [
            "flow 1: 1 packet with RST or SYN did not end or begin it and may be of another "
            "connection (the first is packet 6)"
        ]


def test_where_a_packet_was_seen() -> None:
    segment = Peeler().segment(packet(1, ethernet(datagram(7))))
    assert segment is not None
    assert segment.ident == 7
    assert segment.seen_at.endswith(b"\x08\0" + bytes(4) + b"\x40")
