"""The binary protocol: tables of bytes and meanings, then witnesses, then hostile bytes."""

from __future__ import annotations

import math
import struct
import uuid
from typing import Any

import pytest
from everything import BINARY_RICH as RICH
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, PING, PONG, foo, message, misread, raw, thriftpy2_message

from pingpong.errors import DecodeError, Incomplete, LimitExceeded
from pingpong.model import DEFAULT_LIMITS, Gap, Limits, MessageType, Span, Struct, TType
from pingpong.protocols.encodings.binary import (
    BINARY,
    OLD_BINARY,
    BinarySkipper,
    read_header,
    read_old_header,
    write_header,
    write_old_header,
    write_struct,
)


def read(data: bytes, limits: Limits = DEFAULT_LIMITS, gaps: tuple[Gap, ...] = ()) -> Struct:
    return BINARY.read_struct(data, 0, len(data), gaps, limits)


def skip(data: bytes, limits: Limits = DEFAULT_LIMITS) -> int:
    return BinarySkipper(0, limits).advance(data, len(data))


# ── Headers ──────────────────────────────────────────────────────────────────────────

HEADERS = {
    "call": ("8001 00 01 00000003 616464 00000001", "add", MessageType.CALL, 1),
    "reply": ("8001 00 02 00000004 70696e67 0000002a", "ping", MessageType.REPLY, 42),
    "exception": ("8001 00 03 00000001 78 ffffffff", "x", MessageType.EXCEPTION, -1),
    "oneway": ("8001 00 04 00000001 78 7fffffff", "x", MessageType.ONEWAY, 2**31 - 1),
    "the third byte is not defined": ("8001 7f 01 00000001 78 00000000", "x", MessageType.CALL, 0),
    "no name": ("8001 00 01 00000000 00000000", "", MessageType.CALL, 0),
    "a name in UTF-8": ("8001 00 01 00000006 e799bbe5bd95 00000000", "登录", MessageType.CALL, 0),
    "a name that is not": ("8001 00 01 00000002 ff41 00000000", "\\xffA", MessageType.CALL, 0),
}


@pytest.mark.parametrize("name", HEADERS)
def test_header(name: str) -> None:
    text, method, mtype, seqid = HEADERS[name]
    data = raw(text)
    header = read_header(data, 0, len(data), DEFAULT_LIMITS)
    assert (header.method, header.type, header.seqid) == (method, mtype, seqid)
    assert header.strict
    assert header.span == Span(0, len(data))
    assert header.method_span == Span(8, len(data) - 4)


REFUSED_HEADERS = {
    "8002 00 01 00000001 78 00000000": "version at offset 0: is 0x8002, want 0x8001",
    "0000 00 01 00000001 78 00000000": "version at offset 0: is 0x0000, want 0x8001",
    "8001 00 09 00000001 78 00000000": "message type at offset 3: is 9, want one of 1 CALL, "
    "2 REPLY, 3 EXCEPTION, 4 ONEWAY",
    "8001 00 01 ffffffff 78 00000000": "method name length at offset 4: is -1, want 0 or more",
    "8001 00 01 7fffffff 78 00000000": "method name length at offset 4: is 2147483647, want at "
    "most 104857600",
    "80 01": "version at offset 0: needs 4 bytes, 2 left",
    "8001 00 01 0000": "method name length at offset 4: needs 4 bytes, 2 left",
    "8001 00 01 00000004 7069 6e": "method name at offset 8: needs 4 bytes, 3 left",
    "8001 00 01 00000001 78 00": "seqid at offset 9: needs 4 bytes, 1 left",
}


@pytest.mark.parametrize("text", REFUSED_HEADERS)
def test_header_refused(text: str) -> None:
    data = raw(text)
    with pytest.raises(DecodeError) as caught:
        read_header(data, 0, len(data), DEFAULT_LIMITS)
    assert str(caught.value) == REFUSED_HEADERS[text]


def test_a_cut_header_is_incomplete_at_every_cut() -> None:
    for stop in range(15):
        with pytest.raises(Incomplete):
            read_header(ADD, 0, stop, DEFAULT_LIMITS)


