r"""Messages as JSON lines: one object per line, without loss, the same on every run.

    {"number": 1, "time": 1700000000.000312000, …, "fields": [{"id": 1, "type": "STRING", …}]}

Times are written from whole nanoseconds, so they keep all nine decimals: a float could not.  A
struct is a list of fields, because a field id may come twice and an object's keys may not.  Offsets
count from the message's first byte.  Characters that a terminal would obey are written as \u
escapes; a JSON reader gives them back as they were.

Text is put together here by hand, because that is where the time goes in a long capture: ``Rows``
remembers what is the same in row after row, and ``Fields`` is told about a struct by its encoding,
so that no values are built unless somebody gave them names.
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
    Error,
    Exchange,
    Finding,
    Listener,
    Message,
    MessageType,
    Metadatum,
    Outcome,
    Plain,
    Reading,
    Record,
    written_time,
)
from .listing import DIGITS, FAR, Side
from .one_line import SEVERITIES
from .text import seconds

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["Rows", "exchange_row", "listing_row", "message_row", "record_row", "total_rows"]

# NaN as in IEEE 754 and from every writer, big- and little-endian.
_NAN = (bytes.fromhex("7ff8000000000000"), bytes.fromhex("000000000000f87f"))

# How many texts ``Rows`` remembers.
_MAX_KNOWN: Final = 4096

_TYPES: Final = [f'"{mtype.name}"' for mtype in MESSAGE_TYPES]
_OUTCOMES: Final = [f'"{outcome.name}"' for outcome in Outcome]
_TTYPES: Final = [f'"{ttype.name}"' for ttype in TTYPES]


class Rows:
    """Rows of many messages; if there are several files, ``file`` is the name of this one."""

    def __init__(self, file: str = "") -> None:
        self._head = f'{{"file": {_text(file)}, ' if file else "{"
        self._sides: dict[int, Side] = {}
        self._flows: dict[int, Side] = {}
        self._methods: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._fields = Fields()
        self._second: i64 = -1
        self._clock = ""

    def listing(self, message: Message) -> str:
        """Return the message without its fields, which are not read for this."""
        return f"{self._listing(message)}}}"

    def listings(self, messages: Sequence[Message]) -> str:
        """Return the rows of many messages, each with its line end."""
        rows = [self.listing(message) for message in messages]
        rows.append("")
        return "\n".join(rows)

    def wholes(self, messages: Sequence[Message]) -> str:
        """Return the rows of many messages with all their fields, each with its line end."""
        rows = [self.whole(message) for message in messages]
        rows.append("")
        return "\n".join(rows)

    def whole(self, message: Message) -> str:
        """Return the message with all its fields, as one line of JSON without its line end."""
        metadata = message.metadata
        said = f', "metadata": [{", ".join([_metadatum(one) for one in metadata])}]'
        said = said if metadata else ""
        if message.type is MessageType.EXCEPTION and not message.family.has_results:
            said += f', "error": {_error(message.family.error(message))}'
        return f"{self._listing(message)}{said}, {_content(message, self._fields)}}}"

    def exchange(self, exchange: Exchange) -> str:
        """Return an exchange: how it ended, and the numbers of its messages.

        ``time``, ``latency`` and ``waited`` are in seconds, ``sent`` and ``received`` in bytes;
        what is absent is null.
        """
        first, call, reply = exchange.first, exchange.call, exchange.reply
        latency, waited = exchange.latency, exchange.waited
        exception = _text(exchange.exception) if exchange.exception else "null"
        return (
            f'{{"number": {exchange.number}, "time": {self._time(first.time)}, '
            f"{self._ends(first)}, {self._method(first)}, "
            f'"outcome": {_OUTCOMES[exchange.outcome]}, "exception": {exception}, '
            f'"latency": {"null" if latency is None else seconds(latency)}, '
            f'"waited": {"null" if waited is None else seconds(waited)}, '
            f'"call": {call.number if call else "null"}, '
            f'"reply": {reply.number if reply else "null"}, '
            f'"sent": {exchange.sent if call else "null"}, '
            f'"received": {exchange.received if exchange.has_received else "null"}, '
            f'"why": {_text(exchange.why) if exchange.why else "null"}}}'
        )

    def exchanges(self, exchanges: Sequence[Exchange]) -> str:
        """Return the rows of many exchanges, each with its line end."""
        rows = [self.exchange(exchange) for exchange in exchanges]
        rows.append("")
        return "\n".join(rows)

    def _method(self, message: Message) -> str:
        name = message.header.method
        known = self._methods.get(name)
        if known is not None:
            return known
        method = _method(message)
        # A name with escapes in it may mean other bytes in the next message.
        if "\\" not in name and len(self._methods) < _MAX_KNOWN:
            self._methods[name] = method
        return method

    def _named(self, message: Message) -> str:
        """Return the method as it was sent, also divided if the wire names a service.

        That is the service, and the method's bare name.
        """
        name = message.header.method
        known = self._names.get(name)
        if known is not None:
            return known
        text = self._method(message)
        service, bare = message.family.parts(name)
        if service:
            text += f', "service": {_text(service)}, "bare_method": {_text(bare)}'
        if "\\" not in name and len(self._names) < _MAX_KNOWN:
            self._names[name] = text
        return text

    def _ends(self, message: Message) -> str:
        """Return what all exchanges of a connection have in common."""
        known = self._flows.get(message.flow)
        if known is None or not known.is_of(message):
            text = (
                f'"client": {_endpoint(message.client)}, "server": {_endpoint(message.server)}, '
                f'{_around(message)}"flow": {message.flow}'
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
            f'{self._between(message)}, "type": {_TYPES[header.type]}, {self._named(message)}, '
            f'"seqid": {header.seqid}, "offset": {message.offset}, "size": {message.size}'
        )

    def _time(self, time: int) -> str:
        """Return what ``seconds`` returns; the seconds are mostly those of the row before."""
        if not 0 <= time < FAR:
            return seconds(time)
        now: i64 = time
        second = now // 1000000000
        if second != self._second:
            self._second = second
            self._clock = f"{second}."
        nanos = now - second * 1000000000
        micros = nanos // 1000
        return f"{self._clock}{DIGITS[micros // 1000]}{DIGITS[micros % 1000]}{DIGITS[nanos % 1000]}"

    def _between(self, message: Message) -> str:
        """Return what all messages of a direction have in common."""
        key = message.flow * 2 + message.from_client
        known = self._sides.get(key)
        if known is None or not known.is_of(message):
            text = (
                f'"client": {_endpoint(message.client)}, "server": {_endpoint(message.server)}, '
                f'{_around(message)}"flow": {message.flow}, "from": {_FROM[message.from_client]}, '
                f'"protocol": {_text(message.protocol.name)}, '
                f'"transport": {_text(message.transport)}'
            )
            known = Side(message, text)
            if len(self._sides) >= _MAX_KNOWN:
                self._sides.clear()
            self._sides[key] = known
        return known.text


def _around(message: Message) -> str:
    """Whom a proxy connected for, and in what it was encrypted; nothing where there is neither."""
    proxied = "" if message.proxied is None else f'"proxied": {_endpoint(message.proxied)}, '
    return f'{proxied}"tls": {_text(message.tls)}, ' if message.tls else proxied


_FROM: Final = ('"server"', '"client"')


def message_row(message: Message) -> str:
    """Return the message with all its fields, as one line of JSON without its line end."""
    return Rows().whole(message)


def record_row(record: Record) -> str:
    """Return a bare struct with all its fields, as one line of JSON without its line end."""
    protocol = _text(record.protocol.name)
    return f'{{"protocol": {protocol}, "size": {len(record.data)}, {_content(record, Fields())}}}'


def listing_row(message: Message) -> str:
    """Return the message without its fields, which are not read for this."""
    return Rows().listing(message)


def exchange_row(exchange: Exchange) -> str:
    """Return an exchange as one line of JSON without its line end: see ``Rows.exchange``."""
    return Rows().exchange(exchange)


def total_rows(totals: Totals) -> str:
    """Return a row per method, each with its line end: what its calls came to.

    Times are in seconds, null if no call was answered; ``outcomes`` has a count for each that there
    is.  ``method`` is null for those beyond the ones that have totals of their own.
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
    written = [f'"{key}": {"null" if one is None else seconds(one)}' for key, one in times]
    return (
        f'{{"method": {method}, "calls": {total.calls}, "failed": {total.failed}, '
        f'"unclear": {total.unclear}, "outcomes": {{{", ".join(outcomes)}}}, '
        f'{", ".join(written)}, "sent": {total.sent}, "received": {total.received}}}'
    )


