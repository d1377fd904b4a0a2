"""Names that are in the capture itself: a server told them to whoever asked (reflection)."""

from __future__ import annotations

from http2s import (
    DATA,
    END_STREAM,
    OPENING,
    Said,
    enveloped,
    frame,
    request,
    response,
    talked,
    trailers,
)

from pingpong import read_packets
from pingpong.model import Severity

ASK = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


def part(number: int, content: bytes | str | int) -> bytes:
    """A field of protobuf: a number, or bytes with their length."""
    if isinstance(content, int):
        return bytes((number << 3, content))
    raw = content.encode() if isinstance(content, str) else content
    return bytes((number << 3 | 2, len(raw))) + raw


def field(number: int, name: str) -> bytes:
    """A FieldDescriptorProto: an optional string."""
    return part(1, name) + part(3, number) + part(4, 1) + part(5, 9)


GET_METHOD = part(1, "Get") + part(2, ".shop.Query") + part(3, ".shop.Answer")

# shop.proto, as protoc's FileDescriptorProto: Get(Query) returns (Answer).
FILE = (
    part(1, "shop.proto")
    + part(2, "shop")
    + part(4, part(1, "Query") + part(2, field(1, "sku")))
    + part(4, part(1, "Answer") + part(2, field(2, "colour")))
    + part(6, part(1, "Orders") + part(2, GET_METHOD))
    + part(12, "proto3")
)  # fmt: skip


def call(stream: int, path: str, body: bytes, answer: bytes) -> list[Said]:
    asked = request(stream, path) + frame(DATA, END_STREAM, stream, enveloped(body))
    return [
        (True, asked),
        (False, response(stream) + frame(DATA, 0, stream, enveloped(answer)) + trailers(stream)),
    ]


GET = ("/shop.Orders/Get", part(1, "tea"), part(2, "green"))
REFLECTED = (ASK, part(4, "shop.Orders"), part(4, part(1, FILE)))


def test_what_a_server_tells_names_the_calls_before_and_behind() -> None:
    said = [*OPENING, *call(1, *GET), *call(3, *REFLECTED), *call(5, *GET)]
    capture = read_packets(talked(said))
    for number in (0, 4):
        asked, answered = capture.messages[number], capture.messages[number + 1]
        assert asked.body.plain == {"sku": "tea"}
        assert answered.body.plain == {"colour": "green"}
    (note,) = [one for one in capture.findings if "reflection" in one.text]
    assert note.severity is Severity.NOTE


def test_nothing_else_is_taken_for_names() -> None:
    """The same bytes in another call; and a file that is none."""
    for told in (("/shop.Orders/Put", *REFLECTED[1:]), (ASK, b"", part(4, part(1, FILE[:41])))):
        capture = read_packets(talked([*OPENING, *call(1, *told), *call(3, *GET)]))
        assert capture.messages[2].names is None
        assert capture.messages[2].body.plain == {1: "tea"}
