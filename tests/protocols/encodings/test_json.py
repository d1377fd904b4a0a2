"""Apache's JSON: tables of text and meanings, then witnesses, then hostile bytes."""

from __future__ import annotations

import math
import uuid
from pathlib import Path
from typing import Any

import pytest
from driving import whole_streams as streams
from everything import APACHE_ADD as ADD
from everything import APACHE_RICH as RICH
from hypothesis import given
from hypothesis import strategies as st
from making import misread

from pingpong.errors import DecodeError, Incomplete, LimitExceeded
from pingpong.model import DEFAULT_LIMITS, Gap, Header, Limits, MessageType, Span, Struct, TType
from pingpong.protocols.encodings.thrift_json import (
    JSON,
    MORE,
    STRING,
    Scanner,
    read_header,
    unescape,
    write_message,
    write_struct,
)


def read(data: bytes, limits: Limits = DEFAULT_LIMITS, gaps: tuple[Gap, ...] = ()) -> Struct:
    return JSON.read_struct(data, 0, len(data), gaps, limits)


def read_message(data: bytes, gaps: tuple[Gap, ...] = ()) -> tuple[Header, Struct]:
    header = read_header(data, 0, len(data), DEFAULT_LIMITS)
    return header, JSON.read_struct(data, header.span.stop, len(data), gaps, DEFAULT_LIMITS)


def skip(data: bytes, limits: Limits = DEFAULT_LIMITS) -> int:
    return JSON.skipper(0, limits).advance(data, len(data))


def texts(struct: Struct) -> list[str]:
    return [finding.text for finding in struct.findings]


# ── Headers ──────────────────────────────────────────────────────────────────────────

HEADERS = {
    "call": (b'[1,"add",1,1,', "add", MessageType.CALL, 1, Span(4, 7)),
    "reply": (b'[1,"ping",2,42,', "ping", MessageType.REPLY, 42, Span(4, 8)),
    "exception": (b'[1,"x",3,-1,', "x", MessageType.EXCEPTION, -1, Span(4, 5)),
    "oneway": (b'[1,"x",4,0,', "x", MessageType.ONEWAY, 0, Span(4, 5)),
    "no name": (b'[1,"",1,0,', "", MessageType.CALL, 0, Span(4, 4)),
    "white space": (b' [ 1 ,\t"x"\r\n,1 , 0 ,', "x", MessageType.CALL, 0, Span(8, 9)),
    "escapes": (b'[1,"a\\u767b\\"",1,0,', 'a登"', MessageType.CALL, 0, Span(4, 13)),
    "not UTF-8": (b'[1,"\xffA",1,0,', "\\xffA", MessageType.CALL, 0, Span(4, 6)),
}


@pytest.mark.parametrize("name", HEADERS)
def test_header(name: str) -> None:
    head, method, mtype, seqid, method_span = HEADERS[name]
    for tail in (b"", b"{", b" {}]"):
        header = read_header(head + tail, 0, len(head + tail), DEFAULT_LIMITS)
        assert header == Header(method, mtype, seqid, True, Span(0, len(head)), method_span)


REFUSED_HEADERS = {
    b"GET / HTTP": "message at offset 0: is G, want '['",
    b"\x80\x01": "message at offset 0: is \\x80, want '['",
    b'[2,"x",1,1,': "version at offset 1: is 2, want 1",
    b'["x",': 'version at offset 1: is "x", want 1',
    b"[1,2,": "method name at offset 3: is 2, want a string",
    b'[1,"x",9,': "message type at offset 7: is 9, want one of 1 CALL, 2 REPLY, 3 EXCEPTION, "
    "4 ONEWAY",
    b'[1,"x",one,': "message type at offset 7: is one, want a whole number",
    b'[1,"x",1,"2",': 'seqid at offset 9: is "2", want a whole number',
    b'[1,"x",1,2]': "struct at offset 10: is ']', want ',' and a struct",
    b'[1 "x"': "separator at offset 3: is '\"', want ',' or ']'",
    b'[1,"x"}': "separator at offset 6: is '}', want ',' or ']'",
    b"[1,]": "value at offset 3: is ']', want a value",
    b"": "message at offset 0: needs 1 byte, 0 left",
    b"[1,": "method name at offset 3: needs 1 byte, 0 left",
    b'[1,"x': "end of the method name at offset 5: needs 1 byte, 0 left",
    b'[1,"x",1,4': "end of the seqid at offset 10: needs 1 byte, 0 left",
    b"[" + b"1" * 1200: "number at offset 1: is over 1100 bytes long, want at most 1100",
}


