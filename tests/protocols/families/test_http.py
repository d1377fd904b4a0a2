"""HTTP: tables of bytes and meanings, a witness, captures, then hostile bytes."""

from __future__ import annotations

import http.client
import io
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from driving import (
    CALLS,
    REPLIES,
    begins_of,
    drive,
    drive_all,
    methods,
    other_streams,
    protocol_at,
    streams,
)
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, PONG
from surrounding import answer, chunked, lines, post
from thrift.transport.THttpClient import THttpClient

from pingpong.model import DEFAULT_LIMITS, Limits
from pingpong.protocols.encodings.binary import write_header
from pingpong.protocols.families.thrift.http import HttpTransport, begins, describe

COMPACT_ADD = bytes.fromhex("82 21 01 03 616464 15 04 15 50 00")
JSON_ADD = b'[1,"add",1,1,{"1":{"i32":2},"2":{"i32":40}}]'
LONG = write_header(b"m", 4, 0) + b"\x0b\0\x01\0\0\x27\x10" + bytes(10_000) + b"\0"


# ── Messages ─────────────────────────────────────────────────────────────────────────

# name: bytes, the body, its protocol
MESSAGES = {
    "a call": (post(ADD), ADD, "binary"),
    "a reply": (answer(PONG), PONG, "binary"),
    "compact": (post(COMPACT_ADD), COMPACT_ADD, "compact"),
    "compact, called so": (
        post(COMPACT_ADD, "application/vnd.apache.thrift.compact"),
        COMPACT_ADD,
        "compact",
    ),
    "JSON": (post(JSON_ADD, "application/vnd.apache.thrift.json"), JSON_ADD, "json"),
    "another type": (post(ADD, "text/plain; charset=utf-8"), ADD, "binary"),
    "in chunks": (chunked(ADD[:1], ADD[1:20], ADD[20:]), ADD, "binary"),
    "in chunks, with a trailer": (chunked(ADD, trailer="Sum: 1\r\nB: 2\r\n"), ADD, "binary"),
    "in chunks, a request": (chunked(ADD, start="PUT / HTTP/1.1"), ADD, "binary"),
    "a length twice": (answer(ADD, f"content-length:{len(ADD)}"), ADD, "binary"),
    "long": (post(LONG), LONG, "binary"),
    "long, in chunks": (chunked(LONG[:5000], LONG[5000:]), LONG, "binary"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_one_after_the_other(name: str) -> None:
    data, body, protocol = MESSAGES[name]
    transport = HttpTransport(DEFAULT_LIMITS, protocol_at)
    done = drive(transport, data * 3)
    assert transport.seen_thrift
    assert done == drive_all(HttpTransport, data * 3)
    assert (done.error, done.left, len(done.units)) == ("", 0, 3)
    for unit in done.units:
        head = data[: data.index(b"\r\n\r\n") + 4]
        assert unit.data == head + body
        assert (unit.start, unit.stop, unit.protocol) == (len(head), len(data), protocol)
        assert unit.findings == ()


def test_what_the_bytes_before_the_message_say() -> None:
    data = post(ADD)
    stop = len(data) - len(ADD)
    parts = describe(data, stop)
    assert sum(size for size, *_ in parts) == stop
    assert [(label, meaning) for _, label, meaning, _ in parts] == [
        ("request line", "POST /calc HTTP/1.1"),
        ("HTTP header", "Content-Type: application/x-thrift"),
        ("HTTP header", "Content-Length: 30"),
        ("end of head", "an empty line"),
    ]
    assert describe(answer(ADD), 40)[0][1:3] == ("status line", "HTTP/1.1 200 OK")


# ── What is no message ───────────────────────────────────────────────────────────────

# name: bytes, what is said of them
OTHERS = {
    "GET": (lines("GET / HTTP/1.1", "Host: x"), "HTTP GET /, no body"),
    "100": (lines("HTTP/1.1 100 Continue"), "HTTP 100, no body"),
    "204": (lines("HTTP/1.1 204 No Content"), "HTTP 204, no body"),
    "304": (lines("HTTP/1.1 304 x", "Content-Length: 99"), "HTTP 304, no body"),
    "an empty body": (answer(b"", "Content-Type: application/x-thrift"), "HTTP 200, no body"),
    "HTML": (answer(b"<html>", "Content-Type: text/html; a=b"), "HTTP 200, text/html, 6 bytes"),
    "no type": (answer(b"?", status="500"), "HTTP 500, 1 byte"),
    "chunks": (chunked(b"<ht", b"ml>"), "HTTP 200, 6 bytes"),
    "gzip": (
        answer(b"\x1f\x8b\x08", "Content-Type: text/css", "Content-Encoding: gzip"),
        "HTTP 200, text/css, gzip, 3 bytes",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_message_is_passed_over(name: str) -> None:
    data, what = OTHERS[name]
    done = drive_all(HttpTransport, data + data + post(ADD))
    assert (done.error, done.left) == ("", 0)
    assert [(unit.protocol, unit.what) for unit in done.units] == [
        ("", what),
        ("", what),
        ("binary", ""),
    ]


def test_ordinary_http_is_not_called_thrift() -> None:
    transport = HttpTransport(DEFAULT_LIMITS, protocol_at)
    drive(
        transport, b"".join(data for name, (data, _) in OTHERS.items() if name != "an empty body")
    )
    assert not transport.seen_thrift


def test_a_head_may_say_that_it_is_thrift() -> None:
    transport = HttpTransport(DEFAULT_LIMITS, protocol_at)
    (unit,) = drive(transport, post(b"hello")).units
    text = "HTTP POST /calc, application/x-thrift, 5 bytes"
    assert transport.seen_thrift
    assert (unit.what, unit.findings) == (text, (f"{text}: the body begins no message",))


def test_the_answer_to_a_head_has_no_body() -> None:
    head = lines("HTTP/1.1 200 OK", "Content-Length: 5000", "Content-Type: text/html")
    for first in (head, lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")):
        done = drive_all(HttpTransport, first + answer(PONG))
        assert [unit.what for unit in done.units] == ["HTTP 200, no body", ""]


def test_a_continued_request() -> None:
    head = lines("POST / HTTP/1.1", "Expect: 100-continue", f"Content-Length: {len(ADD)}")
    assert methods(drive_all(HttpTransport, head + ADD).units) == ["add"]
    data = lines("HTTP/1.1 100 Continue") + answer(PONG)
    assert methods(drive_all(HttpTransport, data).units) == ["ping"]


def test_an_empty_line_before_a_request() -> None:
    done = drive_all(HttpTransport, post(ADD) + b"\r\n" + post(ADD))
    assert methods(done.units) == ["add", "add"]
    assert done.left == 0


@pytest.mark.parametrize("wrap", [answer, chunked])
def test_a_long_body_that_is_none_is_not_kept(wrap: Any) -> None:
    transport = HttpTransport(DEFAULT_LIMITS, protocol_at)
    data = wrap(b"x" * 1_000_000)
    done = drive(transport, data, 10_000)
    assert done == drive(HttpTransport(DEFAULT_LIMITS, protocol_at), data)
    assert done == drive(HttpTransport(DEFAULT_LIMITS, protocol_at), data, 997)
    assert done.units[-1].what == "HTTP 200, 1000000 bytes"
    assert {unit.what for unit in done.units[:-1]} == {""}
    assert sum(unit.stop for unit in done.units) == len(data)
    assert max(unit.stop for unit in done.units) <= 65_536
    tracemalloc.start()
    try:
        # What a message may not have, another body may.
        drive(HttpTransport(Limits(message=5000), protocol_at), data, 10_000)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 500_000


# ── Bodies that end with the stream ──────────────────────────────────────────────────


@pytest.mark.parametrize("body", [PONG, LONG])
def test_a_body_may_end_with_the_stream(body: bytes) -> None:
    head = lines("HTTP/1.0 200 OK", "Content-Type: application/x-thrift")
    for step in (0, 1, 100):
        transport = HttpTransport(DEFAULT_LIMITS, protocol_at)
        done = drive(transport, head + body, step)
        assert done.rest is not None
        assert (done.units, done.rest.data, done.rest.protocol) == ([], head + body, "binary")
        assert transport.is_whole
        assert transport.seen_thrift


def test_another_body_may_end_with_the_stream() -> None:
    transport = HttpTransport(DEFAULT_LIMITS, protocol_at)
    done = drive(transport, lines("HTTP/1.0 200 OK", "Content-Type: text/html") + b"<html>")
    assert done.rest is not None
    assert (done.rest.protocol, done.rest.what) == ("", "HTTP 200, text/html, 6 bytes")
    assert not transport.seen_thrift


def test_what_is_there_of_a_cut_body_is_kept() -> None:
    for data, body in ((post(ADD), ADD[:-3]), (chunked(ADD[:20], ADD[20:]), ADD)):
        transport = HttpTransport(DEFAULT_LIMITS, protocol_at)
        rest = drive(transport, data[:-3]).rest
        assert rest is not None
        assert rest.data[rest.start :] == body
        assert not transport.is_whole
    assert drive(HttpTransport(DEFAULT_LIMITS, protocol_at), post(ADD)[:30]).rest is None


def test_lost_bytes_are_known_to_lie_inside_where_there_is_a_length() -> None:
    data = post(ADD)
    for lost, known in ((data, len(data)), (chunked(ADD), 0)):
        transport = HttpTransport(DEFAULT_LIMITS, protocol_at)
        drive(transport, lost[:-10])
        assert transport.known_until(bytearray(lost[:-10]), len(lost) - 10) == known
        assert transport.frame_stop(bytearray(lost[:-10]), len(lost) - 10) == known


# ── What is refused ──────────────────────────────────────────────────────────────────

START = "HTTP start line at offset 0: is neither a request nor a status, want one of them"
REFUSED = {
    "no HTTP": (ADD, START),
    "RTSP": (lines("OPTIONS * RTSP/1.0"), START),
    "HTTP/2": (lines("PRI * HTTP/2.0"), START),
    "a status of four": (lines("HTTP/1.1 2000 OK"), START),
    "a length that is none": (
        lines("POST / HTTP/1.1", "Content-Length: -1"),
        "Content-Length at offset 17: is -1, want one number of bytes",
    ),
    "two lengths": (
        lines("POST / HTTP/1.1", "Content-Length: 1", "Content-Length: 2"),
        "Content-Length at offset 36: is 2, want one number of bytes",
    ),
    "a chunk's size": (
        lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"1g\r\n" + bytes(20),
        "chunk size at offset 47: is '1g', want hexadecimal digits",
    ),
    "a chunk's end": (
        lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"1\r\nabcd" + bytes(20),
        "end of a chunk at offset 51: is 62 63, want 0d 0a",
    ),
    "a chunk's line without end": (
        lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"1" * 5000,
        "HTTP chunk line at offset 47: is over 4096 bytes, want at most 4096",
    ),
    "a trailer without end": (
        lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"0\r\n" + b"a: b\r\n" * 20_000,
        "HTTP trailer at offset 98354: is over 65536 bytes, want at most 65536",
    ),
    "a head without end": (
        lines("POST / HTTP/1.1")[:-2] + b"a: b\r\n" * 20_000,
        "HTTP head at offset 0: is over 65536 bytes, want at most 65536",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    data, error = REFUSED[name]
    assert drive(HttpTransport(DEFAULT_LIMITS, protocol_at), data).error == error
    for step in (1, 7, 1000) if len(data) < 10_000 else (1000,):
        again = drive(HttpTransport(DEFAULT_LIMITS, protocol_at), data, step)
        assert again.error == error


def test_the_limit_of_a_message() -> None:
    limits = Limits(message=100)
    for data, claimed in ((post(LONG), len(LONG)), (chunked(ADD, LONG), 30 + len(LONG))):
        done = drive_all(HttpTransport, data, limits)
        assert done.error.endswith(f": is {claimed}, want at most 100")
    limits = Limits(message=3000)
    done = drive_all(HttpTransport, lines("HTTP/1.0 200 OK") + LONG, limits)
    assert done.error == "HTTP body at offset 19: is over 3000, want at most 3000"


# ── Telling it from others ───────────────────────────────────────────────────────────

BEGINS = {
    "a request": (post(ADD), True),
    "a response": (answer(ADD), True),
    "a response without a reason": (lines("HTTP/1.1 200"), True),
    "cut": (b"POST /calc HTT", None),
    "cut in the word": (b"PO", None),
    "another version": (lines("GET / HTTP/2.0"), False),
    "HTTP/2": (lines("PRI * HTTP/2.0"), False),
    "SIP": (lines("OPTIONS sip:x SIP/2.0"), False),
    "a method of WebDAV": (lines("PROPFIND / HTTP/1.1"), True),
    "not a method": (lines("Propfind / HTTP/1.1"), False),
    "a line without end": (b"GET /" + b"a" * 9000, False),
    "nothing": (b"", None),
    "Thrift": (ADD, False),
}


@pytest.mark.parametrize("name", BEGINS)
def test_begins(name: str) -> None:
    data, wanted = BEGINS[name]
    assert begins_of(begins, data) is wanted


def test_no_other_connection_is_thrift(edge_captures: Path) -> None:
    """Others speak HTTP too: none of them is called Thrift."""
    spoken = 0
    for name, data in other_streams(edge_captures, ("12_", "13_", "14_", "14b_")):
        if begins_of(begins, data):
            transport = HttpTransport(DEFAULT_LIMITS, protocol_at)
            drive(transport, data)
            assert not transport.seen_thrift, name
            spoken += 1
    assert spoken >= 5


# ── Witnesses ────────────────────────────────────────────────────────────────────────


class _Socket:
    """Keeps what is sent, and has an answer ready."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO(answer(PONG, "Content-Type: application/x-thrift"))

    def close(self) -> None:
        pass


def test_what_apache_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = _Socket()
    monkeypatch.setattr(
        http.client.HTTPConnection, "connect", lambda self: setattr(self, "sock", wire)
    )
    theirs = THttpClient("http://127.0.0.1:1/calc")
    theirs.open()
    for _ in range(2):
        theirs.write(ADD)
        theirs.flush()
        assert theirs.read(len(PONG)) == PONG
    done = drive_all(HttpTransport, wire.sent)
    assert [unit.data[unit.start :] for unit in done.units] == [ADD, ADD]
    assert begins_of(begins, wire.sent)


@pytest.mark.parametrize(
    "name",
    ["12_http_xthrift_bin", "13_http_vnd_compact", "14_http_vnd_json", "14b_http_xthrift_compact"],
)
def test_captures(name: str, edge_captures: Path) -> None:
    found = streams(edge_captures / f"{name}.pcap")
    for side, wanted in (("client", CALLS), ("server", REPLIES)):
        assert begins_of(begins, found[1, side])
        done = drive_all(HttpTransport, found[1, side])
        assert methods(done.units) == wanted
        assert (done.error, done.left) == ("", 0)
        for unit in done.units:
            assert sum(size for size, *_ in describe(unit.data, unit.start)) == unit.start


def test_a_get_on_a_thrift_port(edge_captures: Path) -> None:
    found = streams(edge_captures / "25_http_get_on_9090.pcap")
    (unit,) = drive_all(HttpTransport, found[1, "client"]).units
    assert unit.what == "HTTP GET /, no body"


# ── Hostile bytes ────────────────────────────────────────────────────────────────────

SMALL = [data for data, _, _ in MESSAGES.values() if len(data) < 1000] + [
    data for data, _ in OTHERS.values()
]


@given(st.lists(st.sampled_from(SMALL), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_mutated_bytes_do_no_harm(parts: list[bytes], seed: int) -> None:
    rng = random.Random(seed)
    mutated = bytearray(b"".join(parts))
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(mutated))
        if rng.random() < 0.5:
            mutated[place] = rng.choice(b"\r\n 019aHf:;\0\xff")
        else:
            del mutated[place : place + rng.randint(1, 5)]
        if not mutated:
            return
    done = drive_all(HttpTransport, bytes(mutated))
    for unit in done.units:
        if unit.protocol:
            assert sum(size for size, *_ in describe(unit.data, unit.start)) == unit.start
    begins_of(begins, bytes(mutated))


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_head_can_be_described(data: bytes, stop: int) -> None:
    stop = min(stop, len(data))
    assert sum(size for size, *_ in describe(data, stop)) == stop
    drive_all(HttpTransport, b"HTTP/1.1 200 OK\r\n" + data)
