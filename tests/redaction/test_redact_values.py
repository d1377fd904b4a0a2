"""Which fields a selector means, and what stands in their place; the views; the shell."""

from __future__ import annotations

import io
import json
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import thriftpy2
from dialects import ROWS
from hiding import (
    ALL,
    BITS,
    NOWHERE,
    SECRETS,
    WORD,
    answer,
    any_struct,
    leaves,
    login,
    outline,
    right,
    shape,
)
from hiding import told_packets as packets_of
from hypothesis import given
from hypothesis import strategies as st
from making import Talk, framed, thriftpy2_message
from places import ROOT

from pingpong import cli, read
from pingpong.capture import decode, decode_struct
from pingpong.model import Field, Items, Protocol, Record, Struct, TType, Value
from pingpong.protocols.encodings import binary, compact
from pingpong.protocols.encodings import thrift_json as apache_json
from pingpong.protocols.encodings.binary import BINARY, write_header
from pingpong.protocols.encodings.compact import COMPACT, read_zigzag
from pingpong.protocols.encodings.masks import compact_mask, json_blank, json_mask
from pingpong.protocols.encodings.thrift_json import JSON
from pingpong.protocols.http_heads import mask_head_lines, mask_lines
from pingpong.redaction.messages import Redactor, masked_with
from pingpong.redaction.selectors import parse_selectors
from pingpong.wire.capturefile import open_capture, write_capture

# ── Structs of any shape ─────────────────────────────────────────────────────────────


WRITERS: dict[str, tuple[Protocol, Any]] = {
    "binary": (BINARY, binary.write_struct),
    "compact": (COMPACT, compact.write_struct),
    "json": (JSON, apache_json.write_struct),
}


@pytest.mark.parametrize("name", WRITERS)
@given(st.integers(0, 2**32))
def test_any_struct_keeps_its_shape_and_none_of_its_values(name: str, seed: int) -> None:
    protocol, write = WRITERS[name]
    made = any_struct(random.Random(seed))
    data = write(made)
    before = Record(data=data, protocol=protocol)
    after = Record(data=data, protocol=protocol)
    redactor = Redactor(parse_selectors(["*.*"]))
    redactor.redact(after)
    assert len(after.data) == len(data)
    assert shape(after.body) == shape(before.body)
    assert after.findings == before.findings
    values = list(leaves(after.body))
    assert all(value.redacted for value in values)
    assert redactor.counts == [len(values)]
    again = Record(data=after.data, protocol=protocol)
    Redactor(parse_selectors(["*.*"])).redact(again)
    assert again.data == after.data
    # What stands there says the lengths alone.
    masks: dict[object, set[bytes]] = {}
    for value in values:
        token = value.span.of(after.data)
        # A number that is a key stands in quotes.
        kind = (value.ttype, len(token), token[:1] == b'"')
        masks.setdefault(kind, set()).add(token)
    assert all(len(tokens) == 1 for tokens in masks.values()), masks


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(sorted(BITS)))
def test_the_mask_of_a_varint(number: int, ttype: TType) -> None:
    bits = BITS[ttype]
    number = (number & (1 << bits) - 1) - (1 << bits - 1)
    data = compact.write_struct(Struct((Field(1, Value(ttype, number, NOWHERE), NOWHERE),), None))
    size = len(data) - 2
    mask = compact_mask(ttype, size)
    assert len(mask) == size
    if ttype is not TType.I8:
        assert read_zigzag(mask, 0, size, "it", bits)[1] == size
        # No shorter way to write it, where the number needed its bytes.
        value = read_zigzag(mask, 0, size, "it", bits)[0]
        other = Struct((Field(1, Value(ttype, value, NOWHERE), NOWHERE),), None)
        assert compact.write_struct(other)[1:-1] == mask


def test_a_varint_that_is_longer_than_it_need_be() -> None:
    assert compact_mask(TType.I16, 5) == b"\x80\x80\x80\x80\0"
    assert compact_mask(TType.I64, 10) == b"\x80" * 9 + b"\1"