# ── A message ────────────────────────────────────────────────────────────────────────


def _method(message: Message) -> str:
    text = f'"method": {_text(message.method)}'
    # A name that is not UTF-8 has escapes in it; the bytes distinguish it from one that is.
    if "\\x" in message.method:
        raw = message.header.method_span.of(message.data)
        if raw != message.method.encode("utf-8", "surrogatepass"):
            text += f', "method_hex": {_text(raw.hex())}'
    return text


def _metadatum(one: Metadatum) -> str:
    name = "null" if one.name is None else _text(one.name)
    value = "null" if one.value is None else _text(one.value)
    why = f', "why": {_text(one.why)}' if one.why else ""
    return f'{{"name": {name}, "value": {value}{why}}}'


def _error(error: Error) -> str:
    """Return the error in a reply, if no field has it."""
    return (
        f'{{"code": {"null" if error.number is None else error.number}, '
        f'"name": {_text(error.name) if error.name else "null"}, '
        f'"text": {_text(error.said) if error.said else "null"}}}'
    )


def _content(record: Record, writer: Fields) -> str:
    writer.begin(record.data)
    record.tell(writer)
    text = f'"fields": {"".join(writer.parts) or "[]"}'
    findings = [_finding(finding) for finding in record.listed]
    findings += [_finding(one) for one in writer.findings if one not in record.listed]
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