# ── Old headers ──────────────────────────────────────────────────────────────────────

OLD_HEADERS = {
    "call": ("00000003 616464 01 00000001", "add", MessageType.CALL, 1),
    "reply": ("00000004 70696e67 02 0000002a", "ping", MessageType.REPLY, 42),
    "exception": ("00000001 78 03 ffffffff", "x", MessageType.EXCEPTION, -1),
    "oneway": ("00000001 78 04 7fffffff", "x", MessageType.ONEWAY, 2**31 - 1),
    "no name": ("00000000 01 00000000", "", MessageType.CALL, 0),
    "a name in UTF-8": ("00000006 e799bbe5bd95 01 00000000", "登录", MessageType.CALL, 0),
    "a name that is not": ("00000002 ff41 01 00000000", "\\xffA", MessageType.CALL, 0),
}


@pytest.mark.parametrize("name", OLD_HEADERS)
def test_old_header(name: str) -> None:
    text, method, mtype, seqid = OLD_HEADERS[name]
    data = raw(text)
    header = OLD_BINARY.read_header(data + b"tail", 0, len(data) + 4, DEFAULT_LIMITS)
    assert (header.method, header.type, header.seqid) == (method, mtype, seqid)
    assert not header.strict
    assert header.span == Span(0, len(data))
    assert header.method_span == Span(4, len(data) - 5)
    assert write_old_header(header.method_span.of(data), mtype, seqid) == data
    for stop in range(len(data)):
        with pytest.raises(Incomplete):
            read_old_header(data, 0, stop, DEFAULT_LIMITS)


REFUSED_OLD_HEADERS = {
    "80010001 00000001": "method name length at offset 0: is -2147418111, want 0 or more",
    "7fffffff 78 01": "method name length at offset 0: is 2147483647, want at most 104857600",
    "00000001 78 00 00000000": "message type at offset 5: is 0, want one of 1 CALL, 2 REPLY, "
    "3 EXCEPTION, 4 ONEWAY",
    "00000001 78 05": "message type at offset 5: is 5, want one of 1 CALL, ",
    "000000": "method name length at offset 0: needs 4 bytes, 3 left",
    "00000004 7069": "method name at offset 4: needs 4 bytes, 2 left",
    "00000001 78": "message type at offset 5: needs 1 byte, 0 left",
    "00000001 78 01 0000": "seqid at offset 6: needs 4 bytes, 2 left",
}


@pytest.mark.parametrize("text", REFUSED_OLD_HEADERS)
def test_old_header_refused(text: str) -> None:
    data = raw(text)
    with pytest.raises(DecodeError) as caught:
        read_old_header(data, 0, len(data), DEFAULT_LIMITS)
    assert str(caught.value).startswith(REFUSED_OLD_HEADERS[text])


# ── Values ───────────────────────────────────────────────────────────────────────────

VALUES: dict[str, tuple[str, TType, Any]] = {
    "true": ("02 0001 01", TType.BOOL, True),
    "false": ("02 0001 00", TType.BOOL, False),
    "i8": ("03 0001 ff", TType.I8, -1),
    "i8 most": ("03 0001 7f", TType.I8, 127),
    "double": ("04 0001 4004000000000000", TType.DOUBLE, 2.5),
    "double infinite": ("04 0001 fff0000000000000", TType.DOUBLE, -math.inf),
    "i16": ("06 0001 8000", TType.I16, -32768),
    "i32": ("08 0001 fffffffb", TType.I32, -5),
    "i64": ("0a 0001 8000000000000000", TType.I64, -(2**63)),
    "string": ("0b 0001 00000004 726f6f74", TType.STRING, "root"),
    "string empty": ("0b 0001 00000000", TType.STRING, ""),
    "binary": ("0b 0001 00000002 fffe", TType.STRING, b"\xff\xfe"),
    "struct": ("0c 0001 08 0007 00000001 00", TType.STRUCT, {7: 1}),
    "struct empty": ("0c 0001 00", TType.STRUCT, {}),
    "list": ("0f 0001 08 00000002 00000001 00000002", TType.LIST, [1, 2]),
    "list of lists": ("0f 0001 0f 00000001 02 00000002 01 00", TType.LIST, [[True, False]]),
    "list empty": ("0f 0001 08 00000000", TType.LIST, []),
    "list empty of no type": ("0f 0001 00 00000000", TType.LIST, []),
    "set": ("0e 0001 0b 00000001 00000001 61", TType.SET, ["a"]),
    "map": ("0d 0001 0b 08 00000001 00000001 61 00000005", TType.MAP, [("a", 5)]),
    "map of structs": ("0d 0001 08 0c 00000001 00000005 00", TType.MAP, [(5, {})]),
    "map empty of no types": ("0d 0001 00 00 00000000", TType.MAP, []),
    "uuid": (
        "10 0001 00112233445566778899aabbccddeeff",
        TType.UUID,
        uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
    ),
    "id negative": ("08 fffe 00000001", TType.I32, 1),
}


