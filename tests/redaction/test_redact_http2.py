"""Redaction of HTTP/2: nothing of a secret is left, and what is left reads as before."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import pytest
from hiding import Done, redacted
from http2s import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    OPENING,
    PATHS,
    PING,
    Read,
    Said,
    block,
    enveloped,
    frame,
    packets_of,
    request,
    response,
    talked,
    trailers,
)
from surrounding import answer
from surrounding import lines as lines_of

from pingpong.capture import Pipeline
from pingpong.model import Exchange, Message
from pingpong.redaction.messages import Redactor
from pingpong.redaction.selectors import parse_selectors
from pingpong.views.json import message_row
from pingpong.views.one_line import call_line

SECRET = b"Qz7Vx0rTgb2LmWpKe9"
OTHER = b"Hn4JcYs8DfUo3AiXt6"
RUN = 6


def leaks(data: bytes, *secrets: bytes) -> list[bytes]:
    return [
        one[at : at + RUN]
        for one in secrets
        for at in range(len(one) - RUN + 1)
        if one[at : at + RUN] in data
    ]


def shown(said: list[Said], *fields: str) -> bytes:
    """What views say of messages that were redacted."""
    pipeline = Pipeline(redactor=Redactor(parse_selectors(fields), nameless=True), events=True)
    messages: list[Message] = []
    for packet in talked(said):
        messages += pipeline.feed(packet).messages
    messages += pipeline.close().messages
    out = []
    for one in messages:
        out += [message_row(one), call_line(one), str(one), repr(one.data), one.data.hex()]
    return "\n".join(out).encode()


def done(said: list[Said], *fields: str) -> tuple[Done, bytes]:
    result = redacted(talked(said), *fields)
    return result, b"".join(one.data for one in result.packets)


def named(one: Message | Exchange) -> str:
    """Its method; of HTTP that is nobody's, the path is masked, and its length is left."""
    first = one if isinstance(one, Message) else one.first
    return str(len(one.method)) if first.family.is_http else one.method


def lines(read: Read) -> list[tuple[object, ...]]:
    return [
        (one.type, named(one), one.seqid, one.offset, one.size, one.transport, one.from_client)
        for one in read.messages
    ]


def asked(body: bytes, cuts: tuple[int, ...] = (), flag: int = 0, **also: Any) -> list[Said]:
    data = enveloped(body, flag)
    pieces = [data[a:b] for a, b in zip((0, *cuts), (*cuts, len(data)), strict=True)]
    ping = frame(PING, 0, 0, OTHER[:8])
    sent = request(1, **also) + ping.join(frame(DATA, 0, 1, piece) for piece in pieces)
    return [
        *OPENING,
        (True, sent + frame(DATA, END_STREAM, 1)),
        (False, response(1) + frame(DATA, 0, 1, enveloped(b"\x0a\x01y")) + trailers(1)),
    ]


PASSWORD = b"\x0a\x04root\x12" + bytes((len(SECRET),)) + SECRET


@pytest.mark.parametrize("cuts", [(), (3,), (5,), (12, 14), (20,), (6, 9, 15, 22, 30)])
@pytest.mark.parametrize("field", ["Get.2", "*.2", "/shop.Orders/Get.2"])
def test_a_field_is_masked_in_every_frame(cuts: tuple[int, ...], field: str) -> None:
    said = asked(PASSWORD, cuts)
    result, out = done(said, field)
    assert not leaks(out, SECRET, OTHER[:8])
    assert not leaks(shown(said, field), SECRET)
    assert result.redactor.counts == [1]
    assert b"root" in out.replace(b"\0", b"") or cuts
    read = Read(result.packets)
    assert lines(read) == lines(Read(talked(said)))
    assert not [finding for one in read.messages for finding in one.findings]


def test_packed_content_is_masked_as_a_whole_and_only_then() -> None:
    body = gzip.compress(PASSWORD * 1)
    said = asked(body, (9,), 1, grpc_encoding="gzip")
    result, out = done(said, "Get.2")
    assert not leaks(out, body[10:])
    assert result.plan.packed == 1
    assert not leaks(shown(said, "Get.2"), SECRET, body[10:])
    # Where nothing is selected, it stays and can be read.
    result, out = done(said, "Get.7")
    assert body[4:] in out
    assert lines(Read(result.packets)) == lines(Read(talked(said)))


