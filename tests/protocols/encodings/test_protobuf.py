"""protobuf without a schema: what is there, and all that it may be.

The truth is never in doubt here: the test writes it, with a writer of a few lines.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingpong.model import (
    DEFAULT_LIMITS,
    Build,
    Gap,
    Items,
    Limits,
    Record,
    Severity,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.encodings.protobuf import PROTOBUF, fields_of, sound
from pingpong.protocols.explain import check_cover, explain
from pingpong.redaction.messages import Redactor, masked_with
from pingpong.redaction.selectors import parse_selectors
from pingpong.views.json import record_row
from pingpong.views.one_line import value_text

# ── A writer ─────────────────────────────────────────────────────────────────────────


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def key(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def length(number: int, content: bytes) -> bytes:
    return key(number, 2) + varint(len(content)) + content


def read(data: bytes, limits: Limits = DEFAULT_LIMITS, gaps: tuple[Gap, ...] = ()) -> Struct:
    return PROTOBUF.read_struct(data, 0, len(data), gaps, limits)


def only(data: bytes) -> Value:
    body = read(data)
    assert body.findings == ()
    (field,) = body.fields
    assert (field.span.start, field.span.stop) == (0, len(data))
    return field.value


def said(value: Value) -> dict[str, object]:
    return {one.own: one.plain for one in value.readings}


# ── What it may be ───────────────────────────────────────────────────────────────────

VARINTS = {
    "08 00": (0, {"int64": 0, "bool": False}),
    "08 01": (1, {"int64": 1, "sint64": -1, "bool": True}),
    "08 96 01": (150, {"int64": 150, "sint64": 75}),
    # Two's complement in 64 bits: a negative int32 too.
    "08 ff ff ff ff ff ff ff ff ff 01": (
        -1,
        {"int64": -1, "uint64": 18446744073709551615, "sint64": -9223372036854775808},
    ),
    # sint32 -2147483648.
    "08 ff ff ff ff 0f": (4294967295, {"int64": 4294967295, "sint64": -2147483648}),
}


@pytest.mark.parametrize("text", VARINTS)
def test_a_varint_has_all_its_readings(text: str) -> None:
    value = only(bytes.fromhex(text))
    content, readings = VARINTS[text]
    assert (value.content, value.own, said(value)) == (content, "varint", readings)
    assert [one.is_likely for one in value.readings] == [True] + [False] * (len(readings) - 1)


@given(st.floats(allow_nan=False))
def test_a_double_is_among_the_readings(number: float) -> None:
    value = only(key(1, 1) + struct.pack("<d", number))
    assert said(value)["double"] == number
    if 1e-20 < abs(number) < 1e20:
        assert (value.content, value.ttype) == (number, TType.DOUBLE)


@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 32) - 1))
def test_fixed_numbers_are_among_the_readings(long: int, short: int) -> None:
    value = only(key(1, 1) + long.to_bytes(8, "little"))
    assert said(value)["fixed64"] == long
    assert said(value).get("sfixed64", long) == (long ^ 1 << 63) - (1 << 63)
    value = only(key(1, 5) + short.to_bytes(4, "little"))
    assert said(value)["fixed32"] == short
    assert said(value).get("sfixed32", short) == (short ^ 1 << 31) - (1 << 31)
    assert "float" in said(value)


@pytest.mark.parametrize("number", [7, 1 << 40, 1_700_000_000_000])
def test_a_whole_number_in_8_bytes_is_no_double(number: int) -> None:
    assert only(key(1, 1) + number.to_bytes(8, "little")).content == number
    minus = only(key(1, 1) + (-number).to_bytes(8, "little", signed=True))
    assert (minus.content, minus.own) == (-number, "sfixed64")


@pytest.mark.parametrize("number", [math.inf, -math.inf])
def test_infinity_is_a_double(number: float) -> None:
    assert only(key(1, 1) + struct.pack("<d", number)).content == number
    assert only(key(1, 5) + struct.pack("<f", number)).content == number


@given(st.text(max_size=100))
def test_a_text_is_among_the_readings(text: str) -> None:
    value = only(length(1, text.encode()))
    known = said(value)
    assert value.text == text or str(known["string"]).rstrip("…") in text
    assert "bytes" in known
    if text.isprintable() and len(text) < 30:
        assert value.text == text


@given(st.binary(max_size=100))
def test_bytes_are_always_among_the_readings(raw: bytes) -> None:
    value = only(length(1, raw))
    if value.readings:
        plain = said(value)["bytes"]
        assert isinstance(plain, bytes)
        assert raw.startswith(plain.removesuffix(b"...") if len(raw) > 64 else plain)
    else:
        assert value.content == raw


@given(st.lists(st.integers(-(1 << 63), (1 << 64) - 1), min_size=1, max_size=16))
def test_packed_numbers_are_among_the_readings(numbers: list[int]) -> None:
    value = only(length(1, b"".join(varint(one) for one in numbers)))
    wanted = [one & (1 << 64) - 1 for one in numbers]
    assert said(value)["packed varint"] == wanted


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=8))
def test_packed_floats_are_among_the_readings(numbers: list[float]) -> None:
    raw = struct.pack(f"<{len(numbers)}f", *numbers)
    value = only(length(1, raw))
    # Of letters alone a float would be one of millions.
    if value.text is None or not value.text.isprintable():
        assert said(value)["packed float"] == numbers
    raw = struct.pack(f"<{len(numbers)}d", *numbers)
    assert said(only(length(1, raw))).get("packed double", numbers) == numbers


_SCALARS = st.one_of(
    st.tuples(st.just(0), st.integers(0, (1 << 64) - 1).map(varint)),
    st.tuples(st.just(1), st.binary(min_size=8, max_size=8)),
    st.tuples(st.just(5), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(2), st.binary(max_size=40).map(lambda one: varint(len(one)) + one)),
    st.tuples(st.just(2), st.text(max_size=20).map(lambda one: length(1, one.encode())[1:])),
)
_NUMBERS = st.one_of(st.integers(1, 20), st.integers(1, (1 << 29) - 1))
_LEAVES = st.lists(st.tuples(_NUMBERS, _SCALARS), max_size=6).map(
    lambda fields: b"".join(key(number, wire) + value for number, (wire, value) in fields)
)
_MESSAGES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(
        st.one_of(
            st.tuples(_NUMBERS, inner).map(lambda one: length(*one)),
            st.tuples(_NUMBERS, inner).map(
                lambda one: key(one[0], 3) + one[1] + key(one[0], 4)  # a group
            ),
            _LEAVES,
        ),
        max_size=4,
    ).map(b"".join),
    max_leaves=12,
)


@given(_MESSAGES)
def test_a_message_is_among_the_readings(message: bytes) -> None:
    value = only(length(1, message))
    assert "message" in said(value)
    if isinstance(value.content, Struct):
        inner = value.content
        assert inner.stop is not None
        assert inner.fields[0].span.start == value.span.start
        assert inner.stop.stop == len(length(1, message))


@given(_MESSAGES)
def test_every_byte_is_told_and_explained_once(message: bytes) -> None:
    assert sound(message, 0, len(message), 64) >= 0
    record = Record(data=message, protocol=PROTOBUF)
    assert not record.faults
    assert record.fault is None
    at = 0
    for field in record.fields:
        assert field.span.start == at
        at = field.span.stop
    assert at == len(message)
    assert record.body.stop is not None
    notes = explain(record)
    check_cover(notes, len(message))
    assert not any(note.kind == "unread" for note in notes)
    assert record_row(record).isprintable()


# ── What is wrong ────────────────────────────────────────────────────────────────────

WRONG = {
    "08 01 0e 00": "wire type of field 1 at offset 2: is 6, want one of 0 VARINT",
    "08 01 0f 00": "wire type of field 1 at offset 2: is 7, want one of 0 VARINT",
    "08 01 00 01": "field number at offset 2: is 0, want 1 to 536870911",
    "08 01 80 80 80 80 10": "field number at offset 2: is 536870912, want 1 to 536870911",
    "08 01 88 80 80 80 80 00": "field key at offset 2: is over 5 bytes long, want at most 5",
    "08 01 10 ff ff ff ff ff ff ff ff ff ff 01": (
        "varint at offset 3: is over 10 bytes long, want at most 10"
    ),
    "08 01 12 05 61 62": "length-delimited value at offset 4: needs 5 bytes, 2 left",
    "08 01 11 00 00": "I64 at offset 3: needs 8 bytes, 2 left",
    "08 01 15 00 00": "I32 at offset 3: needs 4 bytes, 2 left",
    "08 01 13 08 01": "end of group 2 at offset 5: needs 1 byte, 0 left",
    "08 01 13 08 01 1c": (
        "end of a group at offset 5: is that of group 3, want the end of group 2"
    ),
    "08 01 14": "end of a group at offset 2: is that of group 2, want no group is open",
    "08 01 10": "varint at offset 3: needs 1 byte, 0 left",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_and_what_was_before_stays(text: str) -> None:
    data = bytes.fromhex(text)
    body = read(data)
    assert body.stop is None
    (finding,) = body.findings
    assert finding.severity is Severity.ERROR
    assert finding.text.startswith(WRONG[text])
    assert body.fields[0].value.content == 1
    record = Record(data=data, protocol=PROTOBUF)
    assert record.fault == finding
    check_cover(explain(record), len(data))


def test_more_than_64_bits_are_odd_and_read() -> None:
    body = read(bytes.fromhex("08 ff ff ff ff ff ff ff ff ff 7f"))
    assert [field.value.content for field in body] == [-1]
    assert [one.severity for one in body.findings] == [Severity.WARNING]


def first_fields(body: Struct, stop: int) -> list[object]:
    return [field.value.plain for field in body.fields if field.span.stop <= stop]


@given(_MESSAGES, st.data())
def test_a_cut_keeps_what_is_before_it(message: bytes, data: st.DataObject) -> None:
    whole = read(message)
    at = data.draw(st.integers(0, len(message)))
    body = read(message[:at])
    kept = first_fields(whole, at)
    assert repr(first_fields(body, at)[: len(kept)]) == repr(kept)
    assert (body.stop is None) == bool([f for f in body.findings if f.severity == 2])
    check_cover(explain(Record(data=message[:at], protocol=PROTOBUF)), at)


@given(_MESSAGES, st.data())
def test_a_gap_keeps_what_is_before_it(message: bytes, data: st.DataObject) -> None:
    whole = read(message)
    start = data.draw(st.integers(0, len(message)))
    size = data.draw(st.integers(1, 20))
    gap = Gap(start, min(size, len(message) - start))
    if not gap.length:
        return
    filled = message[:start] + b"\xff" * gap.length + message[gap.stop :]
    body = read(filled, gaps=(gap,))
    assert body.findings
    kept = first_fields(whole, start)
    assert repr(first_fields(body, start)[: len(kept)]) == repr(kept)
    # What a gap is filled with is not looked at.
    other = message[:start] + b"\x08" * gap.length + message[gap.stop :]
    assert repr(read(other, gaps=(gap,))) == repr(body)
    record = Record(data=filled, protocol=PROTOBUF, gaps=(gap,))
    notes = explain(record)
    check_cover(notes, len(message))
    assert any(note.kind == "lost" for note in notes)


def test_a_gap_in_a_nested_message_ends_there() -> None:
    inner = length(1, b"\x08\x01" + length(2, b"lost and gone") + b"\x18\x03")
    data = inner + b"\x10\x07"
    at = data.index(b"\x12")
    body = read(data, gaps=(Gap(at, 3),))
    assert [field.field_id for field in body] == [1, 2]
    content = body[1].value.content
    assert isinstance(content, Struct)
    assert [field.value.content for field in content] == [1]
    assert body[2].value.content == 7
    text = "field key (lost by the capture)"
    assert [one.text.startswith(text) for one in body.findings] == [True]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_exception(raw: bytes) -> None:
    body = read(raw)
    is_sound = sound(raw, 0, len(raw), DEFAULT_LIMITS.depth - 1) >= 0
    assert (body.stop is not None) == is_sound
    assert PROTOBUF.struct_end(raw, 0, len(raw), DEFAULT_LIMITS) == (len(raw) if is_sound else -1)
    check_cover(explain(Record(data=raw, protocol=PROTOBUF)), len(raw))


@given(_MESSAGES, st.data())
def test_a_changed_byte_is_no_exception(message: bytes, data: st.DataObject) -> None:
    if not message:
        return
    at = data.draw(st.integers(0, len(message) - 1))
    changed = bytearray(message)
    changed[at] = data.draw(st.integers(0, 255))
    raw = bytes(changed)
    read(raw)
    check_cover(explain(Record(data=raw, protocol=PROTOBUF)), len(raw))


# ── Limits ───────────────────────────────────────────────────────────────────────────


def nested(depth: int, inside: bytes = b"\x08\x01") -> bytes:
    for _ in range(depth):
        inside = length(1, inside)
    return inside


def test_depth_has_an_end_that_is_said() -> None:
    body = read(nested(20), Limits(depth=5))
    depth = 1
    value = body.fields[0].value
    while isinstance(value.content, Struct):
        value = value.content.fields[0].value
        depth += 1
    assert depth == 5
    assert value.ttype is TType.BYTES
    (finding,) = body.findings
    assert finding.severity is Severity.WARNING
    assert finding.text.startswith("nesting at offset 9: is 6 deep, want at most 5")


def test_groups_have_the_same_depth() -> None:
    limits = Limits(depth=5)
    for depth in (4, 5):
        data = b"\x0b" * depth + b"\x0c" * depth
        body = read(data, limits)
        assert (body.stop is not None) == (depth == 4)
        assert (PROTOBUF.struct_end(data, 0, len(data), limits) == len(data)) == (depth == 4)
    assert read(b"\x0b" * 100_000).findings[-1].text.startswith("nesting at offset")


def test_values_have_an_end_that_is_said() -> None:
    body = read(b"\x08\x01" * 100, Limits(values=10))
    assert len(body.fields) == 10
    assert body.findings[0].text.startswith("values: 10 were read")


def test_readings_are_bounded() -> None:
    value = only(length(1, b"\x01" * 100_000))
    assert all(len(repr(one.plain)) < 500 for one in value.readings)
    value = only(length(1, b"\x08\x01" * 10_000))
    assert all(len(repr(one.plain)) < 500 for one in value.readings)


HOSTILE: dict[str, Callable[[int], bytes]] = {
    # Each as long as can be, for its size: many levels, each looks like a message.
    "nested": lambda size: nested(60, b"\x0a\x00" * (size // 2)),
    "text": lambda size: nested(60, b"\n\x20" + b"a" * 32 + b"abcd" * (size // 4)),
    "high": lambda size: nested(60, b"\xff" * 9 + b"\x7f" * size),
    "varints": lambda size: b"\x08" + b"\x80" * size,
    "groups": lambda size: b"\x0b" * size,
    "wide": lambda size: b"\x0a\x02\x0a\x00" * (size // 4),
}


def steps(data: bytes) -> int:
    """How many functions are called to read it."""
    count = 0

    def note(frame: object, event: str, what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        PROTOBUF.walk(data, 0, len(data), (), Limits(values=10_000_000), Build())
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.usefixtures("plain_python")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_take_linear_work(name: str) -> None:
    few, many = (steps(HOSTILE[name](size)) for size in (2_000, 10_000))
    assert many <= 6 * few + 100


def test_not_all_is_tried_where_it_would_take_too_long() -> None:
    data = nested(40, bytes(range(1, 100)) * 2_000)
    body = read(data)
    assert any("not all ways to read it" in one.text for one in body.findings)
    assert PROTOBUF.struct_end(data, 0, len(data), DEFAULT_LIMITS) == len(data)


# ── What is not there ────────────────────────────────────────────────────────────────


def test_an_empty_message_is_whole() -> None:
    body = read(b"")
    assert body.fields == ()
    assert body.stop is not None
    assert len(body.stop) == 0


def test_an_empty_value_is_anything() -> None:
    value = only(b"\x0a\x00")
    assert said(value) == {"string": "", "message": {}, "bytes": b""}
    assert not any(one.is_likely for one in value.readings)


# ── Masks ────────────────────────────────────────────────────────────────────────────


def places(body: Struct) -> list[tuple[int, int]]:
    found = []
    for field in body.fields:
        found.append((field.span.start, field.span.stop))
        content = field.value.content
        if isinstance(content, Struct):
            found += places(content)
    return found


@given(_MESSAGES)
def test_a_mask_is_read_as_the_value_was(message: bytes) -> None:
    record = Record(data=message, protocol=PROTOBUF)
    before = places(record.body)
    mask = Redactor(parse_selectors("*.*")).mask(record)
    masked = masked_with(message, mask.runs)
    assert len(masked) == len(message)
    after = read(masked)
    assert after.findings == ()
    assert [one for one in places(after) if one in before] == places(after)
    assert [field.span for field in after] == [field.span for field in record.body]


def test_a_mask_tells_nothing() -> None:
    one = b"\x08\x96\x01" + length(2, b"secret") + key(3, 1) + struct.pack("<d", 2.5)
    other = b"\x08\xff\x7f" + length(2, b"geheim") + key(3, 1) + struct.pack("<d", -7.25)
    masks = []
    for data in (one, other):
        record = Record(data=data, protocol=PROTOBUF)
        masks.append(masked_with(data, Redactor(parse_selectors("*.*")).mask(record).runs))
    assert masks[0] == masks[1] == b"\x08\x80\x00\x12\x06xxxxxx\x19" + bytes(8)


def test_the_fields_of_a_message_have_their_places() -> None:
    data = b"\x08\x01" + length(2, b"ab")
    fields = fields_of(data, 0, len(data), 10)
    assert fields is not None
    assert [(one.number, one.start, one.inside, one.stop) for one in fields] == [
        (1, 0, 1, 2),
        (2, 2, 4, 6),
    ]
    assert fields_of(data[:-1], 0, len(data) - 1, 10) is None
    assert not isinstance(read(data)[2].value.content, Items)


def test_a_value_with_a_wrong_length_lost_nothing() -> None:
    one = read(bytes.fromhex("0a 7f 61 62"))
    (field,) = one.fields
    assert value_text(field.value) == '"ab" (125 bytes missing)'
    assert [finding.text for finding in one.findings] == [
        "length-delimited value at offset 2: needs 127 bytes, 2 left"
    ]
