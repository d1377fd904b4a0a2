"""What ``attacks.py`` measures, held by counting: bytes looked at, values made, memory at most.

No test here asks how long anything took.
"""

from __future__ import annotations

import bz2
import gzip
import heapq
import io
import lzma
import struct
import sys
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from attacks import (
    ACK,
    ATTACKS,
    PING,
    PONG,
    PUSH,
    SYN,
    bomb,
    call,
    framed,
    list_of,
    nested,
    nested_compact,
    nested_json,
    nested_lists,
    nested_maps,
    pcap,
    stream,
    tcp,
    theader,
)
from making import packet

from pingpong import views
from pingpong.calls.exchanges import Pairing
from pingpong.capture import Capture, Pipeline, batches, decode, read_packets
from pingpong.cli import run
from pingpong.errors import CaptureError
from pingpong.model import (
    DEFAULT_LIMITS,
    MAX_DEPTH,
    MAX_FINDINGS,
    Finding,
    Findings,
    Flow,
    Limits,
    Outcome,
    Severity,
)
from pingpong.protocols import detect
from pingpong.protocols.detect import Effort, Told, find_message
from pingpong.protocols.encodings import binary, compact
from pingpong.protocols.family import Sign
from pingpong.protocols.unpacking import MESSAGE, RATIO, Allowance, inflate
from pingpong.views.json import message_row
from pingpong.wire import containers
from pingpong.wire.capturefile import MAX_INTERFACES, CaptureFile

pytestmark = pytest.mark.many

MB = 1 << 20


def opened(data: bytes) -> CaptureFile:
    return CaptureFile(io.BufferedReader(io.BytesIO(data)), "attack")


