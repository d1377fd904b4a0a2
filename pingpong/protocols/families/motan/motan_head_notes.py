"""A note for every byte of a Motan message except its values; its metadata, and its masks."""

from __future__ import annotations

import re
from typing import Final

from ....errors import DecodeError
from ....model import (
    LETTER,
    HeadMasks,
    Message,
    MessageType,
    Metadatum,
    Note,
    Record,
    Run,
    Span,
    Struct,
)
from ...encodings.hessian2 import Said, settle
from ...encodings.hessian2_notes import Hessian2Writer
from ...encodings.notes import Writer
from ...framings.headed_carriers import hide_unless_name
from ...purposes import REDACTED, REDACTED_WHY, counted
from .body import MOTAN_OBJECTS, attached, base_of, next_array
from .heads import (
    ERROR,
    GZIP,
    HEARTBEAT,
    KINDS,
    ONEWAY,
    PATH,
    PROXY,
    RESPONSE,
    SERIALIZATIONS,
    SIGNED,
    Motan2Head,
    Names,
    read_names,
)

__all__ = ["ObjectsWriter", "masks1", "masks2", "metadata1", "metadata2", "notes1", "notes2"]

_CALL = "The sender's number for this call."
_ANSWER = "The call's."

# ── Motan 2 ──────────────────────────────────────────────────────────────────────────

# The part of the metadata that Motan itself writes.
_KEYS = {
    "M_p": "The path: mostly the interface's name.",
    "M_m": "The method.",
    "M_md": "The types of its parameters.",
    "M_g": "The group.",
    "M_s": "Who asks.",
    "M_pp": "The protocol.",
    "M_pt": "Milliseconds that the server took.",
    "M_v": "The version of the service.",
    ERROR: "What went wrong, in JSON.",
}


def notes2(message: Message) -> list[Note]:
    """Return the notes of what precedes the body, in order."""
    writer = Writer(message)
    data = message.data
    head = Motan2Head(data)
    writer.note(2, "frame", "magic", "f1 f1", "Each frame begins with it.")
    writer.note(1, "frame", "flags", _flags(head.flags), "Which way, what kind, how it is packed.")
    status = "normal" if not head.status else "exception" if head.status == 1 else "undefined"
    why = "The version in the upper five bits, the status in the others."
    writer.note(1, "frame", "version, status", f"1, {head.status} {status}", why)
    kind = head.serialization
    known = SERIALIZATIONS[kind] if kind < len(SERIALIZATIONS) else "which nobody defines"
    writer.note(1, "frame", "serialization", f"{kind} {known}", "In the upper five bits.")
    why = _ANSWER if head.flags & RESPONSE else _CALL
    writer.note(8, "header", "request id", str(head.seqid), why)
    writer.note(4, "size", "metadata length", str(len(head.metadata)), "In bytes.")
    for key, value in head.pairs(data):
        name = key.of(data).decode("utf-8", "backslashreplace")
        text, why = f'"{value.of(data).decode("utf-8", "backslashreplace")}"', _KEYS.get(name, "")
        if message.kept is not None:
            text, why = REDACTED, REDACTED_WHY
        writer.note(len(key), "header", "key", f'"{name}"')
        writer.note(1, "header", "line feed", "", "Between a key and its value.")
        writer.note(len(value), "header", "value", text, why)
        if writer.at < head.metadata.stop:
            writer.note(1, "header", "line feed", "", "Another key follows.")
    size = head.metadata.stop - writer.at
    writer.note(size, "unread", "not read", counted(size, "byte"), "A key without a value.")
    writer.note(4, "size", "body length", str(head.stop - head.start), "In bytes, on the wire.")
    packed = message.start - writer.at
    if message.type is MessageType.EVENT:
        writer.note(packed, "frame", "body", counted(packed, "byte"), "Heartbeats have none.")
    else:
        why = "Below it is unpacked."
        writer.note(packed, "size", "packed", counted(packed, "byte"), why)
    return writer.notes


def _flags(flags: int) -> str:
    words = ["response" if flags & RESPONSE else "request"]
    for bit, word in ((HEARTBEAT, "heartbeat"), (GZIP, "gzip"), (ONEWAY, "oneway")):
        if flags & bit:
            words.append(word)
    if flags & PROXY:
        words.append("by a proxy")
    return f"{flags:02x} {', '.join(words)}"


