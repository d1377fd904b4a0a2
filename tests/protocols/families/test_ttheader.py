"""TTHeader: tables of bytes and meanings, then hostile bytes.

No implementation of it can be installed here: the table's bytes are written as CloudWeGo's
page on the format and Kitex's own source lay them out.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from driving import begins_of, drive_all, methods, other_streams
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, framed
from surrounding import ttheader_frame as frame

from pingpong.protocols.families.thrift.ttheader import TTHeaderTransport, begins, describe

PLAIN = frame("00 00", ADD)
FULL = frame(
    "00 00"
    "01 0001 0003 726970 0009 3132372e302e302e31"  # a string: rip, 127.0.0.1
    "10 0002 0003 0001 61 0063 0000"  # numbers: 3 from service, 99
    "11 0002 746b",  # the token
    framed(ADD),
)


def test_frames_one_after_the_other() -> None:
    done = drive_all(TTHeaderTransport, PLAIN + FULL)
    assert (done.error, done.left) == ("", 0)
    assert [unit.data for unit in done.units] == [PLAIN, FULL]
    assert [(unit.protocol, unit.start, unit.findings) for unit in done.units] == [
        ("binary", 18, ()),
        ("binary", len(FULL) - len(ADD), ()),
    ]
    assert methods(done.units) == ["add", "add"]


def test_what_the_bytes_before_the_message_say() -> None:
    stop = len(FULL) - len(ADD)
    parts = describe(FULL, stop)
    assert sum(size for size, *_ in parts) == stop
    assert [(size, label, meaning) for size, label, meaning, _ in parts] == [
        (4, "frame length", str(len(FULL) - 4)),
        (2, "magic", "0x1000"),
        (2, "flags", "0x0000"),
        (4, "sequence number", "1"),
        (2, "head size", "10"),
        (1, "protocol id", "0 binary"),
        (1, "transform count", "0"),
        (1, "info id", "1 key/values"),
        (2, "count", "1"),
        (2, "key length", "3"),
        (3, "key", '"rip"'),
        (2, "value length", "9"),
        (9, "value", '"127.0.0.1"'),
        (1, "info id", "16 numbered values"),
        (2, "count", "2"),
        (2, "key", "3 from service"),
        (2, "value length", "1"),
        (1, "value", '"a"'),
        (2, "key", "99 unknown"),
        (2, "value length", "0"),
        (1, "info id", "17 access token"),
        (2, "token length", "2"),
        (2, "token", '"tk"'),
        (2, "padding", "2 bytes"),
        (4, "frame length", "30"),
    ]


# name: frame, protocol, what, finding
ODD = {
    "unknown info": (
        frame("00 00 07", ADD),
        "binary",
        "",
        "info id at offset 16: is 7, want one of 1 key/values, 16 numbered values, 17 access token",
    ),
    "value over the head": (
        frame("00 00 11 ffff 61", ADD),
        "binary",
        "",
        "token at offset 19: needs 65535 bytes, 3 left",
    ),
    "protobuf": (
        frame("04 00", b"\x0a\x03add"),
        "",
        "TTHeader frame with a payload, protocol 4 protobuf, that begins no Thrift message",
        None,
    ),
    "a transform": (
        frame("00 01 04", ADD),
        "",
        "TTHeader frame with transform 4 qlz, which is not undone",
        "transform at offset 16: is 4 qlz, want 1 zlib",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd(name: str) -> None:
    data, protocol, what, finding = ODD[name]
    odd, good = drive_all(TTHeaderTransport, data + PLAIN).units
    assert (odd.protocol, odd.what) == (protocol, what)
    assert odd.findings == (() if finding is None else (finding,))
    assert good.protocol == "binary"


def test_theader_is_refused() -> None:
    data = struct.pack(">IHHIH", 40, 0x0FFF, 0, 0, 1) + bytes(30)
    done = drive_all(TTHeaderTransport, data)
    assert done.error == "TTHeader magic at offset 4: is 0x0fff, want 0x1000"


BEGINS = {
    "plain": (PLAIN, True),
    "full": (FULL, True),
    "cut": (FULL[:30], None),
    "cut behind the head": (PLAIN[:18], None),
    "protobuf": (frame("04 00", b"\x0a\x03add"), False),
    "an unknown info": (frame("00 00 07", ADD), False),
    # Numbers of 32 bits in little-endian, as many protocols have them.
    "structures of others": (
        bytes.fromhex("00000100 10000000 00000000 00010000") + bytes(300),
        False,
    ),
}


@pytest.mark.parametrize("name", BEGINS)
def test_begins(name: str) -> None:
    data, wanted = BEGINS[name]
    assert begins_of(begins, data) is wanted


def test_nothing_else_begins_like_it(edge_captures: Path) -> None:
    count = 0
    for name, data in other_streams(edge_captures, ()):
        assert begins_of(begins, data) is not True, name
        count += 1
    assert count > 100


@given(st.integers(0, 2**32 - 1))
def test_mutated_bytes_do_no_harm(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(FULL + PLAIN)
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    for unit in drive_all(TTHeaderTransport, bytes(data)).units:
        if unit.protocol:
            assert sum(size for size, *_ in describe(unit.data, unit.start)) == unit.start
    begins_of(begins, bytes(data))


@given(st.binary(max_size=200))
def test_any_head_can_be_walked(head: bytes) -> None:
    data = frame(head.hex(), ADD)
    drive_all(TTHeaderTransport, data)
    parts = describe(data, len(data) - len(ADD))
    assert sum(size for size, *_ in parts) == len(data) - len(ADD)
