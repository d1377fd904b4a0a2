"""Hostile input for every reader: by hand for as long as you like, in CI for a few examples.

    python tests/kit/fuzz.py pipeline compact --seconds 600     python tests/kit/fuzz.py --list

A target makes an input from a random number, by mutating what is good, and runs it.  An
input is bytes, whatever the target: a message, one direction of a connection, a capture.
Whatever they are, these hold:

    nothing is raised but what errors.py names, where it may be
    every byte of a message has exactly one note; spans lie inside those around them
    the reader and the skipper agree; how the bytes were cut does not matter
    memory is bounded by the size of the input, and so is the number of calls made

Run by hand, it prints the slowest input, and saves it with each that failed.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import itertools
import json as stdlib_json
import random
import re
import struct
import sys
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import payloads
import seeds
from http2s import talked
from places import ROOT, SHARED
from tls_talks import EARLY_TAKEN, Sealer, handshake, record
from tls_talks import talked as tls_packets

from pingpong import views
from pingpong.calls.exchanges import Pairing
from pingpong.capture import Capture, Pipeline, decode, read_packets
from pingpong.errors import CaptureError, DecodeError
from pingpong.model import (
    DIFFERENCES,
    MESSAGE_TYPES,
    Chunk,
    Endpoint,
    Entries,
    Field,
    Gap,
    Header,
    Items,
    Limits,
    Message,
    Note,
    Packet,
    Protocol,
    Record,
    Severity,
    Span,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.encodings import binary, compact
from pingpong.protocols.encodings import thrift_json as json
from pingpong.protocols.encodings import thriftpy2_json as thriftpy2json
from pingpong.protocols.encodings.breeze import BREEZE
from pingpong.protocols.encodings.hessian2 import HESSIAN2
from pingpong.protocols.encodings.java_stream import JAVA_STREAM
from pingpong.protocols.encodings.motan_simple import MOTAN_SIMPLE
from pingpong.protocols.encodings.msgpack import MSGPACK
from pingpong.protocols.encodings.plain_json import PLAIN_JSON
from pingpong.protocols.encodings.protobuf import PROTOBUF
from pingpong.protocols.explain import check_cover, explain
from pingpong.protocols.families.thrift.deflate import DeflateTransport, FramedDeflateTransport
from pingpong.protocols.families.thrift.http import HttpTransport
from pingpong.protocols.families.thrift.names import (
    BASE_TYPES,
    EnumType,
    FieldType,
    Interface,
    MethodType,
    Service,
    StructType,
    Type,
)
from pingpong.protocols.families.thrift.sasl import SaslTransport
from pingpong.protocols.families.thrift.theader import FramedHeaderTransport, HeaderTransport
from pingpong.protocols.families.thrift.transports import UNFRAMED
from pingpong.protocols.families.thrift.ttheader import TTHeaderTransport
from pingpong.protocols.families.thrift.websocket import WebSocketTransport
from pingpong.protocols.framing import Transport
from pingpong.protocols.framings import h2, hpack
from pingpong.protocols.reader import Found, MessageReader
from pingpong.views.json import exchange_row, listing_row, message_row, total_rows
from pingpong.views.ledger import CallLister, csv_rows
from pingpong.views.listing import listing
from pingpong.views.text import plain
from pingpong.views.tree import tree
from pingpong.wire.capturefile import CaptureFile
from pingpong.wire.link import LINK_NAMES, Peeler
from pingpong.wire.streams import Connection, Connections, Piece

# Small, so that what is allowed to be claimed, or to be unpacked, is soon reached.
LIMITS = Limits(depth=64, frame=1 << 18, message=1 << 18)

# A byte can be a value of its own, with spans and a note: 20 000 empty structs in a list take
# 600 bytes for each byte, read, explained and shown.  A file is read in pieces of 1 MiB, and
# what was packed may unfold to the limit of a message.
MEMORY_A_BYTE = 1000
MEMORY = (4 << 20) + 4 * LIMITS.message
# Listing builds nothing for the fields.
LISTING_A_BYTE = 64

# Calls of functions: the same structs take 360 for each byte, and short messages that are
# read and shown several times up to 350 000 in all.  What was packed may unfold to the limit of
# a message, and takes up to 6 for each byte of that.
CALLS_A_BYTE = 2000
CALLS = 1_000_000 + 8 * LIMITS.message


class Broken(AssertionError):
    """Something that should hold for every input does not."""


class Target(NamedTuple):
    """``make`` an input with random numbers; ``run`` it: it raises if something is wrong, and gives
    what was said of it, for twins.py to compare."""

    make: Callable[[random.Random], bytes]
    run: Callable[[bytes], object]
    memory_a_byte: int = MEMORY_A_BYTE


def demand(claim: bool, otherwise: str) -> None:
    if not claim:
        raise Broken(otherwise)


# ── Mutating bytes ───────────────────────────────────────────────────────────────────

INTERESTING = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0x81,
    0xFF,
    0x0B,
    0x0C,
    0x0D,
    0x0F,
    ord('"'),
    ord("["),
    ord("{"),
)
LENGTHS = (0, 1, -1, 4, 0x7FFFFFFF, -0x80000000, 16_384_000, 16_384_001, 255, 256, 65_535, 65_536)


def mutate(rng: random.Random, data: bytes, other: bytes = b"") -> bytes:
    """``data`` with a few things wrong."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        _mutate_once(rng, out, other)
    return bytes(out)


def _mutate_once(rng: random.Random, out: bytearray, other: bytes) -> None:
    at = rng.randrange(len(out) + 1)
    size = rng.choice((1, 1, 2, 4, 8, 30))
    kind = rng.randrange(10)
    if kind == 0 and out:
        out[at % len(out)] ^= 1 << rng.randrange(8)
    elif kind == 1 and out:
        out[at % len(out)] = rng.choice(INTERESTING)
    elif kind == 2 and out:
        out[at % len(out)] = rng.randrange(256)
    elif kind == 3:
        order = rng.choice("<>")
        out[at : at + 4] = struct.pack(order + "i", rng.choice((*LENGTHS, len(out), len(out) - at)))
    elif kind == 4:
        out[at:at] = rng.randbytes(size)
    elif kind == 5:
        del out[at : at + size]
    elif kind == 6:
        out[at:at] = out[at : at + size] * rng.choice((1, 2, 20))
    elif kind == 7:
        del out[at:]
    elif kind == 8 and other:
        start = rng.randrange(len(other))
        out[at : at + size] = other[start : start + rng.choice((size, 4 * size))]
    else:
        start = rng.randrange(len(out) + 1)
        out[at:at] = out[start : start + size]


def noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 7, 8, 40, 300)))


# ── Seeds: messages ──────────────────────────────────────────────────────────────────

NOWHERE = Span(0, 0)


def _value(ttype: TType, content: Any) -> Value:
    return Value(ttype, content, NOWHERE)


def _struct(*fields: tuple[int, Value]) -> Struct:
    return Struct(
        tuple(Field(field_id, value, NOWHERE, f"f{field_id}") for field_id, value in fields),
        NOWHERE,
    )


def _items(ttype: TType, element: TType, *contents: Any) -> Value:
    values = tuple(_value(element, content) for content in contents)
    return _value(ttype, Items(element, len(values), values))


def _entries(key: TType, value: TType, *pairs: tuple[Any, Any]) -> Value:
    items = tuple((_value(key, k), _value(value, v)) for k, v in pairs)
    return _value(TType.MAP, Entries(key, value, len(items), items))


