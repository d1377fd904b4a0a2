"""A note for every byte of a Dubbo message; its attachments, and its masks.

head │ names, or the kind of result │ values (hessian2's own) │ attachments
"""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import DecodeError
from ....model import (
    LETTER,
    Entries,
    HeadMasks,
    Items,
    Message,
    MessageType,
    Metadatum,
    Note,
    Run,
    Span,
    Struct,
    TType,
    Value,
)
from ...encodings.hessian2 import HESSIAN2
from ...encodings.hessian2_notes import Hessian2Writer
from ...encodings.java_stream import JAVA_STREAM
from ...encodings.notes import Writer
from ...family import METHOD
from ...framings.headed_carriers import hide_unless_name
from ...purposes import REDACTED, counted
from .body import DUBBO_HESSIAN2, attachments
from .heads import (
    EVENT,
    FIXED,
    HESSIAN,
    JAVA,
    NAMES,
    READ,
    REQUEST,
    SERIALIZATIONS,
    STATUSES,
    TWO_WAY,
    DubboHead,
    Names,
    count_of,
    read_names,
    read_result,
)

__all__ = ["DubboWriter", "masks", "metadata", "notes"]

_WHY = {
    "Dubbo version": "Of the protocol: it says how the reply is written.",
    "path": "Mostly the interface's name.",
    "parameter types": "As the JVM writes them: so many arguments follow.",
}
_RESULTS = (
    "an exception", "a value", "null",
    "an exception, then attachments", "a value, then attachments", "null, then attachments",
)  # fmt: skip


def _head(message: Message) -> DubboHead | None:
    """Return its head; None for text."""
    try:
        return DubboHead(message.data)
    except DecodeError:
        return None


def notes(message: Message) -> list[Note]:
    """Return the notes of what precedes the values, in order."""
    writer = Writer(message)
    data, head = message.data, _head(message)
    if head is None:
        text = data.decode("utf-8", "backslashreplace")
        meaning = REDACTED if message.kept is not None else f'"{text}"'
        writer.note(len(data), "frame", "text", meaning, "Dubbo's port takes commands, too.")
        return writer.notes
    writer.note(2, "frame", "magic", "da bb", "Each frame begins with it.")
    why = "Which way, what kind, and how the body is written."
    if head.serialization not in READ:
        why += " Values that are written so are not read here."
    writer.note(1, "frame", "flags", _flags(head), why)
    status = f"{head.status} {STATUSES.get(head.status, 'which Dubbo does not define')}"
    why = "Only replies have one."
    writer.note(1, "frame", "status", str(head.status) if head.is_request else status, why)
    why = "The sender's number for this call." if head.is_request else "The call's."
    writer.note(8, "header", "request id", str(head.seqid), why)
    writer.note(4, "frame", "length", str(head.stop - 16), "Bytes that follow.")
    if message.type is MessageType.EVENT:
        meaning = f"{message.method}: {data[writer.at :].hex(' ')}"
        size = message.start - writer.at
        writer.note(size, "frame", "event", meaning, "It is about the connection, not a call.")
    elif message.start > writer.at:
        if head.is_request:
            _names(writer, message, head)
        else:
            _result(writer, message, head)
    return writer.notes


def _flags(head: DubboHead) -> str:
    kind = head.serialization
    words = ["request" if head.flags & REQUEST else "reply"]
    if head.flags & TWO_WAY:
        words.append("two-way")
    elif head.flags & REQUEST:
        words.append("oneway")
    if head.flags & EVENT:
        words.append("event")
    words.append(f"serialization {kind} ({SERIALIZATIONS.get(kind, 'nobody defines it')})")
    return f"{head.flags:02x} {', '.join(words)}"


def _names(writer: Writer, message: Message, head: DubboHead) -> None:
    names = read_names(message.data, head.serialization, message.stop)
    assert names is not None
    for what, text, span in zip(NAMES, names.texts, names.spans, strict=True):
        if head.serialization in JAVA and writer.at < span.start:
            writer.note(span.start - writer.at, "frame", "Java stream", "ac ed 00 05")
        inside = _inside(text, span)
        meaning = f'"{text}"' if text or inside.start < span.stop else "null or empty"
        if inside.start > span.start:
            size = inside.start - span.start
            word = f"{what} length" if len(inside) else what
            said = counted(len(text), "character") if len(inside) else meaning
            writer.note(size, "size" if len(inside) else "header", word, said)
        writer.note(len(inside), "header", what, meaning, _WHY.get(what, ""))


def _inside(text: str, span: Span) -> Span:
    """Return where the text itself is: at the end of ``span``, if it is there in one piece."""
    size = len(text.encode("utf-8", "surrogatepass"))
    return Span(max(span.start, span.stop - size), span.stop)


