"""The compact protocol: tables of bytes and meanings, then witnesses, then hostile bytes."""

from __future__ import annotations

import math
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from everything import COMPACT_RICH as RICH
from hypothesis import given
from hypothesis import strategies as st
from making import misread, raw
from thriftpy2.protocol import TCompactProtocol
from thriftpy2.transport import TMemoryBuffer

from pingpong.errors import DecodeError, Incomplete, LimitExceeded
from pingpong.model import (
    DEFAULT_LIMITS,
    Chunk,
    Endpoint,
    Entries,
    Gap,
    Items,
    Limits,
    Message,
    MessageType,
    Span,
    Struct,
    TType,
)
from pingpong.protocols.encodings import binary
from pingpong.protocols.encodings.compact import (
    COMPACT,
    CompactSkipper,
    read_header,
    read_varint,
    write_header,
    write_struct,
    write_varint,
)
from pingpong.protocols.explain import check_cover, explain
from pingpong.protocols.families.thrift.transports import UNFRAMED
from pingpong.wire.capturefile import open_capture
from pingpong.wire.link import Peeler
from pingpong.wire.streams import Connections


def read(data: bytes, limits: Limits = DEFAULT_LIMITS, gaps: tuple[Gap, ...] = ()) -> Struct:
    return COMPACT.read_struct(data, 0, len(data), gaps, limits)


def skip(data: bytes, limits: Limits = DEFAULT_LIMITS) -> int:
    return CompactSkipper(0, limits).advance(data, len(data))


def message(data: bytes, gaps: tuple[Gap, ...] = ()) -> Message:
    return Message(
        header=read_header(data, 0, len(data), DEFAULT_LIMITS),
        data=data,
        protocol=COMPACT,
        transport=UNFRAMED,
        client=Endpoint("10.0.0.1", 50001),
        server=Endpoint("10.0.0.2", 9090),
        from_client=True,
        gaps=gaps,
    )


# ── Varints ──────────────────────────────────────────────────────────────────────────

VARINTS = {"00": 0, "7f": 127, "80 01": 128, "ac 02": 300, "ff ff ff ff 0f": 2**32 - 1}


@pytest.mark.parametrize("text", VARINTS)
def test_varint(text: str) -> None:
    data = raw(text)
    assert read_varint(data + b"\xff", 0, len(data) + 1, "n") == (VARINTS[text], len(data))
    assert write_varint(VARINTS[text]) == data
    for stop in range(len(data)):
        with pytest.raises(Incomplete, match=f"n at offset 0: needs {stop + 1} byte"):
            read_varint(data, 0, stop, "n")


REFUSED_VARINTS = {
    ("80 80 80 80 80 00", 32): "n at offset 0: is over 5 bytes long, want at most 5",
    ("ff ff ff ff ff", 32): "n at offset 0: is over 5 bytes long, want at most 5",
    ("ff ff ff ff 1f", 32): "n at offset 0: is 8589934591, want at most 4294967295",
    ("80" * 10, 64): "n at offset 0: is over 10 bytes long, want at most 10",
    ("80" * 9 + "02", 64): "n at offset 0: is 18446744073709551616, want at most "
    "18446744073709551615",
}


@pytest.mark.parametrize(("text", "bits"), REFUSED_VARINTS)
def test_varint_refused(text: str, bits: int) -> None:
    data = raw(text)
    with pytest.raises(DecodeError) as caught:
        read_varint(data, 0, len(data), "n", bits)
    assert str(caught.value) == REFUSED_VARINTS[text, bits]


# ── Headers ──────────────────────────────────────────────────────────────────────────

HEADERS = {
    "call": ("82 21 01 03 616464", "add", MessageType.CALL, 1),
    "reply": ("82 41 2a 04 70696e67", "ping", MessageType.REPLY, 42),
    "exception": ("82 61 ffffffff0f 01 78", "x", MessageType.EXCEPTION, -1),
    "oneway": ("82 81 ffffffff07 01 78", "x", MessageType.ONEWAY, 2**31 - 1),
    "the least seqid": ("82 21 8080808008 01 78", "x", MessageType.CALL, -(2**31)),
    "a seqid of two bytes": ("82 21 ac02 01 78", "x", MessageType.CALL, 300),
    "no name": ("82 21 00 00", "", MessageType.CALL, 0),
    "a name in UTF-8": ("82 21 00 06 e799bbe5bd95", "登录", MessageType.CALL, 0),
    "a name that is not": ("82 21 00 02 ff41", "\\xffA", MessageType.CALL, 0),
    "a long name": ("82 21 00 c801" + "61" * 200, "a" * 200, MessageType.CALL, 0),
}


