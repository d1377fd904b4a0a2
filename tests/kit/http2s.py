"""HTTP/2 for tests: frames written by hand, and the conversations of captures, to be cut anew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from making import Talk
from places import SHARED

from pingpong.calls.exchanges import Pairing
from pingpong.capture import Pipeline, interface_of
from pingpong.model import Chunk, Exchange, Message, Packet
from pingpong.protocols.framings.h2 import PREFACE
from pingpong.wire.capturefile import open_capture
from pingpong.wire.link import TCP, Peeler
from pingpong.wire.streams import Connections

CAPTURES = SHARED / "captures"
IDL = str(CAPTURES / "relatives/shop.binpb")

# By folder; those of x_* in which somebody speaks HTTP/2.
NAMES = {
    "relatives": (
        *("grpc_node_gzip", "grpc_node_rich", "grpc_node_rich_midstream", "grpc_py_goaway"),
        *("grpc_py_many", "grpc_py_rich", "grpc_py_stream", "grpc_toomanypings", "h2_nghttp"),
        *("triple_java_rich", "triple_py_rich"),
    ),
    "family": (
        *("grpc", "granian_h2", "hypercorn_h2", "triple"),
        *("x_dubbocli_grpcsrv", "x_dubbopy_node", "x_grpccli_dubbosrv"),
    ),
}
PATHS = {name: CAPTURES / folder / f"{name}.pcap" for folder in NAMES for name in NAMES[folder]}

Said = tuple[bool, bytes]


def packets_of(path: Path) -> list[Packet]:
    with open_capture(path) as file:
        return list(file)


class Read:
    """What a pipeline gives for packets, with what connections say for themselves."""

    def __init__(
        self, packets: Iterable[Packet], idl: str | None = None, events: bool = True
    ) -> None:
        pairing = Pairing()
        self.pipeline = Pipeline(
            events=events, pairing=pairing, interface=interface_of(idl) if idl else None
        )
        self.messages: list[Message] = []
        for packet in packets:
            self.messages += self.pipeline.feed(packet).messages
        self.messages += self.pipeline.close().messages
        self.exchanges: list[Exchange] = sorted(pairing.take(), key=lambda one: one.number)


def conversations(path: Path) -> list[list[Said]]:
    """What the ends of each connection said, in the order of the packets."""
    peeler, connections = Peeler(), Connections()
    found: dict[int, list[Said]] = {}
    for packet in packets_of(path):
        segment = peeler.segment(packet)
        if segment is None or segment.protocol != TCP:
            continue
        connection, _ = connections.of(segment)
        to_server, to_client, _ = connection.add(segment)
        for by_client, pieces in ((True, to_server), (False, to_client)):
            for piece in pieces:
                if isinstance(piece, Chunk):
                    said = found.setdefault(connection.flow.number, [])
                    said.append((by_client, piece.data))
    return list(found.values())


def talked(said: Iterable[Said], size: int = 0, first: int = 0) -> list[Packet]:
    """The packets of a connection in which that is said, ``size`` bytes in each; the first has
    ``first``."""
    talk = Talk().open()
    for by_client, data in said:
        at = 0
        while at < len(data):
            step = (first if first and not at else size) or len(data)
            talk.send(by_client, data[at : at + step])
            at += step
    return talk.close().packets


# ── Written by hand ──────────────────────────────────────────────────────────────────

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
    )


def _string(text: bytes) -> bytes:
    if len(text) < 127:
        return bytes((len(text),)) + text
    out, left = bytearray(b"\x7f"), len(text) - 127
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    return bytes(out) + bytes((left,)) + text


def block(**headers: str | bytes) -> bytes:
    """A header block, each header a literal that is not added; ``_`` in a name is ``-``, and two of
    them at its beginning a colon."""
    out = b""
    for key, value in headers.items():
        name = (":" + key[2:] if key.startswith("__") else key.replace("_", "-")).encode()
        out += (
            b"\0" + _string(name) + _string(value if isinstance(value, bytes) else value.encode())
        )
    return out


def request(stream: int, path: str = "/shop.Orders/Get", end: bool = False, **also: str) -> bytes:
    said: dict[str, str | bytes] = {"__method": "POST", "__path": path, "__scheme": "http"}
    said |= {"content_type": "application/grpc", "te": "trailers", **also}
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block(**said))


def response(stream: int, **also: str) -> bytes:
    said: dict[str, str | bytes] = {"__status": "200", "content_type": "application/grpc", **also}
    return frame(HEADERS, END_HEADERS, stream, block(**said))


def trailers(stream: int, status: str = "0", **also: str) -> bytes:
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, block(grpc_status=status, **also))


def enveloped(body: bytes, flag: int = 0) -> bytes:
    return bytes((flag,)) + len(body).to_bytes(4, "big") + body


OPENING: list[Said] = [(True, PREFACE + frame(SETTINGS, 0, 0)), (False, frame(SETTINGS, 0, 0))]