def _deep(depth: int) -> Value:
    value = _struct((1, _value(TType.I32, 1)))
    for _ in range(depth):
        value = _struct((1, _value(TType.STRUCT, value)))
    return _value(TType.STRUCT, value)


def _number(rng: random.Random, bits: int) -> int:
    width = rng.randint(1, bits)
    return rng.getrandbits(width) - (1 << (width - 1))


BITS = {TType.I8: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}
SCALARS = (TType.BOOL, TType.DOUBLE, TType.STRING, *BITS)


def _scalar(rng: random.Random, ttype: TType) -> Any:
    if ttype is TType.BOOL:
        return rng.random() < 0.5
    if ttype is TType.DOUBLE:
        return rng.uniform(-1e9, 1e9)
    if ttype is TType.STRING:
        return rng.choice(
            (b"", b"root", "登录成功!".encode(), rng.randbytes(9), b"x" * 200, b"\x1b[31m")
        )
    return _number(rng, BITS[ttype])


def any_struct(rng: random.Random, depth: int = 3) -> Struct:
    if rng.random() < 0.002:
        empty = (TType.BOOL, True), (TType.STRUCT, _struct()), (TType.STRING, b"")
        element, content = rng.choice(empty)
        return _struct((1, _items(TType.LIST, element, *([content] * 2000))))
    fields = []
    for field_id in sorted(rng.sample(range(-3, 30), rng.randint(0, 5))):
        kind = rng.randrange(8 if depth else 4)
        element = rng.choice(SCALARS)
        size = rng.choice((0, 1, 2, 15, 16))
        if kind < 4:
            value = _value(element, _scalar(rng, element))
        elif kind == 4:
            value = _value(TType.STRUCT, any_struct(rng, depth - 1))
        elif kind == 5:
            ttype = rng.choice((TType.LIST, TType.SET))
            value = _items(ttype, element, *(_scalar(rng, element) for _ in range(size)))
        elif kind == 6:
            key = rng.choice(SCALARS)
            pairs = ((_scalar(rng, key), _scalar(rng, element)) for _ in range(size))
            value = _entries(key, element, *pairs)
        else:
            structs = (any_struct(rng, depth - 1) for _ in range(size % 5))
            value = _items(TType.LIST, TType.STRUCT, *structs)
        fields.append((field_id, value))
    return _struct(*fields)


def _thriftpy2json(header: Header, body: Struct) -> bytes:
    """By the standard library: a map is a list of objects there."""

    def shape(value: Value) -> Any:
        content = value.content
        if isinstance(content, Struct):
            return {field.name: shape(field.value) for field in content.fields}
        if isinstance(content, Items):
            return [shape(item) for item in content.items]
        if isinstance(content, Entries):
            return [{"key": shape(key), "value": shape(item)} for key, item in content.items]
        return content.decode("latin-1") if isinstance(content, bytes) else content

    head = {"version": 1, "name": header.method, "ttype": header.type, "seqid": header.seqid}
    whole = {"metadata": head, "payload": shape(_value(TType.STRUCT, body))}
    text = stdlib_json.dumps(whole).encode()
    return struct.pack(">I", len(text)) + text


def any_message(rng: random.Random, dialect: str) -> bytes:
    """A good message of a dialect."""
    method = rng.choice(("ping", "login", "add", "Svc:m", "x" * 40))
    mtype = rng.choice(MESSAGE_TYPES[1:5])
    body = any_struct(rng) if rng.random() < 0.95 else _struct((1, _deep(rng.choice((40, 63, 70)))))
    seqid = _number(rng, 32)
    header = Header(method, mtype, seqid, True, NOWHERE, NOWHERE)
    if dialect == "json":
        return json.write_message(header, body)
    if dialect == "thriftpy2json":
        return _thriftpy2json(header, body)
    if dialect == "compact":
        return compact.write_header(method.encode(), mtype, seqid) + compact.write_struct(body)
    if dialect == "binary-old":
        name = method.encode()
        head = struct.pack(">i", len(name)) + name + struct.pack(">Bi", mtype, seqid)
        return head + binary.write_struct(body)
    return binary.write_header(method.encode(), mtype, seqid) + binary.write_struct(body)


# ── A message: its reader and its skipper ────────────────────────────────────────────

PROTOCOLS: dict[str, Protocol] = {
    "binary": binary.BINARY,
    "binary-old": binary.OLD_BINARY,
    "compact": compact.COMPACT,
    "json": json.JSON,
    "thriftpy2json": thriftpy2json.THRIFTPY2_JSON,
}


def _make_message(dialect: str) -> Callable[[random.Random], bytes]:
    def make(rng: random.Random) -> bytes:
        good = any_message(rng, dialect)
        if rng.random() < 0.1:
            return good + noise(rng)
        if rng.random() < 0.05:
            return good[:8] + noise(rng)
        return mutate(rng, good, any_message(rng, dialect))

    return make


def _run_message(dialect: str) -> Callable[[bytes], object]:
    protocol = PROTOCOLS[dialect]

    def run(data: bytes) -> object:
        try:
            header = protocol.read_header(data, 0, len(data), LIMITS)
        except DecodeError:
            header = None
        end, refused = skip(protocol, data)
        if header is None:
            demand(end < 0, f"there is no header, and the skipper finds an end at {end}")
            return refused
        demand(
            data[header.method_span.start : header.method_span.stop] != b"" or header.method == "",
            "a method without bytes",
        )
        message = made(header, data, protocol)
        shown = look_at(message)
        if refused:
            errors = [f.text for f in message.findings if f.severity is Severity.ERROR]
            demand(bool(errors), f"the skipper refuses: {refused}; the reader does not")
        elif end >= 0:
            body = protocol.read_struct(data[:end], header.span.stop, end, (), LIMITS)
            # thriftpy2's JSON has a length, whatever is inside.
            ended = body.stop is not None or dialect == "thriftpy2json"
            demand(ended, f"the skipper ends at {end}, the reader does not")
        elif message.body.stop is not None and dialect != "thriftpy2json":
            # JSON closes the message behind the struct.
            errors = [f.text for f in message.findings if f.severity is Severity.ERROR]
            demand(bool(errors), f"the reader ends at {message.body.stop}, the skipper does not")
        return end, refused, shown

    return run


def _interface() -> Interface:
    """An interface that knows some of what ``any_message`` makes, and expects some of it."""
    colour = EnumType("Colour", {0: "RED", 1: "GREEN"})
    own, union = Type(TType.STRUCT, "S", struct="S"), Type(TType.STRUCT, "U", struct="U")
    numbers = BASE_TYPES["i32"]
    known = [
        *BASE_TYPES.values(),
        own,
        union,
        Type(TType.I32, "Colour", enum=colour),
        Type(TType.LIST, "list<S>", element=own),
        Type(TType.SET, "set<i32>", element=numbers),
        Type(TType.MAP, "map<string,U>", key=BASE_TYPES["string"], element=union),
        Type(TType.LIST, "list<U>", element=union),
    ]
    fields = [FieldType(at, f"f{at}", one, at % 5 == 1) for at, one in enumerate(known)]
    methods = [
        MethodType(
            "Svc",
            name,
            name == "m",
            StructType(f"Svc.{name}", "arguments", fields[at:]),
            StructType(f"Svc.{name}", "result", fields[:at], is_void=not at),
        )
        for at, name in enumerate(("ping", "login", "add", "m"))
    ]
    other = [MethodType("T", "add", False, methods[0].arguments, methods[0].result)]
    structs = [StructType("S", "struct", fields), StructType("U", "union", fields[3:9])]
    services = [Service("Svc", "", methods), Service("T", "", other)]
    return Interface("fuzz.thrift", services, structs, [colour])


