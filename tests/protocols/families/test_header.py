"""THeader: tables of bytes and meanings, a witness, captures, then hostile bytes."""

from __future__ import annotations

import random
import struct
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
from making import ADD
from thrift.transport.THeaderTransport import THeaderTransformID, THeaderTransport
from thrift.transport.TTransport import TMemoryBuffer

from pingpong.model import DEFAULT_LIMITS, Limits
from pingpong.protocols.families.thrift.theader import HeaderTransport, begins, describe

COMPACT_ADD = bytes.fromhex("82 21 01 03 616464 15 04 15 50 00")


def frame(head: str, payload: bytes, magic: int = 0x0FFF) -> bytes:
    """A frame: ``head`` is the hex of what follows the fixed part, without its padding."""
    info = bytes.fromhex(head)
    info += bytes(-len(info) % 4)
    body = struct.pack(">HHIH", magic, 0, 7, len(info) // 4) + info + payload
    return struct.pack(">I", len(body)) + body


PLAIN = frame("00 00", ADD)
VALUES = frame("02 00 01 02 03 6b6579 05 76616c7565 01 61 00", COMPACT_ADD)
PACKED = frame("00 01 01", zlib.compress(ADD))


def test_frames_one_after_the_other() -> None:
    done = drive_all(HeaderTransport, PLAIN + VALUES + PACKED)
    assert (done.error, done.left) == ("", 0)
    assert [(unit.protocol, unit.start, unit.findings) for unit in done.units] == [
        ("binary", 18, ()),
        ("compact", 34, ()),
        ("binary", 18, ()),
    ]
    assert [unit.data for unit in done.units] == [PLAIN, VALUES, PACKED[:18] + ADD]
    assert methods(done.units) == ["add"] * 3


def test_what_the_bytes_before_the_message_say() -> None:
    parts = describe(VALUES, 34)
    assert sum(size for size, *_ in parts) == 34
    assert [(size, label, meaning) for size, label, meaning, _ in parts] == [
        (4, "frame length", "42"),
        (2, "magic", "0x0fff"),
        (2, "flags", "0x0000"),
        (4, "sequence number", "7"),
        (2, "head size", "5"),
        (1, "protocol id", "2 compact"),
        (1, "transform count", "0"),
        (1, "info id", "1 key/values"),
        (1, "count", "2"),
        (1, "key length", "3"),
        (3, "key", '"key"'),
        (1, "value length", "5"),
        (5, "value", '"value"'),
        (1, "key length", "1"),
        (1, "key", '"a"'),
        (1, "value length", "0"),
        (3, "padding", "3 bytes"),
    ]
    assert (1, "transform id", "1 zlib") in [part[:3] for part in describe(PACKED, 18)]


def test_a_message_may_be_framed_once_more() -> None:
    data = frame("00 00", struct.pack(">I", len(ADD)) + ADD)
    (unit,) = drive_all(HeaderTransport, data).units
    assert (unit.start, unit.protocol, unit.data) == (22, "binary", data)
    assert describe(data, 22)[-1][:3] == (4, "frame length", str(len(ADD)))


# name: frame, what, finding
PASSED_OVER = {
    "snappy": (
        frame("00 01 03", ADD),
        "THeader frame with transform 3 snappy, which is not undone",
        "transform at offset 16: is 3 snappy, want 1 zlib",
    ),
    "hmac": (
        frame("00 02 01 02 10", ADD),
        "THeader frame with transform 2 hmac, which is not undone",
        "transform at offset 16: is 2 hmac, want 1 zlib",
    ),
    "too often": (
        frame("00 09" + " 01" * 9, ADD),
        "THeader frame with transform 9 times 1 zlib, which is not undone",
        "transform at offset 16: is 9 times 1 zlib, want 1 zlib",
    ),
    "no zlib": (
        frame("00 01 01", ADD),
        "THeader frame with a payload, protocol 0 binary, that begins no Thrift message",
        "zlib payload at offset 18: incorrect header check",
    ),
    "no message": (
        frame("02 00", b"hello"),
        "THeader frame with a payload, protocol 2 compact, that begins no Thrift message",
        "payload at offset 18: no Thrift message begins there",
    ),
    "head over the frame": (
        struct.pack(">IHHIH", 10, 0x0FFF, 0, 0, 9),
        "THeader frame whose head cannot be read",
        "head size at offset 12: is 9, want at most 0",
    ),
    "transforms over the head": (
        frame("00 ff ff ff 7f 01 01 01", ADD),
        "THeader frame whose head cannot be read",
        "transform id at offset 22: needs 1 byte, 0 left",
    ),
}


@pytest.mark.parametrize("name", PASSED_OVER)
def test_a_frame_that_cannot_be_read_is_passed_over(name: str) -> None:
    data, what, finding = PASSED_OVER[name]
    bad, good = drive_all(HeaderTransport, data + PLAIN).units
    assert (bad.protocol, bad.what, bad.findings) == ("", what, (finding,))
    assert good.protocol == "binary"


# name: frame, finding
ODD = {
    "protocol id": (
        frame("02 00", ADD),
        "the head says protocol 2 compact, and the message is binary",
    ),
    "unknown info": (
        frame("00 00 07 00", ADD),
        "info id at offset 16: is 7, want one of 1 key/values, 2 lasting key/values",
    ),
    "key over the head": (
        frame("00 00 01 01 7f", ADD),
        "key at offset 19: needs 127 bytes, 3 left",
    ),
    "zlib cut": (
        frame("00 01 01", zlib.compress(ADD)[:-2]),
        "zlib payload at offset 18: its end is missing",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_does_not_hide_the_message(name: str) -> None:
    data, finding = ODD[name]
    (unit,) = drive_all(HeaderTransport, data).units
    assert (unit.protocol, unit.findings) == ("binary", (finding,))
    assert sum(size for size, *_ in describe(unit.data, unit.start)) == unit.start


REFUSED = {
    "80010001 00000003": "frame length at offset 0: is -2147418111, want 1 or more",
    "00000009 0fff": "frame length at offset 0: is 9, want 10 or more",
    "00000000 0fff": "frame length at offset 0: is 0, want 1 or more",
    "7f000000 0fff": "frame length at offset 0: is 2130706432, want at most 16384000",
    "00000010 0ffe": "THeader magic at offset 4: is 0x0ffe, want 0x0fff",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    assert drive_all(HeaderTransport, bytes.fromhex(text) + bytes(40)).error == REFUSED[text]


def test_what_is_there_of_a_cut_frame_is_kept() -> None:
    for data, start in ((PLAIN, 18), (VALUES, 34), (PACKED, 18)):
        for stop in range(len(data)):
            rest = drive(HeaderTransport(DEFAULT_LIMITS, protocol_at), data[:stop]).rest
            if rest is not None:
                assert rest.start == start
    rest = drive(HeaderTransport(DEFAULT_LIMITS, protocol_at), PLAIN[:-5]).rest
    assert rest is not None
    assert rest.data == PLAIN[:-5]
    rest = drive(HeaderTransport(DEFAULT_LIMITS, protocol_at), PACKED[:-6]).rest
    assert rest is not None
    assert ADD.startswith(rest.data[18:])


def test_lost_bytes_are_known_to_lie_inside_unless_they_are_packed() -> None:
    transport = HeaderTransport(DEFAULT_LIMITS, protocol_at)
    for data, wanted in ((PLAIN, len(PLAIN)), (VALUES, len(VALUES)), (PACKED, 0)):
        assert transport.known_until(bytearray(data), len(data) - 4) == wanted
        assert transport.known_until(bytearray(data), 15) == 0
        assert transport.frame_stop(bytearray(data), len(data) - 4) == len(data)


def test_a_bomb_is_not_unpacked() -> None:
    limits = Limits(message=1000)
    bomb = frame("00 01 01", zlib.compress(ADD + bytes(1_000_000)))
    bad, good = drive_all(HeaderTransport, bomb + PLAIN, limits).units
    assert bad.findings == ("zlib payload at offset 18: it holds over 1000 bytes (--max-unpacked)",)
    assert (bad.protocol, len(bad.data)) == ("", 18)
    assert good.protocol == "binary"


# ── Telling it from others ───────────────────────────────────────────────────────────

BEGINS = {
    "plain": (PLAIN, True),
    "values": (VALUES, True),
    "packed": (PACKED, True),
    "cut in the head": (VALUES[:20], None),
    "cut behind it": (PLAIN[:18], None),
    "nothing": (b"", None),
    "another magic": (frame("00 00", ADD, 0x0FFE), False),
    "an unknown protocol": (frame("07 00", ADD), False),
    "no message": (frame("00 00", b"hello"), False),
    "zeros": (bytes(64), False),
}


@pytest.mark.parametrize("name", BEGINS)
def test_begins(name: str) -> None:
    data, wanted = BEGINS[name]
    assert begins_of(begins, data) is wanted


def test_nothing_else_begins_like_it(edge_captures: Path) -> None:
    count = 0
    for name, data in other_streams(edge_captures, ("10_", "11_")):
        assert begins_of(begins, data) is not True, name
        count += 1
    assert count > 100


# ── Witnesses ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("packed", [False, True])
def test_what_apache_writes(packed: bool) -> None:
    wire = TMemoryBuffer()
    theirs = THeaderTransport(wire, allowed_client_types=[0])
    if packed:
        theirs.add_transform(THeaderTransformID.ZLIB)
    theirs.flags = 5
    theirs.sequence_id = 9
    theirs.set_header(b"trace", "ключ".encode())
    theirs.write(ADD)
    theirs.flush()
    theirs.write(ADD)
    theirs.flush()
    done = drive_all(HeaderTransport, wire.getvalue())
    assert [unit.data[unit.start :] for unit in done.units] == [ADD, ADD]
    parts = describe(done.units[0].data, done.units[0].start)
    said = {label: meaning for _, label, meaning, _ in parts}
    assert (said["flags"], said["sequence number"]) == ("0x0005", "9")
    assert (said["key"], said["value"]) == ('"trace"', '"ключ"')
    assert begins_of(begins, wire.getvalue())


@pytest.mark.parametrize("name", ["10_theader_bin", "11_theader_compact_zlib"])
def test_captures(name: str, edge_captures: Path) -> None:
    found = streams(edge_captures / f"{name}.pcap")
    for side, wanted in (("client", CALLS), ("server", REPLIES)):
        data = found[1, side]
        assert begins_of(begins, data)
        done = drive_all(HeaderTransport, data)
        assert methods(done.units) == wanted
        assert [unit.header.seqid for unit in done.units] == list(range(1, len(wanted) + 1))
        assert all(not unit.findings for unit in done.units)
        for unit in done.units:
            assert sum(size for size, *_ in describe(unit.data, unit.start)) == unit.start


# ── Hostile bytes ────────────────────────────────────────────────────────────────────

STREAM = PLAIN + VALUES + PACKED


@given(st.integers(0, 2**32 - 1))
def test_mutated_bytes_do_no_harm(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(STREAM)
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    done = drive_all(HeaderTransport, bytes(data))
    for unit in done.units:
        if unit.protocol:
            assert sum(size for size, *_ in describe(unit.data, unit.start)) == unit.start
    begins_of(begins, bytes(data))


@given(st.binary(max_size=200))
def test_any_head_can_be_walked(head: bytes) -> None:
    data = frame(head.hex(), ADD)
    drive_all(HeaderTransport, data)
    parts = describe(data, len(data) - len(ADD))
    assert sum(size for size, *_ in parts) == len(data) - len(ADD)
