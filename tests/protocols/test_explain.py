"""A note for every byte, whatever the message holds and wherever it breaks."""

from __future__ import annotations

import pytest
from driving import BIG, lose
from everything import BINARY_RICH as RICH
from everything import COMPACT_RICH
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, PING, as_message, foo, framed, message, thriftpy2_message

from pingpong.model import DEFAULT_LIMITS, Carrier, Endpoint, Gap, Message, Note, Protocol, Span
from pingpong.protocols.encodings.binary import BINARY, OLD_BINARY, write_old_header
from pingpong.protocols.encodings.compact import COMPACT
from pingpong.protocols.encodings.thrift_json import JSON
from pingpong.protocols.explain import check_cover, explain
from pingpong.protocols.families.thrift.transports import ALL

LOGIN = thriftpy2_message(foo().PingPong.login_args("root", "pwd"), "login")


def rows(data: bytes, transport: str = "unframed") -> list[tuple[str, str, str]]:
    one = message(data, transport)
    notes = explain(one)
    check_cover(notes, len(one.data))
    return [(note.span.of(one.data).hex(" "), note.label, note.meaning) for note in notes]


def test_login_to_the_last_byte() -> None:
    assert rows(framed(LOGIN), "framed") == [
        ("00 00 00 27", "frame length", "39"),
        ("80 01", "version", "1, strict"),
        ("00", "unused", "0"),
        ("01", "message type", "1 CALL"),
        ("00 00 00 05", "method name length", "5"),
        ("6c 6f 67 69 6e", "method name", '"login"'),
        ("00 00 00 00", "seqid", "0"),
        ("0b", "field type", "11 STRING"),
        ("00 01", "field id", "1"),
        ("00 00 00 04", "value length", "4"),
        ("72 6f 6f 74", "value", '"root"'),
        ("0b", "field type", "11 STRING"),
        ("00 02", "field id", "2"),
        ("00 00 00 03", "value length", "3"),
        ("70 77 64", "value", '"pwd"'),
        ("00", "STOP", "end of the arguments"),
    ]


def whole(
    data: bytes,
    protocol: Protocol,
    start: int = 0,
    transport: str = "unframed",
    gaps: tuple[Gap, ...] = (),
) -> Message:
    """A message whose header begins at ``start``."""
    return Message(
        header=protocol.read_header(data, start, len(data), DEFAULT_LIMITS),
        data=data,
        protocol=protocol,
        transport=next((one for one in ALL if one == transport), Carrier(transport)),
        client=Endpoint("10.0.0.1", 50001),
        server=Endpoint("10.0.0.2", 9090),
        from_client=True,
        gaps=gaps,
    )


def said(one: Message) -> list[tuple[str, str, str]]:
    notes = explain(one)
    check_cover(notes, len(one.data))
    return [(note.span.of(one.data).hex(" "), note.label, note.meaning) for note in notes]


def why(one: Message) -> dict[str, str]:
    return {note.span.of(one.data).hex(" "): note.why for note in explain(one)}


# ── Other protocols ──────────────────────────────────────────────────────────────────


def test_an_old_header() -> None:
    one = whole(write_old_header(b"add", 1, 1) + ADD[15:], OLD_BINARY)
    assert said(one)[:4] == [
        ("00 00 00 03", "method name length", "3"),
        ("61 64 64", "method name", '"add"'),
        ("01", "message type", "1 CALL"),
        ("00 00 00 01", "seqid", "1"),
    ]
    assert "old header" in explain(one)[0].why
    assert said(one)[4:] == rows(ADD)[6:]