INTERFACE = _interface()


def make_names(rng: random.Random) -> bytes:
    """A message for the interface, in any dialect; now and then a list of very many structs."""
    if rng.random() < 0.1:
        count = rng.choice((100, 3000))
        ttype, method = rng.choice(((12, b"ping"), (15, b"ping"), (8, b"Svc:ping")))
        element = b"\0" if ttype == 12 else b"\x0c\0\0\0\0" if ttype == 15 else b"\0\0\0\x07"
        head = struct.pack(">bhbi", 15, 12, ttype, count)
        return binary.write_header(method, 1, 0) + head + element * count + b"\0"
    dialect = rng.choice(list(PROTOCOLS))
    return mutate(rng, any_message(rng, dialect), any_message(rng, dialect))


def run_names(data: bytes) -> object:
    """A message held against an interface: names are added, and nothing else."""
    try:
        bare = decode(data, LIMITS)
    except DecodeError as error:
        return error
    message = decode(data, LIMITS, idl=INTERFACE)
    shown = look_at(message)
    for one in message.differences:
        demand(0 <= one.offset < len(message.data), f"{one} is nowhere")
        demand(one.kind in DIFFERENCES, f"{one} is of no kind")
        demand(len(one.text) < 400, "a difference that nobody reads to its end")
    demand(message.faults == bare.faults, "an interface changes what is odd about the bytes")
    message.use_names(None)
    # By their words: a NaN is not equal to itself.
    demand(repr(message.body) == repr(bare.body), "names stay when they are taken away")
    return shown


def skip(protocol: Protocol, data: bytes) -> tuple[int, str]:
    """Where the skipper ends (-1: not yet) and what it refuses; the same for every cut."""
    results = set()
    for step in (len(data) or 1, 1 + len(data) // 3, 7 if len(data) > 600 else 1):
        skipper = protocol.skipper(0, LIMITS)
        end, refused = -1, ""
        try:
            for stop in itertools.chain(range(step, len(data), step), (len(data),)):
                end = skipper.advance(data[:stop], stop)
                if end >= 0:
                    demand(end <= len(data), f"the skipper ends at {end} of {len(data)} bytes")
                    break
        except DecodeError as error:
            refused = str(error)
        results.add((end, refused))
    # A limit is noticed as soon as one byte is there, or only when more are: both are right.
    demand(len({(end, bool(words)) for end, words in results}) == 1, f"cuts differ: {results}")
    return min(results)


def made(header: Header, data: bytes, protocol: Protocol) -> Message:
    return Message(
        header=header,
        data=data,
        protocol=protocol,
        transport=UNFRAMED,
        client=Endpoint("10.0.0.1", 50001),
        server=Endpoint("10.0.0.2", 9090),
        from_client=True,
        limits=LIMITS,
    )


CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


def look_at(message: Message) -> tuple[str, ...]:
    """Read it, explain it, and show it in every way."""
    check_spans(message)
    check_cover(explain(message), len(message.data))
    ways = (
        views.text(message),
        views.text(message, exact=True, width=40),
        plain(tree(message, exact=True)),
        views.html(message, exact=True),
        message_row(message),
        listing_row(message),
    )
    for shown in ways:
        demand(CONTROL.search(shown) is None, "a control character is shown")
        shown.encode()  # no half of a surrogate pair
    return ways


def check_spans(message: Message) -> None:
    whole = Span(0, len(message.data))
    _inside(message.header.span, whole)
    # Where a framing says what a message is, that stands in the framing's own bytes.
    _inside(message.header.method_span, message.header.span if message.header.span else whole)
    _check_struct(message.body, Span(message.header.span.stop, message.stop))
    for finding in message.findings:
        demand(finding.offset is None or finding.offset >= 0, f"a finding at {finding.offset}")


def _inside(inner: Span, outer: Span) -> None:
    fits = outer.start <= inner.start <= inner.stop <= outer.stop
    demand(fits, f"{inner} is not inside {outer}")


def _in_order(spans: list[Span]) -> None:
    for before, after in itertools.pairwise(spans):
        demand(before.stop <= after.start, f"{before} overlaps {after}")


def _check_struct(struct_: Struct, outer: Span) -> None:
    _in_order([field.span for field in struct_.fields])
    for field in struct_.fields:
        _inside(field.span, outer)
        _inside(field.value.span, field.span)
        _check_value(field.value)
    if struct_.stop is not None:
        _inside(struct_.stop, outer)


def _check_value(value: Value) -> None:
    content = value.content
    demand(value.head <= len(value.span), f"the head of {value.span} has {value.head} bytes")
    if isinstance(content, Struct):
        _check_struct(content, value.span)
    elif isinstance(content, Items):
        _check_parts(content.items, value.span)
    elif isinstance(content, Entries):
        _check_parts(tuple(itertools.chain.from_iterable(content.items)), value.span)


def _check_parts(parts: tuple[Value, ...], outer: Span) -> None:
    _in_order([part.span for part in parts])
    for part in parts:
        _inside(part.span, outer)
        _check_value(part)


# ── One direction of a connection ────────────────────────────────────────────────────


@cache
def streams() -> dict[str, list[bytes]]:
    """One-way bytes of good connections, by the name of the capture that they are from."""
    found: dict[str, list[bytes]] = {}
    for name, data in captures().items():
        pieces: dict[tuple[int, bool], bytes] = {}
        peeler, connections = Peeler(), Connections()
        for packet in CaptureFile(io.BufferedReader(io.BytesIO(data)), name):
            segment = peeler.segment(packet)
            if segment is not None and segment.protocol == 6:
                connection, _ = connections.of(segment)
                for by_client, new in zip((True, False), connection.add(segment)[:2], strict=True):
                    key = connection.flow.number, by_client
                    bytes_ = b"".join(piece.data for piece in new if isinstance(piece, Chunk))
                    pieces[key] = pieces.get(key, b"") + bytes_
        found[name] = [piece for piece in pieces.values() if piece]
    return found


def _framed(rng: random.Random, messages: list[bytes]) -> bytes:
    return b"".join(struct.pack(">i", len(data)) + data for data in messages)


def _http(rng: random.Random, messages: list[bytes]) -> bytes:
    kind = rng.choice(("x-thrift", "vnd.apache.thrift.binary", "json", "octet-stream"))
    parts = []
    for data in messages:
        head = rng.choice(("POST / HTTP/1.1", "HTTP/1.1 200 OK"))
        size, body = f"Content-Length: {len(data)}", data
        if rng.random() < 0.4:
            cut = rng.randrange(len(data) + 1)
            chunks = (b"%x\r\n%b\r\n" % (len(c), c) for c in (data[:cut], data[cut:]) if c)
            size, body = "Transfer-Encoding: chunked", b"".join(chunks) + b"0\r\n\r\n"
        if rng.random() < 0.2:
            size = f"Content-Length: {rng.choice(LENGTHS)}"
        parts.append(
            f"{head}\r\nContent-Type: application/{kind}\r\n{size}\r\n\r\n".encode() + body
        )
    return b"".join(parts)


def _header(rng: random.Random, messages: list[bytes]) -> bytes:
    """THeader's frames, and TTHeader's."""
    magic = rng.choice((0x0FFF, 0x0FFF, 0x1000))
    parts = []
    for data in messages:
        packed = rng.random() < 0.4
        protocol = rng.choice((0, 2)) if rng.random() < 0.9 else rng.randrange(256)
        head = bytes((protocol, 1, 1)) if packed else bytes((protocol, 0))
        if rng.random() < 0.4:
            head += rng.choice((b"\x01\x01\x03key\x05value", b"\x01\x7f", b"\x10\x00\x01", b"\x02"))
        head += bytes(-len(head) % 4)
        body = zlib.compress(data) if packed else data
        size = len(head) // 4 if rng.random() < 0.9 else rng.randrange(65_536)
        frame = struct.pack(">HHIH", magic, rng.choice((0, 1)), 7, size) + head + body
        parts.append(frame)
    return _framed(rng, parts)


def _deflated(rng: random.Random, messages: list[bytes]) -> bytes:
    """One stream for all, or one for each; sometimes far larger inside."""
    if rng.random() < 0.05:
        messages = [*messages, bytes(rng.choice((1 << 16, 1 << 20)))]
    if rng.random() < 0.3:
        return b"".join(zlib.compress(data) for data in messages)
    packer = zlib.compressobj()
    return b"".join(packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH) for data in messages)