@pytest.mark.parametrize("name", HEADERS)
def test_header(name: str) -> None:
    text, method, mtype, seqid = HEADERS[name]
    data = raw(text)
    header = read_header(data + b"tail", 0, len(data) + 4, DEFAULT_LIMITS)
    assert (header.method, header.type, header.seqid) == (method, mtype, seqid)
    assert header.span == Span(0, len(data))
    size = header.method_span.stop - header.method_span.start
    assert header.method_span == Span(len(data) - size, len(data))
    assert write_header(header.method_span.of(data), mtype, seqid) == data
    for stop in range(len(data)):
        with pytest.raises(Incomplete):
            read_header(data, 0, stop, DEFAULT_LIMITS)


REFUSED_HEADERS = {
    "80 01 00 01": "protocol id at offset 0: is 0x80, want 0x82",
    "82 22 00 01 78": "version at offset 1: is 2, want 1",
    "82 01 00 01 78": "message type at offset 1: is 0, want one of 1 CALL, 2 REPLY, 3 EXCEPTION, "
    "4 ONEWAY",
    "82 a1 00 01 78": "message type at offset 1: is 5, want one of 1 CALL, ",
    "82 21 ffffffffff 00": "seqid at offset 2: is over 5 bytes long, want at most 5",
    "82 21 ffffffff7f 00": "seqid at offset 2: is 34359738367, want at most 4294967295",
    "82 21 00 ffffffff07": "method name length at offset 3: is 2147483647, want at most 104857600",
    "": "protocol id at offset 0: needs 1 byte, 0 left",
    "82": "version at offset 1: needs 1 byte, 0 left",
    "82 21 80": "seqid at offset 2: needs 2 bytes, 1 left",
    "82 21 00": "method name length at offset 3: needs 1 byte, 0 left",
    "82 21 00 04 706e": "method name at offset 4: needs 4 bytes, 2 left",
}


@pytest.mark.parametrize("text", REFUSED_HEADERS)
def test_header_refused(text: str) -> None:
    data = raw(text)
    with pytest.raises(DecodeError) as caught:
        read_header(data, 0, len(data), DEFAULT_LIMITS)
    assert str(caught.value).startswith(REFUSED_HEADERS[text])


# ── Values ───────────────────────────────────────────────────────────────────────────

# Bytes of the field's header, bytes of its value, what they mean.
VALUES: dict[str, tuple[str, str, TType, Any]] = {
    "true": ("11", "", TType.BOOL, True),
    "false": ("12", "", TType.BOOL, False),
    "i8": ("13", "ff", TType.I8, -1),
    "i16": ("14", "ffff03", TType.I16, -32768),
    "i16 most": ("14", "feff03", TType.I16, 32767),
    "i32": ("15", "09", TType.I32, -5),
    "i32 least": ("15", "ffffffff0f", TType.I32, -(2**31)),
    "i64": ("16", "ff" * 9 + "01", TType.I64, -(2**63)),
    "double": ("17", "0000000000000440", TType.DOUBLE, 2.5),
    "double infinite": ("17", "000000000000f0ff", TType.DOUBLE, -math.inf),
    "string": ("18", "04 726f6f74", TType.STRING, "root"),
    "string empty": ("18", "00", TType.STRING, ""),
    "string long": ("18", "8001" + "61" * 128, TType.STRING, "a" * 128),
    "binary": ("18", "02 fffe", TType.STRING, b"\xff\xfe"),
    "struct": ("1c", "75 02 00", TType.STRUCT, {7: 1}),
    "struct empty": ("1c", "00", TType.STRUCT, {}),
    "list": ("19", "25 02 04", TType.LIST, [1, 2]),
    "list of bools, as most write it": ("19", "31 01 02 01", TType.LIST, [True, False, True]),
    "list of bools, by the specification": ("19", "32 01 02 01", TType.LIST, [True, False, True]),
    "list of lists": ("19", "19 21 01 02", TType.LIST, [[True, False]]),
    "list of 14": ("19", "e3" + "07" * 14, TType.LIST, [7] * 14),
    "list of 15": ("19", "f3 0f" + "07" * 15, TType.LIST, [7] * 15),
    "list of 200 numbers": ("19", "f5 c801" + "02" * 200, TType.LIST, [1] * 200),
    "list empty": ("19", "05", TType.LIST, []),
    "list empty of no type": ("19", "00", TType.LIST, []),
    "list empty of an unknown type": ("19", "0e", TType.LIST, []),
    "set": ("1a", "18 01 61", TType.SET, ["a"]),
    "map": ("1b", "01 85 01 61 0a", TType.MAP, [("a", 5)]),
    "map of bools": ("1b", "02 11 01 02 02 01", TType.MAP, [(True, False), (False, True)]),
    "map of bools, both ways": ("1b", "01 12 01 02", TType.MAP, [(True, False)]),
    "map of bools to numbers": ("1b", "01 25 01 0a", TType.MAP, [(True, 5)]),
    "map of structs": ("1b", "01 5c 0a 00", TType.MAP, [(5, {})]),
    "map empty": ("1b", "00", TType.MAP, []),
    "uuid": (
        "1d",
        "00112233445566778899aabbccddeeff",
        TType.UUID,
        uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
    ),
    "delta 15": ("f5", "02", TType.I32, 1),
    "id 16": ("05 20", "02", TType.I32, 1),
    "id 0": ("05 00", "02", TType.I32, 1),
    "id negative": ("05 03", "02", TType.I32, 1),
    "id least": ("05 ffff03", "02", TType.I32, 1),
    "true, its id written out": ("01 28", "", TType.BOOL, True),
}
IDS = {"delta 15": 15, "id 16": 16, "id 0": 0, "id negative": -2, "id least": -32768}


