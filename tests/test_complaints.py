"""Lines of logs: what the words mean, which number they are about, what was taken for what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, framed
from test_pasted import HOSTILE, xxd
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

from pingpong.calls import complaints
from pingpong.calls.complaints import explain_text
from pingpong.calls.numbers import Certainty, Role
from pingpong.calls.pasted import MAX_TEXT

COMPACT = bytes.fromhex("82210103 616464 1504 1550 00".replace(" ", ""))

# A line, words of its meaning and of its first cause, and its number as bytes.
LINES = {
    "Frame size (1213486160) larger than max length (16384000)!": (
        "length of a frame",
        "does not use frames",
        "48545450",
    ),
    "TTransportException: Read a negative frame size (-2147418111)": (
        "length of a frame",
        "does not use frames",
        "80010001",
    ),
    "Read a negative frame size (-2147418111)!": (
        "length of a frame",
        "does not use frames",
        "80010001",
    ),
    "Frame size (369295618) larger than the maximum (16384000)": (
        "length of a frame",
        "does not use frames",
        "16030102",
    ),
    "Invalid frame size of 1195725856": ("length of a frame", "does not use frames", "47455420"),
    "Read an invalid frame size of -2147418111. Are you using TFramedTransport": (
        "length of a frame",
        "does not use frames",
        "80010001",
    ),
    "Read a frame size of 1347375956, which is bigger than the maximum allowable buffer size": (
        "length of a frame",
        "does not use frames",
        "504f5354",
    ),
    "TNonblockingServer: frame size too large (1195725856 > 268435456) from client x": (
        "length of a frame",
        "does not use frames",
        "47455420",
    ),
    "Incorrect frame size (2147549185)": ("length of a frame", "does not use frames", "80010001"),
    "fatal: frame length 369295616 exceeds limit": (
        "length of a frame",
        "does not use frames",
        "16030100",
    ),
    "frame length at offset 0: is 1347375956, want at most 16384000": (
        "length of a frame",
        "does not use frames",
        "504f5354",
    ),
    "Frame size has negative value": ("length of a frame", "does not use frames", ""),
    "Adjusted frame length exceeds 1048576: 369295620 - discarded": (
        "Netty",
        "does not use frames",
        "16030100",
    ),
    "CorruptedFrameException: negative pre-adjustment length field: -2147418111": (
        "length of a frame",
        "does not use frames",
        "80010001",
    ),
    "No protocol version header": ("a positive number", "framed transport", ""),
    "Missing version in readMessageBegin, old client?": (
        "a positive number",
        "framed transport",
        "",
    ),
    "No version identifier... old protocol client in strict mode? sz=30": (
        "a positive number",
        "framed transport",
        "0000001e",
    ),
    "Bad version in read_message_begin: -2113863679": (
        "another version",
        "compact protocol",
        "82010001",
    ),
    "Bad version in readMessageBegin": ("another version", "compact protocol", ""),
    "Bad version identifier, sz=-2111766269": ("another version", "compact protocol", "82210103"),
    "Expected protocol id ffffff82 but got ffffff80": (
        "does not begin with 82",
        "another protocol",
        "80",
    ),
    "Expected protocol id 82 but got 00": ("does not begin with 82", "another protocol", "00"),
    "Bad protocol id in the message: 128": ("does not begin with 82", "another protocol", "80"),
    "Expected version 1 but got 0": ("a version that", "out of step", ""),
    "TTransportException: Invalid status -128": ("SASL", "not use SASL", "80"),
    "Bad status: 3 (Error validating the login)": ("SASL", "not use SASL", "03"),
    "Bad SASL negotiation status: 4 (x)": ("SASL", "not use SASL", "04"),
    "Unsupported mechanism type PLAIN": ("negotiation failed", "different mechanisms", ""),
    "Length exceeded max allowed: 1195725856": (
        "length of a string",
        "the method's name",
        "47455420",
    ),
    "Negative length: -2147418111": ("length of a string", "the method's name", "80010001"),
    "Unrecognized type -128": ("whose type is none", "out of step", ""),
    "thriftpy2.transport.TTransportException: TSocket read 0 bytes": (
        "closed the connection",
        "could not read",
        "",
    ),
    "Cannot read. Remote side has closed. Tried to read 4 bytes, but only got 0 bytes.": (
        "closed the connection",
        "could not read",
        "",
    ),
    "[Errno 104] Connection reset by peer": ("closed the connection", "could not read", ""),
    "THRIFT_EAGAIN (timed out)": ("in time", "longer than", ""),
    "Could not connect to ('127.0.0.1', 9090)": ("no connection", "No server", ""),
    "login failed: out of sequence response: expected 3 but got 2": (
        "another seqid",
        "timed out",
        "",
    ),
    "Service name not found in message name: ping. Did you forget to use a TMultiplexProtocol": (
        "multiplexed",
        "not multiplexed",
        "",
    ),
    "Invalid method name: 'Calc:add'": ("the method's name", "another one", ""),
    "Internal error processing login": ("handler failed", "an exception", ""),
    "MaxMessageSize reached": ("as many bytes", "that large", ""),
}

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
        assert [number.data.hex() for number in verdict.numbers] == ([data] if data else [])
        assert all(number.role is role for number in verdict.numbers)
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
    assert [number.data.hex() for number in verdict.numbers] == ([data] if data else [])
    assert all(number.readings for number in verdict.numbers)


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
        "negative frame size (-2147418110)",
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


def test_every_row_is_complete_and_in_words() -> None:
    for row in complaints._ROWS:
        assert row.patterns
        assert row.causes
        assert all(cause.endswith((".", ".)")) for cause in row.causes)
        assert row.meaning.endswith(".")
        assert row.look_at.endswith(".")
        named = any("number" in pattern.groupindex for pattern in row.patterns)
        assert row.role is Role.UNKNOWN or named


def test_a_known_number_is_surer_than_its_words() -> None:
    verdict = explain_text("Frame size (1213486160) larger than max length (16384000)!")
    assert verdict.numbers[0].readings[0].certainty is Certainty.CERTAIN
