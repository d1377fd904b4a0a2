"""Foreign witnesses: what Apache's libraries for C++ and for Node write, we read.

    VALUES ─▶ a line for each call of a protocol's API ─▶ foreign/write.cpp, write.js
      └──────────────── must be equal ──────── pingpong ◀─┘ bytes of each message

The writers know no values of their own and need no compiler of interfaces.  Each runs where
its library is installed: for C++ libthrift-dev with libboost-dev and g++, for Node the
package ``thrift``, in the folder that PINGPONG_NODE_MODULES names.
"""

from __future__ import annotations

import base64
import itertools
import math
import os
import random
import shutil
import struct
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from places import TESTS

from pingpong.model import (
    DEFAULT_LIMITS,
    MESSAGE_TYPES,
    Chunk,
    Endpoint,
    Entries,
    Header,
    Items,
    Message,
    MessageType,
    Protocol,
    Severity,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.encodings.binary import BINARY, WIRE_TYPES
from pingpong.protocols.encodings.compact import COMPACT
from pingpong.protocols.encodings.thrift_json import JSON
from pingpong.protocols.explain import check_cover, explain
from pingpong.protocols.families.thrift.transports import ALL
from pingpong.protocols.reader import Found, MessageReader

pytestmark = pytest.mark.once

FOREIGN = TESTS / "protocols" / "foreign"

# Those that Thrift has; the others are for other families.
MTYPES = MESSAGE_TYPES[1:5]

# ── Values ───────────────────────────────────────────────────────────────────────────


class Typed(NamedTuple):
    """A value to write.  A STRUCT's content is a list of ids and values, a LIST's or SET's its
    element type and its values, a MAP's two types and pairs; bytes are binary, str is text."""

    ttype: TType
    content: Any


@dataclass
class Sent:
    """A message to write."""

    method: str
    type: MessageType
    seqid: int
    args: Typed


def boolean(value: bool) -> Typed:
    return Typed(TType.BOOL, value)


def i8(value: int) -> Typed:
    return Typed(TType.I8, value)


def i16(value: int) -> Typed:
    return Typed(TType.I16, value)


def i32(value: int) -> Typed:
    return Typed(TType.I32, value)


def i64(value: int) -> Typed:
    return Typed(TType.I64, value)


def double(value: float) -> Typed:
    return Typed(TType.DOUBLE, value)


def string(value: str | bytes) -> Typed:
    return Typed(TType.STRING, value)


def structure(*fields: tuple[int, Typed]) -> Typed:
    return Typed(TType.STRUCT, list(fields))


def items(ttype: TType, element: TType, *values: Typed) -> Typed:
    return Typed(ttype, (element, list(values)))


def entries(key: TType, value: TType, *pairs: tuple[Typed, Typed]) -> Typed:
    return Typed(TType.MAP, (key, value, list(pairs)))


def _nested(depth: int) -> Typed:
    value = structure((1, i32(depth)))
    for _ in range(depth):
        value = structure((2, items(TType.LIST, TType.STRUCT, value)), (3, boolean(True)))
    return value


B, L, S = TType.BOOL, TType.LIST, TType.SET
TEXTS = ("", "root", "登录成功!", 'a "quote" \\ / \t\n\r\x01', "\x7f é € 😀", "x" * 300)
# A field's value each: its name says what is special about it.
VALUES: dict[str, list[Typed]] = {
    "bools": [boolean(True), boolean(False)],
    "i8": [i8(n) for n in (0, 1, -1, 127, -128)],
    "i16": [i16(n) for n in (0, -1, 63, 64, -64, -65, 2**15 - 1, -(2**15))],
    "i32": [i32(n) for n in (0, -1, 2**31 - 1, -(2**31), 8191, 8192)],
    "i64": [i64(n) for n in (0, -1, 2**63 - 1, -(2**63), 2**53 + 1, -(2**53) - 1)],
    "doubles": [double(x) for x in (0.0, 1.0, -2.5, 1e-300, 1.7e308, math.pi, -0.1, 2.0**60)],
    "small doubles": [double(x) for x in (5e-324, -5e-324, 2.2e-308, 2.3e-308, 4.94e-322)],
    "no numbers": [double(x) for x in (math.inf, -math.inf, math.nan)],
    "texts": [string(text) for text in TEXTS],
    "binary": [string(bytes(range(256))), string(b"\xff\xfe"), string(b"x")],
    "lists of bools": [
        items(L, B, *(boolean(n % 3 == 0) for n in range(size))) for size in (0, 1, 14, 15, 16, 300)
    ],
    "lists": [
        items(L, TType.I64, *(i64(n << 40) for n in range(-9, 9))),
        items(L, TType.DOUBLE, double(0.5)),
        items(L, L, items(L, B, boolean(True)), items(L, B), items(L, B, boolean(False))),
        items(L, TType.STRUCT, structure(), structure((1, boolean(False)))),
        items(L, TType.MAP, entries(TType.STRING, TType.I8), entries(TType.I8, B)),
    ],
    "sets": [items(S, TType.STRING, string("a"), string("")), items(S, TType.I16), items(S, B)],
    "maps": [
        entries(TType.STRING, TType.I32, (string("a"), i32(-1)), (string("登"), i32(1))),
        entries(TType.I32, TType.STRUCT, (i32(1), structure((1, boolean(True))))),
        entries(TType.I64, L, (i64(-5), items(L, TType.I8, i8(1)))),
        entries(TType.DOUBLE, TType.DOUBLE, (double(1.5), double(-1.5))),
        entries(B, B, (boolean(True), boolean(False)), (boolean(False), boolean(True))),
        entries(TType.STRING, TType.STRING),
    ],
    "structs": [structure(), structure((1, structure((1, structure())))), _nested(12)],
}
IDS = {
    "rising": (1, 2, 3, 17, 18, 34, 32767),
    "falling": (300, 200, 100, 99, 1),
    "negative": (-1, -2, -32768, 0, 5),
}


def fixed() -> list[Sent]:
    mtypes = itertools.cycle(MTYPES)
    seqids = itertools.cycle((0, 1, -1, 127, 128, 2**31 - 1, -(2**31)))
    sent = [
        Sent(name.replace(" ", "_"), next(mtypes), next(seqids), structure(*enumerate(values, 1)))
        for name, values in VALUES.items()
    ]
    for name, ids in IDS.items():
        for value in (boolean(True), i32(-7), string("x"), structure()):
            args = structure(*((field_id, value) for field_id in ids))
            sent.append(Sent(name, next(mtypes), next(seqids), args))
    sent.append(Sent("ping", MessageType.CALL, 7, structure()))
    sent.append(Sent("登录.Service:m-1", MessageType.CALL, 7, structure()))
    return sent


CONTAINERS = (TType.STRUCT, TType.MAP, TType.SET, TType.LIST)
SCALARS = tuple(t for t in WIRE_TYPES if t not in (*CONTAINERS, TType.STOP, TType.UUID))


def any_value(rng: random.Random, ttype: TType, depth: int) -> Typed:
    if ttype is TType.BOOL:
        return boolean(rng.random() < 0.5)
    if ttype is TType.DOUBLE:
        return double(
            rng.choice((rng.random(), rng.uniform(-1e9, 1e9), float(rng.getrandbits(40))))
        )
    if ttype is TType.STRING:
        size = rng.choice((0, 1, 5, 127, 128, 200))
        if rng.random() < 0.5:
            return string(rng.randbytes(size))
        return string("".join(rng.choice('ab"\\é登\n/') for _ in range(size)))
    if ttype in SCALARS:
        bits = {TType.I8: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}[ttype]
        width = rng.randint(1, bits)
        return Typed(ttype, rng.getrandbits(width) - (1 << (width - 1)))
    if ttype is TType.STRUCT:
        ids = sorted(rng.sample(range(-20, 60), rng.randint(0, 5)))
        return structure(*((n, any_value(rng, any_type(rng, depth), depth - 1)) for n in ids))
    size = rng.choice((0, 1, 2, 16))
    element = any_type(rng, depth)
    if ttype is not TType.MAP:
        values = (any_value(rng, element, depth - 1) for _ in range(size))
        return items(ttype, element, *values)
    key = rng.choice(SCALARS)
    pairs = {repr(k): k for k in (any_value(rng, key, 0) for _ in range(size))}.values()
    return entries(key, element, *((k, any_value(rng, element, depth - 1)) for k in pairs))


def any_type(rng: random.Random, depth: int) -> TType:
    return rng.choice(SCALARS if depth <= 0 else SCALARS + CONTAINERS)


def pseudo_random(seed: int, count: int) -> list[Sent]:
    rng = random.Random(seed)
    return [
        Sent(
            f"m{number}",
            rng.choice(MTYPES),
            rng.getrandbits(32) - 2**31,
            any_value(rng, TType.STRUCT, 4),
        )
        for number in range(count)
    ]


# ── Calls of a protocol's API, a line each ───────────────────────────────────────────

SCALAR_CALLS = {TType.I8: "byte", TType.I16: "i16", TType.I32: "i32", TType.I64: "i64"}


def script(messages: list[Sent]) -> str:
    lines: list[str] = []
    for message in messages:
        method = message.method.encode().hex()
        lines.append(f"message {method} {message.type.value} {message.seqid}")
        _calls(lines, message.args)
        lines.append("messageEnd")
    return "\n".join(lines) + "\n"


def _calls(lines: list[str], value: Typed) -> None:
    ttype, content = value
    if ttype is TType.STRUCT:
        lines.append("struct")
        for field_id, inner in content:
            lines.append(f"field {inner.ttype.value} {field_id}")
            _calls(lines, inner)
            lines.append("fieldEnd")
        lines.append("structEnd")
    elif ttype in (TType.LIST, TType.SET):
        element, values = content
        name = ttype.name.lower()
        lines.append(f"{name} {element.value} {len(values)}")
        for inner in values:
            _calls(lines, inner)
        lines.append(f"{name}End")
    elif ttype is TType.MAP:
        key, inner_type, pairs = content
        lines.append(f"map {key.value} {inner_type.value} {len(pairs)}")
        for pair in pairs:
            for inner in pair:
                _calls(lines, inner)
        lines.append("mapEnd")
    elif ttype is TType.BOOL:
        lines.append(f"bool {int(content)}")
    elif ttype is TType.DOUBLE:
        lines.append(f"double {struct.pack('>d', content).hex()}")
    elif ttype is TType.UUID:
        lines.append(f"uuid {content}")
    elif isinstance(content, str):
        lines.append(f"string {content.encode().hex()}")
    elif isinstance(content, bytes):
        lines.append(f"binary {content.hex()}")
    else:
        lines.append(f"{SCALAR_CALLS[ttype]} {content}")


# ── The same shape, of what was written and of what was read ─────────────────────────


Binary = Callable[[bytes], bytes]


def base64_unpadded(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


# How binary stands in the wire's strings.  In JSON, C++ does not pad it and Node does.
AS_IT_IS: list[Binary] = [bytes]
IN_JSON: list[Binary] = [base64_unpadded, base64.b64encode]


def wanted(value: Typed, binary: Binary) -> Any:
    """What reading that value has to give."""
    ttype, content = value
    if ttype is TType.STRUCT:
        return "STRUCT", [(field_id, wanted(inner, binary)) for field_id, inner in content]
    if ttype in (TType.LIST, TType.SET):
        return ttype.name, content[0].name, [wanted(inner, binary) for inner in content[1]]
    if ttype is TType.MAP:
        pairs = [(wanted(key, binary), wanted(inner, binary)) for key, inner in content[2]]
        # The types of an empty map are not on every wire.
        return "MAP", [t.name for t in content[:2]] if pairs else [], pairs
    if isinstance(content, bytes):
        return ttype.name, binary(content)
    if isinstance(content, str):
        return ttype.name, content.encode()
    return ttype.name, repr(content) if isinstance(content, float) else content


def seen(value: Value) -> Any:
    """What was read, in the shape of ``wanted``."""
    content = value.content
    if isinstance(content, Struct):
        return "STRUCT", [(field.field_id, seen(field.value)) for field in content.fields]
    if isinstance(content, Items):
        return value.ttype.name, content.element_type.name, [seen(item) for item in content.items]
    if isinstance(content, Entries):
        pairs = [(seen(key), seen(inner)) for key, inner in content.items]
        types = [content.key_type.name, content.value_type.name] if pairs else []
        return "MAP", types, pairs
    return value.ttype.name, repr(content) if isinstance(content, float) else content


# ── The writers ──────────────────────────────────────────────────────────────────────

Writer = Callable[[str, str, str], list[bytes]]


def _run(command: list[str], text: str, environment: dict[str, str]) -> list[bytes]:
    done = subprocess.run(
        command,
        input=text.encode(),
        capture_output=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    blobs = []
    at = 0
    while at < len(done.stdout):
        size = int.from_bytes(done.stdout[at : at + 4], "big")
        blobs.append(done.stdout[at + 4 : at + 4 + size])
        at += 4 + size
    return blobs


@pytest.fixture(scope="session")
def cpp(tmp_path_factory: pytest.TempPathFactory) -> Writer:
    """Apache's library for C++: its writer, compiled."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    if not Path("/usr/include/thrift/protocol/TProtocol.h").exists():
        pytest.skip("Thrift's C++ headers are not installed (Debian's libthrift-dev)")
    if not Path("/usr/include/boost/numeric/conversion/cast.hpp").exists():
        pytest.skip("Thrift's C++ headers want Boost's (Debian's libboost-dev)")
    program = tmp_path_factory.mktemp("foreign") / "write"
    libraries = ("-lthriftz", "-lthrift", "-lz")
    source = str(FOREIGN / "write.cpp")
    subprocess.run(
        [compiler, "-std=c++17", "-O0", "-o", str(program), source, *libraries],
        check=True,
        timeout=300,
    )
    return lambda dialect, packing, text: _run([str(program), dialect, packing], text, {})


@pytest.fixture(scope="session")
def node() -> Writer:
    """Apache's library for Node."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed")
    folder = os.environ.get("PINGPONG_NODE_MODULES", "")
    environment = {"NODE_PATH": folder, "NODE_NO_WARNINGS": "1"}
    found = subprocess.run(
        [program, "-e", "require('thrift')"],
        env={**os.environ, **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )
    if found.returncode != 0:
        why = next((line for line in found.stderr.decode().splitlines() if "Error" in line), "")
        pytest.skip(
            f"node cannot load the package thrift (npm install thrift, and name its node_modules "
            f"in PINGPONG_NODE_MODULES): {why}"
        )
    writer = str(FOREIGN / "write.js")
    return lambda dialect, packing, text: _run(
        [program, writer, dialect, packing], text, environment
    )


# ── Reading ──────────────────────────────────────────────────────────────────────────

PROTOCOLS: dict[str, Protocol] = {"binary": BINARY, "compact": COMPACT, "json": JSON}


def read(stream: list[bytes]) -> list[Message]:
    """All that one direction said, a piece a message."""
    reader = MessageReader(True, DEFAULT_LIMITS)
    found: list[Found] = []
    offset = 0
    for piece in stream:
        found += reader.feed(Chunk(offset, piece))
        offset += len(piece)
    found += reader.close("the bytes end")
    assert reader.findings == [], reader.detection
    return [as_message(one) for one in found]


def as_message(found: Found) -> Message:
    return made(found.header, found.data, found.protocol, found.transport)


def made(header: Header, data: bytes, protocol: Protocol, transport: str) -> Message:
    return Message(
        header=header,
        data=data,
        protocol=protocol,
        transport=next(one for one in ALL if one == transport),
        client=Endpoint("127.0.0.1", 50001),
        server=Endpoint("127.0.0.1", 9090),
        from_client=True,
    )


def check(message: Message, sent: Sent) -> None:
    assert (message.method, message.type, message.seqid) == (sent.method, sent.type, sent.seqid)
    body = Value(TType.STRUCT, message.body, message.header.span)
    ways = IN_JSON if message.protocol is JSON else AS_IT_IS
    assert seen(body) in [wanted(sent.args, binary) for binary in ways], sent.method
    assert message.body.stop is not None
    assert all(found.severity < Severity.ERROR for found in message.findings), message.findings
    check_cover(explain(message), len(message.data))


WRITERS = ("cpp", "node")


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> Writer:
    found: Writer = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_message(writer: Writer, protocol: str, seed: int) -> None:
    """Message by message: the reader gives the values, the skipper the end."""
    reads = PROTOCOLS[protocol]
    sent = fixed() + pseudo_random(seed, 150)
    blobs = writer(protocol, "buffered", script(sent))
    assert len(blobs) == len(sent)
    for blob, one in zip(blobs, sent, strict=True):
        header = reads.read_header(blob, 0, len(blob), DEFAULT_LIMITS)
        assert reads.skipper(0, DEFAULT_LIMITS).advance(blob, len(blob)) == len(blob)
        check(made(header, blob, reads, "unframed"), one)


# What only one of the two writes: C++ 0.17 has no UUID yet; Node drops the sign of -0.0, and
# in JSON the first of two fields with the same id.
UUIDS = [
    Typed(TType.UUID, uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")),
    Typed(TType.UUID, uuid.UUID(int=0)),
]
ALONE = {
    "cpp": structure((1, double(-0.0)), (2, items(L, TType.DOUBLE, double(-0.0))), (2, i8(1))),
    "node": structure((1, UUIDS[0]), (2, items(L, TType.UUID, *UUIDS)), (3, UUIDS[1])),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("who", WRITERS)
def test_what_one_alone_writes(request: pytest.FixtureRequest, who: str, protocol: str) -> None:
    writer: Writer = request.getfixturevalue(who)
    sent = Sent("alone", MessageType.CALL, 1, ALONE[who])
    (blob,) = writer(protocol, "buffered", script([sent]))
    reads = PROTOCOLS[protocol]
    check(
        made(reads.read_header(blob, 0, len(blob), DEFAULT_LIMITS), blob, reads, "unframed"), sent
    )


# What each library can wrap a protocol in, and what we call it.
WRAPPED = [
    (who, *row)
    for who, rows in {
        "cpp": [
            ("binary", "buffered", "binary", "unframed"),
            ("binary", "framed", "binary", "framed"),
            ("compact", "buffered", "compact", "unframed"),
            ("compact", "framed", "compact", "framed"),
            ("header-binary", "buffered", "binary", "theader"),
            ("header-compact", "buffered", "compact", "theader"),
            ("binary", "http", "binary", "http"),
            ("compact", "zlib", "compact", "zlib"),
            ("json", "buffered", "json", "unframed"),
            ("json", "framed", "json", "framed"),
        ],
        "node": [
            ("binary", "framed", "binary", "framed"),
            ("compact", "framed", "compact", "framed"),
            ("header-binary", "buffered", "binary", "theader"),
            ("header-compact", "buffered", "compact", "theader"),
            ("json", "framed", "json", "framed"),
        ],
    }.items()
    for row in rows
]


@pytest.mark.parametrize(("who", "dialect", "packing", "protocol", "transport"), WRAPPED)
def test_a_stream_of_them(
    request: pytest.FixtureRequest,
    who: str,
    dialect: str,
    packing: str,
    protocol: str,
    transport: str,
) -> None:
    """As a connection: the dialect is recognised, and every message found."""
    writer: Writer = request.getfixturevalue(who)
    hello = Sent("hello", MessageType.CALL, 1, structure((1, i32(1))))
    sent = [hello, *fixed(), *pseudo_random(3, 50)]
    found = read(writer(dialect, packing, script(sent)))
    assert {(one.protocol.name, one.transport) for one in found} == {(protocol, transport)}
    assert len(found) == len(sent)
    for message, one in zip(found, sent, strict=True):
        check(message, one)