@pytest.mark.parametrize("name", VALUES)
def test_value(name: str) -> None:
    head, text, ttype, plain = VALUES[name]
    data = raw(head + text + "00")
    inside = len(raw(head))
    struct_ = read(data)
    assert struct_.findings == ()
    (field,) = struct_.fields
    assert field.ttype is ttype
    assert field.value.plain == plain
    assert field.field_id == IDS.get(name, 20 if "written out" in name else 1)
    assert field.span == Span(0, len(data) - 1)
    assert field.value.span == Span(inside, len(data) - 1)
    assert struct_.stop == Span(len(data) - 1, len(data))
    assert write_struct(struct_) == data
    whole = write_header(b"m", 1, 7) + data
    assert skip(whole + b"tail") == len(whole)
    check_cover(explain(message(whole)), len(whole))


def test_ids_are_counted_in_each_struct_anew() -> None:
    struct_ = read(raw("35 02  2c 15 04 00  05 01 06  25 08 00"))
    assert [(field.field_id, field.value.plain) for field in struct_] == [
        (3, 1), (5, {1: 2}), (-1, 3), (1, 4),
    ]  # fmt: skip
    assert write_struct(struct_) == raw("35 02  2c 15 04 00  05 01 06  25 08 00")


def test_types_are_those_of_the_model() -> None:
    struct_ = read(raw("19 31 01 02 01  1b 01 28 01 01 61 00"))
    flags, names = struct_[1].value.content, struct_[2].value.content
    assert isinstance(flags, Items)
    assert (flags.element_type, flags.raw_type) == (TType.BOOL, 1)
    assert isinstance(names, Entries)
    assert (names.key_type, names.value_type) == (TType.BOOL, TType.STRING)


def test_what_compact_read_binary_can_write() -> None:
    data = raw("19 32 01 02 01  1b 01 28 01 01 61 00")
    struct_ = read(data)
    other = binary.write_struct(struct_)
    again = binary.BINARY.read_struct(other, 0, len(other), (), DEFAULT_LIMITS)
    assert again.plain == struct_.plain
    assert write_struct(again) == raw("19 31 01 02 01  1b 01 18 01 01 61 00")