def _sasl(rng: random.Random, messages: list[bytes]) -> bytes:
    said = [(1, b"PLAIN"), (rng.choice((2, 5)), b"\0user\0pwd")]
    start = b"".join(struct.pack(">Bi", status, len(data)) + data for status, data in said)
    return start + _framed(rng, messages)


def _outer(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def _socketed(rng: random.Random, messages: list[bytes]) -> bytes:
    """An upgrade, then frames: whole or cut, masked or not, packed or not, with pings."""
    parts = [b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"]
    packer = zlib.compressobj(wbits=-15)
    for data in messages:
        first = 2
        if rng.random() < 0.3:
            data = (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
            first |= 0x40
        cut = rng.randrange(len(data) + 1)
        parts.append(_socket_frame(rng, first, data[:cut]))
        if rng.random() < 0.3:
            parts.append(_socket_frame(rng, 0x80 | rng.choice((8, 9, 10)), b"hello"))
        parts.append(_socket_frame(rng, 0x80, data[cut:]))
    return b"".join(parts)


def _socket_frame(rng: random.Random, first: int, data: bytes) -> bytes:
    mask = rng.choice((0, 0x80))
    size = len(data)
    head = (
        bytes((first, mask | size)) if size < 126 else struct.pack(">BBH", first, mask | 126, size)
    )
    if not mask:
        return head + data
    key = rng.randbytes(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(data))


Packer = Callable[[random.Random, list[bytes]], bytes]


def _plain(rng: random.Random, messages: list[bytes]) -> bytes:
    return b"".join(messages)


def _make_stream(words: tuple[str, ...], *packers: Packer) -> Callable[[random.Random], bytes]:
    """What a capture with one of the words in its name has, or messages that are packed:
    then what is packed is wrong, or the packing is, or both."""

    def make(rng: random.Random) -> bytes:
        named = [
            stream
            for name, found in streams().items()
            if any(word in name for word in words)
            for stream in found
        ]
        if named and (not packers or rng.random() < 0.4):
            good = rng.choice(named)[: rng.choice((300, 4000))]
            return mutate(rng, good, rng.choice(named))
        dialect = rng.choice(tuple(PROTOCOLS))
        messages = [any_message(rng, dialect) for _ in range(rng.randint(1, 4))]
        wrong = rng.randrange(3)
        if wrong != 0:
            at = rng.randrange(len(messages))
            messages[at] = mutate(rng, messages[at])
        packed = rng.choice(packers)(rng, messages) if packers else b"".join(messages)
        return mutate(rng, packed) if wrong != 1 else packed

    return make


def run_stream(data: bytes) -> object:
    """All at once, in pieces, a byte at a time: the same messages.  And with bytes lost."""
    seen = [
        _read_stream(data, step, ()) for step in (len(data) or 1, 11, 1 if len(data) < 400 else 97)
    ]
    demand(seen[0][0] == seen[1][0] == seen[2][0], f"cuts differ: {seen}")
    third = len(data) // 3
    for gap in (Gap(third, 5), Gap(third, third), Gap(2, 1)):
        if gap.stop <= len(data):
            seen.append(_read_stream(data, 64, (gap,)))
    with contextlib.suppress(DecodeError):
        return seen, look_at(decode(data, LIMITS))
    return seen


def _read_stream(
    data: bytes, step: int, gaps: tuple[Gap, ...]
) -> tuple[list[tuple[int, str, bytes]], list[str]]:
    reader = MessageReader(True, LIMITS)
    found: list[Found] = []
    at = 0
    for gap in (*gaps, Gap(len(data), 0)):
        while at < gap.offset:
            stop = min(at + step, gap.offset)
            found += reader.feed(Chunk(at, data[at:stop]))
            at = stop
        if gap.length:
            found += reader.lose(gap)
            at = gap.stop
    found += reader.close("the bytes end")
    for one in found:
        demand(0 <= one.offset <= len(data), f"a message at {one.offset} of {len(data)} bytes")
    told = [(one.offset, one.header.method, one.data) for one in found]
    return told, [finding.text for finding in reader.findings]


# ── A transport alone ────────────────────────────────────────────────────────────────

TRANSPORTS: dict[str, Callable[[], Transport]] = {
    "theader": lambda: HeaderTransport(LIMITS, _protocol_at),
    "ttheader": lambda: TTHeaderTransport(LIMITS, _protocol_at),
    "zlib": lambda: DeflateTransport(LIMITS, _protocol_at),
    "framed-theader": lambda: FramedHeaderTransport(LIMITS, _protocol_at),
    "framed-zlib": lambda: FramedDeflateTransport(LIMITS, _protocol_at),
    "websocket": lambda: WebSocketTransport(LIMITS, _protocol_at),
    "http": lambda: HttpTransport(LIMITS, _protocol_at),
    "sasl": lambda: SaslTransport(LIMITS, _protocol_at),
}


def _protocol_at(data: bytes, start: int, stop: int) -> Protocol | None:
    for magic, protocol in ((b"\x80\x01", "binary"), (b"\x82", "compact"), (b"[1,", "json")):
        if data[start:stop].startswith(magic):
            return PROTOCOLS[protocol]
    return None


PACKERS: dict[str, Packer] = {
    "theader": _header,
    "ttheader": _header,
    "zlib": _deflated,
    "http": _http,
    "sasl": _sasl,
    "framed-theader": lambda rng, messages: _outer(_header(rng, messages)),
    "framed-zlib": lambda rng, messages: _outer(_deflated(rng, messages)),
    "websocket": _socketed,
}


def _run_transport(name: str) -> Callable[[bytes], object]:
    def run(data: bytes) -> object:
        """However the bytes are cut, the same units; each takes bytes that are there."""
        seen = [_units(TRANSPORTS[name](), data, step) for step in (len(data) or 1, 13, 1)]
        demand(seen[0] == seen[1] == seen[2], f"cuts differ: {seen}")
        return seen[0]

    return run


def _units(transport: Transport, data: bytes, step: int) -> list[tuple[int, bytes, int, str]]:
    buffer = bytearray()
    units: list[tuple[int, bytes, int, str]] = []
    passed = 0
    for at in range(0, len(data), step):
        buffer += data[at : at + step]
        while buffer:
            try:
                unit = transport.next(buffer, len(buffer))
            except DecodeError:
                return [*units, (-1, b"", 0, "")]
            if unit is None:
                break
            demand(0 <= unit.stop <= len(buffer), f"a unit of {unit.stop} of {len(buffer)} bytes")
            demand(unit.stop > 0 or unit.data != b"", "a unit of nothing")
            demand(0 <= unit.start <= len(unit.data), f"a header at {unit.start}")
            demand(
                unit.protocol is not None or unit.start == len(unit.data) or bool(unit.what),
                "no words",
            )
            passed += unit.stop
            units.append((passed, unit.data, unit.start, unit.what))
            del buffer[: unit.stop]
        if buffer:
            demand(transport.known_until(buffer, len(buffer)) >= 0, "known until before 0")
            demand(transport.frame_stop(buffer, len(buffer)) >= 0, "a stop before 0")
    if buffer:
        left = transport.rest(buffer, len(buffer))
        demand(left is None or left.start <= len(left.data), "a header behind the rest")
    return units


# ── Captures ─────────────────────────────────────────────────────────────────────────


@cache
def captures() -> dict[str, bytes]:
    """Good captures: the project's, and where they are, those beside the checkout."""
    folders = [ROOT / "captures"]
    folders += [SHARED / "captures" / name for name in ("edge", "family", "real")]
    paths = [path for folder in folders for path in sorted(folder.glob("*.pcap"))]
    return {path.stem: path.read_bytes() for path in paths if path.stat().st_size < 30_000}


def packets_of(data: bytes) -> list[Packet]:
    return list(CaptureFile(io.BufferedReader(io.BytesIO(data)), "seed"))


def pcap_of(packets: list[Packet]) -> bytes:
    """A pcap, written here, so that a packet may say anything."""
    link = packets[0].link if packets else 1
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, link)]
    for packet in packets:
        seconds, rest = divmod(packet.time, 1_000_000_000)
        head = struct.pack("<IIII", seconds & 0xFFFFFFFF, rest, len(packet.data), packet.length)
        parts += [head, packet.data]
    return b"".join(parts)


def pcapng_of(packets: list[Packet]) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    link = packets[0].link if packets else 1
    parts = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    parts.append(block(1, struct.pack("<HHI", link, 0, 0)))
    for packet in packets:
        ticks = packet.time // 1000
        head = struct.pack(
            "<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(packet.data), packet.length
        )
        parts.append(block(6, head + packet.data + bytes(-len(packet.data) % 4)))
    return b"".join(parts)


def _seed_packets(rng: random.Random) -> list[Packet]:
    packets = packets_of(captures()[rng.choice(sorted(captures()))])
    start = rng.randrange(max(1, len(packets) - 40)) if rng.random() < 0.5 else 0
    return packets[start : start + 60]


def make_capture(rng: random.Random) -> bytes:
    """Bytes of a file, mutated as bytes."""
    packets = _seed_packets(rng)[:20]
    data = rng.choice((pcap_of, pcapng_of))(packets)
    if rng.random() < 0.1:
        packed = gzip.compress(data, mtime=0)
        return mutate(rng, packed)
    return mutate(rng, data) if rng.random() < 0.9 else data[: rng.choice((4, 12, 24))] + noise(rng)


def make_packets(rng: random.Random) -> bytes:
    """Packets of a good capture, mutated as packets."""
    packets = _seed_packets(rng)
    if rng.random() < 0.2:
        packets += _seed_packets(rng)
    for _ in range(rng.choice((1, 2, 5))):
        if packets:
            _mutate_packets(rng, packets)
    if packets and rng.random() < 0.05:
        packets[0].link = rng.choice((*LINK_NAMES, 105))
    return pcap_of(packets)


def _mutate_packets(rng: random.Random, packets: list[Packet]) -> None:
    at = rng.randrange(len(packets))
    one = packets[at]
    kind = rng.randrange(9)
    if kind == 0:
        del packets[at]
    elif kind == 1:
        packets.insert(rng.randrange(len(packets) + 1), one)
    elif kind == 2:
        packets.insert(rng.randrange(len(packets)), packets.pop(at))
    elif kind == 3:
        packets[at] = _with(one, one.data[: rng.randrange(len(one.data) + 1)], one.length)
    elif kind == 4:
        del packets[at:]
    elif kind == 5:
        packets[at : at + 1] = _fragments(rng, one)
    elif kind == 6:
        packets[at] = _with(one, mutate(rng, one.data))
    else:
        packets[at] = _payload_changed(rng, one)


def _with(packet: Packet, data: bytes, length: int | None = None) -> Packet:
    kept = len(data) if length is None else max(length, len(data))
    return Packet(packet.number, packet.time, packet.link, data, kept)


def _payload_changed(rng: random.Random, packet: Packet) -> Packet:
    """Other bytes in TCP's payload; the headers stay true where the size does."""
    segment = Peeler().segment(packet)
    if segment is None or not segment.payload or not packet.data.endswith(segment.payload):
        return packet
    start = len(packet.data) - len(segment.payload)
    changed = mutate(rng, segment.payload)
    if rng.random() < 0.7:
        changed = changed[: len(segment.payload)].ljust(len(segment.payload), b"\0")
    return _with(packet, packet.data[:start] + changed)


def _fragments(rng: random.Random, packet: Packet) -> list[Packet]:
    """An IPv4 packet on Ethernet in fragments, perhaps not all and not in order."""
    data = packet.data
    if packet.link != 1 or len(data) < 60 or data[12:14] != b"\x08\x00" or data[14] != 0x45:
        return [packet]
    head, inner = data[:34], data[34:]
    size = rng.choice((8, 16, 24, 64))
    made = []
    for start in range(0, len(inner), size):
        part = inner[start : start + size]
        place = start // 8 | (0x2000 if start + size < len(inner) else 0)
        ip = head[:16] + struct.pack(">H", 20 + len(part)) + b"\x12\x34"
        made.append(_with(packet, ip + struct.pack(">H", place) + head[22:] + part))
    if rng.random() < 0.3:
        rng.shuffle(made)
    if rng.random() < 0.3:
        made.pop(rng.randrange(len(made)))
    if rng.random() < 0.3:
        made.insert(0, rng.choice(made or [packet]))
    return made


def _packets(data: bytes) -> Iterator[Packet]:
    try:
        file = CaptureFile(io.BufferedReader(io.BytesIO(data)), "fuzz")
    except CaptureError:
        return
    yield from file


def run_capture(data: bytes) -> object:
    size = 0
    told: list[object] = []
    for number, packet in enumerate(_packets(data), 1):
        demand(packet.number == number, f"packet {packet.number} is the {number}.")
        demand(packet.length >= len(packet.data), "a packet has more bytes than it had")
        size += len(packet.data)
        told.append((packet.time, packet.link, packet.length, packet.data))
    demand(data[:2] == b"\x1f\x8b" or size <= len(data), "packets have more bytes than the file")
    return told


def run_link(data: bytes) -> object:
    peeler = Peeler()
    had = 0
    told: list[object] = []
    for packet in _packets(data):
        had += len(packet.data)
        segment = peeler.segment(packet)
        if segment is not None:
            demand(segment.number == packet.number, "a segment of another packet")
            demand(len(segment.payload) <= had, "a segment with more bytes than were captured")
            demand(segment.cut >= 0, f"{segment.cut} bytes cut")
            ends = segment.source, segment.target, segment.protocol, segment.depth
            told.append((*ends, segment.seq, segment.ack, segment.flags, segment.payload))
    peeler.close()
    return told, peeler.findings


def run_streams(data: bytes) -> object:
    """Pieces follow each other without a hole, whatever came in whatever order."""
    peeler, connections = Peeler(), Connections()
    told: list[object] = []
    offsets: dict[tuple[int, bool], int] = {}
    for packet in _packets(data):
        segment = peeler.segment(packet)
        if segment is None:
            continue
        connection, replaced = connections.of(segment)
        if replaced is not None:
            replaced.close()
        from_client, from_server, _ = connection.add(segment)
        _follow(offsets, connection, (from_client, from_server))
        told.append((connection.flow.number, from_client, from_server))
    for connection in connections.all():
        left = connection.close()
        _follow(offsets, connection, left)
        told.append((connection.flow.number, left))
    return told


def _follow(
    offsets: dict[tuple[int, bool], int],
    connection: Connection,
    pieces: tuple[list[Piece], list[Piece]],
) -> None:
    for by_client, new in zip((True, False), pieces, strict=True):
        for piece in new:
            size = piece.length if isinstance(piece, Gap) else len(piece.data)
            key = connection.flow.number, by_client
            if piece.offset < 0:
                continue  # from before the first byte: its SYN came late
            at = offsets.get(key, 0)
            demand(piece.offset == at, f"{piece} follows byte {at}")
            demand(size > 0, f"{piece} is empty")
            offsets[key] = at + size


def run_pipeline(data: bytes) -> object:
    """The whole line, and every view of what comes out of it."""
    try:
        file = CaptureFile(io.BufferedReader(io.BytesIO(data)), "fuzz")
    except CaptureError as error:
        return error
    capture = read_packets(file, "fuzz", LIMITS)
    return [*map(look_at, capture.messages), *show(capture)]


def show(capture: Capture) -> list[str]:
    shown: list[str] = []
    for thing in (capture, capture.messages, capture.exchanges, *capture.exchanges, *capture.flows):
        for exact in (False, True):
            shown += [views.text(thing, exact=exact), views.html(thing, exact=exact)]
    shown += [plain(listing(capture.messages)), *map(exchange_row, capture.exchanges)]
    exchanges = [*capture.exchanges]
    shown += [csv_rows(exchanges), CallLister(exchanges).rows(exchanges)]
    shown += [total_rows(capture.exchanges.totals())]
    shown += [views.text(capture.exchanges.totals(), exact=True)]
    for one in shown:
        one.encode()
    return shown


def run_listing(data: bytes) -> object:
    """The line alone: memory has to stay small where nobody looks."""
    return sum(1 for _ in read_packets(_packets(data), "fuzz", LIMITS).messages)


def make_tls(rng: random.Random) -> bytes:
    """A pcapng with secrets and a connection of TLS 1.3: what its records hold is good or bad, the
    records are, or the packets, or the secrets."""
    sealer = Sealer(rng.randrange(1000), rng.choice((0x1301, 0x1302, 0x1303, 0x1304, 0x1305)))
    early = rng.random() < 0.3
    client, server = sealer.hellos(early)
    said = [client]
    if early:
        sent = sealer.seal("CLIENT_EARLY_TRAFFIC_SECRET", any_message(rng, "binary"), 23)
        said.append((True, sent))
    finished = sealer.handshakes(*((EARLY_TAKEN,) if rng.random() < 0.5 else ()))
    said += [server, finished[0]]
    if early and rng.random() < 0.5:
        said.append((True, sealer.seal("CLIENT_EARLY_TRAFFIC_SECRET", handshake(5, b""), 22)))
    said.append(finished[1])
    for _ in range(rng.randint(1, 8)):
        by_client = rng.random() < 0.6
        what = rng.randrange(12)
        if what == 0:
            said.append(sealer.update(by_client))
        elif what == 1:
            kind = rng.choice((0, 20, 21, 22, 24, 255))
            label = rng.choice(tuple(sealer.secrets))
            content = handshake(rng.choice((1, 2, 4, 5, 8, 20, 24)), noise(rng)[:300])
            said.append((by_client, sealer.seal(label, content[: rng.randint(0, 400)], kind)))
        elif what == 2:
            kind = rng.choice((20, 21, 22, 23, 24))
            content = handshake(rng.choice((1, 2, 11)), noise(rng)[:300])
            said.append((by_client, record(kind, content)))
        else:
            data = any_message(rng, rng.choice(("binary", "compact")))
            said.append(sealer.data(by_client, data[:15_000], rng.choice((0, 0, 1, 300))))
    way = rng.randrange(4)
    if way == 0:
        at = rng.randrange(len(said))
        said[at] = (said[at][0], mutate(rng, said[at][1]))
    packets = tls_packets(said, rng.choice((0, 0, 7, 100, 1400)))
    if way == 1:
        _mutate_packets(rng, packets)
    keys = sealer.keys if way != 2 else mutate(rng, sealer.keys)
    made = pcapng_of(packets)
    # Behind the section and the interface, or anywhere behind them.
    at = 0
    for _ in range(2 if rng.random() < 0.8 else rng.randint(2, 2 + len(packets))):
        at += int.from_bytes(made[at + 4 : at + 8], "little")
    body = struct.pack("<II", 0x544C534B, len(keys)) + keys + bytes(-len(keys) % 4)
    size = struct.pack("<I", 12 + len(body))
    block = struct.pack("<I", 10) + size + body + size
    return made[:at] + block + made[at:]


def run_tls(data: bytes) -> object:
    """The whole line, and the same packet by packet."""
    seen = run_pipeline(data)
    try:
        file = CaptureFile(io.BufferedReader(io.BytesIO(data)), "fuzz")
    except CaptureError as error:
        return error
    pipeline = Pipeline(LIMITS)
    pipeline.use_secrets_of(file)
    messages = [one for packet in file for one in pipeline.take(packet)]
    messages += pipeline.close().messages
    for one in messages:
        demand(not one.tls or one.tls.startswith("TLS 1.3 ("), f"it is in {one.tls}")
    return [seen, *(f"{one.method} {one.data.hex()}" for one in messages)]


def run_redact(data: bytes) -> object:
    """A capture to hand on: its envelopes stay, and its views can be made."""
    packets = list(_packets(data))
    capture = read_packets(packets, "fuzz", LIMITS, redact=["*.*"])
    demand(len(capture.packets) == len(packets), "packets are missing")
    for one, other in zip(packets, capture.packets, strict=True):
        demand(
            (one.number, one.time, one.link, one.length, len(one.data))
            == (other.number, other.time, other.link, other.length, len(other.data)),
            f"packet {one.number} has another envelope",
        )
    return [*map(look_at, capture.messages), *show(capture)]


# ── Thrift's relatives ───────────────────────────────────────────────────────────────

# What of a conversation is taken, in bytes, and how many messages are looked at: those of captures
# may be long.
TALK = 5000
MOST = 8


def _make_talk(kind: str) -> Callable[[random.Random], bytes]:
    """A conversation from its beginning, in which what some of its turns say is wrong, or a turn is
    missing, early or said twice."""

    def make(rng: random.Random) -> bytes:
        talks = seeds.talks(kind)
        said: list[seeds.Said] = []
        left = rng.choice((150, 400, 400, 1200, TALK))
        for by_client, data in rng.choice(talks):
            if left <= 0:
                break
            said.append((by_client, data[:left]))
            left -= len(data)
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(len(said))
            by_client, data = said[at]
            way = rng.randrange(10)
            if way == 0:
                said.insert(rng.randrange(len(said)), said.pop(at))
            elif way == 1:
                said.insert(rng.randrange(len(said) + 1), said[at])
            elif way == 2 and len(said) > 1:
                del said[at]
            elif way == 3:
                said[at] = not by_client, data
            else:
                other = rng.choice(rng.choice(talks))[1][:TALK]
                said[at] = by_client, mutate(rng, data, other)
        return seeds.written(said)

    return make


def run_talk(data: bytes) -> object:
    """A connection however it is cut, and with bytes lost: see the top of this file."""
    said = seeds.said_in(data)
    size = sum(len(part) for _, part in said)
    chance = zlib.crc32(data)
    small = 1 if size < 300 else 7 if size < 1500 else 61
    # What each turn's first packet has, and the others: all in one, small ones, one cut.
    cuts = ((0, 50_000), (0, small), (1 + chance % 60, 50_000))
    seen = [_messages_of(talked(said, most, first)) for first, most in cuts]
    # By who sent them: what was found behind a fault proves itself later in small pieces.
    told = [
        [_told(one) for end in (True, False) for one in messages if one.from_client is end]
        for messages in seen
    ]
    for cut, one in zip(cuts[1:], told[1:], strict=True):
        demand(one == told[0], f"in pieces of {cut}: {_differ(one, told[0])}")
    lost = _messages_of(_with_losses(said, chance))
    for message in (*seen[0], *lost):
        check_spans(message)
        check_cover(explain(message), len(message.data))
    # To look at everything takes ten times as long as to read it: that is for one in four.
    if chance // 60 % 4:
        return told
    packets = talked(said, 1000)
    hidden = read_packets(packets, "fuzz", LIMITS, redact=["*.*"])
    demand(len(hidden.packets) == len(packets), "packets are missing")
    messages = [*seen[0][:MOST], *lost[:MOST], *[*hidden.messages][:MOST]]
    return [told, *map(look_at, messages), *show(read_packets(packets, "fuzz", LIMITS))]


def _messages_of(packets: list[Packet]) -> list[Message]:
    pipeline = Pipeline(LIMITS, events=True, pairing=Pairing())
    messages = [one for packet in packets for one in pipeline.feed(packet).messages]
    return [*messages, *pipeline.close().messages]


def _told(one: Message) -> tuple[object, ...]:
    return (one.method, one.type.name, one.seqid, one.from_client, one.data, str(one.transport))


def _differ(one: list[tuple[object, ...]], other: list[tuple[object, ...]]) -> str:
    for at, (mine, theirs) in enumerate(itertools.zip_longest(one, other)):
        if mine != theirs:
            return f"message {at + 1} is {mine}, in large ones {theirs}"
    return ""


def _with_losses(said: list[seeds.Said], seed: int) -> list[Packet]:
    """The same without some of its packets, or with what comes late."""
    rng = random.Random(seed)
    packets = talked(said, rng.choice((11, 60, 500)))
    for _ in range(rng.choice((1, 1, 3))):
        at = rng.randrange(len(packets))
        if rng.random() < 0.7:
            del packets[at]
        else:
            packets.insert(rng.randrange(len(packets)), packets.pop(at))
    return [
        Packet(number, 10**18 + number * 10**6, one.link, one.data, one.length)
        for number, one in enumerate(packets, 1)
    ]


def make_frames(rng: random.Random) -> bytes:
    """One direction of HTTP/2, at times from its middle."""
    talk, other = rng.choice(seeds.talks("http2")), rng.choice(seeds.talks("http2"))
    end = rng.random() < 0.5
    stream = b"".join(part for by_client, part in talk if by_client is end)
    stream = stream[: rng.choice((400, 400, TALK))]
    if rng.random() < 0.2:
        stream = stream[rng.randrange(len(stream) + 1) :]
    return mutate(rng, stream, rng.choice(other)[1][:TALK])


def run_frames(data: bytes) -> object:
    """Each frame is explained, whatever is in it, and the stream is read in any pieces."""
    at = 0
    told: list[object] = []
    while (frame := h2.read_frame(data, at, len(data))) is not None:
        stop = min(frame.stop, len(data))
        notes = h2.notes_of_frame(data, at, stop)
        check_cover([Note(_less(n.span, at), n.kind, n.label, n.meaning) for n in notes], stop - at)
        found = h2.parts(data, frame, stop)
        _inside(found.content, Span(frame.inside, stop))
        _inside(found.padding, Span(frame.inside, stop))
        told += [notes, h2.faults(data, frame, stop), h2.may_be_frame(data, at)]
        at = stop
    for ended in (False, True):
        place, is_found = h2.find_frames(data, 0, len(data), ended)
        demand(0 <= place <= len(data), f"frames at {place} of {len(data)} bytes")
        demand(not is_found or h2.may_be_frame(data, place), f"no frame at {place}")
    return [told, run_stream(data)]


def _less(span: Span, at: int) -> Span:
    return Span(span.start - at, span.stop - at)


# Between blocks: no header's text, and easily left out.
BETWEEN = b"\n---\n"


def make_blocks(rng: random.Random) -> bytes:
    blocks = list(rng.choice(seeds.blocks()))
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(blocks))
        if rng.random() < 0.2:
            blocks.insert(at, rng.choice(blocks))
        elif rng.random() < 0.2:
            size = rng.choice((0, 31, 64, 4096, 4097, 1 << 20))
            update = bytes((0x20 | size,)) if size < 31 else b"\x3f" + _varint(size - 31)
            blocks[at] = update + blocks[at]
        else:
            blocks[at] = mutate(rng, blocks[at], rng.choice(rng.choice(seeds.blocks())))
    return BETWEEN.join(blocks)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