@pytest.mark.parametrize("name", VALUES)
def test_value(name: str) -> None:
    text, ttype, plain = VALUES[name]
    data = raw(text + "00")
    struct_ = read(data)
    assert struct_.findings == ()
    (field,) = struct_.fields
    assert field.ttype is ttype
    assert field.value.plain == plain
    assert field.field_id == struct.unpack(">h", data[1:3])[0]
    assert field.span == Span(0, len(data) - 1)
    assert field.value.span == Span(3, len(data) - 1)
    assert struct_.stop == Span(len(data) - 1, len(data))
    assert write_struct(struct_) == data
    head = write_header(b"m", 1, 7)
    assert skip(head + data + b"tail") == len(head + data)


def test_not_a_number_keeps_its_bytes() -> None:
    data = raw("04 0001 7ff8000000000000 00")
    (field,) = read(data).fields
    assert isinstance(field.value.content, float)
    assert math.isnan(field.value.content)
    assert write_struct(read(data)) == data


REFUSED: dict[str, str] = {
    "63 0001": "field type at offset 0: is 99, want one of 2 BOOL, 3 I8, 4 DOUBLE, 6 I16, 8 I32, "
    "10 I64, 11 STRING, 12 STRUCT, 13 MAP, 14 SET, 15 LIST, 16 UUID",
    "08 00": "field id at offset 1: needs 2 bytes, 1 left",
    "08 0001 0000": "I32 at offset 3: needs 4 bytes, 2 left",
    "0b 0001 000000": "string length at offset 3: needs 4 bytes, 3 left",
    "0b 0001 ffffffff 00": "string length at offset 3: is -1, want 0 or more",
    "0b 0001 00000009 616263": "string at offset 7: needs 9 bytes, 3 left",
    "0b 0001 7fffffff 616263": "string length at offset 3: is 2147483647, want at most 104857600",
    "0f 0001 08 ffffffff": "list count at offset 4: is -1, want 0 or more",
    "0e 0001 08 7fffffff": "set count at offset 4: is 2147483647, want at most 104857600",
    "0f 0001 63 00000001": "list element type at offset 3: is 99, want one of ",
    "0d 0001 63 08 00000001": "map key type at offset 3: is 99, want one of ",
    "0d 0001 08 63 00000001": "map value type at offset 4: is 99, want one of ",
    "0d 0001 08 08 ffffffff": "map count at offset 5: is -1, want 0 or more",
    "": "field type at offset 0: needs 1 byte, 0 left",
}


@pytest.mark.parametrize("text", REFUSED)
def test_value_refused(text: str) -> None:
    """What came before the bad value stays, and one finding says what is wrong."""
    data = raw(text)
    before = raw("08 0009 00000001")
    struct_ = read(data)
    assert struct_.stop is None
    (finding,) = struct_.findings
    assert finding.text.startswith(REFUSED[text])
    with_more = read(before + data)
    assert with_more[9].value.plain == 1


@pytest.mark.parametrize("text", [text for text in REFUSED if "needs" not in REFUSED[text]])
def test_skipping_refuses_what_reading_refuses(text: str) -> None:
    head = write_header(b"m", 1, 7)
    data = head + raw(text) + bytes(20)
    with pytest.raises(DecodeError) as caught:
        skip(data)
    said = BINARY.read_struct(data, len(head), len(data), (), DEFAULT_LIMITS).findings
    assert said[0].text == str(caught.value)


