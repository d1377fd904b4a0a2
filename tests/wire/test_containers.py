"""What captures come in: packed files, snoop, netmon, odd kinds of pcap; and what is named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from files import NANOS, opened, pcap
from making import Talk

from pingpong.errors import CaptureError
from pingpong.model import Packet, Severity
from pingpong.wire.capturefile import open_capture, write_capture
from pingpong.wire.containers import Broken, Lz4, unpack_block


def lz4(data: bytes) -> bytes:
    """A frame of one block that is not packed."""
    return (
        b"\x04\x22\x4d\x18\x64\x40\xa7"
        + struct.pack("<I", len(data) | 1 << 31) + data
        + bytes(4) + bytes(4)
    )  # fmt: skip


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "LZ4": lz4,
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_captures_are_read(name: str) -> None:
    pack = PACKED[name]
    whole = pcap(b"abc", b"de")
    for data in (pack(whole), pack(whole[:30]) + pack(whole[30:])):
        file = opened(data)
        assert [one.data for one in file] == [b"abc", b"de"]
        assert file.findings == []


@pytest.mark.parametrize("name", PACKED)
def test_packed_captures_that_break(name: str) -> None:
    noise = random.Random(1).randbytes(400_000)
    data = PACKED[name](pcap(b"abc", noise[:100_000], noise[:100_000], noise[:100_000]))
    for size in (len(data) // 2, len(data) - 9):
        try:
            file = opened(data[:size])
        except CaptureError as error:
            assert "data ends or breaks" in str(error)  # noqa: PT017
            continue
        list(file)
        assert f"{name} data ends or breaks" in file.findings[0].text


@pytest.mark.parametrize("name", PACKED)
def test_any_mutation_of_packed_captures(name: str) -> None:
    rng = random.Random(name)
    whole = PACKED[name](pcap(*[b"abcdefgh" * 9] * 9))
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        try:
            list(opened(bytes(data)))
        except CaptureError as error:
            assert str(error).startswith("x: ")  # noqa: PT017


@pytest.mark.parametrize("options", [[], ["-l"], ["-9", "-BD", "-B4", "-BX"], ["--no-frame-crc"]])
def test_what_lz4_packs(options: list[str], tmp_path: Path) -> None:
    tool = shutil.which("lz4")
    if tool is None:
        pytest.skip("lz4 is not installed")
    rng = random.Random(3)
    data = b"".join(rng.choice((b"a" * 300, b"pong", rng.randbytes(9))) for _ in range(20_000))
    (tmp_path / "x").write_bytes(data)
    subprocess.run([tool, "-qf", *options, "x", "y"], cwd=tmp_path, check=True)
    with open(tmp_path / "y", "rb") as packed:
        reader = Lz4(packed)
        out = b"".join(iter(lambda: reader.read1(1 << 17), b""))
    assert out == data


def test_a_block_of_lz4_is_bounded() -> None:
    # A literal, then that again, 255 times 4000 and more.
    bomb = b"\x1fa\x01\x00" + b"\xff" * 4000 + b"\x00"
    assert len(unpack_block(bomb, b"", 1 << 20)) == 1 + 4 + 15 + 255 * 4000
    with pytest.raises(Broken):
        unpack_block(bomb, b"", 1 << 16)
    for block in (b"\xf0", b"\x10", b"\x10a\x01", b"\x10a\x00\x00", b"\x10a\x02\x00"):
        with pytest.raises(Broken):
            unpack_block(block, b"", 100)


def test_zstandard_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    if sys.version_info >= (3, 14):
        pytest.skip("this Python has Zstandard")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(CaptureError, match=r"pip install 'pingpong\[containers\]'.* zstd -d FILE"):
        opened(b"\x28\xb5\x2f\xfd" + bytes(40))


def test_zstandard(tmp_path: Path) -> None:
    import sys

    tool = shutil.which("zstd")
    if tool is None:
        pytest.skip("zstd is not installed")
    if sys.version_info < (3, 14):
        pytest.importorskip("zstandard")
    write_capture(tmp_path / "x", Talk().open().call(b"abc" * 999).packets)
    subprocess.run([tool, "-q", "x", "-o", "y"], cwd=tmp_path, check=True)
    packed = (tmp_path / "y").read_bytes()
    assert len(list(opened(packed))) == 4
    with pytest.raises(CaptureError, match="Zstandard data ends or breaks"):
        opened(packed[:30])


# ── Other files of packets ───────────────────────────────────────────────────────────


def snoop(*packets: bytes, version: int = 2, link: int = 4) -> bytes:
    out = b"snoop\0\0\0" + struct.pack(">II", version, link)
    for data in packets:
        whole = 24 + len(data) + -len(data) % 4
        out += struct.pack(">IIIIII", len(data) + 2, len(data), whole, 0, NANOS // 10**9, 123_456)
        out += data + bytes(whole - 24 - len(data))
    return out


def test_snoop() -> None:
    file = opened(snoop(b"abc", b"de"))
    packets = list(file)
    assert [(one.data, one.length, one.link) for one in packets] == [(b"abc", 5, 1), (b"de", 4, 1)]
    assert packets[0].time == NANOS // 1000 * 1000
    file = opened(snoop(b"abc", link=99))
    assert list(file) == []
    assert "datalink type 99, want" in file.findings[0].text
    assert file.findings[0].severity is Severity.ERROR


def test_snoop_that_is_cut() -> None:
    whole = snoop(b"abc", b"de")
    for size in range(16, len(whole)):
        file = opened(whole[:size])
        assert len(list(file)) == (size >= 16 + 28)
        errors = [one for one in file.findings if one.severity is Severity.ERROR]
        assert bool(errors) == (size not in (16, 16 + 28))
    with pytest.raises(CaptureError, match="snoop header at offset 0: needs 16 bytes, 15 left"):
        opened(whole[:15])


# What editcap writes, and whether times keep their nanoseconds.
KINDS = ["snoop", "netmon2", "modpcap", "nokiapcap", "rh6_1libpcap", "suse6_3libpcap", "pcapng"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_editcap_writes(kind: str, tmp_path: Path) -> None:
    tool = shutil.which("editcap")
    if tool is None:
        pytest.skip("editcap is not installed")
    packets = Talk().open().call(b"abc").reply(b"d" * 1400).call(b"").close().packets
    write_capture(tmp_path / "x", packets)
    subprocess.run([tool, "-F", kind, "x", "y"], cwd=tmp_path, check=True)
    with open_capture(tmp_path / "y") as file:
        again = list(file)
    assert file.findings == []
    assert [one.data for one in again] == [one.data for one in packets]
    assert {one.link for one in again} == {1}
    for one, other in zip(again, packets, strict=True):
        assert abs(one.time - other.time) <= 1000


@pytest.mark.parametrize("kind", KINDS)
def test_any_mutation_of_them(kind: str, tmp_path: Path) -> None:
    tool = shutil.which("editcap")
    if tool is None:
        pytest.skip("editcap is not installed")
    write_capture(tmp_path / "x", Talk().open().call(b"abc").close().packets)
    subprocess.run([tool, "-F", kind, "x", "y"], cwd=tmp_path, check=True)
    whole = (tmp_path / "y").read_bytes()
    rng = random.Random(kind)
    for _ in range(300):
        data = bytearray(whole[: rng.choice((len(whole), rng.randrange(len(whole))))])
        for _ in range(rng.randrange(4)):
            if data:
                data[rng.randrange(len(data))] = rng.choice((0, 1, 255, rng.randrange(256)))
        try:
            assert all(isinstance(one, Packet) for one in opened(bytes(data)))
        except CaptureError as error:
            assert str(error).startswith("x: ")  # noqa: PT017


# ── What is named ────────────────────────────────────────────────────────────────────

NAMED = {
    "zip": (b"PK\x03\x04" + bytes(40), "this is a zip file: unpack it, .*unzip FILE"),
    "tar": (bytes(257) + b"ustar" + bytes(300), "this is a tar file"),
    "tar.gz": (
        gzip.compress(bytes(257) + b"ustar" + bytes(300)),
        r"\(packed with gzip\): this is a tar file",
    ),
    "iptrace": (b"iptrace 2.0" + bytes(40), "AIX's iptrace: .*editcap -F pcap"),
    "K12 text": (b"+---------+---------------+----------+\r\n", "K12 text file"),
    "netmon 1": (b"RTSS" + bytes(40), "Network Monitor 1: .*editcap"),
    "HAR": (b'{\n  "log": {"version": "1.2"', "this is a HAR file"),
    "JSON": (b'[\n  {\n    "_index": "packets-', "this is JSON, no packets"),
    "hex dump": (b"0000  45 00 00 1e\n", "this is a hex dump: text2pcap"),
    "tcpdump": (b"12:00:01.123456 IP 10.0.0.1.5 > 10.0.0.2.9: Flags [S]\n", "what tcpdump prints"),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_no_capture_is_named(name: str) -> None:
    data, text = NAMED[name]
    with pytest.raises(CaptureError, match=text):
        opened(data)


def test_windows_traces_are_told_by_their_name(tmp_path: Path) -> None:
    path = tmp_path / "trace.etl"
    path.write_bytes(bytes(300))
    with pytest.raises(CaptureError, match="etl2pcapng"):
        open_capture(path)


def test_a_pipe_is_not_waited_for() -> None:
    """The first record alone says enough of how long records are."""

    class Slow(io.RawIOBase):
        def __init__(self, *parts: bytes) -> None:
            self.parts = list(parts)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            assert self.parts, "read further than there was"
            part = self.parts.pop(0)
            memoryview(buffer)[: len(part)] = part  # type: ignore[arg-type]
            return len(part)

    from pingpong.wire.capturefile import CaptureFile

    whole = pcap(b"abc")
    file = CaptureFile(io.BufferedReader(Slow(whole[:24], whole[24:])), "x")
    assert file.advance()
    assert file.packet().data == b"abc"
