"""zlib: streams of both kinds, cut everywhere; a witness; captures; then hostile bytes."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from pathlib import Path

import pytest
from driving import (
    CALLS,
    REPLIES,
    begins_of,
    drive,
    drive_all,
    methods,
    other_streams,
    protocol_at,
    streams,
)
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, PING, PONG, framed
from thrift.transport.TTransport import TMemoryBuffer
from thrift.transport.TZlibTransport import TZlibTransport

from pingpong.model import DEFAULT_LIMITS, Limits
from pingpong.protocols.encodings.binary import write_header
from pingpong.protocols.families.thrift.deflate import DeflateTransport, begins, describe

COMPACT_ADD = bytes.fromhex("82 21 01 03 616464 15 04 15 50 00")
MESSAGES = [ADD, PING, COMPACT_ADD, PONG]


def one_stream(*flushed: bytes, end: bool = False) -> bytes:
    """A stream with a flush behind each of ``flushed``."""
    packer = zlib.compressobj()
    out = b""
    for data in flushed:
        out += packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
    return out + (packer.flush() if end else b"")


def long_message(size: int, seed: int = 1) -> bytes:
    """An ONEWAY with a string of ``size`` bytes that hardly can be packed."""
    content = random.Random(seed).randbytes(size)
    return write_header(b"m", 4, 0) + b"\x0b\0\x01" + size.to_bytes(4, "big") + content + b"\0"


# ── Streams ──────────────────────────────────────────────────────────────────────────


def test_one_stream_for_all() -> None:
    data = one_stream(*MESSAGES)
    done = drive_all(DeflateTransport, data)
    assert (done.error, done.left, done.rest) == ("", 0, None)
    assert [unit.data for unit in done.units] == MESSAGES
    assert [unit.protocol for unit in done.units] == ["binary", "binary", "compact", "binary"]
    # Each message ends with its flush.
    assert [data[unit.at :][: unit.stop][-4:] for unit in done.units] == [b"\0\0\xff\xff"] * 4


def test_a_stream_for_each() -> None:
    done = drive_all(DeflateTransport, b"".join(zlib.compress(one) for one in MESSAGES))
    assert (done.error, done.left) == ("", 0)
    assert [unit.data for unit in done.units] == MESSAGES
    assert [unit.stop for unit in done.units] == [len(zlib.compress(one)) for one in MESSAGES]


def test_framed_inside() -> None:
    frames = [framed(one) for one in MESSAGES]
    done = drive_all(DeflateTransport, one_stream(*frames))
    assert [unit.data for unit in done.units] == frames
    assert [unit.start for unit in done.units] == [4] * 4
    assert describe(frames[0], 4)[0][:3] == (4, "frame length", "30")
    assert describe(ADD, 0) == []


@pytest.mark.parametrize("wrap", [bytes, framed])
def test_several_messages_in_a_flush(wrap: type[bytes]) -> None:
    parts = [wrap(one) for one in MESSAGES]
    data = one_stream(b"".join(parts), b"".join(parts))
    done = drive_all(DeflateTransport, data)
    assert [unit.data for unit in done.units] == parts * 2
    assert (done.left, sum(unit.stop for unit in done.units)) == (0, len(data))
    assert [unit.stop for unit in done.units[1:4]] == [0, 0, 1]


def test_flushes_in_the_middle_of_a_message() -> None:
    data = ADD + PING + PONG
    done = drive_all(DeflateTransport, one_stream(data[:10], data[10:45], data[45:70], data[70:]))
    assert [unit.data for unit in done.units] == [ADD, PING, PONG]


@pytest.mark.parametrize("size", [5_000, 70_000, 200_000])
def test_a_long_message(size: int) -> None:
    long = long_message(size)
    data = one_stream(PING, long, PING)
    whole = drive(DeflateTransport(DEFAULT_LIMITS, protocol_at), data)
    assert [unit.data for unit in whole.units] == [PING, long, PING]
    for step in (1000, 4096, 65_536):
        assert drive(DeflateTransport(DEFAULT_LIMITS, protocol_at), data, step) == whole


def test_many_messages_at_once() -> None:
    done = drive(DeflateTransport(DEFAULT_LIMITS, protocol_at), one_stream(ADD * 20_000))
    assert len(done.units) == 20_000
    assert done.left == 0
    apart = zlib.compress(ADD) * 5_000
    assert len(drive(DeflateTransport(DEFAULT_LIMITS, protocol_at), apart).units) == 5_000


def test_bytes_that_hold_nothing() -> None:
    data = one_stream(PING, b"", b"", end=True)
    done = drive_all(DeflateTransport, data)
    assert [(unit.data, unit.what) for unit in done.units] == [(PING, "")] + [(b"", "")] * 3
    assert done.left == 0


# ── What is wrong ────────────────────────────────────────────────────────────────────


def test_a_bad_message_does_not_hide_the_one_behind_the_flush() -> None:
    bad = ADD[:15] + b"\x63" + ADD[16:]
    done = drive_all(DeflateTransport, one_stream(bad, PING))
    assert [unit.data for unit in done.units] == [bad, PING]
    assert done.units[0].findings[0].startswith("inflated field type at offset 15: is 99, want")
    assert methods(done.units) == ["add", "ping"]


def test_what_is_no_message() -> None:
    done = drive_all(DeflateTransport, one_stream(b"hello, world", PING))
    assert [(unit.protocol, unit.what, unit.findings) for unit in done.units] == [
        (
            "",
            "inflated bytes that begin no Thrift message",
            (
                "inflated bytes at offset 0: is 68 65 6c 6c 6f 2c 20 77 6f 72 6c 64, want a Thrift "
                "message",
            ),
        ),
        ("binary", "", ()),
    ]


def test_bytes_that_do_not_inflate() -> None:
    data = one_stream(PING)
    done = drive_all(DeflateTransport, data + b"\xff" * 20)
    assert methods(done.units) == ["ping"]
    assert done.error == "zlib stream at offset 0: is invalid block type, want one that inflates"
    assert done.left >= 1


def test_nothing_is_read_behind_a_fault() -> None:
    transport = DeflateTransport(DEFAULT_LIMITS, protocol_at)
    assert drive(transport, b"\xff" * 20).error
    again = drive(transport, one_stream(PING))
    assert again.error == "zlib stream at offset 0: is broken before, want bytes behind no fault"


def test_what_is_there_of_a_cut_message_is_kept() -> None:
    transport = DeflateTransport(DEFAULT_LIMITS, protocol_at)
    rest = drive(transport, one_stream(PING, ADD[:20])).rest
    assert rest is not None
    assert (rest.data, rest.start, rest.protocol) == (ADD[:20], 0, "binary")
    assert not transport.is_whole
    transport = DeflateTransport(DEFAULT_LIMITS, protocol_at)
    rest = drive(transport, one_stream(PING, ADD)[:-4]).rest
    assert rest is not None
    assert rest.data == ADD
    assert transport.is_whole


def test_a_bomb_takes_no_memory() -> None:
    head = write_header(b"m", 4, 0) + b"\x0b\0\x01" + (1 << 28).to_bytes(4, "big")
    packer = zlib.compressobj(9)
    data = packer.compress(head)
    for _ in range(64):
        data += packer.compress(bytes(1 << 20))
    data += packer.flush()
    limits = Limits(message=1 << 20)
    tracemalloc.start()
    try:
        done = drive(DeflateTransport(limits, protocol_at), data)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    said = "is over 1048576 bytes (--max-unpacked), want at most 1048576"
    assert done.error == f"inflated message at offset 0: {said}"
    assert most < 8 << 20


def test_a_full_stop_at_the_limit_is_the_same_for_every_cut() -> None:
    limits = Limits(message=100)
    for size in (60, 68, 69, 70, 100):
        drive_all(DeflateTransport, one_stream(PING, long_message(size), PING), limits)


# ── Telling it from others ───────────────────────────────────────────────────────────

BEGINS = {
    "one stream": (one_stream(*MESSAGES), True),
    "a stream for each": (zlib.compress(PING), True),
    "compact": (one_stream(COMPACT_ADD), True),
    "framed": (one_stream(framed(ADD)), True),
    "framed, long": (one_stream(framed(long_message(3000))), True),
    "JSON": (one_stream(b'[1,"add",1,1,{}]'), True),
    "fast": (zlib.compress(PING, 1), True),
    "cut": (one_stream(PING)[:4], None),
    "one byte": (b"\x78", None),
    "text": (zlib.compress(b"hello, world" * 9), False),
    "zeros": (zlib.compress(bytes(1000)), False),
    "no zlib": (b"x\x9cx\x9c" * 30, False),
    "a wrong sum": (b"x\x9d" + bytes(40), False),
    "x marks": (b"xylophone", False),
}


@pytest.mark.parametrize("name", BEGINS)
def test_begins(name: str) -> None:
    data, wanted = BEGINS[name]
    assert begins_of(begins, data) is wanted


def test_nothing_else_begins_like_it(edge_captures: Path) -> None:
    count = 0
    for name, data in other_streams(edge_captures, ("15_",)):
        assert begins_of(begins, data) is not True, name
        count += 1
    assert count > 100


# ── Witnesses ────────────────────────────────────────────────────────────────────────


def test_what_apache_writes() -> None:
    wire = TMemoryBuffer()
    theirs = TZlibTransport(wire)
    for one in MESSAGES * 3:
        theirs.write(one)
        theirs.flush()
    done = drive_all(DeflateTransport, wire.getvalue())
    assert [unit.data for unit in done.units] == MESSAGES * 3
    assert begins_of(begins, wire.getvalue())


def test_capture(edge_captures: Path) -> None:
    found = streams(edge_captures / "15_zlib.pcap")
    for side, wanted in (("client", CALLS), ("server", REPLIES)):
        done = drive_all(DeflateTransport, found[1, side])
        assert methods(done.units) == wanted
        assert done.left == 0
        assert begins_of(begins, found[1, side])


# ── Hostile bytes ────────────────────────────────────────────────────────────────────

STREAMS = [
    one_stream(*MESSAGES),
    one_stream(b"".join(MESSAGES), b"".join(framed(one) for one in MESSAGES)),
    b"".join(zlib.compress(one) for one in MESSAGES),
]


@given(st.sampled_from(STREAMS), st.integers(0, 2**32 - 1))
def test_mutated_bytes_do_no_harm(data: bytes, seed: int) -> None:
    rng = random.Random(seed)
    mutated = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        mutated[rng.randrange(len(mutated))] = rng.randrange(256)
    drive_all(DeflateTransport, bytes(mutated))
    begins_of(begins, bytes(mutated))


@given(st.lists(st.binary(max_size=40), max_size=8), st.booleans())
def test_any_content_does_no_harm(contents: list[bytes], apart: bool) -> None:
    if apart:
        drive_all(DeflateTransport, b"".join(zlib.compress(one) for one in contents))
    else:
        drive_all(DeflateTransport, one_stream(*contents))