def test_a_string_cut_off_shows_what_is_there() -> None:
    struct_ = read(raw("0b 0001 00000009 616263"))
    (field,) = struct_.fields
    assert field.value.content == b"abc"
    assert field.value.lost == 6


def test_a_bool_that_is_neither_is_read_and_reported() -> None:
    struct_ = read(raw("02 0001 07 00"))
    assert struct_[1].value.plain is True
    assert [f.text for f in struct_.findings] == ["BOOL at offset 3: is 7, want 0 or 1"]


def test_bytes_left_over_are_reported() -> None:
    struct_ = read(raw("00 abcd"))
    assert [f.text for f in struct_.findings] == ["2 bytes left over behind the struct at offset 1"]


@pytest.mark.parametrize("deep", [63, 64, 1000, 100_000])
def test_nesting(deep: int) -> None:
    """A struct within a struct: as deep as the limit is read, deeper is refused, by both."""
    data = write_header(b"m", 1, 0) + raw("0c0001") * (deep - 1) + bytes(deep)
    struct_ = BINARY.read_struct(data, 13, len(data), (), DEFAULT_LIMITS)
    if deep <= 64:
        assert struct_.findings == ()
        assert skip(data) == len(data)
    else:
        assert struct_.findings[0].text == "nesting at offset 205: is 65 deep, want at most 64"
        with pytest.raises(LimitExceeded, match="nesting at offset 205: is 65 deep"):
            skip(data)


def test_nested_containers_count_as_nesting() -> None:
    data = write_header(b"m", 1, 0) + raw("0f0001") + raw("0f00000001") * 100
    with pytest.raises(LimitExceeded, match="nesting"):
        skip(data)
    struct_ = BINARY.read_struct(data, 13, len(data), (), DEFAULT_LIMITS)
    assert "nesting" in struct_.findings[0].text


# ── Lost bytes ───────────────────────────────────────────────────────────────────────


def test_bytes_lost_inside_a_string_do_not_hide_what_follows() -> None:
    data = raw("0b 0001 00000008 6162 00000000 6768 08 0002 00000005 00")
    struct_ = read(data, gaps=(Gap(9, 4),))
    assert struct_[1].value.content == b"ab"
    assert struct_[1].value.lost == 4
    assert struct_[2].value.plain == 5
    assert [f.text for f in struct_.findings] == ["string at offset 7: 4 of its 8 bytes were lost"]


def test_a_number_that_was_lost_has_no_value() -> None:
    data = raw("08 0001 00000000 08 0002 00000005 00")
    struct_ = read(data, gaps=(Gap(5, 2),))
    assert struct_[1].value.content is None
    assert struct_[1].value.lost == 2
    assert struct_[2].value.plain == 5
    with pytest.raises(ValueError, match="were lost"):
        write_struct(struct_)


def test_bytes_lost_in_the_structure_end_the_reading() -> None:
    data = raw("08 0001 00000001 08 0002 00000005 00")
    struct_ = read(data, gaps=(Gap(7, 3),))
    assert struct_.plain == {1: 1}
    assert "lost by the capture" in struct_.findings[0].text


# ── Skipping, however it is cut ──────────────────────────────────────────────────────


@pytest.mark.parametrize("step", range(1, len(RICH) + 1))
def test_where_a_message_ends_does_not_depend_on_how_it_is_cut(step: int) -> None:
    data = RICH + PING
    skipper = BinarySkipper(0, DEFAULT_LIMITS)
    ends = [skipper.advance(data, stop) for stop in range(step, len(RICH), step)]
    assert set(ends) <= {-1}
    assert skipper.advance(data, len(RICH)) == len(RICH)


@pytest.mark.parametrize("step", range(1, len(RICH)))
def test_an_old_header_is_skipped_however_it_is_cut(step: int) -> None:
    data = write_old_header(b"add", 1, 1) + RICH[15:]
    skipper = OLD_BINARY.skipper(0, DEFAULT_LIMITS)
    ends = [skipper.advance(data + PING, stop) for stop in range(step, len(data), step)]
    assert set(ends) <= {-1}
    assert skipper.advance(data + PING, len(data)) == len(data)


