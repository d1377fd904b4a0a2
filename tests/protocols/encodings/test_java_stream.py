"""Java object streams by their blocks: by hand, and from Motan 1 and Dubbo's serialization 3."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from payloads import capture, check, check_cuts, check_mutations, connections, plain_values

from pingpong.errors import Incomplete
from pingpong.model import Gap, Severity, TType
from pingpong.protocols.encodings.hessian2 import HESSIAN2
from pingpong.protocols.encodings.java_stream import (
    BYTE_ARRAY,
    JAVA_STREAM,
    blocks,
    modified_utf8,
    read_utf,
)
from pingpong.protocols.explain import explain

MAGIC = b"\xac\xed\0\5"
CALL = (
    MAGIC + b"w\x06\0\4ping" + b"u" + BYTE_ARRAY + b"\0\0\0\2\1a" + b"p"
    + b"uq\0\x7e\0\0\0\0\0\3\2bc" + b"w\1x" + b"z\0\0\1\0" + b"y" * 256
)  # fmt: skip


def test_blocks_arrays_and_null() -> None:
    record = check(CALL, JAVA_STREAM)
    assert record.body.findings == ()
    assert plain_values(record) == [b"\0\4ping", b"\1a", None, b"\2bc", b"x" + b"y" * 256]
    assert [f.value.own for f in record.body] == [
        "block data",
        "byte[]",
        "",
        "byte[]",
        "block data",
    ]
    array = record.body[4].value
    assert CALL[array.span.start + array.head : array.span.stop] == b"\2bc"
    joined = record.body[5].value.span
    assert [end - inside for _, inside, end in blocks(CALL, joined.start, joined.stop)] == [1, 256]
    check_cuts(CALL, JAVA_STREAM, 3)


def test_strings_and_references() -> None:
    data = MAGIC + b"t\0\2hit\0\3\xc0\x80aq\0\x7e\0\1"
    body = check(data, JAVA_STREAM).body
    assert body.findings == ()
    assert [f.value.content for f in body] == ["hi", "\0a", 1]
    assert (body[3].ttype, body[3].value.label) == (TType.REFERENCE, "field 2")


def test_an_object_is_told_as_bytes_and_that_is_said() -> None:
    data = MAGIC + b"w\1\1sr\0\x11java.util.HashMap\5\7\xda"
    record = check(data, JAVA_STREAM)
    assert (record.body[2].value.own, record.body[2].value.label) == (
        "object stream", "java.util.HashMap",
    )  # fmt: skip
    assert [(f.severity, f.text) for f in record.body.findings] == [
        (
            Severity.NOTE,
            "object at offset 7 of class java.util.HashMap: it and what follows are told as bytes",
        )
    ]
    assert any("not read" in note.why for note in explain(record))


def described(name: str, flags: int = 2) -> bytes:
    return b"r" + struct.pack(">H", len(name)) + name.encode() + bytes(8) + bytes((flags, 0, 0))


def test_the_classes_in_what_is_not_read_are_named() -> None:
    inside = described("com.shop.Who", 3) + b"xp" + b"r\0\3abc" + described("[Lcom.shop.Line;")
    short = b"r\1\0\x0ccom.shop.Oldx"  # compactedjava's
    again = described("com.shop.Who") + described("com.shop.Bad", 0x40)
    record = check(MAGIC + b"s" + inside + short + again, JAVA_STREAM)
    (told,) = record.body.findings
    assert told.text == (
        "object at offset 4 of class com.shop.Who: it and what follows are told as bytes; classes "
        "in them: [Lcom.shop.Line;, com.shop.Old"
    )
    shortest = check(MAGIC + b"s" + short, JAVA_STREAM)
    assert shortest.body[1].value.label == "com.shop.Old"


FAULTS = {
    b"": "stream's magic at offset 0: needs 4 bytes, 0 left",
    b"\xac\xed\0\4": "stream's magic at offset 0: is ac ed 00 04, want ac ed 00 05",
    MAGIC + b"w\5ab": "block data at offset 6: needs 5 bytes, 2 left",
    MAGIC + b"w": "block data at offset 4: needs 2 bytes, 1 left",
    MAGIC + b"u" + BYTE_ARRAY[:5]: "byte array at offset 4: needs 23 bytes, 6 left",
    MAGIC + b"t\0\5ab": "string at offset 7: needs 5 bytes, 2 left",
    MAGIC + b"|" + b"\xff" * 8: "string at offset 13: needs 18446744073709551615 bytes, 0 left",
    MAGIC + b"q\0\x7e\0\0": "reference at offset 4: is number 0, want one that was there",
}


@pytest.mark.parametrize("data", FAULTS)
def test_a_fault(data: bytes) -> None:
    body = check(data, JAVA_STREAM).body
    assert body.findings
    assert body.findings[0].text == FAULTS[data]


def test_lost_bytes() -> None:
    body = check(CALL, JAVA_STREAM, (Gap(7, 2), Gap(36, 1))).body
    assert (body[1].value.content, body[1].value.lost) == (b"\0", 2)
    assert body[2].value.lost == 1


def test_mutations() -> None:
    samples = [CALL, MAGIC + b"t\0\2hit\0\3\xc0\x80aq\0\x7e\0\1" + b"w\1\1sr\0\1Ax"]
    check_mutations(samples, JAVA_STREAM, 3000)


def test_java_s_text() -> None:
    assert modified_utf8(bytes.fromhex("61C080FF")) == "a\0\\xff"
    assert modified_utf8(bytes.fromhex("EDA0BDEDB880EDA0BD")) == "😀\\ud83d"
    assert read_utf(b"\0\4ping", 0, 6, "method") == ("ping", 6)
    with pytest.raises(Incomplete, match="method at offset 2: needs 4 bytes, 3 left"):
        read_utf(b"\0\4ping", 0, 5, "method")


def streams(data: bytes, skip: int) -> Iterator[bytes]:
    """The object stream of each Motan 1 or Dubbo message."""
    at = 0
    while at < len(data):
        stop = at + 16 + int.from_bytes(data[at + 12 : at + 16], "big")
        body = data[at + skip : stop]
        if body[:2] == MAGIC[:2]:
            yield body
        at = stop


@pytest.mark.parametrize(
    ("name", "skip"),
    [
        ("motan_java_motan_hessian2_rich", 32),
        ("motan_java_motan1z_hessian2_rich", 32),
        ("java_motan", 32),
        ("dubbo2_java_ser_java", 16),
    ],
)
def test_captures_are_read_whole(name: str, skip: int) -> None:
    count = arrays = 0
    for sides in connections(capture(name)):
        for side in sides:
            for body in streams(side, skip):
                record = check(body, JAVA_STREAM)
                assert all(f.severity is Severity.NOTE for f in record.body.findings)
                count += 1
                for field in record.body:
                    if field.value.own == "byte[]" and isinstance(field.value.content, bytes):
                        assert check(field.value.content, HESSIAN2).body.findings == ()
                        arrays += 1
    assert count >= 4
    assert arrays >= 4 or name == "dubbo2_java_ser_java"