def _result(writer: Writer, message: Message, head: DubboHead) -> None:
    if head.serialization in JAVA:
        writer.note(4, "frame", "Java stream", "ac ed 00 05")
    result, _ = read_result(message.data, head.serialization, message.stop)
    size = message.start - writer.at
    why = "Attachments came with version 2.0.2: the call's says whether they may."
    writer.note(size, "header", "kind of result", f"{result}: {_RESULTS[result]}", why)


class DubboWriter(Hessian2Writer):
    """Writes the notes of hessian2 with attachments after the struct."""

    def outermost(self, body: Struct) -> None:
        super().outermost(body)
        if body.stop is None or not len(body.stop):
            return
        value = attachments(self.record)
        if value is not None:
            if isinstance(self.record, Message) and self.record.kept is not None:
                for leaf in _leaves(value):
                    leaf.redacted = True
            self.value(value, "attachments", 1, ())

    def written(self) -> list[Note]:
        record = self.record
        self.at = record.start
        self.outermost(record.body)
        self.rest(len(record.data))
        return self.notes


def _leaves(value: Value) -> Iterator[Value]:
    """Yield the values in a value that are not containers."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        content = one.content
        if isinstance(content, Struct):
            waiting += [field.value for field in content.fields]
        elif isinstance(content, Items):
            waiting += content.items
        elif isinstance(content, Entries):
            for key, item in content.items:
                waiting += (key, item)
        else:
            yield one


def _attached(message: Message) -> Value | None:
    return attachments(message) if message.protocol is DUBBO_HESSIAN2 else None


def metadata(message: Message) -> tuple[Metadatum, ...]:
    """Return the attachments of a message."""
    value = _attached(message)
    if value is None or not isinstance(value.content, Entries):
        return ()
    is_shut = message.kept is not None
    out: list[Metadatum] = []
    for key, item in value.content.items:
        span = Span(key.span.start, item.span.stop)
        text = None if is_shut or item.content is None else str(item.plain)
        out.append(Metadatum(str(key.plain), text, span, REDACTED if is_shut else ""))
    return tuple(out)


def masks(message: Message) -> HeadMasks:
    """Return the masks for malformed names, for attachments, and for text."""
    data, head = message.data, _head(message)
    runs: list[Run] = []
    if head is None:
        return HeadMasks([(0, LETTER * len(data))])
    if message.type is MessageType.EVENT:
        return HeadMasks(runs)
    keeps: list[Span] = []
    names = _names_of(message, head) if head.is_request else None
    if names is not None:
        for what, text, span in zip(NAMES, names.texts, names.spans, strict=True):
            inside = _inside(text, span)
            hidden = len(runs)
            if what == "parameter types":
                if count_of(text) < 0:
                    runs.append((inside.start, LETTER * len(inside)))
            elif "version" in what:
                if not text.replace(".", "").replace("-", "").isalnum():
                    runs.append((inside.start, LETTER * len(inside)))
            elif what == "path":
                hide_unless_name(data, inside, runs)
            is_open = METHOD.match(text) is not None if what == "method" else hidden == len(runs)
            if is_open:
                keeps.append(span)
    if message.protocol is JAVA_STREAM and message.type is MessageType.REPLY:
        keeps.append(Span(FIXED, _result_end(message, head)))
    value = _attached(message)
    if value is not None:
        keys = set()
        if isinstance(value.content, Entries):
            keys = {key.span.start for key, _ in value.content.items}
        for leaf in sorted(_leaves(value), key=_place):
            if leaf.span.start not in keys and leaf.content is not None:
                runs.append(HESSIAN2.mask(data, leaf, None, False))
    if message.protocol is JAVA_STREAM:
        # Attachments are in objects, which are not decoded here.
        for field in message.fields:
            if not field.value.head and field.value.ttype is TType.BYTES:
                runs.append((field.value.span.start, bytes(len(field.value.span))))
    elif head.serialization != HESSIAN and message.start < len(data):
        runs.append((message.start, bytes(len(data) - message.start)))
    # Names are before the values, but in a Java stream they are in its blocks.
    return HeadMasks(runs, keeps=tuple(keeps) if message.protocol is JAVA_STREAM else ())


def _names_of(message: Message, head: DubboHead) -> Names | None:
    """Return what comes before the arguments; None if that cannot be read."""
    try:
        return read_names(message.data, head.serialization, message.stop)
    except DecodeError:
        return None


def _result_end(message: Message, head: DubboHead) -> int:
    """Return where the kind of result ends; where the body begins, if there is none."""
    try:
        return read_result(message.data, head.serialization, message.stop)[1]
    except DecodeError:
        return FIXED


def _place(value: Value) -> int:
    return value.span.start