@pytest.mark.parametrize(
    ("ttype", "token", "mask"),
    [
        (TType.STRING, '"pwd"', '"xxx"'),
        (TType.STRING, '""', '""'),
        (TType.STRING, '"a\\"b\\u767b"', '"xxxxxxxxxx"'),
        (TType.STRING, '"YWI="', '"xxxx"'),
        (TType.STRING, '"YQ=="', '"xxxx"'),
        (TType.STRING, '"a=b"', '"xxx"'),
        (TType.UUID, '"12345678-9abc"', '"00000000-0000"'),
        (TType.BOOL, "1", "0"),
        (TType.BOOL, '"1"', '"0"'),
        (TType.BOOL, "true", "true"),
        (TType.I8, "7", "0"),
        (TType.I8, "-7", "10"),
        (TType.I8, "-128", "-100"),
        (TType.I16, "-32768", "-10000"),
        (TType.I32, "2147483647", "1000000000"),
        (TType.I64, "-9223372036854775808", "-1000000000000000000"),
        (TType.I64, '"42"', '"10"'),
        (TType.DOUBLE, "5", "0"),
        (TType.DOUBLE, "-5", "10"),
        (TType.DOUBLE, "-2.5e-10", "0.000000"),
        (TType.DOUBLE, "nan", "0.0"),
        (TType.DOUBLE, '"NaN"', "0.000"),
    ],
)  # fmt: skip
def test_the_mask_of_a_token(ttype: TType, token: str, mask: str) -> None:
    made = json_mask(ttype, token.encode())
    assert made == mask.encode()
    assert len(made) == len(token)
    json.loads(made)


def test_the_mask_of_a_token_where_a_key_stands_or_that_is_cut() -> None:
    assert json_mask(TType.DOUBLE, b'"NaN"', is_key=True) == b'"0.0"'
    assert json_mask(TType.DOUBLE, b'"-2.5e9"', is_key=True) == b'"0.0000"'
    assert json_mask(TType.STRING, b'"', is_cut=True) == b'"'
    # It ended behind a backslash, and its last quote is text.
    for token in (rb'"abc\"', b'"abcde'):
        assert json_mask(TType.STRING, token, is_cut=True) == b'"xxxxx'


def test_json_of_which_nothing_is_known() -> None:
    text = b'{"1":{"i32":42},"2":{"str":"a, \\"b\\""}, "3":[true,"cut'
    assert json_blank(text) == b'{"x":{"i32":00},"x":{"str":"xxxxxxxx"}, "x":[0000,"xxx'


def masked_head(head: bytes) -> bytes:
    return masked_with(head, mask_head_lines(head))


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (b"Content-Length: 5", b"Content-Length: 5"),
        (b"Content-Length: 5\nSecret: 7", b"Content-Length: xxxxxxxxxxx"),
        (b"content-type:application/x-thrift", b"content-type:application/x-thrift"),
        (b"Content-Type: application/x-bob", b"Content-Type: xxxxxxxxxxxxxxxxx"),
        (b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: gzip, chunked"),
        (b"Connection: close\r7", b"Connection: xxxxxxx"),
        (b"User-Agent:  bob/1 ", b"User-Agent:  xxxxx "),
        (b"Host: calc", b"Host: xxxx"),
        (b"X-Api-Key: abc", b"X-Api-Key: xxx"),
        (b"X-Of-Bob: abc", b"xxxxxxxx: xxx"),
        (b" more: of it", b" xxxxxxxxxxx"),
        (b"deadbeefcafe", b"xxxxxxxxxxxx"),
        (b"no colon", b"xxxxxxxx"),
        (b"a\nHost: 1", b"xxxxxx: x"),
    ],
)
def test_lines_of_http(line: bytes, left: bytes) -> None:
    head = b"GET / HTTP/1.1\r\n%s\r\n\r\n"
    assert masked_head(head % line) == head % left


