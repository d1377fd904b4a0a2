"""Lines of logs: what the words mean, which number they are about, what was taken for what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, framed
from pasting import HOSTILE, LINES, xxd
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.protocol.TJSONProtocol import TJSONProtocol
from thrift.transport.TTransport import TFramedTransport, TMemoryBuffer
from thriftpy2.protocol import TCompactProtocol as Compact2
from thriftpy2.protocol import TCyBinaryProtocol
from thriftpy2.protocol.binary import TBinaryProtocol as Binary2
from thriftpy2.transport import TMemoryBuffer as Buffer2
from thriftpy2.transport.framed.cyframed import TCyFramedTransport
from thriftpy2.transport.memory.cymemory import TCyMemoryBuffer

from pingpong.hints.complaints import TextVerdict, explain_text, troubles
from pingpong.hints.complaints.matching import MAX_GAP
from pingpong.hints.complaints.table import WORDINGS, phrases
from pingpong.hints.complaints.troubles import Trouble
from pingpong.hints.complaints.wordings import Wording, example
from pingpong.hints.magic_numbers import Certainty, NumberVerdict, Role
from pingpong.hints.pasted import MAX_TEXT

COMPACT = bytes.fromhex("82210103 616464 1504 1550 00".replace(" ", ""))


# By words of a meaning: what the number was taken for.
TAKEN_FOR = {
    "length of a frame": Role.FRAME,
    "Netty": Role.FRAME,
    "a positive number": Role.VERSION,
    "another version": Role.VERSION,
    "does not begin with 82": Role.PROTOCOL_ID,
    "SASL": Role.STATUS,
    "length of a string": Role.LENGTH,
}


@pytest.mark.parametrize("line", LINES)
def test_what_logs_say(line: str) -> None:
    meaning, cause, data = LINES[line]
    role = TAKEN_FOR.get(meaning, Role.UNKNOWN)
    for text in (line, line.upper() if "0x" not in line else line, f"12:00 ERROR {line}\n  at x"):
        verdict = explain_text(text)
        (complaint,) = verdict.complaints
        assert meaning in complaint.meaning
        assert cause in complaint.causes[0]
        assert complaint.phrase.lower() in line.lower()
        assert complaint.look_at
        assert complaint.source
        numbers = [number for number in verdict.numbers if number.role is not Role.LIMIT]
        assert [number.data.hex() for number in numbers] == ([data] if data else [])
        assert all(number.role is role for number in numbers)
        assert verdict.blocks == ()


# ── The libraries themselves ─────────────────────────────────────────────────────────


def apache(protocol: Any, data: bytes) -> Callable[[], object]:
    reader = protocol(TMemoryBuffer(data))
    return lambda: reader.readMessageBegin()


def thriftpy2(protocol: Any, transport: Any) -> Callable[[], object]:
    reader = protocol(transport)
    return lambda: reader.read_message_begin()


HTTP = b"GET / HTTP/1.1\r\n\r\n"
# Somebody who expects something else, and the bytes that are read to begin something.
WITNESSES: dict[str, tuple[Callable[[], object], str, str]] = {
    "Apache framed, unframed strict": (
        lambda: TFramedTransport(TMemoryBuffer(ADD)).read(4),
        "length of a frame",
        "80010001",
    ),
    "Apache framed, HTTP": (
        lambda: TFramedTransport(TMemoryBuffer(HTTP)).read(4),
        "length of a frame",
        "47455420",
    ),
    "Apache framed, compact": (
        lambda: TFramedTransport(TMemoryBuffer(COMPACT)).read(4),
        "length of a frame",
        "82210103",
    ),
    "Apache binary, strict only, frames": (
        lambda: TBinaryProtocol(TMemoryBuffer(framed(ADD)), strictRead=True).readMessageBegin(),
        "positive number",
        "",
    ),
    "Apache binary, frames": (apache(TBinaryProtocol, framed(ADD)), "taken for a name", ""),
    "Apache binary, compact": (apache(TBinaryProtocol, COMPACT), "another version", "82210103"),
    "Apache binary, HTTP": (apache(TBinaryProtocol, HTTP), "length of a string", "00fa0000"),
    "Apache compact, frames": (apache(TCompactProtocol, framed(ADD)), "begin with 82", "00"),
    "Apache compact, strict": (apache(TCompactProtocol, ADD), "begin with 82", "80"),
    "Apache compact, version 2": (
        apache(TCompactProtocol, b"\x82\x22\0\0"),
        "version that it does not know",
        "",
    ),
    "Apache JSON, binary": (apache(TJSONProtocol, ADD), "JSON", ""),
    "Apache JSON, version 2": (apache(TJSONProtocol, b'[2,"a",1,1]'), "JSON", ""),
    "thriftpy2, frames": (thriftpy2(Binary2, Buffer2(framed(ADD))), "positive number", ""),
    "thriftpy2, compact": (thriftpy2(Binary2, Buffer2(COMPACT)), "another version", "82210103"),
    "thriftpy2 compact, frames": (thriftpy2(Compact2, Buffer2(framed(ADD))), "begin with 82", "00"),
    "thriftpy2 compact, strict": (thriftpy2(Compact2, Buffer2(ADD)), "begin with 82", "80"),
    "thriftpy2 in C, frames": (
        thriftpy2(TCyBinaryProtocol, TCyMemoryBuffer(framed(ADD))),
        "positive number",
        "",
    ),
    "thriftpy2 in C, compact": (
        thriftpy2(TCyBinaryProtocol, TCyMemoryBuffer(COMPACT)),
        "another version",
        "82210000",  # it masks the type before it prints
    ),
    "thriftpy2 framed, unframed strict": (
        thriftpy2(TCyBinaryProtocol, TCyFramedTransport(Buffer2(ADD))),
        "length of a frame",
        "",
    ),
    "thriftpy2, cut": (
        thriftpy2(TCyBinaryProtocol, TCyFramedTransport(Buffer2(ADD[4:6]))),
        "closed the connection",
        "",
    ),
}


@pytest.mark.parametrize("name", WITNESSES)
def test_what_apache_and_thriftpy2_really_say(name: str) -> None:
    fails, meaning, data = WITNESSES[name]
    with pytest.raises(Exception) as caught:  # noqa: PT011  (each library has its own)
        fails()
    verdict = explain_text(f"{type(caught.value).__name__}: {caught.value}")
    (complaint,) = verdict.complaints
    assert meaning in complaint.meaning
    numbers = [number for number in verdict.numbers if number.role is not Role.LIMIT]
    assert [number.data.hex() for number in numbers] == ([data] if data else [])
    assert all(number.readings for number in numbers)


def test_pythons_limit_is_not_taken_for_a_length() -> None:
    (number,) = explain_text("Length exceeded max allowed: 16384000").numbers
    assert "longest frame" in number.readings[0].what


# ── Numbers without known words ──────────────────────────────────────────────────────

ALONE = {
    "-2147418111": ["80010001"],
    " 1213486160\n": ["48545450"],
    "\N{MINUS SIGN}2147418111": ["80010001"],
    "1,213,486,160": ["48545450"],
    "0x80010001": ["80010001"],
    "-0x7ffeffff": ["80010001"],
    "1213486160, 1195725856": ["48545450", "47455420"],
    "1213486160 1213486160": ["48545450"],
    "30": ["0000001e"],
    "80010001": ["80010001", "04c4db11"],  # more likely hex
    "12345678": ["00bc614e"],
    str(2**63): ["8000000000000000"],
    str(2**70): [],
    "2026-11-23 12:00:00,123 [t-12] WARN odd size 1195725856 from 10.0.0.1:50001 (3)": ["47455420"],
    "thread 140213 got 0x16030100.": ["16030100"],
    "channel=[id: 0x16030100, /10.0.0.1:5] is gone": [],
    "bad magic 0xdabb from a client": ["0000dabb"],
    "magic number 61937 is wrong": ["0000f1f1"],
    "sent 61937 rows, 0x1f4 of them twice": [],
    "1700000000 12 70000 nothing here": [],
}


@pytest.mark.parametrize("text", ALONE)
def test_numbers_alone_and_in_lines_that_nobody_knows(text: str) -> None:
    verdict = explain_text(text)
    assert [number.data.hex() for number in verdict.numbers] == ALONE[text]
    assert all(number.role is Role.UNKNOWN for number in verdict.numbers)
    assert verdict.complaints == ()


def test_several_lines_keep_their_order() -> None:
    text = "TSocket read 0 bytes\nRead a negative frame size (-2147418110)\nNo frame.\n" * 3
    verdict = explain_text(text)
    assert [complaint.phrase for complaint in verdict.complaints] == [
        "TSocket read 0 bytes",
        "Read a negative frame size (-2147418110)",
    ]
    assert [number.number for number in verdict.numbers] == [-2147418110]


def test_bytes_are_dug_out_and_their_digits_are_no_numbers() -> None:
    verdict = explain_text(xxd(ADD))
    assert [block.data for block in verdict.blocks] == [ADD]
    assert (verdict.numbers, verdict.complaints) == ((), ())
    both = explain_text(f"No protocol version header, got {framed(ADD)!r}")
    assert both.blocks[0].data == framed(ADD)
    assert len(both.complaints) == 1


@pytest.mark.parametrize("text", ["", "hello", "GET / HTTP/1.1", "a-b-c 1.2.3 10.0.0.1:9090"])
def test_nothing_known(text: str) -> None:
    assert explain_text(text).is_empty


def test_long_text_is_cut() -> None:
    verdict = explain_text("x" * MAX_TEXT + " No protocol version header")
    assert verdict.is_cut
    assert verdict.is_empty
    assert not explain_text("x").is_cut


@given(st.one_of(st.text(), st.text("0123456789abcdefx -.:()[]'\\\n")))
def test_any_text_gets_an_answer(text: str) -> None:
    assert explain_text(text) == explain_text(text)


@given(st.lists(st.sampled_from([*LINES, *ALONE]), max_size=4))
def test_any_lines_together(lines: list[str]) -> None:
    verdict = explain_text("\n".join(lines))
    assert len(verdict.complaints) <= 8
    assert len(verdict.numbers) <= 20
    assert bool(verdict.complaints) >= any(line in LINES for line in lines)


@pytest.mark.parametrize("name", ["digits", "pairs", "spaces"])
def test_hostile_text_ends(name: str) -> None:
    explain_text(HOSTILE[name])


@pytest.mark.parametrize(
    "text",
    ["frame size " * 90_000, "Bad version in readMessageBegin: -1 " * 30_000, "-" * MAX_TEXT],
)
def test_words_without_end(text: str) -> None:
    verdict = explain_text(text)
    assert len(verdict.complaints) <= 8
    assert len(verdict.numbers) <= 20


TROUBLES = {name: one for name, one in vars(troubles).items() if isinstance(one, Trouble)}


@pytest.mark.parametrize("name", TROUBLES)
def test_every_trouble_is_complete_and_in_words(name: str) -> None:
    trouble = TROUBLES[name]
    assert trouble.causes
    assert all(cause.endswith((".", ".)")) for cause in trouble.causes)
    assert trouble.meaning.endswith(".")
    assert trouble.look_at.endswith(".")
    assert any(wording.trouble == trouble for wording in WORDINGS)


# ── The table: one test a row ────────────────────────────────────────────────────────


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: f"{wording.template[:60]}")
def test_a_row_of_the_table(wording: Wording) -> None:
    """A line with these words gives this trouble and no other, and all of its numbers."""
    for before in ("", "12:00:00 ERROR [main] "):
        line = before + example(wording)
        verdict = explain_text(line)
        (complaint,) = verdict.complaints
        assert complaint.meaning == wording.trouble.meaning
        assert complaint.source
        roles = [number.role for number in verdict.numbers]
        if "{limit}" in wording.template:
            assert Role.LIMIT in roles
        if any(place in wording.template for place in ("{number}", "{hex}", "{bytes}", "{hexes}")):
            assert wording.trouble.role in roles
            assert all(number.readings for number in verdict.numbers)
    assert wording.source
    assert wording.side in ("", "client", "server")


LONG = [one for one in WORDINGS if "{word}" in one.template or "{text}" in one.template]


@pytest.mark.parametrize("size", [1, 100])
def test_names_and_texts_may_be_long(size: int) -> None:
    unknown = []
    for wording in LONG:
        line = example(wording, word="w" * size, text="[x, y:1.0]"[:size] + "x" * (size - 10))
        found = [one.meaning for one in explain_text(f"12:00 ERROR {line}").complaints]
        if found != [wording.trouble.meaning]:
            unknown.append((wording.template, found))
    assert unknown == []


@pytest.mark.parametrize("size", [10_000, MAX_GAP])
def test_they_may_be_as_long_as_the_bound(size: int) -> None:
    """The words of each row alone are looked for: all of them, in all the rows, take seconds."""
    text = "[x, y:1.0]" + "x" * (size - 10)
    for wording in LONG:
        (phrase,) = [one for one in phrases() if wording in one.writers]
        line = example(wording, word="w" * size, text=text).lower()
        assert [found.start for found in phrase.find(f"12:00 error {line}")] == [12], wording


def test_what_is_longer_than_the_bound_or_in_another_line_is_not_known() -> None:
    words = "Not found exported service: {} in [{}], may be version or group mismatch"
    assert not explain_text(words.format("a", "b" * 100)).is_empty
    assert explain_text(words.format("a" * (MAX_GAP + 1), "b")).is_empty
    assert explain_text(words.format("a\n" * 2, "b")).is_empty
    # The first beginning has no end, the second one has.
    twice = "Not found exported service: a\nNot found exported service: b in [c]"
    assert explain_text(twice).complaints[0].phrase == "Not found exported service: b in [c]"


def test_no_row_stands_twice() -> None:
    rows = [(one.template.lower(), one.language, one.library) for one in WORDINGS]
    assert sorted(row for row in set(rows) if rows.count(row) > 1) == []


# How many wordings of each language are known at least.
AT_LEAST = dict(
    zip(
        ("Java", "Python", "C++", "C", "Go", "Node.js", "PHP", "Ruby", "Rust", "Erlang", "C#"),
        (150, 130, 120, 20, 100, 50, 40, 40, 45, 20, 35),
        strict=True,
    )
) | dict.fromkeys(("D", "Delphi", "Dart", "Perl", "Lua", "Scala", "Envoy"), 5)


@pytest.mark.parametrize("language", AT_LEAST)
def test_wordings_of_every_language(language: str) -> None:
    assert sum(one.language == language for one in WORDINGS) >= AT_LEAST[language]


def test_words_are_found_by_their_beginnings() -> None:
    assert all(phrase.start and phrase.start == phrase.start.lower() for phrase in phrases())


# ── Lines that were met in public threads ────────────────────────────────────────────

# A line, words of what it says, and what its number is.
MET = {
    "java.net.ConnectException: Connection timed out: connect": ("There is no connection", ""),
    "TTransportException: open() timed out": ("There is no connection", ""),
    "TTransportException: Frame size (33554433) larger than max length (15728640)!": (
        "length of a frame",
        "CQL v2 STARTUP",
    ),
    "TTransportException: Read a negative frame size (-2097152000)!": (
        "length of a frame",
        "CQL v3 answer",
    ),
    "thrift response error: unknown field type 108": ("whose type is none", ""),
    "Header transport frame is too large: 1634952289 (hex 0x61736461, ascii 'asda')": (
        "length of a frame",
        "four characters of text",
    ),
    "TSaslTransportException: No data or no sasl data in the stream": ("closed again before", ""),
    "Unexpected end of file when reading from HS2 server. The root cause might be …": (
        "closed the connection while the driver waited",
        "",
    ),
    "remote or network error: default codec read failed: EOF": ("closed the connection", ""),
    "java.io.StreamCorruptedException: invalid data length: -2147418111": (
        "no Thrift server",
        "strict binary CALL",
    ),
    "TSocket: timed out reading 1213486160 bytes from 10.0.0.2:9090": (
        "did not come in time",
        "HTTP response",
    ),
    "TSocket: Could not read 4 bytes from 10.0.0.2:9090": ("closed the connection", ""),
    "*jaeger.Span error reading struct: Required field TraceIdLow is not set": ("required", ""),
    "Required field 'client_protocol' is unset! Struct:TOpenSessionReq(client_protocol:null)": (
        "does not know the version",
        "",
    ),
    "TTransportException: java.net.SocketException: Connection reset": ("with a reset", ""),
    "No version identifier, old protocol client? (Thrift::ProtocolException)": (
        "a positive number",
        "",
    ),
    'message: "received bad version: [130, 33]" }': ("another version", "compact CALL"),
    "Could not start SASL: b'Error in sasl_client_start (-4) SASL(-4): no mechanism available'": (
        "nothing was sent",
        "",
    ),
    "java.net.PortUnreachableException: ICMP Port Unreachable": ("UDP port", ""),
    "Bad status: 3 (b'Problem with callback handler')": ("SASL", "BAD"),
    "TServerTransport died on accept: invalid sasl status": ("SASL", ""),
    "thriftpy.protocol.exc.TProtocolException: TProtocolException(type=4)": ("BAD_VERSION", ""),
    "thriftpy2.thrift.TApplicationException: <exception str() failed>": ("of its own", ""),
    "AttributeError: 'TSocket' object has no attribute 'isOpen'": ("do not fit together", ""),
    "Frame size (1195725856) larger than protect max size (536870912)!": (
        "length of a frame",
        "HTTP GET",
    ),
    "error reading start of message: failed to read 4 bytes - Success": ("a client closed", ""),
    "TConnectedClient died: Received an oversized frame": ("length of a frame", ""),
    "TTransportException: Message size too large: 1 > 65000": ("too large for its writer", ""),
    "remote or network error: invalid payload (first4Bytes=0x48545450, second4Bytes=0x2f312e31)": (
        "begin none of them",
        "HTTP response",
    ),
    "get connection error: dial tcp 127.0.0.1:8888: i/o timeout": ("There is no connection", ""),
    "default codec read failed: read tcp 127.0.0.1:8888->127.0.0.1:63780: i/o timeout": (
        "connection itself stood",
        "",
    ),
    "java.net.SocketException:Connection reset by peer:socket write error": ("with a reset", ""),
    "Couldn't deserialize thrift msg: invalid TType": ("Parquet", ""),
    "thrift error: invalid binary protocol version 0x7f00 != 0x8001": (
        "BAD_VERSION",
        "ThriftMux",
    ),
    "Read an invalid frame size of -2143289088. Are you using TFramedTransport": (
        "length of a frame",
        "SSL 2 hello",
    ),
    "jdbc:hive2://10.10.10.48:10000/default: Invalid status 21": ("SASL", "TLS alert"),
    # Dubbo, Motan, rpcx.
    "Not found exported service: com.x.CartService:12345 in [com.x.CartService:1.0.0:12345, "
    "com.x.OrderService:1.0.0:12345, com.x.UserService:1.0.0:12345, com.x.MailService:1.0.0:12345, "
    "com.x.StockService:1.0.0:12345], may be version or group mismatch , channel: x": (
        "has no such service",
        "",
    ),
    "rpcx: client protocol error:wrong magic number: 72": ("not those that", "HTTP response"),
    "rpcx: failed to read request: wrong magic number: 72": ("not those that", "HTTP HEAD"),
    "rpcx: failed to read request: wrong magic number: 22": ("not those that", "TLS handshake"),
    "NettyDecoder transport header not support, type: 18245, status: 503, error_code: 20001": (
        "not those that",
        "HTTP GET",
    ),
    "NettyDecoder transport header not support, type: 18501, status: 503, error_code: 20001": (
        "not those that",
        "HTTP HEAD",
    ),
    "NettyDecoder transport header not support, type: -32767, status: 503": (
        "not those that",
        "strict binary message",
    ),
    "error_message: decode error: isResponse=true, status: 503, error_code: 20003,r=": (
        "could not make values",
        "",
    ),
    "error_message: encode error: isResponse=true, status: 503, error_code: 20002,r=null": (
        "could not write the values",
        "",
    ),
    "error_message: Create registry false for url:zookeeper://IP:2181/x, status: 500": (
        "its registry",
        "",
    ),
    "NettyChannel connect to server timeout url: motan://10.0.0.2:8001/x, cost: 1000": (
        "There is no connection",
        "",
    ),
    "exception:Fail to decode request due to: RpcInvocation [methodName=a, parameterTypes=[]]": (
        "could not make values",
        "",
    ),
    "[Serialization Security] Serialized class com.x.Y is not in allow list. Current mode is": (
        "refused to make a value of a class",
        "",
    ),
    "[DubboClientHandler-thread-233] ERROR Dubbo client can not supported string message: ?C0-": (
        "do not begin with da bb",
        "",
    ),
    "Forbid consumer 192.168.1.29 access service x.IDictService from registry 10.0.0.2:2181": (
        "knows no server",
        "",
    ),
    "No provider available from registry 127.0.0.1:2181 for service x.Y on consumer 10.0.0.1 use": (
        "knows no server",
        "",
    ),
    "java.io.IOException: Data length too large: 1195725856, max payload: 8388608, channel: x": (
        "longer than the limit",
        "HTTP GET",
    ),
    "java.io.IOException: Data length too large: 9598962, max payload: 8388608, channel: x": (
        "longer than the limit",
        "",
    ),
    "client(url: dubbo://10.0.0.2:20880/a) failed to connect to server /10.0.0.2:20880 client-side "
    "timeout 3000ms": ("nothing answered in time", ""),
    "wrong magic number: 300": ("not those that", ""),  # no byte at all
    # gRPC.
    "Error: 13 INTERNAL: Received RST_STREAM with code 2 triggered by internal client error: "
    "Session closed with error code 2": ("No RST_STREAM came from the server", ""),
    "java.io.IOException: PROTOCOL_ERROR invalid settings id: -509": ("do not say which", ""),
    "java.io.IOException: FRAME_SIZE_ERROR: 4740180": ("three bytes", "HTTP response"),
    "stream error: stream ID 7; INTERNAL_ERROR; received from peer": ("RST_STREAM", ""),
    "error: INTERNAL_ERROR": ("do not say which", ""),
    "rpc error: code = Unavailable desc = transport is closing": ("The connection ended", ""),
    "io.grpc.StatusRuntimeException: UNAVAILABLE: io exception": ("do not say which", ""),
    "UNAVAILABLE: Keepalive failed. The connection is likely gone": ("heartbeats", ""),
}


@pytest.mark.parametrize("line", MET)
def test_lines_that_were_met(line: str) -> None:
    meaning, what = MET[line]
    verdict = explain_text(line)
    assert meaning in verdict.complaints[0].meaning
    numbers = [number for number in verdict.numbers if number.role is not Role.LIMIT]
    assert [what in number.readings[0].what for number in numbers] == ([True] if what else [])
    assert verdict.blocks == ()


@pytest.mark.parametrize(
    ("line", "writer"),
    [
        ("[DubboClientHandler-1] Thread pool is EXHAUSTED! Thread Name: DubboClientHandler-x", ""),
        ("Thread pool is EXHAUSTED! Thread Name: DubboServerHandler-10.0.0.1:20880", "a server"),
        ("Thread pool is EXHAUSTED!", ""),
    ],
)
def test_whose_pool_is_full_only_its_threads_tell(line: str, writer: str) -> None:
    (complaint,) = explain_text(line).complaints
    assert complaint.source.endswith(writer or ".java)")
    assert ("The server" in complaint.meaning) == bool(writer)


@pytest.mark.parametrize(
    "line",
    [
        "Failed to connect to server /10.0.0.2:20880 from NettyClient 10.0.0.1 using dubbo version",
        "NettyChannel failed to connect to server, url: motan://10.0.0.2:8002/, result: false",
    ],
)
def test_what_another_family_writes_is_not_said_to_be_thrift_s(line: str) -> None:
    (complaint,) = explain_text(line).complaints
    assert "Thrift" not in complaint.source + complaint.meaning


# ── What must not be said ────────────────────────────────────────────────────────────


def meaning_of(line: str) -> str:
    (complaint,) = explain_text(line).complaints
    return complaint.meaning


@pytest.mark.parametrize(
    "line",
    [
        "java.net.SocketTimeoutException: connect timed out",
        "java.net.ConnectException: Connection timed out (Connection timed out)",
        "org.apache.thrift.transport.TTransportException: java.net.SocketTimeoutException: connect "
        "timed out",
        "TTransportException: open() timed out",
        "dial tcp 10.0.0.2:9090: i/o timeout",
        "Error: connect ETIMEDOUT 10.0.0.2:9090",
        "Socket: Timed out opening connection to 10.0.0.2:9090",
        "TSocket: Could not connect to 10.0.0.2:9090 (Connection timed out [110])",
        "io.netty.channel.ConnectTimeoutException: connection timed out: /10.0.0.2:9090",
    ],
)
def test_a_timeout_of_connecting_is_no_connection_that_stood(line: str) -> None:
    assert meaning_of(line).startswith("There is no connection")


@pytest.mark.parametrize(
    "line",
    [
        "java.net.SocketTimeoutException: Read timed out",
        "read tcp 10.0.0.1:5001->10.0.0.2:9090: i/o timeout",
        "THRIFT_EAGAIN (timed out)",
        "TSocket: timed out reading 4 bytes from 10.0.0.2:9090",
    ],
)
def test_a_timeout_of_reading_is_one(line: str) -> None:
    assert "connection itself stood" in meaning_of(line)


@pytest.mark.parametrize("line", ["socket.timeout: timed out", "TimeoutError: timed out"])
def test_where_it_cannot_be_told_both_are_said(line: str) -> None:
    assert "do not say whether a connection came about" in meaning_of(line)


def limits(verdict: TextVerdict) -> list[int]:
    return [number.number for number in verdict.numbers if number.role is Role.LIMIT]


def others(verdict: TextVerdict) -> list[NumberVerdict]:
    return [number for number in verdict.numbers if number.role is not Role.LIMIT]


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        ("TooLongFrameException: Maximum frame size of 67108864 exceeded", 67108864),
        ("TooLongFrameException: Adjusted frame length exceeds 16777216 - discarding", 16777216),
        ("TooLongFrameException: HTTP content length exceeded 16777216 bytes.", 16777216),
        ("Frame size (1213486160) larger than max length (15728640)!", 15728640),
        ("Read 5 bytes, more than the max allowed 33554432", 33554432),
        ("message too large: the limit is 83886080", 83886080),
        ("message of 5 bytes is above the 33554432 byte limit", 33554432),
        ("payload refused (maxPayloadSize=67108864)", 67108864),
        ("Frame size 1213486160 larger than the maximum allowed 50331648", 50331648),
        ("Received message larger than the maximum allowed 16777216 bytes", 16777216),
    ],
)
def test_a_limit_is_no_bytes(line: str, limit: int) -> None:
    verdict = explain_text(line)
    assert limits(verdict) == [limit]
    reading = next(one for one in verdict.numbers if one.role is Role.LIMIT).readings[0]
    assert f"{limit >> 20} MiB" in reading.what
    assert "SASL" not in reading.what


@pytest.mark.parametrize("mib", [*range(1, 129), 256, 512, 1000])
def test_a_bare_round_number_is_no_sasl_that_is_likely(mib: int) -> None:
    verdict = explain_text(str(mib << 20))
    (number,) = verdict.numbers
    assert "MiB" in number.readings[0].what
    assert all(
        reading.certainty is Certainty.POSSIBLE
        for reading in number.readings
        if reading.family is not None
    )


@pytest.mark.parametrize(
    ("line", "data"),
    [
        ("java.io.StreamCorruptedException: invalid data length: -2147418111", "80010001"),
        ("TSocket: timed out reading 1213486160 bytes from 10.0.0.2:9090", "48545450"),
        ("Invalid data length -2147418111", "80010001"),
        ("MaxMessageSize reached, wanted 1195725856", "47455420"),
        ("Unexpected character: x at 1213486160", "48545450"),
        ("message: received bad version: [130, 33]", "8221"),
        ("received bad version: [22, 3]", "1603"),
        ("invalid payload (first4Bytes=0x47455420, second4Bytes=0x2f204854)", "47455420"),
        ("invalid internal transport message format, got (50,4f,53,54)", "504f5354"),
    ],
)
def test_known_words_do_not_stop_a_number(line: str, data: str) -> None:
    verdict = explain_text(line)
    assert verdict.complaints
    (number,) = others(verdict)
    assert number.data.hex() == data
    assert number.readings[0].certainty > Certainty.POSSIBLE


def test_the_system_s_words_add_nothing_to_a_library_s() -> None:
    line = "TTransportException: java.net.SocketTimeoutException: connect timed out: timed out"
    assert len(explain_text(line).complaints) == 1
    line = "Thrift error occurred during processing of message. Invalid status -128"
    assert "SASL" in meaning_of(line)


@pytest.mark.parametrize(
    "text",
    [
        " ".join(phrase.start for phrase in phrases()) * 60,
        "Required field " * 70_000,
        "dial tcp x" * 100_000,
        "\n" * MAX_TEXT,
        "İ" * 500_000 + "frame size 1213486160",
        # Beginnings whose ends never come, or come once and too far away.
        "Not found exported service: a" * 36_000,
        "Not found exported service:a:" * 36_000 + " in [",
        "error reading server preface: x y " * 30_000 + "connection reset by peer",
        ("Required field x " * 6_000 + "is unset\n") * 10,
    ],
    ids=[
        *("starts", "required", "dial", "lines", "letters that grow"),
        *("no end", "one word", "an end for all", "ends of lines"),
    ],
)
def test_hostile_words_end(text: str) -> None:
    verdict = explain_text(text)
    assert len(verdict.complaints) <= 8
    assert len(verdict.numbers) <= 20


def test_a_known_number_is_surer_than_its_words() -> None:
    verdict = explain_text("Frame size (1213486160) larger than max length (16384000)!")
    assert verdict.numbers[0].readings[0].certainty is Certainty.CERTAIN
