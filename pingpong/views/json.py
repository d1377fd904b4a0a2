"""Messages as JSON lines: one object a line, without loss, the same on every run.

    {"number": 1, "time": 1700000000.000312000, …, "fields": [{"id": 1, "type": "STRING", …}]}

Times are written from whole nanoseconds, so they keep all nine decimals: a float could not.
A struct is a list of fields, because a field id may come twice and an object's keys may not.
Offsets count from the message's first byte.  Characters that a terminal would obey are
written as \\u escapes; a JSON reader gives them back as they were.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator

from ..model import (
    Endpoint,
    Entries,
    Exchange,
    Field,
    Finding,
    Items,
    Message,
    Record,
    Struct,
    TType,
    Value,
)
from .short import SEVERITIES

__all__ = ["exchange_row", "listing_row", "message_row", "record_row"]

# NaN as IEEE 754 and every writer has it, big- and little-endian.
_NAN = (bytes.fromhex("7ff8000000000000"), bytes.fromhex("000000000000f87f"))

# A key and its value, the value as JSON already.
_Pair = tuple[str, str]


def message_row(message: Message) -> str:
    """The message with all its fields, as one line of JSON without its line end."""
    return _object([*_listing(message), *_content(message)])


def record_row(record: Record) -> str:
    """A struct alone, with all its fields, as one line of JSON without its line end."""
    pairs = [("protocol", _text(record.protocol.name)), ("size", str(len(record.data)))]
    return _object([*pairs, *_content(record)])


def listing_row(message: Message) -> str:
    """The message without its fields, which are not read for this."""
    return _object(_listing(message))


def exchange_row(exchange: Exchange) -> str:
    """An exchange: how it ended, and the numbers of its messages.

    ``time`` and ``latency`` are in seconds, ``sent`` and ``received`` in bytes; what is
    not there is null.
    """
    first, call, reply = exchange.first, exchange.call, exchange.reply
    return _object(
        [
            ("number", str(exchange.number)),
            ("time", _seconds(first.time)),
            ("client", _endpoint(first.client)),
            ("server", _endpoint(first.server)),
            ("flow", str(first.flow)),
            *_method(first),
            ("outcome", _text(exchange.outcome.name)),
            ("latency", "null" if exchange.latency is None else _seconds(exchange.latency)),
            ("call", str(call.number) if call else "null"),
            ("reply", str(reply.number) if reply else "null"),
            ("sent", str(call.size) if call else "null"),
            ("received", str(reply.size) if reply else "null"),
        ]
    )


# ── A message ────────────────────────────────────────────────────────────────────────


def _listing(message: Message) -> Iterator[_Pair]:
    yield "number", str(message.number)
    yield "time", _seconds(message.time)
    yield "client", _endpoint(message.client)
    yield "server", _endpoint(message.server)
    yield "flow", str(message.flow)
    yield "from", '"client"' if message.from_client else '"server"'
    yield "protocol", _text(message.protocol.name)
    yield "transport", _text(message.transport)
    yield "type", _text(message.type.name)
    yield from _method(message)
    yield "seqid", str(message.seqid)
    yield "offset", str(message.offset)
    yield "size", str(message.size)


def _method(message: Message) -> Iterator[_Pair]:
    yield "method", _text(message.method)
    # A name that is not UTF-8 has escapes in it: the bytes tell it from one that is.
    if "\\x" in message.method:
        raw = message.header.method_span.of(message.data)
        if raw != message.method.encode("utf-8", "surrogatepass"):
            yield "method_hex", _text(raw.hex())


def _content(record: Record) -> Iterator[_Pair]:
    yield "fields", _struct(record, record.body)
    if record.findings:
        yield "findings", _array(_finding(finding) for finding in record.findings)
    if record.gaps:
        yield (
            "lost",
            _array(
                _object([("offset", str(gap.offset)), ("length", str(gap.length))])
                for gap in record.gaps
            ),
        )


def _finding(finding: Finding) -> str:
    return _object(
        [
            ("severity", _text(SEVERITIES[finding.severity])),
            ("offset", "null" if finding.offset is None else str(finding.offset)),
            ("text", _text(finding.text)),
        ]
    )


# ── Fields and values ────────────────────────────────────────────────────────────────


def _struct(record: Record, struct: Struct) -> str:
    return _array(_field(record, field) for field in struct.fields)


def _field(record: Record, field: Field) -> str:
    return _object(
        [
            ("id", str(field.field_id)),
            ("type", _text(field.ttype.name)),
            *_value(record, field.value),
            ("offset", str(field.span.start)),
            ("length", str(len(field.span))),
        ]
    )


def _element(record: Record, value: Value) -> str:
    return _object(
        [
            ("type", _text(value.ttype.name)),
            *_value(record, value),
            ("offset", str(value.span.start)),
            ("length", str(len(value.span))),
        ]
    )


def _value(record: Record, value: Value) -> Iterator[_Pair]:
    content = value.content
    if isinstance(content, Struct):
        yield "value", _struct(record, content)
    elif isinstance(content, Items):
        yield "element_type", _text(content.element_type.name)
        yield "count", str(content.count)
        yield "value", _array(_element(record, item) for item in content.items)
    elif isinstance(content, Entries):
        yield "key_type", _text(content.key_type.name)
        yield "value_type", _text(content.value_type.name)
        yield "count", str(content.count)
        yield "value", _array(_entry(record, key, item) for key, item in content.items)
    elif isinstance(content, bytes):
        text = value.text
        yield "value", "null" if text is None else _text(text)
        if text is None:
            yield "hex", _text(content.hex())
    elif isinstance(content, float):
        yield "value", _double(content)
        raw = value.span.of(record.data)
        if math.isnan(content) and value.ttype is TType.DOUBLE and raw not in _NAN:
            yield "hex", _text(raw.hex())
    elif content is None:
        yield "value", "null"
    elif isinstance(content, bool):
        yield "value", "true" if content else "false"
    else:
        yield "value", str(content) if isinstance(content, int) else _text(str(content))
    if value.lost:
        yield "lost", str(value.lost)


def _entry(record: Record, key: Value, value: Value) -> str:
    return _object([("key", _element(record, key)), ("value", _element(record, value))])


# ── JSON ─────────────────────────────────────────────────────────────────────────────


def _object(pairs: Iterable[_Pair]) -> str:
    return "{" + ", ".join(f'"{key}": {value}' for key, value in pairs) + "}"


def _array(items: Iterable[str]) -> str:
    return "[" + ", ".join(items) + "]"


def _text(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in quoted)


def _double(number: float) -> str:
    if math.isnan(number):
        return '"NaN"'
    if math.isinf(number):
        return '"Infinity"' if number > 0 else '"-Infinity"'
    return json.dumps(number)


def _seconds(time: int) -> str:
    """Nanoseconds as seconds with nine decimals: a JSON number."""
    sign, time = ("-", -time) if time < 0 else ("", time)
    return f"{sign}{time // 1_000_000_000}.{time % 1_000_000_000:09d}"


def _endpoint(endpoint: Endpoint) -> str:
    return _text(str(endpoint))
