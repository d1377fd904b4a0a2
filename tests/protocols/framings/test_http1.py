"""HTTP/1 for every family: what is said, whole and cut at every byte, then what is lost."""

from __future__ import annotations

import base64
import gzip
import itertools
import tracemalloc
import zlib

import pytest
from doors import check
from http2s import OPENING, block, frame, talked
from making import ADD, PONG, Talk, call, reply
from surrounding import answer, chunked, lines, post

from pingpong import read_packets
from pingpong.capture import Capture
from pingpong.model import Limits, Message, Outcome
from pingpong.protocols.explain import check_cover, explain

JSON = "Content-Type: application/json"
WEB = "Content-Type: application/grpc-web+proto"
CONNECT = "Content-Type: application/connect+proto"


def ask(path: str, body: bytes = b"", *heads: str, verb: str = "POST") -> bytes:
    length = [f"Content-Length: {len(body)}"] if body or verb == "POST" else []
    return lines(f"{verb} {path} HTTP/1.1", "Host: x.example", *heads, *length) + body


def wrapped(body: bytes, flag: int = 0) -> bytes:
    """A message in its envelope."""
    return bytes((flag,)) + len(body).to_bytes(4, "big") + body


def read(*said: tuple[bool, bytes], step: int = 0, opened: bool = True) -> Capture:
    talk = Talk()
    if opened:
        talk.open()
    for by_client, data in said:
        for at in range(0, len(data), step or max(1, len(data))):
            talk.send(by_client, data[at : at + step] if step else data)
    return read_packets(talk.close().packets)


def told(capture: Capture) -> list[tuple[str, str, int, bytes]]:
    """Type, method, number and content of each message."""
    return [
        (one.type.name, one.method, one.seqid, one.data[one.start : one.stop])
        for one in capture.messages
    ]


def ended(capture: Capture) -> list[str]:
    return [one.outcome.name for one in capture.exchanges]


def on_the_wire(message: Message) -> int:
    """How many bytes of the wire its layout has; holds that no two of them overlap."""
    spans = sorted((one.offset, one.offset + one.size) for one in message.layout if one.offset >= 0)
    for before, after in itertools.pairwise(spans):
        assert before[1] <= after[0]
    return sum(stop - start for start, stop in spans)


FIVE = base64.b64encode(wrapped(b"hello")) + base64.b64encode(wrapped(b"grpc-status: 0\r\n", 128))

UNASKED = lines("HTTP/1.1 408 Request Timeout", "Content-Length: 0", "Connection: close")
TWICE = gzip.compress(gzip.compress(b'{"a":1}', mtime=0), mtime=0)
BOTH = zlib.compress(gzip.compress(b"[2]", mtime=0))

