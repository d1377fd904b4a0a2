"""hessian2: every form of every type, by hand, from Java's own bytes, from other libraries.

The truth of the captures is what their peers wrote down (``*.tsv``).
"""

from __future__ import annotations

import ast
import csv
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payloads import (
    capture,
    check,
    check_cuts,
    check_mutations,
    connections,
    plain_values,
    shape,
    whole,
)

from pingpong.errors import DecodeError, Incomplete
from pingpong.model import (
    DEFAULT_LIMITS,
    Build,
    Gap,
    Limits,
    Listener,
    Record,
    Severity,
    Struct,
    TType,
)
from pingpong.protocols.encodings.hessian2 import (
    HESSIAN2,
    KINDS,
    Hessian2Walk,
    Said,
    read_int,
    read_string,
    walk_values,
)
from pingpong.protocols.explain import check_cover, explain
from pingpong.redaction.messages import Redactor

NODE = "43 0d 636f6d2e73686f702e4e6f6465 92 04 6e616d65 04 6e657874"

# Bytes, and what they say.  One by one: definitions and types of one line are not for the next.
VALUES: dict[str, object] = {
    "00": "",
    "05 68656c6c6f": "hello",
    "30 20" + "61" * 32: "a" * 32,
    "33 ff" + "62" * 1023: "b" * 1023,
    "53 0400" + "63" * 1024: "c" * 1024,
    "52 0002 6162 52 0000 52 0001 c3a9 01 63": "abéc",
    "52 0001 61 30 02 6263": "abc",
    "04 61 EDA0BD EDB880 62": "a😀b",  # as Java writes it
    "04 61 F09F9880 62": "a😀b",  # four bytes, two units
    "03 61 F09F9880 62": "a😀b",  # four bytes, one unit
    "52 0001 EDA0BD 01 EDB880": "😀",  # a pair over two chunks
    "01 EDA0BD": "\\ud83d",  # half a pair
    "02 C080 61": "\0a",  # Java's zero
    "20": b"",
    "23 010203": b"\1\2\3",
    "34 10" + "07" * 16: b"\7" * 16,
    "37 ff" + "07" * 1023: b"\7" * 1023,
    "42 0002 0102": b"\1\2",
    "41 0002 0102 41 0000 22 0304": b"\1\2\3\4",
    "80": -16, "90": 0, "bf": 47,
    "c0 00": -2048, "c7 00": -256, "cf ff": 2047,
    "d0 0000": -262144, "d7 ffff": 262143,
    "49 80000000": -(1 << 31), "49 7fffffff": (1 << 31) - 1,
    "d8": -8, "e0": 0, "ef": 15,
    "f0 00": -2048, "ff ff": 2047,
    "38 0000": -262144, "3f ffff": 262143,
    "59 80000000": -(1 << 31),
    "4c 8000000000000000": -(1 << 63), "4c 7fffffffffffffff": (1 << 63) - 1,
    "5b": 0.0, "5c": 1.0,
    "5d 80": -128.0, "5e 8000": -32768.0, "5f 00001234": 4.66,
    "44 4028800000000000": 12.25,
    "46": False, "54": True, "4e": None,
    "4a 00000000 00001000": "1970-01-01T00:00:04.096Z",
    "4a ffffffff ffffffff": "1969-12-31T23:59:59.999Z",
    "4b 00000001": "1970-01-01T00:01:00Z",
    "78": [], "7a 91 92": [1, 2], "58 92 91 92": [1, 2], "57 91 92 5a": [1, 2],
    "56 04 5b696e74 92 91 92": [1, 2], "55 04 5b696e74 91 92 5a": [1, 2],
    "72 04 5b696e74 91 92": [1, 2],
    "48 5a": [], "48 01 61 91 92 78 5a": [("a", 1), (2, [])],
    "4d 11 6a6176612e7574696c2e547265654d6170 01 6b 95 5a": [("k", 5)],
    NODE + "60 01 61 4e": {"name": "a", "next": None},
    NODE + "4f 90 01 61 4e": {"name": "a", "next": None},
    "79 " + NODE + "60 01 61 4e": [{"name": "a", "next": None}],
    "43 01 61 90 60": {},
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_a_value(text: str) -> None:
    data = bytes.fromhex(text)
    record = check(data, HESSIAN2)
    assert record.body.findings == ()
    assert [record.body[1].value.plain] == [VALUES[text]]
    assert type(record.body[1].value.plain) is type(VALUES[text])
    assert record.body[1].span.stop == len(data)


def test_every_first_byte_is_known_or_refused() -> None:
    reserved = {byte for byte in range(256) if not KINDS[byte]}
    assert reserved == {0x40, 0x45, 0x47, 0x50}
    for byte in (*reserved, 0x5A):
        (finding,) = check(bytes((0x91, byte)), HESSIAN2).body.findings
        assert (finding.severity, finding.offset) == (Severity.ERROR, 1)
        assert f"value at offset 1: is 0x{byte:02x}" in finding.text


def test_what_kind_of_number_it_is() -> None:
    body = check(bytes.fromhex("91 e1 5c 51 90 4b00000001"), HESSIAN2).body
    assert [(f.ttype, f.value.own) for f in body][:3] == [
        (TType.I32, "int"), (TType.I64, "long"), (TType.DOUBLE, ""),
    ]  # fmt: skip


def test_objects_say_their_class_and_references_what_they_are_to() -> None:
    circle = bytes.fromhex(NODE + "60 01 61 51 90 78 79 60 01 62 51 91 51 92 51 97")
    body = check(circle, HESSIAN2).body
    node = body[1].value
    assert node.label == "com.shop.Node"
    assert isinstance(node.content, Struct)
    assert node.content.fields[1].ttype is TType.REFERENCE
    assert node.content.fields[1].value.label == "com.shop.Node, field 1"
    assert body[3].value.plain == [{"name": "b", "next": 1}]
    assert body[4].value.label == "list, field 3"
    assert [f.text for f in body.findings] == [
        "reference at offset 40: is number 7, want one of the 4 before it"
    ]


def test_definitions_and_types_run_on() -> None:
    said = Said()
    data = bytes.fromhex(
        NODE + "60 01 61 4e | 71 01 74 90".replace("|", "") + "60 01 62 51 90 71 90 91"
    )
    build = Build()
    build.struct(0)
    at = walk_values(data, 0, len(data), 2, said, (), DEFAULT_LIMITS, build)
    at = walk_values(data, at, len(data), 1, said, (), DEFAULT_LIMITS, build, 3)
    at = walk_values(data, at, len(data), -1, said, (), DEFAULT_LIMITS, build, 4)
    build.struct_end(at, at)
    assert at == len(data)
    assert build.body.findings == ()
    assert build.body.plain == {
        1: {"name": "a", "next": None}, 2: [0], 3: {"name": "b", "next": 0}, 4: [1],
    }  # fmt: skip
    assert [f.value.label for f in build.body] == ["com.shop.Node", "t", "com.shop.Node", "t"]
    # A new encoder knows none of them.
    assert walk_values(data, 36, len(data), 1, Said(), (), DEFAULT_LIMITS, Listener()) == -1


FAULTS = {
    "60": "object's class at offset 0: is number 0, want a definition",
    NODE + "61": "object's class at offset 26: is number 1, want one of the 1 that were defined",
    "72 90 91 91": "type at offset 1: is number 0, want none: there is none before it",
    "58 8f": "list length at offset 1: is -1, want 0 or more",
    "56 91 91": "type at offset 1: is number 1",
    "58 4e": "list length at offset 1: is 0x4e, want an int",
    "43 01 61 8f": "number of the class's fields at offset 3: is -1, want 0 or more",
    "43 90": "class name at offset 1: is 0x90, want a string",
    "02 61 ff": "text of the string at offset 2: is ff, want UTF-8",
    "01 f0808080": "text of the string at offset 1: is f0 80 80 80, want UTF-8",
    "52 0001 61 91": "string at offset 4: is 0x91, want a string",
    "41 0001 61 91": "binary at offset 4: is 0x91, want a binary",
    "05 6162": "string at offset 3: needs 3 bytes, 0 left",
    "25 6162": "binary at offset 1: needs 5 bytes, 2 left",
    "49 00": "I32 at offset 0: needs 5 bytes, 2 left",
    "48 91": "value at offset 2: needs 1 byte, 0 left",
    "48": "end of the map at offset 1: needs 1 byte, 0 left",
    "43 33 ff"
    + "61" * 1023
    + "90": "class name at offset 1: is 1023 characters long, want at most",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault(text: str) -> None:
    body = check(bytes.fromhex("91" + text), HESSIAN2).body
    assert body.findings
    first = body.findings[0]
    assert first.severity is Severity.ERROR
    shifted = Record(data=bytes.fromhex(text), protocol=HESSIAN2).body.findings[0].text
    assert shifted.startswith(FAULTS[text])
    assert body[1].value.plain == 1  # what was read stays


def test_what_is_cut_is_there_as_far_as_it_goes() -> None:
    value = check(bytes.fromhex("05 61 c3a9 e4"), HESSIAN2).body[1].value
    assert (value.content, value.lost) == ("aé", 3)
    value = check(bytes.fromhex("25 0102"), HESSIAN2).body[1].value
    assert (value.content, value.lost) == (b"\1\2", 3)


def test_lost_bytes() -> None:
    data = bytes.fromhex("24 01020304 91 49 00000001 03 616263 92")
    record = check(data, HESSIAN2, (Gap(2, 2), Gap(9, 1)))
    first, one, number, text, two = record.body
    assert (first.value.content, first.value.lost) == (b"\1", 2)
    assert (one.value.content, number.value.content, number.value.lost) == (1, None, 1)
    assert (text.value.content, two.value.content) == ("abc", 2)
    # Where the text ends that has lost bytes, nobody can tell.
    body = check(data, HESSIAN2, (Gap(13, 1),)).body
    assert body.stop is None
    assert body[4].value.content == "a"
    assert "lost by the capture" in body.findings[0].text


def test_no_claim_takes_memory_or_time() -> None:
    for text in ("58 497fffffff", "56 01 61 497fffffff 91", "43 01 61 497fffffff", "52 ffff"):
        assert check(bytes.fromhex(text), HESSIAN2).body.findings
    deep = check(b"\x79" * 5000 + b"\x91", HESSIAN2).body
    assert "nesting" in deep.findings[0].text
    few = Limits(values=10)
    for data in (b"\x91" * 100, b"C\1a\x90" * 100, b"C\1a\xbf" + b"\1a" * 47):
        body = Record(data=data, protocol=HESSIAN2, limits=few).body
        assert len(body.fields) <= 10
        assert "10 were read" in body.findings[0].text


def test_every_cut() -> None:
    # One encoder counts a character of four bytes in one way.
    texts = [text for text in VALUES if len(text) < 90 and "F09F" not in text]
    check_cuts(b"".join(bytes.fromhex(text) for text in texts), HESSIAN2)
    for text in VALUES:
        check_cuts(bytes.fromhex(text), HESSIAN2, 1 + len(text) // 90)


def test_mutations() -> None:
    samples = [bytes.fromhex(text) for text in VALUES if len(text) < 200]
    rows = [b"".join(samples[at : at + 4]) for at in range(len(samples))]
    check_mutations(rows, HESSIAN2, 4000)


def test_a_broken_message_is_masked_and_keeps_its_structure() -> None:
    data = bytes.fromhex("79" + NODE + "60 03 736563 48 03 726574 91 5a 49 736563")
    record = Record(data=data, protocol=HESSIAN2)
    before = whole(record.body, len(data))
    Redactor([]).redact(record)
    assert shape(whole(record.body, len(data))) == shape(before)
    assert b"sec" not in record.data
    assert b"ret" not in record.data
    assert b"com.shop.Node" in record.data
    check_cover(explain(record), len(data))


def test_notes_name_what_they_explain() -> None:
    record = Record(data=bytes.fromhex(NODE + "60 01 61 51 90"), protocol=HESSIAN2)
    said = [(n.span.start, n.label, n.meaning) for n in explain(record)]
    assert said[0] == (0, "class definition", "number 0")
    assert (2, "class", '"com.shop.Node"') in said
    assert (17, "field 0", '"name"') in said
    assert (26, "value class", "object of class 0, com.shop.Node") in said
    assert said[-1] == (30, "next", "0, to com.shop.Node, field 1")


def test_a_place_alone() -> None:
    data = bytes.fromhex("05 322e302e32 4e d4 0001 4e")
    assert read_string(data, 0, len(data), "version") == ("2.0.2", 6)
    assert read_string(data, 6, len(data), "group") == (None, 7)
    assert read_int(data, 7, len(data), "result") == (1, 10)
    with pytest.raises(DecodeError, match=r"^result at offset 10: is 0x4e, want an int$"):
        read_int(data, 10, len(data), "result")
    with pytest.raises(Incomplete, match="version at offset 3"):
        read_string(data, 0, 3, "version")
    with pytest.raises(DecodeError, match="header"):
        HESSIAN2.read_header(data, 0, len(data), DEFAULT_LIMITS)


# ── What others write ────────────────────────────────────────────────────────────────


def bodies(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Header and body of each Dubbo message."""
    at = 0
    while at < len(data):
        stop = at + 16 + int.from_bytes(data[at + 12 : at + 16], "big")
        yield data[at : at + 16], data[at + 16 : stop]
        at = stop


@pytest.mark.parametrize(
    "name",
    [
        "dubbo2_java_rich", "dubbo2_java_heartbeat", "dubbo2_java_pool", "dubbo2_x_sofa_java",
        "dubbo2_java26", "dubbo2_apachejs", "dubbo2_dubbopy", "dubbo2_dubbossl",
        "dubbo2_nodecli_pysrv", "dubbo2_python3dubbo", "dubbo2_sofa",
    ],
)  # fmt: skip
def test_captures_are_read_whole(name: str) -> None:
    count = 0
    for sides in connections(capture(name)):
        for side in sides:
            for _, body in bodies(side):
                record = check(body, HESSIAN2)
                assert record.body.findings == ()
                count += 1
    assert count >= 4


def test_what_java_wrote_is_what_it_says() -> None:
    path = capture("dubbo2_java_rich")
    asked: dict[int, list[object]] = {}
    answered: dict[int, list[object]] = {}
    for sides in connections(path):
        for side, found in ((sides.client, asked), (sides.server, answered)):
            for head, body in bodies(side):
                if not head[2] & 0x20:
                    values = plain_values(Record(data=body, protocol=HESSIAN2))
                    found[int.from_bytes(head[4:12], "big")] = values
    truth = path.with_suffix(".tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(truth.splitlines(), delimiter="\t"))
    checked = 0
    for row in rows:
        values = answered.get(int(row["n"]), [])
        assert asked[int(row["n"])][3] == row["method"]
        if row["method"] in ("echo", "login", "ping", "prims") and row["outcome"] == "reply":
            wanted = row["value"]
            if isinstance(values[1], str) and "chars" not in wanted:
                assert values[:2] == [4, wanted]
                checked += 1
        elif row["method"] in ("ints", "longs", "doubles"):
            text = row["value"].replace("NaN", "1e999-1e999").replace("Infinity", "1e999")
            numbers = values[1]
            assert isinstance(numbers, list)
            assert [repr(n) for n in numbers] == [_python(one) for one in text[1:-1].split(", ")]
            checked += 1
    assert checked > 10


def _python(text: str) -> str:
    if "1e999" in text:
        return "nan" if "-" in text else "inf"
    return repr(ast.literal_eval(text))


def test_a_circle_from_java() -> None:
    for sides in connections(capture("dubbo2_java_rich")):
        for head, body in bodies(sides.client):
            if head[4:12] == (39).to_bytes(8, "big"):
                notes = explain(Record(data=body, protocol=HESSIAN2))
                assert any("com.thinkrpc.Tree, field 6" in note.meaning for note in notes)
                return
    pytest.fail("call 39 is not there")


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(max_codepoint=0xD7FF), max_size=40),
    lambda inner: st.lists(inner, min_size=1, max_size=9),
    max_leaves=20,
)


@given(st.lists(plain, min_size=1, max_size=4))
def test_what_another_library_wrote(values: list[object]) -> None:
    encoder = pytest.importorskip("dubbo_ssl.codec.encoder", reason="pip install dubbo-ssl-python")
    request = encoder.Request.__new__(encoder.Request)
    request._Request__classes = []
    request._Request__types = []
    try:
        data = b"".join(bytes(request._encode_single_value(value)) for value in values)
    except Exception:  # it writes no list of mixed types
        return
    record = check(data, HESSIAN2)
    assert record.body.findings == ()
    assert repr(plain_values(record)) == repr(values)


@given(st.lists(st.text(), max_size=5), st.sampled_from((1, 2, 3)))
def test_text_however_its_characters_are_written(texts: list[str], how: int) -> None:
    """As Java does (3), as four bytes of two units (2), and of one (1)."""
    out = bytearray()
    for text in texts:
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        raw = text.encode("utf-8", "surrogatepass")
        if how == 1:
            units = len(text)
        elif how == 3:
            pairs = text.encode("utf-16-le", "surrogatepass")
            halves = [
                pairs[at : at + 2].decode("utf-16-le", "surrogatepass")
                for at in range(0, len(pairs), 2)
            ]
            raw = b"".join(half.encode("utf-8", "surrogatepass") for half in halves)
        out += b"S" + struct.pack(">H", units) + raw + b"N"
    said = Said()
    said.wide = 1 if how == 1 else 2
    build = Build()
    build.struct(0)
    Hessian2Walk(bytes(out), 0, len(out), (), DEFAULT_LIMITS, build, said).fields(1, -1)
    build.struct_end(len(out), len(out))
    assert [field.value.content for field in build.body][::2] == texts
    check(bytes(out), HESSIAN2)
