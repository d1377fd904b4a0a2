"""Messages as JSON lines, without loss."""

from __future__ import annotations

import json
import random
import struct
from decimal import Decimal
from typing import Any

import pytest
from dialects import ROWS, check
from everything import BINARY_RICH as RICH
from hypothesis import given
from hypothesis import strategies as st
from making import PING, message
from views_samples import MESSAGES, call, field, lesson, odd

from pingpong.model import (
    DEFAULT_LIMITS,
    Entries,
    Field,
    Gap,
    Items,
    Limits,
    Message,
    Protocol,
    Record,
    Struct,
    Value,
)
from pingpong.protocols.encodings import binary, compact, thrift_json
from pingpong.views.json import exchange_row, listing_row, message_row, record_row


def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), keys
    return dict(pairs)


def parsed(row: str) -> dict[str, Any]:
    assert row.isprintable(), "nothing that a terminal would obey, and one line"
    found = json.loads(row, object_pairs_hook=without_twins, parse_float=Decimal)
    assert isinstance(found, dict)
    return found


def test_a_row() -> None:
    one = lesson().messages[2]
    assert message_row(one) == (
        '{"number": 3, "time": 1700000000.008000000, "client": "10.0.0.1:50001", '
        '"server": "10.0.0.2:9090", "flow": 1, "from": "client", "protocol": "binary", '
        '"transport": "unframed", "type": "CALL", "method": "login", "seqid": 0, '
        '"offset": 17, "size": 39, "fields": ['
        '{"id": 1, "type": "STRING", "value": "root", "offset": 17, "length": 11}, '
        '{"id": 2, "type": "STRING", "value": "pwd", "offset": 28, "length": 10}]}'
    )


def same(got: dict[str, Any], value: Value, data: bytes) -> None:
    """``got`` says all that ``value`` has."""
    content = value.content
    assert got["type"] == value.ttype.name
    assert got.get("lost", 0) == value.lost
    if isinstance(content, Struct):
        same_fields(got["value"], content.fields, data)
    elif isinstance(content, Items):
        assert got["element_type"] == content.element_type.name
        assert got["count"] == content.count
        for item, inner in zip(got["value"], content.items, strict=True):
            assert data[item["offset"] :][: item["length"]] == inner.span.of(data)
            same(item, inner, data)
    elif isinstance(content, Entries):
        names = (got["key_type"], got["value_type"], got["count"])
        assert names == (content.key_type.name, content.value_type.name, content.count)
        for entry, (key, inner) in zip(got["value"], content.items, strict=True):
            same(entry["key"], key, data)
            same(entry["value"], inner, data)
    elif isinstance(content, bytes):
        text = got["value"]
        found = bytes.fromhex(got["hex"]) if text is None else text.encode()
        assert found == content
    elif isinstance(content, float):
        assert float(got["value"]) == content
    else:
        assert got["value"] == (content if isinstance(content, int) else str(content))


def same_fields(got: list[dict[str, Any]], fields: tuple[Field, ...], data: bytes) -> None:
    for one, wanted in zip(got, fields, strict=True):
        assert one["id"] == wanted.field_id
        assert (one["offset"], one["length"]) == (wanted.span.start, len(wanted.span))
        same(one, wanted.value, data)


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_is_lost(name: str) -> None:
    one = MESSAGES[name]
    got = parsed(message_row(one))
    assert got["method"] == one.method
    assert (got["type"], got["seqid"], got["size"]) == (one.type.name, one.seqid, one.size)
    same_fields(got["fields"], one.fields, one.data)
    assert [f["text"] for f in got.get("findings", [])] == [f.text for f in one.findings]
    gaps = [(gap["offset"], gap["length"]) for gap in got.get("lost", [])]
    assert gaps == [(gap.offset, gap.length) for gap in one.gaps]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_listing_says_the_same(name: str) -> None:
    one = MESSAGES[name]
    whole = parsed(message_row(one))
    for key in ("fields", "findings", "lost"):
        whole.pop(key, None)
    assert parsed(listing_row(one)) == whole


