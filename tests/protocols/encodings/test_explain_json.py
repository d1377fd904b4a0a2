"""A note for every byte of JSON, whatever the message holds and wherever it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import whole_streams as streams
from everything import APACHE_ADD, APACHE_RICH, TP2_ADD, TP2_RICH
from hypothesis import given
from hypothesis import strategies as st

from pingpong.errors import DecodeError
from pingpong.model import DEFAULT_LIMITS, Endpoint, Gap, Message, MessageType, Note, Protocol, Span
from pingpong.protocols.encodings.json_notes import explain_json
from pingpong.protocols.encodings.thrift_json import JSON
from pingpong.protocols.encodings.thriftpy2_json import THRIFTPY2_JSON
from pingpong.protocols.explain import check_cover
from pingpong.protocols.families.thrift.transports import UNFRAMED

RICH = {JSON: APACHE_RICH, THRIFTPY2_JSON: TP2_RICH}
PROTOCOLS = pytest.mark.parametrize("protocol", list(RICH), ids=lambda protocol: protocol.name)


def message(
    data: bytes, protocol: Protocol = JSON, start: int = 0, gaps: tuple[Gap, ...] = ()
) -> Message:
    header = protocol.read_header(data, start, len(data), DEFAULT_LIMITS)
    return Message(
        header=header,
        data=data,
        protocol=protocol,
        transport=UNFRAMED,
        client=Endpoint("10.0.0.1", 50001),
        server=Endpoint("10.0.0.2", 9090),
        from_client=header.type in (MessageType.CALL, MessageType.ONEWAY),
        gaps=gaps,
    )


def notes_of(one: Message) -> list[Note]:
    """The notes, which must cover all from the header on."""
    notes = explain_json(one)
    start = one.header.span.start
    before = [Note(Span(0, start), "frame", "", "")] if start else []
    check_cover(before + notes, len(one.data))
    return notes


def rows(data: bytes, protocol: Protocol = JSON) -> list[tuple[bytes, str, str]]:
    one = message(data, protocol)
    return [(note.span.of(data), note.label, note.meaning) for note in notes_of(one)]


def test_add_to_the_last_byte() -> None:
    assert rows(APACHE_ADD) == [
        (b"[", "message begins", "version, method, type, seqid, struct"),
        (b"1,", "version", "1"),
        (b'"add",', "method name", '"add"'),
        (b"1,", "message type", "1 CALL"),
        (b"1,", "seqid", "1"),
        (b"{", "struct begins", "the arguments"),
        (b'"1":{', "field id", "1"),
        (b'"i32":', "field type", "i32 I32"),
        (b"2},", "value", "2"),
        (b'"2":{', "field id", "2"),
        (b'"i32":', "field type", "i32 I32"),
        (b"40}", "value", "40"),
        (b"}", "struct ends", "end of the arguments"),
        (b"]", "message ends", "end of the message"),
    ]


def test_containers() -> None:
    data = b'[1,"m",2,0,{"0":{"map":["str","lst",1,{"a":["tf",1,1]}]},"1":{"rec":{}}}]'
    assert rows(data)[6:] == [
        (b'"0":{', "field id", "0"),
        (b'"map":', "field type", "map MAP"),
        (b"[", "map begins", "a map"),
        (b'"str",', "key type", "str STRING"),
        (b'"lst",', "value type", "lst LIST"),
        (b"1,{", "count", "1"),
        (b'"a":', "key 0", '"a"'),
        (b"[", "list begins", "a list"),
        (b'"tf",', "element type", "tf BOOL"),
        (b"1,", "count", "1"),
        (b"1", "[0]", "true"),
        (b"]}", "list ends", "end of the list"),
        (b"]},", "map ends", "end of the map"),
        (b'"1":{', "field id", "1"),
        (b'"rec":', "field type", "rec STRUCT"),
        (b"{", "struct begins", "the struct in field 1"),
        (b"}}", "struct ends", "end of the struct in field 1"),
        (b"}", "struct ends", "end of the result"),
        (b"]", "message ends", "end of the message"),
    ]


def test_white_space_belongs_to_what_stands_before_it() -> None:
    data = b' [ 1 ,"m" , 1,0 , { "1" : { "i8" :\n5 } } ] \n'
    assert [row[0] for row in rows(data)] == [
        b" [ ",
        b"1 ,",
        b'"m" , ',
        b"1,",
        b"0 , ",
        b"{ ",
        b'"1" : { ',
        b'"i8" :\n',
        b"5 } ",
        b"} ",
        b"] \n",
    ]


def test_thriftpy2_to_the_last_byte() -> None:
    assert rows(TP2_ADD, THRIFTPY2_JSON) == [
        (b"\0\0\0a", "message length", "97"),
        (b"{", "message begins", "metadata and payload"),
        (b'"metadata": {', "metadata", "names and values"),
        (b'"version": 1, ', "version", "1"),
        (b'"name": "add", ', "method name", '"add"'),
        (b'"ttype": 1, ', "message type", "1 CALL"),
        (b'"seqid": 1}, ', "seqid", "1"),
        (b'"payload": ', "payload", "the struct, its fields by name"),
        (b"{", "struct begins", "the arguments"),
        (b'"a": ', "field name", '"a"'),
        (b"2, ", "value", "2"),
        (b'"b": ', "field name", '"b"'),
        (b"40", "value", "40"),
        (b"}", "struct ends", "end of the arguments"),
        (b"}", "message ends", "end of the message"),
    ]


def test_depth_and_path_follow_the_nesting() -> None:
    data = b'[1,"m",1,0,{"1":{"rec":{"2":{"rec":{"3":{"i8":5}}}}}}]'
    notes = notes_of(message(data))
    (value,) = [note for note in notes if note.meaning == "5"]
    assert (value.path, value.depth) == ((1, 2, 3), 3)
    ends = [(note.path, note.depth) for note in notes if note.label == "struct ends"]
    assert ends == [((1, 2), 3), ((1,), 2), ((), 1)]


def test_a_field_without_an_id_is_known_by_its_place() -> None:
    notes = notes_of(message(TP2_ADD, THRIFTPY2_JSON))
    assert [note.path for note in notes if note.kind == "value"] == [(1,), (2,)]


def test_an_application_exception_names_its_type() -> None:
    data = b'[1,"m",3,0,{"1":{"str":"no"},"2":{"i32":1}}]'
    assert (b"1}", "value", "1 UNKNOWN_METHOD") in rows(data)


def test_escapes_are_told() -> None:
    notes = notes_of(message(b'[1,"m",1,0,{"1":{"str":"a\\n"},"2":{"str":"\xff"}}]'))
    first, second = (note for note in notes if note.kind == "value")
    assert first.why == "Written with escapes: a backslash and what it stands for."
    assert (second.meaning, second.why) == ("1 byte: ff", "Not UTF-8.")


def test_what_was_passed_over_is_not_read() -> None:
    data = b'[1,"m",1,0,{"1":{"xyz":[1,{"a":2}]},"2":{"i8":1}}]'
    unread = [note for note in notes_of(message(data)) if note.kind == "unread"]
    assert [note.span.of(data) for note in unread] == [b'"1":{"xyz":[1,{"a":2}]},']
    assert unread[0].why.startswith('field type at offset 17: is "xyz", want one of')


def test_what_a_list_holds_behind_an_element_that_cannot_be_read() -> None:
    data = b'[1,"m",1,0,{"1":{"lst":["i8",3,1,"x",3]}}]'
    said = [(note.span.of(data), note.kind) for note in notes_of(message(data))]
    assert said[-4:] == [(b"1,", "value"), (b'"x",3]}', "unread"), (b"}", "stop"), (b"]", "stop")]


def test_many_faults_cost_no_more_than_each_of_them() -> None:
    fields = b",".join(b'"%d":{"x":1},"%d":{"i8":1}' % (at, at) for at in range(5000))
    notes = notes_of(message(b'[1,"m",1,0,{' + fields + b"}]"))
    unread = [note for note in notes if note.kind == "unread"]
    assert len(unread) == 5000
    assert max(len(note.why) for note in unread) < 500


def test_bytes_left_over() -> None:
    last = notes_of(message(APACHE_ADD + b" xyz"))[-1]
    assert (last.kind, last.meaning) == ("unread", "3 bytes")


@PROTOCOLS
def test_nothing_of_a_whole_message_is_unread(protocol: Protocol) -> None:
    notes = notes_of(message(RICH[protocol], protocol))
    assert {note.kind for note in notes} <= {"frame", "header", "field", "size", "value", "stop"}
    assert len({note.span.start for note in notes}) == len(notes)


@PROTOCOLS
def test_behind_a_frame_length(protocol: Protocol) -> None:
    notes = notes_of(message(b"\0\0\1\0" + RICH[protocol], protocol, 4))
    plain = notes_of(message(RICH[protocol], protocol))
    assert [note.meaning for note in notes] == [note.meaning for note in plain]


@PROTOCOLS
def test_every_cut_is_covered(protocol: Protocol) -> None:
    data = RICH[protocol]
    header = protocol.read_header(data, 0, len(data), DEFAULT_LIMITS)
    for stop in range(header.span.stop, len(data)):
        notes_of(message(data[:stop], protocol))


@PROTOCOLS
@pytest.mark.parametrize("size", [1, 9, 60])
def test_every_loss_has_a_note_that_says_so(protocol: Protocol, size: int) -> None:
    data = RICH[protocol]
    header = protocol.read_header(data, 0, len(data), DEFAULT_LIMITS)
    for start in range(header.span.stop, len(data) - size):
        filled = data[:start] + bytes(size) + data[start + size :]
        notes = notes_of(message(filled, protocol, 0, (Gap(start, size),)))
        assert [note.span for note in notes if note.kind == "lost"] == [Span(start, start + size)]


@PROTOCOLS
@pytest.mark.parametrize(
    "byte", [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"x", b"0", b" "]
)
def test_every_mutation_is_covered(protocol: Protocol, byte: bytes) -> None:
    data = RICH[protocol]
    for at in range(len(data)):
        try:
            one = message(data[:at] + byte + data[at + 1 :], protocol)
        except DecodeError:
            continue
        notes_of(one)


@given(st.sampled_from(list(RICH)), st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_any_mutation_of_any_part_is_covered(
    protocol: Protocol, at: int, byte: int, stop: int
) -> None:
    data = bytearray(RICH[protocol])
    data[at % len(data)] = byte
    try:
        one = message(bytes(data[: max(stop, 80)]), protocol)
    except DecodeError:
        return
    notes_of(one)


def test_captures(edge_captures: Path) -> None:
    count = 0
    for name, protocol in (("08_apachejson", JSON), ("07_tpy2json", THRIFTPY2_JSON)):
        for data in streams(edge_captures / f"{name}.pcap"):
            at = 0
            while at < len(data):
                end = protocol.skipper(at, DEFAULT_LIMITS).advance(data, len(data))
                notes = notes_of(message(data[at:end], protocol))
                assert not [note for note in notes if note.kind == "unread"]
                count += 1
                at = end
    assert count == 18
