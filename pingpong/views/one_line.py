"""Values and messages in one line, as far as there is room.

    "root"   2.5   [1, 2, 3]   {"a" → 1}   {1: "x", 2: true}   3 bytes: ff 00 fe

A list of a million elements costs only what is shown of it: writing stops as soon as the line is
full.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..capture import Capture
from ..model import (
    UDP,
    Entries,
    Error,
    Exchange,
    Field,
    Finding,
    Flow,
    Items,
    Message,
    MessageType,
    Outcome,
    Record,
    Severity,
    Struct,
    TType,
    Value,
    written_time,
)
from ..protocols.purposes import counted
from .text import display_width, duration, elide, elide_middle, escape, quote, trim

__all__ = [
    "DIFFER",
    "OUTCOMES",
    "SEVERITIES",
    "arguments",
    "call_line",
    "capture_line",
    "exchange_line",
    "field_name",
    "finding_line",
    "flow_line",
    "has_differences",
    "header_line",
    "label",
    "method",
    "outcome_detail",
    "outcome_text",
    "redacted",
    "result",
    "value_text",
]

OUTCOMES = {
    Outcome.SUCCESS: "success",
    Outcome.DECLARED_EXCEPTION: "declared exception",
    Outcome.APPLICATION_EXCEPTION: "application exception",
    Outcome.ONEWAY: "oneway",
    Outcome.NO_REPLY: "no reply",
    Outcome.NO_CALL: "call not captured",
    Outcome.UNREADABLE: "reply unreadable",
    Outcome.WAITING: "still waiting",
    Outcome.CLOSED_BY_SERVER: "closed by server",
    Outcome.CLOSED_BY_CLIENT: "closed by client",
    Outcome.RESET_BY_SERVER: "reset by server",
    Outcome.RESET_BY_CLIENT: "reset by client",
    Outcome.LOST: "reply lost",
    Outcome.LATE: "late reply",
    Outcome.OUT_OF_SEQUENCE: "out of sequence",
}

SEVERITIES = {Severity.NOTE: "note", Severity.WARNING: "warning", Severity.ERROR: "error"}

# The heading above a list of differences.
DIFFER = "Where wire and IDL differ"

# With more messages than this, a view does not look for differences, because all would have to be
# read; ``capture.differences`` still does.
_MAX_HELD = 20_000

_MAX_METHOD = 60
_MAX_BYTES = 16


def method(message: Message) -> str:
    """The method's name, escaped: 60 columns at most, "(no name)" if it is empty.

    Where it is longer, its middle is left out: the interface's name stands first, and the method's
    own last.
    """
    name = message.method
    if len(name) > 2 * _MAX_METHOD:
        name = name[:_MAX_METHOD] + name[-_MAX_METHOD:]
    return elide_middle(escape(name), _MAX_METHOD) or "(no name)"


def field_name(field: Field) -> str:
    """What a field is called: its name if the IDL or the wire tells it, otherwise its id."""
    if field.name is None:
        return str(field.field_id)
    return elide(escape(field.name[: _MAX_METHOD + 1]), _MAX_METHOD) or "(no name)"


def label(value: Value) -> str:
    """What the IDL calls the type of a struct or the number of an enum; "" if it does not say."""
    return elide(escape(value.label[: _MAX_METHOD + 1]), _MAX_METHOD)


def value_text(value: Value, room: int = 60) -> str:
    """A value in at most ``room`` columns; masked, lost and unread ones say what they are."""
    return _joined(_value(value, room), room)


def redacted(value: Value) -> str:
    """What is shown instead of a masked value: ``(redacted, 12 bytes)``.

    The size is only given for strings; that of a number is of no interest.
    """
    if value.ttype not in (TType.STRING, TType.TEXT, TType.BYTES):
        return "(redacted)"
    size = len(value.content) if isinstance(value.content, bytes) else len(value.span) - value.head
    if not value.span and isinstance(value.content, str):
        size = len(value.content)  # a status says it, outside the struct; the mask is as long
    size -= value.lost if isinstance(value.content, str) else 0
    return f"(redacted, {counted(size + value.lost, 'byte')})"


def arguments(message: Message, room: int = 60) -> str:
    """The fields after a message's header, in at most ``room`` columns: ``1: "root", 2: "pwd"``."""
    return _joined(_fields(message.begin(room + 1), room), room)