def test_a_skipper_says_how_far_a_value_goes() -> None:
    data = raw("8001 00 01 00000001 78 00000000 0b 0001 00000064") + b"abc"
    skipper = BinarySkipper(0, DEFAULT_LIMITS)
    assert skipper.advance(data, len(data)) == -1
    assert skipper.known_until() == len(data) - 3 + 100


# ── Witnesses ────────────────────────────────────────────────────────────────────────


def test_thriftpy2_ping_and_login() -> None:
    service = foo().PingPong
    ping = message(thriftpy2_message(service.ping_args(), "ping"))
    assert (ping.method, ping.type.name, ping.seqid, ping.body.plain) == ("ping", "CALL", 0, {})
    login = message(thriftpy2_message(service.login_args("root", "pwd"), "login"))
    assert login.body.plain == {1: "root", 2: "pwd"}
    answer = message(thriftpy2_message(service.login_result(success="登录成功!"), "login", 2))
    assert answer.body.plain == {0: "登录成功!"}


PLAIN = st.recursive(
    st.one_of(
        st.tuples(st.just(TType.BOOL), st.booleans()),
        st.tuples(st.just(TType.I8), st.integers(-128, 127)),
        st.tuples(st.just(TType.I16), st.integers(-(2**15), 2**15 - 1)),
        st.tuples(st.just(TType.I32), st.integers(-(2**31), 2**31 - 1)),
        st.tuples(st.just(TType.I64), st.integers(-(2**63), 2**63 - 1)),
        st.tuples(st.just(TType.DOUBLE), st.floats(allow_nan=False)),
        st.tuples(st.just(TType.STRING), st.text(max_size=20)),
    ),
    lambda inner: st.tuples(
        st.just(TType.STRUCT),
        st.lists(st.tuples(st.integers(-(2**15), 2**15 - 1), inner), max_size=4),
    ),
    max_leaves=12,
)


def _write_with_apache(protocol: Any, ttype: TType, value: Any) -> None:
    """Any value with the methods of Apache's TProtocol; theirs are named like the types."""
    if ttype is TType.STRUCT:
        protocol.writeStructBegin("")
        for field_id, (inner, content) in value:
            protocol.writeFieldBegin("", int(inner), field_id)
            _write_with_apache(protocol, inner, content)
            protocol.writeFieldEnd()
        protocol.writeFieldStop()
        protocol.writeStructEnd()
    else:
        names = {
            TType.I8: "Byte",
            TType.BOOL: "Bool",
            TType.DOUBLE: "Double",
            TType.STRING: "String",
        }
        getattr(protocol, "write" + names.get(ttype, ttype.name))(value)


def _same(field_value: Any, ttype: TType, value: Any) -> bool:
    if ttype is TType.STRUCT:
        return len(field_value.content.fields) == len(value) and all(
            field.field_id == field_id and _same(field.value, inner, content)
            for field, (field_id, (inner, content)) in zip(
                field_value.content.fields, value, strict=True
            )
        )
    return bool(field_value.ttype is ttype and field_value.plain == value)


@given(
    st.lists(st.tuples(st.integers(-(2**15), 2**15 - 1), PLAIN), max_size=6),
    st.text(min_size=1, max_size=20),
    st.integers(-(2**31), 2**31 - 1),
    st.sampled_from([1, 2, 3, 4]),
)
def test_apache_writes_and_we_read(fields: list[Any], method: str, seqid: int, mtype: int) -> None:
    thrift = pytest.importorskip("thrift.protocol.TBinaryProtocol")
    from thrift.transport.TTransport import TMemoryBuffer

    buffer = TMemoryBuffer()
    protocol = thrift.TBinaryProtocol(buffer)
    protocol.writeMessageBegin(method, mtype, seqid)
    _write_with_apache(protocol, TType.STRUCT, fields)
    protocol.writeMessageEnd()
    data = buffer.getvalue()

    one = message(data)
    assert (one.method, one.type, one.seqid) == (method, mtype, seqid)
    assert misread(one.findings) == []
    assert len(one.fields) == len(fields)
    for field, (field_id, (ttype, value)) in zip(one.fields, fields, strict=True):
        assert field.field_id == field_id
        assert _same(field.value, ttype, value)
    assert write_header(method.encode(), mtype, seqid) + write_struct(one.body) == data
    assert skip(data) == len(data)


