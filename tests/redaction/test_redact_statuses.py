"""What frameworks say of failures is masked with the message, through whichever door it is shown.

A handler quotes in its error what it was given: in the status, its details, headers, trailers, a
body, or where a connection ends.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import frames
import http2s
import pytest
from doors import run
from leaks import COMMANDS, shown
from making import Talk, framed, said

from pingpong.capture import Pipeline
from pingpong.model import MessageType, Packet
from pingpong.redaction.messages import Redactor
from pingpong.redaction.selectors import parse_selectors
from pingpong.wire.capturefile import write_capture

SECRET = "Qz7Vx0rTgb2LmWpKe9"
WORDS = f"bad password {SECRET}"
CODED = base64.b64encode(WORDS.encode()).decode()

# "*.*" selects whatever is a value; statuses and headers are masked whatever is selected.
FIELDS = "*.*"


def talk(asked: bytes, *answers: bytes) -> list[Packet]:
    one = Talk().open().call(asked)
    for answer in answers:
        one.reply(answer)
    return one.close().packets


def http(kind: str, body: bytes, first: str, *lines: str) -> bytes:
    head = [first, f"Content-Type: {kind}", *lines, f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


def connect(packed: bool) -> list[Packet]:
    detail = {"type": "a.B", "value": CODED, "debug": {"pw": SECRET}}
    error = {"code": "invalid_argument", "message": WORDS, "details": [detail]}
    body, also = json.dumps(error).encode(), []
    if packed:
        body, also = gzip.compress(body), ["Content-Encoding: gzip"]
    asked = json.dumps({"password": SECRET}).encode()
    post = ("POST /a.Shop/buy HTTP/1.1", "Host: x", "Connect-Protocol-Version: 1")
    return talk(
        http("application/json", asked, *post),
        http("application/json", body, "HTTP/1.1 400 Bad Request", *also),
    )


def connect_stream() -> list[Packet]:
    end = json.dumps({"error": {"code": "internal", "message": WORDS}, "metadata": {"x": [SECRET]}})
    asked = http2s.enveloped(b"\x0a" + bytes((len(SECRET),)) + SECRET.encode())
    post = ("POST /a.Shop/buy HTTP/1.1", "Host: x", "Connect-Protocol-Version: 1")
    kind = "application/connect+proto"
    return talk(
        http(kind, asked, *post),
        http(kind, http2s.enveloped(end.encode(), 2), "HTTP/1.1 200 OK"),
    )


def grpc_web() -> list[Packet]:
    lines = f"grpc-status: 3\r\ngrpc-message: {WORDS}\r\nx-m: {SECRET}\r\n".encode()
    kind = "application/grpc-web+proto"
    return talk(
        http(kind, http2s.enveloped(b"\x08\x01"), "POST /a.Shop/buy HTTP/1.1", "Host: x"),
        http(kind, http2s.enveloped(lines, 0x80), "HTTP/1.1 200 OK"),
    )


def grpc(alone: bool) -> list[Packet]:
    also = {"grpc_message": WORDS.replace(" ", "%20"), "x_trail": SECRET}
    also |= {"grpc_status_details_bin": CODED}
    answer = http2s.trailers(1, "3", **also)
    if not alone:
        answer = http2s.response(1, x_head=SECRET) + answer
    else:
        answer = http2s.frame(1, 5, 1, http2s.block(__status="200", content_type="application/grpc",
                                                    grpc_status="3", **also))  # fmt: skip
    leaves = http2s.frame(http2s.GOAWAY, 0, 0, bytes(3) + b"\1" + bytes(4) + WORDS.encode())
    return talk(frames.HELLO + frames.ASKED, frames.SETTINGS + answer + leaves)


def http_error() -> list[Packet]:
    post = ("POST /buy HTTP/1.1", "Host: x")
    return talk(
        http("application/json", json.dumps({"password": SECRET}).encode(), *post),
        http("text/plain", WORDS.encode(), "HTTP/1.1 500 Internal Server Error", f"X-A: {SECRET}"),
    )


def thrift() -> list[Packet]:
    text = WORDS.encode()
    body = "0b 0001 " + len(text).to_bytes(4, "big").hex() + text.hex() + "08 0002 00000006 00"
    return talk(framed(said("buy", 1)), framed(said("buy", 3, 0, body)))


MADE: dict[str, Callable[[], list[Packet]]] = {
    "gRPC, trailers": lambda: grpc(False),
    "gRPC, trailers alone": lambda: grpc(True),
    "gRPC-Web": grpc_web,
    "Connect": lambda: connect(False),
    "Connect, packed": lambda: connect(True),
    "Connect, a stream": connect_stream,
    "HTTP": http_error,
    "Thrift": thrift,
    "Dubbo": lambda: talk(frames.dubbo_call(1), frames.dubbo_error(1, 70, WORDS)),
    "Dubbo, thrown": lambda: talk(
        frames.dubbo_call(1), frames.dubbo_reply(1, frames.thrown("com.shop.Bad", WORDS), 3)
    ),
    "Motan 2": lambda: talk(frames.motan2_call(1), frames.motan2_error(1, 400, WORDS)),
    "Motan 1": lambda: talk(frames.motan1_call(1), frames.motan1_error(1, 400, WORDS)),
    "rpcx": lambda: talk(frames.rpcx_call(1), frames.rpcx_error(1, WORDS)),
}
GIVEN_AWAY = (SECRET, SECRET.encode().hex(" "), SECRET.encode().hex(), CODED[:24])


@pytest.mark.parametrize("name", MADE)
def test_no_door_tells_what_a_status_says(name: str, tmp_path: Path) -> None:
    packets = MADE[name]()
    path = str(tmp_path / "in.pcap")
    write_capture(path, packets)
    # It can fail: without --redact it is there.
    assert any(SECRET in run(*one, path)[1] for one in (("diagnose",), ("show", "--json")))
    doors = {"library": shown(packets, (FIELDS,), None)}
    for command in COMMANDS:
        code, out, err = run(*command, path, "--redact", FIELDS)
        assert code in (0, 1, 3), (command, err)
        doors[" ".join(command)] = out + err
    for door, text in doors.items():
        for word in GIVEN_AWAY:
            assert word not in text, (door, word)


@pytest.mark.parametrize("name", ["gRPC, trailers", "Connect", "Connect, packed"])
def test_the_status_itself_stays(name: str) -> None:
    assert "INVALID_ARGUMENT" in shown(MADE[name](), ("*.password",), None)


def test_events_keep_their_names() -> None:
    said = [(True, frames.HELLO + frames.ASKED), (False, frames.SETTINGS + frames.ANSWERED)]
    read = Pipeline(events=True, redactor=Redactor(parse_selectors(FIELDS)))
    messages = [one for packet in http2s.talked(said) for one in read.feed(packet).messages]
    events = [one.method for one in messages if one.type is MessageType.EVENT]
    assert events == ["preface", "SETTINGS", "SETTINGS"]