def doubles(raw: str) -> dict[str, Any]:
    (got,) = parsed(message_row(message(call(b"d", field(4, 1, bytes.fromhex(raw))))))["fields"]
    return {key: got[key] for key in ("value", "hex") if key in got}


DOUBLES: dict[str, dict[str, Any]] = {
    "7ff0000000000000": {"value": "Infinity"},
    "fff0000000000000": {"value": "-Infinity"},
    "7ff8000000000000": {"value": "NaN"},
    "fff8000000000001": {"value": "NaN", "hex": "fff8000000000001"},
    "3fb999999999999a": {"value": Decimal("0.1")},
    "8000000000000000": {"value": Decimal("-0.0")},
}


@pytest.mark.parametrize("raw", DOUBLES)
def test_doubles(raw: str) -> None:
    assert doubles(raw) == DOUBLES[raw]


def test_the_largest_integers_stay_integers() -> None:
    one = message(call(b"n", field(10, 1, struct.pack(">q", -(2**63)))))
    assert parsed(message_row(one))["fields"][0]["value"] == -(2**63)


TIMES = {
    0: "0.000000000",
    1_700_000_000_000_000_001: "1700000000.000000001",
    999_999_999: "0.999999999",
    -1: "-0.000000001",
}


@pytest.mark.parametrize("time", TIMES)
def test_times_keep_their_nanoseconds(time: int) -> None:
    row = listing_row(message(PING, time=time))
    assert f'"time": {TIMES[time]}, ' in row
    assert parsed(row)["time"] == Decimal(time) / 10**9


def test_a_name_that_is_not_utf8_has_its_bytes() -> None:
    row = parsed(listing_row(message(call(b"p\xffng", b""))))
    assert (row["method"], row["method_hex"]) == ("p\\xffng", "70ff6e67")
    assert "method_hex" not in parsed(listing_row(message(call(rb"p\xffng", b""))))


def test_exchanges() -> None:
    assert exchange_row(lesson().exchanges[0]) == (
        '{"number": 1, "time": 1700000000.004000000, "client": "10.0.0.1:50001", '
        '"server": "10.0.0.2:9090", "flow": 1, "method": "ping", "outcome": "SUCCESS", '
        '"exception": null, "latency": 0.002000000, "waited": 0.002000000, "call": 1, "reply": 2, '
        '"sent": 17, "received": 28, "why": null}'
    )
    lonely = [parsed(exchange_row(one)) for one in odd().exchanges if one.reply is None]
    assert lonely
    assert all(row["latency"] is row["reply"] is row["received"] is None for row in lonely)


def test_the_same_on_every_run() -> None:
    first, second = ([message_row(one) for one in _messages()] for _ in range(2))
    assert first == second


def _messages() -> list[Message]:
    return [*odd().messages]


# ── Walked, or made of values ──────────────────────────────────────────


def both_ways(
    data: bytes,
    protocol: Protocol,
    limits: Limits = DEFAULT_LIMITS,
    gaps: tuple[Gap, ...] = (),
) -> bool:
    """The row of a struct is the same whether its bytes are walked or its values.  Is it sound?"""
    told, looked_at, judged = (
        Record(data=data, protocol=protocol, limits=limits, gaps=gaps) for _ in range(3)
    )
    is_sound = not looked_at.body.findings
    assert record_row(told) == record_row(looked_at)
    assert not told.is_read
    assert told.findings == looked_at.findings
    assert told.is_sound == judged.is_sound == is_sound
    return is_sound