def run_blocks(data: bytes) -> object:
    """Every byte is in one line and one note, and what is not known is not guessed."""
    whole, late = hpack.DynamicTable(), hpack.DynamicTable(is_whole=False)
    told: list[object] = []
    for number, one in enumerate(data.split(BETWEEN)):
        block, other = (hpack.read_block(one, 0, len(one), t, number) for t in (whole, late))
        for read in (block, other):
            _check_block(read, one)
        told += [block.headers, other.headers, block.error, block.warnings]
        if block.error is not None:
            break
        # A block that was lost, or came before the capture, hides entries; it changes none.
        for mine, theirs in zip(other.lines, block.lines, strict=False):
            for known, true in ((mine.name, theirs.name), (mine.value, theirs.value)):
                demand(known in (None, true), f"{known!r} is guessed for {true!r}")
        if number == 0:
            late.lose()
    return told


def _check_block(block: hpack.HeaderBlock, data: bytes) -> None:
    at = 0
    for line in block.lines:
        demand(
            line.start == at < line.stop, f"a line from {line.start} to {line.stop}, behind {at}"
        )
        at = line.stop
        for text in (line.name_at, line.value_at):
            if text is not None:
                _inside(text.span, line.span)
                masked = hpack.mask_string(data, text)
                demand(len(masked) == text.stop - text.inside, "a mask of another length")
    demand(at == len(data), f"lines end at {at} of {len(data)} bytes")
    check_cover(hpack.notes_of_block(block), len(data))