# name: what is said, the messages
TALKS = {
    "JSON": (
        [(True, ask("/login", b'{"a":1}', JSON)), (False, answer(b'{"b":2}', JSON))],
        [("CALL", "POST /login", 1, b'{"a":1}'), ("REPLY", "POST /login", 1, b'{"b":2}')],
    ),
    "a form, and a page as its answer": (
        [
            (True, ask("/f", b"a=1", "Content-Type: application/x-www-form-urlencoded")),
            (False, answer(b"<html>", "Content-Type: text/html")),
        ],
        [("CALL", "POST /f", 1, b"a=1"), ("REPLY", "POST /f", 1, b"<html>")],
    ),
    "a GET that JSON answers": (
        [(True, ask("/users?id=7", verb="GET")), (False, answer(b"[]", JSON))],
        [("CALL", "GET /users?id=7", 1, b""), ("REPLY", "GET /users?id=7", 1, b"[]")],
    ),
    "behind a page": (
        [
            (True, ask("/", verb="GET")),
            (False, answer(b"<html>", "Content-Type: text/html")),
            (True, ask("/a", b"1", JSON)),
            (False, lines("HTTP/1.1 204 No Content")),
        ],
        [("CALL", "POST /a", 2, b"1"), ("REPLY", "POST /a", 2, b"")],
    ),
    "pipelined": (
        [
            (True, ask("/a", b"1", JSON) + ask("/b", b"2", JSON) + ask("/c", b"3", JSON)),
            (False, answer(b"4", JSON) + answer(b"5", JSON, status="500 No") + answer(b"6", JSON)),
        ],
        [
            *(("CALL", "POST /a", 1, b"1"), ("CALL", "POST /b", 2, b"2")),
            *(("CALL", "POST /c", 3, b"3"), ("REPLY", "POST /a", 1, b"4")),
            *(("EXCEPTION", "POST /b", 2, b"5"), ("REPLY", "POST /c", 3, b"6")),
        ],
    ),
    "HEAD": (
        [
            (True, ask("/a", verb="HEAD") + ask("/b", b"1", JSON)),
            (False, lines("HTTP/1.1 200 OK", "Content-Type: text/css", "Content-Length: 9")),
            (False, answer(b"2", JSON)),
        ],
        [("CALL", "POST /b", 2, b"1"), ("REPLY", "POST /b", 2, b"2")],
    ),
    "100 is no reply": (
        [
            (True, lines("POST /a HTTP/1.1", JSON, "Expect: 100-continue", "Content-Length: 1")),
            (False, lines("HTTP/1.1 100 Continue")),
            (True, b"1"),
            (False, answer(b"2", JSON)),
        ],
        [("CALL", "POST /a", 1, b"1"), ("REPLY", "POST /a", 1, b"2")],
    ),
    "in chunks, with a trailer": (
        [
            (True, chunked(b'{"a"', b":1}", start=f"POST /a HTTP/1.1\r\n{JSON}")),
            (False, chunked(b"[1", b",2]", trailer="Sum: 3\r\n", start=f"HTTP/1.1 200\r\n{JSON}")),
        ],
        [("CALL", "POST /a", 1, b'{"a":1}'), ("REPLY", "POST /a", 1, b"[1,2]")],
    ),
    "packed twice": (
        [
            (True, ask("/a", TWICE, JSON, "Content-Encoding: gzip, gzip")),
            (False, answer(BOTH, JSON, "Content-Encoding: gzip,deflate , identity")),
        ],
        [("CALL", "POST /a", 1, b'{"a":1}'), ("REPLY", "POST /a", 1, b"[2]")],
    ),
    "until the stream ends": (
        [(True, ask("/a", b"1", JSON)), (False, lines("HTTP/1.0 200 OK", JSON) + b"[1,2]")],
        [("CALL", "POST /a", 1, b"1"), ("REPLY", "POST /a", 1, b"[1,2]")],
    ),
    "bare LF": (
        [
            (True, ask("/a", b"", JSON).replace(b"\r\n", b"\n")),
            (False, b"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 1\n\n7"),
        ],
        [("CALL", "POST /a", 1, b""), ("REPLY", "POST /a", 1, b"7")],
    ),
    "gzip": (
        [
            (True, ask("/a", b"1", JSON)),
            (False, answer(gzip.compress(b"[7]", mtime=0), JSON, "Content-Encoding: gzip")),
        ],
        [("CALL", "POST /a", 1, b"1"), ("REPLY", "POST /a", 1, b"[7]")],
    ),
    "gRPC-Web": (
        [
            (True, ask("/s.S/Get", wrapped(b"\x08\x01"), WEB)),
            (False, chunked(wrapped(b"hello"), wrapped(b"grpc-status: 0\r\n", 128),
                            start=f"HTTP/1.1 200 OK\r\n{WEB}")),
        ],
        [("CALL", "/s.S/Get", 1, b"\x08\x01"), ("REPLY", "/s.S/Get", 1, b"hello")],
    ),
    "gRPC-Web in base64, padded in its midst": (
        [
            (True, ask("/s.S/Get", base64.b64encode(wrapped(b"\x08\x01")),
                       "Content-Type: application/grpc-web-text")),
            (False, chunked(FIVE[:7], FIVE[7:],
                            start="HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web-text")),
        ],
        [("CALL", "/s.S/Get", 1, b"\x08\x01"), ("REPLY", "/s.S/Get", 1, b"hello")],
    ),
    "a proxy's page for gRPC-Web": (
        [
            (True, ask("/s.S/Get", wrapped(b"\x08\x01"), WEB)),
            (False, answer(b"<html>", "Content-Type: text/html", status="502 Bad Gateway")),
        ],
        [("CALL", "/s.S/Get", 1, b"\x08\x01"), ("EXCEPTION", "/s.S/Get", 1, b"<html>")],
    ),
    "Connect, a stream": (
        [
            (True, ask("/s.S/Put", wrapped(b"a") + wrapped(b"bc") + wrapped(b""), CONNECT)),
            (False, answer(wrapped(b"d") + wrapped(b"e") + wrapped(b"{}", 2), CONNECT)),
        ],
        [
            *(("CALL", "/s.S/Put", 1, b""), ("PART", "/s.S/Put", 1, b"a")),
            *(("PART", "/s.S/Put", 1, b"bc"), ("PART", "/s.S/Put", 1, b"")),
            *(("PART", "/s.S/Put", 1, b"d"), ("PART", "/s.S/Put", 1, b"e")),
            ("REPLY", "/s.S/Put", 1, b""),
        ],
    ),
    "Connect's GET": (
        [
            (True, ask("/s.S/Get?connect=v1&encoding=json&message=%7B%7D", verb="GET")),
            (False, answer(b"{}", JSON)),
        ],
        [("CALL", "/s.S/Get", 1, b"{}"), ("REPLY", "/s.S/Get", 1, b"{}")],
    ),
    "beside Thrift": (
        [
            (True, post(ADD)),
            (False, answer(b'{"error":1}', JSON, status="503 No")),
            (True, ask("/a", b"1", JSON)),
            (False, answer(b"2", JSON)),
        ],
        [
            ("CALL", "add", 1, ADD[15:]),
            *(("CALL", "POST /a", 2, b"1"), ("REPLY", "POST /a", 2, b"2")),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TALKS)
def test_messages(name: str) -> None:
    said, wanted = TALKS[name]
    capture = read(*said)
    assert told(capture) == wanted
    assert capture.findings == ()
    for message in capture.messages:
        check_cover(explain(message), len(message.data))
        if message.layout:
            assert on_the_wire(message) == message.size
            assert message.listed == ()


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("name", TALKS)
def test_how_the_bytes_were_cut_does_not_matter(name: str, step: int) -> None:
    said, wanted = TALKS[name]
    assert sorted(told(read(*said, step=step))) == sorted(wanted)


def test_cut_at_every_byte() -> None:
    said, wanted = TALKS["gRPC-Web"]
    call, reply = said[0][1], said[1][1]
    for cut in range(1, len(reply)):
        assert told(read((True, call), (False, reply[:cut]), (False, reply[cut:]))) == wanted


def test_thrift_and_its_response_stay_what_they_are() -> None:
    said, _ = TALKS["beside Thrift"]
    first = read(*said).messages[0]
    assert first.response is not None
    assert first.response.status == 503
    assert [(one.name, one.value) for one in first.metadata] == [
        ("Content-Type", "application/x-thrift"),
        ("Content-Length", "30"),
    ]


def test_a_page_is_passed_over() -> None:
    capture = read(
        (True, ask("/", verb="GET")), (False, answer(b"<html>", "Content-Type: text/html"))
    )
    assert told(capture) == []
    assert [flow.detection and flow.detection.transport for flow in capture.flows] == [None]


def test_metadata_has_the_headers_where_they_stand() -> None:
    said, _ = TALKS["in chunks, with a trailer"]
    for message in read(*said).messages:
        for one in message.metadata:
            assert (
                message.data[one.span.start : one.span.stop].decode() == f"{one.name}: {one.value}"
            )
    names = [one.name for one in message.metadata]
    assert names == ["Content-Type", "Transfer-Encoding", "Sum"]


def test_a_response_without_its_request() -> None:
    capture = read((False, answer(b"7", JSON)), (True, ask("/a", b"1", JSON)), opened=False)
    assert told(capture) == [("REPLY", "", 0, b"7"), ("CALL", "POST /a", 1, b"1")]
    assert ended(capture).count("NO_CALL") == 1


def test_a_response_before_its_request_in_the_capture() -> None:
    capture = read(
        *((False, answer(b"2", JSON)), (True, ask("/a", b"1", JSON))),
        *((True, ask("/b", b"3", JSON)), (False, answer(b"4", JSON))),
    )
    assert [(one.type.name, one.seqid) for one in capture.messages] == [
        *(("REPLY", 1), ("CALL", 1), ("CALL", 2), ("REPLY", 2)),
    ]


def pairs(capture: Capture) -> list[tuple[str, str]]:
    """The path of each call that is answered, and what the answer says."""
    return [
        (one.call.method.partition("/")[2], one.reply.data[one.reply.start :].decode())
        for one in capture.exchanges
        if one.call is not None and one.reply is not None
    ]


@pytest.mark.parametrize("lost", ["a response", "a request"])
@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("opened", [True, False])
def test_what_is_lost_shifts_no_answer(lost: str, which: int, opened: bool) -> None:
    """A client that waits for each response: one behind a loss is that of the last request."""
    talk = Talk()
    if opened:
        talk.open()
    for number in range(4):
        asking = ask(f"/{number}", b"1", JSON)
        reply = answer(b"%d" % number, JSON)
        if number == which and lost == "a request":
            talk.skip(True, len(asking))
        else:
            talk.send(True, asking)
        if number == which and lost == "a response":
            talk.skip(False, len(reply))
        else:
            talk.send(False, reply)
    capture = check(talk.close().packets)
    found = pairs(capture)
    assert all(path == body for path, body in found)
    assert {str(number) for number in range(4) if number != which} <= {path for path, _ in found}
    if lost == "a response":
        assert capture.exchanges[which].outcome is Outcome.LOST


@pytest.mark.parametrize("groups", [[(0, 1, 2, 3)], [(0, 1), (2, 3)], [(0, 1, 2), (3,)]])
@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("verb", ["POST", "GET"])
@pytest.mark.parametrize("opened", [True, False])
def test_requests_in_one_go_and_a_lost_response(
    groups: list[tuple[int, ...]], which: int, verb: str, opened: bool
) -> None:
    """If it is not known which request a response answers, it answers none."""
    talk = Talk()
    if opened:
        talk.open()
    for group in groups:
        for number in group:
            body = b"" if verb == "GET" else b"1"
            talk.call(ask(f"/{number}", body, "Accept: application/json", JSON, verb=verb))
        for number in group:
            reply = answer(b"%d" % number, JSON)
            if number == which:
                talk.skip(False, len(reply))
            else:
                talk.reply(reply)
    capture = check(talk.close().packets)
    found = pairs(capture)
    assert all(path == body for path, body in found)
    assert {str(number) for number in range(which)} <= {path for path, _ in found}
    whole = {Outcome.SUCCESS, Outcome.NO_CALL, Outcome.LOST}
    assert {one.outcome for one in capture.exchanges} <= whole


def test_thrift_in_http_behind_a_lost_first_response() -> None:
    talk = Talk()
    for number in range(3):
        talk.call(post(call("ping")))
        body = answer(reply("ping", 0, f"08 0000 0000000{number} 00"), "Content-Type: x")
        if number:
            talk.reply(body)
        else:
            talk.skip(False, len(body))
    capture = check(talk.close().packets)
    assert [one.outcome.name for one in capture.exchanges] == ["LOST", "SUCCESS", "SUCCESS"]


def test_what_is_there_of_a_cut_body() -> None:
    reply = answer(b"[1, 2, 3]", JSON)
    capture = read((True, ask("/a", b"1", JSON)), (False, reply[:-4]))
    assert told(capture)[1] == ("REPLY", "POST /a", 1, b"[1, 2")
    assert capture.messages[1].cut == "closed"
    assert ended(capture) == ["CLOSED_BY_CLIENT"]


def test_a_stream_that_breaks_off() -> None:
    said, _ = TALKS["Connect, a stream"]
    capture = read(said[0], (False, said[1][1][:-9]))
    assert [one.type.name for one in capture.messages][-2:] == ["PART", "PART"]
    assert capture.exchanges[0].outcome is not Outcome.SUCCESS


def test_a_long_body_is_not_kept() -> None:
    body = b"x" * 1_000_000
    said = [(True, ask("/a", b"1", JSON)), (False, answer(body, "Content-Type: image/png"))]
    packets = Talk().open()
    for by_client, data in said:
        for at in range(0, len(data), 1000):
            packets.send(by_client, data[at : at + 1000])
    one = read_packets(packets.close().packets).messages[1]
    assert len(one.data) < 200_000
    assert [finding.severity.name for finding in one.faults] == ["WARNING"]


def test_a_message_over_the_limit_is_not_waited_for() -> None:
    claimed = b"\0\x7f\xff\xff\xff" + bytes(100)
    tracemalloc.start()
    try:
        capture = read((True, ask("/s.S/Get", claimed, WEB)))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 20_000_000
    assert any("at most" in one.text for message in capture.messages for one in message.faults)
    assert Limits().message < 0x7FFFFFFF


def test_hostile_base64() -> None:
    for body in (b"====", b"AAAA", b"AAAA" * 9, b"!!!!", FIVE[:-3], b"AAAAAAE="):
        kind = "Content-Type: application/grpc-web-text"
        for message in read((True, ask("/s.S/Get", body, kind)), (True, PONG)).messages:
            check_cover(explain(message), len(message.data))


PATH = "/shop.Orders/Get?connect=v1&encoding="


def in_query(body: bytes, how: str = "") -> str:
    return "message=" + base64.urlsafe_b64encode(body).decode().rstrip("=") + "&base64=1" + how


GETS = {
    "JSON": ("json&message=%7B%22a%22%3A%22b%2B+%22%7D", b'{"a":"b+ "}'),
    "in base64": ("proto&" + in_query(b"\x0a\x03\xff\xfe?"), b"\x0a\x03\xff\xfe?"),
    "padded": ("proto&base64=1&message=CgJhYg%3D%3D", b"\x0a\x02ab"),
    "packed": (
        "json&" + in_query(gzip.compress(b'{"a":1}', mtime=0), "&compression=gzip"),
        b'{"a":1}',
    ),
    "not packed": ("json&compression=identity&message=%7B%7D", b"{}"),
    "without arguments": ("proto&message=", b""),
    "no base64": ("proto&base64=1&message=%25%25%25", None),
    "a packing that is wrong": ("json&compression=gzip&message=%7B%7D", None),
    "a packing that is not known": ("json&compression=br&message=%7B%7D", None),
}


@pytest.mark.parametrize("name", GETS)
@pytest.mark.parametrize("is_http2", [False, True])
def test_a_call_whose_arguments_stand_in_its_path(name: str, is_http2: bool) -> None:
    query, body = GETS[name]
    if is_http2:
        head = block(__method="GET", __path=PATH + query, __scheme="http")
        reply = block(__status="200", content_type="application/json")
        frames = frame(1, 4, 1, reply) + frame(0, 1, 1, b"{}")
        packets = talked([*OPENING, (True, frame(1, 5, 1, head)), (False, frames)])
        capture = read_packets(packets)
    else:
        capture = read((True, ask(PATH + query, verb="GET")), (False, answer(b"{}", JSON)))
    call = next(one for one in capture.messages if one.type.name == "CALL")
    assert call.method == "/shop.Orders/Get"
    assert call.data[call.start : call.stop] == (body or b"")
    assert call.protocol.is_raw is (body is None)
    assert bool(call.listed) is (body is None)
    assert call.size == on_the_wire(call)
    check_cover(explain(call), len(call.data))
    assert ended(capture) == ["SUCCESS"]


def test_any_other_query_is_no_message() -> None:
    for path in ("/shop.Orders/Get?message=%7B%7D&encoding=json", "/a?connect=v2&message=%7B%7D"):
        capture = read((True, ask(path, verb="GET")), (False, answer(b"{}", JSON)))
        assert capture.messages[0].method == f"GET {path}"
        assert capture.messages[0].start == capture.messages[0].stop


@pytest.mark.parametrize("coding", ["br", "zstd", "x-own", "gzip, br", "gzip" + ", gzip" * 9])
@pytest.mark.parametrize("kind", [JSON, "Content-Type: application/proto"])
def test_a_packing_that_is_not_known(coding: str, kind: str) -> None:
    """It says nothing about the message; whoever reads it knows it."""
    how = ("Connect-Protocol-Version: 1", f"Content-Encoding: {coding}")
    said = read((True, ask("/s.S/Get", TWICE, kind, *how)), (False, answer(TWICE, kind, how[1])))
    assert ended(said) == ["SUCCESS"]
    assert not said.exchanges[0].faulty
    assert [one.protocol.is_raw for one in said.messages] == [True, True]
    texts = [one.text for message in said.messages for one in message.listed]
    assert texts == [f"content packed with {coding}, which is not unpacked here"] * 2
    said_of = [(one.kind.name, one.severity.name) for one in said.diagnosis.verdicts]
    assert said_of == [("NOT_UNPACKED", "NOTE"), ("ALL_WELL", "NOTE")]
    assert "2 messages" in str(said.diagnosis)


@pytest.mark.parametrize(
    ("coding", "body", "words"),
    [
        ("gzip", b'{"a":1}', "incorrect header check"),
        ("gzip", TWICE[:-9], "its end is missing"),
        ("gzip, gzip", TWICE[:-9], "its end is missing"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"1" * 99)[:-9]), "its end is missing"),
        ("gzip", gzip.compress(b"[" * 20_000_000), "--max-unpacked"),
    ],
)
def test_a_packing_that_is_wrong(coding: str, body: bytes, words: str) -> None:
    how = (JSON, f"Content-Encoding: {coding}")
    said = read((True, ask("/a", body, *how)), (False, answer(b"1", JSON)))
    (verdict, *_) = said.diagnosis.verdicts
    assert words in verdict.sentence
    assert ("the server cannot unpack it" in verdict.sentence) is ("--max" not in words)


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ([(False, UNASKED)], [("IDLE_DROPPED", "NOTE")]),
        ([(False, UNASKED), (True, ask("/a", b"1", JSON))], [("IDLE_DROPPED", "ERROR")]),
        (
            [(True, ask("/a", b"1", JSON)), (False, answer(b"2", JSON)), (False, UNASKED)],
            [("ALL_WELL", "NOTE")],
        ),
    ],
)
def test_a_server_that_ends_an_idle_connection(
    said: list[tuple[bool, bytes]], kinds: list[tuple[str, str]]
) -> None:
    capture = read(*said)
    assert [(one.kind.name, one.severity.name) for one in capture.diagnosis.verdicts] == kinds
    assert all(one.reply is None or one.reply.data[-1:] == b"2" for one in capture.exchanges)