def result(message: Message, room: int = 60) -> str:
    """What a REPLY or an EXCEPTION says, in at most ``room`` columns."""
    body = message.begin(max(room, 1) + 1)
    if message.type is MessageType.EXCEPTION:
        return _error(message.family.error(message), room)
    if not body.fields:
        if body.stop is None:
            return "unreadable"
        return "void" if message.family.has_results else "(empty)"
    if not message.family.has_results:
        return arguments(message, room)
    first = body.fields[0]
    if message.family.is_result(first) and len(body.fields) == 1:
        return value_text(first.value, room)
    if first.value.label and len(body.fields) == 1:
        # An exception of the IDL: its type says more than the name of the field.
        return elide(f"{label(first.value)} {value_text(first.value, room)}", room)
    return arguments(message, room)


def call_line(message: Message, room: int = 60) -> str:
    """A message in brief: ``CALL login 1: "root", 2: "pwd"``, ``REPLY ping "pong"``.

    It takes at most ``room`` columns, except that type and method are always shown.
    """
    start = f"{message.type.name} {method(message)}"
    is_call = message.type in (MessageType.CALL, MessageType.ONEWAY)
    is_call = is_call or message.type is MessageType.PART
    room -= len(start) + 1
    if room < 4:
        return start
    rest = arguments(message, room) if is_call else result(message, room)
    return f"{start} {rest}".rstrip()


def header_line(message: Record, exact: bool = False) -> str:
    """What a message is: type, method, seqid, direction, size, protocol and transport.

    For a bare struct it is the name, if an IDL gives one, the size and the protocol.  ``exact``
    adds the ends.
    """
    if not isinstance(message, Message):
        name = f" {escape(message.names.label)}".rstrip() if message.names is not None else ""
        return f"struct{name}, {counted(len(message.data), 'byte')}, {message.protocol.name}"
    source, target = ("client", "server") if message.from_client else ("server", "client")
    if exact:
        source, target = f"{source} {message.source}", f"{target} {message.target}"
    strict = "" if message.header.strict else " (old header)"
    spoken = f"{message.protocol.name}{strict} {message.transport}"
    if message.protocol.is_raw:
        spoken = str(message.transport)  # there is nothing to read
    return (
        f"{message.type.name} {method(message)}, {message.transport.id_name} {message.seqid}, "
        f"{source} → {target}, {counted(message.size, 'byte')}, {spoken}"
        + (f", in {message.tls}" if message.tls else "")
    )


def outcome_text(exchange: Exchange) -> str:
    """The outcome in words, as tables show it: ``closed by server``."""
    return OUTCOMES[exchange.outcome]


def outcome_detail(exchange: Exchange, exact: bool = False) -> str:
    """What there is to add to the outcome; "" if the outcome says it all.

    That is: which exception, how long the client waited for a reply that did not come (if
    ``exact``), and why.
    """
    parts = []
    name = exchange.exception
    if name:
        name = elide(escape(name[: _MAX_METHOD + 1]), _MAX_METHOD)
        parts.append(f"field {name}" if name.isdecimal() else name)
    if exact and exchange.reply is None and exchange.waited is not None:
        parts.append(f"after {duration(exchange.waited)}")
    if exchange.why:
        parts.append(exchange.why)
    return "; ".join(parts)


def exchange_line(exchange: Exchange, exact: bool = False) -> str:
    """An exchange in one line: ``exchange 2: login, success, 39 bytes sent, 38 received``."""
    outcome = outcome_text(exchange)
    if exchange.outcome is Outcome.DECLARED_EXCEPTION and exchange.reply is not None:
        # If the reply is masked, there may be no field left that can be read.
        for field in exchange.reply.fields[:1]:
            outcome = f"{outcome} {label(field.value)}".rstrip()
    parts = [f"exchange {exchange.number}: {method(exchange.first)}", outcome]
    if exact and exchange.latency is not None:
        parts.append(f"after {duration(exchange.latency)}")
    if exchange.call is not None:
        parts.append(f"{counted(exchange.sent, 'byte')} sent")
    if exchange.has_received:
        parts.append(f"{counted(exchange.received, 'byte')} received")
    if exchange.why:
        parts.append(exchange.why)
    return ", ".join(parts)


def flow_line(flow: Flow, exact: bool = False) -> str:
    """What a connection is, what it carried, how it began and how it ended."""
    client, server = ("client", "server")
    if exact:
        client, server = f"client {flow.client}", f"server {flow.server}"
    spoken = "nothing recognised"
    if flow.detection is not None and flow.detection.protocol is not None:
        spoken = f"{flow.detection.protocol.name} {flow.detection.transport}"
    parts = [
        f"flow {flow.number}: {'UDP' if flow.protocol == UDP else 'TCP'}, {client} ⇄ {server}",
        spoken,
        *([f"in {flow.tls}"] if flow.tls else []),
        *_proxied(flow, exact),
        f"{counted(flow.sent, 'byte')} sent, {flow.received} received",
    ]
    if flow.lost:
        parts.append(f"{counted(flow.lost, 'byte')} lost")
    if flow.protocol != UDP:
        if not flow.opened:
            parts.append("its beginning was not captured")
        ends = {"FIN": "closed by both (FIN)", "RST": "reset (RST)"}
        parts.append(ends.get(flow.ended, "still open at the end"))
    return ", ".join(parts)


