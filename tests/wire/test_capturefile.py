"""Capture files: what is read, what is written, and every way in which a file can be bad."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from files import NANOS, opened, pcap
from hypothesis import given
from hypothesis import strategies as st
from making import Talk, packet

from pingpong.errors import CaptureError, PingpongError
from pingpong.model import Packet, Severity
from pingpong.wire.capturefile import CaptureFile, open_capture, write_capture


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order: str = "<", link: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(data: bytes, ticks: int, order: str = "<", index: int = 0) -> bytes:
    head = struct.pack(
        order + "IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)
    )
    return block(6, head + data, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


# ── What is read ─────────────────────────────────────────────────────────────────────

READ = {
    "pcap, little": (pcap(b"abc", b"de"), NANOS),
    "pcap, big": (pcap(b"abc", b"de", order=">"), NANOS),
    "pcap, microseconds": (pcap(b"abc", b"de", nanos=False), NANOS // 1000 * 1000),
    "pcapng, little": (
        section() + interface() + enhanced(b"abc", NANOS // 1000) + enhanced(b"de", NANOS // 1000),
        NANOS // 1000 * 1000,
    ),
    "pcapng, big": (
        section(">")
        + interface(">")
        + enhanced(b"abc", NANOS // 1000, ">")
        + enhanced(b"de", NANOS // 1000, ">"),
        NANOS // 1000 * 1000,
    ),
    "pcapng, nanoseconds": (
        section()
        + interface(options=option(9, b"\x09"))
        + enhanced(b"abc", NANOS)
        + enhanced(b"de", NANOS),
        NANOS,
    ),
    "pcapng, a power of two and an offset": (
        section()
        + interface(options=option(9, b"\x81") + option(14, struct.pack("<q", 1_700_000_000)))
        + enhanced(b"abc", 1)
        + enhanced(b"de", 1),
        1_700_000_000_500_000_000,
    ),
    "pcapng, blocks of other kinds": (
        section() + block(4, bytes(8)) + interface() + block(0xBAD, b"x" * 40)
        + enhanced(b"abc", NANOS // 1000) + block(5, bytes(12)) + enhanced(b"de", NANOS // 1000),
        NANOS // 1000 * 1000,
    ),
    "pcapng, simple packets": (
        section() + interface() + block(3, struct.pack("<I", 3) + b"abc")
        + block(3, struct.pack("<I", 2) + b"de"),
        0,
    ),
    "pcapng, old packets": (
        section() + interface()
        + block(2, struct.pack("<HHIIII", 0, 0, 0, 5, 3, 3) + b"abc")
        + block(2, struct.pack("<HHIIII", 0, 0, 0, 5, 2, 2) + b"de"),
        5000,
    ),
    "pcapng, two sections": (
        section() + interface() + enhanced(b"abc", 7) + section(">") + interface(">")
        + enhanced(b"de", 7, ">"),
        7000,
    ),
}  # fmt: skip


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", READ)
def test_read(name: str, packed: bool) -> None:
    data, time = READ[name]
    file = opened(gzip.compress(data) if packed else data)
    packets = list(file)
    assert [p.data for p in packets] == [b"abc", b"de"]
    assert [p.number for p in packets] == [1, 2]
    assert [p.time for p in packets] == [time, time]
    assert [p.link for p in packets] == [1, 1]
    assert file.findings == []


def test_the_link_type_stands_below_the_checksum_length() -> None:
    assert next(iter(opened(pcap(b"x", link=0x24000001)))).link == 1


def test_packets_dropped_while_capturing_are_reported() -> None:
    statistics = block(5, bytes(12) + option(5, struct.pack("<Q", 42)))
    file = opened(section() + interface() + enhanced(b"abc", 1) + statistics)
    assert len(list(file)) == 1
    assert "42 packets were dropped" in file.findings[0].text


# ── What is bad ──────────────────────────────────────────────────────────────────────

NO_CAPTURE = {
    b"": "x: is empty, want a pcap or pcapng capture",
    b"hello, world": "x: is not a capture: begins with 68 65 6c 6c, want a pcap",
    b"\x00": "x: is not a capture: begins with 00, want a pcap",
    pcap()[:20]: "x: pcap header at offset 0: needs 24 bytes, 20 left",
    section()[:8]: "x: section header at offset 0: byte order is missing",
    section()[:8] + b"abcd": "x: section header at offset 0: byte order is 61 62 63 64",
    b"\x1f\x8bnot gzip at all": "x: gzip data ends or breaks",
    gzip.compress(pcap(b"abc"))[:12]: "x: gzip data ends or breaks",
    gzip.compress(b""): "x: is empty",
}


@pytest.mark.parametrize("data", NO_CAPTURE, ids=NO_CAPTURE.values())
def test_no_capture(data: bytes) -> None:
    with pytest.raises(CaptureError) as caught:
        opened(data)
    assert str(caught.value).startswith(NO_CAPTURE[data])


BAD = {
    "a record cut in its head": (pcap(b"abc") + bytes(7), "packet record at offset 43: needs 16"),
    "a record cut in its data": (pcap(b"abc", b"defg")[:-2], "packet at offset 59: needs 4"),
    "a record too large": (
        pcap(b"abc") + struct.pack("<IIII", 0, 0, 300_000, 300_000) + bytes(300_000),
        "packet record at offset 43: has 300000 bytes, want at most 262144",
    ),
    "larger than the snaplen": (
        pcap(b"abc", snaplen=2),
        "packet 1 at offset 24: has 3 bytes, the file's snaplen wants at most 2",
    ),
    "a snaplen of 0": (pcap(b"abc", snaplen=0), "snaplen at offset 16: is 0, want 1 or more"),
    "gzip cut off": (
        gzip.compress(pcap(b"abc") + pcap(bytes(range(256)) * 99)[24:], mtime=0)[:-20],
        "gzip data ends or breaks",
    ),
    "a block cut in its head": (
        section() + interface() + enhanced(b"abc", 1) + b"\x06\0\0",
        "block at offset 84: needs 8 bytes, 3 left",
    ),
    "a block of odd length": (
        section() + interface() + enhanced(b"abc", 1) + struct.pack("<II", 6, 33) + bytes(99),
        "block at offset 84: length is 33, want a multiple of 4",
    ),
    "a block of no length": (
        section() + interface() + enhanced(b"abc", 1) + struct.pack("<II", 6, 0) + bytes(99),
        "block at offset 84: length is 0, want a multiple of 4",
    ),
    "a block whose lengths differ": (
        section() + interface() + enhanced(b"abc", 1) + enhanced(b"abc", 1)[:-4] + bytes(4),
        "block at offset 84: its second length is 0, want 36",
    ),
    "a packet of no interface": (
        section() + interface() + enhanced(b"abc", 1) + enhanced(b"abc", 1, index=1),
        "packet block at offset 84: interface is 1, want less than 1",
    ),
    "a packet larger than its block": (
        section() + interface() + enhanced(b"abc", 1)
        + block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99) + b"abc"),
        "packet block at offset 84: needs 119 bytes, 24 left",
    ),
    "a packet block too short": (
        section() + interface() + enhanced(b"abc", 1) + block(6, bytes(8)),
        "packet block at offset 84: needs 20 bytes, 8 left",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_file_gives_what_came_before(name: str) -> None:
    data, text = BAD[name]
    file = opened(data)
    packets = list(file)
    assert packets[0].data == b"abc"
    assert len(packets) == 1
    assert text in file.findings[0].text
    assert file.findings[0].severity is Severity.ERROR


def test_cut_packets_are_reported_once() -> None:
    record = struct.pack("<IIII", 0, 0, 3, 1500) + b"abc"
    file = opened(pcap(snaplen=3) + record + record)
    assert [p.length for p in file] == [1500, 1500]
    assert [f.text for f in file.findings] == [
        "x: packet 1 at offset 24: 3 of its 1500 bytes were captured (snaplen 3). "
        "Capture with a larger snaplen (tcpdump -s 0)"
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be opened: No such file"):
        open_capture(tmp_path / "nothing.pcap")
    with pytest.raises(CaptureError, match="cannot be opened: Is a directory"):
        open_capture(tmp_path)


@given(st.binary(max_size=400), st.sampled_from([b"", pcap()[:24], section() + interface()]))
def test_any_bytes(tail: bytes, head: bytes) -> None:
    """Bytes of any kind end in packets, findings or a CaptureError, and in nothing else."""
    try:
        file = opened(head + tail)
    except PingpongError:
        return
    total = sum(len(p.data) for p in file)
    assert total <= len(head + tail)


@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(sorted(READ)))
def test_any_mutation(at: int, byte: int, name: str) -> None:
    data = bytearray(READ[name][0])
    data[at % len(data)] = byte
    try:
        file = opened(bytes(data))
    except PingpongError:
        return
    assert sum(len(p.data) for p in file) <= len(data)


# ── Writing ──────────────────────────────────────────────────────────────────────────


def test_write_and_read_again(tmp_path: Path) -> None:
    packets = Talk().open().call(b"abc").close().packets
    packets[3] = Packet(4, NANOS, 1, packets[3].data[:60], packets[3].length)
    path = tmp_path / "x.pcap"
    assert write_capture(path, packets) == len(packets)
    with open_capture(path) as file:
        again = list(file)
    for one, other in zip(packets, again, strict=True):
        assert (one.time, one.link, one.data, one.length) == (
            other.time, other.link, other.data, other.length,
        )  # fmt: skip


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(b"before")

    def broken() -> object:
        yield packet(1, b"abc")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_capture(path, broken())  # type: ignore[arg-type]
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pcap_has_one_link_type(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="packet 2 has link type 101, want 1"):
        write_capture(tmp_path / "x.pcap", [packet(1, b"a"), packet(2, b"b", link=101)])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be written: No such file or directory"):
        write_capture(tmp_path / "no" / "x.pcap", [])


def test_standard_input() -> None:
    program = "from pingpong.wire.capturefile import *; print(len(list(open_capture('-'))))"
    done = subprocess.run(
        [sys.executable, "-c", program], input=pcap(b"a", b"b"), capture_output=True, check=True
    )
    assert done.stdout == b"2\n"


def test_tshark_reads_what_we_write(tmp_path: Path, tshark: str) -> None:
    packets = Talk().open().call(b"abc").close().packets
    write_capture(tmp_path / "x.pcap", packets)
    done = subprocess.run(
        [tshark, "-r", str(tmp_path / "x.pcap"), "-T", "fields", "-e", "frame.number",
         "-e", "frame.time_epoch"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [int(row[0]) for row in rows] == [p.number for p in packets]
    assert [int(row[1].replace(".", "")) for row in rows] == [p.time for p in packets]


# ── A batch is what one read brings ──────────────────────────────────────────────────


class Pipe(io.RawIOBase):
    """Gives a piece a read, as a pipe does that is written to now and then.  Who reads on
    behind the last piece would wait: that fails the test."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        assert self.pieces, "it waits for more than it needs"
        piece = self.pieces.pop(0)
        buffer[: len(piece)] = piece
        return len(piece)


NG = section() + interface() + enhanced(b"one", 1) + enhanced(b"three", 2) + enhanced(b"five!", 3)


@pytest.mark.parametrize(
    ("whole", "last"),
    [(pcap(b"one", b"three", b"five!"), 16 + 5), (NG, len(enhanced(b"five!", 3)))],
    ids=["pcap", "pcapng"],
)
def test_packets_are_given_out_when_they_are_there(whole: bytes, last: int) -> None:
    """A live capture in a pipe: no packet waits for the next one."""
    for cut in range(len(whole) - last, len(whole)):
        file = CaptureFile(io.BufferedReader(Pipe(whole[:cut], whole[cut:], b"")), "pipe")
        first = file.batch()
        assert [packet.data for packet in first] == [b"one", b"three"]
        assert [packet.data for packet in file.batch()] == [b"five!"]
        assert file.batch() == []
        assert file.findings == []