@pytest.mark.parametrize(
    "said",
    [
        [(True, b"POST /a HTT"), (False, UNASKED)],
        [(True, ask("/a", b"1", JSON)[:-1]), (False, UNASKED)],
        [(True, bytes(5)), (False, UNASKED)],
        [(False, UNASKED.replace(b"408 Request Timeout", b"400 Bad Request"))],
        [(False, UNASKED.replace(b"408 Request Timeout", b"503 No"))],
    ],
)
def test_what_may_be_an_answer_is_not_called_unasked(said: list[tuple[bool, bytes]]) -> None:
    assert "IDLE_DROPPED" not in {one.kind.name for one in read(*said).diagnosis.verdicts}


def test_a_request_that_was_lost_may_have_been_answered_with_408() -> None:
    talk = Talk().open().skip(True, 70).reply(UNASKED).close()
    kinds = {one.kind.name for one in read_packets(talk.packets).diagnosis.verdicts}
    assert "IDLE_DROPPED" not in kinds


# ── All that HTTP carries ────────────────────────────────────────────────────────────

SITE = [
    (True, ask("/", verb="GET")),
    (False, answer(b"<html>", "Content-Type: text/html; charset=utf-8")),
    (True, ask("/a.png", verb="HEAD")),
    (False, lines("HTTP/1.1 200 OK", "Content-Type: image/png", "Content-Length: 9")),
    (True, ask("/a.png", verb="GET") + ask("/b.css", verb="GET")),
    (False, answer(b"\x89PNG\r\n\x1a\n\0", "Content-Type: image/png")),
    (False, lines("HTTP/1.1 304 Not Modified", "Content-Length: 80")),
    (True, ask("/login", b"user=bob", "Content-Type: application/x-www-form-urlencoded")),
    (False, answer(gzip.compress(b"no"), "Content-Encoding: gzip", status="403 Forbidden")),
    (True, ask("/old", verb="DELETE")),
    (False, lines("HTTP/1.1 200 OK", "Content-Type: text/plain") + b"until it closes"),
]


