"""thriftpy2's JSON: tables of text and meanings, then witnesses, then hostile bytes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from driving import whole_streams as streams
from everything import TP2_ADD as ADD
from everything import TP2_HEAD as HEAD
from everything import TP2_RICH as RICH
from everything import by_name, named, with_length
from hypothesis import given
from hypothesis import strategies as st
from making import foo
from thriftpy2 import thrift
from thriftpy2.protocol.json import TJSONProtocol
from thriftpy2.transport import TMemoryBuffer

from pingpong.errors import DecodeError, Incomplete, LimitExceeded
from pingpong.model import (
    DEFAULT_LIMITS,
    Field,
    Gap,
    Header,
    Items,
    Limits,
    MessageType,
    Span,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.encodings.thriftpy2_json import (
    THRIFTPY2_JSON,
    read_header,
    write_message,
    write_struct,
)


def read(text: bytes, gaps: tuple[Gap, ...] = ()) -> Struct:
    return THRIFTPY2_JSON.read_struct(text, 0, len(text), gaps, DEFAULT_LIMITS)


def read_message(data: bytes, gaps: tuple[Gap, ...] = ()) -> tuple[Header, Struct]:
    header = read_header(data, 0, len(data), DEFAULT_LIMITS)
    stop = header.span.stop
    return header, THRIFTPY2_JSON.read_struct(data, stop, len(data), gaps, DEFAULT_LIMITS)


def skip(data: bytes, limits: Limits = DEFAULT_LIMITS) -> int:
    return THRIFTPY2_JSON.skipper(0, limits).advance(data, len(data))


def texts(struct: Struct) -> list[str]:
    return [finding.text for finding in struct.findings]


# ── Headers ──────────────────────────────────────────────────────────────────────────


def test_header() -> None:
    header = read_header(ADD, 0, len(ADD), DEFAULT_LIMITS)
    name = ADD.index(b"add")
    assert header == Header(
        "add", MessageType.CALL, 1, True, Span(0, 4 + len(HEAD)), Span(name, name + 3)
    )


def test_entries_in_another_order_and_unknown_ones() -> None:
    text = (
        b'{ "metadata":{"more":{"name":"no","a":[1,{"seqid":5}]},"seqid":-3,"ttype":4,'
        b'"name":"x\\"y","version":1} , "payload":{}}'
    )
    header, struct = read_message(with_length(text))
    assert (header.method, header.type, header.seqid) == ('x"y', MessageType.ONEWAY, -3)
    assert (struct.fields, struct.findings) == ((), ())


REFUSED_HEADERS = {
    b"GET ": "message at offset 4: is G, want '{'",
    b"[1]": "message at offset 4: is '[', want '{'",
    b'{"payload": {}}': 'metadata at offset 5: is "payload", want "metadata"',
    b"{{}:1}": "metadata at offset 5: is '{', want \"metadata\"",
    b'{"metadata": 1}': "metadata at offset 17: is 1, want '{'",
    b'{"metadata": {"version": 2}}': "version at offset 29: is 2, want 1",
    b'{"metadata": {"name": 5}}': "method name at offset 26: is 5, want a string",
    b'{"metadata": {"name": [5]}}': "method name at offset 26: is '[', want a string",
    b'{"metadata": {"ttype": 9}}': "message type at offset 27: is 9, want one of 1 CALL, 2 REPLY, "
    "3 EXCEPTION, 4 ONEWAY",
    b'{"metadata": {"seqid": 1.5}}': "seqid at offset 27: is 1.5, want a whole number",
    b'{"metadata": {}}': 'metadata at offset 18: is without it, want "version"',
    b'{"metadata": {"version": 1, "name": "x", "ttype": 1}}': "metadata at offset 55: is without "
    'it, want "seqid"',
    HEAD[:-1] + b"}": "payload at offset 70: is '}', want ',' and \"payload\"",
}


@pytest.mark.parametrize("text", REFUSED_HEADERS)
def test_header_refused(text: bytes) -> None:
    for read_it in (
        lambda data: read_header(data, 0, len(data), DEFAULT_LIMITS),
        lambda data: skip(data),
    ):
        with pytest.raises(DecodeError) as caught:
            read_it(with_length(text) + b"  ")
        assert str(caught.value) == REFUSED_HEADERS[text]


LENGTHS = {
    "00000000": "message length at offset 0: is 0, want 1 or more",
    "ffffffff": "message length at offset 0: is -1, want 1 or more",
    "7fffffff": "message length at offset 0: is 2147483647, want at most 104857600",
}


@pytest.mark.parametrize("length", LENGTHS)
def test_length_refused(length: str) -> None:
    data = bytes.fromhex(length) + b'{"meta'
    with pytest.raises(DecodeError) as caught:
        read_header(data, 0, len(data), DEFAULT_LIMITS)
    assert str(caught.value) == LENGTHS[length]
    with pytest.raises(DecodeError) as skipped:
        skip(data)
    assert str(skipped.value) == LENGTHS[length]


def test_a_cut_header_is_incomplete_at_every_cut() -> None:
    for stop in range(4 + len(HEAD)):
        with pytest.raises(Incomplete):
            read_header(ADD, 0, stop, DEFAULT_LIMITS)
    assert read_header(ADD, 0, 4 + len(HEAD), DEFAULT_LIMITS).method == "add"


def test_a_length_that_ends_inside_the_header() -> None:
    data = b"\0\0\0\x26" + HEAD
    for call in (lambda: read_header(data, 0, len(data), DEFAULT_LIMITS), lambda: skip(data)):
        with pytest.raises(Incomplete) as caught:
            call()
        assert str(caught.value) == "method name at offset 42: needs 1 byte, 0 left"


# ── Values ───────────────────────────────────────────────────────────────────────────

VALUES: dict[bytes, tuple[TType, Any]] = {
    b"true": (TType.BOOL, True),
    b"false": (TType.BOOL, False),
    b"-5": (TType.I64, -5),
    b"9223372036854775807": (TType.I64, 2**63 - 1),
    b"2.5": (TType.DOUBLE, 2.5),
    b"1.0": (TType.DOUBLE, 1.0),
    b"1e+300": (TType.DOUBLE, 1e300),
    b"Infinity": (TType.DOUBLE, math.inf),
    b'"root"': (TType.STRING, "root"),
    b'"\\u767b\\ud83d\\ude00\\n\\""': (TType.STRING, '登😀\n"'),
    b'"\\ud800"': (TType.STRING, b"\xed\xa0\x80"),
    b"{}": (TType.STRUCT, {}),
    b'{"b": 1}': (TType.STRUCT, {"b": 1}),
    b"[]": (TType.LIST, []),
    b"[1, 2]": (TType.LIST, [1, 2]),
    b'[{"key": 1, "value": 2}]': (TType.LIST, [{"key": 1, "value": 2}]),
}


@pytest.mark.parametrize("text", VALUES)
def test_value(text: bytes) -> None:
    ttype, plain = VALUES[text]
    data = b'{"a": ' + text + b"}"
    struct = read(data)
    (field,) = struct.fields
    assert (field.name, field.field_id, field.ttype) == ("a", -1, ttype)
    assert named(field.value) == plain
    assert field.value.span == Span(6, len(data) - 1)
    assert field.span == Span(1, len(data) - 1)
    assert struct.stop == Span(len(data) - 1, len(data))
    # Half of a pair stands for no character.
    odd = [] if text != b'"\\ud800"' else ["escape at offset 7: is \\ud800, want one that stands "]
    assert [said[:52] for said in texts(struct)] == [said[:52] for said in odd]
    assert write_struct(struct) == data


ELEMENTS = {
    b"[1, 2]": TType.I64,
    b"[1, 2.5]": TType.STOP,
    b"[]": TType.STOP,
    b'["a"]': TType.STRING,
    b"[[1]]": TType.LIST,
}


@pytest.mark.parametrize("text", ELEMENTS)
def test_element_type_is_named_where_there_is_one(text: bytes) -> None:
    content = read(b'{"a": ' + text + b"}").fields[0].value.content
    assert isinstance(content, Items)
    assert content.element_type is ELEMENTS[text]


ODD = {
    b'"a": null, "b": 1': "value at offset 6: is null, want true, false, a number, a string, "
    "'{' or '['",
    b'5: 1, "b": 1': "field name at offset 1: is 5, want a string",
    b'{"x": [1]}: 1, "b": 1': "field name at offset 1: is '{', want a string",
}


@pytest.mark.parametrize("text", ODD)
def test_what_cannot_be_read_is_passed_over(text: bytes) -> None:
    struct = read(b"{" + text + b"}")
    assert by_name(struct) == {"b": 1}
    assert texts(struct) == [ODD[text]]
    assert struct.stop is not None


def test_a_number_too_large_and_a_name_that_comes_twice() -> None:
    struct = read(b'{"a": 9223372036854775808, "a": 1}')
    assert [field.value.plain for field in struct] == [2**63, 1]
    assert texts(struct) == [
        "value at offset 6: is 9223372036854775808, want 64 bits at most",
        'field name at offset 27: is "a", which was there before',
    ]


PAYLOADS = {
    b' "payload": {}, "x": 1}': 'message at offset 87: is "x", want "payload" alone',
    b' "x": 1, "payload": {}}': 'message at offset 72: is "x", want "payload"',
    b' "payload": []}': "payload at offset 83: is '[', want '{'",
    b' "payload": {}} xy': "2 bytes left over behind the message at offset 87",
    b' "payload": {"a": 1]}': "separator at offset 90: is ']', want ',' or '}'",
    b' "payload": {}': "end of the message at offset 85: needs 1 byte, 0 left",
}


@pytest.mark.parametrize("text", PAYLOADS)
def test_payload(text: bytes) -> None:
    assert texts(read_message(with_length(HEAD + text))[1]) == [PAYLOADS[text]]


def test_nesting() -> None:
    deep = read(b'{"a": ' * 64 + b"1" + b"}" * 64)
    assert deep.findings == ()
    over = read(b'{"b": 1, "a": ' + b"[" * 64 + b"]" * 64 + b', "c": 2}')
    assert texts(over) == ["nesting at offset 77: is 65 deep, want at most 64"]
    assert [field.name for field in over] == ["b", "a", "c"]
    far = read(b'{"a": ' * 100_000)
    assert "want at most 129" in texts(far)[-1]


def test_a_loss_ends_the_reading() -> None:
    at = ADD.index(b'"b"')
    struct = read_message(ADD, (Gap(at, 2),))[1]
    assert by_name(struct) == {"a": 2}
    assert texts(struct) == [
        f"field name (lost by the capture) at offset {at}: needs 1 byte, 0 left"
    ]


def test_every_cut_keeps_what_was_there() -> None:
    header, whole = read_message(RICH)
    assert whole.findings == ()
    for stop in range(header.span.stop, len(RICH)):
        struct = THRIFTPY2_JSON.read_struct(RICH, header.span.stop, stop, (), DEFAULT_LIMITS)
        assert len(struct.findings) == 1
        there = tuple(field for field in whole.fields if field.span.stop < stop)
        assert write_struct(Struct(struct.fields[: len(there)], None)) == write_struct(
            Struct(there, None)
        )


# ── Skipping ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50, 200])
def test_where_a_message_ends_does_not_depend_on_how_it_is_cut(step: int) -> None:
    skipper = THRIFTPY2_JSON.skipper(0, DEFAULT_LIMITS)
    ends = [skipper.advance(bytearray(RICH), stop) for stop in range(step, len(RICH), step)]
    assert set(ends) <= {-1}
    assert skipper.advance(RICH + ADD, len(RICH) + len(ADD)) == len(RICH)


def test_a_skipper_knows_the_end_once_the_header_has_proved_itself() -> None:
    skipper = THRIFTPY2_JSON.skipper(0, DEFAULT_LIMITS)
    skipper.advance(ADD, 20)
    assert skipper.known_until() == 0
    skipper.advance(ADD, 4 + len(HEAD))
    assert skipper.known_until() == len(ADD)


def test_limit() -> None:
    with pytest.raises(LimitExceeded, match="want at most 50"):
        skip(ADD, Limits(message=50))


# ── Witnesses ────────────────────────────────────────────────────────────────────────


def test_rich_is_written_back() -> None:
    assert write_message(*read_message(RICH)) == RICH


def test_fields_of_another_protocol_have_no_names_to_write() -> None:
    value = Value(TType.I32, 1, Span(0, 1))
    with pytest.raises(ValueError, match="field 3 has no name"):
        write_struct(Struct((Field(3, value, Span(0, 1)),), None))


SIMPLE: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (thrift.TType.BOOL, st.booleans()),
    (thrift.TType.I64, st.integers(-(2**63), 2**63 - 1)),
    (thrift.TType.DOUBLE, st.floats(allow_nan=False)),
    (thrift.TType.STRING, st.text(st.characters(codec="utf-8"), max_size=10)),
]


@st.composite
def specs(draw: Any, depth: int = 2) -> tuple[Any, Any, Any]:
    """A thriftpy2 type with its spec, and values of it."""
    kind = draw(st.integers(0, 2 if depth else 0))
    if kind == 0:
        ttype, values = draw(st.sampled_from(SIMPLE))
        return ttype, None, values
    inner, spec, values = draw(specs(depth - 1))
    element = inner if spec is None else (inner, spec)
    if kind == 1:
        return thrift.TType.LIST, element, st.lists(values, max_size=3)
    return (
        thrift.TType.MAP,
        (thrift.TType.STRING, element),
        st.dictionaries(st.text(max_size=3), values, max_size=3),
    )


def as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return [{"key": key, "value": as_json(inner)} for key, inner in value.items()]
    return [as_json(item) for item in value] if isinstance(value, list) else value


@given(st.data(), st.text(max_size=20), st.integers(-(2**31), 2**31 - 1), st.integers(1, 4))
def test_thriftpy2_writes_and_we_read(data: Any, method: str, seqid: int, mtype: int) -> None:
    spec: dict[int, Any] = {}
    wanted: dict[str, Any] = {}
    struct_: Any = thrift.TPayload()
    for number in range(1, data.draw(st.integers(0, 4)) + 1):
        ttype, inner, values = data.draw(specs())
        name = f"field{number}"
        spec[number] = (ttype, name, False) if inner is None else (ttype, name, inner, False)
        value = data.draw(values)
        setattr(struct_, name, value)
        wanted[name] = as_json(value)
    struct_.thrift_spec = spec
    buffer = TMemoryBuffer()
    protocol = TJSONProtocol(buffer)
    protocol.write_message_begin(method, mtype, seqid)
    protocol.write_struct(struct_)
    written = bytes(buffer.getvalue())

    header, struct = read_message(written)
    assert (header.method, header.type, header.seqid) == (method, mtype, seqid)
    assert struct.findings == ()
    assert by_name(struct) == wanted
    assert write_message(header, struct) == written
    assert skip(written) == len(written)


def test_login() -> None:
    buffer = TMemoryBuffer()
    protocol = TJSONProtocol(buffer)
    protocol.write_message_begin("login", 1, 0)
    protocol.write_struct(foo().PingPong.login_args("root", "登录"))
    header, struct = read_message(bytes(buffer.getvalue()))
    assert header.method == "login"
    assert list(by_name(struct).values()) == ["root", "登录"]


def test_capture(edge_captures: Path) -> None:
    look = {"yes": True, "no": False, "n": -5, "flags": [True, False, True], "d": 2.5}
    found = []
    for data in streams(edge_captures / "07_tpy2json.pcap"):
        found += messages_of(data)
    assert found == [
        ("add", 1, 1, {"a": 2, "b": 40}),
        ("look", 1, 2, {"x": look}),
        ("look", 1, 3, {"x": look}),
        ("nope", 1, 4, {"a": 2, "b": 40}),
        ("fire", 4, 5, {"s": "boom"}),
        ("add", 2, 1, {"success": 42}),
        ("look", 2, 2, {"success": look}),
        ("look", 2, 3, {"e": {"why": "nope", "code": 7}}),
        ("nope", 3, 4, {"message": "Unknown method nope", "type": 1}),
    ]


@pytest.mark.parametrize("framing", ["buffered", "framed"])
def test_family(framing: str, edge_captures: Path) -> None:
    """In a framed transport the protocol's own length stands behind the frame's."""
    found = []
    for data in streams(edge_captures.parent / f"family/thrift_json_{framing}.pcap"):
        found += messages_of(data, 4 if framing == "framed" else 0)
    assert found == [
        ("ping", 1, 0, {}),
        ("login", 1, 0, {"username": "admin", "password": "123456"}),
        ("ping", 2, 0, {"success": "pong"}),
        ("login", 2, 0, {"success": "登录成功!"}),
    ]


def messages_of(data: bytes, before: int = 0) -> list[tuple[str, int, int, dict[str | None, Any]]]:
    found = []
    at = 0
    while at < len(data):
        start = at + before
        at = THRIFTPY2_JSON.skipper(start, DEFAULT_LIMITS).advance(data, len(data))
        header, struct = read_message(data[start:at])
        assert struct.findings == ()
        assert write_message(header, struct) == data[start:at]
        found.append((header.method, int(header.type), header.seqid, by_name(struct)))
    return found


# ── Hostile bytes ────────────────────────────────────────────────────────────────────


@given(st.binary(max_size=100))
def test_any_bytes_raise_nothing_but_what_is_meant(tail: bytes) -> None:
    read(tail)
    for data in (
        tail,
        with_length(tail),
        with_length(HEAD + tail),
        b"\0\0\0\xff" + HEAD[:30] + tail,
    ):
        for call in (lambda d=data: skip(d), lambda d=data: read_message(d)):
            try:
                call()
            except DecodeError:
                continue


@given(st.integers(4, len(RICH) - 1), st.integers(0, 255))
def test_mutated_messages_agree_with_pythons_json(at: int, byte: int) -> None:
    """What json.loads reads as this protocol's message, we read whole."""
    mutated = bytearray(RICH)
    mutated[at] = byte
    data = bytes(mutated)
    try:
        _, struct = read_message(data)
    except DecodeError:
        return
    try:
        theirs = json.loads(data[4:].decode("utf-8"))["payload"]
    except (ValueError, KeyError):
        return
    if not struct.findings:
        assert str(by_name(struct)) == str(theirs)
    assert struct.stop is not None