@given(
    st.lists(st.tuples(st.integers(-(2**15), 2**15 - 1), PLAIN), max_size=6),
    st.text(max_size=20),
    st.integers(-(2**31), 2**31 - 1),
    st.sampled_from([1, 2, 3, 4]),
)
def test_apache_writes_old_headers(fields: list[Any], method: str, seqid: int, mtype: int) -> None:
    thrift = pytest.importorskip("thrift.protocol.TBinaryProtocol")
    from thrift.transport.TTransport import TMemoryBuffer

    buffer = TMemoryBuffer()
    protocol = thrift.TBinaryProtocol(buffer, strictWrite=False)
    protocol.writeMessageBegin(method, mtype, seqid)
    _write_with_apache(protocol, TType.STRUCT, fields)
    data = buffer.getvalue()

    header = OLD_BINARY.read_header(data, 0, len(data), DEFAULT_LIMITS)
    assert (header.method, header.type, header.seqid) == (method, mtype, seqid)
    body = OLD_BINARY.read_struct(data, header.span.stop, len(data), (), DEFAULT_LIMITS)
    assert misread(body.findings) == []
    assert write_old_header(method.encode(), mtype, seqid) + write_struct(body) == data
    assert OLD_BINARY.skipper(0, DEFAULT_LIMITS).advance(data + b"tail", len(data) + 4) == len(data)


def test_thriftpy2_writes_old_headers() -> None:
    from thriftpy2.protocol import TBinaryProtocol
    from thriftpy2.transport import TMemoryBuffer

    buffer = TMemoryBuffer()
    protocol = TBinaryProtocol(buffer, strict_write=False)
    protocol.write_message_begin("login", 1, 7)
    protocol.write_struct(foo().PingPong.login_args("root", "pwd"))
    data = bytes(buffer.getvalue())
    header = read_old_header(data, 0, len(data), DEFAULT_LIMITS)
    assert (header.method, header.type, header.seqid) == ("login", 1, 7)
    body = OLD_BINARY.read_struct(data, header.span.stop, len(data), (), DEFAULT_LIMITS)
    assert body.plain == {1: "root", 2: "pwd"}


# ── Hostile bytes ────────────────────────────────────────────────────────────────────


@given(st.binary(max_size=300))
def test_any_bytes_are_read_as_far_as_they_go(data: bytes) -> None:
    struct_ = read(data)
    assert struct_.stop is not None or struct_.findings
    at = 0
    for field in struct_.fields:
        assert field.span.start == at
        at = field.span.stop
    assert at <= len(data)


@given(st.binary(max_size=60), st.integers(0, 60), st.integers(0, 255))
def test_mutated_messages_skip_and_read_alike(tail: bytes, at: int, byte: int) -> None:
    """Where the skipper finds an end, the reader finds the same one."""
    data = bytearray(RICH + tail)
    data[15 + at % (len(RICH) - 15)] = byte
    mutated = bytes(data)
    try:
        end = skip(mutated)
    except DecodeError:
        end = 0
    struct_ = BINARY.read_struct(mutated, 15, len(mutated), (), DEFAULT_LIMITS)
    if end > 0:
        assert struct_.stop is not None
        assert struct_.stop.stop == end
    else:
        assert struct_.stop is None
        assert struct_.findings


def test_a_claimed_count_costs_nothing() -> None:
    """100 million elements claimed, none there: nothing is allocated for them."""
    data = raw("0f 0001 0c 05f5e100")
    struct_ = read(data)
    assert struct_[1].value.content.items == ()  # type: ignore[union-attr]
    assert struct_.findings


def test_pong() -> None:
    assert message(PONG).body.plain == {0: "pong"}