@pytest.mark.parametrize("data", REFUSED_HEADERS)
def test_header_refused(data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        read_header(data, 0, len(data), DEFAULT_LIMITS)
    assert str(caught.value) == REFUSED_HEADERS[data]
    if not isinstance(caught.value, Incomplete):
        with pytest.raises(DecodeError) as skipped:
            skip(data)
        assert str(skipped.value) == str(caught.value)


def test_a_cut_header_is_incomplete_at_every_cut() -> None:
    for stop in range(ADD.index(b"{")):
        with pytest.raises(Incomplete):
            read_header(ADD, 0, stop, DEFAULT_LIMITS)


# ── Values ───────────────────────────────────────────────────────────────────────────

VALUES: dict[str, tuple[bytes, TType, Any]] = {
    "true": (b'"tf":1', TType.BOOL, True),
    "false": (b'"tf":0', TType.BOOL, False),
    "i8": (b'"i8":-1', TType.I8, -1),
    "double": (b'"dbl":2.5', TType.DOUBLE, 2.5),
    "double whole": (b'"dbl":1', TType.DOUBLE, 1.0),
    "double with 17 digits": (b'"dbl":0.10000000000000001', TType.DOUBLE, 0.1),
    "double large": (b'"dbl":1.0000000000000001e+300', TType.DOUBLE, 1e300),
    "double infinite": (b'"dbl":-inf', TType.DOUBLE, -math.inf),
    "i16": (b'"i16":-32768', TType.I16, -32768),
    "i32": (b'"i32":-5', TType.I32, -5),
    "i64": (b'"i64":-9223372036854775808', TType.I64, -(2**63)),
    "string": (b'"str":"root"', TType.STRING, "root"),
    "string empty": (b'"str":""', TType.STRING, ""),
    "string escaped": (b'"str":"a\\"\\\\\\b\\f\\n\\r\\t/"', TType.STRING, 'a"\\\b\f\n\r\t/'),
    "string in UTF-8": (b'"str":"\xe7\x99\xbb"', TType.STRING, "登"),
    "string of control characters": (b'"str":"\x00\x1f"', TType.STRING, "\x00\x1f"),
    "binary stays as it was written": (b'"str":"//4="', TType.STRING, "//4="),
    "struct": (b'"rec":{"7":{"i32":1}}', TType.STRUCT, {7: 1}),
    "struct empty": (b'"rec":{}', TType.STRUCT, {}),
    "list": (b'"lst":["i32",2,1,2]', TType.LIST, [1, 2]),
    "list of bools": (b'"lst":["tf",3,1,0,1]', TType.LIST, [True, False, True]),
    "list of lists": (b'"lst":["lst",1,["i8",1,5]]', TType.LIST, [[5]]),
    "list empty": (b'"lst":["i32",0]', TType.LIST, []),
    "set": (b'"set":["str",1,"a"]', TType.SET, ["a"]),
    "map": (b'"map":["str","i32",1,{"a":5}]', TType.MAP, [("a", 5)]),
    "map by number": (b'"map":["i32","rec",1,{"5":{}}]', TType.MAP, [(5, {})]),
    "map by bool": (b'"map":["tf","i8",2,{"1":1,"0":0}]', TType.MAP, [(True, 1), (False, 0)]),
    "map by double": (b'"map":["dbl","i8",1,{"inf":1}]', TType.MAP, [(math.inf, 1)]),
    "map by struct": (b'"map":["rec","i8",1,{{"1":{"tf":1}}:2}]', TType.MAP, [({1: True}, 2)]),
    "map by list": (b'"map":["lst","i8",1,{["i8",1,3]:2}]', TType.MAP, [([3], 2)]),
    "map empty": (b'"map":["str","i32",0,{}]', TType.MAP, []),
    "uuid": (
        b'"uid":"00112233-4455-6677-8899-aabbccddeeff"',
        TType.UUID,
        uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_value(name: str) -> None:
    """The value, its spans, and the same bytes again."""
    text, ttype, plain = VALUES[name]
    data = b'{"-3":{' + text + b"}}"
    struct = read(data)
    assert struct.findings == ()
    (field,) = struct.fields
    assert (field.field_id, field.ttype, field.name) == (-3, ttype, None)
    assert field.value.plain == plain
    assert field.span == Span(1, len(data) - 1)
    assert field.value.span == Span(data.index(b":", 7) + 1, len(data) - 2)
    assert (field.value.head, field.value.lost) == (0, 0)
    assert struct.stop == Span(len(data) - 1, len(data))
    assert write_struct(struct) == data
    whole = b'[1,"m",1,7,' + data + b"]"
    assert skip(whole + b"[1") == len(whole)
    assert read_message(whole)[1].findings == ()


SPELT_OTHERWISE: dict[bytes, Any] = {
    b'"dbl":"NaN"': math.nan,
    b'"dbl":"Infinity"': math.inf,
    b'"dbl":"-Infinity"': -math.inf,
    b'"dbl":-Infinity': -math.inf,
    b'"dbl":1E5': 1e5,
    b'"dbl":0.1': 0.1,
    b'"str":"\\u0041\\u00e9\\u767B"': "Aé登",
    b'"str":"\\ud83d\\ude00\\/"': "😀/",
    b' "i32" :\r\n5\t': 5,
    b'"lst" : [ "i32" , 2 , 1 , 2 ]': [1, 2],
}


@pytest.mark.parametrize("text", SPELT_OTHERWISE)
def test_what_other_writers_spell_otherwise(text: bytes) -> None:
    struct = read(b'{ "1" : {' + text + b"} }")
    assert struct.findings == ()
    plain = struct[1].value.plain
    wanted = SPELT_OTHERWISE[text]
    assert plain == wanted or (math.isnan(wanted) and isinstance(plain, float))


ODD: dict[bytes, tuple[Any, str]] = {
    b'"tf":7': (True, "BOOL at offset 11: is 7, want 0 or 1"),
    b'"tf":true': (True, "BOOL at offset 11: is true, want 0 or 1"),
    b'"i8":300': (300, "I8 at offset 11: is 300, want 8 bits at most"),
    b'"i32":"5"': (5, 'I32 at offset 12: is "5", want a number without quotes'),
    b'"map":["i8","i8",1,{5:5}]': (
        [(5, 5)],
        "I8 at offset 26: is 5, want quotes around a key",
    ),
    b'"lst":["i8",3,1]': ([1], "list count at offset 18: is 3, want 1: so many follow"),
    b'"set":["i8",-1,1]': ([1], "set count at offset 18: is -1, want 1: so many follow"),
    b'"map":["i8","i8",0,{"1":1}]': (
        [(1, 1)],
        "map count at offset 23: is 0, want 1: so many follow",
    ),
    b'"str":"a\\x41"': ("a\\x41", "escape at offset 14: is \\x, want one that stands for text"),
    b'"str":"\\ud800."': (
        b"\xed\xa0\x80.",
        "escape at offset 13: is \\ud800, want one that stands for text",
    ),
    b'"str":"\\u12"': ("\\u12", "escape at offset 13: is \\u12, want one that stands for text"),
}


@pytest.mark.parametrize("text", ODD)
def test_what_is_odd_is_read_and_reported(text: bytes) -> None:
    plain, said = ODD[text]
    struct = read(b'{"1":{' + text + b'},"2":{"i8":1}}')
    assert texts(struct) == [said]
    assert (struct[1].value.plain, struct[2].value.plain) == (plain, 1)


def test_a_field_that_comes_twice_is_kept_and_reported() -> None:
    struct = read(b'{"1":{"i8":1},"1":{"i8":2}}')
    assert [field.value.plain for field in struct] == [1, 2]
    assert texts(struct) == ["field id at offset 14: is 1, which was there before"]


# What is good JSON and no good Thrift: said, passed over, and the next field is read.
PASSED_OVER: dict[bytes, str] = {
    b'"x":{"i8":1}': 'field id at offset 1: is "x", want "a whole number" in quotes',
    b'"1":5': "field at offset 5: is 5, want '{'",
    b'"1":{}': "field type at offset 6: is '}', want a string",
    b'"1":{"xyz":[1,{"a":2}]}': 'field type at offset 6: is "xyz", want one of "tf" ',
    b'"1":{"i32":1.5}': "I32 at offset 12: is 1.5, want a whole number",
    b'"1":{"i32":[1]}': "I32 at offset 12: is '[', want a whole number",
    b'"1":{"dbl":"x"}': 'DOUBLE at offset 12: is "x", want a number',
    b'"1":{"str":5}': "STRING at offset 12: is 5, want a string",
    b'"1":{"uid":"5"}': 'UUID at offset 12: is "5", want 8-4-4-4-12 hex digits',
    b'"1":{"rec":[]}': "STRUCT at offset 12: is '[', want '{'",
    b'"1":{"lst":{}}': "LIST at offset 12: is '{', want '['",
    b'"1":{"lst":[]}': "list element type at offset 13: is ']', want a string",
    b'"1":{"lst":["i8"]}': "list count at offset 17: is ']', want a whole number",
    b'"1":{"map":["i8","zz",1,{}]}': 'map value type at offset 18: is "zz", want one of ',
    b'"1":{"map":["i8","i8",0,5]}': "map at offset 25: is 5, want '{'",
    b"{}:5": "field id at offset 1: is '{', want \"a whole number\" in quotes",
}


@pytest.mark.parametrize("text", PASSED_OVER)
def test_passed_over(text: bytes) -> None:
    data = b"{" + text + b',"2":{"i8":1}}'
    struct = read(data)
    assert [said[: len(PASSED_OVER[text])] for said in texts(struct)] == [PASSED_OVER[text]]
    assert struct.plain == {2: 1}
    assert struct.stop == Span(len(data) - 1, len(data))
    message = b'[1,"m",1,0,' + data + b"]"
    assert skip(message) == len(message)


def test_a_list_ends_at_what_cannot_be_read_and_the_struct_goes_on() -> None:
    struct = read(b'{"1":{"lst":["i8",3,1,"x",3]},"2":{"map":["i8","i8",2,{"1":1,"2":[]}]}}')
    assert struct.plain == {1: [1], 2: [(1, 1)]}
    assert texts(struct) == [
        'I8 at offset 22: is "x", want a whole number',
        "I8 at offset 65: is '[', want a whole number",
    ]
    assert struct.stop is not None


def test_more_in_a_field_than_a_value() -> None:
    struct = read(b'{"1":{"i8":1,"x":2},"2":{"i8":1}}')
    assert struct.plain == {1: 1, 2: 1}
    assert texts(struct) == ['end of the field at offset 13: is "x", want a closing bracket']


# What is no JSON ends the reading and the skipping, with the same words.
REFUSED: dict[bytes, str] = {
    b'{"1" {"i8":1}}': "separator at offset 16: is '{', want ':'",
    b'{"1":{"i8":1} "2":{}}': "separator at offset 25: is '\"', want ',' or '}'",
    b'{"1":{"i8":1]}': "separator at offset 23: is ']', want ',' or '}'",
    b'{"1":{"i8":1},}': "value at offset 25: is '}', want a value",
    b'{"1":{"i8":}}': "value at offset 22: is '}', want a value",
    b"{]": "value at offset 12: is ']', want a value or '}'",
    b"{#": "value at offset 12: is '#', want a value or '}'",
    b'{"1":{"dbl":\x00}}': "value at offset 23: is \\x00, want a value",
    b'{"1":{"i8":' + b"1" * 1101 + b"}}": "number at offset 22: is over 1100 bytes long, want at "
    "most 1100",
    b"{},5]": "end of the message at offset 14: is 5, want ']'",
    b"{},{}]": "end of the message at offset 14: is '{', want ']'",
    b"5]": "struct at offset 11: is 5, want '{'",
    b"[]]": "struct at offset 11: is '[', want '{'",
    b"{}}": "separator at offset 13: is '}', want ',' or ']'",
}


@pytest.mark.parametrize("text", REFUSED)
def test_reader_and_skipper_refuse_the_same_with_the_same_words(text: bytes) -> None:
    data = b'[1,"m",1,0,' + text + b" " * 20
    assert texts(read_message(data)[1]) == [REFUSED[text]]
    with pytest.raises(DecodeError) as caught:
        skip(data)
    assert str(caught.value) == REFUSED[text]


CUTS: dict[bytes, str] = {
    b"": "struct at offset 0: needs 1 byte, 0 left",
    b"{": "field id at offset 1: needs 1 byte, 0 left",
    b'{"1': "end of the field id at offset 3: needs 1 byte, 0 left",
    b'{"1":{"i32"': "I32 at offset 11: needs 1 byte, 0 left",
    b'{"1":{"i32":40': "end of the I32 at offset 14: needs 1 byte, 0 left",
    b'{"1":{"i32":4}': "field id at offset 14: needs 1 byte, 0 left",
    b'{"1":{"str":"ab': "end of the STRING at offset 15: needs 1 byte, 0 left",
    b'{"1":{"lst":["i32",2,4,': "end of the list at offset 23: needs 1 byte, 0 left",
}


@pytest.mark.parametrize("data", CUTS)
def test_what_is_cut_says_what_is_missing(data: bytes) -> None:
    struct = read(data)
    assert struct.stop is None
    assert texts(struct) == [CUTS[data]]


def test_a_string_cut_off_shows_what_is_there() -> None:
    for text, there in {b"abc": b"abc", b"ab\\": b"ab", b"ab\\u12": b"ab", b"a\\n": b"a\n"}.items():
        struct = read(b'{"1":{"str":"' + text)
        assert struct[1].value.content == there
        assert struct[1].value.lost == 1
        assert struct[1].span == Span(1, 13 + len(text))
        with pytest.raises(ValueError, match="was lost"):
            write_struct(struct)


def test_half_of_a_pair_waits_for_the_other_half() -> None:
    assert unescape(b"a\\ud83d", True) == (b"a", -1)
    assert unescape(b"a\\ud83d\\ude", True) == (b"a", -1)
    assert unescape(b"a\\ud83d\\n", True) == (b"a\xed\xa0\xbd\n", 1)
    assert unescape(b"a\\ud83d\\ude00", True) == ("a😀".encode(), -1)


def test_a_message_without_its_last_bracket() -> None:
    struct = read_message(ADD[:-1])[1]
    assert struct.plain == {1: 2, 2: 40}
    assert struct.stop == Span(42, 43)
    assert texts(struct) == ["end of the message at offset 43: needs 1 byte, 0 left"]


def test_bytes_left_over_are_reported() -> None:
    assert texts(read_message(ADD + b" \n")[1]) == []
    said = ["2 bytes left over behind the message at offset 45"]
    assert texts(read_message(ADD + b" xy")[1]) == said


@pytest.mark.parametrize("deep", [64, 65, 1000, 50_000])
def test_nesting_of_structs(deep: int) -> None:
    """As deep as the limit is read; deeper is refused by both, with the same words."""
    data = b'[1,"m",1,0,{' + b'"1":{"rec":{' * (deep - 1) + b"}}" * (deep - 1) + b"}]"
    struct = read_message(data)[1]
    if deep <= 64:
        assert struct.findings == ()
        assert skip(data) == len(data)
    else:
        said = "nesting at offset 779: is 130 brackets deep, want at most 129"
        assert texts(struct) == [said]
        with pytest.raises(LimitExceeded) as caught:
            skip(data)
        assert str(caught.value) == said


def test_nesting_of_lists_is_held_too_and_the_struct_goes_on() -> None:
    data = b'{"1":{"lst":' + b'["lst",1,' * 70 + b'["i8",0' + b"]" * 71 + b'},"2":{"i8":1}}'
    struct = read(data)
    assert texts(struct) == ["nesting at offset 579: is 65 deep, want at most 64"]
    assert struct[2].value.plain == 1


def test_a_message_longer_than_the_limit() -> None:
    limits = Limits(message=20)
    for data in (ADD, b'[1,"' + b"a" * 40):
        with pytest.raises(LimitExceeded, match="message at offset 0: is over 20 bytes"):
            skip(data, limits)


# ── Lost bytes ───────────────────────────────────────────────────────────────────────


def test_a_lost_byte_ends_the_reading() -> None:
    struct = read_message(ADD, (Gap(ADD.index(b'"2"'), 3),))[1]
    assert struct.plain == {1: 2}
    assert texts(struct) == ["field id (lost by the capture) at offset 28: needs 1 byte, 0 left"]


def test_a_loss_inside_a_string_keeps_what_stands_before() -> None:
    data = b'[1,"m",1,0,{"1":{"str":"abcdef"}}]'
    struct = read_message(data, (Gap(26, 2),))[1]
    assert (struct[1].value.content, struct[1].value.lost) == (b"ab", 1)
    assert struct[1].value.span == Span(23, 26)


# ── Skipping, however it is cut ──────────────────────────────────────────────────────


@pytest.mark.parametrize("step", [*range(1, 40), 100, len(RICH) - 1])
def test_where_a_message_ends_does_not_depend_on_how_it_is_cut(step: int) -> None:
    data = RICH + ADD
    skipper = JSON.skipper(0, DEFAULT_LIMITS)
    ends = [skipper.advance(bytearray(data), stop) for stop in range(step, len(RICH), step)]
    assert set(ends) <= {-1}
    assert skipper.advance(data, len(RICH)) == len(RICH)
    assert skipper.known_until() <= len(RICH)


def test_a_long_string_that_comes_in_small_pieces_is_looked_at_once() -> None:
    data = b'[1,"m",1,0,{"1":{"str":"' + b"a\\n" * 50_000 + b'"}}]'
    scanner = Scanner(0, DEFAULT_LIMITS)
    while scanner.next(data, 24) != MORE:
        pass
    for stop in range(24, len(data) - 4, 100):
        assert scanner.next(data, stop) == MORE
        # The next look begins here: at the end, or at a backslash before it.
        assert scanner._seen >= stop - 1
    assert scanner.next(data, len(data)) == STRING


def test_every_cut_keeps_what_was_there() -> None:
    whole = read_message(RICH)[1]
    assert whole.findings == ()
    first = RICH.index(b"{")
    for stop in range(first, len(RICH)):
        struct = JSON.read_struct(RICH, first, stop, (), DEFAULT_LIMITS)
        assert len(struct.findings) == 1
        there = [field for field in whole.fields if field.span.stop <= stop]
        assert write_struct(Struct(struct.fields[: len(there)], None)) == write_struct(
            Struct(tuple(there), None)
        )


def test_rich_is_written_back() -> None:
    header, struct = read_message(RICH)
    assert write_message(header, struct) == RICH


# ── Witnesses ────────────────────────────────────────────────────────────────────────

KEYS = [TType.BOOL, TType.I8, TType.I16, TType.I32, TType.I64, TType.DOUBLE, TType.STRING]

SIMPLE: dict[TType, st.SearchStrategy[Any]] = {
    TType.BOOL: st.booleans(),
    TType.I8: st.integers(-128, 127),
    TType.I16: st.integers(-(2**15), 2**15 - 1),
    TType.I32: st.integers(-(2**31), 2**31 - 1),
    TType.I64: st.integers(-(2**63), 2**63 - 1),
    TType.DOUBLE: st.floats(),
    TType.STRING: st.text(max_size=10),
    TType.UUID: st.uuids(),
}


@st.composite
def typed(draw: Any, depth: int = 2) -> tuple[TType, Any]:
    """A type and a function that draws one value of it, containers among them."""
    ttype = draw(st.sampled_from([*SIMPLE, *([TType.LIST, TType.SET, TType.MAP] * (depth > 0))]))
    if ttype in SIMPLE:
        return ttype, SIMPLE[ttype]
    inner, values = draw(typed(depth - 1))
    if ttype is TType.MAP:
        # Apache's reader and writer take every type for a key.
        key, keys = draw(typed(depth - 1))
        return ttype, st.lists(st.tuples(keys, values), max_size=3).map(
            lambda pairs: (key, inner, pairs)
        )
    return ttype, st.lists(values, max_size=3).map(lambda items: (inner, items))


@st.composite
def structs(draw: Any, depth: int = 2) -> list[tuple[int, TType, Any]]:
    fields = []
    for field_id in draw(st.lists(st.integers(-(2**15), 2**15 - 1), max_size=4, unique=True)):
        if depth and draw(st.booleans()):
            fields.append((field_id, TType.STRUCT, draw(structs(depth - 1))))
        else:
            ttype, values = draw(typed())
            fields.append((field_id, ttype, draw(values)))
    return fields


_WRITERS = {TType.I8: "Byte", TType.STRING: "String", TType.DOUBLE: "Double", TType.BOOL: "Bool"}


def apache_value(protocol: Any, ttype: TType, value: Any) -> None:
    if ttype is TType.STRUCT:
        protocol.writeStructBegin("")
        for field_id, inner, content in value:
            protocol.writeFieldBegin("", int(inner), field_id)
            apache_value(protocol, inner, content)
            protocol.writeFieldEnd()
        protocol.writeFieldStop()
        protocol.writeStructEnd()
    elif ttype is TType.MAP:
        key, inner, pairs = value
        protocol.writeMapBegin(int(key), int(inner), len(pairs))
        for name, content in pairs:
            apache_value(protocol, key, name)
            apache_value(protocol, inner, content)
        protocol.writeMapEnd()
    elif ttype in (TType.LIST, TType.SET):
        inner, items = value
        what = "List" if ttype is TType.LIST else "Set"
        getattr(protocol, f"write{what}Begin")(int(inner), len(items))
        for item in items:
            apache_value(protocol, inner, item)
        getattr(protocol, f"write{what}End")()
    else:
        name = "Uuid" if ttype is TType.UUID else _WRITERS.get(ttype, ttype.name)
        getattr(protocol, f"write{name}")(value)


def same(plain: Any, ttype: TType, value: Any) -> bool:
    if ttype is TType.STRUCT:
        return list(plain) == [field_id for field_id, _, _ in value] and all(
            same(plain[field_id], inner, content) for field_id, inner, content in value
        )
    if ttype is TType.MAP:
        key, inner, pairs = value
        return len(plain) == len(pairs) and all(
            same(ours[0], key, theirs[0]) and same(ours[1], inner, theirs[1])
            for ours, theirs in zip(plain, pairs, strict=True)
        )
    if ttype in (TType.LIST, TType.SET):
        return len(plain) == len(value[1]) and all(
            same(ours, value[0], theirs) for ours, theirs in zip(plain, value[1], strict=True)
        )
    if isinstance(value, float) and math.isnan(value):
        return isinstance(plain, float) and math.isnan(plain)
    return bool(plain == value)


@given(
    structs(),
    st.text(max_size=20),
    st.integers(-(2**31), 2**31 - 1),
    st.sampled_from([1, 2, 3, 4]),
)
def test_apache_writes_and_we_read(fields: list[Any], method: str, seqid: int, mtype: int) -> None:
    thrift = pytest.importorskip("thrift.protocol.TJSONProtocol")
    from thrift.transport.TTransport import TMemoryBuffer

    if any(ttype is TType.UUID for _, ttype, _ in fields) and not hasattr(
        thrift.TJSONProtocol, "writeUuid"
    ):
        return
    buffer = TMemoryBuffer()
    protocol = thrift.TJSONProtocol(buffer)
    protocol.writeMessageBegin(method, mtype, seqid)
    apache_value(protocol, TType.STRUCT, fields)
    protocol.writeMessageEnd()
    data = buffer.getvalue()

    header, struct = read_message(data)
    assert (header.method, header.type, header.seqid) == (method, mtype, seqid)
    assert misread(struct.findings) == []
    assert same(struct.plain, TType.STRUCT, fields)
    assert write_message(header, struct) == data
    assert skip(data) == len(data)


def test_what_we_write_apache_reads() -> None:
    thrift = pytest.importorskip("thrift.protocol.TJSONProtocol")
    from thrift.transport.TTransport import TMemoryBuffer

    header, struct = read_message(ADD)
    protocol = thrift.TJSONProtocol(TMemoryBuffer(write_message(header, struct)))
    assert protocol.readMessageBegin() == ("add", 1, 1)
    protocol.readStructBegin()
    assert protocol.readFieldBegin() == (None, TType.I32, 1)
    assert protocol.readI32() == 2


LOOK = {1: True, 2: False, 3: -5, 4: [True, False, True], 5: 2.5}
TALK = [
    ("add", MessageType.CALL, 1, {1: 2, 2: 40}),
    ("look", MessageType.CALL, 2, {1: LOOK}),
    ("look", MessageType.CALL, 3, {1: LOOK}),
    ("nope", MessageType.CALL, 4, {1: 2, 2: 40}),
    ("fire", MessageType.ONEWAY, 5, {1: "boom"}),
    ("add", MessageType.REPLY, 1, {0: 42}),
    ("look", MessageType.REPLY, 2, {0: LOOK}),
    ("look", MessageType.REPLY, 3, {1: {1: "nope", 2: 7}}),
    ("nope", MessageType.EXCEPTION, 4, {1: "Unknown method nope", 2: 1}),
]


@pytest.mark.parametrize(
    "name", ["08_apachejson.pcap", "09_apachejson_framed.pcap", "14_http_vnd_json.pcap"]
)
def test_captures(name: str, edge_captures: Path) -> None:
    """Each message, found by its first bracket and ended by its last one."""
    found = []
    for data in streams(edge_captures / name):
        at = data.find(b"[1,")
        while at >= 0:
            end = JSON.skipper(at, DEFAULT_LIMITS).advance(data, len(data))
            header, struct = read_message(data[at:end])
            assert struct.findings == ()
            assert write_message(header, struct) == data[at:end]
            found.append((header.method, header.type, header.seqid, struct.plain))
            at = data.find(b"[1,", end)
    assert found == TALK


# ── Hostile bytes ────────────────────────────────────────────────────────────────────

SOUP = st.lists(
    st.sampled_from(
        [
            b"[",
            b"]",
            b"{",
            b"}",
            b",",
            b":",
            b'"',
            b"\\",
            b'"1"',
            b'"i32"',
            b'"lst"',
            b'"rec"',
            b'"map"',
            b'"str"',
            b"1",
            b"-",
            b" ",
            b"\xff",
            b"\x00",
            b"\\u",
            b"true",
        ]
    ),
    max_size=60,
).map(b"".join)


@given(st.one_of(st.binary(max_size=200), SOUP))
def test_any_bytes_are_read_as_far_as_they_go(data: bytes) -> None:
    struct = read(data)
    assert struct.stop is not None or struct.findings
    at = 0
    for field in struct.fields:
        assert at <= field.span.start <= field.value.span.start
        assert field.value.span.stop <= field.span.stop
        at = field.span.stop
    assert at <= len(data)


@given(st.one_of(st.binary(max_size=100), SOUP))
def test_any_bytes_raise_nothing_but_what_is_meant(tail: bytes) -> None:
    for data in (tail, b"[" + tail, b'[1,"m",1,0,' + tail, b'[1,"m",1,0,{"1":{' + tail):
        for found in (lambda d=data: skip(d), lambda d=data: read_message(d)):
            try:
                found()
            except DecodeError:
                continue


@given(st.integers(0, len(RICH) - 1), st.integers(0, 255))
def test_mutated_messages_skip_and_read_alike(at: int, byte: int) -> None:
    """What the skipper refuses, the reader refuses; where it ends, the reader ends."""
    data = bytearray(RICH)
    data[at] = byte
    mutated = bytes(data)
    try:
        header = read_header(mutated, 0, len(mutated), DEFAULT_LIMITS)
    except DecodeError as error:
        if not isinstance(error, Incomplete):
            with pytest.raises(DecodeError, match="at offset"):
                skip(mutated)
        return
    struct = JSON.read_struct(mutated, header.span.stop, len(mutated), (), DEFAULT_LIMITS)
    try:
        end, refused = skip(mutated), ""
    except DecodeError as error:
        end, refused = 0, str(error)
    if refused:
        assert texts(struct)[-1] == refused
    elif end < 0:
        assert "needs 1 byte" in texts(struct)[-1]
    else:
        assert struct.stop is not None
        assert struct.stop.stop <= end


def test_a_claimed_count_costs_nothing() -> None:
    struct = read(b'{"1":{"lst":["i32",2000000000]}}')
    assert struct[1].value.plain == []
    assert texts(struct) == ["list count at offset 19: is 2000000000, want 0: so many follow"]