@pytest.mark.parametrize("step", [0, 1, 7])
def test_pages_and_pictures_are_listed_if_asked_for(step: int) -> None:
    talk = Talk().open()
    for by_client, data in SITE:
        for at in range(0, len(data), step or len(data)):
            talk.send(by_client, data[at : at + (step or len(data))])
    packets = talk.fin(False).fin(True).packets
    capture = read_packets(packets, http=True)
    said = sorted(told(capture), key=lambda one: (one[2], one[0] != "CALL"))
    assert said == [
        *(("CALL", "GET /", 1, b""), ("REPLY", "GET /", 1, b"<html>")),
        *(("CALL", "HEAD /a.png", 2, b""), ("REPLY", "HEAD /a.png", 2, b"")),
        *(("CALL", "GET /a.png", 3, b""), ("REPLY", "GET /a.png", 3, b"\x89PNG\r\n\x1a\n\0")),
        *(("CALL", "GET /b.css", 4, b""), ("REPLY", "GET /b.css", 4, b"")),
        *(("CALL", "POST /login", 5, b"user=bob"), ("EXCEPTION", "POST /login", 5, b"no")),
        *(("CALL", "DELETE /old", 6, b""), ("REPLY", "DELETE /old", 6, b"until it closes")),
    ]
    outcomes = [Outcome.SUCCESS] * 4 + [Outcome.APPLICATION_EXCEPTION, Outcome.SUCCESS]
    assert [one.outcome for one in capture.exchanges] == outcomes
    for message in capture.messages:
        check_cover(explain(message), len(message.data))
    assert [one.method for one in read_packets(packets).messages] == ["POST /login"] * 2