def raw(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def test_compact_to_the_last_byte() -> None:
    data = raw(
        "82 21 ac02 05 6c6f67696e  18 04 726f6f74  11  02 08  29 31 01 02 01"
        "1b 01 85 01 61 54  1b 00  19 f3 0f" + "07" * 15 + "17 0000000000000440  15 ac02  00"
    )
    assert said(whole(data, COMPACT)) == [
        ("82", "protocol id", "0x82"),
        ("21", "version and message type", "version 1, type 1 CALL"),
        ("ac 02", "seqid", "300"),
        ("05", "method name length", "5"),
        ("6c 6f 67 69 6e", "method name", '"login"'),
        ("18", "field header", "delta 1, type 8 STRING: field 1"),
        ("04", "value length", "4"),
        ("72 6f 6f 74", "value", '"root"'),
        ("11", "field header", "delta 1, type 1 TRUE: field 2 is true"),
        ("02", "field header", "delta 0, type 2 FALSE: the id follows, and it is false"),
        ("08", "field id", "4"),
        ("29", "field header", "delta 2, type 9 LIST: field 6"),
        ("31", "list header", "count 3, element type 1 BOOL"),
        ("01", "[0]", "true"),
        ("02", "[1]", "false"),
        ("01", "[2]", "true"),
        ("1b", "field header", "delta 1, type 11 MAP: field 7"),
        ("01", "count", "1"),
        ("85", "key and value type", "key 8 STRING, value 5 I32"),
        ("01", "key 0 length", "1"),
        ("61", "key 0", '"a"'),
        ("54", "value 0", "42"),
        ("1b", "field header", "delta 1, type 11 MAP: field 8"),
        ("00", "count", "0"),
        ("19", "field header", "delta 1, type 9 LIST: field 9"),
        ("f3", "list header", "count 15, element type 3 I8"),
        ("0f", "count", "15"),
        *[("07", f"[{index}]", "7") for index in range(15)],
        ("17", "field header", "delta 1, type 7 DOUBLE: field 10"),
        ("00 00 00 00 00 00 04 40", "value", "2.5"),
        ("15", "field header", "delta 1, type 5 I32: field 11"),
        ("ac 02", "value", "150"),
        ("00", "STOP", "end of the arguments"),
    ]


COMPACT_WHYS = {
    "ac 02": "Seven bits a byte, the lowest first. Zigzag: 300 stands for 150.",
    "54": "Zigzag: 84 stands for 42.",
    "18": "Added to the id before, 0 at the start: 0 + 1 = 1. Argument 1. Its name stays in the "
    "IDL.",
    "35": "Added to the id before, 0 at the start: 2 + 3 = 5. Argument 5. Its name stays in the "
    "IDL.",
    "05": "Delta 0: the id is written out.",
    "01": "Zigzag: 1 stands for -1. Argument -1. Its name stays in the IDL.",
    "ff ff ff ff 0f": "The client's number for this call. Seven bits a byte, the lowest first. "
    "Not zigzag: a negative number keeps its 32 bits.",
}


def test_compact_says_how_numbers_are_written() -> None:
    one = whole(raw("82 21 ffffffff0f 00  18 00  15 ac02  35 54  05 01 08 00"), COMPACT)
    found = why(one)
    assert {text: found[text] for text in COMPACT_WHYS} == COMPACT_WHYS


def test_a_compact_application_exception_names_its_type() -> None:
    one = whole(raw("82 61 04 04 6e6f7065 25 02 00"), COMPACT)
    assert ("02", "value", "1 UNKNOWN_METHOD") in said(one)


@pytest.mark.parametrize("start", [0, 4])
def test_json_is_explained_where_its_header_begins(start: int) -> None:
    text = b'[1,"add",1,1,{"1":{"i32":2},"2":{"i32":40}}]'
    one = whole(framed(text)[4 - start :], JSON, start, "framed" if start else "unframed")
    found = [label for _, label, _ in said(one)]
    assert found[0] == ("frame length" if start else "message begins")
    assert "method name" in found


# ── What stands before the message ───────────────────────────────────────────────────


def test_tracing_headers_stand_before_a_message() -> None:
    prefix = raw("08 0001 00000002  0b 0002 00000001 61  0c 0003 00  00")
    for protocol, data in ((BINARY, ADD), (COMPACT, COMPACT_RICH)):
        plain = whole(prefix + data, protocol, len(prefix))
        assert said(plain)[:4] == [
            ("08", "tracing header field type", "8 I32"),
            ("00 01", "tracing header field id", "1"),
            ("00 00 00 02", "tracing header value", "2"),
            ("0b", "tracing header field type", "11 STRING"),
        ]
        assert ("00", "tracing header STOP", "end of the tracing header") in said(plain)
        assert {note.why for note in explain(plain)[:3]} == {""}
        assert said(plain)[11:] == said(whole(data, protocol))
        in_frame = whole(framed(prefix + data), protocol, 4 + len(prefix), "framed")
        assert said(in_frame)[0][1] == "frame length"
        assert said(in_frame)[1:] == said(plain)


@pytest.mark.parametrize("before", ["6869", "00 00", "0b 0001 00000009 61 00", "08 0001 0000"])
def test_what_is_no_struct_before_a_message_is_said_to_be_there(before: str) -> None:
    prefix = raw(before)
    one = whole(prefix + PING, BINARY, len(prefix))
    first = explain(one)[0]
    assert (first.label, first.span) == ("before the message", Span(0, len(prefix)))
    assert first.kind == "frame"
    assert said(one)[1:] == rows(PING)


def test_a_transport_that_nothing_describes_is_covered() -> None:
    one = whole(b"POST / HTTP/1.1\r\n\r\n" + PING, BINARY, 19, "carrier pigeon")
    assert said(one)[0][1:] == ("before the message", "19 bytes")


def test_bytes_lost_before_a_message_are_said_to_be() -> None:
    one = whole(raw("08 0001 00000002 00") + PING, BINARY, 8, gaps=(Gap(3, 2),))
    assert [(label, meaning) for _, label, meaning in said(one)][:3] == [
        ("not read", "3 bytes"),
        ("lost", "2 bytes that the capture does not have"),
        ("not read", "3 bytes"),
    ]


def test_characters_and_bytes_are_told_apart() -> None:
    answer = thriftpy2_message(foo().PingPong.login_result(success="登录成功!"), "login", 2)
    (note,) = [note for note in explain(message(answer)) if note.meaning == '"登录成功!"']
    assert note.why == "5 characters in 13 bytes of UTF-8."
    assert note.path == (0,)


def test_containers() -> None:
    said = [(label, meaning) for _, label, meaning in rows(RICH)]
    assert ("element type", "12 STRUCT") in said
    assert ("count", "2") in said
    assert ("key type", "11 STRING") in said
    assert ("value", "00112233-4455-6677-8899-aabbccddeeff") in said
    assert said[-1] == ("STOP", "end of the arguments")


def test_depth_and_path_follow_the_nesting() -> None:
    data = PING[:-1] + bytes.fromhex("0c0001 0c0002 080003 00000005 00 00 00".replace(" ", ""))
    notes = explain(message(data))
    (value,) = [note for note in notes if note.meaning == "5"]
    assert (value.path, value.depth) == ((1, 2, 3), 3)
    stops = [(note.path, note.depth) for note in notes if note.kind == "stop"]
    assert stops == [((1, 2), 3), ((1,), 2), ((), 1)]


def test_an_application_exception_names_its_type() -> None:
    from thriftpy2.thrift import TApplicationException

    error = TApplicationException(TApplicationException.UNKNOWN_METHOD, "no such method")
    said = rows(thriftpy2_message(error, "nope", 3))
    assert ("00 00 00 01", "value", "1 UNKNOWN_METHOD") in said


def test_bytes_left_over_in_a_frame() -> None:
    notes = explain(message(framed(PING + b"xyz"), "framed"))
    assert (notes[-1].kind, notes[-1].label, len(notes[-1].span)) == ("unread", "left over", 3)


@pytest.mark.parametrize("transport", ["unframed", "framed"])
def test_every_message_cut_off_anywhere_is_covered(transport: str) -> None:
    data = framed(RICH) if transport == "framed" else RICH
    for stop in range(20, len(data)):
        one = message(data[:stop], transport)
        check_cover(explain(one), stop)


@pytest.mark.parametrize("framing", [False, True])
def test_lost_bytes_have_a_note_that_says_so(framing: bool) -> None:
    data = framed(BIG) if framing else BIG
    start = data.index(b"x" * 4000) + 100
    (found,), _ = lose(data, start, 500)
    one = as_message(found)
    notes = explain(one)
    check_cover(notes, len(one.data))
    (lost,) = [note for note in notes if note.kind == "lost"]
    assert lost.span == Span(start, start + 500)
    assert lost.meaning == "500 bytes that the capture does not have"


def test_lost_structure_in_a_frame_is_covered() -> None:
    for start in range(20, len(framed(RICH)) - 6):
        for found in lose(framed(RICH), start, 5)[0]:
            one = as_message(found)
            check_cover(explain(one), len(one.data))


@pytest.mark.parametrize("transport", ["unframed", "framed"])
def test_compact_cut_off_anywhere_is_covered(transport: str) -> None:
    start = 4 if transport == "framed" else 0
    data = framed(COMPACT_RICH)[4 - start :]
    for stop in range(start + 9, len(data)):
        check_cover(explain(whole(data[:stop], COMPACT, start, transport)), stop)


@given(st.integers(12, len(RICH) - 4), st.integers(0, 255))
def test_any_mutation_behind_an_old_header_is_covered(at: int, byte: int) -> None:
    data = bytearray(write_old_header(b"add", 1, 1) + RICH[15:])
    data[at] = byte
    said(whole(bytes(data), OLD_BINARY))


@given(st.integers(15, len(RICH) - 1), st.integers(0, 255))
def test_any_mutation_is_covered(at: int, byte: int) -> None:
    data = bytearray(framed(RICH))
    data[4 + at] = byte
    one = message(bytes(data), "framed")
    check_cover(explain(one), len(data))


COVERS = {
    "bytes 4 to 6 have no note": [Note(Span(0, 4), "x", "", ""), Note(Span(6, 8), "x", "", "")],
    "bytes 2 to 4 have two notes": [Note(Span(0, 4), "x", "", ""), Note(Span(2, 8), "x", "", "")],
    "bytes 6 to 8 have no note": [Note(Span(0, 6), "x", "", "")],
    "bytes 8 to 9 are not there": [Note(Span(0, 9), "x", "", "")],
    "the note 'e' at 0 covers no byte": [Note(Span(0, 0), "x", "e", "")],
}


@pytest.mark.parametrize("text", COVERS)
def test_check_cover(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        check_cover(COVERS[text], 8)


def test_add() -> None:
    assert len(rows(ADD)) == 13


def test_the_head_of_http_is_described_by_its_transport() -> None:
    head = b"POST /calc HTTP/1.1\r\nContent-Length: 17\r\n\r\n"
    labels = [note.label for note in explain(whole(head + PING, BINARY, len(head), "http"))]
    assert labels[:2] == ["request line", "HTTP header"]
    assert "before the message" not in labels
