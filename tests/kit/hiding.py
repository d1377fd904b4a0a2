"""What the tests of redaction share: secrets, messages that hold them, and what is left of both."""

from __future__ import annotations

import base64
import functools
import random
import struct
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

import dialects
from dialects import DATAGRAM, Row, Said

from pingpong.capture import Pipeline
from pingpong.model import (
    Content,
    Entries,
    Field,
    Items,
    Message,
    Packet,
    Span,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.encodings.binary import write_header
from pingpong.redaction.messages import Redactor
from pingpong.redaction.packets import Plan, Rewriter
from pingpong.redaction.selectors import parse_selectors


class Secrets:
    """Values that nobody would guess, and every way in which their bytes may be written."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.text = "".join(rng.choices("abcdefghijklmnopqrstuvwyz", k=24))
        self.raw = rng.randbytes(24)
        self.big = rng.randrange(1 << 61, 1 << 62)
        self.small = rng.randrange(1 << 29, 1 << 30)
        self.double = rng.uniform(1e300, 1e301)
        self.tag = "".join(rng.choices("abcdefghijklmnopqrstuvwyz", k=20))
        self.why = "".join(rng.choices("abcdefghijklmnopqrstuvwyz", k=20))
        self.shot = "".join(rng.choices("abcdefghijklmnopqrstuvwyz", k=20))

    @property
    def forms(self) -> list[bytes]:
        words = [self.text, self.tag, self.why, self.shot]
        return [
            *(word.encode() for word in words),
            *(word[:16].encode() for word in words),
            self.raw[:16],
            base64.b64encode(self.raw)[:16],
            struct.pack(">q", self.big),
            str(self.big).encode(),
            zigzag(self.big),
            struct.pack(">i", self.small),
            str(self.small).encode(),
            struct.pack(">d", self.double),
            struct.pack("<d", self.double),
            repr(self.double).encode()[:12],
        ]

    @property
    def everything(self) -> dict[int, Any]:
        return {
            1: True,
            5: self.small,
            6: self.big,
            7: self.double,
            8: f'登录 "{self.text}" \\ \n',
            9: self.raw,
            10: [True, False, True],
            11: [self.tag, "b"],
            12: [(self.tag, self.big), ("minus", -1)],
            13: [{1: 1, 2: self.small}, {1: 64, 2: -65}],
            14: [(self.small, {1: 0, 2: 300})],
            15: [],
            40: {1: 5, 2: self.small},
        }

    @property
    def said(self) -> tuple[Said, ...]:
        return (
            Said("CALL", "add", 1, "add_args", {1: 2, 2: 40}),
            Said("REPLY", "add", 1, "add_result", {0: 42}),
            Said("CALL", "look", 2, "look_args", {1: self.everything}),
            Said("REPLY", "look", 2, "look_result", {0: self.everything}),
            Said("CALL", "look", 300, "look_args", {1: {5: self.small}}),
            Said("REPLY", "look", 300, "look_result", {1: {1: self.why, 2: 7}}),
            Said("CALL", "nope", 5, "add_args", {1: 2, 2: 40}),
            Said("EXCEPTION", "nope", 5, "", {1: "Unknown method nope", 2: 1}),
            Said("ONEWAY", "fire", 6, "fire_args", {1: self.shot}),
            Said("CALL", "add", 7, "add_args", {1: 3, 2: 41}),
            Said("REPLY", "add", 7, "add_result", {0: 44}),
        )


def zigzag(value: int) -> bytes:
    out, value = bytearray(), value << 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


# What holds all of them, in each way in which a protocol names a field.
ALL = ("look.1", "look.0", "look.x", "look.success", "look.e", "fire.1", "fire.s")

SECRETS = Secrets(7)


@functools.cache
def told_packets(row: Row) -> list[Packet]:
    connections = dialects.carried(row, SECRETS.said)
    if row.transport == DATAGRAM:
        return right(dialects.datagrams(connections[0]))
    return right(dialects.packets(connections))


def total(data: bytes) -> int:
    """The sum of RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    value: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def checksum(inner: bytes, kind: int, ends: bytes) -> int:
    """What has to stand in a TCP or UDP header; 0 once it does."""
    value: int = ~total(ends + struct.pack(">II", kind, len(inner)) + inner) & 0xFFFF
    return value


def with_checksum(inner: bytes, kind: int, ends: bytes) -> bytes:
    at = 16 if kind == 6 else 6
    inner = inner[:at] + b"\0\0" + inner[at + 2 :]
    value = checksum(inner, kind, ends) or (0 if kind == 6 else 0xFFFF)
    return inner[:at] + struct.pack(">H", value) + inner[at + 2 :]


def right(packets: Iterable[Packet]) -> list[Packet]:
    """The packets, Ethernet and IPv4, with the checksums that a network card would write."""
    made = []
    for one in packets:
        head, ends, inner = one.data[:34], one.data[26:34], one.data[34:]
        ip = head[14:24] + b"\0\0" + head[26:]
        ip = ip[:10] + struct.pack(">H", ~total(ip) & 0xFFFF) + ip[12:]
        data = head[:14] + ip + with_checksum(inner, head[23], ends)
        made.append(Packet(one.number, one.time, one.link, data, one.length))
    return made


class Done(NamedTuple):
    packets: list[Packet]
    redactor: Redactor
    plan: Plan
    rewriter: Rewriter


def redacted(packets: list[Packet], *fields: str, keep_unknown: bool = False) -> Done:
    """What ``pingpong redact`` does, without its files."""
    redactor, plan = Redactor(parse_selectors(fields)), Plan()
    pipeline = Pipeline(redactor=redactor, plan=plan)
    for one in packets:
        pipeline.feed(one)
    pipeline.close()
    rewriter = Rewriter(plan, keep_unknown=keep_unknown)
    for one in packets:
        rewriter.look(one)
    rewriter.start()
    return Done([rewriter.packet(one) for one in packets], redactor, plan, rewriter)


def outline(message: Message) -> Any:
    """All of a message but its values."""
    head = message.header
    return (
        (message.number, message.flow, message.offset, message.size, message.from_client),
        (message.time, message.end_time, message.packets, message.transport),
        (message.protocol.name, head.method, head.type, head.seqid, head.span),
        shape(message.body),
    )


def shape(what: Struct | Value) -> Any:
    if isinstance(what, Struct):
        return [(one.field_id, one.name, one.span, shape(one.value)) for one in what], what.stop
    content, place = what.content, (what.ttype, what.span, what.head)
    if isinstance(content, Struct):
        return place, shape(content)
    if isinstance(content, Items):
        return place, content.element_type, content.count, [shape(one) for one in content.items]
    if isinstance(content, Entries):
        types = content.key_type, content.value_type, content.count
        return place, types, [(shape(key), shape(one)) for key, one in content.items]
    return place


def leaves(what: Struct | Value) -> Iterable[Value]:
    content = what if isinstance(what, Struct) else what.content
    if isinstance(content, Struct):
        for field in content:
            yield from leaves(field.value)
    elif isinstance(content, Items):
        for item in content.items:
            yield from leaves(item)
    elif isinstance(content, Entries):
        for key, item in content.items:
            yield from leaves(key)
            yield from leaves(item)
    elif isinstance(what, Value):
        yield what


WORD = b"c0rrecthorsebatterystaple"


def login(secret: bytes = WORD) -> bytes:
    """login(1: "root", 2: secret)."""
    return (
        write_header(b"login", 1, 1)
        + b"\x0b\0\1\0\0\0\4root"
        + b"\x0b\0\2" + struct.pack(">i", len(secret)) + secret
        + b"\0"
    )  # fmt: skip


def answer(secret: bytes = WORD) -> bytes:
    return (
        write_header(b"login", 2, 1) + b"\x0b\0\0" + struct.pack(">i", len(secret)) + secret + b"\0"
    )


def outputs(done: Done) -> bytes:
    return b"".join(one.data for one in done.packets)


NOWHERE = Span(0, 0)

SIMPLE = (
    TType.BOOL,
    TType.I8,
    TType.I16,
    TType.I32,
    TType.I64,
    TType.DOUBLE,
    TType.STRING,
    TType.UUID,
)

BITS = {TType.I8: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}


def any_content(rng: random.Random, ttype: TType, depth: int) -> Content:
    if ttype is TType.BOOL:
        return rng.random() < 0.5
    if ttype in BITS:
        half = 1 << (BITS[ttype] - 1)
        return rng.choice((0, 1, -1, half - 1, -half, rng.randrange(-half, half)))
    if ttype is TType.DOUBLE:
        values = (0.0, -1.5, 5.0, 1e300, float("nan"), float("-inf"), rng.random())
        return rng.choice(values)
    if ttype is TType.STRING:
        words = ("", "a", "pwd", 'a"b\\\n', "登录成功", "YWJj", "YWI=", "YQ==", "x" * 300)
        return rng.choice(words).encode()
    if ttype is TType.UUID:
        return uuid.UUID(int=rng.getrandbits(128))
    if ttype is TType.STRUCT:
        return any_struct(rng, depth - 1)
    kinds = SIMPLE if depth < 1 else (*SIMPLE, TType.STRUCT, TType.LIST, TType.MAP)
    one, other = rng.choice(kinds), rng.choice(kinds)
    count = rng.randrange(1, 4)
    if ttype is TType.MAP:
        pairs = [
            (any_value(rng, one, depth - 1), any_value(rng, other, depth - 1)) for _ in range(count)
        ]
        return (
            Entries(one, other, count, tuple(pairs))
            if count
            else Entries(TType.STOP, TType.STOP, 0, ())
        )
    items = tuple(any_value(rng, one, depth - 1) for _ in range(count))
    return Items(one, count, items)


def any_value(rng: random.Random, ttype: TType, depth: int) -> Value:
    return Value(ttype, any_content(rng, ttype, depth), NOWHERE)


def any_struct(rng: random.Random, depth: int = 3) -> Struct:
    kinds = SIMPLE if depth < 1 else (*SIMPLE, TType.STRUCT, TType.LIST, TType.SET, TType.MAP)
    fields, field_id = [], rng.choice((0, 0, 0, -20))
    for _ in range(rng.randrange(6)):
        field_id += rng.choice((1, 1, 2, 30, 300))
        fields.append(Field(field_id, any_value(rng, rng.choice(kinds), depth), NOWHERE))
    return Struct(tuple(fields), NOWHERE)