def metadata2(message: Message) -> tuple[Metadatum, ...]:
    """Return the keys and values of a message."""
    data = message.data
    is_shut = message.kept is not None
    out: list[Metadatum] = []
    for key, value in Motan2Head(data).pairs(data):
        name = key.of(data).decode("utf-8", "backslashreplace")
        text = None if is_shut else value.of(data).decode("utf-8", "backslashreplace")
        span = Span(key.start, value.stop)
        out.append(Metadatum(name, text, span, REDACTED if is_shut else ""))
    return tuple(out)


def masks2(message: Message) -> HeadMasks:
    """Return the masks for the values of the metadata, and for packed bytes."""
    data = message.data
    head = Motan2Head(data)
    runs: list[Run] = []
    end = head.metadata.start
    for key, value in head.pairs(data):
        name = key.of(data).decode("utf-8", "backslashreplace")
        hide_unless_name(data, key, runs)
        if name == PATH:
            hide_unless_name(data, value, runs)
        elif name == ERROR:
            runs.append((value.start, mask_error(value.of(data))))
        elif name != "M_m":
            runs.append((value.start, LETTER * len(value)))
        end = min(value.stop + 1, head.metadata.stop)
    if end < head.metadata.stop:
        runs.append((end, bytes(head.metadata.stop - end)))
    if message.start > head.start:
        runs.append((head.start, bytes(message.start - head.start)))
        if message.type is not MessageType.EVENT:
            return HeadMasks(runs, message.start)
    return HeadMasks(runs)


# A word that Motan's errors have, with its number; a text; anything else.
_ERROR_TOKEN: Final = re.compile(
    rb'("err(?:code|type)"\s*:\s*-?\d{1,9}(?=\s*[,}]))|("errmsg"\s*:)|"(?:[^"\\]|\\.)*"|[{},:\s]',
    re.DOTALL,
)


def mask_error(raw: bytes) -> bytes:
    """Mask the text of an error; its numbers stay, which say of which kind it is.

    >>> mask_error(b'{"errcode":404,"errmsg":"no bob","errtype":1}')
    b'{"errcode":404,"errmsg":"xxxxxx","errtype":1}'
    """
    out = bytearray()
    for found in _ERROR_TOKEN.finditer(raw):
        if found.start() != len(out):
            break
        token = found.group()
        is_text = found.lastindex is None and token[:1] == b'"'
        out += b'"' + LETTER * (len(token) - 2) + b'"' if is_text else token
    return bytes(out) if len(out) == len(raw) else LETTER * len(raw)


# ── Motan 1 ──────────────────────────────────────────────────────────────────────────

_WHATS = {
    "signature": "The method's first letters, at most four, then a part of a hash: of its group, "
    "interface, name, types and version.",
    "types": "Of the parameters, with commas between them.",
    "time": "Milliseconds that the server took.",
}


def notes1(message: Message) -> list[Note]:
    """Return the notes of what precedes the values, in order."""
    writer = Writer(message)
    data = message.data
    writer.note(2, "frame", "magic", "f1 f1", "Each frame begins with it.")
    writer.note(2, "frame", "direction", "reply" if data[3] else "request")
    seqid = str(int.from_bytes(data[4:12], "big"))
    writer.note(8, "header", "request id", seqid, _ANSWER if data[3] else _CALL)
    length = int.from_bytes(data[12:16], "big")
    writer.note(4, "frame", "length", str(length), "Bytes that follow.")
    writer.note(2, "frame", "inner magic", "f0 f0", "A second head.")
    signed = "2, with a signature" if data[18] == SIGNED else str(data[18])
    writer.note(1, "frame", "variant", signed)
    kind = KINDS.get(data[19], "which nobody defines")
    writer.note(1, "header", "kind", f"{data[19]} {kind}", "What the body is.")
    inner = str(int.from_bytes(data[20:28], "big"))
    writer.note(8, "header", "request id", inner, "Once more.")
    writer.note(4, "frame", "length", str(int.from_bytes(data[28:32], "big")), "Once more.")
    base = min(base_of(data), message.start)
    packed = base - writer.at
    writer.note(packed, "size", "packed", counted(packed, "byte"), "Below it is unpacked.")
    names = _names(message)
    if names is not None and writer.at < message.start:
        writer.note(4, "frame", "Java stream", "ac ed 00 05")
        for what, text, span in zip(names.whats, names.texts, names.spans, strict=True):
            _text(writer, what, text, span, message.start)
    rest = message.start - writer.at
    writer.note(rest, "frame", "heartbeat", counted(rest, "byte"), "It calls no method of anybody.")
    return writer.notes