def captured(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Capture:
    return read_packets(opened(data), limits=limits)


def listed(data: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[int, list[str]]:
    """How many messages a long capture's way gives, and what is found wrong."""
    pipeline = Pipeline(limits, keep=False)
    file = opened(data)
    count = sum(len(batch) for batch in batches(file, pipeline))
    return count, [one.text for one in pipeline.findings]


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No more bytes than that are taken at any time inside."""
    tracemalloc.start()
    try:
        yield
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < size


# ── What is unpacked ─────────────────────────────────────────────────────────────────

SMALL = Limits(unpacked=200_000, values=1000)


def test_what_one_packet_brings_is_bounded_however_often_it_was_packed() -> None:
    frames = theader(bomb(3_000_000), 3) * 50
    with at_most(6 * MB):
        count, found = listed(pcap(stream(frames)), SMALL)
    assert count == 0
    assert any("it holds over" in text and "(--max-unpacked)" in text for text in found)


def test_below_the_limit_a_message_is_read_and_the_next_ones_wait_for_packed_bytes() -> None:
    # 150 000 of 200 000 bytes are allowed at once; what 300 packed bytes win back is less.
    frames = theader(bomb(150_000), 1) * 3
    count, found = listed(pcap(stream(frames)), SMALL)
    assert count == 1
    assert any("with what came before it (--max-unpacked)" in text for text in found)


def test_what_packs_as_services_do_is_never_refused() -> None:
    # 8 MB in all, 40 times what is allowed at once, in messages that hardly pack.
    body = zlib.compress(bytes(range(256)) * 4)[:900]
    one = theader(call(b"put", b"\x0b\0\1" + struct.pack(">I", len(body)) + body + b"\0"))
    count, found = listed(pcap(stream(one * 3000)), Limits(unpacked=50_000))
    assert (count, found) == (3000, [])


def test_messages_cost_more_than_their_bytes() -> None:
    packer = zlib.compressobj(9)
    data = packer.compress(PING * 40_000) + packer.flush(zlib.Z_SYNC_FLUSH)
    count, found = listed(pcap(stream(data)), Limits(unpacked=1_000_000))
    assert 1000 < count <= (1_000_000 + RATIO * len(data)) // MESSAGE < 40_000
    assert any("--max-unpacked" in text for text in found)


def test_an_allowance_is_won_back_by_packed_bytes() -> None:
    allowance = Allowance(Limits(unpacked=1000))
    assert allowance.most(0) == 1000
    allowance.take(1, 1000)
    assert allowance.most(0) == RATIO
    allowance.take(10_000, 0)
    assert allowance.most(0) == 1000
    data = zlib.compress(bytes(1001))
    assert inflate(data, allowance, len(data)) == (
        b"", "it holds over 1000 bytes (--max-unpacked)",
    )  # fmt: skip
    assert inflate(zlib.compress(b"ab")[:-1], allowance, 9) == (b"ab", "its end is missing")


def test_bodies_draw_on_the_same_allowance() -> None:
    body = gzip.compress(bomb(150_000), mtime=0)
    head = f"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    count, found = listed(pcap(stream((head.encode() + body) * 4)), SMALL)
    assert 0 < count < 4
    assert any("--max-unpacked" in text for text in found)


# ── Values ───────────────────────────────────────────────────────────────────────────


def test_of_a_message_no_more_values_are_read_than_may_be() -> None:
    message = decode(bomb(100_000), Limits(values=1000))
    with at_most(2 * MB):
        assert message.fault is None  # its bytes are good
        assert message.body.stop is None
    (finding,) = message.findings
    assert finding.severity is Severity.WARNING
    assert finding.text.startswith("values: 1000 were read, and no more from offset ")
    with at_most(4 * MB):
        assert "--max-values" in message_row(decode(bomb(100_000), Limits(values=1000)))
        assert "--max-values" in views.text(message)


@pytest.mark.parametrize(
    "data",
    [
        call(b"many", list_of(50, 8, bytes(200))),
        call(b"many", b"\x0d\0\1\x08\x0b" + struct.pack(">I", 25) + bytes(200) + b"\0"),
        b"\x82\x21\x00\x04many" + b"\x11" * 51 + b"\0",
        b"\x82\x21\x00\x04many" + b"\x19\xf5\x32" + bytes(50) + b"\0",
        b'[1,"many",1,0,{"1":{"lst":["i32",50,' + b",".join([b"1"] * 50) + b"]}}]",
    ],
)
def test_the_limit_holds_in_every_protocol_and_both_ways(data: bytes) -> None:
    whole = decode(data)
    assert whole.findings == ()
    few = decode(data, Limits(values=20))
    assert [one.text[:20] for one in few.findings] == ["values: 20 were read"]
    assert "--max-values" in message_row(decode(data, Limits(values=20)))
    # The list, or the map, is a value too.
    enough = decode(data, Limits(values=51))
    assert message_row(enough) == message_row(decode(data))


def test_a_line_that_shows_a_part_reads_a_part() -> None:
    message = decode(bomb(100_000))
    with at_most(MB):
        assert views.one_line.arguments(message, 60).startswith("1: [{}, {}, ")
    assert not message.is_read


def test_findings_of_one_struct_come_to_an_end() -> None:
    # BOOLs that are neither 0 nor 1.
    message = decode(call(b"odd", list_of(5000, 2, b"\x07" * 5000)))
    assert len(message.findings) == MAX_FINDINGS + 1
    assert message.findings[-1].text.startswith("more like these")


# ── Depth ────────────────────────────────────────────────────────────────────────────

DEEP: list[Callable[[int], bytes]] = [
    nested, nested_compact, nested_json, nested_lists, nested_maps,
]  # fmt: skip


@pytest.mark.parametrize("deep", DEEP)
def test_the_deepest_that_may_be_is_read_and_shown_in_every_way(
    deep: Callable[[int], bytes],
) -> None:
    limits = Limits(depth=MAX_DEPTH)
    message = decode(deep(MAX_DEPTH), limits)
    assert message.findings == ()
    again = decode(deep(MAX_DEPTH), limits)
    assert message.body == again.body
    assert hash(message.body) == hash(again.body)
    for shown in (views.text, views.html, views.tree, message_row, repr):
        assert shown(message)
    assert repr(message.body)
    assert message.body.plain


def test_more_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    (finding,) = decode(nested(MAX_DEPTH + 1), Limits(depth=MAX_DEPTH)).findings
    assert f"want at most {MAX_DEPTH}" in finding.text
    with pytest.raises(ValueError, match="depth is 101, want at most 100"):
        Limits(depth=101)
    with pytest.raises(SystemExit):
        run(["show", "--max-depth", "101", "nothing"])
    assert "101 is too deep to be read, want 0 to 100" in capsys.readouterr().err


# ── Searching ────────────────────────────────────────────────────────────────────────

BEGINNING = b"\x82\x21\x11\x01a"


def test_a_search_looks_at_each_byte_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = 0
    real = detect._walk

    def walk(
        data: bytes | bytearray,
        at: int,
        sign: Sign,
        limits: Limits,
        reach: int,
        effort: Effort | None = None,
    ) -> int:
        nonlocal walked
        walked += min(reach, len(data) - at)
        return real(data, at, sign, limits, reach, effort)

    try:
        monkeypatch.setattr(detect, "_walk", walk)
    except (AttributeError, TypeError):
        pytest.skip("compiled: its functions cannot be watched")
    data = BEGINNING * 20_000
    assert find_message(data, Told(None, None), True, DEFAULT_LIMITS, Effort()).spoken is None
    assert walked <= Effort.MOST + detect.AGREE + Effort.LEAST * 20_000


def test_behind_beginnings_a_message_is_found_still() -> None:
    data = BEGINNING * 20_000 + framed(PING) * 3 + PING
    place = find_message(data, Told(None, None), True, DEFAULT_LIMITS, Effort())
    assert place.at == 100_000
    assert place.spoken == (binary.BINARY, "framed")
    data = BEGINNING * 20_000 + bytes.fromhex("0000000a 82210004 70696e67 00 00")
    assert compact.COMPACT.read_header(data, 100_004, len(data), DEFAULT_LIMITS).method == "ping"


# ── Holes, connections, files ────────────────────────────────────────────────────────


def test_holes_in_a_long_string_copy_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from pingpong.protocols.families.thrift.unframed import Unframed

    copied = 0
    real = Unframed.rest

    def rest(self: Unframed, buffer: bytearray, have: int) -> object:
        nonlocal copied
        copied += have
        return real(self, buffer, have)

    try:
        monkeypatch.setattr(Unframed, "rest", rest)
    except (AttributeError, TypeError):
        pytest.skip("compiled: its methods cannot be watched")
    size = 400_000
    data = call(b"ping", b"\x0b\0\1" + struct.pack(">I", size) + bytes(size) + b"\0")
    (message,) = captured(pcap(stream(data, missing=2))).messages
    assert len(message.gaps) > 100
    assert copied <= 2 * size  # and not once for each hole
    assert "lost" in views.text(message)


def test_connections_are_forgotten_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from pingpong.wire import streams

    monkeypatch.setattr(streams, "MAX_ENDED", 10)
    frames = []
    for number in range(100):
        port = 2000 + number
        frames += [
            tcp(True, port, 999, 2), tcp(True, port, 1000, 24, PING),
            tcp(False, port, 1000, 24, PONG, 1000 + len(PING)), tcp(True, port, 1017, 4),
        ]  # fmt: skip
    pipeline = Pipeline(keep=False)
    assert sum(len(batch) for batch in batches(opened(pcap(frames)), pipeline)) == 200
    if len(pipeline.flows) != 100:  # compiled, the number is part of the code
        assert [flow.number for flow in pipeline.flows] == list(range(91, 101))


def open_ones(count: int) -> list[bytes]:
    """Connections that are opened, with a call each; and then the reply to each."""
    frames = []
    for port in range(2000, 2000 + count):
        frames += [tcp(True, port, 999, SYN), tcp(True, port, 1000, ACK | PUSH, PING)]
    for port in range(2000, 2000 + count):
        frames.append(tcp(False, port, 1000, ACK | PUSH, PONG, 1000 + len(PING)))
    return frames


def test_so_many_connections_are_open_and_no_more() -> None:
    for most in (100, 50, 1):
        pairing, gone = Pairing(), list[Flow]()
        limits = Limits(connections=most)
        pipeline = Pipeline(limits, keep=False, pairing=pairing, dropped=gone.append)
        found = [one for batch in batches(opened(pcap(open_ones(100))), pipeline) for one in batch]
        # Nothing is missing: each call and each reply is there, paired or not.
        assert [one.type.name for one in found].count("CALL") == 100
        assert [one.type.name for one in found].count("REPLY") == 100
        outcomes = Counter(one.outcome for one in pairing.take())
        # As with the capture's end: nothing of the server was seen until then.
        apart = 0 if most == 100 else 100
        assert outcomes[Outcome.LOST] == outcomes[Outcome.NO_CALL] == apart
        assert outcomes[Outcome.SUCCESS] == 100 - apart
        assert len(pipeline.flows) <= most
        said = [one.text for one in pipeline.findings if "--max-connections" in one.text]
        assert len(said) == (most < 100)
        assert len(gone) == pipeline.connections - len(pipeline.flows)
        if said:
            assert f"more than {most} connections" in said[0]
            assert f": of {len(gone)}, idle the longest" in said[0]


def test_the_one_that_is_idle_longest_is_left() -> None:
    frames = open_ones(10)[:20]
    # All but one say something more; then another one begins.
    for port in (2000, 2001, 2002, 2003, 2005, 2006, 2007, 2008, 2009):
        frames.append(tcp(True, port, 1000 + len(PING), ACK | PUSH, PING))
    frames.append(tcp(True, 3000, 999, SYN))
    gone: list[Flow] = []
    pipeline = Pipeline(Limits(connections=10), keep=False, dropped=gone.append)
    assert sum(len(batch) for batch in batches(opened(pcap(frames)), pipeline)) == 19
    assert [flow.client.port for flow in gone] == [2004]


def test_a_message_that_had_begun_is_given_out_when_its_connection_is_left() -> None:
    whole = call(b"ping", b"\x0b\0\1" + struct.pack(">I", 2000) + bytes(2000) + b"\0")
    frames = [
        tcp(True, 2000, 999, SYN),
        tcp(True, 2000, 1000, ACK | PUSH, whole[:1400]),
        tcp(True, 2001, 999, SYN),
        tcp(True, 2000, 2400, ACK | PUSH, whole[1400:] + PING),
    ]
    capture = captured(pcap(frames), Limits(connections=1))
    first, *rest = capture.messages
    assert first.cut
    assert first.size == 1400
    assert [one.method for one in rest] == ["ping"]
    assert [flow.client.port for flow in capture.flows] == [2000, 2001, 2000]
    (told,) = [one.text for one in capture.findings if "--max-connections" in one.text]
    assert "of 2, idle the longest" in told


def test_who_is_idle_is_not_asked_again_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    from pingpong.wire import streams

    looked = 0
    real = heapq.nsmallest

    def watched(count: int, them: list[object], key: object) -> object:
        nonlocal looked
        looked += len(them)
        return real(count, them, key)  # type: ignore[call-overload]

    try:
        monkeypatch.setattr(streams, "nsmallest", watched)
    except (AttributeError, TypeError):
        pytest.skip("compiled: its functions cannot be watched")
    frames = [tcp(True, 2000 + number, 999, SYN) for number in range(20_000)]
    pipeline = Pipeline(Limits(connections=1000), keep=False)
    assert sum(len(batch) for batch in batches(opened(pcap(frames)), pipeline)) == 0
    assert len(pipeline.flows) == 1000
    assert looked <= 20_000 * (streams.IDLE_PART + 2)


def test_what_surrounds_chunks_is_bounded() -> None:
    body = call(b"ping", b"\x0b\0\1" + struct.pack(">I", 1 << 20))
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    first = f"{len(body):x}\r\n".encode() + body + b"\r\n"
    chunk = b"1;" + b"x" * 1200 + b"\r\na\r\n"
    (message,) = captured(pcap(stream(head + first + chunk * 100))).messages
    assert any("HTTP chunk lines" in one.text for one in message.findings)
    small = head + b"".join(b"1\r\n%c\r\n" % byte for byte in PING) + b"0\r\n\r\n"
    assert listed(pcap(stream(small))) == (1, [])


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


SECTION = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def test_blocks_that_say_the_same_are_one_finding() -> None:
    drops = [bytes(12) + struct.pack("<HHQ", 5, 8, count) for count in range(1, 1001)]
    file = opened(SECTION + b"".join(_block(5, one) for one in drops))
    assert list(file) == []
    (finding,) = file.findings
    assert "1000 packets were dropped while capturing (1000 blocks say so" in finding.text


def test_there_are_only_so_many_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    file = opened(SECTION + _block(1, struct.pack("<HHI", 1, 0, 0)) * (MAX_INTERFACES + 2))
    assert list(file) == []
    assert f"has {MAX_INTERFACES} before it" in file.findings[0].text


def test_a_long_block_is_joined_once() -> None:
    class Slow(io.RawIOBase):
        """Gives a kilobyte at a time, as a packed file does."""

        def __init__(self, data: bytes) -> None:
            self._left = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, into: memoryview) -> int:  # type: ignore[override]
            return self._left.readinto(into[:1024])

    data = SECTION + _block(77, bytes(4 * MB)) + SECTION
    with at_most(16 * MB):
        assert list(CaptureFile(io.BufferedReader(Slow(data), 1024), "slow")) == []


# ── What is around a capture ─────────────────────────────────────────────────────────

ONE_PING = pcap([tcp(True, 40000, 1000, ACK | PUSH, PING)])
LZ4_HEAD = b"\x04\x22\x4d\x18\x64\x40\xa7"
LZ4_PING = LZ4_HEAD + struct.pack("<I", len(ONE_PING) | 1 << 31) + ONE_PING + bytes(8)
SKIPPED = b"\x5a\x2a\x4d\x18" + struct.pack("<I", 3) + b"abc"


@pytest.mark.parametrize(
    ("empty", "whole"),
    [
        (gzip.compress(b"", mtime=0), gzip.compress(ONE_PING, mtime=0)),
        (bz2.compress(b""), bz2.compress(ONE_PING)),
        (lzma.compress(b""), lzma.compress(ONE_PING)),
        (LZ4_HEAD + bytes(8), LZ4_PING),
        (SKIPPED, LZ4_PING),
    ],
    ids=["gzip", "bzip2", "xz", "lz4", "skipped"],
)
def test_what_is_packed_may_come_in_any_number_of_parts(empty: bytes, whole: bytes) -> None:
    with at_most(12 * MB):
        assert listed(empty * 1000 + whole + empty * 1000) == (1, [])


def test_zeros_behind_what_is_packed_are_passed_over() -> None:
    for whole in (gzip, bz2, lzma):
        data = whole.compress(ONE_PING)
        assert listed(data + bytes(300_000)) == (1, [])


def test_what_unpacks_to_more_than_packets_do_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "FREE", 1 << 20)
    monkeypatch.setattr(containers, "RATIO", 10)
    data = pcap([bytes(60_000)] * 40)
    for pack in (bz2, lzma):
        packed = pack.compress(data)
        with at_most(16 * MB):
            file = opened(packed)
            assert 1 < sum(1 for _ in file) < 40
        assert "which no packets do" in file.findings[-1].text
    # Gzip's own ratio is below what is refused.
    file = opened(gzip.compress(data, mtime=0))
    assert sum(1 for _ in file) == 40
    assert file.findings == []


def test_a_few_packed_bytes_are_few_packets() -> None:
    """Zeros are packets without bytes: 142 bytes of bzip2 could be four million of them."""
    for pack in (bz2, lzma):
        packed = pack.compress(pcap([]) + bytes(20_000_000))
        file = opened(packed)
        count = sum(1 for _ in file)
        assert count <= (containers.FREE + containers.RATIO * len(packed)) / 16 + 1
        assert "which no packets do: unpack it" in file.findings[-1].text
    assert count < 300_000


def test_a_dictionary_is_bounded() -> None:
    data = bytearray(lzma.compress(ONE_PING, preset=0))
    head = bytearray(data[12 : 12 + (data[12] + 1) * 4])
    head[head.index(b"\x21\x01") + 2] = 40  # 4 GiB
    head[-4:] = struct.pack("<I", zlib.crc32(bytes(head[:-4])))
    data[12 : 12 + len(head)] = head
    with at_most(4 * MB), pytest.raises(CaptureError, match=r"at most 128 MiB .* unpack it"):
        opened(bytes(data))


def test_packed_twice_is_said() -> None:
    for one in (gzip, bz2, lzma):
        with pytest.raises(CaptureError, match=r"\(packed with gzip\): .* once more: unpack it"):
            opened(gzip.compress(one.compress(ONE_PING), mtime=0))


def test_frames_to_be_skipped_come_to_an_end() -> None:
    with pytest.raises(CaptureError, match="behind them has nothing"):
        opened(SKIPPED * 3)
    with pytest.raises(CaptureError, match="behind them has d4 c3 b2 a1"):
        opened(SKIPPED + b"\xd4\xc3\xb2\xa1" + bytes(40))
    for data in (SKIPPED[:-1], SKIPPED[:6], SKIPPED[:4] + b"\xff\xff\xff\xff"):
        with pytest.raises(CaptureError, match=r"is skipped|to be skipped"):
            opened(data)


def test_zstandard_is_bounded() -> None:
    if sys.version_info < (3, 14):
        pytest.importorskip("zstandard")
    # Frames of one block, as it is, and then blocks that are one byte again and again.
    plain = struct.pack("<I", len(ONE_PING) << 3)[:3] + ONE_PING
    again = struct.pack("<I", 1 << 20 | 2)[:3] + b"\0"
    end = struct.pack("<I", 1)[:3]
    small, large, huge = (b"\x28\xb5\x2f\xfd\0" + one for one in (b"\x58", b"\x88", b"\xa8"))
    assert listed(SKIPPED * 99 + small + plain + end + SKIPPED * 99) == (1, [])
    with at_most(40 * MB):
        opened(small + plain + again * 2000 + end).advance()
    with pytest.raises(CaptureError, match=r"at most 128 MiB .* unpack it"):
        opened(huge + plain + end)
    assert listed(large + plain + end) == (1, [])


# ── What is said ─────────────────────────────────────────────────────────────────────


def test_of_one_kind_a_few_are_told_and_the_rest_counted() -> None:
    findings = Findings()
    for number in range(1000):
        findings.add(
            Finding(Severity.WARNING, f'packet {number}: is 0x{number:x}, want "a{number}"')
        )
    findings.add(Finding(Severity.ERROR, "something else"))
    assert len(findings.kept) == Findings.FEW + 1
    (rest,) = findings.rest
    assert rest == Finding(Severity.WARNING, "980 more like this: packet #: is #, want #")


def test_kinds_come_to_an_end_too() -> None:
    findings = Findings()
    for number in range(5000):
        letters = "".join(chr(ord("g") + int(one)) for one in str(number))
        findings.add(Finding(Severity.WARNING, f"kind {letters}"))
    assert len(findings.kept) == Findings.MOST + Findings.FEW
    assert [one.text for one in findings.rest] == [
        f"{5000 - Findings.MOST - Findings.FEW} more like this: others"
    ]


def test_every_attack_makes_a_capture() -> None:
    for attack in ATTACKS:
        small = {"bomb": 1, "blocks": 1}.get(attack.name, min(attack.size, 2))
        if attack.name.startswith(("bomb", "blocks", "parts-lz4")):
            continue  # made by the others' functions, and slowly
        opened(attack.make(small * 41 if attack.name.startswith("search") else small)).close()


# ── What waits ───────────────────────────────────────────────────────────────────────


def begun(count: int, size: int) -> list[bytes]:
    """Connections with a frame each that says ``size`` and ends a byte too soon."""
    data = framed(call(b"ping", b"\x0b\0\1" + struct.pack(">I", size) + bytes(size) + b"\0"))[:-1]
    return [one for port in range(2000, 2000 + count) for one in stream(data, port=port)]


def holey(count: int, size: int) -> list[bytes]:
    """Connections that lack their first bytes, so that all others wait."""
    frames = []
    for port in range(3000, 3000 + count):
        first, second, *others = stream(bytes(size), port=port)
        assert second
        frames += [first, *others]
    return frames


@pytest.mark.parametrize("make", [begun, holey])
def test_so_many_bytes_wait_in_all_connections_and_no_more(
    make: Callable[[int, int], list[bytes]],
) -> None:
    limits = Limits(waiting=1_000_000)
    pipeline = Pipeline(limits, keep=False)
    file = opened(pcap(make(20, 200_000)))
    with at_most(6 * MB):
        found = sum(len(batch) for batch in batches(file, pipeline))
    (told,) = [one.text for one in pipeline.findings if "--max-waiting" in one.text]
    assert "of 15 connections, in which most did" in told or "of 16 connections" in told
    assert found == (20 if make is begun else 0)
    assert pipeline._waiting == 0


def test_what_is_left_because_it_waits_is_given_out_as_far_as_it_came() -> None:
    capture = captured(pcap(begun(3, 200_000)), Limits(waiting=300_000))
    assert [one.method for one in capture.messages] == ["ping"] * 3
    assert all(one.cut for one in capture.messages)
    # The same without a limit: what was left says why, and no more than that differs.
    whole = captured(pcap(begun(3, 200_000)))
    assert [one.data for one in whole.messages] != []
    assert [len(one.data) for one in capture.messages][1:] == [len(whole.messages[0].data)] * 2


def test_what_waits_is_counted_alike_in_both_ways() -> None:
    frames = begun(5, 20_000) + holey(5, 20_000)
    ways = []
    for short in (True, False):
        pipeline = Pipeline(keep=False)
        most = 0
        for number, frame in enumerate(frames, 1):
            one = packet(number, frame)
            if short:
                pipeline.take(one)
            else:
                pipeline.feed(one)
            most = max(most, pipeline._waiting)
        pipeline.close()
        assert pipeline._waiting == 0
        ways.append(most)
    assert ways[0] == ways[1] > 100_000
