"""What Thrift's relatives say, for fuzz.py to spoil: conversations, bodies and header blocks.

They are from the captures beside the checkout, if it has them, and written by frames.py.  What is
read of captures is read with the line that is tried: a seed need not be true, only near to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import frames
from http2s import CAPTURES, PATHS, Said, conversations, enveloped

from pingpong.capture import read
from pingpong.protocols.framings.h2 import PREFACE, parts, read_frame

__all__ = ["Said", "blocks", "bodies", "said_in", "talks", "written"]

# Captures in which each is spoken, by the words that their names begin with.
_SPOKEN: Final = {
    "http1": ("connect_node", "rpcx_gateway", "uvicorn", "triple_node_h1", "std"),
    "grpc-web": ("connect_node_grpcweb",),
    "dubbo": ("dubbo2_java_rich", "dubbo2_java_heartbeat", "dubbo2_telnet", "dubbo2_apachejs"),
    "motan": ("motan", "java_motan"),
    "rpcx": ("rpcx_",),
}

_POST: Final = b"POST /shop.Orders/Get HTTP/1.1\r\nHost: a\r\nContent-Type: application/"
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/"


def _http(kind: bytes, asked: bytes, answer: bytes) -> list[Said]:
    asks = _POST + kind + b"\r\nContent-Length: %d\r\n\r\n" % len(asked) + asked
    size = b"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(answer)
    return [(True, asks), (False, _OK + kind + size + answer + b"\r\n0\r\n\r\n")]


_IN_WEB: Final = enveloped(b"\x08\x02") + enveloped(b"grpc-status: 0\r\n", 0x80)

_WRITTEN: Final[dict[str, list[Said]]] = {
    "http2": [(True, frames.HELLO + frames.ASKED), (False, frames.SETTINGS + frames.ANSWERED)],
    "http1": _http(b"json", b'{"id": 1, "name": "a\xc3\xa9"}', b'{"price": 1.5, "tags": []}'),
    "grpc-web": _http(b"grpc-web+proto", enveloped(b"\x08\x01\x12\x01a"), _IN_WEB),
    "dubbo": [
        (True, frames.dubbo_heartbeat(1) + frames.dubbo_call(2, types="I", values=b"\x91", a="b")),
        (False, frames.dubbo_alive(1) + frames.dubbo_reply(2) + frames.dubbo_error(3, 100, "full")),
        (True, frames.DUBBO_READONLY),
    ],
    "motan": [
        (True, frames.motan2_call(1) + frames.motan2_heartbeat(2) + frames.motan1_call(3)),
        (False, frames.motan2_reply(1) + frames.motan2_heartbeat(2, True) + frames.motan1_reply(3)),
        (False, frames.motan2_error(4, 400, "no") + frames.motan1_error(5, 503, "busy")),
    ],
    "rpcx": [
        (True, frames.rpcx_call(1, a="b") + frames.rpcx_heartbeat(2)),
        (False, frames.rpcx_reply(1) + frames.rpcx_heartbeat(2, True) + frames.rpcx_error(3, "no")),
    ],
}


@cache
def talks(kind: str) -> list[list[Said]]:
    """What the ends of connections of that kind said, in turn: one written here, then captures'."""
    if kind == "http2":
        paths = list(PATHS.values())
    else:
        words = _SPOKEN[kind]
        found = [*CAPTURES.glob("relatives/*.pcap"), *CAPTURES.glob("family/*.pcap")]
        paths = [one for one in sorted(found) if one.name.startswith(words)]
    known = [path for path in paths if path.is_file() and path.stat().st_size < 2_000_000]
    return [_WRITTEN[kind], *(one for path in known for one in conversations(path) if one)]


# Who sends the bytes that follow.
_TURN: Final = re.compile(rb"\n(>>>|<<<)\n")


def written(said: Sequence[Said]) -> bytes:
    """A conversation as one input, of which any part can be left out."""
    return b"".join((b"\n>>>\n" if by else b"\n<<<\n") + data for by, data in said)


def said_in(data: bytes) -> list[Said]:
    """The conversation that an input is."""
    cut = _TURN.split(data)
    turns = [(turn == b">>>", part) for turn, part in zip(cut[1::2], cut[2::2], strict=True)]
    return [one for one in [(True, cut[0]), *turns] if one[1]]


@cache
def blocks() -> list[list[bytes]]:
    """The header blocks that one end of a connection sent, for many ends."""
    found = []
    for talk in talks("http2"):
        for end in (True, False):
            stream = b"".join(data for by_client, data in talk if by_client is end)
            some = _blocks(stream.removeprefix(PREFACE))
            if some:
                found.append(some[:12])
    return found


def _blocks(stream: bytes) -> list[bytes]:
    found = []
    at = 0
    while (frame := read_frame(stream, at, len(stream))) is not None and frame.stop <= len(stream):
        if frame.kind == 1 and frame.flags & 4:
            found.append(parts(stream, frame, len(stream)).content.of(stream))
        at = frame.stop
    return found


# Captures whose messages have bodies in each encoding, or hold some.
_BODIES: Final = {
    "hessian2": ("dubbo2_java_rich", "motan_java_motan_hessian2_rich"),
    "java-stream": ("dubbo2_java_ser_java", "motan_java_motan_hessian2_rich"),
    "msgpack": ("rpcx_msgpack_rich",),
    "protobuf": ("grpc_node_rich", "rpcx_protobuf_rich"),
    "motan-simple": ("motan2_go_simple",),
    "breeze": ("motan2_go_breeze",),
    "plain-json": ("connect_node_connect", "rpcx_json_concurrent"),
}
_OWN: Final = {
    "hessian2": frames.text("a") + frames.thrown("a.B", "no") + b"H\x01a\x91Z",
    "java-stream": bytes.fromhex("aced0005 7a00000004 01020304 70 74000161"),
    "msgpack": bytes.fromhex("82 a161 93 01 c0 cb3ff8000000000000 a162 c403010203"),
    "protobuf": bytes.fromhex("0801 120361c3a9 1a0408011002 21000000000000f83f 3d0000803f"),
    "motan-simple": bytes.fromhex("01 00000001 61"),
    "breeze": bytes.fromhex("3f 0161"),
    "plain-json": b'{"a": [1, -2.5e3, "\\u00e9\\ud83d\\ude00", null], "b": {"c": true}}',
}


@cache
def bodies(encoding: str) -> list[bytes]:
    """What messages of captures hold in that encoding, or in one that begins with its name."""
    found = [_OWN[encoding]]
    for name in _BODIES[encoding]:
        path = CAPTURES / "relatives" / f"{name}.pcap"
        if path.is_file():
            for one in read(str(path)).messages:
                # Another encoding's body may hold one of this: it is found at any place in it.
                found.append(one.data[one.header.span.stop : one.stop][:2000])
    return [one for one in dict.fromkeys(found) if one]