REFUSED: dict[str, str] = {
    "1e": "field type at offset 0: is 14, want one of 1 TRUE, 2 FALSE, 3 I8, 4 I16, 5 I32, 6 I64, "
    "7 DOUBLE, 8 STRING, 9 LIST, 10 SET, 11 MAP, 12 STRUCT, 13 UUID",
    "1f": "field type at offset 0: is 15, want one of ",
    "10": "field type at offset 0: is 0, want one of ",
    "05": "field id at offset 1: needs 1 byte, 0 left",
    "05 80": "field id at offset 1: needs 2 bytes, 1 left",
    "05 808004 02": "field id at offset 1: is 32768, want -32768 to 32767",
    "05 818004 02": "field id at offset 1: is -32769, want -32768 to 32767",
    "01 feff03 11": "field id at offset 4: is 32767 + 1, want -32768 to 32767",
    "05 8080808080 00": "field id at offset 1: is over 5 bytes long, want at most 5",
    "13": "I8 at offset 1: needs 1 byte, 0 left",
    "14 808004": "I16 at offset 1: is 32768, want -32768 to 32767",
    "15 ffffffff1f": "I32 at offset 1: is -4294967296, want -2147483648 to 2147483647",
    "15 8080808080 00": "I32 at offset 1: is over 5 bytes long, want at most 5",
    "16 80808080808080808080 00": "I64 at offset 1: is over 10 bytes long, want at most 10",
    "16 80808080808080808002": "I64 at offset 1: is 9223372036854775808, want -9223372036854775808 "
    "to 9223372036854775807",
    "15 80": "I32 at offset 1: needs 2 bytes, 1 left",
    "17 000000": "DOUBLE at offset 1: needs 8 bytes, 3 left",
    "1d 000000": "UUID at offset 1: needs 16 bytes, 3 left",
    "18": "string length at offset 1: needs 1 byte, 0 left",
    "18 09 616263": "string at offset 2: needs 9 bytes, 3 left",
    "18 ffffffff07 616263": "string length at offset 1: is 2147483647, want at most 104857600",
    "18 ffffffff7f": "string length at offset 1: is 34359738367, want at most 4294967295",
    "19": "list header at offset 1: needs 1 byte, 0 left",
    "1a": "set header at offset 1: needs 1 byte, 0 left",
    "19 f5": "list count at offset 2: needs 1 byte, 0 left",
    "1a f5 ffffffff07": "set count at offset 2: is 2147483647, want at most 104857600",
    "19 1e": "list element type at offset 1: is 14, want one of ",
    "19 10": "list element type at offset 1: is 0, want one of ",
    "19 33 01": "I8 at offset 3: needs 1 byte, 0 left",
    "1b": "map count at offset 1: needs 1 byte, 0 left",
    "1b 01": "map types at offset 2: needs 1 byte, 0 left",
    "1b 01 e5": "map key type at offset 2: is 14, want one of ",
    "1b 01 5f": "map value type at offset 2: is 15, want one of ",
    "1b ffffffff07 55": "map count at offset 1: is 2147483647, want at most 104857600",
    "": "field type at offset 0: needs 1 byte, 0 left",
}


@pytest.mark.parametrize("text", REFUSED)
def test_value_refused(text: str) -> None:
    """What came before the bad value stays, and one finding says what is wrong."""
    data = raw(text)
    struct_ = read(data)
    assert struct_.stop is None
    (finding,) = struct_.findings
    assert finding.text.startswith(REFUSED[text])
    # Field -1: so a delta after it begins at -1, and what follows is read alike.
    assert read(raw("05 01 02") + data)[-1].value.plain == 1
    head = write_header(b"m", 1, 7)
    check_cover(explain(message(head + data)), len(head + data))


@pytest.mark.parametrize("text", REFUSED)
def test_skipping_refuses_what_reading_refuses(text: str) -> None:
    head = write_header(b"m", 1, 7)
    data = head + raw(text)
    if "needs" in REFUSED[text]:
        assert skip(data) == -1
        return
    with pytest.raises(DecodeError) as caught:
        skip(data)
    said = COMPACT.read_struct(data, len(head), len(data), (), DEFAULT_LIMITS).findings
    assert said[0].text == str(caught.value)


def test_a_string_cut_off_shows_what_is_there() -> None:
    (field,) = read(raw("18 09 616263")).fields
    assert field.value.content == b"abc"
    assert field.value.lost == 6


@pytest.mark.parametrize("byte", [0, 3, 255])
def test_a_bool_that_is_neither_is_false_and_reported(byte: int) -> None:
    """As thriftpy2 and Apache read it; 0 was the specification's false once."""
    struct_ = read(raw(f"19 11 {byte:02x} 00"))
    assert struct_[1].value.plain == [False]
    assert [f.text for f in struct_.findings] == [f"BOOL at offset 2: is {byte}, want 1 or 2"]


def test_bytes_left_over_are_reported() -> None:
    struct_ = read(raw("00 abcd"))
    assert [f.text for f in struct_.findings] == ["2 bytes left over behind the struct at offset 1"]


