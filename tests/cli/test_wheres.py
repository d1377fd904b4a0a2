"""``pingpong struct`` on bytes that are more than one struct: where it is, and how to read it."""

from __future__ import annotations

import json
from pathlib import Path

import fuzz
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, framed

from pingpong.cli import run as main
from pingpong.cli.find_structs import places, remark_on
from pingpong.model import DEFAULT_LIMITS

# Field 1 is an i32, field 2 a string, field 3 an i64.
BINARY = (
    bytes.fromhex("08 0001 0000002a 0b 0002 00000005")
    + b"hello"
    + bytes.fromhex("0a 0003 0000000000000007 00")
)
COMPACT = bytes.fromhex("15 54 18 05") + b"hello" + bytes.fromhex("16 0e 00")

PAGE_HEADER = bytes.fromhex("15 00 15 10 15 10 2c 15 02 15 00 15 06 15 06 00 00")


def parquet(footer: bytes, pages: bytes = b"x" * 40) -> bytes:
    return b"PAR1" + pages + footer + len(footer).to_bytes(4, "little") + b"PAR1"


# The bytes, and the places: offset, length, protocol, words.
WHERES = {
    "parquet": (parquet(COMPACT), [(44, 12, "compact", "footer (FileMetaData)")]),
    "schema registry": (
        b"\0\0\0\0\x2a" + BINARY,
        [
            (
                5,
                len(BINARY),
                "binary",
                "number of a schema, as Confluent's serializers write: schema",
            )
        ],
    ),
    "schema registry, compact": (
        b"\0\0\1\0\x2a" + COMPACT,
        [(5, 12, "compact", "schema 65578")],
    ),
    "length": (len(BINARY).to_bytes(4, "big") + BINARY, [(4, len(BINARY), "binary", "4 bytes")]),
    "length, little-endian": (
        len(BINARY).to_bytes(4, "little") + BINARY,
        [(4, len(BINARY), "binary", "little-endian")],
    ),
    "length, varint": (bytes((12,)) + COMPACT, [(1, 12, "compact", "varint")]),
    "lengths": (
        (len(COMPACT).to_bytes(4, "big") + COMPACT) * 3,
        [(4, 12, "compact", ""), (20, 12, "compact", ""), (36, 12, "compact", "")],
    ),
    "several": (
        BINARY * 2,
        [
            (0, len(BINARY), "binary", "struct 1 of several"),
            (len(BINARY), len(BINARY), "binary", "struct 2 of several"),
        ],
    ),
    "several, compact": (
        COMPACT * 2,
        [(0, 12, "compact", "struct 1"), (12, 12, "compact", "struct 2")],
    ),
    "page": (
        PAGE_HEADER + b"\xff" * 8,
        [(0, len(PAGE_HEADER), "compact", "8 bytes of the page follow")],
    ),
    "a mark of its own": (
        b"\xfe\xed\xfa" + BINARY,
        [(3, len(BINARY), "binary", "3 bytes that are no part of it")],
    ),
}


@pytest.mark.parametrize("name", WHERES)
def test_where_a_struct_is(name: str) -> None:
    data, wanted = WHERES[name]
    found = places(data, DEFAULT_LIMITS)
    assert [(place.offset, place.length, place.protocol) for place in found] == [
        (offset, length, protocol) for offset, length, protocol, _ in wanted
    ]
    assert all(words in place.what for place, (*_, words) in zip(found, wanted, strict=True))


@pytest.mark.parametrize("head", [1, 7, 64])
def test_a_long_one_behind_bytes_that_nobody_knows(head: int) -> None:
    """More values than are read of each try at first."""
    fields = b"".join(bytes((8, 0, at, 0, 0, 0, at)) for at in range(1, 200))
    data = b"\xee" * head + fields + b"\0"
    (found,) = places(data, DEFAULT_LIMITS)
    assert (found.offset, found.protocol) == (head, "binary")


@pytest.mark.parametrize("begin", [b'{"a":', b'{"1":{"rec":', b"\x19\x11\x3a", b"\x11"])
def test_no_place_costs_no_more_than_a_few_readings(begin: bytes) -> None:
    """Each of 64 places was read to the end, in two protocols: 300 s for a MB."""
    data = begin * (6000 // len(begin))
    with fuzz.Counted(200 * len(data)):
        assert places(data, DEFAULT_LIMITS) == []


@pytest.mark.parametrize("name", WHERES)
def test_it_is_read_there_and_the_command_works(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, wanted = WHERES[name]
    path = tmp_path / "value.bin"
    path.write_bytes(data)
    assert main(["struct", str(path)]) == 0
    out = capsys.readouterr().out
    command = (
        f"pingpong struct {path} --protocol {wanted[0][2]} --offset {wanted[0][0]} "
        f"--length {wanted[0][1]}"
    )
    assert command in " ".join(out.split())
    assert main(command.split()[1:]) == 0
    assert (
        capsys.readouterr().out.splitlines()[2:6]
        == [line for line in out.splitlines() if line.startswith("   ")][:4]
    )
    assert main(["struct", str(path), "--json"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == len(wanted)
    assert all(json.loads(row) for row in rows)


NOWHERE = {
    "message": (ADD, "a message"),
    "framed message": (framed(ADD), "a message"),
    "gzip": (b"\x1f\x8b\x08\0" + b"x" * 20, "gunzip"),
    "capture": (bytes.fromhex("d4c3b2a1 02000400") + b"\0" * 16, "capture"),
    "parquet, cut off": (parquet(COMPACT)[:-6], "cut off"),
    "parquet, wrong length": (b"PAR1" + b"x" * 20 + b"\xff\0\0\0PAR1", "not where its last 8"),
    "parquet, encrypted": (b"PARE" + b"x" * 20 + b"\x05\0\0\0PARE", "encrypted"),
    "hex": (BINARY.hex(" ").encode(), "pingpong explain"),
    "TTupleProtocol": (bytes.fromhex("0f045a65726f010509"), "TTupleProtocol"),
}


@pytest.mark.parametrize("name", NOWHERE)
def test_what_is_no_struct_is_said(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, words = NOWHERE[name]
    assert places(data, DEFAULT_LIMITS) == []
    assert words in remark_on(data, DEFAULT_LIMITS)
    path = tmp_path / "value.bin"
    path.write_bytes(data)
    assert main(["struct", str(path)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err
    assert "error: " in shown.err


def test_a_protocol_that_was_asked_for_is_read_and_the_place_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(parquet(COMPACT))
    assert main(["struct", str(path), "--protocol", "compact"]) == 2
    assert "--offset 44 --length 12" in capsys.readouterr().out


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for place in places(data, DEFAULT_LIMITS):
        assert 0 <= place.offset < place.offset + place.length <= len(data)
    assert isinstance(remark_on(data, DEFAULT_LIMITS), str)


@pytest.mark.parametrize("data", [b"\0" * (1 << 20), b"\x15" * (1 << 20), b"\x0c\0\1" * 300_000])
def test_much_of_the_same_ends(data: bytes) -> None:
    places(data, DEFAULT_LIMITS)
