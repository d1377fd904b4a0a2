"""A struct alone: read in the protocol that it is in, every byte explained, shown in each way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from everything import BINARY_RICH as RICH

from pingpong import check_cover, cli, decode_struct, explain, views
from pingpong.capture import decode
from pingpong.errors import DecodeError
from pingpong.model import Limits, Struct
from pingpong.protocols.encodings import binary, compact
from pingpong.protocols.encodings import thrift_json as apache_json

BODY: Struct = decode(RICH).body
WRITTEN = {
    "binary": binary.write_struct(BODY),
    "compact": compact.write_struct(BODY),
    "json": apache_json.write_struct(BODY),
    "thriftpy2-json": b'{"name": "root", "ids": [1, 2], "deep": {"x": 2.5}}',
}


@pytest.mark.parametrize("protocol", WRITTEN)
def test_its_protocol_is_told_by_its_bytes(protocol: str) -> None:
    record = decode_struct(WRITTEN[protocol])
    assert record.protocol.name == protocol
    assert record.findings == ()
    if protocol in ("binary", "compact"):
        assert record.body.plain == BODY.plain
    check_cover(explain(record), len(record.data))


@pytest.mark.parametrize("protocol", WRITTEN)
def test_cut_anywhere_it_is_told_what_is_missing(protocol: str) -> None:
    data = WRITTEN[protocol]
    for stop in range(len(data)):
        record = decode_struct(data[:stop], protocol=protocol)
        assert record.findings
        assert record.body.stop is None
        check_cover(explain(record), stop)
        views.text(record)
        views.html(record)


def test_bytes_that_are_no_struct_say_why_in_each_protocol() -> None:
    with pytest.raises(DecodeError) as caught:
        decode_struct(b"\xff\xff")
    assert "binary says field type at offset 0: is 255" in str(caught.value)
    assert "compact says field type" in str(caught.value)


def test_limits_hold() -> None:
    deep = b"\x0c\0\1" * 10 + b"\0" * 11
    assert decode_struct(deep).findings == ()
    (finding,) = decode_struct(deep, Limits(depth=5), protocol="binary").findings
    assert "nesting" in finding.text


@pytest.mark.parametrize("protocol", ["binary", "compact", "json"])
@pytest.mark.parametrize(("ids", "words"), [((2, 1), "behind 2"), ((1, 1), "there before")])
def test_an_id_that_does_not_rise_is_a_finding(
    protocol: str, ids: tuple[int, int], words: str
) -> None:
    fields = tuple(b"\x08" + field_id.to_bytes(2, "big") + b"\0\0\0\7" for field_id in ids)
    body = binary.BINARY.read_struct(b"".join(fields) + b"\0", 0, 15, (), Limits())
    data = {
        "binary": binary.write_struct(body),
        "compact": compact.write_struct(body),
        "json": apache_json.write_struct(body),
    }[protocol]
    record = decode_struct(data, protocol=protocol)
    assert [field.field_id for field in record.fields] == list(ids)
    (finding,) = record.findings
    assert words in finding.text
    assert finding.severity.name == ("NOTE" if "behind" in words else "WARNING")


def test_ids_below_zero_fall_and_that_is_no_finding() -> None:
    data = bytes.fromhex("08 ffff 00000001 08 fffe 00000002 00")
    assert decode_struct(data).findings == ()


# ── At the shell ─────────────────────────────────────────────────────────────────────


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "value.bin"
    path.write_bytes(b"PAR1" + WRITTEN["compact"] + b"tail")
    return str(path)


def test_a_part_of_a_file(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--offset", "4", "--length", str(len(WRITTEN["compact"]))]
    assert cli.run(["struct", file, *place]) == cli.READ_ALL
    shown = capsys.readouterr()
    assert shown.out.startswith(f"struct, {len(WRITTEN['compact'])} bytes, compact")
    assert shown.err == ""
    assert cli.run(["struct", file, *place, "--json"]) == cli.READ_ALL
    row = json.loads(capsys.readouterr().out)
    assert row["protocol"] == "compact"
    assert [field["id"] for field in row["fields"]] == [f.field_id for f in BODY.fields]


def test_what_is_left_over_is_told(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["struct", file, "--offset", "4", "--protocol", "compact"]) == cli.READ_ALL
    assert "4 bytes left over" in capsys.readouterr().err


def test_no_struct_and_no_file(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["struct", file]) == cli.BAD
    assert "struct at offset 0: is 50 41 52 31" in capsys.readouterr().err
    assert cli.run(["struct", file + ".gone"]) == cli.BAD
    assert "cannot be read" in capsys.readouterr().err