def _proxied(flow: Flow, exact: bool) -> list[str]:
    """Whom a proxy connected for; no part if there was none."""
    if flow.proxied is None:
        return []
    return [f"for {flow.proxied} (PROXY header)" if exact else "a PROXY header names the client"]


def capture_line(capture: Capture, exact: bool = False) -> str:
    """A capture in one line: ``1 connection, 4 messages, 2 exchanges``.

    ``exact`` adds the file's name and the number of packets, which differ from run to run.
    """
    start = f"{elide(escape(capture.name), 60)}: {counted(len(capture.packets), 'packet')}, "
    return (start if exact else "") + (
        f"{counted(len(capture.flows), 'connection')}, "
        f"{counted(len(capture.messages), 'message')}, "
        f"{counted(len(capture.exchanges), 'exchange')}"
    )


def has_differences(capture: Capture) -> bool:
    """Whether a capture differs from its IDL; False for one that is too long for a view to look."""
    return len(capture.messages) <= _MAX_HELD and len(capture.differences) > 0


def finding_line(finding: Finding) -> str:
    """A finding in one line, escaped: ``error: count at offset 20: …``."""
    return f"{SEVERITIES[finding.severity]}: {escape(finding.text)}"


# ── Pieces, as many as fit ───────────────────────────────────────────────────────────


def _joined(pieces: Iterator[str], room: int) -> str:
    out: list[str] = []
    size = 0
    for piece in pieces:
        out.append(piece)
        size += display_width(piece)
        if size > room:
            break
    return elide("".join(out), room)


def _value(value: Value, room: int) -> Iterator[str]:
    content = value.content
    if value.redacted:
        yield redacted(value)
    elif value.ttype is TType.NULL:
        yield "null"
    elif content is None:
        yield f"({counted(value.lost, 'byte')} missing)" if value.lost else "(not read)"
    elif isinstance(content, bytes):
        yield _string(value, content, room)
    elif isinstance(content, str):
        lost = f" ({counted(value.lost, 'byte')} missing)" if value.lost else ""
        yield quote(trim(content, 2 * room)) + lost
    elif isinstance(content, bool):
        yield "true" if content else "false"
    elif value.ttype is TType.TIME and isinstance(content, int):
        yield written_time(content)
    elif value.ttype is TType.REFERENCE:
        yield f"→ {label(value) or content}"
    elif isinstance(content, Struct):
        yield "{"
        yield from _fields(content, room)
        yield "}"
    elif isinstance(content, Items):
        yield "["
        for at, item in enumerate(content.items):
            yield ", " if at else ""
            yield from _value(item, room)
        yield "]"
    elif isinstance(content, Entries):
        yield "{"
        for at, (key, item) in enumerate(content.items):
            yield ", " if at else ""
            yield from _value(key, room)
            yield " → "
            yield from _value(item, room)
        yield "}"
    else:
        yield f"{label(value)} ({content})" if value.label else str(content)


def _fields(struct: Struct, room: int) -> Iterator[str]:
    for at, field in enumerate(struct.fields):
        yield ", " if at else ""
        yield f"{field_name(field)}: "
        yield from _value(field.value, room)
    if struct.stop is None:
        yield ", …" if struct.fields else "…"


def _string(value: Value, content: bytes, room: int) -> str:
    lost = f" ({counted(value.lost, 'byte')} missing)" if value.lost else ""
    text = value.text
    if text is None:
        more = " …" if len(content) > _MAX_BYTES else ""
        return f"{counted(len(content), 'byte')}: {content[:_MAX_BYTES].hex(' ')}{more}{lost}"
    return quote(trim(text, 2 * room)) + lost


def _error(error: Error, room: int) -> str:
    words = "" if error.text is None else value_text(error.text, room)
    if error.kind is not None and error.kind.redacted:
        return elide(f"{redacted(error.kind)} {words}".rstrip(), room)
    if error.number is None:
        return words or "no reason given"
    return elide(f"{error.name or 'type'} ({error.number}) {words}".rstrip(), room)
