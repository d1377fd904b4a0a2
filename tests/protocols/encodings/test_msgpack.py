"""MessagePack: by hand, from the msgpack library, and from Go's captures."""

from __future__ import annotations

import math
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payloads import capture, check, check_cuts, check_mutations, connections

from pingpong.model import Gap, Items, Severity, TType
from pingpong.protocols.encodings.msgpack import MSGPACK
from pingpong.protocols.explain import explain

# Bytes, the type in the model, the specification's word, and the value.
VALUES: dict[str, tuple[TType, str, object]] = {
    "00": (TType.INT, "fixint", 0),
    "7f": (TType.INT, "fixint", 127),
    "e0": (TType.INT, "fixint", -32),
    "ff": (TType.INT, "fixint", -1),
    "cc ff": (TType.INT, "uint 8", 255),
    "cd ffff": (TType.INT, "uint 16", 65535),
    "ce ffffffff": (TType.INT, "uint 32", (1 << 32) - 1),
    "cf ffffffffffffffff": (TType.INT, "uint 64", (1 << 64) - 1),
    "d0 80": (TType.INT, "int 8", -128),
    "d1 8000": (TType.INT, "int 16", -32768),
    "d2 80000000": (TType.INT, "int 32", -(1 << 31)),
    "d3 8000000000000000": (TType.INT, "int 64", -(1 << 63)),
    "c0": (TType.NULL, "", None),
    "c2": (TType.BOOL, "", False),
    "c3": (TType.BOOL, "", True),
    "ca 3f000000": (TType.FLOAT, "", 0.5),
    "cb 3ff8000000000000": (TType.DOUBLE, "", 1.5),
    "a0": (TType.TEXT, "", ""),
    "a3 c3a961": (TType.TEXT, "", "éa"),
    "d9 01 61": (TType.TEXT, "", "a"),
    "da 0001 61": (TType.TEXT, "", "a"),
    "db 00000001 61": (TType.TEXT, "", "a"),
    "c4 02 00ff": (TType.BYTES, "", b"\0\xff"),
    "c5 0001 61": (TType.BYTES, "", b"a"),
    "c6 00000001 61": (TType.BYTES, "", b"a"),
    "d4 05 ff": (TType.BYTES, "ext 5", b"\xff"),
    "d8 80" + "01" * 16: (TType.BYTES, "ext -128", b"\1" * 16),
    "c7 03 05 616263": (TType.BYTES, "ext 5", b"abc"),
    "c8 0001 05 61": (TType.BYTES, "ext 5", b"a"),
    "c9 00000001 05 61": (TType.BYTES, "ext 5", b"a"),
    "d6 ff 00000001": (TType.TIME, "timestamp", "1970-01-01T00:00:01Z"),
    "d7 ff 7735940000000001": (TType.TIME, "timestamp", "1970-01-01T00:00:01.5Z"),
    "c7 0c ff 1dcd6500 ffffffffffffffff": (TType.TIME, "timestamp", "1969-12-31T23:59:59.5Z"),
    "d4 ff 00": (TType.BYTES, "ext -1", b"\0"),
    "90": (TType.LIST, "", []),
    "92 01 a1 61": (TType.LIST, "", [1, "a"]),
    "dc 0001 c0": (TType.LIST, "", [None]),
    "dd 00000001 c0": (TType.LIST, "", [None]),
    "81 01 c0": (TType.MAP, "", [(1, None)]),
    "de 0001 01 c0": (TType.MAP, "", [(1, None)]),
    "df 00000001 01 c0": (TType.MAP, "", [(1, None)]),
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_a_value(text: str) -> None:
    data = bytes.fromhex(text)
    (field,) = check(data, MSGPACK).body.fields
    assert (field.field_id, field.name, field.span.stop) == (0, None, len(data))
    assert (field.ttype, field.value.own, field.value.plain) == VALUES[text]
    check_cuts(data, MSGPACK)


def test_a_map_with_names_is_the_struct() -> None:
    data = b"\x82\xa8Username\xa5admin\xa1x\x81\xa1y\x01"
    record = check(data, MSGPACK)
    assert record.body.plain == {"Username": "admin", "x": [("y", 1)]}
    assert [(f.field_id, f.span.start) for f in record.body] == [(-1, 1), (-1, 16)]
    said = [(n.label, n.meaning) for n in explain(record)][:4]
    assert said == [
        ("payload length", "fixmap, 2 pairs"),
        ("name length", "fixstr, 8 bytes"),
        ("name", '"Username"'),
        ("Username length", "fixstr, 5 bytes"),
    ]
    assert check(b"\x80", MSGPACK).body.plain == {}
    # Twice the same name stays; a key that is no text makes it a map.
    assert len(check(b"\x82\xa1a\1\xa1a\2", MSGPACK).body.fields) == 2
    assert check(b"\x82\xa1a\1\5\2", MSGPACK).body.plain == {0: [("a", 1), (5, 2)]}


FAULTS = {
    "c1": "value at offset 0: is 0xc1, want a type of msgpack",
    "d9": "str 8 at offset 0: needs 2 bytes, 1 left",
    "a3 6162": "str at offset 1: needs 3 bytes, 2 left",
    "c4 05 01": "bin at offset 2: needs 5 bytes, 1 left",
    "ce 0000": "INT at offset 0: needs 5 bytes, 3 left",
    "92 01": "value at offset 2: needs 1 byte, 0 left",
    "dd ffffffff 01": "value at offset 6: needs 1 byte, 0 left",
    "81 a1 61": "value at offset 3: needs 1 byte, 0 left",
    "01 02": "1 byte left over behind the value at offset 1",
    "": "value at offset 0: needs 1 byte, 0 left",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault(text: str) -> None:
    body = check(bytes.fromhex(text), MSGPACK).body
    assert [(f.severity, f.text) for f in body.findings] == [(Severity.ERROR, FAULTS[text])]


def test_what_is_odd_or_lost() -> None:
    body = check(b"\xa2\xff\xfe", MSGPACK).body
    assert (body[0].ttype, body[0].value.content) == (TType.STRING, b"\xff\xfe")
    assert body.findings[0].text == "str at offset 0: is no UTF-8"
    body = check(b"\x93\xa4abcd\xcd\1\2\3", MSGPACK, (Gap(3, 1), Gap(7, 1))).body
    content = body[0].value.content
    assert isinstance(content, Items)
    text, number, three = content.items
    assert (text.content, text.lost, number.content, number.lost, three.content) == (
        "a", 1, None, 1, 3,
    )  # fmt: skip
    assert "nesting" in check(b"\x91" * 5000, MSGPACK).body.findings[0].text


def test_mutations() -> None:
    samples = [bytes.fromhex(text) for text in VALUES]
    samples += [b"\x82\xa8Username\xa5admin\xa1x\x81\xa1y\x01", b"\x94" + b"".join(samples[:4])]
    check_mutations(samples, MSGPACK, 4000)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats() | st.binary()
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.integers(0, 9), inner),
    max_leaves=30,
)  # fmt: skip


