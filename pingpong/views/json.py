"""Messages as JSON lines: one object a line, without loss, the same on every run.

    {"number": 1, "time": 1700000000.000312000, …, "fields": [{"id": 1, "type": "STRING", …}]}

Times are written from whole nanoseconds, so they keep all nine decimals: a float could not.
A struct is a list of fields, because a field id may come twice and an object's keys may not.
Offsets count from the message's first byte.  Characters that a terminal would obey are
written as \\u escapes; a JSON reader gives them back as they were.

Text is put together here by hand, because that is where the time goes in a long capture:
``Rows`` remembers what is the same in row after row, and ``Fields`` is told of a struct by its
protocol, so that no values are built.  Where it is not told (something is odd, or lost), the
values say the same in the same words: tests/test_views_json.py holds that.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ..calls.totals import Total, Totals
from ..model import (
    MESSAGE_TYPES,
    TTYPES,
    Difference,
    Endpoint,
    Entries,
    Exchange,
    Finding,
    Items,
    Message,
    Outcome,
    Record,
    Span,
    Struct,
    TType,
    Value,
    Visitor,
)
from .listing import DIGITS, FAR, Side
from .one_line import SEVERITIES

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["Rows", "exchange_row", "listing_row", "message_row", "record_row", "total_rows"]

# NaN as IEEE 754 and every writer has it, big- and little-endian.
_NAN = (bytes.fromhex("7ff8000000000000"), bytes.fromhex("000000000000f87f"))

# How many texts ``Rows`` remembers.
_MAX_KNOWN: Final = 4096

_TYPES: Final = [f'"{mtype.name}"' for mtype in MESSAGE_TYPES]
_OUTCOMES: Final = [f'"{outcome.name}"' for outcome in Outcome]
_TTYPES: Final = [f'"{ttype.name}"' for ttype in TTYPES]


class Rows:
    """Rows of many messages; of several files, ``file`` is the name of theirs."""

    def __init__(self, file: str = "") -> None:
        self._head = f'{{"file": {_text(file)}, ' if file else "{"
        self._sides: dict[int, Side] = {}
        self._flows: dict[int, Side] = {}
        self._methods: dict[str, str] = {}
        self._second: i64 = -1
        self._clock = ""

    def listing(self, message: Message) -> str:
        """The message without its fields, which are not read for this."""
        return f"{self._listing(message)}}}"

    def listings(self, messages: Sequence[Message]) -> str:
        """The rows of many, each with its line end."""
        rows = [self.listing(message) for message in messages]
        rows.append("")
        return "\n".join(rows)

    def wholes(self, messages: Sequence[Message]) -> str:
        """The rows of many with all their fields, each with its line end."""
        rows = [self.whole(message) for message in messages]
        rows.append("")
        return "\n".join(rows)

    def whole(self, message: Message) -> str:
        """The message with all its fields, as one line of JSON without its line end."""
        return f"{self._listing(message)}, {_content(message)}}}"

    def exchange(self, exchange: Exchange) -> str:
        """An exchange: how it ended, and the numbers of its messages.

        ``time``, ``latency`` and ``waited`` are in seconds, ``sent`` and ``received`` in bytes;
        what is not there is null.
        """
        first, call, reply = exchange.first, exchange.call, exchange.reply
        latency, waited = exchange.latency, exchange.waited
        exception = _text(exchange.exception) if exchange.exception else "null"
        return (
            f'{{"number": {exchange.number}, "time": {self._time(first.time)}, '
            f"{self._ends(first)}, {self._method(first)}, "
            f'"outcome": {_OUTCOMES[exchange.outcome]}, "exception": {exception}, '
            f'"latency": {"null" if latency is None else _seconds(latency)}, '
            f'"waited": {"null" if waited is None else _seconds(waited)}, '
            f'"call": {call.number if call else "null"}, '
            f'"reply": {reply.number if reply else "null"}, '
            f'"sent": {call.size if call else "null"}, '
            f'"received": {reply.size if reply else "null"}, '
            f'"why": {_text(exchange.why) if exchange.why else "null"}}}'
        )

    def exchanges(self, exchanges: Sequence[Exchange]) -> str:
        """The rows of many, each with its line end."""
        rows = [self.exchange(exchange) for exchange in exchanges]
        rows.append("")
        return "\n".join(rows)

    def _method(self, message: Message) -> str:
        name = message.header.method
        known = self._methods.get(name)
        if known is not None:
            return known
        method = _method(message)
        # A name with escapes in it may stand for other bytes in the next message.
        if "\\" not in name and len(self._methods) < _MAX_KNOWN:
            self._methods[name] = method
        return method

    def _ends(self, message: Message) -> str:
        """What all exchanges of a connection have in common."""
        known = self._flows.get(message.flow)
        if known is None or not known.is_of(message):
            text = (
                f'"client": {_endpoint(message.client)}, "server": {_endpoint(message.server)}, '
                f'{_proxied(message)}"flow": {message.flow}'
            )
            known = Side(message, text)
            if len(self._flows) >= _MAX_KNOWN:
                self._flows.clear()
            self._flows[message.flow] = known
        return known.text

    def _listing(self, message: Message) -> str:
        header = message.header
        return (
            f'{self._head}"number": {message.number}, "time": {self._time(message.time)}, '
            f'{self._between(message)}, "type": {_TYPES[header.type]}, {self._method(message)}, '
            f'"seqid": {header.seqid}, "offset": {message.offset}, "size": {message.size}'
        )

    def _time(self, time: int) -> str:
        """As ``_seconds``; the seconds are mostly those of the row before."""
        if not 0 <= time < FAR:
            return _seconds(time)
        now: i64 = time
        second = now // 1000000000
        if second != self._second:
            self._second = second
            self._clock = f"{second}."
        nanos = now - second * 1000000000
        micros = nanos // 1000
        return f"{self._clock}{DIGITS[micros // 1000]}{DIGITS[micros % 1000]}{DIGITS[nanos % 1000]}"

    def _between(self, message: Message) -> str:
        """What all messages of a direction have in common."""
        key = message.flow * 2 + message.from_client
        known = self._sides.get(key)
        if known is None or not known.is_of(message):
            text = (
                f'"client": {_endpoint(message.client)}, "server": {_endpoint(message.server)}, '
                f'{_proxied(message)}"flow": {message.flow}, "from": {_FROM[message.from_client]}, '
                f'"protocol": {_text(message.protocol.name)}, '
                f'"transport": {_text(message.transport)}'
            )
            known = Side(message, text)
            if len(self._sides) >= _MAX_KNOWN:
                self._sides.clear()
            self._sides[key] = known
        return known.text


def _proxied(message: Message) -> str:
    return "" if message.proxied is None else f'"proxied": {_endpoint(message.proxied)}, '


_FROM: Final = ('"server"', '"client"')


def message_row(message: Message) -> str:
    """The message with all its fields, as one line of JSON without its line end."""
    return Rows().whole(message)


def record_row(record: Record) -> str:
    """A struct alone, with all its fields, as one line of JSON without its line end."""
    protocol = _text(record.protocol.name)
    return f'{{"protocol": {protocol}, "size": {len(record.data)}, {_content(record)}}}'


def listing_row(message: Message) -> str:
    """The message without its fields, which are not read for this."""
    return Rows().listing(message)


def exchange_row(exchange: Exchange) -> str:
    """An exchange, as one line of JSON without its line end: see ``Rows.exchange``."""
    return Rows().exchange(exchange)


def total_rows(totals: Totals) -> str:
    """A row a method, each with its line end: what its calls came to.

    Times are in seconds, null where no call was answered; ``outcomes`` has a count for each that
    there is.  ``method`` is null for those beyond the ones that have totals of their own.
    """
    rows = [_total(total, _text(method)) for method, total in totals.methods.items()]
    if totals.others is not None:
        rows.append(_total(totals.others, "null"))
    rows.append("")
    return "\n".join(rows)


def _total(total: Total, method: str) -> str:
    outcomes = [
        f"{_OUTCOMES[one]}: {total.outcomes[one]}" for one in Outcome if total.outcomes[one]
    ]
    times = [
        ("p50", total.percentile(50)),
        ("p90", total.percentile(90)),
        ("p99", total.percentile(99)),
        ("slowest", total.slowest if total.answered else None),
    ]
    written = [f'"{key}": {"null" if one is None else _seconds(one)}' for key, one in times]
    return (
        f'{{"method": {method}, "calls": {total.calls}, "failed": {total.failed}, '
        f'"unclear": {total.unclear}, "outcomes": {{{", ".join(outcomes)}}}, '
        f'{", ".join(written)}, "sent": {total.sent}, "received": {total.received}}}'
    )


# ── A message ────────────────────────────────────────────────────────────────────────


def _method(message: Message) -> str:
    text = f'"method": {_text(message.method)}'
    # A name that is not UTF-8 has escapes in it: the bytes tell it from one that is.
    if "\\x" in message.method:
        raw = message.header.method_span.of(message.data)
        if raw != message.method.encode("utf-8", "surrogatepass"):
            text += f', "method_hex": {_text(raw.hex())}'
    return text


def _content(record: Record) -> str:
    fields = Fields()
    if not record.listed and record.visit(fields):
        return f'"fields": [{"".join(fields.parts)}]'
    text = f'"fields": {_struct(record, record.body)}'
    findings = [_finding(finding) for finding in record.faults]
    findings += [_difference(one) for one in record.differences]
    if findings:
        text += f', "findings": [{", ".join(findings)}]'
    if record.gaps:
        lost = [f'{{"offset": {gap.offset}, "length": {gap.length}}}' for gap in record.gaps]
        text += f', "lost": [{", ".join(lost)}]'
    return text


def _finding(finding: Finding) -> str:
    offset = "null" if finding.offset is None else str(finding.offset)
    return (
        f'{{"severity": {_text(SEVERITIES[finding.severity])}, "offset": {offset}, '
        f'"text": {_text(finding.text)}}}'
    )


def _difference(one: Difference) -> str:
    times = f', "times": {one.times}' if one.times > 1 else ""
    return (
        f'{{"severity": "warning", "offset": {one.offset}, "text": {_text(one.text)}, '
        f'"difference": {_text(one.kind)}, "place": {_text(one.place)}{times}}}'
    )


# ── Fields and values ────────────────────────────────────────────────────────────────


def _struct(record: Record, struct: Struct) -> str:
    parts = []
    for field in struct.fields:
        name = "" if field.name is None else f'"name": {_text(field.name)}, '
        parts.append(f'{{"id": {field.field_id}, {name}{_typed(record, field.value, field.span)}}}')
    return f"[{', '.join(parts)}]"


def _element(record: Record, value: Value) -> str:
    return f"{{{_typed(record, value, value.span)}}}"


def _typed(record: Record, value: Value, span: Span) -> str:
    """Type, value and place; ``span`` is the place to name."""
    content = value.content
    is_plain = not value.label and not value.redacted
    if isinstance(content, int) and not isinstance(content, bool) and is_plain:
        # Most values are numbers: these in one go.
        return (
            f'"type": {_TTYPES[value.ttype]}, "value": {content}, '
            f'"offset": {span.start}, "length": {span.stop - span.start}'
        )
    return (
        f'"type": {_TTYPES[value.ttype]}, {_value(record, value)}, '
        f'"offset": {span.start}, "length": {span.stop - span.start}'
    )


def _value(record: Record, value: Value) -> str:
    content = value.content
    if value.redacted:
        shown = '"redacted": true'
    elif isinstance(content, bytes):
        text = value.text
        shown = f'"value": {_text(text)}' if text is not None else _hex(content)
    elif isinstance(content, bool):
        shown = '"value": true' if content else '"value": false'
    elif isinstance(content, int):
        shown = f'"value": {content}'
    elif isinstance(content, Struct):
        shown = f'"value": {_struct(record, content)}'
    elif isinstance(content, Items):
        items = ", ".join([_element(record, item) for item in content.items])
        shown = (
            f'"element_type": {_TTYPES[content.element_type]}, "count": {content.count}, '
            f'"value": [{items}]'
        )
    elif isinstance(content, Entries):
        entries = ", ".join([_entry(record, key, item) for key, item in content.items])
        shown = (
            f'"key_type": {_TTYPES[content.key_type]}, '
            f'"value_type": {_TTYPES[content.value_type]}, "count": {content.count}, '
            f'"value": [{entries}]'
        )
    elif isinstance(content, float):
        shown = f'"value": {_double(content)}'
        raw = value.span.of(record.data)
        if math.isnan(content) and value.ttype is TType.DOUBLE and raw not in _NAN:
            shown += f', "hex": {_text(raw.hex())}'
    elif content is None:
        shown = '"value": null'
    else:
        shown = f'"value": {_text(str(content))}'
    if value.label:
        shown = f'"label": {_text(value.label)}, {shown}'
    return f'{shown}, "lost": {value.lost}' if value.lost else shown


def _hex(content: bytes) -> str:
    return f'"value": null, "hex": "{content.hex()}"'


def _entry(record: Record, key: Value, value: Value) -> str:
    return f'{{"key": {_element(record, key)}, "value": {_element(record, value)}}}'


# ── The same, as a protocol tells it ──

# How many offsets, lengths and ids have their text at hand.
_MANY: Final = 1024

_OFFSETS: Final = [f', "offset": {number}' for number in range(_MANY)]
_LENGTHS: Final = [f', "length": {number}}}' for number in range(_MANY)]
_IDS: Final = [f'{{"id": {number}, ' for number in range(_MANY)]
_KINDS: Final = [f'"type": "{ttype.name}", "value": ' for ttype in TTYPES]


class Fields(Visitor):
    """Writes the fields of a struct: joined, ``parts`` are what ``_struct`` says of its values."""

    __slots__ = ("parts",)

    def __init__(self) -> None:
        self.parts: list[str] = []

    def field(self, field_id: i64, first: bool) -> None:
        if not first:
            self.parts.append(", ")
        if 0 <= field_id < 1024:
            self.parts.append(_IDS[field_id])
        else:
            self.parts.append(f'{{"id": {field_id}, ')

    def item(self, first: bool) -> None:
        self.parts.append("{" if first else ", {")

    def key(self, first: bool) -> None:
        self.parts.append('{"key": {' if first else ', {"key": {')

    def entry(self) -> None:
        self.parts.append(', "value": {')

    def entry_end(self) -> None:
        self.parts.append("}")

    def number(self, ttype: i64, value: int, start: i64, stop: i64) -> None:
        self.parts.append(_KINDS[ttype])
        self.parts.append(str(value))
        self._place(start, stop)

    def truth(self, value: bool, start: i64, stop: i64) -> None:
        self.parts.append('"type": "BOOL", "value": true' if value else _FALSE)
        self._place(start, stop)

    def double(self, value: float, start: i64, stop: i64) -> None:
        self.parts.append('"type": "DOUBLE", "value": ')
        self.parts.append(_double(value))
        self._place(start, stop)

    def string(self, data: bytes, inside: i64, start: i64, stop: i64) -> None:
        content = data[inside:stop]
        self.parts.append('"type": "STRING", ')
        try:
            self.parts.append('"value": ')
            self.parts.append(_text(content.decode("utf-8")))
        except UnicodeDecodeError:
            self.parts[-1] = _hex(content)
        self._place(start, stop)

    def uuid(self, value: uuid.UUID, start: i64, stop: i64) -> None:
        self.parts.append(f'"type": "UUID", "value": {_text(str(value))}')
        self._place(start, stop)

    def struct(self) -> None:
        self.parts.append('"type": "STRUCT", "value": [')

    def items(self, ttype: i64, element_type: i64, count: i64) -> None:
        self.parts.append(
            f'"type": {_TTYPES[ttype]}, "element_type": {_TTYPES[element_type]}, '
            f'"count": {count}, "value": ['
        )

    def entries(self, key_type: i64, value_type: i64, count: i64) -> None:
        self.parts.append(
            f'"type": "MAP", "key_type": {_TTYPES[key_type]}, '
            f'"value_type": {_TTYPES[value_type]}, "count": {count}, "value": ['
        )

    def end(self, start: i64, stop: i64) -> None:
        self.parts.append("]")
        self._place(start, stop)

    def _place(self, start: i64, stop: i64) -> None:
        length = stop - start
        if start < 1024 and length < 1024:
            self.parts.append(_OFFSETS[start])
            self.parts.append(_LENGTHS[length])
        else:
            self.parts.append(f', "offset": {start}, "length": {length}}}')


_FALSE: Final = '"type": "BOOL", "value": false'

# ── JSON ─────────────────────────────────────────────────────────────────────────────


def _text(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in quoted)


def _double(number: float) -> str:
    if math.isnan(number):
        return '"NaN"'
    if math.isinf(number):
        return '"Infinity"' if number > 0 else '"-Infinity"'
    return repr(number)


def _seconds(time: int) -> str:
    """Nanoseconds as seconds with nine decimals: a JSON number."""
    sign, time = ("-", -time) if time < 0 else ("", time)
    return f"{sign}{time // 1_000_000_000}.{time % 1_000_000_000:09d}"


def _endpoint(endpoint: Endpoint) -> str:
    return _text(str(endpoint))