def _make_body(encoding: str) -> Callable[[random.Random], bytes]:
    def make(rng: random.Random) -> bytes:
        found = seeds.bodies(encoding)
        if rng.random() < 0.02:
            # The same thing in itself, or behind itself, very often.
            data = rng.choice(found)
            at = rng.randrange(len(data))
            return data[:at] + data[at : at + rng.randint(1, 6)] * 500
        data, other = rng.choice(found), rng.choice(found)
        return mutate(rng, data, other) if rng.random() < 0.95 else data + noise(rng)

    return make


def _check_guessed(data: bytes, protocol: Protocol, gaps: tuple[Gap, ...] = ()) -> None:
    """Like payloads.check for an encoding that says no types: a mask may look like another."""
    record = Record(data=data, protocol=protocol, gaps=gaps)
    hidden = Record(data=payloads.masked(record), protocol=protocol, gaps=gaps)
    for one in (record, hidden):
        payloads.check_nesting(payloads.whole(one.body, len(data)), 0, len(data))
        check_cover(explain(one), len(data))
    spans = [[field.span for field in one.body.fields] for one in (record, hidden)]
    demand(spans[0] == spans[1], f"masks move fields: {spans}")


def _run_body(*protocols: Protocol) -> Callable[[bytes], object]:
    def run(data: bytes) -> object:
        told: list[object] = []
        third = len(data) // 3
        for protocol in protocols:
            check = _check_guessed if protocol is PROTOBUF else payloads.check
            check(data, protocol)
            check(data[: 2 * third], protocol)
            if third:
                check(data, protocol, (Gap(third, third),))
            header = Header("get", MESSAGE_TYPES[1], 1, True, NOWHERE, NOWHERE)
            told.append(look_at(made(header, data, protocol)))
        return told

    return run


