"""The short way through the pipeline gives what the long way gives, on anything."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from everything import BINARY_RICH as RICH
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, PING, PONG, SUM, Talk, ethernet, framed, ipv4, ipv6, packet, udp

from pingpong.capture import Pipeline
from pingpong.errors import DecodeError
from pingpong.model import DEFAULT_LIMITS, Limits, Message, Packet, Protocol
from pingpong.protocols.encodings import binary, compact
from pingpong.wire.capturefile import open_capture
from pingpong.wire.link import usual
from pingpong.wire.streams import MAX_ENDED, MAX_PAIRS

pytestmark = pytest.mark.many

Row = tuple[object, ...]


def row(message: Message) -> Row:
    return (
        message.number,
        message.header,
        message.data,
        message.protocol.name,
        message.transport,
        message.client,
        message.server,
        message.from_client,
        message.flow,
        message.offset,
        message.size,
        message.time,
        message.end_time,
        message.packets,
        message.gaps,
        message.listed,
    )


def both_ways(packets: Iterable[Packet], limits: Limits = DEFAULT_LIMITS) -> tuple[int, int]:
    """Read packets in both ways, and compare; how many messages, and how many on the way."""
    packets = list(packets)
    long, short = Pipeline(limits), Pipeline(limits)
    one = [row(m) for each in packets for m in long.feed(each).messages]
    other = [row(m) for each in packets for m in short.take(each)]
    assert one == other
    assert [row(m) for m in long.close().messages] == [row(m) for m in short.close().messages]
    assert long.findings == short.findings
    for flow, again in zip(long.flows, short.flows, strict=True):
        for name in ("client", "server", "opened", "ended", "sent", "received", "lost", "last"):
            assert getattr(flow, name) == getattr(again, name)
        for half, other_half in (
            (flow.from_client, again.from_client),
            (flow.from_server, again.from_server),
        ):
            for name in ("first", "from_start", "detection", "syn", "fin", "rst", "last"):
                assert getattr(half, name) == getattr(other_half, name)
        assert flow.detection == again.detection
    return len(one), len(packets)


def talk(wrap: bool, rounds: int = 5) -> Talk:
    one = Talk().open()
    for _ in range(rounds):
        for payload, by_client in ((PING, True), (PONG, False), (ADD, True), (SUM, False)):
            one.send(by_client, framed(payload) if wrap else payload)
    return one


@pytest.mark.parametrize("wrap", [False, True])
def test_a_conversation(wrap: bool) -> None:
    assert both_ways(talk(wrap).close().packets)[0] == 20


def test_several_in_a_segment_and_one_in_several() -> None:
    one = Talk().open().call(PING + ADD + PING).reply(PONG + SUM + PONG)
    one.call(RICH[:100]).call(RICH[100:] + PING).call(PING[:5]).call(PING[5:])
    assert both_ways(one.close().packets)[0] == 9


def test_tracing_headers_go_the_long_way() -> None:
    upgrade = binary.write_header(b"__can__finagle__trace__v3__", 1, 0) + b"\0"
    answer = binary.write_header(b"__can__finagle__trace__v3__", 2, 0) + b"\0"
    one = Talk().open().call(PING).reply(PONG).call(upgrade).reply(answer)
    one.call(b"\x0a\0\1\0\0\0\0\0\0\0\7\0" + PING).reply(b"\0" + PONG)
    assert both_ways(one.close().packets)[0] == 6


# What stands before IP in a packet of each link type, where it is IPv4 and where it is IPv6.
BEFORE = {
    0: (b"\2\0\0\0", b"\x1e\0\0\0"),
    1: (bytes(12) + b"\x08\0", bytes(12) + b"\x86\xdd"),
    12: (b"", b""),
    101: (b"", b""),
    108: (b"\0\0\0\2", b"\0\0\0\x18"),
    113: (bytes(14) + b"\x08\0", bytes(14) + b"\x86\xdd"),
    276: (b"\x08\0" + bytes(18), b"\x86\xdd" + bytes(18)),
}


def sixth(data: bytes) -> bytes:
    """The IPv4 packet as one of IPv6."""
    ends = (bytes(12) + data[at : at + 4] for at in (12, 16))
    return ipv6(data[20:])[:8] + b"".join(ends) + data[20:]


@pytest.mark.parametrize("link", BEFORE)
@pytest.mark.parametrize("is_sixth", [False, True])
def test_other_links(link: int, is_sixth: bool) -> None:
    before = BEFORE[link][is_sixth]
    packets = [
        packet(p.number, before + (sixth(p.data[14:]) if is_sixth else p.data[14:]), link)
        for p in talk(False).packets
    ]
    assert both_ways(packets)[0] == 20
    # All of them go the short way, once who they are from is known.
    assert all(usual(p.data, 0, len(p.data), link)[0] >= 0 for p in packets)
    # Cut anywhere, or with another type before it, it is none of that or it is the same.
    for size in range(len(packets[4].data)):
        both_ways([*packets[:4], packet(5, packets[4].data[:size], link), *packets[5:]])
    for at in range(len(before) + 60):
        odd = bytearray(packets[4].data)
        odd[at] ^= 0x21
        both_ways([*packets[:4], packet(5, bytes(odd), link), *packets[5:]])


def test_ports_that_are_used_again() -> None:
    packets = [*talk(False).close().packets, *Talk(start=9000).open().call(PING).packets]
    numbered = [packet(at, p.data) for at, p in enumerate(packets, 1)]
    assert both_ways(numbered)[0] == 21


@given(st.randoms(use_true_random=False), st.booleans())
def test_any_order_loss_and_repetition(chance: random.Random, wrap: bool) -> None:
    packets = talk(wrap).close().packets
    if chance.random() < 0.3:
        packets = packets[3:]
    mixed: list[Packet] = []
    for one in packets:
        if chance.random() < 0.1:
            continue
        mixed.insert(len(mixed) - chance.choice((0, 0, 0, 1, 2)), one)
        if chance.random() < 0.1:
            mixed.append(one)
    both_ways(packet(at, one.data) for at, one in enumerate(mixed, 1))


@given(st.integers(3, 20), st.lists(st.tuples(st.integers(0, 90), st.integers(0, 255)), max_size=4))
def test_any_mutation(which: int, changes: list[tuple[int, int]]) -> None:
    packets = talk(False).packets
    data = bytearray(packets[which].data)
    for at, byte in changes:
        data[at % len(data)] = byte
    packets[which] = packet(which + 1, bytes(data))
    both_ways(packets)


def test_limits() -> None:
    one = Talk().open()
    for payload in (PING, RICH, PING):
        one.call(payload)
    both_ways(one.packets, Limits(message=len(RICH) - 1))
    both_ways(one.packets, Limits(depth=2))
    both_ways(talk(True).packets, Limits(frame=len(PONG)))


def test_every_capture_at_hand(edge_captures: Path, root: Path) -> None:
    paths = [*edge_captures.parent.rglob("*.pcap"), *(root / "captures").glob("*.pcap")]
    assert len(paths) > 60
    for path in paths:
        with open_capture(path) as file:
            both_ways(file)


def test_connections_that_ended_are_forgotten() -> None:
    """Memory is bounded by what is open: with and without it, the same messages."""
    count = MAX_ENDED + 300
    pipeline, keeping = Pipeline(keep=False), Pipeline()
    number = 0
    for at in range(count):
        one = Talk(port=1024 + at % 60_000, server_port=9090 + at // 60_000).open().call(PING)
        for each in one.reply(PONG).close().packets:
            number += 1
            again = packet(number, each.data)
            got = [row(m) for m in pipeline.take(again)]
            assert got == [row(m) for m in keeping.feed(again).messages]
    assert pipeline.connections == keeping.connections == count
    assert len(keeping.flows) == count
    assert len(pipeline.flows) == MAX_ENDED
    assert len(pipeline._talks) == MAX_ENDED
    assert pipeline.close().messages == keeping.close().messages == ()
    # A segment sent again behind the end begins nothing new.
    late = packet(number + 1, one.packets[3].data)
    assert list(pipeline.take(late)) == []
    assert pipeline.connections == count


def test_pairs_of_udp_ends_are_forgotten() -> None:
    """UDP has no end: the pairs that were idle longest go."""
    pipeline = Pipeline(keep=False)
    number = 0

    def say(port: int) -> Message:
        nonlocal number
        number += 1
        data = ethernet(ipv4(udp(port, 9090, PING), protocol=17))
        (message,) = pipeline.take(packet(number, data))
        return message

    for port in range(MAX_PAIRS + 1):
        assert say(20_000 + port).flow == port + 1
        assert say(20_000).flow == 1, "it is never idle for long"
    assert len(pipeline.flows) == len(pipeline._connections._pairs) == MAX_PAIRS
    assert pipeline.connections == MAX_PAIRS + 1
    assert say(20_001).flow == MAX_PAIRS + 2, "it was forgotten, and is new"
    assert pipeline.close().messages == ()


# ── Where a struct ends ──────────────────────────────────────────────────────────────

BODY = binary.read_header(RICH, 0, len(RICH), DEFAULT_LIMITS).span.stop
STRUCTS = {
    "binary": (binary.BINARY, RICH[BODY:], binary.write_header(b"x", 1, 1)),
    "compact": (
        compact.COMPACT,
        compact.write_struct(binary.BINARY.read_struct(RICH, BODY, len(RICH), (), DEFAULT_LIMITS)),
        compact.write_header(b"x", 1, 1),
    ),
}


def by_skipper(protocol: Protocol, data: bytes, limits: Limits) -> int:
    try:
        return protocol.skipper(0, limits).advance(data, len(data))
    except DecodeError:
        return -1


@pytest.mark.parametrize("name", STRUCTS)
def test_the_short_way_finds_the_end(name: str) -> None:
    protocol, body, head = STRUCTS[name]
    data = head + body
    assert protocol.struct_end(data, len(head), len(data), DEFAULT_LIMITS) in (len(data), -1)
    simple = head + body[:0] + b"\0"
    assert protocol.struct_end(simple, len(head), len(simple), DEFAULT_LIMITS) == len(simple)


@pytest.mark.parametrize("name", STRUCTS)
@pytest.mark.parametrize("depth", [1, 2, 3, 64])
def test_it_never_says_more_than_the_skipper(name: str, depth: int) -> None:
    protocol, body, head = STRUCTS[name]
    limits = Limits(depth=depth)
    chance = random.Random(depth)
    sure = 0
    for number in range(3000):
        data = bytearray(head + body)
        for _ in range(chance.choice((0, 1, 1, 2, 5))):
            at = chance.randrange(len(head), len(data))
            data[at] = chance.choice((0, 1, 2, 11, 12, 13, 15, 127, 128, chance.randrange(256)))
        whole = bytes(data[: chance.choice((len(data), chance.randrange(len(head), len(data))))])
        end = protocol.struct_end(whole, len(head), len(whole), limits)
        assert end in (-1, by_skipper(protocol, whole, limits)), (number, whole.hex())
        sure += end > 0
    assert sure or depth < 3
