"""IP fragments: any order, twice, overlapping, cut, never complete; and never too many."""

from __future__ import annotations

import itertools
import random
import struct
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ethernet, ipv4, ipv6, packet, tcp, udp

from pingpong.model import Packet, Segment
from pingpong.wire.fragments import MAX_DONE, MAX_OPEN, TIMEOUT, Fragments
from pingpong.wire.link import Peeler, endpoint

PAYLOAD = bytes(range(200))
INNER = {"TCP": (6, tcp(50001, 9090, 7, 9, 0x18, PAYLOAD)), "UDP": (17, udp(50001, 9090, PAYLOAD))}


def v4(part: bytes, start: int, more: bool, number: int = 7, protocol: int = 6) -> bytes:
    """An IPv4 fragment."""
    whole = ipv4(part, protocol)
    place = start // 8 | (0x2000 if more else 0)
    return whole[:4] + struct.pack(">HH", number, place) + whole[8:]


def v6(part: bytes, start: int, more: bool, number: int = 7, protocol: int = 6) -> bytes:
    """An IPv6 fragment."""
    return ipv6(part, extensions=struct.pack(">BBHI", protocol, 0, start | more, number), first=44)


IPS = {"IPv4": v4, "IPv6": v6}


def cut(ip: str, kind: str, *at: int, number: int = 7) -> list[bytes]:
    """A datagram in fragments that begin at 0 and at each of ``at``."""
    protocol, inner = INNER[kind]
    edges = (0, *at, len(inner))
    return [
        IPS[ip](inner[start:stop], start, stop < len(inner), number, protocol)
        for start, stop in itertools.pairwise(edges)
    ]


@dataclass
class Peeled:
    segments: dict[int, Segment]  # by the number of the packet that gave it
    texts: list[str]


def peel(fragments: list[bytes], snaplen: int = 1 << 20) -> Peeled:
    peeler = Peeler()
    segments = {}
    for number, data in enumerate(fragments, 1):
        one = packet(number, data[:snaplen], link=101, length=len(data))
        segment = peeler.segment(one)
        if segment is not None:
            assert (segment.number, segment.time) == (one.number, one.time)
            segments[number] = segment
    peeler.close()
    return Peeled(segments, [finding.text for finding in peeler.findings])