BODIES: dict[str, tuple[Protocol, ...]] = {
    "hessian2": (HESSIAN2,),
    "java-stream": (JAVA_STREAM,),
    "msgpack": (MSGPACK,),
    "protobuf": (PROTOBUF,),
    "motan-simple": (MOTAN_SIMPLE,),
    "breeze": (BREEZE,),
    "plain-json": (PLAIN_JSON,),
}


# ── Targets ──────────────────────────────────────────────────────────────────────────

TARGETS: dict[str, Target] = {
    "capture": Target(make_capture, run_capture, LISTING_A_BYTE),
    "link": Target(make_packets, run_link, LISTING_A_BYTE),
    "streams": Target(make_packets, run_streams, LISTING_A_BYTE),
    **{name: Target(_make_message(name), _run_message(name)) for name in PROTOCOLS},
    **{
        f"{name} alone": Target(_make_stream((name,), packer), _run_transport(name))
        for name, packer in PACKERS.items()
    },
    "names": Target(make_names, run_names),
    "plain": Target(_make_stream(("framed", "old", "bin", "ping"), _plain, _framed), run_stream),
    "theader": Target(_make_stream(("theader",), _header), run_stream),
    "http": Target(_make_stream(("http",), _http), run_stream),
    "zlib": Target(_make_stream(("zlib",), _deflated), run_stream),
    "sasl": Target(_make_stream(("sasl",), _sasl), run_stream),
    "foreign": Target(_make_stream(("dubbo", "grpc", "motan", "rpcx", "h2", "std")), run_stream),
    "listing": Target(make_packets, run_listing, LISTING_A_BYTE),
    "pipeline": Target(
        lambda rng: make_packets(rng) if rng.random() < 0.8 else make_capture(rng), run_pipeline
    ),
    "redact": Target(make_packets, run_redact),
    "tls records": Target(make_tls, run_tls),
    "hpack": Target(make_blocks, run_blocks),
    "h2 frames": Target(make_frames, run_frames),
    **{
        f"{kind} talk": Target(_make_talk(kind), run_talk)
        for kind in ("http2", "http1", "grpc-web", "dubbo", "motan", "rpcx")
    },
    **{
        f"{name} body": Target(_make_body(name), _run_body(*protocols))
        for name, protocols in BODIES.items()
    },
}