@pytest.mark.parametrize(
    ("start", "left"),
    [
        (b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK"),
        (b"HTTP/1.1 200", b"HTTP/1.1 200"),
        (b"HTTP/1.1 404 Not Found", b"HTTP/1.1 404 Not Found"),
        (b"HTTP/1.1 404 No bob", b"HTTP/1.1 404 xxxxxx"),
        (b"POST /a;b?c HTTP/1.1", b"POST /xxxxx HTTP/1.1"),
        (b"POST http://me@a/b HTTP/1.0", b"POST xxxxxxxxxxxxx HTTP/1.0"),
        (b"bob", b"xxx"),
    ],
)
def test_start_lines_of_http(start: bytes, left: bytes) -> None:
    assert masked_head(start + b"\r\n\r\n") == left + b"\r\n\r\n"


def test_lines_around_chunks() -> None:
    """A size is one if as many bytes follow; digits of a trailer's are a secret like any other."""

    def masked(*lines: tuple[int, bytes]) -> bytes:
        end = max(at + len(line) for at, line in lines)
        data = bytearray(end)
        for at, line in lines:
            data[at : at + len(line)] = line
        return masked_with(bytes(data), mask_lines(lines)).replace(b"\0", b"")

    assert masked((0, b"1f\r\n"), (35, b"\r\n")) == b"1f\r\n\r\n"
    assert masked((0, b"00000003;a=b\r\n"), (17, b"\r\n")) == b"00000003;xxx\r\n\r\n"
    assert masked((0, b"123456\r\n"), (8 + 0x123456, b"\r\n")) == b"123456\r\n\r\n"
    assert masked((0, b"0\r\n"), (3, b"123456\r\n"), (11, b"\r\n")) == b"0\r\nxxxxxx\r\n\r\n"
    assert masked((0, b"0\r\n"), (3, b"X-Sum: abc\r\n")) == b"0\r\nxxxxx: xxx\r\n"


# ── Selectors ────────────────────────────────────────────────────────────────────────

INNER = Struct(
    (
        Field(1, Value(TType.STRING, b"name", NOWHERE), NOWHERE),
        Field(2, Value(TType.STRING, b"pass", NOWHERE), NOWHERE),
    ),
    NOWHERE,
)
USERS = Items(TType.STRUCT, 2, tuple(Value(TType.STRUCT, INNER, NOWHERE) for _ in range(2)))
ARGUMENTS = Struct(
    (
        Field(1, Value(TType.STRING, b"root", NOWHERE), NOWHERE),
        Field(2, Value(TType.STRUCT, INNER, NOWHERE), NOWHERE),
        Field(3, Value(TType.LIST, USERS, NOWHERE), NOWHERE),
    ),
    NOWHERE,
)


def masked_in(selector: str, mtype: int = 1, method: bytes = b"login") -> list[int]:
    """Which of the values of ARGUMENTS are masked, by their place: 0 to 6."""
    message = decode(write_header(method, mtype, 1) + binary.write_struct(ARGUMENTS))
    redactor = Redactor(parse_selectors([selector]))
    redactor.redact(message)
    places = [at for at, value in enumerate(leaves(message.body)) if value.redacted]
    assert sum(redactor.counts) == len(places) or "," in selector
    return places


@pytest.mark.parametrize(
    ("selector", "masked"),
    [
        ("login.1", [0]),
        ("login.2", [1, 2]),
        ("login.2.2", [2]),
        ("login.3.2", [4, 6]),
        ("login.3", [3, 4, 5, 6]),
        ("login.*", [0, 1, 2, 3, 4, 5, 6]),
        ("login.*.1", [1, 3, 5]),
        ("*.1", [0]),
        ("*.*.2", [2, 4, 6]),
        ("logout.1", []),
        ("login.9", []),
        ("login.1.1", []),
        ("login.1, login.3.1", [0, 3, 5]),
        ("password", []),
    ],
)
def test_paths(selector: str, masked: list[int]) -> None:
    assert masked_in(selector) == masked


def test_a_path_is_for_calls_and_replies_and_exceptions() -> None:
    assert masked_in("login.1", 2) == masked_in("login.1", 4) == [0]
    assert masked_in("login.message", 3) == [0]
    assert masked_in("message", 3) == [0]
    assert masked_in("message", 2) == []
    assert masked_in("login.1", 1, b"Calc:login") == [0]
    assert masked_in("Calc:login.1", 1, b"Calc:login") == [0]
    assert masked_in("Other:login.1", 1, b"Calc:login") == []


def test_results() -> None:
    for selector in ("login.0", "login.success", "success", "*.0"):
        reply = decode(answer())
        Redactor(parse_selectors([selector])).redact(reply)
        assert WORD not in reply.data, selector
    call = decode(login())
    Redactor(parse_selectors(["login.success"])).redact(call)
    assert WORD in call.data


def test_names() -> None:
    text = (
        b'{"user": {"password": "one", "id": 1}, "more": [{"password": "two"}], '
        b'"password": {"a": 7, "b": ["four"]}, "kept": "five"}'
    )
    for selector, left in (
        ("password", ["five"]),
        ("*.password", ["one", "two", "five"]),
        ("*.user.password", ["two", "four", "five"]),
        ("*.more.password", ["one", "four", "five"]),
        ("*.user,*.more,password,kept", []),
    ):
        record = decode_struct(text, protocol="thriftpy2-json")
        Redactor(parse_selectors([selector])).redact(record)
        words = ["one", "two", "four", "five"]
        assert [word for word in words if word.encode() in record.data] == left, selector
        json.loads(record.data)
        assert record.findings == ()


def test_names_that_an_idl_gives() -> None:
    """Whoever fills in ``Field.name``: a selector asks for it, and for the id, alike."""

    for selector in ("password", "login.password", "login.2", "*.password"):
        message = decode(login())
        for field in message.fields:
            field.name = {1: "user", 2: "password"}[field.field_id]
        Redactor(parse_selectors([selector])).redact(message)
        assert WORD not in message.data
        assert b"root" in message.data


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty selector"),
        ("a,,b", "empty selector"),
        ("2", "want a method before the id (login.2), or * for any (*.2)"),
        ("login.", "part 1 behind the method is empty"),
        ("login..2", "part 1 behind the method is empty"),
        ("login.2.a-b", 'part 2 behind the method is "a-b"'),
        (".2", "its method is missing"),
        ("a b.2", 'its method is "a b"'),
        ("lo*.2", 'its method is "lo*"'),
        ("pass-word", "want a name (password) or a path"),
        ("*", "want a name (password) or a path"),
        ("login.123456", "part 1 behind the method"),
    ],
)
def test_selectors_that_are_none(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="selector") as caught:
        parse_selectors([text])
    assert said in str(caught.value)