def test_headers_are_masked_whatever_is_named() -> None:
    also: dict[str, Any] = {"authorization": "Bearer " + SECRET.decode(), "x_mine": OTHER.decode()}
    said = asked(b"", **also)
    said[-1] = (
        False,
        response(1, set_cookie=SECRET.decode()) + trailers(1, "5", grpc_message=OTHER.decode()),
    )
    result, out = done(said, "Get.7")
    assert not leaks(out, SECRET, OTHER)
    assert not leaks(shown(said, "Get.7"), SECRET, OTHER)
    (one,) = Read(result.packets).exchanges
    assert (one.method, one.exception) == ("/shop.Orders/Get", "NOT_FOUND")


def test_a_path_that_is_no_name_is_masked_in_both_directions() -> None:
    path = "/page?token=" + SECRET.decode()
    get = frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        block(__method="GET", __path=path, __scheme="http"),
    )
    page = frame(HEADERS, END_HEADERS, 1, block(__status="200", content_type="text/plain"))
    said = [*OPENING, (True, get), (False, page + frame(DATA, END_STREAM, 1, b"hello"))]
    _, out = done(said, "Get.7")
    assert not leaks(out, SECRET)
    assert not leaks(shown(said, "Get.7"), SECRET)


def test_a_path_in_the_table_keeps_it_in_step() -> None:
    """The second call has one byte for its path: nothing is written over that."""
    said_path = b"\x44" + bytes((20,)) + b"/page?token=" + SECRET[:8]
    first = frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x82\x86" + said_path)
    second = frame(HEADERS, END_HEADERS | END_STREAM, 3, b"\x82\x86\xbe")
    answer = b"".join(frame(HEADERS, END_HEADERS | END_STREAM, one, b"\x88") for one in (1, 3))
    said = [*OPENING, (True, first + second), (False, answer)]
    result, out = done(said, "Get.7")
    assert not leaks(out, SECRET[:8])
    assert not leaks(shown(said, "Get.7"), SECRET[:8])
    one, two = Read(result.packets).exchanges
    assert one.method == two.method != ""


@pytest.mark.parametrize(
    "frames",
    [
        frame(GOAWAY, 0, 0, bytes(8) + SECRET),
        frame(PING, 0, 0, SECRET[:8]),
        frame(0x2A, 0, 0, SECRET),
        frame(DATA, 8, 1, bytes((len(SECRET),)) + SECRET),
        frame(HEADERS, END_HEADERS, 5, b"\x82\xff\xff\xff\xff\xff\xff\x0f" + SECRET),
        frame(HEADERS, 0, 5, b"\x00\x01a\x12" + SECRET) + frame(PING, 0, 0, bytes(8)),
        frame(HEADERS, 0, 5, b"\x82\x86\x00\x01a\x12" + SECRET[:5])
        + frame(CONTINUATION, END_HEADERS, 5, SECRET[5:]),
        frame(HEADERS, 0xC, 5, bytes((len(SECRET),)) + b"\x82\x86" + SECRET),
        frame(DATA, 0, 9, SECRET),
    ],
)
def test_what_stands_around_messages_is_masked(frames: bytes) -> None:
    said = [*OPENING, (True, request(1) + frames), (False, response(1))]
    _, out = done(said, "Get.2", "password")
    assert not leaks(out, SECRET)


@pytest.mark.parametrize("cut", range(1, 60, 4))
def test_a_message_that_ends_too_soon_has_no_secret_left(cut: int) -> None:
    said = asked(PASSWORD, x=OTHER.decode())
    whole = said[2][1]
    _, out = done([*said[:2], (True, whole[:-cut])], "Get.2")
    assert not leaks(out, SECRET, OTHER)


