"""Messages in envelopes, in a body that is packed, or written in base64, as a whole."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable

import pytest
from http2s import OPENING, Said, block, enveloped, frame, talked
from relatives import Seen, look_at, seen_in

from pingpong.model import MessageType, Outcome
from pingpong.redaction.messages import Redactor

JSON = [b'{"n": %d}' % number for number in range(3)]
WEB = b"grpc-status: 0\r\n"

Pack = Callable[[bytes], bytes]
PACKS: dict[str, Pack] = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress}

TYPES = {
    "application/connect+json": (b"{}", 2),
    "application/grpc-web+json": (WEB, 0x80),
    "application/grpc-web-text+json": (WEB, 0x80),
}


def _body(kind: str, coding: str, count: int, end: bytes = b"", flag: int = 0) -> bytes:
    data = b"".join(enveloped(one) for one in JSON[:count])
    data += enveloped(end, flag) if end else b""
    if "-text" in kind:
        data = base64.b64encode(data)
    return PACKS[coding](data)


def _over_http1(kind: str, coding: str, sent: bytes, came: bytes) -> list[Said]:
    heads = f"Content-Type: {kind}\r\n" + (f"Content-Encoding: {coding}\r\n" if coding else "")
    ask = f"POST /shop.Orders/Get HTTP/1.1\r\nHost: shop\r\n{heads}"
    answer = f"HTTP/1.1 200 OK\r\n{heads}Transfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(came[at : at + 30]), came[at : at + 30])
        for at in range(0, len(came), 30)
    )
    return [
        (True, f"{ask}Content-Length: {len(sent)}\r\n\r\n".encode() + sent),
        (False, answer + chunks + b"0\r\n\r\n"),
    ]


def _over_http2(kind: str, coding: str, sent: bytes, came: bytes) -> list[Said]:
    also = {"content_type": kind} | ({"content_encoding": coding} if coding else {})
    ask = block(__method="POST", __path="/shop.Orders/Get", __scheme="http", **also)
    half = len(came) // 2
    said = frame(1, 4, 1, block(__status="200", **also))
    return [
        *OPENING,
        (True, frame(1, 4, 1, ask) + frame(0, 1, 1, sent)),
        (False, said + frame(0, 0, 1, came[:half])),
        (False, frame(0, 1, 1, came[half:])),
    ]


OVER = [_over_http1, _over_http2]


def _values(found: Seen, by_client: bool) -> list[object]:
    return [
        field.value.plain
        for one in found.messages
        if one.from_client is by_client and one.type is not MessageType.EVENT
        for field in one.fields
    ]


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("coding", PACKS)
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("count", [1, 3])
def test_each_message_in_it_is_read(
    over: Callable[[str, str, bytes, bytes], list[Said]], coding: str, kind: str, count: int
) -> None:
    end, flag = TYPES[kind]
    said = over(kind, coding, _body(kind, coding, 1), _body(kind, coding, count, end, flag))
    for size in (0, 7):
        found = seen_in(talked(said, size))
        look_at(found.messages)
        assert found.findings == []
        (one,) = found.calls
        assert (one.method, one.outcome) == ("/shop.Orders/Get", Outcome.SUCCESS)
        assert one.parts_received == (count if count > 1 else 0)
        assert _values(found, True) == [0]
        assert _values(found, False) == list(range(count))
    hidden = seen_in(talked(said), Redactor(()))
    look_at(hidden.messages)
    # Each byte of the body stands in one message.
    body = [part for one in found.messages for part in one.layout if part.offset >= 0]
    places = sorted((part.offset, part.size) for part in body)
    assert len(places) == len(set(places)) or over is _over_http2


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize(
    ("coding", "body", "why"),
    [
        ("gzip", b"no gzip at all", "content packed with gzip"),
        ("br", b"anything", "content packed with br, which is not unpacked here"),
        ("gzip", gzip.compress(enveloped(JSON[0]) + b"\0\0\0\0\x09{"), "is not whole"),
        ("", b"!!", "the body is no base64"),
    ],
)
def test_what_cannot_be_opened_is_said(
    over: Callable[[str, str, bytes, bytes], list[Said]], coding: str, body: bytes, why: str
) -> None:
    kind = "application/grpc-web-text+json" if not coding else "application/connect+json"
    found = seen_in(talked(over(kind, coding, body, body)))
    look_at(found.messages)
    texts = [one.text for each in found.messages for one in each.findings]
    assert sum(why in one for one in texts) == 2, texts