def make(name: str, seed: int, number: int) -> bytes:
    """The ``number``-th input of a target: the same on every run and every machine that has
    the same captures."""
    return TARGETS[name].make(random.Random(f"{name} {seed} {number}"))


def run(name: str, data: bytes, measured: bool = False) -> None:
    """Run one input.  ``measured``: its memory and its calls too (some 5 times slower)."""
    target = TARGETS[name]
    if not measured:
        target.run(data)
        return
    with Counted(CALLS + CALLS_A_BYTE * len(data)):
        tracemalloc.start()
        try:
            target.run(data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    most = MEMORY + target.memory_a_byte * len(data)
    demand(peak <= most, f"{peak} bytes of memory for {len(data)} bytes of input, want {most}")


class Counted:
    """Counts calls of functions, and stops what makes too many: a measure of time that is
    the same on every machine."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0

    def __enter__(self) -> Counted:
        self._before = sys.getprofile()
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def _called(self, frame: FrameType, event: str, argument: object) -> None:
        if event in ("call", "c_call"):
            self.count += 1
            if self.count > self.most:
                sys.setprofile(self._before)
                raise Broken(f"over {self.most} calls")


# ── By hand ──────────────────────────────────────────────────────────────────────────


def failure(name: str, data: bytes, measured: bool = False) -> str:
    """Where and what an input breaks; "" if it does not."""
    try:
        run(name, data, measured)
    except (Exception, RecursionError) as error:
        places = traceback.extract_tb(error.__traceback__)
        last = next(place for place in reversed(places) if place.name != "demand")
        return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
    return ""


def shrink(name: str, data: bytes, broken: str) -> bytes:
    """A smaller input that breaks in the same place."""
    return smaller(data, lambda less: failure(name, less) == broken)


def smaller(data: bytes, still: Callable[[bytes], bool]) -> bytes:
    """``data`` without as much of it as can go while that holds."""
    size = len(data) // 2
    while size:
        at = 0
        while at < len(data):
            less = data[:at] + data[at + size :]
            if still(less):
                data = less
            else:
                at += size
        size //= 2
    return data


def fuzz(name: str, seconds: float, seed: int, folder: Path) -> int:
    """Run one target for a time; how many places it broke in."""
    started = time.monotonic()
    slowest, worst = 0.0, b""
    broken: set[str] = set()
    number = 0
    while time.monotonic() - started < seconds:
        data = make(name, seed, number)
        measured = number % 16 == 0
        before = time.monotonic()
        what = failure(name, data, measured)
        took = time.monotonic() - before
        if not measured and took > slowest:
            slowest, worst = took, data
        if what and what not in broken:
            broken.add(what)
            small = data if measured else shrink(name, data, what)
            path = folder / f"{name}-{seed}-{number}.bin"
            path.write_bytes(small)
            print(f"{name}: {what}\n  {path}: {small[:200].hex()}")
            try:
                run(name, small, measured)
            except Exception:
                traceback.print_exc()
        number += 1
    path = folder / f"{name}-slowest.bin"
    path.write_bytes(worst)
    print(
        f"{name}: {number} inputs, {len(broken)} failures; "
        f"the slowest took {slowest * 1000:.0f} ms for {len(worst)} bytes: {path}",
        flush=True,
    )
    return len(broken)


def main() -> int:
    parser = argparse.ArgumentParser(description="Feed every reader hostile input.")
    parser.add_argument("targets", nargs="*", metavar="target", help="all, where none is named")
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--save", type=Path, default=Path("fuzz-found"), help="a folder")
    parser.add_argument("--run", type=Path, help="run this saved input, and nothing else")
    parser.add_argument("--list", action="store_true", help="name the targets")
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target {', '.join(unknown)}: want some of {', '.join(TARGETS)}")
    if options.list:
        print("\n".join(TARGETS))
        return 0
    names = options.targets or list(TARGETS)
    if options.run:
        for name in names:
            run(name, options.run.read_bytes(), measured=True)
        return 0
    options.save.mkdir(parents=True, exist_ok=True)
    print(f"seed {options.seed}")
    return 1 if sum(fuzz(n, options.seconds, options.seed, options.save) for n in names) else 0


if __name__ == "__main__":
    sys.exit(main())
