"""What the tests of encodings of values share: payloads out of captures, and what must hold of any
payload, however it is broken."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from places import SHARED

from pingpong.model import (
    Entries,
    Field,
    Finding,
    Gap,
    Items,
    Protocol,
    Record,
    Severity,
    Span,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.explain import check_cover, explain
from pingpong.wire.capturefile import open_capture
from pingpong.wire.link import Peeler
from pingpong.wire.streams import Connections

CAPTURES = SHARED / "captures"


class Sides(NamedTuple):
    """What each end of a connection sent."""

    client: bytes
    server: bytes


def capture(name: str) -> Path:
    """A capture of the relatives, by its name without the ending; the test is skipped without."""
    for folder in ("relatives", "family"):
        path = CAPTURES / folder / f"{name}.pcap"
        if path.is_file():
            return path
    pytest.skip(f"{name}.pcap is not on this machine (looked in {CAPTURES})")


def connections(path: Path) -> list[Sides]:
    """The bytes of each connection of a capture, which lost none."""
    peeler, known = Peeler(), Connections()
    sent: dict[int, tuple[bytearray, bytearray]] = {}
    with open_capture(path) as packets:
        for packet in packets:
            segment = peeler.segment(packet)
            if segment is None:
                continue
            connection, _ = known.of(segment)
            client, server, _ = connection.add(segment)
            sides = sent.setdefault(connection.flow.number, (bytearray(), bytearray()))
            for side, pieces in zip(sides, (client, server), strict=True):
                for piece in pieces:
                    assert not isinstance(piece, Gap)
                    side += piece.data
    return [Sides(bytes(client), bytes(server)) for client, server in sent.values()]


def leaves(value: Value, field: Field | None = None, is_key: bool = False) -> Iterator[
    tuple[Value, Field | None, bool]
]:  # fmt: skip
    """The values that hold no others, with what ``Protocol.mask`` wants to know of them."""
    content = value.content
    if isinstance(content, Struct):
        for one in content.fields:
            yield from leaves(one.value, one)
    elif isinstance(content, Items):
        for item in content.items:
            yield from leaves(item)
    elif isinstance(content, Entries):
        for key, item in content.items:
            yield from leaves(key, None, True)
            yield from leaves(item)
    else:
        yield value, field, is_key


def shape(value: Value) -> tuple[object, ...]:
    """All of a value but what it says.  Where they are masked, bytes in a text are text."""
    content = value.content
    ttype = TType.TEXT if value.ttype is TType.STRING else value.ttype
    said: tuple[object, ...] = (ttype, value.span, value.head, bool(value.lost))
    if isinstance(content, Struct):
        said += tuple((f.field_id, f.name, f.span, shape(f.value)) for f in content.fields)
    elif isinstance(content, Items):
        said += tuple(shape(item) for item in content.items)
    elif isinstance(content, Entries):
        said += tuple((shape(key), shape(item)) for key, item in content.items)
    return said


def check_nesting(value: Value, start: int, stop: int) -> None:
    """Each value lies in that which holds it, behind the one before it."""
    assert start <= value.span.start <= value.span.stop <= stop
    at, end = value.span.start, value.span.stop
    content = value.content
    if isinstance(content, Struct):
        for field in content.fields:
            assert at <= field.span.start <= field.span.stop <= end
            check_nesting(field.value, field.span.start, field.span.stop)
            at = field.span.stop
    elif isinstance(content, Items):
        for item in content.items:
            check_nesting(item, at, end)
            at = item.span.stop
    elif isinstance(content, Entries):
        for key, item in content.items:
            check_nesting(key, at, end)
            check_nesting(item, key.span.stop, end)
            at = item.span.stop


def whole(body: Struct, size: int) -> Value:
    return Value(TType.STRUCT, body, Span(0, size))


def masked(record: Record) -> bytes:
    """The record's bytes with every value masked."""
    out = bytearray(record.data)
    for value, field, is_key in leaves(whole(record.body, len(out))):
        at, text = record.protocol.mask(record.data, value, field, is_key)
        assert value.span.start <= at
        assert at + len(text) <= value.span.stop
        out[at : at + len(text)] = text
    assert len(out) == len(record.data)
    return bytes(out)


def _kinds(findings: tuple[Finding, ...]) -> list[tuple[int, int | None]]:
    # A mask refers to the first of all: that is there where anything is.
    return [
        (f.severity, f.offset)
        for f in findings
        if f.severity is Severity.ERROR and not f.text.startswith("reference")
    ]


def check(data: bytes, protocol: Protocol, gaps: tuple[Gap, ...] = ()) -> Record:
    """What holds of any bytes: spans nest, each byte has one note, masks leave every place."""
    record = Record(data=data, protocol=protocol, gaps=gaps)
    top = whole(record.body, len(data))
    check_nesting(top, 0, len(data))
    check_cover(explain(record), len(data))
    hidden = masked(record)
    again = Record(data=hidden, protocol=protocol, gaps=gaps)
    assert shape(whole(again.body, len(data))) == shape(top), hidden.hex(" ")
    assert _kinds(again.body.findings) == _kinds(record.body.findings)
    assert len(protocol.blank(data)) == len(data)
    return record


def plain_values(record: Record) -> list[object]:
    return [field.value.plain for field in record.body.fields]


def check_cuts(data: bytes, protocol: Protocol, step: int = 1) -> None:
    """Cut anywhere, nothing is raised, and of what was whole before the cut nothing is lost."""
    full = Record(data=data, protocol=protocol).body.fields
    for stop in range(0, len(data), step):
        fields = check(data[:stop], protocol).body.fields
        for one, other in zip(full, fields, strict=False):
            if one.span.stop >= stop:
                break
            assert one == other
        assert len(fields) >= sum(one.span.stop < stop for one in full)


def check_mutations(samples: list[bytes], protocol: Protocol, times: int) -> None:
    """Whatever bytes are changed or lost, nothing is raised, and what must hold holds."""
    rnd = random.Random(7)
    for _ in range(times):
        data = bytearray(rnd.choice(samples))
        for _ in range(rnd.randint(0, 3)):
            data[rnd.randrange(len(data))] = rnd.randrange(256)
        gaps: tuple[Gap, ...] = ()
        if rnd.random() < 0.4:
            at = rnd.randrange(len(data))
            gaps = (Gap(at, rnd.randint(1, len(data) - at)),)
        check(bytes(data), protocol, gaps)