@pytest.mark.parametrize("deep", [63, 64, 1000, 100_000])
def test_nesting(deep: int) -> None:
    """A struct within a struct: as deep as the limit is read, deeper is refused, by both."""
    head = write_header(b"m", 1, 0)
    data = head + raw("1c") * (deep - 1) + bytes(deep)
    struct_ = COMPACT.read_struct(data, len(head), len(data), (), DEFAULT_LIMITS)
    if deep <= 64:
        assert struct_.findings == ()
        assert skip(data) == len(data)
    else:
        assert struct_.findings[0].text == "nesting at offset 69: is 65 deep, want at most 64"
        with pytest.raises(LimitExceeded, match="nesting at offset 69: is 65 deep"):
            skip(data)


def test_nested_containers_count_as_nesting() -> None:
    head = write_header(b"m", 1, 0)
    data = head + raw("19") + raw("19") * 100
    with pytest.raises(LimitExceeded, match="nesting"):
        skip(data)
    struct_ = COMPACT.read_struct(data, len(head), len(data), (), DEFAULT_LIMITS)
    assert "nesting" in struct_.findings[0].text


def test_a_message_has_a_limit() -> None:
    data = write_header(b"m", 1, 0) + raw("19 f7 c801") + bytes(1600) + b"\x00"
    assert skip(data) == len(data)
    with pytest.raises(LimitExceeded, match="message at offset 0: is over 1000 bytes"):
        skip(data, Limits(message=1000))


# ── Lost bytes ───────────────────────────────────────────────────────────────────────


def test_bytes_lost_inside_a_string_do_not_hide_what_follows() -> None:
    data = raw("18 08 6162 00000000 6768 15 0a 00")
    struct_ = read(data, gaps=(Gap(4, 4),))
    assert struct_[1].value.content == b"ab"
    assert struct_[1].value.lost == 4
    assert struct_[2].value.plain == 5
    assert [f.text for f in struct_.findings] == ["string at offset 2: 4 of its 8 bytes were lost"]


def test_a_double_that_was_lost_has_no_value() -> None:
    struct_ = read(raw("17 0000000000000000 15 0a 00"), gaps=(Gap(3, 2),))
    assert struct_[1].value.content is None
    assert struct_[1].value.lost == 2
    assert struct_[2].value.plain == 5
    with pytest.raises(ValueError, match="were lost"):
        write_struct(struct_)


@pytest.mark.parametrize("filler", ["00", "80", "ff"])
@pytest.mark.parametrize(
    ("text", "lost", "what"),
    [
        ("15 ?? 02 15 04 00", 1, "I32 at offset"),
        ("15 80 ?? 01 15 04 00", 2, "I32"),
        ("05 ?? 02 15 04 00", 1, "field id"),
        ("18 ?? 61 00", 1, "string length"),
        ("19 ?? 02 00", 1, "list header"),
        ("1b 01 ?? 02 02 00", 2, "map types"),
        ("?? 02 00", 0, "field type"),
    ],
)
def test_a_loss_in_the_structure_ends_the_reading(
    text: str, lost: int, what: str, filler: str
) -> None:
    """A varint's length is in its bytes; whatever fills the gap is not looked at."""
    data = raw("35 02" + text.replace("??", filler))
    struct_ = read(data, gaps=(Gap(2 + lost, 1),))
    assert struct_.plain == {3: 1}
    (finding,) = struct_.findings
    assert what.split(" at")[0] in finding.text
    assert "lost by the capture" in finding.text


# ── Skipping, however it is cut ──────────────────────────────────────────────────────

RICH_START = 8


@pytest.mark.parametrize("step", range(1, len(RICH) + 1))
def test_where_a_message_ends_does_not_depend_on_how_it_is_cut(step: int) -> None:
    data = RICH + RICH
    skipper = CompactSkipper(0, DEFAULT_LIMITS)
    ends = [skipper.advance(data, stop) for stop in range(step, len(RICH), step)]
    assert set(ends) <= {-1}
    assert skipper.advance(data, len(RICH)) == len(RICH)


def test_rich_is_read_and_written_again() -> None:
    one = message(RICH)
    assert one.findings == ()
    assert write_header(b"add", 1, one.seqid) + write_struct(one.body) == RICH
    check_cover(explain(one), len(RICH))