@pytest.mark.parametrize("name", PATHS)
def test_captures_read_as_before(name: str) -> None:
    if not PATHS[name].is_file():
        pytest.skip("the captures of the relatives are not on this machine")
    packets = packets_of(PATHS[name])
    result = redacted(packets, "Login.7")
    before, after = Read(packets), Read(result.packets)
    assert lines(after) == lines(before)
    told = [(named(one), one.outcome, one.exception) for one in before.exchanges]
    assert [(named(one), one.outcome, one.exception) for one in after.exchanges] == told


# ── Trailers that stand in the body ──────────────────────────────────────────────────

NOT_FOUND = b'{"error":{"code":"not_found","message":"' + SECRET + b'"},"metadata":{"x-id":["'
CONNECT_END = NOT_FOUND + OTHER + b'"]}}'
WEB_END = b"grpc-status: 5\r\ngrpc-message: " + SECRET + b"\r\nx-id: " + OTHER + b"\r\n"


@pytest.mark.parametrize("over", [1, 2])
@pytest.mark.parametrize("cut", [0, 12, 40])
@pytest.mark.parametrize(
    ("kind", "end", "flag"),
    [
        ("application/connect+json", CONNECT_END, 2),
        ("application/grpc-web+json", WEB_END, 0x80),
    ],
)
def test_a_status_in_the_body_can_still_be_read(
    kind: str, end: bytes, flag: int, cut: int, over: int
) -> None:
    body, last = enveloped(b"{}"), enveloped(end, flag)
    came = [last[:cut], last[cut:]] if cut else [last]
    if over == 2:
        said = [
            *OPENING,
            (True, request(1, content_type=kind) + frame(DATA, END_STREAM, 1, body)),
            (False, response(1, content_type=kind)),
            *((False, frame(DATA, 0, 1, one)) for one in came),
            (False, frame(DATA, END_STREAM, 1)),
        ]
    else:
        head = f"Content-Type: {kind}\r\n"
        ask = f"POST /shop.Orders/Get HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        answer = f"HTTP/1.1 200 OK\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode()
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in came) + b"0\r\n\r\n"
        said = [(True, ask.encode() + body), (False, answer + chunks)]
    result, raw = done(said)
    assert leaks(raw, SECRET, OTHER) == []
    for read in (Read(talked(said)), Read(result.packets)):
        (one,) = read.exchanges
        assert one.reply is not None
        error = one.reply.family.error(one.reply)
        assert (error.name, error.number) == ("NOT_FOUND", 5)


@pytest.mark.parametrize("is_http1", [False, True])
@pytest.mark.parametrize("is_packed", [False, True])
def test_arguments_in_a_path(is_http1: bool, is_packed: bool) -> None:
    """Connect's GET has them in its query: they are masked in each form that they have there."""
    body = PASSWORD if not is_packed else gzip.compress(PASSWORD)
    text = base64.urlsafe_b64encode(body).rstrip(b"=")
    path = "/shop.Orders/Get?connect=v1&encoding=proto&base64=1&message=" + text.decode()
    path += "&compression=gzip" * is_packed
    if is_http1:
        ask = lines_of(f"GET {path} HTTP/1.1", "Host: x")
        said = [(True, ask), (False, answer(b"", "Content-Type: application/proto"))]
    else:
        get = block(__method="GET", __path=path, __scheme="http")
        reply = block(__status="200", content_type="application/proto")
        said = [
            *OPENING,
            (True, frame(HEADERS, END_HEADERS | END_STREAM, 1, get)),
            (False, frame(HEADERS, END_HEADERS | END_STREAM, 1, reply)),
        ]
    assert values_of(said) == [SECRET]
    result, out = done(said, "Get.2")
    assert result.redactor.counts == [1]
    assert not leaks(out, SECRET, text, body[10:])
    assert not leaks(shown(said, "Get.2"), SECRET, text)


def values_of(said: list[Said]) -> list[bytes]:
    """The secrets that the messages of a conversation hold, once they are read."""
    messages = Read(talked(said)).messages
    return [SECRET for one in messages if SECRET in one.data[one.start : one.stop]]