def test_selectors_are_counted_once() -> None:
    assert [one.text for one in parse_selectors(["a,b", "b, c"])] == ["a", "b", "c"]
    assert [one.text for one in parse_selectors("a,b")] == ["a", "b"]


# ── The shell ────────────────────────────────────────────────────────────────────────

CAPTURE = str(ROOT / "captures" / "ping_login.pcap")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(list(arguments))
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_redact(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "safe.pcap"
    code, out, err = run(capsys, "redact", CAPTURE, str(target), "-f", "login.2,login.0")
    assert (code, err) == (0, "")
    assert "login.2: 1 value masked\n  login.0: 1 value masked\n" in out
    assert b"pwd" not in target.read_bytes()
    before, after = read(CAPTURE), read(target)
    assert [outline(one) for one in before.messages] == [outline(one) for one in after.messages]
    assert [path.name for path in tmp_path.iterdir()] == ["safe.pcap"]


def test_redact_what_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = str(tmp_path / "safe.pcap")
    code, _, err = run(capsys, "redact", CAPTURE, target, "-f", "login.2,pasword")
    assert code == cli.BAD
    assert 'no value was met by "pasword": is it spelt' in err
    assert "login.2" not in err.partition(":")[0]


def test_redact_a_capture_without_thrift(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source, target = str(tmp_path / "in.pcap"), str(tmp_path / "out.pcap")
    write_capture(source, Talk().open().call(b"PASS " + WORD + b"\r\n").close().packets)
    code, out, err = run(capsys, "redact", source, target, "-f", "*.*")
    assert code == cli.BAD
    assert "bytes in no message: hidden" in out
    assert WORD.decode() not in out + err
    assert WORD not in Path(target).read_bytes()
    code, out, _ = run(capsys, "redact", source, target, "-f", "*.*", "--keep-unknown")
    assert "left as they are (--keep-unknown)" in out
    assert WORD in Path(target).read_bytes()


def test_redact_from_standard_input(tmp_path: Path) -> None:
    path, piped = tmp_path / "x.pcap", tmp_path / "y.pcap"
    command = [sys.executable, "-m", "pingpong", "redact"]
    subprocess.run([*command, CAPTURE, str(path), "-f", "login.2"], check=True)
    with open(CAPTURE, "rb") as source:
        subprocess.run([*command, "-", str(piped), "-f", "login.2"], stdin=source, check=True)
    assert path.read_bytes() == piped.read_bytes() != Path(CAPTURE).read_bytes()


def test_redact_what_cannot_be_read_or_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = str(tmp_path / "out.pcap")
    code, _, err = run(capsys, "redact", str(tmp_path / "no"), target, "-f", "a")
    assert code == cli.BAD
    assert "cannot be opened" in err
    code, _, err = run(capsys, "redact", CAPTURE, str(tmp_path / "no" / "x"), "-f", "login.2")
    assert code == cli.BAD
    assert "cannot be written" in err
    with pytest.raises(SystemExit):
        cli.run(["redact", CAPTURE, target, "-f", "2"])
    assert "want a method before the id" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_redact_of_several_link_types(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack("<I", 12 + len(body))
        return struct.pack("<I", kind) + size + body + size

    one = Talk().open().call(login()).packets[3]
    both = [
        block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a\1\0\0\0" + b"\xff" * 8),
        block(1, struct.pack("<HHI", 1, 0, 0)),
        block(1, struct.pack("<HHI", 101, 0, 0)),
    ]
    for at, data in enumerate((one.data, one.data[14:])):
        head = struct.pack("<IIIII", at, 0, at, len(data), len(data))
        both.append(block(6, head + data))
    source = tmp_path / "in.pcapng"
    source.write_bytes(b"".join(both))
    code, _, err = run(capsys, "redact", str(source), str(tmp_path / "o"), "-f", "login.2")
    assert code == cli.BAD
    assert "several link types (1, 101), and a pcap has one" in err
    source.write_bytes(b"".join(both[:2] + both[3:4]))
    code, out, _ = run(capsys, "redact", str(source), str(tmp_path / "o"), "-f", "login.2")
    assert code == 0, out
    with open_capture(tmp_path / "o") as file:
        assert [p.data[-26:] for p in file] == [b"x" * 25 + b"\0"]


def test_an_interrupted_redact_leaves_what_was_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = tmp_path / "out.pcap"
    target.write_bytes(b"before")

    def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("pingpong.redaction.packets.Rewriter.packet", interrupted)
    assert cli.run(["redact", CAPTURE, str(target), "-f", "login.2"]) == 130
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_views_with_redact(capsys: pytest.CaptureFixture[str]) -> None:
    for more in ((), ("-m", "3"), ("--json",), ("--all", "--acks")):
        code, out, err = run(capsys, "show", CAPTURE, "--redact", "login.2", *more)
        assert (code, err) == (0, ""), more
        assert "pwd" not in out
        assert "70 77 64" not in out
        assert "redacted" in out
        assert "xxx" not in out
    code, out, err = run(capsys, "messages", CAPTURE, "--redact", "login.2")
    assert (code, err, out) == (0, "", run(capsys, "messages", CAPTURE)[1])
    _, out, err = run(capsys, "show", CAPTURE, "--json", "--redact", "login.2")
    row = json.loads(out.splitlines()[2])
    assert row["fields"][1] == {
        "id": 2, "type": "STRING", "redacted": True, "offset": 28, "length": 10,
    }  # fmt: skip
    _, out, err = run(capsys, "show", CAPTURE, "--redact", "nobody")
    assert 'no value was met by "nobody"' in err


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_struct_with_redact(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, more: tuple[str, ...]
) -> None:
    path = tmp_path / "value.bin"
    path.write_bytes(login()[len(write_header(b"login", 1, 1)) :])
    code, out, err = run(capsys, "struct", str(path), "--redact", "*.2", *more)
    assert (code, err) == (0, "")
    assert WORD.decode() not in out
    assert WORD.hex(" ")[:12] not in out
    assert "root" in out
    assert "redacted" in out


@pytest.mark.parametrize("row", ROWS[::4], ids=str)
def test_no_view_shows_a_secret(
    row: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "x.pcap")
    write_capture(path, packets_of(row))
    fields = ",".join(ALL)
    for more in (("show",), ("show", "--json"), ("show", "-m", "3"), ("show", "-m", "4")):
        _, out, err = run(capsys, *more, path, "--redact", fields)
        raw = out.replace("\n", "").encode()
        for form in SECRETS.forms:
            assert form not in raw
            assert form.hex(" ")[:20] not in out
        assert "redacted" in out
        assert SECRETS.text not in err


def test_what_is_wrong_is_said_without_what_was_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "x.pcap")
    bad = login()[:-1] + b"\x63" + WORD
    talk = Talk().open().call(framed(bad)).call(framed(login())).call(b"\0\0\0\x10" + WORD)
    write_capture(path, right(talk.close().packets))
    _, plain_out, _ = run(capsys, "show", path)
    assert WORD.decode()[:8] in plain_out
    code, out, err = run(capsys, "show", path, "--redact", "login.2")
    assert code == cli.BAD
    assert WORD.decode()[:6] not in out + err
    assert "(redacted)" in err


# ── Others read it as before ─────────────────────────────────────────────────────────


def tshark_list(tshark: str, path: Path) -> list[list[str]]:
    fields = [
        *("frame.number", "frame.time_epoch", "frame.len", "frame.cap_len", "tcp.stream"),
        *("tcp.seq", "tcp.len", "tcp.checksum.status", "udp.checksum.status", "thrift.method"),
        *("thrift.mtype", "thrift.seq_id", "_ws.malformed", "_ws.expert.message"),
    ]
    chosen = [word for field in fields for word in ("-e", field)]
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    done = subprocess.run(
        [tshark, "-r", str(path), *checks, "-d", "tcp.port==9090,thrift", "-T", "fields", *chosen],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "carrier", ["unframed", "framed, by Apache", "HTTP, a length", "HTTP, chunks", "SASL", "UDP"]
)
def test_tshark_reads_it_as_before(carrier: str, tshark: str, tmp_path: Path) -> None:
    row = next(one for one in ROWS if one.carrier == carrier and one.protocol == "binary")
    source, target = tmp_path / "in.pcap", tmp_path / "out.pcap"
    write_capture(source, packets_of(row))
    assert cli.run(["redact", str(source), str(target), "-f", ",".join(ALL[:2] + ALL[5:6])]) == 0
    before, after = tshark_list(tshark, source), tshark_list(tshark, target)
    assert before == after
    assert all("0" not in one[7:9] for one in after)
    if carrier in ("unframed", "framed, by Apache"):
        assert any("look" in one[9] for one in after)
    assert b"Malformed" not in "".join(map(str, after)).encode()


def test_captures_of_others(real_captures: Path, tmp_path: Path, tshark: str) -> None:
    """Every capture at hand, with every value masked: what is listed is what was listed."""
    count = 0
    for path in sorted(real_captures.glob("*.pcap*")):
        target = tmp_path / path.name
        assert cli.run(["redact", str(path), str(target), "-f", "*.*"]) in (0, 2)
        before, after = read(path), read(target)
        assert [outline(one) for one in before.messages] == [
            outline(one) for one in after.messages
        ], path.name
        assert [one.outcome for one in before.exchanges] == [one.outcome for one in after.exchanges]
        if "tutorial" in path.name:
            assert [one[:7] for one in tshark_list(tshark, path)] == [
                one[:7] for one in tshark_list(tshark, target)
            ]
        count += len(after.messages)
    assert count > 10


# ── With an IDL ──────────────────────────────────────────────────────────────────────

BANK = """
enum Role { USER = 1, ADMIN = 2 }
struct Account { 1: string name, 2: string password, 3: Role role, 4: list<string> tokens }
exception Denied { 1: string reason }
service Bank {
  string login(1: string user, 2: string password) throws (1: Denied denied)
  Account open(1: Account account, 2: map<string, Account> more) throws (1: Denied denied)
}
"""


def bank() -> list[Any]:
    """A conversation of BANK, and what must not be left of it."""
    made = thriftpy2.load_fp(io.StringIO(BANK), module_name="bank_thrift")
    service, password = made.Bank, WORD.decode()
    account = made.Account(name="ann", password=password, role=2, tokens=["t0k3n-one", "two"])
    talk = Talk().open()
    for by_client, one, method, seqid in (
        (True, service.login_args(user="ann", password=password), "login", 1),
        (False, service.login_result(success="session-4711"), "login", 1),
        (True, service.open_args(account=account, more={"x": account}), "open", 2),
        (False, service.open_result(success=account), "open", 2),
        (True, service.open_args(account=account, more={}), "open", 3),
        (False, service.open_result(denied=made.Denied(reason=f"{password} is weak")), "open", 3),
    ):
        talk.send(by_client, thriftpy2_message(one, method, 1 if by_client else 2, seqid))
    return right(talk.close().packets)


def test_names_of_an_idl(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    idl, source, target = tmp_path / "bank.thrift", tmp_path / "in.pcap", tmp_path / "out.pcap"
    idl.write_text(BANK)
    write_capture(source, bank())
    fields = "password,role,open.account.tokens,open.more.tokens,open.success.tokens,open.denied"
    with_idl = ("--idl", str(idl))
    code, out, err = run(capsys, "redact", str(source), str(target), "-f", fields, *with_idl)
    assert (code, err) == (0, "")
    assert "password: 5 values masked\n  role: 4 values masked" in out
    left = target.read_bytes()
    assert WORD not in left
    assert b"t0k3n" not in left
    assert b"session-4711" in left
    assert left.count(b"ann") == 5
    # The label of an enum says what the number was.
    for more in (("show",), ("show", "-m", "3"), ("show", "--json"), ("calls", "--json")):
        code, out, err = run(capsys, *more, str(source), *with_idl, "--redact", fields)
        assert (code, err) == (0, "")
        assert "ADMIN" not in out
        assert WORD.decode()[:8] not in out
        assert "no such value" not in out + err
    code, out, _ = run(
        capsys, "calls", str(source), "--where", f"password={WORD.decode()}", "--redact", fields
    )
    assert WORD.decode()[:8] not in out
    # Without the IDL nobody knows these names.
    fields = "password,login.2"
    code, _, err = run(capsys, "redact", str(source), str(target), "-f", fields)
    assert code == cli.BAD
    assert "Names need --idl" in err


def test_every_command_that_reads_captures_can_redact(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("show", "messages", "calls", "diagnose"):
        _, out, err = run(capsys, command, CAPTURE, "--redact", "login.2,login.0")
        assert "pwd" not in out + err, command