def test_http_for_thrift_stays_thrift_where_all_of_http_is_listed() -> None:
    said = [(True, post(ADD)), (False, answer(PONG, "Content-Type: application/x-thrift")), SITE[0]]
    packets = Talk().open()
    for by_client, data in [*said, SITE[1]]:
        packets.send(by_client, data)
    capture = read_packets(packets.close().packets, http=True)
    assert [one.method for one in capture.messages] == ["add", "ping", "GET /", "GET /"]


@pytest.mark.parametrize("verb", ["PROPFIND", "M-SEARCH", "PURGE", "QUERY", "FROBNICATE"])
@pytest.mark.parametrize("step", [0, 1])
def test_any_word_in_capitals_is_a_method(verb: str, step: int) -> None:
    said = [
        *((True, ask("/a", verb=verb)), (False, answer(b"1", JSON))),
        *((True, ask("/b", verb="GET")), (False, answer(b"2", JSON))),
    ]
    talk = Talk().open()
    for by_client, data in said:
        for at in range(0, len(data), step or len(data)):
            talk.send(by_client, data[at : at + (step or len(data))])
    capture = read_packets(talk.close().packets, http=True)
    calls = [(one.method, one.outcome.name) for one in capture.exchanges]
    assert calls == [(f"{verb} /a", "SUCCESS"), ("GET /b", "SUCCESS")]