def check(segment: Segment, kind: str) -> None:
    assert segment.protocol == INNER[kind][0]
    assert (endpoint(segment.source).port, endpoint(segment.target).port) == (50001, 9090)
    assert (segment.payload, segment.cut) == (PAYLOAD, 0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("kind", INNER)
@pytest.mark.parametrize("ip", IPS)
def test_any_order(ip: str, kind: str, order: tuple[int, ...]) -> None:
    fragments = cut(ip, kind, 8, 64, 120)
    peeled = peel([fragments[at] for at in order])
    assert list(peeled.segments) == [4]
    check(peeled.segments[4], kind)
    assert peeled.texts == []


@pytest.mark.parametrize("ip", IPS)
@pytest.mark.parametrize(
    ("order", "complete"),
    [
        ((0, 0, 1, 1, 2, 2), 5),
        ((0, 1, 2, 0, 1, 2), 3),
        ((2, 2, 1, 0, 2, 1), 4),
        ((0, 1, 0, 1, 2), 5),
    ],
)
def test_duplicates(ip: str, order: tuple[int, ...], complete: int) -> None:
    fragments = cut(ip, "TCP", 64, 120)
    peeled = peel([fragments[at] for at in order])
    assert list(peeled.segments) == [complete]
    check(peeled.segments[complete], "TCP")
    assert peeled.texts == []


@pytest.mark.parametrize("ip", IPS)
def test_two_datagrams_at_once(ip: str) -> None:
    first, second = cut(ip, "TCP", 64), cut(ip, "UDP", 120, number=8)
    peeled = peel([first[0], second[1], second[0], first[1]])
    check(peeled.segments[3], "UDP")
    check(peeled.segments[4], "TCP")
    assert peeled.texts == []


def test_the_same_identifier_again() -> None:
    again = v4(bytes(64), 0, True), v4(b"y" * 8, 64, False)
    peeled = peel([*cut("IPv4", "TCP", 64), *again])
    assert list(peeled.segments) == [2]  # what comes behind it is no TCP header
    assert peeled.texts == [
        "1 packet is TCP with a broken header and was not looked into: packet 4"
    ]
    other = tcp(1, 2, 3, 4, 0x10, b"other" * 20)
    peeled = peel([*cut("IPv4", "TCP", 64), v4(other[:64], 0, True), v4(other[64:], 64, False)])
    assert peeled.segments[4].payload == b"other" * 20
    assert peeled.texts == []


def _of_a_protocol_between(protocol: int) -> list[bytes]:
    return [v4(bytes(16), 0, True, protocol=protocol)]


INNER_TCP = INNER["TCP"][1]
A, B = cut("IPv4", "TCP", 64)
OVERLAPS = {
    "the same bytes": [A, v4(INNER_TCP[32:120], 32, True), v4(INNER_TCP[80:], 80, False)],
    "one inside another": [A, v4(INNER_TCP[8:16], 8, True), B],
    "one around others": [
        v4(INNER_TCP[16:32], 16, True),
        v4(INNER_TCP[48:56], 48, True),
        v4(INNER_TCP[:120], 0, True),
        v4(INNER_TCP[120:], 120, False),
    ],
    "the last one longer at its start": [A, v4(INNER_TCP[8:], 8, False)],
}


@pytest.mark.parametrize("name", OVERLAPS)
def test_overlap(name: str) -> None:
    peeled = peel(OVERLAPS[name])
    (segment,) = peeled.segments.values()
    check(segment, "TCP")
    assert peeled.texts == []


DIFFERS = (
    "packet {}: its IP fragment (bytes {} to {}) differs from those of the same datagram before "
    "it, from packet 1 on. Where they overlap, the first was kept"
)
CONTRADICTIONS = {
    "other bytes": ([A, v4(b"x" * 64, 32, True), B], DIFFERS.format(2, 32, 96), 32),
    "another end, behind": ([B, v4(b"x" * 8, 400, False), A], DIFFERS.format(2, 400, 408), 0),
    "another end, before": ([B, v4(INNER_TCP[8:16], 8, False), A], DIFFERS.format(2, 8, 16), 0),
    "more behind the end": ([B, v4(b"x" * 8, 400, True), A], DIFFERS.format(2, 400, 408), 0),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_the_first_is_kept(name: str) -> None:
    fragments, text, others = CONTRADICTIONS[name]
    peeled = peel(fragments)
    (segment,) = peeled.segments.values()
    # "other bytes" came first for [64, 96), before the true ones.
    want = PAYLOAD if not others else PAYLOAD[:44] + b"x" * others + PAYLOAD[76:]
    assert segment.payload == want
    assert peeled.texts == [text]


NEVER = "IP fragments: a datagram could not be put together; of the first, from packet 1 on, "
INCOMPLETE = {
    "no first": ([B], NEVER + "1 fragment came, and bytes 0 to 64 never came"),
    "no last": ([A], NEVER + "1 fragment came, and nothing behind byte 64 came"),
    "a hole": (
        [A, v4(INNER_TCP[120:], 120, False)],
        NEVER + "2 fragments came, and bytes 64 to 120 never came",
    ),
    "two datagrams": (
        [A, v4(bytes(8), 0, True, number=8)],
        "IP fragments: 2 datagrams could not be put together; of the first, from packet 1 on, "
        "1 fragment came, and nothing behind byte 64 came",
    ),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_what_never_comes_is_told_at_the_end(name: str) -> None:
    fragments, text = INCOMPLETE[name]
    peeled = peel(fragments)
    assert peeled.segments == {}
    assert peeled.texts == [text]


CANNOT_BE = {
    "not a multiple of 8": (v4(bytes(13), 0, True), "at byte 0 has 13 bytes, want 1 or more, and"),
    "nothing": (v4(b"", 64, False), "at byte 64 has 0 bytes, want 1 or more, and"),
    "too far": (v4(bytes(16), 65528, False), "at byte 65528 ends at byte 65544, want at most 6553"),
}


@pytest.mark.parametrize("name", CANNOT_BE)
def test_fragments_that_cannot_be(name: str) -> None:
    data, text = CANNOT_BE[name]
    peeled = peel([A, data, B])
    check(peeled.segments[3], "TCP")
    (said,) = peeled.texts
    assert said.startswith(f"packet 2: its IP fragment {text}")
    assert said.endswith("It was not used")


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        (1, "1 packet holds neither TCP nor UDP: 1 ICMP"),
        (50, "1 packet is ESP (encrypted) and was not looked into: packet 1"),
    ],
)
def test_fragments_of_neither_tcp_nor_udp_are_nothing(protocol: int, said: str) -> None:
    assert peel(_of_a_protocol_between(protocol)) == Peeled({}, [said])


def test_headers_of_ipv6_before_and_behind_the_fragment_header() -> None:
    options = bytes((6, 0)) + bytes(6)
    inner = options + INNER_TCP
    routing = bytes((44, 0)) + bytes(6)
    fragments = [
        ipv6(part, extensions=routing + struct.pack(">BBHI", kind, 0, place, 7), first=43)
        for part, kind, place in ((inner[:64], 60, 1), (inner[64:], 6, 64))
    ]
    for order in (fragments, fragments[::-1]):
        peeled = peel(order)
        check(peeled.segments[2], "TCP")


def test_fragments_of_fragments_are_not_followed() -> None:
    inner = struct.pack(">BBHI", 6, 0, 1, 9) + INNER_TCP
    peeled = peel([v6(inner[:64], 0, True, protocol=44), v6(inner[64:], 64, False, protocol=44)])
    said = "1 packet is a fragment of fragments and was not looked into: packet 2"
    assert peeled == Peeled({}, [said])


def test_the_padding_of_ethernet_is_no_part_of_a_fragment() -> None:
    peeler = Peeler()
    assert peeler.segment(packet(1, ethernet(A) + bytes(20))) is None
    segment = peeler.segment(packet(2, ethernet(B) + bytes(20)))
    assert segment is not None
    check(segment, "TCP")


# ── Cut by the capture ───────────────────────────────────────────────────────────────


def test_cut_fragments_end_the_payload_and_are_counted() -> None:
    peeled = peel([B, A], snaplen=60)  # 40 of the first fragment's 64 bytes
    (segment,) = peeled.segments.values()
    assert (segment.payload, segment.cut) == (PAYLOAD[:20], len(PAYLOAD) - 20)
    assert peeled.texts == [
        "packet 2: completes an IP datagram of 220 bytes, of which only the first 40 are used, "
        "because a fragment was captured in part. Capture with a larger snaplen (tcpdump -s 0)"
    ]


def test_a_cut_last_fragment_needs_no_word() -> None:
    peeled = peel([A, B], snaplen=84)
    (segment,) = peeled.segments.values()
    assert (segment.payload, segment.cut) == (PAYLOAD[:108], len(PAYLOAD) - 108)
    assert peeled.texts == []


def test_too_few_bytes_for_a_header() -> None:
    peeled = peel([A, B], snaplen=30)
    assert peeled.segments == {}
    assert "too few for its TCP header" in peeled.texts[1]


# ── Bounds ───────────────────────────────────────────────────────────────────────────


class Kept(Fragments):
    """Fragments whose memory can be looked at."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        super().__init__(lambda severity, reason, text: self.texts.append(text))

    @property
    def size(self) -> int:
        assert self._size == sum(datagram.size for datagram in self._open.values())
        return self._size

    @property
    def counts(self) -> tuple[int, int]:
        return len(self._open), len(self._done)


@pytest.mark.usefixtures("plain_python")
def test_too_many_datagrams_drop_the_oldest() -> None:
    kept = Kept()
    for number in range(MAX_OPEN + 10):
        assert (
            kept.add(packet(number + 1, b""), b"%d" % number, 17, 0, b"12345678", 8, True) is None
        )
    assert kept.counts == (MAX_OPEN, 0)
    assert kept.texts[0].startswith(f"packet {MAX_OPEN + 1}: more than {MAX_OPEN} IP datagrams or ")
    late = kept.add(packet(9999, b""), b"%d" % (MAX_OPEN + 9), 17, 8, b"x", 1, False)
    assert late is not None
    assert late.data == b"12345678x"
    kept.close()
    assert kept.size == 0


@pytest.mark.usefixtures("plain_python")
def test_too_many_bytes_drop_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pingpong.wire.fragments.MAX_BYTES", 10_000)
    kept = Kept()
    for number in range(100):
        kept.add(packet(number + 1, b""), b"%d" % number, 17, 0, bytes(1000), 1000, True)
        assert kept.size <= 10_000
    assert kept.counts[0] == 8


@pytest.mark.usefixtures("plain_python")
def test_completed_datagrams_are_forgotten() -> None:
    kept = Kept()
    for number in range(MAX_DONE * 2):
        kept.add(packet(number + 1, b""), b"%d" % number, 17, 0, b"1234", 4, False)
    assert kept.counts == (0, MAX_DONE)
    assert kept.size == 0


def test_an_old_datagram_gets_no_new_fragments() -> None:
    one, late = packet(1, A, link=101), packet(2, B, link=101)
    late.time = one.time + TIMEOUT + 1
    peeler = Peeler()
    assert peeler.segment(one) is None
    assert peeler.segment(late) is None
    peeler.close()
    (finding,) = peeler.findings
    assert "2 datagrams could not be put together; of the first, from packet 1" in finding.text


def test_closing_twice_says_it_once() -> None:
    peeler = Peeler()
    peeler.segment(packet(1, A, link=101))
    peeler.close()
    peeler.close()
    assert len(peeler.findings) == 1


# ── Any ──────────────────────────────────────────────────────────────────────────────


@given(
    st.sampled_from(sorted(IPS)),
    st.sampled_from(sorted(INNER)),
    st.sets(st.integers(1, 25), min_size=1),
    st.randoms(use_true_random=False),
)
def test_any_cut_in_any_order(ip: str, kind: str, at: set[int], chance: random.Random) -> None:
    edges = sorted(edge * 8 for edge in at)
    fragments = cut(ip, kind, *edges)
    fragments += [one for one in fragments if chance.random() < 0.3]
    chance.shuffle(fragments)
    peeled = peel(fragments)
    (segment,) = peeled.segments.values()
    check(segment, kind)
    assert peeled.texts == []


@pytest.mark.usefixtures("plain_python")
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 40), st.booleans(), st.integers(0, 40)),
        max_size=12,
    )
)
def test_any_fragments_give_first_come_bytes(
    claims: list[tuple[int, int, bool, int]],
) -> None:
    """Against a byte-by-byte model: who came first for a place has it."""
    kept = Kept()
    known: dict[int, int | None] = {}
    for number, (place, size, more, have) in enumerate(claims):
        start = place * 8
        data = bytes([number + 1]) * min(size, have)
        one = Packet(number, 0, 101, b"", 0)
        whole = kept.add(one, b"key", 17, start, data, size, more)
        if size <= 0 or (more and size % 8):
            assert whole is None
            continue
        for at in range(start, start + size):
            known.setdefault(at, data[at - start] if at - start < len(data) else None)
        if whole is not None:
            want = [known[at] for at in range(whole.length)]
            cut_at = want.index(None) if None in want else len(want)
            assert list(whole.data) == want[:cut_at]
            return


@given(st.lists(st.tuples(st.sampled_from([4, 6]), st.binary(min_size=8, max_size=60)), max_size=8))
def test_any_bytes_behind_a_fragment_header(packets: list[tuple[int, bytes]]) -> None:
    peeler = Peeler()
    for number, (version, data) in enumerate(packets, 1):
        if version == 4:
            whole = ipv4(data[4:])
            whole = whole[:4] + b"\0\1" + data[:2] + whole[8:]
        else:
            whole = ipv6(data, first=44)
        segment = peeler.segment(packet(number, whole, link=101))
        if segment is not None:
            assert len(segment.payload) <= 8 * 60
    peeler.close()
