"""A mask tells the type and the length of what it covers, and nothing else.

Two messages, twins: the same methods, ids, types and places, and in each value's place another
that takes as many bytes.  Masked, they are the same bytes, and every view of them is the same.
Whatever a mask told of a value (its sign, its padding, that it has escapes) would tell twins apart.
"""

from __future__ import annotations

import random
import struct
import uuid
from collections.abc import Callable, Iterator

import pytest
from hiding import any_struct
from hypothesis import example, given, reject
from hypothesis import strategies as st

from pingpong.model import (
    DEFAULT_LIMITS,
    NO_ID,
    Content,
    Endpoint,
    Entries,
    Field,
    Header,
    Items,
    Message,
    MessageType,
    Protocol,
    Span,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.encodings import binary, compact
from pingpong.protocols.encodings import thrift_json as json
from pingpong.protocols.encodings import thriftpy2_json as thriftpy2json
from pingpong.protocols.encodings.binary import BINARY
from pingpong.protocols.encodings.compact import COMPACT
from pingpong.protocols.encodings.masks import json_mask
from pingpong.protocols.encodings.thrift_json import JSON
from pingpong.protocols.encodings.thriftpy2_json import THRIFTPY2_JSON
from pingpong.protocols.explain import explain
from pingpong.protocols.families.thrift.transports import UNFRAMED
from pingpong.redaction.messages import Redactor
from pingpong.redaction.selectors import parse_selectors
from pingpong.views import html, text, tree
from pingpong.views.json import message_row
from pingpong.views.text import plain

NOWHERE = Span(0, 0)
BITS = {TType.I8: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}

# ── Messages of any shape ────────────────────────────────────────────────────────────


def named(body: Struct) -> Struct:
    """The struct as thriftpy2's JSON can have it: with names, and lists in place of maps."""
    fields = (
        Field(NO_ID, _named(field.value), NOWHERE, f"f{field.field_id}") for field in body.fields
    )
    return Struct(tuple(fields), NOWHERE)


def _named(value: Value) -> Value:
    content: Content = value.content
    if isinstance(content, Struct):
        content = named(content)
    elif isinstance(content, Items):
        items = tuple(_named(one) for one in content.items)
        content = Items(content.element_type, content.count, items)
    elif isinstance(content, Entries):
        inner = tuple(_named(one) for pair in content.items for one in pair)
        return Value(TType.LIST, Items(TType.STOP, len(inner), inner), NOWHERE)
    return Value(value.ttype, content, NOWHERE)


def header(mtype: int) -> Header:
    return Header("look", MessageType(mtype), 7, True, NOWHERE, NOWHERE)


WRITERS: dict[str, tuple[Protocol, Callable[[int, Struct], bytes]]] = {
    "binary": (
        BINARY,
        lambda mtype, body: binary.write_header(b"look", mtype, 7) + binary.write_struct(body),
    ),
    "compact": (
        COMPACT,
        lambda mtype, body: compact.write_header(b"look", mtype, 7) + compact.write_struct(body),
    ),
    "json": (JSON, lambda mtype, body: json.write_message(header(mtype), body)),
    "thriftpy2-json": (
        THRIFTPY2_JSON,
        lambda mtype, body: thriftpy2json.write_message(header(mtype), named(body)),
    ),
}


def as_message(data: bytes, protocol: Protocol) -> Message:
    return Message(
        header=protocol.read_header(data, 0, len(data), DEFAULT_LIMITS),
        data=data,
        protocol=protocol,
        transport=UNFRAMED,
        client=Endpoint("10.0.0.1", 50001),
        server=Endpoint("10.0.0.2", 9090),
        from_client=True,
    )


# ── Another value of the same length ─────────────────────────────────────────────────


def places(
    what: Struct | Value, is_key: bool = False
) -> Iterator[tuple[Value, Field | None, bool]]:
    """The values that hold no others; with the field that one is of, and whether it is a key."""
    content = what if isinstance(what, Struct) else what.content
    if isinstance(content, Struct):
        for field in content.fields:
            for value, inner, key in places(field.value):
                yield value, field if value is field.value else inner, key
    elif isinstance(content, Items):
        for item in content.items:
            yield from places(item)
    elif isinstance(content, Entries):
        for key_, item in content.items:
            yield from places(key_, True)
            yield from places(item)
    elif isinstance(what, Value):
        yield what, None, is_key


def twin(rng: random.Random, message: Message) -> bytes:
    """The message's bytes with another value in each value's place.

    The kind of an exception of the framework's own stays: it is not masked.
    """
    data = bytearray(message.data)
    is_exception = message.type is MessageType.EXCEPTION
    kind = message.family.error(message).kind if is_exception else None
    for value, field, is_key in places(message.body):
        start, stop = value.span.start, value.span.stop
        if kind is not None and value.span == kind.span:
            pass
        elif message.protocol in (JSON, THRIFTPY2_JSON):
            is_thriftpy2 = message.protocol is THRIFTPY2_JSON
            data[start:stop] = other_token(rng, value.ttype, stop - start, is_key, is_thriftpy2)
        elif value.ttype is TType.STRING:
            start += value.head
            data[start:stop] = rng.randbytes(stop - start)
        elif message.protocol is COMPACT and not value.span:
            assert field is not None
            at = field.span.start
            data[at] = data[at] & 0xF0 | rng.choice((1, 2))
        elif value.ttype is TType.BOOL:
            data[start] = rng.randrange(1, 3) if message.protocol is COMPACT else rng.randrange(2)
        elif message.protocol is COMPACT and value.ttype in BITS and value.ttype is not TType.I8:
            data[start:stop] = other_varint(rng, BITS[value.ttype], stop - start)
        else:
            data[start:stop] = rng.randbytes(stop - start)
    return bytes(data)


def other_varint(rng: random.Random, bits: int, size: int) -> bytes:
    """Any number of ``bits`` bits in so many bytes, written in the shortest way or not."""
    most = min(7, bits - 7 * (size - 1))
    return bytes(rng.randrange(128, 256) for _ in range(size - 1)) + bytes(
        (rng.randrange(1 << most),)
    )


def other_token(
    rng: random.Random, ttype: TType, size: int, is_key: bool, is_thriftpy2: bool
) -> bytes:
    """Any value of the type that JSON writes in so many bytes."""
    if ttype is TType.STRING:
        return b'"' + other_text(rng, size - 2) + b'"'
    if ttype is TType.UUID:
        made = str(uuid.UUID(int=rng.getrandbits(128)))
        return f'"{rng.choice((made, made.upper()))}"'.encode()
    if ttype is TType.BOOL and size in (4, 5):
        return b"true" if size == 4 else b"false"
    if is_key:
        return b'"' + other_number(rng, ttype, size - 2, is_thriftpy2) + b'"'
    if ttype is TType.DOUBLE and not is_thriftpy2:
        words = [one for one in (b'"NaN"', b'"-inf"', b'"Infinity"') if len(one) == size]
        if words and rng.random() < 0.5:
            return words[0]
    return other_number(rng, ttype, size, is_thriftpy2)


def other_text(rng: random.Random, size: int) -> bytes:
    if size and size % 4 == 0 and rng.random() < 0.5:
        padding = rng.randrange(3)  # base64, padded or not
        return bytes(rng.choices(b"ABCDwxyz0189+/", k=size - padding)) + b"=" * padding
    made = b""
    while len(made) < size:
        pieces = [b"a", b"=", b" ", b"{", b"\\n", b'\\"', b"\\\\", b"\\u767b", "登".encode()]
        made += rng.choice([one for one in pieces if len(one) <= size - len(made)])
    return made


def other_number(rng: random.Random, ttype: TType, size: int, is_thriftpy2: bool) -> bytes:
    digits = bytes(rng.choices(b"0123456789", k=size))
    if ttype is TType.BOOL:
        return rng.choice((b"0", b"1")) if size == 1 else digits
    if ttype is not TType.DOUBLE:
        most = 1 << BITS[ttype] - 1
        made = [digits, b"-" + digits[1:] if size > 1 else digits]
        fit = [one for one in made if -most <= int(one) < most]
        return rng.choice(fit or [b"0" * size])
    made = [one for one in (b"NaN", b"Infinity", b"-Infinity", b"inf") if len(one) == size]
    if size > 1:
        made += [digits[:1] + b"." + digits[2:]]
    if size > 3:
        made += [b"-1." + digits[3:], digits[:-3] + b"e-9", b"-" + digits[:-3] + b"E9"]
    # A whole number is an I64 in thriftpy2's JSON.
    return rng.choice(made if is_thriftpy2 else [*made, digits])


# ── They cannot be told apart ────────────────────────────────────────────────────────


def masked(data: bytes, protocol: Protocol, selectors: list[str]) -> tuple[object, ...]:
    """All that there is to see of a message that was masked."""
    message = as_message(data, protocol)
    redactor = Redactor(parse_selectors(selectors))
    redactor.redact(message)
    return (
        message.data,
        [str(finding) for finding in message.findings],
        redactor.counts,
        redactor.unsure,
        explain(message),
        message_row(message),
        text(message),
        html(message),
        plain(tree(message)),
    )


@pytest.mark.parametrize("name", WRITERS)
@given(seed=st.integers(0, 2**32), mtype=st.sampled_from((1, 2, 3)))
@example(seed=289, mtype=1)
def test_twins_look_the_same(name: str, seed: int, mtype: int) -> None:
    protocol, write = WRITERS[name]
    rng = random.Random(seed)
    data = write(mtype, any_struct(rng))
    message = as_message(data, protocol)
    other = twin(rng, message)
    again = as_message(other, protocol)
    assert len(other) == len(data)
    assert [(v.ttype, v.span) for v, _, _ in places(again.body)] == [
        (v.ttype, v.span) for v, _, _ in places(message.body)
    ], other
    assert masked(data, protocol, ["*.*"]) == masked(other, protocol, ["*.*"])


@pytest.mark.parametrize("name", WRITERS)
@given(seed=st.integers(0, 2**32), cut=st.integers(1, 40))
@example(seed=38629294, cut=2)  # the key of a pair whose value was cut
@example(seed=290, cut=28)  # a bool in the head of a field whose id was cut
def test_twins_that_are_cut_look_the_same(name: str, seed: int, cut: int) -> None:
    """Where a message ends too soon, every value is masked, the one that was cut too."""
    protocol, write = WRITERS[name]
    rng = random.Random(seed)
    data = write(1, any_struct(rng))
    other = twin(rng, as_message(data, protocol))
    at = max(len(data) - cut, as_message(data, protocol).header.span.stop)
    if protocol in (JSON, THRIFTPY2_JSON) and data[:at].count(b'"') != other[:at].count(b'"'):
        reject()  # cut before the quotes of one and behind those of the other: no twins any more
    assert masked(data[:at], protocol, ["no.1"])[0] == masked(other[:at], protocol, ["no.1"])[0]


def test_a_string_that_was_cut_behind_an_escape() -> None:
    body = b'[1,"look",1,7,{"1":{"str":"%s'
    one, other = (as_message(body % text, JSON) for text in (rb"abc\"", b"abcde"))
    for message in (one, other):
        assert message.body.stop is None
        Redactor(parse_selectors(["*.*"])).redact(message)
        assert message.data == body % b"xxxxx"


@pytest.mark.parametrize("size", range(1, 40))
@pytest.mark.parametrize("ttype", [*BITS, TType.BOOL, TType.DOUBLE, TType.STRING, TType.UUID])
def test_masks_of_json_depend_on_the_length_alone(ttype: TType, size: int) -> None:
    rng = random.Random(size)
    words = [bytes(rng.choices(b'09-+.eENaIxyz=\\"{ ', k=size)) for _ in range(20)]
    quoted = {json_mask(ttype, b'"%s"' % word, is_key=True) for word in words}
    assert [len(one) for one in quoted] == [size + 2]
    bare = {json_mask(ttype, word.replace(b'"', b"1")) for word in words}
    assert [len(one) for one in bare] == [size]
    if ttype is TType.DOUBLE:
        # Whether it is a number or NaN, which some write in quotes.
        assert json_mask(ttype, b'"%s"' % words[0][2:]) in bare or size == 1


def test_the_oracle_can_fail() -> None:
    """A twin is another message, nearly always; and without masks they are told apart."""
    rng = random.Random(1)
    message = as_message(WRITERS["json"][1](1, any_struct(random.Random(289))), JSON)
    assert len({twin(rng, message) for _ in range(10)}) > 1
    other = twin(rng, message)
    assert masked(message.data, JSON, ["no.1"])[0] != masked(other, JSON, ["no.1"])[0]


def test_doubles_that_are_no_numbers() -> None:
    for value in (float("nan"), float("-inf"), 2.5):
        data = struct.pack(">d", value)
        one = as_message(binary.write_header(b"look", 1, 7) + b"\x04\0\1" + data + b"\0", BINARY)
        Redactor(parse_selectors(["*.*"])).redact(one)
        assert one.fields[0].value.content == 0.0
