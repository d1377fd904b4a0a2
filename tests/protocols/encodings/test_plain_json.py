"""JSON as people write it: against Python's own, broken, odd, and from captures."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payloads import capture, check, check_cuts, check_mutations, connections

from pingpong.model import Gap, Record, Severity, TType
from pingpong.protocols.encodings.plain_json import PLAIN_JSON
from pingpong.protocols.explain import explain

VALUES: dict[bytes, tuple[TType, object]] = {
    b"0": (TType.INT, 0),
    b"-12": (TType.INT, -12),
    b"123456789012345678901234567890": (TType.INT, 123456789012345678901234567890),
    b"1.50": (TType.DOUBLE, 1.5),
    b"1e3": (TType.DOUBLE, 1000.0),
    b"true": (TType.BOOL, True),
    b" false ": (TType.BOOL, False),
    b"null": (TType.NULL, None),
    b'""': (TType.TEXT, ""),
    b'"a\\u00e9\\n\\ud83d\\ude00"': (TType.TEXT, "aé\n😀"),
    b'"\\ud83d"': (TType.TEXT, "\\ud83d"),
    b"[]": (TType.LIST, []),
    b' [1, "a", null, {"b": []}] ': (TType.LIST, [1, "a", None, {"b": []}]),
}


@pytest.mark.parametrize("text", VALUES)
def test_a_value(text: bytes) -> None:
    body = check(text, PLAIN_JSON).body
    (field,) = body.fields
    assert (field.field_id, field.name) == (0, None)
    assert (field.ttype, field.value.plain) == VALUES[text]
    assert field.value.span.of(text) == text.strip()
    errors = [f for f in body.findings if f.severity is Severity.ERROR]
    assert not errors


def test_an_object_is_the_struct() -> None:
    text = b'{"Username": "admin", "n": {"x": 2.50}, "n": 1}\n'
    record = check(text, PLAIN_JSON)
    assert [(f.field_id, f.name) for f in record.body] == [(-1, "Username"), (-1, "n"), (-1, "n")]
    assert record.body.stop is not None
    assert ["which was there before" in f.text for f in record.body.findings] == [True]
    said = [(n.label, n.meaning) for n in explain(record)]
    assert said[1:4] == [
        ("field name", '"Username"'), ("value", '"admin"'), ("field name", '"n"'),
    ]  # fmt: skip
    assert ("value", "2.50") in said
    assert check(b"{}", PLAIN_JSON).body.plain == {}


ODD = {
    b"[NaN]": "number at offset 1: is NaN, want one of JSON's",
    b"[01]": "number at offset 1: is 01, want one of JSON's",
    b'["a\n"]': "string at offset 1: has 0x0a at offset 3, want \\u000a",
    b'["\xff"]': "string at offset 1: is no UTF-8",
    b'["\\x"]': "escape at offset 2: is \\x, want one that stands for text",
}


@pytest.mark.parametrize("text", ODD)
def test_what_is_odd_is_read_and_told(text: bytes) -> None:
    body = check(text, PLAIN_JSON).body
    assert [(f.severity, f.text) for f in body.findings] == [(Severity.WARNING, ODD[text])]
    assert body[0].value.plain != []


FAULTS = {
    b"": "value at offset 0: needs 1 byte, 0 left",
    b"   ": "value at offset 3: needs 1 byte, 0 left",
    b"nil": "value at offset 0: is nil, want null, true, false",
    b"[1 2]": "separator at offset 3: is 2, want ',' or ']'",
    b'{"a" 1}': "separator at offset 5: is 1, want ':'",
    b"{1: 2}": "field name at offset 1: is 1, want a string",
    b'{"a": 1': "end of the value at offset 7: needs 1 byte, 0 left",
    b'{"a": "b': "end of the value at offset 8: needs 1 byte, 0 left",
    b"[1, 2": "end of the end of the list at offset 5: needs 1 byte, 0 left",
    b"1 2": "1 byte left over behind the message at offset 2",
    b"'a'": "value at offset 0: is ''', want a value",
    b"<html>": "value at offset 0",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault(text: bytes) -> None:
    body = check(text, PLAIN_JSON).body
    errors = [f.text for f in body.findings if f.severity is Severity.ERROR]
    assert errors
    assert errors[0].startswith(FAULTS[text])


def test_what_was_read_stays() -> None:
    body = check(b'{"a": 1, "b": [1, "x', PLAIN_JSON).body
    assert body.plain == {"a": 1, "b": [1, "x"]}
    assert body.stop is None
    body = check(b'{"a": 1, "secret": 12345, "c": 2}', PLAIN_JSON, (Gap(20, 3),)).body
    assert body.plain == {"a": 1}
    assert "lost by the capture" in body.findings[0].text


def test_nesting_is_bounded() -> None:
    assert any("nesting" in f.text for f in check(b"[" * 5000, PLAIN_JSON).body.findings)
    text = b'{"a":' * 200 + b"1" + b"}" * 200
    assert any("nesting" in f.text for f in check(text, PLAIN_JSON).body.findings)


SAMPLES = [*VALUES, b'{"Username": "admin", "n": {"x": [2.50, {"y": "\\u00e9"}]}, "n": 1}\n']


def test_cuts_and_mutations() -> None:
    check_cuts(SAMPLES[-1], PLAIN_JSON)
    check_mutations(SAMPLES, PLAIN_JSON, 4000)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text('abé"\\\n'), inner),
    max_leaves=20,
)


@given(values, st.booleans(), st.sampled_from((None, 1)))
def test_what_python_wrote(value: object, is_ascii: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent).encode()
    record = check(text, PLAIN_JSON)
    errors = [f for f in record.body.findings if f.severity is Severity.ERROR]
    assert not errors
    plain = record.body.plain if isinstance(value, dict) else record.body[0].value.plain
    assert repr(plain) == repr(value)


@pytest.mark.parametrize("name", ["rpcx_json", "rpcx_json_concurrent"])
def test_captures_are_read_whole(name: str) -> None:
    count = 0
    for sides in connections(capture(name)):
        for side in sides:
            at = 0
            while at < len(side):
                stop = at + 16 + int.from_bytes(side[at + 12 : at + 16], "big")
                place = at + 16
                for _ in range(3):
                    place += 4 + int.from_bytes(side[place : place + 4], "big")
                payload = side[place + 4 : stop]
                if side[at + 3] >> 4 == 1 and payload:
                    record = check(payload, PLAIN_JSON)
                    assert record.body.findings == ()
                    count += 1
                at = stop
    assert count >= 4


def test_the_record_itself() -> None:
    assert Record(data=b'{"a": 1}', protocol=PLAIN_JSON).fault is None
