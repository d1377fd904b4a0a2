"""Motan's simple and breeze: by hand, broken, and from Go's captures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from payloads import capture, check, check_cuts, check_mutations, connections, plain_values

from pingpong.model import Entries, Gap, Items, Protocol, Severity, TType
from pingpong.protocols.encodings.breeze import BREEZE
from pingpong.protocols.encodings.motan_simple import MOTAN_SIMPLE
from pingpong.protocols.explain import explain

SIMPLE: dict[str, object] = {
    "00": None,
    "01 00000005 61646d696e": "admin",
    "02 00000000": [],
    "02 0000000a 00000001 6b 00000001 76": [("k", "v")],
    "03 00000002 00ff": b"\0\xff",
    "04 0000000a 00000001 61 00000001 62": ["a", "b"],
    "05 01": True,
    "05 00": False,
    "06 c8": 200,
    "07 fffe": -2,
    "08 05": -3,
    "08 ffffffff0f": -(1 << 31),
    "09 ffffffffffffffffff01": -(1 << 63),
    "0a 3f000000": 0.5,
    "0b 4004000000000000": 2.5,
    "14 00000008 01 00000001 6e 08 0e": [("n", 7)],
    "15 0000000b 00 01 00000001 78 06 01 05 01": [None, "x", 1, True],
    "15 00000006 15 00000001 00": [[None]],
}

BREEZE_VALUES: dict[str, object] = {
    "00": "",
    "05 61646d696e": "admin",
    "3f 02 c3a9": "é",
    "50": 0, "40": -16, "7e": 46, "7f 05": -3, "7f ffffffff0f": -(1 << 31),
    "88": 0, "80": -8, "97": 15, "98 808080808040": 1 << 40,
    "99": None, "9a": True, "9b": False, "9c c8": 200, "9e fffe": -2,
    "9f 3f000000": 0.5, "a0 4004000000000000": 2.5,
    "9d 00000002 00ff": b"\0\xff",
    "da 02 01 61 50": ["a", 0],
    "d9 01 01 6b 51": [("k", 1)],
    "dc 00": [], "db 00": [],
    "dc 02 3f 01 61 02 c3a9": ["a", "é"],
    "dc 02 98 02 9803": [1, 204],
    "dc 02 9a 9a 9b": [True, False],
    "db 01 3f 7f 01 6b 02": [("k", 1)],
    "dc 01 dc 02 7f 02 04": [[1, 2]],
    "dc 01 9d 00000001 ff": [b"\xff"],
    "de 01 4d 00000003 01 01 61": {1: "a"},
    "de 01 4d 00000000": {},
    "da 02 de 01 4d 00000002 01 51 e0 00000002 02 52": [{1: 1}, {2: 2}],
    "dc 02 de 01 4d 00000002 01 51 00000000": [{1: 1}, {}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("protocol", "text", "plain"),
    [(MOTAN_SIMPLE, text, plain) for text, plain in SIMPLE.items()]
    + [(BREEZE, text, plain) for text, plain in BREEZE_VALUES.items()],
)
def test_a_value(protocol: Protocol, text: str, plain: object) -> None:
    data = bytes.fromhex(text)
    record = check(data, protocol)
    assert record.body.findings == ()
    (field,) = record.body.fields
    assert (field.field_id, field.name, field.span.stop) == (1, None, len(data))
    assert repr(field.value.plain) == repr(plain)
    check_cuts(data, protocol)


def test_what_they_are() -> None:
    body = check(
        bytes.fromhex("06 c8 06 01 02 0000000a 00000001 6b 00000001 76"), MOTAN_SIMPLE
    ).body
    assert [(f.ttype, f.value.own) for f in body] == [
        (TType.INT, "byte"), (TType.INT, "byte"), (TType.MAP, ""),
    ]  # fmt: skip
    # Nothing says whether a byte has a sign.
    assert [one.plain for one in body[1].value.readings] == [200, -56]
    assert body[2].value.readings == ()
    strings = body[3].value.content
    assert isinstance(strings, Entries)
    assert (strings.count, strings.key_type, strings.value_type) == (1, TType.TEXT, TType.TEXT)
    body = check(bytes.fromhex("dc 02 7f 02 04 de 01 4d 00000000"), BREEZE).body
    numbers = body[1].value.content
    assert isinstance(numbers, Items)
    assert (numbers.count, numbers.element_type) == (2, TType.I32)
    assert body[2].value.label == "M"


FAULTS = [
    (MOTAN_SIMPLE, "0c", "type at offset 0: is 12, want one of 0 null, 1 string"),
    (MOTAN_SIMPLE, "01 00000005 6161", "string at offset 5: needs 5 bytes, 2 left"),
    (MOTAN_SIMPLE, "14 00000007 00 00", "map at offset 5: needs 7 bytes, 2 left"),
    (MOTAN_SIMPLE, "04 00000003 00000001 6b", "list at offset 5: is 5 bytes, want 3, its size"),
    (MOTAN_SIMPLE, "08 ffffffffff", "I32 at offset 1: is over 5 bytes long, want at most 5"),
    (MOTAN_SIMPLE, "08 ff", "I32 at offset 1: needs 2 bytes, 1 left"),
    (BREEZE, "a1", "value at offset 0: is 0xa1, want a type of breeze"),
    (BREEZE, "dd", "value at offset 0: is a schema, which is not read"),
    (BREEZE, "e0", "message at offset 0: is number 1, want a name"),
    (BREEZE, "dc 01 9a 50", "bool at offset 3: is 0x50, want 0x9a or 0x9b"),
    (BREEZE, "dc ff 01 99 50", "element at offset 4: is empty, want a byte at least"),
    (BREEZE, "de 01 4d 00000003 01 51 50", "field"),
    (BREEZE, "de 01 4d 00000001 01 51", "message at offset 7: is 2 bytes, want 1, its size"),
    (BREEZE, "05 6162", "string at offset 1: needs 5 bytes, 2 left"),
]


@pytest.mark.parametrize(("protocol", "text", "wanted"), FAULTS)
def test_a_fault(protocol: Protocol, text: str, wanted: str) -> None:
    body = check(bytes.fromhex(text), protocol).body
    if wanted == "field":
        assert body.stop is None
        return
    assert body.findings[0].severity is Severity.ERROR
    assert body.findings[0].text.startswith(wanted)


def test_lost_bytes() -> None:
    data = bytes.fromhex("01 00000003 616263 07 0001 05 01")
    text, number, truth = check(data, MOTAN_SIMPLE, (Gap(6, 1), Gap(10, 1))).body
    assert (text.value.content, text.value.lost) == ("a", 2 - 1)
    assert (number.value.content, number.value.lost, truth.value.content) == (None, 1, True)


def test_no_claim_takes_time() -> None:
    for text in ("dc ffffffff0f 7f 02", "d9 ffffffff0f", "da" * 500, "dc 01" * 500):
        assert check(bytes.fromhex(text), BREEZE).body.findings
    assert check(b"\x15\xff\xff\xff\xff" * 500, MOTAN_SIMPLE).body.findings


@pytest.mark.parametrize(("protocol", "texts"), [(MOTAN_SIMPLE, SIMPLE), (BREEZE, BREEZE_VALUES)])
def test_mutations(protocol: Protocol, texts: dict[str, object]) -> None:
    samples = [bytes.fromhex(text) for text in texts]
    check_mutations([*samples, b"".join(samples)], protocol, 3000)


def test_notes() -> None:
    data = bytes.fromhex("01 00000005 61646d696e 08 05")
    said = [(n.span.start, n.label, n.meaning) for n in explain(check(data, MOTAN_SIMPLE))]
    assert said == [
        (0, "value type", "1 string"),
        (1, "value length", "5 bytes"),
        (5, "value", '"admin"'),
        (10, "value type", "8 i32"),
        (11, "value", "-3"),
    ]
    data = bytes.fromhex("dc 02 3f 01 61 02 c3a9 51")
    said = [(n.span.start, n.label, n.meaning) for n in explain(check(data, BREEZE))]
    assert said == [
        (0, "value type", "220 packed list"),
        (1, "value size", "list, 2 elements"),
        (3, "[0] length", "1 byte"),
        (4, "[0]", '"a"'),
        (5, "[1] length", "2 bytes"),
        (6, "[1]", '"é"'),
        (8, "value", "1"),
    ]


def messages(data: bytes) -> Iterator[tuple[dict[bytes, bytes], bytes]]:
    """Metadata and body of each Motan 2 message."""
    at = 0
    while at < len(data):
        head = at + 17 + int.from_bytes(data[at + 13 : at + 17], "big")
        stop = head + 4 + int.from_bytes(data[head : head + 4], "big")
        words = data[at + 17 : head].split(b"\n")
        yield dict(zip(words[::2], words[1::2], strict=False)), data[head + 4 : stop]
        at = stop


TYPES = [True, 200, -2, -3, 1 << 40, 0.5, 2.5, "串", b"\0\xff"]


@pytest.mark.parametrize(
    ("name", "protocol", "more"),
    [
        ("motan2_go_simple", MOTAN_SIMPLE, [["a", "é", ""], [("k", "v")]]),
        ("motan2_go_breeze", BREEZE, [["a", "é"], [("色", "红"), ("b", "")]]),
    ],
)
def test_what_go_wrote(name: str, protocol: Protocol, more: list[object]) -> None:
    found = 0
    for sides in connections(capture(name)):
        for side in sides:
            for metadata, body in messages(side):
                record = check(body, protocol)
                assert record.body.findings == ()
                method = metadata.get(b"M_m")
                if method == b"types":
                    assert plain_values(record) == TYPES + more
                    found += 1
                elif method == b"login":
                    assert len(record.body.fields) == 2
                    found += 1
    assert found >= 2