BODY = RICH[binary.read_header(RICH, 0, len(RICH), DEFAULT_LIMITS).span.stop :]
VALUES = binary.BINARY.read_struct(BODY, 0, len(BODY), (), DEFAULT_LIMITS)
STRUCTS: dict[str, tuple[Protocol, bytes]] = {
    "binary": (binary.BINARY, BODY),
    "compact": (compact.COMPACT, compact.write_struct(VALUES)),
    "json": (thrift_json.JSON, thrift_json.write_struct(VALUES)),
}
# JSON takes three times as long.
TRIES = {"binary": 3, "compact": 3, "json": 1}
ENDS = (0, 1, 2, 3, 8, 10, 11, 12, 13, 15, 16, 127, 128, 255)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The same with a few other bytes in it."""
    other = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        other[chance.randrange(len(other))] = chance.choice((*ENDS, chance.randrange(256)))
    return bytes(other)


@pytest.mark.parametrize("name", STRUCTS)
@pytest.mark.parametrize("depth", [1, 2, 3, 64])
@pytest.mark.parametrize("most", [20, 1 << 20])
def test_a_struct_is_told_as_its_values_are(name: str, depth: int, most: int) -> None:
    protocol, body = STRUCTS[name]
    limits = Limits(depth=depth, message=most)
    assert both_ways(body, protocol, limits) == (depth > 2)
    chance = random.Random(depth * most)
    for _ in range(200 * TRIES[name]):
        data = damaged(body, chance)
        both_ways(data, protocol, limits)
        first, size = chance.randrange(len(data)), chance.randrange(1, 12)
        lost = (Gap(first, size), Gap(first + size + 1, chance.randrange(1, 90)))
        both_ways(data, protocol, limits, lost)


@pytest.mark.parametrize("name", STRUCTS)
def test_a_struct_that_ends_too_soon_is_told_as_its_values_are(name: str) -> None:
    protocol, body = STRUCTS[name]
    for stop in range(len(body)):
        assert not both_ways(body[:stop], protocol)
    chance = random.Random(1)
    for _ in range(1000 * TRIES[name]):
        data = damaged(body, chance)
        both_ways(data[: chance.choice((len(data), chance.randrange(len(data))))], protocol)


@given(st.binary(max_size=40), st.sampled_from(sorted(STRUCTS)))
def test_any_bytes(data: bytes, name: str) -> None:
    both_ways(data, STRUCTS[name][0])
    both_ways(data + b"\0", STRUCTS[name][0])


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("binary", "0a 0001 8000000000000000 0a 0002 ffffffffffffffff 0a 0003 7fffffffffffffff 00"),
        ("binary", "06 0001 8000 03 0002 80 08 0003 80000000 04 0004 3ff8000000000000 00"),
        ("binary", "04 0001 7ff0000000000000 02 0002 01 02 0003 00 10 0004 " + "ab" * 16 + " 00"),
        ("binary", "0f 0001 0b 00000000 0d 0002 0000 00000000 0e 0003 63 00000000 00"),
        ("binary", "0b 0001 00000002 c3a9 0b 0002 00000002 ff22 0b 0003 00000002 225c 00"),
        ("binary", "08 ffff 00000001 08 fffe 00000002 08 0000 00000003 08 7fff 00000004 00"),
        ("compact", "16 feffffffffffffffff01 16 ffffffffffffffffff01 16 01 00"),
        ("compact", "14 ffff03 15 ffffffff0f 13 80 17 000000000000f83f 11 12 00"),
        ("compact", "19 05 1b 00 1a 01 1d " + "ab" * 16 + " 19 21 01 02 06 feff03 02 00"),
        ("compact", "19 f5 10 " + "02" * 16 + " 1b 01 88 0161 0162 00"),
    ],
)
def test_every_kind_of_value_is_told(name: str, body: str) -> None:
    assert both_ways(bytes.fromhex(body.replace(" ", "")), STRUCTS[name][0])


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("binary", "02 0001 02 00"),
        ("binary", "08 0001 00000001 08 0001 00000001 00"),
        ("binary", "00 00"),
        ("compact", "15 8080808010 00"),
        ("compact", "16 80808080808080808002 00"),
        ("compact", "04 80808001 02 00"),
        ("compact", "19 11 00 00"),
    ],
)
def test_what_is_odd_is_told_too(name: str, body: str) -> None:
    assert not both_ways(bytes.fromhex(body.replace(" ", "")), STRUCTS[name][0])


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_dialect_is_told_as_its_values_are(row: Any) -> None:
    for one in check(row).messages:
        one.forget()
        short = message_row(one)
        assert not one.is_read
        assert one.body is not None
        assert message_row(one) == short