def _pairs(value: object) -> object:
    if isinstance(value, dict):
        return [(key, _pairs(one)) for key, one in value.items()]
    return [_pairs(one) for one in value] if isinstance(value, list) else value


@given(values)
def test_what_the_library_wrote(value: object) -> None:
    msgpack = pytest.importorskip("msgpack", reason="pip install msgpack")
    record = check(msgpack.packb(value), MSGPACK)
    assert record.body.findings == ()
    if value == {}:
        assert record.body.plain == {}
    else:
        assert repr(record.body[0].value.plain) == repr(_pairs(value))


@given(st.datetimes(datetime(1600, 1, 1), datetime(2500, 1, 1)))
def test_times_of_the_library(time: datetime) -> None:
    msgpack = pytest.importorskip("msgpack", reason="pip install msgpack")
    aware = time.replace(tzinfo=timezone.utc)
    value = check(msgpack.packb(aware, datetime=True), MSGPACK).body[0].value
    assert value.ttype is TType.TIME
    since = aware - datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert isinstance(value.content, int)
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    # The library goes over doubles.
    assert math.isclose(value.content, micros * 1000, abs_tol=2_000_000)


@pytest.mark.parametrize("name", ["rpcx_msgpack", "rpcx_msgpack_rich", "rpcx_msgpack_heartbeat"])
def test_captures_are_read_whole(name: str) -> None:
    count = 0
    for sides in connections(capture(name)):
        for side in sides:
            at = 0
            while at < len(side):
                head = side[at : at + 16]
                stop = at + 16 + int.from_bytes(head[12:16], "big")
                place = at + 16
                parts = []
                for _ in range(4):
                    size = int.from_bytes(side[place : place + 4], "big")
                    parts.append(side[place + 4 : place + 4 + size])
                    place += 4 + size
                payload = parts[3]
                if head[3] >> 4 == 3 and not head[2] & 0x1C and payload:
                    assert check(payload, MSGPACK).body.findings == ()
                    count += 1
                at = stop
    assert count >= 4