@pytest.mark.parametrize(
    ("text", "known"),
    [("18 64 616263", 100), ("17 00", 8), ("19 f7 64 00", 800), ("15 80", 0)],
)
def test_a_skipper_says_how_far_a_value_goes(text: str, known: int) -> None:
    """A varint is not of known size: it ends where its bytes say."""
    head = write_header(b"m", 1, 0)
    data = head + raw(text)
    skipper = CompactSkipper(0, DEFAULT_LIMITS)
    assert skipper.advance(data, len(data)) == -1
    inside = {"18": 2, "17": 1, "19": 3, "15": 1}[text[:2]]
    assert skipper.known_until() == len(head) + inside + known


def test_skipping_does_not_begin_again() -> None:
    """Bytes that were passed over are not looked at twice."""
    looked = 0

    class Counting(bytearray):
        def __getitem__(self, key: Any) -> Any:
            nonlocal looked
            looked += 1
            return super().__getitem__(key)

    data = Counting(write_header(b"m", 1, 0) + raw("19 f5 d00f") + b"\x02" * 2000 + b"\x00")
    skipper = CompactSkipper(0, DEFAULT_LIMITS)
    ends = [skipper.advance(data, stop) for stop in range(len(data) + 1)]
    assert ends[-1] == len(data)
    assert looked < 10 * len(data)


# ── Witnesses ────────────────────────────────────────────────────────────────────────


class Kind(NamedTuple):
    """A type with all that is in it: element types, or a struct's fields."""

    ttype: TType
    inner: tuple[Kind, ...] = ()
    ids: tuple[int, ...] = ()


NUMBERS = {TType.I8: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}
SCALARS = (*NUMBERS, TType.BOOL, TType.DOUBLE, TType.STRING)
SCALAR_KINDS = st.sampled_from([Kind(ttype) for ttype in SCALARS])
FIELD_IDS = st.one_of(st.integers(-3, 40), st.integers(-(2**15), 2**15 - 1))