def test_a_part_of_json_is_not_read_as_json() -> None:
    part = answer(b'{"a":[1,', JSON, "Content-Range: bytes 0-7/100", status="206 Partial Content")
    capture = read((True, ask("/a", verb="GET")), (False, part))
    reply = capture.messages[1]
    assert reply.data[reply.start : reply.stop] == b'{"a":[1,'
    assert not reply.faults
    assert ended(capture) == ["SUCCESS"]


def test_a_408_that_nobody_asked_for_answers_nobody() -> None:
    said = answer(b"", "Connection: close", status="408 Request Timeout")
    talk = Talk().open().send(False, said).fin(False).fin(True)
    for http in (False, True):
        capture = read_packets(talk.packets, http=http)
        assert not capture.messages
        assert [one.verdict.kind.name for one in capture.diagnosis.groups] == ["IDLE_DROPPED"]


def test_a_request_that_is_refused_in_its_middle_is_not_unreadable() -> None:
    whole = ask("/a", b'{"a": "' + b"x" * 2000 + b'"}', JSON)
    said = answer(b"big", "Connection: close", status="413 Content Too Large")
    talk = Talk().open().send(True, whole[:900]).send(False, said).fin(False).fin(True)
    kinds = {one.verdict.kind.name for one in read_packets(talk.packets).diagnosis.groups}
    assert kinds == {"APPLICATION_EXCEPTION"}
