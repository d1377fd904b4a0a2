"""Messages as JSON lines, without loss."""

from __future__ import annotations

import json
import struct
from decimal import Decimal
from typing import Any

import pytest
from making import PING, message
from views_samples import MESSAGES, call, field, lesson, odd

from pingpong.model import Entries, Field, Items, Message, Struct, Value
from pingpong.views.json import exchange_row, listing_row, message_row


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