# How many offsets, lengths and ids have ready-made texts.
_MANY: Final = 1024

_OFFSETS: Final = [f', "offset": {number}' for number in range(_MANY)]
_LENGTHS: Final = [f', "length": {number}}}' for number in range(_MANY)]
_IDS: Final = [f'{{"id": {number}, ' for number in range(_MANY)]
_KINDS: Final = [f'"type": "{ttype.name}", "value": ' for ttype in TTYPES]
_UNSETTLED: Final = ""

# Where a value is.
_IN_STRUCT: Final = 0
_IN_ITEMS: Final = 1
_AT_KEY: Final = 2
_AT_VALUE: Final = 3


class _Open:
    """A struct or a container that is being written.

    ``begun`` is how many parts there were before it, ``entry`` before its last key; ``place`` is
    where it begins, including its field.  ``head`` is the part that says how much it holds, which
    its end may settle; ``types`` is a map's types, which precede the count in that.
    """

    __slots__ = (
        "begun",
        "entry",
        "field_id",
        "head",
        "is_first",
        "kind",
        "name",
        "place",
        "readings",
        "start",
        "types",
    )

    def __init__(self) -> None:
        self.kind: i64 = _IN_ITEMS
        self.begun: i64 = 0
        self.entry: i64 = 0
        self.head: i64 = 0
        self.types = ""
        self.place: i64 = 0
        self.readings: tuple[Reading, ...] = ()
        self.is_first = True
        # Of the field whose value is next.
        self.field_id: i64 = 0
        self.start: i64 = 0
        self.name: str | None = None