def _text(writer: Writer, what: str, text: str, span: Span, stop: int) -> None:
    why = _WHATS.get(what, "")
    end = min(span.stop, stop)
    if what == "time":
        writer.note(end - writer.at, "header", what, f"{text} ms", why)
        return
    inside = max(writer.at, end - len(text.encode("utf-8", "surrogatepass")))
    size = f"{counted(end - inside, 'byte')}"
    writer.note(inside - writer.at, "size", f"{what} length", size, "A block may begin before it.")
    writer.note(end - inside, "header", what, f'"{text}"', why)


def _names(message: Message) -> Names | None:
    try:
        return read_names(message.data, base_of(message.data), message.stop)
    except DecodeError:
        return None


class ObjectsWriter(Hessian2Writer):
    """Writes the notes of arrays with hessian2 in them, then of attachments."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)

    def written(self) -> list[Note]:
        record = self.record
        self.at = record.start
        self.outermost(record.body)
        self.rest(record.stop)
        return self.notes

    def outermost(self, body: Struct) -> None:
        record = self.record
        for field in body.fields:
            path = (field.field_id,)
            self.rest(field.span.start)
            if self.data[self.at] == 0x75:
                inside = next_array(self.data, self.at, record.stop)
                length = int.from_bytes(self.data[inside - 4 : inside], "big")
                why = "A Java array of bytes; the value is in it."
                self.note(inside - 4 - self.at, "field", "array", "byte[]", why, 1, path)
                self.note(4, "size", "array length", str(length), "In bytes.", 1, path)
                self.classes = []
                counts = Said()
                end = min(inside + length, record.stop)
                settle(self.data, inside, end, counts, record.gaps, record.limits)
                self.wide = counts.wide
            self.value(field.value, "value", 1, path)
        if body.stop is not None and len(body.stop):
            self.rest(body.stop.start)
            self.attachments(body.stop.stop)

    def attachments(self, stop: int) -> None:
        """Note the count of the attachments, then each key with its value, up to ``stop``."""
        record = self.record
        is_shut = isinstance(record, Message) and record.kept is not None
        pairs = attached(record)
        first = pairs[0][2].start if pairs else stop
        why = "Keys with values follow."
        self.note(first - self.at, "size", "attachments", str(len(pairs)), why, 1)
        for key, value, span in pairs:
            meaning, why = f'"{key}": "{value}"', "Each with its length before it."
            if is_shut:
                meaning, why = REDACTED, REDACTED_WHY
            self.note(span.stop - self.at, "value", "attachment", meaning, why, 1)


def metadata1(message: Message) -> tuple[Metadatum, ...]:
    """Return the attachments of a message."""
    if message.protocol is not MOTAN_OBJECTS:
        return ()
    is_shut = message.kept is not None
    return tuple(
        Metadatum(key, None if is_shut else value, span, REDACTED if is_shut else "")
        for key, value, span in attached(message)
    )


def masks1(message: Message) -> HeadMasks:
    """Return the masks for attachments, for malformed names, and for packed bytes."""
    data = message.data
    runs: list[Run] = []
    names = _names(message)
    if names is not None and message.type is not MessageType.EVENT:
        for what, text, span in zip(names.whats, names.texts, names.spans, strict=True):
            size = len(text.encode("utf-8", "surrogatepass"))
            inside = Span(max(span.start, span.stop - size), span.stop)
            if what in ("interface", "class"):
                hide_unless_name(data, inside, runs)
    if message.protocol is MOTAN_OBJECTS:
        for _, value, span in attached(message):
            size = len(value.encode("utf-8", "surrogatepass"))
            runs.append((max(span.start, span.stop - size), LETTER * size))
    elif message.start < len(data):
        runs.append((message.start, bytes(len(data) - message.start)))
    base = base_of(data)
    if base > 32:
        runs.append((32, bytes(base - 32)))
        return HeadMasks(sorted(runs), base)
    return HeadMasks(runs)