def struct_kinds(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    fields = st.lists(st.tuples(FIELD_IDS, inner), max_size=4, unique_by=lambda pair: pair[0])
    return fields.map(
        lambda pairs: Kind(TType.STRUCT, tuple(k for _, k in pairs), tuple(i for i, _ in pairs))
    )


KINDS = struct_kinds(
    st.recursive(
        SCALAR_KINDS,
        lambda inner: st.one_of(
            st.builds(lambda t, k: Kind(t, (k,)), st.sampled_from([TType.LIST, TType.SET]), inner),
            st.builds(lambda k, v: Kind(TType.MAP, (k, v)), SCALAR_KINDS, inner),
            struct_kinds(inner),
        ),
        max_leaves=6,
    )
)


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Values of a kind, in the form that ``Value.plain`` has."""
    if kind.ttype in NUMBERS:
        half = 1 << (NUMBERS[kind.ttype] - 1)
        return st.integers(-half, half - 1)
    if kind.ttype is TType.BOOL:
        return st.booleans()
    if kind.ttype is TType.DOUBLE:
        return st.floats(allow_nan=False)
    if kind.ttype is TType.STRING:
        return st.text(max_size=20)
    if kind.ttype is TType.STRUCT:
        return st.fixed_dictionaries(
            {field_id: values(k) for field_id, k in zip(kind.ids, kind.inner, strict=True)}
        )
    if kind.ttype is TType.MAP:
        pairs = st.tuples(values(kind.inner[0]), values(kind.inner[1]))
        return st.lists(pairs, max_size=3, unique_by=lambda pair: pair[0])
    return st.lists(values(kind.inner[0]), max_size=20)


KINDS_WITH_VALUES = KINDS.flatmap(lambda kind: st.tuples(st.just(kind), values(kind)))


def write_with_apache(protocol: Any, kind: Kind, value: Any) -> None:
    """Any value with the methods of Apache's TProtocol; theirs are named like the types."""
    names = {TType.I8: "Byte", TType.BOOL: "Bool", TType.DOUBLE: "Double", TType.STRING: "String"}
    if kind.ttype is TType.STRUCT:
        protocol.writeStructBegin("")
        for field_id, inner in zip(kind.ids, kind.inner, strict=True):
            protocol.writeFieldBegin("", int(inner.ttype), field_id)
            write_with_apache(protocol, inner, value[field_id])
            protocol.writeFieldEnd()
        protocol.writeFieldStop()
        protocol.writeStructEnd()
    elif kind.ttype is TType.MAP:
        key, item = kind.inner
        protocol.writeMapBegin(int(key.ttype), int(item.ttype), len(value))
        for one, other in value:
            write_with_apache(protocol, key, one)
            write_with_apache(protocol, item, other)
        protocol.writeMapEnd()
    elif kind.ttype in (TType.LIST, TType.SET):
        name = kind.ttype.name.capitalize()
        getattr(protocol, f"write{name}Begin")(int(kind.inner[0].ttype), len(value))
        for one in value:
            write_with_apache(protocol, kind.inner[0], one)
        getattr(protocol, f"write{name}End")()
    else:
        getattr(protocol, "write" + names.get(kind.ttype, kind.ttype.name))(value)


def for_thriftpy2(kind: Kind, value: Any) -> Any:
    """The value as thriftpy2's writer wants it."""
    if kind.ttype is TType.STRUCT:
        fields = {f"f{field_id}": field_id for field_id in kind.ids}
        specs = [spec_for_thriftpy2(k) for k in kind.inner]
        return SimpleNamespace(
            thrift_spec={
                field_id: (k.ttype, f"f{field_id}", False)
                if not k.inner and k.ttype is not TType.STRUCT
                else (k.ttype, f"f{field_id}", spec, False)
                for field_id, k, spec in zip(kind.ids, kind.inner, specs, strict=True)
            },
            **{
                name: for_thriftpy2(k, value[field_id])
                for (name, field_id), k in zip(fields.items(), kind.inner, strict=True)
            },
        )
    if kind.ttype is TType.MAP:
        return {one: for_thriftpy2(kind.inner[1], other) for one, other in value}
    if kind.ttype in (TType.LIST, TType.SET):
        return [for_thriftpy2(kind.inner[0], one) for one in value]
    return value


def spec_for_thriftpy2(kind: Kind) -> Any:
    """What thriftpy2 holds about a container: a type, or a type with its own."""
    inner = [
        (k.ttype, spec_for_thriftpy2(k)) if k.inner or k.ttype is TType.STRUCT else int(k.ttype)
        for k in kind.inner
    ]
    if kind.ttype is TType.MAP:
        return tuple(inner)
    return inner[0] if kind.ttype in (TType.LIST, TType.SET) else None


def check_read(data: bytes, method: str, mtype: int, seqid: int, value: Any) -> None:
    """``data`` reads as that, has a note for every byte, and is written again alike."""
    one = message(data)
    assert (one.method, one.type, one.seqid) == (method, mtype, seqid)
    assert misread(one.findings) == []
    assert one.body.plain == value
    assert write_header(method.encode(), mtype, seqid) + write_struct(one.body) == data
    assert skip(data + b"\x82") == len(data)
    check_cover(explain(one), len(data))


@given(KINDS_WITH_VALUES, st.text(max_size=20), st.integers(-(2**31), 2**31 - 1))
def test_apache_writes_and_we_read(pair: tuple[Kind, Any], method: str, seqid: int) -> None:
    thrift = pytest.importorskip("thrift.protocol.TCompactProtocol")
    from thrift.transport.TTransport import TMemoryBuffer as Buffer

    buffer = Buffer()
    protocol = thrift.TCompactProtocol(buffer)
    protocol.writeMessageBegin(method, 2, seqid)
    protocol.state = 0  # a struct may begin, as generated code has it
    write_with_apache(protocol, *pair)
    check_read(buffer.getvalue(), method, 2, seqid, pair[1])


@given(KINDS_WITH_VALUES, st.text(max_size=20), st.integers(0, 2**31 - 1))
def test_thriftpy2_writes_and_we_read(pair: tuple[Kind, Any], method: str, seqid: int) -> None:
    """Its seqid is never negative: it would not come to an end."""
    buffer = TMemoryBuffer()
    protocol = TCompactProtocol(buffer)
    protocol.write_message_begin(method, 1, seqid)
    protocol.write_struct(for_thriftpy2(*pair))
    protocol.write_message_end()
    check_read(bytes(buffer.getvalue()), method, 1, seqid, pair[1])


# ── Captures ─────────────────────────────────────────────────────────────────────────


def streams(path: Path) -> list[bytes]:
    """The bytes of each direction of the capture's one connection, the client's first."""
    peeler, connections = Peeler(), Connections()
    sent = [bytearray(), bytearray()]
    with open_capture(path) as file:
        for packet in file:
            segment = peeler.segment(packet)
            if segment is None:
                continue
            connection, _ = connections.of(segment)
            for data, pieces in zip(sent, connection.add(segment)[:2], strict=True):
                for piece in pieces:
                    assert isinstance(piece, Chunk)
                    data += piece.data
    return [bytes(data) for data in sent]


def unframed(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        end = skip(stream)
        found.append(stream[:end])
        stream = stream[end:]
    return found


def framed(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        stop = 4 + int.from_bytes(stream[:4], "big")
        found.append(stream[4:stop])
        stream = stream[stop:]
    return found


def http(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        size = int(head.lower().rpartition(b"content-length: ")[2])
        if size:
            found.append(rest[:size])
        stream = rest[size:]
    return found


INNER = {1: True, 2: False, 3: -5, 4: [True, False, True], 5: 2.5}
CALLS = [
    ("add", 1, 1, {1: 2, 2: 40}),
    ("look", 1, 2, {1: INNER}),
    ("look", 1, 3, {1: INNER}),
    ("nope", 1, 4, {1: 2, 2: 40}),
    ("fire", 4, 5, {1: "boom"}),
]
REPLIES = [
    ("add", 2, 1, {0: 42}),
    ("look", 2, 2, {0: INNER}),
    ("look", 2, 3, {1: {1: "nope", 2: 7}}),
    ("nope", 3, 4, {1: "Unknown method nope", 2: 1}),
]
EDGE = {
    "05_compact_unframed": unframed,
    "06_compact_framed": framed,
    "13_http_vnd_compact": http,
    "14b_http_xthrift_compact": http,
}


@pytest.mark.parametrize("name", EDGE)
def test_edge_captures(name: str, edge_captures: Path) -> None:
    sent, received = streams(edge_captures / f"{name}.pcap")
    for stream, expected in ((sent, CALLS), (received, REPLIES)):
        found = EDGE[name](stream)
        for data, (method, mtype, seqid, plain) in zip(found, expected, strict=True):
            check_read(data, method, mtype, seqid, plain)


@pytest.mark.parametrize("name", ["buffered", "framed"])
def test_family_captures(name: str, edge_captures: Path) -> None:
    path = edge_captures.parent / "family" / f"thrift_compact_{name}.pcap"
    cut = framed if name == "framed" else unframed
    for stream in streams(path):
        found = [message(data) for data in cut(stream)]
        assert [one.method for one in found] == ["ping", "login"]
        assert all(one.findings == () for one in found)
        assert all(write_struct(one.body) == one.data[one.header.span.stop :] for one in found)
    assert found[0].body.plain == {0: "pong"}


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
    check_alike(write_header(b"m", 1, 0) + data)


def check_alike(data: bytes) -> None:
    """Where the skipper finds an end, the reader finds the same one; where it refuses, the
    reader says the same; and every byte has a note."""
    one = message(data)
    refused = ""
    try:
        end = skip(data)
    except DecodeError as error:
        end = 0
        refused = str(error)
    if end > 0:
        assert one.body.stop is not None
        assert one.body.stop.stop == end
    else:
        assert one.body.stop is None
        assert one.findings
    # A message over the limit is the skipper's own affair.
    if refused and not refused.startswith("message"):
        assert refused in [finding.text for finding in one.findings]
    check_cover(explain(one), len(data))


def test_mutations_of_every_byte_skip_and_read_alike() -> None:
    """Each bit turned over, and each half of the byte made to be all that it can be."""
    for at in range(RICH_START, len(RICH)):
        was = RICH[at]
        others = {was ^ 1 << bit for bit in range(8)}
        others |= {was & 0xF0 | low for low in range(16)}
        others |= {was & 15 | high << 4 for high in range(16)}
        for byte in others - {was}:
            check_alike(RICH[:at] + bytes((byte,)) + RICH[at + 1 :])


def test_every_cut_is_covered() -> None:
    for stop in range(RICH_START, len(RICH)):
        one = message(RICH[:stop])
        assert one.body.stop is None
        check_cover(explain(one), stop)


@pytest.mark.parametrize("length", [1, 2, 7])
def test_every_loss_is_covered(length: int) -> None:
    for start in range(RICH_START, len(RICH) - length):
        for filler in (b"\x00", b"\x80", b"\xff"):
            data = RICH[:start] + filler * length + RICH[start + length :]
            one = message(data, (Gap(start, length),))
            check_cover(explain(one), len(data))
            assert one.findings


def test_a_claimed_count_costs_nothing() -> None:
    """100 million elements claimed, none there: nothing is allocated for them."""
    struct_ = read(raw("19 fc 80e1eb17"))
    content = struct_[1].value.content
    assert isinstance(content, Items)
    assert (content.count, content.items) == (50_000_000, ())
    assert struct_.findings