class Fields(Listener):
    """Writes the fields of a struct: joined, ``parts`` are a list in JSON.

    What is said about a field or a container's element is written together with its value, because
    there may be none.  One object writes many structs, each after ``begin``.
    """

    __slots__ = ("_data", "_depth", "_label", "_open", "_own", "_readings", "_top", "parts")

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._data = b""
        self._label = ""
        self._own = ""
        self._readings: tuple[Reading, ...] = ()
        self._depth: i64 = 0
        self._top = _Open()
        self._open = [self._top]  # as many as were ever open; the first is outside all others

    def begin(self, data: bytes) -> None:
        """Begin a struct in ``data``."""
        self.parts.clear()
        self.findings.clear()
        self._data = data
        self._label = self._own = ""
        self._readings = ()
        self._depth = 0
        self._top = self._open[0]

    def _begin(self, start: i64) -> i64:
        """Write what precedes a value; return the place to name for it."""
        top, parts = self._top, self.parts
        if top.kind == _IN_STRUCT:
            if not top.is_first:
                parts.append(", ")
            top.is_first = False
            if 0 <= top.field_id < 1024:
                parts.append(_IDS[top.field_id])
            else:
                parts.append(f'{{"id": {top.field_id}, ')
            if top.name is not None:
                parts.append(f'"name": {_text(top.name)}, ')
            start = top.start
        elif top.kind == _IN_ITEMS:
            parts.append("{" if top.is_first else ", {")
            top.is_first = False
        elif top.kind == _AT_KEY:
            top.entry = len(parts)
            parts.append('{"key": {' if top.is_first else ', {"key": {')
            top.is_first = False
        else:
            parts.append(', "value": {')
        return start

    def _kind(self, ttype: i64) -> None:
        """Write the type, and everything up to the value itself."""
        if self._label or self._own:
            self._name(ttype)
            self.parts.append(', "value": ')
        else:
            self.parts.append(_KINDS[ttype])

    def _end(self, start: i64, stop: i64) -> None:
        """Write the place, and what follows a value."""
        if self._readings:
            self._write_readings()
        length = stop - start
        if start < 1024 and length < 1024:
            self.parts.append(_OFFSETS[start])
            self.parts.append(_LENGTHS[length])
        else:
            self.parts.append(f', "offset": {start}, "length": {length}}}')
        top = self._top
        if top.kind == _AT_KEY:
            top.kind = _AT_VALUE
        elif top.kind == _AT_VALUE:
            top.kind = _AT_KEY
            self.parts.append("}")

    def field(self, field_id: i64, name: str | None, start: i64) -> None:
        top = self._top
        top.field_id = field_id
        top.name = name
        top.start = start

    def field_end(self, stop: i64) -> None:
        # The place was written last.
        top = self._top
        length = stop - top.start
        if self.parts[-1] in _LENGTHS:
            self.parts[-1] = f', "length": {length}}}'
        else:
            self.parts[-1] = f', "offset": {top.start}, "length": {length}}}'

    def number(self, ttype: i64, value: int, start: i64, stop: i64) -> None:
        start = self._begin(start)
        self._kind(ttype)
        self.parts.append(_text(written_time(value)) if ttype == 22 else str(value))
        self._end(start, stop)

    def truth(self, value: bool, start: i64, stop: i64) -> None:
        start = self._begin(start)
        self._kind(2)
        self.parts.append("true" if value else "false")
        self._end(start, stop)

    def double(self, value: float, start: i64, stop: i64) -> None:
        place = self._begin(start)
        self._kind(4)
        self.parts.append(_double(value))
        if math.isnan(value):
            raw = self._data[start:stop]
            if raw not in _NAN:
                self.parts.append(f', "hex": {_text(raw.hex())}')
        self._end(place, stop)

    def string(
        self, data: bytes, inside: i64, end: i64, start: i64, head: i64, stop: i64, lost: i64
    ) -> None:
        start = self._begin(start)
        content = data[inside:end]
        self._kind(11)
        try:
            self.parts.append(_text(content.decode("utf-8")))
        except UnicodeDecodeError:
            self.parts.append(f'null, "hex": "{content.hex()}"')
        if lost:
            self.parts.append(f', "lost": {lost}')
        self._end(start, stop)

    def single(self, value: float, start: i64, stop: i64) -> None:
        start = self._begin(start)
        self._kind(19)
        self.parts.append(_double(value))
        self._end(start, stop)

    def text(self, value: str, start: i64, head: i64, stop: i64, lost: i64) -> None:
        start = self._begin(start)
        self._kind(20)
        self.parts.append(_text(value))
        if lost:
            self.parts.append(f', "lost": {lost}')
        self._end(start, stop)

    def binary(self, value: bytes, start: i64, head: i64, stop: i64, lost: i64) -> None:
        start = self._begin(start)
        self._kind(21)
        self.parts.append(f'null, "hex": "{value.hex()}"')
        if lost:
            self.parts.append(f', "lost": {lost}')
        self._end(start, stop)

    def null(self, start: i64, stop: i64) -> None:
        start = self._begin(start)
        self._kind(17)
        self.parts.append("null")
        self._end(start, stop)

    def uuid(self, value: uuid.UUID, start: i64, stop: i64) -> None:
        start = self._begin(start)
        self._kind(16)
        self.parts.append(_text(str(value)))
        self._end(start, stop)

    def missing(self, ttype: i64, start: i64, stop: i64, lost: i64) -> None:
        start = self._begin(start)
        self._kind(ttype)
        self.parts.append(f'null, "lost": {lost}')
        self._end(start, stop)

    def masked(self, ttype: i64, start: i64, stop: i64) -> None:
        start = self._begin(start)
        self.parts.append(f'"type": {_TTYPES[ttype]}, "redacted": true')
        self._end(start, stop)

    def label(self, text: str) -> None:
        self._label = text

    def own(self, text: str) -> None:
        self._own = text

    def readings(self, readings: tuple[Reading, ...]) -> None:
        self._readings = readings

    def _write_readings(self) -> None:
        """Write all ways to read the value that was just written."""
        written = [
            f'{{"type": {_text(one.own)}, "value": {_plain(one.plain)}, '
            f'"likely": {"true" if one.is_likely else "false"}}}'
            for one in self._readings
        ]
        self._readings = ()
        self.parts.append(f', "readings": [{", ".join(written)}]')

    def _push(self, kind: i64, begun: i64, place: i64) -> None:
        self._depth += 1
        if self._depth == len(self._open):
            self._open.append(_Open())
        self._top = top = self._open[self._depth]
        top.kind = kind
        top.begun = begun
        top.place = place
        top.is_first = True

    def _pop(self) -> None:
        self._depth -= 1
        self._top = self._open[self._depth]

    def struct(self, start: i64) -> None:
        begun = len(self.parts)
        readings, self._readings = self._readings, ()
        if self._depth:
            start = self._begin(start)
            self._kind(12)
        self.parts.append("[")
        self._push(_IN_STRUCT, begun, start)
        self._top.readings = readings

    def struct_end(self, place: i64, stop: i64) -> None:
        self._close(stop)

    def take_back(self) -> None:
        del self.parts[self._top.begun :]
        self._pop()
        if not self._top.begun or self.parts[-1].endswith("["):
            self._top.is_first = True

    def items(
        self, ttype: i64, element_type: i64, count: i64, raw_type: i64, start: i64, head: i64
    ) -> None:
        begun = len(self.parts)
        start = self._begin(start)
        self._name(ttype)
        self.parts.append(_UNSETTLED)
        self._push(_IN_ITEMS, begun, start)
        self._top.readings, self._readings = self._readings, ()
        self._top.head = len(self.parts) - 1
        if count >= 0:
            self.settle(element_type, count)

    def settle(self, element_type: i64, count: i64) -> None:
        top = self._top
        types = f', "element_type": {_TTYPES[element_type]}, '
        if top.kind != _IN_ITEMS:
            types = top.types
        self.parts[top.head] = f'{types}"count": {count}, "value": ['

    def entries(
        self, key_type: i64, value_type: i64, count: i64, raw_type: i64, start: i64, head: i64
    ) -> None:
        begun = len(self.parts)
        start = self._begin(start)
        self._name(13)
        types = f', "key_type": {_TTYPES[key_type]}, "value_type": {_TTYPES[value_type]}, '
        self.parts.append(f'{types}"count": {count}, "value": [')
        self._push(_AT_KEY, begun, start)
        self._top.head = len(self.parts) - 1
        self._top.types = types
        self._top.readings, self._readings = self._readings, ()

    def _name(self, ttype: i64) -> None:
        label = f', "label": {_text(self._label)}' if self._label else ""
        name = _text(self._own) if self._own else _TTYPES[ttype]
        self._label = self._own = ""
        self.parts.append(f'"type": {name}{label}')

    def end(self, stop: i64) -> None:
        if self._top.kind == _AT_VALUE:
            del self.parts[self._top.entry :]  # a key without a value
        self._close(stop)

    def _close(self, stop: i64) -> None:
        place = self._top.place
        self.parts.append("]")
        self._readings = self._top.readings
        self._pop()
        if self._depth:
            self._end(place, stop)


# ── JSON ─────────────────────────────────────────────────────────────────────────────


def _text(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in quoted)


def _plain(value: Plain) -> str:
    """Return a value as Python has it: bytes in hex, and what JSON lacks as text."""
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return f'{{"hex": "{value.hex()}"}}'
    if isinstance(value, dict):
        inner = [f"{_text(str(key))}: {_plain(one)}" for key, one in value.items()]
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[{', '.join([_plain(one) for one in value])}]"
    if isinstance(value, tuple):
        return _plain(list(value))
    return _text(str(value)) if isinstance(value, uuid.UUID) else json.dumps(value)


def _double(number: float) -> str:
    if math.isnan(number):
        return '"NaN"'
    if math.isinf(number):
        return '"Infinity"' if number > 0 else '"-Infinity"'
    return repr(number)


def _endpoint(endpoint: Endpoint) -> str:
    return _text(str(endpoint))
